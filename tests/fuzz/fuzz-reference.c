/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image references: whatever is accepted must be read back equal from both of its written forms, and never hold what could leave a directory.
 */
#include "oci/reference.h"

#include "base/str.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what, const char *text)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz-reference: %s: %s\n", what, text);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cl_auto_free char *text = cl_strndup((const char *)data, size);
    struct oci_reference reference, again;
    struct cl_error err = { 0 };
    char form[OCI_REFERENCE_MAX];
    if (text == NULL || oci_reference_parse(text, &reference, &err) < 0)
        return 0;
    must(strstr(reference.path, "..") == NULL && reference.path[0] != '/', "unsafe path", text);
    oci_reference_string(&reference, form);
    must(oci_reference_parse(form, &again, &err) == 0, "the normal form is refused", form);
    must(oci_reference_equal(&reference, &again), "the normal form reads differently", form);
    oci_reference_familiar(&reference, form);
    must(oci_reference_parse(form, &again, &err) == 0, "the familiar form is refused", form);
    must(oci_reference_equal(&reference, &again), "the familiar form reads differently", form);
    return 0;
}
