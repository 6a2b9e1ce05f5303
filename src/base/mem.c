/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation with the fault hook. The hook's state is the count of allocations since the process began, and is read from the
 * environment once; a process without CLOCHE_TEST_FAIL_ALLOC pays one load and a branch.
 */
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum { FAULT_UNREAD, FAULT_OFF, FAULT_ON };
static int fault_state; /* threads that race here all store the same value */
static uint64_t fault_at, fault_count;

static void read_fault(void)
{
    uint64_t at;
    const char *text = cl_env_own("CLOCHE_TEST_FAIL_ALLOC");
    if (text != NULL && cl_parse_u64(text, 1, UINT64_MAX, &at) == 0) {
        fault_at = at;
        __atomic_store_n(&fault_state, FAULT_ON, __ATOMIC_RELEASE);
    } else {
        __atomic_store_n(&fault_state, FAULT_OFF, __ATOMIC_RELEASE);
    }
}

/* Counts one allocation; true when the fault tests want this one to fail. */
static bool alloc_fails(void)
{
    int state = __atomic_load_n(&fault_state, __ATOMIC_ACQUIRE);
    if (__builtin_expect(state == FAULT_OFF, 1))
        return false;
    if (state == FAULT_UNREAD) {
        read_fault();
        return alloc_fails();
    }
    return __atomic_add_fetch(&fault_count, 1, __ATOMIC_RELAXED) == fault_at;
}

/* A request for nothing still yields a pointer, so NULL always means failure. */
void *cl_malloc(size_t size)
{
    return alloc_fails() ? NULL : malloc(size == 0 ? 1 : size);
}

void *cl_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (alloc_fails() ||
        !cl_mul_size(count, size, &bytes)) /* calloc's own check aborts under sanitizers */
        return NULL;
    return calloc(1, bytes == 0 ? 1 : bytes);
}

void *cl_realloc(void *ptr, size_t size)
{
    return alloc_fails() ? NULL : realloc(ptr, size == 0 ? 1 : size);
}

char *cl_strdup(const char *text)
{
    return text == NULL ? NULL : cl_strndup(text, strlen(text));
}

char *cl_strndup(const char *text, size_t length)
{
    if (text == NULL)
        return NULL;
    length = strnlen(text, length);
    char *copy = cl_malloc(length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *cl_format(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (length < 0)
        return NULL;
    char *text = cl_malloc((size_t)length + 1);
    if (text == NULL)
        return NULL;
    va_start(args, fmt);
    vsnprintf(text, (size_t)length + 1, fmt, args);
    va_end(args);
    return text;
}

bool cl_mul_size(size_t a, size_t b, size_t *ret)
{
    size_t result;
    if (__builtin_mul_overflow(a, b, &result))
        return false;
    *ret = result;
    return true;
}

bool cl_add_size(size_t a, size_t b, size_t *ret)
{
    size_t result;
    if (__builtin_add_overflow(a, b, &result))
        return false;
    *ret = result;
    return true;
}
