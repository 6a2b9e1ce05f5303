/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRIU's messages as bytes: what we write is what protoc's encoding of images/rpc.proto is, and what can be cut or wrong in an answer is refused.
 */
#include "runtime/criu_message.h"
#include "test.h"

static bool is_bytes(const struct cl_buf *buf, const char *expected, size_t size)
{
    return buf->failed == 0 && buf->size == size && memcmp(buf->data, expected, size) == 0;
}
#define IS_BYTES(buf, expected) is_bytes((buf), (expected), sizeof(expected) - 1)

TEST(numbers_and_texts_are_encoded_as_protoc_does)
{
    cl_auto_buf out = CL_BUF_INIT(1024);
    criu_put_number(&out, CRIU_PID, 300);
    criu_put_number(&out, CRIU_LOG_LEVEL, 4);
    criu_put_text(&out, CRIU_LOG_FILE, "d.log");
    criu_put_number(&out, CRIU_LSM_MOUNT_CONTEXT, 1); /* a key of two bytes */
    CHECK(IS_BYTES(&out, "\x10\xac\x02\x48\x04\x52\x05"
                         "d.log\xf8\x03\x01"));
}

TEST(a_negative_number_takes_ten_bytes)
{
    cl_auto_buf out = CL_BUF_INIT(1024);
    criu_put_number(&out, 1, -1);
    CHECK(IS_BYTES(&out, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
}

TEST(messages_in_messages)
{
    cl_auto_buf out = CL_BUF_INIT(1024);
    criu_put_inherit_fd(&out, "pipe:[7]", 2);
    CHECK(IS_BYTES(&out, "\xda\x01\x0c\x0a\x08pipe:[7]\x10\x02"));
    cl_auto_buf root = CL_BUF_INIT(1024);
    criu_put_pair(&root, CRIU_CG_ROOT, "", "/a");
    CHECK(IS_BYTES(&root, "\xca\x01\x06\x0a\x00\x12\x02/a"));
}

TEST(what_does_not_fit_sticks)
{
    cl_auto_buf out = CL_BUF_INIT(8), inner = CL_BUF_INIT(4);
    criu_put_text(&inner, 1, "too long");
    CHECK(inner.failed < 0);
    criu_put_message(&out, 2, &inner);
    CHECK(out.failed < 0);
}

static int parse(const char *bytes, size_t size, struct criu_answer *answer)
{
    return criu_answer_parse(bytes, size, answer);
}
#define PARSE(bytes, answer) parse((bytes), sizeof(bytes) - 1, (answer))

TEST(answers_of_each_type)
{
    struct criu_answer answer;
    REQUIRE(PARSE("\x08\x0a\x10\x01\x52\x06\x08\x04\x10\x01\x20\x01", &answer) == 0);
    CHECK_INT((int)answer.type, CRIU_VERSION);
    CHECK(answer.success);
    CHECK_INT(answer.major, 4);
    CHECK_INT(answer.minor, 1);
    CHECK_INT(answer.sublevel, 1);
    REQUIRE(PARSE("\x08\x06\x10\x01\x2a\x11\x0a\x0cpost-restore\x10\xac\x02", &answer) == 0);
    CHECK_STR(answer.script, "post-restore");
    CHECK_INT(answer.notify_pid, 300);
    REQUIRE(PARSE("\x08\x02\x10\x01\x22\x03\x08\xac\x02", &answer) == 0);
    CHECK_INT(answer.restored_pid, 300);
    REQUIRE(PARSE("\x08\x01\x10\x00\x38\x16\x4a\x03why", &answer) == 0);
    CHECK(!answer.success);
    CHECK_INT(answer.error, 22);
    CHECK_STR(answer.message, "why");
    REQUIRE(PARSE("\x08\x09\x10\x01\x42\x04\x08\x01\x10\x00", &answer) == 0);
    CHECK(answer.mem_track && !answer.lazy_pages);
}

TEST(unknown_members_are_passed_over)
{
    struct criu_answer answer;
    /* A varint, a text, 64 and 32 bits, and numbers that are none of ours. */
    REQUIRE(PARSE("\xf8\x07\x05\x08\x01\x82\x08\x02xx\x79"
                  "12345678\x7d"
                  "1234\x10\x01",
                  &answer) == 0);
    CHECK(answer.success);
}

TEST(cut_and_wrong_answers_are_refused)
{
    static const char good[] = "\x08\x06\x10\x01\x2a\x11\x0a\x0cpost-restore\x10\xac\x02";
    struct criu_answer answer = { .type = 77 };
    for (size_t size = 5; size < sizeof good - 1; size++) /* before, it is a shorter message */
        CHECK_INT(parse(good, size, &answer), -EBADMSG);
    CHECK_INT(PARSE("", &answer), -EBADMSG);
    CHECK_INT(PARSE("\x10\x01", &answer), -EBADMSG);         /* no type */
    CHECK_INT(PARSE("\x0a\x01x", &answer), -EBADMSG);        /* a text as type */
    CHECK_INT(PARSE("\x08\x01\x20\x05", &answer), -EBADMSG); /* a number as message */
    CHECK_INT(PARSE("\x08\x01\x0b", &answer), -EBADMSG);     /* a group */
    CHECK_INT(PARSE("\x08\x01\x4a\xff\xff\xff\xff\x0fx", &answer), -EBADMSG); /* longer than all */
    CHECK_INT(PARSE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &answer), -EBADMSG);
    CHECK_INT((int)answer.type, 77); /* written on success only */
}

TEST(a_long_text_is_cut)
{
    char packet[400] = "\x08\x01\x4a\xac\x02"; /* 300 bytes */
    struct criu_answer answer;
    memset(packet + 5, 'x', 300);
    REQUIRE(parse(packet, 305, &answer) == 0);
    CHECK_INT((int)strlen(answer.message), (int)sizeof answer.message - 1);
}

TEST_MAIN
