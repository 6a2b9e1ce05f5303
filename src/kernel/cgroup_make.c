/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and opening groups: the same path in every hierarchy.
 *
 * Any number of processes may make groups below one parent at once, and another may remove the
 * parent when it is empty: so mkdir of the whole path is tried first, parents are made when that
 * finds them missing, and an ENOENT in between starts over.
 *
 * Two kinds of hierarchies need more than mkdir. A v1 cpuset is born without cpus and mems (nothing
 * can join it): both are copied from above, and groups that we make as parents get
 * cgroup.clone_children, so that their children are born complete. A v2 group has only the
 * controllers that its parent lets down.
 */
#include <errno.h>

#include "kernel/cgroup_private.h"
#include "kernel/hook.h"

#define MAKE_TRIES 8

static int make_dir(int root_fd, const char *path)
{
    return (int)K_CALL("mkdirat", SYS_mkdirat, root_fd, (long)path, 0755);
}

/* Cut off the last component in place; false when there was only one. */
static bool cut_last(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    return slash != NULL;
}

/* The first `levels` components of path, or all. True when that is the whole path. */
__attribute__((nonnull)) static bool first_levels(const char *path, unsigned levels, char *prefix,
                                                  size_t size)
{
    const char *end = path;
    for (unsigned i = 0; i < levels && end != NULL; i++)
        end = strchr(i == 0 ? end : end + 1, '/');
    (void)cl_print(prefix, size, "%.*s", end != NULL ? (int)(end - path) : (int)strlen(path), path);
    return end == NULL;
}

/* Remove the last `made` components of path, as far as they are empty. */
static void unmake(int root_fd, const char *path, unsigned made)
{
    char prefix[256];
    (void)CL_PRINT(prefix, "%s", path);
    for (; made > 0; made--) {
        if (K_CALL("unlinkat", SYS_unlinkat, root_fd, (long)prefix, AT_REMOVEDIR) < 0)
            return; /* somebody else is in it already: theirs now */
        if (!cut_last(prefix))
            return;
    }
}

/* Make all components from the top; *ret_made: how many of the last ones are new. What a failure
   left is unmade. */
static int make_all(int root_fd, const char *path, unsigned *ret_made)
{
    char prefix[256];
    unsigned made = 0;
    bool whole = false;
    for (unsigned levels = 1; !whole; levels++) {
        whole = first_levels(path, levels, prefix, sizeof prefix);
        int code = make_dir(root_fd, prefix);
        if (code == -EEXIST && !whole) {
            made += made > 0;
            continue;
        }
        if (code < 0) {
            if (cut_last(prefix))
                unmake(root_fd, prefix, made);
            return code;
        }
        made++;
    }
    *ret_made = made;
    return 0;
}

/* The whole path first: at most starts its parents are there. -EEXIST when the last component
   is. */
static int make_path(int root_fd, const char *path, unsigned *ret_made)
{
    int code = -ENOENT;
    for (int i = 0; code == -ENOENT && i < MAKE_TRIES; i++) {
        code = make_dir(root_fd, path);
        if (code == 0)
            *ret_made = 1;
        else if (code == -ENOENT)
            code = make_all(root_fd, path, ret_made);
    }
    return code;
}

/* ---- v1 cpuset ---- */

static int copy_down(int parent_fd, int child_fd, const char *file)
{
    char value[4096];
    ssize_t length = cgroup_file_read(child_fd, file, value, sizeof value);
    if (length != 0)
        return length < 0 ? (int)length : 0;
    length = cgroup_file_read(parent_fd, file, value, sizeof value);
    if (length < 0)
        return (int)length;
    return length == 0 ? -ENOSPC : cgroup_file_write(child_fd, file, value);
}

static bool cpuset_is_complete(int fd)
{
    char value[4096];
    return cgroup_file_read(fd, "cpuset.cpus", value, sizeof value) > 0 &&
           cgroup_file_read(fd, "cpuset.mems", value, sizeof value) > 0;
}

/* From the top down, since each copies from its parent. */
static int cpuset_complete(int root_fd, const char *path, int group_fd)
{
    if (cpuset_is_complete(group_fd))
        return 0;
    cl_auto_fd parent = cgroup_dir_open(root_fd, ".");
    if (parent < 0)
        return parent;
    bool whole = false;
    for (unsigned levels = 1; !whole; levels++) {
        char prefix[256];
        whole = first_levels(path, levels, prefix, sizeof prefix);
        cl_auto_fd child = cgroup_dir_open(root_fd, prefix);
        int code = child < 0 ? child : copy_down(parent, child, "cpuset.cpus");
        if (code >= 0)
            code = copy_down(parent, child, "cpuset.mems");
        if (code < 0)
            return code;
        if (!whole) /* only saves time at the next start: a no is fine */
            (void)cgroup_file_write(child, "cgroup.clone_children", "1");
        (void)cl_close(parent);
        parent = cl_take_fd(&child);
    }
    return 0;
}

/* ---- v2 ---- */

