/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON text becomes values, strictly: RFC 8259 grammar, UTF-8 (RFC 3629), paired surrogates, depth, no duplicate keys, nothing
 * after the document. The first fault is found with its line and column, and a duplicate key with its path.
 *
 * Two restrictions go beyond the RFC (both are its "implementation limits", section 9): U+0000 is refused, because values are
 * handed on as C strings and a name must not change its meaning on the way; numbers must fit a double, in at most 63 characters.
 * Integers beyond 64 bits (Go writes such for large floats) become doubles.
 *
 * One pass, no recursion: a frame for each open array or object gathers what it holds in a list that is used again by the next
 * one of that depth; at its end the list is copied to the document's memory, where it has its size and no more.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>

#include "base/json_private.h"
#include "base/text.h"

struct frame {
    bool is_object;
    const char *key; /* of the value that comes next, for objects */
    uint32_t key_hash;
    /* What it holds so far. They are never handed out: their storage is what we want. */
    struct cl_json object, array;
};

struct scan {
    const char *text;
    size_t size, at;
    struct cl_error *err;
    struct json_document *document;
    struct cl_buf decoded; /* a string that has escapes */
    struct cl_json *value; /* the last one that was read, owned; NULL for null */
    unsigned depth;
    struct frame frames[CL_JSON_DEPTH_MAX];
};

static int fail_at(struct scan *scan, size_t at, const char *what)
{
    size_t line = 1, start = 0;
    for (size_t i = 0; i < at; i++) {
        if (scan->text[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    return cl_fail_kind(scan->err, CL_KIND_INVALID, EINVAL, "line %zu, column %zu: %s", line,
                        at - start + 1, what);
}

static int fail_memory(struct scan *scan)
{
    return cl_fail(scan->err, ENOMEM, "parse JSON");
}

/* The next byte, or 0 at the end (a real NUL is never legal, so the two need no telling apart here). */
static char peek(const struct scan *scan)
{
    return scan->at < scan->size ? scan->text[scan->at] : '\0';
}

static void skip_blanks(struct scan *scan)
{
    for (; scan->at < scan->size; scan->at++) {
        char c = scan->text[scan->at];
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
            return;
    }
}

static int fail_here(struct scan *scan, const char *expected)
{
    char what[96];
    const char *got = scan->text + scan->at;
    uint32_t point = 0;
    if (scan->at >= scan->size)
        (void)CL_PRINT(what, "text ends where %s is expected", expected);
    else if (cl_utf8_decode(got, scan->size - scan->at, &point) == 1 && point >= 0x20 &&
             point != 0x7f)
        (void)CL_PRINT(what, "'%c' where %s is expected", (char)point, expected);
    else
        (void)CL_PRINT(what, "byte 0x%02x where %s is expected", (unsigned char)*got, expected);
    return fail_at(scan, scan->at, what);
}

static int scan_hex4(struct scan *scan, uint32_t *ret)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        char c = peek(scan);
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return fail_here(scan, "a hexadecimal digit of \\uXXXX");
        value = value << 4 | digit;
    }
    *ret = value;
    return 0;
}

/* After "\u": one code point, of a surrogate pair if need be. */
static int scan_unicode_escape(struct scan *scan, uint32_t *ret)
{
    size_t start = scan->at - 2;
    uint32_t high = 0, low = 0;
    int r = scan_hex4(scan, &high);
    if (r < 0)
        return r;
    if (high == 0)
        return fail_at(scan, start, "a string must not hold U+0000");
    if (high >= 0xdc00 && high <= 0xdfff)
        return fail_at(scan, start, "unpaired surrogate");
    if (high < 0xd800 || high > 0xdbff) {
        *ret = high;
        return 0;
    }
    if (scan->size - scan->at < 2 || memcmp(scan->text + scan->at, "\\u", 2) != 0)
        return fail_at(scan, start, "unpaired surrogate");
    scan->at += 2;
    r = scan_hex4(scan, &low);
    if (r < 0)
        return r;
    if (low < 0xdc00 || low > 0xdfff)
        return fail_at(scan, start, "unpaired surrogate");
    *ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return 0;
}

static int scan_escape(struct scan *scan)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    scan->at++;
    char name = peek(scan);
    const char *found = name == '\0' ? NULL : strchr(names, name);
    if (found != NULL) {
        scan->at++;
        cl_buf_char(&scan->decoded, values[found - names]);
        return 0;
    }
    if (name != 'u')
        return fail_here(scan, "an escape (one of \"\\/bfnrtu)");
    scan->at++;
    uint32_t point = 0;
    int r = scan_unicode_escape(scan, &point);
    if (r < 0)
        return r;
    char bytes[4];
    size_t length = cl_utf8_encode(point, bytes);
    cl_buf_add(&scan->decoded, bytes, length);
    return 0;
}

