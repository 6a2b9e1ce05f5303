/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filter expressions over one made-up row: NS 4026531836, TYPE pid, NPROCS 3, PID 17, PPID 1, COMMAND "sleep 1000", NETNSID empty.
 */
#include "lens/filter.h"
#include "test.h"

static int ask_with_needs(const char *text, unsigned *ret_needs)
{
    struct lens_process process = {
        .pid = 17, .host_pid = 17, .parent = 1, .uid = 0, .command = "sleep 1000", .name = "sleep"
    };
    struct lens_namespace ns = {
        .inode = 4026531836U, .type = K_NS_PID, .process_count = 3, .netnsid = LENS_NETNSID_UNKNOWN
    };
    struct lens_snapshot snapshot = {
        .processes = &process, .process_count = 1, .namespaces = &ns, .namespace_count = 1
    };
    struct lens_directory directory = { 0 };
    struct lens_sight sight = { .snapshot = &snapshot, .directory = &directory };
    struct lens_row row = { 0, 0 };
    struct cl_error err = { 0 };
    CL_AUTO(lens_filter_free) struct lens_filter *filter = NULL;
    int code = lens_filter_parse(text, &filter, &err);
    if (code < 0) {
        CHECK_CONTAINS(err.text, "filter: ");
        CHECK_INT(err.kind, CL_KIND_USAGE);
        return code;
    }
    if (ret_needs != NULL)
        *ret_needs = lens_filter_needs(filter);
    return lens_filter_match(filter, &sight, &row);
}

static int ask(const char *text)
{
    return ask_with_needs(text, NULL);
}

TEST(compares_numbers_and_texts)
{
    CHECK_INT(ask("PID == 17"), 1);
    CHECK_INT(ask("PID != 17"), 0);
    CHECK_INT(ask("pid ge 17 and pid le 17"), 1);
    CHECK_INT(ask("NPROCS > 2 && NPROCS < 4"), 1);
    CHECK_INT(ask("NPROCS > 2.5"), 1);
    CHECK_INT(ask("NS > 3G"), 1);
    CHECK_INT(ask("NS < 4GiB"), 1);
    CHECK_INT(ask("TYPE == \"pid\""), 1);
    CHECK_INT(ask("TYPE eq 'net'"), 0);
    CHECK_INT(ask("PID == \"17\""), 1);
    CHECK_INT(ask("PID > PPID"), 1);
    CHECK_INT(ask("TYPE > 5"), 0);
    CHECK_INT(ask("TYPE != 5"), 1);
}

TEST(precedence_is_or_and_comparison_not)
{
    CHECK_INT(ask("PID == 17 or PID == 1 and PID == 2"), 1);
    CHECK_INT(ask("(PID == 17 or PID == 1) and PID == 2"), 0);
    CHECK_INT(ask("!(PID == 1)"), 1);
    CHECK_INT(ask("NOT (PID == 17) || TYPE == 'pid'"), 1);
    CHECK_INT(ask("!NETNSID && PID"), 1);
}

/* As libsmartcols has it: of an empty cell nothing is true that is about numbers; among texts it comes before every other. */
TEST(empty_cells)
{
    CHECK_INT(ask("NETNSID"), 0);
    CHECK_INT(ask("NETNSID == 0"), 0);
    CHECK_INT(ask("NETNSID < 5"), 0);
    CHECK_INT(ask("NETNSID != 5"), 0);
    CHECK_INT(ask("NETNSID != '5'"), 1);
    CHECK_INT(ask("NETNSID < '5'"), 1);
    CHECK_INT(ask("NETNSID > '5'"), 0);
    CHECK_INT(ask("NETNSID == ''"), 0);
    CHECK_INT(ask("true"), 1);
    CHECK_INT(ask("FALSE"), 0);
    CHECK_INT(ask("0"), 0);
    CHECK_INT(ask("''"), 0);
}

TEST(matches_patterns)
{
    CHECK_INT(ask("COMMAND =~ '^sle+p [0-9]+$'"), 1);
    CHECK_INT(ask("COMMAND !~ 'sleep'"), 0);
    CHECK_INT(ask("NETNSID =~ '^$'"), 1);
}

TEST(says_what_it_needs)
{
    unsigned needs = 0;
    (void)ask_with_needs("NETNSID != 1 or ONS == 2", &needs);
    CHECK_INT(needs, LENS_NEED_NETNSID | LENS_NEED_RELATIONS);
}

TEST(refuses_what_it_cannot_read)
{
    static const char *const bad[] = {
        "",
        "PID ==",
        "== 1",
        "BOGUS == 1",
        "(PID == 1",
        "PID == 1)",
        "PID 1",
        "TYPE == \"pid",
        "PID = 17",
        "COMMAND =~ PID",
        "17x == 1",
        "COMMAND =~ '['",
        "PID == 1 and",
        "!",
        "&&",
        "PID == 1 OR OR 1",
        "TYPE == 'a' 'b'",
    };
    for (size_t i = 0; i < CL_COUNT(bad); i++) {
        int code = ask(bad[i]);
        if (code >= 0)
            TEST_SAY("'%s' was accepted", bad[i]);
    }
}

TEST(is_bounded)
{
    char text[2048] = { 0 };
    memset(text, '(', 1000);
    CHECK(ask(text) < 0);
    memset(text, '!', 1000);
    CHECK(ask(text) < 0);
    memset(text, ' ', sizeof text - 1);
    CHECK(ask(text) < 0);
    for (size_t i = 0; i < 130; i++) /* too many terms */
        memcpy(text + 3 * i, i == 129 ? "1" : "1&&", i == 129 ? 2 : 3);
    CHECK(ask(text) < 0);
}

TEST_MAIN
