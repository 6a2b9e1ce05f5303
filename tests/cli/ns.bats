#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche ns tree and diff on containers: hierarchy and ownership, and each kind of difference against what was asked for when they were made.

bats_require_minimum_version 1.5.0
load helper

ns_of() { # PID TYPE
    readlink "/proc/$1/ns/$2" | tr -dc '0-9'
}

differences() { # NAME: as A|B
    jq -r --arg name "$1" '.differences[] | select(.name == $name) | "\(.a)|\(.b)"' <<<"$output"
}

@test "ns tree as JSON hangs pid namespaces below their parents, and all types below their owners" {
    need_program jq
    cloche run -d --name box alpine sleep 1000 >/dev/null
    pid=$(container_pid box)
    run --separate-stderr cloche ns tree --json
    expect_status 0
    # The host's pid namespace has the container's among its children.
    [ "$(jq --argjson host "$(ns_of self pid)" --argjson box "$(ns_of "$pid" pid)" \
        '[.. | objects | select(.ns? == $host) | .children[]?.ns] | index($box) != null' <<<"$output")" = true ]
    [ "$(jq '[.. | objects | select(.type?) | .type] | unique | join(" ")' <<<"$output")" = '"pid user"' ]
    run --separate-stderr cloche ns tree --all --json
    expect_status 0
    for type in mnt uts ipc net cgroup; do
        [ "$(jq --argjson ns "$(ns_of "$pid" "$type")" '[.. | objects | select(.ns? == $ns) | .ons] | first' <<<"$output")" = "$(ns_of self user)" ]
    done
}

@test "ns diff names what was changed, added and removed" {
    need_program jq
    mkdir "$BATS_TEST_TMPDIR/data"
    cloche run -d --name one --hostname first -m 64m -v "$BATS_TEST_TMPDIR/data:/data" alpine sleep 1000 >/dev/null
    cloche run -d --name two --hostname second --pids-limit 9 -v "$BATS_TEST_TMPDIR/data:/data:ro" --tmpfs /extra alpine sh -c 'sleep 1001 & sleep 1002 & exec sleep 1000' >/dev/null
    two_has_three() { [ "$(cloche top two | wc -l)" -ge 4 ]; }
    wait_until two_has_three
    run --separate-stderr cloche ns diff --json one two
    expect_status 0
    [ "$(differences hostname)" = "first|second" ]
    [ "$(differences limits)" = "memory 64MiB|pids 9" ]
    [ "$(differences processes)" = "1|3" ]
    [[ "$(differences mount)" == *"/data: "*"(rw"*"|/data: "*"(ro"* ]]
    [[ "$(differences mount)" == *"null|/extra: tmpfs"* ]]
    [ -z "$(differences interface)" ]
    [ -z "$(differences capabilities)" ]
    # The other way around it says the same.
    forward=$(jq -c '[.differences[] | [.namespace, .name, .a, .b]] | sort' <<<"$output")
    run --separate-stderr cloche ns diff --json two one
    [ "$(jq -c '[.differences[] | [.namespace, .name, .b, .a]] | sort' <<<"$output")" = "$forward" ]
}

@test "ns diff with the host: interfaces and IPC objects" {
    need_program jq ipcmk nsenter ip
    cloche run -d --name box --network none alpine sleep 1000 >/dev/null
    pid=$(container_pid box)
    nsenter --ipc="/proc/$pid/ns/ipc" ipcmk -M 12288 >/dev/null
    nsenter --net="/proc/$pid/ns/net" ip addr add 192.0.2.77/32 dev lo
    run --separate-stderr cloche ns diff --json host box
    expect_status 0
    [[ "$(differences object)" == *"null|shared memory "*": 12288 bytes"* ]]
    [[ "$(differences interface)" == *"lo: 127.0.0.1/8"*"|lo: 127.0.0.1/8, 192.0.2.77/32"* ]]
    [[ "$(differences seccomp)" == "off|1 filter" ]]
    run cloche ns diff host host
    expect_text 'Same namespaces: time, uts, ipc, net, cgroup, mnt, pid, user'
}

@test "pid as JSON" {
    need_program jq
    cloche run -d --name box alpine sleep 1000 >/dev/null
    pid=$(container_pid box)
    run --separate-stderr cloche pid --json "$pid"
    [ "$(jq -r '[.pid, .name, (.levels | map("\(.level) \(.namespace) \(.container) \(.pid)"))] | flatten | join(",")' <<<"$output")" = \
        "$pid,sleep,0 $(ns_of self pid) null $pid,1 $(ns_of "$pid" pid) box 1" ]
}
