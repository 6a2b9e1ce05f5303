/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8, terminal width, terminal escaping and spelling suggestions.
 *
 * Width comes from two tables of our own (zero-width marks; East Asian wide and emoji, after Unicode 15 UAX #11), not from
 * wcwidth(3), which answers -1 for everything past ASCII in the C locale, where containers' tools mostly run.
 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct range {
    uint32_t first, last;
};

static const struct range zero_ranges[] = {
    { 0x0300, 0x036f },   { 0x0483, 0x0489 },   { 0x0591, 0x05bd }, { 0x05bf, 0x05bf },
    { 0x05c1, 0x05c2 },   { 0x05c4, 0x05c5 },   { 0x0610, 0x061a }, { 0x064b, 0x065f },
    { 0x0670, 0x0670 },   { 0x06d6, 0x06dc },   { 0x06df, 0x06e4 }, { 0x06e7, 0x06e8 },
    { 0x06ea, 0x06ed },   { 0x0711, 0x0711 },   { 0x0730, 0x074a }, { 0x07a6, 0x07b0 },
    { 0x07eb, 0x07f3 },   { 0x0816, 0x0819 },   { 0x081b, 0x0823 }, { 0x0825, 0x0827 },
    { 0x0829, 0x082d },   { 0x0859, 0x085b },   { 0x08d3, 0x08e1 }, { 0x08e3, 0x0902 },
    { 0x093a, 0x093a },   { 0x093c, 0x093c },   { 0x0941, 0x0948 }, { 0x094d, 0x094d },
    { 0x0e31, 0x0e31 },   { 0x0e34, 0x0e3a },   { 0x0e47, 0x0e4e }, { 0x0eb1, 0x0eb1 },
    { 0x0eb4, 0x0ebc },   { 0x0ec8, 0x0ecd },   { 0x1160, 0x11ff }, { 0x1ab0, 0x1aff },
    { 0x1dc0, 0x1dff },   { 0x200b, 0x200f },   { 0x202a, 0x202e }, { 0x2060, 0x2064 },
    { 0x2066, 0x206f },   { 0x20d0, 0x20f0 },   { 0x302a, 0x302d }, { 0x3099, 0x309a },
    { 0xfe00, 0xfe0f },   { 0xfe20, 0xfe2f },   { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
    { 0xe0001, 0xe007f }, { 0xe0100, 0xe01ef },
};

static const struct range wide_ranges[] = {
    { 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x2329, 0x232a },   { 0x23e9, 0x23ec },
    { 0x23f0, 0x23f0 },   { 0x23f3, 0x23f3 },   { 0x25fd, 0x25fe },   { 0x2614, 0x2615 },
    { 0x2648, 0x2653 },   { 0x267f, 0x267f },   { 0x2693, 0x2693 },   { 0x26a1, 0x26a1 },
    { 0x26aa, 0x26ab },   { 0x26bd, 0x26be },   { 0x26c4, 0x26c5 },   { 0x26ce, 0x26ce },
    { 0x26d4, 0x26d4 },   { 0x26ea, 0x26ea },   { 0x26f2, 0x26f3 },   { 0x26f5, 0x26f5 },
    { 0x26fa, 0x26fa },   { 0x26fd, 0x26fd },   { 0x2705, 0x2705 },   { 0x270a, 0x270b },
    { 0x2728, 0x2728 },   { 0x274c, 0x274c },   { 0x274e, 0x274e },   { 0x2753, 0x2755 },
    { 0x2757, 0x2757 },   { 0x2795, 0x2797 },   { 0x27b0, 0x27b0 },   { 0x27bf, 0x27bf },
    { 0x2b1b, 0x2b1c },   { 0x2b50, 0x2b50 },   { 0x2b55, 0x2b55 },   { 0x2e80, 0x3029 },
    { 0x302e, 0x303e },   { 0x3041, 0x3098 },   { 0x309b, 0x33ff },   { 0x3400, 0x4dbf },
    { 0x4e00, 0xa4cf },   { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
    { 0xfe10, 0xfe19 },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },
    { 0x16fe0, 0x18aff }, { 0x1b000, 0x1b2ff }, { 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf },
    { 0x1f18e, 0x1f18e }, { 0x1f191, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f335 },
    { 0x1f337, 0x1f37c }, { 0x1f37e, 0x1f393 }, { 0x1f3a0, 0x1f3ca }, { 0x1f3cf, 0x1f3d3 },
    { 0x1f3e0, 0x1f3f0 }, { 0x1f3f4, 0x1f3f4 }, { 0x1f3f8, 0x1f43e }, { 0x1f440, 0x1f440 },
    { 0x1f442, 0x1f4fc }, { 0x1f4ff, 0x1f53d }, { 0x1f54b, 0x1f54e }, { 0x1f550, 0x1f567 },
    { 0x1f57a, 0x1f57a }, { 0x1f595, 0x1f596 }, { 0x1f5a4, 0x1f5a4 }, { 0x1f5fb, 0x1f64f },
    { 0x1f680, 0x1f6c5 }, { 0x1f6cc, 0x1f6cc }, { 0x1f6d0, 0x1f6d2 }, { 0x1f6d5, 0x1f6d7 },
    { 0x1f6dc, 0x1f6df }, { 0x1f6eb, 0x1f6ec }, { 0x1f6f4, 0x1f6fc }, { 0x1f7e0, 0x1f7eb },
    { 0x1f7f0, 0x1f7f0 }, { 0x1f90c, 0x1f93a }, { 0x1f93c, 0x1f945 }, { 0x1f947, 0x1f9ff },
    { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

size_t cl_utf8_decode(const char *text, size_t size, uint32_t *ret_point)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (size == 0)
        return 0;
    unsigned char lead = (unsigned char)text[0];
    if (lead < 0x80) {
        *ret_point = lead;
        return 1;
    }
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size < length)
        return 0;
    uint32_t point = lead & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (next & 0x3f);
    }
    if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *ret_point = point;
    return length;
}

bool cl_utf8_is_cut(const char *text, size_t size)
{
    if (size == 0 || size > 3)
        return false;
    unsigned char lead = (unsigned char)text[0];
    size_t length = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return false;
    }
    return size < length;
}

