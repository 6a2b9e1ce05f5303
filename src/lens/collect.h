/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collectors: /proc → snapshot. Each adds one kind of knowledge, so that a question pays only for what it needs:
 *
 *   lens_collect           every process and the namespaces it is in: 10 system calls a process (scan.h)
 *   lens_collect_details   parent, start time, user, names of chosen processes
 *   lens_collect_held      namespaces that descriptors and mounts keep alive (collect_held.c)
 *   lens_collect_relations parents and owners of namespaces (collect_relations.c)
 *   lens_collect_netnsid   ids that our network namespace gave to others (netnsid.c)
 *
 * A later collector opens the process anew and checks that what it opens is still in the namespace that it came for; one that is
 * gone or has moved is marked gone, and lens_snapshot_count chooses other representatives.
 */
#pragma once

#include "lens/model.h"

/* types: bits 1 << enum k_ns. with_descriptors: also note which descriptors lens_collect_held is to look at. Returns a finished snapshot. */
int lens_collect(int proc_fd, unsigned types, bool with_descriptors, struct lens_snapshot **ret,
                 struct cl_error *err);

enum lens_detail {
    LENS_DETAIL_STAT = 0,
    LENS_DETAIL_COMMAND = 1,
    LENS_DETAIL_IDS = 2, /* ns_pid */
    LENS_DETAIL_CGROUP = 4,
    LENS_DETAIL_MAPS = 8,
};
/* For the representatives of all namespaces; where one has ended, its successor. */
int lens_collect_representatives(struct lens_snapshot *snapshot, int proc_fd, unsigned details,
                                 struct cl_error *err);
/* For the members of one namespace, or LENS_NONE: all processes. */
int lens_collect_details(struct lens_snapshot *snapshot, int proc_fd, uint32_t ns_index,
                         unsigned details, struct cl_error *err);

/* For one process, by its pid on the host; one that is not there is passed over. */
int lens_collect_process(struct lens_snapshot *snapshot, int proc_fd, pid_t host_pid,
                         unsigned details, struct cl_error *err);

enum lens_depth {
    LENS_HELD_SHALLOW, /* descriptors, sockets, and the mounts of our own mount namespace */
    LENS_HELD_DEEP,    /* the mounts of all mount namespaces */
};
/* After a lens_collect with descriptors. Adds the namespaces of the given types that have no process, with their relations and who holds them. */
struct lens_held_options {
    unsigned types;
    enum lens_depth depth;
    pid_t mounts_of; /* the process whose mounts are "our own"; 0: the caller */
};
int lens_collect_held(struct lens_snapshot *snapshot, int proc_fd,
                      const struct lens_held_options *options, struct cl_error *err);

/* parent, owner, owner_uid of every namespace. Namespaces of the types `add` that only live because others are below them are added. */
int lens_collect_relations(struct lens_snapshot *snapshot, int proc_fd, unsigned add,
                           struct cl_error *err);
/* The same for one namespace whose descriptor is at hand. 0 or -ENOMEM. The namespaces are not in order afterwards: lens_snapshot_finish. */
int lens_relate(struct lens_snapshot *snapshot, uint32_t ns_index, int ns_fd, unsigned add);
/* As our own network namespace numbers the others; inside > 0: as that process's does. */
int lens_collect_netnsid(struct lens_snapshot *snapshot, int proc_fd, pid_t inside,
                         struct cl_error *err);

/* A descriptor of the namespace through its representative or a holder, or -errno. Checked to be that very namespace. */
int lens_open_namespace(const struct lens_snapshot *snapshot, int proc_fd, uint32_t ns_index);
/* Open a namespace file whose path may mean anything by now (a process's descriptor, a mount point): nothing but nsfs is ever
   opened, so no device, FIFO or dead server is touched. -ESRCH: it is something else. */
int lens_open_nsfs(int proc_fd, int dirfd, const char *path);
/* The network namespace of descriptor `number`, a socket of the process behind pidfd: a descriptor, or -errno (no socket any more, no permission). A
   second reference to the socket is made and dropped. */
int lens_open_socket_ns(int pidfd, int number);
/* How much of a command line is kept: more is cut. */
#define LENS_COMMAND_MAX 4096
