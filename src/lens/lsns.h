/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room lens only: one run of lsns, between its two files (lsns.c collects, lsns_print.c prints).
 */
#pragma once

#include "lens/lines.h"

struct lsns {
    const struct lens_lsns_options *options;
    const struct lens_names *names;
    int proc_fd; /* borrowed */
    bool can_name;
    bool
        may_drop_container; /* the column was not asked for: without containers the table is util-linux's */
    unsigned needs, types;
    enum lens_tree tree;
    struct lens_column_list columns;
    struct lens_filter *filter;
    struct lens_target target, member; /* --inside, --container */
    struct lens_directory directory;
    struct lens_snapshot *snapshot;
    struct lens_inside inside;
    struct lens_sight sight;
    struct lens_lines lines;
    unsigned pads[LENS_COLUMN_COUNT * 2]; /* by shown column: widen the first cell to this */
};

int lsns_print(struct lsns *lsns, FILE *out, struct cl_error *err);
/* --keep-alive: one line for each holder (lsns_holders.c). */
int lsns_print_holders(struct lsns *lsns, FILE *out, struct cl_error *err);
int lsns_print_columns(const struct lens_lsns_options *options, FILE *out, struct cl_error *err);
