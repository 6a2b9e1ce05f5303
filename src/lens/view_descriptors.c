/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the view that lists open descriptors which lead outside: files of mounts that the process does not have, namespaces that it is not
 * in, sockets of other network namespaces, other processes, devices.
 *
 * A descriptor outlives every namespace: what is open here is the usual way out of a container (CVE-2016-9962, CVE-2024-21626).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>

#include "lens/collect.h"
#include "lens/mounts.h"
#include "lens/view.h"

enum { DESCRIPTORS_MAX = 4096 };

struct mount_ids {
    unsigned *ids;
    size_t count, room;
};

static int take_id(void *context, const struct lens_mount *mount)
{
    struct mount_ids *ids = context;
    if (ids->count == ids->room) {
        size_t room = ids->room == 0 ? 64 : ids->room * 2, bytes;
        unsigned *bigger = NULL;
        if (cl_mul_size(room, sizeof *bigger, &bytes))
            bigger = cl_realloc(ids->ids, bytes);
        if (bigger == NULL)
            return -ENOMEM;
        ids->ids = bigger;
        ids->room = room;
    }
    ids->ids[ids->count++] = mount->id;
    return 0;
}

/* One open descriptor of the target. */
struct looked_at {
    struct view *view;
    const struct mount_ids *ids;
    int pidfd; /* of the target, for its sockets; or negative */
    int number;
    const char *link; /* text of /proc/PID/fd/N */
    char info[1024];  /* and of fdinfo/N, or empty */
};

/* The number after KEY in fdinfo; false: not there. */
static bool info_number(const struct looked_at *at, const char *key, int64_t *ret)
{
    char number[32];
    const char *found = strstr(at->info, key);
    if (found == NULL)
        return false;
    found += strlen(key);
    found += strspn(found, " \t");
    return CL_PRINT(number, "%.*s", (int)strcspn(found, " \t\n"), found) >= 0 &&
           cl_parse_i64(number, INT64_MIN, INT64_MAX, ret) >= 0;
}

static int add(const struct looked_at *at, char *take_what)
{
    char *inside = cl_format("%d", at->number);
    if (take_what != NULL && inside != NULL)
        return view_add_item(at->view, "files", "descriptor outside", take_what, inside);
    free(take_what);
    free(inside);
    return -ENOMEM;
}

/* A file that was opened through a mount which the process's namespace does not have. */
static bool is_of_other_mount(const struct looked_at *at)
{
    int64_t id;
    if (view_shares(at->view, K_NS_MNT) || !info_number(at, "mnt_id:", &id))
        return false;
    for (size_t i = 0; i < at->ids->count; i++)
        if (at->ids->ids[i] == id)
            return false;
    return true;
}

/* Devices that every container has. Pairs of major and minor: null, zero, full, random, urandom, tty, console, ptmx; and any pts. */
static bool is_plain_device(unsigned major, unsigned minor)
{
    static const unsigned plain[][2] = { { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 },
                                         { 1, 9 }, { 5, 0 }, { 5, 1 }, { 5, 2 } };
    for (size_t i = 0; i < CL_COUNT(plain); i++)
        if (plain[i][0] == major && plain[i][1] == minor)
            return true;
    return major >= 136 && major <= 143;
}

/* statx without synchronisation: a file of a dead server must not hang us. */
static int look_at_path(const struct looked_at *at)
{
    char name[32];
    struct statx info;
    (void)CL_PRINT(name, "fd/%d", at->number); /* fits */
    bool is_known = statx(at->view->pid_fd, name, AT_STATX_DONT_SYNC, STATX_TYPE, &info) == 0;
    bool is_device = is_known && (S_ISCHR(info.stx_mode) || S_ISBLK(info.stx_mode)) &&
                     !is_plain_device(info.stx_rdev_major, info.stx_rdev_minor);
    /* null, zero and their kin are the same behind every mount, and lead nowhere. */
    bool leads_nowhere = is_known && S_ISCHR(info.stx_mode) && info.stx_rdev_major == 1 &&
                         is_plain_device(1, info.stx_rdev_minor);
    if (!leads_nowhere && is_of_other_mount(at))
        return add(at, cl_strdup(at->link));
    if (!is_device)
        return 0;
    return add(at,
               cl_format("%s: device %s %u:%u", at->link, S_ISBLK(info.stx_mode) ? "block" : "char",
                         info.stx_rdev_major, info.stx_rdev_minor));
}

