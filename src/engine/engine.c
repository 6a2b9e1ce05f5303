/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing the engine.
 */
#include "engine/engine_private.h"

int engine_open(const struct engine_options *options, struct engine **ret, struct cl_error *err)
{
    if (geteuid() != 0) /* before anything is made */
        return cl_fail_kind(err, CL_KIND_DENIED, EPERM,
                            "containers and images in %s need root: use sudo (running without "
                            "root is not built yet)",
                            options->root);
    CL_AUTO(engine_close) struct engine *engine = cl_calloc(1, sizeof *engine);
    if (engine == NULL || (engine->cgroup_parent = cl_strdup(options->cgroup_parent)) == NULL)
        return cl_fail(err, ENOMEM, "open the engine");
    int result = store_open(options->root, options->state, &engine->store, err);
    if (result < 0)
        return result;
    *ret = cl_take(engine);
    return 0;
}

static void free_engine(struct engine *engine)
{
    free(engine->cgroup_parent);
    free(engine);
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    store_close(engine->store);
    free_engine(engine);
}

void engine_close_idle(struct engine *engine)
{
    if (engine == NULL)
        return;
    store_close_idle(engine->store);
    free_engine(engine);
}

bool engine_is_due(const struct engine *engine)
{
    return store_is_due(engine->store);
}

struct store *engine_store(struct engine *engine)
{
    return engine->store;
}
