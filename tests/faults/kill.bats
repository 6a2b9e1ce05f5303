#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# SIGKILL at every step: of each of our processes, in each verb, at each of its test points. The next command leaves no orphan.

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

@test "exec: the command and the new process are killed at every step" {
    sweep kill exec cloche
    sweep kill exec init
}

@test "stop: the command and the monitor are killed at every step" {
    sweep kill stop cloche
    sweep kill stop monitor
}

@test "kill: the command and the monitor are killed at every step" {
    sweep kill kill cloche
    sweep kill kill monitor
}

@test "rm: killed at every step" {
    sweep kill rm cloche
}

@test "rm -f: the command and the monitor are killed at every step" {
    sweep kill rm-f cloche
    sweep kill rm-f monitor
}

@test "rename: killed at every step" {
    sweep kill rename cloche
}

@test "the first run of all: the command and cloche-transfer are killed at every step" {
    sweep first cloche
    sweep first transfer
}

@test "import: the command and cloche-transfer are killed at every step" {
    sweep kill import cloche
    sweep kill import transfer
}

@test "rmi: killed at every step" {
    sweep kill rmi cloche
}

@test "recovery itself is killed at every step, and the one after it repairs both" {
    sweep kill recover-monitor cloche
    sweep kill recover-start cloche
    sweep kill recover-claim cloche
    sweep kill recover-restart cloche
    sweep kill reap cloche
}

@test "everything, or the command alone, is killed at any moment of a start" {
    sweep storm
}
