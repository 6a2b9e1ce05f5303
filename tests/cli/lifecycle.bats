#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# create, start, stop, restart, kill, pause, unpause, rename, wait, rm, top: what each makes of a container.

load helper

# A container that ends with code 17 on SIGTERM, once it is ready to.
polite() {
    cloche run -d --name "$1" alpine sh -c 'trap "exit 17" TERM; echo ready; while :; do sleep 0.05; done'
    wait_until sh -c 'cloche logs "$1" | grep -q ready' sh "$1"
}

@test "create prints the id and starts nothing; start prints the name" {
    run cloche create --name box alpine echo hello
    expect_status 0
    expect_match '^[0-9a-f]{64}$'
    is_status box created
    run cloche ps -a --format '{{.Status}}'
    expect_output Created
    run cloche ps -q
    expect_output ''
    run cloche start box
    expect_output box
    wait_exited box
    run cloche logs box
    expect_output hello
}

@test "start of what runs is fine, of what ended runs it again with a new PID" {
    local first
    cloche run -d --name box alpine sleep 1000
    first=$(container_pid box)
    run cloche start box
    expect_status 0
    [ "$(container_pid box)" = "$first" ]
    cloche stop -t 0 box
    [ "$(container_pid box)" = 0 ]
    cloche start box
    is_status box running
    [ "$(container_pid box)" != "$first" ]
}

@test "stop asks with SIGTERM first; its code is the program's own" {
    polite box
    run cloche stop box
    expect_status 0
    expect_output box
    run cloche inspect --format '{{.State.Status}} {{.State.ExitCode}}' box
    expect_output 'exited 17'
}

@test "stop kills what does not listen, after its time" {
    cloche run -d --name box alpine sleep 1000 # the first process has no handler: the kernel drops the signal
    run cloche stop -t 0 box
    expect_status 0
    run cloche inspect --format '{{.State.ExitCode}}' box
    expect_output 137
    run cloche stop box
    expect_status 0 # at rest: fine
}

@test "stop --signal" {
    cloche run -d --name box alpine sh -c 'trap "exit 9" HUP; echo ready; while :; do sleep 0.05; done'
    wait_until sh -c 'cloche logs box | grep -q ready'
    cloche stop -s HUP box
    run cloche inspect --format '{{.State.ExitCode}}' box
    expect_output 9
    run cloche stop -s NOSUCH box
    [ "$status" -ne 0 ]
    expect_one_line_error NOSUCH
}

@test "restart: the same container, another process" {
    local first
    polite box
    first=$(container_pid box)
    run cloche restart box
    expect_output box
    is_status box running
    [ "$(container_pid box)" != "$first" ]
    cloche stop -t 0 box
    cloche restart box # also from rest
    is_status box running
}

@test "kill: SIGKILL, or another by name or number" {
    polite box
    run cloche kill --signal SIGTERM box
    expect_output box
    run cloche wait box
    expect_output 17
    run cloche kill box
    expect_status 1
    expect_one_line_error box "not running"
    cloche start box
    wait_until sh -c 'test "$(cloche logs box | grep -c ready)" = 2'
    cloche kill -s 15 box
    run cloche wait box
    expect_output 17
    cloche run -d --name other alpine sleep 1000
    cloche kill other
    run cloche wait other
    expect_output 137
    cloche start other
    run cloche kill -s NOSUCH other
    expect_status 125
    expect_one_line_error NOSUCH
}

@test "pause freezes every process, unpause lets it go on" {
    cloche run -d --name box alpine sh -c 'while :; do echo x >>/count; done'
    wait_until cloche exec box test -s /count
    local upper before
    upper=$(cloche inspect --format '{{.GraphDriver.Data.UpperDir}}' box)
    run cloche pause box
    expect_output box
    is_status box paused
    run cloche ps --format '{{.Status}}'
    expect_match '^Up .*\(Paused\)$'
    run cloche inspect --format '{{.State.Running}} {{.State.Paused}}' box
    expect_output 'true true'
    before=$(stat -c %s "$upper/count")
    sleep 0.3
    [ "$(stat -c %s "$upper/count")" = "$before" ]
    run cloche pause box
    expect_status 1
    expect_one_line_error box "already paused"
    run cloche unpause box
    expect_output box
    is_status box running
    grown() { [ "$(stat -c %s "$1")" -gt "$2" ]; }
    wait_until grown "$upper/count" "$before"
    run cloche unpause box
    expect_status 1
    expect_one_line_error box "not paused"
}

