/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view for programs. docs/lens-json.md is its schema: keys are never renamed, only added.
 */
#include <errno.h>

#include "lens/view.h"

static int set_text(struct cl_json *object, const char *key, const char *text)
{
    return cl_json_set(object, key, text == NULL ? cl_json_null() : cl_json_from_string(text));
}

static struct cl_json *row_json(const struct view_row *row)
{
    CL_AUTO(cl_json_unref) struct cl_json *object = cl_json_object();
    int code = set_text(object, "host", row->host);
    if (code >= 0)
        code = set_text(object, "inside", row->inside);
    if (code >= 0 && row->verdict != VIEW_NONE)
        code = cl_json_set_string(object, "verdict", view_verdict_word(row->verdict));
    if (code >= 0 && row->with != NULL)
        code = cl_json_set_string(object, "with", row->with);
    return code < 0 ? NULL : cl_take(object);
}

/* The rows of one name: an object, or an array of all items of that name. */
static int add_named(const struct view *view, struct cl_json *section, size_t index)
{
    const struct view_row *row = &view->rows[index];
    if (!row->is_item)
        return cl_json_set(section, row->name, row_json(row));
    if (cl_json_get(section, row->name) != NULL)
        return 0; /* came with the first */
    struct cl_json *items = cl_json_array();
    int code = cl_json_set(section, row->name, items);
    for (size_t i = index; code >= 0 && i < view->count; i++)
        if (view->rows[i].is_item && strcmp(view->rows[i].section, row->section) == 0 &&
            strcmp(view->rows[i].name, row->name) == 0)
            code = cl_json_add(items, row_json(&view->rows[i]));
    return code;
}

static int add_section(const struct view *view, struct cl_json *document, const char *key,
                       const char *section)
{
    struct cl_json *object = cl_json_object();
    int code = cl_json_set(document, key, object);
    for (size_t i = 0; code >= 0 && i < view->count; i++)
        if (strcmp(view->rows[i].section, section) == 0)
            code = add_named(view, object, i);
    return code;
}

static int add_shared(const struct view *view, struct cl_json *document)
{
    struct cl_json *names = cl_json_array(), *meanings = cl_json_array();
    int code = cl_json_set(document, "shared", names);
    int set = cl_json_set(document, "sharing", meanings);
    for (int type = 0; code >= 0 && set >= 0 && type < K_NS_COUNT; type++) {
        if (view->verdicts[type] != VIEW_SHARED)
            continue;
        struct cl_json *sharing = cl_json_object();
        int codes[] = {
            cl_json_add(names, cl_json_from_string(k_ns_table[type].name)),
            cl_json_set_string(sharing, "namespace", k_ns_table[type].name),
            cl_json_set_string(sharing, "meaning", view_sharing[type].meaning),
            set_text(sharing, "flag", view_sharing[type].flag),
            cl_json_add(meanings, sharing),
        };
        for (size_t i = 0; i < CL_COUNT(codes); i++)
            code = codes[i] < 0 ? codes[i] : code;
    }
    return set < 0 ? set : code;
}

int view_print_json(const struct view *view, FILE *out)
{
    CL_AUTO(cl_json_unref) struct cl_json *document = cl_json_object();
    const struct lens_container *container = &view->target.container;
    bool is_container = view->target.is_container;
    int code = cl_json_set_int(document, "pid", view->target.pid);
    if (code >= 0)
        code = set_text(document, "container", is_container ? container->name : NULL);
    if (code >= 0)
        code = set_text(document, "engine", is_container ? container->engine : NULL);
    for (size_t i = 0; code >= 0 && i < view_section_count; i++)
        code = add_section(view, document, view_sections[i].key, view_sections[i].rows);
    if (code >= 0)
        code = add_shared(view, document);
    cl_auto_free char *text = code < 0 ? NULL : cl_json_text(document, 3);
    if (text == NULL)
        return -ENOMEM;
    return cl_print_text(out, text);
}
