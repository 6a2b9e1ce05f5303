/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about processes: clone3, pidfds, waiting, namespaces to enter, descriptors to pass on,
 * exec, limits.
 *
 * clone3 is used like fork: no shared memory, no new stack. The C library does not hear of it, so
 * the child keeps to async-signal-safe functions until it execs (or was cloned from a process with
 * one thread, where all of libc works but for cached thread ids).
 */
#include "kernel/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/wait.h>

#include "kernel/hook.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Flags that clone(2) can't take: its low byte is the exit signal, and its word has 32 bits. */
#define ONLY_CLONE3 (~0xffffffffULL | CSIGNAL)

static long clone_legacy(uint64_t flags, const struct k_clone *arguments, int *pidfd)
{
    if (arguments->cgroup_fd >= 0 || (flags & ONLY_CLONE3) != 0)
        return -ENOSYS;
    /* The first three arguments are the same on x86-64 and arm64: flags, stack, parent_tid
       (which takes the pidfd). */
    return K_CALL("clone", SYS_clone, (long)(flags | (uint64_t)arguments->exit_signal), 0,
                  (long)pidfd);
}

pid_t k_clone3(const struct k_clone *arguments, int *ret_pidfd)
{
    int pidfd = -EBADF;
    struct clone_args raw = {
        .flags = arguments->flags | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = (uint64_t)arguments->exit_signal,
    };
    if (arguments->cgroup_fd >= 0) {
        raw.flags |= CLONE_INTO_CGROUP;
        raw.cgroup = (uint64_t)arguments->cgroup_fd;
    }
    long pid = K_CALL("clone3", SYS_clone3, (long)&raw, sizeof raw);
    if (pid == -ENOSYS)
        pid = clone_legacy(arguments->flags | CLONE_PIDFD, arguments, &pidfd);
    if (pid > 0)
        *ret_pidfd = pidfd;
    return (pid_t)pid;
}

int k_pidfd_open(pid_t pid)
{
    return (int)K_CALL("pidfd_open", SYS_pidfd_open, pid);
}

int k_pidfd_send_signal(int pidfd, int signo)
{
    return (int)K_CALL("pidfd_send_signal", SYS_pidfd_send_signal, pidfd, signo);
}

static int wait_status(const siginfo_t *info)
{
    switch (info->si_code) {
    case CLD_EXITED:
        return (info->si_status & 0xff) << 8;
    case CLD_DUMPED:
        return (info->si_status & 0x7f) | 0x80;
    case CLD_STOPPED:
    case CLD_TRAPPED:
        return (info->si_status & 0xff) << 8 | 0x7f;
    case CLD_CONTINUED:
        return 0xffff;
    default: /* CLD_KILLED */
        return info->si_status & 0x7f;
    }
}

static int wait_for(int id_type, int id, int options, int *ret_status)
{
    siginfo_t info = { 0 };
    long answer;
    do
        answer = K_CALL("waitid", SYS_waitid, id_type, id, (long)&info, WEXITED | options, 0);
    while (answer == -EINTR);
    if (answer < 0)
        return (int)answer;
    if (info.si_pid == 0)
        return -EAGAIN;
    *ret_status = wait_status(&info);
    return 0;
}

int k_wait_pidfd(int pidfd, int options, int *ret_status)
{
    return wait_for(P_PIDFD, pidfd, options, ret_status);
}

int k_wait_pid(pid_t pid, int options, int *ret_status)
{
    return wait_for(P_PID, pid, options, ret_status);
}

int k_setns(int fd, int namespaces)
{
    return (int)K_CALL("setns", SYS_setns, fd, namespaces);
}

int k_unshare(int namespaces)
{
    return (int)K_CALL("unshare", SYS_unshare, namespaces);
}

static void close_or_mark(unsigned fd, bool only_cloexec)
{
    if (only_cloexec)
        (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC); /* EBADF: it was not open */
    else
        (void)close((int)fd);
}

static int close_listed(int dir_fd, unsigned first, unsigned last, bool only_cloexec)
{
    _Alignas(8) char buffer[4096];
    for (;;) {
        long size = K_CALL("getdents64", SYS_getdents64, dir_fd, (long)buffer, sizeof buffer);
        if (size <= 0)
            return (int)size;
        for (long at = 0; at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(const void *)(buffer + at);
            at += entry->d_reclen;
            uint64_t fd = 0;
            if (cl_parse_u64(entry->d_name, first, last, &fd) == 0 && (int)fd != dir_fd)
                close_or_mark((unsigned)fd, only_cloexec);
        }
    }
}

int k_close_range(unsigned first, unsigned last, bool only_cloexec)
{
    long answer =
        K_CALL("close_range", SYS_close_range, first, last, only_cloexec ? CLOSE_RANGE_CLOEXEC : 0);
    /* Some sandboxes' filters know no close_range: then the kernel's own list of our
       descriptors. */
    if (answer != -ENOSYS && answer != -EPERM)
        return (int)answer;
    cl_auto_fd dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? (int)answer : close_listed(dir, first, last, only_cloexec);
}

int k_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
    return (int)K_CALL("prctl", SYS_prctl, option, (long)a, (long)b, (long)c, (long)d);
}

int k_execveat(int dirfd, const char *path, char *const *argv, char *const *envp, int flags)
{
    return (int)K_CALL("execveat", SYS_execveat, dirfd, (long)path, (long)argv, (long)envp, flags);
}

int k_sethostname(const char *name)
{
    return (int)K_CALL("sethostname", SYS_sethostname, (long)name, (long)strlen(name));
}

int k_setdomainname(const char *name)
{
    return (int)K_CALL("setdomainname", SYS_setdomainname, (long)name, (long)strlen(name));
}

int k_prlimit(pid_t pid, int resource, const struct rlimit *limit)
{
    return (int)K_CALL("prlimit64", SYS_prlimit64, pid, resource, (long)limit, 0);
}

int k_getrlimit(int resource, struct rlimit *ret)
{
    return (int)K_CALL("prlimit64", SYS_prlimit64, 0, resource, 0, (long)ret);
}
