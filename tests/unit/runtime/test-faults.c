/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left when something goes wrong: nothing. Every system call that passes the kernel room's
 * gate is made to fail once, in parent and child; older kernels are played by taking calls away.
 */
#include "support.h"

/* One run with the current hook: 0 when the container ran. The world checks at its end that no
   cgroup and no directory is left. */
static int run_once(struct world *world)
{
    world_shell(world, "exit 0");
    int result = world_start(world);
    int code = result < 0 ? result : world_wait(world);
    world_again(world);
    return code;
}

static bool has_children(void)
{
    int status;
    return waitpid(-1, &status, WNOHANG) >= 0 || errno != ECHILD;
}

/*
 * The child counts on from where its parent was when it was cloned, so one number stands for at
 * most one call in each. Where a call's failure is tolerated, the container must run; otherwise the
 * error must say something, and nothing may be left.
 */
static void fail_each_call(bool with_hooks)
{
    struct world world;
    unsigned failed = 0, number = 1, passed_in_a_row = 0;
    REQUIRE(world_open(&world));
    if (with_hooks)
        world_hooks(&world);
    CHECK_INT(oci_mount_add(world.spec, "/data", NULL, world.dir, "rbind", "ro", NULL), 0);
    for (; number < 1500 && passed_in_a_row < 150; number++) {
        char wish[32];
        snprintf(wish, sizeof wish, "%u:EIO", number);
        k_hook_set(NULL, wish);
        world_shell(&world, "exit 0");
        int result = world_start(&world);
        k_hook_set(NULL, NULL);
        if (result < 0) {
            failed++;
            if (world.process.pidfd >= 0) /* create went well, start did not: the caller's turn */
                CHECK_INT(runtime_destroy(&world.process, NULL), 0);
            if (world.err.text[0] == '\0' || world.err.code >= 0)
                TEST_SAY("call %u: no error text", number);
            if (has_children())
                TEST_SAY("call %u: a child is left (%s)", number, world.err.text);
            if (cgroup_is_left(&world))
                TEST_SAY("call %u: a cgroup is left (%s)", number, world.err.text);
        } else {
            (void)world_wait(&world);
        }
        passed_in_a_row = result < 0 ? 0 : passed_in_a_row + 1;
        world_again(&world);
    }
    printf("# %u calls, %u of them made the start fail\n", number - passed_in_a_row, failed);
    CHECK(failed > 60);
    CHECK_INT(run_once(&world), 0);
    world_close(&world);
}

TEST(every_call_fails_once_and_nothing_is_left)
{
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    fail_each_call(false);
}

TEST(every_call_fails_once_around_hooks_and_nothing_is_left)
{
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    fail_each_call(true);
}

TEST(older_kernels_and_tighter_sandboxes)
{
    static const char *const missing[] = { "clone3", "openat2", "close_range", "clone3,openat2" };
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    for (size_t i = 0; i < CL_COUNT(missing); i++) {
        k_hook_set(missing[i], NULL);
        int code = run_once(&world);
        k_hook_set(NULL, NULL);
        if (code != 0)
            TEST_SAY("without %s: %d %s", missing[i], code, world.err.text);
    }
    world_close(&world);
}

TEST(without_clone3_the_time_namespace_is_still_its_own)
{
    struct world world;
    char mine[64] = "";
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    if (!world.facts.has_time_ns) {
        world_close(&world);
        SKIP("needs time namespaces");
    }
    CHECK(readlink("/proc/self/ns/time", mine, sizeof mine - 1) > 0);
    k_hook_set("clone3", NULL);
    const char *text = world_run(&world, "readlink /proc/self/ns/time", NULL);
    k_hook_set(NULL, NULL);
    CHECK_CONTAINS(text, "time:[");
    CHECK(strncmp(text, mine, strlen(mine)) != 0);
    world_close(&world);
}

TEST_MAIN
