/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way in: a stage directory, held by flock, in which an image is put together; one transaction that moves it into place; and the sweep that
 * finds what dead processes left behind.
 *
 * A stage exists on disk from before the first byte of an image arrives until after the transaction that names it (or that forgets an image: its trash).
 * So a stage whose lock is free is the one sign that something may lie about without a row, and only then blobs and layers are compared with the catalog.
 */
#include "store/store_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static const struct store_stage no_stage = { .fd = -EBADF,
                                             .layers_fd = -EBADF,
                                             .blobs_fd = -EBADF };

/* ---- stages ---- */

/* One attempt: -EAGAIN when a sweep took the new directory between mkdir and flock. */
static int try_stage(struct store *store, struct store_stage *ret)
{
    struct store_stage stage = no_stage;
    char hex[33], path[64];
    struct stat status;
    int result = cl_random_hex(hex, 16);
    if (result < 0)
        return result;
    (void)CL_PRINT(stage.name, "%s", hex);
    (void)CL_PRINT(path, "stage/%s", hex);
    if (mkdirat(store->root_fd, path, 0700) < 0)
        return -errno;
    cl_auto_fd fd = openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? -EAGAIN : -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    if (fstat(fd, &status) < 0 || status.st_nlink == 0)
        return -EAGAIN;
    if (mkdirat(fd, "layers", 0700) < 0 || mkdirat(fd, "blobs", 0700) < 0)
        return -errno;
    cl_auto_fd layers = openat(fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cl_auto_fd blobs = openat(fd, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (layers < 0 || blobs < 0)
        return -errno;
    stage.layers_fd = cl_take_fd(&layers);
    stage.blobs_fd = cl_take_fd(&blobs);
    stage.fd = cl_take_fd(&fd);
    *ret = stage;
    return 0;
}

int store_stage_open(struct store *store, struct store_stage *ret, struct cl_error *err)
{
    int result = -EAGAIN;
    for (int attempt = 0; attempt < 16 && result == -EAGAIN; attempt++)
        result = try_stage(store, ret);
    return result < 0 ? cl_fail(err, result, "make a directory in %s/stage", store->root) : 0;
}

static void close_stage(struct store_stage *stage)
{
    cl_close(stage->layers_fd);
    cl_close(stage->blobs_fd);
    cl_close(stage->fd);
    *stage = no_stage;
}

void store_stage_done(struct store *store, struct store_stage *stage)
{
    char path[64];
    if (stage->fd < 0)
        return;
    (void)CL_PRINT(path, "stage/%s", stage->name);
    (void)cl_remove_tree(store->root_fd, path, NULL); /* what stays is swept by the next command */
    close_stage(stage);
}

/* ---- commit ---- */

static int move_blob(struct store *store, struct store_stage *stage, const char *digest,
                     struct cl_error *err)
{
    char path[160];
    if (!cl_digest_is_valid(digest) || !cl_starts_with(digest, "sha256:"))
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "\"%.80s\" is no sha256 digest", digest);
    const char *hex = digest + strlen("sha256:");
    (void)CL_PRINT(path, "blobs/sha256/%s", hex);
    if (renameat(stage->blobs_fd, hex, store->root_fd, path) == 0) {
        cl_test_point("store.blob-moved");
        return 0;
    }
    if (errno == ENOENT && faccessat(store->root_fd, path, F_OK, 0) == 0)
        return 0; /* moved for another image of the same stage, or there before */
    return cl_fail(err, errno, "store blob %.19s", digest);
}

/* The layer's number: an existing one of the same diff id is shared, else the staged directory becomes layers/NUMBER. */
static int place_layer(struct store *store, struct store_stage *stage, const char *diff_id,
                       const char *directory, int64_t *ret_number, struct cl_error *err)
{
    char path[64];
    store_auto_statement *statement = NULL;
    int result = store_prepare(store, &statement, err, "SELECT number FROM layers WHERE diff_id=?",
                               "s", diff_id);
    if (result >= 0)
        result = store_step(store, statement, err);
    if (result < 0)
        return result;
    if (result > 0) {
        *ret_number = sqlite3_column_int64(statement, 0);
        return 0;
    }
    result = store_execute(store, err, "INSERT INTO layers(diff_id) VALUES(?)", "s", diff_id);
    if (result < 0)
        return result;
    int64_t number = sqlite3_last_insert_rowid(store->db);
    (void)CL_PRINT(path, "layers/%lld", (long long)number);
    result = renameat(stage->layers_fd, directory, store->root_fd, path) < 0 ? -errno : 0;
    if (result == -ENOTEMPTY || result == -EEXIST) {
        /* Debris: the number was given out once before, by a transaction that was never committed (or that power loss undid). */
        result = cl_remove_tree(store->root_fd, path, err);
        if (result < 0)
            return result;
        result = renameat(stage->layers_fd, directory, store->root_fd, path) < 0 ? -errno : 0;
    }
    if (result < 0)
        return cl_fail(err, result, "store layer %.19s", diff_id);
    cl_test_point("store.layer-moved");
    *ret_number = number;
    return 0;
}

static int commit_layer(struct store *store, struct store_stage *stage, const char *image_id,
                        const struct cl_json *layer, int64_t position, struct cl_error *err)
{
    const char *diff_id = cl_json_string_or(cl_json_get(layer, "diff_id"), "");
    const char *digest = cl_json_string_or(cl_json_get(layer, "digest"), "");
    const char *directory = cl_json_string_or(cl_json_get(layer, "dir"), "");
    int64_t number = 0;
    if (!cl_digest_is_valid(diff_id) || strchr(directory, '/') != NULL ||
        cl_streq(directory, "..") || cl_streq(directory, ".") || directory[0] == '\0')
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "layer %lld of image %.19s is malformed",
                            (long long)position, image_id);
    int result = move_blob(store, stage, digest, err);
    if (result >= 0)
        result = place_layer(store, stage, diff_id, directory, &number, err);
    if (result < 0)
        return result;
    return store_execute(store, err,
                         "INSERT INTO image_layers(image, position, layer, digest, size)"
                         " VALUES(?,?,?,?,?)",
                         "siisi", image_id, position, number, digest,
                         cl_json_int(cl_json_get(layer, "size")));
}

