/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default profile in the real kernel: a child loads it as an ordinary user would (no_new_privs, no capability needed) and reports what it
 * sees; on x86-64 also through the 32-bit entry (int $0x80) and x32 numbers.
 */
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "seccomp/calls.h"
#include "seccomp/seccomp.h"
#include "test.h"

/* The exit status of a child that loads the filter and runs `body`, which returns it; 200: could not load; 300 + n: killed by signal n. */
static int in_child(const struct seccomp_filter *filter, int (*body)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct sock_fprog program = { .len = (unsigned short)filter->count,
                                      .filter = filter->code };
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program) != 0)
            _exit(200);
        _exit(body());
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFSIGNALED(status) ? 300 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int in_default(int (*body)(void))
{
    struct seccomp_filter filter = { 0 };
    struct cl_error err;
    if (seccomp_default(0, &filter, &err) < 0) {
        TEST_SAY("%s", err.text);
        return -1;
    }
    int status = in_child(&filter, body);
    seccomp_filter_done(&filter);
    return status;
}

/* 0, or the errno that the call failed with. */
static int errno_of(long result)
{
    return result < 0 ? errno : 0;
}

static int write_something(void)
{
    int ends[2];
    return pipe(ends) == 0 && write(ends[1], "x", 1) == 1 ? 42 : 1;
}

static int make_alg_socket(void)
{
    return errno_of(socket(AF_ALG, SOCK_SEQPACKET, 0));
}

/* The kernel looks at 32 bits of the family; so must the filter. */
static int make_disguised_alg_socket(void)
{
    return errno_of(
        syscall(SYS_socket, (long)(UINT64_C(1) << 32 | AF_ALG), (long)SOCK_SEQPACKET, 0L));
}

static int make_unix_socket(void)
{
    return errno_of(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int call_unknown(void)
{
    return errno_of(syscall(9999));
}

static int call_mount(void)
{
    return errno_of(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL));
}

static int unshare_mounts(void)
{
    return errno_of(unshare(CLONE_NEWNS));
}

static int unshare_users(void)
{
    return errno_of(unshare(CLONE_NEWUSER));
}

static int unshare_directory(void)
{
    return errno_of(unshare(CLONE_FS));
}

static int call_clone3(void)
{
    return errno_of(syscall(SYS_clone3, NULL, 0));
}

static int fork_here(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 1;
}

TEST(what_a_container_sees)
{
    if (SECCOMP_NATIVE == SECCOMP_NO_ARCH)
        SKIP("this build has no table for its machine");
    CHECK_INT(in_default(write_something), 42);
    CHECK_INT(in_default(make_alg_socket), EAFNOSUPPORT);
    CHECK_INT(in_default(make_disguised_alg_socket), EAFNOSUPPORT);
    CHECK_INT(in_default(make_unix_socket), 0);
    CHECK_INT(in_default(call_unknown), ENOSYS);
    CHECK_INT(in_default(call_mount), EPERM);
    CHECK_INT(in_default(unshare_mounts), EPERM);
    CHECK_INT(in_default(unshare_users), EPERM);
    CHECK_INT(in_default(unshare_directory), 0);
    CHECK_INT(in_default(call_clone3), ENOSYS);
    CHECK_INT(in_default(fork_here), 7);
}

TEST(a_profile_from_a_policy_loads)
{
    if (SECCOMP_NATIVE == SECCOMP_NO_ARCH)
        SKIP("this build has no table for its machine");
    char name[] = "socket";
    char *names[] = { name, NULL };
    struct oci_seccomp_arg arg = { .op = OCI_SECCOMP_EQ, .value = AF_UNIX };
    struct oci_seccomp_rule rule = { .names = names,
                                     .action = OCI_SECCOMP_ERRNO,
                                     .errno_ret = { true, EDOM },
                                     .args = &arg,
                                     .arg_count = 1 };
    struct oci_seccomp policy = { .default_action = OCI_SECCOMP_ALLOW,
                                  .rules = &rule,
                                  .rule_count = 1 };
    struct seccomp_filter filter = { 0 };
    CHECK_INT(seccomp_compile(&policy, &filter, NULL), 0);
    CHECK_INT(in_child(&filter, make_unix_socket), EDOM);
    CHECK_INT(in_child(&filter, write_something), 42);
    seccomp_filter_done(&filter);
}

#ifdef __x86_64__

/* A system call by the 32-bit entry: number and arguments as i386 has them; the negative errno comes back. */
static int call_i386(uint32_t number, uint32_t a, uint32_t b, uint32_t c)
{
    int result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "memory", "r8", "r9", "r10", "r11");
    return result;
}

