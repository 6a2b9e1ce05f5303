#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche exec: another process in a running container.

bats_require_minimum_version 1.5.0
load helper

setup() {
    world_setup
    cloche run -d --name box -e FROM=config -w /srv alpine sleep 1000
}

@test "streams: output, errors, input, binary data" {
    run --separate-stderr cloche exec box sh -c 'echo out; echo err >&2'
    expect_status 0
    [ "$output" = out ]
    # shellcheck disable=SC2154 # set by run
    [ "$stderr" = err ]
    run bash -c 'printf "one\ntwo\n" | cloche exec -i box cat'
    expect_output $'one\ntwo'
    run bash -c 'echo mine | { cloche exec box cat; cat; }'
    expect_output mine # without -i the caller's input is left alone
    head -c 5000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
    cloche exec -i box cat <"$BATS_TEST_TMPDIR/data" >"$BATS_TEST_TMPDIR/back"
    cmp "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/back"
}

@test "it runs in every namespace of the container, in its cgroup, as its child" {
    local pid link
    pid=$(container_pid box)
    # shellcheck disable=SC2016 # the inner shell's
    run cloche exec box sh -c 'for n in cgroup ipc mnt net pid time uts user; do readlink /proc/self/ns/$n; done'
    for link in cgroup ipc mnt net pid time uts user; do
        expect_line "$(readlink "/proc/$pid/ns/$link")"
    done
    run cloche exec box sh -c 'cat /proc/self/cgroup'
    while IFS=: read -r _ _ path; do
        [ "$path" = / ]
    done <<<"$output"
    cloche exec -d box sleep 777
    wait_until sh -c 'cloche top box | grep -q "sleep 777"'
    run cloche exec box ps -o pid,ppid,args
    expect_match ' 0 sleep 777'
}

@test "environment, working directory and user are the container's, unless said otherwise" {
    run cloche exec box sh -c 'echo $FROM; pwd; id -u; echo $HOME; echo $HOSTNAME'
    expect_output "config"$'\n/srv\n0\n/root\n'"$(cloche ps -q)"
    echo 'LINE=file' >"$BATS_TEST_TMPDIR/env"
    run cloche exec -e ADDED=1 --env-file "$BATS_TEST_TMPDIR/env" -w /usr -u nobody box sh -c 'echo $ADDED $LINE; pwd; id -un; echo $HOME; grep CapEff /proc/self/status'
    expect_output $'1 file\n/usr\nnobody\n/\nCapEff:\t0000000000000000'
    run cloche exec -w /not/there box true
    [ "$status" -ne 0 ]
    expect_one_line_error /not/there
    run cloche exec -u no-such-user box true
    [ "$status" -ne 0 ]
    expect_one_line_error no-such-user
}

@test "--privileged gives every capability to this one command" {
    run cloche exec --privileged box grep -E 'Cap(Eff|Inh)|Seccomp:' /proc/self/status
    expect_text $'CapInh:\t0000000000000000'
    expect_match "CapEff:[[:space:]]$(awk '/^CapBnd/ { print $2 }' /proc/self/status)"
    expect_match $'Seccomp:\t0'
    run cloche exec box grep CapEff /proc/self/status
    expect_output $'CapEff:\t00000000800405fb'
}

@test "-t gives a terminal, -it a session with job control, window size and exit code" {
    run cloche exec -t box sh -c 'tty'
    expect_match '^/dev/pts/[0-9]'
    run_pty "cloche exec -it box ash" <<'SCRIPT'
expect /srv #
line stty size
match \r\n24 80\r\n
line sleep 500
host until cloche top box | grep -q 'sleep 500'; do sleep 0.05; done
key C-c
expect /srv #
resize 30 90
line until [ "$(stty size)" = "30 90" ]; do :; done; echo res""ized
expect resized
line exit 12
SCRIPT
    expect_status 12
    run cloche exec -it box true </dev/null
    expect_status 125
    expect_one_line_error "not a terminal"
}

@test "-d returns at once, and the command goes on" {
    run cloche exec -d box sh -c 'while [ ! -e /go ]; do sleep 0.05; done; echo done >/done'
    expect_status 0
    expect_output ''
    cloche exec box touch /go
    wait_until cloche exec box test -e /done
}

@test "a signal to cloche exec goes to the command" {
    cloche exec box sh -c 'trap "exit 33" TERM; echo ready; while :; do sleep 0.05; done' >"$BATS_TEST_TMPDIR/out" &
    local client=$! code=0
    wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
    kill -TERM "$client"
    wait "$client" || code=$?
    [ "$code" -eq 33 ]
}

@test "a killed cloche exec takes its command with it; the container stays" {
    cloche exec box sh -c 'echo ready; exec sleep 888' >"$BATS_TEST_TMPDIR/out" &
    local client=$!
    wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
    kill -KILL "$client"
    wait "$client" || true
    wait_until sh -c '! cloche top box | grep -q "sleep 888"'
    is_status box running
}

@test "the end of the container ends what was exec'ed" {
    cloche exec box sh -c 'echo ready; exec sleep 999' >"$BATS_TEST_TMPDIR/out" &
    local client=$! code=0
    wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
    cloche kill box
    wait "$client" || code=$?
    [ "$code" -eq 137 ]
}

@test "not into a paused, stopped or created container" {
    cloche pause box
    run cloche exec box true
    expect_status 1
    expect_one_line_error box paused unpause
    cloche unpause box
    cloche stop -t 0 box
    run cloche exec box true
    expect_status 1
    expect_one_line_error box "not running"
    cloche create --name fresh alpine true
    run cloche exec fresh true
    expect_status 1
    expect_one_line_error fresh "not running"
}

@test "by id prefix, with options after the command left alone" {
    run cloche exec "$(cloche ps -q | cut -c 1-6)" echo -e --not-ours
    expect_output --not-ours
}

@test "thirty in a row and eight at once leave nothing behind" {
    local i pids=()
    for i in $(seq 30); do
        cloche exec box true
    done
    for i in 1 2 3 4 5 6 7 8; do
        cloche exec box echo "$i" >"$BATS_TEST_TMPDIR/$i" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    [ "$(cat "$BATS_TEST_TMPDIR"/[1-8] | sort | tr -d '\n')" = 12345678 ]
    # init and this shell: what ended may take the host's init a moment to reap.
    # shellcheck disable=SC2317 # called by wait_until
    only_init() { [ "$(cloche exec box sh -c 'set -- /proc/[0-9]*; echo $#')" -eq 2 ]; }
    wait_until only_init
}
