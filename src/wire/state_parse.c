/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state record's reader. A record is written by rename, so it is whole or not there; what is cut, double or out of range was damaged
 * later and is refused rather than guessed at, since a wrong pid here would get a stranger killed.
 */
#include "wire/state_table.h"

#include <errno.h>
#include <string.h>

struct line {
    const char *key, *value;
    size_t key_size, value_size;
};

/* The next line of *text … end, without its end; false where there is none or it has no end or no blank. */
static bool take_line(const char **text, const char *end, struct line *ret)
{
    const char *newline = memchr(*text, '\n', (size_t)(end - *text));
    if (newline == NULL)
        return false;
    const char *blank = memchr(*text, ' ', (size_t)(newline - *text));
    if (blank == NULL || blank == *text)
        return false;
    *ret = (struct line){ .key = *text,
                          .value = blank + 1,
                          .key_size = (size_t)(blank - *text),
                          .value_size = (size_t)(newline - blank - 1) };
    *text = newline + 1;
    return true;
}

/* Into a member of `room` bytes; false when it does not fit or has an unknown escape. */
static bool read_text(const struct line *line, char *out, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < line->value_size; i++) {
        char character = line->value[i];
        if (character == '\\') {
            i++;
            if (i == line->value_size || (line->value[i] != 'n' && line->value[i] != '\\'))
                return false;
            character = line->value[i] == 'n' ? '\n' : '\\';
        }
        if (used + 1 >= room)
            return false;
        out[used++] = character;
    }
    memset(out + used, 0, room - used);
    return true;
}

static bool read_status(const char *value, enum wire_status *ret)
{
    for (int status = WIRE_CREATED; status <= WIRE_EXITED; status++) {
        if (cl_streq(value, wire_status_name((enum wire_status)status))) {
            *ret = (enum wire_status)status;
            return true;
        }
    }
    return false;
}

static bool read_value(const struct state_field *field, const struct line *line, void *member)
{
    char value[24]; /* the longest number, and every status */
    if (field->kind == STATE_TEXT)
        return read_text(line, member, field->room);
    if (line->value_size >= sizeof value)
        return false;
    memcpy(value, line->value, line->value_size);
    value[line->value_size] = '\0';
    int64_t number = 0;
    uint64_t big = 0;
    enum wire_status status = WIRE_CREATED;
    switch (field->kind) {
    case STATE_STATUS:
        if (!read_status(value, &status))
            return false;
        memcpy(member, &status, field->room);
        return true;
    case STATE_U64:
        if (cl_parse_u64(value, 0, UINT64_MAX, &big) < 0)
            return false;
        memcpy(member, &big, field->room);
        return true;
    case STATE_BOOL:
        if (cl_parse_i64(value, 0, 1, &number) < 0)
            return false;
        *(bool *)member = number == 1;
        return true;
    case STATE_INT:
        if (cl_parse_i64(value, field->min, field->max, &number) < 0)
            return false;
        *(int *)member = (int)number;
        return true;
    default:
        if (cl_parse_i64(value, field->min, field->max, &number) < 0)
            return false;
        memcpy(member, &number, field->room);
        return true;
    }
}

static const struct state_field *find(const struct line *line)
{
    for (size_t i = 0; i < STATE_FIELD_COUNT; i++) {
        const struct state_field *field = &wire_state_fields[i];
        if (strlen(field->key) == line->key_size &&
            memcmp(field->key, line->key, line->key_size) == 0)
            return field;
    }
    return NULL;
}

static int corrupt(struct cl_error *err, const char *what)
{
    return cl_fail_kind(err, CL_KIND_CORRUPT, EBADMSG, "read container state: %s", what);
}

int wire_state_parse(const char *text, size_t size, struct wire_state *ret, struct cl_error *err)
{
    const size_t heading = sizeof WIRE_STATE_HEADING - 1;
    if (size > WIRE_STATE_MAX)
        return corrupt(err, "longer than a record can be");
    if (size < heading || memcmp(text, WIRE_STATE_HEADING, heading) != 0)
        return corrupt(err, "it does not begin with \"cloche-state 1\"");
    if (memchr(text, '\0', size) != NULL)
        return corrupt(err, "it holds a zero byte");
    struct wire_state state = { 0 };
    bool seen[STATE_FIELD_COUNT] = { false };
    const char *end = text + size;
    for (text += heading; text < end;) {
        struct line line;
        if (!take_line(&text, end, &line))
            return corrupt(err, "a line is cut off or has no value");
        const struct state_field *field = find(&line);
        if (field == NULL)
            continue; /* a later version's */
        if (seen[field - wire_state_fields] ||
            !read_value(field, &line, (char *)&state + field->offset))
            return cl_fail_kind(err, CL_KIND_CORRUPT, EBADMSG,
                                "read container state: bad or second value of %s", field->key);
        seen[field - wire_state_fields] = true;
    }
    *ret = state;
    return 0;
}
