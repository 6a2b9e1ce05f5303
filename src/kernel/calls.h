/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that glibc 2.36 lacks or hides, each as a function that returns >= 0 or -errno and
 * sets no errno.
 *
 * Everything here is async-signal-safe and allocates nothing, so the child of a clone3 may call it.
 * All returned fds are close-on-exec. Every call asks the test hook first:
 * CLOCHE_TEST_NO=openat2,clone3,… makes the named calls answer -ENOSYS, and
 * CLOCHE_TEST_FAIL_CALL=N:ERRNO makes the Nth call of the process fail (read once; off costs a load
 * and a branch).
 *
 * Constants that older headers lack are defined here (kernel 5.15 is the oldest we run on; the
 * newest used is 6.18).
 */
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/base.h"

/* What the libc's or the kernel's headers may be too old for. */
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef FSOPEN_CLOEXEC /* glibc before 2.36, musl: no mount API at all */
#define FSOPEN_CLOEXEC           0x1
#define FSPICK_CLOEXEC           0x1
#define FSPICK_SYMLINK_NOFOLLOW  0x2
#define FSPICK_NO_AUTOMOUNT      0x4
#define FSPICK_EMPTY_PATH        0x8
#define FSCONFIG_SET_FLAG        0
#define FSCONFIG_SET_STRING      1
#define FSCONFIG_SET_FD          5
#define FSCONFIG_CMD_CREATE      6
#define FSCONFIG_CMD_RECONFIGURE 7
#define FSMOUNT_CLOEXEC          0x1
#define OPEN_TREE_CLONE          0x1
#define OPEN_TREE_CLOEXEC        O_CLOEXEC
#define MOVE_MOUNT_F_EMPTY_PATH  0x4
#define MOVE_MOUNT_T_EMPTY_PATH  0x40
#endif
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x200 /* 6.5 */
#endif
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY      0x1
#define MOUNT_ATTR_NOSUID      0x2
#define MOUNT_ATTR_NODEV       0x4
#define MOUNT_ATTR_NOEXEC      0x8
#define MOUNT_ATTR__ATIME      0x70
#define MOUNT_ATTR_RELATIME    0x0
#define MOUNT_ATTR_NOATIME     0x10
#define MOUNT_ATTR_STRICTATIME 0x20
#define MOUNT_ATTR_NODIRATIME  0x80
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x100000
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x200000
#endif

/* ---- processes ---- */
struct k_clone {
    uint64_t flags;  /* CLONE_NEW*; the call adds CLONE_PIDFD and, with a cgroup_fd, INTO_CGROUP */
    int cgroup_fd;   /* v2 cgroup directory to be born in, or negative */
    int exit_signal; /* usually SIGCHLD */
};
/* fork-like clone3(2) (no shared memory). Returns 0 in the child, else the child's pid, with
   *ret_pidfd owned by the caller (the child's copy of the variable is untouched). Falls back to
   clone(2) where clone3 is absent or filtered: then a cgroup_fd and flags that clone(2) has no
   bit for (CLONE_NEWTIME, CLONE_CLEAR_SIGHAND) are refused with -ENOSYS. */
pid_t k_clone3(const struct k_clone *arguments, int *ret_pidfd);
int k_pidfd_open(pid_t pid);
int k_pidfd_send_signal(int pidfd, int signo);
/* waitid(P_PIDFD, …, WEXITED|options). *ret_status is a wait(2) status. 0; -EAGAIN with WNOHANG
   and nothing yet. Goes on after EINTR. */
int k_wait_pidfd(int pidfd, int options, int *ret_status);
/* waitid on a pid, same outputs. */
int k_wait_pid(pid_t pid, int options, int *ret_status);
int k_setns(int fd, int namespaces); /* fd: a namespace or a pidfd (5.8) */
int k_unshare(int namespaces);
/* only_cloexec: mark, do not close (5.11). Where a sandbox's filter knows no close_range, by the
   list in /proc/self/fd. */
int k_close_range(unsigned first, unsigned last, bool only_cloexec);
int k_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int k_setgroups(size_t count, const gid_t *groups); /* raw call, this thread only */
int k_setresgid(gid_t gid);
int k_setresuid(uid_t uid);
int k_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
int k_capget(pid_t pid, uint64_t *ret_effective, uint64_t *ret_permitted,
             uint64_t *ret_inheritable);
int k_cap_bounding_drop(unsigned capability); /* -EINVAL past the kernel's last capability */
int k_cap_ambient_raise(unsigned capability);
int k_cap_ambient_clear(void);
unsigned k_cap_last(void); /* probed by PR_CAPBSET_READ, cached */
int k_no_new_privs(void);
/* Install a classic BPF program. flags: SECCOMP_FILTER_FLAG_*. Returns 0, or the listener's fd
   with NEW_LISTENER. */
struct sock_filter;
int k_seccomp_filter(const struct sock_filter *code, size_t count, unsigned flags);
bool k_seccomp_can_wait(
    void); /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 5.19: asked, loads nothing */
