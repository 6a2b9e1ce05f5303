/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of log records: JSON escapes as Go's encoding/json writes them (RFC 8259; <, >, & and U+2028/2029 escaped too, invalid UTF-8
 * as U+FFFD), and RFC 3339 time. Pure, without stdio, because the monitor has none: its idle memory is what a container costs.
 */
#include "monitor/log.h"

#include <string.h>

/* Length of the UTF-8 sequence that a lead byte promises; 0 when it can't lead (RFC 3629). */
static size_t promised(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* The second byte's range depends on the lead: no overlong forms, no surrogates, nothing past U+10FFFF. */
static bool second_is_valid(unsigned char lead, unsigned char second)
{
    unsigned char low = 0x80, high = 0xbf;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    return second >= low && second <= high;
}

/* Bytes of `size` that form the valid beginning of a sequence; equal to promised() when it is whole. */
static size_t valid_part(const unsigned char *text, size_t size)
{
    size_t length = promised(text[0]);
    if (length == 0 || (length > 1 && size > 1 && !second_is_valid(text[0], text[1])))
        return 0;
    size_t have = length < size ? length : size;
    for (size_t i = 2; i < have; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return have;
}

size_t monitor_cut_bytes(const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        const unsigned char *lead = bytes + size - back;
        if ((*lead & 0xc0) == 0x80)
            continue;
        return promised(*lead) > back && valid_part(lead, back) == back ? back : 0;
    }
    return 0;
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != '<' &&
           byte != '>' && byte != '&';
}

static size_t escape_ascii(unsigned char byte, char out[static 6])
{
    static const char shorts[] = "\"\"\\\\\nn\rr\tt\bb\ff"; /* byte, letter */
    for (size_t i = 0; i + 1 < sizeof shorts; i += 2) {
        if ((unsigned char)shorts[i] == byte) {
            out[0] = '\\';
            out[1] = shorts[i + 1];
            return 2;
        }
    }
    memcpy(out, "\\u00", 4);
    out[4] = "0123456789abcdef"[byte >> 4];
    out[5] = "0123456789abcdef"[byte & 15];
    return 6;
}

/* One character that is not plain: its text in out (6 bytes at most); returns how many bytes of input it is. */
static size_t escape_one(const unsigned char *text, size_t size, char out[static 6],
                         size_t *ret_size)
{
    size_t length = valid_part(text, size);
    if (text[0] < 0x80) {
        *ret_size = escape_ascii(text[0], out);
        return 1;
    }
    if (length == 0 || length < promised(text[0])) {
        memcpy(out, "\\ufffd", 6);
        *ret_size = 6;
        return 1;
    }
    if (length == 3 && text[0] == 0xe2 && text[1] == 0x80 && (text[2] & 0xfe) == 0xa8) {
        memcpy(out, text[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
        *ret_size = 6;
        return 3;
    }
    memcpy(out, text, length);
    *ret_size = length;
    return length;
}

size_t monitor_json_escape(const char *text, size_t size, size_t *ret_read, char *out, size_t room)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t in = 0, used = 0;
    while (in < size && used < room) {
        if (is_plain(bytes[in])) {
            out[used++] = (char)bytes[in++];
            continue;
        }
        char escape[6];
        size_t length, step = escape_one(bytes + in, size - in, escape, &length);
        if (length > room - used)
            break;
        memcpy(out + used, escape, length);
        used += length;
        in += step;
    }
    *ret_read = in;
    return used;
}

static char *put_digits(char *out, uint64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + count;
}

/* A day since 1970-01-01 as year, month, day of the proleptic Gregorian calendar: within eras of 400 years (146,097 days) that begin on
   1 March, so that the leap day is the last of its year. */
static void date_of(int64_t days, int64_t *ret_year, int64_t *ret_month, int64_t *ret_day)
{
    days += 719468; /* from 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* 0: March */
    *ret_day = of_year - (153 * month + 2) / 5 + 1;
    *ret_month = month < 10 ? month + 3 : month - 9;
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

size_t monitor_format_time(int64_t ns, char out[static 40])
{
    int64_t seconds = ns / 1000000000, rest = ns % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        seconds--;
    }
    int64_t days = seconds / 86400, of_day = seconds % 86400;
    if (of_day < 0) {
        of_day += 86400;
        days--;
    }
    int64_t year, month, day;
    date_of(days, &year, &month, &day);
    const uint64_t parts[] = { (uint64_t)month, (uint64_t)day, (uint64_t)of_day / 3600,
                               (uint64_t)of_day / 60 % 60, (uint64_t)of_day % 60 };
    char *end = put_digits(out, (uint64_t)year, 4);
    for (size_t i = 0; i < CL_COUNT(parts); i++) {
        *end++ = "--T::"[i];
        end = put_digits(end, parts[i], 2);
    }
    if (rest != 0) {
        *end++ = '.';
        end = put_digits(end, (uint64_t)rest, 9);
        while (end[-1] == '0')
            end--;
    }
    *end++ = 'Z';
    *end = '\0';
    return (size_t)(end - out);
}
