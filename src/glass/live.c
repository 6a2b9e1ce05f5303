/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interval.
 */
#include "glass/live.h"

#include <errno.h>

enum { INTERVAL_MS = 1000, SOON_MS = 250, BUDGET_MS = 10 };

struct glass_live {
    unsigned interval_ms;
    int64_t read_ms; /* of the last reading */
    char text[24];
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int glass_live_new(unsigned interval_ms, bool is_polling, struct glass_live **ret,
                   struct cl_error *err)
{
    (void)is_polling;
    struct glass_live *live = cl_calloc(1, sizeof *live);
    if (live == NULL)
        return cl_fail(err, ENOMEM, "follow the processes");
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
    free(live);
}

int glass_live_fd(const struct glass_live *live)
{
    (void)live;
    return -1;
}

int glass_live_timeout_ms(const struct glass_live *live, bool is_soon)
{
    int64_t wait = is_soon && live->interval_ms > SOON_MS ? SOON_MS : live->interval_ms;
    int64_t left = live->read_ms + wait - now_ms();
    return left < 0 ? 0 : (int)left;
}

void glass_live_drain(struct glass_live *live)
{
    (void)live;
}

int glass_live_read(struct glass_live *live, struct glass_world *world, struct cl_error *err)
{
    int code = glass_world_read(world, BUDGET_MS, err);
    live->read_ms = now_ms();
    return code;
}

int glass_live_update(struct glass_live *live, struct glass_world *world, struct cl_error *err)
{
    if (glass_live_timeout_ms(live, world->is_unsure) > 0)
        return 0;
    int code = glass_live_read(live, world, err);
    return code < 0 ? code : 1;
}

const char *glass_live_text(const struct glass_live *live)
{
    return live->text;
}
