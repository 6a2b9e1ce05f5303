#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime events: statistics in runc's shape, and the OOM killer.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

stats() {
    rt events --stats box | jq -c "$@"
}

@test "events --stats: one line with everything that runc's has" {
    start_idle
    run rt events --stats box
    expect_status 0
    [ "$(wc -l <<<"$output")" -eq 1 ]
    [ "$(jq -c '[.type, .id]' <<<"$output")" = '["stats","box"]' ]
    [ "$(jq -c '.data | keys' <<<"$output")" = \
        '["blkio","cpu","cpuset","hugetlb","intel_rdt","memory","network_interfaces","pids"]' ]
    [ "$(jq -c '.data.memory | [.usage, .swap, .kernel, .kernelTCP] | map(has("limit") and has("failcnt")) | all' <<<"$output")" = true ]
    [ "$(jq '.data.cpu.usage | has("kernel") and has("user")' <<<"$output")" = true ]
    [ "$(jq -c '.data.cpuset | has("cpu_exclusive") and has("sched_relax_domain_level")' <<<"$output")" = true ]
    [ "$(jq -c .data.network_interfaces <<<"$output")" = null ]
}

@test "events --stats: numbers are the group's" {
    need_controller memory pids cpu
    change '.linux.resources.memory.limit = 67108864 | .linux.resources.pids.limit = 50'
    start_idle
    [ "$(stats .data.memory.usage.limit)" = 67108864 ]
    [ "$(stats .data.pids.limit)" = 50 ]
    [ "$(stats .data.pids.current)" = 1 ]
    [ "$(stats '.data.memory.usage.usage > 0')" = true ]
    [ "$(stats '.data.memory.raw | length > 10')" = true ]
    [ "$(stats '.data.cpu.usage.total > 0')" = true ]
    rt exec -d box sleep 1000
    [ "$(stats .data.pids.current)" = 2 ]
}

@test "events --stats: where runc is, the same words at the same places" {
    need_program runc
    start_idle
    local group=$CLOCHE_CGROUP_PARENT/peer
    mkdir -p "$WORLD/peer"
    jq ".linux.cgroupsPath = \"/$group\" | .mounts |= map(select(.type != \"cgroup\")) | .process.args = [\"sleep\", \"1000\"]
        | .linux.namespaces |= map(select(.type != \"time\" and .type != \"cgroup\")) | .ociVersion = \"1.0.2\"
        | .root.path = \"$BUNDLE/rootfs\" | .linux.resources = {}" "$WORLD/default.json" >"$WORLD/peer/config.json"
    runc --root "$WORLD/runc" run -d -b "$WORLD/peer" peer </dev/null >"$WORLD/peer.out" 2>&1 ||
        skip "runc can't run a container here: $(tail -1 "$WORLD/peer.out")"
    local paths='[.data | paths | map(if type == "number" then "N" else . end) | select(index("raw") == null) | join(".")] | unique'
    runc --root "$WORLD/runc" events --stats peer | jq "$paths" >"$WORLD/theirs"
    rt events --stats box | jq "$paths" >"$WORLD/ours"
    runc --root "$WORLD/runc" delete -f peer
    # All of theirs, but for what depends on what the two processes did so far.
    run jq -n --slurpfile a "$WORLD/theirs" --slurpfile b "$WORLD/ours" \
        '$a[0] - $b[0] | map(select(test("^(blkio|cpu.throttling)|usage.max|kernel|cache") | not))'
    expect_output "[]"
}

# It has to listen before anybody is killed: to sleep, that is, with what tells it open.
listens() {
    readlink "/proc/$1/fd/"* | grep -q -e eventfd -e memory.events && [ "$(awk '{ print $3 }' "/proc/$1/stat")" = S ]
}

@test "events: statistics at each interval, until the container ends" {
    start_idle
    cloche-runtime --root "$WORLD/oci" events --interval 50ms box >"$WORLD/events" &
    local pid=$!
    wait_until eval '[ "$(wc -l <"$WORLD/events")" -ge 3 ]'
    rt kill box KILL
    wait "$pid"
    [ "$(jq -r .type "$WORLD/events" | sort -u)" = stats ]
}

@test "events: the OOM killer is told when it strikes, without waiting for an interval" {
    need_controller memory
    change '.linux.resources.memory.limit = 33554432'
    start_idle
    cloche-runtime --root "$WORLD/oci" events --interval 1h box >"$WORLD/events" &
    local pid=$!
    wait_until listens "$pid"
    run rt exec box dd if=/dev/zero of=/dev/null bs=128M count=1
    [ "$status" -ne 0 ]
    wait_until grep -q oom "$WORLD/events"
    [ "$(head -1 "$WORLD/events")" = '{"type":"oom","id":"box"}' ]
    rt kill box KILL
    wait "$pid"
}

@test "events: the end by the OOM killer is told before the end" {
    need_controller memory
    change '.linux.resources.memory.limit = 33554432'
    script 'while [ ! -e /tmp/go ]; do sleep 0.05; done; exec dd if=/dev/zero of=/dev/null bs=128M count=1'
    rm -f "$BUNDLE/rootfs/tmp/go"
    rt run -d -b "$BUNDLE" box
    cloche-runtime --root "$WORLD/oci" events --interval 1h box >"$WORLD/events" &
    local pid=$!
    wait_until listens "$pid"
    touch "$BUNDLE/rootfs/tmp/go"
    wait "$pid"
    [ "$(sort -u "$WORLD/events")" = '{"type":"oom","id":"box"}' ]
}

@test "events: on v2 alone" {
    need_v2
    script 'sleep 1000'
    rt2 run -d -b "$BUNDLE" box
    rt2 events --stats box | jq -e '.data.cpu.usage.user >= 0 and .data.pids.current == null' >/dev/null ||
        rt2 events --stats box | jq -e '.data.pids.current == 1' >/dev/null
    rt2 delete -f box
}

@test "events: what can't be" {
    run rt events none
    expect_status 1
    expect_text "does not exist"
    start_idle
    local text
    for text in 0s -1s soon; do
        run rt events --interval "$text" box
        expect_status 1
        expect_text "--interval $text"
    done
    rt kill box KILL
    wait_until has_status box stopped
    run rt events --stats box
    expect_status 1
    expect_text "not running"
}
