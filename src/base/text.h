/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 (RFC 3629) and the width of text on a terminal. No locale is consulted, so results are the
 * same in every environment and in static programs. Nothing allocates.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the valid sequence at text (1–4), or 0 when invalid or cut: overlong forms, surrogates and > U+10FFFF are invalid. */
size_t cl_utf8_decode(const char *text, size_t size, uint32_t *ret_point);
/* True when the text is the start of a sequence that more bytes could complete. */
bool cl_utf8_is_cut(const char *text, size_t size);
/* Writes at most 4 bytes; returns how many. The point must be a Unicode scalar value; others are written as U+FFFD. */
size_t cl_utf8_encode(uint32_t point, char out[static 4]);
/* Terminal cells of one code point (0, 1 or 2); control characters count 0. */
unsigned cl_point_cells(uint32_t point);
/* Terminal cells of valid UTF-8 text. */
size_t cl_text_cells(const char *text);
