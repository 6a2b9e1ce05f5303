/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler of linux.seccomp: random policies (fixed seeds) against their literal meaning for every number and edge values of arguments on every
 * architecture; programs too long for short jumps; the corners of the semantics one by one; and what is refused, with its path.
 */
#include "bpf.h"
#include "policy.h"
#include "seccomp/seccomp.h"
#include "test.h"

static const struct machine {
    enum seccomp_arch native;
    uint32_t archs[3]; /* its own two, and a foreign one */
} machines[] = {
    { SECCOMP_X86_64, { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_PPC64LE } },
    { SECCOMP_AARCH64, { AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, AUDIT_ARCH_PPC64LE } },
};

/* Values at and around what the policy compares with, so that both outcomes of each check are seen. */
static void random_arguments(const struct policy *policy, struct seccomp_data *data)
{
    for (size_t i = 0; i < 6; i++)
        data->args[i] = random_below(3) == 0 ? random_below(26) : random_value();
    if (policy->oci.rule_count == 0)
        return;
    size_t rule = random_below((uint32_t)policy->oci.rule_count);
    for (size_t i = 0; i < policy->rules[rule].arg_count; i++) {
        const struct oci_seccomp_arg *arg = &policy->args[rule][i];
        bool is_masked = arg->op == OCI_SECCOMP_MASKED_EQ;
        uint64_t noise = is_masked ? random_next() & ~arg->value : random_below(3) - UINT64_C(1);
        data->args[arg->index] = is_masked ? arg->value_two | noise : arg->value + noise;
    }
    if (data->arch == AUDIT_ARCH_I386 || data->arch == AUDIT_ARCH_ARM) {
        for (size_t i = 0; i < 6; i++)
            data->args[i] &= UINT32_MAX; /* the kernel hands over 32 bits */
    }
}

static bool agrees(const struct policy *policy, const struct seccomp_filter *filter,
                   const struct seccomp_data *data)
{
    uint32_t actual = bpf_run(filter->code, data, NULL, NULL);
    uint32_t expected = policy_meaning(&policy->oci, data);
    if (actual == expected)
        return true;
    TEST_SAY("arch %#x number %u args %#llx %#llx %#llx …: %#x, expected %#x", data->arch,
             (uint32_t)data->nr, data->args[0], data->args[1], data->args[2], actual, expected);
    return false;
}

