/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups by systemd: running cloche-scope, and what is done after it.
 *
 * systemd puts init into the scope's group in the hierarchies that it knows. The others, and the
 * limits that it knows nothing of, are done in the file system, after it, since it writes its own
 * idea of the files when the scope starts.
 */
#include "runtime/scope_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#ifndef CLOCHE_LIBEXEC_DIR
#define CLOCHE_LIBEXEC_DIR "/usr/local/libexec/cloche"
#endif
#define PROGRAM   "cloche-scope"
#define LINES_MAX (1 << 20)

/* ---- the program ---- */

/* Beside our own program (a build tree), or where the build was configured to install it. */
static int open_program(struct cl_error *err)
{
    char own[PATH_MAX], path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    own[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(own, '/');
    if (slash != NULL)
        *slash = '\0';
    const char *const directories[] = { own, CLOCHE_LIBEXEC_DIR };
    for (size_t i = 0; i < CL_COUNT(directories); i++) {
        int fd = CL_PRINT(path, "%s/%s", directories[i], PROGRAM) < 0
                     ? -1
                     : open(path, O_PATH | O_CLOEXEC); /* allowed: our own directories */
        if (fd >= 0)
            return fd;
    }
    return cl_fail_kind(err, CL_KIND_UNSUPPORTED, ENOENT,
                        "%s is neither in %s nor in %s: this installation has no support for "
                        "systemd; use the cgroupfs driver",
                        PROGRAM, own, CLOCHE_LIBEXEC_DIR);
}

static int open_input(const char *text, struct cl_error *err)
{
    cl_auto_fd fd = memfd_create(PROGRAM, MFD_CLOEXEC);
    size_t size = strlen(text);
    if (fd < 0 || cl_write_full(fd, text, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
        return cl_fail(err, errno, "prepare the properties of a scope");
    return cl_take_fd(&fd);
}

static _Noreturn void become_program(int program, int input, int output, char *const arguments[])
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL); /* ours may be blocked for the relay */
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(output, STDERR_FILENO) >= 0)
        (void)k_execveat(program, "", arguments, environ, AT_EMPTY_PATH);
    _exit(126);
}

/* What it says (a line: the error, or the answer) into `said`. */
static int run_program(const char *const words[], const char *lines, char *said, size_t size,
                       struct cl_error *err)
{
    cl_auto_fd program = open_program(err), output = -EBADF, ours = -EBADF;
    if (program < 0)
        return program;
    cl_auto_fd input = open_input(lines, err);
    if (input < 0)
        return input;
    int result = cl_pipe(&ours, &output), status = 0;
    pid_t pid = result < 0 ? result : fork();
    if (pid == 0)
        become_program(program, input, output, (char *const *)(uintptr_t)words);
    if (pid < 0)
        return cl_fail(err, result < 0 ? result : errno, "run %s", PROGRAM);
    output = cl_close(output);
    ssize_t length = cl_read_full(ours, said, size - 1);
    said[length > 0 ? length : 0] = '\0';
    said[strcspn(said, "\n")] = '\0';
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (said[0] == '\0')
        return cl_fail(err, EIO, "%s ended without a word (wait status %#x)", PROGRAM,
                       (unsigned)status);
    bool is_missing = strstr(said, "does not run systemd") != NULL;
    return cl_fail_kind(err, is_missing ? CL_KIND_UNSUPPORTED : CL_KIND_SYSTEM, EIO, "%s", said);
}

static int call(const struct runtime_scope *scope, const char *verb, const char *lines,
                struct cl_error *err)
{
    char said[480];
    const char *words[5] = { PROGRAM };
    size_t count = 1;
    if (scope->is_user)
        words[count++] = "--user";
    words[count++] = verb;
    words[count++] = scope->unit;
    return run_program(words, lines, said, sizeof said, err);
}

/* ---- the scope's life ---- */

static int start(const struct runtime_plan *plan, pid_t pid, struct cl_error *err)
{
    const struct runtime_scope *scope = plan->options->scope;
    const struct oci_resources *resources = &plan->spec->linux_.resources;
    cl_auto_buf lines = CL_BUF_INIT(LINES_MAX);
    cl_buf_printf(&lines, "s\tDescription\tcloche container %s\n", plan->options->id);
    cl_buf_printf(&lines, "s\tSlice\t%s\nau\tPIDs\t%d\n", scope->slice, (int)pid);
    cl_buf_str(&lines, "b\tDelegate\ttrue\nb\tDefaultDependencies\tfalse\n");
    /* Nothing stays of it, also when the OOM killer made it fail and nobody came to delete it. */
    cl_buf_str(&lines, "?s\tCollectMode\tinactive-or-failed\n");
    cl_buf_str(&lines, "?b\tMemoryAccounting\ttrue\n?b\tCPUAccounting\ttrue\n"
                       "?b\tIOAccounting\ttrue\n?b\tTasksAccounting\ttrue\n"
                       "?b\tBlockIOAccounting\ttrue\n"); /* v1's */
    scope_put_settings(&lines, plan->settings, plan->setting_count);
    scope_put_devices(&lines, resources->devices, resources->device_count);
    int result = scope_put_annotations(&lines, &plan->spec->annotations, err);
    if (result >= 0 && lines.failed < 0)
        result = cl_fail(err, lines.failed, "describe scope %s", scope->unit);
    return result < 0 ? result : call(scope, "start", lines.data, err);
}

