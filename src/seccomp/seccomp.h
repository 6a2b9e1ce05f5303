/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room seccomp: a system-call policy becomes a classic BPF program. Pure data: loads nothing (kernel/calls.h does).
 *
 * The kernel runs a filter once per system call number when it is loaded (to build its allow bitmap) and again on each call that the bitmap doesn't allow,
 * so path length is what counts: rules are merged into ranges of numbers with one action, and the ranges become a balanced tree of comparisons per architecture;
 * argument conditions hang off the leaves. Compiling 40 ranges takes microseconds, so nothing needs to be cached on disk.
 * Uses base and oci.
 */
#pragma once

#include <linux/filter.h>

#include "base/base.h"
#include "oci/oci.h"

struct seccomp_filter {
    struct sock_filter *code; /* owned */
    size_t count;
    unsigned
        flags; /* SECCOMP_FILTER_FLAG_*, for the loader as they are; NEW_LISTENER is in when has_notify */
    bool has_notify;
};
void seccomp_filter_done(struct seccomp_filter *filter);

/*
 * linux.seccomp of a runtime-spec. Unknown actions or operators, an errno where the action takes none, and NOTIFY as default are errors with
 * their JSON path (-EINVAL); unknown system-call names are skipped (runtime-spec: names this kernel's table lacks) but listed by cl_debug("seccomp").
 * -E2BIG: longer than the 4,096 instructions that the kernel takes; -EOPNOTSUPP: no table for this machine. What the specification leaves open
 * (which of two rules wins, architectures, calls newer than the profile) is as in runc: src/seccomp/compile.c has the list.
 */
int seccomp_compile(const struct oci_seccomp *policy, struct seccomp_filter *ret,
                    struct cl_error *err);

/* Is each name of the rules a system call of some machine? Of the first that is none: -EINVAL with its JSON path. */
int seccomp_check_names(const struct oci_seccomp *policy, struct cl_error *err);

/*
 * Cloche's default profile for a container that holds `capabilities` (bit n: capability n): unknown calls ENOSYS, known and denied ones EPERM, AF_ALG, AF_VSOCK and
 * dead families EAFNOSUPPORT, clone/unshare of namespaces only with CAP_SYS_ADMIN (clone3: ENOSYS without it), x32 ENOSYS. i386: socketcall makes no sockets
 * (docs/decisions/005-seccomp-tree.md). About 220 instructions, made in about 10 microseconds: no need to keep it.
 */
int seccomp_default(uint64_t capabilities, struct seccomp_filter *ret, struct cl_error *err);

/*
 * The same profile as data, for `cloche inspect`, --explain and the lens: action for a call by name on this machine. *ret_capability: the capability that
 * opens the call, held or not, or -1 when none does or none is needed. SECCOMP_UNKNOWN: ENOSYS. SECCOMP_CONDITIONAL: the arguments decide.
 */
enum seccomp_verdict { SECCOMP_ALLOWED, SECCOMP_DENIED, SECCOMP_UNKNOWN, SECCOMP_CONDITIONAL };
enum seccomp_verdict seccomp_default_verdict(const char *name, uint64_t capabilities,
                                             int *ret_capability);
/* What a filter answers to one call of the native architecture: its SECCOMP_RET_* with data. -ENOENT: no such call here. */
int seccomp_filter_ask(const struct seccomp_filter *filter, const char *name,
                       const uint64_t arguments[static 6], uint32_t *ret_action);
bool seccomp_call_exists(const char *name);          /* on this machine */
const char *seccomp_call_name(unsigned long number); /* of the native architecture, or NULL */
