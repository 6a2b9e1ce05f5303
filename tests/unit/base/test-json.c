/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is refused and where, what getters answer, and that text comes out as Go writes it. */
#include "base/json.h"

#include "test.h"

static struct cl_json *parse(const char *text, struct cl_error *err)
{
    struct cl_json *value = NULL;
    *err = (struct cl_error){ 0 };
    if (cl_json_parse(text, strlen(text), 1 << 20, &value, err) < 0 && value != NULL)
        TEST_SAY("output written on failure");
    return value;
}

/* Parse and write again. */
static void check_round(const char *text, int indent, const char *expected)
{
    struct cl_error err;
    CL_AUTO(cl_json_unref) struct cl_json *value = parse(text, &err);
    if (value == NULL) {
        TEST_SAY("%s: %s", text, err.text);
        return;
    }
    cl_auto_free char *out = cl_json_text(value, indent);
    CHECK_STR(out, expected);
}

static void check_refused(const char *text, const char *message)
{
    struct cl_error err;
    CL_AUTO(cl_json_unref) struct cl_json *value = parse(text, &err);
    if (value != NULL)
        TEST_SAY("accepted: %s", text);
    CHECK_INT(err.code, -EINVAL);
    CHECK_INT(err.kind, CL_KIND_INVALID);
    CHECK_STR(err.text, message);
}

TEST(compact_text_is_gos)
{
    check_round(" { \"a\" : [ 1 , -2, true,false , null, \"x\" ] , \"b\":{} ,\"c\":[]}",
                CL_JSON_COMPACT, "{\"a\":[1,-2,true,false,null,\"x\"],\"b\":{},\"c\":[]}");
    check_round("\"<a href='x'>&\\u2028\\u001f\\b\\f\\n\\r\\t\\\"\\\\\\/\"", 0,
                "\"\\u003ca href='x'\\u003e\\u0026\\u2028\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\"");
    check_round("\"\\ud83d\\ude00 \\u00e9\"", 0, "\"\360\237\230\200 \303\251\"");
    check_round("null", 0, "null");
    check_round("7", 0, "7");
    check_round("\"\"", 0, "\"\"");
    check_round("{\"z\":1,\"a\":2}", 0, "{\"z\":1,\"a\":2}");
}

TEST(indented_text_is_gos)
{
    check_round(
        "{\"a\":[1,{\"b\":null}],\"c\":[],\"d\":{}}", 4,
        "{\n    \"a\": [\n        1,\n        {\n            \"b\": null\n        }\n    ],\n"
        "    \"c\": [],\n    \"d\": {}\n}");
    check_round("[]", 2, "[]");
    check_round("{}", 4, "{}");
}

TEST(numbers_are_gos)
{
    check_round("[0, -0, 0.0, -0e1, 1.0, 1.50, 0.1, 100, 1e2, 1E+2, 1e-2]", 0,
                "[0,0,0,0,1,1.5,0.1,100,100,100,0.01]");
    check_round("[1e20, 1e21, 1.25e30, 1e-6, 1e-7, 1.5e-12, -2.5]", 0,
                "[100000000000000000000,1e+21,1.25e+30,0.000001,1e-7,1.5e-12,-2.5]");
    check_round("[3.141592653589793, 5e-324, 1.7976931348623157e308]", 0,
                "[3.141592653589793,5e-324,1.7976931348623157e+308]");
    check_round("[9223372036854775807,-9223372036854775808,18446744073709551615]", 0,
                "[9223372036854775807,-9223372036854775808,18446744073709551615]");
}

TEST(integers_beyond_64_bits_are_doubles)
{
    check_round("[1, 18446744073709551616, -9223372036854775809 ,2]", 0,
                "[1,18446744073709552000,-9223372036854776000,2]");
    check_round("100000000000000000000", 0, "100000000000000000000");
    check_round("{\"a\":-1e20}", 0, "{\"a\":-100000000000000000000}");
    struct cl_error err;
    uint64_t number;
    CL_AUTO(cl_json_unref) struct cl_json *value = parse("18446744073709551616", &err);
    CHECK_INT(cl_json_type(value), CL_JSON_DOUBLE);
    CHECK_INT(cl_json_u64(value, &number), -EINVAL);
}

