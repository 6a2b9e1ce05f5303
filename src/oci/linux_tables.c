/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field tables of config-linux.md: namespaces, mappings, devices, resources, seccomp, and the `linux` object itself.
 * They read like the specification. Numbers behind words are the kernel's wherever the kernel has one.
 */
#include "oci/spec_private.h"

#include <errno.h>

/* ---- Namespaces, mappings, devices ---- */

static const struct oci_word namespace_types[] = {
    { "pid", OCI_NS_PID },       { "network", OCI_NS_NETWORK }, { "mount", OCI_NS_MOUNT },
    { "ipc", OCI_NS_IPC },       { "uts", OCI_NS_UTS },         { "user", OCI_NS_USER },
    { "cgroup", OCI_NS_CGROUP }, { "time", OCI_NS_TIME },       OCI_WORDS_END,
};

const char *oci_namespace_name(enum oci_namespace_type type)
{
    return oci_word_name(namespace_types, type);
}

int oci_namespace_type(const char *name)
{
    if (cl_streq(name, "net"))
        return OCI_NS_NETWORK;
    if (cl_streq(name, "mnt"))
        return OCI_NS_MOUNT;
    const struct oci_word *word = name != NULL ? oci_word_find(namespace_types, name) : NULL;
    return word != NULL ? (int)word->value : -EINVAL;
}

static const struct oci_field namespace_fields[] = {
    FIELD_WORDS(struct oci_namespace, "type", type, oci_enum, namespace_types, REQUIRED),
    FIELD(struct oci_namespace, "path", path, oci_string, OPTIONAL),
};

/* Go writes an absent path as "" now and then: a new namespace is meant. */
static int namespace_finish(struct oci_reader *reader, void *object)
{
    struct oci_namespace *ns = object;
    if (ns->path != NULL && *ns->path == '\0')
        free(cl_take(ns->path));
    return 0;
}
static const struct oci_shape namespace_shape =
    OCI_SHAPE_FINISH(struct oci_namespace, namespace_fields, namespace_finish);

static const struct oci_field id_mapping_fields[] = {
    FIELD(struct oci_id_mapping, "containerID", container_id, oci_u32, REQUIRED),
    FIELD(struct oci_id_mapping, "hostID", host_id, oci_u32, REQUIRED),
    FIELD(struct oci_id_mapping, "size", size, oci_u32, REQUIRED),
};
const struct oci_shape oci_id_mapping_shape = OCI_SHAPE(struct oci_id_mapping, id_mapping_fields);

static const struct oci_field time_offset_fields[] = {
    FIELD(struct oci_time_offset, "secs", secs, oci_i64, OPTIONAL),
    FIELD(struct oci_time_offset, "nanosecs", nanosecs, oci_u32, OPTIONAL),
};
static const struct oci_shape time_offset_shape =
    OCI_SHAPE(struct oci_time_offset, time_offset_fields);

static const struct oci_word device_types[] = {
    { "c", OCI_DEVICE_CHAR },
    { "b", OCI_DEVICE_BLOCK },
    { "p", OCI_DEVICE_FIFO },
    { "u", OCI_DEVICE_CHAR },
    OCI_WORDS_END,
};
static const struct oci_field device_fields[] = {
    FIELD_WORDS(struct oci_device, "type", type, oci_enum, device_types, REQUIRED),
    FIELD(struct oci_device, "path", path, oci_text, REQUIRED),
    FIELD(struct oci_device, "major", major, oci_i64, OPTIONAL),
    FIELD(struct oci_device, "minor", minor, oci_i64, OPTIONAL),
    FIELD(struct oci_device, "fileMode", file_mode, oci_opt_u32, OPTIONAL),
    FIELD(struct oci_device, "uid", uid, oci_opt_u32, OPTIONAL),
    FIELD(struct oci_device, "gid", gid, oci_opt_u32, OPTIONAL),
};
static const struct oci_shape device_shape = OCI_SHAPE(struct oci_device, device_fields);

