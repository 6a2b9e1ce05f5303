/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCMP_ACT_NOTIFY: the listener of a process's filter goes to the agent at linux.seccomp.listenerPath.
 *
 *   parent                                              init, or a process of exec
 *   connects to the agent: a refusal is its own error
 *   clone3; writes what the agent is told (pid!)  ->    has both: connection, and that text in a memfd
 *                                                       makes a thread, loads the filter, stores the listener's number
 *                                                 <-    the thread: LISTENER with listener, connection, text
 *   sends text and listener to the agent
 *
 * Why a thread: from the moment the filter is loaded any system call of its process may wait for the agent, which does not have the listener yet. A thread that was
 * there before has no filter, and the same descriptors. It hears of the listener by memory, as waking it up would be a system call: it looks until seccomp(2) is done,
 * which is microseconds, and the process looks until it has sent. Nothing of it is left: exec ends threads.
 *
 * Whoever starts the container needs to know nothing of all this: `start` is another process than `create`.
 */
#include "runtime/notify.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define TEXT_MAX (32 << 20) /* annotations are part of it */

/* ---- in the parent ---- */

int notify_open(const struct plan_process *process, struct notify *ret, struct cl_error *err)
{
    if (process->notify == NULL)
        return 0;
    const char *path = process->listener_path;
    cl_auto_fd agent = k_connect_unix(path);
    if (agent < 0)
        return cl_fail(err, agent, "%s: connect to %s", process->listener_property, path);
    cl_auto_fd text = k_memfd_data("state");
    if (text < 0)
        return cl_fail(err, text, "%s: tell the agent the state", process->listener_property);
    ret->agent = cl_take_fd(&agent);
    ret->text = cl_take_fd(&text);
    return 0;
}

void notify_close(struct notify *notify)
{
    notify->agent = cl_close(notify->agent);
    notify->text = cl_close(notify->text);
}

int notify_tell(const struct notify *notify, const struct plan_process *process, pid_t pid,
                const struct oci_state *state, struct cl_error *err)
{
    static char fd_name[] = "seccompFd";
    char *fds[] = { fd_name, NULL };
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    if (notify->agent < 0)
        return 0;
    const struct oci_process_state told = {
        .oci_version =
            (char *)(uintptr_t)OCI_SPEC_VERSION, /* borrowed for the encoder, as all of it */
        .fds = fds,
        .pid = pid,
        .metadata = process->notify->listener_metadata,
        .state = *state,
    };
    int result = oci_process_state_encode(&told, &json);
    cl_auto_free char *text = result < 0 ? NULL : cl_json_text(json, CL_JSON_COMPACT);
    ssize_t size = text == NULL ? -ENOMEM : cl_write_full(notify->text, text, strlen(text));
    return size < 0
               ? cl_fail(err, (int)size, "%s: tell the agent the state", process->listener_property)
               : 0;
}

/* config-linux.md: the descriptor with the first part, should it take several. */
static int send_all(int agent, int listener, const char *text, size_t size)
{
    ssize_t sent = k_send_fds(agent, text, size, &listener, 1);
    for (size_t done = 0; sent >= 0 && (done += (size_t)sent) < size;) {
        sent = send(agent, text + done, size - done, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return -errno;
        sent = sent < 0 ? 0 : sent;
    }
    /* Its end, though the process has the connection open until it executes, which may be what the agent is asked about. */
    (void)shutdown(agent, SHUT_WR);
    return sent < 0 ? (int)sent : 0;
}

int notify_send(const int fds[static NOTIFY_FDS], struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    (void)lseek(fds[2], 0, SEEK_SET); /* a memfd; another one can't be read, either */
    int result = cl_read_fd(fds[2], TEXT_MAX, &text, &size, err);
    if (result < 0)
        return cl_error_prefix(err, "linux.seccomp.listenerPath");
    result = send_all(fds[1], fds[0], text, size);
    return result < 0 ? cl_fail(err, result, "linux.seccomp.listenerPath: send the listener") : 0;
}

/* ---- in the process ---- */

struct hand_over {
    const struct child *child;
    atomic_int listener, sent;
};
enum { NOT_YET = -100000 };

/* The thread. It shares everything with its process, errno too: only raw calls. */
static int hand_over_main(void *data)
{
    struct hand_over *shared = data;
    int listener;
    while ((listener = atomic_load(&shared->listener)) == NOT_YET)
        (void)syscall(SYS_sched_yield);
    if (listener >= 0) {
        const struct wire_init message = { .type = WIRE_INIT_LISTENER };
        const int fds[NOTIFY_FDS] = { listener, shared->child->notify.agent,
                                      shared->child->notify.text };
        ssize_t size =
            k_send_fds(shared->child->sync, &message, sizeof message, fds, CL_COUNT(fds));
        /* As long as we have it, too, nobody is told of an agent that has ended: the execve that waits for it would wait for ever. */
        (void)cl_close(listener);
        atomic_store(&shared->sent, size < 0 ? (int)size : 0);
    }
    return 0; /* clone(3) ends the thread, and only that */
}

static int fail_load(const struct child *child, int code, struct cl_error *err)
{
    (void)cl_fail(err, code, "load the seccomp filter");
    bool is_killable = (child->process->filter.flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) != 0;
    return code == -EINVAL && is_killable
               ? cl_error_hint(err, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs Linux 5.19")
               : code;
}

int notify_load_filter(struct child *child, struct cl_error *err)
{
    static _Alignas(16) char stack[16384];
    static struct hand_over shared;
    const struct seccomp_filter *filter = &child->process->filter;
    shared.child = child;
    atomic_store(&shared.listener, NOT_YET);
    atomic_store(&shared.sent, NOT_YET);
    int thread = clone(
        hand_over_main, stack + sizeof stack,
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, &shared);
    if (thread < 0)
        return cl_fail(err, errno, "make a thread for the seccomp listener");
    int listener = k_seccomp_filter(filter->code, filter->count, filter->flags);
    atomic_store(&shared.listener, listener);
    if (listener < 0)
        return fail_load(child, listener, err);
    int sent;
    while ((sent = atomic_load(&shared.sent)) == NOT_YET)
        ; /* no system call from here on */
    return sent < 0 ? cl_fail(err, sent, "hand the seccomp listener on") : 0;
}
