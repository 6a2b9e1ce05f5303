/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration becomes a runtime-spec, in memory: no JSON on the way of a start.
 *
 * The start is oci_spec_new_default(), Cloche's default isolation; each function below applies one group of options to it. Users and the working directory
 * are looked up in the container's own root file system, through its mount's descriptor.
 */
#include "engine/engine_private.h"

#include <fcntl.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define CPU_PERIOD   100000 /* microseconds; the kernel's default */

const char *engine_hostname(const struct engine_config *config, const char *id,
                            char buffer[static 16])
{
    if (config->hostname[0] != '\0')
        return config->hostname;
    (void)cl_print(buffer, 16, "%.12s", id);
    return buffer;
}

bool engine_wants_default_seccomp(const struct engine_config *config)
{
    const char *const *options = (const char *const *)config->security_opt;
    return !config->privileged && !cl_strv_has(options, "seccomp=unconfined") &&
           !cl_strv_has(options, "seccomp:unconfined");
}

bool engine_wants_records(const struct engine_config *config)
{
    return cl_strv_has((const char *const *)config->security_opt, "record-denials");
}

static bool wants_no_new_privileges(const struct engine_config *config)
{
    const char *const *options = (const char *const *)config->security_opt;
    return cl_strv_has(options, "no-new-privileges") ||
           cl_strv_has(options, "no-new-privileges:true") ||
           cl_strv_has(options, "no-new-privileges=true");
}

/* ---- process ---- */

static int build_env(const struct engine_process_input *input, const char *home,
                     struct oci_process *process)
{
    char short_id[16];
    cl_auto_free char *hostname =
        cl_format("HOSTNAME=%s", engine_hostname(input->config, input->id, short_id));
    cl_auto_free char *home_entry = cl_format("HOME=%s", home);
    int result = hostname == NULL || home_entry == NULL ? -ENOMEM : 0;
    cl_strv_free(cl_take(process->env));
    if (result >= 0)
        result = oci_env_set(process, DEFAULT_PATH);
    if (result >= 0)
        result = oci_env_set(process, hostname);
    if (result >= 0 && input->terminal)
        result = oci_env_set(process, "TERM=xterm");
    for (char **entry = input->config->env; result >= 0 && entry != NULL && *entry != NULL; entry++)
        result = oci_env_set(process, *entry);
    for (const char *const *entry = input->extra_env;
         result >= 0 && entry != NULL && *entry != NULL; entry++)
        result = oci_env_set(process, *entry);
    if (result >= 0 && cl_env_get((const char *const *)process->env, "HOME") == NULL)
        result = oci_env_set(process, home_entry);
    return result;
}

static int apply_user(const struct engine_process_input *input, struct oci_process *process,
                      struct cl_error *err)
{
    struct runtime_user user = { 0 };
    int result = runtime_user_resolve(input->root_fd, input->user,
                                      (const char *const *)input->config->group_add, &user, err);
    if (result < 0)
        return result;
    process->user.uid = user.uid;
    process->user.gid = user.gid;
    /* The primary group, too: a set-gid program could drop it otherwise (CVE-2022-36109). */
    result = oci_gid_add(&process->user, user.gid);
    for (size_t i = 0; result >= 0 && i < user.group_count; i++)
        result = oci_gid_add(&process->user, user.groups[i]);
    if (result >= 0)
        result = build_env(input, user.home, process);
    runtime_user_done(&user);
    return result < 0 ? cl_fail(err, ENOMEM, "set up the process") : 0;
}

static int apply_limits(const struct engine_config *config, struct oci_process *process,
                        struct cl_error *err)
{
    for (char **limit = config->ulimits; limit != NULL && *limit != NULL; limit++) {
        int type;
        uint64_t soft, hard;
        int result = engine_ulimit_parse(*limit, &type, &soft, &hard, err);
        if (result < 0)
            return result;
        if (oci_rlimit_set(process, type, soft, hard) < 0)
            return cl_fail(err, ENOMEM, "set limit %s", *limit);
    }
    return 0;
}

/* A user other than root starts without effective capabilities: the bounding set alone carries them (CVE-2018-10856). */
static int apply_capabilities(const struct engine_process_input *input, struct oci_process *process,
                              struct cl_error *err)
{
    uint64_t mask = OCI_CAP_ALL;
    int result = input->privileged ? 0 : engine_capabilities(input->config, &mask, err);
    if (result < 0)
        return result;
    if (oci_capabilities_set(process, mask) < 0)
        return cl_fail(err, ENOMEM, "set capabilities");
    if (process->user.uid != 0)
        process->capabilities->effective.mask = process->capabilities->permitted.mask = 0;
    return 0;
}

