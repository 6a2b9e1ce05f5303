/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images of a container with a user namespace. CRIU goes on reading them after it has become root of that namespace, who is nobody special to the host; before that it has
 * the host's root's id and no rights. Both can read the files, since CRIU makes them 0644; what keeps everybody else from that memory of processes is their directory, which
 * is root's alone. So neither its mode nor its owner is touched: in CRIU's mount namespace, where nobody else can look, there is a directory that is open, with each image bound
 * into it. Id-mapped mounts would not do: to them the directory has one owner, and CRIU is two.
 *
 * A directory of images may have a link "parent" to that of a pre-dump: here it is a directory, of the same kind.
 */
#include "runtime/criu.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PARENTS_MAX 256

static bool is_image(const char *name)
{
    return cl_ends_with(name, ".img");
}

static int check_image(int images, const char *name, struct stat *ret, struct cl_error *err)
{
    if (fstatat(images, name, ret, AT_SYMLINK_NOFOLLOW) < 0)
        return cl_fail(err, errno, "%s", name);
    return S_ISREG(ret->st_mode) ? 0
                                 : cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "%s: no file", name);
}

static int bind_image(int images, int dir, const char *name, struct cl_error *err)
{
    struct stat info;
    int result = check_image(images, name, &info, err);
    if (result < 0)
        return result;
    if ((info.st_mode & S_IROTH) == 0) {
        (void)cl_fail_kind(err, CL_KIND_DENIED, EACCES,
                           "%s: root of the user namespace could not read it", name);
        return cl_error_hint(err,
                             "chmod o+r, as criu makes them; keep others out by the directory");
    }
    cl_auto_fd tree = k_open_tree(images, name, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
    cl_auto_fd point =
        openat(dir, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
    result = tree < 0 ? tree : point < 0 ? -errno : k_move_mount(tree, point, "", 0);
    return result < 0 ? cl_fail(err, result, "%s: bind it", name) : 0;
}

/* Without `dir` they are looked at only. */
static int take_image(int images, int dir, const char *name, struct cl_error *err)
{
    struct stat info;
    return dir < 0 ? check_image(images, name, &info, err) : bind_image(images, dir, name, err);
}

static int take_all(int images, int dir, struct cl_error *err)
{
    int own = openat(images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
    DIR *list = own < 0 ? NULL : fdopendir(own);
    if (list == NULL) {
        result = cl_fail(err, errno, "list it");
        (void)cl_close(own);
        return result;
    }
    const struct dirent *entry;
    while (result >= 0 && (entry = readdir(list)) != NULL)
        if (is_image(entry->d_name))
            result = take_image(images, dir, entry->d_name, err);
    (void)closedir(list);
    return result;
}

int criu_images_check(int images, struct cl_error *err)
{
    return take_all(images, -EBADF, err);
}

/* Both descriptors are moved on to the parent's; 0: there is none. */
static int go_to_parent(int *images, int *dir, struct cl_error *err)
{
    cl_auto_fd next = openat(*images, "parent", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (next < 0)
        return errno == ENOENT ? 0 : cl_fail(err, errno, "parent");
    int made = mkdirat(*dir, "parent", 0755) < 0
                   ? -1
                   : openat(*dir, "parent", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (made < 0)
        return cl_fail(err, errno, "parent");
    (void)cl_close(*images);
    (void)cl_close(*dir);
    *images = cl_take_fd(&next);
    *dir = made;
    return 1;
}

int criu_images_bind(int images, int top, struct cl_error *err)
{
    cl_auto_fd from = k_dup(images), to = -EBADF;
    if (from < 0 || mkdirat(top, CRIU_IMAGES, 0755) < 0)
        return cl_fail(err, errno, "make a directory for it");
    to = openat(top, CRIU_IMAGES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (to < 0)
        return cl_fail(err, errno, "make a directory for it");
    for (unsigned i = 0; i < PARENTS_MAX; i++) {
        int result = take_all(from, to, err);
        if (result >= 0)
            result = go_to_parent(&from, &to, err);
        if (result <= 0)
            return result;
    }
    return cl_fail(err, ELOOP, "parent");
}
