/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON values: getters, which never trip, and builders. What a value is made of says json_private.h; json_parse.c makes them of
 * text, json_text.c makes text of them.
 *
 * JSON null is one static value where a value has to be handed out (the document "null", cl_json_null(), a ref or copy of
 * nothing) and NULL inside arrays and objects. Getters answer NULL for both null and absent; cl_json_has tells those apart.
 */
#include "base/json.h"

#include <errno.h>
#include <limits.h>

#include "base/json_private.h"

static const struct cl_json null_value; /* its address is JSON null */

struct cl_json *cl_json_null(void)
{
    return (struct cl_json *)(uintptr_t)&null_value;
}

/* As it stands in an array or object. */
static struct cl_json *inner(struct cl_json *value)
{
    return value == cl_json_null() ? NULL : value;
}

struct cl_json *cl_json_ref(const struct cl_json *value)
{
    struct cl_json *shared = (struct cl_json *)(uintptr_t)value;
    if (shared == NULL || shared == cl_json_null())
        return cl_json_null();
    shared->refs++;
    return shared;
}

static void free_members(struct cl_json *object)
{
    struct json_members *members = object->members;
    for (size_t i = 0; members != NULL && i < members->count; i++) {
        cl_json_unref(members->list[i].value);
        if (members->list[i].owns_key)
            free((void *)(uintptr_t)members->list[i].key);
    }
    if (object->owns_storage)
        free(members);
}

static void free_items(struct cl_json *array)
{
    struct json_items *items = array->items;
    for (size_t i = 0; items != NULL && i < items->count; i++)
        cl_json_unref(items->list[i]);
    if (array->owns_storage)
        free(items);
}

void cl_json_unref(struct cl_json *value)
{
    if (value == NULL || value == cl_json_null() || --value->refs > 0)
        return;
    if (value->type == CL_JSON_OBJECT)
        free_members(value);
    else if (value->type == CL_JSON_ARRAY)
        free_items(value);
    if (value->document != NULL)
        json_document_unref(value->document);
    else
        free(value);
}

enum cl_json_type cl_json_type(const struct cl_json *value)
{
    return value == NULL ? CL_JSON_NULL : (enum cl_json_type)value->type;
}

const char *cl_json_type_name(enum cl_json_type type)
{
    static const char *const names[] = { "null",   "boolean", "integer", "number",
                                         "string", "array",   "object" };
    return (size_t)type < CL_COUNT(names) ? names[type] : "unknown";
}

static const struct json_member *find_member(const struct cl_json *object, const char *key)
{
    ssize_t at =
        cl_json_type(object) == CL_JSON_OBJECT ? json_members_find(object->members, key) : -1;
    return at < 0 ? NULL : &object->members->list[at];
}

const struct cl_json *cl_json_get(const struct cl_json *object, const char *key)
{
    const struct json_member *member = find_member(object, key);
    return member == NULL ? NULL : member->value;
}

bool cl_json_has(const struct cl_json *object, const char *key)
{
    return find_member(object, key) != NULL;
}

const char *cl_json_string(const struct cl_json *value)
{
    return cl_json_type(value) == CL_JSON_STRING ? value->text : NULL;
}

const char *cl_json_string_or(const struct cl_json *value, const char *otherwise)
{
    const char *text = cl_json_string(value);
    return text != NULL ? text : otherwise;
}

bool cl_json_bool(const struct cl_json *value)
{
    return cl_json_type(value) == CL_JSON_BOOL && value->truth;
}

/* Towards zero, and no further than the largest and the least. */
static int64_t clamp(double value)
{
    if (value >= 0x1p63)
        return INT64_MAX;
    if (value <= -0x1p63)
        return INT64_MIN;
    return value == value ? (int64_t)value : 0;
}

int64_t cl_json_int(const struct cl_json *value)
{
    switch (cl_json_type(value)) {
    case CL_JSON_INT:
        return value->is_natural ? INT64_MAX : value->integer;
    case CL_JSON_DOUBLE:
        return clamp(value->real);
    case CL_JSON_NULL:
    case CL_JSON_BOOL:
    case CL_JSON_STRING:
    case CL_JSON_ARRAY:
    case CL_JSON_OBJECT:
        break;
    }
    return 0;
}

double cl_json_double(const struct cl_json *value)
{
    if (cl_json_type(value) == CL_JSON_DOUBLE)
        return value->real;
    if (cl_json_type(value) != CL_JSON_INT)
        return 0;
    return value->is_natural ? (double)value->natural : (double)value->integer;
}

int cl_json_u64(const struct cl_json *value, uint64_t *ret)
{
    if (cl_json_type(value) != CL_JSON_INT)
        return -EINVAL;
    if (!value->is_natural && value->integer < 0)
        return -ERANGE;
    *ret = value->natural;
    return 0;
}

int cl_json_i64(const struct cl_json *value, int64_t *ret)
{
    if (cl_json_type(value) != CL_JSON_INT)
        return -EINVAL;
    if (value->is_natural)
        return -ERANGE;
    *ret = value->integer;
    return 0;
}

size_t cl_json_count(const struct cl_json *value)
{
    if (cl_json_type(value) == CL_JSON_ARRAY)
        return value->items == NULL ? 0 : value->items->count;
    if (cl_json_type(value) == CL_JSON_OBJECT)
        return value->members == NULL ? 0 : value->members->count;
    return 0;
}

