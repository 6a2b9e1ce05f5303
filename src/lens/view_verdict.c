/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose a thing is: the process's own, the host's, or another container's too. The namespaces are judged first, each row then by the namespace
 * whose matter it is; what no namespace divides (rights, limits) is judged by comparing both sides.
 *
 * Another container in the same namespace may be of any engine, so it is looked for among all processes, by their cgroup.
 */
#include <errno.h>

#include "lens/view.h"

const struct view_sharing view_sharing[K_NS_COUNT] = {
    [K_NS_TIME] = { "same uptime and monotonic clock as the host", "--time private" },
    [K_NS_UTS] = { "same hostname; with CAP_SYS_ADMIN it can change the host's", "--uts private" },
    [K_NS_IPC] = { "same System V IPC and POSIX message queues as the host", "--ipc private" },
    [K_NS_NET] = { "same interfaces, ports and abstract sockets as the host", "--network none" },
    [K_NS_CGROUP] = { "sees where in the host's cgroup tree it is", "--cgroupns private" },
    [K_NS_MNT] = { "sees the host's mounts", NULL },
    [K_NS_PID] = { "sees the host's processes, and may signal those of its user", "--pid private" },
    [K_NS_USER] = { "its user ids are the host's: root inside is root outside, if a weaker one",
                    NULL },
};

const char *view_verdict_word(enum view_verdict verdict)
{
    static const char *const words[VIEW_VERDICTS] = { [VIEW_NONE] = "",
                                                      [VIEW_OWN] = "own",
                                                      [VIEW_SHARED] = "shared",
                                                      [VIEW_SHARED_WITH] = "shared with",
                                                      [VIEW_SAME] = "same" };
    return words[verdict];
}

/* ---- namespaces ---- */

static bool is_target_s(const struct view *view, const struct lens_container *container)
{
    return view->target.is_container &&
           strcmp(container->engine, view->target.container.engine) == 0 &&
           strcmp(container->name, view->target.container.name) == 0;
}

/* A pid was named: which container's is it? Its cgroup tells. */
static void find_own_container(struct view *view, uint32_t index)
{
    const struct lens_process *process = &view->snapshot->processes[index];
    const struct lens_container *found = view->target.is_container || !process->has_details
                                             ? NULL
                                             : lens_directory_find(&view->directory, process);
    if (found == NULL)
        return;
    view->target.container = *found;
    view->target.is_container = true;
}

/* The first process of the namespace that belongs to another container. */
static int find_other(struct view *view, enum k_ns type)
{
    struct lens_snapshot *snapshot = view->snapshot;
    uint32_t ns = lens_snapshot_find(snapshot, view->inside_ns[type]);
    if (ns == LENS_NONE)
        return 0;
    int code = lens_collect_details(snapshot, view->proc_fd, ns, LENS_DETAIL_CGROUP, NULL);
    for (size_t i = 0; code >= 0 && i < snapshot->process_count; i++) {
        const struct lens_process *process = &snapshot->processes[i];
        if (process->namespaces[type] != ns || process->is_gone)
            continue;
        const struct lens_container *container = lens_directory_find(&view->directory, process);
        if (container == NULL || is_target_s(view, container))
            continue;
        view->verdicts[type] = VIEW_SHARED_WITH;
        view->with[type] = container->name;
        return 0;
    }
    return code == -ENOMEM ? code : 0;
}

int view_judge(struct view *view)
{
    unsigned own = 0;
    for (int type = 0; type < K_NS_COUNT; type++) {
        uint64_t host = view->host_ns[type], inside = view->inside_ns[type];
        if (host == 0 || inside == 0)
            continue;
        view->verdicts[type] = host == inside ? VIEW_SHARED : VIEW_OWN;
        own |= host == inside ? 0 : 1U << type;
    }
    if (own == 0)
        return 0; /* nothing of its own that another could have, too */
    int code = lens_collect(view->proc_fd, own, false, &view->snapshot, NULL);
    if (code < 0)
        return code == -ENOMEM ? code : 0;
    code = lens_collect_process(view->snapshot, view->proc_fd, view->target.pid, LENS_DETAIL_CGROUP,
                                NULL);
    uint32_t self = lens_snapshot_find_pid(view->snapshot, view->target.pid);
    if (code >= 0 && self != LENS_NONE)
        find_own_container(view, self);
    for (int type = 0; code >= 0 && type < K_NS_COUNT; type++)
        if ((own & 1U << type) != 0)
            code = find_other(view, (enum k_ns)type);
    return code == -ENOMEM ? code : 0;
}

/* ---- rows ---- */

enum { BY_TEXT = -1 };
static const struct {
    const char *section, *name; /* name NULL: all of the section */
    int type;                   /* enum k_ns, or BY_TEXT */
} judged[] = {
    { "process", "pid", K_NS_PID },        { "process", "parent", K_NS_PID },
    { "process", "hostname", K_NS_UTS },   { "process", "domain", K_NS_UTS },
    { "process", "user", K_NS_USER },      { "process", "user map", K_NS_USER },
    { "process", "group map", K_NS_USER }, { "process", "cgroup", K_NS_CGROUP },
    { "network", "interfaces", K_NS_NET }, { "ipc", "shared memory", K_NS_IPC },
    { "ipc", "POSIX queues", K_NS_IPC },   { "clock", NULL, K_NS_TIME },
    { "files", "root", K_NS_MNT },         { "files", "mounts", K_NS_MNT },
    { "security", NULL, BY_TEXT },
};

static void judge_row(const struct view *view, struct view_row *row, int type)
{
    if (type == BY_TEXT) {
        row->verdict = cl_streq(row->host, row->inside) ? VIEW_SAME : VIEW_OWN;
        return;
    }
    row->verdict = view->verdicts[type];
    /* chroot: another root in the same mount namespace. */
    if (strcmp(row->name, "root") == 0 && row->verdict == VIEW_SHARED &&
        !cl_streq(row->host, row->inside))
        row->verdict = VIEW_OWN;
    if (row->verdict == VIEW_SHARED_WITH)
        row->with = cl_strdup(view->with[type]); /* NULL: "another container" */
}

void view_judge_rows(struct view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        struct view_row *row = &view->rows[i];
        for (size_t j = 0; j < CL_COUNT(judged); j++)
            if (row->verdict == VIEW_NONE && strcmp(judged[j].section, row->section) == 0 &&
                (judged[j].name == NULL || strcmp(judged[j].name, row->name) == 0) &&
                (row->inside == NULL || !cl_starts_with(row->inside, "hidden")))
                judge_row(view, row, judged[j].type);
    }
}
