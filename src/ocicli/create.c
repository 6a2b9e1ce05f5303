/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create, run. The order in create is what makes a kill at any moment repairable:
 *
 *   plan (nothing is there yet) → directory, lock → state.json with the cgroup's path → runtime_create → state.json with init's pid → pid file → unlock → runtime_leave
 *
 * Before runtime_leave init dies with us; after it everything that `start` and `delete` need is written down.
 */
#include "ocicli/creation.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

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
