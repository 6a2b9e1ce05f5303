/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view on a terminal: HOST | INSIDE, with a verdict for each row, and at the end what sharing means.
 */
#include <errno.h>

#include "lens/view.h"

const struct view_section view_sections[] = {
    { "process", "process", "Process" },  { "namespaces", "namespace", "Namespaces" },
    { "network", "network", "Network" },  { "ipc", "ipc", "IPC" },
    { "clock", "clock", "Clocks" },       { "files", "files", "Files" },
    { "security", "security", "Rights" },
};
const size_t view_section_count = CL_COUNT(view_sections);

/* "  own", "  shared with web"; nothing where there is nothing to compare. Owned. */
static char *verdict_text(const struct view_row *row)
{
    if (row->verdict == VIEW_SHARED_WITH)
        return cl_format("  shared with %s", row->with == NULL ? "another container" : row->with);
    return cl_strdup(row->verdict == VIEW_SHARED ? "  shared with host"
                     : row->verdict == VIEW_OWN  ? "  own"
                     : row->verdict == VIEW_SAME ? "  as on the host"
                                                 : "");
}

/* ---- table ---- */

bool view_is_continued(const struct view *view, size_t index)
{
    return index > 0 && view->rows[index].is_item && view->rows[index - 1].is_item &&
           strcmp(view->rows[index].name, view->rows[index - 1].name) == 0;
}

char *view_title(const struct view *view)
{
    const struct lens_container *container = &view->target.container;
    if (!view->target.is_container)
        return cl_format("process %d", (int)view->target.pid);
    return cl_format("%s", container->name[0] != '\0' ? container->name : container->id);
}

static int add_row(struct cl_table *table, const char *name, const char *host, const char *inside,
                   const char *verdict)
{
    int codes[] = {
        cl_table_row(table),
        cl_table_cell(table, name),
        cl_table_cell(table, host),
        cl_table_cellf(table, "| %s%s", inside == NULL ? "" : inside, verdict),
    };
    for (size_t i = 0; i < CL_COUNT(codes); i++)
        if (codes[i] < 0)
            return codes[i];
    return 0;
}

static int add_section(const struct view *view, struct cl_table *table, const char *section)
{
    int code = 0;
    for (size_t i = 0; code >= 0 && i < view->count; i++) {
        const struct view_row *row = &view->rows[i];
        if (strcmp(row->section, section) != 0)
            continue;
        cl_auto_free char *verdict = verdict_text(row);
        bool is_ns = strcmp(row->section, "namespace") == 0;
        cl_auto_free char *name = cl_format("%s%s", view_is_continued(view, i) ? "" : row->name,
                                            is_ns ? " namespace" : "");
        code = verdict == NULL || name == NULL
                   ? -ENOMEM
                   : add_row(table, name, row->host, row->inside, verdict);
    }
    return code;
}

static int add_rows(const struct view *view, struct cl_table *table)
{
    int code = 0;
    for (size_t i = 0; code >= 0 && i < view_section_count; i++) {
        if (i > 0)
            code = add_row(table, "", "", "", "");
        if (code >= 0)
            code = add_section(view, table, view_sections[i].rows);
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

static int print_sharing(int type, FILE *out)
{
    const struct view_sharing *sharing = &view_sharing[type];
    return sharing->flag == NULL
               ? fprintf(out, "  %-6s  %s\n", k_ns_table[type].name, sharing->meaning)
               : fprintf(out, "  %-6s  %s (private by %s)\n", k_ns_table[type].name,
                         sharing->meaning, sharing->flag);
}

static int print_shared(const struct view *view, FILE *out)
{
    unsigned shared = 0, own = 0;
    for (int type = 0; type < K_NS_COUNT; type++) {
        shared += view->verdicts[type] == VIEW_SHARED;
        own += view->verdicts[type] == VIEW_OWN || view->verdicts[type] == VIEW_SHARED_WITH;
    }
    int code = print_unjudged(view, out);
    if (code >= 0 && shared > 0)
        code = fprintf(out, "\nShared with the host:\n");
    else if (code >= 0 && own == K_NS_COUNT)
        code = fprintf(out, "\nShares no namespace with the host; the kernel is one.\n");
    for (int type = 0; code >= 0 && type < K_NS_COUNT; type++)
        if (view->verdicts[type] == VIEW_SHARED)
            code = print_sharing(type, out);
    return code < 0 ? -errno : 0;
}

static int print_table(const struct view *view, const struct lens_view_options *options, FILE *out)
{
    static const char *const headings[] = { "", "HOST", "| INSIDE" };
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    int code = table == NULL ? -ENOMEM : 0;
    for (size_t i = 0; code >= 0 && i < CL_COUNT(headings); i++)
        code = cl_table_column(table, headings[i],
                               i == 0 ? CL_COLUMN_LEFT : CL_COLUMN_TRUNCATE | CL_COLUMN_SPILL);
    if (code >= 0)
        code = add_rows(view, table);
    if (code >= 0)
        code = cl_table_print(table, out, CL_TABLE_PLAIN, options->width);
    if (code >= 0)
        code = print_shared(view, out);
    return code < 0 ? code : fflush(out) != 0 ? -errno : 0;
}

int view_print(const struct view *view, const struct lens_view_options *options, FILE *out)
{
    if (options->html)
        return view_print_html(view, out);
    return options->json ? view_print_json(view, out) : print_table(view, options, out);
}
