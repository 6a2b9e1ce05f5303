/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import as a whole, below its descriptors: the answer, the documents, the blobs.
 */
#include "support.h"

static struct cl_error err;

static int import_with(const struct place *place, const struct cl_buf *archive, const char *request,
                       struct cl_json **ret)
{
    CL_AUTO(cl_json_unref) struct cl_json *ask = NULL;
    cl_auto_fd input = archive_fd(archive);
    err = (struct cl_error){ 0 };
    if (cl_json_parse(request, strlen(request), 1u << 20, &ask, &err) < 0)
        return -EINVAL;
    const struct transfer_job job = {
        .input_fd = input, .layers_fd = place->in_fd, .blobs_fd = place->blobs_fd, .request = ask
    };
    return transfer_import(&job, ret, &err);
}

static const char *text_of(const struct cl_json *object, const char *key)
{
    return cl_json_string_or(cl_json_get(object, key), "");
}

TEST(a_root_file_system_becomes_an_image)
{
    struct place place;
    CL_AUTO(cl_json_unref) struct cl_json *answer = NULL, *document = NULL;
    auto_archive archive = ARCHIVE_INIT;
    char digest[CL_DIGEST_MAX];
    REQUIRE(place_make(&place));
    archive_file(&archive, "bin/sh", "#!");
    archive_end(&archive);
    CHECK_INT(import_with(&place, &archive,
                          "{\"created\":\"2024-01-02T03:04:05Z\",\"message\":\"hello\","
                          "\"platform\":\"linux/arm64/v8\",\"changes\":[\"CMD [\\\"sh\\\"]\"]}",
                          &answer),
              0);
    const struct cl_json *image = cl_json_get(answer, "image");
    const struct cl_json *config = cl_json_get(image, "config");
    const struct cl_json *layer = cl_json_at(cl_json_get(image, "layers"), 0);
    CHECK_INT(cl_digest_of(archive.data, archive.size, digest), 0);
    CHECK_STR(text_of(layer, "digest"), digest);
    CHECK_STR(text_of(layer, "diff_id"), digest);
    CHECK_STR(text_of(layer, "dir"), "0");
    CHECK_INT(cl_json_int(cl_json_get(layer, "unpacked")), 2);
    CHECK_STR(content_at(&place, "0/bin/sh"), "#!");
    CHECK_STR(text_of(config, "architecture"), "arm64");
    CHECK_STR(text_of(config, "variant"), "v8");
    CHECK_STR(text_of(config, "created"), "2024-01-02T03:04:05Z");
    CHECK_STR(text_of(cl_json_at(cl_json_get(config, "history"), 0), "comment"), "hello");
    CHECK_STR(cl_json_string(cl_json_at(cl_json_get(cl_json_get(config, "rootfs"), "diff_ids"), 0)),
              digest);
    /* The blobs are what the answer says, and the manifest joins them. */
    CHECK_INT(blob_read_json(place.blobs_fd, text_of(image, "manifest"), "it", &document, &err), 0);
    CHECK_STR(text_of(cl_json_get(document, "config"), "digest"), text_of(image, "id"));
    CHECK_STR(text_of(cl_json_at(cl_json_get(document, "layers"), 0), "digest"), digest);
    CHECK_STR(text_of(cl_json_at(cl_json_get(document, "layers"), 0), "mediaType"),
              OCI_MEDIA_LAYER);
    CHECK(blob_exists(place.blobs_fd, text_of(image, "id")));
    CHECK(blob_exists(place.blobs_fd, digest));
    place_done(&place);
}

TEST(nothing_is_there_by_default)
{
    struct place place;
    CL_AUTO(cl_json_unref) struct cl_json *answer = NULL;
    auto_archive archive = ARCHIVE_INIT;
    REQUIRE(place_make(&place));
    archive_file(&archive, "f", "x");
    archive_end(&archive);
    CHECK_INT(import_with(&place, &archive, "{}", &answer), 0);
    const struct cl_json *config = cl_json_get(cl_json_get(answer, "image"), "config");
    CHECK_INT(cl_json_count(cl_json_get(cl_json_get(config, "config"), "Cmd")), 0);
    CHECK_STR(text_of(config, "os"), "linux");
    CHECK(text_of(config, "architecture")[0] != '\0' && text_of(config, "created")[0] != '\0');
    CHECK_STR(text_of(cl_json_at(cl_json_get(config, "history"), 0), "comment"), "Imported from -");
    place_done(&place);
}

TEST(a_bad_request_is_told_before_the_archive_is_read)
{
    static const struct {
        const char *request, *part;
    } cases[] = {
        { "{\"changes\":[\"RUN x\"]}", "the instruction must be" },
        { "{\"platform\":\"linux/no such\"}", "no such" },
        { "{\"created\":\"yesterday\"}", "no RFC 3339 time" },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        struct place place;
        CL_AUTO(cl_json_unref) struct cl_json *answer = NULL;
        auto_archive archive = ARCHIVE_INIT;
        REQUIRE(place_make(&place));
        archive_file(&archive, "f", "x");
        archive_end(&archive);
        CHECK(import_with(&place, &archive, cases[i].request, &answer) < 0);
        CHECK_CONTAINS(err.text, cases[i].part);
        CHECK(answer == NULL && type_at(&place, "0") == 0);
        place_done(&place);
    }
}

TEST(the_real_alpine)
{
    struct place place;
    const char *path = getenv("CLOCHE_TEST_ALPINE"), *source = getenv("CLOCHE_TEST_SOURCE");
    char beside[512];
    CL_AUTO(cl_json_unref) struct cl_json *answer = NULL, *ask = cl_json_object();
    if (path == NULL) {
        (void)CL_PRINT(beside, "%s/../shared/data/alpine-minirootfs-3.20.3-x86_64.tar.gz",
                       source == NULL ? "." : source);
        path = beside;
    }
    cl_auto_fd input = open(path, O_RDONLY | O_CLOEXEC);
    if (input < 0)
        SKIP("no Alpine root file system (CLOCHE_TEST_ALPINE names one)");
    REQUIRE(place_make(&place));
    const struct transfer_job job = {
        .input_fd = input, .layers_fd = place.in_fd, .blobs_fd = place.blobs_fd, .request = ask
    };
    if (transfer_import(&job, &answer, &err) < 0)
        TEST_SAY("%s", err.text);
    CHECK(type_at(&place, "0/bin/busybox") == S_IFREG && type_at(&place, "0/bin/sh") == S_IFLNK);
    place_done(&place);
}

TEST_MAIN
