/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpcopyup: a new tmpfs begins with what the image has in the directory that it covers.
 *
 * The image is hostile, so nothing is looked up by more than one name: each directory is opened
 * below its parent's descriptor, and what was opened is checked again before it is read. Links are
 * copied as links, never followed; what is mounted below the directory is somebody else's and stays
 * an empty mount point. Contents (holes stay holes), type, mode, owner, times, extended attributes
 * and hard links are kept. What bounds it is the tmpfs's own size and the container's memory limit,
 * a depth, and a number of entries. A copy that is not complete is an error: the tmpfs is not
 * attached then, and vanishes.
 */
#include "runtime/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/libc.h"
#define DEPTH_MAX   128 /* two descriptors each, below the usual 1024 */
#define ENTRIES_MAX 1000000
#define XATTRS_MAX  65536 /* the kernel's own limits of a list and of a value */

/* A file that has more than one name: the first of them, below the tmpfs's root. */
struct linked {
    dev_t device;
    ino_t inode;
    char path[];
};

struct level {
    int from, to;
    size_t path_length; /* of the path above it */
    struct statx info;
    size_t at, end; /* of entries */
    _Alignas(8) char entries[4096];
};

struct copy {
    int root; /* of the tmpfs */
    uint64_t mount_id;
    bool whole, no_devices;
    size_t entry_count, depth;
    void *links;         /* tsearch(3) of struct linked */
    char *values;        /* XATTRS_MAX for the list, as much for a value */
    char path[PATH_MAX]; /* of what is at hand, below the root */
    struct level *levels[DEPTH_MAX];
};

/* ---- extended attributes ---- */

/* By name from the working directory: neither a link nor a device can be opened to ask it. */
static int copy_xattr(const char *name, const char *key, int from, int to, char *value)
{
    if (fchdir(from) < 0)
        return -errno;
    /* allowed: a single component of the working directory, not followed */
    ssize_t size = lgetxattr(name, key, value, XATTRS_MAX);
    if (size < 0)
        return errno == ENODATA ? 0 : -errno;
    if (fchdir(to) < 0)
        return -errno;
    /* ENOTSUP: not a kind that this tmpfs holds ("user." before Linux 6.6, a label under context=).
     */
    /* allowed: likewise */
    return lsetxattr(name, key, value, (size_t)size, 0) < 0 && errno != ENOTSUP ? -errno : 0;
}

static int copy_xattrs(struct copy *copy, const char *name, int from, int to)
{
    if (fchdir(from) < 0)
        return -errno;
    ssize_t size = llistxattr(name, copy->values, XATTRS_MAX);
    if (size < 0)
        return errno == ENOTSUP ? 0 : -errno;
    int result = 0;
    for (const char *key = copy->values; result >= 0 && key < copy->values + size;
         key += strlen(key) + 1)
        result = copy_xattr(name, key, from, to, copy->values + XATTRS_MAX);
    return result;
}

/* ---- one entry ---- */

static int look(int dir, const char *name, struct statx *ret)
{
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name[0] == '\0' ? AT_EMPTY_PATH : 0);
    return statx(dir, name, flags, STATX_BASIC_STATS | STATX_MNT_ID, ret) < 0 ? -errno : 0;
}

/* In this order: a change of owner takes the set-user-ID bit and file capabilities away, every
   change but of times changes a time. */
