/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading what a group has used: CPU, memory, processes, pressure. Block I/O, huge pages and
 * interfaces are stats_io.c's. Sources: the kernel's admin-guide/cgroup-v1 and cgroup-v2.rst.
 */
#include "runtime/stats_private.h"

/* ---- text ---- */

const char *stats_text(struct stats_reader *reader, const char *controller, const char *file)
{
    ssize_t length =
        cgroup_read(reader->group, controller, file, reader->buffer, STATS_BUFFER_SIZE);
    return length < 0 ? NULL : reader->buffer;
}

bool stats_number(struct stats_reader *reader, const char *controller, const char *file,
                  uint64_t *ret)
{
    const char *text = stats_text(reader, controller, file);
    if (text == NULL)
        return false;
    if (cl_streq(text, "max"))
        *ret = UINT64_MAX;
    else
        (void)cl_parse_u64(text, 0, UINT64_MAX, ret); /* as it was where it is no number */
    return true;
}

char *stats_line(char **text)
{
    char *line = *text;
    if (line == NULL || *line == '\0')
        return NULL;
    char *end = strchr(line, '\n');
    if (end != NULL)
        *end = '\0';
    *text = end == NULL ? NULL : end + 1;
    return line;
}

char *stats_word(char **line)
{
    char *word = *line + strspn(*line, " \t");
    if (*word == '\0')
        return NULL;
    char *end = word + strcspn(word, " \t");
    *line = end + (*end != '\0');
    *end = '\0';
    return word;
}

uint64_t stats_u64(const char *text)
{
    uint64_t number = 0;
    if (text != NULL)
        (void)cl_parse_u64(text, 0, UINT64_MAX, &number); /* 0 for what is no number */
    return number;
}

/* ---- pressure ---- */

static double parse_average(const char *text)
{
    int64_t nano = 0;
    return cl_parse_nano(text, &nano) < 0 ? 0 : (double)nano / 1e9;
}

static void parse_pressure(char *line, struct runtime_pressure *ret)
{
    const char *kind = stats_word(&line);
    bool is_some = cl_streq(kind, "some");
    if (!is_some && !cl_streq(kind, "full"))
        return;
    for (char *word; (word = stats_word(&line)) != NULL;) {
        const char *value = strchr(word, '=');
        if (value == NULL)
            continue;
        value++;
        double average = parse_average(value);
        if (cl_starts_with(word, "avg10="))
            *(is_some ? &ret->some.avg10 : &ret->full.avg10) = average;
        else if (cl_starts_with(word, "avg60="))
            *(is_some ? &ret->some.avg60 : &ret->full.avg60) = average;
        else if (cl_starts_with(word, "avg300="))
            *(is_some ? &ret->some.avg300 : &ret->full.avg300) = average;
        else if (cl_starts_with(word, "total="))
            *(is_some ? &ret->some.total_us : &ret->full.total_us) = stats_u64(value);
    }
}

static void read_pressure(struct stats_reader *reader, const char *file,
                          struct runtime_pressure *ret)
{
    char *text = stats_text(reader, "", file) == NULL ? NULL : reader->buffer;
    ret->is_known = text != NULL;
    for (char *line; (line = stats_line(&text)) != NULL;)
        parse_pressure(line, ret);
}

/* ---- CPU ---- */

static void read_cpu_stat(struct stats_reader *reader, struct runtime_stats *stats)
{
    const struct {
        const char *name;
        uint64_t *value, factor;
    } rows[] = {
        { "usage_usec", &stats->cpu.total, 1000 },
        { "user_usec", &stats->cpu.user, 1000 },
        { "system_usec", &stats->cpu.kernel, 1000 },
        { "nr_periods", &stats->cpu.periods, 1 },
        { "nr_throttled", &stats->cpu.throttled_periods, 1 },
        { "throttled_usec", &stats->cpu.throttled_time, 1000 },
        { "throttled_time", &stats->cpu.throttled_time, 1 },
    };
    char *text = stats_text(reader, "cpu", "cpu.stat") == NULL ? NULL : reader->buffer;
    for (char *line; (line = stats_line(&text)) != NULL;) {
        const char *name = stats_word(&line);
        for (size_t i = 0; i < CL_COUNT(rows); i++)
            if (cl_streq(name, rows[i].name))
                *rows[i].value = stats_u64(stats_word(&line)) * rows[i].factor;
    }
}

