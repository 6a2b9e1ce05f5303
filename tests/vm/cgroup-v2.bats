#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cgroup v2 with its controllers: limits that the kernel carries out, and what is particular to the one hierarchy. On other machines it is skipped;
# `./dev vm` boots one that has it.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load ../cli/helper
load ../cli/runtime-helper

# need_v2 CONTROLLER...
need_v2() {
    local controller
    [ -e /sys/fs/cgroup/cgroup.controllers ] || skip "needs pure cgroup v2 (./dev vm has it)"
    for controller in "$@"; do
        grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers || skip "this kernel has no $controller controller on cgroup v2"
    done
}

# value_of FILE KEY: of the container's group.
value_of() {
    awk -v key="$2" '$1 == key { print $2 }' "/sys/fs/cgroup/$BOX_GROUP/$1"
}

is_above() {
    [ "$(value_of "$1" "$2")" -gt "$3" ]
}

# A disk of this machine, as MAJOR:MINOR.
find_disk() {
    local disk
    for disk in /sys/block/ubd* /sys/block/nvme* /sys/block/vd* /sys/block/sd*; do
        if [ -e "$disk/dev" ]; then
            cat "$disk/dev"
            return
        fi
    done
    return 1
}

# --- limits ---------------------------------------------------------------------------------------------------------------------

@test "memory: who exceeds it is killed, and the group counts it" {
    need_v2 memory
    script 'tail /dev/zero'
    ln -sf busybox "$BUNDLE/rootfs/bin/tail"
    change '.linux.resources.memory = {limit: 16777216, swap: 16777216}'
    run rt run -b "$BUNDLE" box
    expect_status 137
    # systemd removes the group of what has ended: here the shell goes on.
    script 'tail /dev/zero; exec sleep 1000'
    rt run -d -b "$BUNDLE" box
    [ "$(group_read memory.max)" = 16777216 ]
    wait_until is_above memory.events oom_kill 0
}

@test "memory: with memory.oom.group all of the container dies, not one process" {
    need_v2 memory
    ln -sf busybox "$BUNDLE/rootfs/bin/tail"
    script 'tail /dev/zero; echo survived'
    change '.linux.resources.memory = {limit: 16777216}'
    run rt run -b "$BUNDLE" box
    expect_line survived
    change '.linux.resources.unified = {"memory.oom.group": "1"}'
    run rt run -b "$BUNDLE" box
    expect_status 137
    refute_text survived
}

@test "pids: the fork that is one too many fails, and the group counts it" {
    need_v2 pids
    script '(i=0; while [ $i -lt 10 ]; do sleep 1000 & i=$((i + 1)); done); exec sleep 1000'
    change '.linux.resources.pids = {limit: 5}'
    rt run -d -b "$BUNDLE" box 2>/dev/null
    [ "$(group_read pids.max)" = 5 ]
    wait_until is_above pids.events max 0
    [ "$(group_read pids.current)" -le 5 ]
}

@test "cpu: the quota throttles, by the kernel's own count" {
    need_v2 cpu
    script 'while :; do :; done'
    change '.linux.resources.cpu = {quota: 5000, period: 100000, shares: 512}'
    rt run -d -b "$BUNDLE" box
    [ "$(group_read cpu.max)" = "5000 100000" ]
    wait_until is_above cpu.stat nr_throttled 0
    [ "$(group_read cpu.weight)" -lt 100 ]
}

@test "cpuset: the processes run where they may" {
    need_v2 cpuset
    script 'grep Cpus_allowed_list /proc/self/status'
    change '.linux.resources.cpu = {cpus: "0"}'
    run rt run -b "$BUNDLE" box
    expect_output $'Cpus_allowed_list:\t0'
}

@test "hugetlb: the limit of a page size" {
    need_v2 hugetlb
    [ -e /sys/kernel/mm/hugepages/hugepages-2048kB ] || skip "this kernel has no huge pages of 2 MiB"
    change '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]'
    start_idle
    [ "$(group_read hugetlb.2MB.max)" = 4194304 ]
}

