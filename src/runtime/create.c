/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent of a container's init: opens what only the host can name, makes the cgroup, clones,
 * and waits until the child says that everything but the last steps is done.
 *
 * The parent never enters a namespace of the container (where something has to be entered first, and
 * can't be left again, a process between does it: enter.c). What it changes of itself for a moment
 * (pid_for_children, time_for_children) is changed back before it returns, since it may live on as
 * the container's monitor.
 */
#include "runtime/child.h"
#include "runtime/hooks.h"
#include "runtime/notify.h"
#include "runtime/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

/* What is open while a container is made. */
struct making {
    const struct runtime_plan *plan;
    const struct runtime_io *io;
    int root;
    bool owns_root;
    int *sources; /* per plan->mounts[] */
    int cgroup_trees[CGROUP_MAX_HIERARCHIES];
    int join_fds[K_NS_COUNT];
    int own_pid_ns, own_time_ns; /* to go back to */
    int own_mnt_ns;              /* for init to go back to (plan->shares_mount_ns) */
    bool has_scope;
    bool init_opens; /* root, sources and cgroup trees: we may not */
    int child_end;
    struct hooks_output hooks_output; /* of those that init runs */
    int rdt_root;                     /* of the resctrl file system */
    struct notify notify;
    struct runtime_process process;
};

static void making_init(struct making *making, const struct runtime_plan *plan,
                        const struct runtime_io *io)
{
    *making = (struct making){
        .plan = plan,
        .io = io,
        .root = -EBADF,
        .own_pid_ns = -EBADF,
        .own_time_ns = -EBADF,
        .own_mnt_ns = -EBADF,
        .child_end = -EBADF,
        .hooks_output = HOOKS_NO_OUTPUT,
        .rdt_root = -EBADF,
        .notify = NOTIFY_NONE,
        .process = { .pidfd = -EBADF, .sync = -EBADF, .console = -EBADF, .root_mount = -EBADF },
    };
    for (size_t i = 0; i < CL_COUNT(making->cgroup_trees); i++)
        making->cgroup_trees[i] = -EBADF;
    for (size_t i = 0; i < CL_COUNT(making->join_fds); i++)
        making->join_fds[i] = -EBADF;
}

/* Closes what the child alone needed. */
static void making_done(struct making *making)
{
    for (size_t i = 0; making->sources != NULL && i < making->plan->mount_count; i++)
        (void)cl_close(making->sources[i]);
    free(making->sources);
    for (size_t i = 0; i < CL_COUNT(making->cgroup_trees); i++)
        (void)cl_close(making->cgroup_trees[i]);
    for (size_t i = 0; i < CL_COUNT(making->join_fds); i++)
        (void)cl_close(making->join_fds[i]);
    (void)cl_close(making->own_pid_ns);
    (void)cl_close(making->own_time_ns);
    (void)cl_close(making->own_mnt_ns);
    (void)cl_close(making->child_end);
    hooks_close_output(&making->hooks_output);
    (void)cl_close(making->rdt_root);
    notify_close(&making->notify);
    if (making->owns_root)
        (void)cl_close(making->root);
}

/* ---- before the clone ---- */

static int open_root(struct making *making, struct cl_error *err)
{
    const struct runtime_plan *plan = making->plan;
    struct runtime_rootfs rootfs = plan->options->rootfs;
    rootfs.trace_fd = plan->options->trace_fd;
    rootfs.trace_waits = plan->options->trace_waits;
    rootfs.trace_since = plan->options->trace_since;
    if (!rootfs.is_overlay)
        rootfs.path = plan->rootfs_path;
    rootfs.receives_mounts = (plan->root_propagation & MS_SLAVE) != 0;
    int result = runtime_rootfs_open(&rootfs, &making->root, err);
    making->owns_root = result >= 0;
    /* Root, but not of the user namespace that our mount namespace belongs to: its mounts are not
       ours to clone, while those of init's copy are. */
    if (result == -EPERM && !rootfs.is_overlay && (plan->clone_flags & CLONE_NEWNS) != 0 &&
        runtime_in_user_ns(plan->facts)) {
        making->init_opens = true;
        return 0;
    }
    return result;
}

static int open_sources(struct making *making, struct cl_error *err)
{
    size_t count = making->plan->mount_count;
    making->sources = cl_malloc(count * sizeof *making->sources);
    if (making->sources == NULL)
        return cl_fail(err, ENOMEM, "open bind sources");
    for (size_t i = 0; i < count; i++)
        making->sources[i] = -EBADF;
    return making->init_opens ? 0 : parent_open_sources(making->plan, making->sources, err);
}

static int open_joins(struct making *making, struct cl_error *err)
{
    int result = parent_open_joins(making->plan, making->join_fds, err);
    if (result < 0 || !making->plan->shares_mount_ns)
        return result;
    making->own_mnt_ns = k_openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY, 0);
    return making->own_mnt_ns < 0 ? cl_fail(err, making->own_mnt_ns, "open our own mount namespace")
                                  : 0;
}

