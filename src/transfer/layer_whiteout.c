/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whiteouts: image layers say "this was deleted" by files named .wh.NAME, overlay says it by a character device 0:0 at NAME, and "nothing below this
 * directory counts" by an attribute of the directory.
 *
 * image-spec layer.md: a whiteout hides what lower layers have, never what its own layer has, in whatever order the two come. So a name that this layer has itself
 * makes the whiteout needless (a file replaces what is below) or, for a directory, means "opaque".
 */
#include "transfer/layer_private.h"

#include <limits.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

bool layer_is_whiteout(const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == makedev(0, 0);
}

int layer_make_opaque(int dir_fd, const char *quoted, struct cl_error *err)
{
    cl_auto_fd fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return cl_fail(err, errno, "tar entry \"%s\": open its directory", quoted);
    if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0) {
        int result = cl_fail(err, errno, "tar entry \"%s\": mark its directory opaque", quoted);
        (void)cl_error_hint(err, "layers that delete whole directories need root");
        return result;
    }
    return 0;
}

static int make_whiteout(const struct layer_place *place, const char *name)
{
    return mknodat(place->parent_fd, name, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
}

static int make_own_opaque(const struct layer_place *place, const char *name, struct cl_error *err)
{
    cl_auto_fd fd = openat(place->parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOTDIR || errno == ELOOP
                   ? 0
                   : layer_fail(err, errno, place, "open the directory");
    return layer_make_opaque(fd, place->quoted, err);
}

int layer_white_out(struct layer *layer, const struct layer_place *place, struct cl_error *err)
{
    const char *name = place->name + strlen(LAYER_WHITEOUT);
    if (name[0] == '\0' || cl_streq(name, ".") || cl_streq(name, ".."))
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                            "tar entry \"%s\" is a whiteout of nothing that could be deleted",
                            place->quoted);
    int result = make_whiteout(place, name);
    if (result == -EEXIST)
        return make_own_opaque(place, name, err);
    return result < 0 ? layer_fail(err, result, place, "make a whiteout") : 0;
}

/* One component on the way, as text up to `end`. */
static int revive(struct layer *layer, const char *path, size_t end, const char *quoted,
                  struct cl_error *err)
{
    char prefix[PATH_MAX];
    struct stat status;
    memcpy(prefix, path, end);
    prefix[end] = '\0';
    struct layer_place place = { .quoted = quoted };
    cl_auto_fd parent = inroot_parent(layer->root_fd, prefix, false, place.name, NULL);
    if (parent < 0 || fstatat(parent, place.name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        !layer_is_whiteout(&status))
        return 0;
    place.parent_fd = parent;
    if (unlinkat(parent, place.name, 0) < 0 || mkdirat(parent, place.name, 0755) < 0)
        return layer_fail(err, errno, &place, "make the directories it is in");
    int result = make_own_opaque(&place, place.name, err);
    return result < 0 ? result : 1;
}

int layer_revive_parents(struct layer *layer, const char *path, const char *quoted,
                         struct cl_error *err)
{
    size_t length = strlen(path);
    for (size_t end = 1; end < length; end++) {
        if (path[end] != '/' || path[end - 1] == '/')
            continue;
        int result = revive(layer, path, end, quoted, err);
        if (result != 0)
            return result;
    }
    return 0;
}
