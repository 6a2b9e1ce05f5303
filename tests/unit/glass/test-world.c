/* SPDX-License-Identifier: Apache-2.0 */
/* The table against the real /proc: what is born, dies, changes its name; and names of containers that come late. */
#include "glass/world.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* A child that says when it is ready, and sleeps. */
static pid_t sleeper(int flags, const char *name)
{
    int ready[2];
    char byte;
    if (pipe(ready) < 0)
        return -1;
    (void)fflush(NULL);
    pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_NAME, name);
        (void)!write(ready[1], "r", 1);
        for (;;)
            (void)pause();
    }
    (void)close(ready[1]);
    bool is_ready = pid > 0 && read(ready[0], &byte, 1) == 1;
    (void)close(ready[0]);
    return is_ready ? pid : -1;
}

static void end(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

struct setup {
    int proc_fd;
    struct glass_world *world;
};

static bool begin(struct setup *setup, const struct lens_names *names)
{
    struct cl_error err = { 0 };
    *setup = (struct setup){ .proc_fd = procfs_open_host(&err) };
    CHECK(setup->proc_fd >= 0);
    CHECK_INT(glass_world_new(setup->proc_fd, names, &setup->world, &err), 0);
    CHECK_INT(setup->world == NULL ? -1 : glass_world_read(setup->world, 0, &err), 0);
    return setup->world != NULL;
}

static void finish(struct setup *setup)
{
    glass_world_free(setup->world);
    (void)cl_close(setup->proc_fd);
}

TEST(we_are_in_it)
{
    struct setup setup;
    REQUIRE(begin(&setup, NULL));
    struct glass_process *self = glass_world_find(setup.world, getpid());
    REQUIRE(self != NULL);
    CHECK_INT(self->parent, getppid());
    CHECK_INT(self->uid, geteuid());
    CHECK(!self->is_hidden && !self->is_kernel);
    glass_world_prepare(setup.world, self, false);
    CHECK_CONTAINS(self->command, "test-glass-world");
    CHECK(glass_world_is(setup.world, self->pid, self->start_ticks));
    CHECK(!glass_world_is(setup.world, self->pid, self->start_ticks + 1));
    for (size_t i = 1; i < setup.world->count; i++)
        CHECK(setup.world->processes[i - 1]->pid < setup.world->processes[i]->pid);
    finish(&setup);
}

TEST(births_and_deaths_are_found_by_listing)
{
    struct setup setup;
    REQUIRE(begin(&setup, NULL));
    pid_t pid = sleeper(0, "born");
    REQUIRE(pid > 0);
    CHECK(glass_world_find(setup.world, pid) == NULL);
    CHECK_INT(glass_world_read(setup.world, 0, NULL), 0);
    const struct glass_process *process = glass_world_find(setup.world, pid);
    CHECK(process != NULL && process->parent == getpid());
    CHECK_STR(process == NULL ? NULL : process->name, "born");
    end(pid);
    CHECK_INT(glass_world_read(setup.world, 0, NULL), 0);
    CHECK(glass_world_find(setup.world, pid) == NULL);
    finish(&setup);
}

/* Not each time: another's fork that is under way can hide a death from the counters (world.c), until the next one or until its turn to be read again. */
TEST(a_poll_finds_births_and_deaths_too)
{
    enum { ROUNDS = 6, AT_LEAST = 4 };
    struct setup setup;
    int births = 0, deaths = 0;
    REQUIRE(begin(&setup, NULL));
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_INT(glass_world_poll(setup.world, 1, NULL), 0);
        pid_t pid = sleeper(0, "polled");
        REQUIRE(pid > 0);
        CHECK_INT(glass_world_poll(setup.world, 0, NULL), 0);
        births += glass_world_find(setup.world, pid) != NULL;
        end(pid);
        CHECK_INT(glass_world_poll(setup.world, 0, NULL), 0);
        deaths += glass_world_find(setup.world, pid) == NULL;
    }
    CHECK_INT(births, ROUNDS);
    CHECK(deaths >= AT_LEAST);
    finish(&setup);
}

