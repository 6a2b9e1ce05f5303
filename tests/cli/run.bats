#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche run: streams, detached and foreground, signals, what is left and what is not.

bats_require_minimum_version 1.5.0
load helper

@test "output goes to standard output, errors to standard error, and neither into the other" {
    run --separate-stderr cloche run --rm alpine sh -c 'echo out; echo err >&2'
    expect_status 0
    [ "$output" = out ]
    # shellcheck disable=SC2154 # set by run
    [ "$stderr" = err ]
}

@test "standard input reaches the container with -i, and its end too" {
    run bash -c 'printf "one\ntwo\n" | cloche run -i --rm alpine sh -c "cat; echo done"'
    expect_status 0
    expect_output $'one\ntwo\ndone'
}

@test "without -i standard input is empty and the caller's is left alone" {
    run bash -c 'printf "mine\n" | { cloche run --rm alpine cat; cat; }'
    expect_status 0
    expect_output mine
}

@test "20 MiB of binary data pass unchanged in both directions" {
    head -c 20971520 /dev/urandom >"$BATS_TEST_TMPDIR/data"
    cloche run -i --rm alpine cat <"$BATS_TEST_TMPDIR/data" >"$BATS_TEST_TMPDIR/back"
    cmp "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/back"
}

@test "a program that reads nothing does not hang its caller" {
    run bash -c 'head -c 5000000 /dev/zero | timeout 60 cloche run -i --rm alpine true'
    expect_status 0
}

@test "-d prints the whole id and returns while the container runs" {
    run cloche run -d --name box alpine sleep 1000
    expect_status 0
    expect_match '^[0-9a-f]{64}$'
    [ "$(cloche inspect --format '{{.Id}}' box)" = "$output" ]
    is_status box running
}

@test "a container without a name gets one of two words" {
    cloche run alpine true
    run cloche ps -a --format '{{.Names}}'
    expect_match '^[a-z]+_[a-z]+$'
}

@test "a container that ended stays, with its exit code; --rm leaves nothing, and its name is free at once" {
    cloche run --name kept alpine true
    run cloche ps -a --format '{{.Names}} {{.Status}}'
    expect_match '^kept Exited \(0\) .* ago$'
    cloche rm kept
    for _ in 1 2 3; do
        cloche run --rm --name again alpine true
    done
    expect_no_containers
    wait_until no_container_files
}

# shellcheck disable=SC2317 # called by wait_until
no_container_files() {
    [ -z "$(ls -A "$CLOCHE_ROOT/containers")" ]
}

@test "-d --rm disappears by itself when the program ends" {
    cloche run -d --rm --name brief alpine sh -c 'read line' # its input is empty
    wait_until expect_no_containers
    wait_until no_container_files
}

@test "two containers of one image don't see each other's files, and the image never changes" {
    local before
    before=$(layer_fingerprint)
    cloche run -d --name one alpine sh -c 'echo one >/mine; rm /etc/motd; echo changed >>/etc/passwd; sleep 1000'
    cloche run -d --name two alpine sh -c 'echo two >/mine; sleep 1000'
    wait_until cloche exec one test -e /mine -a ! -e /etc/motd
    wait_until cloche exec two test -e /mine
    run cloche exec one cat /mine
    expect_output one
    run cloche exec two cat /mine
    expect_output two
    cloche exec two test -e /etc/motd
    run cloche exec two tail -n 1 /etc/passwd
    refute_text changed
    run cloche run --rm alpine sh -c 'ls /mine /etc/motd 2>/dev/null'
    expect_output /etc/motd
    cloche rm -f one two
    [ "$(layer_fingerprint)" = "$before" ]
}

# Every name, mode, owner, size, time and content of the layers.
layer_fingerprint() {
    (cd "$CLOCHE_ROOT/layers" && find . -printf '%p %m %U:%G %s %T@ %l\n' | sort && find . -type f -exec sha256sum {} + | sort) | sha256sum
}

@test "what a container wrote is there after stop and start" {
    cloche run --name keeper alpine sh -c 'date >/written'
    cloche start keeper
    wait_exited keeper
    run find "$CLOCHE_ROOT/containers" -name written -size +0
    expect_text written
}

@test "the image's command, entrypoint, environment, user, labels and working directory" {
    cloche import -c 'ENTRYPOINT ["echo","from the image:"]' -c 'CMD ["hello"]' -c 'ENV COLOUR=blue' -c 'WORKDIR /srv' \
        -c 'USER nobody' -c 'LABEL kind=test' "$ALPINE_TAR" configured
    run cloche run --rm configured
    expect_output 'from the image: hello'
    run cloche run --rm configured good bye
    expect_output 'from the image: good bye'
    run cloche run --rm --entrypoint sh configured -c 'id -un; pwd; echo $COLOUR'
    expect_output $'nobody\n/srv\nblue'
    run cloche run --rm --entrypoint pwd configured
    expect_output /srv # an --entrypoint drops the image's command
    cloche run --name labelled configured
    run cloche ps -aq --filter label=kind=test
    expect_match '^[0-9a-f]{12}$'
    cloche rm labelled
    cloche rmi configured
}

