/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of a container. The parent has opened what only the host can name (root file system,
 * sources of binds, cgroup directories) as detached mounts; here, in the new mount namespace, they
 * are attached below the root's descriptor, and the file systems that belong to the new namespaces
 * (proc, sysfs, mqueue, devpts) are made. No path is ever joined: a target is a descriptor
 * (kernel/inroot.h), so a link that the image holds, or that somebody swaps in while we look
 * (CVE-2021-30465), can lead nowhere but within the root.
 */
#include "runtime/child.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/libc.h"
int mnt_attach(int tree, int target_fd)
{
    return k_move_mount(tree, target_fd, "", 0);
}

/* IN_HOST. Slave rather than private: what the host unmounts goes away here too, until our own copy
   of its tree is gone. */
int mnt_make_private(struct child *child, struct cl_error *err)
{
    int result = k_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
    return result < 0 ? cl_fail(err, result, "make mounts private") : 0;
}

/* On top of our own "/", which is there on any host; looked up by nobody, since everything goes through child->root. Hooks do look it up, to mount something in there: for
   them it lies where the spec says. */
static int attach_root(struct child *child)
{
    const char *path = child->plan->rootfs_path;
    if (path == NULL || !hooks_at_create(child->plan->spec))
        return k_move_mount(child->root, AT_FDCWD, "/", 0);
    cl_auto_fd own = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return own < 0 ? -errno : mnt_attach(child->root, own);
}

static int change_propagation(int tree, unsigned long type, bool is_recursive)
{
    const struct k_mount_change change = { .propagation = type,
                                           .userns_fd = -EBADF,
                                           .recursive = is_recursive };
    return k_mount_setattr(tree, &change);
}

/* rshared, rslave, rprivate: also what came with the root; what is mounted later has it from its own
   options (plan_mounts.c). */
static int spread_propagation(const struct child *child)
{
    const unsigned long type = child->plan->root_propagation & ~(unsigned long)MS_REC;
    if (type == child->plan->root_propagation || type == MS_UNBINDABLE)
        return 0;
    int result = change_propagation(child->root, type, true);
    return result < 0 || type != MS_SHARED ? result
                                           : change_propagation(child->root, MS_PRIVATE, false);
}

/* IN_NEW_MNT */
int mnt_attach_root(struct child *child, struct cl_error *err)
{
    int result = attach_root(child);
    if (result < 0) {
        struct stat st;
        bool is_odd = fstat(child->root, &st) >= 0 && !S_ISDIR(st.st_mode);
        return cl_fail(err, is_odd ? ENOTDIR : result,
                       is_odd ? "root.path" : "attach the root file system");
    }
    result = spread_propagation(child);
    return result < 0 ? cl_fail(err, result, "linux.rootfsPropagation") : 0;
}

/* IN_CONTAINER. The root itself, and only now: pivot_root takes no shared new root, what is attached
   to a shared mount becomes shared, and of an unbindable one nothing can be cloned. */
int mnt_set_propagation(struct child *child, struct cl_error *err)
{
    const unsigned long propagation = child->plan->root_propagation;
    int result = change_propagation(child->root, propagation & ~(unsigned long)MS_REC,
                                    propagation == (MS_UNBINDABLE | MS_REC));
    return result < 0 ? cl_fail(err, result, "linux.rootfsPropagation") : 0;
}

/* ---- one mount ---- */

static int fail_mount(const struct plan_mount *mount, int code, const char *message,
                      struct cl_error *err)
{
    if (message != NULL && message[0] != '\0')
        return cl_fail(err, code, "mount %s at %s: %s",
                       mount->kind == PLAN_MOUNT_BIND ? mount->source : mount->type, mount->target,
                       message);
    return cl_fail(err, code, "mount %s at %s",
                   mount->kind == PLAN_MOUNT_BIND ? mount->source : mount->type, mount->target);
}

