/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: what a container uses, again and again, and when the kernel had to kill in it for want of memory. One JSON object a line, in the shape of runc's `events`
 * (its types/events.go), which engines parse.
 *
 * One poll waits for all: the memory group (cgroup_oom_open), the container's init (its pidfd) and the next look. It ends with the container.
 */
#include "ocicli/private.h"

#include <poll.h>

struct events_options {
    const char *interval;
    bool stats;
};
static const struct option_row events_table[] = {
    OPTION("interval", 0, OPTION_STRING, "DURATION",
           "Time between two statistics (default 5s; 250ms, 1m30s)", struct events_options,
           interval),
    OPTION("stats", 0, OPTION_FLAG, "", "Print the statistics once", struct events_options, stats),
};

/* ---- JSON ---- */

/* A failure sticks in `result`. */
struct builder {
    int result;
};

static void set(struct builder *builder, struct cl_json *object, const char *key,
                struct cl_json *take_value)
{
    if (builder->result >= 0 && object != NULL) {
        builder->result = cl_json_set(object, key, take_value);
        return;
    }
    cl_json_unref(take_value);
    builder->result = -ENOMEM;
}

static void set_u64(struct builder *builder, struct cl_json *object, const char *key,
                    uint64_t value)
{
    set(builder, object, key, cl_json_from_u64(value));
}

/* What runc leaves out where it is nothing. */
static void set_some(struct builder *builder, struct cl_json *object, const char *key,
                     uint64_t value)
{
    if (value != 0)
        set_u64(builder, object, key, value);
}

static void set_pressure(struct builder *builder, struct cl_json *object,
                         const struct runtime_pressure *pressure)
{
    if (!pressure->is_known)
        return;
    struct cl_json *all = cl_json_object(), *some = cl_json_object(), *full = cl_json_object();
    set(builder, some, "avg10", cl_json_from_double(pressure->some.avg10));
    set(builder, some, "avg60", cl_json_from_double(pressure->some.avg60));
    set(builder, some, "avg300", cl_json_from_double(pressure->some.avg300));
    set_u64(builder, some, "total", pressure->some.total_us);
    set(builder, full, "avg10", cl_json_from_double(pressure->full.avg10));
    set(builder, full, "avg60", cl_json_from_double(pressure->full.avg60));
    set(builder, full, "avg300", cl_json_from_double(pressure->full.avg300));
    set_u64(builder, full, "total", pressure->full.total_us);
    set(builder, all, "some", some);
    set(builder, all, "full", full);
    set(builder, object, "psi", all);
}

static struct cl_json *numbers(struct builder *builder, const uint64_t *values, size_t count)
{
    struct cl_json *list = cl_json_array();
    for (size_t i = 0; list != NULL && i < count; i++)
        if (cl_json_add(list, cl_json_from_u64(values[i])) < 0)
            builder->result = -ENOMEM;
    return list;
}

static struct cl_json *cpu(struct builder *builder, const struct runtime_stats *stats)
{
    struct cl_json *json = cl_json_object(), *usage = cl_json_object(),
                   *throttling = cl_json_object();
    size_t count = stats->cpu.per_cpu_count;
    set_some(builder, usage, "total", stats->cpu.total);
    if (count > 0) {
        set(builder, usage, "percpu", numbers(builder, stats->cpu.per_cpu, count));
        set(builder, usage, "percpu_kernel", numbers(builder, stats->cpu.per_cpu_kernel, count));
        set(builder, usage, "percpu_user", numbers(builder, stats->cpu.per_cpu_user, count));
    }
    set_u64(builder, usage, "kernel", stats->cpu.kernel);
    set_u64(builder, usage, "user", stats->cpu.user);
    set_some(builder, throttling, "periods", stats->cpu.periods);
    set_some(builder, throttling, "throttledPeriods", stats->cpu.throttled_periods);
    set_some(builder, throttling, "throttledTime", stats->cpu.throttled_time);
    set(builder, json, "usage", usage);
    set(builder, json, "throttling", throttling);
    set_pressure(builder, json, &stats->cpu.pressure);
    return json;
}

