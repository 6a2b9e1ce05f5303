/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict check of a JSON text before json-c sees it: RFC 8259 grammar, UTF-8 (RFC 3629), paired surrogates, depth,
 * duplicate keys, nothing after the document. json-c alone accepts NaN, keeps the last of two equal keys and counts offsets
 * from odd places; here the first fault is found with its line and column, and a duplicate key with its path.
 *
 * Two restrictions go beyond the RFC (both are its "implementation limits", section 9): U+0000 is refused, because values are
 * handed on as C strings and a name must not change its meaning on the way; numbers must fit a double, in at most 63 characters.
 * Integers beyond 64 bits (Go writes such for large floats) become doubles: json-c would clamp or refuse them, so a text that has
 * some is handed on rewritten, with "e0" after each.
 *
 * Keys are kept decoded ("\u0061" is "a") in one arena; a hash table over (object, key) finds duplicates in constant time.
 * The hash is seeded by the kernel's AT_RANDOM bytes, so that a document can't be built to make it slow.
 */
#include "base/json_private.h"

#include <errno.h>
#include <math.h>
#include <sys/auxv.h>

#include "base/text.h"

struct key {
    uint64_t hash;
    size_t object; /* 1-based number of the object; 0: free slot */
    size_t offset, size;
};

struct frame {
    bool is_object;
    size_t object;     /* number, for objects */
    size_t index;      /* element, for arrays */
    size_t key_offset; /* current key in the arena, for objects */
    size_t key_size;
};

struct scan {
    const char *text;
    size_t size, at;
    struct cl_error *err;
    struct frame frames[CL_JSON_DEPTH_MAX];
    unsigned depth;
    size_t objects;
    struct cl_buf arena;
    struct cl_buf *rewritten;
    size_t copied; /* bytes of text that are in rewritten */
    struct key *keys;
    size_t key_count, key_room; /* room is a power of two */
    uint64_t seed;
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
    while (scan->at < scan->size && strchr(" \t\r\n", scan->text[scan->at]) != NULL &&
           scan->text[scan->at] != '\0')
        scan->at++;
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

static int scan_escape(struct scan *scan, struct cl_buf *decoded)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    scan->at++;
    char name = peek(scan);
    const char *found = name == '\0' ? NULL : strchr(names, name);
    if (found != NULL) {
        scan->at++;
        if (decoded != NULL)
            cl_buf_char(decoded, values[found - names]);
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
    if (decoded != NULL)
        cl_buf_add(decoded, bytes, length);
    return 0;
}

/* At the opening quote. Decodes into `decoded` unless NULL. */
static int scan_string(struct scan *scan, struct cl_buf *decoded)
{
    scan->at++;
    for (;;) {
        size_t start = scan->at;
        while (scan->at < scan->size && (unsigned char)scan->text[scan->at] >= 0x20 &&
               (unsigned char)scan->text[scan->at] < 0x80 && scan->text[scan->at] != '"' &&
               scan->text[scan->at] != '\\')
            scan->at++;
        if (decoded != NULL)
            cl_buf_add(decoded, scan->text + start, scan->at - start);
        if (scan->at >= scan->size)
            return fail_at(scan, scan->at, "text ends inside a string");
        const char *here = scan->text + scan->at;
        uint32_t point = 0;
        if (*here == '"') {
            scan->at++;
            return 0;
        }
        if (*here == '\\') {
            int r = scan_escape(scan, decoded);
            if (r < 0)
                return r;
            continue;
        }
        size_t length = cl_utf8_decode(here, scan->size - scan->at, &point);
        if (length == 0)
            return fail_at(scan, scan->at, "invalid UTF-8 in a string");
        if (length == 1)
            return fail_at(scan, scan->at, "control character in a string; write it as \\uXXXX");
        if (decoded != NULL)
            cl_buf_add(decoded, here, length);
        scan->at += length;
    }
}

static size_t scan_digits(struct scan *scan)
{
    size_t start = scan->at;
    while (peek(scan) >= '0' && peek(scan) <= '9')
        scan->at++;
    return scan->at - start;
}

static bool fits_64_bits(const char *text, size_t size)
{
    char digits[24];
    uint64_t u;
    int64_t i;
    if (size >= sizeof digits)
        return false;
    memcpy(digits, text, size);
    digits[size] = '\0';
    return digits[0] == '-' ? cl_parse_i64(digits, INT64_MIN, 0, &i) == 0
                            : cl_parse_u64(digits, 0, UINT64_MAX, &u) == 0;
}

/* The exponent may put a number beyond the largest double. */
static bool is_finite(const char *text, size_t size)
{
    char number[64];
    if (size >= sizeof number)
        return false;
    memcpy(number, text, size);
    number[size] = '\0';
    return isfinite(strtod(number, NULL));
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
    if (is_integer && fits_64_bits(scan->text + start, scan->at - start))
        return 0;
    if (!is_finite(scan->text + start, scan->at - start))
        return fail_at(scan, start, "number is too large or too long");
    if (is_integer) {
        cl_buf_add(scan->rewritten, scan->text + scan->copied, scan->at - scan->copied);
        cl_buf_str(scan->rewritten, "e0");
        scan->copied = scan->at;
    }
    return 0;
}

static int scan_word(struct scan *scan, const char *word)
{
    size_t length = strlen(word);
    if (scan->size - scan->at < length || memcmp(scan->text + scan->at, word, length) != 0)
        return fail_here(scan, "a value");
    scan->at += length;
    return 0;
}

static uint64_t hash_key(const struct scan *scan, size_t object, const char *key, size_t size)
{
    uint64_t hash = scan->seed ^ (object * 0x9e3779b97f4a7c15U);
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)key[i]) * 0x100000001b3U;
        hash ^= hash >> 29;
    }
    hash *= 0xbf58476d1ce4e5b9U;
    return hash ^ (hash >> 32);
}

