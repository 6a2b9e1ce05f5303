/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche inspect, cloche container inspect, cloche image inspect: JSON documents, or a Go template over each.
 */
#include "cli/cli_private.h"

struct inspect_options {
    const char *format, *type;
};

#define FORMAT_HELP "Format output using a Go template, or 'json' for one line per object"

static const struct cli_option inspect_table[] = {
    CLI_ROW("format", 'f', CLI_STRING, "string", FORMAT_HELP, struct inspect_options, format),
    CLI_REFUSE("size", 's', false, "sizes of writable layers are not built yet"),
    CLI_ROW("type", 0, CLI_STRING, "string",
            "Only inspect objects of the given type (container|image)", struct inspect_options,
            type),
};

static const struct cli_option typed_table[] = {
    CLI_ROW("format", 'f', CLI_STRING, "string", FORMAT_HELP, struct inspect_options, format),
};

static int find_object(struct engine *engine, const char *reference, const char *type,
                       struct cl_json **ret, struct cl_error *err)
{
    if (cl_streq(type, "image"))
        return engine_image_inspect(engine, reference, ret, err);
    struct cl_error failure = { 0 };
    int result = engine_container_inspect(engine, reference, ret, &failure);
    if (result == -ENOENT && !cl_streq(type, "container")) {
        failure = (struct cl_error){ 0 };
        result = engine_image_inspect(engine, reference, ret, &failure);
        if (result == -ENOENT)
            return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT, "no such object: %s", reference);
    }
    if (result < 0)
        *err = failure;
    return result;
}

static int print_formatted(const struct cl_json *array, const char *format, struct cl_error *err)
{
    struct cli_format *renderer = NULL;
    int result = cli_format_new(format, "json", &renderer, err);
    for (size_t i = 0; result >= 0 && i < cl_json_count(array); i++)
        result = cli_format_row(renderer, cl_json_ref(cl_json_at(array, i)), err);
    if (result >= 0)
        result = cli_format_finish(renderer, stdout, err);
    cli_format_free(renderer);
    return result;
}

static int print_objects(const struct cl_json *array, const char *format, struct cl_error *err)
{
    if (format != NULL && format[0] != '\0')
        return print_formatted(array, format, err);
    cl_auto_free char *text = cl_json_text(array, 4);
    if (text == NULL)
        return cl_fail(err, ENOMEM, "print the objects");
    (void)puts(text);
    return cli_flush(err);
}

/* What was found is printed even when something else was not, as Docker does. */
static int inspect_all(struct cli *cli, const struct inspect_options *options, const char *type,
                       char **references, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *array = cl_json_array();
    struct cl_error failure = { 0 };
    struct engine *engine;
    int result = cli_engine(cli, true, &engine, err);
    if (result < 0)
        return result;
    for (; *references != NULL; references++) {
        struct cl_json *object = NULL;
        if (failure.code < 0)
            cli_print_error(&failure);
        failure.code = 0;
        if (find_object(engine, *references, type, &object, &failure) >= 0 &&
            cl_json_add(array, object) < 0)
            return cl_fail(err, ENOMEM, "collect the objects");
    }
    result = print_objects(array, options->format, err);
    if (result >= 0 && failure.code < 0) {
        cli_print_error(&failure);
        return 1;
    }
    return result;
}

static int inspect(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct inspect_options *options = data;
    const char *type = options->type == NULL ? "" : options->type;
    if (type[0] != '\0' && !cl_streq(type, "container") && !cl_streq(type, "image"))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "\"%s\" is not a valid value for --type: container and image are",
                            type);
    return inspect_all(cli, options, type, arguments, err);
}

static int container_inspect(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    return inspect_all(cli, data, "container", arguments, err);
}

static int image_inspect(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    return inspect_all(cli, data, "image", arguments, err);
}

const struct cli_verb cli_verb_inspect = {
    .name = "inspect",
    .synopsis = "[OPTIONS] NAME|ID [NAME|ID...]",
    .summary = "Return low-level information on containers and images",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche inspect --format '{{.State.Status}} {{.State.Pid}}' web\n"
                "$ cloche inspect --format '{{json .Config.Env}}' web\n"
                "$ cloche inspect --format '{{range .Config.Cmd}}{{.}} {{end}}' web\n"
                "$ cloche rm -f web\n"
                "$ cloche inspect --format '{{.Architecture}}' cloche/busybox\n",
    CLI_OPTIONS(inspect_table),
    .options_size = sizeof(struct inspect_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .run = inspect,
};

const struct cli_verb cli_verb_container_inspect = {
    .name = "container inspect",
    .synopsis = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Display detailed information on one or more containers",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche container inspect --format '{{ json .State }}' web\n"
                "$ cloche rm -f web\n",
    CLI_OPTIONS(typed_table),
    .options_size = sizeof(struct inspect_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .run = container_inspect,
};

const struct cli_verb cli_verb_image_inspect = {
    .name = "image inspect",
    .synopsis = "[OPTIONS] IMAGE [IMAGE...]",
    .summary = "Display detailed information on one or more images",
    .examples = "$ cloche run --rm cloche/busybox true\n"
                "$ cloche image inspect --format '{{json .Config.Cmd}}' cloche/busybox\n",
    CLI_OPTIONS(typed_table),
    .options_size = sizeof(struct inspect_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .run = image_inspect,
};
