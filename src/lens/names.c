/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and targets.
 *
 * An engine gives each container a cgroup of its own whose path holds the 64 hexadecimal digits of its id; processes below it belong to
 * the container whatever namespaces they are in. The init is known by pid and start time even where the cgroup can't be read.
 */
#include "lens/names.h"

#include <errno.h>

#define ID_LENGTH 64

void lens_directory_read(struct lens_directory *directory, const struct lens_names *names)
{
    struct cl_error err = { 0 };
    *directory = (struct lens_directory){ 0 };
    if (names == NULL || names->list == NULL)
        return;
    int code = names->list(names->context, &directory->containers, &directory->count, &err);
    if (code < 0) {
        *directory = (struct lens_directory){ 0 };
        cl_debug("lens", "no container names: %s", err.text);
    }
}

void lens_directory_done(struct lens_directory *directory)
{
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

const struct lens_container *lens_directory_find(const struct lens_directory *directory,
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
    return NULL;
}

/* ---- targets ---- */

static int find_container(int proc_fd, const char *reference, const struct lens_names *names,
                          struct lens_target *target, struct cl_error *err)
{
    if (names == NULL || names->find == NULL)
        return cl_fail_kind(err, CL_KIND_NOT_FOUND, ESRCH, "no process %s", reference);
    int code = names->find(names->context, reference, &target->container, err);
    if (code < 0)
        return code;
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
