/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room runtime: a runtime-spec becomes a running, isolated process.
 *
 *   spec + options + host facts --(plan.c, pure)--> plan --(create.c: parent, init.c: child)--> process
 *
 * The plan is a value: it can be printed, compared and tested without root. Whoever calls
 * runtime_create becomes the parent of the container's init; the engine calls it in the forked
 * process that then becomes cloche-monitor, `cloche-runtime create` in one that exits. Uses base,
 * kernel, oci, wire, seccomp. Thread assumption: the caller is single-threaded.
 */
#pragma once

#include "base/base.h"
#include "kernel/kernel.h"
#include "oci/oci.h"
#include "runtime/checkpoint.h"
#include "runtime/stats.h"

#include <time.h>

/* Where the root file system comes from. Strings are borrowed until the plan is freed. */
struct runtime_rootfs {
    bool is_overlay;
    const char *path;          /* not overlay: a directory of the host */
    const char *const *lowers; /* overlay: host directories, topmost first, NULL-terminated */
    /* Overlay: host directories on one file system; NULL with is_read_only: no upper at all. */
    const char *upper, *work;
    bool is_volatile;  /* overlay without syncs: for containers that are removed at their end */
    bool is_read_only; /* root.readonly */
    /* Not overlay: what the host mounts below it later appears (linux.rootfsPropagation slave). */
    bool receives_mounts;
    int trace_fd; /* as in runtime_options, for a caller that opens it before */
    bool trace_waits;
    const struct timespec *trace_since;
};

/* Make the root file system as a detached mount, so that the caller can look into it (users,
   working directory) before there is a container. The fd is owned by the caller and may be given to
   runtime_options.root_mount. */
int runtime_rootfs_open(const struct runtime_rootfs *rootfs, int *ret_fd, struct cl_error *err);

struct runtime_facts;
enum runtime_rootless { RUNTIME_ROOTLESS_AUTO, RUNTIME_ROOTLESS_YES, RUNTIME_ROOTLESS_NO };

/* A scope of systemd's that the container's control group belongs to. */
struct runtime_scope {
    bool is_user; /* of the user's manager */
    char unit[256], slice[256];
    char path[256]; /* of the unit's control group, relative to each hierarchy's root */
};
/* linux.cgroupsPath in the form "slice:prefix:name"; NULL or "": cloche-ID.scope in system.slice, or
   user.slice. Pure; errors name linux.cgroupsPath. */
int runtime_scope_parse(const char *text, const char *id, bool is_user, struct runtime_scope *ret,
                        struct cl_error *err);
/* Which manager is asked: the user's, where the caller is no root, or root only of a user namespace
   that the system's manager is outside of (rootless Podman's); `rootless` may say otherwise. */
bool runtime_scope_is_user(enum runtime_rootless rootless, const struct runtime_facts *facts);
/* The user's manager has a group of its own, below which its units are: completes `path`. */
int runtime_scope_place(struct runtime_scope *scope, struct cl_error *err);
/* End it, and let systemd forget it: fine where there is none. */
int runtime_scope_stop(const struct runtime_scope *scope, struct cl_error *err);

