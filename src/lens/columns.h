/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns of lsns: one table row each, from which heading, JSON key and type, help, filter names and the cost of filling it come.
 * The first thirteen are util-linux's (lsns(8) 2.41); the others are ours.
 */
#pragma once

#include "lens/inside.h"
#include "lens/names.h"

enum lens_column {
    LENS_COLUMN_NS,
    LENS_COLUMN_TYPE,
    LENS_COLUMN_PATH,
    LENS_COLUMN_NPROCS,
    LENS_COLUMN_PID,
    LENS_COLUMN_PPID,
    LENS_COLUMN_COMMAND,
    LENS_COLUMN_UID,
    LENS_COLUMN_USER,
    LENS_COLUMN_NETNSID,
    LENS_COLUMN_NSFS,
    LENS_COLUMN_PNS,
    LENS_COLUMN_ONS,
    LENS_COLUMN_CONTAINER,
    LENS_COLUMN_ENGINE,
    LENS_COLUMN_HELD,
    LENS_COLUMN_NSPID,
    LENS_COLUMN_UIDMAP,
    LENS_COLUMN_GIDMAP,
    LENS_COLUMN_COUNT,
};
#define LENS_COLUMNS_UTIL_LINUX LENS_COLUMN_CONTAINER /* how many are util-linux's */

/* What a column needs to have been collected. */
enum lens_need {
    LENS_NEED_NOTHING = 0,
    LENS_NEED_COMMAND = 1,
    LENS_NEED_RELATIONS = 2,
    LENS_NEED_NETNSID = 4,
    LENS_NEED_NAMES = 8,
    LENS_NEED_IDS = 16,
    LENS_NEED_MAPS = 32,
    LENS_NEED_HOLDERS = 64, /* all of them, also in other mount namespaces */
};

/* One line of the output: a namespace and the process that is shown for it (none: LENS_NONE). */
struct lens_row {
    uint32_t ns, process;
};
struct lens_sight {
    const struct lens_snapshot *snapshot;
    const struct lens_inside *inside; /* NULL: the host's own */
    struct lens_directory *directory; /* finds and remembers */
    bool no_wrap;
};

struct lens_column_info {
    const char *name;
    enum cl_column_flags flags;
    bool is_number; /* in JSON and filters */
    unsigned need;  /* LENS_NEED_* */
    unsigned width; /* util-linux's least width, which counts from data as wide as the heading on */
    const char *help;
    /* Add the cell's text to buf; nothing: empty (JSON null). */
    void (*fill)(const struct lens_sight *sight, const struct lens_row *row, struct cl_buf *buf);
};
extern const struct lens_column_info lens_columns[LENS_COLUMN_COUNT];

struct lens_column_list {
    enum lens_column ids[LENS_COLUMN_COUNT * 2];
    size_t count;
};
int lens_column_by_name(const char *name,
                        size_t length); /* any case; enum lens_column or -EINVAL */
int lens_column_add(struct lens_column_list *list, enum lens_column id); /* 0 or -E2BIG */
/* "NS,TYPE" replaces the list, "+PATH" adds to it. USAGE error with "did you mean". */
int lens_columns_parse(struct lens_column_list *list, const char *text, struct cl_error *err);
bool lens_columns_have(const struct lens_column_list *list, enum lens_column id);
