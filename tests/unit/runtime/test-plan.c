/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: a pure value, so everything here runs without root on a made-up host.
 */
#include "runtime/child.h"
#include "runtime/parent.h"
#include "test.h"

struct desk {
    struct oci_spec *spec;
    struct runtime_options options;
    struct runtime_facts facts;
    struct cl_error err;
};

static void add_hierarchy(struct runtime_facts *facts, const char *controllers)
{
    struct cgroup_hierarchy *hierarchy = &facts->cgroups.hierarchies[facts->cgroups.count++];
    snprintf(hierarchy->controllers, sizeof hierarchy->controllers, "%s", controllers);
    hierarchy->is_v2 = controllers[0] == '\0';
    hierarchy->root_fd = -EBADF;
}

static void desk_init(struct desk *desk, enum cgroup_layout layout)
{
    static const char *const v1[] = {
        "cpu,cpuacct", "memory", "pids", "devices", "blkio", "cpuset"
    };
    *desk = (struct desk){
        .spec = oci_spec_new_default(),
        .options = { .id = "box",
                     .rootfs = { .path = "/srv/rootfs" },
                     .root_mount = -EBADF,
                     .cgroup_path = "cloche/box" },
        .facts = { .last_capability = 40,
                   .bounding = OCI_CAP_ALL,
                   .has_time_ns = true,
                   .has_cgroup_ns = true,
                   .has_user_ns = true,
                   .is_root = true,
                   .proc_fd = -EBADF,
                   .cgroups = { .layout = layout } },
    };
    for (size_t i = 0; layout != CGROUP_V2 && layout != CGROUP_NONE && i < CL_COUNT(v1); i++)
        add_hierarchy(&desk->facts, v1[i]);
    if (layout == CGROUP_V2 || layout == CGROUP_HYBRID)
        add_hierarchy(&desk->facts, "");
}

static void desk_done(struct desk *desk)
{
    oci_spec_free(desk->spec);
}

static struct runtime_plan *plan_it(struct desk *desk)
{
    struct runtime_plan *plan = NULL;
    desk->err = (struct cl_error){ 0 };
    (void)runtime_plan_new(desk->spec, &desk->options, &desk->facts, &plan, &desk->err);
    return plan;
}

/* The plan is refused, with this text. */
static void check_refused(struct desk *desk, enum cl_kind kind, const char *text)
{
    struct runtime_plan *plan = plan_it(desk);
    CHECK(plan == NULL);
    CHECK_INT(desk->err.kind, kind);
    CHECK_STR(desk->err.text, text);
    runtime_plan_free(plan);
}

static const char *setting(const struct runtime_plan *plan, const char *file)
{
    for (size_t i = 0; plan != NULL && i < plan->setting_count; i++)
        if (strcmp(plan->settings[i].file, file) == 0)
            return plan->settings[i].value;
    return "(none)";
}

/* ---- as a whole ---- */

static const char golden[] =
    "parent  open root file system /srv/rootfs\n"
    "parent  open bind source /srv/data\n"
    "parent  clone with new namespaces time pid\n"
    "parent  make cgroup cloche/box\n"
    "parent  write 67108864 to memory.limit_in_bytes\n"
    "parent  write 100 to pids.max\n"
    "parent  apply 11 device rules\n"
    "init  begin\n"
    "init  make new namespaces uts ipc net mnt\n"
    "init  wait for the parent\n"
    "init  find control group\n"
    "init  join cgroup cloche/box\n"
    "init  make cgroup namespace\n"
    "init  make mounts private\n"
    "init  attach root file system\n"
    "init  mount proc at /proc (nosuid,noexec,nodev)\n"
    "init  mount tmpfs at /dev (nosuid,strictatime,mode=755,size=65536k)\n"
    "init  mount devpts at /dev/pts (nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5)\n"
    "init  mount sysfs at /sys (nosuid,noexec,nodev,ro)\n"
    "init  mount cgroup at /sys/fs/cgroup (nosuid,noexec,nodev,relatime,ro)\n"
    "init  mount mqueue at /dev/mqueue (nosuid,noexec,nodev)\n"
    "init  mount tmpfs at /dev/shm (nosuid,noexec,nodev,mode=1777,size=65536k)\n"
    "init  mount /srv/data at /data (rbind,ro)\n"
    "init  make default devices\n"
    "init  make / where it is missing\n"
    "init  write 1 to /proc/sys/net/ipv4/ip_forward\n"
    "init  make the root file system read-only\n"
    "init  prepare masks\n"
    "init  mask /proc/kcore\n"
    "init  make /proc/sys read-only\n"
    "init  pivot into the root file system\n"
    "init  bring up loopback\n"
    "init  set host name box\n"
    "init  join session keyring _ses.box\n"
    "init  set scheduling\n"
    "init  enter /\n"
    "init  find the home directory\n"
    "init  set umask 0022\n"
    "init  connect streams\n"
    "init  wait for the start\n"
    "parent  start the program\n"
    "init  prepare trampoline\n"
    "init  close other files\n"
    "init  limit RLIMIT_NOFILE to 64:128\n"
    "init  keep capabilities bounding=CHOWN,KILL\n"
    "init  become user 1000 group 10\n"
    "init  die with the parent\n"
    "init  keep capabilities effective=- permitted=- inheritable=- ambient=-\n"
    "init  prepare the program\n"
    "init  set no_new_privs\n"
    "init  execute sh -c exit\n";

