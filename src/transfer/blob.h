/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a blob: bytes go into a file of a temporary name, which becomes the digest's hex digits when all are there. So a name of 64 hex digits in the
 * directory always is a whole blob.
 */
#pragma once

#include "base/base.h"

struct blob {
    int dir_fd; /* borrowed; negative: hash only */
    int fd;
    struct cl_hash *hash; /* NULL: bytes are not hashed */
    int64_t size;
    char name[48]; /* the temporary one, "" when there is none */
};

int blob_begin(struct blob *blob, int dir_fd, struct cl_error *err);
int blob_add(struct blob *blob, const void *data, size_t size, struct cl_error *err);
/* The digest; with `expected` (may be NULL) the bytes have to have that one. */
int blob_finish(struct blob *blob, const char *expected, char digest[static CL_DIGEST_MAX],
                struct cl_error *err);
void blob_done(struct blob *blob); /* removes the file unless finished */
static inline void blob_done_auto(struct blob *blob)
{
    blob_done(blob);
}
#define auto_blob __attribute__((cleanup(blob_done_auto))) struct blob
#define BLOB_INIT                                                                                  \
    {                                                                                              \
        .dir_fd = -EBADF, .fd = -EBADF                                                             \
    }

/* A whole blob at once. */
int blob_write(int dir_fd, const void *data, size_t size, char digest[static CL_DIGEST_MAX],
               struct cl_error *err);
/* A blob by its digest ("sha256:…"): fd, or -errno (-ENOENT: the archive lacks it). */
int blob_open(int dir_fd, const char *digest, struct cl_error *err);
bool blob_exists(int dir_fd, const char *digest);
/* A JSON document that is a blob, at most 4 MiB; `what` names it in error texts. */
int blob_read_json(int dir_fd, const char *digest, const char *what, struct cl_json **ret,
                   struct cl_error *err);
