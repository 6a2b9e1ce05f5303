/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting into control groups and into namespaces that exist already.
 */
#include "runtime/child.h"

#include <errno.h>
#include <fcntl.h>

static bool mounts_cgroup(const struct runtime_plan *plan)
{
    for (size_t i = 0; i < plan->mount_count; i++)
        if (plan->mounts[i].kind == PLAN_MOUNT_CGROUP)
            return true;
    return false;
}

/* IN_HOST. The group that systemd made after we were born: what the parent does for other groups
   before the clone. By paths, since only mounts of our own namespace can be cloned here. */
int join_scope(struct child *child, struct cl_error *err)
{
    static struct cgroup group; /* lives as long as this process */
    const struct runtime_plan *plan = child->plan;
    struct cgroup_host *host = (struct cgroup_host *)(uintptr_t)&plan->facts->cgroups;
    int *trees = (int *)(uintptr_t)child->cgroup_trees; /* our copy */
    int result = cgroup_open(host, plan->cgroup_path, &group, err);
    if (result < 0)
        return result;
    child->cgroup = &group;
    child->is_group_in_place = true; /* on v2, by systemd */
    for (size_t i = 0; mounts_cgroup(plan) && i < host->count; i++) {
        char path[512];
        if (CL_PRINT(path, "%s/%s", host->hierarchies[i].mount_point, plan->cgroup_path) < 0)
            return cl_fail(err, ENAMETOOLONG, "open cgroup %s", plan->cgroup_path);
        trees[i] = k_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE);
        if (trees[i] < 0)
            return cl_fail(err, trees[i], "open cgroup %s", path);
    }
    return 0;
}

/* IN_HOST. By descriptors: no path of the host is needed. v1 by `tasks`, which does not wait for
   RCU as cgroup.procs does. */
int join_cgroup(struct child *child, struct cl_error *err)
{
    if (child->cgroup != NULL) {
        int result = cgroup_join_self(child->cgroup, !child->is_group_in_place);
        if (result < 0)
            return cl_fail(err, result, "join cgroup %s", child->cgroup->path);
    }
    if (child->plan == NULL || !child->plan->new_cgroup_ns)
        return 0;
    int result = k_unshare(CLONE_NEWCGROUP);
    return result < 0 ? cl_fail(err, result, "make a cgroup namespace") : 0;
}

/* IN_HOST. After the cgroup namespace was made, so that the group with the limits is its root. */
int join_delegate(struct child *child, struct cl_error *err)
{
    const char *name = child->plan->delegate;
    cl_auto_fd below = openat(cgroup_v2_fd(child->cgroup), name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = below < 0 ? -errno : cl_write_small(below, "cgroup.procs", "0");
    return result < 0 ? cl_fail(err, result, "join cgroup %s/%s", child->cgroup->path, name) : 0;
}

/* IN_HOST. The pid namespace is not among them: the parent entered it before it cloned us. */
int join_namespaces(struct child *child, struct cl_error *err)
{
    const struct runtime_plan *plan = child->plan;
    for (size_t i = 0; i < plan->join_count; i++) {
        const struct plan_join *join = &plan->joins[i];
        if (join->type == K_NS_PID)
            continue;
        int result = k_setns(child->join_fds[i], k_ns_table[join->type].clone_flag);
        if (result < 0)
            return cl_fail(err, result, "linux.namespaces[%zu].path: join %s namespace %s",
                           join->index, k_ns_table[join->type].oci_name, join->path);
    }
    return 0;
}

/* IN_HOST → IN_CONTAINER. All at once, so that there is no moment in which we have the container's
   root and the host's network. */
int join_target(struct child *child, struct cl_error *err)
{
    int flags = child->target_flags;
    int result = k_setns(child->target_pidfd, flags);
    if (result == -EINVAL) /* a kernel without time namespaces */
        result = k_setns(child->target_pidfd, flags & ~CLONE_NEWTIME);
    if (result < 0)
        return cl_fail(err, result, "join the container's namespaces");
    child->root = inroot_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, INROOT_FOLLOW, err);
    return child->root < 0 ? child->root : 0;
}
