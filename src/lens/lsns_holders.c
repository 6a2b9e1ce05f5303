/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsns --keep-alive: why a namespace without processes still exists. One line for each holder: a descriptor or socket of a process, a mount point,
 * a namespace below it.
 */
#include "lens/lsns.h"

#include <errno.h>

struct holder_row {
    const struct lens_namespace *ns;
    const char *held;
    pid_t pid;           /* 0: none */
    int fd;              /* -1: none */
    const char *path;    /* NULL: none */
    uint64_t below;      /* CHILD: the namespace that is below; 0: none */
    const char *command; /* NULL: not known */
};
typedef int add_row(void *context, const struct holder_row *row);

static bool is_wanted(const struct lsns *lsns, const struct lens_namespace *ns)
{
    if ((lsns->types & 1U << ns->type) == 0)
        return false;
    return lsns->options->ns != 0 ? ns->inode == lsns->options->ns : ns->process_count == 0;
}

static const char *command_of(const struct lsns *lsns, pid_t pid)
{
    for (size_t i = 0; i < lsns->snapshot->process_count; i++) {
        const struct lens_process *process = &lsns->snapshot->processes[i];
        if (process->host_pid == pid && process->has_details)
            return process->command;
    }
    return NULL;
}

static int each_holder(const struct lsns *lsns, const struct lens_holder *holder, add_row *add,
                       void *context)
{
    const struct lens_namespace *ns = &lsns->snapshot->namespaces[holder->namespace];
    bool has_fd = holder->kind != LENS_HELD_MOUNT;
    struct holder_row row = {
        .ns = ns,
        .held = holder->kind == LENS_HELD_FD ? "fd"
                : has_fd                     ? "socket"
                                             : "mount",
        .pid = holder->pid,
        .fd = has_fd ? holder->fd : -1,
        .path = holder->path,
        .command = holder->pid > 0 ? command_of(lsns, holder->pid) : NULL,
    };
    return is_wanted(lsns, ns) ? add(context, &row) : 0;
}

/* Children and what it owns: as long as these live, so does it. */
static int each_below(const struct lsns *lsns, const struct lens_namespace *below, add_row *add,
                      void *context)
{
    const uint64_t above[] = { below->parent, below->owner == below->parent ? 0 : below->owner };
    static const char *const kinds[] = { "child", "owned" };
    for (size_t i = 0; i < CL_COUNT(above); i++) {
        uint32_t index = above[i] == 0 ? LENS_NONE : lens_snapshot_find(lsns->snapshot, above[i]);
        if (index == LENS_NONE)
            continue;
        struct holder_row row = { .ns = &lsns->snapshot->namespaces[index],
                                  .held = kinds[i],
                                  .fd = -1,
                                  .below = below->inode };
        if (below->representative != LENS_NONE) {
            row.pid = lsns->snapshot->processes[below->representative].host_pid;
            row.command = command_of(lsns, row.pid);
        }
        int code = is_wanted(lsns, row.ns) ? add(context, &row) : 0;
        if (code < 0)
            return code;
    }
    return 0;
}

static int each_row(const struct lsns *lsns, add_row *add, void *context)
{
    int code = 0;
    for (size_t i = 0; code >= 0 && i < lsns->snapshot->holder_count; i++)
        code = each_holder(lsns, &lsns->snapshot->holders[i], add, context);
    for (size_t i = 0; code >= 0 && i < lsns->snapshot->namespace_count; i++)
        code = each_below(lsns, &lsns->snapshot->namespaces[i], add, context);
    return code;
}

/* ---- table ---- */

static int add_to_table(void *context, const struct holder_row *row)
{
    struct cl_table *table = context;
    int codes[] = {
        cl_table_row(table),
        cl_table_cellf(table, "%llu", (unsigned long long)row->ns->inode),
        cl_table_cell(table, k_ns_table[row->ns->type].name),
        cl_table_cell(table, row->held),
        row->pid > 0 ? cl_table_cellf(table, "%d", (int)row->pid) : cl_table_cell(table, NULL),
        row->fd >= 0 ? cl_table_cellf(table, "%d", row->fd) : cl_table_cell(table, NULL),
        row->below != 0 ? cl_table_cellf(table, "%llu", (unsigned long long)row->below)
                        : cl_table_cell(table, row->path),
        cl_table_cell(table, row->command),
    };
    for (size_t i = 0; i < CL_COUNT(codes); i++)
        if (codes[i] < 0)
            return codes[i];
    return 0;
}

