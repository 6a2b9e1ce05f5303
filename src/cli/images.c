/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image verbs: images, import, load, rmi, tag.
 */
#include "cli/cli_private.h"

#include <fcntl.h>

/* ---- images ---- */

struct images_options {
    bool all, no_trunc, quiet, digests;
    const char *format;
};

static const struct cli_option images_table[] = {
    CLI_ROW("all", 'a', CLI_FLAG, NULL, "Show all images (there are no intermediate ones here)",
            struct images_options, all),
    CLI_ROW("digests", 0, CLI_FLAG, NULL, "Show digests", struct images_options, digests),
    CLI_REFUSE("filter", 'f', true, "filters on images are not built yet"),
    CLI_ROW("format", 0, CLI_STRING, "string",
            "Format output: 'table', 'table TEMPLATE', 'json', or a Go template",
            struct images_options, format),
    CLI_ROW("no-trunc", 0, CLI_FLAG, NULL, "Don't truncate output", struct images_options,
            no_trunc),
    CLI_ROW("quiet", 'q', CLI_FLAG, NULL, "Only show image IDs", struct images_options, quiet),
};

#define IMAGES_TABLE                                                                               \
    "table {{.Repository}}\\t{{.Tag}}\\t{{.ImageID}}\\t{{.CreatedSince}}\\t{{.Size}}"
#define IMAGES_DIGESTS                                                                             \
    "table "                                                                                       \
    "{{.Repository}}\\t{{.Tag}}\\t{{.Digest}}\\t{{.ImageID}}\\t{{.CreatedSince}}\\t{{.Size}}"

static struct cl_json *image_row(const struct store_image *image, const char *name, bool no_trunc)
{
    char id[72], size[40], age[40], created[40];
    struct oci_reference reference;
    char repository[OCI_REFERENCE_MAX] = "<none>";
    const char *tag = "<none>";
    if (name != NULL && oci_reference_parse(name, &reference, NULL) >= 0) {
        oci_reference_familiar_repository(&reference, repository);
        tag = reference.tag;
    }
    cl_human_size(image->size, 3, size);
    cl_human_duration(cl_now_ns() - image->created_ns, age);
    cl_auto_free char *since = image->created_ns == 0 ? cl_strdup("N/A") : cl_format("%s ago", age);
    cl_format_time(image->created_ns, created);
    const struct {
        const char *key, *value;
    } cells[] = {
        { "Containers", "N/A" },
        { "CreatedAt", created },
        { "CreatedSince", since },
        { "Digest", image->manifest },
        { "ID", cli_short_id(image->id, no_trunc, id) },
        { "ImageID", id },
        { "Repository", repository },
        { "Size", size },
        { "Tag", tag },
    };
    CL_AUTO(cl_json_unref) struct cl_json *row = cl_json_object();
    for (size_t i = 0; i < CL_COUNT(cells); i++)
        if (cells[i].value == NULL || cl_json_set_string(row, cells[i].key, cells[i].value) < 0)
            return NULL;
    return cl_take(row);
}

static bool is_wanted(const char *name, const char *wanted)
{
    struct oci_reference own, other;
    if (wanted == NULL)
        return true;
    if (name == NULL || oci_reference_parse(name, &own, NULL) < 0 ||
        oci_reference_parse(wanted, &other, NULL) < 0)
        return false;
    return oci_reference_same_repository(&own, &other) &&
           (other.tag[0] == '\0' || cl_streq(own.tag, other.tag));
}

static int add_image(struct cli_format *format, const struct store_image *image,
                     const struct images_options *options, const char *wanted, struct cl_error *err)
{
    int result = 0;
    if (image->names == NULL && wanted == NULL)
        return cli_format_row(format, image_row(image, NULL, options->no_trunc), err);
    for (char **name = image->names; result >= 0 && name != NULL && *name != NULL; name++)
        if (is_wanted(*name, wanted))
            result = cli_format_row(format, image_row(image, *name, options->no_trunc), err);
    return result;
}

static int images(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct images_options *options = data;
    struct store_image **list = NULL;
    struct cli_format *format = NULL;
    struct engine *engine;
    size_t count = 0;
    int result = cli_format_new(options->quiet ? "{{.ImageID}}" : options->format,
                                options->digests ? IMAGES_DIGESTS : IMAGES_TABLE, &format, err);
    if (result >= 0)
        result = cli_engine(cli, true, &engine, err);
    if (result >= 0)
        result = store_image_list(engine_store(engine), &list, &count, err);
    for (size_t i = 0; result >= 0 && i < count; i++)
        result = add_image(format, list[i], options, arguments[0], err);
    if (result >= 0)
        result = cli_format_finish(format, stdout, err);
    store_image_list_free(list, count);
    cli_format_free(format);
    return result;
}

/* ---- import, load ---- */

struct import_options {
    const char **change;
    const char *message, *platform;
};

static const struct cli_option import_table[] = {
    CLI_ROW("change", 'c', CLI_LIST, "list", "Apply Dockerfile instruction to the created image",
            struct import_options, change),
    CLI_ROW("message", 'm', CLI_STRING, "string", "Set commit message for imported image",
            struct import_options, message),
    CLI_ROW("platform", 0, CLI_STRING, "string", "Set platform of the imported image",
            struct import_options, platform),
};

static int open_archive(const char *path, int *ret_fd, struct cl_error *err)
{
    if (cl_streq(path, "-")) {
        if (cli_is_terminal(STDIN_FILENO))
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                "standard input is a terminal: give a file, or pipe an archive in");
        *ret_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        return *ret_fd < 0 ? cl_fail(err, errno, "use standard input") : 0;
    }
    if (strstr(path, "://") != NULL)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "%s: importing from a URL is not built yet; fetch the file first",
                            path);
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? cl_fail(err, errno, "open %s", path) : 0;
}

