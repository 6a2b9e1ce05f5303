/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rm -rf for what containers leave behind, which is hostile: names are opened one component at a time without following links;
 * a mount point anywhere below (a bind mount of the host's own file system included) stops the work rather than being emptied;
 * and a tree of any depth needs a bounded number of descriptors and of stack, because directories deeper than DEPTH_MAX are
 * first renamed to the top of the tree.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/libc.h"
#include "base/str.h"

enum { DEPTH_MAX = 32 };

struct removal {
    dev_t device;
    int top;        /* the tree's own directory */
    unsigned moved; /* directories brought up to the top so far */
    int first_failure;
    char failed_name[256];
};

static void note(struct removal *removal, int errnum, const char *name)
{
    if (removal->first_failure != 0)
        return;
    removal->first_failure = -errnum;
    (void)CL_PRINT(removal->failed_name, "%s", name); /* a cut name is still a name to look for */
}

/* Which file system, and whether the directory is the root of a mount: statx(2), STATX_ATTR_MOUNT_ROOT since Linux 5.8. */
static int look(int fd, dev_t *ret_device, bool *ret_is_mount)
{
    struct statx info;
    if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &info) < 0)
        return -errno;
    *ret_device = makedev(info.stx_dev_major, info.stx_dev_minor);
    *ret_is_mount = (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    return 0;
}

static int open_child(int parent, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, flags);
    if (fd >= 0 || errno != EACCES)
        return fd < 0 ? -errno : fd;
    /* Our own directory without rights: give them back, by a descriptor so that no link can be slipped in. */
    cl_auto_fd path_fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (path_fd < 0)
        return -EACCES;
    char self[40];
    (void)CL_PRINT(self, "/proc/self/fd/%d", path_fd); /* always fits */
    if (chmod(self, 0700) < 0)
        return -EACCES;
    fd = openat(parent, name, flags);
    return fd < 0 ? -errno : fd;
}

static void empty_directory(struct removal *removal, int take_fd, unsigned depth);

/* True when the directory was moved to the top, where the caller's next round finds it. */
static bool bring_up(struct removal *removal, int parent, const char *name)
{
    char unique[40];
    do {
        (void)CL_PRINT(unique, ".cl-removing.%u", removal->moved++); /* always fits */
        if (renameat2(parent, name, removal->top, unique, RENAME_NOREPLACE) == 0)
            return true;
    } while (errno == EEXIST);
    return false;
}

static void remove_directory(struct removal *removal, int parent, const char *name, unsigned depth)
{
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
        return; /* empty ones, the most of them, need no open */
    if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES) {
        note(removal, errno == EBUSY ? EXDEV : errno, name); /* EBUSY: something is mounted here */
        return;
    }
    int fd = open_child(parent, name);
    dev_t device;
    bool is_mount;
    int r = fd < 0 ? fd : look(fd, &device, &is_mount);
    if (r >= 0 && (is_mount || device != removal->device))
        r = -EXDEV;
    if (r < 0) {
        (void)cl_close(fd);
        note(removal, -r, name);
        return;
    }
    if (depth >= DEPTH_MAX && bring_up(removal, parent, name)) {
        (void)cl_close(fd);
        return;
    }
    empty_directory(removal, fd, depth + 1);
    if (removal->first_failure == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        note(removal, errno, name);
}

static void remove_entry(struct removal *removal, int parent, const struct dirent *entry,
                         unsigned depth)
{
    bool is_directory = entry->d_type == DT_DIR;
    if (!is_directory) {
        if (unlinkat(parent, entry->d_name, 0) == 0 || errno == ENOENT)
            return;
        /* d_type may be unknown; Linux answers EISDIR for unlink of a directory (unlink(2)). */
        is_directory = errno == EISDIR;
        if (!is_directory) {
            note(removal, errno, entry->d_name);
            return;
        }
    }
    remove_directory(removal, parent, entry->d_name, depth);
}

static void empty_directory(struct removal *removal, int take_fd, unsigned depth)
{
    DIR *stream = fdopendir(take_fd);
    if (stream == NULL) {
        note(removal, errno, ".");
        (void)cl_close(take_fd);
        return;
    }
    const struct dirent *entry;
    while ((errno = 0, entry = readdir(stream)) != NULL) {
        if (cl_streq(entry->d_name, ".") || cl_streq(entry->d_name, ".."))
            continue;
        remove_entry(removal, dirfd(stream), entry, depth);
    }
    if (errno != 0)
        note(removal, errno, ".");
    (void)closedir(stream);
}

/* Rounds, until a round has brought nothing up and failed at nothing. */
static int empty_top(struct removal *removal)
{
    unsigned before;
    do {
        before = removal->moved;
        int fd = openat(removal->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return -errno;
        empty_directory(removal, fd, 1);
    } while (removal->moved != before && removal->first_failure == 0);
    return removal->first_failure;
}

static int fail_removal(const struct removal *removal, const char *name, struct cl_error *err)
{
    if (removal->first_failure == -EXDEV)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EXDEV,
                            "remove %s: %s is a mount point; unmount it first", name,
                            removal->failed_name);
    return cl_fail(err, removal->first_failure, "remove %s: %s", name, removal->failed_name);
}

int cl_remove_tree(int dirfd, const char *name, struct cl_error *err)
{
    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR)
        return cl_fail(err, errno, "remove %s", name);
    cl_auto_fd top = open_child(dirfd, name);
    if (top < 0)
        return cl_fail(err, top, "remove %s", name);
    struct removal removal = { .top = top };
    bool is_mount = false;
    int r = look(top, &removal.device, &is_mount);
    if (r < 0)
        return cl_fail(err, r, "remove %s", name);
    if (is_mount)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                            "remove %s: it is a mount point; unmount it first", name);
    r = empty_top(&removal);
    if (removal.first_failure != 0)
        return fail_removal(&removal, name, err);
    if (r < 0)
        return cl_fail(err, r, "remove %s", name);
    if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return cl_fail(err, errno, "remove %s", name);
    return 0;
}
