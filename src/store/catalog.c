/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the catalog, its schema, its transactions.
 *
 * The path of `cloche run` passes here, so opening does the least: two directories, one lock file, one SQLite connection, and a look at
 * user_version. Directories and schema are made only when the catalog is not there yet. Checkpoints (they fsync) never run by themselves.
 */
#include "store/store_private.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>

#define SCHEMA_VERSION     1
#define BUSY_TIMEOUT_MS    10000
#define CHECKPOINT_MINIMUM (128 * 1024)
#define CHECKPOINT_WAIT_MS 200 /* for readers of the old log; else it is left to the next one */

static const char schema[] =
    "CREATE TABLE images(id TEXT PRIMARY KEY, manifest TEXT NOT NULL, config TEXT NOT NULL,"
    " size INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE names(name TEXT PRIMARY KEY, image TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX names_image ON names(image);"
    "CREATE TABLE layers(number INTEGER PRIMARY KEY AUTOINCREMENT, diff_id TEXT UNIQUE NOT NULL);"
    "CREATE TABLE image_layers(image TEXT NOT NULL, position INTEGER NOT NULL,"
    " layer INTEGER NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,"
    " PRIMARY KEY(image, position)) WITHOUT ROWID;"
    "CREATE INDEX image_layers_layer ON image_layers(layer);"
    "CREATE INDEX image_layers_digest ON image_layers(digest);"
    "CREATE TABLE containers(number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL,"
    " name TEXT UNIQUE, phase INTEGER NOT NULL, auto_remove INTEGER NOT NULL,"
    " is_new INTEGER NOT NULL, image_id TEXT NOT NULL, image_name TEXT NOT NULL,"
    " config TEXT NOT NULL, created INTEGER NOT NULL, last TEXT NOT NULL);"
    "CREATE INDEX containers_image ON containers(image_id);"
    "CREATE INDEX containers_unsettled ON containers(phase) WHERE phase <> 2;"
    "PRAGMA user_version = 1;";

int store_sql_error(struct store *store, int code, const char *what, struct cl_error *err)
{
    const char *text = store->db != NULL ? sqlite3_errmsg(store->db) : sqlite3_errstr(code);
    int cause = store->db != NULL ? sqlite3_system_errno(store->db) : 0;
    code &= 0xff;
    if (code == SQLITE_IOERR && (cause == ENOSPC || cause == EDQUOT))
        code = SQLITE_FULL; /* also where SQLite maps its shared memory */
    switch (code) {
    case SQLITE_NOMEM:
        return cl_fail(err, ENOMEM, "%s", what);
    case SQLITE_FULL:
        return cl_fail_kind(err, CL_KIND_SYSTEM, ENOSPC,
                            "%s: no space left in %s; free some, or choose another --root", what,
                            store->root);
    case SQLITE_READONLY:
        return cl_fail_kind(err, CL_KIND_DENIED, EROFS,
                            "%s: %s can't be written; choose another --root", what, store->root);
    case SQLITE_CANTOPEN:
        return cl_fail_kind(err, CL_KIND_SYSTEM, EACCES,
                            "%s: can't open %s/catalog.db; check its permissions and free space, "
                            "or choose another --root",
                            what, store->root);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return cl_fail_kind(err, CL_KIND_CORRUPT, EUCLEAN,
                            "%s: %s/catalog.db is damaged (%s); move it away and import the images "
                            "again",
                            what, store->root, text);
    case SQLITE_BUSY:
        return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                            "%s: %s/catalog.db is held by another program", what, store->root);
    case SQLITE_CONSTRAINT:
        return cl_fail_kind(err, CL_KIND_CONFLICT, EEXIST, "%s: %s", what, text);
    default:
        return cl_fail_kind(err, CL_KIND_SYSTEM, EIO, "%s: catalog: %s", what, text);
    }
}

static int bind_all(sqlite3_stmt *statement, const char *types, va_list arguments)
{
    int code = SQLITE_OK;
    for (int i = 0; types[i] != '\0' && code == SQLITE_OK; i++) {
        if (types[i] == 's')
            code = sqlite3_bind_text(statement, i + 1, va_arg(arguments, const char *), -1,
                                     SQLITE_STATIC);
        else if (types[i] == 'i')
            code = sqlite3_bind_int64(statement, i + 1, va_arg(arguments, int64_t));
        else
            code = sqlite3_bind_int(statement, i + 1, va_arg(arguments, int));
    }
    return code;
}

static int prepare_list(struct store *store, sqlite3_stmt **ret, struct cl_error *err,
                        const char *sql, const char *types, va_list arguments)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = bind_all(statement, types, arguments);
    if (code != SQLITE_OK) {
        int result = store_sql_error(store, code, "query the catalog", err);
        (void)sqlite3_finalize(statement);
        return result;
    }
    *ret = statement;
    return 0;
}