/* cpuacct.usage_all: a heading, then "CPU USER SYSTEM" in nanoseconds. */
static int read_per_cpu(struct stats_reader *reader, struct runtime_stats *stats)
{
    char *text = stats_text(reader, "cpuacct", "cpuacct.usage_all") == NULL ? NULL : reader->buffer;
    size_t count = 0, lines = 0;
    for (const char *at = text; at != NULL && *at != '\0'; at++)
        lines += *at == '\n';
    if (lines == 0)
        return 0;
    uint64_t *total = cl_calloc(lines, sizeof *total), *user = cl_calloc(lines, sizeof *user),
             *kernel = cl_calloc(lines, sizeof *kernel);
    stats->cpu.per_cpu = total;
    stats->cpu.per_cpu_user = user;
    stats->cpu.per_cpu_kernel = kernel;
    if (total == NULL || user == NULL || kernel == NULL)
        return -ENOMEM;
    (void)stats_line(&text);
    for (char *line; count < lines && (line = stats_line(&text)) != NULL; count++) {
        (void)stats_word(&line);
        user[count] = stats_u64(stats_word(&line));
        kernel[count] = stats_u64(stats_word(&line));
        total[count] = user[count] + kernel[count];
    }
    stats->cpu.per_cpu_count = count;
    return 0;
}

static void read_list(struct stats_reader *reader, const char *const *files, char *ret, size_t size)
{
    for (; *files != NULL; files++) {
        const char *text = stats_text(reader, "cpuset", *files);
        if (text != NULL && text[0] != '\0' && cl_print(ret, size, "%s", text) >= 0)
            return;
    }
}

static void read_cpuset_flags(struct stats_reader *reader, struct runtime_stats *stats)
{
    static const char files[][32] = {
        "cpuset.cpu_exclusive",   "cpuset.mem_hardwall",       "cpuset.mem_exclusive",
        "cpuset.memory_migrate",  "cpuset.memory_spread_page", "cpuset.memory_spread_slab",
        "cpuset.memory_pressure", "cpuset.sched_load_balance", "cpuset.sched_relax_domain_level",
    };
    _Static_assert(CL_COUNT(files) == CL_COUNT(stats->cpu.cpuset_flags), "one place for each");
    for (size_t i = 0; i < CL_COUNT(files); i++) {
        const char *text = stats_text(reader, "cpuset", files[i]);
        if (text != NULL)
            (void)cl_parse_i64(text, INT64_MIN, INT64_MAX, &stats->cpu.cpuset_flags[i]);
    }
}

static int read_cpu(struct stats_reader *reader, struct runtime_stats *stats)
{
    static const char *const cpus[] = { "cpuset.cpus.effective", "cpuset.effective_cpus", NULL };
    static const char *const mems[] = { "cpuset.mems.effective", "cpuset.effective_mems", NULL };
    read_cpu_stat(reader, stats);
    (void)stats_number(reader, "cpuacct", "cpuacct.usage", &stats->cpu.total); /* v1 */
    (void)stats_number(reader, "cpuacct", "cpuacct.usage_user", &stats->cpu.user);
    (void)stats_number(reader, "cpuacct", "cpuacct.usage_sys", &stats->cpu.kernel);
    read_list(reader, cpus, stats->cpu.cpus, sizeof stats->cpu.cpus);
    read_list(reader, mems, stats->cpu.mems, sizeof stats->cpu.mems);
    read_cpuset_flags(reader, stats);
    read_pressure(reader, "cpu.pressure", &stats->cpu.pressure);
    return read_per_cpu(reader, stats);
}

/* ---- memory ---- */

static int read_counters(struct stats_reader *reader, struct runtime_stats *stats)
{
    char *text = stats_text(reader, "memory", "memory.stat") == NULL ? NULL : reader->buffer;
    size_t lines = 1, count = 0;
    for (const char *at = text; at != NULL && *at != '\0'; at++)
        lines += *at == '\n';
    struct runtime_counter *counters = text == NULL ? NULL : cl_calloc(lines, sizeof *counters);
    if (counters == NULL)
        return text == NULL ? 0 : -ENOMEM;
    for (char *line; (line = stats_line(&text)) != NULL;) {
        const char *name = stats_word(&line);
        if (name == NULL || CL_PRINT(counters[count].name, "%s", name) < 0)
            continue;
        counters[count].value = stats_u64(stats_word(&line));
        if (cl_streq(name, "cache") || cl_streq(name, "file")) /* v1's word, v2's */
            stats->memory.cache = counters[count].value;
        count++;
    }
    stats->memory.counters = counters;
    stats->memory.counter_count = count;
    return 0;
}

/* v1's "no limit" is all of the address space, rounded to pages. */
static uint64_t v1_limit(uint64_t limit)
{
    return limit >= (UINT64_MAX >> 1) - (1 << 20) ? UINT64_MAX : limit;
}

