/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCI runtime specification 1.3 (opencontainers/runtime-spec: config.md, config-linux.md, runtime.md) as C structs: every
 * property that a Linux container can have. Property names are the spec's in snake_case; a comment names the spec's word where it differs.
 *
 * Reading: sub-objects whose mere presence means nothing (root, user, hooks, linux, resources, …) are embedded, so reading needs no
 * NULL checks; those whose presence says something (process, seccomp, capabilities, scheduler, …) are pointers, NULL when absent.
 * Building: oci_spec_new() and the adders below, or fill the members with cl_strdup'ed strings and cl_calloc'ed arrays.
 *
 * Decoding ignores unknown properties (config.md "Extensibility") and treats JSON null as absent. It refuses wrong types, numbers out of
 * range, unknown enum values, missing required properties and an ociVersion that is not 1.x. What needs the whole tree is oci_spec_validate;
 * what needs the host (does the path exist? is the cgroup controller there?) is the runtime's.
 */
#pragma once

#include "base/json.h"
#include "oci/types.h"

#define OCI_SPEC_VERSION     "1.3.0" /* what we write */
#define OCI_SPEC_VERSION_MIN "1.0.0"

/* ---- Small shared parts ---- */

struct oci_id_mapping {
    uint32_t container_id; /* containerID */
    uint32_t host_id;      /* hostID */
    uint32_t size;
};
struct oci_id_mappings {
    struct oci_id_mapping *items;
    size_t count;
};

struct oci_mount {
    char *
        destination; /* absolute, inside the container; a relative one is read as below / (spec 1.0 behaviour) */
    char *type; /* NULL or "none" for binds */
    char *source;
    char **options; /* fold with oci_mount_flags_fold (names.h) */
    struct oci_id_mappings uid_mappings;
    struct oci_id_mappings gid_mappings;
};

struct oci_hook {
    char *path;  /* absolute, in the runtime's mount namespace (startContainer: the container's) */
    char **args; /* with argv[0]; NULL: argv[0] is path */
    char **env;
    struct oci_opt_i64 timeout; /* seconds, > 0 */
};
struct oci_hook_list {
    struct oci_hook *items;
    size_t count;
};
struct oci_hooks {
    struct oci_hook_list prestart; /* deprecated, still run: before createRuntime */
    struct oci_hook_list create_runtime;
    struct oci_hook_list create_container;
    struct oci_hook_list start_container;
    struct oci_hook_list poststart;
    struct oci_hook_list poststop;
};

struct oci_root {
    char *path; /* NULL: no root object */
    bool readonly;
};

/* ---- Process ---- */

struct oci_user { /* absent means 0, as in every runtime, though config.md says required */
    uint32_t uid;
    uint32_t gid;
    struct oci_opt_u32 umask;
    uint32_t *additional_gids;
    size_t additional_gid_count;
};

struct oci_console_size { /* height 0: not given */
    uint32_t height;
    uint32_t width;
};

struct oci_rlimit {
    int type; /* RLIMIT_* as in <sys/resource.h> */
    uint64_t soft;
    uint64_t hard; /* UINT64_MAX is RLIM_INFINITY */
};

/* Bit n is capability n (names.h). Names that no kernel we know maps are kept in `unknown`: the spec wants a warning for them, no failure. */
struct oci_cap_set {
    uint64_t mask;
    char **unknown;
};
struct oci_capabilities {
    struct oci_cap_set bounding;
    struct oci_cap_set effective;
    struct oci_cap_set inheritable;
    struct oci_cap_set permitted;
    struct oci_cap_set ambient;
};

/* Values are the kernel's SCHED_* (sched.h). */
enum oci_sched_policy {
    OCI_SCHED_OTHER = 0,
    OCI_SCHED_FIFO = 1,
    OCI_SCHED_RR = 2,
    OCI_SCHED_BATCH = 3,
    OCI_SCHED_ISO = 4, /* never in a kernel release; the runtime refuses it */
    OCI_SCHED_IDLE = 5,
    OCI_SCHED_DEADLINE = 6,
};
struct oci_scheduler {
    enum oci_sched_policy policy;
    int32_t nice;
    int32_t priority;
    uint32_t flags;   /* the kernel's SCHED_FLAG_* bits (linux/sched.h) */
    uint64_t runtime; /* nanoseconds, like the next two */
    uint64_t deadline;
    uint64_t period;
};

