# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the bats files of cloche-runtime share: `WORLD_ALPINE=no`, `load helper`, `load runtime-helper`. A bundle made of the machine's busybox, anew
# from the default spec for each test, whose cgroup is CLOCHE_CGROUP_PARENT/box; all containers are deleted after each test.
#
# rt ARGUMENT…; change [JQ-OPTION…] FILTER, of the bundle's config.json; script TEXT, run by the container's sh; status_of ID; has_status ID STATUS;
# group_dir CONTROLLER [NAME], the directory of the container's group; group_read FILE: FILE of the group (the controller is the word before the first dot);
# is_v1 CONTROLLER; need_controller NAME…, skips with the reason; start_idle, a container "box" that waits.

setup_file() {
    world_setup_file
    export BUNDLE=$WORLD/bundle
    [ -x /bin/busybox ] || return 0
    mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp" "$BUNDLE/rootfs/proc"
    cp /bin/busybox "$BUNDLE/rootfs/bin/"
    for applet in sh cat echo sleep ls id env ps true false tty hostname kill stty readlink grep dd mkdir head mknod; do
        ln -s busybox "$BUNDLE/rootfs/bin/$applet"
    done
    cloche-runtime spec --bundle "$BUNDLE"
    cp "$BUNDLE/config.json" "$WORLD/default.json"
}

setup() {
    world_setup
    [ -x /bin/busybox ] || skip "needs /bin/busybox (busybox-static)"
    need_program jq
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/box\""
}

teardown() {
    local id
    for id in $(rt list -q 2>/dev/null); do rt delete -f "$id"; done
    world_teardown
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
