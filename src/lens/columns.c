/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each column says. The fill functions are given raw text from outside; escaping is the renderers'.
 */
#include "lens/columns.h"

#include <errno.h>
#include <strings.h>

static const struct lens_namespace *ns_of(const struct lens_sight *sight,
                                          const struct lens_row *row)
{
    return &sight->snapshot->namespaces[row->ns];
}

static const struct lens_process *process_of(const struct lens_sight *sight,
                                             const struct lens_row *row)
{
    return row->process == LENS_NONE ? NULL : &sight->snapshot->processes[row->process];
}

static void fill_ns(const struct lens_sight *sight, const struct lens_row *row, struct cl_buf *buf)
{
    cl_buf_printf(buf, "%llu", (unsigned long long)ns_of(sight, row)->inode);
}

static void fill_type(const struct lens_sight *sight, const struct lens_row *row,
                      struct cl_buf *buf)
{
    cl_buf_str(buf, k_ns_table[ns_of(sight, row)->type].name);
}

static void fill_path(const struct lens_sight *sight, const struct lens_row *row,
                      struct cl_buf *buf)
{
    const struct lens_process *process = process_of(sight, row);
    if (process != NULL)
        cl_buf_printf(buf, "/proc/%d/ns/%s", (int)process->pid,
                      k_ns_table[ns_of(sight, row)->type].name);
}

static void fill_nprocs(const struct lens_sight *sight, const struct lens_row *row,
                        struct cl_buf *buf)
{
    cl_buf_printf(buf, "%u", ns_of(sight, row)->process_count);
}

static void fill_pid(const struct lens_sight *sight, const struct lens_row *row, struct cl_buf *buf)
{
    const struct lens_process *process = process_of(sight, row);
    if (process != NULL)
        cl_buf_printf(buf, "%d", (int)process->pid);
}

static void fill_ppid(const struct lens_sight *sight, const struct lens_row *row,
                      struct cl_buf *buf)
{
    const struct lens_process *process = process_of(sight, row);
    if (process != NULL)
        cl_buf_printf(buf, "%d", (int)process->parent);
}

static void fill_command(const struct lens_sight *sight, const struct lens_row *row,
                         struct cl_buf *buf)
{
    const struct lens_process *process = process_of(sight, row);
    if (process != NULL && process->command != NULL)
        cl_buf_str(buf, process->command);
}

static uid_t uid_of(const struct lens_sight *sight, const struct lens_row *row)
{
    const struct lens_process *process = process_of(sight, row);
    uint32_t uid = process != NULL ? process->uid : ns_of(sight, row)->owner_uid;
    if (process == NULL && sight->inside != NULL)
        (void)lens_idmap_inside(&sight->inside->uids, uid, &uid);
    return uid;
}

static void fill_uid(const struct lens_sight *sight, const struct lens_row *row, struct cl_buf *buf)
{
    cl_buf_printf(buf, "%u", uid_of(sight, row));
}

static void fill_user(const struct lens_sight *sight, const struct lens_row *row,
                      struct cl_buf *buf)
{
    char number[16];
    uid_t uid = uid_of(sight, row);
    const char *name;
    if (sight->inside != NULL) {
        cl_buf_str(buf, lens_inside_user(sight->inside, uid, number));
    } else if ((name = cl_user_name(uid)) != NULL) {
        cl_buf_str(buf, name);
    } else {
        cl_buf_printf(buf, "%u", uid);
    }
}

static void fill_netnsid(const struct lens_sight *sight, const struct lens_row *row,
                         struct cl_buf *buf)
{
    const struct lens_namespace *ns = ns_of(sight, row);
    if (ns->type != K_NS_NET || ns->netnsid == LENS_NETNSID_UNKNOWN)
        return;
    if (ns->netnsid == LENS_NETNSID_UNASSIGNED)
        cl_buf_str(buf, "unassigned");
    else
        cl_buf_printf(buf, "%d", ns->netnsid);
}

/* The same point may be mounted over and over: say it once. */
static bool is_listed(const struct lens_snapshot *snapshot, size_t before,
                      const struct lens_holder *holder)
{
    for (size_t i = 0; i < before; i++)
        if (snapshot->holders[i].kind == LENS_HELD_MOUNT &&
            snapshot->holders[i].namespace == holder->namespace &&
            strcmp(snapshot->holders[i].path, holder->path) == 0)
            return true;
    return false;
}

static void fill_nsfs(const struct lens_sight *sight, const struct lens_row *row,
                      struct cl_buf *buf)
{
    const struct lens_snapshot *snapshot = sight->snapshot;
    pid_t ours = sight->inside == NULL ? 0 : sight->inside->pid;
    if ((ns_of(sight, row)->holders & LENS_HELD_MOUNT) == 0)
        return;
    for (size_t i = 0; i < snapshot->holder_count; i++) {
        const struct lens_holder *holder = &snapshot->holders[i];
        if (holder->namespace != row->ns || holder->kind != LENS_HELD_MOUNT ||
            holder->pid != ours || is_listed(snapshot, i, holder))
            continue;
        if (buf->size > 0)
            cl_buf_char(buf, sight->no_wrap ? ',' : '\n');
        cl_buf_str(buf, holder->path);
    }
}

