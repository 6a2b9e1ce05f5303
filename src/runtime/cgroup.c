/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's control group: made before the container, with all limits in it before anything
 * can run there.
 */
#include "runtime/parent.h"

static int apply_all(const struct runtime_plan *plan, const struct cgroup *group,
                     struct cl_error *err)
{
    const struct oci_resources *resources = &plan->spec->linux_.resources;
    int result = settings_apply(group, plan->settings, plan->setting_count, err);
    if (result >= 0 && plan->use_device_rules)
        result = devices_apply(group, resources->devices, resources->device_count, err);
    return result;
}

int parent_make_cgroup(const struct runtime_plan *plan, struct cgroup *ret, struct cl_error *err)
{
    struct cgroup group = { 0 };
    /* The kernel room's functions take the host as theirs to change, though they only read it. */
    struct cgroup_host *host = (struct cgroup_host *)(uintptr_t)&plan->facts->cgroups;
    int result = cgroup_make(host, plan->cgroup_path, plan->cgroup_must_be_new, &group, err);
    if (result < 0)
        return result;
    cl_test_point("cgroup made");
    result = apply_all(plan, &group, err);
    if (result < 0) {
        (void)parent_remove_cgroup(&group); /* empty: nothing has run in it */
        cgroup_done(&group);
        return result;
    }
    *ret = group;
    return 0;
}

int parent_remove_cgroup(const struct cgroup *group)
{
    struct cgroup_host host = { .count = group->count };
    for (size_t i = 0; i < group->count; i++)
        host.hierarchies[i] = *group->at[i].hierarchy;
    return cgroup_remove(&host, group->path);
}
