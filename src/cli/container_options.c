/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of `run` and `create`, and how they become a configuration.
 *
 * Docker's flags that this build can't honour stand in the table, too, each with its reason: a flag that is accepted and ignored would be a lie.
 */
#include "cli/cli_private.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define ROW(name, letter, kind, placeholder, text, member)                                         \
    CLI_ROW(name, letter, kind, placeholder, text, struct container_options, member)
#define NEEDS_NETWORK                                                                              \
    "bridged networks are not built yet; --network none and --network host are there"
#define FILE_MAX_BYTES (1 << 20)

const struct cli_option cli_container_options[] = {
    ROW("add-host", 0, CLI_LIST, "list", "Add a custom host-to-IP mapping (host:ip)", add_host),
    ROW("attach", 'a', CLI_LIST, "list", "Attach to STDIN, STDOUT or STDERR", attach),
    ROW("cap-add", 0, CLI_LIST, "list", "Add Linux capabilities", cap_add),
    ROW("cap-drop", 0, CLI_LIST, "list", "Drop Linux capabilities", cap_drop),
    ROW("cgroup-parent", 0, CLI_STRING, "string", "Optional parent cgroup for the container",
        cgroup_parent),
    ROW("cgroupns", 0, CLI_STRING, "string", "Cgroup namespace to use (host|private)", cgroupns),
    ROW("cidfile", 0, CLI_STRING, "string", "Write the container ID to the file", cidfile),
    ROW("cpu-period", 0, CLI_INT, "int", "Limit CPU CFS (Completely Fair Scheduler) period",
        cpu_period),
    ROW("cpu-quota", 0, CLI_INT, "int", "Limit CPU CFS (Completely Fair Scheduler) quota",
        cpu_quota),
    ROW("cpu-shares", 'c', CLI_INT, "int", "CPU shares (relative weight)", cpu_shares),
    ROW("cpus", 0, CLI_NANO, "decimal", "Number of CPUs", cpus),
    ROW("cpuset-cpus", 0, CLI_STRING, "string", "CPUs in which to allow execution (0-3, 0,1)",
        cpuset_cpus),
    ROW("cpuset-mems", 0, CLI_STRING, "string", "MEMs in which to allow execution (0-3, 0,1)",
        cpuset_mems),
    ROW("device", 0, CLI_LIST, "list", "Add a host device to the container", device),
    ROW("dns", 0, CLI_LIST, "list", "Set custom DNS servers", dns),
    ROW("dns-option", 0, CLI_LIST, "list", "Set DNS options", dns_option),
    ROW("dns-search", 0, CLI_LIST, "list", "Set custom DNS search domains", dns_search),
    ROW("domainname", 0, CLI_STRING, "string", "Container NIS domain name", domainname),
    ROW("entrypoint", 0, CLI_STRING, "string", "Overwrite the default ENTRYPOINT of the image",
        entrypoint),
    ROW("env", 'e', CLI_LIST, "list", "Set environment variables", env),
    ROW("env-file", 0, CLI_LIST, "list", "Read in a file of environment variables", env_file),
    ROW("group-add", 0, CLI_LIST, "list", "Add additional groups to join", group_add),
    ROW("host-time", 0, CLI_FLAG, NULL, "Share the host's time namespace (as --time host)",
        host_time),
    ROW("hostname", 'h', CLI_STRING, "string", "Container host name", hostname),
    ROW("interactive", 'i', CLI_FLAG, NULL, "Keep STDIN open even if not attached", interactive),
    ROW("ipc", 0, CLI_STRING, "string", "IPC mode to use (host|private)", ipc),
    ROW("label", 'l', CLI_LIST, "list", "Set meta data on a container", label),
    ROW("label-file", 0, CLI_LIST, "list", "Read in a line delimited file of labels", label_file),
    ROW("log-driver", 0, CLI_STRING, "string", "Logging driver (json-file|none)", log_driver),
    ROW("memory", 'm', CLI_BYTES, "bytes", "Memory limit", memory),
    ROW("memory-reservation", 0, CLI_BYTES, "bytes", "Memory soft limit", memory_reservation),
    ROW("memory-swap", 0, CLI_BYTES, "bytes",
        "Swap limit equal to memory plus swap: '-1' to enable unlimited swap", memory_swap),
    ROW("mount", 0, CLI_LIST, "mount", "Attach a filesystem mount (type=bind|tmpfs)", mount),
    ROW("name", 0, CLI_STRING, "string", "Assign a name to the container", name),
    ROW("network", 0, CLI_STRING, "network", "Connect a container to a network (none|host)",
        network),
    ROW("net", 0, CLI_STRING, "network", "The same as --network", network),
    ROW("oom-kill-disable", 0, CLI_FLAG, NULL, "Disable OOM Killer", oom_kill_disable),
    ROW("oom-score-adj", 0, CLI_INT, "int", "Tune host's OOM preferences (-1000 to 1000)",
        oom_score_adj),
    ROW("pid", 0, CLI_STRING, "string", "PID namespace to use (host|private)", pid),
    ROW("pids-limit", 0, CLI_INT, "int", "Tune container pids limit (set -1 for unlimited)",
        pids_limit),
    ROW("pull", 0, CLI_STRING, "string", "Pull image before running (missing|never)", pull),
    ROW("read-only", 0, CLI_FLAG, NULL, "Mount the container's root filesystem as read only",
        read_only),
    ROW("record-denials", 0, CLI_FLAG, NULL,
        "Have the kernel log what seccomp refuses, for 'cloche why'", record_denials),
    ROW("rm", 0, CLI_FLAG, NULL, "Automatically remove the container when it exits", rm),
    ROW("security-opt", 0, CLI_LIST, "list", "Security Options", security_opt),
    ROW("shm-size", 0, CLI_BYTES, "bytes", "Size of /dev/shm", shm_size),
    ROW("stop-signal", 0, CLI_STRING, "string", "Signal to stop the container", stop_signal),
    { .name = "stop-timeout",
      .type = CLI_INT,
      .argument = "int",
      .help = "Timeout (in seconds) to stop a container",
      .offset = offsetof(struct container_options, stop_timeout),
      .initial = -1 },
    ROW("sysctl", 0, CLI_LIST, "map", "Sysctl options", sysctl),
    ROW("time", 0, CLI_STRING, "string", "Time namespace to use (host|private)", time),
    ROW("tmpfs", 0, CLI_LIST, "list", "Mount a tmpfs directory", tmpfs),
    ROW("tty", 't', CLI_FLAG, NULL, "Allocate a pseudo-TTY", tty),
    ROW("ulimit", 0, CLI_LIST, "ulimit", "Ulimit options", ulimit),
    ROW("user", 'u', CLI_STRING, "string", "Username or UID (format: <name|uid>[:<group|gid>])",
        user),
    ROW("uts", 0, CLI_STRING, "string", "UTS namespace to use (host|private)", uts),
    ROW("volume", 'v', CLI_LIST, "list", "Bind mount a volume", volume),
    ROW("workdir", 'w', CLI_STRING, "string", "Working directory inside the container", workdir),
    CLI_REFUSE("annotation", 0, true, "annotations on containers are not built yet; use --label"),
    CLI_REFUSE("blkio-weight", 0, true, "block I/O limits are not built yet"),
    CLI_REFUSE("blkio-weight-device", 0, true, "block I/O limits are not built yet"),
    CLI_REFUSE("cpu-rt-period", 0, true, "real-time CPU limits are not built yet"),
    CLI_REFUSE("cpu-rt-runtime", 0, true, "real-time CPU limits are not built yet"),
    CLI_REFUSE("device-cgroup-rule", 0, true, "use --device, which adds node and rule together"),
    CLI_REFUSE("device-read-bps", 0, true, "block I/O limits are not built yet"),
    CLI_REFUSE("device-read-iops", 0, true, "block I/O limits are not built yet"),
    CLI_REFUSE("device-write-bps", 0, true, "block I/O limits are not built yet"),
    CLI_REFUSE("device-write-iops", 0, true, "block I/O limits are not built yet"),
    CLI_REFUSE("disable-content-trust", 0, false,
               "images are not signed here: there is no verification to skip"),
    CLI_REFUSE("expose", 0, true, NEEDS_NETWORK),
    CLI_REFUSE("gpus", 0, true, "GPU requests are not built yet; name the nodes with --device"),
    CLI_REFUSE("health-cmd", 0, true, "health checks are not built yet"),
    CLI_REFUSE("health-interval", 0, true, "health checks are not built yet"),
    CLI_REFUSE("health-retries", 0, true, "health checks are not built yet"),
    CLI_REFUSE("health-start-interval", 0, true, "health checks are not built yet"),
    CLI_REFUSE("health-start-period", 0, true, "health checks are not built yet"),
    CLI_REFUSE("health-timeout", 0, true, "health checks are not built yet"),
    CLI_REFUSE("init", 0, false, "an init of our own inside the container is not built yet"),
    CLI_REFUSE("ip", 0, true, NEEDS_NETWORK),
    CLI_REFUSE("ip6", 0, true, NEEDS_NETWORK),
    CLI_REFUSE("isolation", 0, true, "it exists on Windows only"),
    CLI_REFUSE("link", 0, true, NEEDS_NETWORK),
    CLI_REFUSE("link-local-ip", 0, true, NEEDS_NETWORK),
    CLI_REFUSE("log-opt", 0, true,
               "logs are bounded to 3 files of 10 MiB; other limits are not built yet"),
    CLI_REFUSE("mac-address", 0, true, NEEDS_NETWORK),
    CLI_REFUSE("memory-swappiness", 0, true, "only the host's own swappiness is used"),
    CLI_REFUSE("network-alias", 0, true, NEEDS_NETWORK),
    CLI_REFUSE("no-healthcheck", 0, false,
               "health checks are not built yet: there is none to turn off"),
    CLI_REFUSE("platform", 0, true, "images of one platform are stored; the host's runs"),
    CLI_REFUSE("privileged", 0, false,
               "it is not built yet; open what is needed with --cap-add, --device and "
               "--security-opt seccomp=unconfined"),
    CLI_REFUSE("publish", 'p', true, NEEDS_NETWORK),
    CLI_REFUSE("publish-all", 'P', false, NEEDS_NETWORK),
    CLI_REFUSE("quiet", 'q', false, "nothing is pulled, so there is no progress to suppress"),
    CLI_REFUSE("restart", 0, true, "restart policies are not built yet"),
    CLI_REFUSE("runtime", 0, true, "the engine runs containers itself, in process"),
    CLI_REFUSE("storage-opt", 0, true, "storage options are not built yet"),
    CLI_REFUSE("use-api-socket", 0, false, "the API socket is not built yet"),
    CLI_REFUSE("userns", 0, true, "user namespaces for containers are not built yet"),
    CLI_REFUSE("volume-driver", 0, true, "volume drivers are not built yet"),
    CLI_REFUSE("volumes-from", 0, true, "named volumes are not built yet; repeat the -v options"),
    /* run only: the last CLI_RUN_OPTIONS - CLI_CREATE_OPTIONS rows */
    ROW("detach", 'd', CLI_FLAG, NULL, "Run container in background and print container ID",
        detach),
    ROW("detach-keys", 0, CLI_STRING, "string",
        "Override the key sequence for detaching a container", detach_keys),
    ROW("explain", 0, CLI_FLAG, NULL, "Say what each step of the start does, and how long it takes",
        explain),
    ROW("step", 0, CLI_FLAG, NULL, "Wait for Enter before each step of the start", step),
    { .name = "sig-proxy",
      .type = CLI_FLAG,
      .help = "Proxy received signals to the process",
      .offset = offsetof(struct container_options, sig_proxy),
      .initial = 1 },
};

