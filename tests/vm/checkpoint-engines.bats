#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Other engines checkpoint and restore over cloche-runtime, with the real criu: podman, and containerd by ctr. `./dev vm checkpoint` boots a machine that has them
# all; elsewhere it is skipped.
# bed: systemd
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # dollars of the container's shell; read by the frame; status, output: set by run

WORLD_ALPINE=no
load ../cli/helper
load ../cli/runtime-helper
load checkpoint-frame

COUNT='i=0; while :; do i=$((i + 1)); echo $i; sleep 0.05; done'

setup_file() {
    criu_setup_file
    export ENGINE_MISSING=$CRIU_MISSING STORE=$WORLD/store RUNTIME
    RUNTIME=$(command -v cloche-runtime)
    if [ -z "$ENGINE_MISSING" ] && ! command -v podman >/dev/null; then ENGINE_MISSING="podman is not installed"; fi
    if [ -z "$ENGINE_MISSING" ] && [ -z "${CLOCHE_VM:-}" ]; then ENGINE_MISSING="networks of the machine's own are needed (./dev vm checkpoint)"; fi
    [ -z "$ENGINE_MISSING" ] || return 0
    mkdir "$WORLD/image"
    cp -a "$BUNDLE/rootfs/." "$WORLD/image/"
    for applet in ps nc seq sed; do ln -sf busybox "$WORLD/image/bin/$applet"; done
    tar -C "$WORLD/image" -cf "$WORLD/image.tar" .
    engine import -q "$WORLD/image.tar" localhost/counter:1
}

setup() {
    [ -z "$ENGINE_MISSING" ] || skip "$ENGINE_MISSING"
    world_setup
}

teardown() {
    [ -n "$ENGINE_MISSING" ] || engine rm -f -a -t 0 -i >/dev/null
    [ -z "${DAEMON:-}" ] || stop_containerd
    world_teardown
}

engine() {
    podman --root "$STORE" --runroot "$WORLD/run" --storage-driver overlay --cgroup-manager "${MANAGER:-cgroupfs}" --events-backend file --runtime "$RUNTIME" "$@"
}

# run_counter NAME [OPTION…]
run_counter() {
    local name=$1
    shift
    engine run -d --name "$name" "$@" localhost/counter:1 sh -c "$COUNT" >/dev/null
    wait_until logged_beyond "$name" 3
}

# The last number that came out.
logged() {
    engine logs --tail 1 "$1" | tr -d '\r' | grep -x '[0-9][0-9]*' || echo 0
}

logged_beyond() {
    [ "$(logged "$1")" -gt "$2" ]
}

# goes_on NAME N: it has counted on from N, and all its numbers came out once.
goes_on() {
    wait_until logged_beyond "$1" "$(($2 + 3))"
    [ "$(engine inspect -f '{{.State.Status}}' "$1")" = running ]
}

# Of the files that podman keeps.
bundle_of() {
    engine inspect -f '{{.StaticDir}}' "$1"
}

@test "podman: checkpoint and restore, with networks of each kind" {
    local network before
    for network in none host bridge; do
        run_counter box --network "$network"
        engine container checkpoint box
        [ "$(engine inspect -f '{{.State.Checkpointed}} {{.State.Running}}' box)" = "true false" ]
        before=$(logged box)
        engine container restore box
        goes_on box "$before"
        run engine exec box ps
        expect_text "sh -c i=0"
        engine rm -f -t 0 box >/dev/null
    done
}

@test "podman: --leave-running, --keep, --print-stats" {
    run_counter box --network none
    engine container checkpoint --leave-running --export "$WORLD/running.tar" --compress none box
    goes_on box "$(logged box)"
    run engine container checkpoint --keep --print-stats box
    expect_status 0
    expect_match '"pages_written": [1-9]'
    local before dir
    dir=$(bundle_of box)
    [ -e "$dir/dump.log" ]
    before=$(logged box)
    run engine container restore --keep --print-stats box
    expect_status 0
    expect_match '"pages_restored": [1-9]'
    [ -e "$dir/restore.log" ]
    goes_on box "$before"
}

@test "podman: --export and --import, here again and under another name, with a volume, a tmpfs and a limit" {
    run_counter box --network none --read-only --tmpfs /scratch -v data:/data --memory 100m
    engine exec box sh -c 'echo there >/scratch/file; echo kept >/data/file'
    engine container checkpoint --export "$WORLD/box.tar" --compress none box
    local before
    before=$(logged box)
    engine rm -f -t 0 box >/dev/null
    engine volume rm -f data >/dev/null
    engine container restore --import "$WORLD/box.tar"
    goes_on box "$before"
    [ "$(engine exec box cat /scratch/file /data/file | paste -sd' ')" = "there kept" ]
    [ "$(<"/sys/fs/cgroup/$(engine inspect -f '{{.State.CgroupPath}}' box)/memory.max")" = $((100 << 20)) ]
    engine container restore --import "$WORLD/box.tar" --name other --ignore-volumes
    goes_on other "$before"
    engine rm -f -t 0 -a >/dev/null
    engine volume rm -f data >/dev/null
}

@test "podman: --pre-checkpoint, then --with-previous, also by archives" {
    local before
    run_counter box --network none
    engine container checkpoint --pre-checkpoint box
    goes_on box "$(logged box)"
    engine container checkpoint --with-previous box
    before=$(logged box)
    engine container restore box
    goes_on box "$before"
    engine container checkpoint --pre-checkpoint --export "$WORLD/before.tar" --compress none box
    engine container checkpoint --with-previous --export "$WORLD/rest.tar" --compress none box
    before=$(logged box)
    engine rm -f -t 0 box >/dev/null
    engine container restore --import-previous "$WORLD/before.tar" --import "$WORLD/rest.tar"
    goes_on box "$before"
}