int store_prepare(struct store *store, sqlite3_stmt **ret, struct cl_error *err, const char *sql,
                  const char *types, ...)
{
    va_list arguments;
    va_start(arguments, types);
    int result = prepare_list(store, ret, err, sql, types, arguments);
    va_end(arguments);
    return result;
}

int store_step(struct store *store, sqlite3_stmt *statement, struct cl_error *err)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return 1;
    if (code == SQLITE_DONE)
        return 0;
    return store_sql_error(store, code, "use the catalog", err);
}

int store_execute(struct store *store, struct cl_error *err, const char *sql, const char *types,
                  ...)
{
    store_auto_statement *statement = NULL;
    va_list arguments;
    va_start(arguments, types);
    int result = prepare_list(store, &statement, err, sql, types, arguments);
    va_end(arguments);
    if (result < 0)
        return result;
    result = store_step(store, statement, err);
    return result < 0 ? result : 0;
}

char *store_column_copy(sqlite3_stmt *statement, int column, int *failed)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    if (text == NULL)
        return NULL;
    char *copy = cl_strdup(text);
    if (copy == NULL)
        *failed = -ENOMEM;
    return copy;
}

void store_column_digest(sqlite3_stmt *statement, int column, char digest[static CL_DIGEST_MAX])
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    digest[0] = '\0';
    if (text != NULL && cl_digest_is_valid(text))
        (void)cl_print(digest, CL_DIGEST_MAX, "%s", text); /* a valid digest always fits */
}

/* ---- opening ---- */

static int open_base(const char *path, const char *flag, int *ret_fd, struct cl_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* allowed: --root and --state */
    if (fd < 0 && errno == ENOENT) {
        int result = cl_mkdir_p(AT_FDCWD, path, 0700, err);
        if (result < 0) {
            (void)cl_error_hint(err, "choose another directory with %s", flag);
            return result;
        }
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* allowed: likewise */
    }
    if (fd < 0) {
        int result = cl_fail(err, errno, "open directory %s", path);
        (void)cl_error_hint(err, "run as root, or choose another directory with %s", flag);
        return result;
    }
    *ret_fd = fd;
    return 0;
}

static int make_directories(struct store *store, struct cl_error *err)
{
    static const char *const names[] = { "blobs/sha256", "layers", "containers", "stage" };
    for (size_t i = 0; i < CL_COUNT(names); i++) {
        int result = cl_mkdir_p(store->root_fd, names[i], 0700, err);
        if (result < 0)
            return cl_error_prefix(err, "prepare %s", store->root);
    }
    return 0;
}

static int run_script(struct store *store, const char *sql, const char *what, struct cl_error *err)
{
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : store_sql_error(store, code, what, err);
}

static int schema_version(struct store *store, int *ret, struct cl_error *err)
{
    store_auto_statement *statement = NULL;
    int result = store_prepare(store, &statement, err, "PRAGMA user_version", "");
    if (result < 0)
        return result;
    result = store_step(store, statement, err);
    if (result < 0)
        return result;
    *ret = sqlite3_column_int(statement, 0);
    return 0;
}

