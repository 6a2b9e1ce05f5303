/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of `ns watch`: two hash tables, of processes by pid and of namespaces by inode, and what follows from a difference.
 *
 * The namespace links are read before the start time, and all through one /proc/PID directory, so both are the same process's.
 */
#include "lens/watch.h"

#include <errno.h>
#include <sys/stat.h>

const char *const watch_event_names[WATCH_EVENT_COUNT] = {
    "fork", "exec", "user", "name", "exit", "born", "join", "empty", "start", "end", "lost",
};

void watch_world_init(struct watch_world *world, int proc_fd, const struct lens_names *names)
{
    *world = (struct watch_world){ .proc_fd = proc_fd, .names = names };
    lens_directory_read(&world->directory, names);
}

void watch_world_done(struct watch_world *world)
{
    for (size_t i = 0; i < WATCH_BUCKETS; i++) {
        for (struct watch_process *at = world->processes[i], *next; at != NULL; at = next) {
            next = at->next;
            free(at);
        }
        for (struct watch_namespace *at = world->namespaces[i], *next; at != NULL; at = next) {
            next = at->next;
            free(at);
        }
    }
    free(world->containers);
    lens_directory_done(&world->directory);
}

/* ---- tables ---- */

static struct watch_process **process_slot(struct watch_world *world, pid_t pid)
{
    struct watch_process **slot = &world->processes[(unsigned)pid % WATCH_BUCKETS];
    while (*slot != NULL && (*slot)->pid != pid)
        slot = &(*slot)->next;
    return slot;
}

struct watch_process *watch_find(struct watch_world *world, pid_t pid)
{
    return *process_slot(world, pid);
}

static struct watch_namespace **namespace_slot(struct watch_world *world, uint64_t inode)
{
    struct watch_namespace **slot = &world->namespaces[inode % WATCH_BUCKETS];
    while (*slot != NULL && (*slot)->inode != inode)
        slot = &(*slot)->next;
    return slot;
}

static void report(struct watch_world *world, const struct watch_report *what)
{
    if (!world->is_quiet && world->report != NULL)
        world->report(world->context, what);
}

static void report_process(struct watch_world *world, enum watch_event event,
                           const struct watch_process *process, int status)
{
    const struct watch_container *container =
        process->container == LENS_NONE ? NULL : &world->containers[process->container];
    report(world,
           &(struct watch_report){
               .event = event, .process = process, .container = container, .status = status });
}

static void report_namespace(struct watch_world *world, enum watch_event event,
                             const struct watch_process *process, enum k_ns type, uint64_t inode)
{
    const struct watch_container *container =
        process->container == LENS_NONE ? NULL : &world->containers[process->container];
    report(world, &(struct watch_report){ .event = event,
                                          .process = process,
                                          .container = container,
                                          .type = type,
                                          .inode = inode });
}

/* ---- namespaces ---- */

static void leave_namespace(struct watch_world *world, const struct watch_process *process,
                            enum k_ns type, uint64_t inode)
{
    struct watch_namespace **slot = namespace_slot(world, inode);
    struct watch_namespace *ns = *slot;
    if (ns == NULL || --ns->count > 0)
        return;
    *slot = ns->next;
    free(ns);
    report_namespace(world, WATCH_EMPTY, process, type, inode);
}

/* A process that ends leaves its namespaces first; one whose links we may not read is there still. */
static bool has_left(const struct watch_world *world, const struct watch_process *process,
                     enum k_ns type)
{
    struct procfs_stat stat;
    uint64_t inode;
    cl_auto_fd pid_fd = procfs_open_pid(world->proc_fd, process->pid);
    if (pid_fd < 0)
        return true;
    int code = k_ns_inode(pid_fd, type, &inode);
    if (code >= 0 && inode != process->inodes[type])
        return true; /* by setns or unshare, of which nothing is told */
    return code == -ENOENT || code == -ESRCH || procfs_read_stat(pid_fd, &stat) < 0 ||
           stat.state == 'Z' || stat.state == 'X' ||
           (process->start_ticks != 0 && stat.start_ticks != process->start_ticks);
}

