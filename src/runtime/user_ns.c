/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent's part in a new user namespace, while init waits: the id maps, and what only somebody
 * of our own namespace may grant a process in there.
 *
 * Who writes the maps (user_namespaces(7)): root does it itself. An ordinary user may map exactly
 * its own id, and a group only once setgroups(2) is given up; for more there are newuidmap(1) and
 * newgidmap(1), which know what the administrator lent to whom (/etc/subuid). They are started with
 * an argument vector, found in PATH, and never through a shell.
 */
#include "runtime/child.h"
#include "runtime/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct id_map {
    const char *property, *file, *helper;
    const struct oci_id_mappings *mappings;
    uint32_t own;
};

static bool is_own_id(const struct id_map *map)
{
    return map->mappings->count == 1 && map->mappings->items[0].size == 1 &&
           map->mappings->items[0].host_id == map->own;
}

static int write_file(int proc, pid_t pid, const char *file, const char *text)
{
    char path[40];
    int result = CL_PRINT(path, "%d/%s", (int)pid, file);
    return result < 0 ? result : procfs_write(proc, path, text);
}

static int write_map(int proc, pid_t pid, const struct id_map *map, struct cl_error *err)
{
    cl_auto_buf text = CL_BUF_INIT(64 * 1024);
    int result = plan_id_map_text(map->mappings, &text);
    if (result >= 0)
        result = write_file(proc, pid, map->file, text.data);
    if (result >= 0)
        return 0;
    (void)cl_fail(err, result, "%s: write it", map->property);
    return result == -EPERM || result == -EINVAL
               ? cl_error_hint(err, "hostID counts in our own user namespace, where each has to be "
                                    "mapped, and ours to give")
               : result;
}

/* ---- newuidmap ---- */

static char **helper_arguments(pid_t pid, const struct id_map *map)
{
    char **argv = NULL, number[16];
    (void)CL_PRINT(number, "%d", (int)pid);
    int result = cl_strv_append(&argv, map->helper);
    if (result >= 0)
        result = cl_strv_append(&argv, number);
    for (size_t i = 0; result >= 0 && i < map->mappings->count; i++) {
        const struct oci_id_mapping *range = &map->mappings->items[i];
        const uint32_t words[] = { range->container_id, range->host_id, range->size };
        for (size_t j = 0; result >= 0 && j < CL_COUNT(words); j++) {
            (void)CL_PRINT(number, "%u", words[j]);
            result = cl_strv_append(&argv, number);
        }
    }
    if (result >= 0)
        return argv;
    cl_strv_free(argv);
    return NULL;
}

static _Noreturn void execute_helper(char **argv, int output)
{
    (void)dup2(output, STDERR_FILENO);
    (void)execvp(argv[0], argv);
    _exit(errno == ENOENT ? 127 : 126);
}

