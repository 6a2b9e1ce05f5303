/* SPDX-License-Identifier: Apache-2.0 */
/* Test points: who dies where. Each case is a program of its own, because the variable is read once in a process. */
#include "base/mem.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* The process under test: exits with the number of points passed, unless one of them kills it. */
static int walk_points(void)
{
    cl_test_point("one");
    cl_test_point("two");
    cl_test_role("parent");
    cl_test_point("three");
    cl_test_point("two");
    return 4;
}

/* The same as the first process of a new PID namespace. */
static int walk_as_init(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);
    if (pid == 0)
        _exit(walk_points());
    if (pid < 0)
        return errno == EPERM ? 77 : 1;
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What the shell would say: the exit code, or 128 + signal. */
static int run(const char *mode, const char *value)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (value != NULL)
            setenv("CLOCHE_TEST_KILL", value, 1);
        else
            unsetenv("CLOCHE_TEST_KILL");
        execl("/proc/self/exe", "test", mode, (char *)NULL);
        _exit(1);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(without_the_variable_nothing_happens)
{
    CHECK_INT(run("walk", NULL), 4);
    CHECK_INT(run("walk", ""), 4);
    CHECK_INT(run("walk", "cloche"), 4);
    CHECK_INT(run("walk", "cloche:"), 4);
    CHECK_INT(run("walk", "a-role-with-a-name-that-is-too-long:1"), 4);
}

TEST(the_nth_point_of_a_role_kills)
{
    CHECK_INT(run("walk", "cloche:1"), 128 + SIGKILL);
    CHECK_INT(run("walk", "cloche:2"), 128 + SIGKILL);
    CHECK_INT(run("walk", "cloche:3"), 4); /* the count belongs to the role */
    CHECK_INT(run("walk", "parent:2"), 128 + SIGKILL);
    CHECK_INT(run("walk", "parent:3"), 4);
    CHECK_INT(run("walk", "monitor:1"), 4);
}

TEST(a_named_point_kills)
{
    CHECK_INT(run("walk", "cloche:two"), 128 + SIGKILL);
    CHECK_INT(run("walk", "cloche:three"), 4);
    CHECK_INT(run("walk", "parent:three"), 128 + SIGKILL);
}

TEST(the_init_of_a_namespace_dies_too)
{
    int code = run("init", "parent:2");
    if (code == 77)
        SKIP("needs the right to make a PID namespace");
    CHECK_INT(code, 128 + SIGKILL);
    CHECK_INT(run("init", "parent:9"), 4);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "walk") == 0)
        return walk_points();
    if (argc > 1 && strcmp(argv[1], "init") == 0)
        return walk_as_init();
    return test_run_all();
}
