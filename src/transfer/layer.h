/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applying the entries of a layer's archive to a directory that is to become a layer of an overlay: the one place where names chosen by strangers become
 * files.
 *
 * What holds, whatever the archive says: nothing outside the directory is made, changed, removed or linked to. Names are resolved below its descriptor
 * by kernel/inroot.h, so a symbolic link of the archive leads to where it would lead inside the container. What is not understood is an error that
 * names the entry; what is deliberately left out is listed here and shown by CLOCHE_DEBUG=transfer.
 *
 *   absolute names          lose their leading slashes; names that climb out by ".." are refused
 *   missing parents         are made, 0755
 *   a name that comes twice the later one wins; a directory over a directory is merged
 *   hard links              to what the same archive made before, inside only
 *   owners, modes           kept, with setuid, setgid and sticky bits (owners only where we have CAP_CHOWN)
 *   times                   kept to the nanosecond; directories get theirs at the end (layer_finish)
 *   extended attributes     user.* and security.capability of files and directories are kept; left out: trusted.* and user.overlay.*, which would
 *                           steer the overlay itself, and all else (labels of another host's policy)
 *   device nodes            made as they are (docs/decisions/006-layers.md says why that is safe); those of /dev are left out where we may not
 *   .wh.NAME                overlay's whiteout (character device 0:0) at NAME, unless the same layer has a NAME of its own
 *   .wh..wh..opq            the directory is marked opaque (trusted.overlay.opaque=y)
 *   .wh..wh.*               otherwise: AUFS's own book-keeping, left out
 *
 * Needs umask 0. Uses the caller's credentials and namespaces. Source: image-spec layer.md; kernel Documentation/filesystems/overlayfs.rst.
 */
#pragma once

#include "base/base.h"
#include "transfer/tar.h"

#define LAYER_MAX_ENTRIES (8u << 20)
#define LAYER_MAX_BYTES   (INT64_C(1) << 40) /* sum of the files' sizes, holes included */

struct layer;

struct layer_limits {
    uint64_t entries;
    int64_t bytes;
};

/* dir_fd is borrowed and must be a directory of ours. limits may be NULL: the above. */
int layer_open(int dir_fd, const struct layer_limits *limits, struct layer **ret,
               struct cl_error *err);
void layer_free(struct layer *layer);
CL_DEFINE_AUTO(struct layer, layer_free)
/* Apply one entry; a file's data is pulled from `tar`. */
int layer_apply(struct layer *layer, struct tar *tar, const struct tar_entry *entry,
                struct cl_error *err);
/* The directories' times. */
int layer_finish(struct layer *layer, struct cl_error *err);
int64_t layer_bytes(const struct layer *layer);

/* All of it: every entry of the archive that `source` gives. *ret_bytes (may be NULL): the sum of the files' sizes. */
int layer_unpack(tar_source *source, void *context, int dir_fd, int64_t *ret_bytes,
                 struct cl_error *err);
