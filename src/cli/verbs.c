/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of verbs, and how the words of a command line find theirs.
 *
 * `cloche container VERB` and `cloche image VERB` are Docker's long spellings of most verbs: they are found by dropping or translating the first word.
 */
#include "cli/verbs.h"

#include "cli/cli_private.h"

#define CLI_VERB_ROW(symbol) &cli_verb_##symbol,
const struct cli_verb *const cli_verbs[] = { CLI_VERBS(CLI_VERB_ROW) };
const size_t cli_verb_count = CL_COUNT(cli_verbs);

static const struct {
    const char *group, *word, *verb;
} long_spellings[] = {
    { "container", "attach", "attach" },
    { "container", "create", "create" },
    { "container", "exec", "exec" },
    { "container", "kill", "kill" },
    { "container", "list", "ps" },
    { "container", "logs", "logs" },
    { "container", "ls", "ps" },
    { "container", "pause", "pause" },
    { "container", "ps", "ps" },
    { "container", "remove", "rm" },
    { "container", "rename", "rename" },
    { "container", "restart", "restart" },
    { "container", "rm", "rm" },
    { "container", "run", "run" },
    { "container", "start", "start" },
    { "container", "stop", "stop" },
    { "container", "top", "top" },
    { "container", "unpause", "unpause" },
    { "container", "wait", "wait" },
    { "image", "import", "import" },
    { "image", "list", "images" },
    { "image", "load", "load" },
    { "image", "ls", "images" },
    { "image", "remove", "rmi" },
    { "image", "rm", "rmi" },
    { "image", "tag", "tag" },
    { "system", "info", "info" },
};

static const struct cli_verb *by_name(const char *name)
{
    for (size_t i = 0; i < cli_verb_count; i++)
        if (cl_streq(cli_verbs[i]->name, name))
            return cli_verbs[i];
    return NULL;
}

const struct cli_verb *cli_find_verb(int argc, char **argv, int *ret_used)
{
    char pair[128];
    if (argc < 1)
        return NULL;
    *ret_used = 1;
    const struct cli_verb *verb = by_name(argv[0]);
    if (verb != NULL || argc < 2)
        return verb;
    *ret_used = 2;
    if (CL_PRINT(pair, "%s %s", argv[0], argv[1]) == 0 && (verb = by_name(pair)) != NULL)
        return verb;
    for (size_t i = 0; i < CL_COUNT(long_spellings); i++)
        if (cl_streq(long_spellings[i].group, argv[0]) && cl_streq(long_spellings[i].word, argv[1]))
            return by_name(long_spellings[i].verb);
    return NULL;
}

size_t cli_verbs_of_group(const char *group, const char **ret_words, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < CL_COUNT(long_spellings) && count < size; i++)
        if (cl_streq(long_spellings[i].group, group))
            ret_words[count++] = long_spellings[i].word;
    for (size_t i = 0; i < cli_verb_count && count < size; i++) {
        size_t length = strlen(group);
        if (strncmp(cli_verbs[i]->name, group, length) == 0 && cli_verbs[i]->name[length] == ' ')
            ret_words[count++] = cli_verbs[i]->name + length + 1;
    }
    return count;
}
