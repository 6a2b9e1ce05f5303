/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last stretch: working directory, standard streams, no other files, and execve with the container's own PATH.
 *
 * Our own program is never executed in the container and no descriptor of it is open there, so /proc/self/exe is never ours once anything of the image runs
 * (CVE-2019-5736).
 */
#include "runtime/child.h"

#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- working directory ---- */

/* IN_NEW_MNT. As all runtimes do, one that is missing is made, while the root can still be written. */
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

/* CVE-2024-21626: a working directory outside of the root (by a leaked descriptor, "/proc/self/fd/7") is refused. Magic links are not followed in
   the first place; the kernel's own word on where we are then has the last say. */
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

/* IN_CONTAINER. As root: a directory that only root may enter is a legal working directory, as with every runtime. */
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

/* The three targets may be among the sources in any order (in is 1, out is 0), so what lies in the way moves up first. */
static int place(const int wanted[static 3])
{
    int from[3];
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

/* IN_CONTAINER. Marked, not closed: the sync socket has to last until exec. Also ends what we held of the container's own root and /proc. */
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
    /* It may have died before we asked. getppid() is 0 in a new pid namespace either way, but its end of the socket tells. */
    if (recv(child->sync, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) == 0)
        _exit(125);
    return 0;
}

/* ---- exec ---- */

static int fail_exec(struct cl_error *err, int code, const char *name, bool is_there)
{
    switch (code) {
    case EACCES:
    case EPERM:
        return cl_fail_kind(err, CL_KIND_NOT_EXECUTABLE, code, "exec: \"%s\": permission denied",
                            name);
    case EISDIR:
        return cl_fail_kind(err, CL_KIND_NOT_EXECUTABLE, code, "exec: \"%s\": is a directory",
                            name);
    case ENOEXEC:
        return cl_fail_kind(err, CL_KIND_NOT_EXECUTABLE, code,
                            "exec: \"%s\": exec format error: not a program of this machine's "
                            "kind, nor a script with a #! line",
                            name);
    case ENOENT:
    case ENOTDIR:
        return is_there
                   ? cl_fail_kind(err, CL_KIND_NO_COMMAND, code,
                                  "exec: \"%s\": no such file or directory; the file is "
                                  "there, but the interpreter that it names is not",
                                  name)
                   : cl_fail_kind(err, CL_KIND_NO_COMMAND, code,
                                  "exec: \"%s\": stat %s: no such file or directory", name, name);
    default:
        return cl_fail_kind(err, CL_KIND_NOT_EXECUTABLE, code, "exec: \"%s\": %s", name,
                            strerrordesc_np(code));
    }
}

/* Comes back only with a failure; plain execve, since profiles made for other runtimes need not know execveat. */
static int try_exec(const struct child *child, const char *path)
{
    const struct oci_process *process = child->process->spec;
    static char *const no_env[] = { NULL };
    struct stat info;
    (void)execve(path, process->args, process->env != NULL ? process->env : no_env);
    int code = errno;
    if (code == EACCES && fstatat(AT_FDCWD, path, &info, 0) == 0 && S_ISDIR(info.st_mode))
        code = EISDIR;
    return code;
}

static bool is_there(const char *path)
{
    return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

/* As execvp and Go's LookPath: the first entry of PATH that is a program; one that may not be executed is remembered. */
static int search_path(const struct child *child, const char *name, struct cl_error *err)
{
    const char *list = cl_env_get((const char *const *)child->process->spec->env, "PATH");
    int denied = 0;
    if (list == NULL)
        list = DEFAULT_PATH;
    for (const char *at = list; name[0] != '\0';) {
        char path[PATH_MAX];
        size_t length = strcspn(at, ":");
        if (CL_PRINT(path, "%.*s%s%s", (int)length, at, length > 0 ? "/" : "", name) >= 0 &&
            /* Cheaper than an execve that fails; any other answer than "no" leaves it to execve. */
            (faccessat(AT_FDCWD, path, X_OK, 0) == 0 || (errno != ENOENT && errno != ENOTDIR))) {
            int code = try_exec(child, path);
            if (code != EACCES && code != EISDIR && code != ENOENT && code != ENOTDIR)
                return fail_exec(err, code, name, true);
            if (code == ENOENT && is_there(path))
                return fail_exec(err, code, name, true);
            denied = code == EACCES ? code : denied;
        }
        if (at[length] == '\0')
            break;
        at += length + 1;
    }
    if (denied != 0)
        return fail_exec(err, denied, name, true);
    return cl_fail_kind(err, CL_KIND_NO_COMMAND, ENOENT,
                        "exec: \"%s\": executable file not found in $PATH", name);
}

/* AS_USER */
int program_exec(struct child *child, struct cl_error *err)
{
    const char *name = child->process->spec->args[0];
    if (strchr(name, '/') == NULL)
        return search_path(child, name, err);
    int code = try_exec(child, name);
    return fail_exec(err, code, name, is_there(name));
}
