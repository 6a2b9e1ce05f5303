/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: another process in a container. What it is comes from --process FILE (a runtime-spec process object), or from the container's own process with what the command
 * line changes. The container's seccomp profile holds for it, too.
 */
#include "ocicli/private.h"

#include <fcntl.h>

#define PROCESS_MAX (16 << 20)

struct exec_options {
    const char *process, *console_socket, *pid_file, *pidfd_socket, *cwd, *user, *preserve_fds,
        *apparmor, *label, *trace;
    const char **env, **gids, **caps, **cgroups;
    bool tty, detach, no_new_privs, no_subreaper, ignore_paused;
};

static const struct option_row exec_table[] = {
    OPTION("process", 'p', OPTION_STRING, "FILE", "Take everything from this process.json",
           struct exec_options, process),
    OPTION("console-socket", 0, OPTION_STRING, "PATH",
           "Send the terminal's master to this socket (SCM_RIGHTS)", struct exec_options,
           console_socket),
    OPTION("pid-file", 0, OPTION_STRING, "FILE", "Write the process's pid to FILE",
           struct exec_options, pid_file),
    OPTION("pidfd-socket", 0, OPTION_STRING, "PATH",
           "Send a pidfd of the process to this socket (SCM_RIGHTS)", struct exec_options,
           pidfd_socket),
    OPTION("tty", 't', OPTION_FLAG, "", "Give it a terminal", struct exec_options, tty),
    OPTION("detach", 'd', OPTION_FLAG, "", "Return once the program runs", struct exec_options,
           detach),
    OPTION("cwd", 0, OPTION_STRING, "DIR", "Working directory", struct exec_options, cwd),
    OPTION("env", 'e', OPTION_LIST, "NAME=VALUE", "Set an environment variable",
           struct exec_options, env),
    OPTION("user", 'u', OPTION_STRING, "UID[:GID]", "User and group, as numbers",
           struct exec_options, user),
    OPTION("additional-gids", 'g', OPTION_LIST, "GID", "Add a supplementary group",
           struct exec_options, gids),
    OPTION("cap", 'c', OPTION_LIST, "CAP",
           "Add a capability to the bounding, permitted and effective sets", struct exec_options,
           caps),
    OPTION("no-new-privs", 0, OPTION_FLAG, "", "Set no_new_privs", struct exec_options,
           no_new_privs),
    OPTION("apparmor", 0, OPTION_STRING, "PROFILE", "AppArmor profile", struct exec_options,
           apparmor),
    OPTION("process-label", 0, OPTION_STRING, "LABEL", "SELinux label", struct exec_options, label),
    OPTION("preserve-fds", 0, OPTION_STRING, "N", "Hand on N descriptors, from 3 on",
           struct exec_options, preserve_fds),
    OPTION("trace", 0, OPTION_STRING, "FILE", "Append each step with its times in microseconds",
           struct exec_options, trace),
    OPTION("ignore-paused", 0, OPTION_FLAG, "", "Also in a paused container: it waits there",
           struct exec_options, ignore_paused),
    OPTION("cgroup", 0, OPTION_LIST, "[CONTROLLER,...:]PATH",
           "Put it into this existing cgroup below the container's", struct exec_options, cgroups),
    OPTION("no-subreaper", 0, OPTION_FLAG, "",
           "As it always is: we never become the parent of the container's orphans",
           struct exec_options, no_subreaper),
};

/* ---- the process ---- */

static int read_process(const char *path, struct oci_process **ret, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    cl_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cl_fail(err, errno, "open %s", path);
    int result = cl_read_fd(fd, PROCESS_MAX, &text, &size, err);
    return result < 0 ? cl_error_prefix(err, "read %s", path)
                      : oci_process_read(text, size, ret, err);
}

static int parse_id(const char *option, const char *text, uint32_t *ret, struct cl_error *err)
{
    uint64_t id;
    if (cl_parse_u64(text, 0, UINT32_MAX - 1, &id) < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "invalid value \"%s\" for --%s: expected a number; names are the "
                            "caller's to look up",
                            text, option);
    *ret = (uint32_t)id;
    return 0;
}