static int shorten(char ***list, const char *only)
{
    cl_strv_free(*list);
    *list = NULL;
    return cl_strv_append(list, only);
}

TEST(a_plan_in_words)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V1);
    struct oci_process *process = desk.spec->process;
    const char *const args[] = { "sh", "-c", "exit", NULL };
    int result = oci_args_set(process, args);
    result |= oci_string_set(&desk.spec->hostname, "box");
    result |= oci_mount_add(desk.spec, "/data", NULL, "/srv/data", "rbind", "ro", NULL);
    result |= shorten(&desk.spec->linux_.masked_paths, "/proc/kcore");
    result |= shorten(&desk.spec->linux_.readonly_paths, "/proc/sys");
    result |= oci_map_set(&desk.spec->linux_.sysctl, "net.ipv4.ip_forward", "1");
    result |= oci_rlimit_set(process, RLIMIT_NOFILE, 64, 128);
    result |= oci_capabilities_set(process, UINT64_C(1) << 0 | UINT64_C(1) << 5);
    REQUIRE(result == 0);
    process->capabilities->effective.mask = process->capabilities->permitted.mask = 0;
    process->no_new_privileges = true;
    process->user.uid = 1000;
    process->user.gid = 10;
    desk.spec->root.readonly = true;
    desk.spec->linux_.resources.memory.limit = (struct oci_opt_i64)OCI_SOME(64 << 20);
    desk.spec->linux_.resources.pids_limit = (struct oci_opt_i64)OCI_SOME(100);
    struct runtime_plan *plan = plan_it(&desk);
    if (plan == NULL)
        TEST_SAY("%s", desk.err.text);
    REQUIRE(plan != NULL);
    cl_auto_buf text = CL_BUF_INIT(65536);
    CHECK_INT(runtime_plan_print(plan, &text), 0);
    CHECK_STR(text.data, golden);
    runtime_plan_free(plan);
    desk_done(&desk);
}

/* ---- the steps are those of the tables, in their order ---- */

static const char *step_of(const struct cl_json *steps, size_t index, const char *key)
{
    return cl_json_string_or(cl_json_get(cl_json_at(steps, index), key), "");
}

/* The next of that side from *at on must have this name, and a sentence and calls. */
static void check_next(const struct cl_json *steps, const char *side, size_t *at, const char *name)
{
    while (*at < cl_json_count(steps) &&
           (!cl_streq(step_of(steps, *at, "side"), side) ||
            cl_streq(step_of(steps, *at, "name"), "start the program")))
        ++*at;
    CHECK_STR(*at < cl_json_count(steps) ? step_of(steps, *at, "name") : "(end)", name);
    if (*at >= cl_json_count(steps))
        return;
    CHECK(step_of(steps, *at, "purpose")[0] != '\0');
    CHECK(cl_json_count(cl_json_get(cl_json_at(steps, *at), "calls")) > 0);
    CHECK_INT(cl_json_type(cl_json_get(cl_json_at(steps, *at), "what")), CL_JSON_ARRAY);
    ++*at;
}

