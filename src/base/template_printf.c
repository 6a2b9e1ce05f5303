/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's fmt verbs over template values (pkg.go.dev/fmt, "Printing"): flags + - # space 0, width and precision (also as *),
 * argument indexes [n], and fmt's way of saying inside the output what is wrong: %!d(string=hi), %!s(MISSING), %!(EXTRA …).
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/json_private.h"
#include "base/template_private.h"
#include "base/text.h"

enum { WIDTH_MAX = 1000000 }; /* fmt's own limit */

struct spec {
    bool minus, plus, sharp, space, zero;
    bool plus_v, sharp_v; /* with %v these two flags mean another thing */
    int width, precision; /* -1: none */
    uint32_t verb;
    char verb_text[5];
};

struct printer {
    struct tpl_run *run;
    struct cl_buf *out;
    unsigned depth;
};

static int print_value(struct printer *printer, const struct spec *spec, struct tpl_value value);

static int buffer_failure(const struct printer *printer)
{
    if (printer->out->failed != 0)
        return tpl_fail_room(printer->run, printer->out->failed);
    return 0;
}

static size_t count_points(struct tpl_string string)
{
    size_t count = 0;
    for (size_t i = 0; i < string.size; count++) {
        uint32_t point;
        size_t used = cl_utf8_decode(string.text + i, string.size - i, &point);
        i += used == 0 ? 1 : used;
    }
    return count;
}

static void repeat(struct cl_buf *out, char character, size_t count)
{
    for (; count > 0 && out->failed == 0; count--)
        cl_buf_char(out, character);
}

static void pad(struct printer *printer, const struct spec *spec, struct tpl_string string)
{
    size_t points = count_points(string);
    size_t missing =
        spec->width > 0 && (size_t)spec->width > points ? (size_t)spec->width - points : 0;
    if (!spec->minus)
        repeat(printer->out, spec->zero ? '0' : ' ', missing);
    cl_buf_add(printer->out, string.text, string.size);
    if (spec->minus)
        repeat(printer->out, ' ', missing);
}

static void pad_text(struct printer *printer, const struct spec *spec, const char *text)
{
    pad(printer, spec, (struct tpl_string){ .text = text, .size = strlen(text) });
}

/* %!verb(type=value) */
static int bad_verb(struct printer *printer, const struct spec *spec, struct tpl_value value)
{
    struct spec plain = *spec; /* width and flags stay in force */
    plain.verb = 'v';
    cl_buf_printf(printer->out, "%%!%s(", spec->verb_text);
    if (value.kind == TPL_NONE || value.kind == TPL_NIL) {
        cl_buf_str(printer->out, "<nil>");
    } else {
        cl_buf_printf(printer->out, "%s=", tpl_type_name(value));
        int r = print_value(printer, &plain, value);
        if (r < 0)
            return r;
    }
    cl_buf_char(printer->out, ')');
    return 0;
}

bool tpl_is_printable(uint32_t point)
{
    static const uint32_t ranges[][2] = {
        { 0x00ad, 0x00ad },   { 0x061c, 0x061c },    { 0x180e, 0x180e }, { 0x1680, 0x1680 },
        { 0x2000, 0x200f },   { 0x2028, 0x202f },    { 0x205f, 0x206f }, { 0x3000, 0x3000 },
        { 0xd800, 0xf8ff },   { 0xfeff, 0xfeff },    { 0xfff0, 0xfffb }, { 0xfffe, 0xffff },
        { 0xe0000, 0xe00ff }, { 0xe01f0, 0x10ffff },
    }; /* blanks other than U+0020, format and private-use characters */
    if (point < 0x20 || (point >= 0x7f && point <= 0xa0))
        return false;
    for (size_t i = 0; i < CL_COUNT(ranges); i++) {
        if (point >= ranges[i][0] && point <= ranges[i][1])
            return false;
    }
    return true;
}

/* One code point inside quotes of the given kind. */
static void quote_point(struct cl_buf *buf, uint32_t point, char quote, bool is_ascii)
{
    static const char controls[] = "\a\b\f\n\r\t\v", names[] = "abfnrtv";
    char bytes[4];
    const char *found = point == 0 || point > 0x7f ? NULL : strchr(controls, (int)point);
    if (point == (uint32_t)quote || point == '\\') {
        cl_buf_char(buf, '\\');
        cl_buf_char(buf, (char)point);
    } else if (found != NULL) {
        cl_buf_char(buf, '\\');
        cl_buf_char(buf, names[found - controls]);
    } else if (point < 0x80 ? point >= 0x20 && point < 0x7f
                            : !is_ascii && tpl_is_printable(point)) {
        cl_buf_add(buf, bytes, cl_utf8_encode(point, bytes));
    } else if (point < 0x80) {
        cl_buf_printf(buf, "\\x%02x", (unsigned)point);
    } else {
        cl_buf_printf(buf, point < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)point);
    }
}

