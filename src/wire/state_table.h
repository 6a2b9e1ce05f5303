/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room wire only: the state record as a table of fields, from which both the writer (state.c, which the monitor links: no
 * stdio, no errors in words) and the reader (state_parse.c) are made.
 */
#pragma once

#include "wire/state.h"

#define WIRE_STATE_HEADING "cloche-state 1\n"

enum state_kind { STATE_STATUS, STATE_BOOL, STATE_INT, STATE_I64, STATE_U64, STATE_TEXT };

struct state_field {
    const char *key;
    enum state_kind kind;
    size_t offset, room; /* of the member in struct wire_state */
    int64_t min, max;    /* STATE_INT and STATE_I64 */
};

#define STATE_FIELD_COUNT 12
extern const struct state_field wire_state_fields[STATE_FIELD_COUNT];
