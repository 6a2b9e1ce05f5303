/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink dumps by hand: a request, then messages until NLMSG_DONE. The kernel is the only one who answers on this socket; lengths are
 * checked all the same.
 */
#include "lens/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "lens/netnsid.h"
#include "lens/peek.h"

/* NLMSG_DATA of a const message. */
static const void *payload_of(const struct nlmsghdr *header)
{
    return (const char *)header + NLMSG_HDRLEN;
}

typedef void take_message(struct lens_net *net, const struct nlmsghdr *header);

/* The payload of an attribute, NULL if it is not among them. */
static const void *attribute_of(const struct nlmsghdr *header, size_t fixed, unsigned short type,
                                size_t *ret_size)
{
    size_t offset = NLMSG_SPACE(fixed);
    while (offset + sizeof(struct rtattr) <= header->nlmsg_len) {
        struct rtattr attribute;
        const char *at = (const char *)header + offset;
        memcpy(&attribute, at, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || offset + attribute.rta_len > header->nlmsg_len)
            return NULL;
        if (attribute.rta_type == type) {
            *ret_size = attribute.rta_len - RTA_LENGTH(0);
            return at + RTA_LENGTH(0);
        }
        offset += RTA_ALIGN(attribute.rta_len);
    }
    return NULL;
}

static void take_link(struct lens_net *net, const struct nlmsghdr *header)
{
    struct ifinfomsg info;
    size_t size;
    if (header->nlmsg_type != RTM_NEWLINK || header->nlmsg_len < NLMSG_LENGTH(sizeof info))
        return;
    if (net->link_count == LENS_LINKS_MAX) {
        net->more_links++;
        return;
    }
    memcpy(&info, payload_of(header), sizeof info);
    struct lens_link *link = &net->links[net->link_count++];
    *link = (struct lens_link){ .index = info.ifi_index, .flags = info.ifi_flags };
    const char *name = attribute_of(header, sizeof info, IFLA_IFNAME, &size);
    if (name != NULL)
        (void)CL_PRINT(link->name, "%.*s", (int)size, name); /* fits: IFNAMSIZ */
    const void *mtu = attribute_of(header, sizeof info, IFLA_MTU, &size);
    if (mtu != NULL && size == sizeof link->mtu)
        memcpy(&link->mtu, mtu, size);
    const void *mac = attribute_of(header, sizeof info, IFLA_ADDRESS, &size);
    link->has_mac = mac != NULL && size == sizeof link->mac && (info.ifi_flags & IFF_LOOPBACK) == 0;
    if (link->has_mac)
        memcpy(link->mac, mac, size);
}

static void take_address(struct lens_net *net, const struct nlmsghdr *header)
{
    struct ifaddrmsg info;
    size_t size;
    if (header->nlmsg_type != RTM_NEWADDR || header->nlmsg_len < NLMSG_LENGTH(sizeof info))
        return;
    memcpy(&info, payload_of(header), sizeof info);
    size_t wanted = info.ifa_family == AF_INET ? 4 : 16;
    const void *bytes = attribute_of(header, sizeof info, IFA_LOCAL, &size);
    if (bytes == NULL)
        bytes = attribute_of(header, sizeof info, IFA_ADDRESS, &size);
    if (bytes == NULL || size != wanted)
        return;
    if (net->address_count == LENS_ADDRESSES_MAX) {
        net->more_addresses++;
        return;
    }
    struct lens_address *address = &net->addresses[net->address_count++];
    *address = (struct lens_address){ .index = (int)info.ifa_index,
                                      .family = info.ifa_family,
                                      .prefix = info.ifa_prefixlen };
    memcpy(address->bytes, bytes, size);
}

/* 1: more to come, 0: done, or -errno. */
static int take_messages(const char *buffer, size_t size, take_message *take, struct lens_net *net)
{
    for (size_t at = 0; at + sizeof(struct nlmsghdr) <= size;) {
        const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)(buffer + at);
        if (header->nlmsg_len < sizeof *header || header->nlmsg_len > size - at)
            break;
        at += NLMSG_ALIGN(header->nlmsg_len);
        if (header->nlmsg_type == NLMSG_DONE)
            return 0;
        if (header->nlmsg_type == NLMSG_ERROR) {
            struct nlmsgerr error = { .error = -EIO };
            if (header->nlmsg_len >= NLMSG_LENGTH(sizeof error))
                memcpy(&error, payload_of(header), sizeof error);
            return error.error < 0 ? error.error : -EIO;
        }
        take(net, header);
    }
    return 1;
}

static int dump(int netlink, unsigned short type, take_message *take, struct lens_net *net)
{
    struct {
        struct nlmsghdr header;
        struct rtgenmsg message;
    } request = {
        .header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
                    .nlmsg_type = type,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
        .message = { .rtgen_family = AF_UNSPEC },
    };
    _Alignas(8) char buffer[32768];
    if (send(netlink, &request, request.header.nlmsg_len, 0) < 0)
        return -errno;
    int code = 1;
    while (code > 0) {
        ssize_t size = recv(netlink, buffer, sizeof buffer, 0);
        if (size < 0 && errno == EINTR)
            continue;
        code = size < 0 ? -errno : take_messages(buffer, (size_t)size, take, net);
    }
    return code;
}

int lens_net_read(struct lens_net *ret)
{
    *ret = (struct lens_net){ 0 };
    cl_auto_fd netlink = lens_netnsid_open();
    int code = netlink < 0 ? netlink : dump(netlink, RTM_GETLINK, take_link, ret);
    return code < 0 ? code : dump(netlink, RTM_GETADDR, take_address, ret);
}

static int read_net(void *context, void *answer)
{
    (void)context;
    return lens_net_read(answer);
}

int lens_peek_net(int ns_fd, struct lens_net *ret)
{
    struct lens_peek peek = {
        .ns_fd = ns_fd, .type = K_NS_NET, .read = read_net, .answer = ret, .size = sizeof *ret
    };
    int code = lens_peek(&peek);
    if (code >= 0 && (ret->link_count > LENS_LINKS_MAX || ret->address_count > LENS_ADDRESSES_MAX))
        return -EIO;
    return code;
}

char *lens_link_text(const struct lens_net *net, const struct lens_link *link)
{
    cl_auto_buf buf = CL_BUF_INIT(65536);
    bool is_first = true;
    cl_buf_printf(&buf, "%s:", link->name);
    for (unsigned i = 0; i < net->address_count; i++) {
        const struct lens_address *address = &net->addresses[i];
        char text[INET6_ADDRSTRLEN];
        if (address->index != link->index ||
            inet_ntop(address->family, address->bytes, text, sizeof text) == NULL)
            continue;
        cl_buf_printf(&buf, "%s%s/%u", is_first ? " " : ", ", text, address->prefix);
        is_first = false;
    }
    bool is_up = (link->flags & IFF_UP) != 0;
    cl_buf_printf(&buf, "%s (%s", is_first ? " no address" : "", is_up ? "up" : "down");
    if (is_up && (link->flags & IFF_RUNNING) == 0)
        cl_buf_str(&buf, ", no carrier");
    cl_buf_printf(&buf, ", mtu %u", link->mtu);
    for (size_t i = 0; link->has_mac && i < sizeof link->mac; i++)
        cl_buf_printf(&buf, "%s%02x", i == 0 ? ", " : ":", link->mac[i]);
    cl_buf_char(&buf, ')');
    return cl_buf_take(&buf);
}
