/* SPDX-License-Identifier: Apache-2.0 */
/* Image references: what is normalised to what, what is refused and with which words. */
#include "oci/reference.h"

#include "base/str.h"
#include "test.h"

#define HEX64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX64

TEST(normal_and_familiar_forms)
{
    static const struct {
        const char *text;
        const char *normal;
        const char *familiar;
    } cases[] = {
        { "alpine", "docker.io/library/alpine:latest", "alpine:latest" },
        { "alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20" },
        { "docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest" },
        { "docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest" },
        { "index.docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest" },
        { "library/alpine", "docker.io/library/alpine:latest", "alpine:latest" },
        { "library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest" },
        { "me/app", "docker.io/me/app:latest", "me/app:latest" },
        { "cloche/busybox:latest", "docker.io/cloche/busybox:latest", "cloche/busybox:latest" },
        { "localhost/app", "localhost/app:latest", "localhost/app:latest" },
        { "localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1" },
        { "quay.io/x/y/z", "quay.io/x/y/z:latest", "quay.io/x/y/z:latest" },
        { "host:5000/app", "host:5000/app:latest", "host:5000/app:latest" },
        { "HOST/app", "HOST/app:latest", "HOST/app:latest" },
        { "127.0.0.1/app", "127.0.0.1/app:latest", "127.0.0.1/app:latest" },
        { "[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest" },
        { "[fe80::1]/app", "[fe80::1]/app:latest", "[fe80::1]/app:latest" },
        { "a-b.example/app", "a-b.example/app:latest", "a-b.example/app:latest" },
        { "docker.io/a.example/b", "docker.io/a.example/b:latest", "docker.io/a.example/b:latest" },
        { "docker.io/localhost/b", "docker.io/localhost/b:latest", "docker.io/localhost/b:latest" },
        { "localhost", "docker.io/library/localhost:latest", "localhost:latest" },
        { "host:5000", "docker.io/library/host:5000", "host:5000" },
        { "a__b-c--d/x.y_z", "docker.io/a__b-c--d/x.y_z:latest", "a__b-c--d/x.y_z:latest" },
        { "app:A_b.C-1", "docker.io/library/app:A_b.C-1", "app:A_b.C-1" },
        { "app:_x", "docker.io/library/app:_x", "app:_x" },
        { "app@" DIGEST, "docker.io/library/app@" DIGEST, "app@" DIGEST },
        { "app:1@" DIGEST, "docker.io/library/app:1@" DIGEST, "app:1@" DIGEST },
        { "host:1/app@" DIGEST, "host:1/app@" DIGEST, "host:1/app@" DIGEST },
        { HEX64 ":tag", "docker.io/library/" HEX64 ":tag", HEX64 ":tag" },
        { "library/" HEX64, "docker.io/library/" HEX64 ":latest", HEX64 ":latest" },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        struct oci_reference reference;
        struct cl_error err = { 0 };
        char text[OCI_REFERENCE_MAX];
        if (oci_reference_parse(cases[i].text, &reference, &err) < 0) {
            TEST_SAY("%s is refused: %s", cases[i].text, err.text);
            continue;
        }
        oci_reference_default_tag(&reference);
        oci_reference_string(&reference, text);
        CHECK_STR(text, cases[i].normal);
        oci_reference_familiar(&reference, text);
        CHECK_STR(text, cases[i].familiar);
    }
}

static void check_refused(const char *text, const char *why)
{
    struct oci_reference reference = { .path = "untouched" };
    struct cl_error err = { 0 };
    int r = oci_reference_parse(text, &reference, &err);
    if (r != -EINVAL)
        TEST_SAY("\"%s\" gives %d", text, r);
    CHECK_CONTAINS(err.text, why);
    CHECK_INT(err.kind, CL_KIND_INVALID);
    CHECK_STR(reference.path, "untouched");
}

