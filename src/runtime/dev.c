/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /dev: the runtime-spec's default devices and links (config-linux.md "Default Devices"), the
 * devices that the spec asks for, and the terminal.
 *
 * Made while the host's tree is still below us but only through descriptors of the container's
 * root. Nothing that is found in the image is trusted to be what its name says: a node that exists
 * must be the very device (CVE-2025-31133, CVE-2025-52565), a /dev that is a link is refused
 * (CVE-2026-41579).
 */
#include "runtime/child.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef DEVPTS_SUPER_MAGIC
#define DEVPTS_SUPER_MAGIC 0x1cd1
#endif

static const struct {
    const char *name;
    unsigned major, minor;
} default_devices[] = {
    { "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
    { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const struct {
    const char *name, *target;
} default_links[] = {
    { "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
    { "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
    { "ptmx", "pts/ptmx" },
};

static int check_node(int dir, const char *name, mode_t mode, dev_t device, struct cl_error *err)
{
    struct stat info;
    if (fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return cl_fail(err, errno, "look at device %s", name);
    if ((info.st_mode & S_IFMT) != (mode & S_IFMT) || info.st_rdev != device)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EEXIST,
                            "make device %s: something else of that name is in the way", name);
    return 0;
}

static bool is_node(int dir, const char *name, mode_t mode, dev_t device)
{
    struct stat info;
    return fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           (info.st_mode & S_IFMT) == (mode & S_IFMT) && info.st_rdev == device;
}

/* What the node is bound onto: a file of ours, or whatever the image has, which gets covered and not
   opened; a link or a directory is refused. */
static int open_place(int dir, const char *name, struct cl_error *err)
{
    struct stat info;
    cl_auto_fd file = openat(dir, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST) {
        file = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (file >= 0 && (fstat(file, &info) < 0 || S_ISLNK(info.st_mode) || S_ISDIR(info.st_mode)))
            return cl_fail(err, ELOOP, "make device %s", name);
    }
    return file < 0 ? cl_fail(err, errno, "make device %s", name) : cl_take_fd(&file);
}

/* In a user namespace nobody makes devices: the host's node at the same place, if it is that very
   device (CVE-2025-31133). The lookup ends in our own copy of the host's tree. */
static int bind_node(int dir, const char *name, const char *path, mode_t mode, dev_t device,
                     struct cl_error *err)
{
    struct stat info;
    cl_auto_fd node = openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (node < 0 || fstat(node, &info) < 0) {
        (void)cl_fail(err, errno, "open %s of the host", path);
        return cl_error_hint(err, "in a user namespace a device can't be made, only bound");
    }
    if ((info.st_mode & S_IFMT) != (mode & S_IFMT) || info.st_rdev != device)
        return cl_fail_kind(err, CL_KIND_CONFLICT, ENODEV, "%s of the host is another device",
                            path);
    cl_auto_fd place = open_place(dir, name, err);
    if (place < 0)
        return place;
    cl_auto_fd tree = k_open_tree(node, "", OPEN_TREE_CLONE);
    int result = tree < 0 ? tree : mnt_attach(tree, place);
    return result < 0 ? cl_fail(err, result, "bind device %s", path) : 1;
}

/* Asked when something was denied or is in the way: it costs a read where the user namespace is not
   the container's own. */
static bool only_binds(const struct child *child)
{
    return child->process->has_user_ns || runtime_in_user_ns(child->plan->facts);
}

/* `path`: where the host has it. 1: it is the host's node. */
static int make_node(const struct child *child, int dir, const char *name, const char *path,
                     mode_t mode, dev_t device, struct cl_error *err)
{
    if (mknodat(dir, name, mode, device) == 0)
        return 0;
    int code = errno;
    if (code == EEXIST && is_node(dir, name, mode, device))
        return !S_ISFIFO(mode) && only_binds(child);
    if (code == EEXIST && (S_ISFIFO(mode) || !only_binds(child)))
        return check_node(dir, name, mode, device, err);
    if (S_ISFIFO(mode) || (code != EPERM && code != EEXIST) || !only_binds(child))
        return cl_fail(err, code, "make device %s", name);
    return bind_node(dir, name, path, mode, device, err);
}

static int make_link(int dir, const char *name, const char *target, struct cl_error *err)
{
    struct stat info;
    if (symlinkat(target, dir, name) == 0)
        return 0;
    /* An image without a /dev mount of its own may bring its links, or a real ptmx. */
    if (errno == EEXIST && fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        (S_ISLNK(info.st_mode) || (S_ISCHR(info.st_mode) && info.st_rdev == makedev(5, 2))))
        return 0;
    return cl_fail(err, errno, "make link /dev/%s", name);
}

static int open_dev(struct child *child, struct cl_error *err)
{
    int fd = inroot_open(child->root, "/dev", O_RDONLY | O_DIRECTORY, 0, INROOT_NO_SYMLINKS, err);
    if (fd != -ENOENT)
        return fd;
    fd = inroot_mkdir_p(child->root, "/dev", 0755, err);
    (void)cl_close(fd < 0 ? -EBADF : fd);
    return fd < 0 ? fd
                  : inroot_open(child->root, "/dev", O_RDONLY | O_DIRECTORY, 0, INROOT_NO_SYMLINKS,
                                err);
}

/* linux.devices[] says what it is to be like. */
static bool is_listed(const struct oci_linux *spec, const char *path)
{
    for (size_t i = 0; i < spec->device_count; i++)
        if (cl_streq(spec->devices[i].path, path))
            return true;
    return false;
}

static int make_defaults(struct child *child, struct cl_error *err)
{
    int result = 0;
    cl_auto_fd dev = open_dev(child, err);
    if (dev < 0)
        return dev;
    for (size_t i = 0; result >= 0 && i < CL_COUNT(default_devices); i++) {
        char path[32];
        (void)CL_PRINT(path, "/dev/%s", default_devices[i].name); /* ours: fits */
        if (is_listed(&child->plan->spec->linux_, path))
            continue;
        result = make_node(child, dev, default_devices[i].name, path, S_IFCHR | 0666,
                           makedev(default_devices[i].major, default_devices[i].minor), err);
    }
    for (size_t i = 0; result >= 0 && i < CL_COUNT(default_links); i++)
        result = make_link(dev, default_links[i].name, default_links[i].target, err);
    return result;
}

static mode_t type_bits(enum oci_device_type type)
{
    return type == OCI_DEVICE_BLOCK ? S_IFBLK : type == OCI_DEVICE_FIFO ? S_IFIFO : S_IFCHR;
}

/* linux.devices[]: may lie anywhere in the root. The owner is changed by a descriptor that was
   checked to be the node. */
static int make_device(struct child *child, const struct oci_device *device, struct cl_error *err)
{
    char name[256];
    mode_t mode =
        type_bits(device->type) | (device->file_mode.set ? device->file_mode.value & 07777 : 0666);
    dev_t number = device->type == OCI_DEVICE_FIFO
                       ? 0
                       : makedev((unsigned)device->major, (unsigned)device->minor);
    cl_auto_fd dir = inroot_parent(child->root, device->path, true, name, err);
    int result = dir < 0 ? dir : make_node(child, dir, name, device->path, mode, number, err);
    if (result < 0)
        return cl_error_prefix(err, "device %s", device->path);
    cl_auto_fd node = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;
    if (node < 0 || fstat(node, &info) < 0)
        return cl_fail(err, errno, "look at device %s", device->path);
    uid_t uid = device->uid.set ? device->uid.value : 0;
    gid_t gid = device->gid.set ? device->gid.value : 0;
    if ((info.st_mode & S_IFMT) != (mode & S_IFMT) || info.st_rdev != number)
        return cl_fail(err, ESTALE, "device %s", device->path);
    /* A bound node is the host's, and so is its owner (plan_user_ns.c warns). */
    if (result == 0 && (info.st_uid != uid || info.st_gid != gid) &&
        fchownat(node, "", uid, gid, AT_EMPTY_PATH) < 0)
        return cl_fail(err, errno, "set the owner of device %s", device->path);
    return 0;
}

/* config-linux.md "Default Devices": /dev/ptmx is that of the container's own /dev/pts, also for callers that list the host's (as podman run --privileged does). */
static bool is_ptmx(const struct oci_device *device)
{
    return device->type == OCI_DEVICE_CHAR && device->major == 5 && device->minor == 2 &&
           cl_streq(device->path, "/dev/ptmx");
}

/* IN_NEW_MNT; umask is 0. */
int dev_make(struct child *child, struct cl_error *err)
{
    const struct oci_linux *spec = &child->plan->spec->linux_;
    int result = child->plan->make_devices ? make_defaults(child, err) : 0;
    for (size_t i = 0; result >= 0 && i < spec->device_count; i++)
        if (!child->plan->make_devices || !is_ptmx(&spec->devices[i]))
            result = make_device(child, &spec->devices[i], err);
    return result;
}

/* ---- terminal ---- */

static int open_devpts(struct child *child, struct cl_error *err)
{
    long magic = 0;
    if (child->devpts >= 0)
        return 0; /* we mounted it ourselves */
    cl_auto_fd fd =
        inroot_open(child->root, "/dev/pts", O_RDONLY | O_DIRECTORY, 0, INROOT_NO_SYMLINKS, err);
    int result = fd < 0 ? fd : k_fs_type(fd, &magic);
    if (result >= 0 && magic != DEVPTS_SUPER_MAGIC)
        result = cl_fail(err, ENODEV, "/dev/pts of the container is no devpts");
    if (result < 0)
        return cl_error_prefix(err, "open a terminal");
    child->devpts = cl_take_fd(&fd);
    return 0;
}

/* A pair of the container's own devpts, so that ttyname() works in there; the master goes to the
   parent. */
static int open_pair(struct child *child, struct cl_error *err)
{
    unsigned index, rows = child->io->rows, columns = child->io->columns;
    cl_auto_fd master = -EBADF, slave = -EBADF;
    int result = open_devpts(child, err);
    if (result >= 0)
        result = terminal_open_pair(child->devpts, &master, &slave, &index, err);
    if (result < 0)
        return result;
    const struct oci_process *process = child->process->spec;
    if (rows == 0 && columns == 0) {
        rows = process->console_size.height;
        columns = process->console_size.width;
    }
    if (rows != 0 || columns != 0)
        result = terminal_set_size(slave, rows, columns);
    if (result >= 0 && process->user.uid != 0 && fchown(slave, process->user.uid, (gid_t)-1) < 0)
        result = -errno;
    if (result >= 0)
        result = child_send(child, WIRE_INIT_CONSOLE, master);
    if (result < 0)
        return cl_fail(err, result, "set up the terminal");
    child->slave = cl_take_fd(&slave);
    return 0;
}

/* /dev/console is the terminal: a bind of the slave that we hold, onto a file that we made
   (CVE-2025-52565). */
static int bind_console(struct child *child, struct cl_error *err)
{
    cl_auto_fd dev =
        inroot_open(child->root, "/dev", O_RDONLY | O_DIRECTORY, 0, INROOT_NO_SYMLINKS, err);
    if (dev < 0)
        return dev;
    cl_auto_fd file =
        openat(dev, "console", O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST) {
        /* The image's own: whatever it is, it gets covered, not opened; a link or a directory is
           refused. */
        struct stat info;
        file = openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (file >= 0 && (fstat(file, &info) < 0 || S_ISLNK(info.st_mode) || S_ISDIR(info.st_mode)))
            return cl_fail(err, ELOOP, "make /dev/console");
    }
    if (file < 0)
        return cl_fail(err, errno, "make /dev/console");
    cl_auto_fd tree = k_open_tree(child->slave, "", OPEN_TREE_CLONE);
    int result = tree < 0 ? tree : mnt_attach(tree, file);
    return result < 0 ? cl_fail(err, result, "make /dev/console the terminal") : 0;
}

/* IN_NEW_MNT */
int dev_open_terminal(struct child *child, struct cl_error *err)
{
    int result = open_pair(child, err);
    return result < 0 || !child->plan->make_devices ? result : bind_console(child, err);
}

/* IN_CONTAINER, with a root that others may have changed since: hence checked, not believed. */
int dev_open_exec_terminal(struct child *child, struct cl_error *err)
{
    return open_pair(child, err);
}
