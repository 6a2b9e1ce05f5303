/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's own archives: manifest.json is a list of {Config, RepoTags, Layers}, whose values are paths in the archive. They carry no manifest in the
 * sense of OCI, so one is written.
 */
#include "transfer/load.h"

static int find_file(const struct load *load, const struct cl_json *path, const char *what,
                     const struct files_entry **ret, struct cl_error *err)
{
    char quoted[TAR_QUOTE_MAX];
    const char *text = cl_json_string(path);
    if (text == NULL)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "the archive's manifest.json: a path of a %s is expected", what);
    tar_quote(text, quoted);
    int result = files_find(&load->files, text, ret, err);
    if (result == 0)
        return cl_fail_kind(
            err, CL_KIND_INVALID, ENOENT,
            "the archive's manifest.json names the %s \"%s\", which the archive lacks", what,
            quoted);
    return result < 0 ? result : 0;
}

static int load_layers(struct load *load, const struct cl_json *paths, struct image *image,
                       struct cl_error *err)
{
    CL_AUTO(oci_image_config_free) struct oci_image_config *config = NULL;
    int result = load_config(load, image, &config, err);
    if (result < 0)
        return result;
    size_t count = cl_strv_count((const char *const *)config->diff_ids);
    if (cl_json_count(paths) != count)
        return cl_fail_kind(err, CL_KIND_CORRUPT, EBADMSG,
                            "image %.19s has %zu layers, but its config names %zu", image->id,
                            cl_json_count(paths), count);
    result = image_make_layers(image, count, err);
    for (size_t i = 0; result >= 0 && i < count; i++) {
        const struct files_entry *file = NULL;
        result = find_file(load, cl_json_at(paths, i), "layer", &file, err);
        if (result >= 0)
            result = load_layer(load, image, i, file->digest, config->diff_ids[i], err);
    }
    return result;
}

static int load_entry(struct load *load, const struct cl_json *entry, struct cl_error *err)
{
    auto_image image = { 0 };
    CL_AUTO(cl_strv_free) char **names = NULL;
    const struct files_entry *config = NULL;
    int result = find_file(load, cl_json_get(entry, "Config"), "config", &config, err);
    if (result >= 0 && cl_json_strv(cl_json_get(entry, "RepoTags"), &names) < 0)
        result = cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                              "the archive's manifest.json: RepoTags is no list of strings");
    if (result < 0)
        return result;
    (void)CL_PRINT(image.id, "%s", config->digest);
    image.config_size = config->size;
    result = load_layers(load, cl_json_get(entry, "Layers"), &image, err);
    if (result >= 0)
        result = image_write_manifest(&image, load->job->blobs_fd, err);
    return result < 0 ? result : load_add(load, &image, (const char *const *)names, err);
}

int load_docker(struct load *load, const struct files_entry *manifest, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = NULL;
    int result = blob_read_json(load->job->blobs_fd, manifest->digest,
                                "the archive's manifest.json", &document, err);
    if (result >= 0 && cl_json_type(document) != CL_JSON_ARRAY)
        result = cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                              "the archive's manifest.json is no list of images");
    for (size_t i = 0; result >= 0 && i < cl_json_count(document); i++)
        result = load_entry(load, cl_json_at(document, i), err);
    return result;
}
