/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is between a process of a container and who asked for it: streams and descriptors, pid files, consoles, and the foreground parent, which forwards signals, and
 * with a terminal input, output and window sizes.
 */
#include "ocicli/private.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

/* ---- before ---- */

int take_descriptors(const char *preserve, unsigned *ret, struct cl_error *err)
{
    uint64_t count = 0;
    if (preserve != NULL && cl_parse_u64(preserve, 0, 4096, &count) < 0)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "invalid value \"%s\" for --preserve-fds: expected 0 to 4096",
                            preserve);
    for (int fd = 3; fd < 3 + (int)count; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            return cl_fail_kind(err, CL_KIND_USAGE, EBADF,
                                "--preserve-fds %s: descriptor %d is not open", preserve, fd);
    /* A created container keeps what is open here until its start: only what it is meant to have. */
    int result = k_close_range(3 + (unsigned)count, UINT_MAX, false);
    if (result < 0)
        return cl_fail(err, result, "close inherited files");
    *ret = (unsigned)count;
    return 0;
}

int choose_io(bool terminal, bool is_detached, const char *console_socket, struct runtime_io *ret,
              struct cl_error *err)
{
    if (terminal && is_detached && console_socket == NULL)
        return cl_fail_kind(
            err, CL_KIND_USAGE, EINVAL,
            "process.terminal: nobody would hold the terminal; give --console-socket");
    if (console_socket != NULL && !(terminal && is_detached))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "--console-socket is for a detached process with a terminal");
    *ret = (struct runtime_io){ .terminal = terminal, .in = 0, .out = 1, .err = 2 };
    if (terminal && !is_detached)
        (void)terminal_get_size(0, &ret->rows, &ret->columns); /* ours may be none */
    return 0;
}

int open_trace(const char *path, struct timespec *ret_since, struct cl_error *err)
{
    if (path == NULL)
        return 0;
    *ret_since = trace_now();
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
    return fd < 0 ? cl_fail(err, errno, "--trace %s", path) : fd;
}

int write_pid_file(const char *path, pid_t pid, struct cl_error *err)
{
    char text[16];
    if (path == NULL)
        return 0;
    (void)CL_PRINT(text, "%d", (int)pid);
    const char *slash = strrchr(path, '/');
    cl_auto_free char *directory =
        slash == NULL ? cl_strdup(".") : cl_strndup(path, (size_t)(slash - path) + 1);
    if (directory == NULL)
        return cl_fail(err, ENOMEM, "write pid file %s", path);
    cl_auto_fd dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return cl_fail(err, errno, "write pid file %s", path);
    int result = cl_write_atomic(dir, slash == NULL ? path : slash + 1, text, strlen(text), 0644,
                                 CL_WRITE_PLAIN, err);
    return result < 0 ? cl_error_prefix(err, "pid file %s", path) : 0;
}

int send_console(const char *path, int console, struct cl_error *err)
{
    static const char name[] = "/dev/ptmx"; /* a message needs a byte; runc sends the name */
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (path == NULL)
        return 0;
    if (CL_PRINT(address.sun_path, "%s", path) < 0)
        return cl_fail(err, ENAMETOOLONG, "console socket %s", path);
    cl_auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return cl_fail(err, errno, "connect to console socket %s", path);
    ssize_t size = cl_send_fds(fd, name, sizeof name - 1, &console, 1);
    return size < 0 ? cl_fail(err, (int)size, "send the terminal to console socket %s", path) : 0;
}

/* ---- the foreground parent ---- */

static void forwarded(sigset_t *set)
{
    static const int not_ours[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT };
    (void)sigfillset(set);
    for (size_t i = 0; i < CL_COUNT(not_ours); i++)
        (void)sigdelset(set, not_ours[i]);
}

int relay_prepare(struct cl_error *err)
{
    sigset_t set;
    forwarded(&set);
    return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? cl_fail(err, errno, "block signals") : 0;
}

