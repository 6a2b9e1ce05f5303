/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON facade: values are json-c objects, cast. This is the only file that sees json-c.
 *
 * json-c has no object for null, so JSON null is one static object of ours where a value has to be handed out (the
 * document "null", cl_json_null(), a ref or copy of nothing) and NULL inside containers. Getters answer NULL for both null and
 * absent; cl_json_has tells those apart.
 */
#include "base/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>

#include "base/json_private.h"
#include "base/mem_private.h"

static const char null_value; /* its address is JSON null */

static struct cl_json *null_json(void)
{
    return (struct cl_json *)(uintptr_t)&null_value;
}

/* json-c's getters are not all const-correct; none that is used here changes its object. */
static struct json_object *inner(const struct cl_json *value)
{
    return value == null_json() ? NULL : (struct json_object *)(uintptr_t)value;
}

static struct cl_json *outer(struct json_object *object)
{
    return (struct cl_json *)object;
}

/* What json-c has for text that the scanner accepted; -EINVAL can only mean that the two disagree. */
static int parse_scanned(const char *text, size_t size, struct json_object **ret)
{
    if (cl_alloc_fails())
        return -ENOMEM;
    struct json_tokener *tokener = json_tokener_new_ex(CL_JSON_DEPTH_MAX + 2);
    if (tokener == NULL)
        return -ENOMEM;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *object = json_tokener_parse_ex(tokener, text, (int)size);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    if (error ==
        json_tokener_continue) { /* a bare number ends only where the text is said to end */
        object = json_tokener_parse_ex(tokener, "", -1);
        error = json_tokener_get_error(tokener);
    }
    json_tokener_free(tokener);
    if (error != json_tokener_success) {
        json_object_put(object);
        return -EINVAL;
    }
    *ret = object;
    return 0;
}

int cl_json_parse(const char *text, size_t size, size_t max, struct cl_json **ret,
                  struct cl_error *err)
{
    if (size > max || size > INT_MAX)
        return cl_fail_kind(err, CL_KIND_INVALID, EFBIG,
                            "JSON text of %zu bytes is longer than the %zu allowed", size,
                            max > INT_MAX ? (size_t)INT_MAX : max);
    cl_auto_buf rewritten = CL_BUF_INIT(INT_MAX);
    int r = cl_json_scan(text, size, &rewritten, err);
    if (r < 0)
        return r;
    struct json_object *object = NULL;
    if (rewritten.size > 0)
        r = parse_scanned(rewritten.data, rewritten.size, &object);
    else
        r = parse_scanned(text, size, &object);
    if (r == -EINVAL)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "JSON text that json-c can't read");
    if (r < 0)
        return cl_fail(err, r, "parse JSON");
    *ret = object == NULL ? null_json() : outer(object);
    return 0;
}

struct cl_json *cl_json_ref(const struct cl_json *value)
{
    struct json_object *object = inner(value);
    return object == NULL ? null_json() : outer(json_object_get(object));
}

void cl_json_unref(struct cl_json *value)
{
    (void)json_object_put(inner(value)); /* NULL is fine; the result says whether it was the last */
}

enum cl_json_type cl_json_type(const struct cl_json *value)
{
    switch (json_object_get_type(inner(value))) {
    case json_type_boolean:
        return CL_JSON_BOOL;
    case json_type_double:
        return CL_JSON_DOUBLE;
    case json_type_int:
        return CL_JSON_INT;
    case json_type_object:
        return CL_JSON_OBJECT;
    case json_type_array:
        return CL_JSON_ARRAY;
    case json_type_string:
        return CL_JSON_STRING;
    case json_type_null:
        break;
    }
    return CL_JSON_NULL;
}

const char *cl_json_type_name(enum cl_json_type type)
{
    static const char *const names[] = { "null",   "boolean", "integer", "number",
                                         "string", "array",   "object" };
    return (size_t)type < CL_COUNT(names) ? names[type] : "unknown";
}

static bool is_type(const struct cl_json *value, enum json_type type)
{
    return json_object_is_type(inner(value), type) != 0;
}

const struct cl_json *cl_json_get(const struct cl_json *object, const char *key)
{
    struct json_object *value = NULL;
    if (is_type(object, json_type_object))
        (void)json_object_object_get_ex(inner(object), key, &value); /* sets NULL when absent */
    return outer(value);
}

bool cl_json_has(const struct cl_json *object, const char *key)
{
    return is_type(object, json_type_object) &&
           json_object_object_get_ex(inner(object), key, NULL) != 0;
}

const char *cl_json_string(const struct cl_json *value)
{
    return is_type(value, json_type_string) ? json_object_get_string(inner(value)) : NULL;
}

const char *cl_json_string_or(const struct cl_json *value, const char *otherwise)
{
    const char *text = cl_json_string(value);
    return text != NULL ? text : otherwise;
}

bool cl_json_bool(const struct cl_json *value)
{
    return is_type(value, json_type_boolean) && json_object_get_boolean(inner(value)) != 0;
}

static bool is_number(const struct cl_json *value)
{
    return is_type(value, json_type_int) || is_type(value, json_type_double);
}

int64_t cl_json_int(const struct cl_json *value)
{
    return is_number(value) ? json_object_get_int64(inner(value)) : 0; /* clamps */
}

double cl_json_double(const struct cl_json *value)
{
    if (!is_number(value))
        return 0;
    uint64_t large;
    if (cl_json_u64(value, &large) == 0)
        return (double)large;
    return json_object_get_double(inner(value));
}

int cl_json_u64(const struct cl_json *value, uint64_t *ret)
{
    if (!is_type(value, json_type_int))
        return -EINVAL;
    if (json_object_get_int64(inner(value)) < 0)
        return -ERANGE;
    *ret = json_object_get_uint64(inner(value));
    return 0;
}

