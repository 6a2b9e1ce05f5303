/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small facts about files and about this machine's boot. What does not change while a process lives
 * is read once.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "kernel/calls.h"
#include "kernel/hook.h"

bool k_is_same_file(int fd_a, int fd_b)
{
    struct stat a, b;
    return fstat(fd_a, &a) == 0 && fstat(fd_b, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

int k_fs_type(int fd, long *ret_magic)
{
    struct statfs info;
    long answer = K_CALL("fstatfs", SYS_fstatfs, fd, (long)&info);
    if (answer < 0)
        return (int)answer;
    *ret_magic = (long)info.f_type;
    return 0;
}

static char boot_id[40];

static void boot_id_read(void)
{
    ssize_t length =
        cl_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot_id, sizeof boot_id);
    boot_id[length >= 36 ? 36 : 0] = '\0';
}

const char *k_boot_id(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, boot_id_read); /* fails only for an invalid argument */
    return boot_id;
}

long k_clock_ticks(void)
{
    long ticks = sysconf(_SC_CLK_TCK); /* from the auxiliary vector: no system call */
    return ticks > 0 ? ticks : 100;
}