/* "0-2,7" → [0,1,2,7] */
static struct cl_json *expand(struct builder *builder, const char *list)
{
    struct cl_json *json = cl_json_array();
    for (const char *at = list; *at != '\0' && json != NULL;) {
        size_t length = strcspn(at, ",");
        char text[32];
        uint64_t first = 0, last = 0;
        if (CL_PRINT(text, "%.*s", (int)length, at) < 0)
            break;
        char *dash = strchr(text, '-');
        if (dash != NULL)
            *dash++ = '\0';
        if (cl_parse_u64(text, 0, 65535, &first) < 0 ||
            cl_parse_u64(dash == NULL ? text : dash, first, 65535, &last) < 0)
            break;
        for (; first <= last; first++)
            if (cl_json_add(json, cl_json_from_u64(first)) < 0)
                builder->result = -ENOMEM;
        at += length + (at[length] == ',');
    }
    return json;
}

static struct cl_json *cpuset(struct builder *builder, const struct runtime_stats *stats)
{
    static const char *const flags[] = {
        "cpu_exclusive",   "mem_hardwall",       "mem_exclusive",
        "memory_migrate",  "memory_spread_page", "memory_spread_slab",
        "memory_pressure", "sched_load_balance", "sched_relax_domain_level",
    };
    struct cl_json *json = cl_json_object();
    if (stats->cpu.cpus[0] != '\0')
        set(builder, json, "cpus", expand(builder, stats->cpu.cpus));
    if (stats->cpu.mems[0] != '\0')
        set(builder, json, "mems", expand(builder, stats->cpu.mems));
    for (size_t i = 0; i < CL_COUNT(flags); i++)
        set(builder, json, flags[i], cl_json_from_int(stats->cpu.cpuset_flags[i]));
    return json;
}

static struct cl_json *memory_use(struct builder *builder, const struct runtime_memory_use *use)
{
    struct cl_json *json = cl_json_object();
    set_u64(builder, json, "limit", use->limit);
    set_some(builder, json, "usage", use->usage);
    set_some(builder, json, "max", use->max);
    set_u64(builder, json, "failcnt", use->failures);
    return json;
}

static struct cl_json *memory(struct builder *builder, const struct runtime_stats *stats)
{
    struct cl_json *json = cl_json_object(), *raw = cl_json_object();
    for (size_t i = 0; i < stats->memory.counter_count; i++)
        set_u64(builder, raw, stats->memory.counters[i].name, stats->memory.counters[i].value);
    set_some(builder, json, "cache", stats->memory.cache);
    set(builder, json, "usage", memory_use(builder, &stats->memory.usage));
    set(builder, json, "swap", memory_use(builder, &stats->memory.swap));
    set(builder, json, "kernel", memory_use(builder, &stats->memory.kernel));
    set(builder, json, "kernelTCP", memory_use(builder, &stats->memory.kernel_tcp));
    set(builder, json, "raw", raw);
    set_pressure(builder, json, &stats->memory.pressure);
    return json;
}

static struct cl_json *pids(struct builder *builder, const struct runtime_stats *stats)
{
    struct cl_json *json = cl_json_object();
    set_some(builder, json, "current", stats->pids.current);
    set_some(builder, json, "limit", stats->pids.limit);
    return json;
}

static struct cl_json *io_list(struct builder *builder, const struct runtime_io_list *list)
{
    struct cl_json *json = cl_json_array();
    for (size_t i = 0; i < list->count && json != NULL; i++) {
        struct cl_json *entry = cl_json_object();
        set_some(builder, entry, "major", list->items[i].major);
        set_some(builder, entry, "minor", list->items[i].minor);
        if (list->items[i].op[0] != '\0')
            set(builder, entry, "op", cl_json_from_string(list->items[i].op));
        set_some(builder, entry, "value", list->items[i].value);
        if (cl_json_add(json, entry) < 0)
            builder->result = -ENOMEM;
    }
    return json;
}

