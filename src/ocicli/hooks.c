/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hooks that come after runtime_create and runtime_start: poststart and poststop. Which of the two a container has stands in its state.json, so that those without
 * need not read their spec again.
 */
#include "ocicli/private.h"

static struct runtime_hook_state state_of(const struct container *container, pid_t pid)
{
    return (
        struct runtime_hook_state){ .id = container->id, .bundle = container->bundle, .pid = pid };
}

void hooks_record(struct container *container, const struct oci_spec *spec)
{
    container->has_poststart = spec->hooks.poststart.count > 0;
    container->has_poststop = spec->hooks.poststop.count > 0;
}

int hooks_poststart(const struct container *container, struct cl_error *err)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    const struct runtime_hook_state state = state_of(container, container->pid);
    if (!container->has_poststart)
        return 0;
    int result = container_read_spec(container, &spec, err);
    return result < 0 ? result : runtime_hooks_run(spec, RUNTIME_POSTSTART, &state, err);
}

static void warn(void *context, const char *text)
{
    log_write(context, LOG_LEVEL_WARNING, text);
}

void hooks_poststop(const struct ocicli *cli, const struct container *container)
{
    struct cl_error err = { 0 };
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    const struct runtime_hook_state state = state_of(container, 0);
    if (!container->has_poststop)
        return;
    int result = container_read_spec(container, &spec, &err);
    if (result >= 0)
        runtime_hooks_poststop(spec, &state, warn, (void *)(uintptr_t)cli);
    else if (result != -ENOENT) /* not there: its creator was killed before it ran the first hook */
        log_write(cli, LOG_LEVEL_WARNING, err.text);
}