struct runtime_process;
struct runtime_options {
    const char *id;     /* [A-Za-z0-9_.+-]+, checked */
    const char *bundle; /* base of relative paths, or NULL */
    struct runtime_rootfs rootfs;
    /* Borrowed: rootfs, already made by runtime_rootfs_open. 0 or negative: runtime_create makes
       it. */
    int root_mount;
    /* Overrides linux.cgroupsPath; relative to each hierarchy's root: "cloche/ID". NULL with none
       in the spec either: no cgroup. */
    const char *cgroup_path;
    /* Borrowed; NULL: the group is made in the file system. Otherwise systemd makes it, and
       cgroup_path is scope->path, or a group below it. */
    const struct runtime_scope *scope;
    const char *state_dir; /* an existing directory of ours on the host (0700); not used yet */
    /* Cloche's own profile for the bounding set, instead of linux.seccomp. */
    bool use_default_seccomp;
    /* Denials of the filter go to the kernel's log, in an audit session of the container's own (docs/decisions/). */
    bool record_denials;
    /* Borrowed: where each step is told before and after it is done (wire/trace.h); 0 or negative: nobody asks, and it costs a
       comparison a step. trace_waits: each step waits for a word. */
    int trace_fd;
    bool trace_waits;
    /* Not NULL: trace_fd is a file, and gets a line for each step that is over: microseconds since this moment (trace_now), microseconds that it took, side, step. */
    const struct timespec *trace_since;
    bool no_new_keyring;
    /* PR_SET_PDEATHSIG SIGKILL on init. The kernel forgets the wish when init executes a
       set-user-ID program, and init may take it back: a second line behind the engine's recovery,
       not a promise. */
    bool die_with_parent;
    unsigned preserve_fds; /* 3 … 2+n stay open in the container */
    bool is_started_later; /* by another process: what a plan tells is then create's and start's */
    int start_listener; /* borrowed: see runtime_leave; 0 or negative: started by who created it */
    /* Called once, when there is a first process (pid, start_ticks) and it is at work on its mounts: what the caller has to do for it anyway
       and does here, nobody waits for. A failure is runtime_create's. NULL: nothing to do. */
    int (*while_init_works)(void *context, const struct runtime_process *process,
                            struct cl_error *err);
    /* Not NULL: nobody has a word to say between "ready" and the program, so init is told to go on while it still works, and sleeps for nobody. It is called by init when
       all but the last steps are done (in the container's namespaces, as root, with every descriptor of the caller's still open), and its failure is init's. Only where
       runtime_runs_through. */
    int (*when_ready)(void *context, struct cl_error *err);
    void *context;
    /* Is a control group that can't be made an error where no limit is asked for? AUTO: yes for the
       host's root, no for an ordinary user or root of somebody's user namespace. */
    enum runtime_rootless rootless;
    /* Move the root file system over "/" and chroot, instead of pivot_root, which an initramfs does
       not allow. Weaker: whoever may unmount "/" in the container finds what is below. */
    bool no_pivot;
    const char *pidfd_socket;   /* a listening stream socket that gets init's pidfd, or NULL */
    bool mask_thermal_throttle; /* add the CPUs' thermal_throttle directories to the masked paths */
};

/* What the plan needs to know of this machine; gathered once by runtime_facts_init, or made up by a
   test. */
struct runtime_facts {
    struct cgroup_host cgroups;
    unsigned last_capability;
    uint64_t bounding; /* what we can grant; the rest is a warning, as the runtime-spec wants it */
    bool has_time_ns, has_cgroup_ns, has_user_ns;
    bool has_mount_setattr, has_fsmount,
        has_lowerdir_append; /* assumed; found out by use, where probing would cost */
    bool is_root;            /* effective uid 0, of whichever user namespace */
    uid_t euid;
    unsigned thermal_cpus; /* CPUs with a thermal_throttle directory in /sys */
    int proc_fd;           /* the host's /proc, checked; owned. Negative in made-up facts */
    bool is_user_ns_own;   /* the user namespace that the spec joins by path is the one we are in */
};
/* Are we, whatever our uid is, in a user namespace that is not the host's first one? One read; asked
   only when something was denied. */
bool runtime_in_user_ns(const struct runtime_facts *facts);
int runtime_facts_init(struct runtime_facts *facts, struct cl_error *err);
/* For specs that may join a user namespace by path: is it our own? Two looks where there is a path, else none. A path that leads nowhere is the
   creation's to complain about. */
void runtime_facts_see_user_ns(struct runtime_facts *facts, const struct oci_spec *spec);
void runtime_facts_done(struct runtime_facts *facts);

