/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random policies from fixed seeds, and what they mean: a slow, literal reading of the rules at the top of src/seccomp/compile.c that shares nothing
 * with it but the table of names.
 */
#pragma once

#include <linux/seccomp.h>

#include "base/base.h"
#include "oci/runtime_spec.h"
#include "seccomp/calls.h"
#include "seccomp/program.h"

/* ---- Random numbers: xorshift64*, the same everywhere ---- */

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint32_t random_below(uint32_t bound)
{
    return (uint32_t)((random_next() >> 32) % bound);
}

static uint64_t random_value(void)
{
    static const uint64_t edges[] = { 0,           1,
                                      2,           16,
                                      38,          0x7e020000,
                                      0x7fffffff,  0x80000000,
                                      0xffffffff,  0x100000000,
                                      0x100000001, 0x8000000000000000,
                                      UINT64_MAX,  UINT64_MAX - 1 };
    uint64_t value = edges[random_below(CL_COUNT(edges))];
    switch (random_below(4)) {
    case 0:
        return value + 1;
    case 1:
        return value ^ UINT64_C(1) << random_below(64);
    default:
        return value;
    }
}

/* ---- Random policies ---- */

struct policy {
    struct oci_seccomp oci;
    struct oci_seccomp_rule rules[400];
    char *names[400][12];
    struct oci_seccomp_arg args[400][4];
};

static enum oci_seccomp_action random_action(void)
{
    static const enum oci_seccomp_action actions[] = {
        OCI_SECCOMP_ALLOW,        OCI_SECCOMP_ALLOW, OCI_SECCOMP_ERRNO,
        OCI_SECCOMP_ERRNO,        OCI_SECCOMP_LOG,   OCI_SECCOMP_KILL_THREAD,
        OCI_SECCOMP_KILL_PROCESS, OCI_SECCOMP_TRAP,  OCI_SECCOMP_TRACE
    };
    return actions[random_below(CL_COUNT(actions))];
}

static struct oci_opt_u32 random_errno(enum oci_seccomp_action action)
{
    struct oci_opt_u32 none = { 0 };
    if ((action != OCI_SECCOMP_ERRNO && action != OCI_SECCOMP_TRACE) || random_below(2) == 0)
        return none;
    return (struct oci_opt_u32){ .set = true, .value = 1 + random_below(40) };
}

/* cl_strdup keeps the const of names away from oci's char **; freed by policy_free. */
static char *random_name(void)
{
    static const char *const special[] = { "socket", "socketcall", "ipc",   "shmget", "send",
                                           "recv",   "accept4",    "clone", "frob",   "semop" };
    const char *name = random_below(6) == 0
                           ? special[random_below(CL_COUNT(special))]
                           : seccomp_call_string((enum seccomp_call)random_below(CALL_COUNT));
    return cl_strdup(strcmp(name, "write") == 0 ? "read" : name);
}

static void random_args(struct policy *policy, size_t rule)
{
    struct oci_seccomp_rule *at = &policy->rules[rule];
    at->args = policy->args[rule];
    at->arg_count = 1 + random_below(4);
    for (size_t i = 0; i < at->arg_count; i++) {
        uint64_t mask = random_value();
        at->args[i] = (struct oci_seccomp_arg){ .index = random_below(at->arg_count < 3 ? 6 : 4),
                                                .op = random_below(OCI_SECCOMP_MASKED_EQ + 1),
                                                .value = mask,
                                                .value_two = random_value() };
        if (random_below(3) != 0) /* a masked value that can be met */
            at->args[i].value_two &= mask;
    }
}

/* `rules` ≤ 400; `args_of_8`: how many rules of eight have args. */
static struct policy *policy_random(uint64_t seed, size_t rules, unsigned args_of_8)
{
    random_state = seed * 2 + 1;
    for (int i = 0; i < 8; i++)
        random_next();
    struct policy *policy = cl_calloc(1, sizeof *policy);
    if (policy == NULL)
        abort();
    policy->oci.default_action = random_action();
    policy->oci.default_errno_ret = random_errno(policy->oci.default_action);
    policy->oci.architectures = (uint32_t)random_next() | 1U << OCI_SECCOMP_ARM;
    policy->oci.rules = policy->rules;
    policy->oci.rule_count = rules;
    for (size_t i = 0; i < rules; i++) {
        struct oci_seccomp_rule *rule = &policy->rules[i];
        rule->action = random_action();
        rule->errno_ret = random_errno(rule->action);
        rule->names = policy->names[i];
        size_t names = 1 + random_below(CL_COUNT(policy->names[i]) - 1);
        for (size_t j = 0; j < names; j++)
            rule->names[j] = random_name();
        if (random_below(8) < args_of_8)
            random_args(policy, i);
    }
    return policy;
}

