/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets of a trace. They are sent without regard to whether anybody reads: a start does not fail for want of a watcher, except for the
 * one that is asked for a word before each step.
 */
#include "runtime/trace.h"

#include "wire/trace.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/socket.h>

/* Not a monotonic clock: time namespaces shift all of those, and init changes its own on the way. */
struct timespec trace_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* can't fail */
    return now;
}

static long long ns_between(const struct timespec *from, const struct timespec *to)
{
    return (long long)(to->tv_sec - from->tv_sec) * 1000000000 + to->tv_nsec - from->tv_nsec;
}

/* Microseconds since the beginning, microseconds that it took (negative: not to be told), side, step. */
static void tell_line(const struct trace *trace, const char *name, const struct timespec *start,
                      long long took_ns, const char *after)
{
    char line[160], took[24] = "-";
    long long since = ns_between(&trace->since, start);
    if (since < 0) /* begun before there was a trace: the wait for a start that brings it */
        return;
    if (took_ns >= 0)
        (void)CL_PRINT(took, "%lld", took_ns / 1000); /* fits */
    if (CL_PRINT(line, "%8lld %8s  %-6s  %s%s\n", since / 1000, took,
                 trace->is_init ? "init" : "parent", name, after) >= 0)
        (void)cl_write_full(trace->fd, line, strlen(line)); /* no start fails for want of a trace */
}

static void tell(const struct trace *trace, struct wire_trace *packet, const char *name)
{
    packet->is_init = trace->is_init;
    (void)CL_PRINT(packet->name, "%s", name); /* longer ones are cut: a test looks */
    (void)send(trace->fd, packet, sizeof *packet, MSG_NOSIGNAL);
}

struct trace trace_to(int fd, const struct timespec *since, bool is_init)
{
    struct trace trace = { .fd = fd > 0 ? fd : -EBADF, .is_init = is_init };
    if (since != NULL) {
        trace.has_lines = true;
        trace.since = *since;
    }
    return trace;
}

int trace_begin(const struct trace *trace, const char *name, struct timespec *ret_start)
{
    struct wire_trace packet = { .type = WIRE_TRACE_BEGIN };
    char word = 'q';
    ssize_t size = 1;
    if (trace->fd <= 0)
        return 0;
    if (!trace->has_lines)
        tell(trace, &packet, name);
    if (trace->waits) {
        do
            size = recv(trace->fd, &word, 1, 0);
        while (size < 0 && errno == EINTR);
        if (size == 0 || (size < 0 && errno == ECONNRESET) || (size == 1 && word == 'q'))
            return -ECANCELED;
    }
    *ret_start = trace_now();
    return 0;
}

void trace_unheard(const struct trace *trace, const char *name)
{
    struct wire_trace packet = { .type = WIRE_TRACE_UNHEARD };
    if (trace->fd > 0 && !trace->has_lines)
        tell(trace, &packet, name);
}

bool trace_passes(const struct trace *trace, const struct seccomp_filter *filter)
{
    const uint64_t fd = (uint64_t)trace->fd, packet = (uintptr_t)trace;
    const struct {
        const char *name;
        uint64_t arguments[6];
    } calls[] = {
        { "sendto", { fd, packet, sizeof(struct wire_trace), MSG_NOSIGNAL, 0, 0 } },
        { "recvfrom", { fd, packet, 1, 0, 0, 0 } },
        { "clock_gettime",
          { CLOCK_REALTIME, packet } }, /* where the clock is no page of the vDSO's */
    };
    for (size_t i = 0; i < CL_COUNT(calls); i++) {
        uint32_t action;
        if (seccomp_filter_ask(filter, calls[i].name, calls[i].arguments, &action) < 0)
            return false;
        action &= SECCOMP_RET_ACTION_FULL;
        if (action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG)
            return false;
    }
    return true;
}

void trace_end(const struct trace *trace, const char *name, pid_t pid, const struct timespec *start)
{
    struct wire_trace packet = { .type = WIRE_TRACE_END, .pid = pid };
    if (trace->fd <= 0)
        return;
    const struct timespec now = trace_now();
    long long took = ns_between(start, &now);
    if (took < 0) /* somebody has set the clock meanwhile */
        took = 0;
    packet.ns = (uint64_t)took;
    if (trace->has_lines)
        tell_line(trace, name, start, took, "");
    else
        tell(trace, &packet, name);
}

void trace_failed(const struct trace *trace, const char *name, const struct timespec *start)
{
    if (trace->fd <= 0 || !trace->has_lines)
        return;
    const struct timespec now = trace_now();
    tell_line(trace, name, start, ns_between(start, &now), "  FAILED");
}

void trace_endless(const struct trace *trace, const char *name)
{
    if (trace->fd <= 0 || !trace->has_lines)
        return;
    const struct timespec now = trace_now();
    tell_line(trace, name, &now, -1, "");
}

void trace_name_step(struct cl_error *err, const char *name)
{
    char step[64];
    if (err == NULL || err->kind == CL_KIND_NO_COMMAND || err->kind == CL_KIND_NOT_EXECUTABLE ||
        CL_PRINT(step, " (step \"%s\")", name) < 0)
        return;
    size_t size = strlen(step) + 1, length = strnlen(err->text, sizeof err->text - size);
    memcpy(err->text + length, step, size);
}

int trace_stopped(const char *name, struct cl_error *err)
{
    return cl_fail_kind(err, CL_KIND_CONFLICT, ECANCELED,
                        "the start was stopped before \"%s\"; nothing is left of it", name);
}