struct runtime_plan;
/* The annotations that this runtime reads; a name that ends with a dot stands for all that begin with it. */
struct runtime_annotation {
    char name[40];
    char refusal[152]; /* why it is refused and what to do instead; "": it is carried out */
};
extern const struct runtime_annotation runtime_annotations[];
extern const size_t runtime_annotation_count;

/* Borrows spec, options and facts until runtime_plan_free. Checks everything that can be checked
   before anything is made: what this host cannot honour is an error here, naming the JSON path. */
int runtime_plan_new(const struct oci_spec *spec, const struct runtime_options *options,
                     const struct runtime_facts *facts, struct runtime_plan **ret,
                     struct cl_error *err);
void runtime_plan_free(struct runtime_plan *plan);
/* Is there nothing that needs the caller between the clone and the program: another who starts it, a terminal, hooks, an agent, a user namespace? */
bool runtime_runs_through(const struct runtime_plan *plan);
CL_DEFINE_AUTO(struct runtime_plan, runtime_plan_free)
/* What the runtime-spec wants said rather than failed on (capabilities that can't be granted here):
   a NULL-terminated vector that belongs to the plan, or NULL. */
const char *const *runtime_plan_warnings(const struct runtime_plan *plan);
/* Every step that will be done, in order (docs/runtime-cli.md, "plan"): as lines, "init  mount proc at /proc (nosuid,noexec,nodev)", or as JSON. */
int runtime_plan_print(const struct runtime_plan *plan, struct cl_buf *out);
int runtime_plan_json(const struct runtime_plan *plan, struct cl_json **ret);

/* What a step of a start is for. */
struct runtime_step {
    char name[40];                   /* as in a trace and in error messages */
    char calls[32];                  /* the system calls that do it */
    char english[136], chinese[152]; /* one sentence each; Chinese: traditional */
};
const struct runtime_step *runtime_step_find(const char *name); /* or NULL */
struct timespec trace_now(void);                                /* for trace_since */

/* Standard streams of a process of ours. With terminal the container gets a pty of its own devpts
   and the three fds are ignored (-EBADF). */
struct runtime_io {
    bool terminal;
    unsigned rows, columns; /* 0: leave */
    int in, out, err;       /* borrowed; become 0, 1, 2 of the child */
};

/* What was made for linux.intelRdt and has to be removed in the end: directories below the resctrl
   file system, NULL: none. Owned. */
struct runtime_rdt {
    char *group, *monitor;
};
/* Not mounted any more or not there any more is fine. */
int runtime_rdt_remove(const struct runtime_rdt *made, struct cl_error *err);
void runtime_rdt_done(struct runtime_rdt *made);
/* What must have been made for a container with this closID and enableMonitoring, of which nobody knows more: its groups go where they have no tasks. True: none is left. */
bool runtime_rdt_remove_empty(const struct oci_intel_rdt *rdt, const char *id);
/* Write the schemata of `change` to the group that a container has by `rdt`: all of it or nothing. *ret_old, owned: what held before, for runtime_rdt_restore. */
int runtime_rdt_update(const struct oci_intel_rdt *rdt, const char *id,
                       const struct oci_intel_rdt *change, char **ret_old, struct cl_error *err);
void runtime_rdt_restore(const struct oci_intel_rdt *rdt, const char *id, const char *old);

struct netdev_set;

/* A process started by runtime_create or runtime_exec. */
struct runtime_process {
    pid_t pid;
    uint64_t start_ticks;
    int pidfd;            /* owned */
    int sync;             /* owned; -EBADF once started */
    bool is_let_go;       /* START is sent (runtime_options.when_ready) */
    int console;          /* owned pty master, or -EBADF */
    int root_mount;       /* owned fd that pins the container's root mount, or -EBADF */
    struct cgroup cgroup; /* owned; count 0 without */
    /* Hooks have been run for it, or were tried: who gives it up owes it the poststop hooks. Also set when
       runtime_create fails. */
    bool has_run_hooks;
    bool has_failed_hook; /* what runtime_start failed on is a startContainer hook */
    bool is_held;         /* init said that it runs such hooks, and not yet that they are through */
    /* Owned: what cgroup points into. Their root_fds are the facts', which stay open until
       runtime_process_done. */
    struct cgroup_hierarchy *hierarchies;
    /* For runtime_start, borrowed: as in runtime_options, lines only; 0: none. Also handed to an init that was left. */
    int trace_fd;
    const struct timespec *trace_since;
    struct netdev_set *net; /* owned: the way back of linux.netDevices, until the program runs */
    struct runtime_rdt rdt; /* removed by runtime_destroy, or by who writes it down */
};
void runtime_process_done(struct runtime_process *process); /* closes; kills nothing */

