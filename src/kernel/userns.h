/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user namespace with given id maps and nobody in it (user_namespaces(7)): what an id-mapped mount
 * is made with (mount_setattr(2)), or what somebody is to enter.
 */
#pragma once

#include "kernel/calls.h"

struct k_id_range { /* a line of uid_map or gid_map */
    uint32_t inside, outside, count;
};
struct k_id_maps {
    const struct k_id_range *uids, *gids; /* borrowed */
    size_t uid_count, gid_count;
};
/*
 * Make one with a child that lives only so long, and hand back a descriptor of it. `proc_fd`: the
 * host's /proc. What is mapped has to be the caller's to give: root, or CAP_SETUID and CAP_SETGID in
 * a user namespace that has these ids. Single-threaded callers only.
 */
int k_userns_make(int proc_fd, const struct k_id_maps *maps, int *ret_fd, struct cl_error *err);
