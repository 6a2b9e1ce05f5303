/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of the `linux` object (config-linux.md): namespaces and what needs which of them, mappings, devices, sysctls, paths.
 */
#include "oci/spec_private.h"

#include "oci/names.h"

#include <errno.h>
#include <stdio.h>

/* ---- Namespaces ---- */

static int check_namespaces(struct oci_check *check, const struct oci_linux *linux_)
{
    bool seen[OCI_NS_COUNT] = { false };
    for (size_t i = 0; i < linux_->namespace_count; i++) {
        const struct oci_namespace *ns = &linux_->namespaces[i];
        oci_at(check, "linux.namespaces[%zu]", i);
        if (ns->type >= OCI_NS_COUNT)
            return oci_refuse(check, "unknown namespace type %u", ns->type);
        if (seen[ns->type])
            return oci_refuse(check, "the %s namespace is given twice",
                              oci_namespace_name(ns->type));
        if (ns->path != NULL && !oci_is_absolute(ns->path))
            return oci_refuse(oci_at(check, "linux.namespaces[%zu].path", i),
                              "must be an absolute path");
        seen[ns->type] = true;
    }
    return 0;
}

/* Do [a, a+size) and [b, b+size) overlap? In 64 bits, so nothing wraps (CVE-2024-40635 was a wrap). */
static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

#define MAPPINGS_MAX 340 /* lines the kernel takes (user_namespaces(7), since Linux 4.15) */

int oci_check_mappings(struct oci_check *check, const char *path,
                       const struct oci_id_mappings *mappings)
{
    if (mappings->count > MAPPINGS_MAX)
        return oci_refuse(oci_at(check, "%s", path), "the kernel takes at most %d mappings",
                          MAPPINGS_MAX);
    for (size_t i = 0; i < mappings->count; i++) {
        const struct oci_id_mapping *a = &mappings->items[i];
        oci_at(check, "%s[%zu]", path, i);
        if (a->size == 0)
            return oci_refuse(check, "size must be greater than 0");
        if ((uint64_t)a->container_id + a->size > UINT32_MAX ||
            (uint64_t)a->host_id + a->size > UINT32_MAX)
            return oci_refuse(check, "reaches beyond the highest id, 4294967294");
        for (size_t j = 0; j < i; j++) {
            const struct oci_id_mapping *b = &mappings->items[j];
            if (overlaps(a->container_id, a->size, b->container_id, b->size) ||
                overlaps(a->host_id, a->size, b->host_id, b->size))
                return oci_refuse(check, "overlaps with entry %zu", j);
        }
    }
    return 0;
}

static int check_user_namespace(struct oci_check *check, const struct oci_spec *spec)
{
    const struct oci_linux *linux_ = &spec->linux_;
    const struct oci_namespace *ns = oci_namespace_find(spec, OCI_NS_USER);
    bool has_mappings = linux_->uid_mappings.count > 0 || linux_->gid_mappings.count > 0;
    if (ns == NULL && has_mappings)
        return oci_refuse(oci_at(check, "linux.uidMappings"),
                          "mappings need a user namespace in linux.namespaces");
    bool is_new = ns != NULL && ns->path == NULL;
    if (is_new && linux_->uid_mappings.count == 0)
        return oci_refuse(oci_at(check, "linux.uidMappings"),
                          "a new user namespace needs mappings");
    if (is_new && linux_->gid_mappings.count == 0)
        return oci_refuse(oci_at(check, "linux.gidMappings"),
                          "a new user namespace needs mappings");
    int r = oci_check_mappings(check, "linux.uidMappings", &linux_->uid_mappings);
    return r < 0 ? r : oci_check_mappings(check, "linux.gidMappings", &linux_->gid_mappings);
}

