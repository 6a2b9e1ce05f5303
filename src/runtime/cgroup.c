/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's control group: made before init does anything but namespaces, with all limits in it before anything
 * can run there.
 */
#include "runtime/parent.h"

#include <errno.h>
#include <fcntl.h>

static int apply_all(const struct runtime_plan *plan, const struct cgroup *group,
                     struct cl_error *err)
{
    const struct oci_resources *resources = &plan->spec->linux_.resources;
    int result = settings_apply(group, plan->settings, plan->setting_count, err);
    if (result < 0 || !plan->use_device_rules)
        return result;
    result = devices_apply(group, resources->devices, resources->device_count, err);
    /* Only the host's root may, and only it can make devices: elsewhere the modes of the host's
       nodes are what decides, as under every runtime. */
    return result == -EPERM && (!plan->facts->is_root || runtime_in_user_ns(plan->facts)) ? 0
                                                                                          : result;
}

/* Who is not root of the host may have no group to make others in. That is an error where a limit or
   a path is asked for, and else as with every runtime: the container stays in the group that we are
   in. */
static bool goes_without(const struct runtime_plan *plan, int code)
{
    bool is_denied = code == -EACCES || code == -EPERM || code == -EROFS;
    bool is_asked = plan->setting_count > 0 || plan->options->cgroup_path == NULL;
    enum runtime_rootless rootless = plan->options->rootless;
    if (!is_denied || is_asked || rootless == RUNTIME_ROOTLESS_NO)
        return false;
    return rootless == RUNTIME_ROOTLESS_YES || !plan->facts->is_root ||
           runtime_in_user_ns(plan->facts);
}

/* The host's number of the container's root. */
static uid_t root_of(const struct oci_id_mappings *mappings)
{
    for (size_t i = 0; i < mappings->count; i++)
        if (mappings->items[i].container_id == 0)
            return mappings->items[i].host_id;
    return 0;
}

/* Without any limits, and without controllers let down to it: nobody may be above it then, and init
   is born there. The files are those that cgroups(7) has changed for a delegation. */
static int make_delegate(const struct runtime_plan *plan, const struct cgroup *group,
                         struct cl_error *err)
{
    static const char *const files[] = { ".", "cgroup.procs", "cgroup.threads",
                                         "cgroup.subtree_control" };
    const struct oci_linux *linux_ = &plan->spec->linux_;
    uid_t uid = root_of(&linux_->uid_mappings), gid = root_of(&linux_->gid_mappings);
    int v2 = cgroup_v2_fd(group);
    int result = k_mkdirat(v2, plan->delegate, 0755);
    if (result == -EEXIST)
        result = 0;
    cl_auto_fd below =
        result < 0 ? result : k_openat(v2, plan->delegate, O_RDONLY | O_DIRECTORY, 0);
    for (size_t i = 0; result >= 0 && uid != 0 && i < CL_COUNT(files); i++)
        result = below < 0 ? below : k_fchownat(below, files[i], uid, gid, 0);
    return result < 0 ? cl_fail(err, result, "delegate cgroup %s/%s", group->path, plan->delegate)
                      : 0;
}

/* What may be given away, by the kernel's own word: a name a line. Not every group has all of it. */
static int read_delegate(char *text, size_t size)
{
    static const char fallback[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
    ssize_t length = cl_read_small(AT_FDCWD, "/sys/kernel/cgroup/delegate", text, size);
    return length >= 0 ? 0 : length == -ENOENT ? cl_print(text, size, "%s", fallback) : (int)length;
}

/* The specification's "Cgroup ownership". Limits and the rest of the files stay ours. */
static int give_group(const struct runtime_plan *plan, const struct cgroup *group,
                      struct cl_error *err)
{
    char names[1024] = "";
    int v2 = cgroup_v2_fd(group);
    if (v2 < 0)
        return 0;
    int result = read_delegate(names, sizeof names);
    if (result >= 0)
        result = k_fchownat(v2, ".", plan->cgroup_owner, (gid_t)-1, 0);
    for (char *name = names, *next; result >= 0 && name[0] != '\0'; name = next) {
        next = name + strcspn(name, "\n");
        if (*next != '\0')
            *next++ = '\0';
        result = k_fchownat(v2, name, plan->cgroup_owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW);
        if (result == -ENOENT)
            result = 0;
    }
    return result < 0
               ? cl_fail(err, result, "give cgroup %s to user %u", group->path, plan->cgroup_owner)
               : 0;
}

int parent_make_cgroup(const struct runtime_plan *plan, struct cgroup *ret, struct cl_error *err)
{
    struct cgroup group = { 0 };
    /* The kernel room's functions take the host as theirs to change, though they only read it. */
    struct cgroup_host *host = (struct cgroup_host *)(uintptr_t)&plan->facts->cgroups;
    int result = cgroup_make(host, plan->cgroup_path, plan->cgroup_must_be_new, &group, err);
    if (result < 0)
        return goes_without(plan, result) ? 0 : result;
    cl_test_point("cgroup made");
    result = apply_all(plan, &group, err);
    if (result >= 0 && plan->gives_group)
        result = give_group(plan, &group, err);
    if (result >= 0 && plan->delegate != NULL)
        result = make_delegate(plan, &group, err);
    if (result < 0) {
        (void)parent_remove_cgroup(&group); /* empty: nothing has run in it */
        cgroup_done(&group);
        return result;
    }
    *ret = group;
    return 0;
}

/* Empty of all but the version: the rest comes when all of it is there. */
int parent_make_v2_cgroup(const struct runtime_plan *plan, struct cgroup *ret, struct cl_error *err)
{
    struct cgroup_host *host = (struct cgroup_host *)(uintptr_t)&plan->facts->cgroups;
    int result = cgroup_make_of(host, true, plan->cgroup_path, plan->cgroup_must_be_new, ret, err);
    cl_test_point("cgroup made");
    return result < 0 && goes_without(plan, result) ? 0 : result;
}

int parent_complete_cgroups(const struct runtime_plan *plan, struct cgroup *ret,
                            struct cl_error *err)
{
    struct cgroup group = { 0 };
    struct cgroup_host *host = (struct cgroup_host *)(uintptr_t)&plan->facts->cgroups;
    int result =
        cgroup_make_of(host, false, plan->cgroup_path, plan->cgroup_must_be_new, &group, err);
    if (result < 0)
        return goes_without(plan, result) ? 0 : result;
    cl_test_point("cgroups made");
    if (ret->count == 1)
        group.at[group.count++] = ret->at[0];
    *ret = group;
    return ret->count > 0 ? apply_all(plan, ret, err) : 0; /* none: it goes without */
}

int parent_remove_cgroup(const struct cgroup *group)
{
    struct cgroup_host host = { .count = group->count };
    for (size_t i = 0; i < group->count; i++)
        host.hierarchies[i] = *group->at[i].hierarchy;
    int result = cgroup_remove(&host, group->path);
    if (result >= 0)
        cgroup_remove_parents(group);
    return result;
}

int parent_keep_hierarchies(struct runtime_process *process, struct cl_error *err)
{
    struct cgroup *group = &process->cgroup;
    process->hierarchies = cl_calloc(group->count, sizeof *process->hierarchies);
    if (process->hierarchies == NULL)
        return cl_fail(err, ENOMEM, "make cgroup %s", group->path);
    for (size_t i = 0; i < group->count; i++) {
        process->hierarchies[i] = *group->at[i].hierarchy;
        group->at[i].hierarchy = &process->hierarchies[i];
    }
    return 0;
}
