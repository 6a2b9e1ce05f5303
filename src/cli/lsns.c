/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche lsns: the options of util-linux's lsns, and ours. The lens does the work.
 */
#include <errno.h>

#include "cli/lens.h"

struct lsns_options {
    bool json, list, keep_alive, no_headings, output_all, persistent, raw, no_truncate, no_wrap,
        list_columns;
    const char *output, *filter, *tree, *inside, *container;
    const char **types;
    int64_t task;
};

#define ROW(name, letter, type, argument, help, member)                                            \
    CLI_ROW(name, letter, type, argument, help, struct lsns_options, member)
static const struct cli_option options_table[] = {
    ROW("container", 0, CLI_STRING, "name|pid", "Only the namespaces that a container is in",
        container),
    ROW("filter", 'Q', CLI_STRING, "expression", "Only the lines for which the expression is true",
        filter),
    ROW("inside", 0, CLI_STRING, "name|pid", "Print what lsns would print inside, with its PIDs",
        inside),
    ROW("json", 'J', CLI_FLAG, NULL, "Print JSON", json),
    ROW("keep-alive", 0, CLI_FLAG, NULL,
        "Who holds the namespaces that have no process (or holds NAMESPACE)", keep_alive),
    ROW("list", 'l', CLI_FLAG, NULL, "Print a list instead of a tree", list),
    ROW("list-columns", 'H', CLI_FLAG, NULL, "Print the columns that --output knows", list_columns),
    ROW("noheadings", 'n', CLI_FLAG, NULL, "Print no headings", no_headings),
    ROW("notruncate", 'u', CLI_FLAG, NULL, "Do not cut columns to the terminal's width",
        no_truncate),
    ROW("nowrap", 'W', CLI_FLAG, NULL, "Do not use several lines for one cell", no_wrap),
    ROW("output", 'o', CLI_STRING, "list", "Columns to print; +list adds to the default", output),
    ROW("output-all", 0, CLI_FLAG, NULL, "Print all columns", output_all),
    ROW("persistent", 'P', CLI_FLAG, NULL, "Only namespaces without processes", persistent),
    ROW("raw", 'r', CLI_FLAG, NULL, "Print columns separated by single blanks", raw),
    ROW("task", 'p', CLI_INT, "pid", "Only the namespaces of this process", task),
    ROW("tree", 'T', CLI_OPTIONAL, "owner|parent|process", "Print a tree by this relation", tree),
    ROW("type", 't', CLI_LIST, "type",
        "Only this type: mnt, net, ipc, user, pid, uts, cgroup, time (may be repeated)", types),
};

static int take_tree(const struct lsns_options *options, enum lens_tree *ret, struct cl_error *err)
{
    if (options->list && options->tree != NULL)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--list and --tree exclude each other");
    if (options->list)
        *ret = LENS_TREE_NONE;
    if (options->tree != NULL && lens_tree_by_name(options->tree, ret) < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "unknown tree type: %s; known are owner, parent, process",
                            options->tree);
    return 0;
}

static int take_numbers(const struct lsns_options *options, char **arguments,
                        struct lens_lsns_options *ret, struct cl_error *err)
{
    if (options->task < 0 || options->task > INT32_MAX)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--task %lld is no pid",
                            (long long)options->task);
    ret->task = (pid_t)options->task;
    if (arguments[0] != NULL && cl_parse_u64(arguments[0], 1, UINT64_MAX, &ret->ns) < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "%s is no namespace: it is named by its inode number", arguments[0]);
    return 0;
}

static int lsns(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct lsns_options *options = data;
    const struct lens_names names = cli_lens_names(cli);
    struct lens_lsns_options lens = {
        .json = options->json,
        .raw = options->raw,
        .no_headings = options->no_headings,
        .no_truncate = options->no_truncate,
        .no_wrap = options->no_wrap,
        .persistent = options->persistent,
        .keep_alive = options->keep_alive,
        .output_all = options->output_all,
        .list_columns = options->list_columns,
        .columns = options->output,
        .filter = options->filter,
        .inside = options->inside,
        .container = options->container,
        .width = cli_is_terminal(STDOUT_FILENO) ? (unsigned)cli->terminal_columns : 0,
        .notes = stderr,
    };
    int code = cli_lens_types(options->types, &lens.types, err);
    if (code >= 0)
        code = take_tree(options, &lens.tree, err);
    if (code >= 0)
        code = take_numbers(options, arguments, &lens, err);
    if (code >= 0)
        code = lens_lsns(&lens, &names, stdout, err);
    return code < 0 ? code : cli_flush(err);
}

const struct cli_verb cli_verb_lsns = {
    .name = "lsns",
    .synopsis = "[OPTIONS] [NAMESPACE]",
    .summary = "List the namespaces of the host, or of a container's own view",
    .description = "Prints every namespace of the host with its type, the number of its processes, "
                   "the lowest PID among them with its user and command, "
                   "and the container whose namespace it is. Options and columns are those of "
                   "lsns(8) of util-linux 2.41. With NAMESPACE, an inode number, "
                   "prints the processes in it.\n"
                   "\n"
                   "With --inside, prints what lsns would print in that container, with the "
                   "container's PIDs and user names, although nothing is "
                   "run there and no namespace is entered: it is computed from the host's /proc.\n"
                   "\n"
                   "Namespaces of processes that may not be read are left out, and a note on "
                   "standard error says so.",
    .examples = "$ cloche lsns -t pid\n"
                "$ cloche lsns -t net -o +PNS,ONS\n"
                "$ cloche lsns -Q 'TYPE == \"net\" and NPROCS > 1'\n"
                "$ cloche lsns --tree=owner\n",
    CLI_OPTIONS(options_table),
    .options_size = sizeof(struct lsns_options),
    .max_arguments = 1,
    .run = lsns,
};
