/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What adding and removing mounts of a running container have in common. Private to the room.
 *
 *   caller (host)                                  helper (a child of ours, in our pid namespace)
 *   -------------                                  ----------------------------------------------
 *   pidfd of init, start time checked
 *   plans; clones the sources (as at creation)
 *   clone3                      ------------->     not dumpable; enters the user namespace, becomes its root
 *                                                  makes all that is to be mounted, detached, outside the container
 *                               <-------------     READY: their mount ids lie in shared memory
 *   writes them down
 *   START                       ------------->     enters the mount namespace; finds each target, attaches
 *                               <-------------     (end of file and exit code 0), or FAILED
 *
 * Only the helper enters the container, and of that only the mount namespace (and the user namespace that it belongs to): it is in no pid namespace of the
 * container's, so nobody in there can see it, and where the host's is shared nobody can trace it or open its /proc directory. It executes nothing and reads no
 * file in there. A path in there is one below a descriptor of its root (kernel/inroot.h). What it makes there it makes as root of the container's user namespace.
 */
#pragma once

#include "runtime/child.h"
#include "runtime/parent.h"

struct later_id {
    uint64_t id, unique_id;
    bool is_done;
};

struct later {
    const struct runtime_target *target;
    struct runtime_facts facts;
    struct runtime_plan *plan; /* of what is added; owned */
    int pidfd, proc;           /* of the container's init */
    bool has_user_ns;          /* another one than ours */
    bool opens_itself;         /* the helper clones the sources, as we may not */
    struct later_id *ids;      /* shared with the helper */
    size_t count;
    int *trees; /* count detached mounts, or -EBADF; the helper's own copies in the end */
    int *blank; /* of each tmpfs a writable clone, until its mode is known */
    struct runtime_added *added;
    int child_end;
    struct runtime_process helper;
};

/* With facts, descriptors of the container and room for `count` ids. later_done in any case. */
int later_find(struct later *later, const struct runtime_target *target, size_t count,
               struct cl_error *err);
int later_start(struct later *later, const struct child_step *steps, size_t count,
                struct cl_error *err);
int later_wait_ready(struct later *later, struct cl_error *err);
int later_finish(struct later *later, struct cl_error *err); /* until it is done */
void later_done(struct later *later);

/* ---- steps of the helper ---- */
bool later_is_foreign(const struct child *child);
int later_join_user(struct child *child, struct cl_error *err);
bool later_needs_own_mounts(const struct child *child);
int later_make_own_mounts(struct child *child, struct cl_error *err);
int later_join_mounts(struct child *child, struct cl_error *err);
int later_end(struct child *child, struct cl_error *err);

/* Mount id of what `fd` is on. */
int later_id_of(int fd, struct later_id *ret);
/* Unmount what `fd` is the root of, whatever its name is by now. */
int later_unmount(const struct later *later, int fd);
