#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime checkpoint and restore: what we ask of criu, and what we make of its answers. Criu is played here (criu-stand-in.py, first in PATH);
# tests/vm/checkpoint.bats has the real one.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper
eval "$(declare -f setup | sed '1s/setup/frame_setup/')"

setup() {
    frame_setup
    [ "$(id -u)" = 0 ] || skip "needs root"
    need_program python3
    export STAND_IN=$WORLD/stand-in
    rm -rf "${WORLD:?}"/{stand-in,images,bin}
    mkdir -p "$STAND_IN" "$WORLD/bin"
    ln -s "$HELPER_DIR/criu-stand-in.py" "$WORLD/bin/criu"
    export PATH=$WORLD/bin:$PATH
    IMAGES=$WORLD/images
}

start_box() {
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1 || { cat "$WORLD/out" >&2; return 1; }
}

checkpoint() {
    rt checkpoint --image-path "$IMAGES" "$@" box
}

restore() {
    rt restore -d --image-path "$IMAGES" -b "$BUNDLE" "$@" box </dev/null >"$WORLD/out" 2>&1 || { cat "$WORLD/out"; return 1; }
}

# asked FILE FILTER: a word of what criu was asked (members by their numbers in criu_opts).
asked() {
    jq -r "$2" "$STAND_IN/$1.json"
}

externals() {
    asked "$1" '.["37"][]'
}

pid_of() {
    rt state box | jq .pid
}

nothing_is_left() {
    [ -z "$(rt list -q)" ]
    [ -z "$(ls -A "$WORLD/oci" 2>/dev/null)" ]
    [ "$(grep -cF "$WORLD/oci" /proc/self/mountinfo)" = 0 ]
    [ ! -e "$(group_dir freezer)" ]
    [ ! -e "$STAND_IN/pid" ] || wait_until test ! -e "/proc/$(<"$STAND_IN/pid")"
}

@test "checkpoint: what criu is asked; the container is gone afterwards" {
    mkdir -p "$WORLD/data"
    change --arg data "$WORLD/data" '.mounts += [{ destination: "/tmp", type: "bind", source: $data, options: ["rbind"] }]'
    start_box
    local pid
    pid=$(pid_of)
    checkpoint --tcp-established --file-locks --manage-cgroups-mode full --network-lock nftables
    [ "$(asked dump '.["2"]')" = "$pid" ]
    [ "$(asked dump '[.["5"], .["8"], .["34"], .["64"], .["12"], .["50"], .["38"]] | tostring')" = "[1,1,4,2,1,1,$((0x40000000))]" ]
    [ "$(asked dump '[.["3"], .["4"], .["7"], .["15"], .["48"]] | tostring')" = '[null,null,null,null,null]' ]
    [ "$(asked dump '.["10"][0]')" = dump.log ]
    [ "$(asked dump '.["51"][0]')" = /etc/criu/runc.conf ]
    [[ $(asked dump '.["44"][0]') == *"/$CLOCHE_CGROUP_PARENT/box" ]]
    externals dump | grep -qx 'mnt\[/tmp\]:/tmp'
    externals dump | grep -q '^mnt\[/proc/[a-z_]*\]:cloche:null$'
    externals dump | grep -q '^mnt\[/[a-z/]*\]:cloche:empty$'
    [ "$(externals dump | grep -c /proc/bus)" = 0 ]
    [ "$(jq -c 'length' "$IMAGES/descriptors.json")" = 3 ]
    nothing_is_left
}

@test "checkpoint --leave-running, --pre-dump, --parent-path, --work-path, --lazy-pages, --page-server" {
    start_box
    checkpoint --leave-running --work-path "$WORLD/logs"
    has_status box running
    [ "$(asked dump '.["3"]')" = 1 ]
    [ -e "$WORLD/logs/dump.log" ]
    checkpoint --pre-dump
    has_status box running
    [ "$(asked pre-dump '.["15"]')" = 1 ]
    IMAGES=$WORLD/images-2 checkpoint --leave-running --parent-path ../images
    [ "$(asked dump '[.["14"][0], (.["15"] | tostring)] | join(" ")')" = "../images 1" ]
    run checkpoint --parent-path /tmp
    expect_status 1
    expect_text "has to be relative to --image-path"
    run checkpoint --parent-path ../none
    expect_status 1
    expect_text "--parent-path ../none"
    checkpoint --leave-running --lazy-pages --page-server '[::1]:2000' --status-fd 7 7>"$WORLD/status"
    [ "$(asked dump '.["11"][0] | [.["1"][0], (.["2"] | tostring)] | join(" ")')" = "::1 2000" ]
    [ "$(od -An -tx1 "$WORLD/status" | tr -d ' ')" = 00 ]
    has_status box running
}

