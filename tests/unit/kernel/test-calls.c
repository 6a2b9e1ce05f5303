/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls themselves: processes are born, signalled and waited for by pidfd; what falls back
 * does; mounts are made detached.
 */
#include "kernel/calls.h"

#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "support.h"

static pid_t clone_child(int *pidfd)
{
    fflush(stdout);
    return k_clone3(&(struct k_clone){ .cgroup_fd = -EBADF, .exit_signal = SIGCHLD }, pidfd);
}

static void check_clone(void)
{
    int pidfd = -EBADF, status = 0;
    pid_t pid = clone_child(&pidfd);
    if (pid == 0)
        _exit(pidfd == -EBADF ? 42 : 1); /* the child's variable stays as it was */
    REQUIRE(pid > 0);
    CHECK((fcntl(pidfd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_INT(k_wait_pidfd(pidfd, 0, &status), 0);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 42);
    CHECK_INT(k_wait_pidfd(pidfd, 0, &status), -ECHILD);
    close(pidfd);
}

TEST(clone_and_exit_status)
{
    check_clone();
}

TEST(clone_falls_back_to_the_older_call)
{
    int pidfd = -EBADF;
    k_hook_set("clone3", NULL);
    check_clone();
    struct k_clone with_cgroup = { .cgroup_fd = 0, .exit_signal = SIGCHLD };
    CHECK_INT(k_clone3(&with_cgroup, &pidfd), -ENOSYS);
    struct k_clone with_time = { .flags = CLONE_NEWTIME, .cgroup_fd = -1, .exit_signal = SIGCHLD };
    CHECK_INT(k_clone3(&with_time, &pidfd), -ENOSYS);
    CHECK_INT(pidfd, -EBADF);
    k_hook_set(NULL, NULL);
}

TEST(signal_by_pidfd)
{
    int pidfd = -EBADF, status = 0;
    pid_t pid = clone_child(&pidfd);
    if (pid == 0)
        for (;;)
            pause();
    REQUIRE(pid > 0);
    CHECK_INT(k_wait_pidfd(pidfd, WNOHANG, &status), -EAGAIN);
    CHECK_INT(k_pidfd_send_signal(pidfd, SIGSTOP), 0);
    CHECK_INT(k_wait_pidfd(pidfd, WSTOPPED, &status), 0);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    CHECK_INT(k_pidfd_send_signal(pidfd, SIGCONT), 0);
    CHECK_INT(k_wait_pid(pid, WCONTINUED, &status), 0);
    CHECK(WIFCONTINUED(status));
    cl_auto_fd again = k_pidfd_open(pid);
    CHECK(again >= 0);
    CHECK_INT(k_pidfd_send_signal(again, SIGTERM), 0);
    CHECK_INT(k_wait_pidfd(pidfd, 0, &status), 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    CHECK_INT(k_pidfd_send_signal(again, 0), -ESRCH);
    close(pidfd);
}

static void check_close_range(void *mask)
{
    k_hook_set(mask, NULL);
    int low = dup2(1, 200), middle = dup2(1, 201), high = dup2(1, 202);
    CHECK(low == 200 && middle == 201 && high == 202);
    CHECK_INT(k_close_range(201, 201, true), 0);
    CHECK_INT(fcntl(200, F_GETFD), 0);
    CHECK_INT(fcntl(201, F_GETFD), FD_CLOEXEC);
    CHECK_INT(k_close_range(201, ~0u, false), 0);
    CHECK_INT(fcntl(200, F_GETFD), 0);
    CHECK_INT(fcntl(201, F_GETFD), -1);
    CHECK_INT(fcntl(202, F_GETFD), -1);
}

TEST(close_range)
{
    char mask[] = "close_range";
    CHECK(in_child(0, check_close_range, NULL));
    CHECK(in_child(0, check_close_range, mask));
}

TEST(capabilities)
{
    uint64_t effective = 0, permitted = 0, inheritable = 0;
    CHECK_INT(k_capget(0, &effective, &permitted, &inheritable), 0);
    CHECK((effective & ~permitted) == 0);
    CHECK_INT(k_capset(effective, permitted, inheritable), 0); /* what we have, we may keep */
    unsigned last = k_cap_last();
    CHECK(last >= 40 && last < 64); /* 40: CHECKPOINT_RESTORE, 5.9 */
    CHECK_INT(k_prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0), -EINVAL);
    CHECK_INT(k_cap_bounding_drop(last + 1), geteuid() == 0 ? -EINVAL : -EPERM);
}

static void drop_everything(void *ignored)
{
    uint64_t effective = 1, permitted = 1, inheritable = 1;
    (void)ignored;
    for (unsigned i = 0; i <= k_cap_last(); i++)
        CHECK_INT(k_cap_bounding_drop(i), 0);
    CHECK_INT(k_prctl(PR_CAPBSET_READ, 0, 0, 0, 0), 0);
    CHECK_INT(k_cap_ambient_clear(), 0);
    CHECK_INT(k_setgroups(0, NULL), 0);
    CHECK_INT(k_setresgid(65534), 0);
    CHECK_INT(k_setresuid(65534), 0);
    CHECK_INT(k_capset(0, 0, 0), 0);
    CHECK_INT(k_capget(0, &effective, &permitted, &inheritable), 0);
    CHECK_INT(effective | permitted | inheritable, 0);
    CHECK_INT(k_cap_ambient_raise(0), -EPERM);
    CHECK_INT(getuid(), 65534);
    CHECK_INT(getegid(), 65534);
}

TEST(dropping_capabilities_and_ids)
{
    if (geteuid() != 0)
        SKIP("needs root: drops what only root has");
    CHECK(in_child(0, drop_everything, NULL));
}

static void install_filter(void *ignored)
{
    (void)ignored;
    const struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    CHECK_INT(k_no_new_privs(), 0);
    CHECK_INT(k_seccomp_filter(code, 0, 0), -EINVAL);
    CHECK_INT(k_seccomp_filter(code, CL_COUNT(code), 0), 0);
    CHECK_INT(K_CALL("getppid", SYS_getppid, 0), -EXDEV);
}

TEST(seccomp_filter)
{
    CHECK(in_child(0, install_filter, NULL));
}

static void host_names(void *ignored)
{
    char name[65] = "";
    (void)ignored;
    CHECK_INT(k_sethostname("under-the-glass"), 0);
    CHECK_INT(k_setdomainname("example"), 0);
    CHECK_INT(gethostname(name, sizeof name), 0);
    CHECK_STR(name, "under-the-glass");
}

TEST(host_name_in_a_namespace)
{
    if (geteuid() != 0)
        SKIP("needs root: makes a UTS namespace");
    if (!in_child(CLONE_NEWUTS, host_names, NULL))
        SKIP("can't make a UTS namespace here");
}

TEST(limits)
{
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_CORE, &limit) == 0);
    CHECK_INT(k_prlimit(0, RLIMIT_CORE, &limit), 0);
    limit.rlim_cur = 2;
    limit.rlim_max = 1;
    CHECK_INT(k_prlimit(0, RLIMIT_CORE, &limit), -EINVAL);
}

