/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program inside a container can and cannot ask of the kernel: `probe CALL [NUMBER]` makes one call and prints "CALL: ok" or "CALL: ENAME". The tests link it statically
 * and bind it into containers, as a small image has no tool for most of these.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static long number;

static long do_socket(void)
{
    return socket((int)number, number == AF_ALG ? SOCK_SEQPACKET : SOCK_STREAM, 0);
}

static long do_raw_socket(void)
{
    return socket(AF_INET, SOCK_RAW, 1);
}

static long do_unshare(void)
{
    return unshare((int)number);
}

static long do_clone(void)
{
    long pid = syscall(SYS_clone, number | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return pid;
}

static long do_clone3(void)
{
    return syscall(SYS_clone3, NULL, 0);
}

static long do_mount(void)
{
    return mount("none", "/mnt", "tmpfs", 0, "");
}

static long do_umount(void)
{
    return umount2("/proc", MNT_DETACH);
}

static long do_fsopen(void)
{
    return syscall(SYS_fsopen, "tmpfs", 0);
}

static long do_mknod(void)
{
    return mknod("/tmp/node", S_IFCHR | 0666, makedev(1, 3));
}

static long do_open_disk_node(void)
{
    /* Not a device that exists: the device cgroup answers before the driver is looked for. */
    return mknod("/tmp/disk", S_IFBLK | 0666, makedev(8, 0)) < 0 ? -1 : open("/tmp/disk", O_RDONLY);
}

static long do_keyctl(void)
{
    return syscall(SYS_keyctl, 0, -3, 0);
}

static long do_add_key(void)
{
    return syscall(SYS_add_key, "user", "probe", "x", 1, -3);
}

static long do_bpf(void)
{
    return syscall(SYS_bpf, 0, NULL, 0);
}

static long do_perf(void)
{
    return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}

static long do_userfaultfd(void)
{
    return syscall(SYS_userfaultfd, 0);
}

static long do_io_uring(void)
{
    struct io_uring_params parameters = { 0 };
    return syscall(SYS_io_uring_setup, 1, &parameters);
}

static long do_module(void)
{
    return syscall(SYS_finit_module, -1, "", 0);
}

static long do_kexec(void)
{
    return syscall(SYS_kexec_load, 0, 0, NULL, 0);
}

static long do_reboot(void)
{
    return reboot(RB_DISABLE_CAD);
}

static long do_settime(void)
{
    const struct timespec when = {
        .tv_sec = -1
    }; /* not a time: EINVAL where it is allowed, and nothing happens */
    return clock_settime(CLOCK_REALTIME, &when);
}

static long do_swapon(void)
{
    return syscall(SYS_swapon, "/no/such/file", 0);
}

static long do_chroot(void)
{
    return chroot("/");
}

static long do_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long do_open_by_handle(void)
{
    struct file_handle *handle = calloc(1, sizeof *handle + 8);
    if (handle == NULL)
        return -1;
    handle->handle_bytes = 8;
    handle->handle_type = 1;
    return open_by_handle_at(AT_FDCWD, handle, O_RDONLY);
}

static long do_setns(void)
{
    return syscall(SYS_setns, open("/proc/self/ns/uts", O_RDONLY), 0);
}

static long do_be_root(void)
{
    errno = EPERM;
    return geteuid() == 0 ? 0 : -1;
}

static long do_no_such_call(void)
{
    return syscall(4095);
}

static long do_tiocsti(void)
{
    return syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x");
}

static const struct {
    const char *name;
    long (*call)(void);
} calls[] = {
    { "socket", do_socket },
    { "raw_socket", do_raw_socket },
    { "unshare", do_unshare },
    { "clone", do_clone },
    { "clone3", do_clone3 },
    { "mount", do_mount },
    { "umount", do_umount },
    { "fsopen", do_fsopen },
    { "mknod", do_mknod },
    { "open_disk_node", do_open_disk_node },
    { "keyctl", do_keyctl },
    { "add_key", do_add_key },
    { "bpf", do_bpf },
    { "perf_event_open", do_perf },
    { "userfaultfd", do_userfaultfd },
    { "io_uring_setup", do_io_uring },
    { "finit_module", do_module },
    { "kexec_load", do_kexec },
    { "reboot", do_reboot },
    { "clock_settime", do_settime },
    { "swapon", do_swapon },
    { "chroot", do_chroot },
    { "ptrace", do_ptrace },
    { "open_by_handle_at", do_open_by_handle },
    { "setns", do_setns },
    { "be_root", do_be_root },
    { "no_such_call", do_no_such_call },
    { "tiocsti", do_tiocsti },
};

/* probe CALL[=NUMBER]... */
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        size_t length = equals == NULL ? strlen(argv[i]) : (size_t)(equals - argv[i]);
        number = equals == NULL ? 0 : strtol(equals + 1, NULL, 0);
        int known = 0;
        for (size_t j = 0; j < sizeof calls / sizeof calls[0]; j++) {
            if (strlen(calls[j].name) != length || strncmp(argv[i], calls[j].name, length) != 0)
                continue;
            known = 1;
            long result = calls[j].call();
            printf("%s: %s\n", argv[i], result >= 0 ? "ok" : strerrorname_np(errno));
        }
        if (!known) {
            printf("%s: there is no such probe\n", argv[i]);
            return 2;
        }
    }
    return 0;
}
