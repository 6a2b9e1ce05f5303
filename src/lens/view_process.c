/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the view that are about the process itself: pids, users, command, hostname, namespaces.
 */
#include <errno.h>

#include "lens/peek.h"
#include "lens/view.h"

static int add_process_row(struct view *view, const char *name, char *take_host, char *take_inside)
{
    return view_add_pair(view, "process", name, take_host, take_inside);
}

/* Pids of one process on both sides: NSpid's first and last entry. */
static int add_pid_row(struct view *view, const char *name, const struct procfs_status *status,
                       const char *comment)
{
    pid_t host = status->levels > 0 ? status->ns_pid[0] : 0;
    pid_t inside = status->levels > 0 ? status->ns_pid[status->levels - 1] : 0;
    return add_process_row(view, name, cl_format("%d%s", (int)host, comment),
                           cl_format("%d", (int)inside));
}

static int add_parent(struct view *view)
{
    cl_auto_fd parent_fd = procfs_open_pid(view->proc_fd, view->stat.parent);
    struct procfs_status parent;
    struct procfs_stat again;
    bool is_known = parent_fd >= 0 && procfs_read_status(parent_fd, &parent) >= 0 &&
                    procfs_read_stat(view->pid_fd, &again) >= 0 &&
                    again.parent == view->stat.parent; /* it lived, so the pid was its own */
    if (!is_known)
        return add_process_row(view, "parent", cl_format("%d", (int)view->stat.parent),
                               cl_strdup("0"));
    char comment[96];
    (void)CL_PRINT(comment, " (%s)", parent.name); /* fits */
    /* A parent of fewer levels is outside of the pid namespace: seen from there it is 0. */
    if (parent.levels < view->status.levels)
        return add_process_row(view, "parent", cl_format("%d%s", (int)view->stat.parent, comment),
                               cl_strdup("0"));
    unsigned level = view->status.levels > 0 ? view->status.levels - 1 : 0;
    return add_process_row(view, "parent", cl_format("%d%s", (int)view->stat.parent, comment),
                           cl_format("%d", (int)parent.ns_pid[level]));
}

/* Pid namespaces between the host's and the process's own. */
static int add_levels(struct view *view)
{
    int code = 0;
    for (unsigned level = 1; code >= 0 && level + 1 < view->status.levels; level++)
        code = view_add_item(view, "process", "pid between",
                             cl_format("level %u of %u", level, view->status.levels - 1),
                             cl_format("%d", (int)view->status.ns_pid[level]));
    return code;
}

int view_pids(struct view *view)
{
    int code = add_pid_row(view, "pid", &view->status, "");
    if (code >= 0)
        code = add_levels(view);
    return code < 0 ? code : add_parent(view);
}

int view_hostname(struct view *view)
{
    struct lens_uts ours = { 0 }, theirs = { 0 };
    const char *capability = "CAP_SYS_ADMIN";
    int code = lens_uts_read(&ours);
    if (code < 0)
        return code;
    if (view_shares(view, K_NS_UTS)) {
        theirs = ours;
    } else {
        cl_auto_fd fd = -EBADF;
        code = k_ns_open(view->pid_fd, K_NS_UTS, &fd, NULL);
        capability = code < 0 ? "CAP_SYS_PTRACE" : capability;
        code = code < 0 ? code : lens_peek_uts(fd, &theirs);
    }
    if (code < 0)
        return add_process_row(view, "hostname", cl_strdup(ours.host_name),
                               view_hidden(code, capability));
    code =
        add_process_row(view, "hostname", cl_strdup(ours.host_name), cl_strdup(theirs.host_name));
    return code < 0 ? code
                    : add_process_row(view, "domain", cl_strdup(ours.domain_name),
                                      cl_strdup(theirs.domain_name));
}

/* The map drawn: which ids inside are which outside. The identity is not drawn. */
static int add_maps(struct view *view, const char *file, const char *name)
{
    struct lens_idmap map;
    int code = lens_idmap_read(view->pid_fd, file, &map);
    if (code < 0 || lens_idmap_is_identity(&map))
        return code == -ENOMEM ? code : 0;
    code = map.count == 0 ? add_process_row(view, name, cl_strdup(""), cl_strdup("no id is mapped"))
                          : 0;
    for (size_t i = 0; code >= 0 && i < map.count; i++) {
        const struct lens_id_range *range = &map.ranges[i];
        uint32_t last = range->count - 1;
        char *host = last == 0
                         ? cl_format("%u \u2192", range->outside)
                         : cl_format("%u\u2013%u \u2192", range->outside, range->outside + last);
        char *inside = last == 0 ? cl_format("%u", range->inside)
                                 : cl_format("%u\u2013%u", range->inside, range->inside + last);
        code = host == NULL || inside == NULL ? -ENOMEM : 0;
        if (code >= 0) {
            code = view_add_item(view, "process", name, host, inside);
        } else {
            free(host);
            free(inside);
        }
    }
    return code;
}

int view_user(struct view *view)
{
    struct lens_idmap map;
    uint32_t uid = view->status.uid[1], inside = 0;
    const char *name = cl_user_name(uid);
    char *host = name != NULL ? cl_format("%u (%s)", uid, name) : cl_format("%u", uid);
    int code = lens_idmap_read(view->pid_fd, "uid_map", &map);
    if (code < 0)
        return add_process_row(view, "user", host, view_hidden(code, "CAP_SYS_PTRACE"));
    CL_AUTO(lens_id_names_free)
    struct lens_id_names *names = lens_id_names_read(view->root_fd, "/etc/passwd");
    bool is_mapped = lens_idmap_inside(&map, uid, &inside);
    const char *inside_name = lens_id_names_find(names, inside);
    code = add_process_row(view, "user", host,
                           inside_name != NULL
                               ? cl_format("%u (%s)", inside, inside_name)
                               : cl_format("%u%s", inside, is_mapped ? "" : " (not mapped)"));
    if (code >= 0)
        code = add_maps(view, "uid_map", "user map");
    return code < 0 ? code : add_maps(view, "gid_map", "group map");
}

int view_command(struct view *view)
{
    char text[LENS_COMMAND_MAX];
    ssize_t length = procfs_read_command(view->pid_fd, text, sizeof text);
    if (length < 0)
        return add_process_row(view, "command", view_hidden((int)length, "CAP_SYS_PTRACE"),
                               view_hidden((int)length, "CAP_SYS_PTRACE"));
    return add_process_row(view, "command", cl_strdup(text), cl_strdup(text));
}

static char *inode_text(uint64_t inode)
{
    return inode == 0 ? view_hidden(-EACCES, "CAP_SYS_PTRACE")
                      : cl_format("%llu", (unsigned long long)inode);
}

int view_namespaces(struct view *view)
{
    for (int type = 0; type < K_NS_COUNT; type++) {
        struct view_row row = { .section = "namespace",
                                .name = k_ns_table[type].name,
                                .host = inode_text(view->host_ns[type]),
                                .inside = inode_text(view->inside_ns[type]),
                                .verdict = view->verdicts[type],
                                .with = cl_strdup(view->with[type]) };
        int code = view_add(view, &row);
        if (code < 0)
            return code;
    }
    return 0;
}
