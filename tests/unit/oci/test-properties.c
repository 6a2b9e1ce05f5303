/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value that is wrong for each property of a config.json: unknown words, numbers out of range, what contradicts itself. The error names the property's path.
 */
#include "oci/names.h"
#include "oci/oci.h"
#include "test.h"

/* A document with every namespace but user; %s: more members of process, of linux, of the whole. */
#define DOCUMENT                                                                                   \
    "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},"                                    \
    "\"process\":{\"cwd\":\"/\",\"args\":[\"true\"]%s%s},"                                         \
    "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"network\"},"   \
    "{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"cgroup\"},{\"type\":\"time\"}]%s%s}%s%s}"

enum place { PROCESS, LINUX, TOP };
static const struct row {
    enum place place;
    const char *json, *path;
} rows[] = {
    /* process */
    { PROCESS, "\"terminal\":1", "process.terminal" },
    { PROCESS, "\"terminal\":true,\"consoleSize\":{\"height\":70000,\"width\":1}",
      "process.consoleSize" },
    { PROCESS, "\"consoleSize\":{\"height\":-1,\"width\":1}", "process.consoleSize.height" },
    { PROCESS, "\"env\":[1]", "process.env[0]" },
    { PROCESS, "\"user\":{\"uid\":-1,\"gid\":0}", "process.user.uid" },
    { PROCESS, "\"user\":{\"uid\":4294967295,\"gid\":0}", "process.user.uid" },
    { PROCESS, "\"user\":{\"uid\":0,\"gid\":4294967295}", "process.user.gid" },
    { PROCESS, "\"user\":{\"uid\":0,\"gid\":0,\"umask\":512}", "process.user.umask" },
    { PROCESS, "\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[4294967296]}",
      "process.user.additionalGids[0]" },
    { PROCESS, "\"rlimits\":[{\"type\":\"RLIMIT_WISHES\",\"soft\":1,\"hard\":1}]",
      "process.rlimits[0].type" },
    { PROCESS, "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":2,\"hard\":1}]",
      "process.rlimits[0]" },
    { PROCESS, "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":-1,\"hard\":1}]",
      "process.rlimits[0].soft" },
    { PROCESS, "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1}]", "process.rlimits[0].hard" },
    { PROCESS, "\"apparmorProfile\":1", "process.apparmorProfile" },
    { PROCESS, "\"selinuxLabel\":1", "process.selinuxLabel" },
    { PROCESS, "\"noNewPrivileges\":\"yes\"", "process.noNewPrivileges" },
    { PROCESS, "\"capabilities\":{\"bounding\":\"CAP_CHOWN\"}", "process.capabilities.bounding" },
    { PROCESS, "\"capabilities\":{\"effective\":[1]}", "process.capabilities.effective[0]" },
    { PROCESS, "\"capabilities\":{\"inheritable\":[1]}", "process.capabilities.inheritable[0]" },
    { PROCESS, "\"capabilities\":{\"permitted\":[1]}", "process.capabilities.permitted[0]" },
    { PROCESS, "\"capabilities\":{\"ambient\":[1]}", "process.capabilities.ambient[0]" },
    { PROCESS, "\"oomScoreAdj\":1001", "process.oomScoreAdj" },
    { PROCESS, "\"scheduler\":{\"policy\":\"SCHED_LUCK\"}", "process.scheduler.policy" },
    { PROCESS, "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":20}", "process.scheduler.nice" },
    { PROCESS, "\"scheduler\":{\"policy\":\"SCHED_RR\",\"priority\":100}",
      "process.scheduler.priority" },
    { PROCESS, "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"flags\":[\"SCHED_FLAG_X\"]}",
      "process.scheduler.flags[0]" },
    { PROCESS, "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"runtime\":-1}",
      "process.scheduler.runtime" },
    { PROCESS, "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":2,\"deadline\":1}",
      "process.scheduler" },
    { PROCESS, "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"period\":\"1\"}",
      "process.scheduler.period" },
    { PROCESS, "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_X\",\"priority\":1}",
      "process.ioPriority.class" },
    { PROCESS, "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}",
      "process.ioPriority.priority" },
    { PROCESS, "\"execCPUAffinity\":{\"initial\":\"3-1\"}", "process.execCPUAffinity.initial" },
    { PROCESS, "\"execCPUAffinity\":{\"final\":\"0,65536\"}", "process.execCPUAffinity.final" },
    /* linux */
    { LINUX, "\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]", "linux.uidMappings" },
    { LINUX, "\"timeOffsets\":{\"lunar\":{\"secs\":1}}", "linux.timeOffsets[\"lunar\"]" },
    { LINUX, "\"timeOffsets\":{\"monotonic\":{\"nanosecs\":1000000000}}",
      "linux.timeOffsets[\"monotonic\"]" },
    { LINUX, "\"devices\":[{\"type\":\"x\",\"path\":\"/dev/x\",\"major\":1,\"minor\":1}]",
      "linux.devices[0].type" },
    { LINUX, "\"devices\":[{\"type\":\"c\",\"path\":\"dev/x\",\"major\":1,\"minor\":1}]",
      "linux.devices[0].path" },
    { LINUX, "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/x\",\"major\":4096,\"minor\":1}]",
      "linux.devices[0]" },
    { LINUX,
      "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/x\",\"major\":1,\"minor\":1,\"fileMode\":-1}]",
      "linux.devices[0].fileMode" },
    { LINUX,
      "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/"
      "x\",\"major\":1,\"minor\":1,\"fileMode\":65536}]",
      "linux.devices[0].fileMode" },
    { LINUX, "\"netDevices\":{\"eth0\":{\"name\":\"a b\"}}", "linux.netDevices[\"eth0\"]" },
    { LINUX, "\"cgroupsPath\":\"/a/../b\"", "linux.cgroupsPath" },
    { LINUX, "\"rootfsPropagation\":\"upwards\"", "linux.rootfsPropagation" },
    { LINUX, "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_X\"}", "linux.seccomp.defaultAction" },
    { LINUX,
      "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X\"]}",
      "linux.seccomp.architectures[0]" },
    { LINUX,
      "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_X\"]}",
      "linux.seccomp.flags[0]" },
    { LINUX, "\"sysctl\":{\"kernel.panic\":\"1\"}", "linux.sysctl[\"kernel.panic\"]" },
    { LINUX, "\"maskedPaths\":[\"proc/kcore\"]", "linux.maskedPaths[0]" },
    { LINUX, "\"readonlyPaths\":[\"proc/sys\"]", "linux.readonlyPaths[0]" },
    { LINUX, "\"mountLabel\":1", "linux.mountLabel" },
    { LINUX, "\"intelRdt\":{\"closID\":\"a/b\"}", "linux.intelRdt.closID" },
    { LINUX, "\"intelRdt\":{\"l3CacheSchema\":\"L3:0=f\\nMB:0=1\"}",
      "linux.intelRdt.l3CacheSchema" },
    { LINUX, "\"intelRdt\":{\"memBwSchema\":\"L3:0=f\"}", "linux.intelRdt.memBwSchema" },
    { LINUX, "\"intelRdt\":{\"schemata\":[\"a\\nb\"]}", "linux.intelRdt.schemata[0]" },
    { LINUX, "\"intelRdt\":{\"enableMonitoring\":1}", "linux.intelRdt.enableMonitoring" },
    { LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_X\"}", "linux.memoryPolicy.mode" },
    { LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\"}", "linux.memoryPolicy.nodes" },
    { LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0-1024\"}",
      "linux.memoryPolicy.nodes" },
    { LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_LOCAL\",\"nodes\":\"0\"}",
      "linux.memoryPolicy.nodes" },
    { LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_X\"]}",
      "linux.memoryPolicy.flags[0]" },
    { LINUX, "\"memoryPolicy\":{\"mode\":\"MPOL_DEFAULT\",\"flags\":[\"MPOL_F_NUMA_BALANCING\"]}",
      "linux.memoryPolicy.flags" },
    { LINUX, "\"personality\":{\"domain\":\"PER_SVR4\"}", "linux.personality.domain" },
    { LINUX, "\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"ADDR_NO_RANDOMIZE\"]}",
      "linux.personality.flags" },
    { LINUX, "\"resources\":{\"memory\":{\"limit\":\"1g\"}}", "linux.resources.memory.limit" },
    { LINUX, "\"resources\":{\"memory\":{\"swappiness\":101}}",
      "linux.resources.memory.swappiness" },
    { LINUX, "\"resources\":{\"cpu\":{\"cpus\":\"1-\"}}", "linux.resources.cpu.cpus" },
    { LINUX, "\"resources\":{\"cpu\":{\"mems\":\"x\"}}", "linux.resources.cpu.mems" },
    { LINUX, "\"resources\":{\"cpu\":{\"shares\":-1}}", "linux.resources.cpu.shares" },
    { LINUX, "\"resources\":{\"cpu\":{\"idle\":2}}", "linux.resources.cpu.idle" },
    { LINUX, "\"resources\":{\"pids\":{\"limit\":\"many\"}}", "linux.resources.pids.limit" },
    { LINUX, "\"resources\":{\"blockIO\":{\"weight\":5}}", "linux.resources.blockIO" },
    { LINUX, "\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2XB\",\"limit\":1}]}",
      "linux.resources.hugepageLimits[0].pageSize" },
    { LINUX, "\"resources\":{\"network\":{\"classID\":-1}}", "linux.resources.network.classID" },
    { LINUX, "\"resources\":{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":-1}}}",
      "linux.resources.rdma[\"mlx5_1\"].hcaHandles" },
    { LINUX, "\"resources\":{\"devices\":[{\"allow\":true,\"type\":\"x\"}]}",
      "linux.resources.devices[0].type" },
    { LINUX, "\"resources\":{\"devices\":[{\"allow\":true,\"access\":\"rwx\"}]}",
      "linux.resources.devices[0]: access" },
    { LINUX, "\"resources\":{\"unified\":{\"memory.high\":1}}", "linux.resources.unified" },
    /* the rest */
    { TOP, "\"hostname\":\"12345678901234567890123456789012345678901234567890123456789012345\"",
      "hostname" },
    { TOP, "\"domainname\":1", "domainname" },
    { TOP, "\"mounts\":[{\"destination\":\"/a/../b\",\"type\":\"tmpfs\"}]",
      "mounts[0].destination" },
    { TOP, "\"mounts\":[{\"destination\":\"/a\"}]", "mounts[0].type" },
    { TOP, "\"mounts\":[{\"destination\":\"/a\",\"options\":[\"rbind\"]}]", "mounts[0].source" },
    { TOP,
      "\"mounts\":[{\"destination\":\"/a\",\"source\":\"/\",\"options\":[\"bind\",\"tmpcopyup\"]}]",
      "mounts[0].options" },
    { TOP,
      "\"mounts\":[{\"destination\":\"/a\",\"source\":\"/\",\"options\":[\"bind\",\"idmap\"]}]",
      "mounts[0]" },
    { TOP,
      "\"mounts\":[{\"destination\":\"/a\",\"source\":\"/"
      "\",\"options\":[\"bind\",\"idmap=uids=0-0-1\"]}]",
      "mounts[0].options" },
    { TOP,
      "\"mounts\":[{\"destination\":\"/"
      "a\",\"type\":\"tmpfs\",\"options\":[\"idmap=uids=0-0-1;gids=0-0-1\"]}]",
      "mounts[0].options" },
    { TOP,
      "\"mounts\":[{\"destination\":\"/a\",\"source\":\"/"
      "\",\"options\":[\"bind\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]}]",
      "mounts[0]" },
    { TOP,
      "\"mounts\":[{\"destination\":\"/a\",\"source\":\"/"
      "\",\"options\":[\"bind\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":0}],"
      "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]}]",
      "mounts[0].uidMappings[0]" },
    { TOP, "\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}", "hooks.prestart[0].path" },
    { TOP, "\"hooks\":{\"createRuntime\":[{\"path\":\"x\"}]}", "hooks.createRuntime[0].path" },
    { TOP, "\"hooks\":{\"createContainer\":[{\"path\":\"/x\",\"args\":[1]}]}",
      "hooks.createContainer[0].args[0]" },
    { TOP, "\"hooks\":{\"startContainer\":[{\"path\":\"/x\",\"env\":1}]}",
      "hooks.startContainer[0].env" },
    { TOP, "\"hooks\":{\"poststart\":[{\"path\":\"/x\",\"timeout\":0}]}",
      "hooks.poststart[0].timeout" },
    { TOP, "\"hooks\":{\"poststop\":[{\"path\":\"/x\",\"timeout\":-1}]}",
      "hooks.poststop[0].timeout" },
    { TOP, "\"annotations\":{\"a\":1}", "annotations" },
    { TOP, "\"vm\":{}", "vm" },
};

