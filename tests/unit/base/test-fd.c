/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: closing, whole transfers, and passing them over sockets. */
#include "base/fd.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "test.h"

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static bool is_cloexec(int fd)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

TEST(closing_keeps_errno)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    errno = 17;
    CHECK_INT(cl_close(fd), -EBADF);
    CHECK(!is_open(fd));
    CHECK_INT(cl_close(fd), -EBADF);
    CHECK_INT(cl_close(-1), -EBADF);
    CHECK_INT(cl_close(-EBADF), -EBADF);
}

TEST(errno_survives_a_failing_close)
{
    errno = 17;
    (void)cl_close(1000000);
    CHECK_INT(errno, 17);
}

TEST(scopes_close_and_taking_does_not)
{
    int outside;
    {
        cl_auto_fd fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        outside = fd;
    }
    CHECK(!is_open(outside));
    {
        cl_auto_fd fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        outside = cl_take_fd(&fd);
        CHECK_INT(fd, -EBADF);
    }
    CHECK(is_open(outside));
    (void)cl_close(outside);
}

TEST(pipes_are_cloexec_and_transfers_are_whole)
{
    cl_auto_fd in = -EBADF, out = -EBADF;
    char text[16] = "";
    REQUIRE(cl_pipe(&in, &out) == 0);
    CHECK(is_cloexec(in) && is_cloexec(out));
    CHECK_INT(cl_write_full(out, "abc", 3), 3);
    CHECK_INT(cl_write_full(out, "de", 2), 2);
    out = cl_close(out);
    CHECK_INT(cl_read_full(in, text, sizeof text), 5);
    CHECK_STR(text, "abcde");
    CHECK_INT(cl_read_full(in, text, sizeof text), 0);
    CHECK_INT(cl_read_full(-1, text, 1), -EBADF);
    CHECK_INT(cl_write_full(-1, text, 1), -EBADF);
}

TEST(descriptors_travel)
{
    cl_auto_fd a = -EBADF, b = -EBADF, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int received[8];
    size_t count = 9;
    char text[8] = "";
    REQUIRE(cl_socketpair(SOCK_SEQPACKET, &a, &b) == 0);
    CHECK(is_cloexec(a) && is_cloexec(b));
    int sent[3] = { null, a, b };
    CHECK_INT(cl_send_fds(a, "hi", 2, sent, 3), 2);
    CHECK_INT(cl_recv_fds(b, text, sizeof text, received, 8, &count), 2);
    CHECK_STR(text, "hi");
    REQUIRE(count == 3);
    for (size_t i = 0; i < count; i++) {
        CHECK(is_cloexec(received[i]));
        (void)cl_close(received[i]);
    }
    CHECK_INT(cl_send_fds(a, "no", 2, NULL, 0), 2);
    CHECK_INT(cl_recv_fds(b, text, sizeof text, received, 8, &count), 2);
    CHECK_INT(count, 0);
}

TEST(surplus_descriptors_are_closed)
{
    cl_auto_fd a = -EBADF, b = -EBADF;
    int received[1] = { -1 };
    size_t count = 0;
    char text[8];
    REQUIRE(cl_socketpair(SOCK_SEQPACKET, &a, &b) == 0);
    int sent[3] = { a, b, a };
    int next = dup(a); /* where the next descriptors will be */
    close(next);
    CHECK_INT(cl_send_fds(a, "x", 1, sent, 3), 1);
    CHECK_INT(cl_recv_fds(b, text, sizeof text, received, 1, &count), 1);
    CHECK_INT(count, 1);
    CHECK_INT(received[0], next);
    CHECK(!is_open(next + 1) && !is_open(next + 2));
    (void)cl_close(received[0]);
}

TEST(socket_failures)
{
    cl_auto_fd a = -EBADF, b = -EBADF;
    int nine[9] = { 0 };
    char text[8];
    size_t count;
    REQUIRE(cl_socketpair(SOCK_STREAM, &a, &b) == 0);
    CHECK_INT(cl_send_fds(a, "x", 1, nine, 9), -EINVAL);
    b = cl_close(b);
    CHECK_INT(cl_send_fds(a, "x", 1, NULL, 0), -EPIPE); /* and no SIGPIPE */
    CHECK_INT(cl_recv_fds(a, text, sizeof text, NULL, 0, &count), 0);
    CHECK_INT(cl_recv_fds(-1, text, sizeof text, NULL, 0, &count), -EBADF);
}

TEST_MAIN
