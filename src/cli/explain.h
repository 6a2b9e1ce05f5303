/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start told step by step (run --explain, --step).
 */
#pragma once

#include "cli/cli_private.h"

struct cli_explain {
    pid_t pid; /* of the watcher; 0: there is none */
    int fd;    /* for engine_start.trace_fd; owned */
};
/* is_step: it asks before each step, which needs a terminal (USAGE otherwise). */
int cli_explain_begin(bool is_step, struct cli_explain *ret, struct cl_error *err);
/* When the start is over, however: returns when everything about it is printed. */
void cli_explain_end(struct cli_explain *explain);
