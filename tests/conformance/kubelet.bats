#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime under a real kubelet: static pods, containerd with our program as its default handler (kubelet.bash makes that world). Debian has no kubelet:
# CLOCHE_KUBELET is the path of one, or it is in PATH; else all of this is skipped. docs/HACKING.md tells more.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

bats_require_minimum_version 1.5.0
WORLD_ALPINE=no
load ../cli/helper
load daemon
load cri
load kubelet

setup_file() {
    world_setup_file
    kubelet_find
    [ -n "$KUBELET" ] && command -v containerd ctr jq curl >/dev/null && [ -x "$CNI_PLUGINS/bridge" ] && [ -z "$ALPINE_MISSING" ] && [ "$(id -u)" = 0 ] || return 0
    kubelet_world_start
}

setup() {
    kubelet_find
    [ -n "$KUBELET" ] || skip "there is no kubelet: CLOCHE_KUBELET is to be the path of one"
    need_program containerd ctr jq curl
    [ -x "$CNI_PLUGINS/bridge" ] || skip "the CNI plugins are not installed (Debian: containernetworking-plugins)"
    need_daemon
}

teardown() {
    local mount
    [ -e "$WORLD/daemon.up" ] || return 0
    rm -f "$WORLD"/manifests/*
    for mount in $(in_world awk -v shared="$WORLD/shared/" 'index($5, shared) == 1 { print $5 }' /proc/self/mountinfo); do in_world umount -l "$mount"; done
    await nothing_is_left || {
        printf 'left behind by this test:\n%s\n' "$(pods_left)" >&2
        return 1
    }
}

teardown_file() {
    kubelet_world_stop
}

# --- lives ------------------------------------------------------------------------------------------------------------------------

@test "kubelet: a pod of several containers, after its init containers; logs; nothing is left of it" {
    start_pod several '.spec.volumes = [{ name: "v", emptyDir: {} }]
        | .spec.initContainers = [box("first"; "echo one >>/v/order"), box("second"; "echo two >>/v/order")]
        | .spec.containers = [box("a"; "cat /v/order; echo to stderr >&2; exec sleep 1000"), box("b"; "echo b; exec sleep 1000")]
        | (.spec.initContainers[], .spec.containers[]).volumeMounts = [{ name: "v", mountPath: "/v" }]'
    await is_ready several
    [ "$(pod several '[.status.initContainerStatuses[].state.terminated | "\(.reason) \(.exitCode)"] | join(", ")')" = "Completed 0, Completed 0" ]
    run said several a
    expect_text $'one\ntwo'
    expect_line "to stderr" # another pipe's order is nobody's
    [ "$(said several b)" = b ]
    [ "$(in_box several a 'hostname; ip -4 addr show eth0 | grep -c 10.89.0')" = $'several-node\n1' ]
    [[ "$(pod several .status.podIP)" == 10.89.0.* ]]
    end_pod several
}

@test "kubelet: a sidecar lives as long as the container that it serves, and ends after it" {
    run_pod served '.spec.volumes = [{ name: "v", emptyDir: {} }] | .spec.terminationGracePeriodSeconds = 30
        | .spec.initContainers = [box("sidecar"; "trap \"exit 5\" TERM; touch /v/up; while :; do sleep 0.05; done") + { restartPolicy: "Always" }]
        | .spec.containers = [box("main"; "until [ -e /v/up ]; do sleep 0.05; done; echo served")]
        | (.spec.initContainers[], .spec.containers[]).volumeMounts = [{ name: "v", mountPath: "/v" }]'
    pod_is served Succeeded
    [ "$(said served main)" = served ]
    [ "$(box served sidecar .state.terminated.exitCode)" = 5 ]
}

@test "kubelet: restarts: exit codes, reasons, a signal's, a program that is missing" {
    start_pod again '.spec.restartPolicy = "OnFailure" | .spec.volumes = [{ name: "v", emptyDir: {} }]
        | .spec.containers = [box("fails"; "[ -e /v/once ] && exit 0; touch /v/once; exit 3"), box("good"; "exit 0"), box("missing"; "") + { command: ["missing"] }]
        | .spec.containers[].volumeMounts = [{ name: "v", mountPath: "/v" }]'
    await box_is again fails '"\(.state.terminated.reason) \(.state.terminated.exitCode) \(.lastState.terminated.reason) \(.lastState.terminated.exitCode) \(.restartCount)"' \
        "Completed 0 Error 3 1"
    [ "$(box again good '"\(.state.terminated.reason) \(.state.terminated.exitCode) \(.restartCount)"')" = "Completed 0 0" ]
    await box_is again missing '"\(.lastState.terminated.reason) \(.lastState.terminated.exitCode)"' "StartError 128"
    [[ "$(box again missing .lastState.terminated.message)" == *'executable file not found in $PATH'* ]]
    end_pod again
    run_pod killed '.spec.containers = [box("self"; "sh -c \"kill -KILL \\$PPID\"; kill -SEGV $$; sleep 1000 & kill -ABRT $!; wait $!; exit $?")]'
    pod_is killed Failed
    [ "$(box killed self .state.terminated.exitCode)" = 134 ]
}

@test "kubelet: the end of a pod: SIGTERM, its time, SIGKILL; what it told the kubelet" {
    start_pod polite '.spec.terminationGracePeriodSeconds = 60 | .spec.volumes = [{ name: "v", hostPath: { path: "\($world)/made" } }]
        | .spec.containers = [box("a"; "trap \"echo term >>/v/polite; exit 0\" TERM; while :; do sleep 0.05; done") + { volumeMounts: [{ name: "v", mountPath: "/v" }] }]'
    start_pod deaf '.spec.containers = [box("a"; "trap \"\" TERM; while :; do sleep 0.05; done")]'
    await is_ready polite
    await is_ready deaf
    end_pod polite
    end_pod deaf
    [ "$(cat "$WORLD/made/polite")" = term ]
    run_pod tells '.spec.containers = [box("a"; "echo last words >/dev/termination-log; exit 9")]'
    [ "$(box tells a '"\(.state.terminated.message) \(.state.terminated.exitCode)"')" = $'last words\n 9' ]
}

@test "kubelet: hooks: after the start, before the stop" {
    start_pod hooked '.spec.terminationGracePeriodSeconds = 60 | .spec.volumes = [{ name: "v", hostPath: { path: "\($world)/made" } }]
        | .spec.containers = [box("a"; "trap \"echo term >>/v/hooked; exit 0\" TERM; while :; do sleep 0.05; done") + { volumeMounts: [{ name: "v", mountPath: "/v" }],
            lifecycle: { postStart: { exec: { command: ["sh", "-c", "echo started >>/v/hooked"] } }, preStop: { exec: { command: ["sh", "-c", "echo stopping >>/v/hooked"] } } } }]'
    await is_ready hooked
    end_pod hooked
    [ "$(cat "$WORLD/made/hooked")" = $'started\nstopping\nterm' ]
    start_pod unhooked '.spec.containers = [box("a"; "sleep 1000") + { lifecycle: { postStart: { exec: { command: ["missing"] } } } }]'
    await box_is unhooked a '.restartCount > 0' true
}

@test "kubelet: probes by exec: startup, readiness, liveness, and one that takes too long" {
    start_pod probed '.spec.containers = [box("a"; "touch /alive; sleep 1000") + {
            startupProbe: { exec: { command: ["test", "-e", "/alive"] }, periodSeconds: 1 },
            readinessProbe: { exec: { command: ["test", "-e", "/ready"] }, periodSeconds: 1, failureThreshold: 1 },
            livenessProbe: { exec: { command: ["test", "-e", "/alive"] }, periodSeconds: 1, failureThreshold: 1 } },
        box("slow"; "sleep 1000") + { livenessProbe: { exec: { command: ["sleep", "1001"] }, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1 } }]'
    await box_is probed a .started true
    [ "$(box probed a .ready)" = false ]
    in_box probed a 'touch /ready'
    await box_is probed a .ready true
    in_box probed a 'rm /ready'
    await box_is probed a .ready false
    [ "$(box probed a .restartCount)" = 0 ]
    in_box probed a 'rm /alive'
    await box_is probed a '"\(.restartCount) \(.lastState.terminated.exitCode)"' "1 137"
    await box_is probed slow '.restartCount > 0' true
}

@test "kubelet: exec as kubectl does it: output, input, exit code, a terminal" {
    stream() { # FLAGS CONTAINER QUERY
        nsenter --net="/proc/$(cat "$WORLD/daemon.pid")/ns/net" /usr/bin/python3 "$BATS_TEST_DIRNAME/stream.py" $1 "https://127.0.0.1:10250/exec/tests/talks-node/$2?$3"
    }
    start_pod talks '.spec.containers = [box("a"; "exec sleep 1000")]'
    await is_ready talks
    run stream "" a 'output=1&error=1&command=sh&command=-c&command=echo%20out%3Becho%20err%20%3E%262%3Bexit%204'
    expect_status 4
    expect_line out
    expect_line err
    run stream "" a 'output=1&error=1&command=missing'
    [ "$status" -ne 0 ]
    expect_text 'executable file not found in $PATH'
    run stream -i a 'input=1&output=1&command=head&command=-n&command=1' <<<"through the kubelet"
    expect_output "through the kubelet"
    run_pty "nsenter --net=/proc/$(cat "$WORLD/daemon.pid")/ns/net /usr/bin/python3 $BATS_TEST_DIRNAME/stream.py -i -t 'https://127.0.0.1:10250/exec/tests/talks-node/a?input=1&output=1&tty=1&command=sh'" <<'SESSION'
expect #
line tty; stty size
expect /dev/pts/0
expect 24 80
line exit 6
SESSION
    expect_status 6
}

# --- resources --------------------------------------------------------------------------------------------------------------------------

@test "kubelet: requests and limits, in the groups of their class; an OOM kill is told" {
    start_pod sized '.spec.containers = [box("a"; "sleep 1000") + { resources: { requests: { cpu: "100m", memory: "32Mi" }, limits: { cpu: "500m", memory: "64Mi" } } }]'
    start_pod best '.spec.containers = [box("a"; "sleep 1000")]'
    start_pod sure '.spec.containers = [box("a"; "sleep 1000") + { resources: { limits: { cpu: "200m", memory: "64Mi" } } }]'
    await is_ready sized
    await is_ready best
    await is_ready sure
    [ "$(pod sized .status.qosClass) $(pod best .status.qosClass) $(pod sure .status.qosClass)" = "Burstable BestEffort Guaranteed" ]
    [[ "$(group_of sized a)" == */kubepods/burstable/pod* && "$(group_of best a)" == */kubepods/besteffort/pod* && "$(group_of sure a)" == */kubepods/pod* ]]
    [ "$(group_file sized a memory.limit_in_bytes memory.max)" = 67108864 ]
    [[ "$(group_file sized a cpu.cfs_quota_us cpu.max)" == @(50000|50000 100000) ]]
    [[ "$(group_file sized a cpu.shares cpu.weight)" == @(102|4|17) ]]
    start_pod hungry '.spec.restartPolicy = "OnFailure" | .spec.containers = [box("a"; "[ -e /v/once ] && exit 0; touch /v/once; x=a; while :; do x=$x$x; done")
            + { resources: { limits: { memory: "32Mi" } }, volumeMounts: [{ name: "v", mountPath: "/v" }] }] | .spec.volumes = [{ name: "v", emptyDir: {} }]'
    await box_is hungry a '"\(.state.terminated.exitCode) \(.lastState.terminated.reason) \(.lastState.terminated.exitCode)"' "0 OOMKilled 137"
}

