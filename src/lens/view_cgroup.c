/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the view that are about the control group: where the process is, as the host says it and as it sees it, its limits, and
 * what is used of them.
 *
 * The kernel writes cgroup paths and the roots of cgroup mounts relative to the reader's, that is our, cgroup namespace.
 */
#include <errno.h>
#include <fcntl.h>

#include "kernel/cgroupfs.h"
#include "kernel/inroot.h"
#include "lens/mounts.h"
#include "lens/view.h"

#define CGROUP_MAX 65536

/* Which hierarchy speaks for the process: the deepest path; in a hybrid most controllers may be at the root. */
static char *deepest_cgroup(char *text, char **ret_controllers)
{
    char *best = NULL;
    *ret_controllers = NULL;
    for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (path == NULL)
            continue;
        *path++ = '\0';
        if (best == NULL || strlen(path) > strlen(best)) {
            best = path;
            *ret_controllers = controllers + 1;
        }
    }
    return best;
}

struct cgroup_root {
    const char *controllers; /* "memory", "name=systemd", "" for version 2 */
    char *root;              /* of the mount that the target sees */
};

static int take_cgroup_root(void *context, const struct lens_mount *mount)
{
    struct cgroup_root *wanted = context;
    bool is_v2 = strcmp(mount->type, "cgroup2") == 0;
    bool is_v1 = strcmp(mount->type, "cgroup") == 0;
    if ((wanted->controllers[0] == '\0') != is_v2 || (!is_v1 && !is_v2))
        return 0;
    const char *found = is_v1 ? strstr(mount->super_options, wanted->controllers) : "";
    if (found == NULL || wanted->root != NULL)
        return 0;
    wanted->root = cl_strdup(mount->root);
    return wanted->root == NULL ? -ENOMEM : 0;
}

/*
 * A cgroup namespace's root is told by the cgroup mounts made in it. Where there is none, the container's first process was at the root when the
 * namespace was made: engines do it in that order.
 */
static char *inside_cgroup(const struct view *view, const char *path, const char *controllers)
{
    struct cgroup_root wanted = { .controllers = controllers };
    if (view_shares(view, K_NS_CGROUP))
        return cl_strdup(path);
    int code = lens_mounts_walk(view->pid_fd, take_cgroup_root, &wanted);
    cl_auto_free char *root = wanted.root;
    if (code == -ENOMEM)
        return NULL;
    size_t length = root == NULL || strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (length > 0 && strncmp(path, root, length) == 0 &&
        (path[length] == '/' || path[length] == '\0'))
        return cl_strdup(path[length] == '\0' ? "/" : path + length);
    pid_t last = view->status.levels > 0 ? view->status.ns_pid[view->status.levels - 1] : 0;
    return cl_strdup(last == 1 ? "/" : "unknown (no cgroup mount inside)");
}

int view_cgroup(struct view *view)
{
    cl_auto_free char *text = NULL;
    char *controllers;
    int code = cl_read_file(view->pid_fd, "cgroup", CGROUP_MAX, &text, NULL, NULL);
    const char *path = code < 0 ? NULL : deepest_cgroup(text, &controllers);
    if (path == NULL) {
        code = code < 0 ? code : -ENOENT;
        return view_add_pair(view, "process", "cgroup", view_hidden(code, "CAP_SYS_PTRACE"),
                             view_hidden(code, "CAP_SYS_PTRACE"));
    }
    return view_add_pair(view, "process", "cgroup", cl_strdup(path),
                         inside_cgroup(view, path, controllers));
}

/* ---- limits ---- */