/* "net:[4026532000]": outside unless it is one that the process is in. */
static int look_at_namespace(const struct looked_at *at)
{
    char name[16], number[32];
    uint64_t inode;
    size_t length = strcspn(at->link, ":");
    (void)CL_PRINT(name, "%.*s", (int)length, at->link); /* cut: unknown then */
    int type = k_ns_by_name(name);
    if (type < 0 ||
        CL_PRINT(number, "%.*s", (int)strcspn(at->link + length + 2, "]"), at->link + length + 2) <
            0 ||
        cl_parse_u64(number, 1, UINT64_MAX, &inode) < 0 || inode == at->view->inside_ns[type])
        return 0;
    bool is_host = inode == at->view->host_ns[type];
    return add(at, cl_format("%s namespace %llu%s", k_ns_table[type].name,
                             (unsigned long long)inode, is_host ? " (the host's)" : ""));
}

/* fdinfo speaks to us of pids in our procfs's namespace: -1 has ended, and ends the danger. */
static int look_at_pidfd(const struct looked_at *at)
{
    int64_t pid;
    uint64_t inode = 0;
    struct procfs_stat stat = { 0 };
    if (!info_number(at, "\nPid:", &pid) || pid <= 0)
        return 0;
    cl_auto_fd other = procfs_open_pid(at->view->proc_fd, (pid_t)pid);
    if (other < 0 || procfs_read_stat(other, &stat) < 0 ||
        k_ns_inode(other, K_NS_PID, &inode) < 0 || inode == at->view->inside_ns[K_NS_PID])
        return 0;
    return add(at, cl_format("process %d (%s)", (int)pid, stat.name));
}

/* A second reference tells the network namespace of a socket, and is dropped at once. */
static int look_at_socket(const struct looked_at *at)
{
    uint64_t inode;
    cl_auto_fd ns_fd = lens_open_socket_ns(at->pidfd, at->number);
    if (ns_fd < 0 || k_ns_fd_inode(ns_fd, &inode, NULL) < 0 ||
        inode == at->view->inside_ns[K_NS_NET])
        return 0;
    bool is_host = inode == at->view->host_ns[K_NS_NET];
    return add(at, cl_format("%s in net namespace %llu%s", at->link, (unsigned long long)inode,
                             is_host ? " (the host's)" : ""));
}

static const struct {
    const char *prefix;
    int (*look)(const struct looked_at *at);
} kinds[] = {
    { "/", look_at_path },
    { "socket:[", look_at_socket },
    { "anon_inode:[pidfd]", look_at_pidfd },
    { "pidfd:[", look_at_pidfd }, /* since Linux 6.9 */
    { "mnt:[", look_at_namespace },
    { "net:[", look_at_namespace },
    { "ipc:[", look_at_namespace },
    { "user:[", look_at_namespace },
    { "pid:[", look_at_namespace },
    { "uts:[", look_at_namespace },
    { "cgroup:[", look_at_namespace },
    { "time:[", look_at_namespace },
};

static int look_at_one(struct looked_at *at, int number)
{
    char path[32], link[4096];
    (void)CL_PRINT(path, "fd/%d", number); /* fits */
    ssize_t length = readlinkat(at->view->pid_fd, path, link, sizeof link - 1);
    if (length <= 0)
        return 0;
    link[length] = '\0';
    at->number = number;
    at->link = link;
    (void)CL_PRINT(path, "fdinfo/%d", number); /* fits */
    if (cl_read_small(at->view->pid_fd, path, at->info, sizeof at->info) < 0)
        at->info[0] = '\0';
    for (size_t i = 0; i < CL_COUNT(kinds); i++)
        if (cl_starts_with(link, kinds[i].prefix))
            return kinds[i].look(at);
    return 0;
}

static int list_descriptors(struct looked_at *at, int dir_fd)
{
    cl_auto_free struct procfs_walk *walk = cl_malloc(sizeof *walk);
    if (walk == NULL)
        return -ENOMEM;
    if (procfs_walk_init(walk, dir_fd) < 0)
        return 0;                            /* gone: view_fill says so */
    int code = look_at_one(at, 0), seen = 0; /* the walk leaves out 0 */
    for (int number;
         code >= 0 && seen++ < DESCRIPTORS_MAX && (number = procfs_walk_next(walk)) > 0;)
        code = look_at_one(at, number);
    procfs_walk_done(walk);
    return code;
}

int view_descriptors(struct view *view)
{
    struct mount_ids ids = { 0 };
    cl_auto_fd dir = openat(view->pid_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return view_add_item(view, "files", "descriptor outside", NULL,
                             view_hidden(-errno, "CAP_SYS_PTRACE"));
    cl_auto_fd pidfd = k_pidfd_open(view->target.pid);
    struct looked_at at = { .view = view, .ids = &ids, .pidfd = pidfd };
    int code = lens_mounts_walk(view->pid_fd, take_id, &ids);
    if (code >= 0)
        code = list_descriptors(&at, dir);
    free(ids.ids);
    return code == -ENOMEM ? code : 0;
}
