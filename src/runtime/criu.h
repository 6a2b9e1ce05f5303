/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What checkpoint and restore share. Private to the room.
 *
 *   criu_message.c  the messages, as bytes
 *   criu.c          the program: found, started, asked; what becomes of its errors
 *   criu_options.c  what it is told in every request; what can't be done
 *   criu_mounts.c   which mounts of a container come from outside, and what stands for them
 *   criu_place.c    the mount namespace that CRIU restores from
 *   checkpoint.c    runtime_checkpoint
 *   restore.c       runtime_restore
 */
#pragma once

#include "runtime/criu_message.h"
#include "runtime/parent.h"

#include <limits.h>

/* ---- criu.c ---- */

/* The next word of a text, ended in place; NULL: there is none any more. */
char *criu_cut(char **at, const char *stop);

struct criu_start {
    const struct runtime_criu *options;
    const struct runtime_io *io; /* NULL: its streams are /dev/null */
    const int *fds;              /* are CRIU_FIRST_FD, … there */
    size_t fd_count;             /* at most CRIU_FDS */
    const struct cgroup *group;  /* where it runs, and what it makes; NULL or empty: with us */
    /* In the new process, before it becomes CRIU; NULL: nothing. */
    int (*prepare)(void *context, struct cl_error *err);
    void *context;
};
/* What is where in there, behind the streams. */
#define CRIU_SOCKET_FD 3
#define CRIU_IMAGES_FD 4
#define CRIU_WORK_FD   5
#define CRIU_FIRST_FD  6 /* of `fds` */
#define CRIU_FDS       8

/* The directories; CRIU has its own descriptors of them. */
struct criu_places {
    int images, work;
    const char *log_dir; /* borrowed: of `log` */
    const char *log;     /* "dump.log" */
};
#define CRIU_PLACES_NONE                                                                           \
    {                                                                                              \
        .images = -EBADF, .work = -EBADF                                                           \
    }
/* `log` NULL: CRIU's own opening of them. */
int criu_places_open(struct criu_places *places, const struct runtime_criu *options,
                     const char *log, bool make_images, struct cl_error *err);
void criu_places_done(struct criu_places *places);

struct criu {
    pid_t pid;
    int pidfd, socket;
    const struct criu_places *places; /* NULL: no log yet */
};
#define CRIU_NONE                                                                                  \
    {                                                                                              \
        .pidfd = -EBADF, .socket = -EBADF                                                          \
    }
/* Started, and asked for its version: -EOPNOTSUPP (UNSUPPORTED) where it is missing or too old. */
int criu_open(const struct criu_start *start, struct criu *ret, struct cl_error *err);
/* Its end is waited for; a request that is under way fails in there, and is undone by it. */
void criu_close(struct criu *criu);

/* Negative with err: what CRIU does is given up. `fd` is the callee's to close, -EBADF: none came. */
typedef int criu_notify(void *context, const struct criu_answer *notice, int fd,
                        struct cl_error *err);
/* Send a request (options: criu_opts, or NULL) and answer what CRIU asks until it is done. */
int criu_ask(struct criu *criu, enum criu_type type, const struct cl_buf *options,
             criu_notify *notify, void *context, struct criu_answer *ret, struct cl_error *err);
/* Of what is asked for, is something missing? Names the flag. */
int criu_check_features(struct criu *criu, const struct runtime_criu *options,
                        struct cl_error *err);
/* ---- criu_options.c ---- */

/* What dump and restore are told alike. */
int criu_put_options(struct cl_buf *out, const struct runtime_criu *options,
                     const struct criu_places *places, const struct oci_spec *spec,
                     struct cl_error *err);
/* What can't be in a checkpoint, by the spec. */
int criu_check_spec(const struct oci_spec *spec, struct cl_error *err);
/* As images name a namespace that is not in them: "extRootNetNS"; NULL: not done so. */
const char *criu_external_ns(enum oci_namespace_type type);

/* ---- criu_mounts.c ---- */

/* What images call the mounts whose source is not in them. */
#define CRIU_NULL   "cloche:null"    /* hides a file */
#define CRIU_EMPTY  "cloche:empty"   /* hides a directory */
#define CRIU_CGROUP "cloche:cgroup:" /* and a hierarchy's directory in the container */
#define CRIU_DEVICE "cloche:device:" /* and its path, on the host and in the container */
/* A bind is called by its destination in the spec, one that came along with it by that and what follows. */

/* The mounts of process `pid_fd` (/proc/PID) that are not of its own making, as CRIU_EXTERNAL. */
int criu_put_dumped_mounts(struct cl_buf *out, const struct oci_spec *spec, int pid_fd,
                           struct cl_error *err);
/* What stands for them now. `mask`: host path of a directory with "null" and "empty". */
int criu_put_restored_mounts(struct cl_buf *out, const struct runtime_plan *plan, const char *mask,
                             struct cl_error *err);

/* ---- criu_place.c: in the process that becomes CRIU ---- */

struct criu_place {
    const struct runtime_plan *plan;
    char root[PATH_MAX]; /* where the root file system is attached; empty directories of ours */
    char mask[PATH_MAX];
};
/* Makes the two directories in plan->options->state_dir. */
int criu_place_make(struct criu_place *place, const struct runtime_plan *plan,
                    struct cl_error *err);
void criu_place_remove(const struct criu_place *place);
/* A mount namespace of its own, with the root file system and what hides paths in it, and every mount point that the images take for granted. */
int criu_place_enter(void *data, struct cl_error *err); /* of a struct criu_place */
