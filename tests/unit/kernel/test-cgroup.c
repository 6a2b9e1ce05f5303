/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups: made, joined, limited, frozen, killed, removed; on the layout of this host and, where
 * that can be had, on pure v2 in private namespaces. Everything is below one group of this test's
 * own, which it removes.
 */
#include "kernel/cgroupfs.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kernel/procfs.h"
#include "support.h"

#define PATIENCE_MS 30000 /* a frozen group is that at once, unless the machine is busy */

struct place {
    struct cgroup_host host;
    char parent[64]; /* "cloche-test-PID" */
    char leaf[96];   /* "cloche-test-PID/group" */
};

static bool place_init(struct place *place)
{
    struct cl_error err = { 0 };
    cl_auto_fd proc = procfs_open_host(&err);
    snprintf(place->parent, sizeof place->parent, "cloche-test-%d", (int)getpid());
    snprintf(place->leaf, sizeof place->leaf, "%s/group", place->parent);
    if (proc < 0 || cgroup_host_init(&place->host, proc, &err) < 0) {
        TEST_SAY("%s", err.text);
        return false;
    }
    return place->host.layout != CGROUP_NONE;
}

static void place_done(struct place *place)
{
    CHECK_INT(cgroup_remove(&place->host, place->parent), 0);
    for (size_t i = 0; i < place->host.count; i++) {
        struct stat info;
        CHECK_INT(fstatat(place->host.hierarchies[i].root_fd, place->parent, &info, 0), -1);
    }
    cgroup_host_done(&place->host);
}

static bool make(struct place *place, struct cgroup *group)
{
    struct cl_error err = { 0 };
    if (cgroup_make(&place->host, place->leaf, true, group, &err) == 0)
        return true;
    TEST_SAY("%s", err.text);
    return false;
}

/* A child in the group: joined by itself, or born into it where there is v2. It echoes bytes of
   the socket until it is killed. */
static pid_t populate_talking(const struct cgroup *group, int *ret_pidfd, int *ret_socket)
{
    int ours = -EBADF, theirs = -EBADF;
    char byte = 0;
    struct k_clone arguments = { .cgroup_fd = cgroup_v2_fd(group), .exit_signal = SIGCHLD };
    fflush(stdout);
    if (cl_socketpair(SOCK_STREAM, &ours, &theirs) < 0)
        return -1;
    pid_t pid = k_clone3(&arguments, ret_pidfd);
    if (pid == 0) {
        close(ours);
        (void)k_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* a killed test leaves nobody behind */
        if (cgroup_join_self(group, false) < 0 || write(theirs, "y", 1) != 1)
            _exit(1);
        while (read(theirs, &byte, 1) == 1 && write(theirs, &byte, 1) == 1)
            continue;
        for (;;)
            pause();
    }
    close(theirs);
    CHECK(pid > 0 && read(ours, &byte, 1) == 1);
    *ret_socket = ours;
    return pid;
}

static pid_t populate(const struct cgroup *group, int *ret_pidfd)
{
    int socket = -EBADF;
    pid_t pid = populate_talking(group, ret_pidfd, &socket);
    (void)cl_close(socket);
    return pid;
}

