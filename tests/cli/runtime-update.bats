#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime update: limits of a container that runs.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

# memory_is BYTES, swap_is BYTES (memory and swap together): what the kernel has, in either version's file.
memory_is() {
    if is_v1 memory; then
        [ "$(group_read memory.limit_in_bytes)" = "$1" ]
    else
        [ "$(group_read memory.max)" = "$1" ]
    fi
}

swap_is() {
    if is_v1 memory; then
        [ "$(group_read memory.memsw.limit_in_bytes)" = "$1" ]
    else
        [ $(($(group_read memory.max) + $(group_read memory.swap.max))) = "$1" ]
    fi
}

need_swap() {
    local dir
    dir=$(group_dir memory)
    [ -e "$dir/memory.memsw.limit_in_bytes" ] || [ -e "$dir/memory.swap.max" ] || skip "this kernel does not account swap"
}

stored() {
    jq -c "$1" "$WORLD/oci/box/config.json"
}

@test "update: what Go programs write of things that are not given changes nothing" {
    need_controller memory pids
    change '.linux.resources.memory.limit = 67108864 | .linux.resources.pids.limit = 50'
    start_idle
    rt update --resources=- box <<<'{ "devices": null, "memory": { "limit": 134217728, "swap": null }, "cpu": { "cpus": "", "mems": "" }, "pids": null, "unified": null,
        "hugepageLimits": [], "network": null, "blockIO": null, "rdma": null }'
    memory_is 134217728
    [ "$(group_read pids.max)" = 50 ]
    rt update --resources - box <<<'{}'
    memory_is 134217728
}

@test "update: only what is given changes" {
    need_controller memory pids cpu
    change '.linux.resources.memory.limit = 67108864 | .linux.resources.pids.limit = 50'
    start_idle
    rt update --pids-limit 60 box
    [ "$(group_read pids.max)" = 60 ]
    memory_is 67108864
    rt update --memory 128m box
    memory_is 134217728
    [ "$(group_read pids.max)" = 60 ]
    [ "$(stored .linux.resources.memory.limit)" = 134217728 ]
    [ "$(stored .linux.resources.pids.limit)" = 60 ]
    rt update --pids-limit -1 box
    [ "$(group_read pids.max)" = max ]
}

@test "update -r: from a file and from standard input; unknown words do no harm" {
    need_controller memory pids
    start_idle
    echo '{ "memory": { "limit": 67108864 }, "x-other": 1 }' >"$WORLD/limits.json"
    rt update -r "$WORLD/limits.json" box
    memory_is 67108864
    echo '{ "pids": { "limit": 33 } }' | rt update --resources - box
    [ "$(group_read pids.max)" = 33 ]
    memory_is 67108864
}

@test "update: memory and swap grow and shrink together, whatever the order of the kernel's files" {
    need_controller memory
    change '.linux.resources.memory = { "limit": 67108864, "swap": 134217728 }'
    start_idle
    need_swap
    swap_is 134217728
    rt update --memory 256m --memory-swap 512m box
    memory_is 268435456
    swap_is 536870912
    rt update --memory 32m --memory-swap 48m box
    memory_is 33554432
    swap_is 50331648
    # Swap alone, measured against the memory limit that is there.
    rt update --memory-swap 64m box
    memory_is 33554432
    swap_is 67108864
    # Equal: no swap at all.
    rt update --memory 64m --memory-swap 64m box
    swap_is 67108864
}

@test "update --memory -1: no limit, for memory and swap" {
    need_controller memory
    change '.linux.resources.memory = { "limit": 67108864, "swap": 134217728 }'
    start_idle
    need_swap
    rt update --memory -1 box
    if is_v1 memory; then
        [ "$(group_read memory.limit_in_bytes)" -gt 1000000000000000 ]
        [ "$(group_read memory.memsw.limit_in_bytes)" -gt 1000000000000000 ]
    else
        memory_is max
    fi
    rt exec box true
}