int cl_json_i64(const struct cl_json *value, int64_t *ret)
{
    if (!is_type(value, json_type_int))
        return -EINVAL;
    int64_t number = json_object_get_int64(inner(value));
    if (number == INT64_MAX && json_object_get_uint64(inner(value)) > (uint64_t)INT64_MAX)
        return -ERANGE;
    *ret = number;
    return 0;
}

size_t cl_json_count(const struct cl_json *value)
{
    if (is_type(value, json_type_array))
        return json_object_array_length(inner(value));
    if (is_type(value, json_type_object))
        return (size_t)json_object_object_length(inner(value));
    return 0;
}

const struct cl_json *cl_json_at(const struct cl_json *array, size_t index)
{
    if (index >= cl_json_count(array) || !is_type(array, json_type_array))
        return NULL;
    return outer(json_object_array_get_idx(inner(array), index));
}

bool cl_json_next(const struct cl_json *object, void **state, const char **ret_key,
                  const struct cl_json **ret_value)
{
    if (!is_type(object, json_type_object))
        return false;
    const struct lh_entry *entry = *state;
    entry =
        entry == NULL ? lh_table_head(json_object_get_object(inner(object))) : lh_entry_next(entry);
    if (entry == NULL)
        return false;
    *state = (void *)(uintptr_t)entry;
    if (ret_key != NULL)
        *ret_key = lh_entry_k(entry);
    if (ret_value != NULL)
        *ret_value = lh_entry_v(entry);
    return true;
}

int cl_json_strv(const struct cl_json *array, char ***ret)
{
    CL_AUTO(cl_strv_free) char **vector = NULL;
    enum cl_json_type type = cl_json_type(array);
    if (type != CL_JSON_NULL && type != CL_JSON_ARRAY)
        return -EINVAL;
    size_t count = cl_json_count(array);
    if (count > 0 && (vector = cl_calloc(count + 1, sizeof *vector)) == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const char *text = cl_json_string(cl_json_at(array, i));
        if (text == NULL)
            return -EINVAL;
        if ((vector[i] = cl_strdup(text)) == NULL)
            return -ENOMEM;
    }
    *ret = cl_take(vector);
    return 0;
}

struct cl_json *cl_json_object(void)
{
    return cl_alloc_fails() ? NULL : outer(json_object_new_object());
}

struct cl_json *cl_json_array(void)
{
    return cl_alloc_fails() ? NULL : outer(json_object_new_array());
}

struct cl_json *cl_json_null(void)
{
    return null_json();
}

struct cl_json *cl_json_from_string(const char *text)
{
    return cl_alloc_fails() ? NULL : outer(json_object_new_string(text != NULL ? text : ""));
}

struct cl_json *cl_json_from_bool(bool value)
{
    return cl_alloc_fails() ? NULL : outer(json_object_new_boolean(value));
}

struct cl_json *cl_json_from_int(int64_t value)
{
    return cl_alloc_fails() ? NULL : outer(json_object_new_int64(value));
}

struct cl_json *cl_json_from_u64(uint64_t value)
{
    if (value <= INT64_MAX)
        return cl_json_from_int((int64_t)value);
    return cl_alloc_fails() ? NULL : outer(json_object_new_uint64(value));
}

struct cl_json *cl_json_from_double(double value)
{
    return cl_alloc_fails() ? NULL : outer(json_object_new_double(value));
}

struct cl_json *cl_json_from_strv(const char *const *vector)
{
    CL_AUTO(cl_json_unref) struct cl_json *array = cl_json_array();
    size_t count = cl_strv_count(vector);
    for (size_t i = 0; array != NULL && i < count; i++) {
        if (cl_json_add(array, cl_json_from_string(vector[i])) < 0)
            return NULL;
    }
    return cl_take(array);
}

int cl_json_set(struct cl_json *object, const char *key, struct cl_json *take_value)
{
    if (take_value == NULL || object == NULL || cl_alloc_fails()) {
        cl_json_unref(take_value);
        return -ENOMEM;
    }
    if (!is_type(object, json_type_object)) {
        cl_json_unref(take_value);
        return -EINVAL;
    }
    if (json_object_object_add(inner(object), key, inner(take_value)) < 0) {
        cl_json_unref(take_value);
        return -ENOMEM;
    }
    return 0;
}

int cl_json_set_string(struct cl_json *object, const char *key, const char *text)
{
    return cl_json_set(object, key, cl_json_from_string(text));
}

int cl_json_set_int(struct cl_json *object, const char *key, int64_t value)
{
    return cl_json_set(object, key, cl_json_from_int(value));
}

int cl_json_set_bool(struct cl_json *object, const char *key, bool value)
{
    return cl_json_set(object, key, cl_json_from_bool(value));
}

int cl_json_add(struct cl_json *array, struct cl_json *take_value)
{
    if (take_value == NULL || array == NULL || cl_alloc_fails()) {
        cl_json_unref(take_value);
        return -ENOMEM;
    }
    if (!is_type(array, json_type_array)) {
        cl_json_unref(take_value);
        return -EINVAL;
    }
    if (json_object_array_add(inner(array), inner(take_value)) < 0) {
        cl_json_unref(take_value);
        return -ENOMEM;
    }
    return 0;
}

int cl_json_remove(struct cl_json *object, const char *key)
{
    if (!is_type(object, json_type_object))
        return -EINVAL;
    json_object_object_del(inner(object), key);
    return 0;
}

struct cl_json *cl_json_copy(const struct cl_json *value)
{
    struct json_object *object = inner(value), *copy = NULL;
    if (object == NULL)
        return null_json();
    if (cl_alloc_fails() || json_object_deep_copy(object, &copy, NULL) < 0)
        return NULL;
    return outer(copy);
}
