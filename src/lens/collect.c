/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes and the namespaces they are in, then details of chosen ones, then descriptors of namespaces.
 */
#include "lens/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include "lens/idmap.h"
#include "lens/scan.h"

/* ---- first pass ---- */

static int read_pids(int proc_fd, struct lens_scan_process **ret, size_t *ret_count)
{
    cl_auto_free struct procfs_walk *walk = cl_malloc(sizeof *walk);
    cl_auto_free struct lens_scan_process *processes = NULL;
    size_t count = 0, room = 0;
    int code = walk == NULL ? -ENOMEM : procfs_walk_init(walk, proc_fd);
    pid_t pid = 0;
    while (code >= 0 && (pid = procfs_walk_next(walk)) > 0) {
        if (count == room) {
            size_t bytes;
            struct lens_scan_process *bigger = NULL;
            room = room == 0 ? 256 : room * 2;
            if (cl_mul_size(room, sizeof *bigger, &bytes))
                bigger = cl_realloc(processes, bytes);
            code = bigger == NULL ? -ENOMEM : 0;
            processes = bigger == NULL ? processes : bigger;
        }
        if (code >= 0)
            processes[count++] = (struct lens_scan_process){ .pid = pid };
    }
    if (walk != NULL)
        procfs_walk_done(walk);
    if (code < 0 || pid < 0)
        return code < 0 ? code : pid;
    *ret = cl_take(processes);
    *ret_count = count;
    return 0;
}

/* Most processes share their namespaces with the one before: then no look-up is needed. */
struct recent {
    uint64_t inode[K_NS_COUNT];
    uint32_t index[K_NS_COUNT];
};

static int take_process(struct lens_snapshot *snapshot, const struct lens_scan_process *scanned,
                        struct recent *recent)
{
    if (scanned->state == LENS_SCAN_GONE)
        return 0;
    struct lens_process *process = lens_snapshot_add_process(snapshot, scanned->pid);
    if (process == NULL)
        return -ENOMEM;
    process->is_hidden = scanned->state == LENS_SCAN_HIDDEN;
    if (process->is_hidden && snapshot->hidden_count++ == 0)
        snapshot->first_hidden = scanned->pid;
    for (int type = 0; type < K_NS_COUNT; type++) {
        uint64_t inode = scanned->inodes[type];
        if (inode == 0)
            continue;
        if (inode != recent->inode[type]) {
            uint32_t index = lens_snapshot_namespace(snapshot, (enum k_ns)type, inode);
            if (index == LENS_NONE)
                return -ENOMEM;
            recent->inode[type] = inode;
            recent->index[type] = index;
        }
        process->namespaces[type] = recent->index[type];
    }
    return 0;
}

int lens_collect(int proc_fd, unsigned types, bool with_descriptors, struct lens_snapshot **ret,
                 struct cl_error *err)
{
    CL_AUTO(lens_snapshot_free) struct lens_snapshot *snapshot = lens_snapshot_new();
    cl_auto_free struct lens_scan_process *processes = NULL;
    size_t count = 0;
    struct stat info = { 0 };
    /* A procfs that does not know us has no namespace file to compare others with. */
    with_descriptors = with_descriptors && fstatat(proc_fd, "self/ns/user", &info, 0) == 0;
    struct lens_scan_options options = { .proc_fd = proc_fd,
                                         .types = types,
                                         .want_descriptors = with_descriptors,
                                         .want_sockets = (types & 1U << K_NS_NET) != 0,
                                         .nsfs = info.st_dev };
    int code = snapshot == NULL ? -ENOMEM : read_pids(proc_fd, &processes, &count);
    if (code >= 0)
        code = lens_scan(&options, processes, count, snapshot);
    struct recent recent = { 0 };
    for (size_t i = 0; code >= 0 && i < count; i++)
        code = take_process(snapshot, &processes[i], &recent);
    if (code >= 0)
        code = lens_snapshot_finish(snapshot);
    if (code < 0)
        return cl_fail(err, code, "list processes");
    *ret = cl_take(snapshot);
    return 0;
}

/* ---- details ---- */

/* The process behind pid_fd is one that is in the namespaces we noted: that is what makes a pid used again harmless. */
static bool is_where_it_was(const struct lens_snapshot *snapshot,
                            const struct lens_process *process, int pid_fd)
{
    for (int type = 0; type < K_NS_COUNT; type++) {
        uint64_t inode;
        if (process->namespaces[type] == LENS_NONE)
            continue;
        int code = k_ns_inode(pid_fd, (enum k_ns)type, &inode);
        if (code < 0 || inode != snapshot->namespaces[process->namespaces[type]].inode)
            return false;
    }
    return true;
}

