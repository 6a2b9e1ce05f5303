/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left when something goes wrong: nothing. Every system call that passes the kernel room's
 * gate is made to fail once, in parent and child; older kernels are played by taking calls away.
 */
#include "setups.h"

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
static void check_failed(struct world *world, const struct setup *setup, unsigned number)
{
    const char *left = setup->after_run != NULL ? setup->after_run(world, false) : NULL;
    if (world->process.pidfd >= 0) /* create went well, start did not: the caller's turn */
        CHECK_INT(runtime_destroy(&world->process, NULL), 0);
    if (world->err.text[0] == '\0' || world->err.code >= 0)
        TEST_SAY("call %u: no error text", number);
    if (has_children())
        TEST_SAY("call %u: a child is left (%s)", number, world->err.text);
    if (cgroup_is_left(world))
        TEST_SAY("call %u: a cgroup is left (%s)", number, world->err.text);
    if (left != NULL)
        TEST_SAY("call %u: %s (%s)", number, left, world->err.text);
}

static void fail_each_call(const struct setup *setup)
{
    struct world world;
    unsigned failed = 0, number = 1, passed_in_a_row = 0;
    REQUIRE(setup_open(setup, &world));
    for (; number < 1500 && passed_in_a_row < 40; number += setup->is_slow && number > 80 ? 9 : 1) {
        char wish[32];
        snprintf(wish, sizeof wish, "%u:EIO", number);
        REQUIRE(setup->before_run == NULL || setup->before_run(&world));
        world_shell(&world, "exit 0");
        k_hook_set(NULL, wish);
        int result = world_start(&world);
        k_hook_set(NULL, NULL);
        if (result < 0) {
            failed++;
            check_failed(&world, setup, number);
        } else {
            (void)world_wait(&world);
            if (setup->after_run != NULL && setup->after_run(&world, true) != NULL)
                TEST_SAY("call %u: %s", number, "ran, though not as it was to run");
        }
        passed_in_a_row = result < 0 ? 0 : passed_in_a_row + 1;
        world_again(&world);
    }
    printf("# %u calls made the start fail\n", failed);
    CHECK(failed > 60);
    CHECK_INT(setup_start(setup, &world, "exit 0"), 0);
    CHECK_INT(world_wait(&world), 0);
    world_again(&world);
    setup_close(setup, &world);
}

#define EACH_CALL_FAILS_ONCE(setup, name)                                                          \
    TEST(name)                                                                                     \
    {                                                                                              \
        if (setup.missing() != NULL)                                                               \
            SKIP(setup.missing());                                                                 \
        fail_each_call(&setup);                                                                    \
    }

EACH_CALL_FAILS_ONCE(plain, every_call_fails_once_and_nothing_is_left)
EACH_CALL_FAILS_ONCE(hooks, every_call_fails_once_around_hooks_and_nothing_is_left)
EACH_CALL_FAILS_ONCE(user_ns, every_call_fails_once_in_a_user_namespace_and_nothing_is_left)
EACH_CALL_FAILS_ONCE(between, every_call_fails_once_around_the_process_between)
EACH_CALL_FAILS_ONCE(joined, every_call_fails_once_in_a_joined_user_namespace)
EACH_CALL_FAILS_ONCE(clocks, every_call_fails_once_in_a_user_namespace_with_clocks)
EACH_CALL_FAILS_ONCE(idmap, every_call_fails_once_with_id_mapped_mounts)
EACH_CALL_FAILS_ONCE(notify, every_call_fails_once_with_a_seccomp_agent)
EACH_CALL_FAILS_ONCE(netdev, every_call_fails_once_with_network_devices_and_they_are_back)

/* The same for a process that comes later. */
static int exec_true(struct world *world, struct cl_error *err)
{
    const char *const args[] = { "true", NULL };
    const struct runtime_target target = { .pid = world->process.pid,
                                           .start_ticks = world->process.start_ticks,
                                           .cgroup_path = world->cgroup };
    const struct runtime_exec_options options = { .use_default_seccomp = true };
    const struct runtime_io io = { .terminal = true, .in = -EBADF, .out = -EBADF, .err = -EBADF };
    struct runtime_process process = {
        .pidfd = -EBADF, .sync = -EBADF, .console = -EBADF, .root_mount = -EBADF
    };
    int status = -1;
    (void)oci_args_set(world->spec->process, args);
    int result = runtime_exec(&target, world->spec->process, &options, &io, &process, err);
    k_hook_set(NULL, NULL);
    if (result >= 0 && (k_wait_pidfd(process.pidfd, 0, &status) < 0 || status != 0))
        TEST_SAY("true ended with %d", status);
    runtime_process_done(&process);
    return result;
}

/* exec leaves the caller's children in the container's pid namespace: hence the fork. */
static void fail_each_call_of_exec(struct world *world)
{
    unsigned failed = 0, passed_in_a_row = 0;
    for (unsigned number = 1; number < 1500 && passed_in_a_row < 120; number++) {
        char wish[32];
        struct cl_error err = { 0 };
        snprintf(wish, sizeof wish, "%u:EIO", number);
        k_hook_set(NULL, wish);
        int result = exec_true(world, &err);
        failed += result < 0;
        passed_in_a_row = result < 0 ? 0 : passed_in_a_row + 1;
        if (result < 0 && err.text[0] == '\0')
            TEST_SAY("call %u: no error text", number);
        if (has_children())
            TEST_SAY("call %u: a child is left (%s)", number, err.text);
    }
    printf("# %u calls made exec fail\n", failed);
    CHECK(failed > 40);
}

TEST(every_call_of_exec_fails_once_in_a_user_namespace)
{
    struct world world;
    int status = -1;
    if (cannot_map() != NULL)
        SKIP(cannot_map());
    REQUIRE(setup_open(&user_ns, &world));
    REQUIRE(setup_start(&user_ns, &world, "sleep 1000") >= 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        fail_each_call_of_exec(&world);
        fflush(stdout);
        _exit(test_failures != 0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
    setup_close(&user_ns, &world);
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