void tpl_quote(struct cl_buf *buf, struct tpl_string string, bool is_ascii)
{
    cl_buf_char(buf, '"');
    for (size_t i = 0; i < string.size;) {
        uint32_t point;
        size_t used = cl_utf8_decode(string.text + i, string.size - i, &point);
        if (used == 0)
            cl_buf_printf(buf, "\\x%02x", (unsigned)(unsigned char)string.text[i]);
        else
            quote_point(buf, point, '"', is_ascii);
        i += used == 0 ? 1 : used;
    }
    cl_buf_char(buf, '"');
}

/* Cut to so many code points. */
static struct tpl_string cut(struct tpl_string string, int precision)
{
    size_t size = 0;
    for (int i = 0; i < precision && size < string.size; i++) {
        uint32_t point;
        size_t used = cl_utf8_decode(string.text + size, string.size - size, &point);
        size += used == 0 ? 1 : used;
    }
    if (precision >= 0)
        string.size = size;
    return string;
}

static void print_hex_string(struct printer *printer, const struct spec *spec,
                             struct tpl_string string)
{
    const char *digits = spec->verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    cl_auto_buf text = CL_BUF_INIT(TPL_SCRATCH_MAX);
    if (spec->precision >= 0 && (size_t)spec->precision < string.size)
        string.size = (size_t)spec->precision;
    for (size_t i = 0; i < string.size; i++) {
        unsigned char byte = (unsigned char)string.text[i];
        if (spec->space && i > 0)
            cl_buf_char(&text, ' ');
        if (spec->sharp && (spec->space || i == 0)) {
            cl_buf_char(&text, '0');
            cl_buf_char(&text, (char)spec->verb);
        }
        cl_buf_char(&text, digits[byte >> 4]);
        cl_buf_char(&text, digits[byte & 15]);
    }
    pad(printer, spec, (struct tpl_string){ .text = text.data, .size = text.size });
}

static bool can_backquote(struct tpl_string string)
{
    for (size_t i = 0; i < string.size; i++) {
        unsigned char byte = (unsigned char)string.text[i];
        if ((byte < 0x20 && byte != '\t') || byte == '`' || byte == 0x7f)
            return false;
    }
    return true;
}

static void print_quoted(struct printer *printer, const struct spec *spec, struct tpl_string string)
{
    cl_auto_buf text = CL_BUF_INIT(TPL_SCRATCH_MAX);
    if (spec->sharp && can_backquote(string)) {
        cl_buf_char(&text, '`');
        cl_buf_add(&text, string.text, string.size);
        cl_buf_char(&text, '`');
    } else {
        tpl_quote(&text, string, spec->plus);
    }
    if (text.failed != 0)
        printer->out->failed = text.failed;
    pad(printer, spec, (struct tpl_string){ .text = text.data, .size = text.size });
}

static int print_string(struct printer *printer, const struct spec *spec, struct tpl_value value)
{
    switch (spec->verb) {
    case 'v':
        if (spec->sharp_v) {
            print_quoted(printer, spec, value.string);
            break;
        }
        __attribute__((fallthrough));
    case 's':
        pad(printer, spec, cut(value.string, spec->precision));
        break;
    case 'x':
    case 'X':
        print_hex_string(printer, spec, value.string);
        break;
    case 'q':
        print_quoted(printer, spec, cut(value.string, spec->precision));
        break;
    default:
        return bad_verb(printer, spec, value);
    }
    return 0;
}

/* Sign and prefix, then zeros, then digits, all padded. */
static void print_digits(struct printer *printer, const struct spec *spec, const char *lead,
                         const char *digits)
{
    cl_auto_buf text = CL_BUF_INIT(WIDTH_MAX + 200);
    struct spec padding = *spec;
    size_t length = strlen(digits), wanted = 0;
    if (spec->precision >= 0)
        wanted = (size_t)spec->precision;
    else if (spec->zero && !spec->minus && spec->width > (int)strlen(lead))
        wanted = (size_t)spec->width - strlen(lead);
    padding.zero = false;
    cl_buf_str(&text, lead);
    repeat(&text, '0', wanted > length ? wanted - length : 0);
    cl_buf_str(&text, digits);
    if (text.failed != 0)
        printer->out->failed = text.failed;
    pad(printer, &padding, (struct tpl_string){ .text = text.data, .size = text.size });
}