static int commit_new_image(struct store *store, struct store_stage *stage,
                            const struct cl_json *image, struct cl_error *err)
{
    const char *id = cl_json_string_or(cl_json_get(image, "id"), "");
    const char *manifest = cl_json_string_or(cl_json_get(image, "manifest"), "");
    const struct cl_json *config = cl_json_get(image, "config");
    const struct cl_json *layers = cl_json_get(image, "layers");
    int64_t created = 0;
    cl_auto_free char *text = cl_json_text(config, CL_JSON_COMPACT);
    if (text == NULL)
        return cl_fail(err, ENOMEM, "store image %.19s", id);
    (void)cl_parse_time(cl_json_string_or(cl_json_get(config, "created"), ""), &created);
    int result = move_blob(store, stage, id, err);
    if (result >= 0)
        result = move_blob(store, stage, manifest, err);
    if (result >= 0)
        result = store_execute(
            store, err, "INSERT INTO images(id, manifest, config, size, created) VALUES(?,?,?,?,?)",
            "sssii", id, manifest, text, cl_json_int(cl_json_get(image, "size")), created);
    for (size_t i = 0; result >= 0 && i < cl_json_count(layers); i++)
        result = commit_layer(store, stage, id, cl_json_at(layers, i), (int64_t)i, err);
    return result;
}

static int image_exists(struct store *store, const char *id, struct cl_error *err)
{
    store_auto_statement *statement = NULL;
    int result = store_prepare(store, &statement, err, "SELECT 1 FROM images WHERE id=?", "s", id);
    return result < 0 ? result : store_step(store, statement, err);
}

static int commit_in_transaction(struct store *store, struct store_stage *stage,
                                 const struct cl_json *image, const char *const *names,
                                 struct cl_error *err)
{
    const char *id = cl_json_string_or(cl_json_get(image, "id"), "");
    int result = image_exists(store, id, err);
    if (result == 0)
        result = commit_new_image(store, stage, image, err);
    for (; result >= 0 && names != NULL && *names != NULL; names++)
        result = store_image_tag(store, id, *names, err);
    return result;
}

