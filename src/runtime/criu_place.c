/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mount namespace that CRIU restores from, made in the process that becomes CRIU: a copy of the host's in which the root file system is a mount point (CRIU wants
 * that), and what hides masked paths lies beside it. It goes with CRIU, however that ends, so no mount is left on the host; the container's own mounts are copies by then.
 *
 * In a user namespace CRIU mounts as its root, which neither may pass through directories that are the host's root's alone (our state, the sources of binds) nor can clone a
 * mount without those below it. So the sources are brought to a place of their own that anybody could get to, in that mount namespace and nowhere else; what lies around it
 * on the host is hidden by it, and not changed. The same for binds that are id-mapped: CRIU knows nothing of maps, and keeps the one that is there.
 *
 * CRIU mounts, and makes no mount points. They are there unless the root file system is another copy of the image than the one that was checkpointed; so whoever starts
 * a container makes the missing ones, and so do we, in a second namespace that is thrown away: everything that is mounted there later hides what it would hide in the
 * container, so that nothing is made where CRIU brings the files itself.
 */
#include "runtime/child.h"
#include "runtime/criu.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

/* ---- the directories, in the parent ---- */

/* May anybody go there? */
static bool is_open_way(int dir)
{
    struct stat here, above;
    cl_auto_fd at = k_dup(dir);
    while (at >= 0 && fstat(at, &here) == 0) {
        cl_auto_fd up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (up < 0 || fstat(up, &above) < 0)
            return false;
        if (above.st_dev == here.st_dev && above.st_ino == here.st_ino)
            return true; /* the root directory */
        if ((above.st_mode & S_IXOTH) == 0)
            return false;
        (void)cl_close(at);
        at = cl_take_fd(&up);
    }
    return false;
}

