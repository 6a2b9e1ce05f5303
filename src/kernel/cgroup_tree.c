/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group with all groups below it: who is in it, killing them, removing it.
 *
 * What is below may have been made by the container itself. Removal therefore walks without
 * recursion (any depth, two descriptors); listing recurses up to a limit and says so when it is
 * passed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "kernel/cgroup_private.h"
#include "kernel/hook.h"

#define PIDS_MAX (4u << 20) /* the kernel's PID_MAX_LIMIT */

/* ---- who is in it ---- */

struct pid_list {
    pid_t *pids;
    size_t count, room;
};

static int pid_list_add(struct pid_list *list, pid_t pid)
{
    if (list->count == PIDS_MAX)
        return -E2BIG;
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 64 : list->room * 2;
        pid_t *pids = cl_realloc(list->pids, room * sizeof *pids);
        if (pids == NULL)
            return -ENOMEM;
        list->pids = pids;
        list->room = room;
    }
    list->pids[list->count++] = pid;
    return 0;
}

/* list NULL: only look whether there is any; returns 1 then. */
static int read_procs(int dir_fd, struct pid_list *list)
{
    cl_auto_fd fd =
        (int)K_CALL("openat", SYS_openat, dir_fd, (long)"cgroup.procs", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fd == -ENODEV || fd == -ENOENT ? 0 : fd; /* removed meanwhile: empty */
    char text[4096] = "";
    pid_t pid = 0;
    long size;
    while ((size = K_CALL("read", SYS_read, fd, (long)text, sizeof text)) > 0) {
        if (list == NULL)
            return 1;
        for (long i = 0; i < size; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                pid = pid * 10 + (text[i] - '0');
                continue;
            }
            /* 0: a process outside of our pid namespace, which has no number here */
            int code = pid > 0 ? pid_list_add(list, pid) : 0;
            if (code < 0)
                return code;
            pid = 0;
        }
    }
    /* EOPNOTSUPP: a threaded v2 group; its processes are listed by the group above. */
    return size == -ENODEV || size == -EOPNOTSUPP ? 0 : (int)size;
}

static int read_tree(int dir_fd, unsigned levels, struct pid_list *list)
{
    int code = read_procs(dir_fd, list);
    if (code != 0)
        return code;
    struct cgroup_dir_walk walk = { 0 };
    char name[256];
    while ((code = cgroup_dir_next(dir_fd, &walk, name)) > 0) {
        if (levels == 0)
            return -ELOOP;
        cl_auto_fd child = cgroup_dir_open(dir_fd, name);
        if (child == -ENOENT)
            continue;
        code = child < 0 ? child : read_tree(child, levels - 1, list);
        if (code != 0)
            return code;
    }
    return code == -ENOENT || code == -ENODEV ? 0 : code;
}

static int compare_pids(const void *a, const void *b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
    return (x > y) - (x < y);
}

static void sort_unique(struct pid_list *list)
{
    if (list->count == 0)
        return;
    qsort(list->pids, list->count, sizeof list->pids[0], compare_pids);
    size_t used = 1;
    for (size_t i = 1; i < list->count; i++)
        if (list->pids[i] != list->pids[used - 1])
            list->pids[used++] = list->pids[i];
    list->count = used;
}

static int read_members(const struct cgroup *group, struct pid_list *list)
{
    /* Beside v1, somebody may be in the v2 group alone (born into it, not yet joined), or the
       other way round. */
    int indexes[] = { cgroup_index_members(group), cgroup_find_v2(group) };
    for (size_t i = 0; i < CL_COUNT(indexes); i++) {
        int code =
            indexes[i] >= 0 ? read_tree(group->at[indexes[i]].fd, CGROUP_LEVELS_MAX, list) : 0;
        if (code != 0)
            return code;
    }
    return 0;
}

int cgroup_pids(const struct cgroup *group, pid_t **ret_pids, size_t *ret_count)
{
    struct pid_list list = { 0 };
    int code = read_members(group, &list);
    if (code < 0) {
        free(list.pids);
        return code;
    }
    sort_unique(&list);
    *ret_pids = list.pids;
    *ret_count = list.count;
    return 0;
}

