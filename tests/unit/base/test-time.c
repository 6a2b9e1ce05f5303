/* SPDX-License-Identifier: Apache-2.0 */
/* Instants and the words for durations and sizes. */
#include "base/str.h"

#include "test.h"

#define SECOND 1000000000LL

static void check_time(int64_t ns, const char *expected)
{
    char text[40];
    int64_t back = -1;
    cl_format_time(ns, text);
    CHECK_STR(text, expected);
    CHECK_INT(cl_parse_time(text, &back), 0);
    CHECK_INT(back, ns);
}

TEST(instants_go_there_and_back)
{
    check_time(0, "0001-01-01T00:00:00Z");
    check_time(1, "1970-01-01T00:00:00.000000001Z");
    check_time(1700000000 * SECOND, "2023-11-14T22:13:20Z");
    check_time(1700000000 * SECOND + 120000000, "2023-11-14T22:13:20.12Z");
    check_time(951782400 * SECOND, "2000-02-29T00:00:00Z");
    check_time(-1, "1969-12-31T23:59:59.999999999Z");
    check_time(4107542399 * SECOND, "2100-02-28T23:59:59Z");
    check_time(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
}

TEST(offsets_and_long_fractions)
{
    int64_t ns = 0;
    CHECK_INT(cl_parse_time("2023-11-15T06:13:20+08:00", &ns), 0);
    CHECK_INT(ns, 1700000000 * SECOND);
    CHECK_INT(cl_parse_time("2023-11-14T17:13:20.5000000009-05:00", &ns), 0);
    CHECK_INT(ns, 1700000000 * SECOND + 500000000);
    CHECK_INT(cl_parse_time("2023-11-14t22:13:20z", &ns), 0);
    CHECK_INT(ns, 1700000000 * SECOND);
}

TEST(what_is_no_instant)
{
    int64_t ns = 5;
    static const char *const bad[] = {
        "",
        "2023",
        "2023-11-14",
        "2023-11-14T22:13:20",
        "2023-11-14 22:13:20Z",
        "2023-13-14T22:13:20Z",
        "2023-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2023-11-00T22:13:20Z",
        "2023-11-14T24:00:00Z",
        "2023-11-14T22:60:20Z",
        "2023-11-14T22:13:60Z",
        "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20Zx",
        "2023-11-14T22:13:20+8:00",
        "2023-11-14T22:13:20+0800",
        "2023-11-14T22:13:20+24:00",
    };
    for (size_t i = 0; i < CL_COUNT(bad); i++) {
        if (cl_parse_time(bad[i], &ns) != -EINVAL)
            TEST_SAY("accepted: %s", bad[i]);
    }
    CHECK_INT(cl_parse_time("2300-01-01T00:00:00Z", &ns), -ERANGE);
    CHECK_INT(cl_parse_time(NULL, &ns), -EINVAL);
    CHECK_INT(ns, 5);
}

TEST(now_is_later_than_this_test)
{
    CHECK(cl_now_ns() > 1700000000 * SECOND);
}

TEST(durations_in_dockers_words)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        { 0, "Less than a second" },
        { 1, "1 second" },
        { 45, "45 seconds" },
        { 60, "About a minute" },
        { 119, "About a minute" },
        { 120, "2 minutes" },
        { 59 * 60 + 59, "59 minutes" },
        { 3600, "About an hour" },
        { 3600 + 29 * 60, "About an hour" },
        { 3600 + 30 * 60, "2 hours" },
        { 47 * 3600, "47 hours" },
        { 48 * 3600, "2 days" },
        { 13 * 86400, "13 days" },
        { 14 * 86400, "2 weeks" },
        { 59 * 86400, "8 weeks" },
        { 60 * 86400, "2 months" },
        { 729 * 86400, "24 months" },
        { 730 * 86400, "2 years" },
        { 3650LL * 86400, "10 years" },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        char text[40];
        cl_human_duration(cases[i].seconds * SECOND, text);
        CHECK_STR(text, cases[i].text);
    }
    char text[40];
    cl_human_duration(SECOND - 1, text);
    CHECK_STR(text, "Less than a second");
    cl_human_duration(-5 * SECOND, text);
    CHECK_STR(text, "Less than a second");
}

TEST(sizes_in_dockers_words)
{
    static const struct {
        int64_t bytes;
        const char *decimal, *binary;
    } cases[] = {
        { 0, "0B", "0B" },
        { 999, "999B", "999B" },
        { 1000, "1kB", "1000B" },
        { 1024, "1.024kB", "1KiB" },
        { 7797760, "7.798MB", "7.437MiB" },
        { 268435456, "268.4MB", "256MiB" },
        { 1073741824, "1.074GB", "1GiB" },
        { INT64_MAX, "9.223EB", "8EiB" },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        char text[40];
        cl_human_size(cases[i].bytes, 4, text);
        CHECK_STR(text, cases[i].decimal);
        cl_human_bytes(cases[i].bytes, text);
        CHECK_STR(text, cases[i].binary);
    }
}

TEST(random_hex)
{
    char a[65], b[65], none[1] = "x";
    REQUIRE(cl_random_hex(a, 32) == 0 && cl_random_hex(b, 32) == 0);
    CHECK_INT(strlen(a), 64);
    CHECK_INT(strspn(a, "0123456789abcdef"), 64);
    CHECK(strcmp(a, b) != 0);
    CHECK_INT(cl_random_hex(none, 0), 0);
    CHECK_STR(none, "");
}

TEST(wide_instants_have_all_digits)
{
    char text[40];
    cl_format_time_wide(1784214092064797670, text);
    CHECK_STR(text, "2026-07-16T15:01:32.064797670Z");
    cl_format_time_wide(1784214092000000000, text);
    CHECK_STR(text, "2026-07-16T15:01:32.000000000Z");
    cl_format_time_wide(-1, text);
    CHECK_STR(text, "1969-12-31T23:59:59.999999999Z");
}

TEST_MAIN