TEST(bad_grammar_is_refused_with_its_place)
{
    check_refused("", "line 1, column 1: text ends where a value is expected");
    check_refused("{", "line 1, column 2: text ends where a key in double quotes is expected");
    check_refused("{\"a\":1,}", "line 1, column 8: '}' where a key in double quotes is expected");
    check_refused("[1,]", "line 1, column 4: ']' where a value is expected");
    check_refused("[1 2]", "line 1, column 4: '2' where ',' or ']' is expected");
    check_refused("{\"a\" 1}", "line 1, column 6: '1' where ':' is expected");
    check_refused("{\n  \"a\": 1\n  \"b\": 2\n}",
                  "line 3, column 3: '\"' where ',' or '}' is expected");
    check_refused("{} x", "line 1, column 4: 'x' where the end of the text is expected");
    check_refused("1 2", "line 1, column 3: '2' where the end of the text is expected");
    check_refused("nul", "line 1, column 1: 'n' where a value is expected");
    check_refused("NaN", "line 1, column 1: 'N' where a value is expected");
    check_refused("-Infinity", "line 1, column 2: 'I' where a digit is expected");
    check_refused("'a'", "line 1, column 1: ''' where a value is expected");
    check_refused("// x\n1", "line 1, column 1: '/' where a value is expected");
    check_refused("01", "line 1, column 2: '1' where the end of the text is expected");
    check_refused("1.", "line 1, column 3: text ends where a digit is expected");
    check_refused("+1", "line 1, column 1: '+' where a value is expected");
    check_refused("[1e309]", "line 1, column 2: number is too large or too long");
}

TEST(bad_strings_are_refused)
{
    check_refused("\"a", "line 1, column 3: text ends inside a string");
    check_refused("\"\\x\"",
                  "line 1, column 3: 'x' where an escape (one of \"\\/bfnrtu) is expected");
    check_refused("\"\\u12g4\"",
                  "line 1, column 6: 'g' where a hexadecimal digit of \\uXXXX is expected");
    check_refused("\"\\ud83d\"", "line 1, column 2: unpaired surrogate");
    check_refused("\"\\ude00\"", "line 1, column 2: unpaired surrogate");
    check_refused("\"\\u0000\"", "line 1, column 2: a string must not hold U+0000");
    check_refused("\"\xff\"", "line 1, column 2: invalid UTF-8 in a string");
    check_refused("\"\xc0\x80\"", "line 1, column 2: invalid UTF-8 in a string");
    check_refused("\"\xed\xa0\x80\"", "line 1, column 2: invalid UTF-8 in a string");
    check_refused("\"a\nb\"",
                  "line 1, column 3: control character in a string; write it as \\uXXXX");
}

TEST(a_nul_byte_is_no_end)
{
    struct cl_error err;
    struct cl_json *value = NULL;
    CHECK_INT(cl_json_parse("1\0", 2, 10, &value, &err), -EINVAL);
    CHECK_STR(err.text, "line 1, column 2: byte 0x00 where the end of the text is expected");
    CHECK_INT(cl_json_parse("[1\0]", 4, 10, &value, &err), -EINVAL);
    CHECK_INT(cl_json_parse("\"\0\"", 3, 10, &value, &err), -EINVAL);
    CHECK(value == NULL);
}

TEST(duplicate_keys_are_refused_with_their_path)
{
    check_refused("{\"a\":1,\"a\":2}", "line 1, column 8: duplicate key \"a\"");
    check_refused("{\"a\":1,\"\\u0061\":2}", "line 1, column 8: duplicate key \"a\"");
    check_refused("{\"x\":[0,{\"y\":{\"k\":1,\n\"j\":2,\"k\":3}}]}",
                  "line 2, column 7: duplicate key \"x[1].y.k\"");
    check_refused("{\"\":1,\"\":2}", "line 1, column 7: duplicate key \"\"");
    check_round("{\"a\":{\"a\":1},\"b\":{\"a\":2},\"ab\":3,\"A\":4}", 0,
                "{\"a\":{\"a\":1},\"b\":{\"a\":2},\"ab\":3,\"A\":4}");
}

