/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs that change existing containers one by one: start, stop, restart, kill, rm, pause, unpause, rename, wait, attach, and the hidden reap.
 */
#include "cli/cli_private.h"

#include <limits.h>

/* ---- start ---- */

struct start_options {
    bool attach, interactive;
    const char *detach_keys;
    bool sig_proxy;
};

static const struct cli_option start_table[] = {
    CLI_ROW("attach", 'a', CLI_FLAG, NULL, "Attach STDOUT/STDERR and forward signals",
            struct start_options, attach),
    CLI_ROW("detach-keys", 0, CLI_STRING, "string",
            "Override the key sequence for detaching a container", struct start_options,
            detach_keys),
    CLI_ROW("interactive", 'i', CLI_FLAG, NULL, "Attach container's STDIN", struct start_options,
            interactive),
    { .name = "sig-proxy",
      .type = CLI_FLAG,
      .help = "Proxy received signals to the process",
      .offset = offsetof(struct start_options, sig_proxy),
      .initial = 1 },
};

static int start_detached(struct engine *engine, const char *reference, void *context,
                          struct cl_error *err)
{
    const struct engine_start how = { .attach = false };
    struct engine_started started = { .client = -EBADF };
    int result = engine_container_start(engine, reference, &how, &started, err);
    cl_close(started.client);
    return result == -EALREADY ? 0 : result; /* as Docker: it runs, and that was the wish */
}

static int start_attached(struct cli *cli, const struct start_options *options,
                          const char *reference, struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    struct engine *engine;
    struct engine_started started = { .client = -EBADF };
    int result = cli_engine(cli, true, &engine, err);
    if (result >= 0)
        result = engine_container_find(engine, reference, &view, err);
    if (result < 0)
        return result;
    bool want_stdin = options->interactive && view->config->open_stdin;
    struct engine_start how = { .attach = true,
                                .attach_flags = WIRE_WANT_STDOUT | WIRE_WANT_STDERR |
                                                (want_stdin ? WIRE_WANT_STDIN : 0u) };
    if (view->config->tty)
        (void)terminal_get_size(STDIN_FILENO, &how.rows,
                                &how.columns); /* no terminal: as it comes */
    result = cli_stream_hold(options->detach_keys, options->sig_proxy, err);
    if (result >= 0)
        result = engine_container_start(engine, reference, &how, &started, err);
    if (result < 0)
        return result;
    return cli_follow_container(engine, &started, view->config, options->detach_keys,
                                options->sig_proxy, want_stdin, err);
}

static int start(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct start_options *options = data;
    if (!options->attach && !options->interactive)
        return cli_for_each(cli, arguments, start_detached, NULL, err);
    if (arguments[1] != NULL)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "you cannot start and attach multiple containers at once");
    return start_attached(cli, options, arguments[0], err);
}

const struct cli_verb cli_verb_start = {
    .name = "start",
    .synopsis = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Start one or more stopped containers",
    .examples = "$ cloche create --name web cloche/busybox sleep 1000\n"
                "$ cloche start web\n"
                "$ cloche rm -f web\n"
                "With its output, and its exit status:\n"
                "$ cloche create --name hello cloche/busybox echo hello\n"
                "$ cloche start -a hello\n"
                "$ cloche rm hello\n",
    CLI_OPTIONS(start_table),
    .options_size = sizeof(struct start_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .run = start,
};

/* ---- stop, restart ---- */

struct stop_options {
    int64_t timeout;
    const char *signal;
};

static const struct cli_option stop_table[] = {
    CLI_ROW("signal", 's', CLI_STRING, "string", "Signal to send to the container",
            struct stop_options, signal),
    { .name = "timeout",
      .letter = 't',
      .type = CLI_INT,
      .argument = "int",
      .help = "Seconds to wait before killing the container",
      .offset = offsetof(struct stop_options, timeout),
      .initial = INT_MIN },
    { .name = "time",
      .type = CLI_INT,
      .argument = "int",
      .help = "The same as --timeout",
      .offset = offsetof(struct stop_options, timeout),
      .initial = INT_MIN },
};

/* A signal of the caller's choice goes first; the wait that follows is the same. */
static int stop_one(struct engine *engine, const char *reference, void *context,
                    struct cl_error *err)
{
    const struct stop_options *options = context;
    if (options->signal != NULL) {
        int signo = oci_signal_number(options->signal);
        if (signo < 0)
            return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "%s is no signal", options->signal);
        return engine_container_stop_with(engine, reference, signo, (int)options->timeout, err);
    }
    return engine_container_stop(engine, reference, (int)options->timeout, err);
}