static void fill_pns(const struct lens_sight *sight, const struct lens_row *row, struct cl_buf *buf)
{
    cl_buf_printf(buf, "%llu", (unsigned long long)ns_of(sight, row)->parent);
}

static void fill_ons(const struct lens_sight *sight, const struct lens_row *row, struct cl_buf *buf)
{
    cl_buf_printf(buf, "%llu", (unsigned long long)ns_of(sight, row)->owner);
}

static const struct lens_container *container_of(const struct lens_sight *sight,
                                                 const struct lens_row *row)
{
    const struct lens_process *process = process_of(sight, row);
    return process == NULL ? NULL : lens_directory_find(sight->directory, process);
}

static void fill_container(const struct lens_sight *sight, const struct lens_row *row,
                           struct cl_buf *buf)
{
    const struct lens_container *container = container_of(sight, row);
    if (container != NULL)
        cl_buf_str(buf, container->name);
}

static void fill_engine(const struct lens_sight *sight, const struct lens_row *row,
                        struct cl_buf *buf)
{
    const struct lens_container *container = container_of(sight, row);
    if (container != NULL)
        cl_buf_str(buf, container->engine);
}

static void fill_held(const struct lens_sight *sight, const struct lens_row *row,
                      struct cl_buf *buf)
{
    static const struct {
        enum lens_holder_kind kind;
        const char *name;
    } kinds[] = {
        { LENS_HELD_PROCESS, "process" }, { LENS_HELD_FD, "fd" },
        { LENS_HELD_SOCKET, "socket" },   { LENS_HELD_MOUNT, "mount" },
        { LENS_HELD_RELATION, "child" },
    };
    for (size_t i = 0; i < CL_COUNT(kinds); i++) {
        if ((ns_of(sight, row)->holders & (unsigned)kinds[i].kind) == 0)
            continue;
        if (buf->size > 0)
            cl_buf_char(buf, ',');
        cl_buf_str(buf, kinds[i].name);
    }
}

/* The pid in the process's own pid namespace: 1 for a container's first process. */
static void fill_nspid(const struct lens_sight *sight, const struct lens_row *row,
                       struct cl_buf *buf)
{
    const struct lens_process *process = process_of(sight, row);
    if (process != NULL && process->levels > 0)
        cl_buf_printf(buf, "%d", (int)process->ns_pid[process->levels - 1]);
}

static void fill_uidmap(const struct lens_sight *sight, const struct lens_row *row,
                        struct cl_buf *buf)
{
    const struct lens_process *process = process_of(sight, row);
    if (ns_of(sight, row)->type == K_NS_USER && process != NULL && process->uid_map != NULL)
        cl_buf_str(buf, process->uid_map);
}

static void fill_gidmap(const struct lens_sight *sight, const struct lens_row *row,
                        struct cl_buf *buf)
{
    const struct lens_process *process = process_of(sight, row);
    if (ns_of(sight, row)->type == K_NS_USER && process != NULL && process->gid_map != NULL)
        cl_buf_str(buf, process->gid_map);
}