/* Flags (the highest bit of each byte) the zero bytes of a word; above the first one it may flag others. */
static uint64_t zero_bytes(uint64_t word)
{
    return (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
}

size_t cl_json_plain(const char *text, size_t size)
{
    const uint64_t ones = 0x0101010101010101u;
    size_t at = 0;
    /* Eight at a time, as nearly all of a document is such text. */
    for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        uint64_t special = ((word - ones * ' ') & ~word) | word; /* below ' ', or above 0x7f */
        special |= zero_bytes(word ^ ones * '"') | zero_bytes(word ^ ones * '\\');
        if ((special & ones * 0x80) != 0)
            break;
    }
    while (at < size && (unsigned char)text[at] >= ' ' && (unsigned char)text[at] < 0x80 &&
           text[at] != '"' && text[at] != '\\')
        at++;
    return at;
}

/* Bytes of a string that mean themselves, up to its end or an escape. */
static int scan_plain(struct scan *scan)
{
    for (;;) {
        scan->at += cl_json_plain(scan->text + scan->at, scan->size - scan->at);
        const char *here = scan->text + scan->at;
        if (scan->at == scan->size)
            return fail_at(scan, scan->at, "text ends inside a string");
        if (*here == '"' || *here == '\\')
            return 0;
        uint32_t point = 0;
        size_t length = cl_utf8_decode(here, scan->size - scan->at, &point);
        if (length == 0)
            return fail_at(scan, scan->at, "invalid UTF-8 in a string");
        if (length == 1)
            return fail_at(scan, scan->at, "control character in a string; write it as \\uXXXX");
        scan->at += length;
    }
}

/* At the opening quote. The string is in the text itself, or in scan->decoded until the next one. */
static int scan_string(struct scan *scan, const char **ret, size_t *ret_size)
{
    size_t start = ++scan->at;
    int r = scan_plain(scan);
    bool is_plain = r >= 0 && peek(scan) == '"';
    scan->decoded.size = 0;
    while (r >= 0 && !is_plain) {
        cl_buf_add(&scan->decoded, scan->text + start, scan->at - start);
        if (peek(scan) == '"')
            break;
        r = scan_escape(scan);
        start = scan->at;
        if (r >= 0)
            r = scan_plain(scan);
    }
    if (r >= 0 && scan->decoded.failed != 0)
        r = fail_memory(scan);
    if (r < 0)
        return r;
    *ret = is_plain ? scan->text + start : scan->decoded.data;
    *ret_size = is_plain ? scan->at - start : scan->decoded.size;
    scan->at++;
    return 0;
}

static size_t scan_digits(struct scan *scan)
{
    size_t start = scan->at;
    while (peek(scan) >= '0' && peek(scan) <= '9')
        scan->at++;
    return scan->at - start;
}

/* "-"? and digits, as an integer of 64 bits if they are one. */
static bool read_integer(const char *text, size_t size, struct cl_json *value)
{
    bool is_negative = text[0] == '-';
    uint64_t number = 0;
    for (size_t i = is_negative; i < size; i++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number))
            return false;
    if (is_negative && number > (uint64_t)INT64_MAX + 1)
        return false;
    value->type = CL_JSON_INT;
    value->is_natural = !is_negative && number > INT64_MAX;
    value->natural = is_negative ? 0 - number : number;
    return true;
}

/* The exponent may put a number beyond the largest double. */
static bool read_double(const char *text, size_t size, struct cl_json *value)
{
    char number[64];
    if (size >= sizeof number)
        return false;
    memcpy(number, text, size);
    number[size] = '\0';
    value->real = strtod(number, NULL); /* no program of ours sets LC_NUMERIC */
    return isfinite(value->real);
}

/* The same memory for every kind of value that holds no others. */
static int new_value(struct scan *scan, enum cl_json_type type, size_t more)
{
    scan->value = json_new(scan->document, type, more);
    return scan->value == NULL ? fail_memory(scan) : 0;
}

static int scan_number(struct scan *scan)
{
    size_t start = scan->at;
    bool is_integer = true;
    if (peek(scan) == '-')
        scan->at++;
    if (peek(scan) == '0')
        scan->at++;
    else if (scan_digits(scan) == 0)
        return fail_here(scan, "a digit");
    if (peek(scan) == '.') {
        is_integer = false;
        scan->at++;
        if (scan_digits(scan) == 0)
            return fail_here(scan, "a digit");
    }
    if (peek(scan) == 'e' || peek(scan) == 'E') {
        is_integer = false;
        scan->at++;
        if (peek(scan) == '+' || peek(scan) == '-')
            scan->at++;
        if (scan_digits(scan) == 0)
            return fail_here(scan, "a digit");
    }
    struct cl_json number = { .type = CL_JSON_DOUBLE };
    const char *text = scan->text + start;
    if (!(is_integer && read_integer(text, scan->at - start, &number)) &&
        !read_double(text, scan->at - start, &number))
        return fail_at(scan, start, "number is too large or too long");
    int r = new_value(scan, number.type, 0);
    if (r < 0)
        return r;
    scan->value->natural = number.natural;
    scan->value->is_natural = number.is_natural;
    return 0;
}

