/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test points: die at a chosen place, so that recovery can be tested from every state that a crash may leave behind.
 *
 * Runs in children made by clone3() with any mix of namespaces: no allocation, no locks, no stdio. The first process of
 * a new PID namespace can't be killed from inside it (the kernel drops even its own SIGKILL; pid_namespaces(7)), so there
 * the process leaves by exit_group(137), which runs as little of its own code as SIGKILL would have.
 */
#include "base/mem.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/str.h"

enum { UNREAD, OFF, ON };
static int state;
static const char *wishes; /* "ROLE:N,ROLE:NAME,…"; lives in the environment */
static const char *log_path;
static char role[16] = "cloche";
static char wanted[64];       /* for this role; "": nothing */
static uint64_t wanted_count; /* 0: by name */
static uint64_t passed;

/* What is wished for this role. */
static void find_wish(void)
{
    size_t length = strlen(role);
    wanted[0] = '\0';
    wanted_count = 0;
    passed = 0;
    for (const char *wish = wishes; wish != NULL; wish = strchr(wish, ',')) {
        wish += *wish == ',';
        size_t size = strcspn(wish, ",");
        if (size > length + 1 && size - length <= sizeof wanted && wish[length] == ':' &&
            memcmp(wish, role, length) == 0) {
            memcpy(wanted, wish + length + 1, size - length - 1);
            wanted[size - length - 1] = '\0';
            if (cl_parse_u64(wanted, 1, UINT64_MAX, &wanted_count) < 0)
                wanted_count = 0;
            return;
        }
    }
}

static void read_wishes(void)
{
    wishes = cl_env_own("CLOCHE_TEST_KILL");
    log_path = cl_env_own("CLOCHE_TEST_KILL_LOG");
    state = wishes == NULL ? OFF : ON;
    if (state == ON)
        find_wish();
}

void cl_test_role(const char *new_role)
{
    if (state == UNREAD)
        read_wishes();
    if (state == OFF)
        return;
    (void)CL_PRINT(role, "%s", new_role); /* no role's name is longer */
    find_wish();
}

/* Not created: a container's own root may have such a path, too. */
static void note(const char *name)
{
    int fd = log_path == NULL
                 ? -1
                 : open(log_path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    const struct iovec line[] = {
        { .iov_base = role, .iov_len = strlen(role) },
        { .iov_base = (char[]){ " " }, .iov_len = 1 },
        { .iov_base = (void *)(uintptr_t)name, .iov_len = strlen(name) },
        { .iov_base = (char[]){ "\n" }, .iov_len = 1 },
    };
    if (fd >= 0)
        (void)!writev(fd, line, (int)CL_COUNT(line)); /* a test that misses the line fails */
}

static void die(const char *name)
{
    note(name);
    (void)syscall(SYS_kill, (pid_t)syscall(SYS_getpid), SIGKILL);
    for (;;)
        (void)syscall(SYS_exit_group, 128 + SIGKILL);
}

void cl_test_point(const char *name)
{
    if (__builtin_expect(state == OFF, 1))
        return;
    if (state == UNREAD) {
        read_wishes();
        cl_test_point(name);
        return;
    }
    passed++;
    if (wanted_count > 0 ? passed == wanted_count : strcmp(name, wanted) == 0)
        die(name);
}
