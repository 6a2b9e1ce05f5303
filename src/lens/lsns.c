/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsns: options → what must be collected → lines → table or JSON (lsns_print.c). What a question does not show is not collected.
 */
#include "lens/lsns.h"

#include <errno.h>

#include "lens/proc.h"

#define ALL_TYPES ((1U << K_NS_COUNT) - 1)

static int check_options(const struct lens_lsns_options *options, struct cl_error *err)
{
    static const struct {
        const char *a, *b;
    } pairs[] = { { "--json", "--raw" }, { "--persistent", "--task" }, { "NAMESPACE", "--task" } };
    const bool both[] = { options->json && options->raw, options->persistent && options->task > 0,
                          options->ns != 0 && options->task > 0 };
    for (size_t i = 0; i < CL_COUNT(pairs); i++)
        if (both[i])
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "%s and %s exclude each other",
                                pairs[i].a, pairs[i].b);
    return 0;
}

/* The default: lsns's own, and the container's name before the command. */
static void default_columns(struct lsns *lsns)
{
    static const enum lens_column of_namespaces[] = {
        LENS_COLUMN_NS,   LENS_COLUMN_TYPE,      LENS_COLUMN_NPROCS,
        LENS_COLUMN_PID,  LENS_COLUMN_USER,      LENS_COLUMN_NETNSID,
        LENS_COLUMN_NSFS, LENS_COLUMN_CONTAINER, LENS_COLUMN_COMMAND,
    };
    static const enum lens_column of_processes[] = { LENS_COLUMN_PID, LENS_COLUMN_PPID,
                                                     LENS_COLUMN_USER, LENS_COLUMN_COMMAND };
    bool has_net = (lsns->options->types & 1U << K_NS_NET) != 0; /* said by -t, not all */
    if (lsns->options->ns != 0) {
        for (size_t i = 0; i < CL_COUNT(of_processes); i++)
            (void)lens_column_add(&lsns->columns, of_processes[i]); /* fits */
        return;
    }
    for (size_t i = 0; i < CL_COUNT(of_namespaces); i++) {
        enum lens_column id = of_namespaces[i];
        bool is_net = id == LENS_COLUMN_NETNSID || id == LENS_COLUMN_NSFS;
        bool is_name = id == LENS_COLUMN_CONTAINER;
        if ((!is_net || has_net) && (!is_name || lsns->can_name))
            (void)lens_column_add(&lsns->columns, id); /* fits */
    }
}

static int choose_columns(struct lsns *lsns, struct cl_error *err)
{
    const struct lens_lsns_options *options = lsns->options;
    lsns->tree = options->tree;
    if (options->output_all) {
        for (int id = 0; id < LENS_COLUMN_COUNT; id++)
            if (lsns->can_name || (lens_columns[id].need & LENS_NEED_NAMES) == 0)
                (void)lens_column_add(&lsns->columns, (enum lens_column)id); /* fits */
        if (lsns->tree == LENS_TREE_DEFAULT)
            lsns->tree = options->ns != 0 ? LENS_TREE_PROCESS : LENS_TREE_NONE;
    } else {
        default_columns(lsns);
        if (lsns->tree == LENS_TREE_DEFAULT)
            lsns->tree = LENS_TREE_PROCESS;
        lsns->may_drop_container = !options->json && !options->raw;
    }
    if (options->columns == NULL)
        return 0;
    lsns->may_drop_container = false;
    return lens_columns_parse(&lsns->columns, options->columns, err);
}

static int prepare(struct lsns *lsns, struct cl_error *err)
{
    const struct lens_lsns_options *options = lsns->options;
    lsns->can_name = lsns->names != NULL && options->inside == NULL;
    int code = check_options(options, err);
    if (code >= 0)
        code = choose_columns(lsns, err);
    if (code >= 0 && options->filter != NULL)
        code = lens_filter_parse(options->filter, &lsns->filter, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < lsns->columns.count; i++)
        lsns->needs |= lens_columns[lsns->columns.ids[i]].need;
    lsns->needs |= lens_filter_needs(lsns->filter);
    lsns->types = options->types == 0 ? ALL_TYPES : options->types;
    if (lens_tree_is_of_namespaces(lsns->tree) || options->persistent || options->keep_alive)
        lsns->needs |= LENS_NEED_RELATIONS;
    if (options->keep_alive)
        lsns->needs |= LENS_NEED_HOLDERS | LENS_NEED_COMMAND;
    return 0;
}

/* ---- collecting ---- */

