/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.json as `exec --process` reads it: what is accepted is valid, must be writable, and is accepted again as the same. A refusal says why.
 */
#include "oci/runtime_spec.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz-process: %s\n", what);
    abort();
}

static char *written(const struct oci_process *process)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    must(oci_process_encode(process, &json) == 0, "what was read cannot be written");
    return cl_json_text(json, CL_JSON_COMPACT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CL_AUTO(oci_process_free) struct oci_process *process = NULL, *again = NULL, *copy = NULL;
    struct cl_error err = { 0 };
    if (oci_process_read((const char *)data, size, &process, &err) < 0) {
        must(process == NULL && err.code < 0 && err.text[0] != '\0', "a failure without an error");
        return 0;
    }
    must(process->args != NULL && process->args[0] != NULL, "accepted without a program");
    must(process->cwd != NULL && process->cwd[0] == '/', "accepted without a working directory");
    cl_auto_free char *first = written(process);
    must(oci_process_read(first, strlen(first), &again, &err) == 0, "what was written is refused");
    must(oci_process_copy(process, &copy) == 0, "it cannot be copied");
    cl_auto_free char *second = written(again), *third = written(copy);
    must(cl_streq(first, second), "a second writing differs from the first");
    must(cl_streq(first, third), "a copy differs");
    return 0;
}
