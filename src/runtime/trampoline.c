/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last program of ours that a container's process is: it does nothing but execute the user's.
 *
 * Why there is one (CVE-2019-5736): while execve opens the user's program, /proc/self/exe still is
 * the program that calls it. An image whose entrypoint is /proc/self/exe, or a script with that as
 * its interpreter, would thereby get the caller executed inside the container, and through
 * /proc/PID/exe a descriptor of a file of the host that root in the container may write. So the
 * caller must not be a file of the host: program.c writes this image into a sealed memfd and
 * executes that, before the first path of the container is looked up.
 *
 * A freestanding program of 2 KB without libc: it starts in a tenth of a millisecond and has no
 * constructor, no relocation and no global state. It gets everything in its arguments:
 *
 *   argv[0]  "SYNC PROC STATE OUT ERR LABELS HOOKS TELLS LOOKS CANDIDATES", decimal: the socket of
 *            wire/init.h; a procfs; what hooks read and where they write; each 0 if there is none;
 *            then counts of what follows; TELLS: 1 where PROGRAM is to be sent; LOOKS: 1 where the
 *            seccomp filter does not kill for openat2
 *   LABELS × (file below PROC, text)      written before the exec (LSM labels); a missing file is
 *                                         skipped when another row follows
 *   HOOKS × ("TIMEOUT ARGS ENV", path, ARGS × text, "", ENV × text, "")
 *                                         startContainer hooks, run one after the other: here,
 *                                         since they shall be confined as the program is, and may
 *                                         find nothing of the host in /proc/1/exe
 *   CANDIDATES × path                     tried in order
 *   the program's own argv, with its environment
 *
 * A failure goes to the parent as FAILED, then the process ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "wire/init.h"

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n"
        " call trampoline\n hlt\n");
static long call(long number, long a, long b, long c, long d)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = 0;
    register long r9 __asm__("r9") = 0;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
__asm__(
    ".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n mov x0, sp\n bl trampoline\n brk #0\n");
static long call(long number, long a, long b, long c, long d)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = 0;
    register long x5 __asm__("x5") = 0;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
/* cppcheck-suppress preprocessorErrorDirective */
#error "trampoline.c: write the entry and the system call of this architecture"
#endif

/* The compiler may ask for it; parameters are called as in the libc's header. */
void *memset(void *__s, int __c, size_t __n)
{
    volatile char *at = __s;
    while (__n-- > 0)
        *at++ = (char)__c;
    return __s;
}

static long number(const char **text)
{
    long value = 0;
    while (**text >= '0' && **text <= '9')
        value = value * 10 + *(*text)++ - '0';
    if (**text == ' ')
        (*text)++;
    return value;
}

static size_t append(struct wire_init *message, size_t used, const char *text)
{
    while (*text != '\0' && used < sizeof message->text - 1)
        message->text[used++] = *text++;
    return used;
}

struct reason {
    int code;
    enum cl_kind kind;
    const char text[92];
};
static const struct reason reasons[] = {
    { EACCES, CL_KIND_NOT_EXECUTABLE, "permission denied" },
    { EPERM, CL_KIND_NOT_EXECUTABLE, "operation not permitted" },
    { ENOENT, CL_KIND_NO_COMMAND,
      "no such file or directory; the file is there, but the interpreter that it names is not" },
    { ENOTDIR, CL_KIND_NO_COMMAND, "not a directory" },
    { ENOEXEC, CL_KIND_NOT_EXECUTABLE,
      "exec format error: neither a program of this machine's kind nor a script with #!" },
    { E2BIG, CL_KIND_NOT_EXECUTABLE, "argument list too long" },
    { ENOMEM, CL_KIND_NOT_EXECUTABLE, "not enough memory" },
    { ETXTBSY, CL_KIND_NOT_EXECUTABLE, "text file busy: somebody is writing to it" },
    { ELOOP, CL_KIND_NOT_EXECUTABLE, "too many levels of symbolic links or interpreters" },
    { EIO, CL_KIND_NOT_EXECUTABLE, "input/output error" },
    { EINVAL, CL_KIND_NOT_EXECUTABLE, "the program's file is malformed" },
    { EAGAIN, CL_KIND_NOT_EXECUTABLE, "the limit of processes for this user is reached" },
    { 0, CL_KIND_NOT_EXECUTABLE, "the kernel refuses to execute it" },
};
/* A label is no program: these are faults of the configuration. */
static const struct reason label_reasons[] = {
    { ENOENT, CL_KIND_INVALID, "no profile of this name is loaded" },
    { ENODEV, CL_KIND_UNSUPPORTED, "this kernel runs without the security module of this label" },
    { EXDEV, CL_KIND_DENIED, "something is mounted over the file of /proc that takes it" },
    { EACCES, CL_KIND_DENIED, "the label that the runtime has itself does not allow it" },
    { EPERM, CL_KIND_DENIED, "the label that the runtime has itself does not allow it" },
    { EINVAL, CL_KIND_INVALID, "no security policy of this machine knows such a label" },
    { 0, CL_KIND_SYSTEM, "the kernel refuses it" },
};

