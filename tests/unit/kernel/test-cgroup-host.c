/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding out how cgroups are laid out: on this host as it is, and, in private mount namespaces, as
 * pure v1, pure v2, in unusual places, not at all.
 */
#include "kernel/cgroupfs.h"

#include <sys/stat.h>

#include "kernel/procfs.h"
#include "support.h"

static bool host_init(struct cgroup_host *host)
{
    struct cl_error err = { 0 };
    cl_auto_fd proc = procfs_open_host(&err);
    int code = proc < 0 ? proc : cgroup_host_init(host, proc, &err);
    if (code < 0)
        TEST_SAY("%s", err.text);
    return code == 0;
}

static void check_consistent(struct cgroup_host *host)
{
    bool v1 = false, v2 = false;
    for (size_t i = 0; i < host->count; i++) {
        const struct cgroup_hierarchy *h = &host->hierarchies[i];
        struct stat by_path, by_fd;
        *(h->is_v2 ? &v2 : &v1) = true;
        CHECK_INT(h->controllers[0] == '\0', h->is_v2);
        CHECK(stat(h->mount_point, &by_path) == 0 && fstat(h->root_fd, &by_fd) == 0 &&
              by_path.st_ino == by_fd.st_ino && by_path.st_dev == by_fd.st_dev);
        CHECK(h->own_path[0] == '/' &&
              fstatat(h->root_fd, h->own_path + 1, &by_fd, AT_EMPTY_PATH) == 0);
    }
    CHECK_INT(host->layout, v1 && v2 ? CGROUP_HYBRID
                            : v1     ? CGROUP_V1
                            : v2     ? CGROUP_V2
                                     : CGROUP_NONE);
}

TEST(this_host)
{
    struct cgroup_host host;
    REQUIRE(host_init(&host));
    if (host.layout == CGROUP_NONE)
        SKIP("no cgroups are mounted here");
    check_consistent(&host);
    CHECK(!cgroup_host_has(&host, "no-such-controller"));
    CHECK(!cgroup_host_has(&host, ""));
    CHECK(!cgroup_host_has(&host, "cp"));
    CHECK(!cgroup_host_has(&host, "cpu,cpuacct"));
    cgroup_host_done(&host);
    cgroup_host_done(&host); /* twice is fine */
}

static void same_by_mountinfo(void *ignored)
{
    struct cgroup_host usual, found;
    (void)ignored;
    REQUIRE(host_init(&usual));
    k_hook_set("fstatfs", NULL); /* the look into the usual places fails … */
    struct cl_error err = { 0 };
    cl_auto_fd proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK_INT(cgroup_host_init(&found, proc, &err),
              0); /* … and nothing can be checked: no hierarchy */
    CHECK_INT(found.layout, CGROUP_NONE);
    k_hook_set(NULL, NULL);
    cgroup_host_done(&usual);
}

TEST(mounts_that_can_not_be_checked_do_not_count)
{
    CHECK(in_child(0, same_by_mountinfo, NULL));
}

static void v2_only(void *ignored)
{
    struct cgroup_host host;
    (void)ignored;
    if (k_umount("/sys/fs/cgroup", MNT_DETACH) < 0 ||
        k_mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0)
        return;
    REQUIRE(host_init(&host));
    CHECK_INT(host.layout, CGROUP_V2);
    CHECK_INT(host.count, 1);
    CHECK_STR(host.hierarchies[0].mount_point, "/sys/fs/cgroup");
    check_consistent(&host);
    char controllers[256] = "";
    CHECK(cl_read_small(host.hierarchies[0].root_fd, "cgroup.controllers", controllers,
                        sizeof controllers) >= 0);
    controllers[strcspn(controllers, " \n")] = '\0';
    if (controllers[0] != '\0')
        CHECK(cgroup_host_find(&host, controllers) == &host.hierarchies[0]);
    cgroup_host_done(&host);
}

static void v1_only(void *ignored)
{
    struct cgroup_host host;
    (void)ignored;
    CHECK_INT(k_umount("/sys/fs/cgroup/unified", MNT_DETACH), 0);
    REQUIRE(host_init(&host));
    CHECK_INT(host.layout, CGROUP_V1);
    check_consistent(&host);
    cgroup_host_done(&host);
}

