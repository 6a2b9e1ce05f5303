/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From our snapshot to the container's: first what is visible there, then the same processes under their inside names. The order
 * matters: parents are looked up by host pid, so pids are rewritten last.
 */
#include "lens/inside.h"

#include <errno.h>
#include <fcntl.h>

void lens_inside_done(struct lens_inside *inside)
{
    lens_id_names_free(inside->users);
    inside->users = NULL;
}

/* Is the pid namespace `ns_index` the one with inode `root`, or below it? */
static bool is_below(const struct lens_snapshot *snapshot, int proc_fd, uint32_t ns_index,
                     uint64_t root)
{
    if (snapshot->namespaces[ns_index].inode == root)
        return true;
    cl_auto_fd fd = lens_open_namespace(snapshot, proc_fd, ns_index);
    for (unsigned level = 0; fd >= 0 && level < PROCFS_LEVELS; level++) {
        uint64_t inode;
        int parent = k_ns_fd_parent(fd);
        (void)cl_close(fd);
        fd = parent;
        if (fd >= 0 && k_ns_fd_inode(fd, &inode, NULL) >= 0 && inode == root)
            return true;
    }
    return false;
}

static int drop_invisible(struct lens_snapshot *snapshot, int proc_fd, uint64_t root)
{
    cl_auto_free bool *visible = cl_calloc(snapshot->namespace_count + 1, sizeof *visible);
    if (visible == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < snapshot->namespace_count; i++)
        if (snapshot->namespaces[i].type == K_NS_PID)
            visible[i] = is_below(snapshot, proc_fd, (uint32_t)i, root);
    for (size_t i = 0; i < snapshot->process_count; i++) {
        uint32_t ns = snapshot->processes[i].namespaces[K_NS_PID];
        if (ns == LENS_NONE || !visible[ns])
            snapshot->processes[i].is_gone = true;
    }
    snapshot->hidden_count = 0; /* those whose namespaces we may not know can't be placed there */
    return 0;
}

/* level: the entry of NSpid that counts inside. */
static void take_inside_pids(struct lens_snapshot *snapshot, unsigned level,
                             const struct lens_idmap *uids)
{
    for (size_t i = 0; i < snapshot->process_count; i++) {
        struct lens_process *process = &snapshot->processes[i];
        if (process->is_gone)
            continue;
        uint32_t parent = lens_snapshot_find_pid(snapshot, process->parent);
        bool is_visible = parent != LENS_NONE && snapshot->processes[parent].levels > level;
        process->parent = is_visible ? snapshot->processes[parent].ns_pid[level] : 0;
        (void)lens_idmap_inside(uids, process->uid, &process->uid);
        if (process->levels <= level)
            process->is_gone = true;
    }
    for (size_t i = 0; i < snapshot->process_count; i++) {
        struct lens_process *process = &snapshot->processes[i];
        process->pid = process->is_gone ? 0 : process->ns_pid[level];
    }
}

/* What the container's processes are and where: its pid and user namespace, level and id map. */
static int read_target(struct lens_snapshot *snapshot, int proc_fd,
                       const struct lens_target *target, struct lens_inside *inside,
                       unsigned *ret_level)
{
    struct procfs_status status;
    uint64_t start_ticks;
    cl_auto_fd pid_fd = procfs_open_pid(proc_fd, target->pid);
    if (pid_fd < 0)
        return pid_fd;
    int code = procfs_read_status(pid_fd, &status);
    if (code >= 0)
        code = k_ns_inode(pid_fd, K_NS_PID, &inside->pid_ns);
    if (code >= 0)
        code = k_ns_inode(pid_fd, K_NS_USER, &inside->user_ns);
    if (code >= 0)
        code = lens_idmap_read(pid_fd, "uid_map", &inside->uids);
    if (code >= 0)
        code = procfs_start_ticks(proc_fd, target->pid, &start_ticks);
    if (code < 0)
        return code;
    if (start_ticks != target->start_ticks || status.levels == 0)
        return -ESRCH;
    cl_auto_fd root_fd = openat(pid_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    inside->users = lens_id_names_read(root_fd, "/etc/passwd");
    if (inside->users == NULL)
        return -ENOMEM;
    inside->pid = target->pid;
    *ret_level = status.levels - 1;
    return lens_snapshot_find(snapshot, inside->pid_ns) == LENS_NONE ? -ESRCH : 0;
}

int lens_inside_apply(struct lens_snapshot *snapshot, int proc_fd, const struct lens_target *target,
                      unsigned details, struct lens_inside *ret, struct cl_error *err)
{
    struct lens_inside inside = { 0 };
    unsigned level = 0;
    int code = read_target(snapshot, proc_fd, target, &inside, &level);
    if (code >= 0)
        code = drop_invisible(snapshot, proc_fd, inside.pid_ns);
    if (code >= 0)
        code = lens_collect_details(snapshot, proc_fd, LENS_NONE, details | LENS_DETAIL_IDS, err);
    if (code >= 0) {
        take_inside_pids(snapshot, level, &inside.uids);
        code = lens_snapshot_prune(snapshot);
    }
    if (code < 0) {
        lens_inside_done(&inside);
        (void)cl_fail(err, code, "look into process %d", (int)target->pid);
        return code == -EACCES ? cl_error_hint(err, "needs CAP_SYS_PTRACE over it") : code;
    }
    *ret = inside;
    return 0;
}

/* Follow the parents of user namespaces; those that have no process are not in the snapshot, and end the walk. */
static bool is_user_ns_below(const struct lens_snapshot *snapshot, uint64_t inode, uint64_t root)
{
    for (unsigned level = 0; inode != 0 && level < PROCFS_LEVELS; level++) {
        if (inode == root)
            return true;
        uint32_t index = lens_snapshot_find(snapshot, inode);
        inode = index == LENS_NONE ? 0 : snapshot->namespaces[index].parent;
    }
    return false;
}

/* What was added above a root, only because it is related to it, is outside of the view. */
static void forget_above(struct lens_snapshot *snapshot, uint64_t root)
{
    uint32_t index = lens_snapshot_find(snapshot, root);
    for (unsigned level = 0; index != LENS_NONE && level < PROCFS_LEVELS; level++) {
        struct lens_namespace *ns = &snapshot->namespaces[index];
        if (ns->inode != root)
            ns->holders &= ~(unsigned)LENS_HELD_RELATION;
        index = ns->parent == 0 ? LENS_NONE : lens_snapshot_find(snapshot, ns->parent);
    }
}

void lens_inside_hide_relations(struct lens_snapshot *snapshot, const struct lens_inside *inside)
{
    forget_above(snapshot, inside->pid_ns);
    forget_above(snapshot, inside->user_ns);
    for (size_t i = 0; i < snapshot->namespace_count; i++) {
        struct lens_namespace *ns = &snapshot->namespaces[i];
        if (!is_user_ns_below(snapshot, ns->owner, inside->user_ns))
            ns->owner = 0;
    }
    for (size_t i = 0; i < snapshot->namespace_count; i++) {
        struct lens_namespace *ns = &snapshot->namespaces[i];
        if (ns->inode == inside->pid_ns || ns->inode == inside->user_ns)
            ns->parent = 0;
    }
}

const char *lens_inside_user(const struct lens_inside *inside, uint32_t uid, char buffer[static 16])
{
    const char *name = lens_id_names_find(inside->users, uid);
    if (name != NULL)
        return name;
    (void)cl_print(buffer, 16, "%u", uid); /* fits */
    return buffer;
}
