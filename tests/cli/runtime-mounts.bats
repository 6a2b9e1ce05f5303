#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime: mounts[] with every option, id maps, tmpcopyup, remount, links as source and destination, propagation of mounts and of the root.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

setup() {
    runtime_setup
    rm -rf "$WORLD/src" "$BUNDLE/rootfs"/{data,mnt,new,link}
    mkdir -p "$WORLD/src/sub" "$BUNDLE/rootfs"/{data,mnt}
    echo content >"$WORLD/src/file"
}

teardown() {
    [ -z "${HOST:-}" ] || kill "$HOST"
    runtime_teardown
}

# mounts JSON...: added to the default ones.
mounts() {
    local mount
    for mount; do change --argjson mount "$mount" '.mounts += [$mount]'; done
}

bind() { # SOURCE DESTINATION OPTION...
    jq -n --arg source "$1" --arg destination "$2" '{$source, $destination, type: "none", options: $ARGS.positional}' --args "${@:3}"
}

tmpfs() { # DESTINATION OPTION...
    jq -n --arg destination "$1" '{source: "tmpfs", $destination, type: "tmpfs", options: $ARGS.positional}' --args "${@:2}"
}

# inside SCRIPT: run it in the container, which has to succeed.
inside() {
    script "$1"
    run rt run -b "$BUNDLE" box
    expect_status 0
}

refused() { # TEXT...
    run rt run -b "$BUNDLE" box
    expect_status 1
    local text
    for text; do expect_text "$text"; done
    [ -z "$(ls "$WORLD/oci")" ]
}