static int set_metadata(struct copy *copy, const struct level *level, const char *name,
                        const struct statx *info)
{
    const struct timespec times[] = { { info->stx_atime.tv_sec, info->stx_atime.tv_nsec },
                                      { info->stx_mtime.tv_sec, info->stx_mtime.tv_nsec } };
    if (fchownat(level->to, name, info->stx_uid, info->stx_gid, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    int result = copy_xattrs(copy, name, level->from, level->to);
    if (result < 0)
        return result;
    /* The name is our own and new, in a tmpfs that nobody else sees. */
    if (!S_ISLNK(info->stx_mode) && fchmodat(level->to, name, info->stx_mode & 07777, 0) < 0)
        return -errno;
    return utimensat(level->to, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int send_range(int from, int to, off_t at, off_t end)
{
    if (lseek(to, at, SEEK_SET) < 0)
        return -errno;
    while (at < end) {
        ssize_t size = sendfile(to, from, &at, (size_t)(end - at));
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return -errno;
        if (size == 0)
            return 0; /* it became shorter */
    }
    return 0;
}

/* Only what holds data: a hole of a terabyte costs nothing. */
static int copy_contents(int from, int to, off_t size)
{
    int result = ftruncate(to, size) < 0 ? -errno : 0;
    for (off_t at = 0; result >= 0 && at < size;) {
        off_t data = lseek(from, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break; /* a hole up to the end */
        if (data < 0)
            return -errno;
        off_t hole = lseek(from, data, SEEK_HOLE);
        if (hole < 0)
            return -errno;
        at = hole < size ? hole : size;
        result = send_range(from, to, data, at);
    }
    return result;
}

static int copy_file(const struct level *level, const char *name, const struct statx *seen)
{
    struct statx info = { 0 };
    /* Swapped for a FIFO in the meantime, it must not keep us waiting. */
    cl_auto_fd from =
        openat(level->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int result = from < 0 ? -errno : look(from, "", &info);
    if (result < 0)
        return result;
    if (!S_ISREG(info.stx_mode) || info.stx_ino != seen->stx_ino)
        return -ESTALE;
    cl_auto_fd to =
        openat(level->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return to < 0 ? -errno : copy_contents(from, to, (off_t)info.stx_size);
}

static int copy_symlink(const struct level *level, const char *name)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(level->from, name, target, sizeof target - 1);
    if (length < 0)
        return -errno;
    target[length] = '\0';
    return symlinkat(target, level->to, name) < 0 ? -errno : 0;
}

static int make_special(const struct level *level, const char *name, const struct statx *info)
{
    dev_t number = makedev(info->stx_rdev_major, info->stx_rdev_minor);
    return mknodat(level->to, name, info->stx_mode & (S_IFMT | 0777), number) < 0 ? -errno : 0;
}

/* ---- hard links ---- */

static int compare_linked(const void *a, const void *b)
{
    const struct linked *x = a, *y = b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return x->inode == y->inode ? 0 : x->inode < y->inode ? -1 : 1;
}

/* 1: it is there already under another name, which this one now is too. 0: the first one of them. */
static int link_again(struct copy *copy, const struct level *level, const char *name,
                      const struct statx *info)
{
    size_t length = strlen(copy->path) + 1;
    struct linked *file = cl_malloc(sizeof *file + length);
    if (file == NULL)
        return -ENOMEM;
    file->device = makedev(info->stx_dev_major, info->stx_dev_minor);
    file->inode = info->stx_ino;
    memcpy(file->path, copy->path, length);
    struct linked **found = tsearch(file, &copy->links, compare_linked);
    if (found == NULL) {
        free(file);
        return -ENOMEM;
    }
    if (*found == file)
        return 0;
    free(file);
    return linkat(copy->root, (*found)->path, level->to, name, 0) < 0 ? -errno : 1;
}

/* ---- the walk ---- */

static int enter(struct copy *copy, int from, int to, const struct statx *info, size_t path_length)
{
    if (copy->depth == DEPTH_MAX)
        return -ELOOP;
    struct level *level = cl_malloc(sizeof *level);
    if (level == NULL)
        return -ENOMEM;
    *level = (struct level){ .from = from, .to = to, .info = *info, .path_length = path_length };
    copy->levels[copy->depth++] = level;
    return 0;
}

static void leave(struct copy *copy)
{
    struct level *level = copy->levels[--copy->depth];
    copy->path[level->path_length] = '\0';
    (void)cl_close(level->from);
    (void)cl_close(level->to);
    free(level);
}

/* The directory itself is finished when everything is in it: its times change until then. */
static int enter_directory(struct copy *copy, const struct level *level, const char *name,
                           const struct statx *info, size_t path_length)
{
    bool is_mount = info->stx_mnt_id != copy->mount_id;
    if (mkdirat(level->to, name, is_mount ? 0755 : 0700) < 0)
        return -errno;
    if (is_mount)
        return 0;
    struct statx again;
    cl_auto_fd from = openat(level->from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    cl_auto_fd to = from < 0
                        ? -errno
                        : openat(level->to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0 || to < 0)
        return from < 0 ? to : -errno;
    int result = look(from, "", &again);
    if (result >= 0 && again.stx_mnt_id != copy->mount_id)
        result = -ESTALE;
    if (result >= 0)
        result = enter(copy, from, to, &again, path_length);
    if (result < 0)
        return result;
    (void)cl_take_fd(&from);
    (void)cl_take_fd(&to);
    return 1;
}

static int make_entry(struct copy *copy, const struct level *level, const char *name,
                      const struct statx *info)
{
    if (info->stx_mnt_id != copy->mount_id) /* an empty mount point, too */
        return mknodat(level->to, name, S_IFREG | 0644, 0) < 0 ? -errno : 0;
    if (copy->no_devices && (S_ISCHR(info->stx_mode) || S_ISBLK(info->stx_mode)))
        return -EPERM;
    int result = info->stx_nlink > 1 ? link_again(copy, level, name, info) : 0;
    if (result != 0)
        return result;
    if (S_ISREG(info->stx_mode))
        result = copy_file(level, name, info);
    else
        result =
            S_ISLNK(info->stx_mode) ? copy_symlink(level, name) : make_special(level, name, info);
    return result < 0 ? result : set_metadata(copy, level, name, info);
}

static int copy_entry(struct copy *copy, const char *name)
{
    struct statx info;
    const struct level *level = copy->levels[copy->depth - 1];
    size_t path_length = strlen(copy->path);
    if (++copy->entry_count > ENTRIES_MAX)
        return -EMFILE;
    if (cl_print(copy->path + path_length, sizeof copy->path - path_length, "%s%s",
                 path_length > 0 ? "/" : "", name) < 0)
        return -ENAMETOOLONG;
    int result = look(level->from, name, &info);
    if (result >= 0 && S_ISDIR(info.stx_mode)) {
        result = enter_directory(copy, level, name, &info, path_length);
        if (result == 1)
            return 0; /* the path goes on from here */
    } else if (result >= 0) {
        result = make_entry(copy, level, name, &info);
    }
    if (result >= 0)
        copy->path[path_length] = '\0';
    return result < 0 ? result : 0;
}

struct dirent_record { /* struct linux_dirent64 */
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* 1: *ret_name; 0: no more. */
static int next_entry(struct level *level, const char **ret_name)
{
    for (;;) {
        if (level->at == level->end) {
            long size = syscall(SYS_getdents64, level->from, level->entries, sizeof level->entries);
            if (size <= 0)
                return size < 0 ? -errno : 0;
            level->at = 0;
            level->end = (size_t)size;
        }
        const struct dirent_record *entry = (const void *)(level->entries + level->at);
        level->at += entry->length;
        if (cl_streq(entry->name, ".") || cl_streq(entry->name, ".."))
            continue;
        *ret_name = entry->name;
        return 1;
    }
}

static int walk(struct copy *copy)
{
    int result = 0;
    while (result >= 0 && copy->depth > 0) {
        const char *name = "";
        struct level *level = copy->levels[copy->depth - 1];
        result = next_entry(level, &name);
        if (result > 0) {
            result = copy_entry(copy, name);
        } else if (result == 0) {
            /* The tmpfs's own root may belong to the mount's options. */
            result =
                copy->depth > 1 || copy->whole ? set_metadata(copy, level, ".", &level->info) : 0;
            if (result >= 0)
                leave(copy);
        }
    }
    return result;
}

static void copy_done(struct copy *copy)
{
    while (copy->depth > 0)
        leave(copy);
    tdestroy(copy->links, free);
    free(copy->values);
    free(copy);
}

static int begin(struct copy *copy, int from_dir, int tree)
{
    struct statx info;
    cl_auto_fd from = openat(from_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cl_auto_fd to = from < 0 ? -errno : openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (from < 0 || to < 0)
        return from < 0 ? to : -errno;
    int result = look(from, "", &info);
    if (result < 0)
        return result;
    copy->root = to;
    copy->mount_id = info.stx_mnt_id;
    copy->values = cl_malloc(2 * (size_t)XATTRS_MAX);
    result = copy->values == NULL ? -ENOMEM : enter(copy, from, to, &info, 0);
    if (result < 0)
        return result;
    (void)cl_take_fd(&from);
    (void)cl_take_fd(&to);
    return 0;
}

static int describe(const struct copy *copy, int code, struct cl_error *err)
{
    char shown[200];
    size_t i = 0;
    for (; i < sizeof shown - 1 && copy->path[i] != '\0'; i++)
        shown[i] = copy->path[i] >= ' ' && copy->path[i] < 0x7f ? copy->path[i] : '?';
    shown[i] = '\0';
    (void)cl_fail(err, code, "tmpcopyup of \"%s\"", shown);
    if (code == -ENOSPC || code == -EDQUOT)
        return cl_error_hint(err, "the tmpfs is full: its option size= or nr_inodes= is too small");
    if (code == -ELOOP && copy->depth == DEPTH_MAX)
        return cl_error_hint(err, "directories are nested more than 128 deep");
    if (code == -EMFILE && copy->entry_count > ENTRIES_MAX)
        return cl_error_hint(err, "there are more than a million files");
    return code;
}

int copyup_fill(int from_dir, int tree, unsigned flags, struct cl_error *err)
{
    struct copy *copy = cl_calloc(1, sizeof *copy);
    cl_auto_fd cwd = copy == NULL ? -ENOMEM : open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = cwd < 0 ? (copy == NULL ? -ENOMEM : -errno) : begin(copy, from_dir, tree);
    if (result >= 0) {
        copy->whole = (flags & COPYUP_WHOLE) != 0;
        copy->no_devices = (flags & COPYUP_NO_DEVICES) != 0;
        result = walk(copy);
    }
    if (result < 0)
        result = copy != NULL ? describe(copy, result, err) : cl_fail(err, result, "tmpcopyup");
    if (cwd >= 0 && fchdir(cwd) < 0 && result >= 0)
        result = cl_fail(err, errno, "tmpcopyup: go back");
    if (copy != NULL)
        copy_done(copy);
    return result;
}
