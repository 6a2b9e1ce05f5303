/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command as a whole: global options, the verb, its options, and what becomes of an error.
 */
#include "cli/cli_private.h"

#include "cli/verbs.h"

#include <fcntl.h>

struct global_options {
    const char *root, *state, *cgroup_parent;
    bool help, version;
};

static const struct cli_option global_table[] = {
    CLI_ROW("cgroup-parent", 0, CLI_STRING, "string", "", struct global_options, cgroup_parent),
    CLI_ROW("help", 0, CLI_FLAG, NULL, "", struct global_options, help),
    CLI_ROW("root", 0, CLI_STRING, "string", "", struct global_options, root),
    CLI_ROW("state", 0, CLI_STRING, "string", "", struct global_options, state),
    CLI_ROW("version", 'v', CLI_FLAG, NULL, "", struct global_options, version),
    CLI_REFUSE("host", 'H', true, "there is no daemon to talk to"),
    CLI_REFUSE("context", 'c', true, "there is no daemon to talk to"),
};

static const struct cli_verb whole_command = {
    .name = "",
    .synopsis = "[OPTIONS] COMMAND",
    CLI_OPTIONS(global_table),
    .options_size = sizeof(struct global_options),
    .max_arguments = -1,
    .options_end_at_argument = true,
};

/* --flag, else the environment, else the default. */
static const char *choose(const char *given, const char *variable, const char *otherwise)
{
    const char *value = given != NULL ? given : getenv(variable);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

static void set_engine_options(struct cli *cli, const struct global_options *global)
{
    cli->engine_options = (struct engine_options){
        .root = choose(global->root, "CLOCHE_ROOT", "/var/lib/cloche"),
        .state = choose(global->state, "CLOCHE_STATE", "/run/cloche"),
        .cgroup_parent = choose(global->cgroup_parent, "CLOCHE_CGROUP_PARENT", "cloche"),
    };
}

static int unknown_verb(char **typed, struct cl_error *err)
{
    const char *words[64];
    size_t count = cli_verbs_of_group(typed[0], words, CL_COUNT(words));
    bool is_group = count > 0;
    for (size_t i = 0; !is_group && i < cli_verb_count && count < CL_COUNT(words); i++)
        if (!cli_verbs[i]->is_hidden)
            words[count++] = cli_verbs[i]->name;
    const char *group = is_group ? typed[0] : "", *space = is_group ? " " : "";
    const char *word = is_group ? typed[1] : typed[0];
    if (word == NULL)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "\"cloche %s\" needs a command after it; see 'cloche help'", group);
    const char *closest = cl_closest(word, words, count);
    if (closest == NULL)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "unknown command: %s%s%s; see 'cloche help'", group, space, word);
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "unknown command: %s%s%s; did you mean %s%s%s?",
                        group, space, word, group, space, closest);
}

/* --help anywhere among the options of a verb, before its operands take over. */
static bool asks_for_help(const struct cli_verb *verb, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (cl_streq(argv[i], "--help") || (cl_streq(argv[i], "-h") && !cli_has_letter(verb, 'h')))
            return true;
        if (cl_streq(argv[i], "--") || (verb->options_end_at_argument && argv[i][0] != '-'))
            return false;
    }
    return false;
}

static int run_verb(struct cli *cli, const struct cli_verb *verb, int argc, char **argv,
                    struct cl_error *err)
{
    char **arguments = NULL;
    if (asks_for_help(verb, argc, argv)) {
        cli_print_help(verb, stdout);
        return cli_flush(err);
    }
    cl_auto_free void *options = cl_calloc(1, verb->options_size > 0 ? verb->options_size : 1);
    if (options == NULL)
        return cl_fail(err, ENOMEM, "read the command line");
    int result = cli_parse(verb, argc, argv, options, &arguments, err);
    if (result < 0) {
        if (err->kind == CL_KIND_USAGE)
            (void)cl_error_hint(err, "see 'cloche %s --help'", verb->name);
        return result;
    }
    cli->verb = verb;
    result = verb->run(cli, options, arguments, err);
    cli_options_done(verb, options);
    free(arguments);
    return result;
}

static int dispatch(struct cli *cli, int argc, char **argv, struct cl_error *err)
{
    struct global_options global;
    char **words = NULL;
    int used = 0;
    int result = cli_parse(&whole_command, argc - 1, argv + 1, &global, &words, err);
    if (result < 0)
        return result;
    int count = (int)cl_strv_count((const char *const *)words);
    set_engine_options(cli, &global);
    const struct cli_verb *verb = cli_find_verb(count, words, &used);
    if (global.version) {
        (void)puts("Cloche version " CLOCHE_VERSION);
        result = cli_flush(err);
    } else if (global.help || count == 0) {
        cli_print_help(verb, stdout);
        result = cli_flush(err);
    } else if (verb == NULL) {
        result = unknown_verb(words, err);
    } else {
        cli->is_idle = verb->is_idle;
        result = run_verb(cli, verb, count - used, words + used, err);
    }
    free(words);
    return result;
}

/* As Docker: 125 for a command line that can't be understood and for every failure of `run` itself, whose other codes are the program's; else 1. */
static int exit_code(const struct cli *cli, const struct cl_error *err)
{
    int code = cl_error_exit_code(err);
    bool is_run = cli->verb == &cli_verb_run;
    return code == 125 && cli->verb != NULL && !is_run && err->kind != CL_KIND_USAGE ? 1 : code;
}

/* A checkpoint of the catalog syncs to disk: not while a person waits for the prompt. */
static void start_tidy(const struct cli *cli)
{
    const struct engine_options *options = &cli->engine_options;
    const char *const arguments[] = { "cloche",       "--root", options->root, "--state",
                                      options->state, "tidy",   NULL };
    pid_t pid = fork();
    if (pid != 0)
        return; /* or it could not be: the next command tries again */
    (void)setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd <= 2; fd++)
        (void)dup2(null, fd);
    (void)k_close_range(3, ~0u, true);
    (void)execv("/proc/self/exe", (char *const *)(uintptr_t)arguments);
    _exit(1);
}

static void finish(struct cli *cli)
{
    if (cli->engine == NULL)
        return;
    if (cli->is_idle) {
        engine_close_idle(cli->engine);
        return;
    }
    bool is_due = engine_is_due(cli->engine);
    engine_close(cli->engine);
    if (is_due)
        start_tidy(cli);
}

/*
 * Descriptors 0 to 2 are never ours to be handed out for something else. A standard output that was closed can't be written to either: what should have been
 * printed there is an error, as with every tool.
 */
static void fill_streams(void)
{
    static const int modes[] = { O_RDONLY, O_RDONLY, O_WRONLY };
    for (int number = 0; number <= 2; number++)
        if (fcntl(number, F_GETFD) < 0)
            (void)open("/dev/null",
                       modes[number]); /* allowed: 0 to 2 are for every program to come */
}

int cli_main(int argc, char **argv)
{
    struct cl_error err = { 0 };
    struct cli cli = { .program = argv[0] };
    fill_streams();
    cl_test_role("cloche");
    int result = dispatch(&cli, argc, argv, &err);
    if (result < 0) {
        if (err.code == 0)
            (void)cl_fail(&err, result, "cloche");
        cli_print_error(&err);
        result = exit_code(&cli, &err);
    }
    finish(&cli);
    return result;
}
