/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal's side of a container: standard streams against the attach protocol, or against the pty of an exec'ed process.
 *
 * One poll loop over our input, the container's side and a signalfd. Nothing blocks but writes to our own output: input that the container doesn't take yet waits here, so a
 * full pipe in one direction never stops the other. The user's terminal is put into raw mode and restored on every way out.
 */
#include "cli/cli_private.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"
#define DETACH_KEYS_MAX     16

struct relay {
    int remote; /* attach socket, or pty master */
    bool is_socket;
    int pidfd; /* exec only: ends the relay */
    bool want_input, sig_proxy, terminal;
    int signals; /* signalfd */
    struct termios saved;
    bool is_raw;
    unsigned char keys[DETACH_KEYS_MAX];
    size_t key_count, keys_seen;
    struct {
        struct wire_attach header;
        char data[WIRE_PAYLOAD_MAX];
    } out; /* input on its way to the container */
    size_t out_size, out_done;
    bool input_ended, end_sent, size_changed;
    struct engine *engine; /* to signal the container past a full socket */
    const char *id;
    bool done, detached;
    int code;
};

/* ---- detach keys ---- */

/* "ctrl-p,ctrl-q" → {16, 17}; single letters stand for themselves. */
static int parse_keys(const char *text, struct relay *relay, struct cl_error *err)
{
    relay->key_count = 0;
    for (const char *word = text; *word != '\0';) {
        size_t length = strcspn(word, ",");
        unsigned char key = 0;
        if (length == 1)
            key = (unsigned char)word[0];
        else if (length == 6 && strncasecmp(word, "ctrl-", 5) == 0 && strchr("@[\\]^_", word[5]))
            key = (unsigned char)(word[5] - '@');
        else if (length == 6 && strncasecmp(word, "ctrl-", 5) == 0 && word[5] >= 'a' &&
                 word[5] <= 'z')
            key = (unsigned char)(word[5] - 'a' + 1);
        if ((key == 0 && !(length == 6 && word[5] == '@')) || relay->key_count == DETACH_KEYS_MAX)
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                "invalid detach keys \"%s\": expected letters or ctrl-LETTER, "
                                "separated by commas",
                                text);
        relay->keys[relay->key_count++] = key;
        word += length + (word[length] == ',');
    }
    return 0;
}

/* Copies input to out.data without the detach sequence; a sequence that breaks off was ordinary input. True when it was completed. */
static bool filter_keys(struct relay *relay, const unsigned char *input, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        if (relay->key_count > 0 && input[i] == relay->keys[relay->keys_seen]) {
            if (++relay->keys_seen == relay->key_count)
                return true;
            continue;
        }
        for (size_t held = 0; held < relay->keys_seen; held++)
            relay->out.data[used++] = (char)relay->keys[held];
        relay->keys_seen = 0;
        if (relay->key_count > 0 && input[i] == relay->keys[0] && relay->key_count > 1)
            relay->keys_seen = 1;
        else
            relay->out.data[used++] = (char)input[i];
    }
    relay->out_size = used;
    return false;
}

/* ---- messages to the container ---- */

