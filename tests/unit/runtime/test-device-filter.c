/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device filter of cgroup v2: what it answers is what the rules say, read one after the other; and the kernel takes it, however many there are.
 */
#include "runtime/device_filter.h"
#include "test.h"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEST_SEED 20261127

/* ---- a machine for it ---- */

struct asked {
    unsigned type, access, major, minor;
};

static uint64_t read_context(const struct asked *asked, int offset)
{
    return offset == 0   ? asked->access << 16 | asked->type
           : offset == 4 ? asked->major
           : offset == 8 ? asked->minor
                         : UINT64_MAX;
}

static uint64_t calculate(uint8_t operation, uint64_t left, uint64_t right)
{
    switch (operation) {
    case BPF_MOV:
        return right;
    case BPF_AND:
        return left & right;
    case BPF_OR:
        return left | right;
    case BPF_LSH:
        return left << right;
    default:
        return left >> right;
    }
}

static bool jumps(uint8_t operation, uint64_t left, uint64_t right)
{
    return operation == BPF_JA || (operation == BPF_JEQ && left == right) ||
           (operation == BPF_JSET && (left & right) != 0);
}

/* The answer; -1 for what goes wrong. */
static int answer(const struct device_instruction *code, size_t count, const struct asked *asked)
{
    uint64_t registers[16] = { 0 };
    for (size_t at = 0, steps = 0; at < count && steps < count; at++, steps++) {
        const struct device_instruction *one = &code[at];
        uint64_t *dst = &registers[one->registers & 15];
        uint64_t src = (one->opcode & BPF_X) != 0 ? registers[one->registers >> 4]
                                                  : (uint64_t)(int64_t)one->value;
        uint8_t operation = one->opcode & 0xf0;
        if (one->opcode == (BPF_JMP | BPF_EXIT))
            return (int)registers[0];
        if (one->opcode == (BPF_LD | BPF_IMM | BPF_DW)) {
            *dst = (uint32_t)one->value | (uint64_t)(uint32_t)code[at + 1].value << 32;
            at++;
        } else if ((one->opcode & 7) == BPF_LDX) {
            *dst = read_context(asked, one->offset);
        } else if ((one->opcode & 7) == BPF_ALU64) {
            *dst = calculate(operation, *dst, src);
        } else if ((one->opcode & 7) == BPF_JMP) {
            at += jumps(operation, *dst, src) ? (size_t)one->offset : 0;
        } else {
            return -1;
        }
    }
    return -1;
}

/* ---- the rules, read one after the other ---- */

static bool matches(const struct oci_device_rule *rule, const struct asked *asked)
{
    unsigned bits = device_access(rule->access);
    if (rule->type != OCI_DEVICE_ALL &&
        (rule->type == OCI_DEVICE_BLOCK) != (asked->type == BPF_DEVCG_DEV_BLOCK))
        return false;
    if (!device_is_any(&rule->major) && rule->major.value != asked->major)
        return false;
    if (!device_is_any(&rule->minor) && rule->minor.value != asked->minor)
        return false;
    if (bits == DEVICE_ALL_ACCESS)
        return true;
    return rule->allow ? (asked->access & ~bits) == 0 : (asked->access & bits) != 0;
}

static int expected(const struct oci_device_rule *rules, size_t count, const struct asked *asked)
{
    int result = 1;
    for (size_t i = 0; i < count; i++)
        result = matches(&rules[i], asked) ? rules[i].allow : result;
    return result;
}

/* ---- made up ---- */

static unsigned random_below(unsigned end)
{
    static uint64_t state = TEST_SEED;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % end;
}

static struct oci_opt_i64 random_number(bool is_major)
{
    /* Far ends of what there is, and what there is not. */
    static const int64_t majors[] = { 0, 1, 5, 136, 2048, 4095, 4096, 4097, INT64_C(1) << 32 };
    static const int64_t minors[] = { 0, 1, 3, 1048575, 1048576, 1048577, 5, INT64_C(1) << 40, 2 };
    unsigned choice = random_below(12);
    if (choice >= CL_COUNT(majors))
        return (struct oci_opt_i64){ .set = choice != 9, .value = choice == 10 ? -1 : 1 };
    return (struct oci_opt_i64){ .set = true, .value = (is_major ? majors : minors)[choice] };
}

