/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict check of digest strings. Apart from digest.c, so that programs which only check do not link libcrypto.
 */
#include "base/digest.h"

#include <string.h>

#include "base/str.h"

bool cl_digest_is_valid(const char *digest)
{
    static const struct {
        const char *prefix;
        size_t digits;
    } algorithms[] = { { "sha256:", 64 }, { "sha512:", 128 } };
    for (size_t i = 0; i < CL_COUNT(algorithms); i++) {
        if (!cl_starts_with(digest, algorithms[i].prefix))
            continue;
        const char *hex = digest + strlen(algorithms[i].prefix);
        return strspn(hex, "0123456789abcdef") == algorithms[i].digits &&
               hex[algorithms[i].digits] == '\0';
    }
    return false;
}
