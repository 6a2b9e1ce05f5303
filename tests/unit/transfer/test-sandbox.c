/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left to a process that has locked itself in: children that try to get out, and say how far they came.
 */
#include "support.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "kernel/kernel.h"
#include "transfer/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

typedef int attempt(const struct place *place); /* 0: held back; else: the number of the way out */

/* The two directories are given as numbers, as the program has them. */
static int locked_in(const struct place *place, attempt *attempt_)
{
    struct cl_error err = { 0 };
    const int directories[] = { place->in_fd, place->blobs_fd };
    if (sandbox_enter(directories, 2, 100, &err) < 0)
        return 90;
    return attempt_(place);
}

static int try_it(attempt *attempt_, bool as_nobody)
{
    struct place place;
    int status = -1;
    if (!place_make(&place))
        return 91;
    (void)chmod(place.dir, 0755);
    (void)fchmod(place.in_fd, 0777);
    (void)fchmod(place.blobs_fd, 0777);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (as_nobody && (setgid(65534) < 0 || setuid(65534) < 0))
            _exit(92);
        _exit(locked_in(&place, attempt_));
    }
    (void)waitpid(pid, &status, 0);
    check_neighbour(&place);
    place_done(&place);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int look_around(const struct place *place)
{
    if (open("/etc/passwd", O_RDONLY) >= 0)
        return 1;
    if (openat(place->in_fd, "../out/secret", O_RDONLY) >= 0)
        return 2;
    if (openat(place->blobs_fd, "../../../etc/passwd", O_RDONLY) >= 0)
        return 3;
    if (open("/proc/self/mem", O_RDWR) >= 0 || open("/dev/mem", O_RDWR) >= 0)
        return 4;
    if (linkat(AT_FDCWD, "/etc/passwd", place->in_fd, "stolen", 0) == 0)
        return 5;
    if (renameat(place->in_fd, "../out/secret", place->in_fd, "stolen") == 0)
        return 6;
    (void)mkdirat(place->in_fd, "../../made",
                  0700); /* made in the directory itself, if at all: check_neighbour sees */
    return mkdirat(AT_FDCWD, "/made", 0700) == 0 ? 7 : 0;
}

TEST(nothing_else_can_be_seen)
{
    CHECK_INT(try_it(look_around, false), 0);
}

static int look_without_mounts(const struct place *place)
{
    /* Unprivileged: names outside are told by Landlock, where the kernel has it; nothing may be written in any case. */
    if (mkdirat(place->in_fd, "../made", 0700) == 0)
        return 1;
    return mkdirat(place->in_fd, "fine", 0700) == 0 ? 0 : 2;
}

TEST(it_works_without_privileges)
{
    if (geteuid() != 0)
        SKIP("needs root to become another user");
    CHECK_INT(try_it(look_without_mounts, true), 0);
}

static int run_things(const struct place *place)
{
    char *const arguments[] = { (char *)(uintptr_t) "true", NULL };
    (void)place;
    (void)execve("/bin/true", arguments, NULL);
    (void)syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, NULL, 0);
    if (fork() >= 0)
        return 1;
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        return 2;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return 3; /* ordinary memory is allowed */
    return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 ? 4 : 0;
}

TEST(nothing_can_be_run)
{
    if (IS_SANITIZED)
        SKIP("the filter is left out under a sanitizer");
    CHECK_INT(try_it(run_things, false), 0);
}

static int reach_out(const struct place *place)
{
    (void)place;
    if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socket(AF_INET, SOCK_STREAM, 0) >= 0)
        return 1;
    if (kill(getppid(), 0) == 0 || syscall(SYS_pidfd_open, 1, 0) >= 0)
        return 2;
    if (unshare(CLONE_NEWUSER) == 0 || chroot("/") == 0)
        return 3;
    if (syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL) == 0)
        return 4;
    if (syscall(SYS_bpf, 0, NULL, 0) >= 0 || syscall(SYS_ptrace, 0, 0, 0, 0) >= 0)
        return 5;
    return prctl(PR_SET_DUMPABLE, 1) == 0 ? 6 : 0;
}

TEST(nobody_can_be_reached)
{
    if (IS_SANITIZED)
        SKIP("the filter is left out under a sanitizer");
    CHECK_INT(try_it(reach_out, false), 0);
}

static int do_the_job(const struct place *place)
{
    struct cl_error err = { 0 };
    auto_archive archive = ARCHIVE_INIT;
    archive_file(&archive, "dir/file", "x");
    archive_symlink(&archive, "link", "dir");
    archive_hardlink(&archive, "hard", "link/file");
    archive_pax(&archive, "path", "caf\xc3\xa9", "SCHILY.xattr.user.note", "1", NULL);
    archive_file(&archive, "short", "y");
    if (geteuid() == 0) {
        archive_add(&archive, .name = "null", .type = '3', .mode = 0666, .major = 1, .minor = 3);
        archive_file(&archive, ".wh.gone", "");
        archive_file(&archive, "dir/.wh..wh..opq", "");
        archive_add(&archive, .name = "suid", .type = '0', .mode = 04755, .uid = 5, .data = "z");
    }
    archive_file(&archive, "dir", "replaces a tree");
    archive_end(&archive);
    if (mkdirat(place->in_fd, "0", 0755) < 0)
        return 1;
    cl_auto_fd dir = openat(place->in_fd, "0", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct place inside = { .in_fd = dir };
    if (unpack(&inside, &archive, &err) < 0) {
        (void)cl_write_full(2, err.text, strlen(err.text));
        return 2;
    }
    char digest[CL_DIGEST_MAX];
    return blob_write(place->blobs_fd, "blob", 4, digest, &err) < 0 ? 3 : 0;
}

TEST(the_job_can_be_done)
{
    CHECK_INT(try_it(do_the_job, false), 0);
    if (geteuid() == 0)
        CHECK_INT(try_it(do_the_job, true), 0);
}

static int check_capabilities(const struct place *place)
{
    uint64_t effective, permitted, inheritable;
    (void)place;
    if (k_capget(0, &effective, &permitted, &inheritable) < 0)
        return 1;
    const uint64_t allowed = 1u << 0 | 1u << 1 | 1u << 3 | 1u << 4 | 1u << 21 | 1u << 27 | 1u << 31;
    return (permitted & ~allowed) != 0 || inheritable != 0 ? 2 : 0;
}

TEST(few_capabilities_are_left)
{
    CHECK_INT(try_it(check_capabilities, false), 0);
}

TEST_MAIN
