/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's first process once it was made (create.c, restore.c): left to whoever starts it, started, ended.
 *
 * Its end takes what belongs to the container along: its resctrl groups, its control group with whoever is left in there.
 */
#include "runtime/parent.h"
#include "runtime/trace.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#define END_TIMEOUT_MS 10000 /* a killed process that is still there then hangs in the kernel */

/* Back while there still is a namespace to take them from. */
void parent_forget_devices(struct runtime_process *process, bool take_back)
{
    if (take_back)
        netdev_take_back(process->net);
    netdev_free(process->net);
    process->net = NULL;
}

int runtime_leave(struct runtime_process *process, struct cl_error *err)
{
    int result = parent_send(process->sync, WIRE_INIT_LEAVE);
    if (result < 0)
        return cl_fail(err, result, "leave the container to its starter");
    process->sync = cl_close(process->sync);
    parent_forget_devices(process, false);
    return 0;
}

/* With the file of a trace: an init that was left takes it, another has its own. */
static int send_start(const struct runtime_process *process)
{
    struct wire_init message = { .type = WIRE_INIT_START };
    if (process->trace_fd <= 0 || process->trace_since == NULL)
        return parent_send(process->sync, WIRE_INIT_START);
    memcpy(message.text, process->trace_since, sizeof *process->trace_since);
    ssize_t size = cl_send_fds(process->sync, &message, sizeof message, &process->trace_fd, 1);
    return size < 0 ? (int)size : 0;
}

int runtime_start(struct runtime_process *process, struct cl_error *err)
{
    if (process->sync < 0)
        return 0; /* it runs already: exec's processes do not wait */
    const struct parent_service nothing = { 0 };
    const struct trace trace =
        trace_to(process->trace_since != NULL ? process->trace_fd : 0, process->trace_since, false);
    struct timespec start;
    (void)trace_begin(&trace, "start the program", &start); /* lines are never waited for */
    int result = process->is_let_go ? 0 : send_start(process);
    cl_test_point("start sent");
    if (result == -EPIPE) /* it is gone: hear why */
        result = parent_wait(process, WIRE_INIT_READY, &nothing, err);
    else if (result >= 0)
        result = parent_wait(process, 0, &nothing, err);
    else
        (void)cl_fail(err, result, "start the container");
    if (result >= 0) {
        process->sync = cl_close(process->sync);
        trace_end(&trace, "start the program", process->pid, &start);
    } else {
        trace_failed(&trace, "start the program", &start);
    }
    parent_forget_devices(process, result < 0);
    return result;
}

static int wait_for_end(const struct runtime_process *process, struct cl_error *err)
{
    int status = 0;
    struct pollfd end = { .fd = process->pidfd, .events = POLLIN };
    int result = process->pidfd >= 0 ? k_wait_pidfd(process->pidfd, 0, &status) : 0;
    /* Not our child, or reaped already: then the pidfd tells when it has ended. */
    if (result == -ECHILD)
        result = poll(&end, 1, END_TIMEOUT_MS) == 1 ? 0 : -ETIMEDOUT;
    return result < 0 ? cl_fail(err, result, "wait for the end of process %d", (int)process->pid)
                      : 0;
}

int runtime_destroy(struct runtime_process *process, struct cl_error *err)
{
    int result = 0;
    /* Init first: with it dies its whole pid namespace, without a freezer's round trip. */
    if (process->pidfd >= 0)
        result = k_pidfd_send_signal(process->pidfd, SIGKILL);
    if (result < 0 && result != -ESRCH)
        return cl_fail(err, result, "kill process %d", (int)process->pid);
    result = wait_for_end(process, err);
    if (result >= 0)
        result = runtime_rdt_remove(&process->rdt, err);
    if (result < 0 || process->cgroup.count == 0)
        return result;
    int left = cgroup_remove_empty(&process->cgroup); /* as a rule it is */
    if (left < 0 && !cgroup_is_empty(&process->cgroup)) {
        result = cgroup_kill(&process->cgroup);
        if (result < 0)
            return cl_fail(err, result, "kill the processes of cgroup %s", process->cgroup.path);
    }
    result = left == 0 ? 0 : parent_remove_cgroup(&process->cgroup);
    if (result < 0)
        return cl_fail(err, result, "remove cgroup %s", process->cgroup.path);
    if (left == 0)
        cgroup_remove_parents(&process->cgroup);
    cgroup_done(&process->cgroup);
    return 0;
}

void runtime_process_done(struct runtime_process *process)
{
    process->pidfd = cl_close(process->pidfd);
    process->sync = cl_close(process->sync);
    process->console = cl_close(process->console);
    process->root_mount = cl_close(process->root_mount);
    cgroup_done(&process->cgroup);
    free(process->hierarchies);
    process->hierarchies = NULL;
    runtime_rdt_done(&process->rdt);
    parent_forget_devices(process, false);
}