static void check_steps(struct desk *desk, const struct child *known)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    struct runtime_plan *plan = plan_it(desk);
    if (plan == NULL)
        TEST_SAY("%s", desk->err.text);
    REQUIRE(plan != NULL && runtime_plan_json(plan, &json) >= 0);
    const struct cl_json *steps = cl_json_get(json, "steps");
    const struct runtime_io io = { .terminal = desk->spec->process->terminal };
    struct child child = *known;
    child.plan = plan;
    child.process = &plan->process;
    child.io = &io;
    size_t at = 0, wanted = 1; /* "start the program" */
    for (size_t i = 0; i < parent_step_count; i++)
        if (parent_steps[i].is_needed == NULL || parent_steps[i].is_needed(plan)) {
            check_next(steps, "parent", &at, parent_steps[i].name);
            wanted++;
        }
    at = 0;
    for (size_t i = 0; i < init_step_count; i++)
        if (init_steps[i].is_needed == NULL || init_steps[i].is_needed(&child)) {
            check_next(steps, "init", &at, init_steps[i].name);
            wanted++;
        }
    CHECK_INT(cl_json_count(steps), wanted);
    runtime_plan_free(plan);
}

TEST(no_step_runs_that_the_plan_lacks_and_none_is_told_that_does_not_run)
{
    static const struct cgroup group;
    struct child known = { .cgroup = &group };
    struct desk desk;
    desk_init(&desk, CGROUP_V2);
    check_steps(&desk, &known);
    desk.spec->process->terminal = true;
    desk.options.is_started_later = true;
    desk.spec->process->oom_score_adj = (struct oci_opt_i32)OCI_SOME(100);
    REQUIRE(oci_map_set(&desk.spec->linux_.sysctl, "net.ipv4.ip_forward", "1") >= 0);
    check_steps(&desk, &known);
    desk.options.cgroup_path = NULL;
    known.cgroup = NULL;
    oci_resources_done(&desk.spec->linux_.resources);
    desk.spec->linux_.resources = (struct oci_resources){ 0 };
    REQUIRE(oci_namespace_remove(desk.spec, OCI_NS_CGROUP));
    check_steps(&desk, &known);
    /* An ordinary user, whose init is born of a process between. */
    desk.facts.is_root = false;
    REQUIRE(oci_namespace_add(desk.spec, OCI_NS_USER, NULL) >= 0);
    REQUIRE(oci_id_mapping_add(&desk.spec->linux_.uid_mappings, 0, 100000, 1000) >= 0);
    REQUIRE(oci_id_mapping_add(&desk.spec->linux_.gid_mappings, 0, 100000, 1000) >= 0);
    REQUIRE(oci_namespace_remove(desk.spec, OCI_NS_IPC));
    REQUIRE(oci_namespace_add(desk.spec, OCI_NS_IPC, "/proc/1/ns/ipc") >= 0);
    known.opens_itself = known.has_joined = true;
    check_steps(&desk, &known);
    desk_done(&desk);
}

TEST(a_default_filter_is_part_of_it)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V2);
    desk.options.use_default_seccomp = true;
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    CHECK(plan->process.filter.count > 10);
    runtime_plan_free(plan);
    desk_done(&desk);
}

/* ---- paths ---- */

TEST(paths_are_cleaned_as_text)
{
    static const char *const table[][2] = {
        { "/", "/" },
        { "", "/" },
        { "a", "/a" },
        { "/a//b/", "/a/b" },
        { "/a/./b", "/a/b" },
        { "/a/../b", "/b" },
        { "/../..", "/" },
        { "/..a/...", "/..a/..." },
        { "//a/b/../../c", "/c" },
    };
    for (size_t i = 0; i < CL_COUNT(table); i++) {
        cl_auto_free char *clean = plan_clean_path(table[i][0]);
        CHECK_STR(clean, table[i][1]);
    }
}

/* ---- control groups ---- */

TEST(shares_become_weights_as_with_runc_and_crun)
{
    static const uint64_t table[][2] = {
        { 0, 1 },    { 2, 1 },      { 1024, 100 },     { 262144, 10000 },
        { 512, 59 }, { 2048, 174 }, { 999999, 10000 },
    };
    for (size_t i = 0; i < CL_COUNT(table); i++)
        CHECK_INT(plan_cpu_weight(table[i][0]), table[i][1]);
    for (uint64_t shares = 3; shares < 262144; shares += 97) /* never falls */
        if (plan_cpu_weight(shares) < plan_cpu_weight(shares - 1))
            TEST_SAY("the weight of %llu is below that of its predecessor",
                     (unsigned long long)shares);
    CHECK_INT(plan_io_weight(10), 1);
    CHECK_INT(plan_io_weight(100), 910);
    CHECK_INT(plan_io_weight(1000), 10000);
}

