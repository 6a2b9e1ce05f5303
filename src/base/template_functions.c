/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of templates: Go's built-in ones and those that Docker adds. What a function makes lives in the run's arena.
 * A function that fails leaves its reason in run->complaint; the caller puts "error calling NAME: " before it.
 */
#include <errno.h>
#include <stdio.h>

#include "base/json_private.h"
#include "base/template_private.h"
#include "base/text.h"

__attribute__((format(printf, 2, 3))) static int complain(struct tpl_run *run, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(run->complaint, sizeof run->complaint, fmt, args);
    va_end(args);
    return -EINVAL;
}

static struct cl_buf scratch_buffer(const struct tpl_run *run)
{
    return (struct cl_buf)CL_BUF_INIT(run->arena.max - run->arena.total);
}

/* Move a buffer's text into the arena and make it the result. r: what filling the buffer returned. */
static int give_text(struct tpl_run *run, int r, struct cl_buf *buf, struct tpl_value *ret)
{
    if (r >= 0 && buf->failed != 0) {
        run->arena.is_full = run->arena.is_full || buf->failed == -EFBIG;
        r = tpl_fail_room(run, -ENOMEM);
    }
    if (r < 0)
        return r;
    char *text = tpl_arena_get(&run->arena, buf->size);
    if (text == NULL)
        return tpl_fail_room(run, -ENOMEM);
    if (buf->size > 0)
        memcpy(text, buf->data, buf->size);
    *ret = tpl_from_string((struct tpl_string){ .text = text, .size = buf->size });
    return 0;
}

/* Keep an array that a function made until the run ends. Takes it, also on failure. */
static int give_array(struct tpl_run *run, struct cl_json *take_array, struct tpl_value *ret)
{
    struct cl_json **owned = NULL;
    if (take_array != NULL)
        owned = cl_realloc(run->owned, (run->owned_count + 1) * sizeof *owned);
    if (owned == NULL) {
        cl_json_unref(take_array);
        return tpl_fail_room(run, -ENOMEM);
    }
    run->owned = owned;
    run->owned[run->owned_count++] = take_array;
    *ret = tpl_from_json(take_array);
    return 0;
}

/* Logic and comparison. */

static int call_not(struct tpl_run *run, const struct tpl_value *values, size_t count,
                    struct tpl_value *ret)
{
    *ret = tpl_from_bool(!tpl_is_true(values[0]));
    return 0;
}

static bool is_whole(struct tpl_value value)
{
    return value.kind == TPL_INT || value.kind == TPL_UINT;
}

/* -1, 0 or 1 for two values of one basic kind. */
static int order(struct tpl_value a, struct tpl_value b)
{
    if (is_whole(a)) {
        bool a_negative = a.kind == TPL_INT && a.integer < 0;
        bool b_negative = b.kind == TPL_INT && b.integer < 0;
        if (a_negative != b_negative)
            return a_negative ? -1 : 1;
        return (a.natural > b.natural) -
               (a.natural < b.natural); /* two's complement keeps the order */
    }
    if (a.kind == TPL_DOUBLE)
        return (a.real > b.real) - (a.real < b.real);
    if (a.kind == TPL_BOOL)
        return (int)a.boolean - (int)b.boolean;
    size_t shorter = a.string.size < b.string.size ? a.string.size : b.string.size;
    int result = shorter == 0 ? 0 : memcmp(a.string.text, b.string.text, shorter);
    if (result == 0)
        result = (a.string.size > b.string.size) - (a.string.size < b.string.size);
    return result;
}

static bool is_basic(struct tpl_value value)
{
    return value.kind == TPL_BOOL || is_whole(value) || value.kind == TPL_DOUBLE ||
           value.kind == TPL_STRING;
}

static bool is_comparable(struct tpl_value a, struct tpl_value b)
{
    return a.kind == b.kind || (is_whole(a) && is_whole(b));
}