static int find_targets(struct lsns *lsns, struct cl_error *err)
{
    const struct lens_lsns_options *options = lsns->options;
    int code = 0;
    if (options->inside != NULL)
        code = lens_find_target(lsns->proc_fd, options->inside, lsns->names, &lsns->target, err);
    if (code >= 0 && options->container != NULL)
        code = lens_find_target(lsns->proc_fd, options->container, lsns->names, &lsns->member, err);
    return code;
}

static unsigned details_of(const struct lsns *lsns)
{
    unsigned details = LENS_DETAIL_STAT;
    if ((lsns->needs & LENS_NEED_COMMAND) != 0)
        details |= LENS_DETAIL_COMMAND;
    if ((lsns->needs & LENS_NEED_IDS) != 0)
        details |= LENS_DETAIL_IDS;
    if ((lsns->needs & LENS_NEED_MAPS) != 0)
        details |= LENS_DETAIL_MAPS;
    if (lsns->directory.count > 0 || lsns->directory.wants_foreign)
        details |= LENS_DETAIL_CGROUP;
    return details;
}

static int fail_no_ns(const struct lsns *lsns, struct cl_error *err)
{
    int code = cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT, "no namespace %llu",
                            (unsigned long long)lsns->options->ns);
    if (lsns->snapshot->hidden_count > 0)
        (void)cl_error_hint(err, "%zu of %zu processes are hidden: needs CAP_SYS_PTRACE",
                            lsns->snapshot->hidden_count, lsns->snapshot->process_count);
    return code;
}

static int collect_relations(struct lsns *lsns, struct cl_error *err)
{
    bool adds = lens_tree_is_of_namespaces(lsns->tree) || lsns->options->persistent ||
                lsns->options->keep_alive;
    int code = 0;
    if ((lsns->needs & LENS_NEED_RELATIONS) != 0)
        code = lens_collect_relations(lsns->snapshot, lsns->proc_fd, adds ? lsns->types : 0, err);
    if (code >= 0 && lsns->options->inside != NULL)
        lens_inside_hide_relations(lsns->snapshot, &lsns->inside);
    return code;
}

static int collect_namespaces(struct lsns *lsns, struct cl_error *err)
{
    bool shows_held = lsns->options->persistent || (lsns->needs & LENS_NEED_HOLDERS) != 0;
    pid_t inside = lsns->options->inside != NULL ? lsns->target.pid : 0;
    struct lens_held_options held = {
        .types = lsns->types,
        .depth = shows_held ? LENS_HELD_DEEP : LENS_HELD_SHALLOW,
        .mounts_of = inside,
    };
    int code = lens_collect_held(lsns->snapshot, lsns->proc_fd, &held, err);
    if (code >= 0)
        code = collect_relations(lsns, err);
    if (code >= 0 && (lsns->needs & LENS_NEED_NETNSID) != 0)
        code = lens_collect_netnsid(lsns->snapshot, lsns->proc_fd, inside, err);
    if (code >= 0)
        code = lens_collect_representatives(lsns->snapshot, lsns->proc_fd, details_of(lsns), err);
    return code;
}

static int collect(struct lsns *lsns, struct cl_error *err)
{
    unsigned types = lsns->types;
    if (lsns->options->inside != NULL) /* to know what is visible there */
        types |= 1U << K_NS_PID | 1U << K_NS_USER;
    if ((lsns->needs & LENS_NEED_NAMES) != 0)
        lens_directory_read(&lsns->directory, lsns->names);
    int code = lens_collect(lsns->proc_fd, types, true, &lsns->snapshot, err);
    if (code >= 0 && lsns->options->inside != NULL)
        code = lens_inside_apply(lsns->snapshot, lsns->proc_fd, &lsns->target, details_of(lsns),
                                 &lsns->inside, err);
    if (code < 0)
        return code;
    code = collect_namespaces(lsns, err);
    if (code < 0 || lsns->options->ns == 0)
        return code;
    uint32_t ns = lens_snapshot_find(lsns->snapshot, lsns->options->ns);
    if (ns == LENS_NONE)
        return fail_no_ns(lsns, err);
    return lens_collect_details(lsns->snapshot, lsns->proc_fd, ns, details_of(lsns), err);
}

/* ---- lines ---- */

