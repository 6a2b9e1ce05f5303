/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups as files, version 1, hybrid and 2 (cgroups(7)). Mechanism only: which limits,
 * where, is runtime/cgroup's.
 *
 * A `struct cgroup_host` says how this host is laid out: where each hierarchy is mounted and where
 * our own process is in it. A `struct cgroup` is one group of ours: the same relative path in every
 * mounted hierarchy (v1, hybrid) or in one (v2).
 */
#pragma once

#include "kernel/calls.h"

enum cgroup_layout { CGROUP_NONE, CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 };

#define CGROUP_MAX_HIERARCHIES 16
struct cgroup_hierarchy {
    char controllers[128]; /* "cpu,cpuacct", "name=systemd", "" for v2 */
    char mount_point[128]; /* "/sys/fs/cgroup/memory" */
    /* Our own process's cgroup in it, "/…" relative to the mount's root; "" where the mount does
       not show it. Only informative: groups are made below the mount's root (a caller who may not
       do that puts own_path before its paths). */
    char own_path[256];
    bool is_v2;
    int root_fd; /* directory of mount_point (O_PATH) */
};
struct cgroup_host {
    enum cgroup_layout layout;
    size_t count;
    struct cgroup_hierarchy hierarchies[CGROUP_MAX_HIERARCHIES];
};
/*
 * Reads /proc/self/cgroup through proc_fd and looks for each hierarchy in its usual place
 * (/sys/fs/cgroup…); only when one is not there, /proc/self/mountinfo is read too (dear on a host
 * with many mounts). No allocation. A host without any cgroups mounted is CGROUP_NONE and no error.
 * The groups made from it point into it: it stays where it is until they are done.
 */
int cgroup_host_init(struct cgroup_host *host, int proc_fd, struct cl_error *err);
/* The same for who has one question and not a dozen mounts to look at: with this controller's v1 hierarchy if it is in its usual place, else with that and the v2 one. */
int cgroup_host_init_for(struct cgroup_host *host, int proc_fd, const char *controller,
                         struct cl_error *err);
void cgroup_host_done(struct cgroup_host *host);
/* v1: the hierarchy that carries `controller`; v2: the v2 one if controller is in its
   cgroup.controllers. NULL otherwise. Not listed on v2, though there: "devices" (BPF), "freezer"
   (every group's cgroup.freeze). */
struct cgroup_hierarchy *cgroup_host_find(struct cgroup_host *host, const char *controller);
bool cgroup_host_has(struct cgroup_host *host, const char *controller);

struct cgroup {
    char path[256]; /* relative to every hierarchy's root, no leading slash: "cloche/ID" */
    size_t count;
    struct {
        const struct cgroup_hierarchy *hierarchy;
        int fd;        /* the group's directory */
        unsigned made; /* how many of the path's last components cgroup_make made */
    } at[CGROUP_MAX_HIERARCHIES];
};
/*
 * Make (or open, when `must_be_new` is false) the group in all hierarchies; missing parents are
 * made too, with the v2 controllers delegated down (+cpu +memory … to cgroup.subtree_control, as
 * many as the parent has) and v1 cpuset parents given cpus and mems. must_be_new and existing (in
 * any hierarchy): -EEXIST. On failure nothing that was made remains. Beside v1 (hybrid) no v2
 * controller is let down until cgroup_write asks for one: that would take it from v1 for good.
 * path: 1 to 255 bytes, no leading slash, no "." or "..": else -EINVAL.
 */
int cgroup_make(struct cgroup_host *host, const char *path, bool must_be_new, struct cgroup *ret,
                struct cl_error *err);
/* The same in the hierarchies of one version only: who has to be born in the v2 group, and enters the others by itself, can be at work while those are made. */
int cgroup_make_of(struct cgroup_host *host, bool v2, const char *path, bool must_be_new,
                   struct cgroup *ret, struct cl_error *err);
int cgroup_open(struct cgroup_host *host, const char *path, struct cgroup *ret,
                struct cl_error *err);  /* -ENOENT if nowhere */
void cgroup_done(struct cgroup *group); /* closes fds; removes nothing */
/* In the hierarchy at[index] the group means from now on the existing group `below` it ("a/b"): for
   who is to join there. -EINVAL for a path that climbs out, -ENOENT, -errno: nothing changed. */
int cgroup_enter(struct cgroup *group, size_t index, const char *below);

