/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container run.
 *
 *   cloche (caller)                          parent (forked; becomes cloche-monitor)
 *   ---------------                          --------------------------------------
 *   row claimed, lock byte held
 *   HELLO into the client pair (attached)
 *   fork ---------------------------------->  own session, no streams of ours
 *                                             directories, hosts …, root mount, spec, plan
 *                                             runtime_create: init has done all steps but exec
 *                                             attach socket, state file "running"
 *                                             runtime_start: the user's program runs
 *              <----------------------------  STARTED {state}      or FAILED {error}
 *   goes on as a client, or returns           exec cloche-monitor
 *
 * Everything slow happens in the parent because it has to be there anyway; nothing of it is paid twice. The lock byte passes with its descriptor.
 */
#include "engine/engine_private.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define LOG_MAX_BYTES (10u * 1024 * 1024) /* bounded by default: three files of 10 MiB */
#define LOG_MAX_FILES 3

/* Everything the parent works on; nothing is freed: it ends in exec or _exit. */
struct launch {
    struct engine *engine;
    struct store_container *row;
    const struct engine_config *config;
    const struct engine_start *how;
    char **lowers;    /* directories of the image's layers, topmost first */
    int lock, client; /* client: our end of the pair */
    int dir, state_dir, listener, log;
    int in, out, err; /* our ends of the container's streams */
    int child_in, child_out, child_err;
    int root_mount, mnt_ns;
    struct runtime_process process;
    struct wire_state state;
    char directory[512];
};

/* ---- directories and streams ---- */