static int set_user(struct oci_user *user, const struct exec_options *options, struct cl_error *err)
{
    int result = 0;
    if (options->user != NULL) {
        const char *colon = strchr(options->user, ':');
        cl_auto_free char *uid = cl_strndup(options->user, strcspn(options->user, ":"));
        result =
            uid == NULL ? cl_fail(err, ENOMEM, "exec") : parse_id("user", uid, &user->uid, err);
        if (result >= 0 && colon != NULL)
            result = parse_id("user", colon + 1, &user->gid, err);
    }
    for (const char **gid = options->gids; result >= 0 && gid != NULL && *gid != NULL; gid++) {
        uint32_t id = 0;
        result = parse_id("additional-gids", *gid, &id, err);
        if (result >= 0 && oci_gid_add(user, id) < 0)
            result = cl_fail(err, ENOMEM, "exec");
    }
    return result;
}

static int add_caps(struct oci_process *process, const char **caps, struct cl_error *err)
{
    if (caps == NULL)
        return 0;
    if (process->capabilities == NULL && oci_capabilities_set(process, 0) < 0)
        return cl_fail(err, ENOMEM, "exec");
    for (const char **cap = caps; *cap != NULL; cap++) {
        int number = oci_cap_number(*cap);
        if (number < 0)
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--cap %s: unknown capability", *cap);
        uint64_t bit = UINT64_C(1) << number;
        process->capabilities->bounding.mask |= bit;
        process->capabilities->permitted.mask |= bit;
        process->capabilities->effective.mask |= bit;
    }
    return 0;
}

static int set_texts(struct oci_process *process, const struct exec_options *options)
{
    int result = 0;
    if (options->cwd != NULL)
        result = oci_string_set(&process->cwd, options->cwd);
    if (result >= 0 && options->apparmor != NULL)
        result = oci_string_set(&process->apparmor_profile, options->apparmor);
    if (result >= 0 && options->label != NULL)
        result = oci_string_set(&process->selinux_label, options->label);
    return result;
}

static int set_env(struct oci_process *process, const char **env, struct cl_error *err)
{
    for (const char **pair = env; pair != NULL && *pair != NULL; pair++) {
        int result = oci_env_set(process, *pair);
        if (result == -EINVAL)
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--env \"%s\": the name is empty",
                                *pair);
        if (result < 0)
            return cl_fail(err, result, "exec");
    }
    return 0;
}

static int derive_process(const struct oci_spec *spec, const struct exec_options *options,
                          char **arguments, struct oci_process **ret, struct cl_error *err)
{
    CL_AUTO(oci_process_free) struct oci_process *process = NULL;
    if (spec->process == NULL)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "the container's spec has no process: give --process");
    int result = oci_process_copy(spec->process, &process);
    if (result >= 0)
        result = oci_args_set(process, (const char *const *)arguments);
    if (result >= 0)
        result = set_texts(process, options);
    if (result < 0)
        return cl_fail(err, result, "exec");
    process->terminal = options->tty;
    process->no_new_privileges = process->no_new_privileges || options->no_new_privs;
    result = set_env(process, options->env, err);
    if (result >= 0)
        result = set_user(&process->user, options, err);
    if (result >= 0)
        result = add_caps(process, options->caps, err);
    if (result < 0)
        return result;
    *ret = cl_take(process);
    return 0;
}

static int make_process(const struct oci_spec *spec, const struct exec_options *options,
                        char **arguments, struct oci_process **ret, struct cl_error *err)
{
    if (options->process == NULL)
        return arguments[0] != NULL ? derive_process(spec, options, arguments, ret, err)
                                    : cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                                   "exec: a command or --process is needed");
    if (arguments[0] != NULL || options->cwd != NULL || options->user != NULL ||
        options->env != NULL || options->gids != NULL || options->caps != NULL ||
        options->apparmor != NULL || options->label != NULL || options->no_new_privs)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "exec: --process says everything: no command, and none of the options "
                            "that change it");
    int result = read_process(options->process, ret, err);
    if (result >= 0 && options->tty)
        (*ret)->terminal = true;
    return result;
}

/* ---- its group ---- */

#define SUBGROUPS_MAX 32
struct subgroups {
    struct runtime_subgroup items[SUBGROUPS_MAX];
    char *texts[SUBGROUPS_MAX]; /* owned */
    size_t count;
};

static void subgroups_done(struct subgroups *subgroups)
{
    for (size_t i = 0; i < subgroups->count; i++)
        free(subgroups->texts[i]);
}

