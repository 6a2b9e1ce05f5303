/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate of the calls: masks by whole names, fails the Nth call once, leaves errno alone.
 */
#include "support.h"

static int null_call(void)
{
    return (int)K_CALL("getppid", SYS_getppid, 0);
}

TEST(masks_whole_names_only)
{
    k_hook_set("openat2,getppid", NULL);
    CHECK_INT(null_call(), -ENOSYS);
    CHECK_INT(k_hook_slow("openat"), 0);
    CHECK_INT(k_hook_slow("openat2"), -ENOSYS);
    CHECK_INT(k_hook_slow("penat2"), 0);
    k_hook_set(NULL, NULL);
    CHECK_INT(null_call(), getppid());
}

TEST(masks_a_name_that_follows_a_longer_one)
{
    k_hook_set("openat2,openat", NULL);
    CHECK_INT(k_hook_slow("openat"), -ENOSYS);
    k_hook_set("xopenat,openat", NULL);
    CHECK_INT(k_hook_slow("openat"), -ENOSYS);
    k_hook_set(NULL, NULL);
}

TEST(fails_the_nth_call_once)
{
    k_hook_set(NULL, "3:EBUSY");
    CHECK_INT(null_call(), getppid());
    CHECK_INT(null_call(), getppid());
    CHECK_INT(null_call(), -EBUSY);
    CHECK_INT(null_call(), getppid());
    k_hook_set(NULL, "1:28");
    CHECK_INT(null_call(), -ENOSPC);
    k_hook_set(NULL, "1");
    CHECK_INT(null_call(), -EIO);
    k_hook_set(NULL, "nonsense:EIO");
    CHECK(!k_hook_is_on);
    k_hook_set(NULL, NULL);
}

TEST(keeps_errno)
{
    errno = ERANGE;
    CHECK_INT(K_CALL("close", SYS_close, -1), -EBADF);
    CHECK_INT(errno, ERANGE);
}

TEST(reads_the_environment_before_main)
{
    /* argv[0] again, with the variable set: the child says what a call answers. */
    char path[256];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    REQUIRE(length > 0);
    path[length] = '\0';
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        setenv("CLOCHE_TEST_NO", "getppid", 1);
        setenv("CLOCHE_TEST_HOOK_CHILD", "1", 1);
        execl(path, path, (char *)NULL);
        _exit(99);
    }
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_INT(WEXITSTATUS(status), ENOSYS);
}

int main(void)
{
    if (getenv("CLOCHE_TEST_HOOK_CHILD") != NULL)
        return -null_call();
    return test_run_all();
}
