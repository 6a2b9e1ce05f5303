/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables → options. Deliberately less than the `cloche` command's parser: an OCI runtime's options are flags, texts and lists, and its callers are programs.
 */
#include "ocicli/private.h"

static bool wants_value(const struct option_row *row)
{
    return row->argument[0] != '\0';
}

static const struct option_row *find(const struct verb *verb, const char *name, size_t length)
{
    for (size_t i = 0; i < verb->option_count; i++) {
        const char *known = verb->options[i].name;
        if (strlen(known) == length && strncmp(known, name, length) == 0)
            return &verb->options[i];
    }
    return NULL;
}

static const struct option_row *find_letter(const struct verb *verb, char letter)
{
    for (size_t i = 0; i < verb->option_count; i++)
        if (verb->options[i].letter == letter || verb->options[i].other_letter == letter)
            return &verb->options[i];
    return NULL;
}

static int unknown(const struct verb *verb, const char *text, struct cl_error *err)
{
    const char *words[64];
    size_t count = 0;
    cl_auto_free char *name = cl_strndup(text, strcspn(text, "="));
    for (size_t i = 0; i < verb->option_count && count < CL_COUNT(words); i++)
        if (verb->options[i].type != OPTION_REFUSED)
            words[count++] = verb->options[i].name;
    const char *closest = name == NULL ? NULL : cl_closest(name, words, count);
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "unknown flag: --%s%s%s%s",
                        name == NULL ? text : name, closest == NULL ? "" : "; did you mean --",
                        closest == NULL ? "" : closest, closest == NULL ? "" : "?");
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

static int store(const struct option_row *row, const char *value, void *options,
                 struct cl_error *err)
{
    void *member = (char *)options + row->offset;
    switch ((enum option_type)row->type) {
    case OPTION_FLAG:
        if (value != NULL && !cl_streq(value, "true") && !cl_streq(value, "false"))
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                                "invalid value \"%s\" for --%s: expected true or false", value,
                                row->name);
        *(bool *)member = value == NULL || cl_streq(value, "true");
        return 0;
    case OPTION_STRING:
        *(const char **)member = value;
        return 0;
    case OPTION_LIST:
        return append((const char ***)member, value) < 0
                   ? cl_fail(err, ENOMEM, "read the command line")
                   : 0;
    case OPTION_REFUSED:
    default:
        if (value != NULL && !wants_value(row) && cl_streq(value, "false"))
            return 0; /* what it asks for is what is done */
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP, "--%s is not possible: %s",
                            row->name, row->help);
    }
}

struct parse {
    const struct verb *verb;
    int argc, index;
    char **argv;
    void *options;
};

static int take_value(struct parse *parse, const struct option_row *row, const char **ret,
                      struct cl_error *err)
{
    if (parse->index >= parse->argc)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "flag needs an argument: --%s", row->name);
    *ret = parse->argv[parse->index++];
    return 0;
}

static int parse_long(struct parse *parse, const char *text, struct cl_error *err)
{
    size_t length = strcspn(text, "=");
    const char *value = text[length] == '=' ? text + length + 1 : NULL;
    const struct option_row *row = find(parse->verb, text, length);
    int result = 0;
    if (row == NULL)
        return unknown(parse->verb, text, err);
    if (value == NULL && wants_value(row))
        result = take_value(parse, row, &value, err);
    return result < 0 ? result : store(row, value, parse->options, err);
}

static int parse_letters(struct parse *parse, const char *text, struct cl_error *err)
{
    for (const char *letter = text; *letter != '\0'; letter++) {
        const struct option_row *row = find_letter(parse->verb, *letter);
        const char *value = NULL;
        int result = 0;
        if (row == NULL)
            return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "unknown shorthand flag: '%c' in -%s",
                                *letter, text);
        bool is_last = letter[1] == '\0';
        if (wants_value(row) && !is_last)
            value = letter[1] == '=' ? letter + 2 : letter + 1;
        else if (wants_value(row))
            result = take_value(parse, row, &value, err);
        if (result >= 0)
            result = store(row, value, parse->options, err);
        if (result < 0 || value != NULL)
            return result;
    }
    return 0;
}

/* A long name behind one dash, as runc has it by its library: containerd restores with -no-subreaper. */
static bool is_long(const struct verb *verb, const char *text)
{
    size_t length = strcspn(text, "=");
    return length > 1 && find(verb, text, length) != NULL;
}

static int check_count(const struct verb *verb, int count, struct cl_error *err)
{
    if (count >= verb->min_arguments && (verb->max_arguments < 0 || count <= verb->max_arguments))
        return 0;
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "%s: usage: cloche-runtime %s %s", verb->name,
                        verb->name, verb->synopsis);
}

int parse_options(const struct verb *verb, int argc, char **argv, void *options,
                  char ***ret_arguments, struct cl_error *err)
{
    struct parse parse = { .verb = verb, .argc = argc, .argv = argv, .options = options };
    int count = 0, result = 0;
    bool only_operands = false;
    while (result >= 0 && parse.index < argc) {
        char *text = argv[parse.index++];
        if (!only_operands && cl_streq(text, "--")) {
            only_operands = true;
        } else if (!only_operands && cl_starts_with(text, "--")) {
            result = parse_long(&parse, text + 2, err);
        } else if (!only_operands && text[0] == '-' && text[1] != '\0') {
            result = is_long(verb, text + 1) ? parse_long(&parse, text + 1, err)
                                             : parse_letters(&parse, text + 1, err);
        } else {
            argv[count++] = text; /* of those that were read already */
            only_operands = only_operands || verb->options_end_at_argument;
        }
    }
    if (result >= 0)
        result = check_count(verb, count, err);
    if (result < 0) {
        parse_done(verb, options);
        return result;
    }
    argv[count] = NULL;
    *ret_arguments = argv;
    return 0;
}

void parse_done(const struct verb *verb, void *options)
{
    for (size_t i = 0; i < verb->option_count; i++) {
        void *member = (char *)options + verb->options[i].offset;
        if (verb->options[i].type != OPTION_LIST)
            continue;
        free((void *)*(const char ***)member);
        *(const char ***)member = NULL;
    }
}