/* The first line of what it complained about, for our own error. */
static void read_complaint(int fd, char *text, size_t size)
{
    ssize_t length = cl_read_full(fd, text, size - 1);
    text[length > 0 ? length : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

static int helper_failed(const struct id_map *map, int status, const char *complaint,
                         struct cl_error *err)
{
    if (status == 127 << 8) {
        (void)cl_fail_kind(err, CL_KIND_UNSUPPORTED, ENOENT, "%s: there is no %s in PATH",
                           map->property, map->helper);
        return cl_error_hint(err, "more than the own id takes it (package uidmap)");
    }
    (void)cl_fail_kind(err, CL_KIND_DENIED, EPERM, "%s: %s", map->property,
                       complaint[0] != '\0' ? complaint : "newuidmap failed");
    return cl_error_hint(err, "which ids are yours is said in /etc/subuid and /etc/subgid");
}

static int run_helper(pid_t pid, const struct id_map *map, struct cl_error *err)
{
    char complaint[300];
    int status = 0, pidfd = -EBADF;
    const struct k_clone fork = { .cgroup_fd = -EBADF, .exit_signal = SIGCHLD };
    cl_auto_fd input = -EBADF, output = -EBADF;
    CL_AUTO(cl_strv_free) char **argv = helper_arguments(pid, map);
    int result = argv == NULL ? -ENOMEM : k_pipe(&input, &output);
    if (result >= 0)
        result = k_clone3(&fork, &pidfd);
    if (result == 0)
        execute_helper(argv, output);
    if (result < 0)
        return cl_fail(err, result, "%s: start %s", map->property, map->helper);
    cl_auto_fd helper = pidfd;
    output = cl_close(output);
    read_complaint(input, complaint, sizeof complaint);
    result = k_wait_pidfd(helper, 0, &status);
    if (result < 0)
        return cl_fail(err, result, "%s: wait for %s", map->property, map->helper);
    return status == 0 ? 0 : helper_failed(map, status, complaint, err);
}

/* ---- maps ---- */

static int set_map(const struct runtime_plan *plan, int proc, pid_t pid, const struct id_map *map,
                   struct cl_error *err)
{
    if (!plan->facts->is_root && !is_own_id(map))
        return run_helper(pid, map, err);
    bool gives_up = !plan->facts->is_root && cl_streq(map->file, "gid_map");
    int result = gives_up ? write_file(proc, pid, "setgroups", "deny") : 0;
    if (result < 0)
        return cl_fail(err, result, "%s: give up setgroups", map->property);
    return write_map(proc, pid, map, err);
}

int parent_write_id_maps(const struct runtime_plan *plan, int proc, pid_t pid, struct cl_error *err)
{
    const struct oci_linux *linux_ = &plan->spec->linux_;
    const struct id_map maps[] = {
        { "linux.uidMappings", "uid_map", "newuidmap", &linux_->uid_mappings, geteuid() },
        { "linux.gidMappings", "gid_map", "newgidmap", &linux_->gid_mappings, getegid() },
    };
    int result = 0;
    for (size_t i = 0; result >= 0 && i < CL_COUNT(maps); i++)
        result = set_map(plan, proc, pid, &maps[i], err);
    return result;
}

/* A namespace that is joined has its maps: where the spec says some too, they have to be those. */
static int check_map(int proc, pid_t pid, const char *property, const char *file,
                     const struct oci_id_mappings *mappings, struct cl_error *err)
{
    char path[40], text[4096];
    if (mappings->count == 0)
        return 0;
    (void)CL_PRINT(path, "%d/%s", (int)pid, file);
    ssize_t length = cl_read_small(proc, path, text, sizeof text);
    if (length < 0)
        return cl_fail(err, (int)length, "%s: read what the joined user namespace has", property);
    const char *at = text;
    for (size_t i = 0; i < mappings->count; i++) {
        const struct oci_id_mapping *wanted = &mappings->items[i];
        uint64_t container, host, size;
        if (!plan_next_number(&at, &container) || !plan_next_number(&at, &host) ||
            !plan_next_number(&at, &size) || container != wanted->container_id ||
            host != wanted->host_id || size != wanted->size)
            return plan_fail(err, CL_KIND_INVALID, property,
                             "entry %zu is not what the joined user namespace has", i);
    }
    return at[strspn(at, " \n")] == '\0' ? 0
                                         : plan_fail(err, CL_KIND_INVALID, property,
                                                     "the joined user namespace has more mappings");
}

int parent_check_id_maps(const struct runtime_plan *plan, int proc, pid_t pid, struct cl_error *err)
{
    const struct oci_linux *linux_ = &plan->spec->linux_;
    int result = check_map(proc, pid, "linux.uidMappings", "uid_map", &linux_->uid_mappings, err);
    return result < 0
               ? result
               : check_map(proc, pid, "linux.gidMappings", "gid_map", &linux_->gid_mappings, err);
}

/* ---- what is ours to grant ---- */

/* Nothing here is the last word: init sets the same again and says what did not work. Raising a
   hard limit and lowering an OOM score take CAP_SYS_RESOURCE of the host, real-time scheduling and a
   lower nice CAP_SYS_NICE, and nobody in a user namespace has these. */
void parent_grant_limits(const struct runtime_plan *plan, int proc, pid_t pid)
{
    const struct oci_process *process = plan->process.spec;
    for (size_t i = 0; i < process->rlimit_count; i++) {
        const struct oci_rlimit *wanted = &process->rlimits[i];
        struct rlimit limit;
        if (k_getrlimit(wanted->type, &limit) < 0 || limit.rlim_max >= wanted->hard)
            continue;
        limit.rlim_max = wanted->hard;
        (void)k_prlimit(pid, wanted->type, &limit); /* as said above */
    }
    limits_grant_scheduling(process, pid);
    if (process->oom_score_adj.set) {
        char text[16];
        (void)CL_PRINT(text, "%d", (int)process->oom_score_adj.value);
        (void)write_file(proc, pid, "oom_score_adj", text); /* as said above */
    }
}

/* A program in there may open /dev/stdout again only if the pipe behind it is its user's. */
void parent_give_pipes(const struct runtime_plan *plan, const struct runtime_io *io)
{
    const int streams[] = { io->in, io->out, io->err };
    uid_t uid = plan_host_id(&plan->spec->linux_.uid_mappings, plan->process.spec->user.uid);
    for (size_t i = 0; !io->terminal && plan->facts->is_root && i < CL_COUNT(streams); i++) {
        struct stat info;
        if (uid == UINT32_MAX || fstat(streams[i], &info) < 0 || !S_ISFIFO(info.st_mode) ||
            info.st_uid == uid)
            continue;
        if (fchown(streams[i], uid, (gid_t)-1) < 0)
            cl_debug("parent", "stream %zu stays with user %u", i, info.st_uid);
    }
}
