/* SPDX-License-Identifier: Apache-2.0 */
/* Rules between properties. Each case is a fragment put into a document that is otherwise good. */
#include "oci/runtime_spec.h"

#include "test.h"

#include "json-text.h"

struct rule_case {
    const char *process; /* more properties of process, beginning with a comma; or NULL */
    const char *spec;    /* the same for the document */
    const char *linux_;  /* the same for linux */
    const char *error;   /* a part of the message, without "config.json: "; NULL: it is valid */
};

static void check_rule(const struct rule_case *rule)
{
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    struct cl_error err = { 0 };
    cl_auto_free char *quoted = cl_format(
        "{'ociVersion':'1.0.0','root':{'path':'rootfs'},'process':{'cwd':'/','args':['sh']%s},"
        "'linux':{'mountLabel':''%s}%s}",
        rule->process != NULL ? rule->process : "", rule->linux_ != NULL ? rule->linux_ : "",
        rule->spec != NULL ? rule->spec : "");
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(quoted);
    if (oci_spec_decode(json, &spec, &err) < 0) {
        TEST_SAY("does not decode: %s", err.text);
        return;
    }
    int r = oci_spec_validate(spec, &err);
    if (rule->error == NULL) {
        if (r < 0)
            TEST_SAY("%s: %s", quoted, err.text);
        return;
    }
    if (r != -EINVAL)
        TEST_SAY("accepted: %s", quoted);
    cl_auto_free char *expected = cl_format("config.json: %s", rule->error);
    CHECK_CONTAINS(err.text, expected);
}

static void check_rules(const struct rule_case *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_rule(&rules[i]);
}

#define P(fragment, message)                                                                       \
    {                                                                                              \
        .process = "," fragment, .error = message                                                  \
    }
#define S(fragment, message)                                                                       \
    {                                                                                              \
        .spec = "," fragment, .error = message                                                     \
    }
#define L(fragment, message)                                                                       \
    {                                                                                              \
        .linux_ = "," fragment, .error = message                                                   \
    }
#define NS(types) "'namespaces':[" types "]"
#define UTS       NS("{'type':'uts'}")

TEST(process_rules)
{
    static const struct rule_case rules[] = {
        { 0 },
        P("'user':{'uid':4294967295}", "process.user.uid:"),
        P("'user':{'gid':4294967295}", "process.user.gid:"),
        P("'user':{'umask':512}", "process.user.umask: must be at most"),
        P("'user':{'umask':511,'additionalGids':[0,4294967294]}", NULL),
        P("'user':{'additionalGids':[1,4294967295]}", "process.user.additionalGids[1]:"),
        P("'terminal':true,'consoleSize':{'height':65536,'width':1}", "process.consoleSize:"),
        P("'terminal':false,'consoleSize':{'height':65536,'width':1}", NULL),
        P("'rlimits':[{'type':'RLIMIT_CPU','soft':2,'hard':1}]", "process.rlimits[0]: soft limit"),
        P("'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':1},{'type':'RLIMIT_CPU','soft':1,'hard':"
          "1}]",
          "process.rlimits[1]: RLIMIT_CPU is given twice"),
        P("'oomScoreAdj':-1001", "process.oomScoreAdj: must be -1000 to 1000, is -1001"),
        P("'oomScoreAdj':1000", NULL),
        P("'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':8}", "process.ioPriority.priority:"),
        P("'scheduler':{'policy':'SCHED_ISO'}", "process.scheduler.policy:"),
        P("'scheduler':{'policy':'SCHED_FIFO'}", "process.scheduler.priority:"),
        P("'scheduler':{'policy':'SCHED_RR','priority':99}", NULL),
        P("'scheduler':{'policy':'SCHED_OTHER','priority':1}", "process.scheduler.priority:"),
        P("'scheduler':{'policy':'SCHED_BATCH','nice':20}", "process.scheduler.nice:"),
        P("'scheduler':{'policy':'SCHED_OTHER','runtime':1}", "process.scheduler:"),
        P("'scheduler':{'policy':'SCHED_DEADLINE','runtime':2,'deadline':1}", "process.scheduler:"),
        P("'scheduler':{'policy':'SCHED_DEADLINE','runtime':1,'deadline':2,'period':3}", NULL),
        P("'execCPUAffinity':{'initial':'0-'}", "process.execCPUAffinity.initial:"),
        P("'execCPUAffinity':{'final':'3-1'}", "process.execCPUAffinity.final:"),
        P("'execCPUAffinity':{'initial':'','final':'0-3,7'}", NULL),
    };
    check_rules(rules, CL_COUNT(rules));
}

