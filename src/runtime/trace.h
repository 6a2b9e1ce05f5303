/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling a watcher what a start does, step by step (wire/trace.h), and what each step is for, in words. Private to the room, but for
 * runtime_step_find in runtime.h.
 *
 * Off (no trace descriptor) it is a comparison a step.
 */
#pragma once

#include "runtime/runtime.h"
#include "seccomp/seccomp.h"

#include <time.h>

struct trace {
    int fd; /* borrowed; 0 or negative: nobody watches */
    bool waits, is_init;
    bool has_lines;        /* fd is a file: it gets lines instead of packets */
    struct timespec since; /* by trace_now; for lines */
};
/* Of the options of these names. */
struct trace trace_to(int fd, const struct timespec *since, bool is_init);
/* Say that the step begins, and wait for the word to go on where there is to be one. 0, or -ECANCELED. */
int trace_begin(const struct trace *trace, const char *name, struct timespec *ret_start);
/* Packets alone: the step will be done, and nothing will be heard of it. */
void trace_unheard(const struct trace *trace, const char *name);
/* Whether `filter` lets everything through that telling a step needs: system calls of this file. */
bool trace_passes(const struct trace *trace, const struct seccomp_filter *filter);
void trace_end(const struct trace *trace, const char *name, pid_t pid,
               const struct timespec *start);
/* Lines alone: the step has failed; a step that has no end, or none that can be told. */
void trace_failed(const struct trace *trace, const char *name, const struct timespec *start);
void trace_endless(const struct trace *trace, const char *name);
/* Add the step to its error: `… (step "apply mounts")`. At the end, as engines match the beginning; not where it is the program that can't be executed. */
void trace_name_step(struct cl_error *err, const char *name);

/* The error of a start that was stopped before this step: -ECANCELED. */
int trace_stopped(const char *name, struct cl_error *err);

/* Every step's sentence; the steps of the parent are here alone. */
extern const struct runtime_step runtime_steps[];
extern const size_t runtime_step_count;
