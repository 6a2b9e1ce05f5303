/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloche's default profile: what a container may ask of the kernel.
 *
 * Every system call of call_list.h is in exactly one group below (a test counts), so a new call is a decision, not an accident. What is allowed
 * is what Docker or Podman allow by default, less what only one of them allows and few miss; what is gated opens with the same capability
 * as there. A call that no group lets through fails with EPERM. ENOSYS is for what the container should take for missing, so that its C library falls
 * back: numbers without a name here, calls that kernels have dropped, calls too new to have been judged, and clone3 (its flags lie in memory that a
 * filter can't read). Sources: moby's profiles/seccomp, containers-common's seccomp.json, capabilities(7); docs/decisions/005-seccomp-tree.md.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "seccomp/program.h"

#define LIST(...) .calls = { __VA_ARGS__, CALL_COUNT }
#define C(name)   CALL_##name
#define CAP(name) (UINT64_C(1) << CAP_##name)

enum kind {
    ALLOW,       /* always */
    GATED,       /* with any of the capabilities; otherwise EPERM */
    HIDDEN,      /* with any of the capabilities; otherwise ENOSYS */
    CONDITIONAL, /* depends on arguments, unless one of the capabilities is held */
    REFUSE,      /* EPERM */
    ABSENT,      /* ENOSYS */
};

struct group {
    enum kind kind;
    int capability;     /* the one to ask for, or -1 */
    uint64_t any_of;    /* capabilities that open the group; 0: none does */
    uint16_t calls[80]; /* ended by CALL_COUNT */
};

#define ALWAYS          .kind = ALLOW, .capability = -1
#define NEVER(how)      .kind = how, .capability = -1
#define WITH(how, name) .kind = how, .capability = CAP_##name, .any_of = CAP(name)
#define WITH_OR_ADMIN(how, name)                                                                   \
    .kind = how, .capability = CAP_##name, .any_of = CAP(name) | CAP(SYS_ADMIN)

/* clang-format off */
static const struct group groups[] = {
    /* ---- Always ---- */
    { ALWAYS, LIST( /* opening, closing, copying descriptors */
        C(open), C(openat), C(openat2), C(creat), C(close), C(close_range), C(dup), C(dup2), C(dup3), C(fcntl), C(fcntl64), C(flock), C(ioctl),
        C(name_to_handle_at), C(pipe), C(pipe2), C(memfd_create), C(memfd_secret)) },
    { ALWAYS, LIST( /* reading and writing */
        C(read), C(readv), C(pread64), C(preadv), C(preadv2), C(write), C(writev), C(pwrite64), C(pwritev), C(pwritev2), C(lseek), C(_llseek),
        C(sendfile), C(sendfile64), C(splice), C(tee), C(vmsplice), C(copy_file_range), C(readahead), C(cachestat), C(fadvise64), C(fadvise64_64),
        C(arm_fadvise64_64), C(fallocate), C(truncate), C(truncate64), C(ftruncate), C(ftruncate64), C(fsync), C(fdatasync), C(sync), C(syncfs),
        C(sync_file_range), C(sync_file_range2), C(arm_sync_file_range)) },
    { ALWAYS, LIST( /* directories and names; mknod makes pipes, devices need CAP_MKNOD and the device cgroup */
        C(chdir), C(fchdir), C(getcwd), C(getdents), C(getdents64), C(readdir), C(link), C(linkat), C(symlink), C(symlinkat), C(readlink),
        C(readlinkat), C(unlink), C(unlinkat), C(rename), C(renameat), C(renameat2), C(mkdir), C(mkdirat), C(rmdir), C(mknod), C(mknodat)) },
    { ALWAYS, LIST( /* what inodes and file systems say of themselves */
        C(stat), C(stat64), C(lstat), C(lstat64), C(fstat), C(fstat64), C(newfstatat), C(fstatat64), C(statx), C(statfs), C(statfs64), C(fstatfs),
        C(fstatfs64), C(statmount), C(listmount), C(access), C(faccessat), C(faccessat2), C(umask), C(chmod), C(fchmod), C(fchmodat), C(fchmodat2),
        C(chown), C(chown32), C(fchown), C(fchown32), C(lchown), C(lchown32), C(fchownat), C(utime), C(utimes), C(futimesat), C(utimensat),
        C(utimensat_time64), C(getxattr), C(lgetxattr), C(fgetxattr), C(getxattrat), C(setxattr), C(lsetxattr), C(fsetxattr), C(setxattrat),
        C(listxattr), C(llistxattr), C(flistxattr), C(listxattrat), C(removexattr), C(lremovexattr), C(fremovexattr), C(removexattrat)) },
    { ALWAYS, LIST( /* waiting for descriptors */
        C(poll), C(ppoll), C(ppoll_time64), C(select), C(_newselect), C(pselect6), C(pselect6_time64), C(epoll_create), C(epoll_create1),
        C(epoll_ctl), C(epoll_wait), C(epoll_pwait), C(epoll_pwait2), C(eventfd), C(eventfd2), C(signalfd), C(signalfd4), C(timerfd_create),
        C(timerfd_settime), C(timerfd_settime64), C(timerfd_gettime), C(timerfd_gettime64), C(inotify_init), C(inotify_init1),
        C(inotify_add_watch), C(inotify_rm_watch), C(fanotify_mark), C(io_setup), C(io_destroy), C(io_submit), C(io_cancel), C(io_getevents),
        C(io_pgetevents), C(io_pgetevents_time64)) },
    { ALWAYS, LIST( /* sockets that exist already (making one: see the conditions) */
        C(bind), C(connect), C(listen), C(accept), C(accept4), C(getsockname), C(getpeername), C(getsockopt), C(setsockopt), C(shutdown), C(send),
        C(sendto), C(sendmsg), C(sendmmsg), C(recv), C(recvfrom), C(recvmsg), C(recvmmsg), C(recvmmsg_time64)) },
    { ALWAYS, LIST( /* memory */
        C(brk), C(mmap), C(mmap2), C(munmap), C(mremap), C(mprotect), C(pkey_mprotect), C(pkey_alloc), C(pkey_free), C(madvise), C(mincore),
        C(msync), C(mlock), C(mlock2), C(mlockall), C(munlock), C(munlockall), C(remap_file_pages), C(map_shadow_stack), C(mseal),
        C(membarrier)) },
    { ALWAYS, LIST( /* processes and threads; ptrace can't step around a filter since Linux 4.8 */
        C(fork), C(vfork), C(execve), C(execveat), C(exit), C(exit_group), C(wait4), C(waitid), C(waitpid), C(getpid), C(getppid), C(gettid),
        C(getpgid), C(setpgid), C(getpgrp), C(getsid), C(setsid), C(prctl), C(set_tid_address), C(set_robust_list), C(get_robust_list), C(rseq),
        C(getcpu), C(pidfd_open), C(pidfd_send_signal), C(process_mrelease), C(ptrace), C(process_vm_readv), C(process_vm_writev),
        C(set_thread_area), C(get_thread_area), C(arch_prctl), C(modify_ldt), C(set_tls), C(cacheflush), C(breakpoint), C(uname), C(sysinfo),
        C(getrandom)) },
    { ALWAYS, LIST( /* the kernel itself plants these where the host's administrator put a probe: refusing them would crash the probed program */
        C(uprobe), C(uretprobe)) },
    { ALWAYS, LIST( /* more confinement of one's own */
        C(seccomp), C(landlock_create_ruleset), C(landlock_add_rule), C(landlock_restrict_self)) },
    { ALWAYS, LIST( /* identity: capabilities decide */
        C(getuid), C(getuid32), C(geteuid), C(geteuid32), C(getgid), C(getgid32), C(getegid), C(getegid32), C(getresuid), C(getresuid32),
        C(getresgid), C(getresgid32), C(getgroups), C(getgroups32), C(setuid), C(setuid32), C(setgid), C(setgid32), C(setreuid), C(setreuid32),
        C(setregid), C(setregid32), C(setresuid), C(setresuid32), C(setresgid), C(setresgid32), C(setgroups), C(setgroups32), C(setfsuid),
        C(setfsuid32), C(setfsgid), C(setfsgid32), C(capget), C(capset)) },
    { ALWAYS, LIST( /* signals */
        C(kill), C(tkill), C(tgkill), C(pause), C(alarm), C(sigaltstack), C(sigprocmask), C(sigreturn), C(rt_sigaction), C(rt_sigprocmask),
        C(rt_sigpending), C(rt_sigsuspend), C(rt_sigtimedwait), C(rt_sigtimedwait_time64), C(rt_sigqueueinfo), C(rt_tgsigqueueinfo),
        C(rt_sigreturn), C(restart_syscall)) },
    { ALWAYS, LIST( /* time; adjtimex also reads, and asks for CAP_SYS_TIME itself where it writes */
        C(time), C(gettimeofday), C(clock_gettime), C(clock_gettime64), C(clock_getres), C(clock_getres_time64), C(clock_nanosleep),
        C(clock_nanosleep_time64), C(clock_adjtime), C(clock_adjtime64), C(adjtimex), C(nanosleep), C(times), C(getitimer), C(setitimer),
        C(timer_create), C(timer_delete), C(timer_settime), C(timer_settime64), C(timer_gettime), C(timer_gettime64), C(timer_getoverrun)) },
    { ALWAYS, LIST( /* scheduling and limits */
        C(sched_yield), C(sched_getaffinity), C(sched_setaffinity), C(sched_getparam), C(sched_setparam), C(sched_getscheduler),
        C(sched_setscheduler), C(sched_getattr), C(sched_setattr), C(sched_get_priority_max), C(sched_get_priority_min),
        C(sched_rr_get_interval), C(sched_rr_get_interval_time64), C(getpriority), C(setpriority), C(ioprio_get), C(ioprio_set), C(getrlimit),
        C(ugetrlimit), C(setrlimit), C(prlimit64), C(getrusage)) },
    { ALWAYS, LIST( /* between processes: futexes, System V (in the container's own IPC namespace), message queues */
        C(futex), C(futex_time64), C(futex_waitv), C(futex_wait), C(futex_wake), C(futex_requeue), C(ipc), C(msgget), C(msgsnd), C(msgrcv),
        C(msgctl), C(semget), C(semop), C(semtimedop), C(semtimedop_time64), C(semctl), C(shmget), C(shmat), C(shmdt), C(shmctl), C(mq_open),
        C(mq_unlink), C(mq_timedsend), C(mq_timedsend_time64), C(mq_timedreceive), C(mq_timedreceive_time64), C(mq_notify), C(mq_getsetattr)) },

    /* ---- With a capability ---- */
    { WITH(GATED, SYS_ADMIN), LIST( /* mounts, namespaces of others, names, quotas, security modules */
        C(mount), C(umount), C(umount2), C(pivot_root), C(mount_setattr), C(move_mount), C(open_tree), C(open_tree_attr), C(fsopen), C(fsconfig),
        C(fsmount), C(fspick), C(setns), C(sethostname), C(setdomainname), C(quotactl), C(quotactl_fd), C(fanotify_init), C(lookup_dcookie),
        C(lsm_get_self_attr), C(lsm_set_self_attr), C(lsm_list_modules)) },
    { WITH(HIDDEN, SYS_ADMIN), LIST(C(clone3)) }, /* C libraries then use clone, whose flags can be seen */
    { WITH_OR_ADMIN(GATED, BPF), LIST(C(bpf)) },
    { WITH_OR_ADMIN(GATED, PERFMON), LIST(C(perf_event_open)) },
    { WITH_OR_ADMIN(GATED, SYSLOG), LIST(C(syslog)) },
    { WITH(GATED, DAC_READ_SEARCH), LIST(C(open_by_handle_at)) }, /* the way out of Docker in 2014 ("shocker") */
    { WITH(GATED, SYS_CHROOT), LIST(C(chroot)) },
    { WITH(GATED, SYS_PTRACE), LIST(C(kcmp), C(pidfd_getfd), C(process_madvise)) },
    { WITH(GATED, SYS_NICE), LIST(C(mbind), C(get_mempolicy), C(set_mempolicy), C(set_mempolicy_home_node)) },
    { WITH(GATED, SYS_TIME), LIST(C(settimeofday), C(stime), C(clock_settime), C(clock_settime64)) },
    { WITH(GATED, SYS_BOOT), LIST(C(reboot)) }, /* in a PID namespace of its own, this ends the container */
    { WITH(GATED, SYS_MODULE), LIST(C(init_module), C(finit_module), C(delete_module)) },
    { WITH(GATED, SYS_RAWIO), LIST(C(ioperm), C(iopl)) },
    { WITH(GATED, SYS_PACCT), LIST(C(acct)) },
    { WITH(GATED, SYS_TTY_CONFIG), LIST(C(vhangup)) },

    /* ---- Depending on arguments: condition() ---- */
    { WITH(CONDITIONAL, SYS_ADMIN), LIST(C(clone), C(unshare)) },
    { NEVER(CONDITIONAL), LIST(C(socket), C(socketpair), C(socketcall), C(personality)) },

    /* ---- Never ---- */
    { NEVER(REFUSE), LIST( /* keys aren't kept apart by container; the rest is the host's business or a favourite of exploits */
        C(add_key), C(keyctl), C(request_key), C(io_uring_setup), C(io_uring_enter), C(io_uring_register), C(userfaultfd), C(kexec_load),
        C(kexec_file_load), C(swapon), C(swapoff), C(migrate_pages), C(move_pages), C(sysfs), C(ustat), C(vm86), C(vm86old),
        C(pciconfig_iobase), C(pciconfig_read), C(pciconfig_write)) },
    { NEVER(REFUSE), LIST( /* ancient doubles of calls above, on i386 and arm */
        C(nice), C(oldstat), C(oldlstat), C(oldfstat), C(olduname), C(oldolduname), C(signal), C(sigaction), C(sigpending), C(sigsuspend),
        C(sgetmask), C(ssetmask), C(get_tls), C(usr26), C(usr32)) },
    { NEVER(ABSENT), LIST( /* too new to have been judged */
        C(file_getattr), C(file_setattr)) },
    { NEVER(ABSENT), LIST( /* dropped by the kernel, or never there */
        C(_sysctl), C(afs_syscall), C(bdflush), C(break), C(create_module), C(epoll_ctl_old), C(epoll_wait_old), C(ftime), C(get_kernel_syms),
        C(getpmsg), C(gtty), C(idle), C(lock), C(mpx), C(nfsservctl), C(prof), C(profil), C(putpmsg), C(query_module), C(security), C(stty),
        C(tuxcall), C(ulimit), C(uselib), C(vserver)) },
};
/* clang-format on */

/* ---- Conditions ---- */

/* The flags of clone(2) that make namespaces. CLONE_NEWTIME (0x80) belongs to unshare alone: in clone, these bits are the exit signal. */
#define NEW_NAMESPACES                                                                             \
    UINT64_C(0x7e020000) /* CLONE_NEWNS|NEWCGROUP|NEWUTS|NEWIPC|NEWUSER|NEWPID|NEWNET */
#define NEW_TIME UINT64_C(0x80)

#define NO_BITS_OF(bits)                                                                           \
    {                                                                                              \
        .op = OCI_SECCOMP_MASKED_EQ, .is_int = true, .mask = (bits)                                \
    }
#define EQUALS(number, what)                                                                       \
    {                                                                                              \
        .arg = (number), .op = OCI_SECCOMP_EQ, .is_int = true, .value = (what)                     \
    }
#define ONE_CHECK(check, what)                                                                     \
    &(const struct seccomp_clause)                                                                 \
    {                                                                                              \
        .checks = { check }, .count = 1, .action = (what)                                          \
    }

static const struct seccomp_clause *const clone_clauses[] = {
    ONE_CHECK(NO_BITS_OF(NEW_NAMESPACES), SECCOMP_RET_ALLOW),
};
static const struct seccomp_clause *const unshare_clauses[] = {
    ONE_CHECK(NO_BITS_OF(NEW_NAMESPACES | NEW_TIME), SECCOMP_RET_ALLOW),
};

/* PER_LINUX and PER_LINUX32, with or without UNAME26, and the question "which one?". The rest turns protections off (READ_IMPLIES_EXEC, …). */
static const struct seccomp_clause *const personality_clauses[] = {
    ONE_CHECK(EQUALS(0, 0xffffffff), SECCOMP_RET_ALLOW),
    ONE_CHECK(EQUALS(0, 0), SECCOMP_RET_ALLOW),
    ONE_CHECK(EQUALS(0, 8), SECCOMP_RET_ALLOW),
    ONE_CHECK(EQUALS(0, 0x20000), SECCOMP_RET_ALLOW),
    ONE_CHECK(EQUALS(0, 0x20008), SECCOMP_RET_ALLOW),
};

/*
 * i386: the family of socketcall's SYS_SOCKET lies in memory, so it could be AF_ALG (CVE-2026-31431). musl makes sockets by socket(2) and isn't
 * touched; glibc and Go for i386 use socketcall and can't make sockets under this profile. The other calls need a socket that was let through.
 */
static const struct seccomp_clause *const socketcall_clauses[] = {
    ONE_CHECK(EQUALS(0, 1), SECCOMP_DO_ERRNO(ENOSYS)),
};

/* AF_NETLINK, NETLINK_AUDIT without CAP_AUDIT_WRITE: as from a kernel without audit, because sudo and PAM take EPERM on sending for a failed login. */
static const struct seccomp_clause *const audit_clauses[] = {
    &(const struct seccomp_clause){ .checks = { EQUALS(0, 16), EQUALS(2, 9) },
                                    .count = 2,
                                    .action = SECCOMP_DO_ERRNO(EPROTONOSUPPORT) },
};

/*
 * Address families from `first` to the next row's. Refused are families that are gone or have no user but exploits: DECnet (12), Econet, ATM SVC (19, 20),
 * IrDA (23), WANPIPE (25), ISDN (34), CAIF (37), ALG (38), VSOCK (40: it reaches the hypervisor) and numbers to come. EAFNOSUPPORT is what a kernel without the
 * family says, and what programs know how to take. All 32 bits are compared and no more: the kernel ignores the upper half, so must we.
 */
static const struct {
    uint8_t first;
    bool is_allowed;
    uint8_t weight; /* how common */
} families[] = {
    { 0, true, 32 },                   /* UNIX, INET, INET6 */
    { 12, false, 1 }, { 13, true, 8 }, /* NETLINK, PACKET */
    { 19, false, 1 }, { 21, true, 1 },  { 23, false, 1 }, { 24, true, 1 },  { 25, false, 1 },
    { 26, true, 1 },  { 34, false, 1 }, { 35, true, 1 },  { 37, false, 1 }, { 39, true, 1 },
    { 40, false, 1 }, { 41, true, 1 },  { 46, false, 1 },
};

struct profile {
    struct seccomp_program program;
    uint64_t capabilities;
    struct seccomp_range cases[CL_COUNT(families)];
    int allow, refuse, absent;              /* decisions */
    int by_call[CALL_COUNT];                /* decision of each call, or -errno */
    uint16_t number_calls[SECCOMP_NUMBERS]; /* at work: number → call + 1 */
};

static int decide_clauses(struct profile *profile, uint32_t otherwise,
                          const struct seccomp_clause *const *clauses, size_t count)
{
    return seccomp_program_decide(
        &profile->program, &(struct seccomp_decision){
                               .action = otherwise, .clauses = clauses, .clause_count = count });
}

static int decide_socket(struct profile *profile, bool may_audit)
{
    int unsupported = seccomp_program_act(&profile->program, SECCOMP_DO_ERRNO(EAFNOSUPPORT));
    if (unsupported < 0)
        return unsupported;
    for (size_t i = 0; i < CL_COUNT(families); i++) {
        int decision = families[i].is_allowed ? profile->allow : unsupported;
        profile->cases[i] = (struct seccomp_range){ .first = families[i].first,
                                                    .weight = families[i].weight,
                                                    .decision = (uint16_t)decision };
    }
    return seccomp_program_decide(&profile->program,
                                  &(struct seccomp_decision){ .clauses = audit_clauses,
                                                              .clause_count = may_audit ? 0 : 1,
                                                              .cases = profile->cases,
                                                              .case_count = CL_COUNT(families) });
}

static int condition(struct profile *profile, enum seccomp_call call)
{
    switch (call) {
    case CALL_clone:
        return decide_clauses(profile, SECCOMP_DO_ERRNO(EPERM), clone_clauses,
                              CL_COUNT(clone_clauses));
    case CALL_unshare:
        return decide_clauses(profile, SECCOMP_DO_ERRNO(EPERM), unshare_clauses,
                              CL_COUNT(unshare_clauses));
    case CALL_personality:
        return decide_clauses(profile, SECCOMP_DO_ERRNO(EPERM), personality_clauses,
                              CL_COUNT(personality_clauses));
    case CALL_socketcall:
        return decide_clauses(profile, SECCOMP_RET_ALLOW, socketcall_clauses,
                              CL_COUNT(socketcall_clauses));
    case CALL_socket:
        return decide_socket(profile, (profile->capabilities & CAP(AUDIT_WRITE)) != 0);
    case CALL_socketpair: /* its family would load modules, too */
        return profile->by_call[CALL_socket];
    default:
        abort(); /* allowed: our own table is wrong: a CONDITIONAL group with a call that isn't here */
    }
}

/* ---- The profile as a program ---- */

static int decide(struct profile *profile, const struct group *group, enum seccomp_call call)
{
    bool is_open = (group->any_of & profile->capabilities) != 0;
    switch (group->kind) {
    case ALLOW:
        return profile->allow;
    case GATED:
        return is_open ? profile->allow : profile->refuse;
    case HIDDEN:
        return is_open ? profile->allow : profile->absent;
    case CONDITIONAL:
        return is_open ? profile->allow : condition(profile, call);
    case REFUSE:
        return profile->refuse;
    case ABSENT:
        return profile->absent;
    }
    return -EINVAL;
}

static int decide_all(struct profile *profile)
{
    /* The first gets index 0, which is what by_call holds for a call that no group names. */
    profile->refuse = seccomp_program_act(&profile->program, SECCOMP_DO_ERRNO(EPERM));
    profile->allow = seccomp_program_act(&profile->program, SECCOMP_RET_ALLOW);
    profile->absent = seccomp_program_act(&profile->program, SECCOMP_DO_ERRNO(ENOSYS));
    if (profile->allow < 0 || profile->refuse < 0 || profile->absent < 0)
        return -ENOMEM;
    for (size_t i = 0; i < CL_COUNT(groups); i++) {
        for (const uint16_t *call = groups[i].calls; *call != CALL_COUNT; call++) {
            int decision = decide(profile, &groups[i], *call);
            if (decision < 0)
                return decision;
            profile->by_call[*call] = decision;
        }
    }
    return 0;
}

static void add_part(struct profile *profile, enum seccomp_arch arch)
{
    struct seccomp_program *program = &profile->program;
    struct seccomp_part *part = &program->parts[program->part_count++];
    part->audit_arch = seccomp_arch_audit(arch);
    part->is_64 = arch == SECCOMP_X86_64 || arch == SECCOMP_AARCH64;
    memset(profile->number_calls, 0, sizeof profile->number_calls);
    for (int call = 0; call < CALL_COUNT; call++) {
        int number = seccomp_call_number((enum seccomp_call)call, arch);
        if (number >= 0 && number < SECCOMP_NUMBERS)
            profile->number_calls[number] = (uint16_t)(call + 1);
    }
    for (uint32_t number = 0; number < SECCOMP_NUMBERS; number++) {
        int call = profile->number_calls[number] - 1;
        seccomp_part_add(program, part, number,
                         call < 0 ? profile->absent : profile->by_call[call]);
    }
    if (arch != SECCOMP_ARM)
        return; /* x32 numbers lie above, and are absent: few kernels have that ABI, nobody misses it */
    static const uint16_t private_calls[] = { C(breakpoint), C(cacheflush), C(usr26),
                                              C(usr32),      C(set_tls),    C(get_tls) };
    uint32_t number = SECCOMP_ARM_PRIVATE + 1; /* … and so on, without a gap */
    for (size_t i = 0; i < CL_COUNT(private_calls); i++)
        seccomp_part_add(program, part, number++, profile->by_call[private_calls[i]]);
    seccomp_part_add(program, part, number, profile->absent);
}

static void profile_free(struct profile *profile)
{
    if (profile == NULL)
        return;
    seccomp_program_done(&profile->program);
    free(profile);
}
CL_DEFINE_AUTO(struct profile, profile_free)

int seccomp_default_for(enum seccomp_arch native, uint64_t capabilities, struct seccomp_filter *ret,
                        struct cl_error *err)
{
    if (native == SECCOMP_NO_ARCH)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "the default seccomp profile: this build has no system call table for "
                            "its machine");
    CL_AUTO(profile_free) struct profile *profile = cl_calloc(1, sizeof *profile);
    int code = profile == NULL ? -ENOMEM : 0;
    if (code == 0) {
        profile->capabilities = capabilities;
        profile->program.bad_arch = SECCOMP_RET_KILL_PROCESS;
        code = decide_all(profile);
    }
    if (code < 0)
        return cl_fail(err, -code, "compile the default seccomp profile");
    add_part(profile, native);
    add_part(profile, native == SECCOMP_X86_64 ? SECCOMP_I386 : SECCOMP_ARM);
    struct seccomp_filter filter = { 0 };
    code = seccomp_program_emit(&profile->program, "the default seccomp profile", &filter, err);
    if (code >= 0)
        *ret = filter;
    return code;
}