static int check_time_offsets(struct oci_check *check, const struct oci_spec *spec)
{
    const struct oci_linux *linux_ = &spec->linux_;
    if (linux_->time_offset_count == 0)
        return 0;
    const struct oci_namespace *ns = oci_namespace_find(spec, OCI_NS_TIME);
    if (ns == NULL)
        return oci_refuse(oci_at(check, "linux.timeOffsets"),
                          "needs a time namespace in linux.namespaces");
    if (ns->path != NULL)
        return oci_refuse(oci_at(check, "linux.timeOffsets"),
                          "the clocks of a time namespace that is joined cannot be set");
    for (size_t i = 0; i < linux_->time_offset_count; i++) {
        const struct oci_time_offset *offset = &linux_->time_offsets[i];
        char shown[64];
        oci_at(check, "linux.timeOffsets[\"%s\"]",
               oci_shown(offset->clock != NULL ? offset->clock : "", shown));
        if (!cl_streq(offset->clock, "monotonic") && !cl_streq(offset->clock, "boottime"))
            return oci_refuse(check, "a time namespace has the clocks monotonic and boottime");
        if (offset->nanosecs > 999999999)
            return oci_refuse(check, "nanosecs must be below 1000000000");
    }
    return 0;
}

/* ---- Devices ---- */

#define MODE_MAX 0177777u /* all that a mode can hold, the file's type included */

static bool is_device_number(int64_t major, int64_t minor)
{
    return major >= 0 && major < 1 << 12 && minor >= 0 && minor < 1 << 20; /* the kernel's dev_t */
}

static int check_devices(struct oci_check *check, const struct oci_linux *linux_)
{
    for (size_t i = 0; i < linux_->device_count; i++) {
        const struct oci_device *device = &linux_->devices[i];
        if (!oci_is_absolute(device->path) || oci_has_dot_dot(device->path))
            return oci_refuse(oci_at(check, "linux.devices[%zu].path", i),
                              "must be an absolute path without \"..\"");
        bool is_numbered = device->type != OCI_DEVICE_FIFO;
        if (is_numbered && !is_device_number(device->major, device->minor))
            return oci_refuse(oci_at(check, "linux.devices[%zu]", i),
                              "major must be 0 to 4095 and minor 0 to 1048575");
        if (device->file_mode.set && device->file_mode.value > MODE_MAX)
            return oci_refuse(oci_at(check, "linux.devices[%zu].fileMode", i),
                              "must be at most 65535: permissions, and maybe the file's type");
    }
    return 0;
}

static bool is_interface_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > 15 || cl_streq(name, ".") || cl_streq(name, ".."))
        return false;
    for (size_t i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] == '/' || name[i] == ':' || name[i] == 0x7f)
            return false;
    return true;
}

static const char *inside_name(const struct oci_net_device *device)
{
    bool is_renamed = device->name != NULL && *device->name != '\0';
    return is_renamed ? device->name : device->host_name;
}

static int check_net_devices(struct oci_check *check, const struct oci_spec *spec)
{
    const struct oci_linux *linux_ = &spec->linux_;
    if (linux_->net_device_count > 0 && oci_namespace_find(spec, OCI_NS_NETWORK) == NULL)
        return oci_refuse(oci_at(check, "linux.netDevices"),
                          "needs a network namespace in linux.namespaces");
    for (size_t i = 0; i < linux_->net_device_count; i++) {
        const struct oci_net_device *device = &linux_->net_devices[i];
        char shown[64];
        oci_at(check, "linux.netDevices[\"%s\"]", oci_shown(device->host_name, shown));
        if (!is_interface_name(device->host_name) || !is_interface_name(inside_name(device)))
            return oci_refuse(check, "not a name that a network interface can have");
        for (size_t j = 0; j < i; j++)
            if (cl_streq(inside_name(device), inside_name(&linux_->net_devices[j])))
                return oci_refuse(check, "another device gets the same name");
    }
    return 0;
}

/* ---- Sysctls: only those that a namespace of the container holds; the others would change the host ---- */

static const struct {
    char name[23]; /* ended by '.': a prefix */
    enum oci_namespace_type ns;
} sysctls[] = {
    { "net.", OCI_NS_NETWORK },
    { "fs.mqueue.", OCI_NS_IPC },
    { "kernel.msgmax", OCI_NS_IPC },
    { "kernel.msgmnb", OCI_NS_IPC },
    { "kernel.msgmni", OCI_NS_IPC },
    { "kernel.msg_next_id", OCI_NS_IPC },
    { "kernel.sem", OCI_NS_IPC },
    { "kernel.sem_next_id", OCI_NS_IPC },
    { "kernel.shmall", OCI_NS_IPC },
    { "kernel.shmmax", OCI_NS_IPC },
    { "kernel.shmmni", OCI_NS_IPC },
    { "kernel.shm_next_id", OCI_NS_IPC },
    { "kernel.shm_rmid_forced", OCI_NS_IPC },
    { "kernel.domainname", OCI_NS_UTS },
    { "user.", OCI_NS_USER },
};

