/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the table has to be brought up to date: when a process was born, changed or died (the proc connector, where the kernel lets us hear it),
 * else at an interval.
 *
 * With events an update reads only who was named. What no event tells is looked at every two seconds: zombies, which go without a word, and
 * by the caller the rows on the screen. Updates take at most a tenth of the time, however much happens.
 */
#pragma once

#include "glass/world.h"

struct glass_live;
/* interval_ms: see glass.h. */
int glass_live_new(unsigned interval_ms, struct glass_live **ret, struct cl_error *err);
void glass_live_free(struct glass_live *live);
CL_DEFINE_AUTO(struct glass_live, glass_live_free)
/* Hear events from now on, if we may. Can take a second where the kernel does not answer. */
void glass_live_listen(struct glass_live *live);

int glass_live_fd(
    const struct glass_live *live); /* readable: something has happened; -1: nothing to wait for */
/* How long to wait for it at most. is_soon: the table wants another look soon. */
int glass_live_timeout_ms(const struct glass_live *live, bool is_soon);
/* Take the events that have come, without looking at the processes. */
void glass_live_drain(struct glass_live *live);
/* Is it time? Then bring the table up to date. 1: it was done; 0: not yet; or -errno. */
int glass_live_update(struct glass_live *live, struct glass_world *world, struct cl_error *err);
/* All of it, now. */
int glass_live_read(struct glass_live *live, struct glass_world *world, struct cl_error *err);
/* "live" or "every 1 s" */
const char *glass_live_text(const struct glass_live *live);
