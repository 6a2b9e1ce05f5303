/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load: archives of whole images. First the archive is read to its end, every file of it becoming a blob; then its documents are followed and the
 * layers unpacked from their blobs. Two shapes: an OCI image layout (image-spec image-layout.md: index.json), and Docker's (manifest.json).
 * An archive that is both (docker save since 25) is taken as the former.
 */
#include "transfer/load.h"

#include <sys/utsname.h>

/* ---- names ---- */

/* "docker.io/library/alpine:3" → "alpine:3"; false when it is no name, or only a tag ("latest", "v1.0"), or only a digest. */
static bool familiar_name(const char *text, char buffer[static OCI_REFERENCE_MAX])
{
    struct oci_reference reference;
    if (strpbrk(text, ":/") == NULL || oci_reference_parse(text, &reference, NULL) < 0)
        return false;
    if (reference.digest[0] != '\0' && reference.tag[0] == '\0')
        return false;
    reference.digest[0] = '\0';
    oci_reference_default_tag(&reference);
    oci_reference_familiar(&reference, buffer);
    return true;
}

static bool has_string(const struct cl_json *array, const char *text)
{
    for (size_t i = 0; i < cl_json_count(array); i++)
        if (cl_streq(cl_json_string(cl_json_at(array, i)), text))
            return true;
    return false;
}

static int add_names(struct cl_json *array, const char *const *names)
{
    char buffer[OCI_REFERENCE_MAX];
    for (; names != NULL && *names != NULL; names++) {
        if (!familiar_name(*names, buffer)) {
            cl_debug("transfer", "no name for an image: %s", *names);
            continue;
        }
        if (!has_string(array, buffer) && cl_json_add(array, cl_json_from_string(buffer)) < 0)
            return -ENOMEM;
    }
    return 0;
}

static struct cl_json *new_names(const char *const *names)
{
    CL_AUTO(cl_json_unref) struct cl_json *array = cl_json_array();
    return array == NULL || add_names(array, names) < 0 ? NULL : cl_take(array);
}

/* The entry of an image that the answer has already (under another name), or NULL. Ours to change: the array is owned by `load`. */
static struct cl_json *entry_of(struct load *load, const char *id)
{
    for (size_t i = 0; i < cl_json_count(load->images); i++) {
        const struct cl_json *entry = cl_json_at(load->images, i);
        const struct cl_json *image = cl_json_get(entry, "image");
        if (cl_streq(cl_json_string(cl_json_get(image, "id")), id))
            return (struct cl_json *)(uintptr_t)cl_json_get(entry, "names");
    }
    return NULL;
}

int load_add(struct load *load, const struct image *image, const char *const *names,
             struct cl_error *err)
{
    struct cl_json *known = entry_of(load, image->id);
    if (known != NULL)
        return add_names(known, names) < 0 ? cl_fail(err, ENOMEM, "describe an image") : 0;
    CL_AUTO(cl_json_unref) struct cl_json *entry = cl_json_object();
    if (cl_json_set(entry, "image", image_answer(image)) < 0 ||
        cl_json_set(entry, "names", new_names(names)) < 0 ||
        cl_json_add(load->images, cl_take(entry)) < 0)
        return cl_fail(err, ENOMEM, "describe an image");
    return 0;
}

/* ---- layers and config ---- */

static int unpack_blob(struct load *load, const char *digest, struct image_layer *layer,
                       struct cl_error *err)
{
    CL_AUTO(stream_free) struct stream *stream = NULL;
    const struct stream_options options = { .blobs_fd = -EBADF,
                                            .known_digest = digest,
                                            .max_plain = STREAM_MAX_PLAIN };
    cl_auto_fd fd = blob_open(load->job->blobs_fd, digest, err);
    int result = fd < 0 ? fd : stream_open(fd, &options, &stream, err);
    if (result >= 0)
        result = image_unpack_layer(stream, load->job->layers_fd, load->layer_count, layer, err);
    return result;
}

static int new_layer(struct load *load, const char *digest, struct image_layer **ret,
                     struct cl_error *err)
{
    struct image_layer *grown =
        cl_realloc(load->layers, (load->layer_count + 1) * sizeof *load->layers);
    if (grown == NULL)
        return cl_fail(err, ENOMEM, "unpack a layer");
    load->layers = grown;
    grown[load->layer_count] = (struct image_layer){ 0 };
    int result = unpack_blob(load, digest, &grown[load->layer_count], err);
    if (result >= 0)
        *ret = &grown[load->layer_count++];
    return result;
}

