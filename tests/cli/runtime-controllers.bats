#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# linux.resources, controller by controller: what the kernel's own files say afterwards, on whichever version of cgroups has the controller here, and what is an
# error that names the property where it can't be had. `./dev vm matrix` runs this on v2, with each driver and as an ordinary user.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # jq's variables; status, output: set by run; read by the frame

WORLD_ALPINE=no
load helper
load runtime-helper

# v1_or_v2 CONTROLLER V1 V2: the word for the version that has it.
v1_or_v2() {
    if is_v1 "$1"; then echo "$2"; else echo "$3"; fi
}

has_file() {
    [ -e "$(group_dir "${1%%.*}")/$1" ]
}

# is FILE VALUE
is() {
    local value
    value=$(group_read "$1")
    [ "$value" = "$2" ] || { echo "$1 is \"$value\", expected \"$2\"" >&2; return 1; }
}

# resources FILTER: of a container that runs; what was there of another is removed.
resources() {
    rt delete -f box 2>/dev/null || true
    change "del(.linux.resources) | .linux.resources$1"
    start_idle
}

# refused FILTER TEXT...: an error with these words, and nothing is left.
refused() {
    rt delete -f box 2>/dev/null || true
    change "del(.linux.resources) | .linux.resources$1"
    run rt create -b "$BUNDLE" box
    expect_status 1
    shift
    local text
    for text in "$@"; do expect_text "$text" || return 1; done
    [ -z "$(rt list -q)" ]
    ! find /sys/fs/cgroup -type d -path "*/$BOX_GROUP" 2>/dev/null | grep .
}

@test "memory: limit, reservation, and swap, which v1 counts together with memory and v2 alone" {
    need_controller memory
    resources ' = {memory: {limit: 67108864, reservation: 33554432, swap: 100663296}}'
    is "$(v1_or_v2 memory memory.limit_in_bytes memory.max)" 67108864
    is "$(v1_or_v2 memory memory.soft_limit_in_bytes memory.low)" 33554432
    ! has_file memory.memsw.limit_in_bytes || is memory.memsw.limit_in_bytes 100663296
    ! has_file memory.swap.max || is memory.swap.max 33554432
    resources ' = {memory: {limit: 67108864, swap: 67108864}}'
    ! has_file memory.swap.max || is memory.swap.max 0
    resources ' = {memory: {limit: 67108864, swap: -1}}'
    ! has_file memory.swap.max || is memory.swap.max max
    ! has_file memory.memsw.limit_in_bytes || [ "$(group_read memory.memsw.limit_in_bytes)" -gt 1000000000000000 ]
    refused ' = {memory: {limit: 67108864, swap: 33554432}}' "linux.resources.memory.swap"
    is_v1 memory || refused ' = {memory: {swap: 33554432}}' "linux.resources.memory.swap" "needs a memory limit"
}

@test "memory: what only v1 has" {
    need_controller memory
    if ! is_v1 memory; then
        refused ' = {memory: {swappiness: 10}}' "linux.resources.memory.swappiness"
        refused ' = {memory: {disableOOMKiller: true}}' "linux.resources.memory.disableOOMKiller"
        refused ' = {memory: {kernel: 67108864}}' "linux.resources.memory.kernel"
        refused ' = {memory: {kernelTCP: 67108864}}' "linux.resources.memory.kernelTCP"
        resources ' = {memory: {disableOOMKiller: false, kernel: -1, kernelTCP: -1}}'
        return
    fi
    resources ' = {memory: {limit: 67108864, swappiness: 10, disableOOMKiller: true}}'
    is memory.swappiness 10
    grep -qx "oom_kill_disable 1" "$(group_dir memory)/memory.oom_control"
}

@test "cpu: shares are v1's own, and on v2 a weight by the curve that keeps 1024 in the middle" {
    need_controller cpu
    local shares weight
    while read -r shares weight; do
        resources " = {cpu: {shares: $shares}}"
        is "$(v1_or_v2 cpu cpu.shares cpu.weight)" "$(v1_or_v2 cpu "$shares" "$weight")"
    done <<END
2 1
512 59
1024 100
262144 10000
END
    ! is_v1 cpu || refused ' = {cpu: {shares: 262145}}' "linux.resources.cpu.shares" "2 to 262144"
}