/* The row of `code`, or the last. */
static const struct reason *reason_of(const struct reason *table, long code)
{
    while (table->code != 0 && table->code != -code)
        table++;
    return table;
}

static _Noreturn void leave(long sync, const struct wire_init *message, long status)
{
    (void)call(SYS_sendto, sync, (long)message, sizeof *message, MSG_NOSIGNAL);
    (void)call(SYS_exit_group, status, 0, 0, 0);
    __builtin_trap(); /* a filter forbids even that */
}

static _Noreturn void fail(long sync, long code, const struct reason *table, const char *before,
                           const char *name)
{
    struct wire_init message = { .type = WIRE_INIT_FAILED,
                                 .step = WIRE_INIT_STEP_PROGRAM,
                                 .code = (int)code };
    const struct reason *reason = reason_of(table, code);
    message.kind = (uint32_t)reason->kind;
    size_t used = append(&message, 0, before);
    used = append(&message, used, name);
    used = append(&message, used, "\": ");
    (void)append(&message, used, reason->text);
    leave(sync, &message, reason->kind == CL_KIND_NO_COMMAND ? 127 : 126);
}

/* PROC may be the container's own /proc, where the kernel gave us none: what is mounted over the file is refused (CVE-2025-52881). A filter that knows no openat2 takes
   that check away, and no more. */
static long open_label(long proc, long looks, const char *path)
{
    const struct open_how how = { .flags = O_WRONLY | O_CLOEXEC,
                                  .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS };
    long fd = looks > 0 ? call(SYS_openat2, proc, (long)path, (long)&how, sizeof how) : -ENOSYS;
    return fd == -ENOSYS || fd == -EPERM ? call(SYS_openat, proc, (long)path, (long)how.flags, 0)
                                         : fd;
}

/* A filter need not allow fcntl; the program must not have the descriptor in any case. */
static void close_on_exec(long sync, long fd)
{
    long code = call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC, 0);
    if (code < 0)
        code = call(SYS_ioctl, fd, 0x5451 /* FIOCLEX */, 0, 0);
    if (code < 0)
        code = call(SYS_close_range, fd, fd, 4 /* CLOSE_RANGE_CLOEXEC */, 0);
    if (code < 0)
        fail(sync, code, reasons, "exec: keep our descriptors from \"", "the program");
}

/* -ENODEV: there is no such file. -ENOENT is the kernel's word for a profile that is not loaded. */
static long write_label(long proc, long looks, const char *path, const char *text)
{
    size_t size = 0;
    while (text[size] != '\0')
        size++;
    long fd = open_label(proc, looks, path);
    if (fd == -ENOENT)
        return -ENODEV;
    return fd < 0 ? fd : call(SYS_write, fd, (long)text, (long)size, 0);
}

/* ---- hooks ---- */

struct hook {
    long sync, state, out, err;
    long index, timeout;
    const char *path;
    char **args, **env;
};

static size_t append_number(struct wire_init *message, size_t used, long value)
{
    char digits[24];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do
        digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    return append(message, used, digits + at);
}

/* "hooks.startContainer[0]: /bin/hook: exit status 3" */
static _Noreturn void fail_hook(const struct hook *hook, long code, const char *what, long number,
                                const char *after)
{
    struct wire_init message = { .type = WIRE_INIT_FAILED,
                                 .step = WIRE_INIT_STEP_HOOK,
                                 .code = (int)code,
                                 .kind = CL_KIND_SYSTEM };
    size_t used = append(&message, 0, "hooks.startContainer[");
    used = append_number(&message, used, hook->index);
    used = append(&message, used, "]: ");
    used = append(&message, used, hook->path);
    used = append(&message, used, what);
    if (number >= 0)
        used = append_number(&message, used, number);
    (void)append(&message, used, after);
    leave(hook->sync, &message, 125);
}

static _Noreturn void be_hook(const struct hook *hook)
{
    (void)call(SYS_setpgid, 0, 0, 0, 0); /* just forked: can't fail */
    long code = call(SYS_dup3, hook->state, 0, 0, 0);
    if (code >= 0 && hook->out > 0)
        code = call(SYS_dup3, hook->out, 1, 0, 0);
    if (code >= 0 && hook->err > 0)
        code = call(SYS_dup3, hook->err, 2, 0, 0);
    /* What the caller preserves is for the program. Where the filter forbids the call, a hook has it, too. */
    (void)call(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */, 0);
    if (code >= 0)
        code = call(SYS_execve, (long)hook->path, (long)hook->args, (long)hook->env, 0);
    /* Whether it is there nobody has looked before, as for the program. */
    fail_hook(hook, code, ": execute it: ", -1,
              code == -ENOENT ? "no such file or directory in the container, or the interpreter "
                                "that it names is missing"
                              : reason_of(reasons, code)->text);
}