static int validate_text(const char *quoted, struct cl_error *err)
{
    CL_AUTO(cl_json_unref) struct cl_json *json = json_of(quoted);
    CL_AUTO(oci_spec_free) struct oci_spec *spec = NULL;
    int r = oci_spec_decode(json, &spec, err);
    return r < 0 ? r : oci_spec_validate(spec, err);
}

TEST(what_must_be_there)
{
    struct cl_error err = { 0 };
    CHECK(validate_text("{'ociVersion':'1.0.0'}", &err) < 0);
    CHECK_STR(err.text, "config.json: root.path: required property is missing");
    CHECK_INT(validate_text("{'ociVersion':'1.0.0','root':{'path':'r'}}", &err), 0);
    CHECK(validate_text("{'ociVersion':'1.0.0','root':{'path':'r'},'process':{'cwd':'/'}}", &err) <
          0);
    CHECK_CONTAINS(err.text, "process.args: must name a program");
    CHECK(validate_text(
              "{'ociVersion':'1.0.0','root':{'path':'r'},'process':{'cwd':'/','args':['']}}",
              &err) < 0);
    CHECK_CONTAINS(err.text, "process.args[0]: must name a program");
    CHECK(validate_text(
              "{'ociVersion':'1.0.0','root':{'path':'r'},'process':{'cwd':'x','args':['a']}}",
              &err) < 0);
    CHECK_CONTAINS(err.text, "process.cwd: must be an absolute path");
}

TEST(mount_rules)
{
    static const struct rule_case rules[] = {
        S("'mounts':[{'destination':'/a','source':'/b','options':['rbind']}]", NULL),
        S("'mounts':[{'destination':'/a','type':'bind','source':'/b'}]", NULL),
        S("'mounts':[{'destination':'/a','options':['bind']}]", "mounts[0].source: a bind mount"),
        S("'mounts':[{'destination':'/a','source':'x'}]", "mounts[0].type: a file system type"),
        S("'mounts':[{'destination':'/a','options':['remount','ro']}]", NULL),
        S("'mounts':[{'destination':'/a/../../b','type':'tmpfs'}]",
          "mounts[0].destination: must not"),
        S("'mounts':[{'destination':'a..b','type':'tmpfs'}]", NULL),
        S("'mounts':[{'destination':'/a','type':'proc','options':['tmpcopyup']}]",
          "mounts[0].options: tmpcopyup needs type tmpfs"),
        S("'mounts':[{'destination':'/a','type':'bind','source':'/b','options':['bind','idmap']}]",
          "mounts[0]: an id-mapped mount needs"),
        S("'mounts':[{'destination':'/a','type':'bind','source':'/b','options':['bind','idmap'],"
          "'uidMappings':[{'containerID':0,'hostID':0,'size':1}]}]",
          "mounts[0]: uidMappings and gidMappings must be given together"),
        S("'mounts':[{'destination':'/a','type':'bind','source':'/b','options':['bind','idmap'],"
          "'uidMappings':[{'containerID':0,'hostID':0,'size':0}],"
          "'gidMappings':[{'containerID':0,'hostID':0,'size':1}]}]",
          "mounts[0].uidMappings[0]: size"),
    };
    check_rules(rules, CL_COUNT(rules));
}

TEST(hook_and_name_rules)
{
    static const struct rule_case rules[] = {
        S("'hooks':{'poststart':[{'path':'/a'},{'path':'b'}]}", "hooks.poststart[1].path:"),
        S("'hooks':{'prestart':[{'path':'/a','timeout':0}]}", "hooks.prestart[0].timeout:"),
        S("'hostname':'box'", "hostname: needs a uts namespace"),
        S("'domainname':'box'", "domainname: needs a uts namespace"),
        S("'hostname':''", NULL),
        { .spec = ",'hostname':'box','domainname':'d'", .linux_ = "," UTS },
        { .spec = ",'hostname':'0123456789012345678901234567890123456789012345678901234567890123x'",
          .linux_ = "," UTS,
          .error = "hostname: must be at most 64 bytes" },
    };
    check_rules(rules, CL_COUNT(rules));
}

#define MAP(c, h, s) "{'containerID':" c ",'hostID':" h ",'size':" s "}"
#define USER         NS("{'type':'user'}")

