/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.seccomp of a runtime-spec to a program. Where the specification is silent, this does what runc with libseccomp does, so that a
 * profile means the same under Cloche:
 *
 * - The native architecture is always in, listed or not. One that this machine can't run is passed over: no process can have it.
 * - A rule without args beats all rules with args for that call, wherever they stand; the first such rule counts. A rule that repeats the
 *   default action counts only with args. Rules with args are tried in the order of the document (libseccomp has no order to follow here).
 * - All args of a rule must hold; but if two of them look at the same argument, each alone is enough. Of the value of SCMP_CMP_MASKED_EQ, only
 *   the bits of the mask count. On i386 and arm, values and arguments are their lower 32 bits.
 * - Numbers above the highest that the profile names get ENOSYS instead of a refusing default action: the profile is older than the call, and C
 *   libraries fall back on ENOSYS only.
 * - i386: a rule for socket, bind, …, shmget, … holds for socketcall(2) and ipc(2) too, which do the same by a first argument. Their other
 *   arguments lie in memory that a filter can't read: there a rule with args that refuses, refuses always, and one that allows doesn't.
 * - Any architecture that isn't listed, and x32 unless listed, kills the process (libseccomp: the thread).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "seccomp/program.h"

#define NOT_FIXED  UINT32_MAX /* is no action: a kill with data */
#define NO_LINK    UINT32_MAX
#define MUX_SOCKET 0  /* the pseudo numbers of socketcall's calls begin here … */
#define MUX_IPC    32 /* … and of ipc's here */

/* What rules said about one number of one architecture. */
struct slot {
    uint32_t fixed;      /* action of the first rule without args, or NOT_FIXED */
    uint32_t head, tail; /* links: clauses of rules with args, in order */
};
struct link {
    const struct seccomp_clause *clause;
    uint32_t next;
};

struct arch_slots {
    enum seccomp_arch arch;
    int64_t highest; /* number that the profile names; -1: none */
    struct slot slots[SECCOMP_NUMBERS];
    struct slot more[64]; /* arm's private calls, or i386's calls inside of socketcall and ipc */
};

struct compiler {
    const struct oci_seccomp *policy;
    uint32_t default_action;
    struct arch_slots *archs; /* arch_count of them, the native one first */
    size_t arch_count;
    struct seccomp_clause *clauses; /* of all rules */
    size_t clause_count;
    struct link *links;
    size_t link_count, link_room;
    const struct seccomp_clause **lists; /* decisions' clauses */
    size_t list_count;
    struct seccomp_clause mux[64]; /* for i386 */
    struct seccomp_program program;
};

/* ---- i386's multiplexers: socketcall(2), ipc(2) ---- */

static const struct mux {
    char name[15];
    uint8_t number;
} mux_calls[] = {
    { "socket", MUX_SOCKET + 1 },      { "bind", MUX_SOCKET + 2 },
    { "connect", MUX_SOCKET + 3 },     { "listen", MUX_SOCKET + 4 },
    { "accept", MUX_SOCKET + 5 },      { "getsockname", MUX_SOCKET + 6 },
    { "getpeername", MUX_SOCKET + 7 }, { "socketpair", MUX_SOCKET + 8 },
    { "send", MUX_SOCKET + 9 },        { "recv", MUX_SOCKET + 10 },
    { "sendto", MUX_SOCKET + 11 },     { "recvfrom", MUX_SOCKET + 12 },
    { "shutdown", MUX_SOCKET + 13 },   { "setsockopt", MUX_SOCKET + 14 },
    { "getsockopt", MUX_SOCKET + 15 }, { "sendmsg", MUX_SOCKET + 16 },
    { "recvmsg", MUX_SOCKET + 17 },    { "accept4", MUX_SOCKET + 18 },
    { "recvmmsg", MUX_SOCKET + 19 },   { "sendmmsg", MUX_SOCKET + 20 },
    { "semop", MUX_IPC + 1 },          { "semget", MUX_IPC + 2 },
    { "semctl", MUX_IPC + 3 },         { "semtimedop", MUX_IPC + 4 },
    { "msgsnd", MUX_IPC + 11 },        { "msgrcv", MUX_IPC + 12 },
    { "msgget", MUX_IPC + 13 },        { "msgctl", MUX_IPC + 14 },
    { "shmat", MUX_IPC + 21 },         { "shmdt", MUX_IPC + 22 },
    { "shmget", MUX_IPC + 23 },        { "shmctl", MUX_IPC + 24 },
};

