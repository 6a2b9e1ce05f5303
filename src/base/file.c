/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files: whole reads with a maximum, one-write control files of proc and cgroup, atomic replacement, directories.
 * Paths here are the host's and ours; nothing in this file is safe inside a container's rootfs (that is kernel/inroot).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"

/* Reads to the end of file. A file of /proc says it is 0 bytes long, so size is found by reading. */
static int read_all(int fd, size_t max, char **ret_text, size_t *ret_size)
{
    cl_auto_free char *text = NULL;
    size_t room = 0, size = 0;
    struct stat info;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
        room = (uint64_t)info.st_size >= max ? max : (size_t)info.st_size;
    room = (room == 0 ? 4096 : room) + 1; /* files of /proc have no size */
    for (;;) {
        char *larger = cl_realloc(text, room + 1);
        if (larger == NULL)
            return -ENOMEM;
        text = larger;
        ssize_t n = cl_read_full(fd, text + size, room - size);
        if (n < 0)
            return (int)n;
        size += (size_t)n;
        if (size > max)
            return -EFBIG;
        if (size < room)
            break;
        if (!cl_mul_size(room, 2, &room))
            return -EFBIG;
    }
    text[size] = '\0';
    *ret_text = cl_take(text);
    if (ret_size != NULL)
        *ret_size = size;
    return 0;
}

static int fail_read(struct cl_error *err, int r, const char *name, size_t max)
{
    if (r == -EFBIG)
        return cl_fail_kind(err, CL_KIND_INVALID, r, "read %s: longer than %zu bytes", name, max);
    return cl_fail(err, r, "read %s", name);
}

int cl_read_fd(int fd, size_t max, char **ret_text, size_t *ret_size, struct cl_error *err)
{
    int r = read_all(fd, max, ret_text, ret_size);
    if (r < 0) {
        char name[40];
        (void)CL_PRINT(name, "file descriptor %d", fd);
        return fail_read(err, r, name, max);
    }
    return 0;
}

int cl_read_file(int dirfd, const char *path, size_t max, char **ret_text, size_t *ret_size,
                 struct cl_error *err)
{
    cl_auto_fd fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return cl_fail(err, errno, "open %s", path);
    struct stat info;
    if (fstat(fd, &info) < 0)
        return cl_fail(err, errno, "read attributes of %s", path);
    if (!S_ISREG(info.st_mode)) {
        int code = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
        return cl_fail_kind(err, CL_KIND_INVALID, code, "read %s: not a regular file", path);
    }
    int r = read_all(fd, max, ret_text, ret_size);
    return r < 0 ? fail_read(err, r, path, max) : 0;
}

ssize_t cl_read_small(int dirfd, const char *path, char *buffer, size_t size)
{
    if (size == 0)
        return -EINVAL;
    cl_auto_fd fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = cl_read_full(fd, buffer, size - 1);
    buffer[n < 0 ? 0 : n] = '\0';
    return n;
}

int cl_write_small(int dirfd, const char *path, const char *text)
{
    cl_auto_fd fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0)
        return -errno;
    size_t size = strlen(text);
    ssize_t n;
    do {
        n = write(fd, text, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return (size_t)n == size ? 0 : -EIO;
}

/* Writes the temporary file; on failure it may be there in part. */
static int write_temporary(int fd, const void *data, size_t size, mode_t mode,
                           enum cl_write_flags flags)
{
    ssize_t n = cl_write_full(fd, data, size);
    if (n < 0)
        return (int)n;
    if (fchmod(fd, mode) < 0)
        return -errno;
    if ((flags & CL_WRITE_SYNC) != 0 && fsync(fd) < 0)
        return -errno;
    return 0;
}

static int sync_directory_of(int dirfd, const char *name)
{
    char path[4096] = ".";
    const char *slash = strrchr(name, '/');
    if (slash != NULL && CL_PRINT(path, "%.*s", (int)(slash - name) + 1, name) < 0)
        return -ENAMETOOLONG;
    cl_auto_fd fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return -errno;
    return 0;
}

/* DIR/NAME → DIR/.NAME.XXXXXXXX */
static int name_temporary(const char *name, char *temporary, size_t size)
{
    char random[9];
    const char *slash = strrchr(name, '/');
    int directory = slash == NULL ? 0 : (int)(slash - name) + 1;
    int r = cl_random_hex(random, 4);
    if (r < 0)
        return r;
    return cl_print(temporary, size, "%.*s.%s.%s", directory, name, name + directory, random);
}

int cl_write_atomic(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                    enum cl_write_flags flags, struct cl_error *err)
{
    char temporary[4096];
    cl_auto_fd fd = -EBADF;
    do {
        int r = name_temporary(name, temporary, sizeof temporary);
        if (r < 0)
            return cl_fail(err, r, "name a temporary file for %s", name);
        fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    } while (fd < 0 && errno == EEXIST);
    if (fd < 0)
        return cl_fail(err, errno, "create %s", temporary);
    int r = write_temporary(fd, data, size, mode, flags);
    if (r < 0) {
        (void)unlinkat(dirfd, temporary, 0); /* the write's failure is the one to report */
        return cl_fail(err, r, "write %s", name);
    }
    if (renameat(dirfd, temporary, dirfd, name) < 0) {
        int saved = errno;
        (void)unlinkat(dirfd, temporary, 0);
        return cl_fail(err, saved, "replace %s", name);
    }
    if ((flags & CL_WRITE_SYNC) != 0) {
        r = sync_directory_of(dirfd, name);
        if (r < 0)
            return cl_fail(err, r, "sync the directory of %s", name);
    }
    return 0;
}

int cl_mkdir_p(int dirfd, const char *path, mode_t mode, struct cl_error *err)
{
    cl_auto_free char *prefix = cl_strdup(path);
    if (prefix == NULL)
        return cl_fail(err, ENOMEM, "create directory %s", path);
    size_t length = strlen(prefix);
    for (size_t i = 1; i <= length; i++) {
        if (prefix[i] != '/' && prefix[i] != '\0')
            continue;
        char saved = prefix[i];
        prefix[i] = '\0';
        /* EROFS and EACCES come before EEXIST on some file systems; the check below decides. */
        if (mkdirat(dirfd, prefix, mode) < 0 && errno != EEXIST && errno != EROFS &&
            errno != EACCES)
            return cl_fail(err, errno, "create directory %s", prefix);
        int failure = errno;
        struct stat info;
        if (fstatat(dirfd, prefix, &info, 0) < 0)
            return cl_fail(err, errno == ENOENT ? failure : errno, "create directory %s", prefix);
        if (!S_ISDIR(info.st_mode))
            return cl_fail(err, ENOTDIR, "create directory %s", prefix);
        prefix[i] = saved;
    }
    return 0;
}

int cl_open_dir(int dirfd, const char *path, mode_t create_mode, int *ret_fd, struct cl_error *err)
{
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && create_mode != 0) {
        if (mkdirat(dirfd, path, create_mode) < 0 && errno != EEXIST)
            return cl_fail(err, errno, "create directory %s", path);
        fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0)
        return cl_fail(err, errno, "open directory %s", path);
    *ret_fd = fd;
    return 0;
}
