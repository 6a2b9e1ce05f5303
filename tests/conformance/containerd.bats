#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime under containerd: its runc shim (io.containerd.runc.v2) with our program as BinaryName, as Kubernetes would run it, driven by
# ctr. ./dev test conformance installs containerd; elsewhere it is skipped.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load ../cli/helper
load daemon

setup_file() {
    world_setup_file
    command -v containerd >/dev/null && [ -z "$ALPINE_MISSING" ] && [ "$(id -u)" = 0 ] || return 0
    cat >"$WORLD/containerd.toml" <<END
version = 2
root = "$WORLD/containerd"
state = "$WORLD/containerd-run"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$WORLD/containerd.sock"
END
    mkdir "$WORLD/rootfs"
    tar -C "$WORLD/rootfs" -xzf "$ALPINE_TAR"
    daemon_start "$WORLD/daemon.pid" containerd -c "$WORLD/containerd.toml"
    wait_until ctr_ version && touch "$WORLD/daemon.up"
    return 0
}

setup() {
    need_program containerd ctr
    need_daemon
}

teardown() {
    local id
    [ -e "$WORLD/daemon.up" ] || return 0
    for id in $(ctr_ task ls -q); do ctr_ task rm -f "$id" >/dev/null; done
    for id in $(ctr_ container ls -q); do ctr_ container rm "$id"; done
    world_teardown
}

teardown_file() {
    daemon_stop "$WORLD/daemon.pid"
    world_teardown_file
}

ctr_() {
    ctr --address "$WORLD/containerd.sock" "$@"
}

# ctr_run [OPTION...] ID COMMAND...
ctr_run() {
    local options=()
    while [[ $1 == -* ]]; do
        options+=("$1")
        shift
    done
    ctr_ run "${options[@]}" --runc-binary "$CLOCHE_BUILD/cloche-runtime" --cgroup "/$CLOCHE_CGROUP_PARENT/$1" --rootfs "$WORLD/rootfs" "$@"
}

task_is() {
    ctr_ task ls | grep -qE "^$1 .* $2 *$"
}

@test "ctr run: output, exit codes, and nothing is left" {
    run ctr_run --rm box sh -c 'echo hello; exit 3'
    expect_status 3
    expect_line hello
    [ -z "$(ctr_ task ls -q)" ]
    [ -z "$(find "$WORLD/containerd-run" -name state.json)" ]
}

@test "ctr run -d, exec, pause, resume, ps, metrics, kill, rm" {
    ctr_run -d box sleep 1000
    task_is box RUNNING
    run ctr_ task exec --exec-id one box sh -c 'echo inside; exit 5'
    expect_status 5
    expect_line inside
    ctr_ task pause box
    task_is box PAUSED
    ctr_ task resume box
    task_is box RUNNING
    run ctr_ task ps box
    expect_match "[0-9]+ +-"
    run ctr_ task metrics box
    expect_match "pids.current +1"
    ctr_ task kill -s KILL box
    wait_until task_is box STOPPED
    ctr_ task rm box || true # hands on the exit code
    [ -z "$(ctr_ task ls -q)" ]
}

@test "ctr run: a missing program is create's error" {
    run ctr_run --rm box missing
    [ "$status" -ne 0 ]
    expect_text "executable file not found in \$PATH"
    [ -z "$(ctr_ task ls -q)" ]
}

@test "ctr run -t: a terminal" {
    run_pty "ctr --address $WORLD/containerd.sock run --rm -t --runc-binary $CLOCHE_BUILD/cloche-runtime --cgroup /$CLOCHE_CGROUP_PARENT/box \
--rootfs $WORLD/rootfs box sh" <<'END'
expect #
line tty
expect /dev/pts/0
line exit 6
END
    expect_status 6
}

@test "ctr run: seccomp, working directory, environment, limits, read-only" {
    run ctr_run --rm --seccomp box grep Seccomp: /proc/self/status
    expect_match "2$"
    run ctr_run --rm --cwd=/tmp --env=A=b box sh -c 'echo "$PWD $A"'
    expect_line "/tmp b"
    run ctr_run --rm --read-only box touch /x
    expect_text "Read-only file system"
    run ctr_run --rm --privileged box sh -c 'mount -t tmpfs none /mnt && echo mounted'
    expect_line mounted
    ctr_run -d --memory-limit=33554432 box sleep 1000
    [ "$(find /sys/fs/cgroup -path "*$CLOCHE_CGROUP_PARENT/box/memory.*" \( -name memory.limit_in_bytes -o -name memory.max \) -exec cat {} + )" = 33554432 ]
}
