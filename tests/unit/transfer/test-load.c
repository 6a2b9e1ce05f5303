/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load: image layouts and Docker's archives, and archives that lie about what they hold.
 */
#include "support.h"

static struct cl_error err;

struct parts {
    char layer_digest[CL_DIGEST_MAX], config_digest[CL_DIGEST_MAX], manifest_digest[CL_DIGEST_MAX];
    char config[1024], manifest[1024];
    struct cl_buf layer;
};

static void digest_of(const char *text, size_t size, char digest[static CL_DIGEST_MAX])
{
    (void)cl_digest_of(text, size, digest);
}

static void make_parts(struct parts *parts, const char *label, const char *architecture)
{
    *parts = (struct parts){ .layer = CL_BUF_INIT(1u << 20) };
    archive_file(&parts->layer, "label", label);
    archive_end(&parts->layer);
    digest_of(parts->layer.data, parts->layer.size, parts->layer_digest);
    (void)CL_PRINT(parts->config,
                   "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"%s\"]},"
                   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
                   architecture, label, parts->layer_digest);
    digest_of(parts->config, strlen(parts->config), parts->config_digest);
    (void)CL_PRINT(
        parts->manifest,
        "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"config\":"
        "{\"mediaType\":\"" OCI_MEDIA_CONFIG "\",\"digest\":\"%s\",\"size\":%zu},"
        "\"layers\":[{\"mediaType\":\"" OCI_MEDIA_LAYER "\",\"digest\":\"%s\",\"size\":%zu}]}",
        parts->config_digest, strlen(parts->config), parts->layer_digest, parts->layer.size);
    digest_of(parts->manifest, strlen(parts->manifest), parts->manifest_digest);
}

static void add_blob(struct cl_buf *archive, const char *digest, const char *data, size_t size)
{
    char path[160];
    (void)CL_PRINT(path, "blobs/sha256/%s", digest + 7);
    archive_add(archive, .name = path, .type = '0', .mode = 0644, .data = data, .size = size);
}

static void add_parts(struct cl_buf *archive, const struct parts *parts)
{
    add_blob(archive, parts->layer_digest, parts->layer.data, parts->layer.size);
    add_blob(archive, parts->config_digest, parts->config, strlen(parts->config));
    add_blob(archive, parts->manifest_digest, parts->manifest, strlen(parts->manifest));
}

/* A descriptor of the image; `more` is JSON to follow its size, beginning with a comma. */
static void descriptor(const struct parts *parts, const char *more, char buffer[static 1024])
{
    (void)cl_print(buffer, 1024,
                   "{\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"digest\":\"%s\",\"size\":%zu%s}",
                   parts->manifest_digest, strlen(parts->manifest), more);
}

static int load(const struct place *place, const struct cl_buf *archive, const char *request,
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
    return transfer_load(&job, ret, &err);
}

static const struct cl_json *image_at(const struct cl_json *answer, size_t index)
{
    return cl_json_at(cl_json_get(answer, "images"), index);
}

static const char *name_at(const struct cl_json *answer, size_t image, size_t name)
{
    return cl_json_string(cl_json_at(cl_json_get(image_at(answer, image), "names"), name));
}

static const char *id_at(const struct cl_json *answer, size_t index)
{
    return cl_json_string(cl_json_get(cl_json_get(image_at(answer, index), "image"), "id"));
}

