/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id maps and passwd files, the latter as hostile as an image likes.
 */
#include "lens/idmap.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "test.h"

TEST(maps_backwards)
{
    struct lens_idmap map;
    uint32_t id = 0;
    CHECK_INT(lens_idmap_parse("         0     100000      65536\n     70000   1000  1\n", &map),
              0);
    CHECK_INT(map.count, 2);
    CHECK(lens_idmap_inside(&map, 100000, &id));
    CHECK_INT(id, 0);
    CHECK(lens_idmap_inside(&map, 165535, &id));
    CHECK_INT(id, 65535);
    CHECK(lens_idmap_inside(&map, 1000, &id));
    CHECK_INT(id, 70000);
    CHECK(!lens_idmap_inside(&map, 165536, &id));
    CHECK_INT(id, 65534);
    CHECK(!lens_idmap_is_identity(&map));
}

TEST(knows_the_identity)
{
    struct lens_idmap map;
    uint32_t id = 1;
    CHECK_INT(lens_idmap_parse("0 0 4294967295\n", &map), 0);
    CHECK(lens_idmap_is_identity(&map));
    CHECK(lens_idmap_inside(&map, 4294967294U, &id));
    CHECK_INT(id, 4294967294U);
}

TEST(refuses_what_the_kernel_would_not_write)
{
    struct lens_idmap map;
    CHECK_INT(lens_idmap_parse("0 0\n", &map), -EINVAL);
    CHECK_INT(lens_idmap_parse("0 x 1\n", &map), -EINVAL);
    CHECK_INT(lens_idmap_parse("0 -1 1\n", &map), -EINVAL);
    CHECK_INT(lens_idmap_parse("", &map), 0);
    CHECK_INT(map.count, 0);
}

TEST(reads_passwd_lines_and_passes_over_others)
{
    CL_AUTO(lens_id_names_free)
    struct lens_id_names *names =
        lens_id_names_parse("root:x:0:0:root:/root:/bin/ash\n"
                            "no colons\n"
                            ":x:5:\n"
                            "minus:x:-1:0::/:\n"
                            "toor:x:0:0::/:\n"
                            "a-name-that-is-much-longer-than-sixty-four-bytes-and-therefore-is-no-"
                            "name-at-all:x:6:6::/:\n"
                            "web:x:1000:1000::/:");
    REQUIRE(names != NULL);
    CHECK_STR(lens_id_names_find(names, 0), "root");
    CHECK_STR(lens_id_names_find(names, 1000), "web");
    CHECK(lens_id_names_find(names, 5) == NULL);
    CHECK(lens_id_names_find(names, 6) == NULL);
    CHECK(lens_id_names_find(names, 4294967295U) == NULL);
}

TEST(a_fifo_or_a_link_out_is_a_file_without_names)
{
    char dir[] = "/tmp/lens-idmap-XXXXXX";
    REQUIRE(mkdtemp(dir) != NULL);
    int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK_INT(mkfifoat(root, "fifo", 0600), 0);
    CHECK_INT(symlinkat("/etc/passwd", root, "link"), 0);
    struct lens_id_names *fifo = lens_id_names_read(root, "/fifo");
    struct lens_id_names *outside = lens_id_names_read(root, "/link"); /* means DIR/etc/passwd */
    CHECK(fifo != NULL && lens_id_names_find(fifo, 0) == NULL);
    CHECK(outside != NULL && lens_id_names_find(outside, 0) == NULL);
    lens_id_names_free(fifo);
    lens_id_names_free(outside);
    (void)unlinkat(root, "fifo", 0);
    (void)unlinkat(root, "link", 0);
    (void)close(root);
    (void)rmdir(dir);
}

TEST_MAIN
