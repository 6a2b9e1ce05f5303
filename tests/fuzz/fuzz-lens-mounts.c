/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mountinfo as the lens reads it: every text of every mount is a string within the input.
 */
#include <stdint.h>

#include "lens/mounts.h"

static int touch(void *context, const struct lens_mount *mount)
{
    size_t *total = context;
    *total += strlen(mount->root) + strlen(mount->point) + strlen(mount->options) +
              strlen(mount->type) + strlen(mount->source) + strlen(mount->super_options);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t total = 0;
    char *text = cl_strndup((const char *)data, size);
    if (text != NULL && (lens_mounts_parse(text, touch, &total) != 0 || total > size))
        abort();
    free(text);
    return 0;
}
