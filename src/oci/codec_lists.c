/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Codecs of what holds other values: string vectors, sets of keys, string maps, embedded and pointed-to objects, lists of objects
 * and objects whose keys name their items. Each decoder leaves a freeable member behind when it fails in the middle.
 */
#include "oci/codec_private.h"

#include <errno.h>

/* ---- String vectors ---- */

typedef int string_check(struct oci_reader *reader, const char *text);

static int read_strings(struct oci_reader *reader, const struct cl_json *value, string_check *check,
                        char ***vector)
{
    if (cl_json_type(value) != CL_JSON_ARRAY)
        return oci_read_type_fail(reader, "an array of strings", value);
    for (size_t i = 0; i < cl_json_count(value); i++) {
        const struct cl_json *item = cl_json_at(value, i);
        const char *text = cl_json_string(item);
        size_t before = oci_read_into_index(reader, i);
        if (text == NULL)
            return oci_read_type_fail(reader, "a string", item);
        int r = check != NULL ? check(reader, text) : 0;
        if (r < 0)
            return r;
        oci_read_up(reader, before);
    }
    if (cl_json_count(value) > 0 && cl_json_strv(value, vector) < 0)
        return oci_read_no_memory(reader);
    return 0;
}

static int strv_decode(struct oci_reader *reader, const struct oci_field *field,
                       const struct cl_json *value, void *member)
{
    return read_strings(reader, value, NULL, member);
}

static int digests_decode(struct oci_reader *reader, const struct oci_field *field,
                          const struct cl_json *value, void *member)
{
    return read_strings(reader, value, oci_read_digest, member);
}

static int strv_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const char *const *vector = *(const char *const *const *)member;
    if (cl_strv_count(vector) == 0 && field->presence == OPTIONAL)
        return 0;
    return oci_write(cl_json_from_strv(vector), ret);
}

static void strv_done(const struct oci_field *field, void *member)
{
    char ***vector = member;
    cl_strv_free(cl_take(*vector));
}

const struct oci_codec oci_strv_codec = { "strv", sizeof(char **), strv_decode, strv_encode,
                                          strv_done };
const struct oci_codec oci_digests_codec = { "digests", sizeof(char **), digests_decode,
                                             strv_encode, strv_done };

/* {"80/tcp": {}, "/data": {}} ↔ the keys. What the values hold is not looked at. */
static int keys_decode(struct oci_reader *reader, const struct oci_field *field,
                       const struct cl_json *value, void *member)
{
    if (cl_json_type(value) != CL_JSON_OBJECT)
        return oci_read_type_fail(reader, "an object", value);
    size_t count = cl_json_count(value);
    char **vector = count > 0 ? cl_calloc(count + 1, sizeof *vector) : NULL;
    if (count > 0 && vector == NULL)
        return oci_read_no_memory(reader);
    *(char ***)member = vector;
    void *state = NULL;
    const char *key;
    const struct cl_json *ignored;
    for (size_t i = 0; i < count && cl_json_next(value, &state, &key, &ignored); i++) {
        vector[i] = cl_strdup(key);
        if (vector[i] == NULL)
            return oci_read_no_memory(reader);
    }
    return 0;
}

static int keys_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const char *const *vector = *(const char *const *const *)member;
    if (cl_strv_count(vector) == 0 && field->presence == OPTIONAL)
        return 0;
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    if (json == NULL)
        return -ENOMEM;
    for (size_t i = 0; vector != NULL && vector[i] != NULL; i++) {
        int r = cl_json_set(json, vector[i], cl_json_object());
        if (r < 0)
            return r;
    }
    *ret = cl_take(json);
    return 0;
}

const struct oci_codec oci_keys_codec = { "keys", sizeof(char **), keys_decode, keys_encode,
                                          strv_done };

/* ---- String maps ---- */

