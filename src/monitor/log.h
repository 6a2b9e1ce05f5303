/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room monitor only: the container's log, Docker's json-file format with rotation by size.
 *
 * Output is collected into lines per stream, each line becomes a record, and records go to the file in batches. Nothing here allocates; the struct is
 * large (its buffers) and lives in pages that monitor_log_trim gives back.
 */
#pragma once

#include "base/base.h"

#define MONITOR_LINE_MAX 16384 /* bytes of output in one record at most: Docker's limit */
#define MONITOR_ALIGN    16384 /* of buffers, so that a page of up to this size holds no two of them */

enum monitor_stream { MONITOR_STDOUT, MONITOR_STDERR, MONITOR_STREAMS };

struct monitor_log {
    int dir, fd;       /* borrowed dir; fd is owned, -EBADF: no log */
    uint64_t max;      /* rotate from this size on; 0: never */
    uint32_t files;    /* kept in all, the current one included */
    uint64_t disk;     /* size of the file */
    uint64_t complete; /* … up to the end of the last record that is whole */
    uint64_t record_end;
    size_t buffered;
    bool is_dropping; /* the record being written is lost already */
    size_t time_size;
    char time[40];
    size_t line_used[MONITOR_STREAMS];
    _Alignas(MONITOR_ALIGN) char buffer[16384];
    _Alignas(MONITOR_ALIGN) char line[MONITOR_STREAMS][MONITOR_LINE_MAX];
};

/* The struct is zeroed memory. Takes fd (negative: log nothing). */
void monitor_log_init(struct monitor_log *log, int dir, int take_fd, uint64_t max, uint32_t files);
/* Output as it came. Whole lines are on their way to the file when this returns; the rest waits for its end. */
void monitor_log_add(struct monitor_log *log, enum monitor_stream stream, const char *data,
                     size_t size);
/* What waits is written as it is; closes the file. */
void monitor_log_end(struct monitor_log *log);
/* Give the buffers' idle pages back to the system. page: its size, at most MONITOR_ALIGN. */
void monitor_log_trim(struct monitor_log *log, size_t page);

/* ---- log_text.c: pure ---- */
/* Go's encoding/json: as much of text as fits into out; *ret_read says how much was used. Returns the bytes written. room >= 6. */
size_t monitor_json_escape(const char *text, size_t size, size_t *ret_read, char *out, size_t room);
/* Bytes at the end of text that are the start of a character which is cut off there: 0 … 3. */
size_t monitor_cut_bytes(const char *text, size_t size);
/* RFC 3339 with nanoseconds, UTC, trailing zeros cut; returns the length. */
size_t monitor_format_time(int64_t ns, char out[static 40]);