static void print_radix(struct printer *printer, const struct spec *spec, bool is_negative,
                        uint64_t magnitude)
{
    const char *alphabet = spec->verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    unsigned base = spec->verb == 'b'                        ? 2
                    : spec->verb == 'o' || spec->verb == 'O' ? 8
                    : spec->verb == 'x' || spec->verb == 'X' ? 16
                                                             : 10;
    char digits[66], lead[4];
    size_t at = sizeof digits - 1;
    const char *prefix = "";
    digits[at] = '\0';
    for (uint64_t rest = magnitude; rest > 0 || at == sizeof digits - 1; rest /= base)
        digits[--at] = alphabet[rest % base];
    if (spec->precision == 0 && magnitude == 0) { /* fmt prints nothing but padding then */
        pad_text(printer, &(struct spec){ .width = spec->width, .minus = spec->minus }, "");
        return;
    }
    if (spec->verb == 'O')
        prefix = "0o";
    else if (spec->sharp && base == 8)
        prefix = digits[at] == '0' ? "" : "0"; /* one zero will do */
    else if (spec->sharp && base != 10)
        prefix = base == 2 ? "0b" : spec->verb == 'x' ? "0x" : "0X";
    snprintf(lead, sizeof lead, "%s%s",
             is_negative   ? "-"
             : spec->plus  ? "+"
             : spec->space ? " "
                           : "",
             prefix);
    print_digits(printer, spec, lead, digits + at);
}

static void print_point(struct printer *printer, const struct spec *spec, uint32_t point)
{
    cl_auto_buf text = CL_BUF_INIT(100);
    char bytes[4];
    struct spec padding = *spec;
    if (spec->verb == 'c') {
        cl_buf_add(&text, bytes, cl_utf8_encode(point, bytes));
    } else if (spec->verb == 'q') {
        cl_buf_char(&text, '\'');
        quote_point(&text, point, '\'', spec->plus);
        cl_buf_char(&text, '\'');
    } else {
        cl_buf_printf(&text, "U+%0*X",
                      spec->precision > 4 && spec->precision < 60 ? spec->precision : 4,
                      (unsigned)point);
        if (spec->sharp && tpl_is_printable(point)) {
            cl_buf_str(&text, " '");
            cl_buf_add(&text, bytes, cl_utf8_encode(point, bytes));
            cl_buf_char(&text, '\'');
        }
        padding.zero = false;
    }
    pad(printer, &padding, (struct tpl_string){ .text = text.data, .size = text.size });
}

static int print_integer(struct printer *printer, const struct spec *spec, struct tpl_value value)
{
    bool is_negative = value.kind == TPL_INT && value.integer < 0;
    uint64_t magnitude = value.kind == TPL_UINT ? value.natural
                         : is_negative          ? 0 - (uint64_t)value.integer
                                                : (uint64_t)value.integer;
    bool is_point = !is_negative && magnitude <= 0x10ffff;
    switch (spec->verb) {
    case 'v':
    case 'd':
    case 'b':
    case 'o':
    case 'O':
    case 'x':
    case 'X':
        if (spec->sharp_v && value.kind == TPL_UINT)
            cl_buf_printf(printer->out, "0x%llx", (unsigned long long)magnitude);
        else
            print_radix(printer, spec, is_negative, magnitude);
        break;
    case 'c':
    case 'q':
    case 'U':
        print_point(printer, spec, is_point ? (uint32_t)magnitude : 0xfffd);
        break;
    default:
        return bad_verb(printer, spec, value);
    }
    return 0;
}

/* %g with the fewest digits: exponents below -4 and from 6 on are written as such, however many digits there are. */
static void shortest_g(double size, char upper_e, char text[static 400])
{
    char scientific[40];
    cl_print_shortest(size, scientific);
    char *mark = strchr(scientific, 'e');
    int64_t exponent = 0;
    if (mark != NULL && cl_parse_i64(mark + 2, 0, 999, &exponent) == 0 && mark[1] == '-')
        exponent = -exponent;
    int digits = mark == NULL ? 1 : (int)(mark - scientific) - (mark - scientific > 1);
    if (exponent < -4 || exponent >= 6) {
        snprintf(text, 400, "%s", scientific);
        mark = strchr(text, 'e');
        if (mark != NULL)
            *mark = upper_e;
        return;
    }
    int decimals = digits - 1 - (int)exponent;
    snprintf(text, 400, "%.*f", decimals > 0 ? decimals : 0, size);
}

