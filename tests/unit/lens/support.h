/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the lens's tests: frozen processes in namespaces of their own, texts of what a function prints, and what lsns(8) prints.
 */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lens/lens.h"
#include "test.h"

/* A child that says when it is ready and then waits to be killed. It dies with us. */
struct sleeper {
    pid_t pid;
};
typedef int sleeper_setup(void *context); /* in the child; negative: could not */

static void sleeper_freeze(int ready_fd)
{
    (void)!write(ready_fd, "r", 1);
    (void)close(ready_fd);
    for (;;)
        (void)pause();
}

/* flags: CLONE_NEW*. False: not permitted here. */
static bool sleeper_start(struct sleeper *sleeper, int flags, sleeper_setup *setup, void *context)
{
    int ready[2];
    char byte;
    if (pipe2(ready, O_CLOEXEC) < 0)
        return false;
    (void)fflush(NULL);
    pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (setup != NULL && setup(context) < 0)
            _exit(1);
        sleeper_freeze(ready[1]);
    }
    (void)close(ready[1]);
    bool is_ready = pid > 0 && read(ready[0], &byte, 1) == 1;
    (void)close(ready[0]);
    if (!is_ready && pid > 0)
        (void)waitpid(pid, NULL, 0);
    sleeper->pid = is_ready ? pid : 0;
    return is_ready;
}

static void sleeper_end(struct sleeper *sleeper)
{
    if (sleeper->pid <= 0)
        return;
    (void)kill(sleeper->pid, SIGKILL);
    (void)waitpid(sleeper->pid, NULL, 0);
    sleeper->pid = 0;
}

/* Run printer with a stream; its text, owned, or NULL with err set. */
struct printed {
    char *text;
    size_t size;
    int code;
    struct cl_error err;
};
__attribute__((unused)) static void printed_done(struct printed *printed)
{
    free(printed->text);
    printed->text = NULL;
}

__attribute__((unused)) static struct printed print_lsns(const struct lens_lsns_options *options,
                                                         const struct lens_names *names)
{
    struct printed printed = { 0 };
    FILE *out = open_memstream(&printed.text, &printed.size);
    printed.code = lens_lsns(options, names, out, &printed.err);
    (void)fclose(out);
    return printed;
}

/* Standard output of a program, owned; NULL when it could not be run. */
__attribute__((unused)) static char *run_program(const char *const *arguments)
{
    int out[2];
    size_t used = 0, room = 1 << 20;
    if (pipe2(out, O_CLOEXEC) < 0)
        return NULL;
    char *text = calloc(1, room);
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(out[1], 1);
        (void)setenv("LC_ALL", "C.UTF-8", 1);
        (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    (void)close(out[1]);
    ssize_t got;
    while (used < room - 1 && (got = read(out[0], text + used, room - 1 - used)) > 0)
        used += (size_t)got;
    (void)close(out[0]);
    int status = 0;
    (void)waitpid(pid, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 127) {
        free(text);
        return NULL;
    }
    return text;
}

/* Number of lines of text that hold part. */
__attribute__((unused)) static int count_lines(const char *text, const char *part)
{
    int count = 0;
    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *end = strchrnul(line, '\n');
        count += memmem(line, (size_t)(end - line), part, strlen(part)) != NULL;
        line = *end == '\0' ? NULL : end + 1;
    }
    return count;
}
