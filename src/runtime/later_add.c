/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts for a container that is there already (later.h). They are planned, checked and made by the code that config.json's mounts go through. What only the
 * container's own first process could make right is refused: a file system that shows a namespace, what is copied out of a tree that others write to, and what
 * is no mount.
 */
#include "runtime/later.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the plan ---- */

static int refuse(const struct plan_mount *mount, const char *member, const char *text,
                  struct cl_error *err)
{
    char path[64];
    (void)CL_PRINT(path, "mounts[%zu].%s", mount->index, member);
    return plan_fail(err, CL_KIND_UNSUPPORTED, path, "%s", text);
}

static int check_mount(const struct plan_mount *mount, struct cl_error *err)
{
    static const char *const of_namespaces[] = { "proc", "sysfs", "mqueue", NULL };
    if (mount->kind == PLAN_MOUNT_CHANGE)
        return refuse(mount, "options", "changes a mount, and none is added", err);
    if (mount->flags.copy_symlink)
        return refuse(mount, "options", "copy-symlink makes a link, which nobody could remove",
                      err);
    if (mount->flags.tmpcopyup)
        return refuse(mount, "options",
                      "tmpcopyup: programs run that could change what is being copied", err);
    if (mount->kind == PLAN_MOUNT_CGROUP || cl_strv_has(of_namespaces, mount->type))
        return refuse(mount, "type",
                      "shows namespaces of who mounts it, which is for the container's first "
                      "process: say it in config.json",
                      err);
    return 0;
}

static int plan_all(struct later *later, const struct oci_spec *spec,
                    const struct runtime_options *options, struct cl_error *err)
{
    int result = plan_mounts_alone(spec, options, &later->facts, &later->plan, err);
    for (size_t i = 0; result >= 0 && i < later->count; i++)
        result = check_mount(&later->plan->mounts[i], err);
    if (result < 0)
        return result;
    later->plan->process.has_user_ns = later->has_user_ns;
    return 0;
}

static int *no_fds(size_t count)
{
    int *fds = cl_malloc((count > 0 ? count : 1) * sizeof *fds);
    for (size_t i = 0; fds != NULL && i < count; i++)
        fds[i] = -EBADF;
    return fds;
}

/* Who is not root, or only of a user namespace that our mount namespace does not belong to, may clone mounts in a namespace of theirs alone: then the helper does it. */
static int open_sources(struct later *later, struct cl_error *err)
{
    later->trees = no_fds(later->count);
    later->blank = no_fds(later->count);
    if (later->trees == NULL || later->blank == NULL)
        return cl_fail(err, ENOMEM, "add mounts");
    cl_auto_fd attempt = k_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE);
    later->opens_itself = attempt == -EPERM;
    return later->opens_itself ? 0 : parent_open_sources(later->plan, later->trees, err);
}

/* ---- the helper ---- */

static bool opens_itself(const struct child *child)
{
    return child->opens_itself;
}

static int clone_sources(struct child *child, struct cl_error *err)
{
    return parent_open_sources(child->plan, child->sources, err);
}

static int make_one(const struct later *later, size_t i, struct cl_error *err)
{
    const struct plan_mount *mount = &later->plan->mounts[i];
    const struct k_mount_change readonly = { .set = MOUNT_ATTR_RDONLY, .userns_fd = -EBADF };
    int tree = later->trees[i] = mnt_new_fs(mount, "", err);
    if (tree < 0)
        return tree;
    int result = 0;
    if (cl_streq(mount->type, "tmpfs"))
        result = later->blank[i] = k_open_tree(tree, "", OPEN_TREE_CLONE);
    if (result >= 0 && mount->is_late_ro)
        result = k_mount_setattr(tree, &readonly);
    if (result >= 0)
        result = mnt_apply_recursive(tree, mount);
    return result < 0 ? cl_fail(err, result, "mount %s at %s", mount->type, mount->target) : 0;
}

/* IN_HOST, as the one who will have them. */
static int make_new(struct child *child, struct cl_error *err)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < child->plan->mount_count; i++)
        if (child->plan->mounts[i].kind == PLAN_MOUNT_FS)
            result = make_one(child->later, i, err);
    return result;
}

static int lock_all(struct child *child, struct cl_error *err)
{
    return mnt_lock_trees(child, child->sources, child->plan->mount_count, err);
}

static int offer(struct child *child, struct cl_error *err)
{
    struct later *later = child->later;
    int result = 0;
    for (size_t i = 0; result >= 0 && i < later->count; i++)
        result = later_id_of(later->trees[i], &later->ids[i]);
    if (result < 0)
        return cl_fail(err, result, "look at a new mount");
    result = child_send(child, WIRE_INIT_READY, -1);
    return result < 0 ? cl_fail(err, result, "speak to the caller")
                      : child_wait(child, WIRE_INIT_START, err);
}

static int set_mode(int blank, const struct plan_mount *mount, int target)
{
    char text[8] = "";
    struct stat info;
    int result = mnt_covered_mode(mount, target, text);
    if (result < 0 || text[0] == '\0')
        return result;
    cl_auto_fd root = k_openat(blank, ".", O_RDONLY | O_DIRECTORY, 0);
    if (root < 0 || fstat(target, &info) < 0)
        return root < 0 ? root : -errno;
    return fchmod(root, info.st_mode & 07777) < 0 ? -errno : 0;
}

