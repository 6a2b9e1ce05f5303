/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct engine_config ↔ JSON by one table, and what an image adds to it.
 *
 * The rows stand in the order in which Docker prints them, so `inspect` shows a familiar document. A new option is one row here, one member in the header.
 */
#include "engine/config.h"

#include "oci/oci.h"
#include "store/store.h"

enum field_type { TEXT, VECTOR, MAP, FLAG, NUMBER };

struct config_field {
    const char *section, *name;
    enum field_type type;
    size_t offset;
};

#define FIELD(section, name, type, member)                                                         \
    {                                                                                              \
        section, name, type, offsetof(struct engine_config, member)                                \
    }

static const struct config_field fields[] = {
    FIELD("Config", "Hostname", TEXT, hostname),
    FIELD("Config", "Domainname", TEXT, domainname),
    FIELD("Config", "User", TEXT, user),
    FIELD("Config", "AttachStdin", FLAG, attach_stdin),
    FIELD("Config", "AttachStdout", FLAG, attach_stdout),
    FIELD("Config", "AttachStderr", FLAG, attach_stderr),
    FIELD("Config", "Tty", FLAG, tty),
    FIELD("Config", "OpenStdin", FLAG, open_stdin),
    FIELD("Config", "StdinOnce", FLAG, stdin_once),
    FIELD("Config", "Env", VECTOR, env),
    FIELD("Config", "Cmd", VECTOR, command),
    FIELD("Config", "Image", TEXT, image),
    FIELD("Config", "WorkingDir", TEXT, working_dir),
    FIELD("Config", "Entrypoint", VECTOR, entrypoint),
    FIELD("Config", "EntrypointGiven", FLAG, has_entrypoint),
    FIELD("Config", "Labels", MAP, labels),
    FIELD("Config", "StopSignal", TEXT, stop_signal),
    FIELD("Config", "StopTimeout", NUMBER, stop_timeout),
    FIELD("HostConfig", "Binds", VECTOR, binds),
    FIELD("HostConfig", "LogDriver", TEXT, log_driver),
    FIELD("HostConfig", "NetworkMode", TEXT, network_mode),
    FIELD("HostConfig", "AutoRemove", FLAG, auto_remove),
    FIELD("HostConfig", "CapAdd", VECTOR, cap_add),
    FIELD("HostConfig", "CapDrop", VECTOR, cap_drop),
    FIELD("HostConfig", "CgroupnsMode", TEXT, cgroupns_mode),
    FIELD("HostConfig", "Dns", VECTOR, dns),
    FIELD("HostConfig", "DnsOptions", VECTOR, dns_options),
    FIELD("HostConfig", "DnsSearch", VECTOR, dns_search),
    FIELD("HostConfig", "ExtraHosts", VECTOR, extra_hosts),
    FIELD("HostConfig", "GroupAdd", VECTOR, group_add),
    FIELD("HostConfig", "IpcMode", TEXT, ipc_mode),
    FIELD("HostConfig", "OomScoreAdj", NUMBER, oom_score_adj),
    FIELD("HostConfig", "PidMode", TEXT, pid_mode),
    FIELD("HostConfig", "Privileged", FLAG, privileged),
    FIELD("HostConfig", "ReadonlyRootfs", FLAG, readonly_rootfs),
    FIELD("HostConfig", "SecurityOpt", VECTOR, security_opt),
    FIELD("HostConfig", "Tmpfs", VECTOR, tmpfs),
    FIELD("HostConfig", "TimeMode", TEXT, time_mode),
    FIELD("HostConfig", "UTSMode", TEXT, uts_mode),
    FIELD("HostConfig", "ShmSize", NUMBER, shm_size),
    FIELD("HostConfig", "Sysctls", MAP, sysctls),
    FIELD("HostConfig", "CpuShares", NUMBER, cpu_shares),
    FIELD("HostConfig", "Memory", NUMBER, memory),
    FIELD("HostConfig", "NanoCpus", NUMBER, nano_cpus),
    FIELD("HostConfig", "CgroupParent", TEXT, cgroup_parent),
    FIELD("HostConfig", "CpuPeriod", NUMBER, cpu_period),
    FIELD("HostConfig", "CpuQuota", NUMBER, cpu_quota),
    FIELD("HostConfig", "CpusetCpus", TEXT, cpuset_cpus),
    FIELD("HostConfig", "CpusetMems", TEXT, cpuset_mems),
    FIELD("HostConfig", "Devices", VECTOR, devices),
    FIELD("HostConfig", "MemoryReservation", NUMBER, memory_reservation),
    FIELD("HostConfig", "MemorySwap", NUMBER, memory_swap),
    FIELD("HostConfig", "OomKillDisable", FLAG, oom_kill_disable),
    FIELD("HostConfig", "PidsLimit", NUMBER, pids_limit),
    FIELD("HostConfig", "Ulimits", VECTOR, ulimits),
    FIELD("HostConfig", "MaskedPaths", VECTOR, masked_paths),
    FIELD("HostConfig", "ReadonlyPaths", VECTOR, readonly_paths),
};

