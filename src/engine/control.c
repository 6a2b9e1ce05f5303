/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steering running containers: attach, wait, kill, stop, pause, rename, list of processes. Nothing here polls: ends are waited for on the monitor's socket.
 */
#include "engine/engine_private.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

#define DEFAULT_STOP_TIMEOUT_S 10

static int not_running(const struct engine_view *view, struct cl_error *err)
{
    return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH,
                        "container %s is not running; see 'cloche ps -a'", view->row->name);
}

static int find_running(struct engine *engine, const char *reference, struct engine_view **ret,
                        struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    int result = engine_container_find(engine, reference, &view, err);
    if (result < 0)
        return result;
    if (!engine_view_is_running(view))
        return not_running(view, err);
    *ret = cl_take(view);
    return 0;
}

int engine_container_attach(struct engine *engine, const char *reference, unsigned flags,
                            int *ret_client, struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    int result = find_running(engine, reference, &view, err);
    if (result < 0)
        return result;
    result = engine_connect(engine, view->row->id, flags, ret_client);
    if (result == -ENOENT || result == -ECONNREFUSED)
        return not_running(view, err);
    return result < 0 ? cl_fail(err, result, "attach to container %s", view->row->name) : 0;
}

/* ---- the end of a container ---- */

/* Reads the monitor's messages until EXIT, or until deadline_ns passes (negative: never). -ETIMEDOUT, -EPIPE (the monitor died). */
static int await_exit(int client, int64_t deadline_ns, int *ret_code)
{
    struct {
        struct wire_attach header;
        char payload[WIRE_PAYLOAD_MAX];
    } packet;
    for (;;) {
        int64_t left_ms = deadline_ns < 0 ? -1 : (deadline_ns - cl_now_ns()) / 1000000;
        if (deadline_ns >= 0 && left_ms < 0)
            left_ms = 0;
        struct pollfd ready = { .fd = client, .events = POLLIN };
        int count = poll(&ready, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (count == 0)
            return -ETIMEDOUT;
        ssize_t size = recv(client, &packet, sizeof packet, 0);
        if (size < 0 && (errno == EINTR || errno == ECONNRESET))
            continue; /* a reset comes once, and before what can still be read */
        if (size <= 0)
            return -EPIPE;
        if (wire_attach_check(&packet.header, (size_t)size, false) < 0)
            return -EPROTO;
        if (packet.header.type == WIRE_EXIT) {
            *ret_code = packet.header.u.exit.code;
            return 0;
        }
    }
}

/* What the container is now that it no longer runs: the monitor's record, or what recovery makes of a dead monitor. */
static int final_code(struct engine *engine, const char *id, int *ret_code, struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    int result = engine_recover(engine, err);
    if (result >= 0)
        result = engine_view_find(engine, id, &view, err);
    if (result < 0)
        return result;
    if (engine_view_is_running(view))
        return cl_fail_kind(err, CL_KIND_SYSTEM, EIO,
                            "the monitor of container %s does not answer; try again, or remove the "
                            "container with 'cloche rm -f'",
                            view->row->name);
    *ret_code = view->state.exit_code;
    return 0;
}

int engine_container_wait(struct engine *engine, const char *reference, int *ret_code,
                          struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    cl_auto_fd client = -EBADF;
    int result = engine_view_find(engine, reference, &view, err);
    if (result < 0)
        return result;
    if (!engine_view_is_running(view)) {
        *ret_code = view->state.exit_code;
        return 0;
    }
    result = engine_connect(engine, view->row->id, 0, &client);
    if (result >= 0)
        result = await_exit(client, -1, ret_code);
    return result < 0 ? final_code(engine, view->row->id, ret_code, err) : 0;
}

/* -ESRCH (as not_running says it): it has ended. */
static int signal_init(const struct engine_view *view, int signo, struct cl_error *err)
{
    uint64_t start = 0;
    cl_auto_fd proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    cl_auto_fd pidfd = k_pidfd_open(view->state.pid);
    int result = pidfd < 0 ? pidfd : procfs_start_ticks(proc, view->state.pid, &start);
    if (result >= 0 && start != view->state.pid_start)
        result = -ESRCH; /* the number is somebody else's by now */
    if (result >= 0)
        result = k_pidfd_send_signal(pidfd, signo);
    if (result == -ESRCH || result == -ENOENT)
        return not_running(view, err);
    return result < 0
               ? cl_fail(err, result, "send signal %d to container %s", signo, view->row->name)
               : 0;
}

int engine_container_kill(struct engine *engine, const char *reference, int signo,
                          struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    int result = find_running(engine, reference, &view, err);
    if (result < 0)
        return result;
    if (signo == SIGKILL && view->state.status == WIRE_PAUSED)
        (void)engine_container_pause(engine, view->row->id, false,
                                     NULL); /* v1: frozen ones don't die */
    result = signal_init(view, signo, err);
    cl_test_point("engine.signalled");
    return result;
}

static int stop_signal(const struct engine_config *config)
{
    int signo = config->stop_signal[0] == '\0' ? SIGTERM : oci_signal_number(config->stop_signal);
    return signo < 0 ? SIGTERM : signo;
}

int engine_container_stop(struct engine *engine, const char *reference, int timeout_s,
                          struct cl_error *err)
{
    return engine_container_stop_with(engine, reference, 0, timeout_s, err);
}

static int stop_failed(const struct engine_view *view, int result, struct cl_error *err)
{
    if (err == NULL || err->code == 0)
        return cl_fail(err, result, "wait for the end of container %s", view->row->name);
    return cl_error_prefix(err, "stop container %s", view->row->name);
}

int engine_container_stop_with(struct engine *engine, const char *reference, int signo,
                               int timeout_s, struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    cl_auto_fd client = -EBADF;
    int code;
    int result = engine_container_find(engine, reference, &view, err);
    if (result < 0 || !engine_view_is_running(view))
        return result < 0 ? result : 0;
    if (timeout_s == INT_MIN)
        timeout_s = view->config->stop_timeout >= 0 ? (int)view->config->stop_timeout
                                                    : DEFAULT_STOP_TIMEOUT_S;
    if (view->state.status == WIRE_PAUSED)
        (void)engine_container_pause(engine, view->row->id, false, NULL);
    if (engine_connect(engine, view->row->id, 0, &client) < 0)
        return final_code(engine, view->row->id, &code, err); /* it ended, or its monitor died */
    result = signal_init(view, signo > 0 ? signo : stop_signal(view->config), err);
    cl_test_point("engine.stop-signalled");
    if (result >= 0) {
        int64_t deadline = timeout_s < 0 ? -1 : cl_now_ns() + (int64_t)timeout_s * 1000000000;
        result = await_exit(client, deadline, &code);
    }
    if (result == -ETIMEDOUT) {
        result = signal_init(view, SIGKILL, err);
        cl_test_point("engine.stop-killed");
        if (result >= 0)
            result = await_exit(client, -1, &code);
    }
    /* Ended before the signal, or with its monitor: the record says how. */
    if (result == -ESRCH || result == -EPIPE)
        return final_code(engine, view->row->id, &code, err);
    return result < 0 ? stop_failed(view, result, err) : 0;
}

/* No record, or another one: somebody has removed or started it meanwhile. */
static bool has_ended(struct engine *engine, const struct store_container *row)
{
    struct wire_state state;
    return store_state_read(engine->store, row->id, &state, NULL) >= 0 &&
           state.status == WIRE_EXITED;
}

int engine_container_settle(struct engine *engine, const char *reference, struct cl_error *err)
{
    CL_AUTO(store_container_free) struct store_container *row = NULL;
    int result = store_container_find(engine->store, reference, &row, err);
    if (result < 0)
        return result;
    /* The lock is free for a moment between the monitor and the reaper it becomes: -EAGAIN says that the reaper was faster. */
    for (unsigned round = 0;; round++) {
        result = store_lock_is_held(engine->store, row->number)
                     ? -EAGAIN
                     : engine_settle(engine, row->number, err);
        if (result != -EAGAIN)
            return result;
        if (!has_ended(engine, row))
            return 0;
        if (engine_let_go_pause(round) < 0)
            return cl_fail_kind(err, CL_KIND_CONFLICT, ETIMEDOUT,
                                "the monitor of container %s does not end; try again", row->name);
    }
}

int engine_let_go_pause(unsigned round)
{
    const struct timespec pause = { .tv_nsec = round < 20 ? 500000 : 2000000 };
    if (round > 5000)
        return -ETIMEDOUT;
    (void)nanosleep(&pause, NULL); /* a signal only makes it shorter */
    return 0;
}

/* ---- pause, rename, processes ---- */

static int open_cgroup(const struct engine_view *view, struct cgroup_host *host,
                       struct cgroup *group, struct cl_error *err)
{
    cl_auto_fd proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    int result = cgroup_host_init(host, proc, err);
    if (result < 0)
        return result;
    result = cgroup_open(host, view->state.cgroup, group, err);
    if (result < 0)
        cgroup_host_done(host);
    return result;
}

int engine_container_pause(struct engine *engine, const char *reference, bool pause,
                           struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    struct cgroup_host host;
    struct cgroup group;
    char path[96];
    int result = find_running(engine, reference, &view, err);
    if (result < 0)
        return result;
    if ((view->state.status == WIRE_PAUSED) == pause)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EALREADY, "container %s is %s", view->row->name,
                            pause ? "already paused" : "not paused");
    result = open_cgroup(view, &host, &group, err);
    if (result < 0)
        return result;
    (void)CL_PRINT(path, "%s/paused", view->row->id);
    /* The mark is there whenever anything may be frozen: it is made first and removed last. */
    if (pause) {
        cl_auto_fd mark = openat(store_state_fd(engine->store), path,
                                 O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (mark < 0)
            result = cl_fail(err, errno, "mark container %s as paused", view->row->name);
    }
    if (result >= 0)
        result = cgroup_freeze(&group, pause, KILL_TIMEOUT_MS, err);
    if (result >= 0 ? !pause : pause)
        (void)unlinkat(store_state_fd(engine->store), path,
                       0); /* gone with the state directory at the latest */
    cgroup_done(&group);
    cgroup_host_done(&host);
    return result;
}

int engine_container_rename(struct engine *engine, const char *reference, const char *name,
                            struct cl_error *err)
{
    CL_AUTO(store_container_free) struct store_container *row = NULL;
    int result = engine_name_check(name, err);
    if (result >= 0)
        result = store_begin(engine->store, err);
    if (result < 0)
        return result;
    result = store_container_find(engine->store, reference, &row, err);
    if (result >= 0) {
        free(row->name);
        row->name = cl_strdup(name);
        result = row->name == NULL ? cl_fail(err, ENOMEM, "rename the container")
                                   : store_container_update(engine->store, row, err);
    }
    if (result >= 0)
        return store_commit(engine->store, err);
    store_rollback(engine->store);
    return result;
}

int engine_container_pids(struct engine *engine, const char *reference, pid_t **ret_pids,
                          size_t *ret_count, struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    struct cgroup_host host;
    struct cgroup group;
    int result = find_running(engine, reference, &view, err);
    if (result >= 0)
        result = open_cgroup(view, &host, &group, err);
    if (result < 0)
        return result;
    result = cgroup_pids(&group, ret_pids, ret_count);
    cgroup_done(&group);
    cgroup_host_done(&host);
    return result < 0 ? cl_fail(err, result, "list the processes of container %s", view->row->name)
                      : 0;
}
