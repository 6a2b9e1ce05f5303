#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime under Docker's daemon (--add-runtime, containerd and its shim in between): a client that we did not write decides. Its default
# network is made by an OCI hook. ./dev test conformance installs docker.io; elsewhere it is skipped.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load ../cli/helper
load daemon

setup_file() {
    world_setup_file
    export DOCKER_HOST=unix://$WORLD/docker.sock DOCKER_CONFIG=$WORLD/docker-home
    mkdir -p "$DOCKER_CONFIG"
    command -v dockerd >/dev/null && [ -z "$ALPINE_MISSING" ] && [ "$(id -u)" = 0 ] || return 0
    # Limits that need no CAP_SYS_RESOURCE.
    cat >"$WORLD/daemon.json" <<END
{ "data-root": "$WORLD/docker", "exec-root": "$WORLD/docker-run", "pidfile": "$WORLD/docker.pid", "hosts": ["$DOCKER_HOST"],
  "runtimes": { "cloche": { "path": "$CLOCHE_BUILD/cloche-runtime" } }, "default-runtime": "cloche",
  "default-ulimits": { "nofile": { "Name": "nofile", "Soft": 1024, "Hard": 1024 } }, "cgroup-parent": "/$CLOCHE_CGROUP_PARENT",
  "exec-opts": ["native.cgroupdriver=cgroupfs"], "iptables": false, "storage-driver": "vfs" }
END
    daemon_start "$WORLD/daemon.pid" dockerd --config-file "$WORLD/daemon.json"
    wait_until docker version && docker import "$ALPINE_TAR" alpine:test >/dev/null && touch "$WORLD/daemon.up"
    return 0
}

setup() {
    need_program dockerd docker
    need_daemon
}

teardown() {
    local ids
    [ -e "$WORLD/daemon.up" ] || return 0
    ids=$(docker ps -aq)
    # shellcheck disable=SC2086 # one word per id
    [ -z "$ids" ] || docker rm -f $ids >/dev/null
    world_teardown
}

teardown_file() {
    daemon_stop "$WORLD/daemon.pid"
    awk -v world="$WORLD/" 'index($5, world) == 1 { print $5 }' /proc/self/mountinfo | while read -r mount; do umount -l "$mount"; done
    world_teardown_file
}

@test "docker run: it is cloche-runtime that runs; output, input, exit codes" {
    [ "$(docker info --format '{{.DefaultRuntime}}')" = cloche ]
    run docker run --rm alpine:test sh -c 'echo hello; exit 3'
    expect_status 3
    expect_line hello
    [ "$(echo typed | docker run -i --rm alpine:test cat)" = typed ]
    docker run -d --name box alpine:test sleep 1000
    [ "$(docker inspect --format '{{.HostConfig.Runtime}}' box)" = cloche ]
    [ -n "$(find "$WORLD/docker-run" -name state.json -path '*runtime*')" ]
}

@test "docker info, recursive read-only mounts: what the runtime says in features" {
    [ "$(docker version --format '{{.Server.Version}}' | cut -d. -f1)" -ge 25 ] || skip "before version 25 Docker does not ask"
    run docker info --format '{{json (index .Runtimes "cloche").Status}}'
    [ "$(jq -r '."org.opencontainers.runtime-spec.features" | fromjson | .linux.namespaces | index("pid") != null' <<<"$output")" = true ]
    mkdir -p "$WORLD/tree/below"
    run docker run --rm --mount "type=bind,src=$WORLD/tree,dst=/r,readonly,bind-recursive=readonly,bind-propagation=rprivate" alpine:test touch /r/below/x
    expect_text "Read-only file system"
}

@test "docker run: the default bridge network, which a prestart hook connects" {
    run docker run --rm alpine:test ip -4 addr show eth0
    expect_status 0
    expect_text "inet 172."
    run docker run --rm --network none alpine:test ip addr
    expect_text LOOPBACK
    refute_text eth0
    docker run -d --name server alpine:test sh -c 'while :; do echo served | nc -l -p 80; done'
    run docker run --rm --link server alpine:test sh -c 'for i in $(seq 200); do nc -w 5 server 80 && exit; sleep 0.2; done'
    expect_line served
}

@test "docker run: 127 for a missing command, 126 for one that can't be executed" {
    run docker run --rm alpine:test missing
    expect_status 127
    expect_text "executable file not found in \$PATH"
    run docker run --rm alpine:test /etc/passwd
    expect_status 126
    expect_text "permission denied"
    run docker run --rm alpine:test /etc
    expect_status 126
}

