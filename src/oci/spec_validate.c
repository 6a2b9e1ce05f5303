/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules between properties, for the common part of the document: process, root, mounts, hooks, host name. The `linux` object's are in
 * linux_validate.c, resources' and seccomp's in resources_validate.c. Nothing here asks the host: the same document gives the same answer everywhere.
 */
#include "oci/spec_private.h"

#include "oci/names.h"

#include <errno.h>
#include <stdio.h>

/* ---- Reporting ---- */

/* printf is dear, and a path is made for each item of each list, though only errors show one: so %s and %zu are all that there is. */
struct oci_check *oci_at(struct oci_check *check, const char *fmt, ...)
{
    char digits[OCI_DIGITS];
    size_t used = 0;
    va_list arguments;
    va_start(arguments, fmt);
    while (*fmt != '\0') {
        const char *piece = fmt;
        size_t size = strcspn(fmt, "%");
        fmt += size;
        if (size == 0 && fmt[1] == 's') {
            piece = va_arg(arguments, const char *);
            size = strlen(piece);
            fmt += strlen("%s");
        } else if (size == 0 && strncmp(fmt, "%zu", strlen("%zu")) == 0) {
            size = oci_digits(va_arg(arguments, size_t), digits);
            piece = digits;
            fmt += strlen("%zu");
        } else if (size == 0) {
            size = strlen("%"); /* shown as it stands */
            fmt += size;
        }
        size_t room = sizeof check->path - 1 - used;
        size = size < room ? size : room;
        memcpy(check->path + used, piece, size);
        used += size;
    }
    va_end(arguments);
    check->path[used] = '\0';
    return check;
}

int oci_refuse(struct oci_check *check, const char *fmt, ...)
{
    char text[240];
    va_list arguments;
    va_start(arguments, fmt);
    (void)vsnprintf(text, sizeof text, fmt, arguments);
    va_end(arguments);
    return cl_fail_kind(check->err, CL_KIND_INVALID, EINVAL, "%s: %s: %s", check->document,
                        check->path, text);
}

const char *oci_shown(const char *text, char buffer[static 64])
{
    size_t i = 0;
    for (; i < 63 && text[i] != '\0'; i++)
        buffer[i] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
    buffer[i] = '\0';
    return buffer;
}

/* ---- Small questions ---- */

bool oci_is_absolute(const char *path)
{
    return path != NULL && path[0] == '/';
}

bool oci_has_dot_dot(const char *path)
{
    for (const char *p = path; p != NULL; p = strchr(p, '/')) {
        p += *p == '/';
        if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0'))
            return true;
    }
    return false;
}

/* ---- Process ---- */

static int check_user(struct oci_check *check, const struct oci_user *user)
{
    const char *at = check->process_path;
    if (user->uid == UINT32_MAX)
        return oci_refuse(oci_at(check, "%suser.uid", at), "%u is the kernel's \"no user\"",
                          user->uid);
    if (user->gid == UINT32_MAX)
        return oci_refuse(oci_at(check, "%suser.gid", at), "%u is the kernel's \"no group\"",
                          user->gid);
    if (user->umask.set && user->umask.value > 0777)
        return oci_refuse(oci_at(check, "%suser.umask", at), "must be at most 511 (0777), is %u",
                          user->umask.value);
    for (size_t i = 0; i < user->additional_gid_count; i++)
        if (user->additional_gids[i] == UINT32_MAX)
            return oci_refuse(oci_at(check, "%suser.additionalGids[%zu]", at, i),
                              "4294967295 is the kernel's \"no group\"");
    return 0;
}

static int check_rlimits(struct oci_check *check, const struct oci_process *process)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < process->rlimit_count; i++) {
        const struct oci_rlimit *limit = &process->rlimits[i];
        const char *name = oci_rlimit_name(limit->type);
        oci_at(check, "%srlimits[%zu]", check->process_path, i);
        if (name == NULL)
            return oci_refuse(check, "unknown resource %d", limit->type);
        if ((seen & UINT64_C(1) << limit->type) != 0)
            return oci_refuse(check, "%s is given twice", name);
        if (limit->soft > limit->hard)
            return oci_refuse(check, "soft limit of %s is above its hard limit", name);
        seen |= UINT64_C(1) << limit->type;
    }
    return 0;
}

