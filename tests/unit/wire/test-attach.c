/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attach protocol: every message type, from both sides, with every bound of its payload and fields.
 */
#include "wire/wire.h"

#include "test.h"

static const struct row {
    uint32_t type;
    const char *name;
    bool from_client;
    uint32_t min, max;
} rows[] = {
    { WIRE_HELLO, "HELLO", true, 0, 0 },
    { WIRE_STDIN, "STDIN", true, 1, WIRE_PAYLOAD_MAX },
    { WIRE_STDIN_END, "STDIN_END", true, 0, 0 },
    { WIRE_RESIZE, "RESIZE", true, 0, 0 },
    { WIRE_SIGNAL, "SIGNAL", true, 0, 0 },
    { WIRE_STARTED, "STARTED", false, 1, WIRE_STATE_MAX },
    { WIRE_FAILED, "FAILED", false, sizeof(struct cl_error), sizeof(struct cl_error) },
    { WIRE_STDOUT, "STDOUT", false, 1, WIRE_PAYLOAD_MAX },
    { WIRE_STDERR, "STDERR", false, 1, WIRE_PAYLOAD_MAX },
    { WIRE_EXIT, "EXIT", false, 0, 0 },
    { WIRE_ERROR, "ERROR", false, sizeof(struct cl_error), sizeof(struct cl_error) },
};

static struct wire_attach message(uint32_t type, uint32_t size)
{
    struct wire_attach header = { .type = type, .size = size };
    if (type == WIRE_SIGNAL)
        header.u.signal.number = 15;
    return header;
}

static int check(struct wire_attach header, bool from_client)
{
    return wire_attach_check(&header, sizeof header + header.size, from_client);
}

TEST(every_type_has_its_payload)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        CHECK_STR(wire_attach_name(row->type), row->name);
        CHECK_INT(check(message(row->type, row->min), row->from_client), 0);
        CHECK_INT(check(message(row->type, row->max), row->from_client), 0);
        CHECK_INT(check(message(row->type, row->max + 1), row->from_client), -EPROTO);
        CHECK_INT(check(message(row->type, UINT32_MAX), row->from_client), -EPROTO);
        if (row->min > 0)
            CHECK_INT(check(message(row->type, row->min - 1), row->from_client), -EPROTO);
        CHECK_INT(check(message(row->type, row->min), !row->from_client), -EPROTO);
    }
}

TEST(no_other_type_exists)
{
    for (uint32_t type = 0; type < 1000; type++) {
        bool is_known = false;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            is_known |= rows[i].type == type;
        if (is_known)
            continue;
        CHECK_STR(wire_attach_name(type), "unknown");
        CHECK_INT(check(message(type, 0), true), -EPROTO);
        CHECK_INT(check(message(type, 0), false), -EPROTO);
    }
    CHECK_STR(wire_attach_name(UINT32_MAX), "unknown");
}

TEST(packet_and_size_must_agree)
{
    struct wire_attach header = message(WIRE_STDIN, 10);
    CHECK_INT(wire_attach_check(&header, sizeof header + 10, true), 0);
    CHECK_INT(wire_attach_check(&header, sizeof header + 9, true), -EPROTO);
    CHECK_INT(wire_attach_check(&header, sizeof header + 11, true), -EPROTO);
    for (size_t size = 0; size < sizeof header; size++)
        CHECK_INT(wire_attach_check(&header, size, true), -EPROTO);
}

TEST(fields_have_bounds)
{
    struct wire_attach hello = message(WIRE_HELLO, 0);
    hello.u.hello.flags = 7;
    CHECK_INT(check(hello, true), 0);
    hello.u.hello.flags = 8;
    CHECK_INT(check(hello, true), -EPROTO);

    struct wire_attach resize = message(WIRE_RESIZE, 0);
    resize.u.resize.rows = resize.u.resize.columns = 65535;
    CHECK_INT(check(resize, true), 0);
    resize.u.resize.rows = 65536;
    CHECK_INT(check(resize, true), -EPROTO);
    resize.u.resize.rows = 1;
    resize.u.resize.columns = 65536;
    CHECK_INT(check(resize, true), -EPROTO);

    static const struct {
        int number, result;
    } signals[] = { { 1, 0 }, { 64, 0 }, { 0, -EPROTO }, { 65, -EPROTO }, { -9, -EPROTO } };
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct wire_attach signal = message(WIRE_SIGNAL, 0);
        signal.u.signal.number = signals[i].number;
        CHECK_INT(check(signal, true), signals[i].result);
    }

    struct wire_attach end = message(WIRE_EXIT, 0);
    end.u.exit.code = 255;
    end.u.exit.oom_killed = 1;
    CHECK_INT(check(end, false), 0);
    end.u.exit.oom_killed = 2;
    CHECK_INT(check(end, false), -EPROTO);
    end.u.exit.oom_killed = 0;
    end.u.exit.code = 256;
    CHECK_INT(check(end, false), -EPROTO);
    end.u.exit.code = -1;
    CHECK_INT(check(end, false), -EPROTO);
}

TEST_MAIN
