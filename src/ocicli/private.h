/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room ocicli only.
 *
 *   main.c       global options, the verbs, what becomes of an error
 *   log.c        --log
 *   parse.c      option tables → options
 *   help.c       option tables → help, manual page
 *   container.c  the directory of one container, its control group, its end
 *   status.c     what it is doing now
 *   maker.c      who is making it
 *   plan.c       what create and run begin with; plan
 *   create.c     create, run
 *   start.c      start
 *   checkpoint.c checkpoint
 *   restore.c    restore
 *   exec.c       exec
 *   hooks.c      poststart and poststop
 *   control.c    kill, pause, resume
 *   delete.c     delete
 *   delete_damaged.c  delete --force without a readable state
 *   update.c     update
 *   mounts.c     mounts add, mounts remove
 *   events.c     events
 *   list.c       state, list
 *   ps.c         ps
 *   features.c   spec, features
 *   relay.c      being the foreground parent of a process; consoles
 */
#pragma once

#include "runtime/runtime.h"

/* ---- options ---- */

enum option_type {
    OPTION_FLAG,    /* bool */
    OPTION_STRING,  /* const char *, borrowed from argv */
    OPTION_LIST,    /* const char **: NULL-terminated; the vector is owned by the parser */
    OPTION_REFUSED, /* known to callers, not possible here: `help` holds the reason */
};

struct option_row {
    char name[24];
    char argument[24]; /* placeholder; "" where it takes no value */
    char help[184];
    char letter, other_letter; /* or 0 */
    uint8_t type;              /* enum option_type */
    uint32_t offset;
};
#define OPTION(long_name, short_letter, kind, placeholder, text, options_type, member)             \
    {                                                                                              \
        .name = long_name, .letter = (short_letter), .type = (kind), .argument = placeholder,      \
        .help = text, .offset = offsetof(options_type, member)                                     \
    }
#define OPTION_TWO(long_name, short_letter, other, text, options_type, member)                     \
    {                                                                                              \
        .name = long_name, .letter = (short_letter), .other_letter = (other), .type = OPTION_FLAG, \
        .help = text, .offset = offsetof(options_type, member)                                     \
    }
#define REFUSED(long_name, placeholder, reason)                                                    \
    {                                                                                              \
        .name = long_name, .type = OPTION_REFUSED, .argument = placeholder, .help = reason         \
    }

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_DEBUG };
enum log_backend { LOG_TO_FILE, LOG_TO_SYSLOG, LOG_TO_JOURNAL };

/* What all verbs know. Everything is borrowed from the command line. */
struct ocicli {
    const char *root;
    enum log_backend log_backend;
    const char *log_path; /* or the name of who logs; NULL: none */
    bool log_json;
    enum log_level log_most;
    const char *criu; /* the program; NULL: looked for in PATH */
    bool no_cgroup;   /* --cgroup-manager disabled */
    bool use_systemd; /* --systemd-cgroup, --cgroup-manager systemd */
    enum runtime_rootless rootless;
    char default_root[256];
};

struct verb {
    const char *name;
    const char *synopsis;
    const char *summary;
    const struct option_row *options;
    size_t option_count;
    size_t options_size;              /* of the struct that `run` gets, zeroed and filled */
    int min_arguments, max_arguments; /* -1: any */
    bool options_end_at_argument;
    int failure; /* exit code of a failure; 0: 1 */
    /* An exit code, or negative with err set. */
    int (*run)(const struct ocicli *cli, const void *options, char **arguments,
               struct cl_error *err);
};
#define VERB_OPTIONS(table, type)                                                                  \
    .options = (table), .option_count = CL_COUNT(table), .options_size = sizeof(type)

extern const struct verb verb_create, verb_run, verb_start, verb_exec, verb_kill, verb_pause,
    verb_resume, verb_delete, verb_update, verb_events, verb_state, verb_list, verb_ps, verb_spec,
    verb_features, verb_plan, verb_checkpoint, verb_restore, verb_mounts;

/* *ret_arguments: the operands, moved to the front of argv: which ends with NULL, and whose order is lost. */
int parse_options(const struct verb *verb, int argc, char **argv, void *options,
                  char ***ret_arguments, struct cl_error *err);
void parse_done(const struct verb *verb, void *options);

/* ---- help.c: to standard output ---- */

