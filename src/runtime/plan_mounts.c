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
    /* "ro" & co. concern the superblock of a real file system; those made of nothing share theirs
       or must stay writable for us, so there the mount's own attribute does it. */
    static const char *const virtual_types[] = { "proc",  "sysfs",  "mqueue",  "devpts",
                                                 "tmpfs", "cgroup", "cgroup2", NULL };
    if (cl_strv_has(virtual_types, mount->type))
        return result;
    for (char **flag = mount->flags.super; result >= 0 && flag != NULL && *flag != NULL; flag++)
        result = add_option(mount, *flag, strlen(*flag));
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
    if (mount->flags.data != NULL && mount->flags.data[0] != '\0') {
        char text[200];
        (void)CL_PRINT(text, "a bind mount does not know \"%.100s\"", mount->flags.data);
        return fail_mount(err, mount->index, CL_KIND_INVALID, "options", text);
    }
    mount->source =
        source[0] == '/' ? cl_strdup(source) : cl_format("%s/%s", plan->options->bundle, source);
    return mount->source == NULL ? cl_fail(err, ENOMEM, "plan mounts") : 0;
}

static int plan_fs(struct runtime_plan *plan, struct plan_mount *mount, const char *source,
                   struct cl_error *err)
{
    if (mount->type == NULL || cl_streq(mount->type, "none") || cl_streq(mount->type, "bind"))
        return fail_mount(err, mount->index, CL_KIND_INVALID, "type",
                          "is missing, and the options do not say bind or rbind");
    bool is_cgroup = cl_streq(mount->type, "cgroup") || cl_streq(mount->type, "cgroup2");
    mount->kind = is_cgroup ? PLAN_MOUNT_CGROUP : PLAN_MOUNT_FS;
    if (is_cgroup && plan->facts->cgroups.layout == CGROUP_NONE)
        return fail_mount(err, mount->index, CL_KIND_UNSUPPORTED, "type",
                          "no cgroup hierarchy is mounted on this host");
    mount->is_late_ro =
        cl_streq(mount->type, "tmpfs") && (mount->flags.attr_set & MOUNT_ATTR_RDONLY) != 0;
    mount->source = cl_strdup(source != NULL ? source : mount->type);
    if (mount->source == NULL || split_options(mount) < 0)
        return cl_fail(err, ENOMEM, "plan mounts");
    return 0;
}

static int refuse_options(const struct plan_mount *mount, const struct oci_mount *spec,
                          struct cl_error *err)
{
    const struct {
        bool is_asked;
        const char *member, *what;
    } rows[] = {
        { spec->uid_mappings.count > 0, "uidMappings", "id-mapped mounts are" },
        { spec->gid_mappings.count > 0, "gidMappings", "id-mapped mounts are" },
        { mount->flags.idmap, "options", "id-mapped mounts are" },
        { mount->flags.tmpcopyup, "options", "tmpcopyup is" },
        { (mount->flags.flags & MS_REMOUNT) != 0, "options", "remount is" },
    };
    for (size_t i = 0; i < CL_COUNT(rows); i++) {
        char text[120];
        if (!rows[i].is_asked)
            continue;
        (void)CL_PRINT(text, "%s not supported by this build of cloche-runtime", rows[i].what);
        return fail_mount(err, mount->index, CL_KIND_UNSUPPORTED, rows[i].member, text);
    }
    return 0;
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
    if (result >= 0)
        result = refuse_options(mount, spec, err);
    if (result < 0)
        return result;
    mount->no_links = is_ours(mount->target) || mount->flags.no_follow;
    mount->may_cover_proc = is_below(mount->target, "/proc");
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
        if (cl_streq(plan->mounts[i].target, "/dev"))
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
