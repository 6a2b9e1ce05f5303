/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets of a trace. They are sent without regard to whether anybody reads: a start does not fail for want of a watcher, except for the
 * one that is asked for a word before each step.
 */
#include "runtime/trace.h"

#include "wire/trace.h"

#include <errno.h>
#include <sys/socket.h>

static void tell(const struct trace *trace, struct wire_trace *packet, const char *name)
{
    packet->is_init = trace->is_init;
    (void)CL_PRINT(packet->name, "%s", name); /* longer ones are cut: a test looks */
    (void)send(trace->fd, packet, sizeof *packet, MSG_NOSIGNAL);
}

int trace_begin(const struct trace *trace, const char *name, struct timespec *ret_start)
{
    struct wire_trace packet = { .type = WIRE_TRACE_BEGIN };
    char word = 'q';
    ssize_t size = 1;
    if (trace->fd <= 0)
        return 0;
    tell(trace, &packet, name);
    if (trace->waits) {
        do
            size = recv(trace->fd, &word, 1, 0);
        while (size < 0 && errno == EINTR);
        /* A filter that forbids recv has been loaded: there is no asking any more. */
        if (size == 0 || (size < 0 && errno == ECONNRESET) || (size == 1 && word == 'q'))
            return -ECANCELED;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, ret_start); /* can't fail */
    return 0;
}

void trace_end(const struct trace *trace, const char *name, pid_t pid, const struct timespec *start)
{
    struct wire_trace packet = { .type = WIRE_TRACE_END, .pid = pid };
    struct timespec now;
    if (trace->fd <= 0)
        return;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail */
    packet.ns = (uint64_t)(now.tv_sec - start->tv_sec) * 1000000000 + (uint64_t)now.tv_nsec -
                (uint64_t)start->tv_nsec;
    tell(trace, &packet, name);
}

int trace_stopped(const char *name, struct cl_error *err)
{
    return cl_fail_kind(err, CL_KIND_CONFLICT, ECANCELED,
                        "the start was stopped before \"%s\"; nothing is left of it", name);
}
