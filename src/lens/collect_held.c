/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces that live without a process: a descriptor, a socket or a bind mount of nsfs holds them.
 *
 * Descriptors are looked at by statx with AT_STATX_DONT_SYNC, so that a file of a dead network or FUSE server can't hang us. Sockets
 * do not show their network namespace in /proc: pidfd_getfd(2) hands us a second reference, SIOCGSKNS names its namespace,
 * and the reference is dropped at once. Mounts are read from mountinfo, of our own mount namespace or (deep) of one process of
 * each; the inode is in the text, so nothing is opened there but in our own.
 */
#include "lens/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "lens/mounts.h"

#define GET_SOCKET_NAMESPACE 0x894C /* SIOCGSKNS, linux/sockios.h */

struct held {
    struct lens_snapshot *snapshot;
    int proc_fd;
    unsigned types;
    dev_t nsfs;               /* device of all namespace files */
    struct procfs_walk *walk; /* of a process's descriptors */
    pid_t pid;                /* whose descriptors or mounts are being read; 0: our own */
    int pid_fd;
};

/* A namespace behind a descriptor of ours: note the holder, and learn about the namespace when it is new. */
static int note_fd(struct held *held, int ns_fd, const struct lens_holder *how)
{
    struct lens_holder holder = *how;
    uint64_t inode;
    int type = k_ns_fd_type(ns_fd);
    if (type < 0 || (held->types & 1U << type) == 0 || k_ns_fd_inode(ns_fd, &inode, NULL) < 0)
        return 0;
    holder.namespace = lens_snapshot_find(held->snapshot, inode);
    bool is_new = holder.namespace == LENS_NONE;
    if (is_new)
        holder.namespace = lens_snapshot_namespace(held->snapshot, (enum k_ns)type, inode);
    if (holder.namespace == LENS_NONE)
        return -ENOMEM;
    int code = lens_snapshot_add_holder(held->snapshot, &holder);
    return code < 0 || !is_new ? code
                               : lens_relate(held->snapshot, holder.namespace, ns_fd, held->types);
}

static int note_socket(struct held *held, int *pidfd, int number)
{
    if (*pidfd < 0)
        *pidfd = k_pidfd_open(held->pid);
    if (*pidfd < 0)
        return 0;
    cl_auto_fd copy = (int)syscall(SYS_pidfd_getfd, *pidfd, number, 0);
    if (copy < 0)
        return 0;
    cl_auto_fd ns_fd = ioctl(copy, GET_SOCKET_NAMESPACE);
    if (ns_fd < 0)
        return 0;
    struct lens_holder holder = { .kind = LENS_HELD_SOCKET, .pid = held->pid, .fd = number };
    return note_fd(held, ns_fd, &holder);
}

static int note_descriptor(struct held *held, int *pidfd, int number)
{
    char name[24];
    struct statx info;
    (void)CL_PRINT(name, "fd/%d", number); /* fits */
    if (statx(held->pid_fd, name, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &info) < 0)
        return 0;
    if (S_ISSOCK(info.stx_mode))
        return (held->types & 1U << K_NS_NET) != 0 ? note_socket(held, pidfd, number) : 0;
    if (makedev(info.stx_dev_major, info.stx_dev_minor) != held->nsfs)
        return 0;
    cl_auto_fd ns_fd = lens_open_nsfs(held->proc_fd, held->pid_fd, name);
    if (ns_fd < 0)
        return 0;
    struct lens_holder holder = { .kind = LENS_HELD_FD, .pid = held->pid, .fd = number };
    return note_fd(held, ns_fd, &holder);
}

