/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One test per hole that another runtime had, named after it, as far as it concerns this room.
 * (2016-9962 is in test-exec, 2024-9676 and 2026-30892 in test-user.)
 */
#include "runtime/child.h"
#include "support.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

/*
 * runc: an image whose entrypoint, or a script's interpreter, is /proc/self/exe had the runtime's
 * own program executed in the container, and wrote into the host's file through /proc/PID/exe. Here
 * that name leads to a sealed memfd. An open for reading is what the attack begins with: the
 * interpreter that the kernel finds must not be our test program, which is dynamic and would show
 * as "interpreter missing" in this root.
 */
TEST(cve_2019_5736_proc_self_exe_is_never_a_file_of_the_host)
{
    struct world world;
    char path[128];
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_STR(world_run(&world, "readlink /proc/self/exe; readlink /proc/1/exe", NULL),
              "/bin/busybox\n/bin/busybox\n");
    snprintf(path, sizeof path, "%s/bin", world.rootfs);
    REQUIRE(write_file(path, "evil", "#!/proc/self/exe\n", 0755));
    static const char *const ways[] = { "/bin/evil", "/proc/self/exe" };
    for (size_t i = 0; i < CL_COUNT(ways); i++) {
        world_again(&world);
        const char *const args[] = { ways[i], NULL };
        CHECK_INT(oci_args_set(world.spec->process, args), 0);
        /* The trampoline gets itself executed, with arguments that make no sense to it: it fails,
           without parent to tell, as a program of the container. */
        if (world_start(&world) < 0)
            TEST_SAY("%s reached the program that called execve: %s", ways[i], world.err.text);
        else
            CHECK_INT(world_wait(&world), 126);
    }
    world_close(&world);
}

/* runc: LSM labels were written to a fake /proc of the image, since mounts on /proc were allowed.
   */
/* And whoever has it open for writing all the same, as another process of the container might, has nothing that could be written to. */
TEST(cve_2019_5736_what_proc_self_exe_leads_to_is_sealed)
{
    struct child child = { .trampoline = -EBADF };
    struct cl_error err = { 0 };
    struct stat info;
    REQUIRE(program_prepare_trampoline(&child, &err) >= 0);
    CHECK_INT(fcntl(child.trampoline, F_GET_SEALS),
              F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    CHECK(fstat(child.trampoline, &info) == 0 && (info.st_mode & 07777) == 0111);
    CHECK(write(child.trampoline, "x", 1) < 0);
    child.trampoline = cl_close(child.trampoline);
}

TEST(cve_2019_16884_proc_can_not_be_covered)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_INT(oci_mount_add(world.spec, "/proc/self/attr", NULL, world.dir, "bind", NULL), 0);
    world_shell(&world, "true");
    CHECK_INT(world_create(&world), -EINVAL);
    CHECK_CONTAINS(world.err.text, "mounts[7].destination: \"/proc/self/attr\" can't be mounted");
    world_again(&world);
    /* Nor by a link of the image that leads there. */
    char path[128];
    snprintf(path, sizeof path, "%s/innocent", world.rootfs);
    REQUIRE(symlink("/proc/1", path) == 0);
    CHECK(oci_mount_remove(world.spec, "/proc/self/attr"));
    CHECK_INT(oci_mount_add(world.spec, "/innocent", NULL, world.dir, "bind", NULL), 0);
    CHECK(world_create(&world) < 0);
    CHECK_CONTAINS(world.err.text, "leads into /proc");
    world_close(&world);
}

/* runc: a mount target was a link by the time it was mounted on, and the mount landed on the host.
   Below a descriptor of the root a link, here one that would leave it, resolves inside. */
TEST(cve_2021_30465_mount_targets_stay_in_the_root)
{
    struct world world;
    char path[128];
    struct stat info;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    snprintf(path, sizeof path, "%s/link", world.rootfs);
    REQUIRE(symlink("../../../../../../cloche-test-outside", path) == 0);
    CHECK_INT(oci_mount_add(world.spec, "/link/target", "tmpfs", "inside", NULL), 0);
    const char *text = world_run(&world, "grep inside /proc/self/mountinfo", NULL);
    CHECK_CONTAINS(text, " /cloche-test-outside/target ");
    CHECK(stat("/cloche-test-outside", &info) < 0);
    snprintf(path, sizeof path, "%s/cloche-test-outside/target", world.rootfs);
    CHECK(stat(path, &info) == 0);
    world_close(&world);
}

/* runc, crun, podman: a non-empty inheritable set gave a user's processes file capabilities that
   they should not have had. */
TEST(cve_2022_29162_nothing_is_inheritable)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_STR(world_run(&world, "grep CapInh /proc/self/status", NULL),
              "CapInh:\t0000000000000000\n");
    world_close(&world);
}

/* runc: a leaked descriptor of the host's /sys/fs/cgroup as working directory was a way out. */
TEST(cve_2024_21626_no_leaked_descriptor_and_no_way_out_by_the_directory)
{
    struct world world;
    char path[32];
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    int leak = open("/", O_RDONLY | O_DIRECTORY); /* a descriptor of the host, not close-on-exec */
    REQUIRE(leak >= 0);
    CHECK_STR(world_run(&world, "ls /proc/1/fd; true", NULL), "0\n1\n2\n");
    for (int fd = 3; fd <= leak + 8; fd++) {
        world_again(&world);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        CHECK_INT(oci_string_set(&world.spec->process->cwd, path), 0);
        world_shell(&world, "pwd");
        if (world_start(&world) >= 0)
            TEST_SAY("working directory %s was entered", path);
    }
    world_again(&world);
    char link[128]; /* and by a link of the image */
    snprintf(link, sizeof link, "%s/way-out", world.rootfs);
    snprintf(path, sizeof path, "/proc/self/fd/%d", leak);
    REQUIRE(symlink(path, link) == 0);
    CHECK_INT(oci_string_set(&world.spec->process->cwd, "/way-out"), 0);
    CHECK(world_start(&world) < 0);
    close(leak);
    world_close(&world);
}

