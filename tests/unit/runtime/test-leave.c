/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that is started by another process than the one that created it (runtime_leave).
 */
#include "support.h"

#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un address_of(const struct world *world)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s/start", world->dir);
    return address;
}

static int listen_in(const struct world *world)
{
    struct sockaddr_un address = address_of(world);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(fd, 8) < 0)
        return -errno;
    return fd;
}

static int connect_to(const struct world *world)
{
    struct sockaddr_un address = address_of(world);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    return fd;
}

/* Created, with its creator gone. */
static bool create_and_leave(struct world *world)
{
    world->options.die_with_parent = false;
    int listener = world->options.start_listener = listen_in(world);
    bool is_good = listener >= 0 && world_create(world) >= 0 &&
                   runtime_leave(&world->process, &world->err) >= 0 && world->process.sync < 0;
    if (!is_good)
        TEST_SAY("create: %s", world->err.text);
    close(listener);
    return is_good;
}

TEST(whoever_connects_starts_it)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    world_shell(&world, "echo started");
    REQUIRE(create_and_leave(&world));
    struct pollfd silence = { .fd = world.out_read, .events = POLLIN };
    CHECK_INT(poll(&silence, 1, 0), 0);
    world.process.sync = connect_to(&world);
    CHECK(world.process.sync >= 0);
    CHECK_INT(runtime_start(&world.process, &world.err), 0);
    CHECK_STR(read_all(world.out_read), "started\n");
    CHECK_INT(world_wait(&world), 0);
    CHECK_INT(connect_to(&world), -ECONNREFUSED); /* nobody waits any more */
    world_close(&world);
}

TEST(a_connection_without_a_word_is_no_start)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    world_shell(&world, "echo started");
    REQUIRE(create_and_leave(&world));
    for (int i = 0; i < 3; i++) {
        int fd = connect_to(&world);
        CHECK(fd >= 0);
        close(fd);
    }
    world.process.sync = connect_to(&world);
    CHECK_INT(runtime_start(&world.process, &world.err), 0);
    CHECK_STR(read_all(world.out_read), "started\n");
    world_close(&world);
}

TEST(a_failing_start_is_heard_by_the_starter)
{
    struct world world;
    char path[128];
    const char *const args[] = { "/text", NULL }; /* may be executed, and is no program */
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    (void)CL_PRINT(path, "%s/text", world.rootfs);
    cl_auto_fd file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    REQUIRE(file >= 0 && write(file, "text", 4) == 4);
    file = cl_close(file);
    (void)oci_args_set(world.spec->process, args);
    REQUIRE(create_and_leave(&world));
    world.process.sync = connect_to(&world);
    CHECK(runtime_start(&world.process, &world.err) < 0);
    CHECK_INT(world.err.kind, CL_KIND_NOT_EXECUTABLE);
    CHECK(strstr(world.err.text, "/text") != NULL);
    CHECK_INT(world_wait(&world), 126);
    world_close(&world);
}

TEST(a_file_that_nobody_may_execute_is_heard_by_the_creator)
{
    struct world world;
    const char *const args[] = { "/etc/passwd", NULL };
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    (void)oci_args_set(world.spec->process, args);
    int listener = world.options.start_listener = listen_in(&world);
    CHECK(world_create(&world) < 0);
    CHECK_INT(world.err.kind, CL_KIND_NOT_EXECUTABLE);
    CHECK(strstr(world.err.text, "permission denied") != NULL);
    close(listener);
    world_close(&world);
}

TEST(a_missing_program_is_heard_by_the_creator)
{
    static const char *const names[] = { "/bin/missing", "missing" };
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    for (size_t i = 0; i < CL_COUNT(names); i++) {
        const char *const args[] = { names[i], NULL };
        REQUIRE(world_open(&world));
        (void)oci_args_set(world.spec->process, args);
        int listener = world.options.start_listener = listen_in(&world);
        CHECK(world_create(&world) < 0);
        CHECK_INT(world.err.kind, CL_KIND_NO_COMMAND);
        CHECK(strstr(world.err.text, names[i]) != NULL);
        close(listener);
        world_close(&world);
    }
}

TEST(a_creator_that_dies_before_it_leaves_takes_init_with_it)
{
    struct world world;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    world_shell(&world, "echo started");
    world.options.die_with_parent = false;
    int listener = world.options.start_listener = listen_in(&world);
    REQUIRE(world_create(&world) >= 0);
    close(listener);
    world.process.sync = cl_close(world.process.sync); /* all that init would see of it */
    CHECK_INT(world_wait(&world), 125);
    CHECK_STR(read_all(world.out_read), "");
    world_close(&world);
}

TEST_MAIN
