#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Calls that a kernel or a sandbox may lack, each taken away alone: a container starts by another way, or not at all, with the name of what is missing.

load faults

starts_without() {
    CLOCHE_TEST_NO=$1 run cloche run --rm "$IMAGE" echo "without $1"
    expect_status 0
    expect_line "without $1"
}

refuses_without() {
    CLOCHE_TEST_NO=$1 run cloche run --rm "$IMAGE" true
    expect_status 125
    expect_one_line_error "$1(2) is missing"
    run cloche ps -aq
    [ -z "$output" ]
}

@test "openat2 is missing" {
    starts_without openat2
}

@test "clone3 is missing" {
    starts_without clone3
}

@test "close_range is missing" {
    starts_without close_range
}

@test "fsopen is missing" {
    refuses_without fsopen
}

@test "open_tree is missing" {
    refuses_without open_tree
}

@test "mount_setattr is missing" {
    refuses_without mount_setattr
}