TEST(an_image_layout)
{
    struct place place;
    struct parts parts;
    CL_AUTO(cl_json_unref) struct cl_json *answer = NULL;
    auto_archive archive = ARCHIVE_INIT;
    char entry[1024], index[2048];
    REQUIRE(place_make(&place));
    make_parts(&parts, "one", "amd64");
    descriptor(
        &parts,
        ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"docker.io/library/app:1\"}",
        entry);
    (void)CL_PRINT(index, "{\"schemaVersion\":2,\"manifests\":[%s]}", entry);
    archive_file(&archive, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    archive_file(&archive, "./index.json", index); /* before what it names */
    add_parts(&archive, &parts);
    archive_end(&archive);
    if (load(&place, &archive, "{}", &answer) < 0)
        TEST_SAY("%s", err.text);
    CHECK_INT(cl_json_count(cl_json_get(answer, "images")), 1);
    CHECK_STR(name_at(answer, 0, 0), "app:1");
    CHECK_STR(id_at(answer, 0), parts.config_digest);
    CHECK_STR(cl_json_string(cl_json_get(cl_json_get(image_at(answer, 0), "image"), "manifest")),
              parts.manifest_digest);
    CHECK_STR(content_at(&place, "0/label"), "one");
    CHECK(blob_exists(place.blobs_fd, parts.layer_digest));
    cl_buf_done(&parts.layer);
    place_done(&place);
}

TEST(names_of_an_image)
{
    static const struct {
        const char *annotations, *name;
    } cases[] = {
        { "\"org.opencontainers.image.ref.name\":\"latest\"", NULL },
        { "\"org.opencontainers.image.ref.name\":\"me/app\"", "me/app:latest" },
        { "\"org.opencontainers.image.ref.name\":\"v1\",\"io.containerd.image.name\":\"quay.io/a/"
          "b:v1\"",
          "quay.io/a/b:v1" },
        { "\"org.opencontainers.image.ref.name\":\"NOT/A/Name:x\"", NULL },
        { "\"some.other\":\"annotation\"", NULL },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        struct place place;
        struct parts parts;
        CL_AUTO(cl_json_unref) struct cl_json *answer = NULL;
        auto_archive archive = ARCHIVE_INIT;
        char more[512], entry[1024], index[2048];
        REQUIRE(place_make(&place));
        make_parts(&parts, "one", "amd64");
        (void)CL_PRINT(more, ",\"annotations\":{%s}", cases[i].annotations);
        descriptor(&parts, more, entry);
        (void)CL_PRINT(index, "{\"schemaVersion\":2,\"manifests\":[%s]}", entry);
        archive_file(&archive, "index.json", index);
        add_parts(&archive, &parts);
        archive_end(&archive);
        CHECK_INT(load(&place, &archive, "{}", &answer), 0);
        CHECK_STR(name_at(answer, 0, 0), cases[i].name);
        cl_buf_done(&parts.layer);
        place_done(&place);
    }
}

/* Two platforms, of which the archive may hold one only: then that is the image, wherever it runs. */
TEST(the_platform_that_runs_is_chosen)
{
    static const struct {
        const char *request;
        bool only_arm;
        int chosen;
    } cases[] = { { "{\"platform\":\"linux/amd64\"}", false, 0 },
                  { "{\"platform\":\"linux/arm64\"}", false, 1 },
                  { "{\"platform\":\"linux/arm64\"}", true, 1 },
                  { "{\"platform\":\"linux/amd64\"}", true, 1 } };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        struct place place;
        struct parts parts[2];
        CL_AUTO(cl_json_unref) struct cl_json *answer = NULL;
        auto_archive archive = ARCHIVE_INIT;
        char one[1024], two[1024], index[4096];
        REQUIRE(place_make(&place));
        make_parts(&parts[0], "amd", "amd64");
        make_parts(&parts[1], "arm", "arm64");
        descriptor(&parts[0], ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}", one);
        descriptor(&parts[1], ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}", two);
        (void)CL_PRINT(index, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}", one, two);
        if (!cases[i].only_arm)
            add_parts(&archive, &parts[0]);
        add_parts(&archive, &parts[1]);
        archive_file(&archive, "index.json", index);
        archive_end(&archive);
        CHECK_INT(load(&place, &archive, cases[i].request, &answer), 0);
        CHECK_INT(cl_json_count(cl_json_get(answer, "images")), 1);
        CHECK_STR(id_at(answer, 0), parts[cases[i].chosen].config_digest);
        cl_buf_done(&parts[0].layer);
        cl_buf_done(&parts[1].layer);
        place_done(&place);
    }
}

