/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading tar: libarchive behind a facade, so that nothing else of the project sees it, and so that names come out as the bytes that they were.
 *
 * Formats: v7, ustar, pax, GNU (long names, sparse files). Nothing else is recognised, neither other archives nor "raw".
 */
#pragma once

#include "base/base.h"

enum tar_type {
    TAR_FILE,
    TAR_DIRECTORY,
    TAR_SYMLINK,
    TAR_HARDLINK,
    TAR_CHARACTER,
    TAR_BLOCK,
    TAR_FIFO
};

struct tar_xattr {
    char *name;
    void *value;
    size_t size;
};

/* One entry. Everything belongs to the struct tar and lives until its next tar_next. Hostile: nothing was checked but that it is well-formed. */
struct tar_entry {
    enum tar_type type;
    const char *path; /* as it stands in the archive; may be absolute, climb, be empty */
    const char *link; /* target of symbolic and hard links, else NULL */
    mode_t mode;      /* 07777 */
    int64_t uid, gid;
    int64_t size; /* of a file, holes included; 0 for all else */
    bool has_mtime, has_atime;
    struct timespec mtime, atime;
    dev_t device;
    const struct tar_xattr *xattrs;
    size_t xattr_count;
};

struct tar;

/* Where the bytes come from: *ret_data is valid until the next call. Bytes (0 at the end), or -errno with err. */
typedef ssize_t tar_source(void *context, const void **ret_data, struct cl_error *err);

int tar_open(tar_source *source, void *context, struct tar **ret, struct cl_error *err);
void tar_free(struct tar *tar);
CL_DEFINE_AUTO(struct tar, tar_free)
/* 1 and an entry, 0 at the end, -errno (`corrupt tar: …`, or the source's error as it was). Data that wasn't read is passed over. */
int tar_next(struct tar *tar, struct tar_entry *ret, struct cl_error *err);
/* The next piece of a file's data and where in the file it belongs (sparse files have gaps): 1, 0 at the end, -errno. */
int tar_data(struct tar *tar, const void **ret_data, size_t *ret_size, int64_t *ret_offset,
             struct cl_error *err);

/* What of libarchive and the C library opens files when first used (character sets) is used once, so that it works in a sandbox. */
void tar_warm_up(void);

/* A name from an archive for an error text: escaped, cut in the middle when long. */
#define TAR_QUOTE_MAX 200
void tar_quote(const char *name, char buffer[static TAR_QUOTE_MAX]);
