/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room base only: the two halves of the JSON facade that do not see json-c.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

#define CL_JSON_DEPTH_MAX 64

/* json_scan.c: everything that cl_json_parse promises about the text itself. 0, or a negative errno with err filled. */
int cl_json_scan(const char *text, size_t size, struct cl_error *err);

/* json_text.c: a double as Go's encoding/json writes it (the shortest text that reads back the same). */
void cl_buf_double(struct cl_buf *buf, double value);
