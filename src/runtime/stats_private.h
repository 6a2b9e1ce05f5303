/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stats.c and stats_io.c share. All texts are in one buffer: the next read overwrites it.
 */
#pragma once

#include <errno.h>
#include <unistd.h>

#include "runtime/runtime.h"

#define STATS_BUFFER_SIZE (128 << 10)

struct stats_reader {
    const struct cgroup *group;
    int proc_fd;
    char *buffer;
};

const char *stats_text(struct stats_reader *reader, const char *controller, const char *file);
/* False: there is no such file. "max" is UINT64_MAX. */
bool stats_number(struct stats_reader *reader, const char *controller, const char *file,
                  uint64_t *ret);
/* Cut off and return the next line, or word; NULL at the end. */
char *stats_line(char **text);
char *stats_word(char **line);
uint64_t stats_u64(const char *text); /* 0 for what is no number */

int stats_read_io(struct stats_reader *reader, struct runtime_stats *stats);
int stats_read_hugetlb(struct stats_reader *reader, struct runtime_stats *stats);
int stats_read_interfaces(struct stats_reader *reader, pid_t pid, struct runtime_stats *stats);
