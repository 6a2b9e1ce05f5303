/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a group has used of block devices and huge pages, and what went through its interfaces.
 */
#include "runtime/stats_private.h"

#include <dirent.h>
#include <fcntl.h>

/* ---- block devices ---- */

static int add_entry(struct runtime_io_list *list, const char *device, const char *op,
                     uint64_t value)
{
    char major[24];
    const char *colon = strchr(device, ':');
    struct runtime_io_entry entry = { .value = value };
    if (colon == NULL || CL_PRINT(major, "%.*s", (int)(colon - device), device) < 0 ||
        CL_PRINT(entry.op, "%s", op) < 0)
        return 0; /* no line of a device */
    entry.major = stats_u64(major);
    entry.minor = stats_u64(colon + 1);
    struct runtime_io_entry *items =
        cl_realloc(list->items, (list->count + 1) * sizeof *list->items);
    if (items == NULL)
        return -ENOMEM;
    items[list->count++] = entry;
    list->items = items;
    return 0;
}

/* v1, "8:0 Read 4096" or "8:0 4096": the first file that knows a device. Which one that is depends
   on the scheduler. */
typedef char v1_names[5][44]; /* ended by an empty one */

static int read_v1(struct stats_reader *reader, const v1_names files, struct runtime_io_list *list)
{
    for (; **files != '\0' && list->count == 0; files++) {
        char *text = stats_text(reader, "blkio", *files) == NULL ? NULL : reader->buffer;
        for (char *line; (line = stats_line(&text)) != NULL;) {
            const char *device = stats_word(&line), *op = stats_word(&line),
                       *value = stats_word(&line);
            if (op == NULL)
                continue;
            int result = add_entry(list, device, value == NULL ? "" : op,
                                   stats_u64(value == NULL ? op : value));
            if (result < 0)
                return result;
        }
    }
    return 0;
}

/* io.stat: "8:0 rbytes=4096 wbytes=0 rios=1 …". */
static int read_v2(struct stats_reader *reader, struct runtime_stats *stats)
{
    static const struct {
        const char *key, *op;
        enum runtime_io_kind kind;
    } rows[] = {
        { "rbytes=", "Read", RUNTIME_IO_BYTES },     { "wbytes=", "Write", RUNTIME_IO_BYTES },
        { "dbytes=", "Discard", RUNTIME_IO_BYTES },  { "rios=", "Read", RUNTIME_IO_OPERATIONS },
        { "wios=", "Write", RUNTIME_IO_OPERATIONS }, { "dios=", "Discard", RUNTIME_IO_OPERATIONS },
    };
    char *text = stats_text(reader, "io", "io.stat") == NULL ? NULL : reader->buffer;
    for (char *line; (line = stats_line(&text)) != NULL;) {
        const char *device = stats_word(&line);
        for (char *word; (word = stats_word(&line)) != NULL;)
            for (size_t i = 0; i < CL_COUNT(rows); i++)
                if (cl_starts_with(word, rows[i].key) &&
                    add_entry(&stats->io[rows[i].kind], device, rows[i].op,
                              stats_u64(strchr(word, '=') + 1)) < 0)
                    return -ENOMEM;
    }
    return 0;
}

int stats_read_io(struct stats_reader *reader, struct runtime_stats *stats)
{
    static const v1_names files[RUNTIME_IO_COUNT] = {
        [RUNTIME_IO_BYTES] = { "blkio.bfq.io_service_bytes_recursive",
                               "blkio.io_service_bytes_recursive",
                               "blkio.throttle.io_service_bytes_recursive",
                               "blkio.throttle.io_service_bytes" },
        [RUNTIME_IO_OPERATIONS] = { "blkio.bfq.io_serviced_recursive",
                                    "blkio.io_serviced_recursive",
                                    "blkio.throttle.io_serviced_recursive",
                                    "blkio.throttle.io_serviced" },
        [RUNTIME_IO_QUEUED] = { "blkio.bfq.io_queued_recursive", "blkio.io_queued_recursive" },
        [RUNTIME_IO_SERVICE_TIME] = { "blkio.bfq.io_service_time_recursive",
                                      "blkio.io_service_time_recursive" },
        [RUNTIME_IO_WAIT_TIME] = { "blkio.bfq.io_wait_time_recursive",
                                   "blkio.io_wait_time_recursive" },
        [RUNTIME_IO_MERGED] = { "blkio.bfq.io_merged_recursive", "blkio.io_merged_recursive" },
        [RUNTIME_IO_TIME] = { "blkio.bfq.time_recursive", "blkio.time_recursive" },
        [RUNTIME_IO_SECTORS] = { "blkio.bfq.sectors_recursive", "blkio.sectors_recursive" },
    };
    int result = 0;
    for (size_t i = 0; result >= 0 && i < RUNTIME_IO_COUNT; i++)
        result = read_v1(reader, files[i], &stats->io[i]);
    bool is_v1 = false;
    for (size_t i = 0; i < RUNTIME_IO_COUNT; i++)
        is_v1 = is_v1 || stats->io[i].count > 0;
    return result < 0 || is_v1 ? result : read_v2(reader, stats);
}

