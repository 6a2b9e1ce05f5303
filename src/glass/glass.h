/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room glass: the lens as a terminal interface. Left the host's tree of processes, right the same processes as their containers see them.
 *
 *   world.h     the table of processes, kept up to date (reads /proc)
 *   rows.h      table → rows: tree or list, filter, order               pure
 *   layout.h    size → columns                                          pure
 *   state.h     keys and mouse → cursor, modes, what is to be done      pure
 *   draw.h      state and table → cells (screen.h)                      pure
 *   terminal.h  cells → terminal, terminal → events                     ncursesw
 *   live.h      when the table has to be brought up to date
 *   run.c       the loop
 *
 * It only looks, with the lens's rules (lens/lens.h): nothing is entered, nothing of a container is executed, what may not be read is shown
 * as hidden, and text from outside is made safe before it becomes cells.
 */
#pragma once

#include "lens/lens.h"

struct glass_options {
    const char *reference; /* NAME or PID that the cursor starts on; NULL: the first */
    const char *filter;    /* to start with; or NULL */
    const char *terminal;  /* its name in terminfo: TERM */
    bool only_containers, is_list, is_ascii, is_monochrome;
    unsigned interval_ms; /* between two readings where nobody tells what happens; 0: 1000 */
    bool is_polling;      /* read at the interval even where events may be used */
    int proc_fd;          /* the procfs to read; 0 or negative: procfs_open_host */
};
/* Until the person quits. 0 or -errno with err set; the terminal is as it was before. */
int glass_run(const struct glass_options *options, const struct lens_names *names,
              struct cl_error *err);
