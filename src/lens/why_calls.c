/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions about system calls and capabilities, and about commands that people know by other names than their system calls.
 *
 * Which capability a call asks for is the kernel's code, put down here as a table (capabilities(7)). `is_host`: it has to be held in the initial user
 * namespace, so no capability of a user namespace helps. What a call asks for only with some arguments says so in `when`.
 */
#include <errno.h>
#include <linux/capability.h>

#include "lens/why.h"
#include "oci/names.h"

static const struct call_rule {
    const char *call;
    int capability;
    bool is_host;
    const char *when; /* NULL: always */
} rules[] = {
    { "acct", CAP_SYS_PACCT, true, NULL },
    { "adjtimex", CAP_SYS_TIME, true, "to change the clock" },
    { "bind", CAP_NET_BIND_SERVICE, false,
      "for ports below net.ipv4.ip_unprivileged_port_start (--sysctl)" },
    { "bpf", CAP_BPF, true, NULL },
    { "chown", CAP_CHOWN, false, "to give a file to another owner" },
    { "chroot", CAP_SYS_CHROOT, false, NULL },
    { "clock_settime", CAP_SYS_TIME, true, NULL },
    { "clock_adjtime", CAP_SYS_TIME, true, "to change the clock" },
    { "delete_module", CAP_SYS_MODULE, true, NULL },
    { "fanotify_init", CAP_SYS_ADMIN, true, "for permission events and whole mounts" },
    { "fchownat", CAP_CHOWN, false, "to give a file to another owner" },
    { "finit_module", CAP_SYS_MODULE, true, NULL },
    { "fsconfig", CAP_SYS_ADMIN, false, NULL },
    { "fsmount", CAP_SYS_ADMIN, false, NULL },
    { "fsopen", CAP_SYS_ADMIN, false, NULL },
    { "init_module", CAP_SYS_MODULE, true, NULL },
    { "ioperm", CAP_SYS_RAWIO, true, NULL },
    { "iopl", CAP_SYS_RAWIO, true, NULL },
    { "kexec_load", CAP_SYS_BOOT, true, NULL },
    { "kill", CAP_KILL, false, "for processes of other users" },
    { "mknod", CAP_MKNOD, true, "for devices" },
    { "mknodat", CAP_MKNOD, true, "for devices" },
    { "mlock", CAP_IPC_LOCK, true, "beyond --ulimit memlock" },
    { "mount", CAP_SYS_ADMIN, false, NULL },
    { "mount_setattr", CAP_SYS_ADMIN, false, NULL },
    { "move_mount", CAP_SYS_ADMIN, false, NULL },
    { "open_by_handle_at", CAP_DAC_READ_SEARCH, true, NULL },
    { "open_tree", CAP_SYS_ADMIN, false, "to clone a mount" },
    { "perf_event_open", CAP_PERFMON, true, "beyond kernel.perf_event_paranoid" },
    { "pivot_root", CAP_SYS_ADMIN, false, NULL },
    { "ptrace", CAP_SYS_PTRACE, false, "for processes of other users, or with more rights" },
    { "quotactl", CAP_SYS_ADMIN, true, NULL },
    { "reboot", CAP_SYS_BOOT, false, NULL },
    { "sched_setscheduler", CAP_SYS_NICE, true, "for real-time policies" },
    { "setdomainname", CAP_SYS_ADMIN, false, NULL },
    { "setgid", CAP_SETGID, false, "for other ids than its own" },
    { "setgroups", CAP_SETGID, false, NULL },
    { "sethostname", CAP_SYS_ADMIN, false, NULL },
    { "setns", CAP_SYS_ADMIN, false, NULL },
    { "setpriority", CAP_SYS_NICE, true, "for a higher priority than --ulimit nice gives" },
    { "settimeofday", CAP_SYS_TIME, true, NULL },
    { "setuid", CAP_SETUID, false, "for other ids than its own" },
    { "swapoff", CAP_SYS_ADMIN, true, NULL },
    { "swapon", CAP_SYS_ADMIN, true, NULL },
    { "syslog", CAP_SYSLOG, true, "with kernel.dmesg_restrict" },
    { "umount2", CAP_SYS_ADMIN, false, NULL },
    { "unshare", CAP_SYS_ADMIN, false, "for all namespaces but user" },
    { "vhangup", CAP_SYS_TTY_CONFIG, false, NULL },
};

