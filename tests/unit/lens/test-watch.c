/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of `ns watch`, fed by hand: what it says of processes that come, move and go, and of those that it does not see in time.
 */
#include "lens/watch.h"
#include "support.h"

struct heard {
    char text[8192];
};

static void hear(void *context, const struct watch_report *report)
{
    struct heard *heard = context;
    size_t used = strlen(heard->text);
    (void)snprintf(heard->text + used, sizeof heard->text - used, "%s%s%s %d\n",
                   watch_event_names[report->event], report->inode != 0 ? " " : "",
                   report->inode != 0 ? k_ns_table[report->type].name : "",
                   report->process == NULL ? 0 : (int)report->process->pid);
}

static char expected[64];
static const char *line(const char *event, pid_t pid)
{
    (void)snprintf(expected, sizeof expected, "%s %d\n", event, (int)pid);
    return expected;
}

static bool begin(struct watch_world *world, struct heard *heard, int *ret_proc)
{
    *ret_proc = procfs_open_host(NULL);
    if (*ret_proc < 0)
        return false;
    heard->text[0] = '\0';
    watch_world_init(world, *ret_proc, NULL);
    world->report = hear;
    world->context = heard;
    world->is_quiet = true;
    bool is_good = watch_snapshot(world, NULL) >= 0;
    world->is_quiet = false;
    return is_good;
}

static const struct watch_cause born = { .why = WATCH_FORK, .not_after = UINT64_MAX };

TEST(a_process_comes_and_goes)
{
    static struct watch_world world;
    static struct heard heard;
    int proc;
    struct sleeper sleeper;
    REQUIRE(begin(&world, &heard, &proc));
    REQUIRE(sleeper_start(&sleeper, 0, NULL, NULL));
    CHECK_INT(watch_look(&world, sleeper.pid, &born), 0);
    CHECK_CONTAINS(heard.text, line("fork", sleeper.pid));
    CHECK(strstr(heard.text, "born") == NULL); /* it has our namespaces */
    watch_end(&world, sleeper.pid, 0);
    CHECK_CONTAINS(heard.text, line("exit", sleeper.pid));
    CHECK(strstr(heard.text, "empty") == NULL);
    sleeper_end(&sleeper);
    watch_world_done(&world);
    (void)close(proc);
}

TEST(new_namespaces_are_born_and_emptied)
{
    static struct watch_world world;
    static struct heard heard;
    int proc;
    struct sleeper sleeper;
    REQUIRE(begin(&world, &heard, &proc));
    if (!sleeper_start(&sleeper, CLONE_NEWUTS | CLONE_NEWIPC, NULL, NULL))
        SKIP("may not make namespaces");
    CHECK_INT(watch_look(&world, sleeper.pid, &born), 0);
    CHECK_CONTAINS(heard.text, line("born uts", sleeper.pid));
    CHECK_CONTAINS(heard.text, line("born ipc", sleeper.pid));
    CHECK(strstr(heard.text, "net") == NULL);
    watch_end(&world, sleeper.pid, 0);
    CHECK_CONTAINS(heard.text, line("empty uts", sleeper.pid));
    CHECK_CONTAINS(heard.text, line("empty ipc", sleeper.pid));
    sleeper_end(&sleeper);
    watch_world_done(&world);
    (void)close(proc);
}

static int enter_uts(void *context)
{
    const pid_t *pid = context;
    char path[64];
    (void)CL_PRINT(path, "/proc/%d/ns/uts", (int)*pid);
    cl_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
    return setns(fd, CLONE_NEWUTS);
}

/* It was born where its maker is, and has moved before anybody looked. */
TEST(a_child_that_is_not_where_its_maker_is_has_joined)
{
    static struct watch_world world;
    static struct heard heard;
    int proc;
    struct sleeper there, mover, stays;
    const struct watch_cause made = { .why = WATCH_FORK,
                                      .parent = getpid(),
                                      .not_after = UINT64_MAX };
    if (!sleeper_start(&there, CLONE_NEWUTS, NULL, NULL))
        SKIP("may not make namespaces");
    REQUIRE(begin(&world, &heard, &proc));
    REQUIRE(sleeper_start(&mover, 0, enter_uts, &there.pid));
    REQUIRE(sleeper_start(&stays, 0, NULL, NULL));
    CHECK_INT(watch_look(&world, mover.pid, &made), 0);
    CHECK_CONTAINS(heard.text, line("join uts", mover.pid));
    CHECK(strstr(heard.text, "born") == NULL);
    heard.text[0] = '\0';
    CHECK_INT(watch_look(&world, stays.pid, &made), 0);
    CHECK_STR(heard.text, line("fork", stays.pid));
    watch_end(&world, stays.pid, 0);
    /* Where the maker itself was until now nobody has moved to. */
    struct watch_process *maker = watch_find(&world, getpid());
    REQUIRE(maker != NULL);
    uint64_t own = maker->inodes[K_NS_UTS];
    maker->inodes[K_NS_UTS] = watch_find(&world, there.pid)->inodes[K_NS_UTS];
    maker->former[K_NS_UTS] = own;
    heard.text[0] = '\0';
    CHECK_INT(watch_look(&world, stays.pid, &made), 0);
    CHECK_STR(heard.text, line("fork", stays.pid));
    maker->inodes[K_NS_UTS] = own;
    sleeper_end(&stays);
    sleeper_end(&mover);
    sleeper_end(&there);
    watch_world_done(&world);
    (void)close(proc);
}

