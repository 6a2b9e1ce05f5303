/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits that the kernel enforces, seen from the program that runs into them; and the files that
 * they were written to.
 */
#include "support.h"

#include <sys/sysmacros.h>

#include "runtime/parent.h"

static const char *cgroup_text(const struct world *world, const char *controller, const char *file)
{
    static char text[256];
    int fd = cgroup_fd_of(&world->process.cgroup, controller);
    text[0] = '\0';
    if (fd >= 0 && cl_read_small(fd, file, text, sizeof text) < 0)
        text[0] = '\0';
    return text;
}

static bool is_v1(const struct world *world, const char *controller)
{
    for (size_t i = 0; i < world->facts.cgroups.count; i++)
        if (cl_streq(world->facts.cgroups.hierarchies[i].controllers, controller))
            return true;
    return false;
}

static struct cgroup_hierarchy *find(struct world *world, const char *controller)
{
    return cgroup_host_find(&world->facts.cgroups, controller);
}

TEST(a_memory_limit_kills_who_passes_it)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    if (find(&world, "memory") == NULL) {
        world_close(&world);
        SKIP("needs the memory controller");
    }
    world.spec->linux_.resources.memory.limit = (struct oci_opt_i64)OCI_SOME(16 << 20);
    int code = -1;
    (void)world_run(&world, "dd if=/dev/zero of=/dev/null bs=64M count=1", &code);
    CHECK_INT(code, 137);
    uint64_t kills = 0;
    CHECK_INT(cgroup_oom_kills(&world.process.cgroup, &kills), 0);
    CHECK(kills > 0);
    world_close(&world);
}

TEST(a_limit_too_small_to_start_is_told)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    if (find(&world, "memory") == NULL) {
        world_close(&world);
        SKIP("needs the memory controller");
    }
    world.spec->linux_.resources.memory.limit = (struct oci_opt_i64)OCI_SOME(16 << 10);
    world_shell(&world, "true");
    CHECK(world_start(&world) < 0);
    CHECK_CONTAINS(world.err.text, "its memory limit is too small to start it");
    world_close(&world);
}

TEST(a_pids_limit_stops_forks)
{
    struct world world;
    int code = -1;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    if (find(&world, "pids") == NULL) {
        world_close(&world);
        SKIP("needs the pids controller");
    }
    world.spec->linux_.resources.pids_limit = (struct oci_opt_i64)OCI_SOME(4);
    const char *text =
        world_run(&world, "for i in 1 2 3 4 5 6; do sleep 1000 & done; echo not reached", &code);
    CHECK_CONTAINS(text, "can't fork");
    CHECK(code != 0);
    CHECK_STR(cgroup_text(&world, "pids", "pids.max"), "4\n");
    world_close(&world);
}

TEST(a_cpu_quota_is_written)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    if (find(&world, "cpu") == NULL) {
        world_close(&world);
        SKIP("needs the cpu controller");
    }
    world.spec->linux_.resources.cpu.quota = (struct oci_opt_i64)OCI_SOME(50000);
    world.spec->linux_.resources.cpu.period = (struct oci_opt_u64)OCI_SOME(100000);
    world.spec->linux_.resources.cpu.shares = (struct oci_opt_u64)OCI_SOME(512);
    world_shell(&world, "sleep 1000");
    CHECK_INT(world_start(&world), 0);
    if (is_v1(&world, "cpu")) {
        CHECK_STR(cgroup_text(&world, "cpu", "cpu.cfs_quota_us"), "50000\n");
        CHECK_STR(cgroup_text(&world, "cpu", "cpu.shares"), "512\n");
    } else {
        CHECK_STR(cgroup_text(&world, "cpu", "cpu.max"), "50000 100000\n");
    }
    world_close(&world);
}

TEST(a_value_that_the_kernel_refuses_names_property_and_file)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    if (find(&world, "cpuset") == NULL) {
        world_close(&world);
        SKIP("needs the cpuset controller");
    }
    CHECK_INT(oci_string_set(&world.spec->linux_.resources.cpu.cpus, "4000"), 0);
    world_shell(&world, "true");
    CHECK(world_create(&world) < 0);
    CHECK_CONTAINS(world.err.text, "linux.resources.cpu.cpus: write \"4000\" to cpuset.cpus");
    world_close(&world);
}