static bool is_sysctl(const char *name, const char *row)
{
    return cl_ends_with(row, ".") ? cl_starts_with(name, row) : cl_streq(name, row);
}

/* "net/ipv4/ip_forward" is the same as with dots, unless a dot comes first (sysctl(8)): then slashes are dots of interface names. */
static int sysctl_name(const char *key, char name[static 256])
{
    if (cl_print(name, 256, "%s", key) < 0)
        return -ENAMETOOLONG;
    size_t first = strcspn(name, "./");
    if (name[first] == '/')
        for (char *c = name; *c != '\0'; c++)
            *c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
    return 0;
}

/* Two separators in a row are a ".." of the path below /proc/sys in one of the two spellings. */
static bool is_sysctl_key(const char *key)
{
    bool has_start = *key != '\0' && *key != '.' && *key != '/';
    return has_start && strstr(key, "..") == NULL && strstr(key, "//") == NULL;
}

static int check_sysctl(struct oci_check *check, const struct oci_spec *spec, const char *key)
{
    char shown[64], name[256];
    oci_at(check, "linux.sysctl[\"%s\"]", oci_shown(key, shown));
    if (!is_sysctl_key(key) || sysctl_name(key, name) < 0)
        return oci_refuse(check, "not a sysctl's name");
    if (cl_streq(name, "kernel.hostname"))
        return oci_refuse(check, "use the property hostname instead");
    for (size_t i = 0; i < CL_COUNT(sysctls); i++) {
        if (!is_sysctl(name, sysctls[i].name))
            continue;
        if (oci_namespace_find(spec, sysctls[i].ns) != NULL)
            return 0;
        return oci_refuse(check,
                          "needs the %s namespace in linux.namespaces, or it would change the host",
                          oci_namespace_name(sysctls[i].ns));
    }
    return oci_refuse(check, "is held by no namespace: it would change the host");
}

const char *oci_sysctl_of(const struct oci_spec *spec, enum oci_namespace_type type)
{
    char name[256];
    const struct oci_map *map = &spec->linux_.sysctl;
    for (size_t i = 0; i < map->count; i++)
        for (size_t j = 0; j < CL_COUNT(sysctls); j++)
            if (sysctls[j].ns == type && sysctl_name(map->pairs[i].key, name) >= 0 &&
                is_sysctl(name, sysctls[j].name))
                return map->pairs[i].key;
    return NULL;
}

/* ---- Paths and the rest ---- */

static int check_paths(struct oci_check *check, const char *property, char *const *paths)
{
    for (size_t i = 0; paths != NULL && paths[i] != NULL; i++)
        if (!oci_is_absolute(paths[i]))
            return oci_refuse(oci_at(check, "linux.%s[%zu]", property, i),
                              "must be an absolute path");
    return 0;
}

static int check_intel_rdt(struct oci_check *check, const struct oci_intel_rdt *rdt)
{
    const char *id = rdt->clos_id;
    bool is_bad_id = id != NULL && !cl_streq(id, "/") &&
                     (strchr(id, '/') != NULL || cl_streq(id, ".") || cl_streq(id, ".."));
    if (is_bad_id)
        return oci_refuse(oci_at(check, "linux.intelRdt.closID"),
                          "must be one path component or /");
    if (rdt->l3_cache_schema != NULL && strchr(rdt->l3_cache_schema, '\n') != NULL)
        return oci_refuse(oci_at(check, "linux.intelRdt.l3CacheSchema"), "must be one line");
    const char *bandwidth = rdt->mem_bw_schema;
    bool is_bad_bandwidth = bandwidth != NULL && *bandwidth != '\0' &&
                            (!cl_starts_with(bandwidth, "MB:") || strchr(bandwidth, '\n') != NULL);
    if (is_bad_bandwidth)
        return oci_refuse(oci_at(check, "linux.intelRdt.memBwSchema"),
                          "must be one line that starts with MB:");
    for (size_t i = 0; rdt->schemata != NULL && rdt->schemata[i] != NULL; i++)
        if (strchr(rdt->schemata[i], '\n') != NULL)
            return oci_refuse(oci_at(check, "linux.intelRdt.schemata[%zu]", i), "must be one line");
    return 0;
}

