/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths inside a rootfs: openat2 where the kernel lets us, walk.c's hand-walk elsewhere and
 * wherever something is to be made.
 *
 * Making goes by the hand-walk on purpose: images have links such as /var/run -> /run whose target
 * is missing, and only a walk that reads each link can make the target where the image means it.
 * What exists already (the usual case) costs one openat2.
 */
#include "kernel/inroot.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "kernel/hook.h"
#include "kernel/walk.h"

/* openat2 answers EAGAIN when a rename anywhere on the machine crosses a ".." of ours; then the
   walk by hand, which holds its parents, decides. */
#define OPENAT2_TRIES 32

static int open_plain(int root_fd, const char *path, int open_flags, mode_t mode,
                      enum inroot_flags flags)
{
    if (strlen(path) >= PATH_MAX)
        return -ENAMETOOLONG;
    bool makes = (open_flags & O_CREAT) != 0 || (open_flags & O_TMPFILE) == O_TMPFILE;
    struct open_how how = {
        .flags = (uint64_t)(unsigned)open_flags | O_CLOEXEC,
        .mode = makes ? mode & 07777 : 0,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS |
                   ((flags & INROOT_NO_SYMLINKS) != 0 ? RESOLVE_NO_SYMLINKS : 0) |
                   ((flags & INROOT_NO_XDEV) != 0 ? RESOLVE_NO_XDEV : 0),
    };
    int fd = -EAGAIN;
    for (int i = 0; fd == -EAGAIN && i < OPENAT2_TRIES; i++)
        fd = k_openat2(root_fd, path, &how);
    /* EPERM is also what filters of older sandboxes answer to a call that they do not know; by
       hand the true answer comes out. */
    if (fd != -ENOSYS && fd != -EPERM && fd != -EAGAIN)
        return fd;
    struct walk_goal goal = { .open_flags = open_flags, .mode = (mode_t)how.mode, .flags = flags };
    return walk_open(root_fd, path, &goal);
}

static int report(struct cl_error *err, int code, const char *attempt, const char *path)
{
    int result = cl_fail(err, code, "%s %s inside the root file system", attempt, path);
    if (code == -ELOOP)
        (void)cl_error_hint(err,
                            "a symbolic link is in the way, links form a circle, or one is magic");
    else if (code == -EXDEV)
        (void)cl_error_hint(err, "the path leads into another mount");
    return result;
}

int inroot_open(int root_fd, const char *path, int open_flags, mode_t mode, enum inroot_flags flags,
                struct cl_error *err)
{
    int fd = open_plain(root_fd, path, open_flags, mode, flags);
    return fd < 0 ? report(err, fd, "open", path) : fd;
}

static int mkdir_p(int root_fd, const char *path, mode_t mode, int open_flags)
{
    int fd = open_plain(root_fd, path, open_flags, 0, INROOT_FOLLOW);
    if (fd != -ENOENT)
        return fd;
    struct walk_goal goal = {
        .open_flags = open_flags,
        .mode = mode & 07777,
        .dir_mode = mode & 07777,
        .make = WALK_MAKE_PARENTS | WALK_MAKE_LAST_DIR,
    };
    return walk_open(root_fd, path, &goal);
}

int inroot_mkdir_p(int root_fd, const char *path, mode_t mode, struct cl_error *err)
{
    int fd = mkdir_p(root_fd, path, mode, O_RDONLY | O_DIRECTORY);
    return fd < 0 ? report(err, fd, "make directory", path) : fd;
}

int inroot_make_file(int root_fd, const char *path, mode_t mode, struct cl_error *err)
{
    int fd = open_plain(root_fd, path, O_PATH, 0, INROOT_FOLLOW);
    if (fd == -ENOENT) {
        struct walk_goal goal = {
            .open_flags = O_PATH,
            .mode = mode & 0777,
            .dir_mode = 0755,
            .make = WALK_MAKE_PARENTS | WALK_MAKE_LAST_FILE,
        };
        fd = walk_open(root_fd, path, &goal);
    }
    return fd < 0 ? report(err, fd, "make file", path) : fd;
}

