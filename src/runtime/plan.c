/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec + options + facts → plan. Pure: no system call is made here, so every refusal can be tested
 * without root and comes before anything was made. Mounts, user namespaces and cgroup settings have
 * files of their own (plan_mounts.c, plan_user_ns.c, plan_cgroup.c).
 */
#include "runtime/plan.h"

#include <linux/capability.h>
#include <linux/seccomp.h>

int plan_fail(struct cl_error *err, enum cl_kind kind, const char *path, const char *fmt, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, fmt);
    (void)vsnprintf(text, sizeof text, fmt, arguments);
    va_end(arguments);
    return cl_fail_kind(err, kind, kind == CL_KIND_UNSUPPORTED ? EOPNOTSUPP : EINVAL, "%s: %s",
                        path, text);
}

int plan_warn(char ***warnings, const char *fmt, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, fmt);
    (void)vsnprintf(text, sizeof text, fmt, arguments);
    va_end(arguments);
    cl_debug("plan", "warning: %s", text);
    return warnings == NULL ? 0 : cl_strv_append(warnings, text);
}

bool plan_next_number(const char **at, uint64_t *ret)
{
    char word[24];
    const char *start = *at + strspn(*at, " \n");
    size_t length = strcspn(start, " \n");
    if (CL_PRINT(word, "%.*s", (int)length, start) < 0 ||
        cl_parse_u64(word, 0, UINT64_MAX, ret) < 0)
        return false;
    *at = start + length;
    return true;
}

char *plan_clean_path(const char *path)
{
    char *clean = cl_malloc(strlen(path) + 2);
    if (clean == NULL)
        return NULL;
    size_t used = 0;
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (length == 2 && path[0] == '.' && path[1] == '.') {
            while (used > 0 && clean[--used] != '/')
                ;
        } else if (length > 0 && !(length == 1 && path[0] == '.')) {
            clean[used++] = '/';
            memcpy(clean + used, path, length);
            used += length;
        }
        path += length;
        path += strspn(path, "/");
    }
    if (used == 0)
        clean[used++] = '/';
    clean[used] = '\0';
    return clean;
}

/* ---- options ---- */

static int check_id(const char *id, struct cl_error *err)
{
    size_t length = id == NULL ? 0 : strlen(id);
    if (length == 0)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "container id: must not be empty");
    if (length > 1024 || cl_streq(id, ".") || cl_streq(id, "..") ||
        id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")] !=
            '\0')
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "container id \"%.80s\": only letters, digits and _.+- are allowed",
                            id == NULL ? "" : id);
    return 0;
}

static int plan_rootfs(struct runtime_plan *plan, struct cl_error *err)
{
    const struct runtime_options *options = plan->options;
    const struct runtime_rootfs *rootfs = &options->rootfs;
    if (options->root_mount > 0 || rootfs->is_overlay)
        return 0;
    const char *path = rootfs->path != NULL ? rootfs->path : plan->spec->root.path;
    if (path == NULL)
        return plan_fail(err, CL_KIND_INVALID, "root", "a container needs a root file system");
    if (path[0] == '/')
        plan->rootfs_path = cl_strdup(path);
    else if (options->bundle != NULL)
        plan->rootfs_path = cl_format("%s/%s", options->bundle, path);
    else
        return plan_fail(err, CL_KIND_INVALID, "root.path",
                         "\"%s\" is relative, and there is no bundle directory", path);
    return plan->rootfs_path == NULL ? cl_fail(err, ENOMEM, "plan the root file system") : 0;
}

/* ---- namespaces ---- */

static bool host_has_ns(const struct runtime_facts *facts, enum oci_namespace_type type)
{
    switch (type) {
    case OCI_NS_TIME:
        return facts->has_time_ns;
    case OCI_NS_CGROUP:
        return facts->has_cgroup_ns;
    case OCI_NS_USER:
        return facts->has_user_ns;
    default:
        return true;
    }
}

