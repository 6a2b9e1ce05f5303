/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers for real: what a program in one sees, with the engine's default spec on a root file
 * system of busybox.
 */
#include "support.h"

#include <sys/sysmacros.h>

TEST(runs_a_program_and_gives_its_exit_code)
{
    struct world world;
    int code = -1;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_STR(world_run(&world, "echo hello; exit 7", &code), "hello\n");
    CHECK_INT(code, 7);
    world_close(&world);
}

TEST(a_signal_ends_it_with_128_plus_its_number)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    world_shell(&world, "sleep 1000");
    CHECK_INT(world_start(&world), 0);
    CHECK_INT(k_pidfd_send_signal(world.process.pidfd, SIGKILL), 0);
    CHECK_INT(world_wait(&world), 137);
    world_close(&world);
}

/* ---- namespaces ---- */

static bool same_ns(int a, int b, const char *name)
{
    char path[32], x[64] = "", y[64] = "";
    snprintf(path, sizeof path, "ns/%s", name);
    if (readlinkat(a, path, x, sizeof x - 1) <= 0 || readlinkat(b, path, y, sizeof y - 1) <= 0)
        return false;
    return strcmp(x, y) == 0;
}

TEST(seven_namespaces_are_its_own_and_time_is_one_of_them)
{
    static const char *const own[] = { "mnt", "uts", "ipc", "pid", "net", "cgroup", "time" };
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    world_shell(&world, "sleep 1000 & wait");
    CHECK_INT(world_start(&world), 0);
    int init = procfs_open_pid(world.facts.proc_fd, world.process.pid);
    int self = procfs_open_pid(world.facts.proc_fd, getpid());
    REQUIRE(init >= 0 && self >= 0);
    for (size_t i = 0; i < CL_COUNT(own); i++) {
        if (same_ns(init, self, own[i]))
            TEST_SAY("%s is shared with the host", own[i]);
    }
    CHECK(same_ns(init, self, "user"));
    CHECK(same_ns(init, init, "time"));
    /* What it starts is in the same ones: time_for_children is time. */
    char now[64] = "", later[64] = "";
    CHECK(readlinkat(init, "ns/time", now, sizeof now - 1) > 0);
    CHECK(readlinkat(init, "ns/time_for_children", later, sizeof later - 1) > 0);
    CHECK_STR(now, later);
    close(init);
    close(self);
    world_close(&world);
}

TEST(a_namespace_that_the_spec_leaves_out_is_the_hosts)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK(oci_namespace_remove(world.spec, OCI_NS_NETWORK));
    CHECK(oci_namespace_remove(world.spec, OCI_NS_UTS));
    (void)oci_string_set(&world.spec->hostname, NULL);
    world_shell(&world, "sleep 1000");
    CHECK_INT(world_start(&world), 0);
    int init = procfs_open_pid(world.facts.proc_fd, world.process.pid);
    int self = procfs_open_pid(world.facts.proc_fd, getpid());
    CHECK(same_ns(init, self, "net"));
    CHECK(same_ns(init, self, "uts"));
    CHECK(!same_ns(init, self, "pid"));
    close(init);
    close(self);
    world_close(&world);
}

TEST(namespaces_of_another_container_can_be_joined)
{
    struct world first, second;
    char path[64];
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&first));
    world_shell(&first, "sleep 1000");
    CHECK_INT(world_start(&first), 0);
    REQUIRE(world_open(&second));
    snprintf(second.cgroup, sizeof second.cgroup, "cloche-test-%d/second", (int)getpid());
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)first.process.pid);
    CHECK_INT(oci_namespace_add(second.spec, OCI_NS_NETWORK, path), 0);
    snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)first.process.pid);
    CHECK_INT(oci_namespace_add(second.spec, OCI_NS_PID, path), 0);
    const char *text = world_run(&second, "ps; exit 3", NULL);
    CHECK_CONTAINS(text, "sleep 1000");
    /* Our own children are not led there. */
    char mine[64] = "", children[64] = "";
    CHECK(readlink("/proc/self/ns/pid", mine, sizeof mine - 1) > 0);
    CHECK(readlink("/proc/self/ns/pid_for_children", children, sizeof children - 1) > 0);
    CHECK_STR(children, mine);
    world_close(&second);
    world_close(&first);
}

