/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces that live without a process: a descriptor, a socket or a bind mount of nsfs holds them.
 *
 * Which descriptors come into question was noted by the scan (scan.h). Sockets do not show their network namespace in /proc: pidfd_getfd(2) hands
 * us a second reference, SIOCGSKNS names its namespace, and the reference is dropped at once. Mounts are read from mountinfo, of
 * our own mount namespace or (deep) of one process of each; the inode is in the text, so nothing is opened there but in our own.
 */
#include "lens/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "lens/mounts.h"

#define GET_SOCKET_NAMESPACE 0x894C /* SIOCGSKNS, linux/sockios.h */

struct held {
    struct lens_snapshot *snapshot;
    int proc_fd;
    unsigned types;
    pid_t pid; /* whose descriptors or mounts are being read; 0: our own */
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

int lens_open_socket_ns(int pidfd, int number)
{
    cl_auto_fd copy = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
    if (copy < 0)
        return -errno;
    int ns_fd = ioctl(copy, GET_SOCKET_NAMESPACE);
    return ns_fd < 0 ? -errno : ns_fd;
}

static int note_socket(struct held *held, int pidfd, int number)
{
    cl_auto_fd ns_fd = lens_open_socket_ns(pidfd, number);
    if (ns_fd < 0)
        return 0; /* no socket any more, or no CAP_NET_ADMIN over it */
    struct lens_holder holder = { .kind = LENS_HELD_SOCKET, .pid = held->pid, .fd = number };
    return note_fd(held, ns_fd, &holder);
}

static int note_nsfs(struct held *held, int number)
{
    char name[48];
    (void)CL_PRINT(name, "%d/fd/%d", (int)held->pid, number); /* fits */
    cl_auto_fd ns_fd = lens_open_nsfs(held->proc_fd, held->proc_fd, name);
    if (ns_fd < 0)
        return 0;
    struct lens_holder holder = { .kind = LENS_HELD_FD, .pid = held->pid, .fd = number };
    return note_fd(held, ns_fd, &holder);
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

static int by_pid_and_fd(const void *a, const void *b)
{
    const struct lens_descriptor *left = a, *right = b;
    int order = (left->pid > right->pid) - (left->pid < right->pid);
    return order != 0 ? order : (left->fd > right->fd) - (left->fd < right->fd);
}

static int by_number(const void *a, const void *b)
{
    const pid_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* The pids that are in the snapshot (not those that an inside view has left out), in order. */
static pid_t *visible_pids(const struct lens_snapshot *snapshot, size_t *ret_count)
{
    pid_t *pids = cl_calloc(snapshot->process_count + 1, sizeof *pids);
    size_t count = 0;
    for (size_t i = 0; pids != NULL && i < snapshot->process_count; i++)
        if (!snapshot->processes[i].is_gone)
            pids[count++] = snapshot->processes[i].host_pid;
    if (pids != NULL)
        qsort(pids, count, sizeof *pids, by_number);
    *ret_count = count;
    return pids;
}

static int held_by_descriptors(struct held *held)
{
    struct lens_snapshot *snapshot = held->snapshot;
    size_t pid_count;
    cl_auto_fd pidfd = -EBADF;
    cl_auto_free pid_t *pids = visible_pids(snapshot, &pid_count);
    if (pids == NULL)
        return -ENOMEM;
    if (snapshot->descriptor_count > 0)
        qsort(snapshot->descriptors, snapshot->descriptor_count, sizeof *snapshot->descriptors,
              by_pid_and_fd);
    held->pid = 0;
    for (size_t i = 0; i < snapshot->descriptor_count; i++) {
        const struct lens_descriptor *descriptor = &snapshot->descriptors[i];
        if (bsearch(&descriptor->pid, pids, pid_count, sizeof *pids, by_number) == NULL)
            continue;
        if (descriptor->pid != held->pid)
            pidfd = cl_close(pidfd);
        held->pid = descriptor->pid;
        if (descriptor->is_socket && pidfd < 0)
            pidfd = k_pidfd_open(held->pid);
        int code = descriptor->is_socket ? note_socket(held, pidfd, descriptor->fd)
                                         : note_nsfs(held, descriptor->fd);
        if (code < 0)
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
    struct held held = { .snapshot = snapshot, .proc_fd = proc_fd, .types = options->types };
    int code = held_by_descriptors(&held);
    if (code >= 0)
        code = held_by_mounts(&held, options->depth, options->mounts_of);
    if (code >= 0)
        code = lens_snapshot_finish(snapshot);
    return code < 0 ? cl_fail(err, code, "look for held namespaces") : 0;
}
