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

static void remove_cgroup(struct engine *engine, const struct store_container *row)
{
    struct cgroup_host host;
    char path[256];
    cl_auto_fd proc = procfs_open_host(NULL);
    if (proc < 0 || engine_cgroup_path(engine, row, path, NULL) < 0 ||
        cgroup_host_init(&host, proc, NULL) < 0)
        return;
    (void)cgroup_remove(&host, path); /* busy: a zombie holds it; the next command tries again */
    cgroup_host_done(&host);
}

int engine_delete_content(struct engine *engine, const struct store_container *row,
                          struct cl_error *err)
{
    char path[96];
    remove_cgroup(engine, row);
    cl_test_point("engine.cgroup-removed");
    (void)CL_PRINT(path, "containers/%s", row->id);
    int result = cl_remove_tree(store_root_fd(engine->store), path, err);
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

/* Stop what runs, wait until its monitor has let go, and take its place as the owner of the row. */
static int take_over(struct engine *engine, const struct engine_view *view, bool force, int lock,
                     struct cl_error *err)
{
    if (engine_view_is_running(view) && !force)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                            "cannot remove container \"%s\": it is %s; stop it first, or use -f",
                            view->row->name, wire_status_name(view->state.status));
    if (engine_view_is_running(view)) {
        if (view->state.status == WIRE_PAUSED)
            (void)engine_container_pause(engine, view->row->id, false, NULL); /* to let it die */
        int result = engine_kill_leftovers(engine, view->row, &view->state);
        if (result < 0)
            return cl_fail(err, result, "kill container %s", view->row->name);
        cl_test_point("engine.remove-killed");
    }
    int result;
    do
        result = store_lock_wait(lock, view->row->number);
    while (result == -EINTR);
    return result < 0 ? cl_fail(err, result, "wait for the end of container %s", view->row->name)
                      : 0;
}

int engine_container_remove(struct engine *engine, const char *reference, bool force,
                            struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    CL_AUTO(store_container_free) struct store_container *row = NULL;
    cl_auto_fd lock = store_lock_open(engine->store, err);
    if (lock < 0)
        return lock;
    int result = engine_container_find(engine, reference, &view, err);
    if (result >= 0)
        result = take_over(engine, view, force, lock, err);
    if (result < 0)
        return result;
    /* It may have been removed by its own reaper, or started again, while we waited. */
    result = store_container_by_number(engine->store, view->row->number, &row, NULL);
    return result == -ENOENT ? 0
           : result < 0      ? cl_fail(err, result, "remove container %s", reference)
                             : engine_remove_locked(engine, row, err);
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