static const struct oci_field net_device_fields[] = {
    FIELD(struct oci_net_device, "name", name, oci_string, OPTIONAL),
};
static const struct oci_shape net_device_shape =
    OCI_SHAPE(struct oci_net_device, net_device_fields);

/* ---- Resources ---- */

static const struct oci_word rule_types[] = {
    { "a", OCI_DEVICE_ALL },
    { "c", OCI_DEVICE_CHAR },
    { "b", OCI_DEVICE_BLOCK },
    { "", OCI_DEVICE_ALL },
    OCI_WORDS_END,
};
static const struct oci_field device_rule_fields[] = {
    FIELD(struct oci_device_rule, "allow", allow, oci_bool, REQUIRED),
    FIELD_WORDS(struct oci_device_rule, "type", type, oci_enum, rule_types, OPTIONAL),
    FIELD(struct oci_device_rule, "major", major, oci_opt_i64, OPTIONAL),
    FIELD(struct oci_device_rule, "minor", minor, oci_opt_i64, OPTIONAL),
    FIELD(struct oci_device_rule, "access", access, oci_string, OPTIONAL),
};
static int device_rule_finish(struct oci_reader *reader, void *object)
{
    struct oci_device_rule *rule = object;
    if (rule->type == 0)
        rule->type = OCI_DEVICE_ALL;
    return 0;
}
static const struct oci_shape device_rule_shape =
    OCI_SHAPE_FINISH(struct oci_device_rule, device_rule_fields, device_rule_finish);

static const struct oci_field memory_fields[] = {
    FIELD(struct oci_memory, "limit", limit, oci_opt_i64, OPTIONAL),
    FIELD(struct oci_memory, "reservation", reservation, oci_opt_i64, OPTIONAL),
    FIELD(struct oci_memory, "swap", swap, oci_opt_i64, OPTIONAL),
    FIELD(struct oci_memory, "kernel", kernel, oci_opt_i64, OPTIONAL),
    FIELD(struct oci_memory, "kernelTCP", kernel_tcp, oci_opt_i64, OPTIONAL),
    FIELD(struct oci_memory, "swappiness", swappiness, oci_opt_u64, OPTIONAL),
    FIELD(struct oci_memory, "disableOOMKiller", disable_oom_killer, oci_opt_bool, OPTIONAL),
    FIELD(struct oci_memory, "useHierarchy", use_hierarchy, oci_opt_bool, OPTIONAL),
    FIELD(struct oci_memory, "checkBeforeUpdate", check_before_update, oci_opt_bool, OPTIONAL),
};
static const struct oci_shape memory_shape = OCI_SHAPE(struct oci_memory, memory_fields);

static const struct oci_field cpu_fields[] = {
    FIELD(struct oci_cpu, "shares", shares, oci_opt_u64, OPTIONAL),
    FIELD(struct oci_cpu, "quota", quota, oci_opt_i64, OPTIONAL),
    FIELD(struct oci_cpu, "burst", burst, oci_opt_u64, OPTIONAL),
    FIELD(struct oci_cpu, "period", period, oci_opt_u64, OPTIONAL),
    FIELD(struct oci_cpu, "realtimeRuntime", realtime_runtime, oci_opt_i64, OPTIONAL),
    FIELD(struct oci_cpu, "realtimePeriod", realtime_period, oci_opt_u64, OPTIONAL),
    FIELD(struct oci_cpu, "cpus", cpus, oci_string, OPTIONAL),
    FIELD(struct oci_cpu, "mems", mems, oci_string, OPTIONAL),
    FIELD(struct oci_cpu, "idle", idle, oci_opt_i64, OPTIONAL),
};
static const struct oci_shape cpu_shape = OCI_SHAPE(struct oci_cpu, cpu_fields);

