#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime checkpoint and restore with the real criu: `./dev vm checkpoint` boots a machine whose kernel and criu fit together. Elsewhere it is skipped;
# tests/cli/runtime-checkpoint.bats is about our side of it, with a criu that is played.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # dollars of the container's shell; read by the frame; status, output: set by run

WORLD_ALPINE=no
load ../cli/helper
load ../cli/runtime-helper
load checkpoint-frame

@test "a counter goes on counting where it was, and all around it is as it was" {
    start_counter
    local mounts group files
    mounts=$(mounts_of)
    files=$(devices_of)
    checkpoint
    nothing_is_left
    local before
    before=$(count)
    restore --pid-file "$WORLD/pid"
    wait_until counts_beyond "$((before + 3))"
    [ "$(cut -d' ' -f2,3 "$WORLD/data/n")" = "1 0" ]
    [ "$(status_of box)" = running ]
    [ "$(<"$WORLD/pid")" = "$(pid_of)" ]
    [ "$(mounts_of)" = "$mounts" ]
    [ "$(devices_of)" = "$files" ]
    run rt exec box hostname
    expect_output counter
    run rt exec box sh -c 'cat /proc/kcore; ls /proc/acpi; echo x >/proc/sys/kernel/hostname || echo read-only; ip -o link show up'
    expect_text read-only
    expect_match "lo:.*LOOPBACK"
    grep -q "$CLOCHE_CGROUP_PARENT/box" "/proc/$(pid_of)/cgroup"
    [ "$(grep -cF "$WORLD/oci" /proc/self/mountinfo)" = 0 ]
    rt kill box KILL
    wait_until has_status box stopped
    rt delete box
    nothing_is_left
}

@test "--leave-running: it goes on, and what comes out of the images is another one" {
    start_counter
    checkpoint --leave-running
    [ "$(status_of box)" = running ]
    local before
    before=$(count)
    wait_until counts_beyond "$((before + 3))"
    checkpoint
    restore
    wait_until counts_beyond "$((before + 6))"
    checkpoint
    nothing_is_left
}

@test "--pre-dump and --parent-path: what has not changed stays with the parent" {
    script 'x=$(head -c 8000000 /dev/zero | tr "\0" x); i=0; while :; do i=$((i + 1)); echo "$i $$ $PPID" >/data/n; sleep 0.05; done'
    ln -sf busybox "$BUNDLE/rootfs/bin/tr"
    start_counter
    local before
    IMAGES=$WORLD/images-first
    run checkpoint --pre-dump
    if [[ $output == *"can't track changes of memory"* ]]; then
        skip "$output"
    fi
    expect_status 0
    [ "$(status_of box)" = running ]
    IMAGES=$WORLD/images
    checkpoint --parent-path ../images-first
    # Of the whole no size says anything: whoever was just forked has all of its memory written anew. The shell's own variable is as it was.
    local there here
    read -r there here < <(in_parent "$IMAGES" 1)
    [ "$there" -ge $((8000000 / 4096)) ] || { echo "$there pages with the parent, $here anew"; false; }
    [ "$there" -gt "$here" ]
    before=$(count)
    restore
    wait_until counts_beyond "$((before + 3))"
    run checkpoint --parent-path /images-first
    expect_status 1
    expect_text "--parent-path /images-first: has to be relative"
}

@test "--page-server: the pages go to another program" {
    start_counter
    mkdir "$WORLD/images-there"
    criu page-server --images-dir "$WORLD/images-there" --address 127.0.0.1 --port 2711 </dev/null >"$WORLD/server" 2>&1 3>&- &
    local before server=$!
    listens() { grep -q ':0A97 .* 0A ' /proc/net/tcp; }
    wait_until listens
    checkpoint --page-server 127.0.0.1:2711
    wait "$server" || { cat "$WORLD/server"; false; }
    [ -z "$(find "$IMAGES" -name 'pages-*.img')" ]
    before=$(count)
    mv "$WORLD"/images-there/page*.img "$IMAGES/"
    restore
    wait_until counts_beyond "$((before + 3))"
    rt delete -f box
}

