/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a layer, one after the other: limits, names, the place in the tree; the rest is layer_make.c's and layer_whiteout.c's.
 */
#include "transfer/layer_private.h"

#include <limits.h>

int layer_open(int dir_fd, const struct layer_limits *limits, struct layer **ret,
               struct cl_error *err)
{
    static const struct layer_limits usual = { .entries = LAYER_MAX_ENTRIES,
                                               .bytes = LAYER_MAX_BYTES };
    struct layer *layer = cl_calloc(1, sizeof *layer);
    if (layer == NULL)
        return cl_fail(err, ENOMEM, "unpack a layer");
    uint64_t effective = 0, permitted, inheritable;
    (void)k_capget(0, &effective, &permitted, &inheritable); /* unknown: none */
    layer->root_fd = dir_fd;
    layer->may_chown = (effective & 1) != 0; /* CAP_CHOWN is number 0 */
    layer->limits = limits == NULL ? usual : *limits;
    *ret = layer;
    return 0;
}

void layer_free(struct layer *layer)
{
    if (layer == NULL)
        return;
    for (size_t i = 0; i < layer->directory_count; i++)
        free(layer->directories[i].path);
    free(layer->directories);
    free(layer);
}

int64_t layer_bytes(const struct layer *layer)
{
    return layer->bytes;
}

int layer_fail(struct cl_error *err, int errnum, const struct layer_place *place,
               const char *attempt)
{
    return cl_fail(err, errnum, "tar entry \"%s\": %s", place->quoted, attempt);
}

static int refuse(struct cl_error *err, const char *quoted, const char *why)
{
    return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "tar entry \"%s\" %s", quoted, why);
}

int layer_check_path(const char *path)
{
    int64_t depth = 0;
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        if (length == 2 && memcmp(path, "..", 2) == 0)
            depth--;
        else if (length > 0 && !(length == 1 && path[0] == '.'))
            depth++;
        if (depth < 0)
            return -EINVAL;
        path += length;
        path += strspn(path, "/");
    }
    return 0;
}

static int check_limits(struct layer *layer, const struct tar_entry *entry, const char *quoted,
                        struct cl_error *err)
{
    if (++layer->entries > layer->limits.entries)
        return cl_fail_kind(
            err, CL_KIND_INVALID, E2BIG,
            "tar entry \"%s\": the archive has more than %llu entries; that is refused", quoted,
            (unsigned long long)layer->limits.entries);
    if (entry->size < 0 || entry->size > layer->limits.bytes - layer->bytes)
        return cl_fail_kind(err, CL_KIND_INVALID, EFBIG,
                            "tar entry \"%s\": the archive's files are larger than %lld bytes "
                            "together; that is refused",
                            quoted, (long long)layer->limits.bytes);
    layer->bytes += entry->size;
    return 0;
}

static int check_names(const struct tar_entry *entry, const char *quoted, struct cl_error *err)
{
    if (entry->path[0] == '\0')
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "corrupt tar: an entry has an empty name");
    if (strlen(entry->path) >= PATH_MAX)
        return refuse(err, quoted, "has a name of more than 4095 bytes");
    if (layer_check_path(entry->path) < 0)
        return refuse(err, quoted, "climbs out of the image");
    if (entry->link == NULL)
        return 0;
    if (strlen(entry->link) >= PATH_MAX)
        return refuse(err, quoted, "is a link to a name of more than 4095 bytes");
    if (entry->type == TAR_HARDLINK && layer_check_path(entry->link) < 0) {
        char target[TAR_QUOTE_MAX];
        tar_quote(entry->link, target);
        return cl_fail_kind(
            err, CL_KIND_INVALID, EINVAL,
            "tar entry \"%s\" is a hard link to \"%s\", which climbs out of the image", quoted,
            target);
    }
    return 0;
}

/* uid_t's and gid_t's -1 means "don't change" to chown(2), so it is no owner (and CVE-2024-40635: nothing wraps around). */
static int check_owner(const struct tar_entry *entry, const char *quoted, struct cl_error *err)
{
    if (entry->uid < 0 || entry->uid >= UINT32_MAX || entry->gid < 0 || entry->gid >= UINT32_MAX)
        return cl_fail_kind(err, CL_KIND_INVALID, ERANGE,
                            "tar entry \"%s\" has the owner %lld:%lld, which is out of range",
                            quoted, (long long)entry->uid, (long long)entry->gid);
    return 0;
}

static int find_place(struct layer *layer, const char *path, struct layer_place *place,
                      struct cl_error *err)
{
    struct cl_error why = { 0 };
    place->parent_fd = inroot_parent(layer->root_fd, path, true, place->name, &why);
    if (place->parent_fd == -ENOTDIR) {
        int revived = layer_revive_parents(layer, path, place->quoted, err);
        if (revived < 0)
            return revived;
        if (revived > 0)
            place->parent_fd = inroot_parent(layer->root_fd, path, true, place->name, &why);
    }
    if (place->parent_fd >= 0)
        return 0;
    if (place->parent_fd == -EINVAL)
        return refuse(err, place->quoted, "ends in \"..\"");
    return layer_fail(err, place->parent_fd, place, "make the directories it is in");
}