static void reap(int *pidfd)
{
    int status = 0;
    CHECK_INT(k_wait_pidfd(*pidfd, 0, &status), 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    *pidfd = cl_close(*pidfd);
}

static bool exists(const struct cgroup_host *host, const char *path)
{
    struct stat info;
    for (size_t i = 0; i < host->count; i++)
        if (fstatat(host->hierarchies[i].root_fd, path, &info, 0) == 0)
            return true;
    return false;
}

static void check_make(struct place *place)
{
    struct cgroup group, other;
    struct cl_error err = { 0 };
    REQUIRE(make(place, &group));
    CHECK_INT(group.count, place->host.count);
    CHECK_INT(cgroup_make(&place->host, place->leaf, true, &other, &err), -EEXIST);
    CHECK_INT(err.kind, CL_KIND_CONFLICT);
    CHECK_INT(cgroup_make(&place->host, place->leaf, false, &other, &err), 0);
    cgroup_done(&other);
    CHECK_INT(cgroup_open(&place->host, place->leaf, &other, &err), 0);
    CHECK_INT(other.count, group.count);
    cgroup_done(&other);
    CHECK(cgroup_is_empty(&group));
    cgroup_done(&group);
    CHECK_INT(cgroup_remove(&place->host, place->leaf), 0);
    CHECK_INT(cgroup_remove(&place->host, place->leaf), 0); /* missing is fine */
    CHECK_INT(cgroup_open(&place->host, place->leaf, &other, &err), -ENOENT);
}

/* Version by version, and gone by one rmdir each; where there are both, that is left to who looks. */
static void check_versions(struct place *place)
{
    struct cgroup v2, v1;
    struct cl_error err = { 0 };
    CHECK_INT(cgroup_make_of(&place->host, true, place->leaf, true, &v2, &err), 0);
    CHECK_INT(v2.count, place->host.layout == CGROUP_V1 ? 0 : 1);
    CHECK(v2.count == 0 || cgroup_v2_fd(&v2) >= 0);
    CHECK_INT(cgroup_make_of(&place->host, false, place->leaf, true, &v1, &err), 0);
    CHECK_INT(v1.count + v2.count, place->host.count);
    CHECK(cgroup_v2_fd(&v1) < 0);
    CHECK_INT(cgroup_make_of(&place->host, v2.count > 0, place->leaf, true, &v2, &err), -EEXIST);
    cgroup_done(&v1);
    cgroup_done(&v2);
    CHECK_INT(cgroup_open(&place->host, place->leaf, &v1, &err), 0);
    bool is_mixed = place->host.layout == CGROUP_HYBRID;
    CHECK_INT(cgroup_remove_empty(&v1), is_mixed ? -EOPNOTSUPP : 0);
    cgroup_done(&v1);
    CHECK(exists(&place->host, place->leaf) == is_mixed);
    CHECK_INT(cgroup_remove(&place->host, place->leaf), 0);
}

static void check_bad_paths(struct place *place)
{
    static const char *const paths[] = { "",  "/",  "/abs",   "a//b", "a/",
                                         ".", "..", "a/../b", "a/.",  "a\nb" };
    struct cgroup group;
    struct cl_error err = { 0 };
    char path[300];
    for (size_t i = 0; i < CL_COUNT(paths); i++) {
        CHECK_INT(cgroup_make(&place->host, paths[i], false, &group, &err), -EINVAL);
        CHECK_INT(cgroup_remove(&place->host, paths[i]), -EINVAL);
    }
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    CHECK_INT(cgroup_make(&place->host, path, false, &group, &err), -ENAMETOOLONG);
}

static void check_undo(struct place *place)
{
    char deep[160];
    struct cl_error err = { 0 };
    struct cgroup group;
    int n = 1;
    snprintf(deep, sizeof deep, "%s/a/b", place->parent);
    /* Fail at each call in turn: every time nothing remains. */
    for (bool more = true; more && n < 2000; n++) {
        char fail[32];
        snprintf(fail, sizeof fail, "%d:EACCES", n);
        k_hook_set(NULL, fail);
        int code = cgroup_make(&place->host, deep, true, &group, &err);
        k_hook_set(NULL, NULL);
        more = code < 0;
        CHECK(code == 0 || !exists(&place->host, place->parent));
        if (code == 0) {
            cgroup_done(&group);
            more = n < 10; /* calls whose failure is only a slower start */
            CHECK_INT(cgroup_remove(&place->host, place->parent), 0);
        }
    }
    CHECK(n > 2 && n < 2000);
}

static void check_members(struct place *place)
{
    struct cgroup group;
    int pidfd = -EBADF;
    pid_t *pids = NULL;
    size_t count = 0;
    REQUIRE(make(place, &group));
    pid_t pid = populate(&group, &pidfd);
    CHECK(!cgroup_is_empty(&group));
    CHECK_INT(cgroup_pids(&group, &pids, &count), 0);
    CHECK_INT(count, 1);
    CHECK_INT(count == 1 ? pids[0] : 0, pid);
    free(pids);
    CHECK(cgroup_remove_empty(&group) < 0);
    CHECK(exists(&place->host, place->leaf));
    CHECK_INT(cgroup_remove(&place->host, place->leaf), -EBUSY);
    CHECK_INT(cgroup_kill(&group), 0);
    /* Not reaped, perhaps not even dead yet: removal waits for it. */
    CHECK_INT(cgroup_remove(&place->host, place->leaf), 0);
    cgroup_done(&group);
    reap(&pidfd);
}

static void check_kill_below(struct place *place)
{
    struct cgroup group, below;
    struct cl_error err = { 0 };
    char path[160];
    int pidfds[3] = { -EBADF, -EBADF, -EBADF };
    REQUIRE(make(place, &group));
    snprintf(path, sizeof path, "%s/below", place->leaf);
    REQUIRE(cgroup_make(&place->host, path, true, &below, &err) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(populate(&below, &pidfds[i]) > 0);
    pid_t *pids = NULL;
    size_t count = 0;
    CHECK_INT(cgroup_pids(&group, &pids, &count), 0);
    CHECK_INT(count, 3);
    free(pids);
    CHECK(!cgroup_is_empty(&group));
    CHECK_INT(cgroup_kill(&group), 0);
    for (int i = 0; i < 3; i++)
        reap(&pidfds[i]);
    CHECK(cgroup_is_empty(&group));
    CHECK_INT(cgroup_kill(&group), 0); /* nobody left: fine */
    cgroup_done(&below);
    cgroup_done(&group);
    CHECK_INT(cgroup_remove(&place->host, place->leaf), 0);
}

static char state_of(pid_t pid)
{
    struct procfs_stat stat = { 0 };
    cl_auto_fd proc = procfs_open_host(NULL);
    CHECK_INT(procfs_read_stat_of(proc, pid, &stat), 0);
    return stat.state;
}

/* Whatever it was doing: a process that is frozen never has the state that spares asking. */
static void check_frozen_states(struct place *place)
{
    struct cgroup group;
    struct cl_error err = { 0 };
    int pidfd = -EBADF, socket = -EBADF;
    REQUIRE(make(place, &group));
    pid_t pid = populate_talking(&group, &pidfd, &socket);
    REQUIRE(pid > 0);
    for (int is_stopped = 0; is_stopped < 2; is_stopped++) {
        if (is_stopped)
            CHECK(kill(pid, SIGSTOP) == 0 && waitpid(pid, NULL, WUNTRACED) == pid);
        CHECK_INT(cgroup_freeze(&group, true, PATIENCE_MS, &err), 0);
        CHECK(cgroup_may_be_frozen(&place->host, state_of(pid)));
        CHECK_INT(cgroup_freeze(&group, false, PATIENCE_MS, &err), 0);
    }
    for (const char *state = "RDTtZXI"; *state != '\0'; state++)
        CHECK(cgroup_may_be_frozen(&place->host, *state));
    k_hook_set("uname", NULL); /* nobody knows how old it is */
    CHECK(cgroup_may_be_frozen(&place->host, 'S'));
    k_hook_set(NULL, NULL);
    CHECK(place->host.layout == CGROUP_V1 || cgroup_may_be_frozen(&place->host, 'S'));
    CHECK_INT(cgroup_kill(&group), 0);
    reap(&pidfd);
    (void)cl_close(socket);
    cgroup_done(&group);
    CHECK_INT(cgroup_remove(&place->host, place->leaf), 0);
}

static void check_freeze(struct place *place)
{
    struct cgroup group;
    struct cl_error err = { 0 };
    int pidfd = -EBADF, socket = -EBADF;
    char byte = 0;
    CHECK(!cgroup_is_frozen(&place->host, place->leaf));
    REQUIRE(make(place, &group));
    CHECK(!cgroup_is_frozen(&place->host, place->leaf));
    CHECK_INT(cgroup_freeze(&group, true, PATIENCE_MS, &err), 0); /* an empty one freezes too */
    CHECK(cgroup_is_frozen(&place->host, place->leaf));
    CHECK(!cgroup_is_frozen(&place->host, "../cgroup"));
    CHECK_INT(cgroup_freeze(&group, false, PATIENCE_MS, &err), 0);
    CHECK(!cgroup_is_frozen(&place->host, place->leaf));
    CHECK(populate_talking(&group, &pidfd, &socket) > 0);
    CHECK_INT(cgroup_freeze(&group, true, PATIENCE_MS, &err), 0);
    CHECK_INT(cgroup_freeze(&group, true, PATIENCE_MS, &err), 0);
    /* Awake, it would echo at once. */
    CHECK_INT(write(socket, "z", 1), 1);
    struct pollfd poll_fd = { .fd = socket, .events = POLLIN };
    CHECK_INT(poll(&poll_fd, 1, 50), 0);
    CHECK_INT(cgroup_freeze(&group, false, PATIENCE_MS, &err), 0);
    CHECK_INT(read(socket, &byte, 1), 1);
    CHECK_INT(byte, 'z');
    /* A frozen group can be killed: nobody has to thaw it first. */
    CHECK_INT(cgroup_freeze(&group, true, PATIENCE_MS, &err), 0);
    CHECK_INT(cgroup_kill(&group), 0);
    reap(&pidfd);
    (void)cl_close(socket);
    cgroup_done(&group);
    CHECK_INT(cgroup_remove(&place->host, place->leaf), 0);
}

static void check_suicide(struct place *place)
{
    struct cgroup group;
    if (place->host.layout == CGROUP_V2)
        return; /* cgroup.kill knows no mercy */
    REQUIRE(make(place, &group));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        k_hook_set(NULL, NULL);
        bool refused = cgroup_join_self(&group, false) == 0 && cgroup_kill(&group) == -EDEADLK;
        _exit(refused ? 0 : 1);
    }
    int status = 1;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
    cgroup_done(&group);
    CHECK_INT(cgroup_remove(&place->host, place->leaf), 0);
}

/* Groups below that the container made: wide and deeper than any stack of ours. */
static void check_remove_deep(struct place *place)
{
    struct cgroup group;
    REQUIRE(make(place, &group));
    for (size_t i = 0; i < group.count; i++) {
        cl_auto_fd dir = openat(group.at[i].fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (int j = 0; j < 20 && i == 0; j++) {
            char name[16];
            snprintf(name, sizeof name, "wide%d", j);
            CHECK_INT(mkdirat(dir, name, 0755), 0);
        }
        for (int depth = 0; depth < (i == 0 ? 100 : 3); depth++) {
            CHECK_INT(mkdirat(dir, "deep", 0755), 0);
            int next = openat(dir, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            (void)cl_close(dir);
            dir = next;
        }
    }
    cgroup_done(&group);
    CHECK_INT(cgroup_remove(&place->host, place->leaf), 0);
}

static void check_limits(struct place *place)
{
    struct cgroup group;
    struct cl_error err = { 0 };
    REQUIRE(make(place, &group));
    const struct cgroup_hierarchy *pids = cgroup_host_find(&place->host, "pids");
    char value[64] = "";
    if (pids != NULL) {
        CHECK_INT(cgroup_write(&group, "pids", "pids.max", "17", &err), 0);
        int fd = cgroup_fd_of(&group, "pids");
        CHECK(fd >= 0 && cl_read_small(fd, "pids.max", value, sizeof value) > 0);
        CHECK_STR(value, "17\n");
        CHECK_INT(cgroup_write(&group, "pids", "pids.max", "many", &err), -EINVAL);
        CHECK_CONTAINS(err.text, "\"many\" to pids.max");
        CHECK_CONTAINS(err.text, place->leaf);
        CHECK_INT(cgroup_write(&group, "pids", "pids.no-such", "1", &err), -ENOENT);
    }
    CHECK_INT(cgroup_write(&group, "no-such", "no-such.max", "1", &err), -ENOENT);
    CHECK_INT(err.kind, CL_KIND_UNSUPPORTED);
    CHECK_CONTAINS(err.text, "no-such controller");
    CHECK_INT(cgroup_fd_of(&group, "no-such"), -ENOENT);
    uint64_t kills = 7;
    if (cgroup_host_has(&place->host, "memory")) {
        CHECK_INT(cgroup_oom_kills(&group, &kills), 0);
        CHECK_INT(kills, 0);
    }
    if (cgroup_v2_fd(&group) >= 0)
        CHECK_INT(cgroup_write(&group, "", "cgroup.max.descendants", "5", &err), 0);
    cgroup_done(&group);
    CHECK_INT(cgroup_remove(&place->host, place->leaf), 0);
}

typedef void check_function(struct place *place);
static check_function *const checks[] = { check_make,        check_versions,      check_bad_paths,
                                          check_undo,        check_members,       check_kill_below,
                                          check_freeze,      check_frozen_states, check_suicide,
                                          check_remove_deep, check_limits };

static void check_all(void *ignored)
{
    (void)ignored;
    for (size_t i = 0; i < CL_COUNT(checks); i++) {
        struct place place;
        REQUIRE(place_init(&place));
        checks[i](&place);
        place_done(&place);
    }
}

TEST(on_the_layout_of_this_host)
{
    struct place place;
    if (geteuid() != 0)
        SKIP("needs root: makes cgroups");
    if (!place_init(&place))
        SKIP("no cgroups are mounted here");
    place_done(&place);
    check_all(NULL);
}

static int hugetlb_was_enabled(int set)
{
    char enabled[256] = "";
    cl_auto_fd top = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)cl_read_small(top, "cgroup.subtree_control", enabled, sizeof enabled);
    if (set == 0)
        (void)cl_write_small(top, "cgroup.subtree_control",
                             "-hugetlb"); /* others may be using it */
    return strstr(enabled, "hugetlb") != NULL;
}

static bool enter_v2(void)
{
    return k_umount("/sys/fs/cgroup", MNT_DETACH) == 0 &&
           k_mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) == 0;
}

static void check_delegation(struct place *place)
{
    struct cgroup group;
    struct cl_error err = { 0 };
    char deep[160], above[256] = "", here[256] = "";
    snprintf(deep, sizeof deep, "%s/a/b", place->parent);
    REQUIRE(cgroup_make(&place->host, deep, true, &group, &err) == 0);
    CHECK(cl_read_small(place->host.hierarchies[0].root_fd, "cgroup.controllers", above,
                        sizeof above) >= 0);
    CHECK(cl_read_small(group.at[0].fd, "cgroup.controllers", here, sizeof here) >= 0);
    CHECK_STR(here, above);
    if (strstr(here, "hugetlb") != NULL)
        CHECK(cgroup_fd_of(&group, "hugetlb") == group.at[0].fd);
    cgroup_done(&group);
}

static void v2_checks(void *ignored)
{
    struct place place;
    (void)ignored;
    if (!enter_v2())
        return;
    int enabled = hugetlb_was_enabled(1);
    check_all(NULL);
    if (place_init(&place)) {
        CHECK_INT(place.host.layout, CGROUP_V2);
        check_delegation(&place);
        place_done(&place);
    }
    k_hook_set("clone3", NULL); /* as where CLONE_INTO_CGROUP can't be had: join by hand */
    struct cgroup group;
    if (place_init(&place) && make(&place, &group)) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(cgroup_join_self(&group, true) == 0 && !cgroup_is_empty(&group) ? 0 : 1);
        int status = 1;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK_INT(status, 0);
        cgroup_done(&group);
        place_done(&place);
    }
    k_hook_set(NULL, NULL);
    if (!enabled)
        (void)hugetlb_was_enabled(0);
}