TEST(an_update_reads_what_it_is_told_and_no_more)
{
    struct setup setup;
    pid_t old = sleeper(0, "old");
    REQUIRE(old > 0 && begin(&setup, NULL));
    pid_t told = sleeper(0, "told"), untold = sleeper(0, "untold");
    end(old);
    pid_t pids[] = { old < told ? old : told, old < told ? told : old };
    CHECK_INT(glass_world_update(setup.world, pids, 2, NULL), 0);
    CHECK(glass_world_find(setup.world, told) != NULL);
    CHECK(glass_world_find(setup.world, untold) == NULL);
    CHECK(glass_world_find(setup.world, old) == NULL);
    end(told);
    end(untold);
    finish(&setup);
}

TEST(who_vanishes_is_marked_and_then_forgotten)
{
    struct setup setup;
    pid_t pid = sleeper(0, "vanishing");
    REQUIRE(pid > 0 && begin(&setup, NULL));
    struct glass_process *process = glass_world_find(setup.world, pid);
    REQUIRE(process != NULL);
    end(pid);
    CHECK(glass_world_prepare(setup.world, process, true));
    CHECK(process->is_gone);
    CHECK_INT(glass_world_update(setup.world, NULL, 0, NULL), 0);
    CHECK(glass_world_find(setup.world, pid) == NULL);
    finish(&setup);
}

TEST(a_start_time_that_differs_is_another_process)
{
    struct setup setup;
    pid_t pid = sleeper(0, "impostor");
    REQUIRE(pid > 0 && begin(&setup, NULL));
    struct glass_process *process = glass_world_find(setup.world, pid);
    REQUIRE(process != NULL);
    process->start_ticks++; /* as if this one had been there before */
    CHECK(glass_world_prepare(setup.world, process, true));
    CHECK(process->is_gone);
    CHECK_INT(glass_world_update(setup.world, &pid, 1, NULL), 0);
    process = glass_world_find(setup.world, pid);
    CHECK(process != NULL && !process->is_gone);
    end(pid);
    finish(&setup);
}

TEST(orphans_get_their_new_parent)
{
    struct setup setup;
    int line[2];
    pid_t child = 0;
    REQUIRE(pipe(line) == 0);
    (void)fflush(NULL);
    pid_t parent = fork();
    if (parent == 0) {
        child = sleeper(0, "orphan");
        (void)!write(line[1], &child, sizeof child);
        for (;;)
            (void)pause();
    }
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    REQUIRE(read(line[0], &child, sizeof child) == (ssize_t)sizeof child && child > 0);
    (void)close(line[0]);
    (void)close(line[1]);
    REQUIRE(begin(&setup, NULL));
    const struct glass_process *process = glass_world_find(setup.world, child);
    CHECK(process != NULL && process->parent == parent);
    end(parent); /* takes the orphan along: PDEATHSIG; the table sees one or both gone */
    CHECK_INT(glass_world_update(setup.world, &parent, 1, NULL), 0);
    CHECK(glass_world_find(setup.world, parent) == NULL);
    process = glass_world_find(setup.world, child);
    CHECK(process == NULL || process->parent != parent);
    (void)waitpid(child, NULL, 0);
    finish(&setup);
}

