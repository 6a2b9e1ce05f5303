/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hearing of the OOM killer. v1: an eventfd that is registered with memory.oom_control (also
 * written when the group is removed). v2: memory.events, whose changes poll tells as POLLPRI to who
 * has read it.
 */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "kernel/cgroup_private.h"
#include "kernel/hook.h"

static int open_v1(int dir, struct cgroup_oom *oom)
{
    char text[64];
    cl_auto_fd event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    cl_auto_fd control =
        (int)K_CALL("openat", SYS_openat, dir, (long)"memory.oom_control", O_RDONLY | O_CLOEXEC);
    if (event < 0 || control < 0)
        return event < 0 ? -errno : control;
    (void)CL_PRINT(text, "%d %d", event, control);
    int code = cgroup_file_write(dir, "cgroup.event_control", text);
    if (code < 0)
        return code;
    oom->events = POLLIN;
    oom->fd = cl_take_fd(&event); /* the registration lives as long as this */
    return 0;
}

static int open_v2(int dir, struct cgroup_oom *oom)
{
    cl_auto_fd events =
        (int)K_CALL("openat", SYS_openat, dir, (long)"memory.events", O_RDONLY | O_CLOEXEC);
    if (events < 0)
        return events;
    oom->events = POLLPRI;
    oom->fd = cl_take_fd(&events);
    return 0;
}

int cgroup_oom_open(const struct cgroup *group, struct cgroup_oom *ret, struct cl_error *err)
{
    struct cgroup_oom oom = { .fd = -EBADF };
    int index = cgroup_index_v1(group, "memory"), v2 = cgroup_v2_fd(group);
    int code = index >= 0 ? open_v1(group->at[index].fd, &oom)
               : v2 >= 0  ? open_v2(v2, &oom)
                          : -ENOENT;
    if (code >= 0 && oom.events == POLLPRI)
        code = cgroup_oom_seen(group, &oom); /* what was before is no news */
    if (code < 0 && code != -ENOENT) {
        cgroup_oom_done(&oom);
        return cl_fail(err, code, "watch the memory of cgroup %s", group->path);
    }
    *ret = oom; /* without a memory controller nothing is killed for it */
    return 0;
}

int cgroup_oom_seen(const struct cgroup *group, struct cgroup_oom *oom)
{
    char text[1024];
    uint64_t kills = oom->kills;
    if (oom->fd < 0)
        return 0;
    ssize_t size = oom->events == POLLIN ? read(oom->fd, text, sizeof(uint64_t))
                                         : pread(oom->fd, text, sizeof text, 0);
    if (size < 0 && errno != EAGAIN)
        return -errno;
    int code = cgroup_oom_kills(group, &kills);
    if (code < 0)
        return code; /* v1 also tells of the group's removal */
    /* v1 tells before it kills, so its counter comes too late. */
    bool is_news = oom->events == POLLIN ? size > 0 : kills > oom->kills;
    oom->kills = kills;
    return is_news;
}

void cgroup_oom_done(struct cgroup_oom *oom)
{
    oom->fd = cl_close(oom->fd);
}
