/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables for people. Two styles: Docker's (columns at least 10 wide, 3 spaces between, left aligned, as Go's tabwriter with
 * (10, 1, 3, ' ')), and util-linux's (one space between, numbers right aligned, last column free). Cells are escaped for the
 * terminal here, so callers hand in raw text. Widths count terminal cells (wcwidth), not bytes.
 */
#pragma once

#include <stdio.h>

#include "base/str.h"

struct cl_table;

enum cl_table_style { CL_TABLE_DOCKER, CL_TABLE_UTIL_LINUX };
enum cl_column_flags {
    CL_COLUMN_LEFT = 0,
    CL_COLUMN_RIGHT = 1,
    CL_COLUMN_TREE =
        2, /* cells of this column carry a depth and get tree art (cl_table_cell_tree) */
    CL_COLUMN_TRUNCATE = 4, /* may be cut to fit the width given to cl_table_print */
    CL_COLUMN_SPILL =
        8, /* without a width to fit: a cell beyond 100 does not widen the column for the other rows */
};
enum cl_table_output {
    CL_TABLE_PLAIN = 0,
    CL_TABLE_NO_HEADINGS = 1,
    CL_TABLE_RAW = 2, /* util-linux -r: single spaces, blanks in cells as \x20, empty cells empty */
    CL_TABLE_ASCII = 4, /* tree art in ASCII */
};

struct cl_table *cl_table_new(enum cl_table_style style);
void cl_table_free(struct cl_table *table);
CL_DEFINE_AUTO(struct cl_table, cl_table_free)
int cl_table_column(struct cl_table *table, const char *heading,
                    enum cl_column_flags flags);             /* 0 or -ENOMEM */
int cl_table_row(struct cl_table *table);                    /* begins a row */
int cl_table_cell(struct cl_table *table, const char *text); /* next cell of the row */
int cl_table_cellf(struct cl_table *table, const char *fmt, ...) CL_PRINTF(2, 3);
/* A tree cell: depth 0 is a root; `is_last` says that no sibling follows; ancestors' is_last flags are kept by the table. */
int cl_table_cell_tree(struct cl_table *table, unsigned depth, bool is_last, const char *text);
/* A text and a newline, flushed: 0 or -errno. */
int cl_print_text(FILE *out, const char *text);
/* width 0: unlimited. Returns 0 or -errno (write errors). */
int cl_table_print(const struct cl_table *table, FILE *out, enum cl_table_output output,
                   unsigned width);