static int check_scheduler(struct oci_check *check, const struct oci_scheduler *scheduler)
{
    const char *at = check->process_path;
    enum oci_sched_policy policy = scheduler->policy;
    bool is_real_time = policy == OCI_SCHED_FIFO || policy == OCI_SCHED_RR;
    bool has_times = scheduler->runtime != 0 || scheduler->deadline != 0 || scheduler->period != 0;
    if (policy == OCI_SCHED_ISO)
        return oci_refuse(oci_at(check, "%sscheduler.policy", at), "no kernel has SCHED_ISO");
    if (is_real_time && (scheduler->priority < 1 || scheduler->priority > 99))
        return oci_refuse(oci_at(check, "%sscheduler.priority", at),
                          "must be 1 to 99 with SCHED_FIFO and SCHED_RR");
    if (!is_real_time && scheduler->priority != 0)
        return oci_refuse(oci_at(check, "%sscheduler.priority", at),
                          "only SCHED_FIFO and SCHED_RR have a priority");
    if (scheduler->nice < -20 || scheduler->nice > 19)
        return oci_refuse(oci_at(check, "%sscheduler.nice", at), "must be -20 to 19");
    if (policy != OCI_SCHED_DEADLINE)
        return has_times ? oci_refuse(oci_at(check, "%sscheduler", at),
                                      "runtime, deadline and period need SCHED_DEADLINE")
                         : 0;
    uint64_t period = scheduler->period != 0 ? scheduler->period : scheduler->deadline;
    if (scheduler->runtime == 0 || scheduler->runtime > scheduler->deadline ||
        scheduler->deadline > period)
        return oci_refuse(oci_at(check, "%sscheduler", at),
                          "SCHED_DEADLINE needs 0 < runtime <= deadline <= period");
    return 0;
}

static int check_cpu_list(struct oci_check *check, const char *property, const char *list)
{
    int r = list != NULL ? oci_number_list(list, NULL, OCI_CPU_BITS) : 0;
    oci_at(check, "%sexecCPUAffinity.%s", check->process_path, property);
    if (r == -ERANGE)
        return oci_refuse(check, "the highest CPU is %d", OCI_CPU_BITS - 1);
    return r < 0 ? oci_refuse(check, "must be a CPU list such as 0-3,7") : 0;
}

static int check_priorities(struct oci_check *check, const struct oci_process *process)
{
    const char *at = check->process_path;
    const struct oci_opt_i32 *adjust = &process->oom_score_adj;
    if (adjust->set && (adjust->value < -1000 || adjust->value > 1000))
        return oci_refuse(oci_at(check, "%soomScoreAdj", at), "must be -1000 to 1000, is %d",
                          adjust->value);
    const struct oci_io_priority *io = process->io_priority;
    if (io != NULL && (io->priority < 0 || io->priority > 7))
        return oci_refuse(oci_at(check, "%sioPriority.priority", at), "must be 0 to 7, is %d",
                          io->priority);
    int r = process->scheduler != NULL ? check_scheduler(check, process->scheduler) : 0;
    if (r == 0)
        r = check_cpu_list(check, "initial", process->exec_cpu_affinity.initial);
    return r < 0 ? r : check_cpu_list(check, "final", process->exec_cpu_affinity.final);
}

int oci_check_process(struct oci_check *check, const struct oci_process *process)
{
    const char *at = check->process_path;
    if (!oci_is_absolute(process->cwd))
        return oci_refuse(oci_at(check, "%scwd", at), "must be an absolute path");
    if (process->args == NULL || process->args[0] == NULL)
        return oci_refuse(oci_at(check, "%sargs", at), "must name a program");
    if (process->args[0][0] == '\0')
        return oci_refuse(oci_at(check, "%sargs[0]", at), "must name a program, is empty");
    const struct oci_console_size *size = &process->console_size;
    bool is_too_large = size->height > UINT16_MAX || size->width > UINT16_MAX;
    if (process->terminal && is_too_large) /* without a terminal it MUST be ignored */
        return oci_refuse(oci_at(check, "%sconsoleSize", at), "must be at most 65535 by 65535");
    int r = check_user(check, &process->user);
    if (r == 0)
        r = check_rlimits(check, process);
    return r < 0 ? r : check_priorities(check, process);
}

