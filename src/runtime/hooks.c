/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks (config.md, "POSIX-platform Hooks"; runtime.md, "Lifecycle").
 *
 *   kind             run by    where                                   path of     state on stdin
 *   prestart         parent    host, before createRuntime              the host    creating
 *   createRuntime    parent    host; mounts and devices are made       the host    creating
 *   createContainer  init      all new namespaces, before the pivot    the host    creating
 *   startContainer   init      container, confined as its program is   container   created (trampoline.c)
 *   poststart        caller    host; the program runs                  the host    running
 *   poststop         caller    host; the container is gone             the host    stopped
 *
 * One hook is a fork with a process group of its own, the state in a memfd as its standard input, and nothing else of ours: its environment is what the spec says (none
 * where it says none), its output goes where ours does or, appended, to the files of the annotations run.oci.hooks.stdout and .stderr (crun's names). Past its timeout
 * the whole group is killed. It goes with us when we are killed.
 */
#include "runtime/hooks.h"
#include "runtime/parent.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static const struct {
    char name[16];
    size_t offset;
    enum oci_status status;
} kinds[] = {
#define KIND(json_name, member, status)                                                            \
    {                                                                                              \
        json_name, offsetof(struct oci_hooks, member), status                                      \
    }
    [RUNTIME_PRESTART] = KIND("prestart", prestart, OCI_CREATING),
    [RUNTIME_CREATE_RUNTIME] = KIND("createRuntime", create_runtime, OCI_CREATING),
    [RUNTIME_CREATE_CONTAINER] = KIND("createContainer", create_container, OCI_CREATING),
    [RUNTIME_START_CONTAINER] = KIND("startContainer", start_container, OCI_CREATED),
    [RUNTIME_POSTSTART] = KIND("poststart", poststart, OCI_RUNNING),
    [RUNTIME_POSTSTOP] = KIND("poststop", poststop, OCI_STOPPED),
#undef KIND
};

const char *runtime_hooks_name(enum runtime_hooks kind)
{
    return kinds[kind].name;
}

const struct oci_hook_list *runtime_hooks_list(const struct oci_spec *spec, enum runtime_hooks kind)
{
    return (const struct oci_hook_list *)((const char *)&spec->hooks + kinds[kind].offset);
}

bool hooks_at_create(const struct oci_spec *spec)
{
    return spec->hooks.prestart.count > 0 || spec->hooks.create_runtime.count > 0 ||
           spec->hooks.create_container.count > 0;
}

/* ---- what they get ---- */

int hooks_state(const struct oci_spec *spec, enum runtime_hooks kind,
                const struct runtime_hook_state *about, int *ret_fd, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    const struct oci_state state = {
        /* Borrowed for the encoder. */
        .oci_version = (char *)(uintptr_t)OCI_SPEC_VERSION,
        .id = (char *)(uintptr_t)about->id,
        .status = kinds[kind].status,
        .pid = about->pid,
        .bundle = (char *)(uintptr_t)(about->bundle != NULL ? about->bundle : ""),
        .annotations = spec->annotations,
    };
    int result = oci_state_encode(&state, &json);
    cl_auto_free char *text = result < 0 ? NULL : cl_json_text(json, CL_JSON_COMPACT);
    if (text == NULL)
        return cl_fail(err, ENOMEM, "tell a hook the state");
    /* A file, not a pipe: a hook that reads nothing can't make us wait, however long the annotations are. */
    cl_auto_fd fd = k_memfd_data("state");
    ssize_t size = fd < 0 ? fd : cl_write_full(fd, text, strlen(text));
    if (size < 0)
        return cl_fail(err, (int)size, "tell a hook the state");
    *ret_fd = cl_take_fd(&fd);
    return 0;
}

