# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016 # the dollars are jq's
#
# What the bats files about cloche-runtime's properties share, after `load helper`: a bundle made of the machine's busybox in $BUNDLE, with default.json to begin
# each test from. rt ARGUMENTS…, the runtime with the world's own state; change FILTER, of config.json; script TEXT, what the container runs; start_box, runs it
# detached as `box` until it has made /tmp/ready, its output in $WORLD/out.

runtime_setup_file() {
    local applet
    world_setup_file
    export BUNDLE=$WORLD/bundle
    [ -x /bin/busybox ] || return 0
    mkdir -p "$BUNDLE/rootfs"/{bin,tmp,proc,sys,dev,mnt,data}
    cp /bin/busybox "$BUNDLE/rootfs/bin/"
    for applet in sh cat echo sleep ls id env ps true false hostname kill readlink grep stat uname mount umount mkdir touch ip umask ln dd find sort rm; do
        ln -s busybox "$BUNDLE/rootfs/bin/$applet"
    done
    cloche-runtime spec --bundle "$BUNDLE"
    cp "$BUNDLE/config.json" "$WORLD/default.json"
}

runtime_setup() {
    world_setup
    [ -x /bin/busybox ] || skip "needs /bin/busybox (busybox-static)"
    need_program jq
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/box\""
    rm -f "$BUNDLE/rootfs/tmp/ready"
}

runtime_teardown() {
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
    change --arg text "$1" '.process.args = ["sh", "-c", $text]'
}

start_box() {
    rt run -d -b "$BUNDLE" box >"$WORLD/out" 2>&1 || { cat "$WORLD/out" >&2; return 1; }
    wait_until test -e "$BUNDLE/rootfs/tmp/ready"
}