@test "io: a limit stops writing until it is lifted" {
    need_v2 io
    local disk
    disk=$(stat -c %Hd:%Ld "$BUNDLE/rootfs" 2>/dev/null)
    [ -e "/sys/dev/block/$disk" ] || skip "the file system of $WORLD is on no disk"
    script 'dd if=/dev/zero of=/tmp/first bs=64k count=1 conv=fsync 2>/dev/null; echo >/tmp/ready; dd if=/dev/zero of=/tmp/big bs=1M count=8 conv=fsync 2>/dev/null; echo >/tmp/done; sleep 1000'
    change --argjson major "${disk%:*}" --argjson minor "${disk#*:}" \
        '.linux.resources.blockIO = {throttleWriteBpsDevice: [{major: $major, minor: $minor, rate: 65536}]}'
    rm -f "$BUNDLE"/rootfs/tmp/*
    rt run -d -b "$BUNDLE" box
    [ "$(group_read io.max)" = "$disk rbps=max wbps=65536 riops=max wiops=max" ]
    wait_until test -e "$BUNDLE/rootfs/tmp/ready"
    # The same, as often as needed to be sure that it would be done without a limit.
    dd if=/dev/zero of="$WORLD/big" bs=1M count=8 conv=fsync 2>/dev/null
    [ ! -e "$BUNDLE/rootfs/tmp/done" ]
    echo "$disk wbps=max" >"$(group_dir io)/io.max"
    wait_until test -e "$BUNDLE/rootfs/tmp/done"
    grep -q "^$disk .*wbytes=[1-9]" "$(group_dir io)/io.stat"
}

@test "freezer: pause and resume, as the kernel says" {
    need_v2
    start_idle
    [ "$(value_of cgroup.events frozen)" = 0 ]
    rt pause box
    [ "$(value_of cgroup.events frozen)" = 1 ]
    [ "$(status_of box)" = paused ]
    rt resume box
    [ "$(value_of cgroup.events frozen)" = 0 ]
}

# --- what is particular to v2 ---------------------------------------------------------------------------------------------------

@test "unified: any file of any controller; one that is not there is an error that names it" {
    need_v2 memory pids
    change '.linux.resources.unified = {"memory.high": "33554432", "pids.max": "77"}'
    start_idle
    [ "$(group_read memory.high)" = 33554432 ]
    [ "$(group_read pids.max)" = 77 ]
    rt delete -f box
    change '.linux.resources.unified = {"memory.nonsense": "1"}'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text linux.resources.unified
    expect_text memory.nonsense
}

@test "controllers are turned on all the way down a deep path" {
    need_v2 memory pids
    need_cgroupfs
    local top=/sys/fs/cgroup/${BOX_GROUP%/box}
    change ".linux.cgroupsPath = \"${BOX_PATH%/box}/a/b/c/box\" | .linux.resources.pids = {limit: 9} | .linux.resources.memory = {limit: 33554432}"
    start_idle
    [ "$(cat "$top/a/b/c/box/pids.max")" = 9 ]
    [ "$(cat "$top/a/b/c/box/memory.max")" = 33554432 ]
    rt delete -f box
    rmdir "$top"/a/b/c "$top"/a/b "$top"/a 2>/dev/null || true
}

# A group with a process in it, which is what most people's own groups are.
take_parent() {
    TAKEN=/sys/fs/cgroup/${BOX_GROUP%/box}/taken
    mkdir -p "$TAKEN"
    sleep 1000 3>&- &
    TAKER=$!
    echo "$TAKER" >"$TAKEN/cgroup.procs"
    change ".linux.cgroupsPath = \"${BOX_PATH%/box}/taken/box\""
}

free_parent() {
    kill "$TAKER"
    wait "$TAKER" || true
    wait_until rmdir "$TAKEN"
}

@test "a parent with processes of its own can't hand controllers on: limits are an error, nothing is left, and the parent stays what it is" {
    need_v2 memory pids
    need_cgroupfs
    local limit
    take_parent
    for limit in '.pids = {limit: 9}' '.memory = {limit: 33554432}'; do
        change "del(.linux.resources.pids, .linux.resources.memory) | .linux.resources$limit"
        run rt run -b "$BUNDLE" box
        [ "$status" -eq 1 ] || break
        [[ "$output" == *controller* && ! -e "$TAKEN/box" && -z "$(rt list -q)" && "$(cat "$TAKEN/cgroup.type")" = domain ]] || break
        status=ok
    done
    free_parent
    [ "$status" = ok ] || { show_run; return 1; }
}

@test "below a parent with processes of its own a container without limits runs" {
    need_v2
    need_cgroupfs
    take_parent
    script 'echo ran'
    run rt run -b "$BUNDLE" box
    free_parent
    expect_status 0
    expect_output ran
}

@test "the container's view: its own group, as the root of the hierarchy" {
    need_v2
    script 'cat /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.type; mkdir /sys/fs/cgroup/x 2>&1'
    mkdir -p "$BUNDLE/rootfs/sys"
    run rt run -b "$BUNDLE" box
    expect_line 0::/
    expect_line domain
    expect_text "Read-only file system"
}

@test "a writable view: the group is the container's user's, with what the kernel lists, and the limits stay the host's" {
    need_v2 memory
    need_root "an ordinary user keeps the group"
    mkdir -p "$BUNDLE"/rootfs/{dev,sys} # which that user may not make
    local file dir
    dir=$(v2_dir)
    script 'sleep 1000'
    change '.mounts |= map(if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end) | .process.user = {uid: 1000, gid: 1000} |
        .linux.resources.memory = {limit: 33554432} | .linux.namespaces += [{type: "user"}] |
        .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
    chmod 711 "$WORLD"
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>"$WORLD/err" || { cat "$WORLD/err"; return 1; }
    while read -r file; do
        [ ! -e "$dir/$file" ] || [ "$(stat -c %u "$dir/$file")" = 201000 ]
    done </sys/kernel/cgroup/delegate
    [ "$(stat -c %u "$dir")" = 201000 ]
    [ "$(stat -c %u "$dir/memory.max")" = 0 ]
    run rt exec -u 1000 box sh -c 'mkdir /sys/fs/cgroup/a && echo 0 >/sys/fs/cgroup/a/cgroup.procs && cat /proc/self/cgroup; (echo max >/sys/fs/cgroup/memory.max) 2>/dev/null || echo refused'
    expect_line 0::/a
    expect_line refused
    rt delete -f box
    [ ! -e "$dir" ]
}

@test "devices: what no rule allows can't be opened, whatever the node's mode; with a rule it can, only as it says" {
    need_v2
    need_root "nodes of devices"
    local disk
    disk=$(find_disk) || skip "this machine has no disk"
    script 'head -c 1 /dev/disk >/dev/null && echo read; : >>/dev/disk && echo wrote'
    change --argjson major "${disk%:*}" --argjson minor "${disk#*:}" '.linux.devices = [{path: "/dev/disk", type: "b", major: $major, minor: $minor, fileMode: 438}]'
    run rt run -b "$BUNDLE" box
    expect_text "Operation not permitted"
    refute_text read
    refute_text wrote
    change --argjson major "${disk%:*}" --argjson minor "${disk#*:}" '.linux.resources.devices += [{allow: true, type: "b", major: $major, minor: $minor, access: "r"}]'
    run rt run -b "$BUNDLE" box
    expect_line read
    refute_text wrote
}

# --- the engine -------------------------------------------------------------------------------------------------------------------

@test "cloche run: memory, pids and cpu limits hold" {
    need_v2 memory pids cpu
    need_root
    need_cgroupfs
    run cloche run --name oom -m 16m --memory-swap 16m cloche/busybox tail /dev/zero
    expect_status 137
    run cloche inspect --format '{{.State.OOMKilled}}' oom
    expect_output true
    cloche run -d --name box --pids-limit 5 --cpus 0.05 cloche/busybox sh -c 'while :; do :; done'
    local group
    group=$(find /sys/fs/cgroup -type d -name "$(cloche inspect --format '{{.Id}}' box)")
    [ "$(cat "$group/pids.max")" = 5 ]
    [ "$(cat "$group/cpu.max")" = "5000 100000" ]
    wait_until grep -q '^nr_throttled [1-9]' "$group/cpu.stat"
}
