/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing containers. The row says REMOVING (and has no name any more) before the first file goes, and is deleted after the last one is gone: whoever
 * finds it in between, with its byte free, finishes the work.
 */
#include "engine/engine_private.h"

int engine_cgroup_path(struct engine *engine, const struct store_container *row,
                       char path[static 256], struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    const char *parent = NULL;
    if (row->config != NULL &&
        cl_json_parse(row->config, strlen(row->config), 4u << 20, &json, NULL) >= 0)
        parent = cl_json_string(cl_json_get(cl_json_get(json, "HostConfig"), "CgroupParent"));
    if (parent == NULL || parent[0] == '\0')
        parent = engine->cgroup_parent;
    while (parent[0] == '/')
        parent++;
    if (strstr(parent, "..") != NULL)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "cgroup parent %s: \"..\" is not allowed",
                            parent);
    if (cl_print(path, 256, "%s/%s", parent, row->id) < 0)
        return cl_fail(err, ENAMETOOLONG, "cgroup parent %.60s…", parent);
    return 0;
}

/* A group that stays would be nobody's once the row is gone: so the row stays with it. */
static int remove_cgroup(struct engine *engine, const struct store_container *row,
                         struct cl_error *err)
{
    struct cgroup_host host;
    char path[256];
    cl_auto_fd proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    int result = engine_cgroup_path(engine, row, path, err);
    if (result >= 0)
        result = cgroup_host_init(&host, proc, err);
    if (result < 0)
        return result;
    result = cgroup_remove(&host, path);
    cgroup_host_done(&host);
    return result < 0 ? cl_fail(err, result, "remove cgroup %s", path) : 0;
}

int engine_delete_content(struct engine *engine, const struct store_container *row,
                          struct cl_error *err)
{
    char path[96];
    int result = remove_cgroup(engine, row, err);
    cl_test_point("engine.cgroup-removed");
    (void)CL_PRINT(path, "containers/%s", row->id);
    if (result >= 0)
        result = cl_remove_tree(store_root_fd(engine->store), path, err);
    cl_test_point("engine.directory-removed");
    if (result >= 0)
        result = cl_remove_tree(store_state_fd(engine->store), row->id, err);
    return result < 0 ? cl_error_prefix(err, "remove container %.12s", row->id) : 0;
}

static int update_row(struct engine *engine, const struct store_container *row,
                      struct cl_error *err)
{
    int result = store_begin(engine->store, err);
    if (result < 0)
        return result;
    result = store_container_update(engine->store, row, err);
    if (result >= 0)
        return store_commit(engine->store, err);
    store_rollback(engine->store);
    return result;
}

static int delete_row(struct engine *engine, int64_t number, struct cl_error *err)
{
    int result = store_begin(engine->store, err);
    if (result < 0)
        return result;
    result = store_container_delete(engine->store, number, err);
    if (result >= 0)
        return store_commit(engine->store, err);
    store_rollback(engine->store);
    return result;
}

int engine_remove_locked(struct engine *engine, struct store_container *row, struct cl_error *err)
{
    int result = 0;
    if (row->phase != STORE_REMOVING) {
        row->phase = STORE_REMOVING;
        free(cl_take(row->name));
        result = update_row(engine, row, err);
        cl_test_point("engine.removing");
    }
    if (result >= 0)
        result = engine_delete_content(engine, row, err);
    if (result >= 0)
        result = delete_row(engine, row->number, err);
    cl_test_point("engine.removed");
    return result;
}

static int still_running(const struct engine_view *view, struct cl_error *err)
{
    return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                        "cannot remove container \"%s\": it is %s; stop it first, or use -f",
                        view->row->name, wire_status_name(view->state.status));
}

static int end_container(struct engine *engine, const struct engine_view *view,
                         struct cl_error *err)
{
    if (view->state.status == WIRE_PAUSED)
        (void)engine_container_pause(engine, view->row->id, false, NULL); /* to let it die */
    int result = engine_kill_leftovers(engine, view->row, &view->state);
    cl_test_point("engine.remove-killed");
    return result < 0 ? cl_fail(err, result, "kill container %s", view->row->name) : 0;
}

/* Stop what runs, wait until its monitor has let go, and take its place as the owner of the row. -ENOENT: somebody else has removed it. */
static int take_over(struct engine *engine, const char *id, bool force, int lock,
                     struct cl_error *err)
{
    for (unsigned round = 0, next_kill = 0;; round++) {
        CL_AUTO(engine_view_free) struct engine_view *view = NULL;
        int result = engine_view_find(engine, id, &view, err);
        if (result < 0)
            return result;
        bool is_running = engine_view_is_running(view);
        if (is_running && !force)
            return still_running(view, err);
        if (is_running && round >= next_kill) {
            result = end_container(engine, view, err);
            next_kill = round + 64;
        }
        if (result < 0)
            return result;
        if (store_lock_try(lock, view->row->number) >= 0)
            return 0;
        if (engine_let_go_pause(round) < 0)
            return cl_fail_kind(err, CL_KIND_CONFLICT, ETIMEDOUT,
                                "container %s is held by another command; try again",
                                view->row->name);
    }
}

int engine_container_remove(struct engine *engine, const char *reference, bool force,
                            struct cl_error *err)
{
    CL_AUTO(store_container_free) struct store_container *row = NULL;
    struct wire_state state;
    cl_auto_fd lock = store_lock_open(engine->store, err);
    if (lock < 0)
        return lock;
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    int result = engine_view_find(engine, reference, &view, err);
    if (result < 0)
        return result;
    result = take_over(engine, view->row->id, force, lock, err);
    if (result == -ENOENT)
        return 0; /* by its own reaper, say */
    if (result >= 0)
        result = store_container_by_number(engine->store, view->row->number, &row, err);
    if (result < 0)
        return result == -ENOENT ? 0 : cl_error_prefix(err, "remove container %s", reference);
    /* Its owner died since we looked last: nobody else has killed what it left. */
    if (row->phase == STORE_RUNNING && store_state_read(engine->store, row->id, &state, NULL) < 0)
        state = (struct wire_state){ .status = WIRE_CREATED };
    if (row->phase == STORE_RUNNING && state.status != WIRE_EXITED)
        result = engine_kill_leftovers(engine, row, &state);
    if (result < 0)
        return cl_fail(err, result, "kill what is left of container %s", reference);
    return engine_remove_locked(engine, row, err);
}

int engine_container_reap(struct engine *engine, const char *id, struct cl_error *err)
{
    CL_AUTO(store_container_free) struct store_container *row = NULL;
    int result = store_container_find(engine->store, id, &row, NULL);
    if (result == -ENOENT)
        return 0; /* somebody was faster */
    if (result < 0)
        return cl_fail(err, result, "find container %.12s", id);
    result = engine_settle(engine, row->number, err);
    return result == -EAGAIN ? 0 : result;
}