TEST(namespace_rules)
{
    static const struct rule_case rules[] = {
        L(NS("{'type':'pid'},{'type':'ipc'},{'type':'pid'}"),
          "linux.namespaces[2]: the pid namespace is given twice"),
        L(NS("{'type':'pid','path':'x'}"), "linux.namespaces[0].path: must be an absolute path"),
        L(USER, "linux.uidMappings: a new user namespace needs mappings"),
        L(NS("{'type':'user','path':'/proc/1/ns/user'}"), NULL),
        L("'uidMappings':[" MAP("0", "0", "1") "]", "linux.uidMappings: mappings need a user"),
        L(USER ",'uidMappings':[" MAP("0", "1", "1") "]", "linux.gidMappings: a new user"),
        L(USER ",'uidMappings':[" MAP("0", "1", "1") "],'gidMappings':[" MAP("0", "1", "1") "]",
          NULL),
        L(USER ",'uidMappings':[" MAP("0", "1", "0") "],'gidMappings':[" MAP("0", "1", "1") "]",
          "linux.uidMappings[0]: size"),
        L(USER
          ",'uidMappings':[" MAP("4294967295", "1", "1") "],'gidMappings':[" MAP("0", "1", "1") "]",
          "linux.uidMappings[0]: reaches beyond"),
        L(USER ",'uidMappings':[" MAP("0", "1", "10") "," MAP(
              "9", "50", "1") "],'gidMappings':[" MAP("0", "1", "1") "]",
          "linux.uidMappings[1]: overlaps with entry 0"),
        L(USER ",'uidMappings':[" MAP("0", "1", "10") "],'gidMappings':[" MAP(
              "0", "1", "5") "," MAP("5", "5", "5") "]",
          "linux.gidMappings[1]: overlaps with entry 0"),
        L("'timeOffsets':{'monotonic':{'secs':1}}", "linux.timeOffsets: needs a time namespace"),
        L(NS("{'type':'time'}") ",'timeOffsets':{'monotonic':{'secs':1}}", NULL),
        L(NS("{'type':'time','path':'/x'}") ",'timeOffsets':{'boottime':{'secs':1}}",
          "linux.timeOffsets: the clocks of a time namespace that is joined"),
        L(NS("{'type':'time'}") ",'timeOffsets':{'realtime':{}}",
          "linux.timeOffsets[\"realtime\"]:"),
        L(NS("{'type':'time'}") ",'timeOffsets':{'boottime':{'nanosecs':1000000000}}",
          "linux.timeOffsets[\"boottime\"]: nanosecs"),
    };
    check_rules(rules, CL_COUNT(rules));
}

TEST(device_rules)
{
    static const struct rule_case rules[] = {
        L("'devices':[{'type':'c','path':'dev/x','major':1,'minor':1}]", "linux.devices[0].path:"),
        L("'devices':[{'type':'c','path':'/dev/../x','major':1,'minor':1}]",
          "linux.devices[0].path:"),
        L("'devices':[{'type':'c','path':'/x','major':4096,'minor':1}]", "linux.devices[0]: major"),
        L("'devices':[{'type':'b','path':'/x','major':1,'minor':-1}]", "linux.devices[0]: major"),
        L("'devices':[{'type':'p','path':'/x'}]", NULL),
        L("'netDevices':{'eth0':{}}", "linux.netDevices: needs a network namespace"),
        L(NS("{'type':'network'}") ",'netDevices':{'eth0':{'name':'a'},'eth1':{'name':'a'}}",
          "linux.netDevices[\"eth1\"]: another device"),
        L(NS("{'type':'network'}") ",'netDevices':{'eth0':{'name':'a/b'}}",
          "linux.netDevices[\"eth0\"]:"),
        L(NS("{'type':'network'}") ",'netDevices':{'sixteen_letters_':{}}", "linux.netDevices["),
        L(NS("{'type':'network'}") ",'netDevices':{'eth0':{'name':'lan%d'}}", NULL),
    };
    check_rules(rules, CL_COUNT(rules));
}

