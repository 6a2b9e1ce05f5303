/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of `load`: load.c (the verb, layers, names), load_oci.c (image layouts), load_docker.c (archives as `docker save` writes).
 */
#pragma once

#include "transfer/files.h"
#include "transfer/image.h"

struct load {
    const struct transfer_job *job;
    struct oci_platform wanted;
    struct files files;
    struct image_layer *layers; /* unpacked so far, in order of their numbers */
    size_t layer_count;
    struct cl_json *images; /* the answer's array */
};

/* Layer `position` of the image: unpacked from its blob unless that was done for another image; checked against the config's diff id. */
int load_layer(struct load *load, struct image *image, size_t position, const char *digest,
               const char *diff_id, struct cl_error *err);
/* Into the answer, under its names (not normalised; may be NULL; what is no name is left out). */
int load_add(struct load *load, const struct image *image, const char *const *names,
             struct cl_error *err);
/* Reads image->config and decodes it; image->id is set. */
int load_config(struct load *load, struct image *image, struct oci_image_config **ret,
                struct cl_error *err);

int load_oci(struct load *load, const struct files_entry *entry, struct cl_error *err);
int load_docker(struct load *load, const struct files_entry *manifest, struct cl_error *err);
