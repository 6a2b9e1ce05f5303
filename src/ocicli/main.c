/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche-runtime as a whole: global options, the verb, its options, and what becomes of an error: one line on standard error and one in --log.
 */
#include "ocicli/ocicli.h"
#include "ocicli/private.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct global_options {
    const char *root, *log, *log_format, *log_level, *rootless, *cgroup_manager, *criu;
    bool systemd_cgroup, debug, help, version;
};

static const struct option_row global_table[] = {
    OPTION(
        "root", 0, OPTION_STRING, "DIR",
        "Directory of the containers' state (default \"/run/cloche-runtime\"; of an ordinary user "
        "\"$XDG_RUNTIME_DIR/cloche-runtime\")",
        struct global_options, root),
    OPTION("log", 0, OPTION_STRING, "FILE",
           "Write errors, warnings and debug output to FILE, too, or to syslog:NAME, journald:NAME",
           struct global_options, log),
    OPTION("log-format", 0, OPTION_STRING, "FORMAT", "Of that file: text (default) or json",
           struct global_options, log_format),
    OPTION("log-level", 0, OPTION_STRING, "LEVEL", "error, warning (default) or debug",
           struct global_options, log_level),
    OPTION("debug", 0, OPTION_FLAG, "", "Log the plan of a container that is created",
           struct global_options, debug),
    OPTION("cgroup-manager", 0, OPTION_STRING, "NAME", "cgroupfs (default), systemd or disabled",
           struct global_options, cgroup_manager),
    OPTION("systemd-cgroup", 0, OPTION_FLAG, "", "The same as --cgroup-manager systemd",
           struct global_options, systemd_cgroup),
    OPTION(
        "rootless", 0, OPTION_STRING, "BOOL",
        "Go without a control group where none can be made and none is asked for: true, false, or "
        "auto (default): who is not root of the host",
        struct global_options, rootless),
    OPTION_TWO("help", 'h', '?', "Print this help", struct global_options, help),
    OPTION_TWO("version", 'v', 'V', "Print version information", struct global_options, version),
    OPTION("criu", 0, OPTION_STRING, "PATH",
           "The program criu, for checkpoint and restore (default: looked for in PATH)",
           struct global_options, criu),
};

static const struct verb whole_command = {
    .name = "",
    .synopsis = "[OPTIONS] COMMAND",
    VERB_OPTIONS(global_table, struct global_options),
    .max_arguments = -1,
    .options_end_at_argument = true,
};

static const struct verb *const verbs[] = {
    &verb_create, &verb_start,      &verb_run,      &verb_exec,   &verb_state,
    &verb_list,   &verb_ps,         &verb_kill,     &verb_delete, &verb_pause,
    &verb_resume, &verb_spec,       &verb_features, &verb_plan,   &verb_update,
    &verb_events, &verb_checkpoint, &verb_restore,  &verb_mounts,
};

/* ---- output ---- */

int flush_output(struct cl_error *err)
{
    return fflush(stdout) != 0 || ferror(stdout) ? cl_fail(err, EIO, "write to standard output")
                                                 : 0;
}

int print_json(struct cl_json *take_value, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *value = take_value;
    cl_auto_free char *text = value == NULL ? NULL : cl_json_text(value, 2);
    if (text == NULL)
        return cl_fail(err, ENOMEM, "print");
    (void)puts(text);
    return flush_output(err);
}

/* ---- the command ---- */

static int set_rootless(struct ocicli *cli, const char *word, struct cl_error *err)
{
    static const char *const words[] = { [RUNTIME_ROOTLESS_AUTO] = "auto",
                                         [RUNTIME_ROOTLESS_YES] = "true",
                                         [RUNTIME_ROOTLESS_NO] = "false" };
    for (size_t i = 0; i < CL_COUNT(words); i++)
        if (word == NULL || cl_streq(word, words[i])) {
            cli->rootless = (enum runtime_rootless)i;
            return 0;
        }
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--rootless %s: expected true, false or auto",
                        word);
}

