/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room store: blobs by digest, unpacked layers, and the catalog of images and containers (SQLite, WAL).
 *
 *   ROOT/catalog.db          names, images, layers, containers: what exists
 *   ROOT/catalog.lock        flock around every write transaction: waiting writers sleep in the kernel, none polls
 *   ROOT/blobs/sha256/HEX    configs, manifests, layer archives as they came
 *   ROOT/layers/N/           unpacked layers, N = row number: short, as overlay's option string is limited
 *   ROOT/containers/ID/      upper, work, hosts, hostname, resolv.conf, log, state (see wire/state.h)
 *   ROOT/stage/X/            work in progress, each directory held by flock(2); a free one is debris
 *   STATE/locks              one byte per container (offset = row number), held by open-file-description locks (fcntl(2)): the lock passes
 *                            from the command to the forked parent to the monitor with the descriptor, and the kernel frees it however they die
 *   STATE/ID/                attach.sock
 *
 * Crash safety: a row is written (committed) before the things it speaks of are made, and removed after they are gone. So whoever finds
 * a row in a phase other than READY whose lock is free knows that its owner died and what has to be undone or finished (engine/recover.c does).
 * Power loss: WAL with synchronous=NORMAL is consistent; layers are synced before their rows are committed. Checkpoints run only in
 * store_close_idle, never while a person waits. ROOT and STATE are 0700 (CVE-2021-41091).
 *
 * A struct store is not for threads and not to be used after fork (the child may only close fds by exec).
 */
#pragma once

#include "base/base.h"
#include "oci/oci.h"
#include "wire/wire.h"

struct store;

/* Makes what is missing, opens the catalog, migrates old schemas. Error texts name the directory and the way out (read-only, full, no permission). */
int store_open(const char *root, const char *state, struct store **ret, struct cl_error *err);
void store_close(struct store *store); /* no checkpoint, no fsync */
void store_close_idle(
    struct store *
        store); /* the same with a WAL checkpoint when it has grown past 128 KiB: for use when nobody waits */
/* Has the log grown so far that every opening pays for reading it? Then somebody should call store_close_idle. */
bool store_is_due(const struct store *store);
CL_DEFINE_AUTO(struct store, store_close)
int store_root_fd(const struct store *store); /* borrowed directory fds and paths */
int store_state_fd(const struct store *store);
const char *store_root(const struct store *store);
const char *store_state(const struct store *store);

/* A write transaction: takes catalog.lock, BEGIN IMMEDIATE. Not nested. Every other write function below must run inside one. */
int store_begin(struct store *store, struct cl_error *err);
int store_commit(struct store *store, struct cl_error *err);
void store_rollback(struct store *store); /* does nothing outside a transaction */

/* ---- containers ---- */
enum store_phase {
    STORE_CREATING = 1, /* claimed; its directories are being made */
    STORE_READY = 2,    /* at rest: created or exited */
    STORE_RUNNING = 3,  /* being started, or running; its truth is in the state file */
    STORE_REMOVING = 4, /* has no name any more; its content is being deleted */
};
struct store_container {
    int64_t number; /* row; never used twice; offset of its lock byte */
    enum store_phase phase;
    bool auto_remove;
    bool
        is_new; /* RUNNING only: claimed by `run` and never seen started; recovery undoes it altogether */
    char id[65];
    char *name;       /* NULL while REMOVING */
    char *image_id;   /* "sha256:…" */
    char *image_name; /* as the user typed it */
    char *config;     /* the engine's JSON (engine/config.h) */
    int64_t created_ns;
    struct wire_state last; /* as of the last merge: status created or exited */
};
void store_container_free(struct store_container *container);
CL_DEFINE_AUTO(struct store_container, store_container_free)

/* Insert with the next number, id, name, phase, …; fills container->number. Name in use: CONFLICT, with the holder's id in the text.
   Takes the lock byte on lock_fd before the row becomes visible. */
int store_container_claim(struct store *store, struct store_container *container, int lock_fd,
                          struct cl_error *err);
/* By full id, unique id prefix, or name (leading "/" allowed), in Docker's order: id, name, prefix. NOT_FOUND / CONFLICT (ambiguous, names two of them). */
int store_container_find(struct store *store, const char *reference, struct store_container **ret,
                         struct cl_error *err);
/* All, newest first (REMOVING ones only with `removing`); array and elements owned by the caller. */
int store_container_list(struct store *store, bool removing, struct store_container ***ret,
                         size_t *ret_count, struct cl_error *err);