static int detail_command(struct lens_snapshot *snapshot, struct lens_process *process, int pid_fd)
{
    char text[LENS_COMMAND_MAX];
    ssize_t length = cl_read_small(pid_fd, "cmdline", text, sizeof text);
    if (length == -ENOMEM)
        return -ENOMEM;
    while (length > 0 && text[length - 1] == '\0')
        length--;
    for (ssize_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    process->command = length > 0 ? lens_arena_text(snapshot, text, (size_t)length) : process->name;
    return process->command == NULL ? -ENOMEM : 0;
}

static int detail_ids(struct lens_snapshot *snapshot, struct lens_process *process, int pid_fd)
{
    struct procfs_status status;
    int code = procfs_read_status(pid_fd, &status);
    if (code < 0)
        return code;
    size_t size = status.levels * sizeof status.ns_pid[0];
    pid_t *pids = lens_arena_take(snapshot, size);
    if (pids == NULL)
        return -ENOMEM;
    memcpy(pids, status.ns_pid, size);
    process->ns_pid = pids;
    process->levels = (uint8_t)status.levels;
    return 0;
}

static int detail_cgroup(struct lens_snapshot *snapshot, struct lens_process *process, int pid_fd)
{
    char text[4096];
    ssize_t length = cl_read_small(pid_fd, "cgroup", text, sizeof text);
    if (length < 0)
        return length == -ENOMEM ? -ENOMEM : 0; /* only costs the container's name */
    process->cgroup = lens_arena_text(snapshot, text, (size_t)length);
    return process->cgroup == NULL ? -ENOMEM : 0;
}

/* "0 100000 65536\n1000 …" → "0:100000:65536,1000:…" */
static int detail_map(struct lens_snapshot *snapshot, int pid_fd, const char *file,
                      const char **ret_text)
{
    struct lens_idmap map;
    cl_auto_buf text = CL_BUF_INIT(65536);
    int code = lens_idmap_read(pid_fd, file, &map);
    if (code < 0)
        return code == -ENOMEM ? code : 0; /* only costs the cell */
    for (size_t i = 0; i < map.count; i++)
        cl_buf_printf(&text, "%s%u:%u:%u", i == 0 ? "" : ",", map.ranges[i].inside,
                      map.ranges[i].outside, map.ranges[i].count);
    if (text.failed < 0)
        return text.failed;
    *ret_text = lens_arena_text(snapshot, text.data == NULL ? "" : text.data, text.size);
    return *ret_text == NULL ? -ENOMEM : 0;
}

static int read_details(struct lens_snapshot *snapshot, struct lens_process *process, int pid_fd,
                        unsigned details)
{
    struct stat info;
    struct procfs_stat stat;
    if (fstat(pid_fd, &info) < 0)
        return -errno;
    int code = procfs_read_stat(pid_fd, &stat);
    if (code < 0)
        return code;
    process->uid = info.st_uid;
    process->parent = stat.parent;
    process->state = stat.state;
    process->start_ticks = stat.start_ticks;
    process->name = lens_arena_text(snapshot, stat.name, strlen(stat.name));
    process->command = process->name;
    if (process->name == NULL)
        return -ENOMEM;
    if ((details & LENS_DETAIL_IDS) != 0)
        code = detail_ids(snapshot, process, pid_fd);
    if (code >= 0 && (details & LENS_DETAIL_CGROUP) != 0)
        code = detail_cgroup(snapshot, process, pid_fd);
    if (code >= 0 && (details & LENS_DETAIL_MAPS) != 0)
        code = detail_map(snapshot, pid_fd, "uid_map", &process->uid_map);
    if (code >= 0 && (details & LENS_DETAIL_MAPS) != 0)
        code = detail_map(snapshot, pid_fd, "gid_map", &process->gid_map);
    if (code >= 0 && (details & LENS_DETAIL_COMMAND) != 0)
        code = detail_command(snapshot, process, pid_fd);
    return code;
}

/* 0, also for a process that has gone (and is marked so), or -errno. */
static int detail_process(struct lens_snapshot *snapshot, int proc_fd, uint32_t index,
                          unsigned details)
{
    struct lens_process *process = &snapshot->processes[index];
    if (process->is_gone || process->has_details)
        return 0;
    cl_auto_fd pid_fd = procfs_open_pid(proc_fd, process->host_pid);
    if (pid_fd == -EMFILE || pid_fd == -ENFILE || pid_fd == -ENOMEM)
        return pid_fd;
    int code = pid_fd < 0 ? pid_fd : read_details(snapshot, process, pid_fd, details);
    /* The links last: had it changed its namespaces before, the details would not be those of a member. */
    if (code >= 0 && (process->is_hidden || is_where_it_was(snapshot, process, pid_fd)))
        process->has_details = true;
    else if (code == -ENOMEM)
        return code;
    else
        process->is_gone = true;
    return 0;
}

int lens_collect_details(struct lens_snapshot *snapshot, int proc_fd, uint32_t ns_index,
                         unsigned details, struct cl_error *err)
{
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const struct lens_process *process = &snapshot->processes[i];
        if (ns_index != LENS_NONE &&
            process->namespaces[snapshot->namespaces[ns_index].type] != ns_index)
            continue;
        int code = detail_process(snapshot, proc_fd, (uint32_t)i, details);
        if (code < 0)
            return cl_fail(err, code, "read process %d", (int)snapshot->processes[i].host_pid);
    }
    lens_snapshot_count(snapshot);
    return 0;
}

