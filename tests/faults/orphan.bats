#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Processes of ours that die while a container runs, and the machine that dies with all of them.

load faults

@test "the monitor is killed: its container ends with it, as Exited (137), and nothing is left" {
    cloche run -d --name lone "$IMAGE" sleep 1000
    pid=$(container_pid lone)
    kill_monitor
    run cloche ps -a --format '{{.Names}} {{.Status}}'
    expect_status 0
    [[ "$output" == "lone Exited (137) "* ]]
    wait_until is_dead "$pid"
    run world_wait_clean
    expect_status 0
    run cloche start lone
    expect_status 0
    [ "$(cloche inspect --format '{{.State.Status}}' lone)" = running ]
}

@test "the monitor of a container with the host's processes is killed: what it started ends, too" {
    cloche run -d --pid host --name lone "$IMAGE" sh -c 'sleep 1000 & sleep 1000'
    kill_monitor
    run cloche ps -a --format '{{.Names}} {{.Status}}'
    [[ "$output" == "lone Exited (137) "* ]]
    run world_wait_clean
    expect_status 0
}

@test "the monitor of a --rm container is killed: the next command removes it" {
    cloche run -d --rm --name lone "$IMAGE" sleep 1000
    kill_monitor
    run cloche ps -aq
    expect_status 0
    [ -z "$output" ]
    [ -z "$(directories_left)" ]
    run cloche run --rm --name lone "$IMAGE" true
    expect_status 0
}

@test "the monitor of a paused container is killed: it ends nevertheless" {
    cloche run -d --name lone "$IMAGE" sleep 1000
    cloche pause lone
    kill_monitor
    run cloche ps -a --format '{{.Names}} {{.Status}}'
    [[ "$output" == "lone Exited (137) "* ]]
    run world_wait_clean
    expect_status 0
}

@test "commands that come first after the monitor's death see it, too" {
    for verb in "stop -t 0" "rm -f" "logs" "wait"; do
        cloche run -d --name lone "$IMAGE" sh -c 'echo told; sleep 1000'
        kill_monitor
        # shellcheck disable=SC2086 # the verb and its options
        run cloche $verb lone
        expect_status 0
        cloche rm -f lone || true
    done
    cloche run -d --name lone "$IMAGE" sleep 1000
    kill_monitor
    run cloche exec lone true
    expect_one_line_error "lone is not running"
}

@test "the attached command is killed: the container goes on, and is still to be managed" {
    cloche run --name lone "$IMAGE" sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done' >"$WORLD/out" &
    client=$!
    wait_until grep -q ready "$WORLD/out"
    kill -KILL "$client"
    wait "$client" || true
    [ "$(cloche inspect --format '{{.State.Status}}' lone)" = running ]
    run cloche exec lone echo still
    expect_line still
    run cloche stop lone
    expect_status 0
    run cloche ps -a --format '{{.Names}} {{.Status}}'
    [[ "$output" == "lone Exited (9) "* ]]
}

@test "the command of an exec is killed: the process it started ends with it" {
    cloche run -d --name lone "$IMAGE" sleep 1000
    cloche exec lone sh -c 'echo $$ >/child; exec sleep 2000' &
    client=$!
    wait_until cloche exec lone test -s /child
    kill -KILL "$client"
    wait "$client" || true
    # shellcheck disable=SC2016 # expands in the container
    wait_until cloche exec lone sh -c '! test -d /proc/"$(cat /child)"'
    [ "$(cloche inspect --format '{{.State.Status}}' lone)" = running ]
}

@test "after a reboot containers are found exited with 255" {
    cloche run -d --name lone "$IMAGE" sleep 1000
    kill_monitor
    # What a boot changes: the boot id, and that nothing below the state directory or the control groups is there.
    sed -i 's/^boot_id .*/boot_id 00000000-0000-0000-0000-000000000000/' "$CLOCHE_ROOT"/containers/*/state
    grep -q '^boot_id 0000' "$CLOCHE_ROOT"/containers/*/state
    world_force_clean
    rm -rf "$CLOCHE_STATE"
    run cloche ps -a --format '{{.Names}} {{.Status}}'
    [[ "$output" == "lone Exited (255) "* ]]
    run cloche start lone
    expect_status 0
}
