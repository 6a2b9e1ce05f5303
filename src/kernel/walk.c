/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hand-walk below a root: what openat2(RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS) does in the
 * kernel, for kernels and sandboxes without it, and for making missing directories where links
 * (dangling ones too) have to be followed first.
 *
 * A stack holds a descriptor (O_PATH) of every directory between the root and where we are. One
 * component is one openat(O_PATH|O_NOFOLLOW) below the top; what was opened is then judged by its
 * descriptor, never by its name again: a directory is pushed, a symbolic link is read through the
 * descriptor and its text put before the rest of the path, ".." pops, "/" pops all. So whatever is
 * renamed meanwhile, every descriptor was reached from the root by descending, and nothing above it
 * can be named. The last component is opened with O_NOFOLLOW below the top; if it turns out to be a
 * link it is read like the others.
 */
#include "kernel/walk.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#ifndef STATX_TYPE /* musl before 1.2.4 */
#include <linux/stat.h>
#endif
#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000 /* 5.8 */
#endif

#include "kernel/hook.h"

#define WALK_LEVELS     200 /* of descriptors; the usual limit of a process is 1,024 */
#define WALK_LINKS      40  /* as the kernel's MAXSYMLINKS */
#define PROC_ROOT_INODE 1
#define WALK_RACES      128 /* how often names may change under us before we say -EAGAIN */

struct walk {
    const struct walk_goal *goal;
    int stack[WALK_LEVELS]; /* [0] is the root: borrowed */
    unsigned depth;         /* of the top */
    unsigned links, races;
    uint64_t root_mount; /* with INROOT_NO_XDEV */
    char *rest;          /* what is still to walk; lies at the end of buffer */
    char buffer[2 * PATH_MAX];
};

enum { WALK_GO_ON = -4096 }; /* below every errno: not yet at the end */

static int walk_top(const struct walk *walk)
{
    return walk->stack[walk->depth];
}

static void walk_pop_to(struct walk *walk, unsigned depth)
{
    while (walk->depth > depth)
        (void)cl_close(walk->stack[walk->depth--]);
}

static int open_below(int dir_fd, const char *name, int flags, mode_t mode)
{
    return (int)K_CALL("openat", SYS_openat, dir_fd, (long)name, flags | O_CLOEXEC, mode);
}

static int mount_of(int fd, uint64_t *ret_mount)
{
    struct statx info = { 0 };
    long answer =
        K_CALL("statx", SYS_statx, fd, (long)"", AT_EMPTY_PATH, STATX_MNT_ID, (long)&info);
    if (answer < 0)
        return (int)answer;
    if ((info.stx_mask & STATX_MNT_ID) == 0)
        return -EOPNOTSUPP;
    *ret_mount = info.stx_mnt_id;
    return 0;
}

static int check_mount(const struct walk *walk, int fd)
{
    if ((walk->goal->flags & INROOT_NO_XDEV) == 0)
        return 0;
    uint64_t mount = 0;
    int code = mount_of(fd, &mount);
    if (code < 0)
        return code;
    return mount == walk->root_mount ? 0 : -EXDEV;
}

/* Put a path before the rest. */
static int walk_prepend(struct walk *walk, const char *text, size_t length)
{
    size_t room = (size_t)(walk->rest - walk->buffer);
    if (length + 1 > room)
        return -ENAMETOOLONG;
    if (walk->rest[0] != '\0')
        *--walk->rest = '/';
    walk->rest -= length;
    memcpy(walk->rest, text, length);
    return 0;
}

/* Procfs's links other than those of its root directory (self, mounts, net) lead where their
   text does not say. */
static int refuse_magic_link(const struct walk *walk, int link_fd)
{
    long magic = 0;
    struct stat parent;
    int code = k_fs_type(link_fd, &magic);
    if (code < 0 || magic != PROC_SUPER_MAGIC)
        return code;
    if (fstat(walk_top(walk), &parent) < 0)
        return -errno;
    return parent.st_ino == PROC_ROOT_INODE ? 0 : -ELOOP;
}

