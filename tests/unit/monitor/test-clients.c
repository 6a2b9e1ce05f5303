/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients: several at once, late ones, slow ones, ones that send nonsense; standard input; signals.
 */
#include "fake.h"

static struct fake_output output, other;

#define BOTH (WIRE_WANT_STDOUT | WIRE_WANT_STDERR)
#define ALL  (BOTH | WIRE_WANT_STDIN)

TEST(several_clients_get_the_same)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){
                                  .script = "read line; echo \"got $line\"; echo bad >&2; exit 9",
                                  .flags = WIRE_SETUP_STDIN,
                                  .has_first = true }));
    fake_hello(fake.first, ALL);
    int both = fake_connect(&fake, BOTH), only_err = fake_connect(&fake, WIRE_WANT_STDERR);
    fake_say(fake.first, "it\n");
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "got it\n");
    CHECK_STR(output.err, "bad\n");
    CHECK_INT(output.code, 9);
    fake_collect(both, NULL, &output);
    CHECK_STR(output.out, "got it\n");
    CHECK_STR(output.err, "bad\n");
    CHECK_INT(output.code, 9);
    fake_collect(only_err, NULL, &output);
    CHECK_STR(output.out, "");
    CHECK_STR(output.err, "bad\n");
    CHECK_INT(output.code, 9);
    (void)cl_close(both);
    (void)cl_close(only_err);
    fake_end(&fake);
}

TEST(who_only_waits_gets_only_the_exit)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "read line; echo noise; exit 2",
                                                      .flags = WIRE_SETUP_STDIN,
                                                      .has_first = true }));
    fake_hello(fake.first, ALL);
    int waiting = fake_connect(&fake, 0);
    fake_say(fake.first, "\n");
    fake_collect(waiting, NULL, &output);
    CHECK_INT(output.out_size, 0);
    CHECK_INT(output.code, 2);
    (void)cl_close(waiting);
    fake_end(&fake);
}

TEST(a_late_client_gets_what_is_new)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "echo old; read line; echo new",
                                                      .flags = WIRE_SETUP_STDIN,
                                                      .has_first = true }));
    fake_hello(fake.first, ALL);
    fake_collect(fake.first, "old\n", &output);
    int late = fake_connect(&fake, BOTH);
    fake_say(fake.first, "\n");
    fake_collect(late, NULL, &output);
    CHECK_STR(output.out, "new\n");
    CHECK_INT(output.code, 0);
    (void)cl_close(late);
    fake_end(&fake);
}

/* Output that is there before the first client has spoken waits for it. */
TEST(the_first_client_may_take_its_time)
{
    struct fake fake;
    REQUIRE(fake_start(
        &fake, &(struct fake_options){ .script = "echo early; exit 6", .has_first = true }));
    int watching = fake_connect(&fake, BOTH); /* the monitor is at work by now */
    fake_hello(fake.first, BOTH);
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "early\n");
    CHECK_INT(output.code, 6);
    fake_collect(watching, NULL, &output);
    CHECK_STR(output.out, "early\n");
    (void)cl_close(watching);
    fake_end(&fake);
}

TEST(a_first_client_that_never_speaks_is_dropped)
{
    struct fake fake;
    struct wire_state state;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "echo unseen; exit 6",
                                                      .has_first = true,
                                                      .patience = 50 }));
    CHECK_INT(fake_wait(&fake), 0);
    CHECK(fake_state(&fake, &state) && state.exit_code == 6);
    char log[100];
    fake_log(&fake, "log", "stdout", log, sizeof log);
    CHECK_STR(log, "unseen\n");
    fake_end(&fake);
}

TEST(a_first_client_that_leaves_at_once)
{
    struct fake fake;
    struct wire_state state;
    REQUIRE(fake_start(
        &fake, &(struct fake_options){ .script = "echo unseen; exit 6", .has_first = true }));
    fake.first = cl_close(fake.first);
    CHECK_INT(fake_wait(&fake), 0);
    CHECK(fake_state(&fake, &state) && state.exit_code == 6);
    fake_end(&fake);
}