static void memory_v1(struct stats_reader *reader, const char *prefix,
                      struct runtime_memory_use *ret)
{
    const struct {
        const char *word;
        uint64_t *value;
    } rows[] = {
        { "usage_in_bytes", &ret->usage },
        { "max_usage_in_bytes", &ret->max },
        { "failcnt", &ret->failures },
        { "limit_in_bytes", &ret->limit },
    };
    for (size_t i = 0; i < CL_COUNT(rows); i++) {
        char file[64];
        (void)CL_PRINT(file, "%s.%s", prefix, rows[i].word); /* ours: fits */
        (void)stats_number(reader, "memory", file, rows[i].value);
    }
    ret->limit = v1_limit(ret->limit);
}

/* Swap as v1 counts it: memory and swap together. */
static void memory_v2(struct stats_reader *reader, struct runtime_stats *stats)
{
    struct runtime_memory_use *usage = &stats->memory.usage, *swap = &stats->memory.swap;
    (void)stats_number(reader, "memory", "memory.current", &usage->usage);
    (void)stats_number(reader, "memory", "memory.max", &usage->limit);
    (void)stats_number(reader, "memory", "memory.peak", &usage->max);
    uint64_t swap_limit = UINT64_MAX;
    if (!stats_number(reader, "memory", "memory.swap.current", &swap->usage))
        return;
    (void)stats_number(reader, "memory", "memory.swap.max", &swap_limit);
    swap->usage += usage->usage;
    swap->limit = swap_limit == UINT64_MAX || usage->limit == UINT64_MAX
                      ? UINT64_MAX
                      : swap_limit + usage->limit;
}

static int read_memory(struct stats_reader *reader, struct runtime_stats *stats)
{
    uint64_t ignored = 0;
    if (stats_number(reader, "memory", "memory.usage_in_bytes", &ignored)) {
        memory_v1(reader, "memory", &stats->memory.usage);
        memory_v1(reader, "memory.memsw", &stats->memory.swap);
        memory_v1(reader, "memory.kmem", &stats->memory.kernel);
        memory_v1(reader, "memory.kmem.tcp", &stats->memory.kernel_tcp);
    } else {
        memory_v2(reader, stats);
    }
    read_pressure(reader, "memory.pressure", &stats->memory.pressure);
    return read_counters(reader, stats);
}

/* ---- the whole ---- */

static int read_all(struct stats_reader *reader, pid_t pid, struct runtime_stats *stats)
{
    int result = read_cpu(reader, stats);
    if (result >= 0)
        result = read_memory(reader, stats);
    (void)stats_number(reader, "pids", "pids.current", &stats->pids.current);
    (void)stats_number(reader, "pids", "pids.max", &stats->pids.limit);
    if (stats->pids.limit == UINT64_MAX)
        stats->pids.limit = 0;
    if (result >= 0)
        result = stats_read_io(reader, stats);
    read_pressure(reader, "io.pressure", &stats->io_pressure);
    if (result >= 0)
        result = stats_read_hugetlb(reader, stats);
    return result < 0 || pid == 0 ? result : stats_read_interfaces(reader, pid, stats);
}

int runtime_stats_read(const struct cgroup *group, int proc_fd, pid_t pid,
                       struct runtime_stats *ret, struct cl_error *err)
{
    struct runtime_stats stats = { .memory.usage.limit = 0 };
    struct stats_reader reader = { .group = group, .proc_fd = proc_fd };
    cl_auto_free char *buffer = cl_malloc(STATS_BUFFER_SIZE);
    bool is_gone = group->count > 0;
    for (size_t i = 0; i < group->count; i++)
        is_gone = is_gone && faccessat(group->at[i].fd, "cgroup.procs", F_OK, 0) < 0;
    if (is_gone)
        return cl_fail(err, ENOENT, "read statistics of cgroup %s", group->path);
    reader.buffer = buffer;
    int result = buffer == NULL ? -ENOMEM : read_all(&reader, pid, &stats);
    if (result < 0) {
        runtime_stats_done(&stats);
        return cl_fail(err, result, "read statistics of cgroup %s", group->path);
    }
    *ret = stats;
    return 0;
}

void runtime_stats_done(struct runtime_stats *stats)
{
    free(stats->cpu.per_cpu);
    free(stats->cpu.per_cpu_user);
    free(stats->cpu.per_cpu_kernel);
    free(stats->memory.counters);
    for (size_t i = 0; i < RUNTIME_IO_COUNT; i++)
        free(stats->io[i].items);
    free(stats->interfaces);
    *stats = (struct runtime_stats){ .memory.usage.limit = 0 };
}