static int walk_follow(struct walk *walk, int link_fd, bool wants_directory)
{
    if ((walk->goal->flags & INROOT_NO_SYMLINKS) != 0 || ++walk->links > WALK_LINKS)
        return -ELOOP;
    int code = refuse_magic_link(walk, link_fd);
    if (code < 0)
        return code;
    char text[PATH_MAX];
    long length =
        K_CALL("readlinkat", SYS_readlinkat, link_fd, (long)"", (long)text, sizeof text - 1);
    if (length <= 0)
        return length < 0 ? (int)length : -ENOENT;
    if (text[0] == '/')
        walk_pop_to(walk, 0);
    if (wants_directory && text[length - 1] != '/')
        text[length++] = '/'; /* "link/": its target has to be a directory */
    code = walk_prepend(walk, text, (size_t)length);
    return code < 0 ? code : WALK_GO_ON;
}

/* Cut the next component off the rest. *ret_is_last: nothing but slashes follows; *ret_slash: at
   least one does. */
static int walk_cut(struct walk *walk, char name[static NAME_MAX + 1], bool *ret_is_last,
                    bool *ret_slash)
{
    size_t length = strcspn(walk->rest, "/");
    if (length > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, walk->rest, length);
    name[length] = '\0';
    walk->rest += length;
    *ret_slash = walk->rest[0] == '/';
    walk->rest += strspn(walk->rest, "/");
    *ret_is_last = walk->rest[0] == '\0';
    return 0;
}

/* Somebody changed the name between two looks at it: look again, a bounded number of times. */
static int walk_again(struct walk *walk, const char *name, bool slash)
{
    if (++walk->races > WALK_RACES)
        return -EAGAIN;
    char text[NAME_MAX + 2];
    size_t length = strlen(name);
    memcpy(text, name, length);
    if (slash)
        text[length++] = '/';
    int code = walk_prepend(walk, text, length);
    return code < 0 ? code : WALK_GO_ON;
}

static int walk_make_dir(struct walk *walk, const char *name, mode_t mode)
{
    int code = (int)K_CALL("mkdirat", SYS_mkdirat, walk_top(walk), (long)name, mode);
    return code == -EEXIST ? 0 : code; /* somebody was faster; what it is will be seen */
}

/* A component that is not the last: a directory or a link to one. */
static int walk_middle(struct walk *walk, const char *name)
{
    cl_auto_fd fd = open_below(walk_top(walk), name, O_PATH | O_NOFOLLOW, 0);
    if (fd == -ENOENT && (walk->goal->make & WALK_MAKE_PARENTS) != 0) {
        int code = walk_make_dir(walk, name, walk->goal->dir_mode);
        return code < 0 ? code : walk_again(walk, name, true);
    }
    if (fd < 0)
        return fd;
    struct stat info;
    if (fstat(fd, &info) < 0)
        return -errno;
    int code = check_mount(walk, fd);
    if (code < 0)
        return code;
    if (S_ISLNK(info.st_mode))
        return walk_follow(walk, fd, true);
    if (!S_ISDIR(info.st_mode))
        return -ENOTDIR;
    if (walk->depth + 1 >= WALK_LEVELS)
        return -ENAMETOOLONG;
    walk->stack[++walk->depth] = cl_take_fd(&fd);
    return WALK_GO_ON;
}

/* The walk ends in a directory that is already on the stack ("/", "a/..", "."). */
static int walk_end_here(const struct walk *walk)
{
    int flags = walk->goal->open_flags;
    if ((flags & O_CREAT) != 0)
        return (flags & O_EXCL) != 0 ? -EEXIST : -EISDIR;
    return open_below(walk_top(walk), ".", flags, walk->goal->mode);
}

static int walk_make_last(struct walk *walk, const char *name, bool slash)
{
    int code;
    if ((walk->goal->make & WALK_MAKE_LAST_DIR) != 0)
        code = walk_make_dir(walk, name, walk->goal->mode);
    else if (slash)
        return -EISDIR;
    else
        code = (int)K_CALL("mknodat", SYS_mknodat, walk_top(walk), (long)name,
                           S_IFREG | walk->goal->mode, 0);
    if (code < 0 && code != -EEXIST)
        return code;
    return walk_again(walk, name, slash);
}

/* What is there is no link (or is one that the caller wants to have opened itself): open it for
   real. */
