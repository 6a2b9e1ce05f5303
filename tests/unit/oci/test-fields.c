/* SPDX-License-Identifier: Apache-2.0 */
/* The field-table engine by a small object of its own, and the tables of the real documents by their sizes. */
#include "oci/fields.h"

#include "oci/spec_private.h"
#include "test.h"

#include "json-text.h"

struct leaf {
    char *name;
    uint32_t number;
};
struct keyed {
    char *key;
    int64_t value;
};
struct thing {
    char *text;
    struct oci_opt_i64 maybe;
    struct oci_opt_u32 small;
    struct oci_opt_i32 small_signed;
    struct oci_opt_bool flag;
    uint32_t word;
    uint32_t bits;
    uint32_t set;
    struct leaf inner;
    struct leaf *pointer;
    struct leaf *leaves;
    size_t leaf_count;
    struct keyed *keys;
    size_t key_count;
    struct oci_map map;
    char **strings;
    char **names;
    bool yes;
    uint64_t big;
};

static const struct oci_word words[] = {
    { "one", 1 }, { "uno", 1 }, { "two", 2 }, { "", 0 }, OCI_WORDS_END
};
static const struct oci_word numbers[] = { { "zero", 0 }, { "five", 5 }, OCI_WORDS_END };
static const struct oci_field leaf_fields[] = {
    FIELD(struct leaf, "name", name, oci_text, REQUIRED),
    FIELD(struct leaf, "number", number, oci_u32, OPTIONAL),
};
static const struct oci_shape leaf_shape = OCI_SHAPE(struct leaf, leaf_fields);
static const struct oci_field keyed_fields[] = {
    FIELD(struct keyed, "value", value, oci_i64, OPTIONAL),
};
static const struct oci_shape keyed_shape = OCI_SHAPE(struct keyed, keyed_fields);
static const struct oci_field thing_fields[] = {
    FIELD(struct thing, "text", text, oci_string, REQUIRED),
    FIELD(struct thing, "maybe", maybe, oci_opt_i64, OPTIONAL),
    FIELD(struct thing, "small", small, oci_opt_u32, OPTIONAL),
    FIELD(struct thing, "smallSigned", small_signed, oci_opt_i32, OPTIONAL),
    FIELD(struct thing, "flag", flag, oci_opt_bool, OPTIONAL),
    FIELD_WORDS(struct thing, "word", word, oci_enum, words, OPTIONAL),
    FIELD_WORDS(struct thing, "bits", bits, oci_flags, words, OPTIONAL),
    FIELD_WORDS(struct thing, "set", set, oci_set, numbers, OPTIONAL),
    FIELD_OF(struct thing, "inner", inner, oci_object, leaf_shape, OPTIONAL),
    FIELD_OF(struct thing, "pointer", pointer, oci_pointer, leaf_shape, OPTIONAL),
    FIELD_LIST(struct thing, "leaves", leaves, leaf_count, oci_list, leaf_shape, OPTIONAL),
    FIELD_LIST(struct thing, "keys", keys, key_count, oci_keyed_list, keyed_shape, OPTIONAL),
    FIELD(struct thing, "map", map, oci_map, OPTIONAL),
    FIELD(struct thing, "strings", strings, oci_strv, OPTIONAL),
    FIELD(struct thing, "names", names, oci_keys, OPTIONAL),
    FIELD(struct thing, "yes", yes, oci_bool, OPTIONAL),
    FIELD(struct thing, "big", big, oci_u64, OPTIONAL),
};
static const struct oci_shape thing_shape = OCI_SHAPE(struct thing, thing_fields);

static int decode(const char *quoted, struct thing *ret, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(quoted);
    memset(ret, 0, sizeof *ret);
    return oci_shape_decode(&thing_shape, "thing.json", json, ret, err);
}

#define EVERYTHING                                                                                 \
    "{'text':'t','maybe':-9223372036854775808,'small':0,'smallSigned':-1,'flag':false,"            \
    "'word':'two','bits':['one','two'],'set':['zero','five'],'inner':{'name':'i'},"                \
    "'pointer':{'name':'p','number':4294967295},'leaves':[{'name':'a'},{'name':'b','number':2}],"  \
    "'keys':{'k1':{'value':5},'k2':{}},'map':{'x':'1','y':''},'strings':['','s'],"                 \
    "'names':{'n':{}},'yes':true,'big':18446744073709551615}"

TEST(everything_comes_back)
{
    struct thing thing;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    struct cl_error err = { 0 };
    if (decode(EVERYTHING, &thing, &err) < 0) {
        TEST_SAY("%s", err.text);
        return;
    }
    CHECK(thing.maybe.set && thing.maybe.value == INT64_MIN);
    CHECK(thing.small.set && thing.flag.set && !thing.flag.value);
    CHECK_INT(thing.bits, 3);
    CHECK_INT(thing.set, 1 | 1 << 5);
    CHECK_STR(thing.keys[1].key, "k2");
    CHECK(thing.big == UINT64_MAX);
    REQUIRE(oci_shape_encode(&thing_shape, &thing, &json) == 0);
    cl_auto_free char *text = cl_json_text(json, CL_JSON_COMPACT);
    cl_auto_free char *expected = json_text(EVERYTHING);
    CHECK_STR(text, expected);
    oci_shape_done(&thing_shape, &thing);
    CHECK(thing.text == NULL && thing.leaf_count == 0 && thing.map.count == 0);
}

