/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room lens only: what `cloche view` shows, as a list of rows. Each part of view_parts[] (view.c) reads one aspect of the target and adds
 * its rows; a new aspect is a function and a table row. Rendering is view_print.c.
 */
#pragma once

#include "lens/inside.h"
#include "lens/names.h"

enum view_verdict {
    VIEW_NONE,        /* nothing to compare */
    VIEW_OWN,         /* the target has its own */
    VIEW_SHARED,      /* the host's */
    VIEW_SHARED_WITH, /* another container's: `with` */
    VIEW_SAME,        /* no namespace's matter, and as on the host */
};
#define VIEW_VERDICTS 5

struct view_row {
    const char *section; /* "process", "namespace", "network", …: JSON groups by it */
    const char *name;    /* "pid", "hostname", "mnt" */
    bool is_item;        /* one of a list: a JSON array */
    char *host, *inside; /* raw text from outside; owned; NULL: empty */
    enum view_verdict verdict;
    char *with; /* owned */
};

struct view {
    bool is_full; /* for a comparison: lists also what is the host's, and every mount */
    int proc_fd;  /* borrowed */
    int pid_fd;   /* /proc/PID of the target: all reads go through it */
    int host_fd;  /* /proc of the process that stands for the host: init, or ourselves */
    int root_fd;  /* the target's root, O_PATH: for inroot reads only; or -EBADF */
    struct lens_target target;
    struct procfs_stat stat;
    struct procfs_status status, host_status;
    struct lens_directory directory;
    uint64_t host_ns[K_NS_COUNT], inside_ns[K_NS_COUNT]; /* 0: hidden */
    enum view_verdict verdicts[K_NS_COUNT];              /* after view_judge */
    const char *with[K_NS_COUNT];                        /* container that shares it; borrowed */
    struct lens_snapshot *snapshot;                      /* where it was found; or NULL */
    struct view_row *rows;
    size_t count, room;
};

typedef int view_part(struct view *view);
/* "host" stands for the host's init, or for ourselves where its namespaces are hidden. view_done also after a failure. */
int view_open(struct view *view, const char *reference, const struct lens_names *names,
              struct cl_error *err);
/* Let the parts add their rows; fails when the process has ended meanwhile. */
int view_fill(struct view *view, view_part *const *parts, size_t count, struct cl_error *err);
void view_done(struct view *view);

/* All texts are taken, also on failure; NULL texts are allowed. 0 or -ENOMEM. */
int view_add(struct view *view, const struct view_row *take_row);
/* The same for a plain row; a NULL text means that there was no memory for it. */
int view_add_pair(struct view *view, const char *section, const char *name, char *take_host,
                  char *take_inside);
/* One of a list; either side may be NULL: empty. */
int view_add_item(struct view *view, const char *section, const char *name, char *take_host,
                  char *take_inside);
/* "hidden (needs CAP_SYS_PTRACE)" and the like for a negative errno, owned; NULL: out of memory. */
char *view_hidden(int code, const char *capability);
bool view_shares(const struct view *view, enum k_ns type); /* known to be the same namespace */
/* Path on the host of what is at `root` of the file system major:minor, owned, or NULL where no host mount shows it. -ENOMEM in *code. */
char *view_host_path(const struct view *view, unsigned major, unsigned minor, const char *root,
                     int *code);

/* The parts. 0 or -errno (only for want of memory: what can't be read is a row that says so). */
view_part view_pids; /* view_process.c */
view_part view_hostname;
view_part view_user;
view_part view_command;
view_part view_namespaces;
view_part view_root;        /* view_files.c */
view_part view_mounts;      /* view_mounts.c */
view_part view_descriptors; /* view_descriptors.c */
view_part view_cgroup;      /* view_cgroup.c */
view_part view_limits;
view_part view_network; /* view_system.c */
view_part view_ipc;
view_part view_clocks;
view_part view_security; /* view_security.c */

/* ---- verdicts (view_verdict.c) ---- */

/* Which namespaces are own, the host's, or another container's. After view_open; view_namespaces shows it. 0 or -ENOMEM. */
int view_judge(struct view *view);
/* Give each row the verdict of the namespace whose matter it is. After view_fill. */
void view_judge_rows(struct view *view);
/* "own", "shared", …: as in JSON; "" for VIEW_NONE. */
const char *view_verdict_word(enum view_verdict verdict);
/* What it means to share a namespace with the host, and the flag of `cloche run` that would make it private; NULL: there is none. */
struct view_sharing {
    const char *meaning, *flag;
};
extern const struct view_sharing view_sharing[K_NS_COUNT];

/* ---- output ---- */

/* The items of a list have their name once. */
bool view_is_continued(const struct view *view, size_t index);
/* "pid 123 (box)", what is looked at, owned. */
char *view_title(const struct view *view);
/* The sections, in the order in which they are shown. */
struct view_section {
    const char *key, *rows, *heading; /* in JSON, in struct view_row, for people */
};
extern const struct view_section view_sections[];
extern const size_t view_section_count;
int view_print_json(const struct view *view, FILE *out);
int view_print_html(const struct view *view, FILE *out);
int view_print(const struct view *view, const struct lens_view_options *options, FILE *out);