static int plan_join(struct runtime_plan *plan, size_t index, struct cl_error *err)
{
    const struct oci_namespace *ns = &plan->spec->linux_.namespaces[index];
    char path[64];
    (void)CL_PRINT(path, "linux.namespaces[%zu].path", index);
    int type = k_ns_by_name(oci_namespace_name(ns->type));
    if (type < 0)
        return plan_fail(err, CL_KIND_INVALID, path, "unknown namespace type");
    /* The kernel refuses to let anybody in where they are (setns(2): EINVAL). */
    if (ns->type == OCI_NS_USER && plan->facts->is_user_ns_own)
        return plan_own_user_ns(plan, err);
    plan->joins_user_ns = plan->joins_user_ns || ns->type == OCI_NS_USER;
    plan->joins_mount_ns = plan->joins_mount_ns || ns->type == OCI_NS_MOUNT;
    plan->joins[plan->join_count++] = (struct plan_join){ (enum k_ns)type, index, ns->path };
    return 0;
}

static int plan_namespace(struct runtime_plan *plan, size_t index, struct cl_error *err)
{
    const struct oci_namespace *ns = &plan->spec->linux_.namespaces[index];
    const char *name = oci_namespace_name(ns->type);
    char path[64];
    (void)CL_PRINT(path, "linux.namespaces[%zu]", index);
    if (!host_has_ns(plan->facts, ns->type))
        return plan_fail(err, CL_KIND_UNSUPPORTED, path, "this kernel has no %s namespaces", name);
    if (ns->path != NULL)
        return plan_join(plan, index, err);
    if (ns->type == OCI_NS_CGROUP) {
        plan->new_cgroup_ns = true;
        return 0;
    }
    int type = k_ns_by_name(name);
    if (type < 0)
        return plan_fail(err, CL_KIND_INVALID, path, "unknown namespace type");
    plan->clone_flags |= k_ns_table[type].clone_flag;
    plan->new_net_ns = plan->new_net_ns || ns->type == OCI_NS_NETWORK;
    plan->new_user_ns = plan->new_user_ns || ns->type == OCI_NS_USER;
    return 0;
}

static int plan_time_offsets(struct runtime_plan *plan, struct cl_error *err)
{
    size_t used = 0;
    for (size_t i = 0; i < plan->spec->linux_.time_offset_count; i++) {
        const struct oci_time_offset *offset = &plan->spec->linux_.time_offsets[i];
        if (cl_print(plan->time_offsets + used, sizeof plan->time_offsets - used, "%s %lld %u\n",
                     offset->clock, (long long)offset->secs, offset->nanosecs) < 0)
            return plan_fail(err, CL_KIND_INVALID, "linux.timeOffsets", "too many clocks");
        used += strlen(plan->time_offsets + used);
    }
    return 0;
}

static int plan_namespaces(struct runtime_plan *plan, struct cl_error *err)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < plan->spec->linux_.namespace_count; i++)
        result = plan_namespace(plan, i, err);
    if (result < 0)
        return result;
    plan->moves_root = plan->options->no_pivot || plan->joins_mount_ns;
    plan->shares_mount_ns = (plan->clone_flags & CLONE_NEWNS) == 0 && !plan->joins_mount_ns;
    if (plan->shares_mount_ns && (plan->new_user_ns || plan->joins_user_ns))
        return plan_fail(err, CL_KIND_INVALID, "linux.namespaces",
                         "with a user namespace a mount namespace is needed, too: nothing could be "
                         "mounted in ours");
    plan->clone_flags |= plan->shares_mount_ns ? CLONE_NEWNS : 0;
    return plan_time_offsets(plan, err);
}

/* ---- the rest ---- */

