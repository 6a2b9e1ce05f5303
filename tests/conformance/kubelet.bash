# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A kubelet without an API server, over containerd, over cloche-runtime, in a world of its own: static pods from a directory of manifests, its API on a
# loopback that nobody else has. To be loaded after ../cli/helper, daemon and cri.
#
# Three mount namespaces: the test's; containerd's, with an own /run, and the kubelet's directory shared with its peers; and the kubelet's, where what it would change of the machine is
# its own: /var/lib, /var/log, and the settings in /proc/sys that it insists on, which are files with the wanted values here. (Not in containerd's: a /proc with mounts over it forbids
# a new procfs to user namespaces.) Its groups are below the world's.
# shellcheck disable=SC2154 # WORLD, CLOCHE_BUILD: the frame's

SOCKET=/run/containerd/containerd.sock # where the kubelet's statistics look for it, whatever they are told

# Sets KUBELET; empty: there is none.
kubelet_find() {
    KUBELET=${CLOCHE_KUBELET:-$(command -v kubelet || true)}
    export KUBELET
}

# CLOCHE_KUBELET_RUNTIME: another runtime than ours, to learn whose fault something is.
kubelet_world_start() {
    mkdir "$WORLD"/{kubelet,manifests,made,shared,var-lib,var-work}
    cri_configuration /run/containerd "$SOCKET" "${CLOCHE_KUBELET_RUNTIME:-}"
    make_image pause "$WORLD/pause.tar" '["sleep", "1000000"]'
    make_image box "$WORLD/box.tar" '["sh"]'
    cat >"$WORLD/containerd.sh" <<END
set -e
mount -t tmpfs -o mode=755 none /run
for directory in kubelet shared; do
    mount --bind '$WORLD'/\$directory '$WORLD'/\$directory
    mount --make-shared '$WORLD'/\$directory
done
exec containerd -c '$WORLD/containerd.toml'
END
    daemon_start "$WORLD/daemon.pid" sh "$WORLD/containerd.sh"
    wait_until ctr_ version || return 0
    ctr_ images import "$WORLD/pause.tar" >>"$WORLD/daemon.log" 2>&1 && ctr_ images import "$WORLD/box.tar" >>"$WORLD/daemon.log" 2>&1 || return 0
    rm "$WORLD/pause.tar" "$WORLD/box.tar"
    kubelet_start
    await is_synced && touch "$WORLD/daemon.up"
    return 0
}

