/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts add, mounts remove: crun's. FILE is a JSON array as config.json's mounts; of remove only each "destination" counts.
 *
 * What was added stands in mounts.json of the container's directory, by mount id: that alone is what remove takes away. config.json is left as it was, since what
 * it says is what a new start gets.
 */
#include "ocicli/private.h"

#define RECORD   "mounts.json"
#define FILE_MAX (16 << 20)

struct job {
    const struct ocicli *cli;
    struct container container;
    struct cl_json *asked;       /* the array of FILE */
    struct oci_spec *spec;       /* the container's, with these mounts, or none */
    struct runtime_added *added; /* what is there, in the order of mounting; owned */
    size_t count;
};

static void job_done(struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        free(job->added[i].destination);
    free(job->added);
    cl_json_unref(job->asked);
    oci_spec_free(job->spec);
    container_done(&job->container);
}

/* ---- the record ---- */

static int add_row(struct cl_json *list, const struct runtime_added *added)
{
    CL_AUTO(cl_json_unref) struct cl_json *row = cl_json_object();
    int result = row == NULL ? -ENOMEM : cl_json_set_string(row, "destination", added->destination);
    if (result >= 0)
        result = cl_json_set(row, "id", cl_json_from_u64(added->id));
    if (result >= 0)
        result = cl_json_set(row, "uniqueId", cl_json_from_u64(added->unique_id));
    return result < 0 ? result : cl_json_add(list, cl_take(row));
}

static int add_rows(struct cl_json *list, const struct runtime_added *added, size_t count)
{
    int result = list == NULL ? -ENOMEM : 0;
    for (size_t i = 0; result >= 0 && i < count; i++)
        if (!added[i].is_removed)
            result = add_row(list, &added[i]);
    return result;
}

/* What was there, and `more`. */
static int write_record(void *context, const struct runtime_added *more, size_t count,
                        struct cl_error *err)
{
    const struct job *job = context;
    const struct container *container = &job->container;
    CL_AUTO(cl_json_unref) struct cl_json *list = cl_json_array();
    int result = add_rows(list, job->added, job->count);
    if (result >= 0)
        result = add_rows(list, more, count);
    if (result >= 0 && cl_json_count(list) == 0) {
        if (unlinkat(container->dir, RECORD, 0) < 0 && errno != ENOENT)
            return cl_fail(err, errno, "container %s: remove " RECORD, container->id);
        return 0;
    }
    cl_auto_free char *text = result < 0 ? NULL : cl_json_text(list, CL_JSON_COMPACT);
    if (text == NULL)
        return cl_fail(err, ENOMEM, "record the mounts of container %s", container->id);
    result = cl_write_atomic(container->dir, RECORD, text, strlen(text), 0600, CL_WRITE_PLAIN, err);
    return result < 0 ? cl_error_prefix(err, "container %s", container->id) : 0;
}

static int take_row(const struct cl_json *row, struct runtime_added *ret)
{
    const char *destination = cl_json_string(cl_json_get(row, "destination"));
    if (destination == NULL || cl_json_u64(cl_json_get(row, "id"), &ret->id) < 0 ||
        cl_json_u64(cl_json_get(row, "uniqueId"), &ret->unique_id) < 0)
        return -EINVAL;
    ret->destination = cl_strdup(destination);
    return ret->destination == NULL ? -ENOMEM : 0;
}

static int read_record(struct job *job, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    CL_AUTO(cl_json_unref) struct cl_json *list = NULL;
    int result = cl_read_file(job->container.dir, RECORD, FILE_MAX, &text, &size, err);
    if (result == -ENOENT)
        return 0;
    if (result >= 0)
        result = cl_json_parse(text, size, FILE_MAX, &list, err);
    if (result < 0)
        return cl_error_prefix(err, "container %s", job->container.id);
    job->added = cl_calloc(cl_json_count(list) + 1, sizeof *job->added);
    if (job->added == NULL)
        return cl_fail(err, ENOMEM, "read " RECORD);
    for (size_t i = 0; result >= 0 && i < cl_json_count(list); i++) {
        result = take_row(cl_json_at(list, i), &job->added[i]);
        job->count += result >= 0;
    }
    return result < 0 ? cl_fail_kind(err, CL_KIND_CORRUPT, result,
                                     "container %s: " RECORD " is damaged", job->container.id)
                      : 0;
}

