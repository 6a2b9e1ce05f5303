/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, sizes and durations: what Docker's users may write, and that nothing else is let through. */
#include "base/str.h"

#include "test.h"

TEST(unsigned_numbers)
{
    uint64_t value = 7;
    CHECK_INT(cl_parse_u64("18446744073709551615", 0, UINT64_MAX, &value), 0);
    CHECK(value == UINT64_MAX);
    CHECK_INT(cl_parse_u64("007", 0, 10, &value), 0);
    CHECK_INT(value, 7);
    static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x10", "1.0", "a", "1a" };
    for (size_t i = 0; i < CL_COUNT(bad); i++)
        CHECK_INT(cl_parse_u64(bad[i], 0, 100, &value), -EINVAL);
    CHECK_INT(cl_parse_u64(NULL, 0, 100, &value), -EINVAL);
    CHECK_INT(cl_parse_u64("18446744073709551616", 0, UINT64_MAX, &value), -ERANGE);
    CHECK_INT(cl_parse_u64("4", 5, 10, &value), -ERANGE);
    CHECK_INT(cl_parse_u64("11", 5, 10, &value), -ERANGE);
    CHECK_INT(value, 7);
}

TEST(signed_numbers)
{
    int64_t value = 7;
    CHECK_INT(cl_parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &value), 0);
    CHECK(value == INT64_MIN);
    CHECK_INT(cl_parse_i64("-0", -1, 1, &value), 0);
    CHECK_INT(value, 0);
    CHECK_INT(cl_parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &value), -ERANGE);
    CHECK_INT(cl_parse_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &value), -ERANGE);
    CHECK_INT(cl_parse_i64("-", -1, 1, &value), -EINVAL);
    CHECK_INT(cl_parse_i64("--1", -1, 1, &value), -EINVAL);
    CHECK_INT(value, 0);
}

TEST(process_ids)
{
    pid_t pid = 7;
    CHECK_INT(cl_parse_pid("1", &pid), 0);
    CHECK_INT(pid, 1);
    CHECK_INT(cl_parse_pid("0", &pid), -ERANGE);
    CHECK_INT(cl_parse_pid("-1", &pid), -EINVAL);
    CHECK_INT(cl_parse_pid("2147483648", &pid), -ERANGE);
}

TEST(bytes)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {
        { "0", 0 },
        { "32", 32 },
        { "32b", 32 },
        { "32B", 32 },
        { "32k", 32768 },
        { "32K", 32768 },
        { "32kb", 32768 },
        { "32KiB", 32768 },
        { "512m", 536870912 },
        { "1.5g", 1610612736 },
        { "1.1g", 1181116006 },
        { "64 MiB", 67108864 },
        { "1t", 1099511627776 },
        { "1p", 1125899906842624 },
        { "2.", 2 },
        { "0.5b", 0 },
        { "9223372036854775807", INT64_MAX },
    };
    for (size_t i = 0; i < CL_COUNT(good); i++) {
        int64_t bytes = -1;
        if (cl_parse_bytes(good[i].text, &bytes) != 0 || bytes != good[i].bytes)
            TEST_SAY("%s gives %lld", good[i].text, (long long)bytes);
    }
    static const char *const bad[] = { "",   "m",    "-1",  "+1",  "1x",  "1kx", "1kbb",  "1  k",
                                       " 1", "1 k ", "1bb", "1ib", "1kk", ".5",  "1.5.5", "1e3" };
    for (size_t i = 0; i < CL_COUNT(bad); i++) {
        int64_t bytes = -1;
        if (cl_parse_bytes(bad[i], &bytes) != -EINVAL || bytes != -1)
            TEST_SAY("%s gives %lld", bad[i], (long long)bytes);
    }
    int64_t bytes = -1;
    CHECK_INT(cl_parse_bytes("9223372036854775808", &bytes), -ERANGE);
    CHECK_INT(cl_parse_bytes("99999999999999999999k", &bytes), -ERANGE);
    CHECK_INT(cl_parse_bytes("9000p", &bytes), -ERANGE);
    CHECK_INT(bytes, -1);
}

TEST(cpus)
{
    int64_t nano = -1;
    CHECK_INT(cl_parse_nano("1.5", &nano), 0);
    CHECK_INT(nano, 1500000000);
    CHECK_INT(cl_parse_nano("0.000000001", &nano), 0);
    CHECK_INT(nano, 1);
    CHECK_INT(cl_parse_nano("2", &nano), 0);
    CHECK_INT(nano, 2000000000);
    CHECK_INT(cl_parse_nano(".5", &nano), 0);
    CHECK_INT(nano, 500000000);
    CHECK_INT(cl_parse_nano("0.10000000000000000000000", &nano), 0);
    CHECK_INT(nano, 100000000);
    CHECK_INT(cl_parse_nano("0.0000000001", &nano), -ERANGE);
    CHECK_INT(cl_parse_nano("0.0000000000000000000001", &nano), -ERANGE);
    CHECK_INT(cl_parse_nano("10000000000", &nano), -ERANGE);
    static const char *const bad[] = { "", ".", "-1", "a", "1,5", "1.5x", "1e3" };
    for (size_t i = 0; i < CL_COUNT(bad); i++)
        CHECK_INT(cl_parse_nano(bad[i], &nano), -EINVAL);
    CHECK_INT(nano, 100000000);
}

TEST(durations)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        { "0", 0 },
        { "5s", 5000000000 },
        { "1m30s", 90000000000 },
        { "250ms", 250000000 },
        { "-1.5h", -5400000000000 },
        { "+2us", 2000 },
        { "3\302\265s", 3000 },
        { "3\316\274s", 3000 },
        { "7ns", 7 },
        { ".5s", 500000000 },
        { "1.s", 1000000000 },
    };
    for (size_t i = 0; i < CL_COUNT(good); i++) {
        int64_t ns = -1;
        if (cl_parse_duration(good[i].text, &ns) != 0 || ns != good[i].ns)
            TEST_SAY("%s gives %lld", good[i].text, (long long)ns);
    }
    int64_t ns = -1;
    static const char *const bad[] = { "", "-", "5", "s", ".s", "5x", "1h 2m", "1d", "5s3" };
    for (size_t i = 0; i < CL_COUNT(bad); i++)
        CHECK_INT(cl_parse_duration(bad[i], &ns), -EINVAL);
    CHECK_INT(cl_parse_duration("9999999999h", &ns), -ERANGE);
    CHECK_INT(cl_parse_duration("2562047h2562047h", &ns), -ERANGE);
    CHECK_INT(ns, -1);
}

TEST_MAIN
