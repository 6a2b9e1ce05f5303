/* SPDX-License-Identifier: Apache-2.0 */
/* Debug output: which topics speak, and how a line looks. The variable is read once, so each case is a process. */
#include "base/log.h"

#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static int speak(void)
{
    errno = 17;
    cl_debug("mnt", "one %d", 1);
    cl_debug("cgroup", "two");
    return errno == 17 ? 0 : 1;
}

/* What the process says on standard error, into `out`. */
static void run(const char *value, char *out, size_t size)
{
    int ends[2], status = 0;
    out[0] = '\0';
    REQUIRE(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        if (value != NULL)
            setenv("CLOCHE_DEBUG", value, 1);
        else
            unsetenv("CLOCHE_DEBUG");
        execl("/proc/self/exe", "test", "speak", (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    size_t used = 0;
    ssize_t n;
    while ((n = read(ends[0], out + used, size - 1 - used)) > 0)
        used += (size_t)n;
    out[used] = '\0';
    close(ends[0]);
    waitpid(pid, &status, 0);
    CHECK_INT(status, 0);
}

TEST(silent_unless_asked)
{
    char out[4096];
    run(NULL, out, sizeof out);
    CHECK_STR(out, "");
    run("", out, sizeof out);
    CHECK_STR(out, "");
    run("mn,mnts,cgrou", out, sizeof out);
    CHECK_STR(out, "");
}

TEST(topics_are_chosen)
{
    char out[4096];
    run("net,mnt", out, sizeof out);
    CHECK_CONTAINS(out, " ms mnt: one 1\n");
    CHECK(strstr(out, "two") == NULL);
    run("all", out, sizeof out);
    CHECK_CONTAINS(out, " ms mnt: one 1\n");
    CHECK_CONTAINS(out, " ms cgroup: two\n");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "speak") == 0)
        return speak();
    return test_run_all();
}
