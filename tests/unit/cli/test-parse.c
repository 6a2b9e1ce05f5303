/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "test.h"

struct options {
    bool all, quiet, proxy;
    const char *name, *tree;
    const char **env;
    int64_t number, memory, cpus, wait;
    int verbose;
};

#define ROW(long_name, short_letter, kind, member)                                                 \
    {                                                                                              \
        .name = (long_name), .letter = (short_letter), .type = (kind),                             \
        .offset = offsetof(struct options, member)                                                 \
    }

static const struct cli_option table[] = {
    ROW("all", 'a', CLI_FLAG, all),
    ROW("quiet", 'q', CLI_FLAG, quiet),
    { .name = "proxy", .type = CLI_FLAG, .offset = offsetof(struct options, proxy), .initial = 1 },
    ROW("name", 'n', CLI_STRING, name),
    ROW("tree", 'T', CLI_OPTIONAL, tree),
    ROW("env", 'e', CLI_LIST, env),
    ROW("number", 0, CLI_INT, number),
    ROW("memory", 'm', CLI_BYTES, memory),
    ROW("cpus", 0, CLI_NANO, cpus),
    ROW("wait", 0, CLI_DURATION, wait),
    ROW("verbose", 'v', CLI_COUNT, verbose),
    { .name = "publish",
      .letter = 'p',
      .type = CLI_REFUSED,
      .help = "no networks",
      .takes_value = true },
};

static const struct cli_verb verb = {
    .name = "test",
    .options = table,
    .option_count = CL_COUNT(table),
    .options_size = sizeof(struct options),
    .max_arguments = -1,
};

static struct options options;
static char **arguments;
static struct cl_error err;

static int parse_with(const struct cli_verb *with, char **argv)
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    memset(&err, 0, sizeof err);
    free(arguments);
    arguments = NULL;
    return cli_parse(with, argc, argv, &options, &arguments, &err);
}

#define PARSE(...) parse_with(&verb, (char *[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })
#define W(text)    (char *)(uintptr_t)(text)

TEST(long_options_take_their_value_either_way)
{
    CHECK_INT(PARSE(W("--name"), W("x"), W("--number=-5"), W("rest")), 0);
    CHECK_STR(options.name, "x");
    CHECK_INT(options.number, -5);
    CHECK_STR(arguments[0], "rest");
    CHECK(arguments[1] == NULL);
    CHECK(options.proxy);
    cli_options_done(&verb, &options);
}

TEST(clusters_of_letters)
{
    CHECK_INT(PARSE(W("-aqn"), W("x"), W("-vv"), W("-m512m"), W("-e=A=1"), W("-eB=2")), 0);
    CHECK(options.all && options.quiet);
    CHECK_STR(options.name, "x");
    CHECK_INT(options.verbose, 2);
    CHECK_INT(options.memory, 512 << 20);
    REQUIRE(options.env != NULL);
    CHECK_STR(options.env[0], "A=1");
    CHECK_STR(options.env[1], "B=2");
    cli_options_done(&verb, &options);
    CHECK(options.env == NULL);
}

TEST(flags_can_be_told_their_value)
{
    CHECK_INT(PARSE(W("--proxy=false"), W("--all=true")), 0);
    CHECK(!options.proxy && options.all);
    CHECK(PARSE(W("--all=maybe")) < 0);
    CHECK_CONTAINS(err.text, "maybe");
}

TEST(optional_values_need_the_equals_sign)
{
    CHECK_INT(PARSE(W("--tree"), W("process")), 0);
    CHECK_STR(options.tree, "");
    CHECK_STR(arguments[0], "process");
    CHECK_INT(PARSE(W("--tree=owner")), 0);
    CHECK_STR(options.tree, "owner");
}

