/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field tables of config.md: process, root, mounts, hooks, and the document itself; and those of runtime.md's state.
 * They read like the specification and are in its order. `user.uid` and `user.gid` are required by the text but by no schema and no runtime:
 * absent means 0, as everywhere.
 */
#include "oci/spec_private.h"

#include "oci/names.h"

#include <errno.h>

/* ---- Process ---- */

static int u32_list_decode(struct oci_reader *reader, const struct oci_field *field,
                           const struct cl_json *value, void *member)
{
    struct oci_user *user =
        (struct oci_user *)((char *)member - offsetof(struct oci_user, additional_gids));
    if (cl_json_type(value) != CL_JSON_ARRAY)
        return oci_read_type_fail(reader, "an array of unsigned integers", value);
    size_t count = cl_json_count(value);
    if (count == 0)
        return 0;
    user->additional_gids = cl_calloc(count, sizeof *user->additional_gids);
    if (user->additional_gids == NULL)
        return oci_read_no_memory(reader);
    user->additional_gid_count = count;
    for (size_t i = 0; i < count; i++) {
        size_t before = oci_read_into_index(reader, i);
        const struct cl_json *item = cl_json_at(value, i);
        int r = oci_u32_codec.decode(reader, field, item, &user->additional_gids[i]);
        if (r < 0)
            return r;
        oci_read_up(reader, before);
    }
    return 0;
}

static int u32_list_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const uint32_t *items = oci_load_pointer(member);
    size_t count = *(const size_t *)((const char *)member + sizeof(void *));
    if (count == 0)
        return 0;
    CL_AUTO(cl_json_unref) struct cl_json *array = cl_json_array();
    if (array == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        int r = cl_json_add(array, cl_json_from_int(items[i]));
        if (r < 0)
            return r;
    }
    *ret = cl_take(array);
    return 0;
}

static void u32_list_done(const struct oci_field *field, void *member)
{
    free(oci_load_pointer(member));
}

static const struct oci_codec gids_codec = { "gids", sizeof(void *) + sizeof(size_t),
                                             u32_list_decode, u32_list_encode, u32_list_done };
static const struct oci_shape no_shape = { 0 };

static const struct oci_field user_fields[] = {
    FIELD(struct oci_user, "uid", uid, oci_u32, ALWAYS),
    FIELD(struct oci_user, "gid", gid, oci_u32, ALWAYS),
    FIELD(struct oci_user, "umask", umask, oci_opt_u32, OPTIONAL),
    FIELD_LIST(struct oci_user, "additionalGids", additional_gids, additional_gid_count, gids,
               no_shape, OPTIONAL),
};
static const struct oci_shape user_shape = OCI_SHAPE(struct oci_user, user_fields);

static const struct oci_field console_size_fields[] = {
    FIELD(struct oci_console_size, "height", height, oci_u32, REQUIRED),
    FIELD(struct oci_console_size, "width", width, oci_u32, REQUIRED),
};
static const struct oci_shape console_size_shape =
    OCI_SHAPE(struct oci_console_size, console_size_fields);

static const struct oci_field rlimit_fields[] = {
    FIELD_WORDS(struct oci_rlimit, "type", type, oci_enum, oci_rlimit_words, REQUIRED),
    FIELD(struct oci_rlimit, "soft", soft, oci_u64, REQUIRED),
    FIELD(struct oci_rlimit, "hard", hard, oci_u64, REQUIRED),
};
static const struct oci_shape rlimit_shape = OCI_SHAPE(struct oci_rlimit, rlimit_fields);

/* ["CAP_CHOWN", …] ↔ mask and unknown names. */
static int caps_decode(struct oci_reader *reader, const struct oci_field *field,
                       const struct cl_json *value, void *member)
{
    struct oci_cap_set *set = member;
    if (cl_json_type(value) != CL_JSON_ARRAY)
        return oci_read_type_fail(reader, "an array of strings", value);
    for (size_t i = 0; i < cl_json_count(value); i++) {
        const struct cl_json *item = cl_json_at(value, i);
        const char *name = cl_json_string(item);
        size_t before = oci_read_into_index(reader, i);
        if (name == NULL)
            return oci_read_type_fail(reader, "a string", item);
        int number = oci_cap_number(name);
        if (number >= 0)
            set->mask |= UINT64_C(1) << number;
        else if (i >= 256) /* appending is quadratic, and no kernel will ever have that many */
            return oci_read_fail(reader, EINVAL, "too many capabilities");
        else if (cl_strv_append(&set->unknown, name) < 0)
            return oci_read_no_memory(reader);
        oci_read_up(reader, before);
    }
    return 0;
}