static void policy_free(struct policy *policy)
{
    for (size_t i = 0; i < policy->oci.rule_count; i++) {
        for (char **name = policy->names[i]; *name != NULL; name++)
            free(*name);
    }
    free(policy);
}

/* ---- What a policy means ---- */

static uint32_t meaning_of_action(enum oci_seccomp_action action, struct oci_opt_u32 errnum)
{
    uint32_t data = errnum.set ? errnum.value : 1;
    switch (action) {
    case OCI_SECCOMP_KILL_THREAD:
        return SECCOMP_RET_KILL_THREAD;
    case OCI_SECCOMP_KILL_PROCESS:
        return SECCOMP_RET_KILL_PROCESS;
    case OCI_SECCOMP_TRAP:
        return SECCOMP_RET_TRAP;
    case OCI_SECCOMP_ERRNO:
        return SECCOMP_RET_ERRNO | data;
    case OCI_SECCOMP_TRACE:
        return SECCOMP_RET_TRACE | data;
    case OCI_SECCOMP_LOG:
        return SECCOMP_RET_LOG;
    case OCI_SECCOMP_NOTIFY:
        return SECCOMP_RET_USER_NOTIF;
    default:
        return SECCOMP_RET_ALLOW;
    }
}

static uint32_t meaning_of_rule(const struct oci_seccomp_rule *rule)
{
    return meaning_of_action(rule->action, rule->errno_ret);
}

static uint32_t meaning_of_default(const struct oci_seccomp *policy)
{
    return meaning_of_action(policy->default_action, policy->default_errno_ret);
}

static bool meaning_of_arg(const struct oci_seccomp_arg *arg, const uint64_t *args, bool is_64)
{
    uint64_t width = is_64 ? UINT64_MAX : UINT32_MAX;
    uint64_t actual = args[arg->index] & width, value = arg->value & width;
    switch (arg->op) {
    case OCI_SECCOMP_NE:
        return actual != value;
    case OCI_SECCOMP_LT:
        return actual < value;
    case OCI_SECCOMP_LE:
        return actual <= value;
    case OCI_SECCOMP_EQ:
        return actual == value;
    case OCI_SECCOMP_GE:
        return actual >= value;
    case OCI_SECCOMP_GT:
        return actual > value;
    default:
        return (actual & value) == (arg->value_two & value);
    }
}

static bool meaning_of_args(const struct oci_seccomp_rule *rule, const uint64_t *args, bool is_64)
{
    bool repeats = false;
    size_t held = 0;
    for (size_t i = 0; i < rule->arg_count; i++) {
        held += meaning_of_arg(&rule->args[i], args, is_64);
        for (size_t j = 0; j < i; j++)
            repeats = repeats || rule->args[i].index == rule->args[j].index;
    }
    return repeats ? held > 0 : held == rule->arg_count;
}

static const char *const socket_calls[] = { "",           "socket",   "bind",        "connect",
                                            "listen",     "accept",   "getsockname", "getpeername",
                                            "socketpair", "send",     "recv",        "sendto",
                                            "recvfrom",   "shutdown", "setsockopt",  "getsockopt",
                                            "sendmsg",    "recvmsg",  "accept4",     "recvmmsg",
                                            "sendmmsg" };
static const char *const ipc_calls[] = {
    [1] = "semop",   [2] = "semget",  [3] = "semctl",  [4] = "semtimedop",
    [11] = "msgsnd", [12] = "msgrcv", [13] = "msgget", [14] = "msgctl",
    [21] = "shmat",  [22] = "shmdt",  [23] = "shmget", [24] = "shmctl"
};

static int find_string(const char *const *strings, size_t count, const char *text)
{
    for (size_t i = 1; i < count; i++) {
        if (strings[i] != NULL && strcmp(strings[i], text) == 0)
            return (int)i;
    }
    return -1;
}

/* A question, and the answers of its policy gathered so far. */
struct question {
    const struct oci_seccomp *policy;
    enum seccomp_arch arch;
    uint32_t number; /* x32: without its bit */
    const uint64_t *args;
};

/* Does a rule's name mean this number? */
static bool names_number(const char *name, const struct question *q)
{
    int call = seccomp_call_find(name);
    return call >= 0 && seccomp_call_number((enum seccomp_call)call, q->arch) == (int)q->number;
}

/* The call inside of i386's socketcall or ipc that is asked for, or NULL. */
static const char *inner_name(const struct question *q)
{
    if (q->arch != SECCOMP_I386)
        return NULL;
    uint32_t first = (uint32_t)q->args[0];
    if (q->number == 102)
        return first < CL_COUNT(socket_calls) && first > 0 ? socket_calls[first] : NULL;
    if (q->number == 117)
        return (first & 0xffff) < CL_COUNT(ipc_calls) ? ipc_calls[first & 0xffff] : NULL;
    return NULL;
}

