/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsns's output: the table with its tree, or util-linux's JSON ({"namespaces":[…]}, lower-case keys, children nested, empty cells null). An empty
 * table prints nothing, as util-linux's.
 */
#include "lens/lsns.h"

#include <errno.h>

#define CELL_MAX  (1U << 20)
#define DEPTH_MAX 512 /* of nested JSON children; deeper ones are left on that level */

/* Where the walk over the lines is. Lines are visited depth first, in the order in which they were made. */
struct walk {
    const struct lens_lines *lines;
    uint32_t line;
    unsigned depth;
};

static uint32_t next_root(const struct lens_lines *lines, uint32_t from)
{
    while (from < lines->count && lines->lines[from].parent != LENS_NONE)
        from++;
    return from < lines->count ? from : LENS_NONE;
}

static void walk_next(struct walk *walk)
{
    const struct lens_line *lines = walk->lines->lines;
    uint32_t at = walk->line;
    if (lines[at].first_child != LENS_NONE) {
        walk->line = lines[at].first_child;
        walk->depth++;
        return;
    }
    while (lines[at].parent != LENS_NONE && lines[at].next == LENS_NONE) {
        at = lines[at].parent;
        walk->depth--;
    }
    walk->line = lines[at].parent != LENS_NONE ? lines[at].next : next_root(walk->lines, at + 1);
}

/* ---- table ---- */

static enum lens_column tree_column(const struct lsns *lsns)
{
    if (lsns->tree == LENS_TREE_NONE)
        return LENS_COLUMN_COUNT;
    return lsns->tree == LENS_TREE_PROCESS ? LENS_COLUMN_COMMAND : LENS_COLUMN_NS;
}

static int add_headings(const struct lsns *lsns, struct cl_table *table)
{
    int code = 0;
    for (size_t i = 0; code >= 0 && i < lsns->columns.count; i++) {
        enum lens_column id = lsns->columns.ids[i];
        unsigned flags = lens_columns[id].flags;
        if (id == tree_column(lsns))
            flags = (flags & ~(unsigned)CL_COLUMN_RIGHT) | CL_COLUMN_TREE;
        if (lsns->options->no_truncate)
            flags &= ~(unsigned)CL_COLUMN_TRUNCATE;
        code = cl_table_column(table, lens_columns[id].name, (enum cl_column_flags)flags);
    }
    return code;
}

static int widest_cell(const struct lsns *lsns, enum lens_column id, size_t *ret)
{
    size_t widest = 0;
    for (size_t i = 0; i < lsns->lines.count; i++) {
        cl_auto_buf buf = CL_BUF_INIT(CELL_MAX);
        lens_columns[id].fill(&lsns->sight, &lsns->lines.lines[i].row, &buf);
        if (buf.failed < 0)
            return buf.failed;
        widest = buf.size > widest ? buf.size : widest;
    }
    *ret = widest;
    return 0;
}

/*
 * util-linux gives some columns a least width, but only where the heading is not wider than the data; and a heading that is not
 * printed still counts. One widened cell does it.
 */
static int measure_pads(struct lsns *lsns)
{
    for (size_t i = 0; i < lsns->columns.count; i++) {
        const struct lens_column_info *info = &lens_columns[lsns->columns.ids[i]];
        size_t widest, heading = strlen(info->name);
        bool is_last = i + 1 == lsns->columns.count && (info->flags & CL_COLUMN_RIGHT) == 0;
        if (is_last || (info->width == 0 && !lsns->options->no_headings))
            continue;
        int code = widest_cell(lsns, lsns->columns.ids[i], &widest);
        if (code < 0)
            return code;
        if (widest < heading)
            lsns->pads[i] = (unsigned)heading;
        else if (widest < info->width)
            lsns->pads[i] = info->width;
    }
    return 0;
}