const struct lens_column_info lens_columns[LENS_COLUMN_COUNT] = {
    [LENS_COLUMN_NS] = { "NS", CL_COLUMN_RIGHT, true, LENS_NEED_NOTHING, 10,
                         "namespace identifier (inode number)", fill_ns },
    [LENS_COLUMN_TYPE] = { "TYPE", CL_COLUMN_LEFT, false, LENS_NEED_NOTHING, 5, "kind of namespace",
                           fill_type },
    [LENS_COLUMN_PATH] = { "PATH", CL_COLUMN_LEFT, false, LENS_NEED_NOTHING, 0,
                           "path to the namespace", fill_path },
    [LENS_COLUMN_NPROCS] = { "NPROCS", CL_COLUMN_RIGHT, true, LENS_NEED_NOTHING, 5,
                             "number of processes in the namespace", fill_nprocs },
    [LENS_COLUMN_PID] = { "PID", CL_COLUMN_RIGHT, true, LENS_NEED_NOTHING, 5,
                          "lowest PID in the namespace", fill_pid },
    [LENS_COLUMN_PPID] = { "PPID", CL_COLUMN_RIGHT, true, LENS_NEED_NOTHING, 5, "PPID of the PID",
                           fill_ppid },
    [LENS_COLUMN_COMMAND] = { "COMMAND", CL_COLUMN_TRUNCATE, false, LENS_NEED_COMMAND, 0,
                              "command line of the PID", fill_command },
    [LENS_COLUMN_UID] = { "UID", CL_COLUMN_RIGHT, true, LENS_NEED_NOTHING, 0, "UID of the PID",
                          fill_uid },
    [LENS_COLUMN_USER] = { "USER", CL_COLUMN_LEFT, false, LENS_NEED_NOTHING, 0,
                           "username of the PID", fill_user },
    [LENS_COLUMN_NETNSID] = { "NETNSID", CL_COLUMN_RIGHT, false, LENS_NEED_NETNSID, 0,
                              "namespace ID as used by network subsystem", fill_netnsid },
    [LENS_COLUMN_NSFS] = { "NSFS", CL_COLUMN_LEFT, false, LENS_NEED_NOTHING, 0,
                           "nsfs mountpoint (usually used network subsystem)", fill_nsfs },
    [LENS_COLUMN_PNS] = { "PNS", CL_COLUMN_RIGHT, true, LENS_NEED_RELATIONS, 10,
                          "parent namespace identifier (inode number)", fill_pns },
    [LENS_COLUMN_ONS] = { "ONS", CL_COLUMN_RIGHT, true, LENS_NEED_RELATIONS, 10,
                          "owner namespace identifier (inode number)", fill_ons },
    [LENS_COLUMN_CONTAINER] = { "CONTAINER", CL_COLUMN_LEFT, false, LENS_NEED_NAMES, 0,
                                "container of the PID", fill_container },
    [LENS_COLUMN_ENGINE] = { "ENGINE", CL_COLUMN_LEFT, false, LENS_NEED_NAMES, 0,
                             "engine of that container", fill_engine },
    [LENS_COLUMN_HELD] = { "HELD", CL_COLUMN_LEFT, false, LENS_NEED_HOLDERS, 0,
                           "what keeps the namespace: process, fd, socket, mount, child",
                           fill_held },
    [LENS_COLUMN_NSPID] = { "NSPID", CL_COLUMN_RIGHT, true, LENS_NEED_IDS, 0,
                            "the PID in its own pid namespace", fill_nspid },
    [LENS_COLUMN_UIDMAP] = { "UIDMAP", CL_COLUMN_LEFT, false, LENS_NEED_MAPS, 0,
                             "user ids of a user namespace: INSIDE:OUTSIDE:COUNT", fill_uidmap },
    [LENS_COLUMN_GIDMAP] = { "GIDMAP", CL_COLUMN_LEFT, false, LENS_NEED_MAPS, 0,
                             "group ids likewise", fill_gidmap },
};

int lens_column_by_name(const char *name, size_t length)
{
    for (int id = 0; id < LENS_COLUMN_COUNT; id++)
        if (strlen(lens_columns[id].name) == length &&
            strncasecmp(lens_columns[id].name, name, length) == 0)
            return id;
    return -EINVAL;
}

int lens_column_add(struct lens_column_list *list, enum lens_column id)
{
    if (list->count == CL_COUNT(list->ids))
        return -E2BIG;
    list->ids[list->count++] = id;
    return 0;
}

bool lens_columns_have(const struct lens_column_list *list, enum lens_column id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->ids[i] == id)
            return true;
    return false;
}

static int fail_unknown(struct cl_error *err, const char *name, size_t length)
{
    const char *words[LENS_COLUMN_COUNT];
    char upper[32];
    for (int id = 0; id < LENS_COLUMN_COUNT; id++)
        words[id] = lens_columns[id].name;
    (void)CL_PRINT(upper, "%.*s", (int)(length > 31 ? 31 : length), name); /* fits */
    for (char *at = upper; *at != '\0'; at++)
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    const char *closest = cl_closest(upper, words, CL_COUNT(words));
    int code = cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "unknown column: %.*s",
                            (int)(length > 64 ? 64 : length), name);
    if (closest != NULL)
        (void)cl_error_hint(err, "did you mean %s?", closest);
    else
        (void)cl_error_hint(err, "--list-columns shows them");
    return code;
}

int lens_columns_parse(struct lens_column_list *list, const char *text, struct cl_error *err)
{
    struct lens_column_list parsed = { 0 };
    if (text[0] == '+') {
        parsed = *list;
        text++;
    }
    for (const char *at = text, *next; at != NULL; at = next) {
        size_t length = strcspn(at, ",");
        next = at[length] == ',' ? at + length + 1 : NULL;
        int id = lens_column_by_name(at, length);
        if (id < 0)
            return fail_unknown(err, at, length);
        if (lens_column_add(&parsed, (enum lens_column)id) < 0)
            return cl_fail_kind(err, CL_KIND_USAGE, E2BIG,
                                "too many columns specified, the limit is %zu columns",
                                CL_COUNT(parsed.ids));
    }
    *list = parsed;
    return 0;
}