static int lock_catalog(struct store *store)
{
    while (flock(store->write_lock_fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static void unlock_catalog(struct store *store)
{
    (void)flock(store->write_lock_fd, LOCK_UN); /* can't fail on an open file */
}

/* Small pages: a run changes a few rows in each of six trees, and each changed page is written whole to a log that whoever opens the catalog first reads whole.
   Switching to WAL answers "busy" at once where another process does the same, whatever the timeout: so it has to be under our own lock. */
static int switch_to_wal(struct store *store, struct cl_error *err)
{
    int result = lock_catalog(store);
    if (result < 0)
        return cl_fail(err, result, "lock %s/catalog.lock", store->root);
    result = run_script(store, "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL",
                        "prepare the catalog", err);
    if (result < 0)
        unlock_catalog(store);
    return result;
}

/* Only one process makes the schema; the others wait at the lock and then find it made. */
static int make_schema(struct store *store, struct cl_error *err)
{
    int result = make_directories(store, err);
    cl_test_point("store.directories-made");
    if (result >= 0)
        result = switch_to_wal(store, err);
    cl_test_point("store.wal-made");
    if (result >= 0)
        result = store_begin(store, err); /* takes the lock that we hold already: no change */
    if (result < 0)
        return result;
    int version = 0;
    result = schema_version(store, &version, err);
    if (result >= 0 && version == 0)
        result = run_script(store, schema, "make the catalog", err);
    if (result < 0) {
        store_rollback(store);
        return result;
    }
    return store_commit(store, err);
}

static int open_catalog(struct store *store, struct cl_error *err)
{
    cl_auto_free char *path = cl_format("%s/catalog.db", store->root);
    if (path == NULL)
        return cl_fail(err, ENOMEM, "open the catalog");
    int code = sqlite3_open_v2(
        path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return store_sql_error(store, code, "open the catalog", err);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_wal_autocheckpoint(store->db, 0);
    (void)sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
    int result = run_script(store, "PRAGMA synchronous = NORMAL", "open the catalog", err);
    int version = 0;
    if (result >= 0)
        result = schema_version(store, &version, err);
    if (result < 0)
        return result;
    if (version > SCHEMA_VERSION)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EPROTO,
                            "%s was written by a newer cloche (schema %d, this one knows %d); use "
                            "that one",
                            path, version, SCHEMA_VERSION);
    return version == 0 ? make_schema(store, err) : 0;
}

static int open_locks(struct store *store, struct cl_error *err)
{
    store->write_lock_fd =
        openat(store->root_fd, "catalog.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->write_lock_fd < 0) {
        int result = cl_fail(err, errno, "open %s/catalog.lock", store->root);
        (void)cl_error_hint(err, "choose a writable directory with --root");
        return result;
    }
    store->locks_fd =
        openat(store->state_fd, "locks", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->locks_fd < 0) {
        int result = cl_fail(err, errno, "open %s/locks", store->state);
        (void)cl_error_hint(err, "choose a writable directory with --state");
        return result;
    }
    return 0;
}

int store_open(const char *root, const char *state, struct store **ret, struct cl_error *err)
{
    if (root[0] != '/' || state[0] != '/')
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL,
                            "%s is not an absolute path: --root and --state need one",
                            root[0] != '/' ? root : state);
    struct store *store = cl_calloc(1, sizeof *store);
    if (store == NULL)
        return cl_fail(err, ENOMEM, "open the store %s", root);
    store->root_fd = store->state_fd = store->write_lock_fd = store->locks_fd = -EBADF;
    store->trash = (struct store_stage){ .fd = -EBADF, .layers_fd = -EBADF, .blobs_fd = -EBADF };
    store->root = cl_strdup(root);
    store->state = cl_strdup(state);
    int result = 0;
    if (store->root == NULL || store->state == NULL)
        result = cl_fail(err, ENOMEM, "open the store %s", root);
    if (result >= 0)
        result = open_base(root, "--root", &store->root_fd, err);
    if (result >= 0)
        result = open_base(state, "--state", &store->state_fd, err);
    if (result >= 0)
        result = open_locks(store, err);
    if (result >= 0)
        result = open_catalog(store, err);
    if (result < 0) {
        store_close(store);
        return result;
    }
    *ret = store;
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_rollback(store);
    (void)sqlite3_close_v2(store->db);
    cl_close(store->write_lock_fd);
    cl_close(store->locks_fd);
    cl_close(store->root_fd);
    cl_close(store->state_fd);
    free(store->root);
    free(store->state);
    free(store);
}

bool store_is_due(const struct store *store)
{
    struct stat status;
    return fstatat(store->root_fd, "catalog.db-wal", &status, 0) == 0 &&
           status.st_size > CHECKPOINT_MINIMUM;
}

void store_close_idle(struct store *store)
{
    if (store != NULL && store_is_due(store)) {
        (void)sqlite3_busy_timeout(store->db, CHECKPOINT_WAIT_MS);
        (void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                        NULL); /* a failed checkpoint is made up by the next one */
    }
    store_close(store);
}

int store_root_fd(const struct store *store)
{
    return store->root_fd;
}

int store_state_fd(const struct store *store)
{
    return store->state_fd;
}

const char *store_root(const struct store *store)
{
    return store->root;
}

const char *store_state(const struct store *store)
{
    return store->state;
}

/* ---- transactions ---- */

int store_begin(struct store *store, struct cl_error *err)
{
    int result = lock_catalog(store);
    if (result < 0)
        return cl_fail(err, result, "lock %s/catalog.lock", store->root);
    result = run_script(store, "BEGIN IMMEDIATE", "begin a change of the catalog", err);
    if (result < 0) {
        unlock_catalog(store);
        return result;
    }
    store->in_transaction = true;
    return 0;
}

int store_commit(struct store *store, struct cl_error *err)
{
    int result = run_script(store, "COMMIT", "commit a change of the catalog", err);
    if (result < 0) {
        store_rollback(store);
        return result;
    }
    store->in_transaction = false;
    cl_test_point("store.committed");
    store_bury_dead(store);
    unlock_catalog(store);
    store_forget_dead(store);
    return 0;
}

void store_rollback(struct store *store)
{
    if (!store->in_transaction)
        return;
    (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL); /* already rolled back: fine */
    store->in_transaction = false;
    unlock_catalog(store);
    cl_strv_free(cl_take(store->dead_blobs));
    cl_strv_free(cl_take(store->dead_layers));
    store_forget_dead(store);
}

int store_need_transaction(struct store *store, struct cl_error *err)
{
    if (store->in_transaction)
        return 0;
    return cl_fail_kind(err, CL_KIND_SYSTEM, EINVAL, "change of the catalog outside a transaction");
}
