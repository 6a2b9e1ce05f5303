/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a start tells of itself to whoever watches it (runtime_options.trace): one packet before and one after each step of parent and init, over
 * a SOCK_SEQPACKET pair of the watcher's. With `waits` in the options, the packet before a step is answered by one byte: anything goes on, 'q' or the
 * end of file ends the start with -ECANCELED, as a failure of that step.
 *
 *   parent or init                    watcher
 *   --------------                    -------
 *   BEGIN {name}      ------------->
 *                     <-------------  one byte            (only with trace_waits)
 *   END {name, ns}    ------------->
 *   UNHEARD {name}    ------------->                        init, before it loads a filter that forbids it to speak: the filter and each
 *                                                           step after it. With trace_waits, BEGIN of the filter comes next, and is the last
 *                     end of file: the program runs, or the start has failed
 */
#pragma once

#include "base/base.h"

enum wire_trace_type { WIRE_TRACE_BEGIN = 1, WIRE_TRACE_END, WIRE_TRACE_UNHEARD };

struct wire_trace {
    uint32_t type;
    uint32_t is_init; /* else the parent */
    int32_t
        pid; /* who does the step: init is 0 here, its real pid is in the parent's END of "make namespaces" */
    uint32_t unused;
    uint64_t ns; /* END: how long the step took */
    char name[40];
};
