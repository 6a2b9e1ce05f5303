/* SPDX-License-Identifier: Apache-2.0 */
/* The documents of the runtime-spec: every property survives reading and writing; what is wrong is named by its path. */
#include "oci/runtime_spec.h"

#include "base/fd.h"
#include "oci/names.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "test.h"

#include "json-text.h"

/* A document with every property of config.md and config-linux.md, in the order of the tables. */
static char *everything(size_t *ret_size)
{
    const char *source = getenv("CLOCHE_TEST_SOURCE");
    cl_auto_free char *path =
        cl_format("%s/tests/fuzz/corpus/spec/everything.json", source != NULL ? source : ".");
    char *text = NULL;
    struct cl_error err = { 0 };
    if (cl_read_file(AT_FDCWD, path, 1 << 20, &text, ret_size, &err) < 0)
        printf("# %s\n", err.text);
    return text;
}

TEST(every_property_survives)
{
    size_t size = 0;
    cl_auto_free char *text = everything(&size);
    REQUIRE(text != NULL);
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL, *original = NULL;
    struct cl_error err = { 0 };
    if (oci_spec_read(text, size, &spec, &err) < 0) {
        TEST_SAY("%s", err.text);
        return;
    }
    REQUIRE(cl_json_parse(text, size, 1 << 20, &original, &err) == 0);
    REQUIRE(oci_spec_encode(spec, &json) == 0);
    cl_auto_free char *written = cl_json_text(json, 2);
    cl_auto_free char *expected = cl_json_text(original, 2);
    CHECK_STR(written, expected);
}

TEST(members_hold_what_the_document_says)
{
    size_t size = 0;
    cl_auto_free char *text = everything(&size);
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    REQUIRE(text != NULL && oci_spec_read(text, size, &spec, NULL) == 0);
    const struct oci_process *process = spec->process;
    CHECK(process->terminal && process->console_size.height == 25);
    CHECK_INT(process->user.additional_gid_count, 2);
    CHECK_INT(process->user.umask.value, 18);
    CHECK_INT(process->rlimits[1].type, RLIMIT_CORE);
    CHECK(process->rlimits[1].hard == UINT64_MAX);
    CHECK_INT(process->capabilities->bounding.mask, 1 | 1 << 5);
    CHECK_STR(process->capabilities->bounding.unknown[0], "CAP_FROM_THE_FUTURE");
    CHECK_INT(process->scheduler->policy, OCI_SCHED_FIFO);
    CHECK_STR(process->exec_cpu_affinity.final, "0-3,7");
    CHECK_INT(spec->mounts[1].uid_mappings.items[0].host_id, 1000);
    CHECK_INT(spec->hooks.prestart.items[0].timeout.value, 5);
    CHECK_STR(oci_map_get(&spec->annotations, "org.example.key"), "value");
    const struct oci_linux *linux_ = &spec->linux_;
    CHECK_INT(linux_->namespace_count, OCI_NS_COUNT);
    CHECK_STR(linux_->time_offsets[1].clock, "boottime");
    CHECK_INT(linux_->time_offsets[1].secs, -604800);
    CHECK_STR(linux_->net_devices[0].host_name, "eth1");
    CHECK_STR(linux_->net_devices[0].name, "lan0");
    CHECK_INT(linux_->devices[1].type, OCI_DEVICE_FIFO);
    CHECK(linux_->resources.memory.swappiness.set &&
          linux_->resources.memory.swappiness.value == 0);
    CHECK_INT(linux_->resources.pids_limit.value, 100);
    CHECK_STR(linux_->resources.rdma[0].device, "mlx5_1");
    CHECK_INT(linux_->rootfs_propagation, OCI_PROPAGATION_SLAVE);
    CHECK_INT(linux_->seccomp->flags, OCI_SECCOMP_FLAG_LOG);
    CHECK((linux_->seccomp->architectures & 1u << OCI_SECCOMP_SHEB) != 0);
    CHECK(linux_->seccomp->rules[1].args[1].value == UINT64_MAX);
    CHECK_INT(linux_->memory_policy->flags, 1 << 15);
    CHECK_INT(linux_->personality->domain, 8);
}

static int decode(const char *quoted, struct oci_spec **ret, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(quoted);
    return oci_spec_decode(json, ret, err);
}

