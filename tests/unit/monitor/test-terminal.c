/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container with a terminal: one stream, size, keys, and the other end being let go and taken up again.
 */
#include "fake.h"

static struct fake_output output;

#define ALL (WIRE_WANT_STDOUT | WIRE_WANT_STDERR | WIRE_WANT_STDIN)

static bool start(struct fake *fake, const char *script)
{
    bool is_started =
        fake_start(fake, &(struct fake_options){ .script = script,
                                                 .flags = WIRE_SETUP_TERMINAL | WIRE_SETUP_STDIN |
                                                          WIRE_SETUP_STDIN_ONCE,
                                                 .has_first = true });
    if (is_started)
        fake_hello(fake->first, ALL);
    return is_started;
}

TEST(all_output_is_one_stream)
{
    struct fake fake;
    char log[200];
    REQUIRE(start(&fake, "echo out; echo err >&2; exit 2"));
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "out\r\nerr\r\n");
    CHECK_INT(output.err_size, 0);
    CHECK_INT(output.code, 2);
    CHECK_INT(fake_wait(&fake), 0);
    fake_log(&fake, "log", "stdout", log, sizeof log);
    CHECK_STR(log, "out\r\nerr\r\n");
    fake_end(&fake);
}

TEST(the_last_output_is_not_lost)
{
    struct fake fake;
    REQUIRE(start(&fake, "stty -opost; head -c 300000 /dev/zero | tr '\\0' z; printf end"));
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.out_size, 300003);
    CHECK_INT(output.code, 0);
    fake_end(&fake);
}

TEST(resize_and_keys)
{
    struct fake fake;
    REQUIRE(start(&fake, "stty -echo; echo ready; read line; stty size; echo \"$line\""));
    fake_collect(fake.first, "ready", &output);
    fake_number(fake.first, WIRE_RESIZE, 33, 111);
    fake_say(fake.first, "typed\r");
    fake_collect(fake.first, NULL, &output);
    CHECK_CONTAINS(output.out, "33 111\r\ntyped\r\n");
    fake_end(&fake);
}

TEST(a_resize_is_a_signal_inside)
{
    struct fake fake;
    REQUIRE(
        start(&fake, "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.02; done"));
    fake_collect(fake.first, "ready", &output);
    fake_number(fake.first, WIRE_RESIZE, 5, 7);
    fake_collect(fake.first, NULL, &output);
    CHECK_CONTAINS(output.out, "5 7\r\n");
    fake_end(&fake);
}

TEST(control_c_interrupts)
{
    struct fake fake;
    REQUIRE(start(&fake, "trap 'exit 130' INT; echo ready; while :; do sleep 0.02; done"));
    fake_collect(fake.first, "ready", &output);
    fake_say(fake.first, "\003");
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.code, 130);
    fake_end(&fake);
}

/* Neither STDIN_END nor leaving ends a terminal: people detach and come back. */
TEST(a_terminal_has_no_end_of_input)
{
    struct fake fake;
    REQUIRE(start(&fake, "stty -echo; echo ready; read a; echo got $a; read b; echo got $b"));
    fake_collect(fake.first, "ready", &output);
    fake_number(fake.first, WIRE_STDIN_END, 0, 0);
    fake_say(fake.first, "one\n");
    fake_collect(fake.first, "got one", &output);
    fake.first = cl_close(fake.first);
    int again = fake_connect(&fake, ALL);
    fake_say(again, "two\n");
    fake_collect(again, NULL, &output);
    CHECK_CONTAINS(output.out, "got two");
    CHECK_INT(output.code, 0);
    (void)cl_close(again);
    fake_end(&fake);
}

/* User and system time of the monitor so far, in clock ticks. */
static long ticks_of(pid_t pid)
{
    struct procfs_stat stat = { 0 };
    cl_auto_fd proc = procfs_open_host(NULL);
    cl_auto_fd process = procfs_open_pid(proc, pid);
    return procfs_read_stat(process, &stat) < 0 ? -1 : (long)(stat.user_ticks + stat.system_ticks);
}

TEST(the_other_end_may_be_let_go_and_taken_up_again)
{
    struct fake fake;
    REQUIRE(start(&fake, "t=$(tty); echo before; exec <&- >&- 2>&-; sleep 0.5;"
                         "exec <$t >$t 2>$t; echo after; read line; echo $line"));
    fake_collect(fake.first, "after", &output);
    CHECK_CONTAINS(output.out, "before\r\nafter");
    long ticks = ticks_of(fake.monitor);
    CHECK(ticks >= 0 && ticks < 25); /* half a second of spinning would be about 50 */
    fake_say(fake.first, "typed\n");
    fake_collect(fake.first, NULL, &output);
    CHECK_CONTAINS(output.out, "typed\r\n");
    CHECK_INT(output.code, 0);
    fake_end(&fake);
}

TEST(who_still_holds_the_terminal_does_not_hold_the_end_up)
{
    struct fake fake;
    int pid = 0;
    REQUIRE(start(&fake, "trap '' HUP; setsid sleep 1000 & echo pid $!; exit 4"));
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.code, 4);
    CHECK_INT(sscanf(output.out, "pid %d", &pid), 1);
    REQUIRE(pid > 1);
    CHECK_INT(kill(pid, SIGKILL), 0);
    fake_end(&fake);
}

/* More than the terminal takes while nobody reads it. */
TEST(keys_wait_until_they_are_read)
{
    struct fake fake;
    static char line[1001];
    memset(line, 'k', sizeof line - 1);
    line[999] = '\n';
    REQUIRE(start(&fake, "stty -echo raw; echo ready; head -c 500000 | wc -c"));
    fake_collect(fake.first, "ready", &output);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 500; i++)
            fake_say(fake.first, line);
        _exit(0);
    }
    fake_collect(fake.first, NULL, &output);
    CHECK_CONTAINS(output.out, "500000");
    int status;
    CHECK_INT(waitpid(child, &status, 0), child);
    fake_end(&fake);
}

TEST_MAIN