/* One ends, unseen, and the next has its number, unless somebody else on this machine was faster. */
static bool give_on(struct watch_world *world, pid_t *ret_gone, struct sleeper *new)
{
    struct sleeper old;
    if (!sleeper_start(&old, CLONE_NEWUTS, NULL, NULL))
        return false;
    CHECK_INT(watch_look(world, old.pid, &born), 0);
    uint64_t number = watch_find(world, old.pid)->inodes[K_NS_UTS], next = 0;
    *ret_gone = old.pid;
    sleeper_end(&old);
    bool is_new = sleeper_start(new, CLONE_NEWUTS, NULL, NULL);
    cl_auto_fd pid_fd = procfs_open_pid(world->proc_fd, new->pid);
    if (is_new && k_ns_inode(pid_fd, K_NS_UTS, &next) >= 0 && next == number)
        return true;
    watch_end(world, *ret_gone, 0);
    sleeper_end(new);
    return false;
}

/* The kernel may give a number on before it tells the end of the last process that was there. */
TEST(a_number_that_is_given_on_is_another_namespace)
{
    static struct watch_world world;
    static struct heard heard;
    int proc, tries = 0;
    pid_t gone = 0;
    struct sleeper new;
    REQUIRE(begin(&world, &heard, &proc));
    if (!sleeper_start(&new, CLONE_NEWUTS, NULL, NULL))
        SKIP("may not make namespaces");
    sleeper_end(&new);
    while (tries++ < 1000 && !give_on(&world, &gone, &new))
        heard.text[0] = '\0';
    if (tries > 1000)
        SKIP("this kernel gave each number to somebody else");
    heard.text[0] = '\0';
    CHECK_INT(watch_look(&world, new.pid, &born), 0);
    CHECK_CONTAINS(heard.text, line("empty uts", gone));
    CHECK_CONTAINS(heard.text, line("born uts", new.pid));
    heard.text[0] = '\0';
    watch_end(&world, gone, 0);
    CHECK_STR(heard.text, line("exit", gone));
    watch_end(&world, new.pid, 0);
    CHECK_CONTAINS(heard.text, line("empty uts", new.pid));
    sleeper_end(&new);
    watch_world_done(&world);
    (void)close(proc);
}

TEST(one_that_was_gone_before_we_looked_is_told_as_its_parents_child)
{
    static struct watch_world world;
    static struct heard heard;
    int proc;
    REQUIRE(begin(&world, &heard, &proc));
    const pid_t gone = 4194303; /* the last one there can be: nobody's */
    const struct watch_cause cause = { .why = WATCH_FORK,
                                       .parent = getpid(),
                                       .not_after = UINT64_MAX };
    CHECK_INT(watch_look(&world, gone, &cause), 0);
    REQUIRE(watch_find(&world, gone) != NULL);
    CHECK_STR(watch_find(&world, gone)->name, watch_find(&world, getpid())->name);
    watch_end(&world, gone, 0);
    CHECK_CONTAINS(heard.text, line("fork", gone));
    CHECK_CONTAINS(heard.text, line("exit", gone));
    watch_world_done(&world);
    (void)close(proc);
}

TEST(a_later_process_with_the_pid_is_not_taken_for_it)
{
    static struct watch_world world;
    static struct heard heard;
    int proc;
    struct sleeper sleeper;
    REQUIRE(begin(&world, &heard, &proc));
    REQUIRE(sleeper_start(&sleeper, 0, NULL, NULL));
    /* The event is older than the process that has the pid now. */
    const struct watch_cause old = { .why = WATCH_FORK, .parent = 1, .not_after = 1 };
    CHECK_INT(watch_look(&world, sleeper.pid, &old), 0);
    REQUIRE(watch_find(&world, sleeper.pid) != NULL);
    CHECK_INT(watch_find(&world, sleeper.pid)->start_ticks, 0); /* nothing was read of it */
    watch_end(&world, sleeper.pid, 0);
    CHECK_INT(watch_look(&world, sleeper.pid, &born), 0);
    /* An exec of a process that is known by another start time. */
    watch_find(&world, sleeper.pid)->start_ticks = 1;
    heard.text[0] = '\0';
    const struct watch_cause exec = { .why = WATCH_EXEC, .not_after = UINT64_MAX };
    CHECK_INT(watch_look(&world, sleeper.pid, &exec), 0);
    CHECK_STR(heard.text, "");
    sleeper_end(&sleeper);
    watch_world_done(&world);
    (void)close(proc);
}

TEST(a_new_snapshot_finds_what_was_missed)
{
    static struct watch_world world;
    static struct heard heard;
    int proc;
    struct sleeper goes, comes;
    REQUIRE(sleeper_start(&goes, 0, NULL, NULL));
    REQUIRE(begin(&world, &heard, &proc));
    pid_t gone = goes.pid;
    sleeper_end(&goes);
    REQUIRE(sleeper_start(&comes, 0, NULL, NULL));
    CHECK_INT(watch_snapshot(&world, NULL), 0);
    CHECK_CONTAINS(heard.text, line("exit", gone));
    CHECK_CONTAINS(heard.text, line("fork", comes.pid));
    heard.text[0] = '\0';
    CHECK_INT(watch_look(&world, comes.pid,
                         &(struct watch_cause){ .why = WATCH_RENAME, .not_after = UINT64_MAX }),
              0);
    CHECK_STR(heard.text, "");
    sleeper_end(&comes);
    watch_world_done(&world);
    (void)close(proc);
}

TEST_MAIN
