/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources.devices[]: which device nodes may be opened and made.
 *
 * v1 has two files that are written in the order of the rules. v2 has no files: a BPF program of
 * type CGROUP_DEVICE is attached to the group (4.15), which device_filter.c makes of the rules.
 * To change it, the program is replaced by another in one step.
 */
#include "runtime/device_filter.h"
#include "runtime/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(DEVICE_ALL_ACCESS ==
                   (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE),
               "all of them");

unsigned device_access(const char *access)
{
    unsigned bits = 0;
    if (access == NULL || access[0] == '\0')
        return DEVICE_ALL_ACCESS;
    for (; *access != '\0'; access++)
        bits |= *access == 'r'   ? BPF_DEVCG_ACC_READ
                : *access == 'w' ? BPF_DEVCG_ACC_WRITE
                : *access == 'm' ? BPF_DEVCG_ACC_MKNOD
                                 : 0;
    return bits;
}

bool device_is_any(const struct oci_opt_i64 *number)
{
    return !number->set || number->value < 0;
}

/* "Everything" in one word: the kernel's "a". */
static bool is_all(const struct oci_device_rule *rule)
{
    return rule->type == OCI_DEVICE_ALL && device_is_any(&rule->major) &&
           device_is_any(&rule->minor) && device_access(rule->access) == DEVICE_ALL_ACCESS;
}

/* ---- v1 ---- */

static void format_number(const struct oci_opt_i64 *number, char text[static 24])
{
    if (device_is_any(number))
        (void)cl_print(text, 24, "*");
    else
        (void)cl_print(text, 24, "%lld", (long long)number->value);
}

