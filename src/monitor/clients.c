/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is connected. The monitor never waits for a client: what a full socket does not take is owed, and a client that owes for too
 * long is dropped. A client is another process of our user or root; everything it sends is checked all the same (messages.c).
 */
#include <sys/socket.h>

#include "monitor/private.h"

void monitor_clients_init(struct monitor *monitor, int take_first)
{
    for (size_t i = 0; i < MONITOR_CLIENTS; i++)
        monitor->clients[i].fd = -EBADF;
    monitor->first = -1;
    if (take_first >= 0) {
        monitor->clients[0].fd = take_first;
        monitor->clients[0].is_first = true;
        monitor->first = 0;
        monitor->first_deadline = monitor_now() + monitor->patience;
    }
}

bool monitor_has_clients(const struct monitor *monitor)
{
    for (size_t i = 0; i < MONITOR_CLIENTS; i++) {
        if (monitor->clients[i].fd >= 0)
            return true;
    }
    return false;
}

/* 0, -EAGAIN, or why the client is lost. */
static int send_packet(int fd, const struct wire_attach *header, const void *payload)
{
    struct iovec parts[2] = {
        { .iov_base = (void *)(uintptr_t)header, .iov_len = sizeof *header },
        { .iov_base = (void *)(uintptr_t)payload, .iov_len = header->size },
    };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = header->size > 0 ? 2 : 1 };
    ssize_t n;
    do {
        n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == ENOBUFS || errno == ENOMEM))
        return -EAGAIN;
    return n < 0 ? -errno : 0;
}

void monitor_client_refuse(int fd, enum cl_kind kind, int code, const char *text)
{
    struct cl_error error = { .code = code, .kind = kind };
    struct wire_attach header = { .type = WIRE_ERROR, .size = sizeof error };
    size_t length = strnlen(text, sizeof error.text - 1);
    memcpy(error.text, text, length);
    (void)send_packet(fd, &header, &error);
}

/* Closing a socket with unread messages resets the other side before it has read our last ones, so they are read first. */
static void close_gently(int fd)
{
    char rest[sizeof(struct wire_attach)];
    (void)shutdown(fd, SHUT_RD);
    while (recv(fd, rest, sizeof rest, MSG_DONTWAIT) > 0)
        continue;
    (void)cl_close(fd);
}

static void forgive_piece(struct monitor *monitor, struct monitor_client *client)
{
    if (client->owes_piece)
        monitor->owing--;
    client->owes_piece = false;
    client->deadline = 0;
}

void monitor_client_drop(struct monitor *monitor, size_t index)
{
    struct monitor_client *client = &monitor->clients[index];
    if (client->fd < 0)
        return;
    bool fed_stdin = (client->wants & WIRE_WANT_STDIN) != 0;
    forgive_piece(monitor, client);
    close_gently(client->fd);
    *client = (struct monitor_client){ .fd = -EBADF };
    if (monitor->first == (int)index)
        monitor->first = -1;
    if (fed_stdin)
        monitor_input_end(monitor);
}

static bool is_ours(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return false;
    return peer.uid == 0 || peer.uid == geteuid();
}

static size_t find_free(const struct monitor *monitor)
{
    size_t index = 0;
    while (index < MONITOR_CLIENTS && monitor->clients[index].fd >= 0)
        index++;
    return index;
}

/* Who has left already, though its event is yet to come, must not keep a new one out. */
static void drop_gone(struct monitor *monitor)
{
    char byte;
    for (size_t i = 0; i < MONITOR_CLIENTS; i++) {
        if (recv(monitor->clients[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
            monitor_client_drop(monitor, i);
    }
}

static void take_client(struct monitor *monitor, int fd)
{
    size_t index = find_free(monitor);
    if (index == MONITOR_CLIENTS) {
        drop_gone(monitor);
        index = find_free(monitor);
    }
    if (!is_ours(fd)) {
        monitor_client_refuse(fd, CL_KIND_DENIED, -EPERM,
                              "attach: the container belongs to another user");
        close_gently(fd);
    } else if (index == MONITOR_CLIENTS) {
        monitor_client_refuse(fd, CL_KIND_CONFLICT, -EUSERS,
                              "attach: 32 clients are attached already; detach one first");
        close_gently(fd);
    } else {
        monitor->clients[index] = (struct monitor_client){ .fd = fd };
        if (monitor->state == MONITOR_LEAVING)
            monitor_client_farewell(monitor, index);
    }
}

void monitor_client_accept(struct monitor *monitor)
{
    for (;;) {
        int fd = accept4(monitor->setup.fd.listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            take_client(monitor, fd);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno !=
            EAGAIN) /* out of descriptors or memory: the connection stays queued, so do not spin on it */
            monitor->listener_pause = monitor_now() + 1000;
        return;
    }
}

/* Send the piece to one client. */
static void relay_to(struct monitor *monitor, size_t index)
{
    struct monitor_client *client = &monitor->clients[index];
    struct wire_attach header = { .type = monitor->piece.type,
                                  .size = (uint32_t)monitor->piece.size };
    int r = send_packet(client->fd, &header, monitor->output_buffer);
    if (r == -EAGAIN) {
        if (!client->owes_piece) {
            bool may_wait = client->is_first && monitor->state == MONITOR_RUNNING;
            client->owes_piece = true;
            client->deadline = may_wait ? 0 : monitor_now() + monitor->patience;
            monitor->owing++;
        }
    } else if (r < 0) {
        monitor_client_drop(monitor, index);
    } else {
        forgive_piece(monitor, client);
    }
}

void monitor_clients_relay(struct monitor *monitor)
{
    uint32_t wanted = monitor->piece.type == WIRE_STDOUT ? WIRE_WANT_STDOUT : WIRE_WANT_STDERR;
    for (size_t i = 0; i < MONITOR_CLIENTS; i++) {
        if (monitor->clients[i].fd >= 0 && (monitor->clients[i].wants & wanted) != 0)
            relay_to(monitor, i);
    }
}

void monitor_clients_hurry(struct monitor *monitor)
{
    for (size_t i = 0; i < MONITOR_CLIENTS; i++) {
        struct monitor_client *client = &monitor->clients[i];
        if (client->fd >= 0 && client->owes_piece && client->deadline == 0)
            client->deadline = monitor_now() + monitor->patience;
    }
}

void monitor_client_resume(struct monitor *monitor, size_t index)
{
    if (monitor->clients[index].owes_exit)
        monitor_client_farewell(monitor, index);
    else if (monitor->clients[index].owes_piece)
        relay_to(monitor, index);
}

void monitor_client_farewell(struct monitor *monitor, size_t index)
{
    struct monitor_client *client = &monitor->clients[index];
    if (client->fd < 0)
        return;
    struct wire_attach header = { .type = WIRE_EXIT };
    header.u.exit.code = monitor->exit.code;
    header.u.exit.oom_killed = monitor->exit.oom_killed;
    if (send_packet(client->fd, &header, NULL) != -EAGAIN) {
        monitor_client_drop(monitor, index);
    } else if (!client->owes_exit) {
        client->owes_exit = true;
        client->deadline = monitor_now() + monitor->patience;
    }
}
