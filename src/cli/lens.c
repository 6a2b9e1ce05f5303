/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine tells the lens: the running containers, and which one a name means. An engine that can't be opened (an ordinary user and root's
 * containers) costs the names, not the answer.
 */
#include "cli/lens.h"

#include <errno.h>

static int fill_container(const struct engine_view *view, struct lens_container *container)
{
    *container = (struct lens_container){ .init_pid = view->state.pid,
                                          .start_ticks = view->state.pid_start };
    int code = CL_PRINT(container->name, "%s", view->row->name == NULL ? "" : view->row->name);
    (void)CL_PRINT(container->id, "%s", view->row->id); /* fits */
    (void)CL_PRINT(container->engine, "cloche");
    return code;
}

static bool is_running(const struct engine_view *view)
{
    return view->state.status == WIRE_RUNNING || view->state.status == WIRE_PAUSED;
}

static int list(void *context, struct lens_container **ret, size_t *ret_count, struct cl_error *err)
{
    struct engine *engine;
    struct engine_view **views = NULL;
    size_t count = 0, kept = 0;
    int code = cli_engine(context, false, &engine, err);
    if (code >= 0)
        code = engine_container_list(engine, false, &views, &count, err);
    if (code < 0)
        return code;
    struct lens_container *containers = cl_calloc(count + 1, sizeof *containers);
    for (size_t i = 0; containers != NULL && i < count; i++)
        if (is_running(views[i]) && fill_container(views[i], &containers[kept]) >= 0)
            kept++;
    engine_view_list_free(views, count);
    if (containers == NULL)
        return cl_fail(err, ENOMEM, "list containers");
    *ret = containers;
    *ret_count = kept;
    return 0;
}

static int find(void *context, const char *reference, struct lens_container *ret,
                struct cl_error *err)
{
    struct engine *engine;
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    int code = cli_engine(context, false, &engine, err);
    if (code >= 0)
        code = engine_container_find(engine, reference, &view, err);
    if (code < 0)
        return code;
    if (!is_running(view))
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container %s is not running", reference);
    code = fill_container(view, ret);
    return code < 0 ? cl_fail(err, code, "read the name of container %s", reference) : 0;
}

struct lens_names cli_lens_names(struct cli *cli)
{
    return (struct lens_names){ .context = cli, .list = list, .find = find };
}

int cli_lens_types(const char **names, unsigned *ret, struct cl_error *err)
{
    const char *known[K_NS_COUNT];
    unsigned types = 0;
    for (int i = 0; i < K_NS_COUNT; i++)
        known[i] = k_ns_table[i].name;
    for (; names != NULL && *names != NULL; names++) {
        int type = k_ns_by_name(*names);
        if (type < 0) {
            const char *closest = cl_closest(*names, known, K_NS_COUNT);
            int code =
                cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "unknown namespace type: %s", *names);
            if (closest != NULL)
                (void)cl_error_hint(err, "did you mean %s?", closest);
            else
                (void)cl_error_hint(err, "known are mnt, net, ipc, user, pid, uts, cgroup, time");
            return code;
        }
        types |= 1U << type;
    }
    *ret = types;
    return 0;
}
