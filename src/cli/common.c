/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small things that several verbs need.
 */
#include "cli/cli_private.h"

#include <unistd.h>

void cli_print_error(const struct cl_error *err)
{
    cl_auto_free char *text = cl_escape_terminal(err->text);
    (void)fprintf(stderr, "cloche: %s\n", text == NULL ? "out of memory" : text);
}

int cli_engine(struct cli *cli, bool recover, struct engine **ret, struct cl_error *err)
{
    int result = 0;
    if (cli->engine == NULL)
        result = engine_open(&cli->engine_options, &cli->engine, err);
    if (result >= 0 && recover)
        result = engine_recover(cli->engine, err);
    if (result < 0)
        return result;
    *ret = cli->engine;
    return 0;
}

int cli_for_each(struct cli *cli, char **references,
                 int (*act)(struct engine *engine, const char *reference, void *context,
                            struct cl_error *err),
                 void *context, struct cl_error *err)
{
    struct engine *engine;
    int failures = 0;
    int result = cli_engine(cli, true, &engine, err);
    if (result < 0)
        return result;
    for (; *references != NULL; references++) {
        struct cl_error failure = { 0 };
        if (act(engine, *references, context, &failure) < 0) {
            cli_print_error(&failure);
            failures++;
        } else {
            (void)puts(*references);
            (void)fflush(stdout); /* seen at once, also through a pipe; checked at the end */
        }
    }
    result = cli_flush(err);
    return result < 0 ? result : failures > 0;
}

const char *cli_short_id(const char *id, bool no_trunc, char buffer[static 72])
{
    const char *hex = cl_starts_with(id, "sha256:") && !no_trunc ? id + strlen("sha256:") : id;
    (void)cl_print(buffer, 72, "%.*s", no_trunc ? 71 : 12, hex);
    return buffer;
}

bool cli_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

int cli_flush(struct cl_error *err)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return cl_fail(err, errno, "write to standard output");
    return 0;
}

int cli_split_filter(const char *text, char key[static 64], const char **ret_value,
                     struct cl_error *err)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || cl_print(key, 64, "%.*s", (int)(equals - text), text) < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "invalid value \"%s\" for --filter: expected KEY=VALUE", text);
    *ret_value = equals + 1;
    return 0;
}