/* What a command is about: a system call (with arguments), a capability, or a file. `option`: only when it is among the arguments. */
static const struct command_rule {
    const char *command, *option;
    const char *call, *capability, *path, *access;
} commands[] = {
    { "mount", NULL, "mount", NULL, NULL, NULL },
    { "umount", NULL, "umount2", NULL, NULL, NULL },
    { "insmod", NULL, "finit_module", NULL, NULL, NULL },
    { "modprobe", NULL, "finit_module", NULL, NULL, NULL },
    { "rmmod", NULL, "delete_module", NULL, NULL, NULL },
    { "reboot", NULL, "reboot", NULL, NULL, NULL },
    { "halt", NULL, "reboot", NULL, NULL, NULL },
    { "poweroff", NULL, "reboot", NULL, NULL, NULL },
    { "date", "-s", "clock_settime", NULL, NULL, NULL },
    { "hwclock", NULL, "settimeofday", NULL, NULL, NULL },
    { "adjtimex", NULL, "adjtimex", NULL, NULL, NULL },
    { "ping", NULL, "socket:2,3,1", "NET_RAW", NULL, NULL },
    { "traceroute", NULL, "socket:2,3,1", "NET_RAW", NULL, NULL },
    { "tcpdump", NULL, "socket:17,3,0", "NET_RAW", NULL, NULL },
    { "ip", NULL, NULL, "NET_ADMIN", NULL, NULL },
    { "ifconfig", NULL, NULL, "NET_ADMIN", NULL, NULL },
    { "route", NULL, NULL, "NET_ADMIN", NULL, NULL },
    { "tc", NULL, NULL, "NET_ADMIN", NULL, NULL },
    { "iptables", NULL, NULL, "NET_ADMIN", NULL, NULL },
    { "nft", NULL, NULL, "NET_ADMIN", NULL, NULL },
    { "keyctl", NULL, "keyctl", NULL, NULL, NULL },
    { "bpftool", NULL, "bpf", NULL, NULL, NULL },
    { "perf", NULL, "perf_event_open", NULL, NULL, NULL },
    { "unshare", NULL, "unshare:0x10000000", NULL, NULL, NULL },
    { "nsenter", NULL, "setns", NULL, NULL, NULL },
    { "strace", NULL, "ptrace", NULL, NULL, NULL },
    { "gdb", NULL, "ptrace", NULL, NULL, NULL },
    { "chroot", NULL, "chroot", NULL, NULL, NULL },
    { "hostname", "", "sethostname", NULL, NULL, NULL },
    { "swapon", NULL, "swapon", NULL, NULL, NULL },
    { "swapoff", NULL, "swapoff", NULL, NULL, NULL },
    { "dmesg", NULL, "syslog", NULL, NULL, NULL },
    { "kexec", NULL, "kexec_load", NULL, NULL, NULL },
    { "mknod", NULL, "mknodat", NULL, NULL, NULL },
    { "chown", NULL, "chown", NULL, NULL, NULL },
    { "renice", NULL, "setpriority", NULL, NULL, NULL },
    { "losetup", NULL, NULL, NULL, "/dev/loop-control", "rw" },
    { "sysctl", "-w", NULL, NULL, "/proc/sys/kernel/hostname", "w" },
};

char *why_cap_flag(int capability)
{
    const char *name = oci_cap_name(capability);
    return name == NULL ? cl_format("--cap-add %d", capability)
                        : cl_format("--cap-add %s", name + strlen("CAP_"));
}

static bool has_cap(const struct why *why, int capability)
{
    return (why->status.cap_effective & UINT64_C(1) << capability) != 0;
}

/* Why the process lacks it, and the way to it. */
static int add_missing_cap(struct why *why, const char *what, int capability, const char *when)
{
    struct why_finding finding = { .answer = when == NULL ? WHY_REFUSED : WHY_DEPENDS,
                                   .layer = "capability",
                                   .what = cl_strdup(what) };
    bool is_in_reach = (why->status.cap_bounding & UINT64_C(1) << capability) != 0;
    finding.because =
        cl_format("it asks for %s%s%s, which the process does not hold%s", oci_cap_name(capability),
                  when == NULL ? "" : " ", when == NULL ? "" : when,
                  is_in_reach ? ", though its bounding set has it" : "");
    finding.allow = is_in_reach ? cl_strdup("--user 0 (a user other than root starts without)")
                                : why_cap_flag(capability);
    return why_add(why, &finding);
}

static int add_foreign_ns(struct why *why, const char *what, int capability)
{
    return why_add(
        why, &(struct why_finding){
                 .answer = WHY_REFUSED,
                 .layer = "user namespace",
                 .what = cl_strdup(what),
                 .because = cl_format("it asks for %s in the host's user namespace; the process "
                                      "holds capabilities in its own alone",
                                      oci_cap_name(capability)),
                 .allow = cl_strdup("run it without a user namespace of its own") });
}