static int open_output(const struct oci_spec *spec, const char *key, int *ret, struct cl_error *err)
{
    const char *path = oci_map_get(&spec->annotations, key);
    if (path == NULL || path[0] == '\0')
        return 0;
    *ret = k_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0600);
    return *ret < 0 ? cl_fail(err, *ret, "annotations[\"%s\"]: open %s", key, path) : 0;
}

int hooks_open_output(const struct oci_spec *spec, struct hooks_output *ret, struct cl_error *err)
{
    struct hooks_output output = HOOKS_NO_OUTPUT;
    int result = open_output(spec, "run.oci.hooks.stdout", &output.out, err);
    if (result >= 0)
        result = open_output(spec, "run.oci.hooks.stderr", &output.err, err);
    if (result < 0) {
        hooks_close_output(&output);
        return result;
    }
    *ret = output;
    return 0;
}

void hooks_close_output(struct hooks_output *output)
{
    output->out = cl_close(output->out);
    output->err = cl_close(output->err);
}

/* ---- one hook ---- */

/* Where relative names in its arguments start. One that is gone, as the bundle may be at the end, fails nothing. */
static void enter(const char *directory)
{
    int fd = directory == NULL ? -EBADF : k_openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY, 0);
    if (fd < 0 || fchdir(fd) < 0)
        (void)!chdir("/");
}

/* In the fork. Never returns; the errno of what failed goes into `report`. */
static _Noreturn void hook_main(const struct hooks_run *run, const struct oci_hook *hook, int state,
                                int report, pid_t parent)
{
    static char *const no_env[] = { NULL };
    char *just_path[] = { hook->path, NULL };
    int result = 0;
    child_reset_signals();
    (void)setpgid(0, 0); /* just forked: can't fail */
    if (run->is_init)
        (void)umask(022); /* init's own is 0 */
    result = k_dup_to(state, 0);
    if (result >= 0 && run->output.out >= 0)
        result = k_dup_to(run->output.out, 1);
    if (result >= 0 && run->output.err >= 0)
        result = k_dup_to(run->output.err, 2);
    /* A hook that is left alone with a container that nobody knows of could only do harm. */
    if (result >= 0)
        result = k_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (result >= 0 && getppid() != parent) /* it died before we asked */
        _exit(127);
    if (result >= 0)
        result = k_close_range(3, UINT_MAX, true);
    enter(run->cwd);
    if (result >= 0)
        result = k_execve(hook->path,
                          hook->args != NULL && hook->args[0] != NULL ? hook->args : just_path,
                          hook->env != NULL ? hook->env : no_env);
    (void)!write(report, &result, sizeof result);
    for (;;)
        _exit(127);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -1: no end. */
static int time_left(int64_t deadline)
{
    int64_t left = deadline - now_ms();
    return deadline == INT64_MAX ? -1 : left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* 0: it has ended. -ETIMEDOUT; -EINTR: a signal that means our end is pending (who is a foreground parent has it blocked). */
static int wait_end(const struct oci_hook *hook, int pidfd, int signals)
{
    int64_t seconds = hook->timeout.set ? hook->timeout.value : 0;
    int64_t deadline =
        seconds > 0 && seconds < INT64_MAX / 2000 ? now_ms() + seconds * 1000 : INT64_MAX;
    for (;;) {
        struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
                                { .fd = signals, .events = POLLIN } };
        int left = time_left(deadline);
        int count = k_poll(fds, CL_COUNT(fds), left);
        if (count < 0 && count != -EINTR)
            return count;
        if (count > 0 && fds[0].revents != 0)
            return 0;
        if (count > 0 && fds[1].revents != 0) {
            hooks_take_signal(signals);
            return -EINTR;
        }
        if (count == 0 && time_left(deadline) == 0)
            return -ETIMEDOUT;
    }
}

int hooks_open_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGQUIT);
    return k_signalfd(&set); /* without one the signals wait: no more than that */
}

/* It has had its effect: hooks of the end are not to be ended by it as well. */
void hooks_take_signal(int signals)
{
    struct signalfd_siginfo info;
    (void)!read(signals, &info, sizeof info);
}

