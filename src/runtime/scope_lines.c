/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd is told of a container's limits, in cloche-scope's lines (scope/scope.h). Pure.
 *
 * The writes that are planned for cgroup files are the source, so that whatever order and
 * overruling the plan decided on (linux.resources.unified wins) holds here, too. What systemd knows
 * nothing of stays a matter of the files. Names: systemd.resource-control(5).
 */
#include "runtime/scope_private.h"

#include <inttypes.h>

struct lines {
    struct cl_buf *out;
    const struct plan_setting *settings;
    size_t count;
};

/* ---- numbers ---- */

/* "max" and -1 are systemd's infinity. */
static bool parse_limit(const char *text, uint64_t *ret)
{
    if (cl_streq(text, "max") || cl_streq(text, "-1")) {
        *ret = UINT64_MAX;
        return true;
    }
    return cl_parse_u64(text, 0, UINT64_MAX, ret) >= 0;
}

static void put_limit(struct lines *lines, const char *property, const char *value)
{
    uint64_t number = 0;
    if (parse_limit(value, &number))
        cl_buf_printf(lines->out, "?t\t%s\t%" PRIu64 "\n", property, number);
}

/* Zero is no number of tasks for systemd. */
static void put_tasks(struct lines *lines, const char *property, const char *value)
{
    put_limit(lines, property, cl_streq(value, "0") ? "1" : value);
}

/* systemd counts CPU time a second, in whole percents: rounded up, so that the file's own value,
   which is written afterwards, always fits below. */
static void put_quota(struct lines *lines, int64_t quota, uint64_t period)
{
    uint64_t each_second = UINT64_MAX;
    if (period == 0)
        period = 100000;
    if (quota > 0 && (uint64_t)quota < UINT64_MAX / 1000000) {
        each_second = (uint64_t)quota * 1000000 / period;
        each_second = (each_second + 9999) / 10000 * 10000;
    }
    cl_buf_printf(lines->out, "?t\tCPUQuotaPeriodUSec\t%" PRIu64 "\n", period);
    cl_buf_printf(lines->out, "?t\tCPUQuotaPerSecUSec\t%" PRIu64 "\n", each_second);
}

static void put_cpu_max(struct lines *lines, const char *property, const char *value)
{
    char quota[32];
    int64_t number = -1;
    uint64_t period = 0;
    size_t length = strcspn(value, " ");
    (void)property;
    if (CL_PRINT(quota, "%.*s", (int)length, value) < 0)
        return;
    (void)cl_parse_i64(quota, 1, INT64_MAX, &number); /* "max" stays -1 */
    if (value[length] == ' ')
        (void)cl_parse_u64(value + length + 1, 1, UINT64_MAX, &period);
    put_quota(lines, number, period);
}

/* v1 has two files; the quota's row speaks for both. */
static void put_v1_quota(struct lines *lines, const char *property, const char *value)
{
    int64_t quota = -1;
    uint64_t period = 0;
    (void)property;
    (void)cl_parse_i64(value, -1, INT64_MAX, &quota);
    for (size_t i = 0; i < lines->count; i++)
        if (cl_streq(lines->settings[i].file, "cpu.cfs_period_us"))
            (void)cl_parse_u64(lines->settings[i].value, 1, UINT64_MAX, &period);
    put_quota(lines, quota, period);
}

/* "0-3,7" as a mask, lowest CPU first. */
static void put_mask(struct lines *lines, const char *property, const char *value)
{
    uint8_t mask[1024] = { 0 };
    size_t size = 0;
    for (const char *at = value; *at != '\0';) {
        char text[32];
        uint64_t first = 0, last = 0;
        size_t length = strcspn(at, ",");
        if (CL_PRINT(text, "%.*s", (int)length, at) < 0)
            return;
        char *dash = strchr(text, '-');
        if (dash != NULL)
            *dash++ = '\0';
        if (cl_parse_u64(text, 0, 8 * sizeof mask - 1, &first) < 0 ||
            cl_parse_u64(dash != NULL ? dash : text, first, 8 * sizeof mask - 1, &last) < 0)
            return; /* the file's write tells */
        for (uint64_t cpu = first; cpu <= last; cpu++)
            mask[cpu / 8] |= (uint8_t)(1u << cpu % 8);
        size = last / 8 + 1 > size ? last / 8 + 1 : size;
        at += length + (at[length] == ',');
    }
    cl_buf_printf(lines->out, "?ay\t%s\t", property);
    for (size_t i = 0; i < size; i++)
        cl_buf_printf(lines->out, "%02x", mask[i]);
    cl_buf_char(lines->out, '\n');
}

/* "8:0 rbps=1048576" */
static void put_io_max(struct lines *lines, const char *ignored, const char *value)
{
    static const struct {
        const char *key, *property;
    } rows[] = {
        { "rbps=", "IOReadBandwidthMax" },
        { "wbps=", "IOWriteBandwidthMax" },
        { "riops=", "IOReadIOPSMax" },
        { "wiops=", "IOWriteIOPSMax" },
    };
    size_t length = strcspn(value, " ");
    (void)ignored;
    for (size_t i = 0; i < CL_COUNT(rows) && value[length] == ' '; i++) {
        const char *at = value + length + 1;
        uint64_t number = 0;
        if (cl_starts_with(at, rows[i].key) && parse_limit(at + strlen(rows[i].key), &number))
            cl_buf_printf(lines->out, "?a(st)\t%s\t/dev/block/%.*s\t%" PRIu64 "\n",
                          rows[i].property, (int)length, value, number);
    }
}

