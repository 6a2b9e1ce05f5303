/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources → writes to cgroup files, for whichever version has the controller on this host.
 * One function per controller; what only one version can do is an error on the other, naming the
 * property. Sources: the kernel's admin-guide/cgroup-v1 and cgroup-v2.rst; unit conversions in
 * plan_cgroup_units.c.
 */
#include "runtime/plan.h"

#include <inttypes.h>

struct builder {
    struct runtime_plan *plan;
    const struct oci_resources *resources;
    struct cl_error *err;
    int result; /* the first failure sticks */
};

static bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at++)
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

/* Which version has the controller: on a hybrid host v1 where it is mounted there. */
static bool is_v2(const struct builder *builder, const char *controller)
{
    const struct cgroup_host *host = &builder->plan->facts->cgroups;
    for (size_t i = 0; i < host->count; i++)
        if (!host->hierarchies[i].is_v2 && list_has(host->hierarchies[i].controllers, controller))
            return false;
    return host->layout == CGROUP_V2 || host->layout == CGROUP_HYBRID;
}

static void refuse(struct builder *builder, const char *property, const char *text)
{
    if (builder->result >= 0)
        builder->result = plan_fail(builder->err, CL_KIND_UNSUPPORTED, property, "%s", text);
}

static struct plan_setting *add(struct builder *builder, const char *property,
                                const char *controller)
{
    struct runtime_plan *plan = builder->plan;
    if (builder->result < 0)
        return NULL;
    struct plan_setting *settings =
        cl_realloc(plan->settings, (plan->setting_count + 1) * sizeof *settings);
    if (settings == NULL) {
        builder->result = cl_fail(builder->err, ENOMEM, "plan %s", property);
        return NULL;
    }
    plan->settings = settings;
    struct plan_setting *setting = &settings[plan->setting_count++];
    *setting = (struct plan_setting){ .property = property };
    (void)CL_PRINT(setting->controller, "%s", controller); /* ours: fits */
    return setting;
}

/* file and value into a new setting; too long a value is refused. */
static void put(struct builder *builder, const char *property, const char *controller,
                const char *file, const char *value)
{
    struct plan_setting *setting = add(builder, property, controller);
    if (setting == NULL)
        return;
    if (CL_PRINT(setting->file, "%s", file) < 0 || CL_PRINT(setting->value, "%s", value) < 0)
        builder->result =
            plan_fail(builder->err, CL_KIND_INVALID, property, "\"%.80s\" is too long", value);
}

static void put_u64(struct builder *builder, const char *property, const char *controller,
                    const char *file, uint64_t value)
{
    char text[32];
    (void)CL_PRINT(text, "%" PRIu64, value);
    put(builder, property, controller, file, text);
}

/* -1: unlimited, which v1 writes as -1 and v2 as max. */
static void put_limit(struct builder *builder, const char *property, const char *controller,
                      const char *file, int64_t value)
{
    bool v2 = is_v2(builder, controller);
    char text[32];
    (void)CL_PRINT(text, "%" PRId64, value < 0 ? (int64_t)-1 : value);
    put(builder, property, controller, file, value < 0 && v2 ? "max" : text);
}

static void alternative(struct builder *builder, const char *file, uint64_t value)
{
    if (builder->result < 0)
        return;
    struct plan_setting *setting = &builder->plan->settings[builder->plan->setting_count - 1];
    (void)CL_PRINT(setting->other_file, "%s", file);
    (void)CL_PRINT(setting->other_value, "%" PRIu64, value);
}

/* ---- memory ---- */

