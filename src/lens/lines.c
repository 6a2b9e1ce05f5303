/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making lines. What is above a line is looked up through one array (by process or by namespace) that holds the latest line of each.
 */
#include "lens/lines.h"

#include <errno.h>

#define IN_PROGRESS (LENS_NONE - 1)

struct maker {
    struct lens_lines *lines;
    const struct lens_lines_options *options;
    const struct lens_snapshot *snapshot;
    uint32_t *latest; /* by process, or by namespace where the tree is of namespaces */
};

bool lens_tree_is_of_namespaces(enum lens_tree tree)
{
    return tree == LENS_TREE_PARENT || tree == LENS_TREE_OWNER || tree == LENS_TREE_BOTH;
}

void lens_lines_done(struct lens_lines *lines)
{
    free(lines->lines);
    *lines = (struct lens_lines){ 0 };
}

static int append(struct lens_lines *lines, struct lens_row row, uint32_t parent)
{
    if (lines->count == lines->room) {
        size_t room = lines->room == 0 ? 64 : lines->room * 2, bytes;
        struct lens_line *bigger = NULL;
        if (cl_mul_size(room, sizeof *bigger, &bytes))
            bigger = cl_realloc(lines->lines, bytes);
        if (bigger == NULL)
            return -ENOMEM;
        lines->lines = bigger;
        lines->room = room;
    }
    uint32_t index = (uint32_t)lines->count++;
    lines->lines[index] = (struct lens_line){ row, parent, LENS_NONE, LENS_NONE, LENS_NONE };
    if (parent == LENS_NONE)
        return 0;
    struct lens_line *above = &lines->lines[parent];
    if (above->last_child == LENS_NONE)
        above->first_child = index;
    else
        lines->lines[above->last_child].next = index;
    above->last_child = index;
    return 0;
}

/* Append the row where the filter lets it; *ret_line is the line, or LENS_NONE. */
static int make(struct maker *maker, struct lens_row row, uint32_t parent, uint32_t *ret_line)
{
    *ret_line = LENS_NONE;
    int code = maker->options->filter == NULL
                   ? 1
                   : lens_filter_match(maker->options->filter, maker->options->sight, &row);
    if (code <= 0)
        return code;
    *ret_line = (uint32_t)maker->lines->count;
    return append(maker->lines, row, parent);
}

static uint32_t *new_latest(size_t count)
{
    uint32_t *latest = cl_calloc(count + 1, sizeof *latest);
    if (latest != NULL)
        memset(latest, 0xff, (count + 1) * sizeof *latest);
    return latest;
}

/* ---- by process ---- */

static uint32_t parent_process(const struct maker *maker, uint32_t process)
{
    if (process == LENS_NONE || maker->options->tree != LENS_TREE_PROCESS)
        return LENS_NONE;
    return lens_snapshot_find_pid(maker->snapshot, maker->snapshot->processes[process].parent);
}

static int make_by_process(struct maker *maker, struct lens_row row)
{
    uint32_t parent = parent_process(maker, row.process), line;
    int code = make(maker, row, parent == LENS_NONE ? LENS_NONE : maker->latest[parent], &line);
    if (line != LENS_NONE && row.process != LENS_NONE)
        maker->latest[row.process] = line;
    return code;
}

/* ---- by parent or owner namespace ---- */

static uint32_t related(const struct maker *maker, uint64_t inode)
{
    return inode == 0 ? LENS_NONE : lens_snapshot_find(maker->snapshot, inode);
}

