/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A crowd to be looked at: GROUPS sets of six new namespaces (mnt pid net ipc uts cgroup), each with EACH sleeping processes.
 *
 *   crowd GROUPS EACH      says "ready" when all sleep; all end when its standard input does
 *
 * The first process of a group is the init of its pid namespace: with it the kernel ends the rest. Static and without any work, so that 20,000 of them
 * cost memory for page tables and kernel stacks alone.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GROUP_FLAGS                                                                                \
    (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static void sleep_for_ever(void)
{
    for (;;)
        (void)pause();
}

/* Each byte in the pipe is one process that sleeps. */
static int say(int fd)
{
    return write(fd, "", 1) == 1 ? 0 : -1;
}

/* As init of its group; never returns. */
static void be_group(long each, int ready)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGCHLD, SIG_IGN);
    for (long i = 1; i < each; i++) {
        pid_t pid = fork();
        if (pid < 0 || (pid == 0 && say(ready) < 0))
            _exit(1);
        if (pid == 0)
            sleep_for_ever();
    }
    if (say(ready) < 0)
        _exit(1);
    sleep_for_ever();
}

static int wait_ready(int fd, long count)
{
    char bytes[4096];
    while (count > 0) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got <= 0)
            return -1;
        count -= got;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int ready[2];
    char byte, *end = NULL;
    long groups = argc == 3 ? strtol(argv[1], &end, 10) : 0;
    long each = argc == 3 ? strtol(argv[2], &end, 10) : 0;
    if (groups < 1 || each < 1 || groups * each > 100000) {
        (void)fprintf(stderr, "usage: crowd GROUPS EACH\n");
        return 2;
    }
    if (pipe(ready) < 0)
        return 1;
    for (long i = 0; i < groups; i++) {
        pid_t pid = (pid_t)syscall(SYS_clone, GROUP_FLAGS | SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0)
            be_group(each, ready[1]);
        if (pid < 0) {
            (void)fprintf(stderr, "crowd: clone: %s\n", strerror(errno));
            return 1;
        }
    }
    (void)close(ready[1]);
    if (wait_ready(ready[0], groups * each) < 0)
        return 1;
    (void)puts("ready");
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}