/* v1: "8:0 1048576"; 0 is no limit. systemd has no word for v1's operations. */
static void put_throttle(struct lines *lines, const char *property, const char *value)
{
    size_t length = strcspn(value, " ");
    uint64_t number = 0;
    if (value[length] == ' ' && parse_limit(value + length + 1, &number))
        cl_buf_printf(lines->out, "?a(st)\t%s\t/dev/block/%.*s\t%" PRIu64 "\n", property,
                      (int)length, value, number == 0 ? UINT64_MAX : number);
}

static void put_idle(struct lines *lines, const char *property, const char *value)
{
    if (cl_streq(value, "1")) /* since 252; there is no word for 0 */
        cl_buf_printf(lines->out, "?t\t%s\t0\n", property);
}

static const struct row {
    const char *file, *property;
    void (*put)(struct lines *lines, const char *property, const char *value);
} rows[] = {
    { "memory.max", "MemoryMax", put_limit },
    { "memory.high", "MemoryHigh", put_limit },
    { "memory.low", "MemoryLow", put_limit },
    { "memory.min", "MemoryMin", put_limit },
    { "memory.swap.max", "MemorySwapMax", put_limit },
    { "memory.zswap.max", "MemoryZSwapMax", put_limit },
    { "memory.limit_in_bytes", "MemoryLimit", put_limit },
    { "cpu.weight", "CPUWeight", put_limit },
    { "cpu.idle", "CPUWeight", put_idle },
    { "cpu.shares", "CPUShares", put_limit },
    { "cpu.max", "", put_cpu_max },
    { "cpu.cfs_quota_us", "", put_v1_quota },
    { "cpuset.cpus", "AllowedCPUs", put_mask },
    { "cpuset.mems", "AllowedMemoryNodes", put_mask },
    { "pids.max", "TasksMax", put_tasks },
    { "io.max", "", put_io_max },
    { "blkio.bfq.weight", "BlockIOWeight", put_limit },
    { "blkio.throttle.read_bps_device", "BlockIOReadBandwidth", put_throttle },
    { "blkio.throttle.write_bps_device", "BlockIOWriteBandwidth", put_throttle },
};

/* Files with a line for each device. */
static bool has_lines(const char *file)
{
    return cl_streq(file, "io.max") || cl_ends_with(file, "_device");
}

/* A later write to the same file, of one value, overrules this one. */
static bool is_overruled(const struct lines *lines, size_t index)
{
    const struct plan_setting *setting = &lines->settings[index];
    for (size_t i = index + 1; i < lines->count; i++)
        if (cl_streq(setting->file, lines->settings[i].file) && !has_lines(setting->file))
            return true;
    return false;
}

void scope_put_settings(struct cl_buf *out, const struct plan_setting *settings, size_t count)
{
    struct lines lines = { out, settings, count };
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < CL_COUNT(rows) && !is_overruled(&lines, i); j++)
            if (cl_streq(settings[i].file, rows[j].file))
                rows[j].put(&lines, rows[j].property, settings[i].value);
        if (cl_streq(settings[i].other_file, "io.weight"))
            put_limit(&lines, "IOWeight", settings[i].other_value);
    }
}

/* ---- devices ---- */

static bool is_any(const struct oci_opt_i64 *number)
{
    return !number->set || number->value < 0;
}

/* "Nothing, but these": what systemd's list can say. Other orders are left to our own filter. */
static bool is_list(const struct oci_device_rule *devices, size_t count)
{
    const struct oci_device_rule *first = devices;
    if (count == 0 || first->allow || first->type != OCI_DEVICE_ALL || !is_any(&first->major) ||
        !is_any(&first->minor))
        return false;
    for (size_t i = 1; i < count; i++)
        if (!devices[i].allow || (is_any(&devices[i].major) && !is_any(&devices[i].minor)))
            return false;
    return true;
}

static void put_device(struct cl_buf *out, const struct oci_device_rule *rule, char type)
{
    const char *kind = type == 'b' ? "block" : "char";
    const char *access = rule->access == NULL || rule->access[0] == '\0' ? "rwm" : rule->access;
    if (is_any(&rule->major))
        cl_buf_printf(out, "\t%s-*\t%s", kind, access);
    else if (is_any(&rule->minor))
        cl_buf_printf(out, "\t%s-%" PRId64 "\t%s", kind, rule->major.value, access);
    else
        cl_buf_printf(out, "\t/dev/%s/%" PRId64 ":%" PRId64 "\t%s", kind, rule->major.value,
                      rule->minor.value, access);
}

