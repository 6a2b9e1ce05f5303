/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: tree and list, only containers, filter, order, and parents that are not there or go in circles. */
#include "glass/rows.h"

#include "support.h"

/* "pid:depth" of each row, "!" behind those that are no match; owned. */
static char *summary(const struct glass_rows *rows)
{
    cl_auto_buf text = CL_BUF_INIT(1 << 16);
    for (size_t i = 0; i < rows->count; i++)
        cl_buf_printf(&text, "%s%d:%u%s", i == 0 ? "" : " ", (int)rows->rows[i].process->pid,
                      rows->rows[i].depth, rows->rows[i].is_match ? "" : "!");
    return cl_buf_take(&text);
}

static void check_rows(const struct fake *fake, struct glass_choice choice, const char *expected)
{
    struct glass_rows rows = { 0 };
    CHECK_INT(glass_rows_build(&rows, &fake->world, &choice), 0);
    cl_auto_free char *text = summary(&rows);
    CHECK_STR(text, expected);
    glass_rows_done(&rows);
}

TEST(the_tree)
{
    struct fake fake;
    fake_machine(&fake);
    check_rows(&fake, (struct glass_choice){ 0 }, "1:0 40:1 41:2 50:1 51:2 52:3 60:1 61:2");
    check_rows(&fake, (struct glass_choice){ .with_kernel = true },
               "1:0 40:1 41:2 50:1 51:2 52:3 60:1 61:2 2:0");
}

TEST(the_lines_of_the_tree)
{
    struct fake fake;
    struct glass_rows rows = { 0 };
    struct glass_choice choice = { 0 };
    fake_machine(&fake);
    CHECK_INT(glass_rows_build(&rows, &fake.world, &choice), 0);
    REQUIRE(rows.count == 8);
    CHECK_INT(rows.rows[1].more >> 1 & 1, 1); /* 40: 50 follows */
    CHECK_INT(rows.rows[2].more >> 1 & 1, 1); /* 41: its parent's line goes on */
    CHECK_INT(rows.rows[2].more >> 2 & 1, 0);
    CHECK_INT(rows.rows[6].more >> 1 & 1, 0); /* 60 is the last */
    glass_rows_done(&rows);
}

TEST(the_list)
{
    struct fake fake;
    fake_machine(&fake);
    check_rows(&fake, (struct glass_choice){ .is_list = true },
               "1:0 40:0 41:0 50:0 51:0 52:0 60:0 61:0");
}

TEST(only_containers)
{
    struct fake fake;
    fake_machine(&fake);
    check_rows(&fake, (struct glass_choice){ .only_containers = true }, "51:0 52:1 61:0");
    check_rows(&fake, (struct glass_choice){ .only_containers = true, .is_list = true },
               "51:0 52:0 61:0");
}

TEST(a_filter_keeps_the_way_to_its_matches)
{
    struct fake fake;
    fake_machine(&fake);
    check_rows(&fake, (struct glass_choice){ .filter = "WORKER" }, "1:0! 50:1! 51:2! 52:3");
    check_rows(&fake, (struct glass_choice){ .filter = "worker", .is_list = true }, "52:0");
    check_rows(&fake, (struct glass_choice){ .filter = "nothing of that name" }, "");
}

TEST(a_filter_finds_each_text)
{
    struct fake fake;
    fake_machine(&fake);
    struct glass_choice choice = { .is_list = true };
    static const struct {
        const char *filter, *expected;
    } cases[] = {
        { "web", "51:0 52:0" }, { "docker", "61:0" },       { "41", "41:0" },
        { "/data", "61:0" },    { "nginx master", "51:0" }, { "  sshd   -D ", "40:0" },
        { "kthreadd", "" },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        (void)CL_PRINT(choice.filter, "%s", cases[i].filter);
        check_rows(&fake, choice, cases[i].expected);
    }
}

TEST(orders)
{
    struct fake fake;
    fake_machine(&fake);
    check_rows(&fake, (struct glass_choice){ .is_list = true, .sort = GLASS_SORT_CONTAINER },
               "61:0 51:0 52:0 1:0 40:0 41:0 50:0 60:0");
    check_rows(&fake, (struct glass_choice){ .is_list = true, .sort = GLASS_SORT_NAME },
               "41:0 1:0 50:0 60:0 51:0 52:0 61:0 40:0");
    check_rows(&fake, (struct glass_choice){ .sort = GLASS_SORT_NAME },
               "1:0 50:1 51:2 52:3 60:1 61:2 40:1 41:2");
}

TEST(parents_that_are_not_there_or_go_in_circles)
{
    struct fake fake = { 0 };
    fake_process(&fake, 10, 99, "orphan");
    fake_process(&fake, 20, 21, "a");
    fake_process(&fake, 21, 20, "b");
    fake_process(&fake, 30, 30, "its own parent");
    struct glass_rows rows = { 0 };
    struct glass_choice choice = { 0 };
    CHECK_INT(glass_rows_build(&rows, &fake.world, &choice), 0);
    CHECK_INT(rows.count, 4); /* each has one row all the same */
    glass_rows_done(&rows);
}

TEST(deep_trees)
{
    struct fake fake = { 0 };
    for (int i = 0; i < FAKE_MAX; i++)
        fake_process(&fake, i + 1, i, "deep");
    struct glass_rows rows = { 0 };
    struct glass_choice choice = { 0 };
    CHECK_INT(glass_rows_build(&rows, &fake.world, &choice), 0);
    CHECK_INT(rows.count, FAKE_MAX);
    CHECK_INT(rows.rows[FAKE_MAX - 1].depth, FAKE_MAX - 1);
    glass_rows_done(&rows);
}

TEST_MAIN