static const struct oci_field pids_fields[] = {
    { .name = "limit", .codec = &oci_opt_i64_codec, .size = sizeof(struct oci_opt_i64) },
};
static const struct oci_shape pids_shape = OCI_SHAPE(struct oci_opt_i64, pids_fields);

static const struct oci_field weight_device_fields[] = {
    FIELD(struct oci_weight_device, "major", major, oci_i64, REQUIRED),
    FIELD(struct oci_weight_device, "minor", minor, oci_i64, REQUIRED),
    FIELD(struct oci_weight_device, "weight", weight, oci_opt_u32, OPTIONAL),
    FIELD(struct oci_weight_device, "leafWeight", leaf_weight, oci_opt_u32, OPTIONAL),
};
static const struct oci_shape weight_device_shape =
    OCI_SHAPE(struct oci_weight_device, weight_device_fields);

static const struct oci_field throttle_fields[] = {
    FIELD(struct oci_throttle_device, "major", major, oci_i64, REQUIRED),
    FIELD(struct oci_throttle_device, "minor", minor, oci_i64, REQUIRED),
    FIELD(struct oci_throttle_device, "rate", rate, oci_u64, REQUIRED),
};
static const struct oci_shape throttle_shape =
    OCI_SHAPE(struct oci_throttle_device, throttle_fields);

#define THROTTLE(json_name, member)                                                                \
    FIELD_LIST(struct oci_block_io, json_name, member.items, member.count, oci_list,               \
               throttle_shape, OPTIONAL)
static const struct oci_field block_io_fields[] = {
    FIELD(struct oci_block_io, "weight", weight, oci_opt_u32, OPTIONAL),
    FIELD(struct oci_block_io, "leafWeight", leaf_weight, oci_opt_u32, OPTIONAL),
    FIELD_LIST(struct oci_block_io, "weightDevice", weight_devices, weight_device_count, oci_list,
               weight_device_shape, OPTIONAL),
    THROTTLE("throttleReadBpsDevice", throttle_read_bps),
    THROTTLE("throttleWriteBpsDevice", throttle_write_bps),
    THROTTLE("throttleReadIOPSDevice", throttle_read_iops),
    THROTTLE("throttleWriteIOPSDevice", throttle_write_iops),
};
static const struct oci_shape block_io_shape = OCI_SHAPE(struct oci_block_io, block_io_fields);

static const struct oci_field hugepage_fields[] = {
    FIELD(struct oci_hugepage_limit, "pageSize", page_size, oci_text, REQUIRED),
    FIELD(struct oci_hugepage_limit, "limit", limit, oci_u64, REQUIRED),
};
static const struct oci_shape hugepage_shape =
    OCI_SHAPE(struct oci_hugepage_limit, hugepage_fields);

static const struct oci_field interface_priority_fields[] = {
    FIELD(struct oci_interface_priority, "name", name, oci_text, REQUIRED),
    FIELD(struct oci_interface_priority, "priority", priority, oci_u32, REQUIRED),
};
static const struct oci_shape interface_priority_shape =
    OCI_SHAPE(struct oci_interface_priority, interface_priority_fields);

static const struct oci_field network_fields[] = {
    FIELD(struct oci_network_resources, "classID", class_id, oci_opt_u32, OPTIONAL),
    FIELD_LIST(struct oci_network_resources, "priorities", priorities, priority_count, oci_list,
               interface_priority_shape, OPTIONAL),
};
static const struct oci_shape network_shape =
    OCI_SHAPE(struct oci_network_resources, network_fields);

static const struct oci_field rdma_fields[] = {
    FIELD(struct oci_rdma, "hcaHandles", hca_handles, oci_opt_u32, OPTIONAL),
    FIELD(struct oci_rdma, "hcaObjects", hca_objects, oci_opt_u32, OPTIONAL),
};
static const struct oci_shape rdma_shape = OCI_SHAPE(struct oci_rdma, rdma_fields);