/* Whoever can write there says what our containers are, down to the hooks that we run. */
static int check_owner(const char *dir, struct cl_error *err)
{
    struct stat info;
    if (stat(dir, &info) < 0 || info.st_uid == geteuid()) /* missing: then we make it */
        return 0;
    return cl_fail_kind(err, CL_KIND_DENIED, EPERM,
                        "XDG_RUNTIME_DIR: %s belongs to user %u, and we are user %u; give --root",
                        dir, info.st_uid, geteuid());
}

/* /run is root's; a user has a directory of its own that goes with the session, and so has a user who is root of a user namespace, as under rootless engines. */
static int set_default_root(struct ocicli *cli, struct cl_error *err)
{
    const char *own = cl_env_get((const char *const *)environ, "XDG_RUNTIME_DIR");
    bool is_user = geteuid() != 0 || (own != NULL && access("/run", W_OK) < 0);
    bool is_rootless = cli->rootless == RUNTIME_ROOTLESS_YES ||
                       (cli->rootless == RUNTIME_ROOTLESS_AUTO && is_user);
    if (is_rootless && own != NULL && own[0] == '/' && check_owner(own, err) < 0)
        return -EPERM;
    int result = !is_rootless ? CL_PRINT(cli->default_root, "/run/cloche-runtime")
                 : own != NULL && own[0] == '/'
                     ? CL_PRINT(cli->default_root, "%s/cloche-runtime", own)
                     : CL_PRINT(cli->default_root, "/run/user/%u/cloche-runtime", geteuid());
    cli->root = cli->default_root;
    return result < 0 ? cl_fail(err, result, "XDG_RUNTIME_DIR") : 0;
}

/* What is above it is not said. --debug is crun's and runc's word for the most of it. */
static int set_level(struct ocicli *cli, const struct global_options *global, struct cl_error *err)
{
    static const char *const words[] = {
        [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_DEBUG] = "debug"
    };
    const char *word = global->log_level;
    cli->log_most = global->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING;
    for (size_t i = 0; word != NULL && i < CL_COUNT(words); i++)
        if (cl_streq(word, words[i])) {
            cli->log_most = global->debug ? LOG_LEVEL_DEBUG : (enum log_level)i;
            return 0;
        }
    return word == NULL ? 0
                        : cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                       "--log-level %s: expected error, warning or debug", word);
}

static int set_globals(struct ocicli *cli, const struct global_options *global,
                       struct cl_error *err)
{
    const char *format = global->log_format, *manager = global->cgroup_manager;
    cli->root = global->root;
    if (cl_streq(global->root, ""))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--root: is empty");
    cli->criu = global->criu;
    cli->no_cgroup = cl_streq(manager, "disabled");
    if (format != NULL && !cl_streq(format, "text") && !cl_streq(format, "json"))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--log-format %s: expected text or json",
                            format);
    cli->use_systemd = cl_streq(manager, "systemd") || (global->systemd_cgroup && manager == NULL);
    if (manager != NULL && !cl_streq(manager, "cgroupfs") && !cli->no_cgroup && !cli->use_systemd)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "--cgroup-manager %s: expected cgroupfs, systemd or disabled", manager);
    int result = set_level(cli, global, err);
    if (result >= 0)
        result = set_rootless(cli, global->rootless, err);
    return result < 0 || global->root != NULL ? result : set_default_root(cli, err);
}

static const struct verb *find_verb(const char *word, struct cl_error *err)
{
    const char *words[CL_COUNT(verbs)];
    for (size_t i = 0; i < CL_COUNT(verbs); i++) {
        if (cl_streq(verbs[i]->name, word))
            return verbs[i];
        words[i] = verbs[i]->name;
    }
    const char *closest = cl_closest(word, words, CL_COUNT(verbs));
    (void)cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "unknown command: %s%s%s%s", word,
                       closest == NULL ? "; see 'cloche-runtime --help'" : "; did you mean ",
                       closest == NULL ? "" : closest, closest == NULL ? "" : "?");
    return NULL;
}

