/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one parser of all verbs: long and short options, clusters (-itd), values in either form (--name x, --name=x, -ex, -e x), "--".
 */
#include "cli/cli.h"

/* Flags may be told their value; everything else that is no flag takes one. */
static bool wants_value(const struct cli_option *option)
{
    switch (option->type) {
    case CLI_FLAG:
    case CLI_COUNT:
    case CLI_OPTIONAL:
        return false;
    case CLI_REFUSED:
        return option->takes_value;
    default:
        return true;
    }
}

static const struct cli_option *find_long(const struct cli_verb *verb, const char *name,
                                          size_t length)
{
    for (size_t i = 0; i < verb->option_count; i++) {
        const char *known = verb->options[i].name;
        if (known != NULL && strlen(known) == length && strncmp(known, name, length) == 0)
            return &verb->options[i];
    }
    return NULL;
}

static const struct cli_option *find_letter(const struct cli_verb *verb, char letter)
{
    for (size_t i = 0; i < verb->option_count; i++)
        if (verb->options[i].letter == letter)
            return &verb->options[i];
    return NULL;
}

bool cli_has_letter(const struct cli_verb *verb, char letter)
{
    return find_letter(verb, letter) != NULL;
}

static int unknown_option(const struct cli_verb *verb, const char *text, size_t length,
                          struct cl_error *err)
{
    const char *words[256];
    size_t count = 0;
    cl_auto_free char *name = cl_strndup(text, length);
    for (size_t i = 0; i < verb->option_count && count < CL_COUNT(words); i++)
        if (verb->options[i].name != NULL && verb->options[i].type != CLI_REFUSED)
            words[count++] = verb->options[i].name;
    const char *closest =
        name == NULL || !cl_starts_with(name, "--") ? NULL : cl_closest(name + 2, words, count);
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "unknown flag: %.*s%s%s%s", (int)length, text,
                        closest == NULL ? "" : "; did you mean --", closest == NULL ? "" : closest,
                        closest == NULL ? "" : "?");
}

static void option_label(const struct cli_option *option, char label[static 80])
{
    if (option->name != NULL)
        (void)cl_print(label, 80, "--%s", option->name);
    else
        (void)cl_print(label, 80, "-%c", option->letter);
}

static int bad_value(const struct cli_option *option, const char *value, const char *expected,
                     struct cl_error *err)
{
    char label[80];
    option_label(option, label);
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "invalid value \"%s\" for %s: expected %s",
                        value, label, expected);
}

static int parse_flag(const char *value, bool *ret)
{
    static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
    static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };
    for (size_t i = 0; i < CL_COUNT(yes); i++) {
        if (cl_streq(value, yes[i]) || cl_streq(value, no[i])) {
            *ret = cl_streq(value, yes[i]);
            return 0;
        }
    }
    return -EINVAL;
}

static int append(const char ***list, const char *value)
{
    size_t count = cl_strv_count(*list);
    const char **bigger = cl_realloc((void *)*list, (count + 2) * sizeof *bigger);
    if (bigger == NULL)
        return -ENOMEM;
    bigger[count] = value;
    bigger[count + 1] = NULL;
    *list = bigger;
    return 0;
}

static int parse_seconds(const char *value, int64_t *ret)
{
    int64_t seconds;
    if (cl_parse_i64(value, -1, INT64_MAX / 1000000000, &seconds) == 0) {
        *ret = seconds * 1000000000;
        return 0;
    }
    return cl_parse_duration(value, ret);
}

/* `value` is NULL for a flag without one. */
static int store_value(const struct cli_option *option, const char *value, void *options,
                       struct cl_error *err)
{
    char *member = (char *)options + option->offset;
    char label[80];
    switch (option->type) {
    case CLI_FLAG:
        if (value == NULL)
            *(bool *)member = true;
        else if (parse_flag(value, (bool *)member) < 0)
            return bad_value(option, value, "true or false", err);
        return 0;
    case CLI_COUNT:
        (*(int *)(void *)member)++;
        return 0;
    case CLI_OPTIONAL:
    case CLI_STRING:
        *(const char **)(void *)member = value == NULL ? "" : value;
        return 0;
    case CLI_LIST:
        return append((const char ***)(void *)member, value) < 0
                   ? cl_fail(err, ENOMEM, "read the command line")
                   : 0;
    case CLI_INT:
        return cl_parse_i64(value, INT64_MIN, INT64_MAX, (int64_t *)(void *)member) < 0
                   ? bad_value(option, value, "a whole number", err)
                   : 0;
    case CLI_BYTES:
        if (cl_streq(value, "-1")) {
            *(int64_t *)(void *)member = -1;
            return 0;
        }
        return cl_parse_bytes(value, (int64_t *)(void *)member) < 0
                   ? bad_value(option, value, "a size such as 512m or 2g", err)
                   : 0;
    case CLI_NANO:
        return cl_parse_nano(value, (int64_t *)(void *)member) < 0
                   ? bad_value(option, value, "a number such as 1.5", err)
                   : 0;
    case CLI_DURATION:
        return parse_seconds(value, (int64_t *)(void *)member) < 0
                   ? bad_value(option, value, "a time such as 10s", err)
                   : 0;
    case CLI_REFUSED:
    default:
        option_label(option, label);
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP, "%s is not possible: %s", label,
                            option->help);
    }
}