static int complain_value(struct tpl_run *run, const char *what, struct tpl_value value)
{
    cl_auto_buf text = CL_BUF_INIT(TPL_SCRATCH_MAX);
    int r = tpl_format(run, &text, value, 's');
    if (r < 0)
        return r;
    return complain(run, "%s %.100s: %s", what, text.data == NULL ? "" : text.data,
                    tpl_type_name(value));
}

static int is_equal(struct tpl_run *run, struct tpl_value a, struct tpl_value b, bool *ret)
{
    a = tpl_unboxed(a);
    b = tpl_unboxed(b);
    if (a.kind == TPL_NONE || b.kind == TPL_NONE) {
        *ret = a.kind == b.kind;
        return 0;
    }
    if (!is_basic(a) && !is_basic(b) && a.kind == b.kind)
        return complain_value(run, "non-comparable type", b);
    if (!is_comparable(a, b))
        return complain(run, is_basic(a) || is_basic(b) ? "incompatible types for comparison"
                                                        : "non-comparable types");
    *ret = order(a, b) == 0;
    return 0;
}

static int call_eq(struct tpl_run *run, const struct tpl_value *values, size_t count,
                   struct tpl_value *ret)
{
    bool is_same = false;
    if (count < 2)
        return complain(run, "missing argument for comparison");
    for (size_t i = 1; i < count && !is_same; i++) {
        int r = is_equal(run, values[0], values[i], &is_same);
        if (r < 0)
            return r;
    }
    *ret = tpl_from_bool(is_same);
    return 0;
}

static int call_ne(struct tpl_run *run, const struct tpl_value *values, size_t count,
                   struct tpl_value *ret)
{
    int r = call_eq(run, values, count, ret);
    ret->boolean = !ret->boolean;
    return r;
}

static int compare(struct tpl_run *run, const struct tpl_value *values, int *ret)
{
    struct tpl_value a = tpl_unboxed(values[0]), b = tpl_unboxed(values[1]);
    if (!is_basic(a) || !is_basic(b))
        return complain(run, "invalid type for comparison");
    if (!is_comparable(a, b))
        return complain(run, "incompatible types for comparison");
    if (a.kind == TPL_BOOL)
        return complain(run, "invalid type for comparison");
    *ret = order(a, b);
    return 0;
}

static int call_lt(struct tpl_run *run, const struct tpl_value *values, size_t count,
                   struct tpl_value *ret)
{
    int result = 0, r = compare(run, values, &result);
    *ret = tpl_from_bool(result < 0);
    return r;
}

static int call_le(struct tpl_run *run, const struct tpl_value *values, size_t count,
                   struct tpl_value *ret)
{
    int result = 0, r = compare(run, values, &result);
    *ret = tpl_from_bool(result <= 0);
    return r;
}

static int call_gt(struct tpl_run *run, const struct tpl_value *values, size_t count,
                   struct tpl_value *ret)
{
    int result = 0, r = compare(run, values, &result);
    *ret = tpl_from_bool(result > 0);
    return r;
}

static int call_ge(struct tpl_run *run, const struct tpl_value *values, size_t count,
                   struct tpl_value *ret)
{
    int result = 0, r = compare(run, values, &result);
    *ret = tpl_from_bool(result >= 0);
    return r;
}

/* Parts. */

static int call_len(struct tpl_run *run, const struct tpl_value *values, size_t count,
                    struct tpl_value *ret)
{
    struct tpl_value value = values[0];
    if (value.kind == TPL_STRING) {
        *ret = tpl_from_int((int64_t)value.string.size);
        return 0;
    }
    if (value.kind == TPL_LIST || value.kind == TPL_MAP) {
        *ret = tpl_from_int((int64_t)cl_json_count(value.json));
        return 0;
    }
    if (value.kind == TPL_NONE)
        return complain(run, "reflect: call of reflect.Value.Type on zero Value");
    if (value.kind == TPL_NIL)
        return complain(run, "len of nil pointer");
    return complain(run, "len of type %s", tpl_type_name(value));
}

