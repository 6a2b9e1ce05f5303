/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of the image-spec: their field tables, what tells a manifest from an index, and the choice of a platform's entry.
 */
#include "oci/image_spec.h"

#include "base/digest.h"
#include "oci/fields.h"

#include <errno.h>

/* ---- Media types ---- */

bool oci_media_is_manifest(const char *media_type)
{
    return cl_streq(media_type, OCI_MEDIA_MANIFEST) || cl_streq(media_type, DOCKER_MEDIA_MANIFEST);
}

bool oci_media_is_index(const char *media_type)
{
    return cl_streq(media_type, OCI_MEDIA_INDEX) ||
           cl_streq(media_type, DOCKER_MEDIA_MANIFEST_LIST);
}

bool oci_media_is_config(const char *media_type)
{
    return cl_streq(media_type, OCI_MEDIA_CONFIG) || cl_streq(media_type, DOCKER_MEDIA_CONFIG);
}

static const struct {
    const char *media_type;
    enum oci_compression compression;
    bool is_foreign;
} layer_types[] = {
    { OCI_MEDIA_LAYER_GZIP, OCI_GZIP, false },
    { DOCKER_MEDIA_LAYER_GZIP, OCI_GZIP, false },
    { OCI_MEDIA_LAYER_ZSTD, OCI_ZSTD, false },
    { DOCKER_MEDIA_LAYER_ZSTD, OCI_ZSTD, false },
    { OCI_MEDIA_LAYER, OCI_PLAIN, false },
    { DOCKER_MEDIA_LAYER, OCI_PLAIN, false },
    { OCI_MEDIA_FOREIGN_LAYER, OCI_PLAIN, true },
    { OCI_MEDIA_FOREIGN_LAYER "+gzip", OCI_GZIP, true },
    { OCI_MEDIA_FOREIGN_LAYER "+zstd", OCI_ZSTD, true },
    { DOCKER_MEDIA_FOREIGN_LAYER, OCI_GZIP, true },
};

bool oci_media_is_layer(const char *media_type, enum oci_compression *ret, bool *ret_foreign)
{
    for (size_t i = 0; i < CL_COUNT(layer_types); i++) {
        if (!cl_streq(media_type, layer_types[i].media_type))
            continue;
        if (ret != NULL)
            *ret = layer_types[i].compression;
        if (ret_foreign != NULL)
            *ret_foreign = layer_types[i].is_foreign;
        return true;
    }
    return false;
}

/* ---- Descriptors ---- */

static const struct oci_field platform_fields[] = {
    FIELD(struct oci_platform, "architecture", architecture, oci_string, REQUIRED),
    FIELD(struct oci_platform, "os", os, oci_string, REQUIRED),
    FIELD(struct oci_platform, "os.version", os_version, oci_string, OPTIONAL),
    FIELD(struct oci_platform, "os.features", os_features, oci_strv, OPTIONAL),
    FIELD(struct oci_platform, "variant", variant, oci_string, OPTIONAL),
};
static const struct oci_shape platform_shape = OCI_SHAPE(struct oci_platform, platform_fields);

static const struct oci_field descriptor_fields[] = {
    FIELD(struct oci_descriptor, "mediaType", media_type, oci_text, REQUIRED),
    FIELD(struct oci_descriptor, "digest", digest, oci_digest, REQUIRED),
    FIELD(struct oci_descriptor, "size", size, oci_size, REQUIRED),
    FIELD(struct oci_descriptor, "urls", urls, oci_strv, OPTIONAL),
    FIELD(struct oci_descriptor, "annotations", annotations, oci_map, OPTIONAL),
    FIELD(struct oci_descriptor, "data", data, oci_string, OPTIONAL),
    FIELD_OF(struct oci_descriptor, "platform", platform, oci_pointer, platform_shape, OPTIONAL),
    FIELD(struct oci_descriptor, "artifactType", artifact_type, oci_string, OPTIONAL),
};
static const struct oci_shape descriptor_shape =
    OCI_SHAPE(struct oci_descriptor, descriptor_fields);

