/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces as files: the table both ways, inodes by link and by descriptor, what owns what.
 */
#include "kernel/nsfs.h"

#include <sys/stat.h>

#include "support.h"

static int open_self(void)
{
    return open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

TEST(names_and_flags_lead_to_each_other)
{
    CHECK_INT(k_ns_by_name("mnt"), K_NS_MNT);
    CHECK_INT(k_ns_by_name("mount"), K_NS_MNT);
    CHECK_INT(k_ns_by_name("network"), K_NS_NET);
    CHECK_INT(k_ns_by_name("mounts"), -EINVAL);
    CHECK_INT(k_ns_by_name(""), -EINVAL);
    for (int type = 0; type < K_NS_COUNT; type++) {
        CHECK_INT(k_ns_by_name(k_ns_table[type].name), type);
        CHECK_INT(k_ns_by_flag(k_ns_table[type].clone_flag), type);
    }
    CHECK_INT(k_ns_by_flag(CLONE_VM), -EINVAL);
}

TEST(inode_by_link_is_inode_by_descriptor)
{
    cl_auto_fd self = open_self();
    REQUIRE(self >= 0);
    for (int type = 0; type < K_NS_COUNT; type++) {
        uint64_t by_link = 0, by_fd = 1;
        struct cl_error err = { 0 };
        int opened = -EBADF;
        CHECK_INT(k_ns_inode(self, (enum k_ns)type, &by_link), 0);
        REQUIRE(k_ns_open(self, (enum k_ns)type, &opened, &err) == 0);
        cl_auto_fd fd = opened;
        CHECK_INT(k_ns_fd_inode(fd, &by_fd, NULL), 0);
        CHECK_INT(by_link, by_fd);
        CHECK_INT(k_ns_fd_type(fd), type);
    }
}

TEST(children_share_our_namespaces_by_default)
{
    cl_auto_fd self = open_self();
    uint64_t own = 0, children = 1;
    CHECK_INT(k_ns_inode(self, K_NS_PID, &own), 0);
    CHECK_INT(k_ns_children_inode(self, true, &children), 0);
    CHECK_INT(own, children);
    CHECK_INT(k_ns_inode(self, K_NS_TIME, &own), 0);
    CHECK_INT(k_ns_children_inode(self, false, &children), 0);
    CHECK_INT(own, children);
}

TEST(owner_is_our_user_namespace)
{
    cl_auto_fd self = open_self();
    int opened = -EBADF;
    uid_t uid = 4711;
    struct stat info;
    REQUIRE(k_ns_open(self, K_NS_UTS, &opened, NULL) == 0);
    cl_auto_fd uts = opened;
    cl_auto_fd owner = k_ns_fd_owner(uts);
    if (owner == -EPERM)
        SKIP("our namespaces are owned by a user namespace that we can't see");
    REQUIRE(owner >= 0);
    CHECK_INT(k_ns_fd_type(owner), K_NS_USER);
    CHECK((fcntl(owner, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_INT(k_ns_fd_owner_uid(owner, &uid), 0);
    if (stat("/proc/self/ns/user", &info) == 0)
        CHECK(uid != 4711);
}

TEST(a_directory_without_namespaces)
{
    cl_auto_fd proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct cl_error err = { 0 };
    uint64_t inode = 7;
    int fd = 7;
    CHECK_INT(k_ns_inode(proc, K_NS_MNT, &inode), -ENOENT);
    CHECK_INT(inode, 7);
    CHECK_INT(k_ns_open(proc, K_NS_MNT, &fd, &err), -ENOENT);
    CHECK_INT(fd, 7);
    CHECK_CONTAINS(err.text, "mnt namespace");
    CHECK_INT(k_ns_fd_type(proc), -ENOTTY);
}

static void parent_of_pid_namespace(void *ignored)
{
    (void)ignored;
    /* Unshared: our children's PID namespace is a new one, whose parent is ours. It exists once
       it has a process. */
    pid_t pid = fork();
    if (pid == 0)
        pause();
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    cl_auto_fd child = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), self = open_self();
    int opened = -EBADF;
    if (k_ns_open(child, K_NS_PID, &opened, NULL) < 0)
        opened = -EBADF;
    cl_auto_fd ns = opened, parent = k_ns_fd_parent(ns);
    uint64_t above = 0, own = 1;
    CHECK(parent >= 0);
    CHECK_INT(k_ns_fd_inode(parent, &above, NULL), 0);
    CHECK_INT(k_ns_inode(self, K_NS_PID, &own), 0);
    CHECK_INT(above, own);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

TEST(parent_of_a_pid_namespace)
{
    if (geteuid() != 0)
        SKIP("needs root: makes a PID namespace");
    if (!in_child(CLONE_NEWPID, parent_of_pid_namespace, NULL))
        SKIP("can't make a PID namespace here");
}

TEST_MAIN
