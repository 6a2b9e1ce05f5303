/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche tour: what isolation really is, shown on the user's own machine. This file walks through the stages and, however the walk ends (Enter to the
 * last, q, ^C, a stage that does not hold), removes what was made.
 */
#include "cli/tour.h"

#include <errno.h>
#include <sys/shm.h>

struct tour_options {
    bool is_yes, is_non_interactive;
    const char *lang;
};

static const struct cli_option options_table[] = {
    CLI_ROW("lang", 0, CLI_STRING, "en|zh-TW",
            "Language (default: as LC_ALL, LC_MESSAGES or LANG say)", struct tour_options, lang),
    CLI_ROW("non-interactive", 0, CLI_FLAG, NULL, "The same as --yes", struct tour_options,
            is_non_interactive),
    CLI_ROW("yes", 'y', CLI_FLAG, NULL, "Go on without waiting for Enter", struct tour_options,
            is_yes),
};

static int choose_language(const char *given, const struct tour_language **ret,
                           struct cl_error *err)
{
    static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    const char *name = given;
    for (size_t i = 0; name == NULL && i < CL_COUNT(variables); i++) {
        const char *value = getenv(variables[i]);
        name = value != NULL && value[0] != '\0' ? value : NULL;
    }
    const struct tour_language *language = name == NULL ? NULL : tour_language_find(name);
    if (language == NULL && given != NULL)
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "unknown language: %s; known are en and zh-TW", given);
    *ret = language == NULL ? &tour_languages[0] : language;
    return 0;
}

static void print_heading(const struct tour *tour, enum tour_stage stage)
{
    const struct tour_text *text = &tour->language->stages[stage];
    (void)printf("\n%s\u2500\u2500 %d/%d  %s%s\n\n%s\n\n", tour->is_colour ? "\033[1;36m" : "",
                 (int)stage + 1, (int)TOUR_STAGES, text->title, tour->is_colour ? "\033[0m" : "",
                 text->before);
    (void)fflush(stdout);
}

/* True: go on. q and the end of the input leave. */
static bool ask(const struct tour *tour)
{
    bool wants_on = true;
    char key = '\0';
    if (tour->is_yes || tour_is_interrupted())
        return !tour_is_interrupted();
    (void)printf("\n%s ", tour->language->prompt);
    (void)fflush(stdout);
    for (char last = '\0'; last != '\n';) {
        if (!tour_wait_for_input() || read(STDIN_FILENO, &last, 1) != 1)
            return false;
        key = key == '\0' ? last : key;
    }
    wants_on = key != 'q' && key != 'Q';
    return wants_on;
}

static int walk(struct tour *tour, bool *ret_is_whole, struct cl_error *err)
{
    (void)printf("%s\n", tour->language->welcome);
    for (int stage = 0; stage < TOUR_STAGES; stage++) {
        if (!ask(tour))
            return 0;
        print_heading(tour, (enum tour_stage)stage);
        int code = tour_stage_run(tour, (enum tour_stage)stage, err);
        if (tour_is_interrupted())
            return 0; /* whatever it broke off */
        if (code < 0)
            return code;
        (void)printf("\n%s\n", tour->language->stages[stage].after);
        code = cli_flush(err);
        if (code < 0)
            return code;
    }
    *ret_is_whole = true;
    return 0;
}

/* What may be there of ours; what is not, needs no removal. */
static void clean_up(struct tour *tour)
{
    char other[48];
    (void)CL_PRINT(other, "%s-open", tour->name); /* fits */
    (void)TOUR_COMMAND(tour, TOUR_QUIET | TOUR_MAY_FAIL, NULL, "cloche", "rm", "-f", tour->name);
    (void)TOUR_COMMAND(tour, TOUR_QUIET | TOUR_MAY_FAIL, NULL, "cloche", "rm", "-f", other);
    if (tour->segment >= 0)
        (void)shmctl(tour->segment, IPC_RMID, NULL);
    free(tour->output);
}

static int tour(struct cli *cli, void *data, char **arguments, struct cl_error *err)
{
    (void)arguments;
    const struct tour_options *options = data;
    bool is_whole = false;
    char random[8];
    struct tour tour = { .cli = cli,
                         .is_yes = options->is_yes || options->is_non_interactive,
                         .is_colour = cli_is_terminal(STDOUT_FILENO),
                         .segment = -1 };
    int code = choose_language(options->lang, &tour.language, err);
    if (code < 0)
        return code;
    cl_auto_fd proc_fd = procfs_open_host(err);
    code = proc_fd < 0 ? proc_fd : cl_random_hex(random, 3);
    if (code < 0)
        return cl_fail(err, code, "begin the tour");
    (void)CL_PRINT(tour.name, "tour-%s", random); /* fits */
    tour.proc_fd = proc_fd;
    tour_watch_signals();
    code = walk(&tour, &is_whole, err);
    clean_up(&tour);
    if (code < 0)
        return code;
    (void)printf("\n%s\n", is_whole ? tour.language->farewell : tour.language->left);
    code = cli_flush(err);
    return code < 0 ? code : tour_is_interrupted() ? 130 : 0;
}

const struct cli_verb cli_verb_tour = {
    .name = "tour",
    .synopsis = "[OPTIONS]",
    .summary = "Take a guided tour of what isolates a container, on this machine",
    .description =
        "Starts a container and looks at it from inside and outside: processes, the links in "
        "/proc/PID/ns, what each of the eight namespaces hides, how exec joins them and how --pid "
        "host lets one out. Each command is shown with what it really prints, and the tour checks "
        "in /proc that what it says is so on this machine; a stage that does not hold is an "
        "error.\n"
        "\n"
        "Enter goes on, q leaves. What the tour makes is removed at its end, however it ends. It "
        "speaks English and Traditional Chinese.",
    .examples = "$ cloche tour --yes\n"
                "$ cloche tour --yes --lang zh-TW\n",
    CLI_OPTIONS(options_table),
    .options_size = sizeof(struct tour_options),
    .run = tour,
};
