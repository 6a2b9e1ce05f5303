/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: new limits for a container. From --resources (a runtime-spec linux.resources object), or from options, each of which is one property of such an object.
 *
 * What is asked for is merged into the container's stored config.json, so that the next update, and whoever reads it, sees what holds. The merged document is checked
 * as a whole before anything is written; when the kernel then refuses, the old one is put back.
 */
#include "ocicli/private.h"

#include <fcntl.h>

#define RESOURCES_MAX (16 << 20)

struct update_options {
    const char *resources, *blkio_weight, *cpu_period, *cpu_quota, *cpu_burst, *cpu_share,
        *cpu_rt_period, *cpu_rt_runtime, *cpu_idle, *cpuset_cpus, *cpuset_mems, *memory,
        *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp, *pids_limit,
        *l3_cache_schema, *mem_bw_schema;
};

#define TEXT(long_name, placeholder, text, member)                                                 \
    OPTION(long_name, 0, OPTION_STRING, placeholder, text, struct update_options, member)
static const struct option_row update_table[] = {
    OPTION("resources", 'r', OPTION_STRING, "FILE",
           "Take all limits from this JSON (\"-\": standard input)", struct update_options,
           resources),
    TEXT("blkio-weight", "N", "Block I/O weight, 10 to 1000", blkio_weight),
    TEXT("cpu-period", "USEC", "Period of the CPU quota", cpu_period),
    TEXT("cpu-quota", "USEC", "CPU time in each period (-1: no limit)", cpu_quota),
    TEXT("cpu-burst", "USEC", "Unused CPU time that may be saved up", cpu_burst),
    TEXT("cpu-share", "N", "CPU shares, relative to other containers", cpu_share),
    TEXT("cpu-rt-period", "USEC", "Period of the realtime quota", cpu_rt_period),
    TEXT("cpu-rt-runtime", "USEC", "Realtime CPU time in each period", cpu_rt_runtime),
    TEXT("cpu-idle", "0|1", "1: only when nobody else wants the CPU", cpu_idle),
    TEXT("cpuset-cpus", "LIST", "CPUs to run on (0-3,7)", cpuset_cpus),
    TEXT("cpuset-mems", "LIST", "Memory nodes to use", cpuset_mems),
    TEXT("memory", "BYTES", "Memory limit (512m; -1: none)", memory),
    TEXT("memory-reservation", "BYTES", "Memory that is to be left to it", memory_reservation),
    TEXT("memory-swap", "BYTES", "Memory and swap together (-1: no limit)", memory_swap),
    TEXT("kernel-memory", "BYTES", "Kernel memory limit (cgroup v1, old kernels)", kernel_memory),
    TEXT("kernel-memory-tcp", "BYTES", "TCP buffer limit (cgroup v1)", kernel_memory_tcp),
    TEXT("pids-limit", "N", "Number of processes and threads (-1: no limit)", pids_limit),
    TEXT("l3-cache-schema", "SCHEMA", "Share of the L3 cache, of its group in resctrl (L3:0=f0)",
         l3_cache_schema),
    TEXT("mem-bw-schema", "SCHEMA", "Share of the memory bandwidth, likewise (MB:0=50)",
         mem_bw_schema),
};

/* ---- options → a resources object ---- */

