/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of linux.resources (also of an `update` document) and linux.seccomp. Only what the documentation of the specification or of the kernel
 * forbids everywhere; whether this host's cgroups can do it is the runtime's question.
 */
#include "oci/spec_private.h"

#include <errno.h>

/* ---- Memory and CPU ---- */

static int check_memory(struct oci_check *check, const struct oci_memory *memory)
{
    const char *at = check->resources_path;
    const struct {
        const char *name;
        const struct oci_opt_i64 *option;
    } limits[] = {
        { "limit", &memory->limit },
        { "reservation", &memory->reservation },
        { "swap", &memory->swap },
        { "kernel", &memory->kernel },
        { "kernelTCP", &memory->kernel_tcp },
    };
    for (size_t i = 0; i < CL_COUNT(limits); i++)
        if (limits[i].option->set && limits[i].option->value < -1)
            return oci_refuse(oci_at(check, "%smemory.%s", at, limits[i].name),
                              "must be -1 (unlimited) or a number of bytes");
    if (memory->swappiness.set && memory->swappiness.value > 100)
        return oci_refuse(oci_at(check, "%smemory.swappiness", at), "must be 0 to 100");
    bool has_both =
        memory->limit.set && memory->swap.set && memory->limit.value > 0 && memory->swap.value > 0;
    if (has_both && memory->swap.value < memory->limit.value)
        return oci_refuse(oci_at(check, "%smemory.swap", at),
                          "is memory and swap together, so it must not be below memory.limit");
    return 0;
}

static int check_cpu(struct oci_check *check, const struct oci_cpu *cpu)
{
    const char *at = check->resources_path;
    if (cpu->quota.set && cpu->quota.value < -1)
        return oci_refuse(oci_at(check, "%scpu.quota", at), "must be -1 (none) or microseconds");
    bool has_quota = cpu->quota.set && cpu->quota.value > 0;
    if (has_quota && cpu->burst.set && cpu->burst.value > (uint64_t)cpu->quota.value)
        return oci_refuse(oci_at(check, "%scpu.burst", at), "must not be above cpu.quota");
    bool has_real_time = cpu->realtime_runtime.set && cpu->realtime_runtime.value > 0 &&
                         cpu->realtime_period.set && cpu->realtime_period.value > 0;
    if (has_real_time && (uint64_t)cpu->realtime_runtime.value > cpu->realtime_period.value)
        return oci_refuse(oci_at(check, "%scpu.realtimeRuntime", at),
                          "must not be above cpu.realtimePeriod");
    if (cpu->idle.set && cpu->idle.value != 0 && cpu->idle.value != 1)
        return oci_refuse(oci_at(check, "%scpu.idle", at), "must be 0 or 1");
    if (cpu->cpus != NULL && !oci_is_cpu_list(cpu->cpus))
        return oci_refuse(oci_at(check, "%scpu.cpus", at), "must be a CPU list such as 0-3,7");
    if (cpu->mems != NULL && !oci_is_cpu_list(cpu->mems))
        return oci_refuse(oci_at(check, "%scpu.mems", at), "must be a list of nodes such as 0-3,7");
    return 0;
}

/* ---- Devices and block I/O ---- */

static bool is_rule_number(const struct oci_opt_i64 *number)
{
    return !number->set || number->value >= -1;
}

static int check_device_rules(struct oci_check *check, const struct oci_resources *resources)
{
    for (size_t i = 0; i < resources->device_count; i++) {
        const struct oci_device_rule *rule = &resources->devices[i];
        oci_at(check, "%sdevices[%zu]", check->resources_path, i);
        if (!is_rule_number(&rule->major) || !is_rule_number(&rule->minor))
            return oci_refuse(check, "major and minor must be numbers, or -1 or absent for all");
        const char *access = rule->access != NULL ? rule->access : "";
        if (access[strspn(access, "rwm")] != '\0')
            return oci_refuse(check, "access must be made of r, w and m");
    }
    return 0;
}

static bool is_weight(const struct oci_opt_u32 *weight)
{
    return !weight->set || weight->value == 0 || (weight->value >= 10 && weight->value <= 1000);
}