/* Where it follows: what init is born in. */
static int make_group(struct making *making, struct cl_error *err)
{
    struct cgroup *group = &making->process.cgroup;
    int result = 0;
    if (parent_groups_follow(making->plan))
        return parent_make_v2_cgroup(making->plan, group, err);
    if (making->plan->cgroup_path[0] != '\0')
        result = parent_make_cgroup(making->plan, group, err);
    if (result >= 0 && group->count > 0)
        result = parent_keep_hierarchies(&making->process, err);
    cl_test_point("cgroup ready");
    return result < 0 || making->init_opens
               ? result
               : parent_open_cgroup_trees(making->plan, group, making->cgroup_trees, err);
}

static int send_go(const struct making *making, struct cl_error *err)
{
    const struct wire_init message = { .type = WIRE_INIT_GO,
                                       .code = making->process.cgroup.count > 0 };
    ssize_t size = send(making->process.sync, &message, sizeof message, MSG_NOSIGNAL);
    return size < 0 && errno != EPIPE /* parent_wait hears why */
               ? cl_fail(err, errno, "let the container's first process go")
               : 0;
}

/* Init makes its namespaces meanwhile: a dozen directories of v1 take as long as those, limits and a device filter of v2 a fifth of that, and the other processor is not
   awake at once. */
static int complete_groups(struct making *making, struct cl_error *err)
{
    struct runtime_process *process = &making->process;
    int result = parent_complete_cgroups(making->plan, &process->cgroup, err);
    if (result >= 0 && process->cgroup.count > 0)
        result = parent_keep_hierarchies(process, err);
    cl_test_point("cgroup ready");
    return result < 0 ? result : send_go(making, err);
}

static bool has_inner_hooks(const struct runtime_plan *plan)
{
    return plan->spec->hooks.create_container.count > 0 ||
           plan->spec->hooks.start_container.count > 0;
}

static int open_hooks_output(struct making *making, struct cl_error *err)
{
    return hooks_open_output(making->plan->spec, &making->hooks_output, err);
}

/* What init waits for before it does anything. Nothing of that asked for: GO is in the socket before
   there is a child. */
static bool waits_for_go(const struct runtime_plan *plan)
{
    return plan->process.has_user_ns || plan->spec->linux_.net_device_count > 0 ||
           plan->options->scope != NULL;
}

static int open_rdt(struct making *making, struct cl_error *err)
{
    const struct oci_intel_rdt *rdt = making->plan->process.rdt;
    if (rdt == NULL)
        return 0;
    making->rdt_root = rdt_open(making->plan->facts->proc_fd, err);
    return making->rdt_root < 0 ? making->rdt_root
                                : rdt_make(making->rdt_root, rdt, making->plan->options->id,
                                           &making->process.rdt, err);
}

static int connect_agent(struct making *making, struct cl_error *err)
{
    return notify_open(&making->plan->process, &making->notify, err);
}

