/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every step of a start has its sentence, in both languages, and its name goes into a trace whole. A filter that kills whoever tells the watcher something is heard of
 * before it is loaded.
 */
#include "support.h"

#include <sys/socket.h>

#include "runtime/child.h"
#include "runtime/parent.h"
#include "wire/trace.h"

static void check_steps(const struct child_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct runtime_step *step = runtime_step_find(steps[i].name);
        if (step == NULL) {
            TEST_SAY("the step \"%s\" has no sentence in src/runtime/explain.c", steps[i].name);
            continue;
        }
        CHECK(strlen(step->name) < sizeof((struct wire_trace){ 0 }.name));
        CHECK(step->calls[0] != '\0');
        CHECK(step->english[0] != '\0' && step->english[strlen(step->english) - 1] == '.');
        CHECK(strlen(step->chinese) > 3 &&
              strcmp(step->chinese + strlen(step->chinese) - 3, "。") == 0);
    }
}

TEST(each_step_of_init_has_a_sentence_in_both_languages)
{
    check_steps(init_steps, init_step_count);
}

TEST(each_step_of_exec_has_one)
{
    check_steps(exec_steps, exec_step_count);
}

TEST(the_steps_of_the_parent_have_one)
{
    static const char *const names[] = { "open root file system",
                                         "open bind sources",
                                         "make control group",
                                         "make namespaces",
                                         "open joined namespaces",
                                         "open output of hooks",
                                         "connect to the seccomp agent",
                                         "make resctrl group",
                                         "set up from outside",
                                         "tell the seccomp agent",
                                         "make process",
                                         "find the container",
                                         "plan the process",
                                         "find resctrl group",
                                         "find control group",
                                         "connect to the receiver",
                                         "start the program" };
    for (size_t i = 0; i < CL_COUNT(names); i++)
        CHECK(runtime_step_find(names[i]) != NULL);
    for (size_t i = 0; i < parent_step_count; i++)
        CHECK(runtime_step_find(parent_steps[i].name) != NULL);
    CHECK(runtime_step_find("no such step") == NULL);
}

TEST(no_sentence_is_there_twice)
{
    for (size_t i = 0; i < runtime_step_count; i++)
        CHECK(runtime_step_find(runtime_steps[i].name) == &runtime_steps[i]);
}

/* What a watcher heard of init: names in order, each with B, E or U before it. */
static void hear(int fd, char *text, size_t size)
{
    struct wire_trace packet;
    size_t used = 0;
    text[0] = '\0';
    while (recv(fd, &packet, sizeof packet, MSG_DONTWAIT) == (ssize_t)sizeof packet) {
        if (packet.is_init == 0)
            continue;
        used += (size_t)snprintf(text + used, size - used, "%c %s\n", " BEU"[packet.type & 3],
                                 packet.name);
        REQUIRE(used < size);
    }
}

static bool set_profile(struct world *world, const char *text)
{
    struct cl_json *json = NULL;
    world->options.use_default_seccomp = false;
    int result = cl_json_parse(text, strlen(text), 4096, &json, &world->err);
    if (result >= 0)
        result = oci_seccomp_decode(json, &world->spec->linux_.seccomp, &world->err);
    cl_json_unref(json);
    return result >= 0;
}

static const char silent[] =
    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"sendto\",\"recvfrom\"],"
    "\"action\":\"SCMP_ACT_KILL_PROCESS\"}]}";

TEST(a_filter_that_kills_who_tells_is_told_of_before_it_is_loaded)
{
    struct world world;
    char heard[8192];
    int ours = -1, theirs = -1;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    for (int waits = 0; waits < 2; waits++) {
        for (int is_late = 0; is_late < 2; is_late++) {
            REQUIRE(world_open(&world));
            REQUIRE(cl_socketpair(SOCK_SEQPACKET, &ours, &theirs) >= 0);
            for (int i = 0; waits && i < 100; i++)
                REQUIRE(send(ours, "y", 1, MSG_DONTWAIT) == 1);
            REQUIRE(set_profile(&world, silent));
            world.spec->process->no_new_privileges = is_late;
            world.options.die_with_parent = false; /* which asks the socket, too */
            world.options.trace_fd = theirs;
            world.options.trace_waits = waits;
            CHECK_STR(world_run(&world, "echo ran", NULL), "ran\n");
            hear(ours, heard, sizeof heard);
            CHECK_CONTAINS(heard, "E set resource limits\n");
            const char *rest = strstr(heard, "U load seccomp filter\n");
            CHECK(rest != NULL);
            CHECK_CONTAINS(rest, "U execute\n");
            CHECK((strstr(rest, "U set capabilities\n") != NULL) == !is_late);
            CHECK(strstr(rest, "\nE ") == NULL);
            CHECK((strstr(rest, "U execute\nB load seccomp filter\n") != NULL) == waits);
            CHECK(strstr(rest, "B execute") == NULL);
            (void)cl_close(ours);
            (void)cl_close(theirs);
            world_close(&world);
        }
    }
}

/* And one that allows it changes nothing. */
TEST(a_filter_that_lets_init_tell_leaves_nothing_unheard)
{
    struct world world;
    char heard[8192];
    int ours = -1, theirs = -1;
    if (cannot_run() != NULL)
        SKIP(cannot_run());
    REQUIRE(world_open(&world));
    REQUIRE(cl_socketpair(SOCK_SEQPACKET, &ours, &theirs) >= 0);
    world.options.trace_fd = theirs;
    CHECK_STR(world_run(&world, "echo ran", NULL), "ran\n");
    hear(ours, heard, sizeof heard);
    CHECK_CONTAINS(heard, "E load seccomp filter\n");
    CHECK_CONTAINS(heard, "E set capabilities\n");
    CHECK_CONTAINS(heard, "B execute\n");
    CHECK(strstr(heard, "U ") == NULL);
    (void)cl_close(ours);
    (void)cl_close(theirs);
    world_close(&world);
}

TEST_MAIN
