/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about how the calling thread is scheduled and where its memory comes from. The C library
 * has none of them, or (sched_setaffinity) in a shape that asks for a type of its own.
 */
#include "kernel/calls.h"
#include "kernel/hook.h"

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS_SHIFT 13

int k_sched_setattr(pid_t pid, const struct k_sched *wanted)
{
    const struct { /* struct sched_attr, SCHED_ATTR_SIZE_VER1 (sched_setattr(2)) */
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
        uint32_t util_min, util_max;
    } raw = { .size = sizeof raw,
              .policy = wanted->policy,
              .flags = wanted->flags,
              .nice = wanted->nice,
              .priority = wanted->priority,
              .runtime = wanted->runtime,
              .deadline = wanted->deadline,
              .period = wanted->period };
    _Static_assert(sizeof raw == 56, "SCHED_ATTR_SIZE_VER1");
    return (int)K_CALL("sched_setattr", SYS_sched_setattr, pid, (long)&raw, 0);
}

int k_sched_setaffinity(const unsigned long *bits, size_t bit_count)
{
    return (int)K_CALL("sched_setaffinity", SYS_sched_setaffinity, 0, (long)(bit_count / 8),
                       (long)bits);
}

ssize_t k_sched_getaffinity(unsigned long *ret_bits, size_t bit_count)
{
    long size = K_CALL("sched_getaffinity", SYS_sched_getaffinity, 0, (long)(bit_count / 8),
                       (long)ret_bits);
    return size < 0 ? size : size * 8;
}

int k_ioprio_set(pid_t pid, int class, int priority)
{
    return (int)K_CALL("ioprio_set", SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid,
                       class << IOPRIO_CLASS_SHIFT | priority);
}

bool k_ioprio_is(int class, int priority)
{
    return K_CALL("ioprio_get", SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) ==
           (class << IOPRIO_CLASS_SHIFT | priority);
}

int k_personality(unsigned long persona)
{
    return (int)K_CALL("personality", SYS_personality, (long)persona);
}

int k_set_mempolicy(int mode, const unsigned long *nodes, size_t bit_count)
{
    /* The kernel looks at one bit less than it is told of (get_nodes in mm/mempolicy.c). */
    return (int)K_CALL("set_mempolicy", SYS_set_mempolicy, mode, (long)nodes,
                       nodes == NULL ? 0 : (long)bit_count + 1);
}