void store_container_list_free(struct store_container **list, size_t count);
/* The numbers (cl_malloc'ed) of those in a phase other than READY: every start looks through them for what dead processes left. */
int store_container_unsettled(struct store *store, int64_t **ret, size_t *ret_count,
                              struct cl_error *err);
/* Writes phase, auto_remove, is_new, name, config and last of the row `number`. */
int store_container_update(struct store *store, const struct store_container *container,
                           struct cl_error *err);
int store_container_delete(struct store *store, int64_t number, struct cl_error *err);
/* The one whose name it is, or NOT_FOUND. */
int store_container_by_number(struct store *store, int64_t number, struct store_container **ret,
                              struct cl_error *err);

/* Locks. store_lock_open gives a new open file description of STATE/locks: locks taken on it live until its last copy is closed. */
int store_lock_open(struct store *store, struct cl_error *err);
int store_lock_try(int lock_fd, int64_t number); /* 0, -EAGAIN */
int store_lock_wait(int lock_fd,
                    int64_t number); /* sleeps in the kernel until free; 0 or -errno (-EINTR too) */
bool store_lock_is_held(struct store *store,
                        int64_t number); /* by anybody else than the store's own test descriptor */

/* The state file of a container. -ENOENT when there is none. */
int store_state_read(struct store *store, const char *id, struct wire_state *ret,
                     struct cl_error *err);

/* ---- images ---- */
struct store_layer {
    int64_t number; /* directory ROOT/layers/NUMBER */
    char diff_id[CL_DIGEST_MAX];
    char digest[CL_DIGEST_MAX]; /* of the blob */
    int64_t size;               /* of the blob */
};
struct store_image {
    char id[CL_DIGEST_MAX]; /* digest of the config */
    char manifest[CL_DIGEST_MAX];
    char *config; /* image-spec config, JSON text */
    int64_t size;
    int64_t created_ns;         /* the config's created, 0 if absent */
    char **names;               /* familiar references "alpine:latest" */
    struct store_layer *layers; /* bottom first */
    size_t layer_count;
};
void store_image_free(struct store_image *image);
CL_DEFINE_AUTO(struct store_image, store_image_free)
/* By reference (any spelling), digest, full or prefix id. NOT_FOUND: `no such image: X`; CONFLICT: ambiguous prefix. */
int store_image_find(struct store *store, const char *reference, struct store_image **ret,
                     struct cl_error *err);
int store_image_list(struct store *store, struct store_image ***ret, size_t *ret_count,
                     struct cl_error *err);
void store_image_list_free(struct store_image **list, size_t count);
/* Point a (normalised) name at an image, moving it from another one if need be. Inside a transaction. */
int store_image_tag(struct store *store, const char *image_id, const char *name,
                    struct cl_error *err);
int store_image_untag(struct store *store, const char *name, struct cl_error *err);
/* Delete the image row and the layers and blobs that no other image needs (renamed away inside the transaction, deleted by store_stage_done after it).
   CONFLICT while a container uses it. */
int store_image_delete(struct store *store, const char *image_id, struct cl_error *err);
/* Those that are being removed do not count. */
int store_image_users(struct store *store, const char *image_id, char ***ret_container_ids,
                      struct cl_error *err);

/* ---- staging: how layers and blobs get in ---- */
struct store_stage {
    int fd;        /* the stage directory, flock'ed */
    int layers_fd; /* its "layers" directory (0700, empty) */
    int blobs_fd;  /* its "blobs" directory */
    char name[40]; /* below ROOT/stage */
};
int store_stage_open(struct store *store, struct store_stage *ret, struct cl_error *err);
/*
 * Move an image out of the stage: checks every digest string, syncs, then in ONE transaction of its own renames blobs and layers
 * into place (layers that exist already by chain of diff ids are shared, not moved), writes the rows and points `names` at it.
 * answer: one `image` object of wire/transfer.h. layer_dirs are the names below layers_fd.
 */
int store_stage_commit(struct store *store, struct store_stage *stage, const struct cl_json *image,
                       const char *const *names, struct cl_error *err);
/* Remove the stage (and what transactions put into it as trash). */
void store_stage_done(struct store *store, struct store_stage *stage);
/* Debris of dead processes: free stage directories, and then layers and blobs that no row names. Returns the number of things removed. */
int store_sweep(struct store *store, struct cl_error *err);