/* ---- standard input ---- */

TEST(stdin_goes_in_and_its_end_too)
{
    struct fake fake;
    REQUIRE(
        fake_start(&fake, &(struct fake_options){ .script = "cat; echo end",
                                                  .flags = WIRE_SETUP_STDIN | WIRE_SETUP_STDIN_ONCE,
                                                  .has_first = true }));
    fake_hello(fake.first, ALL);
    fake_say(fake.first, "some text\n");
    fake_number(fake.first, WIRE_STDIN_END, 0, 0);
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "some text\nend\n");
    fake_end(&fake);
}

TEST(stdin_once_ends_when_its_client_leaves)
{
    struct fake fake;
    REQUIRE(
        fake_start(&fake, &(struct fake_options){ .script = "cat; echo end",
                                                  .flags = WIRE_SETUP_STDIN | WIRE_SETUP_STDIN_ONCE,
                                                  .has_first = true }));
    int watching = fake_connect(&fake, BOTH);
    fake_hello(fake.first, ALL);
    fake_say(fake.first, "last words\n");
    fake.first = cl_close(fake.first);
    fake_collect(watching, NULL, &output);
    CHECK_STR(output.out, "last words\nend\n");
    (void)cl_close(watching);
    fake_end(&fake);
}

TEST(a_client_without_stdin_may_leave)
{
    struct fake fake;
    REQUIRE(
        fake_start(&fake, &(struct fake_options){ .script = "cat",
                                                  .flags = WIRE_SETUP_STDIN | WIRE_SETUP_STDIN_ONCE,
                                                  .has_first = true }));
    fake_hello(fake.first, ALL);
    int watching = fake_connect(&fake, BOTH);
    (void)cl_close(watching);
    watching = fake_connect(&fake, BOTH); /* the other's leaving has been seen by now */
    fake_say(fake.first, "still open\n");
    fake_number(fake.first, WIRE_STDIN_END, 0, 0);
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "still open\n");
    (void)cl_close(watching);
    fake_end(&fake);
}

TEST(without_once_several_clients_feed_it_in_turn)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "read a; read b; echo $a $b",
                                                      .flags = WIRE_SETUP_STDIN,
                                                      .has_first = true }));
    int second = fake_connect(&fake, ALL);
    fake_hello(fake.first, ALL);
    fake_say(fake.first, "one\n");
    fake_number(fake.first, WIRE_STDIN_END, 0, 0);
    fake_barrier(fake.first);
    fake.first = cl_close(fake.first);
    fake_say(second, "two\n");
    fake_collect(second, NULL, &output);
    CHECK_STR(output.out, "one two\n");
    (void)cl_close(second);
    fake_end(&fake);
}

TEST(what_is_not_possible_is_said)
{
    struct fake fake;
    REQUIRE(fake_start(&fake,
                       &(struct fake_options){ .script = "exec <&-; echo closed; exec sleep 1000",
                                               .flags = WIRE_SETUP_STDIN,
                                               .has_first = true }));
    fake_hello(fake.first, ALL);
    fake_collect(fake.first, "closed", &output);
    fake_say(fake.first, "nobody reads this\n");
    fake_expect_error(fake.first, -EPIPE, "end is closed");
    fake_number(fake.first, WIRE_RESIZE, 24, 80);
    fake_expect_error(fake.first, -ENOTTY, "no terminal");
    int quiet = fake_connect(&fake, BOTH);
    fake_say(quiet, "I did not say that I would\n");
    fake_expect_error(quiet, -EPROTO, "HELLO did not ask");
    fake_number(quiet, WIRE_SIGNAL, SIGKILL, 0);
    fake_collect(quiet, NULL, &output);
    CHECK_INT(output.code, 137);
    (void)cl_close(quiet);
    fake_end(&fake);
}

