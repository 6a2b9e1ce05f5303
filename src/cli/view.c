/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche view: a container or process from both sides.
 */
#include "cli/lens.h"

struct view_options {
    bool json, no_truncate;
};

static const struct cli_option options_table[] = {
    CLI_ROW("json", 'J', CLI_FLAG, NULL, "Print JSON", struct view_options, json),
    CLI_ROW("notruncate", 'u', CLI_FLAG, NULL, "Do not cut columns to the terminal's width",
            struct view_options, no_truncate),
};

static int view(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct view_options *options = data;
    const struct lens_names names = cli_lens_names(cli);
    bool is_cut = !options->no_truncate && cli_is_terminal(STDOUT_FILENO);
    struct lens_view_options lens = {
        .target = arguments[0],
        .json = options->json,
        .width = is_cut ? (unsigned)cli->terminal_columns : 0,
    };
    int code = lens_view(&lens, &names, stdout, err);
    return code < 0 ? code : cli_flush(err);
}

const struct cli_verb cli_verb_view = {
    .name = "view",
    .synopsis = "[OPTIONS] CONTAINER|PID",
    .summary = "Show a container as the host sees it and as it sees itself",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche view web\n"
                "$ cloche view --json 1\n"
                "$ cloche rm -f web\n",
    .description =
        "Prints two columns, HOST and INSIDE: PID, parent, hostname, root, user, command, cgroup, "
        "and for each of the eight namespaces whether "
        "the process has its own or shares the host's. Works for any process, of any engine.\n"
        "\n"
        "It only looks: nothing is executed in the container, and none of its mount, pid or user "
        "namespaces is entered. What may not be read is "
        "shown as hidden, with the missing capability.",
    CLI_OPTIONS(options_table),
    .options_size = sizeof(struct view_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = view,
};
