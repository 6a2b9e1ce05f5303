/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events are collected as pids, and a moment later all of them are read at once: a start of a container is fifty events.
 */
#include "glass/live.h"

#include <errno.h>

#include "kernel/procevents.h"

enum {
    INTERVAL_MS = 1000, /* between listings, without events */
    SOON_MS = 250,      /* when a container's name is not known yet */
    BUDGET_MS = 10,     /* for reading old processes again, with each listing */
    GATHER_MS = 30,     /* events that belong together */
    PACE_MS = 100,      /* between two updates */
    REFRESH_MS = 2000,  /* what no event tells */
    SHARE = 10,         /* an update may take one part in so many of the time */
    PIDS_MAX = 8192,    /* more of them: a listing is cheaper */
    ZOMBIES_MAX = 256,  /* looked at in one refresh */
};

struct pids {
    pid_t *pids;
    size_t count, room;
};

struct glass_live {
    unsigned interval_ms;
    int64_t read_ms;    /* when the table was brought up to date */
    int64_t refresh_ms; /* when zombies were looked at */
    int64_t event_ms;   /* when the first of the events came */
    int64_t cost_ms;    /* of the latest update */
    int fd;
    bool is_lost;        /* events were: list everything */
    struct pids changed; /* who to read */
    struct pids dying;   /* those that said so, and may still be there after we looked */
    pid_t zombie;        /* where the look at zombies goes on */
    char text[24];
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- pids ---- */

/* False: no room. */
static bool add(struct pids *pids, pid_t pid)
{
    if (pids->count == pids->room) {
        size_t room = pids->room == 0 ? 256 : pids->room * 2;
        pid_t *bigger = room > PIDS_MAX ? NULL : cl_realloc(pids->pids, room * sizeof *bigger);
        if (bigger == NULL)
            return false;
        pids->pids = bigger;
        pids->room = room;
    }
    pids->pids[pids->count++] = pid;
    return true;
}

static int compare(const void *a, const void *b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
    return (x > y) - (x < y);
}

/* Ascending, each once. */
static void make_set(struct pids *pids)
{
    size_t kept = 0;
    if (pids->count > 1)
        qsort(pids->pids, pids->count, sizeof *pids->pids, compare);
    for (size_t i = 0; i < pids->count; i++)
        if (i == 0 || pids->pids[i] != pids->pids[i - 1])
            pids->pids[kept++] = pids->pids[i];
    pids->count = kept;
}

/* ---- beginning and end ---- */

int glass_live_new(unsigned interval_ms, struct glass_live **ret, struct cl_error *err)
{
    struct glass_live *live = cl_calloc(1, sizeof *live);
    if (live == NULL)
        return cl_fail(err, ENOMEM, "follow the processes");
    live->fd = -EBADF;
    live->interval_ms = interval_ms == 0 ? INTERVAL_MS : interval_ms;
    if (live->interval_ms % 1000 == 0)
        (void)CL_PRINT(live->text, "every %u s", live->interval_ms / 1000); /* fits */
    else
        (void)CL_PRINT(live->text, "every %u ms", live->interval_ms); /* fits */
    *ret = live;
    return 0;
}

void glass_live_free(struct glass_live *live)
{
    if (live == NULL)
        return;
    (void)cl_close(live->fd);
    free(live->changed.pids);
    free(live->dying.pids);
    free(live);
}

void glass_live_listen(struct glass_live *live)
{
    live->fd = k_proc_events_open(NULL);
    live->is_lost = live->fd >= 0; /* what happened before we heard */
}

int glass_live_fd(const struct glass_live *live)
{
    bool is_known = live->is_lost || live->changed.count > 0; /* the rest waits in the socket */
    return is_known ? -1 : live->fd;
}

const char *glass_live_text(const struct glass_live *live)
{
    return live->fd >= 0 ? "live" : live->text;
}

/* ---- events ---- */

/* The pid has been given to another process: the old one is gone for sure. */
static void forget_dying(struct glass_live *live, pid_t pid)
{
    for (size_t i = 0; i < live->dying.count; i++)
        if (live->dying.pids[i] == pid) {
            live->dying.pids[i] = live->dying.pids[--live->dying.count];
            return;
        }
}

static void take(struct glass_live *live, const struct k_proc_event *event)
{
    if (event->kind == K_PROC_OTHER || event->kind == K_PROC_ACK || event->pid != event->tid)
        return; /* of a thread */
    if (live->changed.count == 0)
        live->event_ms = now_ms();
    bool is_taken = add(&live->changed, event->pid);
    if (event->kind == K_PROC_FORK)
        forget_dying(live, event->pid);
    if (event->kind == K_PROC_EXIT)
        is_taken = add(&live->dying, event->pid) && is_taken;
    live->is_lost = live->is_lost || !is_taken;
}

void glass_live_drain(struct glass_live *live)
{
    struct k_proc_event event;
    int code = live->fd < 0 ? 0 : 1;
    while (code > 0) {
        code = k_proc_events_next(live->fd, false, &event);
        if (code > 0)
            take(live, &event);
        live->is_lost = live->is_lost || code == -ENOBUFS;
        code = code == -ENOBUFS ? 1 : code;
    }
    if (code < 0) /* then by the interval */
        live->fd = cl_close(live->fd);
}

/* ---- when ---- */

static int64_t due_ms(const struct glass_live *live, bool is_soon)
{
    if (live->fd < 0)
        return live->read_ms +
               (is_soon && live->interval_ms > SOON_MS ? SOON_MS : live->interval_ms);
    int64_t pace = live->cost_ms * SHARE > PACE_MS ? live->cost_ms * SHARE : PACE_MS;
    int64_t due = live->read_ms + (is_soon || live->dying.count > 0 ? SOON_MS : REFRESH_MS);
    int64_t gathered = live->is_lost ? 0 : live->event_ms + GATHER_MS;
    if ((live->is_lost || live->changed.count > 0) && gathered < due)
        due = gathered;
    return due > live->read_ms + pace ? due : live->read_ms + pace;
}

int glass_live_timeout_ms(const struct glass_live *live, bool is_soon)
{
    int64_t left = due_ms(live, is_soon) - now_ms();
    return left < 0 ? 0 : (int)left;
}

/* ---- updates ---- */

/* Nobody tells when a zombie is reaped. A few of them, in turns. */
static void add_zombies(struct glass_live *live, const struct glass_world *world)
{
    size_t found = 0;
    pid_t last = 0;
    for (size_t i = 0; i < world->count && found < ZOMBIES_MAX; i++) {
        const struct glass_process *process = world->processes[i];
        if (process->state != 'Z' || process->pid <= live->zombie)
            continue;
        (void)add(&live->changed, process->pid);
        last = process->pid;
        found++;
    }
    live->zombie = found == ZOMBIES_MAX ? last : 0;
}

/* Those that are still on their way out are looked at again; those that have become zombies are looked at as such. */
static void keep_dying(struct glass_live *live, const struct glass_world *world)
{
    size_t kept = 0;
    for (size_t i = 0; i < live->dying.count; i++) {
        const struct glass_process *process = glass_world_find(world, live->dying.pids[i]);
        if (process != NULL && process->state != 'Z')
            live->dying.pids[kept++] = live->dying.pids[i];
    }
    live->dying.count = kept;
}

static int update_named(struct glass_live *live, struct glass_world *world, struct cl_error *err)
{
    int64_t now = now_ms();
    for (size_t i = 0; i < live->dying.count; i++)
        (void)add(&live->changed, live->dying.pids[i]);
    if (now >= live->refresh_ms + REFRESH_MS) {
        add_zombies(live, world);
        live->refresh_ms = now;
    }
    make_set(&live->changed);
    make_set(&live->dying);
    int code = glass_world_update(world, live->changed.pids, live->changed.count, err);
    live->changed.count = 0;
    keep_dying(live, world);
    return code;
}

/* All of it (is_forced), or what the kernel's counters ask for. */
static int read_listing(struct glass_live *live, struct glass_world *world, bool is_forced,
                        struct cl_error *err)
{
    glass_live_drain(live);
    live->changed.count = 0; /* the listing knows better */
    live->is_lost = false;
    int64_t start = now_ms();
    int code = is_forced ? glass_world_read(world, BUDGET_MS, err)
                         : glass_world_poll(world, BUDGET_MS, err);
    keep_dying(live, world);
    live->read_ms = now_ms();
    live->cost_ms = live->read_ms - start;
    return code;
}

int glass_live_read(struct glass_live *live, struct glass_world *world, struct cl_error *err)
{
    return read_listing(live, world, true, err);
}

int glass_live_update(struct glass_live *live, struct glass_world *world, struct cl_error *err)
{
    int code;
    if (glass_live_timeout_ms(live, world->is_unsure) > 0)
        return 0;
    if (live->fd < 0 || live->is_lost) {
        code = read_listing(live, world, live->is_lost, err);
        return code < 0 ? code : 1;
    }
    glass_live_drain(live);
    int64_t start = now_ms();
    code = update_named(live, world, err);
    live->read_ms = now_ms();
    live->cost_ms = live->read_ms - start;
    return code < 0 ? code : 1;
}