@test "update: an exec after it still reads the container's spec" {
    need_controller memory
    change '.linux.resources.memory = { "limit": 67108864, "swap": 67108864 }'
    start_idle
    need_swap
    if is_v1 memory; then
        run rt update --memory 128m box
        expect_status 1
        expect_text "linux.resources.memory"
        memory_is 67108864
        [ "$(stored .linux.resources.memory.limit)" = 67108864 ]
    else
        rt update --memory 128m box
        memory_is 134217728
        swap_is 134217728
        [ "$(stored .linux.resources.memory.swap)" = 134217728 ]
    fi
    rt exec box true
}

@test "update: quota and period, one at a time and in any order" {
    need_controller cpu
    start_idle
    rt update --cpu-quota 50000 --cpu-period 100000 box
    rt update --cpu-period 200000 box
    if is_v1 cpu; then
        [ "$(group_read cpu.cfs_quota_us)" = 50000 ]
        [ "$(group_read cpu.cfs_period_us)" = 200000 ]
    else
        [ "$(group_read cpu.max)" = "50000 200000" ]
    fi
    rt update --cpu-quota 70000 box
    if is_v1 cpu; then
        [ "$(group_read cpu.cfs_quota_us)" = 70000 ]
    else
        [ "$(group_read cpu.max)" = "70000 200000" ]
    fi
    rt update --cpu-quota -1 --cpu-share 512 box
    if is_v1 cpu; then
        [ "$(group_read cpu.cfs_quota_us)" = -1 ]
        [ "$(group_read cpu.shares)" = 512 ]
    else
        [ "$(group_read cpu.max)" = "max 200000" ]
        [ "$(group_read cpu.weight)" = 59 ]
    fi
}

@test "update: a burst never above its quota, growing and shrinking" {
    need_controller cpu
    start_idle
    local file=cpu.max.burst
    ! is_v1 cpu || file=cpu.cfs_burst_us
    [ -e "$(group_dir cpu)/$file" ] || skip "this kernel has no CPU burst"
    rt update --cpu-quota 50000 --cpu-period 100000 --cpu-burst 50000 box
    [ "$(group_read $file)" = 50000 ]
    rt update --cpu-quota 20000 --cpu-burst 10000 box
    [ "$(group_read $file)" = 10000 ]
}

@test "update: when one value is refused, all old ones hold, and the JSON path is named" {
    need_controller memory pids cpu cpuset
    change '.linux.resources.memory.limit = 67108864 | .linux.resources.pids.limit = 50'
    start_idle
    local before after
    before=$(stored .linux.resources)
    # A CPU that no machine has comes after memory and before pids.
    run rt update --memory 128m --cpu-share 300 --cpuset-cpus 8000 --pids-limit 70 box
    expect_status 1
    expect_text "linux.resources.cpu.cpus"
    memory_is 67108864
    [ "$(group_read pids.max)" = 50 ]
    if is_v1 cpu; then [ "$(group_read cpu.shares)" = 1024 ]; else [ "$(group_read cpu.weight)" = 100 ]; fi
    after=$(stored .linux.resources)
    [ "$before" = "$after" ]
}

@test "update: checkBeforeUpdate refuses a limit below what is in use" {
    need_controller memory
    change '.linux.resources.memory.limit = 67108864'
    start_idle
    run rt update -r - box <<<'{ "memory": { "limit": 4096, "checkBeforeUpdate": true } }'
    expect_status 1
    expect_text "linux.resources.memory.limit"
    memory_is 67108864
    has_status box running
}

@test "update: a paused container, which stays paused" {
    need_controller pids
    start_idle
    rt pause box
    rt update --pids-limit 44 box
    [ "$(group_read pids.max)" = 44 ]
    has_status box paused
    rt resume box
}

# What opening a device without a driver ends with: EPERM where the rules forbid it, else ENXIO.
open_node() {
    run rt exec box cat /tmp/node
    [ "$status" -ne 0 ]
}