/* Append "+name " for every controller of `available` that `enabled` lacks. */
static void list_missing(const char *available, const char *enabled, const char *only, char *text,
                         size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (const char *at = available; *at != '\0';) {
        size_t length = strcspn(at, " ");
        bool wanted = only == NULL || (strlen(only) == length && memcmp(only, at, length) == 0);
        if (wanted && length > 0 && !cgroup_list_has(enabled, ' ', at, length) &&
            cl_print(text + used, size - used, "+%.*s ", (int)length, at) >= 0)
            used += length + 2;
        at += length + (at[length] == ' ');
    }
}

static void enable_one_by_one(int fd, char *list)
{
    for (char *at = list, *end; (end = strchr(at, ' ')) != NULL; at = end + 1) {
        *end = '\0';
        (void)cgroup_file_write(fd, "cgroup.subtree_control", at); /* as many as can be had */
    }
}

/* A group with processes of its own can't hand most controllers on. For cpu, pids and perf_event the
   kernel takes the word, but makes it a threaded group, and every group below it one that no
   container can enter. The root (it has no type) is free of that rule. */
static bool has_own_processes(int fd)
{
    char text[32];
    return cgroup_file_read(fd, "cgroup.type", text, sizeof text) >= 0 &&
           cgroup_file_read(fd, "cgroup.procs", text, sizeof text) != 0;
}

static int delegate_in(int fd, const char *only_controller)
{
    char available[512], enabled[512], missing[512];
    ssize_t code = cgroup_file_read(fd, "cgroup.controllers", available, sizeof available);
    if (code > 0)
        code = cgroup_file_read(fd, "cgroup.subtree_control", enabled, sizeof enabled);
    if (code < 0)
        return (int)code;
    list_missing(available, enabled, only_controller, missing, sizeof missing);
    if (missing[0] == '\0' || has_own_processes(fd))
        return 0;
    if (cgroup_file_write(fd, "cgroup.subtree_control", missing) < 0)
        enable_one_by_one(fd, missing);
    return 0;
}

void cgroup_delegate(int root_fd, const char *path, const char *only_controller)
{
    cl_auto_fd top = cgroup_dir_open(root_fd, ".");
    if (top < 0 || delegate_in(top, only_controller) < 0)
        return;
    char prefix[256];
    for (unsigned levels = 1; !first_levels(path, levels, prefix, sizeof prefix); levels++) {
        cl_auto_fd fd = cgroup_dir_open(root_fd, prefix);
        if (fd < 0 || delegate_in(fd, only_controller) < 0)
            return;
    }
}

static bool file_has(int fd, const char *file, const char *word)
{
    char text[512];
    return cgroup_file_read(fd, file, text, sizeof text) >= 0 &&
           cgroup_list_has(text, ' ', word, strlen(word));
}

enum cgroup_block cgroup_blocked(int root_fd, const char *path, const char *controller, char *where,
                                 size_t size)
{
    cl_auto_fd fd = cgroup_dir_open(root_fd, ".");
    bool whole = false;
    if (!file_has(fd, "cgroup.controllers", controller))
        return CGROUP_BLOCK_MISSING;
    (void)cl_print(where, size, "/");
    for (unsigned levels = 1; fd >= 0 && !whole; levels++) {
        if (!file_has(fd, "cgroup.subtree_control", controller))
            return has_own_processes(fd) ? CGROUP_BLOCK_PROCESSES : CGROUP_BLOCK_DENIED;
        whole = first_levels(path, levels, where, size);
        (void)cl_close(fd);
        fd = cgroup_dir_open(root_fd, where);
    }
    return CGROUP_BLOCK_NONE;
}

static bool has_same_controllers(int root_fd, int group_fd)
{
    char above[512], here[512];
    return cgroup_file_read(root_fd, "cgroup.controllers", above, sizeof above) >= 0 &&
           cgroup_file_read(group_fd, "cgroup.controllers", here, sizeof here) >= 0 &&
           strcmp(above, here) == 0;
}

/* ---- both ---- */

static int report(struct cl_error *err, int code, const struct cgroup_hierarchy *hierarchy,
                  const char *path)
{
    if (code == -EEXIST)
        return cl_fail_kind(err, CL_KIND_CONFLICT, EEXIST, "cgroup %s exists already in %s", path,
                            hierarchy->mount_point);
    int result = cl_fail(err, code, "make cgroup %s in %s", path, hierarchy->mount_point);
    if (code == -EACCES || code == -EPERM)
        (void)cl_error_hint(
            err, "this user may make groups only where they were delegated (own group: %s)",
            hierarchy->own_path[0] != '\0' ? hierarchy->own_path : "not visible");
    else if (code == -EROFS)
        (void)cl_error_hint(err, "it is mounted read-only");
    else if (code == -EAGAIN)
        (void)cl_error_hint(
            err, "cgroup.max.descendants or cgroup.max.depth of a group above is reached");
    return result;
}