/* ---- huge pages ---- */

static void read_size(struct stats_reader *reader, const char *size, bool is_v1,
                      struct runtime_stats *stats)
{
    struct runtime_hugetlb *entry = &stats->hugetlb[stats->hugetlb_count];
    char file[96];
    if (stats->hugetlb_count == CL_COUNT(stats->hugetlb) || CL_PRINT(entry->size, "%s", size) < 0)
        return;
    stats->hugetlb_count++;
    (void)CL_PRINT(file, "hugetlb.%s.%s", size, is_v1 ? "usage_in_bytes" : "current");
    (void)stats_number(reader, "hugetlb", file, &entry->usage);
    (void)CL_PRINT(file, "hugetlb.%s.%s", size, is_v1 ? "failcnt" : "events");
    if (is_v1) {
        (void)stats_number(reader, "hugetlb", file, &entry->failures);
        (void)CL_PRINT(file, "hugetlb.%s.max_usage_in_bytes", size);
        (void)stats_number(reader, "hugetlb", file, &entry->max);
        return;
    }
    const char *text = stats_text(reader, "hugetlb", file); /* "max 0" */
    if (text != NULL && cl_starts_with(text, "max "))
        entry->failures = stats_u64(text + strlen("max "));
}

/* The sizes that this machine has, by the names of the group's files. */
int stats_read_hugetlb(struct stats_reader *reader, struct runtime_stats *stats)
{
    int dir = cgroup_fd_of(reader->group, "hugetlb");
    cl_auto_fd own = dir < 0 ? -EBADF : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = own < 0 ? NULL : fdopendir(own);
    if (list == NULL)
        return 0;
    own = -EBADF; /* closedir's now */
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;) {
        const char *name = entry->d_name, *size = name + strlen("hugetlb.");
        bool is_v1 = cl_ends_with(name, ".usage_in_bytes");
        char text[16];
        if (!cl_starts_with(name, "hugetlb.") || (!is_v1 && !cl_ends_with(name, ".current")) ||
            strstr(name, ".rsvd.") != NULL || strstr(name, ".max_usage") != NULL ||
            CL_PRINT(text, "%.*s", (int)strcspn(size, "."), size) < 0)
            continue;
        read_size(reader, text, is_v1, stats);
    }
    (void)closedir(list);
    return 0;
}

/* ---- interfaces ---- */

static int add_interface(struct runtime_stats *stats, char *line)
{
    char *colon = strchr(line, ':'), *rest = colon == NULL ? NULL : colon + 1;
    uint64_t numbers[16] = { 0 };
    if (colon == NULL)
        return 0; /* the headings */
    *colon = '\0';
    const char *name = line + strspn(line, " ");
    for (size_t i = 0; i < CL_COUNT(numbers); i++)
        numbers[i] = stats_u64(stats_word(&rest));
    struct runtime_interface *all =
        cl_realloc(stats->interfaces, (stats->interface_count + 1) * sizeof *all);
    if (all == NULL)
        return -ENOMEM;
    stats->interfaces = all;
    struct runtime_interface *entry = &all[stats->interface_count];
    *entry = (struct runtime_interface){
        .rx_bytes = numbers[0],
        .rx_packets = numbers[1],
        .rx_errors = numbers[2],
        .rx_dropped = numbers[3],
        .tx_bytes = numbers[8],
        .tx_packets = numbers[9],
        .tx_errors = numbers[10],
        .tx_dropped = numbers[11],
    };
    if (!cl_streq(name, "lo") && CL_PRINT(entry->name, "%s", name) >= 0)
        stats->interface_count++;
    return 0;
}

/* /proc/PID/net/dev is of that process's namespace (proc_net(5)). */
int stats_read_interfaces(struct stats_reader *reader, pid_t pid, struct runtime_stats *stats)
{
    uint64_t own = 0, theirs = 0;
    cl_auto_fd pid_fd = procfs_open_pid(reader->proc_fd, pid);
    cl_auto_fd self = procfs_open_pid(reader->proc_fd, getpid());
    if (pid_fd < 0 || self < 0 || k_ns_inode(pid_fd, K_NS_NET, &theirs) < 0 ||
        k_ns_inode(self, K_NS_NET, &own) < 0 || own == theirs ||
        cl_read_small(pid_fd, "net/dev", reader->buffer, STATS_BUFFER_SIZE) < 0)
        return 0;
    char *text = reader->buffer;
    int result = 0;
    for (char *line; result >= 0 && (line = stats_line(&text)) != NULL;)
        result = add_interface(stats, line);
    return result;
}
