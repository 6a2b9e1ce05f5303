/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc, read through a descriptor that was checked to be the root of a procfs (CVE-2019-16884,
 * CVE-2025-52881): a tmpfs or a bind put over /proc can't answer for the kernel. All per-process
 * reads go through an open /proc/PID directory, which stays bound to that process even when its pid
 * is reused (reads then fail with -ESRCH).
 */
#pragma once

#include "kernel/calls.h"

/* A detached procfs of the caller's pid namespace that nothing else can see or mount over
   (fsopen+fsmount; where that is not allowed, /proc after checking magic and inode 1).
   subset_pid: only the process part ("subset=pid"). Returns an O_PATH directory fd
   (procfs_walk_init and the *at calls take it; it can't be read itself). */
int procfs_open_private(bool subset_pid, struct cl_error *err);
/* Likewise, and negative where that is not allowed. */
int procfs_open_own(bool subset_pid);
/* The host's /proc as mounted, checked (PROC_SUPER_MAGIC, inode 1). Returns a directory fd. */
int procfs_open_host(struct cl_error *err);
/* /proc/PID as a directory fd; -ESRCH when there is no such process. */
int procfs_open_pid(int proc_fd, pid_t pid);
/* Write to /proc/self/…, /proc/sys/… below proc_fd: no symlink but self/thread-self, no crossing
   of mounts. 0 or -errno. */
int procfs_write(int proc_fd, const char *path, const char *text);

/* A word of mountinfo, in place: blank, tab, newline, backslash and # are "\040" and the like there (proc_pid_mountinfo(5)). */
void procfs_unescape(char *text);

/* Walk all numeric entries of proc_fd in ascending readdir order: getdents64 into a buffer of
   the caller's. */
struct procfs_walk {
    int fd; /* own descriptor of the directory; close by procfs_walk_done */
    size_t used, size;
    uint64_t
        inode; /* of the entry that procfs_walk_next returned: another one when the pid was used again */
    _Alignas(8) char buffer[32768];
};
int procfs_walk_init(struct procfs_walk *walk,
                     int dir_fd);                 /* dir_fd: /proc or a task directory; not taken */
pid_t procfs_walk_next(struct procfs_walk *walk); /* > 0, 0 at the end, -errno */
void procfs_walk_done(struct procfs_walk *walk);

/* /proc/PID/stat, the fields people need (proc(5)). */
struct procfs_stat {
    pid_t pid, parent, group, session;
    int terminal;
    unsigned flags; /* PF_* of the kernel's sched.h */
    char state;
    char name[64];        /* comm; hostile text */
    uint64_t start_ticks; /* since boot; with the pid it names a process once and for all */
    uint64_t user_ticks, system_ticks;
    long threads;
};
#define PROCFS_KERNEL_THREAD 0x00200000u                   /* PF_KTHREAD, in flags */
int procfs_read_stat(int pid_fd, struct procfs_stat *ret); /* 0 or -errno */
/* The same of whoever has this pid now, for who wants to know no more of it: -ESRCH when nobody has. */
int procfs_read_stat_of(int proc_fd, pid_t pid, struct procfs_stat *ret);

/* /proc/PID/status, likewise. */
#define PROCFS_LEVELS 33 /* pid namespaces nest 32 deep */
struct procfs_status {
    char name[64];
    uid_t uid[4]; /* real, effective, saved, fs */
    gid_t gid[4];
    unsigned levels; /* entries of ns_pid: outermost first (as seen from proc_fd's pid namespace) */
    pid_t ns_pid[PROCFS_LEVELS];
    uint64_t cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
    int no_new_privs, seccomp_mode, seccomp_filters;
    uint64_t vm_rss_kb;
};
int procfs_read_status(int pid_fd, struct procfs_status *ret); /* 0 or -errno */
/* The command line with NULs as spaces; kernel threads and zombies: "[comm]". Truncates. Returns
   length or -errno. */
ssize_t procfs_read_command(int pid_fd, char *buffer, size_t size);
/* Start time of a process: 0 and ticks, or -ESRCH. */
int procfs_start_ticks(int proc_fd, pid_t pid, uint64_t *ret_ticks);
