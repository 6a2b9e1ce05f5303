/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers for real: what a program in one sees, with the engine's default spec on a root file system of busybox.
 */
#include "support.h"

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

TEST_MAIN
