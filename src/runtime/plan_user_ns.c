/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User namespaces: which ids of the container are which of ours, and who may make one without.
 *
 * The rules between ranges (none empty, none overlapping, none past the last id) are the spec's own
 * and checked there (oci_spec_validate); here is what the kernel and the caller's rights add
 * (user_namespaces(7)).
 */
#include "runtime/plan.h"

#define MAP_MAX                                                                                    \
    4095 /* the kernel takes a map in one write of less than a page, the smallest is 4 KiB */

uint32_t plan_host_id(const struct oci_id_mappings *mappings, uint32_t id)
{
    for (size_t i = 0; i < mappings->count; i++)
        if (id >= mappings->items[i].container_id &&
            id - mappings->items[i].container_id < mappings->items[i].size)
            return mappings->items[i].host_id + (id - mappings->items[i].container_id);
    return UINT32_MAX;
}

bool plan_maps_id(const struct oci_id_mappings *mappings, uint32_t id)
{
    return plan_host_id(mappings, id) != UINT32_MAX;
}

int plan_id_map_text(const struct oci_id_mappings *mappings, struct cl_buf *out)
{
    for (size_t i = 0; i < mappings->count; i++)
        cl_buf_printf(out, "%u %u %u\n", mappings->items[i].container_id,
                      mappings->items[i].host_id, mappings->items[i].size);
    return out->failed;
}

static int check_map(const struct oci_id_mappings *mappings, const char *path, struct cl_error *err)
{
    cl_auto_buf text = CL_BUF_INIT(64 * 1024);
    if (plan_id_map_text(mappings, &text) < 0)
        return cl_fail(err, ENOMEM, "plan %s", path);
    return text.size <= MAP_MAX
               ? 0
               : plan_fail(err, CL_KIND_INVALID, path,
                           "%zu mappings are %zu bytes as text, the kernel takes less than 4096: "
                           "join neighbouring ranges",
                           mappings->count, text.size);
}

static int check_id(const struct oci_id_mappings *mappings, const char *map, const char *path,
                    uint32_t id, struct cl_error *err)
{
    return plan_maps_id(mappings, id)
               ? 0
               : plan_fail(err, CL_KIND_INVALID, path, "%u is not mapped by %s", id, map);
}

static int check_user(const struct runtime_plan *plan, struct cl_error *err)
{
    const struct oci_linux *linux_ = &plan->spec->linux_;
    if (plan->spec->process == NULL)
        return 0;
    const struct oci_user *user = &plan->spec->process->user;
    int result =
        check_id(&linux_->uid_mappings, "linux.uidMappings", "process.user.uid", user->uid, err);
    if (result >= 0)
        result = check_id(&linux_->gid_mappings, "linux.gidMappings", "process.user.gid", user->gid,
                          err);
    for (size_t i = 0; result >= 0 && i < user->additional_gid_count; i++)
        result = check_id(&linux_->gid_mappings, "linux.gidMappings", "process.user.additionalGids",
                          user->additional_gids[i], err);
    return result;
}

/* A device of such a container is the host's node (dev.c). */
static int warn_devices(struct runtime_plan *plan)
{
    const struct oci_linux *linux_ = &plan->spec->linux_;
    int result = 0;
    for (size_t i = 0; result >= 0 && i < linux_->device_count; i++)
        if (linux_->devices[i].file_mode.set || linux_->devices[i].uid.set ||
            linux_->devices[i].gid.set)
            result = plan_warn(&plan->warnings,
                               "linux.devices[%zu]: in a user namespace %s is the host's own node, "
                               "with its mode and owner",
                               i, linux_->devices[i].path);
    return result;
}

static int check_same(const struct oci_id_mappings *mappings, const char *path,
                      struct cl_error *err)
{
    for (size_t i = 0; i < mappings->count; i++)
        if (mappings->items[i].container_id != mappings->items[i].host_id)
            return plan_fail(err, CL_KIND_INVALID, path,
                             "the user namespace that is joined is our own, where each id is "
                             "itself, and not %u is %u",
                             mappings->items[i].container_id, mappings->items[i].host_id);
    return 0;
}

int plan_own_user_ns(const struct runtime_plan *plan, struct cl_error *err)
{
    const struct oci_linux *linux_ = &plan->spec->linux_;
    int result = check_same(&linux_->uid_mappings, "linux.uidMappings", err);
    return result < 0 ? result : check_same(&linux_->gid_mappings, "linux.gidMappings", err);
}

int plan_user_ns(struct runtime_plan *plan, struct cl_error *err)
{
    const struct oci_linux *linux_ = &plan->spec->linux_;
    if (!plan->new_user_ns && !plan->joins_user_ns)
        return plan->facts->is_root
                   ? 0
                   : cl_fail_kind(err, CL_KIND_DENIED, EPERM,
                                  "linux.namespaces: a container of an ordinary user needs a user "
                                  "namespace (see cloche-runtime spec --rootless)");
    int result = check_map(&linux_->uid_mappings, "linux.uidMappings", err);
    if (result >= 0)
        result = check_map(&linux_->gid_mappings, "linux.gidMappings", err);
    if (result >= 0 && plan->new_user_ns)
        result = check_user(plan, err);
    if (result >= 0 && warn_devices(plan) < 0)
        result = cl_fail(err, ENOMEM, "plan the devices");
    return result;
}

/* ---- "Cgroup ownership" of config-linux.md ---- */

/* The three conditions of the specification, by its letter. */
static bool mounts_groups_writable(const struct oci_spec *spec)
{
    for (size_t i = 0; i < spec->mount_count; i++) {
        const struct oci_mount *mount = &spec->mounts[i];
        bool is_read_only = false;
        if (!cl_streq(mount->source, "cgroup") || !cl_streq(mount->destination, "/sys/fs/cgroup"))
            continue;
        for (char **option = mount->options; option != NULL && *option != NULL; option++)
            is_read_only = is_read_only || cl_streq(*option, "ro");
        return !is_read_only;
    }
    return false;
}

int plan_cgroup_owner(struct runtime_plan *plan)
{
    const struct oci_linux *linux_ = &plan->spec->linux_;
    if (plan->facts->cgroups.layout != CGROUP_V2 || plan->cgroup_path[0] == '\0' ||
        !plan->new_cgroup_ns || !mounts_groups_writable(plan->spec))
        return 0;
    uint32_t uid = plan->spec->process != NULL ? plan->spec->process->user.uid : 0;
    if (plan->process.has_user_ns) /* of one that is joined without maps nobody here knows */
        uid = plan_host_id(&linux_->uid_mappings, uid);
    if (uid == UINT32_MAX || uid == plan->facts->euid)
        return 0; /* whoever makes the group owns it */
    if (!plan->facts->is_root)
        return plan_warn(&plan->warnings,
                         "linux.cgroupsPath: the control group stays user %u's, as only root may "
                         "give it to user %u, who can't divide it then",
                         plan->facts->euid, uid);
    plan->gives_group = true;
    plan->cgroup_owner = uid;
    return 0;
}
