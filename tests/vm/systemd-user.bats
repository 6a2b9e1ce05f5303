#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime --systemd-cgroup for an ordinary user: the scope is of the user's own manager. `./dev vm` runs this as one who lingers. On other machines it is skipped.
# bed: systemd user
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no CLOCHE_TEST_MANAGER=systemd
load ../cli/helper
load ../cli/runtime-helper

skip_reason() {
    if [ "$(id -u)" = 0 ] || [ -z "${CLOCHE_VM_GROUP:-}" ]; then
        echo "needs an ordinary user with a systemd of their own (./dev vm has one)"
    elif ! systemctl --user show -p Version >/dev/null 2>&1; then
        echo "the user's systemd does not answer: $(systemctl --user show -p Version 2>&1 | tail -1)"
    fi
}

setup_file() {
    [ -n "$(skip_reason)" ] || runtime_setup_file
}

setup() {
    local reason
    reason=$(skip_reason)
    [ -z "$reason" ] || skip "$reason"
    runtime_setup
}

teardown() {
    [ -n "$(skip_reason)" ] || runtime_teardown
}

teardown_file() {
    [ -n "$(skip_reason)" ] || runtime_teardown_file
}

own_group() {
    sed -n 's/^0:://p' "/proc/$(rt state box | jq .pid)/cgroup"
}

is_gone() {
    [ "$(scope_property LoadState)" = not-found ]
}

@test "the scope is of the user's manager, below its group, and both go with the container" {
    start_idle
    [ "$(scope_property ActiveState)" = active ]
    [ "$(scope_property Delegate)" = yes ]
    [ "$(own_group)" = "$(scope_property ControlGroup)" ]
    [[ "$(own_group)" == "$(sc show -P ControlGroup)/$WORLD_SLICE/"* ]]
    rt exec box true
    [ "$(rt ps -f json box | jq length)" -eq 1 ]
    rt delete -f box
    wait_until is_gone
    [ ! -e "/sys/fs/cgroup/$BOX_GROUP" ]
}

@test "names as engines give them, and user.slice where none is named" {
    local path unit slice
    while read -r path unit slice; do
        if [ "$path" = none ]; then change 'del(.linux.cgroupsPath)'; else change --arg path "$path" '.linux.cgroupsPath = $path'; fi
        start_idle
        [ "$(sc show -P Slice "$unit")" = "$slice" ]
        [[ "$(own_group)" == "$(sc show -P ControlGroup)/"*"$unit" ]]
        rt delete -f box
    done <<END
none cloche-box.scope user.slice
user.slice:libpod:$$ libpod-$$.scope user.slice
:docker:$$ docker-$$.scope user.slice
user-libpod_pod_$$.slice:libpod:$$-1 libpod-$$-1.scope user-libpod_pod_$$.slice
END
    sc stop "user-libpod_pod_$$.slice"
}

@test "limits are the unit's properties and the kernel's values, also after update and daemon-reload" {
    need_controller memory pids cpu
    change '.linux.resources.memory = {limit: 67108864, reservation: 33554432} | .linux.resources.pids.limit = 50
        | .linux.resources.cpu = {shares: 512, quota: 50000, period: 100000}'
    start_idle
    [ "$(scope_property MemoryMax)" = 67108864 ]
    [ "$(scope_property TasksMax)" = 50 ]
    [ "$(group_read memory.max)" = 67108864 ]
    [ "$(group_read cpu.max)" = "50000 100000" ]
    [ "$(group_read cpu.weight)" = 59 ]
    rt update --memory 128m --pids-limit 60 --cpu-quota 33333 box
    [ "$(scope_property MemoryMax)" = 134217728 ]
    sc daemon-reload
    [ "$(group_read memory.max)" = 134217728 ]
    [ "$(group_read pids.max)" = 60 ]
}

@test "a memory limit holds, and the unit that the OOM killer ended does not stay as failed" {
    need_controller memory
    change '.linux.resources.memory = {limit: 16777216, swap: 16777216}'
    script 'exec tail /dev/zero'
    run rt run -b "$BUNDLE" box
    expect_status 137
    wait_until is_gone
}

@test "without a bus's address in the environment, and without XDG_RUNTIME_DIR" {
    script 'sleep 1000'
    (unset DBUS_SESSION_BUS_ADDRESS && rt run -d -b "$BUNDLE" box)
    [ "$(scope_property ActiveState)" = active ]
    (unset DBUS_SESSION_BUS_ADDRESS && rt delete -f box)
    wait_until is_gone
    (unset DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR && rt run -d -b "$BUNDLE" box)
    [ "$(scope_property ActiveState)" = active ]
    (unset DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR && rt delete -f box)
    wait_until is_gone
}

@test "no manager to speak with: an error that says what it takes, and nothing is left" {
    mkdir "$WORLD/empty"
    run env DBUS_SESSION_BUS_ADDRESS="unix:path=$WORLD/empty/bus" XDG_RUNTIME_DIR="$WORLD/empty" \
        cloche-runtime --root "$WORLD/oci" --cgroup-manager systemd create -b "$BUNDLE" box
    expect_status 1
    expect_text "connect to the user's systemd"
    expect_text "loginctl enable-linger"
    [ -z "$(rt list -q)" ]
}

# As Podman calls a runtime for an ordinary user; the system's manager would not listen to it.
@test "root of a user namespace is the user whose it is" {
    need_program unshare
    start_rooted() {
        unshare --user --map-root-user --map-auto cloche-runtime --root "$WORLD/rooted" --systemd-cgroup "$@"
    }
    script 'sleep 1000'
    change 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user")) | .mounts |= map(select(.destination != "/sys"))'
    start_rooted run -d -b "$BUNDLE" box || skip "no container in a user namespace here"
    [ "$(scope_property ActiveState)" = active ]
    start_rooted delete -f box
    wait_until is_gone
}

@test "killed at any moment, delete cleans up" {
    local point
    script 'sleep 1000'
    for point in "cloche:cloned" "cloche:scope started" "cloche:container ready" "cloche:before leaving"; do
        CLOCHE_TEST_KILL=$point rt create -b "$BUNDLE" box 2>/dev/null || true
        rt delete -f box
        wait_until is_gone
    done
    [ -z "$(rt list -q)" ]
}
