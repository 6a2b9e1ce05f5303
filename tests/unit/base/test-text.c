/* SPDX-License-Identifier: Apache-2.0 */
/* Text from outside on a terminal, and "did you mean". */
#include "base/str.h"
#include "base/text.h"

#include "test.h"

static void check_escape(const char *text, const char *expected)
{
    cl_auto_free char *escaped = cl_escape_terminal(text);
    CHECK_STR(escaped, expected);
}

TEST(plain_text_passes)
{
    check_escape("", "");
    check_escape("web-1 \\x41", "web-1 \\x41");
    check_escape("h\303\251 \344\270\255 \360\237\230\200",
                 "h\303\251 \344\270\255 \360\237\230\200");
    CHECK(cl_escape_terminal(NULL) == NULL);
}

TEST(what_steers_a_terminal_does_not)
{
    check_escape("\033]0;x\007", "\\x1b]0;x\\x07");
    check_escape("a\nb\tc\r\177", "a\\x0ab\\x09c\\x0d\\x7f");
    check_escape("\302\233"
                 "31m",
                 "\\xc2\\x9b31m");                     /* C1: CSI */
    check_escape("\342\200\256x", "\\xe2\\x80\\xaex"); /* right-to-left override */
    check_escape("\342\201\246\342\200\250", "\\xe2\\x81\\xa6\\xe2\\x80\\xa8");
}

TEST(each_byte_at_each_place)
{
    for (unsigned character = 1; character < 256; character++)
        for (size_t at = 0; at < 20; at++) {
            char text[] = "12345678901234567890", expected[32];
            bool is_plain = character >= ' ' && character < 0x7f;
            text[at] = (char)character;
            snprintf(expected, sizeof expected, is_plain ? "%.*s%c%s" : "%.*s\\x%02x%s", (int)at,
                     "12345678901234567890", (int)character, text + at + 1);
            cl_auto_free char *escaped = cl_escape_terminal(text);
            CHECK_STR(escaped, expected);
            CHECK_INT(cl_text_cells(text), character < ' ' || character == 0x7f ? 19 : 20);
        }
}

TEST(invalid_utf8_is_shown_byte_by_byte)
{
    check_escape("a\xff\xfe", "a\\xff\\xfe");
    check_escape("\xc0\xaf", "\\xc0\\xaf");
    check_escape("\xe4\xb8", "\\xe4\\xb8");
    check_escape("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
}

TEST(closest_words)
{
    static const char *const words[] = { "inspect", "images", "import", "run", "rm", "ps", NULL };
    CHECK_STR(cl_closest("inspet", words, 6), "inspect");
    CHECK_STR(cl_closest("isnpect", words, 6), "inspect");
    CHECK_STR(cl_closest("image", words, 6), "images");
    CHECK_STR(cl_closest("rnu", words, 6), "run");
    CHECK(cl_closest("xyzzy", words, 6) == NULL);
    CHECK(cl_closest("rx", words, 6) == NULL); /* half of it would be wrong */
    CHECK(cl_closest("", words, 6) == NULL);
    CHECK(cl_closest(NULL, words, 6) == NULL);
    CHECK(cl_closest("inspect-all-of-them", words, 6) == NULL);
}

TEST_MAIN
