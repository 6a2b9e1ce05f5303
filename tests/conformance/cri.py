#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client of Kubernetes' Container Runtime Interface, as small as tests need it (Debian has no crictl).

usage: cri.py SOCKET METHOD [JSON]                          one call, such as RunPodSandbox; the answer as JSON
       cri.py SOCKET start JSON                             CreateContainer and StartContainer; the container's id
       cri.py SOCKET wait CONTAINER                         until it has exited; its status as JSON
       cri.py SOCKET exec [-i] [-t] CONTAINER COMMAND...    as kubectl exec does it: a stream with input and a terminal

JSON has the names of runtime.v1's fields; numbers stand for its enumerations; members that have their default are not in an answer. An error of the other
side is one line on standard error, and the exit status is 1; of exec it is the program's.
"""

import json
import sys
import time

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

import stream

# The messages' fields and numbers in runtime.v1, as many as the tests use: NAME=NUMBER:TYPE, of several TYPE*. Lower case is a type of protobuf's.
SCHEMA = """
Metadata name=1:string uid=2:string namespace=3:string attempt=4:uint32
ContainerMetadata name=1:string attempt=2:uint32
Int64Value value=1:int64
UInt64Value value=1:uint64
IDMapping host_id=1:uint32 container_id=2:uint32 length=3:uint32
UserNamespace mode=1:int32 uids=2:IDMapping* gids=3:IDMapping*
NamespaceOption network=1:int32 pid=2:int32 ipc=3:int32 target_id=4:string userns_options=5:UserNamespace
SecurityProfile profile_type=1:int32 localhost_ref=2:string
SandboxSecurity namespace_options=1:NamespaceOption run_as_user=3:Int64Value readonly_rootfs=4:bool supplemental_groups=5:int64* \
privileged=6:bool run_as_group=8:Int64Value seccomp=9:SecurityProfile
Resources cpu_period=1:int64 cpu_quota=2:int64 cpu_shares=3:int64 memory_limit_in_bytes=4:int64 oom_score_adj=5:int64 cpuset_cpus=6:string \
cpuset_mems=7:string unified=9:map memory_swap_limit_in_bytes=10:int64
LinuxSandbox cgroup_parent=1:string security_context=2:SandboxSecurity sysctls=3:map overhead=4:Resources resources=5:Resources
DNSConfig servers=1:string* searches=2:string* options=3:string*
SandboxConfig metadata=1:Metadata hostname=2:string log_directory=3:string dns_config=4:DNSConfig labels=6:map annotations=7:map linux=8:LinuxSandbox
RunPodSandboxRequest config=1:SandboxConfig runtime_handler=2:string
RunPodSandboxResponse pod_sandbox_id=1:string
StopPodSandboxRequest pod_sandbox_id=1:string
StopPodSandboxResponse
RemovePodSandboxRequest pod_sandbox_id=1:string
RemovePodSandboxResponse
PodSandboxStatusRequest pod_sandbox_id=1:string verbose=2:bool
SandboxNetwork ip=1:string
SandboxStatus id=1:string metadata=2:Metadata state=3:int32 created_at=4:int64 network=5:SandboxNetwork runtime_handler=9:string
PodSandboxStatusResponse status=1:SandboxStatus info=2:map
Sandbox id=1:string metadata=2:Metadata state=3:int32 runtime_handler=7:string
ListPodSandboxRequest
ListPodSandboxResponse items=1:Sandbox*
KeyValue key=1:string value=2:bytes
Mount container_path=1:string host_path=2:string readonly=3:bool propagation=5:int32 uidMappings=6:IDMapping* gidMappings=7:IDMapping* \
recursive_read_only=8:bool
Device container_path=1:string host_path=2:string permissions=3:string
Capability add_capabilities=1:string* drop_capabilities=2:string* add_ambient_capabilities=3:string*
ContainerSecurity capabilities=1:Capability privileged=2:bool namespace_options=3:NamespaceOption run_as_user=5:Int64Value run_as_username=6:string \
readonly_rootfs=7:bool supplemental_groups=8:int64* no_new_privs=11:bool run_as_group=12:Int64Value masked_paths=13:string* readonly_paths=14:string* \
seccomp=15:SecurityProfile
LinuxContainer resources=1:Resources security_context=2:ContainerSecurity
ImageSpec image=1:string
ContainerConfig metadata=1:ContainerMetadata image=2:ImageSpec command=3:string* args=4:string* working_dir=5:string envs=6:KeyValue* mounts=7:Mount* \
devices=8:Device* labels=9:map annotations=10:map log_path=11:string stdin=12:bool stdin_once=13:bool tty=14:bool linux=15:LinuxContainer
CreateContainerRequest pod_sandbox_id=1:string config=2:ContainerConfig sandbox_config=3:SandboxConfig
CreateContainerResponse container_id=1:string
StartContainerRequest container_id=1:string
StartContainerResponse
StopContainerRequest container_id=1:string timeout=2:int64
StopContainerResponse
RemoveContainerRequest container_id=1:string
RemoveContainerResponse
Container id=1:string pod_sandbox_id=2:string metadata=3:ContainerMetadata state=6:int32
ListContainersRequest
ListContainersResponse containers=1:Container*
ContainerStatusRequest container_id=1:string verbose=2:bool
ContainerStatus id=1:string metadata=2:ContainerMetadata state=3:int32 created_at=4:int64 started_at=5:int64 finished_at=6:int64 exit_code=7:int32 \
image=8:ImageSpec image_ref=9:string reason=10:string message=11:string log_path=15:string
ContainerStatusResponse status=1:ContainerStatus info=2:map
UpdateContainerResourcesRequest container_id=1:string linux=2:Resources
UpdateContainerResourcesResponse
ExecSyncRequest container_id=1:string cmd=2:string* timeout=3:int64
ExecSyncResponse stdout=1:bytes stderr=2:bytes exit_code=3:int32
ExecRequest container_id=1:string cmd=2:string* tty=3:bool stdin=4:bool stdout=5:bool stderr=6:bool
ExecResponse url=1:string
CpuUsage timestamp=1:int64 usage_core_nano_seconds=2:UInt64Value
MemoryUsage timestamp=1:int64 working_set_bytes=2:UInt64Value usage_bytes=4:UInt64Value rss_bytes=5:UInt64Value
ContainerStats cpu=2:CpuUsage memory=3:MemoryUsage
ContainerStatsRequest container_id=1:string
ContainerStatsResponse stats=1:ContainerStats
ProcessUsage timestamp=1:int64 process_count=2:UInt64Value
SandboxLinuxStats cpu=1:CpuUsage memory=2:MemoryUsage process=4:ProcessUsage containers=5:ContainerStats*
SandboxStats linux=2:SandboxLinuxStats
PodSandboxStatsRequest pod_sandbox_id=1:string
PodSandboxStatsResponse stats=1:SandboxStats
HandlerFeatures recursive_read_only_mounts=1:bool user_namespaces=2:bool
Handler name=1:string features=2:HandlerFeatures
Condition type=1:string status=2:bool reason=3:string message=4:string
RuntimeStatus conditions=1:Condition*
StatusRequest verbose=1:bool
StatusResponse status=1:RuntimeStatus info=2:map runtime_handlers=3:Handler*
VersionRequest version=1:string
VersionResponse version=1:string runtime_name=2:string runtime_version=3:string runtime_api_version=4:string
ImageStatusRequest image=1:ImageSpec
Image id=1:string repo_tags=2:string*
ImageStatusResponse image=1:Image
"""

PACKAGE = "runtime.v1"
FIELD = descriptor_pb2.FieldDescriptorProto


def fail(text):
    print("cri: %s" % text, file=sys.stderr)
    sys.exit(1)


# --- calls ----------------------------------------------------------------------------------------------------------------


def add_field(message, word):
    name, _, rest = word.partition("=")
    number, _, kind = rest.partition(":")
    field = message.field.add(name=name, number=int(number), label=FIELD.LABEL_OPTIONAL)
    if kind.endswith("*"):
        field.label, kind = FIELD.LABEL_REPEATED, kind[:-1]
    if kind == "map":
        entry = message.nested_type.add(name=name.title().replace("_", "") + "Entry")
        entry.options.map_entry = True
        add_field(entry, "key=1:string")
        add_field(entry, "value=2:string")
        field.label, field.type = FIELD.LABEL_REPEATED, FIELD.TYPE_MESSAGE
        field.type_name = ".%s.%s.%s" % (PACKAGE, message.name, entry.name)
    elif kind[0].isupper():
        field.type, field.type_name = FIELD.TYPE_MESSAGE, ".%s.%s" % (PACKAGE, kind)
    else:
        field.type = getattr(FIELD, "TYPE_" + kind.upper())


def message_classes():
    description = descriptor_pb2.FileDescriptorProto(name="cri.proto", package=PACKAGE, syntax="proto3")
    for line in SCHEMA.strip().splitlines():
        name, *fields = line.split()
        message = description.message_type.add(name=name)
        for field in fields:
            add_field(message, field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(description) if hasattr(pool, "Add") else pool.AddSerializedFile(description.SerializeToString())
    get = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    return lambda name: get(pool.FindMessageTypeByName(PACKAGE + "." + name))


def call(address, method, request):
    classes = message_classes()
    service = "ImageService" if method.startswith("Image") else "RuntimeService"
    with grpc.insecure_channel("unix://" + address) as channel:
        function = channel.unary_unary(
            "/%s.%s/%s" % (PACKAGE, service, method), request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=classes(method + "Response").FromString)
        try:
            message = json_format.ParseDict(request, classes(method + "Request")())
            return json_format.MessageToDict(function(message, timeout=120), preserving_proto_field_name=True)
        except (grpc.RpcError, json_format.ParseError) as error:
            fail(error.details() if isinstance(error, grpc.RpcError) else error)


CONTAINER_EXITED = 2


def wait_for(address, container):
    while True:
        status = call(address, "ContainerStatus", {"container_id": container})["status"]
        if status.get("state", 0) == CONTAINER_EXITED:
            return status
        time.sleep(0.02)


def start(address, request):
    container = call(address, "CreateContainer", request)["container_id"]
    call(address, "StartContainer", {"container_id": container})
    return container


# --- exec's stream --------------------------------------------------------------------------------------------------------------

def run_exec(address, arguments):
    flags = []
    while arguments[0].startswith("-"):
        flags.append(arguments.pop(0))
    with_tty = "-t" in flags
    answer = call(address, "Exec", {"container_id": arguments[0], "cmd": arguments[1:], "tty": with_tty, "stdin": "-i" in flags,
                                    "stdout": True, "stderr": not with_tty})
    return stream.run(answer["url"], flags)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    address, verb, *arguments = sys.argv[1:]
    if verb == "exec":
        return run_exec(address, arguments)
    if verb == "start":
        print(start(address, json.loads(arguments[0])))
    elif verb == "wait":
        print(json.dumps(wait_for(address, arguments[0])))
    else:
        print(json.dumps(call(address, verb, json.loads(arguments[0]) if arguments else {})))
    return 0


if __name__ == "__main__":
    sys.exit(main())
