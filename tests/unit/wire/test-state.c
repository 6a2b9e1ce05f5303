/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state record: what is written reads back the same, what is damaged is refused, what is unknown is ignored.
 */
#include "wire/wire.h"

#include "test.h"

static int parse(const char *text, struct wire_state *ret, struct cl_error *err)
{
    return wire_state_parse(text, strlen(text), ret, err);
}

TEST(status_names)
{
    CHECK_STR(wire_status_name(WIRE_CREATED), "created");
    CHECK_STR(wire_status_name(WIRE_RUNNING), "running");
    CHECK_STR(wire_status_name(WIRE_PAUSED), "paused");
    CHECK_STR(wire_status_name(WIRE_EXITED), "exited");
    CHECK_STR(wire_status_name((enum wire_status)17), "unknown");
}

TEST(format_is_the_documented_text)
{
    struct wire_state state = { .status = WIRE_EXITED,
                                .pid = 77,
                                .pid_start = 18446744073709551615U,
                                .monitor_pid = 5,
                                .boot_id = "e1b5a3f2-0000-4000-8000-123456789abc",
                                .exit_code = 137,
                                .oom_killed = true,
                                .started_ns = 1,
                                .finished_ns = INT64_MAX,
                                .cgroup = "cloche/a\\b",
                                .error = "two\nlines" };
    char buffer[WIRE_STATE_MAX];
    int length = wire_state_format(&state, buffer);
    CHECK_INT(length, strlen(buffer));
    CHECK_STR(buffer, "cloche-state 1\n"
                      "status exited\n"
                      "pid 77\n"
                      "pid_start 18446744073709551615\n"
                      "monitor_pid 5\n"
                      "monitor_start 0\n"
                      "boot_id e1b5a3f2-0000-4000-8000-123456789abc\n"
                      "exit_code 137\n"
                      "oom_killed 1\n"
                      "started_ns 1\n"
                      "finished_ns 9223372036854775807\n"
                      "cgroup cloche/a\\\\b\n"
                      "error two\\nlines\n");
}

static void check_same(const struct wire_state *a, const struct wire_state *b)
{
    CHECK_INT(a->status, b->status);
    CHECK_INT(a->pid, b->pid);
    CHECK(a->pid_start == b->pid_start);
    CHECK_INT(a->monitor_pid, b->monitor_pid);
    CHECK(a->monitor_start == b->monitor_start);
    CHECK_STR(a->boot_id, b->boot_id);
    CHECK_INT(a->exit_code, b->exit_code);
    CHECK_INT(a->oom_killed, b->oom_killed);
    CHECK_INT(a->started_ns, b->started_ns);
    CHECK_INT(a->finished_ns, b->finished_ns);
    CHECK_STR(a->cgroup, b->cgroup);
    CHECK_STR(a->error, b->error);
}

TEST(every_status_reads_back)
{
    for (int status = WIRE_CREATED; status <= WIRE_EXITED; status++) {
        struct wire_state in = { .status = (enum wire_status)status, .pid = 2147483647 };
        in.exit_code = 255;
        in.monitor_start = 123456789;
        (void)CL_PRINT(in.error, "%s", "\\n is not a newline, \n is; a blank ends \\");
        char buffer[WIRE_STATE_MAX];
        int length = wire_state_format(&in, buffer);
        REQUIRE(length > 0);
        struct wire_state out;
        struct cl_error err = { 0 };
        CHECK_INT(wire_state_parse(buffer, (size_t)length, &out, &err), 0);
        check_same(&in, &out);
    }
}

TEST(the_longest_record_fits)
{
    struct wire_state in, out;
    memset(&in, '\n', sizeof in); /* every text full of what takes two bytes, and without an end */
    in.status = WIRE_RUNNING;
    in.pid = in.monitor_pid = 2147483647;
    in.pid_start = in.monitor_start = UINT64_MAX;
    in.exit_code = 255;
    in.oom_killed = true;
    in.started_ns = in.finished_ns = INT64_MAX;
    char buffer[WIRE_STATE_MAX];
    CHECK(wire_state_format(&in, buffer) > 0);
    in.boot_id[36] = in.cgroup[255] = in.error[479] = '\0';
    int length = wire_state_format(&in, buffer);
    REQUIRE(length > 0);
    CHECK_INT(wire_state_parse(buffer, (size_t)length, &out, NULL), 0);
    check_same(&in, &out);
}

