/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proc connector: the kernel tells of every fork, exec, exit and change of identity on the machine, as messages on a netlink
 * socket (linux/cn_proc.h). Who waits for them sleeps in recv; there is nothing to poll.
 *
 * It speaks only to the initial pid and user namespace, over the initial network namespace, and asks for CAP_NET_ADMIN there. It says
 * nothing of setns and unshare. Messages that the socket has no room for are lost, which the kernel tells (-ENOBUFS).
 */
#pragma once

#include "kernel/calls.h"

enum k_proc_event_kind {
    K_PROC_OTHER, /* a message that is none of these */
    K_PROC_FORK,
    K_PROC_EXEC,
    K_PROC_IDS, /* user or group ids */
    K_PROC_SESSION,
    K_PROC_NAME, /* comm */
    K_PROC_EXIT,
    K_PROC_ACK, /* the answer to a subscription, not only to ours; pid: of who asked, if it is one of ours; code: 0 or a positive errno */
};

struct k_proc_event {
    enum k_proc_event_kind kind;
    pid_t pid, tid;   /* in the initial pid namespace; FORK: of the child */
    pid_t parent;     /* FORK, EXIT */
    int code;         /* EXIT: a wait(2) status; ACK: errno */
    uint64_t when_ns; /* CLOCK_MONOTONIC */
};

/* Subscribed, or -errno with an error that names what is missing. The events of before are not told. */
int k_proc_events_open(struct cl_error *err);
/*
 * The next event. Waits if `may_wait`. 1; 0: none now, or a signal came; -ENOBUFS: some were lost; other -errno. Messages that do not come
 * from the kernel itself are dropped.
 */
int k_proc_events_next(int fd, bool may_wait, struct k_proc_event *ret);
/* One message as it lies in the socket (for the above, and for tests). False: too short, or not of the connector. */
bool k_proc_event_parse(const void *message, size_t size, struct k_proc_event *ret);