void scope_put_devices(struct cl_buf *out, const struct oci_device_rule *rules_, size_t count)
{
    if (count == 0)
        return;
    if (!is_list(rules_, count)) {
        cl_buf_str(out, "?s\tDevicePolicy\tauto\n?a(ss)\tDeviceAllow\n");
        return;
    }
    /* A list is added to what the unit has; an empty one takes that away. */
    cl_buf_str(out, "?s\tDevicePolicy\tstrict\n?a(ss)\tDeviceAllow\n?a(ss)\tDeviceAllow");
    for (size_t i = 1; i < count; i++) {
        if (rules_[i].type != OCI_DEVICE_BLOCK)
            put_device(out, &rules_[i], 'c');
        if (rules_[i].type != OCI_DEVICE_CHAR)
            put_device(out, &rules_[i], 'b');
    }
    cl_buf_char(out, '\n');
}

/* ---- annotations: org.systemd.property.NAME = value, as gvariant-text(7) writes it ---- */

#define ANNOTATION "org.systemd.property."

static bool is_safe(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

/* 'text' or "text": its inside, NULL when it is something else. */
static bool unquote(const char *text, char *ret, size_t size)
{
    size_t length = strlen(text);
    if (length < 2 || (text[0] != '\'' && text[0] != '"') || text[length - 1] != text[0] ||
        memchr(text + 1, text[0], length - 2) != NULL)
        return false;
    return cl_print(ret, size, "%.*s", (int)length - 2, text + 1) >= 0;
}

static bool put_strings(struct cl_buf *out, const char *name, const char *text)
{
    size_t length = strlen(text);
    cl_auto_buf line = CL_BUF_INIT(65536);
    if (length < 2 || text[0] != '[' || text[length - 1] != ']')
        return false;
    cl_buf_printf(&line, "as\t%s", name);
    for (const char *at = text + 1; at < text + length - 1;) {
        char word[512], inside[512];
        size_t size = strcspn(at, ",]");
        if (CL_PRINT(word, "%.*s", (int)size, at + strspn(at, " ")) < 0)
            return false;
        word[strcspn(word, ",]")] = '\0';
        if (!unquote(word, inside, sizeof inside))
            return false;
        cl_buf_printf(&line, "\t%s", inside);
        at += size + 1;
    }
    cl_buf_printf(out, "%s\n", line.data);
    return true;
}

/* NAMESec takes seconds, and is NAMEUSec on the bus. */
static bool put_number(struct cl_buf *out, const char *name, const char *text)
{
    static const struct {
        const char *word;
        char type;
    } types[] = {
        { "uint64 ", 't' }, { "int64 ", 'x' }, { "uint32 ", 'u' }, { "int32 ", 'i' }, { "", 'i' },
    };
    char property[128];
    bool is_time = cl_ends_with(name, "Sec") && !cl_ends_with(name, "USec");
    uint64_t factor = is_time ? 1000000 : 1;
    if (CL_PRINT(property, "%.*s%s", (int)(strlen(name) - (is_time ? 3 : 0)), name,
                 is_time ? "USec" : "") < 0)
        return false;
    for (size_t i = 0; i < CL_COUNT(types); i++) {
        int64_t number = 0;
        uint64_t positive = 0;
        if (!cl_starts_with(text, types[i].word))
            continue;
        const char *digits = text + strlen(types[i].word);
        if (cl_parse_u64(digits, 0, UINT64_MAX / factor, &positive) >= 0)
            cl_buf_printf(out, "%c\t%s\t%" PRIu64 "\n", is_time ? 't' : types[i].type, property,
                          positive * factor);
        else if (!is_time && cl_parse_i64(digits, INT64_MIN, -1, &number) >= 0)
            cl_buf_printf(out, "%c\t%s\t%" PRId64 "\n", types[i].type, property, number);
        else
            return false;
        return true;
    }
    return false;
}

static bool put_annotation(struct cl_buf *out, const char *name, const char *text)
{
    char inside[1024];
    if (name[0] == '\0' || !is_safe(name) || !is_safe(text))
        return false;
    if (cl_streq(text, "true") || cl_streq(text, "false")) {
        cl_buf_printf(out, "b\t%s\t%s\n", name, text);
        return true;
    }
    if (unquote(text, inside, sizeof inside)) {
        cl_buf_printf(out, "s\t%s\t%s\n", name, inside);
        return true;
    }
    return put_strings(out, name, text) || put_number(out, name, text);
}

int scope_put_annotations(struct cl_buf *out, const struct oci_map *annotations,
                          struct cl_error *err)
{
    for (size_t i = 0; i < annotations->count; i++) {
        const char *key = annotations->pairs[i].key, *value = annotations->pairs[i].value;
        char path[160];
        if (!cl_starts_with(key, ANNOTATION) ||
            put_annotation(out, key + strlen(ANNOTATION), value))
            continue;
        (void)CL_PRINT(path, "annotations[\"%.100s\"]", key);
        return plan_fail(err, CL_KIND_INVALID, path,
                         "\"%.80s\" is no value of a systemd property: expected true, 'text', "
                         "uint64 5, 5, or ['a','b']",
                         value);
    }
    return 0;
}
