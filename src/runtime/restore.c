/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of images → a container. The order:
 *
 *   control group with its limits (fs driver), resctrl's → criu, born in the group, in a mount namespace of its own → with systemd: the scope around criu → criu into
 *   resctrl's → the request
 *   "setup-namespaces"   loopback up in a new network namespace, linux.netDevices into it, prestart and createRuntime hooks
 *   "orphan-pts-master"  the terminal
 *   "post-restore"       while_init_works: the caller writes down who the first process is; only then does CRIU let it go on
 *
 * CRIU makes its processes as our children. Until "post-restore" was answered it kills them itself when anything fails, we included; from then on they are the caller's,
 * who knows them. What is left behind by the two dying together is in the control group.
 */
#include "runtime/child.h"
#include "runtime/criu.h"

#include <fcntl.h>
#include <sys/stat.h>

#define DESCRIPTORS_MAX (64 << 10)

struct restore {
    const struct runtime_plan *plan;
    const struct runtime_criu *options;
    const struct runtime_io *io;
    struct criu_places places;
    struct criu_place place;
    int fds[CRIU_FDS]; /* namespaces, for CRIU */
    size_t fd_count;
    int net_fd;   /* of them: the network namespace that is joined; negative: none */
    int rdt_root; /* of the resctrl file system, where it is asked for */
    bool has_scope;
    struct runtime_process process;
};

/* ---- the request ---- */

static int put_fd(struct restore *restore, struct cl_buf *out, const struct plan_join *join,
                  struct cl_error *err)
{
    const char *key =
        join->type == K_NS_NET ? criu_external_ns(OCI_NS_NETWORK) : criu_external_ns(OCI_NS_PID);
    if (restore->fd_count == CL_COUNT(restore->fds))
        return cl_fail(err, E2BIG, "linux.namespaces");
    int fd = openat(AT_FDCWD, join->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cl_fail(err, errno, "linux.namespaces[%zu].path: open %s", join->index, join->path);
    if (join->type == K_NS_NET)
        restore->net_fd = fd;
    criu_put_inherit_fd(out, key, CRIU_FIRST_FD + (int)restore->fd_count);
    restore->fds[restore->fd_count++] = fd;
    return 0;
}

/* Opened before CRIU is started, which inherits them. */
static int put_namespaces(struct restore *restore, struct cl_buf *out, struct cl_error *err)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < restore->plan->join_count; i++) {
        const struct plan_join *join = &restore->plan->joins[i];
        if (join->type == K_NS_NET || join->type == K_NS_PID)
            result = put_fd(restore, out, join, err);
        else
            criu_put_pair(out, CRIU_JOIN_NS, k_ns_table[join->type].name, join->path);
    }
    return result;
}

/* CRIU opens a file again, and by then it is root of the user namespace. */
static int check_stream(const struct restore *restore, size_t index, struct cl_error *err)
{
    static const char *const names[] = { "input", "output", "error" };
    const int fds[] = { restore->io->in, restore->io->out, restore->io->err };
    struct stat info;
    int flags = fcntl(fds[index], F_GETFL);
    if (!restore->plan->new_user_ns || restore->io->terminal || flags < 0 ||
        fstat(fds[index], &info) < 0)
        return 0;
    unsigned access = flags & O_PATH ? 0 : (flags & O_ACCMODE) == O_RDONLY ? 4 : 2;
    if ((flags & O_ACCMODE) == O_RDWR)
        access = 6;
    bool is_owner = info.st_uid == plan_host_id(&restore->plan->spec->linux_.uid_mappings, 0);
    if ((info.st_mode >> (is_owner ? 6 : 0) & access) == access)
        return 0;
    return cl_fail_kind(err, CL_KIND_DENIED, EACCES,
                        "standard %s: a file that root of the user namespace may not open; use a "
                        "pipe, or give it to that user",
                        names[index]);
}

