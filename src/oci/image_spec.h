/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCI image specification 1.1 (opencontainers/image-spec: config.md, manifest.md, image-index.md, descriptor.md) and its elder, Docker's
 * image manifest v2 schema 2, which has the same shape under other media types. Unknown properties are ignored, null is absent.
 *
 * Untrusted bytes: digests are strictly valid after decoding, sizes are not negative, and a document that is a manifest and an index at the
 * same time is refused (CVE-2021-41190).
 */
#pragma once

#include "base/json.h"
#include "oci/platform.h"
#include "oci/types.h"

#define OCI_MEDIA_MANIFEST   "application/vnd.oci.image.manifest.v1+json"
#define OCI_MEDIA_INDEX      "application/vnd.oci.image.index.v1+json"
#define OCI_MEDIA_CONFIG     "application/vnd.oci.image.config.v1+json"
#define OCI_MEDIA_EMPTY      "application/vnd.oci.empty.v1+json"
#define OCI_MEDIA_LAYOUT     "application/vnd.oci.layout.header.v1+json"
#define OCI_MEDIA_LAYER      "application/vnd.oci.image.layer.v1.tar"
#define OCI_MEDIA_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCI_MEDIA_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define OCI_MEDIA_FOREIGN_LAYER                                                                    \
    "application/vnd.oci.image.layer.nondistributable.v1.tar" /* deprecated, also +gzip, +zstd */
#define DOCKER_MEDIA_MANIFEST      "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_MEDIA_MANIFEST_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_MEDIA_CONFIG        "application/vnd.docker.container.image.v1+json"
#define DOCKER_MEDIA_LAYER         "application/vnd.docker.image.rootfs.diff.tar"
#define DOCKER_MEDIA_LAYER_GZIP    "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define DOCKER_MEDIA_LAYER_ZSTD    "application/vnd.docker.image.rootfs.diff.tar.zstd"
#define DOCKER_MEDIA_FOREIGN_LAYER "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
#define DOCKER_MEDIA_MANIFEST_V1                                                                   \
    "application/vnd.docker.distribution.manifest.v1+json" /* refused by name */

enum oci_compression { OCI_PLAIN, OCI_GZIP, OCI_ZSTD };
bool oci_media_is_manifest(const char *media_type); /* OCI or Docker */
bool oci_media_is_index(const char *media_type);
bool oci_media_is_config(const char *media_type);
/* False when it is no layer. *ret (may be NULL) gets how it is compressed, *ret_foreign (may be NULL) whether it is non-distributable. */
bool oci_media_is_layer(const char *media_type, enum oci_compression *ret, bool *ret_foreign);

struct oci_descriptor {
    char *media_type;
    char *digest;
    int64_t size;
    char **urls;
    struct oci_map annotations;
    char *data; /* base64, as it stands in the document */
    char *artifact_type;
    struct oci_platform *platform;
};
struct oci_descriptors {
    struct oci_descriptor *items;
    size_t count;
};

struct oci_manifest {
    int64_t schema_version; /* always 2 */
    char *media_type;       /* NULL: the OCI one */
    char *artifact_type;
    struct oci_descriptor config;
    struct oci_descriptors layers; /* base first */
    struct oci_descriptor *subject;
    struct oci_map annotations;
};

struct oci_index {
    int64_t schema_version;
    char *media_type;
    char *artifact_type;
    struct oci_descriptors manifests;
    struct oci_descriptor *subject;
    struct oci_map annotations;
};

struct oci_healthcheck { /* Docker's; durations in nanoseconds, 0: inherit */
    char **test;         /* {"NONE"}, {"CMD", …}, {"CMD-SHELL", …} */
    int64_t interval;
    int64_t timeout;
    int64_t start_period;
    int64_t start_interval;
    int64_t retries;
};

/* The run-time part ("config"): names as Docker and the spec write them. */
struct oci_image_run {
    char *user;
    char **exposed_ports; /* the keys: "80/tcp" */
    char **env;
    char **entrypoint;
    char **cmd;
    char **volumes; /* the keys: paths */
    char *working_dir;
    struct oci_map labels;
    char *stop_signal;
    bool args_escaped;
    struct oci_healthcheck *healthcheck;
    char **on_build; /* Docker's */
    char **shell;    /* Docker's */
};

struct oci_history {
    char *created; /* RFC 3339 */
    char *created_by;
    char *author;
    char *comment;
    bool empty_layer;
};

struct oci_image_config {
    char *created; /* RFC 3339 */
    char *author;
    struct oci_platform platform; /* architecture, os, variant, os.version, os.features */
    struct oci_image_run config;
    char **
        diff_ids; /* rootfs.diff_ids: digests of the plain tars, base first; rootfs.type must be "layers" */
    struct oci_history *history;
    size_t history_count;
};

/* Decoders: 0, or -EINVAL / -ENOMEM with *ret untouched. Encoders: 0 or -ENOMEM. Frees take NULL. */
int oci_image_config_decode(const struct cl_json *json, struct oci_image_config **ret,
                            struct cl_error *err);
int oci_image_config_encode(const struct oci_image_config *config, struct cl_json **ret);
void oci_image_config_free(struct oci_image_config *config);
CL_DEFINE_AUTO(struct oci_image_config, oci_image_config_free)

int oci_manifest_decode(const struct cl_json *json, struct oci_manifest **ret,
                        struct cl_error *err);
int oci_manifest_encode(const struct oci_manifest *manifest, struct cl_json **ret);
void oci_manifest_free(struct oci_manifest *manifest);
CL_DEFINE_AUTO(struct oci_manifest, oci_manifest_free)

int oci_index_decode(const struct cl_json *json, struct oci_index **ret, struct cl_error *err);
int oci_index_encode(const struct oci_index *index, struct cl_json **ret);
void oci_index_free(struct oci_index *index);
CL_DEFINE_AUTO(struct oci_index, oci_index_free)

void oci_descriptor_done(struct oci_descriptor *descriptor);
int oci_descriptor_decode(const struct cl_json *json, struct oci_descriptor *ret,
                          struct cl_error *err); /* *ret zeroed before */
int oci_descriptor_encode(const struct oci_descriptor *descriptor, struct cl_json **ret);
/* media_type, digest and size set (the strings copied); *ret zeroed before. 0, -EINVAL (digest, size) or -ENOMEM. */
int oci_descriptor_init(struct oci_descriptor *ret, const char *media_type, const char *digest,
                        int64_t size);
/* Appends *take_item (moved, also on failure: then done). */
int oci_descriptors_add(struct oci_descriptors *list, struct oci_descriptor *take_item);

/*
 * Is it a manifest or an index? By mediaType, else by the Content-Type that came with it (may be NULL), else by shape. Contradictions
 * between them, schemaVersion 1, and documents of both shapes are refused.
 */
enum oci_document { OCI_DOCUMENT_MANIFEST, OCI_DOCUMENT_INDEX };
int oci_document_kind(const struct cl_json *json, const char *content_type, enum oci_document *ret,
                      struct cl_error *err);

/*
 * The entry of an index that runs best on `wanted`: by oci_platform_rank, the earliest among equals; attestations (unknown/unknown) never.
 * An entry without platform counts as a match of last resort. -ENOENT (NOT_FOUND) lists the platforms there are. *ret is borrowed from the index.
 */
int oci_index_select(const struct oci_index *index, const struct oci_platform *wanted,
                     const struct oci_descriptor **ret, struct cl_error *err);
