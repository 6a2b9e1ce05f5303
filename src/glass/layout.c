/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Widths were chosen at 80 columns, where each side has 39 cells; more columns first give longer names, then the process's own name inside.
 */
#include "glass/layout.h"

/* The widest row that the screen is wide enough for. */
static const struct widths {
    unsigned from, user, container, inner_pid, inner_user, inner_name;
} widths[] = {
    { 160, 12, 20, 7, 12, 16 },
    { 120, 10, 14, 7, 10, 15 },
    { 60, 8, 9, 5, 7, 0 },
    { 0, 0, 9, 5, 0, 0 },
};

enum { COMMAND_MIN = 8, DETAILS_FROM = 14 };

/* The next column, if it has room before `end`. */
static struct glass_column take(unsigned *x, unsigned end, unsigned width)
{
    struct glass_column column = { *x, width };
    if (width == 0 || *x + width > end)
        return (struct glass_column){ *x, 0 };
    *x += width + 1;
    return column;
}

static void make_inside(struct glass_layout *layout, const struct widths *wide)
{
    unsigned x = layout->wall + 2, end = layout->width;
    layout->container = take(&x, end, wide->container);
    layout->inner_pid = take(&x, end, wide->inner_pid);
    if (x + wide->inner_user + 1 + COMMAND_MIN <= end)
        layout->inner_user = take(&x, end, wide->inner_user);
    if (x + wide->inner_name + 1 + COMMAND_MIN <= end)
        layout->inner_name = take(&x, end, wide->inner_name);
    if (x + COMMAND_MIN <= end)
        layout->inner_command = take(&x, end, end - x);
}

void glass_layout_make(struct glass_layout *layout, unsigned width, unsigned height,
                       unsigned pid_digits)
{
    const struct widths *wide = widths;
    while (width < wide->from)
        wide++;
    *layout = (struct glass_layout){ .width = width, .height = height };
    layout->is_tiny = width < GLASS_WIDTH_MIN || height < GLASS_HEIGHT_MIN;
    if (layout->is_tiny)
        return;
    layout->body_top = 2;
    layout->details_height = height < DETAILS_FROM ? 1 : 2;
    layout->keys_y = height - 1;
    layout->details_top = layout->keys_y - layout->details_height;
    layout->body_height = layout->details_top - layout->body_top;
    layout->wall = width * 27 / 50; /* the tree needs more than what is the same inside */
    unsigned x = 0;
    layout->pid = take(&x, layout->wall, pid_digits < 5 ? 5 : pid_digits);
    layout->user = take(&x, layout->wall, wide->user);
    layout->tree = take(&x, layout->wall, layout->wall - 1 - x);
    make_inside(layout, wide);
}
