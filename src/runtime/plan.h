/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: what will be done, as a value. Private to the room.
 *
 * plan.c and its plan_*.c fill it from the spec without a system call; create.c (the parent),
 * init.c (the child) and exec.c carry it out, and plan_print.c tells it. Strings are borrowed from
 * the spec and the options unless a comment says "owned".
 */
#pragma once

#include "runtime/runtime.h"
#include "seccomp/seccomp.h"

/* ---- Mounts ---- */

enum plan_mount_kind {
    PLAN_MOUNT_BIND,   /* a detached clone of a host path, made by the parent */
    PLAN_MOUNT_FS,     /* a new mount of a file system, made by the child in its namespaces */
    PLAN_MOUNT_CGROUP, /* the container's own group in every hierarchy, cloned by the parent */
    PLAN_MOUNT_CHANGE, /* no mount, but a change of one that is there: remount, propagation alone */
};

/* One option of a file system: key, or key and value. */
struct plan_fs_option {
    char *key;   /* owned; the value lies in the same allocation */
    char *value; /* NULL: a flag */
};

struct plan_mount {
    enum plan_mount_kind kind;
    size_t index; /* mounts[index] of the spec */
    char *target; /* owned: absolute, without ".", ".." and double slashes */
    char *source; /* owned; of a bind: an absolute host path */
    const char *type;
    struct oci_mount_flags flags;   /* owned */
    struct plan_fs_option *options; /* owned */
    size_t option_count;
    bool is_recursive_bind;
    /* Binds: the map of the mount, both owned; empty while is_idmapped: the joined user namespace's.
     */
    bool is_idmapped, idmap_recursive;
    struct oci_id_mappings uid_map, gid_map;
    bool no_links;       /* no component of the target may be a symbolic link */
    bool covers_link;    /* a target that is a link is covered itself (dest-nofollow) */
    bool may_cover_proc; /* on the list of what may be mounted over files of /proc */
    bool is_late_ro; /* a tmpfs that others still put something into: read-only at the very end */
};

/* ---- Control groups ---- */

/* One write to one file. */
#define PLAN_UNIFIED "linux.resources.unified" /* errors about its rows add the key, their file */
struct plan_setting {
    const char *property; /* JSON path of where it came from; static */
    char controller[32];  /* "" : the v2 group's own files */
    char file[96];
    char value[160];
    /* A file to be tried instead when the first is not there ("" without): schedulers name one
       thing differently. */
    char other_file[96];
    char other_value[160];
    bool is_optional; /* nothing is lost where there is no such file */
};

/* What holds in a group that is there, where a file needs more than is asked for. -1: no limit. */
struct plan_limits_now {
    int64_t memory_limit, cpu_quota;
    uint64_t cpu_period; /* 0: not known */
};

/* ---- Processes ---- */

/* What init and a process of exec have in common. */
struct plan_process {
    const struct oci_process *spec;
    uint64_t bounding, effective, permitted, inheritable, ambient; /* what can be granted here */
    struct seccomp_filter filter;                                  /* owned; code NULL without */
    unsigned last_capability;
    unsigned preserve_fds;
    bool die_with_parent;
    bool new_keyring;
    /* Runs in another user namespace than ours, where it begins with every capability. */
    bool has_user_ns;
    char keyring[128];                /* its name, "" for an anonymous one */
    const struct oci_seccomp *notify; /* for an agent; NULL: no SCMP_ACT_NOTIFY */
    const char *listener_path;        /* the agent's socket: the spec's, or an annotation's */
    const char *listener_property;    /* how errors call that */
    bool keeps_groups;                /* the caller's supplementary groups stay */
    /* The container's, which hold for each of its processes; NULL: not asked for. */
    const struct oci_memory_policy *memory_policy;
    const struct oci_personality *personality;
    const struct oci_intel_rdt *rdt;
    const char *id; /* the container's */
};

/* A namespace to be joined instead of made. */
struct plan_join {
    enum k_ns type;
    size_t index; /* linux.namespaces[index] */
    const char *path;
};

struct runtime_plan {
    const struct oci_spec *spec;
    const struct runtime_options *options;
    const struct runtime_facts *facts;
    struct plan_process process;

    int clone_flags; /* CLONE_NEW* of clone3: all but the cgroup namespace */
    bool new_cgroup_ns, new_net_ns;
    bool new_user_ns, joins_user_ns, joins_mount_ns;
    /* No mount namespace of its own: its tree is made in one that is then left again, and chrooted into as a detached copy, which is on no
       path of the host's. */
    bool shares_mount_ns;
    /* Not pivot_root but a move over "/" and chroot. */
    bool moves_root;
    struct plan_join joins[K_NS_COUNT];
    size_t join_count;
    char time_offsets[128];     /* lines for timens_offsets, or "" */
    const char *label_option;   /* the mount option that linux.mountLabel is given by: "context" */
    const char *pidfd_receiver; /* a socket that gets init's pidfd, or NULL */