TEST(least_documents)
{
    static const char *const good[] = {
        "{'ociVersion':'1.0.0'}",
        "{'ociVersion':'1.3.0-rc.1+dev','root':{'path':'x'}}",
        "{'ociVersion':'1.10.7','unknown':1,'linux':null}",
        "{'ociVersion':'1.0.2','process':{'cwd':'/'}}",
        "{'ociVersion':'1.0.2','windows':{'layerFolders':[]},'linux':{}}",
    };
    for (size_t i = 0; i < CL_COUNT(good); i++) {
        CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
        struct cl_error err = { 0 };
        if (decode(good[i], &spec, &err) < 0)
            TEST_SAY("%s: %s", good[i], err.text);
    }
}

TEST(absent_differs_from_zero)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    REQUIRE(
        decode("{'ociVersion':'1.0.0','process':{'cwd':'/','oomScoreAdj':0},'linux':{'seccomp':"
               "{'defaultAction':'SCMP_ACT_ALLOW','flags':[]},'resources':{'cpu':{'shares':0}}}}",
               &spec, NULL) == 0);
    CHECK(spec->process->oom_score_adj.set);
    CHECK(!spec->process->user.umask.set);
    CHECK(spec->process->capabilities == NULL);
    CHECK(spec->linux_.seccomp->has_flags && spec->linux_.seccomp->flags == 0);
    CHECK(spec->linux_.resources.cpu.shares.set && !spec->linux_.resources.cpu.period.set);
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    REQUIRE(oci_spec_encode(spec, &json) == 0);
    cl_auto_free char *text = cl_json_text(json, CL_JSON_COMPACT);
    CHECK_CONTAINS(text, "\"oomScoreAdj\":0");
    CHECK_CONTAINS(text, "\"flags\":[]");
    CHECK_CONTAINS(text, "\"user\":{\"uid\":0,\"gid\":0}");
}

TEST(refused_documents)
{
    static const struct {
        const char *quoted;
        const char *text;
    } cases[] = {
        { "{}", "config.json: ociVersion: required property is missing" },
        { "{'ociVersion':1}", "config.json: ociVersion: expected a string" },
        { "{'ociVersion':'0.9.0'}", "ociVersion: 0.9.0 is not supported" },
        { "{'ociVersion':'2.0.0'}", "ociVersion: 2.0.0 is not supported" },
        { "{'ociVersion':'1'}", "is not supported" },
        { "{'ociVersion':'1.x'}", "is not supported" },
        { "{'ociVersion':'1.0.0','vm':{}}", "no virtual machines" },
        { "{'ociVersion':'1.0.0','windows':{}}", "another platform than Linux" },
        { "{'ociVersion':'1.0.0','process':{}}", "config.json: process.cwd: required" },
        { "{'ociVersion':'1.0.0','process':{'cwd':'/','rlimits':[{'type':'RLIMIT_CPU','soft':1,"
          "'hard':1},{'type':'RLIMIT_AS','soft':1,'hard':2},{'type':'RLIMIT_NPROC','soft':'1',"
          "'hard':2}]}}",
          "config.json: process.rlimits[2].soft: expected an unsigned integer, got string" },
        { "{'ociVersion':'1.0.0','process':{'cwd':'/"
          "','rlimits':[{'type':'RLIMIT_X','soft':1,'hard':"
          "1}]}}",
          "process.rlimits[0].type: unknown value \"RLIMIT_X\"" },
        { "{'ociVersion':'1.0.0','process':{'cwd':'/','user':{'uid':4294967296}}}",
          "process.user.uid: out of range" },
        { "{'ociVersion':'1.0.0','process':{'cwd':'/','user':{'uid':-1}}}",
          "process.user.uid: out of range" },
        { "{'ociVersion':'1.0.0','process':{'cwd':'/','user':{'additionalGids':[1,'2']}}}",
          "process.user.additionalGids[1]: expected an unsigned integer" },
        { "{'ociVersion':'1.0.0','process':{'cwd':'/','capabilities':{'ambient':[7]}}}",
          "process.capabilities.ambient[0]: expected a string" },
        { "{'ociVersion':'1.0.0','linux':{'namespaces':[{'type':'net'}]}}",
          "linux.namespaces[0].type: unknown value \"net\" (known: pid, network, mount" },
        { "{'ociVersion':'1.0.0','linux':{'namespaces':[{}]}}",
          "linux.namespaces[0].type: required" },
        { "{'ociVersion':'1.0.0','linux':{'devices':[{'path':'/x','type':'x'}]}}",
          "linux.devices[0].type: unknown value" },
        { "{'ociVersion':'1.0.0','linux':{'rootfsPropagation':'odd'}}",
          "linux.rootfsPropagation: unknown value" },
        { "{'ociVersion':'1.0.0','linux':{'seccomp':{}}}",
          "linux.seccomp.defaultAction: required" },
        { "{'ociVersion':'1.0.0','linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':"
          "[{'names':['a'],'action':'SCMP_ACT_ALLOW','args':[{'index':0,'value':1,'op':'=='}]}]}}}",
          "linux.seccomp.syscalls[0].args[0].op: unknown value \"==\"" },
        { "{'ociVersion':'1.0.0','linux':{'timeOffsets':{'monotonic':{'secs':'1'}}}}",
          "linux.timeOffsets[\"monotonic\"].secs: expected an integer" },
        { "{'ociVersion':'1.0.0','linux':{'resources':{'memory':{'limit':1.5}}}}",
          "linux.resources.memory.limit: expected an integer" },
        { "{'ociVersion':'1.0.0','mounts':[{'type':'proc'}]}", "mounts[0].destination: required" },
        { "{'ociVersion':'1.0.0','hooks':{'poststop':[{'timeout':1}]}}",
          "hooks.poststop[0].path: required" },
        { "{'ociVersion':'1.0.0','annotations':{'a':1}}", "annotations[\"a\"]: expected a string" },
        { "[]", "config.json: expected an object, got array" },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
        struct cl_error err = { 0 };
        if (decode(cases[i].quoted, &spec, &err) >= 0)
            TEST_SAY("accepted: %s", cases[i].quoted);
        CHECK(spec == NULL);
        CHECK_CONTAINS(err.text, cases[i].text);
    }
}

