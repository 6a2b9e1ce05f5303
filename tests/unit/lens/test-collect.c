/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collectors, over a made-up /proc and over real processes.
 */
#include "lens/collect.h"

#include <sys/socket.h>

#include "support.h"

#define ALL_TYPES ((1U << K_NS_COUNT) - 1)

/* ---- a made-up /proc ---- */

static void make_file(int dir, const char *path, const char *text)
{
    int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

/* A process directory whose links hold the given inodes; 0: no such link. */
static void make_process(int proc, int pid, uint64_t pid_ns, uint64_t net_ns, const char *name)
{
    char path[64], text[256];
    (void)CL_PRINT(path, "%d", pid);
    (void)mkdirat(proc, path, 0700);
    int dir = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)mkdirat(dir, "ns", 0700);
    (void)CL_PRINT(text, "pid:[%llu]", (unsigned long long)pid_ns);
    if (pid_ns != 0)
        CHECK_INT(symlinkat(text, dir, "ns/pid"), 0);
    (void)CL_PRINT(text, "net:[%llu]", (unsigned long long)net_ns);
    if (net_ns != 0)
        CHECK_INT(symlinkat(text, dir, "ns/net"), 0);
    (void)CL_PRINT(text,
                   "%d (%s) S 1 1 1 0 -1 4194560 0 0 0 0 1 2 0 0 20 0 1 0 %d 0 0 0 0 0 0 0 0 0 0 "
                   "0 0 0 0 0 17 1 0 0 0 0 0\n",
                   pid, name, 1000 + pid);
    make_file(dir, "stat", text);
    (void)CL_PRINT(text, "%s%c--flag", name, '\0');
    int fd = openat(dir, "cmdline", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    (void)!write(fd, text, strlen(name) + 8);
    (void)close(fd);
    (void)close(dir);
}

static int make_proc(char template[])
{
    return mkdtemp(template) == NULL ? -1 : open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

TEST(reads_a_made_up_proc_in_any_order)
{
    char template[] = "/tmp/lens-proc-XXXXXX";
    int proc = make_proc(template);
    REQUIRE(proc >= 0);
    make_process(proc, 300, 900, 500, "later");
    make_process(proc, 7, 900, 500, "first");
    make_process(proc, 42, 901, 500, "other");
    make_process(proc, 43, 901, 0, "zombie");
    (void)mkdirat(proc, "sys", 0700);
    make_file(proc, "uptime", "1 1\n");
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = NULL;
    struct cl_error err = { 0 };
    CHECK_INT(lens_collect(proc, ALL_TYPES, false, &snapshot, &err), 0);
    REQUIRE(snapshot != NULL && snapshot->namespace_count == 3);
    CHECK_INT(snapshot->process_count, 4);
    CHECK_INT(snapshot->namespaces[0].inode, 500);
    CHECK_INT(snapshot->namespaces[0].process_count, 3);
    CHECK_INT(lens_collect_representatives(snapshot, proc, LENS_DETAIL_COMMAND, &err), 0);
    const struct lens_process *first = &snapshot->processes[snapshot->namespaces[1].representative];
    CHECK_INT(first->pid, 7);
    CHECK_STR(first->command, "first --flag");
    CHECK_INT(first->parent, 1);
    CHECK_INT(first->start_ticks, 1007);
    CHECK(!snapshot->processes[3].has_details); /* 300 represents nothing */
    cl_remove_tree(AT_FDCWD, template, NULL);
    (void)close(proc);
}

TEST(a_pid_used_again_is_not_mixed_up)
{
    char template[] = "/tmp/lens-proc-XXXXXX";
    int proc = make_proc(template);
    REQUIRE(proc >= 0);
    make_process(proc, 7, 900, 500, "old");
    make_process(proc, 9, 900, 500, "heir");
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = NULL;
    struct cl_error err = { 0 };
    CHECK_INT(lens_collect(proc, ALL_TYPES, false, &snapshot, &err), 0);
    REQUIRE(snapshot != NULL);
    /* Between the passes 7 ends and another process in another namespace gets its pid. */
    cl_remove_tree(proc, "7", NULL);
    make_process(proc, 7, 901, 500, "new");
    CHECK_INT(lens_collect_representatives(snapshot, proc, LENS_DETAIL_COMMAND, &err), 0);
    uint32_t ns = lens_snapshot_find(snapshot, 900);
    REQUIRE(ns != LENS_NONE && snapshot->namespaces[ns].representative != LENS_NONE);
    const struct lens_process *shown =
        &snapshot->processes[snapshot->namespaces[ns].representative];
    CHECK_INT(shown->pid, 9);
    CHECK_STR(shown->command, "heir --flag");
    CHECK_INT(snapshot->namespaces[ns].process_count, 1);
    cl_remove_tree(AT_FDCWD, template, NULL);
    (void)close(proc);
}

TEST(a_process_that_ends_between_the_passes_leaves_its_place)
{
    char template[] = "/tmp/lens-proc-XXXXXX";
    int proc = make_proc(template);
    REQUIRE(proc >= 0);
    make_process(proc, 7, 900, 500, "gone");
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = NULL;
    struct cl_error err = { 0 };
    CHECK_INT(lens_collect(proc, ALL_TYPES, false, &snapshot, &err), 0);
    cl_remove_tree(proc, "7", NULL);
    CHECK_INT(lens_collect_representatives(snapshot, proc, LENS_DETAIL_COMMAND, &err), 0);
    CHECK_INT(snapshot->namespaces[0].process_count, 0);
    CHECK_INT(snapshot->namespaces[0].representative, LENS_NONE);
    cl_remove_tree(AT_FDCWD, template, NULL);
    (void)close(proc);
}

/* ---- real ones ---- */

static struct lens_snapshot *collect_host(int proc, unsigned types)
{
    struct lens_snapshot *snapshot = NULL;
    struct cl_error err = { 0 };
    if (lens_collect(proc, types, true, &snapshot, &err) < 0)
        TEST_SAY("lens_collect: %s", err.text);
    return snapshot;
}

static uint32_t ns_of(const struct lens_snapshot *snapshot, pid_t pid, enum k_ns type)
{
    uint32_t index = lens_snapshot_find_pid(snapshot, pid);
    return index == LENS_NONE ? LENS_NONE : snapshot->processes[index].namespaces[type];
}

TEST(finds_ourselves_in_the_right_namespaces)
{
    struct cl_error err = { 0 };
    int proc = procfs_open_host(&err);
    REQUIRE(proc >= 0);
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = collect_host(proc, ALL_TYPES);
    for (int type = 0; type < K_NS_COUNT; type++) {
        char path[64];
        struct stat info;
        (void)CL_PRINT(path, "/proc/self/ns/%s", k_ns_table[type].name);
        if (stat(path, &info) < 0)
            continue;
        uint32_t ns = ns_of(snapshot, getpid(), (enum k_ns)type);
        CHECK(ns != LENS_NONE && snapshot->namespaces[ns].inode == info.st_ino);
        CHECK(ns != LENS_NONE && snapshot->namespaces[ns].type == (enum k_ns)type);
    }
    (void)close(proc);
}

TEST(relations_of_nested_pid_and_user_namespaces)
{
    struct sleeper sleeper = { 0 };
    struct cl_error err = { 0 };
    if (!sleeper_start(&sleeper, CLONE_NEWUSER | CLONE_NEWPID, NULL, NULL))
        SKIP("no user namespaces for us");
    int proc = procfs_open_host(&err);
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = collect_host(proc, ALL_TYPES);
    CHECK_INT(lens_collect_relations(snapshot, proc, ALL_TYPES, &err), 0);
    uint32_t pid_ns = ns_of(snapshot, sleeper.pid, K_NS_PID);
    uint32_t user_ns = ns_of(snapshot, sleeper.pid, K_NS_USER);
    uint32_t our_pid = ns_of(snapshot, getpid(), K_NS_PID);
    uint32_t our_user = ns_of(snapshot, getpid(), K_NS_USER);
    sleeper_end(&sleeper);
    (void)close(proc);
    REQUIRE(pid_ns != LENS_NONE && user_ns != LENS_NONE);
    CHECK(pid_ns != our_pid && user_ns != our_user);
    CHECK_INT(snapshot->namespaces[pid_ns].parent, snapshot->namespaces[our_pid].inode);
    CHECK_INT(snapshot->namespaces[pid_ns].owner, snapshot->namespaces[user_ns].inode);
    CHECK_INT(snapshot->namespaces[user_ns].parent, snapshot->namespaces[our_user].inode);
    CHECK_INT(snapshot->namespaces[user_ns].owner_uid, geteuid());
    CHECK_INT(snapshot->namespaces[pid_ns].process_count, 1);
}

/* The namespace of a child that has gone, held by a descriptor of ours. */
static int hold_namespace(const char *type, int flag)
{
    struct sleeper sleeper = { 0 };
    char path[64];
    if (!sleeper_start(&sleeper, flag, NULL, NULL))
        return -1;
    (void)CL_PRINT(path, "/proc/%d/ns/%s", (int)sleeper.pid, type);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    sleeper_end(&sleeper);
    return fd;
}

TEST(a_descriptor_keeps_a_namespace)
{
    struct cl_error err = { 0 };
    struct stat info;
    int held = hold_namespace("uts", CLONE_NEWUTS);
    if (held < 0)
        SKIP("needs CAP_SYS_ADMIN");
    REQUIRE(fstat(held, &info) == 0);
    int proc = procfs_open_host(&err);
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = collect_host(proc, ALL_TYPES);
    CHECK_INT(lens_snapshot_find(snapshot, info.st_ino), LENS_NONE);
    struct lens_held_options options = { .types = ALL_TYPES };
    CHECK_INT(lens_collect_held(snapshot, proc, &options, &err), 0);
    uint32_t ns = lens_snapshot_find(snapshot, info.st_ino);
    REQUIRE(ns != LENS_NONE);
    CHECK_INT(snapshot->namespaces[ns].type, K_NS_UTS);
    CHECK_INT(snapshot->namespaces[ns].holders, LENS_HELD_FD);
    CHECK_INT(snapshot->namespaces[ns].process_count, 0);
    CHECK_INT(snapshot->namespaces[ns].owner,
              snapshot->namespaces[ns_of(snapshot, getpid(), K_NS_USER)].inode);
    bool is_named = false;
    for (size_t i = 0; i < snapshot->holder_count; i++)
        is_named =
            is_named || (snapshot->holders[i].namespace == ns &&
                         snapshot->holders[i].pid == getpid() && snapshot->holders[i].fd == held);
    CHECK(is_named);
    int again = lens_open_namespace(snapshot, proc, ns);
    CHECK(again >= 0);
    (void)close(again);
    (void)close(proc);
    (void)close(held);
}

static int hand_over_socket(void *context)
{
    int *pair = context;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int code = fd < 0 ? -1 : (int)cl_send_fds(pair[1], "s", 1, &fd, 1);
    return code;
}

TEST(a_socket_keeps_a_network_namespace)
{
    struct cl_error err = { 0 };
    struct sleeper sleeper = { 0 };
    int pair[2], got = -1;
    size_t count = 0;
    char byte;
    REQUIRE(cl_socketpair(SOCK_STREAM, &pair[0], &pair[1]) >= 0);
    if (!sleeper_start(&sleeper, CLONE_NEWNET, hand_over_socket, pair))
        SKIP("needs CAP_SYS_ADMIN");
    int proc = procfs_open_host(&err);
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *before = collect_host(proc, ALL_TYPES);
    uint32_t ns = ns_of(before, sleeper.pid, K_NS_NET);
    uint64_t inode = ns == LENS_NONE ? 0 : before->namespaces[ns].inode;
    (void)cl_recv_fds(pair[0], &byte, 1, &got, 1, &count);
    sleeper_end(&sleeper);
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = collect_host(proc, ALL_TYPES);
    CHECK_INT(lens_snapshot_find(snapshot, inode), LENS_NONE);
    struct lens_held_options options = { .types = ALL_TYPES };
    CHECK_INT(lens_collect_held(snapshot, proc, &options, &err), 0);
    ns = lens_snapshot_find(snapshot, inode);
    CHECK(count == 1 && got >= 0);
    CHECK(ns != LENS_NONE && snapshot->namespaces[ns].holders == LENS_HELD_SOCKET);
    (void)close(got);
    (void)close(pair[0]);
    (void)close(pair[1]);
    (void)close(proc);
}

/* In a mount namespace of its own: binds one of its namespaces and leaves it. */
static int bind_namespace(void *context)
{
    const char *file = context;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || unshare(CLONE_NEWUTS) < 0 ||
        mount("/proc/self/ns/uts", file, NULL, MS_BIND, NULL) < 0)
        return -1;
    return unshare(CLONE_NEWUTS);
}

TEST(a_mount_in_another_mount_namespace_keeps_a_namespace)
{
    struct cl_error err = { 0 };
    struct sleeper sleeper = { 0 };
    char file[] = "/tmp/lens-bind-XXXXXX";
    int fd = mkstemp(file);
    REQUIRE(fd >= 0);
    (void)close(fd);
    if (!sleeper_start(&sleeper, CLONE_NEWNS, bind_namespace, file)) {
        (void)unlink(file);
        SKIP("needs CAP_SYS_ADMIN");
    }
    int proc = procfs_open_host(&err);
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = collect_host(proc, ALL_TYPES);
    struct lens_held_options options = { .types = ALL_TYPES, .depth = LENS_HELD_DEEP };
    CHECK_INT(lens_collect_held(snapshot, proc, &options, &err), 0);
    sleeper_end(&sleeper);
    (void)unlink(file);
    (void)close(proc);
    const struct lens_holder *found = NULL;
    for (size_t i = 0; i < snapshot->holder_count; i++)
        if (snapshot->holders[i].kind == LENS_HELD_MOUNT &&
            strcmp(snapshot->holders[i].path, file) == 0)
            found = &snapshot->holders[i];
    REQUIRE(found != NULL);
    CHECK_INT(snapshot->namespaces[found->namespace].type, K_NS_UTS);
    CHECK_INT(snapshot->namespaces[found->namespace].holders, LENS_HELD_MOUNT);
    CHECK(found->pid > 0);
}

/* Forks and ends as fast as it can, in the namespaces given; never returns. */
static void storm(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGCHLD, SIG_IGN);
    for (;;) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
    }
}

