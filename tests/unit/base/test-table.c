/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: the exact bytes that Docker and util-linux would print. */
#include "base/table.h"

#include "test.h"

static void check_printed(const struct cl_table *table, enum cl_table_output output, unsigned width,
                          const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    REQUIRE(out != NULL);
    CHECK_INT(cl_table_print(table, out, output, width), 0);
    fclose(out);
    CHECK_STR(text, expected);
    free(text);
}

TEST(docker_style)
{
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_DOCKER);
    cl_table_column(table, "CONTAINER ID", CL_COLUMN_LEFT);
    cl_table_column(table, "PORTS", CL_COLUMN_LEFT);
    cl_table_column(table, "NAMES", CL_COLUMN_LEFT);
    check_printed(table, CL_TABLE_PLAIN, 0, "CONTAINER ID   PORTS     NAMES\n");
    cl_table_row(table);
    cl_table_cell(table, "0123456789ab");
    cl_table_cell(table, NULL);
    cl_table_cellf(table, "%s_%d", "web", 1);
    CHECK_INT(cl_table_cell(table, "too much"), -EINVAL);
    check_printed(table, CL_TABLE_PLAIN, 0,
                  "CONTAINER ID   PORTS     NAMES\n0123456789ab             web_1\n");
    CHECK_INT(cl_table_column(table, "LATE", CL_COLUMN_LEFT), -EINVAL);
}

static struct cl_table *namespaces(void)
{
    struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    cl_table_column(table, "NS", CL_COLUMN_RIGHT);
    cl_table_column(table, "TYPE", CL_COLUMN_LEFT);
    cl_table_column(table, "NPROCS", CL_COLUMN_RIGHT);
    cl_table_column(table, "COMMAND", CL_COLUMN_TRUNCATE);
    cl_table_row(table);
    cl_table_cell(table, "4026531834");
    cl_table_cell(table, "time");
    cl_table_cell(table, "125");
    cl_table_cell(table, "/sbin/init splash");
    cl_table_row(table);
    cl_table_cell(table, "7");
    cl_table_cell(table, "");
    cl_table_cell(table, "1");
    cl_table_cell(table, "ash");
    return table;
}

TEST(util_linux_style)
{
    CL_AUTO(cl_table_free) struct cl_table *table = namespaces();
    check_printed(table, CL_TABLE_PLAIN, 0,
                  "        NS TYPE NPROCS COMMAND\n"
                  "4026531834 time    125 /sbin/init splash\n"
                  "         7           1 ash\n");
    check_printed(table, CL_TABLE_NO_HEADINGS, 0,
                  "4026531834 time 125 /sbin/init splash\n"
                  "         7        1 ash\n");
    check_printed(table, CL_TABLE_RAW, 0,
                  "NS TYPE NPROCS COMMAND\n"
                  "4026531834 time 125 /sbin/init\\x20splash\n"
                  "7  1 ash\n");
}

TEST(cut_to_width)
{
    CL_AUTO(cl_table_free) struct cl_table *table = namespaces();
    check_printed(table, CL_TABLE_PLAIN, 30,
                  "        NS TYPE NPROCS COMMAND\n"
                  "4026531834 time    125 /sbin/i\n"
                  "         7           1 ash\n");
    check_printed(table, CL_TABLE_NO_HEADINGS, 5,
                  "4026531834 time 125 /\n"
                  "         7        1 a\n"); /* what may not be cut stays */
}

