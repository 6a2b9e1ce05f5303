#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime: mounts add and mounts remove, for a container that is there already, with and without a user namespace. What a mount may be is in
# runtime-mounts.bats: it is the same code.
# shellcheck disable=SC2034,SC2154,SC2016 # read by the frame; status, output: set by run; scripts for other shells

WORLD_ALPINE=no
load helper
load runtime-helper
load runtime-userns

setup_file() {
    runtime_setup_file
}

setup() {
    runtime_setup
    need_root "ordinary users: runtime-rootless.bats"
    rm -rf "$WORLD/src" "$BUNDLE/rootfs"/{data,mnt,new,link}
    mkdir -p "$WORLD/src/sub" "$BUNDLE/rootfs"/{data,mnt}
    echo content >"$WORLD/src/file"
    chown -Rh 0:0 "$BUNDLE/rootfs"
}

# list JSON...: the array of mounts, in $WORLD/list.
list() {
    jq -s . <<<"$*" >"$WORLD/list"
}

bind() { # SOURCE DESTINATION OPTION...
    jq -n --arg source "$1" --arg destination "$2" '{$source, $destination, type: "none", options: $ARGS.positional}' --args "${@:3}"
}

tmpfs() { # DESTINATION OPTION...
    jq -n --arg destination "$1" '{source: "tmpfs", $destination, type: "tmpfs", options: $ARGS.positional}' --args "${@:2}"
}

add() {
    run rt mounts add box "$WORLD/list"
    expect_status 0
    expect_output ""
}

remove() {
    run rt mounts remove box "$WORLD/list"
    expect_status 0
    expect_output ""
}

# refused TEXT...: nothing is added or taken away.
refused() {
    local before text
    before=$(mounted)
    run rt mounts "${verb:-add}" box "$WORLD/list"
    expect_status 1
    for text; do expect_text "$text"; done
    [ "$(mounted)" = "$before" ]
}

# The container's mount table, as the host sees it.
mounted() {
    cat "/proc/$(pid_of box)/mountinfo"
}

is_mounted() {
    mounted | grep -q " $1"
}

in_box() {
    rt exec box sh -c "$1"
}

with_admin() {
    change '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE"])'
}

# --- what is there ---------------------------------------------------------------------------------------------------------------

@test "add: a bind, a file and a tmpfs, with their options; remove takes them away" {
    start_idle
    chmod 750 "$BUNDLE/rootfs/data"
    list "$(bind "$WORLD/src" /mnt rbind ro nosuid)" "$(bind "$WORLD/src/file" /new/file bind)" "$(tmpfs /data size=1m noexec)"
    local before
    before=$(mounted)
    add
    run in_box 'cat /mnt/file /new/file; touch /mnt/x; echo touch $?; stat -c %a /data; cat /proc/self/mountinfo'
    expect_line content
    expect_line "touch 1"
    expect_line 750
    expect_match ' /mnt ro,nosuid,relatime .*ext4|/mnt ro,nosuid'
    expect_match ' /data rw,noexec,relatime .* tmpfs .*size=1024k'
    echo more >>"$WORLD/src/file"
    run in_box 'cat /new/file'
    expect_line more
    remove
    [ "$(mounted)" = "$before" ]
    [ ! -e "$WORLD/oci/box/mounts.json" ]
    verb=remove refused 'mounts[0].destination: nothing was added to container box at "/mnt"'
}

@test "add: a read-only tmpfs has the mode of what it covers, and is the process's to be written down as config.json is" {
    start_idle
    chmod 711 "$BUNDLE/rootfs/data"
    list "$(tmpfs /data ro)"
    rt mounts add box - <"$WORLD/list"
    run in_box 'stat -c %a /data; touch /data/x'
    expect_line 711
    expect_text "Read-only file system"
    # What it was created with is what it is created with again.
    [ "$(jq '[.mounts[].destination] | index("/data")' "$WORLD/oci/box/config.json")" = null ]
}

