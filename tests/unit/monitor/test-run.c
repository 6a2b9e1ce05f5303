/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a container under its monitor: exit codes, the record, the log, signals, and the monitor as a process.
 */
#include "fake.h"

#include <dirent.h>

static struct fake_output output;
static char text[1 << 16];

#define BOTH (WIRE_WANT_STDOUT | WIRE_WANT_STDERR)

TEST(exit_code_and_record)
{
    struct fake fake;
    struct wire_state state;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "exit 7" }));
    CHECK_INT(fake_wait(&fake), 0);
    REQUIRE(fake_state(&fake, &state));
    CHECK_INT(state.status, WIRE_EXITED);
    CHECK_INT(state.exit_code, 7);
    CHECK_INT(state.pid, 0);
    CHECK(!state.oom_killed);
    CHECK_INT(state.started_ns, 1700000000000000000);
    CHECK(state.finished_ns > state.started_ns && state.finished_ns <= cl_now_ns());
    CHECK_STR(state.boot_id, "00000000-1111-2222-3333-444444444444");
    CHECK_STR(state.error, "");
    CHECK(faccessat(fake.dir, WIRE_SETUP_SOCKET_NAME, F_OK, 0) < 0);
    CHECK(faccessat(fake.dir, ".state.exit", F_OK, 0) < 0);
    struct stat status;
    CHECK_INT(fstatat(fake.dir, WIRE_SETUP_STATE_NAME, &status, 0), 0);
    CHECK_INT(status.st_mode & 0777, 0600);
    fake_end(&fake);
}

TEST(death_by_signal_is_128_and_the_number)
{
    struct fake fake;
    struct wire_state state;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "kill -9 $$" }));
    CHECK_INT(fake_wait(&fake), 0);
    REQUIRE(fake_state(&fake, &state));
    CHECK_INT(state.exit_code, 137);
    fake_end(&fake);
}

TEST(without_clients_the_log_has_everything)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){
                                  .script = "echo one; echo wrong >&2; echo two; printf last" }));
    CHECK_INT(fake_wait(&fake), 0);
    fake_log(&fake, "log", "stdout", text, sizeof text);
    CHECK_STR(text, "one\ntwo\nlast");
    fake_log(&fake, "log", "stderr", text, sizeof text);
    CHECK_STR(text, "wrong\n");
    fake_end(&fake);
}

TEST(the_first_client_sees_it_all_and_the_exit)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "echo out; echo err >&2; exit 3",
                                                      .has_first = true }));
    fake_hello(fake.first, BOTH);
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "out\n");
    CHECK_STR(output.err, "err\n");
    CHECK_INT(output.code, 3);
    CHECK(output.has_end);
    fake_end(&fake);
}

TEST(no_log_when_none_is_wanted)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "echo out",
                                                      .flags = WIRE_SETUP_NO_LOG,
                                                      .has_first = true }));
    fake_hello(fake.first, BOTH);
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "out\n");
    CHECK(faccessat(fake.dir, "log", F_OK, 0) < 0);
    fake_end(&fake);
}

TEST(five_megabytes_arrive_whole)
{
    struct fake fake;
    static char log[6 << 20];
    REQUIRE(fake_start(&fake,
                       &(struct fake_options){ .script = "yes 0123456789 | head -c 5000000; exit 5",
                                               .has_first = true }));
    fake_hello(fake.first, BOTH);
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.out_size, 5000000);
    CHECK_INT(output.code, 5);
    CHECK_INT(fake_wait(&fake), 0);
    CHECK_INT(fake_log(&fake, "log", "stdout", log, sizeof log), 5000000);
    size_t wrong = 0;
    for (size_t i = 0; i < 5000000; i++)
        wrong += log[i] != "0123456789\n"[i % 11];
    CHECK_INT(wrong, 0);
    fake_end(&fake);
}

TEST(the_log_rotates)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "yes rotate me | head -n 5000",
                                                      .log_max = 20000,
                                                      .log_files = 2 }));
    CHECK_INT(fake_wait(&fake), 0);
    CHECK(faccessat(fake.dir, "log.1", F_OK, 0) == 0);
    CHECK(faccessat(fake.dir, "log.2", F_OK, 0) < 0);
    CHECK(fake_log(&fake, "log.1", "stdout", text, sizeof text) > 0);
    fake_end(&fake);
}

TEST(sigterm_is_passed_on_others_are_ignored)
{
    struct fake fake;
    REQUIRE(fake_start(
        &fake, &(struct fake_options){ .script = "trap 'echo got it; exit 3' TERM; echo ready;"
                                                 "while :; do sleep 0.02; done",
                                       .has_first = true }));
    fake_hello(fake.first, BOTH);
    fake_collect(fake.first, "ready", &output);
    static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE };
    for (size_t i = 0; i < CL_COUNT(ignored); i++)
        CHECK_INT(kill(fake.monitor, ignored[i]), 0);
    CHECK_INT(kill(fake.monitor, SIGTERM), 0);
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "got it\n");
    CHECK_INT(output.code, 3);
    fake_end(&fake);
}

TEST(who_still_holds_the_pipe_does_not_hold_the_end_up)
{
    struct fake fake;
    int pid = 0;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "sleep 1000 & echo $!; exit 4",
                                                      .has_first = true }));
    fake_hello(fake.first, BOTH);
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.code, 4);
    CHECK_INT(fake_wait(&fake), 0);
    CHECK_INT(sscanf(output.out, "%d", &pid), 1);
    REQUIRE(pid > 1);
    CHECK_INT(kill(pid, SIGKILL), 0); /* it was there all the time */
    fake_end(&fake);
}