static int plan_sysctls(struct runtime_plan *plan, struct cl_error *err)
{
    const struct oci_map *map = &plan->spec->linux_.sysctl;
    for (size_t i = 0; i < map->count; i++) {
        char *file = cl_format("sys/%s", map->pairs[i].key);
        /* "net.ipv4.ip_forward"; a name with slashes is taken as it is (interface names may hold
           dots). */
        if (file != NULL && strchr(map->pairs[i].key, '/') == NULL)
            for (char *dot = file; (dot = strchr(dot, '.')) != NULL;)
                *dot = '/';
        if (cl_strv_append_take(&plan->sysctls, file) < 0 ||
            cl_strv_append(&plan->sysctls, map->pairs[i].value) < 0)
            return cl_fail(err, ENOMEM, "plan sysctls");
    }
    return 0;
}

static unsigned long propagation_flags(enum oci_propagation propagation)
{
    static const unsigned long flags[] = {
        [OCI_PROPAGATION_DEFAULT] = 0,
        [OCI_PROPAGATION_SHARED] = MS_SHARED,
        [OCI_PROPAGATION_SLAVE] = MS_SLAVE,
        [OCI_PROPAGATION_PRIVATE] = MS_PRIVATE,
        [OCI_PROPAGATION_UNBINDABLE] = MS_UNBINDABLE,
        [OCI_PROPAGATION_RSHARED] = MS_SHARED | MS_REC,
        [OCI_PROPAGATION_RSLAVE] = MS_SLAVE | MS_REC,
        [OCI_PROPAGATION_RPRIVATE] = MS_PRIVATE | MS_REC,
        [OCI_PROPAGATION_RUNBINDABLE] = MS_UNBINDABLE | MS_REC,
    };
    return (size_t)propagation < CL_COUNT(flags) ? flags[propagation] : 0;
}

static int plan_masks(struct runtime_plan *plan)
{
    int result = cl_strv_copy(&plan->masked, (const char *const *)plan->spec->linux_.masked_paths);
    if (!plan->options->mask_thermal_throttle)
        return result;
    for (unsigned cpu = 0; result >= 0 && cpu < plan->facts->thermal_cpus; cpu++)
        result = cl_strv_append_take(
            &plan->masked, cl_format("/sys/devices/system/cpu/cpu%u/thermal_throttle", cpu));
    return result;
}

static int fill_process(struct runtime_plan *plan, struct cl_error *err)
{
    struct plan_process *process = &plan->process;
    const struct runtime_options *options = plan->options;
    process->has_user_ns = plan->new_user_ns || plan->joins_user_ns;
    int result = plan_process_init(process, plan->spec->process, plan->facts, &plan->warnings, err);
    if (result < 0)
        return result;
    process->preserve_fds = options->preserve_fds;
    process->die_with_parent = options->die_with_parent;
    process->new_keyring = !options->no_new_keyring;
    process->memory_policy = plan->spec->linux_.memory_policy;
    process->personality = plan->spec->linux_.personality;
    process->rdt = plan->spec->linux_.intel_rdt;
    process->id = options->id;
    (void)CL_PRINT(process->keyring, "_ses.%s", options->id); /* a cut name is as good */
    result = plan_process_annotations(process, &plan->spec->annotations, plan->spec->linux_.seccomp,
                                      err);
    if (result >= 0 && process->keeps_groups && plan->spec->process->user.additional_gid_count > 0)
        (void)plan_warn(&plan->warnings, "process.user.additionalGids is without effect: the "
                                         "caller's groups are kept, as "
                                         "annotations[\"run.oci.keep_original_groups\"] says");
    if (result >= 0)
        result =
            plan_seccomp(process, options->use_default_seccomp, plan->spec->linux_.seccomp, err);
    if (result >= 0 && options->record_denials && process->filter.code != NULL)
        process->filter.flags |= SECCOMP_FILTER_FLAG_LOG;
    return result;
}

