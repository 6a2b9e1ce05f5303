#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime under Kubernetes' Container Runtime Interface: containerd's CRI plugin with our program as its runc shim's BinaryName, asked as a
# kubelet asks it (cri.py). Pods get their network from Debian's CNI plugins, in the daemon's network namespace. ./dev test clients installs all of it.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

bats_require_minimum_version 1.5.0
WORLD_ALPINE=no
load ../cli/helper
load daemon
load cri

setup_file() {
    world_setup_file
    command -v containerd >/dev/null && [ -x "$CNI_PLUGINS/bridge" ] && [ -z "$ALPINE_MISSING" ] && [ "$(id -u)" = 0 ] || return 0
    cri_configuration "$WORLD/containerd-run" "$WORLD/containerd.sock"
    make_image pause "$WORLD/pause.tar" '["sleep", "1000000"]'
    make_image box "$WORLD/box.tar" '["sh"]'
    daemon_start "$WORLD/daemon.pid" containerd -c "$WORLD/containerd.toml"
    wait_until cri Version || return 0
    ctr -a "$WORLD/containerd.sock" -n k8s.io images import "$WORLD/pause.tar" >>"$WORLD/daemon.log" 2>&1 || return 0
    ctr -a "$WORLD/containerd.sock" -n k8s.io images import "$WORLD/box.tar" >>"$WORLD/daemon.log" 2>&1 || return 0
    wait_until has_image localhost/pause:test && wait_until has_image localhost/box:test && touch "$WORLD/daemon.up"
    return 0
}

setup() {
    need_program containerd ctr jq
    [ -x "$CNI_PLUGINS/bridge" ] || skip "the CNI plugins are not installed (Debian: containernetworking-plugins)"
    /usr/bin/python3 -c 'import grpc' 2>/dev/null || skip "needs gRPC for Python (Debian: python3-grpcio)"
    need_daemon
}

teardown() {
    local id
    [ -e "$WORLD/daemon.up" ] || return 0
    for id in $(cri ListPodSandbox | jq -r '.items[]?.id'); do
        cri StopPodSandbox "{ \"pod_sandbox_id\": \"$id\" }" && cri RemovePodSandbox "{ \"pod_sandbox_id\": \"$id\" }"
    done >/dev/null
    world_teardown
}

teardown_file() {
    daemon_stop "$WORLD/daemon.pid"
    world_teardown_file
}

# The streams of exec come from the daemon's loopback.
cri() {
    nsenter --net="/proc/$(cat "$WORLD/daemon.pid")/ns/net" /usr/bin/python3 "$BATS_TEST_DIRNAME/cri.py" "$WORLD/containerd.sock" "$@"
}

has_image() {
    cri ImageStatus "{ \"image\": { \"image\": \"$1\" } }" | jq -e .image.id
}

COUNT=0 # of pods and containers, for their names

# start_pod [HANDLER] [JQ-FILTER]: sets POD, and SANDBOX to its configuration, changed by the filter (of .linux and all the rest).
start_pod() {
    local request answer
    COUNT=$((COUNT + 1))
    SANDBOX=$(jq -n --arg name "pod-$BATS_TEST_NUMBER-$COUNT" --arg parent "/$CLOCHE_CGROUP_PARENT" --arg logs "$WORLD/logs" \
        '{ metadata: { name: $name, uid: $name, namespace: "tests" }, hostname: "pod", log_directory: $logs, linux: { cgroup_parent: $parent } } | '"${2:-.}")
    request=$(jq -n --argjson config "$SANDBOX" --arg handler "${1:-}" '{ config: $config, runtime_handler: $handler }')
    answer=$(cri RunPodSandbox "$request") && POD=$(jq -r .pod_sandbox_id <<<"$answer")
}

# words COMMAND...: as JSON. None of them may look like an option of jq.
words() {
    jq -nc '[$ARGS.positional[][1:]]' --args "${@/#/=}"
}

# box_request JQ-FILTER COMMAND...: CreateContainer's, of a new container of the pod.
box_request() {
    local filter=$1
    shift
    jq -n --arg pod "$POD" --argjson sandbox "$SANDBOX" --arg name "box-$BATS_TEST_NUMBER-$COUNT" --arg world "$WORLD" --argjson command "$(words "$@")" '{ pod_sandbox_id: $pod,
        sandbox_config: $sandbox, config: ({ metadata: { name: $name }, image: { image: "localhost/box:test" }, command: $command, log_path: ($name + ".log"), linux: {} }
            | '"$filter"') }'
}

# create_box JQ-FILTER COMMAND...: sets BOX to its id.
create_box() {
    local answer
    COUNT=$((COUNT + 1))
    answer=$(cri CreateContainer "$(box_request "$@")") && BOX=$(jq -r .container_id <<<"$answer")
}