TEST(clock_offsets_apply_and_do_not_stay_with_us)
{
    struct world world;
    char mine[64] = "", children[64] = "";
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    if (!world.facts.has_time_ns) {
        world_close(&world);
        SKIP("needs time namespaces");
    }
    CHECK_INT(oci_time_offset_set(world.spec, "boottime", 1000000, 0), 0);
    const char *text = world_run(&world, "cat /proc/uptime", NULL);
    CHECK(strtod(text, NULL) > 1000000);
    CHECK(readlink("/proc/self/ns/time", mine, sizeof mine - 1) > 0);
    CHECK(readlink("/proc/self/ns/time_for_children", children, sizeof children - 1) > 0);
    CHECK_STR(children, mine);
    world_close(&world);
}

/* ---- mounts ---- */

TEST(its_mount_table_holds_its_own_mounts_and_nothing_of_the_host)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    const char *text =
        world_run(&world,
                  "while read -r i p d root at o rest; do echo \"$at\"; done </proc/self/mountinfo "
                  "| grep -v '^/sys/fs/cgroup/\\|^/proc/\\|^/sys/firmware\\|^/sys/dev' | sort",
                  NULL);
    CHECK_STR(text, "/\n/dev\n/dev/mqueue\n/dev/pts\n/dev/shm\n/proc\n/sys\n/sys/fs/cgroup\n");
    world_again(&world);
    /* The root's parent is the root: the host's tree is not stacked on it. */
    CHECK_STR(world_run(&world, "stat -c %d:%i / /.. | sort -u | wc -l", NULL), "1\n");
    world_close(&world);
}

TEST(mounts_have_their_options)
{
    static const char *const wanted[] = {
        " /proc rw,nosuid,nodev,noexec,relatime - proc ",
        " /dev rw,nosuid - tmpfs ",
        " /dev/pts rw,nosuid,noexec,relatime - devpts devpts rw,gid=5,mode=620,ptmxmode=666",
        " /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k",
        " /dev/mqueue rw,nosuid,nodev,noexec,relatime - mqueue ",
        " /sys ro,nosuid,nodev,noexec,relatime - sysfs ",
        " /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - ",
    };
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    const char *text = world_run(&world, "cat /proc/self/mountinfo", NULL);
    for (size_t i = 0; i < CL_COUNT(wanted); i++)
        CHECK_CONTAINS(text, wanted[i]);
    world_close(&world);
}

TEST(the_hosts_mount_table_does_not_change)
{
    struct world world;
    char *before = NULL, *after = NULL;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_INT(cl_read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &before, NULL, NULL), 0);
    world_shell(&world, "sleep 1000");
    CHECK_INT(world_start(&world), 0);
    CHECK_INT(cl_read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &after, NULL, NULL), 0);
    CHECK_STR(after, before);
    free(before);
    free(after);
    world_close(&world);
}

TEST(binds_show_host_files_and_directories)
{
    struct world world;
    char file[96];
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    snprintf(file, sizeof file, "%s/note", world.dir);
    REQUIRE(write_file(world.dir, "note", "from the host\n", 0644));
    CHECK_INT(oci_mount_add(world.spec, "/etc/note", NULL, file, "bind", "ro", NULL), 0);
    CHECK_INT(oci_mount_add(world.spec, "/data/deep", NULL, world.dir, "rbind", "rprivate", NULL),
              0);
    const char *text = world_run(
        &world, "cat /etc/note /data/deep/note; echo no > /etc/note; echo new > /data/deep/new",
        NULL);
    CHECK_CONTAINS(text, "from the host\nfrom the host\n");
    CHECK_CONTAINS(text, "Read-only file system");
    snprintf(file, sizeof file, "%s/new", world.dir);
    CHECK(access(file, F_OK) == 0);
    world_close(&world);
}

TEST(a_missing_bind_source_is_an_error_that_names_it)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_INT(oci_mount_add(world.spec, "/data", NULL, "/no/such/source", "bind", NULL), 0);
    world_shell(&world, "true");
    CHECK_INT(world_create(&world), -ENOENT);
    CHECK_STR(
        world.err.text,
        "bind source /no/such/source: No such file or directory (step \"open bind sources\")");
    world_close(&world);
}

