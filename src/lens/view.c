/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cloche view`: one process from both sides. This file opens the target, lets each part add its rows, makes sure that it was one process all the
 * while, and prints.
 */
#include "lens/view.h"

#include <errno.h>
#include <fcntl.h>

#include "lens/proc.h"

static view_part *const view_parts[] = {
    view_pids,   view_command,    view_user,        view_hostname, view_cgroup,
    view_limits, view_namespaces, view_network,     view_ipc,      view_clocks,
    view_root,   view_mounts,     view_descriptors, view_security,
};

static void row_done(const struct view_row *row)
{
    free(row->host);
    free(row->inside);
    free(row->with);
}

int view_add(struct view *view, const struct view_row *take_row)
{
    if (view->count == view->room) {
        size_t room = view->room == 0 ? 64 : view->room * 2;
        struct view_row *rows = cl_realloc(view->rows, room * sizeof *rows);
        if (rows == NULL) {
            row_done(take_row);
            return -ENOMEM;
        }
        view->rows = rows;
        view->room = room;
    }
    view->rows[view->count++] = *take_row;
    return 0;
}

int view_add_pair(struct view *view, const char *section, const char *name, char *take_host,
                  char *take_inside)
{
    struct view_row row = {
        .section = section, .name = name, .host = take_host, .inside = take_inside
    };
    if (take_host != NULL && take_inside != NULL)
        return view_add(view, &row);
    row_done(&row);
    return -ENOMEM;
}

int view_add_item(struct view *view, const char *section, const char *name, char *take_host,
                  char *take_inside)
{
    struct view_row row = {
        .section = section, .name = name, .is_item = true, .host = take_host, .inside = take_inside
    };
    if (take_host != NULL || take_inside != NULL)
        return view_add(view, &row);
    return -ENOMEM;
}

char *view_hidden(int code, const char *capability)
{
    if (code == -EACCES || code == -EPERM)
        return cl_format("hidden (needs %s)", capability);
    if (code == -ENOENT || code == -ESRCH)
        return cl_strdup("none");
    return cl_format("unreadable (%s)", strerror(-code));
}

bool view_shares(const struct view *view, enum k_ns type)
{
    return view->host_ns[type] != 0 && view->host_ns[type] == view->inside_ns[type];
}

static void read_namespaces(int pid_fd, uint64_t inodes[static K_NS_COUNT])
{
    for (int type = 0; type < K_NS_COUNT; type++)
        if (k_ns_inode(pid_fd, (enum k_ns)type, &inodes[type]) < 0)
            inodes[type] = 0;
}

/* Init stands for the host; where its namespaces are not ours to read, we stand for ourselves. */
static int open_host(int proc_fd)
{
    uint64_t inode;
    cl_auto_fd init = procfs_open_pid(proc_fd, 1);
    if (init >= 0 && k_ns_inode(init, K_NS_MNT, &inode) >= 0)
        return cl_take_fd(&init);
    int fd = openat(proc_fd, "self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int find_target(struct view *view, const char *reference, const struct lens_names *names,
                       struct cl_error *err)
{
    uint64_t inode;
    if (strcmp(reference, "host") != 0)
        return lens_find_target(view->proc_fd, reference, names, &view->target, err);
    cl_auto_fd init = procfs_open_pid(view->proc_fd, 1);
    view->target.pid = init >= 0 && k_ns_inode(init, K_NS_MNT, &inode) >= 0 ? 1 : getpid();
    int code = procfs_start_ticks(view->proc_fd, view->target.pid, &view->target.start_ticks);
    return code < 0 ? cl_fail(err, code, "look at the host") : 0;
}

static int open_both(struct view *view)
{
    view->pid_fd = procfs_open_pid(view->proc_fd, view->target.pid);
    int code = view->pid_fd < 0 ? view->pid_fd : procfs_read_stat(view->pid_fd, &view->stat);
    if (code >= 0)
        code = procfs_read_status(view->pid_fd, &view->status);
    if (code >= 0 && view->stat.start_ticks != view->target.start_ticks)
        code = -ESRCH; /* another process has got the pid */
    if (code >= 0)
        code = view->host_fd = open_host(view->proc_fd);
    if (code < 0)
        return code;
    /* Anybody may read init's status, also where its namespaces are hidden. */
    cl_auto_fd init = procfs_open_pid(view->proc_fd, 1);
    if (init >= 0 && procfs_read_status(init, &view->host_status) >= 0)
        return 0;
    return procfs_read_status(view->host_fd, &view->host_status);
}

int view_open(struct view *view, const char *reference, const struct lens_names *names,
              struct cl_error *err)
{
    view->pid_fd = view->host_fd = view->root_fd = -EBADF;
    int code = find_target(view, reference, names, err);
    if (code < 0)
        return code;
    code = open_both(view);
    if (code < 0)
        return cl_fail(err, code, "look at process %d", (int)view->target.pid);
    view->root_fd = openat(view->pid_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    read_namespaces(view->host_fd, view->host_ns);
    read_namespaces(view->pid_fd, view->inside_ns);
    lens_directory_read(&view->directory, names);
    return 0;
}

int view_fill(struct view *view, view_part *const *parts, size_t count, struct cl_error *err)
{
    struct procfs_stat stat;
    int code = 0;
    for (size_t i = 0; code >= 0 && i < count; i++)
        code = parts[i](view);
    if (code < 0)
        return cl_fail(err, code, "look at process %d", (int)view->target.pid);
    if (procfs_read_stat(view->pid_fd, &stat) < 0)
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ESRCH, "process %d ended while we looked",
                            (int)view->target.pid);
    return 0;
}

void view_done(struct view *view)
{
    for (size_t i = 0; i < view->count; i++)
        row_done(&view->rows[i]);
    free(view->rows);
    lens_directory_done(&view->directory);
    lens_snapshot_free(view->snapshot);
    (void)cl_close(view->root_fd);
    (void)cl_close(view->host_fd);
    (void)cl_close(view->pid_fd);
}

int lens_view(const struct lens_view_options *options, const struct lens_names *names, FILE *out,
              struct cl_error *err)
{
    cl_auto_fd own_fd = options->proc_fd > 0 ? -EBADF : lens_open_proc(err);
    struct view view = { .proc_fd = options->proc_fd > 0 ? options->proc_fd : own_fd };
    if (view.proc_fd < 0)
        return view.proc_fd;
    int code = view_open(&view, options->target, names, err);
    if (code >= 0 && (code = view_judge(&view)) < 0)
        (void)cl_fail(err, code, "look at process %d", (int)view.target.pid);
    if (code >= 0)
        code = view_fill(&view, view_parts, CL_COUNT(view_parts), err);
    if (code >= 0) {
        view_judge_rows(&view);
        code = view_print(&view, options, out);
        if (code < 0)
            (void)cl_fail(err, code, "print the view of process %d", (int)view.target.pid);
    }
    view_done(&view);
    return code < 0 ? code : 0;
}
