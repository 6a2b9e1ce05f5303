/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The helper of later.h: how a container is found, and how its mount namespace is entered.
 */
#include "runtime/later.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/libc.h"

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000u /* 5.8 */
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000u /* 6.8 */
#endif

static int not_running(struct cl_error *err)
{
    return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "the container is not running");
}

/* ---- the container ---- */

static int open_init(struct later *later, struct cl_error *err)
{
    uint64_t start = 0;
    const struct runtime_target *target = later->target;
    int result = later->pidfd = k_pidfd_open(target->pid);
    if (result >= 0)
        result = later->proc = procfs_open_pid(later->facts.proc_fd, target->pid);
    /* After the two: if the start time fits now, both are of the right process. */
    if (result >= 0)
        result = procfs_start_ticks(later->facts.proc_fd, target->pid, &start);
    if (result == -ESRCH || (result >= 0 && start != target->start_ticks))
        return not_running(err);
    return result < 0 ? cl_fail(err, result, "open process %d", (int)target->pid) : 0;
}

static int look_at_namespaces(struct later *later, struct cl_error *err)
{
    uint64_t own[2] = { 0 }, theirs[2] = { 0 };
    static const enum k_ns types[] = { K_NS_MNT, K_NS_USER };
    cl_auto_fd self = k_openat(later->facts.proc_fd, "self", O_PATH | O_DIRECTORY, 0);
    int result = self;
    for (size_t i = 0; result >= 0 && i < CL_COUNT(types); i++) {
        result = k_ns_inode(later->proc, types[i], &theirs[i]);
        if (result >= 0)
            result = k_ns_inode(self, types[i], &own[i]);
    }
    if (result == -ENOENT) /* a process that has ended is in none */
        return not_running(err);
    if (result < 0)
        return cl_fail(err, result, "look at the container's namespaces");
    later->has_user_ns = own[1] != theirs[1];
    return own[0] != theirs[0]
               ? 0
               : cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                              "the container has no mount namespace of its own: what is mounted "
                              "in there is mounted on the host");
}

static int share_ids(struct later *later, size_t count, struct cl_error *err)
{
    size_t size = (count > 0 ? count : 1) * sizeof *later->ids;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return cl_fail(err, errno, "share memory with a helper");
    later->ids = memory;
    later->count = count;
    return 0;
}

int later_find(struct later *later, const struct runtime_target *target, size_t count,
               struct cl_error *err)
{
    *later = (struct later){
        .target = target,
        .pidfd = -EBADF,
        .proc = -EBADF,
        .child_end = -EBADF,
        .helper = { .pidfd = -EBADF, .sync = -EBADF, .console = -EBADF, .root_mount = -EBADF },
    };
    later->facts.proc_fd = -EBADF;
    int result = runtime_facts_init(&later->facts, err);
    if (result >= 0)
        result = open_init(later, err);
    if (result >= 0)
        result = look_at_namespaces(later, err);
    return result < 0 ? result : share_ids(later, count, err);
}

static void close_all(int *fds, size_t count)
{
    for (size_t i = 0; fds != NULL && i < count; i++)
        (void)cl_close(fds[i]);
    free(fds);
}

void later_done(struct later *later)
{
    parent_discard(&later->helper);
    close_all(later->trees, later->count);
    close_all(later->blank, later->count);
    if (later->ids != NULL)
        (void)munmap(later->ids, (later->count > 0 ? later->count : 1) * sizeof *later->ids);
    runtime_plan_free(later->plan);
    (void)cl_close(later->child_end);
    (void)cl_close(later->pidfd);
    (void)cl_close(later->proc);
    runtime_facts_done(&later->facts);
}

/* ---- the helper, from outside ---- */

static _Noreturn void be_helper(struct later *later, const struct child_step *steps, size_t count)
{
    struct child child = {
        .process = &later->plan->process,
        .plan = later->plan,
        .later = later,
        .sync = later->child_end,
        .parent_end = later->helper.sync,
        .root = -EBADF,
        .home = -EBADF,
        .proc = later->facts.proc_fd,
        .devpts = -EBADF,
        .mask = -EBADF,
        .trampoline = -EBADF,
        .slave = -EBADF,
        .rdt_root = -EBADF,
        .hooks_output = HOOKS_NO_OUTPUT,
        .notify = NOTIFY_NONE,
        .hooks_state = -EBADF,
        .sources = later->trees,
        .opens_itself = later->opens_itself,
        .target_pidfd = later->pidfd,
        .target_proc = later->proc,
    };
    child_run(&child, steps, count);
}