static int make_by_relation(struct maker *maker, uint32_t index)
{
    const struct lens_namespace *ns = &maker->snapshot->namespaces[index];
    uint32_t parent = related(maker, ns->parent), owner = related(maker, ns->owner);
    bool by_owner = maker->options->tree == LENS_TREE_OWNER;
    uint32_t above = by_owner ? owner : parent, line;
    if (maker->options->tree == LENS_TREE_BOTH && above == LENS_NONE)
        above = owner;
    /* A namespace without parent is a root of its own, yet its owner comes before it. */
    uint32_t first = above != LENS_NONE || by_owner ? above : owner;
    int code = 0;
    maker->latest[index] =
        IN_PROGRESS; /* an inode used again while we looked must not make a circle */
    if (first != LENS_NONE && maker->latest[first] == LENS_NONE)
        code = make_by_relation(maker, first);
    uint32_t up = above == LENS_NONE ? LENS_NONE : maker->latest[above];
    if (code >= 0)
        code = make(maker, (struct lens_row){ index, ns->representative },
                    up == IN_PROGRESS ? LENS_NONE : up, &line);
    maker->latest[index] = code < 0 ? LENS_NONE : line;
    return code;
}

static bool is_wanted(const struct maker *maker, uint32_t index)
{
    const struct lens_lines_options *options = maker->options;
    const struct lens_namespace *ns = &maker->snapshot->namespaces[index];
    if ((options->types & 1U << ns->type) == 0 || ns->holders == 0)
        return false;
    if (options->only_without_process && ns->process_count > 0)
        return false;
    return options->member == LENS_NONE ||
           maker->snapshot->processes[options->member].namespaces[ns->type] == index;
}

int lens_lines_of_namespaces(struct lens_lines *lines, const struct lens_lines_options *options)
{
    const struct lens_snapshot *snapshot = options->sight->snapshot;
    bool by_relation = lens_tree_is_of_namespaces(options->tree);
    cl_auto_free uint32_t *latest =
        new_latest(by_relation ? snapshot->namespace_count : snapshot->process_count);
    struct maker maker = {
        .lines = lines, .options = options, .snapshot = snapshot, .latest = latest
    };
    if (latest == NULL)
        return -ENOMEM;
    int code = 0;
    for (uint32_t i = 0; code >= 0 && i < snapshot->namespace_count; i++) {
        if (!is_wanted(&maker, i))
            continue;
        struct lens_row row = { i, snapshot->namespaces[i].representative };
        if (!by_relation)
            code = make_by_process(&maker, row);
        else if (latest[i] == LENS_NONE)
            code = make_by_relation(&maker, i);
    }
    return code < 0 ? code : 0;
}

/* ---- the processes of one namespace ---- */

/* Parents that are members come before their children, however deep: a pid may be smaller than its parent's after pids wrapped around. */
static int make_process(struct maker *maker, uint32_t index, uint32_t ns)
{
    enum k_ns type = maker->snapshot->namespaces[ns].type;
    uint32_t chain[64]; /* deeper ancestors come when their own turn does */
    size_t depth = 0;
    int code = 0;
    for (uint32_t at = index; depth < CL_COUNT(chain); at = parent_process(maker, at)) {
        if (at == LENS_NONE || maker->latest[at] != LENS_NONE ||
            maker->snapshot->processes[at].namespaces[type] != ns)
            break;
        chain[depth++] = at;
    }
    while (code >= 0 && depth > 0)
        code = make_by_process(maker, (struct lens_row){ ns, chain[--depth] });
    return code;
}

int lens_lines_of_processes(struct lens_lines *lines, const struct lens_lines_options *options,
                            uint32_t ns)
{
    const struct lens_snapshot *snapshot = options->sight->snapshot;
    cl_auto_free uint32_t *latest = new_latest(snapshot->process_count);
    struct maker maker = {
        .lines = lines, .options = options, .snapshot = snapshot, .latest = latest
    };
    if (latest == NULL)
        return -ENOMEM;
    int code = 0;
    for (uint32_t i = 0; code >= 0 && i < snapshot->process_count; i++) {
        const struct lens_process *process = &snapshot->processes[i];
        if (!process->is_gone && latest[i] == LENS_NONE &&
            process->namespaces[snapshot->namespaces[ns].type] == ns)
            code = make_process(&maker, i, ns);
    }
    return code < 0 ? code : 0;
}
