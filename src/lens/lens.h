/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room lens: who is in which namespace, and what they see of the machine.
 *
 * Three layers: collectors (collect.h) read /proc into a model (model.h: a snapshot of processes and namespaces), renderers turn the model
 * into tables, trees or JSON. This header is what other rooms call. It uses base, kernel and oci; what a container is called comes
 * from the caller through `struct lens_names`, so that the lens works on any process of any engine and knows none.
 *
 * The lens only looks. It never enters a mount, pid or user namespace, never executes or loads anything, and opens paths below a
 * foreign root only through an inroot descriptor. Where the kernel lets nobody read a thing from outside (the hostname of a uts namespace), a
 * throwaway child enters that one namespace, reads, and exits (peek.h). All reads of one process go through one open /proc/PID
 * directory, which stays bound to that process: a pid that is used again is never mixed up with the old one. What may not be read is
 * reported as hidden with the capability that is missing. Text from outside is escaped for the terminal or JSON by the renderers.
 *
 * None of these functions is for threads. All need no privilege for processes of the caller's own user. They print to `out` only when they
 * have everything they will print; a negative return comes with err set and, but for write errors, nothing printed.
 */
#pragma once

#include <stdio.h>

#include "kernel/nsfs.h"
#include "kernel/procfs.h"

/* ---- names: what the engine tells the lens ---- */

struct lens_container {
    char name[256];
    char id[65];     /* hexadecimal, or empty */
    char engine[24]; /* "cloche", "docker", "podman", … */
    pid_t init_pid;  /* in the host's pid namespace; 0 when it does not run */
    uint64_t
        start_ticks; /* of init_pid (procfs_start_ticks), so that a reused pid is no match; 0: unknown */
};

/* Every member may be NULL; then containers go without name. Errors of `list` only cost the names. */
struct lens_names {
    void *context;
    /* All running containers; called at most once per operation. *ret is cl_malloc'ed, freed by the lens. */
    int (*list)(void *context, struct lens_container **ret, size_t *ret_count,
                struct cl_error *err);
    /* One container by name, id or unique id prefix. NOT_FOUND, CONFLICT (ambiguous, not running). */
    int (*find)(void *context, const char *reference, struct lens_container *ret,
                struct cl_error *err);
};

/*
 * What a person means by "NAME or PID": digits that are a running process's pid are that process; anything else (and digits that no
 * process has) goes to names->find, and then to the containers of other engines that can be recognised (engines.h). The start time is checked: -ESRCH with err when the container's init is gone.
 */
struct lens_target {
    pid_t pid;
    uint64_t start_ticks;
    bool is_container;
    struct lens_container container; /* when is_container */
};
int lens_find_target(int proc_fd, const char *reference, const struct lens_names *names,
                     struct lens_target *ret, struct cl_error *err);

/* ---- lsns ---- */

enum lens_tree {
    LENS_TREE_DEFAULT, /* util-linux's rule: by process, unless columns or a flat output were asked for */
    LENS_TREE_NONE, /* --list */
    LENS_TREE_PROCESS,
    LENS_TREE_PARENT,
    LENS_TREE_OWNER,
    LENS_TREE_BOTH, /* ours: below the parent, and what has none below its owner */
};

/* Options of util-linux 2.41's lsns(8), and ours. Zero is the default of each. */
struct lens_lsns_options {
    bool json, raw, no_headings, no_truncate, no_wrap, persistent, output_all, list_columns;
    bool
        keep_alive; /* who holds the namespaces that have no process; with `ns`: all holders of that one */
    enum lens_tree tree;
    const char *columns; /* -o: "NS,TYPE", "+PATH" adds to the default; NULL */
    unsigned types;      /* bits 1 << enum k_ns; 0: all */
    pid_t task;          /* -p: namespaces of this process (its pid inside with `inside`); 0: all */
    uint64_t ns;         /* NAMESPACE: its processes; 0: list namespaces */
    const char *filter;  /* -Q */
    const char *inside;  /* NAME or PID: as lsns would print it there */
    const char *container; /* NAME or PID: only the namespaces that its first process is in */
    unsigned width;        /* of the terminal, for truncation; 0: unlimited */
    bool ascii;            /* tree art without UTF-8 */
    int proc_fd;           /* the procfs to read; 0 or negative: procfs_open_host */
    FILE *
        notes; /* where "hidden: …" goes (standard error); NULL: nowhere. JSON carries it in the document */
};
int lens_lsns(const struct lens_lsns_options *options, const struct lens_names *names, FILE *out,
              struct cl_error *err);

/* "parent", "owner", "process", "" (owner, as lsns -T): 0 and *ret, or -EINVAL. */
int lens_tree_by_name(const char *name, enum lens_tree *ret);