enum value { VALUE_NUMBER, VALUE_BYTES, VALUE_TEXT };
static const struct {
    char option[20];
    uint32_t offset;
    char object[8], key[16];
    enum value type;
} properties[] = {
#define AT(member) offsetof(struct update_options, member)
    { "blkio-weight", AT(blkio_weight), "blockIO", "weight", VALUE_NUMBER },
    { "cpu-period", AT(cpu_period), "cpu", "period", VALUE_NUMBER },
    { "cpu-quota", AT(cpu_quota), "cpu", "quota", VALUE_NUMBER },
    { "cpu-burst", AT(cpu_burst), "cpu", "burst", VALUE_NUMBER },
    { "cpu-share", AT(cpu_share), "cpu", "shares", VALUE_NUMBER },
    { "cpu-rt-period", AT(cpu_rt_period), "cpu", "realtimePeriod", VALUE_NUMBER },
    { "cpu-rt-runtime", AT(cpu_rt_runtime), "cpu", "realtimeRuntime", VALUE_NUMBER },
    { "cpu-idle", AT(cpu_idle), "cpu", "idle", VALUE_NUMBER },
    { "cpuset-cpus", AT(cpuset_cpus), "cpu", "cpus", VALUE_TEXT },
    { "cpuset-mems", AT(cpuset_mems), "cpu", "mems", VALUE_TEXT },
    { "memory", AT(memory), "memory", "limit", VALUE_BYTES },
    { "memory-reservation", AT(memory_reservation), "memory", "reservation", VALUE_BYTES },
    { "memory-swap", AT(memory_swap), "memory", "swap", VALUE_BYTES },
    { "kernel-memory", AT(kernel_memory), "memory", "kernel", VALUE_BYTES },
    { "kernel-memory-tcp", AT(kernel_memory_tcp), "memory", "kernelTCP", VALUE_BYTES },
    { "pids-limit", AT(pids_limit), "pids", "limit", VALUE_NUMBER },
#undef AT
};

static const char *value_of(const struct update_options *options, size_t index)
{
    const char *value = *(const char *const *)((const char *)options + properties[index].offset);
    return value != NULL && value[0] != '\0' ? value : NULL; /* callers pass "" for nothing */
}

static int parse_value(size_t index, const char *text, struct cl_json **ret, struct cl_error *err)
{
    int64_t number = -1;
    int result = 0;
    if (properties[index].type == VALUE_BYTES && !cl_streq(text, "-1"))
        result = cl_parse_bytes(text, &number);
    else if (properties[index].type == VALUE_NUMBER)
        result = cl_parse_i64(text, INT64_MIN, INT64_MAX, &number);
    if (result < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "invalid value \"%s\" for --%s", text,
                            properties[index].option);
    *ret =
        properties[index].type == VALUE_TEXT ? cl_json_from_string(text) : cl_json_from_int(number);
    return *ret == NULL ? cl_fail(err, ENOMEM, "update") : 0;
}

static int set_property(struct cl_json *root, size_t index, struct cl_json *take_value)
{
    const char *name = properties[index].object;
    int result = 0;
    if (!cl_json_has(root, name))
        result = cl_json_set(root, name, cl_json_object());
    struct cl_json *object = (struct cl_json *)(uintptr_t)cl_json_get(root, name); /* our own */
    if (result >= 0)
        return cl_json_set(object, properties[index].key, take_value);
    cl_json_unref(take_value);
    return result;
}

static int from_options(const struct update_options *options, struct cl_json **ret,
                        struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *root = cl_json_object();
    for (size_t i = 0; i < CL_COUNT(properties); i++) {
        const char *text = value_of(options, i);
        struct cl_json *value = NULL;
        int result = text == NULL ? 0 : parse_value(i, text, &value, err);
        if (result < 0)
            return result;
        if (text != NULL && (root == NULL || set_property(root, i, value) < 0))
            return cl_fail(err, ENOMEM, "update");
    }
    *ret = cl_take(root);
    return 0;
}

static int from_file(const char *path, struct cl_json **ret, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    bool is_stdin = cl_streq(path, "-");
    cl_auto_fd file = is_stdin ? -EBADF : open(path, O_RDONLY | O_CLOEXEC);
    if (!is_stdin && file < 0)
        return cl_fail(err, errno, "open %s", path);
    int result = cl_read_fd(is_stdin ? STDIN_FILENO : file, RESOURCES_MAX, &text, &size, err);
    if (result >= 0)
        result = cl_json_parse(text, size, RESOURCES_MAX, ret, err);
    return result < 0 ? cl_error_prefix(err, "read %s", is_stdin ? "standard input" : path) : 0;
}

static int read_request(const struct update_options *options, struct cl_json **ret,
                        struct cl_error *err)
{
    if (options->resources == NULL || options->resources[0] == '\0')
        return from_options(options, ret, err);
    for (size_t i = 0; i < CL_COUNT(properties); i++)
        if (value_of(options, i) != NULL)
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                "--resources says everything: not together with --%s",
                                properties[i].option);
    return from_file(options->resources, ret, err);
}

/* ---- merging ---- */

