/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside: a snapshot as a process of the container would have taken it, made from ours without entering anything.
 *
 * Which processes are visible there: those whose pid namespace is the container's or below it (NS_GET_PARENT tells the hierarchy). Their
 * pids: the entry of NSpid for the container's level. Their users: uid_map read backwards, named by the container's passwd.
 */
#pragma once

#include "lens/collect.h"
#include "lens/idmap.h"

struct lens_inside {
    pid_t pid; /* of the target, on the host */
    uint64_t start_ticks;
    struct lens_idmap uids;
    struct lens_id_names *users;
    uint64_t pid_ns, user_ns; /* inodes: the roots of what is visible there */
};
void lens_inside_done(struct lens_inside *inside);

/*
 * Snapshot must be fresh from lens_collect with (at least) the pid type. Afterwards pids, parents and uids are the inside's, invisible processes
 * are gone, counts and representatives are as seen there; details (with names, IDS included) are read for all that is left.
 */
int lens_inside_apply(struct lens_snapshot *snapshot, int proc_fd, const struct lens_target *target,
                      unsigned details, struct lens_inside *ret, struct cl_error *err);
/* After lens_collect_relations: parents and owners outside of the container's view become 0, as its kernel calls would be refused. */
void lens_inside_hide_relations(struct lens_snapshot *snapshot, const struct lens_inside *inside);
/* "root", or the number in buffer. */
const char *lens_inside_user(const struct lens_inside *inside, uint32_t uid,
                             char buffer[static 16]);
