/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that is made from the option tables: --help, the man pages, shell completion.
 */
#include "cli/cli_private.h"
#include "cli/verbs.h"

#include <ctype.h>

/* ---- options in columns ---- */

static void option_left(const struct cli_option *option, char text[static 120])
{
    char letter[8] = "    ", name[80] = "";
    if (option->letter != 0)
        (void)CL_PRINT(letter, "-%c%s", option->letter, option->name != NULL ? ", " : "  ");
    if (option->name != NULL)
        (void)CL_PRINT(name, "--%s", option->name);
    (void)cl_print(text, 120, "%s%s%s%s", letter, name, option->argument != NULL ? " " : "",
                   option->argument != NULL ? option->argument : "");
}

static void print_options(const struct cli_option *options, size_t count, FILE *out)
{
    size_t width = 0;
    char left[120];
    for (size_t i = 0; i < count; i++) {
        if (options[i].type == CLI_REFUSED)
            continue;
        option_left(&options[i], left);
        width = strlen(left) > width ? strlen(left) : width;
    }
    for (size_t i = 0; i < count; i++) {
        if (options[i].type == CLI_REFUSED)
            continue;
        option_left(&options[i], left);
        (void)fprintf(out, "  %-*s   %s\n", (int)width, left, options[i].help);
    }
}

/* ---- help ---- */

static const struct cli_option global_table[] = {
    { .name = "cgroup-parent",
      .type = CLI_STRING,
      .argument = "string",
      .help = "Parent cgroup of containers (default \"cloche\", or CLOCHE_CGROUP_PARENT)" },
    { .name = "help", .type = CLI_FLAG, .help = "Print this help" },
    { .name = "root",
      .type = CLI_STRING,
      .argument = "string",
      .help = "Directory of images and containers (default \"/var/lib/cloche\", or CLOCHE_ROOT)" },
    { .name = "state",
      .type = CLI_STRING,
      .argument = "string",
      .help = "Directory of what a reboot ends (default \"/run/cloche\", or CLOCHE_STATE)" },
    { .name = "version", .letter = 'v', .type = CLI_FLAG, .help = "Print version information" },
};

static void print_overview(FILE *out)
{
    (void)fprintf(out, "Usage:  cloche [OPTIONS] COMMAND\n\n"
                       "Containers, and a look through their glass.\n\nCommands:\n");
    for (size_t i = 0; i < cli_verb_count; i++)
        if (!cli_verbs[i]->is_hidden)
            (void)fprintf(out, "  %-18s %s\n", cli_verbs[i]->name, cli_verbs[i]->summary);
    (void)fprintf(out, "\nGlobal Options:\n");
    print_options(global_table, CL_COUNT(global_table), out);
    (void)fprintf(out, "\nRun 'cloche COMMAND --help' for more information on a command.\n");
}

void cli_print_help(const struct cli_verb *verb, FILE *out)
{
    if (verb == NULL) {
        print_overview(out);
        return;
    }
    (void)fprintf(out, "Usage:  cloche %s %s\n\n%s\n", verb->name, verb->synopsis, verb->summary);
    if (verb->option_count > 0) {
        (void)fprintf(out, "\nOptions:\n");
        print_options(verb->options, verb->option_count, out);
    }
}

/* ---- man pages (man(7)) ---- */

static void roff_text(const char *text, FILE *out)
{
    for (bool line_start = true; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            (void)fputs("\\&", out);
        if (*text == '\\')
            (void)fputs("\\e", out);
        else if (*text == '-')
            (void)fputs("\\-", out);
        else
            (void)fputc(*text, out);
        line_start = *text == '\n';
    }
}

static void man_options(const struct cli_option *options, size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        char left[120];
        if (options[i].type == CLI_REFUSED)
            continue;
        option_left(&options[i], left);
        (void)fputs(".TP\n.B ", out);
        roff_text(left + strspn(left, " "), out);
        (void)fputc('\n', out);
        roff_text(options[i].help, out);
        (void)fputc('\n', out);
    }
}

