/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources → writes to cgroup files, for whichever version has the controller on this host.
 * One function per controller; what only one version can do is an error on the other, naming the
 * property. Sources: the kernel's admin-guide/cgroup-v1 and cgroup-v2.rst; unit conversions in
 * plan_cgroup_units.c.
 */
#include "runtime/plan_cgroup.h"

#include <inttypes.h>

static bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at++)
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

bool plan_is_v2(const struct plan_builder *builder, const char *controller)
{
    const struct cgroup_host *host = builder->host;
    for (size_t i = 0; i < host->count; i++)
        if (!host->hierarchies[i].is_v2 && list_has(host->hierarchies[i].controllers, controller))
            return false;
    return host->layout == CGROUP_V2 || host->layout == CGROUP_HYBRID;
}

void plan_refuse(struct plan_builder *builder, const char *property, const char *text)
{
    if (builder->result >= 0)
        builder->result = plan_fail(builder->err, CL_KIND_UNSUPPORTED, property, "%s", text);
}

static struct plan_setting *add(struct plan_builder *builder, const char *property,
                                const char *controller)
{
    if (builder->result < 0)
        return NULL;
    struct plan_setting *settings =
        cl_realloc(builder->settings, (builder->count + 1) * sizeof *settings);
    if (settings == NULL) {
        builder->result = cl_fail(builder->err, ENOMEM, "plan %s", property);
        return NULL;
    }
    builder->settings = settings;
    struct plan_setting *setting = &settings[builder->count++];
    *setting = (struct plan_setting){ .property = property };
    (void)CL_PRINT(setting->controller, "%s", controller); /* ours: fits */
    return setting;
}

void plan_put(struct plan_builder *builder, const char *property, const char *controller,
              const char *file, const char *value)
{
    struct plan_setting *setting = add(builder, property, controller);
    if (setting == NULL)
        return;
    if (CL_PRINT(setting->file, "%s", file) < 0 || CL_PRINT(setting->value, "%s", value) < 0)
        builder->result =
            plan_fail(builder->err, CL_KIND_INVALID, property, "\"%.80s\" is too long", value);
}

void plan_put_u64(struct plan_builder *builder, const char *property, const char *controller,
                  const char *file, uint64_t value)
{
    char text[32];
    (void)CL_PRINT(text, "%" PRIu64, value);
    plan_put(builder, property, controller, file, text);
}

void plan_put_limit(struct plan_builder *builder, const char *property, const char *controller,
                    const char *file, int64_t value)
{
    bool v2 = plan_is_v2(builder, controller);
    char text[32];
    (void)CL_PRINT(text, "%" PRId64, value < 0 ? (int64_t)-1 : value);
    plan_put(builder, property, controller, file, value < 0 && v2 ? "max" : text);
}

/* The last setting: NULL after a failure. */
static struct plan_setting *last(struct plan_builder *builder)
{
    return builder->result < 0 || builder->count == 0 ? NULL
                                                      : &builder->settings[builder->count - 1];
}

void plan_alternative(struct plan_builder *builder, const char *file, const char *value)
{
    struct plan_setting *setting = last(builder);
    if (setting == NULL)
        return;
    (void)CL_PRINT(setting->other_file, "%s", file); /* ours: fits */
    (void)CL_PRINT(setting->other_value, "%s", value);
}

void plan_optional(struct plan_builder *builder)
{
    struct plan_setting *setting = last(builder);
    if (setting != NULL)
        setting->is_optional = true;
}

/* ---- memory ---- */

static void memory_v1(struct plan_builder *builder, const struct oci_memory *memory)
{
    if (memory->use_hierarchy.set && memory->use_hierarchy.value)
        plan_put(builder, "linux.resources.memory.useHierarchy", "memory", "memory.use_hierarchy",
                 "1");
    if (memory->limit.set)
        plan_put_limit(builder, "linux.resources.memory.limit", "memory", "memory.limit_in_bytes",
                       memory->limit.value);
    if (memory->swap.set) /* after the limit: the kernel wants limit <= memsw at every moment */
        plan_put_limit(builder, "linux.resources.memory.swap", "memory",
                       "memory.memsw.limit_in_bytes", memory->swap.value);
    else if (builder->now != NULL && memory->limit.set && memory->limit.value < 0) {
        /* Memory can't be unlimited while memory and swap together are not. */
        plan_put_limit(builder, "linux.resources.memory.limit", "memory",
                       "memory.memsw.limit_in_bytes", -1);
        plan_optional(builder);
    }
    if (memory->reservation.set)
        plan_put_limit(builder, "linux.resources.memory.reservation", "memory",
                       "memory.soft_limit_in_bytes", memory->reservation.value);
    if (memory->kernel.set)
        plan_put_limit(builder, "linux.resources.memory.kernel", "memory",
                       "memory.kmem.limit_in_bytes", memory->kernel.value);
    if (memory->kernel_tcp.set)
        plan_put_limit(builder, "linux.resources.memory.kernelTCP", "memory",
                       "memory.kmem.tcp.limit_in_bytes", memory->kernel_tcp.value);
    if (memory->swappiness.set)
        plan_put_u64(builder, "linux.resources.memory.swappiness", "memory", "memory.swappiness",
                     memory->swappiness.value);
    if (memory->disable_oom_killer.set && memory->disable_oom_killer.value)
        plan_put(builder, "linux.resources.memory.disableOOMKiller", "memory", "memory.oom_control",
                 "1");
}

