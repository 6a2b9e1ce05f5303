/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON values as text, byte for byte like Go's encoding/json, which is what scripts around Docker were written against:
 * HTML-safe escapes, the shortest digits of a float, "key": value with MarshalIndent, [] and {} for empty ones.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "base/json_private.h"

/* 17 digits always read back. */
void cl_print_shortest(double value, char text[static 40])
{
    for (int digits = 1; digits <= 17; digits++) {
        (void)cl_print(text, 40, "%.*e", digits - 1, value); /* at most 25 bytes */
        if (strtod(text, NULL) == value)
            break;
    }
    for (char *at = text; *at != '\0'; at++) {
        if (*at == ',')
            *at = '.'; /* a program may have set LC_NUMERIC */
    }
}

void cl_buf_double(struct cl_buf *buf, double value)
{
    if (!isfinite(value)) {
        cl_buf_str(buf, "null"); /* JSON has no infinities; parsing refuses them */
        return;
    }
    double size = fabs(value);
    if (size == 0)
        value = 0; /* "-0" would come back as an integer, without its sign */
    char text[40];
    cl_print_shortest(value, text);
    char *mark = strchr(text, 'e');
    int exponent = 0;
    if (mark != NULL) {
        int64_t number = 0;
        bool is_negative = mark[1] == '-';
        (void)cl_parse_i64(mark + 2, 0, 999, &number); /* printf writes digits there */
        exponent = is_negative ? -(int)number : (int)number;
        *mark = '\0';
    }
    /* encoding/json: exponents only outside 1e-6 … 1e21, and written without leading zeros. */
    if (size != 0 && (size < 1e-6 || size >= 1e21)) {
        cl_buf_printf(buf, "%se%+d", text, exponent);
        return;
    }
    size_t digits = strlen(text) - (text[0] == '-');
    digits -= digits > 1; /* the point */
    int zeros = exponent + 1 - (int)digits;
    if (zeros <= 0) {
        cl_buf_printf(buf, "%.*f", -zeros, value);
        return;
    }
    for (const char *at = text; *at != '\0';
         at++) { /* printf knows more digits than the shortest; Go writes zeros there */
        if (*at != '.')
            cl_buf_char(buf, *at);
    }
    for (; zeros > 0; zeros--)
        cl_buf_char(buf, '0');
}

struct writer {
    struct cl_buf *buf;
    int indent;
    bool is_html_safe;
};

static void new_line(struct writer *writer, unsigned depth)
{
    if (writer->indent <= 0)
        return;
    cl_buf_printf(writer->buf, "\n%*s", (int)depth * writer->indent, "");
}

static void write_value(struct writer *writer, const struct cl_json *value, unsigned depth);

static void write_string(struct writer *writer, const char *text)
{
    cl_buf_json_bytes(writer->buf, text, strlen(text), writer->is_html_safe);
}

static void write_object(struct writer *writer, const struct cl_json *object, unsigned depth)
{
    void *state = NULL;
    const char *key;
    const struct cl_json *value;
    bool is_first = true;
    cl_buf_char(writer->buf, '{');
    while (cl_json_next(object, &state, &key, &value)) {
        if (!is_first)
            cl_buf_char(writer->buf, ',');
        new_line(writer, depth + 1);
        write_string(writer, key);
        cl_buf_str(writer->buf, writer->indent > 0 ? ": " : ":");
        write_value(writer, value, depth + 1);
        is_first = false;
    }
    if (!is_first)
        new_line(writer, depth);
    cl_buf_char(writer->buf, '}');
}

static void write_array(struct writer *writer, const struct cl_json *array, unsigned depth)
{
    size_t count = cl_json_count(array);
    cl_buf_char(writer->buf, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            cl_buf_char(writer->buf, ',');
        new_line(writer, depth + 1);
        write_value(writer, cl_json_at(array, i), depth + 1);
    }
    if (count > 0)
        new_line(writer, depth);
    cl_buf_char(writer->buf, ']');
}

static void write_integer(struct writer *writer, const struct cl_json *value)
{
    uint64_t number;
    if (cl_json_u64(value, &number) == 0)
        cl_buf_printf(writer->buf, "%llu", (unsigned long long)number);
    else
        cl_buf_printf(writer->buf, "%lld", (long long)cl_json_int(value));
}

/* Values made by hand may be deeper than any parsed text; recursion stops where memory would be at risk. */
static void write_value(struct writer *writer, const struct cl_json *value, unsigned depth)
{
    if (depth > 4 * CL_JSON_DEPTH_MAX) {
        writer->buf->failed = writer->buf->failed != 0 ? writer->buf->failed : -EFBIG;
        return;
    }
    switch (cl_json_type(value)) {
    case CL_JSON_NULL:
        cl_buf_str(writer->buf, "null");
        break;
    case CL_JSON_BOOL:
        cl_buf_str(writer->buf, cl_json_bool(value) ? "true" : "false");
        break;
    case CL_JSON_INT:
        write_integer(writer, value);
        break;
    case CL_JSON_DOUBLE:
        cl_buf_double(writer->buf, cl_json_double(value));
        break;
    case CL_JSON_STRING:
        write_string(writer, cl_json_string(value));
        break;
    case CL_JSON_ARRAY:
        write_array(writer, value, depth);
        break;
    case CL_JSON_OBJECT:
        write_object(writer, value, depth);
        break;
    }
}

void cl_json_write(struct cl_buf *buf, const struct cl_json *value, int indent, bool is_html_safe)
{
    struct writer writer = { .buf = buf, .indent = indent, .is_html_safe = is_html_safe };
    write_value(&writer, value, 0);
}

char *cl_json_text(const struct cl_json *value, int indent)
{
    struct cl_buf buf = CL_BUF_INIT(SIZE_MAX / 4);
    cl_json_write(&buf, value, indent, true);
    return cl_buf_take(&buf);
}