/* ---- into the configuration ---- */

static int set_text(char **member, const char *text)
{
    if (text == NULL)
        return 0;
    char *copy = cl_strdup(text);
    if (copy == NULL)
        return -ENOMEM;
    free(*member);
    *member = copy;
    return 0;
}

/* A variable without a value takes ours; one that we have not got is left out, as in Docker. */
static int add_variable(char ***env, const char *entry)
{
    if (strchr(entry, '=') != NULL)
        return cl_env_set(env, entry);
    const char *value = getenv(entry);
    if (value == NULL)
        return 0;
    cl_auto_free char *full = cl_format("%s=%s", entry, value);
    return full == NULL ? -ENOMEM : cl_env_set(env, full);
}

static int add_label(char ***labels, const char *entry)
{
    cl_auto_free char *full =
        strchr(entry, '=') != NULL ? cl_strdup(entry) : cl_format("%s=", entry);
    return full == NULL ? -ENOMEM : cl_env_set(labels, full);
}

static int add_lines(const char *path, char ***vector,
                     int (*add)(char ***vector, const char *entry), struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    cl_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cl_fail(err, errno, "open %s", path);
    int result = cl_read_fd(fd, FILE_MAX_BYTES, &text, NULL, err);
    if (result < 0)
        return cl_error_prefix(err, "read %s", path);
    for (char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        bool is_last = line[length] == '\0';
        line[length] = '\0';
        line += strspn(line, " \t");
        if (line[0] != '\0' && line[0] != '#' && add(vector, line) < 0)
            return cl_fail(err, ENOMEM, "read %s", path);
        line = is_last ? line + strlen(line) : text + (line - text) + strlen(line) + 1;
    }
    return 0;
}

