/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor as a process: it leaves the session, directory and descriptors of whoever started it, and keeps little memory.
 *
 * Memory: starting a program touches many pages that are never needed again (relocation, the C library's start, our own set-up). Pages of the
 * program file are clean, so MADV_DONTNEED gives them back and the few that the loop needs come back by a fault from the page cache;
 * buffers are anonymous and come back as zeros.
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "monitor/private.h"

static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE };

static void set_signals(void)
{
    struct sigaction normal = { .sa_handler = SIG_DFL }, ignore = { .sa_handler = SIG_IGN };
    sigset_t none;
    for (int number = 1; number <= SIGRTMAX; number++)
        (void)sigaction(number, &normal, NULL); /* fails for KILL, STOP and libc's own two */
    for (size_t i = 0; i < CL_COUNT(ignored); i++)
        (void)sigaction(ignored[i], &ignore, NULL); /* can't fail for these */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int monitor_self_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void monitor_self_restore(void)
{
    struct sigaction normal = { .sa_handler = SIG_DFL };
    sigset_t none;
    for (size_t i = 0; i < CL_COUNT(ignored); i++)
        (void)sigaction(ignored[i], &normal, NULL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void sort(int *numbers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i; j > 0 && numbers[j] < numbers[j - 1]; j--) {
            int held = numbers[j];
            numbers[j] = numbers[j - 1];
            numbers[j - 1] = held;
        }
    }
}

/* Whatever else is open belongs to a terminal, a pipeline or a lock of somebody who must not wait for us. */
static void keep_only(const struct wire_setup *setup)
{
    int keep[sizeof setup->fd / sizeof(int)];
    memcpy(keep, &setup->fd, sizeof keep);
    sort(keep, CL_COUNT(keep));
    unsigned next = 3;
    for (size_t i = 0; i < CL_COUNT(keep); i++) {
        if (keep[i] < 0)
            continue;
        if ((unsigned)keep[i] > next)
            (void)k_close_range(next, (unsigned)keep[i] - 1, false);
        next = (unsigned)keep[i] + 1;
    }
    (void)k_close_range(next, ~0U, false);
    (void)k_close_range(3, ~0U, true);
}

static void null_streams(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++) {
        if (null < 0)
            (void)cl_close(fd); /* no /dev/null: better none than somebody's terminal */
        else if (fd != null)
            (void)dup2(null, fd);
    }
    if (null > 2)
        (void)cl_close(null);
    else if (null >= 0)
        (void)fcntl(null, F_SETFD, 0); /* `reap` keeps it, as the other two */
}

static void set_nonblocking(int fd)
{
    if (fd >= 0)
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void monitor_self_init(struct wire_setup *setup)
{
    set_signals();
    (void)setsid();    /* fails for a leader, which is fine */
    (void)!chdir("/"); /* there is always one */
    (void)umask(022);
    (void)k_prctl(PR_SET_NAME, (unsigned long)"cloche-monitor", 0, 0, 0);
    (void)k_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* we hold descriptors of host and container */
    null_streams();
    keep_only(setup);
    set_nonblocking(setup->fd.console);
    set_nonblocking(setup->fd.in);
    set_nonblocking(setup->fd.out);
    set_nonblocking(setup->fd.err);
    set_nonblocking(setup->fd.listener);
}

int64_t monitor_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* this clock is always there */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#ifndef __SANITIZE_ADDRESS__
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* Read-only parts of our program file: unchanged copies of the page cache. */
static void trim_program(size_t page)
{
    uintptr_t base = (uintptr_t)&__ehdr_start;
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff);
    /* Backwards: the first part holds these headers, and reading them would bring it back. */
    for (unsigned i = __ehdr_start.e_phnum; i-- > 0;) {
        if (headers[i].p_type != PT_LOAD || (headers[i].p_flags & PF_W) != 0)
            continue;
        uintptr_t start = (base + headers[i].p_vaddr) & ~(uintptr_t)(page - 1);
        uintptr_t end = base + headers[i].p_vaddr + headers[i].p_memsz;
        (void)madvise((void *)start, end - start, MADV_DONTNEED);
    }
}

/* Below the stack pointer nothing lives; a page is left for the calls in between. Start-up used more than the loop will. */
__attribute__((noinline)) static void trim_stack(size_t page)
{
    const uintptr_t reach = 96 * 1024;
    uintptr_t top = ((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(page - 1)) - page;
    (void)madvise((void *)(top - reach), reach, MADV_DONTNEED);
}
#else /* the sanitizer keeps its own books about both */
static void trim_program(size_t page)
{
}
static void trim_stack(size_t page)
{
}
#endif

void monitor_self_trim(struct monitor *monitor)
{
    size_t page = (size_t)getpagesize();
    monitor->is_dirty = false;
    if (page > MONITOR_ALIGN)
        return; /* a page of 64 KiB is not worth it */
    if (monitor->owing == 0)
        (void)madvise(monitor->output_buffer, sizeof monitor->output_buffer, MADV_DONTNEED);
    if (monitor->input.start == monitor->input.end)
        (void)madvise(monitor->input_buffer, sizeof monitor->input_buffer, MADV_DONTNEED);
    (void)madvise(monitor->message.payload, sizeof monitor->message.payload, MADV_DONTNEED);
    monitor_log_trim(&monitor->log, page);
    trim_stack(page);
    trim_program(page);
}
