/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of Linux that one C library declares and another lacks (musl before 1.2.5): statx(2) with its struct, renameat2(2).
 * Include this instead of <sys/stat.h> or <stdio.h> for them.
 */
#pragma once

#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef STATX_BASIC_STATS
#include <linux/stat.h>

static inline int statx(int dir, const char *path, int flags, unsigned mask, struct statx *ret)
{
    return (int)syscall(SYS_statx, dir, path, flags, mask, ret);
}
#endif

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1 /* <linux/fs.h> */

static inline int renameat2(int from, const char *old, int to, const char *name, unsigned flags)
{
    return (int)syscall(SYS_renameat2, from, old, to, name, flags);
}
#endif
