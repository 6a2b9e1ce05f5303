/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room ocicli only: a container while it is made: planned (plan.c), then made by create and run (create.c) or by restore
 * (restore.c).
 */
#pragma once

#include "ocicli/private.h"

#include <limits.h>

struct create_options {
    const char *bundle, *config, *console_socket, *pid_file, *pidfd_socket, *preserve_fds, *trace,
        *format;
    bool no_new_keyring, no_pivot, no_subreaper, detach, keep;
};

/* All that is there while a container is created. */
struct creation {
    const struct ocicli *cli;
    const struct create_options *flags;
    char bundle[PATH_MAX];
    char *text; /* of config.json */
    size_t size;
    struct cl_json *document; /* likewise, parsed: kept only to be freed late */
    struct oci_spec *spec;
    struct runtime_facts facts;
    bool has_facts;
    struct runtime_options options;
    char state_dir[PATH_MAX];
    char cgroup[256];
    struct runtime_scope scope;
    struct runtime_io io;
    struct runtime_plan *plan;
    struct container container;
    int listener;
    int trace; /* 0: none */
    struct timespec trace_since;
    bool is_started_later;
    struct runtime_process process;
};
void creation_init(struct creation *creation, const struct ocicli *cli,
                   const struct create_options *flags);
void creation_done(struct creation *creation);

/* Nothing is made by it. */
int creation_plan(struct creation *creation, const char *id, bool is_detached,
                  struct cl_error *err);
/* state.json of the claimed directory, as it is before there is a process. */
int creation_record(struct creation *creation, struct cl_error *err);
/* Its first process and what was made for it, into state.json or the file of that name. */
int creation_record_process(struct creation *creation, const struct runtime_process *process,
                            const char *name, struct cl_error *err);
/* The spec into the directory: runtime_options.while_init_works, with the creation. */
int creation_keep_spec(void *context, const struct runtime_process *process, struct cl_error *err);
int creation_end_process(struct creation *creation, struct cl_error *err);
/* In the foreground: until its end, then it is deleted unless that was not wanted. */
int creation_follow(struct creation *creation, struct cl_error *err);
