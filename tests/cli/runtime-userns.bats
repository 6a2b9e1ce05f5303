#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime run by root: user namespaces, namespaces that are joined, --no-pivot. What else a container may have beside it is in
# runtime-userns-with.bats, ordinary users in runtime-rootless.bats.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper
load runtime-userns

setup_file() { userns_setup_file; }
setup() { userns_setup; }

# --- a namespace of its own -----------------------------------------------------------------------------------------------------

@test "a user namespace: root inside is nobody outside, with the maps as given" {
    with_user_ns
    change '.linux.uidMappings = [{ "containerID": 0, "hostID": 200000, "size": 1000 },
        { "containerID": 1000, "hostID": 300000, "size": 1 }, { "containerID": 2000, "hostID": 400000, "size": 5 }]'
    script 'id; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; touch /tmp/mine'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_text "uid=0"
    expect_match "0 +200000 +1000"
    expect_match "1000 +300000 +1"
    expect_match "2000 +400000 +5"
    expect_match "0 +200000 +65536"
    expect_line allow
    [ "$(stat -c %u:%g "$BUNDLE/rootfs/tmp/mine")" = 200000:200000 ]
    rm "$BUNDLE/rootfs/tmp/mine"
}

@test "a user namespace: another user and its groups" {
    with_user_ns
    change '.process.user = { "uid": 1000, "gid": 1001, "additionalGids": [5, 6] }'
    script 'id -u; id -g; grep -E "^(Groups|CapEff|CapPrm)" /proc/self/status; echo again >/proc/self/fd/1'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_line 1000
    expect_line 1001
    expect_match "Groups:	5 6"
    expect_match "CapEff:	0000000000000000"
    expect_line again
}

@test "a user namespace that does not map 0" {
    with_user_ns
    change '.linux.uidMappings = [{ "containerID": 7, "hostID": 200007, "size": 10 }] | .linux.gidMappings = .linux.uidMappings |
        .process.user = { "uid": 8, "gid": 9 }'
    script 'id -u; id -g; [ -w /dev/null ]'
    chown -Rh 200007:200007 "$BUNDLE/rootfs"
    run rt run -b "$BUNDLE" box
    chown -Rh $FIRST:$FIRST "$BUNDLE/rootfs"
    expect_status 0
    expect_line 8
    expect_line 9
}

@test "a user namespace: limits, OOM score, kernel parameters, host name, clocks" {
    with_user_ns
    change '.process.oomScoreAdj = 321 | .process.rlimits = [{ "type": "RLIMIT_NOFILE", "soft": 64, "hard": 65 }] | .hostname = "inside" |
        .linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1" }'
    [ ! -e /proc/self/ns/time ] || change '.linux.timeOffsets = { "boottime": { "secs": 10000000 } }'
    script 'cat /proc/self/oom_score_adj; ulimit -n; ulimit -Hn; hostname; cat /proc/sys/net/ipv4/ip_forward; cut -d. -f1 /proc/uptime'
    ln -sf busybox "$BUNDLE/rootfs/bin/cut"
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_line 321
    expect_line 64
    expect_line 65
    expect_line inside
    expect_line 1
    [ ! -e /proc/self/ns/time ] || [ "${lines[-1]}" -gt 10000000 ]
}

@test "a user namespace: every default device is the host's very node, masks hide, read-only paths are" {
    with_user_ns
    script 'for d in null zero full random urandom tty; do stat -c "%n %t:%T" /dev/$d; done; echo x >/dev/null; readlink /dev/ptmx
        wc -c </proc/timer_list; ls /sys/firmware /proc/acpi | wc -l; echo 1 >/proc/sys/net/ipv4/ip_forward; echo x >/proc/timer_list; exit 0'
    run rt run -b "$BUNDLE" box
    expect_status 0
    for device in "null 1:3" "zero 1:5" "full 1:7" "random 1:8" "urandom 1:9" "tty 5:0"; do expect_line "/dev/$device"; done
    expect_line pts/ptmx
    [ "$(grep -c "Read-only file system" <<<"$output")" -eq 2 ] || [ ! -e /proc/timer_list ]
}

