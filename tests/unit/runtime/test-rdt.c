/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.intelRdt against a directory that looks like a resctrl file system, as few machines have one.
 */
#include "support.h"

#include <signal.h>
#include <sys/resource.h>

#include "runtime/parent.h"

struct fake {
    char dir[64];
    int root;
    struct runtime_rdt made;
    struct cl_error err;
};

static bool fake_open(struct fake *fake)
{
    *fake = (struct fake){ .root = -EBADF };
    snprintf(fake->dir, sizeof fake->dir, "/tmp/cloche-test-XXXXXX");
    if (mkdtemp(fake->dir) == NULL)
        return false;
    fake->root = open(fake->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fake->root >= 0;
}

static bool add_group(struct fake *fake, const char *name, const char *schemata)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fake->dir, name);
    bool is_there = cl_streq(name, ".") || mkdir(path, 0755) == 0;
    if (!is_there || !write_file(path, "schemata", schemata, 0644) ||
        !write_file(path, "tasks", "", 0644))
        return false;
    snprintf(path, sizeof path, "%s/%s/mon_groups", fake->dir, name);
    return mkdir(path, 0755) == 0;
}

static const char *content(const struct fake *fake, const char *path)
{
    static char text[256];
    if (cl_read_small(fake->root, path, text, sizeof text) < 0)
        text[0] = '\0';
    return text;
}

static bool has(const struct fake *fake, const char *path)
{
    return faccessat(fake->root, path, F_OK, 0) == 0;
}

static int make(struct fake *fake, const struct oci_intel_rdt *rdt)
{
    runtime_rdt_done(&fake->made);
    fake->err = (struct cl_error){ 0 };
    return rdt_make(fake->root, rdt, "box", &fake->made, &fake->err);
}

static void fake_close(struct fake *fake)
{
    struct cl_error err = { 0 };
    runtime_rdt_done(&fake->made);
    fake->root = cl_close(fake->root);
    (void)cl_remove_tree(AT_FDCWD, fake->dir, &err);
}

TEST(without_a_closid_the_group_is_the_containers_and_goes_with_it)
{
    struct fake fake;
    const struct oci_intel_rdt rdt = { 0 };
    REQUIRE(fake_open(&fake));
    CHECK_INT(make(&fake, &rdt), 0);
    CHECK_STR(fake.made.group, "box");
    CHECK(fake.made.monitor == NULL);
    CHECK(has(&fake, "box"));
    CHECK_INT(rdt_remove(fake.root, &fake.made, &fake.err), 0);
    CHECK(!has(&fake, "box"));
    CHECK_INT(rdt_remove(fake.root, &fake.made, &fake.err), 0); /* gone is fine */
    fake_close(&fake);
}

TEST(what_must_have_been_made_goes_where_it_has_no_tasks)
{
    struct fake fake;
    char name[] = "gold", evil[] = "../gold";
    struct oci_intel_rdt own = { .enable_monitoring = true };
    const struct oci_intel_rdt named = { .clos_id = name, .enable_monitoring = true };
    const struct oci_intel_rdt bad = { .clos_id = evil, .enable_monitoring = true };
    REQUIRE(fake_open(&fake));
    CHECK(rdt_remove_empty(fake.root, &own, "box")); /* nothing there */
    REQUIRE(mkdirat(fake.root, "box", 0755) == 0 && mkdirat(fake.root, "gold", 0755) == 0);
    REQUIRE(mkdirat(fake.root, "gold/mon_groups", 0755) == 0 &&
            mkdirat(fake.root, "gold/mon_groups/box", 0755) == 0);
    CHECK(rdt_remove_empty(fake.root, &own, "box"));
    CHECK(!has(&fake, "box"));
    CHECK(!rdt_remove_empty(fake.root, &bad, "box"));
    CHECK(has(&fake, "gold/mon_groups/box"));
    CHECK(rdt_remove_empty(fake.root, &named, "box"));
    CHECK(has(&fake, "gold")); /* may be others', too */
    CHECK(!has(&fake, "gold/mon_groups/box"));
    char path[128];
    snprintf(path, sizeof path, "%s/box", fake.dir);
    REQUIRE(mkdirat(fake.root, "box", 0755) == 0 && write_file(path, "tasks", "123\n", 0644));
    CHECK(!rdt_remove_empty(fake.root, &own, "box"));
    CHECK(has(&fake, "box"));
    fake_close(&fake);
}