# start_box JQ-FILTER COMMAND...
start_box() {
    COUNT=$((COUNT + 1))
    BOX=$(cri start "$(box_request "$@")")
}

# run_box JQ-FILTER COMMAND...: one that ends by itself: sets status to its exit code, output to what it said.
run_box() {
    local ended
    start_box "$@" && ended=$(cri wait "$BOX") || return 1
    status=$(jq '.exit_code // 0' <<<"$ended")
    output=$(cut -d' ' -f4- "$(jq -r .log_path <<<"$ended")")
}

box_status() {
    cri ContainerStatus "{ \"container_id\": \"$BOX\" }" | jq -r ".status | $1"
}

# 0 created, 1 running, 2 exited
box_is() {
    [ "$(box_status '.state // 0')" = "$1" ]
}

box_was() {
    [ "$(box_status .reason)" = "$1" ]
}

# exec_box COMMAND...: ExecSync; prints what it said and has its exit code.
exec_box() {
    local answer
    answer=$(cri ExecSync "$(jq -n --arg id "$BOX" --argjson command "$(words "$@")" '{ container_id: $id, cmd: $command, timeout: 60 }')") || return 99
    jq -r '(.stdout // "") + (.stderr // "")' <<<"$answer" | base64 -d
    return "$(jq -r '.exit_code // 0' <<<"$answer")"
}

group_file() { # NAME...: of the container's group
    local name
    # Groups of others come and go meanwhile.
    for name in "$@"; do find /sys/fs/cgroup -path "*$CLOCHE_CGROUP_PARENT/$BOX/$name" -exec cat {} + 2>/dev/null | head -n 1; done
}

# --- one container's life -----------------------------------------------------------------------------------------------------------