int cli_environment(const char **entries, const char **files, char ***ret, struct cl_error *err)
{
    CL_AUTO(cl_strv_free) char **env = NULL;
    int result = 0;
    for (; result >= 0 && files != NULL && *files != NULL; files++)
        result = add_lines(*files, &env, add_variable, err);
    for (; result >= 0 && entries != NULL && *entries != NULL; entries++)
        if (add_variable(&env, *entries) < 0)
            result = cl_fail(err, ENOMEM, "read the environment");
    if (result >= 0)
        *ret = cl_take(env);
    return result;
}

static int apply_lists(const struct container_options *options, struct engine_config *config,
                       struct cl_error *err)
{
    const struct {
        const char **from;
        char ***to;
    } plain[] = {
        { options->tmpfs, &config->tmpfs },
        { options->cap_add, &config->cap_add },
        { options->cap_drop, &config->cap_drop },
        { options->security_opt, &config->security_opt },
        { options->group_add, &config->group_add },
        { options->add_host, &config->extra_hosts },
        { options->dns, &config->dns },
        { options->dns_search, &config->dns_search },
        { options->dns_option, &config->dns_options },
        { options->sysctl, &config->sysctls },
        { options->ulimit, &config->ulimits },
        { options->device, &config->devices },
    };
    for (size_t i = 0; i < CL_COUNT(plain); i++)
        if (cl_strv_copy(plain[i].to, plain[i].from) < 0)
            return cl_fail(err, ENOMEM, "read the options");
    if (options->record_denials && cl_strv_append(&config->security_opt, "record-denials") < 0)
        return cl_fail(err, ENOMEM, "read the options");
    int result = cli_environment(options->env, options->env_file, &config->env, err);
    for (const char **path = options->label_file; result >= 0 && path != NULL && *path != NULL;
         path++)
        result = add_lines(*path, &config->labels, add_label, err);
    if (result < 0)
        return result;
    for (const char **entry = options->label; result >= 0 && entry != NULL && *entry != NULL;
         entry++)
        result = add_label(&config->labels, *entry);
    return result < 0 ? cl_fail(err, ENOMEM, "read the options") : 0;
}

