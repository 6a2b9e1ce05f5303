/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts over processes are looked for in our own mountinfo, which is opened without crossing a mount itself: children of the mount that /proc is, at
 * the directory of a process. (Mounts elsewhere below /proc are usual: binfmt_misc, masks.)
 */
#include "lens/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>

#include "kernel/inroot.h"
#include "lens/mounts.h"

struct search {
    uint64_t proc;   /* the mount that /proc is */
    size_t prefix;   /* length of where it is mounted */
    char cover[128]; /* the first that lies over a process, or empty */
};

static int take_mount(void *context, const struct lens_mount *mount)
{
    struct search *search = context;
    if (mount->id == search->proc)
        search->prefix = strlen(mount->point);
    if (mount->parent != search->proc || strlen(mount->point) <= search->prefix)
        return 0;
    const char *below = mount->point + search->prefix; /* "/123/ns" */
    size_t digits = strspn(below + 1, "0123456789");
    if (digits == 0 || (below[1 + digits] != '\0' && below[1 + digits] != '/'))
        return 0;
    (void)CL_PRINT(search->cover, "%s", mount->point); /* cut at worst */
    return 1;
}

static int open_own_mounts(int proc_fd)
{
    char self[16], path[40];
    ssize_t length = readlinkat(proc_fd, "self", self, sizeof self - 1);
    if (length < 0)
        return -errno;
    self[length] = '\0';
    (void)CL_PRINT(path, "%s/mountinfo", self); /* fits */
    return inroot_open(proc_fd, path, O_RDONLY, 0, INROOT_NO_SYMLINKS | INROOT_NO_XDEV, NULL);
}

/* 1: covered, with what; 0: not; or -errno: not known. */
static int find_cover(int proc_fd, struct search *search)
{
    struct statx info;
    cl_auto_free char *text = NULL;
    if (statx(proc_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) < 0)
        return -errno;
    if ((info.stx_mask & STATX_MNT_ID) == 0)
        return 0; /* before Linux 5.8 */
    search->proc = info.stx_mnt_id;
    cl_auto_fd mounts = open_own_mounts(proc_fd);
    if (mounts == -EXDEV) {
        (void)CL_PRINT(search->cover, "/proc/self"); /* fits */
        return 1;
    }
    if (mounts < 0)
        return mounts == -ENOENT ? 0 : mounts; /* a procfs of a pid namespace that we are not in */
    int code = cl_read_fd(mounts, LENS_MOUNTINFO_MAX, &text, NULL, NULL);
    search->prefix = strlen("/proc"); /* until its line is met */
    return code < 0 ? code : lens_mounts_parse(text, take_mount, search);
}

int lens_open_proc(struct cl_error *err)
{
    struct search search = { 0 };
    cl_auto_fd host = procfs_open_host(err);
    if (host < 0)
        return host;
    int code = find_cover(host, &search);
    if (code < 0)
        return cl_fail(err, code, "look for mounts over /proc");
    if (code == 0)
        return cl_take_fd(&host);
    cl_debug("lens", "%s is covered by a mount: a procfs of our own", search.cover);
    cl_auto_fd own = procfs_open_private(false, err);
    code = own < 0 ? own : find_cover(own, &search);
    if (code < 0)
        return own < 0 ? own : cl_fail(err, code, "look for mounts over /proc");
    if (code == 0)
        return cl_take_fd(&own);
    code = cl_fail_kind(err, CL_KIND_DENIED, EXDEV,
                        "something is mounted over %s, so it does not say what the kernel says",
                        search.cover);
    (void)cl_error_hint(err, "unmount it, or look as root");
    return code;
}
