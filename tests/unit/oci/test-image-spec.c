/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests, indexes and image configs: read, written back, chosen from, and refused when they lie. */
#include "oci/image_spec.h"

#include "test.h"

#include "json-text.h"

#define HEX    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define D      "sha256:" HEX
#define LAYER  "{'mediaType':'" OCI_MEDIA_LAYER_GZIP "','digest':'" D "','size':42}"
#define CONFIG "{'mediaType':'" OCI_MEDIA_CONFIG "','digest':'" D "','size':7}"
#define MANIFEST                                                                                   \
    "{'schemaVersion':2,'mediaType':'" OCI_MEDIA_MANIFEST "','config':" CONFIG ",'layers':[" LAYER \
    "],'annotations':{'a':'b'}}"

static char *round_trip_manifest(const char *quoted, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(quoted);
    CL_AUTO(cl_json_unref) struct cl_json *back = NULL;
    CL_AUTO(oci_manifest_free) struct oci_manifest *manifest = NULL;
    if (oci_manifest_decode(json, &manifest, err) < 0 || oci_manifest_encode(manifest, &back) < 0)
        return NULL;
    return cl_json_text(back, CL_JSON_COMPACT);
}

TEST(manifest_round_trip)
{
    cl_auto_free char *expected = json_text(MANIFEST);
    cl_auto_free char *text = round_trip_manifest(MANIFEST, NULL);
    CHECK_STR(text, expected);
}

TEST(manifest_parts)
{
    CL_AUTO(cl_json_unref)
    struct cl_json *json =
        json_of("{'schemaVersion':2,'mediaType':'" DOCKER_MEDIA_MANIFEST
                "','config':{'mediaType':'" DOCKER_MEDIA_CONFIG "','digest':'" D
                "','size':7},'layers':[{'mediaType':'" DOCKER_MEDIA_LAYER_GZIP "','digest':'" D
                "','size':42,'urls':['https://x.example/l']}],"
                "'subject':" CONFIG ",'artifactType':'text/x','unknown':[1,{'x':null}]}");
    CL_AUTO(oci_manifest_free) struct oci_manifest *manifest = NULL;
    REQUIRE(oci_manifest_decode(json, &manifest, NULL) == 0);
    CHECK_INT(manifest->layers.count, 1);
    CHECK_INT(manifest->layers.items[0].size, 42);
    CHECK_STR(manifest->layers.items[0].urls[0], "https://x.example/l");
    CHECK_STR(manifest->config.digest, D);
    CHECK_STR(manifest->artifact_type, "text/x");
    REQUIRE(manifest->subject != NULL);
    CHECK_INT(manifest->subject->size, 7);
}

static void check_manifest_refused(const char *quoted, const char *why)
{
    struct cl_error err = { 0 };
    cl_auto_free char *text = round_trip_manifest(quoted, &err);
    if (text != NULL)
        TEST_SAY("accepted: %s", quoted);
    CHECK_CONTAINS(err.text, why);
    CHECK_INT(err.kind, CL_KIND_INVALID);
}

TEST(manifests_refused)
{
#define WITH_LAYER(layer) "{'schemaVersion':2,'config':" CONFIG ",'layers':[" LAYER "," layer "]}"
    check_manifest_refused(WITH_LAYER("{'mediaType':'x','digest':'sha256:../../etc','size':1}"),
                           "image manifest: layers[1].digest: not a valid digest");
    check_manifest_refused(WITH_LAYER("{'mediaType':'x','digest':'" D "','size':-1}"),
                           "layers[1].size: out of range (0 to 9223372036854775807)");
    check_manifest_refused(WITH_LAYER("{'mediaType':'x','digest':'" D "','size':'1'}"),
                           "layers[1].size: expected an integer, got string");
    check_manifest_refused(WITH_LAYER("{'mediaType':'','digest':'" D "','size':1}"),
                           "layers[1].mediaType: must not be empty");
    check_manifest_refused(WITH_LAYER("{'mediaType':'x','digest':'" D "'}"),
                           "layers[1].size: required property is missing");
    check_manifest_refused(WITH_LAYER("null"), "layers[1]: expected an object");
    check_manifest_refused("{'schemaVersion':2,'config':" CONFIG "}", "layers: required");
    check_manifest_refused("{'schemaVersion':3,'config':" CONFIG ",'layers':[]}",
                           "schemaVersion: must be 2");
    check_manifest_refused("{'config':" CONFIG ",'layers':[]}", "schemaVersion: required");
    check_manifest_refused("{'schemaVersion':1,'fsLayers':[]}", "schema version 1");
    check_manifest_refused("{}", "neither");
    check_manifest_refused("[]", "expected an object");
}