static void set_limits(struct oci_resources *resources)
{
    resources->memory.limit = (struct oci_opt_i64)OCI_SOME(1 << 20);
    resources->memory.swap = (struct oci_opt_i64)OCI_SOME(3 << 20);
    resources->memory.reservation = (struct oci_opt_i64)OCI_SOME(-1);
    resources->cpu.shares = (struct oci_opt_u64)OCI_SOME(1024);
    resources->cpu.quota = (struct oci_opt_i64)OCI_SOME(50000);
    resources->cpu.period = (struct oci_opt_u64)OCI_SOME(100000);
    resources->pids_limit = (struct oci_opt_i64)OCI_SOME(0);
    resources->block_io.weight = (struct oci_opt_u32)OCI_SOME(500);
}

TEST(limits_on_cgroup_v1)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V1);
    set_limits(&desk.spec->linux_.resources);
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    CHECK_STR(setting(plan, "memory.limit_in_bytes"), "1048576");
    CHECK_STR(setting(plan, "memory.memsw.limit_in_bytes"), "3145728");
    CHECK_STR(setting(plan, "memory.soft_limit_in_bytes"), "-1");
    CHECK_STR(setting(plan, "cpu.shares"), "1024");
    CHECK_STR(setting(plan, "cpu.cfs_quota_us"), "50000");
    CHECK_STR(setting(plan, "cpu.cfs_period_us"), "100000");
    CHECK_STR(setting(plan, "pids.max"), "1"); /* the spec's 0: init alone */
    CHECK_STR(setting(plan, "blkio.bfq.weight"), "500");
    runtime_plan_free(plan);
    desk_done(&desk);
}

TEST(limits_on_cgroup_v2)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V2);
    set_limits(&desk.spec->linux_.resources);
    CHECK_INT(oci_map_set(&desk.spec->linux_.resources.unified, "memory.high", "900000"), 0);
    CHECK_INT(oci_map_set(&desk.spec->linux_.resources.unified, "cpuset.cpus", ""), 0);
    CHECK_INT(
        oci_map_set(&desk.spec->linux_.resources.unified, "io.max", "8:0 rbps=1\n8:16 rbps=2\n"),
        0);
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    CHECK_STR(setting(plan, "memory.max"), "1048576");
    CHECK_STR(setting(plan, "memory.swap.max"), "2097152");
    CHECK_STR(setting(plan, "memory.low"), "max");
    CHECK_STR(setting(plan, "memory.high"), "900000");
    CHECK_STR(setting(plan, "cpu.weight"), "100");
    CHECK_STR(setting(plan, "cpu.max"), "50000 100000");
    CHECK_STR(setting(plan, "pids.max"), "1"); /* the spec's 0: init alone */
    CHECK_STR(setting(plan, "io.bfq.weight"), "500");
    CHECK_STR(setting(plan, "cpuset.cpus"), "\n");
    CHECK_STR(setting(plan, "io.max"), "8:0 rbps=1"); /* a write for each line */
    CHECK_STR(plan->settings[plan->setting_count - 1].value, "8:16 rbps=2");
    runtime_plan_free(plan);
    desk_done(&desk);
}

