/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of the child's side: walks a table of steps and speaks with the parent (wire/init.h).
 *
 * The child was cloned without shared memory from a process with one thread, so all of libc works;
 * it still allocates next to nothing, because each page that it touches first costs a page fault.
 */
#include "runtime/child.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int child_send(const struct child *child, enum wire_init_type type, int fd)
{
    const struct wire_init message = { .type = type };
    ssize_t size = fd >= 0 ? cl_send_fds(child->sync, &message, sizeof message, &fd, 1)
                           : send(child->sync, &message, sizeof message, MSG_NOSIGNAL);
    return size == (ssize_t)sizeof message ? 0 : size < 0 && fd >= 0 ? (int)size : -EPIPE;
}

/* A filter may forbid even to exit: a fault ends us all the same, as pid 1, too. (The C library's own _exit would try for ever.) */
static _Noreturn void leave(int code)
{
    (void)syscall(SYS_exit_group, code);
    __builtin_trap();
}

static _Noreturn void fail(const struct child *child, size_t step, struct cl_error *err)
{
    struct wire_init message = { .type = WIRE_INIT_FAILED,
                                 .step = (uint32_t)step,
                                 .code = err->code,
                                 .kind = (uint32_t)err->kind };
    _Static_assert(sizeof message.text == sizeof err->text, "FAILED carries a whole cl_error");
    memcpy(message.text, err->text, sizeof message.text);
    /* A parent that is gone has no use for it. */
    (void)send(child->sync, &message, sizeof message, MSG_NOSIGNAL);
    leave(err->kind == CL_KIND_NO_COMMAND ? 127 : err->kind == CL_KIND_NOT_EXECUTABLE ? 126 : 125);
}

/* A filter need not allow write: a file hears of the filter before it is loaded, and of nothing after it; the last step has no end. */
static void silence(struct child *child, const struct child_step *step, bool is_last)
{
    if (child->trace.fd <= 0 || !child->trace.has_lines ||
        (!is_last && step->run != sec_load_filter))
        return;
    trace_endless(&child->trace, step->name);
    child->trace.fd = -EBADF;
}

/* Nor need it allow to send: then the watcher hears now of all that is left. */
static bool tell_rest(const struct child *child, const struct child_step *steps, size_t count)
{
    if (child->trace.fd <= 0 || child->trace.has_lines || steps->run != sec_load_filter ||
        trace_passes(&child->trace, &child->process->filter))
        return false;
    for (size_t i = 0; i < count; i++)
        if (steps[i].is_needed == NULL || steps[i].is_needed(child))
            trace_unheard(&child->trace, steps[i].name);
    return true;
}

/* Negative: the watcher wants an end. */
static int begin_step(struct child *child, const struct child_step *steps, size_t count,
                      struct timespec *ret_start)
{
    silence(child, steps, count == 1);
    bool is_last_heard = tell_rest(child, steps, count);
    int result = is_last_heard && !child->trace.waits
                     ? 0
                     : trace_begin(&child->trace, steps->name, ret_start);
    if (is_last_heard)
        child->trace.fd = -EBADF;
    return result;
}

void child_run(struct child *child, const struct child_step *steps, size_t count)
{
    cl_test_role("init");
    for (size_t i = 0; i < count; i++) {
        struct cl_error err = { 0 };
        if (steps[i].is_needed != NULL && !steps[i].is_needed(child))
            continue;
        cl_debug("init", "%s", steps[i].name);
        struct timespec start;
        if (begin_step(child, steps + i, count - i, &start) < 0) {
            (void)trace_stopped(steps[i].name, &err);
            fail(child, i, &err);
        }
        if (steps[i].run(child, &err) < 0) {
            trace_failed(&child->trace, steps[i].name, &start);
            (void)k_explain_missing(&err);
            trace_name_step(&err, steps[i].name);
            fail(child, i, &err);
        }
        trace_end(&child->trace, steps[i].name, 0, &start);
        cl_test_point(steps[i].name);
    }
    leave(125); /* the last step does not come back */
}

