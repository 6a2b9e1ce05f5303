/* SPDX-License-Identifier: Apache-2.0 */
/* Names from the host's own files. */
#include "base/str.h"

#include <unistd.h>

#include "test.h"

TEST(root_is_root)
{
    uid_t uid = 5;
    gid_t gid = 5;
    if (access("/etc/passwd", R_OK) != 0 || access("/etc/group", R_OK) != 0)
        SKIP("this host has no /etc/passwd or /etc/group");
    CHECK_STR(cl_user_name(0), "root");
    CHECK_INT(cl_user_id("root", &uid), 0);
    CHECK_INT(uid, 0);
    CHECK_STR(cl_group_name(0), "root");
    CHECK_INT(cl_group_id("root", &gid), 0);
    CHECK_INT(gid, 0);
}

TEST(strangers_are_unknown)
{
    uid_t uid = 5;
    CHECK(cl_user_name(4000000001U) == NULL);
    CHECK_INT(cl_user_id("no-such-user-here", &uid), -ENOENT);
    CHECK_INT(cl_user_id("", &uid), -ENOENT);
    CHECK_INT(uid, 5);
}

TEST_MAIN