bool cgroup_is_empty(const struct cgroup *group)
{
    int v2 = cgroup_v2_fd(group), members = cgroup_index_members(group);
    if (v2 >= 0) {
        uint64_t populated = 0;
        int code = cgroup_file_number(v2, "cgroup.events", "populated", &populated);
        if (populated != 0 || (code < 0 && code != -ENODEV && code != -ENOENT))
            return false; /* what can't be told is not called empty */
    }
    return members < 0 || read_tree(group->at[members].fd, CGROUP_LEVELS_MAX, NULL) == 0;
}

bool cgroup_is_writable(const struct cgroup *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->at[i].fd >= 0 &&
            faccessat(group->at[i].fd, "cgroup.procs", W_OK, AT_EACCESS) < 0)
            return false;
    return true;
}

/* ---- killing ---- */

static int find_pid(const struct pid_list *list, pid_t pid)
{
    return list->count > 0 &&
           bsearch(&pid, list->pids, list->count, sizeof pid, compare_pids) != NULL;
}

static int kill_pids(const struct pid_list *list)
{
    int result = 0;
    for (size_t i = 0; i < list->count; i++) {
        long code = K_CALL("kill", SYS_kill, list->pids[i], SIGKILL);
        if (code < 0 && code != -ESRCH)
            result = (int)code;
    }
    return result;
}

static int collect(const struct cgroup *group, struct pid_list *list)
{
    list->count = 0;
    int code = read_members(group, list);
    sort_unique(list);
    return code;
}

static bool has_new(const struct pid_list *now, const struct pid_list *killed)
{
    for (size_t i = 0; i < now->count; i++)
        if (!find_pid(killed, now->pids[i]))
            return true;
    return false;
}

/* While all are frozen nobody forks and nobody's number passes to another. A group that won't
   freeze in time is killed all the same, and again. */
static int kill_round(const struct cgroup *group, struct pid_list *now, struct pid_list *killed)
{
    (void)cgroup_freeze(group, true, 20, NULL);
    int code = collect(group, now);
    if (code >= 0)
        code = kill_pids(now);
    cgroup_thaw_to_die(group); /* v1 delivers the signal only now */
    struct pid_list swap = *killed;
    *killed = *now;
    *now = swap;
    return code < 0 ? code : collect(group, now);
}

static int kill_by_list(const struct cgroup *group)
{
    struct pid_list now = { 0 }, killed = { 0 };
    int code = collect(group, &now);
    if (code >= 0 && find_pid(&now, getpid()))
        code = -EDEADLK; /* freezing ourselves would be for good */
    for (int i = 0; code >= 0 && has_new(&now, &killed); i++)
        code = i < 32 ? kill_round(group, &now, &killed) : -EAGAIN;
    free(now.pids);
    free(killed.pids);
    return code;
}

int cgroup_kill(const struct cgroup *group)
{
    int v2 = cgroup_v2_fd(group), members = cgroup_index_members(group);
    int code = v2 >= 0 ? cgroup_file_write(v2, "cgroup.kill", "1") : -ENOENT;
    if (code < 0 && code != -ENOENT && code != -EOPNOTSUPP)
        return code;
    /* v1 lists may hold processes that are not in the v2 group; those that cgroup.kill reached
       get a second SIGKILL at worst. */
    return code >= 0 && members < 0 ? 0 : kill_by_list(group);
}

/* ---- removing ---- */

static int remove_dir(int dir_fd, const char *path)
{
    int code = (int)K_CALL("unlinkat", SYS_unlinkat, dir_fd, (long)path, AT_REMOVEDIR);
    return code == -ENOENT ? 0 : code;
}

static int first_child(int dir_fd, char name[static 256])
{
    struct cgroup_dir_walk walk = { 0 };
    int code = cgroup_dir_next(dir_fd, &walk, name);
    return code == -ENOENT || code == -ENODEV ? 0 : code;
}