static const struct call_rule *rule_of(const char *call)
{
    for (size_t i = 0; i < CL_COUNT(rules); i++)
        if (strcmp(rules[i].call, call) == 0)
            return &rules[i];
    return NULL;
}

/* ---- system calls ---- */

/* "NAME[:ARG[,ARG…]]" */
static int parse_call(const char *text, char name[static 64], struct lens_why_call *ret,
                      struct cl_error *err)
{
    size_t length = strcspn(text, ":");
    const char *at = text + length;
    *ret = (struct lens_why_call){ .name = name };
    if (length == 0 || cl_print(name, 64, "%.*s", (int)length, text) < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--syscall %s: no such system call", text);
    while (*at != '\0') {
        char number[32], *end;
        at++;
        length = strcspn(at, ",");
        errno = 0;
        uint64_t value = 0;
        if (ret->count < CL_COUNT(ret->arguments) &&
            cl_print(number, sizeof number, "%.*s", (int)length, at) == 0) {
            value = strtoull(number, &end, 0); /* allowed: 0x and the end are looked at */
            if (errno == 0 && end != number && *end == '\0') {
                ret->arguments[ret->count++] = value;
                at += length;
                continue;
            }
        }
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "--syscall %s: expected NAME or NAME:ARG,… with at most six numbers",
                            text);
    }
    return 0;
}

static int add_seccomp(struct why *why, const char *text, const struct lens_why_call *call,
                       const struct lens_why_verdict *verdict)
{
    struct why_finding finding = { .answer = WHY_REFUSED,
                                   .layer = "seccomp",
                                   .what = cl_strdup(text) };
    bool is_open = verdict->capability < 0 || has_cap(why, verdict->capability);
    finding.because =
        verdict->error == 0
            ? cl_format("the container's filter ends a process that calls %s", call->name)
            : cl_format("the container's filter answers %s to %s%s",
                        strerrorname_np(verdict->error), call->name,
                        call->count > 0 ? " with these arguments" : "");
    finding.allow = is_open ? cl_strdup("--security-opt seccomp=unconfined")
                            : why_cap_flag(verdict->capability);
    return why_add(why, &finding);
}

static int add_depends(struct why *why, const char *text, const struct lens_why_verdict *verdict)
{
    char *flag = verdict->capability < 0 ? cl_strdup("--security-opt seccomp=unconfined")
                                         : why_cap_flag(verdict->capability);
    return why_add(why, &(struct why_finding){
                            .answer = WHY_DEPENDS,
                            .layer = "seccomp",
                            .what = cl_strdup(text),
                            .because = cl_format("the container's filter decides by the arguments; "
                                                 "ask for %s:ARG,… with their numbers",
                                                 text),
                            .allow = flag });
}

static int add_unread_filter(struct why *why, const char *text)
{
    const char *why_not = why->config != NULL
                              ? "the process has a filter that its engine's configuration does not "
                                "tell, or that asks somebody else"
                              : "the process has a filter that is not Cloche's own profile, and "
                                "filters can't be read from outside";
    return why_add(why, &(struct why_finding){ .answer = WHY_UNKNOWN,
                                               .layer = "seccomp",
                                               .what = cl_strdup(text),
                                               .because = cl_strdup(why_not) });
}

/* Filters add up: one that lets a call through does not open what another refuses. */
static int add_own_filters(struct why *why, const char *text, int own)
{
    return why_add(why, &(struct why_finding){
                            .answer = WHY_UNKNOWN,
                            .layer = "seccomp",
                            .what = cl_strdup(text),
                            .because = cl_format("the container's filter lets it through; the "
                                                 "process has %d more of its own, and filters "
                                                 "can't be read from outside",
                                                 own) });
}

/* Negative: out of memory; 1: seccomp has the last word; 0: it lets it through. */
static int ask_seccomp(struct why *why, const char *text, const struct lens_why_call *call)
{
    struct lens_why_verdict verdict = { .capability = -1 };
    const struct lens_why_policy *policy = why->policy;
    if (why->status.seccomp_mode == 0)
        return 0;
    int answer = policy == NULL || policy->syscall == NULL || !why->target.is_container
                     ? -ENOTSUP
                     : policy->syscall(policy->context, &why->target.container, why->config,
                                       why->status.cap_bounding, call, &verdict);
    if (answer < 0) {
        int code = add_unread_filter(why, text);
        return code < 0 ? code : 1;
    }
    int own = why->status.seccomp_filters - why->host_filters - 1;
    if (verdict.is_allowed && own <= 0)
        return 0;
    if (verdict.is_allowed) {
        int code = add_own_filters(why, text, own);
        return code < 0 ? code : 1;
    }
    int code = verdict.is_by_arguments ? add_depends(why, text, &verdict)
                                       : add_seccomp(why, text, call, &verdict);
    return code < 0 ? code : 1;
}