@test "-t without a terminal of our own still gives the program one" {
    run cloche run -t --rm alpine sh -c 'tty; echo two'
    expect_status 0
    expect_output $'/dev/pts/0\r\ntwo\r'
}

@test "-a chooses the streams" {
    run --separate-stderr cloche run --rm -a stdout alpine sh -c 'echo out; echo err >&2'
    [ "$output" = out ]
    [ -z "$stderr" ]
    run --separate-stderr cloche run --rm -a stderr alpine sh -c 'echo out; echo err >&2'
    [ -z "$output" ]
    [ "$stderr" = err ]
}

@test "--cidfile holds the id, and is never overwritten" {
    cloche run --name box --cidfile "$BATS_TEST_TMPDIR/id" alpine true
    [ "$(cat "$BATS_TEST_TMPDIR/id")" = "$(cloche inspect --format '{{.Id}}' box)" ]
    run cloche run --cidfile "$BATS_TEST_TMPDIR/id" alpine true
    expect_status 125
    expect_one_line_error "container id file" "exists already"
    cloche rm box
    expect_no_containers
}

@test "a signal to cloche run goes to the container, and its answer is the exit status" {
    cloche run --name trapper alpine sh -c 'trap "echo got it; exit 42" TERM; echo ready; while :; do sleep 0.05; done' \
        >"$BATS_TEST_TMPDIR/out" &
    local client=$!
    wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
    kill -TERM "$client"
    local code=0
    wait "$client" || code=$?
    [ "$code" -eq 42 ]
    grep -qx 'got it' "$BATS_TEST_TMPDIR/out"
}

@test "--sig-proxy=false: the signal ends cloche run alone" {
    cloche run --sig-proxy=false --name deaf alpine sh -c 'echo ready; sleep 1000' >"$BATS_TEST_TMPDIR/out" &
    local client=$! code=0
    wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
    kill -TERM "$client"
    wait "$client" || code=$?
    [ "$code" -eq 143 ]
    is_status deaf running
}

@test "the death of cloche run leaves the container running, and its output goes on into the log" {
    cloche run --name orphan alpine sh -c 'echo ready; while [ ! -e /go ]; do sleep 0.05; done; echo after; sleep 1000' \
        >"$BATS_TEST_TMPDIR/out" &
    local client=$!
    wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
    kill -KILL "$client"
    wait "$client" || true
    is_status orphan running
    cloche exec orphan touch /go
    wait_until sh -c 'cloche logs orphan | grep -qx after'
}

@test "a closed pipe ends cloche run" {
    run timeout 60 bash -c 'cloche run --rm alpine yes | head -n 2'
    expect_status 0
    expect_output $'y\ny'
}

@test "eight starts at once: eight containers, eight names, eight outputs" {
    local i pids=()
    for i in 1 2 3 4 5 6 7 8; do
        cloche run --name "many$i" alpine echo "output $i" >"$BATS_TEST_TMPDIR/$i" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i"
    done
    for i in 1 2 3 4 5 6 7 8; do
        [ "$(cat "$BATS_TEST_TMPDIR/$i")" = "output $i" ]
    done
    [ "$(cloche ps -aq | sort -u | wc -l)" -eq 8 ]
}

@test "eight starts at once with one name: one container" {
    local i pids=() good=0
    for i in 1 2 3 4 5 6 7 8; do
        cloche run -d --name only alpine sleep 1000 >"$BATS_TEST_TMPDIR/$i" 2>&1 &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        if wait "$i"; then good=$((good + 1)); fi
    done
    [ "$good" -eq 1 ]
    [ "$(cloche ps -aq | wc -l)" -eq 1 ]
    [ "$(find "$CLOCHE_ROOT/containers" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
}

@test "the embedded image needs no import and no network" {
    run cloche run --rm --network none cloche/busybox echo hello
    expect_status 0
    expect_output hello
}

@test "the host's mount table does not grow with containers" {
    need_program unshare
    # Of a mount namespace of the test's own, as others on this machine mount, too.
    # shellcheck disable=SC2016 # the inner shell's
    run unshare -m --propagation private sh -c 'wc -l </proc/self/mountinfo; cloche run -d alpine sleep 1000 >/dev/null; cloche run -d alpine sleep 1000 >/dev/null; wc -l </proc/self/mountinfo'
    expect_status 0
    [ "${#lines[@]}" -eq 2 ]
    [ "${lines[0]}" -eq "${lines[1]}" ]
}
