/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mountinfo parser.
 */
#include "lens/mounts.h"
#include "test.h"

struct seen {
    int count, stop_after;
    unsigned id;
    char root[128], point[128], type[32], source[64], super_options[64];
};

static int see(void *context, const struct lens_mount *mount)
{
    struct seen *seen = context;
    seen->count++;
    seen->id = mount->id;
    (void)CL_PRINT(seen->root, "%s", mount->root);
    (void)CL_PRINT(seen->point, "%s", mount->point);
    (void)CL_PRINT(seen->type, "%s", mount->type);
    (void)CL_PRINT(seen->source, "%s", mount->source);
    (void)CL_PRINT(seen->super_options, "%s", mount->super_options);
    return seen->count == seen->stop_after ? 7 : 0;
}

TEST(reads_all_fields)
{
    struct seen seen = { 0 };
    char text[] = "98 1 0:32 net:[4026532000] /run/netns/web\\040one rw shared:5 master:2 - nsfs "
                  "nsfs rw,seclabel\n";
    CHECK_INT(lens_mounts_parse(text, see, &seen), 0);
    CHECK_INT(seen.count, 1);
    CHECK_INT(seen.id, 98);
    CHECK_STR(seen.root, "net:[4026532000]");
    CHECK_STR(seen.point, "/run/netns/web one");
    CHECK_STR(seen.type, "nsfs");
    CHECK_STR(seen.super_options, "rw,seclabel");
}

TEST(unescapes_newlines_and_backslashes_only_where_octal)
{
    struct seen seen = { 0 };
    char text[] = "1 1 0:1 / /a\\012b\\134c\\9\\1 rw - tmpfs x\\011y rw";
    CHECK_INT(lens_mounts_parse(text, see, &seen), 0);
    CHECK_STR(seen.point, "/a\nb\\c\\9\\1");
    CHECK_STR(seen.source, "x\ty");
}

TEST(passes_over_lines_that_are_none)
{
    struct seen seen = { 0 };
    char text[] =
        "\n1 2\nx 1 0:1 / / rw - a b c\n1 1 01 / / rw - a b c\n1 1 0:1 / / rw no dash a b\n"
        "5 1 0:1 / /last rw - tmpfs none rw\n";
    CHECK_INT(lens_mounts_parse(text, see, &seen), 0);
    CHECK_INT(seen.id, seen.count == 1 ? 5 : 0);
}

TEST(stops_when_told)
{
    struct seen seen = { .stop_after = 1 };
    char text[] = "1 1 0:1 / /a rw - t s o\n2 1 0:1 / /b rw - t s o\n";
    CHECK_INT(lens_mounts_parse(text, see, &seen), 7);
    CHECK_INT(seen.count, 1);
}

TEST_MAIN
