/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespace ids: the question and its answer as raw netlink messages, and the collector that asks it for each network namespace.
 *
 * The ids belong to the namespace of the socket that asks. For the view from inside, a throwaway child asks there (peek.h) with
 * descriptors that were opened here.
 */
#include "lens/netnsid.h"

#include "lens/peek.h"

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

int32_t lens_netnsid_ask(int netlink, int ns_fd)
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

int lens_netnsid_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return fd < 0 ? -errno : fd;
}

static int ask_here(struct lens_snapshot *snapshot, int proc_fd)
{
    cl_auto_fd netlink = lens_netnsid_open();
    if (netlink < 0)
        return netlink;
    for (size_t i = 0; i < snapshot->namespace_count; i++) {
        struct lens_namespace *ns = &snapshot->namespaces[i];
        if (ns->type != K_NS_NET)
            continue;
        cl_auto_fd fd = lens_open_namespace(snapshot, proc_fd, (uint32_t)i);
        if (fd >= 0)
            ns->netnsid = lens_netnsid_ask(netlink, fd);
    }
    return 0;
}

/* How many descriptors we hold for one child. */
#define ASK_AT_ONCE 32

static int ask_some(struct lens_snapshot *snapshot, int proc_fd, int own, size_t *next)
{
    int fds[ASK_AT_ONCE] = { 0 };
    size_t who[ASK_AT_ONCE], count = 0;
    int32_t ids[ASK_AT_ONCE];
    for (; *next < snapshot->namespace_count && count < ASK_AT_ONCE; (*next)++) {
        if (snapshot->namespaces[*next].type != K_NS_NET)
            continue;
        fds[count] = lens_open_namespace(snapshot, proc_fd, (uint32_t)*next);
        if (fds[count] >= 0)
            who[count++] = *next;
    }
    int code = lens_peek_netnsid(own, fds, count, ids);
    for (size_t i = 0; i < count; i++) {
        (void)cl_close(fds[i]);
        if (code >= 0)
            snapshot->namespaces[who[i]].netnsid = ids[i];
    }
    return code;
}

static int ask_inside(struct lens_snapshot *snapshot, int proc_fd, pid_t inside)
{
    cl_auto_fd pid_fd = procfs_open_pid(proc_fd, inside), own = -EBADF;
    int code = pid_fd < 0 ? pid_fd : k_ns_open(pid_fd, K_NS_NET, &own, NULL);
    for (size_t next = 0; code >= 0 && next < snapshot->namespace_count;)
        code = ask_some(snapshot, proc_fd, own, &next);
    return code == -EPERM || code == -EACCES ? 0 : code; /* the column stays empty */
}

int lens_collect_netnsid(struct lens_snapshot *snapshot, int proc_fd, pid_t inside,
                         struct cl_error *err)
{
    int code = inside > 0 ? ask_inside(snapshot, proc_fd, inside) : ask_here(snapshot, proc_fd);
    return code < 0 ? cl_fail(err, code, "ask for network namespace ids") : 0;
}
