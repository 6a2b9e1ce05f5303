/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a container: how init ended, the state record, and everything that is given back.
 *
 * The record's file is made and its block reserved while the container starts: a disk that is full by its end must not turn "exited with 0"
 * into "the monitor died". The order of the end is in monitor.h; what nobody waits for (unmounting, removing cgroups) comes after
 * EXIT, and the lock goes last, because its being free says that all of that is done.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "monitor/private.h"

#define RECORD_TEMPORARY ".state.exit"

void monitor_record_init(struct monitor *monitor)
{
    monitor->record = openat(monitor->setup.fd.dir, RECORD_TEMPORARY,
                             O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (monitor->record >= 0)
        (void)fallocate(monitor->record, 0, 0, WIRE_STATE_MAX); /* a precaution only */
}

static int exit_code_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The number behind "oom_kill " at the beginning of a line, or 0. */
static uint64_t oom_kills_in(const char *text)
{
    static const char key[] = "oom_kill ";
    while (text != NULL && !cl_starts_with(text, key)) {
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    uint64_t count = 0;
    for (text = text != NULL ? text + sizeof key - 1 : ""; *text >= '0' && *text <= '9'; text++)
        count = count * 10 + (uint64_t)(*text - '0');
    return count;
}

/* cgroup v2, then v1 (since 4.13). */
static bool was_oom_killed(int cgroup_memory)
{
    static const char *const files[] = { "memory.events", "memory.oom_control" };
    char text[512];
    for (size_t i = 0; cgroup_memory >= 0 && i < CL_COUNT(files); i++) {
        if (cl_read_small(cgroup_memory, files[i], text, sizeof text) > 0)
            return oom_kills_in(text) > 0;
    }
    return false;
}

void monitor_reap_init(struct monitor *monitor)
{
    int status = 0, r;
    do {
        r = k_wait_pidfd(monitor->setup.fd.init_pidfd, 0, &status);
    } while (r == -EINTR);
    monitor->exit.finished_ns = cl_now_ns();
    monitor->exit.code = r < 0 ? 255 : exit_code_of(status);
    monitor->exit.error = r < 0 ? "its exit status was lost: it was no child of its monitor" : "";
    monitor->exit.oom_killed = was_oom_killed(monitor->setup.fd.cgroup_memory);
    monitor->setup.fd.init_pidfd = cl_close(monitor->setup.fd.init_pidfd);
    cl_test_point("init reaped");
}

static int write_record(struct monitor *monitor, const char *text, size_t size)
{
    if (monitor->record < 0)
        monitor_record_init(monitor);
    if (monitor->record < 0)
        return monitor->record;
    ssize_t n = cl_write_full(monitor->record, text, size);
    if (n < 0 || ftruncate(monitor->record, (off_t)size) < 0)
        return -EIO;
    cl_test_point("record written");
    int dir = monitor->setup.fd.dir;
    return renameat(dir, RECORD_TEMPORARY, dir, WIRE_SETUP_STATE_NAME) < 0 ? -EIO : 0;
}

void monitor_record_exit(struct monitor *monitor)
{
    struct wire_state state = { .status = WIRE_EXITED,
                                .exit_code = monitor->exit.code,
                                .oom_killed = monitor->exit.oom_killed,
                                .started_ns = monitor->setup.started_ns,
                                .finished_ns = monitor->exit.finished_ns };
    memcpy(state.boot_id, monitor->setup.boot_id, sizeof state.boot_id);
    memcpy(state.cgroup, monitor->setup.cgroup, sizeof state.cgroup);
    memcpy(state.error, monitor->exit.error, strlen(monitor->exit.error));
    char text[WIRE_STATE_MAX];
    int length = wire_state_format(&state, text);
    /* Without a record the engine takes us for dead and records that itself; there is nobody else to tell. */
    if (length > 0)
        (void)write_record(monitor, text, (size_t)length);
    monitor->record = cl_close(monitor->record);
    monitor->is_recorded = true;
    cl_test_point("recorded");
}

/* Who connected in the last moment gets EXIT, too, if only by one try. */
static void close_socket(struct monitor *monitor)
{
    (void)unlinkat(monitor->setup.fd.state_dir, WIRE_SETUP_SOCKET_NAME, 0);
    if (monitor->setup.fd.listener >= 0)
        monitor_client_accept(monitor);
    for (size_t i = 0; i < MONITOR_CLIENTS; i++)
        monitor_client_drop(monitor, i);
    monitor->setup.fd.listener = cl_close(monitor->setup.fd.listener);
    cl_test_point("socket unlinked");
}

/* A process that left the container's pid namespace out (--pid host) or joined late may still be there: it does not outlive its container. */
static void empty_cgroup(struct cgroup_host *host, const char *path)
{
    struct cgroup group;
    if (cgroup_open(host, path, &group, NULL) < 0)
        return;
    (void)cgroup_kill(&group); /* what it could not do shows in the removal */
    cgroup_done(&group);
}

static void remove_cgroup(const struct monitor *monitor)
{
    if (monitor->setup.cgroup[0] == '\0')
        return;
    struct cgroup_host host;
    cl_auto_fd proc = procfs_open_host(NULL);
    if (proc < 0 || cgroup_host_init(&host, proc, NULL) < 0)
        return; /* the next start or removal finds it by its name */
    int r = cgroup_remove(&host, monitor->setup.cgroup);
    for (int try = 0; r == -EBUSY && try < 100; try++) {
        const struct timespec pause = { .tv_nsec = try < 10 ? 1000000 : 10000000 };
        empty_cgroup(&host, monitor->setup.cgroup);
        (void)nanosleep(&pause, NULL); /* the kernel reaps, not we */
        r = cgroup_remove(&host, monitor->setup.cgroup);
    }
    cgroup_host_done(&host);
    cl_test_point("cgroup removed");
}

/* Close-on-exec closes the rest, the lock with it: `reap` takes it anew. */
static int become_reap(const struct monitor *monitor)
{
    const struct wire_setup *setup = &monitor->setup;
    const char *const arguments[] = { "cloche",          "--root", setup->reap_root, "--state",
                                      setup->reap_state, "reap",   setup->id,        NULL };
    monitor_self_restore();
    cl_test_point("reap");
    (void)k_execveat(setup->fd.reap_program, "", (char *const *)(uintptr_t)arguments, environ,
                     AT_EMPTY_PATH);
    return 1; /* whoever opens the store next removes it */
}

int monitor_finish(struct monitor *monitor)
{
    close_socket(monitor);
    struct wire_setup *setup = &monitor->setup;
    (void)cl_close(setup->fd.console);
    (void)cl_close(monitor->peer);
    (void)cl_close(setup->fd.in);
    (void)cl_close(setup->fd.cgroup_memory);
    (void)cl_close(setup->fd.root_mount); /* unmounts, unless somebody else is in there */
    (void)cl_close(setup->fd.mnt_ns);     /* the wait that init was spared */
    cl_test_point("mount released");
    remove_cgroup(monitor);
    if ((setup->flags & WIRE_SETUP_AUTO_REMOVE) != 0)
        return become_reap(monitor);
    cl_test_point("end");
    (void)cl_close(setup->fd.dir);
    (void)cl_close(setup->fd.state_dir);
    (void)cl_close(setup->fd.lock);
    return 0;
}
