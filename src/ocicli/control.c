/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done to a container that is there: kill, pause, resume.
 */
#include "ocicli/private.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* ---- --regex ---- */

/* To each container that matches, whatever becomes of the others; the last failure is ours, those before are said. One that is gone meanwhile is none. */
int do_matching(const struct ocicli *cli, const char *pattern,
                int (*action)(const struct ocicli *cli, const char *id, const void *data,
                              struct cl_error *err),
                const void *data, struct cl_error *err)
{
    CL_AUTO(cl_strv_free) char **ids = NULL;
    struct cl_error failure = { 0 };
    int result = container_match(cli, pattern, &ids, err);
    for (char **id = ids; result >= 0 && id != NULL && *id != NULL; id++) {
        struct cl_error one = { 0 };
        if (action(cli, *id, data, &one) >= 0 || one.kind == CL_KIND_NOT_FOUND)
            continue;
        if (failure.code != 0)
            log_write(cli, LOG_LEVEL_ERROR, failure.text);
        failure = one;
    }
    if (result < 0 || failure.code == 0)
        return result;
    *err = failure;
    return failure.code;
}

/* ---- kill ---- */

struct kill_options {
    bool all, regex;
    int signo;
};
static const struct option_row kill_table[] = {
    OPTION("all", 'a', OPTION_FLAG, "", "Signal all processes of the container",
           struct kill_options, all),
    OPTION("regex", 'r', OPTION_FLAG, "",
           "Take ID as an extended regular expression: all containers that it matches",
           struct kill_options, regex),
};

bool has_pid(const pid_t *pids, size_t count, pid_t pid)
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
    if (container->pid == 0) /* runtime.md "kill": what is being created is not to be signalled */
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container not running: %s",
                            container->id);
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

static int kill_one(const struct ocicli *cli, const char *id, const void *data,
                    struct cl_error *err)
{
    const struct kill_options *options = data;
    auto_container container = CONTAINER_NONE;
    int result = container_open(cli, id, false, &container, err);
    if (result < 0)
        return result;
    return options->all && container.cgroup_path[0] != '\0'
               ? signal_all(&container, options->signo, err)
               : signal_init(&container, options->signo, err);
}

static int kill_(const struct ocicli *cli, const void *data, char **arguments, struct cl_error *err)
{
    struct kill_options options = *(const struct kill_options *)data;
    const char *name = arguments[1] != NULL ? arguments[1] : "TERM";
    options.signo = cl_streq(name, "0") ? 0 : oci_signal_number(name); /* 0: is it there? */
    if (options.signo < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "unknown signal \"%s\"", name);
    return options.regex ? do_matching(cli, arguments[0], kill_one, &options, err)
                         : kill_one(cli, arguments[0], &options, err);
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

static int hold(const struct container *container, struct cl_error *err)
{
    cl_auto_fd fd =
        openat(container->dir, CONTAINER_HELD, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? cl_fail(err, errno, "pause container %s", container->id) : 0;
}

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
    if (!is_possible) /* in runc's words, by which CRI-O knows who has ended */
        return cl_fail_kind(err, CL_KIND_CONFLICT, EINVAL, "container not %s: %s: it is %s",
                            wanted ? "running" : "paused", id, oci_status_name(status));
    result = group_open(container.cgroup_path, &group, err);
    if (result < 0)
        return result;
    if (status == OCI_CREATED)
        result = hold(&container, err);
    if (result >= 0)
        result = cgroup_freeze(&group.cgroup, wanted, 10000, err);
    group_done(&group);
    if (wanted == (result < 0))
        (void)unlinkat(container.dir, CONTAINER_HELD, 0); /* mostly there is none */
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
