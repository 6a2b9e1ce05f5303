/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading processes. Nearly all of the time is the kernel's (30 µs a process), so that many are spread over the processors by
 * threads that share nothing but an index.
 */
#include "glass/reading.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum { CHUNK = 16, WORKERS_MAX = 8, WORK_PER_THREAD = 128, CGROUP_MAX = 16384 };

void glass_reading_done(struct glass_reading *reading)
{
    free(reading->cgroup);
    free(reading->command);
    reading->cgroup = reading->command = NULL;
}

/* A zombie has left its namespaces: that is nothing hidden. */
static int read_namespace(int pid_fd, enum k_ns type, uint64_t *ret)
{
    int code = k_ns_inode(pid_fd, type, ret);
    return code == -ENOENT ? 0 : code;
}

static int read_namespaces(int pid_fd, struct glass_process *seen)
{
    struct procfs_stat stat;
    int code = read_namespace(pid_fd, K_NS_PID, &seen->pid_ns);
    if (code >= 0)
        code = read_namespace(pid_fd, K_NS_USER, &seen->user_ns);
    if (code != -EACCES && code != -EPERM)
        return code;
    /* One that has just ended is refused like a forbidden one: believed only while it is there. */
    seen->is_hidden = true;
    seen->pid_ns = seen->user_ns = 0;
    return procfs_read_stat(pid_fd, &stat);
}

static int read_cgroup(int pid_fd, char **ret)
{
    char text[CGROUP_MAX];
    ssize_t length = cl_read_small(pid_fd, "cgroup", text, sizeof text);
    *ret = cl_strdup(length < 0 ? "" : text); /* only costs the container's name */
    return *ret == NULL ? -ENOMEM : 0;
}

int glass_read_process(int pid_fd, struct glass_reading *reading)
{
    struct procfs_stat stat;
    struct procfs_status status;
    struct glass_process *seen = &reading->seen;
    int code = procfs_read_stat(pid_fd, &stat);
    if (code >= 0)
        code = procfs_read_status(pid_fd, &status);
    if (code < 0)
        return code;
    *seen = (struct glass_process){
        .pid = reading->pid,
        .entry = seen->entry,
        .parent = stat.parent,
        .start_ticks = stat.start_ticks,
        .uid = status.uid[1],
        .levels = status.levels,
        .inner_pid = status.levels == 0 ? stat.pid : status.ns_pid[status.levels - 1],
        .state = stat.state,
        .is_kernel = (stat.flags & PROCFS_KERNEL_THREAD) != 0,
    };
    (void)CL_PRINT(seen->name, "%s", stat.name); /* fits */
    code = read_namespaces(pid_fd, seen);
    return code < 0 ? code : read_cgroup(pid_fd, &reading->cgroup);
}

char *glass_read_command(int pid_fd)
{
    char text[GLASS_COMMAND_MAX + 1];
    ssize_t length = procfs_read_command(pid_fd, text, sizeof text);
    return cl_strdup(length < 0 ? "" : text);
}

/* Where procfs was mounted with hidepid=1, nothing but the pid is known. */
static int take_unknown(struct glass_reading *reading)
{
    reading->seen = (struct glass_process){ .pid = reading->pid,
                                            .entry = reading->seen.entry,
                                            .uid = (uid_t)-1,
                                            .inner_pid = reading->pid,
                                            .levels = 1,
                                            .state = '?',
                                            .name = "?",
                                            .is_hidden = true };
    reading->cgroup = cl_strdup("");
    return reading->cgroup == NULL ? -ENOMEM : 0;
}

static int read_one(int proc_fd, struct glass_reading *reading)
{
    struct procfs_stat stat;
    cl_auto_fd pid_fd = procfs_open_pid(proc_fd, reading->pid);
    if ((pid_fd == -EACCES || pid_fd == -EPERM) && !reading->only_command)
        return take_unknown(reading);
    if (pid_fd < 0)
        return pid_fd;
    if (!reading->only_command)
        return glass_read_process(pid_fd, reading);
    int code = procfs_read_stat(pid_fd, &stat);
    if (code < 0 || stat.start_ticks != reading->start_ticks)
        return -ESRCH;
    reading->command = glass_read_command(pid_fd);
    return reading->command == NULL ? -ENOMEM : 0;
}

/* ---- many ---- */

struct shared {
    int proc_fd;
    struct glass_reading *readings;
    size_t count;
    atomic_size_t next;
};

static void *work(void *context)
{
    struct shared *shared = context;
    for (;;) {
        size_t first = atomic_fetch_add(&shared->next, CHUNK);
        if (first >= shared->count)
            return NULL;
        for (size_t i = first; i < first + CHUNK && i < shared->count; i++)
            shared->readings[i].code = read_one(shared->proc_fd, &shared->readings[i]);
    }
}

/* Signals stay with the thread that draws: a handler that puts the terminal right must find it at rest. */
static void start_workers(struct shared *shared, pthread_t *threads, size_t *count)
{
    sigset_t all, before;
    size_t wanted = shared->count / WORK_PER_THREAD;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t most = processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (size_t)processors;
    wanted = wanted > most ? most : wanted;
    *count = 0;
    (void)sigfillset(&all);
    if (wanted < 2 || pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return;
    for (size_t i = 1; i < wanted; i++)
        if (pthread_create(&threads[*count], NULL, work, shared) == 0)
            (*count)++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int glass_read_all(int proc_fd, struct glass_reading *readings, size_t count)
{
    struct shared shared = { .proc_fd = proc_fd, .readings = readings, .count = count };
    pthread_t threads[WORKERS_MAX];
    size_t started;
    start_workers(&shared, threads, &started);
    (void)work(&shared);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    for (size_t i = 0; i < count; i++)
        if (readings[i].code == -ENOMEM)
            return -ENOMEM;
    return 0;
}
