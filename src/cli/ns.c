/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche ns: the verbs about namespaces as such.
 */
#include "cli/lens.h"

struct ns_options {
    bool all, json, raw, no_headings, no_truncate;
};

#define ROW(name, letter, help, member)                                                            \
    CLI_ROW(name, letter, CLI_FLAG, NULL, help, struct ns_options, member)
static const struct cli_option tree_options[] = {
    ROW("all", 'a', "All eight types, not only user and pid", all),
    ROW("json", 'J', "Print JSON", json),
    ROW("noheadings", 'n', "Print no headings", no_headings),
    ROW("notruncate", 'u', "Do not cut columns to the terminal's width", no_truncate),
    ROW("raw", 'r', "Print columns separated by single blanks", raw),
};

static int tree(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    (void)arguments;
    const struct ns_options *options = data;
    const struct lens_names names = cli_lens_names(cli);
    struct lens_tree_options lens = {
        .all = options->all,
        .json = options->json,
        .raw = options->raw,
        .no_headings = options->no_headings,
        .no_truncate = options->no_truncate,
        .width = cli_is_terminal(STDOUT_FILENO) ? (unsigned)cli->terminal_columns : 0,
        .notes = stderr,
    };
    int code = lens_tree(&lens, &names, stdout, err);
    return code < 0 ? code : cli_flush(err);
}

const struct cli_verb cli_verb_ns_tree = {
    .name = "ns tree",
    .synopsis = "[OPTIONS]",
    .summary = "Show which namespace is below which",
    .description = "Prints the hierarchy of user and pid namespaces: each below its parent, the "
                   "first pid namespace below the user namespace that owns it. "
                   "ONS is the owner; UIDMAP shows which user ids a user namespace maps, as "
                   "INSIDE:OUTSIDE:COUNT. Namespaces that have no process but "
                   "are needed by others below them are shown, too.",
    .examples = "$ cloche ns tree\n"
                "$ cloche ns tree --all\n",
    CLI_OPTIONS(tree_options),
    .options_size = sizeof(struct ns_options),
    .run = tree,
};

struct ns_diff_options {
    bool json, no_headings, no_truncate;
};

static const struct cli_option diff_options[] = {
    CLI_ROW("json", 'J', CLI_FLAG, NULL, "Print JSON", struct ns_diff_options, json),
    CLI_ROW("noheadings", 'n', CLI_FLAG, NULL, "Print no headings", struct ns_diff_options,
            no_headings),
    CLI_ROW("notruncate", 'u', CLI_FLAG, NULL, "Do not cut columns to the terminal's width",
            struct ns_diff_options, no_truncate),
};

static int diff(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct ns_diff_options *options = data;
    const struct lens_names names = cli_lens_names(cli);
    bool is_cut = !options->no_truncate && cli_is_terminal(STDOUT_FILENO);
    struct lens_diff_options lens = {
        .a = arguments[0],
        .b = arguments[1],
        .json = options->json,
        .no_headings = options->no_headings,
        .width = is_cut ? (unsigned)cli->terminal_columns : 0,
    };
    int code = lens_diff(&lens, &names, stdout, err);
    return code < 0 ? code : cli_flush(err);
}

const struct cli_verb cli_verb_ns_diff = {
    .name = "ns diff",
    .synopsis = "[OPTIONS] CONTAINER|PID|host CONTAINER|PID|host",
    .summary = "Show what two containers or processes see differently",
    .examples = "$ cloche ns diff host 1\n"
                "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche run -d --name db cloche/busybox sleep 1000\n"
                "$ cloche ns diff web db\n"
                "$ cloche rm -f web db\n",
    .description = "Prints which namespaces differ, and then what differs inside each: processes, "
                   "hostname, mounts with their options, interfaces and addresses, user and group "
                   "id maps, IPC objects, clocks; and control group, limits, capabilities and "
                   "seccomp. What is the same is left out.",
    CLI_OPTIONS(diff_options),
    .options_size = sizeof(struct ns_diff_options),
    .min_arguments = 2,
    .max_arguments = 2,
    .run = diff,
};

struct ns_watch_options {
    bool json, no_headings;
    const char **types;
};

static const struct cli_option watch_options[] = {
    CLI_ROW("json", 'J', CLI_FLAG, NULL, "Print JSON, one object a line", struct ns_watch_options,
            json),
    CLI_ROW("noheadings", 'n', CLI_FLAG, NULL, "Print no headings", struct ns_watch_options,
            no_headings),
    CLI_ROW("type", 't', CLI_LIST, "type",
            "Only namespaces of this type: mnt, net, ipc, user, pid, uts, cgroup, time (may be "
            "repeated)",
            struct ns_watch_options, types),
};

static int watch(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct ns_watch_options *options = data;
    const struct lens_names names = cli_lens_names(cli);
    struct lens_watch_options lens = {
        .targets = (const char *const *)arguments,
        .json = options->json,
        .no_headings = options->no_headings,
    };
    int code = cli_lens_types(options->types, &lens.types, err);
    return code < 0 ? code : lens_watch(&lens, &names, stdout, err);
}

const struct cli_verb cli_verb_ns_watch = {
    .name = "ns watch",
    .synopsis = "[OPTIONS] [CONTAINER|PID...]",
    .summary = "Print namespaces, processes and containers as they come and go",
    .description =
        "Prints a line for each event until it is interrupted: processes (fork, exec, user, name, "
        "exit), namespaces (born: it has its first process; join: a process has moved into it; "
        "empty: its last process has left) and containers of any engine (start, end). With "
        "CONTAINER or PID, only of these and their descendants.\n"
        "\n"
        "The kernel tells of the events, so an idle machine costs nothing. It does not tell of "
        "setns(2) and unshare(2): they are seen at the next event of the process, when it "
        "forks, executes, or changes its user or name. Where events come faster than they can be "
        "read, a line \"lost\" says so, and what has changed meanwhile follows. It needs "
        "CAP_NET_ADMIN in the host's own namespaces.",
    CLI_OPTIONS(watch_options),
    .options_size = sizeof(struct ns_watch_options),
    .max_arguments = -1,
    .run = watch,
};
