/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pseudo-terminals. The master comes from the ptmx of one devpts instance, is checked to be one
 * (character device 5:2), and hands out its own slave by TIOCGPTPEER (4.13): no name in /dev/pts is
 * ever opened, so whatever lies there can't be taken for the slave.
 */
#include "kernel/terminal.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kernel/hook.h"

static int terminal_ioctl(int fd, unsigned long request, void *argument)
{
    return (int)K_CALL("ioctl", SYS_ioctl, fd, (long)request, (long)argument);
}

static int open_master(int devpts_fd)
{
    int flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
    /* The host's own: /dev/ptmx is open to all, while /dev/pts/ptmx has mode 0000 on many hosts. */
    cl_auto_fd fd =
        devpts_fd >= 0
            ? (int)K_CALL("openat", SYS_openat, devpts_fd, (long)"ptmx", flags | O_NOFOLLOW)
            : (int)K_CALL("openat", SYS_openat, AT_FDCWD, (long)"/dev/ptmx", flags);
    if (fd < 0)
        return fd;
    struct stat info;
    if (fstat(fd, &info) < 0)
        return -errno;
    if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(5, 2))
        return -ENODEV;
    return cl_take_fd(&fd);
}

int terminal_open_pair(int devpts_fd, int *ret_master, int *ret_slave, unsigned *ret_index,
                       struct cl_error *err)
{
    cl_auto_fd master = open_master(devpts_fd);
    if (master < 0) {
        int code = cl_fail(err, master, "open a pseudo-terminal");
        if (master == -ENOSPC)
            (void)cl_error_hint(err, "all are in use (see /proc/sys/kernel/pty/max)");
        else if (master == -ENODEV || master == -ENOENT)
            (void)cl_error_hint(err, "there is no devpts's ptmx where it should be");
        return code;
    }
    int unlock = 0;
    unsigned index = 0;
    int code = terminal_ioctl(master, TIOCSPTLCK, &unlock);
    if (code < 0)
        return cl_fail(err, code, "unlock a pseudo-terminal");
    code = terminal_ioctl(master, TIOCGPTN, &index);
    if (code < 0)
        return cl_fail(err, code, "ask a pseudo-terminal for its number");
    int slave = (int)K_CALL("ioctl", SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return cl_fail(err, slave, "open the slave of pseudo-terminal %u", index);
    *ret_slave = slave;
    *ret_master = cl_take_fd(&master);
    *ret_index = index;
    return 0;
}

int terminal_set_size(int fd, unsigned rows, unsigned columns)
{
    struct winsize size = { .ws_row = (unsigned short)(rows < 0xffff ? rows : 0xffff),
                            .ws_col = (unsigned short)(columns < 0xffff ? columns : 0xffff) };
    return terminal_ioctl(fd, TIOCSWINSZ, &size);
}

int terminal_get_size(int fd, unsigned *ret_rows, unsigned *ret_columns)
{
    struct winsize size = { 0 };
    int code = terminal_ioctl(fd, TIOCGWINSZ, &size);
    if (code < 0)
        return code;
    *ret_rows = size.ws_row;
    *ret_columns = size.ws_col;
    return 0;
}

static int set_attributes(int fd, const struct termios *attributes)
{
    int code;
    /* At once, not after the output has drained: a stopped terminal would hold us. */
    do
        code = tcsetattr(fd, TCSANOW, attributes) < 0 ? -errno : 0;
    while (code == -EINTR);
    return code;
}

int terminal_set_raw(int fd, struct termios *ret_saved)
{
    struct termios saved;
    if (tcgetattr(fd, &saved) < 0)
        return -errno;
    struct termios raw = saved;
    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    int code = set_attributes(fd, &raw);
    if (code >= 0)
        *ret_saved = saved;
    return code;
}

int terminal_restore(int fd, const struct termios *saved)
{
    return set_attributes(fd, saved);
}
