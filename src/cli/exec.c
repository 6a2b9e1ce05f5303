/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche exec.
 */
#include "cli/cli_private.h"

#include <fcntl.h>

struct exec_options {
    bool detach, interactive, tty, privileged;
    const char *detach_keys, *user, *workdir;
    const char **env, **env_file;
};

#define ROW(name, letter, kind, placeholder, text, member)                                         \
    CLI_ROW(name, letter, kind, placeholder, text, struct exec_options, member)

static const struct cli_option exec_table[] = {
    ROW("detach", 'd', CLI_FLAG, NULL, "Detached mode: run command in the background", detach),
    ROW("detach-keys", 0, CLI_STRING, "string",
        "Override the key sequence for detaching a container", detach_keys),
    ROW("env", 'e', CLI_LIST, "list", "Set environment variables", env),
    ROW("env-file", 0, CLI_LIST, "list", "Read in a file of environment variables", env_file),
    ROW("interactive", 'i', CLI_FLAG, NULL, "Keep STDIN open even if not attached", interactive),
    ROW("privileged", 0, CLI_FLAG, NULL, "Give extended privileges to the command", privileged),
    ROW("tty", 't', CLI_FLAG, NULL, "Allocate a pseudo-TTY", tty),
    ROW("user", 'u', CLI_STRING, "string", "Username or UID (format: \"<name|uid>[:<group|gid>]\")",
        user),
    ROW("workdir", 'w', CLI_STRING, "string", "Working directory inside the container", workdir),
};

static int finish(const struct exec_options *options, struct runtime_process *process,
                  struct cl_error *err)
{
    int result = options->detach ? 0
                                 : cli_stream_process(process, options->tty, options->interactive,
                                                      options->detach_keys, err);
    runtime_process_done(process);
    return result;
}

static int exec_verb(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct exec_options *options = data;
    CL_AUTO(cl_strv_free) char **env = NULL;
    struct engine *engine;
    struct runtime_process process;
    cl_auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return cl_fail(err, errno, "open /dev/null");
    if (options->tty && options->interactive && !options->detach && !cli_is_terminal(STDIN_FILENO))
        return cl_fail_kind(err, CL_KIND_USAGE, ENOTTY,
                            "the input device is not a terminal: leave out -t, or run it in one");
    int result = cli_environment(options->env, options->env_file, &env, err);
    if (result >= 0)
        result = cli_engine(cli, false, &engine, err);
    if (result < 0)
        return result;
    struct engine_exec request = {
        .arguments = (const char *const *)arguments + 1,
        .env = (const char *const *)env,
        .working_dir = options->workdir,
        .user = options->user,
        .terminal = options->tty,
        .privileged = options->privileged,
        .in = options->interactive && !options->detach ? STDIN_FILENO : null,
        .out = options->detach ? null : STDOUT_FILENO,
        .err = options->detach ? null : STDERR_FILENO,
        .detach = options->detach,
    };
    if (options->tty)
        (void)terminal_get_size(STDIN_FILENO, &request.rows,
                                &request.columns); /* none: as it comes */
    if (!options->detach)
        result = cli_stream_hold(options->detach_keys, true, err);
    if (result >= 0)
        result = engine_container_exec(engine, arguments[0], &request, &process, err);
    return result < 0 ? result : finish(options, &process, err);
}

const struct cli_verb cli_verb_exec = {
    .name = "exec",
    .synopsis = "[OPTIONS] CONTAINER COMMAND [ARG...]",
    .summary = "Execute a command in a running container",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche exec web ps\n"
                "$ cloche exec -e COLOUR=blue -w /tmp -u 1000 web env\n"
                "$ cloche rm -f web\n",
    CLI_OPTIONS(exec_table),
    .options_size = sizeof(struct exec_options),
    .min_arguments = 2,
    .max_arguments = -1,
    .options_end_at_argument = true,
    .run = exec_verb,
};
