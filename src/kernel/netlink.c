/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See netlink.h. One request at a time on a socket that only the kernel answers; what it says is
 * checked for length all the same.
 */
#include "kernel/netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "kernel/hook.h"

#define ANSWER_MAX    32768 /* a page for dumps, more where an interface has a long list of its own */
#define ADDRESSES_MAX 4096

#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS (1 << 3)
#endif

struct request {
    struct nlmsghdr header;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg address;
    } body;
    char attributes[256];
};

static struct request new_request(int type, int flags, size_t body)
{
    struct request request;
    memset(&request, 0, sizeof request);
    request.header.nlmsg_type = (unsigned short)type;
    request.header.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags);
    request.header.nlmsg_len = (unsigned)NLMSG_LENGTH(body);
    return request;
}

/* The callers' attributes are few and bounded: they fit. */
static void add(struct request *request, unsigned short type, const void *data, size_t size)
{
    struct rtattr attribute = { .rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(size) };
    size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
    if (at + RTA_SPACE(size) > sizeof *request)
        return;
    memcpy((char *)request + at, &attribute, sizeof attribute);
    memcpy((char *)request + at + RTA_LENGTH(0), data, size);
    request->header.nlmsg_len = (unsigned)(at + RTA_LENGTH(size));
}

static void add_u32(struct request *request, unsigned short type, uint32_t value)
{
    add(request, type, &value, sizeof value);
}