/*
 * The kernel gives a number to the next namespace as soon as the last one that had it is gone, and that may be before the end of its last process is told. So a
 * number that is known already is another namespace if all whom we know in it have ended: then the old one is forgotten here, and they leave nothing when
 * their end is told.
 */
static void forget_if_given_on(struct watch_world *world, const struct watch_process *newcomer,
                               enum k_ns type, uint64_t inode)
{
    bool is_known = false;
    for (size_t i = 0; i < WATCH_BUCKETS; i++)
        for (struct watch_process *at = world->processes[i]; at != NULL; at = at->next)
            for (int t = 0; t < K_NS_COUNT; t++) { /* of any type: they share their numbers */
                if (at->inodes[t] != inode || (at == newcomer && t == (int)type))
                    continue;
                if (!has_left(world, at, (enum k_ns)t))
                    return;
                is_known = true;
            }
    for (size_t i = 0; is_known && i < WATCH_BUCKETS; i++)
        for (struct watch_process *at = world->processes[i]; at != NULL; at = at->next)
            for (int t = 0; t < K_NS_COUNT; t++)
                if (at->inodes[t] == inode && (at != newcomer || t != (int)type)) {
                    at->inodes[t] = 0;
                    leave_namespace(world, at, (enum k_ns)t, inode);
                }
}

/* is_first: the process was not known before, and is in what it was born into as far as can be told. is_common: so is its parent. */
static int enter_namespace(struct watch_world *world, const struct watch_process *process,
                           enum k_ns type, uint64_t inode, bool is_first, bool is_common)
{
    if (!is_common && !world->is_quiet && *namespace_slot(world, inode) != NULL)
        forget_if_given_on(world, process, type, inode);
    struct watch_namespace **slot = namespace_slot(world, inode);
    bool is_new = *slot == NULL;
    if (is_new) {
        struct watch_namespace *ns = cl_calloc(1, sizeof *ns);
        if (ns == NULL)
            return -ENOMEM;
        *ns = (struct watch_namespace){ .inode = inode, .type = type };
        *slot = ns;
    }
    (*slot)->count++;
    if (is_new || !is_first)
        report_namespace(world, is_new ? WATCH_BORN : WATCH_JOIN, process, type, inode);
    return 0;
}

/* ---- containers ---- */

static uint32_t container_index(struct watch_world *world, const struct lens_container *found)
{
    for (size_t i = 0; i < world->container_count; i++)
        if (strcmp(world->containers[i].name, found->name) == 0 &&
            strcmp(world->containers[i].engine, found->engine) == 0)
            return (uint32_t)i;
    size_t size;
    struct watch_container *more = NULL;
    if (cl_mul_size(world->container_count + 1, sizeof *more, &size))
        more = cl_realloc(world->containers, size);
    if (more == NULL)
        return LENS_NONE; /* only costs the name */
    world->containers = more;
    struct watch_container *added = &more[world->container_count];
    *added = (struct watch_container){ 0 };
    (void)CL_PRINT(added->name, "%s", found->name); /* the same size */
    (void)CL_PRINT(added->engine, "%s", found->engine);
    return (uint32_t)world->container_count++;
}

/* The first twelve of 64 hexadecimal digits, as containers' cgroups have them. */
static void find_id(const char *cgroup, char id[static 13])
{
    size_t run = 0;
    id[0] = '\0';
    for (; *cgroup != '\0' && run < 64; cgroup++)
        run = strchr("0123456789abcdef", *cgroup) != NULL ? run + 1 : 0;
    if (run >= 64)
        (void)cl_print(id, 13, "%.12s", cgroup - 64);
}

