#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Root directories that are full or read-only: an error of one line, and nothing left behind. Each test works on a small tmpfs in a mount
# namespace of its own; the scripts run there.

load faults

# inside SCRIPT: bash, with $IMAGE loaded in a root of its own on a tmpfs of 16 MiB at $WORLD/small.
inside() {
    mkdir -p "$WORLD/small"
    export IMAGE
    # shellcheck disable=SC2016 # expands in there
    run unshare -m --propagation private bash -euo pipefail -c '
        . "$1/faults.bash"
        mount -t tmpfs -o size=16m,nr_inodes=2000 tmpfs "$WORLD/small"
        export CLOCHE_ROOT=$WORLD/small/root CLOCHE_STATE=$WORLD/small/state
        cloche run --rm "$IMAGE" true
        . "$2"
    ' inside "$BATS_TEST_DIRNAME" /dev/stdin
    [ "$status" -eq 0 ] || { printf '%s\n' "$output" >&2; return 1; }
}

@test "a full disk, to the last block: run fails with one line, or works; nothing is left" {
    inside <<'SCRIPT'
    refused=0
    for blocks in $(seq 0 30); do
        head -c 32M /dev/zero >"$WORLD/small/fill" 2>/dev/null || true
        truncate -s "-$((blocks * 4096))" "$WORLD/small/fill"
        code=0
        cloche run --rm --name tight "$IMAGE" true >"$WORLD/out" 2>&1 || code=$?
        rm "$WORLD/small/fill"
        if [ "$code" -ne 0 ]; then
            refused=$((refused + 1))
            [ "$code" -eq 125 ]
            [ "$(wc -l <"$WORLD/out")" -eq 1 ]
            grep -q '^cloche: ' "$WORLD/out"
            grep -qi 'no space left' "$WORLD/out"
        fi
        cloche ps -aq >"$WORLD/out"
        [ ! -s "$WORLD/out" ] || { echo "$blocks blocks: a container is left"; exit 1; }
        wait_until no_directories || { echo "$blocks blocks: files are left"; exit 1; }
    done
    [ "$refused" -gt 0 ] || { echo "it was never full"; exit 1; }
    cloche run --rm --name tight "$IMAGE" true
SCRIPT
}

@test "no inode left: run fails with one line, or works; nothing is left" {
    inside <<'SCRIPT'
    refused=0
    mkdir "$WORLD/small/many"
    for free in $(seq 0 12); do
        number=0
        while : 2>/dev/null >"$WORLD/small/many/$number"; do number=$((number + 1)); done
        while [ "$free" -gt 0 ] && rm "$WORLD/small/many/$((number - free))"; do free=$((free - 1)); done
        code=0
        cloche run --rm --name tight "$IMAGE" true >"$WORLD/out" 2>&1 || code=$?
        rm "$WORLD/small/many"/*
        if [ "$code" -ne 0 ]; then
            refused=$((refused + 1))
            [ "$code" -eq 125 ]
            [ "$(wc -l <"$WORLD/out")" -eq 1 ]
            grep -q '^cloche: ' "$WORLD/out"
        fi
        cloche ps -aq >"$WORLD/out"
        [ ! -s "$WORLD/out" ]
        wait_until no_directories
    done
    [ "$refused" -gt 0 ] || { echo "it was never full"; exit 1; }
SCRIPT
}

@test "the disk fills up while a container runs: its exit is recorded all the same" {
    inside <<'SCRIPT'
    cloche run -d --name full "$IMAGE" sh -c 'head -c 32M /dev/zero >/fill; exit 7'
    [ "$(cloche wait full)" = 7 ]
    cloche inspect --format '{{.State.ExitCode}}' full >"$WORLD/out"
    [ "$(cat "$WORLD/out")" = 7 ]
    cloche rm full
    cloche run --rm "$IMAGE" true
SCRIPT
}

@test "a full disk: import fails with one line, and nothing is left" {
    inside <<'SCRIPT'
    head -c 12M /dev/urandom >"$WORLD/large"
    tar -C "$WORLD" -cf "$WORLD/large.tar" large
    before=$(ls "$CLOCHE_ROOT/layers" "$CLOCHE_ROOT/blobs/sha256")
    code=0
    cloche import "$WORLD/large.tar" large >"$WORLD/out" 2>&1 || code=$?
    rm "$WORLD/large" "$WORLD/large.tar"
    [ "$code" -ne 0 ]
    [ "$(wc -l <"$WORLD/out")" -eq 1 ]
    grep -qi '^cloche: .*no space left' "$WORLD/out"
    cloche ps -a >/dev/null
    [ -z "$(ls -A "$CLOCHE_ROOT/stage")" ]
    [ "$(ls "$CLOCHE_ROOT/layers" "$CLOCHE_ROOT/blobs/sha256")" = "$before" ]
SCRIPT
}

@test "a full disk: rm works, as it is how people make room" {
    inside <<'SCRIPT'
    cloche run --name large "$IMAGE" sh -c 'head -c 32M /dev/zero >/fill' || true
    cloche rm large
    cloche run --rm "$IMAGE" true
SCRIPT
}

@test "a read-only root: each command fails with one line that names it" {
    inside <<'SCRIPT'
    # The kernel lets go of the last container's mounts in its own time.
    wait_until mount -o remount,ro "$WORLD/small"
    for command in "ps -a" "run $IMAGE true" "images" "import /dev/null x"; do
        code=0
        cloche $command >"$WORLD/out" 2>&1 || code=$?
        [ "$code" -ne 0 ]
        [ "$(wc -l <"$WORLD/out")" -eq 1 ]
        grep -q "^cloche: .*$WORLD/small" "$WORLD/out"
        grep -qi 'read-only' "$WORLD/out"
    done
SCRIPT
}

@test "a read-only state directory: run fails with one line that names it" {
    inside <<'SCRIPT'
    export CLOCHE_STATE=$WORLD/readonly
    mkdir "$CLOCHE_STATE"
    mount -t tmpfs -o ro tmpfs "$CLOCHE_STATE"
    code=0
    cloche run --rm "$IMAGE" true >"$WORLD/out" 2>&1 || code=$?
    umount "$CLOCHE_STATE"
    [ "$code" -eq 125 ]
    [ "$(wc -l <"$WORLD/out")" -eq 1 ]
    grep -q "^cloche: .*$CLOCHE_STATE" "$WORLD/out"
    grep -qi 'read-only' "$WORLD/out"
    [ -z "$(ls -A "$CLOCHE_ROOT/containers")" ]
SCRIPT
}
