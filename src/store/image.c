/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images of the catalog: find, list, tag, delete. How an image gets in is stage.c's.
 */
#include "store/store_private.h"

#include <sys/file.h>

#define COLUMNS "id, manifest, config, size, created"

void store_image_free(struct store_image *image)
{
    if (image == NULL)
        return;
    free(image->config);
    cl_strv_free(image->names);
    free(image->layers);
    free(image);
}

void store_image_list_free(struct store_image **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        store_image_free(list[i]);
    free(list);
}

static int read_names(struct store *store, struct store_image *image, struct cl_error *err)
{
    store_auto_statement *statement = NULL;
    int result =
        store_prepare(store, &statement, err, "SELECT name FROM names WHERE image=? ORDER BY name",
                      "s", image->id);
    while (result >= 0 && (result = store_step(store, statement, err)) > 0)
        if (cl_strv_append(&image->names, (const char *)sqlite3_column_text(statement, 0)) < 0)
            return cl_fail(err, ENOMEM, "read the names of image %.19s", image->id);
    return result;
}

static int read_layers(struct store *store, struct store_image *image, struct cl_error *err)
{
    store_auto_statement *statement = NULL;
    int result = store_prepare(store, &statement, err,
                               "SELECT l.number, l.diff_id, i.digest, i.size FROM image_layers i"
                               " JOIN layers l ON l.number = i.layer WHERE i.image=?"
                               " ORDER BY i.position",
                               "s", image->id);
    while (result >= 0 && (result = store_step(store, statement, err)) > 0) {
        struct store_layer *bigger =
            cl_realloc(image->layers, (image->layer_count + 1) * sizeof *bigger);
        if (bigger == NULL)
            return cl_fail(err, ENOMEM, "read the layers of image %.19s", image->id);
        image->layers = bigger;
        struct store_layer *layer = &bigger[image->layer_count++];
        layer->number = sqlite3_column_int64(statement, 0);
        store_column_digest(statement, 1, layer->diff_id);
        store_column_digest(statement, 2, layer->digest);
        layer->size = sqlite3_column_int64(statement, 3);
    }
    return result;
}

static int read_row(struct store *store, sqlite3_stmt *statement, struct store_image **ret,
                    struct cl_error *err)
{
    CL_AUTO(store_image_free) struct store_image *image = cl_calloc(1, sizeof *image);
    if (image == NULL)
        return cl_fail(err, ENOMEM, "read the catalog");
    int failed = 0;
    store_column_digest(statement, 0, image->id);
    store_column_digest(statement, 1, image->manifest);
    image->config = store_column_copy(statement, 2, &failed);
    image->size = sqlite3_column_int64(statement, 3);
    image->created_ns = sqlite3_column_int64(statement, 4);
    if (failed < 0)
        return cl_fail(err, ENOMEM, "read the catalog");
    int result = read_names(store, image, err);
    if (result >= 0)
        result = read_layers(store, image, err);
    if (result < 0)
        return result;
    *ret = cl_take(image);
    return 0;
}

/* So many digits of both that they differ, at least 12. */
static int name_two(const char *one, const char *other, struct cl_error *err)
{
    const int scheme = (int)strlen("sha256:");
    int digits = scheme;
    while (one[digits] != '\0' && one[digits] == other[digits])
        digits++;
    digits = digits - scheme < 12 ? 12 : digits - scheme + 1;
    return cl_fail_kind(err, CL_KIND_CONFLICT, EEXIST, "both %.*s and %.*s begin with it", digits,
                        one + scheme, digits, other + scheme);
}

/* The one row of a query, or -ENOENT (err is left alone); two rows are -EEXIST. */
static int query_single(struct store *store, const char *sql, const char *key,
                        struct store_image **ret, struct cl_error *err)
{
    store_auto_statement *statement = NULL;
    int result = store_prepare(store, &statement, err, sql, "s", key);
    if (result >= 0)
        result = store_step(store, statement, err);
    if (result <= 0)
        return result < 0 ? result : -ENOENT;
    CL_AUTO(store_image_free) struct store_image *image = NULL;
    result = read_row(store, statement, &image, err);
    if (result < 0)
        return result;
    result = store_step(store, statement, err);
    if (result > 0)
        return name_two(image->id, (const char *)sqlite3_column_text(statement, 0), err);
    if (result < 0)
        return result;
    *ret = cl_take(image);
    return 0;
}

