#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche run --explain and --step: the steps of a start, told and, if asked for, one at a time; a start that is stopped leaves nothing.

bats_require_minimum_version 1.5.0
load helper

@test "--explain tells each step with its calls and time, and the program's output is its own" {
    run --separate-stderr cloche run --rm --explain alpine echo hello
    expect_status 0
    expect_output hello
    # shellcheck disable=SC2154 # set by run
    output=$stderr
    expect_match '^ *TIME STEP +WHAT IT DOES'
    expect_match '[0-9]+\.[0-9]{3} ms make namespaces +Starts the first process'
    expect_match '[0-9]+\.[0-9]{3} ms enter root file system +Makes the image its root'
    expect_match 'pivot_root, umount2 +'
    expect_match '[0-9]+\.[0-9]{3} ms load seccomp filter +Loads the filter'
    expect_match ' execute +Becomes the container'
    expect_match '[0-9]+ steps, [0-9.]+ ms$'
    [ "$(grep -n ' ms make namespaces' <<<"$output" | cut -d: -f1)" -lt "$(grep -n ' ms begin ' <<<"$output" | cut -d: -f1)" ]
    [ "$(wc -L <<<"$output")" -le 80 ]
}

@test "--explain in Traditional Chinese where the language says so" {
    LC_ALL=zh_TW.UTF-8 run --separate-stderr cloche run --rm --explain alpine true
    expect_status 0
    output=$stderr
    expect_text 做什麼
    expect_text 以映像檔為根目錄
    refute_text 'Makes the image'
    [ "$(LC_ALL=C.UTF-8 wc -L <<<"$output")" -le 80 ]
    LC_ALL=C LANG=zh_TW.UTF-8 run --separate-stderr cloche run --rm --explain alpine true
    [[ "$stderr" == *'WHAT IT DOES'* ]]
}

@test "--explain of a start that fails shows the steps until then" {
    run cloche run --name gone --explain alpine /no/such/program
    expect_status 127
    expect_text 'make namespaces'
    expect_text 'no such file'
    run cloche run -d --name there --explain alpine sleep 1000
    expect_status 0
    is_status there running
}

@test "--step needs a terminal" {
    run cloche run --rm --step alpine true
    expect_one_line_error 'needs a terminal' '--explain'
    expect_no_containers
}

@test "--step waits before each step and names the process to look at" {
    export -f world_programs
    run_pty 'cloche run --name stepped --step alpine echo all done' <<'SCRIPT'
expect next: open root file system
expect no process yet
expect q stops]
line
expect next: open bind sources
expect q stops]
line
expect next: make control group
expect q stops]
line
expect next: make namespaces
expect q stops]
line
match Its first process is (\d+)
match cloche view \d+
match ls -l /proc/\d+/ns
expect q stops]
host for pid in $(world_programs); do ls -l /proc/$pid/ns || exit 1; done
line
send \n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n
expect next: execute
match \d+ steps
expect all done
SCRIPT
    expect_status 0
}

@test "--step: q stops the start and leaves nothing" {
    for step in 'make control group' 'make namespaces' 'mask paths' 'enter root file system' 'set capabilities' execute; do
        run_pty "bash -c 'cloche run --name stopped --step alpine echo never'" <<SCRIPT
host true
expect next: open root file system
expect q stops]
$(script_until "$step")
line q
match stopped before .*; nothing is left
SCRIPT
        [ "$status" -eq 125 ] || { show_run; return 1; }
        refute_text never$'\n'
        expect_no_containers
        [ -z "$(world_wait_clean)" ]
    done
}

# Enter, until the next step is $1.
script_until() {
    local step
    for step in $STEPS; do
        printf 'line\nexpect next: %s\nexpect q stops]\n' "${step//_/ }"
        [ "${step//_/ }" != "$1" ] || return 0
    done
}

setup() {
    world_setup
    # In the order of a start, as --explain tells it.
    STEPS=$(cloche run --rm --explain alpine true 2>&1 |
        sed -nE 's/^ +[0-9.]+ ms (.{29}).*/\1/p; s/^ {11}(execute) .*/\1/p' | sed -E 's/ +$//; s/ /_/g' | tail -n +2)
}

@test "--step: Ctrl-C stops the start, too" {
    run_pty "bash -c 'cloche run --name stopped --step alpine echo never'" <<'SCRIPT'
expect next: open root file system
expect q stops]
line
expect next: open bind sources
expect q stops]
key C-c
match stopped before|ended before
SCRIPT
    expect_no_containers
    [ -z "$(world_wait_clean)" ]
}
