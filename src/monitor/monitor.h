/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room monitor: the supervisor of one container, for the container's whole life.
 *
 * The process that created the container becomes it by exec (src/programs/cloche-monitor.c), so it is the parent of the container's init. It waits for init,
 * holds the terminal's master or the ends of the stdio pipes, writes the log, serves clients (wire/attach.h), and at the end records the exit (wire/state.h), tells
 * the clients, and cleans up. One process, one thread, one poll loop over a table of states and events; after the start nothing is
 * allocated and nothing is printed. Uses base, kernel, wire.
 *
 *   state       meaning                                 ends when
 *   RUNNING     init lives                              its pidfd is readable
 *   DRAINING    init is dead, output is left            all of it is read and taken by the clients, or they were dropped
 *   LEAVING     the record is written, EXIT goes out    every client has it, or was dropped
 *
 * The log: Docker's json-file, one line per record: {"log":"text\n","stream":"stdout","time":"2026-11-23T13:19:30.123456789Z"}. A line of output longer than
 * 16 KiB is split into records without "\n" (at a character's border); a last line without an end is kept without one. At log_max_bytes
 * `log` becomes `log.1` and so on, log_max_files in all. A record that can't be written (no space) is lost whole, never in part; the container goes on.
 *
 * Standard input: from every client that said WANT_STDIN. STDIN_END, or the client's leaving, closes the container's end of a pipe with
 * WIRE_SETUP_STDIN_ONCE, and means nothing otherwise or with a terminal (as Docker). While the container does not read, clients with stdin wait.
 *
 * The client of fd.client was there before the container: until it has said HELLO (10 s at most) no output is read, so it misses none. While the container
 * runs it may also be as slow as it likes, and the container's writes wait for it: it is `run`'s pipe, where a byte must not be lost because the next
 * program is busy. Others get what is written after their HELLO, and one that takes nothing for 10 s is dropped; so is the first one once init has ended. A client that leaves without having got EXIT is none of the monitor's concern; a client that loses the monitor without EXIT
 * reads the state record.
 *
 * Signals to the monitor: SIGTERM goes to the container's init; SIGHUP, SIGINT, SIGQUIT and SIGPIPE are ignored.
 *
 * Order at the end, each step a test point of role "monitor": init reaped, output drained and logged, record written, EXIT sent, socket
 * unlinked, descriptors (with the root mount) closed, cgroup killed if anything is left in it and removed, lock released by exit or by the exec of `reap`.
 */
#pragma once

#include "wire/wire.h"

/*
 * Become the monitor of setup's container: takes all descriptors of setup and closes every other one of the process, changes session, directory,
 * signals and name of the process. `setup` must have passed wire_setup_check. Returns when the container has ended and everything is cleaned
 * up: the exit status for main (0; 1 when it could not work at all). With AUTO_REMOVE it does not return but becomes `cloche reap`.
 */
int monitor_run(const struct wire_setup *setup);
