/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate that every system call of this room passes, private to it (and to its tests).
 *
 * In ordinary life it costs a load and a branch. Tests make trouble with it:
 *   CLOCHE_TEST_NO=openat2,clone3       the named calls answer -ENOSYS, as on a kernel or under a
 *     filter that lacks them
 *   CLOCHE_TEST_FAIL_CALL=7:EIO         the 7th call of the process fails with EIO (a name of the
 *     usual ones, or a number)
 * Names are those of the man pages ("openat2", "mount_setattr", "setns"). A forked child goes on
 * counting from where its parent was. The environment is read once, before main; a process that
 * runs with raised privileges (AT_SECURE) ignores it.
 */
#pragma once

#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

extern bool k_hook_is_on;

/* 0: make the call; else the -errno that it has to answer. */
int k_hook_slow(const char *name);
static inline int k_hook(const char *name)
{
    return __builtin_expect(k_hook_is_on, 0) ? k_hook_slow(name) : 0;
}
/* For unit tests: what the two variables would hold (NULL: unset). Restarts the count. */
void k_hook_set(const char *no, const char *fail_call);

/*
 * syscall(2) behind the gate: >= 0 or -errno, the thread's errno stays as it was. Pointers are cast
 * to long by the caller. An array, because six plain arguments of one type invite mistakes:
 * K_CALL("mkdirat", SYS_mkdirat, dirfd, (long)path, mode).
 */
long k_call(const char *name, long number, const long arguments[static 6]);
#define K_CALL(name, number, ...) k_call((name), (number), (const long[6]){ __VA_ARGS__ })
