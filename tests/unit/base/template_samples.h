/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates and what they print over one document; the expectations are what Go's text/template and fmt give for the same, with
 * Docker's functions (compared with docker 28 and Go 1.19 when they were written down).
 */
#pragma once

#include "base/template.h"

#include "test.h"

struct template_sample {
    const char *text, *expected;
};

static const char template_document[] =
    "{\"Args\":[\"a\",\"b\",\"c\"],\"Html\":\"<a&b>\",\"Id\":\"0123456789ab\",\"Labels\":{\"co"
    "m.example/a b\":\"1\",\"z\":\"2\"},\"Large\":1234567.0,\"Mounts\":[{\"RW\":true,\"So"
    "urce\":\"/x\"},{\"RW\":false,\"Source\":\"/y\"}],\"Name\":\"/web\",\"None\":[],\"Ratio"
    "\":2.5,\"State\":{\"Health\":null,\"Paused\":false,\"Pid\":7,\"Status\":\"running\""
    "}}";

static inline int template_try(const char *text, bool needs_keys, struct cl_buf *out,
                               struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *data = NULL;
    CL_AUTO(cl_template_free) struct cl_template *template_ = NULL;
    int r = cl_json_parse(template_document, sizeof template_document - 1, 10000, &data, err);
    if (r >= 0)
        r = cl_template_parse(text, &template_, err);
    if (r >= 0 && needs_keys)
        cl_template_need_keys(template_);
    return r < 0 ? r : cl_template_run(template_, data, out, err);
}

static inline void check_samples(const struct template_sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cl_auto_buf out = CL_BUF_INIT(1 << 16);
        struct cl_error err = { 0 };
        if (template_try(samples[i].text, false, &out, &err) < 0)
            TEST_SAY("%s: %s", samples[i].text, err.text);
        else if (!cl_streq(out.data == NULL ? "" : out.data, samples[i].expected))
            TEST_SAY("%s gives \"%s\", expected \"%s\"", samples[i].text,
                     out.data == NULL ? "" : out.data, samples[i].expected);
    }
}

/* The expectation is what follows "template parsing error: template: ". */
static inline void check_failing(const struct template_sample *samples, size_t count)
{
    static const char start[] = "template parsing error: template: ";
    for (size_t i = 0; i < count; i++) {
        cl_auto_buf out = CL_BUF_INIT(1 << 16);
        struct cl_error err = { 0 };
        cl_buf_str(&out, "kept");
        if (template_try(samples[i].text, false, &out, &err) != -EINVAL ||
            err.kind != CL_KIND_INVALID)
            TEST_SAY("%s: not refused as it should be: %s", samples[i].text, err.text);
        else if (!cl_starts_with(err.text, start) ||
                 !cl_streq(err.text + sizeof start - 1, samples[i].expected))
            TEST_SAY("%s gives \"%s\", expected \"%s\"", samples[i].text, err.text,
                     samples[i].expected);
        CHECK_STR(out.data, "kept");
    }
}
