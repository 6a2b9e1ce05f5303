/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the table has to be brought up to date: when a process was born, changed or died (events, where the kernel lets us hear of them), else
 * at an interval.
 */
#pragma once

#include "glass/world.h"

struct glass_live;
/* interval_ms: see glass.h. is_polling: no events. */
int glass_live_new(unsigned interval_ms, bool is_polling, struct glass_live **ret,
                   struct cl_error *err);
void glass_live_free(struct glass_live *live);
CL_DEFINE_AUTO(struct glass_live, glass_live_free)

int glass_live_fd(const struct glass_live *live); /* readable: something has happened; -1: none */
/* How long to wait for it at most. is_soon: the table wants another look soon. -1: for ever. */
int glass_live_timeout_ms(const struct glass_live *live, bool is_soon);
/* Take the events that have come, without looking at the processes. */
void glass_live_drain(struct glass_live *live);
/* Is it time? Then bring the table up to date. 1: it was done; 0: not yet; or -errno. */
int glass_live_update(struct glass_live *live, struct glass_world *world, struct cl_error *err);
/* All of it, now. */
int glass_live_read(struct glass_live *live, struct glass_world *world, struct cl_error *err);
/* "live" or "every 1s" */
const char *glass_live_text(const struct glass_live *live);