int oci_descriptor_decode(const struct cl_json *json, struct oci_descriptor *ret,
                          struct cl_error *err)
{
    return oci_shape_decode(&descriptor_shape, "descriptor", json, ret, err);
}

int oci_descriptor_encode(const struct oci_descriptor *descriptor, struct cl_json **ret)
{
    return oci_shape_encode(&descriptor_shape, descriptor, ret);
}

void oci_descriptor_done(struct oci_descriptor *descriptor)
{
    oci_shape_done(&descriptor_shape, descriptor);
}

int oci_descriptor_init(struct oci_descriptor *ret, const char *media_type, const char *digest,
                        int64_t size)
{
    if (!cl_digest_is_valid(digest) || size < 0)
        return -EINVAL;
    struct oci_descriptor descriptor = { .size = size };
    descriptor.media_type = cl_strdup(media_type);
    descriptor.digest = cl_strdup(digest);
    if (descriptor.media_type == NULL || descriptor.digest == NULL) {
        oci_descriptor_done(&descriptor);
        return -ENOMEM;
    }
    *ret = descriptor;
    return 0;
}

int oci_descriptors_add(struct oci_descriptors *list, struct oci_descriptor *take_item)
{
    struct oci_descriptor *item = oci_list_grow(&list->items, &list->count, sizeof *item);
    if (item == NULL) {
        oci_descriptor_done(take_item);
        return -ENOMEM;
    }
    *item = *take_item;
    *take_item = (struct oci_descriptor){ 0 };
    return 0;
}

/* ---- Manifest and index ---- */

static int check_schema(struct oci_reader *reader, int64_t version)
{
    if (version == 2)
        return 0;
    (void)oci_read_into(reader, "schemaVersion");
    return oci_read_fail(reader, EINVAL, "must be 2");
}

static int manifest_finish(struct oci_reader *reader, void *object)
{
    const struct oci_manifest *manifest = object;
    return check_schema(reader, manifest->schema_version);
}

static const struct oci_field manifest_fields[] = {
    FIELD(struct oci_manifest, "schemaVersion", schema_version, oci_i64, REQUIRED),
    FIELD(struct oci_manifest, "mediaType", media_type, oci_string, OPTIONAL),
    FIELD(struct oci_manifest, "artifactType", artifact_type, oci_string, OPTIONAL),
    FIELD_OF(struct oci_manifest, "config", config, oci_object, descriptor_shape, REQUIRED),
    FIELD_LIST(struct oci_manifest, "layers", layers.items, layers.count, oci_list,
               descriptor_shape, REQUIRED),
    FIELD_OF(struct oci_manifest, "subject", subject, oci_pointer, descriptor_shape, OPTIONAL),
    FIELD(struct oci_manifest, "annotations", annotations, oci_map, OPTIONAL),
};
static const struct oci_shape manifest_shape =
    OCI_SHAPE_FINISH(struct oci_manifest, manifest_fields, manifest_finish);

static int index_finish(struct oci_reader *reader, void *object)
{
    const struct oci_index *index = object;
    return check_schema(reader, index->schema_version);
}

static const struct oci_field index_fields[] = {
    FIELD(struct oci_index, "schemaVersion", schema_version, oci_i64, REQUIRED),
    FIELD(struct oci_index, "mediaType", media_type, oci_string, OPTIONAL),
    FIELD(struct oci_index, "artifactType", artifact_type, oci_string, OPTIONAL),
    FIELD_LIST(struct oci_index, "manifests", manifests.items, manifests.count, oci_list,
               descriptor_shape, REQUIRED),
    FIELD_OF(struct oci_index, "subject", subject, oci_pointer, descriptor_shape, OPTIONAL),
    FIELD(struct oci_index, "annotations", annotations, oci_map, OPTIONAL),
};
static const struct oci_shape index_shape =
    OCI_SHAPE_FINISH(struct oci_index, index_fields, index_finish);