kubelet_configuration() {
    jq -n --arg world "$WORLD" --arg socket "$SOCKET" --arg group "/$CLOCHE_CGROUP_PARENT" '{ kind: "KubeletConfiguration", apiVersion: "kubelet.config.k8s.io/v1beta1",
        address: "127.0.0.1", port: 10250, healthzPort: 0, authentication: { anonymous: { enabled: true }, webhook: { enabled: false } }, authorization: { mode: "AlwaysAllow" },
        containerRuntimeEndpoint: "unix://\($socket)", staticPodPath: "\($world)/manifests", podLogsDir: "\($world)/logs", volumePluginDir: "\($world)/plugins",
        cgroupDriver: "cgroupfs", cgroupRoot: $group, failCgroupV1: false, failSwapOn: false, protectKernelDefaults: true, makeIPTablesUtilChains: false, oomScoreAdj: 0,
        registerNode: false, resolvConf: "", fileCheckFrequency: "1s", syncFrequency: "1s", crashLoopBackOff: { maxContainerRestartPeriod: "1s" }, allowedUnsafeSysctls: ["net.ipv4.*"],
        evictionHard: { "memory.available": "1Mi", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%" }, imageGCHighThresholdPercent: 100 }'
}

kubelet_start() {
    local hierarchy
    # It makes groups, yet not the one that they are to be in.
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
        [ ! -e "$hierarchy/cgroup.procs" ] || [ -L "$hierarchy" ] || [ -e "${hierarchy%/*}/cgroup.procs" ] || mkdir -p "$hierarchy/$CLOCHE_CGROUP_PARENT"
    done
    kubelet_configuration >"$WORLD/kubelet.json"
    cat >"$WORLD/kubelet.sh" <<END
set -e
exec >>'$WORLD/kubelet.log' 2>&1
[ "\${1:-}" = in ] || exec nsenter --target \$(cat '$WORLD/daemon.pid') --net --mount unshare --mount --propagation unchanged sh "\$0" in
mount -t tmpfs none /var/log
mount -t overlay -o 'lowerdir=/var/lib,upperdir=$WORLD/var-lib,workdir=$WORLD/var-work' none /var/lib
pin() {
    echo "\$2" >'$WORLD'/pinned-"\${1##*/}"
    mount --bind '$WORLD'/pinned-"\${1##*/}" "/proc/sys/\$1"
}
pin vm/overcommit_memory 1
pin vm/panic_on_oom 0
pin kernel/panic 10
pin kernel/panic_on_oops 1
pin kernel/keys/root_maxkeys 1000000
pin kernel/keys/root_maxbytes 25000000
exec '$KUBELET' --config '$WORLD/kubelet.json' --root-dir '$WORLD/kubelet' --cert-dir '$WORLD/pki' --hostname-override node
END
    daemon_start "$WORLD/kubelet.pid" sh "$WORLD/kubelet.sh"
}

kubelet_world_stop() {
    local id
    daemon_stop "$WORLD/kubelet.pid"
    # Of tests that failed: a shim outlives containerd, and waits for somebody who asks for its container's end.
    [ ! -e "$WORLD/daemon.up" ] || for id in $(ctr_ tasks ls -q); do ctr_ tasks rm -f "$id" >>"$WORLD/daemon.log" 2>&1; done
    daemon_stop "$WORLD/daemon.pid"
    world_teardown_file
}

# in_world COMMAND...: where containerd lives.
in_world() {
    nsenter --target "$(cat "$WORLD/daemon.pid")" --net --mount "$@"
}

ctr_() {
    in_world ctr --address "$SOCKET" --namespace k8s.io "$@"
}

# api PATH [CURL-OPTION...]: the kubelet's.
api() {
    nsenter --net="/proc/$(cat "$WORLD/daemon.pid")/ns/net" curl --silent --show-error --fail-with-body --insecure "https://127.0.0.1:10250/$1" "${@:2}"
}

is_synced() {
    api healthz && api pods
}

# await COMMAND...: as wait_until, asking less often: each question costs the kubelet more than what it is about.
await() {
    wait_until asked_again "$@"
}

asked_again() {
    "$@" || { sleep 0.3 && return 1; }
}

# --- pods -------------------------------------------------------------------------------------------------------------------------

# start_pod NAME JQ-FILTER: of the pod's manifest; box(NAME; SCRIPT) is a container, $world the world's directory.
start_pod() {
    jq -n --arg world "$WORLD" --arg name "$1" 'def box($name; $script): { name: $name, image: "localhost/box:test", imagePullPolicy: "Never", command: ["sh", "-c", $script] };
        { apiVersion: "v1", kind: "Pod", metadata: { name: $name, namespace: "tests" }, spec: { terminationGracePeriodSeconds: 1, automountServiceAccountToken: false } } | '"$2" \
        >"$WORLD/manifest.new" && mv "$WORLD/manifest.new" "$WORLD/manifests/$1.json"
}

# end_pod NAME: and wait until the kubelet knows nothing of it and nothing of it runs. (Containerd's records of what ended are removed once a minute.)
end_pod() {
    local id ids
    ids=$(ctr_ containers ls -q "labels.\"io.kubernetes.pod.name\"==$1-node")
    rm -f "$WORLD/manifests/$1.json"
    await pod_is_gone "$1"
    for id in $ids; do await task_is_gone "$id"; done
}

pod_is_gone() {
    [ -z "$(pod "$1" .metadata.name)" ]
}

task_is_gone() {
    ! ctr_ tasks ls -q | grep -qxF "$1"
}

# pod NAME JQ-FILTER: what the kubelet says of it.
pod() {
    api pods | jq -r --arg name "$1-node" ".items[]? | select(.metadata.name == \$name) | $2"
}

# box POD CONTAINER JQ-FILTER: of a container's status.
box() {
    pod "$1" ".status | (.containerStatuses // []) + (.initContainerStatuses // []) | .[] | select(.name == \"$2\") | $3"
}

pod_is() { # POD PHASE
    [ "$(pod "$1" .status.phase)" = "$2" ]
}

box_is() { # POD CONTAINER JQ-FILTER VALUE
    [ "$(box "$1" "$2" "$3")" = "$4" ]
}

is_ready() { # POD
    [ "$(pod "$1" '.status.conditions[]? | select(.type == "Ready") | .status')" = True ]
}

# run_pod NAME JQ-FILTER: one whose containers all end.
run_pod() {
    start_pod "$1" '.spec.restartPolicy = "Never" | '"$2"
    await pod_has_ended "$1"
}

pod_has_ended() {
    [[ "$(pod "$1" .status.phase)" == @(Succeeded|Failed) ]]
}

# said POD CONTAINER: its log, by the kubelet.
said() {
    api "containerLogs/tests/$1-node/$2"
}

# in_box POD CONTAINER SCRIPT: by the kubelet, which takes spaces for ends of words.
in_box() {
    api "run/tests/$1-node/$2" --request POST --get --data-urlencode "cmd=sh -c ${3// /$'\t'}"
}

# group_of POD CONTAINER: its path below a hierarchy, and whatever the layout, `group_file POD CONTAINER NAME...`: the first of these files that is there.
group_of() {
    local id
    id=$(box "$1" "$2" .containerID)
    find /sys/fs/cgroup -type d -path "*/$CLOCHE_CGROUP_PARENT/*/${id#containerd://}" 2>/dev/null
}

group_file() {
    local directory name
    for directory in $(group_of "$1" "$2"); do
        for name in "${@:3}"; do [ ! -e "$directory/$name" ] || cat "$directory/$name"; done
    done | head -n 1
}

# One line for each thing that is left of pods, but containerd's records of them. The groups that the kubelet keeps for all pods are nobody's.
pods_left() {
    find /sys/fs/cgroup -type d -path "*/$CLOCHE_CGROUP_PARENT/*" -name 'pod*' 2>/dev/null
    ctr_ tasks ls -q
    find "$WORLD"/oci-*/k8s.io -mindepth 1 -maxdepth 1 2>/dev/null
    find "$WORLD/kubelet/pods" -mindepth 1 -maxdepth 1 2>/dev/null
    in_world cat /proc/self/mountinfo | grep -E "$WORLD/kubelet/|/run/containerd/|$WORLD/shared/"
    return 0
}

nothing_is_left() {
    [ -z "$(pods_left)" ]
}

no_records_are_left() {
    [ -z "$(ctr_ containers ls -q)" ]
}