int cgroup_fd_of(const struct cgroup *group, const char *controller); /* borrowed fd, or -ENOENT */
int cgroup_find_v2(const struct cgroup *group); /* index into at[], or -ENOENT */
int cgroup_v2_fd(const struct cgroup *group);   /* borrowed; for CLONE_INTO_CGROUP, or -ENOENT */
/* Write a file such as "memory.limit_in_bytes" in the controller's directory of the group ("":
   v2's own files). The error names file, value and way out; a controller that this host lacks is
   CL_KIND_UNSUPPORTED. */
int cgroup_write(const struct cgroup *group, const char *controller, const char *file,
                 const char *value, struct cl_error *err);
/* What is in it, without the last newline: its length, or -ENOENT, or -errno. */
ssize_t cgroup_read(const struct cgroup *group, const char *controller, const char *file,
                    char *buffer, size_t size);
/* Join: the calling single-threaded process enters all v1 hierarchies by writing 0 to `tasks`
   (30 µs, no RCU wait; cgroup.procs waits 7–11 ms). v2 is left to CLONE_INTO_CGROUP; join_v2
   says to write cgroup.procs there too (fallback). Async-signal-safe. */
int cgroup_join_self(const struct cgroup *group, bool join_v2);
/* All pids of the group (and groups below): cl_malloc'ed, owned by the caller. */
int cgroup_pids(const struct cgroup *group, pid_t **ret_pids, size_t *ret_count);
/* SIGKILL everything in it: cgroup.kill on v2 (5.14), else freeze or loop over pids until none
   is left. Returns 0 when empty or the kill was delivered; does not wait for the exit. -EDEADLK:
   the caller is in it (v1; v2's cgroup.kill would simply kill it). */
int cgroup_kill(const struct cgroup *group);
bool cgroup_is_empty(const struct cgroup *group);
/* Whether the caller's effective ids may put processes into it, in all hierarchies. */
bool cgroup_is_writable(const struct cgroup *group);
/* Freezer of either version (v1's where there is one). Waits (bounded by timeout_ms,
   event-driven on v2) until the state is reached; else -ETIMEDOUT, and it is thawed again. */
int cgroup_freeze(const struct cgroup *group, bool freeze, int timeout_ms, struct cl_error *err);
/* Is the group of this path frozen, or about to be? Needs no open group. False where there is no such group, or no freezer. */
bool cgroup_is_frozen(const struct cgroup_host *host, const char *path);
/* Whether that need be asked, by the state (procfs_stat) of a process that is in the group or in one below it: false, as for nearly all of a v1 host of Linux 6.1, is as
   good as the answer, and costs nothing; true says nothing. */
bool cgroup_may_be_frozen(const struct cgroup_host *host, char state);
/* Thaw it and, on v1, all groups below it, as far as that can be done, without waiting: for who was
   sent SIGKILL. */
void cgroup_thaw_to_die(const struct cgroup *group);
/* rmdir in all hierarchies, children first, by path: needs no open group. Missing is fine;
   -EBUSY while processes are left. Processes that are just dying are waited for, a quarter of a
   second at most: not for where a person waits. */
int cgroup_remove(struct cgroup_host *host, const char *path);
/* An open group by one rmdir each, without a look first. 0: it is gone. 1: no process is in it, but something else is in the way of a part. Negative: nothing was removed, look. */
int cgroup_remove_empty(const struct cgroup *group);
/* After that, for whoever takes back what cgroup_make did: the parents that it made, too, as far as
   nobody else is in them by now. */
void cgroup_remove_parents(const struct cgroup *group);
/* Times the OOM killer struck in the group (memory.oom_control oom_kill / memory.events
   oom_kill); 0 or -errno. */
int cgroup_oom_kills(const struct cgroup *group, uint64_t *ret_count);
/* Waiting for that: poll `fd` (negative: no memory controller, poll passes it over) for `events`,
   then ask cgroup_oom_seen: 1 when the OOM killer has struck since last time, 0, or negative when
   the group is gone. Of a group that went between the strike and the look the one above it knows;
   one that it struck beside, in the time between two looks, is then taken for it: look often. */
struct cgroup_oom {
    int fd, above; /* above: the group's parent, where that is asked */
    short events;
    uint64_t kills, kills_above;
};
int cgroup_oom_open(const struct cgroup *group, struct cgroup_oom *ret, struct cl_error *err);
int cgroup_oom_seen(const struct cgroup *group, struct cgroup_oom *oom);
void cgroup_oom_done(struct cgroup_oom *oom);