void help_print(const struct verb *whole, const struct verb *const *verbs, size_t count);
void help_print_verb(const struct verb *verb);
void help_print_man(const struct verb *whole, const struct verb *const *verbs, size_t count);

/* ---- log.c ---- */

/* --log; NULL or "": none. */
void log_target(struct ocicli *cli, const char *text);
/* A file that can't be written is an error before anything is done, and one that is not there is made: whoever asked for it will read it. */
int log_check(struct ocicli *cli, struct cl_error *err);
/* To --log, and where there is none (or for an error) to standard error. */
void log_write(const struct ocicli *cli, enum log_level level, const char *text);
void log_warnings(const struct ocicli *cli, const char *const *warnings); /* NULL: none */

/* ---- main.c ---- */

/* Write a JSON value and a line feed to standard output, or report why not. */
int print_json(struct cl_json *take_value, struct cl_error *err);
int flush_output(struct cl_error *err);

/* ---- container.c ---- */

/* One container: its directory ROOT/ID, and what state.json in it says. */
struct container {
    char *id;
    int dir; /* ROOT/ID; the lock is on it */
    bool has_lock;
    char *bundle, *rootfs;
    char *cgroup_path;          /* relative to each hierarchy, "" : none */
    struct runtime_scope scope; /* unit "": none */
    char *boot_id;
    int64_t created;
    pid_t pid;   /* 0: not there yet */
    pid_t maker; /* until then: who claims to be making it; 0: not known */
    uint64_t start_ticks;
    uid_t owner;
    bool owns_pid_ns;                 /* with its init everything in it dies */
    bool has_poststart, has_poststop; /* hooks, to be read from its spec */
    bool starts_at_once;              /* it never had a start socket, nor will have */
    struct oci_map annotations;
    struct runtime_rdt rdt; /* what was made for linux.intelRdt, to be removed with it */
};
void container_done(struct container *container);
static inline void container_done_auto(struct container *container)
{
    container_done(container);
}
/* A file beside state.json, of who was paused before its start: what `start` asks of it would wait in the freezer for ever. */
#define CONTAINER_HELD "held"
#define auto_container __attribute__((cleanup(container_done_auto))) struct container
#define CONTAINER_NONE                                                                             \
    {                                                                                              \
        .dir = -EBADF                                                                              \
    }

/* Make ROOT/ID and lock it: CONFLICT where it exists. What a killed `create` left is taken over. */
int container_claim(const struct ocicli *cli, const char *id, struct container *ret,
                    struct cl_error *err);
/* What container_claim would say now; for whoever found something else in use that the container of that id has. */
int container_check_unused(const struct ocicli *cli, const char *id, struct cl_error *err);
/* NOT_FOUND where there is none. With the lock nobody else changes it until container_unlock, or our end. */
int container_open(const struct ocicli *cli, const char *id, bool lock, struct container *ret,
                   struct cl_error *err);
/* Locked, and for its removal: who is at work with it, and has the lock, is not waited for longer than its init takes to die. */
int container_open_to_end(const struct ocicli *cli, const char *id, struct container *ret,
                          struct cl_error *err);
/* Locked, whatever state.json says: only `id` and `dir` are there. */
int container_open_unread(const struct ocicli *cli, const char *id, struct container *ret,
                          struct cl_error *err);
/* Said aloud, since the container's init holds a copy of the descriptor until it executes. */
void container_unlock(struct container *container);
int container_status(const struct container *container, enum oci_status *ret, struct cl_error *err);

/* For who asks about many: what is looked through is opened once; `proc` and `host` when they are needed, unless they were lent. */
struct lookout {
    int root; /* the directory of all; of lookout_open */
    int proc;
    const struct cgroup_host *host; /* where freezers are; NULL: not looked for yet */
    struct cgroup_host own_host;
    bool has_own_host;
    bool is_lent;           /* proc and host are the caller's */
    bool wants_annotations; /* of container_look */
};
#define LOOKOUT_NONE                                                                               \
    {                                                                                              \
        .root = -EBADF, .proc = -EBADF                                                             \
    }
