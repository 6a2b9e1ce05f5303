#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The Nth allocation or system call fails: never a crash, never more than a line of text, never something left behind.

load faults

@test "run --rm: each allocation fails once" {
    sweep alloc run-rm
}

@test "exec: each allocation fails once" {
    sweep alloc exec
}

@test "rm: each allocation fails once" {
    sweep alloc rm-created
}

@test "run --rm: each system call fails once, with EIO" {
    sweep call run-rm EIO
}

@test "run -d: each system call fails once, with ENOMEM" {
    sweep call run-d ENOMEM
}

@test "exec: each system call fails once, with EIO" {
    sweep call exec EIO
}

@test "stop: each system call fails once, with EIO" {
    sweep call stop EIO
}

@test "rm -f: each system call fails once, with EINVAL" {
    sweep call rm-f EINVAL
}
