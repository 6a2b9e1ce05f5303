/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives made to hurt: each is refused with an error that names the entry, or does no more than it could do inside its own container. Whatever happens, the
 * neighbour of the layer's directory stays as it is.
 */
#include "support.h"

static struct cl_error err;

/* Refused, and the text has both parts. */
#define REFUSED(archive, part, other)                                                              \
    do {                                                                                           \
        struct place place_;                                                                       \
        REQUIRE(place_make(&place_));                                                              \
        archive_end(archive);                                                                      \
        CHECK(unpack(&place_, (archive), &err) < 0);                                               \
        CHECK_CONTAINS(err.text, part);                                                            \
        CHECK_CONTAINS(err.text, other);                                                           \
        check_neighbour(&place_);                                                                  \
        place_done(&place_);                                                                       \
    } while (0)

TEST(dot_dot_is_refused)
{
    static const char *const names[] = { "../x",   "a/../../x", "..",
                                         "./../x", "/../x",     "a/b/../../../x" };
    for (size_t i = 0; i < CL_COUNT(names); i++) {
        auto_archive archive = ARCHIVE_INIT;
        archive_file(&archive, names[i], "bad");
        REFUSED(&archive, names[i], "climbs out of the image");
        CHECK_INT(err.kind, CL_KIND_INVALID);
    }
}

TEST(dot_dot_inside_is_fine_but_not_at_the_end)
{
    struct place place;
    auto_archive archive = ARCHIVE_INIT;
    REQUIRE(place_make(&place));
    archive_dir(&archive, "a/b/");
    archive_file(&archive, "a/b/../c", "good");
    archive_end(&archive);
    CHECK_INT(unpack(&place, &archive, &err), 0);
    CHECK_STR(content_at(&place, "a/c"), "good");
    place_done(&place);
    auto_archive second = ARCHIVE_INIT;
    archive_dir(&second, "a/b/..");
    REFUSED(&second, "a/b/..", "ends in \"..\"");
}

TEST(absolute_names_are_made_relative)
{
    struct place place;
    char name[100];
    auto_archive archive = ARCHIVE_INIT;
    REQUIRE(place_make(&place));
    (void)CL_PRINT(name, "%s/out/secret", place.dir);
    archive_file(&archive, name, "inside");
    archive_file(&archive, "//etc//x", "y");
    archive_end(&archive);
    CHECK_INT(unpack(&place, &archive, &err), 0);
    CHECK_STR(content_at(&place, name + 1), "inside");
    CHECK_STR(content_at(&place, "etc/x"), "y");
    check_neighbour(&place);
    place_done(&place);
}

/* A link to outside, then a write through it: it lands where the link leads inside the container. */
TEST(symlink_then_write_stays_inside)
{
    struct place place;
    char target[100];
    auto_archive archive = ARCHIVE_INIT;
    REQUIRE(place_make(&place));
    (void)CL_PRINT(target, "%s/out", place.dir);
    archive_symlink(&archive, "absolute", target);
    archive_symlink(&archive, "relative", "../out");
    archive_symlink(&archive, "deep", "../../../../../../out");
    archive_symlink(&archive, "magic", "/proc/self/root");
    archive_file(&archive, "absolute/secret", "1");
    archive_file(&archive, "relative/two", "2");
    archive_file(&archive, "deep/three", "3");
    archive_file(&archive, "magic/four", "4");
    archive_end(&archive);
    CHECK_INT(unpack(&place, &archive, &err), 0);
    CHECK_STR(content_at(&place, "out/two"), "2");
    CHECK_STR(content_at(&place, "out/three"), "3");
    CHECK_STR(content_at(&place, "proc/self/root/four"), "4");
    CHECK_STR(content_at(&place, target + 1), NULL);
    check_neighbour(&place);
    place_done(&place);
}

TEST(symlink_to_a_file_is_replaced_and_never_written_through)
{
    struct place place;
    char target[100];
    auto_archive archive = ARCHIVE_INIT;
    REQUIRE(place_make(&place));
    (void)CL_PRINT(target, "%s/out/secret", place.dir);
    archive_symlink(&archive, "a", target);
    archive_file(&archive, "a", "mine");
    archive_symlink(&archive, "d", "out");
    archive_dir(&archive, "d");
    archive_end(&archive);
    CHECK_INT(unpack(&place, &archive, &err), 0);
    CHECK(type_at(&place, "a") == S_IFREG && type_at(&place, "d") == S_IFDIR);
    CHECK_STR(content_at(&place, "a"), "mine");
    check_neighbour(&place);
    place_done(&place);
}