@test "a paused container can be stopped, killed and removed" {
    polite box
    cloche pause box
    cloche stop box
    run cloche inspect --format '{{.State.ExitCode}} {{.State.Paused}}' box
    expect_output '17 false'
    cloche start box
    cloche pause box
    cloche kill box
    run cloche wait box
    expect_output 137
    cloche start box
    cloche pause box
    cloche rm -f box
    expect_no_containers
}

@test "rename: the new name holds, the old one is free, a taken one is refused" {
    cloche run -d --name box alpine sleep 1000
    cloche create --name taken alpine true
    run cloche rename box better
    expect_status 0
    is_status better running
    run cloche inspect box
    expect_status 1
    run cloche rename better taken
    expect_status 1
    expect_one_line_error taken "already in use"
    run cloche rename better 'no good'
    [ "$status" -ne 0 ]
    expect_one_line_error 'no good'
    cloche create --name box alpine true
}

@test "wait blocks until the end" {
    polite box
    cloche wait box >"$BATS_TEST_TMPDIR/code" &
    local waiter=$!
    cloche kill -s TERM box
    wait "$waiter"
    [ "$(cat "$BATS_TEST_TMPDIR/code")" = 17 ]
}

@test "rm: refuses what runs, removes what rests, prints each, goes on after a failure" {
    cloche run -d --name running alpine sleep 1000
    cloche create --name one alpine true
    cloche create --name two alpine true
    run cloche rm running
    expect_status 1
    expect_one_line_error running stop -f
    run cloche rm one nobody two
    expect_status 1
    expect_line one
    expect_line two
    expect_text 'no such container: nobody'
    run cloche rm -f running
    expect_output running
    expect_no_containers
    [ -z "$(ls -A "$CLOCHE_ROOT/containers")" ]
}

@test "any reference: full id, prefix, name, name with a slash" {
    local id
    id=$(cloche create --name box alpine true)
    for reference in "$id" "${id:0:12}" "${id:0:5}" box /box; do
        run cloche inspect --format '{{.Id}}' "$reference"
        expect_output "$id"
    done
}

@test "top: PIDs on both sides" {
    cloche run -d --name box alpine sleep 1234
    run cloche top box
    expect_match '^UID +PID +PPID +PID INSIDE +CMD'
    expect_match "root +$(container_pid box) +[0-9]+ +1 +sleep 1234"
}

@test "names: what may be one" {
    local name
    for name in a.b-c_d A1 0x; do
        cloche create --name "$name" alpine true
    done
    for name in '' - .x _x 'a b' a/b $'a\nb' ä x; do
        run cloche create --name "$name" alpine true
        [ "$status" -ne 0 ] || { echo "accepted: $name" >&2; return 1; }
        expect_one_line_error
    done
}

@test "the end frees the group, the mounts and the monitor by itself" {
    cloche run -d --name box alpine sleep 1000
    cloche stop -t 0 box
    wait_until sh -c '! find /sys/fs/cgroup -name "$(cloche inspect --format "{{.Id}}" box)" | grep .'
    wait_until eval '[ -z "$(world_programs)" ]'
}

@test "stop, kill and rm -f at once: one end, and rm -f always succeeds" {
    local stop kill
    for _ in 1 2 3 4 5; do
        cloche run -d --name box alpine sleep 1000
        cloche stop -t 0 box >/dev/null 2>&1 &
        stop=$!
        cloche kill box >/dev/null 2>&1 &
        kill=$!
        cloche rm -f box
        wait "$stop" || true # it may come too late
        wait "$kill" || true
        expect_no_containers
    done
}