/* One pass over argv; *index moves past what an option took. */
struct parse {
    const struct cli_verb *verb;
    int argc, index;
    char **argv;
    void *options;
};

static int take_value(struct parse *parse, const struct cli_option *option, const char **ret,
                      struct cl_error *err)
{
    char label[80];
    if (parse->index < parse->argc) {
        *ret = parse->argv[parse->index++];
        return 0;
    }
    option_label(option, label);
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "flag needs an argument: %s", label);
}

static int parse_long(struct parse *parse, const char *text, struct cl_error *err)
{
    size_t length = strcspn(text + 2, "=");
    const char *value = text[2 + length] == '=' ? text + 3 + length : NULL;
    const struct cli_option *option = find_long(parse->verb, text + 2, length);
    if (option == NULL)
        return unknown_option(parse->verb, text, 2 + length, err);
    if (value == NULL && wants_value(option)) {
        int result = take_value(parse, option, &value, err);
        if (result < 0)
            return result;
    }
    return store_value(option, value, parse->options, err);
}

static int parse_cluster(struct parse *parse, const char *text, struct cl_error *err)
{
    for (const char *letter = text + 1; *letter != '\0'; letter++) {
        const struct cli_option *option = find_letter(parse->verb, *letter);
        const char *value = NULL;
        if (option == NULL)
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "unknown shorthand flag: '%c' in %s",
                                *letter, text);
        bool takes_value = wants_value(option);
        bool may_take = takes_value || option->type == CLI_OPTIONAL; /* -Tparent, -T=parent, -T */
        if (may_take && letter[1] != '\0')
            value = letter[1] == '=' ? letter + 2 : letter + 1;
        else if (!takes_value && letter[1] == '=')
            value = letter + 2;
        else if (takes_value) {
            int result = take_value(parse, option, &value, err);
            if (result < 0)
                return result;
        }
        int result = store_value(option, value, parse->options, err);
        if (result < 0 || value != NULL)
            return result;
    }
    return 0;
}

static void set_initial(const struct cli_verb *verb, void *options)
{
    memset(options, 0, verb->options_size);
    for (size_t i = 0; i < verb->option_count; i++) {
        const struct cli_option *option = &verb->options[i];
        void *member = (char *)options + option->offset;
        if (option->type == CLI_FLAG)
            *(bool *)member = option->initial != 0;
        else if (option->type == CLI_INT || option->type == CLI_BYTES || option->type == CLI_NANO ||
                 option->type == CLI_DURATION)
            *(int64_t *)member = option->initial;
    }
}

static int check_count(const struct cli_verb *verb, int count, struct cl_error *err)
{
    const char *plural = verb->min_arguments == 1 ? "" : "s";
    if (count < verb->min_arguments && verb->min_arguments == verb->max_arguments)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "\"cloche %s\" requires exactly %d argument%s", verb->name,
                            verb->min_arguments, plural);
    if (count < verb->min_arguments)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "\"cloche %s\" requires at least %d argument%s", verb->name,
                            verb->min_arguments, plural);
    if (verb->max_arguments >= 0 && count > verb->max_arguments)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "\"cloche %s\" accepts at most %d argument%s", verb->name,
                            verb->max_arguments, verb->max_arguments == 1 ? "" : "s");
    return 0;
}

int cli_parse(const struct cli_verb *verb, int argc, char **argv, void *options,
              char ***ret_arguments, struct cl_error *err)
{
    struct parse parse = { .verb = verb, .argc = argc, .argv = argv, .options = options };
    char **arguments = cl_calloc((size_t)argc + 1, sizeof *arguments);
    int count = 0, result = 0;
    bool only_operands = false;
    if (arguments == NULL)
        return cl_fail(err, ENOMEM, "read the command line");
    set_initial(verb, options);
    while (result >= 0 && parse.index < argc) {
        char *text = argv[parse.index++];
        if (!only_operands && cl_streq(text, "--")) {
            only_operands = true;
        } else if (!only_operands && cl_starts_with(text, "--")) {
            result = parse_long(&parse, text, err);
        } else if (!only_operands && text[0] == '-' && text[1] != '\0') {
            result = parse_cluster(&parse, text, err);
        } else {
            arguments[count++] = text;
            only_operands = only_operands || verb->options_end_at_argument;
        }
    }
    if (result >= 0)
        result = check_count(verb, count, err);
    if (result < 0) {
        cli_options_done(verb, options);
        free(arguments);
        return result;
    }
    *ret_arguments = arguments;
    return 0;
}

void cli_options_done(const struct cli_verb *verb, void *options)
{
    for (size_t i = 0; i < verb->option_count; i++)
        if (verb->options[i].type == CLI_LIST) {
            const char ***list =
                (const char ***)(void *)((char *)options + verb->options[i].offset);
            free((void *)*list);
            *list = NULL;
        }
}
