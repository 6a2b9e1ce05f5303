#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# SIGKILL at every step of the verbs that change what is there, and of recovery itself. The next command leaves no orphan.

load faults

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