int k_netlink_open(void)
{
    int fd = (int)K_CALL("socket", SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return fd;
    struct sockaddr_nl address = { .nl_family = AF_NETLINK };
    long result = K_CALL("bind", SYS_bind, fd, (long)&address, sizeof address);
    if (result >= 0)
        return fd;
    (void)cl_close(fd);
    return (int)result;
}

/* The next message: 1, or 0 when the buffer is read. */
struct answer {
    _Alignas(8) char buffer[ANSWER_MAX];
    size_t at, size;
};

static const struct nlmsghdr *next_message(struct answer *answer)
{
    const struct nlmsghdr *header = (const void *)(answer->buffer + answer->at);
    if (answer->size - answer->at < sizeof *header || header->nlmsg_len < sizeof *header ||
        header->nlmsg_len > answer->size - answer->at)
        return NULL;
    size_t step = NLMSG_ALIGN(header->nlmsg_len);
    answer->at = step < answer->size - answer->at ? answer->at + step : answer->size;
    return header;
}

static int receive(int fd, struct answer *answer)
{
    long size;
    do
        size = K_CALL("recvfrom", SYS_recvfrom, fd, (long)answer->buffer, sizeof answer->buffer, 0,
                      0, 0);
    while (size == -EINTR);
    answer->at = 0;
    answer->size = size > 0 ? (size_t)size : 0;
    return size < 0 ? (int)size : size == 0 ? -EPIPE : 0;
}

typedef int take_message(void *data, const struct nlmsghdr *header);

/* Until the acknowledgement, the end of a dump, or an error: 0 or the kernel's -errno. */
static int ask(int fd, struct request *request, take_message *take, void *data)
{
    static unsigned sequence;
    request->header.nlmsg_seq = ++sequence;
    request->header.nlmsg_flags |= NLM_F_ACK;
    long sent = K_CALL("sendto", SYS_sendto, fd, (long)request, request->header.nlmsg_len, 0, 0, 0);
    if (sent < 0)
        return (int)sent;
    struct answer *answer = cl_malloc(sizeof *answer);
    if (answer == NULL)
        return -ENOMEM;
    int result = 0;
    bool is_done = false;
    while (result >= 0 && !is_done) {
        const struct nlmsghdr *header;
        result = receive(fd, answer);
        while (result >= 0 && !is_done && (header = next_message(answer)) != NULL) {
            if (header->nlmsg_seq != request->header.nlmsg_seq)
                continue; /* of a request that was given up */
            is_done = header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE;
            if (is_done && header->nlmsg_len >= NLMSG_LENGTH(sizeof(int)))
                memcpy(&result, (const char *)header + NLMSG_HDRLEN, sizeof result);
            else if (take != NULL)
                result = take(data, header);
        }
    }
    free(answer);
    return result < 0 ? result : 0;
}

/* The payload of an attribute if it has at least `size` bytes, or NULL. */
static const void *attribute(const struct nlmsghdr *header, size_t fixed, unsigned short type,
                             size_t size)
{
    size_t offset = NLMSG_SPACE(fixed);
    while (offset + sizeof(struct rtattr) <= header->nlmsg_len) {
        struct rtattr found;
        const char *at = (const char *)header + offset;
        memcpy(&found, at, sizeof found);
        if (found.rta_len < sizeof found || offset + found.rta_len > header->nlmsg_len)
            return NULL;
        if (found.rta_type == type)
            return found.rta_len - RTA_LENGTH(0) >= size ? at + RTA_LENGTH(0) : NULL;
        offset += RTA_ALIGN(found.rta_len);
    }
    return NULL;
}

/* ---- links ---- */

static int take_link(void *data, const struct nlmsghdr *header)
{
    struct k_link *link = data;
    struct ifinfomsg info;
    if (header->nlmsg_type != RTM_NEWLINK || header->nlmsg_len < NLMSG_LENGTH(sizeof info))
        return 0;
    memcpy(&info, (const char *)header + NLMSG_HDRLEN, sizeof info);
    link->index = info.ifi_index;
    link->flags = info.ifi_flags;
    return 0;
}

int k_link_find(int fd, const char *name, struct k_link *ret)
{
    struct k_link link = { 0 };
    struct request request = new_request(RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    int result = CL_PRINT(link.name, "%s", name);
    if (result < 0)
        return result;
    add(&request, IFLA_IFNAME, link.name, strlen(link.name) + 1);
    add_u32(&request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    result = ask(fd, &request, take_link, &link);
    if (result < 0)
        return result;
    if (link.index == 0)
        return -ENODEV;
    *ret = link;
    return 0;
}

int k_link_move(int fd, int index, int netns_fd, const char *name)
{
    struct request request = new_request(RTM_SETLINK, 0, sizeof(struct ifinfomsg));
    request.body.link.ifi_index = index;
    add_u32(&request, IFLA_NET_NS_FD, (uint32_t)netns_fd);
    add(&request, IFLA_IFNAME, name, strnlen(name, IFNAMSIZ - 1) + 1);
    return ask(fd, &request, NULL, NULL);
}

int k_link_rename(int fd, int index, const char *name)
{
    struct request request = new_request(RTM_SETLINK, 0, sizeof(struct ifinfomsg));
    request.body.link.ifi_index = index;
    add(&request, IFLA_IFNAME, name, strnlen(name, IFNAMSIZ - 1) + 1);
    return ask(fd, &request, NULL, NULL);
}

int k_link_up(int fd, int index)
{
    struct request request = new_request(RTM_SETLINK, 0, sizeof(struct ifinfomsg));
    request.body.link.ifi_index = index;
    request.body.link.ifi_flags = IFF_UP;
    request.body.link.ifi_change = IFF_UP;
    return ask(fd, &request, NULL, NULL);
}

/* ---- addresses ---- */

struct address_list {
    int index;
    struct k_address *items;
    size_t count;
};

static bool copy_attribute(const struct nlmsghdr *header, unsigned short type, void *to,
                           size_t size)
{
    const void *from = attribute(header, sizeof(struct ifaddrmsg), type, size);
    if (from != NULL)
        memcpy(to, from, size);
    return from != NULL;
}

static int take_address(void *data, const struct nlmsghdr *header)
{
    struct address_list *list = data;
    struct ifaddrmsg info;
    if (header->nlmsg_type != RTM_NEWADDR || header->nlmsg_len < NLMSG_LENGTH(sizeof info))
        return 0;
    memcpy(&info, (const char *)header + NLMSG_HDRLEN, sizeof info);
    if ((int)info.ifa_index != list->index ||
        (info.ifa_family != AF_INET && info.ifa_family != AF_INET6))
        return 0;
    if (list->count == ADDRESSES_MAX)
        return -E2BIG;
    struct k_address *items = cl_realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL)
        return -ENOMEM;
    list->items = items;
    size_t size = info.ifa_family == AF_INET ? 4 : 16;
    struct k_address *address = &items[list->count++];
    *address = (struct k_address){ .family = info.ifa_family,
                                   .prefix = info.ifa_prefixlen,
                                   .scope = info.ifa_scope,
                                   .flags = info.ifa_flags };
    (void)copy_attribute(header, IFA_FLAGS, &address->flags, sizeof address->flags);
    (void)copy_attribute(header, IFA_RT_PRIORITY, &address->priority, sizeof address->priority);
    address->has_local = copy_attribute(header, IFA_LOCAL, address->local, size);
    address->has_address = copy_attribute(header, IFA_ADDRESS, address->address, size);
    address->has_broadcast =
        info.ifa_family == AF_INET && copy_attribute(header, IFA_BROADCAST, address->broadcast, 4);
    return 0;
}

int k_address_list(int fd, int index, struct k_address **ret, size_t *ret_count)
{
    struct address_list list = { .index = index };
    struct request request = new_request(RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
    int result = ask(fd, &request, take_address, &list);
    if (result < 0) {
        free(list.items);
        return result;
    }
    *ret = list.items;
    *ret_count = list.count;
    return 0;
}

int k_address_add(int fd, int index, const struct k_address *address)
{
    /* What the kernel works out for itself. */
    const uint32_t own = IFA_F_SECONDARY | IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED |
                         IFA_F_OPTIMISTIC | IFA_F_STABLE_PRIVACY;
    size_t size = address->family == AF_INET ? 4 : 16;
    struct request request =
        new_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifaddrmsg));
    request.body.address = (struct ifaddrmsg){ .ifa_family = address->family,
                                               .ifa_prefixlen = address->prefix,
                                               .ifa_scope = address->scope,
                                               .ifa_index = (unsigned)index };
    add_u32(&request, IFA_FLAGS, address->flags & ~own);
    if (address->has_local)
        add(&request, IFA_LOCAL, address->local, size);
    if (address->has_address)
        add(&request, IFA_ADDRESS, address->address, size);
    if (address->has_broadcast)
        add(&request, IFA_BROADCAST, address->broadcast, 4);
    if (address->priority != 0)
        add_u32(&request, IFA_RT_PRIORITY, address->priority);
    return ask(fd, &request, NULL, NULL);
}
