# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The frame of every bats file here and in tests/faults: `load helper` (`load ../cli/helper`), then @test.
#
# Each file gets a world of its own: a root and a state directory below one temporary directory, one cgroup parent, and the
# programs of the build under test first in PATH (CLOCHE_BUILD, by default build/). Alpine is imported into it once, as alpine:latest.
# After each test every container of that world is removed, and a test that leaves a process, a cgroup or a mount behind
# fails, with a list of what it left. Waiting for that is bounded by a time, yet ends as soon as the world is clean.
#
# A file that needs no Alpine says `export WORLD_ALPINE=no` before `load`, one that needs no root `export WORLD_ROOT=no`. A file with a set-up of its own calls the
# world_… functions from its own setup_file, setup, teardown and teardown_file.
#
# Helpers: need_program NAME…, skips with the reason; run_pty COMMAND <<script, a session in a terminal (pty-session.py says how);
# wait_until COMMAND…, polls at most PATIENCE seconds (CLOCHE_TEST_PATIENCE, 60); container_pid NAME; expect_status N; expect_output TEXT; expect_line TEXT; expect_text TEXT;
# expect_match REGEX; refute_text TEXT; expect_one_line_error TEXT…; expect_no_containers.

HELPER_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CHECKOUT=$(cd "$HELPER_DIR/../.." && pwd)
PATIENCE=${CLOCHE_TEST_PATIENCE:-60} # only who waits in vain waits so long; a busy machine needs it
umask 022                            # other users have to get to what is made here

world_setup_file() {
    CLOCHE_BUILD=$(realpath "${CLOCHE_BUILD:-$CHECKOUT/build}")
    if [ ! -x "$CLOCHE_BUILD/cloche" ]; then
        echo "$CLOCHE_BUILD/cloche is missing: build it with ./dev build, or set CLOCHE_BUILD" >&2
        return 1
    fi
    WORLD=$(realpath "$(mktemp -d "${TMPDIR:-/tmp}/cloche-test.XXXXXX")")
    # Containers may run as users that are not root: the way to their files must be open to them.
    chmod 711 "$WORLD"
    export WORLD CLOCHE_BUILD
    export CLOCHE_ROOT=$WORLD/root CLOCHE_STATE=$WORLD/state
    export CLOCHE_CGROUP_PARENT=cloche-test-$$-$RANDOM
    export PATH=$CLOCHE_BUILD:$PATH
    unset CLOCHE_DEBUG CLOCHE_TEST_KILL CLOCHE_TEST_NO CLOCHE_TEST_FAIL_ALLOC CLOCHE_TEST_FAIL_CALL
    world_find_alpine
    if [ "${WORLD_ALPINE:-yes}" = yes ] && [ -z "$ALPINE_MISSING" ] && [ -z "$(world_root_missing)" ]; then
        cloche import "$ALPINE_TAR" alpine:latest >"$WORLD/import.out" 2>&1 || {
            echo "cloche import $ALPINE_TAR failed: $(cat "$WORLD/import.out")" >&2
            return 1
        }
    fi
}

# Sets ALPINE_TAR, and ALPINE_MISSING to the reason why there is none.
world_find_alpine() {
    ALPINE_TAR=${CLOCHE_TEST_ALPINE:-$CHECKOUT/../shared/data/alpine-minirootfs-3.20.3-x86_64.tar.gz}
    ALPINE_MISSING=
    if [ ! -r "$ALPINE_TAR" ]; then
        ALPINE_MISSING="no Alpine root filesystem: $ALPINE_TAR can't be read (set CLOCHE_TEST_ALPINE to a minirootfs tar.gz)"
    fi
    export ALPINE_TAR ALPINE_MISSING
}

world_root_missing() {
    if [ "${WORLD_ROOT:-yes}" = yes ] && [ "$(id -u)" != 0 ]; then
        echo "needs root (this is uid $(id -u))"
    fi
}

world_setup() {
    local reason
    reason=$(world_root_missing)
    [ -z "$reason" ] || skip "$reason"
    if [ "${WORLD_ALPINE:-yes}" = yes ] && [ -n "$ALPINE_MISSING" ]; then
        skip "$ALPINE_MISSING"
    fi
}

world_teardown() {
    local left
    world_remove_containers
    left=$(world_wait_clean) && return 0
    printf 'left behind by this test:\n%s\n' "$left" >&2
    world_force_clean
    return 1
}

world_teardown_file() {
    [ -n "${WORLD:-}" ] || return 0
    world_remove_containers
    world_force_clean
    rm -rf --one-file-system "$WORLD"
}

# --- what a world holds ---------------------------------------------------------------------------------------------------------

world_remove_containers() {
    local ids
    [ -d "$CLOCHE_ROOT" ] || return 0
    # The exit code is not looked at: what matters is what is left, and that is looked at next.
    ids=$(cloche ps -aq 2>"$WORLD/ps.err") || { cat "$WORLD/ps.err" >&2; return 0; }
    # shellcheck disable=SC2086 # one word per id
    [ -z "$ids" ] || cloche rm -f $ids >/dev/null || true
}

# The group of this world in every hierarchy, wherever the hierarchy's own path put it.
world_cgroups() {
    find /sys/fs/cgroup -type d \( -name "$CLOCHE_CGROUP_PARENT" -o -name "${CLOCHE_CGROUP_PARENT//-/_}.slice" \) 2>/dev/null
}