TEST(a_group_of_the_containers_name_that_is_there_already_is_not_taken_over)
{
    struct fake fake;
    const struct oci_intel_rdt rdt = { 0 };
    REQUIRE(fake_open(&fake));
    REQUIRE(add_group(&fake, "box", ""));
    CHECK_INT(make(&fake, &rdt), -EEXIST);
    CHECK_CONTAINS(fake.err.text, "linux.intelRdt: make the group box");
    CHECK(has(&fake, "box"));
    fake_close(&fake);
}

TEST(a_closid_without_schemata_has_to_be_there)
{
    struct fake fake;
    char name[] = "gold", top[] = "/";
    struct oci_intel_rdt rdt = { .clos_id = name };
    REQUIRE(fake_open(&fake));
    CHECK_INT(make(&fake, &rdt), -ENOENT);
    CHECK_CONTAINS(fake.err.text, "linux.intelRdt.closID: there is no group gold");
    CHECK(!has(&fake, "gold"));
    REQUIRE(add_group(&fake, "gold", "    L3:0=ff;1=ff\n"));
    CHECK_INT(make(&fake, &rdt), 0);
    CHECK(fake.made.group == NULL); /* somebody's: it stays */
    CHECK_STR(content(&fake, "gold/schemata"), "    L3:0=ff;1=ff\n");
    rdt.clos_id = top;
    REQUIRE(add_group(&fake, ".", "    L3:0=ff\n"));
    CHECK_INT(make(&fake, &rdt), 0);
    CHECK(fake.made.group == NULL);
    fake_close(&fake);
}

TEST(an_existing_closid_has_to_have_the_same_schemata)
{
    struct fake fake;
    char name[] = "gold", same[] = "L3:0=0ff", other[] = "L3:0=f0", domain[] = "L3:2=ff";
    char bandwidth[] = "MB:0=20;1=70", hex[] = "MB:0=14";
    struct oci_intel_rdt rdt = { .clos_id = name, .l3_cache_schema = same };
    REQUIRE(fake_open(&fake));
    REQUIRE(add_group(&fake, "gold", "    MB:0=20;1=70\n    L3:0=ff;1=1f\n"));
    CHECK_INT(make(&fake, &rdt), 0);
    CHECK_STR(content(&fake, "gold/schemata"), "    MB:0=20;1=70\n    L3:0=ff;1=1f\n");
    rdt.mem_bw_schema = bandwidth;
    CHECK_INT(make(&fake, &rdt), 0);
    rdt.mem_bw_schema = hex; /* percent, not hexadecimal */
    CHECK_INT(make(&fake, &rdt), -EEXIST);
    CHECK_CONTAINS(fake.err.text, "linux.intelRdt.memBwSchema: the group gold exists");
    rdt.mem_bw_schema = NULL;
    rdt.l3_cache_schema = other;
    CHECK_INT(make(&fake, &rdt), -EEXIST);
    CHECK_CONTAINS(fake.err.text, "linux.intelRdt.l3CacheSchema: the group gold exists");
    rdt.l3_cache_schema = domain;
    CHECK_INT(make(&fake, &rdt), -EEXIST);
    fake_close(&fake);
}

TEST(schemata_are_written_last_and_line_by_line)
{
    struct fake fake;
    char name[] = "gold", l3[] = "L3:0=ff", first[] = "L3:0=f", second[] = "MB:0=50";
    char *list[] = { first, second, NULL };
    struct oci_intel_rdt rdt = { .clos_id = name, .l3_cache_schema = l3, .schemata = list };
    REQUIRE(fake_open(&fake));
    REQUIRE(add_group(&fake, "gold", "L3:0=ff\n"));
    CHECK_INT(make(&fake, &rdt), 0);
    CHECK_STR(content(&fake, "gold/schemata"), "L3:0=f\nMB:0=50\n");
    fake_close(&fake);
}

TEST(a_failed_beginning_leaves_no_group)
{
    struct fake fake;
    char name[] = "gold", l3[] = "L3:0=ff";
    const struct oci_intel_rdt schema = { .clos_id = name, .l3_cache_schema = l3 };
    const struct oci_intel_rdt monitor = { .enable_monitoring = true };
    REQUIRE(fake_open(&fake));
    CHECK_INT(make(&fake, &schema), -ENOENT); /* a made-up directory has no file schemata */
    CHECK_CONTAINS(fake.err.text, "linux.intelRdt: open schemata");
    CHECK(!has(&fake, "gold"));
    CHECK_INT(make(&fake, &monitor), -ENOENT); /* nor mon_groups */
    CHECK_CONTAINS(fake.err.text, "linux.intelRdt.enableMonitoring: make the monitoring group box");
    CHECK(!has(&fake, "box"));
    CHECK(fake.made.group == NULL && fake.made.monitor == NULL);
    fake_close(&fake);
}

