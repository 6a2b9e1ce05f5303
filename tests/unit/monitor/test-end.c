/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end: what can be seen in which order, what is given back, `reap`, and a monitor that is killed at every step.
 *
 * This program is also the `cloche` that the monitor becomes with AUTO_REMOVE: called with arguments, it writes down how it was called.
 */
#include "fake.h"

static struct fake_output output;

#define ALL (WIRE_WANT_STDOUT | WIRE_WANT_STDERR | WIRE_WANT_STDIN)

TEST(with_the_exit_the_record_is_there)
{
    struct fake fake;
    struct wire_state state = { 0 };
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "exit 5", .has_first = true }));
    fake_hello(fake.first, ALL);
    struct fake_message message;
    REQUIRE(fake_receive(fake.first, &message));
    CHECK_INT(message.header.type, WIRE_EXIT);
    CHECK(fake_state(&fake, &state));
    CHECK_INT(state.status, WIRE_EXITED);
    CHECK_INT(state.exit_code, 5);
    fake_end(&fake);
}

TEST(the_lock_is_held_until_all_is_done)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "read line",
                                                      .flags = WIRE_SETUP_STDIN,
                                                      .has_first = true }));
    fake_hello(fake.first, ALL);
    fake_barrier(fake.first);
    cl_auto_fd lock = openat(fake.dir, "lock", O_RDWR | O_CLOEXEC);
    CHECK_INT(flock(lock, LOCK_EX | LOCK_NB), -1);
    fake_say(fake.first, "\n");
    CHECK_INT(flock(lock, LOCK_EX), 0); /* waits for the end */
    CHECK(faccessat(fake.dir, WIRE_SETUP_SOCKET_NAME, F_OK, 0) < 0);
    struct wire_state state = { 0 };
    CHECK(fake_state(&fake, &state) && state.status == WIRE_EXITED);
    fake_end(&fake);
}

/* A pipe's write end stands for the mount: its reader sees the end of file when the monitor lets go. */
TEST(the_root_mount_is_let_go_at_the_end)
{
    struct fake fake;
    int read_end, write_end;
    char byte;
    REQUIRE(cl_pipe(&read_end, &write_end) == 0);
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "read line",
                                                      .flags = WIRE_SETUP_STDIN,
                                                      .has_first = true,
                                                      .root_mount = write_end }));
    (void)cl_close(write_end);
    fake_hello(fake.first, ALL);
    fake_barrier(fake.first);
    struct pollfd slot = { .fd = read_end, .events = POLLIN };
    CHECK_INT(poll(&slot, 1, 0), 0);
    fake_say(fake.first, "\n");
    CHECK_INT(read(read_end, &byte, 1), 0);
    (void)cl_close(read_end);
    fake_end(&fake);
}

/* Clients that connect at any moment of the end get EXIT or find the socket gone and the record there: never neither. */
TEST(whoever_comes_late_learns_how_it_ended)
{
    for (int round = 0; round < 30; round++) {
        struct fake fake;
        struct fake_message message;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct wire_state state = { 0 };
        REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "read line; exit 5",
                                                          .flags = WIRE_SETUP_STDIN,
                                                          .has_first = true }));
        fake_hello(fake.first, ALL);
        fake_barrier(fake.first);
        fake_say(fake.first, "\n");
        (void)CL_PRINT(address.sun_path, "%s/" WIRE_SETUP_SOCKET_NAME, fake.path);
        bool has_exit = false;
        for (bool is_there = true; is_there;) {
            int late = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
            is_there = connect(late, (struct sockaddr *)&address, sizeof address) == 0;
            struct wire_attach hello = { .type = WIRE_HELLO };
            if (is_there && send(late, &hello, sizeof hello, MSG_NOSIGNAL) > 0)
                has_exit = fake_receive(late, &message) && message.header.type == WIRE_EXIT;
            (void)cl_close(late);
            if (is_there && !has_exit)
                CHECK(fake_state(&fake, &state) && state.status == WIRE_EXITED);
        }
        CHECK(fake_state(&fake, &state) && state.exit_code == 5);
        fake_end(&fake);
    }
}

/* ---- cgroups ---- */

static bool make_cgroup(struct cgroup_host *host, const char *path, struct cgroup *group)
{
    cl_auto_fd proc = procfs_open_host(NULL);
    if (geteuid() != 0 || proc < 0 || cgroup_host_init(host, proc, NULL) < 0)
        return false;
    if (cgroup_make(host, path, false, group, NULL) == 0)
        return true;
    cgroup_host_done(host);
    return false;
}

