/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche logs.
 */
#include "cli/cli_private.h"

struct logs_options {
    bool follow, timestamps;
    const char *since, *until, *tail;
};

#define ROW(name, letter, kind, placeholder, text, member)                                         \
    CLI_ROW(name, letter, kind, placeholder, text, struct logs_options, member)

static const struct cli_option logs_table[] = {
    CLI_REFUSE("details", 0, false, "log lines carry no extra attributes here"),
    ROW("follow", 'f', CLI_FLAG, NULL, "Follow log output", follow),
    ROW("since", 0, CLI_STRING, "string",
        "Show logs since timestamp (2013-01-02T13:23:37Z) or relative (42m)", since),
    ROW("tail", 'n', CLI_STRING, "string", "Number of lines to show from the end of the logs",
        tail),
    ROW("timestamps", 't', CLI_FLAG, NULL, "Show timestamps", timestamps),
    ROW("until", 0, CLI_STRING, "string",
        "Show logs before a timestamp (2013-01-02T13:23:37Z) or relative (42m)", until),
};

static int print_line(void *context, bool is_stderr, int64_t time_ns, const char *text, size_t size)
{
    FILE *out = is_stderr ? stderr : stdout;
    char stamp[40];
    if (*(const bool *)context) {
        cl_format_time_wide(time_ns, stamp);
        (void)fprintf(out, "%s ", stamp);
    }
    (void)fwrite(text, 1, size, out);
    return fflush(out) != 0; /* shown at once, and in order with the other stream */
}

/* A point in time, or a duration before now; plain digits are seconds since the epoch. */
static int parse_when(const char *flag, const char *text, int64_t *ret_ns, struct cl_error *err)
{
    int64_t value;
    if (text == NULL)
        return 0;
    if (cl_parse_i64(text, 0, INT64_MAX / 1000000000, &value) == 0)
        *ret_ns = value * 1000000000;
    else if (cl_parse_duration(text, &value) == 0)
        *ret_ns = cl_now_ns() - value;
    else if (cl_parse_time(text, ret_ns) < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "invalid value \"%s\" for --%s: expected a time or a duration", text,
                            flag);
    return 0;
}

static int logs(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct logs_options *options = data;
    struct engine *engine;
    bool timestamps = options->timestamps;
    struct engine_logs request = { .follow = options->follow,
                                   .want_stdout = true,
                                   .want_stderr = true,
                                   .tail = -1,
                                   .line = print_line,
                                   .context = &timestamps };
    if (options->tail != NULL && !cl_streq(options->tail, "all") &&
        cl_parse_i64(options->tail, 0, INT64_MAX, &request.tail) < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "invalid value \"%s\" for --tail: expected a number or \"all\"",
                            options->tail);
    int result = parse_when("since", options->since, &request.since_ns, err);
    if (result >= 0)
        result = parse_when("until", options->until, &request.until_ns, err);
    if (result >= 0)
        result = cli_engine(cli, true, &engine, err);
    if (result >= 0)
        result = engine_container_logs(engine, arguments[0], &request, err);
    return result < 0 ? result : cli_flush(err);
}

const struct cli_verb cli_verb_logs = {
    .name = "logs",
    .synopsis = "[OPTIONS] CONTAINER",
    .summary = "Fetch the logs of a container",
    .examples = "$ cloche run --name job cloche/busybox sh -c 'echo one; echo two'\n"
                "$ cloche logs -t --tail 1 job\n"
                "$ cloche logs --since 10m job\n"
                "$ cloche rm job\n",
    CLI_OPTIONS(logs_table),
    .options_size = sizeof(struct logs_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = logs,
};