TEST(many_keys_stay_fast_and_checked)
{
    cl_auto_buf text = CL_BUF_INIT(8 << 20);
    struct cl_error err;
    struct cl_json *value = NULL;
    cl_buf_char(&text, '{');
    for (int i = 0; i < 100000; i++)
        cl_buf_printf(&text, "\"key%d\":%d,", i, i);
    cl_buf_str(&text, "\"last\":0}");
    REQUIRE(text.failed == 0);
    REQUIRE(cl_json_parse(text.data, text.size, 8 << 20, &value, &err) == 0);
    CHECK_INT(cl_json_count(value), 100001);
    CHECK_INT(cl_json_int(cl_json_get(value, "key54321")), 54321);
    cl_json_unref(value);
    memcpy(strstr(text.data, "last"), "key9", 4);
    CHECK_INT(cl_json_parse(text.data, text.size, 8 << 20, &value, &err), -EINVAL);
    CHECK_CONTAINS(err.text, "duplicate key \"key9\"");
}

static void nest(char *text, size_t levels)
{
    memset(text, '[', levels);
    memset(text + levels, ']', levels);
    text[2 * levels] = '\0';
}

TEST(sixty_four_levels_and_no_more)
{
    char text[200];
    nest(text, 64);
    check_round(text, 0, text);
    nest(text, 65);
    check_refused(text, "line 1, column 65: nested more than 64 levels deep");
}

TEST(the_maximum_is_kept)
{
    struct cl_error err;
    struct cl_json *value = NULL;
    CHECK_INT(cl_json_parse("[1,2]", 5, 4, &value, &err), -EFBIG);
    CHECK_STR(err.text, "JSON text of 5 bytes is longer than the 4 allowed");
    CHECK(value == NULL);
}

TEST(getters_chain_and_never_trip)
{
    struct cl_error err;
    CL_AUTO(cl_json_unref)
    struct cl_json *value = parse("{\"a\":{\"b\":\"c\"},\"n\":null,\"i\":7,\"d\":2.5,\"t\":true,"
                                  "\"l\":[1,null]}",
                                  &err);
    REQUIRE(value != NULL);
    CHECK_STR(cl_json_string(cl_json_get(cl_json_get(value, "a"), "b")), "c");
    CHECK(cl_json_string(cl_json_get(cl_json_get(value, "x"), "b")) == NULL);
    CHECK(cl_json_string(cl_json_get(value, "i")) == NULL);
    CHECK_STR(cl_json_string_or(cl_json_get(value, "i"), "no"), "no");
    CHECK_INT(cl_json_int(cl_json_get(value, "i")), 7);
    CHECK_INT(cl_json_int(cl_json_get(value, "d")), 2);
    CHECK(cl_json_double(cl_json_get(value, "d")) == 2.5);
    CHECK(cl_json_double(cl_json_get(value, "i")) == 7);
    CHECK_INT(cl_json_int(cl_json_get(value, "t")), 0);
    CHECK(cl_json_bool(cl_json_get(value, "t")));
    CHECK(!cl_json_bool(cl_json_get(value, "i")));
    CHECK(cl_json_get(value, "n") == NULL && cl_json_has(value, "n"));
    CHECK(!cl_json_has(value, "x") && !cl_json_has(NULL, "x"));
    CHECK_INT(cl_json_count(cl_json_get(value, "l")), 2);
    CHECK(cl_json_at(cl_json_get(value, "l"), 1) == NULL);
    CHECK(cl_json_at(cl_json_get(value, "l"), 2) == NULL);
    CHECK(cl_json_at(value, 0) == NULL);
    CHECK_INT(cl_json_type(NULL), CL_JSON_NULL);
    CHECK_STR(cl_json_type_name(cl_json_type(value)), "object");
}

TEST(sixty_four_bit_integers_are_exact)
{
    struct cl_error err;
    uint64_t u = 5;
    int64_t i = 5;
    CL_AUTO(cl_json_unref)
    struct cl_json *value =
        parse("[18446744073709551615,-1,9223372036854775807,9223372036854775808,1.5]", &err);
    REQUIRE(value != NULL);
    CHECK_INT(cl_json_i64(cl_json_at(value, 0), &i), -ERANGE);
    CHECK_INT(cl_json_u64(cl_json_at(value, 1), &u), -ERANGE);
    CHECK_INT(cl_json_u64(cl_json_at(value, 4), &u), -EINVAL);
    CHECK_INT(cl_json_u64(NULL, &u), -EINVAL);
    CHECK_INT(cl_json_i64(cl_json_at(value, 3), &i), -ERANGE);
    CHECK(u == 5 && i == 5);
    CHECK_INT(cl_json_u64(cl_json_at(value, 0), &u), 0);
    CHECK(u == UINT64_MAX);
    CHECK_INT(cl_json_i64(cl_json_at(value, 2), &i), 0);
    CHECK(i == INT64_MAX);
    CHECK(cl_json_int(cl_json_at(value, 0)) == INT64_MAX);
}

