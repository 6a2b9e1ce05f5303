/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running the default filter for a question: the answers are those of the profile as data, and arguments decide where they do.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>

#include "seccomp/calls.h"
#include "seccomp/seccomp.h"
#include "test.h"

static uint32_t ask(uint64_t capabilities, const char *name, uint64_t first, uint64_t third)
{
    struct seccomp_filter filter = { 0 };
    const uint64_t arguments[6] = { first, 0, third };
    uint32_t action = 0;
    CHECK_INT(seccomp_default(capabilities, &filter, NULL), 0);
    CHECK_INT(seccomp_filter_ask(&filter, name, arguments, &action), 0);
    seccomp_filter_done(&filter);
    return action;
}

TEST(arguments_and_capabilities_decide)
{
    CHECK_INT(ask(0, "read", 0, 0), SECCOMP_RET_ALLOW);
    CHECK_INT(ask(0, "mount", 0, 0), SECCOMP_RET_ERRNO | EPERM);
    CHECK_INT(ask(1ULL << CAP_SYS_ADMIN, "mount", 0, 0), SECCOMP_RET_ALLOW);
    CHECK_INT(ask(0, "unshare", 0x10000000, 0), SECCOMP_RET_ERRNO | EPERM);
    CHECK_INT(ask(0, "unshare", 0x200, 0), SECCOMP_RET_ALLOW);
    CHECK_INT(ask(0, "socket", 38, 0), SECCOMP_RET_ERRNO | EAFNOSUPPORT);
    CHECK_INT(ask(0, "socket", 2, 0), SECCOMP_RET_ALLOW);
    CHECK_INT(ask(0, "clone3", 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
}

/* Every call of this machine: what the profile says as data is what the program answers. */
TEST(the_program_and_the_data_agree)
{
    for (int call = 0; call < CALL_COUNT; call++) {
        int capability;
        const char *name = seccomp_call_string((enum seccomp_call)call);
        if (!seccomp_call_exists(name))
            continue;
        enum seccomp_verdict verdict = seccomp_default_verdict(name, 0, &capability);
        uint32_t action = ask(0, name, 0, 0);
        if (verdict == SECCOMP_ALLOWED)
            CHECK_INT(action, SECCOMP_RET_ALLOW);
        else if (verdict == SECCOMP_DENIED)
            CHECK_INT(action, SECCOMP_RET_ERRNO | EPERM);
        else if (verdict == SECCOMP_UNKNOWN)
            CHECK_INT(action, SECCOMP_RET_ERRNO | ENOSYS);
    }
}

TEST(no_such_call)
{
    struct seccomp_filter filter = { 0 };
    const uint64_t arguments[6] = { 0 };
    uint32_t action;
    CHECK_INT(seccomp_filter_ask(&filter, "no_such_call", arguments, &action), -ENOENT);
    CHECK(!seccomp_call_exists("no_such_call"));
    CHECK(seccomp_call_exists("read"));
}

TEST_MAIN
