/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interfaces and addresses of a network namespace, by rtnetlink(7) dumps. Flat and bounded, so that a throwaway child can hand it through a pipe.
 */
#pragma once

#include "base/base.h"

enum { LENS_LINKS_MAX = 64, LENS_ADDRESSES_MAX = 128 };

struct lens_link {
    int index;
    char name[16];
    unsigned flags; /* IFF_UP … */
    unsigned mtu;
    unsigned char mac[6];
    bool has_mac;
};
struct lens_address {
    int index; /* of its link */
    int family;
    unsigned char bytes[16];
    unsigned prefix;
};
struct lens_net {
    unsigned link_count, address_count; /* kept; more_links and more_addresses were there beyond */
    unsigned more_links, more_addresses;
    struct lens_link links[LENS_LINKS_MAX];
    struct lens_address addresses[LENS_ADDRESSES_MAX];
};

int lens_net_read(struct lens_net *ret);            /* of the current namespace; 0 or -errno */
int lens_peek_net(int ns_fd, struct lens_net *ret); /* by a throwaway child (peek.h) */
/* "eth0: 172.17.0.2/16, fe80::1/64 (up, mtu 1500, 02:42:ac:11:00:02)", owned; NULL: out of memory. */
char *lens_link_text(const struct lens_net *net, const struct lens_link *link);