@test "add: below what the same list mounts, recursive attributes, an id map" {
    chown 1000:1001 "$WORLD/src/file"
    start_idle
    list "$(tmpfs /mnt)" "$(bind "$WORLD/src" /mnt/deep rbind rro)" \
        "$(bind "$WORLD/src" /data bind idmap | jq '.uidMappings = [{containerID: 1000, hostID: 7, size: 1}] | .gidMappings = [{containerID: 1001, hostID: 8, size: 1}]')"
    add
    run in_box 'cat /mnt/deep/file; stat -c %u:%g /data/file; grep " /mnt/deep " /proc/self/mountinfo'
    expect_line content
    expect_line 7:8
    expect_match ' /mnt/deep ro,'
    remove
    run in_box 'ls /mnt /data'
    refute_text deep
}

@test "add: to a container that was created, and to one that is paused; it starts with them" {
    script 'cat /mnt/file >/tmp/seen; exec sleep 1000'
    rt create -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    list "$(bind "$WORLD/src" /mnt rbind)"
    add
    rt start box
    wait_until test -s "$BUNDLE/rootfs/tmp/seen"
    has_status box running
    rt pause box
    list "$(tmpfs /data)"
    add
    remove
    rt resume box
    list "$(bind "$WORLD/src" /mnt rbind)"
    remove
}

@test "remove: the last one that came to a place first, and only what was added" {
    change --arg source "$WORLD/src" '.mounts += [{destination: "/mnt", $source, type: "none", options: ["rbind"]}]'
    start_idle
    list "$(tmpfs /mnt)"
    add
    list "$(bind "$WORLD/src/sub" /mnt bind)"
    add
    touch "$WORLD/src/sub/second"
    remove
    run in_box 'ls /mnt'
    expect_output ""
    jq '.[0].destination = "/mnt/"' "$WORLD/list" >"$WORLD/new" && mv "$WORLD/new" "$WORLD/list"
    remove
    run in_box 'cat /mnt/file'
    expect_output content
    # config.json's own stays.
    verb=remove refused "nothing was added to container box at"
    list "$(tmpfs /proc)"
    verb=remove refused "nothing was added to container box at"
}

@test "remove: what the container has covered is not touched, what it has unmounted is gone" {
    with_admin
    start_idle
    list "$(tmpfs /mnt size=1m)"
    add
    in_box 'mount -t tmpfs -o size=2m own /mnt'
    verb=remove refused "unmount /mnt: something else was mounted over it"
    in_box 'umount /mnt; umount /mnt; mount -t tmpfs -o size=3m own /mnt'
    remove
    [ ! -e "$WORLD/oci/box/mounts.json" ]
    run in_box 'grep " /mnt " /proc/self/mountinfo'
    expect_text size=3072k
}

# --- all or nothing --------------------------------------------------------------------------------------------------------------

@test "add: all of them or none, and none is left that nobody knows of" {
    start_idle
    list "$(tmpfs /mnt)" "$(tmpfs /data)" "$(bind "$WORLD/missing" /new bind)"
    refused "bind source $WORLD/missing"
    list "$(tmpfs /mnt)" "$(tmpfs /data)" "$(tmpfs /proc/self)"
    refused "mounts[2].destination"
    ln -s /proc/sys "$BUNDLE/rootfs/link"
    list "$(tmpfs /mnt)" "$(tmpfs /data)" "$(tmpfs /link)" # found out when two are attached
    refused "the mount point leads into /proc"
    [ ! -e "$WORLD/oci/box/mounts.json" ]
    list "$(tmpfs /mnt)"
    CLOCHE_TEST_KILL="cloche:mounts recorded" run rt mounts add box "$WORLD/list"
    [ "$status" -ne 0 ]
    [ "$(jq -r '.[].destination' "$WORLD/oci/box/mounts.json")" = /mnt ]
    run is_mounted '/mnt '
    expect_status 1
    remove
    list "$(tmpfs /mnt)" "$(tmpfs /data)"
    CLOCHE_TEST_KILL="init:added" run rt mounts add box "$WORLD/list"
    expect_status 1
    expect_text "killed"
    [ "$(jq -r '.[].destination' "$WORLD/oci/box/mounts.json")" = /mnt ] # that one is there, and said to be
    list "$(tmpfs /mnt)"
    remove
    run is_mounted '/mnt '
    expect_status 1
}