static void memory_v1(struct builder *builder, const struct oci_memory *memory)
{
    if (memory->use_hierarchy.set && memory->use_hierarchy.value)
        put(builder, "linux.resources.memory.useHierarchy", "memory", "memory.use_hierarchy", "1");
    if (memory->limit.set)
        put_limit(builder, "linux.resources.memory.limit", "memory", "memory.limit_in_bytes",
                  memory->limit.value);
    if (memory->swap.set) /* after the limit: the kernel wants limit <= memsw at every moment */
        put_limit(builder, "linux.resources.memory.swap", "memory", "memory.memsw.limit_in_bytes",
                  memory->swap.value);
    if (memory->reservation.set)
        put_limit(builder, "linux.resources.memory.reservation", "memory",
                  "memory.soft_limit_in_bytes", memory->reservation.value);
    if (memory->kernel.set)
        put_limit(builder, "linux.resources.memory.kernel", "memory", "memory.kmem.limit_in_bytes",
                  memory->kernel.value);
    if (memory->kernel_tcp.set)
        put_limit(builder, "linux.resources.memory.kernelTCP", "memory",
                  "memory.kmem.tcp.limit_in_bytes", memory->kernel_tcp.value);
    if (memory->swappiness.set)
        put_u64(builder, "linux.resources.memory.swappiness", "memory", "memory.swappiness",
                memory->swappiness.value);
    if (memory->disable_oom_killer.set && memory->disable_oom_killer.value)
        put(builder, "linux.resources.memory.disableOOMKiller", "memory", "memory.oom_control",
            "1");
}

/* v1's swap counts memory and swap together, v2's swap alone. */
static void memory_swap_v2(struct builder *builder, const struct oci_memory *memory)
{
    static const char *const property = "linux.resources.memory.swap";
    if (memory->swap.value < 0) {
        put(builder, property, "memory", "memory.swap.max", "max");
        return;
    }
    if (!memory->limit.set || memory->limit.value < 0 || memory->swap.value < memory->limit.value) {
        refuse(builder, property,
               "is memory and swap together, so cgroup v2 needs a memory limit no greater than it");
        return;
    }
    put_limit(builder, property, "memory", "memory.swap.max",
              memory->swap.value - memory->limit.value);
}

static void memory_v2(struct builder *builder, const struct oci_memory *memory)
{
    if (memory->limit.set)
        put_limit(builder, "linux.resources.memory.limit", "memory", "memory.max",
                  memory->limit.value);
    if (memory->swap.set)
        memory_swap_v2(builder, memory);
    if (memory->reservation.set)
        put_limit(builder, "linux.resources.memory.reservation", "memory", "memory.low",
                  memory->reservation.value);
    if (memory->kernel.set)
        refuse(builder, "linux.resources.memory.kernel", "cgroup v2 has no such limit");
    if (memory->kernel_tcp.set)
        refuse(builder, "linux.resources.memory.kernelTCP", "cgroup v2 has no such limit");
    if (memory->swappiness.set)
        refuse(builder, "linux.resources.memory.swappiness", "cgroup v2 has no such setting");
    if (memory->disable_oom_killer.set && memory->disable_oom_killer.value)
        refuse(builder, "linux.resources.memory.disableOOMKiller",
               "cgroup v2 can't switch the OOM killer off");
}

static void plan_memory(struct builder *builder)
{
    (is_v2(builder, "memory") ? memory_v2 : memory_v1)(builder, &builder->resources->memory);
}

/* ---- cpu ---- */

static void cpu_v1(struct builder *builder, const struct oci_cpu *cpu)
{
    if (cpu->shares.set && cpu->shares.value > 0)
        put_u64(builder, "linux.resources.cpu.shares", "cpu", "cpu.shares", cpu->shares.value);
    if (cpu->period.set && cpu->period.value > 0) /* before the quota, which is a part of it */
        put_u64(builder, "linux.resources.cpu.period", "cpu", "cpu.cfs_period_us",
                cpu->period.value);
    if (cpu->quota.set && cpu->quota.value != 0)
        put_limit(builder, "linux.resources.cpu.quota", "cpu", "cpu.cfs_quota_us",
                  cpu->quota.value);
    if (cpu->burst.set)
        put_u64(builder, "linux.resources.cpu.burst", "cpu", "cpu.cfs_burst_us", cpu->burst.value);
    if (cpu->realtime_period.set && cpu->realtime_period.value > 0)
        put_u64(builder, "linux.resources.cpu.realtimePeriod", "cpu", "cpu.rt_period_us",
                cpu->realtime_period.value);
    if (cpu->realtime_runtime.set && cpu->realtime_runtime.value != 0)
        put_limit(builder, "linux.resources.cpu.realtimeRuntime", "cpu", "cpu.rt_runtime_us",
                  cpu->realtime_runtime.value);
    if (cpu->idle.set)
        put_limit(builder, "linux.resources.cpu.idle", "cpu", "cpu.idle", cpu->idle.value);
}