TEST(a_read_only_root_can_not_be_written)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    world.spec->root.readonly = true;
    const char *text =
        world_run(&world, "echo x > /file; echo y > /dev/shm/file && echo shm", NULL);
    CHECK_CONTAINS(text, "Read-only file system");
    CHECK_CONTAINS(text, "shm\n");
    world_close(&world);
}

TEST(an_overlay_keeps_changes_in_its_upper_directory)
{
    struct world world;
    char upper[96], work[96], changed[128];
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    snprintf(upper, sizeof upper, "%s/upper", world.dir);
    snprintf(work, sizeof work, "%s/work", world.dir);
    REQUIRE(mkdir(upper, 0755) == 0 && mkdir(work, 0700) == 0);
    const char *lowers[] = { world.rootfs, NULL };
    world.options.rootfs = (struct runtime_rootfs){
        .is_overlay = true, .lowers = lowers, .upper = upper, .work = work, .is_volatile = true
    };
    int root = -EBADF;
    CHECK_INT(runtime_rootfs_open(&world.options.rootfs, &root, &world.err), 0);
    world.options.root_mount = root;
    CHECK_STR(world_run(&world, "echo changed > /etc/new; cat /etc/new", NULL), "changed\n");
    snprintf(changed, sizeof changed, "%s/etc/new", upper);
    CHECK(access(changed, F_OK) == 0);
    snprintf(changed, sizeof changed, "%s/etc/new", world.rootfs);
    CHECK(access(changed, F_OK) != 0);
    close(root);
    world_close(&world);
}

/* ---- devices, masks ---- */

TEST(default_devices_and_links_and_no_others)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_STR(world_run(&world, "ls /dev", NULL),
              "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\n"
              "urandom\nzero\n");
    world_again(&world);
    CHECK_STR(world_run(&world,
                        "cd /dev; stat -c '%n %a %t:%T %u:%g' null zero full random urandom tty",
                        NULL),
              "null 666 1:3 0:0\nzero 666 1:5 0:0\nfull 666 1:7 0:0\nrandom 666 1:8 0:0\n"
              "urandom 666 1:9 0:0\ntty 666 5:0 0:0\n");
    world_close(&world);
}

TEST(devices_of_the_spec_are_made_with_mode_and_owner)
{
    struct world world;
    char path[] = "/dev/my/full";
    const struct oci_device device = { .type = OCI_DEVICE_CHAR,
                                       .path = path,
                                       .major = 1,
                                       .minor = 7,
                                       .file_mode = OCI_SOME(0640),
                                       .uid = OCI_SOME(1000),
                                       .gid = OCI_SOME(10) };
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_INT(oci_device_add(world.spec, &device), 0);
    CHECK_STR(world_run(&world, "stat -c '%a %t:%T %u:%g' /dev/my/full", NULL),
              "640 1:7 1000:10\n");
    world_close(&world);
}

TEST(the_device_cgroup_denies_what_is_not_listed)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    /* /dev/kmsg (1:11): may be made, with the capability, and not opened. */
    const uint64_t caps = oci_cap_default | UINT64_C(1) << 27;
    CHECK_INT(oci_capabilities_set(world.spec->process, caps), 0);
    const char *text = world_run(
        &world,
        "mknod /dev/kmsg c 1 11 && echo made; echo x > /dev/kmsg; head -c 3 /dev/zero | wc -c",
        NULL);
    CHECK_CONTAINS(text, "made\n");
    CHECK_CONTAINS(text, "Operation not permitted");
    CHECK_CONTAINS(text, "3\n");
    world_close(&world);
}