TEST(objects_are_walked_in_order)
{
    struct cl_error err;
    CL_AUTO(cl_json_unref) struct cl_json *value = parse("{\"z\":1,\"a\":null,\"m\":3}", &err);
    cl_auto_buf keys = CL_BUF_INIT(100);
    void *state = NULL;
    const char *key;
    const struct cl_json *member;
    while (cl_json_next(value, &state, &key, &member))
        cl_buf_printf(&keys, "%s=%d ", key, (int)cl_json_int(member));
    CHECK_STR(keys.data, "z=1 a=0 m=3 ");
    state = NULL;
    CHECK(!cl_json_next(NULL, &state, &key, &member));
}

TEST(builders_build_and_take)
{
    const char *const words[] = { "x", "y", NULL };
    CL_AUTO(cl_json_unref) struct cl_json *value = cl_json_object();
    CHECK_INT(cl_json_set_string(value, "s", "text"), 0);
    CHECK_INT(cl_json_set_string(value, "e", NULL), 0);
    CHECK_INT(cl_json_set_int(value, "i", -3), 0);
    CHECK_INT(cl_json_set_bool(value, "b", true), 0);
    CHECK_INT(cl_json_set(value, "n", cl_json_null()), 0);
    CHECK_INT(cl_json_set(value, "v", cl_json_from_strv(words)), 0);
    CHECK_INT(cl_json_set(value, "w", cl_json_from_strv(NULL)), 0);
    CHECK_INT(cl_json_set(value, "u", cl_json_from_u64(UINT64_MAX)), 0);
    CHECK_INT(cl_json_set(value, "d", cl_json_from_double(0.5)), 0);
    CHECK_INT(cl_json_set_int(value, "i", 4), 0);
    CHECK_INT(cl_json_set(value, "gone", cl_json_from_bool(false)), 0);
    CHECK_INT(cl_json_remove(value, "gone"), 0);
    CHECK_INT(cl_json_set(value, "x", NULL), -ENOMEM);
    CHECK_INT(cl_json_add(value, cl_json_from_int(1)), -EINVAL);
    cl_auto_free char *text = cl_json_text(value, 0);
    CHECK_STR(text, "{\"s\":\"text\",\"e\":\"\",\"i\":4,\"b\":true,\"n\":null,\"v\":[\"x\",\"y\"],"
                    "\"w\":[],\"u\":18446744073709551615,\"d\":0.5}");
}

TEST(copies_are_deep_and_refs_are_not)
{
    struct cl_error err;
    CL_AUTO(cl_json_unref) struct cl_json *value = parse("{\"a\":[1]}", &err);
    CL_AUTO(cl_json_unref) struct cl_json *copy = cl_json_copy(value);
    CL_AUTO(cl_json_unref) struct cl_json *ref = cl_json_ref(value);
    CHECK_INT(cl_json_set_int(value, "b", 2), 0);
    cl_auto_free char *copy_text = cl_json_text(copy, 0), *ref_text = cl_json_text(ref, 0);
    CHECK_STR(copy_text, "{\"a\":[1]}");
    CHECK_STR(ref_text, "{\"a\":[1],\"b\":2}");
    CL_AUTO(cl_json_unref) struct cl_json *none = cl_json_ref(cl_json_get(value, "none"));
    CHECK(none != NULL);
    CHECK_INT(cl_json_type(none), CL_JSON_NULL);
    CHECK_INT(cl_json_set(value, "c", cl_json_copy(NULL)), 0);
    CHECK(cl_json_has(value, "c"));
}