static void detached_mounts(void *argument)
{
    const struct scratch *scratch = argument;
    cl_auto_fd fs = k_fsopen("tmpfs");
    REQUIRE(fs >= 0);
    CHECK_INT(k_fsconfig_string(fs, "size", "64k"), 0);
    CHECK_INT(k_fsconfig_flag(fs, "ro"), 0);
    CHECK_INT(k_fsconfig_create(fs), 0);
    cl_auto_fd mount = k_fsmount(fs, MOUNT_ATTR_NOSUID);
    REQUIRE(mount >= 0);
    long magic = 0;
    CHECK_INT(k_fs_type(mount, &magic), 0);
    CHECK_INT(magic, TMPFS_MAGIC);
    struct k_mount_change change = { .set = MOUNT_ATTR_NOEXEC,
                                     .userns_fd = -EBADF,
                                     .recursive = true };
    CHECK_INT(k_mount_setattr(mount, &change), 0);
    cl_auto_fd target = open(scratch->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(!k_is_same_file(mount, target));
    CHECK_INT(k_move_mount(mount, target, "", 0), 0);
    cl_auto_fd seen = open(scratch->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(k_is_same_file(mount, seen));
    cl_auto_fd copy = k_open_tree(seen, "", OPEN_TREE_CLONE);
    CHECK(copy >= 0);
    CHECK_INT(k_umount(scratch->path, MNT_DETACH), 0);
    CHECK_INT(k_move_mount(copy, AT_FDCWD, scratch->path, 0), 0);
    CHECK_INT(k_umount(scratch->path, 0), -EBUSY); /* seen is open in it */
}

TEST(mounts_are_made_detached)
{
    struct scratch scratch;
    if (geteuid() != 0)
        SKIP("needs root: makes mounts in a mount namespace");
    REQUIRE(scratch_make(&scratch));
    bool could = in_child(CLONE_NEWNS, detached_mounts, &scratch);
    scratch_remove(&scratch);
    if (!could)
        SKIP("can't make a mount namespace here");
}

/* tmpfs, since overlay looks at its options only when it is mounted before Linux 6.5. */
TEST(the_kernels_own_words_about_a_failed_mount)
{
    if (geteuid() != 0)
        SKIP("needs root: opens a file system context");
    char text[200] = "?";
    cl_auto_fd fs = k_fsopen("tmpfs");
    if (fs < 0)
        SKIP("no file system contexts here");
    CHECK(k_fsconfig_string(fs, "no-such-option", "1") < 0);
    k_fs_message(fs, text, sizeof text);
    CHECK_CONTAINS(text, "no-such-option");
    char small[8] = "?";
    CHECK(k_fsconfig_string(fs, "no-such-option", "1") < 0);
    k_fs_message(fs, small, sizeof small);
    CHECK_INT(strlen(small), sizeof small - 1);
    k_fs_message(fs, text, sizeof text);
    CHECK_STR(text, ""); /* drained */
}

TEST(files_are_compared_by_what_they_are)
{
    cl_auto_fd a = open("/", O_PATH | O_CLOEXEC), b = open("/.", O_RDONLY | O_CLOEXEC),
               c = open("/proc", O_PATH | O_CLOEXEC);
    CHECK(k_is_same_file(a, b));
    CHECK(!k_is_same_file(a, c));
    CHECK(!k_is_same_file(a, -EBADF));
}

TEST(facts_of_this_boot)
{
    CHECK_INT(strlen(k_boot_id()), 36);
    CHECK(k_boot_id() == k_boot_id());
    CHECK(k_clock_ticks() > 0);
}

TEST(exec_by_descriptor)
{
    cl_auto_fd file = open("/bin/true", O_PATH | O_CLOEXEC);
    REQUIRE(file >= 0);
    int pidfd = -EBADF, status = 1;
    pid_t pid = clone_child(&pidfd);
    if (pid == 0) {
        char name[] = "true", *arguments[] = { name, NULL }, *none[] = { NULL };
        k_execveat(file, "", arguments, none, AT_EMPTY_PATH);
        _exit(99);
    }
    CHECK_INT(k_wait_pid(pid, 0, &status), 0);
    CHECK_INT(status, 0);
    (void)cl_close(pidfd);
}

TEST_MAIN