/* v1's swap counts memory and swap together, v2's swap alone. */
static void memory_swap_v2(struct plan_builder *builder, const struct oci_memory *memory)
{
    static const char *const property = "linux.resources.memory.swap";
    if (memory->swap.value < 0) {
        plan_put(builder, property, "memory", "memory.swap.max", "max");
        plan_optional(builder);
        return;
    }
    int64_t limit = memory->limit.set      ? memory->limit.value
                    : builder->now != NULL ? builder->now->memory_limit
                                           : -1;
    if (limit < 0 || memory->swap.value < limit) {
        plan_refuse(
            builder, property,
            "is memory and swap together, so cgroup v2 needs a memory limit no greater than it");
        return;
    }
    plan_put_limit(builder, property, "memory", "memory.swap.max", memory->swap.value - limit);
    /* A host without swap has no such file, and nothing to keep anybody from. */
    if (memory->swap.value == limit)
        plan_optional(builder);
}

static void memory_v2(struct plan_builder *builder, const struct oci_memory *memory)
{
    if (memory->limit.set)
        plan_put_limit(builder, "linux.resources.memory.limit", "memory", "memory.max",
                       memory->limit.value);
    if (memory->swap.set)
        memory_swap_v2(builder, memory);
    else if (builder->now != NULL && memory->limit.set && memory->limit.value < 0) {
        /* As on v1: a sum can't be limited of which one part is not. */
        plan_put(builder, "linux.resources.memory.limit", "memory", "memory.swap.max", "max");
        plan_optional(builder);
    }
    if (memory->reservation.set)
        plan_put_limit(builder, "linux.resources.memory.reservation", "memory", "memory.low",
                       memory->reservation.value);
    if (memory->kernel.set && memory->kernel.value >= 0) /* -1: no limit, which is how it is */
        plan_refuse(builder, "linux.resources.memory.kernel", "cgroup v2 has no such limit");
    if (memory->kernel_tcp.set && memory->kernel_tcp.value >= 0)
        plan_refuse(builder, "linux.resources.memory.kernelTCP", "cgroup v2 has no such limit");
    if (memory->swappiness.set)
        plan_refuse(builder, "linux.resources.memory.swappiness", "cgroup v2 has no such setting");
    if (memory->disable_oom_killer.set && memory->disable_oom_killer.value)
        plan_refuse(builder, "linux.resources.memory.disableOOMKiller",
                    "cgroup v2 can't switch the OOM killer off");
}

static void plan_memory(struct plan_builder *builder)
{
    (plan_is_v2(builder, "memory") ? memory_v2 : memory_v1)(builder, &builder->resources->memory);
}

/* ---- cpu ---- */

static void cpu_v1(struct plan_builder *builder, const struct oci_cpu *cpu)
{
    /* The kernel would take what is outside, and make it the nearest. */
    if (cpu->shares.set && (cpu->shares.value == 1 || cpu->shares.value > 262144))
        plan_refuse(builder, "linux.resources.cpu.shares", "cgroup v1 takes 2 to 262144");
    if (cpu->shares.set && cpu->shares.value > 0)
        plan_put_u64(builder, "linux.resources.cpu.shares", "cpu", "cpu.shares", cpu->shares.value);
    if (cpu->period.set && cpu->period.value > 0) /* before the quota, which is a part of it */
        plan_put_u64(builder, "linux.resources.cpu.period", "cpu", "cpu.cfs_period_us",
                     cpu->period.value);
    if (cpu->quota.set && cpu->quota.value != 0)
        plan_put_limit(builder, "linux.resources.cpu.quota", "cpu", "cpu.cfs_quota_us",
                       cpu->quota.value);
    if (cpu->burst.set)
        plan_put_u64(builder, "linux.resources.cpu.burst", "cpu", "cpu.cfs_burst_us",
                     cpu->burst.value);
    if (cpu->realtime_period.set && cpu->realtime_period.value > 0)
        plan_put_u64(builder, "linux.resources.cpu.realtimePeriod", "cpu", "cpu.rt_period_us",
                     cpu->realtime_period.value);
    if (cpu->realtime_runtime.set && cpu->realtime_runtime.value != 0)
        plan_put_limit(builder, "linux.resources.cpu.realtimeRuntime", "cpu", "cpu.rt_runtime_us",
                       cpu->realtime_runtime.value);
    if (cpu->idle.set)
        plan_put_limit(builder, "linux.resources.cpu.idle", "cpu", "cpu.idle", cpu->idle.value);
}