static int fill_process(const struct engine_process_input *input, struct oci_process *process,
                        struct cl_error *err)
{
    process->terminal = input->terminal;
    if (input->terminal) {
        process->console_size.height = input->rows;
        process->console_size.width = input->columns;
    }
    int result = apply_user(input, process, err);
    if (result >= 0)
        result = apply_capabilities(input, process, err);
    if (result >= 0)
        result = apply_limits(input->config, process, err);
    if (result < 0)
        return result;
    process->no_new_privileges = wants_no_new_privileges(input->config);
    if (oci_args_set(process, input->arguments) < 0 ||
        oci_string_set(&process->cwd, input->working_dir[0] != '\0' ? input->working_dir : "/") < 0)
        return cl_fail(err, ENOMEM, "set up the process");
    return 0;
}

int engine_process_new(const struct engine_process_input *input, struct oci_process **ret,
                       struct cl_error *err)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new();
    if (spec == NULL)
        return cl_fail(err, ENOMEM, "set up the process");
    int result = fill_process(input, spec->process, err);
    if (result < 0)
        return result;
    *ret = cl_take(spec->process);
    return 0;
}

/* ---- namespaces ---- */

static int apply_namespaces(const struct engine_spec_input *input, struct oci_spec *spec)
{
    const struct engine_config *config = input->config;
    char short_id[16];
    const struct {
        const char *mode;
        enum oci_namespace_type type;
    } modes[] = {
        { config->network_mode, OCI_NS_NETWORK }, { config->pid_mode, OCI_NS_PID },
        { config->ipc_mode, OCI_NS_IPC },         { config->uts_mode, OCI_NS_UTS },
        { config->cgroupns_mode, OCI_NS_CGROUP }, { config->time_mode, OCI_NS_TIME },
    };
    for (size_t i = 0; i < CL_COUNT(modes); i++)
        if (engine_is_host(modes[i].mode))
            (void)oci_namespace_remove(spec, modes[i].type); /* absent already: the same */
    if (engine_is_host(config->uts_mode))
        return 0;
    int result = oci_string_set(&spec->hostname, engine_hostname(config, input->id, short_id));
    if (result >= 0 && config->domainname[0] != '\0')
        result = oci_string_set(&spec->domainname, config->domainname);
    return result;
}

/* ---- mounts ---- */

/* "ro" of a bind means all of it, mounts below it included, as in Docker since 25. */
static const char *bind_option(const char *option)
{
    return cl_streq(option, "ro") ? "rro" : option;
}

static int add_bind_options(char ***options, const char *list)
{
    int result = 0;
    while (result >= 0 && *list != '\0') {
        size_t length = strcspn(list, ",");
        cl_auto_free char *option = cl_strndup(list, length);
        result = option == NULL ? -ENOMEM : cl_strv_append(options, bind_option(option));
        list += length + (list[length] == ',');
    }
    return result;
}

static int add_option_list(char ***options, const char *list)
{
    int result = 0;
    while (result >= 0 && *list != '\0') {
        size_t length = strcspn(list, ",");
        result = cl_strv_append_take(options, cl_strndup(list, length));
        list += length + (list[length] == ',');
    }
    return result;
}

static int apply_bind(const char *text, struct oci_spec *spec, struct cl_error *err)
{
    struct engine_bind bind = { 0 };
    CL_AUTO(cl_strv_free) char **options = NULL;
    int result = engine_bind_parse(text, &bind, err);
    if (result < 0)
        return result;
    result = cl_strv_append(&options, "rbind");
    if (result >= 0 && strstr(bind.options, "private") == NULL &&
        strstr(bind.options, "slave") == NULL && strstr(bind.options, "shared") == NULL)
        result = cl_strv_append(&options, "rprivate");
    if (result >= 0)
        result = add_bind_options(&options, bind.options);
    if (result >= 0)
        result = oci_mount_add_strv(spec, bind.destination, "bind", bind.source,
                                    (const char *const *)options);
    engine_bind_done(&bind);
    return result < 0 ? cl_fail(err, ENOMEM, "volume %s", text) : 0;
}

static int apply_tmpfs(const char *text, struct oci_spec *spec)
{
    CL_AUTO(cl_strv_free) char **options = NULL;
    const char *colon = strchr(text, ':');
    size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);
    cl_auto_free char *path = cl_strndup(text, length);
    int result = path == NULL ? -ENOMEM : 0;
    if (result >= 0)
        result = add_option_list(&options, "noexec,nosuid,nodev,rw");
    if (result >= 0 && colon != NULL)
        result = add_option_list(&options, colon + 1);
    return result < 0
               ? result
               : oci_mount_add_strv(spec, path, "tmpfs", "tmpfs", (const char *const *)options);
}

