/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of stream.h. Decompression is libarchive's "raw" format with the one filter that the first bytes call for; it pulls from
 * read_input below, and the tar reader pulls from stream_read. So every byte is touched once on each side, and nothing is ever whole in memory.
 */
#include "transfer/stream.h"

#include <archive.h>
#include <archive_entry.h>

#define INPUT_SIZE (128u << 10)

struct compression {
    const char *name;
    size_t magic_size;
    unsigned char magic[6];
    int (*support)(struct archive *archive);
    enum oci_compression kept; /* as what it is kept in the image */
};

static const struct compression compressions[] = {
    { "gzip", 2, { 0x1f, 0x8b }, archive_read_support_filter_gzip, OCI_GZIP },
    { "zstd", 4, { 0x28, 0xb5, 0x2f, 0xfd }, archive_read_support_filter_zstd, OCI_ZSTD },
    { "xz", 6, { 0xfd, '7', 'z', 'X', 'Z', 0 }, archive_read_support_filter_xz, OCI_PLAIN },
    { "bzip2", 3, { 'B', 'Z', 'h' }, archive_read_support_filter_bzip2, OCI_PLAIN },
};

struct stream {
    int fd;                                /* borrowed */
    const struct compression *compression; /* NULL: none */
    struct archive *filter;
    struct archive_entry *entry;
    struct blob input, plain;         /* one of the two is written, both are hashed */
    char known_digest[CL_DIGEST_MAX]; /* "": unknown */
    int64_t max_plain;
    size_t held; /* bytes of buffer that were read to look at, and not yet handed on */
    struct cl_error failure;
    unsigned char buffer[INPUT_SIZE];
};

static ssize_t read_input(struct stream *stream, const void **ret_data, struct cl_error *err)
{
    size_t size = stream->held;
    stream->held = 0;
    if (size == 0) {
        ssize_t got;
        do
            got = read(stream->fd, stream->buffer, sizeof stream->buffer);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return cl_fail(err, errno, "read the archive");
        size = (size_t)got;
    }
    if (size > 0) {
        int result = blob_add(&stream->input, stream->buffer, size, err);
        if (result < 0)
            return result;
    }
    *ret_data = stream->buffer;
    return (ssize_t)size;
}

static la_ssize_t read_for_filter(struct archive *archive, void *context, const void **ret_data)
{
    struct stream *stream = context;
    ssize_t size = read_input(stream, ret_data, &stream->failure);
    if (size < 0)
        archive_set_error(archive, EIO, "input"); /* ours is in stream->failure */
    return size;
}

static int fail(struct stream *stream, struct cl_error *err)
{
    if (stream->failure.code < 0) {
        if (err != NULL)
            *err = stream->failure;
        return stream->failure.code;
    }
    const char *text = archive_error_string(stream->filter);
    if (archive_errno(stream->filter) == ENOMEM)
        return cl_fail(err, ENOMEM, "decompress the archive");
    return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                        "corrupt tar: its %s compression is broken: %s", stream->compression->name,
                        text == NULL ? "unknown failure" : text);
}

/* Fill the buffer with enough to know the compression. */
static int look(struct stream *stream, struct cl_error *err)
{
    ssize_t got = cl_read_full(stream->fd, stream->buffer, 6);
    if (got < 0)
        return cl_fail(err, (int)got, "read the archive");
    if (got == 0)
        return cl_fail_kind(err, CL_KIND_INVALID, ENODATA,
                            "corrupt tar: it is empty; a tar archive was expected");
    stream->held = (size_t)got;
    for (size_t i = 0; i < CL_COUNT(compressions); i++)
        if (stream->held >= compressions[i].magic_size &&
            memcmp(stream->buffer, compressions[i].magic, compressions[i].magic_size) == 0)
            stream->compression = &compressions[i];
    return 0;
}

static int begin_filter(struct stream *stream, struct cl_error *err)
{
    stream->filter = archive_read_new();
    if (stream->filter == NULL)
        return cl_fail(err, ENOMEM, "decompress the archive");
    /* ARCHIVE_WARN would mean that an external program is going to be run: this libarchive lacks the library. */
    if (stream->compression->support(stream->filter) != ARCHIVE_OK)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "the archive is compressed with %s, which this libarchive can't read",
                            stream->compression->name);
    if (archive_read_support_format_raw(stream->filter) != ARCHIVE_OK ||
        archive_read_support_format_empty(stream->filter) != ARCHIVE_OK)
        return cl_fail(err, ENOMEM, "decompress the archive");
    if (archive_read_open(stream->filter, stream, NULL, read_for_filter, NULL) != ARCHIVE_OK)
        return fail(stream, err);
    int answer = archive_read_next_header(stream->filter, &stream->entry);
    if (answer != ARCHIVE_OK && answer != ARCHIVE_EOF)
        return fail(stream, err);
    if (archive_filter_count(stream->filter) > 2) /* itself and "none" */
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "corrupt tar: it is compressed more than once");
    if (answer == ARCHIVE_EOF)
        return cl_fail_kind(
            err, CL_KIND_INVALID, ENODATA,
            "corrupt tar: there is nothing in its %s compression; a tar archive was "
            "expected",
            stream->compression->name);
    return 0;
}