# Of criu_opts: what each option is there. The first seven are restore's, too.
OPTION_FIELDS=(--tcp-established=5 --ext-unix-sk=4 --shell-job=7 --file-locks=8 --auto-dedup=16 --lazy-pages=48 --tcp-close=52 --link-remap=18 --tcp-skip-in-flight=46)

# choose COUNT BIT: of the first COUNT options those with this bit in their place (from 1), so that over all bits no two are there alike: their names into
# `options`, the numbers of their members into `numbers`.
choose() {
    local i
    options=() numbers=()
    for ((i = 1; i <= $1; i++)); do
        (((i >> $2) & 1)) || continue
        options+=("${OPTION_FIELDS[i - 1]%=*}") numbers+=("${OPTION_FIELDS[i - 1]#*=}")
    done
}

# asks_only FILE NUMBER…: of the members that are options', these are true.
asks_only() {
    local file=$1 all
    shift
    all=$(printf '%s\n' "${OPTION_FIELDS[@]#*=}" | jq -s .)
    [ "$(jq --argjson all "$all" '[to_entries[] | .key = (.key | tonumber) | select(.value == 1 and (.key | IN($all[]))).key] | sort | .[]' "$STAND_IN/$file.json" | paste -sd' ')" \
        = "$(printf '%s\n' "$@" | sort -n | paste -sd' ')" ]
}

@test "options that are criu's: each is one member of what it is asked, and no other" {
    local bit options numbers modes=(soft=3 full=4 strict=5 ignore=0) locks=(iptables=1 nftables=2 skip=3 skip=3)
    start_box
    for bit in 0 1 2 3; do
        choose 9 $bit
        checkpoint --leave-running "${options[@]}" --manage-cgroups-mode "${modes[bit]%=*}" --network-lock "${locks[bit]%=*}"
        asks_only dump "${numbers[@]}" || { echo "checkpoint ${options[*]}"; return 1; }
        [ "$(asked dump '[.["24"], .["34"], .["64"]] | tostring')" = "[1,${modes[bit]#*=},${locks[bit]#*=}]" ]
    done
    # Without a word: soft, criu's own way to lock, no network in the images, and none of the rest.
    checkpoint
    asks_only dump
    [ "$(asked dump '[.["34"], .["38"], .["64"], .["14"], .["11"], .["3"]] | tostring')" = "[3,$((0x40000000)),null,null,null,null]" ]
    for bit in 0 1 2; do
        choose 7 $bit
        restore "${options[@]}" --manage-cgroups-mode "${modes[bit + 1]%=*}" --network-lock "${locks[bit]%=*}" --empty-ns network
        asks_only restore "${numbers[@]}" || { echo "restore ${options[*]}"; return 1; }
        [ "$(asked restore '[.["24"], .["34"], .["64"], .["38"]] | tostring')" = "[1,${modes[bit + 1]#*=},${locks[bit]#*=},$((0x40000000))]" ]
        rt delete -f box
    done
}

@test "restore: a container again, in its group, with what it is given" {
    start_box
    checkpoint
    restore --pid-file "$WORLD/pid" --tcp-close --lsm-profile apparmor:none
    has_status box running
    [ "$(<"$WORLD/pid")" = "$(pid_of)" ]
    grep -q "/$CLOCHE_CGROUP_PARENT/box" "$STAND_IN/group"
    grep -q "/$CLOCHE_CGROUP_PARENT/box" "/proc/$(pid_of)/cgroup"
    # The root is a mount point in a mount namespace of criu's own, and the masks lie beside it.
    awk '{ print $5 }' "$STAND_IN/mounts" | grep -qx "$(asked restore '.["13"][0]')"
    grep -qx bin "$STAND_IN/entries"
    local mask
    mask=$(externals restore | sed -n 's/^mnt\[cloche:null\]:\(.*\)\/null$/\1/p')
    awk '{ print $5 }' "$STAND_IN/mounts" | grep -qx "$mask"
    [ ! -e "$mask" ]
    [ "$(asked restore '[.["26"], .["6"], .["52"]] | tostring')" = '[1,1,1]' ]
    [ "$(asked restore '.["53"][0]')" = apparmor:none ]
    asked restore '.["25"][] | .["2"][0]' | grep -qx "/$CLOCHE_CGROUP_PARENT/box"
    # A new network namespace has its loopback up.
    nsenter --net="/proc/$(pid_of)/ns/net" sh -c 'cat /sys/class/net/lo/flags || ip link show lo' >/dev/null
    rt kill box KILL
    wait_until has_status box stopped
    rt delete box
    nothing_is_left
}

