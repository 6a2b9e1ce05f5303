/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche run, cloche create.
 */
#include "cli/cli_private.h"
#include "cli/explain.h"

static int check_terminal(const struct container_options *options, struct cl_error *err)
{
    if (options->tty && options->interactive && !options->detach && !cli_is_terminal(STDIN_FILENO))
        return cl_fail_kind(err, CL_KIND_USAGE, ENOTTY,
                            "the input device is not a terminal: leave out -t, or run it in one");
    return 0;
}

static struct engine_start start_request(const struct engine_config *config,
                                         const struct container_options *options)
{
    struct engine_start how = { .attach = !options->detach };
    how.attach_flags = (config->attach_stdin ? WIRE_WANT_STDIN : 0u) |
                       (config->attach_stdout ? WIRE_WANT_STDOUT : 0u) |
                       (config->attach_stderr ? WIRE_WANT_STDERR : 0u);
    if (config->tty) /* without a terminal of our own: as it comes */
        (void)terminal_get_size(STDIN_FILENO, &how.rows, &how.columns);
    return how;
}

/* The user's program runs; what dead processes left behind can be repaired meanwhile, at nobody's cost. */
static void recover_meanwhile(struct engine *engine)
{
    struct cl_error failure = { 0 };
    if (engine_recover(engine, &failure) < 0)
        cl_debug("recover", "%s", failure.text);
}

int cli_follow_container(struct engine *engine, struct engine_started *started,
                         const struct engine_config *config, const char *detach_keys,
                         bool sig_proxy, bool want_stdin, struct cl_error *err)
{
    const struct cli_stream stream = { .client = cl_take_fd(&started->client),
                                       .engine = engine,
                                       .id = started->id,
                                       .terminal = config->tty && cli_is_terminal(STDIN_FILENO),
                                       .want_stdin = want_stdin,
                                       .sig_proxy = sig_proxy,
                                       .detach_keys = detach_keys };
    bool detached = false;
    int result = cli_stream_run(&stream, &detached, err);
    return detached ? 0 : result;
}

static int run(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct container_options *options = data;
    CL_AUTO(engine_config_free) struct engine_config *config = NULL;
    struct engine *engine;
    struct engine_started started = { .client = -EBADF };
    int result = check_terminal(options, err);
    if (result >= 0 && options->cidfile != NULL && access(options->cidfile, F_OK) == 0)
        result = cl_fail_kind(err, CL_KIND_CONFLICT, EEXIST,
                              "container id file %s exists already; remove it, or choose another",
                              options->cidfile);
    if (result >= 0)
        result = cli_engine(cli, false, &engine, err);
    if (result >= 0)
        result = cli_container_config(engine, options, arguments, &config, err);
    if (result < 0)
        return result;
    if (!options->detach)
        result = cli_stream_hold(options->detach_keys, options->sig_proxy, err);
    if (result < 0)
        return result;
    struct engine_start how = start_request(config, options);
    struct cli_explain explain = { 0 };
    if (options->explain || options->step)
        result = cli_explain_begin(options->step, &explain, err);
    how.trace_fd = explain.fd;
    how.trace_waits = options->step;
    if (result >= 0)
        result = engine_container_run(engine, config, options->name, &how, &started, err);
    cli_explain_end(&explain);
    if (result < 0)
        return result;
    result = cli_write_cidfile(options->cidfile, started.id, err);
    if (result < 0) {
        cl_close(started.client);
        return result;
    }
    if (options->detach) {
        (void)puts(started.id);
        result = cli_flush(err);
        recover_meanwhile(engine);
        return result;
    }
    recover_meanwhile(engine);
    return cli_follow_container(engine, &started, config, options->detach_keys, options->sig_proxy,
                                config->attach_stdin, err);
}

static int create(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct container_options *options = data;
    CL_AUTO(engine_config_free) struct engine_config *config = NULL;
    struct engine *engine;
    char id[65];
    int result = cli_engine(cli, true, &engine, err);
    if (result >= 0)
        result = cli_container_config(engine, options, arguments, &config, err);
    if (result >= 0)
        result = engine_container_create(engine, config, options->name, id, err);
    if (result >= 0)
        result = cli_write_cidfile(options->cidfile, id, err);
    if (result < 0)
        return result;
    (void)puts(id);
    return cli_flush(err);
}

#define RUN_TEXT                                                                                   \
    "Makes a container from IMAGE and runs COMMAND in it. The process it starts is an ordinary "   \
    "process of this host whose view is narrowed by seven namespaces (mnt, pid, net, ipc, uts, "   \
    "cgroup and time), eleven capabilities, a seccomp filter, masked paths and a cgroup.\n\n"      \
    "The exit status is the command's own; 125 when cloche itself failed, 126 when the command "   \
    "can't be executed, 127 when it does not exist, 128+N when signal N ended it."

const struct cli_verb cli_verb_run = {
    .name = "run",
    .synopsis = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    .summary = "Create and run a new container from an image",
    .description = RUN_TEXT,
    .examples = "$ cloche run --rm cloche/busybox echo hello\n"
                "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche rm -f web\n",
    .options = cli_container_options,
    .option_count = CLI_RUN_OPTIONS,
    .options_size = sizeof(struct container_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .options_end_at_argument = true,
    .run = run,
};

const struct cli_verb cli_verb_create = {
    .name = "create",
    .synopsis = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    .summary = "Create a new container",
    .examples = "$ cloche create --name later cloche/busybox true\n"
                "$ cloche start -a later\n"
                "$ cloche rm later\n",
    .options = cli_container_options,
    .option_count = CLI_CREATE_OPTIONS,
    .options_size = sizeof(struct container_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .options_end_at_argument = true,
    .run = create,
};