/*
 * A container's cgroup exists before its engine says its name, so an id that is not known is asked for again with each exec. One that is over before it could
 * be asked for is called by its id.
 */
static uint32_t find_container(struct watch_world *world, const struct watch_process *process,
                               const char *cgroup, bool may_ask)
{
    const struct lens_process as_process = { .pid = process->pid,
                                             .host_pid = process->pid,
                                             .start_ticks = process->start_ticks,
                                             .cgroup = cgroup };
    const struct lens_container *found = lens_directory_find(&world->directory, &as_process);
    if (found == NULL && may_ask && process->id[0] != '\0') {
        lens_directory_done(&world->directory);
        lens_directory_read(&world->directory, world->names);
        found = lens_directory_find(&world->directory, &as_process);
    }
    return found == NULL ? LENS_NONE : container_index(world, found);
}

static void leave_container(struct watch_world *world, const struct watch_process *process)
{
    if (process->container == LENS_NONE)
        return;
    struct watch_container *container = &world->containers[process->container];
    if (--container->count == 0 && container->is_told) {
        report_process(world, WATCH_END, process, -1);
        container->is_told = false;
    }
}

/* ---- reading ---- */

/* What /proc says now. False: it has ended, or it is a later process. */
static bool read_process(struct watch_world *world, pid_t pid, uint64_t not_after,
                         struct watch_process *ret, char *cgroup, size_t cgroup_size)
{
    struct procfs_stat stat;
    struct stat info;
    cl_auto_fd pid_fd = procfs_open_pid(world->proc_fd, pid);
    if (pid_fd < 0)
        return false;
    *ret = (struct watch_process){ .pid = pid, .container = LENS_NONE };
    for (int type = 0; type < K_NS_COUNT; type++)
        if (k_ns_inode(pid_fd, (enum k_ns)type, &ret->inodes[type]) < 0)
            ret->inodes[type] = 0;
    if (cl_read_small(pid_fd, "cgroup", cgroup, cgroup_size) < 0)
        cgroup[0] = '\0';
    find_id(cgroup, ret->id);
    if (fstat(pid_fd, &info) < 0 || procfs_read_stat(pid_fd, &stat) < 0 || stat.state == 'Z' ||
        stat.state == 'X' || stat.start_ticks > not_after)
        return false;
    ret->start_ticks = stat.start_ticks;
    ret->parent = stat.parent;
    ret->uid = info.st_uid;
    (void)CL_PRINT(ret->name, "%s", stat.name); /* the same size */
    return true;
}

static struct watch_process *add(struct watch_world *world, const struct watch_process *read)
{
    struct watch_process **slot = process_slot(world, read->pid);
    struct watch_process *process = cl_malloc(sizeof *process);
    if (process == NULL)
        return NULL;
    *process = *read;
    memset(process->inodes, 0, sizeof process->inodes);
    memset(process->former, 0, sizeof process->former);
    process->next = NULL;
    process->container = LENS_NONE;
    *slot = process;
    return process;
}

/*
 * A child begins where its maker is. One that is elsewhere when it is first looked at has moved already, unless it is where its maker was until then: that one may have moved
 * after the fork.
 */
static bool has_moved(const struct watch_process *maker, int type, uint64_t is)
{
    return maker != NULL && maker->inodes[type] != 0 && maker->inodes[type] != is &&
           maker->former[type] != is;
}

/* parent: of a process that was not known before, or NULL; maker: the same, where an event says that it is who forked it. */
static int take_namespaces(struct watch_world *world, struct watch_process *process,
                           const struct watch_process *now, bool is_first,
                           const struct watch_process *parent, const struct watch_process *maker)
{
    for (int type = 0; type < K_NS_COUNT; type++) {
        uint64_t was = process->inodes[type], is = now->inodes[type];
        if (is == 0 || was == is)
            continue; /* hidden now, or the same */
        process->inodes[type] = is;
        if (was != 0)
            process->former[type] = was;
        bool is_common = parent != NULL && parent->inodes[type] == is;
        bool is_born_here = (is_first || was == 0) && !has_moved(maker, type, is);
        int code = enter_namespace(world, process, (enum k_ns)type, is, is_born_here, is_common);
        if (code < 0)
            return code;
        if (was != 0)
            leave_namespace(world, process, (enum k_ns)type, was);
    }
    return 0;
}