/* %x: a hexadecimal mantissa; %b: a whole one; both with a power of two. */
static void binary_real(double size, const struct spec *spec, char text[static 800])
{
    if (spec->verb == 'b') {
        int exponent = 0;
        double fraction = frexp(size, &exponent); /* 0.5 … 1, or 0 */
        snprintf(text, 800, "%.0fp%+d", ldexp(fraction, 53), size == 0 ? -1074 : exponent - 53);
        return;
    }
    int used = spec->precision < 0 ? snprintf(text, 790, "%a", size)
                                   : snprintf(text, 790, "%.*a",
                                              spec->precision > 300 ? 300 : spec->precision, size);
    char *mark = memchr(text, 'p', (size_t)used);
    if (mark != NULL && mark[1] != '\0' &&
        mark[3] == '\0') { /* the exponent has two digits or more */
        mark[3] = mark[2];
        mark[2] = '0';
        mark[4] = '\0';
    }
    for (char *at = text; spec->verb == 'X' && *at != '\0'; at++)
        *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 32 : *at);
}

static int print_real(struct printer *printer, const struct spec *spec, struct tpl_value value)
{
    char text[800], format[8] = "%.*";
    double size = fabs(value.real);
    char verb = spec->verb == 'v' ? 'g' : (char)spec->verb;
    if (spec->verb > 0x7f || strchr("eEfFgGxXb", verb) == NULL || verb == '\0')
        return bad_verb(printer, spec, value);
    if (verb == 'F')
        verb = 'f';
    if (verb == 'x' || verb == 'X' || verb == 'b') {
        binary_real(size, spec, text);
    } else if ((verb == 'g' || verb == 'G') && spec->precision < 0) {
        shortest_g(size, verb == 'G' ? 'E' : 'e', text);
    } else {
        int precision = spec->precision < 0 ? 6 : spec->precision > 300 ? 300 : spec->precision;
        format[3] = verb;
        format[4] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* one of %.*e %.*E %.*f %.*g %.*G */
        snprintf(text, sizeof text, format, precision, size);
#pragma GCC diagnostic pop
    }
    struct spec shape = *spec;
    shape.precision = -1;
    const char *lead = signbit(value.real) ? "-" : spec->plus ? "+" : spec->space ? " " : "";
    print_digits(printer, &shape, lead, text);
    return 0;
}

static int print_list(struct printer *printer, const struct spec *spec, struct tpl_value value)
{
    size_t count = cl_json_count(value.json);
    int r = tpl_step(printer->run, count);
    cl_buf_str(printer->out, spec->sharp_v ? "[]interface {}{" : "[");
    for (size_t i = 0; r >= 0 && i < count; i++) {
        if (i > 0)
            cl_buf_str(printer->out, spec->sharp_v ? ", " : " ");
        r = print_value(printer, spec, tpl_inside(cl_json_at(value.json, i)));
    }
    cl_buf_char(printer->out, spec->sharp_v ? '}' : ']');
    return r;
}

static int print_map(struct printer *printer, const struct spec *spec, struct tpl_value value)
{
    size_t count = cl_json_count(value.json);
    const char **keys = NULL;
    int r = tpl_sorted_keys(printer->run, value.json, &keys);
    cl_buf_str(printer->out, spec->sharp_v ? "map[string]interface {}{" : "map[");
    for (size_t i = 0; r >= 0 && i < count; i++) {
        struct tpl_string key = { .text = keys[i], .size = strlen(keys[i]) };
        if (i > 0)
            cl_buf_str(printer->out, spec->sharp_v ? ", " : " ");
        r = print_value(printer, spec, tpl_from_string(key));
        cl_buf_char(printer->out, ':');
        if (r >= 0)
            r = print_value(printer, spec, tpl_inside(cl_json_get(value.json, keys[i])));
    }
    cl_buf_char(printer->out, spec->sharp_v ? '}' : ']');
    return r;
}