TEST(what_is_shared_outlives_its_document)
{
    struct cl_error err;
    struct cl_json *value = parse("{\"a\":{\"b\":[\"text\",{\"c\":null}]},\"d\":1}", &err);
    CL_AUTO(cl_json_unref) struct cl_json *part = cl_json_ref(cl_json_get(value, "a"));
    CL_AUTO(cl_json_unref) struct cl_json *other = cl_json_object();
    CHECK_INT(cl_json_set(other, "part", cl_json_ref(cl_json_get(part, "b"))), 0);
    cl_json_unref(value);
    cl_auto_free char *text = cl_json_text(part, 0), *other_text = cl_json_text(other, 0);
    CHECK_STR(text, "{\"b\":[\"text\",{\"c\":null}]}");
    CHECK_STR(other_text, "{\"part\":[\"text\",{\"c\":null}]}");
}

TEST(what_was_parsed_can_be_changed)
{
    struct cl_error err;
    CL_AUTO(cl_json_unref)
    struct cl_json *value = parse("{\"a\":[1,2],\"b\":{\"x\":1,\"y\":2},\"c\":3}", &err);
    struct cl_json *list = cl_json_ref(cl_json_get(value, "a"));
    struct cl_json *object = cl_json_ref(cl_json_get(value, "b"));
    for (int i = 3; i < 20; i++)
        CHECK_INT(cl_json_add(list, cl_json_from_int(i)), 0);
    CHECK_INT(cl_json_remove(object, "x"), 0);
    CHECK_INT(cl_json_remove(object, "none"), 0);
    CHECK_INT(cl_json_set_string(object, "y", "two"), 0);
    CHECK_INT(cl_json_set(object, "z", cl_json_null()), 0);
    CHECK_INT(cl_json_remove(value, "c"), 0);
    cl_json_unref(list);
    cl_json_unref(object);
    cl_auto_free char *text = cl_json_text(value, 0);
    CHECK_STR(text, "{\"a\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19],"
                    "\"b\":{\"y\":\"two\",\"z\":null}}");
}

/* Objects of many members are looked up by an index, which has to follow all that happens to them. */
static void check_members(const struct cl_json *object, int from, int to)
{
    char key[24];
    CHECK_INT(cl_json_count(object), to - from);
    for (int i = 0; i < to + 50; i++) {
        CL_PRINT(key, "key%d", i);
        CHECK(cl_json_has(object, key) == (i >= from && i < to));
        CHECK_INT(cl_json_int(cl_json_get(object, key)), i >= from && i < to ? i : 0);
    }
}

static void check_growing(struct cl_json *object, int to)
{
    char key[24];
    for (int i = 0; i < to; i++) {
        CL_PRINT(key, "key%d", i);
        CHECK_INT(cl_json_set_int(object, key, i + 1), 0);
        CHECK_INT(cl_json_set_int(object, key, i), 0);
    }
    check_members(object, 0, to);
    for (int i = 0; i < to / 2; i++) {
        CL_PRINT(key, "key%d", i);
        CHECK_INT(cl_json_remove(object, key), 0);
    }
    check_members(object, to / 2, to);
}

TEST(objects_of_any_size_find_their_members)
{
    struct cl_error err;
    for (int to = 0; to < 70; to++) {
        CL_AUTO(cl_json_unref) struct cl_json *built = cl_json_object();
        CL_AUTO(cl_json_unref) struct cl_json *parsed = parse("{\"key0\":5,\"key1\":6}", &err);
        check_growing(built, to);
        cl_auto_free char *text = cl_json_text(built, 0);
        CL_AUTO(cl_json_unref) struct cl_json *again = parse(text, &err);
        check_members(again, to / 2, to);
        CL_AUTO(cl_json_unref) struct cl_json *copy = cl_json_copy(again);
        check_members(copy, to / 2, to);
        if (to >= 2)
            check_growing(parsed, to);
    }
}

TEST(a_large_object_leaves_the_next_one_of_its_depth_empty)
{
    cl_auto_buf text = CL_BUF_INIT(1 << 20);
    struct cl_error err;
    cl_buf_str(&text, "[{");
    for (int i = 0; i < 100; i++)
        cl_buf_printf(&text, "%s\"k%d\":%d", i > 0 ? "," : "", i, i);
    cl_buf_str(&text, "},{");
    for (int i = 0; i < 30; i++)
        cl_buf_printf(&text, "%s\"k%d\":%d", i > 0 ? "," : "", i, i);
    cl_buf_str(&text, "},{\"k1\":1},[[1,2],[3]],{\"k1\":{}}]");
    REQUIRE(text.failed == 0);
    CL_AUTO(cl_json_unref) struct cl_json *value = parse(text.data, &err);
    cl_auto_free char *again = cl_json_text(value, 0);
    CHECK_STR(again, text.data);
}

