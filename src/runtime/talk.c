/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent's end of wire/init.h, and the end of a process.
 */
#include "runtime/hooks.h"
#include "runtime/notify.h"
#include "runtime/parent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

int parent_send(int sync, enum wire_init_type type)
{
    const struct wire_init message = { .type = type };
    return send(sync, &message, sizeof message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int parent_reach(const char *path, const char *property, struct cl_error *err)
{
    int socket = path == NULL ? 0 : k_connect_unix(path);
    return socket < 0 ? cl_fail(err, socket, "%s: connect to %s", property, path) : socket;
}

int parent_hand_pidfd(int socket, int pidfd, const char *word, struct cl_error *err)
{
    ssize_t size = socket <= 0 ? 0 : k_send_fds(socket, word, strlen(word), &pidfd, 1);
    return size < 0 ? cl_fail(err, (int)size, "send the process's pidfd") : 0;
}

static int failed(struct runtime_process *process, struct wire_init *message, struct cl_error *err)
{
    process->has_failed_hook = message->step == WIRE_INIT_STEP_HOOK;
    message->text[sizeof message->text - 1] = '\0';
    enum cl_kind kind =
        message->kind <= CL_KIND_NO_COMMAND ? (enum cl_kind)message->kind : CL_KIND_SYSTEM;
    return cl_fail_kind(err, kind, message->code, "%s", message->text);
}

/* End of file before READY, or in a startContainer hook: the child was killed. Why is worth a word, since the usual reason is a
   limit that is too small. */
static int ended_early(const struct runtime_process *process, struct cl_error *err)
{
    const char *when = process->is_held ? "while its startContainer hooks ran: the program was "
                                          "not executed"
                                        : "before the program ran";
    int status = 0;
    uint64_t kills = 0;
    int result = k_wait_pidfd(process->pidfd, WNOWAIT, &status);
    if (process->cgroup.count > 0 && cgroup_oom_kills(&process->cgroup, &kills) >= 0 && kills > 0)
        return cl_fail_kind(err, CL_KIND_SYSTEM, ENOMEM,
                            "the container's first process was killed before the program ran: its "
                            "memory limit is too small to start it");
    if (result >= 0 && WIFSIGNALED(status))
        return cl_fail_kind(err, CL_KIND_SYSTEM, ECHILD,
                            "the container's first process was killed by signal %d %s",
                            WTERMSIG(status), when);
    return cl_fail_kind(err, CL_KIND_SYSTEM, ECHILD, "the container's first process ended %s",
                        when);
}

static int take_console(struct runtime_process *process, bool is_wanted, const int *fds,
                        size_t count)
{
    if (!is_wanted || count != 1 || process->console >= 0) {
        for (size_t i = 0; i < count; i++)
            (void)cl_close(fds[i]);
        return -EPROTO;
    }
    process->console = fds[0];
    return 0;
}

/* It may have ended meanwhile: then the next message that does not come says so. */
static int serve_hooks(struct runtime_process *process, const struct parent_service *service,
                       struct cl_error *err)
{
    if (service->plan == NULL || process->has_run_hooks)
        return cl_fail(err, EPROTO, "hear from the container's first process");
    process->has_run_hooks = true;
    int result = parent_run_hooks(service->plan, process->pid, err);
    if (result >= 0)
        (void)parent_send(process->sync, WIRE_INIT_GO_ON);
    return result;
}

static int pass_listener(int *fds, size_t count, struct cl_error *err)
{
    int result = count == NOTIFY_FDS
                     ? notify_send(fds, err)
                     : cl_fail(err, EPROTO, "hear from the container's first process");
    for (size_t i = 0; i < count; i++)
        fds[i] = cl_close(fds[i]);
    return result;
}

void parent_wait_close(const struct runtime_process *process)
{
    struct pollfd end = { .fd = process->sync, .events = 0 }; /* POLLHUP comes unasked */
    int result;
    do
        result = poll(&end, 1, -1);
    while (result < 0 && errno == EINTR);
}

/* Hooks that init runs may never end, and who made us a foreground parent has signals blocked. */
static int wait_word(const struct runtime_process *process, const struct parent_service *service,
                     struct cl_error *err)
{
    struct pollfd fds[] = { { .fd = process->sync, .events = POLLIN },
                            { .fd = service->signals, .events = POLLIN } };
    int count = 0;
    if (service->signals <= 0)
        return 0;
    do
        count = k_poll(fds, CL_COUNT(fds), -1);
    while (count == -EINTR);
    if (count < 0)
        return cl_fail(err, count, "hear from the container's first process");
    if (fds[1].revents == 0)
        return 0;
    hooks_take_signal(service->signals);
    return cl_fail_kind(err, CL_KIND_SYSTEM, EINTR,
                        "hooks.createContainer: given up, as a signal asked us to end");
}

int parent_wait(struct runtime_process *process, enum wire_init_type until,
                const struct parent_service *service, struct cl_error *err)
{
    bool was_reset = false;
    for (;;) {
        int waited = wait_word(process, service, err);
        if (waited < 0)
            return waited;
        struct wire_init message;
        int fds[NOTIFY_FDS] = { -EBADF, -EBADF, -EBADF };
        size_t count = 0;
        ssize_t size =
            k_recv_fds(process->sync, &message, sizeof message, fds, CL_COUNT(fds), &count);
        /* It ended with a word of ours unread. That is told once, and before what it said itself. */
        if (size == -ECONNRESET && !was_reset) {
            was_reset = true;
            continue;
        }
        if (size == 0 || size == -ECONNRESET)
            return until == 0 && !process->is_held ? 0 : ended_early(process, err);
        if (size == (ssize_t)sizeof message && count == 0 && until == 0 &&
            (message.type == WIRE_INIT_HOLD || message.type == WIRE_INIT_PROGRAM)) {
            process->is_held = message.type == WIRE_INIT_HOLD;
            continue;
        }
        if (size == (ssize_t)sizeof message && message.type == WIRE_INIT_CONSOLE) {
            int result = take_console(process, service->wants_console, fds, count);
            if (result >= 0)
                continue;
            return cl_fail(err, result, "hear from the container's first process");
        }
        if (size == (ssize_t)sizeof message && message.type == WIRE_INIT_LISTENER) {
            int result = pass_listener(fds, count, err);
            if (result >= 0)
                continue;
            return result;
        }
        for (size_t i = 0; i < count; i++)
            (void)cl_close(fds[i]);
        if (size == (ssize_t)sizeof message && message.type == WIRE_INIT_HOOKS) {
            int result = serve_hooks(process, service, err);
            if (result >= 0)
                continue;
            return result;
        }
        if (size == (ssize_t)sizeof message && message.type == WIRE_INIT_FAILED)
            return failed(process, &message, err);
        if (size == (ssize_t)sizeof message && message.type == until)
            return 0;
        return cl_fail(err, size < 0 ? (int)size : -EPROTO,
                       "hear from the container's first process");
    }
}

/* An error path is walked to its end: each of its steps gets a second try, for what was only in the
   way for a moment. */
void parent_discard(struct runtime_process *process)
{
    int status = 0;
    if (process->pidfd >= 0) {
        int result = k_pidfd_send_signal(process->pidfd, SIGKILL);
        if (result < 0 && result != -ESRCH)
            (void)k_pidfd_send_signal(process->pidfd, SIGKILL);
        if (k_wait_pidfd(process->pidfd, 0, &status) < 0)
            (void)k_wait_pidfd(process->pidfd, 0, &status);
    }
    if (process->cgroup.count > 0 && parent_remove_cgroup(&process->cgroup) < 0)
        (void)parent_remove_cgroup(&process->cgroup); /* the next command's recovery is left */
    runtime_process_done(process);
}
