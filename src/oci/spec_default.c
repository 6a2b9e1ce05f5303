/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloche's default isolation as a spec: seven private namespaces, the standard mounts, masked and read-only paths (the union of what Docker,
 * Podman and containerd hide), 11 capabilities, devices denied but the runtime-spec's default ones. Who can, tightens; who must, opens one
 * thing at a time.
 */
#include "oci/spec_private.h"

#include "oci/names.h"

#include <errno.h>

static const enum oci_namespace_type default_namespaces[] = {
    OCI_NS_PID, OCI_NS_NETWORK, OCI_NS_MOUNT, OCI_NS_IPC, OCI_NS_UTS, OCI_NS_CGROUP, OCI_NS_TIME,
};

struct default_mount {
    char destination[16];
    char type[8];
    char source[8];
    char options[7][16]; /* ended by an empty one */
};
static const struct default_mount default_mounts[] = {
    { "/proc", "proc", "proc", { "nosuid", "noexec", "nodev" } },
    { "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
    { "/dev/pts",
      "devpts",
      "devpts",
      { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
    { "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
    { "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
    { "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
    { "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
};

/* What tells about the host, lets one act on it, or has been an attack before. The thermal_throttle directories of the CPUs are many; the
   runtime adds them from the host's /sys. */
static const char *const masked_paths[] = {
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
    NULL,
};
static const char *const readonly_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

/* Device cgroup: nothing, then mknod of anything (the node alone opens nothing), then the default devices and terminals. */
#define RULE(allow_, type_, major_, minor_, access_)                                               \
    {                                                                                              \
        .allow = (allow_), .type = OCI_DEVICE_##type_, .major = { (major_) >= 0, (major_) },       \
        .minor = { (minor_) >= 0, (minor_) }, .access = (access_)                                  \
    }
static const struct {
    bool allow;
    enum oci_device_type type;
    struct oci_opt_i64 major;
    struct oci_opt_i64 minor;
    char access[4];
} device_rules[] = {
    RULE(false, ALL, -1, -1, "rwm"),
    RULE(true, CHAR, -1, -1, "m"),
    RULE(true, BLOCK, -1, -1, "m"),
    RULE(true, CHAR, 1, 3, "rwm"),    /* null */
    RULE(true, CHAR, 1, 5, "rwm"),    /* zero */
    RULE(true, CHAR, 1, 7, "rwm"),    /* full */
    RULE(true, CHAR, 1, 8, "rwm"),    /* random */
    RULE(true, CHAR, 1, 9, "rwm"),    /* urandom */
    RULE(true, CHAR, 5, 0, "rwm"),    /* tty */
    RULE(true, CHAR, 5, 2, "rwm"),    /* ptmx */
    RULE(true, CHAR, 136, -1, "rwm"), /* pts */
    /* net/tun: not in a default of ours, and no specification asks for it. runc and crun allow it in every list of rules, gave that up, and had to take it up
       again: some engines have no words to ask for it (runc 1.2.4, crun 1.20). */
    RULE(true, CHAR, 10, 200, "rwm"),
};
#define OWN_RULES (CL_COUNT(device_rules) - 1)

static int add_device_rule(struct oci_spec *spec, size_t index)
{
    struct oci_device_rule rule = {
        .allow = device_rules[index].allow,
        .type = device_rules[index].type,
        .major = device_rules[index].major,
        .minor = device_rules[index].minor,
        .access = (char *)(uintptr_t)device_rules[index].access, /* copied */
    };
    return oci_device_rule_add(spec, &rule);
}

static bool is_same_number(const struct oci_opt_i64 *a, const struct oci_opt_i64 *b)
{
    return a->set == b->set && (!a->set || a->value == b->value);
}

/* Allowed already, and not denied again by a later rule. */
static bool is_allowed(const struct oci_resources *resources, size_t index)
{
    for (size_t i = resources->device_count; i-- > 0 && resources->devices[i].allow;) {
        const struct oci_device_rule *rule = &resources->devices[i];
        if (rule->type == device_rules[index].type &&
            is_same_number(&rule->major, &device_rules[index].major) &&
            is_same_number(&rule->minor, &device_rules[index].minor) &&
            cl_streq(rule->access, device_rules[index].access))
            return true;
    }
    return false;
}

int oci_default_devices_allow(struct oci_spec *spec)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < CL_COUNT(device_rules); i++)
        if (device_rules[i].allow && !is_allowed(&spec->linux_.resources, i))
            r = add_device_rule(spec, i);
    return r;
}

static int add_device_rules(struct oci_spec *spec)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < OWN_RULES; i++)
        r = add_device_rule(spec, i);
    return r;
}

static int fill_isolation(struct oci_spec *spec)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < CL_COUNT(default_namespaces); i++)
        r = oci_namespace_add(spec, default_namespaces[i], NULL);
    for (size_t i = 0; r == 0 && i < CL_COUNT(default_mounts); i++) {
        const struct default_mount *mount = &default_mounts[i];
        const char *options[CL_COUNT(mount->options)] = { NULL };
        for (size_t j = 0; mount->options[j][0] != '\0'; j++)
            options[j] = mount->options[j];
        r = oci_mount_add_strv(spec, mount->destination, mount->type, mount->source, options);
    }
    if (r == 0)
        r = cl_strv_copy(&spec->linux_.masked_paths, masked_paths);
    if (r == 0)
        r = cl_strv_copy(&spec->linux_.readonly_paths, readonly_paths);
    return r < 0 ? r : add_device_rules(spec);
}

static int fill_process(struct oci_process *process)
{
    static const char *const args[] = { "sh", NULL };
    int r = oci_args_set(process, args);
    if (r == 0)
        r = oci_env_set(process,
                        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    return r < 0 ? r : oci_capabilities_set(process, oci_cap_default);
}

struct oci_spec *oci_spec_new_default(void)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = oci_spec_new();
    if (spec == NULL)
        return NULL;
    int r = oci_string_set(&spec->root.path, "rootfs");
    if (r == 0)
        r = fill_process(spec->process);
    if (r == 0)
        r = fill_isolation(spec);
    return r < 0 ? NULL : cl_take(spec);
}
