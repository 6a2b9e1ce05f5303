/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instants as RFC 3339 text, durations and sizes as Docker words them. No time zone data and no locale: everything is UTC.
 * The wording and rounding are those that users see from Docker (github.com/docker/go-units documents them).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/str.h"

#define NS_PER_SECOND 1000000000LL
#define ZERO_TIME     "0001-01-01T00:00:00Z"

int64_t cl_now_ns(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return 0;
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/* Days since 1970-01-01 of a day in the proleptic Gregorian calendar: years are counted from March, so that leap days are
   the last of their year, in eras of 400 years (146,097 days). */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* So many digits, and the character behind them; the end of that. */
static char *put_digits(char *at, int value, int count, char after)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    at[count] = after;
    return at + count + 1;
}

/* The end of what was written, which lacks its final Z. The years of an instant are 1677 to 2262. */
static char *write_time(int64_t ns, bool all_digits, char buffer[static 40])
{
    int64_t seconds = ns / NS_PER_SECOND, rest = ns % NS_PER_SECOND;
    if (rest < 0) {
        rest += NS_PER_SECOND;
        seconds--;
    }
    time_t when = (time_t)seconds;
    struct tm tm = { 0 };
    (void)gmtime_r(&when, &tm); /* fails only past the year 2^31 */
    char *at = put_digits(buffer, tm.tm_year + 1900, 4, '-');
    at = put_digits(at, tm.tm_mon + 1, 2, '-');
    at = put_digits(at, tm.tm_mday, 2, 'T');
    at = put_digits(at, tm.tm_hour, 2, ':');
    at = put_digits(at, tm.tm_min, 2, ':');
    at = put_digits(at, tm.tm_sec, 2, '.');
    if (rest == 0 && !all_digits)
        return at - 1;
    at = put_digits(at, (int)rest, 9, '\0') - 1;
    while (!all_digits && at[-1] == '0')
        at--;
    return at;
}

void cl_format_time(int64_t ns, char buffer[static 40])
{
    if (ns == 0)
        (void)cl_print(buffer, 40, ZERO_TIME); /* fits */
    else
        memcpy(write_time(ns, false, buffer), "Z", 2);
}

void cl_format_time_wide(int64_t ns, char buffer[static 40])
{
    memcpy(write_time(ns, true, buffer), "Z", 2);
}

/* Exactly `count` digits at *text, then `after` (unless NUL); false when something else is there. */
static bool take_digits(const char **text, int count, char after, int *ret)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        value = value * 10 + (**text - '0');
    }
    if (after != '\0' && *(*text)++ != after)
        return false;
    *ret = value;
    return true;
}

