/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI image layouts: index.json → (index →) manifest → config and layers, by descriptors.
 *
 * Which entries of index.json are loaded: each one that has a name is an image (its names: io.containerd.image.name, or org.opencontainers.image.ref.name
 * where that is more than a tag). Of those without a name, all, unless they say for which platforms they are: then they are one image, and the one that runs
 * here is taken. What the archive lists but lacks (docker save of one platform of many) does not count.
 */
#include "transfer/load.h"

#define MAX_DEPTH 4

static int load_descriptor(struct load *load, const struct oci_descriptor *descriptor,
                           const char *name, unsigned depth, struct cl_error *err);

static bool is_attestation(const struct oci_descriptor *descriptor)
{
    return oci_map_get(&descriptor->annotations, "vnd.docker.reference.type") != NULL;
}

static const char *name_of(const struct oci_descriptor *descriptor)
{
    const char *name = oci_map_get(&descriptor->annotations, "io.containerd.image.name");
    return name != NULL
               ? name
               : oci_map_get(&descriptor->annotations, "org.opencontainers.image.ref.name");
}

/* ---- manifests ---- */

static int check_layers(const struct oci_manifest *manifest, const struct oci_image_config *config,
                        const char *digest, struct cl_error *err)
{
    size_t count = cl_strv_count((const char *const *)config->diff_ids);
    if (manifest->layers.count != count)
        return cl_fail_kind(err, CL_KIND_CORRUPT, EBADMSG,
                            "manifest %s has %zu layers, but its config names %zu", digest,
                            manifest->layers.count, count);
    for (size_t i = 0; i < count; i++)
        if (!oci_media_is_layer(manifest->layers.items[i].media_type, NULL, NULL))
            return cl_fail_kind(
                err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                "layer %zu of manifest %s is of the type \"%.80s\", which is no layer of a "
                "root file system",
                i + 1, digest, manifest->layers.items[i].media_type);
    return 0;
}

static int load_layers(struct load *load, const struct oci_manifest *manifest, struct image *image,
                       struct cl_error *err)
{
    CL_AUTO(oci_image_config_free) struct oci_image_config *config = NULL;
    int result = load_config(load, image, &config, err);
    if (result >= 0)
        result = check_layers(manifest, config, image->manifest, err);
    if (result >= 0)
        result = image_make_layers(image, manifest->layers.count, err);
    for (size_t i = 0; result >= 0 && i < image->layer_count; i++)
        result =
            load_layer(load, image, i, manifest->layers.items[i].digest, config->diff_ids[i], err);
    return result;
}

static int load_manifest(struct load *load, const struct oci_descriptor *descriptor,
                         const struct cl_json *document, const char *name, struct cl_error *err)
{
    CL_AUTO(oci_manifest_free) struct oci_manifest *manifest = NULL;
    auto_image image = { 0 };
    const char *const names[] = { name, NULL };
    int result = oci_manifest_decode(document, &manifest, err);
    if (result < 0)
        return cl_error_prefix(err, "manifest %s", descriptor->digest);
    if (!oci_media_is_config(manifest->config.media_type))
        return cl_fail_kind(
            err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
            "manifest %s is not of a container image: its config is of the type \"%.80s\"",
            descriptor->digest, manifest->config.media_type);
    (void)CL_PRINT(image.manifest, "%s", descriptor->digest);
    (void)CL_PRINT(image.id, "%s", manifest->config.digest);
    image.config_size = manifest->config.size;
    result = load_layers(load, manifest, &image, err);
    return result < 0 ? result : load_add(load, &image, names, err);
}

/* ---- indexes ---- */

static void forget(struct oci_descriptors *list, size_t position)
{
    oci_descriptor_done(&list->items[position]);
    list->count--;
    memmove(&list->items[position], &list->items[position + 1],
            (list->count - position) * sizeof *list->items);
}

static void forget_absent(struct load *load, struct oci_index *index)
{
    for (size_t i = index->manifests.count; i-- > 0;)
        if (is_attestation(&index->manifests.items[i]) ||
            !blob_exists(load->job->blobs_fd, index->manifests.items[i].digest))
            forget(&index->manifests, i);
}

static int load_selected(struct load *load, const struct oci_index *index, const char *name,
                         unsigned depth, struct cl_error *err)
{
    const struct oci_descriptor *selected = NULL;
    int result = oci_index_select(index, &load->wanted, &selected, err);
    return result < 0 ? result : load_descriptor(load, selected, name, depth + 1, err);
}

static int load_index(struct load *load, const struct oci_descriptor *descriptor,
                      const struct cl_json *document, const char *name, unsigned depth,
                      struct cl_error *err)
{
    CL_AUTO(oci_index_free) struct oci_index *index = NULL;
    int result = oci_index_decode(document, &index, err);
    if (result >= 0) {
        forget_absent(load, index);
        result = load_selected(load, index, name, depth, err);
    }
    return result < 0 ? cl_error_prefix(err, "index %s", descriptor->digest) : 0;
}

static int load_descriptor(struct load *load, const struct oci_descriptor *descriptor,
                           const char *name, unsigned depth, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = NULL;
    enum oci_document kind = OCI_DOCUMENT_MANIFEST;
    if (depth > MAX_DEPTH)
        return cl_fail_kind(err, CL_KIND_INVALID, ELOOP, "indexes are nested more than %d deep",
                            MAX_DEPTH);
    int result =
        blob_read_json(load->job->blobs_fd, descriptor->digest, "a manifest", &document, err);
    if (result >= 0)
        result = oci_document_kind(document, descriptor->media_type, &kind, err);
    if (result < 0)
        return result;
    return kind == OCI_DOCUMENT_INDEX ? load_index(load, descriptor, document, name, depth, err)
                                      : load_manifest(load, descriptor, document, name, err);
}

/* ---- index.json ---- */

static int load_named(struct load *load, struct oci_index *index, struct cl_error *err)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < index->manifests.count;) {
        const struct oci_descriptor *item = &index->manifests.items[i];
        if (name_of(item) == NULL) {
            i++;
            continue;
        }
        result = load_descriptor(load, item, name_of(item), 0, err);
        forget(&index->manifests, i);
    }
    return result;
}

static int load_nameless(struct load *load, struct oci_index *index, struct cl_error *err)
{
    bool is_by_platform = false;
    int result = 0;
    if (index->manifests.count > 1)
        forget_absent(load, index);
    for (size_t i = 0; i < index->manifests.count; i++)
        is_by_platform |= index->manifests.items[i].platform != NULL;
    if (is_by_platform && index->manifests.count > 1)
        return load_selected(load, index, NULL, 0, err);
    for (size_t i = 0; result >= 0 && i < index->manifests.count; i++)
        result = load_descriptor(load, &index->manifests.items[i], NULL, 0, err);
    return result;
}

int load_oci(struct load *load, const struct files_entry *entry, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = NULL;
    CL_AUTO(oci_index_free) struct oci_index *index = NULL;
    int result = blob_read_json(load->job->blobs_fd, entry->digest, "the archive's index.json",
                                &document, err);
    if (result >= 0) {
        result = oci_index_decode(document, &index, err);
        if (result < 0)
            return cl_error_prefix(err, "the archive's index.json");
    }
    if (result >= 0)
        result = load_named(load, index, err);
    if (result >= 0)
        result = load_nameless(load, index, err);
    return result;
}
