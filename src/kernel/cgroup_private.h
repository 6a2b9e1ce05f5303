/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cgroup files of this room share and nobody else sees.
 */
#pragma once

#include "kernel/cgroupfs.h"

/* Read a file of a group into a buffer (NUL-terminated, the last newline cut) in one read; write
   one in one write. Length or 0; -errno. */
ssize_t cgroup_file_read(int dir_fd, const char *file, char *buffer, size_t size);
int cgroup_file_write(int dir_fd, const char *file, const char *value);
/* The number after "KEY " at the beginning of a line of such a file. 0, -ENODATA when there is
   no such line, -errno. */
int cgroup_file_number(int dir_fd, const char *file, const char *key, uint64_t *ret);

int cgroup_dir_open(int dir_fd, const char *path);
/* The next subgroup of a directory opened by cgroup_dir_open: 1 and its name, 0 at the end,
   -errno. Begins anew when *state is zeroed. */
struct cgroup_dir_walk {
    bool started;
    size_t at, end;
    _Alignas(8) char buffer[1024];
};
int cgroup_dir_next(int dir_fd, struct cgroup_dir_walk *walk, char name[static 256]);

/* Is `word` an element of the list (separated by `separator`)? */
bool cgroup_list_has(const char *list, char separator, const char *word, size_t length);
/* 0, -EINVAL for what could climb out ("..", leading slash, empty components), -ENAMETOOLONG. */
int cgroup_path_check(const char *path);
/* v2: let controllers down to the children of every group above `path`; only_controller: just
   that one, or NULL for all there are. Best effort. */
void cgroup_delegate(int root_fd, const char *path, const char *only_controller);
/* v2: why `path` has not got a controller. where: the group that does not let it down. */
enum cgroup_block {
    CGROUP_BLOCK_NONE,      /* it has it */
    CGROUP_BLOCK_MISSING,   /* this kernel, or what is above the mount's root, does not offer it */
    CGROUP_BLOCK_PROCESSES, /* "no internal processes" (cgroups(7)) */
    CGROUP_BLOCK_DENIED,    /* another reason: not ours to change */
};
enum cgroup_block cgroup_blocked(int root_fd, const char *path, const char *controller, char *where,
                                 size_t size);
/* Index into group->at of the v1 hierarchy of this controller. -ENOENT. */
int cgroup_index_v1(const struct cgroup *group, const char *controller);
/* The v1 hierarchy whose list of processes stands for the group: the one that is hardest to
   leave. -ENOENT on v2. */
int cgroup_index_members(const struct cgroup *group);

/* How deep a tree of groups is looked into. */
#define CGROUP_LEVELS_MAX 64

/* Monotonic milliseconds. */
int64_t cgroup_now_ms(void);