/* False when its time is over. */
static bool wait_hook(const struct hook *hook, int pidfd)
{
    struct {
        int fd;
        short events, revents;
    } poll = { .fd = pidfd, .events = 1 /* POLLIN */ };
    long left[2] = { hook->timeout, 0 }; /* struct timespec; the kernel writes back what is left */
    long count;
    do
        count = call(SYS_ppoll, (long)&poll, 1, (long)left, 0);
    while (count == -EINTR);
    return count != 0; /* a filter that forbids the call takes the timeout away: wait4 is next */
}

static void run_hook(const struct hook *hook)
{
    int pidfd = -1, status = 0;
    (void)call(SYS_lseek, hook->state, 0, 0 /* SEEK_SET */, 0);
    long flags = 17 /* SIGCHLD */ | (hook->timeout > 0 ? 0x1000 /* CLONE_PIDFD */ : 0);
    long pid = call(SYS_clone, flags, 0, (long)&pidfd, 0);
    if (pid == 0)
        be_hook(hook);
    if (pid < 0)
        fail_hook(hook, pid, ": make a process for it: ", -1, reason_of(reasons, pid)->text);
    bool is_late = hook->timeout > 0 && !wait_hook(hook, pidfd);
    if (is_late) {
        (void)call(SYS_kill, -pid, 9, 0, 0);
        (void)call(SYS_kill, pid, 9, 0, 0); /* had it no group yet */
    }
    long result;
    do
        result = call(SYS_wait4, pid, (long)&status, 0, 0);
    while (result == -EINTR);
    if (pidfd >= 0)
        (void)call(SYS_close, pidfd, 0, 0, 0);
    if (is_late)
        fail_hook(hook, -ETIMEDOUT, ": still running after its timeout of ", hook->timeout,
                  " s: killed");
    if (result < 0)
        fail_hook(hook, result, ": wait for it: ", -1, reason_of(reasons, result)->text);
    if ((status & 0x7f) != 0)
        fail_hook(hook, -ECANCELED, ": killed by signal ", status & 0x7f, "");
    if (status != 0)
        fail_hook(hook, -ECANCELED, ": exit status ", status >> 8 & 0xff, "");
}

/* Where its words begin → where the next one's do. The two "" become the ends of its vectors. */
static char **take_hook(char **words, struct hook *hook)
{
    static char *just_path[2];
    const char *head = *words++;
    hook->timeout = number(&head);
    long args = number(&head), env = number(&head);
    just_path[0] = *words;
    hook->path = *words++;
    hook->args = words;
    words += args;
    *words++ = NULL;
    hook->env = words;
    words += env;
    *words++ = NULL;
    if (args == 0)
        hook->args = just_path;
    return words;
}

void trampoline(long *stack);
void trampoline(long *stack)
{
    char **argv = (char **)(stack + 1);
    char **envp = argv + stack[0] + 1;
    const char *head = *argv++;
    while (stack[0] < 2 || *head < '0' ||
           *head > '9') /* an image got us executed: of no use to it */
        (void)call(SYS_exit_group, 126, 0, 0, 0);
    long fds[5]; /* sync, proc, state, out, err */
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        fds[i] = number(&head);
    long sync = fds[0], proc = fds[1];
    long labels = number(&head), hooks = number(&head), tells = number(&head);
    long looks = number(&head), candidates = number(&head);
    /* Nobody in the container may look into us; and what was handed to us goes no further. */
    (void)call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0);
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] > 0)
            close_on_exec(sync, fds[i]);
    for (; labels > 0; labels--, argv += 2) {
        long code = write_label(proc, looks, argv[0], argv[1]);
        if (code == -ENODEV && labels > 1)
            continue;
        if (code < 0)
            fail(sync, code, label_reasons, "set security label \"", argv[1]);
        argv += (labels - 1) * 2; /* written: the rest are other places for the same */
        labels = 1;
    }
    for (long i = 0; i < hooks; i++) {
        struct hook hook = {
            .sync = sync, .state = fds[2], .out = fds[3], .err = fds[4], .index = i
        };
        argv = take_hook(argv, &hook);
        run_hook(&hook);
    }
    if (tells > 0) {
        const struct wire_init message = { .type = WIRE_INIT_PROGRAM };
        (void)call(SYS_sendto, sync, (long)&message, sizeof message, MSG_NOSIGNAL);
    }
    char **program = argv + candidates;
    long code = -ENOENT, denied = 0;
    for (; candidates > 0; candidates--, argv++) {
        code = call(SYS_execve, (long)*argv, (long)program, (long)envp, 0);
        if (code != -EACCES && code != -ENOENT && code != -ENOTDIR)
            break;
        denied = code == -EACCES ? code : denied;
    }
    if (code == -ENOENT || code == -ENOTDIR)
        code = denied != 0 ? denied : code;
    fail(sync, code, reasons, "exec: \"", program[0]);
}
