/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock bytes: who holds one is seen by all, it passes through fork and exec, and it ends with its last holder, however that one dies.
 */
#include "support.h"

static struct cl_error err;

TEST(one_holder_at_a_time)
{
    struct world world;
    REQUIRE(world_make(&world) && world_open(&world));
    cl_auto_fd one = store_lock_open(world.store, &err), two = store_lock_open(world.store, &err);
    CHECK(!store_lock_is_held(world.store, 5));
    CHECK_INT(store_lock_try(one, 5), 0);
    CHECK_INT(store_lock_try(one, 5), 0); /* the same open file: no conflict */
    CHECK_INT(store_lock_try(two, 5), -EAGAIN);
    CHECK_INT(store_lock_try(two, 6), 0); /* bytes are apart */
    CHECK(store_lock_is_held(world.store, 5) && store_lock_is_held(world.store, 6));
    CHECK(!store_lock_is_held(world.store, 4) && !store_lock_is_held(world.store, 7));
    one = cl_close(one);
    CHECK(!store_lock_is_held(world.store, 5));
    CHECK_INT(store_lock_try(two, 5), 0);
    world_done(&world);
}

TEST(a_claim_holds_the_lock)
{
    struct world world;
    int64_t number = 0;
    int lock = -EBADF;
    REQUIRE(world_make(&world) && world_open(&world));
    REQUIRE(claim(&world, "a", "a", &lock, &number, &err) == 0);
    CHECK(store_lock_is_held(world.store, number));
    cl_close(lock);
    CHECK(!store_lock_is_held(world.store, number));
    world_done(&world);
}

/* The lock's way from the command to the monitor: fork, then exec of another program with the descriptor left open. */
TEST(passes_through_fork_and_exec_until_the_last_holder_is_killed)
{
    struct world world;
    int ready[2];
    REQUIRE(world_make(&world) && world_open(&world));
    cl_auto_fd lock = store_lock_open(world.store, &err);
    REQUIRE(store_lock_try(lock, 3) == 0 && pipe2(ready, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)fcntl(lock, F_SETFD, 0);
        execl("/bin/sleep", "sleep", "60", (char *)NULL);
        _exit(127);
    }
    close(ready[1]);
    char byte;
    CHECK_INT(read(ready[0], &byte, 1), 0); /* the other end closed on exec */
    close(ready[0]);
    lock = cl_close(lock);
    CHECK(store_lock_is_held(world.store, 3));
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    CHECK(!store_lock_is_held(world.store, 3));
    world_done(&world);
}

TEST(waiting_ends_when_the_holder_does)
{
    struct world world;
    int go[2];
    REQUIRE(world_make(&world) && world_open(&world));
    cl_auto_fd lock = store_lock_open(world.store, &err);
    REQUIRE(store_lock_try(lock, 9) == 0 && pipe2(go, O_CLOEXEC) == 0);
    pid_t holder = fork();
    if (holder == 0) { /* holds it by inheritance until it is told */
        char byte;
        close(go[1]);
        (void)!read(go[0], &byte, 1);
        _exit(0);
    }
    lock = cl_close(lock);
    CHECK(store_lock_is_held(world.store, 9));
    cl_auto_fd mine = store_lock_open(world.store, &err);
    CHECK_INT(store_lock_try(mine, 9), -EAGAIN);
    close(go[0]);
    close(go[1]);
    alarm(60); /* a lock that is never freed must not hang the tests */
    CHECK_INT(store_lock_wait(mine, 9), 0);
    alarm(0);
    CHECK(waitpid(holder, NULL, 0) == holder);
    world_done(&world);
}

TEST_MAIN
