/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The freezer of either version.
 *
 * v1: freezer.state passes from FREEZING to FROZEN only while somebody reads it, and nobody is
 * told: it is polled with growing pauses, and FROZEN is written again now and then, since a task
 * that was just forked may have been missed. v2: cgroup.events tells.
 */
#include <errno.h>
#include <poll.h>
#include <sys/utsname.h>
#include <time.h>

#include "kernel/cgroup_private.h"
#include "kernel/hook.h"

static int time_left(int64_t deadline_ms)
{
    int64_t left = deadline_ms - cgroup_now_ms();
    return left > 0 ? (int)left : 0;
}

static int freeze_v1(int fd, bool freeze, int timeout_ms)
{
    const char *wanted = freeze ? "FROZEN" : "THAWED";
    int64_t deadline = cgroup_now_ms() + timeout_ms;
    long pause_ns = 50000;
    for (unsigned round = 0;; round++) {
        char state[32];
        int code = round % 8 == 0 ? cgroup_file_write(fd, "freezer.state", wanted) : 0;
        if (code < 0)
            return code;
        ssize_t length = cgroup_file_read(fd, "freezer.state", state, sizeof state);
        if (length < 0)
            return (int)length;
        if (strcmp(state, wanted) == 0)
            return 0;
        if (time_left(deadline) == 0)
            return -ETIMEDOUT;
        (void)nanosleep(&(struct timespec){ .tv_nsec = pause_ns }, NULL); /* shorter is fine */
        pause_ns = pause_ns < 5000000 ? pause_ns * 2 : pause_ns;
    }
}

static int is_frozen_v2(int events_fd, uint64_t *ret_frozen)
{
    char text[512];
    ssize_t size = pread(events_fd, text, sizeof text - 1, 0);
    if (size < 0)
        return -errno;
    text[size] = '\0';
    const char *line = strstr(text, "frozen ");
    if (line == NULL)
        return -EOPNOTSUPP;
    *ret_frozen = line[strlen("frozen ")] == '1';
    return 0;
}

static int freeze_v2(int fd, bool freeze, int timeout_ms)
{
    /* Opened and read before the change: its notification can't be missed then. */
    cl_auto_fd events =
        (int)K_CALL("openat", SYS_openat, fd, (long)"cgroup.events", O_RDONLY | O_CLOEXEC);
    if (events < 0)
        return events;
    int64_t deadline = cgroup_now_ms() + timeout_ms;
    uint64_t frozen = 0;
    int code = is_frozen_v2(events, &frozen);
    if (code >= 0)
        code = cgroup_file_write(fd, "cgroup.freeze", freeze ? "1" : "0");
    while (code >= 0) {
        code = is_frozen_v2(events, &frozen);
        if (code < 0 || (frozen != 0) == freeze)
            return code;
        int left = time_left(deadline);
        if (left == 0)
            return -ETIMEDOUT;
        struct pollfd poll_fd = { .fd = events, .events = POLLPRI };
        if (poll(&poll_fd, 1, left) < 0 && errno != EINTR)
            return -errno;
    }
    return code;
}

int cgroup_freeze(const struct cgroup *group, bool freeze, int timeout_ms, struct cl_error *err)
{
    int v1 = cgroup_index_v1(group, "freezer"), v2 = cgroup_v2_fd(group);
    if (v1 < 0 && v2 < 0)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "can't freeze cgroup %s: no freezer hierarchy is mounted", group->path);
    int code = v1 >= 0 ? freeze_v1(group->at[v1].fd, freeze, timeout_ms)
                       : freeze_v2(v2, freeze, timeout_ms);
    if (code >= 0)
        return 0;
    if (code == -ETIMEDOUT && freeze) {
        /* Nothing stays half-frozen. */
        (void)(v1 >= 0 ? cgroup_file_write(group->at[v1].fd, "freezer.state", "THAWED")
                       : cgroup_file_write(v2, "cgroup.freeze", "0"));
        return cl_fail_kind(
            err, CL_KIND_SYSTEM, ETIMEDOUT,
            "cgroup %s did not freeze within %d ms: a process in it is in uninterruptible sleep",
            group->path, timeout_ms);
    }
    return cl_fail(err, code, "%s cgroup %s", freeze ? "freeze" : "thaw", group->path);
}

