/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's standard input: what clients send, as fast as the container takes it. One message may wait; while it does, clients that feed
 * stdin are not read, so their own sockets fill up and they wait, too.
 */
#include "monitor/private.h"

int monitor_input_fd(const struct monitor *monitor)
{
    return monitor->setup.fd.console >= 0 ? monitor->setup.fd.console : monitor->setup.fd.in;
}

bool monitor_input_is_full(const struct monitor *monitor)
{
    return monitor->input.start < monitor->input.end;
}

static void close_pipe(struct monitor *monitor)
{
    monitor->setup.fd.in = cl_close(monitor->setup.fd.in);
    monitor->input.start = monitor->input.end = 0;
}

void monitor_input_flush(struct monitor *monitor)
{
    int fd = monitor_input_fd(monitor);
    while (fd >= 0 && monitor_input_is_full(monitor)) {
        ssize_t n = write(fd, monitor->input_buffer + monitor->input.start,
                          monitor->input.end - monitor->input.start);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) { /* nobody reads any more; of a terminal nobody reads now */
            monitor->input.start = monitor->input.end = 0;
            monitor->input.ends = monitor->setup.fd.in >= 0;
            break;
        }
        monitor->input.start += (size_t)n;
    }
    if (monitor->input.ends)
        close_pipe(monitor);
}

bool monitor_input_add(struct monitor *monitor, const char *data, size_t size)
{
    if (monitor_input_fd(monitor) < 0 || monitor->input.ends)
        return false;
    memcpy(monitor->input_buffer, data, size);
    monitor->input.start = 0;
    monitor->input.end = size;
    monitor_input_flush(monitor);
    return monitor_input_fd(monitor) >= 0;
}

void monitor_input_end(struct monitor *monitor)
{
    if ((monitor->setup.flags & WIRE_SETUP_STDIN_ONCE) == 0 || monitor->setup.fd.in < 0)
        return;
    monitor->input.ends = true;
    monitor_input_flush(monitor);
}
