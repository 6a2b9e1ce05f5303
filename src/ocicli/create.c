/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create, run, start. The order in create is what makes a kill at any moment repairable:
 *
 *   plan (nothing is there yet) → directory, lock → state.json with the cgroup's path → runtime_create → state.json with init's pid → pid file → unlock → runtime_leave
 *
 * Before runtime_leave init dies with us; after it everything that `start` and `delete` need is written down.
 */
#include "ocicli/creation.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define SPEC_MAX     (16 << 20)
#define START_END_MS 10000 /* a killed process that is still there then hangs in the kernel */

#define CREATE_ROWS                                                                                \
    OPTION("bundle", 'b', OPTION_STRING, "DIR", "The bundle (default: the working directory)",     \
           struct create_options, bundle),                                                         \
        OPTION("config", 'f', OPTION_STRING, "FILE",                                               \
               "Read FILE instead of config.json of the bundle; relative: in the bundle",          \
               struct create_options, config),                                                     \
        OPTION("console-socket", 0, OPTION_STRING, "PATH",                                         \
               "Send the terminal's master to this socket (SCM_RIGHTS)", struct create_options,    \
               console_socket),                                                                    \
        OPTION("pid-file", 0, OPTION_STRING, "FILE", "Write the first process's pid to FILE",      \
               struct create_options, pid_file),                                                   \
        OPTION("pidfd-socket", 0, OPTION_STRING, "PATH",                                           \
               "Send a pidfd of the first process to this socket (SCM_RIGHTS)",                    \
               struct create_options, pidfd_socket),                                               \
        OPTION("preserve-fds", 0, OPTION_STRING, "N", "Hand on N descriptors, from 3 on",          \
               struct create_options, preserve_fds),                                               \
        OPTION("trace", 0, OPTION_STRING, "FILE",                                                  \
               "Append each step with its times in microseconds", struct create_options, trace),   \
        OPTION("no-new-keyring", 0, OPTION_FLAG, "", "Keep our session keyring",                   \
               struct create_options, no_new_keyring),                                             \
        OPTION("no-subreaper", 0, OPTION_FLAG, "",                                                 \
               "As it always is: we never become the parent of the container's orphans",           \
               struct create_options, no_subreaper),                                               \
        OPTION(                                                                                    \
            "no-pivot", 0, OPTION_FLAG, "",                                                        \
            "Move the root over \"/\" and chroot instead of pivot_root: for hosts that run from "  \
            "an initramfs. Weaker: who may unmount in the container uncovers the host's root",     \
            struct create_options, no_pivot)

static const struct option_row create_table[] = { CREATE_ROWS };
static const struct option_row run_table[] = {
    CREATE_ROWS,
    OPTION("detach", 'd', OPTION_FLAG, "", "Return once the program runs", struct create_options,
           detach),
    OPTION("keep", 0, OPTION_FLAG, "", "Do not delete the container when it ends",
           struct create_options, keep),
};

void creation_done(struct creation *creation)
{
    runtime_process_done(&creation->process);
    runtime_plan_free(creation->plan);
    if (creation->has_facts)
        runtime_facts_done(&creation->facts);
    oci_spec_free(creation->spec);
    cl_json_unref(creation->document);
    free(creation->text);
    container_done(&creation->container);
    creation->listener = cl_close(creation->listener);
    if (creation->trace > 0)
        creation->trace = cl_close(creation->trace);
}

/* ---- the plan ---- */

/* The spec is kept with the container as it is meant. */
static int rewrite_text(struct creation *creation)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    char *text =
        oci_spec_encode(creation->spec, &json) < 0 ? NULL : cl_json_text(json, CL_JSON_COMPACT);
    if (text == NULL)
        return -ENOMEM;
    free(creation->text);
    creation->text = text;
    creation->size = strlen(text);
    return 0;
}

