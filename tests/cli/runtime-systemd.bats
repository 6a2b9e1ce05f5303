#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime --systemd-cgroup: control groups as systemd's scopes. The names are checked everywhere; what systemd makes of them where it runs
# (`./dev vm` boots a machine with it).
# bed: systemd
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

setup() {
    runtime_setup
    # No two tests share a unit: one that is just going is not in the next one's way.
    UNIT=cloche-test-$$-$BATS_TEST_NUMBER
    change --arg path ":cloche-test:$$-$BATS_TEST_NUMBER" '.linux.cgroupsPath = $path'
}

need_systemd() {
    [ -d /run/systemd/system ] || skip "needs systemd (./dev vm has it)"
    need_program systemctl
    systemctl show -p Version >/dev/null 2>&1 || skip "systemd does not answer: $(systemctl show -p Version 2>&1 | tail -1)"
}

sd() {
    rt --systemd-cgroup "$@"
}

start_scope() {
    script 'sleep 1000'
    sd run -d -b "$BUNDLE" box
}

# property NAME: of the unit.
property() {
    systemctl show -P "$1" "$UNIT.scope"
}

is_gone() {
    [ "$(systemctl show -P LoadState "$UNIT.scope")" = not-found ]
}

# The v2 group of the unit, below the mount.
scope_dir() {
    local top=/sys/fs/cgroup
    [ ! -e "$top/unified/cgroup.procs" ] || top=$top/unified
    echo "$top$(property ControlGroup)"
}

# --- everywhere -----------------------------------------------------------------------------------------------------------------

@test "--systemd-cgroup: names that make no unit are refused, and nothing is made" {
    local path
    for path in /a/b a:b :::: a:b:c:d "no-slice:p:n" ".slice:p:n" "-a.slice:p:n" "a-.slice:p:n" "a--b.slice:p:n" "a/b.slice:p:n" \
        "system.slice:p:" "system.slice:p:n/m" "system.slice:p:x.slice" "system.slice:p:a b"; do
        change --arg path "$path" '.linux.cgroupsPath = $path'
        run sd create -b "$BUNDLE" box
        expect_status 1
        expect_text "linux.cgroupsPath"
    done
    [ -z "$(ls "$WORLD/oci" 2>/dev/null)" ]
}

@test "--systemd-cgroup on a host without systemd: an error that says so, and nothing is left" {
    [ ! -d /run/systemd/system ] || skip "systemd runs here"
    script true
    run sd run -b "$BUNDLE" box
    [ "$status" -ne 0 ]
    expect_text "does not run systemd"
    run rt --cgroup-manager systemd create -b "$BUNDLE" box
    expect_status 1
    expect_text "does not run systemd"
    [ -z "$(ls "$WORLD/oci")" ]
}

@test "--cgroup-manager: systemd, cgroupfs, disabled, and what else" {
    run rt --cgroup-manager other list
    expect_status 1
    expect_text "expected cgroupfs, systemd or disabled"
    [ "$(cloche-runtime features | jq -c '.linux.cgroup | [.systemd, .systemdUser]')" = '[true,true]' ]
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "use --systemd-cgroup"
}

# --- with systemd ---------------------------------------------------------------------------------------------------------------

@test "systemd: init is in a delegated scope of the slice, and both go with it" {
    need_systemd
    start_scope
    [ "$(property ActiveState)" = active ]
    [ "$(property Slice)" = system.slice ]
    [ "$(property Delegate)" = yes ]
    grep -q "/system.slice/$UNIT.scope\$" "/proc/$(rt state box | jq .pid)/cgroup"
    rt exec box true
    [ "$(rt ps -f json box | jq length)" -eq 1 ]
    rt kill box KILL
    wait_until has_status box stopped
    rt delete box
    wait_until is_gone
}

@test "systemd: run in the foreground, its exit code, nothing left" {
    need_systemd
    script 'cat /proc/self/cgroup; exit 7'
    run sd run -b "$BUNDLE" box
    expect_status 7
    wait_until is_gone
    [ -z "$(rt list -q)" ]
}

@test "systemd: a nested slice; the default name" {
    need_systemd
    change --arg path "cloche_test-$$-a.slice:p:x$BATS_TEST_NUMBER" '.linux.cgroupsPath = $path'
    UNIT=p-x$BATS_TEST_NUMBER
    start_scope
    grep -q "/cloche_test.slice/cloche_test-$$.slice/cloche_test-$$-a.slice/$UNIT.scope\$" "/proc/$(rt state box | jq .pid)/cgroup"
    rt delete -f box
    systemctl stop "cloche_test-$$-a.slice" "cloche_test-$$.slice" cloche_test.slice
    change 'del(.linux.cgroupsPath)'
    start_scope
    grep -q '/system.slice/cloche-box.scope$' "/proc/$(rt state box | jq .pid)/cgroup"
    rt delete -f box
}

