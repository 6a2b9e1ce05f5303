#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime: a user namespace together with everything else that a container may have. What crun and runc show where they are installed has to be the same,
# so far as they can do it.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper
load runtime-userns

setup_file() {
    userns_setup_file
    [ -d "$BUNDLE" ] || return 0
    # NAME: which namespaces and ids it has, a line each.
    cat >"$WORLD/hook" <<'END'
#!/bin/sh
cat >/dev/null
seen=${0%/*}/seen
for type in user mnt net pid; do echo "$1 $type $(readlink /proc/self/ns/$type)"; done >>$seen
echo "$1 uid $(awk '$1 == "Uid:" { print $2 }' /proc/self/status) map $(awk '{ print $2 }' /proc/self/uid_map) all $(grep -c "^CapEff:.*1ff[0-9a-f]*$" /proc/self/status)" >>$seen
END
    ln -s busybox "$BUNDLE/rootfs/bin/awk"
    sed 's,^seen=.*,seen=/tmp/seen,' "$WORLD/hook" >"$BUNDLE/rootfs/hook"
    chmod 755 "$WORLD/hook" "$BUNDLE/rootfs/hook"
    chmod 711 "$WORLD"
}

setup() {
    userns_setup
    rm -f "$WORLD/seen"
}

teardown() {
    local pid
    for pid in ${HELD:-}; do
        kill "$pid"
        wait "$pid" || true # that of the signal
    done
    runtime_teardown
}

# hold UNSHARE-OPTION…: a process that keeps a namespace; its pid in $PID.
hold() {
    unshare "$@" sh -c 'echo ready; exec sleep 1000' >"$WORLD/held" 3>&- &
    PID=$!
    HELD="${HELD:-} $PID"
    wait_until grep -q ready "$WORLD/held"
}

# hold_user: a user namespace with the maps of with_user_ns.
hold_user() {
    hold --user
    echo "0 $FIRST 65536" >"/proc/$PID/uid_map"
    echo "0 $FIRST 65536" >"/proc/$PID/gid_map"
}

# ours TYPE, of this process.
ours() {
    readlink "/proc/self/ns/$1"
}

# same_with_peers [crun|runc…]: what the container prints is what it prints under those.
same_with_peers() {
    local peer own
    run rt run -b "$BUNDLE" box
    expect_status 0
    own=$output
    for peer in "$@"; do
        command -v "$peer" >/dev/null || continue
        run run_peer "$peer"
        expect_status 0
        expect_output "$own"
    done
    output=$own
}

# --- hooks ----------------------------------------------------------------------------------------------------------------------

with_hooks() {
    change --arg hook "$WORLD/hook" '.hooks = ((["prestart", "createRuntime", "createContainer", "poststart", "poststop"] |
        map({ key: ., value: [{ path: $hook, args: ["hook", .], env: ["PATH=/usr/bin:/bin"] }] }) | from_entries) +
        { startContainer: [{ path: "/hook", args: ["hook", "startContainer"], env: ["PATH=/bin"] }] })'
    script 'readlink /proc/self/ns/user; cat /tmp/seen'
    forget_hooks
}

forget_hooks() {
    rm -f "$BUNDLE/rootfs/tmp/seen"
    : >"$WORLD/seen"
    chmod 666 "$WORLD/seen"
}

check_hooks() {
    local kind inside=${lines[0]}
    for kind in prestart createRuntime poststart poststop; do
        grep -qxF "$kind user $(ours user)" "$WORLD/seen"
        grep -qxF "$kind net $(ours net)" "$WORLD/seen"
        grep -q "$kind uid 0 map 0 " "$WORLD/seen"
    done
    # createContainer: root of the container's namespaces, with all that root may do in there, and the host's files.
    for kind in user mnt net pid; do
        [ "$(awk -v kind=$kind '$1 == "createContainer" && $2 == kind { print $3 }' "$WORLD/seen")" != "$(ours $kind)" ]
    done
    grep -qxF "createContainer user $inside" "$WORLD/seen"
    grep -qxF "createContainer uid 0 map $FIRST all 1" "$WORLD/seen"
    # startContainer: the program's own confinement.
    expect_line "startContainer user $inside"
    expect_line "startContainer uid 0 map $FIRST all 0"
}

@test "hooks: which namespaces and ids each kind has, as under crun and runc" {
    local peer
    with_user_ns
    with_hooks
    run rt run -b "$BUNDLE" box
    expect_status 0
    check_hooks
    for peer in crun runc; do
        command -v $peer >/dev/null || continue
        forget_hooks
        run run_peer $peer
        expect_status 0
        check_hooks
    done
}

@test "hooks: createContainer sees a user namespace that is joined by path" {
    hold_user
    change --arg path "/proc/$PID/ns/user" '.linux.namespaces += [{ type: "user", path: $path }]'
    with_hooks
    run rt run -b "$BUNDLE" box
    expect_status 0
    [ "${lines[0]}" = "$(readlink "/proc/$PID/ns/user")" ]
    check_hooks
}

@test "hooks: prestart and createRuntime are given the pid of a process that is in the user namespace" {
    with_user_ns
    cat >"$WORLD/state-hook" <<END
#!/bin/sh
pid=\$(jq .pid)
readlink /proc/\$pid/ns/user >"$WORLD/state-user"
awk '\$1 == "Uid:" { print \$2 }' /proc/\$pid/status >"$WORLD/state-uid"
END
    chmod 755 "$WORLD/state-hook"
    change --arg hook "$WORLD/state-hook" '.hooks.createRuntime = [{ path: $hook, env: ["PATH=/usr/bin:/bin"] }]'
    script 'readlink /proc/self/ns/user'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_output "$(cat "$WORLD/state-user")"
    [ "$(cat "$WORLD/state-uid")" = $FIRST ]
}

# --- mounts ---------------------------------------------------------------------------------------------------------------------

@test "id-mapped mounts: the host's root is the container's there, and only there" {
    mkdir "$WORLD/mapped"
    echo x >"$WORLD/mapped/root"
    echo x >"$WORLD/mapped/five"
    chown 5:6 "$WORLD/mapped/five"
    with_user_ns
    change --arg source "$WORLD/mapped" '. as $all | .mounts += [
        { destination: "/data", type: "bind", source: $source, options: ["bind"], uidMappings: $all.linux.uidMappings, gidMappings: $all.linux.gidMappings },
        { destination: "/mnt", type: "bind", source: $source, options: ["bind"] }]'
    script 'stat -c "%n %u:%g" /data/root /data/five /mnt/root; echo new >/data/new; stat -c "%n %u:%g" /data/new; touch /mnt/x 2>/dev/null || echo refused; rm /data/new'
    same_with_peers crun # runc 1.1 goes on without, and says nothing
    expect_line "/data/root 0:0"
    expect_line "/data/five 5:6"
    expect_line "/data/new 0:0"
    expect_line "/mnt/root 65534:65534"
    expect_line refused
}

@test "id-mapped mounts: crun's option idmap alone means the container's own maps, also of a joined user namespace" {
    mkdir "$WORLD/own"
    echo x >"$WORLD/own/root"
    with_user_ns
    change --arg source "$WORLD/own" '.mounts += [{ destination: "/data", type: "bind", source: $source, options: ["bind", "idmap"] }]'
    script 'stat -c "%n %u:%g" /data/root'
    same_with_peers crun
    expect_output "/data/root 0:0"
    hold_user
    change --arg path "/proc/$PID/ns/user" '(.linux.namespaces[] | select(.type == "user")).path = $path | del(.linux.uidMappings, .linux.gidMappings)'
    run rt run -b "$BUNDLE" box
    expect_output "/data/root 0:0"
}

@test "tmpcopyup: owners are the container's, what is nobody's stays nobody's" {
    mkdir -p "$BUNDLE/rootfs/copy"
    echo a >"$BUNDLE/rootfs/copy/root"
    echo b >"$BUNDLE/rootfs/copy/user"
    echo c >"$BUNDLE/rootfs/copy/foreign"
    chown $FIRST:$FIRST "$BUNDLE/rootfs/copy" "$BUNDLE/rootfs/copy/root"
    chown $((FIRST + 1000)):$((FIRST + 1001)) "$BUNDLE/rootfs/copy/user"
    chown 5:5 "$BUNDLE/rootfs/copy/foreign"
    chmod 4755 "$BUNDLE/rootfs/copy/user"
    with_user_ns
    change '.mounts += [{ destination: "/copy", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] }]'
    script 'cd /copy; stat -c "%n %u:%g %a" root user foreign; cat root user foreign; echo new >root; grep -c " /copy .*tmpfs" /proc/self/mountinfo'
    same_with_peers crun runc
    rm -r "$BUNDLE/rootfs/copy"
    expect_line "root 0:0 644"
    expect_line "user 1000:1001 4755"
    expect_line "foreign 65534:65534 644"
}

@test "shared mounts: also those that a later mount or a mask lies over" {
    with_user_ns
    change '.linux.rootfsPropagation = "rshared" | .linux.maskedPaths += ["/data"] | .mounts += [
        {destination: "/mnt", type: "tmpfs", source: "one", options: ["mode=755"]}, {destination: "/mnt/in", type: "tmpfs", source: "covered", options: ["mode=755"]},
        {destination: "/mnt", type: "tmpfs", source: "over", options: ["mode=755", "shared"]}, {destination: "/data/in", type: "tmpfs", source: "masked", options: ["mode=755"]}]'
    script 'grep -E " (one|covered|over|masked) " /proc/self/mountinfo | sed -E "s/^([^ ]+ ){4}([^ ]+) [^ ]+ (.*) - .*/\2 \3/; s/:[0-9]+//"'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_line "/mnt shared"
    expect_line "/mnt/in shared"
    expect_line "/data/in shared"
}

@test "masked and read-only paths: files, directories, what is not there; root in there can neither write nor uncover them" {
    mkdir -p "$BUNDLE/rootfs/hidden"
    echo secret >"$BUNDLE/rootfs/hidden/file"
    echo secret >"$BUNDLE/rootfs/data/secret"
    chown -R $FIRST:$FIRST "$BUNDLE/rootfs/hidden" "$BUNDLE/rootfs/data/secret"
    with_user_ns
    change '.linux.maskedPaths = ["/data/secret", "/hidden", "/nothing"] | .linux.readonlyPaths = ["/proc/sys", "/mnt", "/nothing"] |
        .process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"])'
    script 'wc -c </data/secret; ls /hidden | wc -l; for f in /hidden/x /mnt/x /proc/sys/net/ipv4/ip_forward; do (echo 1 >$f) 2>/dev/null && echo wrote $f
        done; for m in /data/secret /hidden /mnt /proc/sys; do umount $m 2>/dev/null && echo gone $m; umount -l $m 2>/dev/null && echo gone $m; done; cat /data/secret; true'
    same_with_peers # crun and runc leave the mounts unlocked
    rm -r "$BUNDLE/rootfs/hidden" "$BUNDLE/rootfs/data/secret"
    expect_output $'0\n0'
}

# --- other namespaces -----------------------------------------------------------------------------------------------------------

# in_pair COMMAND…: in a network namespace of its own with hv0 and hv1, a pair.
in_pair() {
    unshare --net sh -c 'ip link add hv0 type veth peer name hv1 && ip addr add 10.9.0.2/24 dev hv0 && ip link set hv0 up && exec "$@"' sh "$@"
}

@test "netDevices: into the user namespace's own network, which its root rules" {
    need_program ip
    with_user_ns
    change '.linux.netDevices = { hv0: { name: "eth0" } } | .process.capabilities |= map_values(. + ["CAP_NET_ADMIN"])'
    script 'ip addr show eth0; ip link set eth0 down && echo ruled'
    run in_pair cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box
    expect_status 0
    expect_text "inet 10.9.0.2/24"
    expect_line ruled
}

@test "netDevices: into a network that is joined by path and stays the host's; back from there after a failure" {
    need_program ip
    hold --net
    with_user_ns
    join "$PID" network
    change '.linux.netDevices = { hv0: { name: "eth0" } } | .mounts |= map(select(.type != "sysfs")) | .process.capabilities |= map_values(. + ["CAP_NET_ADMIN"])'
    script 'ip addr show eth0; ip link set eth0 down 2>/dev/null || echo refused; readlink /proc/self/ns/net'
    run in_pair cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box
    expect_status 0
    expect_text "inet 10.9.0.2/24"
    expect_line refused
    expect_line "$(readlink "/proc/$PID/ns/net")"
    change '.process.args = ["missing"] | .linux.netDevices = { hv0: { name: "eth1" } }'
    run in_pair sh -c "cloche-runtime --root '$WORLD/oci' run -b '$BUNDLE' box; ip addr show hv0"
    expect_text missing
    expect_text "inet 10.9.0.2/24 scope global hv0"
}

@test "a network joined by path: what the container sees of it, and may not change" {
    need_program ip
    hold --net
    nsenter -t "$PID" -n ip link add marker type veth peer name marked
    with_user_ns
    join "$PID" network
    change '.mounts |= map(select(.type != "sysfs")) | .process.capabilities |= map_values(. + ["CAP_NET_ADMIN"])'
    script 'ip -o link | grep -c marker@; ip link set marker up 2>/dev/null || echo refused; readlink /proc/self/ns/net'
    same_with_peers crun runc
    expect_line 1
    expect_line refused
    expect_line "$(readlink "/proc/$PID/ns/net")"
}

@test "a time namespace of its own: offsets, and exec has them too" {
    [ -e /proc/self/ns/time ] || skip "needs time namespaces"
    with_user_ns
    change '.linux.timeOffsets = { boottime: { secs: 50000000 }, monotonic: { secs: 7000 } }'
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    run rt exec box sh -c 'cat /proc/uptime; cat /proc/self/timens_offsets; readlink /proc/self/ns/time'
    expect_status 0
    [ "${lines[0]%%.*}" -gt 50000000 ]
    expect_match "monotonic +7000"
    expect_line "$(readlink "/proc/$(pid_of box)/ns/time")"
}

@test "process.scheduler and process.ioPriority: what takes CAP_SYS_NICE of the host, of run and of exec" {
    need_program chrt
    nice -n -5 ionice -c 1 -n 3 true 2>"$WORLD/err" || skip "a lower nice or a real-time class is not to be had here: $(cat "$WORLD/err")"
    with_user_ns
    change '.process.scheduler = {policy: "SCHED_BATCH", nice: -5, flags: ["SCHED_FLAG_RESET_ON_FORK"]} | .process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 3}'
    script 'exec sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    rt exec -d --pid-file "$WORLD/pid" box sleep 1000 </dev/null >/dev/null 2>&1
    local pid
    for pid in "$(pid_of box)" "$(cat "$WORLD/pid")"; do
        [ "$(awk '{ print $19 }' "/proc/$pid/stat")" = -5 ]
        [ "$(ionice -p "$pid")" = "realtime: prio 3" ]
        run chrt -p "$pid"
        expect_text "SCHED_BATCH|SCHED_RESET_ON_FORK"
    done
}

# --- terminals and devices ------------------------------------------------------------------------------------------------------

@test "a terminal: its owner is the user, of run and of exec, and /dev/tty is it" {
    need_program python3
    with_user_ns
    change '.process.terminal = true | .process.user = { uid: 1000, gid: 1000 }'
    script 'tty; stat -c "%n %u:%g %a" /dev/pts/0 /dev/console; echo reached >/dev/tty'
    run_pty "cloche-runtime --root $WORLD/oci run -b $BUNDLE box" </dev/null
    expect_status 0
    expect_line /dev/pts/0
    expect_line "/dev/pts/0 1000:5 620"
    expect_line "/dev/console 1000:5 620"
    expect_line reached
    change '.process.terminal = false'
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    run_pty "cloche-runtime --root $WORLD/oci exec -t -u 1234:1 box stat -c %n=%u:%g /dev/pts/0" </dev/null
    expect_status 0
    expect_line "/dev/pts/0=1234:5"
}

@test "devices: the host's nodes, bound; their owners on the host stay what they were" {
    local before
    before=$(stat -c '%n %u:%g %a' /dev/null /dev/zero /dev/tty)
    with_user_ns
    script 'for d in null zero full random urandom tty; do stat -c "%n %t:%T" /dev/$d; done; echo x >/dev/null; mknod /tmp/x c 1 3 2>/dev/null || echo "no mknod"'
    run rt run -b "$BUNDLE" box </dev/null
    expect_status 0
    expect_line "/dev/null 1:3"
    expect_line "no mknod"
    [ "$(stat -c '%n %u:%g %a' /dev/null /dev/zero /dev/tty)" = "$before" ]
}

# --- exec -----------------------------------------------------------------------------------------------------------------------

@test "exec: namespaces, user, groups, capabilities are those of the container" {
    local type
    with_user_ns
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    run rt exec box sh -c 'for n in user net pid ipc uts cgroup mnt; do readlink /proc/self/ns/$n; done; grep CapBnd /proc/self/status; cat /proc/self/gid_map'
    expect_status 0
    for type in user net pid ipc uts cgroup mnt; do expect_line "$(readlink "/proc/$(pid_of box)/ns/$type")"; done
    expect_line "$(grep CapBnd "/proc/$(pid_of box)/status")"
    run rt exec -u 1000:1000 -g 5 -g 6 --cap CAP_NET_RAW box sh -c 'grep -E "Groups|CapBnd" /proc/self/status; id -u'
    expect_match "Groups:	5 6"
    expect_line 1000
    run rt exec -u 70000:0 box true
    expect_status 255
    expect_text 70000
    has_status box running
}

@test "run.oci.keep_original_groups: the caller's groups, which are nobody's in there, stay; otherwise they go (CVE-2023-25173)" {
    need_program setpriv
    local groups
    with_user_ns
    change '.process.user.additionalGids = [7]'
    script 'grep Groups /proc/self/status'
    for groups in "	7" "	65534"; do
        run setpriv --groups 100 cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box
        expect_status 0
        expect_match "^Groups:$groups ?$"
        change '.annotations["run.oci.keep_original_groups"] = "1" | del(.process.user.additionalGids)'
    done
}

# --- control groups -------------------------------------------------------------------------------------------------------------

# owner FILE…: of the container's group.
owner() {
    local file
    for file in "$@"; do stat -c "%u" "$(v2_dir)/$file"; done | paste -sd ' '
}

writable_cgroup() {
    change '.mounts |= map(if .destination == "/sys/fs/cgroup" then .options -= ["ro"] else . end)'
}

@test "cgroup v2: the group belongs to the user of the program where it is mounted writable, its limits do not" {
    need_v2
    with_user_ns
    writable_cgroup
    change '.process.user = { uid: 1000, gid: 1000 }'
    script 'sleep 1000'
    rt2 run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    [ "$(owner . cgroup.procs cgroup.threads cgroup.subtree_control)" = "$((FIRST + 1000)) $((FIRST + 1000)) $((FIRST + 1000)) $((FIRST + 1000))" ]
    [ "$(owner cgroup.freeze cgroup.max.descendants cgroup.type cgroup.kill)" = "0 0 0 0" ]
    run rt2 exec -u 1000 box sh -c 'mkdir /sys/fs/cgroup/below && echo 0 >/sys/fs/cgroup/below/cgroup.procs && cat /proc/self/cgroup; (echo 1 >/sys/fs/cgroup/cgroup.max.descendants) 2>/dev/null || echo refused'
    expect_status 0
    expect_line 0::/below
    expect_line refused
    rt2 delete -f box
    [ ! -e "$(v2_dir)" ]
}

@test "cgroup v2: the group stays the host's where it is mounted read-only, elsewhere, or without a cgroup namespace" {
    need_v2
    local filter
    script 'sleep 1000'
    cp "$BUNDLE/config.json" "$WORLD/before.json"
    for filter in '.' '(.mounts[] | select(.type == "cgroup")) |= (.options -= ["ro"] | .destination = "/mnt")' \
        '(.mounts[] | select(.type == "cgroup")) |= (.options -= ["ro"] | .source = "cgroup2")' \
        '(.mounts[] | select(.type == "cgroup")) |= (.options -= ["ro"]) | .linux.namespaces |= map(select(.type != "cgroup"))'; do
        cp "$WORLD/before.json" "$BUNDLE/config.json"
        with_user_ns
        change "$filter"
        rt2 run -d -b "$BUNDLE" box </dev/null >/dev/null 2>"$WORLD/err" || { cat "$WORLD/err"; return 1; }
        [ "$(owner . cgroup.procs)" = "0 0" ]
        rt2 delete -f box
    done
}

@test "cgroup v2: without a user namespace the group is the program's user's, and the plan says so" {
    need_v2
    writable_cgroup
    change '.process.user = { uid: 1234, gid: 1234 }'
    script 'sleep 1000'
    run rt2 plan -b "$BUNDLE"
    expect_line "parent  give the cgroup to user 1234"
    rt2 run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    [ "$(owner . cgroup.procs cgroup.freeze)" = "1234 1234 0" ]
}

@test "cgroup v1: groups are never given away" {
    [ -d /sys/fs/cgroup/pids ] || skip "needs cgroup v1"
    with_user_ns
    writable_cgroup
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    [ "$(stat -c %u "/sys/fs/cgroup/pids/$CLOCHE_CGROUP_PARENT/box/cgroup.procs")" = 0 ]
}

# --- what the kernel refuses ----------------------------------------------------------------------------------------------------

# behind_mask PATH COMMAND…: where that file is hidden.
behind_mask() {
    unshare --mount --propagation private sh -c 'mount --bind /dev/null "$1" && shift && exec "$@"' sh "$@"
}

@test "a new proc or sysfs where ours is masked: the kernel's refusal, with its cause and a way out" {
    with_user_ns
    script 'ls /proc/self/exe'
    run behind_mask /proc/version cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box
    expect_status 1
    expect_match "mount proc at /proc:.* Operation not permitted"
    expect_text "where mounts hide parts of /proc from us"
    [ ! -e "$WORLD/oci/box" ]
    run behind_mask /sys/kernel/uevent_seqnum cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box
    expect_status 1
    expect_text "where mounts hide parts of /sys from us"
    # The way out.
    change '(.mounts[] | select(.destination == "/proc")) |= (.type = "bind" | .source = "/proc" | .options = ["rbind"])'
    share pid
    run behind_mask /proc/version cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box
    expect_status 0
}

@test "a new sysfs or mqueue of a namespace that is the host's and joined: who may mount it, and what to do" {
    hold --net --ipc
    with_user_ns
    join "$PID" network
    refused "the joined network namespace belongs to another user namespace, whose root alone may mount what shows it"
    expect_text "bind the host's /sys"
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/box\""
    with_user_ns
    join "$PID" ipc
    refused "the joined ipc namespace belongs to another user namespace"
}
