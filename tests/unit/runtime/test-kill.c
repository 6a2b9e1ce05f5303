/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parent or init are killed at each of their test points: no process, no cgroup stays.
 *
 * The wish of a test point is read once in a process, so nothing here starts a container but in a
 * fork.
 */
#include "setups.h"

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
    for (int i = 0; i < 12000; i++) {
        if (count_processes(world) == 0)
            return true;
        usleep(5000);
    }
    return false;
}

/* True when the parent was killed at that point, false when there is no such point any more. */
static bool kill_parent_at(const struct setup *setup, struct world *world, unsigned point)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char wish[32];
        snprintf(wish, sizeof wish, "parent:%u", point);
        setenv("CLOCHE_TEST_KILL", wish, 1);
        cl_test_role("parent");
        _exit(setup_start(setup, world, "sleep 1000") < 0 ? 1 : 0);
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

static void kill_parent_everywhere(const struct setup *setup, unsigned least)
{
    struct world world;
    unsigned point = 1;
    REQUIRE(setup_open(setup, &world));
    while (point < 100 && kill_parent_at(setup, &world, point))
        point++;
    printf("# %u points\n", point - 1);
    CHECK(point > least);
    setup_close(setup, &world);
}

/* The same for init: it leaves at its Nth point, and the parent has to say so and clean up. */
static bool kill_init_at(const struct setup *setup, struct world *world, unsigned point)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char wish[32];
        snprintf(wish, sizeof wish, "init:%u", point);
        setenv("CLOCHE_TEST_KILL", wish, 1);
        cl_test_role("parent");
        int result = setup_start(setup, world, "exit 0");
        /* The program ran, or init left between START and exec, which looks the same but with startContainer hooks: then the failure is
           runtime_start's, after which the caller cleans up. */
        if (result >= 0)
            result = world_wait(world) == 0 ? 0 : 1;
        if (world->process.pidfd >= 0)
            (void)runtime_destroy(&world->process, NULL);
        _exit(result == 0 ? 0 : 1);
    }
    (void)waitpid(pid, &status, 0);
    CHECK(!cgroup_is_left(world));
    return status != 0;
}

static void end_init_everywhere(const struct setup *setup, unsigned least)
{
    struct world world;
    unsigned point = 1;
    REQUIRE(setup_open(setup, &world));
    while (point < 100 && kill_init_at(setup, &world, point))
        point++;
    printf("# %u points\n", point - 1);
    CHECK(point > least);
    setup_close(setup, &world);
}

#define KILLED_ANYWHERE(setup, parent, least_parent, init, least_init)                             \
    TEST(parent)                                                                                   \
    {                                                                                              \
        if (setup.missing() != NULL)                                                               \
            SKIP(setup.missing());                                                                 \
        kill_parent_everywhere(&setup, least_parent);                                              \
    }                                                                                              \
    TEST(init)                                                                                     \
    {                                                                                              \
        if (setup.missing() != NULL)                                                               \
            SKIP(setup.missing());                                                                 \
        end_init_everywhere(&setup, least_init);                                                   \
    }

KILLED_ANYWHERE(plain, a_parent_killed_anywhere_leaves_no_process, 6,
                an_init_that_ends_anywhere_leaves_nothing, 25)
KILLED_ANYWHERE(hooks, a_parent_killed_anywhere_around_hooks_leaves_no_process, 8,
                an_init_that_ends_anywhere_around_hooks_leaves_nothing, 28)
KILLED_ANYWHERE(user_ns, a_parent_killed_anywhere_around_a_user_namespace_leaves_no_process, 9,
                an_init_that_ends_anywhere_in_a_user_namespace_leaves_nothing, 31)
KILLED_ANYWHERE(between, a_parent_killed_anywhere_around_the_process_between_leaves_no_process, 7,
                who_ends_anywhere_between_or_as_init_leaves_nothing, 28)
KILLED_ANYWHERE(joined, a_parent_killed_anywhere_around_a_joined_user_namespace_leaves_no_process,
                7, an_init_that_ends_anywhere_in_a_joined_user_namespace_leaves_nothing, 28)
KILLED_ANYWHERE(idmap, a_parent_killed_anywhere_around_id_mapped_mounts_leaves_no_process, 6,
                an_init_that_ends_anywhere_with_id_mapped_mounts_leaves_nothing, 25)
KILLED_ANYWHERE(notify, a_parent_killed_anywhere_around_a_seccomp_agent_leaves_no_process, 6,
                an_init_that_ends_anywhere_with_a_seccomp_agent_leaves_nothing, 25)
KILLED_ANYWHERE(netdev, a_parent_killed_anywhere_around_network_devices_leaves_no_process, 7,
                an_init_that_ends_anywhere_with_network_devices_leaves_nothing, 25)

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
