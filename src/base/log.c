/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug output by topic. One line is one write(2) from a stack buffer: lines of several processes do not mix, and nothing is
 * allocated, so it works in a child made by clone3() too. Long lines are cut.
 */
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <errno.h>

#include "base/str.h"

enum { UNREAD, OFF, ON };
static int state;
static const char *topics; /* lives in the environment */
static struct timespec begin;

/* Only where it is told: looking for the clock in the vDSO is a good part of a short program's start. */
__attribute__((constructor)) static void note_begin(void)
{
    if (cl_env_own("CLOCHE_DEBUG") != NULL)
        (void)clock_gettime(CLOCK_MONOTONIC, &begin); /* can't fail: the clock exists */
}

static bool is_listed(const char *topic)
{
    size_t length = strlen(topic);
    for (const char *at = topics; *at != '\0';) {
        size_t word = strcspn(at, ",");
        if ((word == length && memcmp(at, topic, length) == 0) ||
            (word == 3 && memcmp(at, "all", 3) == 0))
            return true;
        at += word + (at[word] == ',');
    }
    return false;
}

bool cl_debug_on(const char *topic)
{
    if (__builtin_expect(state == OFF, 1))
        return false;
    if (state == UNREAD) {
        topics = cl_env_own("CLOCHE_DEBUG");
        state = topics != NULL && topics[0] != '\0' ? ON : OFF;
        return cl_debug_on(topic);
    }
    return is_listed(topic);
}

void cl_debug_write(const char *topic, const char *fmt, ...)
{
    int saved = errno;
    char line[1024];
    struct timespec now = begin;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    double ms =
        (double)(now.tv_sec - begin.tv_sec) * 1e3 + (double)(now.tv_nsec - begin.tv_nsec) / 1e6;
    int used = snprintf(line, sizeof line, "cloche[%d] %8.3f ms %s: ", (int)getpid(), ms, topic);
    if (used < 0 || (size_t)used >= sizeof line - 1)
        used = 0;
    va_list args;
    va_start(args, fmt);
    int more = vsnprintf(line + used, sizeof line - (size_t)used - 1, fmt, args);
    va_end(args);
    size_t length = strlen(line);
    line[length++] = '\n';
    if (more >= 0 && write(STDERR_FILENO, line, length) < 0)
        length = 0; /* nobody reads: debug output is no reason to fail */
    errno = saved;
}
