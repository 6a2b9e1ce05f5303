/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages of the tour: commands as anybody would type them, and then the kernel's own state, read here and not out of the commands' output.
 */
#include "cli/tour.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/shm.h>
#include <sys/utsname.h>

#define HOSTNAME "under-glass"
#define SCRIPT   "sleep 2000 & wait"

enum { WAIT_MS = 30000, STEP_MS = 5 };

static int fails(struct cl_error *err, const char *what)
{
    return cl_fail_kind(err, CL_KIND_SYSTEM, EPROTO,
                        "this stage of the tour does not hold here: %s", what);
}

static int need(bool holds, struct cl_error *err, const char *what)
{
    return holds ? 0 : fails(err, what);
}

static bool printed(const struct tour *tour, const char *part)
{
    return strstr(tour->output, part) != NULL;
}

/* ---- kernel state ---- */

/* The inode of a namespace link; 0: this kernel has no such namespace, or it can't be read. pid 0: our own. */
static uint64_t ns_of(const struct tour *tour, pid_t pid, enum k_ns type)
{
    uint64_t inode = 0;
    cl_auto_fd pid_fd = procfs_open_pid(tour->proc_fd, pid == 0 ? getpid() : pid);
    return pid_fd >= 0 && k_ns_inode(pid_fd, type, &inode) >= 0 ? inode : 0;
}

/* Its pid in its own pid namespace, or 0. */
static pid_t inner_pid(const struct tour *tour, pid_t pid)
{
    struct procfs_status status;
    cl_auto_fd pid_fd = procfs_open_pid(tour->proc_fd, pid);
    if (pid_fd < 0 || procfs_read_status(pid_fd, &status) < 0 || status.levels == 0)
        return 0;
    return status.ns_pid[status.levels - 1];
}

static pid_t only_child(const struct tour *tour, pid_t pid)
{
    char path[64], text[64];
    pid_t child = 0;
    (void)CL_PRINT(path, "%d/task/%d/children", (int)pid, (int)pid); /* fits */
    if (cl_read_small(tour->proc_fd, path, text, sizeof text) <= 0)
        return 0;
    text[strcspn(text, " \n")] = '\0';
    return cl_parse_pid(text, &child) < 0 ? 0 : child;
}

static bool runs_sleep(const struct tour *tour, pid_t pid)
{
    char command[64];
    cl_auto_fd pid_fd = pid <= 0 ? -EBADF : procfs_open_pid(tour->proc_fd, pid);
    return pid_fd >= 0 && procfs_read_command(pid_fd, command, sizeof command) > 0 &&
           cl_starts_with(command, "sleep 2000");
}

/* The namespaces that the container's two processes have of their own; a fact for each. */
static int check_own(const struct tour *tour, enum k_ns type, struct cl_error *err)
{
    char what[64];
    uint64_t theirs = ns_of(tour, tour->init, type), ours = ns_of(tour, 0, type);
    const char *name = k_ns_table[type].name;
    if (theirs == 0 && ours == 0 && type == K_NS_TIME) {
        tour_fact(tour, "this kernel has no time namespaces");
        return 0;
    }
    (void)CL_PRINT(what, "the container has no %s namespace of its own", name); /* fits */
    if (theirs == 0 || theirs == ours)
        return fails(err, what);
    tour_fact(tour, "/proc/%d/ns/%s = %llu, /proc/self/ns/%s = %llu", (int)tour->init, name,
              (unsigned long long)theirs, name, (unsigned long long)ours);
    return 0;
}

/* ---- the stages ---- */

static int find_processes(struct tour *tour, struct cl_error *err)
{
    struct engine *engine;
    CL_AUTO(engine_view_free) struct engine_view *view = NULL;
    int code = cli_engine(tour->cli, false, &engine, err);
    if (code >= 0)
        code = engine_container_find(engine, tour->name, &view, err);
    if (code < 0)
        return code;
    tour->init = view->state.pid;
    code = procfs_start_ticks(tour->proc_fd, tour->init, &tour->init_start);
    if (code < 0)
        return cl_fail(err, code, "look at process %d", (int)tour->init);
    /* The shell starts its sleep a moment after its own start. */
    for (int waited = 0; waited < WAIT_MS && !runs_sleep(tour, tour->child); waited += STEP_MS) {
        tour->child = only_child(tour, tour->init);
        if (!runs_sleep(tour, tour->child))
            (void)usleep(STEP_MS * 1000);
    }
    return need(runs_sleep(tour, tour->child), err, "the container's shell has started no sleep");
}