TEST(cve_2021_41190_a_document_is_not_two_things)
{
    check_manifest_refused("{'schemaVersion':2,'config':" CONFIG ",'layers':[],'manifests':[]}",
                           "parts of both");
    check_manifest_refused("{'schemaVersion':2,'mediaType':'" OCI_MEDIA_INDEX "','config':" CONFIG
                           ",'layers':[]}",
                           "contradicts");
    check_manifest_refused("{'schemaVersion':2,'mediaType':'text/html','config':" CONFIG
                           ",'layers':[]}",
                           "none that an image has");
    check_manifest_refused("{'schemaVersion':2,'manifests':[]}", "is an image index");
}

TEST(kind_with_content_type)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(MANIFEST);
    enum oci_document kind = OCI_DOCUMENT_INDEX;
    struct cl_error err = { 0 };
    CHECK_INT(oci_document_kind(json, OCI_MEDIA_MANIFEST, &kind, &err), 0);
    CHECK_INT(kind, OCI_DOCUMENT_MANIFEST);
    CHECK_INT(oci_document_kind(json, "application/json; charset=utf-8", &kind, &err), 0);
    CHECK_INT(oci_document_kind(json, OCI_MEDIA_INDEX "; q=1", &kind, &err), -EINVAL);
    CHECK_CONTAINS(err.text, "Content-Type contradicts");
}

#define ENTRY(platform)                                                                            \
    "{'mediaType':'" OCI_MEDIA_MANIFEST "','digest':'" D "','size':1" platform "}"
#define FOR(rest) ENTRY(",'platform':{" rest "}")

static const struct oci_descriptor *choose(const char *quoted, const char *platform,
                                           struct oci_index **ret, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(quoted);
    oci_auto_platform wanted = { 0 };
    const struct oci_descriptor *chosen = NULL;
    if (oci_index_decode(json, ret, err) < 0 ||
        oci_platform_parse(platform, "x86_64", &wanted, err) < 0 ||
        oci_index_select(*ret, &wanted, &chosen, err) < 0)
        return NULL;
    return chosen;
}

TEST(index_selects_the_best)
{
    static const char quoted[] = "{'schemaVersion':2,'manifests':[" FOR(
        "'os':'linux','"
        "architecture':'386'") "," FOR("'os':'linux','architecture':'amd64'") "," FOR("'os':'linux'"
                                                                                      ",'"
                                                                                      "architecture"
                                                                                      "':'arm','"
                                                                                      "variant'"
                                                                                      ":'v6'") "," FOR("'os':'linux','"
                                                                                                       "architecture':'arm','"
                                                                                                       "variant':'v7'") "," FOR("'"
                                                                                                                                "o"
                                                                                                                                "s"
                                                                                                                                "'"
                                                                                                                                ":"
                                                                                                                                "'"
                                                                                                                                "u"
                                                                                                                                "n"
                                                                                                                                "k"
                                                                                                                                "n"
                                                                                                                                "o"
                                                                                                                                "w"
                                                                                                                                "n"
                                                                                                                                "'"
                                                                                                                                ","
                                                                                                                                "'"
                                                                                                                                "a"
                                                                                                                                "r"
                                                                                                                                "c"
                                                                                                                                "h"
                                                                                                                                "i"
                                                                                                                                "t"
                                                                                                                                "e"
                                                                                                                                "c"
                                                                                                                                "t"
                                                                                                                                "u"
                                                                                                                                "r"
                                                                                                                                "e"
                                                                                                                                "'"
                                                                                                                                ":"
                                                                                                                                "'"
                                                                                                                                "u"
                                                                                                                                "n"
                                                                                                                                "k"
                                                                                                                                "n"
                                                                                                                                "o"
                                                                                                                                "w"
                                                                                                                                "n"
                                                                                                                                "'") "]}";
    static const struct {
        const char *platform;
        int expected;
    } cases[] = { { "linux/amd64", 1 },  { "linux/386", 0 },   { "linux/arm/v7", 3 },
                  { "linux/arm/v6", 2 }, { "linux/arm64", 3 }, { "unknown/unknown", -1 },
                  { "linux/s390x", -1 } };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        CL_AUTO(oci_index_free) struct oci_index *index = NULL;
        struct cl_error err = { 0 };
        const struct oci_descriptor *chosen = choose(quoted, cases[i].platform, &index, &err);
        REQUIRE(index != NULL);
        CHECK_INT(chosen == NULL ? -1 : chosen - index->manifests.items, cases[i].expected);
        if (cases[i].expected < 0) {
            CHECK_INT(err.kind, CL_KIND_NOT_FOUND);
            CHECK_CONTAINS(err.text, "linux/386, linux/amd64, linux/arm/v6, linux/arm/v7");
            CHECK(strstr(err.text, "unknown/unknown,") == NULL);
        }
    }
}