static struct oci_device_rule random_rule(void)
{
    static const char *const access[] = { NULL, "", "rwm", "m", "r", "w", "rw", "rm", "wm", "mrw" };
    static const enum oci_device_type types[] = { OCI_DEVICE_ALL, OCI_DEVICE_CHAR,
                                                  OCI_DEVICE_BLOCK };
    return (struct oci_device_rule){
        .allow = random_below(2) == 1,
        .type = types[random_below(CL_COUNT(types))],
        .major = random_number(true),
        .minor = random_number(false),
        .access = (char *)(uintptr_t)access[random_below(CL_COUNT(access))], /* only read */
    };
}

static struct asked random_asked(void)
{
    static const unsigned majors[] = { 0, 1, 5, 136, 2048, 4095 };
    static const unsigned minors[] = { 0, 1, 2, 3, 5, 1048575 };
    return (struct asked){ .type = 1 + random_below(2),
                           .access = random_below(8),
                           .major = majors[random_below(CL_COUNT(majors))],
                           .minor = minors[random_below(CL_COUNT(minors))] };
}

/* ---- the kernel ---- */

/* A descriptor, or why not. */
static int load(const struct device_instruction *code, size_t count)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insn_cnt = (uint32_t)count;
    attributes.insns = (uint64_t)(uintptr_t)code;
    attributes.license = (uint64_t)(uintptr_t) "Apache-2.0";
    long result = syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
    return result < 0 ? -errno : (int)result;
}

static bool can_load(void)
{
    static const struct device_instruction least[] = {
        { .opcode = BPF_ALU64 | BPF_MOV | BPF_K, .value = 1 }, { .opcode = BPF_JMP | BPF_EXIT }
    };
    cl_auto_fd fd = load(least, CL_COUNT(least));
    return fd >= 0;
}

/* ---- */

TEST(it_answers_as_the_rules_do)
{
    bool loads = can_load();
    for (int round = 0; round < 300; round++) {
        struct oci_device_rule rules[12];
        size_t count = random_below(CL_COUNT(rules) + 1), size = 0;
        cl_auto_free struct device_instruction *code = NULL;
        for (size_t i = 0; i < count; i++)
            rules[i] = random_rule();
        REQUIRE(device_filter_compile(rules, count, &code, &size) == 0);
        for (int i = 0; i < 300; i++) {
            struct asked asked = random_asked();
            int answered = answer(code, size, &asked);
            if (answered != expected(rules, count, &asked))
                TEST_SAY("round %d: type %u access %u %u:%u: %d", round, asked.type, asked.access,
                         asked.major, asked.minor, answered);
        }
        cl_auto_fd fd = loads ? load(code, size) : 0;
        CHECK(fd >= 0);
    }
}

/* A jump reaches 32767 instructions. The kernel remembers at most 8192 jumps that it has not followed yet. */
TEST(many_rules_are_no_matter)
{
    const size_t count = 8000;
    size_t size = 0;
    cl_auto_free struct oci_device_rule *rules = cl_calloc(count, sizeof *rules);
    cl_auto_free struct device_instruction *code = NULL;
    REQUIRE(rules != NULL);
    rules[0].type = OCI_DEVICE_ALL;
    for (size_t i = 1; i < count; i++)
        rules[i] = (struct oci_device_rule){ .allow = i % 3 > 0,
                                             .type = OCI_DEVICE_CHAR,
                                             .major = { true, (int64_t)i % 4096 },
                                             .minor = { true, (int64_t)i } };
    REQUIRE(device_filter_compile(rules, count, &code, &size) == 0);
    for (unsigned i = 0; i <= count; i++) {
        const struct asked asked = { BPF_DEVCG_DEV_CHAR, 2, i % 4096, i };
        CHECK_INT(answer(code, size, &asked), i > 0 && i < count && i % 3 > 0);
    }
    cl_auto_fd fd = can_load() ? load(code, size) : 0;
    CHECK_INT(fd < 0 ? fd : 0, 0);
}

TEST_MAIN