static int walk_open_last(struct walk *walk, const char *name, bool slash)
{
    int flags = walk->goal->open_flags | O_NOFOLLOW | (slash ? O_DIRECTORY : 0);
    cl_auto_fd fd = open_below(walk_top(walk), name, flags, walk->goal->mode);
    bool may_be_link = (walk->goal->open_flags & O_NOFOLLOW) == 0 || slash;
    if (fd < 0) {
        /* It has become a link since we looked (which a directory's open calls ENOTDIR): look
           again. */
        bool changed =
            may_be_link && (fd == -ELOOP || (fd == -ENOTDIR && (flags & O_DIRECTORY) != 0));
        return changed ? walk_again(walk, name, slash) : fd;
    }
    struct stat info;
    if ((flags & O_PATH) != 0 && may_be_link) {
        if (fstat(fd, &info) < 0)
            return -errno;
        if (S_ISLNK(info.st_mode))
            return walk_again(walk, name, slash);
    }
    int code = check_mount(walk, fd);
    return code < 0 ? code : cl_take_fd(&fd);
}

static int walk_last(struct walk *walk, const char *name, bool slash)
{
    const struct walk_goal *goal = walk->goal;
    bool create = (goal->open_flags & O_CREAT) != 0;
    cl_auto_fd seen = open_below(walk_top(walk), name, O_PATH | O_NOFOLLOW, 0);
    if (seen == -ENOENT) {
        if ((goal->make & (WALK_MAKE_LAST_DIR | WALK_MAKE_LAST_FILE)) != 0)
            return walk_make_last(walk, name, slash);
        if (create)
            return slash ? -EISDIR : walk_open_last(walk, name, slash);
        return -ENOENT;
    }
    if (seen < 0)
        return seen;
    if (create && (goal->open_flags & O_EXCL) != 0)
        return -EEXIST;
    if (create && slash)
        return -EISDIR;
    struct stat info;
    if (fstat(seen, &info) < 0)
        return -errno;
    int code = check_mount(walk, seen);
    if (code < 0)
        return code;
    bool stop_at_link = (goal->open_flags & O_NOFOLLOW) != 0 && !slash;
    if (S_ISLNK(info.st_mode) && !stop_at_link)
        return walk_follow(walk, seen, slash);
    if (S_ISLNK(info.st_mode) && (goal->flags & INROOT_NO_SYMLINKS) != 0 &&
        (goal->open_flags & O_PATH) == 0)
        return -ELOOP;
    if (((goal->open_flags & O_DIRECTORY) != 0 || slash) && !S_ISDIR(info.st_mode))
        return -ENOTDIR;
    return walk_open_last(walk, name, slash);
}

static int walk_step(struct walk *walk)
{
    char name[NAME_MAX + 1];
    bool is_last = false, slash = false;
    int code = walk_cut(walk, name, &is_last, &slash);
    if (code < 0)
        return code;
    bool is_dot = name[0] == '\0' || strcmp(name, ".") == 0, is_up = strcmp(name, "..") == 0;
    if (is_up && walk->depth > 0)
        walk_pop_to(walk, walk->depth - 1);
    if (is_dot || is_up)
        return is_last ? walk_end_here(walk) : WALK_GO_ON;
    return is_last ? walk_last(walk, name, slash) : walk_middle(walk, name);
}

int walk_open(int root_fd, const char *path, const struct walk_goal *goal)
{
    size_t length = strlen(path);
    if (length == 0)
        return -ENOENT;
    if (length >= PATH_MAX)
        return -ENAMETOOLONG;
    struct walk walk = { .goal = goal, .stack = { root_fd } };
    walk.rest = walk.buffer + sizeof walk.buffer - 1; /* an empty string */
    if ((goal->flags & INROOT_NO_XDEV) != 0) {
        int code = mount_of(root_fd, &walk.root_mount);
        if (code < 0)
            return code;
    }
    int answer = walk_prepend(&walk, path, length);
    if (answer < 0)
        return answer;
    do
        answer = walk_step(&walk);
    while (answer == WALK_GO_ON);
    walk_pop_to(&walk, 0);
    return answer;
}