static int grow_keys(struct scan *scan)
{
    size_t room = scan->key_room == 0 ? 64 : scan->key_room * 2;
    struct key *keys = cl_calloc(room, sizeof *keys);
    if (keys == NULL)
        return fail_memory(scan);
    for (size_t i = 0; i < scan->key_room; i++) {
        if (scan->keys[i].object == 0)
            continue;
        size_t slot = scan->keys[i].hash & (room - 1);
        while (keys[slot].object != 0)
            slot = (slot + 1) & (room - 1);
        keys[slot] = scan->keys[i];
    }
    free(scan->keys);
    scan->keys = keys;
    scan->key_room = room;
    return 0;
}

/* "path.to[3].key" of the place we are in, for people. */
static void add_path(const struct scan *scan, struct cl_buf *path)
{
    for (unsigned i = 0; i < scan->depth; i++) {
        const struct frame *frame = &scan->frames[i];
        if (!frame->is_object) {
            cl_buf_printf(path, "[%zu]", frame->index);
            continue;
        }
        if (path->size > 0)
            cl_buf_char(path, '.');
        cl_buf_add(path, scan->arena.data + frame->key_offset, frame->key_size);
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

/* Remember the key of the innermost frame; fail when its object has it already. */
static int add_key(struct scan *scan, size_t at)
{
    const struct frame *frame = &scan->frames[scan->depth - 1];
    if (scan->key_count * 2 >= scan->key_room) {
        int r = grow_keys(scan);
        if (r < 0)
            return r;
    }
    const char *text = scan->arena.data + frame->key_offset;
    struct key key = { .hash = hash_key(scan, frame->object, text, frame->key_size),
                       .object = frame->object,
                       .offset = frame->key_offset,
                       .size = frame->key_size };
    size_t slot = key.hash & (scan->key_room - 1);
    for (; scan->keys[slot].object != 0; slot = (slot + 1) & (scan->key_room - 1)) {
        const struct key *other = &scan->keys[slot];
        if (other->hash == key.hash && other->object == key.object && other->size == key.size &&
            memcmp(scan->arena.data + other->offset, text, key.size) == 0)
            return fail_duplicate(scan, at);
    }
    scan->keys[slot] = key;
    scan->key_count++;
    return 0;
}

/* Key and colon, up to the value. */
static int scan_key(struct scan *scan)
{
    struct frame *frame = &scan->frames[scan->depth - 1];
    size_t at = scan->at;
    if (peek(scan) != '"')
        return fail_here(scan, "a key in double quotes");
    frame->key_offset = scan->arena.size;
    int r = scan_string(scan, &scan->arena);
    if (r < 0)
        return r;
    if (scan->arena.failed != 0)
        return fail_memory(scan);
    frame->key_size = scan->arena.size - frame->key_offset;
    cl_buf_char(&scan->arena, '\0'); /* so that an empty key has an address, too */
    if (scan->arena.failed != 0)
        return fail_memory(scan);
    r = add_key(scan, at);
    if (r < 0)
        return r;
    skip_blanks(scan);
    if (peek(scan) != ':')
        return fail_here(scan, "':'");
    scan->at++;
    skip_blanks(scan);
    return 0;
}

/* At '{' or '['. True in *ret_is_open when a value comes next; false when the container was empty and is closed. */
static int open_container(struct scan *scan, bool *ret_is_open)
{
    bool is_object = peek(scan) == '{';
    if (scan->depth == CL_JSON_DEPTH_MAX)
        return fail_at(scan, scan->at, "nested more than 64 levels deep");
    scan->frames[scan->depth++] =
        (struct frame){ .is_object = is_object, .object = is_object ? ++scan->objects : 0 };
    scan->at++;
    skip_blanks(scan);
    if (peek(scan) == (is_object ? '}' : ']')) {
        scan->at++;
        scan->depth--;
        *ret_is_open = false;
        return 0;
    }
    *ret_is_open = true;
    return is_object ? scan_key(scan) : 0;
}

/* After a value: to the next value, or out of as many containers as end here. */
static int close_containers(struct scan *scan)
{
    while (scan->depth > 0) {
        struct frame *frame = &scan->frames[scan->depth - 1];
        skip_blanks(scan);
        if (peek(scan) == ',') {
            scan->at++;
            skip_blanks(scan);
            frame->index++;
            return frame->is_object ? scan_key(scan) : 0;
        }
        if (peek(scan) != (frame->is_object ? '}' : ']'))
            return fail_here(scan, frame->is_object ? "',' or '}'" : "',' or ']'");
        scan->at++;
        scan->depth--;
    }
    return 0;
}

static int scan_scalar(struct scan *scan)
{
    switch (peek(scan)) {
    case '"':
        return scan_string(scan, NULL);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
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
            r = close_containers(scan);
        if (r < 0)
            return r;
    } while (scan->depth > 0);
    skip_blanks(scan);
    if (scan->at < scan->size)
        return fail_here(scan, "the end of the text");
    return 0;
}

static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    uintptr_t bytes = getauxval(AT_RANDOM); /* 16 bytes of the kernel's; getauxval(3) */
    if (bytes != 0)
        memcpy(&seed, (const void *)bytes, sizeof seed);
    return seed;
}

int cl_json_scan(const char *text, size_t size, struct cl_buf *rewritten, struct cl_error *err)
{
    size_t arena_max;
    if (!cl_mul_size(size, 2, &arena_max))
        return cl_fail(err, EFBIG, "parse JSON");
    struct scan scan = { .text = text,
                         .size = size,
                         .err = err,
                         .arena = CL_BUF_INIT(arena_max),
                         .rewritten = rewritten,
                         .seed = random_seed() };
    int r = scan_document(&scan);
    if (r >= 0 && scan.copied > 0) {
        cl_buf_add(rewritten, text + scan.copied, size - scan.copied);
        if (rewritten->failed != 0)
            r = cl_fail(err, rewritten->failed, "parse JSON");
    }
    cl_buf_done(&scan.arena);
    free(scan.keys);
    return r;
}
