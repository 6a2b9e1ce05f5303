/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent's side, private to the room. All of it runs in the host's namespaces with the caller's
 * identity.
 */
#pragma once

#include "runtime/plan.h"

#include "wire/init.h"

/* ---- create.c ---- */
/* What the parent does, in this order, until it waits for init; the first after "make namespaces" is done while init is at work. */
struct making;
struct parent_step {
    const char *name;
    int (*run)(struct making *making, struct cl_error *err);
    bool (*is_needed)(const struct runtime_plan *plan); /* NULL: always */
    bool tells_itself;                                  /* is traced where it is done */
    const char *point;                                  /* the test point behind it, or NULL */
};
extern const struct parent_step parent_steps[];
extern const size_t parent_step_count;
/* Are the groups of cgroup v1 made, and limits set, while init makes its namespaces, which it then does itself? */
bool parent_groups_follow(const struct runtime_plan *plan);
/* Is init born of a process between the parent and it (enter.c)? */
bool parent_clones_between(const struct runtime_plan *plan);

/* ---- rootfs.c: detached mounts. Descriptors that are there after a failure belong to the caller
   as well. ---- */
int parent_open_sources(const struct runtime_plan *plan, int *ret_sources, struct cl_error *err);
int parent_open_cgroup_trees(const struct runtime_plan *plan, const struct cgroup *group,
                             int *ret_trees, struct cl_error *err);

/* ---- idmap.c ---- */
/* Map the detached clone of plan->mounts[index]; namespaces: one per mount, -EBADF at first, kept for
   those with the same map and closed by the caller. */
int parent_idmap(const struct runtime_plan *plan, size_t index, int tree, int *namespaces,
                 struct cl_error *err);

/* ---- lsm.c: a label that no security module would heed is an error ---- */
bool parent_has_labels(const struct oci_process *process, const char *mount_label); /* or NULL */
int parent_check_labels(const struct oci_process *process, const char *mount_label,
                        struct cl_error *err);
int lsm_check(int sys_fd, const struct oci_process *process, const char *mount_label,
              struct cl_error *err);
bool lsm_has_selinux(int sys_fd);
bool lsm_has_apparmor(int sys_fd);

/* ---- netdev.c ---- */
/* Move linux.netDevices into the network namespace of `pid`, or the one that is joined (negative:
   none). *ret is there also after a failure. */
struct netdev_set;
int netdev_move(const struct runtime_plan *plan, int proc, pid_t pid, int joined_ns,
                struct netdev_set **ret, struct cl_error *err);
void netdev_take_back(struct netdev_set *set);
void netdev_free(struct netdev_set *set);

/* ---- rdt.c: `root` is the resctrl file system ---- */
int rdt_open(int proc, struct cl_error *err);
/* Make or check the group; on failure nothing is left. */
int rdt_make(int root, const struct oci_intel_rdt *rdt, const char *id, struct runtime_rdt *ret,
             struct cl_error *err);
int rdt_add(int root, const struct oci_intel_rdt *rdt, const char *id, pid_t pid,
            struct cl_error *err);
const char *rdt_group_name(const struct oci_intel_rdt *rdt, const char *id);
int rdt_stats(int root, const struct oci_intel_rdt *rdt, const char *id,
              struct runtime_rdt_stats *ret, struct cl_error *err); /* rdt_stats.c */
int rdt_remove(int root, const struct runtime_rdt *made, struct cl_error *err);
bool rdt_remove_empty(int root, const struct oci_intel_rdt *rdt, const char *id);
int rdt_update(int root, const struct oci_intel_rdt *rdt, const char *id,
               const struct oci_intel_rdt *change, char **ret_old, struct cl_error *err);

/* ---- cgroup.c ---- */
/* Make the group and write all limits and device rules. On failure nothing is left. */
int parent_make_cgroup(const struct runtime_plan *plan, struct cgroup *ret, struct cl_error *err);
/* The same in two parts, around the clone: what init is born in, and the rest, which is v1's groups and all limits: *ret is then whole. After a failure of the second,
   what is there is in *ret. */
int parent_make_v2_cgroup(const struct runtime_plan *plan, struct cgroup *ret,
                          struct cl_error *err);
int parent_complete_cgroups(const struct runtime_plan *plan, struct cgroup *ret,
                            struct cl_error *err);
/* Remove the group of `process`: by its own open hierarchies, so neither plan nor facts are needed.
   */
int parent_remove_cgroup(const struct cgroup *group);
/* The group outlives the caller's facts, where they lie on a stack. */
int parent_keep_hierarchies(struct runtime_process *process, struct cl_error *err);

/* ---- open_join.c: one descriptor in `fds` per plan->joins[]; those that are open after an error are the caller's, too ---- */
int parent_open_joins(const struct runtime_plan *plan, int *fds, struct cl_error *err);

