# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the files of this directory share: a world without Alpine, in which the embedded image is loaded before the first fault.

export WORLD_ALPINE=no PYTHONDONTWRITEBYTECODE=1
# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../cli/helper.bash"
IMAGE=cloche/busybox

setup_file() {
    world_setup_file
    [ -n "$(world_root_missing)" ] || cloche run --rm "$IMAGE" true
}

# A sweep of sweep.py. What it says goes beside the test's name: how many faults there were.
sweep() {
    need_program /usr/bin/python3
    run "$BATS_TEST_DIRNAME/sweep.py" "$@"
    # shellcheck disable=SC2154 # set by run
    [ "$status" -eq 0 ] || { printf '%s\n' "$output" >&2; return 1; }
    echo "# $output" >&3
}

# SIGKILL to the monitor; of a world with one container it is the one program at work. Its locks are free when it is gone.
kill_monitor() {
    local monitor
    monitor=$(world_programs)
    kill -KILL "$monitor"
    wait_until is_dead "$monitor"
}

# Gone, or a zombie that its new parent has not looked at yet.
is_dead() {
    [ ! -d "/proc/$1" ] || grep -q '^State:.[ZX]' "/proc/$1/status"
}

has_no_processes() {
    [ -z "$(world_programs)" ]
}

# What the store holds beside images: directories of containers and stages.
directories_left() {
    find "$CLOCHE_ROOT/containers" "$CLOCHE_ROOT/stage" "$CLOCHE_STATE" -mindepth 1 -maxdepth 1 -not -name locks
}

# A container that ended and is to be removed goes in the background: `cloche run --rm` does not wait for that.
no_directories() {
    [ -z "$(directories_left)" ]
}
