/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks inside the room: hooks.c has the table of who runs which, and where.
 */
#pragma once

#include "runtime/child.h"

/* One kind of hooks, and what all of them get. Everything is borrowed. */
struct hooks_run {
    const struct oci_spec *spec;
    enum runtime_hooks kind;
    struct runtime_hook_state about;
    const char *cwd; /* their working directory; NULL or gone: "/" */
    struct hooks_output output;
    bool is_init; /* run by a container's init */
};
int hooks_run_at(const struct hooks_run *run, size_t index, struct cl_error *err);
/* In order; the first failure ends it. The error begins with "hooks.KIND[INDEX]: PATH". */
int hooks_run_all(const struct hooks_run *run, struct cl_error *err);

/* The files of the annotations, opened in the caller's mount namespace; -EBADF where there is none. */
int hooks_open_output(const struct oci_spec *spec, struct hooks_output *ret, struct cl_error *err);
void hooks_close_output(struct hooks_output *output);
/* Of the signals that mean our end, for who has them blocked; readable until then. Negative: none, they wait. */
int hooks_open_signals(void);
void hooks_take_signal(int signals);
/* A memfd with the state as JSON, its offset at the end. */
int hooks_state(const struct oci_spec *spec, enum runtime_hooks kind,
                const struct runtime_hook_state *about, int *ret_fd, struct cl_error *err);
