/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things are on a screen of this size. Pure numbers.
 */
#pragma once

#include <stdbool.h>

enum { GLASS_WIDTH_MIN = 40, GLASS_HEIGHT_MIN = 10 };

struct glass_column {
    unsigned x, width; /* width 0: there is no room for it */
};
struct glass_layout {
    unsigned width, height;
    bool is_tiny; /* nothing but a word about it fits */
    unsigned body_top, body_height;
    unsigned details_top, details_height;
    unsigned keys_y;
    struct glass_column pid, user, tree; /* the host's side */
    unsigned wall;                       /* the glass between them */
    struct glass_column container, inner_pid, inner_user, inner_name, inner_command;
};
void glass_layout_make(struct glass_layout *layout, unsigned width, unsigned height,
                       unsigned pid_digits);