/* ---- what is asked for ---- */

static int read_asked(const char *path, struct cl_json **ret, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    CL_AUTO(cl_json_unref) struct cl_json *list = NULL;
    bool is_stdin = cl_streq(path, "-");
    cl_auto_fd file = is_stdin ? -EBADF : k_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
    if (!is_stdin && file < 0)
        return cl_fail(err, file, "open %s", path);
    int result = cl_read_fd(is_stdin ? STDIN_FILENO : file, FILE_MAX, &text, &size, err);
    if (result >= 0)
        result = cl_json_parse(text, size, FILE_MAX, &list, err);
    if (result >= 0 && cl_json_type(list) != CL_JSON_ARRAY)
        result = cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                              "expected an array as config.json's \"mounts\", not %s",
                              cl_json_type_name(cl_json_type(list)));
    if (result < 0)
        return cl_error_prefix(err, "read %s", is_stdin ? "standard input" : path);
    *ret = cl_take(list);
    return 0;
}

/* The container's own document with other mounts, so that they are read and checked as its own were. */
static int make_spec(struct job *job, const struct cl_json *mounts, struct cl_error *err)
{
    cl_auto_free char *text = NULL;
    size_t size = 0;
    CL_AUTO(cl_json_unref) struct cl_json *config = NULL;
    int result = cl_read_file(job->container.dir, "config.json", FILE_MAX, &text, &size, err);
    if (result >= 0)
        result = cl_json_parse(text, size, FILE_MAX, &config, err);
    if (result < 0)
        return cl_error_prefix(err, "container %s", job->container.id);
    struct cl_json *list = mounts != NULL ? cl_json_copy(mounts) : cl_json_array();
    cl_auto_free char *whole =
        cl_json_set(config, "mounts", list) < 0 ? NULL : cl_json_text(config, CL_JSON_COMPACT);
    if (whole == NULL)
        return cl_fail(err, ENOMEM, "read the mounts");
    return oci_spec_read(whole, strlen(whole), &job->spec, err);
}

static int check_status(const struct container *container, struct cl_error *err)
{
    enum oci_status status;
    int result = container_status(container, &status, err);
    if (result < 0 || (status != OCI_STOPPED && status != OCI_CREATING))
        return result;
    return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container not running: %s", container->id);
}

static struct runtime_target target_of(const struct container *container)
{
    return (struct runtime_target){ .pid = container->pid, .start_ticks = container->start_ticks };
}

/* ---- add ---- */

static int add(struct job *job, struct cl_error *err)
{
    const struct container *container = &job->container;
    CL_AUTO(cl_strv_free) char **warnings = NULL;
    const struct runtime_target target = target_of(container);
    const struct runtime_add_options options = { .id = container->id,
                                                 .bundle = container->bundle,
                                                 .record = write_record,
                                                 .context = job,
                                                 .warnings = &warnings };
    int result = make_spec(job, job->asked, err);
    if (result >= 0)
        result = runtime_mounts_add(&target, job->spec, &options, err);
    log_warnings(job->cli, (const char *const *)warnings);
    return result;
}

/* ---- remove ---- */

/* Paths are compared as text: "/a/" and "/a" are one, as they were when it was added. */
static bool is_at(const struct runtime_added *added, const char *destination)
{
    size_t length = strlen(destination);
    while (length > 1 && destination[length - 1] == '/')
        length--;
    return strncmp(added->destination, destination, length) == 0 &&
           added->destination[length] == '\0';
}