TEST(circles_of_links_end)
{
    auto_archive archive = ARCHIVE_INIT;
    archive_symlink(&archive, "a", "b");
    archive_symlink(&archive, "b", "a");
    archive_file(&archive, "a/x", "y");
    REFUSED(&archive, "tar entry \"a/x\"", "make the directories it is in");
}

TEST(hard_links_reach_nothing_outside)
{
    static const char *const targets[] = { "../out/secret", "a/../../out/secret" };
    for (size_t i = 0; i < CL_COUNT(targets); i++) {
        auto_archive archive = ARCHIVE_INIT;
        archive_hardlink(&archive, "stolen", targets[i]);
        REFUSED(&archive, "\"stolen\" is a hard link to", "climbs out of the image");
    }
    auto_archive absolute = ARCHIVE_INIT;
    archive_hardlink(&absolute, "stolen", "/etc/passwd");
    REFUSED(&absolute, "\"stolen\" is a hard link to \"/etc/passwd\"", "doesn't have before it");
    auto_archive through = ARCHIVE_INIT;
    archive_symlink(&through, "up", "../out");
    archive_hardlink(&through, "stolen", "up/secret");
    REFUSED(&through, "\"stolen\" is a hard link to \"up/secret\"", "doesn't have before it");
}

/* The link itself is linked, not what it points to; so a chmod by a later entry can't reach through it. */
TEST(hard_link_to_a_symlink_is_the_symlink)
{
    struct place place;
    char target[100];
    auto_archive archive = ARCHIVE_INIT;
    REQUIRE(place_make(&place));
    (void)CL_PRINT(target, "%s/out/secret", place.dir);
    archive_symlink(&archive, "soft", target);
    archive_hardlink(&archive, "hard", "soft");
    archive_add(&archive, .name = "hard", .type = '0', .mode = 04777, .data = "x");
    archive_hardlink(&archive, "again", "soft");
    archive_end(&archive);
    CHECK_INT(unpack(&place, &archive, &err), 0);
    CHECK(type_at(&place, "soft") == S_IFLNK && type_at(&place, "again") == S_IFLNK);
    CHECK(type_at(&place, "hard") == S_IFREG);
    check_neighbour(&place);
    place_done(&place);
}

TEST(the_root_directory_can_not_be_replaced)
{
    static const char *const names[] = { ".", "/", "./", "a/.." };
    for (size_t i = 0; i < 3; i++) {
        auto_archive archive = ARCHIVE_INIT;
        archive_symlink(&archive, names[i], "/etc");
        REFUSED(&archive, "tar entry", "root directory");
    }
    auto_archive archive = ARCHIVE_INIT;
    archive_file(&archive, names[3], "x");
    REFUSED(&archive, "tar entry \"a/..\"", "ends in \"..\"");
}

TEST(whiteouts_of_nothing_are_refused)
{
    static const char *const names[] = { ".wh.", ".wh..", ".wh...", "a/.wh...", "x/y/.wh.." };
    for (size_t i = 0; i < CL_COUNT(names); i++) {
        auto_archive archive = ARCHIVE_INIT;
        archive_file(&archive, names[i], "");
        REFUSED(&archive, names[i], "whiteout of nothing");
    }
}

