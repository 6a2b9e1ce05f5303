/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small value types that the documents of this room are made of: optional scalars and string maps.
 * Strings are owned `char *` (NULL: absent), string arrays are strvs (base/str.h; NULL: absent or empty).
 */
#pragma once

#include "base/str.h"

/* Optional scalars: `value` means something only where `set` is true. */
struct oci_opt_bool {
    bool set;
    bool value;
};
struct oci_opt_i64 {
    bool set;
    int64_t value;
};
struct oci_opt_u64 {
    bool set;
    uint64_t value;
};
struct oci_opt_i32 {
    bool set;
    int32_t value;
};
struct oci_opt_u32 {
    bool set;
    uint32_t value;
};
#define OCI_SOME(v)                                                                                \
    {                                                                                              \
        .set = true, .value = (v)                                                                  \
    } /* initialiser: struct oci_opt_i64 x = OCI_SOME(5); */

/* A string → string map (annotations, labels, sysctls) in the order of the document. Keys are unique. */
struct oci_pair {
    char *key;
    char *value;
};
struct oci_map {
    struct oci_pair *pairs;
    size_t count;
};
const char *oci_map_get(const struct oci_map *map, const char *key);      /* NULL when absent */
int oci_map_set(struct oci_map *map, const char *key, const char *value); /* copies; 0 or -ENOMEM */
bool oci_map_remove(struct oci_map *map, const char *key);        /* true when it was there */
int oci_map_copy(struct oci_map *ret, const struct oci_map *map); /* *ret must be empty */
void oci_map_done(struct oci_map *map);                           /* leaves an empty map */
