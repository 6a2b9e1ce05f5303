#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Checkpoint and restore with the real criu where systemd makes the control groups: `./dev vm checkpoint`.
# bed: systemd
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # dollars of the container's shell; read by the frame; status, output: set by run

WORLD_ALPINE=no CLOCHE_TEST_MANAGER=systemd
load ../cli/helper
load ../cli/runtime-helper
load checkpoint-frame

skip_reason() {
    if [ "$(id -u)" != 0 ] || [ ! -d /run/systemd/system ]; then
        echo "needs root and systemd (./dev vm checkpoint has both)"
    elif ! systemctl show -p Version >/dev/null 2>&1; then
        echo "systemd does not answer: $(systemctl show -p Version 2>&1 | tail -1)"
    fi
}

setup_file() {
    [ -n "$(skip_reason)" ] || criu_setup_file
}

setup() {
    local reason
    reason=$(skip_reason)
    [ -z "$reason" ] || skip "$reason"
    criu_setup
}

teardown() {
    [ -n "$(skip_reason)" ] || runtime_teardown
}

teardown_file() {
    [ -n "$(skip_reason)" ] || runtime_teardown_file
}

is_gone() {
    [ "$(systemctl show -P LoadState "$BOX_UNIT")" = not-found ]
}

@test "systemd: the restored container is in a scope of the same name, with its limits, and criu is not" {
    change '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 50 } }'
    start_counter
    checkpoint
    wait_until is_gone
    nothing_is_left
    local before group
    before=$(count)
    restore
    wait_until counts_beyond "$((before + 3))"
    [ "$(scope_property ActiveState)" = active ]
    [ "$(scope_property MemoryMax)" = 67108864 ]
    [ "$(scope_property TasksMax)" = 50 ]
    group=$(group_dir memory)
    grep -qx "$(pid_of)" "$group/cgroup.procs"
    [ "$(<"$group/memory.max")" = 67108864 ]
    # criu was the first in there, and has gone.
    run bash -c "for pid in \$(cat '$group/cgroup.procs'); do cat /proc/\$pid/comm; done"
    refute_text criu
    rt pause box
    has_status box paused
    rt resume box
    rt delete -f box
    wait_until is_gone
}

@test "systemd: a restore that fails leaves no scope" {
    start_counter
    checkpoint
    wait_until is_gone
    rm "$IMAGES"/core-1.img
    run rt restore -d --image-path "$IMAGES" -b "$BUNDLE" box
    expect_status 1
    expect_text "criu restore: "
    wait_until is_gone
    nothing_is_left
}

@test "systemd: in a user namespace, paused, and again" {
    in_user_ns
    start_counter
    rt pause box
    checkpoint
    wait_until is_gone
    local before
    before=$(count)
    restore
    [ "$(status_of box)" != paused ] || rt resume box
    wait_until counts_beyond "$((before + 3))"
    checkpoint
    wait_until is_gone
    before=$(count)
    restore
    wait_until counts_beyond "$((before + 3))"
    rt delete -f box
    wait_until is_gone
}