static int print_kind(struct printer *printer, const struct spec *spec, struct tpl_value value)
{
    switch (value.kind) {
    case TPL_NONE:
        if (spec->verb != 'v')
            return bad_verb(printer, spec, value);
        pad_text(printer, spec, "<nil>");
        return 0;
    case TPL_NIL:
        cl_buf_str(printer->out, spec->sharp_v ? "interface {}(nil)" : "<nil>");
        return 0;
    case TPL_BOOL:
        if (spec->verb != 't' && spec->verb != 'v')
            return bad_verb(printer, spec, value);
        pad_text(printer, spec, value.boolean ? "true" : "false");
        return 0;
    case TPL_INT:
    case TPL_UINT:
        return print_integer(printer, spec, value);
    case TPL_DOUBLE:
        return print_real(printer, spec, value);
    case TPL_STRING:
        return print_string(printer, spec, value);
    case TPL_LIST:
    case TPL_MAP:
        if (spec->verb == 'w' ||
            spec->verb == 'p') /* these do not look inside; and addresses say nothing */
            return bad_verb(printer, spec, value);
        return value.kind == TPL_LIST ? print_list(printer, spec, value)
                                      : print_map(printer, spec, value);
    }
    return 0;
}

static int print_value(struct printer *printer, const struct spec *spec, struct tpl_value value)
{
    if (printer->depth >= TPL_DEPTH_MAX)
        return tpl_fail(printer->run, "value is nested too deeply to print");
    printer->depth++;
    int r = print_kind(printer, spec, value);
    printer->depth--;
    return r < 0 ? r : buffer_failure(printer);
}

int tpl_format(struct tpl_run *run, struct cl_buf *buf, struct tpl_value value, char verb)
{
    struct printer printer = { .run = run, .out = buf };
    struct spec spec = { .width = -1, .precision = -1, .verb = (uint32_t)verb };
    spec.verb_text[0] = verb;
    if (value.kind == TPL_NIL)
        value.kind = TPL_NONE;
    return print_value(&printer, &spec, value);
}

/* Going through a format string. */
struct scan {
    struct printer printer;
    struct tpl_string format;
    size_t at;
    const struct tpl_value *values;
    size_t count, next;
    bool is_reordered, is_good_index, was_index;
};

static char here(const struct scan *scan)
{
    return scan->at < scan->format.size ? scan->format.text[scan->at] : '\0';
}

/* Digits at the cursor; -1 when there are none, -2 when beyond fmt's limit. */
static int take_number(struct scan *scan)
{
    int value = -1;
    for (; here(scan) >= '0' && here(scan) <= '9'; scan->at++) {
        int digit = here(scan) - '0';
        if (value != -2)
            value = (value < 0 ? 0 : value * 10) + digit;
        if (value > WIDTH_MAX)
            value = -2;
    }
    return value;
}

/* "[n]" selects the next argument. */
static void take_index(struct scan *scan)
{
    scan->was_index = false;
    if (here(scan) != '[')
        return;
    scan->is_reordered = true;
    const char *start = scan->format.text + scan->at;
    const char *close = memchr(start, ']', scan->format.size - scan->at);
    if (close == NULL) {
        scan->is_good_index = false;
        scan->at++;
        return;
    }
    scan->at++;
    int number = take_number(scan);
    bool is_whole = here(scan) == ']';
    scan->at = (size_t)(close - scan->format.text) + 1;
    if (!is_whole || number < 1 || (size_t)number > scan->count) {
        scan->is_good_index = false;
        return;
    }
    scan->next = (size_t)number - 1;
    scan->was_index = true;
}

/* "*": the next argument is a width or precision. */
static bool take_star(struct scan *scan, int *ret)
{
    if (scan->next >= scan->count)
        return false;
    struct tpl_value value = tpl_unboxed(scan->values[scan->next++]);
    if (value.kind != TPL_INT || value.integer > WIDTH_MAX || value.integer < -WIDTH_MAX)
        return false;
    *ret = (int)value.integer;
    return true;
}

static void take_width(struct scan *scan, struct spec *spec)
{
    if (here(scan) == '*') {
        scan->at++;
        if (!take_star(scan, &spec->width))
            cl_buf_str(scan->printer.out, "%!(BADWIDTH)");
        if (spec->width < -1) {
            spec->width = -spec->width;
            spec->minus = true;
            spec->zero = false;
        }
        scan->was_index = false;
        return;
    }
    spec->width = take_number(scan);
    if (scan->was_index && spec->width != -1)
        scan->is_good_index = false; /* "%[3]2d" */
    if (spec->width == -2) {
        spec->width = -1;
        cl_buf_str(scan->printer.out, "%!(BADWIDTH)");
    }
}