static int mux_find(const char *name)
{
    for (size_t i = 0; i < CL_COUNT(mux_calls); i++) {
        if (mux_calls[i].name[0] == name[0] && strcmp(mux_calls[i].name, name) == 0)
            return mux_calls[i].number;
    }
    return -1;
}

/* ---- Reading the rules ---- */

static int refuse(struct cl_error *err, const char *fmt, ...) CL_PRINTF(2, 3);
static int refuse(struct cl_error *err, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* cut off is good enough */
    va_end(args);
    return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "linux.seccomp.%s", text);
}

/* `path`: where the action stands, e.g. "defaultAction". */
static int action_value(enum oci_seccomp_action action, struct oci_opt_u32 errnum, const char *path,
                        uint32_t *ret, struct cl_error *err)
{
    static const uint32_t values[] = {
        [OCI_SECCOMP_KILL_THREAD] = SECCOMP_RET_KILL_THREAD,
        [OCI_SECCOMP_KILL_PROCESS] = SECCOMP_RET_KILL_PROCESS,
        [OCI_SECCOMP_TRAP] = SECCOMP_RET_TRAP,
        [OCI_SECCOMP_ERRNO] = SECCOMP_RET_ERRNO,
        [OCI_SECCOMP_TRACE] = SECCOMP_RET_TRACE,
        [OCI_SECCOMP_ALLOW] = SECCOMP_RET_ALLOW,
        [OCI_SECCOMP_LOG] = SECCOMP_RET_LOG,
        [OCI_SECCOMP_NOTIFY] = SECCOMP_RET_USER_NOTIF,
    };
    if (action >= CL_COUNT(values))
        return refuse(err, "%s: %u is no action", path, (unsigned)action);
    bool has_data = action == OCI_SECCOMP_ERRNO || action == OCI_SECCOMP_TRACE;
    if (errnum.set && !has_data)
        return refuse(err,
                      "%s: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE take an errno; drop it or change "
                      "the action",
                      path);
    uint32_t max = action == OCI_SECCOMP_ERRNO ? 4095 : 65535;
    if (errnum.set && errnum.value > max)
        return refuse(err, "%s: errno %u is above %u", path, errnum.value, max);
    uint32_t data = errnum.set ? errnum.value : EPERM;
    *ret = values[action] | (has_data ? data : 0);
    return 0;
}

static int read_check(const struct oci_seccomp_arg *arg, size_t rule, size_t index,
                      struct seccomp_check *ret, struct cl_error *err)
{
    if (arg->index > 5)
        return refuse(err,
                      "syscalls[%zu].args[%zu].index: %u, but a system call has arguments 0 to 5",
                      rule, index, arg->index);
    if (arg->op > OCI_SECCOMP_MASKED_EQ)
        return refuse(err, "syscalls[%zu].args[%zu].op: %u is no operator", rule, index,
                      (unsigned)arg->op);
    bool is_masked = arg->op == OCI_SECCOMP_MASKED_EQ;
    *ret = (struct seccomp_check){ .arg = (uint8_t)arg->index,
                                   .op = arg->op,
                                   .mask = is_masked ? arg->value : UINT64_MAX,
                                   .value = is_masked ? arg->value_two : arg->value };
    return 0;
}

/* True when two args look at the same argument: then each is a clause of its own. */
static bool has_repeated_argument(const struct oci_seccomp_rule *rule)
{
    unsigned seen = 0;
    for (size_t i = 0; i < rule->arg_count; i++) {
        unsigned bit = 1U << (rule->args[i].index & 31);
        if ((seen & bit) != 0)
            return true;
        seen |= bit;
    }
    return false;
}