static void man_refused(const struct cli_verb *verb, FILE *out)
{
    bool headed = false;
    for (size_t i = 0; i < verb->option_count; i++) {
        if (verb->options[i].type != CLI_REFUSED)
            continue;
        if (!headed)
            (void)fputs(".SH OPTIONS OF DOCKER THAT ARE REFUSED\n", out);
        headed = true;
        (void)fputs(".TP\n.B ", out);
        char left[120];
        option_left(&verb->options[i], left);
        roff_text(left + strspn(left, " "), out);
        (void)fputc('\n', out);
        roff_text(verb->options[i].help, out);
        (void)fputc('\n', out);
    }
}

static void man_paragraphs(const char *text, FILE *out)
{
    while (*text != '\0') {
        const char *end = strstr(text, "\n\n");
        cl_auto_free char *paragraph =
            end == NULL ? cl_strdup(text) : cl_strndup(text, (size_t)(end - text));
        if (paragraph != NULL)
            roff_text(paragraph, out);
        (void)fputs("\n.PP\n", out);
        text = end == NULL ? text + strlen(text) : end + 2;
    }
}

static void man_examples(const char *text, FILE *out)
{
    (void)fputs(".SH EXAMPLES\n.EX\n", out);
    roff_text(text, out);
    (void)fputs(".EE\n", out);
}

static void man_heading(const char *page, const char *summary, FILE *out)
{
    char upper[80];
    size_t length = strlen(page) < sizeof upper - 1 ? strlen(page) : sizeof upper - 1;
    for (size_t i = 0; i < length; i++)
        upper[i] = (char)toupper((unsigned char)page[i]);
    upper[length] = '\0';
    (void)fprintf(out, ".\\\" Made from the option tables by 'cloche man %s'.\n", page);
    (void)fprintf(out, ".TH %s 1 \"\" \"cloche %s\" \"Cloche\"\n.SH NAME\n", upper, CLOCHE_VERSION);
    roff_text(page, out);
    (void)fputs(" \\- ", out);
    roff_text(summary, out);
    (void)fputc('\n', out);
}

static void man_of_verb(const struct cli_verb *verb, const char *page, FILE *out)
{
    man_heading(page, verb->summary, out);
    (void)fprintf(out, ".SH SYNOPSIS\n.B cloche %s\n", verb->name);
    roff_text(verb->synopsis, out);
    (void)fputs("\n.SH DESCRIPTION\n", out);
    man_paragraphs(verb->description != NULL ? verb->description : verb->summary, out);
    if (verb->option_count > 0)
        (void)fputs(".SH OPTIONS\n", out);
    man_options(verb->options, verb->option_count, out);
    man_refused(verb, out);
    if (verb->examples != NULL)
        man_examples(verb->examples, out);
    (void)fputs(".SH SEE ALSO\n.BR cloche (1)\n", out);
}

static void page_name(const struct cli_verb *verb, char name[static 80])
{
    (void)cl_print(name, 80, "cloche-%s", verb->name);
    for (char *space = name; *space != '\0'; space++)
        if (*space == ' ')
            *space = '-';
}

static void man_of_all(FILE *out)
{
    man_heading("cloche", "containers, and a look through their glass", out);
    (void)fputs(".SH SYNOPSIS\n.B cloche\n[OPTIONS] COMMAND\n.SH DESCRIPTION\n", out);
    man_paragraphs(
        "Cloche runs containers with Docker's command line, without a daemon, and shows what a "
        "container sees beside what the host sees. Each command has a page of its own.",
        out);
    (void)fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < cli_verb_count; i++) {
        char name[80];
        if (cli_verbs[i]->is_hidden)
            continue;
        page_name(cli_verbs[i], name);
        (void)fprintf(out, ".TP\n.BR %s (1)\n%s\n", name, cli_verbs[i]->summary);
    }
    (void)fputs(".SH OPTIONS\n", out);
    man_options(global_table, CL_COUNT(global_table), out);
    (void)fputs(
        ".SH EXIT STATUS\n"
        "0 on success. 125 when the command line can't be understood, and when 'run' itself "
        "failed; "
        "126 when a container's command can't be executed, 127 when it does not exist; 128+N when "
        "signal N ended it; otherwise the command's own code. 1 for every other failure.\n"
        ".SH FILES\n.TP\n.I /var/lib/cloche\nimages and containers\n.TP\n.I /run/cloche\n"
        "locks and sockets\n",
        out);
}