TEST(units)
{
    CHECK_INT(PARSE(W("--cpus"), W("1.5"), W("--wait"), W("3"), W("--memory"), W("-1")), 0);
    CHECK_INT(options.cpus, 1500000000);
    CHECK_INT(options.wait, 3000000000);
    CHECK_INT(options.memory, -1);
    CHECK_INT(PARSE(W("--wait=250ms")), 0);
    CHECK_INT(options.wait, 250000000);
    CHECK(PARSE(W("--memory"), W("12q")) < 0);
    CHECK_CONTAINS(err.text, "--memory");
}

TEST(two_dashes_end_the_options)
{
    CHECK_INT(PARSE(W("--"), W("--all"), W("-x")), 0);
    CHECK(!options.all);
    CHECK_STR(arguments[0], "--all");
    CHECK_STR(arguments[1], "-x");
}

TEST(a_lone_dash_is_an_operand)
{
    CHECK_INT(PARSE(W("-")), 0);
    CHECK_STR(arguments[0], "-");
}

TEST(mistakes_say_what_to_do)
{
    CHECK(PARSE(W("--nmae"), W("x")) < 0);
    CHECK_INT(err.kind, CL_KIND_USAGE);
    CHECK_CONTAINS(err.text, "did you mean --name?");
    CHECK(PARSE(W("-z")) < 0);
    CHECK_CONTAINS(err.text, "'z' in -z");
    CHECK(PARSE(W("--name")) < 0);
    CHECK_CONTAINS(err.text, "needs an argument: --name");
    CHECK(PARSE(W("-p"), W("80:80")) < 0);
    CHECK_CONTAINS(err.text, "--publish is not possible: no networks");
}

TEST(the_first_operand_ends_the_options_of_run)
{
    struct cli_verb like_run = verb;
    like_run.options_end_at_argument = true;
    CHECK_INT(parse_with(&like_run, (char *[]){ W("-a"), W("image"), W("-q"), W("--name"), NULL }),
              0);
    CHECK(options.all && !options.quiet);
    CHECK_STR(arguments[1], "-q");
    CHECK_STR(arguments[2], "--name");
}

TEST(the_number_of_operands_is_checked)
{
    struct cli_verb exact = verb;
    exact.min_arguments = exact.max_arguments = 1;
    CHECK(parse_with(&exact, (char *[]){ NULL }) < 0);
    CHECK_CONTAINS(err.text, "requires exactly 1 argument");
    CHECK(parse_with(&exact, (char *[]){ W("a"), W("b"), NULL }) < 0);
    CHECK_CONTAINS(err.text, "accepts at most 1");
    CHECK_INT(parse_with(&exact, (char *[]){ W("a"), NULL }), 0);
}

TEST(verbs_are_found_in_their_long_spelling)
{
    int used;
    const struct cli_verb *found =
        cli_find_verb(2, (char *[]){ W("container"), W("ls"), NULL }, &used);
    REQUIRE(found != NULL);
    CHECK_STR(found->name, "ps");
    CHECK_INT(used, 2);
    found = cli_find_verb(2, (char *[]){ W("container"), W("inspect"), NULL }, &used);
    REQUIRE(found != NULL);
    CHECK_STR(found->name, "container inspect");
    found = cli_find_verb(2, (char *[]){ W("run"), W("inspect"), NULL }, &used);
    REQUIRE(found != NULL);
    CHECK_INT(used, 1);
    CHECK(cli_find_verb(1, (char *[]){ W("nonsense"), NULL }, &used) == NULL);
}

TEST(no_table_has_two_options_of_one_name)
{
    for (size_t v = 0; v < cli_verb_count; v++)
        for (size_t i = 0; i < cli_verbs[v]->option_count; i++)
            for (size_t j = i + 1; j < cli_verbs[v]->option_count; j++) {
                const struct cli_option *a = &cli_verbs[v]->options[i],
                                        *b = &cli_verbs[v]->options[j];
                if ((a->name != NULL && cl_streq(a->name, b->name)) ||
                    (a->letter != 0 && a->letter == b->letter))
                    TEST_SAY("%s: --%s and --%s", cli_verbs[v]->name, a->name, b->name);
            }
}

TEST_MAIN
