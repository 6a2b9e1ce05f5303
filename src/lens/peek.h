/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel tells only to members of a namespace, fetched by a throwaway child.
 *
 * The child makes itself undumpable, drops every capability but CAP_SYS_ADMIN, enters that one namespace (uts, ipc, net or time; never
 * mount, pid or user), drops the rest, reads by system calls alone, writes its answer into a pipe and exits. It opens no path of anybody's and executes
 * nothing, and it stays in our pid namespace: nothing of the container can see it or act on it.
 */
#pragma once

#include "kernel/nsfs.h"

struct lens_peek {
    int ns_fd; /* borrowed */
    enum k_ns type;
    /* In the child, in the namespace, still with CAP_SYS_ADMIN: what can't be had without. NULL, or 0 and -errno; its failure is not the end. */
    int (*prepare)(void *context);
    /* In the child, in the namespace and without capabilities: fills the answer; 0 or -errno. */
    int (*read)(void *context, void *answer);
    void *context;
    void *answer; /* filled from the child's */
    size_t size;
};
/* 0; -EPERM: needs CAP_SYS_ADMIN in the user namespace that owns it, and in ours. */
int lens_peek(const struct lens_peek *peek);

struct lens_uts {
    char host_name[65], domain_name[65];
};
int lens_uts_read(struct lens_uts *ret); /* of our own namespace */
int lens_peek_uts(int ns_fd, struct lens_uts *ret);

/*
 * System V objects and POSIX queues. The queues of a namespace are a file system that only its members can mount: the child makes a mount that is
 * attached nowhere, and reads the directory through it.
 */
enum { LENS_IPC_OBJECTS_MAX = 96 };
struct lens_ipc_object {
    char kind; /* 'm' shared memory, 'q' queue, 's' semaphore set, 'p' POSIX queue */
    int id;
    uint32_t key, uid; /* 0 for 'p' */
    uint64_t size;     /* bytes; messages in a queue; semaphores in a set */
    char name[64];     /* 'p': cut at worst */
};
struct lens_ipc {
    int queues, semaphore_sets, segments;
    int posix_queues; /* -1: not to be had */
    unsigned object_count;
    struct lens_ipc_object objects[LENS_IPC_OBJECTS_MAX];
};
int lens_ipc_read(struct lens_ipc *ret);
int lens_peek_ipc(int ns_fd, struct lens_ipc *ret);
/* "shared memory 3: 4096 bytes, key 0x1, uid 0", owned; NULL: out of memory. */
char *lens_ipc_text(const struct lens_ipc_object *object);

/* Ask our RTM_GETNSID questions from within the network namespace `ns_fd`: ids[i] of others[i]. */
int lens_peek_netnsid(int ns_fd, const int *others, size_t count, int32_t *ret_ids);
