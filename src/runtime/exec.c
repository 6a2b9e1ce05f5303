/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another process in a running container.
 *
 *   caller                                   new process, born in the container's pid namespace
 *   pidfd of init, start time checked
 *   setns(pidfd, CLONE_NEWPID)
 *   clone3          --------------------->   joins the v1 cgroups, then setns(pidfd, all the rest)
 *                   <----------------------  CONSOLE + fd (terminal only)
 *                   <----------------------  end of file: exec happened; or FAILED
 *
 * The container's init is only ever named by its pidfd, so a number that was reused in between
 * can't be meant. The caller itself enters nothing but a pid namespace for its children.
 */
#include "runtime/child.h"
#include "runtime/notify.h"
#include "runtime/parent.h"

#include "oci/names.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

struct joining {
    const struct runtime_target *target;
    const struct runtime_exec_options *options;
    const struct runtime_io *io;
    const struct oci_process *spec;
    struct runtime_facts facts;
    struct plan_process plan;
    struct cgroup group; /* of the container, or below it */
    int target_pidfd, target_proc, child_end, rdt_root, pidfd_socket;
    struct notify notify;
    int flags;
    struct runtime_process process;
};

/* ---- before the clone ---- */

static int open_target(struct joining *joining, struct cl_error *err)
{
    uint64_t start = 0;
    const struct runtime_target *target = joining->target;
    joining->target_pidfd = k_pidfd_open(target->pid);
    int result = joining->target_pidfd;
    /* After the pidfd: if the start time fits now, the pidfd is of the right process. */
    if (result >= 0)
        result = procfs_start_ticks(joining->facts.proc_fd, target->pid, &start);
    if (result == -ESRCH || (result >= 0 && start != target->start_ticks))
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "the container is not running");
    return result < 0 ? cl_fail(err, result, "open process %d", (int)target->pid) : 0;
}

/* All but pid, which the caller enters for its child; the user namespace only if it is another one
   (the kernel refuses to enter one's own). */
static int choose_namespaces(struct joining *joining, struct cl_error *err)
{
    uint64_t own = 0, theirs = 0;
    int target = joining->target_proc =
        procfs_open_pid(joining->facts.proc_fd, joining->target->pid);
    cl_auto_fd self = k_openat(joining->facts.proc_fd, "self", O_PATH | O_DIRECTORY, 0);
    int result = target < 0 ? target : self < 0 ? self : k_ns_inode(target, K_NS_USER, &theirs);
    if (result >= 0)
        result = k_ns_inode(self, K_NS_USER, &own);
    if (result < 0)
        return cl_fail(err, result, "look at the container's namespaces");
    joining->flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    if (joining->facts.has_time_ns)
        joining->flags |= CLONE_NEWTIME;
    if (own != theirs)
        joining->flags |= CLONE_NEWUSER;
    joining->plan.has_user_ns = own != theirs;
    result = k_ns_inode(target, K_NS_MNT, &theirs);
    if (result == -ENOENT) /* a process that has ended is in none */
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "the container is not running");
    if (result >= 0)
        result = k_ns_inode(self, K_NS_MNT, &own);
    if (result < 0)
        return cl_fail(err, result, "look at the container's namespaces");
    if (own == theirs) /* then its root is not what setns would make ours (join_target) */
        joining->flags &= ~CLONE_NEWNS;
    return 0;
}

static int open_group(struct joining *joining, struct cl_error *err)
{
    const struct runtime_exec_options *options = joining->options;
    const char *path = joining->target->cgroup_path;
    if (path == NULL || joining->facts.cgroups.layout == CGROUP_NONE)
        return options->subgroup_count == 0 ? 0
                                            : cl_fail_kind(err, CL_KIND_UNSUPPORTED, ENOENT,
                                                           "cgroup %s: the container has no cgroup",
                                                           options->subgroups[0].path);
    int result =
        cgroup_open(&joining->facts.cgroups, path + strspn(path, "/"), &joining->group, err);
    return result < 0 ? result
                      : parent_enter_subgroups(&joining->group, options->subgroups,
                                               options->subgroup_count, err);
}

static int find_container(struct joining *joining, struct cl_error *err)
{
    int result = open_target(joining, err);
    return result < 0 ? result : choose_namespaces(joining, err);
}