/* "Z", "+hh:mm" or "-hh:mm" to the end of text. */
static bool take_offset(const char *text, int64_t *ret_seconds)
{
    int hours, minutes;
    char sign = *text++;
    if (sign == 'Z' || sign == 'z') {
        *ret_seconds = 0;
        return *text == '\0';
    }
    if ((sign != '+' && sign != '-') || !take_digits(&text, 2, ':', &hours) ||
        !take_digits(&text, 2, '\0', &minutes) || *text != '\0' || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = (sign == '-' ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
    return true;
}

static bool take_fraction(const char **text, int64_t *ret_ns)
{
    int64_t place = NS_PER_SECOND / 10, ns = 0;
    if (**text == '.') {
        (*text)++;
        if (**text < '0' || **text > '9')
            return false;
        for (; **text >= '0' && **text <= '9'; (*text)++) {
            ns += (**text - '0') * place;
            place /= 10;
        }
    }
    *ret_ns = ns;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

int cl_parse_time(const char *text, int64_t *ret_ns)
{
    int year, month, day, hour, minute, second;
    int64_t fraction, offset;
    if (text == NULL)
        return -EINVAL;
    if (cl_streq(text, ZERO_TIME)) {
        *ret_ns = 0;
        return 0;
    }
    if (!take_digits(&text, 4, '-', &year) || !take_digits(&text, 2, '-', &month) ||
        !take_digits(&text, 2, '\0', &day) || (*text != 'T' && *text != 't'))
        return -EINVAL;
    text++;
    if (!take_digits(&text, 2, ':', &hour) || !take_digits(&text, 2, ':', &minute) ||
        !take_digits(&text, 2, '\0', &second) || !take_fraction(&text, &fraction) ||
        !take_offset(text, &offset))
        return -EINVAL;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
        minute > 59 || second > 59)
        return -EINVAL;
    int64_t seconds =
        days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    int64_t ns;
    if (__builtin_mul_overflow(seconds, NS_PER_SECOND, &ns) ||
        __builtin_add_overflow(ns, fraction, &ns))
        return -ERANGE;
    *ret_ns = ns;
    return 0;
}

void cl_human_duration(int64_t ns, char buffer[static 40])
{
    int64_t seconds = ns / NS_PER_SECOND, minutes = seconds / 60;
    int64_t hours = (ns / (NS_PER_SECOND * 60) + 30) / 60; /* to the nearest */
    const char *fixed = NULL, *unit = "seconds";
    int64_t count = seconds;
    if (seconds < 1) {
        fixed = "Less than a second";
    } else if (seconds == 1) {
        fixed = "1 second";
    } else if (seconds >= 60 && minutes == 1) {
        fixed = "About a minute";
    } else if (seconds >= 60 && minutes < 60) {
        unit = "minutes";
        count = minutes;
    } else if (minutes >= 60 && hours == 1) {
        fixed = "About an hour";
    } else if (minutes >= 60 && hours < 48) {
        unit = "hours";
        count = hours;
    } else if (minutes >= 60 && hours < 24 * 7 * 2) {
        unit = "days";
        count = hours / 24;
    } else if (minutes >= 60 && hours < 24 * 30 * 2) {
        unit = "weeks";
        count = hours / 24 / 7;
    } else if (minutes >= 60 && hours < 24 * 365 * 2) {
        unit = "months";
        count = hours / 24 / 30;
    } else if (minutes >= 60) {
        unit = "years";
        count = minutes / 60 / 24 / 365;
    }
    if (fixed != NULL)
        (void)cl_print(buffer, 40, "%s", fixed); /* all fit */
    else
        (void)cl_print(buffer, 40, "%lld %s", (long long)count, unit);
}

static void human(int64_t bytes, double base, int digits, const char *const units[9],
                  char buffer[static 40])
{
    double size = (double)bytes;
    size_t unit = 0;
    while (size >= base && unit < 8) {
        size /= base;
        unit++;
    }
    (void)cl_print(buffer, 40, "%.*g%s", digits, size,
                   units[unit]); /* at most 10 digits and 3 letters */
    char *comma = strchr(buffer, ',');
    if (comma != NULL)
        *comma = '.'; /* a program may have set LC_NUMERIC */
}

void cl_human_size(int64_t bytes, int digits, char buffer[static 40])
{
    static const char *const units[9] = { "B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB" };
    human(bytes, 1000, digits, units, buffer);
}

void cl_human_bytes(int64_t bytes, char buffer[static 40])
{
    static const char *const units[9] = { "B",   "KiB", "MiB", "GiB", "TiB",
                                          "PiB", "EiB", "ZiB", "YiB" };
    human(bytes, 1024, 4, units, buffer);
}

int cl_random_hex(char *buffer, size_t bytes)
{
    size_t done = 0;
    /* The raw bytes sit in the upper half of the buffer, which writing the digits upwards reaches only after reading them. */
    unsigned char *raw = (unsigned char *)buffer + bytes;
    while (done < bytes) {
        ssize_t n = getrandom(raw + done, bytes - done, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = raw[i];
        buffer[2 * i] = "0123456789abcdef"[byte >> 4];
        buffer[2 * i + 1] = "0123456789abcdef"[byte & 15];
    }
    buffer[2 * bytes] = '\0';
    return 0;
}