TEST(no_kernel_memory_limit_is_what_v2_has)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V2);
    desk.spec->linux_.resources.memory.kernel = (struct oci_opt_i64)OCI_SOME(-1);
    desk.spec->linux_.resources.memory.kernel_tcp = (struct oci_opt_i64)OCI_SOME(-1);
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    CHECK_INT((int)plan->setting_count, 0);
    runtime_plan_free(plan);
    desk_done(&desk);
    desk_init(&desk, CGROUP_V2);
    desk.spec->linux_.resources.memory.kernel_tcp = (struct oci_opt_i64)OCI_SOME(1 << 20);
    check_refused(&desk, CL_KIND_UNSUPPORTED,
                  "linux.resources.memory.kernelTCP: cgroup v2 has no such limit");
    desk_done(&desk);
}
TEST(what_one_version_can_not_do_is_an_error_there)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V1);
    desk.spec->linux_.resources.cpu.shares = (struct oci_opt_u64)OCI_SOME(262145);
    check_refused(&desk, CL_KIND_UNSUPPORTED,
                  "linux.resources.cpu.shares: cgroup v1 takes 2 to 262144");
    desk_done(&desk);
    desk_init(&desk, CGROUP_V2);
    desk.spec->linux_.resources.memory.swappiness = (struct oci_opt_u64)OCI_SOME(10);
    check_refused(&desk, CL_KIND_UNSUPPORTED,
                  "linux.resources.memory.swappiness: cgroup v2 has no such setting");
    desk_done(&desk);
    desk_init(&desk, CGROUP_V1);
    CHECK_INT(oci_map_set(&desk.spec->linux_.resources.unified, "memory.high", "1"), 0);
    check_refused(&desk, CL_KIND_UNSUPPORTED,
                  "linux.resources.unified[\"memory.high\"]: this host has no cgroup v2 with that "
                  "controller");
    desk_done(&desk);
    desk_init(&desk, CGROUP_V2);
    CHECK_INT(oci_map_set(&desk.spec->linux_.resources.unified, "../memory.high", "1"), 0);
    struct runtime_plan *plan = plan_it(&desk);
    CHECK(plan == NULL);
    CHECK_CONTAINS(desk.err.text, "linux.resources.unified");
    desk_done(&desk);
}

TEST(limits_without_cgroups_are_refused_not_ignored)
{
    struct desk desk;
    desk_init(&desk, CGROUP_NONE);
    CHECK(oci_mount_remove(desk.spec, "/sys/fs/cgroup"));
    struct runtime_plan *plan = plan_it(&desk);
    CHECK(plan != NULL);
    runtime_plan_free(plan);
    desk.spec->linux_.resources.pids_limit = (struct oci_opt_i64)OCI_SOME(5);
    check_refused(&desk, CL_KIND_UNSUPPORTED,
                  "linux.resources.pids.limit: no cgroup hierarchy is mounted on this host");
    desk_done(&desk);
}

/* ---- refusals ---- */

TEST(what_the_kernel_lacks_is_refused_by_name)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V1);
    desk.facts.has_time_ns = false;
    check_refused(&desk, CL_KIND_UNSUPPORTED,
                  "linux.namespaces[6]: this kernel has no time namespaces");
    desk_done(&desk);
}

TEST(an_ordinary_user_is_told)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V1);
    desk.facts.is_root = false;
    check_refused(&desk, CL_KIND_DENIED,
                  "linux.namespaces: a container of an ordinary user needs a user namespace (see "
                  "cloche-runtime spec --rootless)");
    desk_done(&desk);
}

/* ---- user namespaces ---- */

static void map_ids(struct desk *desk, uint32_t container, uint32_t host, uint32_t size)
{
    CHECK_INT(oci_id_mapping_add(&desk->spec->linux_.uid_mappings, container, host, size), 0);
    CHECK_INT(oci_id_mapping_add(&desk->spec->linux_.gid_mappings, container, host, size), 0);
}

static void desk_init_user_ns(struct desk *desk)
{
    desk_init(desk, CGROUP_V1);
    CHECK_INT(oci_namespace_add(desk->spec, OCI_NS_USER, NULL), 0);
}

TEST(a_user_namespace_in_words)
{
    struct desk desk;
    cl_auto_buf text = CL_BUF_INIT(1 << 16);
    desk_init_user_ns(&desk);
    map_ids(&desk, 0, 100000, 1000);
    map_ids(&desk, 1000, 1000, 1);
    desk.facts.is_root = false;
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    CHECK(plan->new_user_ns && plan->process.has_user_ns && !plan->joins_user_ns);
    CHECK((plan->clone_flags & CLONE_NEWUSER) != 0);
    CHECK(runtime_plan_print(plan, &text) >= 0);
    CHECK_CONTAINS(text.data, "parent  map users 0 to 100000 (1000), 1000 to 1000 (1)\n");
    CHECK_CONTAINS(text.data, "parent  map groups 0 to 100000 (1000), 1000 to 1000 (1)\n");
    CHECK_CONTAINS(text.data, "init  become root of the user namespace\n");
    CHECK_CONTAINS(text.data, "init  open root file system /srv/rootfs\n");
    runtime_plan_free(plan);
    desk_done(&desk);
}

