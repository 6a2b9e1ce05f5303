/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target for the JSON facade. What is accepted must survive a round: its compact text parses again to the same text, and so
 * does the indented one.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round(const char *text, const char *expected)
{
    CL_AUTO(cl_json_unref) struct cl_json *value = NULL;
    struct cl_error err;
    if (cl_json_parse(text, strlen(text), SIZE_MAX, &value, &err) < 0)
        abort();
    cl_auto_free char *again = cl_json_text(value, CL_JSON_COMPACT);
    if (!cl_streq(again, expected))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CL_AUTO(cl_json_unref) struct cl_json *value = NULL;
    struct cl_error err = { 0 };
    int r = cl_json_parse((const char *)data, size, 1 << 20, &value, &err);
    if (r < 0) {
        if (value != NULL || err.code != r || err.text[0] == '\0')
            abort();
        return 0;
    }
    cl_auto_free char *compact = cl_json_text(value, CL_JSON_COMPACT);
    cl_auto_free char *indented = cl_json_text(value, 4);
    if (compact == NULL || indented == NULL)
        abort();
    check_round(compact, compact);
    check_round(indented, compact);
    CL_AUTO(cl_json_unref) struct cl_json *copy = cl_json_copy(value);
    return copy == NULL ? -1 : 0;
}
