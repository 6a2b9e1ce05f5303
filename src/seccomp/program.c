/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From ranges and decisions to classic BPF.
 *
 * BPF jumps forward only, and a conditional jump reaches 255 instructions. So the code is written backwards, from its last instruction to its
 * first: whatever a jump leads to exists already, and a target that has got too far away gets a hop (a copy of the return it leads to, or a long
 * jump) right behind the jump. A label is the number of instructions from the end of the program, so it stays true while the program grows.
 *
 * The ranges of a part become a tree of comparisons, cut where the weights on both sides are most alike: the kernel walks it once for each
 * system-call number when a filter is loaded, and afterwards only for calls that aren't allowed whatever their arguments are.
 */
#include "seccomp/program.h"

#include <errno.h>
#include <string.h>

#define FAR 255 /* what jt and jf can hold */

struct emitter {
    const struct seccomp_program *program;
    const struct seccomp_part *part;
    struct sock_filter *code; /* BPF_MAXINSNS long, filled from its end */
    uint32_t used;
    bool is_full;
    uint32_t *labels; /* per decision of the part at work; 0: not written yet */
    struct {
        uint32_t action, label;
    } returns[16]; /* the latest copies of returns */
    size_t return_count, return_next;
};

uint32_t seccomp_arch_audit(enum seccomp_arch arch)
{
    static const uint32_t audit[SECCOMP_ARCH_COUNT] = {
        [SECCOMP_X86_64] = AUDIT_ARCH_X86_64, [SECCOMP_I386] = AUDIT_ARCH_I386,
        [SECCOMP_X32] = AUDIT_ARCH_X86_64,    [SECCOMP_AARCH64] = AUDIT_ARCH_AARCH64,
        [SECCOMP_ARM] = AUDIT_ARCH_ARM,
    };
    return audit[arch];
}

void seccomp_program_done(struct seccomp_program *program)
{
    if (program == NULL)
        return;
    free(program->decisions);
    program->decisions = NULL;
    program->decision_count = program->decision_room = 0;
}

void seccomp_filter_done(struct seccomp_filter *filter)
{
    if (filter == NULL)
        return;
    free(filter->code);
    *filter = (struct seccomp_filter){ 0 };
}

int seccomp_program_decide(struct seccomp_program *program, const struct seccomp_decision *decision)
{
    if (program->decision_count == program->decision_room) {
        size_t room = program->decision_room > 0 ? 2 * program->decision_room : 32;
        if (room > 1 + (size_t)UINT16_MAX)
            return -E2BIG;
        void *bigger = cl_realloc(program->decisions, room * sizeof *program->decisions);
        if (bigger == NULL)
            return -ENOMEM;
        program->decisions = bigger;
        program->decision_room = room;
    }
    program->decisions[program->decision_count] = *decision;
    return (int)program->decision_count++;
}

static bool is_plain(const struct seccomp_decision *decision)
{
    return decision->clause_count == 0 && decision->case_count == 0;
}

int seccomp_program_act(struct seccomp_program *program, uint32_t action)
{
    for (size_t i = 0; i < program->decision_count; i++) {
        if (is_plain(&program->decisions[i]) && program->decisions[i].action == action)
            return (int)i;
    }
    return seccomp_program_decide(program, &(struct seccomp_decision){ .action = action });
}

/*
 * The kernel asks once for each number of its table (so a range weighs its share of that), and then at run time only where arguments or a
 * refusal matter: a call with clauses is worth shortening.
 */
static uint32_t range_weight(const struct seccomp_program *program, uint32_t first, uint32_t next,
                             uint16_t decision)
{
    enum { TABLE = 470, CONDITIONAL = 48 };
    uint32_t end = next < TABLE ? next : TABLE;
    return 1 + (first < end ? end - first : 0) +
           (is_plain(&program->decisions[decision]) ? 0 : CONDITIONAL);
}

void seccomp_part_add(struct seccomp_program *program, struct seccomp_part *part, uint32_t first,
                      int decision)
{
    struct seccomp_range *last = part->count > 0 ? &part->ranges[part->count - 1] : NULL;
    if (last != NULL && last->decision == decision)
        return;
    if (last != NULL)
        last->weight = range_weight(program, last->first, first, last->decision);
    if (part->count == SECCOMP_RANGES_MAX)
        abort(); /* allowed: two tables of numbers and their borders fit */
    part->ranges[part->count++] =
        (struct seccomp_range){ .first = first, .weight = 1, .decision = (uint16_t)decision };
}

/* ---- Instructions, from the last to the first ---- */

static uint32_t emit(struct emitter *emitter, struct sock_filter instruction)
{
    if (emitter->used == BPF_MAXINSNS)
        emitter->is_full = true;
    else
        emitter->code[BPF_MAXINSNS - ++emitter->used] = instruction;
    return emitter->used;
}

