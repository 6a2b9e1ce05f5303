/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default profile, judged from outside: for every number of every architecture, what the program answers is compared with what the profile's
 * promises (written down here once more, by name) say. Also how long the program and its paths are: a limit that a change must not pass unseen.
 */
#include <linux/capability.h>

#include "bpf.h"
#include "seccomp/calls.h"
#include "seccomp/program.h"
#include "seccomp/seccomp.h"
#include "test.h"

#define CAP(name)            (UINT64_C(1) << CAP_##name)
#define ALL_CAPS             ((UINT64_C(1) << 41) - 1)
#define EXPECT_ERRNO(errnum) (SECCOMP_RET_ERRNO | (errnum))

static struct seccomp_filter filter_for(enum seccomp_arch native, uint64_t capabilities)
{
    struct seccomp_filter filter = { 0 };
    struct cl_error err;
    if (seccomp_default_for(native, capabilities, &filter, &err) < 0)
        TEST_SAY("%s", err.text);
    else if (bpf_problem(filter.code, filter.count) != NULL)
        TEST_SAY("the kernel would refuse it: %s", bpf_problem(filter.code, filter.count));
    return filter;
}

/* One call by name with its first three arguments, on the architecture `arch`. */
static uint32_t ask(uint64_t capabilities, enum seccomp_arch arch, const char *name,
                    const uint64_t args[static 3])
{
    bool is_x86 = arch == SECCOMP_X86_64 || arch == SECCOMP_I386 || arch == SECCOMP_X32;
    struct seccomp_filter filter =
        filter_for(is_x86 ? SECCOMP_X86_64 : SECCOMP_AARCH64, capabilities);
    if (filter.code == NULL)
        return 0;
    int number = seccomp_call_number((enum seccomp_call)seccomp_call_find(name), arch);
    if (arch == SECCOMP_X32)
        number |= (int)SECCOMP_X32_BIT;
    struct seccomp_data data = { .nr = number,
                                 .arch = seccomp_arch_audit(arch),
                                 .args = { args[0], args[1], args[2] } };
    uint32_t answer = bpf_run(filter.code, &data, NULL, NULL);
    seccomp_filter_done(&filter);
    return answer;
}
#define ASK(capabilities, arch, name, ...)                                                         \
    ask(capabilities, SECCOMP_##arch, name, (const uint64_t[3]){ __VA_ARGS__ })

TEST(every_call_is_in_one_group)
{
    for (int i = 0; i < CALL_COUNT; i++) {
        if (seccomp_profile_groups_with((enum seccomp_call)i) != 1)
            TEST_SAY("%s is in %d groups", seccomp_call_string((enum seccomp_call)i),
                     seccomp_profile_groups_with((enum seccomp_call)i));
    }
}

/* What a container without capabilities must not reach, however it asks. */
TEST(refused_without_capabilities)
{
    static const char *const refused[] = {
        "mount",
        "umount2",
        "pivot_root",
        "move_mount",
        "open_tree",
        "fsopen",
        "fsmount",
        "mount_setattr",
        "setns",
        "bpf",
        "perf_event_open",
        "keyctl",
        "add_key",
        "request_key",
        "kexec_load",
        "init_module",
        "finit_module",
        "delete_module",
        "clock_settime",
        "settimeofday",
        "reboot",
        "swapon",
        "io_uring_setup",
        "userfaultfd",
        "open_by_handle_at",
        "acct",
        "syslog",
        "pidfd_getfd",
        "process_madvise",
        "kcmp",
        "quotactl",
        "sethostname",
        "fanotify_init",
        "lookup_dcookie",
        "move_pages",
        "vhangup",
        "chroot",
        "mbind",
        "lsm_set_self_attr",
        "open_tree_attr",
    };
    for (size_t i = 0; i < CL_COUNT(refused); i++) {
        for (int arch = 0; arch < SECCOMP_ARCH_COUNT; arch++) {
            int call = seccomp_call_find(refused[i]);
            if (arch == SECCOMP_X32 ||
                seccomp_call_number((enum seccomp_call)call, (enum seccomp_arch)arch) < 0)
                continue;
            uint32_t answer =
                ask(0, (enum seccomp_arch)arch, refused[i], (const uint64_t[3]){ 0, 0, 0 });
            if (answer != EXPECT_ERRNO(EPERM))
                TEST_SAY("%s on %d: %#x", refused[i], arch, answer);
        }
    }
}

TEST(capabilities_open_what_they_should)
{
    static const struct {
        const char *name;
        uint64_t capability;
    } rows[] = {
        { "mount", CAP(SYS_ADMIN) },
        { "setns", CAP(SYS_ADMIN) },
        { "unshare", CAP(SYS_ADMIN) },
        { "clone3", CAP(SYS_ADMIN) },
        { "bpf", CAP(BPF) },
        { "bpf", CAP(SYS_ADMIN) },
        { "perf_event_open", CAP(PERFMON) },
        { "syslog", CAP(SYSLOG) },
        { "chroot", CAP(SYS_CHROOT) },
        { "reboot", CAP(SYS_BOOT) },
        { "init_module", CAP(SYS_MODULE) },
        { "clock_settime", CAP(SYS_TIME) },
        { "acct", CAP(SYS_PACCT) },
        { "mbind", CAP(SYS_NICE) },
        { "pidfd_getfd", CAP(SYS_PTRACE) },
        { "open_by_handle_at", CAP(DAC_READ_SEARCH) },
        { "vhangup", CAP(SYS_TTY_CONFIG) },
    };
    for (size_t i = 0; i < CL_COUNT(rows); i++) {
        const uint64_t args[3] = { 0x7e020080, 0, 0 }; /* all the namespaces there are */
        CHECK_INT(ask(rows[i].capability, SECCOMP_X86_64, rows[i].name, args), SECCOMP_RET_ALLOW);
        CHECK_INT(ask(rows[i].capability, SECCOMP_AARCH64, rows[i].name, args), SECCOMP_RET_ALLOW);
        const uint64_t others = ALL_CAPS & ~(rows[i].capability | CAP(SYS_ADMIN) | CAP(BPF));
        uint32_t without = ask(others, SECCOMP_X86_64, rows[i].name, args);
        CHECK_INT(without, EXPECT_ERRNO(strcmp(rows[i].name, "clone3") == 0 ? ENOSYS : EPERM));
    }
    CHECK_INT(ASK(CAP(SYS_RAWIO), X86_64, "iopl", 0), SECCOMP_RET_ALLOW);
    CHECK_INT(ASK(ALL_CAPS, X86_64, "keyctl", 0), EXPECT_ERRNO(EPERM));
    CHECK_INT(ASK(ALL_CAPS, X86_64, "kexec_load", 0), EXPECT_ERRNO(EPERM));
}

TEST(ordinary_life)
{
    static const char *const allowed[] = { "read",  "write", "openat", "mmap",   "execve",
                                           "futex", "wait4", "kill",   "ptrace", "statx" };
    for (size_t i = 0; i < CL_COUNT(allowed); i++) {
        const uint64_t none[3] = { 0 };
        CHECK_INT(ask(0, SECCOMP_X86_64, allowed[i], none), SECCOMP_RET_ALLOW);
        CHECK_INT(ask(0, SECCOMP_AARCH64, allowed[i], none), SECCOMP_RET_ALLOW);
    }
    CHECK_INT(ASK(0, I386, "mmap2", 0), SECCOMP_RET_ALLOW);
    CHECK_INT(ASK(0, ARM, "set_tls", 0), SECCOMP_RET_ALLOW);
    CHECK_INT(ASK(0, ARM, "get_tls", 0), EXPECT_ERRNO(EPERM));
}

TEST(namespaces_by_clone_and_unshare)
{
    static const enum seccomp_arch archs[] = { SECCOMP_X86_64, SECCOMP_I386, SECCOMP_AARCH64,
                                               SECCOMP_ARM };
    for (size_t i = 0; i < CL_COUNT(archs); i++) {
        const uint64_t thread[3] = { 0x3d0f00 }, fork_[3] = { 0x11 }; /* what libcs pass */
        CHECK_INT(ask(0, archs[i], "clone", thread), SECCOMP_RET_ALLOW);
        CHECK_INT(ask(0, archs[i], "clone", fork_), SECCOMP_RET_ALLOW);
        CHECK_INT(ask(0, archs[i], "unshare", (const uint64_t[3]){ 0x600 }), SECCOMP_RET_ALLOW);
        for (unsigned bit = 0; bit < 32; bit++) {
            uint64_t flag = UINT64_C(1) << bit;
            bool is_new = (flag & 0x7e020000) != 0;
            const uint64_t plain[3] = { flag }, dirty[3] = { flag | UINT64_C(0xdead) << 32 };
            uint32_t clone = is_new ? EXPECT_ERRNO(EPERM) : SECCOMP_RET_ALLOW;
            uint32_t unshare = is_new || flag == 0x80 ? EXPECT_ERRNO(EPERM) : SECCOMP_RET_ALLOW;
            CHECK_INT(ask(0, archs[i], "clone", plain), clone);
            CHECK_INT(ask(0, archs[i], "clone", dirty), clone);
            CHECK_INT(ask(0, archs[i], "unshare", plain), unshare);
            CHECK_INT(ask(0, archs[i], "unshare", dirty), unshare);
        }
        CHECK_INT(ask(0, archs[i], "clone3", (const uint64_t[3]){ 0 }), EXPECT_ERRNO(ENOSYS));
    }
}

static bool is_family_allowed(uint32_t family)
{
    static const uint8_t refused[] = { 12, 19, 20, 23, 25, 34, 37, 38, 40 };
    return family < 46 && memchr(refused, (int)family, sizeof refused) == NULL;
}

TEST(cve_2026_31431_socket_families)
{
    static const uint64_t dirt[] = { 0, UINT64_C(1) << 32, UINT64_C(0xffffffff) << 32 };
    for (uint64_t family = 0; family < 300; family++) {
        uint32_t expected =
            is_family_allowed((uint32_t)family) ? SECCOMP_RET_ALLOW : EXPECT_ERRNO(EAFNOSUPPORT);
        for (size_t i = 0; i < CL_COUNT(dirt); i++) {
            CHECK_INT(ASK(0, X86_64, "socket", family | dirt[i], 1), expected);
            CHECK_INT(ASK(0, AARCH64, "socket", family | dirt[i], 1), expected);
            CHECK_INT(ASK(0, X86_64, "socketpair", family | dirt[i], 1), expected);
        }
        CHECK_INT(ASK(0, I386, "socket", family, 1), expected);
        CHECK_INT(ASK(0, ARM, "socket", family, 1), expected);
    }
    CHECK_INT(ASK(ALL_CAPS, X86_64, "socket", 38), EXPECT_ERRNO(EAFNOSUPPORT));
    CHECK_INT(ASK(0, X86_64, "socket", 16, 3, 9), EXPECT_ERRNO(EPROTONOSUPPORT));
    CHECK_INT(ASK(0, X86_64, "socket", 16, 3, 0), SECCOMP_RET_ALLOW);
    CHECK_INT(ASK(CAP(AUDIT_WRITE), X86_64, "socket", 16, 3, 9), SECCOMP_RET_ALLOW);
}

TEST(socketcall_makes_no_sockets)
{
    CHECK_INT(ASK(ALL_CAPS, I386, "socketcall", 1), EXPECT_ERRNO(ENOSYS));
    CHECK_INT(ASK(0, I386, "socketcall", UINT64_C(7) << 32 | 1), EXPECT_ERRNO(ENOSYS));
    for (uint64_t call = 2; call <= 20; call++)
        CHECK_INT(ASK(0, I386, "socketcall", call), SECCOMP_RET_ALLOW);
}

TEST(personality_values)
{
    static const uint64_t allowed[] = { 0, 8, 0x20000, 0x20008, 0xffffffff };
    static const uint64_t refused[] = { 1, 0x40000, 0x400000, 0x0040000, 9, 0x20001, 0xfffffffe };
    for (size_t i = 0; i < CL_COUNT(allowed); i++)
        CHECK_INT(ASK(0, X86_64, "personality", allowed[i]), SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < CL_COUNT(refused); i++)
        CHECK_INT(ASK(0, X86_64, "personality", refused[i]), EXPECT_ERRNO(EPERM));
}

/* Numbers without a name, and those of x32, are missing; another machine's calls kill. */
TEST(unknown_numbers_and_machines)
{
    static const enum seccomp_arch natives[] = { SECCOMP_X86_64, SECCOMP_AARCH64 };
    static const enum seccomp_arch seconds[] = { SECCOMP_I386, SECCOMP_ARM };
    for (size_t i = 0; i < CL_COUNT(natives); i++) {
        struct seccomp_filter filter = filter_for(natives[i], ALL_CAPS);
        for (size_t second = 0; second < 2; second++) {
            enum seccomp_arch arch = second ? seconds[i] : natives[i];
            for (uint32_t number = 0; number < 0x100000; number++) {
                if (seccomp_call_by_number(number, arch) >= 0)
                    continue;
                struct seccomp_data data = { .nr = (int)number, .arch = seccomp_arch_audit(arch) };
                if (bpf_run(filter.code, &data, NULL, NULL) != EXPECT_ERRNO(ENOSYS))
                    TEST_SAY("number %u on %d isn't missing", number, arch);
                number += number > 1000 && number < 0xeff00 ? 997 : 0;
            }
            static const uint32_t far[] = { 0x40000000, 0x40000001, 0x40000200,
                                            0x7fffffff, 0x80000000, 0xffffffff };
            for (size_t j = 0; j < CL_COUNT(far); j++) {
                struct seccomp_data data = { .nr = (int)far[j], .arch = seccomp_arch_audit(arch) };
                CHECK_INT(bpf_run(filter.code, &data, NULL, NULL), EXPECT_ERRNO(ENOSYS));
            }
        }
        struct seccomp_data foreign = { .nr = 0, .arch = AUDIT_ARCH_S390X };
        CHECK_INT(bpf_run(filter.code, &foreign, NULL, NULL), SECCOMP_RET_KILL_PROCESS);
        seccomp_filter_done(&filter);
    }
}

/* The mean over what the kernel asks when it loads the filter: each number of its table, on both architectures. */
static void measure(enum seccomp_arch native, enum seccomp_arch second, uint64_t capabilities)
{
    struct seccomp_filter filter = filter_for(native, capabilities);
    unsigned longest = 0, sum = 0, asked = 0;
    for (int i = 0; i < 2; i++) {
        for (int number = 0; number < 470; number++) {
            struct seccomp_data data = { .nr = number,
                                         .arch = seccomp_arch_audit(i ? second : native) };
            unsigned steps;
            bpf_run(filter.code, &data, &steps, NULL);
            longest = steps > longest ? steps : longest;
            sum += steps;
            asked++;
        }
    }
    printf("# native %d, capabilities %#llx: %zu instructions, longest path %u, mean %.1f\n",
           native, (unsigned long long)capabilities, filter.count, longest, (double)sum / asked);
    CHECK(filter.count <= 400);
    CHECK(longest <= 24);
    CHECK(sum <= 12 * asked);
    seccomp_filter_done(&filter);
}

TEST(size_and_depth)
{
    const uint64_t ours = CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FSETID) | CAP(FOWNER) | CAP(SETGID) |
                          CAP(SETUID) | CAP(SETPCAP) | CAP(NET_BIND_SERVICE) | CAP(SYS_CHROOT) |
                          CAP(KILL) | CAP(SETFCAP);
    measure(SECCOMP_X86_64, SECCOMP_I386, ours);
    measure(SECCOMP_X86_64, SECCOMP_I386, 0);
    measure(SECCOMP_X86_64, SECCOMP_I386, ALL_CAPS);
    measure(SECCOMP_AARCH64, SECCOMP_ARM, ours);
}

