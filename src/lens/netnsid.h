/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The number that a network namespace has given to another one (ip-netns(8): "nsid"): RTM_GETNSID over rtnetlink. Asking assigns none.
 */
#pragma once

#include "lens/collect.h"

int lens_netnsid_open(void); /* a netlink socket of the current network namespace, or -errno */
/* The id for the network namespace behind ns_fd, or LENS_NETNSID_*. */
int32_t lens_netnsid_ask(int netlink, int ns_fd);