/* ---- sweep ---- */

static DIR *open_listing(int dirfd, const char *path)
{
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory == NULL)
        cl_close(fd);
    return directory;
}

static void close_listing_auto(DIR **directory)
{
    if (*directory != NULL)
        (void)closedir(*directory);
}
#define auto_listing __attribute__((cleanup(close_listing_auto))) DIR

/* The next name that is not "." or ".."; NULL at the end. */
static const char *next_name(DIR *directory)
{
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        if (!cl_streq(entry->d_name, ".") && !cl_streq(entry->d_name, ".."))
            return entry->d_name;
    return NULL;
}

/* Locks a stage whose owner is dead: its fd (to be held while it is removed), or -EAGAIN. */
static int seize_stage(struct store *store, const char *name)
{
    char path[320];
    if (CL_PRINT(path, "stage/%s", name) < 0)
        return -EAGAIN;
    cl_auto_fd fd = openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -EAGAIN;
    return cl_take_fd(&fd);
}

static bool is_known(struct store *store, const char *sql, const char *key)
{
    store_auto_statement *statement = NULL;
    if (store_prepare(store, &statement, NULL, sql, "s", key) < 0)
        return true; /* unknown: keep it */
    return store_step(store, statement, NULL) != 0;
}

/* Under the transaction's lock: everything in layers/ and blobs/sha256/ that no row names is debris. */
static int sweep_unnamed(struct store *store, const char *directory, const char *prefix,
                         const char *sql)
{
    int removed = 0;
    auto_listing *listing = open_listing(store->root_fd, directory);
    const char *name;
    while (listing != NULL && (name = next_name(listing)) != NULL) {
        char key[CL_DIGEST_MAX + 256], path[320];
        if (CL_PRINT(key, "%s%s", prefix, name) < 0 || is_known(store, sql, key))
            continue;
        if (CL_PRINT(path, "%s/%s", directory, name) == 0 &&
            cl_remove_tree(store->root_fd, path, NULL) >= 0)
            removed++;
    }
    return removed;
}

static int sweep_content(struct store *store, struct cl_error *err)
{
    int result = store_begin(store, err);
    if (result < 0)
        return result;
    int removed = sweep_unnamed(store, "layers", "", "SELECT 1 FROM layers WHERE number=?");
    removed += sweep_unnamed(store, "blobs/sha256", "sha256:",
                             "SELECT 1 FROM images WHERE id=?1 OR manifest=?1"
                             " UNION SELECT 1 FROM image_layers WHERE digest=?1");
    store_rollback(store); /* nothing was changed in the catalog itself */
    return removed;
}

/* ---- commit and sweep as others see them ---- */

int store_stage_commit(struct store *store, struct store_stage *stage, const struct cl_json *image,
                       const char *const *names, struct cl_error *err)
{
    cl_test_point("store.stage-filled");
    if (syncfs(stage->fd) < 0)
        return cl_fail(err, errno, "write the new image to %s", store->root);
    cl_test_point("store.stage-synced");
    int result = store_begin(store, err);
    if (result < 0)
        return result;
    result = commit_in_transaction(store, stage, image, names, err);
    cl_test_point("store.stage-moved");
    if (result >= 0)
        result = store_commit(store, err);
    if (result < 0) {
        store_rollback(store);
        (void)sweep_content(store, NULL); /* what was moved already has no rows now */
        return result;
    }
    cl_test_point("store.stage-committed");
    return 0;
}

int store_sweep(struct store *store, struct cl_error *err)
{
    int removed = 0;
    bool content_swept = false;
    auto_listing *listing = open_listing(store->root_fd, "stage");
    const char *name;
    while (listing != NULL && (name = next_name(listing)) != NULL) {
        cl_auto_fd fd = seize_stage(store, name);
        if (fd < 0)
            continue;
        if (!content_swept) {
            int result = sweep_content(store, err);
            if (result < 0)
                return result;
            removed += result;
            content_swept = true;
        }
        char path[320];
        if (CL_PRINT(path, "stage/%s", name) == 0 &&
            cl_remove_tree(store->root_fd, path, NULL) >= 0)
            removed++;
    }
    return removed;
}
