/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table and its two ways of being brought up to date. Both end in the same: a list of pids to read, and a merge of what was read
 * into the sorted table.
 */
#include "glass/world.h"

#include <errno.h>
#include <fcntl.h>

#include "glass/world_private.h"
#include "kernel/inroot.h"

enum { SLICE = 1000 };

/* What an update will read, and what it found to have gone. */
struct change {
    struct glass_reading *readings; /* ascending by pid */
    size_t count, room;
    size_t gone;
};

static void change_done(struct change *change)
{
    for (size_t i = 0; i < change->count; i++)
        glass_reading_done(&change->readings[i]);
    free(change->readings);
    *change = (struct change){ 0 };
}

static int want(struct change *change, pid_t pid, uint64_t entry)
{
    if (change->count == change->room) {
        size_t room = change->room == 0 ? 64 : change->room * 2, bytes;
        struct glass_reading *bigger = NULL;
        if (cl_mul_size(room, sizeof *bigger, &bytes))
            bigger = cl_realloc(change->readings, bytes);
        if (bigger == NULL)
            return -ENOMEM;
        change->readings = bigger;
        change->room = room;
    }
    change->readings[change->count++] =
        (struct glass_reading){ .pid = pid, .seen = { .entry = entry } };
    return 0;
}

/* ---- one process ---- */

static void process_free(struct glass_world *world, struct glass_process *process)
{
    glass_groups_leave(world, process);
    free(process->command);
    free(process);
}

bool glass_world_take(struct glass_world *world, struct glass_process *process,
                      struct glass_reading *reading)
{
    struct glass_process *seen = &reading->seen, before = *process;
    bool is_renamed = strcmp(process->name, seen->name) != 0;
    *process = *seen;
    process->entry = before.entry;
    process->group = before.group;
    process->cgroup = before.cgroup;
    process->command = before.command;
    process->is_prepared = before.is_prepared && !is_renamed;
    memcpy(process->inside_user, before.inside_user, sizeof process->inside_user);
    bool is_elsewhere = before.cgroup == NULL ||
                        strcmp(before.cgroup->text, reading->cgroup) != 0 ||
                        before.pid_ns != seen->pid_ns || before.user_ns != seen->user_ns;
    if (is_elsewhere && glass_groups_place(world, process, cl_take(reading->cgroup)) < 0)
        return false;
    return is_renamed || is_elsewhere || before.parent != seen->parent || before.uid != seen->uid ||
           before.state != seen->state;
}

static struct glass_process *process_new(struct glass_world *world, struct glass_reading *reading)
{
    struct glass_process *process = cl_malloc(sizeof *process);
    if (process == NULL)
        return NULL;
    *process = reading->seen;
    process->command = cl_strdup("");
    process->group = NULL;
    process->cgroup = NULL;
    if (process->command != NULL &&
        glass_groups_place(world, process, cl_take(reading->cgroup)) >= 0)
        return process;
    process_free(world, process);
    return NULL;
}

/* ---- the merge ---- */

/* What the reading says of the process that the table has for this pid. NULL: it has gone; -ENOMEM in *code. */
static struct glass_process *merged(struct glass_world *world, struct glass_process *old,
                                    struct glass_reading *reading, int *code)
{
    uint64_t entry = reading->seen.entry;
    if (reading->code < 0) /* gone; or the machine is short of something, and we know no better */
        return reading->code == -ESRCH || reading->code == -ENOENT ? NULL : old;
    if (old != NULL && old->start_ticks == reading->seen.start_ticks) {
        (void)glass_world_take(world, old, reading);
        old->entry = entry != 0 ? entry : old->entry;
        old->is_gone = old->is_prepared = false;
        old->command[0] = '\0'; /* it may be another program now */
        return old;
    }
    struct glass_process *process = process_new(world, reading);
    if (process == NULL)
        *code = -ENOMEM;
    return process;
}

