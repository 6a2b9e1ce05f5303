/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File descriptors and small files. Descriptors start at -EBADF, are always close-on-exec, and are closed once.
 */
#pragma once

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/mem.h"

/* close(2) that keeps errno; a negative fd is fine. Always returns -EBADF, so `fd = cl_close(fd)` reads well. */
int cl_close(int fd);

static inline void cl_close_auto(int *fd)
{
    (void)cl_close(*fd);
}
#define cl_auto_fd __attribute__((cleanup(cl_close_auto))) int

static inline int cl_take_fd(int *fd)
{
    int taken = *fd;
    *fd = -EBADF;
    return taken;
}

/* Loop over EINTR and short transfers. Return bytes moved (read: less than size only at end of file) or -errno. */
ssize_t cl_read_full(int fd, void *buffer, size_t size);
ssize_t cl_write_full(int fd, const void *data, size_t size);

/*
 * Read a whole regular, proc or sysfs file below dirfd (AT_FDCWD allowed for paths of the host that are ours).
 * At most max bytes: a longer file is -EFBIG. The text is NUL-terminated beyond *ret_size, which may be NULL.
 * The file is opened O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC. *ret_text is owned by the caller.
 */
int cl_read_file(int dirfd, const char *path, size_t max, char **ret_text, size_t *ret_size,
                 struct cl_error *err);
int cl_read_fd(int fd, size_t max, char **ret_text, size_t *ret_size, struct cl_error *err);

/* Into a buffer of the caller's, no allocation; truncates silently at size-1, always NUL-terminates.
   Returns the length or -errno. For proc and cgroup files. */
ssize_t cl_read_small(int dirfd, const char *path, char *buffer, size_t size);

/* open(O_WRONLY|O_CLOEXEC|O_NOFOLLOW), one write, close. For proc and cgroup files. Returns 0 or -errno. */
int cl_write_small(int dirfd, const char *path, const char *text);

/*
 * Replace a file atomically: write ".NAME.XXXX" beside it, then rename. With CL_WRITE_SYNC the data is fsynced before the
 * rename (and the directory after it): for things that must survive power loss. Otherwise no fsync.
 */
enum cl_write_flags { CL_WRITE_PLAIN = 0, CL_WRITE_SYNC = 1 };
int cl_write_atomic(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                    enum cl_write_flags flags, struct cl_error *err);

/* mkdir -p below dirfd, host paths of ours only (never inside a rootfs: that is kernel/inroot). Existing is fine. */
int cl_mkdir_p(int dirfd, const char *path, mode_t mode, struct cl_error *err);
/* mkdir (if missing; create_mode 0: never create) and open O_PATH-less O_DIRECTORY. */
int cl_open_dir(int dirfd, const char *path, mode_t create_mode, int *ret_fd, struct cl_error *err);

/* rm -rf of dirfd/name without following links and without leaving the file system it starts on. Missing is fine. A mount
   point (bind mounts too) is never entered: -EXDEV when one is below, -EBUSY when name is one itself. */
int cl_remove_tree(int dirfd, const char *name, struct cl_error *err);

/* pipe2(O_CLOEXEC) and socketpair(AF_UNIX, type|SOCK_CLOEXEC) into two cl_auto_fd. 0 or -errno. */
int cl_pipe(int *ret_read, int *ret_write);
int cl_socketpair(int type, int *ret_a, int *ret_b);

/* Send/receive a message with up to 8 descriptors on a unix socket. Received fds are CLOEXEC. Return bytes or -errno;
   *ret_count receives the number of fds (those past max are closed). */
ssize_t cl_send_fds(int socket, const void *data, size_t size, const int *fds, size_t count);
ssize_t cl_recv_fds(int socket, void *data, size_t size, int *fds, size_t max, size_t *ret_count);
