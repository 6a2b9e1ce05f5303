/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document of `update --resources`: what decodes must survive the validator, be writable, and be read again as the same.
 */
#include "oci/runtime_spec.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz-resources: %s\n", what);
    abort();
}

static char *written(const struct oci_resources *resources)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    must(oci_resources_encode(resources, &json) == 0, "what was read cannot be written");
    return cl_json_text(json, CL_JSON_COMPACT);
}

static void try_again(const struct oci_resources *resources, int valid)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    struct oci_resources again = { 0 };
    must(oci_resources_encode(resources, &json) == 0, "what was read cannot be written");
    must(oci_resources_decode(json, &again, NULL) == 0, "what was written cannot be read");
    must(oci_resources_validate(&again, NULL) == valid, "validity changed on the way");
    cl_auto_free char *first = written(resources), *second = written(&again);
    must(cl_streq(first, second), "a second writing differs from the first");
    oci_resources_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    struct oci_resources resources = { 0 };
    struct cl_error err = { 0 }, refused = { 0 };
    if (cl_json_parse((const char *)data, size, 1 << 20, &json, &err) < 0)
        return 0;
    if (oci_resources_decode(json, &resources, &err) < 0) {
        must(err.code < 0 && err.text[0] != '\0', "a failure without an error");
    } else {
        int valid = oci_resources_validate(&resources, &refused);
        must(valid >= 0 || refused.text[0] != '\0', "a refusal without a reason");
        try_again(&resources, valid);
    }
    oci_resources_done(&resources);
    return 0;
}
