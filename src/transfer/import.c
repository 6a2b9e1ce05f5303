/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import: a tar of a root file system becomes an image of one layer. Docker's `import`: the config is empty but for what `changes` says, so there is
 * no default command.
 */
#include <sys/utsname.h>

#include "transfer/changes.h"
#include "transfer/image.h"

static int set_platform(const struct cl_json *request, struct oci_image_config *config,
                        struct cl_error *err)
{
    struct utsname host;
    const char *wanted = cl_json_string_or(cl_json_get(request, "platform"), "");
    if (uname(&host) < 0)
        return cl_fail(err, errno, "ask for this machine's architecture");
    if (wanted[0] != '\0')
        return oci_platform_parse(wanted, host.machine, &config->platform, err);
    int result = oci_platform_host(host.machine, &config->platform);
    return result < 0 ? cl_fail(err, result, "name this machine's platform") : 0;
}

static int set_history(const struct cl_json *request, struct oci_image_config *config,
                       struct cl_error *err)
{
    const char *created = cl_json_string_or(cl_json_get(request, "created"), "");
    const char *message = cl_json_string_or(cl_json_get(request, "message"), "");
    char now[40];
    int64_t ignored;
    if (created[0] == '\0') {
        cl_format_time(cl_now_ns(), now);
        created = now;
    } else if (cl_parse_time(created, &ignored) < 0) {
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "created: \"%s\" is no RFC 3339 time",
                            created);
    }
    config->history = cl_calloc(1, sizeof *config->history);
    if (config->history == NULL)
        return cl_fail(err, ENOMEM, "describe the image");
    config->history_count = 1;
    config->created = cl_strdup(created);
    config->history->created = cl_strdup(created);
    config->history->comment = cl_strdup(message[0] != '\0' ? message : "Imported from -");
    if (config->created == NULL || config->history->created == NULL ||
        config->history->comment == NULL)
        return cl_fail(err, ENOMEM, "describe the image");
    return 0;
}

/* Everything but the layer, so that a mistake in the request is told before a gigabyte is read. */
static int make_config(const struct cl_json *request, struct oci_image_config *config,
                       struct cl_error *err)
{
    const struct cl_json *changes = cl_json_get(request, "changes");
    int result = set_platform(request, config, err);
    if (result >= 0)
        result = set_history(request, config, err);
    for (size_t i = 0; result >= 0 && i < cl_json_count(changes); i++)
        result = changes_apply(&config->config, cl_json_string_or(cl_json_at(changes, i), ""), err);
    return result;
}

static int import_layer(const struct transfer_job *job, struct image *image, struct cl_error *err)
{
    CL_AUTO(stream_free) struct stream *stream = NULL;
    const struct stream_options options = { .blobs_fd = job->blobs_fd,
                                            .max_plain = STREAM_MAX_PLAIN };
    int result = image_make_layers(image, 1, err);
    if (result >= 0)
        result = stream_open(job->input_fd, &options, &stream, err);
    if (result >= 0)
        result = image_unpack_layer(stream, job->layers_fd, 0, image->layers, err);
    return result;
}

static int answer(const struct image *image, struct cl_json **ret, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    if (cl_json_set(json, "image", image_answer(image)) < 0)
        return cl_fail(err, ENOMEM, "describe the image");
    *ret = cl_take(json);
    return 0;
}

int transfer_import(const struct transfer_job *job, struct cl_json **ret_answer,
                    struct cl_error *err)
{
    CL_AUTO(oci_image_config_free) struct oci_image_config *config = cl_calloc(1, sizeof *config);
    auto_image image = { 0 };
    if (config == NULL)
        return cl_fail(err, ENOMEM, "describe the image");
    int result = make_config(job->request, config, err);
    if (result >= 0)
        result = import_layer(job, &image, err);
    if (result < 0)
        return result;
    if (cl_strv_append(&config->diff_ids, image.layers[0].stream.diff_id) < 0)
        return cl_fail(err, ENOMEM, "describe the image");
    result = image_write_config(&image, config, job->blobs_fd, err);
    if (result >= 0)
        result = image_write_manifest(&image, job->blobs_fd, err);
    cl_test_point("transfer.import-written");
    return result < 0 ? result : answer(&image, ret_answer, err);
}
