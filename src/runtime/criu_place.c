/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mount namespace that CRIU restores from, made in the process that becomes CRIU: a copy of the host's in which the root file system is a mount point (CRIU wants
 * that), and what hides masked paths lies beside it. It goes with CRIU, however that ends, so no mount is left on the host; the container's own mounts are copies by then.
 *
 * CRIU mounts, and makes no mount points. They are there unless the root file system is another copy of the image than the one that was checkpointed; so whoever starts
 * a container makes the missing ones, and so do we, in a second namespace that is thrown away: everything that is mounted there later hides what it would hide in the
 * container, so that nothing is made where CRIU brings the files itself.
 */
#include "runtime/criu.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

/* ---- the directories, in the parent ---- */

int criu_place_make(struct criu_place *place, const struct runtime_plan *plan, struct cl_error *err)
{
    const char *dir = plan->options->state_dir;
    *place = (struct criu_place){ .plan = plan };
    if (dir == NULL || CL_PRINT(place->root, "%s/criu-root", dir) < 0 ||
        CL_PRINT(place->mask, "%s/criu-mask", dir) < 0)
        return cl_fail(err, ENAMETOOLONG, "restore the container: its state directory");
    /* What was killed before may have left them. */
    if ((mkdirat(AT_FDCWD, place->root, 0700) < 0 && errno != EEXIST) ||
        (mkdirat(AT_FDCWD, place->mask, 0700) < 0 && errno != EEXIST))
        return cl_fail(err, errno, "make directories in %s", dir);
    return 0;
}

void criu_place_remove(const struct criu_place *place)
{
    /* Empty: what was mounted on them was never ours. In vain: they go with the state directory. */
    (void)unlinkat(AT_FDCWD, place->root, AT_REMOVEDIR);
    (void)unlinkat(AT_FDCWD, place->mask, AT_REMOVEDIR);
}

/* ---- in the process that becomes CRIU ---- */

static int own_mounts(struct cl_error *err)
{
    int result = k_unshare(CLONE_NEWNS);
    if (result >= 0)
        result = k_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
    return result < 0 ? cl_fail(err, result, "make a mount namespace") : 0;
}

static int attach_root(const struct criu_place *place, struct cl_error *err)
{
    const struct runtime_rootfs rootfs = { .path = place->plan->rootfs_path };
    cl_auto_fd root = -EBADF;
    int result = runtime_rootfs_open(&rootfs, &root, err);
    if (result < 0)
        return result;
    result = k_move_mount(root, AT_FDCWD, place->root, 0);
    return result < 0 ? cl_fail(err, result, "attach the root file system") : 0;
}

static int new_tmpfs(struct cl_error *err)
{
    cl_auto_fd fs = k_fsopen("tmpfs");
    int result = fs < 0 ? fs : k_fsconfig_string(fs, "source", "tmpfs");
    if (result >= 0)
        result = k_fsconfig_string(fs, "mode", "755");
    if (result >= 0)
        result = k_fsconfig_create(fs);
    if (result >= 0)
        result = k_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    return result < 0 ? cl_fail(err, result, "make a tmpfs") : result;
}

/* As mask.c makes it; there is no user namespace around us that would keep us from making the node. */
static int attach_mask(const struct criu_place *place, struct cl_error *err)
{
    cl_auto_fd top = new_tmpfs(err);
    if (top < 0)
        return top;
    const struct k_mount_change change = { .set = MOUNT_ATTR_RDONLY, .userns_fd = -EBADF };
    int result =
        mknodat(top, "null", S_IFCHR | 0666, makedev(1, 3)) < 0 || mkdirat(top, "empty", 0555) < 0
            ? -errno
            : k_mount_setattr(top, &change);
    if (result >= 0)
        result = k_move_mount(top, AT_FDCWD, place->mask, 0);
    return result < 0 ? cl_fail(err, result, "make what hides masked paths") : 0;
}

/* ---- mount points ---- */

static bool is_directory(int fd)
{
    struct stat info;
    return fstat(fd, &info) < 0 || S_ISDIR(info.st_mode);
}

static int make_point(int root, const struct plan_mount *mount, struct cl_error *err)
{
    cl_auto_fd tree =
        mount->kind == PLAN_MOUNT_BIND
            ? k_open_tree(AT_FDCWD, mount->source,
                          OPEN_TREE_CLONE | (mount->is_recursive_bind ? AT_RECURSIVE : 0))
            : new_tmpfs(err);
    if (tree < 0)
        return cl_fail(err, tree, "bind source %s", mount->source);
    bool is_dir = is_directory(tree);
    cl_auto_fd point = inroot_open(root, mount->target, O_PATH, 0, INROOT_FOLLOW, err);
    if (point == -ENOENT)
        point = is_dir ? inroot_mkdir_p(root, mount->target, 0755, err)
                       : inroot_make_file(root, mount->target, 0644, err);
    int result = point < 0 ? point : k_move_mount(tree, point, "", 0);
    return point >= 0 && result < 0 ? cl_fail(err, result, "attach it") : result;
}

static int make_points(const struct criu_place *place, struct cl_error *err)
{
    int result = own_mounts(err);
    if (result < 0)
        return result;
    cl_auto_fd root = openat(AT_FDCWD, place->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return cl_fail(err, errno, "open the root file system");
    for (size_t i = 0; result >= 0 && i < place->plan->mount_count; i++) {
        const struct plan_mount *mount = &place->plan->mounts[i];
        if (mount->kind == PLAN_MOUNT_CHANGE || mount->flags.copy_symlink)
            continue;
        result = make_point(root, mount, err);
        if (result < 0)
            result = cl_error_prefix(err, "mount point %s", mount->target);
    }
    return result;
}

static int throw_away_points(const struct criu_place *place, struct cl_error *err)
{
    struct cl_error failure = { 0 };
    cl_auto_fd report = -EBADF, told = -EBADF;
    int result = cl_pipe(&report, &told), status;
    pid_t pid = result < 0 ? result : fork();
    if (pid == 0) {
        if (make_points(place, &failure) < 0)
            (void)cl_write_full(told, &failure, sizeof failure);
        _exit(0);
    }
    if (pid < 0)
        return cl_fail(err, result < 0 ? result : errno, "make mount points");
    told = cl_close(told);
    ssize_t size = cl_read_full(report, &failure, sizeof failure);
    (void)k_wait_pid(pid, 0, &status);
    if (size == (ssize_t)sizeof failure && err != NULL)
        *err = failure;
    return size == (ssize_t)sizeof failure ? failure.code : 0;
}

/* CRIU restores the attributes of every mount but the root. */
static int protect_root(const struct criu_place *place, struct cl_error *err)
{
    const struct k_mount_change change = { .set = MOUNT_ATTR_RDONLY, .userns_fd = -EBADF };
    cl_auto_fd root = openat(AT_FDCWD, place->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = root < 0 ? -errno : k_mount_setattr(root, &change);
    return result < 0 ? cl_fail(err, result, "make the root file system read-only") : 0;
}

int criu_place_enter(void *data, struct cl_error *err)
{
    const struct criu_place *place = data;
    int result = own_mounts(err);
    if (result >= 0)
        result = attach_root(place, err);
    if (result >= 0)
        result = throw_away_points(place, err);
    if (result >= 0 && place->plan->spec->root.readonly)
        result = protect_root(place, err);
    return result < 0 ? result : attach_mask(place, err);
}