static bool take_top(struct criu_place *place, int dir)
{
    char link[32];
    (void)CL_PRINT(link, "self/fd/%d", dir);
    if (dir < 0 || !is_open_way(dir))
        return false;
    ssize_t length =
        readlinkat(place->plan->facts->proc_fd, link, place->top, sizeof place->top - 1);
    place->top[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* The directory of all our state, or else /run: CRIU needs nothing of what is hidden there. */
static int choose_top(struct criu_place *place, const char *dir, struct cl_error *err)
{
    cl_auto_fd own = openat(AT_FDCWD, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cl_auto_fd state = own < 0 ? -EBADF : openat(own, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    cl_auto_fd run = openat(AT_FDCWD, "/run", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (take_top(place, state) || take_top(place, run))
        return 0;
    return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EACCES,
                        "restore in a user namespace: its root can go neither to %s/.. nor to /run",
                        dir);
}

int criu_place_make(struct criu_place *place, const struct runtime_plan *plan, const char *images,
                    struct cl_error *err)
{
    const char *dir = plan->options->state_dir;
    *place = (struct criu_place){ .plan = plan, .images = images };
    if (dir == NULL || CL_PRINT(place->dir, "%s/criu-place", dir) < 0)
        return cl_fail(err, ENAMETOOLONG, "restore the container: its state directory");
    /* What was killed before may have left it. */
    if (mkdirat(AT_FDCWD, place->dir, 0700) < 0 && errno != EEXIST)
        return cl_fail(err, errno, "make directories in %s", dir);
    int result =
        plan->new_user_ns ? choose_top(place, dir, err) : CL_PRINT(place->top, "%s", place->dir);
    if (result >= 0 &&
        (CL_PRINT(place->root, "%s/root", place->top) < 0 ||
         (plan->new_user_ns && CL_PRINT(place->own_images, "%s/" CRIU_IMAGES, place->top) < 0)))
        result = cl_fail(err, ENAMETOOLONG, "restore the container: its state directory");
    if (result >= 0)
        result = criu_find_sources(plan, &place->sources, err);
    return result < 0 ? result : criu_check_sources(plan->spec, &place->sources, err);
}

void criu_place_remove(struct criu_place *place)
{
    criu_sources_done(&place->sources);
    /* Empty: what was mounted on it was never ours. In vain: it goes with the state directory. */
    (void)unlinkat(AT_FDCWD, place->dir, AT_REMOVEDIR);
}

bool criu_place_has(const struct runtime_plan *plan, const struct criu_source *source)
{
    return plan->new_user_ns || source->mount->is_idmapped;
}

/* ---- in the process that becomes CRIU ---- */

static int own_mounts(struct cl_error *err)
{
    int result = k_unshare(CLONE_NEWNS);
    if (result >= 0)
        result = k_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
    return result < 0 ? cl_fail(err, result, "make a mount namespace") : 0;
}

static int attach(int root, const char *where, struct cl_error *err)
{
    int result = k_move_mount(root, AT_FDCWD, where, 0);
    return result < 0 ? cl_fail(err, result, "attach the root file system") : 0;
}

static int attach_root(const struct criu_place *place, const char *where, struct cl_error *err)
{
    const struct runtime_rootfs rootfs = { .path = place->plan->rootfs_path };
    cl_auto_fd root = -EBADF;
    int result = runtime_rootfs_open(&rootfs, &root, err);
    return result < 0 ? result : attach(root, where, err);
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

/* ---- the place ---- */

/* As mask.c makes them. */
static int make_masks(const struct criu_place *place, int top)
{
    cl_auto_fd file = -EBADF;
    if (mkdirat(top, "empty", 0555) < 0)
        return -errno;
    if (!place->plan->new_user_ns)
        return mknodat(top, "null", S_IFCHR | 0666, makedev(1, 3)) < 0 ? -errno : 0;
    file = openat(top, "null", O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
    return file < 0 ? -errno : 0;
}

/* By descriptors of before, since the place may hide where they are. CRIU clones each without what is below, which has a name and a place of its own. */
static int bring_source(const struct criu_place *place, size_t index, int top, int tree)
{
    struct stat info;
    char name[24];
    (void)CL_PRINT(name, "%zu", index);
    if (fstat(tree, &info) < 0)
        return -errno;
    if (S_ISDIR(info.st_mode) && mkdirat(top, name, 0700) < 0)
        return -errno;
    if (!S_ISDIR(info.st_mode)) {
        cl_auto_fd file =
            openat(top, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
        if (file < 0)
            return -errno;
    }
    cl_auto_free char *path = cl_format("%s/%s", place->top, name);
    return path == NULL ? -ENOMEM : k_move_mount(tree, AT_FDCWD, path, 0);
}

/* The map is that of the whole mount, or of the topmost only. */
static bool is_mapped(const struct criu_source *source)
{
    return source->mount->is_idmapped &&
           (source->mount->idmap_recursive || cl_streq(source->path, source->mount->source));
}

/* In the host's ids: there is no user namespace yet that it could belong to. */
static int set_option(const struct runtime_plan *plan, int fs, const char *key, const char *value)
{
    uint64_t id;
    char text[16];
    bool is_uid = cl_streq(key, "uid"), is_gid = cl_streq(key, "gid");
    if (value == NULL)
        return k_fsconfig_flag(fs, key);
    if (!is_uid && !is_gid)
        return k_fsconfig_string(fs, key, value);
    int result = cl_parse_u64(value, 0, UINT32_MAX - 1, &id);
    if (result < 0)
        return result;
    (void)CL_PRINT(
        text, "%u",
        plan_host_id(is_uid ? &plan->spec->linux_.uid_mappings : &plan->spec->linux_.gid_mappings,
                     (uint32_t)id));
    return k_fsconfig_string(fs, key, text);
}

/* As the plan has it, its owner first: an option comes after, and holds. */
static int make_dev(const struct runtime_plan *plan, const struct plan_mount *mount)
{
    cl_auto_fd fs = k_fsopen("tmpfs");
    int result = fs < 0 ? fs : k_fsconfig_string(fs, "source", mount->source);
    if (result >= 0)
        result = set_option(plan, fs, "uid", "0");
    if (result >= 0)
        result = set_option(plan, fs, "gid", "0");
    for (size_t i = 0; result >= 0 && i < mount->option_count; i++)
        result = set_option(plan, fs, mount->options[i].key, mount->options[i].value);
    if (result >= 0)
        result = k_fsconfig_create(fs);
    uint64_t attributes = mount->flags.attr_set & ~(uint64_t)MOUNT_ATTR_RDONLY; /* that is CRIU's */
    return result < 0 ? result : k_fsmount(fs, (unsigned)attributes);
}

/* Of another container, one without a user namespace: there is nothing to be had. */
static int open_dev(const struct criu_place *place, const struct plan_mount *mount,
                    struct cl_error *err)
{
    cl_auto_fd images = openat(AT_FDCWD, place->images, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cl_auto_fd from =
        images < 0 ? -EBADF
                   : openat(images, CRIU_DEV_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (images < 0 || (from < 0 && errno != ENOENT))
        return cl_fail(err, errno, "--image-path %s: open " CRIU_DEV_DIR, place->images);
    cl_auto_fd tree = make_dev(place->plan, mount);
    if (tree < 0)
        return cl_fail(err, tree, "make the container's /dev");
    int result = from < 0 ? 0 : copyup_fill(from, tree, COPYUP_NO_DEVICES, err);
    return result < 0 ? cl_error_prefix(err, "fill the container's /dev") : cl_take_fd(&tree);
}

/* What its options say is CRIU's to set again, and it may not take away or change what is there. Read-only is left to it, as it makes an exception for files that were deleted;
   but not where someone could take it off again. */
static int open_source(const struct criu_place *place, const struct criu_source *source,
                       int *namespaces, struct cl_error *err)
{
    const struct runtime_plan *plan = place->plan;
    if (source->mount->kind == PLAN_MOUNT_FS)
        return open_dev(place, source->mount, err);
    cl_auto_fd tree = k_open_tree(AT_FDCWD, source->path, OPEN_TREE_CLONE);
    if (tree < 0)
        return cl_fail(err, tree, "bind source %s", source->path);
    const struct oci_mount_flags *flags = &source->mount->flags;
    uint64_t without = criu_is_mighty(plan->spec) ? 0 : MOUNT_ATTR_RDONLY;
    const struct k_mount_change change = { .set =
                                               (flags->attr_set | flags->rec_attr_set) & ~without,
                                           .clear = flags->attr_clear & MOUNT_ATTR__ATIME,
                                           .userns_fd = -EBADF };
    int changed = cl_streq(source->path, source->mount->source) && change.set != 0
                      ? k_mount_setattr(tree, &change)
                      : 0;
    if (changed < 0)
        return cl_fail(err, changed, "bind source %s", source->path);
    int result = !is_mapped(source) ? 0
                                    : parent_idmap(plan, (size_t)(source->mount - plan->mounts),
                                                   tree, namespaces, err);
    return result < 0 ? result : cl_take_fd(&tree);
}

/* Those of the parent are kept until CRIU is executed: they close themselves. */
static int open_sources(const struct criu_place *place, int *trees, struct cl_error *err)
{
    size_t count = place->plan->mount_count;
    cl_auto_free int *namespaces = cl_calloc(count + 1, sizeof *namespaces);
    if (namespaces == NULL)
        return cl_fail(err, ENOMEM, "open bind sources");
    for (size_t i = 0; i < count; i++)
        namespaces[i] = -EBADF;
    int result = 0;
    for (size_t i = 0; result >= 0 && i < place->sources.count; i++)
        if (criu_place_has(place->plan, &place->sources.items[i]))
            result = trees[i] = open_source(place, &place->sources.items[i], namespaces, err);
    return result < 0 ? result : 0;
}

static int bring_images(const struct criu_place *place, int images, int top, struct cl_error *err)
{
    int result = place->plan->new_user_ns ? criu_images_bind(images, top, err) : 0;
    return result < 0 ? cl_error_prefix(err, "--image-path %s", place->images) : 0;
}

static int attach_place(const struct criu_place *place, const int *trees, struct cl_error *err)
{
    cl_auto_fd images = openat(AT_FDCWD, place->images, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cl_auto_fd top = new_tmpfs(err);
    if (top < 0 || images < 0)
        return top < 0 ? top : cl_fail(err, errno, "--image-path %s", place->images);
    const struct k_mount_change change = { .set = MOUNT_ATTR_RDONLY, .userns_fd = -EBADF };
    int result = k_move_mount(top, AT_FDCWD, place->top, 0);
    if (result >= 0)
        result = make_masks(place, top);
    if (result >= 0 && mkdirat(top, "root", 0700) < 0)
        result = -errno;
    for (size_t i = 0; result >= 0 && i < place->sources.count; i++)
        if (criu_place_has(place->plan, &place->sources.items[i]))
            result = bring_source(place, i, top, trees[i]);
    if (result < 0)
        return cl_fail(err, result, "make a place to restore from in %s", place->top);
    result = bring_images(place, images, top, err);
    if (result < 0)
        return result;
    result = k_mount_setattr(top, &change);
    return result < 0 ? cl_fail(err, result, "make %s read-only", place->top) : 0;
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
    if (result >= 0)
        result = attach_root(place, place->dir, err);
    if (result < 0)
        return result;
    cl_auto_fd root = openat(AT_FDCWD, place->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
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
static int protect_root(int root, struct cl_error *err)
{
    const struct k_mount_change change = { .set = MOUNT_ATTR_RDONLY, .userns_fd = -EBADF };
    int result = k_mount_setattr(root, &change);
    return result < 0 ? cl_fail(err, result, "make the root file system read-only") : 0;
}

int criu_place_enter(void *data, struct cl_error *err)
{
    const struct criu_place *place = data;
    const struct runtime_rootfs rootfs = { .path = place->plan->rootfs_path };
    cl_auto_fd root = -EBADF;
    cl_auto_free int *trees = cl_calloc(place->sources.count + 1, sizeof *trees);
    int result = trees == NULL ? cl_fail(err, ENOMEM, "open bind sources") : own_mounts(err);
    if (result >= 0)
        result = throw_away_points(place, err);
    if (result >= 0)
        result = open_sources(place, trees, err);
    if (result >= 0)
        result = runtime_rootfs_open(&rootfs, &root, err);
    if (result >= 0 && place->plan->spec->root.readonly)
        result = protect_root(root, err);
    if (result >= 0)
        result = attach_place(place, trees, err);
    return result < 0 ? result : attach(root, place->root, err);
}
