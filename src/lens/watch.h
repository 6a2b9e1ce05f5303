/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room lens: what `ns watch` knows of the machine at this moment, and how it notices that something has changed.
 *
 * A world is fed with two things: "process PID may have changed" (world_look) and "process PID has ended" (world_end). It reads
 * the process, compares with what it knew, and hands the differences to `report`. A process is named by pid and start time: what was
 * read of another one that has got the pid since is never taken for it.
 */
#pragma once

#include "lens/collect.h"
#include "lens/names.h"

enum watch_event {
    WATCH_FORK,     /* a process was born */
    WATCH_EXEC,     /* it executes another program */
    WATCH_IDENTITY, /* it has another user id */
    WATCH_RENAME,   /* it calls itself something else */
    WATCH_EXIT,     /* it has ended */
    WATCH_BORN,     /* a namespace has its first process */
    WATCH_JOIN,     /* a process has moved into a namespace that was there */
    WATCH_EMPTY,    /* a namespace's last process has left it */
    WATCH_START,    /* a container has its first process that runs its program */
    WATCH_END,      /* a container's last process has ended */
    WATCH_LOST,     /* events were lost; what follows was found by looking at everything again */
    WATCH_EVENT_COUNT,
};
extern const char *const watch_event_names[WATCH_EVENT_COUNT];

struct watch_container {
    char name[256], engine[24];
    uint32_t count; /* living processes that are known to belong to it */
    bool is_told;   /* START was reported */
};

/* A living process. */
struct watch_process {
    struct watch_process *next; /* of the same hash */
    pid_t pid, parent;
    uint64_t start_ticks;
    uint64_t inodes[K_NS_COUNT]; /* 0: hidden or none */
    uint64_t former[K_NS_COUNT]; /* those that it has left last; 0: none */
    uid_t uid;
    uint32_t container; /* index, or LENS_NONE */
    uint32_t round;     /* of the latest snapshot that saw it */
    char
        id[13]; /* how the id in its cgroup's path begins, where that may be a container's; or "" */
    bool is_selected; /* one of those that were asked for, or a descendant */
    char name[64];    /* comm: hostile text */
};

/* What is said of one event. */
struct watch_report {
    enum watch_event event;
    const struct watch_process *process;     /* NULL: LOST */
    const struct watch_container *container; /* or NULL */
    enum k_ns type;                          /* BORN, JOIN, EMPTY */
    uint64_t inode;
    int status; /* EXIT: a wait(2) status, or -1: unknown */
};

#define WATCH_BUCKETS 4096
struct watch_namespace {
    struct watch_namespace *next;
    uint64_t inode;
    enum k_ns type;
    uint32_t count; /* processes in it */
};
struct watch_world {
    int proc_fd; /* borrowed */
    const struct lens_names *names;
    struct lens_directory directory;
    struct watch_process *processes[WATCH_BUCKETS];
    struct watch_namespace *namespaces[WATCH_BUCKETS];
    struct watch_container *containers;
    size_t container_count;
    uint32_t round;
    bool is_quiet; /* learn, and report nothing */
    void (*report)(void *context, const struct watch_report *report);
    void *context;
};

void watch_world_init(struct watch_world *world, int proc_fd, const struct lens_names *names);
void watch_world_done(struct watch_world *world);
struct watch_process *watch_find(struct watch_world *world, pid_t pid); /* or NULL */

/*
 * Read process `pid` and report what is new of it. `why`: FORK for one that should be new (parent: who made it), else EXEC, IDENTITY or RENAME, which is
 * reported when it is true. not_after: start times (ticks) beyond this belong to a process that came later; UINT64_MAX: unknown. One that has ended
 * before we looked is told as far as it is known: a child has its parent's name. 0 or -ENOMEM.
 */
struct watch_cause {
    enum watch_event why;
    pid_t parent;
    uint64_t not_after;
};
int watch_look(struct watch_world *world, pid_t pid, const struct watch_cause *cause);
void watch_end(struct watch_world *world, pid_t pid, int status);
/* Look at all processes: unknown ones are new, known ones that are not there have ended. */
int watch_snapshot(struct watch_world *world, struct cl_error *err);
