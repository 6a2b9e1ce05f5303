/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image that was put together in the stage: its documents as blobs, and the answer that describes it.
 */
#pragma once

#include "transfer/stream.h"
#include "transfer/transfer.h"

struct image_layer {
    struct stream_result stream;
    char dir[16];     /* below layers_fd */
    int64_t unpacked; /* sum of its files' sizes */
};

struct image {
    char id[CL_DIGEST_MAX];       /* of the config */
    char manifest[CL_DIGEST_MAX]; /* "" until image_write_manifest or the caller fills it */
    int64_t config_size;
    struct cl_json *config;
    struct image_layer *layers; /* base first */
    size_t layer_count;
};
void image_done(struct image *image);
static inline void image_done_auto(struct image *image)
{
    image_done(image);
}
#define auto_image __attribute__((cleanup(image_done_auto))) struct image

/* Room for `count` layers, zeroed. */
int image_make_layers(struct image *image, size_t count, struct cl_error *err);
/* Unpack a stream into the new directory layers_fd/NUMBER; fills *layer. */
int image_unpack_layer(struct stream *stream, int layers_fd, size_t number,
                       struct image_layer *layer, struct cl_error *err);
/* The config as a blob: id and config_size; image->config is a copy of it. */
int image_write_config(struct image *image, const struct oci_image_config *config, int blobs_fd,
                       struct cl_error *err);
/* An OCI manifest over config and layers as a blob. */
int image_write_manifest(struct image *image, int blobs_fd, struct cl_error *err);
/* The `image` object of wire/transfer.h. NULL: no memory. */
struct cl_json *image_answer(const struct image *image);
