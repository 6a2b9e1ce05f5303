/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about descriptors: files to open, pipes, sockets, what is copied or waited for. The C
 * library has all of these; here they pass the gate, so that a test can make each of them fail.
 */
#include "kernel/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "kernel/hook.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x8 /* 6.3 */
#endif

int k_openat(int dirfd, const char *path, int flags, mode_t mode)
{
    return (int)K_CALL("openat", SYS_openat, dirfd, (long)path, flags | O_CLOEXEC, mode);
}

int k_mkdirat(int dirfd, const char *path, mode_t mode)
{
    return (int)K_CALL("mkdirat", SYS_mkdirat, dirfd, (long)path, mode);
}

int k_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
{
    return (int)K_CALL("fchownat", SYS_fchownat, dirfd, (long)path, uid, gid, flags);
}

int k_dup(int fd)
{
    return (int)K_CALL("fcntl", SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
}

int k_dup_to(int fd, int to)
{
    return (int)K_CALL("dup3", SYS_dup3, fd, to, 0);
}

int k_memfd_data(const char *name)
{
    long fd = K_CALL("memfd_create", SYS_memfd_create, (long)name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    if (fd == -EINVAL)
        fd = K_CALL("memfd_create", SYS_memfd_create, (long)name, MFD_CLOEXEC);
    return (int)fd;
}

int k_pipe(int *ret_read, int *ret_write)
{
    int refused = k_hook("pipe2");
    return refused < 0 ? refused : cl_pipe(ret_read, ret_write);
}

int k_socketpair(int type, int *ret_a, int *ret_b)
{
    int refused = k_hook("socketpair");
    return refused < 0 ? refused : cl_socketpair(type, ret_a, ret_b);
}

int k_connect_unix(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (CL_PRINT(address.sun_path, "%s", path) < 0)
        return -ENAMETOOLONG;
    cl_auto_fd fd = (int)K_CALL("socket", SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    long result = fd;
    if (result >= 0)
        result = K_CALL("connect", SYS_connect, fd, (long)&address, sizeof address);
    return result < 0 ? (int)result : cl_take_fd(&fd);
}

ssize_t k_send_fds(int socket, const void *data, size_t size, const int *fds, size_t count)
{
    int refused = k_hook("sendmsg");
    return refused < 0 ? refused : cl_send_fds(socket, data, size, fds, count);
}

ssize_t k_recv_fds(int socket, void *data, size_t size, int *fds, size_t max, size_t *ret_count)
{
    int refused = k_hook("recvmsg");
    return refused < 0 ? refused : cl_recv_fds(socket, data, size, fds, max, ret_count);
}

int k_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
    int refused = k_hook("poll");
    if (refused < 0)
        return refused;
    int result = poll(fds, (nfds_t)count, timeout_ms);
    return result < 0 ? -errno : result;
}

int k_signalfd(const sigset_t *signals)
{
    int refused = k_hook("signalfd4");
    if (refused < 0)
        return refused;
    int fd = signalfd(-1, signals, SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int k_execve(const char *path, char *const *argv, char *const *envp)
{
    return (int)K_CALL("execve", SYS_execve, (long)path, (long)argv, (long)envp);
}