static int map_decode(struct oci_reader *reader, const struct oci_field *field,
                      const struct cl_json *value, void *member)
{
    struct oci_map *map = member;
    if (cl_json_type(value) != CL_JSON_OBJECT)
        return oci_read_type_fail(reader, "an object of strings", value);
    size_t room = cl_json_count(value);
    map->pairs = room > 0 ? cl_calloc(room, sizeof *map->pairs) : NULL;
    if (room > 0 && map->pairs == NULL)
        return oci_read_no_memory(reader);
    void *state = NULL;
    const char *key;
    const struct cl_json *item;
    while (map->count < room && cl_json_next(value, &state, &key, &item)) {
        size_t before = oci_read_into_key(reader, key);
        const char *text = cl_json_type(item) == CL_JSON_NULL ? "" : cl_json_string(item);
        if (text == NULL)
            return oci_read_type_fail(reader, "a string", item);
        struct oci_pair *pair = &map->pairs[map->count++];
        pair->key = cl_strdup(key);
        pair->value = cl_strdup(text);
        if (pair->key == NULL || pair->value == NULL)
            return oci_read_no_memory(reader);
        oci_read_up(reader, before);
    }
    return 0;
}

static int map_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const struct oci_map *map = member;
    if (map->count == 0 && field->presence == OPTIONAL)
        return 0;
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    if (json == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < map->count; i++) {
        int r = cl_json_set_string(json, map->pairs[i].key, map->pairs[i].value);
        if (r < 0)
            return r;
    }
    *ret = cl_take(json);
    return 0;
}

static void map_done(const struct oci_field *field, void *member)
{
    oci_map_done(member);
}

const struct oci_codec oci_map_codec = { "map", sizeof(struct oci_map), map_decode, map_encode,
                                         map_done };

/* ---- Objects ---- */

static bool is_zero(const void *memory, size_t size)
{
    const char *byte = memory;
    for (size_t i = 0; i < size; i++)
        if (byte[i] != 0)
            return false;
    return true;
}

static int object_decode(struct oci_reader *reader, const struct oci_field *field,
                         const struct cl_json *value, void *member)
{
    return oci_object_decode(reader, field->shape, value, member);
}

static int object_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    /* An untouched object is absent, even where its own required properties would be written as 0. */
    if (field->presence == OPTIONAL && is_zero(member, field->shape->size))
        return 0;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    int r = oci_shape_encode(field->shape, member, &json);
    if (r < 0)
        return r;
    if (cl_json_count(json) > 0 || field->presence != OPTIONAL)
        *ret = cl_take(json);
    return 0;
}

static void object_done(const struct oci_field *field, void *member)
{
    oci_shape_done(field->shape, member);
}

static int pointer_decode(struct oci_reader *reader, const struct oci_field *field,
                          const struct cl_json *value, void *member)
{
    void *object = cl_calloc(1, field->shape->size);
    if (object == NULL)
        return oci_read_no_memory(reader);
    oci_store_pointer(member, object);
    return oci_object_decode(reader, field->shape, value, object);
}

static int pointer_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    const void *object = oci_load_pointer(member);
    if (object == NULL)
        return field->presence == OPTIONAL ? 0 : -EINVAL;
    return oci_shape_encode(field->shape, object, ret);
}

static void pointer_done(const struct oci_field *field, void *member)
{
    oci_shape_free(field->shape, oci_load_pointer(member));
    oci_store_pointer(member, NULL);
}

const struct oci_codec oci_object_codec = { "object", 0, object_decode, object_encode,
                                            object_done };
const struct oci_codec oci_pointer_codec = { "pointer", sizeof(void *), pointer_decode,
                                             pointer_encode, pointer_done };

/* ---- Lists of objects: `T *items; size_t count;` as neighbours, which FIELD_LIST makes sure of ---- */

static size_t *list_count(void *member)
{
    return (size_t *)((char *)member + sizeof(void *));
}

static size_t list_length(const void *member)
{
    return *(const size_t *)((const char *)member + sizeof(void *));
}

static void *list_item(const struct oci_field *field, const void *member, size_t index)
{
    return (char *)oci_load_pointer(member) + index * field->shape->size;
}

