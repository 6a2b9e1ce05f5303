/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche pid: one process's PID in each PID namespace, from either side.
 */
#include <errno.h>

#include "cli/lens.h"

struct pid_options {
    bool json, no_headings;
    const char *in;
};

static const struct cli_option options_table[] = {
    CLI_ROW("in", 0, CLI_STRING, "name|pid", "PID is meant as seen in this container",
            struct pid_options, in),
    CLI_ROW("json", 'J', CLI_FLAG, NULL, "Print JSON", struct pid_options, json),
    CLI_ROW("noheadings", 'n', CLI_FLAG, NULL, "Print no headings", struct pid_options,
            no_headings),
};

static int pid(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct pid_options *options = data;
    const struct lens_names names = cli_lens_names(cli);
    struct lens_pid_options lens = {
        .process = arguments[0],
        .inside = options->in,
        .json = options->json,
        .no_headings = options->no_headings,
    };
    if (arguments[1] != NULL) {
        if (options->in != NULL)
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                "the container is given twice: %s and --in %s", arguments[0],
                                options->in);
        lens.inside = arguments[0];
        lens.process = arguments[1];
    }
    int code = lens_pid_map(&lens, &names, stdout, err);
    return code < 0 ? code : cli_flush(err);
}

const struct cli_verb cli_verb_pid = {
    .name = "pid",
    .synopsis = "[OPTIONS] [CONTAINER] PID",
    .summary = "Show a process's PID in each PID namespace",
    .examples = "$ cloche pid 1\n"
                "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche pid web 1\n"
                "$ cloche rm -f web\n",
    .description = "With a PID, as the host sees it, prints the PID that the process has in each "
                   "PID namespace that it is in, the host's first. With a "
                   "container before it, PID is meant as seen in the container. A container alone "
                   "stands for its first process.",
    CLI_OPTIONS(options_table),
    .options_size = sizeof(struct pid_options),
    .min_arguments = 1,
    .max_arguments = 2,
    .run = pid,
};
