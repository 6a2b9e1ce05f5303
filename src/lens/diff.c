/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cloche ns diff A B`: two views, and of these only what differs. Plain rows are compared by name; the items of a list (mounts, interfaces) as
 * sets, so that a mount in another order is no difference; a mount point or interface that both have, but otherwise, is one line. A namespace that both share needs no
 * look inside.
 */
#include <errno.h>

#include "lens/proc.h"

#include "lens/view.h"

struct diff_row {
    const char *name;
    bool is_ns;
    const char *a, *b; /* NULL: empty */
};
struct diff {
    struct view a, b;
    struct diff_row *rows;
    size_t count, room;
};

static int add_row(struct diff *diff, const struct view_row *named, const char *a, const char *b)
{
    if (diff->count == diff->room) {
        size_t room = diff->room == 0 ? 64 : diff->room * 2, bytes;
        struct diff_row *bigger = NULL;
        if (cl_mul_size(room, sizeof *bigger, &bytes))
            bigger = cl_realloc(diff->rows, bytes);
        if (bigger == NULL)
            return -ENOMEM;
        diff->rows = bigger;
        diff->room = room;
    }
    diff->rows[diff->count++] = (struct diff_row){
        .name = named->name, .is_ns = strcmp(named->section, "namespace") == 0, .a = a, .b = b
    };
    return 0;
}

static bool is_same_list(const struct view_row *a, const struct view_row *b)
{
    return a->is_item && b->is_item && strcmp(a->section, b->section) == 0 &&
           strcmp(a->name, b->name) == 0;
}

static bool has_item(const struct view *view, const struct view_row *row)
{
    for (size_t i = 0; i < view->count; i++)
        if (is_same_list(&view->rows[i], row) && cl_streq(view->rows[i].inside, row->inside))
            return true;
    return false;
}

/* "/etc/hosts: ext4 …", "eth0: 10.0.0.2/8 …": the same mount point or interface, otherwise. */
static bool is_same_thing(const struct view_row *a, const struct view_row *b)
{
    if (a->inside == NULL || b->inside == NULL)
        return false;
    const char *end = strstr(a->inside, ": ");
    return end != NULL && strncmp(a->inside, b->inside, (size_t)(end - a->inside) + 2) == 0;
}

/* What became of an item that the other side does not have so: the same thing there, unless that is also here. */
static const struct view_row *changed_item(const struct view *own, const struct view *other,
                                           const struct view_row *row)
{
    for (size_t i = 0; i < other->count; i++)
        if (is_same_list(&other->rows[i], row) && is_same_thing(row, &other->rows[i]) &&
            !has_item(own, &other->rows[i]))
            return &other->rows[i];
    return NULL;
}

static const struct view_row *named_row(const struct view *view, const struct view_row *row)
{
    for (size_t i = 0; i < view->count; i++)
        if (!view->rows[i].is_item && strcmp(view->rows[i].section, row->section) == 0 &&
            strcmp(view->rows[i].name, row->name) == 0)
            return &view->rows[i];
    return NULL;
}

/* Items that only B has, and that are no changed ones of A's. */
static int add_only_b(struct diff *diff, const struct view_row *list)
{
    int code = 0;
    for (size_t i = 0; code >= 0 && i < diff->b.count; i++) {
        const struct view_row *row = &diff->b.rows[i];
        if (is_same_list(row, list) && !has_item(&diff->a, row) &&
            changed_item(&diff->b, &diff->a, row) == NULL)
            code = add_row(diff, row, NULL, row->inside);
    }
    return code;
}

static int compare_row(struct diff *diff, size_t index)
{
    const struct view_row *row = &diff->a.rows[index];
    bool is_known = row->is_item && has_item(&diff->b, row);
    const struct view_row *other =
        row->is_item ? changed_item(&diff->a, &diff->b, row) : named_row(&diff->b, row);
    int code = 0;
    if (!is_known && (other == NULL || !cl_streq(row->inside, other->inside)))
        code = add_row(diff, row, row->inside, other == NULL ? NULL : other->inside);
    bool is_last = index + 1 == diff->a.count || !is_same_list(&diff->a.rows[index + 1], row);
    return code < 0 || !row->is_item || !is_last ? code : add_only_b(diff, row);
}

/* What A has and B has not, or has otherwise; then what only B has. Items of one name stay together. */
static int compare(struct diff *diff)
{
    int code = 0;
    for (size_t i = 0; code >= 0 && i < diff->a.count; i++)
        code = compare_row(diff, i);
    for (size_t j = 0; code >= 0 && j < diff->b.count; j++) {
        const struct view_row *row = &diff->b.rows[j];
        bool is_known = false;
        for (size_t i = 0; i < diff->a.count; i++)
            is_known = is_known || strcmp(diff->a.rows[i].name, row->name) == 0;
        if (!is_known)
            code = add_row(diff, row, NULL, row->inside);
    }
    return code;
}

/* How many processes are in its pid namespace: what it can signal and list, but for those of namespaces below. */
static int count_processes(struct view *view)
{
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = NULL;
    int code = lens_collect(view->proc_fd, 1U << K_NS_PID, false, &snapshot, NULL);
    if (code < 0)
        return code == -ENOMEM ? code : 0;
    uint32_t ns = lens_snapshot_find(snapshot, view->inside_ns[K_NS_PID]);
    if (ns == LENS_NONE)
        return 0;
    unsigned count = snapshot->namespaces[ns].process_count;
    return view_add_pair(view, "process", "processes", cl_strdup(""), cl_format("%u", count));
}

/* What is compared where the namespaces differ, or whatever they are. */
static const struct {
    view_part *part;
    int type; /* only if this namespace differs; -1: always */
} diff_parts[] = {
    { view_namespaces, -1 },     { count_processes, K_NS_PID },
    { view_hostname, K_NS_UTS }, { view_root, K_NS_MNT },
    { view_user, -1 },           { view_cgroup, -1 },
    { view_limits, -1 },         { view_network, K_NS_NET },
    { view_ipc, K_NS_IPC },      { view_clocks, K_NS_TIME },
    { view_mounts, K_NS_MNT },   { view_security, -1 },
};

static int fill(struct diff *diff, struct cl_error *err)
{
    int (*parts[CL_COUNT(diff_parts)])(struct view * view) = { NULL };
    size_t count = 0;
    for (size_t i = 0; i < CL_COUNT(diff_parts); i++) {
        int type = diff_parts[i].type;
        bool is_same = type >= 0 && diff->a.inside_ns[type] != 0 &&
                       diff->a.inside_ns[type] == diff->b.inside_ns[type];
        if (!is_same)
            parts[count++] = diff_parts[i].part;
    }
    diff->a.is_full = diff->b.is_full = true;
    int code = view_fill(&diff->a, parts, count, err);
    return code < 0 ? code : view_fill(&diff->b, parts, count, err);
}

/* ---- output ---- */

static int add_to_table(struct cl_table *table, const struct diff_row *row, bool is_continued)
{
    int codes[] = {
        cl_table_row(table),
        cl_table_cellf(table, "%s%s", is_continued ? "" : row->name,
                       row->is_ns ? " namespace" : ""),
        cl_table_cell(table, row->a),
        cl_table_cellf(table, "| %s", row->b == NULL ? "" : row->b),
    };
    for (size_t i = 0; i < CL_COUNT(codes); i++)
        if (codes[i] < 0)
            return codes[i];
    return 0;
}

static int print_same(const struct diff *diff, FILE *out)
{
    const char *separator = "\nSame namespaces: ";
    int code = 0;
    for (int type = 0; code >= 0 && type < K_NS_COUNT; type++) {
        if (diff->a.inside_ns[type] == 0 || diff->a.inside_ns[type] != diff->b.inside_ns[type])
            continue;
        code = fprintf(out, "%s%s", separator, k_ns_table[type].name);
        separator = ", ";
    }
    if (code > 0)
        code = fprintf(out, "\n");
    return code < 0 || fflush(out) != 0 ? -errno : 0;
}

static int print_table(const struct diff *diff, const struct lens_diff_options *options, FILE *out)
{
    char b[300];
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    (void)CL_PRINT(b, "| %s", options->b); /* cut at worst */
    int code = table == NULL ? -ENOMEM : cl_table_column(table, "", CL_COLUMN_LEFT);
    if (code >= 0)
        code = cl_table_column(table, options->a, CL_COLUMN_TRUNCATE | CL_COLUMN_SPILL);
    if (code >= 0)
        code = cl_table_column(table, b, CL_COLUMN_TRUNCATE);
    for (size_t i = 0; code >= 0 && i < diff->count; i++)
        code = add_to_table(table, &diff->rows[i],
                            i > 0 && strcmp(diff->rows[i].name, diff->rows[i - 1].name) == 0);
    enum cl_table_output output = options->no_headings ? CL_TABLE_NO_HEADINGS : CL_TABLE_PLAIN;
    if (code >= 0 && diff->count > 0)
        code = cl_table_print(table, out, output, options->width);
    return code < 0 ? code : print_same(diff, out);
}

static struct cl_json *text_or_null(const char *text)
{
    return text == NULL ? cl_json_null() : cl_json_from_string(text);
}

static int print_json(const struct diff *diff, const struct lens_diff_options *options, FILE *out)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = cl_json_object();
    struct cl_json *rows = cl_json_array();
    int code = cl_json_set_string(document, "a", options->a);
    if (code >= 0)
        code = cl_json_set_string(document, "b", options->b);
    int set = cl_json_set(document, "differences", rows);
    for (size_t i = 0; code >= 0 && set >= 0 && i < diff->count; i++) {
        const struct diff_row *row = &diff->rows[i];
        struct cl_json *object = cl_json_object();
        int named = cl_json_set_string(object, row->is_ns ? "namespace" : "name", row->name);
        int a = cl_json_set(object, "a", text_or_null(row->a));
        int b = cl_json_set(object, "b", text_or_null(row->b));
        code = cl_json_add(rows, object);
        code = named < 0 || a < 0 || b < 0 ? -ENOMEM : code;
    }
    cl_auto_free char *text = code < 0 || set < 0 ? NULL : cl_json_text(document, 3);
    if (text == NULL)
        return -ENOMEM;
    return cl_print_text(out, text);
}

int lens_diff(const struct lens_diff_options *options, const struct lens_names *names, FILE *out,
              struct cl_error *err)
{
    cl_auto_fd own_fd = options->proc_fd > 0 ? -EBADF : lens_open_proc(err);
    int proc_fd = options->proc_fd > 0 ? options->proc_fd : own_fd;
    struct diff diff = {
        .a = { .proc_fd = proc_fd, .pid_fd = -EBADF, .host_fd = -EBADF, .root_fd = -EBADF },
        .b = { .proc_fd = proc_fd, .pid_fd = -EBADF, .host_fd = -EBADF, .root_fd = -EBADF }
    };
    if (proc_fd < 0)
        return proc_fd;
    int code = view_open(&diff.a, options->a, names, err);
    if (code >= 0)
        code = view_open(&diff.b, options->b, names, err);
    if (code >= 0)
        code = fill(&diff, err);
    if (code >= 0) {
        code = compare(&diff);
        if (code >= 0)
            code =
                options->json ? print_json(&diff, options, out) : print_table(&diff, options, out);
        if (code < 0)
            (void)cl_fail(err, code, "compare %s with %s", options->a, options->b);
    }
    free(diff.rows);
    view_done(&diff.a);
    view_done(&diff.b);
    return code < 0 ? code : 0;
}