static uint32_t emit_return(struct emitter *emitter, uint32_t action)
{
    uint32_t label = emit(emitter, (struct sock_filter){ .code = BPF_RET | BPF_K, .k = action });
    size_t i = 0;
    while (i < emitter->return_count && emitter->returns[i].action != action)
        i++;
    if (i == CL_COUNT(emitter->returns)) {
        i = emitter->return_next;
        emitter->return_next = (i + 1) % CL_COUNT(emitter->returns);
    } else if (i == emitter->return_count) {
        emitter->return_count++;
    }
    emitter->returns[i].action = action;
    emitter->returns[i].label = label;
    return label;
}

/* A return of `action` that the next instructions can reach. */
static uint32_t return_label(struct emitter *emitter, uint32_t action)
{
    for (size_t i = 0; i < emitter->return_count; i++) {
        if (emitter->returns[i].action == action &&
            emitter->used - emitter->returns[i].label < FAR - 16)
            return emitter->returns[i].label;
    }
    return emit_return(emitter, action);
}

/* A stand-in for `target` right here. */
static uint32_t hop(struct emitter *emitter, uint32_t target)
{
    const struct sock_filter *there = &emitter->code[BPF_MAXINSNS - target];
    if (there->code == (BPF_RET | BPF_K))
        return emit_return(emitter, there->k);
    return emit(emitter,
                (struct sock_filter){ .code = BPF_JMP | BPF_JA, .k = emitter->used - target });
}

static uint32_t branch(struct emitter *emitter, uint16_t comparison, uint32_t value, uint32_t yes,
                       uint32_t no)
{
    if (yes == no)
        return yes;
    while (!emitter->is_full && (emitter->used - yes > FAR || emitter->used - no > FAR)) {
        if (emitter->used - yes > FAR)
            yes = hop(emitter, yes);
        else
            no = hop(emitter, no);
    }
    return emit(emitter, (struct sock_filter){ .code = (uint16_t)(BPF_JMP | BPF_K | comparison),
                                               .jt = (uint8_t)(emitter->used - yes),
                                               .jf = (uint8_t)(emitter->used - no),
                                               .k = value });
}

/* An instruction that falls through to `next`. */
static uint32_t before(struct emitter *emitter, uint16_t code, uint32_t value, uint32_t next)
{
    if (next != emitter->used)
        hop(emitter, next);
    return emit(emitter, (struct sock_filter){ .code = code, .k = value });
}

static uint32_t load(struct emitter *emitter, size_t offset, uint32_t next)
{
    return before(emitter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, next);
}

/* ---- Arguments ---- */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "where the halves of an argument lie");
enum half { LOW, HIGH };

static uint32_t load_half(struct emitter *emitter, uint8_t arg, enum half half, uint32_t next)
{
    return load(emitter, offsetof(struct seccomp_data, args) + 8 * (size_t)arg + 4 * half, next);
}

static bool is_wide(const struct emitter *emitter, const struct seccomp_check *check)
{
    return emitter->part->is_64 && !check->is_int;
}

/* (half of the argument & mask) == value */
static uint32_t half_equals(struct emitter *emitter, const struct seccomp_check *check,
                            enum half half, uint32_t yes, uint32_t no)
{
    uint64_t full_mask = check->op == OCI_SECCOMP_MASKED_EQ ? check->mask : UINT64_MAX;
    uint32_t mask = (uint32_t)(half == HIGH ? full_mask >> 32 : full_mask);
    uint32_t value = (uint32_t)(half == HIGH ? check->value >> 32 : check->value);
    value &= mask;
    if (mask == 0 || yes == no)
        return yes;
    uint32_t test;
    if (mask == UINT32_MAX)
        test = branch(emitter, BPF_JEQ, value, yes, no);
    else if (value == 0)
        test = branch(emitter, BPF_JSET, mask, no, yes);
    else
        test = before(emitter, BPF_ALU | BPF_AND | BPF_K, mask,
                      branch(emitter, BPF_JEQ, value, yes, no));
    return load_half(emitter, check->arg, half, test);
}

/* argument > value, or >= */
static uint32_t exceeds(struct emitter *emitter, const struct seccomp_check *check,
                        uint16_t comparison, uint32_t yes, uint32_t no)
{
    uint32_t label = branch(emitter, comparison, (uint32_t)check->value, yes, no);
    label = load_half(emitter, check->arg, LOW, label);
    if (!is_wide(emitter, check))
        return label;
    uint32_t high = (uint32_t)(check->value >> 32);
    label = branch(emitter, BPF_JEQ, high, label, no);
    label = branch(emitter, BPF_JGT, high, yes, label);
    return load_half(emitter, check->arg, HIGH, label);
}