static const char *comma(const struct row *row, enum place place)
{
    return row->place == place ? "," : "";
}

static const char *member(const struct row *row, enum place place)
{
    return row->place == place ? row->json : "";
}

TEST(a_wrong_value_of_each_property_is_refused_by_its_path)
{
    static char text[4096];
    for (size_t i = 0; i < CL_COUNT(rows); i++) {
        struct oci_spec *spec = NULL;
        struct cl_error err = { 0 };
        const struct row *row = &rows[i];
        REQUIRE(snprintf(text, sizeof text, DOCUMENT, comma(row, PROCESS), member(row, PROCESS),
                         comma(row, LINUX), member(row, LINUX), comma(row, TOP),
                         member(row, TOP)) < (int)sizeof text);
        if (oci_spec_read(text, strlen(text), &spec, &err) >= 0)
            TEST_SAY("taken: %s", row->json);
        CHECK(spec == NULL);
        CHECK_CONTAINS(err.text, row->path);
        oci_spec_free(spec);
    }
}

TEST(the_document_itself_is_fine)
{
    static char text[4096];
    struct oci_spec *spec = NULL;
    struct cl_error err = { 0 };
    REQUIRE(snprintf(text, sizeof text, DOCUMENT, "", "", "", "", "", "") < (int)sizeof text);
    CHECK_INT(oci_spec_read(text, strlen(text), &spec, &err), 0);
    oci_spec_free(spec);
}

