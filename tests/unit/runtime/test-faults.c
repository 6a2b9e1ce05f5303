/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left when something goes wrong: nothing. Every system call that passes the kernel room's gate is made to fail once, in parent and child;
 * the parent is killed at each of its test points; older kernels are played by taking calls away.
 */
#include "support.h"

#include <sys/prctl.h>

/* One run with the current hook: 0 when the container ran. The world checks at its end that no cgroup and no directory is left. */
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
 * The child counts on from where its parent was when it was cloned, so one number stands for at most one call in each. Where a call's failure is tolerated, the container
 * must run; otherwise the error must say something, and nothing may be left.
 */
TEST(every_call_fails_once_and_nothing_is_left)
{
    struct world world;
    unsigned failed = 0, number = 1, passed_in_a_row = 0;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
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

/* ---- the parent dies ---- */

static int count_processes(struct world *world)
{
    struct cgroup group;
    pid_t *pids = NULL;
    size_t count = 0;
    if (cgroup_open(&world->facts.cgroups, world->cgroup, &group, NULL) < 0)
        return 0;
    (void)cgroup_pids(&group, &pids, &count);
    free(pids);
    cgroup_done(&group);
    return (int)count;
}

/* Event-driven would need the pidfd of a process that may never have been: a bounded look every 5 ms. */
static bool all_gone(struct world *world)
{
    for (int i = 0; i < 1000; i++) {
        if (count_processes(world) == 0)
            return true;
        usleep(5000);
    }
    return false;
}

/* True when the parent was killed at that point, false when there is no such point any more. */
static bool kill_parent_at(struct world *world, unsigned point)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char wish[32];
        snprintf(wish, sizeof wish, "parent:%u", point);
        setenv("CLOCHE_TEST_KILL", wish, 1);
        cl_test_role("parent");
        world_shell(world, "sleep 1000");
        int result = world_start(world);
        _exit(result < 0 ? 1 : 0);
    }
    int status = 0;
    (void)waitpid(pid, &status, 0);
    /* After the last point the parent ends by itself, and what it started goes with it all the same. */
    CHECK(all_gone(world));
    (void)cgroup_remove(&world->facts.cgroups, world->cgroup);
    CHECK(!cgroup_is_left(world));
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

TEST(a_parent_killed_anywhere_leaves_no_process)
{
    struct world world;
    unsigned point = 1;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    while (point < 100 && kill_parent_at(&world, point))
        point++;
    CHECK(point > 6);
    world_close(&world);
}

/* The same for init: it leaves at its Nth point, and the parent has to say so and clean up. */
static bool kill_init_at(struct world *world, unsigned point)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char wish[32];
        snprintf(wish, sizeof wish, "init:%u", point);
        setenv("CLOCHE_TEST_KILL", wish, 1);
        cl_test_role("parent");
        world_shell(world, "exit 0");
        int result = world_start(world);
        if (result >=
            0) { /* the program ran, or init left between START and exec, which looks the same */
            result = world_wait(world) == 0 ? 0 : 1;
            (void)runtime_destroy(&world->process, NULL);
        }
        _exit(result == 0 ? 0 : 1);
    }
    (void)waitpid(pid, &status, 0);
    CHECK(!cgroup_is_left(world));
    return status != 0;
}

TEST(an_init_that_ends_anywhere_leaves_nothing)
{
    struct world world;
    unsigned point = 1;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    while (point < 100 && kill_init_at(&world, point))
        point++;
    CHECK(point > 25);
    world_close(&world);
}

TEST(a_program_outlives_its_parent_only_if_asked)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    for (int lives_on = 0; lives_on <= 1; lives_on++) {
        world.options.die_with_parent = lives_on == 0;
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            world_shell(&world, "sleep 1000");
            _exit(world_start(&world) < 0 ? 1 : 0);
        }
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK_INT(status, 0);
        if (lives_on == 0) {
            CHECK(all_gone(&world));
        } else {
            struct cgroup group;
            CHECK_INT(count_processes(&world), 1);
            REQUIRE(cgroup_open(&world.facts.cgroups, world.cgroup, &group, NULL) >= 0);
            CHECK_INT(cgroup_kill(&group), 0);
            cgroup_done(&group);
            CHECK(all_gone(&world));
        }
        CHECK_INT(cgroup_remove(&world.facts.cgroups, world.cgroup), 0);
    }
    world_close(&world);
}

TEST_MAIN
