/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients ask for, one function per message of wire/attach.h. Whatever can't be done is answered by ERROR, and the connection goes on.
 */
#include <sys/socket.h>

#include "monitor/private.h"

static void on_hello(struct monitor *monitor, size_t index)
{
    monitor->clients[index].wants = monitor->message.header.u.hello.flags;
    if (monitor->first == (int)index)
        monitor->first = -1;
}

static void on_stdin(struct monitor *monitor, size_t index)
{
    const struct monitor_client *client = &monitor->clients[index];
    if ((client->wants & WIRE_WANT_STDIN) == 0)
        monitor_client_refuse(client->fd, CL_KIND_CONFLICT, -EPROTO,
                              "write standard input: HELLO did not ask for it");
    else if ((monitor->setup.flags & WIRE_SETUP_STDIN) == 0)
        monitor_client_refuse(client->fd, CL_KIND_CONFLICT, -EPIPE,
                              "write standard input: the container was started without -i");
    else if (!monitor_input_add(monitor, monitor->message.payload, monitor->message.header.size))
        monitor_client_refuse(client->fd, CL_KIND_CONFLICT, -EPIPE,
                              "write standard input: the container's end is closed");
}

static void on_stdin_end(struct monitor *monitor, size_t index)
{
    if ((monitor->clients[index].wants & WIRE_WANT_STDIN) != 0)
        monitor_input_end(monitor);
}

static void on_resize(struct monitor *monitor, size_t index)
{
    const struct wire_attach *header = &monitor->message.header;
    int r = -ENOTTY;
    if (monitor->setup.fd.console >= 0)
        r = terminal_set_size(monitor->setup.fd.console, header->u.resize.rows,
                              header->u.resize.columns);
    if (r < 0)
        monitor_client_refuse(monitor->clients[index].fd, CL_KIND_CONFLICT, r,
                              "resize: the container has no terminal; start it with -t");
}

static void on_signal(struct monitor *monitor, size_t index)
{
    int r = -ESRCH;
    if (monitor->state == MONITOR_RUNNING)
        r = k_pidfd_send_signal(monitor->setup.fd.init_pidfd,
                                monitor->message.header.u.signal.number);
    if (r == -ESRCH)
        monitor_client_refuse(monitor->clients[index].fd, CL_KIND_CONFLICT, r,
                              "send signal: the container has ended");
    else if (r < 0)
        monitor_client_refuse(monitor->clients[index].fd, CL_KIND_SYSTEM, r,
                              "send signal: the kernel refused it");
}

static void (*const handlers[])(struct monitor *monitor, size_t index) = {
    [WIRE_HELLO] = on_hello,   [WIRE_STDIN] = on_stdin,   [WIRE_STDIN_END] = on_stdin_end,
    [WIRE_RESIZE] = on_resize, [WIRE_SIGNAL] = on_signal,
};

void monitor_client_message(struct monitor *monitor, size_t index)
{
    int fd = monitor->clients[index].fd;
    /* Another client's message in the same round may have filled it. */
    if ((monitor->clients[index].wants & WIRE_WANT_STDIN) != 0 && monitor_input_is_full(monitor))
        return;
    struct iovec parts[2] = {
        { .iov_base = &monitor->message.header, .iov_len = sizeof monitor->message.header },
        { .iov_base = monitor->message.payload, .iov_len = sizeof monitor->message.payload },
    };
    /* No room for descriptors: those that are sent along are closed by the kernel. */
    struct msghdr packet = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t n = recvmsg(fd, &packet, MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        monitor_client_drop(monitor, index);
        return;
    }
    if (wire_attach_check(&monitor->message.header, (size_t)n, true) < 0)
        monitor_client_refuse(fd, CL_KIND_INVALID, -EPROTO,
                              "attach: a message that is not of this protocol");
    else
        handlers[monitor->message.header.type](monitor, index);
}