static const struct oci_field resources_fields[] = {
    FIELD_LIST(struct oci_resources, "devices", devices, device_count, oci_list, device_rule_shape,
               OPTIONAL),
    FIELD_OF(struct oci_resources, "memory", memory, oci_object, memory_shape, OPTIONAL),
    FIELD_OF(struct oci_resources, "cpu", cpu, oci_object, cpu_shape, OPTIONAL),
    FIELD_OF(struct oci_resources, "pids", pids_limit, oci_object, pids_shape, OPTIONAL),
    FIELD_OF(struct oci_resources, "blockIO", block_io, oci_object, block_io_shape, OPTIONAL),
    FIELD_LIST(struct oci_resources, "hugepageLimits", hugepage_limits, hugepage_limit_count,
               oci_list, hugepage_shape, OPTIONAL),
    FIELD_OF(struct oci_resources, "network", network, oci_object, network_shape, OPTIONAL),
    FIELD_LIST(struct oci_resources, "rdma", rdma, rdma_count, oci_keyed_list, rdma_shape,
               OPTIONAL),
    FIELD(struct oci_resources, "unified", unified, oci_map, OPTIONAL),
};
const struct oci_shape oci_resources_shape = OCI_SHAPE(struct oci_resources, resources_fields);

/* ---- Seccomp ---- */

static const struct oci_word seccomp_actions[] = {
    { "SCMP_ACT_KILL_THREAD", OCI_SECCOMP_KILL_THREAD },
    { "SCMP_ACT_KILL", OCI_SECCOMP_KILL_THREAD },
    { "SCMP_ACT_KILL_PROCESS", OCI_SECCOMP_KILL_PROCESS },
    { "SCMP_ACT_TRAP", OCI_SECCOMP_TRAP },
    { "SCMP_ACT_ERRNO", OCI_SECCOMP_ERRNO },
    { "SCMP_ACT_TRACE", OCI_SECCOMP_TRACE },
    { "SCMP_ACT_ALLOW", OCI_SECCOMP_ALLOW },
    { "SCMP_ACT_LOG", OCI_SECCOMP_LOG },
    { "SCMP_ACT_NOTIFY", OCI_SECCOMP_NOTIFY },
    OCI_WORDS_END,
};
static const struct oci_word seccomp_ops[] = {
    { "SCMP_CMP_NE", OCI_SECCOMP_NE },
    { "SCMP_CMP_LT", OCI_SECCOMP_LT },
    { "SCMP_CMP_LE", OCI_SECCOMP_LE },
    { "SCMP_CMP_EQ", OCI_SECCOMP_EQ },
    { "SCMP_CMP_GE", OCI_SECCOMP_GE },
    { "SCMP_CMP_GT", OCI_SECCOMP_GT },
    { "SCMP_CMP_MASKED_EQ", OCI_SECCOMP_MASKED_EQ },
    OCI_WORDS_END,
};
static const struct oci_word seccomp_archs[] = {
    { "SCMP_ARCH_X86", OCI_SECCOMP_X86 },
    { "SCMP_ARCH_X86_64", OCI_SECCOMP_X86_64 },
    { "SCMP_ARCH_X32", OCI_SECCOMP_X32 },
    { "SCMP_ARCH_ARM", OCI_SECCOMP_ARM },
    { "SCMP_ARCH_AARCH64", OCI_SECCOMP_AARCH64 },
    { "SCMP_ARCH_MIPS", OCI_SECCOMP_MIPS },
    { "SCMP_ARCH_MIPS64", OCI_SECCOMP_MIPS64 },
    { "SCMP_ARCH_MIPS64N32", OCI_SECCOMP_MIPS64N32 },
    { "SCMP_ARCH_MIPSEL", OCI_SECCOMP_MIPSEL },
    { "SCMP_ARCH_MIPSEL64", OCI_SECCOMP_MIPSEL64 },
    { "SCMP_ARCH_MIPSEL64N32", OCI_SECCOMP_MIPSEL64N32 },
    { "SCMP_ARCH_PPC", OCI_SECCOMP_PPC },
    { "SCMP_ARCH_PPC64", OCI_SECCOMP_PPC64 },
    { "SCMP_ARCH_PPC64LE", OCI_SECCOMP_PPC64LE },
    { "SCMP_ARCH_S390", OCI_SECCOMP_S390 },
    { "SCMP_ARCH_S390X", OCI_SECCOMP_S390X },
    { "SCMP_ARCH_PARISC", OCI_SECCOMP_PARISC },
    { "SCMP_ARCH_PARISC64", OCI_SECCOMP_PARISC64 },
    { "SCMP_ARCH_RISCV64", OCI_SECCOMP_RISCV64 },
    { "SCMP_ARCH_LOONGARCH64", OCI_SECCOMP_LOONGARCH64 },
    { "SCMP_ARCH_M68K", OCI_SECCOMP_M68K },
    { "SCMP_ARCH_SH", OCI_SECCOMP_SH },
    { "SCMP_ARCH_SHEB", OCI_SECCOMP_SHEB },
    OCI_WORDS_END,
};
_Static_assert(OCI_SECCOMP_ARCH_COUNT <= 32, "architectures is a set of 32 bits");

