/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells. A wide character takes two; where only its half fits, there is a blank.
 */
#include "glass/screen.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"

int glass_screen_resize(struct glass_screen *screen, unsigned width, unsigned height)
{
    size_t count, bytes;
    if (!cl_mul_size(width, height, &count) ||
        !cl_mul_size(count + 1, sizeof *screen->cells, &bytes))
        return -ENOMEM;
    struct glass_cell *cells = cl_realloc(screen->cells, bytes);
    if (cells == NULL)
        return -ENOMEM;
    screen->cells = cells;
    screen->width = width;
    screen->height = height;
    glass_screen_clear(screen);
    return 0;
}

void glass_screen_clear(struct glass_screen *screen)
{
    for (size_t i = 0; i < (size_t)screen->width * screen->height; i++)
        screen->cells[i] = (struct glass_cell){ .points = { ' ' }, .cells = 1 };
}

void glass_screen_done(struct glass_screen *screen)
{
    free(screen->cells);
    screen->cells = NULL;
    screen->width = screen->height = 0;
}

static struct glass_cell *cell_at(const struct glass_screen *screen, unsigned y, unsigned x)
{
    return y < screen->height && x < screen->width ? &screen->cells[(size_t)y * screen->width + x]
                                                   : NULL;
}

static void put(struct glass_pen *pen, uint32_t point, unsigned cells)
{
    struct glass_cell *cell = cell_at(pen->screen, pen->y, pen->x);
    struct glass_cell *right = cells == 2 ? cell_at(pen->screen, pen->y, pen->x + 1) : NULL;
    if (cell != NULL)
        *cell = (struct glass_cell){ .points = { point },
                                     .cells = (uint8_t)cells,
                                     .style = pen->style };
    if (right != NULL)
        *right = (struct glass_cell){ .style = pen->style };
    pen->x += cells;
}

/* A mark belongs to the character before it, if that is of this text. */
static void put_mark(struct glass_pen *pen, uint32_t point, unsigned first)
{
    unsigned x = pen->x;
    bool is_left_out = (point >= 0x200b && point <= 0x200f) ||
                       (point >= 0xfe00 && point <= 0xfe0f) ||
                       (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || point >= 0xe0000;
    if (x <= first || is_left_out)
        return;
    struct glass_cell *cell = cell_at(pen->screen, pen->y, --x);
    if (cell != NULL && cell->cells == 0 && x > first)
        cell = cell_at(pen->screen, pen->y, x - 1);
    for (size_t i = 1; cell != NULL && i < CL_COUNT(cell->points); i++)
        if (cell->points[i] == 0) {
            cell->points[i] = point;
            return;
        }
}

static uint32_t next_point(const struct glass_screen *screen, const char **at)
{
    uint32_t point = '?';
    size_t used = cl_utf8_decode(*at, strlen(*at) < 4 ? strlen(*at) : 4, &point);
    *at += used == 0 ? 1 : used;
    return point >= 0x80 && !screen->is_utf8 ? (cl_point_cells(point) == 0 ? 0 : '?') : point;
}

/* Cells of the safe text, as it will be shown. */
static unsigned measure(const struct glass_screen *screen, const char *text)
{
    unsigned cells = 0;
    while (*text != '\0') {
        uint32_t point = next_point(screen, &text);
        cells += point == 0 ? 0 : cl_point_cells(point);
    }
    return cells;
}

static void put_safe(struct glass_pen *pen, const char *text, unsigned skip)
{
    unsigned total = measure(pen->screen, text), first = pen->x, passed = 0;
    unsigned room = pen->end > pen->x ? pen->end - pen->x : 0;
    bool is_cut = total > skip && total - skip > room;
    unsigned limit = is_cut ? pen->end - 1 : pen->end; /* the last cell says so */
    if (room == 0)
        return;
    while (*text != '\0') {
        uint32_t point = next_point(pen->screen, &text);
        unsigned cells = point == 0 ? 0 : cl_point_cells(point);
        if (passed < skip) {
            passed += cells;
            continue;
        }
        if (cells == 0) {
            put_mark(pen, point, first);
            continue;
        }
        if (pen->x + cells > limit)
            break;
        put(pen, point, cells);
    }
    if (!is_cut)
        return;
    glass_pen_blank(pen, limit);
    put(pen, pen->screen->is_utf8 ? 0x2026 : '~', 1);
}

void glass_pen_text(struct glass_pen *pen, const char *text, unsigned skip)
{
    cl_auto_free char *safe = cl_escape_terminal(text);
    put_safe(pen, safe == NULL ? "?" : safe, skip);
}

void glass_pen_printf(struct glass_pen *pen, const char *fmt, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, fmt);
    (void)vsnprintf(text, sizeof text, fmt, arguments);
    va_end(arguments);
    glass_pen_text(pen, text, 0);
}

void glass_pen_blank(struct glass_pen *pen, unsigned x)
{
    while (pen->x < x && pen->x < pen->end)
        put(pen, ' ', 1);
}

void glass_pen_field(struct glass_pen *pen, const char *text, unsigned width, bool to_right)
{
    cl_auto_free char *safe = cl_escape_terminal(text);
    unsigned end = pen->end, stop = pen->x + width;
    unsigned cells = safe == NULL ? 0 : measure(pen->screen, safe);
    pen->end = stop < end ? stop : end;
    if (to_right && cells < width)
        glass_pen_blank(pen, pen->x + width - cells);
    put_safe(pen, safe == NULL ? "?" : safe, 0);
    glass_pen_blank(pen, stop);
    pen->end = end;
    glass_pen_blank(pen, stop + 1);
}

void glass_screen_tint(struct glass_screen *screen, unsigned y, struct glass_style style)
{
    for (unsigned x = 0; x < screen->width && y < screen->height; x++) {
        struct glass_cell *cell = cell_at(screen, y, x);
        cell->style.attributes |= style.attributes;
        if (style.hue != 0)
            cell->style.hue = style.hue;
    }
}

char *glass_screen_line(const struct glass_screen *screen, unsigned y)
{
    cl_auto_buf text = CL_BUF_INIT(1 << 16);
    size_t end = 0;
    for (unsigned x = 0; x < screen->width; x++) {
        const struct glass_cell *cell = cell_at(screen, y, x);
        for (size_t i = 0; cell != NULL && cell->cells > 0 && i < CL_COUNT(cell->points); i++) {
            char bytes[4];
            if (cell->points[i] != 0)
                cl_buf_add(&text, bytes, cl_utf8_encode(cell->points[i], bytes));
        }
        if (cell != NULL && cell->points[0] != ' ')
            end = text.size;
    }
    char *line = cl_buf_take(&text);
    if (line != NULL)
        line[end] = '\0';
    return line;
}
