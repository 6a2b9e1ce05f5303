/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of log records: escapes, cut characters, time.
 */
#include "monitor/log.h"

#include "test.h"

static void check_escape(const char *text, size_t size, const char *expected)
{
    char out[256];
    size_t used = 0;
    size_t length = monitor_json_escape(text, size, &used, out, sizeof out - 1);
    out[length] = '\0';
    CHECK_INT(used, size);
    CHECK_STR(out, expected);
}
#define ESCAPE(text, expected) check_escape(text, sizeof(text) - 1, expected)

TEST(escapes_are_those_of_go)
{
    ESCAPE("", "");
    ESCAPE("plain text ~ 123", "plain text ~ 123");
    ESCAPE("\"\\", "\\\"\\\\");
    ESCAPE("\n\r\t\b\f", "\\n\\r\\t\\b\\f");
    ESCAPE("\0\1\033[0m\x1f\x7f", "\\u0000\\u0001\\u001b[0m\\u001f\x7f");
    ESCAPE("<a href=&>", "\\u003ca href=\\u0026\\u003e");
    ESCAPE("gr\xc3\xbc\xc3\x9f \xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x90\xb3",
           "gr\xc3\xbc\xc3\x9f \xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x90\xb3");
    ESCAPE("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", "\\u2028\\u2029\xe2\x80\xaa");
}

TEST(invalid_utf8_becomes_fffd_per_byte)
{
    ESCAPE("\xff", "\\ufffd");
    ESCAPE("a\x80z", "a\\ufffdz");
    ESCAPE("\xc0\xaf", "\\ufffd\\ufffd");                       /* overlong */
    ESCAPE("\xe0\x80\x80", "\\ufffd\\ufffd\\ufffd");            /* overlong */
    ESCAPE("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd");            /* surrogate */
    ESCAPE("\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"); /* past the end */
    ESCAPE("\xe4\xb8", "\\ufffd\\ufffd");                       /* cut */
    ESCAPE("\xe4\xb8x", "\\ufffd\\ufffdx");
    ESCAPE("\xf0\x9f\x90", "\\ufffd\\ufffd\\ufffd");
}

TEST(what_does_not_fit_waits)
{
    static const char text[] = "ab\001\xe4\xb8\xad\"c";
    char whole[64];
    size_t used;
    size_t length = monitor_json_escape(text, sizeof text - 1, &used, whole, sizeof whole);
    for (size_t room = 6; room < length; room++) {
        char out[64];
        size_t total = 0, at = 0;
        while (at < sizeof text - 1) {
            size_t part =
                monitor_json_escape(text + at, sizeof text - 1 - at, &used, out + total, room);
            CHECK(part <= room);
            REQUIRE(used > 0);
            total += part;
            at += used;
        }
        CHECK_INT(total, length);
        CHECK(memcmp(out, whole, length) == 0);
    }
}

#define CUT(text) monitor_cut_bytes(text, sizeof(text) - 1)
TEST(cut_characters_are_found)
{
    CHECK_INT(CUT(""), 0);
    CHECK_INT(CUT("a"), 0);
    CHECK_INT(CUT("a\xc3"), 1);
    CHECK_INT(CUT("a\xc3\xbc"), 0);
    CHECK_INT(CUT("a\xe4"), 1);
    CHECK_INT(CUT("a\xe4\xb8"), 2);
    CHECK_INT(CUT("a\xe4\xb8\xad"), 0);
    CHECK_INT(CUT("\xf0\x9f\x90"), 3);
    CHECK_INT(CUT("\xf0\x9f\x90\xb3"), 0);
    CHECK_INT(CUT("a\x80"), 0);     /* never was one */
    CHECK_INT(CUT("a\xe0\x80"), 0); /* can't become one */
    CHECK_INT(CUT("a\xff"), 0);
    CHECK_INT(CUT("\x80\x80\x80\x80"), 0);
}

TEST(times_agree_with_base)
{
    static const int64_t instants[] = {
        1,
        999999999,
        1000000000,
        1795441992558856722, /* 2026 */
        1709164800000000000, /* 29 February 2024 */
        1709251200000000001, /* 1 March 2024 */
        4107542400000000000, /* 1 March 2100, no leap year */
        951782400100000000,  /* 29 February 2000 */
        1230768000000000000, /* New Year */
        1230767999999999999,
        -1,
        -86400000000000,
        INT64_MAX,
    };
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
        char ours[40], theirs[40];
        size_t length = monitor_format_time(instants[i], ours);
        cl_format_time(instants[i], theirs);
        CHECK_INT(length, strlen(ours));
        CHECK_STR(ours, theirs);
    }
    for (int64_t day = 0; day < 200LL * 366; day++) {
        char ours[40], theirs[40];
        int64_t ns = (day * 86400 + day % 86400) * 1000000000 + 7;
        (void)monitor_format_time(ns, ours);
        cl_format_time(ns, theirs);
        if (strcmp(ours, theirs) != 0) {
            CHECK_STR(ours, theirs);
            break;
        }
    }
    char text[40];
    (void)monitor_format_time(1795441992500000000, text);
    CHECK_STR(text, "2026-11-23T13:53:12.5Z");
}

TEST_MAIN
