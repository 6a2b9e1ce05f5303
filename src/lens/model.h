/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model: what a machine's processes and namespaces were while we looked. Filled by the collectors, read by the renderers.
 *
 * Processes and namespaces are arrays and refer to each other by index, so that a snapshot of 20,000 processes is four allocations,
 * not 100,000. Texts lie in an arena that goes with the snapshot. A snapshot is no instant (the kernel offers none): it is
 * consistent per process, and processes that were gone before everything about them was read are not in it.
 */
#pragma once

#include "lens/lens.h"

#define LENS_NONE UINT32_MAX

struct lens_process {
    pid_t pid;      /* as shown: ours, or the inside's after lens_inside_apply */
    pid_t host_pid; /* as in the procfs that was read */
    /* Index of each namespace, or LENS_NONE: not asked for, none (zombies), or hidden. */
    uint32_t namespaces[K_NS_COUNT];
    bool is_hidden;   /* the kernel refused to tell its namespaces */
    bool is_gone;     /* it ended while we looked: counts nowhere */
    bool has_details; /* what follows was read, all through one /proc/PID directory */
    uint8_t levels;   /* of ns_pid */
    char state;
    pid_t parent;
    uid_t uid; /* owner of /proc/PID: the effective uid, root where the process is not dumpable */
    uint64_t start_ticks;
    const pid_t *ns_pid; /* its pid in each pid namespace, ours first; NULL if not asked for */
    const char *name;    /* comm */
    const char *command; /* the command line, or comm where it is empty */
    const char *cgroup;  /* text of /proc/PID/cgroup, or NULL */
    const char *uid_map; /* "0:100000:65536,…" as in /proc/PID/uid_map, or NULL */
    const char *gid_map;
};

/* Who keeps a namespace alive. */
enum lens_holder_kind {
    LENS_HELD_PROCESS = 1,
    LENS_HELD_FD = 2,
    LENS_HELD_SOCKET = 4,
    LENS_HELD_MOUNT = 8,
    LENS_HELD_RELATION = 16, /* a child or owned namespace */
};

struct lens_namespace {
    uint64_t inode;
    enum k_ns type;
    unsigned holders; /* LENS_HELD_* */
    uint32_t process_count;
    uint32_t representative; /* process with the lowest pid, or LENS_NONE */
    uint64_t parent, owner;  /* inodes; 0: unknown, none, or outside of our view */
    uid_t owner_uid; /* uid of who made the (owning) user namespace, where there is no process */
    int32_t netnsid; /* LENS_NETNSID_* or the id that our net namespace gave it */
};
#define LENS_NETNSID_UNASSIGNED (-1)
#define LENS_NETNSID_UNKNOWN    (-2)

/* One reason why a namespace lives, other than its processes. */
struct lens_holder {
    uint32_t namespace;
    enum lens_holder_kind kind;
    pid_t pid; /* on the host. FD, SOCKET; MOUNT: a process of the mount namespace, 0: ours */
    int fd;    /* FD, SOCKET */
    const char *path; /* MOUNT: the mount point */
};

/* A descriptor that could hold a namespace: of nsfs, or a socket. */
struct lens_descriptor {
    pid_t pid; /* on the host */
    int fd;
    bool is_socket;
};

struct lens_arena_chunk;
struct lens_snapshot {
    struct lens_process *processes; /* ascending by pid */
    size_t process_count, process_room;
    struct lens_namespace *namespaces; /* ascending by inode after lens_snapshot_finish */
    size_t namespace_count, namespace_room;
    struct lens_holder *holders;
    size_t holder_count, holder_room;
    struct lens_descriptor *descriptors;
    size_t descriptor_count;
    uint32_t *table; /* inode → index, open addressing */
    size_t table_size;
    size_t hidden_count;
    pid_t first_hidden;
    struct lens_arena_chunk *arena;
};

struct lens_snapshot *lens_snapshot_new(void);
void lens_snapshot_free(struct lens_snapshot *snapshot);
CL_DEFINE_AUTO(struct lens_snapshot, lens_snapshot_free)

/* Append; the pointer is good until the next append. NULL: out of memory. */
struct lens_process *lens_snapshot_add_process(struct lens_snapshot *snapshot, pid_t pid);
/* Find or add. LENS_NONE: out of memory. */
uint32_t lens_snapshot_namespace(struct lens_snapshot *snapshot, enum k_ns type, uint64_t inode);
uint32_t lens_snapshot_find(const struct lens_snapshot *snapshot,
                            uint64_t inode);                                      /* or LENS_NONE */
uint32_t lens_snapshot_find_pid(const struct lens_snapshot *snapshot, pid_t pid); /* or LENS_NONE */
int lens_snapshot_add_holder(struct lens_snapshot *snapshot, const struct lens_holder *holder);

/* Texts and arrays that live as long as the snapshot. NULL: out of memory. */
void *lens_arena_take(struct lens_snapshot *snapshot, size_t size);
const char *lens_arena_text(struct lens_snapshot *snapshot, const char *text, size_t length);

/* Processes by pid, namespaces by inode; counts and representatives anew from the processes that are not gone. */
int lens_snapshot_finish(struct lens_snapshot *snapshot);
/* Forget what is gone and the namespaces that nobody holds any more; then finish. */
int lens_snapshot_prune(struct lens_snapshot *snapshot);
/* Only the counts and representatives. */
void lens_snapshot_count(struct lens_snapshot *snapshot);
