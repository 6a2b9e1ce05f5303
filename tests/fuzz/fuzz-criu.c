/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of room runtime: an answer of criu's, and its table of mounts.
 */
#include <stdint.h>
#include <stdlib.h>

#include "runtime/criu.h"

/* What comes out is a table of as many mounts, which can be read again. */
static void split(const uint8_t *data, size_t size)
{
    cl_auto_buf out = CL_BUF_INIT(1 << 20), again = CL_BUF_INIT(1 << 20);
    if (criu_split_masters(data, size, &out) == 1 &&
        criu_split_masters(out.data, out.size, &again) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    split(data, size);
    struct criu_answer answer = { .type = 0 };
    if (criu_answer_parse(data, size, &answer) < 0)
        return 0;
    if (answer.type == 0 || strlen(answer.script) >= sizeof answer.script ||
        strlen(answer.message) >= sizeof answer.message)
        abort();
    return 0;
}