/* "alpine", "alpine:3", "docker.io/library/alpine:latest" → the familiar spelling with a tag that the names table holds. */
static int familiar_name(const char *text, char name[static OCI_REFERENCE_MAX],
                         struct cl_error *err)
{
    struct oci_reference reference;
    int result = oci_reference_parse(text, &reference, err);
    if (result < 0)
        return result;
    oci_reference_default_tag(&reference);
    if (reference.tag[0] != '\0')
        reference.digest[0] = '\0';
    oci_reference_familiar(&reference, name);
    return 0;
}

static int find_by_digest(struct store *store, const char *text, struct store_image **ret,
                          struct cl_error *err)
{
    struct oci_reference reference;
    const char *digest = text;
    if (!cl_digest_is_valid(text)) {
        if (oci_reference_parse(text, &reference, NULL) < 0 || reference.digest[0] == '\0')
            return -ENOENT;
        digest = reference.digest;
    }
    return query_single(store, "SELECT " COLUMNS " FROM images WHERE id=?1 OR manifest=?1", digest,
                        ret, err);
}

static int find_by_prefix(struct store *store, const char *text, struct store_image **ret,
                          struct cl_error *err)
{
    char key[CL_DIGEST_MAX];
    if (!oci_id_is_prefix(text))
        return -ENOENT;
    const char *hex = cl_starts_with(text, "sha256:") ? text + 7 : text;
    (void)CL_PRINT(key, "sha256:%s", hex);
    return query_single(store, "SELECT " COLUMNS " FROM images WHERE id>=?1 AND id<?1||'g' LIMIT 2",
                        key, ret, err);
}

int store_image_find(struct store *store, const char *reference, struct store_image **ret,
                     struct cl_error *err)
{
    char name[OCI_REFERENCE_MAX];
    struct cl_error syntax = { 0 };
    bool has_syntax = familiar_name(reference, name, &syntax) >= 0;
    int result = find_by_digest(store, reference, ret, err);
    if (result == -ENOENT && has_syntax)
        result = query_single(store,
                              "SELECT " COLUMNS " FROM images WHERE id ="
                              " (SELECT image FROM names WHERE name=?)",
                              name, ret, err);
    if (result == -ENOENT)
        result = find_by_prefix(store, reference, ret, err);
    if (result == -EEXIST) {
        (void)cl_error_prefix(err, "the image id prefix %s is ambiguous", reference);
        (void)cl_error_hint(err, "give more digits");
    }
    if (result != -ENOENT)
        return result;
    if (!has_syntax && !oci_id_is_prefix(reference)) {
        if (err != NULL)
            *err = syntax;
        return syntax.code;
    }
    return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT, "no such image: %s; see 'cloche images'",
                        has_syntax ? name : reference);
}

int store_image_list(struct store *store, struct store_image ***ret, size_t *ret_count,
                     struct cl_error *err)
{
    struct store_image **list = NULL;
    size_t count = 0;
    store_auto_statement *statement = NULL;
    int result = store_prepare(store, &statement, err,
                               "SELECT " COLUMNS " FROM images ORDER BY created DESC, id", "");
    while (result >= 0 && (result = store_step(store, statement, err)) > 0) {
        struct store_image *image = NULL;
        result = read_row(store, statement, &image, err);
        if (result < 0)
            break;
        struct store_image **bigger = cl_realloc(list, (count + 1) * sizeof *bigger);
        if (bigger == NULL) {
            store_image_free(image);
            result = cl_fail(err, ENOMEM, "list the images");
            break;
        }
        list = bigger;
        list[count++] = image;
    }
    if (result < 0) {
        store_image_list_free(list, count);
        return result;
    }
    *ret = list;
    *ret_count = count;
    return 0;
}

int store_image_tag(struct store *store, const char *image_id, const char *name,
                    struct cl_error *err)
{
    char familiar[OCI_REFERENCE_MAX];
    int result = store_need_transaction(store, err);
    if (result >= 0)
        result = familiar_name(name, familiar, err);
    if (result < 0)
        return result;
    return store_execute(store, err,
                         "INSERT INTO names(name, image) VALUES(?,?)"
                         " ON CONFLICT(name) DO UPDATE SET image=excluded.image",
                         "ss", familiar, image_id);
}

int store_image_untag(struct store *store, const char *name, struct cl_error *err)
{
    char familiar[OCI_REFERENCE_MAX];
    int result = store_need_transaction(store, err);
    if (result >= 0)
        result = familiar_name(name, familiar, err);
    if (result < 0)
        return result;
    result = store_execute(store, err, "DELETE FROM names WHERE name=?", "s", familiar);
    if (result >= 0 && sqlite3_changes(store->db) == 0)
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT, "no such image: %s", familiar);
    return result;
}