static int prefix_mount(const struct plan_mount *mount, struct cl_error *err)
{
    return cl_error_prefix(err, "mount %s at %s",
                           mount->kind == PLAN_MOUNT_BIND ? mount->source : mount->type,
                           mount->target);
}

/* dest-nofollow: the last component as it is. -ENOENT: nothing is there. */
static int open_link_target(struct child *child, const struct plan_mount *mount,
                            struct cl_error *err)
{
    char name[256];
    cl_auto_fd parent = inroot_parent(child->root, mount->target, false, name, err);
    if (parent < 0)
        return parent;
    int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? cl_fail(err, errno, "open the mount point") : fd;
}

static int open_target(struct child *child, const struct plan_mount *mount, bool is_dir,
                       bool *ret_made, struct cl_error *err)
{
    enum inroot_flags flags = mount->no_links ? INROOT_NO_SYMLINKS : INROOT_FOLLOW;
    int open_flags = O_PATH | (is_dir ? O_DIRECTORY : 0);
    int fd = mount->covers_link
                 ? open_link_target(child, mount, err)
                 : inroot_open(child->root, mount->target, open_flags, 0, flags, err);
    *ret_made = fd == -ENOENT;
    if (fd != -ENOENT)
        return fd;
    fd = is_dir ? inroot_mkdir_p(child->root, mount->target, 0755, err)
                : inroot_make_file(child->root, mount->target, 0644, err);
    if (fd == -EROFS)
        (void)cl_error_hint(err, "the mount point is missing, and the file system is read-only");
    if (fd < 0 || flags == INROOT_FOLLOW)
        return fd;
    (void)cl_close(fd); /* made by following links: look again without */
    return inroot_open(child->root, mount->target, open_flags, 0, flags, err);
}

/* A link may have led a harmless name into /proc (CVE-2019-19921). */
static int check_target(const struct plan_mount *mount, int target, struct cl_error *err)
{
    long magic = 0;
    int result = mount->may_cover_proc ? 0 : k_fs_type(target, &magic);
    if (result < 0)
        return cl_fail(err, result, "look at the mount point");
    if (magic == PROC_SUPER_MAGIC)
        return cl_fail_kind(err, CL_KIND_DENIED, EPERM,
                            "the mount point leads into /proc, which must not be covered");
    return 0;
}

int mnt_open_target(struct child *child, const struct plan_mount *mount, bool is_dir,
                    bool *ret_made, struct cl_error *err)
{
    cl_auto_fd target = open_target(child, mount, is_dir, ret_made, err);
    if (target < 0 || check_target(mount, target, err) < 0)
        return prefix_mount(mount, err);
    return cl_take_fd(&target);
}

/* An id that the user namespace lacks can own nothing: the terminals then belong to our group, as
   with every runtime (gid=5 is in every default spec). Where the kernel has no context for devpts of
   its own, options are only read when the file system is made. */
static bool is_foreign_group(const struct plan_mount *mount, const struct plan_fs_option *option)
{
    uint64_t gid;
    return cl_streq(mount->type, "devpts") && cl_streq(option->key, "gid") &&
           option->value != NULL && cl_parse_u64(option->value, 0, UINT32_MAX - 1, &gid) >= 0;
}

static bool has_foreign_group(const struct plan_mount *mount)
{
    for (size_t i = 0; i < mount->option_count; i++)
        if (is_foreign_group(mount, &mount->options[i]))
            return true;
    return false;
}

static int set_options(int fs, const struct plan_mount *mount, bool with_group)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < mount->option_count; i++) {
        const struct plan_fs_option *option = &mount->options[i];
        if (!with_group && is_foreign_group(mount, option))
            continue;
        result = option->value != NULL ? k_fsconfig_string(fs, option->key, option->value)
                                       : k_fsconfig_flag(fs, option->key);
        if (result == -EINVAL && is_foreign_group(mount, option))
            result = 0;
    }
    return result;
}