TEST(sysctl_rules)
{
    static const struct rule_case rules[] = {
        L("'sysctl':{'net.core.somaxconn':'1'}",
          "linux.sysctl[\"net.core.somaxconn\"]: needs the network"),
        L(NS("{'type':'network'}") ",'sysctl':{'net.core.somaxconn':'1','net/ipv4/ip_forward':'1'}",
          NULL),
        L(NS("{'type':'network'}") ",'sysctl':{'net/ipv4/conf/eth0.1/forwarding':'1'}", NULL),
        L(NS("{'type':'ipc'}") ",'sysctl':{'fs.mqueue.msg_max':'1','kernel.sem':'1'}", NULL),
        L("'sysctl':{'kernel.shmmax':'1'}", "linux.sysctl[\"kernel.shmmax\"]: needs the ipc"),
        L(UTS ",'sysctl':{'kernel.domainname':'x'}", NULL),
        L(UTS ",'sysctl':{'kernel.hostname':'x'}",
          "linux.sysctl[\"kernel.hostname\"]: use the property"),
        L("'sysctl':{'kernel.panic':'1'}",
          "linux.sysctl[\"kernel.panic\"]: is held by no namespace"),
        L("'sysctl':{'vm.swappiness':'1'}", "linux.sysctl[\"vm.swappiness\"]: is held by no"),
        L(NS("{'type':'network'}") ",'sysctl':{'net/../kernel/panic':'1'}", "linux.sysctl["),
        L(NS("{'type':'network'}") ",'sysctl':{'net.ipv4.//.x':'1'}", "linux.sysctl["),
        L(NS("{'type':'network'}") ",'sysctl':{'':'1'}", "linux.sysctl["),
        L(NS("{'type':'network'}") ",'sysctl':{'net..x':'1'}", "linux.sysctl["),
        L(NS("{'type':'network'}") ",'sysctl':{'netx.y':'1'}", "linux.sysctl["),
    };
    check_rules(rules, CL_COUNT(rules));
}

#define R(fragment, message) L("'resources':{" fragment "}", message)

TEST(resource_rules)
{
    static const struct rule_case rules[] = {
        R("'memory':{'limit':-2}", "linux.resources.memory.limit:"),
        R("'memory':{'swappiness':101}", "linux.resources.memory.swappiness:"),
        R("'memory':{'limit':10,'swap':9}", "linux.resources.memory.swap:"),
        R("'memory':{'limit':10,'swap':-1}", NULL),
        R("'cpu':{'quota':-2}", "linux.resources.cpu.quota:"),
        R("'cpu':{'quota':10,'burst':11}", "linux.resources.cpu.burst:"),
        R("'cpu':{'quota':-1,'burst':11}", NULL),
        R("'cpu':{'realtimeRuntime':2,'realtimePeriod':1}", "linux.resources.cpu.realtimeRuntime:"),
        R("'cpu':{'idle':2}", "linux.resources.cpu.idle:"),
        R("'cpu':{'cpus':'0,,1'}", "linux.resources.cpu.cpus:"),
        R("'cpu':{'mems':'x'}", "linux.resources.cpu.mems:"),
        R("'pids':{'limit':-2}", "linux.resources.pids.limit:"),
        R("'devices':[{'allow':true,'access':'rx'}]", "linux.resources.devices[0]: access"),
        R("'devices':[{'allow':true,'type':'c','major':-2}]", "linux.resources.devices[0]: major"),
        R("'devices':[{'allow':true,'type':'c','major':-1,'minor':-1}]", NULL),
        R("'blockIO':{'weight':9}", "linux.resources.blockIO:"),
        R("'blockIO':{'weight':0}", NULL),
        R("'blockIO':{'weightDevice':[{'major':8,'minor':0}]}",
          "linux.resources.blockIO.weightDevice[0]:"),
        R("'blockIO':{'weightDevice':[{'major':8,'minor':0,'weight':1001}]}",
          "linux.resources.blockIO.weightDevice[0]:"),
        R("'hugepageLimits':[{'pageSize':'2M','limit':1}]",
          "linux.resources.hugepageLimits[0].pageSize:"),
        R("'hugepageLimits':[{'pageSize':'../x','limit':1}]", "linux.resources.hugepageLimits[0]"),
        R("'hugepageLimits':[{'pageSize':'2MB','limit':1},{'pageSize':'2MB','limit':1}]",
          "linux.resources.hugepageLimits[1].pageSize: 2MB is given twice"),
        R("'rdma':{'mlx':{}}", "linux.resources.rdma[\"mlx\"]:"),
        R("'unified':{'memory.high':'1'}", NULL),
        R("'unified':{'../memory.high':'1'}", "linux.resources.unified["),
        R("'unified':{'':'1'}", "linux.resources.unified["),
        R("'unified':{'..':'1'}", "linux.resources.unified["),
    };
    check_rules(rules, CL_COUNT(rules));
}

