/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules as a BPF program of type CGROUP_DEVICE, for cgroup v2; pure.
 *
 * Type, major and minor of the device that is asked for become one number, so a rule is one comparison that jumps to the verdict:
 *
 *     key = type << 32 | major << 20 | minor            the kernel's own dev_t, and the type above it
 *     for each rule, the last first:                    the last one that matches decides
 *         access does not fit: skip the next line
 *         if (key & MASK) == VALUE, go to its verdict
 *     allow                                             as v1 starts out
 *
 * What the form is for is the verifier, which is what loading costs: what it learns in a jump that is not taken ("is not equal") tells it
 * nothing of the jumps behind, so it goes through the chain once. Rules that compared type, access, major and minor one after the other made
 * it go through what follows again for each of them.
 */
#include "runtime/device_filter.h"

#include <errno.h>
#include <linux/bpf.h>

#define KEY_TYPE_SHIFT  32
#define KEY_MAJOR_SHIFT 20
#define KEY_TYPE        (UINT64_C(3) << KEY_TYPE_SHIFT)
#define MAJOR_MAX       0xfff /* MINORBITS in the kernel */
#define MINOR_MAX       0xfffff

#define FRAME_INSTRUCTIONS 16
#define RULE_INSTRUCTIONS  9    /* 8, and its part of the verdicts in between */
#define FAR_INSTRUCTIONS   4096 /* a jump's distance has 16 bits */

_Static_assert(sizeof(struct device_instruction) == sizeof(struct bpf_insn), "the kernel's layout");

enum verdict { DENY, ALLOW, VERDICTS };

struct filter {
    struct device_instruction *code;
    size_t count;
    /* The last jump to each verdict, whose offset says how far before it the one before is; 0: none waits. The first instruction is no jump. */
    size_t waiting[VERDICTS];
    size_t first_waiting;
};

static void emit(struct filter *filter, uint8_t opcode, uint8_t dst, uint8_t src, int32_t value)
{
    filter->code[filter->count++] = (struct device_instruction){
        .opcode = opcode, .registers = (uint8_t)(src << 4 | dst), .value = value
    };
}

static void emit_number(struct filter *filter, uint8_t dst, uint64_t number)
{
    emit(filter, BPF_LD | BPF_IMM | BPF_DW, dst, 0, (int32_t)(uint32_t)number);
    emit(filter, 0, 0, 0, (int32_t)(uint32_t)(number >> 32));
}

/* ---- verdicts ---- */

static void jump(struct filter *filter, enum verdict verdict, uint8_t opcode, uint8_t dst,
                 uint8_t src, int32_t value)
{
    size_t here = filter->count, *last = &filter->waiting[verdict];
    if (filter->waiting[DENY] == 0 && filter->waiting[ALLOW] == 0)
        filter->first_waiting = here;
    emit(filter, opcode, dst, src, value);
    filter->code[here].offset = (int16_t)(*last > 0 ? here - *last : 0);
    *last = here;
}

/* Here is where the jumps that wait for it go to. */
static void emit_verdict(struct filter *filter, enum verdict verdict)
{
    size_t here = filter->count;
    for (size_t at = filter->waiting[verdict]; at > 0;) {
        size_t distance = (size_t)filter->code[at].offset;
        filter->code[at].offset = (int16_t)(here - at - 1);
        at = distance > 0 ? at - distance : 0;
    }
    filter->waiting[verdict] = 0;
    emit(filter, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, verdict == ALLOW);
    emit(filter, BPF_JMP | BPF_EXIT, 0, 0, 0);
}

/* The verifier refuses what nobody jumps to. */
static void emit_waiting(struct filter *filter)
{
    for (enum verdict verdict = DENY; verdict < VERDICTS; verdict++)
        if (filter->waiting[verdict] > 0)
            emit_verdict(filter, verdict);
}

static void keep_near(struct filter *filter)
{
    bool is_waiting = filter->waiting[DENY] > 0 || filter->waiting[ALLOW] > 0;
    if (!is_waiting || filter->count - filter->first_waiting < FAR_INSTRUCTIONS)
        return;
    size_t over = filter->count;
    emit(filter, BPF_JMP | BPF_JA, 0, 0, 0);
    emit_waiting(filter);
    filter->code[over].offset = (int16_t)(filter->count - over - 1);
}

/* ---- rules ---- */

struct match {
    uint64_t mask, value;
    unsigned access;
    enum verdict verdict;
};

