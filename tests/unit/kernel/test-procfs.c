/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc: only a real one is taken, writes do not go astray, and hostile names do not shift fields.
 */
#include "kernel/procfs.h"

#include <linux/magic.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "support.h"

static int open_self(int proc)
{
    return procfs_open_pid(proc, getpid());
}

TEST(a_private_procfs_is_a_procfs)
{
    struct cl_error err = { 0 };
    for (int subset = 0; subset < 2; subset++) {
        cl_auto_fd proc = procfs_open_private(subset != 0, &err);
        long magic = 0;
        REQUIRE(proc >= 0);
        CHECK_INT(k_fs_type(proc, &magic), 0);
        CHECK_INT(magic, PROC_SUPER_MAGIC);
        cl_auto_fd self = open_self(proc);
        CHECK(self >= 0);
        if (geteuid() == 0) {
            struct stat info;
            cl_auto_fd host = procfs_open_host(&err);
            CHECK(!k_is_same_file(proc, host)); /* an instance of its own */
            CHECK_INT(fstatat(proc, "cpuinfo", &info, 0), subset ? -1 : 0);
        }
    }
}

TEST(without_the_mount_api_it_is_the_hosts)
{
    struct cl_error err = { 0 };
    k_hook_set("fsopen", NULL);
    cl_auto_fd proc = procfs_open_private(false, &err);
    k_hook_set(NULL, NULL);
    cl_auto_fd host = procfs_open_host(&err);
    CHECK(proc >= 0 && k_is_same_file(proc, host));
}

static void fake_proc(void *ignored)
{
    struct cl_error err = { 0 };
    (void)ignored;
    CHECK_INT(k_mount("/proc/sys", "/proc", NULL, MS_BIND, NULL), 0);
    CHECK_INT(procfs_open_host(&err), -EXDEV); /* of procfs, but not its root */
    CHECK_INT(k_mount("tmpfs", "/proc", "tmpfs", 0, NULL), 0);
    CHECK_INT(procfs_open_host(&err), -EXDEV);
    CHECK_CONTAINS(err.text, "/proc is not");
}

