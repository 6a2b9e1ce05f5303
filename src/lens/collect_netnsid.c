/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The number that our network namespace has given to another one (ip-netns(8): "nsid"): RTM_GETNSID over rtnetlink. It is asked for with a
 * descriptor of the other namespace; asking assigns none.
 */
#include "lens/collect.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

struct request {
    struct nlmsghdr header;
    struct rtgenmsg message;
    _Alignas(4) struct rtattr attribute;
    int32_t fd;
};

static int32_t answer_of(const char *buffer, size_t size)
{
    const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)buffer;
    if (!NLMSG_OK(header, size) || header->nlmsg_type != RTM_NEWNSID)
        return LENS_NETNSID_UNKNOWN;
    size_t offset = NLMSG_SPACE(sizeof(struct rtgenmsg));
    while (offset + sizeof(struct rtattr) + sizeof(int32_t) <= header->nlmsg_len) {
        struct rtattr attribute;
        int32_t id;
        memcpy(&attribute, buffer + offset, sizeof attribute);
        memcpy(&id, buffer + offset + RTA_LENGTH(0), sizeof id);
        if (attribute.rta_type == NETNSA_NSID)
            return id >= 0 ? id : LENS_NETNSID_UNASSIGNED;
        offset += RTA_ALIGN(attribute.rta_len > 0 ? attribute.rta_len : sizeof attribute);
    }
    return LENS_NETNSID_UNKNOWN;
}

static int32_t ask(int netlink, int ns_fd)
{
    struct request request = {
        .header = { .nlmsg_len = sizeof request,
                    .nlmsg_type = RTM_GETNSID,
                    .nlmsg_flags = NLM_F_REQUEST },
        .message = { .rtgen_family = AF_UNSPEC },
        .attribute = { .rta_len = RTA_LENGTH(sizeof(int32_t)), .rta_type = NETNSA_FD },
        .fd = ns_fd,
    };
    _Alignas(8) char buffer[1024];
    if (send(netlink, &request, sizeof request, 0) < 0)
        return LENS_NETNSID_UNKNOWN;
    ssize_t size = recv(netlink, buffer, sizeof buffer, 0);
    return size < 0 ? LENS_NETNSID_UNKNOWN : answer_of(buffer, (size_t)size);
}

int lens_collect_netnsid(struct lens_snapshot *snapshot, int proc_fd, struct cl_error *err)
{
    cl_auto_fd netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (netlink < 0)
        return cl_fail(err, errno, "open a netlink socket");
    for (size_t i = 0; i < snapshot->namespace_count; i++) {
        struct lens_namespace *ns = &snapshot->namespaces[i];
        if (ns->type != K_NS_NET || ns->netnsid != LENS_NETNSID_UNKNOWN)
            continue;
        cl_auto_fd fd = lens_open_namespace(snapshot, proc_fd, (uint32_t)i);
        if (fd >= 0)
            ns->netnsid = ask(netlink, fd);
    }
    return 0;
}
