/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-process limits and priorities (config.md "process"): resource limits, OOM score, scheduler,
 * I/O priority, personality.
 */
#include "runtime/child.h"

#include <errno.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS_SHIFT 13

/* IN_CONTAINER */
int limits_set_oom_score(struct child *child, struct cl_error *err)
{
    char text[16];
    int proc = child_proc(child, err);
    if (proc < 0)
        return proc;
    (void)CL_PRINT(text, "%d", (int)child->process->spec->oom_score_adj.value);
    int result = procfs_write(proc, "self/oom_score_adj", text);
    if (result >= 0)
        return 0;
    (void)cl_fail(err, result, "process.oomScoreAdj: set it to %s", text);
    return result == -EACCES || result == -EPERM
               ? cl_error_hint(err, "going below the caller's own score takes CAP_SYS_RESOURCE")
               : result;
}

/* struct sched_attr, SCHED_ATTR_SIZE_VER0 (sched_setattr(2)). */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static int set_scheduler(const struct oci_scheduler *scheduler, struct cl_error *err)
{
    struct scheduling attributes = {
        .size = sizeof attributes,
        .policy = (uint32_t)scheduler->policy,
        .flags = scheduler->flags,
        .nice = scheduler->nice,
        .priority = (uint32_t)scheduler->priority,
        .runtime = scheduler->runtime,
        .deadline = scheduler->deadline,
        .period = scheduler->period,
    };
    return syscall(SYS_sched_setattr, 0, &attributes, 0) < 0
               ? cl_fail(err, errno, "process.scheduler: set it")
               : 0;
}

static int set_io_priority(const struct oci_io_priority *priority, struct cl_error *err)
{
    int value = (int)priority->class_ << IOPRIO_CLASS_SHIFT | priority->priority;
    return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value) < 0
               ? cl_fail(err, errno, "process.ioPriority: set it")
               : 0;
}

/* IN_CONTAINER */
int limits_set_scheduling(struct child *child, struct cl_error *err)
{
    const struct oci_process *process = child->process->spec;
    const struct oci_personality *wanted =
        child->plan != NULL ? child->plan->spec->linux_.personality : NULL;
    int result = process->scheduler != NULL ? set_scheduler(process->scheduler, err) : 0;
    if (result >= 0 && process->io_priority != NULL)
        result = set_io_priority(process->io_priority, err);
    if (result >= 0 && wanted != NULL && personality(wanted->domain) < 0)
        result = cl_fail(err, errno, "linux.personality: set it");
    return result;
}

/* IN_CONTAINER */
int limits_set_resources(struct child *child, struct cl_error *err)
{
    const struct oci_process *process = child->process->spec;
    for (size_t i = 0; i < process->rlimit_count; i++) {
        const struct oci_rlimit *limit = &process->rlimits[i];
        struct rlimit value = { .rlim_cur = limit->soft, .rlim_max = limit->hard };
        int result = k_prlimit(0, limit->type, &value);
        if (result >= 0)
            continue;
        (void)cl_fail(err, result, "process.rlimits[%zu]: set %s", i, oci_rlimit_name(limit->type));
        return result == -EPERM
                   ? cl_error_hint(err, "raising it above our own takes CAP_SYS_RESOURCE")
                   : result;
    }
    return 0;
}