static bool agrees_everywhere(const struct policy *policy, const struct machine *machine,
                              const struct seccomp_filter *filter, unsigned tries)
{
    static const uint32_t far[] = { 600,        0xeffff,    0xf0000,    0xf0001,    0xf0005,
                                    0xf0006,    0xf003f,    0xf0040,    0x3fffffff, 0x40000000,
                                    0x40000001, 0x40000029, 0x40000200, 0x40000221, 0x40000300,
                                    0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
    for (size_t arch = 0; arch < CL_COUNT(machine->archs); arch++) {
        for (uint32_t number = 0; number < 480 + CL_COUNT(far); number++) {
            for (unsigned i = 0; i < tries; i++) {
                uint32_t nr = number < 480 ? number : far[number - 480];
                struct seccomp_data data = { .nr = (int)nr, .arch = machine->archs[arch] };
                random_arguments(policy, &data);
                if (!agrees(policy, filter, &data))
                    return false;
            }
        }
    }
    return true;
}

/* Returns the longest program's length. */
static size_t check_random(uint64_t seed, size_t rules, unsigned args_of_8, unsigned tries)
{
    struct policy *policy = policy_random(seed, rules, args_of_8);
    size_t longest = 0;
    for (size_t i = 0; i < CL_COUNT(machines); i++) {
        struct seccomp_filter filter = { 0 };
        struct cl_error err;
        if (seccomp_compile_for(machines[i].native, &policy->oci, &filter, &err) < 0) {
            TEST_SAY("seed %llu: %s", (unsigned long long)seed, err.text);
            break;
        }
        const char *problem = bpf_problem(filter.code, filter.count);
        if (problem != NULL)
            TEST_SAY("seed %llu: the kernel would refuse it: %s", (unsigned long long)seed,
                     problem);
        else if (!agrees_everywhere(policy, &machines[i], &filter, tries))
            TEST_SAY("seed %llu, machine %zu", (unsigned long long)seed, i);
        longest = filter.count > longest ? filter.count : longest;
        seccomp_filter_done(&filter);
    }
    policy_free(policy);
    return longest;
}

TEST(random_small_policies)
{
    for (uint64_t seed = 1; seed <= 30; seed++)
        check_random(seed, seed % 8, 4, 4);
}

TEST(random_middling_policies)
{
    for (uint64_t seed = 100; seed < 106; seed++)
        check_random(seed, 40, 3, 4);
}

/* No rule shares code with another: every jump becomes a long one somewhere. */
TEST(random_long_policies)
{
    size_t longest = 0;
    for (uint64_t seed = 200; seed < 203; seed++) {
        size_t length = check_random(seed, 105, 5, 2);
        longest = length > longest ? length : longest;
    }
    printf("# longest program: %zu instructions\n", longest);
    CHECK(longest > 2000);
}

TEST(too_long_is_an_error)
{
    struct policy *policy = policy_random(7, 400, 8);
    struct seccomp_filter filter = { .count = 77 };
    struct cl_error err;
    CHECK_INT(seccomp_compile_for(SECCOMP_X86_64, &policy->oci, &filter, &err), -E2BIG);
    CHECK_CONTAINS(err.text, "4096");
    CHECK_INT(filter.count, 77);
    policy_free(policy);
}

/* ---- Semantics, one by one ---- */

static char *const name_socket[] = { (char[]){ "socket" }, NULL };
static char *const name_read[] = { (char[]){ "read" }, NULL };
static char *const name_newest[] = { (char[]){ "file_setattr" }, NULL };
#define NAMES(list) .names = (char **)(uintptr_t)(list)

/* A policy whose default is EPERM, asked once. */
static uint32_t ask_with(const struct oci_seccomp *policy, const struct seccomp_data *data)
{
    struct seccomp_filter filter = { 0 };
    struct cl_error err;
    if (seccomp_compile_for(SECCOMP_X86_64, policy, &filter, &err) < 0) {
        TEST_SAY("%s", err.text);
        return 0;
    }
    uint32_t answer = bpf_run(filter.code, data, NULL, NULL);
    seccomp_filter_done(&filter);
    return answer;
}

static struct oci_seccomp policy_of(struct oci_seccomp_rule *rules, size_t count)
{
    return (struct oci_seccomp){ .default_action = OCI_SECCOMP_ERRNO,
                                 .architectures = 1U << OCI_SECCOMP_X86_64 | 1U << OCI_SECCOMP_X86,
                                 .rules = rules,
                                 .rule_count = count };
}

static uint32_t ask_socket(const struct oci_seccomp *policy, uint32_t arch, int number,
                           uint64_t family)
{
    struct seccomp_data data = { .nr = number, .arch = arch, .args = { family } };
    return ask_with(policy, &data);
}

TEST(a_rule_without_args_beats_those_with)
{
    struct oci_seccomp_arg alg = { .op = OCI_SECCOMP_EQ, .value = 38 };
    struct oci_seccomp_rule rules[] = {
        { NAMES(name_socket), .action = OCI_SECCOMP_KILL_PROCESS, .args = &alg, .arg_count = 1 },
        { NAMES(name_socket), .action = OCI_SECCOMP_ALLOW },
        { NAMES(name_socket), .action = OCI_SECCOMP_TRAP },
    };
    struct oci_seccomp policy = policy_of(rules, 3);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_X86_64, 41, 38), SECCOMP_RET_ALLOW);
    policy.rule_count = 1;
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_X86_64, 41, 38), SECCOMP_RET_KILL_PROCESS);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_X86_64, 41, 39), SECCOMP_RET_ERRNO | EPERM);
}