@test "a user namespace: a terminal, with a /dev/console, though group 5 is not mapped" {
    need_program python3
    with_user_ns
    change '.process.terminal = true | .linux.gidMappings = [{ "containerID": 0, "hostID": 200000, "size": 5 }]'
    script 'tty; echo on the console >/dev/console; stat -c "%g" /dev/pts/0'
    run_pty "cloche-runtime --root $WORLD/oci run -b $BUNDLE box" </dev/null
    expect_status 0
    expect_line /dev/pts/0
    expect_line "on the console"
}

@test "a user namespace: a device of the spec is bound, and one that is another is refused" {
    with_user_ns
    change '.linux.devices = [{ "path": "/dev/loop-control", "type": "c", "major": 10, "minor": 237 }]'
    script 'stat -c "%t:%T" /dev/loop-control'
    if [ -e /dev/loop-control ]; then
        run rt run -b "$BUNDLE" box
        expect_status 0
        expect_line a:ed
    fi
    change '.linux.devices = [{ "path": "/dev/zero", "type": "c", "major": 1, "minor": 3 }]'
    refused "/dev/zero of the host is another device"
    change '.linux.devices = [{ "path": "/dev/not-there", "type": "c", "major": 1, "minor": 3 }]'
    refused "in a user namespace a device can't be made, only bound"
}

@test "a user namespace: the warning about a device's mode reaches the log" {
    with_user_ns
    change '.linux.devices = [{ "path": "/dev/full", "type": "c", "major": 1, "minor": 7, "fileMode": 384 }]'
    script 'exit 0'
    run rt --log "$WORLD/log" run -b "$BUNDLE" box
    expect_status 0
    grep -q "linux.devices\[0\]: in a user namespace /dev/full is the host's own node" "$WORLD/log"
}

@test "a user namespace with the host's pid and network namespaces: its /proc and /sys, all of it read-only where asked" {
    with_user_ns
    share pid network
    script 'ls -d /proc/1 /sys/class/net; for f in /sys/fs/cgroup/*/ /sys/fs/cgroup /sys; do touch $f/x && echo writable $f; done; wc -c </proc/timer_list'
    run rt run -b "$BUNDLE" box
    expect_line /proc/1
    expect_line /sys/class/net
    refute_text writable
    change '(.mounts[] | select(.type == "sysfs").options) -= ["ro"]'
    run rt run -b "$BUNDLE" box
    expect_status 0
}

@test "exec: root and another user in a user namespace, and in one that is not started" {
    with_user_ns
    script 'sleep 1000'
    rt create -b "$BUNDLE" box
    [ "$(rt exec box id -u)" = 0 ]
    rt start box
    run rt exec box sh -c 'id -u; readlink /proc/self/ns/user; cat /proc/self/uid_map; grep CapEff /proc/self/status'
    expect_status 0
    expect_line 0
    expect_line "$(readlink "/proc/$(pid_of box)/ns/user")"
    expect_match "0 +200000"
    run rt exec -u 1000:1001 -g 7 box sh -c 'id -u; id -g; grep Groups /proc/self/status; ls -ld /proc/self'
    expect_status 0
    expect_line 1000
    expect_line 1001
    expect_match "Groups:	7"
    run_pty "cloche-runtime --root $WORLD/oci exec -t box tty" </dev/null
    expect_status 0
    expect_line /dev/pts/0
    change '.process.oomScoreAdj = 77 | .process.rlimits = [{ "type": "RLIMIT_NOFILE", "soft": 50, "hard": 60 }] |
        .process.args = ["sh", "-c", "cat /proc/self/oom_score_adj; ulimit -Hn"]'
    jq .process "$BUNDLE/config.json" >"$WORLD/process.json"
    run rt exec -p "$WORLD/process.json" box
    expect_status 0
    expect_line 77
    expect_line 60
}

@test "create, start, kill, delete with a user namespace; pipes are the user's" {
    with_user_ns
    change '.process.user = { "uid": 1000, "gid": 1000 }'
    script 'echo out >/proc/self/fd/1; echo err >/proc/self/fd/2; sleep 1000'
    rt create -b "$BUNDLE" box 2>"$WORLD/err" | cat >"$WORLD/out" &
    local job=$!
    wait_until test -S "$WORLD/oci/box/start"
    wait_until rt start box
    wait_until grep -q out "$WORLD/out"
    [ "$(stat -c %u "/proc/$(pid_of box)")" = 201000 ]
    rt kill box KILL
    wait_until sh -c "cloche-runtime --root $WORLD/oci state box | jq -e '.status == \"stopped\"'"
    rt delete box
    wait "$job"
}