/* ---- ns tree: the hierarchy of user and pid namespaces, and who owns what ---- */

struct lens_tree_options {
    bool all; /* the other six types, too, below the user namespaces that own them */
    bool json, raw, no_headings, no_truncate, ascii;
    unsigned width;
    int proc_fd;
    FILE *notes;
};
int lens_tree(const struct lens_tree_options *options, const struct lens_names *names, FILE *out,
              struct cl_error *err);

/* ---- view: HOST | INSIDE ---- */

struct lens_view_options {
    const char *target; /* NAME or PID */
    bool json, html;    /* html: one page that needs nothing else, no script and no network */
    unsigned width;     /* of the terminal; 0: unlimited */
    int proc_fd;        /* as above */
};
int lens_view(const struct lens_view_options *options, const struct lens_names *names, FILE *out,
              struct cl_error *err);

/* ---- ns diff: what two processes see differently ---- */

struct lens_diff_options {
    const char *a, *b; /* NAME, PID or "host" */
    bool json, no_headings;
    unsigned width;
    int proc_fd;
};
int lens_diff(const struct lens_diff_options *options, const struct lens_names *names, FILE *out,
              struct cl_error *err);

/* ---- ns watch: what happens, as it happens ---- */

struct lens_watch_options {
    const char *const *targets; /* NAME or PID: only these and their descendants; NULL: all */
    unsigned types;             /* bits 1 << enum k_ns: only namespaces of these; 0: everything */
    bool json, no_headings;
    int proc_fd;
};
/* Returns only with an error: without the kernel's process events (kernel/procevents.h: CAP_NET_ADMIN, the initial
   namespaces), or when `out` can't be written. */
int lens_watch(const struct lens_watch_options *options, const struct lens_names *names, FILE *out,
               struct cl_error *err);

/* ---- why: what was refused, what would be, by which layer, and which flag allows it ---- */

struct lens_why_call {
    const char *name;
    uint64_t arguments[6];
    size_t count; /* 0: none given, so where arguments decide, there is no answer */
};
struct lens_why_verdict {
    bool is_allowed;
    bool is_by_arguments; /* they decide, and were not given */
    int error;            /* what the call fails with; 0: the process is ended */
    int capability;       /* which one opens the call in this container's profile, or -1 */
};
struct lens_why_device {
    bool is_block;
    unsigned major, minor;
    char access; /* 'r', 'w' or 'm' */
};
/* What the caller knows of containers and the lens can't read; every member may be NULL or 0. */
struct lens_why_policy {
    void *context;
    uint32_t session; /* that the container's records in the audit log carry; 0: none */
    bool (*is_call)(const char *name);
    const char *(*call_name)(unsigned number);
    /*
     * What the container's filter, made for these capabilities, answers. Negative: it has another filter. `config`, here and below: what another engine gave
     * its OCI runtime (engines.h); NULL for Cloche's own containers, and where it keeps none.
     */
    int (*syscall)(void *context, const struct lens_container *container,
                   const struct cl_json *config, uint64_t capabilities,
                   const struct lens_why_call *call, struct lens_why_verdict *ret);
    /* 1: its rules let it open the device for 'r', 'w' or 'm'; 0: not; negative: not known. */
    int (*device)(void *context, const struct lens_container *container,
                  const struct cl_json *config, const struct lens_why_device *device);
    /* A container that does not run any more: 0, its name and id, and whether it ended for want of memory. */
    int (*ended)(void *context, const char *reference, struct lens_container *ret,
                 bool *ret_oom_killed);
};
struct lens_why_options {
    const char *target;                                               /* NAME or PID */
    const char *const *syscalls, *const *paths, *const *capabilities; /* questions; NULL: none */
    const char *const *command; /* "what would refuse this?"; NULL: none */
    const char *access;         /* for the paths: of "rwx"; NULL: as fits */
    bool json;
    int proc_fd;
};
/* Without a question: what was refused lately. It only reads; nothing is tried. */
int lens_why(const struct lens_why_options *options, const struct lens_names *names,
             const struct lens_why_policy *policy, FILE *out, struct cl_error *err);

/* ---- pid: one process in every pid namespace ---- */

struct lens_pid_options {
    const char *
        process; /* a pid as seen from `inside`, or from here; a container's NAME: its first process */
    const char *inside; /* NAME or PID whose pid namespace the pid is meant in; NULL: ours */
    bool json, no_headings;
    int proc_fd; /* as above */
};
int lens_pid_map(const struct lens_pid_options *options, const struct lens_names *names, FILE *out,
                 struct cl_error *err);