int seccomp_default(uint64_t capabilities, struct seccomp_filter *ret, struct cl_error *err)
{
    return seccomp_default_for(SECCOMP_NATIVE, capabilities, ret, err);
}

/* ---- The profile as data ---- */

static const struct group *group_of(int call)
{
    for (size_t i = 0; i < CL_COUNT(groups); i++) {
        for (const uint16_t *item = groups[i].calls; *item != CALL_COUNT; item++) {
            if (*item == call)
                return &groups[i];
        }
    }
    return NULL;
}

int seccomp_profile_groups_with(enum seccomp_call call)
{
    int count = 0;
    for (size_t i = 0; i < CL_COUNT(groups); i++) {
        for (const uint16_t *item = groups[i].calls; *item != CALL_COUNT; item++)
            count += *item == call;
    }
    return count;
}

enum seccomp_verdict seccomp_default_verdict(const char *name, uint64_t capabilities,
                                             int *ret_capability)
{
    *ret_capability = -1;
    int call = seccomp_call_find(name);
    if (call < 0 ||
        seccomp_call_number((enum seccomp_call)call, SECCOMP_NATIVE) == SECCOMP_NO_NUMBER)
        return SECCOMP_UNKNOWN;
    const struct group *group = group_of(call);
    if (group == NULL)
        return SECCOMP_UNKNOWN;
    *ret_capability = group->capability;
    if (group->kind == ALLOW || (group->any_of & capabilities) != 0)
        return SECCOMP_ALLOWED;
    switch (group->kind) {
    case CONDITIONAL:
        return SECCOMP_CONDITIONAL;
    case HIDDEN:
    case ABSENT:
        return SECCOMP_UNKNOWN;
    default:
        return SECCOMP_DENIED;
    }
}