/* Our own streams in the place of what descriptors.json names. Images of CRIU's own, without it: nothing. */
static int put_streams(struct restore *restore, struct cl_buf *out, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    cl_auto_free char *text = NULL;
    size_t size = 0;
    int result = cl_read_file(restore->places.images, "descriptors.json", DESCRIPTORS_MAX, &text,
                              &size, err);
    if (result == -ENOENT)
        return 0;
    if (result >= 0)
        result = cl_json_parse(text, size, DESCRIPTORS_MAX, &json, err);
    if (result < 0)
        return cl_error_prefix(err, "descriptors.json of the images");
    for (size_t i = 0; i < 3 && i < cl_json_count(json); i++) {
        const char *name = cl_json_string_or(cl_json_at(json, i), "");
        if (cl_starts_with(name, "pipe:") || cl_starts_with(name, "file["))
            criu_put_inherit_fd(out, name, (int)i);
        result = cl_starts_with(name, "file[") ? check_stream(restore, i, err) : 0;
        if (result < 0)
            return result;
    }
    return 0;
}

/* Where CRIU itself is by now, in each hierarchy: "4:cpu,cpuacct:/path". */
static int put_groups(const struct restore *restore, struct cl_buf *out, pid_t criu,
                      struct cl_error *err)
{
    char text[8192], *at = text, *line, *name;
    cl_auto_fd pid_fd = procfs_open_pid(restore->plan->facts->proc_fd, criu);
    ssize_t length = pid_fd < 0 ? pid_fd : cl_read_small(pid_fd, "cgroup", text, sizeof text);
    if (length < 0)
        return cl_fail(err, (int)length, "read the control groups of criu");
    while ((line = criu_cut(&at, "\n")) != NULL) {
        (void)criu_cut(&line, ":"); /* the hierarchy's number */
        char *names = line == NULL || line[0] == ':' ? NULL : criu_cut(&line, ":");
        if (names == NULL && line != NULL) { /* v2 has no names: "0::/path" */
            criu_put_pair(out, CRIU_CG_ROOT, "", line + 1);
            continue;
        }
        while (line != NULL && (name = criu_cut(&names, ",")) != NULL)
            criu_put_pair(out, CRIU_CG_ROOT, name, line);
    }
    return 0;
}

static int put_all(struct restore *restore, struct cl_buf *out, pid_t criu, struct cl_error *err)
{
    const struct runtime_criu *options = restore->options;
    int result = criu_put_options(out, options, &restore->places, restore->plan->spec, err);
    if (result < 0)
        return result;
    criu_put_number(out, CRIU_EVASIVE_DEVICES, true);
    criu_put_number(out, CRIU_RST_SIBLING, true);
    criu_put_text(out, CRIU_ROOT, restore->place.root);
    if (options->lsm_profile != NULL)
        criu_put_text(out, CRIU_LSM_PROFILE, options->lsm_profile);
    if (options->lsm_mount_context != NULL)
        criu_put_text(out, CRIU_LSM_MOUNT_CONTEXT, options->lsm_mount_context);
    if (restore->plan->new_user_ns)
        parent_give_pipes(restore->plan, restore->io);
    if (restore->process.cgroup.count > 0)
        result = put_groups(restore, out, criu, err);
    if (result >= 0)
        criu_put_restored_mounts(out, &restore->place);
    return result;
}

/* ---- what CRIU tells ---- */

/* As a new container has it. In a process that is thrown away: who enters a network namespace has left its own. */
static int loopback_up(const struct restore *restore, pid_t pid, struct cl_error *err)
{
    int status = 0;
    cl_auto_fd ns = -EBADF;
    cl_auto_fd pid_fd = procfs_open_pid(restore->plan->facts->proc_fd, pid);
    if (pid_fd < 0)
        return cl_fail(err, pid_fd, "bring up the loopback interface");
    int result = k_ns_open(pid_fd, K_NS_NET, &ns, err);
    if (result < 0)
        return result;
    pid_t child = fork();
    if (child == 0)
        _exit(k_setns(ns, CLONE_NEWNET) < 0 || host_loopback_up(NULL, NULL) < 0 ? 1 : 0);
    result = child < 0 ? -errno : k_wait_pid(child, 0, &status);
    if (result >= 0 && status != 0)
        result = -EIO;
    return result < 0 ? cl_fail(err, result, "bring up the loopback interface") : 0;
}