/* Values are the kernel's IOPRIO_CLASS_* (linux/ioprio.h). */
enum oci_ioprio_class { OCI_IOPRIO_RT = 1, OCI_IOPRIO_BE = 2, OCI_IOPRIO_IDLE = 3 };
struct oci_io_priority {
    enum oci_ioprio_class class_;
    int32_t priority; /* 0 highest … 7 lowest */
};

struct oci_cpu_affinity { /* CPU lists ("0-3,7"); NULL: leave alone. For exec only. */
    char *initial;
    char *final;
};

struct oci_process {
    bool terminal;
    struct oci_console_size console_size; /* to be ignored unless terminal */
    struct oci_user user;
    char **args; /* may be NULL when created without a start */
    char **env;
    char *cwd;
    struct oci_capabilities *capabilities; /* NULL: not given */
    struct oci_rlimit *rlimits;
    size_t rlimit_count;
    bool no_new_privileges;
    char *apparmor_profile;
    char *selinux_label;
    struct oci_opt_i32 oom_score_adj; /* -1000 … 1000; not set: MUST NOT be changed */
    struct oci_scheduler *scheduler;
    struct oci_io_priority *io_priority;
    struct oci_cpu_affinity exec_cpu_affinity; /* execCPUAffinity */
};

/* ---- Linux ---- */

enum oci_namespace_type {
    OCI_NS_PID,
    OCI_NS_NETWORK,
    OCI_NS_MOUNT,
    OCI_NS_IPC,
    OCI_NS_UTS,
    OCI_NS_USER,
    OCI_NS_CGROUP,
    OCI_NS_TIME,
    OCI_NS_COUNT
};
struct oci_namespace {
    enum oci_namespace_type type;
    char *path; /* NULL: a new one; otherwise join this one */
};

struct oci_time_offset {
    char *clock; /* "monotonic" or "boottime" (validated) */
    int64_t secs;
    uint32_t nanosecs;
};

enum oci_device_type {
    OCI_DEVICE_ALL = 'a', /* device rules only, also when the type is absent */
    OCI_DEVICE_BLOCK = 'b',
    OCI_DEVICE_CHAR = 'c', /* "u" (unbuffered) decodes to this, too */
    OCI_DEVICE_FIFO = 'p', /* device nodes only */
};
struct oci_device {
    enum oci_device_type type;
    char *path;
    int64_t major; /* required unless FIFO (validated) */
    int64_t minor;
    /* fileMode: some callers put the file type in, too: use value & 07777. Not set: the runtime's default, 0666. */
    struct oci_opt_u32 file_mode;
    struct oci_opt_u32 uid;
    struct oci_opt_u32 gid;
};

struct oci_net_device {
    char *host_name; /* the map's key: the interface in the runtime's network namespace */
    char *name;      /* its name inside; NULL: the same */
};

struct oci_device_rule { /* linux.resources.devices[] */
    bool allow;
    enum oci_device_type type;
    struct oci_opt_i64 major; /* not set, or -1 as some callers write: every */
    struct oci_opt_i64 minor;
    char *access; /* of "rwm"; NULL: all three */
};

struct oci_memory { /* bytes; -1: unlimited */
    struct oci_opt_i64 limit;
    struct oci_opt_i64 reservation;
    struct oci_opt_i64 swap;       /* memory + swap */
    struct oci_opt_i64 kernel;     /* v1 only, deprecated */
    struct oci_opt_i64 kernel_tcp; /* kernelTCP: v1 only, deprecated */
    struct oci_opt_u64 swappiness; /* 0 … 100 */
    struct oci_opt_bool disable_oom_killer;
    struct oci_opt_bool use_hierarchy;
    struct oci_opt_bool check_before_update;
};

struct oci_cpu { /* times in microseconds */
    struct oci_opt_u64 shares;
    struct oci_opt_i64 quota; /* -1: none */
    struct oci_opt_u64 burst;
    struct oci_opt_u64 period;
    struct oci_opt_i64 realtime_runtime;
    struct oci_opt_u64 realtime_period;
    struct oci_opt_i64 idle; /* 0 or 1 */
    char *cpus;
    char *mems;
};