/* One cell; a cell of several lines gives its part-th. *more: there are further parts. */
static int add_cell(const struct lsns *lsns, struct cl_table *table, const struct walk *walk,
                    size_t shown, unsigned part, bool *more)
{
    enum lens_column id = lsns->columns.ids[shown];
    const struct lens_line *line = &walk->lines->lines[walk->line];
    cl_auto_buf buf = CL_BUF_INIT(CELL_MAX);
    bool has_parts = id == LENS_COLUMN_NSFS && !lsns->sight.no_wrap;
    if (part > 0 && !has_parts)
        return cl_table_cell(table, NULL);
    lens_columns[id].fill(&lsns->sight, &line->row, &buf);
    if (buf.failed < 0)
        return buf.failed;
    char *text = buf.data;
    for (unsigned i = 0; text != NULL && i < part; i++) {
        text = strchr(text, '\n');
        text = text == NULL ? NULL : text + 1;
    }
    char *end = has_parts && text != NULL ? strchr(text, '\n') : NULL;
    if (end != NULL) {
        *end = '\0';
        *more = true;
    }
    if (id == tree_column(lsns))
        return cl_table_cell_tree(table, walk->depth, line->next == LENS_NONE, text);
    int pad = walk->line == 0 && part == 0 ? (int)lsns->pads[shown] : 0;
    if (pad > 0)
        return cl_table_cellf(table, "%*s", (lens_columns[id].flags & CL_COLUMN_RIGHT) ? pad : -pad,
                              text == NULL ? "" : text);
    return cl_table_cell(table, text);
}

static int add_line(const struct lsns *lsns, struct cl_table *table, const struct walk *walk)
{
    bool more = true;
    for (unsigned part = 0; more; part++) {
        more = false;
        int code = cl_table_row(table);
        for (size_t i = 0; code >= 0 && i < lsns->columns.count; i++)
            code = add_cell(lsns, table, walk, i, part, &more);
        if (code < 0)
            return code;
    }
    return 0;
}

static int print_table(struct lsns *lsns, FILE *out)
{
    const struct lens_lsns_options *options = lsns->options;
    unsigned output = (options->raw ? CL_TABLE_RAW : 0U) |
                      (options->no_headings ? CL_TABLE_NO_HEADINGS : 0U) |
                      (options->ascii ? CL_TABLE_ASCII : 0U);
    if (lsns->lines.count == 0)
        return 0;
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    if (table == NULL)
        return -ENOMEM;
    int code = options->raw ? 0 : measure_pads(lsns);
    if (code >= 0)
        code = add_headings(lsns, table);
    struct walk walk = { .lines = &lsns->lines, .line = next_root(&lsns->lines, 0) };
    for (; code >= 0 && walk.line != LENS_NONE; walk_next(&walk))
        code = add_line(lsns, table, &walk);
    return code < 0 ? code
                    : cl_table_print(table, out, (enum cl_table_output)output,
                                     options->raw ? 0 : options->width);
}

/* ---- JSON ---- */

static int set_cell(const struct lsns *lsns, struct cl_json *object, const struct lens_row *row,
                    enum lens_column id)
{
    const struct lens_column_info *info = &lens_columns[id];
    cl_auto_buf buf = CL_BUF_INIT(CELL_MAX);
    char key[32];
    size_t length = strlen(info->name);
    for (size_t i = 0; i <= length; i++)
        key[i] = info->name[i] >= 'A' && info->name[i] <= 'Z' ? (char)(info->name[i] - 'A' + 'a')
                                                              : info->name[i];
    info->fill(&lsns->sight, row, &buf);
    if (buf.failed < 0)
        return buf.failed;
    uint64_t number;
    if (buf.size == 0)
        return cl_json_set(object, key, cl_json_null());
    if (info->is_number && cl_parse_u64(buf.data, 0, UINT64_MAX, &number) >= 0)
        return cl_json_set(object, key, cl_json_from_u64(number));
    return cl_json_set_string(object, key, buf.data);
}

static struct cl_json *line_json(const struct lsns *lsns, const struct lens_line *line)
{
    CL_AUTO(cl_json_unref) struct cl_json *object = cl_json_object();
    for (size_t i = 0; object != NULL && i < lsns->columns.count; i++)
        if (set_cell(lsns, object, &line->row, lsns->columns.ids[i]) < 0)
            return NULL;
    return cl_take(object);
}

/* Lines to nested objects. arrays[d] collects the lines of depth d; a line's children hang in it as soon as the first is met. */
static int fill_json(const struct lsns *lsns, struct cl_json *top)
{
    cl_auto_free struct cl_json **arrays = cl_calloc(DEPTH_MAX + 1, sizeof *arrays); /* borrowed */
    if (arrays == NULL)
        return -ENOMEM;
    arrays[0] = top;
    struct walk walk = { .lines = &lsns->lines, .line = next_root(&lsns->lines, 0) };
    for (; walk.line != LENS_NONE; walk_next(&walk)) {
        const struct lens_line *line = &lsns->lines.lines[walk.line];
        unsigned depth = walk.depth < DEPTH_MAX ? walk.depth : DEPTH_MAX;
        struct cl_json *object = line_json(lsns, line);
        if (object == NULL)
            return -ENOMEM;
        int code = 0;
        if (line->first_child != LENS_NONE && walk.depth < DEPTH_MAX) {
            arrays[depth + 1] = cl_json_array();
            code = cl_json_set(object, "children", arrays[depth + 1]);
        }
        int added = cl_json_add(arrays[depth], object);
        if (code < 0 || added < 0)
            return -ENOMEM;
    }
    return 0;
}