int lens_collect_process(struct lens_snapshot *snapshot, int proc_fd, pid_t host_pid,
                         unsigned details, struct cl_error *err)
{
    for (size_t i = 0; i < snapshot->process_count; i++) {
        if (snapshot->processes[i].host_pid != host_pid)
            continue;
        int code = detail_process(snapshot, proc_fd, (uint32_t)i, details);
        return code < 0 ? cl_fail(err, code, "read process %d", (int)host_pid) : 0;
    }
    return 0;
}

int lens_collect_representatives(struct lens_snapshot *snapshot, int proc_fd, unsigned details,
                                 struct cl_error *err)
{
    for (bool is_settled = false; !is_settled;) {
        is_settled = true; /* each further turn means that a process has gone: it ends */
        for (size_t i = 0; i < snapshot->namespace_count; i++) {
            uint32_t index = snapshot->namespaces[i].representative;
            if (index == LENS_NONE || snapshot->processes[index].is_gone)
                continue;
            int code = detail_process(snapshot, proc_fd, index, details);
            if (code < 0)
                return cl_fail(err, code, "read process %d",
                               (int)snapshot->processes[index].host_pid);
            is_settled = is_settled && !snapshot->processes[index].is_gone;
        }
        if (!is_settled)
            lens_snapshot_count(snapshot);
    }
    return 0;
}

/* ---- descriptors of namespaces ---- */

static int open_by_process(const struct lens_snapshot *snapshot, int proc_fd,
                           const struct lens_namespace *ns)
{
    cl_auto_fd pid_fd = procfs_open_pid(proc_fd, snapshot->processes[ns->representative].host_pid);
    if (pid_fd < 0)
        return pid_fd;
    int fd = -EBADF;
    int code = k_ns_open(pid_fd, ns->type, &fd, NULL);
    return code < 0 ? code : fd;
}

int lens_open_nsfs(int proc_fd, int dirfd, const char *path)
{
    char reopen[32];
    long magic;
    cl_auto_fd handle = openat(dirfd, path, O_PATH | O_CLOEXEC);
    if (handle < 0)
        return -errno;
    int code = k_fs_type(handle, &magic);
    if (code < 0)
        return code;
    if (magic != NSFS_MAGIC)
        return -ESRCH;
    (void)CL_PRINT(reopen, "self/fd/%d", handle); /* fits */
    int fd = openat(proc_fd, reopen, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int open_by_holder(int proc_fd, const struct lens_holder *holder)
{
    char path[48];
    if (holder->kind == LENS_HELD_MOUNT && holder->pid == 0)
        return lens_open_nsfs(proc_fd, AT_FDCWD, holder->path);
    if (holder->kind == LENS_HELD_SOCKET) {
        cl_auto_fd pidfd = k_pidfd_open(holder->pid);
        return pidfd < 0 ? pidfd : lens_open_socket_ns(pidfd, holder->fd);
    }
    if (holder->kind != LENS_HELD_FD)
        return -ENOENT;
    (void)CL_PRINT(path, "%d/fd/%d", (int)holder->pid, holder->fd); /* fits */
    return lens_open_nsfs(proc_fd, proc_fd, path);
}

static int check_is(int fd, const struct lens_namespace *ns)
{
    uint64_t inode;
    int code = k_ns_fd_inode(fd, &inode, NULL);
    if (code < 0)
        return code;
    return inode == ns->inode ? 0 : -ESRCH;
}

int lens_open_namespace(const struct lens_snapshot *snapshot, int proc_fd, uint32_t ns_index)
{
    const struct lens_namespace *ns = &snapshot->namespaces[ns_index];
    if (ns->representative != LENS_NONE) {
        cl_auto_fd fd = open_by_process(snapshot, proc_fd, ns);
        if (fd >= 0 && check_is(fd, ns) >= 0)
            return cl_take_fd(&fd);
    }
    for (size_t i = 0; i < snapshot->holder_count; i++) {
        if (snapshot->holders[i].namespace != ns_index)
            continue;
        cl_auto_fd fd = open_by_holder(proc_fd, &snapshot->holders[i]);
        if (fd >= 0 && check_is(fd, ns) >= 0)
            return cl_take_fd(&fd);
    }
    return -ESRCH;
}
