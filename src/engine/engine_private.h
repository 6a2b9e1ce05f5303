/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the engine share.
 */
#pragma once

#include "engine/engine.h"
#include "kernel/kernel.h"

struct engine {
    struct store *store;
    char *cgroup_parent;
};

#define KILL_TIMEOUT_MS 10000 /* how long the kernel may take to freeze or kill */

/* ---- spec.c: a configuration becomes a runtime-spec ---- */
struct engine_spec_input {
    const struct engine_config *config;
    const char *id;
    const char *directory; /* ROOT/containers/ID, where hosts, hostname and resolv.conf are */
    int root_mount; /* the container's root file system, to look users up and make the working directory */
    unsigned rows, columns;
};
int engine_spec_new(const struct engine_spec_input *input, struct oci_spec **ret,
                    struct cl_error *err);
/* The process part, also for exec: arguments, environment, user, capabilities. */
struct engine_process_input {
    const struct engine_config *config;
    const char *id;
    int root_fd;
    const char *const *arguments;
    const char *const *extra_env;
    const char *user, *working_dir;
    bool terminal, privileged;
    unsigned rows, columns;
};
int engine_process_new(const struct engine_process_input *input, struct oci_process **ret,
                       struct cl_error *err);
/* Default set, --cap-add, --cap-drop → mask. */
int engine_capabilities(const struct engine_config *config, uint64_t *ret_mask,
                        struct cl_error *err);
bool engine_is_host(const char *mode);
/* "record-denials" is among its security options. */
bool engine_wants_records(const struct engine_config *config);
/* hostname as the container sees it: the configured one or the short id. */
const char *engine_hostname(const struct engine_config *config, const char *id,
                            char buffer[static 16]);

/* SOURCE:DESTINATION[:OPTIONS] taken apart; strings owned. */
struct engine_bind {
    char *source, *destination, *options;
};
int engine_bind_parse(const char *text, struct engine_bind *ret, struct cl_error *err);
void engine_bind_done(struct engine_bind *bind);
/* NAME=SOFT[:HARD] */
int engine_ulimit_parse(const char *text, int *ret_type, uint64_t *ret_soft, uint64_t *ret_hard,
                        struct cl_error *err);
/* HOST[:CONTAINER[:rwm]] */
int engine_device_parse(const char *text, struct oci_device *ret, char ret_access[static 4],
                        struct cl_error *err);

/* ---- files.c: hosts, hostname, resolv.conf ---- */
int engine_files_write(int directory_fd, const struct engine_config *config, const char *id,
                       struct cl_error *err);

/* ---- start.c ---- */
/* Phase RUNNING is committed and lock_fd holds the row's byte: make it run. On failure the row is at rest again (or gone, if new and auto-removed). */
int engine_launch(struct engine *engine, struct store_container *row,
                  const struct engine_config *config, int lock_fd, const struct engine_start *how,
                  struct engine_started *ret, struct cl_error *err);

/* ---- remove.c ---- */
/* Delete what a container has outside the catalog: cgroup, ROOT/containers/ID, STATE/ID. */
int engine_delete_content(struct engine *engine, const struct store_container *row,
                          struct cl_error *err);
/* With the lock held: REMOVING, delete content, delete row. */
int engine_remove_locked(struct engine *engine, struct store_container *row, struct cl_error *err);

/* ---- recover.c ---- */
/* Take the byte of a row whose owner is gone, and settle it. -EAGAIN: it lives. */
int engine_settle(struct engine *engine, int64_t number, struct cl_error *err);
int engine_kill_leftovers(struct engine *engine, const struct store_container *row,
                          const struct wire_state *state);
/* Remove the cgroup and STATE/ID of one that does not run. */
void engine_tidy(struct engine *engine, const struct store_container *row);
int engine_cgroup_path(struct engine *engine, const struct store_container *row,
                       char path[static 256], struct cl_error *err);

/* ---- programs.c ---- */
/* O_PATH fd of one of our programs ("cloche-monitor"): beside the running one, else in libexecdir/cloche. */
int engine_program_open(const char *name, int *ret_fd, struct cl_error *err);
/* Full path of a data file of ours ("images/cloche-busybox.tar"): beside the program, else in datadir/cloche. */
int engine_data_open(const char *name, int *ret_fd, struct cl_error *err);
/* Run `cloche-transfer VERB` with the stage's directories and return its answer. */
int engine_transfer(const char *verb, int input_fd, const struct store_stage *stage,
                    const struct cl_json *request, struct cl_json **ret_answer,
                    struct cl_error *err);

/* ---- names.c ---- */
int engine_random_name(char *buffer, size_t size);
/* Docker's rule: [a-zA-Z0-9][a-zA-Z0-9_.-]+ */
int engine_name_check(const char *name, struct cl_error *err);

/* ---- control.c ---- */
/* A pause between two looks at a row whose owner should let go of it any moment: growing from 0.5 to 2 ms; -ETIMEDOUT after 10 s. Looked at rather than
   waited for in the kernel, because the byte may pass to somebody who starts the container again, and that would be a long wait. */
int engine_let_go_pause(unsigned round);

/* ---- view.c ---- */
int engine_view_of(struct engine *engine, struct store_container *take_row,
                   struct engine_view **ret, struct cl_error *err);
bool engine_view_is_running(const struct engine_view *view);
/* Auto-removed and at its end: its monitor is about to remove it. People are not shown it any more. */
bool engine_view_is_going(const struct engine_view *view);
/* As engine_container_find, yet one that is going is found, too. */
int engine_view_find(struct engine *engine, const char *reference, struct engine_view **ret,
                     struct cl_error *err);
/* Connect to the monitor: -ECONNREFUSED / -ENOENT when nobody listens. */
int engine_connect(struct engine *engine, const char *id, unsigned hello_flags, int *ret_client);
