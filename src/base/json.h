/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON: reading it strictly, looking at it, making it, writing it as Go does.
 *
 * A `struct cl_json` is a reference-counted value of any JSON type. Getters borrow; constructors own; "add" and "set"
 * take ownership of the value even when they fail. Object order is kept. A NULL `struct cl_json *` is JSON null wherever a
 * value is read, so look-ups chain without checks: cl_json_string(cl_json_get(cl_json_get(x, "a"), "b")).
 */
#pragma once

#include "base/str.h"

struct cl_json;

enum cl_json_type {
    CL_JSON_NULL,
    CL_JSON_BOOL,
    CL_JSON_INT,
    CL_JSON_DOUBLE,
    CL_JSON_STRING,
    CL_JSON_ARRAY,
    CL_JSON_OBJECT
};

/*
 * Strict parse of one document: RFC 8259, valid UTF-8, no trailing text, no duplicate keys, at most 64 levels,
 * size at most max. The error names line and column, and the path of a duplicate key. U+0000 in a string and numbers beyond
 * a double are refused; integers beyond 64 bits become doubles. The document "null" gives a value of type CL_JSON_NULL.
 */
int cl_json_parse(const char *text, size_t size, size_t max, struct cl_json **ret,
                  struct cl_error *err);
/* How much from here on, inside a string, is printable ASCII that stands for itself: up to a quote, a backslash, or what needs a closer look. */
size_t cl_json_plain(const char *text, size_t size);
/* Never NULL: a ref of NULL is JSON null, so that "copy the member if it is there" needs no check. */
struct cl_json *cl_json_ref(const struct cl_json *value);
void cl_json_unref(struct cl_json *value);
CL_DEFINE_AUTO(struct cl_json, cl_json_unref)

enum cl_json_type cl_json_type(const struct cl_json *value);
const char *cl_json_type_name(enum cl_json_type type);

/* NULL when absent, null, or no object. */
const struct cl_json *cl_json_get(const struct cl_json *object, const char *key);
bool cl_json_has(const struct cl_json *object, const char *key); /* true for a null value, too */
const char *cl_json_string(const struct cl_json *value);         /* NULL when no string */
const char *cl_json_string_or(const struct cl_json *value, const char *otherwise);
bool cl_json_bool(const struct cl_json *value);   /* false when no bool */
int64_t cl_json_int(const struct cl_json *value); /* 0 when no number */
double cl_json_double(const struct cl_json *value);
/* Exact unsigned 64-bit (runtime-spec rlimits): 0 or -EINVAL/-ERANGE. */
int cl_json_u64(const struct cl_json *value, uint64_t *ret);
int cl_json_i64(const struct cl_json *value, int64_t *ret);
size_t cl_json_count(const struct cl_json *value); /* array or object; else 0 */
const struct cl_json *cl_json_at(const struct cl_json *array, size_t index);
/* Walk an object: state starts at NULL; false at the end. Do not change the object while walking. */
bool cl_json_next(const struct cl_json *object, void **state, const char **ret_key,
                  const struct cl_json **ret_value);
/* ["a","b"] → strv; -EINVAL when an element is no string. null → NULL vector. */
int cl_json_strv(const struct cl_json *array, char ***ret);

/* Builders return NULL on allocation failure; setters return 0 or -ENOMEM. A failed chain is found by the caller's one check
   because setting a NULL value (meaning: its constructor failed) returns -ENOMEM; use cl_json_null() for null. */
struct cl_json *cl_json_object(void);
struct cl_json *cl_json_array(void);
struct cl_json *cl_json_null(void);
struct cl_json *cl_json_from_string(const char *text); /* NULL text: "" */
struct cl_json *cl_json_from_bool(bool truth);
struct cl_json *cl_json_from_int(int64_t number);
struct cl_json *cl_json_from_u64(uint64_t number);
struct cl_json *cl_json_from_double(double number);
struct cl_json *cl_json_from_strv(const char *const *vector); /* NULL: [] */
int cl_json_set(struct cl_json *object, const char *key, struct cl_json *take_value);
int cl_json_set_string(struct cl_json *object, const char *key, const char *text);
int cl_json_set_int(struct cl_json *object, const char *key, int64_t value);
int cl_json_set_bool(struct cl_json *object, const char *key, bool value);
int cl_json_add(struct cl_json *array, struct cl_json *take_value);
int cl_json_remove(struct cl_json *object, const char *key);
/* Deep copy. NULL on allocation failure; a copy of NULL is JSON null. */
struct cl_json *cl_json_copy(const struct cl_json *value);

/* Text. COMPACT is Go's json.Marshal ({"a":1,"b":[]}, HTML-safe escapes); indent > 0 is json.MarshalIndent with that many
   spaces. Owned by the caller; NULL on allocation failure. */
char *cl_json_text(const struct cl_json *value, int indent);
#define CL_JSON_COMPACT 0
