/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images in the stage: see the header.
 */
#include "transfer/image.h"

#include <sys/stat.h>

#include "transfer/layer.h"

void image_done(struct image *image)
{
    cl_json_unref(image->config);
    free(image->layers);
    *image = (struct image){ 0 };
}

int image_make_layers(struct image *image, size_t count, struct cl_error *err)
{
    image->layers = cl_calloc(count > 0 ? count : 1, sizeof *image->layers);
    if (image->layers == NULL)
        return cl_fail(err, ENOMEM, "describe an image");
    image->layer_count = count;
    return 0;
}

int image_unpack_layer(struct stream *stream, int layers_fd, size_t number,
                       struct image_layer *layer, struct cl_error *err)
{
    (void)CL_PRINT(layer->dir, "%zu", number);
    if (mkdirat(layers_fd, layer->dir, 0755) < 0)
        return cl_fail(err, errno, "make a directory for layer %zu", number);
    cl_auto_fd dir = -EBADF;
    int result = cl_open_dir(layers_fd, layer->dir, 0, &dir, err);
    if (result >= 0)
        result = layer_unpack(stream_read, stream, dir, &layer->unpacked, err);
    if (result >= 0)
        result = stream_finish(stream, &layer->stream, err);
    cl_test_point("transfer.layer-unpacked");
    return result;
}

static int write_document(const struct cl_json *document, int blobs_fd, int64_t *ret_size,
                          char digest[static CL_DIGEST_MAX], struct cl_error *err)
{
    cl_auto_free char *text = cl_json_text(document, CL_JSON_COMPACT);
    if (text == NULL)
        return cl_fail(err, ENOMEM, "write the image's documents");
    *ret_size = (int64_t)strlen(text);
    return blob_write(blobs_fd, text, strlen(text), digest, err);
}

int image_write_config(struct image *image, const struct oci_image_config *config, int blobs_fd,
                       struct cl_error *err)
{
    if (oci_image_config_encode(config, &image->config) < 0)
        return cl_fail(err, ENOMEM, "write the image's config");
    return write_document(image->config, blobs_fd, &image->config_size, image->id, err);
}

static int add_layer(struct oci_manifest *manifest, const struct image_layer *layer)
{
    static const char *const media[] = { [OCI_PLAIN] = OCI_MEDIA_LAYER,
                                         [OCI_GZIP] = OCI_MEDIA_LAYER_GZIP,
                                         [OCI_ZSTD] = OCI_MEDIA_LAYER_ZSTD };
    struct oci_descriptor descriptor = { 0 };
    int result = oci_descriptor_init(&descriptor, media[layer->stream.compression],
                                     layer->stream.digest, layer->stream.size);
    return result < 0 ? result : oci_descriptors_add(&manifest->layers, &descriptor);
}

int image_write_manifest(struct image *image, int blobs_fd, struct cl_error *err)
{
    CL_AUTO(oci_manifest_free) struct oci_manifest *manifest = cl_calloc(1, sizeof *manifest);
    CL_AUTO(cl_json_unref) struct cl_json *document = NULL;
    int64_t ignored;
    if (manifest == NULL)
        return cl_fail(err, ENOMEM, "write the image's manifest");
    manifest->schema_version = 2;
    manifest->media_type = cl_strdup(OCI_MEDIA_MANIFEST);
    int result = manifest->media_type == NULL ? -ENOMEM : 0;
    if (result >= 0)
        result =
            oci_descriptor_init(&manifest->config, OCI_MEDIA_CONFIG, image->id, image->config_size);
    for (size_t i = 0; result >= 0 && i < image->layer_count; i++)
        result = add_layer(manifest, &image->layers[i]);
    if (result >= 0)
        result = oci_manifest_encode(manifest, &document);
    if (result < 0)
        return cl_fail(err, result, "write the image's manifest");
    return write_document(document, blobs_fd, &ignored, image->manifest, err);
}

static struct cl_json *layer_answer(const struct image_layer *layer)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    if (cl_json_set_string(json, "diff_id", layer->stream.diff_id) < 0 ||
        cl_json_set_string(json, "digest", layer->stream.digest) < 0 ||
        cl_json_set_int(json, "size", layer->stream.size) < 0 ||
        cl_json_set_int(json, "unpacked", layer->unpacked) < 0 ||
        cl_json_set_string(json, "dir", layer->dir) < 0)
        return NULL;
    return cl_take(json);
}

struct cl_json *image_answer(const struct image *image)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    CL_AUTO(cl_json_unref) struct cl_json *layers = cl_json_array();
    int64_t size = 0;
    for (size_t i = 0; i < image->layer_count; i++) {
        size += image->layers[i].unpacked;
        if (cl_json_add(layers, layer_answer(&image->layers[i])) < 0)
            return NULL;
    }
    if (cl_json_set_string(json, "id", image->id) < 0 ||
        cl_json_set(json, "config", cl_json_ref(image->config)) < 0 ||
        cl_json_set_string(json, "manifest", image->manifest) < 0 ||
        cl_json_set_int(json, "size", size) < 0 || cl_json_set(json, "layers", cl_take(layers)) < 0)
        return NULL;
    return cl_take(json);
}
