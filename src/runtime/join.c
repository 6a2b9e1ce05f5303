/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting into control groups and into namespaces that exist already, and becoming root of a user
 * namespace.
 */
#include "runtime/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

/* IN_HOST, as root of the host still. What clone3 does elsewhere, while the parent makes the groups. */
int join_own_namespaces(struct child *child, struct cl_error *err)
{
    int result = k_unshare(child->plan->clone_flags & JOIN_OWN_NAMESPACES);
    return result < 0 ? cl_fail(err, result, "make the container's namespaces") : 0;
}

/* IN_HOST, or IN_NEW_MNT with the host's tree. The group that was made after we were born: what the parent does for other groups before the clone. */
static int find_group(struct child *child, struct cl_error *err)
{
    static struct cgroup group; /* lives as long as this process */
    struct cgroup_host *host = (struct cgroup_host *)(uintptr_t)&child->plan->facts->cgroups;
    int result = cgroup_open(host, child->plan->cgroup_path, &group, err);
    if (result < 0)
        return result;
    child->cgroup = &group;
    return child->opens_itself ? 0 : mnt_open_cgroup_trees(child, err);
}

int join_scope(struct child *child, struct cl_error *err)
{
    child->is_group_in_place = true; /* on v2, by systemd */
    return find_group(child, err);
}

int join_find_group(struct child *child, struct cl_error *err)
{
    child->cgroup = NULL;
    if (child->has_group)
        return find_group(child, err);
    return child->opens_itself ? 0 : mnt_open_cgroup_trees(child, err);
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
    cl_auto_fd below = k_openat(cgroup_v2_fd(child->cgroup), name, O_PATH | O_DIRECTORY, 0);
    int result = below < 0 ? below : cl_write_small(below, "cgroup.procs", "0");
    return result < 0 ? cl_fail(err, result, "join cgroup %s/%s", child->cgroup->path, name) : 0;
}

static int fail_join(const struct plan_join *join, int code, struct cl_error *err)
{
    return cl_fail(err, code, "linux.namespaces[%zu].path: join %s namespace %s", join->index,
                   k_ns_table[join->type].oci_name, join->path);
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
            return fail_join(join, result, err);
    }
    return 0;
}

/* ---- in the process between (enter.c) ---- */

/* The user namespace itself, or all but it; *ret_denied has a bit for each that waits for rights. */
static int join_some(struct child *child, bool user, unsigned *denied, struct cl_error *err)
{
    const struct runtime_plan *plan = child->plan;
    for (size_t i = 0; i < plan->join_count; i++) {
        const struct plan_join *join = &plan->joins[i];
        if ((join->type == K_NS_USER) != user || (*denied & 1u << i) == 0)
            continue;
        int result = k_setns(child->join_fds[i], k_ns_table[join->type].clone_flag);
        if (result < 0 && (user || result != -EPERM || !plan->joins_user_ns))
            return fail_join(join, result, err);
        if (result >= 0)
            *denied &= ~(1u << i);
    }
    return 0;
}

/* CVE-2016-9962: whoever is root in there must find nothing to trace. */
static int hide_from(bool has_residents, struct cl_error *err)
{
    int result = has_residents ? k_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) : 0;
    return result < 0 ? cl_fail(err, result, "set up the new process") : 0;
}

/* IN_HOST, in the process between. What the host owns is entered while we still have rights over
   it, what belongs to the joined user namespace once we have entered that. */
int join_before_birth(struct child *child, struct cl_error *err)
{
    unsigned left = (1u << child->plan->join_count) - 1;
    int result = hide_from(child->plan->joins_user_ns, err);
    if (result >= 0)
        result = join_some(child, false, &left, err);
    if (result >= 0 && child->plan->joins_user_ns)
        result = join_some(child, true, &left, err);
    for (size_t i = 0; result >= 0 && i < child->plan->join_count; i++) {
        const struct plan_join *join = &child->plan->joins[i];
        if ((left & 1u << i) == 0)
            continue;
        result = k_setns(child->join_fds[i], k_ns_table[join->type].clone_flag);
        if (result < 0)
            (void)fail_join(join, result, err);
    }
    return result;
}

bool join_is_shared(int target_proc, enum k_ns type)
{
    uint64_t own = 0, theirs = 0;
    cl_auto_fd self = k_openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY, 0);
    return self >= 0 && k_ns_inode(self, type, &own) >= 0 &&
           k_ns_inode(target_proc, type, &theirs) >= 0 && own == theirs;
}

/* IN_HOST, in the process between of exec. */
int join_target_before_birth(struct child *child, struct cl_error *err)
{
    int result = hide_from(true, err);
    if (result < 0)
        return result;
    result = k_setns(child->target_pidfd, CLONE_NEWUSER | CLONE_NEWPID);
    if (result == -EPERM && join_is_shared(child->target_proc, K_NS_PID))
        result = k_setns(child->target_pidfd, CLONE_NEWUSER);
    if (result == -ESRCH)
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "the container is not running");
    return result < 0 ? cl_fail(err, result, "join the container's user namespace") : 0;
}