/* One file for both: what is not asked for stays as it is. */
static void cpu_max_v2(struct plan_builder *builder, const struct oci_cpu *cpu)
{
    const struct plan_limits_now *now = builder->now;
    bool has_quota = cpu->quota.set && cpu->quota.value != 0;
    bool has_period = cpu->period.set && cpu->period.value > 0;
    int64_t quota = has_quota ? cpu->quota.value : now != NULL ? now->cpu_quota : -1;
    uint64_t period = has_period                           ? cpu->period.value
                      : now != NULL && now->cpu_period > 0 ? now->cpu_period
                                                           : 100000;
    char number[32] = "max", text[64];
    if (!has_quota && !has_period)
        return;
    if (quota > 0)
        (void)CL_PRINT(number, "%" PRId64, quota);
    (void)CL_PRINT(text, "%s %" PRIu64, number, period);
    plan_put(builder, has_quota ? "linux.resources.cpu.quota" : "linux.resources.cpu.period", "cpu",
             "cpu.max", text);
}

static void cpu_v2(struct plan_builder *builder, const struct oci_cpu *cpu)
{
    if (cpu->idle.set)
        plan_put_limit(builder, "linux.resources.cpu.idle", "cpu", "cpu.idle", cpu->idle.value);
    /* An idle group has no weight: the kernel refuses to set one. */
    if (cpu->shares.set && cpu->shares.value > 0 && !(cpu->idle.set && cpu->idle.value == 1))
        plan_put_u64(builder, "linux.resources.cpu.shares", "cpu", "cpu.weight",
                     plan_cpu_weight(cpu->shares.value));
    cpu_max_v2(builder, cpu);
    if (cpu->burst.set)
        plan_put_u64(builder, "linux.resources.cpu.burst", "cpu", "cpu.max.burst",
                     cpu->burst.value);
    if (cpu->realtime_period.set && cpu->realtime_period.value > 0)
        plan_refuse(builder, "linux.resources.cpu.realtimePeriod", "cgroup v2 has no such setting");
    if (cpu->realtime_runtime.set && cpu->realtime_runtime.value != 0)
        plan_refuse(builder, "linux.resources.cpu.realtimeRuntime",
                    "cgroup v2 has no such setting");
}

static void plan_cpu(struct plan_builder *builder)
{
    const struct oci_cpu *cpu = &builder->resources->cpu;
    (plan_is_v2(builder, "cpu") ? cpu_v2 : cpu_v1)(builder, cpu);
    if (cpu->cpus != NULL && cpu->cpus[0] != '\0')
        plan_put(builder, "linux.resources.cpu.cpus", "cpuset", "cpuset.cpus", cpu->cpus);
    if (cpu->mems != NULL && cpu->mems[0] != '\0')
        plan_put(builder, "linux.resources.cpu.mems", "cpuset", "cpuset.mems", cpu->mems);
}

/* ---- pids ---- */

static void plan_pids(struct plan_builder *builder)
{
    const struct oci_opt_i64 *limit = &builder->resources->pids_limit;
    char text[32];
    if (!limit->set)
        return;
    /* The spec's 0 is a limit, too: nobody but init, who could not be born into a group for none. */
    (void)CL_PRINT(text, "%" PRId64, limit->value == 0 ? (int64_t)1 : limit->value);
    plan_put(builder, "linux.resources.pids.limit", "pids", "pids.max",
             limit->value < 0 ? "max" : text);
}

/* ---- unified ---- */

static void refuse_unified(struct plan_builder *builder, enum cl_kind kind, const char *file,
                           const char *text)
{
    char path[160];
    (void)CL_PRINT(path, "%s[\"%.100s\"]", PLAN_UNIFIED, file);
    if (builder->result >= 0)
        builder->result = plan_fail(builder->err, kind, path, "%s", text);
}

