/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Specs made in memory, without JSON: small adders and setters, each of which leaves the spec whole when it fails.
 * The defaults of Cloche are in spec_default.c.
 */
#include "oci/spec_private.h"

#include <errno.h>

int oci_string_set(char **member, const char *value)
{
    char *copy = cl_strdup(value);
    if (copy == NULL && value != NULL)
        return -ENOMEM;
    free(*member);
    *member = copy;
    return 0;
}

struct oci_spec *oci_spec_new(void)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = cl_calloc(1, sizeof *spec);
    if (spec == NULL)
        return NULL;
    spec->process = cl_calloc(1, sizeof *spec->process);
    if (spec->process == NULL)
        return NULL;
    spec->oci_version = cl_strdup(OCI_SPEC_VERSION);
    spec->process->cwd = cl_strdup("/");
    if (spec->oci_version == NULL || spec->process->cwd == NULL)
        return NULL;
    return cl_take(spec);
}

/* Removes element `index` (already done) of an array. */
static void close_gap(void *items, size_t *count, size_t size, size_t index)
{
    char *gap = (char *)items + index * size;
    (*count)--;
    memmove(gap, gap + size, (*count - index) * size);
}

/* ---- Mounts ---- */

static void mount_done(struct oci_mount *mount)
{
    free(mount->destination);
    free(mount->type);
    free(mount->source);
    cl_strv_free(mount->options);
    free(mount->uid_mappings.items);
    free(mount->gid_mappings.items);
}

int oci_mount_add_strv(struct oci_spec *spec, const char *destination, const char *type,
                       const char *source, const char *const *options)
{
    struct oci_mount mount = { 0 };
    int r = oci_string_set(&mount.destination, destination);
    if (r == 0)
        r = oci_string_set(&mount.type, type);
    if (r == 0)
        r = oci_string_set(&mount.source, source);
    if (r == 0 && cl_strv_count(options) > 0)
        r = cl_strv_copy(&mount.options, options);
    struct oci_mount *item = NULL;
    if (r == 0)
        item = oci_list_grow(&spec->mounts, &spec->mount_count, sizeof *item);
    if (item == NULL) {
        mount_done(&mount);
        return -ENOMEM;
    }
    *item = mount;
    return 0;
}

int oci_mount_add(struct oci_spec *spec, const char *destination, const char *type,
                  const char *source, ...)
{
    CL_AUTO(cl_strv_free) char **options = NULL;
    va_list arguments;
    int r = 0;
    va_start(arguments, source);
    const char *option = va_arg(arguments, const char *);
    for (; r == 0 && option != NULL; option = va_arg(arguments, const char *))
        r = cl_strv_append(&options, option);
    va_end(arguments);
    if (r < 0)
        return r;
    return oci_mount_add_strv(spec, destination, type, source, (const char *const *)options);
}

bool oci_mount_remove(struct oci_spec *spec, const char *destination)
{
    bool was_there = false;
    for (size_t i = spec->mount_count; i-- > 0;) {
        if (!cl_streq(spec->mounts[i].destination, destination))
            continue;
        mount_done(&spec->mounts[i]);
        close_gap(spec->mounts, &spec->mount_count, sizeof *spec->mounts, i);
        was_there = true;
    }
    return was_there;
}

struct oci_mount *oci_mount_find(const struct oci_spec *spec, const char *destination)
{
    for (size_t i = spec->mount_count; i-- > 0;)
        if (cl_streq(spec->mounts[i].destination, destination))
            return &spec->mounts[i];
    return NULL;
}

/* ---- Namespaces, mappings, clocks ---- */

static struct oci_namespace *find_namespace(const struct oci_spec *spec,
                                            enum oci_namespace_type type)
{
    for (size_t i = 0; i < spec->linux_.namespace_count; i++)
        if (spec->linux_.namespaces[i].type == type)
            return &spec->linux_.namespaces[i];
    return NULL;
}

const struct oci_namespace *oci_namespace_find(const struct oci_spec *spec,
                                               enum oci_namespace_type type)
{
    return find_namespace(spec, type);
}

int oci_namespace_add(struct oci_spec *spec, enum oci_namespace_type type, const char *path)
{
    struct oci_linux *linux_ = &spec->linux_;
    struct oci_namespace *ns = find_namespace(spec, type);
    if (ns != NULL)
        return oci_string_set(&ns->path, path);
    char *copy = NULL;
    if (oci_string_set(&copy, path) < 0)
        return -ENOMEM;
    ns = oci_list_grow(&linux_->namespaces, &linux_->namespace_count, sizeof *ns);
    if (ns == NULL) {
        free(copy);
        return -ENOMEM;
    }
    *ns = (struct oci_namespace){ .type = type, .path = copy };
    return 0;
}

bool oci_namespace_remove(struct oci_spec *spec, enum oci_namespace_type type)
{
    struct oci_linux *linux_ = &spec->linux_;
    struct oci_namespace *ns = find_namespace(spec, type);
    if (ns == NULL)
        return false;
    free(ns->path);
    close_gap(linux_->namespaces, &linux_->namespace_count, sizeof *ns,
              (size_t)(ns - linux_->namespaces));
    return true;
}

