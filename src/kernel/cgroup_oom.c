/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hearing of the OOM killer. v1: an eventfd that is registered with memory.oom_control (also
 * written when the group is removed). v2: memory.events, whose changes poll tells as POLLPRI to who
 * has read it.
 *
 * systemd removes the group of a scope as soon as nobody is in it, and the kernel tells of changes
 * no more often than every 10 ms: the file of a container that the OOM killer has ended may be gone
 * before it could be read. What happens in a group is counted in the one above it, too, which stays.
 *
 * That count is of all groups below: when ours vanished, and one beside it had a kill since the last look (the caller looks each few seconds), that is told as ours. No file
 * decides it. A descriptor of memory.events that was opened before reads nothing once the group is gone (ENODEV), and memory.events.local goes with it; that of the group
 * above counts only its own members, which are none. All groups beside it could be read at each look and taken off, hundreds of them, and still one that came and
 * vanished in between would be missing. A file in the group would keep nobody from removing it. So a kill is told once too often rather than never, and only at the end.
 */
#include <errno.h>
#include <fcntl.h>
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
    oom->above =
        (int)K_CALL("openat", SYS_openat, dir, (long)"..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return 0; /* without one above, or without a look into it, it goes without */
}

static uint64_t kills_above(const struct cgroup_oom *oom)
{
    uint64_t kills = 0;
    return oom->above < 0 || cgroup_file_number(oom->above, "memory.events", "oom_kill", &kills) < 0
               ? oom->kills_above
               : kills;
}

int cgroup_oom_open(const struct cgroup *group, struct cgroup_oom *ret, struct cl_error *err)
{
    struct cgroup_oom oom = { .fd = -EBADF, .above = -EBADF };
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

static int seen_v1(const struct cgroup *group, const struct cgroup_oom *oom)
{
    uint64_t count, kills;
    ssize_t size = read(oom->fd, &count, sizeof count);
    if (size < 0 && errno != EAGAIN)
        return -errno;
    int code = cgroup_oom_kills(group, &kills);
    /* It tells before it kills, so its counter comes too late; and it also tells of the group's removal. */
    return code < 0 ? code : size > 0;
}

static int seen_v2(const struct cgroup *group, struct cgroup_oom *oom)
{
    char text[1024];
    uint64_t kills = oom->kills;
    /* First above: what happens between the two looks is told twice rather than never. */
    uint64_t above = kills_above(oom);
    bool is_news = above > oom->kills_above;
    oom->kills_above = above;
    /* Without a read poll would tell the same again. */
    ssize_t size = pread(oom->fd, text, sizeof text, 0);
    int code = size < 0 ? -errno : cgroup_oom_kills(group, &kills);
    if (code >= 0)
        is_news = kills > oom->kills;
    oom->kills = kills;
    return code >= 0 || is_news ? is_news : code;
}

int cgroup_oom_seen(const struct cgroup *group, struct cgroup_oom *oom)
{
    if (oom->fd < 0)
        return 0;
    return oom->events == POLLIN ? seen_v1(group, oom) : seen_v2(group, oom);
}

void cgroup_oom_done(struct cgroup_oom *oom)
{
    oom->fd = cl_close(oom->fd);
    oom->above = cl_close(oom->above);
}
