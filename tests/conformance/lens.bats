#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The lens on containers of other engines, real ones: Podman, Docker and containerd found by their state directories, LXC by its cgroups. What the engines
# keep is this test's own: all of it happens in a private mount namespace with empty directories over theirs. Each is skipped where its engine is
# not installed; ./dev test clients installs them. (systemd-nspawn needs systemd: tests/vm/lens.bats.)
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

bats_require_minimum_version 1.5.0
WORLD_ALPINE=no
load ../cli/helper

setup() {
    world_setup
    export PATIENCE
    [ -z "$ALPINE_MISSING" ] || skip "$ALPINE_MISSING"
    need_program jq unshare
}

podman_setup() {
    need_program podman
    mkdir -p "$WORLD/bin"
    printf '#!/bin/sh\nexec %s --root %s "$@"\n' "$CLOCHE_BUILD/cloche-runtime" "$WORLD/oci" >"$WORLD/bin/cloche-runtime"
    chmod +x "$WORLD/bin/cloche-runtime"
    cat >"$WORLD/containers.conf" <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "cloche-runtime"
runtime_supports_json = ["cloche-runtime"]
[engine.runtimes]
cloche-runtime = ["$WORLD/bin/cloche-runtime"]
END
    export CONTAINERS_CONF=$WORLD/containers.conf
}

# Engines leave groups: Podman one for conmon, LXC one for its monitor.
teardown() {
    local parent group
    for parent in $(world_cgroups); do
        for group in "$parent"/conmon "$parent"/lxc.*; do
            [ ! -d "$group" ] || wait_until rmdir "$group"
        done
    done
    world_teardown
}

@test "containers of Podman have their names in lsns, view and pid" {
    podman_setup
    cat >"$BATS_TEST_TMPDIR/script" <<'END'
set -eu
mkdir -p /var/lib/containers /run/containers /run/libpod
mount -t tmpfs none /var/lib/containers
mount -t tmpfs none /run/containers
mount -t tmpfs none /run/libpod
podman_() { podman --storage-driver vfs "$@"; }
podman_ import -q "$ALPINE_TAR" alpine:test >&2
podman_ run -d --name jolly --cgroup-parent "/$CLOCHE_CGROUP_PARENT" alpine:test sleep 1000 >&2
pid=$(podman_ inspect --format '{{.State.Pid}}' jolly)
trap 'podman_ rm -fa -t 0 >&2' EXIT
cloche lsns -J -l -t pid -Q 'CONTAINER == "jolly"' -o PID,CONTAINER,ENGINE | jq -r --argjson pid "$pid" '.namespaces[] | "lsns: \(.pid == $pid) \(.container) \(.engine)"'
cloche view --json jolly | jq -r --argjson pid "$pid" '"view: \(.pid == $pid) \(.container) \(.engine) \(.process.pid.inside)"'
cloche view --json "$pid" | jq -r '"view by pid: \(.container) \(.engine)"'
cloche pid --json jolly | jq -r '.levels | last | "pid: \(.pid) \(.container)"'
cloche why --json --syscall kexec_load jolly | jq -r '.findings[] | "why: \(.what) \(.answer) \(.layer)"'
END
    run --separate-stderr unshare -m --propagation private sh "$BATS_TEST_TMPDIR/script"
    expect_status 0
    expect_line "lsns: true jolly podman"
    expect_line "view: true jolly podman 1"
    expect_line "view by pid: jolly podman"
    expect_line "pid: 1 jolly"
    expect_line "why: kexec_load refused seccomp"
}

# look NAME PID: what the lens says of it, by name and by pid.
LOOK='
look() {
    cloche lsns -J -l -t mnt -Q "CONTAINER == \"$1\"" -o PID,CONTAINER,ENGINE | jq -r --argjson pid "$2" ".namespaces[] | \"lsns: \(.pid == \$pid) \(.container) \(.engine)\""
    cloche view --json "$1" | jq -r --argjson pid "$2" "\"view: \(.pid == \$pid) \(.container) \(.engine) \(.process.pid.inside)\""
    cloche pid --json "$1" | jq -r ".levels | last | \"pid: \(.pid) \(.container)\""
}
wait_for() {
    end_of_patience=$(($(date +%s) + PATIENCE))
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end_of_patience" ] || { echo "never came true: $*" >&2; return 1; }
        sleep 0.05
    done
}
'

# expect_container NAME ENGINE
expect_container() {
    expect_line "lsns: true $1 $2"
    expect_line "view: true $1 $2 1"
    expect_line "pid: 1 $1"
}