/* The clauses of a rule's args, into compiler->clauses: one, or one for each arg. */
static int read_clauses(struct compiler *compiler, size_t index, uint32_t action, size_t *ret_count,
                        struct cl_error *err)
{
    const struct oci_seccomp_rule *rule = &compiler->policy->rules[index];
    struct seccomp_clause *clause = compiler->clauses + compiler->clause_count;
    bool is_split = has_repeated_argument(rule);
    size_t used = 0;
    for (size_t i = 0; i < rule->arg_count; i++) {
        if (i == 0 || is_split)
            clause[used++] = (struct seccomp_clause){ .action = action };
        struct seccomp_clause *now = &clause[used - 1];
        struct seccomp_check check;
        int code = read_check(&rule->args[i], index, i, &check, err);
        if (code < 0)
            return code;
        now->checks[now->count++] = check;
    }
    compiler->clause_count += used;
    *ret_count = used;
    return 0;
}

static int add_link(struct compiler *compiler, struct slot *slot,
                    const struct seccomp_clause *clause)
{
    if (compiler->link_count == compiler->link_room) {
        size_t room = compiler->link_room > 0 ? 2 * compiler->link_room : 128;
        void *bigger = cl_realloc(compiler->links, room * sizeof *compiler->links);
        if (bigger == NULL)
            return -ENOMEM;
        compiler->links = bigger;
        compiler->link_room = room;
    }
    uint32_t number = (uint32_t)compiler->link_count++;
    compiler->links[number] = (struct link){ .clause = clause, .next = NO_LINK };
    if (slot->head == NO_LINK)
        slot->head = number;
    else
        compiler->links[slot->tail].next = number;
    slot->tail = number;
    return 0;
}

/* One rule said of one call: its action, and its clauses if it has args. */
struct saying {
    uint32_t action;
    const struct seccomp_clause *clauses;
    size_t count;
};

static int say(struct compiler *compiler, struct slot *slot, const struct saying *saying)
{
    if (saying->count == 0) {
        if (slot->fixed == NOT_FIXED && saying->action != compiler->default_action)
            slot->fixed = saying->action;
        return 0;
    }
    for (size_t i = 0; i < saying->count; i++) {
        int code = add_link(compiler, slot, &saying->clauses[i]);
        if (code < 0)
            return code;
    }
    return 0;
}

static bool is_permissive(uint32_t action)
{
    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

static int say_of_call(struct compiler *compiler, struct arch_slots *arch, int call, int mux,
                       const struct saying *saying)
{
    int number = call < 0 ? SECCOMP_NO_NUMBER : seccomp_call_number(call, arch->arch);
    if (number != SECCOMP_NO_NUMBER && (uint32_t)number >= SECCOMP_ARM_PRIVATE) {
        int code = say(compiler, &arch->more[(uint32_t)number - SECCOMP_ARM_PRIVATE], saying);
        if (code < 0)
            return code;
    } else if (number != SECCOMP_NO_NUMBER) {
        int code = say(compiler, &arch->slots[number], saying);
        if (code < 0)
            return code;
        if (number > arch->highest)
            arch->highest = number;
    }
    if (mux < 0 || arch->arch != SECCOMP_I386 ||
        (saying->count > 0 && is_permissive(saying->action)))
        return 0;
    int64_t container =
        seccomp_call_number(mux < MUX_IPC ? CALL_socketcall : CALL_ipc, SECCOMP_I386);
    if (container > arch->highest)
        arch->highest = container;
    return say(compiler, &arch->more[mux], saying);
}

int seccomp_check_names(const struct oci_seccomp *policy, struct cl_error *err)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        char **names = policy->rules[i].names;
        for (size_t j = 0; names != NULL && names[j] != NULL; j++)
            if (seccomp_call_find(names[j]) < 0 && mux_find(names[j]) < 0)
                return refuse(err, "syscalls[%zu].names[%zu]: no such system call is known: %.80s",
                              i, j, names[j]);
    }
    return 0;
}

