/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line reader: ends of files, lines that cross reads, lines longer than the buffer.
 */
#include "kernel/lines.h"

#include "support.h"

/* Write text into a pipe in pieces of one byte less than it has room for, then read its lines,
   joined by '|'. */
static void lines_of(const char *text, size_t buffer_size, char *joined, size_t size)
{
    char buffer[64];
    int read_end = -EBADF, write_end = -EBADF;
    joined[0] = '\0';
    if (cl_pipe(&read_end, &write_end) < 0 ||
        write(write_end, text, strlen(text)) != (ssize_t)strlen(text))
        return;
    write_end = cl_close(write_end);
    struct k_lines lines = { .fd = read_end, .buffer = buffer, .size = buffer_size };
    char *line = NULL;
    size_t length = 0, used = 0;
    while (k_lines_next(&lines, &line, &length) > 0) {
        CHECK_INT(strlen(line), length);
        used += (size_t)snprintf(joined + used, size - used, "%s|", line);
    }
    (void)cl_close(read_end);
}

TEST(whole_lines)
{
    char joined[256];
    lines_of("one\ntwo\n\nfour\n", 64, joined, sizeof joined);
    CHECK_STR(joined, "one|two||four|");
    lines_of("", 64, joined, sizeof joined);
    CHECK_STR(joined, "");
}

TEST(last_line_without_newline)
{
    char joined[256];
    lines_of("one\ntwo", 64, joined, sizeof joined);
    CHECK_STR(joined, "one|two|");
}

TEST(lines_cross_reads)
{
    char joined[256];
    lines_of("abc\ndefg\nhi\njklmn\n", 8, joined, sizeof joined);
    CHECK_STR(joined, "abc|defg|hi|jklmn|");
}

TEST(too_long_lines_are_left_out)
{
    char joined[256];
    lines_of("ok\n0123456789012345678901234567890\nalso\n", 8, joined, sizeof joined);
    CHECK_STR(joined, "ok|also|");
    /* A line of exactly the buffer's room (7 and its newline) does not fit, 6 and newline does. */
    lines_of("123456\n1234567\nend\n", 8, joined, sizeof joined);
    CHECK_STR(joined, "123456|end|");
    lines_of("end\n0123456789012345", 8, joined, sizeof joined);
    CHECK_STR(joined, "end|");
}

TEST(a_failing_read_is_reported)
{
    char buffer[16], *line = NULL;
    size_t length = 0;
    struct k_lines lines = { .fd = -EBADF, .buffer = buffer, .size = sizeof buffer };
    CHECK_INT(k_lines_next(&lines, &line, &length), -EBADF);
}

TEST_MAIN
