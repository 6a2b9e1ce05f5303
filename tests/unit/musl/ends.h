/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of what ends a program: it is done in a child.
 */
#pragma once

#include <sys/wait.h>
#include <unistd.h>

/* The signal that ends a process that does this, or 0. */
static int ends_with(void (*action)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        action();
        _exit(0);
    }
    return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
