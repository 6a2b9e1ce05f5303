/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the view that are about the process itself: pids, users, command, hostname, namespaces.
 */
#include <errno.h>
#include <sys/utsname.h>

#include "lens/peek.h"
#include "lens/view.h"

static int add_process_row(struct view *view, const char *name, char *take_host, char *take_inside)
{
    struct view_row row = {
        .section = "process", .name = name, .host = take_host, .inside = take_inside
    };
    if (take_host != NULL && take_inside != NULL)
        return view_add(view, &row);
    free(take_host);
    free(take_inside);
    return -ENOMEM;
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

int view_pids(struct view *view)
{
    int code = add_pid_row(view, "pid", &view->status, "");
    return code < 0 ? code : add_parent(view);
}

int view_hostname(struct view *view)
{
    struct utsname ours;
    struct lens_uts theirs = { 0 };
    if (uname(&ours) < 0)
        return -errno;
    char *inside = NULL;
    if (view_shares(view, K_NS_UTS)) {
        inside = cl_strdup(ours.nodename);
    } else {
        cl_auto_fd fd = -EBADF;
        int code = k_ns_open(view->pid_fd, K_NS_UTS, &fd, NULL);
        const char *capability = code < 0 ? "CAP_SYS_PTRACE" : "CAP_SYS_ADMIN";
        if (code >= 0)
            code = lens_peek_uts(fd, &theirs);
        inside = code < 0 ? view_hidden(code, capability) : cl_strdup(theirs.host_name);
    }
    return add_process_row(view, "hostname", cl_strdup(ours.nodename), inside);
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
    return add_process_row(view, "user", host,
                           inside_name != NULL
                               ? cl_format("%u (%s)", inside, inside_name)
                               : cl_format("%u%s", inside, is_mapped ? "" : " (not mapped)"));
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
        uint64_t host = view->host_ns[type], inside = view->inside_ns[type];
        struct view_row row = {
            .section = "namespace",
            .name = k_ns_table[type].name,
            .host = inode_text(host),
            .inside = inode_text(inside),
            .verdict = host == 0 || inside == 0 ? VIEW_NONE
                       : host == inside         ? VIEW_SHARED
                                                : VIEW_OWN,
        };
        int code = view_add(view, &row);
        if (code < 0)
            return code;
    }
    return 0;
}
