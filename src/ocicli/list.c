/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state, list: what is there. The JSON is runtime.md's state with what runc adds to it (rootfs, created, owner).
 */
#include "ocicli/private.h"

/* ---- state ---- */

static struct cl_json *describe(const struct container *container, enum oci_status status)
{
    char created[40];
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    const char *owner = cl_user_name(container->owner);
    /* Borrowed for the encoder. */
    const struct oci_state state = {
        .oci_version = (char *)(uintptr_t)OCI_SPEC_VERSION,
        .id = container->id,
        .status = status,
        .pid = status == OCI_STOPPED ? 0 : container->pid,
        .bundle = container->bundle,
        .annotations = container->annotations,
    };
    cl_format_time(container->created, created);
    if (oci_state_encode(&state, &json) < 0 || cl_json_set_int(json, "pid", state.pid) < 0 ||
        cl_json_set_string(json, "rootfs", container->rootfs) < 0 ||
        cl_json_set_string(json, "created", created) < 0 ||
        cl_json_set_string(json, "owner", owner != NULL ? owner : "") < 0)
        return NULL;
    return cl_take(json);
}

static int state(const struct ocicli *cli, const void *options, char **arguments,
                 struct cl_error *err)
{
    auto_container container = CONTAINER_NONE;
    auto_lookout lookout = LOOKOUT_NONE;
    enum oci_status status;
    int result = lookout_open(cli, &lookout, NULL);
    lookout.wants_annotations = true;
    /* That says why it can't be. */
    result = result < 0 ? container_open(cli, arguments[0], false, &container, err)
                        : container_look(&lookout, arguments[0], &container, err);
    if (result >= 0)
        result = container_status_from(&container, &lookout, &status, err);
    return result < 0 ? result : print_json(describe(&container, status), err);
}

const struct verb verb_state = {
    .name = "state",
    .synopsis = "ID",
    .summary = "Print the state of a container as JSON",
    .min_arguments = 1,
    .max_arguments = 1,
    .run = state,
};

/* ---- tables or JSON ---- */

struct list_options {
    const char *format;
    bool quiet;
};
static const struct option_row list_table[] = {
    OPTION("format", 'f', OPTION_STRING, "FORMAT", "table (default) or json", struct list_options,
           format),
    OPTION("quiet", 'q', OPTION_FLAG, "", "Only ids", struct list_options, quiet),
};

int list_check_format(const char *format, bool *ret_json, struct cl_error *err)
{
    *ret_json = cl_streq(format, "json");
    if (format == NULL || *ret_json || cl_streq(format, "table"))
        return 0;
    return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "--format %s: expected table or json", format);
}

int list_table_new(const char *const *headings, struct cl_table **ret)
{
    CL_AUTO(cl_table_free) struct cl_table *table = cl_table_new(CL_TABLE_DOCKER);
    int result = table == NULL ? -ENOMEM : 0;
    for (size_t i = 0; result >= 0 && headings[i] != NULL; i++)
        result = cl_table_column(table, headings[i], CL_COLUMN_LEFT);
    if (result >= 0)
        *ret = cl_take(table);
    return result;
}

/* ---- list ---- */

static int add_row(struct cl_table *table, const struct container *container,
                   enum oci_status status)
{
    char created[40], pid[21];
    const char *owner = cl_user_name(container->owner);
    cl_format_time(container->created, created);
    (void)cl_print_u64(status == OCI_STOPPED ? 0 : (uint64_t)container->pid, pid);
    int result = cl_table_row(table);
    if (result >= 0)
        result = cl_table_cell(table, container->id);
    if (result >= 0)
        result = cl_table_cell(table, pid);
    if (result >= 0)
        result = cl_table_cell(table, oci_status_name(status));
    if (result >= 0)
        result = cl_table_cell(table, container->bundle);
    if (result >= 0)
        result = cl_table_cell(table, created);
    return result < 0 ? result : cl_table_cell(table, owner != NULL ? owner : "");
}

struct listing {
    bool is_quiet;
    struct cl_json *json;   /* or NULL */
    struct cl_table *table; /* or NULL */
    struct lookout *lookout;
};

/* One that vanishes while we look is no error. */
static int list_one(const char *id, const struct listing *listing, struct cl_error *err)
{
    auto_container container = CONTAINER_NONE;
    enum oci_status status;
    if (listing->is_quiet) {
        if (container_is_there(listing->lookout, id))
            (void)puts(id);
        return 0;
    }
    int result = container_look(listing->lookout, id, &container, err);
    if (result == -ENOENT)
        return 0;
    if (result >= 0)
        result = container_status_from(&container, listing->lookout, &status, err);
    if (result < 0)
        return result;
    result = listing->json != NULL ? cl_json_add(listing->json, describe(&container, status))
                                   : add_row(listing->table, &container, status);
    return result < 0 ? cl_fail(err, result, "list containers") : 0;
}

static int print_list(const struct listing *listing, struct cl_error *err)
{
    if (listing->json != NULL && !listing->is_quiet)
        return print_json(cl_json_ref(listing->json), err);
    if (!listing->is_quiet && cl_table_print(listing->table, stdout, CL_TABLE_PLAIN, 0) < 0)
        return cl_fail(err, EIO, "list containers");
    return flush_output(err);
}

static int list(const struct ocicli *cli, const void *data, char **arguments, struct cl_error *err)
{
    static const char *const headings[] = { "ID",      "PID",   "STATUS", "BUNDLE",
                                            "CREATED", "OWNER", NULL };
    const struct list_options *options = data;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    CL_AUTO(cl_table_free) struct cl_table *table = NULL;
    CL_AUTO(cl_strv_free) char **ids = NULL;
    auto_lookout lookout = LOOKOUT_NONE;
    bool wants_json = false;
    int result = list_check_format(options->format, &wants_json, err);
    if (result >= 0)
        result = container_list(cli, &ids, err);
    if (result >= 0 && ids != NULL)
        result = lookout_open(cli, &lookout, err);
    if (result < 0)
        return result;
    lookout.wants_annotations = wants_json;
    if (wants_json)
        json = cl_json_array();
    if (wants_json ? json == NULL : list_table_new(headings, &table) < 0)
        return cl_fail(err, ENOMEM, "list containers");
    const struct listing listing = { options->quiet, json, table, &lookout };
    /* One whose state is damaged hides none of the others: they are listed, then it is told of. */
    for (char **id = ids; id != NULL && *id != NULL; id++) {
        int of_one = list_one(*id, &listing, result < 0 ? NULL : err);
        result = result < 0 ? result : of_one;
    }
    int printed = print_list(&listing, result < 0 ? NULL : err);
    return result < 0 ? result : printed;
}

const struct verb verb_list = {
    .name = "list",
    .synopsis = "[OPTIONS]",
    .summary = "List containers",
    VERB_OPTIONS(list_table, struct list_options),
    .run = list,
};
