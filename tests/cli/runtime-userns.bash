# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154 # the dollars are jq's; output: set by run
#
# What the bats files about cloche-runtime's user namespaces share, after `load helper` and `load runtime-helper`: with_user_ns, one of the container's own, whose
# root is the host's $FIRST; share TYPE…, those namespaces are the host's; join PID TYPE…, those of that process; pid_of ID; start_pod, a container "pod" to be
# joined; refused TEXT, run fails with one line that has it, and leaves nothing; run_peer crun|runc, the bundle under another runtime, without what that one is too
# old for (skips where it is not installed).

FIRST=200000 # of the host, for the container's root; belongs to nobody here

userns_setup_file() {
    runtime_setup_file
    [ ! -d "$BUNDLE" ] || chown -Rh $FIRST:$FIRST "$BUNDLE/rootfs"
}

userns_setup() {
    runtime_setup
    [ -e /proc/self/ns/user ] || skip "needs user namespaces"
}

with_user_ns() {
    change --argjson first $FIRST '.linux.namespaces += [{ "type": "user" }] |
        .linux.uidMappings = [{ "containerID": 0, "hostID": $first, "size": 65536 }] | .linux.gidMappings = .linux.uidMappings'
}

share() {
    local type
    for type in "$@"; do
        change --arg type "$type" '.linux.namespaces |= map(select(.type != $type))'
    done
}

join() {
    local pid=$1 type file
    shift
    for type in "$@"; do
        file=$type
        [ "$type" != network ] || file=net
        [ "$type" != mount ] || file=mnt
        change --arg type "$type" --arg path "/proc/$pid/ns/$file" \
            '.linux.namespaces |= map(select(.type != $type)) + [{ "type": $type, "path": $path }]'
    done
}

pid_of() {
    rt state "$1" | jq .pid
}

start_pod() {
    script 'sleep 1000'
    change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/pod\""
    rt run -d -b "$BUNDLE" pod
    change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/box\""
}

refused() {
    run rt run -b "$BUNDLE" box
    expect_status 1
    [ "$(wc -l <<<"$output")" -eq 1 ]
    expect_text "$1"
    [ ! -e "$WORLD/oci/box" ]
}

# A pipe for standard input: crun 1.8 gives the file itself to the container's root, also where that is the host's /dev/null.
run_peer() {
    need_program "$1"
    change '.ociVersion = "1.0.2" | .linux.namespaces |= map(select(.type != "time")) | del(.linux.timeOffsets)'
    : | unshare --mount --propagation private sh -c '! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified; exec "$@"' sh \
        "$1" --root "$WORLD/$1" run -b "$BUNDLE" box
}