static uint32_t emit_check(struct emitter *emitter, const struct seccomp_check *check, uint32_t yes,
                           uint32_t no)
{
    switch (check->op) {
    case OCI_SECCOMP_GT:
        return exceeds(emitter, check, BPF_JGT, yes, no);
    case OCI_SECCOMP_GE:
        return exceeds(emitter, check, BPF_JGE, yes, no);
    case OCI_SECCOMP_LE:
        return exceeds(emitter, check, BPF_JGT, no, yes);
    case OCI_SECCOMP_LT:
        return exceeds(emitter, check, BPF_JGE, no, yes);
    case OCI_SECCOMP_NE: {
        uint32_t swapped = yes;
        yes = no;
        no = swapped;
        break;
    }
    case OCI_SECCOMP_EQ:
    case OCI_SECCOMP_MASKED_EQ:
        break;
    }
    uint32_t label = half_equals(emitter, check, LOW, yes, no);
    return is_wide(emitter, check) ? half_equals(emitter, check, HIGH, label, no) : label;
}

/* ---- Clauses ---- */

static bool is_single_equal(const struct seccomp_clause *clause)
{
    return clause->count == 1 && clause->checks[0].op == OCI_SECCOMP_EQ;
}

/* Could the two share the loads of the argument's halves? */
static bool is_alike(const struct seccomp_clause *a, const struct seccomp_clause *b)
{
    return is_single_equal(a) && is_single_equal(b) && a->checks[0].arg == b->checks[0].arg &&
           a->checks[0].is_int == b->checks[0].is_int &&
           a->checks[0].value >> 32 == b->checks[0].value >> 32;
}

/* Many values of one argument, as in the peers' profiles for socket and personality: load once, compare many times. */
static uint32_t emit_values(struct emitter *emitter, const struct seccomp_clause *const *clauses,
                            size_t count, uint32_t next)
{
    const struct seccomp_check *check = &clauses[0]->checks[0];
    uint32_t label = next;
    for (size_t i = count; i-- > 0;) {
        uint32_t yes = return_label(emitter, clauses[i]->action);
        label = branch(emitter, BPF_JEQ, (uint32_t)clauses[i]->checks[0].value, yes, label);
    }
    label = load_half(emitter, check->arg, LOW, label);
    if (!is_wide(emitter, check))
        return label;
    label = branch(emitter, BPF_JEQ, (uint32_t)(check->value >> 32), label, next);
    return load_half(emitter, check->arg, HIGH, label);
}

static uint32_t emit_clauses(struct emitter *emitter, const struct seccomp_decision *decision,
                             uint32_t next)
{
    const struct seccomp_clause *const *clauses = decision->clauses;
    size_t end = decision->clause_count;
    while (end > 0) {
        size_t start = end - 1;
        while (start > 0 && is_alike(clauses[start - 1], clauses[end - 1]))
            start--;
        if (end - start > 1) {
            next = emit_values(emitter, clauses + start, end - start, next);
        } else {
            uint32_t label = return_label(emitter, clauses[start]->action);
            for (size_t i = clauses[start]->count; i-- > 0;)
                label = emit_check(emitter, &clauses[start]->checks[i], label, next);
            next = label;
        }
        end = start;
    }
    return next;
}

/* ---- The tree ---- */

static uint32_t emit_decision(struct emitter *emitter, uint16_t index);

/*
 * A leaf of the tree: neighbouring ranges that have the decision `base`, but for a few single numbers. Those are asked for one by one, which takes
 * half the instructions of cutting them out, and no longer paths.
 */
struct leaf {
    const struct seccomp_range *ranges;
    size_t count;
    uint32_t weight;
    uint16_t base;
};
enum { SINGLES_MAX = 3 };

/* How many ranges from the first on make a leaf with that base. */
static size_t leaf_length(const struct seccomp_range *ranges, size_t count, uint16_t base)
{
    size_t length = 0, singles = 0;
    for (; length < count; length++) {
        if (ranges[length].decision == base)
            continue;
        bool is_single = length + 1 < count && ranges[length + 1].first - ranges[length].first == 1;
        if (!is_single || ++singles > SINGLES_MAX)
            break;
    }
    return length;
}

static struct leaf next_leaf(const struct seccomp_range *ranges, size_t count)
{
    struct leaf leaf = { .ranges = ranges, .base = ranges[0].decision };
    leaf.count = leaf_length(ranges, count, leaf.base);
    if (count > 1) {
        size_t other = leaf_length(ranges, count, ranges[1].decision);
        if (other > leaf.count) {
            leaf.count = other;
            leaf.base = ranges[1].decision;
        }
    }
    for (size_t i = 0; i < leaf.count; i++)
        leaf.weight += ranges[i].weight;
    return leaf;
}

