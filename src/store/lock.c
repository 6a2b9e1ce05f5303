/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One byte of STATE/locks per container, held by open-file-description locks (fcntl(2), F_OFD_SETLK).
 *
 * Unlike flock on a file each, the bytes need no file to be made on the way of a start; unlike POSIX record locks they belong to the open file, so
 * they pass through fork and exec with the descriptor and end when its last copy is closed, however that happens.
 */
#include "store/store_private.h"

#include <fcntl.h>

static struct flock byte_of(int64_t number)
{
    return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = number, .l_len = 1 };
}

int store_lock_open(struct store *store, struct cl_error *err)
{
    int fd = openat(store->state_fd, "locks", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return cl_fail(err, errno, "open %s/locks", store->state);
    return fd;
}

int store_lock_try(int lock_fd, int64_t number)
{
    struct flock lock = byte_of(number);
    if (fcntl(lock_fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

int store_lock_wait(int lock_fd, int64_t number)
{
    struct flock lock = byte_of(number);
    return fcntl(lock_fd, F_OFD_SETLKW, &lock) == 0 ? 0 : -errno;
}

bool store_lock_is_held(struct store *store, int64_t number)
{
    struct flock lock = byte_of(number);
    if (fcntl(store->locks_fd, F_OFD_GETLK, &lock) < 0)
        return true; /* unknown: never treat a living owner as dead */
    return lock.l_type != F_UNLCK;
}