    char cgroup_path[256]; /* "" : none */
    bool cgroup_must_be_new;
    bool gives_group; /* to cgroup_owner, a uid of ours */
    uint32_t cgroup_owner;
    const char *delegate; /* the group below it that init moves to and manages itself, or NULL */
    struct plan_setting *settings; /* owned */
    size_t setting_count;
    bool use_device_rules;

    struct plan_mount *mounts; /* owned */
    size_t mount_count;
    char *rootfs_path;              /* owned; plain directory, absolute */
    bool make_devices;              /* /dev is ours to fill */
    char **masked;                  /* owned: masked paths, with what the facts add */
    unsigned long root_propagation; /* MS_*: 0 is private */
    char **sysctls;                 /* owned: "net/ipv4/ip_forward", then the value, and so on */
    char **warnings;                /* owned */
};

/* Fill the plan's parts. 0 or -errno with err; what was filled is freed by runtime_plan_free. */
int plan_user_ns(struct runtime_plan *plan, struct cl_error *err);
/* A join of the user namespace that we are in: nothing to do, if the maps say nothing else. */
int plan_own_user_ns(const struct runtime_plan *plan, struct cl_error *err);
int plan_mounts(struct runtime_plan *plan, struct cl_error *err);
/* A plan of nothing but the spec's mounts, for a container that is there. Free it as any. */
int plan_mounts_alone(const struct oci_spec *spec, const struct runtime_options *options,
                      const struct runtime_facts *facts, struct runtime_plan **ret,
                      struct cl_error *err);
int plan_cgroup(struct runtime_plan *plan, struct cl_error *err);
/* Whose the group will be; after plan_cgroup. 0 or -ENOMEM. */
int plan_cgroup_owner(struct runtime_plan *plan);
/* The writes alone, in order; `now` NULL: to a group that is new. *ret is the caller's. */
int plan_resources(const struct oci_resources *resources, const struct cgroup_host *host,
                   const struct plan_limits_now *now, struct plan_setting **ret, size_t *ret_count,
                   struct cl_error *err);
/* Also for exec: `path` is how errors call it ("process"). */
int plan_process_init(struct plan_process *process, const struct oci_process *spec,
                      const struct runtime_facts *facts, char ***warnings, struct cl_error *err);
int plan_seccomp(struct plan_process *process, bool use_default, const struct oci_seccomp *policy,
                 struct cl_error *err);
/* Whether a process comes as far as its program under its filter: of plan_seccomp (plan_filter.c). */
int plan_check_filter(const struct plan_process *process, struct cl_error *err);
/* Whether it may say something to its parent under it. */
bool plan_can_tell(const struct plan_process *process);
bool plan_may_execveat(const struct plan_process *process);
/* Whether it may try: what is refused can be done without. */
bool plan_may_openat2(const struct plan_process *process);
/* After plan_namespaces. */
int plan_annotations(struct runtime_plan *plan, struct cl_error *err);
/* Those that hold for each process; before plan_seccomp. `map`: NULL without. */
int plan_process_annotations(struct plan_process *process, const struct oci_map *map,
                             const struct oci_seccomp *policy, struct cl_error *err);
void plan_process_done(struct plan_process *process);

/* An error at plan time: "JSON.PATH: text", kind CL_KIND_INVALID or CL_KIND_UNSUPPORTED. */
int plan_fail(struct cl_error *err, enum cl_kind kind, const char *path, const char *fmt, ...)
    CL_PRINTF(4, 5);
/* Something that the spec wants said and not failed on. */
int plan_warn(char ***warnings, const char *fmt, ...) CL_PRINTF(2, 3);

/* Is this id of the container one that its user namespace has? */
bool plan_maps_id(const struct oci_id_mappings *mappings, uint32_t id);
/* Which of our own ids it is; UINT32_MAX: not mapped. */
uint32_t plan_host_id(const struct oci_id_mappings *mappings, uint32_t id);
/* As the kernel's uid_map and gid_map take it, in one write. */
int plan_id_map_text(const struct oci_id_mappings *mappings, struct cl_buf *out);

/* The next word of a line of /proc, if it is a number; *at goes behind it. */
bool plan_next_number(const char **at, uint64_t *ret);

/* Absolute and clean: "/a//b/./c/.." → "/a/b". Newly allocated; NULL without memory. */
char *plan_clean_path(const char *path);

/* cgroup v1 units to v2's. */
uint64_t plan_cpu_weight(uint64_t shares);      /* 2 … 262144 → 1 … 10000, 1024 → 100 */
uint64_t plan_io_weight(uint64_t blkio_weight); /* 10 … 1000 → 1 … 10000 */