#define MEMBER(config, field, c_type) (*(c_type *)((char *)(config) + (field)->offset))
#define MEMBER_CONST(config, field, c_type)                                                        \
    (*(c_type const *)((const char *)(config) + (field)->offset))

struct engine_config *engine_config_new(void)
{
    struct engine_config *config = cl_calloc(1, sizeof *config);
    if (config == NULL)
        return NULL;
    config->stop_timeout = -1;
    for (size_t i = 0; i < CL_COUNT(fields); i++) {
        if (fields[i].type != TEXT)
            continue;
        MEMBER(config, &fields[i], char *) = cl_strdup("");
        if (MEMBER(config, &fields[i], char *) == NULL) {
            engine_config_free(config);
            return NULL;
        }
    }
    return config;
}

void engine_config_free(struct engine_config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < CL_COUNT(fields); i++) {
        if (fields[i].type == TEXT)
            free(MEMBER(config, &fields[i], char *));
        else if (fields[i].type == VECTOR || fields[i].type == MAP)
            cl_strv_free(MEMBER(config, &fields[i], char **));
    }
    free(config);
}

/* ---- to JSON ---- */

/* KEY=VALUE vector → object; a later key wins. */
static struct cl_json *map_to_json(const char *const *vector)
{
    CL_AUTO(cl_json_unref) struct cl_json *object = cl_json_object();
    for (; object != NULL && vector != NULL && *vector != NULL; vector++) {
        const char *equals = strchr(*vector, '=');
        cl_auto_free char *key =
            equals == NULL ? cl_strdup(*vector) : cl_strndup(*vector, (size_t)(equals - *vector));
        if (key == NULL || cl_json_set_string(object, key, equals == NULL ? "" : equals + 1) < 0)
            return NULL;
    }
    return cl_take(object);
}

static struct cl_json *field_to_json(const struct engine_config *config,
                                     const struct config_field *field)
{
    switch (field->type) {
    case TEXT:
        return cl_json_from_string(MEMBER_CONST(config, field, char *));
    case VECTOR:
        if (MEMBER_CONST(config, field, char **) == NULL)
            return cl_json_null();
        return cl_json_from_strv((const char *const *)MEMBER_CONST(config, field, char **));
    case MAP:
        return map_to_json((const char *const *)MEMBER_CONST(config, field, char **));
    case FLAG:
        return cl_json_from_bool(MEMBER_CONST(config, field, bool));
    case NUMBER:
    default:
        return cl_json_from_int(MEMBER_CONST(config, field, int64_t));
    }
}

int engine_config_encode(const struct engine_config *config, struct cl_json **ret,
                         struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    struct cl_json *plain = cl_json_object(), *host = cl_json_object();
    int result = cl_json_set(json, "Config", plain);
    if (cl_json_set(json, "HostConfig", host) < 0)
        result = -ENOMEM;
    for (size_t i = 0; result >= 0 && i < CL_COUNT(fields); i++)
        result = cl_json_set(cl_streq(fields[i].section, "Config") ? plain : host, fields[i].name,
                             field_to_json(config, &fields[i]));
    if (result < 0)
        return cl_fail(err, ENOMEM, "write a container's configuration");
    *ret = cl_take(json);
    return 0;
}

/* ---- from JSON ---- */

static int map_from_json(const struct cl_json *object, char ***ret)
{
    CL_AUTO(cl_strv_free) char **vector = NULL;
    void *state = NULL;
    const char *key;
    const struct cl_json *value;
    while (cl_json_next(object, &state, &key, &value))
        if (cl_strv_append_take(&vector, cl_format("%s=%s", key, cl_json_string_or(value, ""))) < 0)
            return -ENOMEM;
    *ret = cl_take(vector);
    return 0;
}

static int field_from_json(struct engine_config *config, const struct config_field *field,
                           const struct cl_json *value)
{
    char *text;
    switch (field->type) {
    case TEXT:
        text = cl_strdup(cl_json_string_or(value, ""));
        if (text == NULL)
            return -ENOMEM;
        free(MEMBER(config, field, char *));
        MEMBER(config, field, char *) = text;
        return 0;
    case VECTOR:
        return cl_json_strv(value, &MEMBER(config, field, char **));
    case MAP:
        return map_from_json(value, &MEMBER(config, field, char **));
    case FLAG:
        MEMBER(config, field, bool) = cl_json_bool(value);
        return 0;
    case NUMBER:
    default:
        return cl_json_i64(value, &MEMBER(config, field, int64_t));
    }
}