static bool has_option(const struct plan_mount *mount, const char *key)
{
    for (size_t i = 0; i < mount->option_count; i++)
        if (cl_streq(mount->options[i].key, key))
            return true;
    return false;
}

/* As with every runtime, a tmpfs without a mode of its own has the one of the directory that it
   covers; over one that was not there, the kernel's default. */
int mnt_covered_mode(const struct plan_mount *mount, int target, char text[static 8])
{
    struct stat info;
    text[0] = '\0';
    if (!cl_streq(mount->type, "tmpfs") || has_option(mount, "mode"))
        return 0;
    if (fstat(target, &info) < 0)
        return -errno;
    return cl_print(text, 8, "%o", info.st_mode & 07777);
}

static int create_fs(int fs, const struct plan_mount *mount, const char *mode, bool with_group)
{
    int result = fs;
    if (result >= 0 && mount->source != NULL)
        result = k_fsconfig_string(fs, "source", mount->source);
    if (result >= 0)
        result = set_options(fs, mount, with_group);
    if (result >= 0 && mode[0] != '\0')
        result = k_fsconfig_string(fs, "mode", mode);
    return result < 0 ? result : k_fsconfig_create(fs);
}

int mnt_new_fs(const struct plan_mount *mount, const char *mode, struct cl_error *err)
{
    char message[200] = "";
    cl_auto_fd fs = k_fsopen(mount->type);
    int result = create_fs(fs, mount, mode, true);
    if (result == -EINVAL && has_foreign_group(mount)) {
        (void)cl_close(fs);
        fs = k_fsopen(mount->type);
        result = create_fs(fs, mount, mode, false);
    }
    uint64_t attributes = mount->flags.attr_set;
    if (mount->is_late_ro)
        attributes &= ~(uint64_t)MOUNT_ATTR_RDONLY;
    if (result >= 0)
        result = k_fsmount(fs, (unsigned)attributes);
    if (result >= 0)
        return result;
    if (fs >= 0)
        k_fs_message(fs, message, sizeof message);
    return fail_mount(mount, result, message, err);
}

/* A container that may not write to its /proc still has sysctls that we write. Negative: none could be made, and the write will say so. */
static int writable_clone(int tree)
{
    const struct k_mount_change change = { .clear = MOUNT_ATTR_RDONLY, .userns_fd = -EBADF };
    cl_auto_fd clone = k_open_tree(tree, "", OPEN_TREE_CLONE);
    int result = clone < 0 ? clone : k_mount_setattr(clone, &change);
    return result < 0 ? result : cl_take_fd(&clone);
}

/* Kept for later steps: they must not look for it by a name that the container's own files could
   have taken. */
static void remember(struct child *child, const struct plan_mount *mount, int fd)
{
    bool is_proc = cl_streq(mount->type, "proc") && cl_streq(mount->target, "/proc");
    bool is_devpts = cl_streq(mount->type, "devpts") && cl_streq(mount->target, "/dev/pts");
    if (is_proc && ((mount->flags.attr_set | mount->flags.rec_attr_set) & MOUNT_ATTR_RDONLY) != 0) {
        int clone = writable_clone(fd);
        if (clone >= 0) {
            (void)cl_close(fd);
            fd = clone;
        }
    }
    int *slot = is_proc             ? &child->proc
                : is_devpts         ? &child->devpts
                : mount->is_late_ro ? &child->sources[mount - child->plan->mounts]
                                    : NULL;
    if (slot == NULL) {
        (void)cl_close(fd);
        return;
    }
    (void)cl_close(*slot);
    *slot = fd;
}

int mnt_apply_propagation(int tree, const struct plan_mount *mount)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < mount->flags.propagation_count; i++) {
        unsigned long flags = mount->flags.propagation[i];
        struct k_mount_change change = { .propagation = flags & ~(unsigned long)MS_REC,
                                         .userns_fd = -EBADF,
                                         .recursive = (flags & MS_REC) != 0 };
        result = k_mount_setattr(tree, &change);
    }
    return result;
}

