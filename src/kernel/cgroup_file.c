/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files and directories of cgroupfs: small reads and writes, walking subgroups, checking names.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <time.h>

#include "kernel/cgroup_private.h"
#include "kernel/hook.h"

ssize_t cgroup_file_read(int dir_fd, const char *file, char *buffer, size_t size)
{
    cl_auto_fd fd = (int)K_CALL("openat", SYS_openat, dir_fd, (long)file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fd;
    long length;
    do
        length = K_CALL("read", SYS_read, fd, (long)buffer, (long)(size - 1));
    while (length == -EINTR);
    if (length < 0)
        return length;
    if (length > 0 && buffer[length - 1] == '\n')
        length--;
    buffer[length] = '\0';
    return length;
}

int cgroup_file_write(int dir_fd, const char *file, const char *value)
{
    cl_auto_fd fd = (int)K_CALL("openat", SYS_openat, dir_fd, (long)file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fd;
    size_t length = strlen(value);
    long written;
    do
        written = K_CALL("write", SYS_write, fd, (long)value, (long)length);
    while (written == -EINTR);
    if (written < 0)
        return (int)written;
    return (size_t)written == length ? 0 : -EIO;
}

int cgroup_file_number(int dir_fd, const char *file, const char *key, uint64_t *ret)
{
    char text[4096];
    ssize_t size = cgroup_file_read(dir_fd, file, text, sizeof text);
    if (size < 0)
        return (int)size;
    size_t length = strlen(key);
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return cl_parse_u64(line + length + 1, 0, UINT64_MAX, ret);
    }
    return -ENODATA;
}

int cgroup_dir_open(int dir_fd, const char *path)
{
    return (int)K_CALL("openat", SYS_openat, dir_fd, (long)path,
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int cgroup_dir_next(int dir_fd, struct cgroup_dir_walk *walk, char name[static 256])
{
    if (!walk->started) {
        walk->started = true;
        walk->at = walk->end = 0;
        if (lseek(dir_fd, 0, SEEK_SET) < 0)
            return -errno;
    }
    for (;;) {
        while (walk->at < walk->end) {
            const struct dirent64 *entry =
                (const struct dirent64 *)(const void *)(walk->buffer + walk->at);
            walk->at += entry->d_reclen;
            if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
                strcmp(entry->d_name, "..") == 0)
                continue;
            return cl_print(name, 256, "%s", entry->d_name) < 0 ? -ENAMETOOLONG : 1;
        }
        long size =
            K_CALL("getdents64", SYS_getdents64, dir_fd, (long)walk->buffer, sizeof walk->buffer);
        if (size <= 0)
            return (int)size;
        walk->at = 0;
        walk->end = (size_t)size;
    }
}

bool cgroup_list_has(const char *list, char separator, const char *word, size_t length)
{
    for (const char *at = list; at != NULL && length > 0;) {
        const char *end = strchr(at, separator);
        size_t size = end != NULL ? (size_t)(end - at) : strlen(at);
        if (size == length && memcmp(at, word, length) == 0)
            return true;
        at = end != NULL ? end + 1 : NULL;
    }
    return false;
}

int cgroup_path_check(const char *path)
{
    if (strlen(path) >= sizeof((struct cgroup *)NULL)->path)
        return -ENAMETOOLONG;
    for (const char *at = path;; at++) {
        size_t length = strcspn(at, "/");
        bool is_dots = length <= 2 && strspn(at, ".") >= length; /* also the empty one */
        if (is_dots || memchr(at, '\n', length) != NULL)
            return -EINVAL;
        if (length > NAME_MAX)
            return -ENAMETOOLONG;
        at += length;
        if (*at == '\0')
            return 0;
    }
}

int64_t cgroup_now_ms(void)
{
    struct timespec now = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail for this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