/* Both lists ascend by pid; so does what comes of them. */
static int merge(struct glass_world *world, struct change *change)
{
    size_t bytes, kept = 0, i = 0, j = 0;
    struct glass_process **table = NULL;
    int code = 0;
    if (cl_mul_size(world->count + change->count + 1, sizeof *table, &bytes))
        table = cl_malloc(bytes);
    if (table == NULL)
        return -ENOMEM;
    while (i < world->count || j < change->count) {
        struct glass_process *old = i < world->count ? world->processes[i] : NULL;
        struct glass_reading *reading = j < change->count ? &change->readings[j] : NULL;
        bool is_old = old != NULL && (reading == NULL || old->pid <= reading->pid);
        bool is_read = reading != NULL && (old == NULL || reading->pid <= old->pid);
        i += is_old;
        j += is_read;
        struct glass_process *now =
            is_read ? merged(world, is_old ? old : NULL, reading, &code) : old;
        bool is_leaving = is_old && (now != old || old->is_gone);
        if (now != NULL && !(is_leaving && now == old))
            table[kept++] = now;
        if (is_leaving) {
            change->gone++;
            process_free(world, old);
        }
    }
    free(world->processes);
    world->processes = table;
    world->count = kept;
    return code;
}

/* Children of who has gone have got another parent. */
static int find_orphans(const struct glass_world *world, struct change *change)
{
    int code = 0;
    for (size_t i = 0; code >= 0 && i < world->count; i++) {
        const struct glass_process *process = world->processes[i];
        if (process->parent > 0 && glass_world_find(world, process->parent) == NULL)
            code = want(change, process->pid, 0);
    }
    return code;
}

static void tally(struct glass_world *world)
{
    world->kernel_count = world->hidden_count = 0;
    for (size_t i = 0; i < world->count; i++) {
        world->kernel_count += world->processes[i]->is_kernel;
        world->hidden_count += world->processes[i]->is_hidden;
    }
}

/* The first of them only, so that a slice can be read and merged. */
static struct change slice_of(const struct change *all, size_t from, size_t count)
{
    return (struct change){ .readings = all->readings + from, .count = count };
}

/* An empty table fills in slices, and who waits is told; the rest of what a reading does is the same. */
static int fill(struct glass_world *world, struct change *change)
{
    int code = 0;
    size_t size = world->slice; /* twice as many each time: what is drawn in between grows, too */
    for (size_t done = 0, count; code >= 0 && done < change->count; done += count, size *= 2) {
        world->progress(world->progress_context, done, change->count);
        count = change->count - done < size ? change->count - done : size;
        struct change slice = slice_of(change, done, count);
        code = glass_read_all(world->proc_fd, slice.readings, slice.count);
        if (code >= 0)
            code = merge(world, &slice);
        tally(world);
    }
    return code;
}

static int read_and_merge(struct glass_world *world, struct change *change)
{
    if (world->count == 0 && world->progress != NULL && change->count > world->slice)
        return fill(world, change);
    int code = glass_read_all(world->proc_fd, change->readings, change->count);
    return code < 0 ? code : merge(world, change);
}

/* Read what is wanted and merge it, then once more for the orphans of that. */
static int apply(struct glass_world *world, struct change *change, struct cl_error *err)
{
    struct change orphans = { 0 };
    int code = read_and_merge(world, change);
    if (code >= 0 && change->gone > 0)
        code = find_orphans(world, &orphans);
    if (code >= 0 && orphans.count > 0)
        code = glass_read_all(world->proc_fd, orphans.readings, orphans.count);
    if (code >= 0 && orphans.count > 0)
        code = merge(world, &orphans);
    change_done(&orphans);
    change_done(change);
    glass_groups_sweep(world);
    tally(world);
    return code < 0 ? cl_fail(err, code, "read the processes") : 0;
}

/* ---- by events ---- */

int glass_world_update(struct glass_world *world, const pid_t *pids, size_t count,
                       struct cl_error *err)
{
    struct change change = { 0 };
    int code = 0;
    glass_groups_retry(world);
    for (size_t i = 0; code >= 0 && i < count; i++)
        code = want(&change, pids[i], 0);
    if (code >= 0)
        return apply(world, &change, err);
    change_done(&change);
    return cl_fail(err, code, "read the processes");
}

