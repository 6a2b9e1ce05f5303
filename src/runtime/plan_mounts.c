/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts[] → what to mount where, checked. Targets are cleaned as text only ("/a/../b" is "/b");
 * where they lead is decided when they are opened below the root (kernel/inroot.h).
 */
#include "runtime/plan.h"

#include "oci/names.h"

/* Files of /proc that may be covered, as every runtime allows (CVE-2019-16884 was what came of
   allowing all). Below a name with a slash at its end everything is allowed. */
static const char *const proc_allowed[] = {
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/slabinfo",
    "/proc/net/dev",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/crypto/fips_enabled",
};

static bool is_below(const char *path, const char *top)
{
    size_t length = strlen(top);
    return strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* What is under these is made of mounts of ours, so a link there can only be the image's
   (CVE-2026-41579: /dev as a link). */
static bool is_ours(const char *target)
{
    return is_below(target, "/proc") || is_below(target, "/sys") || is_below(target, "/dev");
}

static int fail_mount(struct cl_error *err, size_t index, enum cl_kind kind, const char *member,
                      const char *text)
{
    char path[64];
    (void)CL_PRINT(path, "mounts[%zu].%s", index, member);
    return plan_fail(err, kind, path, "%s", text);
}

static int check_target(const struct plan_mount *mount, struct cl_error *err)
{
    if (cl_streq(mount->target, "/"))
        return fail_mount(err, mount->index, CL_KIND_INVALID, "destination",
                          "\"/\" is the root file system; use root.path");
    if (!is_below(mount->target, "/proc") || cl_streq(mount->target, "/proc"))
        return 0;
    for (size_t i = 0; i < CL_COUNT(proc_allowed); i++)
        if (cl_streq(mount->target, proc_allowed[i]))
            return 0;
    char text[300];
    (void)CL_PRINT(text, "\"%.200s\" can't be mounted: what covers /proc could lie for the kernel",
                   mount->target);
    return fail_mount(err, mount->index, CL_KIND_INVALID, "destination", text);
}

static int add_option(struct plan_mount *mount, const char *text, size_t length)
{
    struct plan_fs_option *options =
        cl_realloc(mount->options, (mount->option_count + 1) * sizeof *options);
    if (options == NULL)
        return -ENOMEM;
    mount->options = options;
    char *key = cl_strndup(text, length);
    if (key == NULL)
        return -ENOMEM;
    char *equals = strchr(key, '=');
    if (equals != NULL)
        *equals = '\0';
    options[mount->option_count++] =
        (struct plan_fs_option){ .key = key, .value = equals != NULL ? equals + 1 : NULL };
    return 0;
}

/* SELinux: the label of every file in there. proc, sysfs and cgroup are the kernel's, and mqueue
   takes it only afterwards (mnt.c). */
static int add_label(struct plan_mount *mount, const char *key, const char *label)
{
    static const char *const unlabelled[] = {
        "proc", "sysfs", "cgroup", "cgroup2", "mqueue", NULL
    };
    if (label == NULL || label[0] == '\0' || cl_strv_has(unlabelled, mount->type))
        return 0;
    for (size_t i = 0; i < mount->option_count; i++)
        if (cl_ends_with(mount->options[i].key, "context"))
            return 0; /* context=, fscontext=, …: the mount says itself */
    cl_auto_free char *option = cl_format("%s=%s", key, label);
    return option == NULL ? -ENOMEM : add_option(mount, option, strlen(option));
}

static int split_options(struct plan_mount *mount)
{
    int result = 0;
    const char *data = mount->flags.data;
    while (result >= 0 && data != NULL && *data != '\0') {
        size_t length = strcspn(data, ",");
        if (length > 0)
            result = add_option(mount, data, length);
        data += length + (data[length] == ',');
    }
    /* "ro" and "rw" concern the superblock of a real file system; those made of nothing share theirs
       or must stay writable for us, so there the mount's own attribute does it. */
    static const char *const virtual_types[] = { "proc",  "sysfs",  "mqueue",  "devpts",
                                                 "tmpfs", "cgroup", "cgroup2", NULL };
    bool is_shared = mount->kind == PLAN_MOUNT_CHANGE || cl_strv_has(virtual_types, mount->type);
    for (char **flag = mount->flags.super; result >= 0 && flag != NULL && *flag != NULL; flag++)
        if (!is_shared || (!cl_streq(*flag, "ro") && !cl_streq(*flag, "rw")))
            result = add_option(mount, *flag, strlen(*flag));
    return result;
}

/* ---- propagation, id maps ---- */

/* A recursive linux.rootfsPropagation is what mounts have that say nothing themselves. A clone leaves
   the host's peer group first: the root's propagation is among the container's own mounts. */
static int inherit_propagation(struct plan_mount *mount, unsigned long of_root)
{
    if (mount->flags.propagation_count > 0 || (of_root & MS_REC) == 0 ||
        (of_root & (MS_SHARED | MS_PRIVATE)) == 0)
        return 0;
    unsigned long *list = cl_calloc(2, sizeof *list);
    if (list == NULL)
        return -ENOMEM;
    if ((of_root & MS_SHARED) != 0)
        list[mount->flags.propagation_count++] = MS_SLAVE | MS_REC;
    list[mount->flags.propagation_count++] = of_root;
    free(mount->flags.propagation);
    mount->flags.propagation = list;
    return 0;
}

static int copy_mappings(const struct oci_id_mappings *from, struct oci_id_mappings *ret)
{
    if (from->count == 0)
        return 0;
    ret->items = cl_calloc(from->count, sizeof *ret->items);
    if (ret->items == NULL)
        return -ENOMEM;
    memcpy(ret->items, from->items, from->count * sizeof *ret->items);
    ret->count = from->count;
    return 0;
}

/* What the mount says itself, or else the container's user namespace. Mappings without the option
   count as idmap, as with runc. */
static int plan_idmap(const struct runtime_plan *plan, const struct oci_mount *spec,
                      struct plan_mount *mount)
{
    const struct oci_linux *linux_ = &plan->spec->linux_;
    bool has_own = spec->uid_mappings.count > 0;
    mount->is_idmapped = mount->flags.idmap || has_own;
    mount->idmap_recursive = mount->flags.idmap_recursive;
    if (!mount->is_idmapped)
        return 0;
    if (mount->flags.idmap_maps != NULL)
        return oci_idmap_parse(mount->flags.idmap_maps, linux_, &mount->uid_map, &mount->gid_map);
    int result =
        copy_mappings(has_own ? &spec->uid_mappings : &linux_->uid_mappings, &mount->uid_map);
    return result < 0 ? result
                      : copy_mappings(has_own ? &spec->gid_mappings : &linux_->gid_mappings,
                                      &mount->gid_map);
}

/* ---- kinds ---- */

/* What mount(2) would take and do nothing about. */
static int warn_of_ignored(struct runtime_plan *plan, const struct plan_mount *mount)
{
    int result = 0;
    for (char **flag = mount->flags.super; result >= 0 && flag != NULL && *flag != NULL; flag++)
        if (!cl_streq(*flag, "ro") && !cl_streq(*flag, "rw"))
            result = plan_warn(&plan->warnings,
                               "mounts[%zu].options: \"%s\" is the file system's, which a bind "
                               "mount leaves as it is",
                               mount->index, *flag);
    return result;
}

static int plan_bind(struct runtime_plan *plan, struct plan_mount *mount, const char *source,
                     struct cl_error *err)
{
    mount->kind = PLAN_MOUNT_BIND;
    mount->is_recursive_bind = (mount->flags.flags & MS_REC) != 0;
    if (source == NULL || source[0] == '\0')
        return fail_mount(err, mount->index, CL_KIND_INVALID, "source",
                          "a bind mount needs a source");
    if (source[0] != '/' && plan->options->bundle == NULL)
        return fail_mount(err, mount->index, CL_KIND_INVALID, "source",
                          "is relative, and there is no bundle directory");
    /* The kernel has no use for a file system's options here, and other runtimes pass over them: said, as somebody may have meant a tmpfs. */
    if (mount->flags.data != NULL && mount->flags.data[0] != '\0' &&
        plan_warn(&plan->warnings, "mounts[%zu].options: a bind mount has no use for \"%.100s\"",
                  mount->index, mount->flags.data) < 0)
        return cl_fail(err, ENOMEM, "plan mounts");
    if (plan_idmap(plan, &plan->spec->mounts[mount->index], mount) < 0 ||
        warn_of_ignored(plan, mount) < 0)
        return cl_fail(err, ENOMEM, "plan mounts");
    mount->source =
        source[0] == '/' ? cl_strdup(source) : cl_format("%s/%s", plan->options->bundle, source);
    return mount->source == NULL ? cl_fail(err, ENOMEM, "plan mounts") : 0;
}

static bool has_type(const struct plan_mount *mount)
{
    return mount->type != NULL && mount->type[0] != '\0' && !cl_streq(mount->type, "none");
}

static int plan_fs(struct runtime_plan *plan, struct plan_mount *mount, const char *source,
                   struct cl_error *err)
{
    if (!has_type(mount) || cl_streq(mount->type, "bind"))
        return fail_mount(err, mount->index, CL_KIND_INVALID, "type",
                          "is missing, and the options do not say bind or rbind");
    bool is_cgroup = cl_streq(mount->type, "cgroup") || cl_streq(mount->type, "cgroup2");
    mount->kind = is_cgroup ? PLAN_MOUNT_CGROUP : PLAN_MOUNT_FS;
    if (is_cgroup && plan->facts->cgroups.layout == CGROUP_NONE)
        return fail_mount(err, mount->index, CL_KIND_UNSUPPORTED, "type",
                          "no cgroup hierarchy is mounted on this host");
    mount->is_late_ro =
        cl_streq(mount->type, "tmpfs") && (mount->flags.attr_set & MOUNT_ATTR_RDONLY) != 0;
    mount->source = cl_strdup(source != NULL && source[0] != '\0' ? source : mount->type);
    if (mount->source == NULL || split_options(mount) < 0 ||
        add_label(mount, plan->label_option, plan->spec->linux_.mount_label) < 0)
        return cl_fail(err, ENOMEM, "plan mounts");
    return 0;
}

/* mount(8): "remount", or propagation and nothing that could be mounted. */
static bool is_change(const struct plan_mount *mount)
{
    bool is_bind = (mount->flags.flags & MS_BIND) != 0;
    return (mount->flags.flags & MS_REMOUNT) != 0 ||
           (!is_bind && !has_type(mount) && mount->flags.propagation_count > 0);
}

/* What is made read-only at the end would take back what a later row says. */
static void stays_writable(struct runtime_plan *plan, const struct plan_mount *change)
{
    for (struct plan_mount *mount = plan->mounts; mount < change; mount++)
        if (cl_streq(mount->target, change->target))
            mount->is_late_ro = false;
}

static int plan_change(struct runtime_plan *plan, struct plan_mount *mount, struct cl_error *err)
{
    bool is_bind = (mount->flags.flags & MS_BIND) != 0;
    mount->kind = PLAN_MOUNT_CHANGE;
    if (is_bind && mount->flags.data != NULL && mount->flags.data[0] != '\0')
        return fail_mount(err, mount->index, CL_KIND_INVALID, "options",
                          "remount with bind changes the mount alone: no file system's option");
    if (mount->flags.tmpcopyup || mount->flags.idmap || mount->flags.copy_symlink)
        return fail_mount(err, mount->index, CL_KIND_INVALID, "options",
                          "remount excludes tmpcopyup, idmap and copy-symlink: they make a mount");
    if ((mount->flags.attr_clear & MOUNT_ATTR_RDONLY) != 0)
        stays_writable(plan, mount);
    int result = is_bind ? 0 : split_options(mount);
    return result < 0 ? cl_fail(err, ENOMEM, "plan mounts") : 0;
}

static int plan_mount(struct runtime_plan *plan, const struct oci_mount *spec,
                      struct plan_mount *mount, struct cl_error *err)
{
    mount->type = spec->type;
    mount->target = plan_clean_path(spec->destination);
    if (mount->target == NULL ||
        oci_mount_flags_fold((const char *const *)spec->options, &mount->flags) < 0)
        return cl_fail(err, ENOMEM, "plan mounts");
    int result = check_target(mount, err);
    if (result < 0)
        return result;
    mount->no_links = is_ours(mount->target);
    mount->covers_link = mount->flags.no_follow && !mount->no_links;
    mount->may_cover_proc = is_below(mount->target, "/proc");
    if (is_change(mount))
        return plan_change(plan, mount, err);
    if (inherit_propagation(mount, plan->root_propagation) < 0)
        return cl_fail(err, ENOMEM, "plan mounts");
    bool is_bind = (mount->flags.flags & MS_BIND) != 0;
    if (cl_streq(mount->target, "/proc") && !is_bind && !cl_streq(mount->type, "proc"))
        return fail_mount(err, mount->index, CL_KIND_INVALID, "type",
                          "only a proc file system can be /proc");
    return is_bind ? plan_bind(plan, mount, spec->source, err)
                   : plan_fs(plan, mount, spec->source, err);
}

/* /dev is ours to fill unless the caller brings one: a bind there is somebody's real device
   directory. */
static bool wants_devices(const struct runtime_plan *plan)
{
    for (size_t i = plan->mount_count; i-- > 0;)
        if (plan->mounts[i].kind != PLAN_MOUNT_CHANGE && cl_streq(plan->mounts[i].target, "/dev"))
            return plan->mounts[i].kind != PLAN_MOUNT_BIND;
    return true;
}

int plan_mounts(struct runtime_plan *plan, struct cl_error *err)
{
    size_t count = plan->spec->mount_count;
    if (count > 0) {
        plan->mounts = cl_calloc(count, sizeof *plan->mounts);
        if (plan->mounts == NULL)
            return cl_fail(err, ENOMEM, "plan mounts");
    }
    for (size_t i = 0; i < count; i++) {
        plan->mounts[i].index = i;
        plan->mount_count = i + 1;
        int result = plan_mount(plan, &plan->spec->mounts[i], &plan->mounts[i], err);
        if (result < 0)
            return result;
    }
    plan->make_devices = wants_devices(plan);
    return 0;
}
