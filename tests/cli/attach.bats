#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche attach, detaching, and coming back.

load helper

@test "Ctrl-P Ctrl-Q leaves the container running; attach comes back to the same shell" {
    run_pty "cloche run -it --name box alpine ash" <<'SCRIPT'
expect / #
line MARK=here
expect / #
send \x10\x11
end
SCRIPT
    expect_status 0
    is_status box running
    run_pty "cloche attach box" <<'SCRIPT'
line echo "it is $MARK"
expect it is here
line exit 3
SCRIPT
    expect_status 3
    run cloche inspect --format '{{.State.ExitCode}}' box
    expect_output 3
}

@test "half of the detach keys is ordinary input" {
    run_pty "cloche run -it --rm --name box alpine sh -c 'echo ready; exec cat -v'" <<'SCRIPT'
expect ready
send \x10x
line y
expect ^Pxy
key C-d
SCRIPT
    expect_status 0
}

@test "--detach-keys: others, none, and what can't be keys" {
    cloche run -dit --name box alpine ash
    run_pty "cloche attach --detach-keys ctrl-a,d box" <<'SCRIPT'
line echo re""ady
expect ready
send \x01d
end
SCRIPT
    expect_status 0
    is_status box running
    run_pty "cloche attach --detach-keys ctrl-nonsense box" <<'SCRIPT'
expect invalid detach keys
SCRIPT
    expect_status 125
    is_status box running
    run_pty "cloche run -it --name never --detach-keys ctrl-nonsense alpine ash" <<'SCRIPT'
expect invalid detach keys
SCRIPT
    expect_status 125
    run cloche ps -aq --filter name=never
    expect_output ''
}

@test "the window's size follows whoever attaches" {
    cloche run -dit --name box alpine ash
    run_pty "cloche attach box" <<'SCRIPT'
line until [ "$(stty size)" = "24 80" ]; do :; done; echo first si""ze
expect first size
resize 50 120
line until [ "$(stty size)" = "50 120" ]; do :; done; echo second si""ze
expect second size
send \x10\x11
end
SCRIPT
    expect_status 0
}

@test "two terminals at one container: both see all of it" {
    cloche run -dit --name box alpine ash
    cloche attach --no-stdin box >"$BATS_TEST_TMPDIR/second" &
    local second=$!
    # It is attached once the container's output comes through.
    run_pty "cloche attach box" <<SCRIPT
line until [ -e /seen ]; do echo tick; sleep 0.05; done; echo for both"" of us
host until grep -q tick "$BATS_TEST_TMPDIR/second"; do sleep 0.05; done
host cloche exec box touch /seen
host until grep -q 'for both of us' "$BATS_TEST_TMPDIR/second"; do sleep 0.05; done
line exit 6
SCRIPT
    expect_status 6
    local code=0
    wait "$second" || code=$?
    [ "$code" -eq 6 ]
}

@test "attach without a terminal: output from now on, input with -i of the start, the exit code" {
    cloche run -di --name box alpine sh -c 'read line; echo "got $line"; exit 8'
    run bash -c 'echo something | cloche attach box'
    expect_status 8
    expect_output 'got something'
}

@test "start -ai is a session" {
    cloche create -it --name box alpine ash
    run_pty "cloche start -ai box" <<'SCRIPT'
expect / #
line echo "from st""art"
expect from start
line exit 5
SCRIPT
    expect_status 5
    run_pty "cloche start -ai box" <<'SCRIPT'
expect / #
line exit 6
SCRIPT
    expect_status 6
}

@test "not to a stopped, created or paused container" {
    cloche run --name box alpine true
    run cloche attach box
    expect_status 1
    expect_one_line_error box "not running"
    cloche run -d --name other alpine sleep 1000
    cloche pause other
    run cloche attach other
    expect_status 1
    expect_one_line_error paused unpause
}
