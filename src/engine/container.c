/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Create, start, run: claims in the catalog, each one transaction, followed by engine_launch.
 */
#include "engine/engine_private.h"

static const char *log_driver_or_default(const struct engine_config *config)
{
    return config->log_driver[0] == '\0' ? "json-file" : config->log_driver;
}

static int replace_text(char **member, const char *text)
{
    char *copy = cl_strdup(text);
    if (copy == NULL)
        return -ENOMEM;
    free(*member);
    *member = copy;
    return 0;
}

/* A row for a new container; `image` must have been merged into the configuration already. */
static int new_row(struct engine *engine, struct engine_config *config, const char *name,
                   struct store_container **ret, struct cl_error *err)
{
    CL_AUTO(store_image_free) struct store_image *image = NULL;
    CL_AUTO(store_container_free) struct store_container *row = cl_calloc(1, sizeof *row);
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    char random_name[64];
    int result = engine_config_check(config, err);
    if (result >= 0 && name != NULL)
        result = engine_name_check(name, err);
    if (result >= 0)
        result = engine_image_find(engine, config->image, &image, err);
    if (result >= 0 && config->network_mode[0] == '\0')
        result = replace_text(&config->network_mode, "none");
    if (result >= 0)
        result = replace_text(&config->log_driver, log_driver_or_default(config));
    /* Recorded, so that later commands find the cgroup whatever their own default parent is. */
    if (result >= 0 && config->cgroup_parent[0] == '\0')
        result = replace_text(&config->cgroup_parent, engine->cgroup_parent);
    if (result >= 0)
        result = engine_config_encode(config, &json, err);
    if (result < 0)
        return result;
    if (name == NULL && engine_random_name(random_name, sizeof random_name) < 0)
        return cl_fail(err, EIO, "choose a name for the container");
    if (row == NULL || cl_random_hex(row->id, 32) < 0)
        return cl_fail(err, ENOMEM, "choose an id for the container");
    row->name = cl_strdup(name != NULL ? name : random_name);
    row->image_id = cl_strdup(image->id);
    row->image_name = cl_strdup(config->image);
    row->config = cl_json_text(json, CL_JSON_COMPACT);
    row->created_ns = cl_now_ns();
    row->auto_remove = config->auto_remove;
    if (row->name == NULL || row->image_id == NULL || row->image_name == NULL ||
        row->config == NULL)
        return cl_fail(err, ENOMEM, "set up the container");
    *ret = cl_take(row);
    return 0;
}

static int claim_once(struct engine *engine, struct store_container *row, int lock_fd,
                      struct cl_error *err)
{
    int result = store_begin(engine->store, err);
    if (result < 0)
        return result;
    result = store_container_claim(engine->store, row, lock_fd, err);
    if (result < 0) {
        store_rollback(engine->store);
        return result;
    }
    return store_commit(engine->store, err);
}

/* The holder of a name that is wanted: debris of a dead process, or a container that has ended and is just being removed. Either is
   gone in a moment; for any other the name stays taken. */
static int free_name(struct engine *engine, const char *name, struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    int result = engine_recover(engine, err);
    if (result < 0 || engine_view_find(engine, name, &view, NULL) < 0)
        return result;
    if (!engine_view_is_going(view))
        return 0;
    result = engine_container_settle(engine, view->row->id, err);
    return result == -ENOENT ? 0 : result; /* gone meanwhile: that was the wish */
}

static int claim_name(struct engine *engine, struct store_container *row, int lock_fd,
                      struct cl_error *err)
{
    int result = claim_once(engine, row, lock_fd, err);
    if (result != -EEXIST)
        return result;
    result = free_name(engine, row->name, err);
    return result < 0 ? result : claim_once(engine, row, lock_fd, err);
}

static int claim_random_name(struct engine *engine, struct store_container *row, int lock_fd,
                             struct cl_error *err)
{
    char name[64];
    int result = claim_once(engine, row, lock_fd, err);
    for (int attempt = 0; result == -EEXIST && attempt < 8; attempt++) {
        if (engine_random_name(name, sizeof name - 4) < 0)
            return cl_fail(err, EIO, "choose a name for the container");
        (void)cl_print(name + strlen(name), 4, "%d", attempt); /* one digit */
        if (replace_text(&row->name, name) < 0)
            return cl_fail(err, ENOMEM, "choose a name for the container");
        result = claim_once(engine, row, lock_fd, err);
    }
    return result;
}

static int claim(struct engine *engine, struct store_container *row, bool is_random, int lock_fd,
                 struct cl_error *err)
{
    int result = is_random ? claim_random_name(engine, row, lock_fd, err)
                           : claim_name(engine, row, lock_fd, err);
    cl_test_point("engine.claimed");
    return result;
}

