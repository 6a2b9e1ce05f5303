/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view on paper: HOST | INSIDE for people, with a verdict for each namespace and what sharing means; JSON for programs.
 */
#include <errno.h>

#include "lens/view.h"

/* What it means to share a namespace with the host, in lsns's order. */
static const char *const shared_meaning[K_NS_COUNT] = {
    [K_NS_TIME] = "same uptime and monotonic clock as the host",
    [K_NS_UTS] = "same hostname; with CAP_SYS_ADMIN it can change the host's",
    [K_NS_IPC] = "same System V IPC and POSIX message queues as the host",
    [K_NS_NET] = "same interfaces, ports and abstract sockets as the host",
    [K_NS_CGROUP] = "sees where in the host's cgroup tree it is",
    [K_NS_MNT] = "sees the host's mounts",
    [K_NS_PID] = "sees the host's processes, and may signal those of its user",
    [K_NS_USER] = "its user ids are the host's: root inside is root outside, if a weaker one",
};

/* "  own", "  shared with web"; nothing where there is nothing to compare. Owned. */
static char *verdict_text(const struct view_row *row)
{
    if (row->verdict == VIEW_SHARED_WITH)
        return cl_format("  shared with %s", row->with == NULL ? "another container" : row->with);
    return cl_strdup(row->verdict == VIEW_SHARED ? "  shared with host"
                     : row->verdict == VIEW_OWN  ? "  own"
                                                 : "");
}

/* ---- table ---- */

/* The items of a list have their name once. */
static bool is_continued(const struct view *view, size_t index)
{
    return index > 0 && view->rows[index].is_item && view->rows[index - 1].is_item &&
           strcmp(view->rows[index].name, view->rows[index - 1].name) == 0;
}

static int add_rows(const struct view *view, struct cl_table *table)
{
    int code = 0;
    for (size_t i = 0; code >= 0 && i < view->count; i++) {
        const struct view_row *row = &view->rows[i];
        cl_auto_free char *verdict = verdict_text(row);
        bool is_ns = strcmp(row->section, "namespace") == 0;
        if (verdict == NULL)
            return -ENOMEM;
        int codes[] = {
            cl_table_row(table),
            cl_table_cellf(table, "%s%s", is_continued(view, i) ? "" : row->name,
                           is_ns ? " namespace" : ""),
            cl_table_cell(table, row->host),
            cl_table_cellf(table, "| %s%s", row->inside == NULL ? "" : row->inside, verdict),
        };
        for (size_t j = 0; j < CL_COUNT(codes); j++)
            code = codes[j] < 0 ? codes[j] : code;
    }
    return code;
}

/* What was hidden can't be judged: it is neither shared nor own. */
static int print_unjudged(const struct view *view, FILE *out)
{
    unsigned unknown = 0;
    for (int type = 0; type < K_NS_COUNT; type++)
        unknown += view->host_ns[type] == 0 || view->inside_ns[type] == 0;
    if (unknown == 0)
        return 0;
    return fprintf(out, "\nHidden: which of %u namespaces it shares (needs CAP_SYS_PTRACE)\n",
                   unknown);
}

static int print_shared(const struct view *view, FILE *out)
{
    unsigned shared = 0, own = 0;
    for (size_t i = 0; i < view->count; i++) {
        shared += view->rows[i].verdict == VIEW_SHARED;
        own += view->rows[i].verdict == VIEW_OWN || view->rows[i].verdict == VIEW_SHARED_WITH;
    }
    int code = print_unjudged(view, out);
    if (code >= 0 && shared > 0)
        code = fprintf(out, "\nShared with the host:\n");
    else if (code >= 0 && own == K_NS_COUNT)
        code = fprintf(out, "\nShares no namespace with the host; the kernel is one.\n");
    for (size_t i = 0; code >= 0 && i < view->count; i++) {
        int type = k_ns_by_name(view->rows[i].name);
        if (view->rows[i].verdict == VIEW_SHARED && type >= 0)
            code = fprintf(out, "  %-6s  %s\n", view->rows[i].name, shared_meaning[type]);
    }
    return code < 0 ? -EIO : 0;
}