/* i386 programs must not find by socketcall what socket refuses. */
TEST(socketcall_follows_socket)
{
    struct oci_seccomp_arg alg = { .op = OCI_SECCOMP_EQ, .value = 38 };
    struct oci_seccomp_arg not_alg = { .op = OCI_SECCOMP_NE, .value = 38 };
    struct oci_seccomp_rule refuse = { NAMES(name_socket), .action = OCI_SECCOMP_ERRNO,
                                       .errno_ret = { true, 13 }, .args = &alg, .arg_count = 1 };
    struct oci_seccomp policy = policy_of(&refuse, 1);
    policy.default_action = OCI_SECCOMP_ALLOW;
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_I386, 359, 38), SECCOMP_RET_ERRNO | 13);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_I386, 102, 1), SECCOMP_RET_ERRNO | 13);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_I386, 102, 2), SECCOMP_RET_ALLOW);
    struct oci_seccomp_rule allow = { NAMES(name_socket), .action = OCI_SECCOMP_ALLOW,
                                      .args = &not_alg, .arg_count = 1 };
    policy = policy_of(&allow, 1);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_I386, 359, 1), SECCOMP_RET_ALLOW);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_I386, 102, 1), SECCOMP_RET_ERRNO | EPERM);
    allow.arg_count = 0;
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_I386, 102, 1), SECCOMP_RET_ALLOW);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_I386, 102, 8), SECCOMP_RET_ERRNO | EPERM);
}

TEST(calls_newer_than_the_profile_are_missing)
{
    struct oci_seccomp_rule rule = { NAMES(name_socket), .action = OCI_SECCOMP_ALLOW };
    struct oci_seccomp policy = policy_of(&rule, 1);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_X86_64, 40, 0), SECCOMP_RET_ERRNO | EPERM);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_X86_64, 42, 0), SECCOMP_RET_ERRNO | ENOSYS);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_X86_64, 9999, 0), SECCOMP_RET_ERRNO | ENOSYS);
    policy.default_action = OCI_SECCOMP_LOG;
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_X86_64, 9999, 0), SECCOMP_RET_LOG);
}