static int set_hidden(const struct lsns *lsns, struct cl_json *document)
{
    struct cl_json *hidden = cl_json_object();
    int code = cl_json_set_int(hidden, "processes", (int64_t)lsns->snapshot->hidden_count);
    if (code >= 0)
        code = cl_json_set_int(hidden, "first", lsns->snapshot->first_hidden);
    if (code >= 0)
        code = cl_json_set_string(hidden, "needs", "CAP_SYS_PTRACE");
    int set = cl_json_set(document, "hidden", hidden);
    return code < 0 ? code : set;
}

static int write_json(const struct cl_json *document, FILE *out)
{
    cl_auto_free char *text = cl_json_text(document, 3);
    if (text == NULL)
        return -ENOMEM;
    return cl_print_text(out, text);
}

static int print_json(const struct lsns *lsns, FILE *out)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = cl_json_object();
    struct cl_json *top = cl_json_array();
    int code = cl_json_set(document, "namespaces", top);
    if (code >= 0)
        code = fill_json(lsns, top);
    if (code >= 0 && lsns->snapshot->hidden_count > 0)
        code = set_hidden(lsns, document);
    return code < 0 ? code : write_json(document, out);
}

/* ---- both ---- */

static void drop_container_column(struct lsns *lsns)
{
    for (size_t i = 0; i < lsns->lines.count; i++) {
        cl_auto_buf buf = CL_BUF_INIT(CELL_MAX);
        lens_columns[LENS_COLUMN_CONTAINER].fill(&lsns->sight, &lsns->lines.lines[i].row, &buf);
        if (buf.size > 0)
            return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < lsns->columns.count; i++)
        if (lsns->columns.ids[i] != LENS_COLUMN_CONTAINER)
            lsns->columns.ids[kept++] = lsns->columns.ids[i];
    lsns->columns.count = kept;
}

int lsns_print(struct lsns *lsns, FILE *out, struct cl_error *err)
{
    if (lsns->may_drop_container)
        drop_container_column(lsns);
    int code = lsns->options->json ? print_json(lsns, out) : print_table(lsns, out);
    return code < 0 ? cl_fail(err, code, "print namespaces") : 0;
}

/* ---- --list-columns ---- */

static int columns_json(FILE *out)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = cl_json_object();
    struct cl_json *array = cl_json_array();
    int code = cl_json_set(document, "lsns-columns", array);
    for (int id = 0; code >= 0 && id < LENS_COLUMN_COUNT; id++) {
        struct cl_json *object = cl_json_object();
        int a = cl_json_set_string(object, "holder", lens_columns[id].name);
        int b =
            cl_json_set_string(object, "type", lens_columns[id].is_number ? "number" : "string");
        int c = cl_json_set_string(object, "description", lens_columns[id].help);
        code = cl_json_add(array, object);
        code = a < 0 || b < 0 || c < 0 ? -ENOMEM : code;
    }
    return code < 0 ? code : write_json(document, out);
}

static int columns_table(const struct lens_lsns_options *options, FILE *out)
{
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    if (table == NULL)
        return -ENOMEM;
    int code = cl_table_column(table, "HOLDER", CL_COLUMN_RIGHT);
    if (code >= 0)
        code = cl_table_column(table, "TYPE", CL_COLUMN_LEFT);
    if (code >= 0)
        code = cl_table_column(table, "DESCRIPTION", CL_COLUMN_LEFT);
    for (int id = 0; code >= 0 && id < LENS_COLUMN_COUNT; id++) {
        const struct lens_column_info *info = &lens_columns[id];
        code = cl_table_row(table);
        if (code >= 0)
            code = cl_table_cell(table, info->name);
        if (code >= 0)
            code = cl_table_cell(table, info->is_number ? "<number>" : "<string>");
        if (code >= 0)
            code = cl_table_cell(table, info->help);
    }
    enum cl_table_output output = options->raw ? CL_TABLE_RAW : CL_TABLE_NO_HEADINGS;
    return code < 0 ? code : cl_table_print(table, out, output, 0);
}

int lsns_print_columns(const struct lens_lsns_options *options, FILE *out, struct cl_error *err)
{
    int code = options->json ? columns_json(out) : columns_table(options, out);
    return code < 0 ? cl_fail(err, code, "list columns") : 0;
}