static int plan_process(struct joining *joining, struct cl_error *err)
{
    const struct runtime_exec_options *options = joining->options;
    struct plan_process *plan = &joining->plan;
    int result = plan_process_init(plan, joining->spec, &joining->facts, options->warnings, err);
    if (result >= 0)
        result = plan_process_annotations(
            plan, options->state == NULL ? NULL : &options->state->annotations, options->seccomp,
            err);
    if (result >= 0)
        result = plan_seccomp(plan, options->use_default_seccomp, options->seccomp, err);
    plan->die_with_parent = options->die_with_parent;
    plan->preserve_fds = options->preserve_fds;
    plan->new_keyring = true;
    if (options->linux_ != NULL) {
        plan->memory_policy = options->linux_->memory_policy;
        plan->personality = options->linux_->personality;
        plan->rdt = options->linux_->intel_rdt;
        plan->id = options->id;
    }
    return result >= 0 && plan->notify != NULL && options->state == NULL
               ? cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "a seccomp agent is told the state")
               : result;
}

static int check_labels(struct joining *joining, struct cl_error *err)
{
    return parent_check_labels(joining->spec, NULL, err);
}

static int open_rdt(struct joining *joining, struct cl_error *err)
{
    return joining->rdt_root = rdt_open(joining->facts.proc_fd, err);
}

static int connect_agent(struct joining *joining, struct cl_error *err)
{
    return notify_open(&joining->plan, &joining->notify, err);
}

static int tell_agent(struct joining *joining, struct cl_error *err)
{
    return notify_tell(&joining->notify, &joining->plan, joining->process.pid,
                       joining->options->state, err);
}

static int reach_receiver(struct joining *joining, struct cl_error *err)
{
    return joining->pidfd_socket =
               parent_reach(joining->options->pidfd_socket, "--pidfd-socket", err);
}

static int hand_pidfd(struct joining *joining, struct cl_error *err)
{
    return parent_hand_pidfd(joining->pidfd_socket, joining->process.pidfd, "setns", err);
}

/* ---- the clone ---- */

static struct child describe_child(struct joining *joining)
{
    return (struct child){
        .process = &joining->plan,
        .io = joining->io,
        .sync = joining->child_end,
        .parent_end = joining->process.sync,
        .cgroup = joining->group.count > 0 ? &joining->group : NULL,
        .root = -EBADF,
        .home = -EBADF,
        .proc = -EBADF,
        .devpts = -EBADF,
        .mask = -EBADF,
        .trampoline = -EBADF,
        .slave = -EBADF,
        .hooks_output = HOOKS_NO_OUTPUT,
        .notify = joining->notify,
        .hooks_state = -EBADF,
        .rdt_root = joining->rdt_root,
        .target_pidfd = joining->target_pidfd,
        .target_proc = joining->target_proc,
        .target_flags = joining->flags,
        .trace = trace_to(joining->options->trace_fd, joining->options->trace_since, true),
    };
}

static _Noreturn void child_main(struct joining *joining, bool is_group_in_place)
{
    struct child child = describe_child(joining);
    child.is_group_in_place = is_group_in_place;
    child_run(&child, exec_steps, exec_step_count);
}

static pid_t clone_into(struct joining *joining, int cgroup_fd)
{
    struct k_clone arguments = { .cgroup_fd = cgroup_fd, .exit_signal = SIGCHLD };
    pid_t pid = k_clone3(&arguments, &joining->process.pidfd);
    if (pid == 0)
        child_main(joining, cgroup_fd >= 0);
    return pid;
}

/* The container manages its group itself, and no process may be in it: beside its init, then. */
static int group_beside_init(void *data)
{
    struct joining *joining = data;
    if (joining->group.count == 0 || joining->options->subgroup_count > 0)
        return -EBUSY;
    int result =
        parent_enter_group_of(&joining->group, joining->facts.proc_fd, joining->target->pid);
    return result < 0 ? result : cgroup_v2_fd(&joining->group);
}

static int clone_child(struct joining *joining)
{
    int v2 = joining->group.count > 0 ? cgroup_v2_fd(&joining->group) : -EBADF;
    pid_t pid = clone_into(joining, v2);
    int other = v2 >= 0 && (pid == -EBUSY || pid == -EOPNOTSUPP) ? group_beside_init(joining) : -1;
    if (other >= 0)
        pid = clone_into(joining, other);
    if (v2 >= 0 && (pid == -ENOSYS || pid == -EBUSY || pid == -EOPNOTSUPP))
        pid = clone_into(joining, -EBADF);
    if (pid > 0)
        joining->process.pid = pid;
    return pid < 0 ? pid : 0;
}

