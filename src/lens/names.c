/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and targets.
 *
 * An engine gives each container a cgroup of its own whose path holds the 64 hexadecimal digits of its id; processes below it belong to
 * the container whatever namespaces they are in. The init is known by pid and start time even where the cgroup can't be read.
 */
#include "lens/names.h"

#include <errno.h>
#include <fcntl.h>

#include "lens/collect.h"
#include "lens/engines.h"

#define ID_LENGTH 64

/* What a cgroup text was recognised as; NULL names are remembered, too, so that each text is judged once. */
struct lens_foreign {
    struct lens_foreign *next;
    bool is_container;
    struct lens_container container;
    char cgroup[];
};

void lens_directory_read(struct lens_directory *directory, const struct lens_names *names)
{
    struct cl_error err = { 0 };
    *directory = (struct lens_directory){ .wants_foreign = names != NULL };
    if (names == NULL || names->list == NULL)
        return;
    int code = names->list(names->context, &directory->containers, &directory->count, &err);
    if (code < 0) {
        directory->containers = NULL;
        directory->count = 0;
        cl_debug("lens", "no container names: %s", err.text);
    }
}

void lens_directory_done(struct lens_directory *directory)
{
    for (struct lens_foreign *foreign = directory->foreign, *next; foreign != NULL;
         foreign = next) {
        next = foreign->next;
        free(foreign);
    }
    free(directory->containers);
    *directory = (struct lens_directory){ 0 };
}

/* The next run of exactly 64 hexadecimal digits, or NULL. */
static const char *next_id(const char *text)
{
    while (*text != '\0') {
        text += strcspn(text, "0123456789abcdef");
        size_t length = strspn(text, "0123456789abcdef");
        if (length == ID_LENGTH)
            return text;
        text += length;
    }
    return NULL;
}

static const struct lens_container *find_id(const struct lens_directory *directory, const char *id)
{
    for (size_t i = 0; i < directory->count; i++)
        if (strncmp(directory->containers[i].id, id, ID_LENGTH) == 0)
            return &directory->containers[i];
    return NULL;
}

static const struct lens_container *find_foreign(struct lens_directory *directory,
                                                 const char *cgroup)
{
    for (const struct lens_foreign *foreign = directory->foreign; foreign != NULL;
         foreign = foreign->next)
        if (strcmp(foreign->cgroup, cgroup) == 0)
            return foreign->is_container ? &foreign->container : NULL;
    size_t length = strlen(cgroup), size;
    struct lens_foreign *foreign = NULL;
    if (cl_add_size(sizeof *foreign, length + 1, &size))
        foreign = cl_calloc(1, size);
    if (foreign == NULL)
        return NULL; /* only costs a name */
    memcpy(foreign->cgroup, cgroup, length + 1);
    foreign->is_container = lens_engine_recognise(AT_FDCWD, cgroup, &foreign->container);
    foreign->next = directory->foreign;
    directory->foreign = foreign;
    return foreign->is_container ? &foreign->container : NULL;
}

const struct lens_container *lens_directory_find(struct lens_directory *directory,
                                                 const struct lens_process *process)
{
    for (size_t i = 0; i < directory->count; i++) {
        const struct lens_container *container = &directory->containers[i];
        if (container->init_pid == process->host_pid &&
            (container->start_ticks == 0 || container->start_ticks == process->start_ticks))
            return container;
    }
    const char *id = process->cgroup == NULL ? NULL : next_id(process->cgroup);
    for (; id != NULL; id = next_id(id + ID_LENGTH)) {
        const struct lens_container *container = find_id(directory, id);
        if (container != NULL)
            return container;
    }
    bool is_foreign = directory->wants_foreign && process->cgroup != NULL;
    return is_foreign ? find_foreign(directory, process->cgroup) : NULL;
}

/* ---- targets ---- */

static bool is_called(const struct lens_container *container, const char *reference)
{
    size_t length = strlen(reference);
    return strcmp(container->name, reference) == 0 ||
           (length >= 4 && container->id[0] != '\0' &&
            strncmp(container->id, reference, length) == 0);
}