/* An ordinary user who says nothing of ids has one to give. */
static int read_spec_of_user(struct creation *creation, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    int result = cl_json_parse(creation->text, creation->size, SPEC_MAX, &json, err);
    if (result < 0)
        return cl_error_prefix(err, "config.json");
    result = oci_spec_decode(json, &creation->spec, err);
    if (result < 0)
        return result;
    struct oci_linux *linux_ = &creation->spec->linux_;
    const struct oci_namespace *ns = oci_namespace_find(creation->spec, OCI_NS_USER);
    if (ns != NULL && ns->path == NULL && linux_->uid_mappings.count == 0 &&
        linux_->gid_mappings.count == 0) {
        result = oci_id_mapping_add(&linux_->uid_mappings, 0, geteuid(), 1);
        if (result >= 0)
            result = oci_id_mapping_add(&linux_->gid_mappings, 0, getegid(), 1);
        if (result >= 0)
            result = rewrite_text(creation);
        if (result < 0)
            return cl_fail(err, result, "map the own ids");
    }
    return oci_spec_validate(creation->spec, err);
}

static int read_bundle(struct creation *creation, struct cl_error *err)
{
    const char *bundle = creation->flags->bundle != NULL ? creation->flags->bundle : ".";
    if (realpath(bundle, creation->bundle) == NULL)
        return cl_fail(err, errno, "open bundle %s", bundle);
    const char *config = creation->flags->config != NULL ? creation->flags->config : "config.json";
    cl_auto_free char *path =
        config[0] == '/' ? cl_strdup(config) : cl_format("%s/%s", creation->bundle, config);
    if (path == NULL)
        return cl_fail(err, ENOMEM, "open bundle %s", bundle);
    cl_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cl_fail(err, errno, "open %s", path);
    int result = cl_read_fd(fd, SPEC_MAX, &creation->text, &creation->size, err);
    if (result < 0)
        return cl_error_prefix(err, "read %s", path);
    return geteuid() == 0 ? oci_spec_read_keep(creation->text, creation->size, &creation->spec,
                                               &creation->document, err)
                          : read_spec_of_user(creation, err);
}

int allow_default_devices(struct oci_spec *spec, struct cl_error *err)
{
    if (spec->linux_.resources.device_count == 0)
        return 0;
    int result = oci_default_devices_allow(spec);
    return result < 0 ? cl_fail(err, result, "allow the default devices") : 0;
}

/* systemd makes the group; the container may have one below it (crun's annotation). */
static int choose_scope(struct creation *creation, struct cl_error *err)
{
    const char *subgroup = oci_map_get(&creation->spec->annotations, "run.oci.systemd.subgroup");
    struct runtime_scope *scope = &creation->scope;
    bool is_user = runtime_scope_is_user(creation->cli->rootless, &creation->facts);
    int result = runtime_scope_parse(creation->spec->linux_.cgroups_path, creation->options.id,
                                     is_user, scope, err);
    if (result >= 0)
        result = runtime_scope_place(scope, err);
    if (result < 0)
        return result;
    bool has_subgroup = subgroup != NULL && subgroup[0] != '\0';
    if (has_subgroup && (strchr(subgroup, '/') != NULL || subgroup[0] == '.'))
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "annotations[\"run.oci.systemd.subgroup\"]: \"%.80s\" is no name of a "
                            "control group",
                            subgroup);
    if (CL_PRINT(creation->cgroup, "%s%s%s", scope->path, has_subgroup ? "/" : "",
                 has_subgroup ? subgroup : "") < 0)
        return cl_fail(err, ENAMETOOLONG, "linux.cgroupsPath");
    creation->options.cgroup_path = creation->cgroup;
    creation->options.scope = scope;
    return 0;
}

/* What is delegated to an ordinary user is the group that it is in, or nothing. */
static int name_cgroup(struct creation *creation)
{
    const struct cgroup_host *host = &creation->facts.cgroups;
    bool is_rootless = creation->cli->rootless == RUNTIME_ROOTLESS_YES || !creation->facts.is_root;
    if (is_rootless && host->layout == CGROUP_V2 && host->hierarchies[0].own_path[0] == '/')
        return CL_PRINT(creation->cgroup, "%s%scloche-runtime-%s",
                        host->hierarchies[0].own_path + 1,
                        host->hierarchies[0].own_path[1] != '\0' ? "/" : "", creation->options.id);
    return CL_PRINT(creation->cgroup, "cloche-runtime/%s", creation->options.id);
}

/* Whether the group of our own choice is there already and another user's: of a container of theirs
   that has the same id. */