static int attach_one(struct child *child, size_t i, struct cl_error *err)
{
    const struct later *later = child->later;
    const struct plan_mount *mount = &child->plan->mounts[i];
    struct stat info;
    bool is_new = false;
    if (fstat(later->trees[i], &info) < 0)
        return cl_fail(err, errno, "look at the mount for %s", mount->target);
    cl_auto_fd target = mnt_open_target(child, mount, S_ISDIR(info.st_mode), &is_new, err);
    if (target < 0)
        return target;
    int result = later->blank[i] < 0 || is_new ? 0 : set_mode(later->blank[i], mount, target);
    if (result >= 0)
        result = mnt_attach(later->trees[i], target);
    if (result < 0)
        return cl_fail(err, result, "attach mounts[%zu] at %s", mount->index, mount->target);
    later->ids[i].is_done = true;
    /* Of a shared parent it became a peer; of a locked copy a slave. */
    result = mnt_apply_propagation(later->trees[i], mount);
    return result < 0 ? cl_fail(err, result, "mounts[%zu] at %s: set its propagation", mount->index,
                                mount->target)
                      : 0;
}

/* IN_CONTAINER. All of them, or none. */
static int attach_all(struct child *child, struct cl_error *err)
{
    const struct later *later = child->later;
    int result = 0;
    for (size_t i = 0; result >= 0 && i < later->count; i++) {
        result = attach_one(child, i, err);
        cl_test_point("added");
    }
    for (size_t i = later->count; result < 0 && i-- > 0;)
        if (later->ids[i].is_done && later_unmount(later, later->trees[i]) >= 0)
            later->ids[i].is_done = false;
    return result;
}

static const struct child_step add_steps[] = {
    { "set up", IN_HOST, child_begin, NULL },
    { "join the user namespace", IN_HOST, later_join_user, later_is_foreign },
    { "make a mount namespace", IN_HOST, later_make_own_mounts, later_needs_own_mounts },
    { "clone sources", IN_NEW_MNT, clone_sources, opens_itself },
    { "make file systems", IN_NEW_MNT, make_new, NULL },
    { "lock mounts", IN_NEW_MNT, lock_all, later_is_foreign },
    { "wait until they are recorded", IN_NEW_MNT, offer, NULL },
    { "join the mount namespace", IN_NEW_MNT, later_join_mounts, NULL },
    { "attach mounts", IN_CONTAINER, attach_all, NULL },
    { "end", IN_CONTAINER, later_end, NULL },
};

/* ---- the caller ---- */

/* All that are to come, or those that are there. */
static int record(const struct later *later, const struct runtime_add_options *options, bool all,
                  struct cl_error *err)
{
    size_t count = 0;
    cl_auto_free struct runtime_added *added = cl_calloc(later->count, sizeof *added);
    if (added == NULL)
        return cl_fail(err, ENOMEM, "record mounts");
    for (size_t i = 0; i < later->count; i++)
        if (all || later->ids[i].is_done)
            added[count++] = (struct runtime_added){ .destination = later->plan->mounts[i].target,
                                                     .id = later->ids[i].id,
                                                     .unique_id = later->ids[i].unique_id };
    return options->record(options->context, added, count, err);
}

/* Recorded before they are there: whoever is killed leaves none that nobody knows of. */
static int carry_out(struct later *later, const struct runtime_add_options *options,
                     struct cl_error *err)
{
    int result = later_start(later, add_steps, CL_COUNT(add_steps), err);
    if (result >= 0)
        result = later_wait_ready(later, err);
    if (result < 0)
        return result;
    result = record(later, options, true, err);
    cl_test_point("mounts recorded");
    if (result >= 0)
        (void)parent_send(later->helper.sync, WIRE_INIT_START); /* one that is gone has said why */
    if (result >= 0)
        result = later_finish(later, err);
    if (result < 0) {
        parent_discard(&later->helper);            /* what it has not done by now it does not do */
        (void)record(later, options, false, NULL); /* the reason is in err */
    }
    return result;
}

static int add(struct later *later, const struct oci_spec *spec,
               const struct runtime_add_options *options, struct cl_error *err)
{
    const struct runtime_options planned = { .id = options->id, .bundle = options->bundle };
    const struct oci_namespace *own = oci_namespace_find(spec, OCI_NS_MOUNT);
    if (own == NULL || own->path != NULL)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "the container has joined its mount namespace, whose mounts are "
                            "others', too");
    int result = plan_all(later, spec, &planned, err);
    if (result >= 0 && options->warnings != NULL) {
        *options->warnings = later->plan->warnings;
        later->plan->warnings = NULL;
    }
    if (result >= 0)
        result = open_sources(later, err);
    return result < 0 ? result : carry_out(later, options, err);
}

int runtime_mounts_add(const struct runtime_target *target, const struct oci_spec *spec,
                       const struct runtime_add_options *options, struct cl_error *err)
{
    struct later later;
    int result = later_find(&later, target, spec->mount_count, err);
    if (result >= 0 && spec->mount_count > 0)
        result = add(&later, spec, options, err);
    later_done(&later);
    return result;
}