TEST(destroy_kills_everything_in_the_cgroup)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    /* Sharing the host's pid namespace, so that init's end alone would not end them. */
    CHECK(oci_namespace_remove(world.spec, OCI_NS_PID));
    world_shell(&world, "sleep 1000 & sleep 1000 & wait");
    CHECK_INT(world_start(&world), 0);
    CHECK_INT(runtime_destroy(&world.process, &world.err), 0);
    CHECK(!cgroup_is_left(&world));
    world_close(&world);
}

/* What a process born in the group may do with null, zero and kmsg: "1110 " is open, open, make,
   not open. */
static void try_devices(const struct cgroup *group, char *text, size_t size)
{
    int pipe_read = -EBADF, pipe_write = -EBADF, pidfd = -EBADF, status = 0;
    REQUIRE(cl_pipe(&pipe_read, &pipe_write) >= 0);
    const struct k_clone arguments = { .cgroup_fd = cgroup_v2_fd(group), .exit_signal = SIGCHLD };
    fflush(stdout);
    memset(text, 0, size);
    pid_t pid = k_clone3(&arguments, &pidfd);
    if (pid == 0) {
        bool null = open("/dev/null", O_RDWR) >= 0, zero = open("/dev/zero", O_RDONLY) >= 0;
        char node[64];
        snprintf(node, sizeof node, "/tmp/cloche-test-kmsg-%d", (int)getpid());
        bool made = mknod(node, S_IFCHR | 0600, makedev(1, 11)) == 0;
        bool opened = open(node, O_RDONLY | O_NONBLOCK) >= 0;
        int code = errno;
        (void)unlink(node);
        dprintf(pipe_write, "%d%d%d%d %s", null, zero, made, opened,
                opened || code == EPERM ? "" : strerror(code));
        _exit(0);
    }
    pipe_write = cl_close(pipe_write);
    CHECK(pid > 0 && k_wait_pidfd(pidfd, 0, &status) == 0);
    (void)cl_read_full(pipe_read, text, size - 1);
    close(pipe_read);
    close(pidfd);
}

/* v2 has no device files but a BPF program: checked on a pure v2 view, which every machine with a
   cgroup2 hierarchy can have. */
TEST(device_rules_on_cgroup_v2)
{
    struct cgroup_host host;
    struct cgroup group;
    struct cl_error err = { 0 };
    char path[64], text[64] = "";
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    cl_auto_fd proc = procfs_open_host(&err);
    REQUIRE(cgroup_host_init(&host, proc, &err) >= 0);
    struct cgroup_host pure = { .layout = CGROUP_V2 };
    for (size_t i = 0; i < host.count; i++)
        if (host.hierarchies[i].is_v2)
            pure.hierarchies[pure.count++] = host.hierarchies[i];
    if (pure.count == 0) {
        cgroup_host_done(&host);
        SKIP("needs a cgroup2 hierarchy");
    }
    snprintf(path, sizeof path, "cloche-test-%d", (int)getpid());
    REQUIRE(cgroup_make(&pure, path, true, &group, &err) >= 0);
    struct oci_spec *spec = oci_spec_new_default();
    int result = devices_apply(&group, spec->linux_.resources.devices,
                               spec->linux_.resources.device_count, &err);
    if (result < 0)
        TEST_SAY("%s", err.text);
    try_devices(&group, text, sizeof text);
    CHECK_STR(text, "1110 ");
    /* Another program instead of that one: not beside it, where the old one would still deny. */
    struct oci_device_rule rules[] = {
        { .allow = false, .type = OCI_DEVICE_ALL },
        { .allow = true, .type = OCI_DEVICE_CHAR, .major = OCI_SOME(1), .minor = OCI_SOME(11) },
        { .allow = true, .type = OCI_DEVICE_CHAR, .major = OCI_SOME(1), .minor = OCI_SOME(3) },
    };
    for (int i = 0; i < 2; i++) { /* the second time it is itself what is replaced */
        CHECK_INT(devices_replace(&group, rules, CL_COUNT(rules), &err), 0);
        try_devices(&group, text, sizeof text);
        CHECK_STR(text, "1011 ");
    }
    CHECK_INT(devices_replace(&group, rules, 1, &err), 0);
    try_devices(&group, text, sizeof text);
    CHECK(cl_starts_with(text, "0000 "));
    oci_spec_free(spec);
    cgroup_done(&group);
    CHECK_INT(cgroup_remove(&pure, path), 0);
    cgroup_host_done(&host);
}

TEST_MAIN