@test "docker run -t: a terminal, its size, exec -t" {
    run_pty "docker run -it --rm alpine:test sh" <<'END'
expect #
line tty
expect /dev/pts/0
line exit 6
END
    expect_status 6
    docker run -d --name box alpine:test sleep 1000
    run docker exec -t box tty
    expect_text /dev/pts/
}

@test "docker exec, top, stop, start, restart, kill, rm" {
    docker run -d --name box alpine:test sh -c 'trap "exit 4" TERM; while :; do sleep 0.05; done'
    run docker exec -e A=b -w /tmp -u 1000 box sh -c 'echo "$A $PWD $(id -u)"; exit 5'
    expect_status 5
    expect_line "b /tmp 1000"
    run docker exec box missing
    expect_text "executable file not found in \$PATH"
    [ "$status" -ne 0 ]
    run docker top box
    expect_text "sleep 0.05"
    docker stop -t 60 box
    [ "$(docker inspect --format '{{.State.ExitCode}}' box)" -eq 4 ]
    docker start box
    docker restart -t 0 box
    docker kill box
    [ "$(docker wait box)" -eq 137 ]
    docker rm box
}

@test "docker pause, unpause, stats, update" {
    docker run -d --name box alpine:test sleep 1000
    docker pause box
    [ "$(docker inspect --format '{{.State.Status}}' box)" = paused ]
    docker unpause box
    [ "$(docker inspect --format '{{.State.Status}}' box)" = running ]
    run docker stats --no-stream --format '{{.Name}} {{.PIDs}}' box
    expect_line "box 1"
    docker update -m 64m --memory-swap 64m --pids-limit 33 box
    if [ -e /sys/fs/cgroup/memory ]; then
        run docker exec box cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max
    else
        run docker exec box cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max
    fi
    expect_output $'67108864\n33'
}

docker_told() { # EVENT CONTAINER
    docker events --since 0 --until 0s --filter "event=$1" --filter "container=$2" | grep -q .
}

@test "docker run: limits, an OOM kill that is told" {
    [ -e /sys/fs/cgroup/memory ] || [ -e /sys/fs/cgroup/memory.max ] || skip "no memory controller here"
    run docker run -m 16m --memory-swap 16m alpine:test sh -c 'x=a; while :; do x=$x$x; done'
    expect_status 137
    # Docker hears of a kill and of an end in two ways, and only what came first is in the state of who has ended: so here the end waits.
    docker run -d --name eater -m 16m --memory-swap 16m alpine:test sh -c '(x=a; while :; do x=$x$x; done); while [ ! -e /go ]; do sleep 0.1; done'
    wait_until docker_told oom eater
    docker exec eater touch /go
    docker wait eater
    [ "$(docker inspect --format '{{.State.OOMKilled}}' eater)" = true ]
}

@test "docker run: capabilities, read-only root, volumes, user, init, privileged, sysctl, tmpfs" {
    run docker run --rm --cap-drop all --cap-add chown alpine:test grep CapEff /proc/self/status
    expect_text 0000000000000001
    run docker run --rm --read-only alpine:test touch /x
    expect_text "Read-only file system"
    mkdir -p "$WORLD/volume"
    docker run --rm -v "$WORLD/volume:/v" alpine:test sh -c 'echo mine >/v/file'
    [ "$(cat "$WORLD/volume/file")" = mine ]
    run docker run --rm -u 1000:1001 --hostname glass alpine:test sh -c 'echo "$(id -u):$(id -g) $(hostname)"'
    expect_line "1000:1001 glass"
    run docker run --rm --privileged alpine:test sh -c 'mount -t tmpfs none /mnt && echo mounted'
    expect_line mounted
    run docker run --rm --sysctl net.ipv4.ip_forward=1 --tmpfs /t:size=1m alpine:test sh -c 'cat /proc/sys/net/ipv4/ip_forward; df -k /t | tail -n 1'
    expect_line 1
    expect_match "tmpfs +1024"
    run docker run --rm --security-opt no-new-privileges alpine:test grep NoNewPrivs /proc/self/status
    expect_match "1$"
}

@test "docker run: namespaces of another container, and the host's" {
    docker run -d --name box --ipc shareable alpine:test sleep 1000
    run docker run --rm --pid container:box --ipc container:box --network container:box alpine:test ps
    expect_match "1 +root +.*sleep 1000"
    run docker run --rm --pid host alpine:test sh -c 'ps | wc -l'
    [ "$output" -gt 10 ]
    docker run --rm --uts host --network host alpine:test hostname
}
