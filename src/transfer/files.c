/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header. Links: skopeo's docker-archive has symbolic ones (OLDID/layer.tar -> ../HEX.tar), older Dockers' tars hard ones.
 */
#include "transfer/files.h"

#include <limits.h>

#include "transfer/blob.h"

#define MAX_LINKS 8

void files_done(struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->entries[i].path);
        free(files->entries[i].link);
    }
    free(files->entries);
    *files = (struct files){ 0 };
}

/* DIRECTORY/PATH as text: no leading slash, no ".", no doubled slashes; ".." goes up, at most to the top. */
static char *normalise(const char *directory, size_t directory_size, const char *path)
{
    cl_auto_buf out = CL_BUF_INIT(2 * PATH_MAX);
    if (path[0] != '/')
        cl_buf_add(&out, directory, directory_size);
    for (const char *at = path; *at != '\0';) {
        size_t length = strcspn(at, "/");
        if (length == 2 && memcmp(at, "..", 2) == 0) {
            while (out.size > 0 && out.data[out.size - 1] != '/')
                out.size--;
            out.size -= out.size > 0;
        } else if (length > 0 && !(length == 1 && *at == '.')) {
            if (out.size > 0)
                cl_buf_char(&out, '/');
            cl_buf_add(&out, at, length);
        }
        at += length + (at[length] == '/');
    }
    cl_buf_add(&out, "", 0); /* cutting moved the end */
    if (out.data != NULL)
        out.data[out.size] = '\0';
    return cl_buf_take(&out);
}

static int store_file(struct files_entry *entry, struct tar *tar, int blobs_fd,
                      struct cl_error *err)
{
    auto_blob blob = BLOB_INIT;
    char expected[CL_DIGEST_MAX] = "";
    const void *data = NULL;
    size_t size = 0;
    int64_t offset = 0;
    int more = 0, result = blob_begin(&blob, blobs_fd, err);
    if (cl_starts_with(entry->path, "blobs/sha256/"))
        (void)CL_PRINT(expected, "sha256:%s", entry->path + strlen("blobs/sha256/"));
    while (result >= 0 && (more = tar_data(tar, &data, &size, &offset, err)) > 0) {
        if (offset != blob.size && size > 0)
            return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "corrupt tar: a blob has holes");
        result = blob_add(&blob, data, size, err);
    }
    if (result >= 0)
        result = more;
    if (result >= 0)
        result =
            blob_finish(&blob, cl_digest_is_valid(expected) ? expected : NULL, entry->digest, err);
    entry->size = blob.size;
    return result;
}

static int make_room(struct files *files, struct cl_error *err)
{
    if (files->count == FILES_MAX)
        return cl_fail_kind(err, CL_KIND_INVALID, E2BIG,
                            "the archive has more than %d files, so it is no archive of images",
                            FILES_MAX);
    if (files->count == files->room) {
        size_t room = files->room == 0 ? 32 : 2 * files->room;
        struct files_entry *grown = cl_realloc(files->entries, room * sizeof *grown);
        if (grown == NULL)
            return cl_fail(err, ENOMEM, "read the archive");
        files->entries = grown;
        files->room = room;
    }
    return 0;
}

static int take_entry(struct files *files, struct tar *tar, const struct tar_entry *found,
                      int blobs_fd, struct cl_error *err)
{
    if (found->type == TAR_DIRECTORY)
        return 0;
    if (strlen(found->path) >= PATH_MAX || (found->link != NULL && strlen(found->link) >= PATH_MAX))
        return cl_fail_kind(err, CL_KIND_INVALID, ENAMETOOLONG,
                            "corrupt tar: a name is longer than 4095 bytes");
    int result = make_room(files, err);
    if (result < 0)
        return result;
    struct files_entry *entry = &files->entries[files->count++];
    *entry = (struct files_entry){ 0 };
    entry->path = normalise("", 0, found->path);
    if (entry->path == NULL)
        return cl_fail(err, ENOMEM, "read the archive");
    if (found->type == TAR_FILE)
        return store_file(entry, tar, blobs_fd, err);
    if (found->link == NULL)
        return 0; /* a node: nothing of an image, but it takes the name */
    const char *slash = strrchr(entry->path, '/');
    bool is_relative = found->type == TAR_SYMLINK && slash != NULL;
    entry->link =
        normalise(entry->path, is_relative ? (size_t)(slash - entry->path) : 0, found->link);
    return entry->link == NULL ? cl_fail(err, ENOMEM, "read the archive") : 0;
}

int files_read(struct files *files, struct tar *tar, int blobs_fd, struct cl_error *err)
{
    struct tar_entry entry;
    int more = 0, result = 0;
    while (result >= 0 && (more = tar_next(tar, &entry, err)) > 0) {
        result = take_entry(files, tar, &entry, blobs_fd, err);
        if (result < 0) {
            char quoted[TAR_QUOTE_MAX];
            tar_quote(entry.path, quoted);
            (void)cl_error_prefix(err, "tar entry \"%s\"", quoted);
        }
    }
    return result < 0 ? result : more;
}

static const struct files_entry *find_exactly(const struct files *files, const char *path)
{
    for (size_t i = files->count; i-- > 0;)
        if (cl_streq(files->entries[i].path, path))
            return &files->entries[i];
    return NULL;
}

int files_find(const struct files *files, const char *path, const struct files_entry **ret,
               struct cl_error *err)
{
    cl_auto_free char *normal = strlen(path) >= PATH_MAX ? cl_strdup("") : normalise("", 0, path);
    if (normal == NULL)
        return cl_fail(err, ENOMEM, "read the archive");
    const struct files_entry *entry = find_exactly(files, normal);
    for (int links = 0; entry != NULL && entry->link != NULL; links++)
        entry = links == MAX_LINKS ? NULL : find_exactly(files, entry->link);
    if (entry == NULL || entry->digest[0] == '\0')
        return 0;
    *ret = entry;
    return 1;
}
