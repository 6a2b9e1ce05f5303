/* SPDX-License-Identifier: Apache-2.0 */
/* Cells: what becomes of hostile, wide and combining text, and of what does not fit. */
#include "glass/screen.h"

#include "test.h"

static struct glass_screen make(unsigned width, bool is_utf8)
{
    struct glass_screen screen = { .is_utf8 = is_utf8 };
    CHECK_INT(glass_screen_resize(&screen, width, 2), 0);
    return screen;
}

static void check_put(const char *text, unsigned skip, unsigned width, bool is_utf8,
                      const char *expected)
{
    struct glass_screen screen = make(width, is_utf8);
    struct glass_pen pen = { .screen = &screen, .end = width };
    glass_pen_text(&pen, text, skip);
    cl_auto_free char *line = glass_screen_line(&screen, 0);
    cl_auto_free char *below = glass_screen_line(&screen, 1);
    CHECK_STR(line, expected);
    CHECK_STR(below, "");
    CHECK(pen.x <= width);
    glass_screen_done(&screen);
}

TEST(plain_text_is_cut_with_an_ellipsis)
{
    check_put("sleep 1000", 0, 20, true, "sleep 1000");
    check_put("sleep 1000", 0, 10, true, "sleep 1000");
    check_put("sleep 1000", 0, 9, true, "sleep 10…");
    check_put("sleep 1000", 0, 9, false, "sleep 10~");
    check_put("sleep 1000", 6, 9, true, "1000");
    check_put("sleep 1000", 60, 9, true, "");
    check_put("", 0, 9, true, "");
    check_put("x", 0, 1, true, "x");
    check_put("xy", 0, 1, true, "…");
}

TEST(escape_sequences_and_newlines_are_shown_as_what_they_are)
{
    check_put("a\033[2Jb\nc\rd\te", 0, 60, true, "a\\x1b[2Jb\\x0ac\\x0dd\\x09e");
    check_put("a\xc2\x9b"
              "2Jb",
              0, 60, true, "a\\xc2\\x9b2Jb"); /* C1 CSI */
    check_put("a\xe2\x80\xae"
              "b",
              0, 60, true, "a\\xe2\\x80\\xaeb"); /* right-to-left override */
    check_put("a\xff\xfe"
              "b",
              0, 60, true, "a\\xff\\xfeb");
    check_put("a\x7f"
              "b",
              0, 60, true, "a\\x7fb");
}

TEST(wide_characters_take_two_cells_or_none)
{
    check_put("容器甲", 0, 6, true, "容器甲");
    check_put("容器甲", 0, 5, true, "容器…");
    check_put("容器甲", 0, 4, true, "容 …");
    check_put("容器甲", 0, 20, false, "???");
    struct glass_screen screen = make(6, true);
    struct glass_pen pen = { .screen = &screen, .end = 6 };
    glass_pen_text(&pen, "a容b", 0);
    CHECK_INT(pen.x, 4);
    CHECK_INT(screen.cells[1].cells, 2);
    CHECK_INT(screen.cells[2].cells, 0);
    CHECK_INT(screen.cells[3].points[0], 'b');
    glass_screen_done(&screen);
}

TEST(marks_stay_with_their_character_and_are_bounded)
{
    struct glass_screen screen = make(8, true);
    struct glass_pen pen = { .screen = &screen, .end = 8 };
    /* e with four accents, a joiner, a variation selector */
    glass_pen_text(&pen, "e\u0301\u0302\u0303\u0304x\u200d\ufe0fy", 0);
    CHECK_INT(pen.x, 3);
    CHECK_INT(screen.cells[0].points[0], 'e');
    CHECK_INT(screen.cells[0].points[1], 0x301);
    CHECK_INT(screen.cells[0].points[2], 0x302);
    CHECK_INT(screen.cells[1].points[0], 'x');
    CHECK_INT(screen.cells[1].points[1], 0);
    CHECK_INT(screen.cells[2].points[0], 'y');
    /* A text that begins with a mark does not change its neighbour's. */
    glass_pen_text(&pen, "\u0301z", 0);
    CHECK_INT(screen.cells[2].points[1], 0);
    CHECK_INT(screen.cells[3].points[0], 'z');
    glass_screen_done(&screen);
}

TEST(a_long_command_line_costs_no_more_than_its_place)
{
    char text[4097];
    memset(text, 'A', 4096);
    text[4096] = '\0';
    check_put(text, 0, 8, true, "AAAAAAA…");
    check_put(text, 4090, 8, true, "AAAAAA");
}

TEST(a_field_is_as_wide_as_it_should)
{
    struct glass_screen screen = make(12, true);
    struct glass_pen pen = { .screen = &screen, .end = 12 };
    glass_pen_field(&pen, "42", 5, true);
    CHECK_INT(pen.x, 6);
    glass_pen_field(&pen, "toolong", 5, false);
    cl_auto_free char *line = glass_screen_line(&screen, 0);
    CHECK_STR(line, "   42 tool…");
    CHECK_INT(pen.x, 12);
    glass_screen_done(&screen);
}

TEST(tint_keeps_what_is_there)
{
    struct glass_screen screen = make(4, true);
    struct glass_pen pen = { .screen = &screen, .end = 4, .style = { GLASS_BOLD, 5 } };
    glass_pen_text(&pen, "ab", 0);
    glass_screen_tint(&screen, 0, (struct glass_style){ GLASS_REVERSE, 0 });
    CHECK_INT(screen.cells[0].style.attributes, GLASS_BOLD | GLASS_REVERSE);
    CHECK_INT(screen.cells[0].style.hue, 5);
    CHECK_INT(screen.cells[3].style.attributes, GLASS_REVERSE);
    CHECK_INT(screen.cells[4].style.attributes, 0);
    glass_screen_done(&screen);
}

TEST_MAIN
