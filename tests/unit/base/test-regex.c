/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions that compile, those that are none, and those that would take all memory: refused before regcomp tries. */
#include "base/regex.h"

#include <errno.h>

#include "base/str.h"
#include "test.h"

static int compile(const char *pattern)
{
    regex_t regex;
    int result = cl_regex_compile(&regex, pattern);
    if (result >= 0)
        regfree(&regex);
    return result;
}

TEST(ordinary_ones_compile)
{
    static const char *const good[] = {
        "",         "^web-[0-9]+$", "a|b|c",        "(a+)+b",          "x{3}y{2,}z{,5}w{1,200}",
        "[]+*{9}]", "[^]a]",        "[[:alpha:]]+", "\\{99999999999}", "((((((a))))))*",
    };
    for (size_t i = 0; i < CL_COUNT(good); i++)
        CHECK_INT(compile(good[i]), 0);
    char text[2001];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    CHECK_INT(compile(text), 0);
}

TEST(what_matches)
{
    regex_t regex;
    REQUIRE(cl_regex_compile(&regex, "^a(b|c)+d$") >= 0);
    CHECK_INT(regexec(&regex, "abcbd", 0, NULL, 0), 0);
    CHECK(regexec(&regex, "ad", 0, NULL, 0) != 0);
    regfree(&regex);
}

TEST(those_that_are_none)
{
    static const char *const bad[] = { "(", "a{2,1}", "[a", "[[:nothing:]]", "[[:alpha:", "\\" };
    for (size_t i = 0; i < CL_COUNT(bad); i++)
        CHECK_INT(compile(bad[i]), -EINVAL);
    CHECK_STR(cl_regex_error(-EINVAL), "is no extended regular expression");
}

TEST(those_that_would_take_all_memory)
{
    static const char *const large[] = {
        "^s.++++++++++++++++++++++++++++++++++++++++p",
        "((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+",
        "((a{99}){99}){99}",
        ".+^s+++++*+++++!++++++p", /* hours rather than memory */
        "((((a*)*)*)*)*",
        "(((a{2,}){2,}){2,}){2,}",
        "(((a{,99}){99,}){1,99}b)",
        "a{30000}",
        "([^]]{200}[[:digit:]]{200}){200}",
    };
    for (size_t i = 0; i < CL_COUNT(large); i++)
        CHECK_INT(compile(large[i]), -E2BIG);
    char deep[200];
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    CHECK_INT(compile(deep), -E2BIG);
    CHECK_CONTAINS(cl_regex_error(-E2BIG), "repetitions");
}

TEST_MAIN
