/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pseudo-terminals: a pair that talks, its size, raw mode and back.
 */
#include "kernel/terminal.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "support.h"

struct pair {
    int master, slave;
    unsigned index;
};

static bool open_pair(struct pair *pair, int devpts_fd)
{
    struct cl_error err = { 0 };
    *pair = (struct pair){ -EBADF, -EBADF, 0 };
    if (terminal_open_pair(devpts_fd, &pair->master, &pair->slave, &pair->index, &err) == 0)
        return true;
    printf("# %s\n", err.text);
    return false;
}

static void close_pair(struct pair *pair)
{
    pair->master = cl_close(pair->master);
    pair->slave = cl_close(pair->slave);
}

TEST(what_goes_into_the_slave_comes_out_of_the_master)
{
    struct pair pair;
    if (!open_pair(&pair, -EBADF))
        SKIP("no pseudo-terminals here");
    char text[16] = "";
    CHECK_INT(write(pair.slave, "hello\n", 6), 6);
    CHECK_INT(read(pair.master, text, sizeof text), 7);
    CHECK_STR(text, "hello\r\n"); /* cooked: ONLCR */
    struct stat info;
    CHECK(fstat(pair.slave, &info) == 0 && major(info.st_rdev) == 136 + pair.index / 256 &&
          minor(info.st_rdev) == pair.index % 256);
    CHECK((fcntl(pair.master, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(pair.slave, F_GETFD) & FD_CLOEXEC) != 0);
    close_pair(&pair);
}

TEST(size)
{
    struct pair pair;
    unsigned rows = 0, columns = 0;
    if (!open_pair(&pair, -EBADF))
        SKIP("no pseudo-terminals here");
    CHECK_INT(terminal_set_size(pair.master, 43, 132), 0);
    CHECK_INT(terminal_get_size(pair.slave, &rows, &columns), 0);
    CHECK_INT(rows, 43);
    CHECK_INT(columns, 132);
    CHECK_INT(terminal_set_size(pair.master, 70000, 1), 0);
    CHECK_INT(terminal_get_size(pair.slave, &rows, &columns), 0);
    CHECK_INT(rows, 65535); /* no 16-bit wrap */
    close_pair(&pair);
}

TEST(raw_and_back)
{
    struct pair pair;
    struct termios saved, now;
    if (!open_pair(&pair, -EBADF))
        SKIP("no pseudo-terminals here");
    CHECK_INT(terminal_set_raw(pair.slave, &saved), 0);
    CHECK((saved.c_lflag & ICANON) != 0);
    CHECK(tcgetattr(pair.slave, &now) == 0 && (now.c_lflag & (ICANON | ECHO | ISIG)) == 0 &&
          (now.c_oflag & OPOST) == 0);
    CHECK_INT(terminal_restore(pair.slave, &saved), 0);
    CHECK(tcgetattr(pair.slave, &now) == 0 && (now.c_lflag & ICANON) != 0 &&
          (now.c_oflag & OPOST) != 0);
    close_pair(&pair);
}

TEST(what_is_no_terminal)
{
    unsigned rows = 7, columns = 7;
    struct termios saved;
    cl_auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
    CHECK_INT(terminal_get_size(null, &rows, &columns), -ENOTTY);
    CHECK_INT(rows, 7);
    CHECK_INT(terminal_set_raw(null, &saved), -ENOTTY);
}

TEST(a_fake_ptmx_is_refused)
{
    struct scratch scratch;
    struct cl_error err = { 0 };
    int master = 7, slave = 7;
    unsigned index = 7;
    REQUIRE(scratch_make(&scratch));
    CHECK_INT(terminal_open_pair(scratch.fd, &master, &slave, &index, &err), -ENOENT);
    close(openat(scratch.fd, "ptmx", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    CHECK_INT(terminal_open_pair(scratch.fd, &master, &slave, &index, &err), -ENODEV);
    CHECK_INT(unlinkat(scratch.fd, "ptmx", 0), 0);
    CHECK_INT(symlinkat("/dev/ptmx", scratch.fd, "ptmx"), 0);
    CHECK_INT(terminal_open_pair(scratch.fd, &master, &slave, &index, &err), -ELOOP);
    CHECK_INT(master, 7);
    CHECK_INT(slave, 7);
    scratch_remove(&scratch);
}

static void pair_on_own_devpts(void *argument)
{
    struct scratch *scratch = argument;
    CHECK_INT(k_mount("devpts", scratch->path, "devpts", 0, "newinstance,ptmxmode=0666,mode=620"),
              0);
    cl_auto_fd devpts = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct pair pair;
    CHECK(open_pair(&pair, devpts));
    CHECK_INT(pair.index, 0); /* the first of its own instance */
    struct stat by_name, by_fd;
    CHECK(fstatat(devpts, "0", &by_name, 0) == 0 && fstat(pair.slave, &by_fd) == 0 &&
          by_name.st_ino == by_fd.st_ino && by_name.st_dev == by_fd.st_dev);
    close_pair(&pair);
}

TEST(a_pair_on_a_devpts_of_our_own)
{
    struct scratch scratch;
    if (geteuid() != 0)
        SKIP("needs root: mounts a devpts in a mount namespace");
    REQUIRE(scratch_make(&scratch));
    bool could = in_child(CLONE_NEWNS, pair_on_own_devpts, &scratch);
    scratch_remove(&scratch);
    if (!could)
        SKIP("can't make a mount namespace here");
}

TEST(a_pair_on_a_detached_devpts)
{
    struct pair pair;
    if (geteuid() != 0)
        SKIP("needs root: makes a devpts");
    cl_auto_fd fs = k_fsopen("devpts");
    REQUIRE(fs >= 0 && k_fsconfig_string(fs, "ptmxmode", "0666") == 0 &&
            k_fsconfig_create(fs) == 0);
    cl_auto_fd mount = k_fsmount(fs, MOUNT_ATTR_NOSUID);
    REQUIRE(mount >= 0 && open_pair(&pair, mount));
    CHECK_INT(pair.index, 0);
    close_pair(&pair);
}

TEST_MAIN