@test "kubelet: statistics: of the pod, its containers, its volumes; metrics" {
    start_pod busy '.spec.containers = [box("a"; "while :; do :; done") + { resources: { limits: { cpu: "50m", memory: "64Mi" } } }]'
    await is_ready busy
    summary_has() { api stats/summary | jq -e '.pods[] | select(.podRef.name == "busy-node") | '"$1"; }
    await summary_has '.containers[] | select(.name == "a") | .memory.workingSetBytes > 0 and .cpu.usageCoreNanoSeconds > 0'
    await summary_has '.network.interfaces[] | select(.name == "eth0") | .rxBytes >= 0'
    await summary_has '.process_stats.process_count > 0'
    metrics_have() { api "$1" | grep -E "$2"; }
    await metrics_have metrics/resource '^container_cpu_usage_seconds_total\{container="a",namespace="tests",pod="busy-node"\}'
    await metrics_have metrics/cadvisor '^container_cpu_cfs_throttled_periods_total\{container="a",.*pod="busy-node"\} [1-9]'
}

# A static pod whose uid stays the same is updated, not replaced.
@test "kubelet: a pod's resources are changed while it runs" {
    local manifest='.metadata.uid = "11111111-2222-3333-4444-555555555555" | .spec.containers = [box("a"; "sleep 1000")
        + { resources: { limits: { cpu: "200m", memory: $memory }, requests: { cpu: "100m", memory: "32Mi" } } }]' before
    start_pod grows "\"64Mi\" as \$memory | $manifest"
    await is_ready grows
    before=$(box grows a .containerID)
    [ "$(group_file grows a memory.limit_in_bytes memory.max)" = 67108864 ]
    start_pod grows "\"96Mi\" as \$memory | $manifest"
    grown() { [ "$(group_file grows a memory.limit_in_bytes memory.max)" = 100663296 ]; }
    await grown
    await box_is grows a .resources.limits.memory 96Mi
    [ "$(box grows a '"\(.containerID) \(.restartCount)"')" = "$before 0" ]
}

