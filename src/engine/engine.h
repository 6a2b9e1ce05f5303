/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room engine: the use-cases of containers and images, and nothing else. It prints nothing, asks nothing, and knows no flags. Uses store, runtime and
 * the rooms below them; starts cloche-monitor and cloche-transfer (found beside the running program, or in libexecdir/cloche).
 *
 * Container references are ids, unique id prefixes or names; image references are what people type. Every call may be killed at any moment: the
 * next engine_recover repairs. Not for threads.
 */
#pragma once

#include "base/base.h"
#include "engine/config.h"
#include "runtime/runtime.h"
#include "store/store.h"

struct engine;

struct engine_options {
    const char *root;          /* /var/lib/cloche; persists */
    const char *state;         /* /run/cloche; gone after a boot */
    const char *cgroup_parent; /* "cloche" */
};
int engine_open(const struct engine_options *options, struct engine **ret, struct cl_error *err);
void engine_close(struct engine *engine);
/* The same when nobody waits: folds the catalog's log in when it has grown. */
void engine_close_idle(struct engine *engine);
/* Is it time for that? Asked by commands that people wait for: they start `cloche tidy` in the background. */
bool engine_is_due(const struct engine *engine);
CL_DEFINE_AUTO(struct engine, engine_close)
struct store *engine_store(struct engine *engine);

/* Finish or undo what dead processes left half done, and merge the records of containers that have ended. Commands that show or change existing things call it first;
   `run` and `exec` after the user's program is under way, and before only when a name is in the way. */
int engine_recover(struct engine *engine, struct cl_error *err);

/* ---- images ---- */
struct engine_import {
    int tar_fd;                 /* borrowed */
    const char *reference;      /* or NULL */
    const char *message;        /* or NULL */
    const char *platform;       /* or NULL: the host's */
    const char *const *changes; /* Dockerfile instructions, as docker import --change */
};
int engine_image_import(struct engine *engine, const struct engine_import *request,
                        char ret_id[static CL_DIGEST_MAX], struct cl_error *err);
/* An OCI layout or docker-archive tar; *ret_names: what was loaded. */
int engine_image_load(struct engine *engine, int tar_fd, char ***ret_names, struct cl_error *err);
/* store_image_find, and where the reference is the embedded default image and it is not there yet, load it first. */
int engine_image_find(struct engine *engine, const char *reference, struct store_image **ret,
                      struct cl_error *err);
int engine_image_inspect(struct engine *engine, const char *reference, struct cl_json **ret,
                         struct cl_error *err);
/* Lines as `docker rmi` prints: "Untagged: …", "Deleted: sha256:…". */
int engine_image_remove(struct engine *engine, const char *reference, bool force, char ***ret_lines,
                        struct cl_error *err);
int engine_image_tag(struct engine *engine, const char *source, const char *target,
                     struct cl_error *err);

/* ---- containers ---- */
/* `config` complete with the image's defaults by engine_config_merge. name NULL: a random adjective_name. */
int engine_container_create(struct engine *engine, struct engine_config *config, const char *name,
                            char ret_id[static 65], struct cl_error *err);

struct engine_start {
    bool attach;            /* hand back a client socket that is attached from the first byte */
    unsigned attach_flags;  /* WIRE_WANT_* */
    unsigned rows, columns; /* of the caller's terminal, or 0 */
    int trace_fd;           /* borrowed: runtime_options.trace_fd; 0: nobody watches */
    bool trace_waits;       /* the watcher can stop the start: -ECANCELED, and nothing is left */
};
/* What a start gives: the client side of the attach protocol (wire/attach.h), owned, or -EBADF. */
struct engine_started {
    int client;
    pid_t pid;
    char id[65];
};
int engine_container_start(struct engine *engine, const char *reference,
                           const struct engine_start *how, struct engine_started *ret,
                           struct cl_error *err);
/* create + start in one claim. On an error after the claim the container stays as "created" with its error (Docker's way), unless auto_remove. */
int engine_container_run(struct engine *engine, struct engine_config *config, const char *name,
                         const struct engine_start *how, struct engine_started *ret,
                         struct cl_error *err);

/* What people see of a container: catalog row and live state joined. */
struct engine_view {
    struct store_container *row;
    struct wire_state state; /* live: RUNNING or PAUSED only when the monitor holds its lock */
    struct engine_config *config;
};
void engine_view_free(struct engine_view *view);
CL_DEFINE_AUTO(struct engine_view, engine_view_free)
int engine_container_find(struct engine *engine, const char *reference, struct engine_view **ret,
                          struct cl_error *err);