@test "restore: streams that were pipes or files of the host's are those of who restores" {
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null 2>"$WORLD/err" | cat >"$WORLD/first" 3>&- &
    wait_until has_status box running
    checkpoint
    [[ $(jq -r '.[1]' "$IMAGES/descriptors.json") == pipe:* ]]
    [[ $(jq -r '.[2]' "$IMAGES/descriptors.json") == "file["*:*"]" ]]
    externals dump | grep -qxF "$(jq -r '.[2]' "$IMAGES/descriptors.json")"
    restore
    local name
    for name in 1 2; do
        [ "$(asked restore ".[\"27\"][] | select(.[\"2\"] == $name) | .[\"1\"][0]")" = "$(jq -r ".[$name]" "$IMAGES/descriptors.json")" ]
    done
    [ "$(sed -n 2p "$STAND_IN/streams")" = "$WORLD/out" ]
}

@test "restore: a terminal goes to the console socket" {
    change '.process.terminal = true'
    script 'sleep 1000'
    for step in run restore; do
        rm -f "$WORLD/console" "$WORLD/listening"
        python3 "$HELPER_DIR/console-receiver.py" "$WORLD/console" >"$WORLD/terminal" 2>"$WORLD/listening" 3>&- &
        wait_until grep -q listening "$WORLD/listening"
        if [ $step = run ]; then
            rt run -d -b "$BUNDLE" --console-socket "$WORLD/console" box
            checkpoint
            touch "$STAND_IN/terminal"
        else
            restore --console-socket "$WORLD/console"
        fi
        wait $! # it has taken a terminal, which has no other end any more
    done
    has_status box running
    rt delete -f box
    rm "$STAND_IN/terminal"
    run rt restore -d --image-path "$IMAGES" -b "$BUNDLE" --console-socket "$WORLD/console" box
    expect_status 1
    expect_text "process.terminal: the checkpoint is of a container without one"
    nothing_is_left
}

@test "restore in the foreground: the code of its end, and it is deleted" {
    start_box
    checkpoint
    { rt restore --image-path "$IMAGES" -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1 || echo "code $?" >>"$WORLD/out"; } 3>&- &
    wait_until has_status box running
    rt kill box KILL
    wait_until grep -qx "code 137" "$WORLD/out"
    nothing_is_left
}

@test "org.criu.config: another file, or none; namespaces that are joined" {
    change --arg path "/proc/$$/ns/net" '.annotations = { "org.criu.config": "/etc/own.conf" } | .linux.namespaces |= map(if .type == "network" then .path = $path else . end)'
    start_box
    checkpoint
    [ "$(asked dump '.["51"][0]')" = /etc/own.conf ]
    externals dump | grep -qx "net\[$(stat -Lc %i /proc/self/ns/net)\]:extRootNetNS"
    restore
    [ "$(asked restore '[.["27"][] | select(.["1"][0] == "extRootNetNS") | .["2"]] | length')" = 1 ]
    rt delete -f box
    change '.annotations = { "org.criu.config": "" }'
    start_box
    checkpoint
    [ "$(asked dump '.["51"]')" = null ]
    restore
    [ "$(asked restore '.["51"]')" = null ]
}

@test "without org.criu.config: runc's file, or crun's where that is all there is" {
    start_box
    local files expected
    for files in "runc.conf crun.conf" "crun.conf" ""; do
        # shellcheck disable=SC2016 # the inner shell's
        unshare --mount --propagation private sh -ec 'mount -t tmpfs etc /etc; mkdir /etc/criu; for name in $3; do touch "/etc/criu/$name"; done
            cloche-runtime --root "$1/oci" checkpoint --leave-running --image-path "$2" box' sh "$WORLD" "$IMAGES" "$files"
        expected=/etc/criu/runc.conf
        [ "$files" != crun.conf ] || expected=/etc/criu/crun.conf
        [ "$(asked dump '.["51"][0]')" = "$expected" ]
    done
}

@test "org.criu.config of the restored bundle is what restore goes by" {
    start_box
    checkpoint
    change '.annotations = { "org.criu.config": "/etc/other.conf" }'
    restore
    [ "$(asked restore '.["51"][0]')" = /etc/other.conf ]
}

@test "hooks: as runc does it, and poststop at each end" {
    printf '#!/bin/sh\ncat >/dev/null; echo "$1" >>"%s/hooks"\n' "$WORLD" >"$WORLD/hook"
    chmod +x "$WORLD/hook"
    change --arg hook "$WORLD/hook" '.hooks = (["prestart", "createRuntime", "poststart", "poststop"] | map({ key: ., value: [{ path: $hook, args: ["hook", .] }] }) | from_entries)'
    start_box
    checkpoint
    restore
    rt delete -f box
    [ "$(paste -sd' ' "$WORLD/hooks")" = "prestart createRuntime poststart poststop prestart createRuntime poststop" ]
    change '.hooks = { createRuntime: [{ path: "/bin/false" }] }'
    run rt restore -d --image-path "$IMAGES" -b "$BUNDLE" box
    expect_status 1
    expect_text "hooks.createRuntime[0]"
    nothing_is_left
}

@test "criu is missing, or too old: it says so, and nothing is touched" {
    start_box
    PATH=/nowhere run "$(command -v cloche-runtime)" --root "$WORLD/oci" checkpoint --image-path "$IMAGES" box
    expect_status 1
    expect_text "the program criu is not installed (looked in /nowhere)"
    expect_text "install the package criu, or name it by --criu PATH"
    run rt --criu "$WORLD/none" checkpoint --image-path "$IMAGES" box
    expect_status 1
    expect_text "--criu $WORLD/none"
    echo 3.14.0 >"$STAND_IN/version"
    run checkpoint
    expect_status 1
    expect_text "criu is of version 3.14, and 3.15 is the oldest that will do"
    rm "$STAND_IN/version"
    PATH=${PATH#*:} rt --criu "$WORLD/bin/criu" checkpoint --image-path "$IMAGES" --leave-running box
    echo no >"$STAND_IN/features"
    run checkpoint --pre-dump
    expect_status 1
    expect_text "--pre-dump: criu can't track changes of memory on this kernel"
    run checkpoint --lazy-pages
    expect_status 1
    expect_text "--lazy-pages: criu can't do it"
    has_status box running
}

@test "criu fails: the last lines of its log, and where it is; the container goes on, or nothing is left" {
    start_box
    echo "the wheel is stuck" >"$STAND_IN/fail"
    run checkpoint
    expect_status 1
    expect_output "cloche-runtime: criu dump: something came first; the wheel is stuck; all of it: $IMAGES/dump.log"
    has_status box running
    rm "$STAND_IN/fail"
    touch "$STAND_IN/silent"
    run checkpoint
    expect_status 1
    expect_text "criu dump: it ended without a word"
    has_status box running
    rm "$STAND_IN/silent"
    checkpoint
    local how
    for how in fail late silent; do
        echo "no way back" >"$STAND_IN/$how"
        run rt restore -d --image-path "$IMAGES" --work-path "$WORLD/logs" -b "$BUNDLE" box
        expect_status 1
        expect_match "^cloche-runtime: criu restore: .*(no way back|refused|without a word)"
        rm "$STAND_IN/$how"
        nothing_is_left
    done
    restore
}

in_user_ns() {
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    change --arg path "$BOX_PATH" '.linux.cgroupsPath = $path | .linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
}

@test "a user namespace: its root can get to all that criu needs, in criu's mount namespace and nowhere else" {
    in_user_ns
    mkdir -p "$WORLD/data"
    change --arg data "$WORLD/data" '.mounts += [{ destination: "/tmp", type: "bind", source: $data, options: ["rbind"] }]'
    chown -R 100000:100000 "$BUNDLE/rootfs"
    chmod 711 "$WORLD" "$WORLD/oci" 2>/dev/null || true
    start_box
    chmod 700 "$WORLD"
    checkpoint --leave-running
    touch "$IMAGES/dev/old"
    checkpoint
    [ ! -e "$IMAGES/dev/old" ]
    externals dump | grep -qx 'mnt\[/dev\]:cloche:dev'
    [ "$(stat -c '%a %u' "$IMAGES" "$IMAGES/dev" | sort -u)" = "700 0" ]
    [ -L "$IMAGES/dev/fd" ]
    chmod 666 "$WORLD/out"
    restore
    local root top source
    root=$(asked restore '.["13"][0]')
    top=$(dirname "$root")
    # Where everybody may go, and all of it a mount of criu's own.
    [ "$top" = /run ]
    for source in "$root" "$top" "$(externals restore | sed -n 's/^mnt\[cloche:dev\]:\(.*\)$/\1/p')" "$(externals restore | sed -n 's/^mnt\[\/tmp\]:\(.*\)$/\1/p')" "$top/images/inventory.img"; do
        awk '{ print $5 }' "$STAND_IN/mounts" | grep -qxF "$source" || { echo "no mount: $source"; return 1; }
    done
    [ "$(stat -c '%a %u' "$IMAGES")" = "700 0" ]
    [ ! -e "$top/images" ]
    rt delete -f box
    nothing_is_left
    chmod 600 "$IMAGES/inventory.img"
    run restore
    expect_status 1
    expect_text "inventory.img: root of the user namespace could not read it"
    chmod 644 "$IMAGES/inventory.img"
    # Images may be anybody's: no device comes out of them.
    mknod "$IMAGES/dev/disk" b 7 0
    run restore
    expect_status 1
    expect_text "fill the container's /dev"
    rm "$IMAGES/dev/disk"
    chmod 600 "$WORLD/out"
    rt restore -d --image-path "$IMAGES" -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>"$WORLD/err" && return 1
    grep -q "standard output: a file that root of the user namespace may not open" "$WORLD/err"
    nothing_is_left
    chown -R 0:0 "$BUNDLE/rootfs"
}

@test "linux.netDevices: they go into the restored container as into a new one, and are back where it fails" {
    need_program ip
    change '.linux.netDevices = { hv0: { name: "eth0" } }'
    script 'sleep 1000'
    cat >"$WORLD/in-net" <<'END'
        add() { ip link add hv0 type veth peer name hv1; ip addr add 10.9.0.2/24 dev hv0; }
        rt() { cloche-runtime --root "$WORLD/oci" "$@"; }
        add
        rt run -d -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1
        rt checkpoint --image-path "$WORLD/images" box
        while ip link show hv1 >/dev/null 2>&1; do sleep 0.05; done # it goes with the namespace that its peer was in
        add
        echo "no way back" >"$STAND_IN/late"
        ! rt restore -d --image-path "$WORLD/images" -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1
        ip -o addr show hv0
        rm "$STAND_IN/late"
        rt restore -d --image-path "$WORLD/images" -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1
        nsenter --net="/proc/$(rt state box | jq .pid)/ns/net" ip -o addr show eth0
        ! ip link show hv0 2>/dev/null
END
    export WORLD
    run unshare -n bash -eu "$WORLD/in-net"
    expect_status 0
    expect_match "hv0 .*10.9.0.2/24"
    expect_match "eth0 .*10.9.0.2/24"
}

@test "linux.intelRdt: the group is made before criu is asked" {
    ! grep -q " - resctrl " /proc/self/mountinfo || skip "a resctrl file system is mounted here"
    start_box
    checkpoint
    change '.linux.intelRdt = { closID: "gold" }'
    run restore
    expect_status 1
    expect_text "linux.intelRdt: no resctrl file system is mounted"
    [ ! -e "$STAND_IN/restore.json" ]
    nothing_is_left
}

@test "CVE-2026-53489: what criu writes and reads beside the images leads nowhere else, and nobody waits for a FIFO" {
    local name
    echo victim >"$WORLD/victim"
    start_box
    mkdir -p "$IMAGES" "$WORLD/work"
    ln -s "$WORLD/victim" "$IMAGES/dump.log"
    ln -s "$WORLD/victim" "$IMAGES/stats-dump"
    checkpoint --leave-running
    ln -s "$WORLD/victim" "$WORLD/work/dump.log"
    ln -s "$WORLD/victim" "$WORLD/work/stats-dump"
    checkpoint --work-path "$WORLD/work"
    for name in restore.log stats-restore descriptors.json; do
        rm -f "$IMAGES/$name"
        ln -s "$WORLD/victim" "$IMAGES/$name"
    done
    run rt restore -d --image-path "$IMAGES" -b "$BUNDLE" box </dev/null
    expect_status 1
    expect_text descriptors.json
    refute_text victim
    rm "$IMAGES/descriptors.json"
    restore
    [ "$(<"$WORLD/victim")" = victim ]
    for name in "ln -s $WORLD/victim" "mkfifo" "mkdir"; do
        $name "$IMAGES/core-1.img"
        run checkpoint
        expect_status 1
        expect_text "--image-path $IMAGES: core-1.img: no file"
        has_status box running
        rm -rf "$IMAGES/core-1.img"
    done
    rt delete -f box
    mkfifo "$IMAGES/pages-1.img"
    run rt restore -d --image-path "$IMAGES" -b "$BUNDLE" box </dev/null
    expect_status 1
    expect_text "pages-1.img: no file"
    nothing_is_left
    [ "$(<"$WORLD/victim")" = victim ]
}

@test "what can't be in a checkpoint is refused by its name" {
    start_box
    checkpoint
    change '.linux.namespaces |= map(if .type == "cgroup" then .path = "/proc/self/ns/cgroup" else . end)'
    run restore
    expect_status 1
    expect_match "linux.namespaces\[[0-9]\].path: not in a checkpoint"
    in_user_ns
    change '.linux.namespaces |= map(if .type == "user" then .path = "/proc/self/ns/user" else . end) | del(.linux.uidMappings, .linux.gidMappings)'
    run restore
    expect_status 1
    expect_match "linux.namespaces\[[0-9]\].path: not in a checkpoint"
    in_user_ns
    change '.process.capabilities.bounding += ["CAP_SYS_ADMIN"]'
    run restore
    expect_status 1
    expect_text "process.capabilities.bounding: not in a checkpoint: CAP_SYS_ADMIN in a user namespace and something to hide (linux.maskedPaths)"
    change 'del(.linux.maskedPaths)'
    run restore
    expect_status 1
    expect_text "something to hide (linux.readonlyPaths)"
    change 'del(.linux.readonlyPaths) | .root.readonly = true'
    run restore
    expect_status 1
    expect_text "something to hide (root.readonly)"
    change '.root.readonly = false'
    mkdir -p "$WORLD/data/in"
    change --arg data "$WORLD/data" 'del(.linux.readonlyPaths) | .mounts += [{ destination: "/tmp", type: "bind", source: $data, options: ["rbind"] }, { destination: "/tmp/in", type: "tmpfs", source: "tmpfs" }]'
    run restore
    expect_status 1
    expect_text "something to hide (mounts, one over another)"
    in_user_ns
    change '.linux.uidMappings[0].containerID = 1'
    run restore
    expect_status 1
    expect_text "linux.uidMappings"
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    local words
    for words in "restore --no-pivot" "restore --preserve-fds 1" "restore --manage-cgroups-mode half" "restore --network-lock none" "checkpoint --empty-ns pid" \
        "checkpoint --page-server there" "checkpoint --status-fd 5" "checkpoint none" "restore ../up"; do
        # shellcheck disable=SC2086 # words
        run rt $words box
        [ "$status" -eq 1 ] || { echo "not refused: $words"; return 1; }
        [ "$(wc -l <<<"$output")" -eq 1 ]
        expect_match "^cloche-runtime: "
    done
    script 'sleep 1000'
    rt create -b "$BUNDLE" box
    run checkpoint
    expect_status 1
    expect_text "cannot checkpoint container box: it is created"
}

@test "what engines look for: checkpoint --help, restore --lsm-mount-context, containerd's --no-subreaper" {
    rt checkpoint --help >/dev/null
    run rt restore --lsm-mount-context
    expect_status 1
    expect_text "flag needs an argument"
    [ "$(cloche-runtime features | jq -r '.annotations["org.opencontainers.runc.checkpoint.enabled"]')" = true ]
    [ "$(cloche-runtime features | jq '.potentiallyUnsafeConfigAnnotations | index("org.criu.config") != null')" = true ]
    start_box
    checkpoint
    restore -no-subreaper --empty-ns network # with one dash: go-runc writes it so
}

@test "killed at any moment: delete cleans up" {
    start_box
    checkpoint
    local number=0 killed
    while :; do
        number=$((number + 1)) killed=yes
        rm -f "$STAND_IN/pid"
        CLOCHE_TEST_KILL=cloche:$number rt restore -d --image-path "$IMAGES" -b "$BUNDLE" box </dev/null >/dev/null 2>&1 && killed=no
        rt delete -f box
        nothing_is_left || { echo "left after a kill at point $number"; return 1; }
        [ $killed = yes ] || break
    done
    [ $number -gt 5 ]
}