/* ---- exec ---- */

/* What takes the host's capabilities has to be done before we are in there. */
static int take_limits_along(struct child *child, struct cl_error *err)
{
    const struct oci_process *process = child->process->spec;
    for (size_t i = 0; i < process->rlimit_count; i++) {
        struct rlimit limit;
        if (k_getrlimit(process->rlimits[i].type, &limit) < 0 ||
            limit.rlim_max >= process->rlimits[i].hard)
            continue;
        limit.rlim_max = process->rlimits[i].hard;
        (void)k_prlimit(0, process->rlimits[i].type, &limit); /* the step for limits tells */
    }
    limits_grant_scheduling(process, 0);
    return process->oom_score_adj.set ? limits_set_oom_score(child, err) : 0;
}

/* As with a network of the host's that the container of an ordinary user shares. */
static int without_shared(const struct child *child, int flags)
{
    for (int type = 0; type < K_NS_COUNT; type++)
        if ((flags & k_ns_table[type].clone_flag) != 0 &&
            join_is_shared(child->target_proc, (enum k_ns)type))
            flags &= ~k_ns_table[type].clone_flag;
    return flags;
}

/* A container without a mount namespace of its own: its root is its first process's. */
static int enter_root(int root)
{
    return fchdir(root) < 0 || chroot(".") < 0 ? -errno : 0;
}

/* IN_HOST → IN_CONTAINER. All at once, so that there is no moment in which we have the container's
   root and the host's network. */
int join_target(struct child *child, struct cl_error *err)
{
    int flags = child->target_flags;
    int result = (flags & CLONE_NEWUSER) != 0 ? take_limits_along(child, err) : 0;
    if (result < 0)
        return result;
    cl_auto_fd root = -EBADF;
    if ((flags & CLONE_NEWNS) == 0) {
        root = k_openat(child->target_proc, "root", O_PATH | O_DIRECTORY, 0);
        if (root < 0)
            return cl_fail(err, root, "open the container's root");
    }
    result = k_setns(child->target_pidfd, flags);
    if (result == -EINVAL) /* a kernel without time namespaces */
        result = k_setns(child->target_pidfd, flags & ~CLONE_NEWTIME);
    if (result == -EPERM)
        result = k_setns(child->target_pidfd, without_shared(child, flags));
    if (result >= 0 && root >= 0)
        result = enter_root(root);
    if (result < 0)
        return cl_fail(err, result, "join the container's namespaces");
    child->root = inroot_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, INROOT_FOLLOW, err);
    return child->root < 0 ? child->root : 0;
}

/* ---- in a user namespace ---- */

/* IN_HOST. The clocks of a time namespace can be set only before anyone is in it, so it is not made
   by clone3; and not by the parent, as only the user namespace's root may set them. */
int join_own_time(struct child *child, struct cl_error *err)
{
    cl_auto_fd proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    int result = k_unshare(CLONE_NEWTIME);
    if (result >= 0)
        result = procfs_write(proc, "self/timens_offsets", child->plan->time_offsets);
    cl_auto_fd clocks =
        result < 0 ? result : k_openat(proc, "self/ns/time_for_children", O_RDONLY, 0);
    if (result >= 0)
        result = clocks < 0 ? clocks : k_setns(clocks, CLONE_NEWTIME);
    return result < 0 ? cl_fail(err, result, "linux.timeOffsets: set them") : 0;
}

static uint32_t first_id(const struct oci_id_mappings *mappings, uint32_t own)
{
    return mappings == NULL || mappings->count == 0 || plan_maps_id(mappings, own)
               ? own
               : mappings->items[0].container_id;
}

/* Root where it is mapped, else somebody who is: an id that the namespace lacks can make no file. */
static int become(int (*set)(uid_t id), const struct oci_id_mappings *mappings, uint32_t own)
{
    int result = set(0);
    return result == -EINVAL ? set(first_id(mappings, own)) : result;
}

/* IN_NEW_MNT (exec: IN_CONTAINER). All capabilities stay: they are those of the namespace's first
   process, and no root of its is left behind. */
int join_as_root(struct child *child, struct cl_error *err)
{
    const struct oci_linux *linux_ = child->plan != NULL ? &child->plan->spec->linux_ : NULL;
    const struct oci_user *user = &child->process->spec->user;
    int result = become(k_setresgid, linux_ != NULL ? &linux_->gid_mappings : NULL, user->gid);
    if (result >= 0)
        result = become(k_setresuid, linux_ != NULL ? &linux_->uid_mappings : NULL, user->uid);
    /* Both are forgotten with a change of user. */
    if (result >= 0)
        result = k_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (result >= 0)
        result = k_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return result < 0 ? cl_fail(err, result, "become root of the user namespace") : 0;
}
