/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers, sizes and durations as people write them. Everything parses the whole string or fails; signs, blanks and
 * prefixes are accepted only where the header says so.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/str.h"

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Digits at *text; moves it past them. -EINVAL when there is none, -ERANGE when they do not fit. */
static int scan_digits(const char **text, uint64_t *ret)
{
    uint64_t value = 0;
    int result = is_digit(**text) ? 0 : -EINVAL;
    for (; is_digit(**text); (*text)++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(**text - '0'), &value))
            result = -ERANGE;
    }
    if (result == 0)
        *ret = value;
    return result;
}

int cl_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;
    if (text == NULL)
        return -EINVAL;
    int r = scan_digits(&text, &value);
    if (*text != '\0')
        return -EINVAL;
    if (r < 0)
        return r;
    if (value < min || value > max)
        return -ERANGE;
    *ret = value;
    return 0;
}

int cl_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    if (text == NULL)
        return -EINVAL;
    bool is_negative = *text == '-';
    uint64_t limit = is_negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX, magnitude;
    int r = cl_parse_u64(text + is_negative, 0, limit, &magnitude);
    if (r < 0)
        return r;
    int64_t value = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    if (value < min || value > max)
        return -ERANGE;
    *ret = value;
    return 0;
}

int cl_parse_pid(const char *text, pid_t *ret)
{
    uint64_t value;
    int r = cl_parse_u64(text, 1, INT_MAX, &value);
    if (r < 0)
        return r;
    *ret = (pid_t)value;
    return 0;
}

/* [.digits] as a fraction in 1e-18, later digits dropped; *ret_is_exact says whether any of those was not zero. */
static uint64_t scan_fraction(const char **text, bool *ret_is_exact)
{
    uint64_t value = 0, place = 100000000000000000U;
    *ret_is_exact = true;
    if (**text != '.')
        return 0;
    for ((*text)++; is_digit(**text); (*text)++) {
        if (place == 0 && **text != '0')
            *ret_is_exact = false;
        value += (uint64_t)(**text - '0') * place;
        place /= 10;
    }
    return value;
}

/* whole + fraction/1e18 times unit, cut to an integer. */
static int scale(uint64_t whole, uint64_t fraction, uint64_t unit, int64_t *ret)
{
    unsigned __int128 value =
        (unsigned __int128)whole * unit + (unsigned __int128)fraction * unit / 1000000000000000000U;
    if (value > INT64_MAX)
        return -ERANGE;
    *ret = (int64_t)value;
    return 0;
}

/* The shift of "", "b", "k", "kb", "kib", … or -1. */
static int byte_shift(const char *suffix)
{
    static const char units[] = "kmgtpe";
    char lower[4] = "";
    size_t length = strlen(suffix);
    if (length > 3)
        return -1;
    for (size_t i = 0; i < length; i++)
        lower[i] = (char)(suffix[i] >= 'A' && suffix[i] <= 'Z' ? suffix[i] + 32 : suffix[i]);
    if (length == 0 || cl_streq(lower, "b"))
        return 0;
    const char *unit = strchr(units, lower[0]);
    if (unit == NULL)
        return -1;
    if (lower[1] != '\0' && !cl_streq(lower + 1, "b") && !cl_streq(lower + 1, "ib"))
        return -1;
    return (int)(unit - units + 1) * 10;
}

int cl_parse_bytes(const char *text, int64_t *ret)
{
    uint64_t whole = 0;
    bool is_exact;
    if (text == NULL)
        return -EINVAL;
    int r = scan_digits(&text, &whole);
    if (r < 0 && r != -ERANGE)
        return r;
    uint64_t fraction = scan_fraction(&text, &is_exact);
    if (*text == ' ')
        text++;
    int shift = byte_shift(text);
    if (shift < 0)
        return -EINVAL;
    return r < 0 ? r : scale(whole, fraction, (uint64_t)1 << shift, ret);
}

int cl_parse_nano(const char *text, int64_t *ret)
{
    uint64_t whole = 0;
    bool is_exact;
    if (text == NULL)
        return -EINVAL;
    int r = 0;
    if (*text != '.' || !is_digit(text[1])) /* ".5" is fine, "." is not */
        r = scan_digits(&text, &whole);
    if (r == -EINVAL)
        return r;
    uint64_t fraction = scan_fraction(&text, &is_exact);
    if (*text != '\0')
        return -EINVAL;
    if (r < 0)
        return r;
    if (!is_exact || fraction % 1000000000U != 0)
        return -ERANGE; /* more precise than a billionth */
    return scale(whole, fraction, 1000000000U, ret);
}

/* The unit at *text in nanoseconds, moving past it; 0 when there is none. */
static uint64_t scan_duration_unit(const char **text)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {
        { "ns", 1 },           { "us", 1000 },      { "\302\265s", 1000 }, /* U+00B5 micro sign */
        { "\316\274s", 1000 },                                             /* U+03BC small mu */
        { "ms", 1000000 },     { "s", 1000000000 }, { "m", 60000000000 },  { "h", 3600000000000 },
    };
    for (size_t i = 0; i < CL_COUNT(units); i++) {
        if (cl_starts_with(*text, units[i].name)) {
            *text += strlen(units[i].name);
            return units[i].ns;
        }
    }
    return 0;
}

int cl_parse_duration(const char *text, int64_t *ret_ns)
{
    if (text == NULL)
        return -EINVAL;
    bool is_negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    int64_t sum = 0;
    if (cl_streq(text, "0")) {
        *ret_ns = 0;
        return 0;
    }
    if (*text == '\0')
        return -EINVAL;
    while (*text != '\0') {
        uint64_t whole = 0;
        int64_t part;
        bool is_exact, has_digits = is_digit(*text) || (*text == '.' && is_digit(text[1]));
        int r = is_digit(*text) ? scan_digits(&text, &whole) : 0;
        uint64_t fraction = scan_fraction(&text, &is_exact);
        uint64_t unit = scan_duration_unit(&text);
        if (!has_digits || unit == 0)
            return -EINVAL;
        if (r < 0 || scale(whole, fraction, unit, &part) < 0 ||
            __builtin_add_overflow(sum, part, &sum))
            return -ERANGE;
    }
    *ret_ns = is_negative ? -sum : sum;
    return 0;
}