static int check_block_io(struct oci_check *check, const struct oci_block_io *io)
{
    const char *at = check->resources_path;
    if (!is_weight(&io->weight) || !is_weight(&io->leaf_weight))
        return oci_refuse(oci_at(check, "%sblockIO", at),
                          "weight and leafWeight must be 10 to 1000, or 0");
    for (size_t i = 0; i < io->weight_device_count; i++) {
        const struct oci_weight_device *device = &io->weight_devices[i];
        oci_at(check, "%sblockIO.weightDevice[%zu]", at, i);
        if (!device->weight.set && !device->leaf_weight.set)
            return oci_refuse(check, "weight or leafWeight must be given");
        if (!is_weight(&device->weight) || !is_weight(&device->leaf_weight))
            return oci_refuse(check, "weight and leafWeight must be 10 to 1000, or 0");
    }
    return 0;
}

/* ---- The rest ---- */

/* "64KB", "2MB", "1GB": what cgroup file names carry (config-linux.md "Huge page limits"). */
static bool is_page_size(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 6 || text[0] == '0')
        return false;
    return cl_streq(text + digits, "KB") || cl_streq(text + digits, "MB") ||
           cl_streq(text + digits, "GB");
}

static int check_hugepages(struct oci_check *check, const struct oci_resources *resources)
{
    for (size_t i = 0; i < resources->hugepage_limit_count; i++) {
        const char *size = resources->hugepage_limits[i].page_size;
        oci_at(check, "%shugepageLimits[%zu].pageSize", check->resources_path, i);
        if (size == NULL || !is_page_size(size))
            return oci_refuse(check, "must be a page size such as 2MB");
        for (size_t j = 0; j < i; j++)
            if (cl_streq(size, resources->hugepage_limits[j].page_size))
                return oci_refuse(check, "%s is given twice", size);
    }
    return 0;
}

static int check_unified(struct oci_check *check, const struct oci_map *unified)
{
    for (size_t i = 0; i < unified->count; i++) {
        const char *file = unified->pairs[i].key;
        char shown[64];
        bool is_name = strchr(file, '/') == NULL && strchr(file, '.') != NULL && file[0] != '.';
        if (!is_name)
            return oci_refuse(
                oci_at(check, "%sunified[\"%s\"]", check->resources_path, oci_shown(file, shown)),
                "must be the name of a file in a cgroup, such as memory.high");
    }
    return 0;
}

int oci_check_resources(struct oci_check *check, const struct oci_resources *resources)
{
    const char *at = check->resources_path;
    if (resources->pids_limit.set && resources->pids_limit.value < -1)
        return oci_refuse(oci_at(check, "%spids.limit", at), "must be -1 (unlimited) or a number");
    for (size_t i = 0; i < resources->rdma_count; i++) {
        const struct oci_rdma *rdma = &resources->rdma[i];
        char shown[64];
        if (!rdma->hca_handles.set && !rdma->hca_objects.set)
            return oci_refuse(oci_at(check, "%srdma[\"%s\"]", at, oci_shown(rdma->device, shown)),
                              "hcaHandles or hcaObjects must be given");
    }
    int r = check_memory(check, &resources->memory);
    if (r == 0)
        r = check_cpu(check, &resources->cpu);
    if (r == 0)
        r = check_device_rules(check, resources);
    if (r == 0)
        r = check_block_io(check, &resources->block_io);
    if (r == 0)
        r = check_hugepages(check, resources);
    return r < 0 ? r : check_unified(check, &resources->unified);
}

int oci_resources_validate(const struct oci_resources *resources, struct cl_error *err)
{
    struct oci_check check = { .document = "resources", .resources_path = "", .err = err };
    return oci_check_resources(&check, resources);
}

/* ---- Seccomp ---- */

