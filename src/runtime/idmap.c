/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id-mapped mounts: mounts[].uidMappings and gidMappings, done to the parent's detached clones.
 *
 * A mapping is a user namespace to the kernel (mount_setattr(2)). One with nobody in it is made for
 * each distinct mapping; where the container joins a user namespace and the mount says no mapping of
 * its own, it is that one.
 */
#include "runtime/parent.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_same(const struct oci_id_mappings *a, const struct oci_id_mappings *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof *a->items) == 0);
}

_Static_assert(sizeof(struct oci_id_mapping) == sizeof(struct k_id_range) &&
                   offsetof(struct oci_id_mapping, container_id) ==
                       offsetof(struct k_id_range, inside) &&
                   offsetof(struct oci_id_mapping, size) == offsetof(struct k_id_range, count),
               "a mapping of the spec is a line of uid_map");

static int make_namespace(const struct runtime_plan *plan, const struct plan_mount *mount,
                          struct cl_error *err)
{
    int fd = -EBADF;
    cl_auto_fd own_proc = -EBADF;
    int proc = plan->facts->proc_fd;
    if (proc <= 0) /* made-up facts */
        proc = own_proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    const struct k_id_maps maps = { .uids = (const void *)mount->uid_map.items,
                                    .gids = (const void *)mount->gid_map.items,
                                    .uid_count = mount->uid_map.count,
                                    .gid_count = mount->gid_map.count };
    int result = k_userns_make(proc, &maps, &fd, err);
    return result < 0 ? result : fd;
}

static int join_namespace(const struct runtime_plan *plan, struct cl_error *err)
{
    const struct oci_namespace *ns = oci_namespace_find(plan->spec, OCI_NS_USER);
    if (ns == NULL || ns->path == NULL)
        return cl_fail(err, EINVAL, "the container has no user namespace");
    int fd = k_openat(AT_FDCWD, ns->path, O_RDONLY | O_NONBLOCK, 0);
    return fd < 0 ? cl_fail(err, fd, "open %s", ns->path) : fd;
}

static const struct {
    long magic;
    char name[8];
} file_systems[] = {
    { OVERLAYFS_SUPER_MAGIC, "overlay" },
    { PROC_SUPER_MAGIC, "proc" },
    { SYSFS_MAGIC, "sysfs" },
    { NFS_SUPER_MAGIC, "nfs" },
    { 0x65735546, "fuse" },
    { CGROUP_SUPER_MAGIC, "cgroup" },
    { CGROUP2_SUPER_MAGIC, "cgroup2" },
    { DEVPTS_SUPER_MAGIC, "devpts" },
    { TMPFS_MAGIC, "tmpfs" },
    { EXT4_SUPER_MAGIC, "ext4" },
};

static int refuse(const struct plan_mount *mount, int tree, int code, struct cl_error *err)
{
    long magic = 0;
    char number[24];
    (void)k_fs_type(tree, &magic);
    (void)CL_PRINT(number, "of type 0x%lx", (unsigned long)magic);
    const char *name = number;
    for (size_t i = 0; i < CL_COUNT(file_systems); i++)
        if (file_systems[i].magic == magic)
            name = file_systems[i].name;
    (void)cl_fail(err, code, "mounts[%zu]: id-map %s at %s", mount->index, mount->source,
                  mount->target);
    /* EINVAL is the kernel's word for a file system that can't; one below it with ridmap, too. */
    if (code != -EINVAL)
        return code;
    return cl_error_hint(err, "%s is on a file system (%s) that %s", mount->source, name,
                         mount->idmap_recursive
                             ? "can't be id-mapped, or has a mount below it that can't"
                             : "can't be id-mapped");
}

int parent_idmap(const struct runtime_plan *plan, size_t index, int tree, int *namespaces,
                 struct cl_error *err)
{
    const struct plan_mount *mount = &plan->mounts[index];
    int *own = &namespaces[index];
    for (size_t i = 0; i < index && *own < 0; i++)
        if (namespaces[i] >= 0 && is_same(&plan->mounts[i].uid_map, &mount->uid_map) &&
            is_same(&plan->mounts[i].gid_map, &mount->gid_map))
            *own = k_dup(namespaces[i]);
    if (*own < 0)
        *own =
            mount->uid_map.count > 0 ? make_namespace(plan, mount, err) : join_namespace(plan, err);
    if (*own < 0)
        return cl_error_prefix(err, "mounts[%zu]: id-map %s", index, mount->source);
    const struct k_mount_change change = { .set = MOUNT_ATTR_IDMAP,
                                           .userns_fd = *own,
                                           .recursive = mount->idmap_recursive };
    int result = k_mount_setattr(tree, &change);
    return result < 0 ? refuse(mount, tree, result, err) : 0;
}
