/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche ps.
 */
#include "cli/cli_private.h"

struct ps_options {
    bool all, latest, no_trunc, quiet;
    int64_t last;
    const char *format;
    const char **filter;
};

#define ROW(name, letter, kind, placeholder, text, member)                                         \
    CLI_ROW(name, letter, kind, placeholder, text, struct ps_options, member)

static const struct cli_option ps_table[] = {
    ROW("all", 'a', CLI_FLAG, NULL, "Show all containers (default shows just running)", all),
    ROW("filter", 'f', CLI_LIST, "filter",
        "Filter output (id, name, label, status, ancestor, exited)", filter),
    ROW("format", 0, CLI_STRING, "string",
        "Format output: 'table', 'table TEMPLATE', 'json', or a Go template", format),
    { .name = "last",
      .letter = 'n',
      .type = CLI_INT,
      .argument = "int",
      .help = "Show n last created containers (includes all states)",
      .offset = offsetof(struct ps_options, last),
      .initial = -1 },
    ROW("latest", 'l', CLI_FLAG, NULL, "Show the latest created container (includes all states)",
        latest),
    ROW("no-trunc", 0, CLI_FLAG, NULL, "Don't truncate output", no_trunc),
    ROW("quiet", 'q', CLI_FLAG, NULL, "Only display container IDs", quiet),
    CLI_REFUSE("size", 's', false, "sizes of writable layers are not built yet"),
};

#define DEFAULT_TABLE                                                                              \
    "table {{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Ports}}\\t"    \
    "{{.Names}}"

/* ---- one row ---- */

static char *command_text(const struct engine_view *view, bool no_trunc)
{
    cl_auto_buf words = CL_BUF_INIT(1 << 20);
    for (char **word = view->config->entrypoint; word != NULL && *word != NULL; word++)
        cl_buf_printf(&words, "%s%s", words.size > 0 ? " " : "", *word);
    for (char **word = view->config->command; word != NULL && *word != NULL; word++)
        cl_buf_printf(&words, "%s%s", words.size > 0 ? " " : "", *word);
    const char *text = words.data == NULL ? "" : words.data;
    if (no_trunc || strlen(text) <= 20)
        return cl_format("\"%s\"", text);
    int length = 19;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--; /* not in the middle of a character */
    return cl_format("\"%.*s…\"", length, text);
}

static char *label_text(char *const *labels)
{
    cl_auto_buf text = CL_BUF_INIT(1 << 20);
    for (; labels != NULL && *labels != NULL; labels++)
        cl_buf_printf(&text, "%s%s", text.size > 0 ? "," : "", *labels);
    return cl_buf_take(&text);
}

static struct cl_json *row_object(const struct engine_view *view, bool no_trunc)
{
    char id[72], status[80], age[40], created[40];
    cl_auto_free char *command = command_text(view, no_trunc);
    cl_auto_free char *labels = label_text(view->config->labels);
    cl_human_duration(cl_now_ns() - view->row->created_ns, age);
    cl_auto_free char *running_for = cl_format("%s ago", age);
    cl_format_time(view->row->created_ns, created);
    engine_status_text(view, status);
    const struct {
        const char *key, *value;
    } cells[] = {
        { "Command", command },
        { "CreatedAt", created },
        { "ID", cli_short_id(view->row->id, no_trunc, id) },
        { "Image", view->row->image_name },
        { "Labels", labels },
        { "LocalVolumes", "0" },
        { "Mounts", "" },
        { "Names", view->row->name },
        { "Networks", view->config->network_mode },
        { "Ports", "" },
        { "RunningFor", running_for },
        { "Size", "" },
        { "State", wire_status_name(view->state.status) },
        { "Status", status },
    };
    CL_AUTO(cl_json_unref) struct cl_json *row = cl_json_object();
    for (size_t i = 0; i < CL_COUNT(cells); i++)
        if (cells[i].value == NULL || cl_json_set_string(row, cells[i].key, cells[i].value) < 0)
            return NULL;
    return cl_take(row);
}

/* ---- filters ---- */

