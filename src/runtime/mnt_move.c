/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Into the root file system without pivot_root, which refuses where the host's own root is an
 * initramfs (or where others live in the mount namespace, which was joined): the root has been moved
 * over "/" (mnt_attach_root), and now we chroot into it.
 *
 * ".." and a second chroot lead to the topmost mount on "/", which is the container's, so they find
 * no way out. What is weaker than with pivot_root: the host's root stays below, and whoever may
 * unmount in the container can uncover it. So that as little as possible is there to be found, all
 * that the host has mounted on it is taken away first: no /proc and no /sys of the host's, either,
 * whose mere presence would allow new ones without our masks.
 */
#include "runtime/child.h"

#include <errno.h>
#include <unistd.h>

#include "base/libc.h"
#define MOUNTINFO_MAX (16 << 20)
#define STACK_MAX     64 /* mounts on one directory */

static int mount_id(int dir, const char *path, uint64_t *ret)
{
    struct statx info;
    if (statx(dir, path, AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW, STATX_MNT_ID,
              &info) < 0)
        return -errno;
    *ret = info.stx_mnt_id;
    return 0;
}

/* One that came with a user namespace can't be taken off: then it is covered. */
static int cover(const char *path)
{
    struct stat info;
    /* allowed: a mount point of the host's own tree, as the kernel told it */
    if (lstat(path, &info) < 0 || !S_ISDIR(info.st_mode))
        return 0; /* a file is nothing to be mounted anew */
    return k_mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                   "size=0,mode=000");
}

static int take_away(const char *path, uint64_t base)
{
    uint64_t id = 0;
    int result = 0;
    for (int i = 0; result >= 0 && i < STACK_MAX && mount_id(AT_FDCWD, path, &id) >= 0; i++) {
        if (id == base)
            return 0;
        result = k_umount(path, MNT_DETACH | UMOUNT_NOFOLLOW);
    }
    return result == -EINVAL ? cover(path) : result;
}

/* "36 35 98:0 /root /mount/point …": those that hang on the host's root itself; the rest goes with
   them. */
static int take_line(char *line, uint64_t base, uint64_t root)
{
    uint64_t id, parent;
    const char *at = line;
    if (!plan_next_number(&at, &id) || !plan_next_number(&at, &parent) || parent != base ||
        id == root || id == base)
        return 0;
    char *path = line + (at - line);
    for (int skip = 0; skip < 3; skip++) { /* 98:0 and /root */
        path += strspn(path, " ");
        if (skip < 2)
            path += strcspn(path, " ");
    }
    path[strcspn(path, " ")] = '\0';
    procfs_unescape(path);
    return cl_streq(path, "/") ? 0 : take_away(path, base);
}

static int take_host_away(struct child *child, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    uint64_t base = 0, root = 0;
    int proc = child_proc(child, err);
    int result =
        proc < 0 ? proc : cl_read_file(proc, "self/mountinfo", MOUNTINFO_MAX, &text, &size, err);
    if (result < 0)
        return result;
    result = mount_id(child->root, "", &root);
    if (result >= 0)
        result = mount_id(AT_FDCWD, "/", &base);
    for (char *line = text, *next; result >= 0 && *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");
        if (*next == '\n')
            *next++ = '\0';
        result = take_line(line, base, root);
        if (result < 0)
            return cl_fail(err, result, "take the host's mounts away");
    }
    return result < 0 ? cl_fail(err, result, "look at the host's mounts") : 0;
}

/* IN_NEW_MNT → IN_CONTAINER */
int mnt_move_root(struct child *child, struct cl_error *err)
{
    int result = 0;
    if (hooks_at_create(child->plan->spec)) /* until now it lay where they expect it */
        result = k_move_mount(child->root, AT_FDCWD, "/", 0);
    if (result < 0)
        return cl_fail(err, result, "move the root file system over /");
    result = child->plan->joins_mount_ns ? 0 : take_host_away(child, err);
    if (result < 0)
        return result;
    return chroot(".") < 0 || chdir("/") < 0
               ? cl_fail(err, errno, "change into the root file system")
               : 0;
}