/* The child begins where execCPUAffinity.initial says, already before it is in the cgroup (on v2 it
   is born there): so it is we who go there for a moment. 1: `own` is where to go back to. */
static int visit_cpus(const struct joining *joining, unsigned long *own, struct cl_error *err)
{
    const char *cpus = joining->plan.spec->exec_cpu_affinity.initial;
    if (cpus == NULL || cpus[0] == '\0')
        return 0;
    memset(own, 0, OCI_CPU_BITS / 8);
    ssize_t bits = k_sched_getaffinity(own, OCI_CPU_BITS);
    if (bits < 0)
        return cl_fail(err, (int)bits, "process.execCPUAffinity.initial: see on which CPUs we are");
    int result = limits_set_affinity("initial", cpus, err);
    return result < 0 ? result : 1;
}

/* An ordinary user has rights over the pid namespace only from within the user namespace, which can't
   be left again. */
static void born_between(void *data, bool is_group_in_place)
{
    struct joining *joining = data;
    struct child child = describe_child(joining);
    child.is_group_in_place = is_group_in_place;
    child.target_flags &= ~CLONE_NEWUSER;
    child_run(&child, exec_steps, exec_step_count);
}

static int clone_between(struct joining *joining, struct cl_error *err)
{
    struct child child = describe_child(joining);
    struct parent_between between = {
        .child = &child,
        .enter = join_target_before_birth,
        .birth = { .cgroup_fd = joining->group.count > 0 ? cgroup_v2_fd(&joining->group) : -EBADF },
        .main = born_between,
        .other_group = group_beside_init,
        .data = joining,
    };
    pid_t pid = parent_clone_between(&between, &joining->process.pidfd, err);
    joining->child_end = child.sync;
    if (pid > 0)
        joining->process.pid = pid;
    return pid < 0 ? pid : 0;
}

static int clone_in_pid_ns(struct joining *joining, struct cl_error *err)
{
    int result = k_setns(joining->target_pidfd, CLONE_NEWPID);
    if (result == -EPERM && join_is_shared(joining->target_proc, K_NS_PID))
        result = 0;
    if (result == -ESRCH)
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "the container is not running");
    if (result < 0)
        return cl_fail(err, result, "join the container's pid namespace");
    cl_test_point("before clone");
    result = clone_child(joining);
    cl_test_point("cloned");
    if (result == -ENOMEM) /* what a pid namespace without its init answers */
        return cl_fail_kind(err, CL_KIND_CONFLICT, ESRCH, "the container is not running");
    return result < 0 ? cl_fail(err, result, "make a process in the container") : 0;
}

static int start_child(struct joining *joining, struct cl_error *err)
{
    int result = k_socketpair(SOCK_SEQPACKET, &joining->process.sync, &joining->child_end);
    if (result < 0)
        return cl_fail(err, result, "make a socket pair");
    unsigned long own_cpus[OCI_CPU_BITS / OCI_LONG_BITS];
    int is_visiting = visit_cpus(joining, own_cpus, err);
    if (is_visiting < 0)
        return is_visiting;
    bool is_between = !joining->facts.is_root && joining->plan.has_user_ns;
    result = is_between ? clone_between(joining, err) : clone_in_pid_ns(joining, err);
    if (is_visiting > 0 && k_sched_setaffinity(own_cpus, OCI_CPU_BITS) < 0)
        cl_debug("exec", "the caller stays on its CPUs of execCPUAffinity.initial");
    if (result < 0)
        return result;
    joining->child_end = cl_close(joining->child_end);
    result = procfs_start_ticks(joining->facts.proc_fd, joining->process.pid,
                                &joining->process.start_ticks);
    return result < 0 ? cl_fail(err, result, "read the start time of the new process") : 0;
}

/* ---- the public part ---- */

static bool has_labels(const struct joining *joining)
{
    return parent_has_labels(joining->spec, NULL);
}
static bool has_rdt(const struct joining *joining)
{
    return joining->plan.rdt != NULL;
}
static bool has_group(const struct joining *joining)
{
    return joining->target->cgroup_path != NULL || joining->options->subgroup_count > 0;
}
static bool has_agent(const struct joining *joining)
{
    return joining->plan.notify != NULL;
}
static bool hands_pidfd(const struct joining *joining)
{
    return joining->options->pidfd_socket != NULL;
}