int mnt_apply_recursive(int tree, const struct plan_mount *mount)
{
    if (mount->flags.rec_attr_set == 0 && mount->flags.rec_attr_clear == 0)
        return 0;
    struct k_mount_change change = { .set = mount->flags.rec_attr_set,
                                     .clear = mount->flags.rec_attr_clear,
                                     .userns_fd = -EBADF,
                                     .recursive = true };
    return k_mount_setattr(tree, &change);
}

/* mqueue takes no context=: its root gets the label as every file does. */
static int label_root(const struct child *child, const struct plan_mount *mount, int tree)
{
    const char *label = child->plan->spec->linux_.mount_label;
    if (label == NULL || label[0] == '\0' || !cl_streq(mount->type, "mqueue"))
        return 0;
    cl_auto_fd root = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return root < 0 || fsetxattr(root, "security.selinux", label, strlen(label) + 1, 0) < 0 ? -errno
                                                                                            : 0;
}

static int copy_up(const struct plan_mount *mount, int target, int tree, struct cl_error *err)
{
    bool whole =
        !has_option(mount, "mode") && !has_option(mount, "uid") && !has_option(mount, "gid");
    return copyup_fill(target, tree, whole ? COPYUP_WHOLE : 0, err) < 0 ? prefix_mount(mount, err)
                                                                        : 0;
}

static int mount_fs(struct child *child, const struct plan_mount *mount, struct cl_error *err)
{
    char mode[8] = "";
    bool is_new = false;
    cl_auto_fd target = mnt_open_target(child, mount, true, &is_new, err);
    if (target < 0)
        return target;
    int result = is_new ? 0 : mnt_covered_mode(mount, target, mode);
    if (result < 0)
        return fail_mount(mount, result, NULL, err);
    cl_auto_fd tree = mnt_new_fs(mount, mode, err);
    if (tree == -EPERM) {
        int borrowed = mnt_borrow(child, mount);
        if (borrowed != -EPERM)
            tree = borrowed < 0 ? fail_mount(mount, borrowed,
                                             "the namespace that it shows is the host's, and so "
                                             "would have to be the mount",
                                             err)
                                : borrowed;
        else
            mnt_explain_refusal(child, mount, err);
    }
    if (tree < 0)
        return tree;
    /* Filled before anybody sees it. */
    result = mount->flags.tmpcopyup && !is_new ? copy_up(mount, target, tree, err) : 0;
    if (result < 0)
        return result;
    result = label_root(child, mount, tree);
    if (result >= 0)
        result = mnt_attach(tree, target);
    if (result >= 0)
        result = mnt_apply_recursive(tree, mount);
    if (result >= 0)
        result = mnt_apply_propagation(tree, mount);
    if (result < 0)
        return fail_mount(mount, result, NULL, err);
    remember(child, mount, cl_take_fd(&tree));
    return 0;
}

/* Attributes and propagation were set by the parent (rootfs.c), while nothing was below the clone
   yet. */
static int mount_bind(struct child *child, const struct plan_mount *mount, int source,
                      struct cl_error *err)
{
    struct stat info;
    if (fstat(source, &info) < 0)
        return fail_mount(mount, -errno, NULL, err);
    if (mount->flags.copy_symlink && S_ISLNK(info.st_mode))
        return mnt_copy_symlink(child, mount, source, err);
    bool is_new;
    long magic = 0;
    if (cl_streq(mount->target, "/proc") &&
        (k_fs_type(source, &magic) < 0 || magic != PROC_SUPER_MAGIC))
        return cl_fail_kind(err, CL_KIND_DENIED, EPERM,
                            "mount %s at /proc: only a proc file system can be /proc",
                            mount->source);
    cl_auto_fd target = mnt_open_target(child, mount, S_ISDIR(info.st_mode), &is_new, err);
    if (target < 0)
        return target;
    int result = mnt_attach(source, target);
    return result < 0 ? fail_mount(mount, result, NULL, err) : 0;
}

