/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cloche why` without a container: lines of the log, and questions about ourselves.
 */
#include <linux/capability.h>

#include "lens/why.h"
#include "test.h"

static void done(struct why *why)
{
    for (size_t i = 0; i < why->count; i++) {
        free(why->findings[i].what);
        free(why->findings[i].because);
        free(why->findings[i].allow);
    }
    free(why->findings);
    why->findings = NULL;
    why->count = why->room = 0;
}

#define DENIAL                                                                                     \
    "5,1,2,-;audit: type=1326 audit(1.2:3): auid=0 uid=0 gid=0 ses=%d pid=%d comm=\"%s\" "         \
    "exe=\"/bin/busybox\" sig=0 arch=c000003e syscall=165 compat=0 ip=0x1 code=0x50000"

static int take(struct why *why, int session, int pid, const char *comm)
{
    char line[512];
    (void)snprintf(line, sizeof line, DENIAL, session, pid, comm);
    return why_log_line(why, line);
}

TEST(records_are_told_by_session_or_by_pid)
{
    const struct lens_why_policy policy = { .session = 7 };
    struct why why = { .policy = &policy, .target = { .pid = 42 }, .is_running = true };
    CHECK_INT(take(&why, 7, 99, "mount"), 0);
    CHECK_INT(why.count, 1);
    CHECK_STR(why.findings[0].layer, "seccomp");
    CHECK_CONTAINS(why.findings[0].because, "mount");
    CHECK_INT(take(&why, 7, 100, "mount"), 0); /* the same once more */
    CHECK_INT(why.count, 1);
    CHECK_INT(take(&why, 8, 99, "other"), 0); /* somebody else's */
    CHECK_INT(take(&why, -1, 43, "other"), 0);
    CHECK_INT(why.count, 1);
    CHECK_INT(take(&why, 8, 42, "ours"), 0);
    CHECK_INT(why.count, 2);
    done(&why);
}

/* A program can call itself anything: its name is no field of the record. */
TEST(a_name_that_looks_like_a_field_is_none)
{
    const struct lens_why_policy policy = { .session = 7 };
    struct why why = { .policy = &policy, .target = { .pid = 42 }, .is_running = true };
    CHECK_INT(take(&why, 8, 99, "x ses=7"), 0);
    CHECK_INT(why_log_line(&why, "garbage type=1326"), 0);
    CHECK_INT(why_log_line(&why, ""), 0);
    CHECK_INT(why.count, 0);
    done(&why);
}

TEST(the_oom_killer_is_known_by_the_containers_id)
{
    struct why why = { .target = { .container = { .id = "0123456789abcdef0123456789abcdef" } } };
    CHECK_INT(why_log_line(&why, "6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/cloche/"
                                 "0123456789abcdef0123456789abcdef,task=sh,pid=7,uid=0"),
              0);
    CHECK_INT(why.count, 1);
    CHECK_CONTAINS(why.findings[0].because, "sh");
    CHECK_INT(why_log_line(&why, "6,1,2,-;oom-kill:oom_memcg=/other,task=sh,pid=7"), 0);
    CHECK_INT(why.count, 1);
    done(&why);
}

TEST(capabilities_are_the_processs_own)
{
    struct cl_error err = { 0 };
    struct why why = { .status = { .cap_effective = 1ULL << CAP_CHOWN,
                                   .cap_bounding = 1ULL << CAP_CHOWN | 1ULL << CAP_KILL } };
    CHECK_INT(why_capability(&why, "chown", &err), 0);
    CHECK_INT(why_capability(&why, "NET_RAW", &err), 0);
    CHECK_INT(why_capability(&why, "CAP_KILL", &err), 0);
    REQUIRE(why.count == 3);
    CHECK_INT(why.findings[0].answer, WHY_ALLOWED);
    CHECK_INT(why.findings[1].answer, WHY_REFUSED);
    CHECK_STR(why.findings[1].allow, "--cap-add NET_RAW");
    CHECK_CONTAINS(why.findings[2].because, "bounding set has it");
    CHECK(why_capability(&why, "net_rav", &err) < 0);
    CHECK_CONTAINS(err.text, "did you mean");
    done(&why);
}

TEST(a_user_namespaces_capability_is_not_the_hosts)
{
    struct cl_error err = { 0 };
    struct why why = { .status = { .cap_effective = ~0ULL }, .has_own_user_ns = true };
    CHECK_INT(why_syscall(&why, "clock_settime", &err), 0);
    CHECK_INT(why_syscall(&why, "mount", &err), 0);
    REQUIRE(why.count == 2);
    CHECK_STR(why.findings[0].layer, "user namespace");
    CHECK_INT(why.findings[1].answer, WHY_ALLOWED);
    CHECK(why_syscall(&why, "mount:x", &err) < 0);
    CHECK(why_syscall(&why, "mount:1,2,3,4,5,6,7", &err) < 0);
    CHECK(why_syscall(&why, ":1", &err) < 0);
    done(&why);
}

TEST(a_filter_that_cant_be_read_is_not_guessed)
{
    struct cl_error err = { 0 };
    struct why why = { .status = { .seccomp_mode = 2, .cap_effective = ~0ULL } };
    CHECK_INT(why_syscall(&why, "mount", &err), 0);
    REQUIRE(why.count == 1);
    CHECK_INT(why.findings[0].answer, WHY_UNKNOWN);
    done(&why);
}

TEST_MAIN