TEST(a_map_as_the_kernel_takes_it)
{
    struct oci_id_mappings map = { 0 };
    cl_auto_buf text = CL_BUF_INIT(1 << 16);
    CHECK_INT(oci_id_mapping_add(&map, 0, 1000, 1), 0);
    CHECK_INT(oci_id_mapping_add(&map, 1, 100000, 65536), 0);
    CHECK(plan_id_map_text(&map, &text) >= 0);
    CHECK_STR(text.data, "0 1000 1\n1 100000 65536\n");
    CHECK(plan_maps_id(&map, 0) && plan_maps_id(&map, 65536) && !plan_maps_id(&map, 65537));
    free(map.items);
}

TEST(maps_that_no_kernel_takes)
{
    struct desk desk;
    desk_init_user_ns(&desk);
    check_refused(&desk, CL_KIND_INVALID,
                  "config.json: linux.uidMappings: a new user namespace needs mappings");
    map_ids(&desk, 1, 100000, 10);
    check_refused(&desk, CL_KIND_INVALID, "process.user.uid: 0 is not mapped by linux.uidMappings");
    desk.spec->process->user.uid = 1;
    check_refused(&desk, CL_KIND_INVALID, "process.user.gid: 0 is not mapped by linux.gidMappings");
    desk.spec->process->user.gid = 1;
    CHECK_INT(oci_gid_add(&desk.spec->process->user, 44), 0);
    check_refused(&desk, CL_KIND_INVALID,
                  "process.user.additionalGids: 44 is not mapped by linux.gidMappings");
    map_ids(&desk, 5, 200000, 10);
    check_refused(&desk, CL_KIND_INVALID,
                  "config.json: linux.uidMappings[1]: overlaps with entry 0");
    desk_done(&desk);
    desk_init_user_ns(&desk);
    map_ids(&desk, 0, 4294967295u, 1);
    check_refused(&desk, CL_KIND_INVALID,
                  "config.json: linux.uidMappings[0]: reaches beyond the highest id, 4294967294");
    desk_done(&desk);
    desk_init_user_ns(&desk);
    map_ids(&desk, 0, 100000, 0);
    check_refused(&desk, CL_KIND_INVALID,
                  "config.json: linux.uidMappings[0]: size must be greater than 0");
    desk_done(&desk);
    desk_init_user_ns(&desk);
    for (uint32_t i = 0; i < 340; i++)
        map_ids(&desk, i * 2, 100000 + i * 2, 1);
    check_refused(&desk, CL_KIND_INVALID,
                  "linux.uidMappings: 340 mappings are 4365 bytes as text, the kernel takes less "
                  "than 4096: join neighbouring ranges");
    desk_done(&desk);
    desk_init_user_ns(&desk);
    for (uint32_t i = 0; i < 341; i++)
        map_ids(&desk, i, i, 1);
    check_refused(&desk, CL_KIND_INVALID,
                  "config.json: linux.uidMappings: the kernel takes at most 340 mappings");
    desk_done(&desk);
}

/* Whoever is first in a user namespace has them all, though we have none. */
TEST(in_a_user_namespace_every_capability_can_be_granted)
{
    struct desk desk;
    desk_init_user_ns(&desk);
    map_ids(&desk, 0, 1000, 1);
    desk.facts.is_root = false;
    desk.facts.bounding = 0;
    CHECK_INT(oci_capabilities_set(desk.spec->process, OCI_CAP_ALL), 0);
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    CHECK(plan->process.bounding == OCI_CAP_ALL);
    CHECK(runtime_plan_warnings(plan) == NULL);
    runtime_plan_free(plan);
    desk_done(&desk);
}

TEST(devices_of_a_user_namespace_are_the_hosts)
{
    struct desk desk;
    struct oci_device fuse = {
        .type = OCI_DEVICE_CHAR, .major = 10, .minor = 229, .file_mode = OCI_SOME(0600)
    };
    desk_init_user_ns(&desk);
    map_ids(&desk, 0, 1000, 1);
    fuse.path = cl_strdup("/dev/fuse");
    CHECK_INT(oci_device_add(desk.spec, &fuse), 0);
    free(fuse.path);
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL && runtime_plan_warnings(plan) != NULL);
    CHECK_STR(runtime_plan_warnings(plan)[0], "linux.devices[0]: in a user namespace /dev/fuse is "
                                              "the host's own node, with its mode and owner");
    runtime_plan_free(plan);
    desk_done(&desk);
}

