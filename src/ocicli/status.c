/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container is doing: looked up, never written down. Init's start time and state in /proc say whether it is there; the
 * start socket, whether it was started; the freezer, whether it is paused.
 *
 * `list` asks this of hundreds, so what is looked through is opened once (a lookout), and each file is opened by its path from
 * there: one open, one read.
 */
#include "ocicli/private.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>

void lookout_done(struct lookout *lookout)
{
    if (lookout->has_own_host)
        cgroup_host_done(&lookout->own_host);
    lookout->has_own_host = false;
    lookout->root = cl_close(lookout->root);
    if (!lookout->is_lent)
        lookout->proc = cl_close(lookout->proc);
}

static int open_proc(struct lookout *lookout, struct cl_error *err)
{
    if (lookout->proc < 0)
        lookout->proc = procfs_open_host(err);
    return lookout->proc;
}

/* The state of the recorded init, as in /proc; '\0' where it is gone or a zombie. */
static int look_at_init(const struct container *container, struct lookout *lookout, char *ret,
                        struct cl_error *err)
{
    struct procfs_stat stat;
    *ret = '\0';
    if (!cl_streq(container->boot_id, k_boot_id()))
        return 0;
    int result = open_proc(lookout, err);
    if (result < 0)
        return result;
    result = procfs_read_stat_of(lookout->proc, container->pid, &stat);
    if (result == -ESRCH)
        return 0;
    if (result < 0)
        return cl_fail(err, result, "look at process %d", (int)container->pid);
    if (stat.start_ticks == container->start_ticks && stat.state != 'Z' && stat.state != 'X')
        *ret = stat.state;
    return 0;
}

static bool is_paused(const struct container *container, char init_state, struct lookout *lookout)
{
    if (container->cgroup_path[0] == '\0')
        return false;
    if (lookout->host == NULL) {
        if (cgroup_host_init_for(&lookout->own_host, lookout->proc, "freezer", NULL) < 0)
            return false;
        lookout->has_own_host = true;
        lookout->host = &lookout->own_host;
    }
    return cgroup_may_be_frozen(lookout->host, init_state) &&
           cgroup_is_frozen(lookout->host, container->cgroup_path);
}

/* ROOT/ID of one that was only looked at. */
static int open_dir(const struct container *container, const struct lookout *lookout)
{
    int fd = openat(lookout->root, container->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Whoever makes it holds the lock, and its init a copy, until it notices that its maker was killed: then both are gone. */
static bool is_being_made(const struct container *container, const struct lookout *lookout)
{
    cl_auto_fd own = container->dir < 0 ? open_dir(container, lookout) : -EBADF;
    int dir = container->dir < 0 ? own : container->dir;
    if (container->has_lock || dir < 0)
        return false;
    if (flock(dir, LOCK_SH | LOCK_NB) < 0)
        return true;
    (void)flock(dir, LOCK_UN);
    return false;
}

static bool waits_for_start(const struct container *container, const struct lookout *lookout)
{
    if (container->starts_at_once)
        return false;
    char path[300] = "start";
    int at = container->dir;
    if (at < 0) {
        at = lookout->root;
        container_path(path, container->id, "start");
    }
    if (faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        return false; /* as nearly always; no socket need be made to find that out */
    cl_auto_fd own = container->dir < 0 ? open_dir(container, lookout) : -EBADF;
    cl_auto_fd socket = container_connect(container->dir < 0 ? own : container->dir);
    return socket >= 0 || socket == -EAGAIN; /* so many have asked that its queue is full */
}

/* Created, and then paused: the file says that a look at the freezer is worth it, which costs more than all the rest. */
static bool is_held(const struct container *container, char init_state, struct lookout *lookout)
{
    char path[300] = CONTAINER_HELD;
    int at = container->dir;
    if (at < 0) {
        at = lookout->root;
        container_path(path, container->id, CONTAINER_HELD);
    }
    return faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
           is_paused(container, init_state, lookout);
}

int container_status_from(const struct container *container, struct lookout *lookout,
                          enum oci_status *ret, struct cl_error *err)
{
    char init_state;
    if (container->pid == 0) {
        *ret = is_being_made(container, lookout) ? OCI_CREATING : OCI_STOPPED;
        return 0;
    }
    int result = look_at_init(container, lookout, &init_state, err);
    if (result < 0)
        return result;
    if (init_state == '\0')
        *ret = OCI_STOPPED;
    else if (waits_for_start(container, lookout))
        *ret = is_held(container, init_state, lookout) ? OCI_PAUSED : OCI_CREATED;
    else
        *ret = is_paused(container, init_state, lookout) ? OCI_PAUSED : OCI_RUNNING;
    return 0;
}

int container_status(const struct container *container, enum oci_status *ret, struct cl_error *err)
{
    struct lookout lookout = LOOKOUT_NONE;
    int result = container_status_from(container, &lookout, ret, err);
    lookout_done(&lookout);
    return result;
}

int container_pidfd(const struct container *container, struct cl_error *err)
{
    struct lookout lookout = LOOKOUT_NONE;
    char init_state = '\0';
    cl_auto_fd pidfd = container->pid > 0 ? k_pidfd_open(container->pid) : -ESRCH;
    /* After the pidfd: if the start time fits now, the pidfd is of the right process. */
    int result = pidfd < 0 ? 0 : look_at_init(container, &lookout, &init_state, err);
    lookout_done(&lookout);
    if (result < 0)
        return result;
    if (init_state == '\0')
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container not running: %s",
                            container->id);
    return cl_take_fd(&pidfd);
}

void container_wait(const struct container *container, int timeout_ms)
{
    cl_auto_fd pidfd = container_pidfd(container, NULL);
    struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
    if (pidfd >= 0)
        (void)poll(&poll_fd, 1,
                   timeout_ms); /* in vain: then it is still there, as its state says */
}