static uint32_t emit_leaf(struct emitter *emitter, const struct leaf *leaf)
{
    uint32_t label = emit_decision(emitter, leaf->base);
    for (size_t i = leaf->count; i-- > 0;) {
        const struct seccomp_range *range = &leaf->ranges[i];
        if (range->decision == leaf->base)
            continue;
        uint32_t yes = emit_decision(emitter, range->decision);
        label = branch(emitter, BPF_JEQ, range->first, yes, label);
    }
    return label;
}

/* Where to cut: both sides weigh about the same. */
static size_t middle(const struct leaf *leaves, size_t count)
{
    uint64_t total = 0, left = 0;
    for (size_t i = 0; i < count; i++)
        total += leaves[i].weight;
    size_t best = 1;
    uint64_t least = UINT64_MAX;
    for (size_t i = 1; i < count; i++) {
        left += leaves[i - 1].weight;
        uint64_t difference = 2 * left > total ? 2 * left - total : total - 2 * left;
        if (difference < least) {
            least = difference;
            best = i;
        }
    }
    return best;
}

/* Depth is bounded by the number of leaves (a thousand), and far less with sane weights. */
static uint32_t emit_cuts(struct emitter *emitter, const struct leaf *leaves, size_t count)
{
    if (count == 1)
        return emit_leaf(emitter, leaves);
    size_t cut = middle(leaves, count);
    uint32_t yes = emit_cuts(emitter, leaves + cut, count - cut);
    uint32_t no = emit_cuts(emitter, leaves, cut);
    return branch(emitter, BPF_JGE, leaves[cut].ranges[0].first, yes, no);
}

static uint32_t emit_tree(struct emitter *emitter, const struct seccomp_range *ranges, size_t count)
{
    struct leaf leaves[SECCOMP_RANGES_MAX];
    size_t used = 0;
    for (size_t at = 0; at < count; at += leaves[used++].count)
        leaves[used] = next_leaf(ranges + at, count - at);
    return emit_cuts(emitter, leaves, used);
}

static uint32_t emit_decision(struct emitter *emitter, uint16_t index)
{
    const struct seccomp_decision *decision = &emitter->program->decisions[index];
    if (is_plain(decision))
        return return_label(emitter, decision->action);
    if (emitter->labels[index] == 0) {
        uint32_t next;
        if (decision->case_count > 0)
            next = load_half(emitter, decision->case_arg, LOW,
                             emit_tree(emitter, decision->cases, decision->case_count));
        else
            next = return_label(emitter, decision->action);
        emitter->labels[index] = emit_clauses(emitter, decision, next);
    }
    return emitter->labels[index];
}

static uint32_t emit_part(struct emitter *emitter, const struct seccomp_part *part)
{
    emitter->part = part;
    memset(emitter->labels, 0, emitter->program->decision_count * sizeof *emitter->labels);
    uint32_t root = emit_tree(emitter, part->ranges, part->count);
    if (part->count == 1 && is_plain(&emitter->program->decisions[part->ranges[0].decision]))
        return root;
    return load(emitter, offsetof(struct seccomp_data, nr), root);
}

static void emit_program(struct emitter *emitter)
{
    const struct seccomp_program *program = emitter->program;
    uint32_t parts[CL_COUNT(program->parts)];
    for (size_t i = program->part_count; i-- > 0;)
        parts[i] = emit_part(emitter, &program->parts[i]);
    uint32_t label = return_label(emitter, program->bad_arch);
    for (size_t i = program->part_count; i-- > 0;)
        label = branch(emitter, BPF_JEQ, program->parts[i].audit_arch, parts[i], label);
    load(emitter, offsetof(struct seccomp_data, arch), label);
}

int seccomp_program_emit(const struct seccomp_program *program, const char *what,
                         struct seccomp_filter *ret, struct cl_error *err)
{
    cl_auto_free struct sock_filter *space = cl_malloc(BPF_MAXINSNS * sizeof *space);
    cl_auto_free uint32_t *labels = cl_calloc(program->decision_count + 1, sizeof *labels);
    if (space == NULL || labels == NULL)
        return cl_fail(err, ENOMEM, "compile %s", what);
    struct emitter emitter = { .program = program, .code = space, .labels = labels };
    emit_program(&emitter);
    if (emitter.is_full)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, E2BIG,
                            "%s needs more than the %d instructions that the kernel takes; have "
                            "fewer rules with args",
                            what, BPF_MAXINSNS);
    struct sock_filter *code = cl_malloc(emitter.used * sizeof *code);
    if (code == NULL)
        return cl_fail(err, ENOMEM, "compile %s", what);
    memcpy(code, space + BPF_MAXINSNS - emitter.used, emitter.used * sizeof *code);
    ret->code = code;
    ret->count = emitter.used;
    return 0;
}