TEST(what_is_joined_and_how_the_root_is_entered)
{
    struct desk desk;
    cl_auto_buf text = CL_BUF_INIT(1 << 16);
    desk_init(&desk, CGROUP_V1);
    CHECK(oci_namespace_remove(desk.spec, OCI_NS_MOUNT));
    CHECK_INT(oci_namespace_add(desk.spec, OCI_NS_MOUNT, "/proc/1/ns/mnt"), 0);
    CHECK_INT(oci_namespace_add(desk.spec, OCI_NS_USER, "/proc/1/ns/user"), 0);
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    CHECK(plan->joins_user_ns && plan->joins_mount_ns && plan->moves_root && !plan->new_user_ns);
    CHECK(runtime_plan_print(plan, &text) >= 0);
    CHECK_CONTAINS(text.data, "between  join user namespace /proc/1/ns/user\n");
    CHECK_CONTAINS(text.data, "init  change into the root file system\n");
    runtime_plan_free(plan);
    desk_done(&desk);
}

TEST(our_own_user_namespace_is_not_joined)
{
    struct desk desk;
    struct oci_linux *linux_;
    desk_init(&desk, CGROUP_V1);
    linux_ = &desk.spec->linux_;
    CHECK_INT(oci_namespace_add(desk.spec, OCI_NS_USER, "/proc/1/ns/user"), 0);
    CHECK_INT(oci_id_mapping_add(&linux_->uid_mappings, 0, 0, 65536), 0);
    CHECK_INT(oci_id_mapping_add(&linux_->gid_mappings, 0, 0, 65536), 0);
    desk.facts.is_user_ns_own = true;
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    CHECK(plan->join_count == 0 && !plan->joins_user_ns && !plan->new_user_ns);
    CHECK(!plan->process.has_user_ns);
    runtime_plan_free(plan);
    linux_->gid_mappings.items[0].host_id = 1000;
    check_refused(&desk, CL_KIND_INVALID,
                  "linux.gidMappings: the user namespace that is joined is our own, where each id "
                  "is itself, and not 0 is 1000");
    desk_done(&desk);
}

static const char *option_of(const struct plan_mount *mount, const char *key)
{
    for (size_t i = 0; i < mount->option_count; i++)
        if (cl_streq(mount->options[i].key, key))
            return mount->options[i].value;
    return NULL;
}

TEST(a_mount_label_is_the_context_of_file_systems_that_take_it)
{
    struct desk desk;
    const char label[] = "system_u:object_r:container_file_t:s0:c1,c2";
    desk_init(&desk, CGROUP_V1);
    CHECK_INT(oci_string_set(&desk.spec->linux_.mount_label, label), 0);
    CHECK_INT(oci_mount_add(desk.spec, "/own", "tmpfs", "tmpfs", "context=a", NULL), 0);
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct plan_mount *mount = &plan->mounts[i];
        bool takes_it = cl_streq(mount->type, "tmpfs") || cl_streq(mount->type, "devpts");
        const char *context = option_of(mount, "context");
        if (cl_streq(mount->target, "/own"))
            CHECK_STR(context, "a");
        else if (takes_it)
            CHECK_STR(context, label);
        else
            CHECK(context == NULL);
    }
    runtime_plan_free(plan);
    desk_done(&desk);
}

TEST(mounts_that_make_no_sense)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V1);
    CHECK_INT(oci_mount_add(desk.spec, "/data", NULL, "data", "bind", NULL), 0);
    check_refused(&desk, CL_KIND_INVALID,
                  "mounts[7].source: is relative, and there is no bundle directory");
    desk.options.bundle = "/bundle";
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    CHECK_STR(plan->mounts[7].source, "/bundle/data");
    runtime_plan_free(plan);
    desk_done(&desk);
    desk_init(&desk, CGROUP_V1);
    /* Other runtimes pass over it, and OCI's own validation asks for that. */
    CHECK_INT(oci_mount_add(desk.spec, "/data", NULL, "/data", "bind", "size=5", NULL), 0);
    plan = plan_it(&desk);
    REQUIRE(plan != NULL && runtime_plan_warnings(plan) != NULL);
    CHECK_STR(runtime_plan_warnings(plan)[0],
              "mounts[7].options: a bind mount has no use for \"size=5\"");
    runtime_plan_free(plan);
    desk_done(&desk);
    desk_init(&desk, CGROUP_V1);
    CHECK_INT(oci_mount_add(desk.spec, "/proc/sys", "tmpfs", "tmpfs", NULL), 0);
    check_refused(&desk, CL_KIND_INVALID,
                  "mounts[7].destination: \"/proc/sys\" can't be mounted: what covers /proc could "
                  "lie for the kernel");
    desk_done(&desk);
}