/* All items at once, zeroed; the count grows as they are filled, so that a failure frees exactly those begun. */
static int list_allocate(struct oci_reader *reader, const struct oci_field *field, size_t count,
                         void *member)
{
    if (count == 0)
        return 0;
    void *items = cl_calloc(count, field->shape->size);
    if (items == NULL)
        return oci_read_no_memory(reader);
    oci_store_pointer(member, items);
    return 0;
}

static int list_decode(struct oci_reader *reader, const struct oci_field *field,
                       const struct cl_json *value, void *member)
{
    if (cl_json_type(value) != CL_JSON_ARRAY)
        return oci_read_type_fail(reader, "an array", value);
    int r = list_allocate(reader, field, cl_json_count(value), member);
    for (size_t i = 0; r == 0 && i < cl_json_count(value); i++) {
        (*list_count(member))++;
        size_t before = oci_read_into_index(reader, i);
        r = oci_object_decode(reader, field->shape, cl_json_at(value, i),
                              list_item(field, member, i));
        oci_read_up(reader, before);
    }
    return r;
}

static int list_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    size_t count = list_length(member);
    if (count == 0 && field->presence == OPTIONAL)
        return 0;
    CL_AUTO(cl_json_unref) struct cl_json *array = cl_json_array();
    if (array == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct cl_json *item = NULL;
        int r = oci_shape_encode(field->shape, list_item(field, member, i), &item);
        if (r == 0)
            r = cl_json_add(array, item);
        if (r < 0)
            return r;
    }
    *ret = cl_take(array);
    return 0;
}

static void list_done(const struct oci_field *field, void *member)
{
    for (size_t i = 0; i < list_length(member); i++)
        oci_shape_done(field->shape, list_item(field, member, i));
    free(oci_load_pointer(member));
    oci_store_pointer(member, NULL);
    *list_count(member) = 0;
}

const struct oci_codec oci_list_codec = { "list", sizeof(void *) + sizeof(size_t), list_decode,
                                          list_encode, list_done };

/* ---- Objects as lists: the first member of each item is its key, which no row of the shape describes ---- */

static int keyed_decode(struct oci_reader *reader, const struct oci_field *field,
                        const struct cl_json *value, void *member)
{
    if (cl_json_type(value) != CL_JSON_OBJECT)
        return oci_read_type_fail(reader, "an object", value);
    int r = list_allocate(reader, field, cl_json_count(value), member);
    void *state = NULL;
    const char *key;
    const struct cl_json *object;
    while (r == 0 && list_length(member) < cl_json_count(value) &&
           cl_json_next(value, &state, &key, &object)) {
        char **item = list_item(field, member, (*list_count(member))++);
        *item = cl_strdup(key);
        if (*item == NULL)
            return oci_read_no_memory(reader);
        size_t before = oci_read_into_key(reader, key);
        r = oci_object_decode(reader, field->shape, object, item);
        oci_read_up(reader, before);
    }
    return r;
}

static int keyed_encode(const struct oci_field *field, const void *member, struct cl_json **ret)
{
    size_t count = list_length(member);
    if (count == 0 && field->presence == OPTIONAL)
        return 0;
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    if (json == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const char *const *key = list_item(field, member, i);
        struct cl_json *item = NULL;
        int r = oci_shape_encode(field->shape, key, &item);
        if (r == 0)
            r = cl_json_set(json, *key, item);
        if (r < 0)
            return r;
    }
    *ret = cl_take(json);
    return 0;
}

static void keyed_done(const struct oci_field *field, void *member)
{
    for (size_t i = 0; i < list_length(member); i++) {
        char **key = list_item(field, member, i);
        free(cl_take(*key));
    }
    list_done(field, member);
}

const struct oci_codec oci_keyed_list_codec = { "keyed list", sizeof(void *) + sizeof(size_t),
                                                keyed_decode, keyed_encode, keyed_done };
