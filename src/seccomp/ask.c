/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a filter as the kernel would, for the question what it answers. Only the instructions that program.c emits.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "seccomp/program.h"

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
    uint32_t word = 0;
    if (offset <= sizeof *data - sizeof word)
        memcpy(&word, (const char *)data + offset, sizeof word);
    return word;
}

static int is_taken(const struct sock_filter *at, uint32_t value)
{
    switch (BPF_OP(at->code)) {
    case BPF_JEQ:
        return value == at->k;
    case BPF_JGT:
        return value > at->k;
    case BPF_JGE:
        return value >= at->k;
    case BPF_JSET:
        return (value & at->k) != 0;
    default:
        return -EINVAL;
    }
}

static int run(const struct seccomp_filter *filter, const struct seccomp_data *data, uint32_t *ret)
{
    uint32_t value = 0;
    for (size_t i = 0; i < filter->count; i++) { /* jumps only go forward: it ends */
        const struct sock_filter *at = &filter->code[i];
        int taken;
        switch (BPF_CLASS(at->code)) {
        case BPF_LD:
            value = load(data, at->k);
            break;
        case BPF_ALU:
            value &= at->k;
            break;
        case BPF_RET:
            *ret = at->k;
            return 0;
        case BPF_JMP:
            if (BPF_OP(at->code) == BPF_JA) {
                i += at->k;
                break;
            }
            taken = is_taken(at, value);
            if (taken < 0)
                return taken;
            i += taken != 0 ? at->jt : at->jf;
            break;
        default:
            return -EINVAL;
        }
    }
    return -EINVAL;
}

int seccomp_filter_ask(const struct seccomp_filter *filter, const char *name,
                       const uint64_t arguments[static 6], uint32_t *ret_action)
{
    int call = seccomp_call_find(name);
    int number =
        call < 0 ? SECCOMP_NO_NUMBER : seccomp_call_number((enum seccomp_call)call, SECCOMP_NATIVE);
    if (number == SECCOMP_NO_NUMBER)
        return -ENOENT;
    struct seccomp_data data = { .nr = number, .arch = seccomp_arch_audit(SECCOMP_NATIVE) };
    for (size_t i = 0; i < 6; i++)
        data.args[i] = arguments[i];
    return run(filter, &data, ret_action);
}

bool seccomp_call_exists(const char *name)
{
    int call = seccomp_call_find(name);
    return call >= 0 && seccomp_call_number((enum seccomp_call)call, SECCOMP_NATIVE) >= 0;
}