static int scan_word(struct scan *scan, const char *word, enum cl_json_type type)
{
    size_t length = strlen(word);
    if (scan->size - scan->at < length || memcmp(scan->text + scan->at, word, length) != 0)
        return fail_here(scan, "a value");
    scan->at += length;
    if (type == CL_JSON_NULL)
        return 0;
    int r = new_value(scan, type, 0);
    if (r >= 0)
        scan->value->truth = word[0] == 't';
    return r;
}

static int scan_text(struct scan *scan)
{
    const char *text = NULL;
    size_t size = 0;
    int r = scan_string(scan, &text, &size);
    if (r >= 0)
        r = new_value(scan, CL_JSON_STRING, size + 1);
    if (r < 0)
        return r;
    scan->value->text = (char *)(scan->value + 1);
    memcpy(scan->value->text, text, size);
    scan->value->text[size] = '\0';
    return 0;
}

/* ---- arrays and objects ---- */

/* "path.to[3].key" of the place we are in, for people. */
static void add_path(const struct scan *scan, struct cl_buf *path)
{
    for (unsigned i = 0; i < scan->depth; i++) {
        const struct frame *frame = &scan->frames[i];
        if (!frame->is_object) {
            const struct json_items *items = frame->array.items;
            cl_buf_printf(path, "[%zu]", items == NULL ? 0 : items->count);
            continue;
        }
        if (path->size > 0)
            cl_buf_char(path, '.');
        cl_buf_str(path, frame->key);
    }
}

static int fail_duplicate(struct scan *scan, size_t at)
{
    cl_auto_buf path = CL_BUF_INIT(300);
    char what[360];
    add_path(scan, &path);
    (void)CL_PRINT(what, "duplicate key \"%s\"", path.data == NULL ? "" : path.data);
    return fail_at(scan, at, what);
}

/* Key and colon, up to the value. */
static int scan_key(struct scan *scan)
{
    struct frame *frame = &scan->frames[scan->depth - 1];
    size_t at = scan->at, size = 0;
    const char *key = NULL;
    if (peek(scan) != '"')
        return fail_here(scan, "a key in double quotes");
    int r = scan_string(scan, &key, &size);
    if (r < 0)
        return r;
    frame->key = json_document_text(scan->document, key, size);
    if (frame->key == NULL)
        return fail_memory(scan);
    frame->key_hash = json_hash(key, size);
    if (json_members_find_hashed(frame->object.members, frame->key, frame->key_hash) >= 0)
        return fail_duplicate(scan, at);
    skip_blanks(scan);
    if (peek(scan) != ':')
        return fail_here(scan, "':'");
    scan->at++;
    skip_blanks(scan);
    return 0;
}

/* The value that was read belongs to the innermost frame. */
static int keep_value(struct scan *scan)
{
    struct frame *frame = &scan->frames[scan->depth - 1];
    int r = frame->is_object ? json_members_reserve(&frame->object, scan->document)
                             : json_items_reserve(&frame->array, scan->document);
    if (r < 0)
        return fail_memory(scan);
    struct cl_json *value = cl_take(scan->value);
    if (frame->is_object) {
        struct json_member member = { .key = frame->key, .value = value, .hash = frame->key_hash };
        json_members_append(frame->object.members, member);
    } else {
        struct json_items *items = frame->array.items;
        items->list[items->count++] = value;
    }
    return 0;
}

/* What a frame gathered, in the document's memory. */
static int copy_members(struct scan *scan, const struct json_members *from)
{
    size_t size = json_members_size(from->count);
    struct json_members *members = json_document_get(scan->document, size);
    if (members == NULL)
        return fail_memory(scan);
    memset(members, 0, size);
    json_members_init(members, from->count);
    for (uint32_t i = 0; i < from->count; i++)
        json_members_append(members, from->list[i]);
    scan->value->members = members;
    return 0;
}

static int copy_items(struct scan *scan, const struct json_items *from)
{
    size_t size = from->count * sizeof *from->list; /* as large as `from` is */
    struct json_items *items = json_document_get(scan->document, sizeof *items + size);
    if (items == NULL)
        return fail_memory(scan);
    items->count = items->room = from->count;
    memcpy(items->list, from->list, size);
    scan->value->items = items;
    return 0;
}