int store_image_users(struct store *store, const char *image_id, char ***ret_container_ids,
                      struct cl_error *err)
{
    CL_AUTO(cl_strv_free) char **ids = NULL;
    store_auto_statement *statement = NULL;
    int result = store_prepare(
        store, &statement, err,
        "SELECT id FROM containers WHERE image_id=? AND phase<>4 ORDER BY number", "s", image_id);
    while (result >= 0 && (result = store_step(store, statement, err)) > 0)
        if (cl_strv_append(&ids, (const char *)sqlite3_column_text(statement, 0)) < 0)
            return cl_fail(err, ENOMEM, "list the users of image %.19s", image_id);
    if (result < 0)
        return result;
    *ret_container_ids = cl_take(ids);
    return 0;
}

/* ---- deleting ---- */

/* Every text of the first column of a query, appended to *list. */
static int collect(struct store *store, const char *sql, const char *key, char ***list,
                   struct cl_error *err)
{
    store_auto_statement *statement = NULL;
    int result = store_prepare(store, &statement, err, sql, "s", key);
    while (result >= 0 && (result = store_step(store, statement, err)) > 0) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        if (text != NULL && cl_strv_append(list, text) < 0)
            return cl_fail(err, ENOMEM, "delete image %.19s", key);
    }
    return result;
}

static int check_unused(struct store *store, const char *image_id, struct cl_error *err)
{
    CL_AUTO(cl_strv_free) char **users = NULL;
    int result = store_image_users(store, image_id, &users, err);
    if (result < 0)
        return result;
    if (users != NULL)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                            "image %.12s is used by container %.12s; remove that container first",
                            image_id + strlen("sha256:"), users[0]);
    return 0;
}

int store_image_delete(struct store *store, const char *image_id, struct cl_error *err)
{
    int result = store_need_transaction(store, err);
    if (result >= 0)
        result = check_unused(store, image_id, err);
    if (result >= 0 && store->trash.fd < 0)
        result = store_stage_open(store, &store->trash, err);
    if (result >= 0)
        result = collect(store,
                         "SELECT layer FROM image_layers WHERE image=?1 AND layer NOT IN"
                         " (SELECT layer FROM image_layers WHERE image<>?1)",
                         image_id, &store->dead_layers, err);
    if (result >= 0)
        result = collect(store,
                         "SELECT digest FROM image_layers WHERE image=?1 AND digest NOT IN"
                         " (SELECT digest FROM image_layers WHERE image<>?1)"
                         " UNION SELECT manifest FROM images WHERE id=?1"
                         " UNION SELECT id FROM images WHERE id=?1",
                         image_id, &store->dead_blobs, err);
    if (result >= 0)
        result = store_execute(store, err,
                               "DELETE FROM layers WHERE number IN (SELECT layer FROM image_layers"
                               " WHERE image=?1) AND number NOT IN"
                               " (SELECT layer FROM image_layers WHERE image<>?1)",
                               "s", image_id);
    if (result >= 0)
        result = store_execute(store, err, "DELETE FROM image_layers WHERE image=?", "s", image_id);
    if (result >= 0)
        result = store_execute(store, err, "DELETE FROM names WHERE image=?", "s", image_id);
    if (result >= 0)
        result = store_execute(store, err, "DELETE FROM images WHERE id=?", "s", image_id);
    return result;
}

/* The rows are gone for good and nobody else can write the catalog: blobs of the same digest can't be coming in right now. */
void store_bury_dead(struct store *store)
{
    char path[192];
    for (char **digest = store->dead_blobs; digest != NULL && *digest != NULL; digest++) {
        if (!cl_starts_with(*digest, "sha256:"))
            continue;
        (void)CL_PRINT(path, "blobs/sha256/%s", *digest + 7);
        (void)unlinkat(store->root_fd, path, 0); /* what stays is found by the next sweep */
        cl_test_point("store.blob-buried");
    }
    for (char **number = store->dead_layers; number != NULL && *number != NULL; number++) {
        (void)CL_PRINT(path, "layers/%s", *number);
        (void)renameat(store->root_fd, path, store->trash.layers_fd, *number); /* likewise */
        cl_test_point("store.layer-buried");
    }
    cl_strv_free(cl_take(store->dead_blobs));
    cl_strv_free(cl_take(store->dead_layers));
}

void store_forget_dead(struct store *store)
{
    if (store->trash.fd >= 0)
        store_stage_done(store, &store->trash);
}
