/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs of a stage: see the header. The digest string is checked (cl_digest_is_valid) before it is used as a name.
 */
#include "transfer/blob.h"

#include <fcntl.h>
#include <stdio.h>

int blob_begin(struct blob *blob, int dir_fd, struct cl_error *err)
{
    char random[17];
    int result = cl_hash_new("sha256", &blob->hash);
    if (result < 0)
        return cl_fail(err, result, "begin a sha256 digest");
    if (dir_fd < 0)
        return 0;
    result = cl_random_hex(random, 8);
    if (result < 0)
        return cl_fail(err, result, "choose a name for a blob");
    (void)CL_PRINT(blob->name, ".new-%s", random);
    blob->fd =
        openat(dir_fd, blob->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (blob->fd < 0) {
        blob->name[0] = '\0';
        return cl_fail(err, errno, "make a file for a blob");
    }
    blob->dir_fd = dir_fd;
    return 0;
}

int blob_add(struct blob *blob, const void *data, size_t size, struct cl_error *err)
{
    if (blob->hash != NULL)
        cl_hash_add(blob->hash, data, size);
    blob->size += (int64_t)size;
    if (blob->fd < 0)
        return 0;
    ssize_t written = cl_write_full(blob->fd, data, size);
    return written < 0 ? cl_fail(err, (int)written, "write a blob") : 0;
}

int blob_finish(struct blob *blob, const char *expected, char digest[static CL_DIGEST_MAX],
                struct cl_error *err)
{
    char found[CL_DIGEST_MAX];
    int result = cl_hash_finish(blob->hash, found);
    if (result < 0)
        return cl_fail(err, result, "finish a sha256 digest");
    if (expected != NULL && !cl_streq(expected, found))
        return cl_fail_kind(err, CL_KIND_CORRUPT, EBADMSG,
                            "blob %s is corrupt: its bytes have the digest %s", expected, found);
    if (blob->fd >= 0) {
        blob->fd = cl_close(blob->fd);
        if (renameat(blob->dir_fd, blob->name, blob->dir_fd, found + strlen("sha256:")) < 0)
            return cl_fail(err, errno, "name blob %s", found);
        blob->name[0] = '\0';
    }
    memcpy(digest, found, sizeof found);
    return 0;
}

void blob_done(struct blob *blob)
{
    blob->fd = cl_close(blob->fd);
    if (blob->name[0] != '\0')
        (void)unlinkat(blob->dir_fd, blob->name, 0); /* the stage is removed as a whole anyway */
    blob->name[0] = '\0';
    cl_hash_free(blob->hash);
    blob->hash = NULL;
}

int blob_write(int dir_fd, const void *data, size_t size, char digest[static CL_DIGEST_MAX],
               struct cl_error *err)
{
    auto_blob blob = BLOB_INIT;
    int result = blob_begin(&blob, dir_fd, err);
    if (result >= 0)
        result = blob_add(&blob, data, size, err);
    if (result >= 0)
        result = blob_finish(&blob, NULL, digest, err);
    return result;
}

int blob_open(int dir_fd, const char *digest, struct cl_error *err)
{
    if (!cl_digest_is_valid(digest) || !cl_starts_with(digest, "sha256:"))
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "\"%.80s\" is no sha256 digest: only those are supported", digest);
    int fd = openat(dir_fd, digest + strlen("sha256:"), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return cl_fail_kind(err, CL_KIND_INVALID, ENOENT, "the archive lacks blob %s", digest);
    return fd < 0 ? cl_fail(err, errno, "open blob %s", digest) : fd;
}

bool blob_exists(int dir_fd, const char *digest)
{
    cl_auto_fd fd = blob_open(dir_fd, digest, NULL);
    return fd >= 0;
}

int blob_read_json(int dir_fd, const char *digest, const char *what, struct cl_json **ret,
                   struct cl_error *err)
{
    static const size_t max = 4u << 20;
    cl_auto_free char *text = NULL;
    size_t size = 0;
    cl_auto_fd fd = blob_open(dir_fd, digest, err);
    int result = fd < 0 ? fd : cl_read_fd(fd, max, &text, &size, err);
    if (result >= 0)
        result = cl_json_parse(text, size, max, ret, err);
    return result < 0 ? cl_error_prefix(err, "read %s", what) : 0;
}