int oci_id_mapping_add(struct oci_id_mappings *mappings, uint32_t container_id, uint32_t host_id,
                       uint32_t size)
{
    struct oci_id_mapping *item = oci_list_grow(&mappings->items, &mappings->count, sizeof *item);
    if (item == NULL)
        return -ENOMEM;
    *item = (struct oci_id_mapping){ container_id, host_id, size };
    return 0;
}

int oci_time_offset_set(struct oci_spec *spec, const char *clock, int64_t secs, uint32_t nanosecs)
{
    struct oci_linux *linux_ = &spec->linux_;
    struct oci_time_offset *offset = NULL;
    for (size_t i = 0; i < linux_->time_offset_count; i++)
        if (cl_streq(linux_->time_offsets[i].clock, clock))
            offset = &linux_->time_offsets[i];
    if (offset == NULL) {
        char *copy = cl_strdup(clock);
        if (copy == NULL)
            return -ENOMEM;
        offset = oci_list_grow(&linux_->time_offsets, &linux_->time_offset_count, sizeof *offset);
        if (offset == NULL) {
            free(copy);
            return -ENOMEM;
        }
        offset->clock = copy;
    }
    offset->secs = secs;
    offset->nanosecs = nanosecs;
    return 0;
}

/* ---- The process ---- */

int oci_env_set(struct oci_process *process, const char *key_value)
{
    return cl_env_set(&process->env, key_value);
}

int oci_args_set(struct oci_process *process, const char *const *args)
{
    char **copy = NULL;
    if (cl_strv_count(args) > 0 && cl_strv_copy(&copy, args) < 0)
        return -ENOMEM;
    cl_strv_free(process->args);
    process->args = copy;
    return 0;
}

int oci_rlimit_set(struct oci_process *process, int type, uint64_t soft, uint64_t hard)
{
    struct oci_rlimit *limit = NULL;
    for (size_t i = 0; i < process->rlimit_count; i++)
        if (process->rlimits[i].type == type)
            limit = &process->rlimits[i];
    if (limit == NULL)
        limit = oci_list_grow(&process->rlimits, &process->rlimit_count, sizeof *limit);
    if (limit == NULL)
        return -ENOMEM;
    *limit = (struct oci_rlimit){ .type = type, .soft = soft, .hard = hard };
    return 0;
}

static void cap_set(struct oci_cap_set *set, uint64_t mask)
{
    cl_strv_free(set->unknown);
    *set = (struct oci_cap_set){ .mask = mask };
}

int oci_capabilities_set(struct oci_process *process, uint64_t mask)
{
    if (process->capabilities == NULL)
        process->capabilities = cl_calloc(1, sizeof *process->capabilities);
    struct oci_capabilities *sets = process->capabilities;
    if (sets == NULL)
        return -ENOMEM;
    cap_set(&sets->bounding, mask);
    cap_set(&sets->effective, mask);
    cap_set(&sets->permitted, mask);
    cap_set(&sets->inheritable, 0);
    cap_set(&sets->ambient, 0);
    return 0;
}

int oci_gid_add(struct oci_user *user, uint32_t gid)
{
    for (size_t i = 0; i < user->additional_gid_count; i++)
        if (user->additional_gids[i] == gid)
            return 0;
    uint32_t *item =
        oci_list_grow(&user->additional_gids, &user->additional_gid_count, sizeof *item);
    if (item == NULL)
        return -ENOMEM;
    *item = gid;
    return 0;
}

/* ---- Devices and hooks ---- */

int oci_device_add(struct oci_spec *spec, const struct oci_device *device)
{
    char *path = cl_strdup(device->path);
    if (path == NULL)
        return -ENOMEM;
    struct oci_linux *linux_ = &spec->linux_;
    struct oci_device *item = oci_list_grow(&linux_->devices, &linux_->device_count, sizeof *item);
    if (item == NULL) {
        free(path);
        return -ENOMEM;
    }
    *item = *device;
    item->path = path;
    return 0;
}

int oci_device_rule_add(struct oci_spec *spec, const struct oci_device_rule *rule)
{
    char *access = NULL;
    if (oci_string_set(&access, rule->access) < 0)
        return -ENOMEM;
    struct oci_resources *resources = &spec->linux_.resources;
    struct oci_device_rule *item =
        oci_list_grow(&resources->devices, &resources->device_count, sizeof *item);
    if (item == NULL) {
        free(access);
        return -ENOMEM;
    }
    *item = *rule;
    item->access = access;
    return 0;
}

int oci_hook_add(struct oci_hook_list *list, const struct oci_hook *hook)
{
    struct oci_hook copy = { .timeout = hook->timeout };
    int r = oci_string_set(&copy.path, hook->path);
    if (r == 0 && hook->args != NULL)
        r = cl_strv_copy(&copy.args, (const char *const *)hook->args);
    if (r == 0 && hook->env != NULL)
        r = cl_strv_copy(&copy.env, (const char *const *)hook->env);
    struct oci_hook *item = r == 0 ? oci_list_grow(&list->items, &list->count, sizeof *item) : NULL;
    if (item == NULL) {
        free(copy.path);
        cl_strv_free(copy.args);
        cl_strv_free(copy.env);
        return -ENOMEM;
    }
    *item = copy;
    return 0;
}
