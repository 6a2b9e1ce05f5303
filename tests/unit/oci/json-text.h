/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents in tests: JSON written with ' instead of ", so that C strings stay readable.
 */
#pragma once

#include "base/json.h"

static inline char *json_text(const char *quoted)
{
    char *text = cl_strdup(quoted);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    return text;
}

static inline struct cl_json *json_of(const char *quoted)
{
    char *text = json_text(quoted);
    struct cl_json *json = NULL;
    struct cl_error err = { 0 };
    if (cl_json_parse(text, strlen(text), 1 << 20, &json, &err) < 0) {
        fprintf(stderr, "the test's own document is bad: %s\n%s\n", err.text, text);
        exit(1);
    }
    free(text);
    return json;
}