/* Split by text: the last component (it is not followed by any caller) and what is before it.
   "." for the root. */
static int split(const char *path, char directory[static PATH_MAX], char name[static 256])
{
    size_t end = strlen(path);
    if (end >= PATH_MAX)
        return -ENAMETOOLONG;
    if (end == 0)
        return -ENOENT;
    /* "a/", "a/." and "a/./" all name a. */
    while (end > 0 &&
           (path[end - 1] == '/' || (path[end - 1] == '.' && (end == 1 || path[end - 2] == '/'))))
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    size_t length = end - start;
    if (length > NAME_MAX)
        return -ENAMETOOLONG;
    if (length == 2 && memcmp(path + start, "..", 2) == 0)
        return -EINVAL;
    memcpy(name, length > 0 ? path + start : ".", length > 0 ? length : 1);
    name[length > 0 ? length : 1] = '\0';
    memcpy(directory, start > 0 ? path : "/", start > 0 ? start : 1);
    directory[start > 0 ? start : 1] = '\0';
    return 0;
}

static int parent_of(int root_fd, const char *path, bool make_parents, char name[static 256])
{
    char directory[PATH_MAX], last[256];
    int code = split(path, directory, last);
    if (code < 0)
        return code;
    int flags = O_PATH | O_DIRECTORY;
    int fd = make_parents ? mkdir_p(root_fd, directory, 0755, flags)
                          : open_plain(root_fd, directory, flags, 0, INROOT_FOLLOW);
    if (fd >= 0)
        memcpy(name, last, sizeof last);
    return fd;
}

int inroot_parent(int root_fd, const char *path, bool make_parents, char name[static 256],
                  struct cl_error *err)
{
    int fd = parent_of(root_fd, path, make_parents, name);
    return fd < 0 ? report(err, fd, "open the directory of", path) : fd;
}

int inroot_mknod(int root_fd, const char *path, mode_t mode, dev_t device, struct cl_error *err)
{
    char name[256];
    cl_auto_fd dir = parent_of(root_fd, path, true, name);
    int code =
        dir < 0 ? dir : (int)K_CALL("mknodat", SYS_mknodat, dir, (long)name, mode, (long)device);
    return code < 0 ? report(err, code, "make device node", path) : 0;
}

int inroot_symlink(int root_fd, const char *target, const char *path, struct cl_error *err)
{
    char name[256];
    cl_auto_fd dir = parent_of(root_fd, path, true, name);
    int code =
        dir < 0 ? dir : (int)K_CALL("symlinkat", SYS_symlinkat, (long)target, dir, (long)name);
    return code < 0 ? report(err, code, "make symbolic link", path) : 0;
}

int inroot_read_file(int root_fd, const char *path, size_t max, char **ret_text, size_t *ret_size,
                     struct cl_error *err)
{
    /* Looked at before it is opened: opening a device can act, opening a FIFO can wait. */
    cl_auto_fd seen = open_plain(root_fd, path, O_PATH, 0, INROOT_FOLLOW);
    if (seen < 0)
        return report(err, seen, "open", path);
    struct stat info;
    if (fstat(seen, &info) < 0)
        return report(err, -errno, "look at", path);
    if (!S_ISREG(info.st_mode))
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "read %s inside the root file system: not a regular file", path);
    cl_auto_fd fd = open_plain(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, INROOT_FOLLOW);
    if (fd < 0)
        return report(err, fd, "open", path);
    if (!k_is_same_file(seen, fd))
        return report(err, -EAGAIN, "read", path); /* swapped meanwhile */
    int code = cl_read_fd(fd, max, ret_text, ret_size, err);
    if (code < 0)
        (void)cl_error_prefix(err, "read %s inside the root file system", path);
    return code;
}