static int stop(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    return cli_for_each(cli, arguments, stop_one, data, err);
}

static int restart_one(struct engine *engine, const char *reference, void *context,
                       struct cl_error *err)
{
    int result = stop_one(engine, reference, context, err);
    if (result >= 0)
        result = engine_container_settle(engine, reference, err);
    return result < 0 ? result : start_detached(engine, reference, NULL, err);
}

static int restart(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    return cli_for_each(cli, arguments, restart_one, data, err);
}

const struct cli_verb cli_verb_stop = {
    .name = "stop",
    .synopsis = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Stop one or more running containers",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche stop -t 1 web\n"
                "$ cloche rm web\n",
    CLI_OPTIONS(stop_table),
    .options_size = sizeof(struct stop_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .run = stop,
};

const struct cli_verb cli_verb_restart = {
    .name = "restart",
    .synopsis = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Restart one or more containers",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche restart -t 0 web\n"
                "$ cloche rm -f web\n",
    CLI_OPTIONS(stop_table),
    .options_size = sizeof(struct stop_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .run = restart,
};

/* ---- kill ---- */

struct kill_options {
    const char *signal;
};

static const struct cli_option kill_table[] = {
    CLI_ROW("signal", 's', CLI_STRING, "string", "Signal to send to the container",
            struct kill_options, signal),
};

static int kill_one(struct engine *engine, const char *reference, void *context,
                    struct cl_error *err)
{
    return engine_container_kill(engine, reference, *(int *)context, err);
}

static int kill_verb(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct kill_options *options = data;
    int signo = options->signal == NULL ? SIGKILL : oci_signal_number(options->signal);
    if (signo < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "%s is no signal", options->signal);
    return cli_for_each(cli, arguments, kill_one, &signo, err);
}

const struct cli_verb cli_verb_kill = {
    .name = "kill",
    .synopsis = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Kill one or more running containers",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche kill -s KILL web\n"
                "$ cloche rm web\n",
    CLI_OPTIONS(kill_table),
    .options_size = sizeof(struct kill_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .run = kill_verb,
};

/* ---- rm ---- */

struct rm_options {
    bool force, volumes;
};

static const struct cli_option rm_table[] = {
    CLI_ROW("force", 'f', CLI_FLAG, NULL, "Force the removal of a running container (uses SIGKILL)",
            struct rm_options, force),
    CLI_REFUSE("link", 0, false, "there are no links between containers here"),
    CLI_ROW("volumes", 'v', CLI_FLAG, NULL,
            "Remove anonymous volumes associated with the container (no container has any yet)",
            struct rm_options, volumes),
};

static int remove_one(struct engine *engine, const char *reference, void *context,
                      struct cl_error *err)
{
    bool force = *(const bool *)context;
    int result = engine_container_remove(engine, reference, force, err);
    return result == -ENOENT && force ? 0 : result; /* as Docker: rm -f of nothing is fine */
}

static int rm(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    struct rm_options *options = data;
    return cli_for_each(cli, arguments, remove_one, &options->force, err);
}

const struct cli_verb cli_verb_rm = {
    .name = "rm",
    .synopsis = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Remove one or more containers",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche rm -f web\n",
    CLI_OPTIONS(rm_table),
    .options_size = sizeof(struct rm_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .run = rm,
};

/* ---- pause, unpause, rename, wait ---- */

static int pause_one(struct engine *engine, const char *reference, void *context,
                     struct cl_error *err)
{
    return engine_container_pause(engine, reference, *(bool *)context, err);
}

static int pause_verb(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    bool pause = true;
    return cli_for_each(cli, arguments, pause_one, &pause, err);
}

static int unpause(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    bool pause = false;
    return cli_for_each(cli, arguments, pause_one, &pause, err);
}

static int rename_verb(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    struct engine *engine;
    int result = cli_engine(cli, true, &engine, err);
    return result < 0 ? result : engine_container_rename(engine, arguments[0], arguments[1], err);
}

static int wait_verb(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    struct engine *engine;
    int failures = 0;
    int result = cli_engine(cli, true, &engine, err);
    for (; result >= 0 && *arguments != NULL; arguments++) {
        struct cl_error failure = { 0 };
        int code = 0;
        if (engine_container_wait(engine, *arguments, &code, &failure) < 0) {
            cli_print_error(&failure);
            failures++;
            continue;
        }
        (void)printf("%d\n", code);
        result = cli_flush(err);
    }
    return result < 0 ? result : failures > 0;
}

const struct cli_verb cli_verb_pause = {
    .name = "pause",
    .synopsis = "CONTAINER [CONTAINER...]",
    .summary = "Pause all processes within one or more containers",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche pause web\n"
                "$ cloche unpause web\n"
                "$ cloche rm -f web\n",
    .min_arguments = 1,
    .max_arguments = -1,
    .run = pause_verb,
};

const struct cli_verb cli_verb_unpause = {
    .name = "unpause",
    .synopsis = "CONTAINER [CONTAINER...]",
    .summary = "Unpause all processes within one or more containers",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche pause web\n"
                "$ cloche unpause web\n"
                "$ cloche rm -f web\n",
    .min_arguments = 1,
    .max_arguments = -1,
    .run = unpause,
};

const struct cli_verb cli_verb_rename = {
    .name = "rename",
    .synopsis = "CONTAINER NEW_NAME",
    .summary = "Rename a container",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche rename web shop\n"
                "$ cloche rm -f shop\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .run = rename_verb,
};

const struct cli_verb cli_verb_wait = {
    .name = "wait",
    .synopsis = "CONTAINER [CONTAINER...]",
    .summary = "Block until one or more containers stop, then print their exit codes",
    .examples = "$ cloche run -d --name job cloche/busybox sleep 1\n"
                "$ cloche wait job\n"
                "$ cloche rm job\n",
    .min_arguments = 1,
    .max_arguments = -1,
    .run = wait_verb,
};

/* ---- attach ---- */

struct attach_options {
    const char *detach_keys;
    bool no_stdin, sig_proxy;
};

static const struct cli_option attach_table[] = {
    CLI_ROW("detach-keys", 0, CLI_STRING, "string",
            "Override the key sequence for detaching a container", struct attach_options,
            detach_keys),
    CLI_ROW("no-stdin", 0, CLI_FLAG, NULL, "Do not attach STDIN", struct attach_options, no_stdin),
    { .name = "sig-proxy",
      .type = CLI_FLAG,
      .help = "Proxy all received signals to the process",
      .offset = offsetof(struct attach_options, sig_proxy),
      .initial = 1 },
};

static int attach(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct attach_options *options = data;
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    struct engine *engine;
    struct engine_started started = { .client = -EBADF };
    int result = cli_engine(cli, true, &engine, err);
    if (result >= 0)
        result = engine_container_find(engine, arguments[0], &view, err);
    if (result < 0)
        return result;
    if (view->state.status == WIRE_PAUSED)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                            "you cannot attach to a paused container, unpause it first");
    bool want_stdin = view->config->open_stdin && !options->no_stdin;
    unsigned flags =
        WIRE_WANT_STDOUT | WIRE_WANT_STDERR | (want_stdin ? (unsigned)WIRE_WANT_STDIN : 0u);
    result = cli_stream_hold(options->detach_keys, options->sig_proxy, err);
    if (result >= 0)
        result = engine_container_attach(engine, arguments[0], flags, &started.client, err);
    if (result < 0)
        return result;
    (void)CL_PRINT(started.id, "%s", view->row->id);
    return cli_follow_container(engine, &started, view->config, options->detach_keys,
                                options->sig_proxy, want_stdin, err);
}

const struct cli_verb cli_verb_attach = {
    .name = "attach",
    .synopsis = "[OPTIONS] CONTAINER",
    .summary = "Attach local standard input, output, and error streams to a running container",
    .examples = "$ cloche run -d --name web cloche/busybox sh -c 'sleep 1; echo done'\n"
                "$ cloche attach web\n"
                "$ cloche rm web\n",
    CLI_OPTIONS(attach_table),
    .options_size = sizeof(struct attach_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = attach,
};

/* ---- reap ---- */

/* What a monitor becomes after the end of a container that is to be removed. Nobody waits: the catalog's log is folded in, too, when it has grown. */
static int reap(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    struct engine *engine;
    int result = cli_engine(cli, false, &engine, err);
    return result < 0 ? result : engine_container_reap(engine, arguments[0], err);
}

const struct cli_verb cli_verb_reap = {
    .name = "reap",
    .synopsis = "CONTAINER",
    .summary = "Remove an auto-removed container that has ended (called by its monitor)",
    .min_arguments = 1,
    .max_arguments = 1,
    .is_hidden = true,
    .is_idle = true,
    .run = reap,
};

/* ---- tidy ---- */

static int tidy(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    struct engine *engine;
    return cli_engine(cli, true, &engine, err);
}

const struct cli_verb cli_verb_tidy = {
    .name = "tidy",
    .synopsis = "",
    .summary = "Repair what was left half done and fold the catalog's log in (started in the "
               "background by other commands)",
    .max_arguments = 0,
    .is_hidden = true,
    .is_idle = true,
    .run = tidy,
};
