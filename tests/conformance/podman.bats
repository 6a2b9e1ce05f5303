#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime under Podman: a client that we did not write decides whether it is an OCI runtime. Skipped where podman is not installed; ./dev test does not install
# it. Podman gets a configuration, a storage, locks and a cgroup parent of this test's own.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load ../cli/helper

setup_file() {
    world_setup_file
    command -v podman >/dev/null && [ -z "$ALPINE_MISSING" ] && [ "$(id -u)" = 0 ] || return 0
    # The limits are low: raising them takes CAP_SYS_RESOURCE, which a machine for tests need not give.
    mkdir "$WORLD/bin"
    # Its clean-up after a container's end forgets --runtime-flag, so the state directory is given by a script.
    printf '#!/bin/sh\nexec %s --root %s "$@"\n' "$CLOCHE_BUILD/cloche-runtime" "$WORLD/oci" >"$WORLD/bin/cloche-runtime"
    chmod +x "$WORLD/bin/cloche-runtime"
    cat >"$WORLD/containers.conf" <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "cloche-runtime"
runtime_supports_json = ["cloche-runtime"]
[engine.runtimes]
cloche-runtime = ["$WORLD/bin/cloche-runtime"]
END
    export CONTAINERS_CONF=$WORLD/containers.conf
    podman_ import -q "$ALPINE_TAR" alpine:test
}

setup() {
    world_setup
    [ -z "$ALPINE_MISSING" ] || skip "$ALPINE_MISSING"
    need_program podman
}

# What is left of the cgroup parent once its containers are gone is Podman's group for conmon, and that is Podman's to leave.
teardown() {
    local parent
    command -v podman >/dev/null || return 0
    podman_ rm -fa -t 0 >/dev/null
    for parent in $(world_cgroups); do
        [ ! -d "$parent/conmon" ] || wait_until rmdir "$parent/conmon"
    done
    world_teardown
}

podman_() {
    podman --root "$WORLD/podman" --runroot "$WORLD/podman-run" --tmpdir "$WORLD/podman-tmp" --storage-driver vfs "$@"
}

podman_run() {
    podman_ run --cgroup-parent "/$CLOCHE_CGROUP_PARENT" "$@"
}

podman_status() {
    podman_ inspect --format '{{.State.Status}}' "$1"
}

@test "podman run: output, input, exit codes" {
    run podman_run --rm alpine:test sh -c 'echo hello; exit 3'
    expect_status 3
    expect_output hello
    [ "$(echo typed | podman_run -i --rm alpine:test cat)" = typed ]
}

@test "podman run: 127 for a missing command, 126 for one that can't be executed" {
    run podman_run --rm alpine:test missing
    expect_status 127
    expect_text "executable file not found in \$PATH"
    run podman_run --rm alpine:test /etc/passwd
    expect_status 126
}

@test "podman run -t: a terminal" {
    run_pty "podman --root $WORLD/podman --runroot $WORLD/podman-run --tmpdir $WORLD/podman-tmp --storage-driver vfs \
run -it --rm --cgroup-parent /$CLOCHE_CGROUP_PARENT alpine:test sh" <<'END'
expect #
line tty
expect /dev/pts/0
line exit 6
END
    expect_status 6
}

@test "podman run -d, exec, stop, start, kill, rm" {
    podman_run -d --name box alpine:test sh -c 'trap "exit 4" TERM; while :; do sleep 0.05; done'
    run podman_ exec box sh -c 'echo inside; exit 5'
    expect_status 5
    expect_output inside
    run podman_ exec box missing
    expect_status 127
    podman_ exec -e A=b -w /tmp -u 1000 box sh -c '[ "$A $PWD $(id -u)" = "b /tmp 1000" ]'
    podman_ exec -d box sleep 1000
    podman_ stop -t 60 box
    [ "$(podman_ inspect --format '{{.State.ExitCode}}' box)" -eq 4 ]
    podman_ start box
    podman_ kill box
    [ "$(podman_ wait box)" -eq 137 ]
    podman_ rm box
    [ -z "$(podman_ ps -aq)" ]
    [ -z "$(ls "$WORLD/oci")" ]
}

@test "podman pause, unpause, top, restart" {
    podman_run -d --name box alpine:test sleep 1000
    podman_ pause box
    [ "$(podman_status box)" = paused ]
    podman_ unpause box
    [ "$(podman_status box)" = running ]
    podman_ top box comm | grep -qx sleep
    podman_ restart -t 0 box
    [ "$(podman_status box)" = running ]
}

@test "podman run: limits" {
    [ -e /sys/fs/cgroup/memory ] || skip "reads the files of cgroup v1, which is not mounted here"
    run podman_run --rm -m 64m --pids-limit 33 alpine:test cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max
    expect_output $'67108864\n33'
}

@test "podman run: capabilities, read-only root, volumes, user" {
    run podman_run --rm --cap-drop all --cap-add chown alpine:test grep CapEff /proc/self/status
    expect_text 0000000000000001
    run podman_run --rm --read-only --read-only-tmpfs=false alpine:test touch /x
    expect_text "Read-only file system"
    mkdir -p "$WORLD/volume"
    podman_run --rm -v "$WORLD/volume:/v" alpine:test sh -c 'echo mine >/v/file'
    [ "$(cat "$WORLD/volume/file")" = mine ]
    run podman_run --rm -u 1000:1001 --hostname glass alpine:test sh -c 'echo "$(id -u):$(id -g) $(hostname)"'
    expect_output "1000:1001 glass"
    run podman_run --rm --privileged alpine:test sh -c 'mount -t tmpfs none /mnt && echo mounted'
    expect_output mounted
}

@test "podman run: namespaces of another container, and the host's pids" {
    podman_run -d --name box alpine:test sleep 1000
    run podman_run --rm --pid container:box --ipc container:box alpine:test ps
    expect_match "1 +root +.*sleep 1000"
    podman_run -d --name host --pid host alpine:test sleep 1001
    podman_ rm -f -t 0 host
}
