/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room lens: what `cloche why` finds out, as a list of findings. A question ("may it call mount?") goes through the layers in the order in
 * which the kernel asks them: seccomp, capabilities (and in which user namespace they count), then mounts, masks, devices, permissions. The first that
 * refuses is the answer. Everything is read; nothing is tried.
 *
 *   why_calls.c    system calls and capabilities; which system calls a command is about
 *   why_paths.c    files: mounts, masks, devices, permissions, execution
 *   why_past.c     what has been refused already: counters of the cgroup, resource limits, the kernel's log
 *   why.c          the frame and the output
 */
#pragma once

#include "lens/lens.h"

enum why_answer { WHY_ALLOWED, WHY_REFUSED, WHY_DEPENDS, WHY_UNKNOWN };

struct why_finding {
    enum why_answer answer;
    bool is_past; /* it has happened; else an answer to a question */
    char *what;   /* "mount", "write /proc/sys/kernel/hostname"; owned, like the next */
    char *because;
    char *allow;       /* the flag of `cloche run`, or what there is instead; or NULL */
    const char *layer; /* "seccomp", "capability", …; NULL: none */
};

struct why {
    int proc_fd, pid_fd, root_fd;
    const struct lens_why_policy *policy;
    struct lens_target target;
    struct cl_json *config; /* of another engine's container, or NULL; owned */
    int host_filters;       /* seccomp filters that each process of this machine has */
    struct procfs_status status;
    bool is_running;
    bool has_own_user_ns; /* the host's capabilities are not for it */
    char *groups;         /* "Groups:" of /proc/PID/status, or NULL; owned */
    struct why_finding *findings;
    size_t count, room;
};

/* All texts are taken, also on failure; a NULL `what` or `because` means that there was no memory. 0 or -ENOMEM. */
int why_add(struct why *why, const struct why_finding *take_finding);

/* why_calls.c */
/* "mount", "unshare:0x10000000", "socket:2,3,1": with arguments the filter is run on them. -EINVAL with err: no such call. */
int why_syscall(struct why *why, const char *text, struct cl_error *err);
int why_capability(struct why *why, const char *name, struct cl_error *err);
int why_command(struct why *why, const char *const *command, struct cl_error *err);
/* "--cap-add NET_RAW", owned. */
char *why_cap_flag(int capability);

/* why_paths.c: `access` of "rwx" (any of them), NULL: reading and writing, and executing where it is a program. */
int why_path(struct why *why, const char *path, const char *access, struct cl_error *err);
/* The first of PATH's directories that has it, below the target's root; owned, or NULL. */
char *why_find_program(const struct why *why, const char *name);

/* why_past.c */
int why_past(struct why *why);
/* A file of the target's group, as lens_cgroup_read (view_cgroup.c) reads it. False: not there. */
bool why_cgroup_file(const struct why *why, const char *controller, const char *v1, const char *v2,
                     char *value, size_t size);
/* One line of the kernel's log (or audit's) that may be about it; adds a finding if it is. */
int why_log_line(struct why *why, const char *line);