TEST(masked_files_are_empty_and_masked_directories_too)
{
    struct world world;
    const char *script = "cat /proc/interrupts | wc -c; ls /sys/firmware | wc -l; "
                         "ls -d /secret/* 2>/dev/null | wc -l; chmod 0 /proc/interrupts; "
                         "stat -c %a /dev/null";
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    char path[128];
    snprintf(path, sizeof path, "%s/secret", world.rootfs);
    REQUIRE(mkdir(path, 0755) == 0 && write_file(path, "key", "k", 0644));
    CHECK_INT(cl_strv_append(&world.spec->linux_.masked_paths, "/secret"), 0);
    CHECK_INT(cl_strv_append(&world.spec->linux_.masked_paths, "/not/there"), 0);
    const char *text = world_run(&world, script, NULL);
    CHECK_CONTAINS(text, "0\n0\n0\n");
    CHECK_CONTAINS(text, "Read-only file system"); /* the mask can't be used to change a node */
    CHECK_CONTAINS(text, "666\n");
    world_close(&world);
}

TEST(read_only_paths_can_be_read_and_not_written)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    const char *text = world_run(
        &world, "cat /proc/sys/kernel/hostname; echo x > /proc/sys/kernel/hostname", NULL);
    CHECK_CONTAINS(text, "box\n");
    CHECK_CONTAINS(text, "Read-only file system");
    world_close(&world);
}

/* ---- the process ---- */

TEST(capabilities_are_the_planned_ones_and_nothing_is_inheritable)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_STR(world_run(&world, "grep Cap /proc/self/status", NULL),
              "CapInh:\t0000000000000000\nCapPrm:\t00000000800405fb\nCapEff:\t00000000800405fb\n"
              "CapBnd:\t00000000800405fb\nCapAmb:\t0000000000000000\n");
    world_close(&world);
}

TEST(a_user_has_its_groups_and_no_capabilities)
{
    struct world world;
    struct oci_process *process;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    process = world.spec->process;
    process->user.uid = 1000;
    process->user.gid = 1000;
    CHECK_INT(oci_gid_add(&process->user, 10), 0);
    process->capabilities->effective.mask = process->capabilities->permitted.mask = 0;
    const char *text = world_run(
        &world, "id; grep CapEff /proc/self/status; echo again > /dev/stdout; umask", NULL);
    CHECK_CONTAINS(text, "uid=1000(alice) gid=1000(alice) groups=10(wheel)");
    CHECK_CONTAINS(text, "CapEff:\t0000000000000000\n");
    CHECK_CONTAINS(text, "again\n");
    CHECK_CONTAINS(text, "0022\n");
    world_close(&world);
}

TEST(permitted_capabilities_of_a_user_survive_the_change_and_can_be_ambient)
{
    struct world world;
    const uint64_t bind_service = UINT64_C(1) << 10;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    struct oci_capabilities *sets = world.spec->process->capabilities;
    world.spec->process->user.uid = 1000;
    sets->effective.mask = sets->permitted.mask = sets->inheritable.mask = sets->ambient.mask =
        bind_service;
    const char *text = world_run(&world, "grep Cap /proc/self/status", NULL);
    CHECK_CONTAINS(text, "CapEff:\t0000000000000400\n");
    CHECK_CONTAINS(text, "CapAmb:\t0000000000000400\n");
    world_close(&world);
}

TEST(no_new_privileges_and_a_filter_are_set)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_STR(world_run(&world, "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status", NULL),
              "NoNewPrivs:\t0\nSeccomp:\t2\n");
    world_again(&world);
    world.spec->process->no_new_privileges = true;
    CHECK_STR(world_run(&world, "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status", NULL),
              "NoNewPrivs:\t1\nSeccomp:\t2\n");
    world_again(&world);
    world.options.use_default_seccomp = false;
    CHECK_STR(world_run(&world, "grep -E 'Seccomp:' /proc/self/status", NULL), "Seccomp:\t0\n");
    world_close(&world);
}

TEST(host_name_limits_directory_and_environment)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    struct oci_process *process = world.spec->process;
    CHECK_INT(oci_rlimit_set(process, RLIMIT_NOFILE, 100, 200), 0);
    CHECK_INT(oci_string_set(&process->cwd, "/made/here"), 0);
    CHECK_INT(oci_env_set(process, "FOO=bar"), 0);
    process->oom_score_adj = (struct oci_opt_i32)OCI_SOME(500);
    process->user.umask = (struct oci_opt_u32)OCI_SOME(027);
    CHECK_INT(oci_map_set(&world.spec->linux_.sysctl, "net.ipv4.ip_forward", "1"), 0);
    CHECK_STR(world_run(&world,
                        "hostname; ulimit -n; pwd; echo $FOO; cat /proc/self/oom_score_adj; umask; "
                        "cat /proc/sys/net/ipv4/ip_forward",
                        NULL),
              "box\n100\n/made/here\nbar\n500\n0027\n1\n");
    world_close(&world);
}

