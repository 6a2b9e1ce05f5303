/* SPDX-License-Identifier: Apache-2.0 */
/* Mount options: the whole list of the specification is known, and lists fold so that later words win. */
#include "oci/names.h"

#include "base/str.h"
#include "test.h"

TEST(every_option_of_the_specification_is_known)
{
    static const char *const names[] = {
        "async",
        "atime",
        "bind",
        "defaults",
        "dev",
        "diratime",
        "dirsync",
        "exec",
        "iversion",
        "lazytime",
        "loud",
        "mand",
        "noatime",
        "nodev",
        "nodiratime",
        "noexec",
        "noiversion",
        "nolazytime",
        "nomand",
        "norelatime",
        "nostrictatime",
        "nosuid",
        "nosymfollow",
        "private",
        "ratime",
        "rbind",
        "rdev",
        "rdiratime",
        "relatime",
        "remount",
        "rexec",
        "rnoatime",
        "rnodev",
        "rnodiratime",
        "rnoexec",
        "rnorelatime",
        "rnostrictatime",
        "rnosuid",
        "rnosymfollow",
        "ro",
        "rprivate",
        "rrelatime",
        "rro",
        "rrw",
        "rshared",
        "rslave",
        "rstrictatime",
        "rsuid",
        "rsymfollow",
        "runbindable",
        "rw",
        "shared",
        "silent",
        "slave",
        "strictatime",
        "suid",
        "symfollow",
        "sync",
        "tmpcopyup",
        "unbindable",
        "idmap",
        "ridmap",
    };
    for (size_t i = 0; i < CL_COUNT(names); i++)
        if (oci_mount_option_find(names[i]) == NULL)
            TEST_SAY("%s is unknown", names[i]);
    CHECK(oci_mount_option_find("size=64k") == NULL);
    CHECK(oci_mount_option_find("") == NULL);
}

TEST(table_is_sorted)
{
    for (const struct oci_mount_option *row = oci_mount_options; row[1].name[0] != '\0'; row++)
        if (strcmp(row[0].name, row[1].name) >= 0)
            TEST_SAY("%s stands before %s", row[0].name, row[1].name);
}

TEST(recursive_rows_are_marked)
{
    for (const struct oci_mount_option *row = oci_mount_options; row->name[0] != '\0'; row++) {
        bool has_twin = row->name[0] == 'r' && oci_mount_option_find(row->name + 1) != NULL;
        if (row->is_recursive != has_twin)
            TEST_SAY("%s: recursive is %d", row->name, row->is_recursive);
    }
}

TEST(a_usual_tmpfs)
{
    static const char *const options[] = { "nosuid",    "noexec",   "nodev",
                                           "mode=1777", "size=64k", NULL };
    struct oci_mount_flags flags;
    REQUIRE(oci_mount_flags_fold(options, &flags) == 0);
    CHECK_INT(flags.flags, MS_NOSUID | MS_NOEXEC | MS_NODEV);
    CHECK_INT(flags.attr_set, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV);
    CHECK_STR(flags.data, "mode=1777,size=64k");
    CHECK_INT(flags.rec_attr_set | flags.rec_attr_clear, 0);
    CHECK_INT(flags.propagation_count, 0);
    CHECK(flags.super == NULL);
    oci_mount_flags_done(&flags);
}

TEST(a_recursive_read_only_bind)
{
    static const char *const options[] = { "rbind", "rro", "rprivate", NULL };
    struct oci_mount_flags flags;
    REQUIRE(oci_mount_flags_fold(options, &flags) == 0);
    CHECK_INT(flags.flags, MS_BIND | MS_REC);
    CHECK_INT(flags.rec_attr_set, MOUNT_ATTR_RDONLY);
    CHECK_INT(flags.attr_set, 0);
    REQUIRE(flags.propagation_count == 1);
    CHECK_INT(flags.propagation[0], MS_PRIVATE | MS_REC);
    oci_mount_flags_done(&flags);
}

TEST(later_options_win)
{
    static const char *const options[] = { "ro", "nosuid", "rw", "sync", "async", "suid", NULL };
    struct oci_mount_flags flags;
    REQUIRE(oci_mount_flags_fold(options, &flags) == 0);
    CHECK_INT(flags.flags, 0);
    CHECK_INT(flags.clear, MS_RDONLY | MS_NOSUID | MS_SYNCHRONOUS);
    CHECK_INT(flags.attr_set, 0);
    CHECK_INT(flags.attr_clear, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
    REQUIRE(cl_strv_count((const char *const *)flags.super) == 2);
    CHECK_STR(flags.super[0], "rw");
    CHECK_STR(flags.super[1], "async");
    oci_mount_flags_done(&flags);
}

TEST(the_atime_modes_are_one_field)
{
    static const char *const options[] = { "noatime", "strictatime", NULL };
    struct oci_mount_flags flags;
    REQUIRE(oci_mount_flags_fold(options, &flags) == 0);
    CHECK_INT(flags.flags, MS_STRICTATIME);
    CHECK_INT(flags.attr_set, MOUNT_ATTR_STRICTATIME);
    CHECK_INT(flags.attr_clear & MOUNT_ATTR_NOATIME, MOUNT_ATTR_NOATIME);
    oci_mount_flags_done(&flags);

    static const char *const back[] = { "noatime", "relatime", NULL };
    REQUIRE(oci_mount_flags_fold(back, &flags) == 0);
    CHECK_INT(flags.attr_set, 0);
    CHECK_INT(flags.attr_clear, MOUNT_ATTR__ATIME);
    oci_mount_flags_done(&flags);
}

TEST(mount_setattr_gets_the_whole_atime_field_cleared)
{
    /* The kernel refuses a change of atime that does not clear all of the field (EINVAL). */
    for (const struct oci_mount_option *row = oci_mount_options; row->name[0] != '\0'; row++) {
        const char *const options[] = { row->name, NULL };
        struct oci_mount_flags flags;
        REQUIRE(oci_mount_flags_fold(options, &flags) == 0);
        uint64_t set = flags.attr_set | flags.rec_attr_set;
        uint64_t clear = flags.attr_clear | flags.rec_attr_clear;
        if ((set & MOUNT_ATTR__ATIME) != 0 && (clear | set) != (clear | MOUNT_ATTR__ATIME))
            TEST_SAY("%s sets atime without clearing it", row->name);
        oci_mount_flags_done(&flags);
    }
}

TEST(special_words)
{
    static const char *const options[] = { "remount",      "ridmap", "tmpcopyup", "dest-nofollow",
                                           "src-nofollow", "slave",  "shared",    NULL };
    struct oci_mount_flags flags;
    REQUIRE(oci_mount_flags_fold(options, &flags) == 0);
    CHECK_INT(flags.flags, MS_REMOUNT);
    CHECK(flags.idmap && flags.idmap_recursive && flags.tmpcopyup);
    CHECK(flags.no_follow && flags.source_no_follow);
    REQUIRE(flags.propagation_count == 2);
    CHECK_INT(flags.propagation[0], MS_SLAVE);
    CHECK_INT(flags.propagation[1], MS_SHARED);
    CHECK(flags.data == NULL);
    oci_mount_flags_done(&flags);
}

TEST(no_options)
{
    struct oci_mount_flags flags;
    CHECK_INT(oci_mount_flags_fold(NULL, &flags), 0);
    CHECK_INT(flags.flags, 0);
    oci_mount_flags_done(&flags);
}

TEST_MAIN
