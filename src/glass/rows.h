/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which processes are shown, in which order, below which other: the table made into rows. Pure: no system call, no terminal.
 *
 * In the tree a process whose parent is not shown hangs below its nearest ancestor that is, or is a root. With a filter, what is above a
 * match stays, as the way to it, but is no match.
 */
#pragma once

#include "glass/world.h"

enum glass_sort {
    GLASS_SORT_PID,
    GLASS_SORT_NAME,
    GLASS_SORT_USER,
    GLASS_SORT_CONTAINER,
    GLASS_SORT_COUNT
};
extern const char *const glass_sort_names[GLASS_SORT_COUNT];

struct glass_choice {
    bool is_list; /* no tree */
    bool only_containers;
    bool with_kernel;     /* kernel threads, too */
    enum glass_sort sort; /* in the tree: of the children of each */
    char filter[128];     /* words that each have to be found; case does not matter; "": all */
};

#define GLASS_DEPTH_MAX 64
struct glass_row {
    struct glass_process *process;
    unsigned depth;
    uint64_t more; /* bit d: on level d another sibling follows below */
    bool is_match; /* false: only the way to one */
};

struct glass_rows {
    struct glass_row *rows;
    size_t count, room;
    size_t match_count;
};
/* Anew; room is kept from before. 0 or -ENOMEM. */
int glass_rows_build(struct glass_rows *rows, const struct glass_world *world,
                     const struct glass_choice *choice);
void glass_rows_done(struct glass_rows *rows);
/* Does every word of the filter occur in one of its texts? Needs the command lines (glass_world_read_commands). */
bool glass_matches(const struct glass_process *process, const char *filter);
