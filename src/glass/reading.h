/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room glass only: reading processes, many at once. Pure reading: nothing here knows the table.
 */
#pragma once

#include "glass/world.h"

enum { GLASS_COMMAND_MAX = 4096 };

struct glass_reading {
    pid_t pid;
    int code; /* 0; -ESRCH: it has ended; other negative: could not be read */
    bool only_command;
    struct glass_process seen; /* all but entry, group, cgroup, inside_user */
    char *cgroup;              /* text, owned */
    char *command;             /* with only_command; owned, NULL: none */
    uint64_t start_ticks;      /* with only_command: what it must be */
};
void glass_reading_done(struct glass_reading *reading);
/* readings[i].pid is given. On several processors where it is worth it. 0 or -ENOMEM. */
int glass_read_all(int proc_fd, struct glass_reading *readings, size_t count);
/* One, through its open /proc/PID. */
int glass_read_process(int pid_fd, struct glass_reading *reading);
/* Owned; NULL: out of memory. Empty where there is none. */
char *glass_read_command(int pid_fd);