static int stage_start(struct tour *tour, struct cl_error *err)
{
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "run", "-d", "--name", tour->name,
                            "--hostname", HOSTNAME, "--network", "none", "cloche/busybox", "sh",
                            "-c", SCRIPT);
    if (code == 0)
        code = find_processes(tour, err);
    if (code < 0 || tour_is_interrupted())
        return code;
    tour_fact(tour, "/proc/%d, /proc/%d", (int)tour->init, (int)tour->child);
    return 0;
}

static int stage_ps_inside(struct tour *tour, struct cl_error *err)
{
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "exec", tour->name, "ps");
    if (code == 0)
        code = need(printed(tour, "sleep 2000") && inner_pid(tour, tour->init) == 1, err,
                    "the container's shell is not process 1 inside");
    if (code == 0)
        tour_fact(tour, "/proc/%d/status: NSpid %d %d", (int)tour->init, (int)tour->init,
                  (int)inner_pid(tour, tour->init));
    return code;
}

static int stage_ps_outside(struct tour *tour, struct cl_error *err)
{
    char pids[32], init[16], child[16];
    (void)CL_PRINT(init, "%d", (int)tour->init);
    (void)CL_PRINT(child, "%d", (int)tour->child);
    (void)CL_PRINT(pids, "%s,%s", init, child); /* fits */
    /* An independent witness, where there is one. */
    bool has_ps = access("/bin/ps", X_OK) == 0 || access("/usr/bin/ps", X_OK) == 0;
    int code =
        has_ps ? TOUR_COMMAND(tour, TOUR_SHOW, err, "ps", "-o", "pid,ppid,user,args", "-p", pids)
               : TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "top", tour->name);
    if (code == 0)
        code = need(printed(tour, init) && printed(tour, child), err,
                    "the host does not list the container's processes");
    if (code == 0)
        tour_fact(tour, "%d = %d, %d = %d", (int)tour->init, (int)inner_pid(tour, tour->init),
                  (int)tour->child, (int)inner_pid(tour, tour->child));
    return code;
}

static int stage_state(struct tour *tour, struct cl_error *err)
{
    char pid[32];
    (void)CL_PRINT(pid, "\"Pid\":%d", (int)tour->init);
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "container", "inspect",
                            "--format={{ json .State }}", tour->name);
    if (code == 0)
        code = need(printed(tour, pid) && printed(tour, "\"Running\":true"), err,
                    "the engine's record does not name the container's first process");
    if (code == 0)
        tour_fact(tour, "%s", pid);
    return code;
}

static int compare_links(struct tour *tour, struct cl_error *err)
{
    char own[128] = "", shared[128] = "";
    for (int type = 0; type < K_NS_COUNT; type++) {
        uint64_t init = ns_of(tour, tour->init, (enum k_ns)type);
        uint64_t ours = ns_of(tour, 0, (enum k_ns)type);
        if (init != ns_of(tour, tour->child, (enum k_ns)type))
            return fails(err, "two processes of one container are in different namespaces");
        char *list = init == ours ? shared : own;
        size_t used = strlen(list);
        (void)cl_print(list + used, 128 - used, " %s", k_ns_table[type].name); /* fits */
    }
    tour_fact(tour, "%d = %d:%s%s", (int)tour->init, (int)tour->child, own, shared);
    tour_fact(tour, "%d \u2260 self:%s", (int)tour->init, own);
    tour_fact(tour, "%d = self:%s", (int)tour->init, shared);
    bool is_isolated = strstr(own, " mnt") != NULL && strstr(own, " pid") != NULL &&
                       strstr(own, " net") != NULL && strstr(own, " ipc") != NULL &&
                       strstr(own, " uts") != NULL && strstr(own, " cgroup") != NULL;
    return need(is_isolated, err, "the container shares more than its users with the host");
}