static bool is_of_others(const struct creation *creation)
{
    const struct runtime_facts *facts = &creation->facts;
    struct cgroup group = { 0 };
    enum runtime_rootless rootless = creation->cli->rootless;
    if (rootless == RUNTIME_ROOTLESS_NO ||
        (rootless != RUNTIME_ROOTLESS_YES && facts->is_root && !runtime_in_user_ns(facts)))
        return false;
    struct cgroup_host *host = (struct cgroup_host *)(uintptr_t)&facts->cgroups;
    if (cgroup_open(host, creation->cgroup, &group, NULL) < 0)
        return false;
    bool is_writable = cgroup_is_writable(&group);
    cgroup_done(&group);
    return !is_writable;
}

/* The group of the spec, or one of ours. With --cgroup-manager disabled there is none, and limits are refused by the plan. */
static int choose_cgroup(struct creation *creation, struct cl_error *err)
{
    char **path = &creation->spec->linux_.cgroups_path;
    if (creation->cli->no_cgroup || creation->facts.cgroups.layout == CGROUP_NONE) {
        (void)oci_string_set(path, NULL); /* only clears */
        return 0;
    }
    if (creation->cli->use_systemd)
        return choose_scope(creation, err);
    if (*path != NULL && strchr(*path, '/') == NULL && strchr(*path, ':') != NULL)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "linux.cgroupsPath: \"%s\" is meant for systemd: give a path, or use "
                            "--systemd-cgroup",
                            *path);
    const char *clean = *path == NULL ? "" : *path + strspn(*path, "/");
    int result = clean[0] != '\0' ? CL_PRINT(creation->cgroup, "%s", clean) : name_cgroup(creation);
    if (result < 0)
        return cl_fail(err, result, "linux.cgroupsPath");
    if (clean[0] != '\0')
        return 0;
    /* Then there is none, as where none can be made. */
    if (is_of_others(creation))
        creation->cgroup[0] = '\0';
    else
        creation->options.cgroup_path = creation->cgroup;
    return 0;
}

/* A group with processes of somebody else's in it would be killed with the container. */
static int check_cgroup(struct creation *creation, struct cl_error *err)
{
    struct group group = { 0 }; /* its host is the facts' */
    if (creation->cgroup[0] == '\0' ||
        cgroup_open(&creation->facts.cgroups, creation->cgroup, &group.cgroup, NULL) < 0)
        return 0;
    bool is_free = cgroup_is_empty(&group.cgroup) &&
                   !cgroup_is_frozen(&creation->facts.cgroups, creation->cgroup);
    cgroup_done(&group.cgroup);
    int result = is_free ? 0 : container_check_unused(creation->cli, creation->options.id, err);
    return is_free || result < 0
               ? result
               : cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                              "linux.cgroupsPath: cgroup %s is not empty, or frozen",
                              creation->cgroup);
}

static void log_plan(const struct creation *creation)
{
    const struct ocicli *cli = creation->cli;
    cl_auto_buf text = CL_BUF_INIT(1 << 20);
    log_warnings(cli, runtime_plan_warnings(creation->plan));
    if (cli->log_most < LOG_LEVEL_DEBUG || runtime_plan_print(creation->plan, &text) < 0 ||
        text.data == NULL)
        return;
    for (char *line = text.data; *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        bool is_last = *end == '\0';
        *end = '\0';
        log_write(cli, LOG_LEVEL_DEBUG, line);
        line = is_last ? end : end + 1;
    }
}