#define MPOL_STATIC   (1U << 15)
#define MPOL_RELATIVE (1U << 14)

static int check_policy_nodes(struct oci_check *check, const struct oci_memory_policy *policy)
{
    const char *nodes = policy->nodes != NULL ? policy->nodes : "";
    bool takes_none = policy->mode == OCI_MPOL_DEFAULT || policy->mode == OCI_MPOL_LOCAL;
    bool may_have = policy->mode == OCI_MPOL_PREFERRED;
    int r = oci_number_list(nodes, NULL, OCI_NODE_BITS);
    oci_at(check, "linux.memoryPolicy.nodes");
    if (r == -ERANGE)
        return oci_refuse(check, "the highest node that a kernel can have is %d",
                          OCI_NODE_BITS - 1);
    if (r < 0)
        return oci_refuse(check, "must be a list of nodes such as 0-3,7");
    if (takes_none && *nodes != '\0')
        return oci_refuse(check, "this mode takes no nodes");
    if (!takes_none && !may_have && *nodes == '\0')
        return oci_refuse(check, "this mode needs at least one node");
    return 0;
}

/* set_mempolicy(2): some of these it would take and do nothing about. */
static int check_policy_flags(struct oci_check *check, const struct oci_memory_policy *policy)
{
    const uint32_t node_flags = MPOL_STATIC | MPOL_RELATIVE;
    bool has_nodes = policy->nodes != NULL && policy->nodes[0] != '\0';
    oci_at(check, "linux.memoryPolicy.flags");
    if ((policy->flags & node_flags) == node_flags)
        return oci_refuse(check,
                          "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
    if ((policy->flags & node_flags) != 0 && !has_nodes)
        return oci_refuse(check, "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES need nodes");
    if (policy->flags != 0 && policy->mode == OCI_MPOL_DEFAULT)
        return oci_refuse(check, "MPOL_DEFAULT takes no flags");
    return 0;
}

static int check_memory_policy(struct oci_check *check, const struct oci_memory_policy *policy)
{
    int r = check_policy_nodes(check, policy);
    return r < 0 ? r : check_policy_flags(check, policy);
}

static int check_special(struct oci_check *check, const struct oci_linux *linux_)
{
    if (linux_->cgroups_path != NULL && oci_has_dot_dot(linux_->cgroups_path))
        return oci_refuse(oci_at(check, "linux.cgroupsPath"), "must not contain \"..\"");
    if (linux_->personality != NULL && linux_->personality->flags != NULL)
        return oci_refuse(oci_at(check, "linux.personality.flags"), "no flag is defined yet");
    int r = linux_->intel_rdt != NULL ? check_intel_rdt(check, linux_->intel_rdt) : 0;
    if (r == 0 && linux_->memory_policy != NULL)
        r = check_memory_policy(check, linux_->memory_policy);
    if (r == 0)
        r = check_paths(check, "maskedPaths", linux_->masked_paths);
    return r < 0 ? r : check_paths(check, "readonlyPaths", linux_->readonly_paths);
}

int oci_check_linux(struct oci_check *check, const struct oci_spec *spec)
{
    const struct oci_linux *linux_ = &spec->linux_;
    int r = check_namespaces(check, linux_);
    if (r == 0)
        r = check_user_namespace(check, spec);
    if (r == 0)
        r = check_time_offsets(check, spec);
    if (r == 0)
        r = check_devices(check, linux_);
    if (r == 0)
        r = check_net_devices(check, spec);
    for (size_t i = 0; r == 0 && i < linux_->sysctl.count; i++)
        r = check_sysctl(check, spec, linux_->sysctl.pairs[i].key);
    if (r == 0)
        r = check_special(check, linux_);
    if (r == 0)
        r = oci_check_resources(check, &linux_->resources);
    if (r < 0 || linux_->seccomp == NULL)
        return r;
    /* crun's annotation stands for linux.seccomp.listenerPath. */
    const char *receiver = oci_map_get(&spec->annotations, "run.oci.seccomp.receiver");
    return oci_check_seccomp(check, linux_->seccomp, receiver != NULL && *receiver != '\0');
}