/* What the kernel hands over at exec: ignored signals and the mask of whoever forked us are no
   business of the program's. */
void child_reset_signals(void)
{
    struct { /* the kernel's struct sigaction: all zero is SIG_DFL */
        unsigned long handler, flags, restorer;
        uint64_t mask;
    } action = { 0 };
    uint64_t none = 0;
    for (int signo = 1; signo <= 64;
         signo++) /* SIGKILL and SIGSTOP answer EINVAL: they are default anyway */
        (void)syscall(SYS_rt_sigaction, signo, &action, NULL, sizeof none);
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

/* IN_HOST */
int child_begin(struct child *child, struct cl_error *err)
{
    child->parent_end = cl_close(child->parent_end); /* or we would never see its end of file */
    /* While we set up, we go with the parent in any case; it is asked for again, or not, after the
       ids are changed. */
    int result = k_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    /* Until its id maps are written, a process of an ordinary user has to belong to that user
       (join_as_root makes up for it). */
    if (result >= 0 && (child->plan == NULL || !child->plan->new_user_ns))
        result = k_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (result < 0)
        return cl_fail(err, result, "set up the new process");
    child_reset_signals();
    (void)umask(0); /* modes are what the spec says; the program's own comes last */
    return 0;
}

static int hear(const struct child *child, enum wire_init_type type, struct wire_init *ret,
                struct cl_error *err)
{
    ssize_t size;
    do
        size = recv(child->sync, ret, sizeof *ret, 0);
    while (size < 0 && errno == EINTR);
    if (size == 0 || (size < 0 && errno == ECONNRESET))
        leave(125); /* the parent died: so do we, without a trace */
    if (size != (ssize_t)sizeof *ret || ret->type != type)
        return cl_fail(err, size < 0 ? errno : EPROTO, "hear from the container's parent process");
    return 0;
}

int child_wait(struct child *child, enum wire_init_type type, struct cl_error *err)
{
    struct wire_init message;
    return hear(child, type, &message, err);
}

/* IN_HOST */
int child_wait_go(struct child *child, struct cl_error *err)
{
    struct wire_init message;
    int result = hear(child, WIRE_INIT_GO, &message, err);
    child->has_group = result >= 0 && message.code > 0;
    return result;
}

/* Whoever asks who we are hears of us, and may then say something else. */
static ssize_t hear_connection(const struct child *child, struct wire_init *message, int *fd,
                               size_t *count)
{
    ssize_t size = cl_recv_fds(child->sync, message, sizeof *message, fd, 1, count);
    if (size != (ssize_t)sizeof *message || message->type != WIRE_INIT_WHO || *count > 0)
        return size;
    return child_send(child, WIRE_INIT_READY, -1) < 0 ? -EPIPE : -EINTR;
}

/* The creator is gone; whoever connects takes its place. One that goes away again without a word
   was killed, or only asked whether we still wait. */
static int wait_for_successor(struct child *child, int listener, struct cl_error *err)
{
    for (;;) {
        struct wire_init message;
        ssize_t size;
        int fd = -EBADF;
        size_t count = 0;
        child->sync = cl_close(child->sync);
        child->sync = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (child->sync < 0 && errno != EINTR && errno != ECONNABORTED)
            return cl_fail(err, errno, "wait for the container's start");
        if (child->sync < 0)
            continue;
        do
            size = hear_connection(child, &message, &fd, &count);
        while (size == -EINTR);
        if (size == (ssize_t)sizeof message && message.type == WIRE_INIT_START) {
            if (count == 1) { /* closed at exec, as every other */
                child->trace = (struct trace){ .fd = fd, .is_init = true, .has_lines = true };
                memcpy(&child->trace.since, message.text, sizeof child->trace.since);
            }
            return 0;
        }
        if (count == 1)
            (void)cl_close(fd);
    }
}

/* The namespaces of a process that is not dumpable can be joined only with rights over the user
   namespace that its memory is of, the host's: an ordinary user could not exec before the start.
   Only where nothing is joined, so that nobody lives in there yet. Whom exec brings in is kept from
   tracing us by the capabilities that we still have and they lack: it brings nobody in who has
   CAP_SYS_PTRACE (ocicli/exec.c). */
static bool lets_its_user_in(const struct child *child)
{
    const struct runtime_plan *plan = child->plan;
    return plan->options->is_started_later && !plan->facts->is_root && plan->new_user_ns &&
           plan->join_count == 0;
}

static int compare_fds(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* Before that: whatever we still have open of the host's (its /proc, control groups, the state directory, what was mounted) would be a way out for who gets at our
   descriptors (CVE-2016-9962, CVE-2024-21626). What is needed yet stays, and is the container's or our own conversation. */
static int close_the_host(struct child *child)
{
    int *const closed[] = { &child->home, &child->devpts, &child->mask, &child->slave,
                            &child->rdt_root };
    int needed[] = { child->plan->options->start_listener,
                     child->sync,
                     child->root,
                     child->proc,
                     child->notify.agent,
                     child->notify.text,
                     child->hooks_output.out,
                     child->hooks_output.err,
                     child->hooks_state,
                     child->trace.fd };
    unsigned from = 3 + child->process->preserve_fds;
    int result = 0;
    for (size_t i = 0; i < CL_COUNT(closed); i++)
        *closed[i] = -EBADF;
    qsort(needed, CL_COUNT(needed), sizeof needed[0], compare_fds);
    for (size_t i = 0; result >= 0 && i < CL_COUNT(needed); i++) {
        if (needed[i] < (int)from)
            continue;
        if ((unsigned)needed[i] > from)
            result = k_close_range(from, (unsigned)needed[i] - 1, false);
        from = (unsigned)needed[i] + 1;
    }
    return result < 0 ? result : k_close_range(from, UINT_MAX, false);
}

static int wait_for_start(struct child *child, struct cl_error *err)
{
    int listener = child->plan->options->start_listener;
    if (listener <= 0)
        return child_wait(child, WIRE_INIT_START, err);
    int result = child_wait(child, WIRE_INIT_LEAVE, err);
    return result < 0 ? result : wait_for_successor(child, listener, err);
}

/* Nobody is waited for but a parent that is not done yet, and READY comes last: a parent that died meanwhile can't be told, and the program does not run. */
static int run_through(struct child *child, struct cl_error *err)
{
    const struct runtime_options *options = child->plan->options;
    int result = child_wait(child, WIRE_INIT_START, err);
    if (result >= 0)
        result = options->when_ready(options->context, err);
    if (result < 0)
        return result;
    result = child->process->die_with_parent ? 0 : k_prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    if (result >= 0)
        result = child_send(child, WIRE_INIT_READY, -1);
    return result < 0 ? cl_fail(err, result, "speak to the container's parent process") : 0;
}

/* IN_CONTAINER */
int child_ready(struct child *child, struct cl_error *err)
{
    if (child->plan->options->when_ready != NULL)
        return run_through(child, err);
    bool is_open = lets_its_user_in(child);
    /* A parent that is not to be died with may exit as soon as it has heard READY. */
    int result = child->process->die_with_parent ? 0 : k_prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    if (result >= 0 && is_open)
        result = close_the_host(child);
    if (result >= 0 && is_open)
        result = k_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (result >= 0)
        result = child_send(child, WIRE_INIT_READY, -1);
    if (result < 0)
        return cl_fail(err, result, "speak to the container's parent process");
    result = wait_for_start(child, err);
    /* Before a descriptor of ours is the container's. */
    if (result >= 0 && is_open && k_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return cl_fail(err, EPERM, "close up before the start");
    return result;
}

int child_proc(struct child *child, struct cl_error *err)
{
    if (child->proc < 0)
        child->proc = procfs_open_private(false, err);
    return child->proc;
}
