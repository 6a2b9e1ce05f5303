/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per-process limits and priorities (config.md "process"): resource limits, OOM score, scheduler,
 * I/O priority, personality, and where its memory comes from (linux.memoryPolicy) and on which CPUs a
 * process of exec runs. All of it goes on over exec, and to every process that it starts.
 */
#include "runtime/child.h"

#include "oci/names.h"

#include <errno.h>
#include <linux/sched.h>

/* With a user namespace it was set from outside already (user_ns.c, join.c), as the file is then not
   ours to write. */
static bool has_oom_score(int proc, int32_t wanted)
{
    char text[16];
    int64_t value;
    ssize_t length = cl_read_small(proc, "self/oom_score_adj", text, sizeof text);
    if (length <= 0)
        return false;
    text[strcspn(text, "\n")] = '\0';
    return cl_parse_i64(text, INT32_MIN, INT32_MAX, &value) >= 0 && value == wanted;
}

/* IN_CONTAINER */
int limits_set_oom_score(struct child *child, struct cl_error *err)
{
    char text[16];
    int proc = child_proc(child, err);
    if (proc < 0)
        return proc;
    (void)CL_PRINT(text, "%d", (int)child->process->spec->oom_score_adj.value);
    int result = procfs_write(proc, "self/oom_score_adj", text);
    if (result >= 0 || has_oom_score(proc, child->process->spec->oom_score_adj.value))
        return 0;
    (void)cl_fail(err, result, "process.oomScoreAdj: set it to %s", text);
    return result == -EACCES || result == -EPERM
               ? cl_error_hint(err, "going below the caller's own score takes CAP_SYS_RESOURCE")
               : result;
}

static struct k_sched sched_of(const struct oci_scheduler *scheduler)
{
    return (struct k_sched){ .policy = (uint32_t)scheduler->policy,
                             .flags = scheduler->flags,
                             .nice = scheduler->nice,
                             .priority = (uint32_t)scheduler->priority,
                             .runtime = scheduler->runtime,
                             .deadline = scheduler->deadline,
                             .period = scheduler->period };
}

/* Not SCHED_DEADLINE, with which nobody may fork, nor what a fork would take back: both are for the
   last moment. */
void limits_grant_scheduling(const struct oci_process *process, pid_t pid)
{
    if (process->scheduler != NULL && process->scheduler->policy != OCI_SCHED_DEADLINE) {
        struct k_sched wanted = sched_of(process->scheduler);
        wanted.flags &= ~(uint64_t)SCHED_FLAG_RESET_ON_FORK;
        (void)k_sched_setattr(pid, &wanted); /* the step tells */
    }
    if (process->io_priority != NULL)
        (void)k_ioprio_set(pid, (int)process->io_priority->class_, process->io_priority->priority);
}

static int set_scheduler(const struct oci_scheduler *scheduler, struct cl_error *err)
{
    const struct k_sched wanted = sched_of(scheduler);
    int result = k_sched_setattr(0, &wanted);
    if (result >= 0)
        return 0;
    (void)cl_fail(err, result, "process.scheduler: set it");
    return result == -EPERM
               ? cl_error_hint(err, "real-time policies and a lower nice take CAP_SYS_NICE, and "
                                    "in a v1 cgroup linux.resources.cpu.realtimeRuntime")
               : result;
}

static int set_io_priority(const struct oci_io_priority *priority, struct cl_error *err)
{
    int result = k_ioprio_set(0, (int)priority->class_, priority->priority);
    /* With a user namespace the real-time class was set from outside. */
    if (result >= 0 || (result == -EPERM && k_ioprio_is((int)priority->class_, priority->priority)))
        return 0;
    (void)cl_fail(err, result, "process.ioPriority: set it");
    return result == -EPERM
               ? cl_error_hint(err, "the real-time class takes CAP_SYS_NICE or CAP_SYS_ADMIN")
               : result;
}

/* IN_CONTAINER */
int limits_set_scheduling(struct child *child, struct cl_error *err)
{
    const struct oci_process *process = child->process->spec;
    const struct oci_personality *wanted = child->process->personality;
    int result = process->scheduler != NULL ? set_scheduler(process->scheduler, err) : 0;
    if (result >= 0 && process->io_priority != NULL)
        result = set_io_priority(process->io_priority, err);
    if (result < 0 || wanted == NULL)
        return result;
    result = k_personality(wanted->domain);
    return result < 0 ? cl_fail(err, result, "linux.personality: set it") : 0;
}

/* IN_CONTAINER. What was read into memory before stays where it is; the program's pages come from
   where the policy says. */
int limits_set_memory_policy(struct child *child, struct cl_error *err)
{
    unsigned long nodes[OCI_NODE_BITS / OCI_LONG_BITS];
    const struct oci_memory_policy *policy = child->process->memory_policy;
    bool has_nodes = policy->nodes != NULL && policy->nodes[0] != '\0';
    int result = has_nodes ? oci_number_list(policy->nodes, nodes, OCI_NODE_BITS) : 0;
    if (result >= 0)
        result = k_set_mempolicy((int)((uint32_t)policy->mode | policy->flags),
                                 has_nodes ? nodes : NULL, OCI_NODE_BITS);
    if (result >= 0)
        return 0;
    (void)cl_fail(err, result, "linux.memoryPolicy: set it");
    return result == -EINVAL ? cl_error_hint(err, "does this machine have these nodes, and the "
                                                  "cgroup's cpuset.mems, and this kernel the mode?")
                             : result;
}

int limits_set_affinity(const char *property, const char *list, struct cl_error *err)
{
    unsigned long cpus[OCI_CPU_BITS / OCI_LONG_BITS];
    int result = oci_number_list(list, cpus, OCI_CPU_BITS);
    if (result >= 0)
        result = k_sched_setaffinity(cpus, OCI_CPU_BITS);
    if (result >= 0)
        return 0;
    (void)cl_fail(err, result, "process.execCPUAffinity.%s: run on CPUs %s", property, list);
    return result == -EINVAL ? cl_error_hint(err, "none of them is there, or the cgroup's "
                                                  "cpuset.cpus has none of them")
                             : result;
}

/* IN_CONTAINER, after the cgroup: entering it chooses anew. */
int limits_set_final_affinity(struct child *child, struct cl_error *err)
{
    return limits_set_affinity("final", child->process->spec->exec_cpu_affinity.final, err);
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
