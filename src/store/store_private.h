/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the store share: the open catalog, and a short way to run one SQL statement.
 */
#pragma once

#include <sqlite3.h>

#include "store/store.h"

struct store {
    char *root, *state;    /* absolute paths */
    int root_fd, state_fd; /* directories */
    int write_lock_fd;     /* ROOT/catalog.lock */
    int locks_fd;          /* STATE/locks, for tests only: never holds a lock */
    sqlite3 *db;
    bool in_transaction;
    /* What a committed deletion leaves to be removed: see image_delete.c */
    char **dead_blobs;  /* hex names in blobs/sha256 */
    char **dead_layers; /* names in layers/ */
    struct store_stage trash;
};

/* A prepared statement with its parameters bound by a format: 's' text (NULL allowed), 'i' int64_t, 'd' int.
   Returns 0 or a negative errno; the caller finalizes. */
int store_prepare(struct store *store, sqlite3_stmt **ret, struct cl_error *err, const char *sql,
                  const char *types, ...);
/* Prepare, run to the end, finalize. */
int store_execute(struct store *store, struct cl_error *err, const char *sql, const char *types,
                  ...);
/* 1: a row; 0: the end; negative: error. */
int store_step(struct store *store, sqlite3_stmt *statement, struct cl_error *err);
/* The text of a column, copied; NULL for SQL NULL. -ENOMEM through *failed. */
char *store_column_copy(sqlite3_stmt *statement, int column, int *failed);
/* Fill a fixed digest array; anything that is no valid digest becomes "". */
void store_column_digest(sqlite3_stmt *statement, int column, char digest[static CL_DIGEST_MAX]);
/* Turn SQLite's last error into ours. `what` names the attempt. */
int store_sql_error(struct store *store, int code, const char *what, struct cl_error *err);
/* True inside store_begin … store_commit; false with err set otherwise. */
int store_need_transaction(struct store *store, struct cl_error *err);
/* After COMMIT, still under catalog.lock: move what a deletion freed out of the way. Then, without the lock: delete it. */
void store_bury_dead(struct store *store);
void store_forget_dead(struct store *store);

static inline void store_finalize_auto(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement); /* repeats the error of the last step, reported there */
}
#define store_auto_statement __attribute__((cleanup(store_finalize_auto))) sqlite3_stmt
