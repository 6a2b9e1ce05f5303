/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding what dead processes left half done, and finishing or undoing it.
 *
 *   phase      its byte is free, and …                       then
 *   CREATING   –                                             undo: delete content and row
 *   RUNNING    record says exited                            merge into the row, READY; remove if auto_remove
 *   RUNNING    record says running, same boot                the monitor died: kill what is left, exited 137
 *   RUNNING    record says running, another boot             exited 255, as Docker says after a reboot
 *   RUNNING    record damaged                                kill what is left, exited 255
 *   RUNNING    no record, or "created"                       its start died: kill what is left; new: undo; else READY
 *   REMOVING   –                                             finish
 *
 * A byte that is held belongs to a living command, parent or monitor: hands off.
 */
#include "engine/engine_private.h"

#include <poll.h>

/* ---- killing ---- */

/* Init's death ends its pid namespace; with --pid host there is only the cgroup. */
static int kill_init(const struct wire_state *state)
{
    uint64_t start;
    cl_auto_fd proc = procfs_open_host(NULL);
    if (proc < 0 || state->pid <= 0)
        return 0;
    cl_auto_fd pidfd = k_pidfd_open(state->pid);
    if (pidfd < 0)
        return 0; /* gone */
    if (procfs_start_ticks(proc, state->pid, &start) < 0 || start != state->pid_start)
        return 0; /* the number is somebody else's now */
    int result = k_pidfd_send_signal(pidfd, SIGKILL);
    if (result < 0)
        return result == -ESRCH ? 0 : result;
    struct pollfd ended = { .fd = pidfd, .events = POLLIN };
    int ready;
    do
        ready = poll(&ended, 1, KILL_TIMEOUT_MS);
    while (ready < 0 && errno == EINTR);
    return ready > 0 ? 0 : -ETIMEDOUT;
}

static int kill_cgroup(const char *path)
{
    struct cgroup_host host;
    struct cgroup group;
    cl_auto_fd proc = procfs_open_host(NULL);
    if (proc < 0 || path[0] == '\0' || cgroup_host_init(&host, proc, NULL) < 0)
        return 0; /* no cgroups, nothing in them */
    int result = cgroup_open(&host, path, &group, NULL);
    if (result >= 0) {
        (void)cgroup_freeze(&group, false, 1000, NULL); /* v1: a frozen process does not die */
        result = cgroup_kill(&group);
        cgroup_done(&group);
    }
    cgroup_host_done(&host);
    return result == -ENOENT ? 0 : result;
}

int engine_kill_leftovers(struct engine *engine, const struct store_container *row,
                          const struct wire_state *state)
{
    char path[256];
    int result = engine_cgroup_path(engine, row, path, NULL);
    if (result >= 0)
        result = kill_cgroup(path);
    int init_result = kill_init(state);
    return result < 0 ? result : init_result;
}

/* ---- settling one row ---- */

static int undo(struct engine *engine, struct store_container *row, struct cl_error *err)
{
    cl_debug("recover", "undo container %.12s", row->id);
    return engine_remove_locked(engine, row, err);
}

static int come_to_rest(struct engine *engine, struct store_container *row,
                        const struct wire_state *state, struct cl_error *err)
{
    row->last = *state;
    row->last.pid = 0;
    row->is_new = false;
    if (row->auto_remove)
        return undo(engine, row, err);
    row->phase = STORE_READY;
    int result = store_begin(engine->store, err);
    if (result < 0)
        return result;
    result = store_container_update(engine->store, row, err);
    if (result < 0) {
        store_rollback(engine->store);
        return result;
    }
    return store_commit(engine->store, err);
}

void engine_tidy(struct engine *engine, const struct store_container *row)
{
    struct cgroup_host host;
    char path[256];
    cl_auto_fd proc = procfs_open_host(NULL);
    if (proc >= 0 && engine_cgroup_path(engine, row, path, NULL) >= 0 &&
        cgroup_host_init(&host, proc, NULL) >= 0) {
        (void)cgroup_remove(&host, path); /* usually gone already */
        cgroup_host_done(&host);
    }
    cl_test_point("engine.cgroup-tidied");
    (void)cl_remove_tree(store_state_fd(engine->store), row->id, NULL); /* a socket and marks */
    cl_test_point("engine.tidied");
}

