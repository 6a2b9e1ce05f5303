/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room seccomp: what a policy is before it is BPF, and the step from one to the other.
 *
 * A program has a part for each architecture. A part is the whole space of 32-bit system-call numbers cut into ranges, each with a decision:
 * an action, or clauses about arguments. Who makes a program (compile.c from a runtime-spec, profile.c from the default profile) knows names;
 * program.c knows only numbers. Source: seccomp(2), linux/seccomp.h, linux/filter.h (classic BPF).
 */
#pragma once

#include <linux/seccomp.h>
#include <stddef.h>

#include "oci/runtime_spec.h"
#include "seccomp/calls.h"
#include "seccomp/seccomp.h"

/* What a filter answers: SECCOMP_RET_* with its data. */
#define SECCOMP_DO_ERRNO(errnum) (SECCOMP_RET_ERRNO | (uint32_t)(errnum))

/* One comparison with an argument: argument OP value, or (argument & mask) == (value & mask) for OCI_SECCOMP_MASKED_EQ (only that one uses the mask). */
struct seccomp_check {
    uint8_t arg; /* 0 … 5 */
    enum oci_seccomp_op op;
    bool
        is_int; /* the kernel reads an int: bits 32 … 63 say nothing, and must not be a way around the check */
    uint64_t mask;
    uint64_t value;
};

/* If every check holds, do `action`. */
struct seccomp_clause {
    struct seccomp_check checks[6];
    size_t count;
    uint32_t action;
};

/* The numbers from `first` up to the next range's first have this decision. `weight`: how often a path ends here; heavier means shorter. */
struct seccomp_range {
    uint32_t first;
    uint32_t weight;
    uint16_t decision; /* index in seccomp_program.decisions */
};

/* The first clause that holds decides; then, if there are cases, the range of argument `case_arg` (an int); else `action`. */
struct seccomp_decision {
    uint32_t action;
    const struct seccomp_clause *const *clauses; /* borrowed */
    size_t clause_count;
    const struct seccomp_range
        *cases; /* borrowed; sorted, the first begins at 0; their decisions have no cases */
    size_t case_count;
    uint8_t case_arg;
};

#define SECCOMP_RANGES_MAX (2 * SECCOMP_NUMBERS + 8)
struct seccomp_part {
    uint32_t audit_arch; /* AUDIT_ARCH_* */
    bool is_64;          /* arguments are compared as 64-bit values */
    size_t count;
    struct seccomp_range ranges[SECCOMP_RANGES_MAX]; /* sorted; the first begins at 0 */
};

struct seccomp_program {
    struct seccomp_part parts[2]; /* the native architecture first */
    size_t part_count;
    uint32_t bad_arch; /* action for any other architecture */
    struct seccomp_decision *decisions;
    size_t decision_count, decision_room;
};
void seccomp_program_done(struct seccomp_program *program);

/* Adds a decision and yields its index; equal plain actions share one. -ENOMEM; -E2BIG beyond 65,535. */
int seccomp_program_decide(struct seccomp_program *program,
                           const struct seccomp_decision *decision);
int seccomp_program_act(struct seccomp_program *program, uint32_t action);

/* The next range of a part. Ranges are added in ascending order; one with the decision of its neighbour melts into that. */
void seccomp_part_add(struct seccomp_program *program, struct seccomp_part *part, uint32_t first,
                      int decision);

/* AUDIT_ARCH_* of a column; x32 shares x86_64's. */
uint32_t seccomp_arch_audit(enum seccomp_arch arch);

/* Programs for another machine than this one, for tests. `native` is SECCOMP_X86_64 or SECCOMP_AARCH64. */
int seccomp_compile_for(enum seccomp_arch native, const struct oci_seccomp *policy,
                        struct seccomp_filter *ret, struct cl_error *err);
int seccomp_default_for(enum seccomp_arch native, uint64_t capabilities, struct seccomp_filter *ret,
                        struct cl_error *err);

/* In how many groups of the default profile a call stands: 1, or the profile has a hole (tests). */
int seccomp_profile_groups_with(enum seccomp_call call);

/* The program as BPF: *ret gets code and count. -E2BIG (with `what` in the message) where it is longer than the kernel takes, -ENOMEM. */
int seccomp_program_emit(const struct seccomp_program *program, const char *what,
                         struct seccomp_filter *ret, struct cl_error *err);
