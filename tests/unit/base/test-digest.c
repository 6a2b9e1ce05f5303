/* SPDX-License-Identifier: Apache-2.0 */
/* Digests against FIPS 180's examples, and the strict check. */
#include "base/digest.h"

#include "test.h"

#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC   "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

TEST(known_digests)
{
    char digest[CL_DIGEST_MAX];
    CHECK_INT(cl_digest_of("", 0, digest), 0);
    CHECK_STR(digest, EMPTY);
    CHECK_INT(cl_digest_of("abc", 3, digest), 0);
    CHECK_STR(digest, ABC);
}

TEST(pieces_and_reuse)
{
    CL_AUTO(cl_hash_free) struct cl_hash *hash = NULL;
    char digest[CL_DIGEST_MAX];
    REQUIRE(cl_hash_new("sha256", &hash) == 0);
    cl_hash_add(hash, "a", 1);
    cl_hash_add(hash, "bc", 2);
    CHECK_INT(cl_hash_finish(hash, digest), 0);
    CHECK_STR(digest, ABC);
    CHECK_INT(cl_hash_finish(hash, digest), 0);
    CHECK_STR(digest, EMPTY);
}

TEST(sha512_and_the_unknown)
{
    CL_AUTO(cl_hash_free) struct cl_hash *hash = NULL;
    char digest[CL_DIGEST_MAX];
    CHECK_INT(cl_hash_new("md5", &hash), -EOPNOTSUPP);
    CHECK(hash == NULL);
    REQUIRE(cl_hash_new("sha512", &hash) == 0);
    cl_hash_add(hash, "abc", 3);
    CHECK_INT(cl_hash_finish(hash, digest), 0);
    CHECK_STR(digest,
              "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a27"
              "4fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    CHECK(cl_digest_is_valid(digest));
}

TEST_MAIN
