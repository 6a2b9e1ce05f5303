/* SPDX-License-Identifier: Apache-2.0 */
/* Small files and directories. */
#include <dirent.h>

#include "base/fd.h"
#include "base/str.h"

#include "scratch.h"
#include "test.h"

static size_t count_entries(const struct scratch *scratch)
{
    size_t count = 0;
    DIR *stream = opendir(scratch->path);
    while (stream != NULL && readdir(stream) != NULL)
        count++;
    if (stream != NULL)
        closedir(stream);
    return count - 2;
}

TEST(written_files_are_read_whole)
{
    SCRATCH(dir);
    struct cl_error err = { 0 };
    cl_auto_free char *text = NULL;
    size_t size = 0;
    struct stat info;
    CHECK_INT(cl_write_atomic(dir.fd, "a", "one\0two", 7, 0640, CL_WRITE_SYNC, &err), 0);
    CHECK_INT(cl_read_file(dir.fd, "a", 7, &text, &size, &err), 0);
    CHECK_INT(size, 7);
    CHECK(memcmp(text, "one\0two", 8) == 0);
    CHECK(fstatat(dir.fd, "a", &info, 0) == 0 && (info.st_mode & 07777) == 0640);
    CHECK_INT(count_entries(&dir), 1);
}

TEST(large_and_odd_files_are_read_whole)
{
    SCRATCH(dir);
    static char data[100000];
    memset(data, 'x', sizeof data);
    cl_auto_free char *text = NULL, *status = NULL, *empty = NULL;
    size_t size = 0;
    CHECK_INT(cl_write_atomic(dir.fd, "a", data, sizeof data, 0600, CL_WRITE_PLAIN, NULL), 0);
    CHECK_INT(cl_read_file(dir.fd, "a", sizeof data, &text, &size, NULL), 0);
    CHECK_INT(size, sizeof data);
    CHECK_INT(cl_read_file(AT_FDCWD, "/proc/self/status", 1 << 16, &status, NULL, NULL), 0);
    CHECK_CONTAINS(status, "Pid:");
    CHECK_INT(cl_write_atomic(dir.fd, "e", "", 0, 0600, CL_WRITE_PLAIN, NULL), 0);
    CHECK_INT(cl_read_file(dir.fd, "e", 0, &empty, &size, NULL), 0);
    CHECK_INT(size, 0);
    CHECK_STR(empty, "");
}

TEST(reads_that_are_refused)
{
    SCRATCH(dir);
    struct cl_error err = { 0 };
    char *text = NULL;
    REQUIRE(cl_write_atomic(dir.fd, "a", "12345", 5, 0600, CL_WRITE_PLAIN, NULL) == 0);
    REQUIRE(symlinkat("a", dir.fd, "link") == 0 && mkfifoat(dir.fd, "fifo", 0600) == 0);
    CHECK_INT(cl_read_file(dir.fd, "a", 4, &text, NULL, &err), -EFBIG);
    CHECK_STR(err.text, "read a: longer than 4 bytes");
    CHECK_INT(cl_read_file(dir.fd, "link", 10, &text, NULL, &err), -ELOOP);
    CHECK_INT(cl_read_file(dir.fd, "fifo", 10, &text, NULL, &err), -EINVAL); /* and no waiting */
    CHECK_STR(err.text, "read fifo: not a regular file");
    CHECK_INT(cl_read_file(dir.fd, ".", 10, &text, NULL, &err), -EISDIR);
    CHECK_INT(cl_read_file(dir.fd, "none", 10, &text, NULL, &err), -ENOENT);
    CHECK_STR(err.text, "open none: No such file or directory");
    CHECK_INT(err.kind, CL_KIND_NOT_FOUND);
    CHECK(text == NULL);
}

TEST(small_reads_and_writes)
{
    SCRATCH(dir);
    char text[4];
    REQUIRE(cl_write_atomic(dir.fd, "a", "12345", 5, 0600, CL_WRITE_PLAIN, NULL) == 0);
    CHECK_INT(cl_read_small(dir.fd, "a", text, sizeof text), 3);
    CHECK_STR(text, "123");
    CHECK_INT(cl_read_small(dir.fd, "none", text, sizeof text), -ENOENT);
    CHECK_INT(cl_read_small(dir.fd, "a", text, 0), -EINVAL);
    CHECK_INT(cl_write_small(dir.fd, "a", "xy"), 0);
    CHECK_INT(cl_read_small(dir.fd, "a", text, sizeof text), 3);
    CHECK_STR(text, "xy3"); /* it opens and writes: control files are not truncated */
    CHECK_INT(cl_write_small(dir.fd, "none", "xy"), -ENOENT);
}

TEST(replacing_is_all_or_nothing)
{
    SCRATCH(dir);
    struct cl_error err = { 0 };
    char text[16];
    REQUIRE(mkdirat(dir.fd, "sub", 0700) == 0);
    CHECK_INT(cl_write_atomic(dir.fd, "sub/a", "old", 3, 0600, CL_WRITE_PLAIN, &err), 0);
    CHECK_INT(cl_write_atomic(dir.fd, "sub/a", "new", 3, 0600, CL_WRITE_SYNC, &err), 0);
    CHECK_INT(cl_read_small(dir.fd, "sub/a", text, sizeof text), 3);
    CHECK_STR(text, "new");
    CHECK_INT(cl_write_atomic(dir.fd, "sub", "x", 1, 0600, CL_WRITE_PLAIN, &err), -EISDIR);
    CHECK_CONTAINS(err.text, "replace sub: ");
    CHECK_INT(cl_write_atomic(dir.fd, "none/a", "x", 1, 0600, CL_WRITE_PLAIN, &err), -ENOENT);
    CHECK_INT(count_entries(&dir), 1); /* no temporary file stays */
}

TEST(directories)
{
    SCRATCH(dir);
    struct cl_error err = { 0 };
    struct stat info;
    CHECK_INT(cl_mkdir_p(dir.fd, "a/b//c/", 0755, &err), 0);
    CHECK_INT(cl_mkdir_p(dir.fd, "a/b/c", 0755, &err), 0);
    CHECK(fstatat(dir.fd, "a/b/c", &info, 0) == 0 && S_ISDIR(info.st_mode));
    REQUIRE(cl_write_atomic(dir.fd, "file", "", 0, 0600, CL_WRITE_PLAIN, NULL) == 0);
    CHECK_INT(cl_mkdir_p(dir.fd, "file/x", 0755, &err), -ENOTDIR);
    CHECK_STR(err.text, "create directory file: Not a directory");
    CHECK_INT(cl_mkdir_p(AT_FDCWD, dir.path, 0755, &err), 0);
    CHECK_INT(cl_mkdir_p(AT_FDCWD, "/", 0755, &err), 0);
}

TEST(opening_directories)
{
    SCRATCH(dir);
    struct cl_error err = { 0 };
    cl_auto_fd made = -EBADF, again = -EBADF, none = -EBADF;
    CHECK_INT(cl_open_dir(dir.fd, "d", 0700, &made, &err), 0);
    CHECK(made >= 0 && (fcntl(made, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_INT(cl_open_dir(dir.fd, "d", 0, &again, &err), 0);
    CHECK_INT(cl_open_dir(dir.fd, "none", 0, &none, &err), -ENOENT);
    CHECK_STR(err.text, "open directory none: No such file or directory");
    CHECK_INT(none, -EBADF);
}

TEST_MAIN