/* Highest ordinary number that the rules name, or -1. */
static int highest_named(const struct question *q)
{
    int highest = -1;
    for (size_t i = 0; i < q->policy->rule_count; i++) {
        const struct oci_seccomp_rule *rule = &q->policy->rules[i];
        bool says_inner = rule->arg_count == 0 ||
                          (rule->action != OCI_SECCOMP_ALLOW && rule->action != OCI_SECCOMP_LOG);
        for (char **name = rule->names; *name != NULL; name++) {
            int call = seccomp_call_find(*name);
            int number = call < 0 ? -1 : seccomp_call_number((enum seccomp_call)call, q->arch);
            if (number < 0xf0000 && number > highest)
                highest = number;
            if (q->arch != SECCOMP_I386 || !says_inner)
                continue;
            if (find_string(socket_calls, CL_COUNT(socket_calls), *name) > 0 && highest < 102)
                highest = 102;
            if (find_string(ipc_calls, CL_COUNT(ipc_calls), *name) > 0 && highest < 117)
                highest = 117;
        }
    }
    return highest;
}

static bool rule_names(const struct oci_seccomp_rule *rule, const struct question *q,
                       const char *inner)
{
    for (char **name = rule->names; *name != NULL; name++) {
        if (inner != NULL ? strcmp(*name, inner) == 0 : names_number(*name, q))
            return true;
    }
    return false;
}

/* The first rule without args, then the first with args that holds; false: nobody said anything. */
static bool ask_rules(const struct question *q, const char *inner, uint32_t *ret)
{
    uint32_t otherwise = meaning_of_default(q->policy);
    for (int with_args = 0; with_args < 2; with_args++) {
        for (size_t i = 0; i < q->policy->rule_count; i++) {
            const struct oci_seccomp_rule *rule = &q->policy->rules[i];
            if ((rule->arg_count > 0) != with_args || !rule_names(rule, q, inner))
                continue;
            *ret = meaning_of_rule(rule);
            bool is_open = *ret == SECCOMP_RET_ALLOW || *ret == SECCOMP_RET_LOG;
            bool is_64 = q->arch != SECCOMP_I386 && q->arch != SECCOMP_ARM;
            if (!with_args ? *ret != otherwise
                           : (inner != NULL ? !is_open : meaning_of_args(rule, q->args, is_64)))
                return true;
        }
    }
    return false;
}

__attribute__((unused)) static uint32_t policy_meaning(const struct oci_seccomp *policy,
                                                       const struct seccomp_data *data)
{
    struct question q = { policy, SECCOMP_X86_64, (uint32_t)data->nr,
                          (const uint64_t *)data->args };
    uint32_t otherwise = meaning_of_default(policy), listed = policy->architectures, answer = 0;
    switch (data->arch) {
    case AUDIT_ARCH_X86_64:
        if (q.number == UINT32_MAX)
            return otherwise;
        if (q.number < 0x40000000)
            break;
        if ((listed & 1U << OCI_SECCOMP_X32) == 0)
            return SECCOMP_RET_KILL_PROCESS;
        q.arch = SECCOMP_X32;
        q.number -= 0x40000000;
        break;
    case AUDIT_ARCH_I386:
        if ((listed & 1U << OCI_SECCOMP_X86) == 0)
            return SECCOMP_RET_KILL_PROCESS;
        q.arch = SECCOMP_I386;
        break;
    case AUDIT_ARCH_AARCH64:
        q.arch = SECCOMP_AARCH64;
        break;
    case AUDIT_ARCH_ARM:
        if ((listed & 1U << OCI_SECCOMP_ARM) == 0)
            return SECCOMP_RET_KILL_PROCESS;
        q.arch = SECCOMP_ARM;
        break;
    default:
        return SECCOMP_RET_KILL_PROCESS;
    }
    int highest = highest_named(&q);
    bool is_open = policy->default_action == OCI_SECCOMP_ALLOW ||
                   policy->default_action == OCI_SECCOMP_LOG ||
                   policy->default_action == OCI_SECCOMP_TRACE;
    bool is_private = q.arch == SECCOMP_ARM && q.number >= 0xf0000 && q.number < 0xf0040;
    if (!is_private && (int64_t)q.number > highest)
        return is_open || highest < 0 ? otherwise : SECCOMP_RET_ERRNO | 38;
    if (ask_rules(&q, NULL, &answer))
        return answer;
    const char *inner = inner_name(&q);
    if (inner != NULL && ask_rules(&q, inner, &answer))
        return answer;
    return otherwise;
}