static void bound_over(void *argument)
{
    const struct scratch *scratch = argument;
    struct cl_error err = { 0 };
    char text[64] = "", victim[128];
    snprintf(victim, sizeof victim, "%s/victim", scratch->path);
    close(open(victim, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    cl_auto_fd private = procfs_open_private(false, &err);
    CHECK_INT(k_mount(victim, "/proc/self/comm", NULL, MS_BIND, NULL), 0);
    cl_auto_fd host = procfs_open_host(&err);
    CHECK_INT(procfs_write(host, "self/comm", "astray"), -EXDEV);
    k_hook_set("openat2", NULL);
    CHECK_INT(procfs_write(host, "self/comm", "astray"), -EXDEV);
    CHECK_INT(procfs_write(private, "self/comm", "byhand"), 0);
    k_hook_set(NULL, NULL);
    CHECK_INT(cl_read_small(AT_FDCWD, victim, text, sizeof text), 0);
    CHECK_INT(procfs_write(private, "self/comm", "arrived"), 0); /* the bind is not in this one */
    CHECK(prctl(PR_GET_NAME, text) == 0);
    CHECK_STR(text, "arrived");
}

TEST(what_is_put_over_proc_is_noticed)
{
    struct scratch scratch;
    if (geteuid() != 0)
        SKIP("needs root: mounts over /proc in a mount namespace");
    if (!in_child(CLONE_NEWNS, fake_proc, NULL))
        SKIP("can't make a mount namespace here");
    REQUIRE(scratch_make(&scratch));
    CHECK(in_child(CLONE_NEWNS, bound_over, &scratch));
    scratch_remove(&scratch);
}

TEST(writes)
{
    struct cl_error err = { 0 };
    cl_auto_fd proc = procfs_open_host(&err);
    static const char *const masks[] = { NULL, "openat2" };
    char old[32] = "", name[32] = "";
    CHECK(prctl(PR_GET_NAME, old) == 0);
    for (size_t m = 0; m < CL_COUNT(masks); m++) {
        k_hook_set(masks[m], NULL);
        CHECK_INT(procfs_write(proc, "self/comm", m ? "two" : "one"), 0);
        CHECK(prctl(PR_GET_NAME, name) == 0);
        CHECK_STR(name, m ? "two" : "one");
        CHECK_INT(procfs_write(proc, "thread-self/comm", "three"), 0);
        CHECK(prctl(PR_GET_NAME, name) == 0);
        CHECK_STR(name, "three");
        CHECK_INT(procfs_write(proc, "self/no-such", "x"), -ENOENT);
        CHECK_INT(procfs_write(proc, "mounts", "x"), -ELOOP);
        CHECK_INT(procfs_write(proc, "self/exe", "x"), -ELOOP);
        CHECK_INT(procfs_write(proc, "self/root/etc/passwd", "x"), -ELOOP);
        CHECK_INT(procfs_write(proc, "selfish", "x"), -ENOENT);
    }
    k_hook_set(NULL, NULL);
    CHECK(prctl(PR_SET_NAME, old) == 0);
}

TEST(processes_that_are_not_there)
{
    struct cl_error err = { 0 };
    cl_auto_fd proc = procfs_open_host(&err);
    uint64_t ticks = 7;
    CHECK_INT(procfs_open_pid(proc, 0), -ESRCH);
    CHECK_INT(procfs_open_pid(proc, -1), -ESRCH);
    CHECK_INT(procfs_open_pid(proc, 0x7fffffff), -ESRCH);
    CHECK_INT(procfs_start_ticks(proc, 0x7fffffff, &ticks), -ESRCH);
    CHECK_INT(procfs_start_ticks(proc, -1, &ticks), -ESRCH);
    CHECK_INT(ticks, 7);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    cl_auto_fd gone = procfs_open_pid(proc, pid);
    CHECK(waitpid(pid, NULL, 0) == pid);
    struct procfs_stat stat_;
    struct procfs_status status;
    char command[16];
    CHECK_INT(procfs_read_stat(gone, &stat_), -ESRCH);
    CHECK_INT(procfs_read_status(gone, &status), -ESRCH);
    CHECK_INT(procfs_read_command(gone, command, sizeof command), -ESRCH);
}

TEST(walking_all_processes)
{
    struct cl_error err = { 0 };
    cl_auto_fd proc = procfs_open_host(&err);
    static struct procfs_walk walk;
    pid_t pid, last = 0;
    bool saw_us = false, saw_first = false, ascending = true;
    REQUIRE(procfs_walk_init(&walk, proc) == 0);
    while ((pid = procfs_walk_next(&walk)) > 0) {
        saw_us = saw_us || pid == getpid();
        saw_first = saw_first || pid == 1;
        ascending = ascending && pid > last;
        last = pid;
    }
    CHECK_INT(pid, 0);
    CHECK_INT(procfs_walk_next(&walk), 0);
    CHECK(saw_us && ascending);
    if (geteuid() == 0)
        CHECK(saw_first);
    procfs_walk_done(&walk);
    cl_auto_fd tasks = open("/proc/self/task", O_PATH | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(procfs_walk_init(&walk, tasks) == 0);
    CHECK_INT(procfs_walk_next(&walk), getpid());
    CHECK_INT(procfs_walk_next(&walk), 0);
    procfs_walk_done(&walk);
    procfs_walk_done(&walk); /* twice is fine */
}

static void check_name(int self, const char *name)
{
    struct procfs_stat stat_;
    struct procfs_status status;
    CHECK(prctl(PR_SET_NAME, name) == 0);
    REQUIRE(procfs_read_stat(self, &stat_) == 0);
    REQUIRE(procfs_read_status(self, &status) == 0);
    CHECK_STR(stat_.name, name);
    CHECK_STR(status.name, name);
    CHECK_INT(stat_.pid, getpid());
    CHECK_INT(stat_.parent, getppid());
    CHECK_INT(stat_.state, 'R');
}

TEST(names_that_try_to_be_fields)
{
    struct cl_error err = { 0 };
    cl_auto_fd proc = procfs_open_host(&err), self = open_self(proc);
    char old[32] = "";
    CHECK(prctl(PR_GET_NAME, old) == 0);
    check_name(self, "plain");
    check_name(self, ") Z 1 1 1 1 (");
    check_name(self, "(((");
    check_name(self, ")");
    check_name(self, "a\nUid:\t0\t0\t0");
    check_name(self, "back\\slash\\n");
    check_name(self, "\x1b[31m\xff");
    check_name(self, "");
    CHECK(prctl(PR_SET_NAME, old) == 0);
}

TEST(stat_of_ourselves)
{
    struct cl_error err = { 0 };
    cl_auto_fd proc = procfs_open_host(&err), self = open_self(proc);
    struct procfs_stat stat_;
    uint64_t ticks = 0;
    REQUIRE(procfs_read_stat(self, &stat_) == 0);
    CHECK_INT(stat_.group, getpgrp());
    CHECK_INT(stat_.session, getsid(0));
    CHECK_INT(stat_.threads, 1);
    CHECK(stat_.start_ticks > 0);
    CHECK_INT(procfs_start_ticks(proc, getpid(), &ticks), 0);
    CHECK_INT(ticks, stat_.start_ticks);
    CHECK_INT(procfs_read_stat_of(proc, getpid(), &stat_), 0);
    CHECK_INT(stat_.pid, getpid());
}

TEST(status_of_ourselves)
{
    struct cl_error err = { 0 };
    cl_auto_fd proc = procfs_open_host(&err), self = open_self(proc);
    struct procfs_status status;
    uint64_t effective = 0, permitted = 0, inheritable = 0;
    REQUIRE(procfs_read_status(self, &status) == 0);
    REQUIRE(k_capget(0, &effective, &permitted, &inheritable) == 0);
    CHECK_INT(status.uid[0], getuid());
    CHECK_INT(status.uid[1], geteuid());
    CHECK_INT(status.gid[1], getegid());
    CHECK(status.cap_effective == effective && status.cap_permitted == permitted &&
          status.cap_inheritable == inheritable);
    CHECK_INT(status.no_new_privs, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    CHECK_INT(status.seccomp_mode, prctl(PR_GET_SECCOMP));
    CHECK(status.levels >= 1);
    CHECK_INT(status.ns_pid[status.levels - 1], getpid());
    CHECK(status.vm_rss_kb > 100 && status.vm_rss_kb < 1000000);
    for (unsigned i = 0; i < 64; i++)
        CHECK_INT(status.cap_bounding >> i & 1, prctl(PR_CAPBSET_READ, i) == 1);
}

static void in_many_groups(void *ignored)
{
    struct cl_error err = { 0 };
    enum { GROUPS = 60000 };
    static gid_t groups[GROUPS];
    (void)ignored;
    for (gid_t i = 0; i < GROUPS; i++)
        groups[i] = 4000000000u + i;
    CHECK_INT(k_setgroups(GROUPS, groups), 0);
    cl_auto_fd proc = procfs_open_host(&err), self = open_self(proc);
    struct procfs_status status;
    REQUIRE(procfs_read_status(self, &status) == 0);
    CHECK_INT(status.levels >= 1 ? status.ns_pid[status.levels - 1] : 0, getpid());
    CHECK(status.cap_permitted != 0 && status.vm_rss_kb > 0);
    CHECK_INT(status.uid[0], 0);
}

TEST(a_process_in_sixty_thousand_groups)
{
    if (geteuid() != 0)
        SKIP("needs root: sets supplementary groups");
    CHECK(in_child(0, in_many_groups, NULL));
}

static void nested(void *ignored)
{
    struct cl_error err = { 0 };
    (void)ignored;
    /* Two levels further down; the grandchild waits to be looked at. */
    pid_t pid = fork();
    if (pid == 0) {
        if (k_unshare(CLONE_NEWPID) < 0)
            _exit(1);
        pid_t inner = fork();
        if (inner == 0)
            pause();
        int status = 0;
        waitpid(inner, &status, 0);
        _exit(0);
    }
    cl_auto_fd proc = procfs_open_host(&err);
    struct procfs_status status = { 0 };
    unsigned levels = 0;
    cl_auto_fd self = open_self(proc);
    REQUIRE(procfs_read_status(self, &status) == 0);
    unsigned own = status.levels;
    static struct procfs_walk walk;
    for (int i = 0; i < 60000 && levels != own + 2; i++) { /* until the grandchild is there */
        pid_t other;
        usleep(1000);
        REQUIRE(procfs_walk_init(&walk, proc) == 0);
        while ((other = procfs_walk_next(&walk)) > 0) {
            cl_auto_fd fd = procfs_open_pid(proc, other);
            struct procfs_stat stat_;
            if (procfs_read_stat(fd, &stat_) == 0 && stat_.parent == pid &&
                procfs_read_status(fd, &status) == 0) {
                levels = status.levels;
                break;
            }
        }
        procfs_walk_done(&walk);
        if (levels == own + 2) {
            CHECK_INT(status.ns_pid[own - 1], other);
            CHECK_INT(status.ns_pid[own + 1], 1);
            kill(other, SIGKILL);
        }
    }
    CHECK_INT(levels, own + 2);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

TEST(pids_in_nested_namespaces)
{
    if (geteuid() != 0)
        SKIP("needs root: makes PID namespaces");
    if (!in_child(CLONE_NEWPID, nested, NULL))
        SKIP("can't make a PID namespace here");
}

/* A shell that says when it runs (so that its arguments are in place) and then waits to be killed. */
TEST(command_lines)
{
    struct cl_error err = { 0 };
    cl_auto_fd proc = procfs_open_host(&err);
    int said[2], held[2];
    char buffer[64] = "", small[6] = "", byte;
    REQUIRE(pipe2(said, O_CLOEXEC) == 0 && pipe2(held, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(held[0], STDIN_FILENO);
        (void)dup2(said[1], STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", "echo; read x", "s", "", (char *)NULL);
        _exit(1);
    }
    close(said[1]);
    close(held[0]);
    CHECK_INT(read(said[0], &byte, 1), 1);
    cl_auto_fd other = procfs_open_pid(proc, pid);
    CHECK_INT(procfs_read_command(other, buffer, sizeof buffer), 20);
    CHECK_STR(buffer, "sh -c echo; read x s");
    CHECK_INT(procfs_read_command(other, small, sizeof small), 5);
    CHECK_STR(small, "sh -c");
    kill(pid, SIGKILL);
    siginfo_t info;
    CHECK_INT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    CHECK_INT(procfs_read_command(other, buffer, sizeof buffer), 4); /* a zombie */
    CHECK_STR(buffer, "[sh]");
    struct procfs_stat stat_;
    CHECK_INT(procfs_read_stat(other, &stat_), 0);
    CHECK_INT(stat_.state, 'Z');
    waitpid(pid, NULL, 0);
    close(said[0]);
    close(held[1]);
}

TEST(words_of_mountinfo_are_unescaped)
{
    static const struct {
        const char *written, *meant;
    } words[] = {
        { "/plain", "/plain" },
        { "/a\\040b\\011c\\012d", "/a b\tc\nd" },
        { "\\134040\\043", "\\040#" },
        { "\\303\\244", "\303\244" },
        { "\\400 \\089 \\04", "\\400 \\089 \\04" }, /* no byte in octal */
        { "end\\", "end\\" },
        { "", "" },
    };
    for (size_t i = 0; i < CL_COUNT(words); i++) {
        char text[64];
        REQUIRE(CL_PRINT(text, "%s", words[i].written) >= 0);
        procfs_unescape(text);
        CHECK_STR(text, words[i].meant);
    }
}

TEST_MAIN
