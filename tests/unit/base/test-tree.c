/* SPDX-License-Identifier: Apache-2.0 */
/* rm -rf: what must go, and what must stay however the tree is built. */
#include <sched.h>
#include <sys/mount.h>

#include "base/fd.h"
#include "base/str.h"

#include "scratch.h"
#include "test.h"

static void touch(int dirfd, const char *path)
{
    int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    close(fd);
}

static bool exists(int dirfd, const char *path)
{
    struct stat info;
    return fstatat(dirfd, path, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

TEST(missing_and_single_things)
{
    SCRATCH(dir);
    struct cl_error err = { 0 };
    CHECK_INT(cl_remove_tree(dir.fd, "none", &err), 0);
    touch(dir.fd, "file");
    CHECK_INT(cl_remove_tree(dir.fd, "file", &err), 0);
    CHECK(!exists(dir.fd, "file"));
    CHECK_INT(cl_remove_tree(dir.fd, "none/x", &err), 0);
}

TEST(links_go_and_their_targets_stay)
{
    SCRATCH(dir);
    struct cl_error err = { 0 };
    REQUIRE(cl_mkdir_p(dir.fd, "keep", 0700, &err) == 0);
    REQUIRE(cl_mkdir_p(dir.fd, "tree/a/b", 0700, &err) == 0);
    touch(dir.fd, "keep/file");
    touch(dir.fd, "tree/a/b/file");
    REQUIRE(symlinkat("../keep", dir.fd, "tree/link") == 0);
    REQUIRE(symlinkat("keep", dir.fd, "toplink") == 0);
    CHECK_INT(cl_remove_tree(dir.fd, "tree", &err), 0);
    CHECK_INT(cl_remove_tree(dir.fd, "toplink", &err), 0);
    CHECK(!exists(dir.fd, "tree") && !exists(dir.fd, "toplink"));
    CHECK(exists(dir.fd, "keep/file"));
}

TEST(directories_without_rights_go)
{
    SCRATCH(dir);
    struct cl_error err = { 0 };
    REQUIRE(cl_mkdir_p(dir.fd, "tree/locked/in", 0700, &err) == 0);
    touch(dir.fd, "tree/locked/in/file");
    REQUIRE(fchmodat(dir.fd, "tree/locked", 0, 0) == 0);
    CHECK_INT(cl_remove_tree(dir.fd, "tree", &err), 0);
    CHECK(!exists(dir.fd, "tree"));
}

TEST(deep_trees_need_few_descriptors)
{
    SCRATCH(dir);
    struct cl_error err = { 0 };
    REQUIRE(mkdirat(dir.fd, "tree", 0700) == 0);
    int fd = openat(dir.fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 150 && fd >= 0; i++) { /* two branches at each level */
        CHECK(mkdirat(fd, "d", 0700) == 0 && mkdirat(fd, "e", 0700) == 0);
        touch(fd, "e/file");
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    REQUIRE(fd >= 0);
    close(fd);
    CHECK_INT(cl_remove_tree(dir.fd, "tree", &err), 0);
    CHECK(!exists(dir.fd, "tree"));
}

TEST(wide_trees_go)
{
    SCRATCH(dir);
    struct cl_error err = { 0 };
    REQUIRE(mkdirat(dir.fd, "tree", 0700) == 0);
    for (int i = 0; i < 300; i++) {
        char name[32];
        (void)CL_PRINT(name, "tree/%d", i);
        touch(dir.fd, name);
    }
    CHECK_INT(cl_remove_tree(dir.fd, "tree", &err), 0);
    CHECK(!exists(dir.fd, "tree"));
}

/* In a mount namespace of a child: a volume that somebody forgot to unmount must not be emptied. */
static int check_mounts(const struct scratch *dir)
{
    char path[128];
    struct cl_error err = { 0 };
    if (unshare(CLONE_NEWNS) < 0)
        return 77;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return 77;
    (void)CL_PRINT(path, "%s/keep", dir->path);
    char target[128];
    (void)CL_PRINT(target, "%s/tree/a/volume", dir->path);
    if (mount(path, target, NULL, MS_BIND, NULL) <
        0) /* the same file system: st_dev tells nothing */
        return 77;
    if (cl_remove_tree(dir->fd, "tree", &err) != -EXDEV)
        return 1;
    if (strstr(err.text, "volume is a mount point") == NULL)
        return 2;
    if (!exists(dir->fd, "keep/file"))
        return 3;
    cl_auto_fd parent = openat(dir->fd, "tree/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cl_remove_tree(parent, "volume", &err) != -EBUSY || !exists(dir->fd, "keep/file"))
        return 4;
    return 0;
}

TEST(mounts_are_never_entered)
{
    SCRATCH(dir);
    int status = 0;
    REQUIRE(cl_mkdir_p(dir.fd, "tree/a/volume", 0700, NULL) == 0);
    REQUIRE(cl_mkdir_p(dir.fd, "keep", 0700, NULL) == 0);
    touch(dir.fd, "keep/file");
    pid_t pid = fork();
    if (pid == 0)
        _exit(check_mounts(&dir));
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("needs the right to mount in a namespace of its own");
    CHECK_INT(status, 0);
    CHECK(exists(dir.fd, "keep/file"));
}

TEST_MAIN