@test "--lazy-pages: what is not needed at once follows when it runs" {
    start_counter
    local before dump pages
    mkfifo "$WORLD/images-ready"
    rt checkpoint --image-path "$IMAGES" --lazy-pages --page-server 127.0.0.1:2712 --status-fd 9 box </dev/null >"$OUT" 2>&1 3>&- 9>"$WORLD/images-ready" &
    dump=$!
    read -r -d "" <"$WORLD/images-ready" || { cat "$OUT"; false; } # the zero byte
    criu lazy-pages --page-server --address 127.0.0.1 --port 2712 --images-dir "$IMAGES" --work-dir "$IMAGES" </dev/null >"$WORLD/pages" 2>&1 3>&- &
    pages=$!
    wait_until test -S "$IMAGES/lazy-pages.socket"
    before=$(count)
    # The old one is there until its last page was fetched.
    change --arg path "/$CLOCHE_CGROUP_PARENT/other" '.linux.cgroupsPath = $path'
    rt restore -d --image-path "$IMAGES" -b "$BUNDLE" --lazy-pages other </dev/null >>"$OUT" 2>&1 || { cat "$OUT"; grep Error "$IMAGES/restore.log"; false; }
    wait_until counts_beyond "$((before + 3))"
    wait "$dump" || { cat "$OUT"; false; }
    wait "$pages" || { cat "$WORLD/pages"; false; }
    [ "$(rt list -q)" = other ]
    rt delete -f other
}

@test "pipes: the output goes to who restores it" {
    script 'i=0; while :; do i=$((i + 1)); echo "$i"; echo "$i $$ $PPID" >/data/.n; mv /data/.n /data/n; sleep 0.05; done'
    rt run -d -b "$BUNDLE" box </dev/null 2>"$OUT" | cat >"$WORLD/first" 3>&- &
    wait_until test -s "$WORLD/data/n"
    wait_until counts_beyond 5
    checkpoint
    grep -q pipe: "$IMAGES/descriptors.json"
    wait_until grep -qx 5 "$WORLD/first"
    local before
    before=$(count)
    rt restore -d --image-path "$IMAGES" -b "$BUNDLE" box </dev/null 2>>"$OUT" | cat >"$WORLD/second" 3>&- &
    wait_until grep -qx "$((before + 3))" "$WORLD/second"
    [ "$(head -n 1 "$WORLD/second")" -gt 5 ]
}

@test "a terminal: who restores it gets it" {
    script 'i=0; while :; do i=$((i + 1)); echo "count $i"; sleep 0.05; done'
    change '.process.terminal = true'
    rm -f "$WORLD/console" "$WORLD/listening"
    python3 "$HELPER_DIR/console-receiver.py" "$WORLD/console" >"$WORLD/first" 2>"$WORLD/listening" 3>&- &
    wait_until grep -q listening "$WORLD/listening"
    rt run -d -b "$BUNDLE" --console-socket "$WORLD/console" box
    wait_until grep -q "count 5" "$WORLD/first"
    checkpoint
    rm -f "$WORLD/console" "$WORLD/listening"
    python3 "$HELPER_DIR/console-receiver.py" "$WORLD/console" >"$WORLD/second" 2>"$WORLD/listening" 3>&- &
    wait_until grep -q listening "$WORLD/listening"
    restore --console-socket "$WORLD/console"
    wait_until grep -q "count 1[0-9]" "$WORLD/second"
    [ "$(grep -c "count 1[^0-9]" "$WORLD/second")" = 0 ]
    run rt exec box readlink /proc/1/fd/0
    expect_match "^/dev/(pts/0|console)$"
}

@test "in the foreground: its code is ours, and it is deleted" {
    script 'i=0; while [ ! -e /data/stop ]; do i=$((i + 1)); echo "$i $$ $PPID" >/data/.n; mv /data/.n /data/n; sleep 0.05; done; exit 7'
    start_counter
    checkpoint
    local before
    before=$(count)
    { rt restore --image-path "$IMAGES" -b "$BUNDLE" box </dev/null >"$OUT" 2>&1 || echo "code $?" >>"$OUT"; } 3>&- &
    wait_until counts_beyond "$((before + 3))"
    touch "$WORLD/data/stop"
    wait_until grep -q "^code" "$OUT"
    grep -qx "code 7" "$OUT" || { cat "$OUT"; false; }
    nothing_is_left
}