/* What tells elements of a list apart: the same device, page size, interface. */
static bool is_same(const struct cl_json *a, const struct cl_json *b)
{
    static const char *const keys[] = { "major", "minor", "pageSize", "name" };
    for (size_t i = 0; i < CL_COUNT(keys); i++) {
        const struct cl_json *x = cl_json_get(a, keys[i]), *y = cl_json_get(b, keys[i]);
        if (cl_json_int(x) != cl_json_int(y) || !cl_streq(cl_json_string(x), cl_json_string(y)))
            return false;
    }
    return true;
}

/* Elements of `change` instead of those of `old` that speak of the same thing. */
static struct cl_json *merge_lists(const struct cl_json *old, const struct cl_json *change)
{
    struct cl_json *list = cl_json_array();
    int result = list == NULL ? -ENOMEM : 0;
    for (size_t i = 0; result >= 0 && i < cl_json_count(old); i++) {
        bool is_replaced = false;
        for (size_t j = 0; j < cl_json_count(change); j++)
            is_replaced = is_replaced || is_same(cl_json_at(old, i), cl_json_at(change, j));
        if (!is_replaced)
            result = cl_json_add(list, cl_json_copy(cl_json_at(old, i)));
    }
    for (size_t i = 0; result >= 0 && i < cl_json_count(change); i++)
        result = cl_json_add(list, cl_json_copy(cl_json_at(change, i)));
    if (result >= 0)
        return list;
    cl_json_unref(list);
    return NULL;
}

/* The two levels that resources have: an object of objects; device rules replace all others. */
static int merge(struct cl_json *into, const struct cl_json *change)
{
    void *walk = NULL;
    const char *key;
    const struct cl_json *value;
    int result = 0;
    while (result >= 0 && cl_json_next(change, &walk, &key, &value)) {
        struct cl_json *old = (struct cl_json *)(uintptr_t)cl_json_get(into, key); /* our own */
        if (cl_json_type(value) == CL_JSON_NULL)
            continue;
        if (cl_json_type(value) == CL_JSON_OBJECT && cl_json_type(old) == CL_JSON_OBJECT)
            result = merge(old, value);
        else if (cl_json_type(value) == CL_JSON_ARRAY && !cl_streq(key, "devices"))
            result = cl_json_set(into, key, merge_lists(old, value));
        else
            result = cl_json_set(into, key, cl_json_copy(value));
    }
    return result;
}

static bool is_equal(const struct cl_json *a, const struct cl_json *b)
{
    cl_auto_free char *x = cl_json_text(a, CL_JSON_COMPACT), *y = cl_json_text(b, CL_JSON_COMPACT);
    return x != NULL && cl_streq(x, y);
}

/* ---- the change ---- */

struct change {
    char *old_text, *new_text; /* of config.json */
    size_t old_size;
    struct oci_intel_rdt rdt;       /* two schemata, borrowed from the command line */
    bool has_resources;             /* is anything of the control group's asked for? */
    struct oci_resources resources; /* only what is asked for */
    struct oci_spec *merged;
};

static void change_done(struct change *change)
{
    free(change->old_text);
    free(change->new_text);
    oci_resources_done(&change->resources);
    oci_spec_free(change->merged);
}

static struct cl_json *member(struct cl_json *object, const char *key)
{
    if (cl_json_type(cl_json_get(object, key)) != CL_JSON_OBJECT &&
        cl_json_set(object, key, cl_json_object()) < 0)
        return NULL;
    return (struct cl_json *)(uintptr_t)cl_json_get(object, key); /* our own document */
}

