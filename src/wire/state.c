/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state record's table of fields, and its writer.
 *
 * The writer allocates nothing and uses no stdio, because the monitor, which has neither, writes the record at a container's end. The
 * longest possible record fits WIRE_STATE_MAX, so a record that can't be written does not exist (a test holds that).
 */
#include "wire/state_table.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define FIELD(member, kind, min, max)                                                              \
    {                                                                                              \
#member, kind, offsetof(struct wire_state, member),                                        \
            sizeof(((struct wire_state *)NULL)->member), min, max                                  \
    }

const struct state_field wire_state_fields[STATE_FIELD_COUNT] = {
    FIELD(status, STATE_STATUS, 0, 0),
    FIELD(pid, STATE_INT, 0, INT_MAX),
    FIELD(pid_start, STATE_U64, 0, 0),
    FIELD(monitor_pid, STATE_INT, 0, INT_MAX),
    FIELD(monitor_start, STATE_U64, 0, 0),
    FIELD(boot_id, STATE_TEXT, 0, 0),
    FIELD(exit_code, STATE_INT, 0, 255),
    FIELD(oom_killed, STATE_BOOL, 0, 0),
    FIELD(started_ns, STATE_I64, 0, INT64_MAX),
    FIELD(finished_ns, STATE_I64, 0, INT64_MAX),
    FIELD(cgroup, STATE_TEXT, 0, 0),
    FIELD(error, STATE_TEXT, 0, 0),
};

const char *wire_status_name(enum wire_status status)
{
    static const char *const names[] = { [WIRE_CREATED] = "created",
                                         [WIRE_RUNNING] = "running",
                                         [WIRE_PAUSED] = "paused",
                                         [WIRE_EXITED] = "exited" };
    return (size_t)status < CL_COUNT(names) ? names[status] : "unknown";
}

struct writer {
    char *text;
    size_t used; /* past WIRE_STATE_MAX - 1: it did not fit */
};

static void put_char(struct writer *writer, char character)
{
    if (writer->used < WIRE_STATE_MAX - 1)
        writer->text[writer->used] = character;
    writer->used++;
}

static void put_text(struct writer *writer, const char *text)
{
    for (; *text != '\0'; text++)
        put_char(writer, *text);
}

static void put_escaped(struct writer *writer, const char *text, size_t room)
{
    for (size_t i = 0; i < room && text[i] != '\0'; i++) {
        if (text[i] == '\n' || text[i] == '\\')
            put_char(writer, '\\');
        put_char(writer, text[i] == '\n' ? 'n' : text[i]);
    }
}

static void put_unsigned(struct writer *writer, uint64_t value)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0)
        put_char(writer, digits[--count]);
}

static void put_signed(struct writer *writer, int64_t value)
{
    if (value < 0)
        put_char(writer, '-');
    put_unsigned(writer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void put_value(struct writer *writer, const struct state_field *field, const void *member)
{
    union {
        enum wire_status status;
        bool boolean;
        int number;
        int64_t i64;
        uint64_t u64;
    } value = { 0 };
    if (field->kind != STATE_TEXT)
        memcpy(&value, member, field->room);
    switch (field->kind) {
    case STATE_STATUS:
        put_text(writer, wire_status_name(value.status));
        break;
    case STATE_BOOL:
        put_char(writer, value.boolean ? '1' : '0');
        break;
    case STATE_INT:
        put_signed(writer, value.number);
        break;
    case STATE_I64:
        put_signed(writer, value.i64);
        break;
    case STATE_U64:
        put_unsigned(writer, value.u64);
        break;
    case STATE_TEXT:
        put_escaped(writer, member, field->room);
        break;
    }
}

int wire_state_format(const struct wire_state *state, char buffer[static WIRE_STATE_MAX])
{
    struct writer writer = { .text = buffer };
    put_text(&writer, WIRE_STATE_HEADING);
    for (size_t i = 0; i < STATE_FIELD_COUNT; i++) {
        const struct state_field *field = &wire_state_fields[i];
        put_text(&writer, field->key);
        put_char(&writer, ' ');
        put_value(&writer, field, (const char *)state + field->offset);
        put_char(&writer, '\n');
    }
    if (writer.used > WIRE_STATE_MAX - 1)
        return -ENOSPC;
    buffer[writer.used] = '\0';
    return (int)writer.used;
}
