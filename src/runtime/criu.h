/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What checkpoint and restore share. Private to the room.
 *
 *   criu_message.c  the messages, as bytes
 *   criu.c          the program: found, started, asked; what becomes of its errors
 *   criu_options.c  what it is told in every request; what can't be done
 *   criu_mounts.c   which mounts of a container come from outside, and what stands for them
 *   criu_place.c    the mount namespace that CRIU restores from
 *   criu_sharing.c  slaves of the host's mounts, in the images
 *   criu_images.c   the images, for who restores in a user namespace
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
    const char *images;          /* of CRIU's own mount namespace; NULL: options->images */
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
/* `log` NULL: CRIU's own opening of them. Else nothing is there that CRIU would follow or wait for. */
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
/* Root of a user namespace that could take mounts away. */
bool criu_is_mighty(const struct oci_spec *spec);
/* Of such a one: what recursive binds bring along hides something. */
struct criu_sources;
int criu_check_sources(const struct oci_spec *spec, const struct criu_sources *sources,
                       struct cl_error *err);
/* As images name a namespace that is not in them: "extRootNetNS"; NULL: not done so. */
const char *criu_external_ns(enum oci_namespace_type type);

/* ---- criu_mounts.c ---- */

/* What images call the mounts whose source is not in them. */
#define CRIU_NULL   "cloche:null"    /* hides a file */
#define CRIU_EMPTY  "cloche:empty"   /* hides a directory */
#define CRIU_CGROUP "cloche:cgroup:" /* and a hierarchy's directory in the container */
#define CRIU_DEVICE "cloche:device:" /* and its path, on the host and in the container */
#define CRIU_DEV                                                                                   \
    "cloche:dev" /* /dev in a user namespace; its content: CRIU_DEV_DIR of the images */
#define CRIU_DEV_DIR "dev"
/* A bind is called by its destination in the spec, one that came along with it by that and what follows. */

/* The mounts of process `pid_fd` (/proc/PID) that are not of its own making, as CRIU_EXTERNAL. *ret_has_dev: CRIU_DEV is among them. */
int criu_put_dumped_mounts(struct cl_buf *out, const struct oci_spec *spec, int pid_fd,
                           bool *ret_has_dev, struct cl_error *err);

bool criu_is_bind(const struct oci_mount *mount);
/* Below `top`, or it: the rest of the path ("" or "/…"); NULL: elsewhere. */
const char *criu_rest_below(const char *path, const char *top);

/* What binds are made of by now: those of the spec, and what recursive ones bring along. */
struct criu_source {
    char *name, *path;              /* owned: in the images; on the host */
    const struct plan_mount *mount; /* that it belongs to */
};
struct criu_sources {
    struct criu_source *items;
    size_t count;
};
int criu_find_sources(const struct runtime_plan *plan, struct criu_sources *ret,
                      struct cl_error *err); /* also after a failure: to be done */
void criu_sources_done(struct criu_sources *sources);

/* ---- criu_place.c: in the process that becomes CRIU ---- */

struct criu_place {
    const struct runtime_plan *plan;
    const char *images; /* where they are on the host */
    struct criu_sources sources;
    char dir[PATH_MAX]; /* empty, and ours, in plan->options->state_dir */
    /* A tmpfs there, or where root of the user namespace can go. In it: "root" (the root file system), "null" and "empty" (what hides paths), and the sources that are
       brought here, by their numbers. */
    char top[PATH_MAX];
    char root[PATH_MAX];
    char own_images[PATH_MAX]; /* "": on the host */
};
int criu_place_make(struct criu_place *place, const struct runtime_plan *plan, const char *images,
                    struct cl_error *err);
void criu_place_remove(struct criu_place *place);
/* A mount namespace of its own with all that, and every mount point that the images take for granted. */
int criu_place_enter(void *data, struct cl_error *err); /* of a struct criu_place */
/* Is it brought there? Else CRIU finds it where it is. */
bool criu_place_has(const struct runtime_plan *plan, const struct criu_source *source);
/* What stands for the mounts from outside, as CRIU_EXTERNAL. */
void criu_put_restored_mounts(struct cl_buf *out, const struct criu_place *place);

/* ---- criu_images.c ---- */

#define CRIU_IMAGES "images" /* in criu_place.top, in user namespaces */
/* CRIU reads and writes images through links, and waits for a FIFO: an error, whatever is called an image and is no file. */
int criu_images_check(int images, struct cl_error *err);
/* Bind the images (a directory, and those of its parents) into a new directory of `top`, for root of a user namespace to read. */
int criu_images_bind(int images, int top, struct cl_error *err);

/* ---- criu_sharing.c ---- */

/* mountpoints-N.img → what each mount from outside can be given its master by. 0: it stays as it is; 1: `out`. Pure; exported for tests. */
int criu_split_masters(const void *data, size_t size, struct cl_buf *out);
/* All of them in a directory of images. */
int criu_split_images(int images, struct cl_error *err);
