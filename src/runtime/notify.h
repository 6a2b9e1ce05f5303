/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener of a filter with SCMP_ACT_NOTIFY, inside the room: notify.c has the way it goes.
 */
#pragma once

#include "runtime/child.h"

#define NOTIFY_FDS 3 /* of a LISTENER message: listener, connection to the agent, what it is told */

/* Before the clone: connect. Nothing is done where the process has no such filter. */
int notify_open(const struct plan_process *process, struct notify *ret, struct cl_error *err);
void notify_close(struct notify *notify);
/* After it, before the process may go on to its filter: `state` is the container's, `pid` the process's. */
int notify_tell(const struct notify *notify, const struct plan_process *process, pid_t pid,
                const struct oci_state *state, struct cl_error *err);
/* The descriptors of a LISTENER message; closes none. May wait for the agent. */
int notify_send(const int fds[static NOTIFY_FDS], struct cl_error *err);
/* In the process: sec_load_filter for such a filter. */
int notify_load_filter(struct child *child, struct cl_error *err);
