#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The lens on containers of another engine: Podman's, found by its own state directory. That directory is one of this test's own: all of it happens in a private
# mount namespace with an empty /var/lib/containers. Skipped where podman is not installed; ./dev test does not install it.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

bats_require_minimum_version 1.5.0
WORLD_ALPINE=no
load ../cli/helper

setup() {
    world_setup
    [ -z "$ALPINE_MISSING" ] || skip "$ALPINE_MISSING"
    need_program podman jq unshare
    mkdir -p "$WORLD/bin"
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
}

# Podman leaves its own group for conmon.
teardown() {
    local parent
    for parent in $(world_cgroups); do
        [ ! -d "$parent/conmon" ] || wait_until rmdir "$parent/conmon"
    done
    world_teardown
}

@test "containers of Podman have their names in lsns, view and pid" {
    cat >"$BATS_TEST_TMPDIR/script" <<'END'
set -eu
mkdir -p /var/lib/containers /run/containers /run/libpod
mount -t tmpfs none /var/lib/containers
mount -t tmpfs none /run/containers
mount -t tmpfs none /run/libpod
podman_() { podman --storage-driver vfs "$@"; }
podman_ import -q "$ALPINE_TAR" alpine:test >&2
podman_ run -d --name jolly --cgroup-parent "/$CLOCHE_CGROUP_PARENT" alpine:test sleep 1000 >&2
pid=$(podman_ inspect --format '{{.State.Pid}}' jolly)
trap 'podman_ rm -fa -t 0 >&2' EXIT
cloche lsns -J -l -t pid -Q 'CONTAINER == "jolly"' -o PID,CONTAINER,ENGINE | jq -r --argjson pid "$pid" '.namespaces[] | "lsns: \(.pid == $pid) \(.container) \(.engine)"'
cloche view --json jolly | jq -r --argjson pid "$pid" '"view: \(.pid == $pid) \(.container) \(.engine) \(.process.pid.inside)"'
cloche view --json "$pid" | jq -r '"view by pid: \(.container) \(.engine)"'
cloche pid --json jolly | jq -r '"pid: \(.levels | last | .pid)"'
END
    run --separate-stderr unshare -m --propagation private sh "$BATS_TEST_TMPDIR/script"
    expect_status 0
    expect_line "lsns: true jolly podman"
    expect_line "view: true jolly podman 1"
    expect_line "view by pid: jolly podman"
    expect_line "pid: 1"
}
