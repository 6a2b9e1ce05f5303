/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another process in a running container. The caller becomes its parent: there is no process of ours in between, and with it dies the new one (unless detached).
 */
#include "engine/engine_private.h"

#include <fcntl.h>

/* The container's root as a descriptor to resolve below, never to be entered: its own process may do what it likes with its links. */
static int open_root(const struct engine_view *view, struct cl_error *err)
{
    uint64_t start;
    cl_auto_fd proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    cl_auto_fd pid_fd = procfs_open_pid(proc, view->state.pid);
    if (pid_fd < 0 || procfs_start_ticks(proc, view->state.pid, &start) < 0 ||
        start != view->state.pid_start)
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container %s is not running",
                            view->row->name);
    int root = openat(pid_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? cl_fail(err, errno, "open the root of container %s", view->row->name) : root;
}

static const char *text_or(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

int engine_container_exec(struct engine *engine, const char *reference,
                          const struct engine_exec *request, struct runtime_process *ret,
                          struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    CL_AUTO(oci_process_free) struct oci_process *process = NULL;
    int result = engine_container_find(engine, reference, &view, err);
    if (result < 0)
        return result;
    if (view->state.status != WIRE_RUNNING)
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container %s is %s%s", view->row->name,
                            view->state.status == WIRE_PAUSED ? "paused" : "not running",
                            view->state.status == WIRE_PAUSED ? "; unpause it first" : "");
    cl_auto_fd root = open_root(view, err);
    if (root < 0)
        return root;
    const struct engine_process_input input = {
        .config = view->config,
        .id = view->row->id,
        .root_fd = root,
        .arguments = request->arguments,
        .extra_env = request->env,
        .user = text_or(request->user, view->config->user),
        .working_dir = text_or(request->working_dir, view->config->working_dir),
        .terminal = request->terminal,
        .privileged = request->privileged,
        .rows = request->rows,
        .columns = request->columns,
    };
    result = engine_process_new(&input, &process, err);
    if (result < 0)
        return result;
    const struct runtime_target target = { .pid = view->state.pid,
                                           .start_ticks = view->state.pid_start,
                                           .cgroup_path = view->state.cgroup };
    const struct runtime_exec_options options = {
        .use_default_seccomp = !request->privileged && engine_wants_default_seccomp(view->config),
        .die_with_parent = !request->detach,
    };
    const struct runtime_io io = { .terminal = request->terminal,
                                   .rows = request->rows,
                                   .columns = request->columns,
                                   .in = request->in,
                                   .out = request->out,
                                   .err = request->err };
    return runtime_exec(&target, process, &options, &io, ret, err);
}