static int caps_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const struct oci_cap_set *set = member;
    if (set->mask == 0 && set->unknown == NULL)
        return 0;
    CL_AUTO(cl_json_unref) struct cl_json *array = cl_json_array();
    if (array == NULL)
        return -ENOMEM;
    for (int number = 0; number <= OCI_CAP_LAST; number++) {
        if ((set->mask & UINT64_C(1) << number) == 0)
            continue;
        int r = cl_json_add(array, cl_json_from_string(oci_cap_name(number)));
        if (r < 0)
            return r;
    }
    for (size_t i = 0; set->unknown != NULL && set->unknown[i] != NULL; i++) {
        int r = cl_json_add(array, cl_json_from_string(set->unknown[i]));
        if (r < 0)
            return r;
    }
    *ret = cl_take(array);
    return 0;
}

static void caps_done(const struct oci_field *field, void *member)
{
    struct oci_cap_set *set = member;
    cl_strv_free(cl_take(set->unknown));
}

static const struct oci_codec caps_codec = { "capabilities", sizeof(struct oci_cap_set),
                                             caps_decode, caps_encode, caps_done };

static const struct oci_field capabilities_fields[] = {
    FIELD(struct oci_capabilities, "bounding", bounding, caps, OPTIONAL),
    FIELD(struct oci_capabilities, "effective", effective, caps, OPTIONAL),
    FIELD(struct oci_capabilities, "inheritable", inheritable, caps, OPTIONAL),
    FIELD(struct oci_capabilities, "permitted", permitted, caps, OPTIONAL),
    FIELD(struct oci_capabilities, "ambient", ambient, caps, OPTIONAL),
};
static const struct oci_shape capabilities_shape =
    OCI_SHAPE(struct oci_capabilities, capabilities_fields);