@test "maps that make no sense are refused by name" {
    change '.linux.namespaces += [{ "type": "user" }]'
    refused "linux.uidMappings: a new user namespace needs mappings"
    with_user_ns
    change '.linux.namespaces |= unique_by(.type)'
    change '.linux.uidMappings += [{ "containerID": 10, "hostID": 900000, "size": 1 }]'
    refused "linux.uidMappings[1]: overlaps with entry 0"
    change '.linux.uidMappings = [{ "containerID": 0, "hostID": 4294967295, "size": 1 }]'
    refused "linux.uidMappings[0]: reaches beyond the highest id"
    change '.linux.uidMappings = [{ "containerID": 0, "hostID": 5, "size": 4294967296 }]'
    refused "linux.uidMappings[0].size"
    change '.linux.uidMappings = [{ "containerID": 0, "hostID": 5, "size": 0 }]'
    refused "linux.uidMappings[0]: size must be greater than 0"
    change '.linux.uidMappings = [range(341) | { "containerID": ., "hostID": ., "size": 1 }]'
    refused "linux.uidMappings: the kernel takes at most 340 mappings"
    change '.linux.uidMappings = [{ "containerID": 5, "hostID": 200000, "size": 10 }]'
    refused "process.user.uid: 0 is not mapped by linux.uidMappings"
}

@test "340 mappings, as many as the kernel takes, where their text is short enough" {
    with_user_ns
    change '.linux.uidMappings = [range(340) | { "containerID": ., "hostID": (1000 + . * 2), "size": 1 }]'
    chown -Rh 1000:$FIRST "$BUNDLE/rootfs"
    script 'wc -l </proc/self/uid_map'
    run rt run -b "$BUNDLE" box
    chown -Rh $FIRST:$FIRST "$BUNDLE/rootfs"
    expect_status 0
    expect_line 340
}

# --- joining --------------------------------------------------------------------------------------------------------------------

@test "every type of namespace is joined by its path" {
    start_pod
    local pid type file
    pid=$(pid_of pod)
    for type in network pid ipc uts cgroup time mount; do
        file=$type
        [ "$type" != network ] || file=net
        [ "$type" != mount ] || file=mnt
        [ -e "/proc/$pid/ns/$file" ] || continue
        cp "$WORLD/default.json" "$BUNDLE/config.json"
        change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/box\""
        join "$pid" "$type"
        [ "$type" != uts ] || change 'del(.hostname)'
        script "readlink /proc/self/ns/$file"
        [ "$type" != time ] || script "readlink /proc/self/ns/time_for_children"
        run rt run -b "$BUNDLE" box
        expect_status 0
        expect_line "$(readlink "/proc/$pid/ns/$file")"
    done
}

@test "a user namespace is joined, alone and with all the others" {
    with_user_ns
    # In a mount namespace whose masks are locked the kernel allows no new proc, which would be without them.
    change '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
    start_pod
    local pid types
    pid=$(pid_of pod)
    for types in user "user network" "user pid" "user ipc uts" "user mount" "user network pid ipc uts cgroup mount"; do
        cp "$WORLD/default.json" "$BUNDLE/config.json"
        change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/box\""
        # shellcheck disable=SC2086 # words
        join "$pid" $types
        [[ $types != *uts* ]] || change 'del(.hostname)'
        script 'for n in user net pid ipc uts cgroup mnt; do readlink /proc/self/ns/$n; done; id -u; ls /bin/busybox'
        run rt run -b "$BUNDLE" box
        expect_status 0
        expect_line 0
        expect_line /bin/busybox
        for type in $types; do
            case $type in network) type=net ;; mount) type=mnt ;; esac
            expect_line "$(readlink "/proc/$pid/ns/$type")"
        done
    done
}