int creation_plan(struct creation *creation, const char *id, bool is_detached, struct cl_error *err)
{
    const struct create_options *flags = creation->flags;
    unsigned preserve = 0;
    int result = take_descriptors(flags->preserve_fds, &preserve, err);
    if (result >= 0)
        result = creation->trace = open_trace(flags->trace, &creation->trace_since, err);
    if (result >= 0)
        result = read_bundle(creation, err);
    if (result >= 0)
        result = runtime_facts_init(&creation->facts, err);
    if (result < 0)
        return result;
    creation->has_facts = true;
    runtime_facts_see_user_ns(&creation->facts, creation->spec);
    creation->options = (struct runtime_options){
        .id = id,
        .bundle = creation->bundle,
        .rootfs = { .is_read_only = creation->spec->root.readonly },
        .root_mount = -EBADF,
        .state_dir = creation->state_dir,
        .no_new_keyring = flags->no_new_keyring,
        .no_pivot = flags->no_pivot,
        .rootless = creation->cli->rootless,
        .preserve_fds = preserve,
        .pidfd_socket = flags->pidfd_socket,
        .is_started_later = creation->is_started_later,
        .trace_fd = creation->trace,
        .trace_since = creation->trace > 0 ? &creation->trace_since : NULL,
    };
    if (CL_PRINT(creation->state_dir, "%s/%s", creation->cli->root, id) < 0)
        return cl_fail(err, ENAMETOOLONG, "container id %.40s", id);
    bool terminal = creation->spec->process != NULL && creation->spec->process->terminal;
    result = choose_io(terminal, is_detached, flags->console_socket, &creation->io, err);
    if (result >= 0)
        result = allow_default_devices(creation->spec, err);
    if (result >= 0)
        result = choose_cgroup(creation, err);
    if (result >= 0)
        result = runtime_plan_new(creation->spec, &creation->options, &creation->facts,
                                  &creation->plan, err);
    if (result >= 0)
        result = check_cgroup(creation, err);
    if (result >= 0)
        log_plan(creation);
    return result;
}

/* ---- the container ---- */

int creation_record(struct creation *creation, struct cl_error *err)
{
    struct container *container = &creation->container;
    const struct oci_spec *spec = creation->spec;
    const struct oci_namespace *pid_ns = oci_namespace_find(spec, OCI_NS_PID);
    container->bundle = cl_strdup(creation->bundle);
    container->cgroup_path = cl_strdup(creation->cgroup);
    container->scope = creation->scope;
    container->rootfs = spec->root.path[0] == '/'
                            ? cl_strdup(spec->root.path)
                            : cl_format("%s/%s", creation->bundle, spec->root.path);
    hooks_record(container, spec);
    container->owns_pid_ns = pid_ns != NULL && pid_ns->path == NULL;
    container->starts_at_once = !creation->is_started_later;
    container->maker = getpid();
    if (container->bundle == NULL || container->cgroup_path == NULL || container->rootfs == NULL ||
        oci_map_copy(&container->annotations, &spec->annotations) < 0)
        return cl_fail(err, ENOMEM, "create container %s", container->id);
    return container_save(container, err);
}

int creation_keep_spec(void *context, const struct runtime_process *process, struct cl_error *err)
{
    struct creation *creation = context;
    cl_json_unref(creation->document);
    creation->document = NULL;
    return cl_write_atomic(creation->container.dir, "config.json", creation->text, creation->size,
                           0600, CL_WRITE_PLAIN, err);
}

static int keep_text(const char *text, char **ret)
{
    *ret = text != NULL ? cl_strdup(text) : NULL;
    return text != NULL && *ret == NULL ? -ENOMEM : 0;
}

int creation_record_process(struct creation *creation, const struct runtime_process *process,
                            const char *name, struct cl_error *err)
{
    creation->container.pid = process->pid;
    creation->container.start_ticks = process->start_ticks;
    if (keep_text(process->rdt.group, &creation->container.rdt.group) < 0 ||
        keep_text(process->rdt.monitor, &creation->container.rdt.monitor) < 0)
        return cl_fail(err, ENOMEM, "create container %s", creation->container.id);
    if (process->cgroup.count == 0) /* it went without (runtime_options.rootless) */
        creation->container.cgroup_path[0] = '\0';
    return container_save_as(&creation->container, name, err);
}

static int announce(struct creation *creation, struct cl_error *err)
{
    const struct create_options *flags = creation->flags;
    int result = 0;
    cl_test_point("container ready");
    if (flags->console_socket != NULL)
        result = send_console(flags->console_socket, creation->process.console, err);
    if (result >= 0)
        result = creation_record_process(creation, &creation->process, CONTAINER_STATE, err);
    cl_test_point("container recorded");
    return result < 0 ? result : write_pid_file(flags->pid_file, creation->process.pid, err);
}

