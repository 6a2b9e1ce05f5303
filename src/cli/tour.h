/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside `cloche tour` only. tour.c walks through the stages; tour_stages.c performs each on this very machine and checks by itself, from /proc, what the
 * text claims; tour_run.c runs and shows commands; tour_texts.c holds what is said, one table for each language.
 *
 * A stage that does not hold ends the tour with an error: the tour teaches nothing that is not so here.
 */
#pragma once

#include "cli/cli_private.h"
#include "kernel/nsfs.h"
#include "kernel/procfs.h"

enum tour_stage {
    TOUR_START,
    TOUR_PS_INSIDE,
    TOUR_PS_OUTSIDE,
    TOUR_STATE,
    TOUR_LINKS,
    TOUR_LSNS,
    TOUR_MNT,
    TOUR_PID,
    TOUR_NET,
    TOUR_IPC,
    TOUR_UTS,
    TOUR_CGROUP,
    TOUR_TIME,
    TOUR_USER,
    TOUR_VIEW,
    TOUR_EXEC,
    TOUR_OPEN,
    TOUR_END,
    TOUR_STAGES,
};

/* ---- what is said (tour_texts.c) ---- */

struct tour_text {
    const char *title;
    const char *before; /* what will be done and why */
    const char *after;  /* what was seen, and what it means */
};
struct tour_language {
    const char *name; /* "en", "zh-TW" */
    const char *welcome;
    const char *prompt;   /* Enter goes on, q leaves */
    const char *checked;  /* before a fact that the tour has made sure of */
    const char *more[2];  /* "… and", "more lines" */
    const char *another;  /* the kernel has given the number of a namespace to a new one */
    const char *left;     /* said when the tour was left */
    const char *farewell; /* said at its end */
    struct tour_text stages[TOUR_STAGES];
};
extern const struct tour_language tour_languages[];
extern const size_t tour_language_count;
/* "en", "zh-TW", any case and also as in LANG ("zh_TW.UTF-8"). NULL: unknown. */
const struct tour_language *tour_language_find(const char *name);

/* ---- the tour itself ---- */

struct tour {
    struct cli *cli;
    const struct tour_language *language;
    bool is_yes, is_colour;
    int proc_fd;
    char name[32];     /* of the container; NAME-open is the other's */
    pid_t init, child; /* the shell and its sleep, as the host knows them */
    uint64_t init_start;
    int segment;  /* System V segment of ours, or -1 */
    char *output; /* of the last command; owned */
};

/* Does the stage, in the language's order. 0, or negative with err set: it does not hold here, or could not be done. */
int tour_stage_run(struct tour *tour, enum tour_stage stage, struct cl_error *err);

/* ---- commands (tour_run.c) ---- */

enum tour_how {
    TOUR_SHOW = 0,
    TOUR_MAY_FAIL = 1, /* its failure is what is to be seen */
    TOUR_LONG = 4,     /* all of its output */
    TOUR_QUIET = 2,    /* neither shown nor interrupted: cleaning up */
};
/* Runs a program of the host by its name, or (words[0] is "cloche") ourselves, shows the command line and what it prints, and keeps that in tour->output.
   Returns its exit code; negative with err set: it could not run, or failed although it may not. */
int tour_command(struct tour *tour, enum tour_how how, const char *const *words,
                 struct cl_error *err);
#define TOUR_COMMAND(tour, how, err, ...)                                                          \
    tour_command(tour, how, (const char *const[]){ __VA_ARGS__, NULL }, err)
/* "✓ FACT" */
void tour_fact(const struct tour *tour, const char *fmt, ...) CL_PRINTF(2, 3);
/* SIGINT, SIGTERM or SIGHUP has come. */
bool tour_is_interrupted(void);
void tour_watch_signals(void);
/* Until standard input has something, or its end; false: a signal has come, at whatever moment. */
bool tour_wait_for_input(void);
