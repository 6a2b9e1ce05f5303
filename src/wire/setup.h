/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the forked parent hands to cloche-monitor when it becomes it by execveat: one flat struct in a sealed memfd, whose number is argv[1]. All descriptors
 * named in it are open across that exec (the parent clears their close-on-exec flag just before) and set close-on-exec again by the monitor at once; -1 where absent.
 */
#pragma once

#include "base/base.h"

#define WIRE_SETUP_MAGIC       0x434c4f31u /* "CLO1" */
#define WIRE_SETUP_SOCKET_NAME "attach.sock"
#define WIRE_SETUP_LOG_NAME    "log"   /* in fd.dir; rotated to log.1, log.2, … */
#define WIRE_SETUP_STATE_NAME  "state" /* in fd.dir; wire/state.h */
#define WIRE_SETUP_LOG_FILES   1000    /* log_max_files at most */

enum wire_setup_flags {
    WIRE_SETUP_TERMINAL = 1, /* console_fd is a pty master; no stdio pipes */
    WIRE_SETUP_STDIN = 2,    /* stdin is open (-i) */
    WIRE_SETUP_STDIN_ONCE =
        4, /* close the container's stdin when the first client that attached it leaves */
    WIRE_SETUP_AUTO_REMOVE = 8, /* run reap_argv after the exit */
    WIRE_SETUP_NO_LOG = 16,
};

struct wire_setup {
    uint32_t magic, size; /* WIRE_SETUP_MAGIC, sizeof(struct wire_setup) */
    uint32_t flags;
    char id[65];
    struct {
        int32_t lock, dir, state_dir, log, init_pidfd, console, in, out, err, client, listener,
            root_mount, mnt_ns, cgroup_memory, reap_program;
    } fd;
    /* lock: held for life. dir: ROOT/containers/ID (writes `state` there). state_dir: STATE/ID (holds attach.sock).
       log: the log file, append. init_pidfd. console: pty master. in: write end; out, err: read ends. client: first attached client
       (SEQPACKET) or -1. listener: bound, listening attach.sock. root_mount: pins the overlay until the end.
       mnt_ns: the container's mount namespace, pinned past init's end, or -1: its last process dissolves it, which waits for the kernel (RCU)
       before anybody hears of that end. cgroup_memory: directory for the
       OOM count, or -1. reap_program: O_PATH of the cloche binary. */
    int32_t init_pid;
    uint64_t init_start;
    uint64_t log_max_bytes; /* rotate past this; 0: never */
    uint32_t log_max_files;
    char reap_root[256], reap_state[256]; /* `cloche --root R --state S reap ID` */
    char cgroup[256];
    char boot_id[37];
    int64_t started_ns;
};

/*
 * Is this a setup that a monitor can work with? size: how many bytes were read of it. All descriptors are -1 or from 3 up, each named once; 0, 1 and 2 become
 * /dev/null. lock, dir, state_dir and init_pidfd must be there; console exactly with TERMINAL, and then no in, out, err; in only with
 * STDIN; log only without NO_LOG; reap_program and both absolute reap paths with AUTO_REMOVE. All strings end. Returns 0, or -EPROTO with *ret_problem (which
 * may be NULL) naming the field.
 */
int wire_setup_check(const struct wire_setup *setup, size_t size, const char **ret_problem);
