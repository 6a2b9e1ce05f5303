/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pseudo-terminals (pty(7), ioctl_tty(2)).
 */
#pragma once

#include <termios.h>

#include "kernel/calls.h"

/* Open a pair on the devpts instance at devpts_fd (directory; negative: the host's /dev/pts).
   The slave is opened by TIOCGPTPEER from the master, never by name (CVE-2025-52565: a fake
   /dev/pts). index: its number N in /dev/pts/N. */
int terminal_open_pair(int devpts_fd, int *ret_master, int *ret_slave, unsigned *ret_index,
                       struct cl_error *err);
int terminal_set_size(int fd, unsigned rows, unsigned columns);
int terminal_get_size(int fd, unsigned *ret_rows,
                      unsigned *ret_columns); /* -ENOTTY if no terminal */
/* Raw mode on the user's own terminal: saves what was. */
int terminal_set_raw(int fd, struct termios *ret_saved);
int terminal_restore(int fd, const struct termios *saved);
