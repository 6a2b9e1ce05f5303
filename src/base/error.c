/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors as values: filling, prefixing and hinting a struct cl_error.
 *
 * Nothing here allocates, so all of it may run in a child made by clone3() before exec. The text is kept one line of
 * valid UTF-8 whatever was formatted into it (names of files and containers are hostile text); what does not fit is cut
 * from the formatted part, never from the cause at the end.
 */
#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static enum cl_kind kind_of(int errnum)
{
    switch (errnum) {
    case EPERM:
    case EACCES:
        return CL_KIND_DENIED;
    case ENOENT:
        return CL_KIND_NOT_FOUND;
    case EEXIST:
        return CL_KIND_CONFLICT;
    case ENOSYS:
    case EOPNOTSUPP:
        return CL_KIND_UNSUPPORTED;
    default:
        return CL_KIND_SYSTEM;
    }
}

/* Make text[from…] one line of UTF-8 in place; a sequence that was cut off at the end is dropped. */
static void clean(char *text)
{
    size_t out = 0, size = strlen(text);
    for (size_t in = 0; in < size;) {
        uint32_t point;
        size_t used = cl_utf8_decode(text + in, size - in, &point);
        if (used == 0 && cl_utf8_is_cut(text + in, size - in))
            break;
        if (used == 0 || point < 0x20 || point == 0x7f) {
            bool is_blank = text[in] == '\n' || text[in] == '\t';
            text[out++] = is_blank ? ' ' : '?';
            in++;
            continue;
        }
        memmove(text + out, text + in, used);
        out += used;
        in += used;
    }
    text[out] = '\0';
}

__attribute__((format(printf, 3, 0))) static void format_clean(char *text, size_t size,
                                                               const char *fmt, va_list args)
{
    if (vsnprintf(text, size, fmt, args) < 0)
        text[0] = '\0';
    clean(text);
}

/* A zero errno means that somebody asked too late; an error must never look like success. */
static int positive(int errnum)
{
    if (errnum == 0 || errnum == -errnum)
        return EIO;
    return errnum < 0 ? -errnum : errnum;
}

int cl_fail(struct cl_error *err, int errnum, const char *fmt, ...)
{
    errnum = positive(errnum);
    if (err == NULL)
        return -errnum;
    const char *cause = cl_errno_text(errnum);
    size_t room = sizeof err->text - strlen(cause) - 2;
    va_list args;
    va_start(args, fmt);
    format_clean(err->text, room, fmt, args);
    va_end(args);
    size_t length = strlen(err->text);
    snprintf(err->text + length, sizeof err->text - length, ": %s", cause);
    err->code = -errnum;
    err->kind = kind_of(errnum);
    return err->code;
}

int cl_fail_kind(struct cl_error *err, enum cl_kind kind, int errnum, const char *fmt, ...)
{
    errnum = positive(errnum);
    if (err == NULL)
        return -errnum;
    va_list args;
    va_start(args, fmt);
    format_clean(err->text, sizeof err->text, fmt, args);
    va_end(args);
    err->code = -errnum;
    err->kind = kind;
    return err->code;
}

static int code_of(const struct cl_error *err)
{
    return err == NULL || err->code >= 0 ? -EIO : err->code;
}

int cl_error_prefix(struct cl_error *err, const char *fmt, ...)
{
    if (err == NULL || err->code >= 0)
        return code_of(err);
    char prefix[sizeof err->text / 2];
    va_list args;
    va_start(args, fmt);
    format_clean(prefix, sizeof prefix - 2, fmt, args);
    va_end(args);
    size_t length = strlen(prefix);
    memcpy(prefix + length, ": ", 2);
    length += 2;
    size_t rest = strnlen(err->text, sizeof err->text - 1);
    if (rest > sizeof err->text - 1 - length)
        rest = sizeof err->text - 1 - length;
    memmove(err->text + length, err->text, rest);
    memcpy(err->text, prefix, length);
    err->text[length + rest] = '\0';
    clean(err->text);
    return err->code;
}

int cl_error_hint(struct cl_error *err, const char *fmt, ...)
{
    if (err == NULL || err->code >= 0)
        return code_of(err);
    char hint[sizeof err->text - 2];
    va_list args;
    va_start(args, fmt);
    format_clean(hint, sizeof hint, fmt, args);
    va_end(args);
    size_t length = strnlen(err->text, sizeof err->text - 1);
    snprintf(err->text + length, sizeof err->text - length, "; %s", hint);
    clean(err->text);
    return err->code;
}

int cl_error_exit_code(const struct cl_error *err)
{
    if (err != NULL && err->kind == CL_KIND_NOT_EXECUTABLE)
        return 126;
    if (err != NULL && err->kind == CL_KIND_NO_COMMAND)
        return 127;
    return 125;
}
