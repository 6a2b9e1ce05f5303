/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of one layer, in one pass: read from a descriptor, kept as a blob, decompressed, and hashed on both sides.
 *
 *   descriptor ──> [blob, digest] ──> gzip, zstd, xz, bzip2 or nothing ──> [diff_id] ──> tar
 *
 * Images know three kinds of layers: plain, gzip, zstd. What comes as xz or bzip2 is kept plain: then the blob branches off on the right side and its
 * digest is the diff_id.
 *
 * Bounds: `max_plain` bytes after decompression; a layer compressed twice is refused.
 */
#pragma once

#include "base/base.h"
#include "oci/oci.h"
#include "transfer/blob.h"

#define STREAM_MAX_PLAIN (INT64_C(1) << 40)

struct stream;

struct stream_result {
    char digest[CL_DIGEST_MAX];  /* of the blob */
    char diff_id[CL_DIGEST_MAX]; /* of the tar */
    int64_t size;                /* of the blob */
    int64_t plain_size;          /* of the tar */
    enum oci_compression compression;
};

struct stream_options {
    int blobs_fd; /* where to keep the bytes as a blob; negative: nowhere */
    const char *
        known_digest; /* of a blob that is read again: it isn't hashed anew. NULL: it is no blob yet */
    bool no_digests; /* only the bytes matter (an archive that holds blobs): nothing is hashed */
    int64_t max_plain;
};

/* fd is borrowed. */
int stream_open(int fd, const struct stream_options *options, struct stream **ret,
                struct cl_error *err);
void stream_free(struct stream *stream);
CL_DEFINE_AUTO(struct stream, stream_free)

/* A tar_source whose context is the stream: the decompressed bytes. */
ssize_t stream_read(void *context, const void **ret_data, struct cl_error *err);

/* With no_digests: not to be called. Read what is left (padding after the tar's end belongs to the digests), and give the blob its name. */
int stream_finish(struct stream *stream, struct stream_result *ret, struct cl_error *err);
