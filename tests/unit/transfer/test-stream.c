/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream of a layer: digests on both sides of the compression, the blob as it came, bounds, and what is told when it is broken.
 */
#include "support.h"

#include <archive.h>
#include <archive_entry.h>

static struct cl_error err;

typedef int add_filter(struct archive *archive);

/* The bytes compressed by libarchive's writer in "raw" format. */
static bool compress(const struct cl_buf *plain, add_filter *filter, struct cl_buf *out)
{
    static char space[1 << 20];
    size_t used = 0;
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    bool good = filter(archive) == ARCHIVE_OK &&
                archive_write_set_format_raw(archive) == ARCHIVE_OK &&
                archive_write_open_memory(archive, space, sizeof space, &used) == ARCHIVE_OK;
    archive_entry_set_filetype(entry, AE_IFREG);
    good = good && archive_write_header(archive, entry) == ARCHIVE_OK &&
           archive_write_data(archive, plain->data, plain->size) == (la_ssize_t)plain->size &&
           archive_write_close(archive) == ARCHIVE_OK;
    archive_entry_free(entry);
    archive_write_free(archive);
    if (good)
        cl_buf_add(out, space, used);
    return good;
}

static int run(const struct place *place, const struct cl_buf *bytes, int64_t max,
               struct stream_result *ret)
{
    CL_AUTO(stream_free) struct stream *stream = NULL;
    const struct stream_options options = { .blobs_fd = place->blobs_fd, .max_plain = max };
    cl_auto_fd fd = archive_fd(bytes);
    err = (struct cl_error){ 0 };
    int result = stream_open(fd, &options, &stream, &err);
    if (result >= 0)
        result = layer_unpack(stream_read, stream, place->in_fd, NULL, &err);
    if (result >= 0)
        result = stream_finish(stream, ret, &err);
    return result;
}

static void fill(struct cl_buf *archive)
{
    archive_file(archive, "a", "content of a");
    archive_file(archive, "b", "content of b");
    archive_end(archive);
    for (int i = 0; i < 16; i++) /* tar pads to 10 KiB: it belongs to the digest */
        cl_buf_add(archive, (const char[512]){ 0 }, 512);
}

static bool has_blob(const struct place *place, const struct stream_result *result,
                     const struct cl_buf *expected)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    if (cl_read_file(place->blobs_fd, result->digest + 7, 1u << 20, &text, &size, NULL) < 0)
        return false;
    return size == expected->size && memcmp(text, expected->data, size) == 0 &&
           result->size == (int64_t)size;
}

TEST(every_compression)
{
    static const struct {
        const char *name;
        add_filter *filter;
        enum oci_compression kept;
        bool as_it_came;
    } kinds[] = {
        { "none", archive_write_add_filter_none, OCI_PLAIN, true },
        { "gzip", archive_write_add_filter_gzip, OCI_GZIP, true },
        { "zstd", archive_write_add_filter_zstd, OCI_ZSTD, true },
        { "xz", archive_write_add_filter_xz, OCI_PLAIN, false },
        { "bzip2", archive_write_add_filter_bzip2, OCI_PLAIN, false },
    };
    auto_archive plain = ARCHIVE_INIT;
    char diff_id[CL_DIGEST_MAX], digest[CL_DIGEST_MAX];
    fill(&plain);
    CHECK_INT(cl_digest_of(plain.data, plain.size, diff_id), 0);
    for (size_t i = 0; i < CL_COUNT(kinds); i++) {
        struct place place;
        struct stream_result result = { 0 };
        auto_archive bytes = ARCHIVE_INIT;
        REQUIRE(place_make(&place) && compress(&plain, kinds[i].filter, &bytes));
        if (run(&place, &bytes, STREAM_MAX_PLAIN, &result) < 0)
            TEST_SAY("%s: %s", kinds[i].name, err.text);
        const struct cl_buf *kept = kinds[i].as_it_came ? &bytes : &plain;
        CHECK_INT(cl_digest_of(kept->data, kept->size, digest), 0);
        CHECK_STR(result.diff_id, diff_id);
        CHECK_STR(result.digest, digest);
        CHECK_INT(result.compression, kinds[i].kept);
        CHECK_INT(result.plain_size, plain.size);
        CHECK(has_blob(&place, &result, kept));
        CHECK_STR(content_at(&place, "b"), "content of b");
        place_done(&place);
    }
}

