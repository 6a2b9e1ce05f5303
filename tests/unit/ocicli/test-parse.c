/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables → options.
 */
#include "ocicli/private.h"
#include "test.h"

struct options {
    bool flag, other;
    const char *text;
    const char **list;
};
static const struct option_row table[] = {
    OPTION("flag", 'f', OPTION_FLAG, "", "", struct options, flag),
    OPTION("other", 'o', OPTION_FLAG, "", "", struct options, other),
    OPTION("text", 't', OPTION_STRING, "TEXT", "", struct options, text),
    OPTION("list", 'l', OPTION_LIST, "TEXT", "", struct options, list),
    REFUSED("never", "", "for a reason"),
    REFUSED("nowhere", "PATH", "for another"),
};
static const struct verb verb = {
    .name = "verb",
    .synopsis = "[OPTIONS] A [B]",
    VERB_OPTIONS(table, struct options),
    .min_arguments = 1,
    .max_arguments = 2,
};
static struct options options;
static struct cl_error error;

/* Words are separated by blanks; operands joined by commas, or "error: TEXT". */
static const char *parse(const struct verb *with, const char *line)
{
    static char words[256], result[600];
    char *argv[32], **arguments = NULL;
    int argc = 0;
    options = (struct options){ 0 };
    error = (struct cl_error){ 0 };
    snprintf(words, sizeof words, "%s", line);
    for (char *at = words; *at != '\0';) {
        argv[argc++] = at;
        at += strcspn(at, " ");
        while (*at == ' ')
            *at++ = '\0';
    }
    argv[argc] = NULL;
    if (parse_options(with, argc, argv, &options, &arguments, &error) < 0) {
        snprintf(result, sizeof result, "error: %s", error.text);
        return result;
    }
    result[0] = '\0';
    for (char **word = arguments; *word != NULL; word++) {
        size_t used = strlen(result);
        snprintf(result + used, sizeof result - used, "%s%s", used > 0 ? "," : "", *word);
    }
    return result;
}

TEST(flags_and_values_in_every_form)
{
    CHECK_STR(parse(&verb, "--flag a --text x b"), "a,b");
    CHECK(options.flag && !options.other);
    CHECK_STR(options.text, "x");
    CHECK_STR(parse(&verb, "-fo -tx --text=y a"), "a");
    CHECK(options.flag && options.other);
    CHECK_STR(options.text, "y");
    CHECK_STR(parse(&verb, "-t=z --flag=false a"), "a");
    CHECK(!options.flag);
    CHECK_STR(options.text, "z");
    CHECK_STR(parse(&verb, "--text= a"), "a");
    CHECK_STR(options.text, "");
}

TEST(a_long_name_may_have_one_dash)
{
    CHECK_STR(parse(&verb, "-flag -text x a"), "a");
    CHECK(options.flag && !options.other);
    CHECK_STR(options.text, "x");
    CHECK_STR(parse(&verb, "-text=y -flag=false a"), "a");
    CHECK(!options.flag);
    CHECK_STR(options.text, "y");
    CHECK_STR(parse(&verb, "-textile a"), "a"); /* -t extile */
    CHECK_STR(options.text, "extile");
}

TEST(lists_keep_their_order)
{
    CHECK_STR(parse(&verb, "-l one a --list two -l=three"), "a");
    REQUIRE(cl_strv_count(options.list) == 3);
    CHECK_STR(options.list[0], "one");
    CHECK_STR(options.list[2], "three");
    parse_done(&verb, &options);
    CHECK(options.list == NULL);
}

TEST(operands_may_look_like_options_after_two_dashes_or_where_options_end)
{
    struct verb ends = verb;
    ends.options_end_at_argument = true;
    ends.max_arguments = -1;
    CHECK_STR(parse(&verb, "-f -- -o --text"), "-o,--text");
    CHECK(options.flag && !options.other);
    CHECK_STR(parse(&ends, "-f a -o --text x"), "a,-o,--text,x");
    CHECK(!options.other);
    CHECK_STR(parse(&verb, "-"), "-");
}

TEST(what_can_not_be_understood_is_named)
{
    CHECK_STR(parse(&verb, "--flg a"), "error: unknown flag: --flg; did you mean --flag?");
    CHECK_STR(parse(&verb, "-x a"), "error: unknown shorthand flag: 'x' in -x");
    CHECK_STR(parse(&verb, "a --text"), "error: flag needs an argument: --text");
    CHECK_STR(parse(&verb, "a -t"), "error: flag needs an argument: --text");
    CHECK_STR(parse(&verb, "--flag=maybe a"),
              "error: invalid value \"maybe\" for --flag: expected true or false");
    CHECK_STR(parse(&verb, "a b c"), "error: verb: usage: cloche-runtime verb [OPTIONS] A [B]");
    CHECK_INT(error.kind, CL_KIND_USAGE);
    CHECK_STR(parse(&verb, "-f"), "error: verb: usage: cloche-runtime verb [OPTIONS] A [B]");
}

TEST(refused_options_say_why_unless_they_ask_for_nothing)
{
    CHECK_STR(parse(&verb, "--never a"), "error: --never is not possible: for a reason");
    CHECK_INT(error.kind, CL_KIND_UNSUPPORTED);
    CHECK_STR(parse(&verb, "--nowhere here a"), "error: --nowhere is not possible: for another");
    CHECK_STR(parse(&verb, "--never=false a"), "a");
}

TEST_MAIN