TEST(no_stdin_without_dash_i)
{
    struct fake fake;
    REQUIRE(fake_start(&fake,
                       &(struct fake_options){ .script = "exec sleep 1000", .has_first = true }));
    fake_hello(fake.first, ALL);
    fake_say(fake.first, "x");
    fake_expect_error(fake.first, -EPIPE, "without -i");
    fake_number(fake.first, WIRE_SIGNAL, SIGTERM, 0);
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.code, 143);
    fake_end(&fake);
}

/* A child of the test that sends so much through fd. */
static pid_t feed(int fd, size_t size)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    static char text[WIRE_PAYLOAD_MAX];
    memset(text, 'm', sizeof text);
    for (size_t done = 0; done < size;) {
        struct wire_attach header = { .type = WIRE_STDIN };
        header.size = (uint32_t)(size - done < sizeof text ? size - done : sizeof text);
        struct iovec parts[2] = { { &header, sizeof header }, { text, header.size } };
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
        if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
            _exit(1); /* the monitor is gone */
        done += header.size;
    }
    fake_number(fd, WIRE_STDIN_END, 0, 0);
    _exit(0);
}

TEST(more_stdin_than_anything_can_hold)
{
    struct fake fake;
    int status;
    REQUIRE(
        fake_start(&fake, &(struct fake_options){ .script = "read go <&- ; wc -c",
                                                  .flags = WIRE_SETUP_STDIN | WIRE_SETUP_STDIN_ONCE,
                                                  .has_first = true }));
    fake_hello(fake.first, ALL);
    pid_t child = feed(fake.first, 4000001);
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "4000001\n");
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    fake_end(&fake);
}

/* While one client's stdin is stuck, others are served. */
TEST(a_container_that_does_not_read)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "exec sleep 1000",
                                                      .flags = WIRE_SETUP_STDIN,
                                                      .has_first = true }));
    fake_hello(fake.first, ALL);
    /* Without an end: what is sent between the container's death and the monitor's is taken and thrown away, be it megabytes. */
    pid_t child = feed(fake.first, SIZE_MAX);
    int killer = fake_connect(&fake, 0);
    fake_number(killer, WIRE_SIGNAL, SIGKILL, 0);
    fake_collect(killer, NULL, &output);
    CHECK_INT(output.code, 137);
    (void)cl_close(killer);
    int status;
    CHECK_INT(fake_wait(&fake), 0);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(WEXITSTATUS(status), 1); /* its socket was gone, so its sends failed */
    fake_end(&fake);
}

/* ---- slow clients ---- */

TEST(a_slow_client_holds_the_output_and_loses_none)
{
    struct fake fake;
    REQUIRE(
        fake_start(&fake, &(struct fake_options){ .script = "read line; head -c 3000000 /dev/zero",
                                                  .flags = WIRE_SETUP_STDIN,
                                                  .has_first = true }));
    fake_hello(fake.first, ALL);
    int fast = fake_connect(&fake, BOTH);
    fake_say(fake.first, "\n");
    struct pollfd slot = { .fd = fast, .events = POLLIN };
    size_t before = 0;
    struct fake_message message;
    /* Until nothing comes any more, once it has begun to come. */
    while (poll(&slot, 1, before == 0 ? FAKE_HANG_SECONDS * 1000 : 300) == 1 &&
           fake_receive(fast, &message))
        before += message.header.size;
    CHECK(before > 0);
    CHECK(before < 3000000); /* the slow one's socket is full */
    (void)fflush(stdout);
    pid_t child = fork(); /* now both read */
    if (child == 0) {
        fake_collect(fast, NULL, &other);
        _exit(before + other.out_size == 3000000 && other.code == 0 ? 0 : 1);
    }
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.out_size, 3000000);
    CHECK_INT(output.code, 0);
    int status = -1;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    (void)cl_close(fast);
    fake_end(&fake);
}

/* `run ... | less`: what waits for its reader is not lost, however long that takes. */
TEST(the_first_client_is_waited_for)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "head -c 3000000 /dev/zero; exit 8",
                                                      .has_first = true,
                                                      .patience = 20 }));
    fake_hello(fake.first, BOTH);
    usleep(200000); /* ten times its patience */
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.out_size, 3000000);
    CHECK_INT(output.code, 8);
    fake_end(&fake);
}

