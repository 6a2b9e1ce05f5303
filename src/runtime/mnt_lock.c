/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks for the mounts of a container with a user namespace.
 *
 * CAP_SYS_ADMIN in there, which is cheap to be given, allows to unmount, move and remount whatever
 * its mount namespace holds: a mask, a read-only path, the read-only root, the flags that the host
 * gave to a bind. The kernel locks all of that (MNT_LOCK_*, MNT_LOCKED: mount_namespaces(7)) only
 * when a mount namespace is copied for another user namespace than its owner's, and ours is the
 * container's own, since only there proc, sysfs and their like can be mounted. So it is copied for
 * a user namespace that exists only for this, and from there back:
 *
 *   init (user namespace A)                    helper
 *   clone3(NEWUSER | NEWNS)  ---------------->  is in B, a child of A, with a copy that is B's
 *                             <---------------  puts a descriptor of it into the shared table; exit
 *   setns: into the copy (A rules over B)
 *   unshare(NEWNS): a copy of the copy, and it is A's: locked
 *
 * With B's last descriptor both the first and the second namespace are gone, and what was opened in
 * them stays usable but has no place in the container's tree: the root and the terminal are opened
 * anew.
 */
#include "runtime/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* IN_NEW_MNT, where any container may have a procfs; once inside, one without a /proc can't. */
int mnt_prepare_lock(struct child *child, struct cl_error *err)
{
    int proc = child_proc(child, err);
    return proc < 0 ? proc : 0;
}

static _Noreturn void offer_copy(int proc, int slot)
{
    /* The table is init's, too: nothing but the slot may change in the end. */
    int fd = k_openat(proc, "self/ns/mnt", O_RDONLY, 0);
    if (fd < 0)
        _exit(-fd);
    _exit(dup3(fd, slot, O_CLOEXEC) < 0 || close(fd) < 0 ? errno : 0);
}

static int explain(int code, struct cl_error *err)
{
    (void)cl_fail(err, code, "lock the container's mounts: make a user namespace for it");
    if (code == -EAGAIN)
        return cl_error_hint(err, "with a user namespace, pids.limit has to be 2 at least");
    return code == -ENOSPC ? cl_error_hint(err, "see user.max_user_namespaces") : code;
}

/* A descriptor of a copy of our mount namespace that belongs to another user namespace. */
static int copy_for_another(struct child *child, int *ret_fd, struct cl_error *err)
{
    int pidfd = -EBADF, status = 0;
    const struct k_clone arguments = { .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_FILES,
                                       .cgroup_fd = -EBADF,
                                       .exit_signal = SIGCHLD };
    int proc = child_proc(child, err);
    if (proc < 0)
        return proc;
    cl_auto_fd slot = k_dup(proc);
    if (slot < 0)
        return cl_fail(err, slot, "lock the container's mounts");
    pid_t pid = k_clone3(&arguments, &pidfd);
    if (pid == 0)
        offer_copy(proc, slot);
    if (pid < 0)
        return explain(pid, err);
    int result = k_wait_pidfd(pidfd, 0, &status);
    (void)cl_close(pidfd);
    if (result >= 0 && status != 0)
        result = WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
    if (result < 0)
        return cl_fail(err, result, "lock the container's mounts: copy them");
    *ret_fd = cl_take_fd(&slot);
    return 0;
}

static bool is_same_file(int fd, int other)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* setns leads to the topmost mount on the namespace's root: that has to be where we were. */
static int reopen_root(struct child *child, struct cl_error *err)
{
    cl_auto_fd root = k_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
    if (root < 0)
        return cl_fail(err, root, "lock the container's mounts: open the root");
    if (!is_same_file(root, child->root))
        return cl_fail(err, EXDEV, "lock the container's mounts: another root lies there");
    (void)cl_close(child->root);
    child->root = cl_take_fd(&root);
    return 0;
}

/* Else its name would be looked for in vain (ttyname(3)). By name, but believed only if it is the
   terminal that we have (CVE-2025-52565). */
static int reopen_terminal(struct child *child, struct cl_error *err)
{
    char path[32];
    struct stat info;
    if (child->slave < 0)
        return 0;
    if (fstat(child->slave, &info) < 0 ||
        CL_PRINT(path, "/dev/pts/%u", (unsigned)minor(info.st_rdev)) < 0)
        return cl_fail(err, errno, "lock the container's mounts: look at the terminal");
    cl_auto_fd slave =
        inroot_open(child->root, path, O_RDWR | O_NOCTTY, 0, INROOT_NO_SYMLINKS, err);
    if (slave < 0)
        return cl_error_prefix(err, "open the terminal again");
    if (!is_same_file(slave, child->slave))
        return cl_fail(err, ESTALE, "open the terminal again: %s is another", path);
    (void)cl_close(child->slave);
    child->slave = cl_take_fd(&slave);
    return 0;
}

