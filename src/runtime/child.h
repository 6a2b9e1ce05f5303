/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child's side: what the steps of init and of exec share. Private to the room.
 *
 * A step is a function with a name and a place in a table (init.c, exec.c); the order of the table
 * is the security argument. A step that fails describes itself completely in `err`, since that is
 * the text that people read. Every function here says where it runs:
 *   IN_HOST       our root is the host's file tree, all capabilities are there
 *   IN_NEW_MNT    likewise, but mounts are private to us and the container's tree is attached
 *   IN_CONTAINER  the host's tree is gone
 *   AS_USER       ids and capabilities are the program's own
 */
#pragma once

#include "runtime/plan.h"
#include "runtime/trace.h"

#include "wire/init.h"

/* Where the output of hooks goes, -EBADF: where ours does. */
struct hooks_output {
    int out, err;
};
#define HOOKS_NO_OUTPUT                                                                            \
    {                                                                                              \
        .out = -EBADF, .err = -EBADF                                                               \
    }

/* For SCMP_ACT_NOTIFY: a connection to the agent, and a memfd with what it is to be told; -EBADF without. */
struct notify {
    int agent, text;
};
#define NOTIFY_NONE                                                                                \
    {                                                                                              \
        .agent = -EBADF, .text = -EBADF                                                            \
    }

struct child {
    const struct plan_process *process;
    const struct runtime_plan *plan; /* NULL in exec */
    const struct runtime_io *io;
    int sync;                    /* our end of the pair */
    int parent_end;              /* the parent's, inherited: to be closed first */
    bool is_group_in_place;      /* CLONE_INTO_CGROUP did v2 */
    const struct cgroup *cgroup; /* NULL: none */

    int root; /* the container's root directory */
    int home; /* the mount namespace to go back to, or -EBADF (plan->shares_mount_ns) */
    /* A procfs of our pid namespace that nothing was mounted over when we opened it; -EBADF until
       needed. */
    int proc;
    int devpts;     /* root of the container's devpts, or -EBADF */
    int mask;       /* directory with what hides masked paths, or -EBADF */
    int trampoline; /* memfd with the last program of ours (trampoline.c), or -EBADF */
    int slave;      /* of the terminal, or -EBADF */
    int rdt_root;   /* of the resctrl file system, where process->rdt is asked for */
    /* One per plan->mounts[]: a detached mount of the parent, the tmpfs that is made read-only at the end, or -EBADF. */
    int *sources;
    int *cgroup_trees;   /* detached clones of the group's directories, as cgroup->at[] */
    const int *join_fds; /* as plan->joins[] */
    struct hooks_output hooks_output;
    struct notify notify;
    char **argv;        /* the trampoline's; of program_prepare */
    char by_path[32];   /* the trampoline's, where the filter forbids execveat; else "" */
    char **env;         /* the program's, where HOME had to be added; NULL: as the spec has it */
    bool tells_program; /* HOLD and PROGRAM (wire/init.h) */
    int hooks_state;    /* memfd: standard input of startContainer hooks; -EBADF without */

    struct parent_between *between; /* only in the process of enter.c */
    struct later *later;            /* only in that of later.c */
    /* Nobody outside may open what the host has to name: init does it in its own mount namespace. */
    bool opens_itself;
    bool has_group;     /* by the parent's word, where the groups follow */
    bool has_joined;    /* what is to be joined was entered before we were born */
    struct trace trace; /* where to tell of the steps */

    /* exec only */
    int target_pidfd;
    int target_proc;  /* its directory in the host's /proc */
    int target_flags; /* CLONE_NEW* to enter */
};

/* One step of a table. `is_needed` NULL: always. */
enum child_place { IN_HOST, IN_NEW_MNT, IN_CONTAINER, AS_USER };
struct child_step {
    const char *name;
    enum child_place place;
    int (*run)(struct child *child, struct cl_error *err);
    bool (*is_needed)(const struct child *child);
};
/* Run the steps and, whatever happens, never return: the last one execs; a failure is sent to the
   parent. */
_Noreturn void child_run(struct child *child, const struct child_step *steps, size_t count);
extern const struct child_step init_steps[];
extern const size_t init_step_count;
extern const struct child_step exec_steps[];
extern const size_t exec_step_count;