/* The memory of one is kept for the next, of another size, and while others are in use. */
TEST(documents_one_after_the_other)
{
    struct cl_json *values[20] = { NULL };
    for (size_t round = 0; round < 200; round++) {
        cl_auto_buf text = CL_BUF_INIT(1 << 20);
        struct cl_json **value = &values[round % CL_COUNT(values)];
        size_t count = round * 37 % 150 + 1;
        for (size_t i = 0; i < count; i++)
            cl_buf_printf(&text, "%s%zu", i == 0 ? "[" : ",", round);
        cl_buf_char(&text, ']');
        cl_json_unref(*value);
        *value = NULL;
        REQUIRE(cl_json_parse(text.data, text.size, 1 << 20, value, NULL) == 0);
        CHECK_INT(cl_json_count(*value), count);
    }
    for (size_t i = 0; i < CL_COUNT(values); i++) {
        CHECK_INT(cl_json_int(cl_json_at(values[i], 0)), 180 + i);
        CHECK_INT(cl_json_int(cl_json_at(values[i], cl_json_count(values[i]) - 1)), 180 + i);
        cl_json_unref(values[i]);
    }
}

TEST(strings_with_escapes_and_without)
{
    check_round("[\"\\u0061bc\",\"a\\\"\",\"\\\\\",\"x\\ty\\u00e9\303\251z\",\"\",\"plain\"]", 0,
                "[\"abc\",\"a\\\"\",\"\\\\\",\"x\\ty\303\251\303\251z\",\"\",\"plain\"]");
    check_round("{\"\\u0061\":1,\"b\\n\":2}", 0, "{\"a\":1,\"b\\n\":2}");
}

TEST(plain_text_ends_at_each_special_byte)
{
    char text[33];
    for (unsigned character = 0; character < 256; character++)
        for (size_t at = 0; at < sizeof text - 1; at++) {
            memset(text, '~', sizeof text);
            text[at] = (char)character;
            bool is_plain =
                character >= ' ' && character < 0x80 && character != '"' && character != '\\';
            CHECK_INT(cl_json_plain(text, sizeof text), is_plain ? sizeof text : at);
            CHECK_INT(cl_json_plain(text, at), at);
        }
}

TEST(numbers_are_clamped_for_who_wants_an_integer)
{
    struct cl_error err;
    CL_AUTO(cl_json_unref)
    struct cl_json *value = parse("[1e30,-1e30,18446744073709551615,-0.9]", &err);
    CHECK(cl_json_int(cl_json_at(value, 0)) == INT64_MAX);
    CHECK(cl_json_int(cl_json_at(value, 1)) == INT64_MIN);
    CHECK(cl_json_int(cl_json_at(value, 2)) == INT64_MAX);
    CHECK_INT(cl_json_int(cl_json_at(value, 3)), 0);
    CHECK(cl_json_double(cl_json_at(value, 2)) == 18446744073709551616.0);
}

TEST(string_vectors)
{
    struct cl_error err;
    CL_AUTO(cl_json_unref) struct cl_json *value = parse("[[\"a\",\"b\"],[\"a\",1],null,{}]", &err);
    CL_AUTO(cl_strv_free) char **vector = NULL;
    CHECK_INT(cl_json_strv(cl_json_at(value, 1), &vector), -EINVAL);
    CHECK_INT(cl_json_strv(cl_json_at(value, 3), &vector), -EINVAL);
    CHECK(vector == NULL);
    CHECK_INT(cl_json_strv(cl_json_at(value, 2), &vector), 0);
    CHECK(vector == NULL);
    REQUIRE(cl_json_strv(cl_json_at(value, 0), &vector) == 0);
    CHECK_STR(vector[0], "a");
    CHECK_STR(vector[1], "b");
    CHECK(vector[2] == NULL);
}

TEST_MAIN