int load_layer(struct load *load, struct image *image, size_t position, const char *digest,
               const char *diff_id, struct cl_error *err)
{
    struct image_layer *layer = NULL;
    for (size_t i = 0; i < load->layer_count; i++)
        if (cl_streq(load->layers[i].stream.digest, digest))
            layer = &load->layers[i];
    int result = layer == NULL ? new_layer(load, digest, &layer, err) : 0;
    if (result < 0)
        return cl_error_prefix(err, "layer %zu of image %.19s", position + 1, image->id);
    if (!cl_streq(layer->stream.diff_id, diff_id))
        return cl_fail_kind(err, CL_KIND_CORRUPT, EBADMSG,
                            "layer %zu of image %.19s is not the one that its config names: it has "
                            "diff id %s, expected %s",
                            position + 1, image->id, layer->stream.diff_id, diff_id);
    image->layers[position] = *layer;
    return 0;
}

int load_config(struct load *load, struct image *image, struct oci_image_config **ret,
                struct cl_error *err)
{
    int result =
        blob_read_json(load->job->blobs_fd, image->id, "the image's config", &image->config, err);
    if (result >= 0)
        result = oci_image_config_decode(image->config, ret, err);
    return result < 0 ? cl_error_prefix(err, "image %.19s", image->id) : 0;
}

/* ---- the verb ---- */

static int read_archive(struct load *load, struct cl_error *err)
{
    CL_AUTO(stream_free) struct stream *stream = NULL;
    CL_AUTO(tar_free) struct tar *tar = NULL;
    const struct stream_options options = { .blobs_fd = -EBADF,
                                            .no_digests = true,
                                            .max_plain = STREAM_MAX_PLAIN };
    int result = stream_open(load->job->input_fd, &options, &stream, err);
    if (result >= 0)
        result = tar_open(stream_read, stream, &tar, err);
    if (result >= 0)
        result = files_read(&load->files, tar, load->job->blobs_fd, err);
    cl_test_point("transfer.archive-read");
    return result;
}

static int choose_platform(struct load *load, struct cl_error *err)
{
    struct utsname host;
    const char *wanted = cl_json_string_or(cl_json_get(load->job->request, "platform"), "");
    if (uname(&host) < 0)
        return cl_fail(err, errno, "ask for this machine's architecture");
    if (wanted[0] != '\0')
        return oci_platform_parse(wanted, host.machine, &load->wanted, err);
    int result = oci_platform_host(host.machine, &load->wanted);
    return result < 0 ? cl_fail(err, result, "name this machine's platform") : 0;
}

static int load_images(struct load *load, struct cl_error *err)
{
    int result = choose_platform(load, err);
    if (result >= 0)
        result = read_archive(load, err);
    const struct files_entry *entry = NULL;
    if (result < 0)
        return result;
    result = files_find(&load->files, "index.json", &entry, err);
    if (result != 0)
        return result < 0 ? result : load_oci(load, entry, err);
    result = files_find(&load->files, "manifest.json", &entry, err);
    if (result != 0)
        return result < 0 ? result : load_docker(load, entry, err);
    return cl_fail_kind(
        err, CL_KIND_INVALID, EINVAL,
        "the archive holds no image: it has neither an index.json (OCI image layout) "
        "nor a manifest.json (docker save); for a plain root file system, use 'cloche "
        "import'");
}

int transfer_load(const struct transfer_job *job, struct cl_json **ret_answer, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *answer = cl_json_object();
    struct load load = { .job = job, .images = cl_json_array() };
    int result = load.images == NULL || answer == NULL ? cl_fail(err, ENOMEM, "load images")
                                                       : load_images(&load, err);
    if (result >= 0 && cl_json_count(load.images) == 0)
        result =
            cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "the archive's list of images is empty");
    if (result >= 0 && cl_json_set(answer, "images", cl_json_ref(load.images)) < 0)
        result = cl_fail(err, ENOMEM, "load images");
    cl_json_unref(load.images);
    files_done(&load.files);
    oci_platform_done(&load.wanted);
    free(load.layers);
    if (result >= 0)
        *ret_answer = cl_take(answer);
    return result;
}