/* The latest at that place that was not chosen yet. */
static int choose(struct job *job, size_t index, bool *is_chosen, struct cl_error *err)
{
    const char *destination =
        cl_json_string(cl_json_get(cl_json_at(job->asked, index), "destination"));
    if (destination == NULL)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "mounts[%zu].destination is missing",
                            index);
    for (size_t i = job->count; i-- > 0;)
        if (!is_chosen[i] && is_at(&job->added[i], destination)) {
            is_chosen[i] = true;
            return 0;
        }
    return cl_fail_kind(err, CL_KIND_NOT_FOUND, ENOENT,
                        "mounts[%zu].destination: nothing was added to container %s at \"%.200s\"",
                        index, job->container.id, destination);
}

/* Those chosen as a list of their own, in order; what became of them goes back. */
static int remove_chosen(struct job *job, const bool *is_chosen, struct cl_error *err)
{
    size_t count = 0;
    const struct runtime_target target = target_of(&job->container);
    cl_auto_free struct runtime_added *list = cl_calloc(job->count + 1, sizeof *list);
    if (list == NULL)
        return cl_fail(err, ENOMEM, "remove mounts");
    for (size_t i = 0; i < job->count; i++)
        if (is_chosen[i])
            list[count++] = job->added[i];
    int result = runtime_mounts_remove(&target, job->spec, list, count, err);
    for (size_t i = job->count; i-- > 0;)
        if (is_chosen[i])
            job->added[i].is_removed = list[--count].is_removed;
    cl_test_point("mounts removed");
    int recorded = write_record(job, NULL, 0, result < 0 ? NULL : err);
    return result < 0 ? result : recorded;
}

static int take_away(struct job *job, struct cl_error *err)
{
    cl_auto_free bool *is_chosen = cl_calloc(job->count + 1, sizeof *is_chosen);
    int result = is_chosen == NULL ? cl_fail(err, ENOMEM, "remove mounts") : 0;
    for (size_t i = 0; result >= 0 && i < cl_json_count(job->asked); i++)
        result = choose(job, i, is_chosen, err);
    if (result >= 0)
        result = make_spec(job, NULL, err);
    return result < 0 ? result : remove_chosen(job, is_chosen, err);
}

/* ---- the verb ---- */

static int mounts(const struct ocicli *cli, const void *data, char **arguments,
                  struct cl_error *err)
{
    (void)data;
    struct job job = { .cli = cli, .container = CONTAINER_NONE };
    bool is_add = cl_streq(arguments[0], "add");
    if (!is_add && !cl_streq(arguments[0], "remove"))
        return cl_fail_kind(err, CL_KIND_USAGE, EINVAL, "mounts %.40s: expected add or remove",
                            arguments[0]);
    int result = read_asked(arguments[2], &job.asked, err);
    if (result >= 0)
        result = container_open(cli, arguments[1], true, &job.container, err);
    if (result >= 0)
        result = check_status(&job.container, err);
    if (result >= 0)
        result = read_record(&job, err);
    if (result >= 0)
        result = is_add ? add(&job, err) : take_away(&job, err);
    job_done(&job);
    return result;
}

const struct verb verb_mounts = {
    .name = "mounts",
    .synopsis = "add|remove ID FILE",
    .summary = "Add mounts to a container that is there, or take such away again",
    .min_arguments = 3,
    .max_arguments = 3,
    .run = mounts,
};

int check_no_added_mounts(const struct container *container, const char *verb, struct cl_error *err)
{
    if (faccessat(container->dir, RECORD, F_OK, 0) < 0)
        return 0;
    return cl_fail_kind(err, CL_KIND_CONFLICT, EBUSY,
                        "cannot %s container %s: it has mounts that config.json does not know "
                        "(mounts add), so nobody could give them back; remove them first",
                        verb, container->id);
}