TEST(read_says_which_document_is_broken)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    CL_AUTO(oci_process_free) struct oci_process *process = NULL;
    struct cl_error err = { 0 };
    CHECK(oci_spec_read("{", 1, &spec, &err) < 0);
    CHECK_CONTAINS(err.text, "config.json: ");
    CHECK(oci_process_read("nope", 4, &process, &err) < 0);
    CHECK_CONTAINS(err.text, "process.json: ");
    const char relative[] = "{\"cwd\":\"here\",\"args\":[\"x\"]}";
    CHECK(oci_process_read(relative, strlen(relative), &process, &err) < 0);
    CHECK_STR(err.text, "process.json: cwd: must be an absolute path");
    CHECK(oci_spec_read("{", 1, &spec, NULL) < 0);
}

TEST(process_alone)
{
    const char text[] = "{\"cwd\":\"/\",\"args\":[\"sh\"],\"user\":{\"uid\":7,\"gid\":8}}";
    CL_AUTO(oci_process_free) struct oci_process *process = NULL, *copy = NULL;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    REQUIRE(oci_process_read(text, strlen(text), &process, NULL) == 0);
    REQUIRE(oci_process_copy(process, &copy) == 0);
    oci_process_free(cl_take(process));
    CHECK_INT(copy->user.gid, 8);
    REQUIRE(oci_process_encode(copy, &json) == 0);
    cl_auto_free char *written = cl_json_text(json, CL_JSON_COMPACT);
    CHECK_STR(written, "{\"user\":{\"uid\":7,\"gid\":8},\"args\":[\"sh\"],\"cwd\":\"/\"}");
}

TEST(deadline_scheduling_survives)
{
    static const char quoted[] =
        "{'user':{'uid':0,'gid':0},'args':['a'],'cwd':'/','scheduler':{'policy':'SCHED_DEADLINE',"
        "'nice':-3,'flags':['SCHED_FLAG_RECLAIM','SCHED_FLAG_UTIL_CLAMP_MAX'],'runtime':1,"
        "'deadline':2,'period':18446744073709551615}}";
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(quoted), *back = NULL;
    CL_AUTO(oci_process_free) struct oci_process *process = NULL;
    REQUIRE(oci_process_decode(json, &process, NULL) == 0);
    CHECK_INT(oci_process_validate(process, NULL), 0);
    REQUIRE(oci_process_encode(process, &back) == 0);
    cl_auto_free char *written = cl_json_text(back, CL_JSON_COMPACT);
    cl_auto_free char *expected = json_text(quoted);
    CHECK_STR(written, expected);
}