/* Is the process where we will look for it? */
static int check_place(const struct runtime_plan *plan, pid_t pid, struct cl_error *err)
{
    const struct runtime_scope *scope = plan->options->scope;
    char text[8192], expected[300];
    cl_auto_fd proc = procfs_open_host(err);
    cl_auto_fd pid_fd = proc < 0 ? proc : procfs_open_pid(proc, pid);
    ssize_t length = pid_fd < 0 ? pid_fd : cl_read_small(pid_fd, "cgroup", text, sizeof text);
    if (length < 0)
        return cl_fail(err, (int)length, "look where systemd put the container");
    (void)CL_PRINT(expected, ":/%s\n", scope->path);
    if (strstr(text, expected) != NULL)
        return 0;
    return cl_fail_kind(err, CL_KIND_SYSTEM, ENOENT,
                        "systemd started %s, yet not in control group %s", scope->unit,
                        scope->path);
}

/* v2 lets controllers down only where no process is: so it moves into the subgroup before they are
   (a group that has some already would be none to move into). */
static int enter_subgroup(const struct runtime_plan *plan, struct cgroup_host *host, pid_t pid,
                          struct cl_error *err)
{
    char number[32];
    struct cgroup group;
    const char *name = strrchr(plan->cgroup_path, '/') + 1;
    int result = cgroup_open(host, plan->options->scope->path, &group, err);
    if (result < 0)
        return result;
    (void)CL_PRINT(number, "%d", (int)pid);
    int v2 = cgroup_v2_fd(&group);
    if (v2 >= 0 && mkdirat(v2, name, 0755) < 0 && errno != EEXIST)
        result = -errno;
    cl_auto_fd below =
        v2 < 0 || result < 0 ? -EBADF : openat(v2, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (below >= 0)
        result = cl_write_small(below, "cgroup.procs", number);
    else if (v2 >= 0 && result >= 0)
        result = -errno;
    cgroup_done(&group);
    return result < 0 ? cl_fail(err, result, "move the container to cgroup %s", plan->cgroup_path)
                      : 0;
}

int scope_start(const struct runtime_plan *plan, pid_t pid, struct cgroup *ret,
                struct cl_error *err)
{
    const struct runtime_scope *scope = plan->options->scope;
    struct cgroup_host *host = (struct cgroup_host *)(uintptr_t)&plan->facts->cgroups;
    int result = start(plan, pid, err);
    cl_test_point("scope started");
    if (result >= 0)
        result = check_place(plan, pid, err);
    if (result >= 0 && !cl_streq(plan->cgroup_path, scope->path))
        result = enter_subgroup(plan, host, pid, err);
    if (result >= 0)
        result = parent_make_cgroup(plan, ret, err);
    return result < 0 ? cl_error_prefix(err, "start scope %s", scope->unit) : 0;
}

int scope_set(const struct runtime_scope *scope, const struct plan_setting *settings, size_t count,
              const struct oci_resources *resources, struct cl_error *err)
{
    cl_auto_buf lines = CL_BUF_INIT(LINES_MAX);
    scope_put_settings(&lines, settings, count);
    scope_put_devices(&lines, resources->devices, resources->device_count);
    if (lines.failed < 0)
        return cl_fail(err, lines.failed, "describe scope %s", scope->unit);
    return lines.size == 0 ? 0 : call(scope, "set", lines.data, err);
}

int runtime_scope_stop(const struct runtime_scope *scope, struct cl_error *err)
{
    return call(scope, "stop", "", err);
}

bool runtime_scope_is_user(enum runtime_rootless rootless, const struct runtime_facts *facts)
{
    struct stat info;
    if (rootless != RUNTIME_ROOTLESS_AUTO)
        return rootless == RUNTIME_ROOTLESS_YES;
    if (!facts->is_root)
        return true;
    /* Root of a user namespace, in which a systemd may run as well as outside of it: whose is it? */
    return runtime_in_user_ns(facts) && lstat("/run/systemd/system", &info) == 0 &&
           info.st_uid != 0;
}

int runtime_scope_place(struct runtime_scope *scope, struct cl_error *err)
{
    char said[480], path[256];
    static const char *const words[] = { PROGRAM, "--user", "where", NULL };
    if (!scope->is_user)
        return 0;
    int result = run_program(words, "", said, sizeof said, err);
    if (result < 0)
        return result;
    if (CL_PRINT(path, "%s/%s", said + strspn(said, "/"), scope->path) < 0)
        return cl_fail(err, ENAMETOOLONG, "control group of %s", scope->unit);
    (void)CL_PRINT(scope->path, "%s", path);
    return 0;
}