#define C(fragment, message) L("'seccomp':{'defaultAction':" fragment "}", message)
#define CALL(fragment)       "'SCMP_ACT_ALLOW','syscalls':[{'names':['a']," fragment "}]"

TEST(seccomp_rules)
{
    static const struct rule_case rules[] = {
        C("'SCMP_ACT_ERRNO','defaultErrnoRet':38", NULL),
        C("'SCMP_ACT_ERRNO','defaultErrnoRet':4096",
          "linux.seccomp.defaultErrnoRet: must be an errno"),
        C("'SCMP_ACT_ALLOW','defaultErrnoRet':1",
          "linux.seccomp.defaultErrnoRet: only SCMP_ACT_ERRNO"),
        C("'SCMP_ACT_TRACE','defaultErrnoRet':65536",
          "linux.seccomp.defaultErrnoRet: must be 0 to"),
        C("'SCMP_ACT_NOTIFY'", "linux.seccomp.defaultAction:"),
        C("'SCMP_ACT_ALLOW','syscalls':[{'names':[],'action':'SCMP_ACT_LOG'}]",
          "linux.seccomp.syscalls[0].names: must contain"),
        C("'SCMP_ACT_ALLOW','syscalls':[{'names':['a',''],'action':'SCMP_ACT_LOG'}]",
          "linux.seccomp.syscalls[0].names: must not contain an empty"),
        C(CALL("'action':'SCMP_ACT_LOG','errnoRet':1"), "linux.seccomp.syscalls[0].errnoRet:"),
        C(CALL("'action':'SCMP_ACT_LOG','args':[{'index':6,'value':1,'op':'SCMP_CMP_EQ'}]"),
          "linux.seccomp.syscalls[0].args[0].index: a system call has the arguments 0 to 5"),
        C(CALL("'action':'SCMP_ACT_NOTIFY'"),
          "linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs it"),
        C(CALL("'action':'SCMP_ACT_NOTIFY'") ",'listenerPath':'/x','listenerMetadata':'m'", NULL),
        C("'SCMP_ACT_ALLOW','listenerMetadata':'m'", "linux.seccomp.listenerMetadata:"),
        C("'SCMP_ACT_ALLOW','flags':['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']",
          "linux.seccomp.flags:"),
    };
    check_rules(rules, CL_COUNT(rules));
}

TEST(other_linux_rules)
{
    static const struct rule_case rules[] = {
        L("'maskedPaths':['/a','b']", "linux.maskedPaths[1]: must be an absolute path"),
        L("'readonlyPaths':['']", "linux.readonlyPaths[0]: must be an absolute path"),
        L("'cgroupsPath':'/a/../../b'", "linux.cgroupsPath:"),
        L("'cgroupsPath':'system.slice:runc:box'", NULL),
        L("'personality':{'domain':'LINUX','flags':['X']}", "linux.personality.flags:"),
        L("'personality':{'domain':'LINUX32','flags':[]}", NULL),
        L("'intelRdt':{'closID':'a/b'}", "linux.intelRdt.closID:"),
        L("'intelRdt':{'closID':'..'}", "linux.intelRdt.closID:"),
        L("'intelRdt':{'closID':'/'}", NULL),
        L("'intelRdt':{'memBwSchema':'L3:0=1'}", "linux.intelRdt.memBwSchema:"),
        L("'intelRdt':{'l3CacheSchema':'a\\nb'}", "linux.intelRdt.l3CacheSchema:"),
        L("'intelRdt':{'schemata':['a','b\\nc']}", "linux.intelRdt.schemata[1]:"),
        L("'memoryPolicy':{'mode':'MPOL_BIND'}", "linux.memoryPolicy.nodes: this mode needs"),
        L("'memoryPolicy':{'mode':'MPOL_LOCAL','nodes':'0'}",
          "linux.memoryPolicy.nodes: this mode takes no"),
        L("'memoryPolicy':{'mode':'MPOL_PREFERRED'}", NULL),
        L("'memoryPolicy':{'mode':'MPOL_BIND','nodes':'a'}",
          "linux.memoryPolicy.nodes: must be a list"),
        L("'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0','flags':['MPOL_F_STATIC_NODES',"
          "'MPOL_F_RELATIVE_NODES']}",
          "linux.memoryPolicy.flags:"),
    };
    check_rules(rules, CL_COUNT(rules));
}

TEST_MAIN
