#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime's verbs where they don't fit: a container in another state, busy, or with a name that is no name; options that can't be had. Each is an answer, never a wait.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

# Nobody waits for ever for what must not wait at all.
in_time() {
    timeout "$PATIENCE" cloche-runtime --root "$WORLD/oci" ${CLOCHE_TEST_MANAGER:+--cgroup-manager "$CLOCHE_TEST_MANAGER"} "$@"
}

create_idle() {
    script 'sleep 1000'
    rt create -b "$BUNDLE" box >"$WORLD/out" 2>&1 </dev/null
}

@test "paused before its start: it can't be started, exec'd into or deleted, and goes on after resume" {
    need_controller freezer
    create_idle
    rt pause box
    has_status box paused
    run in_time start box
    expect_status 1
    expect_text 'cannot start container box: it is paused'
    run in_time exec box true
    expect_status 255
    expect_text 'paused container'
    run in_time delete box
    expect_status 1
    run in_time pause box
    expect_status 1
    rt resume box
    has_status box created
    [ "$(rt list -f json | jq -r '.[].status')" = created ]
    rt pause box
    [ "$(rt list -f json | jq -r '.[].status')" = paused ]
    rt resume box
    in_time start box
    has_status box running
    rt pause box
    has_status box paused
    rt resume box
    has_status box running
}

@test "paused before its start, and deleted with force" {
    need_controller freezer
    create_idle
    rt pause box
    in_time delete -f box
    run rt state box
    expect_text 'does not exist'
}

@test "delete -f: a start that waits for its hook is not waited for" {
    change '.hooks = {startContainer: [{path: "/bin/sh", args: ["sh", "-c", "echo >/tmp/hooked; exec sleep 1000"]}]}'
    create_idle
    rt start box >"$WORLD/started" 2>&1 &
    wait_until test -s "$BUNDLE/rootfs/tmp/hooked"
    in_time delete -f box
    wait "$!" || true
    run rt state box
    expect_text 'does not exist'
}

@test "create, run: an id that is in use is said to be, also where the group is the same" {
    start_idle
    for verb in create run; do
        run in_time "$verb" -b "$BUNDLE" box
        expect_status 1
        expect_output 'cloche-runtime: container with id exists: box'
    done
    has_status box running
}

@test "ids: what is wrong with one is said, and each that runc takes is taken" {
    local long
    long=$(printf 'x%.0s' {1..255})
    run rt create -b "$BUNDLE" ''
    expect_status 1
    expect_text 'must not be empty'
    run rt create -b "$BUNDLE" "x$long"
    expect_status 1
    expect_text 'longer than 255 bytes'
    for id in . .. a/b ../x 'a b' $'a\nb' a:b 'ä'; do
        run rt create -b "$BUNDLE" -- "$id"
        expect_status 1
        expect_text 'only letters, digits'
        run rt state -- "$id"
        expect_status 1
        run rt delete -f -- "$id"
        expect_status 1
    done
    change '.process.args = ["true"]'
    for id in -x +x _ 0 ... "$long"; do
        rt run -b "$BUNDLE" -- "$id"
    done
    [ -z "$(ls -A "$WORLD/oci")" ]
}

@test "kill 0: whether it is there; nothing is sent" {
    start_idle
    rt kill box 0
    rt kill --all box 0
    has_status box running
    rt kill box KILL
    wait_until has_status box stopped
    run rt kill box 0
    expect_status 1
    expect_text 'container not running: box'
}

@test "--log: a file that can't be written is an error at once; one that is not there is made" {
    for file in "$WORLD" /no/such/dir/log /dev/null/log; do
        run rt --log "$file" list
        expect_status 1
        expect_match "^cloche-runtime: --log $file: [^:]*$"
    done
    rt --log "$WORLD/new.log" list
    [ -e "$WORLD/new.log" ] && [ ! -s "$WORLD/new.log" ]
    run rt --root '' list
    expect_status 1
    expect_text '--root'
}

@test "exec --env: a variable without a name" {
    start_idle
    run rt exec -e =x box true
    expect_status 255
    expect_text '--env "=x"'
}