int engine_container_create(struct engine *engine, struct engine_config *config, const char *name,
                            char ret_id[static 65], struct cl_error *err)
{
    CL_AUTO(store_container_free) struct store_container *row = NULL;
    cl_auto_fd lock = store_lock_open(engine->store, err);
    if (lock < 0)
        return lock;
    int result = new_row(engine, config, name, &row, err);
    if (result < 0)
        return result;
    row->phase =
        STORE_READY; /* the row is all there is: its directories are made by its first start */
    result = claim(engine, row, name == NULL, lock, err);
    if (result < 0)
        return result;
    (void)cl_print(ret_id, 65, "%s", row->id);
    return 0;
}

int engine_container_run(struct engine *engine, struct engine_config *config, const char *name,
                         const struct engine_start *how, struct engine_started *ret,
                         struct cl_error *err)
{
    CL_AUTO(store_container_free) struct store_container *row = NULL;
    cl_auto_fd lock = store_lock_open(engine->store, err);
    if (lock < 0)
        return lock;
    int result = new_row(engine, config, name, &row, err);
    if (result < 0)
        return result;
    row->phase = STORE_RUNNING;
    row->is_new = true;
    result = claim(engine, row, name == NULL, lock, err);
    if (result < 0)
        return result;
    (void)CL_PRINT(ret->id, "%s", row->id);
    return engine_launch(engine, row, config, lock, how, ret, err);
}

/* The record of an earlier run is in the row by now; left there, it would be taken for this run's if this start dies. */
static int forget_record(struct engine *engine, const struct store_container *row,
                         struct cl_error *err)
{
    char path[96];
    (void)CL_PRINT(path, "containers/%s/state", row->id);
    if (unlinkat(store_root_fd(engine->store), path, 0) < 0 && errno != ENOENT)
        return cl_fail(err, errno, "remove %s/%s", store_root(engine->store), path);
    return 0;
}

/* READY → RUNNING, with its byte locked, in one transaction. */
static int claim_start(struct engine *engine, const char *reference, int lock_fd,
                       struct store_container **ret, struct cl_error *err)
{
    CL_AUTO(store_container_free) struct store_container *row = NULL;
    int result = store_begin(engine->store, err);
    if (result < 0)
        return result;
    result = store_container_find(engine->store, reference, &row, err);
    if (result >= 0 && row->phase != STORE_READY)
        result = cl_fail_kind(err, CL_KIND_CONFLICT, EALREADY, "container %s is already running",
                              row->name);
    if (result >= 0 && store_lock_try(lock_fd, row->number) < 0)
        result =
            cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                         "container %s is being changed by another command; try again", row->name);
    if (result >= 0)
        result = forget_record(engine, row, err);
    if (result >= 0) {
        row->phase = STORE_RUNNING;
        row->last = (struct wire_state){ .status = WIRE_CREATED };
        result = store_container_update(engine->store, row, err);
    }
    if (result < 0) {
        store_rollback(engine->store);
        return result;
    }
    result = store_commit(engine->store, err);
    if (result >= 0)
        *ret = cl_take(row);
    return result;
}

/* Right after an exit the monitor may still hold the row: its record says so, and it will be gone in a moment. */
static int claim_settled(struct engine *engine, const char *reference, int lock_fd,
                         struct store_container **ret, struct cl_error *err)
{
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    int result = engine_view_find(engine, reference, &view, err);
    if (result >= 0 && view->row->phase == STORE_RUNNING && view->state.status == WIRE_EXITED)
        result = engine_container_settle(engine, view->row->id, err);
    return result < 0 ? result : claim_start(engine, reference, lock_fd, ret, err);
}

int engine_container_start(struct engine *engine, const char *reference,
                           const struct engine_start *how, struct engine_started *ret,
                           struct cl_error *err)
{
    CL_AUTO(store_container_free) struct store_container *row = NULL;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    CL_AUTO(engine_config_free) struct engine_config *config = NULL;
    cl_auto_fd lock = store_lock_open(engine->store, err);
    if (lock < 0)
        return lock;
    int result = claim_settled(engine, reference, lock, &row, err);
    if (result < 0)
        return result;
    cl_test_point("engine.start-claimed");
    result = cl_json_parse(row->config, strlen(row->config), 4u << 20, &json, err);
    if (result >= 0)
        result = engine_config_decode(json, &config, err);
    if (result >= 0) {
        (void)CL_PRINT(ret->id, "%s", row->id);
        return engine_launch(engine, row, config, lock, how, ret, err);
    }
    row->phase = STORE_READY;
    if (store_begin(engine->store, NULL) >= 0 &&
        store_container_update(engine->store, row, NULL) >= 0)
        (void)store_commit(engine->store, NULL); /* else the next recovery does it */
    return result;
}
