/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The containers of the catalog: claim, find, list, update, delete.
 */
#include "store/store_private.h"

#define COLUMNS                                                                                    \
    "number, phase, auto_remove, is_new, id, name, image_id, image_name, config, created, last"

void store_container_free(struct store_container *container)
{
    if (container == NULL)
        return;
    free(container->name);
    free(container->image_id);
    free(container->image_name);
    free(container->config);
    free(container);
}

void store_container_list_free(struct store_container **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        store_container_free(list[i]);
    free(list);
}

static int read_row(sqlite3_stmt *statement, struct store_container **ret, struct cl_error *err)
{
    CL_AUTO(store_container_free) struct store_container *row = cl_calloc(1, sizeof *row);
    if (row == NULL)
        return cl_fail(err, ENOMEM, "read the catalog");
    int failed = 0;
    row->number = sqlite3_column_int64(statement, 0);
    row->phase = (enum store_phase)sqlite3_column_int(statement, 1);
    row->auto_remove = sqlite3_column_int(statement, 2) != 0;
    row->is_new = sqlite3_column_int(statement, 3) != 0;
    const char *id = (const char *)sqlite3_column_text(statement, 4);
    if (id == NULL || !oci_id_is_full(id))
        return cl_fail_kind(err, CL_KIND_CORRUPT, EUCLEAN, "catalog: container %lld has no id",
                            (long long)row->number);
    (void)CL_PRINT(row->id, "%s", id);
    row->name = store_column_copy(statement, 5, &failed);
    row->image_id = store_column_copy(statement, 6, &failed);
    row->image_name = store_column_copy(statement, 7, &failed);
    row->config = store_column_copy(statement, 8, &failed);
    row->created_ns = sqlite3_column_int64(statement, 9);
    if (failed < 0)
        return cl_fail(err, ENOMEM, "read the catalog");
    const char *last = (const char *)sqlite3_column_text(statement, 10);
    if (last != NULL && last[0] != '\0') {
        int result = wire_state_parse(last, strlen(last), &row->last, err);
        if (result < 0)
            return cl_error_prefix(err, "catalog: container %.12s", row->id);
    }
    *ret = cl_take(row);
    return 0;
}

/* So many digits of both that they differ, at least 12. */
static int name_two(const char *one, const char *other, struct cl_error *err)
{
    int digits = 0;
    while (one[digits] != '\0' && one[digits] == other[digits])
        digits++;
    digits = digits < 12 ? 12 : digits + 1;
    return cl_fail_kind(err, CL_KIND_CONFLICT, EEXIST, "both %.*s and %.*s begin with it", digits,
                        one, digits, other);
}

/* The one row of a statement, or -ENOENT (err is left alone, the callers know what was looked for); two rows are -EEXIST. */
static int read_single(struct store *store, sqlite3_stmt *statement, struct store_container **ret,
                       struct cl_error *err)
{
    int result = store_step(store, statement, err);
    if (result < 0)
        return result;
    if (result == 0)
        return -ENOENT;
    CL_AUTO(store_container_free) struct store_container *row = NULL;
    result = read_row(statement, &row, err);
    if (result < 0)
        return result;
    result = store_step(store, statement, err);
    if (result != 0)
        return result < 0 ? result
                          : name_two(row->id, (const char *)sqlite3_column_text(statement, 4), err);
    *ret = cl_take(row);
    return 0;
}

static int append(struct store_container ***list, size_t *count, struct store_container *take_row)
{
    struct store_container **bigger = cl_realloc(*list, (*count + 1) * sizeof *bigger);
    if (bigger == NULL) {
        store_container_free(take_row);
        return -ENOMEM;
    }
    bigger[(*count)++] = take_row;
    *list = bigger;
    return 0;
}

static int read_all(struct store *store, sqlite3_stmt *statement, struct store_container ***ret,
                    size_t *ret_count, struct cl_error *err)
{
    struct store_container **list = NULL;
    size_t count = 0;
    int result;
    while ((result = store_step(store, statement, err)) > 0) {
        struct store_container *row = NULL;
        result = read_row(statement, &row, err);
        if (result >= 0 && append(&list, &count, row) < 0)
            result = cl_fail(err, ENOMEM, "list the containers");
        if (result < 0)
            break;
    }
    if (result < 0) {
        store_container_list_free(list, count);
        return result;
    }
    *ret = list;
    *ret_count = count;
    return 0;
}

/* ---- writing ---- */

static int name_taken(struct store *store, const char *name, struct cl_error *err)
{
    CL_AUTO(store_container_free) struct store_container *holder = NULL;
    if (store_container_find(store, name, &holder, NULL) < 0)
        return 0;
    return cl_fail_kind(err, CL_KIND_CONFLICT, EEXIST,
                        "the name \"%s\" is already in use by container %.12s; remove or rename "
                        "that one, or choose another --name",
                        name, holder->id);
}

int store_container_claim(struct store *store, struct store_container *container, int lock_fd,
                          struct cl_error *err)
{
    char last[WIRE_STATE_MAX] = "";
    int result = store_need_transaction(store, err);
    if (result < 0)
        return result;
    if (wire_state_format(&container->last, last) < 0)
        return cl_fail(err, EINVAL, "format the state of container %.12s", container->id);
    result = store_execute(
        store, err,
        "INSERT INTO containers(phase, auto_remove, is_new, id, name, image_id, image_name,"
        " config, created, last) VALUES(?,?,?,?,?,?,?,?,?,?)",
        "dddsssssis", (int)container->phase, (int)container->auto_remove, (int)container->is_new,
        container->id, container->name, container->image_id, container->image_name,
        container->config, container->created_ns, last);
    if (result == -EEXIST && name_taken(store, container->name, err) < 0)
        return -EEXIST;
    if (result < 0)
        return result;
    int64_t number = sqlite3_last_insert_rowid(store->db);
    result = store_lock_try(lock_fd, number);
    if (result < 0)
        return cl_fail(err, result, "lock container %.12s in %s/locks", container->id,
                       store->state);
    container->number = number;
    return 0;
}

