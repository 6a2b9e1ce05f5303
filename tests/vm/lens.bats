#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The lens on containers that only systemd makes: systemd-nspawn's, in a scope or service of machine.slice. Elsewhere it is skipped; `./dev vm` boots a machine
# that has systemd. Other engines: tests/conformance/lens.bats.
# bed: systemd
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

bats_require_minimum_version 1.5.0
WORLD_ALPINE=no
load ../cli/helper

setup() {
    world_setup
    need_program systemd-nspawn machinectl jq
    [ -d /run/systemd/system ] || skip "systemd does not run here (./dev vm has it)"
    [ -x /bin/busybox ] || skip "needs /bin/busybox"
}

teardown() {
    machinectl terminate my-box 2>/dev/null || true
    wait_until has_ended
    world_teardown
}

has_ended() {
    ! machinectl show my-box
}

leader() {
    machinectl show -p Leader --value my-box
}

@test "containers of systemd-nspawn have their names" {
    mkdir -p "$WORLD/rootfs"/{bin,usr,etc,tmp,proc,sys,dev,run,var}
    cp /bin/busybox "$WORLD/rootfs/bin/"
    ln -s busybox "$WORLD/rootfs/bin/sleep"
    echo ID=test >"$WORLD/rootfs/etc/os-release"
    systemd-nspawn -q -M my-box -D "$WORLD/rootfs" /bin/sleep 1000 </dev/null >"$WORLD/nspawn.log" 2>&1 3>&- &
    wait_until leader
    pid=$(leader)
    run --separate-stderr bash -c "cloche lsns -J -l -t mnt -Q 'CONTAINER == \"my-box\"' -o PID,ENGINE | jq -c '.namespaces[] | [.pid, .engine]'"
    expect_output "[$pid,\"nspawn\"]"
    run --separate-stderr bash -c "cloche view --json my-box | jq -c '[.container, .engine, .process.pid.inside]'"
    expect_match '^\["my-box","nspawn",'
}