/* The storage serves the next array or object of this depth, unless it is so large that wiping it would cost the many small ones. */
static void empty_frame(struct frame *frame)
{
    struct json_members *members = frame->object.members;
    struct json_items *items = frame->array.items;
    if (members != NULL && members->room > JSON_FEW) {
        free(members); /* of its own: the document gives memory to few */
        frame->object = (struct cl_json){ .type = CL_JSON_OBJECT };
    } else if (members != NULL) {
        members->count = 0;
        if (members->index != NULL)
            memset(members->index, 0, members->index_room * sizeof *members->index);
    }
    if (items != NULL)
        items->count = 0;
}

/* At '{' or '['. True in *ret_is_open when a value comes next; false when the container was empty and is closed. */
static int open_container(struct scan *scan, bool *ret_is_open)
{
    bool is_object = peek(scan) == '{';
    if (scan->depth == CL_JSON_DEPTH_MAX)
        return fail_at(scan, scan->at, "nested more than 64 levels deep");
    scan->at++;
    skip_blanks(scan);
    *ret_is_open = peek(scan) != (is_object ? '}' : ']');
    if (!*ret_is_open) {
        scan->at++;
        return new_value(scan, is_object ? CL_JSON_OBJECT : CL_JSON_ARRAY, 0);
    }
    scan->frames[scan->depth++].is_object = is_object;
    return is_object ? scan_key(scan) : 0;
}

/* At '}' or ']' of the innermost frame, which becomes a value of the one around it. */
static int close_container(struct scan *scan)
{
    struct frame *frame = &scan->frames[scan->depth - 1];
    int r = new_value(scan, frame->is_object ? CL_JSON_OBJECT : CL_JSON_ARRAY, 0);
    if (r >= 0)
        r = frame->is_object ? copy_members(scan, frame->object.members)
                             : copy_items(scan, frame->array.items);
    if (r < 0)
        return r;
    empty_frame(frame);
    scan->at++;
    scan->depth--;
    return 0;
}

/* After a value: to the next value, or out of as many containers as end here. */
static int end_value(struct scan *scan)
{
    while (scan->depth > 0) {
        const struct frame *frame = &scan->frames[scan->depth - 1];
        int r = keep_value(scan);
        if (r < 0)
            return r;
        skip_blanks(scan);
        if (peek(scan) == ',') {
            scan->at++;
            skip_blanks(scan);
            return frame->is_object ? scan_key(scan) : 0;
        }
        if (peek(scan) != (frame->is_object ? '}' : ']'))
            return fail_here(scan, frame->is_object ? "',' or '}'" : "',' or ']'");
        r = close_container(scan);
        if (r < 0)
            return r;
    }
    return 0;
}

static int scan_scalar(struct scan *scan)
{
    switch (peek(scan)) {
    case '"':
        return scan_text(scan);
    case 't':
        return scan_word(scan, "true", CL_JSON_BOOL);
    case 'f':
        return scan_word(scan, "false", CL_JSON_BOOL);
    case 'n':
        return scan_word(scan, "null", CL_JSON_NULL);
    default:
        if (peek(scan) != '-' && (peek(scan) < '0' || peek(scan) > '9'))
            return fail_here(scan, "a value");
        return scan_number(scan);
    }
}

static int scan_document(struct scan *scan)
{
    skip_blanks(scan);
    do {
        bool is_open = false;
        bool is_container = peek(scan) == '{' || peek(scan) == '[';
        int r = is_container ? open_container(scan, &is_open) : scan_scalar(scan);
        if (r >= 0 && !is_open)
            r = end_value(scan);
        if (r < 0)
            return r;
    } while (scan->depth > 0);
    skip_blanks(scan);
    if (scan->at < scan->size)
        return fail_here(scan, "the end of the text");
    return 0;
}

int cl_json_parse(const char *text, size_t size, size_t max, struct cl_json **ret,
                  struct cl_error *err)
{
    if (size > max || size > INT_MAX)
        return cl_fail_kind(err, CL_KIND_INVALID, EFBIG,
                            "JSON text of %zu bytes is longer than the %zu allowed", size,
                            max > INT_MAX ? (size_t)INT_MAX : max);
    struct scan scan = {
        .text = text,
        .size = size,
        .err = err,
        .document = json_document_new(size),
        .decoded = CL_BUF_INIT(INT_MAX),
    };
    int r = scan.document == NULL ? fail_memory(&scan) : scan_document(&scan);
    for (size_t i = 0; i < CL_COUNT(scan.frames); i++) {
        if (scan.frames[i].object.owns_storage)
            free(scan.frames[i].object.members);
        if (scan.frames[i].array.owns_storage)
            free(scan.frames[i].array.items);
    }
    cl_buf_done(&scan.decoded);
    if (r < 0) {
        json_document_free(scan.document);
        return r;
    }
    json_document_unref(scan.document);
    *ret = scan.value == NULL ? cl_json_null() : scan.value;
    return 0;
}