static int write_rule(int fd, char type, const struct oci_device_rule *rule)
{
    char major[24], minor[24], text[64];
    format_number(&rule->major, major);
    format_number(&rule->minor, minor);
    unsigned bits = device_access(rule->access);
    (void)CL_PRINT(text, "%c %s:%s %s%s%s", type, major, minor,
                   bits & BPF_DEVCG_ACC_READ ? "r" : "", bits & BPF_DEVCG_ACC_WRITE ? "w" : "",
                   bits & BPF_DEVCG_ACC_MKNOD ? "m" : "");
    return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* The kernel reads "a" as everything, whatever numbers follow; a rule of both types but with
   numbers is therefore two. */
static int write_rule_v1(int fd, const struct oci_device_rule *rule)
{
    if (is_all(rule))
        return write(fd, "a", 1) < 0 ? -errno : 0;
    if (rule->type != OCI_DEVICE_ALL)
        return write_rule(fd, rule->type == OCI_DEVICE_BLOCK ? 'b' : 'c', rule);
    int result = write_rule(fd, 'b', rule);
    return result < 0 ? result : write_rule(fd, 'c', rule);
}

static int apply_v1(int dir, const struct oci_device_rule *rules, size_t count,
                    struct cl_error *err)
{
    cl_auto_fd allow = openat(dir, "devices.allow", O_WRONLY | O_CLOEXEC);
    cl_auto_fd deny = openat(dir, "devices.deny", O_WRONLY | O_CLOEXEC);
    if (allow < 0 || deny < 0)
        return cl_fail(err, errno, "open devices.allow and devices.deny");
    for (size_t i = 0; i < count; i++) {
        int result = write_rule_v1(rules[i].allow ? allow : deny, &rules[i]);
        if (result < 0)
            return cl_fail(err, result, "linux.resources.devices[%zu]: write it to devices.%s", i,
                           rules[i].allow ? "allow" : "deny");
    }
    return 0;
}

/* devices.list as it reads: the exceptions from "deny all", or "a *:* rwm". */
static void restore_v1(int dir, char *list)
{
    bool is_all = list[0] == 'a';
    (void)cl_write_small(dir, is_all ? "devices.allow" : "devices.deny", "a");
    for (char *line = list, *next; !is_all && line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        (void)cl_write_small(dir, "devices.allow", line); /* what held a moment ago */
    }
}

/* Between two writes more, or less, is allowed than before and after: nobody in the group runs
   meanwhile. */
static int replace_v1(const struct cgroup *group, int dir, const struct oci_device_rule *rules,
                      size_t count, struct cl_error *err)
{
    char state[32];
    cl_auto_free char *list = NULL;
    bool is_frozen = cgroup_read(group, "freezer", "freezer.state", state, sizeof state) > 0 &&
                     !cl_streq(state, "THAWED");
    int result = cl_read_file(dir, "devices.list", 1 << 20, &list, NULL, err);
    if (result >= 0 && !is_frozen)
        result = cgroup_freeze(group, true, 10000, err);
    if (result < 0)
        return cl_error_prefix(err, "linux.resources.devices");
    /* Where more is allowed above than here, "a" can be allowed; else the rules start from none. */
    result = cl_write_small(dir, "devices.allow", "a");
    if (result < 0)
        result = cl_write_small(dir, "devices.deny", "a");
    result = result < 0 ? cl_fail(err, result, "linux.resources.devices: start over")
                        : apply_v1(dir, rules, count, err);
    if (result < 0)
        restore_v1(dir, list);
    if (!is_frozen && cgroup_freeze(group, false, 10000, result < 0 ? NULL : err) < 0 &&
        result >= 0)
        result = -EBUSY;
    return result;
}

/* ---- v2 ---- */

static int bpf(int command, union bpf_attr *attributes)
{
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : (int)result;
}

#define PROGRAM_NAME "cloche_devices" /* how ours is told from the host's own */

static int load_program(const struct oci_device_rule *rules, size_t count, struct cl_error *err)
{
    cl_auto_free struct device_instruction *code = NULL;
    size_t size = 0;
    int result = device_filter_compile(rules, count, &code, &size);
    if (result < 0)
        return cl_fail(err, result, "compile device rules");
    union bpf_attr load;
    memset(&load, 0, sizeof load); /* the kernel wants the padding zero, too */
    load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    load.insn_cnt = (uint32_t)size;
    load.insns = (uint64_t)(uintptr_t)code;
    load.license = (uint64_t)(uintptr_t) "Apache-2.0";
    memcpy(load.prog_name, PROGRAM_NAME, sizeof PROGRAM_NAME);
    result = bpf(BPF_PROG_LOAD, &load);
    return result < 0 ? cl_fail(err, result, "linux.resources.devices: load the device filter")
                      : result;
}

/* `old` negative: beside what is attached, else in its place, at once (5.6). */
static int attach_program(int dir, int program, int old, struct cl_error *err)
{
    union bpf_attr attach;
    memset(&attach, 0, sizeof attach);
    attach.target_fd = (uint32_t)dir;
    attach.attach_bpf_fd = (uint32_t)program;
    attach.attach_type = BPF_CGROUP_DEVICE;
    attach.attach_flags = BPF_F_ALLOW_MULTI; /* beside the host's own, which still may deny */
    if (old >= 0) {
        attach.attach_flags |= BPF_F_REPLACE;
        attach.replace_bpf_fd = (uint32_t)old;
    }
    int result = bpf(BPF_PROG_ATTACH, &attach);
    return result < 0 ? cl_fail(err, result, "linux.resources.devices: attach the device filter")
                      : 0;
}

static int apply_v2(int dir, const struct oci_device_rule *rules, size_t count,
                    struct cl_error *err)
{
    cl_auto_fd program = load_program(rules, count, err);
    return program < 0 ? program : attach_program(dir, program, -EBADF, err);
}

static bool is_ours(int program)
{
    struct bpf_prog_info about;
    union bpf_attr query;
    memset(&about, 0, sizeof about);
    memset(&query, 0, sizeof query);
    query.info.bpf_fd = (uint32_t)program;
    query.info.info_len = sizeof about;
    query.info.info = (uint64_t)(uintptr_t)&about;
    return bpf(BPF_OBJ_GET_INFO_BY_FD, &query) >= 0 &&
           strncmp(about.name, PROGRAM_NAME, sizeof about.name) == 0;
}

/* The filter that we attached to this group: a descriptor, or -ENOENT. */
static int find_program(int dir)
{
    uint32_t ids[64] = { 0 };
    union bpf_attr query;
    memset(&query, 0, sizeof query);
    query.query.target_fd = (uint32_t)dir;
    query.query.attach_type = BPF_CGROUP_DEVICE;
    query.query.prog_ids = (uint64_t)(uintptr_t)ids;
    query.query.prog_cnt = CL_COUNT(ids);
    int result = bpf(BPF_PROG_QUERY, &query);
    for (uint32_t i = 0; result >= 0 && i < query.query.prog_cnt; i++) {
        union bpf_attr open;
        memset(&open, 0, sizeof open);
        open.prog_id = ids[i];
        cl_auto_fd program = bpf(BPF_PROG_GET_FD_BY_ID, &open);
        if (program >= 0 && is_ours(program))
            return cl_take_fd(&program);
    }
    return result < 0 ? result : -ENOENT;
}

static int replace_v2(int dir, const struct oci_device_rule *rules, size_t count,
                      struct cl_error *err)
{
    cl_auto_fd program = load_program(rules, count, err);
    if (program < 0)
        return program;
    cl_auto_fd old = find_program(dir);
    if (old < 0 && old != -ENOENT)
        return cl_fail(err, old, "linux.resources.devices: look at the group's device filters");
    return attach_program(dir, program, old, err);
}

/* ---- either ---- */

static int find_v1(const struct cgroup *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (!group->at[i].hierarchy->is_v2 &&
            cl_streq(group->at[i].hierarchy->controllers, "devices"))
            return group->at[i].fd;
    return -ENOENT;
}

static int find_group(const struct cgroup *group, bool *ret_v2, struct cl_error *err)
{
    int fd = find_v1(group);
    *ret_v2 = fd < 0;
    if (fd < 0)
        fd = cgroup_v2_fd(group);
    return fd >= 0 ? fd
                   : cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                                  "linux.resources.devices: this host has neither the devices "
                                  "controller nor cgroup v2");
}

int devices_apply(const struct cgroup *group, const struct oci_device_rule *rules, size_t count,
                  struct cl_error *err)
{
    bool is_v2 = false;
    int fd = find_group(group, &is_v2, err);
    return fd < 0 ? fd : (is_v2 ? apply_v2 : apply_v1)(fd, rules, count, err);
}

int devices_replace(const struct cgroup *group, const struct oci_device_rule *rules, size_t count,
                    struct cl_error *err)
{
    bool is_v2 = false;
    int fd = find_group(group, &is_v2, err);
    if (fd < 0)
        return fd;
    return is_v2 ? replace_v2(fd, rules, count, err) : replace_v1(group, fd, rules, count, err);
}