static const struct oci_word sched_policies[] = {
    { "SCHED_OTHER", OCI_SCHED_OTHER },
    { "SCHED_FIFO", OCI_SCHED_FIFO },
    { "SCHED_RR", OCI_SCHED_RR },
    { "SCHED_BATCH", OCI_SCHED_BATCH },
    { "SCHED_ISO", OCI_SCHED_ISO },
    { "SCHED_IDLE", OCI_SCHED_IDLE },
    { "SCHED_DEADLINE", OCI_SCHED_DEADLINE },
    OCI_WORDS_END,
};
static const struct oci_word sched_flags[] = { /* linux/sched.h */
                                               { "SCHED_FLAG_RESET_ON_FORK", 0x01 },
                                               { "SCHED_FLAG_RECLAIM", 0x02 },
                                               { "SCHED_FLAG_DL_OVERRUN", 0x04 },
                                               { "SCHED_FLAG_KEEP_POLICY", 0x08 },
                                               { "SCHED_FLAG_KEEP_PARAMS", 0x10 },
                                               { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
                                               { "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 },
                                               OCI_WORDS_END
};
static const struct oci_field scheduler_fields[] = {
    FIELD_WORDS(struct oci_scheduler, "policy", policy, oci_enum, sched_policies, REQUIRED),
    FIELD(struct oci_scheduler, "nice", nice, oci_i32, OPTIONAL),
    FIELD(struct oci_scheduler, "priority", priority, oci_i32, OPTIONAL),
    FIELD_WORDS(struct oci_scheduler, "flags", flags, oci_flags, sched_flags, OPTIONAL),
    FIELD(struct oci_scheduler, "runtime", runtime, oci_u64, OPTIONAL),
    FIELD(struct oci_scheduler, "deadline", deadline, oci_u64, OPTIONAL),
    FIELD(struct oci_scheduler, "period", period, oci_u64, OPTIONAL),
};
static const struct oci_shape scheduler_shape = OCI_SHAPE(struct oci_scheduler, scheduler_fields);

static const struct oci_word ioprio_classes[] = {
    { "IOPRIO_CLASS_RT", OCI_IOPRIO_RT },
    { "IOPRIO_CLASS_BE", OCI_IOPRIO_BE },
    { "IOPRIO_CLASS_IDLE", OCI_IOPRIO_IDLE },
    OCI_WORDS_END,
};
static const struct oci_field io_priority_fields[] = {
    FIELD_WORDS(struct oci_io_priority, "class", class_, oci_enum, ioprio_classes, REQUIRED),
    FIELD(struct oci_io_priority, "priority", priority, oci_i32, OPTIONAL),
};
static const struct oci_shape io_priority_shape =
    OCI_SHAPE(struct oci_io_priority, io_priority_fields);

static const struct oci_field cpu_affinity_fields[] = {
    FIELD(struct oci_cpu_affinity, "initial", initial, oci_string, OPTIONAL),
    FIELD(struct oci_cpu_affinity, "final", final, oci_string, OPTIONAL),
};
static const struct oci_shape cpu_affinity_shape =
    OCI_SHAPE(struct oci_cpu_affinity, cpu_affinity_fields);

static const struct oci_field process_fields[] = {
    FIELD(struct oci_process, "terminal", terminal, oci_bool, OPTIONAL),
    FIELD_OF(struct oci_process, "consoleSize", console_size, oci_object, console_size_shape,
             OPTIONAL),
    FIELD_OF(struct oci_process, "user", user, oci_object, user_shape, ALWAYS),
    FIELD(struct oci_process, "args", args, oci_strv, OPTIONAL),
    FIELD(struct oci_process, "env", env, oci_strv, OPTIONAL),
    FIELD(struct oci_process, "cwd", cwd, oci_string, REQUIRED),
    FIELD_OF(struct oci_process, "capabilities", capabilities, oci_pointer, capabilities_shape,
             OPTIONAL),
    FIELD_LIST(struct oci_process, "rlimits", rlimits, rlimit_count, oci_list, rlimit_shape,
               OPTIONAL),
    FIELD(struct oci_process, "noNewPrivileges", no_new_privileges, oci_bool, OPTIONAL),
    FIELD(struct oci_process, "apparmorProfile", apparmor_profile, oci_string, OPTIONAL),
    FIELD(struct oci_process, "selinuxLabel", selinux_label, oci_string, OPTIONAL),
    FIELD(struct oci_process, "oomScoreAdj", oom_score_adj, oci_opt_i32, OPTIONAL),
    FIELD_OF(struct oci_process, "scheduler", scheduler, oci_pointer, scheduler_shape, OPTIONAL),
    FIELD_OF(struct oci_process, "ioPriority", io_priority, oci_pointer, io_priority_shape,
             OPTIONAL),
    FIELD_OF(struct oci_process, "execCPUAffinity", exec_cpu_affinity, oci_object,
             cpu_affinity_shape, OPTIONAL),
};
const struct oci_shape oci_process_shape = OCI_SHAPE(struct oci_process, process_fields);

/* ---- Root, mounts, hooks ---- */

static const struct oci_field root_fields[] = {
    FIELD(struct oci_root, "path", path, oci_text, REQUIRED),
    FIELD(struct oci_root, "readonly", readonly, oci_bool, OPTIONAL),
};
static const struct oci_shape root_shape = OCI_SHAPE(struct oci_root, root_fields);

static const struct oci_field mount_fields[] = {
    FIELD(struct oci_mount, "destination", destination, oci_text, REQUIRED),
    FIELD(struct oci_mount, "type", type, oci_string, OPTIONAL),
    FIELD(struct oci_mount, "source", source, oci_string, OPTIONAL),
    FIELD(struct oci_mount, "options", options, oci_strv, OPTIONAL),
    FIELD_LIST(struct oci_mount, "uidMappings", uid_mappings.items, uid_mappings.count, oci_list,
               oci_id_mapping_shape, OPTIONAL),
    FIELD_LIST(struct oci_mount, "gidMappings", gid_mappings.items, gid_mappings.count, oci_list,
               oci_id_mapping_shape, OPTIONAL),
};
static const struct oci_shape mount_shape = OCI_SHAPE(struct oci_mount, mount_fields);

static const struct oci_field hook_fields[] = {
    FIELD(struct oci_hook, "path", path, oci_text, REQUIRED),
    FIELD(struct oci_hook, "args", args, oci_strv, OPTIONAL),
    FIELD(struct oci_hook, "env", env, oci_strv, OPTIONAL),
    FIELD(struct oci_hook, "timeout", timeout, oci_opt_i64, OPTIONAL),
};
static const struct oci_shape hook_shape = OCI_SHAPE(struct oci_hook, hook_fields);

#define HOOKS(json_name, member)                                                                   \
    FIELD_LIST(struct oci_hooks, json_name, member.items, member.count, oci_list, hook_shape,      \
               OPTIONAL)
static const struct oci_field hooks_fields[] = {
    HOOKS("prestart", prestart),
    HOOKS("createRuntime", create_runtime),
    HOOKS("createContainer", create_container),
    HOOKS("startContainer", start_container),
    HOOKS("poststart", poststart),
    HOOKS("poststop", poststop),
};
static const struct oci_shape hooks_shape = OCI_SHAPE(struct oci_hooks, hooks_fields);

/* ---- The document ---- */

static const struct oci_field spec_fields[] = {
    FIELD(struct oci_spec, "ociVersion", oci_version, oci_text, REQUIRED),
    FIELD_OF(struct oci_spec, "process", process, oci_pointer, oci_process_shape, OPTIONAL),
    FIELD_OF(struct oci_spec, "root", root, oci_object, root_shape, OPTIONAL),
    FIELD(struct oci_spec, "hostname", hostname, oci_string, OPTIONAL),
    FIELD(struct oci_spec, "domainname", domainname, oci_string, OPTIONAL),
    FIELD_LIST(struct oci_spec, "mounts", mounts, mount_count, oci_list, mount_shape, OPTIONAL),
    FIELD_OF(struct oci_spec, "hooks", hooks, oci_object, hooks_shape, OPTIONAL),
    FIELD(struct oci_spec, "annotations", annotations, oci_map, OPTIONAL),
    FIELD_OF(struct oci_spec, "linux", linux_, oci_object, oci_linux_shape, OPTIONAL),
};
const struct oci_shape oci_spec_shape = OCI_SHAPE(struct oci_spec, spec_fields);

/* ---- State ---- */

static const struct oci_word statuses[] = {
    { "creating", OCI_CREATING }, { "created", OCI_CREATED }, { "running", OCI_RUNNING },
    { "stopped", OCI_STOPPED },   { "paused", OCI_PAUSED },   OCI_WORDS_END,
};

const char *oci_status_name(enum oci_status status)
{
    return oci_word_name(statuses, status);
}

static const struct oci_field state_fields[] = {
    FIELD(struct oci_state, "ociVersion", oci_version, oci_text, REQUIRED),
    FIELD(struct oci_state, "id", id, oci_text, REQUIRED),
    FIELD_WORDS(struct oci_state, "status", status, oci_enum, statuses, REQUIRED),
    FIELD(struct oci_state, "pid", pid, oci_size, OPTIONAL),
    FIELD(struct oci_state, "bundle", bundle, oci_string, REQUIRED),
    FIELD(struct oci_state, "annotations", annotations, oci_map, OPTIONAL),
};
const struct oci_shape oci_state_shape = OCI_SHAPE(struct oci_state, state_fields);

static const struct oci_field process_state_fields[] = {
    FIELD(struct oci_process_state, "ociVersion", oci_version, oci_text, REQUIRED),
    FIELD(struct oci_process_state, "fds", fds, oci_strv, REQUIRED),
    FIELD(struct oci_process_state, "pid", pid, oci_size, REQUIRED),
    FIELD(struct oci_process_state, "metadata", metadata, oci_string, OPTIONAL),
    FIELD_OF(struct oci_process_state, "state", state, oci_object, oci_state_shape, REQUIRED),
};
const struct oci_shape oci_process_state_shape =
    OCI_SHAPE(struct oci_process_state, process_state_fields);