TEST(one_image_under_two_names)
{
    struct place place;
    struct parts parts;
    CL_AUTO(cl_json_unref) struct cl_json *answer = NULL;
    auto_archive archive = ARCHIVE_INIT;
    char one[1024], two[1024], index[4096];
    REQUIRE(place_make(&place));
    make_parts(&parts, "one", "amd64");
    descriptor(&parts, ",\"annotations\":{\"io.containerd.image.name\":\"a:1\"}", one);
    descriptor(&parts, ",\"annotations\":{\"io.containerd.image.name\":\"b:2\"}", two);
    (void)CL_PRINT(index, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}", one, two);
    add_parts(&archive, &parts);
    archive_file(&archive, "index.json", index);
    archive_end(&archive);
    CHECK_INT(load(&place, &archive, "{}", &answer), 0);
    CHECK_INT(cl_json_count(cl_json_get(answer, "images")), 1);
    CHECK_STR(name_at(answer, 0, 0), "a:1");
    CHECK_STR(name_at(answer, 0, 1), "b:2");
    CHECK(type_at(&place, "1") == 0); /* unpacked once */
    cl_buf_done(&parts.layer);
    place_done(&place);
}

/* As `docker save` wrote it for years and skopeo still does: layers by path, some through links. */
TEST(dockers_archive)
{
    struct place place;
    struct parts parts[2];
    CL_AUTO(cl_json_unref) struct cl_json *answer = NULL, *document = NULL;
    auto_archive archive = ARCHIVE_INIT;
    REQUIRE(place_make(&place));
    make_parts(&parts[0], "one", "amd64");
    make_parts(&parts[1], "two", "amd64");
    archive_add(&archive, .name = "aaa.tar", .type = '0', .mode = 0644, .data = parts[0].layer.data,
                .size = parts[0].layer.size);
    archive_symlink(&archive, "old/layer.tar", "../aaa.tar");
    archive_file(&archive, "config-one.json", parts[0].config);
    archive_add(&archive, .name = "bbb/layer.tar", .type = '0', .mode = 0644,
                .data = parts[1].layer.data, .size = parts[1].layer.size);
    archive_file(&archive, "config-two.json", parts[1].config);
    archive_file(&archive, "repositories", "{}");
    archive_file(
        &archive, "manifest.json",
        "[{\"Config\":\"config-one.json\",\"RepoTags\":[\"app:1\",\"app:latest\"],"
        "\"Layers\":[\"old/layer.tar\"]},"
        "{\"Config\":\"config-two.json\",\"RepoTags\":null,\"Layers\":[\"bbb/layer.tar\"]}]");
    archive_end(&archive);
    if (load(&place, &archive, "{}", &answer) < 0)
        TEST_SAY("%s", err.text);
    CHECK_INT(cl_json_count(cl_json_get(answer, "images")), 2);
    CHECK_STR(name_at(answer, 0, 0), "app:1");
    CHECK_STR(name_at(answer, 0, 1), "app:latest");
    CHECK(name_at(answer, 1, 0) == NULL);
    CHECK_STR(id_at(answer, 1), parts[1].config_digest);
    CHECK_STR(content_at(&place, "0/label"), "one");
    CHECK_STR(content_at(&place, "1/label"), "two");
    const char *manifest =
        cl_json_string(cl_json_get(cl_json_get(image_at(answer, 0), "image"), "manifest"));
    CHECK_INT(blob_read_json(place.blobs_fd, manifest, "it", &document, &err), 0);
    cl_buf_done(&parts[0].layer);
    cl_buf_done(&parts[1].layer);
    place_done(&place);
}

/* Each is refused; `part` is in the text. */
static void refused(const struct cl_buf *archive, const char *part)
{
    struct place place;
    CL_AUTO(cl_json_unref) struct cl_json *answer = NULL;
    REQUIRE(place_make(&place));
    CHECK(load(&place, archive, "{}", &answer) < 0);
    CHECK_CONTAINS(err.text, part);
    CHECK(answer == NULL);
    check_neighbour(&place);
    place_done(&place);
}