int engine_container_list(struct engine *engine, bool all, struct engine_view ***ret,
                          size_t *ret_count, struct cl_error *err);
void engine_view_list_free(struct engine_view **list, size_t count);
/* Docker's inspect document (API 1.4x field names and order). */
int engine_container_inspect(struct engine *engine, const char *reference, struct cl_json **ret,
                             struct cl_error *err);
/* "Up 3 minutes", "Exited (0) 5 seconds ago", "Created". */
void engine_status_text(const struct engine_view *view, char buffer[static 80]);

/* A client connection to a running container (attach protocol, HELLO sent with flags). CONFLICT when it is not running. */
int engine_container_attach(struct engine *engine, const char *reference, unsigned flags,
                            int *ret_client, struct cl_error *err);
/* Wait for the end; returns at once for one that is not running. */
int engine_container_wait(struct engine *engine, const char *reference, int *ret_code,
                          struct cl_error *err);
int engine_container_kill(struct engine *engine, const char *reference, int signo,
                          struct cl_error *err);
/* Its stop signal, then SIGKILL after timeout_s (negative: never). Not running: fine. timeout INT_MIN: the container's own, or 10. */
int engine_container_stop(struct engine *engine, const char *reference, int timeout_s,
                          struct cl_error *err);
/* The same with a signal of the caller's choice instead of its own. */
int engine_container_stop_with(struct engine *engine, const char *reference, int signo,
                               int timeout_s, struct cl_error *err);
/* Wait until the monitor of a container that has ended is gone, and merge its record: afterwards it can be started again. */
int engine_container_settle(struct engine *engine, const char *reference, struct cl_error *err);
/* Running: CONFLICT unless force (SIGKILL first). The name is free and the container invisible when this returns; content is deleted on the way. */
int engine_container_remove(struct engine *engine, const char *reference, bool force,
                            struct cl_error *err);
int engine_container_rename(struct engine *engine, const char *reference, const char *name,
                            struct cl_error *err);
int engine_container_pause(struct engine *engine, const char *reference, bool pause,
                           struct cl_error *err);
/* The end of an auto-removed container, called by the monitor through `cloche reap ID`. */
int engine_container_reap(struct engine *engine, const char *id, struct cl_error *err);

/* Logs: json-file lines decoded and handed to `line` in order; follow goes on until the container ends. */
struct engine_logs {
    bool follow, timestamps, want_stdout, want_stderr;
    int64_t tail;               /* lines from the end; negative: all */
    int64_t since_ns, until_ns; /* 0: open */
    int (*line)(void *context, bool is_stderr, int64_t time_ns, const char *text,
                size_t size); /* non-zero stops */
    void *context;
};
int engine_container_logs(struct engine *engine, const char *reference,
                          const struct engine_logs *request, struct cl_error *err);

/* exec: the caller becomes the parent of the new process and relays its streams itself. */
struct engine_exec {
    const char *const *arguments;
    const char *const *env;  /* added to the container's */
    const char *working_dir; /* NULL: the container's */
    const char *user;        /* NULL: the container's */
    bool terminal, privileged;
    unsigned rows, columns;
    int in, out, err; /* without terminal */
    bool detach;      /* do not kill it with us */
};
int engine_container_exec(struct engine *engine, const char *reference,
                          const struct engine_exec *request, struct runtime_process *ret,
                          struct cl_error *err);

/* Processes of a container with host and inside pids, for `cloche top`. */
int engine_container_pids(struct engine *engine, const char *reference, pid_t **ret_pids,
                          size_t *ret_count, struct cl_error *err);

/* ---- what `cloche why` asks ---- */
/* Cloche's own profile is its filter (else: none). */
bool engine_wants_default_seccomp(const struct engine_config *config);
/* Do its device rules let it open the device for 'r', 'w' or 'm'? */
int engine_device_allowed(const struct engine_config *config, bool is_block, unsigned major,
                          unsigned minor, char access);
/* The audit session of a container that was run with --record-denials; 0: none. */
uint32_t engine_container_session(struct engine *engine, const char *id);

/* `cloche info` in Docker's field names. */
int engine_info(struct engine *engine, struct cl_json **ret, struct cl_error *err);
