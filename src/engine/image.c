/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: import, load, find (with the embedded default), inspect, tag, remove. Bytes from outside are cloche-transfer's business; here only its answer is read.
 */
#include "engine/engine_private.h"

#define EMBEDDED_NAME    "cloche/busybox:latest"
#define EMBEDDED_ARCHIVE "images/cloche-busybox.tar"

/* ---- import ---- */

static struct cl_json *import_request(const struct engine_import *request)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    char created[40];
    cl_format_time(cl_now_ns(), created);
    if (cl_json_set_string(json, "created", created) < 0 ||
        cl_json_set_string(json, "message", request->message == NULL ? "" : request->message) < 0 ||
        cl_json_set_string(json, "platform", request->platform == NULL ? "" : request->platform) <
            0 ||
        cl_json_set(json, "changes", cl_json_from_strv(request->changes)) < 0)
        return NULL;
    return cl_take(json);
}

static int import_into(struct engine *engine, const struct engine_import *request,
                       struct store_stage *stage, char ret_id[static CL_DIGEST_MAX],
                       struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *ask = import_request(request);
    CL_AUTO(cl_json_unref) struct cl_json *answer = NULL;
    const char *const names[] = { request->reference, NULL };
    if (ask == NULL)
        return cl_fail(err, ENOMEM, "import an image");
    int result = engine_transfer("import", request->tar_fd, stage, ask, &answer, err);
    if (result < 0)
        return result;
    const struct cl_json *image = cl_json_get(answer, "image");
    const char *id = cl_json_string_or(cl_json_get(image, "id"), "");
    if (!cl_digest_is_valid(id))
        return cl_fail_kind(err, CL_KIND_CORRUPT, EPROTO, "cloche-transfer gave no image id");
    result = store_stage_commit(engine->store, stage, image, names, err);
    if (result >= 0)
        (void)cl_print(ret_id, CL_DIGEST_MAX, "%s", id);
    return result;
}

int engine_image_import(struct engine *engine, const struct engine_import *request,
                        char ret_id[static CL_DIGEST_MAX], struct cl_error *err)
{
    struct oci_reference reference;
    struct store_stage stage;
    int result = 0;
    if (request->reference != NULL)
        result = oci_reference_parse(request->reference, &reference, err);
    if (result >= 0 && request->reference != NULL && reference.digest[0] != '\0')
        result =
            cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                         "%s: an image can't be given a name with a digest", request->reference);
    if (result >= 0)
        result = store_stage_open(engine->store, &stage, err);
    if (result < 0)
        return result;
    cl_test_point("engine.import-staged");
    result = import_into(engine, request, &stage, ret_id, err);
    store_stage_done(engine->store, &stage);
    return result;
}

/* ---- load ---- */

static int commit_loaded(struct engine *engine, struct store_stage *stage,
                         const struct cl_json *images, char ***names, struct cl_error *err)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < cl_json_count(images); i++) {
        CL_AUTO(cl_strv_free) char **own = NULL;
        const struct cl_json *entry = cl_json_at(images, i);
        const struct cl_json *image = cl_json_get(entry, "image");
        if (cl_json_strv(cl_json_get(entry, "names"), &own) < 0)
            return cl_fail_kind(err, CL_KIND_CORRUPT, EPROTO, "cloche-transfer gave bad names");
        result = store_stage_commit(engine->store, stage, image, (const char *const *)own, err);
        for (char **name = own; result >= 0 && name != NULL && *name != NULL; name++)
            if (cl_strv_append(names, *name) < 0)
                result = cl_fail(err, ENOMEM, "load images");
        if (result >= 0 && own == NULL &&
            cl_strv_append(names, cl_json_string_or(cl_json_get(image, "id"), "")) < 0)
            result = cl_fail(err, ENOMEM, "load images");
    }
    return result;
}

int engine_image_load(struct engine *engine, int tar_fd, char ***ret_names, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *ask = cl_json_object();
    CL_AUTO(cl_json_unref) struct cl_json *answer = NULL;
    CL_AUTO(cl_strv_free) char **names = NULL;
    struct store_stage stage;
    if (ask == NULL)
        return cl_fail(err, ENOMEM, "load images");
    int result = store_stage_open(engine->store, &stage, err);
    if (result < 0)
        return result;
    result = engine_transfer("load", tar_fd, &stage, ask, &answer, err);
    if (result >= 0)
        result = commit_loaded(engine, &stage, cl_json_get(answer, "images"), &names, err);
    store_stage_done(engine->store, &stage);
    if (result < 0)
        return result;
    *ret_names = cl_take(names);
    return 0;
}

/* ---- find ---- */