TEST(the_monitoring_group_is_ours_and_the_process_is_in_both)
{
    struct fake fake;
    char name[] = "gold";
    const struct oci_intel_rdt rdt = { .clos_id = name, .enable_monitoring = true };
    REQUIRE(fake_open(&fake));
    REQUIRE(add_group(&fake, "gold", ""));
    CHECK_INT(make(&fake, &rdt), 0);
    CHECK(fake.made.group == NULL);
    CHECK_STR(fake.made.monitor, "gold/mon_groups/box");
    char path[128];
    snprintf(path, sizeof path, "%s/gold/mon_groups/box", fake.dir);
    REQUIRE(write_file(path, "tasks", "", 0644));
    CHECK_INT(rdt_add(fake.root, &rdt, "box", 4711, &fake.err), 0);
    CHECK_STR(content(&fake, "gold/tasks"), "4711");
    CHECK_STR(content(&fake, "gold/mon_groups/box/tasks"), "4711");
    REQUIRE(unlinkat(fake.root, "gold/mon_groups/box/tasks", 0) == 0);
    CHECK_INT(rdt_remove(fake.root, &fake.made, &fake.err), 0);
    CHECK(!has(&fake, "gold/mon_groups/box"));
    CHECK(has(&fake, "gold"));
    CHECK_INT(make(&fake, &rdt), 0);
    CHECK_INT(make(&fake, &rdt), -EEXIST); /* somebody else's by that name */
    CHECK(fake.made.monitor == NULL);
    fake_close(&fake);
}

static bool put(const struct fake *fake, const char *path, const char *text)
{
    char whole[200];
    snprintf(whole, sizeof whole, "%s/%s", fake->dir, path);
    char *slash = strrchr(whole, '/');
    *slash = '\0';
    return (mkdir(whole, 0755) == 0 || errno == EEXIST) && write_file(whole, slash + 1, text, 0644);
}

static bool add_counters(const struct fake *fake, const char *group, const char *total)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s/mon_data", fake->dir, group);
    bool is_made = mkdir(path, 0755) == 0;
    snprintf(path, sizeof path, "%s/mon_data/mon_L3_00/mbm_total_bytes", group);
    is_made = is_made && put(fake, path, total);
    snprintf(path, sizeof path, "%s/mon_data/mon_L3_00/llc_occupancy", group);
    is_made = is_made && put(fake, path, "Unavailable\n");
    snprintf(path, sizeof path, "%s/mon_data/mon_L3_01/llc_occupancy", group);
    return is_made && put(fake, path, "7\n");
}

TEST(statistics_are_of_the_own_monitoring_group_or_else_of_the_shared_one)
{
    struct fake fake;
    char name[] = "gold", path[128];
    struct oci_intel_rdt rdt = { .clos_id = name };
    struct runtime_rdt_stats stats;
    REQUIRE(fake_open(&fake));
    REQUIRE(add_group(&fake, ".", "    MB:0=100\n    L3:0=fff\n"));
    REQUIRE(add_group(&fake, "gold", "    MB:0= 50\n    L3:0=00f\n"));
    snprintf(path, sizeof path, "%s/info", fake.dir);
    REQUIRE(mkdir(path, 0755) == 0 && put(&fake, "info/L3/cbm_mask", "fff\n") &&
            put(&fake, "info/L3/num_closids", "16\n"));
    REQUIRE(add_counters(&fake, "gold", "12\n"));
    CHECK_INT(rdt_stats(fake.root, &rdt, "box", &stats, &fake.err), 0);
    CHECK(stats.is_known && stats.has_cache && !stats.has_bandwidth);
    CHECK_STR(stats.cache_mask, "fff");
    CHECK_INT((int)stats.cache_groups, 16);
    CHECK_STR(stats.schemata, "    MB:0= 50\n    L3:0=00f\n");
    CHECK_STR(stats.root_schemata, "    MB:0=100\n    L3:0=fff\n");
    REQUIRE(stats.domain_count == 2);
    CHECK_STR(stats.domains[0].name, "mon_L3_00");
    CHECK(stats.domains[0].has_bytes && !stats.domains[0].has_occupancy);
    CHECK_INT((int)stats.domains[0].total_bytes, 12);
    CHECK_INT((int)stats.domains[1].occupancy, 7);
    runtime_rdt_stats_done(&stats);
    snprintf(path, sizeof path, "%s/gold/mon_groups/box", fake.dir);
    REQUIRE(mkdir(path, 0755) == 0 && add_counters(&fake, "gold/mon_groups/box", "3\n"));
    CHECK_INT(rdt_stats(fake.root, &rdt, "box", &stats, &fake.err), 0);
    CHECK_INT((int)stats.domains[0].total_bytes, 3);
    runtime_rdt_stats_done(&stats);
    rdt.clos_id = NULL;
    CHECK_INT(rdt_stats(fake.root, &rdt, "none", &stats, &fake.err), -ENOENT);
    CHECK_CONTAINS(fake.err.text, "linux.intelRdt");
    fake_close(&fake);
}

