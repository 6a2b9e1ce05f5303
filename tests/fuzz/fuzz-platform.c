/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platform names: what is accepted formats to something that is accepted and is the same platform.
 */
#include "oci/platform.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cl_auto_free char *text = cl_strndup((const char *)data, size);
    oci_auto_platform platform = { 0 }, again = { 0 };
    struct cl_error err = { 0 };
    if (text == NULL || oci_platform_parse(text, "x86_64", &platform, &err) < 0)
        return 0;
    cl_auto_free char *form = oci_platform_format(&platform);
    if (form != NULL && oci_platform_parse(form, "x86_64", &again, &err) == 0 &&
        cl_streq(platform.architecture, again.architecture) &&
        cl_streq(platform.variant, again.variant))
        return 0;
    fprintf(stderr, "fuzz-platform: %s reads differently\n", form != NULL ? form : "?");
    abort();
}