static bool asks_for_help(const struct verb *verb, char **arguments)
{
    for (char **word = arguments; *word != NULL && !cl_streq(*word, "--"); word++) {
        if (cl_streq(*word, "--help") || cl_streq(*word, "-h") || cl_streq(*word, "-?"))
            return true;
        if (verb->options_end_at_argument && (*word)[0] != '-')
            return false;
    }
    return false;
}

static int run_verb(const struct ocicli *cli, const struct verb *verb, char **words,
                    struct cl_error *err)
{
    char **arguments = NULL;
    if (asks_for_help(verb, words)) {
        help_print_verb(verb);
        return flush_output(err);
    }
    cl_auto_free void *options = cl_calloc(1, verb->options_size > 0 ? verb->options_size : 1);
    if (options == NULL)
        return cl_fail(err, ENOMEM, "read the command line");
    int count = (int)cl_strv_count((const char *const *)words);
    int result = parse_options(verb, count, words, options, &arguments, err);
    if (result < 0)
        return result;
    result = verb->run(cli, options, arguments, err);
    parse_done(verb, options);
    return result;
}

/* Of run and exec, which hand a program's code on: 126 and 127 say that there was none. */
static int exit_code(const struct verb *verb, const struct cl_error *err)
{
    int code = cl_error_exit_code(err);
    bool is_program = verb == &verb_run || verb == &verb_exec;
    if (is_program && (code == 126 || code == 127))
        return code;
    return verb != NULL && verb->failure != 0 ? verb->failure : 1;
}

static int dispatch(struct ocicli *cli, char **words, const struct global_options *global,
                    const struct verb **ret_verb, struct cl_error *err)
{
    int result = set_globals(cli, global, err);
    if (result < 0)
        return result;
    if (global->version) {
        (void)printf("cloche-runtime version %s\nspec: %s\n", CLOCHE_VERSION, OCI_SPEC_VERSION);
        return flush_output(err);
    }
    if (global->help || words[0] == NULL || cl_streq(words[0], "help")) {
        help_print(&whole_command, verbs, CL_COUNT(verbs));
        return flush_output(err);
    }
    if (cl_streq(words[0], "man") && words[1] == NULL) { /* for the build: not listed */
        help_print_man(&whole_command, verbs, CL_COUNT(verbs));
        return flush_output(err);
    }
    *ret_verb = find_verb(words[0], err);
    return *ret_verb == NULL ? err->code : run_verb(cli, *ret_verb, words + 1, err);
}

/* Descriptors 0 to 2 are never ours to be handed out for something else. */
static void fill_streams(void)
{
    int fd = 0;
    while (fd <= 2 && fcntl(fd, F_GETFD) >= 0)
        fd++;
    if (fd > 2)
        return; /* as nearly always; a look costs less than an open */
    do
        fd = open("/dev/null", O_RDWR); /* allowed: 0 to 2 are for every program to come */
    while (fd >= 0 && fd <= 2);
    (void)cl_close(fd);
}

int ocicli_main(int argc, char **argv)
{
    static char output[16 << 10]; /* whoever prints flushes when he has said all */
    struct cl_error err = { 0 };
    struct ocicli cli = { 0 };
    struct global_options global = { 0 };
    const struct verb *verb = NULL;
    char **words = NULL;
    fill_streams();
    (void)setvbuf(stdout, output, _IOFBF, sizeof output); /* in vain: more writes */
    cl_test_role("cloche");
    int result = parse_options(&whole_command, argc - 1, argv + 1, &global, &words, &err);
    /* Also after a refusal: a caller reads the reason in its log. */
    log_target(&cli, global.log);
    cli.log_json = cl_streq(global.log_format, "json");
    if (result >= 0)
        result = log_check(&cli, &err);
    if (result >= 0)
        result = dispatch(&cli, words, &global, &verb, &err);
    if (result < 0) {
        if (err.code == 0)
            (void)cl_fail(&err, result, "cloche-runtime");
        log_write(&cli, LOG_LEVEL_ERROR, err.text);
        result = exit_code(verb, &err);
    }
    return result;
}
