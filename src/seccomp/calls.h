/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room seccomp: the system calls by name and by number, from call_list.h. A call is an enumerator here (CALL_openat), so the default
 * profile is checked by the compiler and needs no look-up at run time.
 */
#pragma once

#include <linux/audit.h>
#include <stdbool.h>
#include <stdint.h>

/* The columns of call_list.h. */
enum seccomp_arch {
    SECCOMP_X86_64,
    SECCOMP_I386,
    SECCOMP_X32,
    SECCOMP_AARCH64,
    SECCOMP_ARM,
    SECCOMP_ARCH_COUNT,
    SECCOMP_NO_ARCH = SECCOMP_ARCH_COUNT
};

/* What this program was built for; SECCOMP_NO_ARCH where Cloche has no table. */
#if defined __x86_64__ && !defined __ILP32__
#define SECCOMP_NATIVE SECCOMP_X86_64
#elif defined __aarch64__
#define SECCOMP_NATIVE SECCOMP_AARCH64
#else
#define SECCOMP_NATIVE SECCOMP_NO_ARCH
#endif

#define SECCOMP_NO_NUMBER (-1)

/* The number of an x32 call is its number in the table with this bit; arm's private calls (set_tls …) lie from SECCOMP_ARM_PRIVATE on. */
#define SECCOMP_X32_BIT     UINT32_C(0x40000000)
#define SECCOMP_ARM_PRIVATE UINT32_C(0x0f0000)

/* Above every ordinary number of every architecture (x32's last is 547). */
#define SECCOMP_NUMBERS 576

enum seccomp_call {
#define SECCOMP_CALL(name, x86_64, i386, x32, aarch64, arm) CALL_##name,
#include "seccomp/call_list.h"
#undef SECCOMP_CALL
    CALL_COUNT
};

/* The id of a name, or -1. */
int seccomp_call_find(const char *name);
const char *seccomp_call_string(enum seccomp_call call);
/* SECCOMP_NO_NUMBER where the architecture lacks the call, and for SECCOMP_NO_ARCH. x32 numbers come without their bit. */
int seccomp_call_number(enum seccomp_call call, enum seccomp_arch arch);
/* The call with that number (x32: without its bit) on that architecture, or -1. Linear: for people, not for hot paths. */
int seccomp_call_by_number(uint32_t number, enum seccomp_arch arch);