/* A container of another engine: the process with the lowest pid among those whose cgroup is called so. */
static bool find_elsewhere(int proc_fd, const char *reference, struct lens_target *target)
{
    struct lens_directory directory = { .wants_foreign = true };
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = NULL;
    bool is_found = false;
    if (lens_collect(proc_fd, 1U << K_NS_MNT | 1U << K_NS_PID, false, &snapshot, NULL) < 0 ||
        lens_collect_representatives(snapshot, proc_fd, LENS_DETAIL_CGROUP, NULL) < 0)
        return false;
    for (size_t i = 0; i < snapshot->process_count && !is_found; i++) {
        const struct lens_process *process = &snapshot->processes[i];
        const struct lens_container *container =
            process->has_details ? lens_directory_find(&directory, process) : NULL;
        is_found = container != NULL && is_called(container, reference);
        if (is_found)
            *target = (struct lens_target){ .pid = process->pid,
                                            .start_ticks = process->start_ticks,
                                            .is_container = true,
                                            .container = *container };
    }
    lens_directory_done(&directory);
    return is_found;
}

/* Digits: whether an engine's containers can be read is not what was asked. */
static int fail_no_process(pid_t pid, struct cl_error *err)
{
    int code = cl_fail_kind(err, CL_KIND_NOT_FOUND, ESRCH,
                            "no process %d, and no container that is called so", (int)pid);
    if (geteuid() != 0)
        (void)cl_error_hint(err, "processes of others may be hidden from you (hidepid): use sudo");
    return code;
}

static int find_container(int proc_fd, const char *reference, const struct lens_names *names,
                          struct lens_target *target, struct cl_error *err)
{
    struct cl_error first = { 0 };
    pid_t pid;
    int code = names == NULL || names->find == NULL
                   ? cl_fail_kind(&first, CL_KIND_NOT_FOUND, ESRCH, "no process %s", reference)
                   : names->find(names->context, reference, &target->container, &first);
    if (code < 0 && first.kind != CL_KIND_CONFLICT && names != NULL &&
        find_elsewhere(proc_fd, reference, target))
        return 0;
    if (code < 0 && cl_parse_pid(reference, &pid) >= 0 && first.kind != CL_KIND_CONFLICT)
        return fail_no_process(pid, err);
    if (code < 0) {
        if (err != NULL)
            *err = first;
        return code;
    }
    target->is_container = true;
    target->pid = target->container.init_pid;
    if (target->pid <= 0)
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container %s is not running", reference);
    code = procfs_start_ticks(proc_fd, target->pid, &target->start_ticks);
    bool is_other =
        target->container.start_ticks != 0 && target->container.start_ticks != target->start_ticks;
    if (code == -ESRCH || code == -ENOENT || (code >= 0 && is_other))
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "container %s is not running any more",
                            reference);
    return code < 0
               ? cl_fail(err, code, "read process %d of container %s", (int)target->pid, reference)
               : 0;
}

int lens_find_target(int proc_fd, const char *reference, const struct lens_names *names,
                     struct lens_target *ret, struct cl_error *err)
{
    struct lens_target target = { 0 };
    pid_t pid;
    if (cl_parse_pid(reference, &pid) >= 0 &&
        procfs_start_ticks(proc_fd, pid, &target.start_ticks) >= 0) {
        target.pid = pid;
        *ret = target;
        return 0;
    }
    int code = find_container(proc_fd, reference, names, &target, err);
    if (code >= 0)
        *ret = target;
    return code;
}

/* ---- trees ---- */

int lens_tree_by_name(const char *name, enum lens_tree *ret)
{
    static const struct {
        const char *name;
        enum lens_tree tree;
    } trees[] = {
        { "", LENS_TREE_OWNER },
        { "owner", LENS_TREE_OWNER },
        { "parent", LENS_TREE_PARENT },
        { "process", LENS_TREE_PROCESS },
    };
    for (size_t i = 0; i < CL_COUNT(trees); i++)
        if (strcmp(trees[i].name, name) == 0) {
            *ret = trees[i].tree;
            return 0;
        }
    return -EINVAL;
}