# --- files ------------------------------------------------------------------------------------------------------------------------

@test "kubelet: volumes: empty ones, in memory, of the host, a part of one, what the pod is" {
    mkdir -p "$WORLD/made/tree/part"
    echo of the host >"$WORLD/made/tree/file"
    run_pod volumes '.metadata.labels = { colour: "green" } | .spec.volumes = [{ name: "disk", emptyDir: {} }, { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
            { name: "host", hostPath: { path: "\($world)/made/tree", type: "Directory" } },
            { name: "self", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } }]
        | .spec.containers = [box("a"; "exec 2>&1; touch /disk/x && stat -f -c %T /memory; df -k /memory | tail -n 1 | awk \"{ print \\$2 }\"; cat /host/file; touch /part/new; touch /host/x; cat /self/labels; cat /etc/hosts | grep -c volumes-node")
            + { volumeMounts: [{ name: "disk", mountPath: "/disk" }, { name: "memory", mountPath: "/memory" }, { name: "host", mountPath: "/host", readOnly: true },
                { name: "host", mountPath: "/part", subPath: "part" }, { name: "self", mountPath: "/self" }] }]'
    run said volumes a
    expect_output $'tmpfs\n1024\nof the host\ntouch: /host/x: Read-only file system\ncolour="green"1'
    [ -e "$WORLD/made/tree/part/new" ]
}