static void cpu_max_v2(struct builder *builder, const struct oci_cpu *cpu)
{
    bool has_quota = cpu->quota.set && cpu->quota.value != 0;
    bool has_period = cpu->period.set && cpu->period.value > 0;
    char quota[32] = "max", text[64];
    if (!has_quota && !has_period)
        return;
    if (has_quota && cpu->quota.value > 0)
        (void)CL_PRINT(quota, "%" PRId64, cpu->quota.value);
    (void)CL_PRINT(text, "%s %" PRIu64, quota, has_period ? cpu->period.value : UINT64_C(100000));
    put(builder, has_quota ? "linux.resources.cpu.quota" : "linux.resources.cpu.period", "cpu",
        "cpu.max", text);
}

static void cpu_v2(struct builder *builder, const struct oci_cpu *cpu)
{
    if (cpu->idle.set)
        put_limit(builder, "linux.resources.cpu.idle", "cpu", "cpu.idle", cpu->idle.value);
    /* An idle group has no weight: the kernel refuses to set one. */
    if (cpu->shares.set && cpu->shares.value > 0 && !(cpu->idle.set && cpu->idle.value == 1))
        put_u64(builder, "linux.resources.cpu.shares", "cpu", "cpu.weight",
                plan_cpu_weight(cpu->shares.value));
    cpu_max_v2(builder, cpu);
    if (cpu->burst.set)
        put_u64(builder, "linux.resources.cpu.burst", "cpu", "cpu.max.burst", cpu->burst.value);
    if (cpu->realtime_period.set && cpu->realtime_period.value > 0)
        refuse(builder, "linux.resources.cpu.realtimePeriod", "cgroup v2 has no such setting");
    if (cpu->realtime_runtime.set && cpu->realtime_runtime.value != 0)
        refuse(builder, "linux.resources.cpu.realtimeRuntime", "cgroup v2 has no such setting");
}

static void plan_cpu(struct builder *builder)
{
    const struct oci_cpu *cpu = &builder->resources->cpu;
    (is_v2(builder, "cpu") ? cpu_v2 : cpu_v1)(builder, cpu);
    if (cpu->cpus != NULL && cpu->cpus[0] != '\0')
        put(builder, "linux.resources.cpu.cpus", "cpuset", "cpuset.cpus", cpu->cpus);
    if (cpu->mems != NULL && cpu->mems[0] != '\0')
        put(builder, "linux.resources.cpu.mems", "cpuset", "cpuset.mems", cpu->mems);
}

/* ---- pids ---- */

static void plan_pids(struct builder *builder)
{
    const struct oci_opt_i64 *limit = &builder->resources->pids_limit;
    char text[32];
    if (!limit->set)
        return;
    (void)CL_PRINT(text, "%" PRId64, limit->value);
    put(builder, "linux.resources.pids.limit", "pids", "pids.max", limit->value > 0 ? text : "max");
}

/* ---- block devices ---- */

static void throttle(struct builder *builder, const char *property,
                     const struct oci_throttle_list *list, const char *v1_file, const char *v2_key)
{
    bool v2 = is_v2(builder, "io") && is_v2(builder, "blkio");
    for (size_t i = 0; i < list->count; i++) {
        const struct oci_throttle_device *device = &list->items[i];
        char text[128];
        if (v2)
            (void)CL_PRINT(text, "%" PRId64 ":%" PRId64 " %s=%" PRIu64, device->major,
                           device->minor, v2_key, device->rate);
        else
            (void)CL_PRINT(text, "%" PRId64 ":%" PRId64 " %" PRIu64, device->major, device->minor,
                           device->rate);
        put(builder, property, v2 ? "io" : "blkio", v2 ? "io.max" : v1_file, text);
    }
}

