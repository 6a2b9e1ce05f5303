/* SPDX-License-Identifier: Apache-2.0 */
/* String maps keep the order of the document and have each key once. */
#include "oci/types.h"

#include "test.h"

TEST(set_get_replace_remove)
{
    struct oci_map map = { 0 };
    CHECK_STR(oci_map_get(&map, "a"), NULL);
    CHECK_INT(oci_map_set(&map, "b", "1"), 0);
    CHECK_INT(oci_map_set(&map, "a", "2"), 0);
    CHECK_INT(oci_map_set(&map, "c", "3"), 0);
    CHECK_INT(oci_map_set(&map, "b", "4"), 0);
    CHECK_INT(map.count, 3);
    CHECK_STR(map.pairs[0].key, "b");
    CHECK_STR(oci_map_get(&map, "b"), "4");
    CHECK(oci_map_remove(&map, "a"));
    CHECK(!oci_map_remove(&map, "a"));
    CHECK_STR(oci_map_get(&map, "a"), NULL);
    CHECK_STR(map.pairs[1].key, "c");
    CHECK_INT(oci_map_set(&map, "d", "5"), 0);
    CHECK_STR(oci_map_get(&map, "d"), "5");
    oci_map_done(&map);
    CHECK_INT(map.count, 0);
}

TEST(copy_is_independent)
{
    struct oci_map map = { 0 }, copy = { 0 };
    CHECK_INT(oci_map_set(&map, "k", "v"), 0);
    CHECK_INT(oci_map_copy(&copy, &map), 0);
    CHECK_INT(oci_map_set(&map, "k", "w"), 0);
    CHECK_STR(oci_map_get(&copy, "k"), "v");
    oci_map_done(&map);
    oci_map_done(&copy);
}

TEST_MAIN
