/* SPDX-License-Identifier: Apache-2.0 */
/*
 * -u USER against the files of an image. No root needed.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/runtime.h"
#include "test.h"

static char directory[64];

static bool put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    cl_auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return fd >= 0 && cl_write_full(fd, text, strlen(text)) >= 0;
}

static int open_image(void)
{
    char path[80];
    snprintf(directory, sizeof directory, "/tmp/cloche-test-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/etc", directory);
    if (mkdir(path, 0755) < 0)
        return -1;
    (void)put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
                            "broken line\n"
                            "huge:x:4294967296:1:::\n"
                            "www:x:33:44:web:/var/www:/bin/false\n"
                            "33x:x:77:78::/x:/bin/sh\n"
                            "1000:x:5:5::/digits:/bin/sh\n"
                            "last:x:6:6::/last:/bin/sh");
    (void)put("etc/group", "root:x:0:\nwww:x:44:\naudio:x:29:www,root\nvideo:x:30:other,www\n"
                           "www2:x:31:wwwx,xwww\n");
    return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void close_image(int fd)
{
    close(fd);
    CHECK_INT(cl_remove_tree(AT_FDCWD, directory, NULL), 0);
}

struct expectation {
    const char *text;
    int result;
    uid_t uid;
    gid_t gid;
    const char *home;
    const char *groups; /* "29,30" */
};

static void check(int root, const struct expectation *wanted)
{
    struct runtime_user user = { 0 };
    struct cl_error err = { 0 };
    char groups[64] = "";
    int result = runtime_user_resolve(root, wanted->text, NULL, &user, &err);
    if (result != wanted->result)
        TEST_SAY("\"%s\": %d (%s), expected %d", wanted->text, result, err.text, wanted->result);
    if (result < 0)
        return;
    CHECK_INT(user.uid, wanted->uid);
    CHECK_INT(user.gid, wanted->gid);
    CHECK_STR(user.home, wanted->home);
    for (size_t i = 0, used = 0; i < user.group_count; i++)
        used += (size_t)snprintf(groups + used, sizeof groups - used, "%s%u", i > 0 ? "," : "",
                                 user.groups[i]);
    CHECK_STR(groups, wanted->groups);
    runtime_user_done(&user);
}

TEST(users_and_groups)
{
    static const struct expectation table[] = {
        { "", 0, 0, 0, "/root", "29" },           { "root", 0, 0, 0, "/root", "29" },
        { "0", 0, 0, 0, "/root", "29" },          { "www", 0, 33, 44, "/var/www", "29,30" },
        { "33", 0, 33, 44, "/var/www", "29,30" }, { "www:audio", 0, 33, 29, "/var/www", "" },
        { "www:7", 0, 33, 7, "/var/www", "" },    { "12345", 0, 12345, 0, "/", "" },
        { "12345:678", 0, 12345, 678, "/", "" },  { "last", 0, 6, 6, "/last", "" },
        { "33x", 0, 77, 78, "/x", "" },           { "4294967294", 0, 4294967294u, 0, "/", "" },
        { "nobody", -ENOENT, 0, 0, NULL, NULL },  { "root:nogroup", -ENOENT, 0, 0, NULL, NULL },
        { "huge", -ENOENT, 0, 0, NULL, NULL },
    };
    int root = open_image();
    REQUIRE(root >= 0);
    for (size_t i = 0; i < CL_COUNT(table); i++)
        check(root, &table[i]);
    close_image(root);
}

/* crun took "1000…" for the user of that name, and others wrapped what does not fit: root, in the
   worst case. */
TEST(cve_2016_3697_cve_2026_30892_digits_are_a_number_and_must_fit)
{
    static const struct expectation table[] = {
        { "1000", 0, 1000, 0, "/", "" }, /* not the user called "1000", who is 5 */
        { "4294967295", -ERANGE, 0, 0, NULL, NULL },
        { "4294967296", -ERANGE, 0, 0, NULL, NULL },
        { "18446744073709551616", -ERANGE, 0, 0, NULL, NULL },
        { "0:4294967296", -ERANGE, 0, 0, NULL, NULL },
        { "-1", -ENOENT, 0, 0, NULL, NULL },
        { "+0", -ENOENT, 0, 0, NULL, NULL },
        { " 0", -ENOENT, 0, 0, NULL, NULL },
        { "0x0", -ENOENT, 0, 0, NULL, NULL },
    };
    int root = open_image();
    REQUIRE(root >= 0);
    for (size_t i = 0; i < CL_COUNT(table); i++)
        check(root, &table[i]);
    close_image(root);
}

TEST(errors_are_dockers)
{
    struct runtime_user user;
    struct cl_error err = { 0 };
    int root = open_image();
    REQUIRE(root >= 0);
    CHECK_INT(runtime_user_resolve(root, "nobody", NULL, &user, &err), -ENOENT);
    CHECK_STR(err.text, "unable to find user nobody: no matching entries in /etc/passwd");
    CHECK_INT(err.kind, CL_KIND_NOT_FOUND);
    const char *const extra[] = { "nogroup", NULL };
    CHECK_INT(runtime_user_resolve(root, "root", extra, &user, &err), -ENOENT);
    CHECK_STR(err.text, "unable to find group nogroup: no matching entries in /etc/group");
    close_image(root);
}

TEST(extra_groups_are_added_once)
{
    struct runtime_user user = { 0 };
    const char *const extra[] = { "video", "99", "30", NULL };
    int root = open_image();
    REQUIRE(root >= 0);
    CHECK_INT(runtime_user_resolve(root, "www", extra, &user, NULL), 0);
    CHECK_INT(user.group_count, 3); /* 29, 30, 99 */
    runtime_user_done(&user);
    close_image(root);
}

TEST(an_image_without_users_has_numbers_only)
{
    static const struct expectation root_user = { "", 0, 0, 0, "/", "" };
    int root = open_image();
    REQUIRE(root >= 0);
    CHECK(unlinkat(root, "etc/passwd", 0) == 0 && unlinkat(root, "etc/group", 0) == 0);
    check(root, &root_user);
    close_image(root);
}

/* A FIFO must not hang us, and a link must not lead out of the image. */
TEST(cve_2024_9676_passwd_that_is_no_file)
{
    struct runtime_user user;
    struct cl_error err = { 0 };
    int root = open_image();
    REQUIRE(root >= 0);
    CHECK(unlinkat(root, "etc/passwd", 0) == 0);
    CHECK(mkfifoat(root, "etc/passwd", 0644) == 0);
    CHECK_INT(runtime_user_resolve(root, "root", NULL, &user, &err), -EINVAL);
    CHECK_CONTAINS(err.text, "not a regular file");
    CHECK(unlinkat(root, "etc/passwd", 0) == 0);
    CHECK(symlinkat("/etc/passwd/../../../../../../etc/hostname", root, "etc/passwd") == 0);
    CHECK(runtime_user_resolve(root, "root", NULL, &user, &err) < 0);
    close_image(root);
}

TEST_MAIN