/* With the root open, for container_look. -ENOENT: there is no container at all. */
int lookout_open(const struct ocicli *cli, struct lookout *ret, struct cl_error *err);
void lookout_done(struct lookout *lookout);
#define auto_lookout __attribute__((cleanup(lookout_done))) struct lookout
/* Where a file of a container's is below it. The id is a valid one, so of 255 bytes at most; the name a short one. */
void container_path(char path[static 300], const char *id, const char *name);
/* As container_open, only to be looked at: its directory is not opened (dir: -EBADF). */
int container_look(const struct lookout *lookout, const char *id, struct container *ret,
                   struct cl_error *err);
/* Whether it is there, for who needs no more. */
bool container_is_there(const struct lookout *lookout, const char *id);
int container_status_from(const struct container *container, struct lookout *lookout,
                          enum oci_status *ret, struct cl_error *err);
/* The spec it was created from. */
int container_read_spec(const struct container *container, struct oci_spec **ret,
                        struct cl_error *err);
/* pidfd of its init, checked to be that very process. -ESRCH: it has ended. */
int container_pidfd(const struct container *container, struct cl_error *err);
/* Until its init has ended, or so long. */
void container_wait(const struct container *container, int timeout_ms);
/* The socket on which an init that was created and not started waits; for `start`. -ECONNREFUSED or -ENOENT: none does. */
int container_listen(const struct container *container, struct cl_error *err);
int container_connect(int dir);
/* Remove the directory; the last step of a deletion. */
int container_forget(const struct ocicli *cli, const struct container *container,
                     struct cl_error *err);
/* All ids below ROOT, sorted. */
int container_list(const struct ocicli *cli, char ***ret, struct cl_error *err);
/* Those that the extended regular expression matches: --regex. */
int container_match(const struct ocicli *cli, const char *pattern, char ***ret,
                    struct cl_error *err);
/* End what is left of it, remove its cgroup, run its poststop hooks and remove its directory. */
int container_destroy(const struct ocicli *cli, const struct container *container,
                      struct cl_error *err);

/* Its cgroup, opened; `host` must stay where it is until group_done. */
struct group {
    struct cgroup_host host;
    struct cgroup cgroup;
    bool is_open;
};
/* -ENOENT with err set: it has none. */
int group_open(const char *path, struct group *ret, struct cl_error *err);
void group_done(struct group *group);

/* ---- record.c ---- */

int container_save(const struct container *container, struct cl_error *err);
/* Its names below ROOT/ID: the one that is read, and the one that is to take its place. */
#define CONTAINER_STATE      "state.json"
#define CONTAINER_NEXT_STATE "state.next"
int container_save_as(const struct container *container, const char *name, struct cl_error *err);
/* What a document in place of state.json says; the result tells whether that is all of it. */
int container_decode(const struct cl_json *json, struct container *container);
/* 1: the text looks as container_save writes it, and was read; 0: it has to be parsed, and nothing was done; or -ENOMEM. */
int container_scan(const char *text, size_t size, bool wants_annotations,
                   struct container *container);
/* From state.json, at its beginning. Into one whose id is there, and no more than id and dir. */
int container_load(struct container *container, int fd, bool wants_annotations,
                   struct cl_error *err);

/* ---- maker.c ---- */

/* A pidfd of who is making it, proven by its lock on `dir`, the container's directory. -ESRCH: nobody, or nobody to be seen. */
int container_maker(const struct container *container, int dir);
/* Until it has ended, having undone what it made, or was killed. */
void container_end_maker(int pidfd);

/* ---- control.c ---- */

bool has_pid(const pid_t *pids, size_t count, pid_t pid);
/* `action` on each container whose id matches. */
int do_matching(const struct ocicli *cli, const char *pattern,
                int (*action)(const struct ocicli *cli, const char *id, const void *data,
                              struct cl_error *err),
                const void *data, struct cl_error *err);

/* ---- mounts.c ---- */

/* CONFLICT where something was added: it would be lost. */
int check_no_added_mounts(const struct container *container, const char *verb,
                          struct cl_error *err);

/* ---- delete_damaged.c ---- */

int delete_damaged(const struct ocicli *cli, const char *id, struct cl_error *err);

/* ---- list.c ---- */

/* --format: table or json. */
int list_check_format(const char *format, bool *ret_json, struct cl_error *err);
/* With these columns, NULL-terminated. */
int list_table_new(const char *const *headings, struct cl_table **ret);

/* ---- plan.c ---- */

/* The default devices are there for every container (config-linux.md), whatever the caller denies, so their rules come last: as runc does it. */
int allow_default_devices(struct oci_spec *spec, struct cl_error *err);