struct oci_weight_device {
    int64_t major;
    int64_t minor;
    struct oci_opt_u32 weight; /* 10 … 1000, or 0 to remove */
    struct oci_opt_u32 leaf_weight;
};
struct oci_throttle_device {
    int64_t major;
    int64_t minor;
    uint64_t rate; /* bytes or operations per second */
};
struct oci_throttle_list {
    struct oci_throttle_device *items;
    size_t count;
};
struct oci_block_io {
    struct oci_opt_u32 weight;
    struct oci_opt_u32 leaf_weight;
    struct oci_weight_device *weight_devices;
    size_t weight_device_count;
    struct oci_throttle_list throttle_read_bps;
    struct oci_throttle_list throttle_write_bps;
    struct oci_throttle_list throttle_read_iops;
    struct oci_throttle_list throttle_write_iops;
};

struct oci_hugepage_limit {
    char *page_size; /* "2MB", "1GB", "64KB" */
    uint64_t limit;  /* bytes */
};

struct oci_interface_priority {
    char *name;
    uint32_t priority;
};
struct oci_network_resources {
    struct oci_opt_u32 class_id; /* classID */
    struct oci_interface_priority *priorities;
    size_t priority_count;
};

struct oci_rdma {
    char *device; /* the map's key */
    struct oci_opt_u32 hca_handles;
    struct oci_opt_u32 hca_objects;
};

struct oci_resources {
    struct oci_device_rule *devices;
    size_t device_count;
    struct oci_memory memory;
    struct oci_cpu cpu;
    struct oci_opt_i64 pids_limit; /* pids.limit; -1 (and, as runc reads it, 0): unlimited */
    struct oci_block_io block_io;
    struct oci_hugepage_limit *hugepage_limits;
    size_t hugepage_limit_count;
    struct oci_network_resources network;
    struct oci_rdma *rdma;
    size_t rdma_count;
    struct oci_map unified; /* cgroup v2 file → value */
};

enum oci_propagation {                              /* linux.rootfsPropagation */
                       OCI_PROPAGATION_DEFAULT = 0, /* not given */
                       OCI_PROPAGATION_SHARED,
                       OCI_PROPAGATION_SLAVE,
                       OCI_PROPAGATION_PRIVATE,
                       OCI_PROPAGATION_UNBINDABLE,
                       OCI_PROPAGATION_RSHARED,
                       OCI_PROPAGATION_RSLAVE,
                       OCI_PROPAGATION_RPRIVATE,
                       OCI_PROPAGATION_RUNBINDABLE,
};

enum oci_seccomp_action {
    OCI_SECCOMP_KILL_THREAD, /* SCMP_ACT_KILL_THREAD and its old name SCMP_ACT_KILL */
    OCI_SECCOMP_KILL_PROCESS,
    OCI_SECCOMP_TRAP,
    OCI_SECCOMP_ERRNO,
    OCI_SECCOMP_TRACE,
    OCI_SECCOMP_ALLOW,
    OCI_SECCOMP_LOG,
    OCI_SECCOMP_NOTIFY,
};
enum oci_seccomp_op {
    OCI_SECCOMP_NE,
    OCI_SECCOMP_LT,
    OCI_SECCOMP_LE,
    OCI_SECCOMP_EQ,
    OCI_SECCOMP_GE,
    OCI_SECCOMP_GT,
    OCI_SECCOMP_MASKED_EQ,
};
enum oci_seccomp_arch { /* SCMP_ARCH_*; oci_seccomp.architectures has bit (1u << arch) */
                        OCI_SECCOMP_X86,
                        OCI_SECCOMP_X86_64,
                        OCI_SECCOMP_X32,
                        OCI_SECCOMP_ARM,
                        OCI_SECCOMP_AARCH64,
                        OCI_SECCOMP_MIPS,
                        OCI_SECCOMP_MIPS64,
                        OCI_SECCOMP_MIPS64N32,
                        OCI_SECCOMP_MIPSEL,
                        OCI_SECCOMP_MIPSEL64,
                        OCI_SECCOMP_MIPSEL64N32,
                        OCI_SECCOMP_PPC,
                        OCI_SECCOMP_PPC64,
                        OCI_SECCOMP_PPC64LE,
                        OCI_SECCOMP_S390,
                        OCI_SECCOMP_S390X,
                        OCI_SECCOMP_PARISC,
                        OCI_SECCOMP_PARISC64,
                        OCI_SECCOMP_RISCV64,
                        OCI_SECCOMP_LOONGARCH64,
                        OCI_SECCOMP_M68K,
                        OCI_SECCOMP_SH,
                        OCI_SECCOMP_SHEB,
                        OCI_SECCOMP_ARCH_COUNT
};
/* Bits of oci_seccomp.flags: the kernel's SECCOMP_FILTER_FLAG_* values (linux/seccomp.h). */
enum oci_seccomp_flag {
    OCI_SECCOMP_FLAG_TSYNC = 1, /* accepted by runc; always true of a single-threaded loader */
    OCI_SECCOMP_FLAG_LOG = 2,
    OCI_SECCOMP_FLAG_SPEC_ALLOW = 4,
    OCI_SECCOMP_FLAG_WAIT_KILLABLE_RECV = 32,
};
struct oci_seccomp_arg {
    uint32_t index; /* 0 … 5 */
    enum oci_seccomp_op op;
    uint64_t value;
    uint64_t value_two; /* the value for MASKED_EQ, whose mask is `value` */
};
struct oci_seccomp_rule { /* linux.seccomp.syscalls[] */
    char **names;
    enum oci_seccomp_action action;
    struct oci_opt_u32 errno_ret;
    struct oci_seccomp_arg *args;
    size_t arg_count;
};
struct oci_seccomp {
    enum oci_seccomp_action default_action;
    struct oci_opt_u32 default_errno_ret;
    uint32_t architectures; /* bit set; 0: the native one */
    uint32_t flags;         /* enum oci_seccomp_flag bits */
    bool
        has_flags; /* "flags" was there, also when empty: runc's default (SPEC_ALLOW) applies only when it was not */
    char *listener_path;
    char *listener_metadata;
    struct oci_seccomp_rule *rules;
    size_t rule_count;
};

