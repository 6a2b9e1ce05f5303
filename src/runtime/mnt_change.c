/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts[] that make no mount but change one that is there: the option remount, and propagation
 * without a type. What the options do not name stays as it is. Also copy-symlink, which makes a link.
 */
#include "runtime/child.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/libc.h"

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000 /* 5.8 */
#endif

int mnt_is_mount(int fd)
{
    struct statx info;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info) < 0)
        return -errno;
    return (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int check_is_mount(int target, struct cl_error *err)
{
    int result = mnt_is_mount(target);
    if (result < 0)
        return cl_fail(err, result, "look at it");
    if (result == 0)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "nothing is mounted there");
    return 0;
}

/* The file system's own options concern its superblock: everybody who has it mounted. */
static int reconfigure(const struct plan_mount *mount, int target, struct cl_error *err)
{
    char message[200] = "";
    if (mount->option_count == 0)
        return 0;
    cl_auto_fd fs = k_fspick(target, "", 0);
    int result = fs;
    for (size_t i = 0; result >= 0 && i < mount->option_count; i++) {
        const struct plan_fs_option *option = &mount->options[i];
        result = option->value != NULL ? k_fsconfig_string(fs, option->key, option->value)
                                       : k_fsconfig_flag(fs, option->key);
    }
    if (result >= 0)
        result = k_fsconfig_reconfigure(fs);
    if (result >= 0)
        return 0;
    if (fs >= 0)
        k_fs_message(fs, message, sizeof message);
    return message[0] != '\0' ? cl_fail(err, result, "%s", message)
                              : cl_fail(err, result, "change the file system's options");
}

static int change(const struct plan_mount *mount, int target, struct cl_error *err)
{
    const struct k_mount_change own = { .set = mount->flags.attr_set,
                                        .clear = mount->flags.attr_clear,
                                        .userns_fd = -EBADF };
    int result = check_is_mount(target, err);
    if (result >= 0)
        result = reconfigure(mount, target, err);
    if (result < 0)
        return result;
    if (own.set != 0 || own.clear != 0)
        result = k_mount_setattr(target, &own);
    if (result >= 0)
        result = mnt_apply_recursive(target, mount);
    if (result >= 0)
        result = mnt_apply_propagation(target, mount);
    return result < 0 ? cl_fail(err, result, "change its attributes") : 0;
}

/* IN_NEW_MNT */
int mnt_change(struct child *child, const struct plan_mount *mount, struct cl_error *err)
{
    cl_auto_fd target = inroot_open(child->root, mount->target, O_PATH, 0,
                                    mount->no_links ? INROOT_NO_SYMLINKS : INROOT_FOLLOW, err);
    if (target < 0 || change(mount, target, err) < 0)
        return cl_error_prefix(err, "mounts[%zu]: change the mount at %s", mount->index,
                               mount->target);
    return 0;
}

static int link_is_the_same(const struct child *child, const struct plan_mount *mount,
                            const char *text)
{
    char name[256], there[PATH_MAX];
    cl_auto_fd parent = inroot_parent(child->root, mount->target, false, name, NULL);
    ssize_t length = parent < 0 ? parent : readlinkat(parent, name, there, sizeof there - 1);
    if (length < 0)
        return -EEXIST;
    there[length] = '\0';
    return cl_streq(there, text) ? 0 : -EEXIST;
}

/* IN_NEW_MNT. `source` is the host's link, opened but not followed. */
int mnt_copy_symlink(struct child *child, const struct plan_mount *mount, int source,
                     struct cl_error *err)
{
    char text[PATH_MAX];
    ssize_t length = readlinkat(source, "", text, sizeof text - 1);
    if (length < 0)
        return cl_fail(err, errno, "read the link %s", mount->source);
    text[length] = '\0';
    struct cl_error failure = { 0 };
    int result = inroot_symlink(child->root, text, mount->target, &failure);
    if (result == -EEXIST)
        result = link_is_the_same(child, mount, text);
    if (result == -EEXIST)
        return cl_fail(err, result, "mounts[%zu]: copy the link %s to %s: something else is there",
                       mount->index, mount->source, mount->target);
    return result < 0 ? cl_fail(err, result, "mounts[%zu]: copy the link %s to %s", mount->index,
                                mount->source, mount->target)
                      : 0;
}
