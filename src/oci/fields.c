/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine behind field tables: walks a shape's rows to decode, encode and free objects, and keeps the path for error messages.
 * What single values look like is codecs.c (scalars, strings, words) and codec_lists.c (arrays, maps, sub-objects).
 */
#include "oci/codec_private.h"

#include <errno.h>
#include <stdio.h>

/* ---- The path ---- */

size_t oci_digits(size_t number, char buffer[static OCI_DIGITS])
{
    char backwards[OCI_DIGITS];
    size_t count = 0;
    do
        backwards[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    for (size_t i = 0; i < count; i++)
        buffer[i] = backwards[count - 1 - i];
    return count;
}

static void path_add(struct oci_reader *reader, const char *text)
{
    /* By hand: every property of every document passes here, and only errors are read. */
    size_t room = sizeof reader->path - 1 - reader->length, size = strlen(text);
    size = size < room ? size : room;
    memcpy(reader->path + reader->length, text, size);
    reader->length += size;
    reader->path[reader->length] = '\0';
}

size_t oci_read_into(struct oci_reader *reader, const char *name)
{
    size_t before = reader->length;
    if (before > 0)
        path_add(reader, ".");
    path_add(reader, name);
    return before;
}

size_t oci_read_into_index(struct oci_reader *reader, size_t index)
{
    size_t before = reader->length;
    char text[OCI_DIGITS + 3] = "[";
    size_t end = 1 + oci_digits(index, text + 1);
    text[end] = ']';
    text[end + 1] = '\0';
    path_add(reader, text);
    return before;
}

/* Keys come from outside and go to a terminal: short, printable ASCII only. */
size_t oci_read_into_key(struct oci_reader *reader, const char *key)
{
    size_t before = reader->length;
    char text[68];
    size_t length = 0;
    text[length++] = '[';
    text[length++] = '"';
    for (size_t i = 0; key[i] != '\0' && length < sizeof text - 3; i++)
        text[length++] = key[i] >= ' ' && key[i] < 0x7f ? key[i] : '?';
    text[length++] = '"';
    text[length++] = ']';
    text[length] = '\0';
    path_add(reader, text);
    return before;
}

void oci_read_up(struct oci_reader *reader, size_t length)
{
    reader->length = length;
    reader->path[length] = '\0';
}

int oci_read_fail(struct oci_reader *reader, int errnum, const char *fmt, ...)
{
    char text[200];
    va_list arguments;
    va_start(arguments, fmt);
    (void)vsnprintf(text, sizeof text, fmt, arguments);
    va_end(arguments);
    if (reader->length == 0)
        return cl_fail_kind(reader->err, CL_KIND_INVALID, errnum, "%s: %s", reader->document, text);
    return cl_fail_kind(reader->err, CL_KIND_INVALID, errnum, "%s: %s: %s", reader->document,
                        reader->path, text);
}

int oci_read_type_fail(struct oci_reader *reader, const char *expected, const struct cl_json *got)
{
    return oci_read_fail(reader, EINVAL, "expected %s, got %s", expected,
                         cl_json_type_name(cl_json_type(got)));
}

int oci_read_no_memory(struct oci_reader *reader)
{
    return cl_fail(reader->err, ENOMEM, "read %s", reader->document);
}

/* ---- Objects ---- */

static int decode_field(struct oci_reader *reader, const struct oci_field *field,
                        const struct cl_json *json, void *object)
{
    const struct cl_json *value = cl_json_get(json, field->name);
    size_t before = oci_read_into(reader, field->name);
    int r = 0;
    if (cl_json_type(value) != CL_JSON_NULL)
        r = field->codec->decode(reader, field, value, (char *)object + field->offset);
    else if (field->presence == REQUIRED)
        r = oci_read_fail(reader, EINVAL, "required property is missing");
    oci_read_up(reader, before);
    return r;
}

int oci_object_decode(struct oci_reader *reader, const struct oci_shape *shape,
                      const struct cl_json *json, void *object)
{
    if (cl_json_type(json) != CL_JSON_OBJECT)
        return oci_read_type_fail(reader, "an object", json);
    for (size_t i = 0; i < shape->count; i++) {
        int r = decode_field(reader, &shape->fields[i], json, object);
        if (r < 0)
            return r;
    }
    return shape->finish != NULL ? shape->finish(reader, object) : 0;
}

int oci_shape_decode(const struct oci_shape *shape, const char *document,
                     const struct cl_json *json, void *object, struct cl_error *err)
{
    struct oci_reader reader = { .document = document, .err = err };
    int r = oci_object_decode(&reader, shape, json, object);
    if (r < 0)
        oci_shape_done(shape, object);
    return r;
}

int oci_shape_encode(const struct oci_shape *shape, const void *object, struct cl_json **ret)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = cl_json_object();
    if (json == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < shape->count; i++) {
        const struct oci_field *field = &shape->fields[i];
        struct cl_json *value = NULL;
        int r = field->codec->encode(field, (const char *)object + field->offset, &value);
        if (r == 0 && value != NULL)
            r = cl_json_set(json, field->name, value);
        if (r < 0)
            return r;
    }
    *ret = cl_take(json);
    return 0;
}

