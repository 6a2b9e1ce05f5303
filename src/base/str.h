/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings, string vectors, growing buffers, strict number parsing, Docker's human units.
 */
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include "base/mem.h"

static inline bool cl_streq(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}
bool cl_starts_with(const char *text, const char *prefix);
bool cl_ends_with(const char *text, const char *suffix);
/* snprintf into a fixed array that reports truncation: 0, or -ENAMETOOLONG with the text cut. */
int cl_print(char *buffer, size_t size, const char *fmt, ...) CL_PRINTF(3, 4);
#define CL_PRINT(array, ...) cl_print((array), sizeof(array), __VA_ARGS__)

/* The decimal digits and a NUL; how many digits. For where a printf is felt. */
size_t cl_print_u64(uint64_t number, char buffer[static 21]);

/* NULL-terminated vectors of owned strings ("strv"). A NULL vector is an empty one. */
size_t cl_strv_count(const char *const *vector);
int cl_strv_append(char ***vector, const char *text);     /* copies; 0 or -ENOMEM */
int cl_strv_append_take(char ***vector, char *take_text); /* takes text even on failure */
int cl_strv_copy(char ***ret, const char *const *vector);
void cl_strv_free(char **vector);
bool cl_strv_has(const char *const *vector, const char *text);
/* KEY=VALUE vectors: set or replace KEY; get the value or NULL. */
int cl_env_set(char ***vector, const char *key_value);
const char *cl_env_get(const char *const *vector, const char *key);
/* secure_getenv(3), for variables of our own: nearly always there are none, and every start of a program asks for several. */
const char *cl_env_own(const char *key);
CL_DEFINE_AUTO(char *, cl_strv_free)

/* Whole-string parsing, base 10 (0 for base: 0x and 0 prefixes too). 0 or -EINVAL/-ERANGE; *ret untouched on failure. */
int cl_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
int cl_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret);
int cl_parse_pid(const char *text, pid_t *ret);
/* Docker's RAMInBytes: "512m", "1.5g", "64MiB", plain bytes; 1024-based, case does not matter. */
int cl_parse_bytes(const char *text, int64_t *ret);
/* "1.5" → 1500000000 (Docker's NanoCPUs). */
int cl_parse_nano(const char *text, int64_t *ret);
/* Go's duration ("1m30s", "250ms") in nanoseconds. */
int cl_parse_duration(const char *text, int64_t *ret_ns);

/* A growing buffer with a mandatory maximum. The first failure sticks: later adds do nothing and keep the code,
   so a run of adds needs one check at the end. Always NUL-terminated (data may be NULL while empty). */
struct cl_buf {
    char *data;
    size_t size; /* bytes used, without the NUL */
    size_t room; /* bytes allocated */
    size_t max;
    int failed; /* 0 or -ENOMEM / -EFBIG */
};
#define CL_BUF_INIT(maximum)                                                                       \
    {                                                                                              \
        .max = (maximum)                                                                           \
    }
void cl_buf_add(struct cl_buf *buf, const void *data, size_t size);
void cl_buf_str(struct cl_buf *buf, const char *text);
void cl_buf_char(struct cl_buf *buf, char character);
void cl_buf_printf(struct cl_buf *buf, const char *fmt, ...) CL_PRINTF(2, 3);
void cl_buf_vprintf(struct cl_buf *buf, const char *fmt, va_list args) CL_PRINTF(2, 0);
/* Quotes included; Go's encoding/json escapes (<, >, & as \u003c …; invalid UTF-8 as U+FFFD). */
void cl_buf_json_string(struct cl_buf *buf, const char *text);
void cl_buf_done(struct cl_buf *buf);
static inline void cl_buf_done_auto(struct cl_buf *buf)
{
    cl_buf_done(buf);
}
#define cl_auto_buf __attribute__((cleanup(cl_buf_done_auto))) struct cl_buf
/* Hand the text on ("" when empty); NULL if any add failed. */
char *cl_buf_take(struct cl_buf *buf);

/* Text from outside made safe for a terminal: control bytes, DEL, C1, bidirectional overrides, line separators and invalid
   UTF-8 become \xHH. Newly allocated; NULL in: NULL out. */
char *cl_escape_terminal(const char *text);
void cl_buf_terminal(struct cl_buf *buf, const char *text); /* the same, appended */

/* Time. Instants are int64_t nanoseconds since the epoch; 0 means never. */
int64_t cl_now_ns(void); /* CLOCK_REALTIME */
/* RFC 3339 with nanoseconds in UTC, trailing zeros cut as Go does; 0 → "0001-01-01T00:00:00Z". */
void cl_format_time(int64_t ns, char buffer[static 40]);
/* The same with all nine digits of the nanoseconds, so that one stands below the other; 0 is the epoch. */
void cl_format_time_wide(int64_t ns, char buffer[static 40]);
int cl_parse_time(const char *text, int64_t *ret_ns);
/* Docker's units.HumanDuration: "Less than a second", "About a minute", "3 hours", … */
void cl_human_duration(int64_t ns, char buffer[static 40]);
/* Docker's HumanSizeWithPrecision: so many significant digits (`docker images` shows 3), 1000-based: "7.79MB", "0B". */
void cl_human_size(int64_t bytes, int digits, char buffer[static 40]);
/* Docker's BytesSize: 1024-based: "256MiB". */
void cl_human_bytes(int64_t bytes, char buffer[static 40]);

/* n random bytes as 2n lower-case hex digits plus NUL (getrandom). 0 or -errno. */
int cl_random_hex(char *buffer, size_t bytes);

/* The closest of `words` to `text` by edit distance (at most 2, and less than half its length), or NULL: "did you mean". */
const char *cl_closest(const char *text, const char *const *words, size_t count);

/* Host user and group names, read from /etc/passwd and /etc/group (no NSS, nothing is loaded). NULL when unknown.
   The result is owned by a small cache that lives as long as the process; not for threads. */
const char *cl_user_name(uid_t uid);
int cl_user_id(const char *name, uid_t *ret); /* 0 or -ENOENT */
const char *cl_group_name(gid_t gid);
int cl_group_id(const char *name, gid_t *ret);
