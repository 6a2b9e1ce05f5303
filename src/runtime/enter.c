/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process between the parent and the container's first one, where a user namespace and namespaces
 * of others come together.
 *
 * Whoever enters a user namespace can't go back, and init, once born in a new one, has no rights
 * over namespaces of the host's; both forbid that the parent or init does it. So a short-lived
 * process enters what is to be joined and clones init in there as its own sibling (CLONE_PARENT):
 * init's parent is ours, and so is the news of its end.
 *
 *   parent                       between                         init
 *   clone3     ---------------->  setns, …
 *                                 clone3(CLONE_PARENT) -------->  first closes the pipe, then waits for GO
 *             <-----------------  its pid, through a pipe; exit
 *   pidfd_open(pid): a child of ours that nobody else reaps
 *
 * A failure comes as FAILED through the socket that init inherits, and the pipe ends empty.
 */
#include "runtime/child.h"
#include "runtime/parent.h"

#include <errno.h>
#include <unistd.h>

static int enter(struct child *child, struct cl_error *err)
{
    return child->between->enter(child, err);
}

static pid_t try_birth(struct parent_between *between, bool into_cgroup)
{
    int pidfd = -EBADF;
    struct k_clone birth = between->birth;
    birth.flags |= CLONE_PARENT; /* the signal of its end is then ours */
    birth.exit_signal = 0;
    if (!into_cgroup)
        birth.cgroup_fd = -EBADF;
    pid_t pid = k_clone3(&birth, &pidfd);
    if (pid == 0) {
        between->report = cl_close(between->report);
        between->main(between->data, birth.cgroup_fd >= 0);
        _exit(125); /* it does not come back */
    }
    return pid;
}

static int give_birth(struct child *child, struct cl_error *err)
{
    struct parent_between *between = child->between;
    pid_t pid = try_birth(between, true);
    if ((pid == -EBUSY || pid == -EOPNOTSUPP) && between->other_group != NULL) {
        int other = between->other_group(between->data);
        if (other >= 0) {
            between->birth.cgroup_fd = other;
            pid = try_birth(between, true);
        }
    }
    if (pid == -ENOSYS || pid == -EBUSY || pid == -EOPNOTSUPP)
        pid = try_birth(between, false);
    if (pid == -ENOMEM && child->plan == NULL) /* what a pid namespace without its init answers */
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "the container is not running");
    if (pid < 0)
        return cl_fail(err, pid, "make the container's namespaces");
    (void)cl_write_full(between->report, &pid, sizeof pid); /* a parent that is gone needs it not */
    _exit(0);
}

static const struct child_step between_steps[] = {
    { "enter namespaces", IN_HOST, enter, NULL },
    { "make the first process", IN_HOST, give_birth, NULL },
};

static int hear(struct parent_between *between, int report, int pidfd, struct cl_error *err)
{
    pid_t pid = 0;
    int status = 0;
    bool is_born = cl_read_full(report, &pid, sizeof pid) == (ssize_t)sizeof pid && pid > 0;
    struct runtime_process process = {
        .pidfd = pidfd, .sync = between->child->parent_end, .console = -EBADF, .root_mount = -EBADF
    };
    const struct parent_service nothing = { 0 };
    int result = is_born ? pid : parent_wait(&process, WIRE_INIT_READY, &nothing, err);
    /* What it had to say is said. An error path is walked to its end (parent_discard). */
    if (k_wait_pidfd(pidfd, 0, &status) < 0)
        (void)k_wait_pidfd(pidfd, 0, &status);
    return result;
}

pid_t parent_clone_between(struct parent_between *between, int *ret_pidfd, struct cl_error *err)
{
    cl_auto_fd report = -EBADF, end = -EBADF;
    int pidfd = -EBADF;
    const struct k_clone arguments = { .cgroup_fd = -EBADF, .exit_signal = SIGCHLD };
    int result = k_pipe(&report, &end);
    if (result >= 0)
        result = k_clone3(&arguments, &pidfd);
    if (result == 0) {
        between->report = end;
        between->child->between = between;
        child_run(between->child, between_steps, CL_COUNT(between_steps));
    }
    if (result < 0)
        return cl_fail(err, result, "make the process that enters namespaces");
    cl_auto_fd own = pidfd;
    end = cl_close(end);
    between->child->sync = cl_close(between->child->sync); /* or its end of file would never come */
    pid_t pid = hear(between, report, own, err);
    if (pid <= 0)
        return pid;
    int init = k_pidfd_open(pid);
    if (init < 0)
        return cl_fail(err, init, "open the container's first process");
    *ret_pidfd = init;
    return pid;
}