/* Which side is kept, which is hashed: see the header. */
static int begin_blobs(struct stream *stream, const struct stream_options *options,
                       struct cl_error *err)
{
    const struct compression *compression = stream->compression;
    bool is_unknown = compression != NULL && compression->kept == OCI_PLAIN;
    if (options->no_digests)
        return 0;
    if (options->known_digest != NULL && is_unknown)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "layer %s is compressed with %s; images know gzip and zstd only",
                            options->known_digest, compression->name);
    int result = 0;
    if (options->known_digest == NULL)
        result = blob_begin(&stream->input, is_unknown ? -EBADF : options->blobs_fd, err);
    if (result >= 0 && compression != NULL)
        result = blob_begin(&stream->plain, is_unknown ? options->blobs_fd : -EBADF, err);
    return result;
}

int stream_open(int fd, const struct stream_options *options, struct stream **ret,
                struct cl_error *err)
{
    CL_AUTO(stream_free) struct stream *stream = cl_calloc(1, sizeof *stream);
    if (stream == NULL)
        return cl_fail(err, ENOMEM, "read the archive");
    stream->fd = fd;
    stream->max_plain = options->max_plain;
    stream->input = stream->plain = (struct blob)BLOB_INIT;
    if (options->known_digest != NULL)
        (void)CL_PRINT(stream->known_digest, "%s", options->known_digest);
    int result = look(stream, err);
    if (result >= 0)
        result = begin_blobs(stream, options, err);
    if (result >= 0 && stream->compression != NULL)
        result = begin_filter(stream, err);
    if (result < 0)
        return result;
    *ret = cl_take(stream);
    return 0;
}

void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->filter != NULL)
        (void)archive_read_free(stream->filter); /* only read */
    blob_done(&stream->input);
    blob_done(&stream->plain);
    free(stream);
}

static int64_t plain_size(const struct stream *stream)
{
    return stream->compression == NULL ? stream->input.size : stream->plain.size;
}

static int check_size(const struct stream *stream, struct cl_error *err)
{
    if (plain_size(stream) <= stream->max_plain && stream->input.size <= stream->max_plain)
        return 0;
    return cl_fail_kind(err, CL_KIND_INVALID, EFBIG,
                        "the archive is larger than %lld bytes; that is refused",
                        (long long)stream->max_plain);
}

static ssize_t read_filter(struct stream *stream, const void **ret_data, struct cl_error *err)
{
    size_t size = 0;
    la_int64_t offset = 0;
    int answer;
    do
        answer = archive_read_data_block(stream->filter, ret_data, &size, &offset);
    while (answer == ARCHIVE_OK && size == 0); /* 0 bytes would mean the end to our caller */
    if (answer == ARCHIVE_EOF)
        return 0;
    if (answer != ARCHIVE_OK)
        return fail(stream, err);
    int result = blob_add(&stream->plain, *ret_data, size, err);
    return result < 0 ? result : (ssize_t)size;
}

ssize_t stream_read(void *context, const void **ret_data, struct cl_error *err)
{
    struct stream *stream = context;
    ssize_t size = stream->compression == NULL ? read_input(stream, ret_data, err)
                                               : read_filter(stream, ret_data, err);
    if (size <= 0)
        return size;
    int result = check_size(stream, err);
    return result < 0 ? result : size;
}

/* What lies behind the end of the compression belongs to the blob. */
static ssize_t drain_input(struct stream *stream, struct cl_error *err)
{
    const void *ignored;
    ssize_t size;
    do {
        size = read_input(stream, &ignored, err);
        if (size > 0 && check_size(stream, err) < 0)
            return -EFBIG;
    } while (size > 0);
    return size;
}

int stream_finish(struct stream *stream, struct stream_result *ret, struct cl_error *err)
{
    struct stream_result found = { .compression = OCI_PLAIN };
    const void *ignored;
    ssize_t size;
    do
        size = stream_read(stream, &ignored, err);
    while (size > 0);
    if (size == 0)
        size = drain_input(stream, err);
    if (size < 0)
        return (int)size;
    found.size = stream->input.size;
    found.plain_size = plain_size(stream);
    int result = 0;
    if (stream->known_digest[0] != '\0')
        memcpy(found.digest, stream->known_digest, sizeof found.digest);
    else
        result = blob_finish(&stream->input, NULL, found.digest, err);
    if (result >= 0 && stream->compression != NULL)
        result = blob_finish(&stream->plain, NULL, found.diff_id, err);
    if (result < 0)
        return result;
    if (stream->compression == NULL) {
        memcpy(found.diff_id, found.digest, sizeof found.digest);
    } else if (stream->compression->kept == OCI_PLAIN) {
        memcpy(found.digest, found.diff_id, sizeof found.digest);
        found.size = stream->plain.size;
    } else {
        found.compression = stream->compression->kept;
    }
    *ret = found;
    return 0;
}
