/* SPDX-License-Identifier: Apache-2.0 */
/* The growing buffer: its maximum, its sticky failure, and JSON strings as Go writes them. */
#include "base/str.h"

#include "test.h"

TEST(adds_pile_up)
{
    cl_auto_buf buf = CL_BUF_INIT(1000);
    cl_buf_str(&buf, "a");
    cl_buf_char(&buf, 'b');
    cl_buf_add(&buf, "cde", 2);
    cl_buf_printf(&buf, "-%d-%s", 7, "x");
    cl_buf_str(&buf, NULL);
    CHECK_STR(buf.data, "abcd-7-x");
    CHECK_INT(buf.size, 8);
    cl_auto_free char *text = cl_buf_take(&buf);
    CHECK_STR(text, "abcd-7-x");
    CHECK(buf.data == NULL && buf.size == 0);
}

TEST(an_empty_one_gives_empty_text)
{
    cl_auto_buf buf = CL_BUF_INIT(0);
    cl_auto_free char *text = cl_buf_take(&buf);
    CHECK_STR(text, "");
}

TEST(the_maximum_is_exact_and_sticks)
{
    cl_auto_buf buf = CL_BUF_INIT(4);
    cl_buf_str(&buf, "1234");
    CHECK_INT(buf.failed, 0);
    cl_buf_char(&buf, '5');
    CHECK_INT(buf.failed, -EFBIG);
    cl_buf_printf(&buf, "%s", "");
    CHECK_STR(buf.data, "1234");
    CHECK(cl_buf_take(&buf) == NULL);
    cl_buf_str(&buf, "ok"); /* taken or done, it starts again */
    CHECK_STR(buf.data, "ok");
    cl_buf_printf(&buf, "%s", "much too long");
    CHECK_INT(buf.failed, -EFBIG);
}

TEST(it_grows_far)
{
    cl_auto_buf buf = CL_BUF_INIT(1 << 20);
    for (int i = 0; i < 100000; i++)
        cl_buf_printf(&buf, "%d", i % 10);
    CHECK_INT(buf.failed, 0);
    CHECK_INT(buf.size, 100000);
    CHECK_INT(strlen(buf.data), 100000);
}

static void check_json(const char *text, const char *expected)
{
    cl_auto_buf buf = CL_BUF_INIT(1000);
    cl_buf_json_string(&buf, text);
    CHECK_STR(buf.data, expected);
}

TEST(json_strings_are_gos)
{
    check_json("", "\"\"");
    check_json(NULL, "\"\"");
    check_json("a\"b\\c/", "\"a\\\"b\\\\c/\"");
    check_json("\b\f\n\r\t\001\177", "\"\\b\\f\\n\\r\\t\\u0001\177\"");
    check_json("<a&b>", "\"\\u003ca\\u0026b\\u003e\"");
    check_json("\342\200\250\342\200\251", "\"\\u2028\\u2029\"");
    check_json("h\303\251\360\237\230\200", "\"h\303\251\360\237\230\200\"");
    check_json("a\xff\xc3", "\"a\\ufffd\\ufffd\"");
    check_json("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");
}

TEST_MAIN