struct oci_intel_rdt {
    char *clos_id; /* closID */
    char **schemata;
    char *l3_cache_schema;
    char *mem_bw_schema;
    bool enable_monitoring;
};

/* Values are the kernel's MPOL_* (linux/mempolicy.h). */
enum oci_mpol {
    OCI_MPOL_DEFAULT = 0,
    OCI_MPOL_PREFERRED = 1,
    OCI_MPOL_BIND = 2,
    OCI_MPOL_INTERLEAVE = 3,
    OCI_MPOL_LOCAL = 4,
    OCI_MPOL_PREFERRED_MANY = 5,
    OCI_MPOL_WEIGHTED_INTERLEAVE = 6,
};
struct oci_memory_policy {
    enum oci_mpol mode;
    uint32_t
        flags; /* the kernel's MPOL_F_* mode flags: NUMA_BALANCING 1<<13, RELATIVE_NODES 1<<14, STATIC_NODES 1<<15 */
    char *nodes; /* "0-3,7" */
};

struct oci_personality {
    uint32_t domain; /* PER_LINUX (0) or PER_LINUX32 (8) */
    char **
        flags; /* no flag is defined by the spec yet: a non-empty list is refused by oci_spec_validate */
};

/* `linux` itself is a macro in gnu17, hence the trailing underscore where the member is named. */
struct oci_linux {
    struct oci_namespace *namespaces;
    size_t namespace_count;
    struct oci_id_mappings uid_mappings;
    struct oci_id_mappings gid_mappings;
    struct oci_time_offset *time_offsets;
    size_t time_offset_count;
    struct oci_device *devices;
    size_t device_count;
    struct oci_net_device *net_devices;
    size_t net_device_count;
    char *cgroups_path;
    struct oci_resources resources;
    enum oci_propagation rootfs_propagation;
    struct oci_seccomp *seccomp; /* NULL: unconfined */
    struct oci_map sysctl;
    char **masked_paths;
    char **readonly_paths;
    char *mount_label;
    struct oci_intel_rdt *intel_rdt;
    struct oci_memory_policy *memory_policy;
    struct oci_personality *personality;
};

struct oci_spec {
    char *oci_version;           /* ociVersion */
    struct oci_process *process; /* NULL: the container can be created, not started */
    struct oci_root root;
    char *hostname;
    char *domainname;
    struct oci_mount *mounts;
    size_t mount_count;
    struct oci_hooks hooks;
    struct oci_map annotations;
    struct oci_linux linux_;
};

/* ---- Reading and writing ---- */