/* An index in 0 … limit; whether limit itself will do is for the caller. */
static int take_index(struct tpl_run *run, struct tpl_value index, size_t limit, size_t *ret)
{
    index = tpl_unboxed(index);
    if (index.kind == TPL_NONE)
        return complain(run, "cannot index slice/array with nil");
    if (!is_whole(index))
        return complain(run, "cannot index slice/array with type %s", tpl_type_name(index));
    if (index.integer < 0 || index.natural > limit)
        return complain(run, "index out of range: %lld", (long long)index.integer);
    *ret = (size_t)index.natural;
    return 0;
}

static int index_string(struct tpl_run *run, struct tpl_value index, struct tpl_value *item)
{
    size_t at = 0, size = item->string.size;
    int r = take_index(run, index, size, &at);
    if (r < 0)
        return r;
    if (at == size)
        return complain(run, "reflect: string index out of range");
    unsigned char byte = (unsigned char)item->string.text[at];
    *item = (struct tpl_value){ .kind = TPL_UINT, .natural = byte };
    return 0;
}

static int index_list(struct tpl_run *run, struct tpl_value index, struct tpl_value *item)
{
    size_t at = 0, size = cl_json_count(item->json);
    int r = take_index(run, index, size, &at);
    if (r < 0)
        return r;
    if (at == size)
        return complain(run, "reflect: slice index out of range");
    *item = tpl_inside(cl_json_at(item->json, at));
    return 0;
}

static int index_map(struct tpl_run *run, struct tpl_value index, struct tpl_value *item)
{
    index = tpl_unboxed(index);
    if (index.kind == TPL_NONE)
        return complain(run, "value is nil; should be of type string");
    if (index.kind != TPL_STRING)
        return complain(run, "value has type %s; should be string", tpl_type_name(index));
    cl_auto_free char *key = cl_strndup(index.string.text, index.string.size);
    if (key == NULL)
        return tpl_fail_room(run, -ENOMEM);
    bool is_whole_key = strlen(key) == index.string.size; /* no key holds a NUL */
    *item = tpl_inside(is_whole_key ? cl_json_get(item->json, key) : NULL);
    return 0;
}

static int call_index(struct tpl_run *run, const struct tpl_value *values, size_t count,
                      struct tpl_value *ret)
{
    struct tpl_value item = tpl_unboxed(values[0]);
    if (item.kind == TPL_NONE)
        return complain(run, "index of untyped nil");
    for (size_t i = 1; i < count; i++) {
        int r;
        if (item.kind == TPL_NIL)
            r = complain(run, "index of nil pointer");
        else if (item.kind == TPL_STRING)
            r = index_string(run, values[i], &item);
        else if (item.kind == TPL_LIST)
            r = index_list(run, values[i], &item);
        else if (item.kind == TPL_MAP)
            r = index_map(run, values[i], &item);
        else
            r = complain(run, "can't index item of type %s", tpl_type_name(item));
        if (r < 0)
            return r;
    }
    *ret = item;
    return 0;
}

static int slice_list(struct tpl_run *run, const struct cl_json *list, size_t from, size_t to,
                      struct tpl_value *ret)
{
    int r = tpl_step(run, to - from);
    if (r < 0)
        return r;
    CL_AUTO(cl_json_unref) struct cl_json *part = cl_json_array();
    for (size_t i = from; part != NULL && i < to; i++) {
        if (cl_json_add(part, cl_json_ref(cl_json_at(list, i))) < 0)
            return tpl_fail_room(run, -ENOMEM);
    }
    return give_array(run, cl_take(part), ret);
}

