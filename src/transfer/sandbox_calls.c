/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that unpacking takes, as an allow-list; everything else answers ENOSYS (as on a kernel without it, so that a C library's
 * own fallbacks work), on a foreign architecture the process is killed.
 *
 * What the list must never hold: execve, clone, socket and its kin, mount and its kin, setns, unshare, bpf, ptrace, ioctl, keyctl, prctl: with them, the one
 * broad capability that we keep (sandbox.h says why) would be worth something.
 */
#include "transfer/sandbox.h"

#include "kernel/calls.h"
#include "seccomp/seccomp.h"

#define NAME(name) ((char *)(uintptr_t)(name))

static char *const plain_calls[] = {
    /* bytes */
    NAME("read"), NAME("readv"), NAME("pread64"), NAME("write"), NAME("writev"), NAME("pwrite64"),
    NAME("lseek"), NAME("close"), NAME("fcntl"), NAME("ftruncate"), NAME("fallocate"),
    NAME("close_range"),
    /* names, below a descriptor */
    NAME("openat"), NAME("openat2"), NAME("mkdirat"), NAME("mknodat"), NAME("symlinkat"),
    NAME("linkat"), NAME("unlinkat"), NAME("renameat"), NAME("renameat2"), NAME("readlinkat"),
    NAME("faccessat"), NAME("faccessat2"), NAME("getdents64"), NAME("fstat"), NAME("newfstatat"),
    NAME("statx"), NAME("fstatfs"),
    /* what an object is like */
    NAME("fchown"), NAME("fchownat"), NAME("fchmod"), NAME("fchmodat"), NAME("fchmodat2"),
    NAME("fsetxattr"), NAME("utimensat"), NAME("umask"),
    /* memory, clocks, the end */
    NAME("brk"), NAME("munmap"), NAME("mremap"), NAME("madvise"), NAME("futex"), NAME("getrandom"),
    NAME("clock_gettime"), NAME("gettimeofday"), NAME("uname"), NAME("capget"), NAME("getpid"),
    NAME("gettid"), NAME("geteuid"), NAME("getuid"), NAME("sched_yield"), NAME("sched_getaffinity"),
    NAME("restart_syscall"), NAME("rt_sigreturn"), NAME("rt_sigprocmask"), NAME("rt_sigaction"),
    NAME("exit"), NAME("exit_group"), NULL
};

static char *const memory_calls[] = { NAME("mmap"), NAME("mprotect"), NULL };
static char *const signal_calls[] = { NAME("kill"), NAME("tgkill"), NULL };

static struct oci_seccomp_rule rule(char *const *names, struct oci_seccomp_arg *arg)
{
    return (struct oci_seccomp_rule){ .names = (char **)(uintptr_t)names,
                                      .action = OCI_SECCOMP_ALLOW,
                                      .args = arg,
                                      .arg_count = arg == NULL ? 0 : 1 };
}

int sandbox_filter(struct cl_error *err)
{
    struct oci_seccomp_arg not_executable = { .index = 2, /* protection */
                                              .op = OCI_SECCOMP_MASKED_EQ,
                                              .value = 4, /* PROT_EXEC */
                                              .value_two = 0 };
    struct oci_seccomp_arg to_itself = { .op = OCI_SECCOMP_EQ, .value = (uint64_t)getpid() };
    struct oci_seccomp_rule rules[] = { rule(plain_calls, NULL),
                                        rule(memory_calls, &not_executable),
                                        rule(signal_calls, &to_itself) };
    const struct oci_seccomp policy = { .default_action = OCI_SECCOMP_ERRNO,
                                        .default_errno_ret = OCI_SOME(ENOSYS),
                                        .rules = rules,
                                        .rule_count = CL_COUNT(rules) };
    struct seccomp_filter filter = { 0 };
    int result = seccomp_compile(&policy, &filter, err);
    if (result < 0)
        return cl_error_prefix(err, "make the filter of cloche-transfer");
    result = k_seccomp_filter(filter.code, filter.count, filter.flags);
    seccomp_filter_done(&filter);
    return result < 0 ? cl_fail(err, result, "load the filter of cloche-transfer") : 0;
}