static bool is_word_list(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && text[0] != ',' && text[length - 1] != ',' && strstr(text, ",,") == NULL;
}

/* Are two lists about the same controller? */
static bool is_overlap(const char *a, const char *b)
{
    for (const char *word = a; *word != '\0';) {
        size_t length = strcspn(word, ",");
        for (const char *at = b; *at != '\0';) {
            size_t other = strcspn(at, ",");
            if (length == other && strncmp(word, at, length) == 0)
                return true;
            at += other + (at[other] == ',');
        }
        word += length + (word[length] == ',');
    }
    return false;
}

/* As runc's: one PATH for all hierarchies, or CONTROLLER[,CONTROLLER]:PATH for some of cgroup v1's. */
static int add_subgroup(struct subgroups *subgroups, const char *text, bool is_only,
                        struct cl_error *err)
{
    struct runtime_subgroup *item = &subgroups->items[subgroups->count];
    char *copy = subgroups->count < SUBGROUPS_MAX ? cl_strdup(text) : NULL;
    if (copy == NULL)
        return cl_fail(err, ENOMEM, "--cgroup %s", text);
    subgroups->texts[subgroups->count++] = copy;
    char *colon = strchr(copy, ':');
    *item = (struct runtime_subgroup){ .path = copy };
    if (colon == NULL)
        return is_only ? 0
                       : cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                      "--cgroup %s: one of several needs CONTROLLER:", text);
    *colon = '\0';
    *item = (struct runtime_subgroup){ .controllers = copy, .path = colon + 1 };
    if (!is_word_list(copy))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--cgroup %s: a controller's name is empty",
                            text);
    for (size_t i = 0; i + 1 < subgroups->count; i++)
        if (is_overlap(copy, subgroups->items[i].controllers))
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                "--cgroup %s: that controller is given twice", text);
    return 0;
}

static int parse_subgroups(const char **texts, struct subgroups *ret, struct cl_error *err)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && texts != NULL && texts[i] != NULL; i++)
        result = add_subgroup(ret, texts[i], i == 0 && texts[1] == NULL, err);
    return result;
}

/* ---- the verb ---- */

static int check_status(const struct container *container, const struct runtime_facts *facts,
                        bool ignore_paused, enum oci_status *ret, struct cl_error *err)
{
    enum oci_status status;
    struct lookout lookout = LOOKOUT_NONE;
    lookout.proc = facts->proc_fd;
    lookout.host = &facts->cgroups;
    lookout.is_lent = true;
    int result = container_status_from(container, &lookout, &status, err);
    if (result < 0)
        return result;
    if (status == OCI_PAUSED && !ignore_paused)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                            "cannot exec in a paused container (use --ignore-paused)");
    *ret = status;
    if (status != OCI_STOPPED && status != OCI_CREATING)
        return 0;
    return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container not running: %s", container->id);
}

/* CVE-2016-9962: the init of a container that was not started has all capabilities and no filter yet, and an ordinary user's lets itself be looked into, or nobody
   could join it (runtime/child.c). Who may trace it is it. */
static int check_tracer(const struct container *container, const struct runtime_facts *facts,
                        enum oci_status status, const struct oci_process *process,
                        struct cl_error *err)
{
    const struct oci_capabilities *sets = process->capabilities;
    const uint64_t trace = UINT64_C(1) << oci_cap_number("CAP_SYS_PTRACE");
    bool is_open = status == OCI_CREATED && (!facts->is_root || container->owner != 0);
    if (!is_open || sets == NULL ||
        ((sets->bounding.mask | sets->permitted.mask | sets->effective.mask) & trace) == 0)
        return 0;
    return cl_fail_kind(err, CL_KIND_DENIED, EPERM,
                        "exec in container %s, which is not started: with CAP_SYS_PTRACE it could "
                        "take over the container's init, which has not given up its rights yet; "
                        "start the container first, or leave the capability out",
                        container->id);
}

static int hand_over(struct runtime_process *process, const struct exec_options *options,
                     struct cl_error *err)
{
    int result = send_console(options->console_socket, process->console, err);
    if (result >= 0)
        result = write_pid_file(options->pid_file, process->pid, err);
    if (result < 0) {
        int status;
        (void)k_pidfd_send_signal(process->pidfd, SIGKILL); /* nobody would know of it */
        (void)k_wait_pidfd(process->pidfd, 0, &status);
        return result;
    }
    return options->detach ? 0 : relay_run(process->pidfd, process->console, err);
}