/* ---- process.c ---- */
/* Network devices that were moved in: back to where they were, or the container's for good. */
void parent_forget_devices(struct runtime_process *process, bool take_back);

/* ---- join_group.c: which group a process of exec goes into ---- */
int parent_enter_subgroups(struct cgroup *group, const struct runtime_subgroup *subgroups,
                           size_t count, struct cl_error *err);
/* The v2 group that init is in, where it is below the container's: what a container that manages
   its group has to do, since processes may not be beside groups with controllers. -EBUSY. */
int parent_enter_group_of(struct cgroup *group, int proc_fd, pid_t pid);

/* ---- scope.c: groups by systemd ---- */
/* With a child that waits for GO: systemd makes the scope around it, then the rest of the group and
   the limits are made, as parent_make_cgroup does. */
int scope_start(const struct runtime_plan *plan, pid_t pid, struct cgroup *ret,
                struct cl_error *err);
int scope_set(const struct runtime_scope *scope, const struct plan_setting *settings, size_t count,
              const struct oci_resources *resources, struct cl_error *err);

/* ---- settings.c ---- */
/* To a new group: in order, without a way back (the group is removed). */
int settings_apply(const struct cgroup *group, const struct plan_setting *settings, size_t count,
                   struct cl_error *err);
/* To one in use: all of them, in an order that the kernel takes, or none. */
struct settings_change {
    struct settings_undo *undo; /* owned */
    size_t count;
};
int settings_change(const struct cgroup *group, const struct plan_setting *settings, size_t count,
                    struct settings_change *ret, struct cl_error *err);
void settings_restore(const struct cgroup *group, struct settings_change *change);
void settings_change_done(struct settings_change *change);

/* ---- devices.c ---- */
int devices_apply(const struct cgroup *group, const struct oci_device_rule *rules, size_t count,
                  struct cl_error *err);
/* Instead of those that are there. v2: in one step; v1: while the group is frozen. After a failure
   the old ones hold. */
int devices_replace(const struct cgroup *group, const struct oci_device_rule *rules, size_t count,
                    struct cl_error *err);

/* ---- hooks.c ---- */
/* prestart, then createRuntime. */
int parent_run_hooks(const struct runtime_plan *plan, pid_t pid, struct cl_error *err);

/* ---- user_ns.c: `proc` is the host's /proc, `pid` init, which waits ---- */
int parent_write_id_maps(const struct runtime_plan *plan, int proc, pid_t pid,
                         struct cl_error *err);
int parent_check_id_maps(const struct runtime_plan *plan, int proc, pid_t pid,
                         struct cl_error *err);
/* Best effort: init says what is missing. */
void parent_grant_limits(const struct runtime_plan *plan, int proc, pid_t pid);
void parent_give_pipes(const struct runtime_plan *plan, const struct runtime_io *io);

/* ---- enter.c ---- */
struct child;
struct parent_between {
    struct child *child; /* what the process between knows; its sync is closed in the parent */
    int (*enter)(struct child *child, struct cl_error *err);
    struct k_clone birth;                             /* of the container's first process */
    void (*main)(void *data, bool is_group_in_place); /* of it: never returns */
    /* Called in there where no process may be in the group: a descriptor of another one, or negative; NULL: there is none. */
    int (*other_group)(void *data);
    void *data;
    int report;
};
/* The pid of the first process, which is our child; the error is set. */
pid_t parent_clone_between(struct parent_between *between, int *ret_pidfd, struct cl_error *err);

/* ---- talk.c: messages ---- */
/* Connect to who wants a pidfd, at `path`: a descriptor, or 0 where that is NULL; `property`: who said so, for errors. */
int parent_reach(const char *path, const char *property, struct cl_error *err);
/* socket 0 or negative: nobody wants it. A message needs a word. */
int parent_hand_pidfd(int socket, int pidfd, const char *word, struct cl_error *err);
int parent_send(int sync, enum wire_init_type type);
/* What the child may ask for while we wait. */
struct parent_service {
    bool wants_console;
    const struct runtime_plan *plan; /* with hooks for us; or NULL */
    int signals;                     /* of hooks_open_signals: one of them ends the wait; 0: none */
};
/*
 * Wait until `until` (READY, or 0: the end of file that exec makes). One CONSOLE descriptor, where
 * one is expected, goes to process->console. The child's own failure, or its end before READY, is
 * the error.
 */
int parent_wait(struct runtime_process *process, enum wire_init_type until,
                const struct parent_service *service, struct cl_error *err);
/* Until the child's end of the socket is closed; what it sent stays to be read by parent_wait. */
void parent_wait_close(const struct runtime_process *process);
/* SIGKILL and reap; then the descriptors are closed. For a child that never came to run. */
void parent_discard(struct runtime_process *process);
