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
    [ ! -d "$WORLD/user" ] || rootless_end
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

# What is left of a container goes with the clean-up that conmon begins, which nobody waits for.
is_empty() {
    [ -z "$(ls -A "$1")" ]
}

# said RUN [OPTION...] -- COMMAND...: `podman run --rm` of a command, by the function RUN. Where conmon gets no time between two lines of its own, it misses that Podman has
# connected for the output of a container that has ended by then (docs/runtime-cli.md). It has not missed it once it has handed on input: the command waits for a line.
said() {
    local run=$1 options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    echo | "$run" -i --rm "${options[@]}" alpine:test sh -c 'read -r _; exec "$@"' sh "$@"
}

podman_status() {
    podman_ inspect --format '{{.State.Status}}' "$1"
}

@test "podman run: output, input, exit codes" {
    run said podman_run -- sh -c 'echo hello; exit 3'
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
    run podman_run --rm alpine:test /etc
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
    wait_until is_empty "$WORLD/oci"
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
    run said podman_run -m 64m --pids-limit 33 -- cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max
    expect_output $'67108864\n33'
}

@test "podman run: capabilities, read-only root, volumes, user" {
    run said podman_run --cap-drop all --cap-add chown -- grep CapEff /proc/self/status
    expect_text 0000000000000001
    run said podman_run --read-only --read-only-tmpfs=false -- touch /x
    expect_text "Read-only file system"
    mkdir -p "$WORLD/volume"
    podman_run --rm -v "$WORLD/volume:/v" alpine:test sh -c 'echo mine >/v/file'
    [ "$(cat "$WORLD/volume/file")" = mine ]
    run said podman_run -u 1000:1001 --hostname glass -- sh -c 'echo "$(id -u):$(id -g) $(hostname)"'
    expect_output "1000:1001 glass"
    run said podman_run --privileged -- sh -c 'mount -t tmpfs none /mnt && echo mounted'
    expect_output mounted
}

@test "podman run: namespaces of another container, and the host's pids" {
    podman_run -d --name box alpine:test sleep 1000
    run said podman_run --pid container:box --ipc container:box -- ps
    expect_match "1 +root +.*sleep 1000"
    podman_run -d --name host --pid host alpine:test sleep 1001
    podman_ rm -f -t 0 host
}

# --- user namespaces ------------------------------------------------------------------------------------------------------------

MAPS=(--uidmap 0:300000:70000 --gidmap 0:300000:70000)

@test "podman run --uidmap, --gidmap: ids, exec, a terminal, an id-mapped volume" {
    run said podman_run "${MAPS[@]}" -- sh -c 'cat /proc/self/uid_map; stat -c %u:%g /etc/passwd; touch /mine && echo made'
    expect_status 0
    expect_match "0 +300000 +70000"
    expect_line 0:0
    expect_line made
    podman_run -d --name box "${MAPS[@]}" alpine:test sleep 1000
    [ "$(stat -c %u "/proc/$(podman_ inspect --format '{{.State.Pid}}' box)")" = 300000 ]
    run podman_ exec -u 1000:1000 box id -u
    expect_output 1000
    podman_ rm -f -t 0 box
    mkdir -p "$WORLD/idmapped"
    echo x >"$WORLD/idmapped/file"
    run said podman_run "${MAPS[@]}" -v "$WORLD/idmapped:/v:idmap" -- stat -c %u:%g /v/file
    expect_output 0:0
}

@test "podman run --userns=auto, container: and their other namespaces" {
    # Whose ids it may give is said in /etc/subuid, in there.
    printf 'containers:400000:200000\n' >"$WORLD/subids"
    chmod 644 "$WORLD/subids"
    run unshare --mount --propagation private sh -c 'mount --bind "$1" /etc/subuid && mount --bind "$1" /etc/subgid && shift && exec "$@"' sh "$WORLD/subids" \
        podman --root "$WORLD/podman" --runroot "$WORLD/podman-run" --tmpdir "$WORLD/podman-tmp" --storage-driver vfs \
        run -i --cgroup-parent "/$CLOCHE_CGROUP_PARENT" --rm --userns=auto:size=5000 alpine:test sh -c 'read -r _; cat /proc/self/uid_map' <<<''
    expect_status 0
    expect_match "0 +400000 +5000"
    podman_run -d --name box "${MAPS[@]}" alpine:test sleep 1000
    run said podman_run --userns container:box --pid container:box --ipc container:box -- sh -c 'readlink /proc/self/ns/user; ps'
    expect_status 0
    expect_line "$(readlink "/proc/$(podman_ inspect --format '{{.State.Pid}}' box)/ns/user")"
    expect_match "1 root +.* sleep 1000"
}

