/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscribing to the proc connector and taking its messages apart: nlmsghdr, cn_msg, proc_event.
 */
#include "kernel/procevents.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/hook.h"

#define ROOM_BYTES   (4 << 20) /* for bursts: some 40,000 events */
#define ATTEMPTS_MAX 3
#define MESSAGE_MAX  1024

/* The fields that are read; offsets are the ABI's (the union of struct proc_event begins at 16). */
struct event_head {
    uint32_t what, cpu;
    uint64_t when_ns;
    union {
        uint32_t error;
        struct {
            int32_t parent_tid, parent, tid, pid;
        } fork;
        struct {
            int32_t tid, pid;
        } one;
        struct {
            int32_t tid, pid;
            uint32_t code, signal;
            int32_t parent_tid, parent;
        } exit;
    } u;
};

static const struct {
    uint32_t what;
    enum k_proc_event_kind kind;
} kinds[] = {
    { 0x00000000, K_PROC_ACK },  { 0x00000001, K_PROC_FORK }, { 0x00000002, K_PROC_EXEC },
    { 0x00000004, K_PROC_IDS },  { 0x00000040, K_PROC_IDS },  { 0x00000080, K_PROC_SESSION },
    { 0x00000200, K_PROC_NAME }, { 0x80000000, K_PROC_EXIT },
};

static void take_event(const struct event_head *head, uint32_t asker, struct k_proc_event *event)
{
    for (size_t i = 0; i < CL_COUNT(kinds); i++)
        if (kinds[i].what == head->what)
            event->kind = kinds[i].kind;
    event->when_ns = head->when_ns;
    event->tid = head->u.one.tid;
    event->pid = head->u.one.pid;
    if (event->kind == K_PROC_FORK) {
        event->tid = head->u.fork.tid;
        event->pid = head->u.fork.pid;
        event->parent = head->u.fork.parent;
    } else if (event->kind == K_PROC_EXIT) {
        event->code = (int)head->u.exit.code;
        event->parent = head->u.exit.parent;
    } else if (event->kind == K_PROC_ACK) {
        event->pid = event->tid = (pid_t)asker;
        event->code = (int)head->u.error;
    }
}

bool k_proc_event_parse(const void *message, size_t size, struct k_proc_event *ret)
{
    struct nlmsghdr header;
    struct cn_msg connector;
    struct event_head head = { 0 };
    size_t start = NLMSG_HDRLEN + sizeof connector;
    if (size < start)
        return false;
    memcpy(&header, message, sizeof header);
    memcpy(&connector, (const char *)message + NLMSG_HDRLEN, sizeof connector);
    if (header.nlmsg_len > size || header.nlmsg_len < start || connector.id.idx != CN_IDX_PROC ||
        connector.id.val != CN_VAL_PROC || connector.len < 24 ||
        connector.len > header.nlmsg_len - start)
        return false;
    memcpy(&head, (const char *)message + start,
           connector.len < sizeof head ? connector.len : sizeof head);
    *ret = (struct k_proc_event){ .kind = K_PROC_OTHER };
    take_event(&head, connector.ack - 1, ret);
    return true;
}

int k_proc_events_next(int fd, bool may_wait, struct k_proc_event *ret)
{
    _Alignas(8) char message[MESSAGE_MAX];
    struct sockaddr_nl from = { 0 };
    socklen_t length = sizeof from;
    for (;;) {
        long size = K_CALL("recvfrom", SYS_recvfrom, fd, (long)message, sizeof message,
                           may_wait ? 0 : MSG_DONTWAIT, (long)&from, (long)&length);
        if (size == -EAGAIN || size == -EINTR)
            return 0;
        if (size < 0)
            return (int)size;
        /* Any process may send to our port: only what the kernel (port 0) says counts. */
        if (from.nl_pid == 0 && k_proc_event_parse(message, (size_t)size, ret))
            return 1;
    }
}

/* The kernel returns the number of an answer (ack) plus one, and puts its own count over the other (seq). */
static int request(int fd)
{
    const uint32_t operation = PROC_CN_MCAST_LISTEN;
    const struct cn_msg connector = { .id = { CN_IDX_PROC, CN_VAL_PROC },
                                      .ack = (uint32_t)getpid(),
                                      .len = sizeof operation };
    _Alignas(8) char request[NLMSG_HDRLEN + sizeof connector + sizeof operation];
    const struct nlmsghdr header = { .nlmsg_len = sizeof request, .nlmsg_type = NLMSG_DONE };
    memcpy(request, &header, sizeof header);
    memcpy(request + NLMSG_HDRLEN, &connector, sizeof connector);
    memcpy(request + NLMSG_HDRLEN + sizeof connector, &operation, sizeof operation);
    long size = K_CALL("sendto", SYS_sendto, fd, (long)request, sizeof request, 0, 0, 0);
    return size < 0 ? (int)size : 0;
}

/*
 * The kernel answers before sendto returns, so what is not in the socket then never comes: from outside the initial namespaces it does not
 * answer at all, while it goes on telling what others have subscribed to. That the answer was among what is lost is told as -ENOBUFS. Answers go to
 * everyone who listens, so another's may lie before ours.
 */
static int read_answer(int fd)
{
    struct k_proc_event event;
    int none = -ETIMEDOUT;
    for (;;) {
        int result = k_proc_events_next(fd, false, &event);
        if (result == 1 && event.kind == K_PROC_ACK && event.pid == getpid())
            return -event.code;
        if (result == 0)
            return none;
        if (result == -ENOBUFS)
            none = result;
        else if (result < 0)
            return result;
    }
}

static int subscribe(int fd)
{
    int result = -ENOBUFS;
    for (int i = 0; i < ATTEMPTS_MAX && result == -ENOBUFS; i++) {
        result = request(fd);
        if (result >= 0)
            result = read_answer(fd);
    }
    return result;
}

static int explain(int code, struct cl_error *err)
{
    if (code == -EPERM || code == -EACCES)
        return cl_fail_kind(err, CL_KIND_DENIED, EPERM,
                            "the kernel's process events (proc connector) need CAP_NET_ADMIN");
    if (code == -ETIMEDOUT || code == -ECONNREFUSED || code == -EPROTONOSUPPORT)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "the kernel's process events (proc connector) are only told in the "
                            "host's own pid, user and network namespaces, with CAP_NET_ADMIN, by a "
                            "kernel with CONFIG_PROC_EVENTS");
    return cl_fail(err, code, "subscribe to the kernel's process events");
}

int k_proc_events_open(struct cl_error *err)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
    int room = ROOM_BYTES;
    long made = K_CALL("socket", SYS_socket, AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
                       NETLINK_CONNECTOR, 0, 0, 0);
    if (made < 0)
        return explain((int)made, err);
    cl_auto_fd fd = (int)made;
    /* Past the system's maximum where we may; else as much as there is. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    int result = (int)K_CALL("bind", SYS_bind, fd, (long)&address, sizeof address, 0, 0, 0);
    if (result >= 0)
        result = subscribe(fd);
    return result < 0 ? explain(result, err) : cl_take_fd(&fd);
}
