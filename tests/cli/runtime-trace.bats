#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime --trace FILE, and the step's name in the error of a start that fails.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

setup() {
    runtime_setup
    rm -f "$WORLD/trace"
    change '.process.args = ["true"]'
}

# Each line is of the form; the last column that is one word says the side.
is_well_formed() {
    [ -s "$WORLD/trace" ]
    ! grep -vE '^ *[0-9]+ +([0-9]+|-)  (parent|init  )  [a-zA-Z_ -]+( FAILED)?$' "$WORLD/trace"
}

# step SIDE NAME: the line numbers of its lines.
step() {
    grep -nE "  $1 +$2\$" "$WORLD/trace" | cut -d: -f1
}

@test "run: the steps of both sides, each with its times" {
    rt run --trace "$WORLD/trace" -b "$BUNDLE" box
    is_well_formed
    [ "$(step parent 'open root file system')" -lt "$(step parent 'make control group')" ]
    [ -n "$(step parent 'make namespaces')" ]
    [ "$(step init begin)" -lt "$(step init 'apply mounts')" ]
    [ "$(step init 'apply mounts')" -lt "$(step init 'enter root file system')" ]
    [ "$(step init 'enter root file system')" -lt "$(step init 'set capabilities')" ]
    [ -n "$(step init execute)" ]
    [ -n "$(step parent 'start the program')" ]
    # No step is told that was not needed.
    [ -z "$(step parent 'make resctrl group')" ]
}

@test "the clocks of a time namespace do not count" {
    [ -e /proc/self/ns/time ] || skip "this kernel has no time namespaces"
    change '.linux.namespaces |= (map(select(.type != "time")) + [{ type: "time" }])
        | .linux.timeOffsets = { monotonic: { secs: 1000000 }, boottime: { secs: 1000000 } }'
    rt run --trace "$WORLD/trace" -b "$BUNDLE" box
    is_well_formed
    # 1,000,000 s would be 1e12 us.
    [ "$(awk '$1 > 1e11 || ($2 != "-" && $2 > 1e11)' "$WORLD/trace" | wc -l)" -eq 0 ]
    [ -n "$(step init 'apply mounts')" ]
}

preserving_one() {
    rt run --preserve-fds 1 --trace "$WORLD/trace" -b "$BUNDLE" box 3</dev/null
}

@test "the program gets nothing of it, and preserved descriptors are its own" {
    change '.process.args = ["sh", "-c", "ls /proc/self/fd"]'
    run rt run --trace "$WORLD/trace" -b "$BUNDLE" box
    expect_status 0
    expect_output $'0\n1\n2\n3' # 3 is ls's own
    run preserving_one
    expect_status 0
    expect_output $'0\n1\n2\n3\n4'
}

@test "create and start: one file for both, or start's own" {
    change '.process.args = ["sleep", "1000"]'
    rt create --trace "$WORLD/trace" -b "$BUNDLE" box
    [ -n "$(step init 'connect streams')" ]
    [ -z "$(step init execute)" ]
    rt start box
    [ -n "$(step init execute)" ]
    [ -z "$(step parent 'start the program')" ]
    rt delete -f box
    rm "$WORLD/trace"
    rt create -b "$BUNDLE" box
    rt start --trace "$WORLD/trace" box
    is_well_formed
    [ -z "$(step init 'wait for the start')" ]
    [ -n "$(step init 'close other files')" ]
    [ -n "$(step init execute)" ]
    [ -n "$(step parent 'start the program')" ]
    # The file is appended to.
    rt exec --trace "$WORLD/trace" box true
    [ -n "$(step parent 'make process')" ]
    [ "$(step init execute | wc -l)" -eq 2 ]
    run ls -l "/proc/$(rt state box | jq .pid)/fd"
    refute_text trace
}

@test "a filter that forbids write is none of the trace's business" {
    change '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["write", "sendto", "clock_gettime"], action: "SCMP_ACT_KILL_PROCESS" }] }'
    run rt run --trace "$WORLD/trace" -b "$BUNDLE" box
    expect_status 0
    is_well_formed
    [ -n "$(step init 'load seccomp filter')" ]
}

@test "a step that fails: its name is at the end of the error, and in the trace" {
    change '.mounts += [{ destination: "/x", type: "tmpfs", source: "tmpfs", options: ["size=rubbish"] }]'
    run rt run --trace "$WORLD/trace" -b "$BUNDLE" box
    expect_status 1
    expect_match '\(step "apply mounts"\)$'
    [ -n "$(step init 'apply mounts  FAILED')" ]
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    change '.mounts += [{ destination: "/x", type: "bind", source: "/no/such/source", options: ["bind"] }]'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_match '/no/such/source: No such file or directory \(step "open bind sources"\)$'
}