/* Devices: as a new container gets them; those of the one that was are back by now, or made again by who made them. */
static int set_up_namespaces(struct restore *restore, pid_t pid, struct cl_error *err)
{
    const struct runtime_plan *plan = restore->plan;
    const struct oci_hooks *hooks = &plan->spec->hooks;
    int result = plan->new_net_ns ? loopback_up(restore, pid, err) : 0;
    if (result >= 0 && plan->spec->linux_.net_device_count > 0)
        result = netdev_move(plan, plan->facts->proc_fd, pid, restore->net_fd,
                             &restore->process.net, err);
    if (result < 0 || hooks->prestart.count + hooks->create_runtime.count == 0)
        return result;
    restore->process.has_run_hooks = true;
    return parent_run_hooks(restore->plan, pid, err);
}

static int keep_process(struct restore *restore, pid_t pid, struct cl_error *err)
{
    struct runtime_process *process = &restore->process;
    const struct runtime_options *options = restore->plan->options;
    process->pid = pid;
    process->pidfd = k_pidfd_open(pid);
    int result = process->pidfd < 0 ? process->pidfd
                                    : procfs_start_ticks(restore->plan->facts->proc_fd, pid,
                                                         &process->start_ticks);
    if (result < 0)
        return cl_fail(err, result, "look at the restored process");
    cl_test_point("restored");
    return options->while_init_works != NULL
               ? options->while_init_works(options->context, process, err)
               : 0;
}

static int take_notice(void *context, const struct criu_answer *notice, int fd,
                       struct cl_error *err)
{
    struct restore *restore = context;
    bool is_terminal = cl_streq(notice->script, "orphan-pts-master");
    cl_test_point(notice->script);
    if (is_terminal && restore->process.console < 0 && fd >= 0)
        restore->process.console = fd;
    else
        (void)cl_close(fd);
    if (cl_streq(notice->script, "setup-namespaces"))
        return set_up_namespaces(restore, notice->notify_pid, err);
    if (cl_streq(notice->script, "post-restore"))
        return keep_process(restore, notice->notify_pid, err);
    return 0;
}

/* ---- all of it ---- */

static int make_group(struct restore *restore, struct cl_error *err)
{
    struct runtime_process *process = &restore->process;
    const struct runtime_plan *plan = restore->plan;
    if (plan->options->scope != NULL || plan->cgroup_path[0] == '\0')
        return 0;
    int result = parent_make_cgroup(plan, &process->cgroup, err);
    cl_test_point("cgroup ready");
    return result < 0 || process->cgroup.count == 0 ? result
                                                    : parent_keep_hierarchies(process, err);
}

static int make_rdt(struct restore *restore, struct cl_error *err)
{
    const struct runtime_plan *plan = restore->plan;
    if (plan->process.rdt == NULL)
        return 0;
    restore->rdt_root = rdt_open(plan->facts->proc_fd, err);
    return restore->rdt_root < 0 ? restore->rdt_root
                                 : rdt_make(restore->rdt_root, plan->process.rdt, plan->options->id,
                                            &restore->process.rdt, err);
}

/* Whom CRIU makes is born where it is. */
static int join_rdt(const struct restore *restore, pid_t criu, struct cl_error *err)
{
    const struct runtime_plan *plan = restore->plan;
    return plan->process.rdt == NULL
               ? 0
               : rdt_add(restore->rdt_root, plan->process.rdt, plan->options->id, criu, err);
}

/* systemd makes a scope around a process: CRIU is the first in it, and the container's come after. */
static int make_scope(struct restore *restore, pid_t criu, struct cl_error *err)
{
    if (restore->plan->options->scope == NULL)
        return 0;
    int result = scope_start(restore->plan, criu, &restore->process.cgroup, err);
    restore->has_scope = true;
    return result < 0 ? result : parent_keep_hierarchies(&restore->process, err);
}