static int call_slice(struct tpl_run *run, const struct tpl_value *values, size_t count,
                      struct tpl_value *ret)
{
    struct tpl_value item = tpl_unboxed(values[0]);
    size_t bounds[3] = { 0 };
    if (item.kind == TPL_NONE)
        return complain(run, "slice of untyped nil");
    if (count > 4)
        return complain(run, "too many slice indexes: %zu", count - 1);
    if (item.kind == TPL_STRING && count == 4)
        return complain(run, "cannot 3-index slice a string");
    if (item.kind != TPL_STRING && item.kind != TPL_LIST)
        return complain(run, "can't slice item of type %s", tpl_type_name(item));
    size_t size = item.kind == TPL_STRING ? item.string.size : cl_json_count(item.json);
    bounds[1] = size;
    for (size_t i = 1; i < count; i++) {
        int r = take_index(run, values[i], size, &bounds[i - 1]);
        if (r < 0)
            return r;
    }
    if (bounds[0] > bounds[1])
        return complain(run, "invalid slice index: %zu > %zu", bounds[0], bounds[1]);
    if (count == 4 && bounds[1] > bounds[2])
        return complain(run, "invalid slice index: %zu > %zu", bounds[1], bounds[2]);
    if (item.kind == TPL_LIST)
        return slice_list(run, item.json, bounds[0], bounds[1], ret);
    item.string.text += bounds[0];
    item.string.size = bounds[1] - bounds[0];
    *ret = item;
    return 0;
}

/* Printing and escaping. */

static int call_print(struct tpl_run *run, const struct tpl_value *values, size_t count,
                      struct tpl_value *ret)
{
    cl_auto_buf buf = scratch_buffer(run);
    return give_text(run, tpl_sprint(run, &buf, values, count), &buf, ret);
}

static int call_println(struct tpl_run *run, const struct tpl_value *values, size_t count,
                        struct tpl_value *ret)
{
    cl_auto_buf buf = scratch_buffer(run);
    return give_text(run, tpl_sprintln(run, &buf, values, count), &buf, ret);
}

static int call_printf(struct tpl_run *run, const struct tpl_value *values, size_t count,
                       struct tpl_value *ret)
{
    cl_auto_buf buf = scratch_buffer(run);
    int r = tpl_sprintf(run, &buf, values[0].string, values + 1, count - 1);
    return give_text(run, r, &buf, ret);
}

