#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime under Buildah (--isolation oci --runtime): each RUN of a build is a container of ours. ./dev test conformance installs buildah;
# elsewhere it is skipped.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load ../cli/helper

setup_file() {
    world_setup_file
    command -v buildah >/dev/null && [ -z "$ALPINE_MISSING" ] && [ "$(id -u)" = 0 ] || return 0
    mkdir -p "$WORLD/rootfs" "$WORLD/run-buildah"
    tar -C "$WORLD/rootfs" -xzf "$ALPINE_TAR"
    cat >"$WORLD/containers.conf" <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
[engine]
cgroup_manager = "cgroupfs"
END
    cat >"$WORLD/policy.json" <<END
{ "default": [{ "type": "insecureAcceptAnything" }] }
END
    export CONTAINERS_CONF=$WORLD/containers.conf BUILDAH_RUNTIME=$CLOCHE_BUILD/cloche-runtime TMPDIR=$WORLD
}

setup() {
    world_setup
    [ -z "$ALPINE_MISSING" ] || skip "$ALPINE_MISSING"
    need_program buildah
}

teardown() {
    command -v buildah >/dev/null || return 0
    buildah_ rm --all >/dev/null
    world_teardown
}

buildah_() {
    buildah --root "$WORLD/buildah" --runroot "$WORLD/run-buildah" --storage-driver vfs "$@"
}

@test "buildah run: output, exit code, user, volumes, no network" {
    local box
    box=$(buildah_ from --cgroup-parent "/$CLOCHE_CGROUP_PARENT" scratch)
    buildah_ copy -q "$box" "$WORLD/rootfs" /
    run buildah_ run --isolation oci --runtime "$CLOCHE_BUILD/cloche-runtime" --network none "$box" \
        -- sh -c 'echo hello from $(id -u); exit 3'
    expect_text "hello from 0"
    expect_status 3
    run buildah_ run --isolation oci --runtime "$CLOCHE_BUILD/cloche-runtime" --network none --user 1000 \
        -v "$WORLD:/w:ro" "$box" -- sh -c 'id -u; ls /w/policy.json'
    expect_line 1000
    expect_line /w/policy.json
}

@test "buildah build: RUN steps make layers" {
    mkdir -p "$WORLD/context"
    cp -a "$WORLD/rootfs" "$WORLD/context/"
    cat >"$WORLD/context/Containerfile" <<'END'
FROM scratch
COPY rootfs /
RUN echo made >/made && chmod 600 /made
RUN ["/bin/sh", "-c", "cat /made; ls -l /made"]
END
    run buildah_ build --isolation oci --runtime "$CLOCHE_BUILD/cloche-runtime" --network none --signature-policy "$WORLD/policy.json" \
        --cgroup-parent "/$CLOCHE_CGROUP_PARENT" -t test "$WORLD/context"
    expect_status 0
    expect_line made
    expect_text "-rw-------"
}