@test "systemd: limits are the unit's properties and the kernel's values" {
    need_systemd
    need_controller memory pids cpu
    change '.linux.resources.memory = { "limit": 67108864, "reservation": 33554432 } | .linux.resources.pids.limit = 50
        | .linux.resources.cpu = { "shares": 512, "quota": 50000, "period": 100000 }'
    start_scope
    [ "$(property TasksMax)" = 50 ]
    [ "$(property CPUQuotaPerSecUSec)" = 500ms ]
    if is_v1 memory; then
        [ "$(property MemoryLimit)" = 67108864 ]
        return
    fi
    [ "$(property MemoryMax)" = 67108864 ]
    [ "$(property MemoryLow)" = 33554432 ]
    [ "$(property CPUWeight)" = 59 ]
    [ "$(cat "$(scope_dir)/memory.max")" = 67108864 ]
    [ "$(cat "$(scope_dir)/pids.max")" = 50 ]
    [ "$(cat "$(scope_dir)/cpu.max")" = "50000 100000" ]
    # What systemd reads again, it applies again: no limit is lost.
    systemctl daemon-reload
    [ "$(cat "$(scope_dir)/memory.max")" = 67108864 ]
    [ "$(cat "$(scope_dir)/pids.max")" = 50 ]
}

@test "systemd: update changes both, a part of a percent is exact in the kernel" {
    need_systemd
    need_controller memory pids cpu
    start_scope
    rt update --memory 128m --pids-limit 60 --cpu-quota 33333 --cpu-period 100000 box
    [ "$(property TasksMax)" = 60 ]
    [ "$(property CPUQuotaPerSecUSec)" = 340ms ]
    is_v1 cpu || {
        [ "$(property MemoryMax)" = 134217728 ]
        [ "$(cat "$(scope_dir)/cpu.max")" = "33333 100000" ]
        [ "$(cat "$(scope_dir)/memory.max")" = 134217728 ]
    }
    run rt update --pids-limit 70 --cpuset-cpus 8000 box
    expect_status 1
    [ "$(property TasksMax)" = 60 ]
}

@test "systemd: annotations are properties of the unit; one that is none is an error" {
    need_systemd
    change '.annotations = { "org.systemd.property.Description": "\u0027one of ours\u0027", "org.systemd.property.TimeoutStopSec": "uint64 7",
        "org.systemd.property.Documentation": "[\u0027https://one.example\u0027, \u0027https://two.example\u0027]" }'
    start_scope
    [ "$(property Description)" = "one of ours" ]
    [ "$(property TimeoutStopUSec)" = 7s ]
    run property Documentation
    expect_text https://one.example
    expect_text https://two.example
    rt delete -f box
    change '.annotations = { "org.systemd.property.Nonsense": "true" }'
    run sd create -b "$BUNDLE" box
    expect_status 1
    expect_text "Nonsense"
    change '.annotations = { "org.systemd.property.Description": "one of ours" }'
    run sd create -b "$BUNDLE" box
    expect_status 1
    expect_text 'annotations["org.systemd.property.Description"]'
    [ -z "$(rt list -q)" ]
}

@test "systemd: a group below the scope, with the controllers let down to it" {
    need_systemd
    need_controller pids
    ! is_v1 pids || skip "needs cgroup v2"
    change '.annotations["run.oci.systemd.subgroup"] = "container" | .linux.resources.pids.limit = 40'
    start_scope
    grep -q "/$UNIT.scope/container\$" "/proc/$(rt state box | jq .pid)/cgroup"
    [ "$(cat "$(scope_dir)/container/pids.max")" = 40 ]
    rt exec box true
    rt delete -f box
    wait_until is_gone
}

@test "systemd: devices that are not listed stay closed" {
    need_systemd
    start_scope
    [ "$(property DevicePolicy)" = strict ]
    rt exec box sh -c 'echo x >/dev/null'
    mknod "$BUNDLE/rootfs/tmp/node" c 241 7 2>/dev/null || skip "can't make device nodes here"
    run rt exec box cat /tmp/node
    rm "$BUNDLE/rootfs/tmp/node"
    [ "$status" -ne 0 ]
    expect_text "Operation not permitted"
}

@test "systemd: a start that fails leaves no unit" {
    need_systemd
    change '.process.args = ["/bin/missing"]'
    run sd create -b "$BUNDLE" box
    expect_status 1
    wait_until is_gone
    [ -z "$(rt list -q)" ]
}

@test "systemd: killed at any moment, delete cleans up" {
    need_systemd
    local point
    script 'sleep 1000'
    for point in "cloche:cloned" "cloche:scope started" "cloche:scope ready" "cloche:container ready" "cloche:before leaving"; do
        CLOCHE_TEST_KILL=$point sd create -b "$BUNDLE" box 2>/dev/null || true
        rt delete -f box
        wait_until is_gone
    done
    [ -z "$(rt list -q)" ]
}

@test "systemd: a unit that is there already is not taken" {
    need_systemd
    systemd-run --scope --unit "$UNIT.scope" sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
    wait_until systemctl is-active "$UNIT.scope"
    script true
    run sd create -b "$BUNDLE" box
    expect_status 1
    [ "$(property ActiveState)" = active ]
    systemctl stop "$UNIT.scope"
}

@test "systemd: the OOM killer's unit does not stay as failed" {
    need_systemd
    need_controller memory
    change '.linux.resources.memory = { "limit": 16777216, "swap": 16777216 }'
    script 'exec dd if=/dev/zero of=/dev/null bs=128M count=1'
    sd run -d -b "$BUNDLE" box
    wait_until has_status box stopped
    rt delete box
    wait_until is_gone
}
