/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last stretch: working directory, standard streams, no other files, and the program, looked
 * for in the container's own PATH.
 *
 * The program is not executed from here but by trampoline.c out of a sealed memfd, whose head says
 * why: /proc/self/exe must not be a file of the host when a path of the container is opened for
 * execution (CVE-2019-5736).
 */
#include "runtime/child.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- working directory ---- */

/* IN_NEW_MNT. As all runtimes do, one that is missing is made, while the root can still be written.
   */
int program_make_cwd(struct child *child, struct cl_error *err)
{
    const char *path = child->process->spec->cwd;
    if (cl_streq(path, "/"))
        return 0;
    cl_auto_fd fd = inroot_open(child->root, path, O_PATH, 0, INROOT_FOLLOW, err);
    if (fd == -ENOENT)
        fd = inroot_mkdir_p(child->root, path, 0755, err);
    return fd < 0 ? cl_error_prefix(err, "working directory") : 0;
}

/* CVE-2024-21626: a working directory outside of the root (by a leaked descriptor,
   "/proc/self/fd/7") is refused. Magic links are not followed in the first place; the kernel's own
   word on where we are then has the last say. */
static int check_inside(const char *path, struct cl_error *err)
{
    char real[PATH_MAX];
    long length = syscall(SYS_getcwd, real, sizeof real);
    if (length < 0 && errno != ENAMETOOLONG && errno != ERANGE)
        return cl_fail(err, errno, "process.cwd: find out where %s is", path);
    if (length > 0 && real[0] != '/')
        return cl_fail_kind(err, CL_KIND_DENIED, EPERM,
                            "process.cwd: %s is outside of the container's root", path);
    return 0;
}

/* IN_CONTAINER. As root: a directory that only root may enter is a legal working directory, as with
   every runtime. */
int program_enter_cwd(struct child *child, struct cl_error *err)
{
    const char *path = child->process->spec->cwd;
    cl_auto_fd fd = inroot_open(child->root, path, O_PATH | O_DIRECTORY, 0, INROOT_FOLLOW, err);
    if (fd < 0)
        return cl_error_prefix(err, "working directory");
    if (fchdir(fd) < 0)
        return cl_fail(err, errno, "process.cwd: enter %s", path);
    return check_inside(path, err);
}

/* ---- streams ---- */

/* A program that is not root may open /dev/stdout again only if the pipe behind it is its own. */
static void give_pipes(const struct child *child)
{
    uid_t uid = child->process->spec->user.uid;
    for (int fd = 0; uid != 0 && fd <= 2; fd++) {
        struct stat info;
        if (fstat(fd, &info) < 0 || !S_ISFIFO(info.st_mode) || info.st_uid == uid)
            continue;
        if (fchown(fd, uid, (gid_t)-1) < 0)
            cl_debug("init", "stream %d stays with user %u", fd, info.st_uid);
    }
}

/* The three targets may be among the sources in any order (in is 1, out is 0), so what lies in the
   way moves up first. */
static int place(const int wanted[static 3])
{
    int from[3];
    bool is_placed = true;
    for (int i = 0; i < 3; i++) /* as nearly always */
        is_placed = wanted[i] == i && fcntl(i, F_SETFD, 0) == 0 && is_placed;
    if (is_placed)
        return 0;
    for (int i = 0; i < 3; i++) {
        from[i] = wanted[i] >= 3 ? wanted[i] : fcntl(wanted[i], F_DUPFD_CLOEXEC, 3);
        if (from[i] < 0)
            return -errno; /* a failure ends this process, and with it what is open */
    }
    for (int i = 0; i < 3; i++)
        if (dup3(from[i], i, 0) < 0)
            return -errno;
    return 0; /* the copies are close-on-exec */
}

/* IN_CONTAINER */
int program_connect_streams(struct child *child, struct cl_error *err)
{
    const struct runtime_io *io = child->io;
    int terminal[] = { child->slave, child->slave, child->slave };
    int streams[] = { io->in, io->out, io->err };
    (void)setsid(); /* just cloned, so never a group leader */
    int result = place(io->terminal ? terminal : streams);
    if (result < 0)
        return cl_fail(err, result, "connect the standard streams");
    if (io->terminal && ioctl(0, TIOCSCTTY, 0) < 0)
        return cl_fail(err, errno, "make the terminal the controlling one");
    give_pipes(child);
    return 0;
}

/* IN_CONTAINER. Marked, not closed: the sync socket has to last until exec. Also ends what we held
   of the container's own root and /proc. */
