/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal, by ncursesw. The only file that knows it is terminal.c; one terminal at a time, standard input and output.
 *
 * Whatever ends the program puts the terminal right first: a normal return, SIGINT, SIGTERM, SIGHUP, SIGQUIT, and also SIGSEGV, SIGBUS, SIGFPE,
 * SIGILL, SIGABRT. ^Z suspends and comes back.
 *
 * No locale is loaded from a file: LC_CTYPE becomes the built-in C.UTF-8, or stays C where is_ascii.
 */
#pragma once

#include "glass/screen.h"
#include "glass/state.h"

struct glass_terminal_options {
    const char *name; /* in terminfo */
    bool is_ascii, is_monochrome;
};
/* USAGE where there is no terminal; UNSUPPORTED where TERM is unknown or can't move its cursor. */
int glass_terminal_open(const struct glass_terminal_options *options, struct cl_error *err);
void glass_terminal_close(void);
bool glass_terminal_is_utf8(void);
void glass_terminal_size(unsigned *ret_width, unsigned *ret_height);
/* repaint: trust nothing of what is there. */
void glass_terminal_show(const struct glass_screen *screen, bool repaint);
/* The next event that has come; false: there is none. */
bool glass_terminal_read(struct glass_event *ret);