const struct cl_json *cl_json_at(const struct cl_json *array, size_t index)
{
    if (cl_json_type(array) != CL_JSON_ARRAY || index >= cl_json_count(array))
        return NULL;
    return array->items->list[index];
}

bool cl_json_next(const struct cl_json *object, void **state, const char **ret_key,
                  const struct cl_json **ret_value)
{
    if (cl_json_type(object) != CL_JSON_OBJECT || object->members == NULL)
        return false;
    const struct json_member *end = object->members->list + object->members->count;
    const struct json_member *member = *state;
    member = member == NULL ? object->members->list : member + 1;
    if (member == end)
        return false;
    *state = (void *)(uintptr_t)member;
    if (ret_key != NULL)
        *ret_key = member->key;
    if (ret_value != NULL)
        *ret_value = member->value;
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
    return json_new(NULL, CL_JSON_OBJECT, 0);
}

struct cl_json *cl_json_array(void)
{
    return json_new(NULL, CL_JSON_ARRAY, 0);
}

struct cl_json *cl_json_from_string(const char *text)
{
    size_t size = text == NULL ? 1 : strlen(text) + 1;
    struct cl_json *value = json_new(NULL, CL_JSON_STRING, size);
    if (value == NULL)
        return NULL;
    value->text = memcpy(value + 1, text == NULL ? "" : text, size);
    return value;
}

struct cl_json *cl_json_from_bool(bool truth)
{
    struct cl_json *value = json_new(NULL, CL_JSON_BOOL, 0);
    if (value != NULL)
        value->truth = truth;
    return value;
}

struct cl_json *cl_json_from_int(int64_t number)
{
    struct cl_json *value = json_new(NULL, CL_JSON_INT, 0);
    if (value != NULL)
        value->integer = number;
    return value;
}

struct cl_json *cl_json_from_u64(uint64_t number)
{
    struct cl_json *value = json_new(NULL, CL_JSON_INT, 0);
    if (value == NULL)
        return NULL;
    value->natural = number;
    value->is_natural = number > INT64_MAX;
    return value;
}

struct cl_json *cl_json_from_double(double number)
{
    struct cl_json *value = json_new(NULL, CL_JSON_DOUBLE, 0);
    if (value != NULL)
        value->real = number;
    return value;
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

static int append_member(struct cl_json *object, const char *key, struct cl_json *take_value)
{
    char *copy = take_value == NULL ? NULL : cl_strdup(key);
    if (copy == NULL || json_members_reserve(object, NULL) < 0) {
        free(copy);
        cl_json_unref(take_value);
        return -ENOMEM;
    }
    json_members_append(object->members,
                        (struct json_member){ .key = copy,
                                              .owns_key = true,
                                              .value = inner(take_value),
                                              .hash = json_hash(key, strlen(key)) });
    return 0;
}

int cl_json_set(struct cl_json *object, const char *key, struct cl_json *take_value)
{
    if (take_value == NULL || object == NULL || cl_json_type(object) != CL_JSON_OBJECT) {
        cl_json_unref(take_value);
        return take_value == NULL || object == NULL ? -ENOMEM : -EINVAL;
    }
    ssize_t at = json_members_find(object->members, key);
    if (at < 0)
        return append_member(object, key, take_value);
    cl_json_unref(object->members->list[at].value);
    object->members->list[at].value = inner(take_value);
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
    int result = take_value == NULL || array == NULL ? -ENOMEM : 0;
    if (result >= 0)
        result = cl_json_type(array) != CL_JSON_ARRAY ? -EINVAL : json_items_reserve(array, NULL);
    if (result < 0)
        cl_json_unref(take_value);
    else
        array->items->list[array->items->count++] = inner(take_value);
    return result;
}

int cl_json_remove(struct cl_json *object, const char *key)
{
    if (cl_json_type(object) != CL_JSON_OBJECT)
        return -EINVAL;
    ssize_t at = json_members_find(object->members, key);
    if (at < 0)
        return 0;
    const struct json_member *member = &object->members->list[at];
    cl_json_unref(member->value);
    if (member->owns_key)
        free((void *)(uintptr_t)member->key);
    json_members_drop(object->members, (size_t)at);
    return 0;
}

static struct cl_json *copy_object(const struct cl_json *value)
{
    CL_AUTO(cl_json_unref) struct cl_json *copy = cl_json_object();
    void *state = NULL;
    const char *key;
    const struct cl_json *member;
    while (copy != NULL && cl_json_next(value, &state, &key, &member))
        if (append_member(copy, key, cl_json_copy(member)) < 0)
            return NULL;
    return cl_take(copy);
}

static struct cl_json *copy_array(const struct cl_json *value)
{
    CL_AUTO(cl_json_unref) struct cl_json *copy = cl_json_array();
    for (size_t i = 0; copy != NULL && i < cl_json_count(value); i++)
        if (cl_json_add(copy, cl_json_copy(cl_json_at(value, i))) < 0)
            return NULL;
    return cl_take(copy);
}

struct cl_json *cl_json_copy(const struct cl_json *value)
{
    enum cl_json_type type = cl_json_type(value);
    if (type == CL_JSON_NULL)
        return cl_json_null();
    if (type == CL_JSON_OBJECT)
        return copy_object(value);
    if (type == CL_JSON_ARRAY)
        return copy_array(value);
    if (type == CL_JSON_STRING)
        return cl_json_from_string(value->text);
    struct cl_json *copy = json_new(NULL, type, 0);
    if (copy == NULL)
        return NULL;
    copy->natural = value->natural;
    copy->is_natural = value->is_natural;
    return copy;
}
