/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors: closing, full transfers, pipes, and passing descriptors over unix sockets (unix(7), SCM_RIGHTS).
 * Small files are in file.c, whole trees in tree.c.
 */
#include "base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

int cl_close(int fd)
{
    if (fd >= 0) {
        int saved = errno;
        (void)close(
            fd); /* nothing is left to do: Linux frees the descriptor whatever it says (close(2)) */
        errno = saved;
    }
    return -EBADF;
}

ssize_t cl_read_full(int fd, void *buffer, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(fd, (char *)buffer + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t cl_write_full(int fd, const void *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = write(fd, (const char *)data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int cl_pipe(int *ret_read, int *ret_write)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    *ret_read = ends[0];
    *ret_write = ends[1];
    return 0;
}

int cl_socketpair(int type, int *ret_a, int *ret_b)
{
    int ends[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    *ret_a = ends[0];
    *ret_b = ends[1];
    return 0;
}

enum { FDS_MAX = 8 };
union control {
    char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    struct cmsghdr alignment;
};

ssize_t cl_send_fds(int socket, const void *data, size_t size, const int *fds, size_t count)
{
    if (count > FDS_MAX)
        return -EINVAL;
    /* iovec is shared by both directions and so not const; sendmsg(2) only reads. */
    struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
    union control control = { 0 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    if (count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    }
    ssize_t n;
    do {
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Copy what one control message carries into fds; what is too much is closed. */
static void keep_fds(const struct cmsghdr *header, int *fds, size_t max, size_t *count)
{
    size_t bytes = header->cmsg_len - CMSG_LEN(0);
    for (size_t i = 0; i < bytes / sizeof(int); i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
        if (*count < max)
            fds[(*count)++] = fd;
        else
            (void)cl_close(fd);
    }
}

ssize_t cl_recv_fds(int socket, void *data, size_t size, int *fds, size_t max, size_t *ret_count)
{
    struct iovec part = { .iov_base = data, .iov_len = size };
    union control control = { 0 };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    ssize_t n;
    do {
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    size_t count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
            keep_fds(header, fds, max, &count);
    }
    if (ret_count != NULL)
        *ret_count = count;
    return n;
}
