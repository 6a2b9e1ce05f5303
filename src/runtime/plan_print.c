/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan in words, one line per step in the order in which they are done: "parent …" for what is
 * done from outside, "init …" for the container's first process.
 */
#include "runtime/plan.h"

#include <inttypes.h>

static void print_caps(struct cl_buf *out, const char *name, uint64_t mask)
{
    cl_buf_printf(out, " %s=", name);
    if (mask == 0)
        cl_buf_char(out, '-');
    for (unsigned i = 0, count = 0; i < 64; i++) {
        if ((mask & UINT64_C(1) << i) == 0)
            continue;
        const char *cap = oci_cap_name((int)i);
        if (count++ > 0)
            cl_buf_char(out, ',');
        cl_buf_str(out, cap == NULL ? "?" : cl_starts_with(cap, "CAP_") ? cap + 4 : cap);
    }
}

/* Where what the host names is opened: an ordinary user can clone mounts only in a namespace of its
   own. */
static const char *opener(const struct runtime_plan *plan)
{
    return plan->facts->is_root || plan->options->root_mount > 0 ? "parent" : "init";
}

static void print_hooks(const struct runtime_plan *plan, enum runtime_hooks kind, const char *who,
                        struct cl_buf *out)
{
    const struct oci_hook_list *list = runtime_hooks_list(plan->spec, kind);
    for (size_t i = 0; i < list->count; i++)
        cl_buf_printf(out, "%s  run %s hook %s\n", who, runtime_hooks_name(kind),
                      list->items[i].path);
}

static void print_parent(const struct runtime_plan *plan, struct cl_buf *out)
{
    const struct runtime_rootfs *rootfs = &plan->options->rootfs;
    if (rootfs->is_overlay) {
        cl_buf_str(out, "parent  open root file system overlay");
        for (const char *const *lower = rootfs->lowers; lower != NULL && *lower != NULL; lower++)
            cl_buf_printf(out, " %s", *lower);
        cl_buf_printf(out, " upper %s\n", rootfs->upper != NULL ? rootfs->upper : "none");
    } else if (plan->rootfs_path != NULL) {
        cl_buf_printf(out, "%s  open root file system %s\n", opener(plan), plan->rootfs_path);
    }
    for (size_t i = 0; i < plan->mount_count; i++)
        if (plan->mounts[i].kind == PLAN_MOUNT_BIND)
            cl_buf_printf(out, "%s  open bind source %s%s\n", opener(plan), plan->mounts[i].source,
                          plan->mounts[i].is_idmapped ? " and id-map it" : "");
    if (plan->cgroup_path[0] != '\0')
        cl_buf_printf(out, "parent  make cgroup %s\n", plan->cgroup_path);
    for (size_t i = 0; i < plan->spec->linux_.net_device_count; i++) {
        const struct oci_net_device *device = &plan->spec->linux_.net_devices[i];
        cl_buf_printf(out, "parent  move network device %s in as %s\n", device->host_name,
                      device->name != NULL && device->name[0] != '\0' ? device->name
                                                                      : device->host_name);
    }
    if (plan->process.rdt != NULL)
        cl_buf_printf(out, "parent  make or check the resctrl group %s\n",
                      plan->process.rdt->clos_id != NULL ? plan->process.rdt->clos_id
                                                         : plan->options->id);
    for (size_t i = 0; i < plan->setting_count; i++)
        cl_buf_printf(out, "parent  write %s to %s\n", plan->settings[i].value,
                      plan->settings[i].file);
    if (plan->use_device_rules)
        cl_buf_printf(out, "parent  apply %zu device rules\n",
                      plan->spec->linux_.resources.device_count);
}

static void print_map(const char *name, const struct oci_id_mappings *mappings, struct cl_buf *out)
{
    cl_buf_printf(out, "parent  map %s", name);
    for (size_t i = 0; i < mappings->count; i++)
        cl_buf_printf(out, "%s %u to %u (%u)", i > 0 ? "," : "", mappings->items[i].container_id,
                      mappings->items[i].host_id, mappings->items[i].size);
    cl_buf_char(out, '\n');
}