/* Only ERRNO and TRACE carry a number: the errno (below the kernel's MAX_ERRNO), or 16 bits for the tracer (seccomp(2)). */
static int check_errno(struct oci_check *check, enum oci_seccomp_action action,
                       const struct oci_opt_u32 *number)
{
    if (!number->set)
        return 0;
    if (action != OCI_SECCOMP_ERRNO && action != OCI_SECCOMP_TRACE)
        return oci_refuse(check, "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE take a number");
    if (action == OCI_SECCOMP_ERRNO && number->value > 4095)
        return oci_refuse(check, "must be an errno, 0 to 4095");
    if (number->value > UINT16_MAX)
        return oci_refuse(check, "must be 0 to 65535");
    return 0;
}

static int check_rule(struct oci_check *check, const struct oci_seccomp_rule *rule, size_t index)
{
    oci_at(check, "linux.seccomp.syscalls[%zu].names", index);
    if (rule->names == NULL || rule->names[0] == NULL)
        return oci_refuse(check, "must contain at least one name");
    for (size_t i = 0; rule->names[i] != NULL; i++)
        if (rule->names[i][0] == '\0')
            return oci_refuse(check, "must not contain an empty name");
    for (size_t i = 0; i < rule->arg_count; i++)
        if (rule->args[i].index > 5)
            return oci_refuse(
                oci_at(check, "linux.seccomp.syscalls[%zu].args[%zu].index", index, i),
                "a system call has the arguments 0 to 5");
    return check_errno(oci_at(check, "linux.seccomp.syscalls[%zu].errnoRet", index), rule->action,
                       &rule->errno_ret);
}

static bool uses_notify(const struct oci_seccomp *seccomp)
{
    for (size_t i = 0; i < seccomp->rule_count; i++)
        if (seccomp->rules[i].action == OCI_SECCOMP_NOTIFY)
            return true;
    return false;
}

static int check_listener(struct oci_check *check, const struct oci_seccomp *seccomp,
                          bool has_receiver)
{
    bool has_path =
        has_receiver || (seccomp->listener_path != NULL && *seccomp->listener_path != '\0');
    bool has_metadata = seccomp->listener_metadata != NULL && *seccomp->listener_metadata != '\0';
    if (has_metadata && !has_path)
        return oci_refuse(oci_at(check, "linux.seccomp.listenerMetadata"),
                          "must not be given without listenerPath");
    if (seccomp->default_action == OCI_SECCOMP_NOTIFY)
        return oci_refuse(oci_at(check, "linux.seccomp.defaultAction"),
                          "SCMP_ACT_NOTIFY for every call would stop the runtime itself");
    if (uses_notify(seccomp) && !has_path)
        return oci_refuse(oci_at(check, "linux.seccomp.listenerPath"), "SCMP_ACT_NOTIFY needs it");
    if ((seccomp->flags & OCI_SECCOMP_FLAG_WAIT_KILLABLE_RECV) != 0 && !uses_notify(seccomp))
        return oci_refuse(
            oci_at(check, "linux.seccomp.flags"),
            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY");
    return 0;
}

int oci_check_seccomp(struct oci_check *check, const struct oci_seccomp *seccomp, bool has_receiver)
{
    int r = check_errno(oci_at(check, "linux.seccomp.defaultErrnoRet"), seccomp->default_action,
                        &seccomp->default_errno_ret);
    for (size_t i = 0; r == 0 && i < seccomp->rule_count; i++)
        r = check_rule(check, &seccomp->rules[i], i);
    return r < 0 ? r : check_listener(check, seccomp, has_receiver);
}

static bool is_every_or(const struct oci_opt_i64 *number, unsigned wanted)
{
    return !number->set || number->value == -1 || number->value == (int64_t)wanted;
}

int oci_device_rules_ask(const struct oci_resources *resources, bool is_block, unsigned major,
                         unsigned minor, char access)
{
    int answer = -ENOENT;
    for (size_t i = 0; i < resources->device_count; i++) {
        const struct oci_device_rule *rule = &resources->devices[i];
        bool is_type = rule->type == OCI_DEVICE_ALL || (rule->type == OCI_DEVICE_BLOCK) == is_block;
        bool is_access = rule->access == NULL || strchr(rule->access, access) != NULL;
        if (is_type && is_access && is_every_or(&rule->major, major) &&
            is_every_or(&rule->minor, minor))
            answer = rule->allow;
    }
    return answer;
}