TEST(trees)
{
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    cl_table_column(table, "NS", CL_COLUMN_TREE);
    cl_table_column(table, "N", CL_COLUMN_RIGHT);
    static const struct {
        unsigned depth;
        bool is_last;
        const char *text;
    } rows[] = { { 0, false, "1" }, { 1, false, "2" }, { 2, true, "3" },
                 { 1, true, "4" },  { 2, true, "5" },  { 0, true, "6" } };
    for (size_t i = 0; i < CL_COUNT(rows); i++) {
        cl_table_row(table);
        cl_table_cell_tree(table, rows[i].depth, rows[i].is_last, rows[i].text);
        cl_table_cell(table, "9");
    }
    check_printed(table, CL_TABLE_PLAIN, 0,
                  "NS    N\n"
                  "1     9\n"
                  "├─2   9\n"
                  "│ └─3 9\n"
                  "└─4   9\n"
                  "  └─5 9\n"
                  "6     9\n");
    check_printed(table, CL_TABLE_ASCII | CL_TABLE_NO_HEADINGS, 0,
                  "1     9\n"
                  "|-2   9\n"
                  "| `-3 9\n"
                  "`-4   9\n"
                  "  `-5 9\n"
                  "6     9\n");
    check_printed(table, CL_TABLE_RAW, 0, "NS N\n1 9\n2 9\n3 9\n4 9\n5 9\n6 9\n");
}

TEST(cells_are_hostile_text_and_widths_are_cells)
{
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    cl_table_column(table, "A", CL_COLUMN_LEFT);
    cl_table_column(table, "B", CL_COLUMN_LEFT);
    static const char *const cells[] = { "\033[2J", "中文", "e\314\201", "é", "abcdefghi" };
    for (size_t i = 0; i < CL_COUNT(cells); i++) {
        cl_table_row(table);
        cl_table_cell(table, cells[i]);
        cl_table_cell(table, "|");
    }
    check_printed(table, CL_TABLE_NO_HEADINGS, 0,
                  "\\x1b[2J   |\n"
                  "中文      |\n"
                  "e\314\201         |\n"
                  "é         |\n"
                  "abcdefghi |\n");
}

TEST(many_rows)
{
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    cl_table_column(table, "N", CL_COLUMN_RIGHT);
    for (int i = 0; i < 1000; i++) {
        REQUIRE(cl_table_row(table) == 0);
        REQUIRE(cl_table_cellf(table, "%d", i) == 0);
    }
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CHECK_INT(cl_table_print(table, out, CL_TABLE_NO_HEADINGS, 0), 0);
    fclose(out);
    CHECK_INT(size, 4000);
    CHECK(memcmp(text + 4 * 999, "999\n", 4) == 0);
    free(text);
}

TEST(a_full_disk_is_told)
{
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL)
        SKIP("this host has no /dev/full");
    CL_AUTO(cl_table_free) struct cl_table *table = namespaces();
    CHECK_INT(cl_table_print(table, full, CL_TABLE_PLAIN, 0), -ENOSPC);
    fclose(full);
}

/* A cell of a kilobyte is printed whole, and the other rows stay as narrow as they were; where there is a width, it is cut as others are. */
TEST(a_long_cell_spills)
{
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_UTIL_LINUX);
    char long_text[1001], *text = NULL;
    size_t size;
    memset(long_text, 'x', 1000);
    long_text[1000] = '\0';
    cl_table_column(table, "A", CL_COLUMN_TRUNCATE | CL_COLUMN_SPILL);
    cl_table_column(table, "B", CL_COLUMN_LEFT);
    cl_table_row(table);
    cl_table_cell(table, "short");
    cl_table_cell(table, "b");
    cl_table_row(table);
    cl_table_cell(table, long_text);
    cl_table_cell(table, "b");
    FILE *out = open_memstream(&text, &size);
    CHECK_INT(cl_table_print(table, out, CL_TABLE_NO_HEADINGS, 0), 0);
    (void)fclose(out);
    CHECK_INT(size, strlen("short b\n") + 1000 + strlen(" b\n"));
    free(text);
    out = open_memstream(&text, &size);
    CHECK_INT(cl_table_print(table, out, CL_TABLE_NO_HEADINGS, 20), 0);
    (void)fclose(out);
    CHECK_INT(size, 2 * 21);
    free(text);
}

TEST_MAIN