static int make_directory(int base_fd, const char *path, int *ret_fd, struct cl_error *err)
{
    if (mkdirat(base_fd, path, 0700) < 0 && errno != EEXIST)
        return cl_fail(err, errno, "make directory %s", path);
    int fd = openat(base_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return cl_fail(err, errno, "open directory %s", path);
    *ret_fd = fd;
    return 0;
}

static int make_directories(struct launch *job, struct cl_error *err)
{
    struct store *store = job->engine->store;
    char path[80];
    (void)CL_PRINT(path, "containers/%s", job->row->id);
    int result = make_directory(store_root_fd(store), path, &job->dir, err);
    cl_test_point("parent.container-directory");
    if (result >= 0)
        result = make_directory(store_state_fd(store), job->row->id, &job->state_dir, err);
    if (result < 0)
        return result;
    /* 0755: overlay shows the upper directory's mode as the mode of "/". */
    if ((mkdirat(job->dir, "upper", 0755) < 0 || mkdirat(job->dir, "work", 0700) < 0) &&
        errno != EEXIST)
        return cl_fail(err, errno, "make the writable layer of container %.12s", job->row->id);
    if (CL_PRINT(job->directory, "%s/%s", store_root(store), path) < 0)
        return cl_fail(err, ENAMETOOLONG, "name the directory of container %.12s", job->row->id);
    cl_test_point("parent.directories");
    return engine_files_write(job->dir, job->config, job->row->id, err);
}

static int open_streams(struct launch *job, struct cl_error *err)
{
    int result = 0;
    job->in = job->out = job->err = job->child_in = job->child_out = job->child_err = -EBADF;
    if (job->config->tty)
        return 0;
    if (job->config->open_stdin)
        result = cl_pipe(&job->child_in, &job->in);
    else if ((job->child_in = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
        result = -errno;
    if (result >= 0)
        result = cl_pipe(&job->out, &job->child_out);
    if (result >= 0)
        result = cl_pipe(&job->err, &job->child_err);
    return result < 0 ? cl_fail(err, result, "make the container's streams") : 0;
}

static int open_log(struct launch *job, struct cl_error *err)
{
    job->log = -EBADF;
    if (cl_streq(job->config->log_driver, "none"))
        return 0;
    job->log = openat(job->dir, WIRE_SETUP_LOG_NAME,
                      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return job->log < 0
               ? cl_fail(err, errno, "open the log %s/%s", job->directory, WIRE_SETUP_LOG_NAME)
               : 0;
}

/* ---- root file system and spec ---- */

/* Before the fork: the catalog stays the caller's alone (sqlite.org/howtocorrupt.html). */
static int layer_paths(const struct launch *job, char ***ret, struct cl_error *err)
{
    CL_AUTO(store_image_free) struct store_image *image = NULL;
    CL_AUTO(cl_strv_free) char **paths = NULL;
    int result = store_image_find(job->engine->store, job->row->image_id, &image, err);
    if (result < 0)
        return result;
    for (size_t i = image->layer_count; i-- > 0;) {
        cl_auto_free char *path = cl_format("%s/layers/%lld", store_root(job->engine->store),
                                            (long long)image->layers[i].number);
        /* Some images hold one layer twice; the upper one decides, and overlay takes a directory only once. */
        if (path != NULL && cl_strv_has((const char *const *)paths, path))
            continue;
        if (path == NULL || cl_strv_append(&paths, path) < 0)
            return cl_fail(err, ENOMEM, "list the layers of image %.19s", image->id);
    }
    if (paths == NULL)
        return cl_fail_kind(err, CL_KIND_INVALID, EINVAL, "image %.19s has no layers", image->id);
    *ret = cl_take(paths);
    return 0;
}

static int open_rootfs(struct launch *job, struct runtime_rootfs *rootfs, struct cl_error *err)
{
    *rootfs = (struct runtime_rootfs){
        .is_overlay = true,
        .lowers = (const char *const *)job->lowers,
        .upper = cl_format("%s/upper", job->directory),
        .work = cl_format("%s/work", job->directory),
        .is_volatile = job->config->auto_remove,
        .is_read_only = job->config->readonly_rootfs,
        .trace_fd = job->how->trace_fd,
        .trace_waits = job->how->trace_waits,
    };
    if (rootfs->upper == NULL || rootfs->work == NULL)
        return cl_fail(err, ENOMEM, "open the root file system");
    int result = runtime_rootfs_open(rootfs, &job->root_mount, err);
    return result < 0 ? cl_error_prefix(err, "open the root file system") : 0;
}

/* The runtime leaves out what can't be granted, with a warning, as its specification wants; a capability that was asked for by name is worth an error. */
static int check_capabilities(const struct engine_config *config, const struct runtime_facts *facts,
                              struct cl_error *err)
{
    for (char **name = config->cap_add; name != NULL && *name != NULL; name++) {
        int number = oci_cap_number(*name);
        if (number >= 0 && (facts->bounding & (UINT64_C(1) << number)) == 0)
            return cl_fail_kind(err, CL_KIND_UNSUPPORTED, EPERM,
                                "--cap-add %s: cloche itself was started without it and can't "
                                "give it on",
                                *name);
    }
    return 0;
}

/* See wire/setup.h. Without it all works, just not as fast. */
static void pin_mounts(struct launch *job, int proc)
{
    cl_auto_fd init = procfs_open_pid(proc, job->process.pid);
    if (init >= 0)
        (void)k_ns_open(init, K_NS_MNT, &job->mnt_ns, NULL);
}

/* A time namespace that nobody asked for is left out where the kernel has none (before 5.6, and some architectures); one that was asked for is
   the plan's error. */
static void fit_to_host(const struct engine_config *config, const struct runtime_facts *facts,
                        struct oci_spec *spec)
{
    if (!facts->has_time_ns && config->time_mode[0] == '\0')
        (void)oci_namespace_remove(spec, OCI_NS_TIME); /* absent already: the same */
}

/* The audit session that init has opened: the kernel's log names it with each denial, also when the container is over. Without
   the note the log can't be asked about it, and it runs all the same. */
static void note_session(const struct launch *job, int proc)
{
    char text[24];
    cl_auto_fd init = procfs_open_pid(proc, job->process.pid);
    ssize_t length = init < 0 ? init : cl_read_small(init, "sessionid", text, sizeof text);
    if (length > 0)
        (void)cl_write_atomic(job->dir, "audit-session", text, (size_t)length, 0600, CL_WRITE_PLAIN,
                              NULL);
}

static int create(struct launch *job, struct cl_error *err)
{
    struct runtime_rootfs rootfs;
    struct runtime_facts facts;
    struct oci_spec *spec = NULL;
    struct runtime_plan *plan = NULL;
    int result = open_rootfs(job, &rootfs, err);
    cl_test_point("parent.rootfs-open");
    const struct engine_spec_input input = { .config = job->config,
                                             .id = job->row->id,
                                             .directory = job->directory,
                                             .root_mount = job->root_mount,
                                             .rows = job->how->rows,
                                             .columns = job->how->columns };
    if (result >= 0)
        result = engine_spec_new(&input, &spec, err);
    if (result >= 0)
        result = runtime_facts_init(&facts, err);
    if (result >= 0)
        result = check_capabilities(job->config, &facts, err);
    if (result >= 0)
        result = engine_cgroup_path(job->engine, job->row, job->state.cgroup, err);
    if (result < 0)
        return result;
    fit_to_host(job->config, &facts, spec);
    const struct runtime_options options = {
        .id = job->row->id,
        .rootfs = rootfs,
        .root_mount = job->root_mount,
        .cgroup_path = job->state.cgroup,
        .state_dir = store_state(job->engine->store),
        .use_default_seccomp = engine_wants_default_seccomp(job->config),
        .record_denials = engine_wants_records(job->config),
        .mask_thermal_throttle = job->config->masked_paths == NULL,
        .die_with_parent = true,
        .trace_fd = job->how->trace_fd,
        .trace_waits = job->how->trace_waits,
    };
    const struct runtime_io io = { .terminal = job->config->tty,
                                   .rows = job->how->rows,
                                   .columns = job->how->columns,
                                   .in = job->child_in,
                                   .out = job->child_out,
                                   .err = job->child_err };
    result = runtime_plan_new(spec, &options, &facts, &plan, err);
    if (result >= 0)
        result = runtime_create(plan, &io, &job->process, err);
    if (result >= 0)
        pin_mounts(job, facts.proc_fd);
    if (result >= 0 && options.record_denials)
        note_session(job, facts.proc_fd);
    return result;
}

/* ---- what others can find: the attach socket and the state file ---- */

/* Through /proc/self/fd, as the path may be longer than sun_path. */
static int socket_address(int directory_fd, struct sockaddr_un *ret)
{
    *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
    return cl_print(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/%s", directory_fd,
                    WIRE_SETUP_SOCKET_NAME);
}

static int listen_for_clients(struct launch *job, struct cl_error *err)
{
    struct sockaddr_un address;
    (void)socket_address(job->state_dir, &address); /* a number and a short name always fit */
    (void)unlinkat(job->state_dir, WIRE_SETUP_SOCKET_NAME, 0); /* of an earlier run */
    job->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (job->listener < 0 || bind(job->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(job->listener, 64) < 0)
        return cl_fail(err, errno, "listen on %s/%.12s/%s", store_state(job->engine->store),
                       job->row->id, WIRE_SETUP_SOCKET_NAME);
    return 0;
}

int engine_connect(struct engine *engine, const char *id, unsigned hello_flags, int *ret_client)
{
    struct sockaddr_un address;
    cl_auto_fd directory =
        openat(store_state_fd(engine->store), id, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (directory < 0)
        return -errno;
    (void)socket_address(directory, &address); /* as above */
    cl_auto_fd client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof address) < 0)
        return -errno;
    const struct wire_attach hello = { .type = WIRE_HELLO, .u.hello.flags = hello_flags };
    if (send(client, &hello, sizeof hello, MSG_NOSIGNAL) < 0)
        return -errno;
    *ret_client = cl_take_fd(&client);
    return 0;
}

static int write_state(struct launch *job, struct cl_error *err)
{
    char text[WIRE_STATE_MAX];
    int size = wire_state_format(&job->state, text);
    if (size < 0)
        return cl_fail(err, size, "format the state of container %.12s", job->row->id);
    return cl_write_atomic(job->dir, "state", text, (size_t)size, 0600, CL_WRITE_PLAIN, err);
}

static int record_running(struct launch *job, struct cl_error *err)
{
    struct procfs_stat own;
    cl_auto_fd self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (self < 0 || procfs_read_stat(self, &own) < 0)
        return cl_fail(err, errno, "read our own /proc/self/stat");
    job->state.status = WIRE_RUNNING;
    job->state.pid = job->process.pid;
    job->state.pid_start = job->process.start_ticks;
    job->state.monitor_pid = own.pid;
    job->state.monitor_start = own.start_ticks;
    job->state.started_ns = cl_now_ns();
    (void)CL_PRINT(job->state.boot_id, "%s", k_boot_id());
    return write_state(job, err);
}

/* ---- becoming the monitor ---- */

static int keep(int fd)
{
    if (fd >= 0)
        (void)fcntl(fd, F_SETFD, 0); /* can't fail on an open fd */
    return fd >= 0 ? fd : -1;
}

static int memory_cgroup_fd(const struct launch *job)
{
    int fd = job->process.cgroup.count > 0 ? cgroup_fd_of(&job->process.cgroup, "memory") : -1;
    return fd >= 0 ? fd : -1;
}

static void fill_setup(const struct launch *job, struct wire_setup *setup)
{
    const struct engine_config *config = job->config;
    setup->magic = WIRE_SETUP_MAGIC;
    setup->size = sizeof *setup;
    setup->flags = (config->tty ? WIRE_SETUP_TERMINAL : 0u) |
                   (config->open_stdin ? WIRE_SETUP_STDIN : 0u) |
                   (config->stdin_once ? WIRE_SETUP_STDIN_ONCE : 0u) |
                   (config->auto_remove ? WIRE_SETUP_AUTO_REMOVE : 0u) |
                   (job->log < 0 ? WIRE_SETUP_NO_LOG : 0u);
    setup->init_pid = job->process.pid;
    setup->init_start = job->process.start_ticks;
    setup->log_max_bytes = LOG_MAX_BYTES;
    setup->log_max_files = LOG_MAX_FILES;
    setup->started_ns = job->state.started_ns;
    (void)CL_PRINT(setup->id, "%s", job->row->id);
    (void)CL_PRINT(setup->cgroup, "%s", job->state.cgroup);
    (void)CL_PRINT(setup->boot_id, "%s", job->state.boot_id);
    (void)CL_PRINT(setup->reap_root, "%s", store_root(job->engine->store));
    (void)CL_PRINT(setup->reap_state, "%s", store_state(job->engine->store));
    setup->fd.lock = keep(job->lock);
    setup->fd.dir = keep(job->dir);
    setup->fd.state_dir = keep(job->state_dir);
    setup->fd.log = keep(job->log);
    setup->fd.init_pidfd = keep(job->process.pidfd);
    setup->fd.console = keep(job->process.console);
    setup->fd.in = keep(job->in);
    setup->fd.out = keep(job->out);
    setup->fd.err = keep(job->err);
    setup->fd.client = job->how->attach ? keep(job->client) : -1;
    setup->fd.listener = keep(job->listener);
    setup->fd.root_mount = keep(job->root_mount);
    setup->fd.mnt_ns = keep(job->mnt_ns);
    setup->fd.cgroup_memory = keep(memory_cgroup_fd(job));
    setup->fd.reap_program =
        config->auto_remove ? keep(open("/proc/self/exe", O_PATH | O_CLOEXEC)) : -1;
}

static int become_monitor(const struct launch *job, int program, struct cl_error *err)
{
    struct wire_setup setup = { 0 };
    char number[16];
    fill_setup(job, &setup);
    /* Its number is handed over: it has to live through the exec. */
    int memory = memfd_create("cloche-setup", MFD_ALLOW_SEALING); /* allowed: see above */
    if (memory < 0 || cl_write_full(memory, &setup, sizeof setup) < 0 ||
        fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return cl_fail(err, errno, "hand the container over to cloche-monitor");
    (void)CL_PRINT(number, "%d", memory);
    char *const arguments[] = { (char *)(uintptr_t) "cloche-monitor", number, NULL };
    int result = k_execveat(program, "", arguments, environ, AT_EMPTY_PATH);
    return cl_fail(err, result, "start cloche-monitor");
}

static void send_message(int client, uint32_t type, const void *payload, size_t size)
{
    struct {
        struct wire_attach header;
        char payload[WIRE_STATE_MAX];
    } packet = { .header = { .type = type, .size = (uint32_t)size } };
    memcpy(packet.payload, payload, size);
    /* A caller that is gone will not mind: the container runs on, as Docker's would. */
    (void)send(client, &packet, sizeof packet.header + size, MSG_NOSIGNAL);
}

/* A socket that is closed with unread messages (the HELLO for the monitor that will not be) resets its peer, who would lose our last word. */
static void drain(int client)
{
    char message[sizeof(struct wire_attach)];
    while (recv(client, message, sizeof message, MSG_DONTWAIT) > 0)
        ;
}

/* The state of the row after a failed start, for whoever asks later: cloche itself may be gone. */
static void record_failure(struct launch *job, const struct cl_error *failure)
{
    job->state =
        (struct wire_state){ .status = WIRE_CREATED, .exit_code = cl_error_exit_code(failure) };
    (void)CL_PRINT(job->state.error, "%s", failure->text);
    if (job->dir >= 0)
        (void)write_state(job, NULL); /* the caller has the error, too */
}

static int run_parent(struct launch *job, struct cl_error *err)
{
    cl_auto_fd program = -EBADF;
    char text[WIRE_STATE_MAX];
    int result = engine_program_open("cloche-monitor", &program, err);
    if (result >= 0)
        result = make_directories(job, err);
    cl_test_point("parent.files");
    if (result >= 0)
        result = open_log(job, err);
    if (result >= 0)
        result = open_streams(job, err);
    if (result >= 0)
        result = create(job, err);
    cl_test_point("parent.created");
    if (result >= 0)
        result = listen_for_clients(job, err);
    if (result >= 0)
        result = record_running(job, err);
    cl_test_point("parent.recorded");
    if (result >= 0)
        result = runtime_start(&job->process, err);
    cl_test_point("parent.started");
    if (result < 0)
        return result;
    int size = wire_state_format(&job->state, text);
    send_message(job->client, WIRE_STARTED, text, size < 0 ? 0 : (size_t)size);
    cl_test_point("parent.told");
    return become_monitor(job, program, err);
}

/* The forked process. Never returns. */
static void parent_main(struct launch *job)
{
    struct cl_error failure = { 0 };
    cl_test_role("parent");
    (void)setsid(); /* a fresh child is never a group leader */
    (void)umask(022);
    cl_auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd <= 2; fd++)
        (void)dup2(null, fd); /* our caller's streams must not be held open by a container */
    job->dir = job->state_dir = job->listener = job->log = job->root_mount = job->mnt_ns = -EBADF;
    job->process = (struct runtime_process){
        .pidfd = -EBADF, .sync = -EBADF, .console = -EBADF, .root_mount = -EBADF
    };
    cl_test_point("parent.forked");
    (void)run_parent(job, &failure); /* returns only with a failure */
    if (job->process.pidfd >= 0)
        (void)runtime_destroy(&job->process,
                              NULL); /* what stays is recovered by the next command */
    record_failure(job, &failure);
    drain(job->client);
    send_message(job->client, WIRE_FAILED, &failure, sizeof failure);
    _exit(125);
}

/* ---- the caller's side ---- */

static int wait_for_start(int client, struct engine_started *ret, struct cl_error *err)
{
    struct {
        struct wire_attach header;
        union {
            char text[WIRE_STATE_MAX];
            struct cl_error failure;
        } payload;
    } packet;
    struct wire_state state;
    ssize_t size;
    /* It ends without reading our HELLO when it fails: the reset that makes comes before its last words (unix(7)), once. */
    do
        size = recv(client, &packet, sizeof packet, 0);
    while (size < 0 && (errno == EINTR || errno == ECONNRESET));
    if (size <= 0)
        return cl_fail_kind(err, CL_KIND_SYSTEM, EPIPE,
                            "the container's parent process ended before the container ran");
    if (wire_attach_check(&packet.header, (size_t)size, false) < 0)
        return cl_fail(err, EPROTO, "hear from the container's parent process");
    if (packet.header.type == WIRE_FAILED && packet.header.size == sizeof packet.payload.failure) {
        packet.payload.failure.text[sizeof packet.payload.failure.text - 1] = '\0';
        return cl_fail_kind(err, packet.payload.failure.kind, packet.payload.failure.code, "%s",
                            packet.payload.failure.text);
    }
    if (wire_state_parse(packet.payload.text, packet.header.size, &state, NULL) >= 0)
        ret->pid = state.pid; /* else the container runs all the same */
    return 0;
}

/* A failed start leaves the container as "created" with its error, or nothing if it was to be removed anyway. What can't be done here is done by the next
   command's recovery. */
static void settle_failure(struct engine *engine, struct store_container *row,
                           const struct cl_error *failure)
{
    /* The parent has cleaned up after itself, unless it was killed. Init has no record yet, and dies with the parent by itself. */
    (void)engine_kill_leftovers(engine, row, &(struct wire_state){ 0 });
    engine_tidy(engine, row);
    /* Stopped by who watched it: as if it had not been asked for. */
    bool is_unwanted = row->auto_remove || failure->code == -ECANCELED;
    if (is_unwanted && row->is_new) {
        (void)engine_remove_locked(engine, row, NULL);
        return;
    }
    row->phase = STORE_READY;
    row->is_new = false;
    row->last.exit_code = cl_error_exit_code(failure);
    (void)CL_PRINT(row->last.error, "%s", failure->text);
    int result = store_begin(engine->store, NULL);
    if (result >= 0)
        result = store_container_update(engine->store, row, NULL);
    if (result >= 0)
        (void)store_commit(engine->store, NULL);
    else
        store_rollback(engine->store);
}

/* Fork the parent; the caller's end of the pair is *ret_client. */
static int fork_parent(struct launch *job, int *ret_client, pid_t *ret_parent, struct cl_error *err)
{
    cl_auto_fd client = -EBADF, other = -EBADF;
    const struct wire_attach hello = { .type = WIRE_HELLO,
                                       .u.hello.flags = job->how->attach_flags };
    int result = cl_socketpair(SOCK_SEQPACKET, &client, &other);
    if (result < 0)
        return cl_fail(err, result, "make a socket pair");
    if (job->how->attach && send(client, &hello, sizeof hello, MSG_NOSIGNAL) < 0)
        return cl_fail(err, errno, "speak to the container's parent process");
    job->client = other;
    pid_t parent = fork();
    if (parent < 0)
        return cl_fail(err, errno, "start the container's parent process");
    if (parent == 0)
        parent_main(job);
    *ret_client = cl_take_fd(&client);
    *ret_parent = parent;
    return 0;
}

int engine_launch(struct engine *engine, struct store_container *row,
                  const struct engine_config *config, int lock_fd, const struct engine_start *how,
                  struct engine_started *ret, struct cl_error *err)
{
    struct cl_error failure = { 0 };
    struct launch job = {
        .engine = engine, .row = row, .config = config, .how = how, .lock = lock_fd
    };
    cl_auto_fd client = -EBADF;
    pid_t parent = 0;
    int result = layer_paths(&job, &job.lowers, &failure);
    if (result >= 0)
        result = fork_parent(&job, &client, &parent, &failure);
    cl_strv_free(job.lowers); /* the parent has its own copy */
    cl_test_point("engine.forked");
    if (result >= 0)
        result = wait_for_start(client, ret, &failure);
    if (result < 0) {
        int status;
        if (parent > 0)
            (void)k_wait_pid(parent, 0, &status); /* it is ending: FAILED was its last word */
        settle_failure(engine, row, &failure);
        if (err != NULL)
            *err = failure;
        return result;
    }
    (void)CL_PRINT(ret->id, "%s", row->id);
    ret->client = how->attach ? cl_take_fd(&client) : -EBADF;
    return 0;
}
