/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network interfaces by rtnetlink(7): find one, move it to another network namespace, name it, bring
 * it up, and its addresses. A socket belongs to the network namespace in which it was opened, for
 * good. All calls return >= 0 or -errno and wait for the kernel's answer.
 */
#pragma once

#include <net/if.h>

#include "kernel/calls.h"

struct k_link {
    int index;
    unsigned flags; /* IFF_* */
    char name[IFNAMSIZ];
};

struct k_address {
    uint8_t family, prefix, scope; /* AF_INET or AF_INET6; RT_SCOPE_* */
    bool has_local, has_address, has_broadcast;
    uint32_t flags;      /* IFA_F_* */
    uint32_t priority;   /* of its route; 0: the kernel's default */
    uint8_t local[16];   /* AF_INET: our own */
    uint8_t address[16]; /* of the prefix, or the peer; AF_INET6: our own */
    uint8_t broadcast[4];
};

int k_netlink_open(void);
int k_link_find(int fd, const char *name, struct k_link *ret); /* -ENODEV */
/* Into the namespace, with this name there (never a pattern). It is down afterwards, has another
   index perhaps, and no address. */
int k_link_move(int fd, int index, int netns_fd, const char *name);
int k_link_rename(int fd, int index,
                  const char *name); /* of one that is down; "eth%d": a free one */
int k_link_up(int fd, int index);
/* All of an interface: cl_malloc'ed, the caller's; *ret NULL when there are none. */
int k_address_list(int fd, int index, struct k_address **ret, size_t *ret_count);
int k_address_add(int fd, int index, const struct k_address *address);
