/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target for templates: the input is a template, run over a fixed document that has every type. A run that fails must leave the
 * output as it was, and both modes of missing keys are tried.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] =
    "{\"Name\":\"/w\\u00e9b <1>\",\"State\":{\"Status\":\"running\",\"Pid\":7,\"Paused\":false,"
    "\"Health\":null},\"Args\":[\"a\",\"b\",\"c\"],\"Mounts\":[{\"Source\":\"/x\",\"Destination\":"
    "\"/"
    "y\"}],\"Labels\":{},\"Ratio\":2.5,\"Big\":18446744073709551615,\"None\":[],\"Mixed\":[1,null,"
    "\"x\",[2,[3]]]}";

static void run(const struct cl_template *template_, const struct cl_json *json)
{
    cl_auto_buf out = CL_BUF_INIT(1 << 16);
    struct cl_error err = { 0 };
    cl_buf_str(&out, "before");
    int r = cl_template_run(template_, json, &out, &err);
    if (out.failed != 0 || out.size < 6 || memcmp(out.data, "before", 6) != 0)
        abort();
    if (r < 0 && (out.size != 6 || err.code != r || err.text[0] == '\0'))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CL_AUTO(cl_template_free) struct cl_template *template_ = NULL;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    struct cl_error err = { 0 };
    cl_auto_free char *text = cl_strndup((const char *)data, size);
    if (text == NULL ||
        cl_json_parse(document, sizeof document - 1, sizeof document, &json, &err) < 0)
        abort();
    int r = cl_template_parse(text, &template_, &err);
    if (r < 0) {
        if (template_ != NULL || err.code != r || err.text[0] == '\0')
            abort();
        return 0;
    }
    run(template_, json);
    cl_template_need_keys(template_);
    run(template_, json);
    return 0;
}