/* runc: making missing mount points raced, and could make directories on the host (see 2021-30465).
   Dots in the spec itself are refused. */
TEST(cve_2024_45310_dots_do_not_climb)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_INT(oci_mount_add(world.spec, "/../../cloche-test-dots", "tmpfs", "dots", NULL), 0);
    world_shell(&world, "true");
    CHECK(world_create(&world) < 0);
    CHECK_CONTAINS(world.err.text, "mounts[7].destination");
    world_close(&world);
}

/* runc: the image's /dev/null, a link, was used to mask files and so made them writable. The mask
   is ours, whatever the image has. */
TEST(cve_2025_31133_masks_do_not_use_the_images_null)
{
    struct world world;
    char path[128];
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    snprintf(path, sizeof path, "%s/dev/null", world.rootfs);
    REQUIRE(symlink("/proc/sys/kernel/core_pattern", path) == 0);
    CHECK_STR(world_run(&world, "stat -c '%F %t:%T' /proc/interrupts /dev/null", NULL),
              "character special file 1:3\ncharacter special file 1:3\n");
    world_again(&world);
    /* Without a mount on /dev the image's link is found where the device has to be: refused. */
    CHECK(oci_mount_remove(world.spec, "/dev"));
    world_shell(&world, "true");
    CHECK(world_create(&world) < 0);
    CHECK_CONTAINS(world.err.text, "make device null: something else of that name is in the way");
    world_close(&world);
}

/* runc, crun (2026-88264): a link at /dev/console, or a fake devpts, led the terminal's bind
   astray. */
TEST(cve_2025_52565_cve_2026_88264_the_console_is_not_led_astray)
{
    struct world world;
    char path[128];
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    snprintf(path, sizeof path, "%s/dev/console", world.rootfs);
    REQUIRE(symlink("/proc/sysrq-trigger", path) == 0);
    CHECK(oci_mount_remove(world.spec, "/dev"));
    world.io.terminal = true;
    world_shell(&world, "true");
    CHECK(world_create(&world) < 0);
    CHECK_CONTAINS(world.err.text, "/dev/console");
    world_again(&world);
    /* /dev/pts that is a directory of the image, with a ptmx of its own */
    CHECK(oci_mount_remove(world.spec, "/dev/pts"));
    CHECK(unlink(path) == 0);
    CHECK(world_create(&world) < 0);
    CHECK_CONTAINS(world.err.text, "/dev/pts");
    world_close(&world);
}

/* In a mount and UTS namespace of its own: 0, or a bit for each write that went astray. */
static int write_through_covered_proc(const char *dir)
{
    static const char hostname[] = "/proc/sys/kernel/hostname";
    char fake[128], own[160];
    int astray = 0;
    (void)snprintf(fake, sizeof fake, "%s/fake", dir);
    (void)snprintf(own, sizeof own, "%s/sys", dir);
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || sethostname("before", 6) < 0)
        return 64;
    int proc = procfs_open_host(NULL);
    /* Another file of a procfs, and one that is of none. */
    if (mount("/proc/sys/kernel/domainname", hostname, NULL, MS_BIND, NULL) < 0)
        return 64;
    astray |= procfs_write(proc, "sys/kernel/hostname", "after") != -EXDEV ? 1 : 0;
    if (mount(fake, hostname, NULL, MS_BIND, NULL) < 0)
        return 64;
    astray |= procfs_write(proc, "sys/kernel/hostname", "after") != -EXDEV ? 2 : 0;
    /* A directory that only looks like one. */
    int none = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (mkdir(own, 0755) < 0 || !write_file(own, "name", "untouched", 0644))
        return 64;
    astray |= procfs_write(none, "sys/name", "after") != -EXDEV ? 4 : 0;
    return astray;
}

/* runc: sysctls and labels were written through files that something had been mounted over. */
TEST(cve_2025_52881_writes_to_proc_are_not_redirected)
{
    struct world world;
    char source[96];
    int status = 0;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    REQUIRE(write_file(world.dir, "fake", "untouched", 0644));
    (void)snprintf(source, sizeof source, "%s/fake", world.dir);
    pid_t pid = fork();
    if (pid == 0)
        _exit(write_through_covered_proc(world.dir));
    REQUIRE(k_wait_pid(pid, 0, &status) >= 0 && WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    char *text = NULL;
    CHECK_INT(cl_read_file(AT_FDCWD, source, 100, &text, NULL, NULL), 0);
    CHECK_STR(text, "untouched");
    free(text);
    world_close(&world);
}

/* runc, crun (2026-47766): /dev as a link in the image had devices made, and mounts put, elsewhere.
   */
TEST(cve_2026_41579_cve_2026_47766_dev_as_a_link_is_refused)
{
    static const char *const names[] = { "dev", "proc", "sys" };
    struct world world;
    char path[128];
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    for (size_t i = 0; i < CL_COUNT(names); i++) {
        REQUIRE(world_open(&world));
        snprintf(path, sizeof path, "%s/%s", world.rootfs, names[i]);
        REQUIRE(rmdir(path) == 0 && symlink("tmp", path) == 0);
        world_shell(&world, "true");
        CHECK(world_create(&world) < 0);
        CHECK_CONTAINS(world.err.text, "a symbolic link is in the way");
        world_close(&world);
    }
}

TEST_MAIN
