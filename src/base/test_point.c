/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test points: die at a chosen place, so that recovery can be tested from every state that a crash may leave behind.
 *
 * Runs in children made by clone3() with any mix of namespaces: no allocation, no locks, no stdio. The first process of
 * a new PID namespace can't be killed from inside it (the kernel drops even its own SIGKILL; pid_namespaces(7)), so there
 * the process leaves by exit_group(137), which runs as little of its own code as SIGKILL would have.
 */
#include "base/mem.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

enum { UNREAD, OFF, ON };
static int state;
static const char *wanted; /* what follows the colon; lives in the environment */
static char wanted_role[16];
static uint64_t wanted_count; /* 0: by name */
static char role[16] = "cloche";
static uint64_t passed;

static void read_wish(void)
{
    const char *text = secure_getenv("CLOCHE_TEST_KILL");
    const char *colon = text == NULL ? NULL : strchr(text, ':');
    state = OFF;
    if (colon == NULL || colon[1] == '\0' || (size_t)(colon - text) >= sizeof wanted_role)
        return;
    memcpy(wanted_role, text, (size_t)(colon - text));
    wanted = colon + 1;
    if (cl_parse_u64(wanted, 1, UINT64_MAX, &wanted_count) < 0)
        wanted_count = 0;
    state = ON;
}

void cl_test_role(const char *new_role)
{
    if (state == UNREAD)
        read_wish();
    (void)CL_PRINT(role, "%s", new_role); /* no role's name is longer */
    passed = 0;
}

static void die(void)
{
    (void)syscall(SYS_kill, (pid_t)syscall(SYS_getpid), SIGKILL);
    for (;;)
        (void)syscall(SYS_exit_group, 128 + SIGKILL);
}

void cl_test_point(const char *name)
{
    if (__builtin_expect(state == OFF, 1))
        return;
    if (state == UNREAD) {
        read_wish();
        cl_test_point(name);
        return;
    }
    if (strcmp(role, wanted_role) != 0)
        return;
    passed++;
    if (wanted_count > 0 ? passed == wanted_count : strcmp(name, wanted) == 0)
        die();
}
