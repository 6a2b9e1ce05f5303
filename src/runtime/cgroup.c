/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's control group: made before the container, with all limits in it before anything
 * can run there.
 */
#include "runtime/parent.h"

#include <errno.h>

static int apply_setting(const struct cgroup *group, const struct plan_setting *setting,
                         struct cl_error *err)
{
    bool has_other = setting->other_file[0] != '\0';
    int result = cgroup_write(group, setting->controller, setting->file, setting->value, err);
    if (result == -ENOENT && has_other)
        result = cgroup_write(group, setting->controller, setting->other_file, setting->other_value,
                              err);
    return result < 0 ? cl_error_prefix(err, "%s", setting->property) : 0;
}

static int apply_all(const struct runtime_plan *plan, const struct cgroup *group,
                     struct cl_error *err)
{
    const struct oci_resources *resources = &plan->spec->linux_.resources;
    int result = 0;
    for (size_t i = 0; result >= 0 && i < plan->setting_count; i++)
        result = apply_setting(group, &plan->settings[i], err);
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
