/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several tests of this room share: a temporary directory, a child in namespaces of its own
 * whose checks count here.
 */
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/calls.h"
#include "kernel/hook.h"
#include "test.h"

struct scratch {
    char path[64];
    int fd;
};

static inline bool scratch_make(struct scratch *scratch)
{
    snprintf(scratch->path, sizeof scratch->path, "/tmp/cloche-test-XXXXXX");
    scratch->fd = -EBADF;
    if (mkdtemp(scratch->path) == NULL)
        return false;
    scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return scratch->fd >= 0;
}

static inline void scratch_remove(struct scratch *scratch)
{
    struct cl_error err = { 0 };
    if (cl_remove_tree(AT_FDCWD, scratch->path, &err) < 0)
        TEST_SAY("leftovers in %s: %s", scratch->path, err.text);
    scratch->fd = cl_close(scratch->fd);
}

/* Run checks in a forked child that first unshares `namespaces`; its failures count as ours.
   False: it can't unshare. */
static inline bool in_child(int namespaces, void (*checks)(void *), void *argument)
{
    enum { CANNOT = 99 };
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        test_failures = 0;
        if (k_unshare(namespaces) < 0)
            _exit(CANNOT);
        if ((namespaces & CLONE_NEWNS) != 0 &&
            k_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
            _exit(CANNOT);
        checks(argument);
        fflush(stdout);
        _exit(test_failures < 90 ? test_failures : 90);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT)
        return false;
    if (!WIFEXITED(status))
        TEST_SAY("the child ended with status 0x%x", (unsigned)status);
    else
        test_failures += WEXITSTATUS(status);
    return true;
}
