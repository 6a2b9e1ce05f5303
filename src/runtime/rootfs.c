/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only the host can name, opened as detached mounts: the root file system, the sources of
 * binds, the directories of cgroups. A detached mount is in nobody's mount table, so the host's
 * does not grow with the number of containers, and it vanishes with its last descriptor.
 */
#include "runtime/child.h"
#include "runtime/parent.h"
#include "runtime/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- root file system ---- */

/* "lowerdir+" adds one directory at a time (6.8): no list to escape, no page-size limit. */
static int add_lowers(int fs, const char *const *lowers)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && lowers[i] != NULL; i++)
        result = k_fsconfig_string(fs, "lowerdir+", lowers[i]);
    return result;
}

/* Before 6.8: one string; a colon in a path is escaped, and fsconfig takes at most 255 bytes (then
   it has to be mount(2)'s page: refused with the reason). */
static int join_lowers(int fs, const char *const *lowers)
{
    cl_auto_buf text = CL_BUF_INIT(64 * 1024);
    for (size_t i = 0; lowers[i] != NULL; i++) {
        if (i > 0)
            cl_buf_char(&text, ':');
        for (const char *at = lowers[i]; *at != '\0'; at++) {
            if (*at == ':' || *at == '\\')
                cl_buf_char(&text, '\\');
            cl_buf_char(&text, *at);
        }
    }
    return text.failed < 0 ? text.failed : k_fsconfig_string(fs, "lowerdir", text.data);
}

static int configure_overlay(int fs, const struct runtime_rootfs *rootfs, bool one_by_one)
{
    int result = k_fsconfig_string(fs, "source", "overlay");
    if (result >= 0)
        result = one_by_one ? add_lowers(fs, rootfs->lowers) : join_lowers(fs, rootfs->lowers);
    if (result >= 0 && rootfs->upper != NULL)
        result = k_fsconfig_string(fs, "upperdir", rootfs->upper);
    if (result >= 0 && rootfs->upper != NULL)
        result = k_fsconfig_string(fs, "workdir", rootfs->work);
    if (result >= 0 && rootfs->upper != NULL && rootfs->is_volatile)
        result = k_fsconfig_flag(fs, "volatile");
    return result < 0 ? result : k_fsconfig_create(fs);
}

static int try_overlay(const struct runtime_rootfs *rootfs, bool one_by_one, char *message,
                       size_t size)
{
    cl_auto_fd fs = k_fsopen("overlay");
    int result = fs < 0 ? fs : configure_overlay(fs, rootfs, one_by_one);
    if (result >= 0)
        result = k_fsmount(fs, 0);
    if (result < 0 && fs >= 0)
        k_fs_message(fs, message, size);
    return result;
}

static int open_overlay(const struct runtime_rootfs *rootfs, struct cl_error *err)
{
    char message[200] = "";
    int fd = try_overlay(rootfs, true, message, sizeof message);
    if (fd == -EINVAL || fd == -ENOSYS)
        fd = try_overlay(rootfs, false, message, sizeof message);
    if (fd >= 0)
        return fd;
    const char *where = rootfs->upper != NULL ? rootfs->upper : rootfs->lowers[0];
    int result = message[0] != '\0' ? cl_fail(err, fd, "mount overlay for %s: %s", where, message)
                                    : cl_fail(err, fd, "mount overlay for %s", where);
    if (fd == -ESTALE || fd == -EBUSY)
        return cl_error_hint(err, "is another container using the same writable layer?");
    return result;
}

/* A directory of the host with whatever is mounted below it. */
static int open_directory(const char *path, struct cl_error *err)
{
    int fd = k_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE);
    return fd < 0 ? cl_fail(err, fd, "open root file system %s", path) : fd;
}

static int open_rootfs(const struct runtime_rootfs *rootfs, int *ret_fd, struct cl_error *err)
{
    if (rootfs->is_overlay ? rootfs->lowers == NULL || rootfs->lowers[0] == NULL
                           : rootfs->path == NULL)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "the root file system has no directory");
    cl_auto_fd fd =
        rootfs->is_overlay ? open_overlay(rootfs, err) : open_directory(rootfs->path, err);
    if (fd == -ENOSYS)
        return k_explain_missing(err);
    if (fd < 0)
        return fd;
    /* A clone would go on exchanging mounts with what it was cloned from. */
    struct k_mount_change change = { .propagation = rootfs->receives_mounts ? MS_SLAVE : MS_PRIVATE,
                                     .userns_fd = -EBADF,
                                     .recursive = true };
    int result = rootfs->is_overlay ? 0 : k_mount_setattr(fd, &change);
    if (result < 0)
        return cl_fail(err, result, "open root file system %s", rootfs->path);
    *ret_fd = cl_take_fd(&fd);
    return 0;
}