static void weight_devices(struct builder *builder, const struct oci_block_io *io, bool v2)
{
    static const char *const property = "linux.resources.blockIO.weightDevice";
    for (size_t i = 0; i < io->weight_device_count; i++) {
        const struct oci_weight_device *device = &io->weight_devices[i];
        char text[128];
        if (device->leaf_weight.set)
            refuse(builder, property, "no kernel of today has leaf weights");
        if (!device->weight.set)
            continue;
        (void)CL_PRINT(text, "%" PRId64 ":%" PRId64 " %u", device->major, device->minor,
                       device->weight.value);
        put(builder, property, v2 ? "io" : "blkio",
            v2 ? "io.bfq.weight" : "blkio.bfq.weight_device", text);
    }
}

static void plan_block_io(struct builder *builder)
{
    const struct oci_block_io *io = &builder->resources->block_io;
    bool v2 = is_v2(builder, "io") && is_v2(builder, "blkio");
    if (io->leaf_weight.set && io->leaf_weight.value != 0)
        refuse(builder, "linux.resources.blockIO.leafWeight",
               "no kernel of today has leaf weights");
    if (io->weight.set && io->weight.value != 0) {
        static const char *const property = "linux.resources.blockIO.weight";
        put_u64(builder, property, v2 ? "io" : "blkio", v2 ? "io.bfq.weight" : "blkio.bfq.weight",
                io->weight.value);
        alternative(builder, v2 ? "io.weight" : "blkio.weight",
                    v2 ? plan_io_weight(io->weight.value) : io->weight.value);
    }
    weight_devices(builder, io, v2);
    throttle(builder, "linux.resources.blockIO.throttleReadBpsDevice", &io->throttle_read_bps,
             "blkio.throttle.read_bps_device", "rbps");
    throttle(builder, "linux.resources.blockIO.throttleWriteBpsDevice", &io->throttle_write_bps,
             "blkio.throttle.write_bps_device", "wbps");
    throttle(builder, "linux.resources.blockIO.throttleReadIOPSDevice", &io->throttle_read_iops,
             "blkio.throttle.read_iops_device", "riops");
    throttle(builder, "linux.resources.blockIO.throttleWriteIOPSDevice", &io->throttle_write_iops,
             "blkio.throttle.write_iops_device", "wiops");
}

/* ---- the smaller ones ---- */

static void plan_hugetlb(struct builder *builder)
{
    bool v2 = is_v2(builder, "hugetlb");
    for (size_t i = 0; i < builder->resources->hugepage_limit_count; i++) {
        const struct oci_hugepage_limit *limit = &builder->resources->hugepage_limits[i];
        char file[64];
        if (strchr(limit->page_size, '/') != NULL ||
            CL_PRINT(file, "hugetlb.%s.%s", limit->page_size, v2 ? "max" : "limit_in_bytes") < 0) {
            refuse(builder, "linux.resources.hugepageLimits", "no such page size");
            return;
        }
        put_u64(builder, "linux.resources.hugepageLimits", "hugetlb", file, limit->limit);
    }
}

static void plan_network(struct builder *builder)
{
    const struct oci_network_resources *network = &builder->resources->network;
    if (network->class_id.set) {
        if (is_v2(builder, "net_cls"))
            refuse(builder, "linux.resources.network.classID", "cgroup v2 has no such setting");
        put_u64(builder, "linux.resources.network.classID", "net_cls", "net_cls.classid",
                network->class_id.value);
    }
    for (size_t i = 0; i < network->priority_count; i++) {
        char text[128];
        if (is_v2(builder, "net_prio"))
            refuse(builder, "linux.resources.network.priorities", "cgroup v2 has no such setting");
        (void)CL_PRINT(text, "%s %u", network->priorities[i].name, network->priorities[i].priority);
        put(builder, "linux.resources.network.priorities", "net_prio", "net_prio.ifpriomap", text);
    }
}

