/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people see of containers: the catalog's row joined with the live record of its monitor.
 */
#include "engine/engine_private.h"

#include <fcntl.h>

void engine_view_free(struct engine_view *view)
{
    if (view == NULL)
        return;
    store_container_free(view->row);
    engine_config_free(view->config);
    free(view);
}

void engine_view_list_free(struct engine_view **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        engine_view_free(list[i]);
    free(list);
}

bool engine_view_is_running(const struct engine_view *view)
{
    return view->state.status == WIRE_RUNNING || view->state.status == WIRE_PAUSED;
}

static bool is_paused(struct engine *engine, const char *id)
{
    char path[96];
    (void)CL_PRINT(path, "%s/paused", id);
    return faccessat(store_state_fd(engine->store), path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* RUNNING is believed only while the owner holds the row's byte. A record that says "exited" is true at once: it is written before clients are told. */
static void read_live_state(struct engine *engine, struct engine_view *view)
{
    struct wire_state live;
    view->state = view->row->last;
    if (view->row->phase != STORE_RUNNING)
        return;
    bool held = store_lock_is_held(engine->store, view->row->number);
    if (store_state_read(engine->store, view->row->id, &live, NULL) < 0)
        return; /* being started: still "created" */
    if (live.status == WIRE_RUNNING && (!held || !cl_streq(live.boot_id, k_boot_id()))) {
        live.status = WIRE_EXITED; /* its monitor died: recovery will find the same */
        live.exit_code = 137;
        live.pid = 0;
    } else if (live.status == WIRE_RUNNING && is_paused(engine, view->row->id)) {
        live.status = WIRE_PAUSED;
    }
    view->state = live;
}

int engine_view_of(struct engine *engine, struct store_container *take_row,
                   struct engine_view **ret, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    CL_AUTO(engine_view_free) struct engine_view *view = cl_calloc(1, sizeof *view);
    if (view == NULL) {
        store_container_free(take_row);
        return cl_fail(err, ENOMEM, "look at a container");
    }
    view->row = take_row;
    const char *text = take_row->config == NULL ? "" : take_row->config;
    int result = cl_json_parse(text, strlen(text), 4u << 20, &json, err);
    if (result >= 0)
        result = engine_config_decode(json, &view->config, err);
    if (result < 0)
        return cl_error_prefix(err, "container %.12s", take_row->id);
    read_live_state(engine, view);
    *ret = cl_take(view);
    return 0;
}

int engine_view_find(struct engine *engine, const char *reference, struct engine_view **ret,
                     struct cl_error *err)
{
    struct store_container *row = NULL;
    int result = store_container_find(engine->store, reference, &row, err);
    return result < 0 ? result : engine_view_of(engine, row, ret, err);
}

bool engine_view_is_going(const struct engine_view *view)
{
    return view->row->auto_remove && view->row->phase == STORE_RUNNING &&
           view->state.status == WIRE_EXITED;
}

int engine_container_find(struct engine *engine, const char *reference, struct engine_view **ret,
                          struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    int result = engine_view_find(engine, reference, &view, err);
    if (result < 0 || view == NULL)
        return result;
    if (engine_view_is_going(view))
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT,
                            "no such container: %s; it has ended and was removed", reference);
    *ret = cl_take(view);
    return 0;
}

static bool is_listed(const struct engine_view *view, bool all)
{
    return engine_view_is_running(view) || (all && !engine_view_is_going(view));
}

int engine_container_list(struct engine *engine, bool all, struct engine_view ***ret,
                          size_t *ret_count, struct cl_error *err)
{
    struct store_container **rows = NULL;
    size_t row_count = 0, count = 0;
    int result = store_container_list(engine->store, false, &rows, &row_count, err);
    if (result < 0)
        return result;
    struct engine_view **views = cl_calloc(row_count + 1, sizeof *views);
    for (size_t i = 0; views != NULL && result >= 0 && i < row_count; i++) {
        CL_AUTO(engine_view_free) struct engine_view *view = NULL;
        if (!all && rows[i]->phase != STORE_RUNNING)
            continue;
        result = engine_view_of(engine, cl_take(rows[i]), &view, err);
        if (result >= 0 && view != NULL && is_listed(view, all))
            views[count++] = cl_take(view);
    }
    store_container_list_free(rows, row_count);
    if (views == NULL)
        return cl_fail(err, ENOMEM, "list the containers");
    if (result < 0) {
        engine_view_list_free(views, count);
        return result;
    }
    *ret = views;
    *ret_count = count;
    return 0;
}

void engine_status_text(const struct engine_view *view, char buffer[static 80])
{
    const struct wire_state *state = &view->state;
    char age[40];
    if (engine_view_is_running(view)) {
        cl_human_duration(cl_now_ns() - state->started_ns, age);
        (void)cl_print(buffer, 80, "Up %s%s", age, state->status == WIRE_PAUSED ? " (Paused)" : "");
        return;
    }
    if (state->status != WIRE_EXITED) {
        (void)cl_print(buffer, 80, "Created");
        return;
    }
    cl_human_duration(cl_now_ns() - state->finished_ns, age);
    (void)cl_print(buffer, 80, "Exited (%d) %s ago", state->exit_code, age);
}

uint32_t engine_container_session(struct engine *engine, const char *id)
{
    char path[96], text[24];
    uint64_t session;
    (void)CL_PRINT(path, "containers/%.64s/audit-session", id); /* fits */
    ssize_t length = cl_read_small(store_root_fd(engine->store), path, text, sizeof text);
    if (length <= 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    return cl_parse_u64(text, 1, UINT32_MAX - 1, &session) < 0 ? 0 : (uint32_t)session;
}