@test "a restore that fails leaves nothing, and says why" {
    start_counter
    checkpoint
    rm "$IMAGES"/core-1.img
    run rt restore -d --image-path "$IMAGES" -b "$BUNDLE" box
    expect_status 1
    expect_match "^cloche-runtime: criu restore: .*; all of it: $IMAGES/restore.log$"
    nothing_is_left
    run rt restore -d --image-path "$WORLD/none" -b "$BUNDLE" box
    expect_status 1
    expect_text "--image-path $WORLD/none"
    nothing_is_left
}

@test "a checkpoint that fails: the container goes on" {
    script 'exec 5>/data/big; dd if=/dev/zero bs=1000000 count=3 >&5; rm /data/big; i=0; while :; do i=$((i + 1)); echo "$i $$ $PPID" >/data/.n; mv /data/.n /data/n; sleep 0.05; done'
    ln -sf busybox "$BUNDLE/rootfs/bin/rm"
    start_counter
    run checkpoint
    expect_status 1
    expect_text "all of it: $IMAGES/dump.log"
    local before
    before=$(count)
    wait_until counts_beyond "$((before + 3))"
    [ "$(status_of box)" = running ]
}

@test "a root file system without the mount points: they are made" {
    mkdir -p "$WORLD/other/rootfs"
    start_counter
    checkpoint
    local before
    before=$(count)
    cp -a "$BUNDLE/rootfs/bin" "$WORLD/other/rootfs/"
    mkdir "$WORLD/other/rootfs/tmp"
    cp "$BUNDLE/config.json" "$WORLD/other/"
    rt restore -d --image-path "$IMAGES" -b "$WORLD/other" box </dev/null >>"$OUT" 2>&1 || { cat "$OUT"; false; }
    wait_until counts_beyond "$((before + 3))"
    [ -d "$WORLD/other/rootfs/data" ]
    [ ! -e "$WORLD/other/rootfs/dev/pts" ]
}

@test "limits hold again; a second name, another control group" {
    need_controller memory
    change '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 50 } }'
    start_counter
    checkpoint
    local before
    before=$(count)
    change --arg path "/$CLOCHE_CGROUP_PARENT/other" '.linux.cgroupsPath = $path'
    rt restore -d --image-path "$IMAGES" -b "$BUNDLE" other </dev/null >>"$OUT" 2>&1 || { cat "$OUT"; false; }
    wait_until counts_beyond "$((before + 3))"
    grep -q "$CLOCHE_CGROUP_PARENT/other" "/proc/$(pid_of other)/cgroup"
    [ "$(<"$(group_mount memory)/$CLOCHE_CGROUP_PARENT/other/memory.max")" = 67108864 ]
    [ "$(<"$(group_mount pids)/$CLOCHE_CGROUP_PARENT/other/pids.max")" = 50 ]
    run rt exec other cat /proc/self/cgroup
    expect_status 0
    [ "$(grep -vc ':/$' <<<"$output")" = 0 ] # in each hierarchy its own group is the top
}

@test "a paused container; a read-only root; a bind that brings mounts along" {
    mkdir -p "$WORLD/data/below"
    mount -t tmpfs below "$WORLD/data/below"
    echo there >"$WORLD/data/below/file"
    change --arg data "$WORLD/data" '.root.readonly = true | .mounts += [{ destination: "/fixed", type: "bind", source: $data, options: ["bind", "ro"] }]'
    start_counter
    rt pause box
    checkpoint
    local before
    before=$(count)
    restore
    [ "$(status_of box)" != paused ] || rt resume box
    wait_until counts_beyond "$((before + 3))"
    run rt exec box sh -c 'cat /data/below/file; touch /x; touch /fixed/x; touch /data/x && echo written'
    expect_line there
    expect_text "touch: /x: Read-only file system"
    expect_text "touch: /fixed/x: Read-only file system"
    expect_line written
    rt delete -f box
    umount "$WORLD/data/below"
}

