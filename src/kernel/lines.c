/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line reader over a caller's buffer. One byte of the buffer is kept free for the NUL of a last
 * line without newline.
 */
#include "kernel/lines.h"

#include <errno.h>
#include <string.h>

#include "kernel/hook.h"

static long refill(struct k_lines *lines)
{
    size_t left = lines->end - lines->at;
    if (lines->at > 0)
        memmove(lines->buffer, lines->buffer + lines->at, left);
    if (left == lines->size - 1) {
        lines->skip_line = true;
        left = 0;
    }
    lines->at = 0;
    lines->end = left;
    long got;
    do
        got = K_CALL("read", SYS_read, lines->fd, (long)(lines->buffer + left),
                     (long)(lines->size - 1 - left));
    while (got == -EINTR);
    if (got > 0)
        lines->end += (size_t)got;
    return got;
}

static bool take_line(struct k_lines *lines, size_t length, char **ret_line, size_t *ret_length)
{
    char *line = lines->buffer + lines->at;
    bool wanted = !lines->skip_line;
    lines->skip_line = false;
    line[length] = '\0';
    lines->at += length + 1;
    if (lines->at > lines->end)
        lines->at = lines->end; /* the last line had no newline */
    if (wanted) {
        *ret_line = line;
        *ret_length = length;
    }
    return wanted;
}

int k_lines_next(struct k_lines *lines, char **ret_line, size_t *ret_length)
{
    for (;;) {
        char *line = lines->buffer + lines->at;
        char *newline = memchr(line, '\n', lines->end - lines->at);
        if (newline != NULL) {
            if (take_line(lines, (size_t)(newline - line), ret_line, ret_length))
                return 1;
            continue;
        }
        long got = refill(lines);
        if (got < 0)
            return (int)got;
        if (got == 0)
            return lines->end > lines->at &&
                   take_line(lines, lines->end - lines->at, ret_line, ret_length);
    }
}
