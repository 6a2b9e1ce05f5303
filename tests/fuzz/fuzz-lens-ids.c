/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id maps and passwd files: any text is read or refused, and an id looked up in it stays within what was said.
 */
#include <stdint.h>

#include "lens/idmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lens_idmap map;
    uint32_t inside = 0;
    char *text = cl_strndup((const char *)data, size);
    if (text != NULL && lens_idmap_parse(text, &map) >= 0 &&
        !lens_idmap_inside(&map, 1000, &inside) && inside != LENS_OVERFLOW_ID)
        abort();
    struct lens_id_names *names = text == NULL ? NULL : lens_id_names_parse(text);
    const char *name = lens_id_names_find(names, 0);
    if (name != NULL && strlen(name) > size)
        abort();
    lens_id_names_free(names);
    free(text);
    return 0;
}