TEST(a_client_that_never_reads_is_dropped)
{
    struct fake fake;
    REQUIRE(fake_start(
        &fake, &(struct fake_options){ .script = "read line; head -c 3000000 /dev/zero; exit 8",
                                       .flags = WIRE_SETUP_STDIN,
                                       .has_first = true,
                                       .patience = 100 }));
    fake_hello(fake.first, ALL);
    int stuck = fake_connect(&fake, BOTH);
    fake_say(fake.first, "\n");
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.out_size, 3000000);
    CHECK_INT(output.code, 8);
    CHECK_INT(fake_wait(&fake), 0);
    fake_collect(stuck, NULL, &other);
    CHECK(other.out_size > 0 && other.out_size < 3000000);
    CHECK_INT(other.code, -1); /* it was dropped before the end */
    (void)cl_close(stuck);
    fake_end(&fake);
}

/* Init is dead, its output waits for a slow client: the record is there all the same, and the output comes whole. */
TEST(a_slow_client_does_not_hold_the_record_up)
{
    struct fake fake;
    struct wire_state state = { 0 };
    /*
     * What a socket takes depends on how the monitor happens to cut the stream: small packets cost it more than they hold. This room is
     * for one whole packet, so with what one more may exceed it by, and the piece that is owed, 49 KiB is the most that leaves the pipe; and
     * the pipe alone can hold everything, so that the writer ends in any case.
     */
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "head -c 56000 /dev/zero; exit 3",
                                                      .has_first = true,
                                                      .first_room = 8300 }));
    fake_hello(fake.first, BOTH);
    int watching = fake_connect(&fake, 0);
    for (int i = 0; i < 3000 && !fake_state(&fake, &state); i++)
        usleep(10000);
    CHECK_INT(state.status, WIRE_EXITED);
    fake_collect(fake.first, NULL, &output);
    CHECK_INT(output.out_size, 56000);
    CHECK_INT(output.code, 3);
    fake_collect(watching, NULL, &output);
    CHECK_INT(output.code, 3);
    (void)cl_close(watching);
    fake_end(&fake);
}

/* ---- nonsense ---- */

static void send_raw(int fd, uint32_t type, uint32_t size, size_t packet)
{
    static char bytes[3 * WIRE_PAYLOAD_MAX];
    struct wire_attach header = { .type = type, .size = size };
    memcpy(bytes, &header, sizeof header);
    CHECK_INT(send(fd, bytes, packet, MSG_NOSIGNAL), packet);
}

TEST(nonsense_is_answered_and_harms_nothing)
{
    struct fake fake;
    const size_t head = sizeof(struct wire_attach);
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "read line; echo $line",
                                                      .flags = WIRE_SETUP_STDIN,
                                                      .has_first = true }));
    fake_hello(fake.first, ALL);
    const struct {
        uint32_t type, size;
        size_t packet;
    } rows[] = {
        { 0, 0, head },
        { 0xffffffff, 0xffffffff, head },
        { WIRE_STDIN, 1, 1 },
        { WIRE_STDIN, 0, head },
        { WIRE_STDIN, 5, head },
        { WIRE_STDIN, 5, head + 6 },
        { WIRE_STDIN, WIRE_PAYLOAD_MAX + 1, head + WIRE_PAYLOAD_MAX + 1 },
        { WIRE_STDIN, 40000, head + 40000 },
        { WIRE_STDOUT, 3, head + 3 },
        { WIRE_EXIT, 0, head },
        { WIRE_HELLO, 1, head + 1 },
        { WIRE_SIGNAL, 0, head }, /* signal 0 */
    };
    for (size_t i = 0; i < CL_COUNT(rows); i++) {
        send_raw(fake.first, rows[i].type, rows[i].size, rows[i].packet);
        fake_expect_error(fake.first, -EPROTO, "not of this protocol");
    }
    fake_number(fake.first, WIRE_SIGNAL, (uint32_t)-5, 0);
    fake_expect_error(fake.first, -EPROTO, "not of this protocol");
    fake_say(fake.first, "alive\n");
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "alive\n");
    fake_end(&fake);
}