/* Is `controller` one of the comma-separated list? */
static bool has_controller(const char *list, const char *controller)
{
    size_t length = strlen(controller);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, controller, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* The process's path in the hierarchy of `controller` (version 2: NULL), from the text of /proc/PID/cgroup; copied, or NULL. */
static char *path_of(const char *text, const char *controller)
{
    cl_auto_free char *copy = cl_strdup(text);
    for (char *line = copy, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        char *list = strchr(line, ':');
        char *path = list == NULL ? NULL : strchr(list + 1, ':');
        if (path == NULL)
            continue;
        *path++ = '\0';
        if (controller == NULL ? list[1] == '\0' : has_controller(list + 1, controller))
            return cl_strdup(path);
    }
    return NULL;
}

struct limits {
    struct cgroup_host host;
    const char *text; /* /proc/PID/cgroup */
};

/* A file of the process's group in the controller's hierarchy, without its newline. False: not there. */
static bool read_limit(struct limits *limits, const char *controller, const char *v1,
                       const char *v2, char *value, size_t size)
{
    const struct cgroup_hierarchy *hierarchy = cgroup_host_find(&limits->host, controller);
    if (hierarchy == NULL)
        return false;
    cl_auto_free char *path = path_of(limits->text, hierarchy->is_v2 ? NULL : controller);
    if (path == NULL)
        return false;
    cl_auto_fd root = openat(AT_FDCWD, hierarchy->mount_point, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cl_auto_fd group =
        root < 0 ? -EBADF
                 : inroot_open(root, path, O_PATH | O_DIRECTORY, 0, INROOT_NO_SYMLINKS, NULL);
    ssize_t length =
        group < 0 ? -ENOENT : cl_read_small(group, hierarchy->is_v2 ? v2 : v1, value, size);
    if (length <= 0)
        return false;
    value[strcspn(value, "\n")] = '\0';
    return true;
}

static void add_memory(struct limits *limits, struct cl_buf *buf)
{
    char value[64], human[40];
    uint64_t bytes;
    /* Version 1 says "no limit" by the largest multiple of the page size. */
    if (!read_limit(limits, "memory", "memory.limit_in_bytes", "memory.max", value, sizeof value) ||
        cl_parse_u64(value, 0, UINT64_MAX, &bytes) < 0 || bytes >= (uint64_t)INT64_MAX - 65536)
        return;
    cl_human_bytes((int64_t)bytes, human);
    cl_buf_printf(buf, "%smemory %s", buf->size > 0 ? ", " : "", human);
}

static void add_pids(struct limits *limits, struct cl_buf *buf)
{
    char value[64];
    if (read_limit(limits, "pids", "pids.max", "pids.max", value, sizeof value) &&
        strcmp(value, "max") != 0)
        cl_buf_printf(buf, "%spids %s", buf->size > 0 ? ", " : "", value);
}

static void add_cpus(struct limits *limits, struct cl_buf *buf)
{
    char quota[64], period[64] = "100000";
    uint64_t used, whole;
    if (!read_limit(limits, "cpu", "cpu.cfs_quota_us", "cpu.max", quota, sizeof quota))
        return;
    char *blank = strchr(quota, ' '); /* version 2: "50000 100000" */
    if (blank != NULL) {
        *blank = '\0';
        (void)CL_PRINT(period, "%s", blank + 1); /* fits */
    } else if (!read_limit(limits, "cpu", "cpu.cfs_period_us", "cpu.max", period, sizeof period)) {
        return;
    }
    if (cl_parse_u64(quota, 1, INT64_MAX, &used) < 0 || /* "-1", "max": none */
        cl_parse_u64(period, 1, INT64_MAX, &whole) < 0)
        return;
    cl_buf_printf(buf, "%scpus %.3g", buf->size > 0 ? ", " : "", (double)used / (double)whole);
}

/* ---- what is used ---- */

static void add_used_memory(struct limits *limits, struct cl_buf *buf)
{
    char value[64], human[40];
    uint64_t bytes;
    if (!read_limit(limits, "memory", "memory.usage_in_bytes", "memory.current", value,
                    sizeof value) ||
        cl_parse_u64(value, 0, INT64_MAX, &bytes) < 0)
        return;
    cl_human_bytes((int64_t)bytes, human);
    cl_buf_printf(buf, "memory %s", human);
}

static void add_used_pids(struct limits *limits, struct cl_buf *buf)
{
    char value[64];
    if (read_limit(limits, "pids", "pids.current", "pids.current", value, sizeof value))
        cl_buf_printf(buf, "%spids %s", buf->size > 0 ? ", " : "", value);
}

/* Version 1 counts nanoseconds, version 2 microseconds in the first line, "usage_usec N". */
static void add_used_cpu(struct limits *limits, struct cl_buf *buf)
{
    char value[64];
    uint64_t used;
    bool is_v1 = read_limit(limits, "cpuacct", "cpuacct.usage", "cpu.stat", value, sizeof value);
    if (!is_v1 && !read_limit(limits, "cpu", "cpuacct.usage", "cpu.stat", value, sizeof value))
        return;
    const char *digits = cl_starts_with(value, "usage_usec ") ? strchr(value, ' ') + 1 : value;
    if (cl_parse_u64(digits, 0, UINT64_MAX, &used) < 0)
        return;
    double seconds = (double)used / (digits == value ? 1e9 : 1e6);
    cl_buf_printf(buf, "%scpu %.2f s", buf->size > 0 ? ", " : "", seconds);
}

static int add_usage(struct view *view, struct limits *limits)
{
    cl_auto_buf buf = CL_BUF_INIT(4096);
    add_used_memory(limits, &buf);
    add_used_pids(limits, &buf);
    add_used_cpu(limits, &buf);
    if (buf.failed < 0)
        return -ENOMEM;
    const char *said = buf.size == 0 ? "unknown (no controller here)" : buf.data;
    return view_add_pair(view, "process", "usage", cl_strdup(said), cl_strdup(said));
}

int view_limits(struct view *view)
{
    cl_auto_free char *text = NULL;
    struct limits limits = { 0 };
    if (cl_read_file(view->pid_fd, "cgroup", CGROUP_MAX, &text, NULL, NULL) < 0 ||
        cgroup_host_init(&limits.host, view->proc_fd, NULL) < 0)
        return 0; /* the cgroup's row has said so */
    limits.text = text;
    cl_auto_buf buf = CL_BUF_INIT(4096);
    add_memory(&limits, &buf);
    add_pids(&limits, &buf);
    add_cpus(&limits, &buf);
    const char *said = buf.size == 0 ? "none" : buf.data;
    int code = buf.failed < 0
                   ? -ENOMEM
                   : view_add_pair(view, "process", "limits", cl_strdup(said), cl_strdup(said));
    if (code >= 0 && !view->is_full) /* in a comparison it would always differ */
        code = add_usage(view, &limits);
    cgroup_host_done(&limits.host);
    return code;
}