# One line for each thing that is left: groups below the parent, processes in them, our programs at work for this world, mounts.
world_leftovers() {
    local parent group pid
    while read -r parent; do
        while read -r group; do
            echo "cgroup $group"
        done < <(find "$parent" -mindepth 1 -type d 2>/dev/null)
        while read -r pid; do
            echo "process $pid in cgroup: $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")"
        done < <(find "$parent" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un)
    done < <(world_cgroups)
    world_programs | while read -r pid; do
        echo "process $pid of this world: $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")"
    done
    awk -v world="$WORLD" 'index($0, world "/") || $5 == world { print "mount " $0 }' /proc/self/mountinfo
}

# PIDs of programs of the build under test that were started with this world's root: a monitor that stayed, a forgotten logs -f.
world_programs() {
    local exe pid
    while read -r exe; do
        pid=${exe#/proc/}
        pid=${pid%/exe}
        if tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | grep -qxF "CLOCHE_ROOT=$CLOCHE_ROOT"; then
            echo "$pid"
        fi
    done < <(find /proc/[0-9]* -maxdepth 1 -name exe -lname "$CLOCHE_BUILD/*" 2>/dev/null)
}

# Succeeds as soon as nothing is left; after PATIENCE seconds prints what is, and fails. Cleaning up goes on after a command's reply.
world_wait_clean() {
    local left deadline=$((SECONDS + PATIENCE))
    while left=$(world_leftovers) && [ -n "$left" ]; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            printf '%s\n' "$left"
            return 1
        fi
        sleep 0.1
    done
}

# For the next test's sake, and the machine's: end the processes, undo the mounts, remove the groups of this world, whatever made them.
world_force_clean() {
    local round pid parent
    for round in 1 2 3 4 5; do
        {
            world_programs
            while read -r parent; do
                find "$parent" -name cgroup.procs -exec cat {} + 2>/dev/null
                # A frozen v1 group's processes die only once thawed.
                find "$parent" -name freezer.state -exec sh -c 'echo THAWED >"$1"' sh {} \; 2>/dev/null
            done < <(world_cgroups)
        } | sort -un | while read -r pid; do kill -KILL "$pid" 2>/dev/null; done
        awk -v world="$WORLD/" 'index($5, world) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
            while read -r mount; do umount -l "$mount" 2>/dev/null; done
        world_cgroups | while read -r parent; do
            find "$parent" -depth -type d -exec rmdir {} \; 2>/dev/null
        done
        [ -n "$(world_cgroups)$(world_programs)" ] || return 0
        sleep "0.$round"
    done
}

# --- what tests say ------------------------------------------------------------------------------------------------------------

need_program() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || skip "$program is not installed"
    done
}

# run_pty COMMAND, the script on standard input: like bats' `run`, so $status and $output are set.
run_pty() {
    run /usr/bin/python3 "$HELPER_DIR/pty-session.py" "$1"
}

wait_until() {
    local deadline=$((SECONDS + PATIENCE))
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            echo "never came true within $PATIENCE s: $*" >&2
            return 1
        fi
        sleep 0.05
    done
}

container_pid() {
    cloche inspect --format '{{.State.Pid}}' "$1"
}

is_status() {
    [ "$(cloche inspect --format '{{.State.Status}}' "$1")" = "$2" ]
}

# The container has come to its end, and everything it printed is in its log.
wait_exited() {
    wait_until is_status "$1" exited
}

expect_no_containers() {
    local left
    left=$(cloche ps -aq) || return 1
    [ -z "$left" ] || { printf 'expected no container, there are:\n%s\n' "$left" >&2; return 1; }
}

show_run() {
    printf 'status: %s\noutput:\n%s\n' "${status-}" "${output-}" >&2
}

expect_status() {
    # shellcheck disable=SC2154 # set by run
    [ "$status" -eq "$1" ] || { echo "expected exit status $1" >&2; show_run; return 1; }
}

expect_text() {
    [[ "$output" == *"$1"* ]] || { printf 'expected the text: %s\n' "$1" >&2; show_run; return 1; }
}

refute_text() {
    [[ "$output" != *"$1"* ]] || { printf 'did not expect the text: %s\n' "$1" >&2; show_run; return 1; }
}

# All of the output is exactly this.
expect_output() {
    [ "$output" = "$1" ] || { printf 'expected the output: %s\n' "$1" >&2; show_run; return 1; }
}

# POSIX extended, over all lines.
expect_match() {
    [[ "$output" =~ $1 ]] || { printf 'expected a match of: %s\n' "$1" >&2; show_run; return 1; }
}

# One of the lines is exactly this (a terminal's carriage returns do not count).
expect_line() {
    tr -d '\r' <<<"$output" | grep -qxF -- "$1" || { printf 'expected the line: %s\n' "$1" >&2; show_run; return 1; }
}

# A refusal as people should read it: one line, which begins with "cloche: " and holds each text given; the status is not 0.
expect_one_line_error() {
    local text
    [ "$status" -ne 0 ] || { echo "expected a failure" >&2; show_run; return 1; }
    [ "$(printf '%s\n' "$output" | wc -l)" -eq 1 ] || { echo "expected one line" >&2; show_run; return 1; }
    [[ "$output" == "cloche: "* ]] || { echo "expected a message of cloche" >&2; show_run; return 1; }
    for text in "$@"; do
        expect_text "$text" || return 1
    done
}

# --- the frame, unless the file defines its own -----------------------------------------------------------------------------

setup_file() { world_setup_file; }
setup() { world_setup; }
teardown() { world_teardown; }
teardown_file() { world_teardown_file; }