/*
 * Errors name the document and the path in it: "config.json: process.rlimits[2].soft: expected an unsigned integer, got string".
 * 0, or -EINVAL / -ERANGE / -ENOMEM with *ret untouched. The kind of a refusal is CL_KIND_INVALID, of a wrong ociVersion or a `vm`
 * object CL_KIND_UNSUPPORTED.
 */
int oci_spec_decode(const struct cl_json *json, struct oci_spec **ret,
                    struct cl_error *err);                              /* "config.json" */
int oci_spec_encode(const struct oci_spec *spec, struct cl_json **ret); /* 0 or -ENOMEM */
int oci_process_decode(const struct cl_json *json, struct oci_process **ret,
                       struct cl_error *err); /* "process.json" */
int oci_process_encode(const struct oci_process *process, struct cl_json **ret);
/* The resources document of `update --resources`: what linux.resources holds. *ret must be zeroed; done by oci_resources_done. */
int oci_resources_decode(const struct cl_json *json, struct oci_resources *ret,
                         struct cl_error *err);
int oci_resources_encode(const struct oci_resources *resources, struct cl_json **ret);
void oci_resources_done(struct oci_resources *resources);
/* A seccomp profile alone, in the runtime-spec's shape. ("seccomp") */
int oci_seccomp_decode(const struct cl_json *json, struct oci_seccomp **ret, struct cl_error *err);
int oci_seccomp_encode(const struct oci_seccomp *seccomp, struct cl_json **ret);

/* Parse the text (at most 16 MiB), decode, and validate in one go: what a runtime does with config.json or process.json. */
int oci_spec_read(const char *text, size_t size, struct oci_spec **ret, struct cl_error *err);
/* The same; the JSON document, which holds nothing of the spec, is the caller's to free (cl_json_unref) at a moment that nobody waits for. */
int oci_spec_read_keep(const char *text, size_t size, struct oci_spec **ret,
                       struct cl_json **ret_document, struct cl_error *err);
int oci_process_read(const char *text, size_t size, struct oci_process **ret, struct cl_error *err);

/*
 * The rules between properties that need no host: absolute paths, unique namespaces, mappings only with a user namespace, time offsets only
 * with a time namespace, hostname and sysctls only with the namespace that holds them, rlimits (soft ≤ hard, no duplicates), device numbers,
 * seccomp arguments, mount idmaps, scheduler, … The error names the JSON path. 0 or -EINVAL.
 */
int oci_spec_validate(const struct oci_spec *spec, struct cl_error *err);
int oci_process_validate(const struct oci_process *process, struct cl_error *err);
int oci_resources_validate(const struct oci_resources *resources, struct cl_error *err);
/* Do the device rules let a device be opened for 'r', 'w' or 'm'? The last rule that is about it decides: 1, 0, or -ENOENT: none is. */
int oci_device_rules_ask(const struct oci_resources *resources, bool is_block, unsigned major,
                         unsigned minor, char access);

void oci_spec_free(struct oci_spec *spec);
void oci_process_free(struct oci_process *process);
void oci_seccomp_free(struct oci_seccomp *seccomp);
CL_DEFINE_AUTO(struct oci_spec, oci_spec_free)
CL_DEFINE_AUTO(struct oci_process, oci_process_free)
CL_DEFINE_AUTO(struct oci_seccomp, oci_seccomp_free)
/* Deep copies: 0 or -ENOMEM. */
int oci_spec_copy(const struct oci_spec *spec, struct oci_spec **ret);
int oci_process_copy(const struct oci_process *process, struct oci_process **ret);

/* ---- Building in memory: all return 0 or -ENOMEM and copy their strings ---- */

struct oci_spec *
oci_spec_new(void); /* ociVersion and an empty process with cwd "/"; NULL: no memory */
/*
 * Cloche's default isolation (design.md): seven new namespaces (all but user), the mounts of /proc, /dev, /dev/pts, /dev/shm, /dev/mqueue,
 * /sys (read-only) and /sys/fs/cgroup (read-only), masked and read-only paths (the union of the peers'), 11 capabilities (bounding,
 * effective, permitted; inheritable and ambient empty), root "rootfs", cwd "/", args {"sh"}, PATH and no terminal, device rules: deny all
 * but the default devices. No hostname, no seccomp (runtime room), no limits.
 */