static void print_namespaces(const struct runtime_plan *plan, struct cl_buf *out)
{
    const char *joiner = plan->process.has_user_ns ? "between" : "init";
    for (size_t i = 0; plan->process.has_user_ns && i < plan->join_count; i++)
        cl_buf_printf(out, "%s  join %s namespace %s\n", joiner,
                      k_ns_table[plan->joins[i].type].name, plan->joins[i].path);
    cl_buf_str(out, "parent  clone with new namespaces");
    for (int i = 0; i < K_NS_COUNT; i++)
        if ((plan->clone_flags & k_ns_table[i].clone_flag) != 0)
            cl_buf_printf(out, " %s", k_ns_table[i].name);
    cl_buf_char(out, '\n');
    if (plan->new_user_ns) {
        print_map("users", &plan->spec->linux_.uid_mappings, out);
        print_map("groups", &plan->spec->linux_.gid_mappings, out);
    }
    if (plan->time_offsets[0] != '\0')
        cl_buf_printf(out, "%s  set clock offsets\n",
                      plan->process.has_user_ns ? "init" : "parent");
    if (plan->cgroup_path[0] != '\0')
        cl_buf_printf(out, "init  join cgroup %s\n", plan->cgroup_path);
    if (plan->new_cgroup_ns)
        cl_buf_str(out, "init  make cgroup namespace\n");
    for (size_t i = 0; !plan->process.has_user_ns && i < plan->join_count; i++)
        cl_buf_printf(out, "init  join %s namespace %s\n", k_ns_table[plan->joins[i].type].name,
                      plan->joins[i].path);
}

static void print_mounts(const struct runtime_plan *plan, struct cl_buf *out)
{
    cl_buf_str(out, "init  make mounts private\n");
    if (plan->process.has_user_ns)
        cl_buf_str(out, "init  become root of the user namespace\n");
    cl_buf_str(out, "init  attach root file system\n");
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct plan_mount *mount = &plan->mounts[i];
        char **options = plan->spec->mounts[mount->index].options;
        if (mount->kind == PLAN_MOUNT_CHANGE)
            cl_buf_printf(out, "init  change the mount at %s", mount->target);
        else
            cl_buf_printf(out, "init  mount %s at %s",
                          mount->kind == PLAN_MOUNT_BIND ? mount->source : mount->type,
                          mount->target);
        for (size_t j = 0; options != NULL && options[j] != NULL; j++)
            cl_buf_printf(out, "%s%s", j == 0 ? " (" : ",", options[j]);
        cl_buf_str(out, options != NULL && options[0] != NULL ? ")\n" : "\n");
    }
    if (plan->make_devices)
        cl_buf_str(out, "init  make default devices\n");
    for (size_t i = 0; i < plan->spec->linux_.device_count; i++)
        cl_buf_printf(out, "init  make device %s\n", plan->spec->linux_.devices[i].path);
    if (plan->process.spec->terminal)
        cl_buf_str(out, "init  open terminal\n");
    cl_buf_printf(out, "init  make %s where it is missing\n", plan->process.spec->cwd);
    print_hooks(plan, RUNTIME_PRESTART, "parent", out);
    print_hooks(plan, RUNTIME_CREATE_RUNTIME, "parent", out);
    print_hooks(plan, RUNTIME_CREATE_CONTAINER, "init", out);
    for (char **item = plan->sysctls; item != NULL && *item != NULL; item += 2)
        cl_buf_printf(out, "init  write %s to /proc/%s\n", item[1], item[0]);
    for (char **path = plan->masked; path != NULL && *path != NULL; path++)
        cl_buf_printf(out, "init  mask %s\n", *path);
    for (char **path = plan->spec->linux_.readonly_paths; path != NULL && *path != NULL; path++)
        cl_buf_printf(out, "init  make %s read-only\n", *path);
    if (plan->spec->root.readonly || plan->options->rootfs.is_read_only)
        cl_buf_str(out, "init  make the root file system read-only\n");
    cl_buf_str(out, plan->moves_root ? "init  change into the root file system\n"
                                     : "init  pivot into the root file system\n");
}

static void print_label(const char *what, const char *value, struct cl_buf *out)
{
    if (value != NULL && value[0] != '\0')
        cl_buf_printf(out, "init  set %s %s\n", what, value);
}