TEST(a_flood_of_nonsense_that_nobody_reads_the_answers_of)
{
    struct fake fake;
    REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "read line; echo $line",
                                                      .flags = WIRE_SETUP_STDIN,
                                                      .has_first = true }));
    fake_hello(fake.first, ALL);
    int noisy = fake_connect(&fake, 0);
    for (int i = 0; i < 5000; i++)
        send_raw(noisy, 99, 0, sizeof(struct wire_attach));
    fake_say(fake.first, "alive\n");
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "alive\n");
    (void)cl_close(noisy);
    fake_end(&fake);
}

TEST(the_33rd_client_is_refused)
{
    struct fake fake;
    int clients[MONITOR_CLIENTS];
    REQUIRE(fake_start(&fake,
                       &(struct fake_options){ .script = "read line", .flags = WIRE_SETUP_STDIN }));
    for (size_t i = 0; i < MONITOR_CLIENTS; i++)
        clients[i] = fake_connect(&fake, WIRE_WANT_STDIN);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)CL_PRINT(address.sun_path, "%s/" WIRE_SETUP_SOCKET_NAME, fake.path);
    int last = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CHECK_INT(connect(last, (struct sockaddr *)&address, sizeof address), 0);
    fake_expect_error(last, -EUSERS, "32 clients");
    (void)cl_close(last);
    clients[7] = cl_close(clients[7]); /* there is room again */
    clients[7] = fake_connect(&fake, WIRE_WANT_STDIN);
    fake_say(clients[7], "\n");
    for (size_t i = 0; i < MONITOR_CLIENTS; i++) {
        fake_collect(clients[i], NULL, &output);
        CHECK_INT(output.code, 0);
        (void)cl_close(clients[i]);
    }
    fake_end(&fake);
}

TEST(signals_reach_the_container)
{
    struct fake fake;
    REQUIRE(fake_start(
        &fake, &(struct fake_options){ .script = "trap 'echo usr1; exit 0' USR1; echo ready;"
                                                 "while :; do sleep 0.02; done",
                                       .has_first = true }));
    fake_hello(fake.first, BOTH);
    fake_collect(fake.first, "ready", &output);
    fake_number(fake.first, WIRE_SIGNAL, SIGUSR1, 0);
    fake_collect(fake.first, NULL, &output);
    CHECK_STR(output.out, "usr1\n");
    CHECK_INT(output.code, 0);
    fake_end(&fake);
}

/* Another user's process may not attach, even where it can reach the socket. */
TEST(another_user_is_refused)
{
    struct fake fake;
    int status = 0;
    if (geteuid() == 0) {
        REQUIRE(fake_start(&fake, &(struct fake_options){ .script = "read line",
                                                          .flags = WIRE_SETUP_STDIN,
                                                          .has_first = true }));
        fake_hello(fake.first, ALL);
        fake_barrier(fake.first);
        CHECK_INT(fchmod(fake.dir, 0755), 0);
        CHECK_INT(fchmodat(fake.dir, WIRE_SETUP_SOCKET_NAME, 0666, 0), 0);
        (void)fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            struct sockaddr_un address = { .sun_family = AF_UNIX };
            struct fake_message message;
            int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
            (void)CL_PRINT(address.sun_path, "%s/" WIRE_SETUP_SOCKET_NAME, fake.path);
            if (setresuid(65534, 65534, 65534) < 0 ||
                connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
                _exit(1);
            if (!fake_receive(fd, &message) || message.header.type != WIRE_ERROR)
                _exit(2);
            _exit(fake_receive(fd, &message) ? 3 : 0); /* then the connection ends */
        }
        CHECK_INT(waitpid(child, &status, 0), child);
        CHECK_INT(status, 0);
        fake_say(fake.first, "\n");
        fake_end(&fake);
    } else {
        SKIP("needs root to become another user");
    }
}

TEST_MAIN
