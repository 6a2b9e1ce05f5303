/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's log: lines → records → file, with rotation.
 *
 * Records are gathered in `buffer` and written together, one write for each piece of output in the common case. `complete` remembers where the last
 * whole record ends on disk: when a write fails (a full disk), the file is cut back to there, so that a reader never meets half a record with
 * another one glued to it.
 */
#include "monitor/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "wire/setup.h"

void monitor_log_init(struct monitor_log *log, int dir, int take_fd, uint64_t max, uint32_t files)
{
    struct stat status;
    log->dir = dir;
    log->fd = take_fd;
    log->max = max;
    log->files = files;
    if (take_fd >= 0 && fstat(take_fd, &status) == 0)
        log->disk = log->complete = log->record_end = (uint64_t)status.st_size;
}

static void flush(struct monitor_log *log)
{
    if (log->buffered == 0)
        return;
    ssize_t n = cl_write_full(log->fd, log->buffer, log->buffered);
    if (n < 0) {
        /* A file that can't even be shortened is left as it is. */
        log->disk = ftruncate(log->fd, (off_t)log->complete) == 0 ? log->complete : log->disk;
        log->record_end = log->disk;
        log->is_dropping = true;
    } else {
        log->disk += log->buffered;
        log->complete = log->record_end;
    }
    log->buffered = 0;
}

static void put(struct monitor_log *log, const char *data, size_t size)
{
    while (size > 0 && !log->is_dropping) {
        size_t part = sizeof log->buffer - log->buffered;
        if (part > size)
            part = size;
        memcpy(log->buffer + log->buffered, data, part);
        log->buffered += part;
        data += part;
        size -= part;
        if (log->buffered == sizeof log->buffer)
            flush(log);
    }
}

static void put_escaped(struct monitor_log *log, const char *data, size_t size)
{
    while (size > 0 && !log->is_dropping) {
        if (sizeof log->buffer - log->buffered < 6)
            flush(log);
        size_t used;
        log->buffered += monitor_json_escape(data, size, &used, log->buffer + log->buffered,
                                             sizeof log->buffer - log->buffered);
        data += used;
        size -= used;
        if (size > 0)
            flush(log);
    }
}

/* "log" for 0, else "log.NUMBER". */
static void name_of(uint32_t number, char name[static 16])
{
    static const char base[] = WIRE_SETUP_LOG_NAME;
    char digits[10];
    size_t count = 0, used = sizeof base - 1;
    memcpy(name, base, used);
    for (uint32_t rest = number; rest > 0; rest /= 10)
        digits[count++] = (char)('0' + rest % 10);
    if (count > 0)
        name[used++] = '.';
    while (count > 0)
        name[used++] = digits[--count];
    name[used] = '\0';
}

/* The oldest is overwritten by rename, so at no moment is there one file more than wanted. */
static void rotate(struct monitor_log *log)
{
    char from[16], to[16];
    flush(log);
    if (log->files <= 1) {
        if (ftruncate(log->fd, 0) == 0)
            log->disk = log->complete = log->record_end = 0;
        return;
    }
    for (uint32_t number = log->files - 1; number > 0; number--) {
        name_of(number - 1, from);
        name_of(number, to);
        (void)renameat(log->dir, from, log->dir, to); /* most do not exist yet */
    }
    name_of(0, to);
    int fd = openat(log->dir, to, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) { /* then the old one grows on, under its own name */
        name_of(1, from);
        (void)renameat(log->dir, from, log->dir, to);
        return;
    }
    (void)cl_close(log->fd);
    log->fd = fd;
    log->disk = log->complete = log->record_end = 0;
}

static void put_record(struct monitor_log *log, enum monitor_stream stream, const char *text,
                       size_t size)
{
    static const char head[] = "{\"log\":\"", middle[] = "\",\"stream\":\"",
                      time[] = "\",\"time\":\"", end[] = "\"}\n";
    if (log->max > 0 && log->disk + log->buffered >= log->max)
        rotate(log);
    log->is_dropping = false;
    put(log, head, sizeof head - 1);
    put_escaped(log, text, size);
    put(log, middle, sizeof middle - 1);
    put(log, stream == MONITOR_STDOUT ? "stdout" : "stderr", 6);
    put(log, time, sizeof time - 1);
    put(log, log->time, log->time_size);
    put(log, end, sizeof end - 1);
    if (!log->is_dropping)
        log->record_end = log->disk + log->buffered;
}

/* The line buffer is full and has no end: what can be written goes out, a cut character stays for the next record. */
static void split_line(struct monitor_log *log, enum monitor_stream stream)
{
    char *line = log->line[stream];
    size_t used = log->line_used[stream], rest = monitor_cut_bytes(line, used);
    put_record(log, stream, line, used - rest);
    memmove(line, line + used - rest, rest);
    log->line_used[stream] = rest;
}

/* A piece of a line; has_end: up to and with its newline. */
static void add_piece(struct monitor_log *log, enum monitor_stream stream, const char *data,
                      size_t size, bool has_end)
{
    if (has_end && log->line_used[stream] == 0 && size <= MONITOR_LINE_MAX) {
        put_record(log, stream, data, size);
        return;
    }
    while (size > 0) {
        size_t part = MONITOR_LINE_MAX - log->line_used[stream];
        if (part > size)
            part = size;
        memcpy(log->line[stream] + log->line_used[stream], data, part);
        log->line_used[stream] += part;
        data += part;
        size -= part;
        if (log->line_used[stream] == MONITOR_LINE_MAX && !(has_end && size == 0))
            split_line(log, stream);
    }
    if (has_end) {
        put_record(log, stream, log->line[stream], log->line_used[stream]);
        log->line_used[stream] = 0;
    }
}

void monitor_log_add(struct monitor_log *log, enum monitor_stream stream, const char *data,
                     size_t size)
{
    if (log->fd < 0)
        return;
    log->time_size = monitor_format_time(cl_now_ns(), log->time);
    while (size > 0) {
        const char *newline = memchr(data, '\n', size);
        size_t piece = newline != NULL ? (size_t)(newline - data) + 1 : size;
        add_piece(log, stream, data, piece, newline != NULL);
        data += piece;
        size -= piece;
    }
    flush(log);
}

void monitor_log_end(struct monitor_log *log)
{
    if (log->fd < 0)
        return;
    log->time_size = monitor_format_time(cl_now_ns(), log->time);
    for (enum monitor_stream stream = 0; stream < MONITOR_STREAMS; stream++) {
        if (log->line_used[stream] > 0)
            put_record(log, stream, log->line[stream], log->line_used[stream]);
        log->line_used[stream] = 0;
    }
    flush(log);
    log->fd = cl_close(log->fd);
}

void monitor_log_trim(struct monitor_log *log, size_t page)
{
    (void)madvise(log->buffer, sizeof log->buffer, MADV_DONTNEED); /* a page more or less */
    for (size_t i = 0; i < MONITOR_STREAMS; i++) {
        size_t kept = (log->line_used[i] + page - 1) / page * page;
        if (kept < MONITOR_LINE_MAX)
            (void)madvise(log->line[i] + kept, MONITOR_LINE_MAX - kept, MADV_DONTNEED);
    }
}