static int stage_links(struct tour *tour, struct cl_error *err)
{
    char init[32], child[32];
    (void)CL_PRINT(init, "/proc/%d/ns", (int)tour->init);
    (void)CL_PRINT(child, "/proc/%d/ns", (int)tour->child);
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "ls", "-l", init);
    if (code == 0)
        code = TOUR_COMMAND(tour, TOUR_SHOW, err, "ls", "-l", child);
    if (code == 0)
        code = TOUR_COMMAND(tour, TOUR_SHOW, err, "ls", "-l", "/proc/self/ns");
    return code == 0 ? compare_links(tour, err) : code;
}

static int stage_lsns(struct tour *tour, struct cl_error *err)
{
    int code =
        TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "lsns", "--list", "--container", tour->name);
    for (int type = 0; code == 0 && type < K_NS_COUNT; type++) {
        char inode[32];
        uint64_t number = ns_of(tour, tour->init, (enum k_ns)type);
        (void)CL_PRINT(inode, "%llu %s", (unsigned long long)number, k_ns_table[type].name);
        if (number != 0)
            code = need(printed(tour, inode), err, "lsns leaves out a namespace of the container");
    }
    if (code == 0)
        tour_fact(tour, "lsns = /proc/%d/ns", (int)tour->init);
    return code;
}

static int stage_mnt(struct tour *tour, struct cl_error *err)
{
    char file[64], script[128];
    (void)CL_PRINT(file, "/tmp/%s.txt", tour->name);               /* fits */
    (void)CL_PRINT(script, "echo hello >%s; ls / %s", file, file); /* fits */
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "exec", tour->name, "sh", "-c", script);
    if (code != 0)
        return code;
    code = TOUR_COMMAND(tour, TOUR_MAY_FAIL, err, "ls", file);
    if (code >= 0)
        code = need(code != 0 && access(file, F_OK) < 0, err,
                    "a file of the container is at the same path on the host");
    return code < 0 ? code : check_own(tour, K_NS_MNT, err);
}

static int stage_pid(struct tour *tour, struct cl_error *err)
{
    char ours[16], theirs[16];
    (void)CL_PRINT(ours, "%d", (int)getpid());
    (void)CL_PRINT(theirs, "%d", (int)tour->init);
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "pid", theirs);
    if (code != 0)
        return code;
    code = TOUR_COMMAND(tour, TOUR_MAY_FAIL, err, "cloche", "exec", tour->name, "kill", "-0", ours);
    if (code >= 0)
        code = need(code != 0, err, "the container can signal a process of the host");
    return code < 0 ? code : check_own(tour, K_NS_PID, err);
}

static int stage_net(struct tour *tour, struct cl_error *err)
{
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cat", "/proc/net/dev");
    if (code == 0)
        code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "exec", tour->name, "cat",
                            "/proc/net/dev");
    if (code == 0)
        code = need(printed(tour, "lo:") && !printed(tour, "eth"), err,
                    "the container sees more than its own loopback interface");
    return code < 0 ? code : check_own(tour, K_NS_NET, err);
}

static int stage_ipc(struct tour *tour, struct cl_error *err)
{
    char row[32];
    tour->segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    if (tour->segment < 0)
        return cl_fail(err, errno, "make a shared memory segment");
    (void)CL_PRINT(row, " %d ", tour->segment);
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cat", "/proc/sysvipc/shm");
    if (code == 0)
        code = need(printed(tour, row), err, "the host does not list its shared memory");
    if (code == 0)
        code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "exec", tour->name, "cat",
                            "/proc/sysvipc/shm");
    if (code == 0)
        code = need(strchr(tour->output, '\n') != NULL &&
                        strchr(tour->output, '\n')[1] == '\0', /* the heading alone */
                    err, "the container sees shared memory of the host");
    (void)shmctl(tour->segment, IPC_RMID, NULL); /* ours: it can't fail */
    tour->segment = -1;
    return code < 0 ? code : check_own(tour, K_NS_IPC, err);
}