size_t cl_utf8_encode(uint32_t point, char out[static 4])
{
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        point = 0xfffd;
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    out[0] = (char)((0xf00U >> length) | point);
    return length;
}

static bool in_ranges(uint32_t point, const struct range *ranges, size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (point > ranges[middle].last)
            low = middle + 1;
        else if (point < ranges[middle].first)
            high = middle;
        else
            return true;
    }
    return false;
}

unsigned cl_point_cells(uint32_t point)
{
    if (point < 0x20 || (point >= 0x7f && point < 0xa0))
        return 0;
    if (point < 0x300)
        return 1;
    if (in_ranges(point, zero_ranges, CL_COUNT(zero_ranges)))
        return 0;
    return in_ranges(point, wide_ranges, CL_COUNT(wide_ranges)) ? 2 : 1;
}

/* How much from here on is printable ASCII, as nearly everything is: a cell each, and harmless. */
static size_t plain_length(const char *text, size_t size)
{
    const uint64_t ones = 0x0101010101010101u;
    size_t length = 0;
    for (uint64_t word; size - length >= sizeof word; length += sizeof word) {
        memcpy(&word, text + length, sizeof word);
        /* The highest bit of a byte: it is below ' ', or 0x7f, or above. */
        if ((((word - ones * ' ') | (word + ones) | word) & ones * 0x80) != 0)
            break;
    }
    while (length < size && text[length] >= ' ' && text[length] < 0x7f)
        length++;
    return length;
}

size_t cl_text_cells(const char *text)
{
    size_t size = strlen(text), cells = plain_length(text, size);
    for (size_t i = cells; i < size;) {
        uint32_t point = 0;
        size_t used = cl_utf8_decode(text + i, size - i, &point);
        cells += used == 0 ? 1 : cl_point_cells(point);
        i += used == 0 ? 1 : used;
    }
    return cells;
}

/* Line and paragraph separators and the bidirectional overrides reorder what a person sees (CVE-2021-42574). */
static bool is_hostile(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029 ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

void cl_buf_terminal(struct cl_buf *buf, const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size;) {
        uint32_t point = 0;
        size_t length = plain_length(text + i, size - i);
        if (length == 0)
            length = cl_utf8_decode(text + i, size - i, &point);
        if (length != 0 && (point == 0 || !is_hostile(point))) {
            cl_buf_add(buf, text + i, length);
            i += length;
            continue;
        }
        for (size_t end = i + (length == 0 ? 1 : length); i < end; i++)
            cl_buf_printf(buf, "\\x%02x", (unsigned char)text[i]);
    }
}

char *cl_escape_terminal(const char *text)
{
    struct cl_buf buf = CL_BUF_INIT(SIZE_MAX / 4);
    if (text == NULL)
        return NULL;
    cl_buf_terminal(&buf, text);
    return cl_buf_take(&buf);
}

enum { CLOSEST_MAX = 64 };

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost 1. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][CLOSEST_MAX + 1];
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *now = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[a_size % 3][b_size];
}

const char *cl_closest(const char *text, const char *const *words, size_t count)
{
    size_t size = text == NULL ? 0 : strlen(text);
    if (size == 0 || size > CLOSEST_MAX)
        return NULL;
    const char *closest = NULL;
    size_t least = 3;
    for (size_t i = 0; i < count; i++) {
        size_t word_size = words[i] == NULL ? 0 : strlen(words[i]);
        if (word_size == 0 || word_size > CLOSEST_MAX)
            continue;
        size_t steps = distance(text, size, words[i], word_size);
        if (steps < least && steps * 2 < size) {
            least = steps;
            closest = words[i];
        }
    }
    return closest;
}
