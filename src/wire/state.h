/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state record of a container: what its monitor knows, in the file ROOT/containers/ID/state, replaced by rename.
 *
 * Written by the forked parent (once, with status running, before the user's program is
 * released) and by the monitor (once, at the exit). Read by everybody. It says what was true; whether
 * the monitor still lives is told by the container's byte in STATE/locks, which the command, then the
 * forked parent, then the monitor hold with an open-file-description lock (fcntl(2)) from before the
 * container exists until they are gone, and which the kernel frees however they die.
 *
 *   status      lock held          lock free
 *   created     being started      never started, or its starter died (the engine's phase column tells which)
 *   running     running            the monitor died: the engine kills the cgroup, records exited/137
 *   exited      monitor finishing  exited
 *
 * Format: "cloche-state 1\n", then "key value\n" lines in the order of the struct; unknown keys are ignored, missing ones keep their zero.
 * Strings are escaped (\n, \\). At most WIRE_STATE_MAX bytes.
 */
#pragma once

#include "base/base.h"

#define WIRE_STATE_MAX 2048

enum wire_status { WIRE_CREATED, WIRE_RUNNING, WIRE_PAUSED, WIRE_EXITED };

struct wire_state {
    enum wire_status status;
    pid_t pid; /* the container's init, in the monitor's pid namespace; 0 when not running */
    uint64_t pid_start; /* its start time in clock ticks since boot: names the process for good */
    pid_t monitor_pid;
    uint64_t monitor_start;
    char boot_id[37]; /* another boot id than the machine's: nothing of it can be running */
    int exit_code;    /* 0–255; 128 + n for a signal */
    bool oom_killed;
    int64_t started_ns; /* since the epoch */
    int64_t finished_ns;
    char cgroup[256]; /* as in struct cgroup.path */
    char error[480];  /* why it could not be started, or "" */
};

const char *
wire_status_name(enum wire_status status); /* "created", "running", "paused", "exited" */
/* Returns the length written (without NUL), or -ENOSPC. No allocation. */
int wire_state_format(const struct wire_state *state, char buffer[static WIRE_STATE_MAX]);
int wire_state_parse(const char *text, size_t size, struct wire_state *ret, struct cl_error *err);