/* v2 limits swap alone, so with another memory limit the sum that the spec speaks of moves along. */
static int move_swap(const struct container *container, const struct cl_json *asked,
                     struct cl_json *resources)
{
    const struct cl_json *memory = cl_json_get(resources, "memory");
    int64_t old_limit = 0, old_swap = 0, limit = 0;
    struct group group;
    char text[64];
    bool is_asked = cl_json_i64(cl_json_get(cl_json_get(asked, "memory"), "limit"), &limit) >= 0;
    if (!is_asked || cl_json_has(cl_json_get(asked, "memory"), "swap") ||
        cl_json_i64(cl_json_get(memory, "swap"), &old_swap) < 0 || old_swap <= 0 ||
        cl_json_i64(cl_json_get(memory, "limit"), &old_limit) < 0 || old_limit <= 0 ||
        group_open(container->cgroup_path, &group, NULL) < 0)
        return 0;
    bool is_v2 = cgroup_read(&group.cgroup, "memory", "memory.max", text, sizeof text) >= 0;
    group_done(&group);
    int64_t swap = !is_v2 || limit < 0 ? -1 : limit + old_swap - old_limit;
    bool is_kept = !is_v2 && limit >= 0; /* v1 keeps the sum */
    return is_kept ? 0 : cl_json_set_int((struct cl_json *)(uintptr_t)memory, "swap", swap);
}

/* Callers pass "" for nothing. */
static void take_rdt(const struct update_options *options, struct change *change)
{
    const char *cache = options->l3_cache_schema, *bandwidth = options->mem_bw_schema;
    if (cache != NULL && cache[0] != '\0')
        change->rdt.l3_cache_schema = (char *)(uintptr_t)cache; /* never written to */
    if (bandwidth != NULL && bandwidth[0] != '\0')
        change->rdt.mem_bw_schema = (char *)(uintptr_t)bandwidth;
}

static bool wants_rdt(const struct change *change)
{
    return change->rdt.l3_cache_schema != NULL || change->rdt.mem_bw_schema != NULL;
}

static int prefix_rdt(const struct container *container, const struct change *change,
                      struct cl_error *err)
{
    bool cache = change->rdt.l3_cache_schema != NULL, both = cache && change->rdt.mem_bw_schema;
    return cl_error_prefix(err, "update container %s: %s%s%s", container->id,
                           cache ? "--l3-cache-schema" : "", both ? ", " : "",
                           !cache || both ? "--mem-bw-schema" : "");
}

/* No group is made for it now: its processes would have to be moved one by one while they fork. */
static int merge_rdt(struct cl_json *linux_, const struct container *container,
                     const struct change *change, struct cl_error *err)
{
    if (!wants_rdt(change))
        return 0;
    struct cl_json *rdt = (struct cl_json *)(uintptr_t)cl_json_get(linux_, "intelRdt"); /* ours */
    const char *cache = change->rdt.l3_cache_schema, *bandwidth = change->rdt.mem_bw_schema;
    if (cl_json_type(rdt) != CL_JSON_OBJECT) {
        (void)cl_fail_kind(err, CL_KIND_UNSUPPORTED, ENOENT,
                           "the container has no group in resctrl, since its config.json has no "
                           "linux.intelRdt; create it with one");
        return prefix_rdt(container, change, err);
    }
    if ((cache != NULL && cl_json_set_string(rdt, "l3CacheSchema", cache) < 0) ||
        (bandwidth != NULL && cl_json_set_string(rdt, "memBwSchema", bandwidth) < 0))
        return cl_fail(err, ENOMEM, "update container %s", container->id);
    return 0;
}

static int merge_config(const struct container *container, struct cl_json *asked,
                        struct change *change, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *config = NULL;
    int result = cl_read_file(container->dir, "config.json", RESOURCES_MAX, &change->old_text,
                              &change->old_size, err);
    if (result >= 0)
        result = cl_json_parse(change->old_text, change->old_size, RESOURCES_MAX, &config, err);
    if (result < 0)
        return cl_error_prefix(err, "container %s", container->id);
    struct cl_json *linux_ = member(config, "linux");
    struct cl_json *resources = linux_ == NULL ? NULL : member(linux_, "resources");
    /* Engines send the whole object: rules that hold already are not written again. */
    if (resources != NULL &&
        is_equal(cl_json_get(asked, "devices"), cl_json_get(resources, "devices")))
        (void)cl_json_remove(asked, "devices"); /* perhaps null in both: nothing to remove */
    if (resources == NULL || move_swap(container, asked, resources) < 0 ||
        merge(resources, asked) < 0)
        return cl_fail(err, ENOMEM, "update container %s", container->id);
    result = merge_rdt(linux_, container, change, err);
    if (result < 0)
        return result;
    change->new_text = cl_json_text(config, CL_JSON_COMPACT);
    if (change->new_text == NULL)
        return cl_fail(err, ENOMEM, "update container %s", container->id);
    return oci_spec_read(change->new_text, strlen(change->new_text), &change->merged, err);
}

