/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/mountinfo (proc_pid_mountinfo(5)), line by line. All texts are the container's own: hostile.
 */
#pragma once

#include "base/base.h"

#define LENS_MOUNTINFO_MAX (64U << 20)

struct lens_mount {
    unsigned id, parent;
    unsigned major, minor;
    const char *root;  /* of the mount within its file system; "net:[4026532000]" for nsfs */
    const char *point; /* relative to the reader's root */
    const char *options, *type, *source, *super_options;
};
/* Non-zero ends the walk and is handed back. The mount's texts live during the call. */
typedef int lens_mount_fn(void *context, const struct lens_mount *mount);

/* Calls fn for each mount; lines that can't be understood are passed over. Returns 0, what fn returned, or -errno. */
int lens_mounts_walk(int pid_fd, lens_mount_fn *fn, void *context);
/* The same over a text that is changed in the course. */
int lens_mounts_parse(char *text, lens_mount_fn *fn, void *context);