static struct cl_json *blkio(struct builder *builder, const struct runtime_stats *stats)
{
    static const char *const names[RUNTIME_IO_COUNT] = {
        [RUNTIME_IO_BYTES] = "ioServiceBytesRecursive",
        [RUNTIME_IO_OPERATIONS] = "ioServicedRecursive",
        [RUNTIME_IO_QUEUED] = "ioQueueRecursive",
        [RUNTIME_IO_SERVICE_TIME] = "ioServiceTimeRecursive",
        [RUNTIME_IO_WAIT_TIME] = "ioWaitTimeRecursive",
        [RUNTIME_IO_MERGED] = "ioMergedRecursive",
        [RUNTIME_IO_TIME] = "ioTimeRecursive",
        [RUNTIME_IO_SECTORS] = "sectorsRecursive",
    };
    struct cl_json *json = cl_json_object();
    for (size_t i = 0; i < RUNTIME_IO_COUNT; i++)
        if (stats->io[i].count > 0)
            set(builder, json, names[i], io_list(builder, &stats->io[i]));
    set_pressure(builder, json, &stats->io_pressure);
    return json;
}

static struct cl_json *hugetlb(struct builder *builder, const struct runtime_stats *stats)
{
    struct cl_json *json = cl_json_object();
    for (size_t i = 0; i < stats->hugetlb_count; i++) {
        struct cl_json *entry = cl_json_object();
        set_some(builder, entry, "usage", stats->hugetlb[i].usage);
        set_some(builder, entry, "max", stats->hugetlb[i].max);
        set_u64(builder, entry, "failcnt", stats->hugetlb[i].failures);
        set(builder, json, stats->hugetlb[i].size, entry);
    }
    return json;
}

/* runc's struct has no JSON names here: Go's own are used. */
static struct cl_json *interfaces(struct builder *builder, const struct runtime_stats *stats)
{
    if (stats->interface_count == 0)
        return cl_json_null();
    struct cl_json *json = cl_json_array();
    for (size_t i = 0; i < stats->interface_count && json != NULL; i++) {
        const struct runtime_interface *interface = &stats->interfaces[i];
        struct cl_json *entry = cl_json_object();
        set(builder, entry, "Name", cl_json_from_string(interface->name));
        set_u64(builder, entry, "RxBytes", interface->rx_bytes);
        set_u64(builder, entry, "RxPackets", interface->rx_packets);
        set_u64(builder, entry, "RxErrors", interface->rx_errors);
        set_u64(builder, entry, "RxDropped", interface->rx_dropped);
        set_u64(builder, entry, "TxBytes", interface->tx_bytes);
        set_u64(builder, entry, "TxPackets", interface->tx_packets);
        set_u64(builder, entry, "TxErrors", interface->tx_errors);
        set_u64(builder, entry, "TxDropped", interface->tx_dropped);
        if (cl_json_add(json, entry) < 0)
            builder->result = -ENOMEM;
    }
    return json;
}

static void set_text(struct builder *builder, struct cl_json *object, const char *key,
                     const char *text, size_t length)
{
    char copy[1024];
    if (length > 0 && CL_PRINT(copy, "%.*s", (int)length, text) >= 0)
        set(builder, object, key, cl_json_from_string(copy));
}

/* runc has the last line of a resource in words of its own, and all of them as a list. */
static void set_schemata(struct builder *builder, struct cl_json *json, const char *text,
                         const char *list_key, const char *cache_key, const char *bandwidth_key)
{
    struct cl_json *list = cl_json_array();
    for (const char *line = text; line != NULL && *line != '\0' && list != NULL;) {
        line += strspn(line, " \n");
        size_t length = strcspn(line, "\n");
        if (cl_starts_with(line, "L3"))
            set_text(builder, json, cache_key, line, length);
        else if (cl_starts_with(line, "MB:"))
            set_text(builder, json, bandwidth_key, line, length);
        cl_auto_free char *copy = cl_strndup(line, length);
        if (length > 0 && (copy == NULL || cl_json_add(list, cl_json_from_string(copy)) < 0))
            builder->result = -ENOMEM;
        line += length;
    }
    if (list_key != NULL)
        set(builder, json, list_key, list);
    else
        cl_json_unref(list);
}