int cli_print_man(const char *page, FILE *out, struct cl_error *err)
{
    char name[80];
    if (cl_streq(page, "cloche")) {
        man_of_all(out);
        return 0;
    }
    for (size_t i = 0; i < cli_verb_count; i++) {
        page_name(cli_verbs[i], name);
        if (!cl_streq(page, name))
            continue;
        man_of_verb(cli_verbs[i], page, out);
        return 0;
    }
    return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT,
                        "no page %s; pages are cloche and cloche-COMMAND", page);
}

/* ---- completion ---- */

static void bash_words(const struct cli_verb *verb, FILE *out)
{
    (void)fprintf(out, "    \"%s\") words=\"", verb->name);
    for (size_t i = 0; i < verb->option_count; i++)
        if (verb->options[i].type != CLI_REFUSED && verb->options[i].name != NULL)
            (void)fprintf(out, "--%s ", verb->options[i].name);
    (void)fprintf(out, "--help\" ;;\n");
}

static void bash_completion(FILE *out)
{
    (void)fputs("# bash completion for cloche, made by 'cloche completion bash'\n"
                "_cloche() {\n"
                "    local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} words=\"\"\n"
                "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"",
                out);
    for (size_t i = 0; i < cli_verb_count; i++)
        if (!cli_verbs[i]->is_hidden && strchr(cli_verbs[i]->name, ' ') == NULL)
            (void)fprintf(out, "%s ", cli_verbs[i]->name);
    (void)fputs("\"\n    elif [ \"${word#-}\" != \"$word\" ]; then\n    case $verb in\n", out);
    for (size_t i = 0; i < cli_verb_count; i++)
        if (!cli_verbs[i]->is_hidden && strchr(cli_verbs[i]->name, ' ') == NULL)
            bash_words(cli_verbs[i], out);
    (void)fputs("    esac\n"
                "    else case $verb in\n"
                "    run|create|rmi|tag) words=$(cloche images --format '{{.Repository}}:{{.Tag}}' "
                "2>/dev/null) ;;\n"
                "    start|rm) words=$(cloche ps -a --format '{{.Names}}' 2>/dev/null) ;;\n"
                "    *) words=$(cloche ps --format '{{.Names}}' 2>/dev/null) ;;\n"
                "    esac; fi\n"
                "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
                "}\ncomplete -o default -F _cloche cloche\n",
                out);
}

int cli_print_completion(const char *shell, FILE *out, struct cl_error *err)
{
    if (!cl_streq(shell, "bash"))
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                            "completion for %s is not built yet; bash is there", shell);
    bash_completion(out);
    return 0;
}

/* ---- the verbs ---- */

static int help(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    int used, count = (int)cl_strv_count((const char *const *)arguments);
    const struct cli_verb *verb = cli_find_verb(count, arguments, &used);
    if (count > 0 && verb == NULL)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "unknown command: %s", arguments[0]);
    cli_print_help(verb, stdout);
    return cli_flush(err);
}

/* Without a page: the names of all pages, which is what the build asks for. */
static int man(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    int result = 0;
    if (arguments[0] != NULL) {
        result = cli_print_man(arguments[0], stdout, err);
    } else {
        (void)puts("cloche");
        for (size_t i = 0; i < cli_verb_count; i++) {
            char name[80];
            page_name(cli_verbs[i], name);
            if (!cli_verbs[i]->is_hidden)
                (void)puts(name);
        }
    }
    return result < 0 ? result : cli_flush(err);
}

static int completion(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    int result = cli_print_completion(arguments[0], stdout, err);
    return result < 0 ? result : cli_flush(err);
}

const struct cli_verb cli_verb_help = {
    .name = "help",
    .synopsis = "[COMMAND]",
    .summary = "Show help for a command",
    .examples = "$ cloche help run\n",
    .max_arguments = 2,
    .run = help,
};

const struct cli_verb cli_verb_man = {
    .name = "man",
    .synopsis = "[PAGE]",
    .summary = "Print a manual page in man(7) form, or the names of all pages",
    .examples = "$ cloche man cloche-run >cloche-run.1\n",
    .max_arguments = 1,
    .run = man,
};

const struct cli_verb cli_verb_completion = {
    .name = "completion",
    .synopsis = "SHELL",
    .summary = "Print the completion script for a shell (bash)",
    .examples = "$ cloche completion bash >cloche.bash\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = completion,
};