/* ---- checkpoint.c ---- */

/* Without --image-path: as with runc and crun. */
#define CHECKPOINT_IMAGES "checkpoint"

/* What checkpoint and restore have in common, as members of options that begin with this. */
struct criu_flags {
    const char *image_path, *work_path, *cgroups_mode, *network_lock;
    const char **empty_ns;
    bool tcp_established, tcp_close, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages;
};
#define CRIU_OPTION(name, kind, placeholder, text, member)                                         \
    OPTION(name, 0, kind, placeholder, text, struct criu_flags, member)
#define CRIU_ROWS                                                                                  \
    CRIU_OPTION("image-path", OPTION_STRING, "DIR",                                                \
                "Directory of the image files (default \"checkpoint\")", image_path),              \
        CRIU_OPTION("work-path", OPTION_STRING, "DIR",                                             \
                    "Directory of logs and statistics (default: that of the images)", work_path),  \
        CRIU_OPTION("tcp-established", OPTION_FLAG, "", "Keep TCP connections that are open",      \
                    tcp_established),                                                              \
        CRIU_OPTION("tcp-close", OPTION_FLAG, "",                                                  \
                    "Have TCP connections that were open come back closed", tcp_close),            \
        CRIU_OPTION("ext-unix-sk", OPTION_FLAG, "",                                                \
                    "Allow unix sockets that are connected with processes outside", ext_unix_sk),  \
        CRIU_OPTION("shell-job", OPTION_FLAG, "",                                                  \
                    "Allow a terminal and session that are not the container's", shell_job),       \
        CRIU_OPTION("file-locks", OPTION_FLAG, "", "Keep file locks", file_locks),                 \
        CRIU_OPTION("auto-dedup", OPTION_FLAG, "",                                                 \
                    "Punch pages out of the images that are not needed any more", auto_dedup),     \
        CRIU_OPTION("lazy-pages", OPTION_FLAG, "",                                                 \
                    "Bring memory pages over when they are first used", lazy_pages),               \
        CRIU_OPTION("manage-cgroups-mode", OPTION_STRING, "MODE",                                  \
                    "What of control groups is kept: soft (default), full, strict, ignore",        \
                    cgroups_mode),                                                                 \
        CRIU_OPTION("network-lock", OPTION_STRING, "METHOD",                                       \
                    "How connections are held meanwhile: iptables, nftables, skip", network_lock), \
        CRIU_OPTION("empty-ns", OPTION_LIST, "NAMESPACE",                                          \
                    "Leave the content of a namespace out: network, which is always so", empty_ns)
int criu_take_flags(const struct ocicli *cli, const struct criu_flags *flags,
                    struct runtime_criu *ret, struct cl_error *err);
/* criu is root's, of the host. */
int criu_check_caller(const char *verb, struct cl_error *err);

/* ---- hooks.c ---- */

void hooks_record(struct container *container, const struct oci_spec *spec);
int hooks_poststart(const struct container *container, struct cl_error *err);
/* A failure is a warning. When everything of the container but its directory is gone: killed here, the next `delete` comes by again. */
void hooks_poststop(const struct ocicli *cli, const struct container *container);

/* ---- relay.c ---- */

/* Every descriptor from 3 + preserve on is closed; those below must be open. Before anything of ours is opened. */
int take_descriptors(const char *preserve, unsigned *ret, struct cl_error *err);
/* Ours, while we are the foreground parent of a process: signals wait for relay_run. */
int relay_prepare(struct cl_error *err);
/* Forward signals, input, output and window sizes until the process ends: its exit code. `console` is borrowed, negative: none. */
int relay_run(int pidfd, int console, struct cl_error *err);
/* Send the pty's master to whoever listens at `path`. */
int send_console(const char *path, int console, struct cl_error *err);
/* --trace FILE, NULL: none. The descriptor is the caller's, 0 without; after take_descriptors, so that it is none of those that are handed on. */
int open_trace(const char *path, struct timespec *ret_since, struct cl_error *err);
int write_pid_file(const char *path, pid_t pid, struct cl_error *err);
/* Which streams a process gets, and whether console socket, terminal and detaching go together. */
int choose_io(bool terminal, bool is_detached, const char *console_socket, struct runtime_io *ret,
              struct cl_error *err);