static void plan_rdma(struct builder *builder)
{
    for (size_t i = 0; i < builder->resources->rdma_count; i++) {
        const struct oci_rdma *rdma = &builder->resources->rdma[i];
        char handles[40] = "", objects[40] = "", text[200];
        if (rdma->hca_handles.set)
            (void)CL_PRINT(handles, " hca_handle=%u", rdma->hca_handles.value);
        if (rdma->hca_objects.set)
            (void)CL_PRINT(objects, " hca_object=%u", rdma->hca_objects.value);
        (void)CL_PRINT(text, "%s%s%s", rdma->device, handles, objects);
        put(builder, "linux.resources.rdma", "rdma", "rdma.max", text);
    }
}

static void plan_unified(struct builder *builder)
{
    const struct oci_map *map = &builder->resources->unified;
    for (size_t i = 0; i < map->count; i++) {
        const char *file = map->pairs[i].key;
        size_t length = strcspn(file, ".");
        char controller[32] = "";
        if (strchr(file, '/') != NULL || file[length] == '\0' || length >= sizeof controller) {
            if (builder->result >= 0)
                builder->result =
                    plan_fail(builder->err, CL_KIND_INVALID, "linux.resources.unified",
                              "\"%.80s\" is no cgroup file", file);
            return;
        }
        memcpy(controller, file, length);
        controller[length] = '\0';
        if (cl_streq(controller, "cgroup"))
            controller[0] = '\0';
        if (!is_v2(builder, controller))
            refuse(builder, "linux.resources.unified",
                   "this host has no cgroup v2 with that controller");
        put(builder, "linux.resources.unified", controller, file, map->pairs[i].value);
    }
}

/* ---- where ---- */

static int plan_path(struct runtime_plan *plan, struct cl_error *err)
{
    const char *path = plan->options->cgroup_path;
    plan->cgroup_must_be_new = path != NULL;
    if (path == NULL)
        path = plan->spec->linux_.cgroups_path;
    if (path == NULL)
        return 0;
    while (*path == '/')
        path++;
    if (CL_PRINT(plan->cgroup_path, "%s", path) < 0)
        return plan_fail(err, CL_KIND_INVALID, "linux.cgroupsPath", "is longer than 255 bytes");
    return 0;
}

int plan_cgroup(struct runtime_plan *plan, struct cl_error *err)
{
    static void (*const controllers[])(struct builder *) = {
        plan_memory,  plan_cpu,     plan_pids, plan_block_io,
        plan_hugetlb, plan_network, plan_rdma, plan_unified, /* last: it may overrule the others */
    };
    struct builder builder = { plan, &plan->spec->linux_.resources, err, 0 };
    int result = plan_path(plan, err);
    if (result < 0)
        return result;
    if (plan->facts->cgroups.layout == CGROUP_NONE)
        plan->cgroup_path[0] =
            '\0'; /* limits are refused below; without limits there is nothing to make */
    for (size_t i = 0; builder.result >= 0 && i < CL_COUNT(controllers); i++)
        controllers[i](&builder);
    if (builder.result < 0)
        return builder.result;
    if (plan->setting_count > 0 && plan->cgroup_path[0] == '\0')
        return plan_fail(err, CL_KIND_UNSUPPORTED, plan->settings[0].property,
                         plan->facts->cgroups.layout == CGROUP_NONE
                             ? "no cgroup hierarchy is mounted on this host"
                             : "limits need a cgroup: set linux.cgroupsPath");
    plan->use_device_rules =
        plan->cgroup_path[0] != '\0' && plan->spec->linux_.resources.device_count > 0;
    return 0;
}