static int read_rule(struct compiler *compiler, size_t index, struct cl_error *err)
{
    const struct oci_seccomp_rule *rule = &compiler->policy->rules[index];
    char path[64];
    (void)CL_PRINT(path, "syscalls[%zu].action", index); /* fits */
    struct saying saying = { 0 };
    int code = action_value(rule->action, rule->errno_ret, path, &saying.action, err);
    if (code < 0)
        return code;
    saying.clauses = compiler->clauses + compiler->clause_count;
    code = read_clauses(compiler, index, saying.action, &saying.count, err);
    if (code < 0)
        return code;
    for (char **name = rule->names; name != NULL && *name != NULL; name++) {
        int call = seccomp_call_find(*name), mux = mux_find(*name);
        if (call < 0 && mux < 0)
            cl_debug("seccomp", "syscalls[%zu]: passed over %s: no such system call is known",
                     index, *name);
        for (size_t i = 0; i < compiler->arch_count; i++) {
            code = say_of_call(compiler, &compiler->archs[i], call, mux, &saying);
            if (code < 0)
                return cl_fail(err, -code, "compile linux.seccomp");
        }
    }
    return 0;
}

/* ---- From slots to decisions ---- */

static bool has_same_clauses(const struct seccomp_decision *a, const struct seccomp_decision *b)
{
    return a->clause_count == b->clause_count &&
           memcmp(a->clauses, b->clauses, a->clause_count * sizeof(const void *)) == 0;
}

/* The decision of compiler->lists[from …], shared with an equal one; the list is given back in that case. */
static int decide_clauses(struct compiler *compiler, size_t from)
{
    struct seccomp_program *program = &compiler->program;
    struct seccomp_decision decision = { .action = compiler->default_action,
                                         .clauses = compiler->lists + from,
                                         .clause_count = compiler->list_count - from };
    if (decision.clause_count == 0)
        return seccomp_program_act(program, compiler->default_action);
    for (size_t i = 0; i < program->decision_count; i++) {
        if (has_same_clauses(&program->decisions[i], &decision)) {
            compiler->list_count = from;
            return (int)i;
        }
    }
    return seccomp_program_decide(program, &decision);
}

static void list_links(struct compiler *compiler, const struct slot *slot)
{
    for (uint32_t i = slot->head; i != NO_LINK; i = compiler->links[i].next)
        compiler->lists[compiler->list_count++] = compiler->links[i].clause;
}

/* socketcall or ipc: what was said of the calls inside of it, told apart by the first argument (ipc's has a version above bit 15). */
static void list_mux(struct compiler *compiler, const struct arch_slots *arch, uint32_t first)
{
    for (uint32_t i = first; i < first + 32; i++) {
        const struct slot *slot = &arch->more[i];
        uint32_t action = slot->fixed;
        if (action == NOT_FIXED && slot->head == NO_LINK)
            continue;
        if (action == NOT_FIXED)
            action = compiler->links[slot->head].clause->action;
        compiler->mux[i] = (struct seccomp_clause){
            .checks = { { .op = OCI_SECCOMP_MASKED_EQ,
                          .is_int = true,
                          .mask = first == MUX_IPC ? 0xffff : UINT32_MAX,
                          .value = i - first } },
            .count = 1,
            .action = action,
        };
        compiler->lists[compiler->list_count++] = &compiler->mux[i];
    }
}

static int decide_slot(struct compiler *compiler, const struct arch_slots *arch,
                       const struct slot *slot)
{
    if (slot->fixed != NOT_FIXED)
        return seccomp_program_act(&compiler->program, slot->fixed);
    size_t from = compiler->list_count;
    list_links(compiler, slot);
    if (arch->arch == SECCOMP_I386) {
        if (slot == &arch->slots[seccomp_call_number(CALL_socketcall, SECCOMP_I386)])
            list_mux(compiler, arch, MUX_SOCKET);
        else if (slot == &arch->slots[seccomp_call_number(CALL_ipc, SECCOMP_I386)])
            list_mux(compiler, arch, MUX_IPC);
    }
    return decide_clauses(compiler, from);
}

/* ---- From decisions to ranges ---- */

static int add_range(struct compiler *compiler, struct seccomp_part *part, uint32_t first,
                     int decision)
{
    if (decision >= 0)
        seccomp_part_add(&compiler->program, part, first, decision);
    return decision;
}

static int add_action(struct compiler *compiler, struct seccomp_part *part, uint32_t first,
                      uint32_t action)
{
    return add_range(compiler, part, first, seccomp_program_act(&compiler->program, action));
}