/* What the process is given before it may be told to start. */
static void print_settings(const struct plan_process *process, struct cl_buf *out)
{
    const struct oci_process *spec = process->spec;
    if (process->new_keyring)
        cl_buf_printf(out, "init  join session keyring %s\n", process->keyring);
    if (spec->oom_score_adj.set)
        cl_buf_printf(out, "init  set oom score %d\n", (int)spec->oom_score_adj.value);
    if (spec->scheduler != NULL)
        cl_buf_printf(out, "init  set scheduler policy %d nice %d priority %d\n",
                      (int)spec->scheduler->policy, spec->scheduler->nice,
                      spec->scheduler->priority);
    if (spec->io_priority != NULL)
        cl_buf_printf(out, "init  set I/O priority class %d priority %d\n",
                      (int)spec->io_priority->class_, (int)spec->io_priority->priority);
    if (process->personality != NULL)
        cl_buf_printf(out, "init  set personality %#lx\n",
                      (unsigned long)process->personality->domain);
    if (process->memory_policy != NULL)
        cl_buf_str(out, "init  set memory policy\n");
    cl_buf_printf(out, "init  set umask %04o\n",
                  spec->user.umask.set ? spec->user.umask.value : 022);
}

static void print_process(const struct runtime_plan *plan, struct cl_buf *out)
{
    const struct plan_process *process = &plan->process;
    const struct oci_process *spec = process->spec;
    if (plan->new_net_ns)
        cl_buf_str(out, "init  bring up loopback\n");
    if (plan->spec->hostname != NULL)
        cl_buf_printf(out, "init  set host name %s\n", plan->spec->hostname);
    if (plan->spec->domainname != NULL)
        cl_buf_printf(out, "init  set domain name %s\n", plan->spec->domainname);
    print_settings(process, out);
    for (size_t i = 0; i < spec->rlimit_count; i++)
        cl_buf_printf(out, "init  limit %s to %" PRIu64 ":%" PRIu64 "\n",
                      oci_rlimit_name(spec->rlimits[i].type), spec->rlimits[i].soft,
                      spec->rlimits[i].hard);
    cl_buf_printf(out, "init  enter %s\n", spec->cwd);
    cl_buf_printf(out, "init  become user %u group %u", spec->user.uid, spec->user.gid);
    for (size_t i = 0; i < spec->user.additional_gid_count; i++)
        cl_buf_printf(out, "%s%u", i == 0 ? " groups " : ",", spec->user.additional_gids[i]);
    cl_buf_char(out, '\n');
    cl_buf_str(out, "init  keep capabilities");
    print_caps(out, "bounding", process->bounding);
    print_caps(out, "effective", process->effective);
    print_caps(out, "permitted", process->permitted);
    print_caps(out, "inheritable", process->inheritable);
    print_caps(out, "ambient", process->ambient);
    cl_buf_char(out, '\n');
    if (plan->options->record_denials)
        cl_buf_str(out, "init  open audit session\n");
    if (spec->no_new_privileges)
        cl_buf_str(out, "init  set no_new_privs\n");
    if (process->filter.code != NULL)
        cl_buf_printf(out, "init  load seccomp filter (%zu instructions)\n", process->filter.count);
    if (process->notify != NULL)
        cl_buf_printf(out, "parent  send the seccomp listener to %s\n", process->listener_path);
    print_label("AppArmor profile", spec->apparmor_profile, out);
    print_label("SELinux label", spec->selinux_label, out);
    print_hooks(plan, RUNTIME_START_CONTAINER, "init", out);
    cl_buf_str(out, "init  execute");
    for (char **word = spec->args; *word != NULL; word++)
        cl_buf_printf(out, " %s", *word);
    cl_buf_char(out, '\n');
    print_hooks(plan, RUNTIME_POSTSTART, "parent", out);
    print_hooks(plan, RUNTIME_POSTSTOP, "at its end  parent", out);
}

int runtime_plan_print(const struct runtime_plan *plan, struct cl_buf *out)
{
    print_parent(plan, out);
    print_namespaces(plan, out);
    print_mounts(plan, out);
    print_process(plan, out);
    return out->failed;
}