static const struct oci_word seccomp_flags[] = {
    { "SECCOMP_FILTER_FLAG_TSYNC", OCI_SECCOMP_FLAG_TSYNC },
    { "SECCOMP_FILTER_FLAG_LOG", OCI_SECCOMP_FLAG_LOG },
    { "SECCOMP_FILTER_FLAG_SPEC_ALLOW", OCI_SECCOMP_FLAG_SPEC_ALLOW },
    { "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", OCI_SECCOMP_FLAG_WAIT_KILLABLE_RECV },
    OCI_WORDS_END,
};

/* "flags" there but empty is something else than "flags" absent: the pair {flags, has_flags} is one value. */
struct seccomp_flag_pair {
    uint32_t flags;
    bool has_flags;
};
_Static_assert(offsetof(struct oci_seccomp, has_flags) - offsetof(struct oci_seccomp, flags) ==
                   offsetof(struct seccomp_flag_pair, has_flags),
               "flags and has_flags are neighbours");

static int seccomp_flags_decode(struct oci_reader *reader, const struct oci_field *field,
                                const struct cl_json *value, void *member)
{
    struct seccomp_flag_pair *pair = member;
    pair->has_flags = true;
    return oci_flags_codec.decode(reader, field, value, &pair->flags);
}

static int seccomp_flags_encode(const struct oci_field *field, const void *member,
                                struct cl_json **ret)
{
    const struct seccomp_flag_pair *pair = member;
    struct oci_field written = *field;
    written.presence = pair->has_flags ? REQUIRED : OPTIONAL;
    return oci_flags_codec.encode(&written, &pair->flags, ret);
}

static const struct oci_codec seccomp_flags_codec = { "seccomp flags", sizeof(uint32_t),
                                                      seccomp_flags_decode, seccomp_flags_encode,
                                                      NULL };

static const struct oci_field seccomp_arg_fields[] = {
    FIELD(struct oci_seccomp_arg, "index", index, oci_u32, REQUIRED),
    FIELD(struct oci_seccomp_arg, "value", value, oci_u64, REQUIRED),
    FIELD(struct oci_seccomp_arg, "valueTwo", value_two, oci_u64, OPTIONAL),
    FIELD_WORDS(struct oci_seccomp_arg, "op", op, oci_enum, seccomp_ops, REQUIRED),
};
static const struct oci_shape seccomp_arg_shape =
    OCI_SHAPE(struct oci_seccomp_arg, seccomp_arg_fields);