@test "podman pod: containers share user, pid, ipc and uts namespace" {
    podman_ pod create --name pod --infra-image alpine:test --infra-command "sleep 1000" --cgroup-parent "/$CLOCHE_CGROUP_PARENT" --share ipc,uts,pid "${MAPS[@]}"
    podman_run -d --pod pod --name one alpine:test sleep 1001
    run said podman_run --pod pod -- sh -c 'ps; hostname; cat /proc/self/uid_map'
    podman_ pod rm -f -t 0 pod
    # The pod's own group, which Podman leaves in the hierarchies that it has no controller in.
    world_cgroups | while read -r group; do find "$group" -mindepth 1 -depth -type d ! -name conmon -exec rmdir {} + 2>/dev/null || true; done
    expect_status 0
    expect_match "1 root .* sleep 1000"
    expect_match "root .* sleep 1001"
    expect_line pod
    expect_match "0 +300000 +70000"
}

# --- an ordinary user -----------------------------------------------------------------------------------------------------------

# rootless ARGUMENT…: Podman of nobody, to whom private /etc/subuid and /etc/subgid lend ids, and who is also in the group 12399.
rootless() {
    unshare --mount --propagation private sh -c 'mount --bind "$1" /etc/subuid && mount --bind "$1" /etc/subgid && cd / && shift && exec "$@"' sh "$WORLD/lent" \
        setpriv --reuid 65534 --regid 65534 --groups 65534,12399 env -i PODMAN_IGNORE_CGROUPSV1_WARNING=1 PATH="$PATH" HOME="$WORLD/user" XDG_RUNTIME_DIR="$WORLD/user/run" \
        CONTAINERS_CONF="$WORLD/user/containers.conf" podman --storage-driver vfs "$@"
}

rootless_run() {
    rootless run "$@"
}

# Without a group of its own (cgroups=disabled), as where nothing is delegated to the user.
rootless_setup() {
    need_program newuidmap setpriv
    [ -e /etc/subuid ] && [ -e /etc/subgid ] || skip "needs /etc/subuid and /etc/subgid"
    [ -e /proc/self/ns/user ] || skip "needs user namespaces"
    mkdir -p "$WORLD/user/run"
    cp "$CLOCHE_BUILD/cloche-runtime" "$WORLD/user/"
    sed -e 's,^netns.*,&\ncgroups = "disabled",' -e "s,^cloche-runtime = .*,cloche-runtime = [\"$WORLD/user/cloche-runtime\"]," \
        -e 's,^runtime_supports_json.*,&\nruntime_supports_nocgroup = ["cloche-runtime"]\nruntime_supports_nocgroups = ["cloche-runtime"],' \
        "$WORLD/containers.conf" >"$WORLD/user/containers.conf"
    cp "$ALPINE_TAR" "$WORLD/user/alpine.tar.gz"
    echo "nobody:500000:65536" >"$WORLD/lent"
    chmod 644 "$WORLD/lent"
    chmod 711 "$WORLD"
    chown -R 65534:65534 "$WORLD/user"
    setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user true 2>/dev/null || skip "ordinary users may make no user namespaces here"
    setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$WORLD/user/cloche-runtime" || skip "the way to $WORLD is not open to other users"
    rootless import -q "$WORLD/user/alpine.tar.gz" alpine:test >"$WORLD/user.out" 2>&1 || skip "rootless podman does not work here: $(tail -n 1 "$WORLD/user.out")"
}

# Its containers, and the process that keeps its namespaces.
rootless_end() {
    rootless rm -fa -t 0 >/dev/null 2>&1 || true # nothing to lose
    wait_until rootless_is_over
    rm -rf "$WORLD/user"
}

# Podman's own process that keeps its namespaces, and clean-ups that conmon has begun, which start another one of those.
rootless_is_over() {
    local pid is_over=0
    for pid in $(grep -lsxz -- "HOME=$WORLD/user" /proc/[0-9]*/environ | cut -d/ -f3); do
        is_over=1
        kill "$pid" 2>/dev/null || true
    done
    return $is_over
}