@test "kubelet: mounts propagate into a pod, and out of one" {
    mkdir -p "$WORLD/shared/in" "$WORLD/shared/out"
    start_pod propagates '.spec.volumes = [{ name: "v", hostPath: { path: "\($world)/shared" } }] | .spec.containers = [
        box("gets"; "sleep 1000") + { volumeMounts: [{ name: "v", mountPath: "/v", mountPropagation: "HostToContainer" }] },
        box("none"; "sleep 1000") + { volumeMounts: [{ name: "v", mountPath: "/v" }] },
        box("gives"; "mount -t tmpfs none /v/out; touch /v/out/mark; sleep 1000") + { securityContext: { privileged: true }, volumeMounts: [{ name: "v", mountPath: "/v", mountPropagation: "Bidirectional" }] }]'
    await is_ready propagates
    await in_box propagates gets 'test -e /v/out/mark'
    in_world test -e "$WORLD/shared/out/mark"
    in_world mount -t tmpfs none "$WORLD/shared/in"
    in_world touch "$WORLD/shared/in/late"
    in_box propagates gets 'test -e /v/in/late'
    in_box propagates gives 'test -e /v/in/late'
    run ! in_box propagates none 'test -e /v/in/late'
    in_world umount "$WORLD/shared/in"
    in_box propagates gives 'umount /v/out'
    run ! in_world test -e "$WORLD/shared/out/mark"
}