static int tell_agent(struct making *making, struct cl_error *err)
{
    const struct runtime_options *options = making->plan->options;
    const char *bundle = options->bundle != NULL ? options->bundle : "";
    const struct oci_state state = {
        /* Borrowed for the encoder. */
        .oci_version = (char *)(uintptr_t)OCI_SPEC_VERSION,
        .id = (char *)(uintptr_t)options->id,
        .status = OCI_CREATING,
        .pid = making->process.pid,
        .bundle = (char *)(uintptr_t)bundle,
        .annotations = making->plan->spec->annotations,
    };
    return notify_tell(&making->notify, &making->plan->process, making->process.pid, &state, err);
}

static bool hands_pidfd(const struct runtime_plan *plan)
{
    return plan->options->pidfd_socket != NULL || plan->pidfd_receiver != NULL;
}

static int hand_pidfd(struct making *making, struct cl_error *err)
{
    const struct {
        const char *path, *property;
    } receivers[] = {
        { making->plan->options->pidfd_socket, "--pidfd-socket" },
        { making->plan->pidfd_receiver, "annotations[\"run.oci.pidfd_receiver\"]" },
    };
    int result = 0;
    for (size_t i = 0; result >= 0 && i < CL_COUNT(receivers); i++) {
        int fd = result = parent_reach(receivers[i].path, receivers[i].property, err);
        if (result > 0)
            result = parent_hand_pidfd(fd, making->process.pidfd, "standard", err);
        (void)cl_close(fd > 0 ? fd : -EBADF);
    }
    return result;
}

static int open_sync(struct making *making, struct cl_error *err)
{
    int result = k_socketpair(SOCK_SEQPACKET, &making->process.sync, &making->child_end);
    if (result >= 0 && !waits_for_go(making->plan) && !parent_groups_follow(making->plan))
        result = parent_send(making->process.sync, WIRE_INIT_GO);
    return result < 0 ? cl_fail(err, result, "make a socket pair") : 0;
}

/* ---- the clone ---- */

static int enter_for_child(int proc, const char *own, int *ret_own, int fd, int flag)
{
    *ret_own = k_openat(proc, own, O_RDONLY, 0);
    if (*ret_own < 0)
        return *ret_own;
    return fd >= 0 ? k_setns(fd, flag) : k_unshare(flag);
}

/* clone3 takes CLONE_NEWTIME, but then the clocks are fixed before anyone could set them, and
   clone(2) has no bit for it. With offsets (or without clone3) the namespace is made for our next
   child, and left to it. */
static int make_time_ns(struct making *making, int proc)
{
    int result = enter_for_child(proc, "self/ns/time", &making->own_time_ns, -EBADF, CLONE_NEWTIME);
    if (result >= 0 && making->plan->time_offsets[0] != '\0')
        result = procfs_write(proc, "self/timens_offsets", making->plan->time_offsets);
    return result;
}

static void leave_for_child(struct making *making)
{
    /* Our own namespaces, which we hold: nothing to fail. */
    if (making->own_pid_ns >= 0)
        (void)k_setns(making->own_pid_ns, CLONE_NEWPID);
    if (making->own_time_ns >= 0)
        (void)k_setns(making->own_time_ns, CLONE_NEWTIME);
}

static int join_pid_ns(struct making *making, int proc, struct cl_error *err)
{
    for (size_t i = 0; i < making->plan->join_count; i++) {
        const struct plan_join *join = &making->plan->joins[i];
        if (join->type != K_NS_PID)
            continue;
        int result = enter_for_child(proc, "self/ns/pid", &making->own_pid_ns, making->join_fds[i],
                                     CLONE_NEWPID);
        if (result < 0)
            return cl_fail(err, result, "linux.namespaces[%zu].path: join pid namespace %s",
                           join->index, join->path);
    }
    return 0;
}

