# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The frame of the bats files about cloche-runtime: `WORLD_ALPINE=no`, `load helper`, `load runtime-helper`. A bundle ($BUNDLE) with the machine's busybox as
# its root file system, for each test anew from the default spec ($WORLD/default.json) with the cgroup CLOCHE_CGROUP_PARENT/box and an empty /tmp; all containers
# are deleted after each test. A file with a set-up of its own calls the runtime_… functions from its own setup_file, setup and teardown.
#
# rt ARGUMENT…, the runtime with the world's own state; change [JQ-OPTION…] FILTER, of the bundle's config.json; script TEXT, run by the container's sh;
# status_of ID; has_status ID STATUS; start_idle, a container "box" that waits; start_box, runs the bundle detached as "box" until it has made /tmp/ready, its
# output in $WORLD/out; make_rootfs DIR; group_dir CONTROLLER, the directory of the container's group; group_read FILE: FILE of the group (the controller is
# the word before the first dot); is_v1 CONTROLLER; need_controller NAME…, skips with the reason; v2 COMMAND…, where cgroup v2 is all there is; rt2; v2_dir; need_v2.
#
# `./dev vm matrix` runs files with both drivers of control groups, and as an ordinary user, too: CLOCHE_TEST_MANAGER (cgroupfs or systemd) is the driver, and an
# ordinary user with a group of their own (CLOCHE_VM_GROUP) gets the rootless spec. $BOX_PATH is linux.cgroupsPath of the container "box", $BOX_GROUP its group
# below the mounts. need_root and need_cgroupfs skip what is not for them; is_systemd; scope_property NAME, of the container's unit.

# shellcheck disable=SC2034 # the frame's
[ "$(id -u)" = 0 ] || [ -z "${CLOCHE_VM_GROUP:-}" ] || WORLD_ROOT=no

runtime_setup_file() {
    local rootless=()
    world_setup_file
    export BUNDLE=$WORLD/bundle
    [ -x /bin/busybox ] || return 0
    make_rootfs "$BUNDLE/rootfs"
    [ "$(id -u)" = 0 ] || rootless=(--rootless)
    cloche-runtime spec "${rootless[@]}" --bundle "$BUNDLE"
    cp "$BUNDLE/config.json" "$WORLD/default.json"
}

is_systemd() {
    [ "${CLOCHE_TEST_MANAGER:-}" = systemd ]
}

# systemctl of the manager that has the containers.
sc() {
    if [ "$(id -u)" = 0 ]; then systemctl "$@"; else systemctl --user "$@"; fi
}

# One slice for the world, in it one unit for each test: one that is just going is not in the next one's way.
choose_group() {
    local top=${CLOCHE_VM_GROUP:-}
    [ "$(id -u)" != 0 ] || top=
    if is_systemd; then
        WORLD_SLICE=${CLOCHE_CGROUP_PARENT//-/_}.slice
        BOX_UNIT=box-$BATS_TEST_NUMBER.scope
        BOX_PATH=$WORLD_SLICE:box:$BATS_TEST_NUMBER
        [ "$(id -u)" = 0 ] || top=$(sc show -P ControlGroup)
        BOX_GROUP=${top#/}/$WORLD_SLICE/$BOX_UNIT
    else
        BOX_GROUP=${top#/}/$CLOCHE_CGROUP_PARENT/box
        BOX_PATH=/${BOX_GROUP#/}
    fi
    BOX_GROUP=${BOX_GROUP#/}
}

scope_property() {
    sc show -P "$1" "$BOX_UNIT"
}

need_root() {
    [ "$(id -u)" = 0 ] || skip "needs root${1:+: $1}"
}

need_cgroupfs() {
    ! is_systemd || skip "systemd's driver names no paths"
}

runtime_setup() {
    world_setup
    [ -x /bin/busybox ] || skip "needs /bin/busybox (busybox-static)"
    need_program jq
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    rm -rf "$BUNDLE"/rootfs/tmp/*
    choose_group
    # shellcheck disable=SC2016 # jq's own variable
    change --arg path "$BOX_PATH" '.linux.cgroupsPath = $path'
}

runtime_teardown() {
    local id
    for id in $(rt list -q 2>/dev/null); do rt delete -f "$id"; done
    world_teardown
}

# The world's own teardown sees groups alone.
runtime_teardown_file() {
    ! is_systemd || sc stop "${CLOCHE_CGROUP_PARENT//-/_}.slice"
    world_teardown_file
}

setup_file() { runtime_setup_file; }
setup() { runtime_setup; }
teardown() { runtime_teardown; }
teardown_file() { runtime_teardown_file; }

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
    cloche-runtime --root "$WORLD/oci" ${CLOCHE_TEST_MANAGER:+--cgroup-manager "$CLOCHE_TEST_MANAGER"} "$@"
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
    echo "$(group_mount "$1")/$BOX_GROUP"
}

group_read() {
    cat "$(group_dir "${1%%.*}")/$1"
}

# v2 COMMAND…: in a mount namespace of its own where /sys/fs/cgroup is cgroup v2 alone (which every kernel has, with the controllers that v1 does not hold).
v2() {
    if mountpoint -q /sys/fs/cgroup/unified; then
        # shellcheck disable=SC2016 # the inner shell's
        unshare --mount --propagation private sh -c 'umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec "$@"' v2 "$@"
    else
        "$@"
    fi
}

rt2() {
    v2 cloche-runtime --root "$WORLD/oci" ${CLOCHE_TEST_MANAGER:+--cgroup-manager "$CLOCHE_TEST_MANAGER"} "$@"
}

# The container's group in the v2 hierarchy as this process sees it.
v2_dir() {
    local top=/sys/fs/cgroup
    [ ! -e "$top/unified/cgroup.procs" ] || top=$top/unified
    echo "$top/$BOX_GROUP"
}

need_v2() {
    if mountpoint -q /sys/fs/cgroup/unified; then
        ! is_systemd || skip "systemd has the controllers of cgroup v1 here"
        need_root "cgroup v2 has to be mounted alone"
    fi
    v2 test -e /sys/fs/cgroup/cgroup.controllers || skip "cgroup v2 can't be mounted here"
}
