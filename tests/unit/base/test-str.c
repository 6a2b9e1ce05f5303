/* SPDX-License-Identifier: Apache-2.0 */
/* Strings and their vectors. */
#include "base/str.h"

#include "test.h"

TEST(prefixes_and_suffixes)
{
    CHECK(cl_starts_with("sha256:x", "sha256:") && cl_starts_with("x", ""));
    CHECK(!cl_starts_with("sha", "sha256:") && !cl_starts_with(NULL, "x"));
    CHECK(cl_ends_with("a.tar", ".tar") && cl_ends_with(".tar", ".tar"));
    CHECK(!cl_ends_with("tar", ".tar") && !cl_ends_with(NULL, "x"));
    CHECK(cl_streq(NULL, NULL) && !cl_streq(NULL, "") && cl_streq("a", "a"));
}

TEST(printing_tells_of_truncation)
{
    char small[4];
    CHECK_INT(CL_PRINT(small, "%s", "abc"), 0);
    CHECK_STR(small, "abc");
    CHECK_INT(CL_PRINT(small, "%s", "abcd"), -ENAMETOOLONG);
    CHECK_STR(small, "abc");
}

TEST(numbers_are_printed)
{
    static const uint64_t numbers[] = { 0,    7,          10,         4194304,
                                        99,   UINT32_MAX, INT64_MAX,  10000000000000000000u,
                                        1000, UINT64_MAX, 1234567890, 9999999999999999999u };
    for (size_t i = 0; i < CL_COUNT(numbers); i++) {
        char text[21], expected[21];
        snprintf(expected, sizeof expected, "%llu", (unsigned long long)numbers[i]);
        CHECK_INT(cl_print_u64(numbers[i], text), strlen(expected));
        CHECK_STR(text, expected);
    }
}

TEST(vectors_grow)
{
    CL_AUTO(cl_strv_free) char **vector = NULL;
    char text[16];
    CHECK_INT(cl_strv_count(NULL), 0);
    for (int i = 0; i < 100; i++) {
        (void)CL_PRINT(text, "item%d", i);
        REQUIRE(cl_strv_append(&vector, text) == 0);
    }
    CHECK_INT(cl_strv_count((const char *const *)vector), 100);
    CHECK_STR(vector[0], "item0");
    CHECK_STR(vector[99], "item99");
    CHECK(vector[100] == NULL);
    CHECK(cl_strv_has((const char *const *)vector, "item42"));
    CHECK(!cl_strv_has((const char *const *)vector, "item") && !cl_strv_has(NULL, "x"));
    CHECK_INT(cl_strv_append_take(&vector, NULL), -ENOMEM);
}

TEST(a_vector_of_exact_size_can_grow)
{
    CL_AUTO(cl_strv_free) char **vector = cl_calloc(4, sizeof(char *));
    for (int i = 0; i < 3; i++)
        vector[i] = cl_strdup("x");
    CHECK_INT(cl_strv_append(&vector, "y"), 0); /* a sanitizer build sees a write behind the end */
    CHECK_STR(vector[3], "y");
}

TEST(vectors_are_copied_deep)
{
    const char *const words[] = { "a", "b", NULL };
    CL_AUTO(cl_strv_free) char **copy = NULL;
    REQUIRE(cl_strv_copy(&copy, words) == 0);
    CHECK_STR(copy[1], "b");
    CHECK(copy[1] != words[1]);
    CL_AUTO(cl_strv_free) char **none = NULL;
    CHECK_INT(cl_strv_copy(&none, NULL), 0);
    CHECK_INT(cl_strv_count((const char *const *)none), 0);
}

TEST(environments)
{
    CL_AUTO(cl_strv_free) char **vector = NULL;
    CHECK_INT(cl_env_set(&vector, "PATH=/bin"), 0);
    CHECK_INT(cl_env_set(&vector, "PATHS=/x"), 0);
    CHECK_INT(cl_env_set(&vector, "PATH=/usr/bin"), 0);
    CHECK_INT(cl_env_set(&vector, "EMPTY="), 0);
    CHECK_INT(cl_env_set(&vector, "=x"), -EINVAL);
    const char *const *env = (const char *const *)vector;
    CHECK_INT(cl_strv_count(env), 3);
    CHECK_STR(cl_env_get(env, "PATH"), "/usr/bin");
    CHECK_STR(cl_env_get(env, "PATHS"), "/x");
    CHECK_STR(cl_env_get(env, "EMPTY"), "");
    CHECK(cl_env_get(env, "PAT") == NULL && cl_env_get(NULL, "x") == NULL);
}

TEST_MAIN
