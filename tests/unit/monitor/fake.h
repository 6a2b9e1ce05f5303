/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A monitor over a fake container: a shell script under a forked child that runs monitor_run, with its directory, socket, log and lock in
 * a temporary directory. Tests speak to it as clients do. Nothing here depends on how long something takes; the receive timeout only turns a
 * hang into a failure.
 */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "monitor/private.h"
#include "test.h"

#define FAKE_HANG_SECONDS 120

struct fake_options {
    const char *script;
    uint32_t flags;
    bool has_first; /* a first client, as `cloche run` has */
    int first_room; /* SO_SNDBUF of the monitor's end, or 0: how much waits for the first client */
    uint64_t log_max;
    uint32_t log_files;
    int64_t patience;    /* 0: the usual */
    const char *cgroup;  /* real one, or NULL */
    const char *events;  /* text of memory.events */
    const char *control; /* text of memory.oom_control */
    const char *kill;    /* CLOCHE_TEST_KILL */
    int reap_program;    /* with AUTO_REMOVE */
    int root_mount;      /* or 0 */
};

struct fake {
    char path[64];
    int dir;
    pid_t monitor;
    int first; /* our end */
};

struct fake_message {
    struct wire_attach header;
    char payload[WIRE_PAYLOAD_MAX + 1];
    ssize_t size; /* of the packet; 0: the connection has ended */
};

static int fake_file(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0 && text != NULL)
        (void)cl_write_full(fd, text, strlen(text));
    return fd;
}

static int fake_listen(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    (void)CL_PRINT(address.sun_path, "%s/" WIRE_SETUP_SOCKET_NAME, path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 64) < 0)
        return -1;
    return fd;
}

/* The container: a session of its own, the script as its shell. */
static void fake_container(const char *script, int in, int out, int err, bool is_terminal)
{
    (void)setsid();
    (void)dup2(in, 0);
    (void)dup2(out, 1);
    (void)dup2(err, 2);
    if (is_terminal)
        (void)ioctl(0, TIOCSCTTY, 0);
    (void)k_close_range(3, ~0U, false);
    unsetenv("CLOCHE_TEST_KILL");
    execl("/bin/sh", "sh", "-c", script, NULL);
    _exit(127);
}

/* In the process that becomes the monitor. */
static void fake_become(const struct fake *fake, const struct fake_options *options, int client)
{
    struct wire_setup setup = { .magic = WIRE_SETUP_MAGIC,
                                .size = sizeof setup,
                                .flags = options->flags,
                                .id = "0123456789ab",
                                .boot_id = "00000000-1111-2222-3333-444444444444",
                                .log_max_bytes = options->log_max,
                                .log_max_files = options->log_files,
                                .started_ns = 1700000000000000000 };
    memset(&setup.fd, 0xff, sizeof setup.fd);
    bool is_terminal = (options->flags & WIRE_SETUP_TERMINAL) != 0;
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC), out = -1, err = -1;
    if (is_terminal) {
        unsigned number;
        (void)terminal_open_pair(-1, &setup.fd.console, &in, &number, NULL);
        out = err = in;
    } else {
        (void)cl_pipe(&setup.fd.out, &out);
        (void)cl_pipe(&setup.fd.err, &err);
        if ((options->flags & WIRE_SETUP_STDIN) != 0)
            (void)cl_pipe(&in, &setup.fd.in);
    }
    setup.init_pid = fork();
    if (setup.init_pid == 0)
        fake_container(options->script, in, out, err, is_terminal);
    (void)cl_close(in);
    (void)cl_close(out);
    if (!is_terminal)
        (void)cl_close(err);
    setup.fd.init_pidfd = k_pidfd_open(setup.init_pid);
    setup.fd.lock = fake_file(fake->dir, "lock", NULL);
    (void)flock(setup.fd.lock, LOCK_EX);
    setup.fd.dir = fcntl(fake->dir, F_DUPFD, 3);
    setup.fd.state_dir = fcntl(fake->dir, F_DUPFD, 3);
    if ((options->flags & WIRE_SETUP_NO_LOG) == 0)
        setup.fd.log = fake_file(fake->dir, WIRE_SETUP_LOG_NAME, NULL);
    setup.fd.client = client;
    setup.fd.listener = fake_listen(fake->path);
    if (options->events != NULL || options->control != NULL)
        setup.fd.cgroup_memory = fcntl(fake->dir, F_DUPFD, 3);
    if (options->reap_program > 0)
        setup.fd.reap_program = options->reap_program;
    if (options->root_mount > 0)
        setup.fd.root_mount = options->root_mount;
    if (options->cgroup != NULL)
        (void)CL_PRINT(setup.cgroup, "%s", options->cgroup);
    (void)CL_PRINT(setup.reap_root, "%s", fake->path);
    (void)CL_PRINT(setup.reap_state, "%s", fake->path);
    const char *problem = NULL;
    if (wire_setup_check(&setup, sizeof setup, &problem) < 0)
        _exit(99);
    int64_t patience = options->patience > 0 ? options->patience : MONITOR_PATIENCE;
    _exit(monitor_run_patiently(&setup, patience));
}

