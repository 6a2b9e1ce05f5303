/* SPDX-License-Identifier: Apache-2.0 */
/* When the table is brought up to date: at the interval, and by the kernel's events where it tells us. */
#include "glass/live.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

struct setup {
    int proc_fd;
    struct glass_world *world;
    struct glass_live *live;
};

static bool begin(struct setup *setup, unsigned interval_ms, bool wants_events)
{
    struct cl_error err = { 0 };
    *setup = (struct setup){ .proc_fd = procfs_open_host(&err) };
    CHECK_INT(glass_world_new(setup->proc_fd, NULL, &setup->world, &err), 0);
    CHECK_INT(glass_live_new(interval_ms, &setup->live, &err), 0);
    if (wants_events)
        glass_live_listen(setup->live);
    CHECK_INT(glass_live_read(setup->live, setup->world, &err), 0);
    return true;
}

static void finish(struct setup *setup)
{
    glass_live_free(setup->live);
    glass_world_free(setup->world);
    (void)cl_close(setup->proc_fd);
}

/* One turn of the loop in run.c. */
static void turn(struct setup *setup)
{
    struct pollfd fd = { .fd = glass_live_fd(setup->live), .events = POLLIN };
    (void)poll(&fd, 1, glass_live_timeout_ms(setup->live, false));
    if (fd.revents != 0)
        glass_live_drain(setup->live);
    CHECK(glass_live_update(setup->live, setup->world, NULL) >= 0);
}

/* The longest that anything may take; a count of turns would be a matter of what else happens on the machine. */
static bool is_late(time_t begun)
{
    return time(NULL) > begun + 60;
}

/* Turns until it is so; false: it never was. */
static bool until(struct setup *setup, pid_t pid, bool is_there)
{
    for (time_t begun = time(NULL); !is_late(begun);) {
        if ((glass_world_find(setup->world, pid) != NULL) == is_there)
            return true;
        turn(setup);
    }
    return false;
}

static pid_t born(void)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    while (pid == 0)
        (void)pause();
    return pid;
}

static void check_life(struct setup *setup)
{
    pid_t pid = born();
    REQUIRE(pid > 0);
    CHECK(until(setup, pid, true));
    (void)kill(pid, SIGKILL);
    siginfo_t info;
    (void)waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    const struct glass_process *process = glass_world_find(setup->world, pid);
    time_t begun = time(NULL);
    while (!is_late(begun) && process != NULL && process->state != 'Z') {
        turn(setup);
        process = glass_world_find(setup->world, pid);
    }
    CHECK(process != NULL && process->state == 'Z'); /* it is still somebody's child */
    (void)waitpid(pid, NULL, 0);
    CHECK(until(setup, pid, false)); /* nobody tells that */
}

TEST(by_the_interval)
{
    struct setup setup;
    REQUIRE(begin(&setup, 100, false));
    CHECK_STR(glass_live_text(setup.live), "every 100 ms");
    CHECK_INT(glass_live_fd(setup.live), -EBADF);
    CHECK(glass_live_timeout_ms(setup.live, false) <= 100);
    check_life(&setup);
    finish(&setup);
}

TEST(by_events)
{
    struct setup setup;
    REQUIRE(begin(&setup, 3600000, true));
    if (glass_live_fd(setup.live) < 0) {
        finish(&setup);
        SKIP("the kernel tells us no process events here");
    }
    CHECK_STR(glass_live_text(setup.live), "live");
    check_life(&setup);
    finish(&setup);
}

TEST(the_text_of_the_interval)
{
    struct glass_live *live = NULL;
    CHECK_INT(glass_live_new(0, &live, NULL), 0);
    CHECK_STR(glass_live_text(live), "every 1 s");
    CHECK(glass_live_timeout_ms(live, true) <= 250);
    glass_live_free(live);
}

TEST_MAIN