TEST(signals_and_files_of_the_caller_are_not_passed_on)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    int leak = open("/etc/passwd", O_RDONLY); /* not close-on-exec, on purpose */
    sighandler_t old = signal(SIGPIPE, SIG_IGN);
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &before);
    const char *text = world_run(
        &world, "grep -E 'SigIgn|SigBlk' /proc/self/status; ls /proc/self/fd | wc -l", NULL);
    CHECK_CONTAINS(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    CHECK_CONTAINS(text, "4\n"); /* 0, 1, 2 and the directory that ls reads */
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, old);
    close(leak);
    world_close(&world);
}

/* Fewer files than we have open ourselves on the way there. */
TEST(a_low_limit_of_files_does_not_hit_us)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_INT(oci_rlimit_set(world.spec->process, RLIMIT_NOFILE, 4, 4), 0);
    CHECK_STR(world_run(&world, "ulimit -n", NULL), "4\n");
    world_close(&world);
}

TEST(the_loopback_interface_is_up)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    CHECK_CONTAINS(world_run(&world, "ip addr show lo", NULL), "inet 127.0.0.1/8");
    world_close(&world);
}

/* ---- the command ---- */

static void expect_refusal(const char *command, enum cl_kind kind, const char *text)
{
    struct world world;
    const char *const args[] = { command, NULL };
    REQUIRE(world_open(&world));
    char path[128];
    snprintf(path, sizeof path, "%s/bin", world.rootfs);
    CHECK(write_file(path, "plain", "just text", 0644));
    CHECK(write_file(path, "odd", "no program", 0755));
    CHECK(write_file(path, "lost", "#!/no/such/interpreter\n", 0755));
    CHECK_INT(oci_args_set(world.spec->process, args), 0);
    CHECK(world_start(&world) < 0);
    CHECK_INT(world.err.kind, kind);
    CHECK_CONTAINS(world.err.text, text);
    world_close(&world);
}

TEST(a_command_that_can_not_run_says_so_as_docker_does)
{
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    expect_refusal("nosuch", CL_KIND_NO_COMMAND,
                   "exec: \"nosuch\": executable file not found in $PATH");
    expect_refusal("/nosuch", CL_KIND_NO_COMMAND,
                   "exec: \"/nosuch\": stat /nosuch: no such file or directory");
    expect_refusal("/etc/passwd", CL_KIND_NOT_EXECUTABLE,
                   "exec: \"/etc/passwd\": permission denied");
    expect_refusal("/etc", CL_KIND_NOT_EXECUTABLE,
                   "exec: \"/etc\": permission denied; it is a directory");
    expect_refusal("plain", CL_KIND_NOT_EXECUTABLE, "exec: \"plain\": permission denied");
    expect_refusal("/bin/odd", CL_KIND_NOT_EXECUTABLE, "exec format error");
    expect_refusal("/bin/lost", CL_KIND_NO_COMMAND, "the interpreter that it names is not");
}

/* ---- terminal ---- */

TEST(a_terminal_is_the_containers_own)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    world.io.terminal = true;
    world.io.rows = 33;
    world.io.columns = 101;
    world_shell(&world,
                "tty; stty size; stat -c %t:%T /dev/console | head -c 3; [ -t 0 ] && echo yes; "
                "echo direct > /dev/tty; kill -0 $$ && exit 4");
    CHECK_INT(world_start(&world), 0);
    REQUIRE(world.process.console >= 0);
    CHECK_INT(world_wait(&world), 4);
    /* The master stays readable (EIO at its end) after the last slave is gone. */
    char text[4096] = "";
    size_t used = 0;
    ssize_t size;
    while ((size = read(world.process.console, text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)size;
    CHECK_CONTAINS(text, "/dev/pts/0\r\n33 101\r\n88:yes\r\ndirect\r\n");
    world_close(&world);
}

TEST_MAIN