TEST(snapshots_during_a_storm_of_forks_are_whole)
{
    struct sleeper sleeper = { 0 };
    struct cl_error err = { 0 };
    if (!sleeper_start(&sleeper, CLONE_NEWPID | CLONE_NEWUTS, NULL, NULL))
        SKIP("needs CAP_SYS_ADMIN");
    pid_t stormers[2];
    for (size_t i = 0; i < CL_COUNT(stormers); i++)
        if ((stormers[i] = fork()) == 0)
            storm();
    int proc = procfs_open_host(&err);
    for (int round = 0; round < 30; round++) {
        CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = collect_host(proc, ALL_TYPES);
        CHECK_INT(lens_collect_relations(snapshot, proc, ALL_TYPES, &err), 0);
        CHECK_INT(lens_collect_details(snapshot, proc, LENS_NONE, LENS_DETAIL_COMMAND, &err), 0);
        uint32_t ns = ns_of(snapshot, sleeper.pid, K_NS_PID);
        CHECK(ns != LENS_NONE && snapshot->namespaces[ns].process_count == 1);
        /* What is left in it was read whole, and was who it said while it was read. */
        for (size_t i = 0; i < snapshot->process_count; i++) {
            const struct lens_process *process = &snapshot->processes[i];
            if (!process->is_gone && !process->is_hidden)
                CHECK(process->has_details && process->command != NULL && process->start_ticks > 0);
        }
    }
    for (size_t i = 0; i < CL_COUNT(stormers); i++) {
        (void)kill(stormers[i], SIGKILL);
        (void)waitpid(stormers[i], NULL, 0);
    }
    sleeper_end(&sleeper);
    (void)close(proc);
}

TEST(what_is_no_namespace_file_is_never_opened)
{
    struct cl_error err = { 0 };
    char dir[] = "/tmp/lens-fifo-XXXXXX", path[64];
    REQUIRE(mkdtemp(dir) != NULL);
    (void)CL_PRINT(path, "%s/fifo", dir);
    REQUIRE(mkfifo(path, 0600) == 0); /* opening it for reading would wait for a writer */
    int proc = procfs_open_host(&err);
    CHECK_INT(lens_open_nsfs(proc, AT_FDCWD, path), -ESRCH);
    int fd = lens_open_nsfs(proc, proc, "self/ns/mnt");
    CHECK(fd >= 0);
    (void)close(fd);
    (void)close(proc);
    (void)unlink(path);
    (void)rmdir(dir);
}

TEST_MAIN
