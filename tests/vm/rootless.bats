#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime for an ordinary user who has a cgroup v2 of their own: `./dev vm` runs this as one, whose processes are in a leaf of the delegated
# group that CLOCHE_VM_GROUP names. On other machines it is skipped.
# bed: systemd user
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no WORLD_ROOT=no
load ../cli/helper
load ../cli/runtime-helper

setup_file() {
    world_setup_file
    export BUNDLE=$WORLD/bundle ROOTLESS_MISSING=
    if [ "$(id -u)" = 0 ] || [ -z "${CLOCHE_VM_GROUP:-}" ]; then
        ROOTLESS_MISSING="needs an ordinary user with a delegated cgroup (./dev vm has one)"
    elif [ ! -x /bin/busybox ]; then
        ROOTLESS_MISSING="needs /bin/busybox (busybox-static)"
    else
        make_rootfs "$BUNDLE/rootfs"
        ROOTLESS_MISSING=$(cloche-runtime spec --rootless --bundle "$BUNDLE" 2>&1 >/dev/null) || true
        cp "$BUNDLE/config.json" "$WORLD/default.json" || true
    fi
    export ROOTLESS_MISSING
}

setup() {
    [ -z "$ROOTLESS_MISSING" ] || skip "$ROOTLESS_MISSING"
    world_setup
    need_program jq
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    change --arg path "$CLOCHE_VM_GROUP/$CLOCHE_CGROUP_PARENT/box" '.linux.cgroupsPath = $path'
}

teardown() {
    [ -n "$ROOTLESS_MISSING" ] || for id in $(rt list -q); do rt delete -f "$id"; done
    world_teardown
}

group_file() {
    cat "/sys/fs/cgroup$CLOCHE_VM_GROUP/$CLOCHE_CGROUP_PARENT/box/$1"
}

@test "run: root inside, an ordinary user outside, and nothing is left" {
    script 'id -u; cat /proc/self/uid_map; exit 7'
    run rt run -b "$BUNDLE" box
    expect_status 7
    expect_line 0
    expect_match "0 +$(id -u) +1"
    [ -z "$(rt list -q)" ]
    [ ! -e "/sys/fs/cgroup$CLOCHE_VM_GROUP/$CLOCHE_CGROUP_PARENT/box" ]
}

@test "create, start, exec, kill, delete" {
    script 'sleep 1000'
    rt create -b "$BUNDLE" box
    [ "$(status_of box)" = created ]
    rt start box
    wait_until has_status box running
    run rt exec box id -u
    expect_output 0
    [ "$(stat -c %u "/proc/$(rt state box | jq .pid)")" = "$(id -u)" ]
    rt kill box KILL
    wait_until has_status box stopped
    rt delete box
    [ -z "$(rt list -q)" ]
}

@test "limits of the delegated controllers hold" {
    for controller in memory pids; do
        grep -qw $controller "/sys/fs/cgroup$CLOCHE_VM_GROUP/cgroup.subtree_control" || skip "$controller is not delegated"
    done
    change '.linux.resources.memory = {limit: 16777216, swap: 16777216} | .linux.resources.pids = {limit: 7}'
    script 'tail /dev/zero'
    run rt run -b "$BUNDLE" box
    expect_status 137
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box
    [ "$(group_file memory.max)" = 16777216 ]
    [ "$(group_file pids.max)" = 7 ]
}

@test "pause and resume" {
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box
    rt pause box
    [ "$(status_of box)" = paused ]
    grep -qx 'frozen 1' <(group_file cgroup.events)
    rt resume box
    [ "$(status_of box)" = running ]
}

@test "a group outside of what is delegated is refused, and nothing is left" {
    change --arg path "/$CLOCHE_CGROUP_PARENT-elsewhere/box" '.linux.cgroupsPath = $path | .linux.resources.pids = {limit: 7}'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text cgroup
    [ ! -e "/sys/fs/cgroup/$CLOCHE_CGROUP_PARENT-elsewhere" ]
    [ -z "$(rt list -q)" ]
}

@test "CVE-2023-25809: the control groups seen through /sys are read-only" {
    script 'for f in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup'"$CLOCHE_VM_GROUP"'/cgroup.procs; do [ -e "$f" ] && echo 1 >"$f"; done 2>&1; ls /sys/fs/cgroup; mkdir /sys/fs/cgroup/x 2>&1'
    ln -sf busybox "$BUNDLE/rootfs/bin/mkdir"
    run rt run -b "$BUNDLE" box
    expect_match "Read-only file system|Permission denied|No such file"
    [ ! -e "/sys/fs/cgroup$CLOCHE_VM_GROUP/$CLOCHE_CGROUP_PARENT/box/x" ]
    [ ! -e "/sys/fs/cgroup/x" ]
}