static int fill_plan(struct runtime_plan *plan, struct cl_error *err)
{
    int result = check_id(plan->options->id, err);
    if (result >= 0)
        result = oci_spec_validate(plan->spec, err);
    if (result >= 0)
        result = plan_rootfs(plan, err);
    if (result >= 0)
        result = plan_namespaces(plan, err);
    if (result >= 0)
        result = plan_annotations(plan, err);
    plan->root_propagation = propagation_flags(plan->spec->linux_.rootfs_propagation);
    if (result >= 0)
        result = plan_user_ns(plan, err);
    if (result >= 0)
        result = plan_mounts(plan, err);
    if (result >= 0)
        result = plan_cgroup(plan, err);
    if (result >= 0)
        result = fill_process(plan, err);
    if (result >= 0 && plan_cgroup_owner(plan) < 0)
        result = cl_fail(err, ENOMEM, "plan the control group");
    if (result >= 0)
        result = plan_sysctls(plan, err);
    if (result < 0)
        return result;
    return plan_masks(plan) < 0 ? cl_fail(err, ENOMEM, "plan masked paths") : 0;
}

static int fill_mounts(struct runtime_plan *plan, struct cl_error *err)
{
    int result = oci_spec_validate(plan->spec, err);
    if (result >= 0)
        result = plan_namespaces(plan, err);
    if (result >= 0)
        result = plan_annotations(plan, err);
    plan->root_propagation = propagation_flags(plan->spec->linux_.rootfs_propagation);
    if (result >= 0)
        result = plan_mounts(plan, err);
    plan->process.spec = plan->spec->process;
    plan->new_user_ns = false; /* it is there */
    return result;
}

static struct runtime_plan *empty_plan(const struct oci_spec *spec,
                                       const struct runtime_options *options,
                                       const struct runtime_facts *facts)
{
    struct runtime_plan *plan = cl_calloc(1, sizeof *plan);
    if (plan == NULL)
        return NULL;
    plan->spec = spec;
    plan->options = options;
    plan->facts = facts;
    return plan;
}

int plan_mounts_alone(const struct oci_spec *spec, const struct runtime_options *options,
                      const struct runtime_facts *facts, struct runtime_plan **ret,
                      struct cl_error *err)
{
    CL_AUTO(runtime_plan_free) struct runtime_plan *plan = empty_plan(spec, options, facts);
    int result = plan == NULL ? cl_fail(err, ENOMEM, "plan mounts") : fill_mounts(plan, err);
    if (result < 0)
        return result;
    *ret = cl_take(plan);
    return 0;
}

int runtime_plan_new(const struct oci_spec *spec, const struct runtime_options *options,
                     const struct runtime_facts *facts, struct runtime_plan **ret,
                     struct cl_error *err)
{
    CL_AUTO(runtime_plan_free) struct runtime_plan *plan = empty_plan(spec, options, facts);
    int result = plan == NULL ? cl_fail(err, ENOMEM, "plan the container") : fill_plan(plan, err);
    if (result < 0)
        return result;
    *ret = cl_take(plan);
    return 0;
}

static void mount_done(struct plan_mount *mount)
{
    free(mount->target);
    free(mount->uid_map.items);
    free(mount->gid_map.items);
    free(mount->source);
    oci_mount_flags_done(&mount->flags);
    for (size_t i = 0; i < mount->option_count; i++)
        free(mount->options[i].key);
    free(mount->options);
}

void runtime_plan_free(struct runtime_plan *plan)
{
    if (plan == NULL)
        return;
    for (size_t i = 0; i < plan->mount_count; i++)
        mount_done(&plan->mounts[i]);
    free(plan->mounts);
    free(plan->settings);
    free(plan->rootfs_path);
    cl_strv_free(plan->masked);
    cl_strv_free(plan->sysctls);
    cl_strv_free(plan->warnings);
    plan_process_done(&plan->process);
    free(plan);
}

const char *const *runtime_plan_warnings(const struct runtime_plan *plan)
{
    return (const char *const *)plan->warnings;
}
