/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same policies by libseccomp: its program and ours must answer alike, where libseccomp's meaning is certain. Cloche doesn't link that library;
 * this test opens it if it is installed. Left out are what libseccomp has no order for (several conditional rules of one call with different actions),
 * i386's socket and ipc calls with args (it compares pointers there), and numbers above the profile's highest (runc's business, not libseccomp's).
 */
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf.h"
#include "policy.h"
#include "seccomp/seccomp.h"
#include "test.h"

struct scmp_arg { /* seccomp.h: struct scmp_arg_cmp */
    unsigned arg;
    int op; /* 1 NE, 2 LT, 3 LE, 4 EQ, 5 GE, 6 GT, 7 MASKED_EQ */
    uint64_t datum_a, datum_b;
};

static struct {
    void *(*init)(uint32_t);
    void (*release)(void *);
    int (*attr_set)(void *, int, uint32_t);
    int (*arch_add)(void *, uint32_t);
    int (*resolve)(const char *);
    int (*rule_add)(void *, uint32_t, int, unsigned, const struct scmp_arg *);
    int (*export_bpf)(void *, int);
} scmp;

static bool load_library(void)
{
    void *library = dlopen("libseccomp.so.2", RTLD_NOW);
    if (library == NULL)
        return false;
    static const struct {
        const char *name;
        void *slot;
    } symbols[] = {
        { "seccomp_init", &scmp.init },
        { "seccomp_release", &scmp.release },
        { "seccomp_attr_set", &scmp.attr_set },
        { "seccomp_arch_add", &scmp.arch_add },
        { "seccomp_syscall_resolve_name", &scmp.resolve },
        { "seccomp_rule_add_array", &scmp.rule_add },
        { "seccomp_export_bpf", &scmp.export_bpf },
    };
    for (size_t i = 0; i < CL_COUNT(symbols); i++) {
        void *symbol = dlsym(library, symbols[i].name);
        if (symbol == NULL)
            return false;
        memcpy(symbols[i].slot, &symbol, sizeof symbol);
    }
    return true;
}

/* libseccomp's own numbers for actions are the kernel's, but for KILL_THREAD, which is the same 0. */
static bool add_rule(void *context, const struct oci_seccomp *policy,
                     const struct oci_seccomp_rule *rule)
{
    uint32_t action = meaning_of_rule(rule);
    if (action == meaning_of_default(policy))
        return true; /* runc: redundant */
    struct scmp_arg args[6];
    for (size_t i = 0; i < rule->arg_count; i++)
        args[i] = (struct scmp_arg){ rule->args[i].index, (int)rule->args[i].op + 1,
                                     rule->args[i].value, rule->args[i].value_two };
    for (char **name = rule->names; *name != NULL; name++) {
        int number = scmp.resolve(*name);
        if (number == -1 || seccomp_call_find(*name) < 0)
            continue;
        int code = scmp.rule_add(context, action, number, (unsigned)rule->arg_count, args);
        if (code < 0)
            return false;
    }
    return true;
}

/* Their program for the policy, as x86-64, i386 and x32. */
static size_t export_program(const struct oci_seccomp *policy, struct sock_filter *code, size_t max)
{
    void *context = scmp.init(meaning_of_default(policy));
    int file = memfd_create("bpf", MFD_CLOEXEC);
    bool good = context != NULL && file >= 0;
    enum { ATTR_BAD_ARCH = 2, ARCH_X86 = 0x40000003, ARCH_X32 = 0x4000003e };
    good = good && scmp.attr_set(context, ATTR_BAD_ARCH, SECCOMP_RET_KILL_PROCESS) == 0;
    if ((policy->architectures & 1U << OCI_SECCOMP_X86) != 0)
        good = good && scmp.arch_add(context, ARCH_X86) == 0;
    if ((policy->architectures & 1U << OCI_SECCOMP_X32) != 0)
        good = good && scmp.arch_add(context, ARCH_X32) == 0;
    for (size_t i = 0; good && i < policy->rule_count; i++)
        good = add_rule(context, policy, &policy->rules[i]);
    good = good && scmp.export_bpf(context, file) == 0;
    ssize_t size = good ? pread(file, code, max * sizeof *code, 0) : 0;
    if (file >= 0)
        close(file);
    if (context != NULL)
        scmp.release(context);
    return size > 0 ? (size_t)size / sizeof *code : 0;
}