/* ---- child.c ---- */
int child_begin(struct child *child, struct cl_error *err);
int child_wait_go(struct child *child, struct cl_error *err);
int child_ready(struct child *child, struct cl_error *err); /* READY, then waits for START */
int child_wait(struct child *child, enum wire_init_type type, struct cl_error *err);
/* Handlers and mask as a fresh program has them. */
void child_reset_signals(void);
int child_send(const struct child *child, enum wire_init_type type, int fd);
/* procfs of ours, opened when first asked for. */
int child_proc(struct child *child, struct cl_error *err);

/* ---- hooks.c ---- */
/* Are there hooks that a creation has to stop for? */
bool hooks_at_create(const struct oci_spec *spec);
int hooks_call_parent(struct child *child, struct cl_error *err);
int hooks_create_container(struct child *child, struct cl_error *err);
int hooks_prepare_start(struct child *child, struct cl_error *err);

/* ---- join.c: cgroup and namespaces ---- */
/* What the parent does not make in clone3, where the groups follow (parent.h). */
#define JOIN_OWN_NAMESPACES (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
int join_own_namespaces(struct child *child, struct cl_error *err);
int join_scope(struct child *child, struct cl_error *err);
int join_find_group(struct child *child, struct cl_error *err);
int join_cgroup(struct child *child, struct cl_error *err);
int join_delegate(struct child *child, struct cl_error *err);
int join_namespaces(struct child *child, struct cl_error *err);
/* Is the namespace of that process the one that we are in? The kernel asks for rights over a namespace also where there is nothing to enter. */
bool join_is_shared(int target_proc, enum k_ns type);
int join_target(struct child *child, struct cl_error *err);
int join_before_birth(struct child *child, struct cl_error *err);
int join_target_before_birth(struct child *child, struct cl_error *err);
int join_own_time(struct child *child, struct cl_error *err);
int join_as_root(struct child *child, struct cl_error *err);

/* ---- rdt.c ---- */
int rdt_join(struct child *child, struct cl_error *err);

/* ---- mnt.c ---- */
int mnt_make_private(struct child *child, struct cl_error *err);
int mnt_open_sources(struct child *child, struct cl_error *err); /* rootfs.c */
/* By paths, since only mounts of our own namespace can be cloned here. */
int mnt_open_cgroup_trees(struct child *child, struct cl_error *err);
int mnt_attach_root(struct child *child, struct cl_error *err);
int mnt_apply_plan(struct child *child, struct cl_error *err);
int mnt_make_readonly(struct child *child, struct cl_error *err);
int mnt_pivot(struct child *child, struct cl_error *err);
int mnt_move_root(struct child *child, struct cl_error *err); /* mnt_move.c */
int mnt_set_propagation(struct child *child, struct cl_error *err);
int mnt_prepare_lock(struct child *child, struct cl_error *err); /* mnt_lock.c */
int mnt_lock(struct child *child, struct cl_error *err);
/* The detached trees, one after the other, as an unprivileged container may have them (mnt_lock.c). In a mount namespace of our own, which is another afterwards. */
int mnt_lock_trees(struct child *child, int *trees, size_t count, struct cl_error *err);
/* What a mount goes on, made where it is missing, below child->root: its descriptor. */
int mnt_open_target(struct child *child, const struct plan_mount *mount, bool is_dir,
                    bool *ret_made, struct cl_error *err);
/* A new file system as a detached mount, writable for now where that is_late_ro; `mode` "": as the options say. */
int mnt_new_fs(const struct plan_mount *mount, const char *mode, struct cl_error *err);
/* The mode for a tmpfs that covers `target`, "" where its options say one. */
int mnt_covered_mode(const struct plan_mount *mount, int target, char text[static 8]);
/* What the options say recursively, and of propagation. */
int mnt_apply_recursive(int tree, const struct plan_mount *mount);
int mnt_apply_propagation(int tree, const struct plan_mount *mount);
/* ---- mnt_change.c ---- */
/* 1: the descriptor is of the root of a mount; 0: of something in one. */
int mnt_is_mount(int fd);
int mnt_change(struct child *child, const struct plan_mount *mount, struct cl_error *err);
int mnt_copy_symlink(struct child *child, const struct plan_mount *mount, int source,
                     struct cl_error *err);
