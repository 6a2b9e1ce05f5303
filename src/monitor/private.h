/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room monitor only: the monitor's whole state, and what its files offer each other.
 *
 *   self.c      the process: descriptors, signals, session, memory given back
 *   monitor.c   the table of states and events, the loop
 *   clients.c   who is connected: accept, send, owe, drop        messages.c  what a client asks for
 *   output.c    container → log and clients                      input.c     clients → container
 *   finish.c    init's end, the record, the farewell, the cleaning up
 *
 * Output goes through one piece at a time (`piece`): it is read, logged and sent to all clients; one whose socket is full owes it, and until nobody
 * does, nothing more is read. That is the whole back pressure, and why one buffer is enough.
 *
 * All times are CLOCK_MONOTONIC milliseconds.
 */
#pragma once

#include "base/base.h"
#include "kernel/kernel.h"
#include "monitor/log.h"
#include "monitor/monitor.h"
#include "wire/wire.h"

#define MONITOR_CLIENTS 32
#define MONITOR_PATIENCE                                                                           \
    10000 /* ms that a full client, or a first one without HELLO, may stop the output (monitor.h) */
#define MONITOR_DRAIN_MAX                                                                          \
    (1                                                                                             \
     << 20) /* bytes read after init's end from a stream that somebody else still holds: a pipe's largest size */
#define MONITOR_IDLE_AFTER 2000 /* ms without traffic until the buffers are given back */

enum monitor_state { MONITOR_RUNNING, MONITOR_DRAINING, MONITOR_LEAVING, MONITOR_STATES };

enum monitor_output { MONITOR_OUT, MONITOR_ERR, MONITOR_OUTPUTS };

struct monitor_client {
    int fd; /* -EBADF: free */
    uint32_t wants;
    bool is_first; /* was there before the container */
    bool owes_piece, owes_exit;
    int64_t deadline; /* while it owes something; 0: none */
};

/* What poll watches, in the order in which events are served: a client's HELLO before the output, init's end last. */
enum monitor_slot {
    SLOT_SIGNAL,
    SLOT_CLIENTS,
    SLOT_LISTENER = SLOT_CLIENTS + MONITOR_CLIENTS,
    SLOT_INPUT,
    SLOT_OUT,
    SLOT_ERR,
    SLOT_INIT,
    SLOT_COUNT,
};

struct monitor {
    struct wire_setup setup; /* its descriptors are ours; -1 once closed */
    enum monitor_state state;
    int signals; /* signalfd */
    int peer;    /* our own hold on the terminal's other end, once it was let go by all others */
    int record;  /* the record's file, made in advance */
    int first;   /* index of the client whose HELLO is waited for, or -1 */
    int64_t patience;                       /* ms */
    int64_t first_deadline, listener_pause; /* 0: none */
    bool is_recorded;
    bool is_dirty;  /* buffers were used since they were given back */
    unsigned owing; /* clients that owe the piece */
    struct {
        uint32_t type;
        size_t size;
    } piece;
    size_t drained[MONITOR_OUTPUTS];
    struct {
        size_t start, end; /* what the container has not taken yet */
        bool ends;         /* close after that */
    } input;
    struct {
        int code;
        bool oom_killed;
        int64_t finished_ns;
        const char *error;
    } exit;
    struct monitor_client clients[MONITOR_CLIENTS];
    _Alignas(MONITOR_ALIGN) char output_buffer[WIRE_PAYLOAD_MAX];
    _Alignas(MONITOR_ALIGN) char input_buffer[WIRE_PAYLOAD_MAX];
    struct {
        struct wire_attach header;
        _Alignas(MONITOR_ALIGN) char payload[WIRE_PAYLOAD_MAX];
    } message; /* as received */
    struct monitor_log log;
};

/* ---- monitor.c ---- */
/* monitor_run with another patience than MONITOR_PATIENCE, for tests. */
int monitor_run_patiently(const struct wire_setup *setup, int64_t patience);

/* ---- self.c ---- */
/* Session, directory, signals, name, descriptors. Before any other descriptor is opened. */
void monitor_self_init(struct wire_setup *setup);
/* SIGTERM as a descriptor. */
int monitor_self_signals(void);
/* Signals as a new program expects them. */
void monitor_self_restore(void);
void monitor_self_trim(struct monitor *monitor);
int64_t monitor_now(void);

/* ---- clients.c ---- */
void monitor_clients_init(struct monitor *monitor, int take_first);
void monitor_client_accept(struct monitor *monitor);
void monitor_client_drop(struct monitor *monitor, size_t index);
/* The piece to everybody who wants it. */
void monitor_clients_relay(struct monitor *monitor);
/* Init has ended: from now on the first client may not take for ever either. */
void monitor_clients_hurry(struct monitor *monitor);
/* What the client owes, again. */
void monitor_client_resume(struct monitor *monitor, size_t index);
/* EXIT, or remember that it is owed. Drops the client when it has it. */
void monitor_client_farewell(struct monitor *monitor, size_t index);
/* Best effort: a client that does not read its answers gets none. */
void monitor_client_refuse(int fd, enum cl_kind kind, int code, const char *text);
bool monitor_has_clients(const struct monitor *monitor);

/* ---- messages.c ---- */
void monitor_client_message(struct monitor *monitor, size_t index);

/* ---- output.c ---- */
int monitor_output_fd(const struct monitor *monitor, enum monitor_output output);
/* May a new piece be read? */
bool monitor_output_is_free(const struct monitor *monitor);
void monitor_output_read(struct monitor *monitor, enum monitor_output output);
/* After init's end: all that is there, as far as the clients take it. True when nothing is left. */
bool monitor_output_drain(struct monitor *monitor);

/* ---- input.c ---- */
bool monitor_input_is_full(const struct monitor *monitor);
/* False when the container has no stdin (any more). */
bool monitor_input_add(struct monitor *monitor, const char *data, size_t size);
void monitor_input_flush(struct monitor *monitor);
/* A client that feeds stdin has ended it or has left. */
void monitor_input_end(struct monitor *monitor);
int monitor_input_fd(const struct monitor *monitor);

/* ---- finish.c ---- */
void monitor_record_init(struct monitor *monitor);
/* Reap init and keep how it ended. */
void monitor_reap_init(struct monitor *monitor);
/* Write the state record. */
void monitor_record_exit(struct monitor *monitor);
/* Everything after the last EXIT. Returns main's exit status, or does not return. */
int monitor_finish(struct monitor *monitor);
