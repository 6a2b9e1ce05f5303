/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of templates: what they are called, whether they are true, how they print without a verb.
 */
#include <errno.h>

#include "base/template_private.h"

struct tpl_value tpl_from_json(const struct cl_json *json)
{
    struct tpl_value value = { .kind = TPL_NONE };
    const char *text;
    switch (cl_json_type(json)) {
    case CL_JSON_NULL:
        break;
    case CL_JSON_BOOL:
        return tpl_from_bool(cl_json_bool(json));
    case CL_JSON_INT:
        if (cl_json_i64(json, &value.integer) == 0)
            value.kind = TPL_INT;
        else if (cl_json_u64(json, &value.natural) == 0)
            value.kind = TPL_UINT;
        break;
    case CL_JSON_DOUBLE:
        value.kind = TPL_DOUBLE;
        value.real = cl_json_double(json);
        break;
    case CL_JSON_STRING:
        text = cl_json_string(json);
        return tpl_from_string((struct tpl_string){ .text = text, .size = strlen(text) });
    case CL_JSON_ARRAY:
    case CL_JSON_OBJECT:
        value.kind = cl_json_type(json) == CL_JSON_ARRAY ? TPL_LIST : TPL_MAP;
        value.json = json;
        break;
    }
    return value;
}

struct tpl_value tpl_inside(const struct cl_json *json)
{
    struct tpl_value value = tpl_from_json(json);
    if (value.kind == TPL_NONE)
        value.kind = TPL_NIL;
    value.is_boxed = true;
    return value;
}

struct tpl_value tpl_from_int(int64_t value)
{
    return (struct tpl_value){ .kind = TPL_INT, .integer = value };
}

struct tpl_value tpl_from_bool(bool value)
{
    return (struct tpl_value){ .kind = TPL_BOOL, .boolean = value };
}

struct tpl_value tpl_from_string(struct tpl_string string)
{
    return (struct tpl_value){ .kind = TPL_STRING, .string = string };
}

struct tpl_value tpl_unboxed(struct tpl_value value)
{
    if (value.kind == TPL_NIL)
        value.kind = TPL_NONE;
    value.is_boxed = false;
    return value;
}

bool tpl_is_true(struct tpl_value value)
{
    switch (value.kind) {
    case TPL_NONE:
    case TPL_NIL:
        return false;
    case TPL_BOOL:
        return value.boolean;
    case TPL_INT:
        return value.integer != 0;
    case TPL_UINT:
        return value.natural != 0;
    case TPL_DOUBLE:
        return value.real != 0;
    case TPL_STRING:
        return value.string.size > 0;
    case TPL_LIST:
    case TPL_MAP:
        return cl_json_count(value.json) > 0;
    }
    return false;
}

const char *tpl_type_name(struct tpl_value value)
{
    switch (value.kind) {
    case TPL_NONE:
        return "<nil>";
    case TPL_NIL:
        return "interface {}";
    case TPL_BOOL:
        return "bool";
    case TPL_INT:
        return "int";
    case TPL_UINT:
        return value.natural < 256 ? "uint8" : "uint64";
    case TPL_DOUBLE:
        return "float64";
    case TPL_STRING:
        return "string";
    case TPL_LIST:
        return "[]interface {}";
    case TPL_MAP:
        return "map[string]interface {}";
    }
    return "unknown";
}

static int compare_keys(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

int tpl_sorted_keys(struct tpl_run *run, const struct cl_json *map, const char ***ret)
{
    size_t count = cl_json_count(map), used = 0;
    int r = tpl_step(run, count);
    if (r < 0)
        return r;
    const char **keys = tpl_arena_get(&run->arena, (count + 1) * sizeof *keys);
    if (keys == NULL)
        return tpl_fail_room(run, -ENOMEM);
    void *state = NULL;
    while (used < count && cl_json_next(map, &state, &keys[used], NULL))
        used++;
    qsort(keys, used, sizeof *keys, compare_keys);
    *ret = keys;
    return 0;
}

int tpl_print(struct tpl_run *run, struct cl_buf *buf, struct tpl_value value)
{
    if (value.kind == TPL_NONE || value.kind == TPL_NIL) {
        cl_buf_str(buf, "<no value>");
        return 0;
    }
    return tpl_format(run, buf, value, 'v');
}

int tpl_sprint(struct tpl_run *run, struct cl_buf *buf, const struct tpl_value *values,
               size_t count)
{
    bool was_string = true; /* nothing before the first */
    for (size_t i = 0; i < count; i++) {
        bool is_string = values[i].kind == TPL_STRING;
        if (!is_string && !was_string)
            cl_buf_char(buf, ' ');
        int r = tpl_format(run, buf, values[i], 'v');
        if (r < 0)
            return r;
        was_string = is_string;
    }
    return 0;
}

int tpl_sprintln(struct tpl_run *run, struct cl_buf *buf, const struct tpl_value *values,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            cl_buf_char(buf, ' ');
        int r = tpl_format(run, buf, values[i], 'v');
        if (r < 0)
            return r;
    }
    cl_buf_char(buf, '\n');
    return 0;
}