static int apply_shm(const struct engine_config *config, struct oci_spec *spec)
{
    if (engine_is_host(config->ipc_mode)) {
        (void)oci_mount_remove(spec, "/dev/shm"); /* replaced by the host's */
        (void)oci_mount_remove(spec, "/dev/mqueue");
        int result = oci_mount_add(spec, "/dev/shm", "bind", "/dev/shm", "rbind", "rprivate", NULL);
        if (result >= 0 && access("/dev/mqueue", F_OK) == 0)
            result = oci_mount_add(spec, "/dev/mqueue", "bind", "/dev/mqueue", "rbind", "rprivate",
                                   NULL);
        return result;
    }
    if (config->shm_size == 0)
        return 0;
    char size[40];
    (void)CL_PRINT(size, "size=%lld", (long long)config->shm_size);
    (void)oci_mount_remove(spec, "/dev/shm");
    return oci_mount_add(spec, "/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777",
                         size, NULL);
}

/* A bind of the user's on one of these paths wins over ours. */
static int apply_own_file(const struct engine_spec_input *input, const char *name,
                          const char *destination, struct oci_spec *spec)
{
    for (char **bind = input->config->binds; bind != NULL && *bind != NULL; bind++) {
        const char *colon = strchr(*bind, ':');
        size_t length = strlen(destination);
        if (colon != NULL && strncmp(colon + 1, destination, length) == 0 &&
            (colon[1 + length] == '\0' || colon[1 + length] == ':'))
            return 0;
    }
    cl_auto_free char *source = cl_format("%s/%s", input->directory, name);
    if (source == NULL)
        return -ENOMEM;
    return oci_mount_add(spec, destination, "bind", source, "rbind", "rprivate",
                         input->config->readonly_rootfs ? "ro" : "rw", NULL);
}

static int apply_mounts(const struct engine_spec_input *input, struct oci_spec *spec,
                        struct cl_error *err)
{
    const struct engine_config *config = input->config;
    spec->root.readonly = config->readonly_rootfs;
    int result = apply_shm(config, spec);
    if (result >= 0)
        result = apply_own_file(input, "resolv.conf", "/etc/resolv.conf", spec);
    if (result >= 0)
        result = apply_own_file(input, "hostname", "/etc/hostname", spec);
    if (result >= 0)
        result = apply_own_file(input, "hosts", "/etc/hosts", spec);
    for (char **path = config->tmpfs; result >= 0 && path != NULL && *path != NULL; path++)
        result = apply_tmpfs(*path, spec);
    if (result < 0)
        return cl_fail(err, ENOMEM, "set up the mounts");
    for (char **bind = config->binds; result >= 0 && bind != NULL && *bind != NULL; bind++)
        result = apply_bind(*bind, spec, err);
    return result;
}

/* ---- devices, resources, the rest ---- */

static int apply_devices(const struct engine_config *config, struct oci_spec *spec,
                         struct cl_error *err)
{
    for (char **text = config->devices; text != NULL && *text != NULL; text++) {
        struct oci_device device = { 0 };
        char access[4];
        int result = engine_device_parse(*text, &device, access, err);
        if (result < 0)
            return result;
        struct oci_device_rule rule = { .allow = true,
                                        .type = device.type,
                                        .major = OCI_SOME(device.major),
                                        .minor = OCI_SOME(device.minor),
                                        .access = access };
        result = oci_device_add(spec, &device);
        if (result >= 0)
            result = oci_device_rule_add(spec, &rule);
        free(device.path);
        if (result < 0)
            return cl_fail(err, ENOMEM, "--device %s", *text);
    }
    return 0;
}

static void set_i64(struct oci_opt_i64 *member, int64_t value)
{
    if (value != 0)
        *member = (struct oci_opt_i64)OCI_SOME(value);
}

static void set_u64(struct oci_opt_u64 *member, int64_t value)
{
    if (value > 0)
        *member = (struct oci_opt_u64)OCI_SOME((uint64_t)value);
}