static int stage_uts(struct tour *tour, struct cl_error *err)
{
    struct utsname ours;
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "uname", "-n");
    if (code == 0)
        code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "exec", tour->name, "uname", "-n");
    if (code == 0)
        code = need(uname(&ours) == 0 && printed(tour, HOSTNAME) &&
                        strcmp(ours.nodename, HOSTNAME) != 0,
                    err, "the container's hostname is the host's");
    return code < 0 ? code : check_own(tour, K_NS_UTS, err);
}

static int stage_cgroup(struct tour *tour, struct cl_error *err)
{
    char path[32];
    (void)CL_PRINT(path, "/proc/%d/cgroup", (int)tour->init);
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cat", path);
    cl_auto_free char *outside = cl_strdup(tour->output);
    if (code == 0)
        code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "exec", tour->name, "cat",
                            "/proc/1/cgroup");
    if (code == 0)
        code = need(outside != NULL && strcmp(outside, tour->output) != 0 &&
                        !printed(tour, tour->cli->engine_options.cgroup_parent),
                    err, "the container sees where in the host's cgroup tree it is");
    return code < 0 ? code : check_own(tour, K_NS_CGROUP, err);
}

static int stage_time(struct tour *tour, struct cl_error *err)
{
    char offsets[48];
    (void)CL_PRINT(offsets, "/proc/%d/timens_offsets", (int)tour->init);
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cat", "/proc/uptime");
    if (code == 0)
        code =
            TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "exec", tour->name, "cat", "/proc/uptime");
    if (code == 0 && ns_of(tour, 0, K_NS_TIME) != 0)
        code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cat", offsets);
    return code < 0 ? code : check_own(tour, K_NS_TIME, err);
}

static int stage_user(struct tour *tour, struct cl_error *err)
{
    char map[32];
    (void)CL_PRINT(map, "/proc/%d/uid_map", (int)tour->init);
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cat", map);
    if (code == 0)
        code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "exec", tour->name, "id", "-u");
    if (code != 0)
        return code;
    uint64_t theirs = ns_of(tour, tour->init, K_NS_USER), ours = ns_of(tour, 0, K_NS_USER);
    if (geteuid() == 0)
        code = need(theirs != 0 && theirs == ours, err,
                    "the container has a user namespace of its own");
    if (code == 0)
        tour_fact(tour, "/proc/%d/ns/user = %llu, /proc/self/ns/user = %llu", (int)tour->init,
                  (unsigned long long)theirs, (unsigned long long)ours);
    return code;
}

static int stage_view(struct tour *tour, struct cl_error *err)
{
    char pid[32];
    (void)CL_PRINT(pid, "%d", (int)tour->init);
    int code = TOUR_COMMAND(tour, TOUR_LONG, err, "cloche", "view", tour->name);
    if (code == 0)
        code = need(printed(tour, pid) && printed(tour, HOSTNAME), err,
                    "view does not see what the stages before have seen");
    if (code == 0)
        tour_fact(tour, "%s \u2194 1, %s", pid, HOSTNAME);
    return code;
}

static int stage_exec(struct tour *tour, struct cl_error *err)
{
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "exec", tour->name, "ls", "-l",
                            "/proc/self/ns");
    for (int type = 0; code == 0 && type < K_NS_COUNT; type++) {
        char link[48];
        uint64_t number = ns_of(tour, tour->init, (enum k_ns)type);
        (void)CL_PRINT(link, "%s:[%llu]", k_ns_table[type].name, (unsigned long long)number);
        if (number != 0)
            code = need(printed(tour, link), err, "exec has not joined a namespace");
    }
    if (code == 0)
        tour_fact(tour, "exec = /proc/%d/ns", (int)tour->init);
    return code;
}