TEST(refused_with_the_reason)
{
    check_refused("", "is empty");
    check_refused("Alpine", "must be lower case");
    check_refused("docker.io/Library/alpine", "must be lower case");
    check_refused("ALPINE:3", "must be lower case");
    check_refused(HEX64, "an ID, not a name");
    check_refused("alpine:", "the tag after : is not valid");
    check_refused("alpine:-x", "the tag after : is not valid");
    check_refused("alpine:.x", "the tag after : is not valid");
    check_refused("alpine:a b", "the tag after : is not valid");
    check_refused("alpine:1:2", "the tag after : is not valid");
    check_refused("alpine@", "the digest after @ is not valid");
    check_refused("alpine@sha256:abc", "the digest after @ is not valid");
    check_refused("alpine@sha256:" HEX64 "0", "the digest after @ is not valid");
    check_refused("alpine@SHA256:" HEX64, "the digest after @ is not valid");
    check_refused("alpine@md5:0123456789abcdef0123456789abcdef", "the digest after @ is not valid");
    check_refused("alpine@" DIGEST "@" DIGEST, "the digest after @ is not valid");
    check_refused("@" DIGEST, "name is missing");
    check_refused(":tag", "name is missing");
    check_refused("quay.io/", "name is missing");
    check_refused("/alpine", "may hold");
    check_refused("a//b", "may hold");
    check_refused("a/", "may hold");
    check_refused("-a", "may hold");
    check_refused("a-", "may hold");
    check_refused("a_._b", "may hold");
    check_refused("a___b", "may hold");
    check_refused("a__b.c/x", "not the name of a registry");
    check_refused("a..b/c/../d", "not the name of a registry");
    check_refused("a/../b", "may hold");
    check_refused("../../etc/passwd", "not the name of a registry");
    check_refused("-host.example/app", "not the name of a registry");
    check_refused("host-.example/app", "not the name of a registry");
    check_refused("host:/app", "not the name of a registry");
    check_refused("host:port/app", "not the name of a registry");
    check_refused("[::1/app", "not the name of a registry");
    check_refused("[::1%eth0]:5000/app", "not the name of a registry");
    check_refused("host.example:5000:6000/app", "not the name of a registry");
    check_refused("https://host.example/app", "not the name of a registry");
    check_refused("al pine", "may hold");
    check_refused("alpine\n", "may hold");
    check_refused("alp\xc3\xadne", "may hold");
}

TEST(messages_are_safe_for_a_terminal)
{
    struct oci_reference reference;
    struct cl_error err = { 0 };
    CHECK_INT(oci_reference_parse("a\033[31mb", &reference, &err), -EINVAL);
    CHECK(strchr(err.text, '\033') == NULL);
}

TEST(lengths)
{
    struct oci_reference reference;
    struct cl_error err = { 0 };
    char text[2048];
    memset(text, 'a', sizeof text);
    memcpy(text, "x/", 2); /* docker.io/x/aaa…: the path has 255 */
    text[255] = '\0';
    CHECK_INT(oci_reference_parse(text, &reference, &err), 0);
    text[255] = 'a';
    text[256] = '\0';
    CHECK_INT(oci_reference_parse(text, &reference, &err), -EINVAL);
    CHECK_CONTAINS(err.text, "longer than 255");

    memset(text, 't', sizeof text);
    memcpy(text, "x:", 2);
    text[2 + 128] = '\0';
    CHECK_INT(oci_reference_parse(text, &reference, &err), 0);
    CHECK_INT(strlen(reference.tag), 128);
    text[2 + 128] = 't';
    text[2 + 129] = '\0';
    CHECK_INT(oci_reference_parse(text, &reference, &err), -EINVAL);
    CHECK_CONTAINS(err.text, "longer than 128");

    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    CHECK_INT(oci_reference_parse(text, &reference, &err), -EINVAL);
    CHECK_CONTAINS(err.text, "too long");
}

TEST(comparing)
{
    struct oci_reference a, b;
    REQUIRE(oci_reference_parse("alpine:1", &a, NULL) == 0);
    REQUIRE(oci_reference_parse("docker.io/library/alpine:2", &b, NULL) == 0);
    CHECK(oci_reference_same_repository(&a, &b));
    CHECK(!oci_reference_equal(&a, &b));
    CHECK_INT(oci_reference_set_tag(&b, "1", NULL), 0);
    CHECK(oci_reference_equal(&a, &b));
    CHECK_INT(oci_reference_set_digest(&b, DIGEST, NULL), 0);
    CHECK(!oci_reference_equal(&a, &b));
    CHECK_INT(oci_reference_set_tag(&b, "no good", NULL), -EINVAL);
    CHECK_INT(oci_reference_set_digest(&b, "sha256:1", NULL), -EINVAL);
    CHECK_STR(b.tag, "1");
    REQUIRE(oci_reference_parse("quay.io/library/alpine:1", &b, NULL) == 0);
    CHECK(!oci_reference_same_repository(&a, &b));
}

TEST(a_digest_needs_no_tag)
{
    struct oci_reference reference;
    REQUIRE(oci_reference_parse("alpine@" DIGEST, &reference, NULL) == 0);
    oci_reference_default_tag(&reference);
    CHECK_STR(reference.tag, "");
}

TEST(ids)
{
    CHECK(oci_id_is_full(HEX64));
    CHECK(!oci_id_is_full(HEX64 "0"));
    CHECK(!oci_id_is_full("abc"));
    CHECK(oci_id_is_prefix("abc"));
    CHECK(oci_id_is_prefix(HEX64));
    CHECK(oci_id_is_prefix("sha256:abc"));
    CHECK(!oci_id_is_prefix(""));
    CHECK(!oci_id_is_prefix("sha256:"));
    CHECK(!oci_id_is_prefix("ABC"));
    CHECK(!oci_id_is_prefix("xyz"));
}

TEST_MAIN