static bool is_frozen_below(const struct cgroup_hierarchy *hierarchy, const char *path,
                            bool *ret_frozen)
{
    char file[300], state[32];
    const char *name = hierarchy->is_v2 ? "cgroup.freeze" : "freezer.state";
    if (CL_PRINT(file, "%s/%s", path, name) < 0 ||
        cgroup_file_read(hierarchy->root_fd, file, state, sizeof state) <= 0)
        return false;
    *ret_frozen = hierarchy->is_v2 ? state[0] == '1' : !cl_streq(state, "THAWED");
    return true;
}

bool cgroup_is_frozen(const struct cgroup_host *host, const char *path)
{
    bool is_frozen = false;
    if (cgroup_path_check(path) < 0)
        return false;
    for (size_t i = 0; i < host->count; i++) {
        const struct cgroup_hierarchy *hierarchy = &host->hierarchies[i];
        if (!hierarchy->is_v2 &&
            cgroup_list_has(hierarchy->controllers, ',', "freezer", strlen("freezer")) &&
            is_frozen_below(hierarchy, path, &is_frozen))
            return is_frozen;
    }
    for (size_t i = 0; i < host->count; i++)
        if (host->hierarchies[i].is_v2 && is_frozen_below(&host->hierarchies[i], path, &is_frozen))
            return is_frozen;
    return false;
}

/* "6.1.0-18-amd64" → 6 * 1000 + 1; 0 when that is not what it says. */
static unsigned kernel_version(void)
{
    struct utsname host;
    if (K_CALL("uname", SYS_uname, (long)&host) < 0)
        return 0;
    unsigned parts[2] = { 0, 0 };
    const char *at = host.release;
    for (size_t i = 0; i < CL_COUNT(parts); i++, at += *at == '.')
        for (; *at >= '0' && *at <= '9' && parts[i] < 1000; at++)
            parts[i] = parts[i] * 10 + (unsigned)(*at - '0');
    return parts[1] < 1000 ? parts[0] * 1000 + parts[1] : 0;
}

/* Since the freezer of Linux 6.1 a task of a frozen v1 group is in a state of its own, which /proc shows as R (until 6.12) or D, whatever it did before. Older ones left
   who slept in nanosleep, poll or futex as it was, and v2's freezer always does. */
bool cgroup_may_be_frozen(const struct cgroup_host *host, char state)
{
    static unsigned version;
    if (state != 'S' || host->layout != CGROUP_V1)
        return true;
    if (version == 0)
        version = kernel_version();
    return version < 6001;
}

/* ---- for whoever is to die ---- */

/* v1 delivers signals only to who is thawed, and a group below may have been frozen by itself. */
static void thaw_tree_v1(int fd, unsigned levels)
{
    struct cgroup_dir_walk walk = { 0 };
    char name[256];
    (void)cgroup_file_write(fd, "freezer.state", "THAWED"); /* who stays frozen is waited for */
    while (levels > 0 && cgroup_dir_next(fd, &walk, name) > 0) {
        cl_auto_fd child = cgroup_dir_open(fd, name);
        if (child >= 0)
            thaw_tree_v1(child, levels - 1);
    }
}

void cgroup_thaw_to_die(const struct cgroup *group)
{
    int v1 = cgroup_index_v1(group, "freezer"), v2 = cgroup_v2_fd(group);
    if (v1 >= 0)
        thaw_tree_v1(group->at[v1].fd, CGROUP_LEVELS_MAX);
    else if (v2 >= 0)
        (void)cgroup_file_write(v2, "cgroup.freeze", "0"); /* it dies of SIGKILL either way */
}