@test "cpu: quota, period, burst, idle" {
    need_controller cpu
    local file
    resources ' = {cpu: {quota: 20000, period: 50000}}'
    if is_v1 cpu; then
        is cpu.cfs_quota_us 20000
        is cpu.cfs_period_us 50000
    else
        is cpu.max "20000 50000"
    fi
    resources ' = {cpu: {quota: -1, period: 200000}}'
    if is_v1 cpu; then is cpu.cfs_quota_us -1; else is cpu.max "max 200000"; fi
    file=$(v1_or_v2 cpu cpu.cfs_burst_us cpu.max.burst)
    if has_file "$file"; then
        resources ' = {cpu: {quota: 20000, period: 50000, burst: 10000}}'
        is "$file" 10000
    fi
    if has_file cpu.idle; then
        resources ' = {cpu: {idle: 1}}'
        is cpu.idle 1
        resources ' = {cpu: {idle: 1, shares: 512}}'
        is cpu.idle 1
    fi
    refused ' = {cpu: {quota: 10}}' "linux.resources.cpu.quota"
}

@test "cpu: realtime is v1's alone" {
    need_controller cpu
    if is_v1 cpu; then
        [ -e "$(group_mount cpu)/cpu.rt_runtime_us" ] || refused ' = {cpu: {realtimeRuntime: 1000, realtimePeriod: 1000000}}' "linux.resources.cpu.realtime"
        return
    fi
    refused ' = {cpu: {realtimeRuntime: 1000}}' "linux.resources.cpu.realtimeRuntime"
    refused ' = {cpu: {realtimePeriod: 1000000}}' "linux.resources.cpu.realtimePeriod"
    resources ' = {cpu: {realtimeRuntime: 0, realtimePeriod: 0}}'
}

@test "cpuset: cpus and mems" {
    need_controller cpuset
    resources ' = {cpu: {cpus: "0", mems: "0"}}'
    is cpuset.cpus 0
    is cpuset.mems 0
    refused ' = {cpu: {cpus: "8000"}}' "linux.resources.cpu.cpus"
    refused ' = {cpu: {mems: "900"}}' "linux.resources.cpu.mems"
}

@test "pids: a number, none, and 0" {
    need_controller pids
    resources ' = {pids: {limit: 33}}'
    is pids.max 33
    resources ' = {pids: {limit: -1}}'
    is pids.max max
    if [ "$(id -u)" = 0 ]; then
        resources ' = {pids: {limit: 0}}'
        is pids.max 1
    else # a user namespace takes a second process at the start
        refused ' = {pids: {limit: 0}}' "pids.limit has to be 2 at least"
    fi
}

# A disk of this machine, as MAJOR:MINOR.
find_disk() {
    local dev
    for dev in /sys/block/{ubd,nvme,vd,sd,xvd,loop}*/dev; do
        [ ! -e "$dev" ] || { cat "$dev"; return; }
    done
    skip "this machine has no disk"
}

@test "blockIO: four throttles of a disk; a disk that is none" {
    group_mount blkio >/dev/null || need_controller io
    local disk io=io device
    ! group_mount blkio >/dev/null || io=blkio
    disk=$(find_disk)
    device="major: ${disk%:*}, minor: ${disk#*:}"
    resources " = {blockIO: {throttleReadBpsDevice: [{$device, rate: 1048576}], throttleWriteBpsDevice: [{$device, rate: 2097152}],
        throttleReadIOPSDevice: [{$device, rate: 300}], throttleWriteIOPSDevice: [{$device, rate: 400}]}}"
    if [ "$io" = io ]; then
        is io.max "$disk rbps=1048576 wbps=2097152 riops=300 wiops=400"
    else
        is blkio.throttle.read_bps_device "$disk 1048576"
        is blkio.throttle.write_bps_device "$disk 2097152"
        is blkio.throttle.read_iops_device "$disk 300"
        is blkio.throttle.write_iops_device "$disk 400"
    fi
    refused ' = {blockIO: {throttleReadBpsDevice: [{major: 4000, minor: 9, rate: 1}]}}' "linux.resources.blockIO.throttleReadBpsDevice" "no such device"
}

@test "blockIO: weights where a scheduler has them, else an error; leaf weights are history" {
    group_mount blkio >/dev/null || need_controller io
    local disk dir file weight found=''
    disk=$(find_disk)
    start_idle
    if group_mount blkio >/dev/null; then dir=$(group_dir blkio); else dir=$(group_dir io); fi
    for file in io.bfq.weight blkio.bfq.weight io.weight blkio.weight; do
        [ -n "$found" ] || [ ! -e "$dir/$file" ] || found=$file
    done
    if [ -n "$found" ]; then
        resources ' = {blockIO: {weight: 500}}'
        weight=500
        [ "$found" != io.weight ] || weight=4950
        grep -qE "^(default )?$weight$" "$dir/$found"
    else
        refused ' = {blockIO: {weight: 500}}' "linux.resources.blockIO.weight"
    fi
    refused ' = {blockIO: {leafWeight: 500}}' "linux.resources.blockIO.leafWeight"
    refused " = {blockIO: {weightDevice: [{major: ${disk%:*}, minor: ${disk#*:}, leafWeight: 500}]}}" "linux.resources.blockIO.weightDevice"
}