/* The arguments as one text: a single string as it is, others printed. */
static int join_arguments(struct tpl_run *run, const struct tpl_value *values, size_t count,
                          struct cl_buf *buf)
{
    if (count == 1 && values[0].kind == TPL_STRING) {
        cl_buf_add(buf, values[0].string.text, values[0].string.size);
        return 0;
    }
    bool was_text = true;
    for (size_t i = 0; i < count; i++) {
        enum tpl_kind kind = values[i].kind;
        bool is_text = kind == TPL_STRING || kind == TPL_NONE || kind == TPL_NIL;
        if (!is_text && !was_text)
            cl_buf_char(buf, ' ');
        was_text = is_text;
        int r = tpl_print(run, buf, values[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

static void escape_html(struct cl_buf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char *instead = text[i] == '"'    ? "&#34;"
                              : text[i] == '\'' ? "&#39;"
                              : text[i] == '&'  ? "&amp;"
                              : text[i] == '<'  ? "&lt;"
                              : text[i] == '>'  ? "&gt;"
                              : text[i] == '\0' ? "\357\277\275"
                                                : NULL;
        if (instead != NULL)
            cl_buf_str(out, instead);
        else
            cl_buf_char(out, text[i]);
    }
}

static void escape_js(struct cl_buf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        uint32_t point = 0xfffd;
        size_t used = cl_utf8_decode(text + i, size - i, &point);
        char c = text[i];
        if (used == 1 && (c == '\\' || c == '\'' || c == '"'))
            cl_buf_printf(out, "\\%c", c);
        else if (used == 1 && (c == '<' || c == '>' || c == '&' || c == '=' || c < 0x20))
            cl_buf_printf(out, "\\u%04X", (unsigned)point);
        else if (used > 0 && (point < 0x80 || tpl_is_printable(point)))
            cl_buf_add(out, text + i, used);
        else if (used > 0)
            cl_buf_printf(out, "\\u%04X", (unsigned)point);
        else
            cl_buf_char(out, c); /* U+FFFD is printable, so the byte is passed on */
        i += used == 0 ? 1 : used;
    }
}

static void escape_query(struct cl_buf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || (c != '\0' && strchr("-_.~", c) != NULL);
        if (is_plain)
            cl_buf_char(out, c);
        else if (c == ' ')
            cl_buf_char(out, '+');
        else
            cl_buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static int call_escape(struct tpl_run *run, const struct tpl_value *values, size_t count,
                       struct tpl_value *ret, void (*escape)(struct cl_buf *, const char *, size_t))
{
    cl_auto_buf plain = scratch_buffer(run);
    cl_auto_buf escaped = scratch_buffer(run);
    int r = join_arguments(run, values, count, &plain);
    if (r >= 0 && plain.size > 0)
        escape(&escaped, plain.data, plain.size);
    if (plain.failed != 0)
        escaped.failed = plain.failed;
    return give_text(run, r, &escaped, ret);
}

static int call_html(struct tpl_run *run, const struct tpl_value *values, size_t count,
                     struct tpl_value *ret)
{
    return call_escape(run, values, count, ret, escape_html);
}

static int call_js(struct tpl_run *run, const struct tpl_value *values, size_t count,
                   struct tpl_value *ret)
{
    return call_escape(run, values, count, ret, escape_js);
}

static int call_urlquery(struct tpl_run *run, const struct tpl_value *values, size_t count,
                         struct tpl_value *ret)
{
    return call_escape(run, values, count, ret, escape_query);
}

/* Docker's. */

static int write_json(struct tpl_run *run, struct tpl_value value, int indent,
                      struct tpl_value *ret)
{
    cl_auto_buf buf = scratch_buffer(run);
    switch (value.kind) {
    case TPL_NONE:
    case TPL_NIL:
        cl_buf_str(&buf, "null");
        break;
    case TPL_BOOL:
        cl_buf_str(&buf, value.boolean ? "true" : "false");
        break;
    case TPL_INT:
        cl_buf_printf(&buf, "%lld", (long long)value.integer);
        break;
    case TPL_UINT:
        cl_buf_printf(&buf, "%llu", (unsigned long long)value.natural);
        break;
    case TPL_DOUBLE:
        cl_buf_double(&buf, value.real);
        break;
    case TPL_STRING:
        cl_buf_json_bytes(&buf, value.string.text, value.string.size, false);
        break;
    case TPL_LIST:
    case TPL_MAP:
        cl_json_write(&buf, value.json, indent, false);
        break;
    }
    return give_text(run, 0, &buf, ret);
}

static int call_json(struct tpl_run *run, const struct tpl_value *values, size_t count,
                     struct tpl_value *ret)
{
    return write_json(run, values[0], CL_JSON_COMPACT, ret);
}

static int call_prettyjson(struct tpl_run *run, const struct tpl_value *values, size_t count,
                           struct tpl_value *ret)
{
    return write_json(run, values[0], 4, ret);
}

static int add_part(struct cl_json *parts, const char *text, size_t size)
{
    cl_auto_free char *part = cl_strndup(text, size);
    return part == NULL ? -ENOMEM : cl_json_add(parts, cl_json_from_string(part));
}

/* The length of the part at text: up to the separator, or one character where that is empty. */
static size_t part_size(struct tpl_string text, struct tpl_string separator)
{
    uint32_t point;
    if (separator.size == 0) {
        size_t used = cl_utf8_decode(text.text, text.size, &point);
        return used == 0 ? 1 : used;
    }
    const char *found = memmem(text.text, text.size, separator.text, separator.size);
    return found == NULL ? text.size : (size_t)(found - text.text);
}

static int call_split(struct tpl_run *run, const struct tpl_value *values, size_t count,
                      struct tpl_value *ret)
{
    struct tpl_string text = values[0].string, separator = values[1].string;
    CL_AUTO(cl_json_unref) struct cl_json *parts = cl_json_array();
    if (parts == NULL)
        return tpl_fail_room(run, -ENOMEM);
    bool has_more = separator.size > 0 || text.size > 0; /* "" into characters is nothing */
    while (has_more) {
        int r = tpl_step(run, 1);
        if (r < 0)
            return r;
        size_t size = part_size(text, separator);
        if (add_part(parts, text.text, size) < 0)
            return tpl_fail_room(run, -ENOMEM);
        has_more = size < text.size;
        size_t skip = size + (has_more ? separator.size : 0);
        text.text += skip;
        text.size -= skip;
    }
    return give_array(run, cl_take(parts), ret);
}

static int call_join(struct tpl_run *run, const struct tpl_value *values, size_t count,
                     struct tpl_value *ret)
{
    cl_auto_buf buf = scratch_buffer(run);
    struct tpl_string separator = values[1].string;
    size_t parts = values[0].kind == TPL_LIST ? cl_json_count(values[0].json) : 0;
    int r = tpl_step(run, parts);
    for (size_t i = 0; r >= 0 && i < parts; i++) {
        const char *text = cl_json_string(cl_json_at(values[0].json, i));
        if (text == NULL)
            return complain(run, "element %zu is no string", i);
        if (i > 0)
            cl_buf_add(&buf, separator.text, separator.size);
        cl_buf_str(&buf, text);
    }
    return give_text(run, r, &buf, ret);
}

/* Simple case pairs: ASCII, Latin-1, Latin Extended-A, Greek, Cyrillic. Other scripts with case stay as they are. */
static uint32_t change_case(uint32_t point, bool is_up)
{
    static const struct {
        uint32_t lower_first, lower_last, down; /* upper = lower - down */
    } ranges[] = { { 'a', 'z', 32 },     { 0xe0, 0xf6, 32 },   { 0xf8, 0xfe, 32 },
                   { 0x3b1, 0x3c1, 32 }, { 0x3c3, 0x3c9, 32 }, { 0x430, 0x44f, 32 },
                   { 0x450, 0x45f, 80 } };
    for (size_t i = 0; i < CL_COUNT(ranges); i++) {
        uint32_t down = is_up ? 0 : ranges[i].down;
        if (point >= ranges[i].lower_first - down && point <= ranges[i].lower_last - down)
            return is_up ? point - ranges[i].down : point + ranges[i].down;
    }
    /* Latin Extended-A: neighbours, upper first; from U+0139 to U+0148 and from U+0179 on at odd numbers. */
    bool is_pair = (point >= 0x100 && point <= 0x12f) || (point >= 0x132 && point <= 0x137) ||
                   (point >= 0x14a && point <= 0x177);
    bool is_odd_pair = (point >= 0x139 && point <= 0x148) || (point >= 0x179 && point <= 0x17e);
    if (!is_pair && !is_odd_pair)
        return point;
    bool is_upper = (point % 2 == 0) == is_pair;
    return is_up == is_upper ? point : is_up ? point - 1 : point + 1;
}

enum casing { CASE_LOWER, CASE_UPPER, CASE_TITLE };

/* Go's strings.Title: a word begins after anything but letters, digits and underscores. */
static bool is_separator(uint32_t point)
{
    if (point < 0x80)
        return !((point >= '0' && point <= '9') || (point >= 'a' && point <= 'z') ||
                 (point >= 'A' && point <= 'Z') || point == '_');
    return point == 0x85 || point == 0xa0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
           point == 0x202f || point == 0x205f || point == 0x3000;
}

static int call_case(struct tpl_run *run, const struct tpl_value *values, enum casing casing,
                     struct tpl_value *ret)
{
    struct tpl_string text = values[0].string;
    cl_auto_buf buf = scratch_buffer(run);
    uint32_t previous = ' ';
    for (size_t i = 0; i < text.size;) {
        uint32_t point = 0xfffd;
        char bytes[4];
        size_t used = cl_utf8_decode(text.text + i, text.size - i, &point);
        bool changes = casing != CASE_TITLE || is_separator(previous);
        previous = point;
        if (changes)
            point = change_case(point, casing != CASE_LOWER);
        cl_buf_add(&buf, bytes, cl_utf8_encode(point, bytes));
        i += used == 0 ? 1 : used;
    }
    return give_text(run, 0, &buf, ret);
}

static int call_lower(struct tpl_run *run, const struct tpl_value *values, size_t count,
                      struct tpl_value *ret)
{
    return call_case(run, values, CASE_LOWER, ret);
}

static int call_upper(struct tpl_run *run, const struct tpl_value *values, size_t count,
                      struct tpl_value *ret)
{
    return call_case(run, values, CASE_UPPER, ret);
}

static int call_title(struct tpl_run *run, const struct tpl_value *values, size_t count,
                      struct tpl_value *ret)
{
    return call_case(run, values, CASE_TITLE, ret);
}

static int call_pad(struct tpl_run *run, const struct tpl_value *values, size_t count,
                    struct tpl_value *ret)
{
    cl_auto_buf buf = scratch_buffer(run);
    int64_t before = values[1].integer, after = values[2].integer;
    if (values[0].string.size == 0) {
        *ret = values[0];
        return 0;
    }
    if (before < 0 || after < 0)
        return complain(run, "strings: negative Repeat count");
    for (; before > 0 && buf.failed == 0; before--)
        cl_buf_char(&buf, ' ');
    cl_buf_add(&buf, values[0].string.text, values[0].string.size);
    for (; after > 0 && buf.failed == 0; after--)
        cl_buf_char(&buf, ' ');
    return give_text(run, 0, &buf, ret);
}

static int call_truncate(struct tpl_run *run, const struct tpl_value *values, size_t count,
                         struct tpl_value *ret)
{
    struct tpl_value text = values[0];
    int64_t size = values[1].integer;
    if (size < 0)
        return complain(run, "runtime error: slice bounds out of range [:%lld]", (long long)size);
    if ((uint64_t)size < text.string.size)
        text.string.size = (size_t)size;
    *ret = text;
    return 0;
}

static const struct tpl_function functions[] = {
    { "and", { TPL_VALUE, TPL_VALUE }, 1, true, NULL },
    { "eq", { TPL_VALUE, TPL_VALUE }, 1, true, call_eq },
    { "ge", { TPL_VALUE, TPL_VALUE }, 2, false, call_ge },
    { "gt", { TPL_VALUE, TPL_VALUE }, 2, false, call_gt },
    { "html", { TPL_ANY }, 0, true, call_html },
    { "index", { TPL_VALUE, TPL_VALUE }, 1, true, call_index },
    { "join", { TPL_TEXTS, TPL_TEXT }, 2, false, call_join },
    { "js", { TPL_ANY }, 0, true, call_js },
    { "json", { TPL_ANY }, 1, false, call_json },
    { "le", { TPL_VALUE, TPL_VALUE }, 2, false, call_le },
    { "len", { TPL_VALUE }, 1, false, call_len },
    { "lower", { TPL_TEXT }, 1, false, call_lower },
    { "lt", { TPL_VALUE, TPL_VALUE }, 2, false, call_lt },
    { "ne", { TPL_VALUE, TPL_VALUE }, 2, false, call_ne },
    { "not", { TPL_VALUE }, 1, false, call_not },
    { "or", { TPL_VALUE, TPL_VALUE }, 1, true, NULL },
    { "pad", { TPL_TEXT, TPL_NUMBER, TPL_NUMBER }, 3, false, call_pad },
    { "prettyjson", { TPL_ANY }, 1, false, call_prettyjson },
    { "print", { TPL_ANY }, 0, true, call_print },
    { "printf", { TPL_TEXT, TPL_ANY }, 1, true, call_printf },
    { "println", { TPL_ANY }, 0, true, call_println },
    { "slice", { TPL_VALUE, TPL_VALUE }, 1, true, call_slice },
    { "split", { TPL_TEXT, TPL_TEXT }, 2, false, call_split },
    { "title", { TPL_TEXT }, 1, false, call_title },
    { "truncate", { TPL_TEXT, TPL_NUMBER }, 2, false, call_truncate },
    { "upper", { TPL_TEXT }, 1, false, call_upper },
    { "urlquery", { TPL_ANY }, 0, true, call_urlquery },
};

const struct tpl_function *tpl_find_function(struct tpl_string name)
{
    for (size_t i = 0; i < CL_COUNT(functions); i++) {
        if (tpl_is(name, functions[i].name))
            return &functions[i];
    }
    return NULL;
}
