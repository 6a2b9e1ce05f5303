/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the test's own, with an open descriptor, removed at the end of the scope by find(1), not by the code under test. */
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct scratch {
    char path[64]; /* the prefix is this room's own */
    int fd;
};

static inline struct scratch scratch_make(void)
{
    struct scratch scratch = { .path = "/tmp/cloche-base-test-XXXXXX", .fd = -1 };
    if (mkdtemp(scratch.path) != NULL)
        scratch.fd = open(scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return scratch;
}

static inline void scratch_done(struct scratch *scratch)
{
    if (scratch->fd < 0)
        return;
    close(scratch->fd);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("find", "find", scratch->path, "-xdev", "-depth", "-delete", (char *)NULL);
        _exit(1);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
}

#define SCRATCH(name) __attribute__((cleanup(scratch_done))) struct scratch name = scratch_make()
