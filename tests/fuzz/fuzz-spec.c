/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json from anywhere: whatever the parser and the decoder accept must be writable, and what was written must be read back to the same
 * text. The validator must survive everything that decodes.
 */
#include "oci/runtime_spec.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz-spec: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL, *first = NULL, *second = NULL;
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL, *again = NULL;
    struct cl_error err = { 0 };
    if (cl_json_parse((const char *)data, size, 1 << 20, &json, &err) < 0)
        return 0;
    if (oci_spec_decode(json, &spec, &err) < 0) {
        must(spec == NULL && err.code < 0 && err.text[0] != '\0', "a failure without an error");
        return 0;
    }
    struct cl_error refused = { 0 };
    int valid = oci_spec_validate(spec, &refused);
    must(oci_spec_encode(spec, &first) == 0, "what was decoded cannot be written");
    must(oci_spec_decode(first, &again, &err) == 0, "what was written cannot be read");
    must(oci_spec_encode(again, &second) == 0, "what was read again cannot be written");
    must(oci_spec_validate(again, NULL) == valid, "validity changed on the way");
    cl_auto_free char *text = cl_json_text(first, CL_JSON_COMPACT);
    cl_auto_free char *text_again = cl_json_text(second, CL_JSON_COMPACT);
    must(cl_streq(text, text_again), "a second writing differs from the first");
    return 0;
}