static struct trace trace_of(const struct making *making, bool is_init)
{
    const struct runtime_options *options = making->plan->options;
    struct trace trace = trace_to(options->trace_fd, options->trace_since, is_init);
    trace.waits = options->trace_waits;
    return trace;
}

static struct child describe_child(struct making *making)
{
    return (struct child){
        .process = &making->plan->process,
        .plan = making->plan,
        .io = making->io,
        .sync = making->child_end,
        .parent_end = making->process.sync,
        .cgroup = making->process.cgroup.count > 0 ? &making->process.cgroup : NULL,
        .root = making->root,
        .home = making->own_mnt_ns,
        .proc = -EBADF,
        .devpts = -EBADF,
        .mask = -EBADF,
        .trampoline = -EBADF,
        .slave = -EBADF,
        .sources = making->sources,
        .cgroup_trees = making->cgroup_trees,
        .join_fds = making->join_fds,
        .hooks_output = making->hooks_output,
        .notify = making->notify,
        .hooks_state = -EBADF,
        .rdt_root = making->rdt_root,
        .opens_itself = making->init_opens,
        .target_pidfd = -EBADF,
        .target_proc = -EBADF,
        .trace = trace_of(making, true),
    };
}

static _Noreturn void child_main(struct making *making, bool is_group_in_place)
{
    struct child child = describe_child(making);
    child.is_group_in_place = is_group_in_place;
    child_run(&child, init_steps, init_step_count);
}

static pid_t try_clone(struct making *making, int flags, bool into_cgroup)
{
    int v2 = into_cgroup && making->process.cgroup.count > 0 ? cgroup_v2_fd(&making->process.cgroup)
                                                             : -EBADF;
    const struct k_clone arguments = { .flags = (unsigned)flags,
                                       .cgroup_fd = v2,
                                       .exit_signal = SIGCHLD };
    pid_t pid = k_clone3(&arguments, &making->process.pidfd);
    if (pid == 0)
        child_main(making, v2 >= 0);
    return pid;
}

/* With a user namespace, init sets its clocks itself (join_own_time). */
static int clone_flags(const struct runtime_plan *plan)
{
    bool has_clocks = plan->process.has_user_ns && plan->time_offsets[0] != '\0';
    int left =
        (has_clocks ? CLONE_NEWTIME : 0) | (parent_groups_follow(plan) ? JOIN_OWN_NAMESPACES : 0);
    return plan->clone_flags & ~left;
}

static int clone_child(struct making *making, int proc)
{
    int flags = clone_flags(making->plan);
    pid_t pid = -ENOSYS;
    bool needs_own_time_ns = making->plan->time_offsets[0] != '\0';
    if ((flags & CLONE_NEWTIME) == 0 || !needs_own_time_ns)
        pid = try_clone(making, flags, true);
    if (pid == -ENOSYS) { /* no clone3, or offsets */
        int result = (flags & CLONE_NEWTIME) != 0 ? make_time_ns(making, proc) : 0;
        if (result < 0)
            return result;
        pid = try_clone(making, flags & ~CLONE_NEWTIME, true);
    }
    if (pid == -ENOSYS || pid == -EBUSY || pid == -EOPNOTSUPP)
        pid = try_clone(making, flags & ~(making->own_time_ns >= 0 ? CLONE_NEWTIME : 0), false);
    if (pid > 0)
        making->process.pid = pid;
    return pid < 0 ? pid : 0;
}

static int joined_net_ns(const struct making *making)
{
    for (size_t i = 0; i < making->plan->join_count; i++)
        if (making->plan->joins[i].type == K_NS_NET)
            return making->join_fds[i];
    return -EBADF;
}

/* Where systemd makes the group, init has to be in it before it does anything. */
static int start_scope(struct making *making, struct cl_error *err)
{
    struct runtime_process *process = &making->process;
    int result = scope_start(making->plan, process->pid, &process->cgroup, err);
    making->has_scope = true; /* perhaps: stopping is fine where there is none */
    if (result >= 0)
        result = parent_keep_hierarchies(process, err);
    cl_test_point("scope ready");
    return result;
}

