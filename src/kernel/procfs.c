/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a /proc that is one, writing to it, and walking its processes. What the files of a
 * process say is read in procfs_read.c.
 *
 * Writing: "self" and "thread-self" are the only links on the way; they are read first (their text
 * is a pid, checked), so everything else can be resolved with links and mount crossings forbidden.
 * A file bound over /proc/self/attr/exec then is -EXDEV, not a write that goes astray.
 */
#include "kernel/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include "kernel/hook.h"
#include "kernel/inroot.h"

#define PROC_ROOT_INODE 1

static int check_is_procfs(int fd)
{
    long magic = 0;
    int code = k_fs_type(fd, &magic);
    if (code < 0)
        return code;
    struct stat info;
    if (fstat(fd, &info) < 0)
        return -errno;
    return magic == PROC_SUPER_MAGIC && info.st_ino == PROC_ROOT_INODE ? 0 : -EXDEV;
}

int procfs_open_host(struct cl_error *err)
{
    cl_auto_fd fd = (int)K_CALL("openat", SYS_openat, AT_FDCWD, (long)"/proc",
                                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return cl_fail(err, fd, "open /proc");
    int code = check_is_procfs(fd);
    if (code == -EXDEV)
        return cl_fail_kind(
            err, CL_KIND_UNSUPPORTED, EXDEV,
            "/proc is not the root of a procfs: mount one there (mount -t proc proc /proc)");
    if (code < 0)
        return cl_fail(err, code, "look at /proc");
    return cl_take_fd(&fd);
}

int procfs_open_own(bool subset_pid)
{
    cl_auto_fd fs = k_fsopen("proc");
    if (fs < 0)
        return fs;
    int code = subset_pid ? k_fsconfig_string(fs, "subset", "pid") : 0;
    if (code >= 0)
        code = k_fsconfig_create(fs);
    if (code < 0)
        return code;
    return k_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int procfs_open_private(bool subset_pid, struct cl_error *err)
{
    int fd = procfs_open_own(subset_pid);
    if (fd >= 0 || fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
        return fd >= 0 ? fd : cl_fail(err, fd, "make a procfs of our own");
    return procfs_open_host(err);
}

int procfs_open_pid(int proc_fd, pid_t pid)
{
    char name[16];
    if (pid <= 0 || CL_PRINT(name, "%d", (int)pid) < 0)
        return -ESRCH;
    int fd =
        (int)K_CALL("openat", SYS_openat, proc_fd, (long)name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd == -ENOENT ? -ESRCH : fd;
}

/* "123" or "123/task/456", the text of the two links. */
static bool is_self_text(const char *text)
{
    return text[0] >= '1' && text[0] <= '9' && text[strspn(text, "0123456789/task")] == '\0';
}

/* path with a leading self or thread-self replaced by what the link says. */
static int resolve_self(int proc_fd, const char *path, char *resolved, size_t size)
{
    size_t length = strcspn(path, "/");
    bool is_self = length == 4 && memcmp(path, "self", 4) == 0;
    bool is_thread = length == 11 && memcmp(path, "thread-self", 11) == 0;
    if (!is_self && !is_thread)
        return cl_print(resolved, size, "%s", path);
    char text[64];
    long got = K_CALL("readlinkat", SYS_readlinkat, proc_fd,
                      (long)(is_self ? "self" : "thread-self"), (long)text, sizeof text - 1);
    if (got < 0)
        return (int)got;
    text[got] = '\0';
    if (!is_self_text(text))
        return -EXDEV; /* no procfs says that */
    return cl_print(resolved, size, "%s%s", text, path + length);
}

int procfs_write(int proc_fd, const char *path, const char *text)
{
    char resolved[512];
    int code = resolve_self(proc_fd, path, resolved, sizeof resolved);
    if (code < 0)
        return code;
    cl_auto_fd fd = inroot_open(proc_fd, resolved, O_WRONLY | O_NOFOLLOW | O_NOCTTY, 0,
                                INROOT_NO_SYMLINKS | INROOT_NO_XDEV, NULL);
    if (fd < 0)
        return fd;
    long magic = 0;
    code = k_fs_type(fd, &magic);
    if (code < 0)
        return code;
    if (magic != PROC_SUPER_MAGIC)
        return -EXDEV;
    size_t length = strlen(text);
    long written;
    do
        written = K_CALL("write", SYS_write, fd, (long)text, (long)length);
    while (written == -EINTR);
    if (written < 0)
        return (int)written;
    return (size_t)written == length ? 0 : -EIO;
}

int procfs_walk_init(struct procfs_walk *walk, int dir_fd)
{
    int fd =
        (int)K_CALL("openat", SYS_openat, dir_fd, (long)".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fd;
    walk->fd = fd;
    walk->used = walk->size = 0;
    return 0;
}

static pid_t parse_pid(const char *name)
{
    int64_t pid = 0;
    for (; *name >= '0' && *name <= '9' && pid < INT32_MAX; name++)
        pid = pid * 10 + (*name - '0');
    return *name == '\0' && pid <= INT32_MAX ? (pid_t)pid : 0;
}

pid_t procfs_walk_next(struct procfs_walk *walk)
{
    for (;;) {
        while (walk->used < walk->size) {
            const struct dirent64 *entry =
                (const struct dirent64 *)(const void *)(walk->buffer + walk->used);
            walk->used += entry->d_reclen;
            pid_t pid = parse_pid(entry->d_name);
            if (pid > 0) {
                walk->inode = entry->d_ino;
                return pid;
            }
        }
        long size =
            K_CALL("getdents64", SYS_getdents64, walk->fd, (long)walk->buffer, sizeof walk->buffer);
        if (size <= 0)
            return (pid_t)size;
        walk->used = 0;
        walk->size = (size_t)size;
    }
}

void procfs_walk_done(struct procfs_walk *walk)
{
    walk->fd = cl_close(walk->fd);
}