TEST(the_cgroup_is_removed_with_what_is_left_in_it)
{
    struct fake fake;
    struct cgroup_host host;
    struct cgroup group;
    char parent[64], path[96];
    (void)CL_PRINT(parent, "cloche-test-monitor-%d", (int)getpid());
    (void)CL_PRINT(path, "%s/container", parent);
    if (!make_cgroup(&host, path, &group))
        SKIP("no cgroup can be made here (needs root and a writable cgroup mount)");
    (void)fflush(stdout);
    int ready[2];
    REQUIRE(pipe2(ready, O_CLOEXEC) == 0);
    pid_t left = fork(); /* stands for a process outside the container's pid namespace */
    if (left == 0) {     /* in all hierarchies before anybody looks */
        if (cgroup_join_self(&group, true) < 0 || write(ready[1], "", 1) != 1)
            _exit(1);
        _exit(pause());
    }
    char byte;
    (void)close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    (void)close(ready[0]);
    pid_t *pids = NULL;
    size_t count = 0;
    CHECK_INT(cgroup_pids(&group, &pids, &count), 0);
    free(pids);
    CHECK_INT(count, 1);
    cgroup_done(&group);
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "exit 0", .cgroup = path }));
    int status = 0;
    CHECK_INT(waitpid(left, &status, 0), left); /* reaped here, as the kernel's init would */
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK_INT(fake_wait(&fake), 0);
    CHECK_INT(cgroup_open(&host, path, &group, NULL), -ENOENT);
    CHECK_INT(cgroup_remove(&host, parent), 0);
    cgroup_host_done(&host);
    fake_end(&fake);
}

/* ---- reap ---- */

static int reap(int count, char **arguments)
{
    char text[2048];
    size_t used = 0;
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", arguments[i]);
    for (int fd = 3; fd < 64; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            used += (size_t)snprintf(text + used, sizeof text - used, "open %d\n", fd);
    }
    char status[4096];
    (void)cl_read_small(AT_FDCWD, "/proc/self/status", status, sizeof status);
    static const char *const keys[] = { "SigBlk:", "SigIgn:" };
    for (size_t i = 0; i < CL_COUNT(keys); i++) {
        const char *line = strstr(status, keys[i]);
        if (line != NULL)
            used += (size_t)snprintf(text + used, sizeof text - used, "%.24s\n", line);
    }
    cl_auto_fd dir = open(arguments[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cl_auto_fd lock = openat(dir, "lock", O_RDWR | O_CLOEXEC);
    if (flock(lock, LOCK_EX | LOCK_NB) == 0)
        used += (size_t)snprintf(text + used, sizeof text - used, "lock free\n");
    return cl_write_atomic(dir, "reaped", text, used, 0600, CL_WRITE_PLAIN, NULL) < 0 ? 1 : 42;
}

TEST(auto_remove_becomes_reap)
{
    struct fake fake;
    char expected[512], *text = NULL;
    cl_auto_fd self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "exit 3",
                                                      .flags = WIRE_SETUP_AUTO_REMOVE,
                                                      .has_first = true,
                                                      .reap_program = self }));
    fake_hello(fake.first, ALL);
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.code, 3);
    int status = fake_wait(&fake);
    CHECK_INT(WEXITSTATUS(status), 42);
    CHECK_INT(cl_read_file(fake.dir, "reaped", 4096, &text, NULL, NULL), 0);
    (void)CL_PRINT(expected,
                   "cloche\n--root\n%s\n--state\n%s\nreap\n0123456789ab\n"
                   "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nlock free\n",
                   fake.path, fake.path);
    CHECK_STR(text, expected);
    free(text);
    fake_end(&fake);
}

/* ---- killed at every step ---- */

/* What the next command finds: a record that is whole, a log of whole records, a lock that is free. */
static void check_after_kill(const struct fake *fake, const char *wish)
{
    struct wire_state state;
    char log[100];
    cl_auto_fd lock = openat(fake->dir, "lock", O_RDWR | O_CLOEXEC);
    int failures = test_failures;
    CHECK_INT(flock(lock, LOCK_EX | LOCK_NB), 0);
    if (faccessat(fake->dir, WIRE_SETUP_STATE_NAME, F_OK, 0) == 0) {
        CHECK(fake_state(fake, &state));
        CHECK_INT(state.status, WIRE_EXITED);
        CHECK_INT(state.exit_code, 6);
        fake_log(fake, "log", "stdout", log, sizeof log);
        CHECK_STR(log, "output\n");
    }
    if (test_failures > failures)
        TEST_SAY("after %s", wish);
}

TEST(killed_at_any_step_it_leaves_whole_files)
{
    int steps = 0;
    for (bool is_killed = true; is_killed && steps < 100; steps++) {
        struct fake fake;
        char wish[32];
        (void)CL_PRINT(wish, "monitor:%d", steps + 1);
        REQUIRE(fake_start(
            &fake, &(struct fake_options){ .script = "echo output; exit 6", .kill = wish }));
        int status = fake_wait(&fake);
        is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        CHECK(is_killed || status == 0);
        check_after_kill(&fake, wish);
        fake_end(&fake);
    }
    CHECK(steps >= 9);
    CHECK(steps < 100);
}

int main(int argc, char **argv)
{
    return argc > 1 ? reap(argc, argv) : test_run_all();
}