/* What the caller does; all that can be refused comes before there is a process. */
static const struct {
    const char *name;
    int (*run)(struct joining *joining, struct cl_error *err);
    bool (*is_needed)(const struct joining *joining); /* NULL: always */
} caller_steps[] = {
    { "find the container", find_container, NULL },
    { "plan the process", plan_process, NULL },
    { "check security labels", check_labels, has_labels },
    { "find resctrl group", open_rdt, has_rdt },
    { "find control group", open_group, has_group },
    { "connect to the receiver", reach_receiver, hands_pidfd },
    { "connect to the seccomp agent", connect_agent, has_agent },
    { "make process", start_child, NULL },
    { "hand over the pidfd", hand_pidfd, hands_pidfd },
    { "tell the seccomp agent", tell_agent, has_agent },
};

/* "the container is not running" is all that there is to say: engines look for it; and what is wrong with the document is not a step's failure. */
static int walk(struct joining *joining, struct cl_error *err)
{
    const struct trace trace =
        trace_to(joining->options->trace_fd, joining->options->trace_since, false);
    int result = 0;
    for (size_t i = 0; result >= 0 && i < CL_COUNT(caller_steps); i++) {
        struct timespec start;
        if (caller_steps[i].is_needed != NULL && !caller_steps[i].is_needed(joining))
            continue;
        (void)trace_begin(&trace, caller_steps[i].name, &start); /* there is nobody to stop it */
        result = caller_steps[i].run(joining, err);
        if (result >= 0) {
            trace_end(&trace, caller_steps[i].name, joining->process.pid, &start);
            continue;
        }
        trace_failed(&trace, caller_steps[i].name, &start);
        if (result != -ESRCH && caller_steps[i].run != plan_process)
            trace_name_step(err, caller_steps[i].name);
    }
    return result;
}

static int run(struct joining *joining, struct cl_error *err)
{
    const struct parent_service service = { .wants_console = joining->io->terminal };
    int result = oci_process_validate(joining->spec, err);
    if (result >= 0)
        result = walk(joining, err);
    return result < 0 ? result : parent_wait(&joining->process, 0, &service, err);
}

static void joining_done(struct joining *joining, bool has_failed)
{
    if (has_failed)
        parent_discard(&joining->process);
    cgroup_done(&joining->group);
    plan_process_done(&joining->plan);
    (void)cl_close(joining->target_pidfd);
    (void)cl_close(joining->rdt_root);
    (void)cl_close(joining->pidfd_socket > 0 ? joining->pidfd_socket : -EBADF);
    (void)cl_close(joining->target_proc);
    (void)cl_close(joining->child_end);
    notify_close(&joining->notify);
    if (joining->options->facts == NULL)
        runtime_facts_done(&joining->facts);
}

int runtime_exec(const struct runtime_target *target, const struct oci_process *process,
                 const struct runtime_exec_options *options, const struct runtime_io *io,
                 struct runtime_process *ret, struct cl_error *err)
{
    struct cl_error failure = { 0 };
    struct joining joining = {
        .target = target,
        .options = options,
        .io = io,
        .spec = process,
        .target_pidfd = -EBADF,
        .rdt_root = -EBADF,
        .target_proc = -EBADF,
        .child_end = -EBADF,
        .notify = NOTIFY_NONE,
        .process = { .pidfd = -EBADF, .sync = -EBADF, .console = -EBADF, .root_mount = -EBADF },
    };
    if (!io->terminal && (io->in < 0 || io->out < 0 || io->err < 0))
        return cl_fail_kind(err, CL_KIND_INVALID, EBADF,
                            "the process needs a terminal or three streams");
    int result = 0;
    if (options->facts != NULL)
        joining.facts = *options->facts;
    else
        result = runtime_facts_init(&joining.facts, err);
    if (result < 0)
        return result;
    result = run(&joining, &failure);
    if (result >= 0) {
        joining.process.sync = cl_close(joining.process.sync);
        *ret = joining.process;
    } else if (err != NULL) {
        *err = failure;
    }
    joining_done(&joining, result < 0);
    return result;
}