/*
 * Where nothing happens between "ready" and the program, the record is written while init is at work, and init itself puts it in its place when it is ready:
 *
 *   parent   spec, state.next (with the pid)   START   ....................................... unlock
 *   init     mounts, ...                               (START is there) state.next → state.json, READY, exec
 *
 * So the program still never runs before state.json says so, what reads it says "creating" until init is ready, and whoever takes the lock has it once the program
 * runs. A parent that dies takes init with it until that is ready, and one that died before READY is found out by it.
 */
static int record_ahead(void *context, const struct runtime_process *process, struct cl_error *err)
{
    struct creation *creation = context;
    int result = creation_keep_spec(context, process, err);
    if (result >= 0)
        result = creation_record_process(creation, process, CONTAINER_NEXT_STATE, err);
    cl_test_point("container recorded");
    return result;
}

/* By init, in the container: both names are below a descriptor. */
static int place_record(void *context, struct cl_error *err)
{
    const struct creation *creation = context;
    int dir = creation->container.dir;
    return renameat(dir, CONTAINER_NEXT_STATE, dir, CONTAINER_STATE) < 0
               ? cl_fail(err, errno, "write the state of container %s", creation->container.id)
               : 0;
}

static bool records_ahead(const struct creation *creation)
{
    return runtime_runs_through(creation->plan) && creation->flags->pid_file == NULL;
}

/* systemd does not notice that nobody is in a scope whose group somebody else has removed. */
int creation_end_process(struct creation *creation, struct cl_error *err)
{
    int result = runtime_destroy(&creation->process, err);
    if (creation->options.scope != NULL)
        (void)runtime_scope_stop(creation->options.scope, NULL); /* as good as it goes */
    return result;
}

/* A hook may hang: who asks us to end then ends the hook, and we undo what is there (runtime/hooks.c). Without hooks we just end; delete finds the record. */
static int keep_signals(const struct oci_spec *spec, struct cl_error *err)
{
    static const enum runtime_hooks kinds[] = { RUNTIME_PRESTART, RUNTIME_CREATE_RUNTIME,
                                                RUNTIME_CREATE_CONTAINER };
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    size_t count = 0;
    sigset_t set;
    for (size_t i = 0; i < CL_COUNT(kinds); i++)
        count += runtime_hooks_list(spec, kinds[i])->count;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < CL_COUNT(signals); i++)
        (void)sigaddset(&set, signals[i]);
    return count > 0 && sigprocmask(SIG_BLOCK, &set, NULL) < 0
               ? cl_fail(err, errno, "block signals")
               : 0;
}

/* From the directory to an init that waits. On failure nothing is left. */
static int make_container(struct creation *creation, struct cl_error *err)
{
    struct cl_error ignored;
    const struct ocicli *cli = creation->cli;
    int result = keep_signals(creation->spec, err);
    if (result >= 0)
        result = container_claim(cli, creation->options.id, &creation->container, err);
    if (result < 0)
        return result;
    result = creation_record(creation, err);
    bool is_ahead = records_ahead(creation);
    creation->options.while_init_works = is_ahead ? record_ahead : creation_keep_spec;
    creation->options.when_ready = is_ahead ? place_record : NULL;
    creation->options.context = creation;
    if (result >= 0 && creation->is_started_later) {
        result = creation->listener = container_listen(&creation->container, err);
        creation->options.start_listener = creation->listener;
    }
    if (result >= 0)
        result = runtime_create(creation->plan, &creation->io, &creation->process, err);
    if (result >= 0 && !is_ahead) {
        result = announce(creation, err);
        if (result < 0)
            (void)creation_end_process(creation, &ignored); /* the first error is the reason */
    }
    if (result < 0 && creation->process.has_run_hooks)
        hooks_poststop(cli, &creation->container);
    if (result < 0)
        (void)container_forget(cli, &creation->container, &ignored); /* as above */
    return result;
}

void creation_init(struct creation *creation, const struct ocicli *cli,
                   const struct create_options *flags)
{
    *creation = (struct creation){
        .cli = cli,
        .flags = flags,
        .listener = -EBADF,
        .container = CONTAINER_NONE,
        .process = { .pidfd = -EBADF, .sync = -EBADF, .console = -EBADF, .root_mount = -EBADF },
    };
}

