/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's text/template, as far as people use it in --format, over a JSON value.
 *
 * Actions: {{.}}, {{.Field.Sub}}, pipelines, parentheses, variables ($x := …, $x = …), comments, {{- -}} trimming, if / else if / else,
 * range (with else, $i, $e, break, continue), with, define/template/block. Functions: Go's and, or, not, len, index, slice, eq, ne, lt,
 * le, gt, ge, print, printf, println, html, js, urlquery, call-less; Docker's json, prettyjson, split, join, title, lower, upper, pad,
 * truncate, table (as the leading word "table "). Printing follows Go: maps as map[k:v …] in key order, slices as [a b],
 * missing map keys as <no value>.
 *
 * Bounded: template text at most 64 KiB, nesting at most 64, output at most `max` bytes, at most one million steps.
 */
#pragma once

#include "base/json.h"

struct cl_template;

int cl_template_parse(const char *text, struct cl_template **ret, struct cl_error *err);
void cl_template_free(struct cl_template *template_);
CL_DEFINE_AUTO(struct cl_template, cl_template_free)
int cl_template_run(const struct cl_template *template_, const struct cl_json *data,
                    struct cl_buf *out, struct cl_error *err);
