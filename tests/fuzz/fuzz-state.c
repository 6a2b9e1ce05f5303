/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state that hooks read and state.json holds: what decodes must be writable and be read again as the same.
 */
#include "oci/runtime_spec.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz-state: %s\n", what);
    abort();
}

static void try_again(const struct oci_state *state)
{
    CL_AUTO(cl_json_unref) struct cl_json *first = NULL, *second = NULL;
    struct oci_state again = { 0 };
    must(oci_state_encode(state, &first) == 0, "what was read cannot be written");
    must(oci_state_decode(first, &again, NULL) == 0, "what was written cannot be read");
    must(oci_state_encode(&again, &second) == 0, "what was read again cannot be written");
    cl_auto_free char *text = cl_json_text(first, CL_JSON_COMPACT);
    cl_auto_free char *text_again = cl_json_text(second, CL_JSON_COMPACT);
    must(cl_streq(text, text_again), "a second writing differs from the first");
    oci_state_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    struct oci_state state = { 0 };
    struct cl_error err = { 0 };
    if (cl_json_parse((const char *)data, size, 1 << 20, &json, &err) < 0)
        return 0;
    if (oci_state_decode(json, &state, &err) >= 0)
        try_again(&state);
    else
        must(err.code < 0 && err.text[0] != '\0', "a failure without an error");
    oci_state_done(&state);
    return 0;
}