static bool is_embedded(const char *reference)
{
    struct oci_reference parsed, embedded;
    if (oci_reference_parse(reference, &parsed, NULL) < 0 ||
        oci_reference_parse(EMBEDDED_NAME, &embedded, NULL) < 0)
        return false;
    oci_reference_default_tag(&parsed);
    return oci_reference_equal(&parsed, &embedded);
}

int engine_image_find(struct engine *engine, const char *reference, struct store_image **ret,
                      struct cl_error *err)
{
    CL_AUTO(cl_strv_free) char **names = NULL;
    cl_auto_fd archive = -EBADF;
    int result = store_image_find(engine->store, reference, ret, err);
    if (result != -ENOENT)
        return result;
    if (!is_embedded(reference)) {
        (void)cl_error_hint(err, "bring it in with 'cloche import' or 'cloche load' "
                                 "(registries are not built yet)");
        return result;
    }
    result = engine_data_open(EMBEDDED_ARCHIVE, &archive, err);
    if (result >= 0)
        result = engine_image_load(engine, archive, &names, err);
    if (result < 0)
        return cl_error_prefix(err, "load the embedded image %s", EMBEDDED_NAME);
    return store_image_find(engine->store, reference, ret, err);
}

/* ---- inspect ---- */

static int add_names(const struct store_image *image, struct cl_json *document)
{
    struct cl_json *tags = cl_json_from_strv((const char *const *)image->names);
    return cl_json_set(document, "RepoTags", tags);
}

static int add_rootfs(const struct store_image *image, struct cl_json *document)
{
    struct cl_json *rootfs = cl_json_object(), *layers = cl_json_array();
    int result = cl_json_set_string(rootfs, "Type", "layers");
    for (size_t i = 0; result >= 0 && i < image->layer_count; i++)
        result = cl_json_add(layers, cl_json_from_string(image->layers[i].diff_id));
    if (cl_json_set(rootfs, "Layers", layers) < 0)
        result = -ENOMEM;
    return cl_json_set(document, "RootFS", rootfs) < 0 ? -ENOMEM : result;
}

static const char *last_comment(const struct cl_json *config)
{
    const struct cl_json *history = cl_json_get(config, "history");
    size_t count = cl_json_count(history);
    return cl_json_string_or(
        cl_json_get(count == 0 ? NULL : cl_json_at(history, count - 1), "comment"), "");
}

static int image_document(const struct store_image *image, const struct cl_json *config,
                          struct cl_json *document)
{
    int result = cl_json_set_string(document, "Id", image->id);
    if (result >= 0)
        result = add_names(image, document);
    if (result >= 0)
        result = cl_json_set(document, "RepoDigests", cl_json_array());
    if (result >= 0)
        result = cl_json_set_string(document, "Comment", last_comment(config));
    static const struct {
        const char *name, *key;
    } copied[] = { { "Created", "created" },
                   { "Author", "author" },
                   { "Architecture", "architecture" },
                   { "Variant", "variant" },
                   { "Os", "os" } };
    for (size_t i = 0; result >= 0 && i < CL_COUNT(copied); i++)
        result = cl_json_set_string(document, copied[i].name,
                                    cl_json_string_or(cl_json_get(config, copied[i].key), ""));
    if (result >= 0)
        result = cl_json_set_int(document, "Size", image->size);
    if (result >= 0)
        result = add_rootfs(image, document);
    const struct cl_json *run = cl_json_get(config, "config");
    if (result >= 0)
        result =
            cl_json_set(document, "Config", run == NULL ? cl_json_object() : cl_json_copy(run));
    return result;
}

int engine_image_inspect(struct engine *engine, const char *reference, struct cl_json **ret,
                         struct cl_error *err)
{
    CL_AUTO(store_image_free) struct store_image *image = NULL;
    CL_AUTO(cl_json_unref) struct cl_json *config = NULL;
    CL_AUTO(cl_json_unref) struct cl_json *document = cl_json_object();
    int result = store_image_find(engine->store, reference, &image, err);
    if (result >= 0)
        result = cl_json_parse(image->config, strlen(image->config), 4u << 20, &config, err);
    if (result < 0)
        return result;
    if (image_document(image, config, document) < 0)
        return cl_fail(err, ENOMEM, "describe image %s", reference);
    *ret = cl_take(document);
    return 0;
}

/* ---- tag, remove ---- */

int engine_image_tag(struct engine *engine, const char *source, const char *target,
                     struct cl_error *err)
{
    CL_AUTO(store_image_free) struct store_image *image = NULL;
    struct oci_reference reference;
    int result = oci_reference_parse(target, &reference, err);
    if (result >= 0)
        result = engine_image_find(engine, source, &image, err);
    if (result >= 0)
        result = store_begin(engine->store, err);
    if (result < 0)
        return result;
    result = store_image_tag(engine->store, image->id, target, err);
    if (result >= 0)
        return store_commit(engine->store, err);
    store_rollback(engine->store);
    return result;
}