static int print_table(const struct lsns *lsns, FILE *out)
{
    static const struct {
        const char *name;
        enum cl_column_flags flags;
    } headings[] = {
        { "NS", CL_COLUMN_RIGHT },         { "TYPE", CL_COLUMN_LEFT }, { "HELD", CL_COLUMN_LEFT },
        { "PID", CL_COLUMN_RIGHT },        { "FD", CL_COLUMN_RIGHT },  { "BY", CL_COLUMN_LEFT },
        { "COMMAND", CL_COLUMN_TRUNCATE },
    };
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    int code = table == NULL ? -ENOMEM : 0;
    for (size_t i = 0; code >= 0 && i < CL_COUNT(headings); i++)
        code = cl_table_column(table, headings[i].name, headings[i].flags);
    if (code >= 0)
        code = each_row(lsns, add_to_table, table);
    unsigned output = (lsns->options->raw ? CL_TABLE_RAW : 0U) |
                      (lsns->options->no_headings ? CL_TABLE_NO_HEADINGS : 0U);
    return code < 0 ? code
                    : cl_table_print(table, out, (enum cl_table_output)output,
                                     lsns->options->no_truncate ? 0 : lsns->options->width);
}

/* ---- JSON ---- */

static struct cl_json *text_or_null(const char *text)
{
    return text == NULL ? cl_json_null() : cl_json_from_string(text);
}

static int add_to_array(void *context, const struct holder_row *row)
{
    struct cl_json *object = cl_json_object();
    int codes[] = {
        cl_json_set(object, "ns", cl_json_from_u64(row->ns->inode)),
        cl_json_set_string(object, "type", k_ns_table[row->ns->type].name),
        cl_json_set_string(object, "held", row->held),
        cl_json_set(object, "pid", row->pid > 0 ? cl_json_from_int(row->pid) : cl_json_null()),
        cl_json_set(object, "fd", row->fd >= 0 ? cl_json_from_int(row->fd) : cl_json_null()),
        cl_json_set(object, "path", text_or_null(row->path)),
        cl_json_set(object, "below",
                    row->below != 0 ? cl_json_from_u64(row->below) : cl_json_null()),
        cl_json_set(object, "command", text_or_null(row->command)),
    };
    int code = cl_json_add(context, object);
    for (size_t i = 0; i < CL_COUNT(codes); i++)
        code = codes[i] < 0 ? codes[i] : code;
    return code;
}

static int print_json(const struct lsns *lsns, FILE *out)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = cl_json_object();
    struct cl_json *holders = cl_json_array();
    int code = cl_json_set(document, "holders", holders);
    if (code >= 0)
        code = each_row(lsns, add_to_array, holders);
    cl_auto_free char *text = code < 0 ? NULL : cl_json_text(document, 3);
    if (text == NULL)
        return -ENOMEM;
    return cl_print_text(out, text);
}

/* Those whose commands are shown represent nothing, as a rule: they are read now. */
static int read_commands(struct lsns *lsns, struct cl_error *err)
{
    for (size_t i = 0; i < lsns->snapshot->holder_count; i++) {
        const struct lens_holder *holder = &lsns->snapshot->holders[i];
        int code = 0;
        if (holder->pid > 0 && is_wanted(lsns, &lsns->snapshot->namespaces[holder->namespace]))
            code = lens_collect_process(lsns->snapshot, lsns->proc_fd, holder->pid,
                                        LENS_DETAIL_COMMAND, err);
        if (code < 0)
            return code;
    }
    return 0;
}

int lsns_print_holders(struct lsns *lsns, FILE *out, struct cl_error *err)
{
    int code = read_commands(lsns, err);
    if (code < 0)
        return code;
    code = lsns->options->json ? print_json(lsns, out) : print_table(lsns, out);
    return code < 0 ? cl_fail(err, code, "print who holds namespaces") : 0;
}
