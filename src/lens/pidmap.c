/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cloche pid`: one process in every pid namespace that it is in, outermost (ours) first. Its pids come from NSpid, the namespaces
 * from NS_GET_PARENT upwards from its own, and the containers' names by comparing these with where their inits live. Containers of other engines have no
 * list; who they are tells the control group of a namespace's first process, so all processes are looked at where a level has no name yet.
 */
#include "lens/inside.h"
#include "lens/names.h"

#include <errno.h>

#include "lens/collect.h"
#include "lens/proc.h"

struct pid_level {
    uint64_t ns; /* 0: not readable */
    pid_t pid;
    const struct lens_container *container; /* the one that has this pid namespace as its own */
};
struct pid_map {
    struct procfs_stat stat;
    unsigned count;
    struct pid_level levels[PROCFS_LEVELS];
    struct lens_directory directory;
};

/* Namespaces from the process's own upwards; what may not be read stays 0. */
static void read_levels(struct pid_map *map, int pid_fd)
{
    cl_auto_fd fd = -EBADF;
    int code = k_ns_open(pid_fd, K_NS_PID, &fd, NULL);
    for (unsigned level = map->count; code >= 0 && level-- > 0;) {
        (void)k_ns_fd_inode(fd, &map->levels[level].ns, NULL);
        int parent = k_ns_fd_parent(fd);
        (void)cl_close(fd);
        fd = parent;
        code = parent;
    }
}

static void name_levels(struct pid_map *map, int proc_fd)
{
    for (size_t i = 0; i < map->directory.count; i++) {
        const struct lens_container *container = &map->directory.containers[i];
        uint64_t inode = 0;
        cl_auto_fd pid_fd = procfs_open_pid(proc_fd, container->init_pid);
        if (pid_fd < 0 || k_ns_inode(pid_fd, K_NS_PID, &inode) < 0)
            continue;
        /* Level 0 is the host's, also where a container shares it. */
        for (unsigned level = 1; level < map->count; level++)
            if (map->levels[level].ns == inode)
                map->levels[level].container = container;
    }
}

static bool is_same(const struct lens_container *a, const struct lens_container *b)
{
    return a != NULL && b != NULL && cl_streq(a->engine, b->engine) && cl_streq(a->name, b->name);
}

static bool lacks_names(const struct pid_map *map)
{
    for (unsigned level = 1; level < map->count; level++)
        if (map->levels[level].container == NULL)
            return true;
    return false;
}

/* A namespace that a container made for itself is not the container's own: the outermost with its name is. */
static void name_foreign_levels(struct pid_map *map, int proc_fd)
{
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = NULL;
    const struct lens_container *outer = NULL;
    if (!map->directory.wants_foreign || !lacks_names(map) ||
        lens_collect(proc_fd, 1U << K_NS_PID, false, &snapshot, NULL) < 0 ||
        lens_collect_representatives(snapshot, proc_fd, LENS_DETAIL_CGROUP, NULL) < 0)
        return; /* only costs names */
    for (unsigned level = 1; level < map->count; level++) {
        struct pid_level *at = &map->levels[level];
        uint32_t ns = at->ns == 0 ? LENS_NONE : lens_snapshot_find(snapshot, at->ns);
        uint32_t first = ns == LENS_NONE ? LENS_NONE : snapshot->namespaces[ns].representative;
        const struct lens_container *found = at->container;
        if (found == NULL && first != LENS_NONE && snapshot->processes[first].has_details)
            found = lens_directory_find(&map->directory, &snapshot->processes[first]);
        if (!is_same(found, outer))
            at->container = found;
        outer = found != NULL ? found : outer;
    }
}

static int read_map(int proc_fd, pid_t pid, struct pid_map *map, struct cl_error *err)
{
    struct procfs_status status;
    cl_auto_fd pid_fd = procfs_open_pid(proc_fd, pid);
    int code = pid_fd < 0 ? pid_fd : procfs_read_status(pid_fd, &status);
    if (code >= 0)
        code = procfs_read_stat(pid_fd, &map->stat);
    if (code == -ESRCH || code == -ENOENT)
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ESRCH, "no process %d", (int)pid);
    if (code < 0)
        return cl_fail(err, code, "read process %d", (int)pid);
    map->count = status.levels;
    for (unsigned level = 0; level < status.levels; level++)
        map->levels[level].pid = status.ns_pid[level];
    read_levels(map, pid_fd);
    return 0;
}

/* The process that has `pid` in the target's pid namespace → its pid here. */
static int find_inside(int proc_fd, const struct lens_pid_options *options,
                       const struct lens_names *names, pid_t *ret, struct cl_error *err)
{
    pid_t pid;
    struct lens_target target;
    struct lens_inside inside = { 0 };
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = NULL;
    if (cl_parse_pid(options->process, &pid) < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "%s is no pid", options->process);
    int code = lens_find_target(proc_fd, options->inside, names, &target, err);
    if (code >= 0)
        code = lens_collect(proc_fd, 1U << K_NS_PID, false, &snapshot, err);
    if (code >= 0)
        code = lens_inside_apply(snapshot, proc_fd, &target, LENS_DETAIL_STAT, &inside, err);
    lens_inside_done(&inside);
    if (code < 0)
        return code;
    uint32_t index = lens_snapshot_find_pid(snapshot, pid);
    if (index == LENS_NONE)
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ESRCH, "no process %d inside %s", (int)pid,
                            options->inside);
    *ret = snapshot->processes[index].host_pid;
    return 0;
}

static int find_process(int proc_fd, const struct lens_pid_options *options,
                        const struct lens_names *names, pid_t *ret, struct cl_error *err)
{
    struct lens_target target;
    if (options->inside != NULL)
        return find_inside(proc_fd, options, names, ret, err);
    int code = lens_find_target(proc_fd, options->process, names, &target, err);
    if (code >= 0)
        *ret = target.pid;
    return code;
}

/* ---- output ---- */

static int print_table(const struct pid_map *map, const struct lens_pid_options *options, FILE *out)
{
    static const char *const headings[] = { "LEVEL", "NAMESPACE", "CONTAINER", "PID" };
    static const enum cl_column_flags flags[] = { CL_COLUMN_RIGHT, CL_COLUMN_RIGHT, CL_COLUMN_LEFT,
                                                  CL_COLUMN_RIGHT };
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    int code = table == NULL ? -ENOMEM : 0;
    for (size_t i = 0; code >= 0 && i < CL_COUNT(headings); i++)
        code = cl_table_column(table, headings[i], flags[i]);
    for (unsigned i = 0; code >= 0 && i < map->count; i++) {
        const struct pid_level *level = &map->levels[i];
        int codes[] = {
            cl_table_row(table),
            cl_table_cellf(table, "%u", i),
            level->ns == 0 ? cl_table_cell(table, "(hidden)")
                           : cl_table_cellf(table, "%llu", (unsigned long long)level->ns),
            cl_table_cell(table, level->container != NULL ? level->container->name
                                 : i == 0                 ? "(host)"
                                                          : ""),
            cl_table_cellf(table, "%d", (int)level->pid),
        };
        for (size_t j = 0; j < CL_COUNT(codes); j++)
            code = codes[j] < 0 ? codes[j] : code;
    }
    enum cl_table_output output = options->no_headings ? CL_TABLE_NO_HEADINGS : CL_TABLE_PLAIN;
    return code < 0 ? code : cl_table_print(table, out, output, 0);
}

static struct cl_json *level_json(const struct pid_level *level, unsigned number)
{
    CL_AUTO(cl_json_unref) struct cl_json *object = cl_json_object();
    int codes[] = {
        cl_json_set_int(object, "level", number),
        cl_json_set(object, "namespace",
                    level->ns == 0 ? cl_json_null() : cl_json_from_u64(level->ns)),
        cl_json_set(object, "container",
                    level->container == NULL ? cl_json_null()
                                             : cl_json_from_string(level->container->name)),
        cl_json_set_int(object, "pid", level->pid),
    };
    for (size_t i = 0; i < CL_COUNT(codes); i++)
        if (codes[i] < 0)
            return NULL;
    return cl_take(object);
}

static int print_json(const struct pid_map *map, FILE *out)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = cl_json_object();
    struct cl_json *levels = cl_json_array();
    int code = cl_json_set_int(document, "pid", map->stat.pid);
    if (code >= 0)
        code = cl_json_set_string(document, "name", map->stat.name);
    int set = cl_json_set(document, "levels", levels);
    for (unsigned i = 0; code >= 0 && set >= 0 && i < map->count; i++)
        code = cl_json_add(levels, level_json(&map->levels[i], i));
    if (code < 0 || set < 0)
        return -ENOMEM;
    cl_auto_free char *text = cl_json_text(document, 3);
    if (text == NULL)
        return -ENOMEM;
    return cl_print_text(out, text);
}

int lens_pid_map(const struct lens_pid_options *options, const struct lens_names *names, FILE *out,
                 struct cl_error *err)
{
    struct pid_map map = { 0 };
    cl_auto_fd own_fd = options->proc_fd > 0 ? -EBADF : lens_open_proc(err);
    int proc_fd = options->proc_fd > 0 ? options->proc_fd : own_fd;
    pid_t pid = 0;
    if (proc_fd < 0)
        return proc_fd;
    int code = find_process(proc_fd, options, names, &pid, err);
    if (code >= 0)
        code = read_map(proc_fd, pid, &map, err);
    if (code < 0)
        return code;
    lens_directory_read(&map.directory, names);
    name_levels(&map, proc_fd);
    name_foreign_levels(&map, proc_fd);
    code = options->json ? print_json(&map, out) : print_table(&map, options, out);
    lens_directory_done(&map.directory);
    return code < 0 ? cl_fail(err, code, "print the pids of process %d", (int)pid) : 0;
}