static int ask(struct restore *restore, struct cl_buf *out, struct cl_error *err)
{
    struct criu_answer answer;
    struct criu criu = CRIU_NONE;
    const struct criu_start start = {
        .options = restore->options,
        .io = restore->io,
        .fds = restore->fds,
        .fd_count = restore->fd_count,
        .group = &restore->process.cgroup,
        .images = restore->place.own_images[0] != '\0' ? restore->place.own_images : NULL,
        .prepare = criu_place_enter,
        .context = &restore->place,
    };
    int result = criu_open(&start, &criu, err);
    if (result < 0)
        return result;
    criu.places = &restore->places;
    result = criu_check_features(&criu, restore->options, err);
    if (result >= 0)
        result = make_scope(restore, criu.pid, err);
    if (result >= 0)
        result = join_rdt(restore, criu.pid, err);
    if (result >= 0)
        result = put_all(restore, out, criu.pid, err);
    cl_test_point("before restore");
    if (result >= 0)
        result = criu_ask(&criu, CRIU_RESTORE, out, take_notice, restore, &answer, err);
    criu_close(&criu);
    if (result >= 0 && restore->process.pid != answer.restored_pid)
        result = cl_fail_kind(err, CL_KIND_SYSTEM, EPROTO,
                              "criu restored process %d, and had told of %d", answer.restored_pid,
                              (int)restore->process.pid);
    return result;
}

static int restore_all(struct restore *restore, struct cl_error *err)
{
    cl_auto_buf out = CL_BUF_INIT(CRIU_MESSAGE_MAX);
    int result = criu_check_spec(restore->plan->spec, err);
    if (result >= 0)
        result = criu_places_open(&restore->places, restore->options, "restore.log", false, err);
    if (result >= 0)
        result = put_namespaces(restore, &out, err);
    if (result >= 0)
        result = put_streams(restore, &out, err);
    if (result >= 0)
        result = make_group(restore, err);
    if (result >= 0)
        result = make_rdt(restore, err);
    if (result >= 0)
        result = criu_place_make(&restore->place, restore->plan, restore->options->images, err);
    if (result >= 0)
        result = ask(restore, &out, err);
    if (result >= 0 && restore->io->terminal && restore->process.console < 0)
        result = cl_fail_kind(err, CL_KIND_INVALID, EINVAL,
                              "process.terminal: the checkpoint is of a container without one");
    return result < 0 ? result : 0;
}

static void restore_done(struct restore *restore)
{
    if (restore->place.plan != NULL)
        criu_place_remove(&restore->place);
    criu_places_done(&restore->places);
    for (size_t i = 0; i < restore->fd_count; i++)
        (void)cl_close(restore->fds[i]);
    (void)cl_close(restore->rdt_root);
}

static void undo(struct restore *restore)
{
    struct cl_error ignored;
    netdev_take_back(restore->process.net);
    (void)runtime_destroy(&restore->process, &ignored); /* the first error is the reason */
    if (restore->has_scope)
        (void)runtime_scope_stop(restore->plan->options->scope, &ignored);
    runtime_process_done(&restore->process);
}

int runtime_restore(const struct runtime_plan *plan, const struct runtime_criu *criu,
                    const struct runtime_io *io, struct runtime_process *ret, struct cl_error *err)
{
    struct restore restore = {
        .plan = plan,
        .options = criu,
        .io = io,
        .places = CRIU_PLACES_NONE,
        .net_fd = -EBADF,
        .rdt_root = -EBADF,
        .process = { .pidfd = -EBADF, .sync = -EBADF, .console = -EBADF, .root_mount = -EBADF },
    };
    struct cl_error failure = { 0 };
    int result = restore_all(&restore, &failure);
    restore_done(&restore);
    if (result < 0) {
        undo(&restore);
        ret->has_run_hooks = restore.process.has_run_hooks;
        if (err != NULL)
            *err = failure;
        return result;
    }
    netdev_free(restore.process.net); /* it runs: they belong to its namespace */
    restore.process.net = NULL;
    *ret = restore.process;
    return 0;
}
