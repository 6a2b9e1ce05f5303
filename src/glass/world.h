/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of the machine, kept up to date while somebody looks: what `cloche glass` shows is made from this table.
 *
 * A lens_snapshot is made once and thrown away; here only what changed is read again. What changed is told by events (glass_world_update),
 * or found by listing /proc (glass_world_read): a listing costs 1 µs a process and tells the inode of /proc/PID, which is another one once
 * the pid was used again. Everything about one process is read through one open /proc/PID, and its start time goes with its pid, so that
 * two processes are never mixed up.
 *
 * For each process: what the tree, the filter and the colours need. Command line and names inside are read when they are to be
 * seen (glass_world_prepare). Nothing is entered; what may not be read is marked hidden. Not for threads (it starts its own for reading).
 */
#pragma once

#include "lens/idmap.h"
#include "lens/names.h"

/* A container; or the processes of a pid or user namespace that belongs to no engine we know. */
struct glass_group {
    struct lens_container
        container; /* engine is "" where there is none; the name is "ns:INODE" then */
    uint64_t
        ns; /* pid or user namespace that tells its members where the control group does not; or 0 */
    unsigned hue; /* the lowest that was free when it was seen first */
    size_t members;
    unsigned tries; /* to learn its name */
    bool has_users;
    struct lens_id_names *users;
};

struct glass_cgroup;
struct glass_process {
    pid_t pid, parent;
    uint64_t start_ticks;
    uint64_t entry; /* inode of /proc/PID when it was listed, or 0 */
    uid_t uid;      /* effective */
    unsigned levels;
    pid_t inner_pid;           /* in its own pid namespace */
    uint64_t pid_ns, user_ns;  /* 0: hidden, or left (zombies) */
    struct glass_group *group; /* NULL: the host's own */
    struct glass_cgroup *cgroup;
    char *command; /* "" until it was read; raw */
    char inside_user[33];
    char name[64];
    char state;
    bool is_kernel; /* a kernel thread */
    bool is_hidden; /* the kernel refused to tell its namespaces */
    bool is_prepared;
    bool is_gone; /* seen to have ended; leaves with the next update */
};

/* Which namespaces one process has for itself and which are the host's. */
struct glass_focus {
    pid_t pid;
    uint64_t start_ticks;
    uint64_t inodes[K_NS_COUNT]; /* 0: hidden or none */
    bool is_hidden;
};

struct glass_world {
    int proc_fd; /* borrowed */
    const struct lens_names *names;
    uint64_t host_ns[K_NS_COUNT];     /* 0: hidden */
    struct glass_process **processes; /* ascending by pid */
    size_t count;
    struct glass_group **groups;
    size_t group_count;
    size_t kernel_count, hidden_count; /* of processes */
    bool is_unsure; /* a container's name may come to be known a little later: update again soon */
    /* Called during a first reading of thousands: before it (done 0), and as the table fills. NULL: nobody. */
    void (*progress)(void *context, size_t done, size_t total);
    void *progress_context;
    size_t slice; /* so many at first */
    /* private */
    bool has_asked; /* the engine, during this update */
    struct lens_directory directory;
    struct glass_cgroup **cgroups;
    struct glass_user_ns *user_ns;
    size_t user_ns_count;
    uint64_t threads, last_pid; /* of the machine, just before the latest listing; 0: unknown */
    size_t rolling;             /* where the reading again of old processes goes on */
};

/* names may be NULL; both are borrowed. The table is empty until the first read. */
int glass_world_new(int proc_fd, const struct lens_names *names, struct glass_world **ret,
                    struct cl_error *err);
void glass_world_free(struct glass_world *world);
CL_DEFINE_AUTO(struct glass_world, glass_world_free)

/* List /proc, read what is new, forget what has gone, and read some of the rest again (for at most budget_ms). Returns 0 or -errno. */
int glass_world_read(struct glass_world *world, unsigned budget_ms, struct cl_error *err);
/* The same, but lists only if the kernel's counters say that something was born or has gone since the latest listing. */
int glass_world_poll(struct glass_world *world, unsigned budget_ms, struct cl_error *err);
/* Read these again, whatever became of them: pids ascending, each once. */
int glass_world_update(struct glass_world *world, const pid_t *pids, size_t count,
                       struct cl_error *err);
/* What is needed to show it: command line and inside user. again: also what is known already. True when its place may have changed. */
bool glass_world_prepare(struct glass_world *world, struct glass_process *process, bool again);
/* The command lines of all, for a filter. */
int glass_world_read_commands(struct glass_world *world);
void glass_world_focus(const struct glass_world *world, const struct glass_process *process,
                       struct glass_focus *ret);
/* By pid; NULL: none. */
struct glass_process *glass_world_find(const struct glass_world *world, pid_t pid);
/* Is this still that process? */
bool glass_world_is(const struct glass_world *world, pid_t pid, uint64_t start_ticks);
