/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room glass only: what the files of the table share.
 *
 *   world.c         the table: what is new, what has gone
 *   world_groups.c  which container a process belongs to
 *   world_inside.c  what one process looks like from inside, when it is to be seen
 */
#pragma once

#include "glass/reading.h"

/* Stands for a pid namespace that we may not know: no inode is 1 there. */
#define GLASS_HIDDEN_NS 1u

enum { GLASS_CGROUP_SLOTS = 1024, GLASS_NAME_TRIES = 8 };

/* One text of /proc/PID/cgroup, which many processes share. */
struct glass_cgroup {
    struct glass_cgroup *next;
    struct glass_group *group; /* the container that it names, or NULL */
    size_t users;
    bool is_resolved;
    unsigned tries; /* an engine may list its container only when that has come to run */
    char text[];
};

struct glass_user_ns {
    uint64_t inode;
    struct lens_idmap *map;
};

/* Give the process its control group (text taken) and its group. 0 or -ENOMEM. */
int glass_groups_place(struct glass_world *world, struct glass_process *process, char *take_cgroup);
void glass_groups_leave(struct glass_world *world, struct glass_process *process);
/* Before an update: ask again for the names that were not known. */
void glass_groups_retry(struct glass_world *world);
/* After an update: forget control groups and groups without processes. */
void glass_groups_sweep(struct glass_world *world);
void glass_groups_done(struct glass_world *world);
/* Fill inside_user. */
void glass_inside_user(struct glass_world *world, struct glass_process *process, int pid_fd);
/* What a fresh reading says about a known process. True when its place may have changed. -ENOMEM only costs the placing. */
bool glass_world_take(struct glass_world *world, struct glass_process *process,
                      struct glass_reading *reading);