/* A later mount, or a mask, lies on the way to it: nobody sees it, and nobody can uncover it. */
static bool is_covered(int fd)
{
    return fd >= 0 ? mnt_is_mount(fd) == 0 : fd == -ENOENT || fd == -ENOTDIR;
}

/* Shared mounts come out of the copy as slaves: of nobody, but they were to hand on what is mounted
   below them. */
static int share_again(struct child *child, struct cl_error *err)
{
    if (child->plan->root_propagation == (MS_SHARED | MS_REC)) {
        const struct k_mount_change change = { .propagation = MS_SHARED,
                                               .userns_fd = -EBADF,
                                               .recursive = true };
        int result = k_mount_setattr(child->root, &change);
        if (result < 0)
            return cl_fail(err, result, "linux.rootfsPropagation");
    }
    for (size_t i = 0; i < child->plan->mount_count; i++) {
        const struct plan_mount *mount = &child->plan->mounts[i];
        bool is_shared = false;
        for (size_t j = 0; j < mount->flags.propagation_count; j++)
            is_shared = is_shared || (mount->flags.propagation[j] & MS_SHARED) != 0;
        if (!is_shared)
            continue;
        cl_auto_fd fd = inroot_open(child->root, mount->target, O_PATH, 0,
                                    mount->no_links ? INROOT_NO_SYMLINKS : INROOT_FOLLOW, NULL);
        if (is_covered(fd))
            continue;
        int result = fd < 0 ? fd : mnt_apply_propagation(fd, mount);
        if (result < 0)
            return cl_fail(err, result, "mounts[%zu] at %s: set its propagation", mount->index,
                           mount->target);
    }
    return 0;
}

/* IN_CONTAINER: the host's tree is not copied with it. */
int mnt_lock(struct child *child, struct cl_error *err)
{
    cl_auto_fd copy = -EBADF;
    int result = copy_for_another(child, &copy, err);
    if (result < 0)
        return result;
    result = k_setns(copy, CLONE_NEWNS);
    if (result >= 0)
        result = k_unshare(CLONE_NEWNS);
    if (result < 0)
        return cl_fail(err, result, "lock the container's mounts");
    result = reopen_root(child, err);
    if (result >= 0)
        result = reopen_terminal(child, err);
    return result < 0 ? result : share_again(child, err);
}

/* ---- mounts alone ---- */

static int make_place(int top, const char *name, int tree)
{
    struct stat info;
    if (fstat(tree, &info) < 0)
        return -errno;
    if (S_ISDIR(info.st_mode))
        return mkdirat(top, name, 0700) < 0 ? -errno : 0;
    cl_auto_fd file = k_openat(top, name, O_CREAT | O_WRONLY | O_EXCL, 0600);
    return file < 0 ? file : 0;
}

/* Over the root of our mount namespace a tmpfs where each of them has a place: what setns leads to. Our own root, too, or the kernel would take us for chrooted and
   give us no user namespace. */
static int gather(const int *trees, size_t count)
{
    cl_auto_fd fs = k_fsopen("tmpfs");
    int result = fs < 0 ? fs : k_fsconfig_create(fs);
    cl_auto_fd top = result < 0 ? result : k_fsmount(fs, 0);
    result = top < 0 ? top : k_move_mount(top, AT_FDCWD, "/", 0);
    if (result >= 0 && (fchdir(top) < 0 || chroot(".") < 0))
        result = -errno;
    for (size_t i = 0; result >= 0 && i < count; i++) {
        char name[24];
        (void)CL_PRINT(name, "%zu", i);
        result = make_place(top, name, trees[i]);
        if (result >= 0)
            result = k_move_mount(trees[i], top, name, 0);
    }
    return result;
}

/* IN_NEW_MNT, in one that holds nothing of the container's. */
int mnt_lock_trees(struct child *child, int *trees, size_t count, struct cl_error *err)
{
    cl_auto_fd copy = -EBADF;
    int result = gather(trees, count);
    if (result < 0)
        return cl_fail(err, result, "lock the new mounts");
    result = copy_for_another(child, &copy, err);
    if (result < 0)
        return result;
    result = k_setns(copy, CLONE_NEWNS);
    for (size_t i = 0; result >= 0 && i < count; i++) {
        char path[24];
        (void)CL_PRINT(path, "/%zu", i);
        result = k_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE);
        if (result < 0)
            break;
        (void)cl_close(trees[i]);
        trees[i] = result;
    }
    return result < 0 ? cl_fail(err, result, "lock the new mounts") : 0;
}
