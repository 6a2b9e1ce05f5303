/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parents and owners (ioctl_ns(2)): NS_GET_PARENT and NS_GET_USERNS hand out descriptors of other namespaces without entering any.
 *
 * The kernel refuses (EPERM) what lies outside of our own view: then the relation is 0, as for the initial namespaces. A
 * parent may have no process any more; from a descriptor of it its own relations are read in turn, at most 32 levels up.
 */
#include "lens/collect.h"

#include <errno.h>

#define LEVELS_MAX 33 /* user and pid namespaces nest 32 deep */

static int relate(struct lens_snapshot *snapshot, uint32_t ns_index, int ns_fd, unsigned add,
                  unsigned level);

/* Note the inode of the namespace behind fd; add the namespace, and what it is related to, when it is new and wanted. */
static int take_related(struct lens_snapshot *snapshot, int fd, unsigned add, unsigned level,
                        uint64_t *ret_inode)
{
    uint64_t inode;
    int type = k_ns_fd_type(fd);
    if (type < 0 || k_ns_fd_inode(fd, &inode, NULL) < 0)
        return 0;
    *ret_inode = inode;
    if ((add & 1U << type) == 0 || lens_snapshot_find(snapshot, inode) != LENS_NONE)
        return 0;
    uint32_t index = lens_snapshot_namespace(snapshot, (enum k_ns)type, inode);
    if (index == LENS_NONE)
        return -ENOMEM;
    snapshot->namespaces[index].holders |= LENS_HELD_RELATION;
    return level < LEVELS_MAX ? relate(snapshot, index, fd, add, level + 1) : 0;
}

static int relate(struct lens_snapshot *snapshot, uint32_t ns_index, int ns_fd, unsigned add,
                  unsigned level)
{
    enum k_ns type = snapshot->namespaces[ns_index].type;
    uint64_t parent = 0, owner = 0;
    uid_t owner_uid = 0;
    int code = 0;
    if (type == K_NS_PID || type == K_NS_USER) {
        cl_auto_fd parent_fd = k_ns_fd_parent(ns_fd);
        if (parent_fd >= 0)
            code = take_related(snapshot, parent_fd, add, level, &parent);
    }
    cl_auto_fd owner_fd = k_ns_fd_owner(ns_fd);
    if (code >= 0 && owner_fd >= 0)
        code = take_related(snapshot, owner_fd, add, level, &owner);
    if (type == K_NS_USER)
        (void)k_ns_fd_owner_uid(ns_fd, &owner_uid); /* stays root's where it is refused */
    else if (owner_fd >= 0)
        (void)k_ns_fd_owner_uid(owner_fd, &owner_uid);
    struct lens_namespace *ns = &snapshot->namespaces[ns_index]; /* the array may have moved */
    ns->parent = parent;
    ns->owner = owner;
    ns->owner_uid = owner_uid;
    return code;
}

int lens_relate(struct lens_snapshot *snapshot, uint32_t ns_index, int ns_fd, unsigned add)
{
    return relate(snapshot, ns_index, ns_fd, add, 0);
}

int lens_collect_relations(struct lens_snapshot *snapshot, int proc_fd, unsigned add,
                           struct cl_error *err)
{
    size_t count = snapshot->namespace_count; /* those added on the way have been related */
    for (size_t i = 0; i < count; i++) {
        cl_auto_fd fd = lens_open_namespace(snapshot, proc_fd, (uint32_t)i);
        if (fd < 0)
            continue; /* held by something else than a process, and related when it was found */
        int code = lens_relate(snapshot, (uint32_t)i, fd, add);
        if (code < 0)
            return cl_fail(err, code, "read the relations of namespaces");
    }
    int code = lens_snapshot_finish(snapshot);
    return code < 0 ? cl_fail(err, code, "read the relations of namespaces") : 0;
}
