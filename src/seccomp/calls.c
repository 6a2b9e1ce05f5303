/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and numbers of system calls: one constant table, sorted by name, made from call_list.h.
 */
#include "seccomp/calls.h"

#include <stddef.h>
#include <string.h>

#include "seccomp/seccomp.h"

struct call {
    char name[32]; /* in place: 500 pointers would be 500 relocations at each start of a program */
    int32_t numbers[SECCOMP_ARCH_COUNT];
};

#define NO SECCOMP_NO_NUMBER
static const struct call calls[CALL_COUNT] = {
#define SECCOMP_CALL(name, x86_64, i386, x32, aarch64, arm)                                        \
    { #name, { x86_64, i386, x32, aarch64, arm } },
#include "seccomp/call_list.h"
#undef SECCOMP_CALL
};

int seccomp_call_find(const char *name)
{
    int low = 0, high = CALL_COUNT;
    while (low < high) {
        int middle = (low + high) / 2;
        int order = strcmp(name, calls[middle].name);
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

const char *seccomp_call_string(enum seccomp_call call)
{
    return calls[call].name;
}

int seccomp_call_number(enum seccomp_call call, enum seccomp_arch arch)
{
    return arch < SECCOMP_ARCH_COUNT ? calls[call].numbers[arch] : SECCOMP_NO_NUMBER;
}

int seccomp_call_by_number(uint32_t number, enum seccomp_arch arch)
{
    if (arch >= SECCOMP_ARCH_COUNT || number > INT32_MAX)
        return -1;
    for (int call = 0; call < CALL_COUNT; call++) {
        if (calls[call].numbers[arch] == (int32_t)number)
            return call;
    }
    return -1;
}

const char *seccomp_call_name(unsigned long number)
{
    int call = number > INT32_MAX ? -1 : seccomp_call_by_number((uint32_t)number, SECCOMP_NATIVE);
    return call < 0 ? NULL : calls[call].name;
}