/* False when the socket is full: to be tried again. */
static bool send_control(struct relay *relay, const struct wire_attach *message)
{
    ssize_t sent = send(relay->remote, message, sizeof *message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent >= 0 || errno != EAGAIN; /* gone: EXIT or EOF follows */
}

static void send_size(struct relay *relay)
{
    unsigned rows, columns;
    if (!relay->terminal || terminal_get_size(STDIN_FILENO, &rows, &columns) < 0)
        return;
    const struct wire_attach message = { .type = WIRE_RESIZE,
                                         .u.resize = { .rows = rows, .columns = columns } };
    if (relay->is_socket)
        relay->size_changed = !send_control(relay, &message);
    else
        (void)terminal_set_size(relay->remote, rows, columns); /* the process is ending */
}

static bool has_output_waiting(const struct relay *relay)
{
    return relay->out_size > relay->out_done;
}

/* Send what waits; stops without waiting when the other side is full. */
static int push_input(struct relay *relay)
{
    size_t size = relay->out_size - relay->out_done;
    ssize_t done;
    if (relay->is_socket) {
        relay->out.header = (struct wire_attach){ .type = WIRE_STDIN, .size = (uint32_t)size };
        done = send(relay->remote, &relay->out, sizeof relay->out.header + size,
                    MSG_NOSIGNAL | MSG_DONTWAIT);
        done = done > 0 ? (ssize_t)size : done;
    } else {
        done = write(relay->remote, relay->out.data + relay->out_done, size);
    }
    if (done < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    relay->out_done += (size_t)done;
    if (!has_output_waiting(relay))
        relay->out_size = relay->out_done = 0;
    return 0;
}

static void end_input(struct relay *relay)
{
    const struct wire_attach message = { .type = WIRE_STDIN_END };
    if (relay->end_sent || !relay->is_socket)
        return;
    relay->end_sent = send_control(relay, &message);
}

static void read_input(struct relay *relay)
{
    unsigned char input[WIRE_PAYLOAD_MAX - DETACH_KEYS_MAX];
    ssize_t size = read(STDIN_FILENO, input, sizeof input);
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (size <= 0) {
        relay->input_ended = true;
        return;
    }
    if (filter_keys(relay, input, (size_t)size))
        relay->done = relay->detached = true;
}

/* ---- from the container ---- */

static int write_output(int fd, const void *data, size_t size)
{
    ssize_t written = cl_write_full(fd, data, size);
    return written < 0 ? (int)written : 0;
}

static int read_socket(struct relay *relay, struct cl_error *err)
{
    struct {
        struct wire_attach header;
        union {
            char data[WIRE_PAYLOAD_MAX];
            struct cl_error failure;
        } payload;
    } packet;
    ssize_t size = recv(relay->remote, &packet, sizeof packet, MSG_DONTWAIT);
    /* A reset, which comes once: the monitor ended with messages of ours unread. Its own, the exit among them, can still be read. */
    if (size < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET))
        return 0;
    if (size <= 0)
        return cl_fail_kind(
            err, CL_KIND_SYSTEM, EPIPE,
            "the container's monitor ended unexpectedly; 'cloche ps -a' repairs what it "
            "left");
    if (wire_attach_check(&packet.header, (size_t)size, false) < 0)
        return cl_fail(err, EPROTO, "hear from the container's monitor");
    switch (packet.header.type) {
    case WIRE_STDOUT:
        return write_output(STDOUT_FILENO, packet.payload.data, packet.header.size);
    case WIRE_STDERR:
        return write_output(STDERR_FILENO, packet.payload.data, packet.header.size);
    case WIRE_EXIT:
        relay->code = packet.header.u.exit.code;
        relay->done = true;
        return 0;
    case WIRE_ERROR:
        if (packet.header.size == sizeof packet.payload.failure &&
            packet.payload.failure.code == -EPIPE)
            relay->input_ended = relay->end_sent = true; /* it reads no input any more */
        return 0;                                        /* else a resize that came too late */
    default:
        return 0; /* STARTED was read by the engine */
    }
}

static int read_pty(struct relay *relay)
{
    char data[WIRE_PAYLOAD_MAX];
    ssize_t size = read(relay->remote, data, sizeof data);
    if (size > 0)
        return write_output(STDOUT_FILENO, data, (size_t)size);
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    relay->remote = -1; /* EIO: no process has the terminal open any more; the fd is the caller's */
    return 0;
}

/* ---- signals ---- */

static int hold_signals(bool sig_proxy, sigset_t *mask)
{
    static const int left_alone[] = { SIGCHLD, SIGPIPE, SIGSEGV, SIGBUS,  SIGFPE,
                                      SIGILL,  SIGABRT, SIGTSTP, SIGTTIN, SIGTTOU,
                                      SIGSTOP, SIGKILL, SIGTRAP, SIGSYS,  SIGURG };
    (void)sigfillset(mask);
    for (size_t i = 0; i < CL_COUNT(left_alone); i++)
        (void)sigdelset(mask, left_alone[i]);
    if (!sig_proxy) {
        (void)sigemptyset(mask);
        (void)sigaddset(mask, SIGWINCH);
    }
    return sigprocmask(SIG_BLOCK, mask, NULL) < 0 ? -errno : 0;
}

int cli_stream_hold(const char *detach_keys, bool sig_proxy, struct cl_error *err)
{
    struct relay scratch;
    sigset_t mask;
    int result = detach_keys == NULL ? 0 : parse_keys(detach_keys, &scratch, err);
    if (result < 0)
        return result;
    result = hold_signals(sig_proxy, &mask);
    return result < 0 ? cl_fail(err, result, "hold signals back") : 0;
}

static int open_signals(struct relay *relay)
{
    sigset_t mask;
    int result = hold_signals(relay->sig_proxy, &mask);
    if (result < 0)
        return result;
    relay->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return relay->signals < 0 ? -errno : 0;
}

static void pass_signals(struct relay *relay)
{
    struct signalfd_siginfo info;
    while (read(relay->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGWINCH) {
            send_size(relay);
        } else if (relay->is_socket) {
            /* Not through the socket: there it would queue behind input that nobody reads. */
            (void)engine_container_kill(relay->engine, relay->id, (int)info.ssi_signo, NULL);
        } else {
            (void)k_pidfd_send_signal(relay->pidfd, (int)info.ssi_signo); /* ended: we'll see */
        }
    }
}

/* ---- the loop ---- */

static bool wants_to_send(const struct relay *relay)
{
    return has_output_waiting(relay) || relay->size_changed ||
           (relay->input_ended && !relay->end_sent && relay->is_socket);
}

static int relay_once(struct relay *relay, struct cl_error *err)
{
    bool read_more = relay->want_input && !relay->input_ended && !has_output_waiting(relay);
    struct pollfd ready[] = {
        { .fd = relay->remote, .events = (short)(POLLIN | (wants_to_send(relay) ? POLLOUT : 0)) },
        { .fd = read_more ? STDIN_FILENO : -1, .events = POLLIN },
        { .fd = relay->signals, .events = POLLIN },
        { .fd = relay->pidfd, .events = POLLIN },
    };
    int result = 0;
    if (poll(ready, CL_COUNT(ready), -1) < 0)
        return errno == EINTR ? 0 : cl_fail(err, errno, "wait for the container");
    if (ready[2].revents != 0)
        pass_signals(relay);
    if (ready[0].revents & (POLLIN | POLLHUP | POLLERR)) {
        result = relay->is_socket ? read_socket(relay, err) : read_pty(relay);
        if (result < 0)
            return result;
    } else if (ready[3].revents != 0) {
        relay->done = true; /* and no output is left */
    }
    if (ready[1].revents != 0)
        read_input(relay);
    if (has_output_waiting(relay) && push_input(relay) < 0)
        relay->input_ended = true, relay->out_size = relay->out_done = 0; /* nobody reads it */
    if (relay->size_changed)
        send_size(relay);
    if (relay->input_ended && !has_output_waiting(relay))
        end_input(relay);
    return 0;
}

static int relay_run(struct relay *relay, const char *detach_keys, struct cl_error *err)
{
    int result =
        relay->terminal
            ? parse_keys(detach_keys == NULL ? DETACH_KEYS_DEFAULT : detach_keys, relay, err)
            : 0;
    if (result < 0)
        return result;
    result = open_signals(relay);
    if (result < 0)
        return cl_fail(err, result, "watch for signals");
    if (relay->terminal && relay->want_input)
        relay->is_raw = terminal_set_raw(STDIN_FILENO, &relay->saved) >= 0;
    send_size(relay);
    while (!relay->done && result >= 0)
        result = relay_once(relay, err);
    if (relay->is_raw)
        (void)terminal_restore(STDIN_FILENO,
                               &relay->saved); /* best effort: the terminal may be gone */
    cl_close(relay->signals);                  /* the signals stay held: the command ends now */
    if (result < 0 && err != NULL && err->code == 0)
        return cl_fail(err, result, "write the container's output");
    return result < 0 ? result : relay->code;
}

int cli_stream_run(const struct cli_stream *stream, bool *ret_detached, struct cl_error *err)
{
    struct relay relay = { .remote = stream->client,
                           .is_socket = true,
                           .pidfd = -1,
                           .signals = -EBADF,
                           .want_input = stream->want_stdin,
                           .sig_proxy = stream->sig_proxy,
                           .terminal = stream->terminal,
                           .engine = stream->engine,
                           .id = stream->id };
    int result = relay_run(&relay, stream->detach_keys, err);
    cl_close(stream->client);
    *ret_detached = relay.detached;
    return result;
}

int cli_stream_process(struct runtime_process *process, bool terminal, bool want_stdin,
                       const char *detach_keys, struct cl_error *err)
{
    struct relay relay = { .remote = terminal ? process->console : -1,
                           .pidfd = process->pidfd,
                           .signals = -EBADF,
                           .want_input = terminal && want_stdin,
                           .sig_proxy = true,
                           .terminal = terminal };
    int status;
    if (terminal && fcntl(process->console, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
        return cl_fail(err, errno, "use the terminal of the process");
    int result = relay_run(&relay, detach_keys, err);
    if (result < 0 || relay.detached)
        return result;
    result = k_wait_pidfd(process->pidfd, 0, &status);
    if (result < 0)
        return cl_fail(err, result, "wait for the process");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