/* One descent: removes children that have none, goes down into one that has. *ret_depth: how far
   down it ended. */
static int remove_descend(int top_fd, unsigned *ret_depth)
{
    char name[256], ignored[256];
    cl_auto_fd dir = cgroup_dir_open(top_fd, ".");
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    unsigned depth = 0;
    int code;
    while ((code = first_child(dir, name)) > 0) {
        code = remove_dir(dir, name);
        if (code == 0)
            continue;
        if (code != -EBUSY && code != -ENOTEMPTY)
            return code;
        cl_auto_fd child = cgroup_dir_open(dir, name);
        if (child == -ENOENT)
            continue;
        int below = child < 0 ? child : first_child(child, ignored);
        if (below <= 0)
            return below < 0 ? below : -EBUSY; /* no groups below, so it is processes */
        (void)cl_close(dir);
        dir = cl_take_fd(&child);
        depth++;
    }
    *ret_depth = depth;
    return code;
}

static int remove_tree(int root_fd, const char *path)
{
    int code = remove_dir(root_fd, path);
    if (code != -EBUSY && code != -ENOTEMPTY)
        return code;
    cl_auto_fd top = cgroup_dir_open(root_fd, path);
    if (top < 0)
        return top == -ENOENT ? 0 : top;
    unsigned depth = 1;
    while (depth > 0) { /* each descent removes at least the group that it ended in */
        depth = 0;
        code = remove_descend(top, &depth);
        if (code < 0)
            return code;
    }
    return remove_dir(root_fd, path);
}

/* v2 tells when the last process is gone; v1 tells nobody. */
static void wait_a_little(const struct cgroup_host *host, const bool *done, const char *path,
                          int delay_us)
{
    cl_auto_fd events = -EBADF;
    for (size_t i = 0; i < host->count && events < 0; i++) {
        char file[300], text[256];
        if (done[i] || !host->hierarchies[i].is_v2 || CL_PRINT(file, "%s/cgroup.events", path) < 0)
            continue;
        events = (int)K_CALL("openat", SYS_openat, host->hierarchies[i].root_fd, (long)file,
                             O_RDONLY | O_CLOEXEC);
        if (events >= 0 && read(events, text, sizeof text) < 0) /* arms the notification */
            events = cl_close(events);
    }
    struct pollfd poll_fd = { .fd = events, .events = POLLPRI }; /* negative: only the time */
    struct timespec time = { .tv_nsec = delay_us * 1000L };
    (void)ppoll(&poll_fd, 1, &time, NULL); /* whatever it says, we look again */
}

int cgroup_remove_empty(const struct cgroup *group)
{
    int members = group->count == 1 ? 0 : cgroup_index_members(group), left = 0;
    /* Beside v1 processes may be in the one of them and not in the other: that has to be looked at. */
    if (members < 0 || (group->count > 1 && cgroup_v2_fd(group) >= 0))
        return -EOPNOTSUPP;
    int code = remove_dir(group->at[members].hierarchy->root_fd, group->path);
    for (size_t i = 0; code == 0 && i < group->count; i++)
        if ((int)i != members && remove_dir(group->at[i].hierarchy->root_fd, group->path) < 0)
            left = 1;
    return code < 0 ? code : left;
}

int cgroup_remove(struct cgroup_host *host, const char *path)
{
    int code = cgroup_path_check(path);
    if (code < 0)
        return code;
    bool done[CGROUP_MAX_HIERARCHIES] = { false };
    /* A killed process keeps its group busy until it is off the CPU: 0.5 ms, doubled up to a
       quarter of a second in all. */
    for (int delay_us = 500;; delay_us *= 2) {
        code = 0;
        for (size_t i = 0; i < host->count; i++) {
            int result = done[i] ? 0 : remove_tree(host->hierarchies[i].root_fd, path);
            done[i] = result == 0;
            if (result < 0 && (code == 0 || code == -EBUSY))
                code = result;
        }
        if (code != -EBUSY || delay_us > 128000)
            return code;
        wait_a_little(host, done, path, delay_us);
    }
}
