/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces as files (namespaces(7), ioctl_ns(2)). Nothing here enters a namespace except k_setns
 * in calls.h.
 */
#pragma once

#include "kernel/calls.h"

/* In the order in which lsns(8) and /proc/PID/ns are read by people. */
enum k_ns {
    K_NS_TIME,
    K_NS_UTS,
    K_NS_IPC,
    K_NS_NET,
    K_NS_CGROUP,
    K_NS_MNT,
    K_NS_PID,
    K_NS_USER,
    K_NS_COUNT,
};

struct k_ns_info {
    char name[8];     /* "mnt": /proc/PID/ns/mnt, lsns's TYPE */
    char oci_name[8]; /* "mount": runtime-spec's namespaces[].type */
    int clone_flag;   /* CLONE_NEWNS … */
};
extern const struct k_ns_info k_ns_table[K_NS_COUNT];
int k_ns_by_name(const char *name); /* either spelling → enum k_ns, or -EINVAL */
int k_ns_by_flag(int clone_flag);

/* proc_pid_fd is an open /proc/PID directory. */
int k_ns_open(int proc_pid_fd, enum k_ns type, int *ret_fd, struct cl_error *err);
/* Inode of a namespace by the link text "mnt:[4026531841]" (readlinkat: cheaper than opening,
   same permission). 0 or -errno. */
int k_ns_inode(int proc_pid_fd, enum k_ns type, uint64_t *ret_inode);
int k_ns_children_inode(int proc_pid_fd, bool pid_not_time,
                        uint64_t *ret_inode); /* pid_for_children / time_for_children */
int k_ns_fd_inode(int ns_fd, uint64_t *ret_inode, dev_t *ret_device);
int k_ns_fd_type(int ns_fd); /* NS_GET_NSTYPE → enum k_ns or -errno */
int k_ns_fd_parent(
    int ns_fd); /* NS_GET_PARENT (pid, user) → fd or -errno (-EPERM: outside our view) */
int k_ns_fd_owner(int ns_fd); /* NS_GET_USERNS → fd */
int k_ns_fd_owner_uid(int userns_fd, uid_t *ret_uid);
