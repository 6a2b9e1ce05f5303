/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --format: "table TEMPLATE", "json", or a Go template, run over each row of a list.
 *
 * A table's heading comes from the template itself, as in Docker: the row whose every field is its own heading. So verbs hand over rows whose field names have headings in the
 * table below.
 */
#include "cli/cli_private.h"

#define OUTPUT_MAX (16u << 20)

struct cli_format {
    bool is_table, is_json;
    struct cl_template *template_;
    struct cl_buf lines; /* rendered rows, one a line; a table's cells separated by tabs */
};

static const struct {
    const char *field, *heading;
} headings[] = {
    { "Command", "COMMAND" },
    { "Comment", "COMMENT" },
    { "Containers", "CONTAINERS" },
    { "CreatedAt", "CREATED AT" },
    { "CreatedSince", "CREATED" },
    { "Digest", "DIGEST" },
    { "ID", "CONTAINER ID" },
    { "Image", "IMAGE" },
    { "ImageID", "IMAGE ID" },
    { "Labels", "LABELS" },
    { "LocalVolumes", "LOCAL VOLUMES" },
    { "Mounts", "MOUNTS" },
    { "Names", "NAMES" },
    { "Networks", "NETWORKS" },
    { "Ports", "PORTS" },
    { "Repository", "REPOSITORY" },
    { "RunningFor", "CREATED" },
    { "Size", "SIZE" },
    { "State", "STATE" },
    { "Status", "STATUS" },
    { "Tag", "TAG" },
};

void cli_format_free(struct cli_format *format)
{
    if (format == NULL)
        return;
    cl_template_free(format->template_);
    cl_buf_done(&format->lines);
    free(format);
}
CL_DEFINE_AUTO(struct cli_format, cli_format_free)

/* In a table "\t" separates cells; Docker's users write it as two characters. */
static char *unescape(const char *text)
{
    cl_auto_buf out = CL_BUF_INIT(64 * 1024);
    for (; *text != '\0'; text++) {
        if (text[0] == '\\' && (text[1] == 't' || text[1] == 'n')) {
            cl_buf_char(&out, text[1] == 't' ? '\t' : '\n');
            text++;
        } else {
            cl_buf_char(&out, *text);
        }
    }
    return cl_buf_take(&out);
}

int cli_format_new(const char *text, const char *default_table, struct cli_format **ret,
                   struct cl_error *err)
{
    CL_AUTO(cli_format_free) struct cli_format *format = cl_calloc(1, sizeof *format);
    if (format == NULL)
        return cl_fail(err, ENOMEM, "read the format");
    format->lines = (struct cl_buf)CL_BUF_INIT(OUTPUT_MAX);
    if (text == NULL || text[0] == '\0' || cl_streq(text, "table"))
        text = default_table;
    format->is_json = cl_streq(text, "json");
    format->is_table = cl_starts_with(text, "table ");
    if (!format->is_json) {
        cl_auto_free char *body = unescape(format->is_table ? text + strlen("table ") : text);
        if (body == NULL)
            return cl_fail(err, ENOMEM, "read the format");
        int result = cl_template_parse(body, &format->template_, err);
        if (result < 0)
            return result;
    }
    *ret = cl_take(format);
    return 0;
}

static int render(struct cli_format *format, const struct cl_json *row, struct cl_error *err)
{
    int result = 0;
    if (format->is_json) {
        cl_auto_free char *text = cl_json_text(row, CL_JSON_COMPACT);
        if (text == NULL)
            return cl_fail(err, ENOMEM, "format a row");
        cl_buf_str(&format->lines, text);
    } else {
        result = cl_template_run(format->template_, row, &format->lines, err);
    }
    cl_buf_char(&format->lines, '\n');
    return result < 0                 ? result
           : format->lines.failed < 0 ? cl_fail(err, format->lines.failed, "format a row")
                                      : 0;
}

static int render_heading(struct cli_format *format, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *row = cl_json_object();
    if (row == NULL)
        return cl_fail(err, ENOMEM, "format the headings");
    for (size_t i = 0; i < CL_COUNT(headings); i++)
        if (cl_json_set_string(row, headings[i].field, headings[i].heading) < 0)
            return cl_fail(err, ENOMEM, "format the headings");
    return render(format, row, err);
}

int cli_format_row(struct cli_format *format, struct cl_json *take_row, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *row = take_row;
    if (row == NULL)
        return cl_fail(err, ENOMEM, "format a row");
    return render(format, row, err);
}

/* One line of cells, split at tabs, into the table. */
static int add_cells(struct cl_table *table, char *line, bool is_heading)
{
    int result = is_heading ? 0 : cl_table_row(table);
    while (result >= 0) {
        size_t length = strcspn(line, "\t");
        bool is_last = line[length] == '\0';
        line[length] = '\0';
        result =
            is_heading ? cl_table_column(table, line, CL_COLUMN_LEFT) : cl_table_cell(table, line);
        if (is_last)
            break;
        line += length + 1;
    }
    return result;
}

static int print_table(char *text, FILE *out)
{
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_DOCKER);
    bool is_heading = true;
    int result = table == NULL ? -ENOMEM : 0;
    for (char *line = text; result >= 0 && *line != '\0';) {
        char *end = strchr(line, '\n');
        *end = '\0'; /* every row was ended by one */
        result = add_cells(table, line, is_heading);
        is_heading = false;
        line = end + 1;
    }
    return result < 0 ? result : cl_table_print(table, out, CL_TABLE_PLAIN, 0);
}

int cli_format_finish(struct cli_format *format, FILE *out, struct cl_error *err)
{
    if (!format->is_table) {
        if (format->lines.size > 0 && fputs(format->lines.data, out) == EOF)
            return cl_fail(err, errno, "write to standard output");
        return cli_flush(err);
    }
    cl_auto_free char *rows = cl_buf_take(&format->lines);
    format->lines = (struct cl_buf)CL_BUF_INIT(OUTPUT_MAX);
    int result =
        rows == NULL ? cl_fail(err, ENOMEM, "format the table") : render_heading(format, err);
    if (result < 0)
        return result;
    cl_buf_str(&format->lines, rows);
    cl_auto_free char *all = cl_buf_take(&format->lines);
    if (all == NULL)
        return cl_fail(err, ENOMEM, "format the table");
    result = print_table(all, out);
    return result < 0 ? cl_fail(err, result, "write to standard output") : cli_flush(err);
}