/* Make a random policy one that libseccomp has a certain meaning for: each call in one rule, no argument twice, no values above `max`. */
static void make_certain(struct policy *policy, uint64_t max)
{
    bool used[CALL_COUNT] = { false };
    for (size_t i = 0; i < policy->oci.rule_count; i++) {
        struct oci_seccomp_rule *rule = &policy->rules[i];
        size_t kept = 0, args = 0;
        unsigned seen = 0;
        for (size_t j = 0; j < rule->arg_count; j++) {
            rule->args[j].value &= max;
            rule->args[j].value_two &= max;
            if ((seen & 1U << rule->args[j].index) == 0)
                rule->args[args++] = rule->args[j];
            seen |= 1U << rule->args[j].index;
        }
        rule->arg_count = args;
        for (size_t j = 0; rule->names[j] != NULL; j++) {
            char *name = rule->names[j];
            int call = seccomp_call_find(name);
            bool is_inner = find_string(socket_calls, CL_COUNT(socket_calls), name) > 0 ||
                            find_string(ipc_calls, CL_COUNT(ipc_calls), name) > 0 ||
                            strcmp(name, "socketcall") == 0 || strcmp(name, "ipc") == 0;
            if (call < 0 || scmp.resolve(name) == -1 || used[call] || (is_inner && args > 0)) {
                free(name);
                continue;
            }
            used[call] = true;
            rule->names[kept++] = name;
        }
        rule->names[kept] = NULL;
    }
}

static int compared;

static void compare(const struct policy *policy, const struct seccomp_filter *ours,
                    const struct sock_filter *theirs, uint64_t seed)
{
    static const uint32_t archs[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386 };
    int differences = 0;
    for (uint32_t number = 0; number < 4 * 400; number++) {
        struct seccomp_data data = { .arch = archs[number / 400 % 2],
                                     .nr =
                                         (int)(number % 400 + (number >= 1200 ? 0x40000000 : 0)) };
        for (int i = 0; i < 6; i++) {
            for (size_t j = 0; j < 6; j++) {
                uint64_t value = i < 3 ? random_below(25) : random_value();
                data.args[j] = data.arch == AUDIT_ARCH_I386 ? value & UINT32_MAX : value;
            }
            if (number >= 1200) { /* libseccomp compares 32 bits on x32 */
                for (size_t j = 0; j < 6; j++)
                    data.args[j] &= INT32_MAX;
            }
            data.arch = number >= 1200 ? AUDIT_ARCH_X86_64 : data.arch;
            if (data.arch == AUDIT_ARCH_I386 && data.nr == 117)
                data.args[0] &= 0xffff; /* the version above misleads libseccomp, not us */
            uint32_t a = bpf_run(ours->code, &data, NULL, NULL);
            uint32_t b = bpf_run(theirs, &data, NULL, NULL);
            bool is_beyond =
                a == (SECCOMP_RET_ERRNO | ENOSYS) && b == meaning_of_default(&policy->oci);
            if (a != b && !is_beyond && differences++ < 3)
                TEST_SAY("seed %llu arch %#x number %#x arg %#llx: ours %#x, theirs %#x",
                         (unsigned long long)seed, data.arch, (uint32_t)data.nr, data.args[0], a,
                         b);
            compared++;
        }
    }
}

TEST(libseccomp_agrees)
{
    if (SECCOMP_NATIVE != SECCOMP_X86_64)
        SKIP("written for x86-64");
    if (!load_library())
        SKIP("libseccomp.so.2 is not installed");
    static struct sock_filter theirs[65536];
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct policy *policy = policy_random(seed, 1 + seed % 30, 4);
        bool has_x32 = seed % 2 == 0;
        policy->oci.architectures &= ~(1U << OCI_SECCOMP_X32);
        policy->oci.architectures |= has_x32 ? 1U << OCI_SECCOMP_X32 : 0;
        make_certain(policy, has_x32 ? INT32_MAX : UINT64_MAX);
        struct seccomp_filter ours = { 0 };
        struct cl_error err;
        if (seccomp_compile_for(SECCOMP_X86_64, &policy->oci, &ours, &err) < 0)
            TEST_SAY("%s", err.text);
        else if (export_program(&policy->oci, theirs, CL_COUNT(theirs)) == 0)
            TEST_SAY("seed %llu: libseccomp would not have it", (unsigned long long)seed);
        else
            compare(policy, &ours, theirs, seed);
        seccomp_filter_done(&ours);
        policy_free(policy);
    }
    printf("# %d answers compared\n", compared);
    CHECK(compared > 100000);
}

TEST_MAIN
