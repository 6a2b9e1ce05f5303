/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File systems that belong to a namespace of the host's: who has a user namespace of its own may mount
 * proc only for a pid namespace that is its own too, sysfs for a network namespace, mqueue for an
 * IPC namespace. Where that one is shared with us, what our own copy of the host's tree has mounted
 * shows the very same, so a clone of it is what the container gets, with the attributes that the
 * spec asks for on all of it (CVE-2023-25809: what lies below is not left writable).
 *
 * The same for root of a user namespace that somebody else made, as under rootless engines: its container shares what was there before it. Whether the kernel
 * refuses is then found out by trying, as some of it may be that user namespace's own.
 *
 * Not where the namespace was joined by a path: then the host's mount would show another one. Unless
 * the mount namespace was joined, too: what is locked in there (mnt_lock.c) forbids new ones, and
 * what it has mounted itself is what belongs to its container.
 */
#include "runtime/child.h"

#include <errno.h>
#include <linux/magic.h>

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202
#endif

static const struct {
    const char *type, *place;
    enum k_ns ns;
    long magic;
} shared[] = {
    { "proc", "/proc", K_NS_PID, PROC_SUPER_MAGIC },
    { "sysfs", "/sys", K_NS_NET, SYSFS_MAGIC },
    { "mqueue", "/dev/mqueue", K_NS_IPC, MQUEUE_MAGIC },
};

static bool is_shared(const struct runtime_plan *plan, enum k_ns ns)
{
    if ((plan->clone_flags & k_ns_table[ns].clone_flag) != 0)
        return false;
    for (size_t i = 0; i < plan->join_count; i++)
        if (plan->joins[i].type == ns)
            return plan->joins_mount_ns;
    return true;
}

static int clone_host(struct child *child, size_t row, const struct plan_mount *mount)
{
    long magic = 0;
    cl_auto_fd tree = k_open_tree(AT_FDCWD, shared[row].place, OPEN_TREE_CLONE | AT_RECURSIVE);
    int result = tree < 0 ? tree : k_fs_type(tree, &magic);
    if (result >= 0 && magic != shared[row].magic)
        result = -ENODEV;
    const struct k_mount_change change = { .set = mount->flags.attr_set,
                                           .clear = mount->flags.attr_clear,
                                           .propagation = MS_PRIVATE,
                                           .userns_fd = -EBADF,
                                           .recursive = true };
    if (result >= 0)
        result = k_mount_setattr(tree, &change);
    return result < 0 ? result : cl_take_fd(&tree);
}

enum mnt_source mnt_source_of(const struct runtime_plan *plan, const struct plan_mount *mount,
                              const char **ret_place)
{
    for (size_t i = 0; mount->kind == PLAN_MOUNT_FS && i < CL_COUNT(shared); i++) {
        if (!cl_streq(mount->type, shared[i].type) || !is_shared(plan, shared[i].ns))
            continue;
        *ret_place = shared[i].place;
        if (plan->process.has_user_ns)
            return MNT_BORROWED;
        return runtime_in_user_ns(plan->facts) ? MNT_BORROWED_IF_REFUSED : MNT_NEW;
    }
    return MNT_NEW;
}

int mnt_borrow(struct child *child, const struct plan_mount *mount)
{
    const char *place = NULL;
    if (mnt_source_of(child->plan, mount, &place) == MNT_NEW)
        return -EPERM;
    size_t row = 0;
    while (!cl_streq(shared[row].place, place))
        row++;
    return clone_host(child, row, mount);
}

/* The namespace that it shows was joined, and is not our user namespace's. */
static bool is_foreign(const struct child *child, enum k_ns ns)
{
    for (size_t i = 0; i < child->plan->join_count; i++) {
        if (child->plan->joins[i].type != ns)
            continue;
        cl_auto_fd user = k_openat(AT_FDCWD, "/proc/self/ns/user", O_RDONLY, 0);
        cl_auto_fd theirs = k_ns_fd_owner(child->join_fds[i]);
        return user < 0 || theirs < 0 || !k_is_same_file(user, theirs);
    }
    return false;
}

void mnt_explain_refusal(const struct child *child, const struct plan_mount *mount,
                         struct cl_error *err)
{
    for (size_t i = 0; i < CL_COUNT(shared); i++) {
        const char *type = k_ns_table[shared[i].ns].oci_name;
        if (!cl_streq(mount->type, shared[i].type))
            continue;
        if (is_foreign(child, shared[i].ns))
            (void)cl_error_hint(err,
                                "the joined %s namespace belongs to another user namespace, whose "
                                "root alone may mount what shows it: leave this mount out, or bind "
                                "the host's %s",
                                type, shared[i].place);
        else if (shared[i].ns != K_NS_IPC)
            (void)cl_error_hint(err,
                                "where mounts hide parts of %s from us, as masked paths do, the "
                                "kernel gives no new one that would show them "
                                "(mount_namespaces(7)): start us where it is whole, or bind it",
                                shared[i].place);
    }
}
