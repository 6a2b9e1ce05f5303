/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a plan that init and a process of exec share: capabilities as far as this machine can
 * grant them, and the system-call filter.
 *
 * A capability that can't be granted is left out with a warning, never an error: the runtime-spec
 * (config.md, "capabilities") says that runtimes SHOULD NOT fail then. Sets that contradict each
 * other are errors, since no machine could honour them.
 */
#include "runtime/plan.h"

/* The first process of a user namespace has every capability there is, though none over the host. */
static uint64_t grantable(const struct plan_process *process, const struct runtime_facts *facts)
{
    uint64_t known = facts->last_capability >= 63
                         ? UINT64_MAX
                         : (UINT64_C(1) << (facts->last_capability + 1)) - 1;
    return process->has_user_ns ? known : facts->bounding;
}

static void warn_missing(uint64_t missing, const struct runtime_facts *facts, const char *set,
                         char ***warnings)
{
    for (unsigned i = 0; missing != 0 && i < 64; i++) {
        if ((missing & UINT64_C(1) << i) == 0)
            continue;
        const char *name = oci_cap_name((int)i);
        (void)plan_warn(warnings, /* a warning lost for want of memory harms nobody */
                        "process.capabilities.%s: %s can't be granted: %s", set,
                        name != NULL ? name : "an unknown capability",
                        i > facts->last_capability ? "this kernel does not know it"
                                                   : "we do not have it ourselves");
    }
}

static void warn_unknown(const struct oci_cap_set *set, const char *name, char ***warnings)
{
    for (char **word = set->unknown; word != NULL && *word != NULL; word++)
        (void)plan_warn(warnings, "process.capabilities.%s: unknown capability \"%.40s\"", name,
                        *word); /* as above */
}

static int fill_capabilities(struct plan_process *process, const struct oci_capabilities *sets,
                             const struct runtime_facts *facts, char ***warnings,
                             struct cl_error *err)
{
    const struct {
        const char *name;
        const struct oci_cap_set *set;
        uint64_t *ret;
    } table[] = {
        { "bounding", &sets->bounding, &process->bounding },
        { "effective", &sets->effective, &process->effective },
        { "permitted", &sets->permitted, &process->permitted },
        { "inheritable", &sets->inheritable, &process->inheritable },
        { "ambient", &sets->ambient, &process->ambient },
    };
    uint64_t granted = grantable(process, facts);
    for (size_t i = 0; i < CL_COUNT(table); i++) {
        /* One warning per capability is enough: those of the later sets that bounding has named
           already are not said again. */
        uint64_t said = i > 0 ? sets->bounding.mask : 0;
        warn_missing(table[i].set->mask & ~said & ~granted, facts, table[i].name, warnings);
        *table[i].ret = table[i].set->mask & granted;
        warn_unknown(table[i].set, table[i].name, warnings);
    }
    if ((sets->effective.mask & ~sets->permitted.mask) != 0)
        return plan_fail(err, CL_KIND_INVALID, "process.capabilities.effective",
                         "holds what process.capabilities.permitted lacks");
    /* The kernel raises only what is both. Buildah lists more in each of its specs since the inheritable set has to be empty
       (CVE-2022-29162), so there is no use in a warning each time. */
    uint64_t vain = sets->ambient.mask & ~(sets->permitted.mask & sets->inheritable.mask);
    if (vain != 0)
        cl_debug("plan", "process.capabilities.ambient: what is not both permitted and inheritable "
                         "has no effect");
    process->ambient &= ~vain;
    return 0;
}

int plan_process_init(struct plan_process *process, const struct oci_process *spec,
                      const struct runtime_facts *facts, char ***warnings, struct cl_error *err)
{
    if (spec == NULL || spec->args == NULL || spec->args[0] == NULL)
        return plan_fail(err, CL_KIND_INVALID, spec == NULL ? "process" : "process.args",
                         "there is no command to run");
    process->spec = spec;
    process->last_capability = facts->last_capability;
    if (spec->scheduler != NULL && spec->scheduler->policy == OCI_SCHED_ISO)
        return plan_fail(err, CL_KIND_UNSUPPORTED, "process.scheduler.policy",
                         "no kernel has SCHED_ISO");
    if (spec->apparmor_profile != NULL && spec->apparmor_profile[0] != '\0' &&
        spec->selinux_label != NULL && spec->selinux_label[0] != '\0')
        return plan_fail(err, CL_KIND_UNSUPPORTED, "process.selinuxLabel",
                         "not together with process.apparmorProfile: a process has one label");
    /* Not given: none at all, as runc and crun read it. */
    return spec->capabilities == NULL
               ? 0
               : fill_capabilities(process, spec->capabilities, facts, warnings, err);
}

int plan_seccomp(struct plan_process *process, bool use_default, const struct oci_seccomp *policy,
                 struct cl_error *err)
{
    if (use_default)
        return seccomp_default(process->bounding, &process->filter, err);
    if (policy == NULL)
        return 0;
    int result = seccomp_compile(policy, &process->filter, err);
    if (result >= 0)
        result = plan_check_filter(process, err);
    if (result < 0 || !process->filter.has_notify)
        return result; /* without SCMP_ACT_NOTIFY a listenerPath is ignored (config-linux.md) */
    if (process->listener_path == NULL || process->listener_path[0] == '\0')
        return plan_fail(err, CL_KIND_INVALID, "linux.seccomp.listenerPath",
                         "SCMP_ACT_NOTIFY needs it");
    process->notify = policy;
    return 0;
}

void plan_process_done(struct plan_process *process)
{
    seccomp_filter_done(&process->filter);
}
