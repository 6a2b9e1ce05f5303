/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsns -Q: expressions over columns, in the language of scols-filter(5) (util-linux 2.41):
 *
 *   expr:  expr OR expr | expr AND expr | NOT expr | ( expr ) | value OP value | value      (also ||, &&, !)
 *   OP:    == != < <= > >= (EQ NE LT LE GT GE), =~ !~ (an extended regular expression on the right)
 *   value: COLUMN | 123 | 4K | 4KiB | 1.5 | "text" | 'text' | true | false
 *
 * OR binds loosest, then AND, then the comparisons, then NOT. The kind of a literal decides how its comparison is made; between two columns it is by
 * number when both are. A value alone is true when it is neither empty nor zero. An empty cell compares only as unequal.
 *
 * Bounded: 1024 bytes, 256 nodes, 32 levels, patterns of 256 bytes.
 */
#pragma once

#include "lens/columns.h"

struct lens_filter;

int lens_filter_parse(const char *text, struct lens_filter **ret, struct cl_error *err);
void lens_filter_free(struct lens_filter *filter);
CL_DEFINE_AUTO(struct lens_filter, lens_filter_free)
/* LENS_NEED_* of the columns it names. */
unsigned lens_filter_needs(const struct lens_filter *filter);
/* 1, 0, or -ENOMEM. */
int lens_filter_match(const struct lens_filter *filter, const struct lens_sight *sight,
                      const struct lens_row *row);
