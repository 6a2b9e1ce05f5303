/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done to a container that is there: kill, pause, resume, delete.
 */
#include "ocicli/private.h"

#include <signal.h>

/* ---- kill ---- */

struct kill_options {
    bool all;
};
static const struct option_row kill_table[] = {
    OPTION("all", 'a', OPTION_FLAG, NULL, "Signal all processes of the container",
           struct kill_options, all),
    REFUSED("regex", NULL, "one container at a time: its id is given whole"),
};

static bool has_pid(const pid_t *pids, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* By pidfds, each of a process that was in the group after it was opened: a number that was freed and given to somebody else in between is never signalled. */
static int signal_each(const struct cgroup *cgroup, int signo)
{
    cl_auto_free pid_t *pids = NULL, *now = NULL;
    size_t count = 0, now_count = 0;
    int result = cgroup_pids(cgroup, &pids, &count);
    cl_auto_free int *pidfds = result < 0 ? NULL : cl_calloc(count + 1, sizeof *pidfds);
    if (pidfds == NULL)
        return result < 0 ? result : -ENOMEM;
    for (size_t i = 0; i < count; i++)
        pidfds[i] = k_pidfd_open(pids[i]);
    result = cgroup_pids(cgroup, &now, &now_count);
    for (size_t i = 0; i < count; i++) {
        int sent = pidfds[i] < 0 ? pidfds[i] : 0;
        if (sent >= 0 && result >= 0 && has_pid(now, now_count, pids[i]))
            sent = k_pidfd_send_signal(pidfds[i], signo);
        if (sent < 0 && sent != -ESRCH && result >= 0)
            result = sent;
        (void)cl_close(pidfds[i]);
    }
    return result;
}

/* SIGKILL reaches those, too, that are forked while it is sent. */
static int signal_all(const struct container *container, int signo, struct cl_error *err)
{
    struct group group;
    int result = group_open(container->cgroup_path, &group, err);
    if (result == -ENOENT)
        return 0; /* nobody is left */
    if (result < 0)
        return result;
    result = signo == SIGKILL ? cgroup_kill(&group.cgroup) : signal_each(&group.cgroup, signo);
    group_done(&group);
    return result < 0 ? cl_fail(err, result, "signal the processes of container %s", container->id)
                      : 0;
}

static int signal_init(const struct container *container, int signo, struct cl_error *err)
{
    cl_auto_fd pidfd = container_pidfd(container, err);
    if (pidfd < 0)
        return pidfd;
    int result = k_pidfd_send_signal(pidfd, signo);
    if (result == -ESRCH)
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container not running: %s",
                            container->id);
    return result < 0 ? cl_fail(err, result, "signal container %s", container->id) : 0;
}

static int kill_(const struct ocicli *cli, const void *data, char **arguments, struct cl_error *err)
{
    const struct kill_options *options = data;
    auto_container container = CONTAINER_NONE;
    const char *name = arguments[1] != NULL ? arguments[1] : "TERM";
    int signo = oci_signal_number(name);
    if (signo < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "unknown signal \"%s\"", name);
    int result = container_open(cli, arguments[0], false, &container, err);
    if (result < 0)
        return result;
    return options->all && container.cgroup_path[0] != '\0' ? signal_all(&container, signo, err)
                                                            : signal_init(&container, signo, err);
}

const struct verb verb_kill = {
    .name = "kill",
    .synopsis = "[OPTIONS] ID [SIGNAL]",
    .summary = "Send a signal (default: TERM) to a container's first process",
    VERB_OPTIONS(kill_table, struct kill_options),
    .min_arguments = 1,
    .max_arguments = 2,
    .run = kill_,
};

/* ---- pause, resume ---- */

static int freeze(const struct ocicli *cli, const char *id, bool wanted, struct cl_error *err)
{
    auto_container container = CONTAINER_NONE;
    struct group group;
    enum oci_status status;
    int result = container_open(cli, id, true, &container, err);
    if (result >= 0)
        result = container_status(&container, &status, err);
    if (result < 0)
        return result;
    bool is_possible =
        wanted ? status == OCI_RUNNING || status == OCI_CREATED : status == OCI_PAUSED;
    if (!is_possible)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EINVAL, "cannot %s container %s: it is %s",
                            wanted ? "pause" : "resume", id, oci_status_name(status));
    result = group_open(container.cgroup_path, &group, err);
    if (result < 0)
        return result;
    result = cgroup_freeze(&group.cgroup, wanted, 10000, err);
    group_done(&group);
    return result;
}

static int pause_(const struct ocicli *cli, const void *options, char **arguments,
                  struct cl_error *err)
{
    return freeze(cli, arguments[0], true, err);
}

static int resume(const struct ocicli *cli, const void *options, char **arguments,
                  struct cl_error *err)
{
    return freeze(cli, arguments[0], false, err);
}

const struct verb verb_pause = {
    .name = "pause",
    .synopsis = "ID",
    .summary = "Stop all processes of a container where they are",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = pause_,
};

const struct verb verb_resume = {
    .name = "resume",
    .synopsis = "ID",
    .summary = "Let the processes of a paused container go on",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = resume,
};

/* ---- delete ---- */

struct delete_options {
    bool force;
};
static const struct option_row delete_table[] = {
    OPTION("force", 'f', OPTION_FLAG, NULL, "Kill it first; succeed where there is none",
           struct delete_options, force),
    REFUSED("regex", NULL, "one container at a time: its id is given whole"),
};

static int delete_(const struct ocicli *cli, const void *data, char **arguments,
                   struct cl_error *err)
{
    const struct delete_options *options = data;
    auto_container container = CONTAINER_NONE;
    enum oci_status status;
    int result = container_open(cli, arguments[0], true, &container, err);
    if (result == -ENOENT && options->force)
        return 0;
    if (result >= 0)
        result = container_status(&container, &status, err);
    if (result < 0)
        return result;
    /* One that was created and not started has run nothing of the user's: it may go as it is. */
    if (!options->force && status != OCI_STOPPED && status != OCI_CREATED)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                            "cannot delete container %s that is not stopped: %s; kill it, or use "
                            "--force",
                            container.id, oci_status_name(status));
    return container_destroy(cli, &container, err);
}

const struct verb verb_delete = {
    .name = "delete",
    .synopsis = "[OPTIONS] ID",
    .summary = "Remove what is left of a container that has stopped",
    VERB_OPTIONS(delete_table, struct delete_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = delete_,
};