static int complete(const struct cgroup_host *host, const struct cgroup_hierarchy *hierarchy,
                    const char *path, int fd)
{
    if (!hierarchy->is_v2)
        return cgroup_list_has(hierarchy->controllers, ',', "cpuset", strlen("cpuset"))
                   ? cpuset_complete(hierarchy->root_fd, path, fd)
                   : 0;
    /* Beside v1 the few controllers of v2 are let down when one is asked for (cgroup_write): it
       binds them to v2 for good. */
    if (host->layout == CGROUP_V2 && !has_same_controllers(hierarchy->root_fd, fd))
        cgroup_delegate(hierarchy->root_fd, path, NULL);
    return 0;
}

/* In one hierarchy. *made counts what is to be undone, also when this fails. */
static int make_in(const struct cgroup_host *host, const struct cgroup_hierarchy *hierarchy,
                   const char *path, bool must_be_new, unsigned *made, int *ret_fd)
{
    for (int i = 0; i < MAKE_TRIES; i++) {
        *made = 0;
        int code = make_path(hierarchy->root_fd, path, made);
        if (code < 0 && (code != -EEXIST || must_be_new))
            return code;
        cl_auto_fd fd = cgroup_dir_open(hierarchy->root_fd, path);
        if (fd == -ENOENT)
            continue; /* removed by its owner since: not ours, so make it again */
        code = fd < 0 ? fd : complete(host, hierarchy, path, fd);
        if (code >= 0)
            *ret_fd = cl_take_fd(&fd);
        return code;
    }
    return -ENOENT;
}

static int check_path(const char *path, struct cl_error *err)
{
    int code = cgroup_path_check(path);
    if (code < 0)
        return cl_fail_kind(
            err, CL_KIND_INVALID, code,
            "cgroup path \"%s\" is not valid: relative, without . and .., below 256 bytes", path);
    return 0;
}

enum versions { OF_V1 = 1, OF_V2 = 2 };

static int make_of(const struct cgroup_host *host, unsigned versions, const char *path,
                   bool must_be_new, struct cgroup *ret, struct cl_error *err)
{
    int code = check_path(path, err);
    if (code < 0)
        return code;
    struct cgroup group = { 0 };
    unsigned made[CGROUP_MAX_HIERARCHIES] = { 0 };
    (void)CL_PRINT(group.path, "%s", path);
    size_t i = 0;
    for (; i < host->count; i++) {
        int fd = -EBADF;
        if ((versions & (host->hierarchies[i].is_v2 ? OF_V2 : OF_V1)) == 0)
            continue;
        code = make_in(host, &host->hierarchies[i], path, must_be_new, &made[i], &fd);
        if (code < 0)
            break;
        group.at[group.count].hierarchy = &host->hierarchies[i];
        group.at[group.count].fd = fd;
        group.at[group.count++].made = made[i];
    }
    if (code >= 0) {
        *ret = group;
        return 0;
    }
    code = report(err, code, &host->hierarchies[i], path);
    for (size_t j = 0; j <= i; j++)
        unmake(host->hierarchies[j].root_fd, path, made[j]);
    cgroup_done(&group);
    return code;
}

int cgroup_make(struct cgroup_host *host, const char *path, bool must_be_new, struct cgroup *ret,
                struct cl_error *err)
{
    return make_of(host, OF_V1 | OF_V2, path, must_be_new, ret, err);
}

int cgroup_make_of(struct cgroup_host *host, bool v2, const char *path, bool must_be_new,
                   struct cgroup *ret, struct cl_error *err)
{
    return make_of(host, v2 ? OF_V2 : OF_V1, path, must_be_new, ret, err);
}

void cgroup_remove_parents(const struct cgroup *group)
{
    for (size_t i = 0; i < group->count; i++) {
        char parent[sizeof group->path];
        (void)CL_PRINT(parent, "%s", group->path);
        if (group->at[i].made > 1 && cut_last(parent))
            unmake(group->at[i].hierarchy->root_fd, parent, group->at[i].made - 1);
    }
}

int cgroup_open(struct cgroup_host *host, const char *path, struct cgroup *ret,
                struct cl_error *err)
{
    int code = check_path(path, err);
    if (code < 0)
        return code;
    struct cgroup group = { 0 };
    (void)CL_PRINT(group.path, "%s", path);
    for (size_t i = 0; i < host->count; i++) {
        int fd = cgroup_dir_open(host->hierarchies[i].root_fd, path);
        if (fd == -ENOENT)
            continue;
        if (fd < 0) {
            cgroup_done(&group);
            return cl_fail(err, fd, "open cgroup %s in %s", path, host->hierarchies[i].mount_point);
        }
        group.at[group.count].hierarchy = &host->hierarchies[i];
        group.at[group.count++].fd = fd;
    }
    if (group.count == 0)
        return cl_fail(err, ENOENT, "open cgroup %s", path);
    *ret = group;
    return 0;
}

int cgroup_enter(struct cgroup *group, size_t index, const char *below)
{
    int code = cgroup_path_check(below);
    if (code < 0)
        return code;
    int fd = cgroup_dir_open(group->at[index].fd, below);
    if (fd < 0)
        return fd;
    (void)cl_close(group->at[index].fd);
    group->at[index].fd = fd;
    return 0;
}

void cgroup_done(struct cgroup *group)
{
    for (size_t i = 0; i < group->count; i++)
        (void)cl_close(group->at[i].fd);
    group->count = 0;
}