/* -v: a relative source is one below the working directory. */
static int add_volume(const char *text, struct engine_config *config, struct cl_error *err)
{
    char directory[PATH_MAX];
    bool is_relative = text[0] == '.' && strchr(text, ':') != NULL;
    if (is_relative && getcwd(directory, sizeof directory) == NULL)
        return cl_fail(err, errno, "volume %s: name the working directory", text);
    char *entry = is_relative ? cl_format("%s/%s", directory, text) : cl_strdup(text);
    return cl_strv_append_take(&config->binds, entry) < 0 ? cl_fail(err, ENOMEM, "volume %s", text)
                                                          : 0;
}

/* A missing source is made, as Docker does. The entry then names it without links and dots. */
static int make_source(char **entry, struct cl_error *err)
{
    char resolved[PATH_MAX];
    struct stat status;
    size_t length = strcspn(*entry, ":");
    cl_auto_free char *source = cl_strndup(*entry, length);
    if (source == NULL)
        return cl_fail(err, ENOMEM, "volume %s", *entry);
    if (stat(source, &status) < 0) { /* allowed: the user's own path on the host */
        if (errno != ENOENT)
            return cl_fail(err, errno, "volume source %s", source);
        int result = cl_mkdir_p(AT_FDCWD, source, 0755, err);
        if (result < 0)
            return cl_error_prefix(err, "volume source %s", source);
    }
    if (realpath(source, resolved) == NULL) /* allowed: the user's own path on the host */
        return cl_fail(err, errno, "volume source %s", source);
    char *known = cl_format("%s%s", resolved, *entry + length);
    if (known == NULL)
        return cl_fail(err, ENOMEM, "volume %s", *entry);
    free(*entry);
    *entry = known;
    return 0;
}

/* One word of --mount: KEY=VALUE or a flag. */
struct mount_words {
    char type[16], source[PATH_MAX], target[PATH_MAX], options[256];
};