int k_keyring_join_session(const char *name); /* keyctl(KEYCTL_JOIN_SESSION_KEYRING) */
int k_execveat(int dirfd, const char *path, char *const *argv, char *const *envp, int flags);
int k_sethostname(const char *name);
int k_setdomainname(const char *name);
int k_prlimit(pid_t pid, int resource, const struct rlimit *limit);
int k_getrlimit(int resource, struct rlimit *ret); /* of the caller */

/* ---- scheduling and memory; of the calling thread where there is no pid, or it is 0 ---- */
struct k_sched { /* sched_setattr(2) */
    uint32_t policy;
    uint64_t flags; /* SCHED_FLAG_*; the utilisation clamps are 0 */
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period; /* nanoseconds */
};
int k_sched_setattr(pid_t pid, const struct k_sched *wanted);
/* Sets of CPUs of any size: bit n is CPU n, bit_count a multiple of the bits of a long. get returns
   how many bits the kernel filled; -EINVAL when it has more CPUs than there is room for. */
int k_sched_setaffinity(const unsigned long *bits, size_t bit_count);
ssize_t k_sched_getaffinity(unsigned long *ret_bits, size_t bit_count);
int k_ioprio_set(pid_t pid, int class, int priority);
bool k_ioprio_is(int class, int priority);
int k_personality(unsigned long persona);
/* mode: MPOL_* with MPOL_F_*; nodes NULL: none. */
int k_set_mempolicy(int mode, const unsigned long *nodes, size_t bit_count);

/* ---- files and mounts ---- */
int k_openat2(int dirfd, const char *path, const struct open_how *how); /* adds O_CLOEXEC */
/* adds OPEN_TREE_CLOEXEC; path "" (open_tree, fspick) means dirfd itself */
int k_open_tree(int dirfd, const char *path, unsigned flags);
int k_move_mount(int from_fd, int to_dirfd, const char *to_path,
                 unsigned flags); /* adds MOVE_MOUNT_F_EMPTY_PATH; to_path "" adds T_EMPTY_PATH */
int k_fsopen(const char *type);
int k_fsconfig_string(int fs_fd, const char *key, const char *value);
int k_fsconfig_flag(int fs_fd, const char *key);
int k_fsconfig_fd(int fs_fd, const char *key, int fd);
int k_fsconfig_create(int fs_fd);
int k_fsconfig_reconfigure(int fs_fd);               /* of k_fspick */
int k_fsmount(int fs_fd, unsigned mount_attributes); /* MOUNT_ATTR_*; a detached mount */
int k_fspick(int dirfd, const char *path, unsigned flags);
/* set/clear: MOUNT_ATTR_*; propagation: MS_PRIVATE… or 0; userns_fd for idmapping, or negative;
   recursive: AT_RECURSIVE. */
struct k_mount_change {
    uint64_t set, clear, propagation;
    int userns_fd;
    bool recursive;
};
int k_mount_setattr(int fd, const struct k_mount_change *change); /* AT_EMPTY_PATH on fd */
int k_mount(const char *source, const char *target, const char *type, unsigned long flags,
            const char *data);
int k_umount(const char *target, int flags);
/* Does our mount namespace have the mount with this STATX_MNT_ID_UNIQUE (6.8)? Negative: nobody can say. */
int k_mount_is_there(uint64_t unique_id);
int k_pivot_root(const char *new_root, const char *put_old);
/* What the kernel says about a failed fsconfig/fsmount: drains the context's log into text (its
   first error line). */
void k_fs_message(int fs_fd, char *text, size_t size);

/* ---- descriptors: what the C library has, behind the gate ---- */
int k_openat(int dirfd, const char *path, int flags, mode_t mode); /* adds O_CLOEXEC */
int k_mkdirat(int dirfd, const char *path, mode_t mode);
int k_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags); /* -1: leave */
int k_dup(int fd);                                                            /* from 3 on */
int k_dup_to(int fd, int to);       /* stays open at exec, unlike all others */
int k_memfd_data(const char *name); /* nobody can execute it, where the kernel can promise that */
int k_pipe(int *ret_read, int *ret_write);
int k_socketpair(int type, int *ret_a, int *ret_b);
int k_connect_unix(const char *path); /* a stream; -ENAMETOOLONG */
/* As cl_send_fds and cl_recv_fds. */
ssize_t k_send_fds(int socket, const void *data, size_t size, const int *fds, size_t count);
ssize_t k_recv_fds(int socket, void *data, size_t size, int *fds, size_t max, size_t *ret_count);
struct pollfd;
int k_poll(struct pollfd *fds, size_t count, int timeout_ms); /* how many; -EINTR */
int k_signalfd(const sigset_t *signals);
int k_execve(const char *path, char *const *argv, char *const *envp);

/* ---- what this kernel is ---- */
/* To an error that is -ENOSYS adds which call it was (the latest one of this process that was
   refused so), as nobody can do anything about "Function not implemented". Returns err->code. */
int k_explain_missing(struct cl_error *err);
bool k_is_same_file(int fd_a, int fd_b); /* st_dev and st_ino */
int k_fs_type(int fd, long *ret_magic);  /* fstatfs f_type */
/* Boot id (36 characters; "" where /proc can't be read), cached. Not for the child of a clone3
   unless its parent asked first. */
const char *k_boot_id(void);
/* Ticks per second of the times in /proc/PID/stat. */
long k_clock_ticks(void);