# on_host SCRIPT: in a mount namespace where $WORLD/host is a shared tmpfs, with the frame's functions.
on_host() {
    mkdir -p "$WORLD/host"
    unshare -m --propagation private bash -euc "
        mount -t tmpfs -o mode=755 tmpfs '$WORLD/host'
        mount --make-shared '$WORLD/host'
        rt() { cloche-runtime --root '$WORLD/oci' \"\$@\"; }
        finish() { rt delete -f box || true; }
        trap finish EXIT
        $1"
}

# --- id maps --------------------------------------------------------------------------------------------------------------------

need_idmap() {
    chown 1000:1001 "$WORLD/src" "$WORLD/src/file"
}

@test "idmap: files of one user are another's at the mount, and back" {
    need_idmap
    mounts "$(bind "$WORLD/src" /mnt bind idmap | jq '.uidMappings = [{containerID: 1000, hostID: 0, size: 1}] | .gidMappings = [{containerID: 1001, hostID: 0, size: 1}]')"
    inside 'stat -c %u:%g /mnt/file; echo new >/mnt/new; stat -c %u:%g /mnt/new'
    expect_output "$(printf '0:0\n0:0')"
    [ "$(stat -c %u:%g "$WORLD/src/new")" = 1000:1001 ]
}

@test "idmap: mappings without the option count as idmap, as with runc" {
    need_idmap
    mounts "$(bind "$WORLD/src" /mnt bind | jq '.uidMappings = [{containerID: 1000, hostID: 7, size: 1}] | .gidMappings = [{containerID: 1001, hostID: 8, size: 1}]')"
    inside 'stat -c %u:%g /mnt/file'
    expect_output 7:8
}

@test "idmap=: crun's form brings its own ranges" {
    need_idmap
    mounts "$(bind "$WORLD/src" /mnt bind "idmap=uids=5-50-1#1000-0-10;gids=1001-3-1")"
    inside 'stat -c %u:%g /mnt/file'
    expect_output 0:3
}

@test "idmap: only the mount itself, ridmap: also what is mounted below it" {
    need_idmap
    chown 1000:1001 "$WORLD/src/sub"
    mounts "$(bind "$WORLD/host" /mnt rbind OPTION | jq '.uidMappings = [{containerID: 1000, hostID: 0, size: 1}] | .gidMappings = [{containerID: 1001, hostID: 0, size: 1}]')"
    script 'stat -c %u:%g /mnt/top /mnt/sub/low'
    for option in idmap ridmap; do
        jq --arg option "$option" '.mounts[-1].options = ["rbind", $option]' "$BUNDLE/config.json" >"$BUNDLE/new.json"
        mv "$BUNDLE/new.json" "$BUNDLE/config.json"
        run on_host "mkdir '$WORLD/host/sub'
            mount -t tmpfs tmpfs '$WORLD/host/sub'
            touch '$WORLD/host/top' '$WORLD/host/sub/low'
            chown 1000:1001 '$WORLD/host/top' '$WORLD/host/sub/low'
            rt run -b '$BUNDLE' box; umount '$WORLD/host/sub'" 2>"$WORLD/err"
        if [ "$option" = idmap ]; then
            expect_line 1000:1001
        else
            refute_text 1000:1001
        fi
        expect_line 0:0
    done
}

@test "idmap: a file system that can't is named, with the mount" {
    mounts "$(bind /proc /mnt bind "idmap=uids=0-0-1;gids=0-0-1")"
    refused "mounts[7]: id-map /proc at /mnt" "is on a file system (proc) that can't be id-mapped"
    change '.mounts[-1].options = ["rbind", "ridmap=uids=0-0-1;gids=0-0-1"]'
    refused "or has a mount below it that can't"
}

@test "idmap: without mappings and without a user namespace, on a tmpfs, half a mapping, nonsense: refused by name" {
    mounts "$(bind "$WORLD/src" /mnt bind idmap)"
    refused "mounts[7]: an id-mapped mount needs uidMappings and gidMappings, or a user namespace"
    change '.mounts[-1].uidMappings = [{containerID: 0, hostID: 0, size: 1}]'
    refused "mounts[7]: uidMappings and gidMappings must be given together"
    change '.mounts[-1] = {destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["idmap=uids=0-0-1;gids=0-0-1"]}'
    refused "mounts[7].options: an id-mapped mount needs the option bind or rbind"
    for bad in "uids=0-0-1" "uids=0-0;gids=0-0-1" "uids=0-0-x;gids=0-0-1" "gids" "uids=0-0-0;gids=0-0-1" "uids=0-0-1;gids=0-4294967295-1" "uids=0-0-5#3-9-1;gids=0-0-1"; do
        change --arg bad "$bad" '.mounts[-1] = {destination: "/mnt", source: "/tmp", options: ["bind", "idmap=" + $bad]}'
        refused "mounts[7].options: idmap"
    done
    change '.mounts[-1].options = ["bind", "idmap=uids=@0-0-1;gids=0-0-1"]'
    refused "relative to an id that linux.uidMappings or gidMappings does not have"
}

# --- tmpcopyup ------------------------------------------------------------------------------------------------------------------

@test "tmpcopyup: contents, modes, owners, times, links, devices, attributes" {
    local data=$BUNDLE/rootfs/data
    mkdir -p "$data/dir/empty"
    echo one >"$data/one"
    ln "$data/one" "$data/dir/two"
    ln -s ../one "$data/dir/link"
    mkfifo -m 600 "$data/fifo"
    mknod -m 640 "$data/null" c 1 3
    chown 7:8 "$data/one" "$data/dir"
    chown -h 9:10 "$data/dir/link"
    chmod 4751 "$data/one"
    chmod 1770 "$data/dir"
    chmod 705 "$data"
    touch -h -d @1000000000 "$data/one" "$data/dir/link" "$data/dir/empty" "$data/fifo"
    touch -d @1100000000 "$data/dir"
    mounts "$(tmpfs /data tmpcopyup nodev)"
    inside 'cd /data; stat -c "%n %F %a %u:%g %h %Y" one dir/two dir/link fifo null dir dir/empty . | sort; cat dir/link; echo more >>one; cat dir/two'
    expect_line ". directory 705 0:0 3 $(stat -c %Y "$data")"
    expect_line "dir directory 1770 7:8 3 1100000000"
    expect_line "dir/empty directory 755 0:0 2 1000000000"
    expect_line "dir/link symbolic link 777 9:10 1 1000000000"
    expect_line "dir/two regular file 4751 7:8 2 1000000000"
    expect_line "fifo fifo 600 0:0 1 1000000000"
    expect_match "null character special file 640 0:0 1 "
    expect_line "one regular file 4751 7:8 2 1000000000"
    expect_line more
    [ "$(cat "$data/one")" = one ]
}

@test "tmpcopyup: extended attributes and file capabilities" {
    attribute() { /usr/bin/python3 -c 'import os, sys; f, k, *v = sys.argv[1:]; os.setxattr(f, k, bytes.fromhex(v[0])) if v else print(os.getxattr(f, k).hex())' "$@"; }
    attribute "$BUNDLE/rootfs/data" security.cloche 6b657074 2>"$WORLD/err" || skip "no attributes here: $(cat "$WORLD/err")"
    cp /bin/busybox "$BUNDLE/rootfs/data/busybox"
    chown 5:5 "$BUNDLE/rootfs/data/busybox"
    attribute "$BUNDLE/rootfs/data/busybox" security.capability 0100000200200000000000000000000000000000
    mounts "$(tmpfs /data tmpcopyup)"
    script 'echo ready >/tmp/ready; exec sleep 1000'
    start_box
    run attribute "/proc/$(rt state box | jq .pid)/root/data/busybox" security.capability
    expect_output 0100000200200000000000000000000000000000
    run attribute "/proc/$(rt state box | jq .pid)/root/data" security.cloche
    expect_output 6b657074
}

@test "tmpcopyup: the options' own mode and owner win, a missing directory is an empty tmpfs" {
    echo one >"$BUNDLE/rootfs/data/one"
    mounts "$(tmpfs /data tmpcopyup mode=711 uid=3)" "$(tmpfs /new tmpcopyup)"
    inside 'stat -c "%a %u" /data; ls /data; stat -c %a /new; ls /new'
    expect_output "$(printf '711 3\none\n1777')"
}

@test "tmpcopyup: read-only is the end, not the beginning" {
    echo one >"$BUNDLE/rootfs/data/one"
    mounts "$(tmpfs /data tmpcopyup ro)"
    inside 'cat /data/one; touch /data/x'" 2>&1 || true"
    expect_line one
    expect_text "Read-only file system"
}

@test "tmpcopyup: a hostile tree: links lead nowhere, holes cost nothing, what does not fit is an error and leaves nothing" {
    local data=$BUNDLE/rootfs/data name deep
    ln -s /etc/shadow "$data/shadow"
    ln -s / "$data/root"
    ln -s ../../../../.. "$data/up"
    truncate -s 1T "$data/sparse"
    printf 'end' | dd of="$data/sparse" bs=1 seek=1000000000 conv=notrunc status=none
    name=$(printf '%0255d' 0)
    echo long >"$data/$name"
    printf x >"$data/"$'new\nline'
    mounts "$(tmpfs /data tmpcopyup size=1m)"
    inside 'cd /data; for link in shadow root up; do readlink $link; done; stat -c "%s" sparse; cat 0*; ls | busybox wc -l'
    expect_output "$(printf '/etc/shadow\n/\n../../../../..\n1099511627776\nlong\n6')"
    dd if=/dev/zero of="$data/large" bs=1M count=2 status=none
    refused "mount tmpfs at /data: tmpcopyup of \"large\": No space left on device" "size="
    rm "$data/large"
    deep=$data
    for _ in $(seq 1 130); do deep=$deep/d; done
    mkdir -p "$deep"
    refused "tmpcopyup of \"d/d/" "nested more than 128 deep"
}

@test "tmpcopyup: what is mounted below the directory is not copied" {
    mkdir -p "$BUNDLE/rootfs/data/sub"
    mounts "$(bind "$WORLD/src" /data/sub bind)" "$(tmpfs /data tmpcopyup)"
    inside 'ls -A /data /data/sub'
    refute_text file
    expect_line sub
}

@test "tmpcopyup: needs a tmpfs" {
    mounts "$(bind "$WORLD/src" /mnt bind tmpcopyup)"
    refused "mounts[7].options: tmpcopyup needs type tmpfs"
}

# --- options --------------------------------------------------------------------------------------------------------------------

@test "tmpfs: mode, size, uid; without a mode the one of the directory that it covers" {
    chmod 710 "$BUNDLE/rootfs/data"
    mounts "$(tmpfs /mnt mode=2755 size=64k uid=5 gid=6)" "$(tmpfs /data)" "$(tmpfs /new)"
    inside 'stat -c "%a %u:%g" /mnt /data /new; grep -o "size=64k" /proc/self/mountinfo'
    expect_output "$(printf '2755 5:6\n710 0:0\n1777 0:0\nsize=64k')"
}

@test "options: every plain one arrives" {
    local option
    while read -r option seen; do
        change --arg option "$option" '.mounts = (.mounts[:7] + [{destination: "/mnt", source: "tmpfs", type: "tmpfs", options: [$option]}])'
        inside 'grep " /mnt " /proc/self/mountinfo'
        expect_match " $seen"
    done <<'END'
ro ro,relatime
nosuid rw,nosuid
nodev rw,nodev
noexec rw,noexec
noatime rw,noatime
nodiratime rw,nodiratime
strictatime rw -
relatime rw,relatime
nosymfollow rw,relatime,nosymfollow
sync .* tmpfs tmpfs rw,sync
dirsync .* tmpfs tmpfs rw,dirsync
lazytime .* tmpfs tmpfs rw,lazytime
END
    for option in defaults rw suid dev exec atime diratime norelatime nostrictatime async nolazytime nomand symfollow loud silent noiversion; do
        change --arg option "$option" '.mounts = (.mounts[:7] + [{destination: "/mnt", source: "tmpfs", type: "tmpfs", options: [$option]}])'
        inside 'grep " /mnt " /proc/self/mountinfo'
        expect_match " rw,relatime - tmpfs tmpfs rw,mode"
    done
}

@test "options: the recursive ones reach what is mounted below, and take it back" {
    local option seen
    while read -r option seen; do
        jq --arg option "$option" --arg host "$WORLD/host" '.mounts += [{destination: "/mnt", source: $host, options: ["rbind", $option]}]
            | .process.args = ["grep", " /mnt", "/proc/self/mountinfo"]' "$WORLD/default.json" >"$BUNDLE/config.json"
        run on_host "mkdir '$WORLD/host/sub'; mount -t tmpfs -o ${BELOW:-rw} tmpfs '$WORLD/host/sub'; rt run -b '$BUNDLE' box; umount '$WORLD/host/sub'"
        [ "$(grep -c -E " /mnt(/sub)? $seen( |\$)" <<<"$output")" = 2 ] || { echo "$option: $output" >&2; return 1; }
    done <<'END'
rro ro,relatime
rnosuid rw,nosuid,relatime
rnodev rw,nodev,relatime
rnoexec rw,noexec,relatime
rnoatime rw,noatime
rnodiratime rw,nodiratime,relatime
rstrictatime rw
rrelatime rw,relatime
rnosymfollow rw,relatime,nosymfollow
END
    for option in rrw:ro rsuid:nosuid rdev:nodev rexec:noexec ratime:noatime rdiratime:nodiratime rsymfollow:nosymfollow rnorelatime:strictatime rnostrictatime:strictatime; do
        jq --arg option "${option%:*}" --arg host "$WORLD/host" '.mounts += [{destination: "/mnt", source: $host, options: ["rbind", $option]}]
            | .process.args = ["grep", " /mnt/sub", "/proc/self/mountinfo"]' "$WORLD/default.json" >"$BUNDLE/config.json"
        run on_host "mkdir '$WORLD/host/sub'; mount -t tmpfs tmpfs '$WORLD/host/sub'; mount -o remount,bind,${option#*:} '$WORLD/host/sub'; rt run -b '$BUNDLE' box; umount '$WORLD/host/sub'"
        expect_match " /mnt/sub rw,relatime "
    done
}

@test "options: one that the file system does not know is the kernel's message" {
    mounts "$(tmpfs /mnt bogus=1)"
    refused "mount tmpfs at /mnt: tmpfs: Unknown parameter 'bogus'"
    change '.mounts[-1].options = ["size=abc"]'
    refused "mount tmpfs at /mnt" "Bad value for 'size'"
    change '.mounts[-1].type = "nofs"'
    refused "mount nofs at /mnt: No such device"
    change '.mounts[-1] = {destination: "/mnt", source: "/tmp", options: ["bind", "size=1m"]}'
    script true
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_text "warning: mounts[7].options: a bind mount has no use for \"size=1m\""
}

@test "no mount namespace: the tree is on no path of the host's, and its masks hold" {
    local before
    need_program nsenter
    # One of the test's own stands for the host's, as others on this machine mount, too.
    unshare -m --propagation private sleep 1000 3>&- &
    HOST=$!
    wait_until grep -qx sleep "/proc/$HOST/comm"
    rt_there() { nsenter -t "$HOST" -m cloche-runtime --root "$WORLD/oci" "$@"; }
    change '.linux.namespaces |= map(select(.type != "mount"))'
    script 'readlink /proc/self/ns/mnt; ls /; cat /proc/keys; echo x >/proc/sys/kernel/hostname; sleep 1000'
    before=$(cat "/proc/$HOST/mountinfo")
    rt_there run -d -b "$BUNDLE" box >"$WORLD/out" 2>&1
    wait_until grep -qi "read-only" "$WORLD/out"
    [ "$(head -n 1 "$WORLD/out")" = "$(readlink "/proc/$HOST/ns/mnt")" ]
    [ "$(cat "/proc/$HOST/mountinfo")" = "$before" ]
    run cat "$WORLD/out"
    expect_line bin
    refute_text "home"
    refute_text "_ses"
    # The runtime is gone, the mounts below the root still hang together; and exec goes to the container's root, not to the host's.
    run rt_there exec box sh -c 'ls /; readlink /proc/1/root; ls /dev/null /proc/self/status; ls -d /dev/pts'
    expect_status 0
    expect_line bin
    refute_text "home"
    expect_line /dev/pts
    run rt_there exec box ls "$WORLD"
    [ "$status" -ne 0 ]
    rt_there delete -f box
    [ "$(cat "/proc/$HOST/mountinfo")" = "$before" ]
    change '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
            | .linux.gidMappings = .linux.uidMappings'
    refused "linux.namespaces: with a user namespace a mount namespace is needed"
}

@test "options: sync of a bind is the file system's own affair, which is said" {
    mounts "$(bind "$WORLD/src" /mnt bind sync)"
    script 'cat /mnt/file'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_text 'mounts[7].options: "sync" is the file system'"'"'s, which a bind mount leaves as it is'
    expect_line content
}

@test "type bind without the option, no type, no source: refused by name" {
    mounts "$(bind "$WORLD/src" /mnt ro | jq '.type = "bind"')"
    refused "mounts[7].type: is missing, and the options do not say bind or rbind"
    change '.mounts[-1] = {destination: "/mnt"}'
    refused "mounts[7].type: a file system type is needed"
    change '.mounts[-1] = {destination: "/mnt", source: "", options: ["bind"]}'
    refused "mounts[7].source: a bind mount needs a source"
    change '.mounts[-1] = {destination: "/mnt", source: "/does/not/exist", options: ["bind"]}'
    refused "bind source /does/not/exist: No such file or directory"
}

@test "source: an empty one of a file system is its type" {
    mounts "$(tmpfs /mnt | jq '.source = ""')"
    inside 'grep -o " /mnt .*" /proc/self/mountinfo'
    expect_match "tmpfs tmpfs"
}

# --- read-only ------------------------------------------------------------------------------------------------------------------

@test "a read-only tmpfs: below what is masked, below another mount, made writable again, within a read-only path" {
    mounts "$(tmpfs /data/in ro)" "$(tmpfs /mnt ro)" "$(tmpfs /mnt mode=755)"
    change '.linux.maskedPaths += ["/data"]'
    inside 'ls /data; touch /mnt/x; echo "$?"; grep -c " /data" /proc/self/mountinfo; grep -o " /data/in r[ow]\| /mnt r[ow]" /proc/self/mountinfo'
    expect_output "$(printf '0\n2\n /data/in ro\n /mnt ro\n /mnt rw')"
    change '.linux.maskedPaths -= ["/data"] | .mounts[-1] = {destination: "/data", type: "tmpfs", source: "tmpfs"} | .mounts += [{destination: "/mnt", options: ["remount", "rw"]}]'
    inside 'touch /data/x /mnt/x && grep -o " /data/in r[ow]" /proc/self/mountinfo'
    expect_output " /data/in ro"
    mounts "$(tmpfs /mnt/in ro)"
    change '.linux.readonlyPaths += ["/mnt"]'
    inside 'grep -o " /mnt/in r[ow]" /proc/self/mountinfo; touch /mnt/in/x 2>&1 || true'
    expect_output "$(printf ' /mnt/in ro\n /mnt/in ro\ntouch: /mnt/in/x: Read-only file system')"
}

# --- remount --------------------------------------------------------------------------------------------------------------------

@test "remount: the mount's flags and the file system's own options change, the rest stays" {
    mounts "$(tmpfs /mnt size=64k nodev)" "$(tmpfs /mnt remount nosuid size=128k)"
    inside 'grep -o " /mnt .*" /proc/self/mountinfo'
    expect_match " /mnt rw,nosuid,nodev,relatime - tmpfs tmpfs rw,size=128k"
}

@test "remount,bind: the flags of a bind, not of the file system" {
    mounts "$(bind "$WORLD/src" /mnt bind noexec)" "$(bind none /mnt remount bind ro)"
    inside 'grep -o " /mnt .*" /proc/self/mountinfo; touch /mnt/x 2>&1; true'
    expect_match " /mnt ro,noexec"
    expect_text "Read-only file system"
    touch "$WORLD/src/x"
}

@test "remount: of what is no mount, with a foreign option, with what makes a mount: errors" {
    mounts "$(tmpfs /mnt remount ro)"
    refused "mounts[7]: change the mount at /mnt: nothing is mounted there"
    change '.mounts[-1].options = [] | .mounts += [{destination: "/mnt", options: ["remount", "bogus"]}]'
    refused "mounts[8]: change the mount at /mnt" "Unknown parameter 'bogus'"
    change '.mounts[-1].options = ["remount", "bind", "size=1m"]'
    refused "mounts[8].options: remount with bind changes the mount alone"
    change '.mounts[-1].type = "tmpfs" | .mounts[-1].options = ["remount", "tmpcopyup"]'
    refused "mounts[8].options: remount excludes tmpcopyup"
    change '.mounts[-1] = {destination: "/gone", options: ["remount", "ro"]}'
    refused "mounts[8]: change the mount at /gone"
    [ ! -e "$BUNDLE/rootfs/gone" ]
}

# --- sources and destinations ---------------------------------------------------------------------------------------------------

@test "destination: relative, through a link of the image, a file" {
    ln -sfn /data "$BUNDLE/rootfs/link"
    mounts "$(bind "$WORLD/src" mnt bind)" "$(bind "$WORLD/src/file" /link/here bind)" "$(bind "$WORLD/src/file" new/file bind)"
    inside 'cat /mnt/file /data/here /new/file'
    expect_output "$(printf 'content\ncontent\ncontent')"
    [ -f "$BUNDLE/rootfs/data/here" ]
}

@test "src-nofollow: the link itself is mounted" {
    ln -s /somewhere/else "$WORLD/src/link"
    mounts "$(bind "$WORLD/src/link" /mnt/link bind src-nofollow)"
    inside 'readlink /mnt/link'
    expect_output /somewhere/else
    rm -rf "$BUNDLE/rootfs/mnt"
    change '.mounts[-1].options = ["bind"]'
    refused "bind source $WORLD/src/link: No such file or directory"
}

@test "dest-nofollow: the link itself is covered, not what it leads to" {
    ln -sfn /data/target "$BUNDLE/rootfs/link"
    echo hidden >"$BUNDLE/rootfs/data/target"
    mounts "$(bind "$WORLD/src/file" /link bind dest-nofollow)"
    inside 'cat /link /data/target'
    expect_output "$(printf 'content\nhidden')"
    change '.mounts[-1].options = ["bind"]'
    run rt run -b "$BUNDLE" box
    expect_output "$(printf 'content\ncontent')"
}

@test "copy-symlink: a link is made again; the same one may be there, something else not; a file is mounted" {
    ln -s /somewhere/else "$WORLD/src/link"
    mounts "$(bind "$WORLD/src/link" /mnt/link bind copy-symlink)" "$(bind "$WORLD/src/file" /mnt/file bind copy-symlink)"
    inside 'readlink /mnt/link; cat /mnt/file'
    expect_output "$(printf '/somewhere/else\ncontent')"
    [ "$(readlink "$BUNDLE/rootfs/mnt/link")" = /somewhere/else ]
    inside 'readlink /mnt/link'
    ln -sfn /other "$BUNDLE/rootfs/mnt/link"
    refused "copy the link $WORLD/src/link to /mnt/link: something else is there"
    change '.mounts[-1].options += ["src-nofollow"]'
    refused "mounts[8].options: copy-symlink excludes src-nofollow and dest-nofollow"
}

@test "cgroup: read-only as planned, rw where asked; sysfs bound from the host; mqueue" {
    inside 'grep -c " /sys/fs/cgroup[/ ].* ro" /proc/self/mountinfo; grep -o "/dev/mqueue .*" /proc/self/mountinfo; mkdir /sys/fs/cgroup/x 2>&1; true'
    expect_text "Read-only file system"
    expect_match "mqueue mqueue"
    change '(.mounts[] | select(.type == "cgroup").options) -= ["ro"]'
    inside 'grep " /sys/fs/cgroup[/ ]" /proc/self/mountinfo | grep -v " rw," || echo all writable'
    expect_output "all writable"
    change '.mounts = [.mounts[] | select(.destination | startswith("/sys") | not)] + [{destination: "/sys", source: "/sys", options: ["rbind", "rro"]}]'
    inside 'ls /sys/kernel | head -1 >/dev/null; grep " /sys " /proc/self/mountinfo'
    expect_match " /sys ro"
}

# --- propagation ----------------------------------------------------------------------------------------------------------------

# root_info PROPAGATION: the optional fields of the root, as the container sees them.
root_info() {
    change --arg propagation "$1" '.linux.rootfsPropagation = $propagation'
    inside 'grep " / / \| /[^ ]* / " /proc/self/mountinfo'
}

@test "linux.rootfsPropagation: shared, slave, private, unbindable as the container sees its root" {
    root_info shared
    expect_match ' / [^-]* shared:[0-9]+ -'
    root_info rshared
    expect_match ' / [^-]* shared:[0-9]+ -'
    for propagation in private rprivate; do
        root_info "$propagation"
        refute_text shared
        refute_text master
        refute_text unbindable
    done
    for propagation in unbindable runbindable; do
        root_info "$propagation"
        expect_match ' / [^-]* unbindable -'
    done
    change '.linux.rootfsPropagation = "upwards"'
    refused 'linux.rootfsPropagation: unknown value "upwards"'
}

# spreads PROPAGATION: does a mount that the host makes below the root file system appear in there, and one of the container's on the host?
spreads() {
    change --arg propagation "$1" --arg root "$WORLD/host/rootfs" '.linux.rootfsPropagation = $propagation | .root.path = $root
        | .process.capabilities.bounding += ["CAP_SYS_ADMIN"] | .process.capabilities.effective += ["CAP_SYS_ADMIN"] | .process.capabilities.permitted += ["CAP_SYS_ADMIN"]'
    script 'mount -t tmpfs inner /mnt; echo ready >/tmp/ready; exec sleep 1000'
    on_host "cp -a '$BUNDLE/rootfs' '$WORLD/host/rootfs'
        rt run -d -b '$BUNDLE' box >'$WORLD/out' 2>&1
        for _ in \$(seq 600); do [ -e '$WORLD/host/rootfs/tmp/ready' ] && break; sleep 0.1; done
        mount -t tmpfs outer '$WORLD/host/rootfs/data'
        grep -q ' /data .* outer ' /proc/\$(rt state box | jq .pid)/mountinfo && echo in || echo not in
        grep -q ' inner ' /proc/self/mountinfo && echo out || echo not out
        umount '$WORLD/host/rootfs/data'"
}

@test "linux.rootfsPropagation slave: what the host mounts arrives, and never the other way round" {
    run spreads slave
    expect_output "$(printf 'in\nnot out')"
    run spreads rslave
    expect_output "$(printf 'in\nnot out')"
}

@test "linux.rootfsPropagation private, shared, none: the host and the container keep their mounts" {
    for propagation in private shared rshared ""; do
        run spreads "$propagation"
        expect_output "$(printf 'not in\nnot out')"
    done
}

@test "propagation of mounts: shared, slave, private, unbindable, and their recursive forms" {
    local option
    while read -r option fields; do
        jq --arg option "$option" --arg host "$WORLD/host" '.mounts += [{destination: "/mnt", source: $host, options: ["rbind", $option]}]
            | .process.args = ["grep", " /mnt ", "/proc/self/mountinfo"]' "$WORLD/default.json" >"$BUNDLE/config.json"
        run on_host "rt run -b '$BUNDLE' box"
        expect_match " /mnt rw,relatime $fields"
    done <<'END'
shared shared:[0-9]+ -
rshared shared:[0-9]+ -
slave master:[0-9]+ -
rslave master:[0-9]+ -
private -
rprivate -
unbindable unbindable -
runbindable unbindable -
END
    mounts "$(tmpfs /mnt shared)"
    inside 'grep " /mnt " /proc/self/mountinfo'
    expect_match 'shared:[0-9]+ - tmpfs'
    # No type: the one that is there changes.
    change '.mounts += [{destination: "/mnt", options: ["private"]}]'
    inside 'grep " /mnt " /proc/self/mountinfo'
    refute_text shared
}

@test "propagation of mounts: rshared goes both ways, a root that is rshared or rprivate is what the others have" {
    jq --arg host "$WORLD/host" '.mounts += [{destination: "/mnt", source: $host, options: ["rbind", "rshared"]}] | .linux.rootfsPropagation = "rshared"
        | .process.args = ["sh", "-c", "mount -t tmpfs inner /mnt/a; grep \" /mnt \" /proc/self/mountinfo >/mnt/info; exec sleep 1000"]
        | .process.capabilities.bounding += ["CAP_SYS_ADMIN"] | .process.capabilities.effective += ["CAP_SYS_ADMIN"] | .process.capabilities.permitted += ["CAP_SYS_ADMIN"]' \
        "$WORLD/default.json" >"$BUNDLE/config.json"
    run on_host "mkdir '$WORLD/host/a' '$WORLD/host/b'
        rt run -d -b '$BUNDLE' box >'$WORLD/out' 2>&1
        for _ in \$(seq 600); do [ -s '$WORLD/host/info' ] && break; sleep 0.1; done
        mount -t tmpfs outer '$WORLD/host/b'
        grep -q ' /mnt/b .* outer ' /proc/\$(rt state box | jq .pid)/mountinfo && echo in || echo not in
        grep -q ' inner ' /proc/self/mountinfo && echo out || echo not out
        umount '$WORLD/host/a' '$WORLD/host/b'"
    expect_output "$(printf 'in\nout')"
    for propagation in rshared rprivate; do
        jq --arg host "$WORLD/host" --arg propagation "$propagation" '.mounts += [{destination: "/mnt", source: $host, options: ["rbind"]}] | .linux.rootfsPropagation = $propagation
            | .process.args = ["grep", " /mnt ", "/proc/self/mountinfo"]' "$WORLD/default.json" >"$BUNDLE/config.json"
        run on_host "rt run -b '$BUNDLE' box"
        [ "$propagation" = rprivate ] || expect_match ' /mnt rw,relatime shared:[0-9]+ master:[0-9]+ -'
        [ "$propagation" = rshared ] || expect_match ' /mnt rw,relatime -'
    done
}

# --- labels ---------------------------------------------------------------------------------------------------------------------

@test "labels: where no security module would heed them, an error and nothing made" {
    [ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is on"
    [ ! -e /sys/module/apparmor/parameters/enabled ] || skip "AppArmor is on"
    change '.linux.mountLabel = "system_u:object_r:container_file_t:s0:c1,c2"'
    refused "linux.mountLabel: SELinux is not enabled on this host"
    change '.linux.mountLabel = "" | .process.selinuxLabel = "system_u:system_r:container_t:s0"'
    refused "process.selinuxLabel: SELinux is not enabled on this host"
    change '.process.selinuxLabel = "" | .process.apparmorProfile = "cloche-default"'
    refused "process.apparmorProfile: AppArmor is not enabled on this host"
    change '.process.apparmorProfile = ""'
    script 'echo ready >/tmp/ready; exec sleep 1000'
    start_box
    run rt exec --apparmor cloche-default box true
    expect_status 255
    expect_text "process.apparmorProfile: AppArmor is not enabled on this host"
}
