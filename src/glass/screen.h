/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A screen as cells, before any terminal: what tests compare and what terminal.c shows.
 *
 * Text from outside is made safe here: control characters, bidirectional overrides and invalid UTF-8 as \xHH (cl_escape_terminal), at most
 * two combining marks a cell, no joiners and variation selectors, whose width no two terminals agree on; without UTF-8 everything past
 * ASCII is a question mark.
 */
#pragma once

#include "base/base.h"

enum glass_attribute {
    GLASS_PLAIN = 0,
    GLASS_BOLD = 1,
    GLASS_DIM = 2,
    GLASS_REVERSE = 4,
    GLASS_UNDERLINE = 8,
};
struct glass_style {
    uint8_t attributes;
    uint8_t hue; /* 0: none; else GLASS_HUE_… or a container's */
};
enum { GLASS_HUE_WARNING = 1, GLASS_HUE_ACCENT = 2, GLASS_HUE_FIRST = 3, GLASS_HUE_COUNT = 15 };

struct glass_cell {
    uint32_t points[3]; /* a character and its marks; [0] is 0 in the right half of a wide one */
    uint8_t cells;      /* 0 (right half), 1 or 2 */
    struct glass_style style;
};
struct glass_screen {
    unsigned width, height;
    bool is_utf8;
    struct glass_cell *cells; /* height × width */
};
int glass_screen_resize(struct glass_screen *screen, unsigned width, unsigned height);
void glass_screen_clear(struct glass_screen *screen);
void glass_screen_done(struct glass_screen *screen);

/* A place on one line: text goes on at x and ends before `end`. */
struct glass_pen {
    struct glass_screen *screen;
    unsigned y, x, end;
    struct glass_style style;
};
/* Raw text, cut (with "…", or "~" in ASCII) where it does not fit. skip: leave out so many cells at its beginning. */
void glass_pen_text(struct glass_pen *pen, const char *text, unsigned skip);
void glass_pen_printf(struct glass_pen *pen, const char *fmt, ...) CL_PRINTF(2, 3);
/* Blank up to `x`. */
void glass_pen_blank(struct glass_pen *pen, unsigned x);
/* A field of so many cells: text in it, left or right, then one blank. */
void glass_pen_field(struct glass_pen *pen, const char *text, unsigned width, bool to_right);
/* Add attributes (and a hue, if any) to all of a line. */
void glass_screen_tint(struct glass_screen *screen, unsigned y, struct glass_style style);
/* One line as UTF-8 without trailing blanks, owned; for tests. */
char *glass_screen_line(const struct glass_screen *screen, unsigned y);