TEST(who_writes_without_end_does_not_hold_the_end_up)
{
    struct fake fake;
    int pid = 0;
    REQUIRE(fake_start(
        &fake, &(struct fake_options){ .script = "yes >&2 & echo $!; exit 4", .has_first = true }));
    fake_hello(fake.first, WIRE_WANT_STDOUT);
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.code, 4);
    CHECK_INT(sscanf(output.out, "%d", &pid), 1);
    CHECK_INT(fake_wait(&fake), 0); /* `yes` dies of its closed pipe */
    fake_end(&fake);
}

TEST(oom_kills_are_told)
{
    static const struct {
        const char *events, *control;
        bool is_killed;
    } rows[] = {
        { "low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 0\n", NULL, true },
        { "low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\n", NULL, false },
        { NULL, "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", true },
        { NULL, "oom_kill_disable 1\nunder_oom 1\noom_kill 0\n", false },
        { NULL, "oom_kill_disable 0\nunder_oom 0\n", false }, /* before 4.13 */
        { NULL, "", false },
    };
    for (size_t i = 0; i < CL_COUNT(rows); i++) {
        struct fake fake;
        struct wire_state state;
        REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "kill -9 $$",
                                                          .has_first = true,
                                                          .events = rows[i].events,
                                                          .control = rows[i].control }));
        fake_hello(fake.first, 0);
        fake_collect(fake.first, NULL, &output);
        CHECK_INT(output.oom_killed, rows[i].is_killed);
        CHECK_INT(fake_state(&fake, &state) && state.oom_killed, rows[i].is_killed);
        fake_end(&fake);
    }
}

/* ---- the monitor as a process ---- */

static size_t count_fds(pid_t pid)
{
    char path[40];
    size_t count = 0;
    (void)CL_PRINT(path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    if (dir != NULL)
        closedir(dir);
    return count;
}

static void check_null(pid_t pid, int fd)
{
    char path[40], target[40] = "";
    (void)CL_PRINT(path, "/proc/%d/fd/%d", (int)pid, fd);
    CHECK(readlink(path, target, sizeof target - 1) > 0);
    CHECK_STR(target, "/dev/null");
}

TEST(it_keeps_what_it_was_given_and_nothing_else)
{
    struct fake fake;
    int read_end, write_end;
    if (geteuid() != 0)
        SKIP("only root may look into a process that is not dumpable");
    REQUIRE(cl_pipe(&read_end, &write_end) == 0);
    (void)fcntl(write_end, F_SETFD, 0); /* a caller's pipe that somebody waits on */
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "read line; exit 0",
                                                      .flags = WIRE_SETUP_STDIN,
                                                      .has_first = true }));
    fake_hello(fake.first, BOTH | WIRE_WANT_STDIN);
    fake_barrier(fake.first);
    (void)cl_close(write_end);
    char byte;
    CHECK_INT(read(read_end, &byte, 1), 0); /* the monitor closed its copy */
    (void)cl_close(read_end);
    for (int fd = 0; fd < 3; fd++)
        check_null(fake.monitor, fd);
    /* 0–2, lock, dir, state_dir, log, pidfd, in, out, err, client, listener; its own signalfd and record */
    CHECK_INT(count_fds(fake.monitor), 3 + 10 + 2);
    fake_say(fake.first, "go\n");
    fake_end(&fake);
}

TEST(its_name_session_and_directory)
{
    struct fake fake;
    char path[40], value[80] = "";
    if (geteuid() != 0)
        SKIP("only root may look into a process that is not dumpable");
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "read line",
                                                      .flags = WIRE_SETUP_STDIN,
                                                      .has_first = true }));
    fake_hello(fake.first, WIRE_WANT_STDIN);
    fake_barrier(fake.first);
    (void)CL_PRINT(path, "/proc/%d/comm", (int)fake.monitor);
    CHECK(cl_read_small(AT_FDCWD, path, value, sizeof value) > 0);
    CHECK_STR(value, "cloche-monitor\n");
    memset(value, 0, sizeof value);
    (void)CL_PRINT(path, "/proc/%d/cwd", (int)fake.monitor);
    CHECK(readlink(path, value, sizeof value - 1) > 0);
    CHECK_STR(value, "/");
    CHECK_INT(getsid(fake.monitor), fake.monitor);
    fake_say(fake.first, "go\n");
    fake_end(&fake);
}

/* Descriptors that a client sends along must not pile up. */
TEST(descriptors_of_clients_are_not_kept)
{
    struct fake fake;
    if (geteuid() != 0)
        SKIP("only root may look into a process that is not dumpable");
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "read line",
                                                      .flags = WIRE_SETUP_STDIN,
                                                      .has_first = true }));
    fake_hello(fake.first, WIRE_WANT_STDIN);
    fake_barrier(fake.first);
    size_t before = count_fds(fake.monitor);
    for (int i = 0; i < 10; i++) {
        struct wire_attach header = { .type = WIRE_HELLO };
        header.u.hello.flags = WIRE_WANT_STDIN;
        const int fds[2] = { 0, 1 };
        CHECK(cl_send_fds(fake.first, &header, sizeof header, fds, 2) > 0);
    }
    fake_barrier(fake.first);
    CHECK_INT(count_fds(fake.monitor), before);
    fake_say(fake.first, "go\n");
    fake_end(&fake);
}

TEST_MAIN