/* The default devices stay allowed, as at creation. */
static int complete_rules(struct change *change, struct cl_error *err)
{
    if (change->resources.device_count == 0)
        return 0;
    int result = allow_default_devices(change->merged, err);
    if (result < 0)
        return result;
    struct oci_resources *full = &change->merged->linux_.resources;
    struct oci_device_rule *rules = change->resources.devices;
    size_t count = change->resources.device_count;
    change->resources.devices = full->devices;
    change->resources.device_count = full->device_count;
    full->devices = rules;
    full->device_count = count;
    return 0;
}

static int save(const struct container *container, const char *text, size_t size,
                struct cl_error *err)
{
    int result =
        cl_write_atomic(container->dir, "config.json", text, size, 0600, CL_WRITE_PLAIN, err);
    return result < 0 ? cl_error_prefix(err, "update container %s", container->id) : 0;
}

static int limit(const struct container *container, const struct change *change,
                 struct cl_error *err)
{
    if (!change->has_resources && wants_rdt(change))
        return 0;
    if (container->cgroup_path[0] == '\0')
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, ENOENT,
                            "container %s has no cgroup, so there is nothing to limit it with",
                            container->id);
    return runtime_update(container->cgroup_path,
                          container->scope.unit[0] != '\0' ? &container->scope : NULL,
                          &change->resources, err);
}

/* resctrl first: one small file is easily put back. */
static int write_limits(const struct container *container, const struct change *change,
                        struct cl_error *err)
{
    cl_auto_free char *old = NULL;
    const struct oci_intel_rdt *group = change->merged->linux_.intel_rdt;
    int result = 0;
    if (wants_rdt(change))
        result = runtime_rdt_update(group, container->id, &change->rdt, &old, err);
    if (result < 0)
        return prefix_rdt(container, change, err);
    result = limit(container, change, err);
    if (result < 0 && old != NULL)
        runtime_rdt_restore(group, container->id, old);
    return result;
}

static int carry_out(const struct container *container, const struct change *change,
                     struct cl_error *err)
{
    int result = save(container, change->new_text, strlen(change->new_text), err);
    if (result < 0)
        return result;
    cl_test_point("limits recorded");
    result = write_limits(container, change, err);
    if (result < 0)
        (void)save(container, change->old_text, change->old_size, NULL); /* the reason is in err */
    return result;
}

static int check_status(const struct container *container, struct cl_error *err)
{
    enum oci_status status;
    int result = container_status(container, &status, err);
    if (result < 0 || (status != OCI_STOPPED && status != OCI_CREATING))
        return result;
    return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container not running: %s", container->id);
}

/* Before it is merged: an error is then named by its path in the document that was given. */
static int check_request(const struct cl_json *asked, struct cl_error *err)
{
    struct oci_resources resources = { 0 };
    int result = oci_resources_decode(asked, &resources, err);
    if (result >= 0)
        result = oci_resources_validate(&resources, err);
    oci_resources_done(&resources);
    return result;
}

static int update(const struct ocicli *cli, const void *data, char **arguments,
                  struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *asked = NULL;
    auto_container container = CONTAINER_NONE;
    struct change change = { 0 };
    int result = read_request(data, &asked, err);
    take_rdt(data, &change);
    change.has_resources = cl_json_count(asked) > 0;
    if (result >= 0)
        result = container_open(cli, arguments[0], true, &container, err);
    if (result >= 0)
        result = check_status(&container, err);
    if (result >= 0)
        result = check_request(asked, err);
    if (result >= 0)
        result = merge_config(&container, asked, &change, err);
    if (result >= 0)
        result = oci_resources_decode(asked, &change.resources, err);
    if (result >= 0)
        result = complete_rules(&change, err);
    if (result >= 0)
        result = carry_out(&container, &change, err);
    change_done(&change);
    return result;
}

const struct verb verb_update = {
    .name = "update",
    .synopsis = "[OPTIONS] ID",
    .summary = "Change the limits of a container: only what is given, all of it or nothing",
    VERB_OPTIONS(update_table, struct update_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = update,
};
