/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's table of states and events, and its loop.
 *
 * Everything is level-triggered poll over a fixed set of slots. What is not wanted now (the output while a client owes a piece, a client's
 * stdin while the container does not read) is left out of the set, so nothing spins and nothing is lost.
 */
#include <poll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>

#include "monitor/private.h"

enum event {
    EVENT_TERM,       /* SIGTERM */
    EVENT_CONNECT,    /* the listener has a client */
    EVENT_MESSAGE,    /* a client said something, or is gone */
    EVENT_ROOM,       /* a client that owes has room */
    EVENT_LATE,       /* a client owed for too long */
    EVENT_INPUT_ROOM, /* the container's stdin takes more */
    EVENT_OUTPUT,     /* there is output, or its end */
    EVENT_INIT_EXIT,
    EVENTS,
};

/* index: of the client or the output, else 0. */
typedef void handler(struct monitor *monitor, size_t index);

static void pass_term(struct monitor *monitor, size_t index)
{
    struct signalfd_siginfo info;
    while (read(monitor->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (monitor->state == MONITOR_RUNNING)
            (void)k_pidfd_send_signal(monitor->setup.fd.init_pidfd,
                                      SIGTERM); /* dead: its end comes next */
    }
}

static void accept_clients(struct monitor *monitor, size_t index)
{
    monitor_client_accept(monitor);
}

static void write_input(struct monitor *monitor, size_t index)
{
    monitor_input_flush(monitor);
}

static void read_output(struct monitor *monitor, size_t index)
{
    monitor_output_read(monitor, (enum monitor_output)index);
}

static void say_exit(struct monitor *monitor)
{
    for (size_t i = 0; i < MONITOR_CLIENTS; i++)
        monitor_client_farewell(monitor, i);
}

/* Out of DRAINING as soon as nothing is left. */
static void drain(struct monitor *monitor)
{
    if (!monitor_output_drain(monitor))
        return;
    monitor_log_end(&monitor->log);
    cl_test_point("drained");
    if (!monitor->is_recorded)
        monitor_record_exit(monitor);
    monitor->state = MONITOR_LEAVING;
    say_exit(monitor);
}

/*
 * The record is written as soon as init is known to be dead, yet after its output, so that whoever sees "exited" also sees the whole log. When a slow
 * client holds the output up, the record does not wait for it.
 */
static void end_init(struct monitor *monitor, size_t index)
{
    monitor_reap_init(monitor);
    monitor->state = MONITOR_DRAINING;
    monitor_clients_hurry(monitor);
    monitor->input.start = monitor->input.end = 0;
    drain(monitor);
    if (monitor->state == MONITOR_DRAINING)
        monitor_record_exit(monitor);
}

static void message_or_drain(struct monitor *monitor, size_t index)
{
    monitor_client_message(monitor,
                           index); /* HELLO, or a client that left, may let the output go on */
    drain(monitor);
}

static void resume_and_drain(struct monitor *monitor, size_t index)
{
    monitor_client_resume(monitor, index);
    drain(monitor);
}

static void drop_and_drain(struct monitor *monitor, size_t index)
{
    monitor_client_drop(monitor, index);
    drain(monitor);
}

static handler *const table[MONITOR_STATES][EVENTS] = {
    [MONITOR_RUNNING] = {
        [EVENT_TERM] = pass_term,
        [EVENT_CONNECT] = accept_clients,
        [EVENT_MESSAGE] = monitor_client_message,
        [EVENT_ROOM] = monitor_client_resume,
        [EVENT_LATE] = monitor_client_drop,
        [EVENT_INPUT_ROOM] = write_input,
        [EVENT_OUTPUT] = read_output,
        [EVENT_INIT_EXIT] = end_init,
    },
    [MONITOR_DRAINING] = {
        [EVENT_TERM] = pass_term,
        [EVENT_CONNECT] = accept_clients,
        [EVENT_MESSAGE] = message_or_drain,
        [EVENT_ROOM] = resume_and_drain,
        [EVENT_LATE] = drop_and_drain,
    },
    [MONITOR_LEAVING] = {
        [EVENT_TERM] = pass_term,
        [EVENT_CONNECT] = accept_clients, /* says EXIT at once */
        [EVENT_ROOM] = monitor_client_resume,
        [EVENT_LATE] = monitor_client_drop,
    },
};

static void fire(struct monitor *monitor, enum event event, size_t index)
{
    handler *handle = table[monitor->state][event];
    if (handle != NULL)
        handle(monitor, index);
}

static void watch_client(const struct monitor *monitor, size_t index, struct pollfd *slot)
{
    const struct monitor_client *client = &monitor->clients[index];
    bool must_wait = (client->wants & WIRE_WANT_STDIN) != 0 && monitor_input_is_full(monitor);
    if (table[monitor->state][EVENT_MESSAGE] != NULL && !must_wait)
        slot->events |= POLLIN;
    if (client->owes_piece || client->owes_exit)
        slot->events |= POLLOUT;
    if (slot->events != 0)
        slot->fd = client->fd;
}

/* A slot without events is left out, or poll would report its hang-ups without end. */
static void watch(const struct monitor *monitor, struct pollfd slots[static SLOT_COUNT])
{
    for (size_t i = 0; i < SLOT_COUNT; i++)
        slots[i] = (struct pollfd){ .fd = -1 };
    slots[SLOT_SIGNAL] = (struct pollfd){ .fd = monitor->signals, .events = POLLIN };
    if (monitor->listener_pause == 0)
        slots[SLOT_LISTENER] =
            (struct pollfd){ .fd = monitor->setup.fd.listener, .events = POLLIN };
    for (size_t i = 0; i < MONITOR_CLIENTS; i++)
        watch_client(monitor, i, &slots[SLOT_CLIENTS + i]);
    if (monitor->state != MONITOR_RUNNING)
        return;
    if (monitor_input_is_full(monitor))
        slots[SLOT_INPUT] = (struct pollfd){ .fd = monitor_input_fd(monitor), .events = POLLOUT };
    if (monitor_output_is_free(monitor)) {
        slots[SLOT_OUT] =
            (struct pollfd){ .fd = monitor_output_fd(monitor, MONITOR_OUT), .events = POLLIN };
        slots[SLOT_ERR] =
            (struct pollfd){ .fd = monitor_output_fd(monitor, MONITOR_ERR), .events = POLLIN };
    }
    slots[SLOT_INIT] = (struct pollfd){ .fd = monitor->setup.fd.init_pidfd, .events = POLLIN };
}

static void serve(struct monitor *monitor, const struct pollfd slots[static SLOT_COUNT])
{
    static const struct {
        enum monitor_slot slot;
        enum event event;
        size_t index;
    } after_clients[] = {
        { SLOT_INPUT, EVENT_INPUT_ROOM, 0 },
        { SLOT_OUT, EVENT_OUTPUT, MONITOR_OUT },
        { SLOT_ERR, EVENT_OUTPUT, MONITOR_ERR },
        { SLOT_INIT, EVENT_INIT_EXIT, 0 },
    };
    if (slots[SLOT_SIGNAL].revents != 0)
        fire(monitor, EVENT_TERM, 0);
    for (size_t i = 0; i < MONITOR_CLIENTS; i++) {
        const struct pollfd *slot = &slots[SLOT_CLIENTS + i];
        if ((slot->revents & POLLOUT) != 0)
            fire(monitor, EVENT_ROOM, i);
        bool is_same = monitor->clients[i].fd == slot->fd; /* it may have been dropped just now */
        if ((slot->revents & ~POLLOUT) != 0 && is_same && slot->fd >= 0)
            fire(monitor, (slot->events & POLLIN) != 0 ? EVENT_MESSAGE : EVENT_LATE, i);
    }
    if (slots[SLOT_LISTENER].revents != 0)
        fire(monitor, EVENT_CONNECT, 0); /* after those who left have made room */
    for (size_t i = 0; i < CL_COUNT(after_clients); i++) {
        if (slots[after_clients[i].slot].revents != 0)
            fire(monitor, after_clients[i].event, after_clients[i].index);
    }
}

static void check_deadlines(struct monitor *monitor)
{
    int64_t now = monitor_now();
    if (monitor->listener_pause != 0 && now >= monitor->listener_pause)
        monitor->listener_pause = 0;
    if (monitor->first >= 0 && now >= monitor->first_deadline)
        fire(monitor, EVENT_LATE, (size_t)monitor->first);
    for (size_t i = 0; i < MONITOR_CLIENTS; i++) {
        if (monitor->clients[i].deadline != 0 && now >= monitor->clients[i].deadline)
            fire(monitor, EVENT_LATE, i);
    }
}

static void earlier(int64_t *time, int64_t other)
{
    if (other != 0 && (*time == 0 || other < *time))
        *time = other;
}

/* Milliseconds until something is due; -1: nothing is. */
static int timeout_of(const struct monitor *monitor)
{
    int64_t due = 0;
    earlier(&due, monitor->listener_pause);
    if (monitor->first >= 0)
        earlier(&due, monitor->first_deadline);
    for (size_t i = 0; i < MONITOR_CLIENTS; i++)
        earlier(&due, monitor->clients[i].deadline);
    if (due == 0)
        return monitor->is_dirty ? MONITOR_IDLE_AFTER : -1;
    int64_t left = due - monitor_now();
    return left < 0 ? 0 : (int)left;
}

static void loop(struct monitor *monitor)
{
    struct pollfd slots[SLOT_COUNT];
    while (monitor->state != MONITOR_LEAVING || monitor_has_clients(monitor)) {
        watch(monitor, slots);
        int timeout = timeout_of(monitor);
        int count = poll(slots, SLOT_COUNT, timeout);
        if (count > 0) {
            monitor->is_dirty = true;
            serve(monitor, slots);
        } else if (count == 0 && timeout == MONITOR_IDLE_AFTER) {
            monitor_self_trim(monitor);
        }
        check_deadlines(monitor);
    }
    cl_test_point("clients told");
}

int monitor_run_patiently(const struct wire_setup *setup, int64_t patience)
{
    cl_test_role("monitor");
    cl_test_point("begun");
    /* Zeroed, page by page as it is touched; lives as long as the process. */
    void *memory = mmap(NULL, sizeof(struct monitor) + MONITOR_ALIGN, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 1;
    struct monitor *monitor = (struct monitor *)(((uintptr_t)memory + MONITOR_ALIGN - 1) &
                                                 ~(uintptr_t)(MONITOR_ALIGN - 1));
    monitor->setup = *setup;
    monitor->patience = patience;
    monitor_self_init(&monitor->setup);
    monitor->peer = -EBADF;
    monitor->signals = monitor_self_signals();
    monitor_log_init(&monitor->log, monitor->setup.fd.dir, monitor->setup.fd.log,
                     monitor->setup.log_max_bytes, monitor->setup.log_max_files);
    monitor_clients_init(monitor, monitor->setup.fd.client);
    monitor_record_init(monitor);
    cl_test_point("ready");
    monitor_self_trim(monitor);
    loop(monitor);
    return monitor_finish(monitor);
}

int monitor_run(const struct wire_setup *setup)
{
    return monitor_run_patiently(setup, MONITOR_PATIENCE);
}
