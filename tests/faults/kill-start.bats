#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# SIGKILL at every step of a start: of each of our processes at each of its test points. The next command leaves no orphan.

load faults

@test "run: the command, the parent, init and the monitor are killed at every step" {
    sweep kill run cloche
    sweep kill run parent
    sweep kill run init
    sweep kill run monitor
}

@test "run --rm: killed at every step" {
    sweep kill run-rm cloche
    sweep kill run-rm parent
    sweep kill run-rm init
    sweep kill run-rm monitor
}

@test "run -d: killed at every step" {
    sweep kill run-d cloche
    sweep kill run-d parent
    sweep kill run-d init
    sweep kill run-d monitor
}

@test "run --name: killed at every step, and the name is free for the next one" {
    sweep kill run-name cloche
    sweep kill run-name parent
}

@test "run -t: killed at every step" {
    sweep kill run-tty parent
    sweep kill run-tty init
    sweep kill run-tty monitor
}

@test "create: killed at every step" {
    sweep kill create cloche
}

@test "start: killed at every step" {
    sweep kill start cloche
    sweep kill start parent
    sweep kill start init
    sweep kill start monitor
}

@test "start of one that has ended: killed at every step" {
    sweep kill restart cloche
    sweep kill restart parent
    sweep kill restart init
    sweep kill restart monitor
}

@test "the first run of all: the command and cloche-transfer are killed at every step" {
    sweep first cloche
    sweep first transfer
}