static void set_domains(struct builder *builder, struct cl_json *json,
                        const struct runtime_rdt_stats *rdt)
{
    struct cl_json *bytes = cl_json_array(), *occupancy = cl_json_array();
    bool has_bytes = false, has_occupancy = false;
    for (size_t i = 0; i < rdt->domain_count && bytes != NULL && occupancy != NULL; i++) {
        const struct runtime_rdt_domain *domain = &rdt->domains[i];
        struct cl_json *entry = cl_json_object(), *other = cl_json_object();
        set_some(builder, entry, "mbm_total_bytes", domain->total_bytes);
        set_some(builder, entry, "mbm_local_bytes", domain->local_bytes);
        set_some(builder, other, "llc_occupancy", domain->occupancy);
        has_bytes = has_bytes || domain->has_bytes;
        has_occupancy = has_occupancy || domain->has_occupancy;
        if (cl_json_add(bytes, entry) < 0)
            builder->result = -ENOMEM;
        if (cl_json_add(occupancy, other) < 0)
            builder->result = -ENOMEM;
    }
    if (has_bytes)
        set(builder, json, "mbm_stats", bytes);
    else
        cl_json_unref(bytes);
    if (has_occupancy)
        set(builder, json, "cmt_stats", occupancy);
    else
        cl_json_unref(occupancy);
}

/* An empty object where the container has no linux.intelRdt. */
static struct cl_json *intel_rdt(struct builder *builder, const struct runtime_rdt_stats *rdt)
{
    struct cl_json *json = cl_json_object();
    if (!rdt->is_known)
        return json;
    if (rdt->has_cache) {
        struct cl_json *info = cl_json_object();
        set(builder, info, "cbm_mask", cl_json_from_string(rdt->cache_mask));
        set_some(builder, info, "min_cbm_bits", rdt->min_cache_bits);
        set_some(builder, info, "num_closids", rdt->cache_groups);
        set(builder, json, "l3_cache_info", info);
    }
    if (rdt->has_bandwidth) {
        struct cl_json *info = cl_json_object();
        set_some(builder, info, "bandwidth_gran", rdt->bandwidth_step);
        set_some(builder, info, "delay_linear", rdt->delay_linear);
        set_some(builder, info, "min_bandwidth", rdt->min_bandwidth);
        set_some(builder, info, "num_closids", rdt->bandwidth_groups);
        set(builder, json, "mem_bw_info", info);
    }
    set_schemata(builder, json, rdt->root_schemata, NULL, "l3_cache_schema_root",
                 "mem_bw_schema_root");
    set_schemata(builder, json, rdt->schemata, "schemata", "l3_cache_schema", "mem_bw_schema");
    set_domains(builder, json, rdt);
    return json;
}

static struct cl_json *describe(struct builder *builder, const struct runtime_stats *stats,
                                const struct runtime_rdt_stats *rdt)
{
    struct cl_json *json = cl_json_object();
    set(builder, json, "cpu", cpu(builder, stats));
    set(builder, json, "cpuset", cpuset(builder, stats));
    set(builder, json, "memory", memory(builder, stats));
    set(builder, json, "pids", pids(builder, stats));
    set(builder, json, "blkio", blkio(builder, stats));
    set(builder, json, "hugetlb", hugetlb(builder, stats));
    set(builder, json, "intel_rdt", intel_rdt(builder, rdt));
    set(builder, json, "network_interfaces", interfaces(builder, stats));
    return json;
}

/* take_data NULL: an event without any. */
static int print_event(const char *id, const char *type, struct cl_json *take_data,
                       struct cl_error *err)
{
    struct builder builder = { 0 };
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    set(&builder, json, "type", cl_json_from_string(type));
    set(&builder, json, "id", cl_json_from_string(id));
    if (take_data != NULL)
        set(&builder, json, "data", take_data);
    cl_auto_free char *text = builder.result < 0 ? NULL : cl_json_text(json, CL_JSON_COMPACT);
    if (text == NULL)
        return cl_fail(err, ENOMEM, "print an event of container %s", id);
    (void)puts(text);
    return flush_output(err);
}