TEST(flags)
{
    struct oci_seccomp_rule rule = { NAMES(name_read), .action = OCI_SECCOMP_NOTIFY };
    struct oci_seccomp policy = policy_of(&rule, 0);
    struct seccomp_filter filter = { 0 };
    CHECK_INT(seccomp_compile_for(SECCOMP_X86_64, &policy, &filter, NULL), 0);
    CHECK_INT(filter.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
    CHECK(!filter.has_notify);
    seccomp_filter_done(&filter);
    policy.has_flags = true;
    policy.flags =
        OCI_SECCOMP_FLAG_TSYNC | OCI_SECCOMP_FLAG_LOG | OCI_SECCOMP_FLAG_WAIT_KILLABLE_RECV;
    CHECK_INT(seccomp_compile_for(SECCOMP_X86_64, &policy, &filter, NULL), 0);
    CHECK_INT(filter.flags, SECCOMP_FILTER_FLAG_LOG);
    seccomp_filter_done(&filter);
    policy.rule_count = 1;
    CHECK_INT(seccomp_compile_for(SECCOMP_X86_64, &policy, &filter, NULL), 0);
    CHECK_INT(filter.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_NEW_LISTENER |
                                OCI_SECCOMP_FLAG_WAIT_KILLABLE_RECV);
    CHECK(filter.has_notify);
    seccomp_filter_done(&filter);
    CHECK(filter.code == NULL);
    seccomp_filter_done(&filter);
    seccomp_filter_done(NULL);
}

/* Docker's rules for socket: 26 families of one argument, compared after one load. */
TEST(values_of_one_argument_share_the_load)
{
    struct oci_seccomp_arg args[26];
    struct oci_seccomp_rule rules[26];
    for (size_t i = 0; i < 26; i++) {
        args[i] = (struct oci_seccomp_arg){ .op = OCI_SECCOMP_EQ, .value = i };
        rules[i] = (struct oci_seccomp_rule){ NAMES(name_socket), .action = OCI_SECCOMP_ALLOW,
                                              .args = &args[i], .arg_count = 1 };
    }
    struct oci_seccomp policy = policy_of(rules, 26);
    policy.architectures = 0;
    struct seccomp_filter filter = { 0 };
    CHECK_INT(seccomp_compile_for(SECCOMP_X86_64, &policy, &filter, NULL), 0);
    CHECK(filter.count < 50);
    seccomp_filter_done(&filter);
}

/* ---- What is refused ---- */

static void check_refused(const struct oci_seccomp *policy, const char *text)
{
    struct seccomp_filter filter = { .count = 77 };
    struct cl_error err = { 0 };
    CHECK_INT(seccomp_compile_for(SECCOMP_X86_64, policy, &filter, &err), -EINVAL);
    CHECK_INT(err.kind, CL_KIND_INVALID);
    CHECK_CONTAINS(err.text, text);
    CHECK_INT(filter.count, 77);
}

TEST(refusals_name_the_path)
{
    struct oci_seccomp_arg arg = { .index = 6 };
    struct oci_seccomp_rule rules[] = {
        { NAMES(name_read), .action = OCI_SECCOMP_ALLOW },
        { NAMES(name_read), .action = OCI_SECCOMP_ALLOW, .args = &arg, .arg_count = 1 },
    };
    struct oci_seccomp policy = policy_of(rules, 2);
    check_refused(&policy, "linux.seccomp.syscalls[1].args[0].index: 6");
    arg.index = 0;
    arg.op = (enum oci_seccomp_op)17;
    check_refused(&policy, "linux.seccomp.syscalls[1].args[0].op");
    arg.op = OCI_SECCOMP_EQ;
    rules[1].action = (enum oci_seccomp_action)99;
    check_refused(&policy, "linux.seccomp.syscalls[1].action");
    rules[1].action = OCI_SECCOMP_ALLOW;
    rules[1].errno_ret = (struct oci_opt_u32){ true, 5 };
    check_refused(&policy, "linux.seccomp.syscalls[1].action");
    rules[1].action = OCI_SECCOMP_ERRNO;
    rules[1].errno_ret.value = 4096;
    check_refused(&policy, "4096");
    policy.rule_count = 1;
    policy.default_action = OCI_SECCOMP_NOTIFY;
    check_refused(&policy, "linux.seccomp.defaultAction");
}

TEST(no_table_no_filter)
{
    struct oci_seccomp policy = policy_of(NULL, 0);
    struct seccomp_filter filter = { 0 };
    struct cl_error err;
    CHECK_INT(seccomp_compile_for(SECCOMP_NO_ARCH, &policy, &filter, &err), -EOPNOTSUPP);
    CHECK_INT(seccomp_default_for(SECCOMP_NO_ARCH, 0, &filter, &err), -EOPNOTSUPP);
    CHECK_INT(err.kind, CL_KIND_UNSUPPORTED);
}

TEST(an_empty_policy_is_its_default)
{
    struct oci_seccomp policy = policy_of(NULL, 0);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_X86_64, 41, 0), SECCOMP_RET_ERRNO | EPERM);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_X86_64, 9999, 0), SECCOMP_RET_ERRNO | EPERM);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_ARM, 1, 0), SECCOMP_RET_KILL_PROCESS);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_X86_64, 0x40000000, 0), SECCOMP_RET_KILL_PROCESS);
    struct oci_seccomp_rule rule = { NAMES(name_newest), .action = OCI_SECCOMP_ALLOW };
    policy = policy_of(&rule, 1);
    CHECK_INT(ask_socket(&policy, AUDIT_ARCH_X86_64, 469, 0), SECCOMP_RET_ALLOW);
}

TEST_MAIN