int oci_process_validate(const struct oci_process *process, struct cl_error *err)
{
    struct oci_check check = { .document = "process.json", .process_path = "", .err = err };
    return oci_check_process(&check, process);
}

/* ---- Mounts ---- */

/* crun's "idmap=…" brings the mappings with it. */
static int check_idmap_option(struct oci_check *check, const struct oci_spec *spec, size_t index,
                              const char *maps)
{
    struct oci_id_mappings uids = { 0 }, gids = { 0 };
    char path[64];
    int r = oci_idmap_parse(maps, &spec->linux_, &uids, &gids);
    oci_at(check, "mounts[%zu].options", index);
    if (r == -ENOENT)
        r = oci_refuse(check, "idmap: relative to an id that linux.uidMappings or gidMappings does "
                              "not have");
    else if (r == -EINVAL)
        r = oci_refuse(check, "idmap: must be like idmap=uids=0-1000-10;gids=0-1000-10");
    (void)CL_PRINT(path, "mounts[%zu].options: idmap: uids", index);
    if (r == 0)
        r = oci_check_mappings(check, path, &uids);
    (void)CL_PRINT(path, "mounts[%zu].options: idmap: gids", index);
    if (r == 0)
        r = oci_check_mappings(check, path, &gids);
    free(uids.items);
    free(gids.items);
    return r;
}

static int check_mount_mappings(struct oci_check *check, const struct oci_spec *spec, size_t index,
                                const struct oci_mount_flags *flags)
{
    const struct oci_mount *mount = &spec->mounts[index];
    bool has_mappings = mount->uid_mappings.count > 0;
    oci_at(check, "mounts[%zu]", index);
    if (has_mappings != (mount->gid_mappings.count > 0))
        return oci_refuse(check, "uidMappings and gidMappings must be given together");
    if (flags->idmap_maps != NULL)
        return check_idmap_option(check, spec, index, flags->idmap_maps);
    if (flags->idmap && !has_mappings && oci_namespace_find(spec, OCI_NS_USER) == NULL)
        return oci_refuse(
            check, "an id-mapped mount needs uidMappings and gidMappings, or a user namespace");
    char path[64];
    (void)CL_PRINT(path, "mounts[%zu].uidMappings", index);
    int r = oci_check_mappings(check, path, &mount->uid_mappings);
    if (r < 0)
        return r;
    (void)CL_PRINT(path, "mounts[%zu].gidMappings", index);
    return oci_check_mappings(check, path, &mount->gid_mappings);
}

static int check_mount_flags(struct oci_check *check, const struct oci_spec *spec, size_t index,
                             const struct oci_mount_flags *flags)
{
    const struct oci_mount *mount = &spec->mounts[index];
    bool is_bind = (flags->flags & MS_BIND) != 0 || cl_streq(mount->type, "bind");
    bool has_type = mount->type != NULL && *mount->type != '\0' && !cl_streq(mount->type, "none");
    bool is_change = (flags->flags & MS_REMOUNT) != 0 || flags->propagation_count > 0;
    bool is_remount = (flags->flags & MS_REMOUNT) != 0;
    if (is_bind && !is_remount && (mount->source == NULL || *mount->source == '\0'))
        return oci_refuse(oci_at(check, "mounts[%zu].source", index),
                          "a bind mount needs a source");
    if (!is_bind && !has_type && !is_change)
        return oci_refuse(oci_at(check, "mounts[%zu].type", index),
                          "a file system type is needed, or the option bind or rbind");
    if ((flags->idmap || mount->uid_mappings.count > 0) && (flags->flags & MS_BIND) == 0)
        return oci_refuse(oci_at(check, "mounts[%zu].options", index),
                          "an id-mapped mount needs the option bind or rbind");
    if (flags->copy_symlink && (flags->flags & MS_BIND) == 0)
        return oci_refuse(oci_at(check, "mounts[%zu].options", index),
                          "copy-symlink needs the option bind or rbind");
    if (flags->copy_symlink && (flags->no_follow || flags->source_no_follow))
        return oci_refuse(oci_at(check, "mounts[%zu].options", index),
                          "copy-symlink excludes src-nofollow and dest-nofollow");
    if (flags->tmpcopyup && !cl_streq(mount->type, "tmpfs"))
        return oci_refuse(oci_at(check, "mounts[%zu].options", index),
                          "tmpcopyup needs type tmpfs");
    return check_mount_mappings(check, spec, index, flags);
}

