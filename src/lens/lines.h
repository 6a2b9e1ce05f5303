/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of lsns and their tree: which rows, in which order, under which other. util-linux's rules, so that the two can be compared:
 * namespaces by inode; a line hangs below the latest line of its process's parent (process), of its parent or of its owning
 * namespace; what is needed above a line is made before it.
 */
#pragma once

#include "lens/columns.h"
#include "lens/filter.h"

bool lens_tree_is_of_namespaces(enum lens_tree tree); /* by parent or owner, not by process */

struct lens_line {
    struct lens_row row;
    uint32_t parent, first_child, last_child, next; /* lines, or LENS_NONE */
};
struct lens_lines {
    struct lens_line *lines;
    size_t count, room;
};
struct lens_lines_options {
    const struct lens_sight *sight;
    const struct lens_filter *filter; /* or NULL */
    enum lens_tree tree;              /* not DEFAULT */
    unsigned types;
    bool only_without_process;
    uint32_t member; /* only namespaces of this process, or LENS_NONE */
};
/* One line for each namespace. 0 or -ENOMEM. */
int lens_lines_of_namespaces(struct lens_lines *lines, const struct lens_lines_options *options);
/* One line for each process of the namespace. */
int lens_lines_of_processes(struct lens_lines *lines, const struct lens_lines_options *options,
                            uint32_t ns);
void lens_lines_done(struct lens_lines *lines);