/*
 * Make cgroup, namespaces, mounts and everything else; when this returns 0 the child has done every
 * step but the last ones (seccomp, exec) and waits. On failure nothing is left: no process, cgroup
 * or mount; of *ret only has_run_hooks is set. The error ends with the failing step: … (step "apply mounts").
 */
int runtime_create(const struct runtime_plan *plan, const struct runtime_io *io,
                   struct runtime_process *ret, struct cl_error *err);
/*
 * A creator that ends before somebody else starts the container: it gives a listening
 * SOCK_SEQPACKET socket as runtime_options.start_listener, writes down what the other one needs,
 * and calls this. Init then waits on its own. Whoever connects to that socket holds a `sync` as
 * runtime_create's was, for runtime_start. A creator that dies before this call takes init with it.
 */
int runtime_leave(struct runtime_process *process, struct cl_error *err);
/* Release it into execve. Returns when the program runs (the sync socket closed on exec), or with
   the error: kinds NO_COMMAND (127), NOT_EXECUTABLE (126). */
int runtime_start(struct runtime_process *process, struct cl_error *err);
/* After a failure of runtime_start, or at the end of life: SIGKILL init and all of the cgroup, wait
   for init and remove the cgroup. For a process of runtime_exec: only that process. */
int runtime_destroy(struct runtime_process *process, struct cl_error *err);

/*
 * Hooks. prestart, createRuntime and createContainer belong to runtime_create, startContainer to runtime_start. What comes after is the caller's: poststart once the
 * program runs, poststop once the container is gone. Nothing is run where the spec has none; a hook's failure names it: "hooks.poststart[0]: /bin/hook: exit status 3".
 */
enum runtime_hooks {
    RUNTIME_PRESTART,
    RUNTIME_CREATE_RUNTIME,
    RUNTIME_CREATE_CONTAINER,
    RUNTIME_START_CONTAINER,
    RUNTIME_POSTSTART,
    RUNTIME_POSTSTOP
};
struct runtime_hook_state {
    const char *id, *bundle;
    pid_t pid; /* of init, as the hook sees it; 0: none any more */
};
const char *runtime_hooks_name(enum runtime_hooks kind); /* "createRuntime" */
const struct oci_hook_list *runtime_hooks_list(const struct oci_spec *spec,
                                               enum runtime_hooks kind);
/* In our own namespaces. The first failure ends it. */
int runtime_hooks_run(const struct oci_spec *spec, enum runtime_hooks kind,
                      const struct runtime_hook_state *state, struct cl_error *err);
/* All of them, whatever becomes of each: `warn` hears of failures. */
void runtime_hooks_poststop(const struct oci_spec *spec, const struct runtime_hook_state *state,
                            void (*warn)(void *context, const char *text), void *context);

/* Another process into a running container: when this returns 0 it runs (there is no
   runtime_start), sync is -EBADF and cgroup is empty. The caller's pid_for_children namespace is
   changed: do it in a process that forks nothing else. */
struct runtime_target {
    pid_t pid;               /* the container's init */
    uint64_t start_ticks;    /* must match, else -ESRCH */
    const char *cgroup_path; /* or NULL */
};
/* Where below the container's group the process goes: an existing group, in the hierarchies of
   these controllers. */
