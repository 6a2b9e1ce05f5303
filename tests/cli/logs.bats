#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche logs.

bats_require_minimum_version 1.5.0
load helper

# Waits until the log holds this line: what the program wrote goes through the monitor.
wait_logged() {
    wait_until sh -c 'cloche logs "$1" 2>&1 | grep -qx "$2"' sh "$1" "$2"
}

@test "both streams, each to its own; the end of the container does not matter" {
    cloche run -d --name box alpine sh -c 'echo one; echo two >&2; echo three'
    wait_exited box
    run --separate-stderr cloche logs box
    expect_status 0
    [ "$output" = $'one\nthree' ]
    # shellcheck disable=SC2154 # set by run
    [ "$stderr" = two ]
}

@test "--tail, -n: the last lines, none, all, more than there are" {
    cloche run -d --name box alpine seq 1 20
    wait_exited box
    run cloche logs --tail 3 box
    expect_output $'18\n19\n20'
    run cloche logs -n 0 box
    expect_output ''
    run cloche logs --tail all box
    expect_output "$(seq 1 20)"
    run cloche logs -n 100 box
    expect_output "$(seq 1 20)"
    run cloche logs -n many box
    expect_status 125
    expect_one_line_error many
}

@test "-t: RFC 3339 with nanoseconds" {
    cloche run -d --name box alpine echo hello
    wait_exited box
    run cloche logs -t box
    expect_match '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z hello$'
}

@test "--since and --until split the log between two lines" {
    local first second
    cloche run -d --name box alpine sh -c 'echo first; while [ ! -e /go ]; do sleep 0.05; done; echo second; sleep 1000'
    wait_logged box first
    cloche exec box touch /go
    wait_logged box second
    first=$(cloche logs -t box | awk '/first/ { print $1 }')
    second=$(cloche logs -t box | awk '/second/ { print $1 }')
    run cloche logs --since "$second" box
    expect_output second
    run cloche logs --until "$first" box
    expect_output first
    run cloche logs --since "$first" --until "$second" box
    expect_output $'first\nsecond'
    run cloche logs --since 1h box
    expect_output $'first\nsecond'
    run cloche logs --until 1h box
    expect_output ''
    run cloche logs --since nonsense box
    expect_status 125
    expect_one_line_error nonsense
}

@test "-f goes on until the container ends, and misses nothing" {
    cloche run -d --name box alpine sh -c 'echo before; while [ ! -e /go ]; do sleep 0.05; done; seq 1 2000; echo last >&2'
    wait_logged box before
    cloche logs -f box >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" &
    local follower=$!
    wait_until grep -qx before "$BATS_TEST_TMPDIR/out"
    cloche exec box touch /go
    wait "$follower"
    [ "$(cat "$BATS_TEST_TMPDIR/out")" = "$(echo before; seq 1 2000)" ]
    [ "$(cat "$BATS_TEST_TMPDIR/err")" = last ]
}

@test "-f --tail begins near the end; of a container at rest it returns" {
    cloche run -d --name box alpine seq 1 10
    wait_exited box
    run timeout 60 cloche logs -f -n 2 box
    expect_status 0
    expect_output $'9\n10'
}

@test "a follower that is killed leaves no trace; a closed pipe ends it" {
    cloche run -d --name box alpine sh -c 'while sleep 0.02; do echo tick; done'
    wait_logged box tick
    run timeout 60 bash -c 'cloche logs -f box | head -n 3'
    expect_status 0
    expect_output $'tick\ntick\ntick'
}

@test "a terminal's output comes back as the terminal had it" {
    cloche run -dt --name box alpine sh -c 'echo one; echo two >&2'
    wait_exited box
    run --separate-stderr cloche logs box
    [ "$output" = $'one\r\ntwo\r' ]
    [ -z "$stderr" ]
}

@test "bytes that are no text, very long lines and a missing last newline survive" {
    cloche run -d --name box alpine sh -c 'printf "a\001\377\"\\\\z\n"; head -c 100000 /dev/zero | tr "\0" x; echo; printf end'
    wait_exited box
    run bash -c 'cloche logs box | head -n 1 | od -An -c | tr -s " "'
    expect_text 'a 001'
    expect_text '" \ z'
    [ "$(cloche logs box | sed -n 2p | wc -c)" -eq 100001 ]
    [ "$(cloche logs box | tail -c 3)" = end ]
}

@test "a new start appends to the log" {
    cloche run --name box alpine echo again
    cloche start -a box
    run cloche logs box
    expect_output $'again\nagain'
}

@test "a created container has an empty log; none at all is an error" {
    cloche create --name box alpine echo x
    run cloche logs box
    expect_status 0
    expect_output ''
    run cloche logs nobody
    expect_status 1
    expect_one_line_error "no such container: nobody"
}

@test "the log is json-file, as other tools read it, and for root alone" {
    cloche run -d --name box alpine echo hello
    wait_exited box
    local path
    path=$(cloche inspect --format '{{.LogPath}}' box)
    run cat "$path"
    expect_match '^\{"log":"hello\\n","stream":"stdout","time":"20[^"]*Z"\}$'
    [ "$(stat -c %a "$path")" = 600 ]
}
