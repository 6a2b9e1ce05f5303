/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hot loop: for each pid its namespace links and, if asked for, its descriptors that could hold a namespace. Nearly all of
 * the time is the kernel's, so it is spread over the processors by threads that share nothing but an index.
 */
#pragma once

#include "lens/model.h"

enum lens_scan_state { LENS_SCAN_SEEN, LENS_SCAN_HIDDEN, LENS_SCAN_GONE };

struct lens_scan_process {
    pid_t pid;
    enum lens_scan_state state;
    uint64_t inodes[K_NS_COUNT]; /* 0: none, or not asked for */
};

struct lens_scan_options {
    int proc_fd;
    unsigned types;
    bool want_descriptors;
    bool want_sockets;
    dev_t nsfs;       /* device of namespace files; for descriptors */
    unsigned workers; /* 0: by processors and amount of work */
};
/*
 * processes[i].pid is given, the rest is filled in. Descriptors are appended to the snapshot's in no particular order.
 * 0 or -errno (-EMFILE, -ENOMEM).
 */
int lens_scan(const struct lens_scan_options *options, struct lens_scan_process *processes,
              size_t count, struct lens_snapshot *snapshot);
