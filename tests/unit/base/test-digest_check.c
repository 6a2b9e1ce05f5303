/* SPDX-License-Identifier: Apache-2.0 */
/* What passes as a digest goes into paths, so everything else must not. */
#include "base/digest.h"

#include "test.h"

#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

TEST(good_ones)
{
    CHECK(cl_digest_is_valid("sha256:" HEX64));
    CHECK(cl_digest_is_valid("sha512:" HEX64 HEX64));
}

TEST(all_others)
{
    static const char *const bad[] = {
        "",
        "sha256:",
        HEX64,
        "sha256:" HEX64 "0",
        "sha256:" HEX64 "\n",
        "sha256:../../../../../../../../../../../../../../../../../../../../../etc",
        "sha512:" HEX64,
        "sha384:" HEX64,
        "SHA256:" HEX64,
        "sha256:E3B0C44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
        " sha256:" HEX64,
        "sha256-" HEX64,
    };
    for (size_t i = 0; i < CL_COUNT(bad); i++) {
        if (cl_digest_is_valid(bad[i]))
            TEST_SAY("accepted: %s", bad[i]);
    }
    CHECK(!cl_digest_is_valid(NULL));
}

TEST_MAIN
