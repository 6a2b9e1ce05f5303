/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche view: a container or process from both sides.
 */
#include <errno.h>
#include <fcntl.h>

#include "cli/lens.h"

struct view_options {
    bool json, no_truncate;
    const char *html;
};

static const struct cli_option options_table[] = {
    CLI_ROW("html", 0, CLI_OPTIONAL, "file", "Print one HTML page, or write it to a file",
            struct view_options, html),
    CLI_ROW("json", 'J', CLI_FLAG, NULL, "Print JSON", struct view_options, json),
    CLI_ROW("notruncate", 'u', CLI_FLAG, NULL, "Do not cut columns to the terminal's width",
            struct view_options, no_truncate),
};

/* The whole page first: a file that is there is replaced only by a whole one. */
static int write_page(const char *path, const struct lens_view_options *options,
                      const struct lens_names *names, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    FILE *page = open_memstream(&text, &size);
    if (page == NULL)
        return cl_fail(err, ENOMEM, "write %s", path);
    int code = lens_view(options, names, page, err);
    if (fclose(page) != 0 && code >= 0)
        code = cl_fail(err, ENOMEM, "write %s", path);
    if (code < 0)
        return code;
    code = cl_write_atomic(AT_FDCWD, path, text, size, 0644, CL_WRITE_PLAIN, NULL);
    return code < 0 ? cl_fail(err, code, "write %s", path) : 0;
}

static int view(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct view_options *options = data;
    const struct lens_names names = cli_lens_names(cli);
    bool is_cut = !options->no_truncate && cli_is_terminal(STDOUT_FILENO);
    struct lens_view_options lens = {
        .target = arguments[0],
        .json = options->json,
        .html = options->html != NULL,
        .width = is_cut ? (unsigned)cli->terminal_columns : 0,
    };
    if (options->json && options->html != NULL)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--json and --html exclude each other");
    if (options->html != NULL && options->html[0] != '\0')
        return write_page(options->html, &lens, &names, err);
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
                "$ cloche view --html=web.html web\n"
                "$ cloche rm -f web\n",
    .description =
        "Prints two columns, HOST and INSIDE: PID and parent, user and id maps, hostname, cgroup, "
        "limits and what is used of them, the eight namespaces, interfaces, IPC objects, clocks, "
        "root and mounts, descriptors that lead outside, capabilities, seccomp; and for each "
        "whether it is the process's own, the host's, or shared with another container. It ends "
        "with what is shared with the host, what that means, and the flag that would make it "
        "private. Works for any process, of any engine.\n"
        "\n"
        "--json is described in docs/lens-json.md. --html makes one page that needs no network "
        "and no script; --html=FILE writes it into a file.\n"
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
