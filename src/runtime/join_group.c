/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which group a process of exec goes into: the container's, a group below it that was asked for
 * (exec --cgroup), or the one that the container's init made for itself.
 */
#include "runtime/parent.h"

#include <errno.h>

static bool list_has(const char *list, const char *word, size_t length)
{
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strcspn(at, ",") == length && strncmp(at, word, length) == 0)
            return true;
    }
    return false;
}

static int enter(struct cgroup *group, size_t index, const char *path, struct cl_error *err)
{
    const char *below = path + strspn(path, "/");
    int result = below[0] == '\0' ? 0 : cgroup_enter(group, index, below);
    if (result >= 0)
        return 0;
    (void)cl_fail(err, result, "enter cgroup %s below %s in %s", path, group->path,
                  group->at[index].hierarchy->mount_point);
    if (result == -ENOENT)
        (void)cl_error_hint(err, "it has to be there already");
    return result;
}

/* The hierarchy of one controller: v1's. */
static int find(const struct cgroup *group, const char *controller, size_t length)
{
    for (size_t i = 0; i < group->count; i++)
        if (!group->at[i].hierarchy->is_v2 &&
            list_has(group->at[i].hierarchy->controllers, controller, length))
            return (int)i;
    return -ENOENT;
}

static int enter_each(struct cgroup *group, const struct runtime_subgroup *subgroup,
                      bool *is_entered, struct cl_error *err)
{
    int result = 0;
    for (const char *word = subgroup->controllers; result >= 0; word++) {
        size_t length = strcspn(word, ",");
        int index = find(group, word, length);
        if (index < 0)
            return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EOPNOTSUPP,
                                "cgroup %s:%s: the container has no cgroup v1 group with the "
                                "controller \"%.*s\"",
                                subgroup->controllers, subgroup->path, (int)length, word);
        /* Controllers that share a hierarchy have one place in it. */
        if (!is_entered[index])
            result = enter(group, (size_t)index, subgroup->path, err);
        is_entered[index] = true;
        word += length;
        if (*word == '\0')
            break;
    }
    return result;
}

int parent_enter_subgroups(struct cgroup *group, const struct runtime_subgroup *subgroups,
                           size_t count, struct cl_error *err)
{
    bool is_entered[CGROUP_MAX_HIERARCHIES] = { false };
    int result = 0;
    for (size_t i = 0; result >= 0 && i < count; i++) {
        if (subgroups[i].controllers != NULL) {
            result = enter_each(group, &subgroups[i], is_entered, err);
            continue;
        }
        for (size_t j = 0; result >= 0 && j < group->count; j++)
            result = enter(group, j, subgroups[i].path, err);
    }
    return result;
}

int parent_enter_group_of(struct cgroup *group, int proc_fd, pid_t pid)
{
    char text[8192];
    int index = cgroup_find_v2(group);
    cl_auto_fd pid_fd = procfs_open_pid(proc_fd, pid);
    if (index < 0 || pid_fd < 0 || cl_read_small(pid_fd, "cgroup", text, sizeof text) < 0)
        return -EBUSY;
    size_t length = strlen(group->path);
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        const char *path = line + strlen("0::/");
        if (!cl_starts_with(line, "0::/") || strncmp(path, group->path, length) != 0 ||
            path[length] != '/')
            continue;
        int result = cgroup_enter(group, (size_t)index, path + length + 1);
        return result < 0 ? -EBUSY : 0;
    }
    return -EBUSY;
}