@test "hugepageLimits: each size that the kernel has, what is reserved too; a size that it has not" {
    need_controller hugetlb
    local size word
    word=$(v1_or_v2 hugetlb limit_in_bytes max)
    start_idle
    size=$(find "$(group_dir hugetlb)" -name "hugetlb.*.$word" -not -name '*rsvd*' -printf '%f\n' | cut -d. -f2 | sort | head -1)
    [ -n "$size" ] || skip "this kernel has no huge pages"
    resources " = {hugepageLimits: [{pageSize: \"$size\", limit: 1073741824}]}"
    is "hugetlb.$size.$word" 1073741824
    ! has_file "hugetlb.$size.rsvd.$word" || is "hugetlb.$size.rsvd.$word" 1073741824
    refused ' = {hugepageLimits: [{pageSize: "3MB", limit: 4194304}]}' "linux.resources.hugepageLimits"
}

@test "network: v1's class and priorities; on v2 an error" {
    if group_mount net_cls >/dev/null; then
        resources ' = {network: {classID: 1048577}}'
        is net_cls.classid 1048577
    else
        refused ' = {network: {classID: 1048577}}' "linux.resources.network.classID"
    fi
    if group_mount net_prio >/dev/null; then
        resources ' = {network: {priorities: [{name: "lo", priority: 7}]}}'
        grep -qx "lo 7" "$(group_dir net_prio)/net_prio.ifpriomap"
    else
        refused ' = {network: {priorities: [{name: "lo", priority: 7}]}}' "linux.resources.network.priorities"
    fi
}

@test "rdma: a device that is not there, or no controller, is an error" {
    refused ' = {rdma: {none0: {hcaHandles: 3}}}' "linux.resources.rdma"
}

@test "unified: it overrules the rest; each key that can't be is named" {
    need_controller memory pids
    if is_v1 memory; then
        refused ' = {unified: {"memory.high": "33554432"}}' 'linux.resources.unified["memory.high"]'
        return
    fi
    resources ' = {memory: {limit: 33554432}, unified: {"memory.max": "67108864", "memory.high": "max", "pids.max": "9"}}'
    is memory.max 67108864
    is memory.high max
    is pids.max 9
    refused ' = {unified: {"memory.nonsense": "1"}}' 'linux.resources.unified["memory.nonsense"]'
    refused ' = {unified: {"misc.max": "none 1"}}' 'linux.resources.unified["misc.max"]'
    refused ' = {unified: {"memory.max": "much"}}' 'linux.resources.unified["memory.max"]' '"much"'
    refused ' = {unified: {"nonsense.max": "1"}}' 'linux.resources.unified["nonsense.max"]' nonsense
    refused ' = {unified: {"../memory.max": "1"}}' 'linux.resources.unified["../memory.max"]'
}

# What opening a node without a driver ends with: EPERM where the rules forbid it, else ENXIO.
opens() {
    local how=$1 word=$2
    if [ "$how" = read ]; then run rt exec box cat /tmp/node; else run rt exec box sh -c ': >/tmp/node'; fi
    [ "$status" -ne 0 ]
    expect_text "$word"
}

@test "devices: the last rule that matches decides; wildcards, single accesses, and rules that are replaced" {
    need_root "nodes of devices"
    local no="Operation not permitted" yes="No such device"
    start_with() {
        rt delete -f box 2>/dev/null || true
        change --argjson rules "$1" '.linux.resources.devices = $rules'
        rm -f "$BUNDLE/rootfs/tmp/node"
        start_idle
        mknod "$BUNDLE/rootfs/tmp/node" c 241 7 2>/dev/null || skip "can't make device nodes here"
    }
    start_with '[{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 241, "access": "rw"}, {"allow": false, "type": "c", "major": 241, "minor": 7, "access": "w"}]'
    if group_mount devices >/dev/null; then # v1 takes no exception from a wildcard
        opens read "$yes"
    else
        opens read "$yes"
        opens write "$no"
    fi
    start_with '[{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 241, "minor": 7, "access": "w"}]'
    opens read "$no"
    opens write "$yes"
    start_with '[{"allow": false}, {"allow": true, "type": "b"}]'
    opens read "$no"
    start_with '[{"allow": false}, {"allow": true, "type": "c", "minor": 7, "access": "r"}]'
    opens read "$yes"
    opens write "$no"
    start_with '[{"allow": true, "type": "a", "access": "rwm"}]'
    opens write "$yes"
    rt update -r - box <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
    opens read "$no"
}
