/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete: the end of a container, which has stopped or is made to. Without a readable state there is delete_damaged.c.
 */
#include "ocicli/private.h"

struct delete_options {
    bool force, regex;
};
static const struct option_row delete_table[] = {
    OPTION("force", 'f', OPTION_FLAG, "", "Kill it first; succeed where there is none",
           struct delete_options, force),
    OPTION("regex", 'r', OPTION_FLAG, "",
           "Take ID as an extended regular expression: all containers that it matches",
           struct delete_options, regex),
};

static int delete_one(const struct ocicli *cli, const char *id, const void *data,
                      struct cl_error *err)
{
    const struct delete_options *options = data;
    auto_container container = CONTAINER_NONE;
    enum oci_status status = OCI_STOPPED;
    int result = options->force ? container_open_to_end(cli, id, &container, err)
                                : container_open(cli, id, true, &container, err);
    if (result == -ENOENT && options->force)
        return 0;
    bool is_damaged = result < 0 && result != -ENOMEM &&
                      (err->kind == CL_KIND_INVALID || err->kind == CL_KIND_CORRUPT);
    if (is_damaged && options->force)
        return delete_damaged(cli, id, err);
    /* By force it does not matter what it is doing. */
    if (result >= 0 && !options->force)
        result = container_status(&container, &status, err);
    if (result < 0)
        return result;
    /* One that was created and not started has run nothing of the user's: it may go as it is. */
    if (!options->force && status != OCI_STOPPED && status != OCI_CREATED)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                            "cannot delete container %s that is not stopped: %s; kill it, or use "
                            "--force",
                            container.id, oci_status_name(status));
    return container_destroy(cli, &container, err);
}

static int delete_(const struct ocicli *cli, const void *data, char **arguments,
                   struct cl_error *err)
{
    const struct delete_options *options = data;
    return options->regex ? do_matching(cli, arguments[0], delete_one, data, err)
                          : delete_one(cli, arguments[0], data, err);
}

const struct verb verb_delete = {
    .name = "delete",
    .synopsis = "[OPTIONS] ID",
    .summary = "Remove what is left of a container that has stopped",
    VERB_OPTIONS(delete_table, struct delete_options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = delete_,
};