/* ---- by listing ---- */

/* What is new in the listing, and what is in it no more: both are wanted, as a reading tells which. */
static int compare(struct glass_world *world, struct procfs_walk *walk, struct change *change)
{
    size_t i = 0;
    pid_t pid;
    int code = 0;
    while (code >= 0 && (pid = procfs_walk_next(walk)) > 0) {
        for (; i < world->count && world->processes[i]->pid < pid; i++)
            world->processes[i]->is_gone = true;
        struct glass_process *old =
            i < world->count && world->processes[i]->pid == pid ? world->processes[i++] : NULL;
        if (old == NULL || old->entry != walk->inode)
            code = want(change, pid, walk->inode);
    }
    for (; code >= 0 && pid == 0 && i < world->count; i++)
        world->processes[i]->is_gone = true;
    return code < 0 ? code : pid;
}

static int list(struct glass_world *world, struct change *change)
{
    cl_auto_free struct procfs_walk *walk = cl_malloc(sizeof *walk);
    if (walk == NULL)
        return -ENOMEM;
    int code = procfs_walk_init(walk, world->proc_fd);
    if (code < 0)
        return code;
    code = compare(world, walk, change);
    procfs_walk_done(walk);
    return code;
}

/*
 * How many threads there are, and the pid given last: no birth and no death leaves both as they were. A listing of 20,000 processes is
 * the dearest part of an update, so it is worth this look. What lies over /proc/loadavg (lxcfs) is not believed: 0.
 */
