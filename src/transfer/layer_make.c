/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the objects of a layer: files, directories, links, nodes; then owner, mode, attributes and times, in this order: chown(2) clears setuid bits and
 * security.capability, and everything changes times.
 *
 * Every object is made under its own name with O_EXCL or a call that never replaces; only when that says EEXIST, what stands there is removed and
 * the call made again. All calls go by the parent's descriptor and one name without slashes, and none follows a link.
 */
#include "transfer/layer_private.h"

#include <sys/xattr.h>

int layer_clear(const struct layer_place *place, struct cl_error *err)
{
    struct cl_error why = { 0 };
    if (unlinkat(place->parent_fd, place->name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM) /* EPERM: POSIX's word for a directory */
        return layer_fail(err, errno, place, "replace what was there");
    int result = cl_remove_tree(place->parent_fd, place->name, &why);
    return result < 0 ? layer_fail(err, result, place, "replace the directory that was there") : 0;
}

/* ---- attributes ---- */

static bool is_kept_xattr(const char *name)
{
    if (cl_streq(name, "security.capability"))
        return true;
    return cl_starts_with(name, "user.") && !cl_starts_with(name, "user.overlay.");
}

static int set_xattrs(int fd, const struct tar_entry *entry, const struct layer_place *place,
                      struct cl_error *err)
{
    for (size_t i = 0; i < entry->xattr_count; i++) {
        const struct tar_xattr *xattr = &entry->xattrs[i];
        if (!is_kept_xattr(xattr->name)) {
            cl_debug("transfer", "left out: attribute %s of \"%s\"", xattr->name, place->quoted);
            continue;
        }
        if (fsetxattr(fd, xattr->name, xattr->value, xattr->size, 0) == 0)
            continue;
        char quoted[TAR_QUOTE_MAX];
        int cause = errno;
        tar_quote(xattr->name, quoted);
        return cl_fail(err, cause, "tar entry \"%s\": set attribute %s", place->quoted, quoted);
    }
    return 0;
}

static int set_owner(struct layer *layer, const struct tar_entry *entry,
                     const struct layer_place *place, struct cl_error *err)
{
    if (!layer->may_chown) {
        cl_debug("transfer", "left out: owner of \"%s\" (no CAP_CHOWN)", place->quoted);
        return 0;
    }
    if (fchownat(place->parent_fd, place->name, (uid_t)entry->uid, (gid_t)entry->gid,
                 AT_SYMLINK_NOFOLLOW) < 0)
        return layer_fail(err, errno, place, "set its owner");
    return 0;
}

static int set_times_of_name(const struct tar_entry *entry, const struct layer_place *place,
                             struct cl_error *err)
{
    struct timespec times[2];
    layer_times(entry, times);
    if (utimensat(place->parent_fd, place->name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return layer_fail(err, errno, place, "set its times");
    return 0;
}

/* Owner, mode, attributes by descriptor: files and directories. */
static int set_by_fd(struct layer *layer, int fd, const struct tar_entry *entry,
                     const struct layer_place *place, struct cl_error *err)
{
    if (layer->may_chown && fchown(fd, (uid_t)entry->uid, (gid_t)entry->gid) < 0)
        return layer_fail(err, errno, place, "set its owner");
    if (fchmod(fd, entry->mode) < 0)
        return layer_fail(err, errno, place, "set its mode");
    return set_xattrs(fd, entry, place, err);
}

/* ---- files ---- */

static int write_all(int fd, const void *data, size_t size, int64_t offset)
{
    const char *bytes = data;
    while (size > 0) {
        ssize_t written = pwrite(fd, bytes, size, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        bytes += written;
        size -= (size_t)written;
        offset += written;
    }
    return 0;
}

static int fill_file(int fd, struct tar *tar, const struct tar_entry *entry,
                     const struct layer_place *place, struct cl_error *err)
{
    const void *data = NULL;
    size_t size = 0;
    int64_t offset = 0, end = 0;
    int more, result = 0;
    while ((more = tar_data(tar, &data, &size, &offset, err)) > 0) {
        if (offset < 0 || offset > entry->size || (int64_t)size > entry->size - offset)
            return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                                "corrupt tar: entry \"%s\" has data beyond its size",
                                place->quoted);
        result = write_all(fd, data, size, offset);
        if (result < 0)
            return layer_fail(err, result, place, "write its data");
        end = size > 0 ? offset + (int64_t)size : end;
    }
    if (more < 0) {
        (void)cl_error_prefix(err, "tar entry \"%s\"", place->quoted);
        return more;
    }
    if (end < entry->size && ftruncate(fd, entry->size) < 0) /* it ends in a hole */
        return layer_fail(err, errno, place, "write its data");
    return 0;
}

static int create_file(const struct layer_place *place)
{
    int fd = openat(place->parent_fd, place->name,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

static int make_file(struct layer *layer, struct tar *tar, const struct tar_entry *entry,
                     const struct layer_place *place, struct cl_error *err)
{
    cl_auto_fd fd = create_file(place);
    if (fd == -EEXIST) {
        int cleared = layer_clear(place, err);
        if (cleared < 0)
            return cleared;
        fd = create_file(place);
    }
    if (fd < 0)
        return layer_fail(err, fd, place, "make a file");
    int result = fill_file(fd, tar, entry, place, err);
    if (result >= 0)
        result = set_by_fd(layer, fd, entry, place, err);
    if (result < 0)
        return result;
    struct timespec times[2];
    layer_times(entry, times);
    return futimens(fd, times) < 0 ? layer_fail(err, errno, place, "set its times") : 0;
}

/* ---- directories ---- */

/* A directory over a whiteout of the same layer: what is below stays hidden, so it is opaque. */
static int make_directory(struct layer *layer, const struct tar_entry *entry,
                          const struct layer_place *place, struct cl_error *err)
{
    struct stat status;
    bool is_opaque = false;
    if (mkdirat(place->parent_fd, place->name, 0700) < 0) {
        if (errno != EEXIST)
            return layer_fail(err, errno, place, "make a directory");
        if (fstatat(place->parent_fd, place->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            return layer_fail(err, errno, place, "look at what was there");
        if (!S_ISDIR(status.st_mode)) {
            is_opaque = layer_is_whiteout(&status);
            int result = layer_clear(place, err);
            if (result < 0)
                return result;
            if (mkdirat(place->parent_fd, place->name, 0700) < 0)
                return layer_fail(err, errno, place, "make a directory");
        }
    }
    cl_auto_fd fd =
        openat(place->parent_fd, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return layer_fail(err, errno, place, "open the directory");
    int result = is_opaque ? layer_make_opaque(fd, place->quoted, err) : 0;
    return result < 0 ? result : set_by_fd(layer, fd, entry, place, err);
}

/* ---- links ---- */

static int make_symlink(struct layer *layer, const struct tar_entry *entry,
                        const struct layer_place *place, struct cl_error *err)
{
    int result = symlinkat(entry->link, place->parent_fd, place->name) < 0 ? -errno : 0;
    if (result == -EEXIST) {
        result = layer_clear(place, err);
        if (result < 0)
            return result;
        result = symlinkat(entry->link, place->parent_fd, place->name) < 0 ? -errno : 0;
    }
    if (result < 0)
        return layer_fail(err, result, place, "make a symbolic link");
    result = set_owner(layer, entry, place, err);
    return result < 0 ? result : set_times_of_name(entry, place, err);
}

static bool is_same_object(int dir_a, const char *a, int dir_b, const char *b)
{
    struct stat one, other;
    return fstatat(dir_a, a, &one, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(dir_b, b, &other, AT_SYMLINK_NOFOLLOW) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static int fail_hardlink(struct cl_error *err, int errnum, const struct tar_entry *entry,
                         const struct layer_place *place)
{
    char target[TAR_QUOTE_MAX];
    tar_quote(entry->link, target);
    if (errnum == -ENOENT || errnum == -ENOTDIR)
        return cl_fail_kind(err, CL_KIND_INVALID, ENOENT,
                            "tar entry \"%s\" is a hard link to \"%s\", which the archive doesn't "
                            "have before it",
                            place->quoted, target);
    return cl_fail(err, errnum, "tar entry \"%s\": make a hard link to \"%s\"", place->quoted,
                   target);
}

/* To the target itself, also when that is a symbolic link. Owner, mode and times are the target's. */
static int make_hardlink(struct layer *layer, const struct tar_entry *entry,
                         const struct layer_place *place, struct cl_error *err)
{
    char name[256];
    cl_auto_fd parent = inroot_parent(layer->root_fd, entry->link, false, name, NULL);
    if (parent < 0)
        return fail_hardlink(err, parent, entry, place);
    int result = linkat(parent, name, place->parent_fd, place->name, 0) < 0 ? -errno : 0;
    if (result == -EEXIST) {
        if (is_same_object(parent, name, place->parent_fd, place->name))
            return 0;
        result = layer_clear(place, err);
        if (result < 0)
            return result;
        result = linkat(parent, name, place->parent_fd, place->name, 0) < 0 ? -errno : 0;
    }
    return result < 0 ? fail_hardlink(err, result, entry, place) : 0;
}

/* ---- nodes ---- */

/* Containers get a /dev of their own, so that what an image has there is never seen: no loss where device nodes can't be made. */
static bool is_in_dev(const char *path)
{
    while (cl_starts_with(path, "./") || cl_starts_with(path, "/"))
        path++;
    return cl_starts_with(path, "dev/");
}

static int make_node(struct layer *layer, const struct tar_entry *entry,
                     const struct layer_place *place, struct cl_error *err)
{
    mode_t format = entry->type == TAR_FIFO        ? S_IFIFO
                    : entry->type == TAR_CHARACTER ? S_IFCHR
                                                   : S_IFBLK;
    mode_t mode = format | (entry->mode & 0777); /* setuid bits mean nothing here */
    int result = mknodat(place->parent_fd, place->name, mode, entry->device) < 0 ? -errno : 0;
    if (result == -EEXIST) {
        result = layer_clear(place, err);
        if (result < 0)
            return result;
        result = mknodat(place->parent_fd, place->name, mode, entry->device) < 0 ? -errno : 0;
    }
    if (result == -EPERM && is_in_dev(entry->path)) {
        cl_debug("transfer", "left out: device \"%s\" (no CAP_MKNOD)", place->quoted);
        return 0;
    }
    if (result < 0)
        return layer_fail(err, result, place, "make a device node or FIFO");
    result = set_owner(layer, entry, place, err);
    return result < 0 ? result : set_times_of_name(entry, place, err);
}

/* The image's own root directory: it is there, only its looks can be set. */
static int set_root(struct layer *layer, const struct tar_entry *entry,
                    const struct layer_place *place, struct cl_error *err)
{
    if (entry->type != TAR_DIRECTORY)
        return cl_fail_kind(
            err, CL_KIND_INVALID, EINVAL,
            "tar entry \"%s\" would put something else in place of the image's root "
            "directory",
            place->quoted);
    return set_by_fd(layer, layer->root_fd, entry, place, err);
}

int layer_make(struct layer *layer, struct tar *tar, const struct tar_entry *entry,
               const struct layer_place *place, struct cl_error *err)
{
    if (cl_streq(place->name, "."))
        return set_root(layer, entry, place, err);
    switch (entry->type) {
    case TAR_FILE:
        return make_file(layer, tar, entry, place, err);
    case TAR_DIRECTORY:
        return make_directory(layer, entry, place, err);
    case TAR_SYMLINK:
        return make_symlink(layer, entry, place, err);
    case TAR_HARDLINK:
        return make_hardlink(layer, entry, place, err);
    case TAR_CHARACTER:
    case TAR_BLOCK:
    case TAR_FIFO:
        return make_node(layer, entry, place, err);
    }
    return layer_fail(err, EINVAL, place, "make it");
}
