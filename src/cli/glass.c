/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche glass: the terminal interface. Room glass does the work.
 */
#include "glass/glass.h"

#include <errno.h>

#include "cli/lens.h"

struct glass_verb_options {
    bool ascii, containers, list, poll;
    const char *filter;
    int64_t interval;
};

#define ROW(name, letter, type, argument, text, member)                                            \
    CLI_ROW(name, letter, type, argument, text, struct glass_verb_options, member)
static const struct cli_option options_table[] = {
    ROW("ascii", 0, CLI_FLAG, NULL, "Draw with ASCII only", ascii),
    ROW("containers", 'c', CLI_FLAG, NULL, "Begin with the processes of containers only",
        containers),
    ROW("filter", 0, CLI_STRING, "words", "Begin with this filter", filter),
    ROW("interval", 'i', CLI_DURATION, "duration",
        "Time between two readings where the kernel does not tell what happens (default 1s)",
        interval),
    ROW("list", 'l', CLI_FLAG, NULL, "Begin with a list instead of a tree", list),
    ROW("poll", 0, CLI_FLAG, NULL, "Read at the interval even where the kernel would tell", poll),
};

enum { INTERVAL_MIN_MS = 100, INTERVAL_MAX_MS = 3600000 };

static int take_interval(int64_t interval_ns, unsigned *ret_ms, struct cl_error *err)
{
    int64_t ms = interval_ns / 1000000;
    if (interval_ns != 0 && (ms < INTERVAL_MIN_MS || ms > INTERVAL_MAX_MS))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "--interval has to be between 100ms and 1h");
    *ret_ms = (unsigned)ms;
    return 0;
}

/* Does the environment's locale say UTF-8? */
static bool is_utf8(void)
{
    static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < CL_COUNT(variables); i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && value[0] != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

static int glass(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct glass_verb_options *options = data;
    const struct lens_names names = cli_lens_names(cli);
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    struct glass_options glass = {
        .reference = arguments[0],
        .filter = options->filter,
        .only_containers = options->containers,
        .is_list = options->list,
        .terminal = terminal == NULL || terminal[0] == '\0' ? "unknown" : terminal,
        .is_ascii = options->ascii || !is_utf8(),
        .is_monochrome = no_color != NULL && no_color[0] != '\0',
        .is_polling = options->poll,
    };
    int code = take_interval(options->interval, &glass.interval_ms, err);
    return code < 0 ? code : glass_run(&glass, &names, err);
}

const struct cli_verb cli_verb_glass = {
    .name = "glass",
    .synopsis = "[OPTIONS] [CONTAINER|PID]",
    .summary = "Watch processes as the host and as their containers see them",
    .description =
        "A terminal interface. Left is the host's tree of processes, those of containers in the "
        "container's colour; right, on the same line, the same "
        "process as its container sees it: PID, user and command inside. What has nothing on the "
        "right is the host's own. Below stands which namespaces the "
        "process under the cursor has for itself, and which are the host's. Containers of any "
        "engine are found; processes in a pid or user namespace of no known engine stand as "
        "ns:INODE.\n"
        "\n"
        "Keys: arrows or h j k l, PgUp, PgDn, Home, End; / filters while you type (words that all "
        "have to be found in pid, name, command, user or container), n "
        "and N go from match to match, Esc clears the filter; Enter shows everything about the "
        "process (cloche view), q comes back; t changes between tree and list, c shows only "
        "containers, K kernel threads, too; s sorts by pid, name, user or container; f freezes and "
        "follows again; r reads everything now; ? helps; q quits. With a mouse: click, click "
        "twice, wheel.\n"
        "\n"
        "Where the kernel tells about processes (as root, in the host's network namespace), the "
        "screen changes when something happens; otherwise it is brought up to date at an interval "
        "(--interval). What neither tells, such as a process that enters another "
        "namespace, is found for the rows on the screen at each update, for the rest in turns.\n"
        "\n"
        "It only looks: nothing is executed in a container, and no namespace is entered but as "
        "cloche view does. What may not be read is "
        "shown as hidden; reading other users' processes needs CAP_SYS_PTRACE.\n"
        "\n"
        "Environment: TERM names the terminal; with NO_COLOR there are no colours; a locale in "
        "LC_ALL, LC_CTYPE or LANG that is not UTF-8 makes the drawing ASCII.",
    CLI_OPTIONS(options_table),
    .options_size = sizeof(struct glass_verb_options),
    .max_arguments = 1,
    .run = glass,
};
