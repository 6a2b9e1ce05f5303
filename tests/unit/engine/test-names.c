/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"
#include "test.h"

#include "engine/engine_private.h"

TEST(random_names_are_possible_names)
{
    char first[64], name[64];
    int different = 0;
    REQUIRE(engine_random_name(first, sizeof first) == 0);
    for (int i = 0; i < 50; i++) {
        REQUIRE(engine_random_name(name, sizeof name) == 0);
        CHECK(engine_name_check(name, NULL) == 0);
        CHECK(strchr(name, '_') != NULL);
        different += strcmp(name, first) != 0;
    }
    CHECK(different > 40);
}

TEST(names_follow_dockers_rule)
{
    static const char *const good[] = { "ab", "A1", "web-1", "a.b_c", "0x" };
    static const char *const bad[] = { "", "a", "-a", ".a", "a/b", "a b", "_x", "ä1", "a\n" };
    struct cl_error err = { 0 };
    for (size_t i = 0; i < CL_COUNT(good); i++)
        CHECK_INT(engine_name_check(good[i], &err), 0);
    for (size_t i = 0; i < CL_COUNT(bad); i++)
        CHECK(engine_name_check(bad[i], &err) < 0);
}

TEST_MAIN