static int mount_word(const char *text, const char *word, struct mount_words *mount,
                      struct cl_error *err)
{
    const char *equals = strchr(word, '=');
    size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);
    const char *value = equals == NULL ? "" : equals + 1;
    size_t used = strlen(mount->options);
    int result = 0;
    if (strncmp(word, "type", length) == 0 && length == 4)
        result = CL_PRINT(mount->type, "%s", value);
    else if ((length == 6 && strncmp(word, "source", 6) == 0) ||
             (length == 3 && strncmp(word, "src", 3) == 0))
        result = CL_PRINT(mount->source, "%s", value);
    else if ((length == 6 && strncmp(word, "target", 6) == 0) ||
             (length == 3 && strncmp(word, "dst", 3) == 0) ||
             (length == 11 && strncmp(word, "destination", 11) == 0))
        result = CL_PRINT(mount->target, "%s", value);
    else if (cl_streq(word, "readonly") || cl_streq(word, "ro") ||
             cl_streq(word, "readonly=true") || cl_streq(word, "ro=true"))
        result = cl_print(mount->options + used, sizeof mount->options - used, "%sro",
                          used > 0 ? "," : "");
    else if (length == 16 && strncmp(word, "bind-propagation", 16) == 0)
        result = cl_print(mount->options + used, sizeof mount->options - used, "%s%s",
                          used > 0 ? "," : "", value);
    else if ((length == 10 && strncmp(word, "tmpfs-size", 10) == 0))
        result = cl_print(mount->options + used, sizeof mount->options - used, "%ssize=%s",
                          used > 0 ? "," : "", value);
    else if ((length == 10 && strncmp(word, "tmpfs-mode", 10) == 0))
        result = cl_print(mount->options + used, sizeof mount->options - used, "%smode=%s",
                          used > 0 ? "," : "", value);
    else
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--mount %s: \"%s\" is not known here",
                            text, word);
    return result < 0 ? cl_fail(err, result, "--mount %s", text) : 0;
}

static int add_mount(const char *text, struct engine_config *config, struct cl_error *err)
{
    struct mount_words mount = { .type = "volume" };
    struct stat status;
    for (const char *word = text; *word != '\0';) {
        size_t length = strcspn(word, ",");
        cl_auto_free char *copy = cl_strndup(word, length);
        int result = copy == NULL ? -ENOMEM : mount_word(text, copy, &mount, err);
        if (result < 0)
            return result;
        word += length + (word[length] == ',');
    }
    bool is_tmpfs = cl_streq(mount.type, "tmpfs");
    if (!is_tmpfs && !cl_streq(mount.type, "bind"))
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EINVAL,
                            "--mount %s: type %s is not built yet; bind and tmpfs are there", text,
                            mount.type);
    if (mount.target[0] == '\0' || (!is_tmpfs && mount.source[0] != '/'))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--mount %s: needs a target%s", text,
                            is_tmpfs ? "" : " and an absolute source");
    if (!is_tmpfs && stat(mount.source, &status) < 0)
        return cl_fail(err, errno, "--mount %s: source %s", text, mount.source);
    const char *separator = mount.options[0] == '\0' ? "" : ":";
    char *entry =
        is_tmpfs ? cl_format("%s%s%s", mount.target, separator, mount.options)
                 : cl_format("%s:%s%s%s", mount.source, mount.target, separator, mount.options);
    return cl_strv_append_take(is_tmpfs ? &config->tmpfs : &config->binds, entry) < 0
               ? cl_fail(err, ENOMEM, "--mount %s", text)
               : 0;
}

static int apply_texts(const struct container_options *options, struct engine_config *config)
{
    const struct {
        const char *from;
        char **to;
    } plain[] = {
        { options->hostname, &config->hostname },
        { options->domainname, &config->domainname },
        { options->user, &config->user },
        { options->workdir, &config->working_dir },
        { options->network, &config->network_mode },
        { options->pid, &config->pid_mode },
        { options->ipc, &config->ipc_mode },
        { options->uts, &config->uts_mode },
        { options->cgroupns, &config->cgroupns_mode },
        { options->host_time ? "host" : options->time, &config->time_mode },
        { options->stop_signal, &config->stop_signal },
        { options->cgroup_parent, &config->cgroup_parent },
        { options->cpuset_cpus, &config->cpuset_cpus },
        { options->cpuset_mems, &config->cpuset_mems },
        { options->log_driver, &config->log_driver },
    };
    for (size_t i = 0; i < CL_COUNT(plain); i++)
        if (set_text(plain[i].to, plain[i].from) < 0)
            return -ENOMEM;
    return 0;
}

