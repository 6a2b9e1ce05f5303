/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces as files: /proc/PID/ns links and the ioctls of nsfs. One table row per type;
 * everything else is look-ups in it.
 */
#include "kernel/nsfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/stat.h>

#include "kernel/hook.h"

const struct k_ns_info k_ns_table[K_NS_COUNT] = {
    [K_NS_TIME] = { "time", "time", CLONE_NEWTIME },
    [K_NS_UTS] = { "uts", "uts", CLONE_NEWUTS },
    [K_NS_IPC] = { "ipc", "ipc", CLONE_NEWIPC },
    [K_NS_NET] = { "net", "network", CLONE_NEWNET },
    [K_NS_CGROUP] = { "cgroup", "cgroup", CLONE_NEWCGROUP },
    [K_NS_MNT] = { "mnt", "mount", CLONE_NEWNS },
    [K_NS_PID] = { "pid", "pid", CLONE_NEWPID },
    [K_NS_USER] = { "user", "user", CLONE_NEWUSER },
};

/* The links, spelled out: the lens reads eight of them for every process of the host, so no
   snprintf here. */
static const char *const ns_links[K_NS_COUNT] = {
    [K_NS_TIME] = "ns/time", [K_NS_UTS] = "ns/uts",       [K_NS_IPC] = "ns/ipc",
    [K_NS_NET] = "ns/net",   [K_NS_CGROUP] = "ns/cgroup", [K_NS_MNT] = "ns/mnt",
    [K_NS_PID] = "ns/pid",   [K_NS_USER] = "ns/user",
};

int k_ns_by_name(const char *name)
{
    for (int type = 0; type < K_NS_COUNT; type++)
        if (cl_streq(name, k_ns_table[type].name) || cl_streq(name, k_ns_table[type].oci_name))
            return type;
    return -EINVAL;
}

int k_ns_by_flag(int clone_flag)
{
    for (int type = 0; type < K_NS_COUNT; type++)
        if (k_ns_table[type].clone_flag == clone_flag)
            return type;
    return -EINVAL;
}

int k_ns_open(int proc_pid_fd, enum k_ns type, int *ret_fd, struct cl_error *err)
{
    int fd =
        (int)K_CALL("openat", SYS_openat, proc_pid_fd, (long)ns_links[type], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        const char *name = k_ns_table[type].name;
        int code = cl_fail(err, fd, "open the %s namespace of a process", name);
        if (fd == -ENOENT)
            (void)cl_error_hint(err, "the process is gone, or the kernel has no %s namespaces",
                                name);
        else if (fd == -EACCES)
            (void)cl_error_hint(err, "needs CAP_SYS_PTRACE over that process");
        return code;
    }
    *ret_fd = fd;
    return 0;
}

static int link_inode(int proc_pid_fd, const char *link, uint64_t *ret_inode)
{
    char text[64]; /* "mnt:[4026531841]" */
    long length =
        K_CALL("readlinkat", SYS_readlinkat, proc_pid_fd, (long)link, (long)text, sizeof text);
    if (length < 0)
        return (int)length;
    const char *end = text + length, *at = memchr(text, '[', (size_t)length);
    uint64_t inode = 0;
    for (at = at != NULL ? at + 1 : end; at < end && *at >= '0' && *at <= '9'; at++)
        inode = inode * 10 + (uint64_t)(*at - '0');
    if (inode == 0)
        return -EINVAL;
    *ret_inode = inode;
    return 0;
}

int k_ns_inode(int proc_pid_fd, enum k_ns type, uint64_t *ret_inode)
{
    return link_inode(proc_pid_fd, ns_links[type], ret_inode);
}

int k_ns_children_inode(int proc_pid_fd, bool pid_not_time, uint64_t *ret_inode)
{
    return link_inode(proc_pid_fd, pid_not_time ? "ns/pid_for_children" : "ns/time_for_children",
                      ret_inode);
}

int k_ns_fd_inode(int ns_fd, uint64_t *ret_inode, dev_t *ret_device)
{
    struct stat info;
    if (fstat(ns_fd, &info) < 0)
        return -errno;
    *ret_inode = info.st_ino;
    if (ret_device != NULL)
        *ret_device = info.st_dev;
    return 0;
}

static int ns_ioctl(int fd, unsigned long request, void *argument)
{
    return (int)K_CALL("ioctl", SYS_ioctl, fd, (long)request, (long)argument);
}

int k_ns_fd_type(int ns_fd)
{
    int flag = ns_ioctl(ns_fd, NS_GET_NSTYPE, NULL);
    return flag < 0 ? flag : k_ns_by_flag(flag);
}

int k_ns_fd_parent(int ns_fd)
{
    return ns_ioctl(ns_fd, NS_GET_PARENT, NULL);
}

int k_ns_fd_owner(int ns_fd)
{
    return ns_ioctl(ns_fd, NS_GET_USERNS, NULL);
}

int k_ns_fd_owner_uid(int userns_fd, uid_t *ret_uid)
{
    uid_t uid = 0;
    int code = ns_ioctl(userns_fd, NS_GET_OWNER_UID, &uid);
    if (code < 0)
        return code;
    *ret_uid = uid;
    return 0;
}
