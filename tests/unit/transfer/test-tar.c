/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tar reader alone: names come out as the bytes that they were, and only tar is tar.
 */
#include "support.h"

static struct cl_error err;

static const char *first_name(const struct cl_buf *archive)
{
    static char name[4096];
    struct memory memory = { .archive = archive };
    CL_AUTO(tar_free) struct tar *tar = NULL;
    struct tar_entry entry;
    if (tar_open(read_memory, &memory, &tar, &err) < 0 || tar_next(tar, &entry, &err) != 1)
        return NULL;
    (void)CL_PRINT(name, "%s", entry.path);
    return name;
}

TEST(names_are_bytes)
{
    static const char *const names[] = {
        "caf\xc3\xa9",  /* UTF-8, composed */
        "cafe\xcc\x81", /* decomposed: must not be composed */
        "latin\xe9",    /* no UTF-8 at all */
        "\xe7\x84\xa1\xe6\xad\xa2\xe5\xa2\x83",
        "tab\there",
    };
    for (size_t i = 0; i < CL_COUNT(names); i++) {
        auto_archive plain = ARCHIVE_INIT, pax = ARCHIVE_INIT;
        archive_file(&plain, names[i], "x");
        archive_end(&plain);
        CHECK_STR(first_name(&plain), names[i]);
        archive_pax(&pax, "path", names[i], NULL);
        archive_file(&pax, "short", "x");
        archive_end(&pax);
        CHECK_STR(first_name(&pax), names[i]);
    }
}

TEST(long_names_of_every_kind)
{
    static char name[1000];
    for (size_t i = 0; i < sizeof name - 1; i++)
        name[i] = i % 50 == 49 ? '/' : 'n';
    auto_archive pax = ARCHIVE_INIT, gnu = ARCHIVE_INIT;
    archive_pax(&pax, "path", name, NULL);
    archive_file(&pax, "short", "x");
    archive_end(&pax);
    CHECK_STR(first_name(&pax), name);
    archive_add(&gnu, .name = "././@LongLink", .type = 'L', .data = name, .size = sizeof name);
    archive_file(&gnu, "short", "x");
    archive_end(&gnu);
    CHECK_STR(first_name(&gnu), name);
}

TEST(only_tar_is_tar)
{
    static const char cpio[] = "070701000000010000000000000000";
    static const char zip[] = "PK\003\004aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    auto_archive one = ARCHIVE_INIT, two = ARCHIVE_INIT;
    cl_buf_add(&one, cpio, sizeof cpio);
    cl_buf_add(&two, zip, sizeof zip);
    CHECK(first_name(&one) == NULL);
    CHECK_CONTAINS(err.text, "corrupt tar: this is no tar archive");
    CHECK(first_name(&two) == NULL);
    CHECK_CONTAINS(err.text, "corrupt tar: this is no tar archive");
}

TEST(an_archive_of_nothing_is_one)
{
    auto_archive archive = ARCHIVE_INIT;
    struct memory memory = { .archive = &archive };
    struct tar *tar = NULL;
    struct tar_entry entry;
    archive_end(&archive);
    CHECK_INT(tar_open(read_memory, &memory, &tar, &err), 0);
    CHECK_INT(tar_next(tar, &entry, &err), 0);
    tar_free(tar);
}

static ssize_t broken_source(void *context, const void **ret_data, struct cl_error *failure)
{
    (void)context;
    (void)ret_data;
    return cl_fail_kind(failure, CL_KIND_CORRUPT, EBADMSG, "the source's own words");
}

TEST(the_sources_failure_is_told_as_it_is)
{
    struct tar *tar = NULL;
    struct tar_entry entry;
    CHECK_INT(tar_open(broken_source, NULL, &tar, &err), 0);
    CHECK_INT(tar_next(tar, &entry, &err), -EBADMSG);
    CHECK_STR(err.text, "the source's own words");
    tar_free(tar);
}

TEST(quotes_are_safe_and_short)
{
    char quoted[TAR_QUOTE_MAX];
    static char longest[5000];
    memset(longest, 'x', sizeof longest - 1);
    tar_quote(longest, quoted);
    CHECK(strlen(quoted) < TAR_QUOTE_MAX);
    CHECK_CONTAINS(quoted, "x...x");
    tar_quote("a\nb\033", quoted);
    CHECK_STR(quoted, "a\\x0ab\\x1b");
}

TEST_MAIN
