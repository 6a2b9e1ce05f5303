/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche ps.
 */
#include "cli/cli_private.h"

#include "base/regex.h"

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

#define COMMAND_WIDTH 20

/* Docker's spelling: arguments with a space stand in single quotes. */
static char *command_line(const struct engine_config *config)
{
    cl_auto_buf words = CL_BUF_INIT(1 << 20);
    char **const parts[] = { config->entrypoint, config->command };
    bool is_first = true;
    for (size_t i = 0; i < CL_COUNT(parts); i++) {
        for (char **word = parts[i]; word != NULL && *word != NULL; word++) {
            const char *quote = !is_first && strchr(*word, ' ') != NULL ? "'" : "";
            cl_buf_printf(&words, "%s%s%s%s", is_first ? "" : " ", quote, *word, quote);
            is_first = false;
        }
    }
    return words.size == 0 ? cl_strdup("") : cl_buf_take(&words);
}

/* The first `width` characters at most, the last of them an ellipsis where it was longer. */
static void shorten(char *text, size_t width)
{
    size_t characters = 0, cut = 0;
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (((unsigned char)text[i] & 0xc0) == 0x80)
            continue; /* inside a character */
        characters++;
        if (characters == width)
            cut = i;
    }
    if (characters > width)
        text[cut] = '\0';
}

/* In double quotes, as Go writes a string; bytes that are no text are left to the table, which escapes them. */
static char *command_text(const struct engine_view *view, bool no_trunc)
{
    static const char controls[] = "\a\b\f\n\r\t\v", names[] = "abfnrtv";
    cl_auto_buf out = CL_BUF_INIT(4 << 20);
    cl_auto_free char *line = command_line(view->config);
    if (line == NULL)
        return NULL;
    size_t length = strlen(line);
    if (!no_trunc)
        shorten(line, COMMAND_WIDTH);
    cl_buf_char(&out, '"');
    for (const char *at = line; *at != '\0'; at++) {
        const char *control = strchr(controls, *at);
        if (control != NULL)
            cl_buf_printf(&out, "\\%c", names[control - controls]);
        else if (*at == '"' || *at == '\\')
            cl_buf_printf(&out, "\\%c", *at);
        else if ((unsigned char)*at < 0x20 || *at == 0x7f)
            cl_buf_printf(&out, "\\x%02x", (unsigned)*at);
        else
            cl_buf_char(&out, *at);
    }
    cl_buf_str(&out, strlen(line) < length ? "…\"" : "\"");
    return cl_buf_take(&out);
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

/* A regular expression, as Docker's; what is none is looked for as it is. */
static bool name_matches(const char *name, const char *pattern)
{
    regex_t expression;
    if (cl_regex_compile(&expression, pattern) < 0)
        return strstr(name, pattern) != NULL;
    bool found = regexec(&expression, name, 0, NULL, 0) == 0;
    regfree(&expression);
    return found;
}

static bool by_id(const struct engine_view *view, const char *value)
{
    return cl_starts_with(view->row->id, value);
}

static bool by_name(const struct engine_view *view, const char *value)
{
    return name_matches(view->row->name, value[0] == '/' ? value + 1 : value);
}

static bool by_status(const struct engine_view *view, const char *value)
{
    return cl_streq(wire_status_name(view->state.status), value);
}

static bool by_label(const struct engine_view *view, const char *value)
{
    return has_label(view->config->labels, value);
}

static bool by_ancestor(const struct engine_view *view, const char *value)
{
    const char *name = view->row->image_name;
    const char *hex = view->row->image_id + strlen("sha256:");
    struct oci_reference own, wanted;
    if (cl_streq(name, value) || cl_starts_with(view->row->image_id, value) ||
        (strlen(value) >= 12 && cl_starts_with(hex, value)))
        return true;
    if (oci_reference_parse(name, &own, NULL) < 0 || oci_reference_parse(value, &wanted, NULL) < 0)
        return false;
    oci_reference_default_tag(&own);
    oci_reference_default_tag(&wanted);
    return oci_reference_equal(&own, &wanted);
}

static bool by_exit(const struct engine_view *view, const char *value)
{
    int64_t code;
    return cl_parse_i64(value, 0, 255, &code) == 0 && view->state.status == WIRE_EXITED &&
           view->state.exit_code == code;
}

/* Several values of one key: one of them has to match, of labels every one. */
static const struct filter {
    const char *key;
    bool (*matches)(const struct engine_view *view, const char *value);
    bool needs_all;
} known_filters[] = {
    { "id", by_id, false },      { "name", by_name, false },         { "status", by_status, false },
    { "label", by_label, true }, { "ancestor", by_ancestor, false }, { "exited", by_exit, false },
};

static bool passes(const struct engine_view *view, const struct filter *filter, const char **given)
{
    size_t asked = 0, matched = 0, length = strlen(filter->key);
    for (; given != NULL && *given != NULL; given++) {
        if (strncmp(*given, filter->key, length) != 0 || (*given)[length] != '=')
            continue;
        asked++;
        matched += filter->matches(view, *given + length + 1);
    }
    return asked == 0 || (filter->needs_all ? matched == asked : matched > 0);
}

static bool passes_all(const struct engine_view *view, const char **given)
{
    for (size_t i = 0; i < CL_COUNT(known_filters); i++)
        if (!passes(view, &known_filters[i], given))
            return false;
    return true;
}

/* Docker's statuses; ours are some of them. */
static int check_status(const char *value, struct cl_error *err)
{
    static const char *const known[] = { "created", "running",  "paused", "restarting",
                                         "exited",  "removing", "dead",   NULL };
    if (cl_strv_has(known, value))
        return 0;
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                        "invalid filter 'status=%s': expected created, running, paused or exited",
                        value);
}