TEST(index_entry_without_platform_is_the_last_resort)
{
    CL_AUTO(oci_index_free) struct oci_index *index = NULL;
    const struct oci_descriptor *chosen =
        choose("{'schemaVersion':2,'manifests':[" ENTRY("") "," FOR(
                   "'os':'linux','architecture':'386'") "]}",
               "linux/amd64", &index, NULL);
    REQUIRE(index != NULL);
    CHECK(chosen == &index->manifests.items[1]);
    oci_index_free(cl_take(index));
    chosen = choose("{'schemaVersion':2,'manifests':[" ENTRY("") "]}", "linux/s390x", &index, NULL);
    REQUIRE(index != NULL);
    CHECK(chosen == &index->manifests.items[0]);
}

#define IMAGE                                                                                      \
    "{'created':'2024-09-06T12:05:36Z','author':'me','architecture':'arm64','variant':'v8',"       \
    "'os':'linux','config':{'User':'1000:10','ExposedPorts':{'80/tcp':{},'53/udp':{}},"            \
    "'Env':['PATH=/bin','A=b'],'Entrypoint':['/init'],'Cmd':['sh','-c'],'Volumes':{'/data':{}},"   \
    "'WorkingDir':'/srv','Labels':{'k':'v'},'StopSignal':'SIGINT','ArgsEscaped':true,"             \
    "'Healthcheck':{'Test':['CMD','true'],'Interval':30000000000,'Retries':3},"                    \
    "'OnBuild':['RUN x'],'Shell':['/bin/sh','-c']},'rootfs':{'type':'layers','diff_ids':['" D      \
    "']},'history':[{'created':'2024-09-06T12:05:36Z','created_by':'ADD'},{'empty_layer':true}]}"

TEST(image_config_round_trip)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(IMAGE);
    CL_AUTO(cl_json_unref) struct cl_json *back = NULL;
    CL_AUTO(oci_image_config_free) struct oci_image_config *config = NULL;
    struct cl_error err = { 0 };
    if (oci_image_config_decode(json, &config, &err) < 0) {
        TEST_SAY("%s", err.text);
        return;
    }
    CHECK_STR(config->platform.variant, "v8");
    CHECK_STR(config->config.exposed_ports[1], "53/udp");
    CHECK_STR(config->config.volumes[0], "/data");
    CHECK_STR(oci_map_get(&config->config.labels, "k"), "v");
    CHECK_INT(config->config.healthcheck->interval, 30000000000);
    CHECK_STR(config->diff_ids[0], D);
    CHECK(config->history[1].empty_layer);
    REQUIRE(oci_image_config_encode(config, &back) == 0);
    cl_auto_free char *text = cl_json_text(back, CL_JSON_COMPACT);
    cl_auto_free char *expected = json_text(IMAGE);
    CHECK_STR(text, expected);
}

static int decode_config(const char *quoted, struct oci_image_config **ret, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(quoted);
    return oci_image_config_decode(json, ret, err);
}

TEST(docker_writes_null_for_what_is_not_there)
{
    CL_AUTO(oci_image_config_free) struct oci_image_config *config = NULL;
    CHECK_INT(decode_config("{'architecture':'amd64','os':'linux','container_config':{'Cmd':1},"
                            "'config':{'Cmd':null,'Env':null,'Volumes':null,'Labels':null,"
                            "'Healthcheck':null,'Domainname':''},"
                            "'rootfs':{'type':'layers'},'history':null}",
                            &config, NULL),
              0);
    REQUIRE(config != NULL);
    CHECK(config->config.cmd == NULL && config->diff_ids == NULL);
}

