/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsns -Q: any text parses or is refused, and what parses can be asked of a row.
 */
#include <stdint.h>

#include "lens/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lens_process process = {
        .pid = 17, .parent = 1, .command = "sleep 1000", .name = "sleep"
    };
    struct lens_namespace ns = { .inode = 4026531836U, .type = K_NS_PID, .process_count = 3 };
    struct lens_snapshot snapshot = {
        .processes = &process, .process_count = 1, .namespaces = &ns, .namespace_count = 1
    };
    struct lens_directory directory = { 0 };
    struct lens_sight sight = { .snapshot = &snapshot, .directory = &directory };
    struct lens_row row = { 0, 0 };
    struct cl_error err = { 0 };
    struct lens_filter *filter = NULL;
    char *text = cl_strndup((const char *)data, size);
    if (text != NULL && lens_filter_parse(text, &filter, &err) >= 0)
        (void)lens_filter_match(filter, &sight, &row);
    lens_filter_free(filter);
    free(text);
    return 0;
}
