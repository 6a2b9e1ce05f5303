/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests, indexes and image configs as a registry could send them: each decoder on every input; what is accepted must be writable and
 * mean the same when read again.
 */
#include "oci/image_spec.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz-image: %s\n", what);
    abort();
}

static void try_manifest(const struct cl_json *json)
{
    CL_AUTO(cl_json_unref) struct cl_json *written = NULL;
    CL_AUTO(oci_manifest_free) struct oci_manifest *manifest = NULL, *again = NULL;
    struct cl_error err = { 0 };
    if (oci_manifest_decode(json, &manifest, &err) < 0)
        return;
    must(oci_manifest_encode(manifest, &written) == 0, "a manifest cannot be written");
    must(oci_manifest_decode(written, &again, &err) == 0, "a written manifest cannot be read");
    must(again->layers.count == manifest->layers.count, "layers were lost");
    for (size_t i = 0; i < again->layers.count; i++)
        must(cl_streq(again->layers.items[i].digest, manifest->layers.items[i].digest) &&
                 again->layers.items[i].size >= 0,
             "a layer changed");
}

static void try_index(const struct cl_json *json)
{
    CL_AUTO(oci_index_free) struct oci_index *index = NULL;
    struct cl_error err = { 0 };
    if (oci_index_decode(json, &index, &err) < 0)
        return;
    char os[] = "linux", architecture[] = "amd64";
    const struct oci_platform wanted = { .os = os, .architecture = architecture };
    const struct oci_descriptor *chosen = NULL;
    int r = oci_index_select(index, &wanted, &chosen, &err);
    must((r == 0) == (chosen != NULL), "a choice without a result");
}

static void try_config(const struct cl_json *json)
{
    CL_AUTO(cl_json_unref) struct cl_json *first = NULL, *second = NULL;
    CL_AUTO(oci_image_config_free) struct oci_image_config *config = NULL, *again = NULL;
    struct cl_error err = { 0 };
    if (oci_image_config_decode(json, &config, &err) < 0)
        return;
    must(oci_image_config_encode(config, &first) == 0, "a config cannot be written");
    must(oci_image_config_decode(first, &again, &err) == 0, "a written config cannot be read");
    must(oci_image_config_encode(again, &second) == 0, "a config cannot be written again");
    cl_auto_free char *text = cl_json_text(first, CL_JSON_COMPACT);
    cl_auto_free char *text_again = cl_json_text(second, CL_JSON_COMPACT);
    must(cl_streq(text, text_again), "a second writing differs from the first");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    if (cl_json_parse((const char *)data, size, 1 << 20, &json, NULL) < 0)
        return 0;
    try_manifest(json);
    try_index(json);
    try_config(json);
    return 0;
}