static void apply_numbers(const struct container_options *options, struct engine_config *config)
{
    config->memory = options->memory;
    config->memory_swap = options->memory_swap;
    config->memory_reservation = options->memory_reservation;
    config->nano_cpus = options->cpus;
    config->cpu_shares = options->cpu_shares;
    config->cpu_period = options->cpu_period;
    config->cpu_quota = options->cpu_quota;
    config->pids_limit = options->pids_limit;
    config->shm_size = options->shm_size;
    config->oom_score_adj = options->oom_score_adj;
    config->stop_timeout = options->stop_timeout;
    config->readonly_rootfs = options->read_only;
    config->oom_kill_disable = options->oom_kill_disable;
    config->auto_remove = options->rm;
}

/* Docker's rules: without -a, a foreground run attaches output, and input with -i. */
static int apply_streams(const struct container_options *options, struct engine_config *config,
                         struct cl_error *err)
{
    config->tty = options->tty;
    config->open_stdin = options->interactive;
    config->attach_stdout = config->attach_stderr = !options->detach && options->attach == NULL;
    config->attach_stdin = !options->detach && options->attach == NULL && options->interactive;
    for (const char **name = options->attach; name != NULL && *name != NULL; name++) {
        if (strcasecmp(*name, "stdin") == 0)
            config->attach_stdin = true;
        else if (strcasecmp(*name, "stdout") == 0)
            config->attach_stdout = true;
        else if (strcasecmp(*name, "stderr") == 0)
            config->attach_stderr = true;
        else
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                "invalid value \"%s\" for --attach: valid streams are STDIN, "
                                "STDOUT and STDERR",
                                *name);
    }
    if (options->detach && options->attach != NULL)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "--detach and --attach say opposite things; give one of them");
    config->stdin_once = config->open_stdin && config->attach_stdin;
    return 0;
}

static int apply_command(const struct container_options *options, char **arguments,
                         struct engine_config *config)
{
    int result = set_text(&config->image, arguments[0]);
    if (result >= 0 && arguments[1] != NULL)
        result = cl_strv_copy(&config->command, (const char *const *)arguments + 1);
    if (result >= 0 && options->entrypoint != NULL) {
        config->has_entrypoint = true;
        if (options->entrypoint[0] != '\0')
            result = cl_strv_append(&config->entrypoint, options->entrypoint);
    }
    return result;
}

static int apply_all(const struct container_options *options, char **arguments,
                     struct engine_config *config, struct cl_error *err)
{
    if (apply_command(options, arguments, config) < 0 || apply_texts(options, config) < 0)
        return cl_fail(err, ENOMEM, "read the options");
    apply_numbers(options, config);
    int result = apply_streams(options, config, err);
    if (result >= 0)
        result = apply_lists(options, config, err);
    for (const char **text = options->volume; result >= 0 && text != NULL && *text != NULL; text++)
        result = add_volume(*text, config, err);
    for (const char **text = options->mount; result >= 0 && text != NULL && *text != NULL; text++)
        result = add_mount(*text, config, err);
    return result;
}

/* Last, when everything else is known to be good. */
static int make_sources(struct engine_config *config, struct cl_error *err)
{
    int result = 0;
    for (char **entry = config->binds; result >= 0 && entry != NULL && *entry != NULL; entry++)
        result = make_source(entry, err);
    return result;
}

int cli_container_config(struct engine *engine, const struct container_options *options,
                         char **arguments, struct engine_config **ret, struct cl_error *err)
{
    CL_AUTO(store_image_free) struct store_image *image = NULL;
    CL_AUTO(engine_config_free) struct engine_config *config = engine_config_new();
    if (config == NULL)
        return cl_fail(err, ENOMEM, "read the options");
    if (options->pull != NULL && !cl_streq(options->pull, "missing") &&
        !cl_streq(options->pull, "never"))
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "--pull %s is not possible: registries are not built yet",
                            options->pull);
    int result = apply_all(options, arguments, config, err);
    if (result >= 0)
        result = engine_image_find(engine, config->image, &image, err);
    if (result >= 0)
        result = engine_config_merge(config, image, err);
    if (result >= 0)
        result = engine_config_check(config, err);
    if (result >= 0)
        result = make_sources(config, err);
    if (result < 0)
        return result;
    *ret = cl_take(config);
    return 0;
}

int cli_write_cidfile(const char *path, const char *id, struct cl_error *err)
{
    if (path == NULL)
        return 0;
    cl_auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return cl_fail(err, errno, "write the container id to %s", path);
    ssize_t written = cl_write_full(fd, id, strlen(id));
    return written < 0 ? cl_fail(err, (int)written, "write the container id to %s", path) : 0;
}
