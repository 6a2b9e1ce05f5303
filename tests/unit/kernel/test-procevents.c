/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proc connector's messages, as bytes and from the kernel.
 */
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sys/wait.h>

#include "kernel/procevents.h"
#include "test.h"

#define START (NLMSG_HDRLEN + sizeof(struct cn_msg))

/* A message with `words` as its struct proc_event. */
static size_t make(char buffer[static 256], const uint32_t *words, size_t count)
{
    size_t size = START + count * sizeof *words;
    struct nlmsghdr header = { .nlmsg_len = (uint32_t)size };
    struct cn_msg connector = { .id = { CN_IDX_PROC, CN_VAL_PROC },
                                .len = (uint16_t)(count * sizeof *words) };
    memcpy(buffer, &header, sizeof header);
    memcpy(buffer + NLMSG_HDRLEN, &connector, sizeof connector);
    memcpy(buffer + START, words, count * sizeof *words);
    return size;
}

TEST(a_fork_has_a_child_and_its_parent)
{
    char buffer[256];
    struct k_proc_event event;
    const uint32_t words[] = { 1, 0, 5, 0, 11, 10, 21, 20, 0, 0 };
    REQUIRE(k_proc_event_parse(buffer, make(buffer, words, CL_COUNT(words)), &event));
    CHECK_INT(event.kind, K_PROC_FORK);
    CHECK_INT(event.pid, 20);
    CHECK_INT(event.tid, 21);
    CHECK_INT(event.parent, 10);
    CHECK_INT(event.when_ns, 5);
}

TEST(an_exit_has_a_status)
{
    char buffer[256];
    struct k_proc_event event;
    const uint32_t words[] = { 0x80000000, 0, 0, 1, 21, 20, 0x300, 17, 11, 10 };
    REQUIRE(k_proc_event_parse(buffer, make(buffer, words, CL_COUNT(words)), &event));
    CHECK_INT(event.kind, K_PROC_EXIT);
    CHECK_INT(event.pid, 20);
    CHECK_INT(WEXITSTATUS(event.code), 3);
    CHECK_INT(event.parent, 10);
}

TEST(an_answer_names_who_asked)
{
    char buffer[256];
    struct k_proc_event event;
    const uint32_t words[] = { 0, 0, 0, 0, 1, 0, 0, 0, 0, 0 };
    size_t size = make(buffer, words, CL_COUNT(words));
    ((struct cn_msg *)(void *)(buffer + NLMSG_HDRLEN))->ack = 21;
    REQUIRE(k_proc_event_parse(buffer, size, &event));
    CHECK_INT(event.kind, K_PROC_ACK);
    CHECK_INT(event.pid, 20);
    CHECK_INT(event.code, EPERM);
}

TEST(what_is_short_or_of_others_is_refused)
{
    char buffer[256];
    struct k_proc_event event;
    const uint32_t words[] = { 2, 0, 0, 0, 7, 7, 0, 0, 0, 0 };
    size_t size = make(buffer, words, CL_COUNT(words));
    REQUIRE(k_proc_event_parse(buffer, size, &event));
    for (size_t cut = 0; cut < size; cut++)
        CHECK(!k_proc_event_parse(buffer, cut, &event));
    ((struct cn_msg *)(void *)(buffer + NLMSG_HDRLEN))->id.idx = 9;
    CHECK(!k_proc_event_parse(buffer, size, &event));
}

TEST(the_kernel_tells_of_a_child)
{
    struct cl_error err = { 0 };
    struct k_proc_event event;
    int fd = k_proc_events_open(&err);
    if (fd < 0) {
        CHECK_CONTAINS(err.text, "CAP_NET_ADMIN");
        SKIP("the proc connector is not for us here");
    }
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    bool is_born = false, has_ended = false;
    while (!has_ended) {
        int got = k_proc_events_next(fd, true, &event);
        if (got < 0)
            break;
        is_born = is_born || (got == 1 && event.kind == K_PROC_FORK && event.pid == child &&
                              event.parent == getpid());
        has_ended = got == 1 && event.kind == K_PROC_EXIT && event.pid == child;
    }
    CHECK(is_born);
    CHECK(has_ended);
    CHECK_INT(WEXITSTATUS(event.code), 7);
    CHECK_INT(waitpid(child, NULL, 0), child);
    (void)close(fd);
}

TEST_MAIN
