/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room lens only: what `cloche view` shows, as a list of rows. Each part of view_parts[] (view.c) reads one aspect of the target and adds
 * its rows; a new aspect is a function and a table row. Rendering is view_print.c.
 */
#pragma once

#include "lens/inside.h"

enum view_verdict {
    VIEW_NONE,   /* nothing to compare */
    VIEW_OWN,    /* the target has its own */
    VIEW_SHARED, /* the host's */
};

struct view_row {
    const char *section; /* "process", "namespace": JSON groups by it */
    const char *name;    /* "pid", "hostname", "mnt" */
    char *host, *inside; /* raw text from outside; owned; NULL: empty */
    enum view_verdict verdict;
};

struct view {
    int proc_fd; /* borrowed */
    int pid_fd;  /* /proc/PID of the target: all reads go through it */
    int host_fd; /* /proc of the process that stands for the host: init, or ourselves */
    int root_fd; /* the target's root, O_PATH: for inroot reads only; or -EBADF */
    struct lens_target target;
    struct procfs_stat stat;
    struct procfs_status status;
    uint64_t host_ns[K_NS_COUNT], inside_ns[K_NS_COUNT]; /* 0: hidden */
    struct view_row *rows;
    size_t count, room;
};

/* Both texts are taken, also on failure; NULL texts are allowed. 0 or -ENOMEM. */
int view_add(struct view *view, const struct view_row *take_row);
/* "hidden (needs CAP_SYS_PTRACE)" and the like for a negative errno, owned; NULL: out of memory. */
char *view_hidden(int code, const char *capability);
bool view_shares(const struct view *view, enum k_ns type); /* known to be the same namespace */

/* The parts. 0 or -errno (only for want of memory: what can't be read is a row that says so). */
int view_pids(struct view *view);
int view_hostname(struct view *view);
int view_root(struct view *view);
int view_user(struct view *view);
int view_command(struct view *view);
int view_cgroup(struct view *view);
int view_namespaces(struct view *view);

int view_print(const struct view *view, const struct lens_view_options *options, FILE *out);