struct runtime_subgroup {
    const char *controllers; /* "cpu,memory": of cgroup v1; NULL: everywhere */
    const char *path;        /* "a/b" or "/a/b", below the container's group */
};
struct runtime_exec_options {
    bool use_default_seccomp;
    const struct oci_seccomp *seccomp; /* or NULL */
    const struct oci_state
        *state; /* the container's, for the agent of a seccomp with SCMP_ACT_NOTIFY */
    bool die_with_parent;
    unsigned preserve_fds;
    int trace_fd; /* as in runtime_options */
    const struct timespec *trace_since;
    /* The container's own, or NULL: memoryPolicy, personality and intelRdt (which needs `id`) hold
       for this process too. */
    const struct oci_linux *linux_;
    const char *id;
    const char *pidfd_socket; /* as in runtime_options */
    const struct runtime_subgroup *subgroups;
    size_t subgroup_count;             /* 0: into the container's own group */
    const struct runtime_facts *facts; /* where the caller has them already; lent. NULL: gathered */
    char **
        *warnings; /* as runtime_plan_warnings', appended, the caller's to free; NULL: unwanted */
};
int runtime_exec(const struct runtime_target *target, const struct oci_process *process,
                 const struct runtime_exec_options *options, const struct runtime_io *io,
                 struct runtime_process *ret, struct cl_error *err);

/*
 * New limits for a container that is there, running or paused. What `resources` does not set stays as
 * it is; device rules, where there are any, replace all that were there. All or nothing: after a
 * failure, which names the JSON path ("linux.resources.memory.limit: …"), the old values hold.
 * memory.checkBeforeUpdate: a limit below what is in use is -EBUSY. `scope`: systemd is told, too;
 * or NULL.
 */
int runtime_update(const char *cgroup_path, const struct runtime_scope *scope,
                   const struct oci_resources *resources, struct cl_error *err);

/*
 * Mounts for a container that is there, running, paused or not started yet, and away with them again. Nothing of the container is executed and no host path is
 * looked up in it; docs/runtime-cli.md says what is refused. `spec` is the container's, its mounts[] only those to be added (of remove: none).
 */
struct runtime_added {
    char *destination;      /* absolute and clean */
    uint64_t id, unique_id; /* statx(2), STATX_MNT_ID and STATX_MNT_ID_UNIQUE: 0 before Linux 6.8 */
    bool is_removed;        /* set by runtime_mounts_remove: nothing is left of it */
};
struct runtime_add_options {
    const char *id, *bundle;
    /* Writes down what there is of these mounts, borrowed: called before the first is attached, and once more, with those that are there, when something failed. */
    int (*record)(void *context, const struct runtime_added *added, size_t count,
                  struct cl_error *err);
    void *context;
    char ***warnings; /* as runtime_exec_options'; NULL: unwanted */
};
/* All of them, or none. */
int runtime_mounts_add(const struct runtime_target *target, const struct oci_spec *spec,
                       const struct runtime_add_options *options, struct cl_error *err);
/* The last first. After a failure is_removed tells how far it came. One that is not there any more counts as removed; one that was covered or moved is an error. */
int runtime_mounts_remove(const struct runtime_target *target, const struct oci_spec *spec,
                          struct runtime_added *added, size_t count, struct cl_error *err);

/* "1000", "1000:1000", "user", "user:group" against the container's own /etc/passwd and /etc/group
   below root_fd (CVE-2026-30892: digits are digits). Supplementary groups come from /etc/group.
   Fills uid, gid, additional_gids (owned, may be NULL) and the home directory ("/" when unknown).
   */
struct runtime_user {
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    size_t group_count;
    char home[256];
};
int runtime_user_resolve(int root_fd, const char *text, const char *const *extra_groups,
                         struct runtime_user *ret, struct cl_error *err);
void runtime_user_done(struct runtime_user *user);
/* The home directory of a user in the container's /etc/passwd; "/" where that says nothing. */
void runtime_user_home(int root_fd, uid_t uid, char ret[static 256]);