/* After an exec it runs the container's program; before, it is its engine's. */
static void take_container(struct watch_world *world, struct watch_process *process,
                           const char *cgroup, bool is_running)
{
    uint32_t container = find_container(world, process, cgroup, is_running);
    if (container != LENS_NONE && container != process->container) {
        leave_container(world, process);
        process->container = container;
        world->containers[container].count++;
    }
    if (process->container == LENS_NONE || !is_running)
        return;
    struct watch_container *mine = &world->containers[process->container];
    if (!mine->is_told) {
        mine->is_told = true;
        report_process(world, WATCH_START, process, -1);
    }
}

/* It executed something, and has ended or is another by now: what its cgroup said before has to do. */
static void take_unseen_exec(struct watch_world *world, struct watch_process *process)
{
    struct lens_container unnamed = { .engine = "" };
    report_process(world, WATCH_EXEC, process, -1);
    if (process->id[0] == '\0' || process->container != LENS_NONE)
        return;
    (void)CL_PRINT(unnamed.name, "%s", process->id); /* fits */
    process->container = container_index(world, &unnamed);
    if (process->container == LENS_NONE)
        return;
    world->containers[process->container].count++;
    world->containers[process->container].is_told = true;
    report_process(world, WATCH_START, process, -1);
}

/* ---- what the watcher calls ---- */

void watch_end(struct watch_world *world, pid_t pid, int status)
{
    struct watch_process **slot = process_slot(world, pid);
    struct watch_process *process = *slot;
    if (process == NULL)
        return; /* ended before anything was known of it */
    *slot = process->next;
    report_process(world, WATCH_EXIT, process, status);
    for (int type = 0; type < K_NS_COUNT; type++)
        if (process->inodes[type] != 0)
            leave_namespace(world, process, (enum k_ns)type, process->inodes[type]);
    leave_container(world, process);
    free(process);
}

/* Born and gone before we looked: all that is known is whose child it was. */
static int take_unseen(struct watch_world *world, pid_t pid, const struct watch_cause *cause)
{
    const struct watch_process *parent = watch_find(world, cause->parent);
    struct watch_process child = { .pid = pid, .parent = cause->parent, .container = LENS_NONE };
    if (parent != NULL) {
        child.uid = parent->uid;
        child.is_selected = parent->is_selected;
        memcpy(child.name, parent->name, sizeof child.name);
    }
    struct watch_process *process = add(world, &child);
    if (process == NULL)
        return -ENOMEM;
    process->is_selected = child.is_selected;
    if (parent != NULL && parent->container != LENS_NONE) {
        process->container = parent->container;
        world->containers[process->container].count++;
    }
    process->round = world->round;
    report_process(world, WATCH_FORK, process, -1);
    return 0;
}

static int take_new(struct watch_world *world, const struct watch_process *now, const char *cgroup,
                    const struct watch_cause *cause)
{
    struct watch_process *process = add(world, now);
    if (process == NULL)
        return -ENOMEM;
    const struct watch_process *parent =
        watch_find(world, cause->parent > 0 ? cause->parent : now->parent);
    process->is_selected = parent != NULL && parent->is_selected;
    process->round = world->round;
    /* A snapshot finds programs that run; what was only just forked is its maker's copy, until it executes something. */
    bool is_running = cause->why != WATCH_FORK || world->is_quiet;
    take_container(world, process, cgroup, is_running);
    report_process(world, WATCH_FORK, process, -1);
    bool is_maker = cause->why == WATCH_FORK && cause->parent > 0;
    return take_namespaces(world, process, now, true, parent, is_maker ? parent : NULL);
}