TEST(lists_of_numbers_become_bits)
{
    unsigned long bits[2048 / OCI_LONG_BITS];
    CHECK_INT(oci_number_list("0-2,64,2047", bits, 2048), 0);
    CHECK_INT((int)bits[0], 7);
    CHECK_INT((int)bits[1], 1);
    CHECK(bits[2048 / OCI_LONG_BITS - 1] == 1UL << 63);
    CHECK_INT(oci_number_list("0,2048", bits, 2048), -ERANGE);
    CHECK_INT(oci_number_list("0-99999999999999999999", bits, 2048), -EINVAL);
    CHECK_INT(oci_number_list("", bits, 2048), 0);
    CHECK_INT((int)bits[0], 0);
    static const char *const bad[] = { ",", "1,", "-1", "1-", "2-1", "a", "1 2", "0x1" };
    for (size_t i = 0; i < CL_COUNT(bad); i++)
        CHECK_INT(oci_number_list(bad[i], bits, 2048), -EINVAL);
}

TEST(crun_s_idmap_option_becomes_mappings)
{
    struct oci_id_mappings uids = { 0 }, gids = { 0 };
    struct oci_linux linux_ = { 0 };
    CHECK_INT(oci_id_mapping_add(&linux_.uid_mappings, 0, 0, 1), 0);
    CHECK_INT(oci_id_mapping_add(&linux_.uid_mappings, 1, 2, 1000), 0);
    /* crun(1)'s own example: @1-3-10 is 1-4-10 in such a container. */
    CHECK_INT(oci_idmap_parse("uids=@1-3-10#0-0-1;gids=5-6-7", &linux_, &uids, &gids), 0);
    REQUIRE(uids.count == 2 && gids.count == 1);
    CHECK_INT((int)uids.items[0].container_id, 1);
    CHECK_INT((int)uids.items[0].host_id, 4);
    CHECK_INT((int)uids.items[0].size, 10);
    CHECK_INT((int)gids.items[0].host_id, 6);
    CHECK_INT(oci_idmap_parse("uids=@0-2000-1;gids=0-0-1", &linux_, &uids, &gids), -ENOENT);
    free(uids.items);
    free(gids.items);
    free(linux_.uid_mappings.items);
}

TEST_MAIN
