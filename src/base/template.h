/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's text/template, as far as people use it in --format, over a JSON value.
 *
 * Actions: {{.}}, {{.Field.Sub}}, pipelines, parentheses, variables ($x := …, $x = …), comments, {{- -}} trimming,
 * if / else if / else, range (with else, $i, $e, break, continue; over integers, too), with / else with, define/template/block.
 * Functions: Go's and, or, not, len, index, slice, eq, ne, lt, le, gt, ge, print, printf, println, html, js, urlquery (call-less);
 * Docker's json, split, join, title, lower, upper, pad, truncate; prettyjson. The leading word "table " of a format is the
 * caller's to take off, as it needs headings.
 *
 * Printing follows Go: maps as map[k:v …] in key order, slices as [a b], missing map keys as <no value>; {{json}} leaves <, >
 * and & unescaped, as Docker's does. JSON integers are ints, other numbers float64. Errors are worded as Docker words them:
 * template parsing error: template: :1:2: executing "" at <.X>: …
 *
 * Bounded: template text at most 64 KiB, nesting at most 64, output at most `max` bytes, at most one million steps, 16 MiB
 * of intermediate results.
 */
#pragma once

#include "base/json.h"

struct cl_template;

int cl_template_parse(const char *text, struct cl_template **ret, struct cl_error *err);
/* From now on a missing map key is an error, as in docker inspect: map has no entry for key "X" (Go's missingkey=error). */
void cl_template_need_keys(struct cl_template *template_);
void cl_template_free(struct cl_template *template_);
CL_DEFINE_AUTO(struct cl_template, cl_template_free)
/* Appends to out; on failure out is as it was. */
int cl_template_run(const struct cl_template *template_, const struct cl_json *data,
                    struct cl_buf *out, struct cl_error *err);