TEST(missing_is_zero_and_unknown_is_ignored)
{
    struct wire_state out;
    memset(&out, 0xff, sizeof out);
    CHECK_INT(parse("cloche-state 1\nrestarts 7\npid 12\nnew_text a b c\n", &out, NULL), 0);
    CHECK_INT(out.pid, 12);
    CHECK_INT(out.status, WIRE_CREATED);
    CHECK_STR(out.error, "");
    CHECK_INT(out.finished_ns, 0);
    CHECK_INT(parse("cloche-state 1\n", &out, NULL), 0);
    CHECK_INT(out.pid, 0);
}

TEST(damage_is_refused)
{
    static const char *const bad[] = {
        "",
        "cloche-state 1",
        "cloche-state 2\npid 1\n",
        "pid 1\n",
        "cloche-state 1\npid 1",              /* cut */
        "cloche-state 1\npid\n",              /* no value */
        "cloche-state 1\n pid 1\n",           /* no key */
        "cloche-state 1\n\n",                 /* empty line */
        "cloche-state 1\npid 1\npid 2\n",     /* which? */
        "cloche-state 1\npid -1\n",           /* a group */
        "cloche-state 1\npid 2147483648\n",   /* wraps */
        "cloche-state 1\npid 0x10\n",         /* other base */
        "cloche-state 1\npid  1\n",           /* blank */
        "cloche-state 1\npid 1 \n",           /* blank */
        "cloche-state 1\npid \n",             /* empty number */
        "cloche-state 1\nexit_code 256\n",    /* not an exit code */
        "cloche-state 1\noom_killed 2\n",     /* not a boolean */
        "cloche-state 1\nstatus dead\n",      /* unknown status */
        "cloche-state 1\nstatus \n",          /* none */
        "cloche-state 1\nerror a\\tb\n",      /* unknown escape */
        "cloche-state 1\nerror ends in \\\n", /* cut escape */
        "cloche-state 1\npid_start 18446744073709551616\n",
        "cloche-state 1\nstarted_ns -1\n",
        "cloche-state 1\npid 0000000000000000000000000000000001\n",
        "cloche-state 1\nboot_id 1234567890123456789012345678901234567\n", /* 37 characters */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct wire_state out = { .pid = 4242 };
        struct cl_error err = { 0 };
        if (parse(bad[i], &out, &err) != -EBADMSG || err.kind != CL_KIND_CORRUPT)
            TEST_SAY("not refused as corrupt: %s", bad[i]);
        CHECK_INT(out.pid, 4242); /* untouched */
        CHECK_CONTAINS(err.text, "read container state: ");
    }
    struct wire_state out;
    CHECK_INT(wire_state_parse("cloche-state 1\nerror a\0b\n", 25, &out, NULL), -EBADMSG);
    char large[WIRE_STATE_MAX + 1] = "cloche-state 1\nunknown ";
    memset(large + strlen(large), 'x', sizeof large - strlen(large));
    large[sizeof large - 1] = '\n';
    CHECK_INT(wire_state_parse(large, sizeof large, &out, NULL), -EBADMSG);
}

TEST(every_cut_of_a_record_is_refused_or_shorter)
{
    struct wire_state in = { .status = WIRE_RUNNING, .pid = 1234, .exit_code = 3 };
    char buffer[WIRE_STATE_MAX];
    int length = wire_state_format(&in, buffer);
    for (int size = 0; size < length; size++) {
        struct wire_state out;
        int r = wire_state_parse(buffer, (size_t)size, &out, NULL);
        bool is_at_line = size >= 15 && buffer[size - 1] == '\n';
        CHECK_INT(r, is_at_line ? 0 : -EBADMSG);
    }
}

TEST_MAIN