int runtime_rootfs_open(const struct runtime_rootfs *rootfs, int *ret_fd, struct cl_error *err)
{
    struct trace trace = trace_to(rootfs->trace_fd, rootfs->trace_since, false);
    trace.waits = rootfs->trace_waits;
    struct timespec start;
    if (trace_begin(&trace, "open root file system", &start) < 0)
        return trace_stopped("open root file system", err);
    int result = open_rootfs(rootfs, ret_fd, err);
    if (result < 0)
        trace_failed(&trace, "open root file system", &start);
    else
        trace_end(&trace, "open root file system", 0, &start);
    return result;
}

/* ---- binds ---- */

static int set_attributes(int tree, const struct plan_mount *mount)
{
    const struct oci_mount_flags *flags = &mount->flags;
    struct k_mount_change own = { .set = flags->attr_set,
                                  .clear = flags->attr_clear,
                                  .userns_fd = -EBADF };
    struct k_mount_change all = { .set = flags->rec_attr_set,
                                  .clear = flags->rec_attr_clear,
                                  .userns_fd = -EBADF,
                                  .recursive = true };
    /* Not said: what the host mounts below the source later appears, never the other way round. */
    if (flags->propagation_count == 0)
        all.propagation = MS_SLAVE;
    int result = 0;
    if (own.set != 0 || own.clear != 0)
        result = k_mount_setattr(tree, &own);
    if (result >= 0 && (all.set != 0 || all.clear != 0 || all.propagation != 0))
        result = k_mount_setattr(tree, &all);
    for (size_t i = 0; result >= 0 && i < flags->propagation_count; i++) {
        struct k_mount_change change = { .propagation =
                                             flags->propagation[i] & ~(unsigned long)MS_REC,
                                         .userns_fd = -EBADF,
                                         .recursive = (flags->propagation[i] & MS_REC) != 0 };
        result = k_mount_setattr(tree, &change);
    }
    return result;
}

/* A link that is to be copied, not mounted: the link itself. -ELOOP: the source is none. */
static int open_link(const struct plan_mount *mount)
{
    struct stat info;
    cl_auto_fd fd = openat(AT_FDCWD, mount->source, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) < 0)
        return -errno;
    return S_ISLNK(info.st_mode) ? cl_take_fd(&fd) : -ELOOP;
}

static int open_bind(const struct runtime_plan *plan, size_t index, int *namespaces,
                     struct cl_error *err)
{
    const struct plan_mount *mount = &plan->mounts[index];
    if (mount->flags.copy_symlink) {
        int link = open_link(mount);
        if (link != -ELOOP)
            return link < 0 ? cl_fail(err, link, "bind source %s", mount->source) : link;
    }
    unsigned flags = OPEN_TREE_CLONE | (mount->is_recursive_bind ? AT_RECURSIVE : 0) |
                     (mount->flags.source_no_follow ? AT_SYMLINK_NOFOLLOW : 0);
    cl_auto_fd tree = k_open_tree(AT_FDCWD, mount->source, flags);
    if (tree == -ENOENT)
        return cl_fail(err, tree, "bind source %s", mount->source);
    if (tree == -EINVAL && !mount->is_recursive_bind) {
        (void)cl_fail(err, tree, "bind source %s: clone its mount", mount->source);
        return cl_error_hint(err, "in a user namespace, what lies below other mounts can't be "
                                  "uncovered: use rbind");
    }
    int result = tree < 0 ? tree : set_attributes(tree, mount);
    if (result >= 0 && mount->is_idmapped) {
        result = parent_idmap(plan, index, tree, namespaces, err);
        return result < 0 ? result : cl_take_fd(&tree);
    }
    return result < 0 ? cl_fail(err, result, "bind source %s: clone its mount", mount->source)
                      : cl_take_fd(&tree);
}

/* One for each mount that is id-mapped, while the clones are made. NULL: none is, or no memory. */
static int *new_namespaces(const struct runtime_plan *plan)
{
    bool is_needed = false;
    for (size_t i = 0; i < plan->mount_count; i++)
        is_needed = is_needed || plan->mounts[i].is_idmapped;
    int *namespaces = is_needed ? cl_malloc(plan->mount_count * sizeof *namespaces) : NULL;
    for (size_t i = 0; namespaces != NULL && i < plan->mount_count; i++)
        namespaces[i] = -EBADF;
    return namespaces;
}