/* ---- copyup.c ---- */
enum copyup_flags {
    COPYUP_WHOLE = 1,      /* also what from_dir itself is (owner, mode, times) */
    COPYUP_NO_DEVICES = 2, /* nodes of devices are an error (EPERM) */
};
/* Copy what is in from_dir into the new tmpfs (or directory) `tree`. */
int copyup_fill(int from_dir, int tree, unsigned flags, struct cl_error *err);
/* mnt_borrow.c: a clone of the host's own mount of that type, where it shows the same; -EPERM: none. */
int mnt_borrow(struct child *child, const struct plan_mount *mount);
/* Where a file system of the plan comes from: *ret_place is the host's mount of it ("/sys") unless it is MNT_NEW. */
enum mnt_source { MNT_NEW, MNT_BORROWED, MNT_BORROWED_IF_REFUSED };
enum mnt_source mnt_source_of(const struct runtime_plan *plan, const struct plan_mount *mount,
                              const char **ret_place);
/* Adds to the error of a new file system that the kernel did not permit why, and what to do. */
void mnt_explain_refusal(const struct child *child, const struct plan_mount *mount,
                         struct cl_error *err);
/* Attach the detached mount `tree` on what target_fd is; closes neither. */
int mnt_attach(int tree, int target_fd);

/* ---- mask.c ---- */
int mask_prepare(struct child *child, struct cl_error *err);
int mask_hide_paths(struct child *child, struct cl_error *err);
int mask_readonly_paths(struct child *child, struct cl_error *err);

/* ---- dev.c ---- */
int dev_make(struct child *child, struct cl_error *err);
int dev_open_terminal(struct child *child, struct cl_error *err);
int dev_open_exec_terminal(struct child *child, struct cl_error *err);

/* ---- host.c: what belongs to the namespaces ---- */
int host_loopback_up(struct child *child, struct cl_error *err); /* it needs no child: NULL */
int host_set_names(struct child *child, struct cl_error *err);
int host_set_sysctls(struct child *child, struct cl_error *err);

/* ---- sec.c ---- */
int sec_join_keyring(struct child *child, struct cl_error *err);
int sec_open_session(struct child *child, struct cl_error *err);
int sec_open_procfs(struct child *child, struct cl_error *err);
int sec_prepare_label(struct child *child, struct cl_error *err);
int sec_no_new_privs(struct child *child, struct cl_error *err);
int sec_load_filter(struct child *child, struct cl_error *err);
/* Is the filter loaded by who has capabilities, since no_new_privs is not asked for? */
bool sec_filters_early(const struct plan_process *process);
int sec_drop_bounding(struct child *child, struct cl_error *err);
int sec_become_user(struct child *child, struct cl_error *err);
int sec_set_capabilities(struct child *child, struct cl_error *err);

/* ---- limits.c ---- */
int limits_set_oom_score(struct child *child, struct cl_error *err);
int limits_set_scheduling(struct child *child, struct cl_error *err);
/* For who is, or will be, in a user namespace: as well as it goes, of `pid` (0: the caller). */
void limits_grant_scheduling(const struct oci_process *process, pid_t pid);
int limits_set_resources(struct child *child, struct cl_error *err);
int limits_set_memory_policy(struct child *child, struct cl_error *err);
int limits_set_final_affinity(struct child *child, struct cl_error *err);
/* Of the calling process; property: "initial" or "final". */
int limits_set_affinity(const char *property, const char *list, struct cl_error *err);

/* ---- program.c ---- */
int program_make_cwd(struct child *child, struct cl_error *err);
int program_enter_cwd(struct child *child, struct cl_error *err);
int program_find(struct child *child, struct cl_error *err);
int program_find_home(struct child *child, struct cl_error *err);
int program_set_umask(struct child *child, struct cl_error *err);
int program_connect_streams(struct child *child, struct cl_error *err);
int program_close_others(struct child *child, struct cl_error *err);
int program_die_with_parent(struct child *child, struct cl_error *err);
int program_prepare_trampoline(struct child *child, struct cl_error *err);
int program_prepare(struct child *child, struct cl_error *err);
int program_exec(struct child *child, struct cl_error *err);
