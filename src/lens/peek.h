/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel tells only to members of a namespace, fetched by a throwaway child.
 *
 * The child makes itself undumpable, drops every capability but CAP_SYS_ADMIN, enters that one namespace (uts, ipc, net or time; never
 * mount, pid or user), drops the rest, reads by system calls alone, writes its answer into a pipe and exits. It opens no path and executes
 * nothing, and it stays in our pid namespace: nothing of the container can see it or act on it.
 */
#pragma once

#include "kernel/nsfs.h"

struct lens_uts {
    char host_name[65], domain_name[65];
};
/* ns_fd is borrowed. -EPERM: needs CAP_SYS_ADMIN in the user namespace that owns it. */
int lens_peek_uts(int ns_fd, struct lens_uts *ret);
/* Ask our RTM_GETNSID questions from within the network namespace `ns_fd`: ids[i] of others[i]. */
int lens_peek_netnsid(int ns_fd, const int *others, size_t count, int32_t *ret_ids);