TEST(a_blob_that_is_not_its_name)
{
    struct parts parts;
    auto_archive archive = ARCHIVE_INIT;
    make_parts(&parts, "one", "amd64");
    add_blob(&archive, parts.layer_digest, "something else", 14);
    archive_end(&archive);
    refused(&archive, "is corrupt: its bytes have the digest");
    CHECK_INT(err.kind, CL_KIND_CORRUPT);
    cl_buf_done(&parts.layer);
}

TEST(archives_that_hold_no_image)
{
    auto_archive rootfs = ARCHIVE_INIT, empty_index = ARCHIVE_INIT, bad_json = ARCHIVE_INIT;
    auto_archive missing = ARCHIVE_INIT, path = ARCHIVE_INIT;
    archive_file(&rootfs, "etc/passwd", "root");
    archive_end(&rootfs);
    refused(&rootfs, "neither an index.json");
    CHECK_CONTAINS(err.text, "cloche import");
    archive_file(&empty_index, "index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
    archive_end(&empty_index);
    refused(&empty_index, "list of images is empty");
    archive_file(&bad_json, "index.json", "{\"schemaVersion\":2,");
    archive_end(&bad_json);
    refused(&bad_json, "read the archive's index.json");
    archive_file(&missing, "index.json",
                 "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" OCI_MEDIA_MANIFEST
                 "\",\"size\":5,\"digest\":\"sha256:"
                 "0000000000000000000000000000000000000000000000000000000000000000\"}]}");
    archive_end(&missing);
    refused(&missing, "the archive lacks blob sha256:0000");
    archive_file(&path, "manifest.json", "[{\"Config\":\"../../../etc/passwd\",\"Layers\":[]}]");
    archive_end(&path);
    refused(&path, "names the config \"../../../etc/passwd\", which the archive lacks");
}

TEST(links_in_a_circle)
{
    auto_archive archive = ARCHIVE_INIT;
    archive_symlink(&archive, "manifest.json", "b");
    archive_symlink(&archive, "b", "manifest.json");
    archive_end(&archive);
    refused(&archive, "holds no image");
}

TEST(a_layer_that_its_config_does_not_know)
{
    struct parts parts, other;
    auto_archive archive = ARCHIVE_INIT;
    make_parts(&parts, "one", "amd64");
    make_parts(&other, "other", "amd64");
    archive_add(&archive, .name = "l.tar", .type = '0', .mode = 0644, .data = other.layer.data,
                .size = other.layer.size);
    archive_file(&archive, "c.json", parts.config);
    archive_file(&archive, "manifest.json", "[{\"Config\":\"c.json\",\"Layers\":[\"l.tar\"]}]");
    archive_end(&archive);
    refused(&archive, "is not the one that its config names");
    cl_buf_done(&parts.layer);
    cl_buf_done(&other.layer);
}

/* A layer inside of a good archive may still be a hostile one. */
TEST(a_hostile_layer_in_an_image)
{
    struct parts parts;
    auto_archive archive = ARCHIVE_INIT;
    char digest[CL_DIGEST_MAX], config[1024];
    make_parts(&parts, "one", "amd64");
    parts.layer.size = 0;
    archive_file(&parts.layer, "../../escape", "x");
    archive_end(&parts.layer);
    digest_of(parts.layer.data, parts.layer.size, digest);
    (void)CL_PRINT(config,
                   "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
                   "\"diff_ids\":[\"%s\"]}}",
                   digest);
    archive_add(&archive, .name = "l.tar", .type = '0', .mode = 0644, .data = parts.layer.data,
                .size = parts.layer.size);
    archive_file(&archive, "c.json", config);
    archive_file(&archive, "manifest.json", "[{\"Config\":\"c.json\",\"Layers\":[\"l.tar\"]}]");
    archive_end(&archive);
    refused(&archive, "tar entry \"../../escape\" climbs out of the image");
    CHECK_CONTAINS(err.text, "layer 1 of image sha256:");
    cl_buf_done(&parts.layer);
}

TEST_MAIN
