/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of room runtime: an answer of criu's.
 */
#include <stdint.h>
#include <stdlib.h>

#include "runtime/criu_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct criu_answer answer = { .type = 0 };
    if (criu_answer_parse(data, size, &answer) < 0)
        return 0;
    if (answer.type == 0 || strlen(answer.script) >= sizeof answer.script ||
        strlen(answer.message) >= sizeof answer.message)
        abort();
    return 0;
}