int program_close_others(struct child *child, struct cl_error *err)
{
    int result = k_close_range(3 + child->process->preserve_fds, UINT_MAX, true);
    for (unsigned i = 0; result >= 0 && i < child->process->preserve_fds; i++)
        (void)fcntl(3 + (int)i, F_SETFD, 0); /* EBADF: fewer are open than were promised */
    if (result < 0)
        return cl_fail(err, result, "close files");
    return 0;
}

/* IN_CONTAINER. Nothing of ours is made after this. */
int program_set_umask(struct child *child, struct cl_error *err)
{
    (void)err;
    const struct oci_opt_u32 *wanted = &child->process->spec->user.umask;
    (void)umask(wanted->set ? wanted->value : 022);
    return 0;
}

/* AS_USER */
int program_die_with_parent(struct child *child, struct cl_error *err)
{
    char byte;
    int result = k_prctl(PR_SET_PDEATHSIG, child->process->die_with_parent ? SIGKILL : 0, 0, 0, 0);
    if (result < 0)
        return cl_fail(err, result, "ask to die with the parent, or not to");
    /* It may have died before we asked. getppid() is 0 in a new pid namespace either way, but its
       end of the socket tells. */
    if (child->process->die_with_parent &&
        recv(child->sync, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) == 0)
        _exit(125);
    return 0;
}

/* ---- exec ---- */

extern const unsigned char runtime_trampoline[];
extern const size_t runtime_trampoline_size;

#ifndef MFD_EXEC
#define MFD_EXEC                                                                                   \
    0x10 /* 6.3: also where the sysctl vm.memfd_noexec makes them not executable by default */
#endif