void oci_shape_done(const struct oci_shape *shape, void *object)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct oci_field *field = &shape->fields[i];
        if (field->codec->done != NULL)
            field->codec->done(field, (char *)object + field->offset);
    }
    memset(object, 0, shape->size);
}

int oci_shape_decode_new(const struct oci_shape *shape, const char *document,
                         const struct cl_json *json, void **ret, struct cl_error *err)
{
    void *object = cl_calloc(1, shape->size);
    if (object == NULL)
        return cl_fail(err, ENOMEM, "read %s", document);
    int r = oci_shape_decode(shape, document, json, object, err);
    if (r < 0) {
        free(object);
        return r;
    }
    *ret = object;
    return 0;
}

void oci_shape_free(const struct oci_shape *shape, void *object)
{
    if (object == NULL)
        return;
    oci_shape_done(shape, object);
    free(object);
}

/* ---- Checks and helpers ---- */

/* A name that fills its array has no end (older compilers don't warn). */
static bool are_words_whole(const struct oci_word *words)
{
    for (; !oci_word_is_end(words); words++)
        if (memchr(words->name, '\0', sizeof words->name) == NULL)
            return false;
    return true;
}

const char *oci_shape_check(const struct oci_shape *shape)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct oci_field *field = &shape->fields[i];
        const struct oci_shape *inner = field->has_words ? NULL : field->shape;
        bool is_embedded = field->codec == &oci_object_codec && inner != NULL;
        size_t expected = is_embedded ? inner->size : field->codec->size;
        if (expected != field->size || field->offset + field->size > shape->size)
            return field->name;
        if (field->has_words && !are_words_whole(field->words))
            return field->name;
        const char *below = inner != NULL ? oci_shape_check(inner) : NULL;
        if (below != NULL)
            return below;
    }
    return NULL;
}

const char *oci_word_name(const struct oci_word *words, uint32_t value)
{
    for (; !oci_word_is_end(words); words++)
        if (words->value == value)
            return words->name;
    return NULL;
}

const struct oci_word *oci_word_find(const struct oci_word *words, const char *name)
{
    for (; !oci_word_is_end(words); words++)
        if (strcmp(words->name, name) == 0)
            return words;
    return NULL;
}

void *oci_load_pointer(const void *member)
{
    void *pointer;
    memcpy(&pointer, member, sizeof pointer);
    return pointer;
}

void oci_store_pointer(void *member, void *pointer)
{
    memcpy(member, &pointer, sizeof pointer);
}

void *oci_list_grow(void *items_member, size_t *count, size_t size)
{
    size_t elements, bytes;
    if (!cl_add_size(*count, 1, &elements) || !cl_mul_size(elements, size, &bytes))
        return NULL;
    char *items = cl_realloc(oci_load_pointer(items_member), bytes);
    if (items == NULL)
        return NULL;
    oci_store_pointer(items_member, items);
    char *item = items + *count * size;
    memset(item, 0, size);
    (*count)++;
    return item;
}
