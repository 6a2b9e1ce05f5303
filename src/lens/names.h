/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which container a process belongs to: by the engine's list (its init, its id in the cgroup path), or by a cgroup path that another
 * engine's naming gives away.
 */
#pragma once

#include "lens/model.h"

/* The engine's running containers, asked for once and looked up by id and init. */
struct lens_foreign;
struct lens_directory {
    struct lens_container *containers;
    size_t count;
    struct lens_foreign *foreign; /* containers of other engines, as they were met */
    bool wants_foreign;           /* look for them in cgroup paths */
};
/* Never fails for want of names: an engine that can't be asked has none. */
void lens_directory_read(struct lens_directory *directory, const struct lens_names *names);
void lens_directory_done(struct lens_directory *directory);
/* The process needs its details, with cgroup. NULL: no container's. The result is owned by the directory. */
const struct lens_container *lens_directory_find(struct lens_directory *directory,
                                                 const struct lens_process *process);
