/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Using a group: its limits' files, joining it, what the OOM killer did in it.
 */
#include <errno.h>

#include "kernel/cgroup_private.h"

int cgroup_index_v1(const struct cgroup *group, const char *controller)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct cgroup_hierarchy *hierarchy = group->at[i].hierarchy;
        if (!hierarchy->is_v2 &&
            cgroup_list_has(hierarchy->controllers, ',', controller, strlen(controller)))
            return (int)i;
    }
    return -ENOENT;
}

int cgroup_find_v2(const struct cgroup *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->at[i].hierarchy->is_v2)
            return (int)i;
    return -ENOENT;
}

int cgroup_index_members(const struct cgroup *group)
{
    static const char *const preferred[] = { "freezer", "pids", "memory", "devices" };
    for (size_t i = 0; i < CL_COUNT(preferred); i++) {
        int index = cgroup_index_v1(group, preferred[i]);
        if (index >= 0)
            return index;
    }
    for (size_t i = 0; i < group->count; i++)
        if (!group->at[i].hierarchy->is_v2)
            return (int)i;
    return -ENOENT;
}

int cgroup_v2_fd(const struct cgroup *group)
{
    int index = cgroup_find_v2(group);
    return index < 0 ? index : group->at[index].fd;
}

int cgroup_fd_of(const struct cgroup *group, const char *controller)
{
    int index = cgroup_index_v1(group, controller);
    if (index >= 0)
        return group->at[index].fd;
    char enabled[512];
    int fd = cgroup_v2_fd(group);
    if (fd < 0 || controller[0] == '\0')
        return fd;
    ssize_t length = cgroup_file_read(fd, "cgroup.controllers", enabled, sizeof enabled);
    if (length < 0)
        return (int)length;
    return cgroup_list_has(enabled, ' ', controller, strlen(controller)) ? fd : -ENOENT;
}

static const char *way_out(int code)
{
    switch (code) {
    case -ENOENT:
        return "this kernel, or the group above, does not offer it";
    case -EACCES:
    case -EPERM:
        return "the file is not delegated to this user, or the kernel refuses a change now";
    case -EINVAL:
    case -ERANGE:
        return "the kernel does not take this value here";
    case -EBUSY:
        return "more than that is in use already, or processes are in the way";
    case -ENOSPC:
        return "a group above has less";
    case -ENODEV:
        return "there is no such device";
    case -EROFS:
        return "cgroups are mounted read-only";
    default:
        return NULL;
    }
}

static int report(struct cl_error *err, int code, const struct cgroup *group, const char *file,
                  const char *value)
{
    int result = cl_fail(err, code, "write \"%s\" to %s of cgroup %s", value, file, group->path);
    const char *hint = way_out(code);
    if (hint != NULL)
        (void)cl_error_hint(err, "%s", hint);
    return result;
}

static int report_missing(struct cl_error *err, const struct cgroup *group,
                          const struct cgroup_hierarchy *hierarchy, const char *controller,
                          const char *file)
{
    char where[256];
    switch (cgroup_blocked(hierarchy->root_fd, group->path, controller, where, sizeof where)) {
    case CGROUP_BLOCK_PROCESSES:
        return cl_fail_kind(
            err, CL_KIND_UNSUPPORTED, ENOENT,
            "can't set %s of cgroup %s: cgroup %s has processes of its own, so cgroup v2 does not "
            "let the %s controller down from it; move them to a group below it, or use a group "
            "that is not below it",
            file, group->path, where, controller);
    case CGROUP_BLOCK_DENIED:
        return cl_fail_kind(
            err, CL_KIND_UNSUPPORTED, ENOENT,
            "can't set %s of cgroup %s: the %s controller is not let down from cgroup %s, whose "
            "cgroup.subtree_control this user may not change (systemd: Delegate=%s)",
            file, group->path, controller, where, controller);
    default:
        return cl_fail_kind(
            err, CL_KIND_UNSUPPORTED, ENOENT,
            "can't set %s of cgroup %s: this kernel, or what %s is a part of, has no %s "
            "controller for cgroup v2",
            file, group->path, hierarchy->mount_point, controller);
    }
}

int cgroup_write(const struct cgroup *group, const char *controller, const char *file,
                 const char *value, struct cl_error *err)
{
    int index = cgroup_index_v1(group, controller);
    if (index >= 0) {
        int code = cgroup_file_write(group->at[index].fd, file, value);
        return code < 0 ? report(err, code, group, file, value) : 0;
    }
    index = cgroup_find_v2(group);
    if (index < 0)
        return cl_fail_kind(err, CL_KIND_UNSUPPORTED, ENOENT,
                            "can't set %s: no cgroup hierarchy with the %s controller is mounted",
                            file, controller);
    int fd = group->at[index].fd;
    int code = cgroup_file_write(fd, file, value);
    if (code == -ENOENT && controller[0] != '\0') {
        cgroup_delegate(group->at[index].hierarchy->root_fd, group->path, controller);
        code = cgroup_file_write(fd, file, value);
    }
    if (code == -ENOENT && cgroup_fd_of(group, controller) == -ENOENT)
        return report_missing(err, group, group->at[index].hierarchy, controller, file);
    return code < 0 ? report(err, code, group, file, value) : 0;
}

ssize_t cgroup_read(const struct cgroup *group, const char *controller, const char *file,
                    char *buffer, size_t size)
{
    int index = cgroup_index_v1(group, controller);
    if (index < 0)
        index = cgroup_find_v2(group);
    return index < 0 ? index : cgroup_file_read(group->at[index].fd, file, buffer, size);
}

int cgroup_join_self(const struct cgroup *group, bool join_v2)
{
    for (size_t i = 0; i < group->count; i++) {
        bool is_v2 = group->at[i].hierarchy->is_v2;
        if (is_v2 && !join_v2)
            continue;
        int code = cgroup_file_write(group->at[i].fd, is_v2 ? "cgroup.procs" : "tasks", "0");
        if (code < 0)
            return code;
    }
    return 0;
}

int cgroup_oom_kills(const struct cgroup *group, uint64_t *ret_count)
{
    int index = cgroup_index_v1(group, "memory");
    if (index >= 0)
        return cgroup_file_number(group->at[index].fd, "memory.oom_control", "oom_kill", ret_count);
    int fd = cgroup_v2_fd(group);
    return fd < 0 ? fd : cgroup_file_number(fd, "memory.events", "oom_kill", ret_count);
}
