/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors as values.
 *
 * Every fallible function of the project returns int: >= 0 is good, a negative errno is bad. Its last parameter
 * is a `struct cl_error *err` that belongs to the caller and may be NULL. `err` is set exactly when the return is
 * negative. The value is flat (no pointers), so it survives clone() and travels through a socket unchanged.
 *
 * A message names the object and the attempt, starts in lower case and has no final stop. Context is added where
 * an error crosses a room's border (cl_error_prefix). Only programs print.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* What an error means to the person who reads it; mapped once to an exit code and (later) to an HTTP status. */
enum cl_kind {
    CL_KIND_NONE = 0,
    CL_KIND_SYSTEM,         /* the kernel or the machine said no */
    CL_KIND_USAGE,          /* a flag or argument that can't be understood */
    CL_KIND_INVALID,        /* understood, but not a legal value or document */
    CL_KIND_NOT_FOUND,      /* no such container, image, … */
    CL_KIND_CONFLICT,       /* name in use, wrong state, ambiguous prefix */
    CL_KIND_DENIED,         /* not permitted */
    CL_KIND_UNSUPPORTED,    /* this host or this build can't */
    CL_KIND_CORRUPT,        /* stored data is not what its digest or schema says */
    CL_KIND_NOT_EXECUTABLE, /* the container's command can't be executed: exit code 126 */
    CL_KIND_NO_COMMAND,     /* the container's command does not exist: exit code 127 */
};

struct cl_error {
    int code; /* negative errno */
    enum cl_kind kind;
    char text[480]; /* NUL-terminated UTF-8, one line, without final stop */
};

#define CL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* "No such file or directory" for ENOENT or -ENOENT; never NULL, never allocates. */
const char *cl_errno_text(int errnum);

/*
 * Fill `err` from an errno value (its sign is ignored, so `errno` and `-EIO` both do) and return it negative.
 * The text becomes "FORMATTED: STRERROR". The kind follows from the errno (EPERM/EACCES: DENIED, ENOENT: NOT_FOUND,
 * EEXIST: CONFLICT, ENOSYS/EOPNOTSUPP: UNSUPPORTED, else SYSTEM). Never returns 0: a zero errno counts as EIO.
 */
int cl_fail(struct cl_error *err, int errnum, const char *fmt, ...) CL_PRINTF(3, 4);

/* The same with the kind given and no strerror appended: the text is the whole message, with its way out. */
int cl_fail_kind(struct cl_error *err, enum cl_kind kind, int errnum, const char *fmt, ...)
    CL_PRINTF(4, 5);

/* Put "PREFIX: " before the text. Does nothing when err is NULL or unset. Returns err->code, or -EIO where err is NULL
   or unset, so never 0. */
int cl_error_prefix(struct cl_error *err, const char *fmt, ...) CL_PRINTF(2, 3);

/* Append ": HINT" or " (HINT)" is not done by hand: this adds "; HINT" to the text. Returns err->code like the above. */
int cl_error_hint(struct cl_error *err, const char *fmt, ...) CL_PRINTF(2, 3);

/* Shell exit code for a failure of `cloche` itself: 126 and 127 for the two exec kinds, otherwise 125. */
int cl_error_exit_code(const struct cl_error *err);
