/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug output by topic: CLOCHE_DEBUG=all or a comma list of topics ("mnt,cgroup"). Off costs one branch. Goes to standard error, with
 * the milliseconds since the process began. Not for errors: those are values (error.h), printed by programs.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

bool cl_debug_on(const char *topic);
void cl_debug_write(const char *topic, const char *fmt, ...) CL_PRINTF(2, 3);
#define cl_debug(topic, ...)                                                                       \
    do {                                                                                           \
        if (cl_debug_on(topic))                                                                    \
            cl_debug_write(topic, __VA_ARGS__);                                                    \
    } while (0)
