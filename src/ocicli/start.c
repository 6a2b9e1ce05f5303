/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start: an init that was left by create (runtime_leave) hears that it may go on. As the creator did, we hold the container's lock until its program runs.
 */
#include "ocicli/creation.h"

#include <unistd.h>

#define START_END_MS 10000 /* a killed process that is still there then hangs in the kernel */

struct start_options {
    const char *trace;
};
static const struct option_row start_table[] = {
    OPTION("trace", 0, OPTION_STRING, "FILE", "Append each step with its times in microseconds",
           struct start_options, trace),
};

static int check_startable(const struct container *container, struct cl_error *err)
{
    enum oci_status status;
    int result = container_status(container, &status, err);
    if (result < 0 || status == OCI_CREATED)
        return result;
    return cl_fail_kind(err, CL_KIND_CONFLICT, EINVAL, "cannot start container %s: it is %s",
                        container->id, oci_status_name(status));
}

/* runtime.md "Lifecycle": where a hook fails, what follows is deletion. A program that can't be executed leaves a container that has stopped, as with every runtime. */
static int start_process(const struct ocicli *cli, struct container *container,
                         struct runtime_process *process, struct cl_error *err)
{
    struct cl_error ignored;
    int result = runtime_start(process, err);
    bool is_hook = process->has_failed_hook;
    if (result >= 0) {
        container_unlock(container); /* a hook may want to look at it, or to change it */
        result = hooks_poststart(container, err);
        is_hook = true;
    }
    if (result < 0 && is_hook)
        (void)container_destroy(cli, container, &ignored); /* the first error is the reason */
    return result;
}

static int start(const struct ocicli *cli, const void *options, char **arguments,
                 struct cl_error *err)
{
    const struct start_options *flags = options;
    struct timespec since;
    auto_container container = CONTAINER_NONE;
    cl_auto_fd trace = -EBADF;
    int result = container_open(cli, arguments[0], true, &container, err);
    if (result >= 0)
        result = check_startable(&container, err);
    if (result < 0)
        return result;
    result = open_trace(flags->trace, &since, err);
    if (result < 0)
        return result;
    trace = result > 0 ? result : -EBADF;
    struct runtime_process process = { .trace_fd = trace,
                                       .trace_since = trace > 0 ? &since : NULL,
                                       .pid = container.pid,
                                       .pidfd = -EBADF,
                                       .console = -EBADF,
                                       .root_mount = -EBADF };
    process.sync = container_connect(container.dir);
    if (process.sync < 0)
        return cl_fail(err, process.sync, "start container %s", container.id);
    result = start_process(cli, &container, &process, err);
    runtime_process_done(&process);
    if (result < 0)
        container_wait(&container, START_END_MS); /* whoever hears of the failure deletes it next */
    else
        /* From now on nobody has to connect to find out that nobody listens. Killed before: they do. */
        (void)unlinkat(container.dir, "start", 0);
    return result;
}

const struct verb verb_start = {
    .name = "start",
    .synopsis = "[OPTIONS] ID",
    .summary = "Start a container that was created",
    VERB_OPTIONS(start_table, struct start_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = start,
};
