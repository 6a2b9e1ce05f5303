/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The constants of templates: strings with Go's escapes, characters, and numbers with Go's bases and underscores. Syntax and value
 * only: the lexer has found where a constant ends, the parser makes the node and the error.
 */
#include <stdlib.h>

#include "base/template_private.h"
#include "base/text.h"

/* So many digits of a base at *at; false when one is missing. */
static bool take_code(const char **at, const char *end, unsigned base, int count, uint32_t *ret)
{
    uint32_t value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        char c = *at < end ? **at : '\0';
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;
        if (digit >= base)
            return false;
        value = value * base + digit;
    }
    *ret = value;
    return true;
}

/* The escape after a backslash: a code point, or (is_byte) one byte. */
static bool take_escape(const char **at, const char *end, char quote, uint32_t *ret,
                        bool *ret_is_byte)
{
    static const char names[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
    if (*at >= end)
        return false;
    char name = *(*at)++;
    const char *found = name == '\0' ? NULL : strchr(names, name);
    *ret_is_byte = false;
    if (found != NULL) {
        *ret = (uint32_t)values[found - names];
        return true;
    }
    if (name == quote) {
        *ret = (uint32_t)quote;
        return true;
    }
    if (name == 'x' || (name >= '0' && name <= '7')) {
        *ret_is_byte = true;
        *at -= name != 'x';
        return take_code(at, end, name == 'x' ? 16 : 8, name == 'x' ? 2 : 3, ret) && *ret < 256;
    }
    if (name != 'u' && name != 'U')
        return false;
    return take_code(at, end, 16, name == 'u' ? 4 : 8, ret) && *ret <= 0x10ffff &&
           (*ret < 0xd800 || *ret > 0xdfff);
}

/* One character of a quoted constant; appends its bytes. */
static bool take_character(const char **at, const char *end, char quote, char **out,
                           uint32_t *ret_point)
{
    if (**at != '\\') {
        size_t length = cl_utf8_decode(*at, (size_t)(end - *at), ret_point);
        if (length == 0)
            *ret_point = 0xfffd;
        length = length == 0 ? 1 : length;
        memcpy(*out, *at, length);
        *at += length;
        *out += length;
        return true;
    }
    bool is_byte;
    (*at)++;
    if (!take_escape(at, end, quote, ret_point, &is_byte))
        return false;
    if (is_byte) {
        *(*out)++ = (char)*ret_point;
    } else {
        char bytes[4];
        size_t length = cl_utf8_encode(*ret_point, bytes);
        memcpy(*out, bytes, length); /* never longer than the escape was */
        *out += length;
    }
    return true;
}

bool tpl_unquote(const struct tpl_token *token, char *out, size_t *ret_size)
{
    const char *at = token->text.text + 1, *end = token->text.text + token->text.size - 1;
    char *start = out;
    while (at < end) {
        uint32_t point;
        if (token->type == TPL_TOKEN_RAW_STRING) {
            if (*at != '\r')
                *out++ = *at;
            at++;
        } else if (!take_character(&at, end, '"', &out, &point)) {
            return false;
        }
    }
    *ret_size = (size_t)(out - start);
    return true;
}

bool tpl_char_value(const struct tpl_token *token, int64_t *ret)
{
    const char *at = token->text.text + 1, *end = token->text.text + token->text.size - 1;
    char bytes[8], *out = bytes;
    uint32_t point = 0;
    if (at >= end || !take_character(&at, end, '\'', &out, &point) || at != end)
        return false;
    *ret = point;
    return true;
}

/* Underscores stand only between digits, or between a base prefix and a digit. Leaves text without them. */
static bool drop_underscores(char *text, bool has_prefix)
{
    char *out = text;
    bool may_come = false, was = false;
    for (char *in = text; *in != '\0'; in++) {
        bool is_digit = strchr("0123456789abcdefABCDEF", *in) != NULL;
        bool is_prefix = has_prefix && strchr("xXoObB", *in) != NULL && in - text <= 2;
        if (*in == '_' ? !may_come : was && !is_digit)
            return false;
        was = *in == '_';
        may_come = !was && (is_digit || is_prefix);
        if (!was)
            *out++ = *in;
    }
    *out = '\0';
    return !was;
}

/* Digits of a base into a magnitude; false when one is not of the base or they do not fit. */
static bool whole_value(const char *text, unsigned base, uint64_t *ret, bool *ret_is_range)
{
    uint64_t value = 0;
    *ret_is_range = false;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        unsigned digit = *text >= '0' && *text <= '9' ? (unsigned)(*text - '0')
                                                      : ((unsigned)*text | 0x20) - 'a' + 10;
        if (digit >= base)
            return false;
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            *ret_is_range = true;
    }
    *ret = value;
    return !*ret_is_range;
}

static unsigned base_of(const char **digits)
{
    unsigned base = 10;
    if ((*digits)[0] == '0' && (*digits)[1] != '\0' && strpbrk(*digits, ".") == NULL) {
        char mark = (char)((*digits)[1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        *digits += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
    }
    return base;
}

static bool is_real(const char *digits)
{
    bool is_hex = digits[0] == '0' && (digits[1] | 0x20) == 'x';
    return strpbrk(digits, is_hex ? ".pP" : ".eE") != NULL;
}

const char *tpl_number_value(const struct tpl_token *token, struct tpl_node *node)
{
    char text[80];
    if (token->text.size >= sizeof text)
        return "bad number syntax";
    memcpy(text, token->text.text, token->text.size);
    text[token->text.size] = '\0';
    const char *digits = text + (text[0] == '+' || text[0] == '-');
    bool is_negative = text[0] == '-', is_range = false;
    bool has_prefix = digits[0] == '0' && digits[1] != '\0' && strchr("xXoObB", digits[1]) != NULL;
    if (!drop_underscores(text, has_prefix))
        return "illegal number syntax";
    if (is_real(digits)) {
        char *end = NULL;
        double real = strtod(text, &end);
        if (end == NULL || *end != '\0' || end == text)
            return "bad number syntax";
        node->value = (struct tpl_value){ .kind = TPL_DOUBLE, .real = real };
        node->is_whole = real >= -9e18 && real <= 9e18 && (double)(int64_t)real == real;
        node->whole = node->is_whole ? (int64_t)real : 0;
        return NULL;
    }
    uint64_t magnitude;
    unsigned base = base_of(&digits);
    if (!whole_value(digits, base, &magnitude, &is_range))
        return is_range ? "integer overflow" : "bad number syntax";
    if (is_negative ? magnitude > (uint64_t)INT64_MAX + 1 : magnitude > INT64_MAX) {
        node->value = (struct tpl_value){ .kind = TPL_NONE }; /* only using it is an error */
        return is_negative ? "integer overflow" : NULL;
    }
    node->whole = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    node->value = tpl_from_int(node->whole);
    node->is_whole = true;
    return NULL;
}
