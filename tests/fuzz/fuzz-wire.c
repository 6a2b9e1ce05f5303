/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of room wire: the first byte chooses. 'a': the rest is an attach packet (either direction); 'u': a monitor's setup; all
 * else: the whole input is a state record, and one that was accepted must survive being written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

static void try_attach(const uint8_t *data, size_t size)
{
    struct wire_attach header = { 0 };
    memcpy(&header, data, size < sizeof header ? size : sizeof header);
    bool to_monitor = wire_attach_check(&header, size, true) == 0;
    bool to_client = wire_attach_check(&header, size, false) == 0;
    if (to_monitor && to_client)
        abort();
    if ((to_monitor || to_client) && (size != sizeof header + header.size || size > 32768))
        abort();
    if (cl_streq(wire_attach_name(header.type), "unknown") && (to_monitor || to_client))
        abort();
}

static void try_setup(const uint8_t *data, size_t size)
{
    struct wire_setup setup = { .magic = WIRE_SETUP_MAGIC, .size = sizeof setup };
    const size_t from = offsetof(struct wire_setup, flags);
    memcpy((char *)&setup + from, data, size < sizeof setup - from ? size : sizeof setup - from);
    const char *problem = NULL;
    if ((wire_setup_check(&setup, sizeof setup, &problem) < 0) != (problem != NULL))
        abort();
    if (problem == NULL && (strlen(setup.id) == 0 || strlen(setup.cgroup) >= sizeof setup.cgroup))
        abort();
}

static void try_state(const uint8_t *data, size_t size)
{
    struct wire_state state, again;
    struct cl_error err = { 0 };
    if (wire_state_parse((const char *)data, size, &state, &err) < 0) {
        if (err.code >= 0 || err.text[0] == '\0')
            abort();
        return;
    }
    char text[WIRE_STATE_MAX], second[WIRE_STATE_MAX];
    int length = wire_state_format(&state, text);
    if (length < 0 || wire_state_parse(text, (size_t)length, &again, NULL) < 0)
        abort();
    if (wire_state_format(&again, second) != length || memcmp(text, second, (size_t)length) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'a')
        try_attach(data + 1, size - 1);
    else if (size > 0 && data[0] == 'u')
        try_setup(data + 1, size - 1);
    else
        try_state(data, size);
    return 0;
}