static int take_known(struct watch_world *world, struct watch_process *process,
                      const struct watch_process *now, const char *cgroup, enum watch_event why)
{
    bool is_user_new = process->uid != now->uid;
    bool is_name_new = strcmp(process->name, now->name) != 0;
    process->uid = now->uid;
    process->parent = now->parent;
    process->round = world->round;
    memcpy(process->name, now->name, sizeof process->name);
    memcpy(process->id, now->id, sizeof process->id);
    /* First whose it is: an engine may have said the name only since the fork. */
    take_container(world, process, cgroup, why == WATCH_EXEC || world->is_quiet);
    if (why == WATCH_EXEC)
        report_process(world, WATCH_EXEC, process, -1);
    else if (why == WATCH_RENAME && is_name_new)
        report_process(world, WATCH_RENAME, process, -1);
    else if (why == WATCH_IDENTITY && is_user_new)
        report_process(world, WATCH_IDENTITY, process, -1);
    return take_namespaces(world, process, now, false, NULL, NULL);
}

int watch_look(struct watch_world *world, pid_t pid, const struct watch_cause *cause)
{
    char cgroup[4096];
    struct watch_process now;
    struct watch_process *known = watch_find(world, pid);
    bool is_there = read_process(world, pid, cause->not_after, &now, cgroup, sizeof cgroup);
    if (known != NULL &&
        (is_there ? known->start_ticks != now.start_ticks && known->start_ticks != 0
                  : cause->why == WATCH_FORK)) {
        /* Another process has the pid: the end of the old one was lost, or is about to be told. */
        if (cause->why != WATCH_FORK)
            return 0;
        watch_end(world, pid, -1);
        known = NULL;
    }
    if (!is_there && known != NULL && cause->why == WATCH_EXEC)
        take_unseen_exec(world, known);
    if (!is_there)
        return cause->why == WATCH_FORK ? take_unseen(world, pid, cause) : 0;
    if (known == NULL)
        return take_new(world, &now, cgroup, cause);
    if (known->start_ticks == 0)
        known->start_ticks = now.start_ticks;
    if (cause->why ==
        WATCH_FORK) { /* the first snapshot saw it before the kernel's word of it came */
        report_process(world, WATCH_FORK, known, -1);
        known->round = world->round;
    }
    return take_known(world, known, &now, cgroup, cause->why);
}

int watch_snapshot(struct watch_world *world, struct cl_error *err)
{
    cl_auto_free struct procfs_walk *walk = cl_malloc(sizeof *walk);
    const struct watch_cause cause = { .why = WATCH_RENAME, .not_after = UINT64_MAX };
    int code = walk == NULL ? -ENOMEM : procfs_walk_init(walk, world->proc_fd);
    pid_t pid = 0;
    world->round++;
    while (code >= 0 && (pid = procfs_walk_next(walk)) > 0) {
        struct watch_process *known = watch_find(world, pid);
        uint64_t ticks;
        /* Here a pid that is another process's now means that the end of the old one was missed. */
        if (known != NULL && known->start_ticks != 0 &&
            procfs_start_ticks(world->proc_fd, pid, &ticks) >= 0 && ticks != known->start_ticks)
            watch_end(world, pid, -1);
        code = watch_look(world, pid, &cause);
    }
    if (walk != NULL)
        procfs_walk_done(walk);
    if (code < 0 || pid < 0)
        return cl_fail(err, code < 0 ? code : pid, "list processes");
    for (size_t i = 0; i < WATCH_BUCKETS; i++) {
        for (struct watch_process *at = world->processes[i], *next; at != NULL; at = next) {
            next = at->next;
            if (at->round != world->round)
                watch_end(world, at->pid, -1);
        }
    }
    return 0;
}