TEST(on_pure_v2)
{
    if (geteuid() != 0)
        SKIP("needs root: mounts cgroup2 in a mount namespace");
    if (!in_child(CLONE_NEWNS | CLONE_NEWCGROUP, v2_checks, NULL))
        SKIP("can't make mount and cgroup namespaces here");
}

static void v1_checks(void *ignored)
{
    if (k_umount("/sys/fs/cgroup/unified", MNT_DETACH) == 0)
        check_all(ignored);
}

TEST(on_pure_v1)
{
    struct stat info;
    if (geteuid() != 0 || stat("/sys/fs/cgroup/unified", &info) < 0)
        SKIP("needs root on a hybrid host: unmounts v2 in a mount namespace");
    CHECK(in_child(CLONE_NEWNS, v1_checks, NULL));
}

static void out_of_memory(struct place *place)
{
    struct cgroup group;
    struct cl_error err = { 0 };
    REQUIRE(make(place, &group));
    bool v1 = place->host.layout != CGROUP_V2;
    CHECK_INT(cgroup_write(&group, "memory", v1 ? "memory.limit_in_bytes" : "memory.max", "8388608",
                           &err),
              0);
    int pidfd = -EBADF, status = 0;
    struct k_clone arguments = { .cgroup_fd = cgroup_v2_fd(&group), .exit_signal = SIGCHLD };
    fflush(stdout);
    pid_t pid = k_clone3(&arguments, &pidfd);
    if (pid == 0) {
        if (cgroup_join_self(&group, false) < 0)
            _exit(1);
        for (size_t i = 0; i < 64; i++) { /* 64 MiB, touched */
            char *block = malloc(1 << 20);
            if (block != NULL)
                memset(block, 1, 1 << 20);
        }
        _exit(2);
    }
    CHECK_INT(k_wait_pidfd(pidfd, 0, &status), 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    uint64_t kills = 0;
    CHECK_INT(cgroup_oom_kills(&group, &kills), 0);
    CHECK_INT(kills, 1);
    (void)cl_close(pidfd);
    cgroup_done(&group);
}

static void say_kills(int dir, const char *file, const char *text)
{
    cl_auto_fd fd = openat(dir, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* As systemd does it: the group is gone before anyone has read its file. */
TEST(a_strike_in_a_group_that_is_gone_is_known_from_the_one_above)
{
    struct cl_error err = { 0 };
    struct cgroup_oom oom;
    const struct cgroup_hierarchy v2 = { .is_v2 = true };
    char top[] = "/tmp/cloche-oom.XXXXXX";
    REQUIRE(mkdtemp(top) != NULL);
    cl_auto_fd above = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int strikes = 0; strikes < 2; strikes++) {
        CHECK_INT(mkdirat(above, "group", 0700), 0);
        cl_auto_fd dir = openat(above, "group", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        say_kills(above, "memory.events", "oom_kill 3\n");
        say_kills(dir, "memory.events", "oom_kill 1\n");
        const struct cgroup group = { .path = "group",
                                      .count = 1,
                                      .at = { { .hierarchy = &v2, .fd = dir } } };
        CHECK_INT(cgroup_oom_open(&group, &oom, &err), 0);
        CHECK_INT(cgroup_oom_seen(&group, &oom), 0);
        say_kills(above, "memory.events", "oom_kill 4\n"); /* beside ours */
        CHECK_INT(cgroup_oom_seen(&group, &oom), 0);
        say_kills(above, "memory.events", strikes > 0 ? "oom_kill 5\n" : "oom_kill 4\n");
        CHECK_INT(unlinkat(dir, "memory.events", 0), 0);
        CHECK_INT(unlinkat(above, "group", AT_REMOVEDIR), 0);
        CHECK_INT(cgroup_oom_seen(&group, &oom), strikes > 0 ? 1 : -ENOENT);
        cgroup_oom_done(&oom);
    }
    CHECK_INT(unlinkat(above, "memory.events", 0), 0);
    CHECK_INT(rmdir(top), 0);
}

TEST(the_oom_killers_strikes_are_counted)
{
    struct place place;
    if (geteuid() != 0)
        SKIP("needs root: makes cgroups");
    if (!place_init(&place) || !cgroup_host_has(&place.host, "memory"))
        SKIP("no memory controller here");
    out_of_memory(&place);
    place_done(&place);
}

TEST(the_cpuset_of_a_group_is_complete)
{
    struct place place;
    struct cgroup group;
    char cpus[256] = "", mems[256] = "";
    if (geteuid() != 0)
        SKIP("needs root: makes cgroups");
    if (!place_init(&place) || place.host.layout == CGROUP_V2 ||
        !cgroup_host_has(&place.host, "cpuset"))
        SKIP("no v1 cpuset here");
    for (int i = 0; i < 2; i++) { /* with new parents, then with parents that were there */
        REQUIRE(make(&place, &group));
        int fd = cgroup_fd_of(&group, "cpuset");
        CHECK(cl_read_small(fd, "cpuset.cpus", cpus, sizeof cpus) > 1);
        CHECK(cl_read_small(fd, "cpuset.mems", mems, sizeof mems) > 1);
        cgroup_done(&group);
        CHECK_INT(cgroup_remove(&place.host, place.leaf), 0);
    }
    /* A parent that somebody made and left empty. */
    const struct cgroup_hierarchy *cpuset = cgroup_host_find(&place.host, "cpuset");
    CHECK_INT(unlinkat(cpuset->root_fd, place.parent, AT_REMOVEDIR), 0);
    CHECK_INT(mkdirat(cpuset->root_fd, place.parent, 0755), 0);
    REQUIRE(make(&place, &group));
    CHECK(cl_read_small(cgroup_fd_of(&group, "cpuset"), "cpuset.cpus", cpus, sizeof cpus) > 1);
    cgroup_done(&group);
    place_done(&place);
}

TEST_MAIN
