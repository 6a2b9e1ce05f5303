/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an expression comes to when its repetitions are written out is added up in one pass: for each open group a sum, and the part that a repetition
 * would apply to; with each how deep endless repetitions stand in one another, as the time they take doubles with each. Where the pattern is none, regcomp
 * says so; until there the sum is only a guess.
 */
#include "base/regex.h"

#include <errno.h>
#include <stdint.h>

#include "base/str.h"

enum { PARTS_MAX = 2000, ENDLESS_MAX = 3, GROUPS_MAX = 64, REPEAT_MAX = 32767 /* RE_DUP_MAX */ };

struct part {
    uint64_t size;
    unsigned endless;
};
struct estimate {
    struct part sums[GROUPS_MAX];
    unsigned depth;
    struct part last; /* the part before here, not in the sum yet */
};

static void add(struct part *sum, const struct part *part)
{
    sum->size += part->size;
    if (part->endless > sum->endless)
        sum->endless = part->endless;
}

static void add_part(struct estimate *estimate, uint64_t size)
{
    add(&estimate->sums[estimate->depth], &estimate->last);
    estimate->last = (struct part){ .size = size };
}

static bool open_group(struct estimate *estimate)
{
    add_part(estimate, 0);
    if (estimate->depth + 1 == GROUPS_MAX)
        return false;
    estimate->sums[++estimate->depth] = (struct part){ 0 };
    return true;
}

/* Without a group to close it is a character. */
static void close_group(struct estimate *estimate)
{
    add_part(estimate, 1);
    if (estimate->depth > 0)
        add(&estimate->last, &estimate->sums[estimate->depth--]);
}

static void repeat(struct part *part, uint64_t times, bool is_endless)
{
    part->size = part->size * times + 1;
    part->endless += is_endless;
}

/* At the last character of "[...]", where a "]" at the beginning is one of its own, and so is one in "[:class:]". */
static const char *skip_bracket(const char *at)
{
    at += at[1] == '^' ? 2 : 1;
    at += *at == ']';
    for (; *at != '\0' && *at != ']'; at++) {
        char kind = at[0] == '[' ? at[1] : '\0';
        if (kind != ':' && kind != '.' && kind != '=')
            continue;
        const char end[] = { kind, ']', '\0' };
        const char *close = strstr(at + 2, end);
        if (close == NULL)
            return NULL;
        at = close + 1;
    }
    return *at == ']' ? at : NULL;
}

static const char *read_number(const char *at, uint64_t *ret)
{
    for (*ret = 0; *at >= '0' && *at <= '9'; at++)
        if (*ret <= REPEAT_MAX)
            *ret = *ret * 10 + (uint64_t)(*at - '0');
    return at;
}

/* "{3}", "{3,}", "{,5}", "{3,5}": at the last character. */
static const char *read_interval(struct estimate *estimate, const char *at)
{
    uint64_t least, most;
    const char *end = read_number(at + 1, &least);
    bool is_endless = end[0] == ',' && end[1] == '}';
    most = least;
    if (*end == ',')
        end = read_number(end + 1, &most);
    if (*end != '}') {
        add_part(estimate, 1); /* a character */
        return at;
    }
    repeat(&estimate->last, (most > least ? most : least) + is_endless, is_endless);
    return end;
}

static bool is_bounded(const struct part *part)
{
    return part->size <= PARTS_MAX && part->endless <= ENDLESS_MAX;
}

static bool fits(const char *pattern)
{
    struct estimate estimate = { 0 };
    for (const char *at = pattern; *at != '\0'; at++) {
        const char *end = at;
        bool is_open = true;
        switch (*at) {
        case '(':
            is_open = open_group(&estimate);
            break;
        case ')':
            close_group(&estimate);
            break;
        case '+':
            repeat(&estimate.last, 2, true);
            break;
        case '*':
            repeat(&estimate.last, 1, true);
            break;
        case '?':
            repeat(&estimate.last, 1, false);
            break;
        case '{':
            end = read_interval(&estimate, at);
            break;
        case '[':
            add_part(&estimate, 1);
            end = skip_bracket(at);
            break;
        case '\\':
            add_part(&estimate, 1);
            end = at[1] == '\0' ? at : at + 1;
            break;
        default:
            add_part(&estimate, 1);
            break;
        }
        if (!is_open || !is_bounded(&estimate.last) || !is_bounded(&estimate.sums[estimate.depth]))
            return false;
        if (end == NULL)
            return true; /* regcomp refuses it */
        at = end;
    }
    return true;
}

int cl_regex_compile(regex_t *ret, const char *pattern)
{
    if (!fits(pattern))
        return -E2BIG;
    int code = regcomp(ret, pattern, REG_EXTENDED | REG_NOSUB);
    return code == 0 ? 0 : code == REG_ESPACE ? -ENOMEM : -EINVAL;
}

const char *cl_regex_error(int result)
{
    return result == -E2BIG    ? "has repetitions that come to too much"
           : result == -ENOMEM ? "has taken all memory"
                               : "is no extended regular expression";
}