/* What a number gets that the profile can't know. A tracer is trusted to know new calls itself. */
static uint32_t beyond(const struct compiler *compiler, const struct arch_slots *arch)
{
    uint32_t action = compiler->default_action;
    bool is_open = is_permissive(action) || (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE;
    return is_open || arch->highest < 0 ? action : SECCOMP_DO_ERRNO(ENOSYS);
}

/* The numbers from `base` on, up to the last that the profile names, and then everything above. */
static int add_slots(struct compiler *compiler, struct seccomp_part *part,
                     const struct arch_slots *arch, uint32_t base)
{
    for (uint32_t i = 0; arch->highest >= 0 && i <= arch->highest; i++) {
        int code =
            add_range(compiler, part, base + i, decide_slot(compiler, arch, &arch->slots[i]));
        if (code < 0)
            return code;
    }
    return add_action(compiler, part, base + (uint32_t)(arch->highest + 1), beyond(compiler, arch));
}

static int add_arm_private(struct compiler *compiler, struct seccomp_part *part,
                           const struct arch_slots *arch)
{
    for (uint32_t i = 0; i < CL_COUNT(arch->more); i++) {
        int code = add_range(compiler, part, SECCOMP_ARM_PRIVATE + i,
                             decide_slot(compiler, arch, &arch->more[i]));
        if (code < 0)
            return code;
    }
    return add_action(compiler, part, SECCOMP_ARM_PRIVATE + CL_COUNT(arch->more),
                      beyond(compiler, arch));
}

/* x86_64: the upper half of the numbers is x32's. The very last, -1, is what a tracer leaves of a call that it skips. */
static int add_x32(struct compiler *compiler, struct seccomp_part *part,
                   const struct arch_slots *x32)
{
    int code = x32 != NULL ? add_slots(compiler, part, x32, SECCOMP_X32_BIT)
                           : add_action(compiler, part, SECCOMP_X32_BIT, SECCOMP_RET_KILL_PROCESS);
    return code < 0 ? code : add_action(compiler, part, UINT32_MAX, compiler->default_action);
}

static int build_parts(struct compiler *compiler)
{
    struct seccomp_program *program = &compiler->program;
    program->bad_arch = SECCOMP_RET_KILL_PROCESS;
    const struct arch_slots *x32 = NULL;
    for (size_t i = 0; i < compiler->arch_count; i++) {
        if (compiler->archs[i].arch == SECCOMP_X32)
            x32 = &compiler->archs[i];
    }
    for (size_t i = 0; i < compiler->arch_count; i++) {
        const struct arch_slots *arch = &compiler->archs[i];
        if (arch == x32)
            continue;
        struct seccomp_part *part = &program->parts[program->part_count++];
        part->audit_arch = seccomp_arch_audit(arch->arch);
        part->is_64 = arch->arch == SECCOMP_X86_64 || arch->arch == SECCOMP_AARCH64;
        int code = add_slots(compiler, part, arch, 0);
        if (code >= 0 && arch->arch == SECCOMP_X86_64)
            code = add_x32(compiler, part, x32);
        if (code >= 0 && arch->arch == SECCOMP_ARM)
            code = add_arm_private(compiler, part, arch);
        if (code < 0)
            return code;
    }
    return 0;
}

/* ---- All together ---- */

static void compiler_done(struct compiler *compiler)
{
    if (compiler == NULL)
        return;
    free(compiler->archs);
    free(compiler->clauses);
    free(compiler->links);
    free(compiler->lists);
    seccomp_program_done(&compiler->program);
    free(compiler);
}
CL_DEFINE_AUTO(struct compiler, compiler_done)

static bool wants(const struct oci_seccomp *policy, enum oci_seccomp_arch arch)
{
    return (policy->architectures & (1U << arch)) != 0;
}

static size_t choose_archs(enum seccomp_arch native, const struct oci_seccomp *policy,
                           enum seccomp_arch archs[static 3])
{
    size_t count = 0;
    archs[count++] = native;
    if (native == SECCOMP_X86_64 && wants(policy, OCI_SECCOMP_X86))
        archs[count++] = SECCOMP_I386;
    if (native == SECCOMP_X86_64 && wants(policy, OCI_SECCOMP_X32))
        archs[count++] = SECCOMP_X32;
    if (native == SECCOMP_AARCH64 && wants(policy, OCI_SECCOMP_ARM))
        archs[count++] = SECCOMP_ARM;
    return count;
}

static int compiler_new(enum seccomp_arch native, const struct oci_seccomp *policy,
                        struct compiler **ret)
{
    CL_AUTO(compiler_done) struct compiler *compiler = cl_calloc(1, sizeof *compiler);
    if (compiler == NULL)
        return -ENOMEM;
    compiler->policy = policy;
    enum seccomp_arch archs[3];
    compiler->arch_count = choose_archs(native, policy, archs);
    compiler->archs = cl_malloc(compiler->arch_count * sizeof *compiler->archs);
    size_t clauses = 1;
    for (size_t i = 0; i < policy->rule_count; i++)
        clauses += policy->rules[i].arg_count;
    compiler->clauses = cl_calloc(clauses, sizeof *compiler->clauses);
    if (compiler->archs == NULL || compiler->clauses == NULL)
        return -ENOMEM;
    static const struct slot empty = { NOT_FIXED, NO_LINK, NO_LINK };
    for (size_t i = 0; i < compiler->arch_count; i++) {
        struct arch_slots *arch = &compiler->archs[i];
        arch->arch = archs[i];
        arch->highest = -1;
        for (size_t j = 0; j < CL_COUNT(arch->slots); j++)
            arch->slots[j] = empty;
        for (size_t j = 0; j < CL_COUNT(arch->more); j++)
            arch->more[j] = empty;
    }
    *ret = cl_take(compiler);
    return 0;
}

/* The kernel's flags. TSYNC is left out: whoever loads this has one thread. */
static unsigned load_flags(const struct oci_seccomp *policy, bool has_notify)
{
    unsigned flags = policy->has_flags ? policy->flags : SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    flags &= ~(unsigned)SECCOMP_FILTER_FLAG_TSYNC;
    if (has_notify)
        return flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
    return flags & ~OCI_SECCOMP_FLAG_WAIT_KILLABLE_RECV; /* nobody to wait for */
}

static int read_policy(struct compiler *compiler, bool *ret_notify, struct cl_error *err)
{
    const struct oci_seccomp *policy = compiler->policy;
    int code = action_value(policy->default_action, policy->default_errno_ret, "defaultAction",
                            &compiler->default_action, err);
    if (code < 0)
        return code;
    if (policy->default_action == OCI_SECCOMP_NOTIFY)
        return refuse(err, "defaultAction: SCMP_ACT_NOTIFY cannot be the default: it would stop "
                           "the runtime itself; name the calls in rules");
    for (size_t i = 0; i < policy->rule_count; i++) {
        code = read_rule(compiler, i, err);
        if (code < 0)
            return code;
        *ret_notify = *ret_notify || policy->rules[i].action == OCI_SECCOMP_NOTIFY;
    }
    return 0;
}

int seccomp_compile_for(enum seccomp_arch native, const struct oci_seccomp *policy,
                        struct seccomp_filter *ret, struct cl_error *err)
{
    if (native == SECCOMP_NO_ARCH)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "linux.seccomp: this build has no system call table for its machine");
    CL_AUTO(compiler_done) struct compiler *compiler = NULL;
    int code = compiler_new(native, policy, &compiler);
    if (code < 0)
        return cl_fail(err, -code, "compile linux.seccomp");
    bool has_notify = false;
    code = read_policy(compiler, &has_notify, err);
    if (code < 0)
        return code;
    /* Every link is listed once, and i386's calls inside of others once more. */
    compiler->lists =
        cl_malloc((compiler->link_count + CL_COUNT(compiler->mux)) * sizeof *compiler->lists);
    code = compiler->lists == NULL ? -ENOMEM : build_parts(compiler);
    if (code < 0)
        return cl_fail(err, -code, "compile linux.seccomp");
    struct seccomp_filter filter = { .flags = load_flags(policy, has_notify),
                                     .has_notify = has_notify };
    code = seccomp_program_emit(&compiler->program, "linux.seccomp", &filter, err);
    if (code >= 0)
        *ret = filter;
    return code;
}

int seccomp_compile(const struct oci_seccomp *policy, struct seccomp_filter *ret,
                    struct cl_error *err)
{
    return seccomp_compile_for(SECCOMP_NATIVE, policy, ret, err);
}
