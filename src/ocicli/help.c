/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people read: --help, and the manual page (man(7)), both made from the option tables.
 */
#include "ocicli/private.h"

/* ---- help ---- */

static void print_options(const struct verb *verb)
{
    for (size_t i = 0; i < verb->option_count; i++) {
        const struct option_row *row = &verb->options[i];
        char letter[8] = "    ", left[80];
        if (row->type == OPTION_REFUSED)
            continue;
        if (row->letter != 0)
            (void)CL_PRINT(letter, "-%c, ", row->letter);
        (void)CL_PRINT(left, "%s--%s %s", letter, row->name, row->argument);
        (void)printf("  %-32s %s\n", left, row->help);
    }
    for (size_t i = 0; i < verb->option_count; i++)
        if (verb->options[i].type == OPTION_REFUSED)
            (void)printf("  refused: --%s: %s\n", verb->options[i].name, verb->options[i].help);
}

void help_print(const struct verb *whole, const struct verb *const *verbs, size_t count)
{
    (void)fputs("Usage:  cloche-runtime [OPTIONS] COMMAND\n\nAn OCI runtime: containers from "
                "bundles.\n\nCommands:\n",
                stdout);
    for (size_t i = 0; i < count; i++)
        (void)printf("  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
    (void)fputs("\nGlobal Options:\n", stdout);
    print_options(whole);
    (void)fputs("\nRun 'cloche-runtime COMMAND --help' for more information on a command.\n",
                stdout);
}

void help_print_verb(const struct verb *verb)
{
    (void)printf("Usage:  cloche-runtime %s %s\n\n%s\n", verb->name, verb->synopsis, verb->summary);
    if (verb->option_count > 0)
        (void)fputs("\nOptions:\n", stdout);
    print_options(verb);
}

/* ---- the manual page ---- */

static void roff(const char *text)
{
    for (; *text != '\0'; text++)
        (void)fputs(*text == '\\'  ? "\\e"
                    : *text == '-' ? "\\-"
                                   : (const char[]){ *text, '\0' },
                    stdout);
}

static void man_options(const struct verb *verb)
{
    for (size_t i = 0; i < verb->option_count; i++) {
        const struct option_row *row = &verb->options[i];
        (void)fputs(".TP\n.B ", stdout);
        if (row->letter != 0)
            (void)printf("\\-%c, ", row->letter);
        (void)fputs("\\-\\-", stdout);
        roff(row->name);
        (void)printf("%s%s\n%s", row->argument[0] != '\0' ? " " : "", row->argument,
                     row->type == OPTION_REFUSED ? "Refused: " : "");
        roff(row->help);
        (void)fputs("\n", stdout);
    }
}

void help_print_man(const struct verb *whole, const struct verb *const *verbs, size_t count)
{
    (void)fputs(".TH CLOCHE\\-RUNTIME 8 \"\" \"Cloche " CLOCHE_VERSION "\"\n"
                ".SH NAME\ncloche\\-runtime \\- an OCI runtime: containers from bundles\n"
                ".SH SYNOPSIS\n.B cloche\\-runtime\n[OPTIONS] COMMAND [ARG...]\n"
                ".SH DESCRIPTION\n"
                "Creates and runs containers as the OCI runtime specification describes them: a "
                "directory (the bundle) holds config.json and a root file system. The command line "
                "is runc's, so that engines can call it in runc's place, as in\n"
                ".B podman \\-\\-runtime /usr/local/bin/cloche\\-runtime\nrun. What it can't do is "
                "refused with "
                "the reason.\n.SH OPTIONS\n",
                stdout);
    man_options(whole);
    (void)fputs(".SH COMMANDS\n", stdout);
    for (size_t i = 0; i < count; i++) {
        (void)printf(".SS %s ", verbs[i]->name);
        roff(verbs[i]->synopsis);
        (void)fputs("\n", stdout);
        roff(verbs[i]->summary);
        (void)fputs(".\n", stdout);
        man_options(verbs[i]);
    }
    (void)fputs(
        ".SH EXIT STATUS\n"
        "0 on success, 1 on failure. run, exec and restore: the program's own code, "
        "128+N when signal N ended it, 126 when it can't be executed, 127 when it does not exist; "
        "255 when exec itself failed.\n"
        ".SH FILES\n.TP\n.I /run/cloche\\-runtime/ID\nwhat is known of a container\n"
        ".TP\n.I /etc/criu/runc.conf\nCRIU's configuration for checkpoint and restore, "
        "as with runc; the annotation org.criu.config names another, or none (empty)\n"
        ".SH SEE ALSO\n.BR cloche (1)\n",
        stdout);
}