TEST(verdicts)
{
    int capability = 99;
    CHECK_INT(seccomp_default_verdict("read", 0, &capability), SECCOMP_ALLOWED);
    CHECK_INT(capability, -1);
    CHECK_INT(seccomp_default_verdict("mount", 0, &capability), SECCOMP_DENIED);
    CHECK_INT(capability, CAP_SYS_ADMIN);
    CHECK_INT(seccomp_default_verdict("mount", CAP(SYS_ADMIN), &capability), SECCOMP_ALLOWED);
    CHECK_INT(capability, CAP_SYS_ADMIN);
    CHECK_INT(seccomp_default_verdict("bpf", 0, &capability), SECCOMP_DENIED);
    CHECK_INT(capability, CAP_BPF);
    CHECK_INT(seccomp_default_verdict("bpf", CAP(SYS_ADMIN), &capability), SECCOMP_ALLOWED);
    CHECK_INT(seccomp_default_verdict("clone", 0, &capability), SECCOMP_CONDITIONAL);
    CHECK_INT(capability, CAP_SYS_ADMIN);
    CHECK_INT(seccomp_default_verdict("clone3", 0, &capability), SECCOMP_UNKNOWN);
    CHECK_INT(capability, CAP_SYS_ADMIN);
    CHECK_INT(seccomp_default_verdict("socket", ALL_CAPS, &capability), SECCOMP_CONDITIONAL);
    CHECK_INT(seccomp_default_verdict("keyctl", ALL_CAPS, &capability), SECCOMP_DENIED);
    CHECK_INT(capability, -1);
    CHECK_INT(seccomp_default_verdict("frobnicate", ALL_CAPS, &capability), SECCOMP_UNKNOWN);
    CHECK_INT(capability, -1);
    /* verdicts and program agree wherever arguments play no part */
    for (int i = 0; SECCOMP_NATIVE != SECCOMP_NO_ARCH && i < CALL_COUNT; i++) {
        if (seccomp_call_number((enum seccomp_call)i, SECCOMP_NATIVE) < 0)
            continue;
        const char *name = seccomp_call_string((enum seccomp_call)i);
        uint32_t answer = ask(0, SECCOMP_NATIVE, name, (const uint64_t[3]){ 0 });
        switch (seccomp_default_verdict(name, 0, &capability)) {
        case SECCOMP_ALLOWED:
            CHECK_INT(answer, SECCOMP_RET_ALLOW);
            break;
        case SECCOMP_DENIED:
            CHECK_INT(answer, EXPECT_ERRNO(EPERM));
            break;
        case SECCOMP_UNKNOWN:
            CHECK_INT(answer, EXPECT_ERRNO(ENOSYS));
            break;
        case SECCOMP_CONDITIONAL:
            break;
        }
    }
}

TEST_MAIN
