/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is making a container: a create, run or restore that waits for a hook, an agent, a console. It has the lock, and nothing is written down yet that could be ended
 * instead.
 *
 * Before there is a process, state.json has the maker's pid. That alone ends nobody: the kernel has to say, too, that this process holds the lock of this very directory
 * (its fdinfo has a line for it), while a pidfd is open that was opened before. A maker in another pid namespace, or of another user, is not found: then its lock is
 * waited for.
 *
 * It is asked to end first (SIGTERM): a maker that waits for a hook ends the hook with all of its process group, and undoes what it has made (create.c, runtime/hooks.c).
 * One that does not answer is killed; its hook and its init go with it (PR_SET_PDEATHSIG), and what is left is in the record.
 */
#include "ocicli/private.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#define ANSWER_MS                                                                                  \
    10000 /* it has processes to reap and groups to remove, on a machine that may be busy */
#define END_MS   10000 /* a killed process that is still there then hangs in the kernel */
#define INFO_MAX 65536

static bool is_same_file(int at, const char *path, const struct stat *wanted)
{
    struct stat info;
    return fstatat(at, path, &info, 0) == 0 && info.st_dev == wanted->st_dev &&
           info.st_ino == wanted->st_ino;
}

/* A descriptor of it with a flock for writing: the kernel lists only what was taken by way of that open file. */
static bool has_lock_line(int process, const char *number)
{
    char path[64];
    cl_auto_free char *text = NULL;
    if (CL_PRINT(path, "fdinfo/%s", number) < 0 ||
        cl_read_file(process, path, INFO_MAX, &text, NULL, NULL) < 0)
        return false;
    const char *line = strstr(text, "lock:");
    return line != NULL && strstr(line, " FLOCK ") != NULL && strstr(line, " WRITE ") != NULL;
}

static bool holds_lock(int process, int dir)
{
    struct stat wanted;
    int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (list == NULL) {
        (void)cl_close(fd);
        return false;
    }
    bool does = false;
    const struct dirent *entry;
    while (!does && fstat(dir, &wanted) == 0 && (entry = readdir(list)) != NULL)
        does = entry->d_name[0] != '.' && is_same_file(fd, entry->d_name, &wanted) &&
               has_lock_line(process, entry->d_name);
    (void)closedir(list);
    return does;
}

int container_maker(const struct container *container, int dir)
{
    if (container->pid != 0 || container->maker <= 0 || !cl_streq(container->boot_id, k_boot_id()))
        return -ESRCH;
    cl_auto_fd pidfd = k_pidfd_open(container->maker);
    cl_auto_fd proc = pidfd < 0 ? -ESRCH : procfs_open_host(NULL);
    cl_auto_fd process = proc < 0 ? -ESRCH : procfs_open_pid(proc, container->maker);
    return process >= 0 && holds_lock(process, dir) ? cl_take_fd(&pidfd) : -ESRCH;
}

static bool has_ended(int pidfd, int timeout_ms)
{
    struct pollfd end = { .fd = pidfd, .events = POLLIN };
    int count;
    do
        count = poll(&end, 1, timeout_ms);
    while (count < 0 && errno == EINTR);
    return count > 0;
}

void container_end_maker(int pidfd)
{
    if (k_pidfd_send_signal(pidfd, SIGTERM) < 0 || has_ended(pidfd, ANSWER_MS))
        return;
    if (k_pidfd_send_signal(pidfd, SIGKILL) >= 0)
        (void)has_ended(pidfd, END_MS); /* in vain: the lock tells */
}
