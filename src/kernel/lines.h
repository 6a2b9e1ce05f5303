/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of a proc file without stdio and without allocation, private to this room. Lines longer
 * than the buffer are left out: nothing that we look for is that long, while "Groups:" in status or
 * an overlay's options in mountinfo can be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct k_lines {
    int fd; /* borrowed */
    char *buffer;
    size_t size;    /* of the buffer */
    size_t at, end; /* what is read and not yet handed out */
    bool skip_line; /* we are inside a line that is too long */
};

/* 1 and the next line, its newline replaced by NUL, valid until the next call; 0 at the end;
   -errno. A last line without a newline counts. */
int k_lines_next(struct k_lines *lines, char **ret_line, size_t *ret_length);