static int check_mount(struct oci_check *check, const struct oci_spec *spec, size_t index)
{
    const struct oci_mount *mount = &spec->mounts[index];
    oci_at(check, "mounts[%zu].destination", index);
    if (mount->destination == NULL || *mount->destination == '\0')
        return oci_refuse(check, "must not be empty");
    if (oci_has_dot_dot(mount->destination))
        return oci_refuse(check, "must not contain \"..\"");
    struct oci_mount_flags flags = { 0 };
    if (oci_mount_flags_fold((const char *const *)mount->options, &flags) < 0)
        return cl_fail(check->err, ENOMEM, "validate %s", check->document);
    int r = check_mount_flags(check, spec, index, &flags);
    oci_mount_flags_done(&flags);
    return r;
}

/* ---- Hooks ---- */

static int check_hooks(struct oci_check *check, const char *name, const struct oci_hook_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct oci_hook *hook = &list->items[i];
        if (!oci_is_absolute(hook->path))
            return oci_refuse(oci_at(check, "hooks.%s[%zu].path", name, i),
                              "must be an absolute path");
        if (hook->timeout.set && hook->timeout.value <= 0)
            return oci_refuse(oci_at(check, "hooks.%s[%zu].timeout", name, i),
                              "must be greater than 0 seconds");
    }
    return 0;
}

static int check_all_hooks(struct oci_check *check, const struct oci_hooks *hooks)
{
    const struct {
        const char *name;
        const struct oci_hook_list *list;
    } lists[] = {
        { "prestart", &hooks->prestart },
        { "createRuntime", &hooks->create_runtime },
        { "createContainer", &hooks->create_container },
        { "startContainer", &hooks->start_container },
        { "poststart", &hooks->poststart },
        { "poststop", &hooks->poststop },
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < CL_COUNT(lists); i++)
        r = check_hooks(check, lists[i].name, lists[i].list);
    return r;
}

/* ---- The document ---- */

static int check_host_name(struct oci_check *check, const struct oci_spec *spec,
                           const char *property, const char *value)
{
    if (value == NULL || *value == '\0')
        return 0;
    if (oci_namespace_find(spec, OCI_NS_UTS) == NULL)
        return oci_refuse(
            oci_at(check, "%s", property),
            "needs a uts namespace in linux.namespaces, or the host would be renamed");
    if (strlen(value) > 64)
        return oci_refuse(oci_at(check, "%s", property),
                          "must be at most 64 bytes (uts_namespaces(7))");
    return 0;
}

int oci_spec_validate(const struct oci_spec *spec, struct cl_error *err)
{
    struct oci_check check = {
        .document = "config.json",
        .process_path = "process.",
        .resources_path = "linux.resources.",
        .err = err,
    };
    if (spec->root.path == NULL || *spec->root.path == '\0')
        return oci_refuse(oci_at(&check, "root.path"), "required property is missing");
    int r = spec->process != NULL ? oci_check_process(&check, spec->process) : 0;
    if (r == 0)
        r = check_host_name(&check, spec, "hostname", spec->hostname);
    if (r == 0)
        r = check_host_name(&check, spec, "domainname", spec->domainname);
    for (size_t i = 0; r == 0 && i < spec->mount_count; i++)
        r = check_mount(&check, spec, i);
    if (r == 0)
        r = check_all_hooks(&check, &spec->hooks);
    return r < 0 ? r : oci_check_linux(&check, spec);
}