static const struct oci_field seccomp_rule_fields[] = {
    FIELD(struct oci_seccomp_rule, "names", names, oci_strv, REQUIRED),
    FIELD_WORDS(struct oci_seccomp_rule, "action", action, oci_enum, seccomp_actions, REQUIRED),
    FIELD(struct oci_seccomp_rule, "errnoRet", errno_ret, oci_opt_u32, OPTIONAL),
    FIELD_LIST(struct oci_seccomp_rule, "args", args, arg_count, oci_list, seccomp_arg_shape,
               OPTIONAL),
};
static const struct oci_shape seccomp_rule_shape =
    OCI_SHAPE(struct oci_seccomp_rule, seccomp_rule_fields);

static const struct oci_field seccomp_fields[] = {
    FIELD_WORDS(struct oci_seccomp, "defaultAction", default_action, oci_enum, seccomp_actions,
                REQUIRED),
    FIELD(struct oci_seccomp, "defaultErrnoRet", default_errno_ret, oci_opt_u32, OPTIONAL),
    FIELD_WORDS(struct oci_seccomp, "architectures", architectures, oci_set, seccomp_archs,
                OPTIONAL),
    FIELD_WORDS(struct oci_seccomp, "flags", flags, seccomp_flags, seccomp_flags, OPTIONAL),
    FIELD(struct oci_seccomp, "listenerPath", listener_path, oci_string, OPTIONAL),
    FIELD(struct oci_seccomp, "listenerMetadata", listener_metadata, oci_string, OPTIONAL),
    FIELD_LIST(struct oci_seccomp, "syscalls", rules, rule_count, oci_list, seccomp_rule_shape,
               OPTIONAL),
};
const struct oci_shape oci_seccomp_shape = OCI_SHAPE(struct oci_seccomp, seccomp_fields);

/* ---- Intel RDT, memory policy, personality ---- */

static const struct oci_field intel_rdt_fields[] = {
    FIELD(struct oci_intel_rdt, "closID", clos_id, oci_string, OPTIONAL),
    FIELD(struct oci_intel_rdt, "schemata", schemata, oci_strv, OPTIONAL),
    FIELD(struct oci_intel_rdt, "l3CacheSchema", l3_cache_schema, oci_string, OPTIONAL),
    FIELD(struct oci_intel_rdt, "memBwSchema", mem_bw_schema, oci_string, OPTIONAL),
    FIELD(struct oci_intel_rdt, "enableMonitoring", enable_monitoring, oci_bool, OPTIONAL),
};
static const struct oci_shape intel_rdt_shape = OCI_SHAPE(struct oci_intel_rdt, intel_rdt_fields);

static const struct oci_word mpol_modes[] = {
    { "MPOL_DEFAULT", OCI_MPOL_DEFAULT },
    { "MPOL_PREFERRED", OCI_MPOL_PREFERRED },
    { "MPOL_BIND", OCI_MPOL_BIND },
    { "MPOL_INTERLEAVE", OCI_MPOL_INTERLEAVE },
    { "MPOL_LOCAL", OCI_MPOL_LOCAL },
    { "MPOL_PREFERRED_MANY", OCI_MPOL_PREFERRED_MANY },
    { "MPOL_WEIGHTED_INTERLEAVE", OCI_MPOL_WEIGHTED_INTERLEAVE },
    OCI_WORDS_END,
};
static const struct oci_word mpol_flags[] = { /* linux/mempolicy.h */
                                              { "MPOL_F_NUMA_BALANCING", 1U << 13 },
                                              { "MPOL_F_RELATIVE_NODES", 1U << 14 },
                                              { "MPOL_F_STATIC_NODES", 1U << 15 },
                                              OCI_WORDS_END
};
static const struct oci_field memory_policy_fields[] = {
    FIELD_WORDS(struct oci_memory_policy, "mode", mode, oci_enum, mpol_modes, REQUIRED),
    FIELD(struct oci_memory_policy, "nodes", nodes, oci_string, OPTIONAL),
    FIELD_WORDS(struct oci_memory_policy, "flags", flags, oci_flags, mpol_flags, OPTIONAL),
};
static const struct oci_shape memory_policy_shape =
    OCI_SHAPE(struct oci_memory_policy, memory_policy_fields);