static int i386_is_there(void)
{
    return call_i386(20, 0, 0, 0) > 0 ? 42 : 1; /* getpid */
}

static int i386_socketcall(void)
{
    uint32_t *arguments =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (arguments == MAP_FAILED)
        return 1;
    arguments[0] = AF_ALG;
    arguments[1] = SOCK_SEQPACKET;
    return -call_i386(102, 1, (uint32_t)(uintptr_t)arguments, 0);
}

static int i386_alg_socket(void)
{
    return -call_i386(359, AF_ALG, SOCK_SEQPACKET, 0);
}

static int i386_unix_socket(void)
{
    return call_i386(359, AF_UNIX, SOCK_STREAM, 0) >= 0 ? 42 : 1;
}

static int x32_getpid(void)
{
    return errno_of(syscall(0x40000000 | SYS_getpid));
}

TEST(the_32_bit_entry)
{
    struct sock_filter allow = { .code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW };
    struct seccomp_filter nothing = { .code = &allow, .count = 1 };
    if (in_child(&nothing, i386_is_there) != 42)
        SKIP("this kernel runs no 32-bit programs");
    CHECK_INT(in_default(i386_is_there), 42);
    CHECK_INT(in_default(i386_socketcall), ENOSYS);
    CHECK_INT(in_default(i386_alg_socket), EAFNOSUPPORT);
    CHECK_INT(in_default(i386_unix_socket), 42);
    struct oci_seccomp policy = { .default_action = OCI_SECCOMP_ALLOW };
    struct seccomp_filter filter = { 0 };
    CHECK_INT(seccomp_compile(&policy, &filter, NULL), 0); /* i386 isn't listed */
    CHECK_INT(in_child(&filter, i386_is_there), 300 + SIGSYS);
    seccomp_filter_done(&filter);
}

TEST(x32_is_missing)
{
    CHECK_INT(in_default(x32_getpid), ENOSYS);
}

#endif

static int load_again(void)
{
    struct seccomp_filter filter = { 0 };
    struct timespec start, end;
    if (seccomp_default(0, &filter, NULL) < 0)
        return 1;
    struct sock_fprog program = { .len = (unsigned short)filter.count, .filter = filter.code };
    clock_gettime(CLOCK_MONOTONIC, &start);
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    clock_gettime(CLOCK_MONOTONIC, &end);
    long loading = (end.tv_sec - start.tv_sec) * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000;
    enum { ROUNDS = 200 };
    for (int i = 0; i < ROUNDS; i++) {
        seccomp_filter_done(&filter);
        if (seccomp_default(0, &filter, NULL) < 0)
            return 1;
    }
    struct timespec last;
    clock_gettime(CLOCK_MONOTONIC, &last);
    long compiling = (last.tv_sec - end.tv_sec) * 1000000 + (last.tv_nsec - end.tv_nsec) / 1000;
    printf("# loading %ld us, compiling %.1f us\n", loading, (double)compiling / ROUNDS);
    fflush(NULL);
    return result == 0 ? 42 : 1;
}

/* Times are printed, not judged. */
TEST(a_container_can_load_more)
{
    CHECK_INT(in_default(load_again), 42);
}

TEST_MAIN