TEST(attributes_that_steer_overlay_are_left_out)
{
    struct place place;
    char value[16];
    auto_archive archive = ARCHIVE_INIT;
    REQUIRE(place_make(&place));
    archive_pax(&archive, "SCHILY.xattr.trusted.overlay.redirect", "/../../etc",
                "SCHILY.xattr.trusted.overlay.opaque", "y", "SCHILY.xattr.user.overlay.redirect",
                "/etc", "SCHILY.xattr.user.fine", "yes", NULL);
    archive_dir(&archive, "d");
    archive_end(&archive);
    CHECK_INT(unpack(&place, &archive, &err), 0);
    cl_auto_fd fd = openat(place.in_fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(fgetxattr(fd, "trusted.overlay.redirect", value, sizeof value) < 0);
    CHECK(fgetxattr(fd, "trusted.overlay.opaque", value, sizeof value) < 0);
    CHECK(fgetxattr(fd, "user.overlay.redirect", value, sizeof value) < 0);
    place_done(&place);
}

TEST(owners_out_of_range_are_refused)
{
    static const char *const owners[] = { "4294967295", "4294967296", "9999999999" };
    for (size_t i = 0; i < CL_COUNT(owners); i++) {
        auto_archive archive = ARCHIVE_INIT;
        archive_pax(&archive, "uid", owners[i], NULL);
        archive_file(&archive, "f", "x");
        REFUSED(&archive, "tar entry \"f\" has the owner", "out of range");
    }
}

TEST(names_that_are_too_long)
{
    static char name[300], path[5000];
    memset(name, 'n', 299);
    auto_archive archive = ARCHIVE_INIT;
    archive_pax(&archive, "path", name, NULL);
    archive_file(&archive, "short", "x");
    REFUSED(&archive, "tar entry \"nnn", "File name too long");
    for (size_t i = 0; i < sizeof path - 1; i++)
        path[i] = i % 100 == 99 ? '/' : 'p';
    auto_archive second = ARCHIVE_INIT;
    archive_pax(&second, "path", path, NULL);
    archive_file(&second, "short", "x");
    REFUSED(&second, "tar entry \"ppp", "more than 4095 bytes");
    auto_archive third = ARCHIVE_INIT;
    archive_pax(&third, "linkpath", path, NULL);
    archive_symlink(&third, "link", "short");
    REFUSED(&third, "tar entry \"link\"", "more than 4095 bytes");
}

TEST(a_huge_pax_header_is_refused)
{
    auto_archive archive = ARCHIVE_INIT;
    cl_auto_free char *huge = cl_malloc((4u << 20) + 1);
    REQUIRE(huge != NULL);
    memset(huge, 'h', 4u << 20);
    huge[4u << 20] = '\0';
    archive_pax(&archive, "comment", huge, NULL);
    archive_file(&archive, "f", "x");
    REFUSED(&archive, "corrupt tar", "");
}

TEST(names_are_escaped_in_errors)
{
    auto_archive archive = ARCHIVE_INIT;
    archive_file(&archive, "../\033[31mred\n", "x");
    REFUSED(&archive, "tar entry \"../\\x1b[31mred\\x0a\"", "climbs out");
}

TEST(garbage_and_stumps)
{
    auto_archive garbage = ARCHIVE_INIT, cut = ARCHIVE_INIT, wrong_sum = ARCHIVE_INIT;
    struct place place;
    for (int i = 0; i < 2000; i++)
        cl_buf_str(&garbage, "nonsense");
    REFUSED(&garbage, "corrupt tar", "no tar archive");
    REQUIRE(place_make(&place));
    archive_add(&cut, .name = "f", .type = '0', .mode = 0644, .size = 100000);
    cl_buf_str(&cut, "only this");
    CHECK(unpack(&place, &cut, &err) < 0);
    CHECK_CONTAINS(err.text, "tar entry \"f\": corrupt tar: ");
    place_done(&place);
    archive_file(&wrong_sum, "f", "x");
    archive_file(&wrong_sum, "g", "x");
    wrong_sum.data[1024] ^= 1;
    REFUSED(&wrong_sum, "corrupt tar", "");
}

TEST(sizes_that_lie)
{
    auto_archive negative = ARCHIVE_INIT, huge = ARCHIVE_INIT;
    archive_pax(&negative, "size", "-5", NULL);
    archive_file(&negative, "f", "x");
    REFUSED(&negative, "corrupt tar", "");
    archive_pax(&huge, "size", "9223372036854775807", NULL);
    archive_file(&huge, "f", "x");
    REFUSED(&huge, "corrupt tar", "overflow");
}

/* The bounds of a bomb are the layer's, whoever sets them. */
TEST(too_many_entries_or_bytes_are_refused)
{
    struct place place;
    auto_archive archive = ARCHIVE_INIT;
    struct tar *tar = NULL;
    struct layer *layer = NULL;
    struct tar_entry entry;
    const struct layer_limits limits = { .entries = 3, .bytes = 10 };
    REQUIRE(place_make(&place));
    archive_file(&archive, "a", "12345");
    archive_file(&archive, "b", "12345");
    archive_file(&archive, "c", "1");
    archive_end(&archive);
    struct memory memory = { .archive = &archive };
    REQUIRE(tar_open(read_memory, &memory, &tar, &err) == 0);
    REQUIRE(layer_open(place.in_fd, &limits, &layer, &err) == 0);
    CHECK(tar_next(tar, &entry, &err) == 1 && layer_apply(layer, tar, &entry, &err) == 0);
    CHECK(tar_next(tar, &entry, &err) == 1 && layer_apply(layer, tar, &entry, &err) == 0);
    CHECK(tar_next(tar, &entry, &err) == 1 && layer_apply(layer, tar, &entry, &err) < 0);
    CHECK_CONTAINS(err.text, "tar entry \"c\": the archive's files are larger than 10 bytes");
    entry.size = 0;
    CHECK(layer_apply(layer, tar, &entry, &err) < 0);
    CHECK_CONTAINS(err.text, "more than 3 entries");
    layer_free(layer);
    tar_free(tar);
    place_done(&place);
}

TEST_MAIN