int parent_open_sources(const struct runtime_plan *plan, int *ret_sources, struct cl_error *err)
{
    int result = 0;
    cl_auto_free int *namespaces = new_namespaces(plan);
    for (size_t i = 0; result >= 0 && i < plan->mount_count; i++) {
        if (plan->mounts[i].kind != PLAN_MOUNT_BIND)
            continue;
        if (plan->mounts[i].is_idmapped && namespaces == NULL)
            result = cl_fail(err, ENOMEM, "open bind sources");
        else
            result = ret_sources[i] = open_bind(plan, i, namespaces, err);
    }
    for (size_t i = 0; namespaces != NULL && i < plan->mount_count; i++)
        (void)cl_close(namespaces[i]);
    return result < 0 ? result : 0;
}

/* ---- cgroup directories ---- */

static bool mounts_cgroup(const struct runtime_plan *plan)
{
    for (size_t i = 0; i < plan->mount_count; i++)
        if (plan->mounts[i].kind == PLAN_MOUNT_CGROUP)
            return true;
    return false;
}

/* Without a group of its own the container sees the one that we are in. */
static int open_group(const struct cgroup_hierarchy *hierarchy, const struct cgroup *group,
                      size_t index)
{
    if (index < group->count)
        return k_open_tree(group->at[index].fd, "", OPEN_TREE_CLONE);
    const char *path = hierarchy->own_path[0] == '/' ? hierarchy->own_path + 1 : "";
    return k_open_tree(hierarchy->root_fd, path, OPEN_TREE_CLONE);
}

/* By its path in our own mount namespace, where a descriptor of the host's is of no use. */
static int open_group_here(const struct cgroup_hierarchy *hierarchy, const struct cgroup *group)
{
    const char *path = group != NULL                   ? group->path
                       : hierarchy->own_path[0] == '/' ? hierarchy->own_path + 1
                                                       : "";
    cl_auto_free char *place = cl_format("%s/%s", hierarchy->mount_point, path);
    return place == NULL ? -ENOMEM : k_open_tree(AT_FDCWD, place, OPEN_TREE_CLONE);
}

/* CVE-2023-25809: the group that we are in is not the container's to change. */
static int protect(int tree)
{
    struct k_mount_change change = { .set = MOUNT_ATTR_RDONLY, .userns_fd = -EBADF };
    return k_mount_setattr(tree, &change);
}

int mnt_open_cgroup_trees(struct child *child, struct cl_error *err)
{
    const struct cgroup_host *host = &child->plan->facts->cgroups;
    for (size_t i = 0; mounts_cgroup(child->plan) && i < host->count; i++) {
        cl_auto_fd tree = open_group_here(&host->hierarchies[i], child->cgroup);
        int result = tree < 0 ? tree : child->cgroup == NULL ? protect(tree) : 0;
        if (result < 0)
            return cl_fail(err, result, "open the cgroup directory in %s",
                           host->hierarchies[i].mount_point);
        child->cgroup_trees[i] = cl_take_fd(&tree);
    }
    return 0;
}

/* IN_NEW_MNT. What the parent does otherwise, by somebody who may clone mounts only here. */
int mnt_open_sources(struct child *child, struct cl_error *err)
{
    struct runtime_rootfs rootfs = child->plan->options->rootfs;
    if (!rootfs.is_overlay)
        rootfs.path = child->plan->rootfs_path;
    rootfs.receives_mounts = (child->plan->root_propagation & MS_SLAVE) != 0;
    int result = runtime_rootfs_open(&rootfs, &child->root, err);
    if (result >= 0)
        result = parent_open_sources(child->plan, child->sources, err);
    return result < 0 ? result : mnt_open_cgroup_trees(child, err);
}

int parent_open_cgroup_trees(const struct runtime_plan *plan, const struct cgroup *group,
                             int *ret_trees, struct cl_error *err)
{
    const struct cgroup_host *host = &plan->facts->cgroups;
    for (size_t i = 0; mounts_cgroup(plan) && i < host->count; i++) {
        ret_trees[i] = open_group(&host->hierarchies[i], group, i);
        int result = ret_trees[i];
        if (result >= 0 && i >= group->count && plan->process.has_user_ns)
            result = protect(ret_trees[i]);
        if (result < 0)
            return cl_fail(err, result, "open the cgroup directory in %s",
                           host->hierarchies[i].mount_point);
    }
    return 0;
}