TEST(a_pid_namespace_is_another_world)
{
    struct setup setup;
    pid_t pid = sleeper(CLONE_NEWPID | (geteuid() == 0 ? 0 : CLONE_NEWUSER), "inner");
    if (pid < 0)
        SKIP("no pid namespaces here");
    REQUIRE(begin(&setup, NULL));
    struct glass_process *process = glass_world_find(setup.world, pid);
    REQUIRE(process != NULL && process->group != NULL);
    CHECK_INT(process->inner_pid, 1);
    CHECK_STR(process->group->container.engine, "");
    CHECK(cl_starts_with(process->group->container.name, "ns:"));
    struct glass_focus focus;
    glass_world_focus(setup.world, process, &focus);
    CHECK(focus.inodes[K_NS_PID] != setup.world->host_ns[K_NS_PID]);
    if (setup.world->host_ns[K_NS_UTS] != 0 && geteuid() == 0)
        CHECK_INT(focus.inodes[K_NS_UTS], setup.world->host_ns[K_NS_UTS]);
    end(pid);
    CHECK_INT(glass_world_read(setup.world, 0, NULL), 0);
    for (size_t i = 0; i < setup.world->group_count; i++)
        CHECK(setup.world->groups[i]->members > 0);
    finish(&setup);
}

/* An engine that comes to know its container when `known` is set. */
static struct lens_container known;

static int list(void *context, struct lens_container **ret, size_t *ret_count, struct cl_error *err)
{
    (void)context;
    (void)err;
    *ret = cl_calloc(1, sizeof **ret);
    **ret = known;
    *ret_count = known.init_pid > 0;
    return 0;
}

TEST(a_name_that_comes_late)
{
    const struct lens_names names = { .list = list };
    struct setup setup;
    known = (struct lens_container){ 0 };
    pid_t pid = sleeper(CLONE_NEWPID | (geteuid() == 0 ? 0 : CLONE_NEWUSER), "late");
    if (pid < 0)
        SKIP("no pid namespaces here");
    REQUIRE(begin(&setup, &names));
    const struct glass_process *process = glass_world_find(setup.world, pid);
    REQUIRE(process != NULL && process->group != NULL);
    CHECK_STR(process->group->container.engine, "");
    CHECK(setup.world->is_unsure);
    known = (struct lens_container){ .name = "late", .engine = "cloche", .init_pid = pid };
    CHECK_INT(glass_world_read(setup.world, 0, NULL), 0);
    process = glass_world_find(setup.world, pid);
    REQUIRE(process != NULL && process->group != NULL);
    CHECK_STR(process->group->container.name, "late");
    end(pid);
    finish(&setup);
}

TEST(command_lines_for_a_filter)
{
    struct setup setup;
    REQUIRE(begin(&setup, NULL));
    CHECK_INT(glass_world_read_commands(setup.world), 0);
    const struct glass_process *self = glass_world_find(setup.world, getpid());
    CHECK_CONTAINS(self == NULL ? NULL : self->command, "test-glass-world");
    finish(&setup);
}

struct told {
    const struct glass_world *world;
    size_t calls, latest;
    bool is_ordered;
};

static void note_progress(void *context, size_t done, size_t total)
{
    struct told *told = context;
    bool is_next = told->calls == 0 ? done == 0 : done > told->latest;
    told->is_ordered = told->is_ordered && is_next && done < total && told->world->count <= done;
    told->latest = done;
    told->calls++;
}

/* The same table, filled in slices: whoever waits is told before the first and between them, and not with later readings. */
TEST(a_first_reading_tells_how_far_it_is)
{
    struct cl_error err = { 0 };
    struct glass_world *world = NULL;
    int proc_fd = procfs_open_host(&err);
    pid_t child = sleeper(0, "sliced");
    CHECK_INT(glass_world_new(proc_fd, NULL, &world, &err), 0);
    REQUIRE(world != NULL);
    struct told told = { .world = world, .is_ordered = true };
    world->progress = note_progress;
    world->progress_context = &told;
    world->slice = 1;
    CHECK_INT(glass_world_read(world, 0, &err), 0);
    CHECK(told.calls > 1);
    CHECK(told.is_ordered);
    CHECK(glass_world_find(world, child) != NULL);
    CHECK(glass_world_find(world, getpid()) != NULL);
    size_t calls = told.calls;
    CHECK_INT(glass_world_read(world, 0, &err), 0);
    CHECK_INT(told.calls, calls);
    end(child);
    glass_world_free(world);
    (void)cl_close(proc_fd);
}

TEST_MAIN