int why_syscall(struct why *why, const char *text, struct cl_error *err)
{
    char name[64];
    struct lens_why_call call;
    int code = parse_call(text, name, &call, err);
    if (code < 0)
        return code;
    const struct lens_why_policy *policy = why->policy;
    if (policy != NULL && policy->is_call != NULL && !policy->is_call(name))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "--syscall %s: this machine has no such call", name);
    code = ask_seccomp(why, text, &call);
    if (code != 0)
        return code < 0 ? code : 0;
    const struct call_rule *rule = rule_of(name);
    if (rule != NULL && !has_cap(why, rule->capability))
        return add_missing_cap(why, text, rule->capability, rule->when);
    if (rule != NULL && rule->is_host && why->has_own_user_ns)
        return add_foreign_ns(why, text, rule->capability);
    return why_add(why, &(struct why_finding){
                            .what = cl_strdup(text),
                            .because = cl_strdup(
                                "seccomp and capabilities let it through; what it works on may "
                                "still be refused (ask with --path)") });
}

int why_capability(struct why *why, const char *name, struct cl_error *err)
{
    int capability = oci_cap_number(name);
    if (capability < 0) {
        const char *closest = oci_cap_closest(name);
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--cap %s: no such capability%s%s%s", name,
                            closest == NULL ? "" : "; did you mean ",
                            closest == NULL ? "" : closest, closest == NULL ? "" : "?");
    }
    const char *full = oci_cap_name(capability);
    if (!has_cap(why, capability))
        return add_missing_cap(why, full, capability, NULL);
    return why_add(why, &(struct why_finding){
                            .what = cl_strdup(full),
                            .because = cl_strdup(why->has_own_user_ns
                                                     ? "the process holds it, in its own user "
                                                       "namespace"
                                                     : "the process holds it") });
}

/* ---- commands ---- */

static bool has_argument(const char *const *command, const char *option)
{
    if (option == NULL || (option[0] == '\0' && command[1] != NULL))
        return true;
    for (size_t i = 1; command[i] != NULL; i++)
        if (option[0] != '\0' && cl_starts_with(command[i], option))
            return true;
    return false;
}

static int ask_rule(struct why *why, const struct command_rule *rule, struct cl_error *err)
{
    int code = 0;
    if (rule->call != NULL)
        code = why_syscall(why, rule->call, err);
    if (code >= 0 && rule->capability != NULL)
        code = why_capability(why, rule->capability, err);
    if (code >= 0 && rule->path != NULL)
        code = why_path(why, rule->path, rule->access, err);
    return code;
}

/* Arguments that are files: these commands write to them. */
static const char *access_of(const char *command)
{
    static const char *const writers[] = { "touch", "mkdir", "rm", "rmdir", "tee",      "mv",
                                           "cp",    "chmod", "ln", "chown", "truncate", NULL };
    return cl_strv_has(writers, command) ? "w" : "r";
}

int why_command(struct why *why, const char *const *command, struct cl_error *err)
{
    const char *slash = strrchr(command[0], '/');
    const char *name = slash == NULL ? command[0] : slash + 1;
    cl_auto_free char *program =
        slash != NULL ? cl_strdup(command[0]) : why_find_program(why, name);
    int code = 0;
    if (program != NULL)
        code = why_path(why, program, "x", err);
    else
        code = why_add(why, &(struct why_finding){
                                .answer = WHY_REFUSED,
                                .layer = "no such program",
                                .what = cl_format("execute %s", name),
                                .because = cl_strdup("it is in none of the usual directories of "
                                                     "the container") });
    for (size_t i = 0; code >= 0 && i < CL_COUNT(commands); i++)
        if (strcmp(commands[i].command, name) == 0 && has_argument(command, commands[i].option))
            code = ask_rule(why, &commands[i], err);
    for (size_t i = 1; code >= 0 && command[i] != NULL; i++)
        if (command[i][0] == '/')
            code = why_path(why, command[i], access_of(name), err);
    return code;
}