struct oci_spec *oci_spec_new_default(void);
/* Append the rules that allow the default devices (config-linux.md "Default Devices") and net/tun, as runc and crun do; those that are in force
   already are left out. 0 or -ENOMEM. */
int oci_default_devices_allow(struct oci_spec *spec);

/* `options` is a NULL-ended list of strings: oci_mount_add(spec, "/data", NULL, "/srv/data", "rbind", "ro", NULL). */
int oci_mount_add(struct oci_spec *spec, const char *destination, const char *type,
                  const char *source, ...) __attribute__((sentinel));
int oci_mount_add_strv(struct oci_spec *spec, const char *destination, const char *type,
                       const char *source, const char *const *options);
bool oci_mount_remove(
    struct oci_spec *spec,
    const char *destination); /* true when one was there; removes all of that destination */
struct oci_mount *oci_mount_find(const struct oci_spec *spec,
                                 const char *destination); /* the last one; NULL when none */
/* Adds or replaces; path NULL: a new namespace. */
int oci_namespace_add(struct oci_spec *spec, enum oci_namespace_type type, const char *path);
bool oci_namespace_remove(struct oci_spec *spec,
                          enum oci_namespace_type type); /* share the host's */
const struct oci_namespace *oci_namespace_find(const struct oci_spec *spec,
                                               enum oci_namespace_type type); /* NULL: the host's */
/* The first of linux.sysctl that is held by namespaces of this type; NULL: none. Borrowed. */
const char *oci_sysctl_of(const struct oci_spec *spec, enum oci_namespace_type type);
const char *oci_namespace_name(
    enum oci_namespace_type type); /* "pid", "network", "mount", … (the spec's words) */
/* "pid", "net" or "network", "mnt" or "mount", "ipc", "uts", "user", "cgroup", "time" → enum; -EINVAL otherwise. */
int oci_namespace_type(const char *name);
int oci_env_set(struct oci_process *process, const char *key_value); /* sets or replaces KEY */
int oci_args_set(struct oci_process *process, const char *const *args);
int oci_rlimit_set(struct oci_process *process, int type, uint64_t soft,
                   uint64_t hard); /* adds or replaces */
/* bounding = effective = permitted = mask; inheritable and ambient empty (CVE-2022-29162). */
int oci_capabilities_set(struct oci_process *process, uint64_t mask);
int oci_gid_add(struct oci_user *user, uint32_t gid); /* no duplicates */
int oci_id_mapping_add(struct oci_id_mappings *mappings, uint32_t container_id, uint32_t host_id,
                       uint32_t size);
int oci_time_offset_set(struct oci_spec *spec, const char *clock, int64_t secs, uint32_t nanosecs);
int oci_device_add(struct oci_spec *spec,
                   const struct oci_device *device); /* copies *device and its path */
int oci_device_rule_add(struct oci_spec *spec, const struct oci_device_rule *rule); /* copies */
int oci_hook_add(struct oci_hook_list *list, const struct oci_hook *hook);          /* copies */
int oci_string_set(char **member, const char *value); /* frees the old; NULL clears */

/* ---- State (runtime.md "State") ---- */

enum oci_status {
    OCI_CREATING,
    OCI_CREATED,
    OCI_RUNNING,
    OCI_STOPPED,
    OCI_PAUSED /* an extension of all runtimes */
};
struct oci_state {
    char *oci_version;
    char *id;
    enum oci_status status;
    int64_t pid; /* 0: absent */
    char *bundle;
    struct oci_map annotations;
};
int oci_state_decode(const struct cl_json *json, struct oci_state *ret,
                     struct cl_error *err); /* *ret zeroed before */
int oci_state_encode(const struct oci_state *state, struct cl_json **ret);
void oci_state_done(struct oci_state *state);
const char *oci_status_name(enum oci_status status);

/* What goes to a seccomp listener together with the descriptors (config-linux.md "The Container Process State"). */
struct oci_process_state {
    char *oci_version;
    char **fds; /* names; fds[i] is descriptor i of the SCM_RIGHTS message: {"seccompFd"} */
    int64_t pid;
    char *metadata;
    struct oci_state state;
};
int oci_process_state_decode(const struct cl_json *json, struct oci_process_state *ret,
                             struct cl_error *err);
int oci_process_state_encode(const struct oci_process_state *state, struct cl_json **ret);
void oci_process_state_done(struct oci_process_state *state);