TEST(resources_alone)
{
    CL_AUTO(cl_json_unref)
    struct cl_json *json = json_of("{'memory':{'limit':1},'pids':{'limit':-1}}");
    CL_AUTO(cl_json_unref) struct cl_json *bad = json_of("{'cpu':{'quota':'x'}}");
    CL_AUTO(cl_json_unref) struct cl_json *back = NULL;
    struct oci_resources resources = { 0 };
    struct cl_error err = { 0 };
    REQUIRE(oci_resources_decode(json, &resources, &err) == 0);
    CHECK_INT(resources.pids_limit.value, -1);
    CHECK_INT(oci_resources_validate(&resources, &err), 0);
    CHECK_INT(oci_resources_encode(&resources, &back), 0);
    cl_auto_free char *text = cl_json_text(back, CL_JSON_COMPACT);
    CHECK_STR(text, "{\"memory\":{\"limit\":1},\"pids\":{\"limit\":-1}}");
    oci_resources_done(&resources);
    CHECK(oci_resources_decode(bad, &resources, &err) < 0);
    CHECK_STR(err.text, "resources: cpu.quota: expected an integer, got string");
}

TEST(seccomp_alone)
{
    CL_AUTO(cl_json_unref)
    struct cl_json *json = json_of(
        "{'defaultAction':'SCMP_ACT_KILL','syscalls':[{'names':['a'],'action':'SCMP_ACT_LOG'}]}");
    CL_AUTO(cl_json_unref) struct cl_json *back = NULL;
    CL_AUTO(oci_seccomp_free) struct oci_seccomp *seccomp = NULL;
    REQUIRE(oci_seccomp_decode(json, &seccomp, NULL) == 0);
    CHECK_INT(seccomp->default_action, OCI_SECCOMP_KILL_THREAD);
    CHECK(!seccomp->has_flags);
    REQUIRE(oci_seccomp_encode(seccomp, &back) == 0);
    CHECK_STR(cl_json_string(cl_json_get(back, "defaultAction")), "SCMP_ACT_KILL_THREAD");
    CHECK(cl_json_get(back, "flags") == NULL);
}

TEST(state_round_trip)
{
    static const char quoted[] = "{'ociVersion':'1.3.0','id':'box','status':'running','pid':42,"
                                 "'bundle':'/b','annotations':{'k':'v'}}";
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(quoted);
    CL_AUTO(cl_json_unref) struct cl_json *back = NULL;
    struct oci_state state = { 0 };
    REQUIRE(oci_state_decode(json, &state, NULL) == 0);
    CHECK_INT(state.status, OCI_RUNNING);
    REQUIRE(oci_state_encode(&state, &back) == 0);
    cl_auto_free char *text = cl_json_text(back, CL_JSON_COMPACT);
    cl_auto_free char *expected = json_text(quoted);
    CHECK_STR(text, expected);
    oci_state_done(&state);
    CHECK_STR(oci_status_name(OCI_STOPPED), "stopped");

    CL_AUTO(cl_json_unref)
    struct cl_json *bad = json_of("{'ociVersion':'1.0.0','id':'x','status':'odd'}");
    struct cl_error err = { 0 };
    CHECK_INT(oci_state_decode(bad, &state, &err), -EINVAL);
    CHECK_CONTAINS(err.text, "state: status: unknown value \"odd\"");
}

TEST(process_state_round_trip)
{
    static const char quoted[] =
        "{'ociVersion':'1.3.0','fds':['seccompFd'],'pid':42,'metadata':'m','state':{'ociVersion':"
        "'1.3.0','id':'box','status':'creating','pid':42,'bundle':'/b'}}";
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(quoted);
    CL_AUTO(cl_json_unref) struct cl_json *back = NULL;
    struct oci_process_state state = { 0 };
    REQUIRE(oci_process_state_decode(json, &state, NULL) == 0);
    REQUIRE(oci_process_state_encode(&state, &back) == 0);
    cl_auto_free char *text = cl_json_text(back, CL_JSON_COMPACT);
    cl_auto_free char *expected = json_text(quoted);
    CHECK_STR(text, expected);
    oci_process_state_done(&state);
}

TEST(namespace_words)
{
    CHECK_INT(oci_namespace_type("net"), OCI_NS_NETWORK);
    CHECK_INT(oci_namespace_type("network"), OCI_NS_NETWORK);
    CHECK_INT(oci_namespace_type("mnt"), OCI_NS_MOUNT);
    CHECK_INT(oci_namespace_type("time"), OCI_NS_TIME);
    CHECK_INT(oci_namespace_type("odd"), -EINVAL);
    CHECK_INT(oci_namespace_type(NULL), -EINVAL);
    CHECK_STR(oci_namespace_name(OCI_NS_MOUNT), "mount");
}

TEST_MAIN
