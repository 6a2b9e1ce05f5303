/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one process looks like from inside: its user by the id map and the container's own passwd, which is read below an inroot descriptor.
 * Done for what is to be seen only.
 */
#include "glass/world_private.h"

#include <errno.h>
#include <fcntl.h>

enum { USER_NS_MAX = 4096 };

static const struct lens_idmap *map_of(struct glass_world *world, uint64_t inode, int pid_fd)
{
    for (size_t i = 0; i < world->user_ns_count; i++)
        if (world->user_ns[i].inode == inode)
            return world->user_ns[i].map;
    if (world->user_ns_count == USER_NS_MAX)
        return NULL;
    struct glass_user_ns *bigger =
        cl_realloc(world->user_ns, (world->user_ns_count + 1) * sizeof *bigger);
    cl_auto_free struct lens_idmap *map = bigger == NULL ? NULL : cl_malloc(sizeof *map);
    world->user_ns = bigger == NULL ? world->user_ns : bigger;
    /* A map that is not written yet is empty: asked for again. */
    if (map == NULL || lens_idmap_read(pid_fd, "uid_map", map) < 0 || map->count == 0)
        return NULL;
    world->user_ns[world->user_ns_count++] = (struct glass_user_ns){ inode, map };
    return cl_take(map);
}

static const char *name_of(struct glass_world *world, struct glass_group *group, uint32_t uid,
                           int pid_fd)
{
    (void)world;
    if (!group->has_users) {
        cl_auto_fd root = openat(pid_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
            return NULL; /* hidden: the number has to do */
        group->users = lens_id_names_read(root, "etc/passwd");
        group->has_users = true;
    }
    return lens_id_names_find(group->users, uid);
}

void glass_inside_user(struct glass_world *world, struct glass_process *process, int pid_fd)
{
    uint32_t uid = process->uid;
    process->inside_user[0] = '\0';
    if (process->group == NULL)
        return;
    if (process->is_hidden) {
        (void)CL_PRINT(process->inside_user, "?"); /* fits */
        return;
    }
    if (process->user_ns != 0 && process->user_ns != world->host_ns[K_NS_USER]) {
        const struct lens_idmap *map = map_of(world, process->user_ns, pid_fd);
        if (map == NULL || !lens_idmap_inside(map, process->uid, &uid))
            uid = LENS_OVERFLOW_ID;
    }
    const char *name = name_of(world, process->group, uid, pid_fd);
    if (name == NULL || CL_PRINT(process->inside_user, "%s", name) < 0)
        (void)CL_PRINT(process->inside_user, "%u", uid); /* fits */
}

bool glass_world_prepare(struct glass_world *world, struct glass_process *process, bool again)
{
    if (process->is_gone || (process->is_prepared && !again))
        return false;
    struct glass_reading reading = { .pid = process->pid };
    cl_auto_fd pid_fd = procfs_open_pid(world->proc_fd, process->pid);
    int code = pid_fd < 0 ? pid_fd : glass_read_process(pid_fd, &reading);
    if (code < 0 || reading.seen.start_ticks != process->start_ticks) {
        process->is_gone = code == -ESRCH || code >= 0;
        glass_reading_done(&reading);
        return process->is_gone;
    }
    bool is_moved = glass_world_take(world, process, &reading);
    glass_reading_done(&reading);
    char *command = glass_read_command(pid_fd);
    if (command != NULL) {
        free(process->command);
        process->command = command;
    }
    glass_inside_user(world, process, pid_fd);
    process->is_prepared = true;
    return is_moved;
}

void glass_world_focus(const struct glass_world *world, const struct glass_process *process,
                       struct glass_focus *ret)
{
    struct procfs_stat stat = { 0 };
    struct glass_focus focus = { .pid = process->pid, .start_ticks = process->start_ticks };
    cl_auto_fd pid_fd = procfs_open_pid(world->proc_fd, process->pid);
    for (int type = 0; type < K_NS_COUNT && pid_fd >= 0; type++) {
        int code = k_ns_inode(pid_fd, (enum k_ns)type, &focus.inodes[type]);
        focus.is_hidden = focus.is_hidden || code == -EACCES || code == -EPERM;
        if (code < 0)
            focus.inodes[type] = 0;
    }
    /* The directory stays bound to whom it was opened for; that was the one we mean? */
    if (pid_fd < 0 || procfs_read_stat(pid_fd, &stat) < 0 ||
        stat.start_ticks != process->start_ticks)
        memset(focus.inodes, 0, sizeof focus.inodes);
    *ret = focus;
}