static void take_precision(struct scan *scan, struct spec *spec)
{
    if (here(scan) != '.')
        return;
    scan->at++;
    if (scan->was_index)
        scan->is_good_index = false; /* "%[3].2d" */
    take_index(scan);
    if (here(scan) == '*') {
        scan->at++;
        if (!take_star(scan, &spec->precision) || spec->precision < 0) {
            spec->precision = -1;
            cl_buf_str(scan->printer.out, "%!(BADPREC)");
        }
        scan->was_index = false;
        return;
    }
    spec->precision = take_number(scan);
    if (spec->precision == -1)
        spec->precision = 0;
    if (spec->precision == -2) {
        spec->precision = -1;
        cl_buf_str(scan->printer.out, "%!(BADPREC)");
    }
}

static void take_flags(struct scan *scan, struct spec *spec)
{
    for (;; scan->at++) {
        switch (here(scan)) {
        case '#':
            spec->sharp = true;
            break;
        case '0':
            spec->zero = true;
            break;
        case '+':
            spec->plus = true;
            break;
        case '-':
            spec->minus = true;
            break;
        case ' ':
            spec->space = true;
            break;
        default:
            return;
        }
    }
}

static int apply_verb(struct scan *scan, struct spec *spec)
{
    struct cl_buf *out = scan->printer.out;
    if (spec->verb == '%') {
        cl_buf_char(out, '%');
        return 0;
    }
    if (!scan->is_good_index) {
        cl_buf_printf(out, "%%!%s(BADINDEX)", spec->verb_text);
        return 0;
    }
    if (scan->next >= scan->count) {
        cl_buf_printf(out, "%%!%s(MISSING)", spec->verb_text);
        return 0;
    }
    struct tpl_value value = tpl_unboxed(scan->values[scan->next++]);
    if (spec->verb == 'v') {
        spec->sharp_v = spec->sharp;
        spec->plus_v = spec->plus;
        spec->sharp = spec->plus = false;
    }
    if (spec->verb == 'T') {
        pad_text(&scan->printer, spec, tpl_type_name(value));
        return 0;
    }
    return print_value(&scan->printer, spec, value);
}

/* After "%". */
static int take_directive(struct scan *scan)
{
    struct spec spec = { .width = -1, .precision = -1 };
    scan->is_good_index = true;
    take_flags(scan, &spec);
    take_index(scan);
    take_width(scan, &spec);
    take_precision(scan, &spec);
    if (!scan->was_index)
        take_index(scan);
    if (scan->at >= scan->format.size) {
        cl_buf_str(scan->printer.out, "%!(NOVERB)");
        return 0;
    }
    size_t used =
        cl_utf8_decode(scan->format.text + scan->at, scan->format.size - scan->at, &spec.verb);
    if (used == 0) {
        used = 1;
        spec.verb = 0xfffd;
    }
    (void)cl_utf8_encode(spec.verb, spec.verb_text);
    scan->at += used;
    return apply_verb(scan, &spec);
}

static int print_extra(struct scan *scan)
{
    struct cl_buf *out = scan->printer.out;
    struct spec plain = { .width = -1, .precision = -1, .verb = 'v' };
    cl_buf_str(out, "%!(EXTRA ");
    for (size_t i = scan->next; i < scan->count; i++) {
        struct tpl_value value = tpl_unboxed(scan->values[i]);
        if (i > scan->next)
            cl_buf_str(out, ", ");
        if (value.kind != TPL_NONE)
            cl_buf_printf(out, "%s=", tpl_type_name(value));
        int r = print_value(&scan->printer, &plain, value);
        if (r < 0)
            return r;
    }
    cl_buf_char(out, ')');
    return buffer_failure(&scan->printer);
}

int tpl_sprintf(struct tpl_run *run, struct cl_buf *buf, struct tpl_string format,
                const struct tpl_value *values, size_t count)
{
    struct scan scan = {
        .printer = { .run = run, .out = buf }, .format = format, .values = values, .count = count
    };
    while (scan.at < format.size) {
        const char *start = format.text + scan.at;
        const char *percent = memchr(start, '%', format.size - scan.at);
        size_t plain = percent == NULL ? format.size - scan.at : (size_t)(percent - start);
        cl_buf_add(buf, start, plain);
        scan.at += plain;
        if (percent == NULL)
            break;
        scan.at++;
        int r = tpl_step(run, 1);
        if (r >= 0)
            r = take_directive(&scan);
        if (r < 0)
            return r;
    }
    if (!scan.is_reordered && scan.next < count)
        return print_extra(&scan);
    return buffer_failure(&scan.printer);
}