static int find_member(const struct lsns *lsns, uint32_t *ret, struct cl_error *err)
{
    pid_t pid = lsns->options->task;
    *ret = LENS_NONE;
    if (pid > 0) {
        *ret = lens_snapshot_find_pid(lsns->snapshot, pid);
    } else if (lsns->options->container != NULL) {
        pid = lsns->member.pid;
        for (size_t i = 0; i < lsns->snapshot->process_count && *ret == LENS_NONE; i++)
            if (lsns->snapshot->processes[i].host_pid == pid)
                *ret = (uint32_t)i;
    } else {
        return 0;
    }
    if (*ret == LENS_NONE)
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ESRCH, "no process %d%s", (int)pid,
                            lsns->options->inside == NULL ? "" : " inside");
    if (lsns->snapshot->processes[*ret].is_hidden)
        return cl_fail_kind(err, CL_KIND_DENIED, EACCES,
                            "the namespaces of process %d are hidden: needs CAP_SYS_PTRACE over it",
                            (int)pid);
    return 0;
}

static int make_lines(struct lsns *lsns, struct cl_error *err)
{
    struct lens_lines_options options = {
        .sight = &lsns->sight,
        .filter = lsns->filter,
        .tree = lsns->tree,
        .types = lsns->types,
        .only_without_process = lsns->options->persistent,
    };
    int code = find_member(lsns, &options.member, err);
    if (code < 0)
        return code;
    if (lsns->options->ns == 0)
        code = lens_lines_of_namespaces(&lsns->lines, &options);
    else
        code = lens_lines_of_processes(&lsns->lines, &options,
                                       lens_snapshot_find(lsns->snapshot, lsns->options->ns));
    return code < 0 ? cl_fail(err, code, "list namespaces") : 0;
}

static void note_hidden(const struct lsns *lsns)
{
    const struct lens_snapshot *snapshot = lsns->snapshot;
    FILE *notes = lsns->options->notes;
    if (notes == NULL || snapshot->hidden_count == 0 || lsns->options->json)
        return;
    if (snapshot->hidden_count == 1)
        (void)fprintf(notes,
                      "hidden: the namespaces of process %d (needs CAP_SYS_PTRACE over it)\n",
                      (int)snapshot->first_hidden);
    else
        (void)fprintf(
            notes, "hidden: the namespaces of %zu processes, %d the first (needs CAP_SYS_PTRACE)\n",
            snapshot->hidden_count, (int)snapshot->first_hidden);
}

static int run(struct lsns *lsns, FILE *out, struct cl_error *err)
{
    int code = find_targets(lsns, err);
    if (code >= 0)
        code = collect(lsns, err);
    if (code >= 0 && lsns->options->keep_alive)
        return lsns_print_holders(lsns, out, err);
    if (code < 0)
        return code;
    lsns->sight = (struct lens_sight){
        .snapshot = lsns->snapshot,
        .inside = lsns->options->inside == NULL ? NULL : &lsns->inside,
        .directory = &lsns->directory,
        .no_wrap = lsns->options->no_wrap || lsns->options->raw,
    };
    code = make_lines(lsns, err);
    if (code >= 0)
        code = lsns_print(lsns, out, err);
    if (code >= 0)
        note_hidden(lsns);
    return code;
}

int lens_lsns(const struct lens_lsns_options *options, const struct lens_names *names, FILE *out,
              struct cl_error *err)
{
    struct lsns lsns = { .options = options, .names = names, .proc_fd = options->proc_fd };
    cl_auto_fd proc_fd = -EBADF;
    int code = prepare(&lsns, err);
    if (code >= 0 && options->list_columns)
        return lsns_print_columns(options, out, err);
    if (code >= 0 && options->proc_fd <= 0)
        code = proc_fd = lens_open_proc(err);
    if (proc_fd >= 0)
        lsns.proc_fd = proc_fd;
    if (code >= 0)
        code = run(&lsns, out, err);
    lens_lines_done(&lsns.lines);
    lens_inside_done(&lsns.inside);
    lens_directory_done(&lsns.directory);
    lens_filter_free(lsns.filter);
    lens_snapshot_free(lsns.snapshot);
    return code < 0 ? code : 0;
}

int lens_tree(const struct lens_tree_options *options, const struct lens_names *names, FILE *out,
              struct cl_error *err)
{
    struct lens_lsns_options lsns = {
        .tree = LENS_TREE_BOTH,
        .types = options->all ? 0 : 1U << K_NS_USER | 1U << K_NS_PID,
        .columns = names == NULL ? "NS,TYPE,NPROCS,PID,NSPID,USER,ONS,UIDMAP,COMMAND"
                                 : "NS,TYPE,NPROCS,PID,NSPID,USER,ONS,UIDMAP,CONTAINER,COMMAND",
        .json = options->json,
        .raw = options->raw,
        .no_headings = options->no_headings,
        .no_truncate = options->no_truncate,
        .ascii = options->ascii,
        .width = options->width,
        .proc_fd = options->proc_fd,
        .notes = options->notes,
    };
    return lens_lsns(&lsns, names, out, err);
}