static void count_machine(const struct glass_world *world, uint64_t *ret_threads,
                          uint64_t *ret_last_pid)
{
    char text[128];
    cl_auto_fd fd = inroot_open(world->proc_fd, "loadavg", O_RDONLY | O_NOFOLLOW | O_NOCTTY, 0,
                                INROOT_NO_SYMLINKS | INROOT_NO_XDEV, NULL);
    ssize_t size = fd < 0 ? fd : cl_read_full(fd, text, sizeof text - 1);
    *ret_threads = *ret_last_pid = 0;
    if (size <= 0)
        return;
    text[size] = '\0';
    text[strcspn(text, "\n")] = '\0';
    char *threads = strchr(text, '/'); /* "0.00 0.01 0.05 1/234 5678": running/threads, last pid */
    char *last = threads == NULL ? NULL : strchr(threads, ' ');
    if (last == NULL)
        return;
    *last = '\0';
    if (cl_parse_u64(threads + 1, 1, UINT64_MAX, ret_threads) >= 0 &&
        cl_parse_u64(last + 1, 0, UINT64_MAX, ret_last_pid) < 0)
        *ret_threads = 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What no listing shows (another user, namespace, name, parent) is found in turns; and a death that the counters hid: a fork raises the last pid before the number of
   threads, so one that was under way at the listing can make up for it. */
static void read_some_again(struct glass_world *world, unsigned budget_ms)
{
    int64_t end = now_ms() + budget_ms;
    for (size_t i = 0; budget_ms > 0 && i < world->count && now_ms() < end; i++) {
        world->rolling = world->rolling + 1 < world->count ? world->rolling + 1 : 0;
        struct glass_process *process = world->processes[world->rolling];
        struct glass_reading reading = { .pid = process->pid };
        cl_auto_fd pid_fd = procfs_open_pid(world->proc_fd, process->pid);
        if (pid_fd >= 0 && glass_read_process(pid_fd, &reading) >= 0 &&
            reading.seen.start_ticks == process->start_ticks)
            (void)glass_world_take(world, process, &reading);
        else
            world->threads = 0; /* no longer there: the next poll lists */
        glass_reading_done(&reading);
    }
}

int glass_world_read(struct glass_world *world, unsigned budget_ms, struct cl_error *err)
{
    struct change change = { 0 };
    glass_groups_retry(world);
    count_machine(world, &world->threads, &world->last_pid); /* first: what comes later is news */
    int code = list(world, &change);
    if (code < 0) {
        change_done(&change);
        return cl_fail(err, code, "list the processes");
    }
    code = apply(world, &change, err);
    if (code >= 0)
        read_some_again(world, budget_ms);
    return code;
}

int glass_world_poll(struct glass_world *world, unsigned budget_ms, struct cl_error *err)
{
    uint64_t threads, last_pid;
    count_machine(world, &threads, &last_pid);
    if (threads == 0 || threads != world->threads || last_pid != world->last_pid)
        return glass_world_read(world, budget_ms, err);
    int code = glass_world_update(world, NULL, 0, err);
    if (code >= 0)
        read_some_again(world, budget_ms);
    return code;
}

int glass_world_read_commands(struct glass_world *world)
{
    size_t bytes;
    struct glass_reading *readings = NULL;
    if (cl_mul_size(world->count + 1, sizeof *readings, &bytes))
        readings = cl_calloc(1, bytes);
    if (readings == NULL)
        return -ENOMEM;
    size_t count = 0;
    for (size_t i = 0; i < world->count; i++)
        if (world->processes[i]->command[0] == '\0')
            readings[count++] =
                (struct glass_reading){ .pid = world->processes[i]->pid,
                                        .only_command = true,
                                        .start_ticks = world->processes[i]->start_ticks };
    int code = glass_read_all(world->proc_fd, readings, count);
    for (size_t i = 0, j = 0; i < count; i++) {
        while (world->processes[j]->pid != readings[i].pid)
            j++;
        if (readings[i].command != NULL) {
            free(world->processes[j]->command);
            world->processes[j]->command = cl_take(readings[i].command);
        }
        glass_reading_done(&readings[i]);
    }
    free(readings);
    return code;
}

/* ---- looking up, beginning, end ---- */

struct glass_process *glass_world_find(const struct glass_world *world, pid_t pid)
{
    size_t low = 0, high = world->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (world->processes[middle]->pid == pid)
            return world->processes[middle];
        if (world->processes[middle]->pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool glass_world_is(const struct glass_world *world, pid_t pid, uint64_t start_ticks)
{
    uint64_t ticks;
    return procfs_start_ticks(world->proc_fd, pid, &ticks) >= 0 && ticks == start_ticks;
}

/* Init stands for the host; where its namespaces are not ours to read, we stand for ourselves. */
static void read_host(struct glass_world *world)
{
    cl_auto_fd init = procfs_open_pid(world->proc_fd, 1);
    cl_auto_fd self = openat(world->proc_fd, "self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t inode;
    int host = init >= 0 && k_ns_inode(init, K_NS_MNT, &inode) >= 0 ? init : self;
    for (int type = 0; type < K_NS_COUNT && host >= 0; type++)
        if (k_ns_inode(host, (enum k_ns)type, &world->host_ns[type]) < 0)
            world->host_ns[type] = 0;
}

int glass_world_new(int proc_fd, const struct lens_names *names, struct glass_world **ret,
                    struct cl_error *err)
{
    CL_AUTO(glass_world_free) struct glass_world *world = cl_calloc(1, sizeof *world);
    if (world != NULL)
        world->cgroups = cl_calloc(GLASS_CGROUP_SLOTS, sizeof(struct glass_cgroup *));
    if (world == NULL || world->cgroups == NULL)
        return cl_fail(err, ENOMEM, "look at the processes");
    world->proc_fd = proc_fd;
    world->slice = SLICE;
    world->names = names;
    read_host(world);
    *ret = cl_take(world);
    return 0;
}

void glass_world_free(struct glass_world *world)
{
    if (world == NULL)
        return;
    for (size_t i = 0; i < world->count; i++)
        process_free(world, world->processes[i]);
    free(world->processes);
    glass_groups_done(world);
    for (size_t i = 0; i < world->user_ns_count; i++)
        free(world->user_ns[i].map);
    free(world->user_ns);
    free(world);
}