@test "kubelet: a read-only root, and volumes that are read-only all the way down" {
    mkdir -p "$WORLD/shared/tree/below"
    in_world mount -t tmpfs none "$WORLD/shared/tree/below"
    run_pod readonly '.spec.volumes = [{ name: "v", hostPath: { path: "\($world)/shared/tree" } }, { name: "w", emptyDir: {} }]
        | .spec.containers = [box("a"; "exec 2>&1; touch /x; touch /w/x && echo written; touch /v/x; touch /v/below/x && echo below")
            + { securityContext: { readOnlyRootFilesystem: true }, volumeMounts: [{ name: "v", mountPath: "/v", readOnly: true }, { name: "w", mountPath: "/w" }] }]'
    run said readonly a
    expect_output $'touch: /x: Read-only file system\nwritten\ntouch: /v/x: Read-only file system\nbelow'
    end_pod readonly
    start_pod deep '.spec.volumes = [{ name: "v", hostPath: { path: "\($world)/shared/tree" } }] | .spec.restartPolicy = "Never"
        | .spec.containers = [box("a"; "touch /v/below/x") + { volumeMounts: [{ name: "v", mountPath: "/v", readOnly: true, recursiveReadOnly: "Enabled" }] }]'
    refused_or_ended() { pod_has_ended deep || [ "$(box deep a .state.waiting.reason)" = CreateContainerConfigError ]; }
    await refused_or_ended
    if pod_has_ended deep; then run said deep a && expect_output "touch: /v/below/x: Read-only file system"; fi
    end_pod deep
    in_world umount "$WORLD/shared/tree/below"
}

# --- rights --------------------------------------------------------------------------------------------------------------------------

@test "kubelet: users, groups, capabilities, no new privileges" {
    run_pod user '.spec.volumes = [{ name: "v", emptyDir: {} }] | .spec.securityContext = { runAsUser: 1000, runAsGroup: 1001, supplementalGroups: [2000], fsGroup: 3000, runAsNonRoot: true }
        | .spec.containers = [box("a"; "id -u; id -g; grep -E \"^(Groups|CapEff|CapBnd|NoNewPrivs)\" /proc/self/status; touch /v/x; stat -c %g /v/x; touch /x")
            + { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } }, volumeMounts: [{ name: "v", mountPath: "/v" }] }]'
    run said user a
    expect_line 1000
    expect_line 1001
    expect_match "Groups:.*2000 3000"
    expect_match "CapEff:.0000000000000000"
    expect_match "CapBnd:.0000000000000400"
    expect_match "NoNewPrivs:.1"
    expect_line 3000
    expect_text "/x: Permission denied"
    start_pod root '.spec.containers = [box("a"; "id") + { securityContext: { runAsNonRoot: true } }]'
    await box_is root a .state.waiting.reason CreateContainerConfigError
}