int later_start(struct later *later, const struct child_step *steps, size_t count,
                struct cl_error *err)
{
    const struct k_clone fork = { .cgroup_fd = -EBADF, .exit_signal = SIGCHLD };
    int result = k_socketpair(SOCK_SEQPACKET, &later->helper.sync, &later->child_end);
    if (result >= 0)
        result = k_clone3(&fork, &later->helper.pidfd);
    if (result == 0)
        be_helper(later, steps, count);
    if (result < 0)
        return cl_fail(err, result, "make a helper process");
    later->helper.pid = result;
    later->child_end = cl_close(later->child_end); /* or its end of file would never come */
    return 0;
}

int later_wait_ready(struct later *later, struct cl_error *err)
{
    const struct parent_service nothing = { 0 };
    return parent_wait(&later->helper, WIRE_INIT_READY, &nothing, err);
}

int later_finish(struct later *later, struct cl_error *err)
{
    const struct parent_service nothing = { 0 };
    int status = 0;
    int result = parent_wait(&later->helper, 0, &nothing, err);
    if (result < 0)
        return result;
    result = k_wait_pidfd(later->helper.pidfd, 0, &status);
    later->helper.pidfd = cl_close(later->helper.pidfd);
    if (result < 0)
        return cl_fail(err, result, "wait for the helper");
    return status == 0 ? 0 : cl_fail(err, ECHILD, "the helper was killed before it was done");
}

/* ---- the helper's steps ---- */

bool later_is_foreign(const struct child *child)
{
    return child->later->has_user_ns;
}

/* IN_HOST. Root of the container's user namespace, and no more than that. */
int later_join_user(struct child *child, struct cl_error *err)
{
    int result = k_setns(child->target_pidfd, CLONE_NEWUSER);
    if (result == -ESRCH)
        return not_running(err);
    if (result < 0)
        return cl_fail(err, result, "join the container's user namespace");
    return join_as_root(child, err);
}

bool later_needs_own_mounts(const struct child *child)
{
    return child->later->has_user_ns || child->opens_itself;
}

/* IN_HOST → IN_NEW_MNT. In a copy of our own mount namespace what is made from here on belongs to whom it should, and what it is mounted from can still be named. */
int later_make_own_mounts(struct child *child, struct cl_error *err)
{
    int result = k_unshare(CLONE_NEWNS);
    return result < 0 ? cl_fail(err, result, "make a mount namespace")
                      : mnt_make_private(child, err);
}

/* IN_HOST → IN_CONTAINER, of which nothing but the mounts and the user namespace. */
int later_join_mounts(struct child *child, struct cl_error *err)
{
    int result = k_setns(child->target_pidfd, CLONE_NEWNS);
    if (result == -ESRCH)
        return not_running(err);
    if (result < 0)
        return cl_fail(err, result, "join the container's mount namespace");
    child->root = inroot_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, INROOT_FOLLOW, err);
    return child->root < 0 ? child->root : 0;
}

int later_end(struct child *child, struct cl_error *err)
{
    (void)child, (void)err;
    _exit(0);
}

int later_id_of(int fd, struct later_id *ret)
{
    struct statx info = { 0 };
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) < 0)
        return -errno;
    if ((info.stx_mask & STATX_MNT_ID) == 0)
        return -EOPNOTSUPP;
    ret->id = info.stx_mnt_id;
    ret->unique_id = 0;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID_UNIQUE, &info) == 0 &&
        (info.stx_mask & STATX_MNT_ID_UNIQUE) != 0)
        ret->unique_id = info.stx_mnt_id;
    return 0;
}

/* By the link of the descriptor in the host's /proc, which is where we are for the call: no path of the container's is walked. */
int later_unmount(const struct later *later, int fd)
{
    char path[32];
    (void)CL_PRINT(path, "self/fd/%d", fd);
    if (fchdir(later->facts.proc_fd) < 0)
        return -errno;
    int result = k_umount(path, MNT_DETACH);
    /* Not to stay there. */
    return chdir("/") < 0 && result >= 0 ? -errno : result;
}