@test "a joined user namespace has its own maps: others are refused" {
    with_user_ns
    start_pod
    join "$(pid_of pod)" user
    script 'exit 0'
    run rt run -b "$BUNDLE" box
    expect_status 0
    change '.linux.uidMappings[0].hostID = 300000'
    refused "linux.uidMappings: entry 0 is not what the joined user namespace has"
    change '.linux.uidMappings[0].hostID = 200000 | .linux.gidMappings = [{ "containerID": 0, "hostID": 200000, "size": 1 }]'
    refused "linux.gidMappings: entry 0 is not what the joined user namespace has"
}

@test "a new user namespace beside namespaces that the host owns" {
    start_pod
    local pid
    pid=$(pid_of pod)
    with_user_ns
    join "$pid" network ipc uts
    change 'del(.hostname) | .mounts |= map(select(.type != "sysfs" and .type != "mqueue" and .type != "cgroup"))'
    script 'for n in net ipc uts; do readlink /proc/self/ns/$n; done; cat /proc/self/uid_map'
    run rt run -b "$BUNDLE" box
    expect_status 0
    for file in net ipc uts; do expect_line "$(readlink "/proc/$pid/ns/$file")"; done
    expect_match "0 +200000"
    # What is not shared with us but joined is not shown as if it were.
    change '.mounts += [{ "destination": "/sys", "type": "sysfs", "source": "sysfs" }]'
    refused "mount sysfs at /sys"
}

@test "what is no namespace of that type, or not there, is refused by its path" {
    change '.linux.namespaces += [{ "type": "user", "path": "/proc/self/ns/net" }]'
    refused "/proc/self/ns/net is no user namespace"
    change '.linux.namespaces[-1].path = "/none"'
    refused "open /none"
}

@test "our own user namespace, named by its path, is not joined: the container is in it as without; maps to others are refused" {
    change '.linux.namespaces += [{ "type": "user", "path": "/proc/self/ns/user" }]'
    script 'readlink /proc/self/ns/user; grep CapBnd /proc/self/status'
    run rt run -b "$BUNDLE" box
    expect_status 0
    [ "${lines[0]}" = "$(readlink /proc/self/ns/user)" ]
    local named=$output
    change 'del(.linux.namespaces[-1])'
    run rt run -b "$BUNDLE" box
    [ "$output" = "$named" ]
    change '.linux.namespaces += [{ "type": "user", "path": "/proc/self/ns/user" }] |
        .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }] | .linux.gidMappings = .linux.uidMappings'
    refused "linux.uidMappings: the user namespace that is joined is our own"
}

# --- --no-pivot -----------------------------------------------------------------------------------------------------------------

@test "--no-pivot: the container's root is /, and none of the host's mounts is left to be found" {
    change '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT"])'
    script 'ls / | head -1; cat /proc/self/mountinfo | wc -l; mkdir -p /tmp/x; chroot /tmp/x /bin/true 2>/dev/null; cd ..; ls bin/busybox
        cat /proc/timer_list | wc -c; umount -l / && ls /'
    run rt run --no-pivot -b "$BUNDLE" box
    expect_text bin
    expect_line bin/busybox
    with_user_ns
    script 'ls /bin/busybox; id -u; wc -c </proc/timer_list; exit 4'
    run rt run --no-pivot -b "$BUNDLE" box
    expect_status 4
    script 'sleep 1000'
    rt run -d --no-pivot -b "$BUNDLE" box
    run rt exec box ls /bin/busybox
    expect_status 0
    expect_line /bin/busybox
}

@test "--no-pivot is said by the plan and by help" {
    run rt plan --no-pivot -b "$BUNDLE"
    expect_status 0
    expect_line "init  change into the root file system"
    run cloche-runtime create --help
    expect_text "Weaker"
}

# --- CVEs -----------------------------------------------------------------------------------------------------------------------