@test "kubelet: seccomp: the runtime's default, one of the node's, none; privileged" {
    mkdir -p "$WORLD/kubelet/seccomp"
    echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28 }] }' >"$WORLD/kubelet/seccomp/profile.json"
    run_pod filtered '.spec.containers = [
        box("default"; "grep ^Seccomp: /proc/self/status; unshare -U true") + { securityContext: { seccompProfile: { type: "RuntimeDefault" } } },
        box("own"; "mkdir /x") + { securityContext: { seccompProfile: { type: "Localhost", localhostProfile: "profile.json" } } },
        box("none"; "grep ^Seccomp: /proc/self/status") + { securityContext: { seccompProfile: { type: "Unconfined" } } },
        box("privileged"; "grep ^Seccomp: /proc/self/status; mount -t tmpfs none /mnt && echo mounted; echo 1 >/proc/sys/net/ipv4/ip_forward && echo set") + { securityContext: { privileged: true } }]'
    run said filtered default
    expect_match "Seccomp:.2"
    expect_text "Operation not permitted"
    run said filtered own
    expect_text "No space left on device"
    [ "$(said filtered none)" = $'Seccomp:\t0' ]
    [ "$(said filtered privileged)" = $'Seccomp:\t0\nmounted\nset' ]
}

# --- namespaces ----------------------------------------------------------------------------------------------------------------

@test "kubelet: the host's network, processes and IPC; one PID namespace for a pod" {
    run_pod hosted '.spec.hostNetwork = true | .spec.hostPID = true | .spec.hostIPC = true
        | .spec.containers = [box("a"; "for name in net pid ipc uts; do readlink /proc/self/ns/$name; done")]'
    [ "$(said hosted a)" = "$(in_world readlink /proc/self/ns/net /proc/self/ns/pid /proc/self/ns/ipc /proc/self/ns/uts)" ]
    start_pod together '.spec.shareProcessNamespace = true | .spec.containers = [box("a"; "exec sleep 1001"), box("b"; "exec sleep 1002")]'
    await is_ready together
    run in_box together a ps
    expect_match "1 root .*sleep 1000000"
    expect_match "root .*sleep 1001"
    expect_match "root .*sleep 1002"
    start_pod apart '.spec.containers = [box("a"; "exec sleep 1001"), box("b"; "exec sleep 1002")]'
    await is_ready apart
    run in_box apart a ps
    refute_text "sleep 1002"
    [ "$(in_box apart a 'readlink /proc/self/ns/ipc /proc/self/ns/net')" = "$(in_box apart b 'readlink /proc/self/ns/ipc /proc/self/ns/net')" ]
}

@test "kubelet: sysctls: safe ones, allowed ones, forbidden ones" {
    run_pod tuned '.spec.securityContext.sysctls = [{ name: "kernel.shm_rmid_forced", value: "1" }, { name: "net.ipv4.ip_unprivileged_port_start", value: "80" }, { name: "net.ipv4.ip_forward", value: "1" }]
        | .spec.containers = [box("a"; "cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ip_forward")]'
    [ "$(said tuned a)" = $'1\n80\n1' ]
    start_pod forbidden '.spec.securityContext.sysctls = [{ name: "kernel.msgmax", value: "65536" }] | .spec.containers = [box("a"; "sleep 1000")]'
    await pod_is forbidden Failed
    [ "$(pod forbidden .status.reason)" = SysctlForbidden ]
}

@test "kubelet: a pod with a user namespace" {
    start_pod users '.spec.hostUsers = false | .spec.volumes = [{ name: "v", emptyDir: {} }, { name: "m", emptyDir: { medium: "Memory" } }]
        | .spec.containers = [box("a"; "exec sleep 1000") + { volumeMounts: [{ name: "v", mountPath: "/v" }, { name: "m", mountPath: "/m" }] },
            box("bare"; "exec sleep 1000") + { securityContext: { procMount: "Unmasked" } }]'
    ready_or_refused() { is_ready users || pod_is users Failed || grep -q "user namespaces.*not supported\|does not support user namespaces" "$WORLD/kubelet.log"; }
    await ready_or_refused
    is_ready users || skip "not with this containerd: $(grep -o 'err="[^"]*user namespaces[^"]*' "$WORLD/kubelet.log" | tail -n 1)"
    run in_box users a 'cat /proc/self/uid_map; stat -c %u:%g /etc/passwd /v /m; touch /v/x /m/x && stat -c %u /v/x /m/x; readlink /proc/self/ns/user'
    expect_match "0 +[1-9][0-9]{4,} +65536"
    expect_line 0:0
    refute_text 65534
    refute_text "$(readlink /proc/self/ns/user)"
    [ "$(stat -c %u "$WORLD"/kubelet/pods/*/volumes/kubernetes.io~empty-dir/v/x)" = 0 ]
    # Such a pod may make containers: a /proc with nothing masked lets them have theirs.
    in_box users bare 'unshare -Urmpf mount -t proc none /proc'
    run ! in_box users a 'unshare -Urmpf mount -t proc none /proc'
}