@test "a user namespace: it goes on counting in one with the same maps, and nobody else could read the images" {
    # Two directories of one file system, whose mount on the host is shared: neither could lend the other its master.
    mkdir "$WORLD/data/more"
    change --arg more "$WORLD/data/more" --arg bin "$BUNDLE/rootfs/bin" '.mounts += [{ destination: "/more", type: "bind", source: $more, options: ["bind"] },
        { destination: "/tools", type: "bind", source: $bin, options: ["bind", "ro"] }]'
    in_user_ns
    script 'echo own >/dev/own; i=0; while :; do i=$((i + 1)); echo "$i $$ $PPID" >/data/.n; mv /data/.n /data/n; sleep 0.05; done'
    start_counter
    local mounts files pid before
    mounts=$(mounts_of)
    files=$(devices_of)
    pid=$(pid_of)
    checkpoint
    nothing_is_left
    before=$(count)
    restore || { tail -n 40 "$IMAGES/restore.log"; false; }
    wait_until counts_beyond "$((before + 3))"
    [ "$(cut -d' ' -f2,3 "$WORLD/data/n")" = "1 0" ]
    [ "$(tr -s ' ' <"/proc/$(pid_of)/uid_map")" = " 0 100000 65536" ]
    [ "$(stat -c %u "$WORLD/data/n")" = 100000 ]
    [ "$(mounts_of)" = "$mounts" ]
    [ "$(devices_of)" = "$files" ]
    # What the host mounts later is seen in there, as it was before.
    grep -q ' /more .* master:' "/proc/$(pid_of)/mountinfo"
    mount -t tmpfs later "$WORLD/data/more"
    touch "$WORLD/data/more/later"
    run rt exec box ls /more
    umount "$WORLD/data/more"
    expect_output later
    run rt exec box sh -c 'id -u; hostname; cat /dev/own; cat /proc/kcore; touch /proc/kcore; echo x >/proc/sys/kernel/hostname || echo read-only; ip -o link show up'
    expect_line 0
    expect_line counter
    expect_line own
    expect_text read-only
    expect_match "lo:.*LOOPBACK"
    [ "$(stat -c '%a %u' "$IMAGES")" = "700 0" ]
    [ "$(stat -c '%a %u' "$IMAGES/dev")" = "700 0" ]
    rt delete -f box
    nothing_is_left
}

@test "hooks: prestart and createRuntime again, poststop at each end" {
    printf '#!/bin/sh\ncat >/dev/null; echo "$1" >>"%s/hooks"\n' "$WORLD" >"$WORLD/hook"
    chmod +x "$WORLD/hook"
    change --arg hook "$WORLD/hook" '.hooks = (["prestart", "createRuntime", "poststart", "poststop"] | map({ key: ., value: [{ path: $hook, args: ["hook", .] }] }) | from_entries)'
    start_counter
    checkpoint
    restore
    rt delete -f box
    [ "$(paste -sd' ' "$WORLD/hooks")" = "prestart createRuntime poststart poststop prestart createRuntime poststop" ]
}

@test "a network namespace that was joined is joined again, as it is" {
    need_program ip
    ip netns add cloche-test-net
    ip -n cloche-test-net link add name probe0 type dummy
    change '.linux.namespaces |= map(if .type == "network" then .path = "/run/netns/cloche-test-net" else . end)'
    start_counter
    checkpoint
    local before
    before=$(count)
    restore
    wait_until counts_beyond "$((before + 3))"
    run rt exec box ip -o link show
    expect_text probe0
    rt delete -f box
    ip netns del cloche-test-net
}

# A process that has namespaces of its own for a container to join, and reaps.
start_holder() {
    unshare --fork --pid --ipc --uts --time --mount-proc bash -c 'trap : CHLD; echo $$ >"$1"; while :; do sleep 1000 & wait; done' holder "$WORLD/holder" </dev/null >/dev/null 2>&1 3>&- &
    HOLDER=$!
    wait_until test -s "$WORLD/holder"
    INSIDE=$(pgrep -P "$HOLDER")
}

stop_holder() {
    kill -KILL "$INSIDE"
    wait "$HOLDER" || true
    rm "$WORLD/holder"
}

@test "pid, ipc, uts and time namespaces that were joined are joined again" {
    need_program pgrep
    local types='["pid", "ipc", "uts", "time"]' before type
    start_holder
    change --argjson types "$types" --arg pid "$INSIDE" 'del(.hostname) | .linux.namespaces |= map(select(.type as $type | $types | index($type) | not))
        + [$types[] | { type: ., path: "/proc/\($pid)/ns/\(.)" }]'
    start_counter
    before=$(cut -d' ' -f2 "$WORLD/data/n")
    [ "$before" != 1 ]
    checkpoint
    [ "$(cut -d' ' -f2 "$WORLD/data/n")" = "$before" ]
    before=$(count)
    restore || { grep Error "$IMAGES/restore.log"; false; }
    wait_until counts_beyond "$((before + 3))"
    for type in pid ipc uts time; do
        [ "$(readlink "/proc/$(pid_of)/ns/$type")" = "$(readlink "/proc/$INSIDE/ns/$type")" ] || { echo "$type: $(ls -l "/proc/$(pid_of)/ns")"; false; }
    done
    rt delete -f box
    stop_holder
}