@test "CVE-2025-31133: an image's /dev/null that is something else is not what a device or a mask is" {
    with_user_ns
    change '.mounts |= map(select(.destination | startswith("/dev") | not))'
    mkdir -p "$BUNDLE/rootfs/dev"
    ln -s /proc/sys/kernel/core_pattern "$BUNDLE/rootfs/dev/null"
    script 'exit 0'
    run rt run -b "$BUNDLE" box
    rm -r "$BUNDLE/rootfs/dev"
    expect_status 1
    expect_text "make device null"
    # A file of that name is covered by the host's node, and stays as it was.
    mkdir -p "$BUNDLE/rootfs/dev"
    echo image >"$BUNDLE/rootfs/dev/null"
    chown -R $FIRST:$FIRST "$BUNDLE/rootfs/dev"
    script 'stat -c "%t:%T" /dev/null; echo lost >/dev/null; wc -c </proc/timer_list'
    run rt run -b "$BUNDLE" box
    [ "$(cat "$BUNDLE/rootfs/dev/null")" = image ]
    rm -r "$BUNDLE/rootfs/dev"
    expect_status 0
    expect_line 1:3
}

@test "CVE-2025-52881: kernel parameters are not written through what an image puts over /proc" {
    with_user_ns
    change '.linux.sysctl = { "net.ipv4.ip_forward": "1" } | .mounts += [{ "destination": "/proc/sys", "type": "tmpfs", "source": "tmpfs" }]'
    refused "can't be mounted"
}

@test "CVE-2025-52881: exec's label is not written to what the container has mounted over /proc/self" {
    need_root "it joins the container"
    need_program python3
    local fake=$BUNDLE/rootfs/tmp/fake
    with_user_ns
    change '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID"])'
    start_idle
    # A link in place of the one that /proc has, to files that take whatever is written.
    mkdir -p "$fake/attr/apparmor"
    touch "$fake/attr/exec" "$fake/attr/apparmor/exec"
    ln -s /tmp/fake "$BUNDLE/rootfs/tmp/self"
    chown -Rh $FIRST:$FIRST "$BUNDLE/rootfs/tmp"
    run "$BATS_TEST_DIRNAME/cover-self.py" "$(pid_of box)" /tmp/self
    expect_output /tmp/fake
    # A machine that says it has AppArmor: then the label is written, and this kernel refuses it. Where it has, `evil` is no profile.
    run unshare --mount --propagation private sh -c 'mount -t tmpfs tmpfs /sys/module; mkdir -p /sys/module/apparmor/parameters; echo Y >/sys/module/apparmor/parameters/enabled
        exec cloche-runtime --root "$1" exec --apparmor evil box echo ran' sh "$WORLD/oci"
    expect_status 255
    expect_text 'set security label "exec evil"'
    refute_text ran
    [ ! -s "$fake/attr/exec" ]
    [ ! -s "$fake/attr/apparmor/exec" ]
}

@test "CVE-2022-29162: nothing is inheritable unless asked for" {
    with_user_ns
    script 'grep -E "Cap(Inh|Amb)" /proc/self/status'
    run rt run -b "$BUNDLE" box
    expect_match "CapInh:	0000000000000000"
    expect_match "CapAmb:	0000000000000000"
}

@test "CVE-2023-25173: the caller's supplementary groups do not come along" {
    need_program setpriv
    with_user_ns
    script 'grep Groups /proc/self/status'
    run setpriv --groups 4,20,200123 cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box
    expect_status 0
    expect_match "Groups:	 ?$"
}

@test "CVE-2024-45310: a mount point in the image that leads out is made inside" {
    with_user_ns
    mkdir -p "$WORLD/outside"
    chmod 777 "$WORLD/outside"
    ln -sfn "$WORLD/outside" "$BUNDLE/rootfs/mnt/out"
    chown -h $FIRST:$FIRST "$BUNDLE/rootfs/mnt/out"
    change '.mounts += [{ "destination": "/mnt/out/made", "type": "tmpfs", "source": "tmpfs" }]'
    script 'exit 0'
    run rt run -b "$BUNDLE" box
    rm "$BUNDLE/rootfs/mnt/out"
    [ -z "$(ls -A "$WORLD/outside")" ]
}

# --- locks ----------------------------------------------------------------------------------------------------------------------

# What CAP_SYS_ADMIN of the container's user namespace may not undo.
with_mount_powers() {
    with_user_ns
    change '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE"])'
}

