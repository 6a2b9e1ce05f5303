/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hand-walk: resolves a path below a root component by component, for inroot.c alone. See
 * walk.c for how.
 */
#pragma once

#include "kernel/inroot.h"

/* What to do with a component that is not there. */
enum walk_make {
    WALK_MAKE_NOTHING = 0,
    WALK_MAKE_PARENTS = 1, /* mkdir missing directories on the way, links' targets included */
    WALK_MAKE_LAST_DIR = 2,
    WALK_MAKE_LAST_FILE = 4, /* an empty regular file */
};

struct walk_goal {
    int open_flags; /* of the last component */
    mode_t mode;    /* of the last component */
    mode_t dir_mode;
    enum inroot_flags flags;
    enum walk_make make;
};

/* Returns the fd or -errno. Async-signal-safe; about 9 KB of stack, one descriptor for each
   level below the root. */
int walk_open(int root_fd, const char *path, const struct walk_goal *goal);