static int check_kind(const struct cl_json *json, enum oci_document expected, struct cl_error *err)
{
    enum oci_document kind;
    int r = oci_document_kind(json, NULL, &kind, err);
    if (r < 0 || kind == expected)
        return r;
    return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                        expected == OCI_DOCUMENT_MANIFEST
                            ? "image manifest: the document is an image index"
                            : "image index: the document is an image manifest");
}

int oci_manifest_decode(const struct cl_json *json, struct oci_manifest **ret, struct cl_error *err)
{
    void *manifest;
    int r = check_kind(json, OCI_DOCUMENT_MANIFEST, err);
    if (r == 0)
        r = oci_shape_decode_new(&manifest_shape, "image manifest", json, &manifest, err);
    if (r == 0)
        *ret = manifest;
    return r;
}

int oci_manifest_encode(const struct oci_manifest *manifest, struct cl_json **ret)
{
    return oci_shape_encode(&manifest_shape, manifest, ret);
}

void oci_manifest_free(struct oci_manifest *manifest)
{
    oci_shape_free(&manifest_shape, manifest);
}

int oci_index_decode(const struct cl_json *json, struct oci_index **ret, struct cl_error *err)
{
    void *index;
    int r = check_kind(json, OCI_DOCUMENT_INDEX, err);
    if (r == 0)
        r = oci_shape_decode_new(&index_shape, "image index", json, &index, err);
    if (r == 0)
        *ret = index;
    return r;
}

int oci_index_encode(const struct oci_index *index, struct cl_json **ret)
{
    return oci_shape_encode(&index_shape, index, ret);
}

void oci_index_free(struct oci_index *index)
{
    oci_shape_free(&index_shape, index);
}

/* ---- Manifest or index? ---- */

static int refuse_document(struct cl_error *err, const char *why)
{
    return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "image manifest or index: %s", why);
}

/* "application/json; charset=utf-8" says nothing about the kind; parameters do not count. */
static bool kind_of_media_type(const char *media_type, enum oci_document *ret)
{
    cl_auto_free char *bare = NULL;
    if (media_type != NULL)
        bare = cl_strndup(media_type, strcspn(media_type, "; "));
    if (oci_media_is_manifest(bare))
        *ret = OCI_DOCUMENT_MANIFEST;
    else if (oci_media_is_index(bare))
        *ret = OCI_DOCUMENT_INDEX;
    else
        return false;
    return true;
}

int oci_document_kind(const struct cl_json *json, const char *content_type, enum oci_document *ret,
                      struct cl_error *err)
{
    if (cl_json_type(json) != CL_JSON_OBJECT)
        return refuse_document(err, "expected an object");
    const struct cl_json *stated = cl_json_get(json, "mediaType");
    const char *media_type = cl_json_string(stated);
    bool is_index = cl_json_get(json, "manifests") != NULL;
    bool is_manifest = cl_json_get(json, "config") != NULL || cl_json_get(json, "layers") != NULL;
    enum oci_document kind = is_index ? OCI_DOCUMENT_INDEX : OCI_DOCUMENT_MANIFEST;
    enum oci_document claimed = kind;
    if (cl_json_int(cl_json_get(json, "schemaVersion")) == 1)
        return refuse_document(err, "schema version 1 is not supported; the image must be pushed "
                                    "again with a current tool");
    if (is_index && is_manifest)
        return refuse_document(err,
                               "has the parts of both, so its meaning would depend on the reader");
    if (!is_index && !is_manifest)
        return refuse_document(err, "has neither config and layers nor manifests");
    if (stated != NULL && !kind_of_media_type(media_type, &claimed))
        return refuse_document(err, "mediaType is none that an image has");
    if (claimed != kind)
        return refuse_document(err, "mediaType contradicts what the document holds");
    if (kind_of_media_type(content_type, &claimed) && claimed != kind)
        return refuse_document(err, "the Content-Type contradicts what the document holds");
    *ret = kind;
    return 0;
}

/* ---- The entry for a platform ---- */