static int import(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct import_options *options = data;
    char id[CL_DIGEST_MAX];
    struct engine *engine;
    cl_auto_fd archive = -EBADF;
    int result = open_archive(arguments[0], &archive, err);
    if (result >= 0)
        result = cli_engine(cli, true, &engine, err);
    if (result < 0)
        return result;
    const struct engine_import request = {
        .tar_fd = archive,
        .reference = arguments[1],
        .message = options->message,
        .platform = options->platform,
        .changes = options->change,
    };
    result = engine_image_import(engine, &request, id, err);
    if (result < 0)
        return cl_error_prefix(err, "import %s", arguments[0]);
    (void)puts(id);
    return cli_flush(err);
}

struct load_options {
    const char *input;
    bool quiet;
};

static const struct cli_option load_table[] = {
    CLI_ROW("input", 'i', CLI_STRING, "string", "Read from tar archive file, instead of STDIN",
            struct load_options, input),
    CLI_REFUSE("platform", 0, true, "the host's platform is loaded"),
    CLI_ROW("quiet", 'q', CLI_FLAG, NULL, "Suppress the load output", struct load_options, quiet),
};

static int load(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct load_options *options = data;
    CL_AUTO(cl_strv_free) char **names = NULL;
    const char *path = options->input == NULL ? "-" : options->input;
    struct engine *engine;
    cl_auto_fd archive = -EBADF;
    int result = open_archive(path, &archive, err);
    if (result >= 0)
        result = cli_engine(cli, true, &engine, err);
    if (result >= 0)
        result = engine_image_load(engine, archive, &names, err);
    if (result < 0)
        return cl_error_prefix(err, "load %s", path);
    for (char **name = names; !options->quiet && name != NULL && *name != NULL; name++)
        (void)printf("Loaded image: %s\n", *name);
    return cli_flush(err);
}

/* ---- rmi, tag ---- */

struct rmi_options {
    bool force;
};

static const struct cli_option rmi_table[] = {
    CLI_ROW("force", 'f', CLI_FLAG, NULL, "Force removal of the image", struct rmi_options, force),
    CLI_REFUSE("no-prune", 0, false, "there are no untagged parents here"),
};

static int rmi(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    const struct rmi_options *options = data;
    struct engine *engine;
    int failures = 0;
    int result = cli_engine(cli, true, &engine, err);
    for (; result >= 0 && *arguments != NULL; arguments++) {
        CL_AUTO(cl_strv_free) char **lines = NULL;
        struct cl_error failure = { 0 };
        if (engine_image_remove(engine, *arguments, options->force, &lines, &failure) < 0) {
            if (failure.code == -ENOENT && options->force)
                continue;
            cli_print_error(&failure);
            failures++;
            continue;
        }
        for (char **line = lines; line != NULL && *line != NULL; line++)
            (void)puts(*line);
    }
    if (result >= 0)
        result = cli_flush(err);
    return result < 0 ? result : failures > 0;
}

static int tag(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    struct engine *engine;
    int result = cli_engine(cli, true, &engine, err);
    return result < 0 ? result : engine_image_tag(engine, arguments[0], arguments[1], err);
}

const struct cli_verb cli_verb_images = {
    .name = "images",
    .synopsis = "[OPTIONS] [REPOSITORY[:TAG]]",
    .summary = "List images",
    .examples = "$ cloche run --rm cloche/busybox true\n"
                "$ cloche images\n"
                "$ cloche images --format '{{.Repository}}:{{.Tag}} {{.Size}}'\n",
    CLI_OPTIONS(images_table),
    .options_size = sizeof(struct images_options),
    .max_arguments = 1,
    .run = images,
};

const struct cli_verb cli_verb_import = {
    .name = "import",
    .synopsis = "[OPTIONS] FILE|- [REPOSITORY[:TAG]]",
    .summary = "Import the contents from a tarball to create a filesystem image",
    .examples = "A directory of the host as an image:\n"
                "$ tar -chf tools.tar -C / bin/busybox\n"
                "$ cloche import -c 'CMD [\"/bin/busybox\", \"date\"]' tools.tar tools\n"
                "$ cloche run --rm tools\n"
                "$ cloche rmi tools\n",
    CLI_OPTIONS(import_table),
    .options_size = sizeof(struct import_options),
    .min_arguments = 1,
    .max_arguments = 2,
    .run = import,
};

const struct cli_verb cli_verb_load = {
    .name = "load",
    .synopsis = "[OPTIONS]",
    .summary = "Load an image from a tar archive or STDIN",
    .examples = "An archive made by 'docker save', 'podman save' or 'skopeo copy':\n"
                "$ cloche load -i image.tar\n",
    CLI_OPTIONS(load_table),
    .options_size = sizeof(struct load_options),
    .max_arguments = 0,
    .run = load,
};

const struct cli_verb cli_verb_rmi = {
    .name = "rmi",
    .synopsis = "[OPTIONS] IMAGE [IMAGE...]",
    .summary = "Remove one or more images",
    .examples = "$ cloche run --rm cloche/busybox true\n"
                "$ cloche tag cloche/busybox mine:v1\n"
                "$ cloche rmi mine:v1\n"
                "$ cloche rmi cloche/busybox\n",
    CLI_OPTIONS(rmi_table),
    .options_size = sizeof(struct rmi_options),
    .min_arguments = 1,
    .max_arguments = -1,
    .run = rmi,
};

const struct cli_verb cli_verb_tag = {
    .name = "tag",
    .synopsis = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    .summary = "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    .examples = "$ cloche tag cloche/busybox mine:v1\n"
                "$ cloche rmi mine:v1\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .run = tag,
};
