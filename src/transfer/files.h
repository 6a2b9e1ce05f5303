/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of an image archive (not of a layer): every one is stored as a blob under its own digest, and remembered by its path, because an archive
 * may name its layers before or after they come. Paths are only compared, never opened.
 */
#pragma once

#include "base/base.h"
#include "transfer/tar.h"

#define FILES_MAX 65536

struct files_entry {
    char *path; /* without leading "./" and slashes */
    char *link; /* normalised path of a link's target; NULL: a file */
    char digest[CL_DIGEST_MAX];
    int64_t size;
};
struct files {
    struct files_entry *entries;
    size_t count, room;
};
void files_done(struct files *files);
static inline void files_done_auto(struct files *files)
{
    files_done(files);
}
#define auto_files __attribute__((cleanup(files_done_auto))) struct files

/* The whole archive. A file at blobs/sha256/HEX must have that digest. */
int files_read(struct files *files, struct tar *tar, int blobs_fd, struct cl_error *err);
/* The file at a path, through links of the archive; the last of that name. 1, 0 (there is none; *ret is untouched), or -ENOMEM. */
int files_find(const struct files *files, const char *path, const struct files_entry **ret,
               struct cl_error *err);
