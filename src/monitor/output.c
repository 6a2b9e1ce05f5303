/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's output, one piece at a time: read, log, relay. See private.h for the back pressure.
 *
 * A terminal's master answers EIO while no process has the other end open, and poll says so without end. That need not be the last word: a
 * program may open /dev/console again. Then we open the other end ourselves (TIOCGPTPEER, never by name), which makes the master quiet
 * until somebody writes. Nothing is lost by it: init's end is told by its pidfd, and what was written before that can still be read.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "monitor/private.h"

static int *fd_of(struct monitor *monitor, enum monitor_output output)
{
    if (output == MONITOR_ERR)
        return &monitor->setup.fd.err;
    return monitor->setup.fd.console >= 0 ? &monitor->setup.fd.console : &monitor->setup.fd.out;
}

int monitor_output_fd(const struct monitor *monitor, enum monitor_output output)
{
    if (output == MONITOR_ERR)
        return monitor->setup.fd.err;
    return monitor->setup.fd.console >= 0 ? monitor->setup.fd.console : monitor->setup.fd.out;
}

bool monitor_output_is_free(const struct monitor *monitor)
{
    return monitor->owing == 0 && monitor->first < 0;
}

static void on_end(struct monitor *monitor, enum monitor_output output)
{
    int *fd = fd_of(monitor, output);
    if (fd == &monitor->setup.fd.console && monitor->state == MONITOR_RUNNING &&
        monitor->peer < 0) {
        monitor->peer = ioctl(*fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (monitor->peer >= 0)
            return;
    }
    *fd = cl_close(*fd);
}

void monitor_output_read(struct monitor *monitor, enum monitor_output output)
{
    int fd = monitor_output_fd(monitor, output);
    if (fd < 0 || !monitor_output_is_free(monitor))
        return;
    ssize_t n = read(fd, monitor->output_buffer, sizeof monitor->output_buffer);
    if (n < 0 && errno == EINTR)
        return;
    if (n < 0 && errno == EAGAIN) {
        if (monitor->state !=
            MONITOR_RUNNING) /* somebody holds it open, but init is dead: this was all */
            on_end(monitor, output);
        return;
    }
    if (n <= 0) {
        on_end(monitor, output);
        return;
    }
    bool is_stderr = output == MONITOR_ERR;
    monitor->piece.type = is_stderr ? WIRE_STDERR : WIRE_STDOUT;
    monitor->piece.size = (size_t)n;
    monitor_log_add(&monitor->log, is_stderr ? MONITOR_STDERR : MONITOR_STDOUT,
                    monitor->output_buffer, (size_t)n);
    monitor_clients_relay(monitor);
    if (monitor->state == MONITOR_RUNNING)
        return;
    monitor->drained[output] += (size_t)n;
    if (monitor->drained[output] >= MONITOR_DRAIN_MAX)
        on_end(monitor, output);
}

bool monitor_output_drain(struct monitor *monitor)
{
    for (enum monitor_output output = MONITOR_OUT; output < MONITOR_OUTPUTS; output++) {
        while (monitor_output_fd(monitor, output) >= 0 && monitor_output_is_free(monitor))
            monitor_output_read(monitor, output);
    }
    return monitor_output_fd(monitor, MONITOR_OUT) < 0 &&
           monitor_output_fd(monitor, MONITOR_ERR) < 0 && monitor->owing == 0;
}
