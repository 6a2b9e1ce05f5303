/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New limits for a group that is in use: what is asked for, all of it or nothing.
 */
#include "runtime/parent.h"

#include <errno.h>

/* "max" and what v1 calls no limit (all of the address space) are -1. */
static int64_t read_number(const struct cgroup *group, const char *controller, const char *file)
{
    char text[64];
    uint64_t number = 0;
    ssize_t length = cgroup_read(group, controller, file, text, sizeof text);
    if (length < 0 || cl_parse_u64(text, 0, INT64_MAX >> 1, &number) < 0)
        return -1;
    return (int64_t)number;
}

static void read_cpu_max(const struct cgroup *group, struct plan_limits_now *now)
{
    char text[64];
    if (cgroup_read(group, "cpu", "cpu.max", text, sizeof text) < 0)
        return;
    char *period = strchr(text, ' ');
    if (period == NULL)
        return;
    *period++ = '\0';
    (void)cl_parse_u64(period, 1, UINT64_MAX, &now->cpu_period); /* stays 0: unknown */
    (void)cl_parse_i64(text, 1, INT64_MAX, &now->cpu_quota);     /* "max" stays -1 */
}

/* The kernel of v2 takes a limit below what is used, and then kills. */
static int check_usage(const struct cgroup *group, const struct oci_memory *memory,
                       struct cl_error *err)
{
    if (!memory->check_before_update.set || !memory->check_before_update.value ||
        !memory->limit.set || memory->limit.value < 0)
        return 0;
    int64_t used = read_number(group, "memory", "memory.current");
    if (used < 0) /* v1: the kernel refuses by itself */
        used = read_number(group, "memory", "memory.usage_in_bytes");
    if (used <= memory->limit.value)
        return 0;
    return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                        "linux.resources.memory.limit: %lld bytes are in use, and "
                        "memory.checkBeforeUpdate asks for a limit above that",
                        (long long)used);
}

static int plan_change(struct cgroup_host *host, const struct cgroup *group,
                       const struct oci_resources *resources, struct plan_setting **ret,
                       size_t *ret_count, struct cl_error *err)
{
    struct plan_limits_now now = { .memory_limit = -1, .cpu_quota = -1 };
    if (resources->memory.swap.set && !resources->memory.limit.set)
        now.memory_limit = read_number(group, "memory", "memory.max");
    if (resources->cpu.quota.set || resources->cpu.period.set)
        read_cpu_max(group, &now);
    return plan_resources(resources, host, &now, ret, ret_count, err);
}

/* systemd writes its own idea of the files (whole percents of a CPU): ours once more, after it. */
static int tell_systemd(const struct cgroup *group, const struct runtime_scope *scope,
                        const struct plan_setting *settings, size_t count,
                        const struct oci_resources *resources, struct cl_error *err)
{
    int result = scope_set(scope, settings, count, resources, err);
    return result < 0 ? result : settings_apply(group, settings, count, err);
}

static int change(struct cgroup_host *host, const struct cgroup *group,
                  const struct runtime_scope *scope, const struct oci_resources *resources,
                  struct cl_error *err)
{
    cl_auto_free struct plan_setting *settings = NULL;
    struct settings_change done = { 0 };
    size_t count = 0;
    int result = plan_change(host, group, resources, &settings, &count, err);
    if (result >= 0)
        result = check_usage(group, &resources->memory, err);
    if (result >= 0)
        result = settings_change(group, settings, count, &done, err);
    if (result >= 0 && resources->device_count > 0) {
        result = devices_replace(group, resources->devices, resources->device_count, err);
        if (result < 0)
            settings_restore(group, &done);
    }
    if (result >= 0 && scope != NULL) {
        result = tell_systemd(group, scope, settings, count, resources, err);
        if (result < 0)
            settings_restore(group, &done);
    }
    settings_change_done(&done);
    return result;
}

int runtime_update(const char *cgroup_path, const struct runtime_scope *scope,
                   const struct oci_resources *resources, struct cl_error *err)
{
    struct cgroup_host host = { 0 };
    struct cgroup group = { 0 };
    int result = oci_resources_validate(resources, err);
    cl_auto_fd proc = result < 0 ? -EBADF : procfs_open_host(err);
    if (result >= 0)
        result = proc;
    if (result >= 0)
        result = cgroup_host_init(&host, proc, err);
    if (result < 0)
        return result;
    result = cgroup_open(&host, cgroup_path + strspn(cgroup_path, "/"), &group, err);
    if (result >= 0)
        result = change(&host, &group, scope, resources, err);
    cgroup_done(&group);
    cgroup_host_done(&host);
    return result;
}