static int stage_open(struct tour *tour, struct cl_error *err)
{
    char other[48], link[48], ours[16];
    (void)CL_PRINT(other, "%s-open", tour->name); /* fits */
    (void)CL_PRINT(link, "pid:[%llu]", (unsigned long long)ns_of(tour, 0, K_NS_PID));
    (void)CL_PRINT(ours, "%d", (int)getpid());
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "run", "--rm", "--name", other,
                            "--network", "none", "--pid", "host", "cloche/busybox", "ps");
    if (code == 0)
        code = need(printed(tour, ours), err, "a container with --pid host does not see the host");
    if (code == 0)
        code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "run", "--rm", "--name", other,
                            "--network", "none", "--pid", "host", "cloche/busybox", "readlink",
                            "/proc/self/ns/pid");
    if (code == 0)
        code = need(printed(tour, link), err, "--pid host is not the host's pid namespace");
    if (code == 0)
        tour_fact(tour, "/proc/self/ns/pid = %s", link);
    return code;
}

/* The first process of ours is gone, and with it every process of its pid namespace: who has this number now is in a new one. */
static bool is_number_of_another(const struct tour *tour, int code)
{
    return code == 0 && printed(tour, "COMMAND");
}

/* What held it last may take a moment to let go: the supervisor, a mount that the kernel dissolves in its own time. */
static int check_namespace_is_gone(struct tour *tour, uint64_t inode, struct cl_error *err)
{
    char number[32];
    (void)CL_PRINT(number, "%llu", (unsigned long long)inode);
    for (int waited = 0; waited < WAIT_MS; waited += 20 * STEP_MS) {
        int code = TOUR_COMMAND(tour, TOUR_QUIET | TOUR_MAY_FAIL, err, "cloche", "lsns", number);
        if (code != 0 || is_number_of_another(tour, code))
            break;
        (void)usleep(20 * STEP_MS * 1000);
    }
    int code = TOUR_COMMAND(tour, TOUR_MAY_FAIL, err, "cloche", "lsns", number);
    if (code < 0)
        return code;
    if (is_number_of_another(tour, code))
        (void)printf("%s\n", tour->language->another);
    else if (code == 0 || !printed(tour, "no namespace"))
        return fails(err, "the container's pid namespace is still there");
    tour_fact(tour, "/proc/%d: \u2205", (int)tour->init);
    return 0;
}

static int stage_end(struct tour *tour, struct cl_error *err)
{
    uint64_t start = tour->init_start;
    uint64_t pid_ns = ns_of(tour, tour->init, K_NS_PID);
    int code = TOUR_COMMAND(tour, TOUR_SHOW, err, "cloche", "rm", "-f", tour->name);
    if (code != 0)
        return code;
    bool is_there =
        procfs_start_ticks(tour->proc_fd, tour->init, &start) >= 0 && start == tour->init_start;
    code = need(!is_there, err, "the container's first process still runs");
    return code < 0 ? code : check_namespace_is_gone(tour, pid_ns, err);
}

int tour_stage_run(struct tour *tour, enum tour_stage stage, struct cl_error *err)
{
    static int (*const stages[TOUR_STAGES])(struct tour *, struct cl_error *) = {
        [TOUR_START] = stage_start,
        [TOUR_PS_INSIDE] = stage_ps_inside,
        [TOUR_PS_OUTSIDE] = stage_ps_outside,
        [TOUR_STATE] = stage_state,
        [TOUR_LINKS] = stage_links,
        [TOUR_LSNS] = stage_lsns,
        [TOUR_MNT] = stage_mnt,
        [TOUR_PID] = stage_pid,
        [TOUR_NET] = stage_net,
        [TOUR_IPC] = stage_ipc,
        [TOUR_UTS] = stage_uts,
        [TOUR_CGROUP] = stage_cgroup,
        [TOUR_TIME] = stage_time,
        [TOUR_USER] = stage_user,
        [TOUR_VIEW] = stage_view,
        [TOUR_EXEC] = stage_exec,
        [TOUR_OPEN] = stage_open,
        [TOUR_END] = stage_end,
    };
    return stages[stage](tour, err);
}