/* ---- cgroup ---- */

static int set_attributes(int tree, const struct plan_mount *mount, uint64_t also)
{
    struct k_mount_change change = { .set = mount->flags.attr_set | also,
                                     .clear = mount->flags.attr_clear,
                                     .propagation = MS_PRIVATE,
                                     .userns_fd = -EBADF };
    return k_mount_setattr(tree, &change);
}

/* "cpu,cpuacct" is the directory of that name, with links cpu and cpuacct to it, as every
   distribution has it. */
static int link_controllers(int top, const char *controllers)
{
    if (strchr(controllers, ',') == NULL)
        return 0;
    for (const char *at = controllers; *at != '\0';) {
        char name[64];
        size_t length = strcspn(at, ",");
        if (CL_PRINT(name, "%.*s", (int)length, at) < 0 ||
            (symlinkat(controllers, top, name) < 0 && errno != EEXIST))
            return -errno;
        at += length + (at[length] == ',');
    }
    return 0;
}

static int attach_hierarchy(int top, const struct cgroup_hierarchy *hierarchy, int tree,
                            const struct plan_mount *mount)
{
    const char *name = hierarchy->is_v2 ? "unified" : hierarchy->controllers;
    if (cl_starts_with(name, "name="))
        name += strlen("name=");
    if (mkdirat(top, name, 0755) < 0)
        return -errno;
    int result = set_attributes(tree, mount, 0);
    if (result >= 0)
        result = k_move_mount(tree, top, name, 0);
    if (result >= 0)
        result = mnt_apply_propagation(tree, mount);
    return result < 0 ? result : link_controllers(top, name);
}

/* v1 and hybrid: a small tmpfs with one directory per hierarchy, as on the host. */
static int attach_hierarchies(struct child *child, const struct plan_mount *mount, int target)
{
    cl_auto_fd fs = k_fsopen("tmpfs");
    int result = fs < 0 ? fs : k_fsconfig_string(fs, "source", "cgroup");
    if (result >= 0)
        result = k_fsconfig_string(fs, "mode", "755");
    if (result >= 0)
        result = k_fsconfig_create(fs);
    cl_auto_fd top = result < 0
                         ? result
                         : k_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    result = top < 0 ? top : mnt_attach(top, target);
    const struct cgroup_host *host = &child->plan->facts->cgroups;
    for (size_t i = 0; result >= 0 && i < host->count; i++)
        result = attach_hierarchy(top, &host->hierarchies[i], child->cgroup_trees[i], mount);
    if (result >= 0)
        result = set_attributes(top, mount, 0);
    return result < 0 ? result : mnt_apply_propagation(top, mount);
}

/* The container's own group by a clone of its directory: exactly what a new cgroup mount in the new
   cgroup namespace would show, without the locks of making one. */
static int mount_cgroup(struct child *child, const struct plan_mount *mount, struct cl_error *err)
{
    bool is_new;
    cl_auto_fd target = mnt_open_target(child, mount, true, &is_new, err);
    if (target < 0)
        return target;
    int result;
    if (child->plan->facts->cgroups.layout == CGROUP_V2) {
        result = set_attributes(child->cgroup_trees[0], mount, 0);
        if (result >= 0)
            result = mnt_attach(child->cgroup_trees[0], target);
        if (result >= 0)
            result = mnt_apply_propagation(child->cgroup_trees[0], mount);
    } else {
        result = attach_hierarchies(child, mount, target);
    }
    return result < 0 ? fail_mount(mount, result, NULL, err) : 0;
}

/* IN_NEW_MNT */
int mnt_apply_plan(struct child *child, struct cl_error *err)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < child->plan->mount_count; i++) {
        const struct plan_mount *mount = &child->plan->mounts[i];
        cl_debug("mnt", "%s at %s", mount->type != NULL ? mount->type : "bind", mount->target);
        if (mount->kind == PLAN_MOUNT_BIND)
            result = mount_bind(child, mount, child->sources[i], err);
        else if (mount->kind == PLAN_MOUNT_CGROUP)
            result = mount_cgroup(child, mount, err);
        else if (mount->kind == PLAN_MOUNT_CHANGE)
            result = mnt_change(child, mount, err);
        else
            result = mount_fs(child, mount, err);
        cl_test_point("mounted");
    }
    return result;
}

