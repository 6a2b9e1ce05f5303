/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit-test frame: TEST(name) { … } registers itself, CHECK(…) reports and goes on, REQUIRE(…) reports and leaves the test,
 * SKIP("reason") leaves it as skipped. TEST_MAIN at the end of the file makes the program. Output is TAP 13.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void test_function(void);
struct test_entry {
    const char *name;
    test_function *function;
};

static int test_failures;
static const char *test_skip_reason;

#define TEST(test_name)                                                                            \
    static void test_##test_name(void);                                                            \
    static const struct test_entry test_entry_##test_name __attribute__((                          \
        used, section("cl_tests"), aligned(sizeof(void *)))) = { #test_name, test_##test_name };   \
    static void test_##test_name(void)

#define TEST_SAY(...)                                                                              \
    (printf("# %s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), printf("\n"), test_failures++)

#define CHECK(condition) ((condition) ? (void)0 : (void)TEST_SAY("failed: %s", #condition))
#define CHECK_INT(actual, expected)                                                                \
    do {                                                                                           \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);                \
        if (actual_ != expected_)                                                                  \
            TEST_SAY("%s is %lld, expected %lld", #actual, actual_, expected_);                    \
    } while (0)
#define CHECK_STR(actual, expected)                                                                \
    do {                                                                                           \
        const char *actual_ = (actual), *expected_ = (expected);                                   \
        if (actual_ == NULL || expected_ == NULL ? actual_ != expected_                            \
                                                 : strcmp(actual_, expected_) != 0)                \
            TEST_SAY("%s is \"%s\", expected \"%s\"", #actual, actual_ ? actual_ : "(null)",       \
                     expected_ ? expected_ : "(null)");                                            \
    } while (0)
#define CHECK_CONTAINS(actual, part)                                                               \
    do {                                                                                           \
        const char *actual_ = (actual);                                                            \
        if (actual_ == NULL || strstr(actual_, (part)) == NULL)                                    \
            TEST_SAY("%s is \"%s\", which lacks \"%s\"", #actual, actual_ ? actual_ : "(null)",    \
                     (part));                                                                      \
    } while (0)
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            TEST_SAY("required: %s", #condition);                                                  \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define SKIP(reason)                                                                               \
    do {                                                                                           \
        test_skip_reason = (reason);                                                               \
        return;                                                                                    \
    } while (0)

extern const struct test_entry __start_cl_tests[], __stop_cl_tests[];

static int test_run_all(void)
{
    int bad = 0, number = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("TAP version 13\n1..%d\n", (int)(__stop_cl_tests - __start_cl_tests));
    for (const struct test_entry *entry = __start_cl_tests; entry < __stop_cl_tests; entry++) {
        test_failures = 0;
        test_skip_reason = NULL;
        entry->function();
        number++;
        if (test_failures > 0) {
            printf("not ok %d %s\n", number, entry->name);
            bad++;
        } else if (test_skip_reason != NULL) {
            printf("ok %d %s # SKIP %s\n", number, entry->name, test_skip_reason);
        } else {
            printf("ok %d %s\n", number, entry->name);
        }
    }
    return bad > 0 ? 1 : 0;
}

#define TEST_MAIN                                                                                  \
    int main(void)                                                                                 \
    {                                                                                              \
        return test_run_all();                                                                     \
    }
