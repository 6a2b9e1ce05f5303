/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory, ownership and the two hooks by which tests make trouble.
 *
 * Ownership is written in types: `const T *` in is borrowed, `T *` out is owned, `take_x` says that ownership moves,
 * `ret_x` names an output, which is written on success only. Every destructor takes NULL.
 *
 * All allocation in the project goes through these functions, because the fault tests make the Nth of them fail
 * (CLOCHE_TEST_FAIL_ALLOC=N). They return NULL on failure; callers report -ENOMEM.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"

void *cl_malloc(size_t size);               /* not zeroed */
void *cl_calloc(size_t count, size_t size); /* zeroed; NULL on overflow */
void *cl_realloc(void *ptr, size_t size);   /* ptr stays valid on failure */
char *cl_strdup(const char *text);          /* NULL in: NULL out */
char *cl_strndup(const char *text, size_t length);
char *cl_format(const char *fmt, ...)
    CL_PRINTF(1, 2); /* asprintf that returns the string or NULL */

/* *ret = a * b; false (and *ret untouched) on overflow. Sizes from outside pass through here. */
bool cl_mul_size(size_t a, size_t b, size_t *ret);
bool cl_add_size(size_t a, size_t b, size_t *ret);

static inline void cl_free_pointer(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

/* CL_AUTO(thing_free) struct thing *t = NULL;   calls thing_free(t) at the end of the scope. */
#define cl_auto_free      __attribute__((cleanup(cl_free_pointer)))
#define CL_AUTO(function) __attribute__((cleanup(function##_auto)))
#define CL_DEFINE_AUTO(type, function)                                                             \
    static inline void function##_auto(type **pointer)                                             \
    {                                                                                              \
        if (*pointer != NULL)                                                                      \
            function(*pointer);                                                                    \
    }

/* Hand a pointer on: yields its value and leaves NULL behind. */
#define cl_take(pointer)                                                                           \
    __extension__({                                                                                \
        __auto_type cl_taken_ = (pointer);                                                         \
        (pointer) = NULL;                                                                          \
        cl_taken_;                                                                                 \
    })

#define CL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Test points. A point is a named place between two changes of the world, e.g. cl_test_point("engine", "claimed").
 * In ordinary life it does nothing (one load and a branch). With CLOCHE_TEST_KILL=ROLE:N in the environment the
 * Nth point that a process of that role passes kills the process with SIGKILL; with CLOCHE_TEST_KILL=ROLE:NAME the
 * point of that name does; several are separated by commas. Recovery tests walk N upward until a run survives, so no list of points can go stale.
 * The variable is read once, on the first call in a process; cl_test_role(role) is how a forked process says that
 * it has become another role (its count starts at 0 again). Who dies writes "ROLE NAME" to the file that
 * CLOCHE_TEST_KILL_LOG names, if there is such a file (in a container's own root there is none).
 * Roles: "cloche" (the command), "parent" (the forked parent of a container's init, until it becomes the monitor),
 * "init" (the child), "monitor", "transfer".
 */
void cl_test_role(const char *role);
void cl_test_point(const char *name);
