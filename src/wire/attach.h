/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between a client (cloche run, attach, start -a, wait, stop) and a container's monitor: SOCK_SEQPACKET, on STATE/ID/attach.sock (mode 0600 in a
 * 0700 directory; the monitor checks SO_PEERCRED for its own uid or root) or on the pair made by `cloche run`. One packet is one message: a struct wire_attach
 * header and `size` bytes of payload.
 *
 *   client → monitor                                      monitor → client
 *   HELLO {flags: want stdin/stdout/stderr}               STARTED {wire_state text}     only on run's own pair, by the forked parent
 *   STDIN data                                            FAILED {struct cl_error}      likewise: nothing was started
 *   STDIN_END                                             STDOUT data, STDERR data      terminal: all output is STDOUT
 *   RESIZE {rows, columns}                                EXIT {code, oom}              last message; the state file is written before it
 *   SIGNAL {number}                                       ERROR {struct cl_error}       the request was refused; the connection goes on
 *   (a client that only waits sends HELLO with no flags)
 *
 * A slow client: the monitor never blocks on one; output to it waits in the socket, and while an attached client's socket is full the monitor stops reading the
 * container's output (back pressure, as with a real terminal), but at most 10 s: then that client is dropped.
 */
#pragma once

#include "base/base.h"

enum wire_attach_type {
    WIRE_HELLO = 1,
    WIRE_STDIN,
    WIRE_STDIN_END,
    WIRE_RESIZE,
    WIRE_SIGNAL,
    WIRE_STARTED = 64,
    WIRE_FAILED,
    WIRE_STDOUT,
    WIRE_STDERR,
    WIRE_EXIT,
    WIRE_ERROR,
};
enum wire_hello_flags { WIRE_WANT_STDIN = 1, WIRE_WANT_STDOUT = 2, WIRE_WANT_STDERR = 4 };

#define WIRE_PAYLOAD_MAX 16384

struct wire_attach {
    uint32_t type;
    uint32_t size; /* bytes of payload, at most WIRE_PAYLOAD_MAX */
    union {
        struct {
            uint32_t flags;
        } hello;
        struct {
            uint32_t rows, columns;
        } resize;
        struct {
            int32_t number;
        } signal;
        struct {
            int32_t code;
            uint32_t oom_killed;
        } exit;
        uint8_t bytes[16];
    } u;
};

/*
 * Is this a well-formed message for the receiver? packet_size is what recv returned (with MSG_TRUNC: the true length); no byte past it is looked at. 0 or -EPROTO.
 * Payloads: STDIN, STDOUT, STDERR 1 … WIRE_PAYLOAD_MAX bytes; STARTED 1 … WIRE_STATE_MAX; FAILED and ERROR exactly a struct cl_error; all
 * others none. Fields: only known hello flags; rows and columns at most 65535; signal 1 … 64; exit code 0 … 255 and oom_killed 0 or 1.
 */
int wire_attach_check(const struct wire_attach *header, size_t packet_size, bool from_client);
const char *wire_attach_name(uint32_t type); /* "HELLO", …; "unknown" */