static int update(struct fake *fake, const struct oci_intel_rdt *rdt,
                  const struct oci_intel_rdt *change, char **ret_old)
{
    free(*ret_old);
    *ret_old = NULL;
    fake->err = (struct cl_error){ 0 };
    return rdt_update(fake->root, rdt, "box", change, ret_old, &fake->err);
}

TEST(an_update_writes_what_is_given_to_the_group_that_it_has)
{
    struct fake fake;
    char name[] = "gold", l3[] = "L3:0=f0", bandwidth[] = "MB:0=50";
    const struct oci_intel_rdt own = { 0 }, shared = { .clos_id = name };
    struct oci_intel_rdt change = { .l3_cache_schema = l3 };
    cl_auto_free char *old = NULL;
    REQUIRE(fake_open(&fake));
    CHECK_INT(update(&fake, &own, &change, &old), -ENOENT);
    CHECK_CONTAINS(fake.err.text, "linux.intelRdt: open the group box");
    CHECK(old == NULL);
    REQUIRE(add_group(&fake, "box", "    L3:0=ff\n") && add_group(&fake, "gold", "L3:0=f\n"));
    CHECK_INT(update(&fake, &own, &change, &old), 0);
    CHECK_STR(content(&fake, "box/schemata"), "L3:0=f0\n");
    CHECK_STR(old, "    L3:0=ff\n");
    CHECK_STR(content(&fake, "gold/schemata"), "L3:0=f\n");
    change.mem_bw_schema = bandwidth;
    CHECK_INT(update(&fake, &shared, &change, &old), 0);
    CHECK_STR(content(&fake, "gold/schemata"), "L3:0=f0\nMB:0=50\n");
    fake_close(&fake);
}

TEST(an_update_that_fails_half_way_is_taken_back)
{
    struct fake fake;
    char l3[] = "L3:0=f0", bandwidth[] = "MB:0=50";
    const struct oci_intel_rdt own = { 0 };
    const struct oci_intel_rdt change = { .l3_cache_schema = l3, .mem_bw_schema = bandwidth };
    struct rlimit before, one_line = { .rlim_cur = sizeof l3 };
    cl_auto_free char *old = NULL;
    REQUIRE(fake_open(&fake));
    REQUIRE(add_group(&fake, "box", "L3:0=f\n"));
    /* The second line is one too many. */
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    one_line.rlim_max = before.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &one_line) == 0);
    int result = update(&fake, &own, &change, &old);
    bool is_restored = setrlimit(RLIMIT_FSIZE, &before) == 0;
    (void)signal(SIGXFSZ, handler);
    REQUIRE(is_restored);
    CHECK_INT(result, -EFBIG);
    CHECK_CONTAINS(fake.err.text, "linux.intelRdt.memBwSchema: write \"MB:0=50\"");
    CHECK_STR(content(&fake, "box/schemata"), "L3:0=f\n");
    CHECK(old == NULL);
    fake_close(&fake);
}

TEST(where_no_resctrl_is_mounted_the_property_is_named)
{
    struct cl_error err = { 0 };
    cl_auto_fd root = rdt_open(-EBADF, &err);
    if (root >= 0)
        SKIP("a resctrl file system is mounted here");
    CHECK_INT(root, -EOPNOTSUPP);
    CHECK_CONTAINS(err.text, "linux.intelRdt: no resctrl file system is mounted");
}

TEST_MAIN
