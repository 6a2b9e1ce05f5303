#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime: SCMP_ACT_NOTIFY and linux.seccomp.listenerPath (runtime-spec config-linux.md), with an agent of ours in Python.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

setup() {
    runtime_setup
    [ "$(uname -m)" = x86_64 ] || skip "the numbers of system calls here are x86-64's"
    AGENT=
}

teardown() {
    [ -z "$AGENT" ] || kill "$AGENT" || true
    runtime_teardown
    rm -rf "$WORLD/agent"
}

# agent [NUMBER=ERRNO...]
agent() {
    mkdir -p "$WORLD/agent"
    /usr/bin/python3 "$HELPER_DIR/seccomp-agent.py" "$WORLD/agent/socket" "$WORLD/agent" "$@" 2>"$WORLD/agent/log" 3>&- &
    AGENT=$!
    wait_until grep -q listening "$WORLD/agent/log"
}

# notify NAME...: these system calls are the agent's to answer.
notify() {
    change --arg path "$WORLD/agent/socket" --arg names "$*" '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: $path, listenerMetadata: "some data",
        syscalls: [{ names: ($names / " "), action: "SCMP_ACT_NOTIFY" }] }'
}

state() {
    wait_until test -s "$WORLD/agent/state-$1"
    jq -c "$2" "$WORLD/agent/state-$1"
}

@test "run: the agent gets state and listener, and decides" {
    agent 83=17 # mkdir: EEXIST
    notify mkdir
    change '.annotations = { "some.key": "some value" }'
    script 'mkdir /tmp/new; ls /tmp; echo done'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_text "can't create directory '/tmp/new': File exists"
    expect_line "done"
    [ "$(state 0 '[.ociVersion, .fds, .metadata, .state.id, .state.status, .state.bundle, .state.annotations]')" = \
        "[\"1.3.0\",[\"seccompFd\"],\"some data\",\"box\",\"creating\",\"$BUNDLE\",{\"some.key\":\"some value\"}]" ]
    [ "$(state 0 '.pid == .state.pid and .pid > 1')" = true ]
    [ "$(cat "$WORLD/agent/fds-0")" = "anon_inode:seccomp notify" ]
    [ "$(cat "$WORLD/agent/calls")" = 83 ]
}

@test "create, start: the pid is init's, and the program has no descriptor of all that" {
    agent
    notify chmod fchmodat
    script 'chmod 700 /tmp; echo open: $(ls /proc/self/fd); sleep 1000'
    rt create -b "$BUNDLE" --pid-file "$WORLD/pid" box >"$WORLD/out" 2>&1
    [ ! -e "$WORLD/agent/state-0" ]
    rt start box
    [ "$(state 0 '[.pid, .state.pid]')" = "[$(cat "$WORLD/pid"),$(cat "$WORLD/pid")]" ]
    wait_until grep -qx 'open: 0 1 2 3' "$WORLD/out" # the last one is that of ls
    [ ! -e "$WORLD/agent/state-1" ]
    rt kill box KILL
    wait_until has_status box stopped
    rt delete box
}

@test "with and without no_new_privs; calls of our own last steps are the agent's, too" {
    local privileges
    agent
    # What hands the listener on, and what execution itself needs.
    notify sendmsg sendto write prctl fcntl execve execveat capset setresuid
    for privileges in true false; do
        change ".process.noNewPrivileges = $privileges | .process.user = { uid: 1000, gid: 1000 }"
        script 'echo written; id -u'
        run rt run -b "$BUNDLE" box
        expect_status 0
        expect_line written
        expect_line 1000
        grep -qx 59 "$WORLD/agent/calls" # execve
        grep -qx 1 "$WORLD/agent/calls"
    done
    [ -e "$WORLD/agent/state-1" ]
}

@test "exec: a listener of its own, with the process's pid and the container's state" {
    agent 83=13 # EACCES
    notify mkdir
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" --pid-file "$WORLD/pid" box
    run rt exec box mkdir /tmp/new
    expect_status 1
    expect_text "Permission denied"
    [ "$(state 1 '[.state.status, .state.pid, .state.id, .metadata]')" = "[\"running\",$(cat "$WORLD/pid"),\"box\",\"some data\"]" ]
    [ "$(state 1 '.pid != .state.pid')" = true ]
    rt delete -f box
}

@test "hooks of kind startContainer are under the same listener" {
    agent
    notify mkdir
    change '.hooks.startContainer = [{ path: "/bin/mkdir", args: ["mkdir", "/tmp/by-hook"] }]'
    script 'ls /tmp'
    run rt run -b "$BUNDLE" box
    expect_output by-hook
    [ "$(cat "$WORLD/agent/calls")" = 83 ]
    [ ! -e "$WORLD/agent/state-1" ]
}

@test "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, and a kernel without it" {
    agent 83=17
    notify mkdir
    change '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
    script 'mkdir /tmp/new || echo refused'
    cloche-runtime features | jq -e '.linux.seccomp.supportedFlags | index("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")' >/dev/null ||
        skip "needs Linux 5.19"
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_line refused
    cloche-runtime features | jq -e '.linux.seccomp.actions | index("SCMP_ACT_NOTIFY")' >/dev/null
}

@test "nobody listens: create's error, and nothing is left; NOTIFY without a path; a path without NOTIFY is ignored" {
    notify mkdir
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "linux.seccomp.listenerPath: connect to $WORLD/agent/socket: No such file or directory"
    mkdir -p "$WORLD/agent"
    /usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$WORLD/agent/socket"
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "Connection refused"
    [ -z "$(ls "$WORLD/oci")" ]
    change 'del(.linux.seccomp.listenerPath, .linux.seccomp.listenerMetadata)'
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "linux.seccomp.listenerPath"
    notify mkdir
    change '.linux.seccomp.syscalls[0].action = "SCMP_ACT_ERRNO"'
    script 'echo ran'
    run rt run -b "$BUNDLE" box
    expect_output ran
}

@test "an agent that ends before the start: start's error; the process does not stay" {
    agent
    notify mkdir
    script 'sleep 1000'
    rt create -b "$BUNDLE" --pid-file "$WORLD/pid" box
    kill -KILL "$AGENT"
    wait "$AGENT" || true
    AGENT=
    run rt start box
    expect_status 1
    expect_text "linux.seccomp.listenerPath: send the listener"
    rt delete -f box
}

@test "an agent that ends while exec's execve waits for it: exec fails" {
    local exec
    agent
    notify execve execveat
    # With the shell's own commands alone: each execve would be the agent's.
    mkfifo "$BUNDLE/rootfs/tmp/end"
    script 'echo >/tmp/ready; read x </tmp/end'
    start_box
    mkfifo "$WORLD/agent/hold"
    : >"$WORLD/agent/calls"
    rt exec box true >"$WORLD/exec" 2>&1 &
    exec=$!
    wait_until test -s "$WORLD/agent/calls"
    kill "$AGENT"
    wait "$AGENT" || true
    AGENT=
    ! wait "$exec" || return 1
    [ -s "$WORLD/exec" ]
    has_status box running
}
