/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: spellings, and which of several images a host takes. */
#include "oci/platform.h"

#include "test.h"

static void check_parse(const char *text, const char *machine, const char *expected)
{
    oci_auto_platform platform = { 0 };
    struct cl_error err = { 0 };
    if (oci_platform_parse(text, machine, &platform, &err) < 0) {
        TEST_SAY("%s is refused: %s", text, err.text);
        return;
    }
    cl_auto_free char *formatted = oci_platform_format(&platform);
    CHECK_STR(formatted, expected);
}

TEST(parsing)
{
    check_parse("linux/amd64", "aarch64", "linux/amd64");
    check_parse("linux/arm64/v8", "x86_64", "linux/arm64/v8");
    check_parse("Linux/X86_64", "x86_64", "linux/amd64");
    check_parse("linux/aarch64", "x86_64", "linux/arm64");
    check_parse("linux/armhf", "x86_64", "linux/arm/v7");
    check_parse("linux/arm/v6", "x86_64", "linux/arm/v6");
    check_parse("linux/i686", "x86_64", "linux/386");
    check_parse("arm64", "x86_64", "linux/arm64");
    check_parse("armel", "x86_64", "linux/arm/v6");
    check_parse("linux", "aarch64", "linux/arm64");
    check_parse("linux", "armv7l", "linux/arm/v7");
    check_parse("plan9/mips", "x86_64", "plan9/mips");
}

TEST(refusals)
{
    static const char *const bad[] = { "",
                                       "/",
                                       "linux/",
                                       "/amd64",
                                       "a/b/c/d",
                                       "linux amd64",
                                       "linux/amd64/",
                                       "linux//v8",
                                       "nonsense",
                                       "linux/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
    for (size_t i = 0; i < CL_COUNT(bad); i++) {
        oci_auto_platform platform = { 0 };
        struct cl_error err = { 0 };
        if (oci_platform_parse(bad[i], "x86_64", &platform, &err) != -EINVAL)
            TEST_SAY("\"%s\" is accepted", bad[i]);
        CHECK_CONTAINS(err.text, "os/architecture");
    }
}

TEST(host)
{
    oci_auto_platform platform = { 0 };
    REQUIRE(oci_platform_host("x86_64", &platform) == 0);
    CHECK_STR(platform.os, "linux");
    CHECK_STR(platform.architecture, "amd64");
    CHECK(platform.variant == NULL);
}

static int rank(const char *wanted_text, const char *candidate_text)
{
    oci_auto_platform wanted = { 0 }, candidate = { 0 };
    if (oci_platform_parse(wanted_text, "x86_64", &wanted, NULL) < 0 ||
        oci_platform_parse(candidate_text, "x86_64", &candidate, NULL) < 0)
        return -99;
    return oci_platform_rank(&wanted, &candidate);
}

TEST(exact_and_equivalent)
{
    CHECK_INT(rank("linux/amd64", "linux/amd64"), 0);
    CHECK_INT(rank("linux/amd64", "linux/amd64/v1"), 0);
    CHECK_INT(rank("linux/arm64", "linux/arm64/v8"), 0);
    CHECK_INT(rank("linux/arm64/v8", "linux/arm64"), 0);
    CHECK_INT(rank("linux/arm/v7", "linux/arm"), 0);
}

TEST(what_cannot_run)
{
    CHECK(rank("linux/amd64", "linux/arm64") < 0);
    CHECK(rank("linux/amd64", "windows/amd64") < 0);
    CHECK(rank("linux/amd64", "linux/amd64/v3") < 0);
    CHECK(rank("linux/arm/v6", "linux/arm/v7") < 0);
    CHECK(rank("linux/386", "linux/amd64") < 0);
    CHECK(rank("linux/arm", "linux/arm64") < 0);
    CHECK(rank("linux/arm64", "linux/arm64/v9") < 0);
    CHECK(rank("linux/arm64", "linux/arm/odd") < 0);
}

TEST(order_of_what_can)
{
    CHECK(rank("linux/arm/v7", "linux/arm/v6") > rank("linux/arm/v7", "linux/arm/v7"));
    CHECK(rank("linux/arm/v7", "linux/arm/v5") > rank("linux/arm/v7", "linux/arm/v6"));
    CHECK(rank("linux/arm64", "linux/arm/v8") > rank("linux/arm64", "linux/arm64"));
    CHECK(rank("linux/arm64", "linux/arm/v6") > rank("linux/arm64", "linux/arm/v7"));
    CHECK(rank("linux/amd64/v3", "linux/amd64") > rank("linux/amd64/v3", "linux/amd64/v2"));
    CHECK(rank("linux/amd64", "linux/386") > rank("linux/amd64", "linux/amd64"));
}

TEST(copy_is_whole)
{
    oci_auto_platform platform = { 0 }, copy = { 0 };
    REQUIRE(oci_platform_parse("linux/arm/v7", "x86_64", &platform, NULL) == 0);
    REQUIRE(cl_strv_append(&platform.os_features, "feature") == 0);
    REQUIRE(oci_platform_copy(&platform, &copy) == 0);
    CHECK_STR(copy.variant, "v7");
    CHECK(copy.os_version == NULL);
    CHECK(cl_strv_has((const char *const *)copy.os_features, "feature"));
}

TEST_MAIN
