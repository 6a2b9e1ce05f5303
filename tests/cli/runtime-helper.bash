# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The frame of the bats files about cloche-runtime: `WORLD_ALPINE=no`, `load helper`, `load runtime-helper`. A bundle ($BUNDLE) with the machine's busybox as
# its root file system, for each test anew from the default spec ($WORLD/default.json) with the cgroup CLOCHE_CGROUP_PARENT/box and an empty /tmp; all containers
# are deleted after each test. A file with a set-up of its own calls the runtime_… functions from its own setup_file, setup and teardown.
#
# rt ARGUMENT…, the runtime with the world's own state; change [JQ-OPTION…] FILTER, of the bundle's config.json; script TEXT, run by the container's sh;
# status_of ID; has_status ID STATUS; start_idle, a container "box" that waits; start_box, runs the bundle detached as "box" until it has made /tmp/ready, its
# output in $WORLD/out; make_rootfs DIR; group_dir CONTROLLER [NAME], the directory of the container's group; group_read FILE: FILE of the group (the controller is
# the word before the first dot); is_v1 CONTROLLER; need_controller NAME…, skips with the reason; v2 COMMAND…, where cgroup v2 is all there is; rt2; v2_dir; need_v2.

runtime_setup_file() {
    world_setup_file
    export BUNDLE=$WORLD/bundle
    [ -x /bin/busybox ] || return 0
    make_rootfs "$BUNDLE/rootfs"
    cloche-runtime spec --bundle "$BUNDLE"
    cp "$BUNDLE/config.json" "$WORLD/default.json"
}

runtime_setup() {
    world_setup
    [ -x /bin/busybox ] || skip "needs /bin/busybox (busybox-static)"
    need_program jq
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    rm -rf "$BUNDLE"/rootfs/tmp/*
    change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/box\""
}

runtime_teardown() {
    local id
    for id in $(rt list -q 2>/dev/null); do rt delete -f "$id"; done
    world_teardown
}

setup_file() { runtime_setup_file; }
setup() { runtime_setup; }
teardown() { runtime_teardown; }

# The directories that are missing are the runtime's to make.
make_rootfs() {
    local applet
    mkdir -p "$1"/{bin,tmp,proc,mnt,data}
    chmod 1777 "$1/tmp"
    cp /bin/busybox "$1/bin/"
    for applet in sh cat chmod chown chroot dd echo env false find grep head hostname id ifconfig ip kill ln ls mkdir mknod mount ps readlink rm sleep sort stat \
        stty tail test touch true tty umask umount uname wc; do
        ln -s busybox "$1/bin/$applet"
    done
}

rt() {
    cloche-runtime --root "$WORLD/oci" "$@"
}

change() {
    jq "$@" "$BUNDLE/config.json" >"$BUNDLE/new.json" && mv "$BUNDLE/new.json" "$BUNDLE/config.json"
}

script() {
    # shellcheck disable=SC2016 # jq's own variable
    change --arg text "$1" '.process.args = ["sh", "-c", $text]'
}

status_of() {
    rt state "$1" | jq -r .status
}

has_status() {
    [ "$(status_of "$1")" = "$2" ]
}

start_idle() {
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box
}

start_box() {
    rt run -d -b "$BUNDLE" box >"$WORLD/out" 2>&1 || { cat "$WORLD/out" >&2; return 1; }
    wait_until test -e "$BUNDLE/rootfs/tmp/ready"
}

# The mount point of the hierarchy with this controller; fails where there is none.
group_mount() {
    local v1
    v1=$(awk -v word="$1" '{ dash = 0; for (i = 7; i <= NF; i++) if ($i == "-") dash = i
        if ($(dash + 1) == "cgroup" && ("," $NF ",") ~ ("," word ",")) { print $5; exit } }' /proc/self/mountinfo)
    [ -z "$v1" ] || { echo "$v1"; return; }
    for v1 in /sys/fs/cgroup /sys/fs/cgroup/unified; do
        if grep -qsw -- "$1" "$v1/cgroup.controllers"; then
            echo "$v1"
            return
        fi
    done
    return 1
}

is_v1() {
    [ ! -e "$(group_mount "$1")/cgroup.controllers" ]
}

need_controller() {
    local name
    for name in "$@"; do
        group_mount "$name" >/dev/null || skip "needs the $name controller"
    done
}

group_dir() {
    echo "$(group_mount "$1")/$CLOCHE_CGROUP_PARENT/${2:-box}"
}

group_read() {
    cat "$(group_dir "${1%%.*}")/$1"
}

# v2 COMMAND…: in a mount and cgroup namespace of its own where /sys/fs/cgroup is cgroup v2 alone (which every kernel has, with the controllers that v1 does not hold).
v2() {
    # shellcheck disable=SC2016 # the inner shell's
    unshare --mount --cgroup --propagation private sh -c \
        'mountpoint -q /sys/fs/cgroup/unified || exec "$@"; umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec "$@"' v2 "$@"
}

rt2() {
    v2 cloche-runtime --root "$WORLD/oci" "$@"
}

# The container's group in the v2 hierarchy as this process sees it.
v2_dir() {
    local top=/sys/fs/cgroup
    [ ! -e "$top/unified/cgroup.procs" ] || top=$top/unified
    echo "$top/$CLOCHE_CGROUP_PARENT/box"
}

need_v2() {
    v2 test -e /sys/fs/cgroup/cgroup.controllers || skip "cgroup v2 can't be mounted here"
}
