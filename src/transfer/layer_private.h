/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files that apply entries: layer.c (names, order, limits), layer_make.c (objects), layer_whiteout.c.
 */
#pragma once

#include <sys/stat.h>

#include "kernel/inroot.h"
#include "transfer/layer.h"

/* A directory that gets its times at the end. */
struct layer_directory {
    char *path;
    struct timespec times[2]; /* atime, mtime: as futimens takes them */
};

struct layer {
    int root_fd; /* borrowed */
    bool may_chown;
    struct layer_limits limits;
    uint64_t entries;
    int64_t bytes;
    struct layer_directory *directories;
    size_t directory_count, directory_room;
};

/* Where an entry goes: its directory's descriptor and the name in it. "." is the root itself. */
struct layer_place {
    int parent_fd;
    char name[256];
    const char *quoted; /* for error texts */
};

#define LAYER_WHITEOUT      ".wh."
#define LAYER_WHITEOUT_META ".wh..wh."
#define LAYER_OPAQUE        ".wh..wh..opq"

/* layer_make.c: make the object (something in the way is removed first), then its owner, mode, attributes and times. */
int layer_make(struct layer *layer, struct tar *tar, const struct tar_entry *entry,
               const struct layer_place *place, struct cl_error *err);
/* Remove what is at a place. */
int layer_clear(const struct layer_place *place, struct cl_error *err);
int layer_fail(struct cl_error *err, int errnum, const struct layer_place *place,
               const char *attempt);
/* Splits by text; 0 or -EINVAL when the path has more ".." than names before them. */
int layer_check_path(const char *path);
void layer_times(const struct tar_entry *entry, struct timespec times[static 2]);

/* layer_whiteout.c */
bool layer_is_whiteout(const struct stat *status);
int layer_white_out(struct layer *layer, const struct layer_place *place, struct cl_error *err);
int layer_make_opaque(int dir_fd, const char *quoted, struct cl_error *err);
/* A whiteout of this very layer stands where a parent of `path` is needed: it becomes an opaque directory. 1 when one was found, 0, -errno. */
int layer_revive_parents(struct layer *layer, const char *path, const char *quoted,
                         struct cl_error *err);