static bool has_label(char *const *labels, const char *wanted)
{
    size_t length = strlen(wanted);
    for (; labels != NULL && *labels != NULL; labels++)
        if (cl_streq(*labels, wanted) ||
            (strchr(wanted, '=') == NULL && strncmp(*labels, wanted, length) == 0 &&
             (*labels)[length] == '='))
            return true;
    return false;
}

/* 1: kept, 0: left out, negative: no such filter. */
static int matches(const struct engine_view *view, const char *filter, struct cl_error *err)
{
    char key[64];
    const char *value;
    int64_t code;
    int result = cli_split_filter(filter, key, &value, err);
    if (result < 0)
        return result;
    if (cl_streq(key, "id"))
        return cl_starts_with(view->row->id, value);
    if (cl_streq(key, "name"))
        return strstr(view->row->name, value) != NULL;
    if (cl_streq(key, "status"))
        return cl_streq(wire_status_name(view->state.status), value);
    if (cl_streq(key, "label"))
        return has_label(view->config->labels, value);
    if (cl_streq(key, "ancestor"))
        return cl_streq(view->row->image_name, value) || cl_starts_with(view->row->image_id, value);
    if (cl_streq(key, "exited"))
        return cl_parse_i64(value, 0, 255, &code) == 0 && view->state.status == WIRE_EXITED &&
               view->state.exit_code == code;
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                        "invalid filter '%s': known are id, name, status, label, ancestor, exited",
                        key);
}

static int matches_all(const struct engine_view *view, const char **filters, struct cl_error *err)
{
    int result = 1;
    for (; result > 0 && filters != NULL && *filters != NULL; filters++)
        result = matches(view, *filters, err);
    return result;
}

/* ---- output ---- */

static int print_quiet(struct engine_view **views, size_t count, const struct ps_options *options,
                       struct cl_error *err)
{
    char id[72];
    for (size_t i = 0; i < count; i++) {
        int kept = matches_all(views[i], options->filter, err);
        if (kept < 0)
            return kept;
        if (kept)
            (void)puts(cli_short_id(views[i]->row->id, options->no_trunc, id));
    }
    return cli_flush(err);
}

static int print_rows(struct engine_view **views, size_t count, const struct ps_options *options,
                      struct cl_error *err)
{
    struct cli_format *format = NULL;
    int result = cli_format_new(options->format, DEFAULT_TABLE, &format, err);
    for (size_t i = 0; result >= 0 && i < count; i++) {
        result = matches_all(views[i], options->filter, err);
        if (result > 0)
            result = cli_format_row(format, row_object(views[i], options->no_trunc), err);
    }
    if (result >= 0)
        result = cli_format_finish(format, stdout, err);
    cli_format_free(format);
    return result;
}

static bool asks_for_status(const char **filters)
{
    for (; filters != NULL && *filters != NULL; filters++)
        if (cl_starts_with(*filters, "status=") || cl_starts_with(*filters, "exited="))
            return true;
    return false;
}

static int ps(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct ps_options *options = data;
    struct engine_view **views = NULL;
    struct engine *engine;
    size_t count = 0;
    int64_t last = options->latest ? 1 : options->last;
    bool all = options->all || last >= 0 || asks_for_status(options->filter);
    int result = cli_engine(cli, true, &engine, err);
    if (result >= 0)
        result = engine_container_list(engine, all, &views, &count, err);
    if (result < 0)
        return result;
    size_t shown = last >= 0 && (size_t)last < count ? (size_t)last : count;
    result = options->quiet ? print_quiet(views, shown, options, err)
                            : print_rows(views, shown, options, err);
    engine_view_list_free(views, count);
    return result;
}

const struct cli_verb cli_verb_ps = {
    .name = "ps",
    .synopsis = "[OPTIONS]",
    .summary = "List containers",
    .examples = "$ cloche ps -a\n"
                "$ cloche ps --format '{{.Names}}: {{.Status}}'\n"
                "$ cloche ps -aq --filter status=exited\n",
    CLI_OPTIONS(ps_table),
    .options_size = sizeof(struct ps_options),
    .max_arguments = 0,
    .run = ps,
};