/* ---- with a user namespace ---- */

static void born_between(void *data, bool is_group_in_place)
{
    struct making *making = data;
    struct child child = describe_child(making);
    child.is_group_in_place = is_group_in_place;
    child.has_joined = true;
    child_run(&child, init_steps, init_step_count);
}

static int clone_between(struct making *making, struct cl_error *err)
{
    struct child child = describe_child(making);
    struct parent_between between = {
        .child = &child,
        .enter = join_before_birth,
        .birth = { .flags = (unsigned)clone_flags(making->plan),
                   .cgroup_fd = making->process.cgroup.count > 0
                                    ? cgroup_v2_fd(&making->process.cgroup)
                                    : -EBADF },
        .main = born_between,
        .data = making,
    };
    pid_t pid = parent_clone_between(&between, &making->process.pidfd, err);
    making->child_end = child.sync;
    if (pid > 0)
        making->process.pid = pid;
    return pid < 0 ? pid : 0;
}

bool parent_clones_between(const struct runtime_plan *plan)
{
    return plan->joins_user_ns || (plan->new_user_ns && plan->join_count > 0);
}

/* Maps, and what only we can grant. */
static int prepare_user_ns(struct making *making, int proc, struct cl_error *err)
{
    const struct runtime_plan *plan = making->plan;
    pid_t pid = making->process.pid;
    int result = plan->new_user_ns ? parent_write_id_maps(plan, proc, pid, err)
                                   : parent_check_id_maps(plan, proc, pid, err);
    cl_test_point("id maps written");
    if (result < 0)
        return result;
    parent_grant_limits(plan, proc, pid);
    parent_give_pipes(plan, making->io);
    return 0;
}

/* ---- both ---- */

/* What init waits for. */
static int let_go(struct making *making, struct cl_error *err)
{
    cl_auto_fd own_proc = -EBADF;
    int proc = making->plan->facts->proc_fd;
    if (proc <= 0) /* made-up facts */
        proc = own_proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    int result = making->plan->process.has_user_ns ? prepare_user_ns(making, proc, err) : 0;
    if (result >= 0 && making->plan->options->scope != NULL)
        result = start_scope(making, err);
    if (result >= 0 && making->plan->spec->linux_.net_device_count > 0)
        result = netdev_move(making->plan, proc, making->process.pid, joined_net_ns(making),
                             &making->process.net, err);
    if (result < 0)
        return result;
    return send_go(making, err);
}

static int start_child(struct making *making, struct cl_error *err)
{
    int result = 0;
    cl_auto_fd own_proc = -EBADF;
    int proc = making->plan->facts->proc_fd;
    if (proc <= 0) /* made-up facts */
        proc = own_proc = procfs_open_host(err);
    if (proc < 0)
        return proc;
    bool is_between = parent_clones_between(making->plan);
    if (is_between)
        result = clone_between(making, err);
    else
        result = join_pid_ns(making, proc, err);
    if (result >= 0 && !is_between) {
        result = clone_child(making, proc);
        if (result < 0)
            (void)cl_fail(err, result, "%s",
                          result == -ERANGE
                              ? "linux.timeOffsets: set them: beyond what clocks can show"
                              : "make the container's namespaces");
    }
    leave_for_child(making);
    if (result < 0)
        return result;
    cl_test_point("cloned");
    making->child_end = cl_close(making->child_end); /* or its end of file would never come */
    result = procfs_start_ticks(proc, making->process.pid, &making->process.start_ticks);
    if (result < 0)
        return cl_fail(err, result, "read the start time of the container's first process");
    return 0;
}

/* ---- the public part ---- */

static int check_labels(struct making *making, struct cl_error *err)
{
    return parent_check_labels(making->plan->process.spec, making->plan->spec->linux_.mount_label,
                               err);
}