@test "linux.netDevices: an interface that was moved in is there again" {
    need_program ip
    add() {
        ip link add name cloche-test0 type dummy
        ip addr add 10.99.0.1/24 dev cloche-test0
    }
    add
    change '.linux.netDevices = { "cloche-test0": { name: "eth0" } }'
    start_counter
    checkpoint
    no_link() { ! ip link show cloche-test0 2>/dev/null; }
    wait_until no_link
    add # a dummy goes with its namespace
    local before
    before=$(count)
    restore
    wait_until counts_beyond "$((before + 3))"
    run rt exec box ip -o addr show up
    expect_match "eth0 .*10.99.0.1/24"
    expect_match "lo .*127.0.0.1"
    no_link
    rt delete -f box
}

@test "id-mapped mounts, with a user namespace and without" {
    mkdir "$WORLD/data/others"
    chown 1000:1001 "$WORLD/data/others"
    local map before
    for map in '{ containerID: 1000, hostID: 7, size: 1 }' '{ containerID: 1000, hostID: 100007, size: 1 }'; do
        cp "$BUNDLE/config.json" "$WORLD/plain.json"
        change --arg source "$WORLD/data/others" ".mounts += [{ destination: \"/mapped\", type: \"bind\", source: \$source, options: [\"bind\", \"idmap\"],
            uidMappings: [$map], gidMappings: [$map | .containerID = 1001] }]"
        [[ $map == *": 7,"* ]] || in_user_ns
        [[ $map == *": 7,"* ]] || chown 1000:1001 "$WORLD/data/others"
        start_counter
        [ "$(rt exec box stat -c %u:%g /mapped)" = 7:7 ] || { rt exec box stat -c %u:%g /mapped; false; }
        checkpoint
        before=$(count)
        restore || { grep Error "$IMAGES/restore.log"; false; }
        wait_until counts_beyond "$((before + 3))"
        [ "$(rt exec box stat -c %u:%g /mapped)" = 7:7 ]
        rt delete -f box
        rm -rf "$IMAGES"
        cp "$WORLD/plain.json" "$BUNDLE/config.json"
    done
}

@test "CAP_SYS_ADMIN in a user namespace: with nothing to hide, and what is read-only stays so" {
    in_user_ns
    change --arg data "$WORLD/data" '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"]) | del(.linux.maskedPaths, .linux.readonlyPaths)
        | .mounts += [{ destination: "/fixed", type: "bind", source: $data, options: ["bind", "ro", "nosuid", "nodev"] }]'
    start_counter
    local look='mount -o remount,bind,rw /fixed; touch /fixed/x; mount -o remount,bind,rw,suid,dev /fixed; mount -t tmpfs own /tmp && echo mighty' before
    run rt exec box sh -c "$look"
    expect_text "Read-only file system"
    expect_line mighty
    checkpoint
    before=$(count)
    restore || { grep Error "$IMAGES/restore.log"; false; }
    wait_until counts_beyond "$((before + 3))"
    run rt exec box sh -c "$look"
    expect_text "touch: /fixed/x: Read-only file system"
    expect_line mighty
    [ ! -e "$WORLD/data/x" ]
    [[ " $(mounts_of | awk '$1 == "/fixed" { print $2 }')," == *nosuid*nodev* ]]
    rt delete -f box
}

load_profile() {
    printf 'profile %s flags=(attach_disconnected) {\n file,\n capability,\n network,\n signal,\n mount,\n ptrace,\n unix,\n}\n' "$1" >"$WORLD/profile-$1"
    apparmor_parser --replace --skip-cache "$WORLD/profile-$1"
}

label_of() {
    sed 's/ (.*//' "/proc/$(pid_of)/attr/apparmor/current"
}