int store_container_update(struct store *store, const struct store_container *container,
                           struct cl_error *err)
{
    char last[WIRE_STATE_MAX] = "";
    int result = store_need_transaction(store, err);
    if (result < 0)
        return result;
    if (wire_state_format(&container->last, last) < 0)
        return cl_fail(err, EINVAL, "format the state of container %.12s", container->id);
    result = store_execute(store, err,
                           "UPDATE containers SET phase=?, auto_remove=?, is_new=?, name=?,"
                           " config=?, last=? WHERE number=?",
                           "dddsssi", (int)container->phase, (int)container->auto_remove,
                           (int)container->is_new, container->name, container->config, last,
                           container->number);
    if (result == -EEXIST && container->name != NULL && name_taken(store, container->name, err) < 0)
        return -EEXIST;
    return result;
}

int store_container_delete(struct store *store, int64_t number, struct cl_error *err)
{
    int result = store_need_transaction(store, err);
    if (result < 0)
        return result;
    return store_execute(store, err, "DELETE FROM containers WHERE number=?", "i", number);
}

/* ---- reading ---- */

static int query_single(struct store *store, const char *sql, const char *key,
                        struct store_container **ret, struct cl_error *err)
{
    store_auto_statement *statement = NULL;
    int result = store_prepare(store, &statement, err, sql, "s", key);
    return result < 0 ? result : read_single(store, statement, ret, err);
}

int store_container_find(struct store *store, const char *reference, struct store_container **ret,
                         struct cl_error *err)
{
    const char *name = reference[0] == '/' ? reference + 1 : reference;
    int result = -ENOENT;
    if (oci_id_is_full(name))
        result = query_single(store, "SELECT " COLUMNS " FROM containers WHERE id=? AND phase<>4",
                              name, ret, err);
    if (result == -ENOENT)
        result = query_single(store, "SELECT " COLUMNS " FROM containers WHERE name=? AND phase<>4",
                              name, ret, err);
    if (result == -ENOENT && oci_id_is_prefix(name))
        result = query_single(store,
                              "SELECT " COLUMNS " FROM containers WHERE id>=?1 AND id<?1||'g'"
                              " AND phase<>4 LIMIT 2",
                              name, ret, err);
    if (result == -EEXIST) {
        (void)cl_error_prefix(err, "the container id prefix %s is ambiguous", name);
        (void)cl_error_hint(err, "give more digits");
    }
    if (result == -ENOENT)
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT,
                            "no such container: %s; see 'cloche ps -a'", reference);
    return result;
}

int store_container_by_number(struct store *store, int64_t number, struct store_container **ret,
                              struct cl_error *err)
{
    store_auto_statement *statement = NULL;
    int result = store_prepare(store, &statement, err,
                               "SELECT " COLUMNS " FROM containers WHERE number=?", "i", number);
    if (result >= 0)
        result = read_single(store, statement, ret, err);
    if (result == -ENOENT)
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT, "no such container: number %lld",
                            (long long)number);
    return result;
}

int store_container_list(struct store *store, bool removing, struct store_container ***ret,
                         size_t *ret_count, struct cl_error *err)
{
    store_auto_statement *statement = NULL;
    int result = store_prepare(store, &statement, err,
                               "SELECT " COLUMNS
                               " FROM containers WHERE phase<>4 OR ?1 ORDER BY number DESC",
                               "d", (int)removing);
    return result < 0 ? result : read_all(store, statement, ret, ret_count, err);
}

int store_container_unsettled(struct store *store, int64_t **ret, size_t *ret_count,
                              struct cl_error *err)
{
    store_auto_statement *statement = NULL;
    cl_auto_free int64_t *list = NULL;
    size_t count = 0, room = 0;
    int result =
        store_prepare(store, &statement, err, "SELECT number FROM containers WHERE phase<>2", "");
    if (result < 0)
        return result;
    while ((result = store_step(store, statement, err)) > 0) {
        if (count == room) {
            room = room * 2 + 16;
            int64_t *bigger = cl_realloc(list, room * sizeof *bigger);
            if (bigger == NULL)
                return cl_fail(err, ENOMEM, "list the containers");
            list = bigger;
        }
        list[count++] = sqlite3_column_int64(statement, 0);
    }
    if (result < 0)
        return result;
    *ret = cl_take(list);
    *ret_count = count;
    return 0;
}

int store_state_read(struct store *store, const char *id, struct wire_state *ret,
                     struct cl_error *err)
{
    char path[128], text[WIRE_STATE_MAX];
    (void)CL_PRINT(path, "containers/%.64s/state", id);
    ssize_t size = cl_read_small(store->root_fd, path, text, sizeof text);
    if (size < 0)
        return cl_fail(err, (int)size, "read %s/%s", store->root, path);
    int result = wire_state_parse(text, (size_t)size, ret, err);
    return result < 0 ? cl_error_prefix(err, "%s/%s", store->root, path) : 0;
}