static const struct oci_word personalities[] = { /* linux/personality.h */
                                                 { "LINUX", 0x0000 },
                                                 { "LINUX32", 0x0008 },
                                                 OCI_WORDS_END
};
static const struct oci_field personality_fields[] = {
    FIELD_WORDS(struct oci_personality, "domain", domain, oci_enum, personalities, REQUIRED),
    FIELD(struct oci_personality, "flags", flags, oci_strv, OPTIONAL),
};
static const struct oci_shape personality_shape =
    OCI_SHAPE(struct oci_personality, personality_fields);

/* ---- The linux object ---- */

static const struct oci_word propagations[] = {
    { "shared", OCI_PROPAGATION_SHARED },     { "slave", OCI_PROPAGATION_SLAVE },
    { "private", OCI_PROPAGATION_PRIVATE },   { "unbindable", OCI_PROPAGATION_UNBINDABLE },
    { "rshared", OCI_PROPAGATION_RSHARED },   { "rslave", OCI_PROPAGATION_RSLAVE },
    { "rprivate", OCI_PROPAGATION_RPRIVATE }, { "runbindable", OCI_PROPAGATION_RUNBINDABLE },
    { "", OCI_PROPAGATION_DEFAULT },          OCI_WORDS_END,
};

static const struct oci_field linux_fields[] = {
    FIELD_LIST(struct oci_linux, "namespaces", namespaces, namespace_count, oci_list,
               namespace_shape, OPTIONAL),
    FIELD_LIST(struct oci_linux, "uidMappings", uid_mappings.items, uid_mappings.count, oci_list,
               oci_id_mapping_shape, OPTIONAL),
    FIELD_LIST(struct oci_linux, "gidMappings", gid_mappings.items, gid_mappings.count, oci_list,
               oci_id_mapping_shape, OPTIONAL),
    FIELD_LIST(struct oci_linux, "timeOffsets", time_offsets, time_offset_count, oci_keyed_list,
               time_offset_shape, OPTIONAL),
    FIELD_LIST(struct oci_linux, "devices", devices, device_count, oci_list, device_shape,
               OPTIONAL),
    FIELD_LIST(struct oci_linux, "netDevices", net_devices, net_device_count, oci_keyed_list,
               net_device_shape, OPTIONAL),
    FIELD(struct oci_linux, "cgroupsPath", cgroups_path, oci_string, OPTIONAL),
    FIELD_OF(struct oci_linux, "resources", resources, oci_object, oci_resources_shape, OPTIONAL),
    FIELD_WORDS(struct oci_linux, "rootfsPropagation", rootfs_propagation, oci_enum, propagations,
                OPTIONAL),
    FIELD_OF(struct oci_linux, "seccomp", seccomp, oci_pointer, oci_seccomp_shape, OPTIONAL),
    FIELD(struct oci_linux, "sysctl", sysctl, oci_map, OPTIONAL),
    FIELD(struct oci_linux, "maskedPaths", masked_paths, oci_strv, OPTIONAL),
    FIELD(struct oci_linux, "readonlyPaths", readonly_paths, oci_strv, OPTIONAL),
    FIELD(struct oci_linux, "mountLabel", mount_label, oci_string, OPTIONAL),
    FIELD_OF(struct oci_linux, "intelRdt", intel_rdt, oci_pointer, intel_rdt_shape, OPTIONAL),
    FIELD_OF(struct oci_linux, "memoryPolicy", memory_policy, oci_pointer, memory_policy_shape,
             OPTIONAL),
    FIELD_OF(struct oci_linux, "personality", personality, oci_pointer, personality_shape,
             OPTIONAL),
};
const struct oci_shape oci_linux_shape = OCI_SHAPE(struct oci_linux, linux_fields);