TEST(absent_null_and_unknown)
{
    struct thing thing;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    CHECK_INT(decode("{'text':'','unknown':{'deep':[1,2]},'maybe':null,'leaves':null,'inner':null,"
                     "'strings':[],'word':''}",
                     &thing, NULL),
              0);
    CHECK(!thing.maybe.set && thing.leaves == NULL && thing.strings == NULL);
    REQUIRE(oci_shape_encode(&thing_shape, &thing, &json) == 0);
    cl_auto_free char *text = cl_json_text(json, CL_JSON_COMPACT);
    CHECK_STR(text, "{\"text\":\"\"}");
    oci_shape_done(&thing_shape, &thing);
}

TEST(errors_name_the_path)
{
    static const struct {
        const char *quoted;
        int code;
        const char *text;
    } cases[] = {
        { "{}", -EINVAL, "thing.json: text: required property is missing" },
        { "[]", -EINVAL, "thing.json: expected an object, got array" },
        { "{'text':null}", -EINVAL, "thing.json: text: required property is missing" },
        { "{'text':1}", -EINVAL, "thing.json: text: expected a string, got " },
        { "{'text':'t','maybe':'1'}", -EINVAL, "maybe: expected an integer, got string" },
        { "{'text':'t','maybe':1.5}", -EINVAL, "maybe: expected an integer, got " },
        { "{'text':'t','maybe':9223372036854775808}", -ERANGE, "maybe: out of range (-92" },
        { "{'text':'t','small':4294967296}", -ERANGE, "small: out of range (0 to 4294967295)" },
        { "{'text':'t','small':-1}", -ERANGE, "small: out of range (0 to 4294967295)" },
        { "{'text':'t','smallSigned':2147483648}", -ERANGE,
          "smallSigned: out of range (-2147483648 to" },
        { "{'text':'t','big':-1}", -ERANGE, "big: out of range (0 to 18446744073709551615)" },
        { "{'text':'t','big':true}", -EINVAL, "big: expected an unsigned integer, got " },
        { "{'text':'t','yes':1}", -EINVAL, "yes: expected true or false" },
        { "{'text':'t','word':'three'}", -EINVAL,
          "word: unknown value \"three\" (known: one, uno, two" },
        { "{'text':'t','bits':['one','x']}", -EINVAL, "bits[1]: unknown value \"x\"" },
        { "{'text':'t','bits':'one'}", -EINVAL, "bits: expected an array of strings, got string" },
        { "{'text':'t','inner':{}}", -EINVAL, "thing.json: inner.name: required" },
        { "{'text':'t','pointer':{'name':''}}", -EINVAL, "pointer.name: must not be empty" },
        { "{'text':'t','leaves':[{'name':'a'},{'name':'b','number':'x'}]}", -EINVAL,
          "thing.json: leaves[1].number: expected an unsigned integer, got string" },
        { "{'text':'t','leaves':{}}", -EINVAL, "leaves: expected an array, got object" },
        { "{'text':'t','keys':{'k':{'value':'x'}}}", -EINVAL,
          "keys[\"k\"].value: expected an integer" },
        { "{'text':'t','keys':{'k':[]}}", -EINVAL, "keys[\"k\"]: expected an object, got array" },
        { "{'text':'t','map':{'k':1}}", -EINVAL, "map[\"k\"]: expected a string" },
        { "{'text':'t','strings':['a',['b']]}", -EINVAL,
          "strings[1]: expected a string, got array" },
        { "{'text':'t','names':['n']}", -EINVAL, "names: expected an object, got array" },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        struct thing thing;
        struct cl_error err = { 0 };
        int r = decode(cases[i].quoted, &thing, &err);
        if (r != cases[i].code)
            TEST_SAY("%s gives %d", cases[i].quoted, r);
        CHECK_CONTAINS(err.text, cases[i].text);
        CHECK_INT(err.kind, CL_KIND_INVALID);
        CHECK(thing.text == NULL && thing.leaves == NULL); /* freed and zeroed */
    }
}

TEST(hostile_keys_and_words_are_made_printable)
{
    struct thing thing;
    struct cl_error err = { 0 };
    CHECK_INT(decode("{'text':'t','map':{'\\u001b]0;x\\u0007':1}}", &thing, &err), -EINVAL);
    CHECK_CONTAINS(err.text, "map[\"?]0;x?\"]");
    CHECK_INT(decode("{'text':'t','word':'\\u001b\\n'}", &thing, &err), -EINVAL);
    CHECK_CONTAINS(err.text, "\"??\"");
}

TEST(a_deep_path_is_cut_not_overrun)
{
    struct oci_reader reader = { .document = "x" };
    for (int i = 0; i < 100; i++)
        (void)oci_read_into(&reader, "component");
    CHECK_INT(reader.length, sizeof reader.path - 1);
    oci_read_up(&reader, 0);
    CHECK_STR(reader.path, "");
}

TEST(lists_grow_by_hand)
{
    uint32_t *items = NULL;
    size_t count = 0;
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t *item = oci_list_grow(&items, &count, sizeof *items);
        REQUIRE(item != NULL);
        CHECK_INT(*item, 0);
        *item = i;
    }
    CHECK_INT(count, 10);
    CHECK_INT(items[3], 3);
    free(items);
}

TEST(every_row_fits_its_member)
{
    static const struct {
        const char *name;
        const struct oci_shape *shape;
    } shapes[] = {
        { "thing", &thing_shape },
        { "spec", &oci_spec_shape },
        { "state", &oci_state_shape },
        { "process state", &oci_process_state_shape },
    };
    for (size_t i = 0; i < CL_COUNT(shapes); i++) {
        const char *bad = oci_shape_check(shapes[i].shape);
        if (bad != NULL)
            TEST_SAY("%s: the row \"%s\" does not fit its member", shapes[i].name, bad);
    }
}

TEST_MAIN