@test "run: every signal that can be sent is handed on, also SIGPIPE" {
    local signal pid status
    for signal in TERM INT HUP WINCH TSTP PIPE; do
        rm -f "$WORLD/out"
        script "trap 'exit 5' $signal; echo ready; while :; do sleep 0.1; done"
        cloche-runtime --root "$WORLD/oci" ${CLOCHE_TEST_MANAGER:+--cgroup-manager "$CLOCHE_TEST_MANAGER"} run -b "$BUNDLE" box >"$WORLD/out" 2>&1 </dev/null &
        pid=$!
        wait_until grep -q ready "$WORLD/out"
        kill -"$signal" "$pid"
        status=0
        wait "$pid" || status=$?
        [ "$status" = 5 ] || { echo "$signal: exit status $status" >&2; return 1; }
    done
}

# Exit status and words of each verb in each state. What clients look for: "does not exist" (containerd's shim: gone), "container not running" (containerd's shim, CRI-O: it
# has ended), "container not paused", "cannot exec in a paused container", "not stopped".
answers() {
    local verb code text
    while IFS='|' read -r verb code text; do
        # shellcheck disable=SC2086 # words
        run in_time $verb
        [ "$status" = "$code" ] || { echo "$verb: exit status $status, not $code: $output" >&2; return 1; }
        [ -z "$text" ] || expect_output "cloche-runtime: $text"
    done
}

@test "each verb in each state: exit status and the words that clients look for" {
    need_controller freezer
    answers <<'END'
state box|1|container does not exist: box
start box|1|container does not exist: box
kill box KILL|1|container does not exist: box
kill --all box KILL|1|container does not exist: box
exec box true|255|container does not exist: box
update --pids-limit 7 box|1|container does not exist: box
pause box|1|container does not exist: box
resume box|1|container does not exist: box
ps box|1|container does not exist: box
events --stats box|1|container does not exist: box
delete box|1|container does not exist: box
delete --force box|0|
END
    create_idle
    answers <<'END'
state box|0|
kill box 0|0|
kill --all box 0|0|
exec box true|0|
update --pids-limit 70 box|0|
resume box|1|container not paused: box: it is created
pause box|0|
resume box|0|
events --stats box|0|
start box|0|
start box|1|cannot start container box: it is running
resume box|1|container not paused: box: it is running
delete box|1|cannot delete container box that is not stopped: running; kill it, or use --force
kill box 0|0|
pause box|0|
pause box|1|container not running: box: it is paused
start box|1|cannot start container box: it is paused
exec box true|255|cannot exec in a paused container (use --ignore-paused)
update --pids-limit 80 box|0|
events --stats box|0|
delete box|1|cannot delete container box that is not stopped: paused; kill it, or use --force
resume box|0|
kill box KILL|0|
END
    wait_until has_status box stopped
    answers <<'END'
state box|0|
start box|1|cannot start container box: it is stopped
kill box KILL|1|container not running: box
kill box 0|1|container not running: box
kill --all box KILL|0|
exec box true|255|container not running: box
update --pids-limit 7 box|1|container not running: box
pause box|1|container not running: box: it is stopped
resume box|1|container not paused: box: it is stopped
ps box|0|
events --stats box|1|container not running: box
delete box|0|
delete box|1|container does not exist: box
END
    create_idle
    cp "$WORLD/oci/box/state.json" "$WORLD/state.json"
    truncate -s 40 "$WORLD/oci/box/state.json"
    local verb
    for verb in 'state box' 'start box' 'kill box KILL' 'kill --all box KILL' 'update --pids-limit 7 box' 'pause box' 'resume box' 'ps box' 'events --stats box' 'delete box'; do
        # shellcheck disable=SC2086 # words
        run in_time $verb
        expect_status 1
        expect_match '^cloche-runtime: read the state of container box: .*; delete --force removes what can be told to be its$'
    done
    run in_time exec box true
    expect_status 255
    cp "$WORLD/state.json" "$WORLD/oci/box/state.json"
}