static bool is_attestation(const struct oci_descriptor *entry)
{
    return entry->platform != NULL && cl_streq(entry->platform->os, "unknown") &&
           cl_streq(entry->platform->architecture, "unknown");
}

static void list_platforms(const struct oci_index *index, struct cl_buf *list)
{
    for (size_t i = 0; i < index->manifests.count; i++) {
        const struct oci_descriptor *entry = &index->manifests.items[i];
        if (entry->platform == NULL || is_attestation(entry))
            continue;
        cl_auto_free char *platform = oci_platform_format(entry->platform);
        cl_auto_free char *shown = platform != NULL ? cl_escape_terminal(platform) : NULL;
        if (shown != NULL)
            cl_buf_printf(list, "%s%s", list->size > 0 ? ", " : "", shown);
    }
}

static int no_platform(const struct oci_index *index, const struct oci_platform *wanted,
                       struct cl_error *err)
{
    cl_auto_buf list = CL_BUF_INIT(300);
    cl_auto_free char *platform = oci_platform_format(wanted);
    list_platforms(index, &list);
    return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT, "no image for platform %s; there is %s%s",
                        platform != NULL ? platform : "of this host",
                        list.size > 0 ? list.data : "none", list.failed != 0 ? ", …" : "");
}

#define RANK_WITHOUT_PLATFORM 1000

int oci_index_select(const struct oci_index *index, const struct oci_platform *wanted,
                     const struct oci_descriptor **ret, struct cl_error *err)
{
    const struct oci_descriptor *best = NULL;
    int best_rank = RANK_WITHOUT_PLATFORM + 1;
    for (size_t i = 0; i < index->manifests.count; i++) {
        const struct oci_descriptor *entry = &index->manifests.items[i];
        int rank = RANK_WITHOUT_PLATFORM;
        if (entry->platform != NULL)
            rank = is_attestation(entry) ? -1 : oci_platform_rank(wanted, entry->platform);
        if (rank < 0 || rank >= best_rank)
            continue;
        best = entry;
        best_rank = rank;
    }
    if (best == NULL)
        return no_platform(index, wanted, err);
    *ret = best;
    return 0;
}

/* ---- Image configuration ---- */

static const struct oci_field healthcheck_fields[] = {
    FIELD(struct oci_healthcheck, "Test", test, oci_strv, OPTIONAL),
    FIELD(struct oci_healthcheck, "Interval", interval, oci_i64, OPTIONAL),
    FIELD(struct oci_healthcheck, "Timeout", timeout, oci_i64, OPTIONAL),
    FIELD(struct oci_healthcheck, "StartPeriod", start_period, oci_i64, OPTIONAL),
    FIELD(struct oci_healthcheck, "StartInterval", start_interval, oci_i64, OPTIONAL),
    FIELD(struct oci_healthcheck, "Retries", retries, oci_i64, OPTIONAL),
};
static const struct oci_shape healthcheck_shape =
    OCI_SHAPE(struct oci_healthcheck, healthcheck_fields);

static const struct oci_field run_fields[] = {
    FIELD(struct oci_image_run, "User", user, oci_string, OPTIONAL),
    FIELD(struct oci_image_run, "ExposedPorts", exposed_ports, oci_keys, OPTIONAL),
    FIELD(struct oci_image_run, "Env", env, oci_strv, OPTIONAL),
    FIELD(struct oci_image_run, "Entrypoint", entrypoint, oci_strv, OPTIONAL),
    FIELD(struct oci_image_run, "Cmd", cmd, oci_strv, OPTIONAL),
    FIELD(struct oci_image_run, "Volumes", volumes, oci_keys, OPTIONAL),
    FIELD(struct oci_image_run, "WorkingDir", working_dir, oci_string, OPTIONAL),
    FIELD(struct oci_image_run, "Labels", labels, oci_map, OPTIONAL),
    FIELD(struct oci_image_run, "StopSignal", stop_signal, oci_string, OPTIONAL),
    FIELD(struct oci_image_run, "ArgsEscaped", args_escaped, oci_bool, OPTIONAL),
    FIELD_OF(struct oci_image_run, "Healthcheck", healthcheck, oci_pointer, healthcheck_shape,
             OPTIONAL),
    FIELD(struct oci_image_run, "OnBuild", on_build, oci_strv, OPTIONAL),
    FIELD(struct oci_image_run, "Shell", shell, oci_strv, OPTIONAL),
};
static const struct oci_shape run_shape = OCI_SHAPE(struct oci_image_run, run_fields);