/* ---- the container ---- */

struct watch {
    const struct container *container;
    struct group group;
    int proc;
    const struct oci_intel_rdt *rdt; /* or NULL */
};

static int print_stats(const struct watch *watch, struct cl_error *err)
{
    struct builder builder = { 0 };
    struct runtime_stats stats;
    struct runtime_rdt_stats rdt = { 0 };
    int result =
        runtime_stats_read(&watch->group.cgroup, watch->proc, watch->container->pid, &stats, err);
    if (result < 0)
        return result;
    if (watch->rdt != NULL)
        result = runtime_rdt_stats_read(watch->rdt, watch->container->id, &rdt, err);
    struct cl_json *json = result < 0 ? NULL : describe(&builder, &stats, &rdt);
    runtime_stats_done(&stats);
    runtime_rdt_stats_done(&rdt);
    if (result < 0)
        return result;
    if (builder.result < 0 || json == NULL) {
        cl_json_unref(json);
        return cl_fail(err, ENOMEM, "print statistics");
    }
    return print_event(watch->container->id, "stats", json, err);
}

static int time_left(int64_t deadline_ns)
{
    int64_t left = (deadline_ns - cl_now_ns() + 999999) / 1000000;
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static int follow(const struct watch *watch, int64_t interval_ns, struct cl_error *err)
{
    cl_auto_fd pidfd = container_pidfd(watch->container, err);
    struct cgroup_oom oom;
    if (pidfd < 0)
        return pidfd;
    int result = cgroup_oom_open(&watch->group.cgroup, &oom, err);
    if (result < 0)
        return result;
    bool has_ended = false;
    int64_t next = cl_now_ns() + interval_ns;
    while (result >= 0 && !has_ended) {
        struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
                                { .fd = oom.fd, .events = oom.events } };
        int count = poll(fds, CL_COUNT(fds), time_left(next));
        if (count < 0 && errno != EINTR)
            result = cl_fail(err, errno, "wait for container %s", watch->container->id);
        has_ended = count > 0 && fds[0].revents != 0;
        /* Also at the end: init may be the one that was killed. */
        if (result >= 0 && count >= 0 && cgroup_oom_seen(&watch->group.cgroup, &oom) == 1)
            result = print_event(watch->container->id, "oom", NULL, err);
        if (result >= 0 && !has_ended && time_left(next) == 0) {
            result = print_stats(watch, err);
            next += interval_ns;
        }
    }
    cgroup_oom_done(&oom);
    return result;
}

static int events(const struct ocicli *cli, const void *data, char **arguments,
                  struct cl_error *err)
{
    const struct events_options *options = data;
    auto_container container = CONTAINER_NONE;
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    enum oci_status status;
    int64_t interval = 5 * INT64_C(1000000000);
    if (options->interval != NULL &&
        (cl_parse_duration(options->interval, &interval) < 0 || interval <= 0))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "--interval %s: expected a time such as 5s, above 0",
                            options->interval);
    int result = container_open(cli, arguments[0], false, &container, err);
    if (result >= 0)
        result = container_status(&container, &status, err);
    if (result >= 0 && (status == OCI_STOPPED || status == OCI_CREATING))
        result =
            cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container not running: %s", container.id);
    if (result >= 0)
        result = container_read_spec(&container, &spec, err);
    struct watch watch = { .container = &container,
                           .rdt = spec != NULL ? spec->linux_.intel_rdt : NULL };
    cl_auto_fd proc = result < 0 ? -EBADF : procfs_open_host(err);
    if (result >= 0)
        result = watch.proc = proc;
    if (result >= 0)
        result = group_open(container.cgroup_path, &watch.group, err);
    if (result < 0)
        return result;
    result = options->stats ? print_stats(&watch, err) : follow(&watch, interval, err);
    group_done(&watch.group);
    return result;
}

const struct verb verb_events = {
    .name = "events",
    .synopsis = "[OPTIONS] ID",
    .summary = "Print what a container uses, and when it runs out of memory, as JSON lines",
    VERB_OPTIONS(events_table, struct events_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = events,
};