static bool fake_start(struct fake *fake, const struct fake_options *options)
{
    int client = -1;
    *fake = (struct fake){ .dir = -EBADF, .first = -EBADF };
    (void)CL_PRINT(fake->path, "/tmp/cloche-fake-XXXXXX");
    if (mkdtemp(fake->path) == NULL)
        return false;
    fake->dir = open(fake->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (options->events != NULL)
        (void)cl_close(fake_file(fake->dir, "memory.events", options->events));
    if (options->control != NULL)
        (void)cl_close(fake_file(fake->dir, "memory.oom_control", options->control));
    if (options->has_first && cl_socketpair(SOCK_SEQPACKET, &fake->first, &client) < 0)
        return false;
    if (options->first_room > 0)
        CHECK_INT(setsockopt(client, SOL_SOCKET, SO_SNDBUF, &options->first_room, sizeof(int)), 0);
    (void)fflush(stdout);
    fake->monitor = fork();
    if (fake->monitor == 0) {
        if (options->kill != NULL)
            (void)setenv("CLOCHE_TEST_KILL", options->kill, 1);
        fake_become(fake, options, client);
    }
    (void)cl_close(client);
    return fake->monitor > 0;
}

/* The monitor's wait status. */
static int fake_wait(struct fake *fake)
{
    int status = -1;
    if (fake->monitor > 0)
        (void)waitpid(fake->monitor, &status, 0);
    fake->monitor = -1;
    return status;
}

static void fake_end(struct fake *fake)
{
    fake->first = cl_close(fake->first);
    if (fake->monitor > 0)
        CHECK_INT(fake_wait(fake), 0);
    (void)cl_close(fake->dir);
    CHECK_INT(cl_remove_tree(AT_FDCWD, fake->path, NULL), 0);
}

static void fake_send(int fd, uint32_t type, const void *payload, size_t size)
{
    struct wire_attach header = { .type = type, .size = (uint32_t)size };
    struct iovec parts[2] = { { &header, sizeof header }, { (void *)(uintptr_t)payload, size } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    CHECK_INT(sendmsg(fd, &message, MSG_NOSIGNAL), sizeof header + size);
}

static inline void fake_say(int fd, const char *text)
{
    fake_send(fd, WIRE_STDIN, text, strlen(text));
}

static void fake_number(int fd, uint32_t type, uint32_t first, uint32_t second)
{
    struct wire_attach header = { .type = type };
    header.u.resize.rows = first;
    header.u.resize.columns = second;
    CHECK_INT(send(fd, &header, sizeof header, MSG_NOSIGNAL), sizeof header);
}

static void fake_hello(int fd, uint32_t flags)
{
    fake_number(fd, WIRE_HELLO, flags, 0);
}

static bool fake_receive(int fd, struct fake_message *message)
{
    struct pollfd slot = { .fd = fd, .events = POLLIN };
    *message = (struct fake_message){ 0 };
    if (poll(&slot, 1, FAKE_HANG_SECONDS * 1000) != 1) {
        TEST_SAY("the monitor says nothing for %d s", FAKE_HANG_SECONDS);
        return false;
    }
    struct iovec parts[2] = { { &message->header, sizeof message->header },
                              { message->payload, WIRE_PAYLOAD_MAX } };
    struct msghdr packet = { .msg_iov = parts, .msg_iovlen = 2 };
    message->size = recvmsg(fd, &packet, MSG_TRUNC);
    if (message->size <= 0)
        return false;
    if (wire_attach_check(&message->header, (size_t)message->size, false) < 0)
        TEST_SAY("the monitor sent a message that is not one: type %u", message->header.type);
    return true;
}

/* ERROR with this code comes next. */
static inline void fake_expect_error(int fd, int code, const char *part)
{
    struct fake_message message;
    struct cl_error error = { 0 };
    REQUIRE(fake_receive(fd, &message));
    CHECK_STR(wire_attach_name(message.header.type), "ERROR");
    memcpy(&error, message.payload, sizeof error);
    CHECK_INT(error.code, code);
    CHECK_CONTAINS(error.text, part);
}

/* Returns when everything that was sent before on fd has been taken: an unknown message is answered by ERROR. */
static inline void fake_barrier(int fd)
{
    fake_number(fd, 17, 0, 0);
    fake_expect_error(fd, -EPROTO, "not of this protocol");
}

static inline int fake_connect(const struct fake *fake, uint32_t flags)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    (void)CL_PRINT(address.sun_path, "%s/" WIRE_SETUP_SOCKET_NAME, fake->path);
    for (int tries = 0; connect(fd, (struct sockaddr *)&address, sizeof address) < 0; tries++) {
        if (tries == FAKE_HANG_SECONDS * 100) {
            TEST_SAY("connect: %s", strerror(errno));
            return cl_close(fd);
        }
        usleep(10000); /* it is not listening yet */
    }
    fake_hello(fd, flags);
    fake_barrier(fd);
    return fd;
}

struct fake_output {
    char out[1 << 16], err[1 << 16];
    size_t out_size, err_size; /* all that came; the arrays hold the beginning, NUL-terminated */
    int code;                  /* -1: no EXIT */
    bool oom_killed, has_end;
};

static void fake_keep(char *text, size_t room, size_t *size, const struct fake_message *message)
{
    size_t part = message->header.size;
    if (*size < room - 1) {
        size_t fits = room - 1 - *size < part ? room - 1 - *size : part;
        memcpy(text + *size, message->payload, fits);
        text[*size + fits] = '\0';
    }
    *size += part;
}

/* Everything until EXIT, or, when `until` is given, until standard output contains it. */
static inline void fake_collect(int fd, const char *until, struct fake_output *output)
{
    struct fake_message message;
    memset(output, 0, sizeof *output);
    output->code = -1;
    while (fake_receive(fd, &message)) {
        if (message.header.type == WIRE_STDOUT)
            fake_keep(output->out, sizeof output->out, &output->out_size, &message);
        else if (message.header.type == WIRE_STDERR)
            fake_keep(output->err, sizeof output->err, &output->err_size, &message);
        else if (message.header.type == WIRE_EXIT) {
            output->code = message.header.u.exit.code;
            output->oom_killed = message.header.u.exit.oom_killed == 1;
            output->has_end = !fake_receive(fd, &message); /* it is the last message */
            return;
        } else
            TEST_SAY("unexpected %s", wire_attach_name(message.header.type));
        if (until != NULL && strstr(output->out, until) != NULL)
            return;
    }
}

static inline bool fake_state(const struct fake *fake, struct wire_state *state)
{
    char text[WIRE_STATE_MAX + 1];
    struct cl_error err = { 0 };
    ssize_t size = cl_read_small(fake->dir, WIRE_SETUP_STATE_NAME, text, sizeof text);
    return size > 0 && wire_state_parse(text, (size_t)size, state, &err) == 0;
}

/* The log as the container wrote it: the text of all records of a stream, unescaped as far as these tests need. */
static inline size_t fake_log(const struct fake *fake, const char *name, const char *stream,
                              char *out, size_t room)
{
    cl_auto_free char *text = NULL;
    char wanted[40];
    size_t used = 0;
    (void)CL_PRINT(wanted, "\",\"stream\":\"%s\",", stream);
    if (cl_read_file(fake->dir, name, 64 << 20, &text, NULL, NULL) < 0)
        return 0;
    for (char *line = text, *next; *line != '\0'; line = next) {
        char *end = strstr(line, "\",\"stream\":");
        next = strchr(line, '\n');
        if (end == NULL || next == NULL || strncmp(line, "{\"log\":\"", 8) != 0) {
            TEST_SAY("not a record: %.100s", line);
            return 0;
        }
        next++;
        if (strncmp(end, wanted, strlen(wanted)) != 0)
            continue;
        for (const char *at = line + 8; at < end; at++) {
            char character = *at;
            if (character == '\\')
                character = *++at == 'n' ? '\n' : *at == 'r' ? '\r' : *at;
            if (used < room - 1)
                out[used] = character;
            used++;
        }
    }
    out[used < room ? used : room - 1] = '\0';
    return used;
}