static int make_namespaces(struct making *making, struct cl_error *err)
{
    int result = open_sync(making, err);
    cl_test_point("before clone");
    return result < 0 ? result : start_child(making, err);
}

static bool has_labels(const struct runtime_plan *plan)
{
    return parent_has_labels(plan->process.spec, plan->spec->linux_.mount_label);
}
static bool opens_root(const struct runtime_plan *plan)
{
    return plan->options->root_mount <= 0 && plan->facts->is_root;
}
static bool has_mounts(const struct runtime_plan *plan)
{
    return plan->mount_count > 0;
}
static bool opens_namespaces(const struct runtime_plan *plan)
{
    return plan->join_count > 0 || plan->shares_mount_ns;
}
static bool has_agent(const struct runtime_plan *plan)
{
    return plan->process.notify != NULL;
}
/* With a scope systemd makes it, once there is a process. */
static bool makes_group(const struct runtime_plan *plan)
{
    bool is_shown = false;
    for (size_t i = 0; i < plan->mount_count; i++)
        is_shown = is_shown || plan->mounts[i].kind == PLAN_MOUNT_CGROUP;
    return plan->options->scope == NULL && (plan->cgroup_path[0] != '\0' || is_shown);
}
static bool has_rdt(const struct runtime_plan *plan)
{
    return plan->process.rdt != NULL;
}
/* Where nobody has to know init's namespaces as soon as there is an init, and who watches step by step gets one at a time. */
bool parent_groups_follow(const struct runtime_plan *plan)
{
    const enum cgroup_layout layout = plan->facts->cgroups.layout;
    const struct runtime_options *options = plan->options;
    return layout != CGROUP_NONE && plan->cgroup_path[0] != '\0' && makes_group(plan) &&
           !waits_for_go(plan) && plan->facts->is_root && (plan->clone_flags & CLONE_NEWNS) != 0 &&
           plan->join_count == 0 && !plan->shares_mount_ns && plan->delegate == NULL &&
           !plan->gives_group && !has_rdt(plan) && !has_agent(plan) && !hands_pidfd(plan) &&
           (options->trace_fd <= 0 || options->trace_since != NULL);
}
static bool limits_follow(const struct runtime_plan *plan)
{
    return parent_groups_follow(plan) && plan->facts->cgroups.layout == CGROUP_V2;
}
static bool groups_follow(const struct runtime_plan *plan)
{
    return parent_groups_follow(plan) && !limits_follow(plan);
}
static bool makes_group_first(const struct runtime_plan *plan)
{
    return makes_group(plan) &&
           !(parent_groups_follow(plan) && plan->facts->cgroups.layout == CGROUP_V1);
}

const struct parent_step parent_steps[] = {
    { "check security labels", check_labels, has_labels, false, NULL },
    { "open root file system", open_root, opens_root, true, "root open" },
    { "open bind sources", open_sources, has_mounts, false, NULL },
    { "open joined namespaces", open_joins, opens_namespaces, false, NULL },
    { "open output of hooks", open_hooks_output, has_inner_hooks, false, NULL },
    { "connect to the seccomp agent", connect_agent, has_agent, false, "sources open" },
    { "make control group", make_group, makes_group_first, false, NULL },
    { "make resctrl group", open_rdt, has_rdt, false, NULL },
    { "make namespaces", make_namespaces, NULL, false, NULL },
    { "make control groups", complete_groups, groups_follow, false, NULL },
    { "set limits", complete_groups, limits_follow, false, NULL },
    { "set up from outside", let_go, waits_for_go, false, NULL },
    { "tell the seccomp agent", tell_agent, has_agent, false, NULL },
    /* Now that nothing of ours can fail but init. */
    { "hand over the pidfd", hand_pidfd, hands_pidfd, false, "child started" },
};
const size_t parent_step_count = CL_COUNT(parent_steps);