/* A file such as io.max takes one line a write. */
static void put_lines(struct plan_builder *builder, const char *controller, const char *file,
                      const char *text)
{
    char line[sizeof builder->settings->value];
    bool is_first = true;
    for (; *text != '\0' || is_first; is_first = false) {
        size_t length = strcspn(text, "\n");
        if (CL_PRINT(line, "%.*s", (int)length, text) < 0) {
            refuse_unified(builder, CL_KIND_INVALID, file, "has a line that is too long");
            return;
        }
        if (length > 0 || is_first) /* an empty line: what empties a list, such as cpuset.cpus */
            plan_put(builder, PLAN_UNIFIED, controller, file, length > 0 ? line : "\n");
        text += length + (text[length] == '\n');
    }
}

static void plan_unified(struct plan_builder *builder)
{
    const struct oci_map *map = &builder->resources->unified;
    for (size_t i = 0; i < map->count && builder->result >= 0; i++) {
        const char *file = map->pairs[i].key;
        size_t length = strcspn(file, ".");
        char controller[32] = "";
        if (strchr(file, '/') != NULL || file[length] == '\0' || length >= sizeof controller) {
            refuse_unified(builder, CL_KIND_INVALID, file, "is no cgroup file");
            return;
        }
        memcpy(controller, file, length);
        controller[length] = '\0';
        if (cl_streq(controller, "cgroup"))
            controller[0] = '\0';
        if (!plan_is_v2(builder, controller))
            refuse_unified(builder, CL_KIND_UNSUPPORTED, file,
                           "this host has no cgroup v2 with that controller");
        put_lines(builder, controller, file, map->pairs[i].value);
    }
}

/* ---- where ---- */

static int plan_path(struct runtime_plan *plan, struct cl_error *err)
{
    const char *path = plan->options->cgroup_path;
    plan->cgroup_must_be_new = path != NULL && plan->options->scope == NULL;
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

/* crun's annotation: limits stay on the group, and a group below it is the container's own to divide. */
static int plan_delegate(struct runtime_plan *plan, struct cl_error *err)
{
    static const char path[] = "annotations[\"run.oci.delegate-cgroup\"]";
    const char *name = oci_map_get(&plan->spec->annotations, "run.oci.delegate-cgroup");
    if (name == NULL || name[0] == '\0')
        return 0;
    if (name[0] == '.' || name[strcspn(name, "/\n")] != '\0')
        return plan_fail(err, CL_KIND_INVALID, path, "\"%.80s\" is no name of a control group",
                         name);
    if (plan->facts->cgroups.layout != CGROUP_V2 || plan->cgroup_path[0] == '\0')
        return plan_fail(err, CL_KIND_UNSUPPORTED, path,
                         "only cgroup v2 lets a container manage groups of its own");
    plan->delegate = name;
    return 0;
}

int plan_resources(const struct oci_resources *resources, const struct cgroup_host *host,
                   const struct plan_limits_now *now, struct plan_setting **ret, size_t *ret_count,
                   struct cl_error *err)
{
    static void (*const controllers[])(struct plan_builder *) = {
        plan_memory,  plan_cpu,     plan_pids, plan_block_io,
        plan_hugetlb, plan_network, plan_rdma, plan_unified, /* last: it may overrule the others */
    };
    struct plan_builder builder = { .resources = resources, .host = host, .now = now, .err = err };
    for (size_t i = 0; builder.result >= 0 && i < CL_COUNT(controllers); i++)
        controllers[i](&builder);
    if (builder.result < 0) {
        free(builder.settings);
        return builder.result;
    }
    *ret = builder.settings;
    *ret_count = builder.count;
    return 0;
}

int plan_cgroup(struct runtime_plan *plan, struct cl_error *err)
{
    const struct oci_resources *resources = &plan->spec->linux_.resources;
    const struct cgroup_host *host = &plan->facts->cgroups;
    int result = plan_path(plan, err);
    if (result < 0)
        return result;
    if (host->layout == CGROUP_NONE)
        plan->cgroup_path[0] =
            '\0'; /* limits are refused below; without limits there is nothing to make */
    result = plan_delegate(plan, err);
    if (result >= 0)
        result = plan_resources(resources, host, NULL, &plan->settings, &plan->setting_count, err);
    if (result < 0)
        return result;
    if (plan->setting_count > 0 && plan->cgroup_path[0] == '\0')
        return plan_fail(err, CL_KIND_UNSUPPORTED, plan->settings[0].property,
                         host->layout == CGROUP_NONE
                             ? "no cgroup hierarchy is mounted on this host"
                             : "limits need a cgroup: set linux.cgroupsPath");
    plan->use_device_rules = plan->cgroup_path[0] != '\0' && resources->device_count > 0;
    return 0;
}