static int apply_resources(const struct engine_config *config, struct oci_spec *spec)
{
    struct oci_resources *resources = &spec->linux_.resources;
    set_i64(&resources->memory.limit, config->memory);
    set_i64(&resources->memory.reservation, config->memory_reservation);
    /* Docker's default: as much swap as memory. Where swap is not accounted for, only a request of the user's own is worth an error. */
    set_i64(&resources->memory.swap, config->memory_swap);
    if (config->oom_kill_disable)
        resources->memory.disable_oom_killer = (struct oci_opt_bool)OCI_SOME(true);
    set_u64(&resources->cpu.shares, config->cpu_shares);
    set_i64(&resources->cpu.quota, config->cpu_quota);
    set_u64(&resources->cpu.period, config->cpu_period);
    if (config->nano_cpus > 0) {
        set_u64(&resources->cpu.period, CPU_PERIOD);
        set_i64(&resources->cpu.quota, config->nano_cpus / (1000000000 / CPU_PERIOD));
    }
    set_i64(&resources->pids_limit, config->pids_limit);
    int result = 0;
    if (config->cpuset_cpus[0] != '\0')
        result = oci_string_set(&resources->cpu.cpus, config->cpuset_cpus);
    if (result >= 0 && config->cpuset_mems[0] != '\0')
        result = oci_string_set(&resources->cpu.mems, config->cpuset_mems);
    for (char **item = config->sysctls; result >= 0 && item != NULL && *item != NULL; item++) {
        const char *equals = strchr(*item, '=');
        cl_auto_free char *key =
            equals == NULL ? NULL : cl_strndup(*item, (size_t)(equals - *item));
        result = key == NULL ? -ENOMEM : oci_map_set(&spec->linux_.sysctl, key, equals + 1);
    }
    return result;
}

static int replace_paths(char ***member, char *const *wanted)
{
    if (wanted == NULL)
        return 0;
    char **copy = NULL;
    int result = cl_strv_copy(&copy, (const char *const *)wanted);
    if (result < 0)
        return result;
    cl_strv_free(*member);
    *member = copy;
    return 0;
}

static int build_arguments(const struct engine_config *config, char ***ret)
{
    CL_AUTO(cl_strv_free) char **arguments = NULL;
    int result = 0;
    for (char **word = config->entrypoint; result >= 0 && word != NULL && *word != NULL; word++)
        result = cl_strv_append(&arguments, *word);
    for (char **word = config->command; result >= 0 && word != NULL && *word != NULL; word++)
        result = cl_strv_append(&arguments, *word);
    if (result >= 0)
        *ret = cl_take(arguments);
    return result;
}

/* Docker makes the working directory when the image lacks it; through the root's descriptor (CVE-2026-55686). */
static int make_working_dir(const struct engine_spec_input *input, struct cl_error *err)
{
    const char *path = input->config->working_dir;
    if (path[0] == '\0' || cl_streq(path, "/"))
        return 0;
    cl_auto_fd fd =
        inroot_open(input->root_mount, path, O_PATH | O_DIRECTORY, 0, INROOT_FOLLOW, NULL);
    if (fd >= 0)
        return 0;
    fd = inroot_mkdir_p(input->root_mount, path, 0755, err);
    return fd < 0 ? cl_error_prefix(err, "make the working directory %s", path) : 0;
}

static int fill_spec(const struct engine_spec_input *input, struct oci_spec *spec,
                     struct cl_error *err)
{
    const struct engine_config *config = input->config;
    CL_AUTO(cl_strv_free) char **arguments = NULL;
    if (build_arguments(config, &arguments) < 0 || apply_namespaces(input, spec) < 0 ||
        apply_resources(config, spec) < 0 ||
        replace_paths(&spec->linux_.masked_paths, config->masked_paths) < 0 ||
        replace_paths(&spec->linux_.readonly_paths, config->readonly_paths) < 0)
        return cl_fail(err, ENOMEM, "set up the container");
    const struct engine_process_input process = {
        .config = config,
        .id = input->id,
        .root_fd = input->root_mount,
        .arguments = (const char *const *)arguments,
        .user = config->user,
        .working_dir = config->working_dir,
        .terminal = config->tty,
        .rows = input->rows,
        .columns = input->columns,
    };
    int result = fill_process(&process, spec->process, err);
    if (result >= 0 && config->oom_score_adj != 0)
        spec->process->oom_score_adj = (struct oci_opt_i32)OCI_SOME((int32_t)config->oom_score_adj);
    if (result >= 0)
        result = apply_mounts(input, spec, err);
    if (result >= 0)
        result = apply_devices(config, spec, err);
    return result;
}

int engine_spec_new(const struct engine_spec_input *input, struct oci_spec **ret,
                    struct cl_error *err)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new_default();
    if (spec == NULL)
        return cl_fail(err, ENOMEM, "set up the container");
    int result = make_working_dir(input, err);
    if (result >= 0)
        result = fill_spec(input, spec, err);
    if (result < 0)
        return result;
    *ret = cl_take(spec);
    return 0;
}

int engine_device_allowed(const struct engine_config *config, bool is_block, unsigned major,
                          unsigned minor, char access)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new_default();
    struct cl_error err = { 0 };
    if (spec == NULL)
        return -ENOMEM;
    int result = apply_devices(config, spec, &err);
    if (result >= 0)
        result = oci_device_rules_ask(&spec->linux_.resources, is_block, major, minor, access);
    return result == -ENOENT ? 0 : result;
}