static const struct oci_field history_fields[] = {
    FIELD(struct oci_history, "created", created, oci_string, OPTIONAL),
    FIELD(struct oci_history, "created_by", created_by, oci_string, OPTIONAL),
    FIELD(struct oci_history, "author", author, oci_string, OPTIONAL),
    FIELD(struct oci_history, "comment", comment, oci_string, OPTIONAL),
    FIELD(struct oci_history, "empty_layer", empty_layer, oci_bool, OPTIONAL),
};
static const struct oci_shape history_shape = OCI_SHAPE(struct oci_history, history_fields);

/* rootfs.type has one legal word, so nothing stores it. */
static int rootfs_type_decode(struct oci_reader *reader, const struct oci_field *field,
                              const struct cl_json *value, void *member)
{
    if (cl_streq(cl_json_string(value), "layers"))
        return 0;
    return oci_read_fail(reader, EINVAL, "must be \"layers\"");
}

static int rootfs_type_encode(const struct oci_field *field, const void *member,
                              struct cl_json **ret)
{
    *ret = cl_json_from_string("layers");
    return *ret != NULL ? 0 : -ENOMEM;
}

static const struct oci_codec rootfs_type_codec = { "rootfs type", 0, rootfs_type_decode,
                                                    rootfs_type_encode, NULL };
struct rootfs {
    char **diff_ids;
};
static const struct oci_field rootfs_fields[] = {
    { .name = "type", .codec = &rootfs_type_codec, .presence = REQUIRED },
    FIELD(struct rootfs, "diff_ids", diff_ids, oci_digests, ALWAYS),
};
static const struct oci_shape rootfs_shape = OCI_SHAPE(struct rootfs, rootfs_fields);

static const struct oci_field config_fields[] = {
    FIELD(struct oci_image_config, "created", created, oci_string, OPTIONAL),
    FIELD(struct oci_image_config, "author", author, oci_string, OPTIONAL),
    FIELD(struct oci_image_config, "architecture", platform.architecture, oci_string, REQUIRED),
    FIELD(struct oci_image_config, "variant", platform.variant, oci_string, OPTIONAL),
    FIELD(struct oci_image_config, "os", platform.os, oci_string, REQUIRED),
    FIELD(struct oci_image_config, "os.version", platform.os_version, oci_string, OPTIONAL),
    FIELD(struct oci_image_config, "os.features", platform.os_features, oci_strv, OPTIONAL),
    FIELD_OF(struct oci_image_config, "config", config, oci_object, run_shape, OPTIONAL),
    FIELD_OF(struct oci_image_config, "rootfs", diff_ids, oci_object, rootfs_shape, REQUIRED),
    FIELD_LIST(struct oci_image_config, "history", history, history_count, oci_list, history_shape,
               OPTIONAL),
};
static const struct oci_shape config_shape = OCI_SHAPE(struct oci_image_config, config_fields);

int oci_image_config_decode(const struct cl_json *json, struct oci_image_config **ret,
                            struct cl_error *err)
{
    void *config;
    int r = oci_shape_decode_new(&config_shape, "image config", json, &config, err);
    if (r == 0)
        *ret = config;
    return r;
}

int oci_image_config_encode(const struct oci_image_config *config, struct cl_json **ret)
{
    return oci_shape_encode(&config_shape, config, ret);
}

void oci_image_config_free(struct oci_image_config *config)
{
    oci_shape_free(&config_shape, config);
}
