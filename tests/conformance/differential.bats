#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime against another OCI runtime: random valid configurations, run by both, and what the program saw must be the same (differential.py). The same ones each time,
# so that a failure is this change's; DIFFERENTIAL_SEED=random or a number, DIFFERENTIAL_COUNT, DIFFERENTIAL_ONLY and DIFFERENTIAL_PEER (crun) look further. Skipped where
# the peer is not installed; ./dev test does not install it.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load ../cli/helper

setup_file() {
    local applet root
    world_setup_file
    [ -x /bin/busybox ] || return 0
    root=$WORLD/rootfs
    mkdir -p "$root"/{bin,tmp,proc,sys,dev,mnt,data,cg,secret-dir,etc/closed,up,below,mapped} "$WORLD"/src/{sub,second}
    cp /bin/busybox "$WORLD/"
    for applet in sh cat sed grep id env sort hostname readlink stat find ls touch mkdir chmod mknod sync umask kill sleep uname chown ln ionice tty stty xargs; do
        ln -s busybox "$root/bin/$applet"
    done
    ln -s /tmp "$root/link"
    ln -s etc "$root/to-etc"
    ln -s /proc "$root/to-proc"
    ln -s /no/such/thing "$root/to-nothing"
    echo hidden | tee "$root/secret" "$root/secret-dir/file" >"$WORLD/src/file"
    echo other | tee "$WORLD/src/sub/other" >"$WORLD/src/second/file"
    ln -s sub "$WORLD/src/link"
    mkfifo "$WORLD/src/pipe"
    echo one >"$root/etc/one"
    chmod 640 "$root/etc/one"
    chmod 700 "$root/etc/closed"
    printf '#!/bin/sh /probe\n' >"$root/etc/script"
    printf '#!/no/interpreter\n' >"$root/etc/lost-script"
    chmod 755 "$root/etc"/*script
    echo copied >"$root/up/file"
    chmod 4711 "$root/up/file"
    ln -s file "$root/up/link"
    sed "s/\$GROUP/$CLOCHE_CGROUP_PARENT\/differential/" "$BATS_TEST_DIRNAME/probe.sh" >"$root/probe"
}

setup() {
    world_setup
    [ -x /bin/busybox ] || skip "needs /bin/busybox (busybox-static)"
    need_program jq python3
}

teardown() {
    world_teardown
}

teardown_file() {
    world_teardown_file
}

@test "differential: random configurations look the same under another runtime" {
    local peer=${DIFFERENTIAL_PEER:-crun}
    need_program "$peer"
    # crun refuses a hybrid layout of control groups: both see it without its v2 part. And crun gives its streams to the container's user: not the machine's /dev/null.
    mknod -m 666 "$WORLD/null" c 1 3
    # shellcheck disable=SC2016 # the inner shell's
    run unshare --mount --propagation private sh -c 'mount --bind "$1/null" /dev/null; umount /sys/fs/cgroup/unified 2>/dev/null; shift; exec "$@"' differential "$WORLD" \
        python3 "$BATS_TEST_DIRNAME/differential.py" "$WORLD" "$peer" cloche-runtime "$CLOCHE_CGROUP_PARENT"
    echo "$output"
    echo "# $peer, $(grep -o 'DIFFERENTIAL_SEED=.*' <<<"$output"), $(grep -c '^ok' <<<"$output") the same" >&3
    expect_status 0
}