struct relay {
    int pidfd, signals, console;
    bool input_open;
    size_t size, sent; /* of typed[]: read from our input, not yet taken by the console */
    char typed[4096];
};

static void copy_size(const struct relay *relay)
{
    unsigned rows, columns;
    if (relay->console >= 0 && terminal_get_size(0, &rows, &columns) >= 0)
        (void)terminal_set_size(relay->console, rows, columns); /* best effort: it may be gone */
}

static void take_signal(const struct relay *relay)
{
    struct signalfd_siginfo info;
    if (read(relay->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGWINCH && relay->console >= 0)
        copy_size(relay);
    else if (info.ssi_signo != SIGCHLD &&
             (info.ssi_signo != SIGPIPE ||
              info.ssi_pid != (uint32_t)getpid()))                    /* of our own write */
        (void)k_pidfd_send_signal(relay->pidfd, (int)info.ssi_signo); /* it may have ended */
}

/* False at the console's end: nobody has its slave open any more. */
static bool take_output(const struct relay *relay)
{
    char buffer[4096];
    ssize_t size = read(relay->console, buffer, sizeof buffer);
    if (size <= 0)
        return size < 0 && (errno == EINTR || errno == EAGAIN);
    (void)cl_write_full(1, buffer, (size_t)size); /* a reader that went away ends nothing */
    return true;
}

static void take_input(struct relay *relay)
{
    ssize_t size = read(0, relay->typed, sizeof relay->typed);
    relay->input_open = size > 0 || (size < 0 && errno == EINTR);
    relay->size = size > 0 ? (size_t)size : 0;
    relay->sent = 0;
}

static void give_input(struct relay *relay)
{
    ssize_t size = write(relay->console, relay->typed + relay->sent, relay->size - relay->sent);
    if (size > 0)
        relay->sent += (size_t)size;
}

/* Until the process has ended. */
static int pump(struct relay *relay, struct cl_error *err)
{
    for (;;) {
        bool has_typed = relay->sent < relay->size;
        struct pollfd fds[] = {
            { .fd = relay->pidfd, .events = POLLIN },
            { .fd = relay->signals, .events = POLLIN },
            { .fd = relay->console, .events = (short)(POLLIN | (has_typed ? POLLOUT : 0)) },
            { .fd = relay->console >= 0 && relay->input_open && !has_typed ? 0 : -1,
              .events = POLLIN },
        };
        if (poll(fds, CL_COUNT(fds), -1) < 0 && errno != EINTR)
            return cl_fail(err, errno, "wait for the container");
        if (fds[1].revents != 0)
            take_signal(relay);
        if ((fds[2].revents & POLLOUT) != 0)
            give_input(relay);
        if ((fds[2].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !take_output(relay))
            relay->console = -EBADF;
        else if (fds[3].revents != 0)
            take_input(relay);
        if (fds[0].revents != 0 && (fds[2].revents & POLLIN) == 0)
            return 0;
    }
}

int relay_run(int pidfd, int console, struct cl_error *err)
{
    struct termios saved;
    sigset_t set;
    int status = 0;
    forwarded(&set);
    cl_auto_fd signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals < 0)
        return cl_fail(err, errno, "wait for signals");
    struct relay relay = {
        .pidfd = pidfd, .signals = signals, .console = console, .input_open = true
    };
    if (console >= 0)
        (void)fcntl(console, F_SETFL, O_RDWR | O_NONBLOCK);
    copy_size(&relay);
    bool is_raw = console >= 0 && isatty(0) && terminal_set_raw(0, &saved) >= 0;
    int result = pump(&relay, err);
    if (is_raw)
        (void)terminal_restore(0, &saved); /* a terminal that is gone needs no restoring */
    if (result >= 0) {
        result = k_wait_pidfd(pidfd, 0, &status);
        if (result < 0)
            (void)cl_fail(err, result, "wait for the container");
    }
    if (result < 0)
        return result;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