@test "containers of Docker, and of containerd beside it, have their names, wherever their cgroups are" {
    need_program dockerd docker containerd ctr
    mkdir "$WORLD/rootfs"
    tar -C "$WORLD/rootfs" -xzf "$ALPINE_TAR"
    cat >"$WORLD/daemon.json" <<END
{ "exec-root": "$WORLD/docker-run", "pidfile": "$WORLD/docker.pid", "hosts": ["unix://$WORLD/docker.sock"], "cgroup-parent": "/$CLOCHE_CGROUP_PARENT",
  "default-ulimits": { "nofile": { "Name": "nofile", "Soft": 1024, "Hard": 1024 } }, "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "iptables": false, "bridge": "none", "storage-driver": "vfs" }
END
    { echo "$LOOK" && cat; } >"$BATS_TEST_TMPDIR/script" <<'END'
set -eu
ip link set lo up
mkdir -p /var/lib/docker /var/lib/containerd /run/containerd
for directory in /var/lib/docker /var/lib/containerd /run/containerd; do mount -t tmpfs none "$directory"; done
containerd >"$WORLD/containerd.log" 2>&1 &
containerd=$!
dockerd= boxes=
end() {
    [ -z "$dockerd" ] || { docker rm -f whale && kill "$dockerd" && wait "$dockerd"; } || true
    for box in $boxes; do ctr task kill -s KILL "$box" && wait_for ctr task rm "$box" && ctr container rm "$box"; done || true
    kill "$containerd"
    wait "$containerd" || true
}
trap 'end >&2' EXIT
wait_for ctr version
ctr_() { ctr run -d --runc-binary "$CLOCHE_BUILD/cloche-runtime" --cgroup "/$CLOCHE_CGROUP_PARENT/$1" --rootfs "$WORLD/rootfs" "$@"; }
ctr_ box-1 sleep 1000
boxes=box-1
look box-1 "$(ctr task ls | awk '$1 == "box-1" { print $2 }')"
dockerd --config-file "$WORLD/daemon.json" --containerd /run/containerd/containerd.sock >"$WORLD/dockerd.log" 2>&1 &
dockerd=$!
export DOCKER_HOST="unix://$WORLD/docker.sock" DOCKER_CONFIG="$WORLD/docker-home"
wait_for docker version
docker import "$ALPINE_TAR" alpine:test >&2
docker run -d --name whale --network none alpine:test sleep 1000 >&2
look whale "$(docker inspect --format '{{.State.Pid}}' whale)"
# Its filter, from what Docker gave its runtime.
for call in mount getpid clone clone:0x10000000 clone:17; do
    cloche why --json --syscall "$call" whale | jq -r '.findings[] | "why: \(.what) \(.answer) \(.layer)"'
done
cloche why --json --syscall keyctl "$(docker inspect --format '{{.State.Pid}}' whale)" | jq -r '.findings[] | "by pid: \(.what) \(.answer) \(.layer)"'
cloche why --json --path /dev/null whale | jq -r '.findings[] | "why: \(.what) \(.answer)"'
END
    run unshare --net --mount --propagation private sh "$BATS_TEST_TMPDIR/script"
    expect_status 0
    expect_container box-1 containerd
    expect_container whale docker
    expect_line "why: mount refused seccomp"
    expect_line "why: getpid allowed null"
    expect_line "why: clone depends seccomp"
    expect_line "why: clone:0x10000000 refused seccomp"
    expect_line "why: clone:17 allowed null"
    expect_line "by pid: keyctl refused seccomp"
    expect_match "why: .*/dev/null allowed"
}

@test "containers of LXC have their names" {
    need_program lxc-start
    mkdir -p "$WORLD/rootfs" "$WORLD/lxc/glassbox"
    tar -C "$WORLD/rootfs" -xzf "$ALPINE_TAR"
    cat >"$WORLD/lxc/glassbox/config" <<END
lxc.rootfs.path = dir:$WORLD/rootfs
lxc.cgroup.dir = $CLOCHE_CGROUP_PARENT
lxc.apparmor.profile = unconfined
lxc.net.0.type = empty
lxc.mount.auto = proc:rw
lxc.autodev = 0
lxc.tty.max = 0
lxc.pty.max = 1
END
    { echo "$LOOK" && cat; } >"$BATS_TEST_TMPDIR/script" <<'END'
set -eu
lxc_() { program=$1; shift; "lxc-$program" -P "$WORLD/lxc" -n glassbox "$@"; }
lxc_ start -F -l ERROR -o "$WORLD/lxc.log" -- /bin/sleep 1000 </dev/null >&2 &
monitor=$!
trap 'lxc_ stop -k >&2 && wait "$monitor"' EXIT
is_up() { [ -n "$(lxc_ info -pH)" ]; }
wait_for is_up
look glassbox "$(lxc_ info -pH)"
END
    run --separate-stderr unshare --mount --propagation private sh "$BATS_TEST_TMPDIR/script"
    expect_status 0
    expect_container glassbox lxc
}