static void unusual_place(void *argument)
{
    const struct scratch *scratch = argument;
    struct cgroup_host usual, host;
    char moved[128];
    REQUIRE(host_init(&usual));
    struct cgroup_hierarchy *memory = cgroup_host_find(&usual, "memory");
    REQUIRE(memory != NULL);
    /* A blank in its name: mountinfo writes \040. */
    snprintf(moved, sizeof moved, "%s/a place", scratch->path);
    REQUIRE(mkdir(moved, 0755) == 0);
    CHECK_INT(k_mount(memory->mount_point, moved, NULL, MS_BIND, NULL), 0);
    CHECK_INT(k_umount(memory->mount_point, MNT_DETACH), 0);
    REQUIRE(host_init(&host));
    check_consistent(&host);
    CHECK_INT(host.count, usual.count);
    memory = cgroup_host_find(&host, "memory");
    CHECK_STR(memory != NULL ? memory->mount_point : NULL, moved);
    cgroup_host_done(&host);
    cgroup_host_done(&usual);
}

static void a_part_of_the_tree(void *argument)
{
    const struct scratch *scratch = argument;
    struct cgroup_host host;
    char part[200], place[128];
    REQUIRE(host_init(&host));
    struct cgroup_hierarchy *pids = cgroup_host_find(&host, "pids");
    REQUIRE(pids != NULL);
    snprintf(place, sizeof place, "%s", pids->mount_point);
    snprintf(part, sizeof part, "%s/cloche-test-%d", place, (int)getpid());
    cgroup_host_done(&host);
    REQUIRE(mkdir(part, 0755) == 0);
    cl_auto_fd dir = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cl_auto_fd above = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_INT(cl_write_small(dir, "tasks", "0"), 0);
    /* As in a container whose runtime binds its group over the hierarchy: /proc/self/cgroup says
       /cloche-test-N, the mount shows that as its root. */
    CHECK_INT(k_mount(part, scratch->path, NULL, MS_BIND, NULL), 0);
    CHECK_INT(k_umount(place, MNT_DETACH), 0);
    CHECK_INT(k_mount(scratch->path, place, NULL, MS_BIND, NULL), 0);
    if (host_init(&host)) {
        pids = cgroup_host_find(&host, "pids");
        CHECK(pids != NULL);
        CHECK_STR(pids != NULL ? pids->own_path : NULL, "/");
        check_consistent(&host);
        cgroup_host_done(&host);
    }
    CHECK_INT(cl_write_small(above, "tasks", "0"), 0);
    CHECK_INT(unlinkat(above, strrchr(part, '/') + 1, AT_REMOVEDIR), 0);
}

static void nowhere(void *ignored)
{
    struct cgroup_host host;
    (void)ignored;
    CHECK_INT(k_umount("/sys/fs/cgroup", MNT_DETACH), 0);
    REQUIRE(host_init(&host));
    CHECK_INT(host.layout, CGROUP_NONE);
    CHECK_INT(host.count, 0);
    CHECK(cgroup_host_find(&host, "memory") == NULL);
}

/* The layout of this host, or -1 where the tests below can't run. */
static int layout_here(void)
{
    struct cgroup_host host;
    if (geteuid() != 0 || !host_init(&host))
        return -1;
    int layout = (int)host.layout;
    cgroup_host_done(&host);
    return layout;
}

TEST(pure_v2)
{
    if (layout_here() < 0)
        SKIP("needs root: remounts cgroups in a mount namespace");
    if (!in_child(CLONE_NEWNS | CLONE_NEWCGROUP, v2_only, NULL))
        SKIP("can't make mount and cgroup namespaces here");
}

TEST(pure_v1)
{
    if (layout_here() != CGROUP_HYBRID)
        SKIP("needs root on a hybrid host: unmounts v2 in a mount namespace");
    if (!in_child(CLONE_NEWNS, v1_only, NULL))
        SKIP("can't make a mount namespace here");
}

TEST(an_unusual_place_is_found_in_mountinfo)
{
    struct scratch scratch;
    if (layout_here() != CGROUP_HYBRID && layout_here() != CGROUP_V1)
        SKIP("needs root and cgroup v1");
    REQUIRE(scratch_make(&scratch));
    CHECK(in_child(CLONE_NEWNS, unusual_place, &scratch));
    scratch_remove(&scratch);
}

TEST(a_mount_that_shows_our_own_group_as_its_root)
{
    struct scratch scratch;
    if (layout_here() != CGROUP_HYBRID && layout_here() != CGROUP_V1)
        SKIP("needs root and cgroup v1");
    REQUIRE(scratch_make(&scratch));
    CHECK(in_child(CLONE_NEWNS, a_part_of_the_tree, &scratch));
    scratch_remove(&scratch);
}

TEST(no_cgroups_at_all)
{
    if (layout_here() < 0)
        SKIP("needs root: unmounts cgroups in a mount namespace");
    CHECK(in_child(CLONE_NEWNS, nowhere, NULL));
}

TEST_MAIN