TEST(bytes_behind_the_compression_belong_to_the_blob)
{
    struct place place;
    struct stream_result result = { 0 };
    auto_archive plain = ARCHIVE_INIT, bytes = ARCHIVE_INIT;
    fill(&plain);
    REQUIRE(place_make(&place) && compress(&plain, archive_write_add_filter_gzip, &bytes));
    cl_buf_str(&bytes, "trailing garbage");
    CHECK_INT(run(&place, &bytes, STREAM_MAX_PLAIN, &result), 0);
    CHECK(has_blob(&place, &result, &bytes));
    place_done(&place);
}

TEST(what_is_broken_is_told)
{
    struct place place;
    struct stream_result result;
    auto_archive plain = ARCHIVE_INIT, gzip = ARCHIVE_INIT, twice = ARCHIVE_INIT,
                 none = ARCHIVE_INIT;
    auto_archive nothing = ARCHIVE_INIT, empty = ARCHIVE_INIT;
    fill(&plain);
    REQUIRE(place_make(&place));
    REQUIRE(compress(&plain, archive_write_add_filter_gzip, &gzip));
    REQUIRE(compress(&gzip, archive_write_add_filter_gzip, &twice));
    cl_buf_add(&none, "", 0);
    REQUIRE(compress(&none, archive_write_add_filter_gzip, &nothing));
    CHECK(run(&place, &empty, STREAM_MAX_PLAIN, &result) < 0);
    CHECK_CONTAINS(err.text, "it is empty; a tar archive was expected");
    CHECK(run(&place, &nothing, STREAM_MAX_PLAIN, &result) < 0);
    CHECK_CONTAINS(err.text, "there is nothing in its gzip compression");
    CHECK(run(&place, &twice, STREAM_MAX_PLAIN, &result) < 0);
    CHECK_CONTAINS(err.text, "compressed more than once");
    gzip.size -= 12;
    CHECK(run(&place, &gzip, STREAM_MAX_PLAIN, &result) < 0);
    CHECK_CONTAINS(err.text, "corrupt tar: its gzip compression is broken: truncated gzip input");
    place_done(&place);
    REQUIRE(place_make(&place));
    gzip.size += 12;
    gzip.data[30] ^= 0x55;
    CHECK(run(&place, &gzip, STREAM_MAX_PLAIN, &result) < 0);
    CHECK_CONTAINS(err.text, "corrupt tar");
    check_neighbour(&place);
    place_done(&place);
}

TEST(a_bomb_is_stopped)
{
    struct place place;
    struct stream_result result;
    auto_archive plain = ARCHIVE_INIT, bytes = ARCHIVE_INIT;
    REQUIRE(place_make(&place));
    archive_end(&plain);
    for (int i = 0; i < 4096; i++)
        cl_buf_add(&plain, (const char[1024]){ 0 }, 1024);
    REQUIRE(compress(&plain, archive_write_add_filter_gzip, &bytes) && bytes.size < 10000);
    CHECK(run(&place, &bytes, 1 << 20, &result) < 0);
    CHECK_INT(err.code, -EFBIG);
    CHECK_CONTAINS(err.text, "larger than 1048576 bytes");
    place_done(&place);
}

TEST(a_blob_that_is_not_finished_has_no_name)
{
    struct place place;
    REQUIRE(place_make(&place));
    struct blob blob = BLOB_INIT;
    char digest[CL_DIGEST_MAX];
    CHECK_INT(blob_begin(&blob, place.blobs_fd, &err), 0);
    CHECK_INT(blob_add(&blob, "half", 4, &err), 0);
    CHECK_INT(blob_finish(&blob,
                          "sha256:"
                          "0000000000000000000000000000000000000000000000000000000000000000",
                          digest, &err),
              -EBADMSG);
    CHECK_CONTAINS(err.text, "is corrupt");
    blob_done(&blob);
    struct stat status;
    CHECK(fstat(place.blobs_fd, &status) == 0);
    CHECK(!blob_exists(place.blobs_fd, "sha256:../out/secret"));
    CHECK_INT(blob_open(place.blobs_fd, "sha256:../out/secret", &err), -EOPNOTSUPP);
    CHECK_INT(unlinkat(place.dir_fd, "blobs", AT_REMOVEDIR), 0); /* it is empty */
    place_done(&place);
}

TEST_MAIN