TEST(ids_are_checked)
{
    static const char *const bad[] = { "", ".", "..", "a/b", "../x", "a b", "a\nb", "ä", NULL };
    struct desk desk;
    desk_init(&desk, CGROUP_V1);
    for (size_t i = 0; bad[i] != NULL; i++) {
        desk.options.id = bad[i];
        struct runtime_plan *plan = plan_it(&desk);
        if (plan != NULL)
            TEST_SAY("id \"%s\" was taken", bad[i]);
        runtime_plan_free(plan);
    }
    desk.options.id = "web-1_a.b+c";
    struct runtime_plan *plan = plan_it(&desk);
    CHECK(plan != NULL);
    runtime_plan_free(plan);
    desk_done(&desk);
}

/* ---- capabilities ---- */

TEST(what_can_not_be_granted_is_left_out_with_a_warning)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V1);
    desk.facts.bounding =
        OCI_CAP_ALL & ~(UINT64_C(1) << 24); /* no SYS_RESOURCE, as on the machine of the tests */
    CHECK_INT(oci_capabilities_set(desk.spec->process, OCI_CAP_ALL), 0);
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    CHECK(plan->process.bounding == desk.facts.bounding);
    const char *const *warnings = runtime_plan_warnings(plan);
    REQUIRE(warnings != NULL);
    CHECK_STR(warnings[0], "process.capabilities.bounding: CAP_SYS_RESOURCE can't be granted: we "
                           "do not have it ourselves");
    CHECK(warnings[1] == NULL);
    runtime_plan_free(plan);
    desk_done(&desk);
}

TEST(capability_sets_that_contradict_each_other)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V1);
    /* Not ambient: the kernel would not raise it, and Buildah lists it. */
    desk.spec->process->capabilities->ambient.mask = 1;
    struct runtime_plan *plan = plan_it(&desk);
    REQUIRE(plan != NULL);
    CHECK(plan->process.ambient == 0);
    runtime_plan_free(plan);
    desk.spec->process->capabilities->permitted.mask = 0;
    check_refused(&desk, CL_KIND_INVALID,
                  "process.capabilities.effective: holds what "
                  "process.capabilities.permitted lacks");
    desk_done(&desk);
}

static void check_words(struct desk *desk, const char *words, bool are_there)
{
    cl_auto_buf text = CL_BUF_INIT(1 << 20);
    struct runtime_plan *plan = plan_it(desk);
    if (plan == NULL)
        TEST_SAY("%s", desk->err.text);
    else if (runtime_plan_print(plan, &text) < 0 || (strstr(text.data, words) != NULL) != are_there)
        TEST_SAY("%s: %s", are_there ? "missing" : "not expected", words);
    runtime_plan_free(plan);
}

/* config-linux.md "Cgroup ownership": each condition by itself. */
TEST(whose_the_control_group_is)
{
    struct desk desk;
    desk_init(&desk, CGROUP_V2);
    struct oci_spec *spec = desk.spec;
    int result = oci_id_mapping_add(&spec->linux_.uid_mappings, 0, 200000, 1000);
    result |= oci_id_mapping_add(&spec->linux_.gid_mappings, 0, 200000, 1000);
    result |= oci_namespace_add(spec, OCI_NS_USER, NULL);
    (void)oci_mount_remove(spec, "/sys/fs/cgroup");
    result |= oci_mount_add(spec, "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", NULL);
    REQUIRE(result == 0);
    desk.facts.has_user_ns = true;
    spec->process->user.uid = 7;
    const char *const gives = "parent  give the cgroup to user 200007\n";
    check_words(&desk, gives, true);
    desk.facts.cgroups.layout = CGROUP_HYBRID;
    check_words(&desk, gives, false);
    desk.facts.cgroups.layout = CGROUP_V2;
    (void)oci_namespace_remove(spec, OCI_NS_CGROUP);
    check_words(&desk, gives, false);
    CHECK_INT(oci_namespace_add(spec, OCI_NS_CGROUP, NULL), 0);
    struct oci_mount *mount = &spec->mounts[spec->mount_count - 1];
    CHECK_INT(cl_strv_append(&mount->options, "ro"), 0);
    check_words(&desk, gives, false);
    desk_done(&desk);
}

TEST_MAIN
