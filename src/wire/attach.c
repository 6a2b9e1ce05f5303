/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attach protocol's table: what each message may carry, and who may send it. Checking only; sends and receives nothing.
 *
 * A message comes from a process that may be broken or hostile (any process of the same user), so everything in the header is checked here,
 * once, and the receivers can use the fields as they are.
 */
#include "wire/attach.h"

#include <errno.h>

#include "wire/state.h"

static bool hello_is_valid(const struct wire_attach *header)
{
    return (header->u.hello.flags & ~(WIRE_WANT_STDIN | WIRE_WANT_STDOUT | WIRE_WANT_STDERR)) == 0;
}

static bool resize_is_valid(const struct wire_attach *header)
{
    return header->u.resize.rows <= UINT16_MAX && header->u.resize.columns <= UINT16_MAX;
}

static bool signal_is_valid(const struct wire_attach *header)
{
    return header->u.signal.number >= 1 && header->u.signal.number <= 64;
}

static bool exit_is_valid(const struct wire_attach *header)
{
    return header->u.exit.code >= 0 && header->u.exit.code <= 255 && header->u.exit.oom_killed <= 1;
}

static const struct message {
    const char *name;
    bool from_client;
    uint32_t min, max; /* payload */
    bool (*is_valid)(const struct wire_attach *header);
} messages[] = {
    [WIRE_HELLO] = { "HELLO", true, 0, 0, hello_is_valid },
    [WIRE_STDIN] = { "STDIN", true, 1, WIRE_PAYLOAD_MAX, NULL },
    [WIRE_STDIN_END] = { "STDIN_END", true, 0, 0, NULL },
    [WIRE_RESIZE] = { "RESIZE", true, 0, 0, resize_is_valid },
    [WIRE_SIGNAL] = { "SIGNAL", true, 0, 0, signal_is_valid },
    [WIRE_STARTED] = { "STARTED", false, 1, WIRE_STATE_MAX, NULL },
    [WIRE_FAILED] = { "FAILED", false, sizeof(struct cl_error), sizeof(struct cl_error), NULL },
    [WIRE_STDOUT] = { "STDOUT", false, 1, WIRE_PAYLOAD_MAX, NULL },
    [WIRE_STDERR] = { "STDERR", false, 1, WIRE_PAYLOAD_MAX, NULL },
    [WIRE_EXIT] = { "EXIT", false, 0, 0, exit_is_valid },
    [WIRE_ERROR] = { "ERROR", false, sizeof(struct cl_error), sizeof(struct cl_error), NULL },
};

static const struct message *find(uint32_t type)
{
    if (type >= CL_COUNT(messages) || messages[type].name == NULL)
        return NULL;
    return &messages[type];
}

int wire_attach_check(const struct wire_attach *header, size_t packet_size, bool from_client)
{
    if (packet_size < sizeof *header)
        return -EPROTO;
    const struct message *message = find(header->type);
    if (message == NULL || message->from_client != from_client)
        return -EPROTO;
    if (header->size < message->min || header->size > message->max)
        return -EPROTO;
    if (packet_size - sizeof *header != header->size)
        return -EPROTO;
    if (message->is_valid != NULL && !message->is_valid(header))
        return -EPROTO;
    return 0;
}

const char *wire_attach_name(uint32_t type)
{
    const struct message *message = find(type);
    return message != NULL ? message->name : "unknown";
}