@test "podman: --tcp-established; without it the reason is in the error" {
    engine run -d --name box --network none localhost/counter:1 sh -c 'nc -l -p 5000 -e cat & until grep -q ":1388 .* 0A " /proc/net/tcp /proc/net/tcp6; do sleep 0.05; done
        i=0; while :; do i=$((i + 1)); echo $i; sleep 0.05; done | nc 127.0.0.1 5000; echo over' >/dev/null
    wait_until logged_beyond box 3
    run engine container checkpoint box
    [ "$status" -ne 0 ]
    expect_text "cloche-runtime: criu dump: "
    expect_match "tcp"
    goes_on box "$(logged box)"
    engine container checkpoint --tcp-established box
    local before
    before=$(logged box)
    engine container restore --tcp-established box
    goes_on box "$before"
    refute_over() { ! engine logs box | grep -qx over; }
    refute_over
}

@test "podman: a terminal; a user namespace; all rights in one" {
    local options before
    for options in "-t" "--uidmap 0:100000:65536 --gidmap 0:100000:65536" "--privileged --uidmap 0:100000:65536 --gidmap 0:100000:65536" "--privileged"; do
        # shellcheck disable=SC2086 # words
        run_counter box --network none $options
        engine container checkpoint box || { echo "$options"; false; }
        before=$(logged box)
        engine container restore box || { echo "$options"; grep Error "$(bundle_of box)/restore.log"; false; }
        goes_on box "$before"
        engine rm -f -t 0 box >/dev/null
    done
}

@test "podman: with systemd's driver of control groups" {
    [ -d /run/systemd/system ] || skip "needs systemd"
    local MANAGER=systemd before unit
    run_counter box --network none --memory 100m
    unit=libpod-$(engine inspect -f '{{.Id}}' box).scope
    engine container checkpoint box
    before=$(logged box)
    engine container restore box
    goes_on box "$before"
    [ "$(systemctl show -P ActiveState "$unit")" = active ]
    [ "$(systemctl show -P MemoryMax "$unit")" = $((100 << 20)) ]
    engine rm -f -t 0 box >/dev/null
}

@test "podman: out of one pod into another" {
    command -v catatonit >/dev/null || skip "a pod needs catatonit"
    engine pod create --name one >/dev/null
    run_counter box --pod one
    engine container checkpoint --export "$WORLD/box.tar" --compress none box
    local before
    before=$(logged box)
    engine pod rm -f -t 0 one >/dev/null
    engine pod create --name two >/dev/null
    engine container restore --import "$WORLD/box.tar" --pod two
    goes_on box "$before"
    [ "$(engine inspect -f '{{.Pod}}' box)" = "$(engine pod inspect -f '{{.ID}}' two)" ]
    engine pod rm -f -t 0 two >/dev/null
}

# --- containerd -----------------------------------------------------------------------------------------------------------------

stop_containerd() {
    kill "$DAEMON"
    wait "$DAEMON" || true
}

start_containerd() {
    need_program containerd
    need_program ctr
    containerd --root "$WORLD/containerd" --state "$WORLD/containerd-state" --address "$WORLD/containerd.sock" >"$WORLD/containerd.log" 2>&1 3>&- &
    DAEMON=$!
    wait_until answers
    engine save -q --format oci-archive -o "$WORLD/image-oci.tar" localhost/counter:1
    c images import --snapshotter native "$WORLD/image-oci.tar" >/dev/null
    mkdir -p "$WORLD/data"
    rm -f "$WORLD"/data/*
}

c() {
    ctr -a "$WORLD/containerd.sock" "$@"
}

answers() {
    c version >/dev/null 2>&1
}

run_task() {
    c run -d --snapshotter native --runc-binary "$RUNTIME" --mount "type=bind,src=$WORLD/data,dst=/data,options=rbind:rw" localhost/counter:1 "$1" \
        sh -c 'echo own >/own; i=0; while :; do i=$((i + 1)); echo $i >>/data/all; echo $i >/data/.n; mv /data/.n /data/n; sleep 0.05; done'
    wait_until counts_beyond 3
}

end_task() {
    c tasks kill -s KILL "$1"
    wait_until task_is "$1" STOPPED
    c tasks rm "$1" >/dev/null 2>&1 || true # its code is 137
    c containers rm "$1"
}

task_is() {
    c tasks ls | grep -q "^$1 .*$2"
}

@test "containerd: ctr tasks checkpoint into a directory, going on and not" {
    start_containerd
    run_task one
    c tasks checkpoint --image-path "$WORLD/ctr-images" --work-path "$WORLD/ctr-work" one
    [ -e "$WORLD/ctr-images/inventory.img" ]
    [ -e "$WORLD/ctr-work/dump.log" ]
    task_is one RUNNING
    wait_until counts_beyond "$(($(count) + 3))"
    c tasks checkpoint --exit --image-path "$WORLD/ctr-images-2" one
    wait_until task_is one STOPPED
    c tasks rm one || true # its code is 137
    c containers rm one
}

@test "containerd: ctr containers checkpoint as an image, and a container out of it" {
    start_containerd
    run_task one
    c containers checkpoint --rw --image --task one localhost/checkpoint:1
    end_task one
    rm "$WORLD"/data/*
    c containers restore --rw --live two localhost/checkpoint:1
    wait_until task_is two RUNNING
    wait_until test -s "$WORLD/data/all"
    # Where it was when the image was made.
    [ "$(head -n 1 "$WORLD/data/all")" -gt 3 ]
    wait_until counts_beyond "$(($(count) + 3))"
    run c tasks exec --exec-id look two cat /own
    expect_output own
    end_task two
}