@test "update: device rules replace all others, the default devices stay" {
    start_idle
    mknod "$BUNDLE/rootfs/tmp/node" c 241 7 2>/dev/null || skip "can't make device nodes here"
    open_node
    expect_text "Operation not permitted"
    rt update -r - box <<<'{ "devices": [ { "allow": false, "access": "rwm" }, { "allow": true, "type": "c", "major": 241, "minor": 7, "access": "r" } ] }'
    open_node
    expect_text "No such device"
    rt exec box sh -c 'echo x >/dev/null'
    has_status box running
    # Limits alone leave the rules as they are.
    rt update --cpu-share 100 box
    open_node
    expect_text "No such device"
    rt update -r - box <<<'{ "devices": [ { "allow": false, "access": "rwm" } ] }'
    open_node
    expect_text "Operation not permitted"
    rt exec box sh -c 'echo x >/dev/null'
    rm "$BUNDLE/rootfs/tmp/node"
}

@test "update: what can't be, and why" {
    start_idle
    run rt update --memory lots box
    expect_status 1
    expect_text 'invalid value "lots" for --memory'
    run rt update --cpu-idle 2 box
    expect_status 1
    expect_text "cpu.idle: must be 0 or 1"
    run rt update --memory 1m -r - box <<<'{}'
    expect_status 1
    expect_text "not together with --memory"
    run rt update -r - box <<<'{ "memory": { "limit": "1m" } }'
    expect_status 1
    expect_text "memory.limit"
    run rt update --l3-cache-schema x box
    expect_status 1
    expect_text "linux.intelRdt"
    run rt update --memory 1m nobody
    expect_status 1
    expect_text "does not exist"
    rt kill box KILL
    wait_until has_status box stopped
    run rt update --memory 64m box
    expect_status 1
    expect_text "not running"
}

@test "update: fails at any call, and is then whole or not there" {
    need_controller memory pids cpu
    change '.linux.resources.memory.limit = 67108864 | .linux.resources.pids.limit = 50'
    start_idle
    local n=1 cpu=cpu.weight values
    ! is_v1 cpu || cpu=cpu.shares
    values=$(group_read "$cpu")
    while ! CLOCHE_TEST_FAIL_CALL="$n:EIO" rt update --memory 128m --cpu-share 300 --pids-limit 70 box 2>/dev/null; do
        memory_is 67108864
        [ "$(group_read pids.max)" = 50 ]
        [ "$(group_read "$cpu")" = "$values" ]
        [ "$(stored .linux.resources.pids.limit)" = 50 ]
        n=$((n + 1))
        [ "$n" -lt 500 ]
    done
    [ "$n" -gt 5 ]
}

# --- resctrl --------------------------------------------------------------------------------------------------------------------
# Where there is one, tests/unit/runtime/test-rdt.c has it made up.

@test "update: --l3-cache-schema and --mem-bw-schema of a container without a group say what would have made one" {
    start_idle
    run rt update --l3-cache-schema L3:0=f box
    expect_status 1
    expect_text "update container box: --l3-cache-schema: the container has no group in resctrl, since its config.json has no linux.intelRdt; create it with one"
    run rt update --pids-limit 60 --mem-bw-schema MB:0=50 --l3-cache-schema L3:0=f box
    expect_status 1
    expect_text "--l3-cache-schema, --mem-bw-schema: the container has no group"
    [ "$(stored .linux.intelRdt)" = null ]
    [ "$(stored .linux.resources.pids.limit)" != 60 ]
    rt update --l3-cache-schema "" --mem-bw-schema "" box # callers pass "" for nothing
}

@test "update: --mem-bw-schema where no resctrl is mounted changes nothing, and says so" {
    ! grep -q " - resctrl " /proc/self/mountinfo || skip "a resctrl file system is mounted here"
    start_idle
    # As if it had been unmounted since the container was made.
    jq '.linux.intelRdt = {}' "$WORLD/oci/box/config.json" >"$WORLD/new.json"
    cp "$WORLD/new.json" "$WORLD/oci/box/config.json"
    run rt update --mem-bw-schema MB:0=50 box
    expect_status 1
    expect_text "update container box: --mem-bw-schema: linux.intelRdt: no resctrl file system is mounted"
    expect_text "mount -t resctrl"
    cmp "$WORLD/new.json" "$WORLD/oci/box/config.json"
    run rt update --mem-bw-schema L3:0=f box
    expect_status 1
    expect_text "linux.intelRdt.memBwSchema: must be one line that starts with MB:"
    cmp "$WORLD/new.json" "$WORLD/oci/box/config.json"
}