@test "podman as an ordinary user: run, exec, keep-id, maps, keep-groups" {
    local file=$WORLD/user/shared
    rootless_setup
    run said rootless_run -- sh -c 'id -u; cat /proc/self/uid_map; echo x >/dev/null; exit 3'
    expect_status 3
    expect_line 0
    expect_match "1 +500000 +65536"
    run said rootless_run --userns=keep-id -- id -u
    expect_line 65534
    run said rootless_run --uidmap 0:1:1000 --gidmap 0:1:1000 -- cat /proc/self/uid_map
    expect_match "0 +1 +1000"
    rootless run -d --name box alpine:test sleep 1000
    run rootless exec -u 1000:1000 box id -u
    expect_line 1000
    # Both are in Podman's own, which nobody in it can join.
    run said rootless_run --userns=container:box -- sh -c 'readlink /proc/self/ns/user; cat /proc/self/uid_map'
    expect_status 0
    expect_line "$(readlink "/proc/$(rootless inspect --format '{{.State.Pid}}' box)/ns/user")"
    expect_match "1 +500000 +65536"
    rootless stop -t 0 box
    rootless rm box
    # A group of the user's that it can't map.
    echo shared >"$file"
    chown 0:12399 "$file"
    chmod 640 "$file"
    run said rootless_run --group-add keep-groups -v "$file:/shared" -- cat /shared
    expect_line shared
    wait_until is_empty "$WORLD/user/run/cloche-runtime"
}

# helped ARGUMENT…: the same with the helpers of rootless engines, fuse-overlayfs and slirp4netns, which need devices that this machine may keep for root: copies of them,
# in a mount namespace of our own.
helped() {
    unshare --mount --propagation private sh -c '
        for device in fuse net/tun; do mount --bind "$1/${device##*/}" "/dev/$device" || exit; done; mount --bind "$1/lent" /etc/subuid && mount --bind "$1/lent" /etc/subgid &&
        cd / && shift && exec "$@"' sh "$WORLD" \
        setpriv --reuid 65534 --regid 65534 --groups 65534,12399 env -i PODMAN_IGNORE_CGROUPSV1_WARNING=1 PATH="$PATH" HOME="$WORLD/user" XDG_RUNTIME_DIR="$WORLD/user/run" \
        CONTAINERS_CONF="$WORLD/user/containers.conf" podman --root "$WORLD/user/layers" --runroot "$WORLD/user/run/layers" \
        --storage-driver overlay --storage-opt overlay.mount_program="$(command -v fuse-overlayfs)" "$@"
}

helped_run() {
    helped run "$@"
}

helpers_setup() {
    need_program fuse-overlayfs slirp4netns curl
    rootless_setup
    rootless_end_pause
    [ -c /dev/fuse ] && [ -c /dev/net/tun ] || skip "needs /dev/fuse and /dev/net/tun"
    mknod -m 666 "$WORLD/fuse" c 10 229 && mknod -m 666 "$WORLD/tun" c 10 200 || skip "device nodes can't be made here"
    helped import -q "$WORLD/user/alpine.tar.gz" alpine:test >"$WORLD/user.out" 2>&1 || skip "podman with fuse-overlayfs does not work here: $(tail -n 1 "$WORLD/user.out")"
}

# It holds the mount namespace of who came first, without the copies.
rootless_end_pause() {
    local pid
    for pid in $(cat "$WORLD"/user/run/libpod/tmp/pause.pid 2>/dev/null); do kill "$pid" && wait_until test ! -e "/proc/$pid"; done
    rm -f "$WORLD/user/run/libpod/tmp/pause.pid"
}

# One of the host's that nobody listens at; two tests at a time do not begin to look at the same one.
free_port() {
    local port=$((10000 + $$ % 20000))
    while (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}

answers() {
    [ "$(curl -s -m "$PATIENCE" "http://127.0.0.1:$1/page")" = served ]
}

@test "podman as an ordinary user with fuse-overlayfs and slirp4netns: run -d, exec, logs, a published port, kill, rm; the host's network" {
    local port
    helpers_setup
    port=$(free_port)
    helped run -d --name box --network slirp4netns -p "127.0.0.1:$port:8080" alpine:test \
        sh -c 'echo served >/tmp/page; echo begun; cat >/tmp/answer; while :; do printf "HTTP/1.0 200 OK\r\n\r\nserved\n" | nc -l -p 8080; done'
    run helped exec box sh -c 'id -u; grep " / / " /proc/self/mountinfo; ip addr show tap0'
    expect_line 0
    expect_text "fuse-overlayfs"
    expect_text "10.0.2.100"
    wait_until answers "$port"
    run helped logs box
    expect_line begun
    helped kill box
    [ "$(helped wait box)" = 137 ]
    run helped inspect --format '{{.State.Status}} {{.State.ExitCode}}' box
    expect_output "exited 137"
    helped start box
    helped rm -f -t 0 box
    run said helped_run --network host -- ls /sys/class/net
    for name in /sys/class/net/*; do expect_line "${name##*/}"; done
    helped rm -fa -t 0
    wait_until is_empty "$WORLD/user/run/cloche-runtime"
    rootless_end_pause
}