@test "a program that can't be executed is said as ever" {
    change '.process.args = ["missing"]'
    run rt run -b "$BUNDLE" box
    expect_status 127
    expect_match 'executable file not found in \$PATH$'
}

@test "a file that can't be opened is an error before anything is made" {
    run rt run --trace "$WORLD/no/such/dir/trace" -b "$BUNDLE" box
    expect_status 1
    expect_text "--trace $WORLD/no/such/dir/trace: No such file or directory"
    [ -z "$(rt list -q)" ]
}

# planned SIDE, traced SIDE: the names of its steps, in order.
planned() {
    jq -r --arg side "$1" '.steps[] | select(.side == $side) | .name' "$WORLD/plan.json" | grep -vE '^run (poststart|poststop) hooks$'
}
traced() {
    sed -nE "s/^ *[0-9]+ +([0-9]+|-)  $1 +(.*)/\\2/p" "$WORLD/trace"
}

# What the plan says is what create and start do, no step more, none less.
as_planned() {
    rm -f "$WORLD/trace"
    rt plan --format json -b "$BUNDLE" box >"$WORLD/plan.json"
    rt create --trace "$WORLD/trace" -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1 || { cat "$WORLD/out" >&2; return 1; }
    rt start box
    diff <(planned parent | grep -vx 'start the program') <(traced parent)
    diff <(planned init) <(traced init)
    rt delete -f box
    rm -f "$WORLD/trace"
    rt run --trace "$WORLD/trace" -b "$BUNDLE" box
    diff <(planned parent) <(traced parent)
    diff <(planned init | grep -vx 'find the program') <(traced init)
    rm -f "$WORLD/trace"
}

@test "plan: its steps are those that a trace has, in the same order" {
    local hook='{ path: "/bin/true" }'
    as_planned
    change '.linux.sysctl = { "net.ipv4.ip_forward": "1" } | .domainname = "box" | .process.oomScoreAdj = 100 | .process.noNewPrivileges = true
        | .process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 64, hard: 64 }] | .root.readonly = true | .linux.rootfsPropagation = "rslave"'
    as_planned
    change ".hooks = { prestart: [$hook], createRuntime: [$hook], createContainer: [$hook], startContainer: [$hook], poststart: [$hook], poststop: [$hook] }"
    change '.linux.namespaces |= map(if .type == "ipc" then .path = "/proc/self/ns/ipc" else . end) | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
    as_planned
}

@test "plan: likewise with a user namespace, and with clocks" {
    [ -e /proc/self/ns/user ] || skip "needs user namespaces"
    chmod 711 "$WORLD" "$BUNDLE"
    change '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 0, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
    as_planned
    [ -e /proc/self/ns/time ] || return 0
    change '.linux.namespaces |= (map(select(.type != "time")) + [{ type: "time" }]) | .linux.timeOffsets = { boottime: { secs: 100 } }'
    as_planned
}

@test "plan --format json: each step with side, place, purpose, calls and what it does here" {
    rt plan --format json -b "$BUNDLE" box >"$WORLD/plan.json"
    [ "$(jq -r '.id' "$WORLD/plan.json")" = box ]
    [ "$(jq '[.steps[] | select((.side == "parent" or .side == "init") and (.place | IN("host", "new mounts", "container", "user"))
        and (.name | length > 0) and (.purpose | endswith(".")) and (.calls | length > 0) and (.what | type == "array"))] | length' "$WORLD/plan.json")" \
        -eq "$(jq '.steps | length' "$WORLD/plan.json")" ]
    [ "$(jq -c '.steps[] | select(.name == "execute") | [.place, .what]' "$WORLD/plan.json")" = '["user",["execute true"]]' ]
    [ "$(jq -r '.steps[] | select(.name == "apply mounts") | .what[0]' "$WORLD/plan.json")" = "mount proc at /proc (nosuid,noexec,nodev)" ]
    run rt plan --format yaml -b "$BUNDLE"
    expect_status 1
    expect_text "--format yaml: expected text or json"
}

@test "exec: the caller's steps have names, too" {
    start_idle
    rm -f "$WORLD/trace"
    rt exec --trace "$WORLD/trace" box true
    is_well_formed
    [ "$(sed -nE 's/^ *[0-9]+ +[0-9]+  parent +(.*)/\1/p' "$WORLD/trace")" = "find the container
plan the process
find control group
make process" ]
    [ -n "$(step init execute)" ]
    # What is refused is said as it stands in the document; the trace has the step.
    jq '.process | .args = ["true"] | .capabilities.permitted = []' "$BUNDLE/config.json" >"$WORLD/process.json"
    run rt exec --trace "$WORLD/trace" -p "$WORLD/process.json" box
    expect_status 255
    expect_output "cloche-runtime: process.capabilities.effective: holds what process.capabilities.permitted lacks"
    grep -q 'plan the process  FAILED' "$WORLD/trace"
}