/* ---- the end ---- */

static int make_readonly(int fd)
{
    struct k_mount_change change = { .set = MOUNT_ATTR_RDONLY, .userns_fd = -EBADF };
    return k_mount_setattr(fd, &change);
}

/* IN_NEW_MNT. By what mount_fs remembered: another mount or a mask may lie on it, or on the way to it. */
int mnt_make_readonly(struct child *child, struct cl_error *err)
{
    for (size_t i = 0; i < child->plan->mount_count; i++) {
        const struct plan_mount *mount = &child->plan->mounts[i];
        if (!mount->is_late_ro)
            continue;
        int result = make_readonly(child->sources[i]);
        child->sources[i] = cl_close(child->sources[i]);
        if (result < 0)
            return fail_mount(mount, result, "make it read-only", err);
    }
    if (!child->plan->spec->root.readonly && !child->plan->options->rootfs.is_read_only)
        return 0;
    int result = make_readonly(child->root);
    return result < 0 ? cl_fail(err, result, "make the root file system read-only") : 0;
}

/* Nothing lies over our root: "/.." goes to the topmost mount on "/", unlike "/" itself. Were the
   host's tree still there, this is where the container would find it. */
static int check_root_is_bare(const struct child *child)
{
    struct statx root, top;
    if (statx(child->root, "", AT_EMPTY_PATH, STATX_MNT_ID, &root) < 0 ||
        statx(AT_FDCWD, "/..", AT_NO_AUTOMOUNT, STATX_MNT_ID, &top) < 0)
        return -errno;
    return root.stx_mnt_id == top.stx_mnt_id ? 0 : -EXDEV;
}

/* A mount namespace that ends takes its mounts apart; a detached copy stays together for as long as somebody has its root there. */
static int go_home(struct child *child, struct cl_error *err)
{
    cl_auto_fd tree = k_open_tree(child->root, "", OPEN_TREE_CLONE | AT_RECURSIVE);
    int result = tree < 0 ? tree : k_setns(child->home, CLONE_NEWNS);
    if (result >= 0 && (fchdir(tree) < 0 || chroot(".") < 0))
        result = -errno;
    if (result < 0)
        return cl_fail(err, result, "change the root into the root file system");
    (void)cl_close(child->root); /* the parent's, or a copy of it */
    child->root = cl_take_fd(&tree);
    child->devpts = cl_close(child->devpts);
    return 0;
}

/* IN_NEW_MNT → IN_CONTAINER. The old root is stacked on the new one and taken away from there: no
   directory for it is needed. Lazily, because a synchronous unmount waits for RCU. */
int mnt_pivot(struct child *child, struct cl_error *err)
{
    if (fchdir(child->root) < 0)
        return cl_fail(err, errno, "enter the root file system");
    if (child->plan->moves_root)
        return mnt_move_root(child, err);
    if (child->plan->shares_mount_ns)
        return go_home(child, err);
    int result = k_pivot_root(".", ".");
    if (result == -EINVAL) {
        (void)cl_fail(err, result, "pivot_root into the root file system");
        return cl_error_hint(err, "if the host's own root is an initramfs, --no-pivot helps");
    }
    if (result < 0)
        return cl_fail(err, result, "pivot_root into the root file system");
    result = k_umount(".", MNT_DETACH);
    if (result < 0)
        return cl_fail(err, result, "unmount the host's file tree");
    if (chdir("/") < 0)
        return cl_fail(err, errno, "enter the root file system");
    result = check_root_is_bare(child);
    return result < 0 ? cl_fail(err, result, "leave the host's file tree behind") : 0;
}
