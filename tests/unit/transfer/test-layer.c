/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer's directory looks like when an archive was applied to it as it should be.
 */
#include "support.h"

static struct cl_error err;

#define UNPACKED(archive)                                                                          \
    REQUIRE(place_make(&place));                                                                   \
    archive_end(archive);                                                                          \
    if (unpack(&place, (archive), &err) < 0)                                                       \
    TEST_SAY("unpack: %s", err.text)

TEST(modes_owners_times)
{
    struct place place;
    struct stat status;
    auto_archive archive = ARCHIVE_INIT;
    if (geteuid() != 0)
        SKIP("needs root to give files away");
    archive_add(&archive, .name = "dir", .type = '5', .mode = 01755, .uid = 3, .gid = 4,
                .mtime = 111);
    archive_add(&archive, .name = "dir/suid", .type = '0', .mode = 06755, .uid = 5, .gid = 6,
                .mtime = 222, .data = "x");
    archive_pax(&archive, "mtime", "333.123456789", "atime", "444.5", "uid", "70000", NULL);
    archive_add(&archive, .name = "dir/exact", .type = '0', .mode = 0600, .data = "x");
    archive_add(&archive, .name = "dir/link", .type = '2', .mode = 0777, .uid = 7, .gid = 8,
                .mtime = 555, .link = "suid");
    UNPACKED(&archive);
    CHECK(fstatat(place.in_fd, "dir", &status, 0) == 0);
    CHECK_INT(status.st_mode & 07777, 01755);
    CHECK(status.st_uid == 3 && status.st_gid == 4);
    CHECK_INT(status.st_mtim.tv_sec, 111); /* though files were put into it later */
    CHECK(fstatat(place.in_fd, "dir/suid", &status, 0) == 0);
    CHECK_INT(status.st_mode & 07777, 06755);
    CHECK(status.st_uid == 5 && status.st_gid == 6 && status.st_mtim.tv_sec == 222);
    CHECK(fstatat(place.in_fd, "dir/exact", &status, 0) == 0);
    CHECK_INT(status.st_mtim.tv_sec, 333);
    CHECK_INT(status.st_mtim.tv_nsec, 123456789);
    CHECK_INT(status.st_atim.tv_sec, 444);
    CHECK_INT(status.st_uid, 70000);
    CHECK(fstatat(place.in_fd, "dir/link", &status, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(status.st_uid == 7 && status.st_gid == 8 && status.st_mtim.tv_sec == 555);
    place_done(&place);
}

TEST(the_root_gets_its_looks)
{
    struct place place;
    struct stat status;
    auto_archive archive = ARCHIVE_INIT;
    archive_add(&archive, .name = "./", .type = '5', .mode = 0711, .mtime = 99);
    archive_file(&archive, "./f", "x");
    UNPACKED(&archive);
    CHECK(fstat(place.in_fd, &status) == 0);
    CHECK_INT(status.st_mode & 07777, 0711);
    CHECK_INT(status.st_mtim.tv_sec, 99);
    place_done(&place);
}

TEST(missing_parents_are_made)
{
    struct place place;
    struct stat status;
    auto_archive archive = ARCHIVE_INIT;
    archive_file(&archive, "a/b/c/d", "deep");
    UNPACKED(&archive);
    CHECK_STR(content_at(&place, "a/b/c/d"), "deep");
    CHECK(fstatat(place.in_fd, "a/b", &status, 0) == 0 && (status.st_mode & 07777) == 0755);
    place_done(&place);
}

TEST(a_directory_that_can_not_be_written_is_filled_all_the_same)
{
    struct place place;
    struct stat status;
    auto_archive archive = ARCHIVE_INIT;
    if (geteuid() != 0)
        SKIP("needs root, as unpacking into it does");
    archive_add(&archive, .name = "ro", .type = '5', .mode = 0555, .uid = 1000, .mtime = 1);
    archive_file(&archive, "ro/f", "x");
    UNPACKED(&archive);
    CHECK_STR(content_at(&place, "ro/f"), "x");
    CHECK(fstatat(place.in_fd, "ro", &status, 0) == 0 && (status.st_mode & 07777) == 0555);
    place_done(&place);
}

TEST(paths_lead_through_links_of_the_image)
{
    struct place place;
    auto_archive archive = ARCHIVE_INIT;
    archive_dir(&archive, "usr/lib");
    archive_symlink(&archive, "lib", "usr/lib");
    archive_symlink(&archive, "var/run", "/run");
    archive_file(&archive, "lib/libc.so", "c");
    archive_file(&archive, "var/run/pid", "1"); /* the target of the link is not there yet */
    archive_hardlink(&archive, "libc", "lib/libc.so");
    UNPACKED(&archive);
    CHECK_STR(content_at(&place, "usr/lib/libc.so"), "c");
    CHECK_STR(content_at(&place, "run/pid"), "1");
    CHECK_STR(content_at(&place, "libc"), "c");
    CHECK(type_at(&place, "lib") == S_IFLNK && type_at(&place, "var/run") == S_IFLNK);
    place_done(&place);
}

TEST(the_later_of_two_wins)
{
    struct place place;
    auto_archive archive = ARCHIVE_INIT;
    archive_file(&archive, "f", "first and longer");
    archive_file(&archive, "f", "second");
    archive_file(&archive, "becomes-dir", "x");
    archive_dir(&archive, "becomes-dir/");
    archive_file(&archive, "becomes-dir/in", "y");
    archive_file(&archive, "becomes-file/a/b", "x");
    archive_file(&archive, "becomes-file", "now a file");
    archive_dir(&archive, "merged");
    archive_file(&archive, "merged/one", "1");
    archive_add(&archive, .name = "merged", .type = '5', .mode = 0700, .mtime = 4);
    archive_symlink(&archive, "l", "one");
    archive_symlink(&archive, "l", "two");
    UNPACKED(&archive);
    struct stat status;
    char target[8] = "";
    CHECK_STR(content_at(&place, "f"), "second");
    CHECK_STR(content_at(&place, "becomes-dir/in"), "y");
    CHECK_STR(content_at(&place, "becomes-file"), "now a file");
    CHECK_STR(content_at(&place, "merged/one"), "1");
    CHECK(fstatat(place.in_fd, "merged", &status, 0) == 0 && (status.st_mode & 07777) == 0700);
    CHECK(readlinkat(place.in_fd, "l", target, sizeof target) == 3);
    CHECK_STR(target, "two");
    place_done(&place);
}

TEST(hard_links)
{
    struct place place;
    struct stat one, two;
    auto_archive archive = ARCHIVE_INIT;
    archive_file(&archive, "one", "shared");
    archive_hardlink(&archive, "d/two", "./one");
    archive_hardlink(&archive, "three", "/d/two");
    archive_hardlink(&archive, "one", "one"); /* to itself: nothing happens */
    archive_file(&archive, "in-the-way", "x");
    archive_hardlink(&archive, "in-the-way", "one");
    UNPACKED(&archive);
    CHECK(fstatat(place.in_fd, "one", &one, 0) == 0 && fstatat(place.in_fd, "three", &two, 0) == 0);
    CHECK(one.st_ino == two.st_ino);
    CHECK_INT(one.st_nlink, 4);
    CHECK_STR(content_at(&place, "in-the-way"), "shared");
    place_done(&place);
}

TEST(extended_attributes)
{
    struct place place;
    char value[32] = "";
    auto_archive archive = ARCHIVE_INIT;
    static const unsigned char capability[20] = { 0x01, 0x00, 0x00, 0x02, 0x00, 0x20 };
    if (geteuid() != 0)
        SKIP("needs root to give capabilities to a file");
    cl_auto_buf records = CL_BUF_INIT(4096);
    pax_record(&records, "SCHILY.xattr.security.capability", capability, sizeof capability);
    archive_add(&archive, .name = "PaxHeader", .type = 'x', .data = records.data,
                .size = records.size);
    archive_add(&archive, .name = "ping", .type = '0', .mode = 0755, .uid = 1, .data = "x");
    UNPACKED(&archive);
    cl_auto_fd fd = openat(place.in_fd, "ping", O_RDONLY | O_CLOEXEC);
    CHECK_INT(fgetxattr(fd, "security.capability", value, sizeof value), sizeof capability);
    CHECK(memcmp(value, capability, sizeof capability) == 0);
    place_done(&place);
}

TEST(sparse_files)
{
    struct place place;
    struct stat status;
    auto_archive archive = ARCHIVE_INIT;
    char byte = 0;
    /* GNU.sparse 0.1: a map of offset,size pairs; the data are what the map has. */
    archive_pax(&archive, "GNU.sparse.size", "1000000", "GNU.sparse.numblocks", "2",
                "GNU.sparse.map", "4096,3,999990,4", NULL);
    archive_file(&archive, "holes", "abcdefg");
    UNPACKED(&archive);
    CHECK(fstatat(place.in_fd, "holes", &status, 0) == 0);
    CHECK_INT(status.st_size, 1000000);
    CHECK(status.st_blocks * 512 < 100000);
    cl_auto_fd fd = openat(place.in_fd, "holes", O_RDONLY | O_CLOEXEC);
    CHECK(pread(fd, &byte, 1, 4098) == 1 && byte == 'c');
    CHECK(pread(fd, &byte, 1, 999993) == 1 && byte == 'g');
    CHECK(pread(fd, &byte, 1, 100) == 1 && byte == '\0');
    place_done(&place);
}

TEST(nodes)
{
    struct place place;
    struct stat status;
    auto_archive archive = ARCHIVE_INIT;
    if (!may_make_nodes())
        SKIP("needs root to make device nodes");
    archive_add(&archive, .name = "dev/null", .type = '3', .mode = 0666, .major = 1, .minor = 3);
    archive_add(&archive, .name = "dev/loop0", .type = '4', .mode = 0660, .major = 7);
    archive_add(&archive, .name = "fifo", .type = '6', .mode = 0640, .mtime = 77);
    archive_file(&archive, "fifo2", "was a file");
    archive_add(&archive, .name = "fifo2", .type = '6', .mode = 0600);
    UNPACKED(&archive);
    CHECK(fstatat(place.in_fd, "dev/null", &status, 0) == 0 && S_ISCHR(status.st_mode));
    CHECK(status.st_rdev == makedev(1, 3) && (status.st_mode & 07777) == 0666);
    CHECK(fstatat(place.in_fd, "dev/loop0", &status, 0) == 0 && S_ISBLK(status.st_mode));
    CHECK(fstatat(place.in_fd, "fifo", &status, 0) == 0 && S_ISFIFO(status.st_mode));
    CHECK_INT(status.st_mtim.tv_sec, 77);
    CHECK(type_at(&place, "fifo2") == S_IFIFO);
    place_done(&place);
}

TEST(whiteouts)
{
    struct place place;
    auto_archive archive = ARCHIVE_INIT;
    if (geteuid() != 0)
        SKIP("needs root to mark directories opaque");
    archive_file(&archive, "etc/.wh.gone", "");
    archive_file(&archive, "opaque/.wh..wh..opq", "");
    archive_file(&archive, "opaque/new", "n");
    archive_file(&archive, ".wh..wh.plnk", "");
    archive_file(&archive, "own-file", "kept"); /* this layer's own: only what is below is hidden */
    archive_file(&archive, ".wh.own-file", "");
    archive_file(&archive, "own-dir/f", "kept");
    archive_file(&archive, ".wh.own-dir", "");
    archive_file(&archive, ".wh.reborn-file", "");
    archive_file(&archive, "reborn-file", "again");
    archive_file(&archive, ".wh.reborn-dir", "");
    archive_dir(&archive, "reborn-dir");
    archive_file(&archive, ".wh.implied", "");
    archive_file(&archive, "implied/deep/f", "x");
    archive_file(&archive, "a/.wh.b", "");
    archive_file(&archive, "a/b/c", "y");
    UNPACKED(&archive);
    CHECK(is_whiteout(&place, "etc/gone"));
    CHECK(is_opaque(&place, "opaque"));
    CHECK_STR(content_at(&place, "opaque/new"), "n");
    CHECK(type_at(&place, ".wh..wh.plnk") == 0 && type_at(&place, ".wh.plnk") == 0);
    CHECK_STR(content_at(&place, "own-file"), "kept");
    CHECK_STR(content_at(&place, "own-dir/f"), "kept");
    CHECK(is_opaque(&place, "own-dir"));
    CHECK_STR(content_at(&place, "reborn-file"), "again");
    CHECK(type_at(&place, "reborn-dir") == S_IFDIR && is_opaque(&place, "reborn-dir"));
    CHECK_STR(content_at(&place, "implied/deep/f"), "x");
    CHECK(is_opaque(&place, "implied") && !is_opaque(&place, "implied/deep"));
    CHECK_STR(content_at(&place, "a/b/c"), "y");
    CHECK(is_opaque(&place, "a/b") && !is_opaque(&place, "a"));
    place_done(&place);
}

TEST(a_directory_that_was_replaced_gets_no_times)
{
    struct place place;
    struct stat status;
    auto_archive archive = ARCHIVE_INIT;
    archive_dir(&archive, "d");
    archive_symlink(&archive, "d", "elsewhere");
    archive_add(&archive, .name = "elsewhere", .type = '5', .mode = 0755, .mtime = 5);
    archive_dir(&archive, "gone/sub");
    archive_file(&archive, "gone", "file");
    UNPACKED(&archive);
    CHECK(fstatat(place.in_fd, "elsewhere", &status, 0) == 0 && status.st_mtim.tv_sec == 5);
    place_done(&place);
}

static int unpack_as_nobody(const struct place *place, const struct cl_buf *archive)
{
    struct cl_error failure;
    if (setgid(65534) < 0 || setuid(65534) < 0)
        return 99;
    return unpack(place, archive, &failure) < 0 ? 1 : 0;
}

/* Owners and the nodes of /dev are left out where we may not make them; the rest works. */
TEST(without_privileges)
{
    struct place place;
    struct stat status;
    auto_archive archive = ARCHIVE_INIT;
    if (geteuid() != 0)
        SKIP("needs root to become another user");
    REQUIRE(place_make(&place));
    archive_add(&archive, .name = "f", .type = '0', .mode = 0644, .uid = 5, .data = "x");
    archive_add(&archive, .name = "./dev/null", .type = '3', .mode = 0666, .major = 1, .minor = 3);
    archive_end(&archive);
    CHECK(fchown(place.in_fd, 65534, 65534) == 0 && chmod(place.dir, 0755) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(unpack_as_nobody(&place, &archive));
    int result = -1;
    CHECK(waitpid(pid, &result, 0) == pid);
    CHECK_INT(result, 0);
    CHECK(fstatat(place.in_fd, "f", &status, 0) == 0 && status.st_uid == 65534);
    CHECK(type_at(&place, "dev/null") == 0);
    place_done(&place);
}

TEST_MAIN