int engine_config_decode(const struct cl_json *json, struct engine_config **ret,
                         struct cl_error *err)
{
    CL_AUTO(engine_config_free) struct engine_config *config = engine_config_new();
    if (config == NULL)
        return cl_fail(err, ENOMEM, "read a container's configuration");
    for (size_t i = 0; i < CL_COUNT(fields); i++) {
        const struct cl_json *value =
            cl_json_get(cl_json_get(json, fields[i].section), fields[i].name);
        if (value == NULL || cl_json_type(value) == CL_JSON_NULL)
            continue;
        int result = field_from_json(config, &fields[i], value);
        if (result == -ENOMEM)
            return cl_fail(err, ENOMEM, "read a container's configuration");
        if (result < 0)
            return cl_fail_kind(err, CL_KIND_CORRUPT, EUCLEAN, "catalog: %s.%s is malformed",
                                fields[i].section, fields[i].name);
    }
    *ret = cl_take(config);
    return 0;
}

/* ---- what the image says ---- */

static int default_text(char **member, const char *value)
{
    if ((*member)[0] != '\0' || value == NULL || value[0] == '\0')
        return 0;
    char *copy = cl_strdup(value);
    if (copy == NULL)
        return -ENOMEM;
    free(*member);
    *member = copy;
    return 0;
}

/* The image's variables first, the user's over them. */
static int merge_env(struct engine_config *config, const char *const *image_env)
{
    CL_AUTO(cl_strv_free) char **merged = NULL;
    int result = cl_strv_copy(&merged, image_env);
    for (char **entry = config->env; result >= 0 && entry != NULL && *entry != NULL; entry++)
        result = cl_env_set(&merged, *entry);
    if (result < 0)
        return result;
    cl_strv_free(config->env);
    config->env = cl_take(merged);
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const char *one = *(char *const *)a, *other = *(char *const *)b;
    size_t length = strcspn(one, "="), other_length = strcspn(other, "=");
    int order = memcmp(one, other, length < other_length ? length : other_length);
    return order != 0 ? order : (length > other_length) - (length < other_length);
}

/* In the order of their keys, as people know it from Docker. */
static int merge_labels(struct engine_config *config, const struct oci_map *labels)
{
    CL_AUTO(cl_strv_free) char **merged = NULL;
    for (size_t i = 0; i < labels->count; i++)
        if (cl_strv_append_take(
                &merged, cl_format("%s=%s", labels->pairs[i].key, labels->pairs[i].value)) < 0)
            return -ENOMEM;
    for (char **entry = config->labels; entry != NULL && *entry != NULL; entry++)
        if (cl_env_set(&merged, *entry) < 0)
            return -ENOMEM;
    if (merged != NULL)
        qsort(merged, cl_strv_count((const char *const *)merged), sizeof *merged, compare_keys);
    cl_strv_free(config->labels);
    config->labels = cl_take(merged);
    return 0;
}

static int merge_run(struct engine_config *config, const struct oci_image_run *image)
{
    int result = merge_env(config, (const char *const *)image->env);
    if (result >= 0)
        result = merge_labels(config, &image->labels);
    if (result >= 0)
        result = default_text(&config->user, image->user);
    if (result >= 0)
        result = default_text(&config->working_dir, image->working_dir);
    if (result >= 0)
        result = default_text(&config->stop_signal, image->stop_signal);
    if (result < 0)
        return result;
    /* An entrypoint of the user's makes the image's command meaningless; one of the image's takes the user's command as arguments. */
    if (config->has_entrypoint)
        return 0;
    if (config->command == NULL)
        result = cl_strv_copy(&config->command, (const char *const *)image->cmd);
    if (result >= 0)
        result = cl_strv_copy(&config->entrypoint, (const char *const *)image->entrypoint);
    return result;
}

int engine_config_merge(struct engine_config *config, const struct store_image *image,
                        struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    CL_AUTO(oci_image_config_free) struct oci_image_config *said = NULL;
    int result = cl_json_parse(image->config, strlen(image->config), 4u << 20, &json, err);
    if (result >= 0)
        result = oci_image_config_decode(json, &said, err);
    if (result < 0)
        return cl_error_prefix(err, "configuration of image %.19s", image->id);
    if (merge_run(config, &said->config) < 0)
        return cl_fail(err, ENOMEM, "apply the configuration of image %.19s", image->id);
    if (config->command == NULL && config->entrypoint == NULL)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "no command specified, and image %s has none; give one after the image",
                            config->image);
    return 0;
}
