/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of CPUs and memory nodes as the kernel writes them, "0-3,7" (cpuset(7) "List format"), to sets of bits.
 */
#include "oci/names.h"

#include "oci/spec_private.h"

#include <errno.h>

/* A number of the list; *text moves behind it. */
static bool take_number(const char **text, uint64_t *ret)
{
    const char *p = *text;
    uint64_t number = 0;
    for (; *p >= '0' && *p <= '9' && number < UINT32_MAX; p++)
        number = number * 10 + (uint64_t)(*p - '0');
    bool is_number = p != *text;
    *text = p;
    *ret = number;
    return is_number;
}

/* "N" or "N-M". */
static int take_range(const char **text, uint64_t *ret_first, uint64_t *ret_last)
{
    if (!take_number(text, ret_first))
        return -EINVAL;
    *ret_last = *ret_first;
    if (**text != '-')
        return 0;
    (*text)++;
    return take_number(text, ret_last) && *ret_last >= *ret_first ? 0 : -EINVAL;
}

int oci_number_list(const char *text, unsigned long *ret_bits, size_t bit_count)
{
    bool has_wide = false;
    if (ret_bits != NULL)
        memset(ret_bits, 0, bit_count / 8);
    while (*text != '\0') {
        uint64_t first, last;
        if (take_range(&text, &first, &last) < 0)
            return -EINVAL;
        has_wide = has_wide || last >= bit_count;
        for (uint64_t i = first; ret_bits != NULL && i <= last && i < bit_count; i++)
            ret_bits[i / OCI_LONG_BITS] |= 1UL << i % OCI_LONG_BITS;
        if (*text == '\0')
            break;
        if (*text++ != ',' || *text == '\0')
            return -EINVAL;
    }
    return has_wide ? -ERANGE : 0;
}

bool oci_is_cpu_list(const char *text)
{
    return oci_number_list(text, NULL, SIZE_MAX) >= 0;
}
