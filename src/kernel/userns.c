/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See userns.h. The child does nothing but wait for the end of a pipe, which also comes when the
 * parent dies.
 */
#include "kernel/userns.h"

#include <errno.h>
#include <unistd.h>

#include "kernel/procfs.h"

#define MAP_MAX (340 * 33) /* lines the kernel takes, at their longest */

static int write_map(int proc_fd, pid_t pid, const char *file, const struct k_id_range *ranges,
                     size_t count)
{
    char path[40];
    cl_auto_buf text = CL_BUF_INIT(MAP_MAX);
    for (size_t i = 0; i < count; i++)
        cl_buf_printf(&text, "%u %u %u\n", ranges[i].inside, ranges[i].outside, ranges[i].count);
    int result = text.failed < 0 ? text.failed : CL_PRINT(path, "%d/%s", (int)pid, file);
    return result < 0 ? result : procfs_write(proc_fd, path, text.data);
}

static int fill(int proc_fd, pid_t pid, const struct k_id_maps *maps, int *ret_fd)
{
    char path[40];
    int result = write_map(proc_fd, pid, "uid_map", maps->uids, maps->uid_count);
    if (result >= 0)
        result = write_map(proc_fd, pid, "gid_map", maps->gids, maps->gid_count);
    if (result >= 0)
        result = CL_PRINT(path, "%d/ns/user", (int)pid);
    if (result < 0)
        return result;
    int fd = k_openat(proc_fd, path, O_RDONLY, 0);
    if (fd < 0)
        return fd;
    *ret_fd = fd;
    return 0;
}

static _Noreturn void wait_for_end(int input, int output)
{
    char byte;
    (void)cl_close(output);
    while (read(input, &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

int k_userns_make(int proc_fd, const struct k_id_maps *maps, int *ret_fd, struct cl_error *err)
{
    int pidfd = -EBADF, status, fd = -EBADF;
    cl_auto_fd input = -EBADF, output = -EBADF;
    const struct k_clone arguments = { .flags = CLONE_NEWUSER,
                                       .cgroup_fd = -EBADF,
                                       .exit_signal = SIGCHLD };
    int result = k_pipe(&input, &output);
    pid_t pid = result < 0 ? result : k_clone3(&arguments, &pidfd);
    if (pid == 0)
        wait_for_end(input, output);
    if (pid < 0)
        return cl_fail(err, pid, "make a user namespace");
    result = fill(proc_fd, pid, maps, &fd);
    output = cl_close(output);
    /* Our own child, which ends by itself; the second try is for what was only in the way. */
    if (k_wait_pidfd(pidfd, 0, &status) < 0)
        (void)k_wait_pidfd(pidfd, 0, &status);
    (void)cl_close(pidfd);
    if (result < 0)
        return cl_fail(err, result, "make a user namespace: write its id maps");
    *ret_fd = fd;
    return 0;
}
