/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A judge for filters: the rules by which the kernel takes a seccomp program (kernel/seccomp.c, net/core/filter.c: opcodes, aligned loads inside
 * of seccomp_data, jumps inside of the program, a return at the end) and an interpreter that counts steps. Used by the unit tests and the fuzz target.
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* NULL when the kernel would take it, else what is wrong. */
static inline const char *bpf_problem(const struct sock_filter *code, size_t count)
{
    if (count == 0 || count > BPF_MAXINSNS)
        return "length";
    for (size_t i = 0; i < count; i++) {
        size_t left = count - i - 1;
        switch (code[i].code) {
        case BPF_LD | BPF_W | BPF_ABS:
            if (code[i].k % 4 != 0 || code[i].k >= sizeof(struct seccomp_data))
                return "load outside of seccomp_data";
            break;
        case BPF_ALU | BPF_AND | BPF_K:
        case BPF_RET | BPF_K:
            break;
        case BPF_JMP | BPF_JA:
            if (code[i].k >= left)
                return "long jump outside";
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
        case BPF_JMP | BPF_JGT | BPF_K:
        case BPF_JMP | BPF_JGE | BPF_K:
        case BPF_JMP | BPF_JSET | BPF_K:
            if (code[i].jt >= left || code[i].jf >= left)
                return "jump outside";
            break;
        default:
            return "opcode";
        }
    }
    return code[count - 1].code == (BPF_RET | BPF_K) ? NULL : "no return at the end";
}

/* The program must have no problem. *ret_steps (may be NULL): instructions executed. *ret_reads (may be NULL): did it look at an argument? */
static inline uint32_t bpf_run(const struct sock_filter *code, const struct seccomp_data *data,
                               unsigned *ret_steps, bool *ret_reads)
{
    uint32_t a = 0;
    unsigned steps = 0;
    bool reads = false, taken;
    for (size_t i = 0;; i++) {
        steps++;
        switch (code[i].code) {
        case BPF_LD | BPF_W | BPF_ABS:
            memcpy(&a, (const char *)data + code[i].k, sizeof a);
            reads = reads || code[i].k >= offsetof(struct seccomp_data, args);
            continue;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= code[i].k;
            continue;
        case BPF_JMP | BPF_JA:
            i += code[i].k;
            continue;
        case BPF_RET | BPF_K:
            if (ret_steps != NULL)
                *ret_steps = steps;
            if (ret_reads != NULL)
                *ret_reads = reads;
            return code[i].k;
        case BPF_JMP | BPF_JEQ | BPF_K:
            taken = a == code[i].k;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            taken = a > code[i].k;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            taken = a >= code[i].k;
            break;
        default:
            taken = (a & code[i].k) != 0;
            break;
        }
        i += taken ? code[i].jt : code[i].jf;
    }
}