static int judge(const struct oci_hook *hook, int waited, int failed_exec, int status,
                 struct cl_error *err)
{
    if (waited == -ETIMEDOUT)
        return cl_fail_kind(err, CL_KIND_SYSTEM, ETIMEDOUT,
                            "%s: still running after its timeout of %lld s: killed", hook->path,
                            (long long)hook->timeout.value);
    if (waited == -EINTR)
        return cl_fail_kind(err, CL_KIND_SYSTEM, EINTR, "%s: killed, as a signal asked us to end",
                            hook->path);
    if (waited < 0)
        return cl_fail(err, waited, "%s: wait for it", hook->path);
    if (failed_exec < 0)
        return cl_fail(err, failed_exec, "%s: execute it", hook->path);
    if (WIFSIGNALED(status))
        return cl_fail_kind(err, CL_KIND_SYSTEM, ECANCELED, "%s: killed by signal %d", hook->path,
                            WTERMSIG(status));
    return WEXITSTATUS(status) == 0
               ? 0
               : cl_fail_kind(err, CL_KIND_SYSTEM, ECANCELED, "%s: exit status %d", hook->path,
                              WEXITSTATUS(status));
}

/* Its end, by itself or by us; it is reaped whatever happens. */
static int follow(const struct oci_hook *hook, pid_t pid, int pidfd, int report,
                  struct cl_error *err)
{
    int status = 0, failed_exec = 0;
    cl_auto_fd signals = hooks_open_signals();
    int waited = wait_end(hook, pidfd, signals);
    if (waited < 0) {
        /* Before it is reaped, so the number of its group is still its own. */
        (void)kill(-pid, SIGKILL);
        (void)k_pidfd_send_signal(pidfd, SIGKILL);
        (void)kill(pid, SIGKILL);
    }
    int result = k_wait_pidfd(pidfd, 0, &status);
    if (result < 0)
        result = k_wait_pid(pid, 0, &status);
    if (result < 0)
        return cl_fail(err, result, "%s: wait for its end", hook->path);
    if (read(report, &failed_exec, sizeof failed_exec) != (ssize_t)sizeof failed_exec)
        failed_exec = 0; /* executed: the other end closed on exec */
    return judge(hook, waited, failed_exec, status, err);
}

static int run_one(const struct hooks_run *run, const struct oci_hook *hook, struct cl_error *err)
{
    const struct k_clone plain = { .cgroup_fd = -EBADF, .exit_signal = SIGCHLD };
    cl_auto_fd state = -EBADF, read_end = -EBADF, write_end = -EBADF, pidfd = -EBADF;
    int result = hooks_state(run->spec, run->kind, &run->about, &state, err);
    if (result < 0)
        return result;
    (void)lseek(state, 0, SEEK_SET); /* a memfd */
    result = k_pipe(&read_end, &write_end);
    pid_t self = getpid(), pid = result < 0 ? result : k_clone3(&plain, &pidfd);
    if (pid == 0)
        hook_main(run, hook, state, write_end, self);
    if (pid < 0)
        return cl_fail(err, pid, "%s: make a process for it", hook->path);
    write_end = cl_close(write_end);
    cl_test_point("hook started");
    return follow(hook, pid, pidfd, read_end, err);
}

int hooks_run_at(const struct hooks_run *run, size_t index, struct cl_error *err)
{
    const struct oci_hook *hook = &runtime_hooks_list(run->spec, run->kind)->items[index];
    cl_debug("hooks", "%s[%zu] %s", kinds[run->kind].name, index, hook->path);
    int result = run_one(run, hook, err);
    return result < 0 ? cl_error_prefix(err, "hooks.%s[%zu]", kinds[run->kind].name, index) : 0;
}