static int check_filters(const char **given, struct cl_error *err)
{
    for (; given != NULL && *given != NULL; given++) {
        char key[64];
        const char *value;
        bool is_known = false;
        int64_t code;
        int result = cli_split_filter(*given, key, &value, err);
        if (result < 0)
            return result;
        for (size_t i = 0; i < CL_COUNT(known_filters); i++)
            is_known = is_known || cl_streq(known_filters[i].key, key);
        if (!is_known)
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                "invalid filter '%s': known are id, name, status, label, "
                                "ancestor, exited",
                                key);
        if (cl_streq(key, "status") && (result = check_status(value, err)) < 0)
            return result;
        if (cl_streq(key, "exited") && cl_parse_i64(value, 0, 255, &code) < 0)
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                "invalid filter 'exited=%s': expected 0 to 255", value);
    }
    return 0;
}

/* What passes comes to the front, in the same order; returns how many that are. */
static size_t move_wanted(struct engine_view **views, size_t count, const char **given)
{
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        if (!passes_all(views[i], given))
            continue;
        struct engine_view *view = views[i];
        views[i] = views[wanted];
        views[wanted++] = view;
    }
    return wanted;
}

/* ---- output ---- */

static int print_quiet(struct engine_view **views, size_t count, const struct ps_options *options,
                       struct cl_error *err)
{
    char id[72];
    for (size_t i = 0; i < count; i++)
        (void)puts(cli_short_id(views[i]->row->id, options->no_trunc, id));
    return cli_flush(err);
}

static int print_rows(struct engine_view **views, size_t count, const struct ps_options *options,
                      struct cl_error *err)
{
    struct cli_format *format = NULL;
    int result = cli_format_new(options->format, DEFAULT_TABLE, &format, err);
    for (size_t i = 0; result >= 0 && i < count; i++)
        result = cli_format_row(format, row_object(views[i], options->no_trunc), err);
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
    int result = check_filters(options->filter, err);
    if (result >= 0)
        result = cli_engine(cli, true, &engine, err);
    if (result >= 0)
        result = engine_container_list(engine, all, &views, &count, err);
    if (result < 0)
        return result;
    size_t shown = move_wanted(views, count, options->filter);
    if (last >= 0 && (size_t)last < shown)
        shown = (size_t)last;
    result = options->quiet ? print_quiet(views, shown, options, err)
                            : print_rows(views, shown, options, err);
    engine_view_list_free(views, count);
    return result;
}

const struct cli_verb cli_verb_ps = {
    .name = "ps",
    .synopsis = "[OPTIONS]",
    .summary = "List containers",
    .examples = "$ cloche run -d --name web cloche/busybox sleep 1000\n"
                "$ cloche ps\n"
                "$ cloche ps --format '{{.Names}}: {{.Status}}'\n"
                "$ cloche ps -aq --filter status=exited --filter status=created\n"
                "$ cloche ps -f name='^w' --format 'table {{.ID}}\\t{{.Names}}'\n"
                "$ cloche rm -f web\n",
    CLI_OPTIONS(ps_table),
    .options_size = sizeof(struct ps_options),
    .max_arguments = 0,
    .run = ps,
};
