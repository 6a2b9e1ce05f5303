/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parent or init are killed at each of their test points: no process, no cgroup stays.
 *
 * The wish of a test point is read once in a process, so nothing here starts a container but in a
 * fork.
 */
#include "support.h"

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

/* Event-driven would need the pidfd of a process that may never have been: a bounded look every 5
   ms. */
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
    /* After the last point the parent ends by itself, and what it started goes with it all the
       same. */
    CHECK(all_gone(world));
    (void)cgroup_remove(&world->facts.cgroups, world->cgroup);
    CHECK(!cgroup_is_left(world));
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void kill_parent_everywhere(bool with_hooks)
{
    struct world world;
    unsigned point = 1;
    REQUIRE(world_open(&world));
    if (with_hooks)
        world_hooks(&world);
    while (point < 100 && kill_parent_at(&world, point))
        point++;
    CHECK(point > (with_hooks ? 8 : 6));
    world_close(&world);
}

TEST(a_parent_killed_anywhere_leaves_no_process)
{
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    kill_parent_everywhere(false);
}

TEST(a_parent_killed_anywhere_around_hooks_leaves_no_process)
{
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    kill_parent_everywhere(true);
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

static void end_init_everywhere(bool with_hooks)
{
    struct world world;
    unsigned point = 1;
    REQUIRE(world_open(&world));
    if (with_hooks)
        world_hooks(&world);
    while (point < 100 && kill_init_at(&world, point))
        point++;
    CHECK(point > (with_hooks ? 28 : 25));
    world_close(&world);
}

TEST(an_init_that_ends_anywhere_leaves_nothing)
{
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    end_init_everywhere(false);
}

TEST(an_init_that_ends_anywhere_around_hooks_leaves_nothing)
{
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    end_init_everywhere(true);
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