/* A step that people may want to watch. */
static int watched(struct making *making, const struct parent_step *step, struct cl_error *err)
{
    struct trace trace = trace_of(making, false);
    struct timespec start;
    if (step->tells_itself)
        trace.fd = -EBADF;
    if (trace_begin(&trace, step->name, &start) < 0)
        return trace_stopped(step->name, err);
    int result = step->run(making, err);
    if (result < 0) {
        trace_failed(&trace, step->name, &start);
        trace_name_step(err, step->name);
        return result;
    }
    trace_end(&trace, step->name, making->process.pid, &start);
    return 0;
}

bool runtime_runs_through(const struct runtime_plan *plan)
{
    return !plan->options->is_started_later && !plan->spec->process->terminal &&
           !plan->process.has_user_ns && plan->process.notify == NULL &&
           !hooks_at_create(plan->spec) && plan->spec->hooks.start_container.count == 0;
}

/* What init will wait for, before it does: then it need not. Nor are we woken for each word of its: what it said is read when its end of the socket is closed, by
   exec or by its own end. */
static int let_run(struct runtime_process *process, struct cl_error *err)
{
    int result = parent_send(process->sync, WIRE_INIT_START);
    if (result < 0 && result != -EPIPE) /* parent_wait hears why */
        return cl_fail(err, result, "let the container's first process run");
    process->is_let_go = true;
    parent_wait_close(process);
    return 0;
}

static int make_container(struct making *making, struct cl_error *err)
{
    cl_auto_fd signals =
        making->plan->spec->hooks.create_container.count > 0 ? hooks_open_signals() : -EBADF;
    const struct parent_service service = { .wants_console = making->io->terminal,
                                            .plan = making->plan,
                                            .signals = signals };
    int result = 0;
    for (size_t i = 0; result >= 0 && i < parent_step_count; i++) {
        const struct parent_step *step = &parent_steps[i];
        if (step->is_needed == NULL || step->is_needed(making->plan))
            result = watched(making, step, err);
        if (step->point != NULL)
            cl_test_point(step->point);
    }
    if (result >= 0 && making->plan->options->while_init_works != NULL)
        result = making->plan->options->while_init_works(making->plan->options->context,
                                                         &making->process, err);
    if (result >= 0 && making->plan->options->when_ready != NULL)
        result = let_run(&making->process, err);
    if (result >= 0)
        result = parent_wait(&making->process, WIRE_INIT_READY, &service, err);
    cl_test_point("child ready");
    return result;
}

static int check_io(const struct runtime_io *io, struct cl_error *err)
{
    if (io->terminal || (io->in >= 0 && io->out >= 0 && io->err >= 0))
        return 0;
    return cl_fail_kind(err, CL_KIND_INVALID, EBADF,
                        "the container needs a terminal or three streams");
}

int runtime_create(const struct runtime_plan *plan, const struct runtime_io *io,
                   struct runtime_process *ret, struct cl_error *err)
{
    struct making making;
    struct cl_error failure = { 0 };
    int result = check_io(io, err);
    if (result < 0)
        return result;
    making_init(&making, plan, io);
    making.init_opens = !plan->facts->is_root && plan->options->root_mount <= 0;
    if (plan->options->root_mount > 0)
        making.root = plan->options->root_mount;
    result = make_container(&making, &failure);
    if (result < 0) {
        parent_forget_devices(&making.process, true);
        parent_discard(&making.process);
        if (making.has_scope) /* it ends by itself when nobody is in it; this is only sooner */
            (void)runtime_scope_stop(plan->options->scope, NULL);
        ret->has_run_hooks = making.process.has_run_hooks;
        if (making.rdt_root >= 0)
            (void)rdt_remove(making.rdt_root, &making.process.rdt, NULL); /* as good as it goes */
        runtime_rdt_done(&making.process.rdt);
        making_done(&making);
        (void)k_explain_missing(&failure);
        if (err != NULL)
            *err = failure;
        return result;
    }
    if (making.owns_root) {
        making.process.root_mount = making.root;
        making.owns_root = false;
    }
    making_done(&making);
    *ret = making.process;
    return 0;
}