# --- the lens ------------------------------------------------------------------------------------------------------------

@test "kubelet: the lens knows pods and their containers by name" {
    local pid
    start_pod seen '.spec.containers = [box("a"; "exec sleep 1001"), box("b"; "exec sleep 1002")]'
    await is_ready seen
    pid=$(ctr_ tasks ls | awk -v id="$(box seen a '.containerID | ltrimstr("containerd://")')" '$1 == id { print $2 }')
    run in_world "$CLOCHE_BUILD/cloche" lsns -J -l -t pid -Q 'ENGINE == "kubernetes"' -o PID,CONTAINER,ENGINE
    expect_status 0
    [ "$(jq -r --argjson pid "$pid" '.namespaces[] | select(.pid == $pid) | "\(.container) \(.engine)"' <<<"$output")" = "tests/seen-node/a kubernetes" ]
    [ "$(jq -r '[.namespaces[].container] | sort | join(" ")' <<<"$output")" = "tests/seen-node tests/seen-node/a tests/seen-node/b" ]
    run in_world "$CLOCHE_BUILD/cloche" view --json tests/seen-node/a
    [ "$(jq -r '"\(.pid) \(.container) \(.engine) \(.process.pid.inside)"' <<<"$output")" = "$pid tests/seen-node/a kubernetes 1" ]
    run in_world "$CLOCHE_BUILD/cloche" pid --json tests/seen-node/a
    [ "$(jq -r '.levels | last | "\(.pid) \(.container)"' <<<"$output")" = "1 tests/seen-node/a" ]
    # Of its other namespaces, the pod is the owner.
    run in_world "$CLOCHE_BUILD/cloche" view --json tests/seen-node/b
    [ "$(jq -r '[.namespaces | .uts, .ipc, .net | .with] | unique | join(" ")' <<<"$output")" = tests/seen-node ]
    [ "$(jq -c '.shared - ["time", "cgroup", "user"]' <<<"$output")" = "[]" ] # on cgroup v2, a pod has its own
    run in_world "$CLOCHE_BUILD/cloche" why --json --syscall kexec_load tests/seen-node/a
    expect_status 0
}

# --- more than one, and the end ------------------------------------------------------------------------------------------------

@test "kubelet: a dozen pods at once; they outlive a kubelet" {
    local i before
    all_are() { [ "$(api pods | jq '[.items[]?.status.conditions[]? | select(.type == "Ready" and .status == "True")] | length')" = 12 ]; }
    ids() { api pods | jq -c '[.items[].status.containerStatuses[] | "\(.containerID) \(.restartCount)"] | sort'; }
    for i in {1..12}; do start_pod "many-$i" '.spec.containers = [box("a"; "exec sleep 1000"), box("b"; "exec sleep 1000")]'; done
    await all_are
    before=$(ids)
    [ "$(jq length <<<"$before")" = 24 ]
    daemon_stop "$WORLD/kubelet.pid"
    kubelet_start
    await is_synced
    await all_are
    [ "$(ids)" = "$before" ]
}

@test "kubelet: nothing is left of all these pods" {
    PATIENCE=$((PATIENCE + 120)) await no_records_are_left
    [ -z "$(find "$WORLD"/oci-*/k8s.io -mindepth 1 2>/dev/null)" ]
    [ -z "$(find "$WORLD/cni-leases/pods" -name '10.*')" ]
}
