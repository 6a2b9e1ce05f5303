/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a process come as far as its program with this filter?
 *
 * The filter is loaded by the process that it is for, so what is left to do after that is done under it: a call that it answers with death ends the process where nobody
 * hears of it, and one that it refuses can't be told of when the filter forbids to tell, too. Both are known before anything is made: the filter is asked for each of
 * these calls (seccomp_filter_ask, no system call), and the answer is an error with the call's name instead of an exit status that the program never gave.
 *
 * What is refused aloud (sendto passes) is left to the step that does it, which says so. execveat and openat2 can be done without (program.c).
 */
#include "runtime/plan.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "wire/init.h"

struct late_call {
    const char *name;
    uint64_t arguments[6]; /* addresses are not known: a filter can't look behind them either */
    const char *step;
    bool must_pass;
    bool (*is_needed)(const struct oci_process *process); /* NULL: always */
};

/* The filter is loaded before the capabilities are set. */
static bool is_early(const struct oci_process *process)
{
    return !process->no_new_privileges;
}

static bool has_label(const struct oci_process *process)
{
    return (process->apparmor_profile != NULL && process->apparmor_profile[0] != '\0') ||
           (process->selinux_label != NULL && process->selinux_label[0] != '\0');
}

/* In the order of init_steps[], then the trampoline's. */
static const struct late_call late_calls[] = {
    { "capset", { 0 }, "set capabilities", true, is_early },
    { "prctl",
      { PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, 0 },
      "set capabilities",
      true,
      is_early },
    { "prctl", { PR_SET_DUMPABLE, 0, 0, 0, 0, 0 }, "execute", false, NULL },
    { "fcntl", { 3, F_SETFD, FD_CLOEXEC, 0, 0, 0 }, "execute", false, NULL },
    { "write", { 4, 0, 0, 0, 0, 0 }, "execute", true, has_label },
    { "execve", { 0 }, "execute", true, NULL },
};

/* SECCOMP_RET_*; a call that this machine lacks is not made. */
static uint32_t ask(const struct seccomp_filter *filter, const char *name,
                    const uint64_t arguments[static 6])
{
    uint32_t action;
    return seccomp_filter_ask(filter, name, arguments, &action) < 0
               ? SECCOMP_RET_ALLOW
               : action & SECCOMP_RET_ACTION_FULL;
}

static bool kills(uint32_t action)
{
    return action == SECCOMP_RET_KILL_PROCESS || action == SECCOMP_RET_KILL_THREAD ||
           action == SECCOMP_RET_TRAP;
}

/* To ask an agent first would make it answer for a call that is not the program's. */
static bool passes(uint32_t action)
{
    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

static bool refuses(uint32_t action)
{
    return action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE;
}

bool plan_can_tell(const struct plan_process *process)
{
    const uint64_t report[6] = { 3, 0, sizeof(struct wire_init), MSG_NOSIGNAL, 0, 0 };
    return passes(ask(&process->filter, "sendto", report));
}

bool plan_may_execveat(const struct plan_process *process)
{
    const uint64_t arguments[6] = { 3, 0, 0, 0, AT_EMPTY_PATH, 0 };
    const uint32_t action = ask(&process->filter, "execveat", arguments);
    return !kills(action) && !refuses(action);
}

bool plan_may_openat2(const struct plan_process *process)
{
    const uint64_t arguments[6] = { 3, 0, 0, 24, 0, 0 };
    return !kills(ask(&process->filter, "openat2", arguments));
}

int plan_check_filter(const struct plan_process *process, struct cl_error *err)
{
    const struct seccomp_filter *filter = &process->filter;
    const bool can_tell = plan_can_tell(process);
    for (size_t i = 0; i < CL_COUNT(late_calls); i++) {
        const struct late_call *call = &late_calls[i];
        if (call->is_needed != NULL && !call->is_needed(process->spec))
            continue;
        const uint32_t action = ask(filter, call->name, call->arguments);
        if (kills(action))
            return plan_fail(err, CL_KIND_INVALID, "linux.seccomp",
                             "the filter would kill the container's process by SIGSYS before its "
                             "program runs: it forbids %s, which the start needs after the filter "
                             "is loaded (step \"%s\")",
                             call->name, call->step);
        if (refuses(action) && call->must_pass && !can_tell)
            return plan_fail(err, CL_KIND_INVALID, "linux.seccomp",
                             "the filter forbids %s, without which no program can be started "
                             "(step \"%s\")",
                             call->name, call->step);
    }
    return 0;
}