/* The record is not synced, as nothing but a power failure can hurt it: then it may be empty, and the container has ended in any case. */
static int read_record(struct engine *engine, const struct store_container *row,
                       struct wire_state *ret, struct cl_error *err)
{
    int result = store_state_read(engine->store, row->id, ret, err);
    if (result != -EBADMSG)
        return result;
    (void)engine_kill_leftovers(engine, row, &(struct wire_state){ 0 });
    *ret =
        (struct wire_state){ .status = WIRE_EXITED, .exit_code = 255, .finished_ns = cl_now_ns() };
    (void)CL_PRINT(ret->error, "its state record was damaged");
    return 0;
}

static int settle_running(struct engine *engine, struct store_container *row, struct cl_error *err)
{
    struct wire_state state;
    int found = read_record(engine, row, &state, err);
    if (found < 0 && found != -ENOENT)
        return found; /* there is a record: what it says decides whether anything may be deleted */
    bool same_boot = found >= 0 && cl_streq(state.boot_id, k_boot_id());
    if (found < 0 || state.status == WIRE_CREATED) {
        (void)engine_kill_leftovers(engine, row,
                                    &(struct wire_state){ 0 }); /* init dies by itself */
        engine_tidy(engine, row);
        if (found < 0 && row->is_new)
            return undo(engine, row, err);
        if (found < 0)
            state = (struct wire_state){ .status = WIRE_CREATED };
        return come_to_rest(engine, row, &state, err);
    }
    if (state.status != WIRE_EXITED) {
        cl_debug("recover", "the monitor of container %.12s died", row->id);
        int result = same_boot ? engine_kill_leftovers(engine, row, &state) : 0;
        if (result < 0)
            return cl_fail(err, result, "kill what is left of container %.12s", row->id);
        state.exit_code = same_boot ? 137 : 255;
        state.status = WIRE_EXITED;
        state.finished_ns = cl_now_ns();
    }
    engine_tidy(engine, row);
    return come_to_rest(engine, row, &state, err);
}

int engine_settle(struct engine *engine, int64_t number, struct cl_error *err)
{
    CL_AUTO(store_container_free) struct store_container *row = NULL;
    cl_auto_fd lock = store_lock_open(engine->store, err);
    if (lock < 0)
        return lock;
    if (store_lock_try(lock, number) < 0)
        return -EAGAIN;
    int result = store_container_by_number(engine->store, number, &row, NULL);
    if (result < 0)
        return result == -ENOENT ? 0 : cl_fail(err, result, "look at a container");
    switch (row->phase) {
    case STORE_CREATING:
        return undo(engine, row, err);
    case STORE_RUNNING:
        return settle_running(engine, row, err);
    case STORE_REMOVING:
        return engine_remove_locked(engine, row, err);
    case STORE_READY:
    default:
        return 0;
    }
}

/* What can't be repaired now (a file that may not be deleted, a process that does not die) is tried again by each command, and must not stop them. */
int engine_recover(struct engine *engine, struct cl_error *err)
{
    cl_auto_free int64_t *numbers = NULL;
    size_t count = 0;
    int result = store_container_unsettled(engine->store, &numbers, &count, err);
    for (size_t i = 0; result >= 0 && i < count; i++) {
        struct cl_error failure = { 0 };
        if (store_lock_is_held(engine->store, numbers[i]))
            continue;
        int settled = engine_settle(engine, numbers[i], &failure);
        if (settled < 0 && settled != -EAGAIN)
            cl_debug("recover", "container number %lld: %s", (long long)numbers[i], failure.text);
    }
    if (result >= 0)
        result = store_sweep(engine->store, err);
    return result < 0 ? result : 0;
}