TEST(image_configs_refused)
{
    static const struct {
        const char *quoted;
        const char *why;
    } cases[] = {
        { "{'os':'linux','rootfs':{'type':'layers'}}", "architecture: required" },
        { "{'os':'linux','architecture':'x'}", "image config: rootfs: required" },
        { "{'os':'linux','architecture':'x','rootfs':{'type':'base'}}", "rootfs.type: must be" },
        { "{'os':'linux','architecture':'x','rootfs':{'type':'layers','diff_ids':['" D "','x']}}",
          "rootfs.diff_ids[1]: not a valid digest" },
        { "{'os':'linux','architecture':'x','rootfs':{'type':'layers'},'config':{'Env':[1]}}",
          "config.Env[0]: expected a string" },
        { "{'os':'linux','architecture':'x','rootfs':{'type':'layers'},'config':"
          "{'Labels':{'a\\u001b[0m':2}}}",
          "config.Labels[\"a?[0m\"]: expected a string" },
        { "{'os':'linux','architecture':'x','rootfs':{'type':'layers'},'config':{'Volumes':[]}}",
          "config.Volumes: expected an object, got array" },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        CL_AUTO(oci_image_config_free) struct oci_image_config *config = NULL;
        struct cl_error err = { 0 };
        CHECK_INT(decode_config(cases[i].quoted, &config, &err), -EINVAL);
        CHECK(config == NULL);
        CHECK_CONTAINS(err.text, cases[i].why);
    }
}

TEST(layer_media_types)
{
    enum oci_compression compression = OCI_PLAIN;
    bool is_foreign = true;
    CHECK(oci_media_is_layer(OCI_MEDIA_LAYER_ZSTD, &compression, &is_foreign));
    CHECK_INT(compression, OCI_ZSTD);
    CHECK(!is_foreign);
    CHECK(oci_media_is_layer(DOCKER_MEDIA_LAYER_GZIP, &compression, NULL));
    CHECK_INT(compression, OCI_GZIP);
    CHECK(oci_media_is_layer(OCI_MEDIA_LAYER, &compression, NULL));
    CHECK_INT(compression, OCI_PLAIN);
    CHECK(oci_media_is_layer(DOCKER_MEDIA_FOREIGN_LAYER, NULL, &is_foreign));
    CHECK(is_foreign);
    CHECK(!oci_media_is_layer("application/octet-stream", NULL, NULL));
    CHECK(!oci_media_is_layer(NULL, NULL, NULL));
    CHECK(oci_media_is_manifest(DOCKER_MEDIA_MANIFEST) && !oci_media_is_manifest(OCI_MEDIA_INDEX));
    CHECK(oci_media_is_index(DOCKER_MEDIA_MANIFEST_LIST) && !oci_media_is_index(NULL));
    CHECK(oci_media_is_config(DOCKER_MEDIA_CONFIG));
}

TEST(descriptors_by_hand)
{
    struct oci_descriptor item = { 0 };
    CHECK_INT(oci_descriptor_init(&item, OCI_MEDIA_LAYER, "sha256:x", 1), -EINVAL);
    CHECK_INT(oci_descriptor_init(&item, OCI_MEDIA_LAYER, D, -1), -EINVAL);
    REQUIRE(oci_descriptor_init(&item, OCI_MEDIA_LAYER, D, 1) == 0);
    struct oci_manifest *manifest = cl_calloc(1, sizeof *manifest);
    manifest->schema_version = 2;
    CHECK_INT(oci_descriptors_add(&manifest->layers, &item), 0);
    CHECK(item.digest == NULL);
    REQUIRE(oci_descriptor_init(&item, OCI_MEDIA_LAYER, D, 2) == 0);
    CHECK_INT(oci_descriptors_add(&manifest->layers, &item), 0);
    CHECK_INT(manifest->layers.count, 2);
    CHECK_INT(manifest->layers.items[1].size, 2);
    oci_manifest_free(manifest);
}

TEST_MAIN
