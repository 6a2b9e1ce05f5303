/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growing buffer: doubling growth below a mandatory maximum, first failure sticks.
 */
#include <errno.h>
#include <stdio.h>

#include "base/json_private.h"
#include "base/text.h"

/* Room for `more` bytes and the NUL; false (and the failure kept) when there is none. */
static bool make_room(struct cl_buf *buf, size_t more)
{
    size_t needed;
    if (buf->failed != 0)
        return false;
    if (more < buf->room - buf->size && more <= buf->max - buf->size)
        return true; /* as nearly always: size never exceeds room or max */
    if (more > buf->max || buf->size > buf->max - more) {
        buf->failed = -EFBIG;
        return false;
    }
    if (!cl_add_size(buf->size + more, 1, &needed)) {
        buf->failed = -ENOMEM;
        return false;
    }
    if (needed <= buf->room)
        return true;
    size_t room = buf->room < 64 ? 64 : buf->room;
    while (room < needed && cl_mul_size(room, 2, &room))
        continue;
    if (room < needed)
        room = needed;
    char *larger = cl_realloc(buf->data, room);
    if (larger == NULL) {
        buf->failed = -ENOMEM;
        return false;
    }
    buf->data = larger;
    buf->room = room;
    return true;
}

void cl_buf_add(struct cl_buf *buf, const void *data, size_t size)
{
    if (!make_room(buf, size))
        return;
    if (size > 0)
        memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void cl_buf_str(struct cl_buf *buf, const char *text)
{
    if (text != NULL)
        cl_buf_add(buf, text, strlen(text));
}

void cl_buf_char(struct cl_buf *buf, char character)
{
    cl_buf_add(buf, &character, 1);
}

void cl_buf_vprintf(struct cl_buf *buf, const char *fmt, va_list args)
{
    va_list measured;
    va_copy(measured, args);
    int length = vsnprintf(NULL, 0, fmt, measured);
    va_end(measured);
    if (length < 0) {
        if (buf->failed == 0)
            buf->failed = -ENOMEM;
        return;
    }
    if (!make_room(buf, (size_t)length))
        return;
    vsnprintf(buf->data + buf->size, (size_t)length + 1, fmt, args);
    buf->size += (size_t)length;
}

void cl_buf_printf(struct cl_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    cl_buf_vprintf(buf, fmt, args);
    va_end(args);
}

/* The escape of one ASCII character as Go's encoding/json writes it, or NULL when it stands for itself. */
static const char *json_escape(unsigned char character, bool is_html_safe, char text[static 8])
{
    switch (character) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '<':
    case '>':
    case '&':
        if (!is_html_safe)
            return NULL;
        break;
    default:
        if (character >= 0x20)
            return NULL;
    }
    snprintf(text, 8, "\\u%04x", (unsigned)character);
    return text;
}

void cl_buf_json_bytes(struct cl_buf *buf, const char *text, size_t size, bool is_html_safe)
{
    size_t start = 0;
    cl_buf_char(buf, '"');
    for (size_t i = 0; i < size;) {
        uint32_t point = 0;
        char escape[8];
        const char *instead = NULL;
        size_t used = cl_utf8_decode(text + i, size - i, &point);
        if (used == 0)
            instead = "\\ufffd";
        else if (point < 0x80)
            instead = json_escape((unsigned char)point, is_html_safe, escape);
        else if (point == 0x2028 || point == 0x2029)
            instead = point == 0x2028 ? "\\u2028" : "\\u2029";
        size_t next = i + (used == 0 ? 1 : used);
        if (instead != NULL) {
            cl_buf_add(buf, text + start, i - start);
            cl_buf_str(buf, instead);
            start = next;
        }
        i = next;
    }
    if (size > start)
        cl_buf_add(buf, text + start, size - start);
    cl_buf_char(buf, '"');
}

void cl_buf_json_string(struct cl_buf *buf, const char *text)
{
    cl_buf_json_bytes(buf, text, text == NULL ? 0 : strlen(text), true);
}

void cl_buf_done(struct cl_buf *buf)
{
    if (buf == NULL)
        return;
    free(buf->data);
    *buf = (struct cl_buf)CL_BUF_INIT(buf->max);
}

char *cl_buf_take(struct cl_buf *buf)
{
    char *text = NULL;
    if (buf->failed == 0)
        text = buf->data != NULL ? cl_take(buf->data) : cl_strndup("", 0);
    cl_buf_done(buf);
    return text;
}