void layer_times(const struct tar_entry *entry, struct timespec times[static 2])
{
    static const struct timespec keep = { .tv_nsec = UTIME_NOW };
    times[1] = entry->has_mtime ? entry->mtime : keep;
    times[0] = entry->has_atime ? entry->atime : times[1];
}

/* Directories change while things are put into them, so their times wait. */
static int remember_directory(struct layer *layer, const struct tar_entry *entry,
                              struct cl_error *err)
{
    if (layer->directory_count == layer->directory_room) {
        size_t room = layer->directory_room == 0 ? 64 : 2 * layer->directory_room, size;
        struct layer_directory *grown =
            cl_mul_size(room, sizeof *grown, &size) ? cl_realloc(layer->directories, size) : NULL;
        if (grown == NULL)
            return cl_fail(err, ENOMEM, "unpack a layer");
        layer->directories = grown;
        layer->directory_room = room;
    }
    struct layer_directory *directory = &layer->directories[layer->directory_count];
    directory->path = cl_strdup(entry->path);
    if (directory->path == NULL)
        return cl_fail(err, ENOMEM, "unpack a layer");
    layer_times(entry, directory->times);
    layer->directory_count++;
    return 0;
}

static int apply_at(struct layer *layer, struct tar *tar, const struct tar_entry *entry,
                    const struct layer_place *place, struct cl_error *err)
{
    if (cl_streq(place->name, LAYER_OPAQUE))
        return layer_make_opaque(place->parent_fd, place->quoted, err);
    if (cl_starts_with(place->name, LAYER_WHITEOUT_META)) {
        cl_debug("transfer", "left out: \"%s\" (of AUFS)", place->quoted);
        return 0;
    }
    if (cl_starts_with(place->name, LAYER_WHITEOUT))
        return layer_white_out(layer, place, err);
    int result = layer_make(layer, tar, entry, place, err);
    if (result >= 0 && entry->type == TAR_DIRECTORY)
        result = remember_directory(layer, entry, err);
    return result;
}

int layer_apply(struct layer *layer, struct tar *tar, const struct tar_entry *entry,
                struct cl_error *err)
{
    char quoted[TAR_QUOTE_MAX];
    struct layer_place place = { .parent_fd = -EBADF, .quoted = quoted };
    tar_quote(entry->path, quoted);
    int result = check_limits(layer, entry, quoted, err);
    if (result >= 0)
        result = check_names(entry, quoted, err);
    if (result >= 0)
        result = check_owner(entry, quoted, err);
    if (result >= 0)
        result = find_place(layer, entry->path, &place, err);
    if (result >= 0)
        result = apply_at(layer, tar, entry, &place, err);
    (void)cl_close(place.parent_fd);
    return result;
}

static int set_times(struct layer *layer, const struct layer_directory *directory,
                     struct cl_error *err)
{
    char quoted[TAR_QUOTE_MAX];
    tar_quote(directory->path, quoted);
    struct layer_place place = { .quoted = quoted };
    cl_auto_fd parent = inroot_parent(layer->root_fd, directory->path, false, place.name, NULL);
    if (parent == -ENOENT || parent == -ENOTDIR)
        return 0; /* a later entry replaced it */
    if (parent < 0)
        return layer_fail(err, parent, &place, "set its times");
    cl_auto_fd fd = openat(parent, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return 0;
    if (fd < 0 || futimens(fd, directory->times) < 0)
        return layer_fail(err, errno, &place, "set its times");
    return 0;
}

int layer_finish(struct layer *layer, struct cl_error *err)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < layer->directory_count; i++)
        result = set_times(layer, &layer->directories[i], err);
    return result;
}

int layer_unpack(tar_source *source, void *context, int dir_fd, int64_t *ret_bytes,
                 struct cl_error *err)
{
    CL_AUTO(tar_free) struct tar *tar = NULL;
    CL_AUTO(layer_free) struct layer *layer = NULL;
    struct tar_entry entry;
    int more = 0, result = tar_open(source, context, &tar, err);
    if (result >= 0)
        result = layer_open(dir_fd, NULL, &layer, err);
    while (result >= 0 && (more = tar_next(tar, &entry, err)) > 0)
        result = layer_apply(layer, tar, &entry, err);
    if (result >= 0)
        result = more;
    if (result >= 0)
        result = layer_finish(layer, err);
    if (result >= 0 && ret_bytes != NULL)
        *ret_bytes = layer->bytes;
    return result;
}
