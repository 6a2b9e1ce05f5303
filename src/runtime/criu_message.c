/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol buffers of criu_message.h, written and read by hand: two dozen members of three kinds (docs/decisions/016-criu.md says why no library does it).
 */
#include "runtime/criu_message.h"

#include <errno.h>

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* ---- writing ---- */

static void put_varint(struct cl_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        cl_buf_char(out, (char)(value | 0x80));
    cl_buf_char(out, (char)value);
}

static void put_key(struct cl_buf *out, unsigned field, enum wire kind)
{
    put_varint(out, (uint64_t)field << 3 | kind);
}

/* int32, uint32, bool and enum are all the same here; a negative int32 takes ten bytes. */
void criu_put_number(struct cl_buf *out, unsigned field, int64_t value)
{
    put_key(out, field, WIRE_VARINT);
    put_varint(out, (uint64_t)value);
}

static void put_bytes(struct cl_buf *out, unsigned field, const void *data, size_t size)
{
    put_key(out, field, WIRE_BYTES);
    put_varint(out, size);
    if (size > 0)
        cl_buf_add(out, data, size);
}

void criu_put_text(struct cl_buf *out, unsigned field, const char *text)
{
    put_bytes(out, field, text, strlen(text));
}

void criu_put_message(struct cl_buf *out, unsigned field, const struct cl_buf *message)
{
    if (message->failed < 0 && out->failed == 0)
        out->failed = message->failed;
    put_bytes(out, field, message->data, message->size);
}

void criu_put_pair(struct cl_buf *out, unsigned field, const char *first, const char *second)
{
    cl_auto_buf message = CL_BUF_INIT(CRIU_MESSAGE_MAX);
    criu_put_text(&message, 1, first);
    criu_put_text(&message, 2, second);
    criu_put_message(out, field, &message);
}

void criu_put_inherit_fd(struct cl_buf *out, const char *key, int fd)
{
    cl_auto_buf message = CL_BUF_INIT(CRIU_MESSAGE_MAX);
    criu_put_text(&message, 1, key);
    criu_put_number(&message, 2, fd);
    criu_put_message(out, CRIU_INHERIT_FD, &message);
}

/* ---- reading ---- */

static bool take_varint(struct criu_reader *reader, uint64_t *ret)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool take_bytes(struct criu_reader *reader, uint64_t size, struct criu_member *ret)
{
    if (size > (size_t)(reader->end - reader->at))
        return false;
    ret->bytes = (struct criu_reader){ reader->at, reader->at + size };
    reader->at += size;
    return true;
}

bool criu_take_member(struct criu_reader *reader, struct criu_member *ret)
{
    uint64_t key, size;
    *ret = (struct criu_member){ 0 };
    if (!take_varint(reader, &key) || key >> 3 == 0)
        return false;
    ret->field = key >> 3;
    switch (key & 7) {
    case WIRE_VARINT:
        return take_varint(reader, &ret->number);
    case WIRE_64:
        return take_bytes(reader, 8, ret);
    case WIRE_BYTES:
        return take_varint(reader, &size) && take_bytes(reader, size, ret);
    case WIRE_32:
        return take_bytes(reader, 4, ret);
    default:
        return false;
    }
}

enum kind { KIND_TYPE, KIND_BOOL, KIND_INT, KIND_TEXT, KIND_MESSAGE };
struct row {
    uint64_t inside; /* the member of criu_resp that it is in; 0: in criu_resp itself */
    uint64_t field;
    enum kind kind;
    size_t offset, room;
};
#define ROW(message, number, what, name)                                                           \
    {                                                                                              \
        message, number, what, offsetof(struct criu_answer, name),                                 \
            sizeof(((struct criu_answer *)NULL)->name)                                             \
    }
enum { TOP = 0, IN_RESTORE = 4, IN_NOTIFY = 5, IN_FEATURES = 8, IN_VERSION = 10 };
static const struct row rows[] = {
    ROW(TOP, 1, KIND_TYPE, type),
    ROW(TOP, 2, KIND_BOOL, success),
    { TOP, IN_RESTORE, KIND_MESSAGE, 0, 0 },
    ROW(IN_RESTORE, 1, KIND_INT, restored_pid),
    { TOP, IN_NOTIFY, KIND_MESSAGE, 0, 0 },
    ROW(IN_NOTIFY, 1, KIND_TEXT, script),
    ROW(IN_NOTIFY, 2, KIND_INT, notify_pid),
    ROW(TOP, 7, KIND_INT, error),
    { TOP, IN_FEATURES, KIND_MESSAGE, 0, 0 },
    ROW(IN_FEATURES, 1, KIND_BOOL, mem_track),
    ROW(IN_FEATURES, 2, KIND_BOOL, lazy_pages),
    ROW(TOP, 9, KIND_TEXT, message),
    { TOP, IN_VERSION, KIND_MESSAGE, 0, 0 },
    ROW(IN_VERSION, 1, KIND_INT, major),
    ROW(IN_VERSION, 2, KIND_INT, minor),
    ROW(IN_VERSION, 4, KIND_INT, sublevel),
};

static const struct row *find(uint64_t inside, uint64_t field)
{
    for (size_t i = 0; i < CL_COUNT(rows); i++)
        if (rows[i].inside == inside && rows[i].field == field)
            return &rows[i];
    return NULL;
}

static void store_text(const struct criu_member *member, char *out, size_t room)
{
    size_t size = 0;
    for (const uint8_t *at = member->bytes.at; at < member->bytes.end && size + 1 < room; at++)
        out[size++] = (char)*at;
    out[size] = '\0';
}

/* False: a value of another kind than the row's. */
static bool store(const struct row *row, const struct criu_member *member, void *out)
{
    bool is_number = row->kind != KIND_TEXT;
    if (is_number == (member->bytes.at != NULL))
        return false;
    if (row->kind == KIND_TYPE)
        *(uint64_t *)out = member->number;
    else if (row->kind == KIND_BOOL)
        *(bool *)out = member->number != 0;
    else if (row->kind == KIND_INT)
        *(int *)out = (int)(uint32_t)member->number;
    else
        store_text(member, out, row->room);
    return true;
}

static bool read_message(struct criu_reader reader, uint64_t inside, struct criu_answer *answer)
{
    struct criu_member member;
    while (reader.at < reader.end) {
        if (!criu_take_member(&reader, &member))
            return false;
        const struct row *row = find(inside, member.field);
        if (row == NULL)
            continue; /* a later version's, or nothing to us */
        bool is_read =
            row->kind == KIND_MESSAGE
                ? member.bytes.at != NULL && read_message(member.bytes, row->field, answer)
                : store(row, &member, (char *)answer + row->offset);
        if (!is_read)
            return false;
    }
    return true;
}

int criu_answer_parse(const void *data, size_t size, struct criu_answer *ret)
{
    struct criu_answer answer = { 0 };
    const uint8_t *bytes = data;
    if (!read_message((struct criu_reader){ bytes, bytes + size }, TOP, &answer) ||
        answer.type == 0)
        return -EBADMSG;
    *ret = answer;
    return 0;
}