static int note_descriptors(struct held *held)
{
    cl_auto_fd dir = openat(held->pid_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cl_auto_fd pidfd = -EBADF;
    if (dir < 0)
        return 0; /* not ours to see, or gone */
    int code = procfs_walk_init(held->walk, dir);
    if (code < 0)
        return code;
    code = note_descriptor(held, &pidfd, 0); /* the walk leaves out 0, which is no pid */
    for (int number; code >= 0 && (number = procfs_walk_next(held->walk)) > 0;)
        code = note_descriptor(held, &pidfd, number);
    procfs_walk_done(held->walk);
    return code;
}

/* "net:[4026532000]" → type and inode */
static bool parse_root(const char *root, enum k_ns *ret_type, uint64_t *ret_inode)
{
    char name[16];
    size_t length = strcspn(root, ":");
    if (length == 0 || length >= sizeof name || root[length] == '\0' || root[length + 1] != '[')
        return false;
    memcpy(name, root, length);
    name[length] = '\0';
    int type = k_ns_by_name(name);
    const char *digits = root + length + 2;
    uint64_t inode = 0;
    while (*digits >= '0' && *digits <= '9' && inode < UINT64_MAX / 16)
        inode = inode * 10 + (uint64_t)(*digits++ - '0');
    if (type < 0 || inode == 0 || strcmp(digits, "]") != 0)
        return false;
    *ret_type = (enum k_ns)type;
    *ret_inode = inode;
    return true;
}

static int note_mount(void *context, const struct lens_mount *mount)
{
    struct held *held = context;
    enum k_ns type;
    uint64_t inode;
    if (strcmp(mount->type, "nsfs") != 0 || !parse_root(mount->root, &type, &inode) ||
        (held->types & 1U << type) == 0)
        return 0;
    uint32_t index = lens_snapshot_find(held->snapshot, inode);
    bool is_new = index == LENS_NONE;
    if (is_new)
        index = lens_snapshot_namespace(held->snapshot, type, inode);
    const char *point = lens_arena_text(held->snapshot, mount->point, strlen(mount->point));
    if (index == LENS_NONE || point == NULL)
        return -ENOMEM;
    struct lens_holder holder = {
        .namespace = index, .kind = LENS_HELD_MOUNT, .pid = held->pid, .path = point
    };
    int code = lens_snapshot_add_holder(held->snapshot, &holder);
    if (code < 0 || !is_new || held->pid != 0)
        return code;
    cl_auto_fd fd = lens_open_namespace(held->snapshot, held->proc_fd, index);
    return fd < 0 ? 0 : lens_relate(held->snapshot, index, fd, held->types);
}

static int held_by_descriptors(struct held *held)
{
    for (size_t i = 0; i < held->snapshot->process_count; i++) {
        const struct lens_process *process = &held->snapshot->processes[i];
        if (process->is_hidden || process->is_gone)
            continue;
        cl_auto_fd pid_fd = procfs_open_pid(held->proc_fd, process->host_pid);
        if (pid_fd < 0)
            continue;
        held->pid = process->host_pid;
        held->pid_fd = pid_fd;
        int code = note_descriptors(held);
        if (code == -ENOMEM)
            return code;
    }
    return 0;
}

static int held_by_mounts(struct held *held, enum lens_depth depth, pid_t mounts_of)
{
    cl_auto_fd self = mounts_of > 0
                          ? procfs_open_pid(held->proc_fd, mounts_of)
                          : openat(held->proc_fd, "self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t own = 0;
    held->pid = mounts_of;
    int code = self < 0 ? 0 : lens_mounts_walk(self, note_mount, held);
    if (self >= 0)
        (void)k_ns_inode(self, K_NS_MNT, &own);
    if (code == -ENOMEM || depth == LENS_HELD_SHALLOW)
        return code == -ENOMEM ? code : 0;
    size_t count = held->snapshot->namespace_count;
    for (size_t i = 0; i < count; i++) {
        const struct lens_namespace *ns = &held->snapshot->namespaces[i];
        if (ns->type != K_NS_MNT || ns->inode == own || ns->representative == LENS_NONE)
            continue;
        held->pid = held->snapshot->processes[ns->representative].host_pid;
        cl_auto_fd pid_fd = procfs_open_pid(held->proc_fd, held->pid);
        if (pid_fd >= 0 && lens_mounts_walk(pid_fd, note_mount, held) == -ENOMEM)
            return -ENOMEM;
    }
    return 0;
}

int lens_collect_held(struct lens_snapshot *snapshot, int proc_fd,
                      const struct lens_held_options *options, struct cl_error *err)
{
    struct stat info;
    if (fstatat(proc_fd, "self/ns/user", &info, 0) < 0)
        return 0; /* no procfs that knows us: nothing can be compared */
    cl_auto_free struct procfs_walk *walk = cl_malloc(sizeof *walk);
    if (walk == NULL)
        return cl_fail(err, ENOMEM, "look for held namespaces");
    struct held held = { .snapshot = snapshot,
                         .proc_fd = proc_fd,
                         .types = options->types,
                         .nsfs = info.st_dev,
                         .walk = walk };
    int code = held_by_descriptors(&held);
    if (code >= 0)
        code = held_by_mounts(&held, options->depth, options->mounts_of);
    if (code >= 0)
        code = lens_snapshot_finish(snapshot);
    return code < 0 ? cl_fail(err, code, "look for held namespaces") : 0;
}