/* ---- the verbs ---- */

static int create_container(struct creation *creation, const char *id, struct cl_error *err)
{
    creation->is_started_later = true;
    int result = creation_plan(creation, id, true, err);
    if (result >= 0)
        result = make_container(creation, err);
    if (result < 0)
        return result;
    /* Before init is on its own: it has a copy of the locked descriptor. */
    container_unlock(&creation->container);
    cl_test_point("before leaving");
    return runtime_leave(&creation->process, err);
}

static int create(const struct ocicli *cli, const void *options, char **arguments,
                  struct cl_error *err)
{
    struct creation creation;
    creation_init(&creation, cli, options);
    int result = create_container(&creation, arguments[0], err);
    creation_done(&creation);
    return result;
}

const struct verb verb_create = {
    .name = "create",
    .synopsis = "[OPTIONS] ID",
    .summary = "Create a container from a bundle, for start",
    VERB_OPTIONS(create_table, struct create_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = create,
};

int creation_follow(struct creation *creation, struct cl_error *err)
{
    struct cl_error failure = { 0 };
    int code = relay_run(creation->process.pidfd, creation->process.console, err);
    int result = 0;
    if (code >= 0) /* reaped: nobody is left to end */
        creation->process.pidfd = cl_close(creation->process.pidfd);
    if (!creation->flags->keep) { /* as container_destroy does it, but its group is open here */
        result = creation_end_process(creation, &failure);
        if (result >= 0)
            hooks_poststop(creation->cli, &creation->container);
        if (result >= 0)
            result = container_forget(creation->cli, &creation->container, &failure);
    }
    if (code < 0 || result >= 0)
        return code;
    *err = failure;
    return result;
}

/* What only a creation needs, while the program runs: nobody waits for it now. */
static void let_go_of_plan(struct creation *creation)
{
    runtime_plan_free(creation->plan);
    creation->plan = NULL;
    oci_spec_free(creation->spec);
    creation->spec = NULL;
    free(creation->text);
    creation->text = NULL;
}

static int run_container(struct creation *creation, const char *id, struct cl_error *err)
{
    bool is_detached = creation->flags->detach;
    struct cl_error ignored;
    int result = creation_plan(creation, id, is_detached, err);
    if (result >= 0 && !is_detached)
        result = relay_prepare(err);
    if (result >= 0)
        result = make_container(creation, err);
    if (result < 0)
        return result;
    container_unlock(&creation->container);
    creation->process.trace_fd = creation->trace;
    creation->process.trace_since = creation->options.trace_since;
    result = runtime_start(&creation->process, err);
    if (result >= 0)
        result = hooks_poststart(&creation->container, err);
    if (result < 0) {
        (void)creation_end_process(creation, &ignored); /* the first error is the reason */
        hooks_poststop(creation->cli, &creation->container);
        (void)container_forget(creation->cli, &creation->container, &ignored);
        return result;
    }
    if (is_detached)
        return 0;
    let_go_of_plan(creation);
    return creation_follow(creation, err);
}

static int run(const struct ocicli *cli, const void *options, char **arguments,
               struct cl_error *err)
{
    struct creation creation;
    creation_init(&creation, cli, options);
    int result = run_container(&creation, arguments[0], err);
    creation_done(&creation);
    return result;
}

const struct verb verb_run = {
    .name = "run",
    .synopsis = "[OPTIONS] ID",
    .summary = "Create and start a container, and be its parent until it ends",
    VERB_OPTIONS(run_table, struct create_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};

struct start_options {
    const char *trace;
};
static const struct option_row start_table[] = {
    OPTION("trace", 0, OPTION_STRING, "FILE", "Append each step with its times in microseconds",
           struct start_options, trace),
};

static int check_startable(const struct container *container, struct cl_error *err)
{
    enum oci_status status;
    int result = container_status(container, &status, err);
    if (result < 0 || status == OCI_CREATED)
        return result;
    return cl_fail_kind(err, CL_KIND_CONFLICT, EINVAL, "cannot start container %s: it is %s",
                        container->id, oci_status_name(status));
}

/* runtime.md "Lifecycle": where a hook fails, what follows is deletion. A program that can't be executed leaves a container that has stopped, as with every runtime. */
static int start_process(const struct ocicli *cli, struct container *container,
                         struct runtime_process *process, struct cl_error *err)
{
    struct cl_error ignored;
    int result = runtime_start(process, err);
    bool is_hook = process->has_failed_hook;
    if (result >= 0) {
        container_unlock(container); /* a hook may want to look at it, or to change it */
        result = hooks_poststart(container, err);
        is_hook = true;
    }
    if (result < 0 && is_hook)
        (void)container_destroy(cli, container, &ignored); /* the first error is the reason */
    return result;
}

static int start(const struct ocicli *cli, const void *options, char **arguments,
                 struct cl_error *err)
{
    const struct start_options *flags = options;
    struct timespec since;
    auto_container container = CONTAINER_NONE;
    cl_auto_fd trace = -EBADF;
    int result = container_open(cli, arguments[0], true, &container, err);
    if (result >= 0)
        result = check_startable(&container, err);
    if (result < 0)
        return result;
    result = open_trace(flags->trace, &since, err);
    if (result < 0)
        return result;
    trace = result > 0 ? result : -EBADF;
    struct runtime_process process = { .trace_fd = trace,
                                       .trace_since = trace > 0 ? &since : NULL,
                                       .pid = container.pid,
                                       .pidfd = -EBADF,
                                       .console = -EBADF,
                                       .root_mount = -EBADF };
    process.sync = container_connect(container.dir);
    if (process.sync < 0)
        return cl_fail(err, process.sync, "start container %s", container.id);
    result = start_process(cli, &container, &process, err);
    runtime_process_done(&process);
    if (result < 0)
        container_wait(&container, START_END_MS); /* whoever hears of the failure deletes it next */
    else
        /* From now on nobody has to connect to find out that nobody listens. Killed before: they do. */
        (void)unlinkat(container.dir, "start", 0);
    return result;
}

const struct verb verb_start = {
    .name = "start",
    .synopsis = "[OPTIONS] ID",
    .summary = "Start a container that was created",
    VERB_OPTIONS(start_table, struct start_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = start,
};

/* ---- plan ---- */

static int print_plan(const struct runtime_plan *plan, bool wants_json, struct cl_error *err)
{
    struct cl_json *json = NULL;
    cl_auto_buf text = CL_BUF_INIT(1 << 24);
    int result = wants_json ? runtime_plan_json(plan, &json) : runtime_plan_print(plan, &text);
    if (result < 0)
        return cl_fail(err, result, "print the plan");
    if (wants_json)
        return print_json(json, err);
    (void)fputs(text.data, stdout);
    return flush_output(err);
}

static int plan(const struct ocicli *cli, const void *options, char **arguments,
                struct cl_error *err)
{
    const struct create_options *flags = options;
    struct creation creation;
    bool wants_json = cl_streq(flags->format, "json");
    if (flags->format != NULL && !wants_json && !cl_streq(flags->format, "text"))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--format %s: expected text or json",
                            flags->format);
    creation_init(&creation, cli, options);
    creation.is_started_later = true;
    int result = creation_plan(&creation, arguments[0] != NULL ? arguments[0] : "plan", false, err);
    if (result >= 0)
        result = print_plan(creation.plan, wants_json, err);
    creation_done(&creation);
    return result;
}

static const struct option_row plan_table[] = {
    OPTION("bundle", 'b', OPTION_STRING, "DIR", "The bundle (default: the working directory)",
           struct create_options, bundle),
    OPTION("config", 'f', OPTION_STRING, "FILE", "As create --config", struct create_options,
           config),
    OPTION("format", 0, OPTION_STRING, "FORMAT", "text (default) or json", struct create_options,
           format),
    OPTION("no-pivot", 0, OPTION_FLAG, "", "As create --no-pivot would do it",
           struct create_options, no_pivot),
};

const struct verb verb_plan = {
    .name = "plan",
    .synopsis = "[OPTIONS] [ID]",
    .summary = "Print what create and start would do, step by step; nothing is done",
    VERB_OPTIONS(plan_table, struct create_options),
    .max_arguments = 1,
    .run = plan,
};