recorded() {
    jq length "$WORLD/oci/box/mounts.json" 2>/dev/null || echo 0
}

# Of the two of the next test.
attached() {
    mounted | grep -cE ' /(mnt|data) ' || true
}

# Half of the first hundred only look at the host's control groups, and may fail: then some are passed over.
@test "add: each system call fails once, and what is there is what is recorded" {
    local number failed=0 passed=0
    start_idle
    list "$(tmpfs /mnt) $(bind "$WORLD/src" /data bind)"
    for ((number = 1; passed < 30; number += passed < 10 ? 1 : 5)); do
        if CLOCHE_TEST_FAIL_CALL="$number:EIO" rt mounts add box "$WORLD/list" 2>"$WORLD/why"; then
            [ "$(recorded) $(attached)" = "2 2" ]
            rt mounts remove box "$WORLD/list"
            passed=$((passed + 1))
        else
            [ -s "$WORLD/why" ]
            failed=$((failed + 1)) passed=0
        fi
        [ "$(recorded) $(attached)" = "0 0" ]
        [ "$number" -lt 500 ]
    done
    [ "$failed" -gt 10 ]
}

@test "add: what only the container's first process could make right is refused, by its path in the list" {
    start_idle
    list "$(jq -n '{destination: "/mnt", type: "proc", source: "proc"}')"
    refused "mounts[0].type: shows namespaces of who mounts it"
    list "$(jq -n '{destination: "/mnt", type: "sysfs", source: "sysfs"}')"
    refused "mounts[0].type: shows namespaces of who mounts it"
    list "$(jq -n '{destination: "/mnt", type: "cgroup2", source: "cgroup"}')"
    refused "mounts[0].type: shows namespaces of who mounts it"
    list "$(tmpfs /mnt tmpcopyup)"
    refused "mounts[0].options: tmpcopyup"
    list "$(bind / /mnt bind copy-symlink)"
    refused "mounts[0].options: copy-symlink"
    list "$(tmpfs /mnt)" "$(jq -n '{destination: "/mnt", options: ["remount", "ro"]}')"
    refused "mounts[1].options: changes a mount"
    list "$(tmpfs / )"
    refused 'mounts[0].destination: "/" is the root file system'
    echo '{"destination": "/mnt"}' >"$WORLD/list"
    refused "expected an array"
    echo '[{"destination": 5}]' >"$WORLD/list"
    refused "mounts[0].destination"
    run rt mounts show box "$WORLD/list"
    expect_status 1
    expect_text "mounts show: expected add or remove"
    rt kill box KILL
    wait_until has_status box stopped
    list "$(tmpfs /mnt)"
    run rt mounts add box "$WORLD/list"
    expect_status 1
    expect_text "container not running: box"
}

@test "add: a mount namespace that is the host's or was joined is not the container's to be changed" {
    start_pod
    join "$(pid_of pod)" mount
    start_idle
    list "$(tmpfs /mnt)"
    refused "the container has joined its mount namespace"
    rt delete -f box
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    change --arg path "$BOX_PATH" '.linux.cgroupsPath = $path'
    share mount
    start_idle
    run rt mounts add box "$WORLD/list"
    expect_status 1
    expect_text "no mount namespace of its own"
    [ -z "$(grep " $BUNDLE/rootfs/mnt " /proc/self/mountinfo)" ]
}

# --- the container as the enemy --------------------------------------------------------------------------------------------------