/* IN_CONTAINER, before a filter could forbid it. */
int program_prepare_trampoline(struct child *child, struct cl_error *err)
{
    const unsigned seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    cl_auto_fd fd = memfd_create("cloche-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("cloche-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    /* Not readable: then the kernel lets nobody but root look into the process that executes it. */
    if (fd < 0 ||
        write(fd, runtime_trampoline, runtime_trampoline_size) !=
            (ssize_t)runtime_trampoline_size ||
        fchmod(fd, 0111) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0) {
        (void)cl_fail(err, errno, "prepare to execute the program");
        return errno == EACCES ? cl_error_hint(err, "the sysctl vm.memfd_noexec must not be 2")
                               : -errno;
    }
    child->trampoline = cl_take_fd(&fd);
    return 0;
}

static int fail_exec(struct cl_error *err, enum cl_kind kind, int code, const char *name,
                     const char *reason)
{
    return cl_fail_kind(err, kind, code, "exec: \"%s\": %s", name, reason);
}

/* A name with a slash: what can be said better here than by whoever fails to execute it. */
static int check_path(const char *name, struct cl_error *err)
{
    struct stat info;
    if (fstatat(AT_FDCWD, name, &info, 0) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return cl_fail_kind(err, CL_KIND_NO_COMMAND, errno, "exec: \"%s\": stat %s: %s", name,
                                name,
                                errno == ENOENT ? "no such file or directory" : "not a directory");
        if (errno == EACCES)
            return fail_exec(err, CL_KIND_NOT_EXECUTABLE, errno, name, "permission denied");
        return 0; /* a filter that forbids the question */
    }
    if (!S_ISDIR(info.st_mode))
        return 0;
    /* What execve says of it; the engines look for these words. */
    return fail_exec(err, CL_KIND_NOT_EXECUTABLE, EACCES, name,
                     "permission denied; it is a directory");
}

/* As execvp and Go's LookPath: what could be a program, in the order of PATH. One that may not be
   executed is a candidate too, so that the error can be "permission denied" when there is nothing
   better. */
static int search_path(const struct child *child, const char *name, char ***ret,
                       struct cl_error *err)
{
    const char *list = cl_env_get((const char *const *)child->process->spec->env, "PATH");
    if (list == NULL)
        list = DEFAULT_PATH;
    for (const char *at = list; name[0] != '\0';) {
        char path[PATH_MAX];
        struct stat info;
        size_t length = strcspn(at, ":");
        bool fits = CL_PRINT(path, "%.*s%s%s", (int)length, at, length > 0 ? "/" : "", name) >= 0;
        if (fits && fstatat(AT_FDCWD, path, &info, 0) == 0 && !S_ISDIR(info.st_mode) &&
            cl_strv_append(ret, path) < 0)
            return cl_fail(err, ENOMEM, "exec: \"%s\"", name);
        if (at[length] == '\0')
            break;
        at += length + 1;
    }
    if (*ret != NULL)
        return 0;
    return fail_exec(err, CL_KIND_NO_COMMAND, ENOENT, name, "executable file not found in $PATH");
}

/* Nobody may execute it, root included. */
static bool is_executable(const char *path)
{
    struct stat info;
    return fstatat(AT_FDCWD, path, &info, 0) < 0 || (info.st_mode & 0111) != 0;
}

/* IN_CONTAINER. Where somebody else starts the container, its creator is to hear of a program that is missing or no program: engines tell 127 from 126 by which of the two fails.
   The last word is program_exec's. */
int program_find(struct child *child, struct cl_error *err)
{
    const char *name = child->process->spec->args[0];
    char **found = NULL;
    int result =
        strchr(name, '/') != NULL ? check_path(name, err) : search_path(child, name, &found, err);
    bool is_possible = result < 0;
    if (result >= 0 && found == NULL)
        is_possible = is_executable(name);
    for (char **path = found; !is_possible && path != NULL && *path != NULL; path++)
        is_possible = is_executable(*path);
    cl_strv_free(found);
    return is_possible ? result
                       : fail_exec(err, CL_KIND_NOT_EXECUTABLE, EACCES, name, "permission denied");
}

/* IN_CONTAINER. An environment without HOME gets the one of the user in the container's own
   /etc/passwd, or "/": programs rely on it, as the other runtimes do the same. A file that can't be
   read is no reason not to start. */
int program_find_home(struct child *child, struct cl_error *err)
{
    const struct oci_process *process = child->process->spec;
    char home[256];
    runtime_user_home(child->root, process->user.uid, home);
    cl_auto_free char *entry = cl_format("HOME=%s", home);
    if (entry == NULL || cl_strv_copy(&child->env, (const char *const *)process->env) < 0 ||
        cl_strv_append(&child->env, entry) < 0)
        return cl_fail(err, ENOMEM, "process.env: HOME");
    return 0;
}

/* The files that a label is written to, in the order in which they are tried. */
static size_t list_labels(const struct oci_process *process, char text[static 300],
                          const char *ret[static 4])
{
    if (process->apparmor_profile != NULL && process->apparmor_profile[0] != '\0') {
        (void)cl_print(text, 300, "exec %s", process->apparmor_profile);
        ret[0] = "self/attr/apparmor/exec";
        ret[2] = "self/attr/exec";
        ret[1] = ret[3] = text;
        return 2;
    }
    if (process->selinux_label == NULL || process->selinux_label[0] == '\0')
        return 0;
    ret[0] = "self/attr/exec";
    ret[1] = process->selinux_label;
    return 1;
}

/* argv of the trampoline, as its head describes it. The strings are borrowed: exec or the end of
   this process is next. */
static const struct oci_hook_list *start_hooks(const struct child *child)
{
    static const struct oci_hook_list none;
    return child->plan != NULL ? &child->plan->spec->hooks.start_container : &none;
}

static size_t count_hook_words(const struct oci_hook_list *hooks)
{
    size_t count = 0;
    for (size_t i = 0; i < hooks->count; i++)
        count += 4 + cl_strv_count((const char *const *)hooks->items[i].args) +
                 cl_strv_count((const char *const *)hooks->items[i].env);
    return count;
}

static int add_hook(char **argv, size_t *used, const struct oci_hook *hook)
{
    static char nothing[] = "";
    size_t args = cl_strv_count((const char *const *)hook->args);
    size_t env = cl_strv_count((const char *const *)hook->env);
    char *head = cl_format("%lld %zu %zu", (long long)(hook->timeout.set ? hook->timeout.value : 0),
                           args, env);
    argv[(*used)++] = head;
    argv[(*used)++] = hook->path;
    for (size_t i = 0; i < args; i++)
        argv[(*used)++] = hook->args[i];
    argv[(*used)++] = nothing;
    for (size_t i = 0; i < env; i++)
        argv[(*used)++] = hook->env[i];
    argv[(*used)++] = nothing;
    return head == NULL ? -ENOMEM : 0;
}

/* A descriptor as the trampoline's head has it; it is to last until there. */
static int hand_on(int fd)
{
    if (fd < 0)
        return 0;
    (void)fcntl(fd, F_SETFD, 0); /* the trampoline marks them again */
    return fd;
}

static char **build_arguments(const struct child *child, char *const *candidates, char *head,
                              size_t head_size)
{
    static char label_text[300];
    const char *labels[4];
    const struct oci_process *process = child->process->spec;
    size_t label_count = list_labels(process, label_text, labels), used = 0;
    size_t count = cl_strv_count((const char *const *)candidates);
    size_t own = cl_strv_count((const char *const *)process->args);
    const struct oci_hook_list *hooks = start_hooks(child);
    const struct hooks_output *output = &child->hooks_output;
    bool has_hooks = hooks->count > 0;
    char **argv =
        cl_calloc(1 + 2 * label_count + count_hook_words(hooks) + count + own + 1, sizeof *argv);
    if (argv == NULL ||
        cl_print(head, head_size, "%d %d %d %d %d %zu %zu %d %d %zu", hand_on(child->sync),
                 hand_on(child->proc), hand_on(child->hooks_state),
                 has_hooks ? hand_on(output->out) : 0, has_hooks ? hand_on(output->err) : 0,
                 label_count, hooks->count, child->tells_program,
                 label_count > 0 && plan_may_openat2(child->process), count) < 0)
        return NULL;
    argv[used++] = head;
    for (size_t i = 0; i < 2 * label_count; i++)
        argv[used++] = (char *)(uintptr_t)labels[i]; /* execve takes them const in all but name */
    for (size_t i = 0; i < hooks->count; i++)
        if (add_hook(argv, &used, &hooks->items[i]) < 0)
            return NULL;
    for (size_t i = 0; i < count; i++)
        argv[used++] = candidates[i];
    for (size_t i = 0; i < own; i++)
        argv[used++] = process->args[i];
    return argv;
}

/* A filter that allows execve alone, as lists of what a program was seen to call do: then the memfd by its name in the container's /proc. That it is the memfd is looked
   at, and stays so: nobody else is in this mount namespace yet. Where somebody is (exec, a joined one) it could be covered between the look and the execve, and then a file
   of the image would be executed while /proc/self/exe still is the host's (CVE-2019-5736). */
static int find_path(struct child *child, struct cl_error *err)
{
    static const char descriptors[] = "/proc/self/fd/";
    struct stat ours, there;
    const struct runtime_plan *plan = child->plan;
    if (child->process->filter.code == NULL || plan_may_execveat(child->process))
        return 0;
    (void)CL_PRINT(child->by_path, "%s%d", descriptors, child->trampoline); /* fits */
    bool is_alone = plan != NULL && !plan->joins_mount_ns && !plan->shares_mount_ns &&
                    (plan->clone_flags & CLONE_NEWNS) != 0;
    cl_auto_fd folder = k_openat(AT_FDCWD, descriptors, O_PATH | O_DIRECTORY, 0);
    if (is_alone && folder >= 0 && fstat(child->trampoline, &ours) == 0 &&
        fstatat(folder, child->by_path + sizeof descriptors - 1, &there, 0) == 0 &&
        ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
        return 0;
    (void)cl_fail_kind(err, CL_KIND_NOT_EXECUTABLE, EPERM, "exec: \"%s\": Operation not permitted",
                       child->process->spec->args[0]);
    return cl_error_hint(err, is_alone
                                  ? "the seccomp profile has to allow execveat, as there is no "
                                    "/proc in the container to do without"
                                  : "the seccomp profile has to allow execveat: without it "
                                    "the host's own program could be reached (CVE-2019-5736)");
}

/* AS_USER. All that is to be asked for the program, before a filter could forbid it: what is left then is one execveat, and what the trampoline does (prctl, fcntl,
   execve). */
int program_prepare(struct child *child, struct cl_error *err)
{
    static char head[128];
    const char *name = child->process->spec->args[0];
    char *just_name[] = { child->process->spec->args[0], NULL };
    char **found = NULL;
    bool has_slash = strchr(name, '/') != NULL;
    int result = has_slash ? check_path(name, err) : search_path(child, name, &found, err);
    if (result >= 0)
        result = find_path(child, err);
    if (result < 0)
        return result;
    child->argv = build_arguments(child, has_slash ? just_name : found, head, sizeof head);
    return child->argv == NULL ? cl_fail(err, ENOMEM, "exec: \"%s\"", name) : 0;
}

/* AS_USER */
int program_exec(struct child *child, struct cl_error *err)
{
    static char *const no_env[] = { NULL };
    const struct oci_process *process = child->process->spec;
    char *const *env = child->env != NULL ? child->env : process->env;
    env = env != NULL ? env : no_env;
    int result = child->by_path[0] != '\0'
                     ? k_execve(child->by_path, child->argv, env)
                     : k_execveat(child->trampoline, "", child->argv, env, AT_EMPTY_PATH);
    (void)cl_fail_kind(err, CL_KIND_NOT_EXECUTABLE, result, "exec: \"%s\": %s", process->args[0],
                       cl_errno_text(result));
    return result;
}