@test "CRI: run a pod, create, start, exec, logs, inspect, stop, remove; nothing is left" {
    start_pod
    [[ "$(cri PodSandboxStatus "{ \"pod_sandbox_id\": \"$POD\" }" | jq -r .status.network.ip)" == 10.89.0.* ]]
    create_box . sh -c 'trap "exit 4" TERM; echo to stdout; echo to stderr >&2; while :; do sleep 0.05; done'
    box_is 0
    cri StartContainer "{ \"container_id\": \"$BOX\" }"
    box_is 1
    run exec_box sh -c 'echo inside $(hostname); exit 5'
    expect_status 5
    expect_line "inside pod"
    run exec_box ip -4 addr show eth0
    expect_text "inet 10.89.0."
    [ -n "$(find "$WORLD/oci-cloche/k8s.io" -name state.json -path "*$BOX*")" ]
    wait_until grep -q 'stderr F to stderr' "$WORLD"/logs/*.log
    wait_until grep -q 'stdout F to stdout' "$WORLD"/logs/*.log
    cri StopContainer "{ \"container_id\": \"$BOX\", \"timeout\": 60 }"
    box_is 2
    [ "$(box_status .exit_code)" = 4 ]
    [ "$(box_status .reason)" = Error ]
    cri RemoveContainer "{ \"container_id\": \"$BOX\" }"
    [ "$(cri ListContainers)" = '{}' ]
    cri StopPodSandbox "{ \"pod_sandbox_id\": \"$POD\" }"
    cri RemovePodSandbox "{ \"pod_sandbox_id\": \"$POD\" }"
    [ "$(cri ListPodSandbox)" = '{}' ]
    [ -z "$(find "$WORLD/oci-cloche/k8s.io" -mindepth 1)" ]
}

@test "CRI: a program that is missing, one that ends at once, one that has to be killed" {
    start_pod
    create_box . missing
    run cri StartContainer "{ \"container_id\": \"$BOX\" }"
    [ "$status" -ne 0 ]
    expect_text "executable file not found in \$PATH"
    box_is 2
    [ "$(box_status .exit_code)" = 128 ]
    [ "$(box_status .reason)" = StartError ]
    run_box . sh -c 'exit 7'
    expect_status 7
    start_box . sh -c 'trap "" TERM; echo deaf; while :; do sleep 0.05; done'
    wait_until grep -q 'F deaf' "$(box_status .log_path)"
    cri StopContainer "{ \"container_id\": \"$BOX\", \"timeout\": 1 }"
    [ "$(box_status .exit_code)" = 137 ]
}

@test "CRI: exec of a missing program, one that outlives its time, and a stream with a terminal" {
    start_pod
    start_box . sleep 1000
    run exec_box missing
    expect_status 99
    expect_text "executable file not found in \$PATH"
    run cri ExecSync "{ \"container_id\": \"$BOX\", \"cmd\": [\"sleep\", \"1001\"], \"timeout\": 1 }"
    [ "$status" -ne 0 ]
    expect_text "timeout"
    run exec_box ps
    refute_text "sleep 1001"
    run cri exec "$BOX" sh -c 'echo out; echo err >&2; exit 3'
    expect_status 3
    expect_line out
    expect_line err
    run_pty "nsenter --net=/proc/$(cat "$WORLD/daemon.pid")/ns/net /usr/bin/python3 $BATS_TEST_DIRNAME/cri.py $WORLD/containerd.sock exec -i -t $BOX sh" <<'SESSION'
expect #
line tty; stty size
expect /dev/pts/0
expect 24 80
line exit 6
SESSION
    expect_status 6
}

@test "CRI: limits, stats, update, an OOM kill that is told" {
    start_pod
    start_box '.linux.resources = { cpu_shares: 512, cpu_period: 100000, cpu_quota: 50000, memory_limit_in_bytes: 33554432 }' sleep 1000
    run group_file memory.limit_in_bytes memory.max cpu.cfs_quota_us cpu.max
    [[ "$output" == $'33554432\n50000' || "$output" == $'33554432\n50000 100000' ]]
    cri UpdateContainerResources "{ \"container_id\": \"$BOX\", \"linux\": { \"cpu_period\": 100000, \"cpu_quota\": 20000, \"cpu_shares\": 256, \"memory_limit_in_bytes\": 67108864 } }"
    run group_file memory.limit_in_bytes memory.max cpu.cfs_quota_us cpu.max
    [[ "$output" == $'67108864\n20000' || "$output" == $'67108864\n20000 100000' ]]
    run cri ContainerStats "{ \"container_id\": \"$BOX\" }"
    [ "$(jq -r .stats.memory.working_set_bytes.value <<<"$output")" -gt 0 ]
    [ "$(jq -r .stats.cpu.usage_core_nano_seconds.value <<<"$output")" -gt 0 ]
    run cri PodSandboxStats "{ \"pod_sandbox_id\": \"$POD\" }"
    [ "$(jq -r '.stats.linux.containers | length' <<<"$output")" = 1 ]
    run_box '.linux.resources = { memory_limit_in_bytes: 16777216 }' sh -c 'x=a; while :; do x=$x$x; done'
    expect_status 137
    # The shim hears of a kill and of an end in two ways, and forgets the kill of whose group is gone: so here the end waits.
    start_box '.linux.resources = { memory_limit_in_bytes: 16777216 }' sh -c '(x=a; while :; do x=$x$x; done); while [ ! -e /go ]; do sleep 0.1; done'
    wait_until box_was OOMKilled
    exec_box touch /go
    cri wait "$BOX" >/dev/null
    box_was OOMKilled
}

# --- what a pod says of namespaces ------------------------------------------------------------------------------------------------------

@test "CRI: the host's network, processes and IPC; a pod's own IPC, and one PID namespace for all of it" {
    start_pod '' 'del(.hostname) | .linux.security_context.namespace_options = { network: 2, pid: 2, ipc: 2 }'
    run_box '.linux.security_context.namespace_options = { network: 2, pid: 2, ipc: 2 }' sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc'
    expect_output "$(readlink "/proc/$(cat "$WORLD/daemon.pid")/ns/net" /proc/self/ns/pid /proc/self/ns/ipc)"
    start_pod '' '.linux.security_context.namespace_options = { pid: 0 }'
    start_box '.linux.security_context.namespace_options = { pid: 0 }' sleep 1001
    run exec_box sh -c 'ps; readlink /proc/self/ns/ipc'
    expect_match "1 root .*sleep 1000000"
    expect_match "root .*sleep 1001"
    local ipc=${lines[-1]}
    run_box '.linux.security_context.namespace_options = { pid: 1 }' sh -c 'echo $$; readlink /proc/self/ns/ipc'
    expect_output $'1\n'"$ipc"
    # One that looks at another's processes, as kubectl debug does it.
    start_box '.linux.security_context.namespace_options = { pid: 1 }' sleep 1002
    run_box ".linux.security_context.namespace_options = { pid: 3, target_id: \"$BOX\" }" ps
    expect_match "1 root .*sleep 1002"
}

@test "CRI: sysctls of a pod, its hostname, names for resolution" {
    start_pod '' '.linux.sysctls = { "net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1" } | .dns_config = { servers: ["192.0.2.1"] }'
    run_box . sh -c 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced; cat /etc/resolv.conf; hostname'
    expect_output $'1\n1\nnameserver 192.0.2.1\npod'
}

@test "CRI: a second handler" {
    start_pod second
    start_box . sleep 1000
    [ -n "$(find "$WORLD/oci-second/k8s.io" -name state.json -path "*$BOX*")" ]
    run start_pod missing
    [ "$status" -ne 0 ]
}

# --- what a container says of its rights ----------------------------------------------------------------------------------------

@test "CRI: user, groups, capabilities, no new privileges, read-only root" {
    start_pod
    run_box '.linux.security_context = { run_as_user: { value: 1000 }, run_as_group: { value: 1001 }, supplemental_groups: [2000, 2001], no_new_privs: true,
        capabilities: { drop_capabilities: ["ALL"], add_capabilities: ["CHOWN"] }, readonly_rootfs: true }' \
        sh -c 'id -u; id -g; grep -E "Groups|CapBnd|NoNewPrivs" /proc/self/status; touch /tmp/x'
    expect_line 1000
    expect_line 1001
    expect_match "Groups:.*2000 2001"
    expect_match "CapBnd:.0000000000000001"
    expect_match "NoNewPrivs:.1"
    expect_text "Read-only file system"
}

@test "CRI: masked and read-only paths, none of them, privileged" {
    start_pod '' '.linux.security_context.privileged = true'
    run_box '.linux.security_context = { masked_paths: ["/proc/kcore", "/proc/timer_list", "/sys/firmware"], readonly_paths: ["/proc/sys"] }' \
        sh -c 'ls /sys/firmware | wc -l; wc -c </proc/timer_list; echo x >/proc/sys/kernel/domainname'
    expect_line 0
    expect_text "Read-only file system"
    run_box '.linux.security_context = { privileged: true }' \
        sh -c 'mount -t tmpfs none /mnt && echo mounted; grep Seccomp: /proc/self/status; [ -c /dev/null ] && ls /dev | wc -l'
    expect_line mounted
    expect_match "Seccomp:.0"
}

@test "CRI: seccomp: the default profile, one of the node's, none" {
    start_pod
    run_box '.linux.security_context.seccomp = { profile_type: 0 }' sh -c 'grep Seccomp: /proc/self/status; unshare -U true'
    expect_match "Seccomp:.2"
    expect_text "Operation not permitted"
    run_box '.linux.security_context.seccomp = { profile_type: 1 }' grep Seccomp: /proc/self/status
    expect_match "Seccomp:.0"
    echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28 }] }' >"$WORLD/profile.json"
    run_box '.linux.security_context.seccomp = { profile_type: 2, localhost_ref: "localhost/\($world)/profile.json" }' mkdir /x
    expect_text "No space left on device"
}

@test "CRI: volumes: read-only, propagation, devices, environment, working directory" {
    mkdir -p "$WORLD/volume"
    echo mine >"$WORLD/volume/file"
    start_pod
    run_box '.mounts = [{ container_path: "/v", host_path: ($world + "/volume") }, { container_path: "/r", host_path: ($world + "/volume"), readonly: true }] |
        .envs = [{ key: "A", value: ("b" | @base64) }] | .working_dir = "/made/here" | .devices = [{ container_path: "/dev/zilch", host_path: "/dev/null", permissions: "rw" }]' \
        sh -c 'cat /r/file; touch /v/new; touch /r/new2; echo "$A $PWD"; echo x >/dev/zilch && echo written'
    expect_line mine
    expect_text "Read-only file system"
    expect_line "b /made/here"
    expect_line written
    [ -e "$WORLD/volume/new" ]
}

# handler_can FEATURE: as containerd tells the kubelet, who heard it from the runtime's `features`.
handler_can() {
    cri Status | jq -e ".runtime_handlers[]? | select(.name == \"cloche\") | .features.$1"
}

@test "CRI: recursive read-only volumes" {
    handler_can recursive_read_only_mounts || skip "this containerd does not know them"
    mkdir -p "$WORLD/tree/below"
    mount -t tmpfs none "$WORLD/tree/below"
    start_pod
    run_box '.mounts = [{ container_path: "/r", host_path: ($world + "/tree"), readonly: true, recursive_read_only: true }]' touch /r/below/x
    umount "$WORLD/tree/below"
    expect_text "Read-only file system"
}

@test "CRI: a pod with a user namespace" {
    handler_can user_namespaces || skip "this containerd does not know them"
    local users='{ mode: 0, uids: [{ host_id: 500000, container_id: 0, length: 65536 }], gids: [{ host_id: 500000, container_id: 0, length: 65536 }] }'
    mkdir -p "$WORLD/volume"
    chmod 755 "$WORLD/volume"
    start_pod '' ".linux.security_context.namespace_options = { pid: 1, userns_options: $users }"
    start_box ".linux.security_context.namespace_options = { pid: 1, userns_options: $users } | .mounts = [{ container_path: \"/v\", host_path: (\$world + \"/volume\"),
        uidMappings: [{ host_id: 500000, container_id: 0, length: 65536 }], gidMappings: [{ host_id: 500000, container_id: 0, length: 65536 }] }]" sleep 1000
    run exec_box sh -c 'cat /proc/self/uid_map; stat -c %u:%g /etc/passwd; touch /v/made; stat -c %u:%g /v /v/made'
    expect_match "0 +500000 +65536"
    expect_line 0:0
    [ "$(stat -c %u "$WORLD/volume/made")" = 0 ]
}