static int print_table(const struct view *view, const struct lens_view_options *options, FILE *out)
{
    static const char *const headings[] = { "", "HOST", "| INSIDE" };
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    int code = table == NULL ? -ENOMEM : 0;
    for (size_t i = 0; code >= 0 && i < CL_COUNT(headings); i++)
        code = cl_table_column(table, headings[i], i == 0 ? CL_COLUMN_LEFT : CL_COLUMN_TRUNCATE);
    if (code >= 0)
        code = add_rows(view, table);
    if (code >= 0)
        code = cl_table_print(table, out, CL_TABLE_PLAIN, options->width);
    if (code >= 0)
        code = print_shared(view, out);
    return code < 0 ? code : fflush(out) != 0 ? -EIO : 0;
}

/* ---- JSON ---- */

static int set_text(struct cl_json *object, const char *key, const char *text)
{
    return cl_json_set(object, key, text == NULL ? cl_json_null() : cl_json_from_string(text));
}

static struct cl_json *row_json(const struct view_row *row)
{
    static const char *const verdicts[] = {
        [VIEW_OWN] = "own", [VIEW_SHARED] = "shared", [VIEW_SHARED_WITH] = "shared with"
    };
    CL_AUTO(cl_json_unref) struct cl_json *object = cl_json_object();
    int code = set_text(object, "host", row->host);
    if (code >= 0)
        code = set_text(object, "inside", row->inside);
    if (code >= 0 && row->verdict != VIEW_NONE)
        code = cl_json_set_string(object, "verdict", verdicts[row->verdict]);
    if (code >= 0 && row->with != NULL)
        code = cl_json_set_string(object, "with", row->with);
    return code < 0 ? NULL : cl_take(object);
}

/* The rows of one name: an object, or an array of all items of that name. */
static int add_named(const struct view *view, struct cl_json *section, size_t index)
{
    const struct view_row *row = &view->rows[index];
    if (!row->is_item)
        return cl_json_set(section, row->name, row_json(row));
    if (cl_json_get(section, row->name) != NULL)
        return 0; /* came with the first */
    struct cl_json *items = cl_json_array();
    int code = cl_json_set(section, row->name, items);
    for (size_t i = index; code >= 0 && i < view->count; i++)
        if (view->rows[i].is_item && strcmp(view->rows[i].name, row->name) == 0)
            code = cl_json_add(items, row_json(&view->rows[i]));
    return code;
}

static int add_section(const struct view *view, struct cl_json *document, const char *key,
                       const char *section)
{
    struct cl_json *object = cl_json_object();
    int code = cl_json_set(document, key, object);
    for (size_t i = 0; code >= 0 && i < view->count; i++)
        if (strcmp(view->rows[i].section, section) == 0)
            code = add_named(view, object, i);
    return code;
}

static int add_shared(const struct view *view, struct cl_json *document)
{
    struct cl_json *array = cl_json_array();
    int code = cl_json_set(document, "shared", array);
    for (size_t i = 0; code >= 0 && i < view->count; i++)
        if (view->rows[i].verdict == VIEW_SHARED)
            code = cl_json_add(array, cl_json_from_string(view->rows[i].name));
    return code;
}

static int print_json(const struct view *view, FILE *out)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = cl_json_object();
    const struct lens_container *container = &view->target.container;
    int code = cl_json_set_int(document, "pid", view->target.pid);
    if (code >= 0)
        code = cl_json_set(document, "container",
                           view->target.is_container ? cl_json_from_string(container->name)
                                                     : cl_json_null());
    static const char *const sections[][2] = {
        { "process", "process" },   { "namespaces", "namespace" }, { "network", "network" },
        { "ipc", "ipc" },           { "clock", "clock" },          { "files", "files" },
        { "security", "security" },
    };
    for (size_t i = 0; code >= 0 && i < CL_COUNT(sections); i++)
        code = add_section(view, document, sections[i][0], sections[i][1]);
    if (code >= 0)
        code = add_shared(view, document);
    cl_auto_free char *text = code < 0 ? NULL : cl_json_text(document, 3);
    if (text == NULL)
        return -ENOMEM;
    return fprintf(out, "%s\n", text) < 0 || fflush(out) != 0 ? -EIO : 0;
}

int view_print(const struct view *view, const struct lens_view_options *options, FILE *out)
{
    return options->json ? print_json(view, out) : print_table(view, options, out);
}