@test "CVE-2021-30465: a link of the container's leads to nowhere but within its root" {
    mkdir -p "$WORLD/outside"
    start_idle
    rmdir "$BUNDLE/rootfs/mnt"
    in_box "ln -s ../../../../../../..$WORLD/outside /mnt"
    list "$(bind "$WORLD/src" /mnt rbind)"
    add
    [ -z "$(ls "$WORLD/outside")" ]
    [ -d "$BUNDLE/rootfs$WORLD/outside" ]
    run in_box "cat $WORLD/outside/file"
    expect_output content
    remove
    rm -r "${BUNDLE:?}/rootfs/${WORLD:1}"
}

@test "CVE-2019-19921, CVE-2026-41579: /proc is not covered through a link, nor is a link /dev or /sys followed" {
    start_idle
    ln -s /proc "$BUNDLE/rootfs/link"
    list "$(tmpfs /link/sys)"
    refused "the mount point leads into /proc"
    with_admin
    rt delete -f box
    change '.mounts |= map(select(.destination | startswith("/sys") | not))'
    rm -rf "$BUNDLE/rootfs/sys"
    ln -s /data "$BUNDLE/rootfs/sys"
    start_idle
    list "$(tmpfs /sys/x)"
    refused "mount tmpfs at /sys/x"
    rm "$BUNDLE/rootfs/sys"
}

@test "CVE-2016-9962, CVE-2019-5736: who enters the container is none that it sees, nor one that it could trace" {
    # In the host's pid namespace, where it would be seen: its links in /proc are root's of the host.
    with_user_ns
    share pid
    with_admin
    change '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])'
    chown -Rh 200000:200000 "$BUNDLE/rootfs"
    script 'cd /proc; while :; do for p in [0-9]*; do l=$(readlink $p/exe 2>/dev/null) && [ "${l##*/}" = cloche-runtime ] && echo $p >/tmp/found; done; date=1; [ -e /tmp/stop ] && break; done; sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    list "$(tmpfs /mnt)"
    for _ in 1 2 3 4 5; do
        add
        remove
    done
    touch "$BUNDLE/rootfs/tmp/stop"
    [ ! -e "$BUNDLE/rootfs/tmp/found" ]
}

# --- a user namespace ------------------------------------------------------------------------------------------------------------

@test "a user namespace: mount points and a tmpfs are its root's, and its locks hold" {
    with_user_ns
    with_admin
    chown -Rh 200000:200000 "$BUNDLE/rootfs"
    start_idle
    list "$(bind "$WORLD/src" /new/dir rbind ro nosuid)" "$(bind "$WORLD/src/file" /new/file bind ro)" "$(tmpfs /data size=1m)"
    add
    [ "$(stat -c %u:%g "$BUNDLE/rootfs/new")" = 200000:200000 ]
    run in_box 'cat /new/dir/file /new/file; stat -c %u:%g /data; touch /data/x && echo written
        for at in /new/dir /new/file; do mount -o remount,bind,rw,suid $at; echo remount $?; done; grep " /new/" /proc/self/mountinfo'
    expect_line content
    expect_line 0:0
    expect_line written
    expect_line "remount 1"
    refute_text "remount 0"
    expect_match ' /new/dir ro,nosuid,relatime'
    remove
    run is_mounted /new/
    expect_status 1
}

@test "a user namespace that is joined: the same" {
    with_user_ns
    chown -Rh 200000:200000 "$BUNDLE/rootfs"
    start_pod
    join "$(pid_of pod)" user
    change 'del(.linux.uidMappings, .linux.gidMappings)'
    start_idle
    list "$(tmpfs /data)" "$(bind "$WORLD/src" /mnt rbind ro)"
    add
    run in_box 'stat -c %u:%g /data; cat /mnt/file'
    expect_output "$(printf '0:0\ncontent')"
    remove
}

# --- checkpoint ------------------------------------------------------------------------------------------------------------------

@test "checkpoint: not with mounts that a restore would not know" {
    start_idle
    list "$(tmpfs /mnt)"
    add
    run rt --criu /bin/true checkpoint --image-path "$WORLD/images" box
    expect_status 1
    expect_text "cannot checkpoint container box: it has mounts that config.json does not know"
    has_status box running
}