int hooks_run_all(const struct hooks_run *run, struct cl_error *err)
{
    int result = 0;
    for (size_t i = 0; result >= 0 && i < runtime_hooks_list(run->spec, run->kind)->count; i++)
        result = hooks_run_at(run, i, err);
    return result;
}

/* ---- from outside ---- */

int runtime_hooks_run(const struct oci_spec *spec, enum runtime_hooks kind,
                      const struct runtime_hook_state *state, struct cl_error *err)
{
    struct hooks_run run = {
        .spec = spec, .kind = kind, .about = *state, .cwd = state->bundle, .output = HOOKS_NO_OUTPUT
    };
    if (runtime_hooks_list(spec, kind)->count == 0)
        return 0;
    int result = hooks_open_output(spec, &run.output, err);
    if (result >= 0)
        result = hooks_run_all(&run, err);
    hooks_close_output(&run.output);
    return result;
}

void runtime_hooks_poststop(const struct oci_spec *spec, const struct runtime_hook_state *state,
                            void (*warn)(void *context, const char *text), void *context)
{
    struct cl_error err = { 0 };
    struct hooks_run run = { .spec = spec,
                             .kind = RUNTIME_POSTSTOP,
                             .about = *state,
                             .cwd = state->bundle,
                             .output = HOOKS_NO_OUTPUT };
    size_t count = runtime_hooks_list(spec, RUNTIME_POSTSTOP)->count;
    if (count > 0 && hooks_open_output(spec, &run.output, &err) < 0)
        warn(context, err.text);
    for (size_t i = 0; i < count; i++)
        if (hooks_run_at(&run, i, &err) < 0)
            warn(context, err.text);
    hooks_close_output(&run.output);
}

/* ---- in the parent ---- */

int parent_run_hooks(const struct runtime_plan *plan, pid_t pid, struct cl_error *err)
{
    const struct runtime_hook_state state = { .id = plan->options->id,
                                              .bundle = plan->options->bundle,
                                              .pid = pid };
    int result = runtime_hooks_run(plan->spec, RUNTIME_PRESTART, &state, err);
    return result < 0 ? result : runtime_hooks_run(plan->spec, RUNTIME_CREATE_RUNTIME, &state, err);
}

/* ---- in init ---- */

/* IN_NEW_MNT. Everything is mounted, the host's tree still there: the parent has its turn. */
int hooks_call_parent(struct child *child, struct cl_error *err)
{
    int result = child_send(child, WIRE_INIT_HOOKS, -1);
    return result < 0 ? cl_fail(err, result, "ask the parent to run hooks")
                      : child_wait(child, WIRE_INIT_GO_ON, err);
}

/* IN_NEW_MNT. In all namespaces of the container; paths are still the host's. */
int hooks_create_container(struct child *child, struct cl_error *err)
{
    const struct runtime_options *options = child->plan->options;
    const struct hooks_run run = {
        .spec = child->plan->spec,
        .kind = RUNTIME_CREATE_CONTAINER,
        .about = { .id = options->id, .bundle = options->bundle, .pid = getpid() },
        .cwd = options->bundle,
        .output = child->hooks_output,
        .is_init = true,
    };
    return hooks_run_all(&run, err);
}

/* IN_CONTAINER. They are run by the last program of ours (trampoline.c), which has no libc to make this with. */
int hooks_prepare_start(struct child *child, struct cl_error *err)
{
    const struct runtime_options *options = child->plan->options;
    const struct runtime_hook_state about = { .id = options->id,
                                              .bundle = options->bundle,
                                              .pid = getpid() };
    int result =
        hooks_state(child->plan->spec, RUNTIME_START_CONTAINER, &about, &child->hooks_state, err);
    /* Who starts us takes the end of file for the program, which is some way off yet. */
    child->tells_program = result >= 0 && plan_can_tell(child->process);
    if (child->tells_program)
        (void)child_send(child, WIRE_INIT_HOLD, -1); /* a starter that was killed stops no start */
    return result;
}