@test "AppArmor: the same profile again, and with --lsm-profile another" {
    need_program apparmor_parser
    [ -e /sys/kernel/security/apparmor/profiles ] || skip "this kernel has no AppArmor, or it is off"
    load_profile cloche-test-one
    load_profile cloche-test-two
    change '.process.apparmorProfile = "cloche-test-one"'
    start_counter
    [ "$(label_of)" = cloche-test-one ]
    checkpoint
    local before
    before=$(count)
    restore || { grep Error "$IMAGES/restore.log"; false; }
    wait_until counts_beyond "$((before + 3))"
    [ "$(label_of)" = cloche-test-one ] || { label_of; false; }
    rt delete -f box
    before=$(count)
    restore --lsm-profile apparmor:cloche-test-two || { grep Error "$IMAGES/restore.log"; false; }
    wait_until counts_beyond "$((before + 3))"
    [ "$(label_of)" = cloche-test-two ] || { label_of; false; }
    rt delete -f box
    apparmor_parser --remove "$WORLD"/profile-cloche-test-*
}

# The last number that came back over the connection.
echoed() {
    tail -n 1 "$WORLD/data/echo" 2>/dev/null | grep -x '[0-9]*' || echo 0
}

echoes_beyond() {
    [ "$(echoed)" -gt "$1" ]
}

@test "--tcp-established: a connection goes on, and without it the container does" {
    ln -sf busybox "$BUNDLE/rootfs/bin/nc"
    # Numbers go to a server in there and come back; any end of the connection would be the end of both.
    script 'nc -l -p 5000 -e cat & until grep -q ":1388 .* 0A " /proc/net/tcp /proc/net/tcp6; do sleep 0.05; done
        i=0; while :; do i=$((i + 1)); echo $i; sleep 0.05; done | nc 127.0.0.1 5000 >/data/echo; echo over >>/data/echo'
    rt run -d -b "$BUNDLE" box </dev/null >"$OUT" 2>&1 || { cat "$OUT"; false; }
    wait_until echoes_beyond 5
    run checkpoint
    expect_status 1
    expect_text "all of it: $IMAGES/dump.log"
    wait_until echoes_beyond "$(echoed)"
    checkpoint --tcp-established
    local before
    before=$(echoed)
    restore --tcp-established
    wait_until echoes_beyond "$((before + 5))"
    # None is missing, and none came twice.
    [ "$(head -n -1 "$WORLD/data/echo" | awk '$1 != NR' | wc -l)" = 0 ]
}

is_locked() {
    ! flock -n "$WORLD/data/lock" true
}

@test "--file-locks: a lock is held again; --link-remap: an open file that has lost this name" {
    need_program flock
    need_program cc
    echo '#include <fcntl.h>
        #include <sys/file.h>
        #include <unistd.h>
        int main(void) { return flock(open("/data/lock", O_CREAT | O_RDWR, 0600), LOCK_EX) || pause(); }' | cc -static -x c -o "$BUNDLE/rootfs/bin/lock" -
    echo kept >"$WORLD/data/one"
    script 'exec 8</data/one; ln /data/one /data/two; rm /data/one; lock &
        i=0; while :; do i=$((i + 1)); echo "$i $$ $PPID" >/data/.n; mv /data/.n /data/n; [ ! -e /data/read ] || cat <&8 >>/data/was-read; sleep 0.05; done'
    ln -sf busybox "$BUNDLE/rootfs/bin/rm"
    start_counter
    wait_until is_locked
    local words before
    for words in --link-remap --file-locks; do
        run checkpoint "$words"
        expect_status 1
        expect_text "criu dump: "
    done
    checkpoint --link-remap --file-locks
    ! is_locked || { echo "somebody has it still"; false; }
    before=$(count)
    restore --file-locks || { grep Error "$IMAGES/restore.log"; false; }
    wait_until counts_beyond "$((before + 3))"
    is_locked
    touch "$WORLD/data/read"
    wait_until grep -qx kept "$WORLD/data/was-read"
}

@test "killed with criu at work: delete cleans up, whatever is there by then" {
    local point
    start_counter
    checkpoint
    for point in "cgroup ready" setup-namespaces post-restore "container recorded" network-unlock; do
        CLOCHE_TEST_KILL="cloche:$point" rt restore -d --image-path "$IMAGES" -b "$BUNDLE" box </dev/null >/dev/null 2>&1 && { echo "never came by: $point"; return 1; }
        rt delete -f box
        nothing_is_left || { echo "left after a kill at: $point"; return 1; }
    done
    restore
}