@test "locks: a read-only bind can't be made writable, nor the host's own flags be cleared, nor what it covers be seen" {
    with_mount_powers
    mkdir -p "$WORLD/bound" "$BUNDLE/rootfs/data" "$WORLD/flags"
    echo covered >"$BUNDLE/rootfs/data/below"
    chmod 777 "$WORLD/bound"
    change --arg source "$WORLD/bound" --arg flags "$WORLD/flags" '.mounts += [
        { "destination": "/data", "source": $source, "type": "bind", "options": ["bind", "ro"] },
        { "destination": "/mnt", "source": $flags, "type": "bind", "options": ["bind"] }]'
    script 'mount -o remount,bind,rw /data; echo remount $?; touch /data/x; umount /data; echo umount $?; umount -l /data; ls /data
        mount -o remount,bind,suid,dev,exec /mnt; echo remount $?; mount -o remount,bind,nosuid,nodev,noexec /mnt && echo stricter; cat /proc/self/mountinfo'
    mount -t tmpfs -o nosuid,nodev,noexec,mode=777 none "$WORLD/flags"
    run rt run -b "$BUNDLE" box
    umount "$WORLD/flags"
    rm "$BUNDLE/rootfs/data/below"
    expect_status 0
    [ "$(grep -c '^remount 0' <<<"$output")" -eq 0 ]
    [ "$(grep -c '^remount' <<<"$output")" -eq 2 ]
    refute_text "umount 0"
    refute_text below
    expect_line stricter
    [ ! -e "$WORLD/bound/x" ]
}

@test "locks: masks stay, and no new proc or sysfs shows what they hide" {
    [ -e /proc/timer_list ] || skip "needs a /proc/timer_list to hide"
    with_mount_powers
    mkdir -p "$BUNDLE/rootfs/tmp"
    script 'for path in /proc/timer_list /proc/acpi /sys/firmware; do umount $path 2>/dev/null && echo gone $path; umount -l $path 2>/dev/null && echo gone $path
        mount --move $path /tmp 2>/dev/null && echo moved $path; done; wc -c </proc/timer_list; cat /proc/timer_list
        mount -t proc proc /mnt && echo proc; mount -t sysfs sysfs /mnt && echo sysfs; mount --bind /proc /mnt && echo bound; umount /proc && echo gone; exit 0'
    run rt run -b "$BUNDLE" box
    expect_status 0
    refute_text gone
    refute_text moved
    refute_text "Timer List"
    ! grep -qxE "proc|sysfs|bound" <<<"$output"
}

@test "locks: read-only paths and the read-only root stay so" {
    with_mount_powers
    change '.root.readonly = true'
    script 'umount /proc/sys; umount -l /proc/sys; mount -o remount,bind,rw /proc/sys; echo sys $?; echo 1 >/proc/sys/net/ipv4/ip_forward
        mount -o remount,bind,rw /; echo root $?; mount -o remount,rw /; echo root $?; touch /tmp/unlocked; cat /proc/sys/net/ipv4/ip_forward'
    run rt run -b "$BUNDLE" box
    expect_status 0
    refute_text "sys 0"
    refute_text "root 0"
    expect_line 0
    [ ! -e "$BUNDLE/rootfs/tmp/unlocked" ]
}

@test "locks: the container may still mount and unmount what is its own, and exec sees the same tree" {
    with_mount_powers
    change '.process.terminal = false'
    script 'mount -t tmpfs mine /tmp && touch /tmp/x && umount /tmp && echo fine; sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1
    wait_until grep -q fine "$WORLD/out"
    run rt exec --cap CAP_SYS_ADMIN box sh -c 'mount -o remount,bind,rw /proc/sys; echo $?; readlink /proc/self/ns/mnt'
    expect_status 0
    refute_text $'\n0\n'
    expect_line "$(readlink "/proc/$(pid_of box)/ns/mnt")"
}

@test "locks: with --no-pivot, too, the host's root can't be uncovered" {
    with_mount_powers
    script 'umount -l /; echo $?; ls /home /root /proc/1/root/ 2>&1; mount -o remount,bind,rw /proc/sys; echo sys $?'
    run rt run --no-pivot -b "$BUNDLE" box
    expect_status 0
    expect_text "sys 1"
    refute_text "etc"
}