/* False: there is no such device. */
static bool match_of(const struct oci_device_rule *rule, struct match *ret)
{
    uint64_t type = rule->type == OCI_DEVICE_BLOCK ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
    *ret = (struct match){ .access = device_access(rule->access),
                           .verdict = rule->allow ? ALLOW : DENY };
    if (rule->type != OCI_DEVICE_ALL) {
        ret->mask = KEY_TYPE;
        ret->value = type << KEY_TYPE_SHIFT;
    }
    if (!device_is_any(&rule->major)) {
        if (rule->major.value > MAJOR_MAX)
            return false;
        ret->mask |= (uint64_t)MAJOR_MAX << KEY_MAJOR_SHIFT;
        ret->value |= (uint64_t)rule->major.value << KEY_MAJOR_SHIFT;
    }
    if (!device_is_any(&rule->minor)) {
        if (rule->minor.value > MINOR_MAX)
            return false;
        ret->mask |= MINOR_MAX;
        ret->value |= (uint64_t)rule->minor.value;
    }
    return true;
}

/* r2 = key, r3 = access; r1 is the context (struct bpf_cgroup_dev_ctx). */
static void emit_frame(struct filter *filter)
{
    emit(filter, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1, 0);
    emit(filter, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0);
    emit(filter, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 16);
    emit(filter, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0xffff);
    emit(filter, BPF_ALU64 | BPF_LSH | BPF_K, BPF_REG_2, 0, KEY_TYPE_SHIFT);
    emit(filter, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_4, BPF_REG_1, 0);
    filter->code[filter->count - 1].offset = 4; /* major */
    emit(filter, BPF_ALU64 | BPF_LSH | BPF_K, BPF_REG_4, 0, KEY_MAJOR_SHIFT);
    emit(filter, BPF_ALU64 | BPF_OR | BPF_X, BPF_REG_2, BPF_REG_4, 0);
    emit(filter, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_4, BPF_REG_1, 0);
    filter->code[filter->count - 1].offset = 8; /* minor */
    emit(filter, BPF_ALU64 | BPF_OR | BPF_X, BPF_REG_2, BPF_REG_4, 0);
}

static void emit_device(struct filter *filter, const struct match *match)
{
    const uint64_t whole = KEY_TYPE | ((uint64_t)MAJOR_MAX << KEY_MAJOR_SHIFT) | MINOR_MAX;
    uint8_t key = BPF_REG_2;
    if (match->mask == 0) {
        jump(filter, match->verdict, BPF_JMP | BPF_JA, 0, 0, 0);
        return;
    }
    if (match->mask != whole) {
        key = BPF_REG_4;
        emit_number(filter, key, match->mask);
        emit(filter, BPF_ALU64 | BPF_AND | BPF_X, key, BPF_REG_2, 0);
    }
    emit_number(filter, BPF_REG_5, match->value);
    jump(filter, match->verdict, BPF_JMP | BPF_JEQ | BPF_X, key, BPF_REG_5, 0);
}

/* True: it decides about everything that comes here. */
static bool emit_rule(struct filter *filter, const struct match *match)
{
    const unsigned others = DEVICE_ALL_ACCESS & ~match->access;
    size_t guard = 0;
    /* An allowing rule has to cover all that is asked for; a denying one any of it. */
    if (others != 0 && match->verdict == ALLOW) {
        guard = filter->count;
        emit(filter, BPF_JMP | BPF_JSET | BPF_K, BPF_REG_3, 0, (int32_t)others);
    } else if (others != 0) {
        emit(filter, BPF_JMP | BPF_JSET | BPF_K, BPF_REG_3, 0, (int32_t)match->access);
        filter->code[filter->count - 1].offset = 1;
        guard = filter->count;
        emit(filter, BPF_JMP | BPF_JA, 0, 0, 0);
    }
    emit_device(filter, match);
    if (guard > 0)
        filter->code[guard].offset = (int16_t)(filter->count - guard - 1);
    return match->mask == 0 && guard == 0;
}

int device_filter_compile(const struct oci_device_rule *rules, size_t count,
                          struct device_instruction **ret, size_t *ret_count)
{
    struct filter filter = { 0 };
    struct match match = { .verdict = ALLOW };
    bool is_decided = false; /* what comes before a rule for everything is never reached */
    if (count > SIZE_MAX / RULE_INSTRUCTIONS / 2)
        return -ENOMEM;
    filter.code = cl_calloc(count * RULE_INSTRUCTIONS + FRAME_INSTRUCTIONS, sizeof *filter.code);
    if (filter.code == NULL)
        return -ENOMEM;
    emit_frame(&filter);
    for (size_t i = count; i-- > 0 && !is_decided;) {
        if (!match_of(&rules[i], &match))
            continue;
        is_decided = emit_rule(&filter, &match);
        if (!is_decided)
            keep_near(&filter);
    }
    if (!is_decided)
        emit_verdict(&filter, ALLOW);
    emit_waiting(&filter);
    *ret = filter.code;
    *ret_count = filter.count;
    return 0;
}
