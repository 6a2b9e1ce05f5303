/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that the container shall not see, or not change.
 *
 * What hides a file is a null device (in a user namespace an empty file), what hides a directory an
 * empty one: both of our own making,
 * in a tmpfs that nobody else ever sees and that is read-only by the time it is used. Neither the
 * image's /dev/null (CVE-2025-31133) nor the host's (whose mode the container could change through
 * the mask) takes part. The tmpfs lies over our copy of the host's /proc and goes away with the
 * host's tree; the clones of its two entries stay.
 */
#include "runtime/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* In a user namespace nobody makes devices: there an empty file, which can't be written to either, as
   its mount is read-only. Not a bind of the host's null: what a mask is made of is ours alone. */
static int make_null(int top)
{
    struct stat info;
    if (mknodat(top, "null", S_IFCHR | 0666, makedev(1, 3)) < 0) {
        cl_auto_fd file =
            errno != EPERM
                ? -errno
                : openat(top, "null", O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
        return file >= 0 ? 0 : -errno;
    }
    if (fstatat(top, "null", &info, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    return S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3) ? 0 : -ENODEV;
}

static int fill(int top)
{
    int result = make_null(top);
    if (result < 0)
        return result;
    if (mkdirat(top, "empty", 0555) < 0)
        return -errno;
    struct k_mount_change change = { .set = MOUNT_ATTR_RDONLY, .userns_fd = -EBADF };
    return k_mount_setattr(top, &change);
}

/* IN_NEW_MNT. Attached, since cloning a part of a mount needs it to be in our namespace (until Linux 6.15). After the hooks, which may look into the host's /proc. Not on
   "/": that is where the host's tree is taken off in the
   end, and it would take only the topmost mount (mnt_pivot). */
int mask_prepare(struct child *child, struct cl_error *err)
{
    /* The last moment to have the host's, for who may not make one of the host's processes. */
    if (child->proc < 0 && child->process->has_user_ns &&
        (child->plan->clone_flags & CLONE_NEWPID) == 0)
        child->proc = procfs_open_host(NULL);
    cl_auto_fd fs = k_fsopen("tmpfs");
    int result = fs < 0 ? fs : k_fsconfig_string(fs, "source", "tmpfs");
    if (result >= 0)
        result = k_fsconfig_string(fs, "mode", "755");
    const char *label = child->plan->spec->linux_.mount_label;
    if (result >= 0 && label != NULL && label[0] != '\0')
        result = k_fsconfig_string(fs, child->plan->label_option, label);
    if (result >= 0)
        result = k_fsconfig_create(fs);
    cl_auto_fd top = result < 0 ? result : k_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    result = top < 0 ? top : k_move_mount(top, AT_FDCWD, "/proc", 0);
    if (result >= 0)
        result = fill(top);
    if (result < 0)
        return cl_fail(err, result, "make what hides masked paths");
    child->mask = cl_take_fd(&top);
    return 0;
}

static int hide(struct child *child, const char *path, struct cl_error *err)
{
    struct stat info;
    cl_auto_fd target = inroot_open(child->root, path, O_PATH, 0, INROOT_FOLLOW, NULL);
    if (target == -ENOENT || target == -ENOTDIR)
        return 0; /* not on this kernel, or not in this image */
    if (target < 0 || fstat(target, &info) < 0)
        return cl_fail(err, target < 0 ? target : errno, "mask %s", path);
    cl_auto_fd tree =
        k_open_tree(child->mask, S_ISDIR(info.st_mode) ? "empty" : "null", OPEN_TREE_CLONE);
    int result = tree < 0 ? tree : mnt_attach(tree, target);
    return result < 0 ? cl_fail(err, result, "mask %s", path) : 0;
}

/* IN_NEW_MNT */
int mask_hide_paths(struct child *child, struct cl_error *err)
{
    int result = 0;
    for (char **path = child->plan->masked; result >= 0 && *path != NULL; path++)
        result = hide(child, *path, err);
    child->mask = cl_close(child->mask);
    /* Where no tree of the host's goes away, nor does this by itself. */
    if (result >= 0 && child->plan->moves_root) {
        result = k_umount("/proc", MNT_DETACH);
        if (result < 0)
            (void)cl_fail(err, result, "take away what hides masked paths");
    }
    return result;
}

static int protect(struct child *child, const char *path, struct cl_error *err)
{
    struct k_mount_change change = { .set = MOUNT_ATTR_RDONLY, .userns_fd = -EBADF };
    cl_auto_fd target = inroot_open(child->root, path, O_PATH, 0, INROOT_FOLLOW, NULL);
    if (target == -ENOENT || target == -ENOTDIR)
        return 0;
    cl_auto_fd tree = target < 0 ? target : k_open_tree(target, "", OPEN_TREE_CLONE | AT_RECURSIVE);
    int result = tree < 0 ? tree : k_mount_setattr(tree, &change);
    if (result >= 0)
        result = mnt_attach(tree, target);
    return result < 0 ? cl_fail(err, result, "make %s read-only", path) : 0;
}

/* IN_NEW_MNT */
int mask_readonly_paths(struct child *child, struct cl_error *err)
{
    int result = 0;
    for (char **path = child->plan->spec->linux_.readonly_paths; result >= 0 && *path != NULL;
         path++)
        result = protect(child, *path, err);
    return result;
}