/* Was the reference a name of the image (to be untagged alone) or its id (meaning the whole image)? */
static const char *name_in_image(const struct store_image *image, const char *reference,
                                 char buffer[static OCI_REFERENCE_MAX])
{
    struct oci_reference parsed;
    if (oci_reference_parse(reference, &parsed, NULL) < 0)
        return NULL;
    oci_reference_default_tag(&parsed);
    oci_reference_familiar(&parsed, buffer);
    return cl_strv_has((const char *const *)image->names, buffer) ? buffer : NULL;
}

static int check_removable(struct engine *engine, const struct store_image *image,
                           const char *reference, bool by_name, bool force, struct cl_error *err)
{
    CL_AUTO(cl_strv_free) char **users = NULL;
    size_t names = cl_strv_count((const char *const *)image->names);
    if (by_name && names > 1)
        return 0; /* only a name goes */
    if (!by_name && names > 1 && !force)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                            "image %s has several names; remove them one by one, or use -f",
                            reference);
    int result = store_image_users(engine->store, image->id, &users, err);
    if (result < 0 || users == NULL)
        return result;
    if (by_name && force)
        return 0; /* the name goes, the image stays for its containers */
    return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                        "image %s is used by container %.12s; remove that container first",
                        reference, users[0]);
}

static int add_line(char ***lines, const char *word, const char *what)
{
    return cl_strv_append_take(lines, cl_format("%s: %s", word, what));
}

static int remove_in_transaction(struct engine *engine, const struct store_image *image,
                                 const char *name, char ***lines, struct cl_error *err)
{
    CL_AUTO(cl_strv_free) char **users = NULL;
    int result = 0;
    bool is_last = name == NULL || cl_strv_count((const char *const *)image->names) == 1;
    for (char **each = image->names; result >= 0 && each != NULL && *each != NULL; each++) {
        if (name != NULL && !cl_streq(*each, name))
            continue;
        result = store_image_untag(engine->store, *each, err);
        if (result >= 0 && add_line(lines, "Untagged", *each) < 0)
            result = cl_fail(err, ENOMEM, "remove image %.19s", image->id);
    }
    if (result >= 0 && is_last)
        result = store_image_users(engine->store, image->id, &users, err);
    if (result < 0 || !is_last || users != NULL)
        return result;
    result = store_image_delete(engine->store, image->id, err);
    if (result >= 0 && add_line(lines, "Deleted", image->id) < 0)
        result = cl_fail(err, ENOMEM, "remove image %.19s", image->id);
    for (size_t i = image->layer_count; result >= 0 && i-- > 0;)
        if (add_line(lines, "Deleted", image->layers[i].diff_id) < 0)
            result = cl_fail(err, ENOMEM, "remove image %.19s", image->id);
    return result;
}

/* A container that has ended and is about to be removed is no reason to keep its image: it is gone in a moment. */
static int await_going_users(struct engine *engine, const char *reference, struct cl_error *err)
{
    CL_AUTO(store_image_free) struct store_image *image = NULL;
    CL_AUTO(cl_strv_free) char **users = NULL;
    int result = store_image_find(engine->store, reference, &image, err);
    if (result >= 0)
        result = store_image_users(engine->store, image->id, &users, err);
    for (char **user = users; result >= 0 && user != NULL && *user != NULL; user++) {
        CL_AUTO(engine_view_free) struct engine_view *view = NULL;
        if (engine_view_find(engine, *user, &view, NULL) >= 0 && engine_view_is_going(view))
            result = engine_container_settle(engine, *user, err);
        result = result == -ENOENT ? 0 : result;
    }
    return result;
}

int engine_image_remove(struct engine *engine, const char *reference, bool force, char ***ret_lines,
                        struct cl_error *err)
{
    CL_AUTO(store_image_free) struct store_image *image = NULL;
    CL_AUTO(cl_strv_free) char **lines = NULL;
    char buffer[OCI_REFERENCE_MAX];
    int result = await_going_users(engine, reference, err);
    if (result >= 0)
        result = store_begin(engine->store, err);
    if (result < 0)
        return result;
    result = store_image_find(engine->store, reference, &image, err);
    const char *name = result < 0 ? NULL : name_in_image(image, reference, buffer);
    if (result >= 0)
        result = check_removable(engine, image, reference, name != NULL, force, err);
    if (result >= 0)
        result = remove_in_transaction(engine, image, name, &lines, err);
    if (result < 0) {
        store_rollback(engine->store);
        return result;
    }
    result = store_commit(engine->store, err);
    if (result >= 0)
        *ret_lines = cl_take(lines);
    return result;
}