/* What is asked for, all of it borrowed. */
struct request {
    const struct ocicli *cli;
    const struct container *container;
    const struct exec_options *options;
    const struct runtime_facts *facts;
    unsigned preserve;
};

static int run_process(const struct request *request, const struct oci_spec *spec,
                       const struct oci_process *process, struct cl_error *err)
{
    const struct container *container = request->container;
    const struct exec_options *options = request->options;
    CL_AUTO(cl_strv_free) char **warnings = NULL;
    struct runtime_io io;
    struct runtime_process started;
    const struct runtime_target target = {
        .pid = container->pid,
        .start_ticks = container->start_ticks,
        .cgroup_path = container->cgroup_path[0] != '\0' ? container->cgroup_path : NULL,
    };
    struct subgroups subgroups = { .count = 0 };
    struct timespec since;
    int result = open_trace(options->trace, &since, err);
    if (result < 0)
        return result;
    cl_auto_fd trace = result > 0 ? result : -EBADF;
    result = parse_subgroups(options->cgroups, &subgroups, err);
    const struct oci_state state = {
        /* Borrowed for the room's encoder. */
        .oci_version = (char *)(uintptr_t)OCI_SPEC_VERSION,
        .id = container->id,
        .status = OCI_RUNNING,
        .pid = container->pid,
        .bundle = container->bundle,
        .annotations = container->annotations,
    };
    const struct runtime_exec_options how = { .seccomp = spec->linux_.seccomp,
                                              .preserve_fds = request->preserve,
                                              .trace_fd = trace > 0 ? trace : 0,
                                              .trace_since = trace > 0 ? &since : NULL,
                                              .state = &state,
                                              .linux_ = &spec->linux_,
                                              .id = container->id,
                                              .pidfd_socket = options->pidfd_socket,
                                              .subgroups = subgroups.items,
                                              .subgroup_count = subgroups.count,
                                              .facts = request->facts,
                                              /* The container's own were told at its creation. */
                                              .warnings =
                                                  options->process != NULL ? &warnings : NULL };
    if (result >= 0)
        result = choose_io(process->terminal, options->detach, options->console_socket, &io, err);
    if (result >= 0 && !options->detach)
        result = relay_prepare(err);
    if (result >= 0)
        result = runtime_exec(&target, process, &how, &io, &started, err);
    subgroups_done(&subgroups);
    log_warnings(request->cli, (const char *const *)warnings);
    if (result < 0)
        return result;
    result = hand_over(&started, options, err);
    runtime_process_done(&started);
    return result;
}

static int exec_in(const struct request *request, char **command, struct cl_error *err)
{
    const struct exec_options *options = request->options;
    CL_AUTO(oci_process_free) struct oci_process *process = NULL;
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    enum oci_status status = OCI_STOPPED;
    int result =
        check_status(request->container, request->facts, options->ignore_paused, &status, err);
    if (result >= 0)
        result = container_read_spec(request->container, &spec, err);
    if (result >= 0)
        result = make_process(spec, options, command, &process, err);
    if (result >= 0)
        result = check_tracer(request->container, request->facts, status, process, err);
    return result < 0 ? result : run_process(request, spec, process, err);
}

static int exec(const struct ocicli *cli, const void *data, char **arguments, struct cl_error *err)
{
    const struct exec_options *options = data;
    auto_container container = CONTAINER_NONE;
    struct runtime_facts facts;
    unsigned preserve = 0;
    int result = take_descriptors(options->preserve_fds, &preserve, err);
    if (result >= 0)
        result = container_open(cli, arguments[0], false, &container, err);
    if (result >= 0)
        result = runtime_facts_init(&facts, err);
    if (result < 0)
        return result;
    const struct request request = { cli, &container, options, &facts, preserve };
    result = exec_in(&request, arguments + 1, err);
    runtime_facts_done(&facts);
    return result;
}

const struct verb verb_exec = {
    .name = "exec",
    .synopsis = "[OPTIONS] ID COMMAND [ARG...]",
    .summary = "Run another process in a container",
    VERB_OPTIONS(exec_table, struct exec_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .options_end_at_argument = true,
    .failure = 255,
    .run = exec,
};
