/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room base only: the two halves of the JSON facade that do not see json-c.
 */
#pragma once

#include <stddef.h>

#include "base/json.h"

#define CL_JSON_DEPTH_MAX 64

/* json_scan.c: everything that cl_json_parse promises about the text itself. 0, or a negative errno with err filled.
   A text that json-c would misread is put into `rewritten`, which otherwise stays empty. */
int cl_json_scan(const char *text, size_t size, struct cl_buf *rewritten, struct cl_error *err);

/* json_text.c: what cl_json_text writes, appended to a buffer. !is_html_safe leaves <, > and & alone (json.Encoder with
   SetEscapeHTML(false), as Docker's {{json}} does). */
void cl_json_write(struct cl_buf *buf, const struct cl_json *value, int indent, bool is_html_safe);

/* buf.c: a JSON string of `size` bytes with its quotes. */
void cl_buf_json_bytes(struct cl_buf *buf, const char *text, size_t size, bool is_html_safe);

/* json_text.c: the fewest digits that read back as the same double, as [-]d[.ddd]e±xx; finite values only. */
void cl_print_shortest(double value, char text[static 40]);

/* json_text.c: a double as Go's encoding/json writes it (the shortest text that reads back the same). */
void cl_buf_double(struct cl_buf *buf, double value);
