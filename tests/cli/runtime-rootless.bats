#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime for who is not root of the host: an ordinary user with one id, one with more (newuidmap), and root in a user
# namespace that somebody else made, as rootless engines have it.
# shellcheck disable=SC2034,SC2154,SC2016 # read by the frame; status, output: set by run; scripts for other shells

WORLD_ALPINE=no
load helper
load runtime-helper

USER_ID=212345 # nobody's

setup_file() {
    world_setup_file
    export BUNDLE=$WORLD/home/bundle
    [ -x /bin/busybox ] || return 0
    mkdir -p "$WORLD/home/run"
    make_rootfs "$BUNDLE/rootfs"
    # The user has to reach the programs of the build, wherever that is.
    cp "$CLOCHE_BUILD/cloche-runtime" "$WORLD/home/"
    chmod 711 "$WORLD"
}

setup() {
    world_setup
    [ -x /bin/busybox ] || skip "needs /bin/busybox (busybox-static)"
    [ -e /proc/self/ns/user ] || skip "needs user namespaces"
    need_program jq setpriv unshare
    become $USER_ID
    as true || skip "the way to $WORLD is not open to other users"
    as unshare --user true || skip "ordinary users may make no user namespaces here"
    rm -f "$BUNDLE/config.json"
    rt spec --rootless --bundle "$BUNDLE"
}

# become UID: whose files and processes those of the test are from here on.
become() {
    TEST_USER=$1
    chown -Rh "$1:$1" "$WORLD/home"
}

as() {
    setpriv --reuid "$TEST_USER" --regid "$TEST_USER" --clear-groups env -i PATH="$PATH" HOME="$WORLD/home" XDG_RUNTIME_DIR="$WORLD/home/run" "$@"
}

rt() {
    as "$WORLD/home/cloche-runtime" "$@"
}

# exec_as_ns_root SCRIPT: in a container that root of a user namespace of the user's has made.
exec_as_ns_root() {
    as unshare --user --map-root-user --mount --propagation private sh -c '
        home=$1; runtime=$0
        "$runtime" --root "$home/run/ns" run -d -b "$home/bundle" box </dev/null >/dev/null 2>&1 &&
        "$runtime" --root "$home/run/ns" exec box sh -c "$2"; code=$?
        "$runtime" --root "$home/run/ns" delete -f box; exit $code' "$WORLD/home/cloche-runtime" "$WORLD/home" "$1"
}

change() {
    jq "$@" "$BUNDLE/config.json" >"$BUNDLE/new.json" && cat "$BUNDLE/new.json" >"$BUNDLE/config.json" && rm "$BUNDLE/new.json"
}

# --- one id ---------------------------------------------------------------------------------------------------------------------

@test "spec --rootless: a user namespace of the own ids, no network namespace, the host's /sys read-only, no limits" {
    run jq -c '[.linux.uidMappings, .linux.gidMappings, .linux.resources, (.linux.namespaces | map(.type) | index("network")),
        (.linux.namespaces | map(.type) | index("user") != null), ([.mounts[].options[]?] | map(select(startswith("gid="))))]' "$BUNDLE/config.json"
    expect_output "[[{\"containerID\":0,\"hostID\":$USER_ID,\"size\":1}],[{\"containerID\":0,\"hostID\":$USER_ID,\"size\":1}],null,null,true,[]]"
    run jq -c '.mounts[] | select(.destination == "/sys") | [.type, .source, .options]' "$BUNDLE/config.json"
    expect_output '["none","/sys",["rbind","nosuid","noexec","nodev","ro","rro"]]'
}

@test "run: the user is root in there, and its files are its own" {
    script 'id -u; cat /proc/self/uid_map /proc/self/setgroups; touch /tmp/mine; echo x >/dev/null; readlink /dev/ptmx; exit 7'
    run rt run -b "$BUNDLE" box
    expect_status 7
    expect_line 0
    expect_match "0 +$USER_ID +1"
    expect_line deny
    expect_line pts/ptmx
    [ "$(stat -c %u "$BUNDLE/rootfs/tmp/mine")" = $USER_ID ]
    [ -z "$(ls "$WORLD/home/run/cloche-runtime")" ]
}

@test "create, state, start, exec, kill, delete: the state lies below XDG_RUNTIME_DIR" {
    script 'touch /tmp/started; sleep 1000'
    rm -f "$BUNDLE/rootfs/tmp/started"
    rt create -b "$BUNDLE" --pid-file "$WORLD/home/pid" box
    [ -e "$WORLD/home/run/cloche-runtime/box/state.json" ]
    [ "$(rt state box | jq -r .status)" = created ]
    [ ! -e "$BUNDLE/rootfs/tmp/started" ]
    rt start box
    wait_until test -e "$BUNDLE/rootfs/tmp/started"
    [ "$(rt state box | jq -r .status)" = running ]
    [ "$(stat -c %u "/proc/$(cat "$WORLD/home/pid")")" = $USER_ID ]
    run rt exec box sh -c 'id -u; readlink /proc/self/ns/pid; grep CapEff /proc/self/status; exit 5'
    expect_status 5
    expect_line 0
    expect_line "$(readlink "/proc/$(cat "$WORLD/home/pid")/ns/pid")"
    run rt exec box missing
    expect_status 127
    [ "$(rt list -q)" = box ]
    rt kill box KILL
    wait_until sh -c "[ ! -e /proc/$(cat "$WORLD/home/pid")/root/bin ]"
    rt delete -f box
    [ -z "$(ls "$WORLD/home/run/cloche-runtime")" ]
}

@test "exec in a container that is created and not started; it starts as if nothing had been" {
    script 'echo started >/tmp/started; sleep 1000'
    rm -f "$BUNDLE/rootfs/tmp/started" "$BUNDLE/rootfs/tmp/early"
    rt create -b "$BUNDLE" --pid-file "$WORLD/home/pid" box
    run rt exec box sh -c 'id -u; for ns in user mnt pid; do readlink /proc/self/ns/$ns; done; cat /proc/self/uid_map; echo x >/tmp/early; exit 4'
    expect_status 4
    expect_line 0
    for type in user mnt pid; do expect_line "$(readlink "/proc/$(cat "$WORLD/home/pid")/ns/$type")"; done
    expect_match "0 +$USER_ID +1"
    [ "$(stat -c %u "$BUNDLE/rootfs/tmp/early")" = $USER_ID ]
    run rt exec box missing
    expect_status 127
    [ "$(rt state box | jq -r .status)" = created ]
    [ ! -e "$BUNDLE/rootfs/tmp/started" ]
    rt exec -d --pid-file "$WORLD/home/pid2" box sleep 1000 </dev/null >/dev/null 2>&1
    rt start box
    wait_until grep -q started "$BUNDLE/rootfs/tmp/started"
    [ "$(rt state box | jq -r .status)" = running ]
    kill -0 "$(cat "$WORLD/home/pid2")"
    rt delete -f box
    wait_until test ! -e "/proc/$(cat "$WORLD/home/pid2")"
    [ -z "$(ls "$WORLD/home/run/cloche-runtime")" ]
}

@test "CVE-2016-9962: before the start no descriptor of init leads to the host, and nobody who could trace it is let in" {
    local pid link
    script 'exec sleep 1000'
    rt create -b "$BUNDLE" --pid-file "$WORLD/home/pid" box
    pid=$(cat "$WORLD/home/pid")
    run as sh -c "ls -l /proc/$pid/fd"
    expect_status 0
    refute_text /sys/fs/cgroup
    refute_text "$WORLD"
    # All that is left: three streams, the socket for the start, the container's own root and its procfs.
    for link in "/proc/$pid/fd/"*; do
        [ "${link##*/}" -le 2 ] || [[ $(readlink "$link") =~ ^(socket:.*|/)$ ]]
    done
    run as sh -c "cd /proc/$pid/fd && for fd in *; do [ -d \$fd ] && ls \$fd/; done"
    refute_text config.json
    refute_text home
    run rt exec --cap CAP_SYS_PTRACE box true
    expect_status 255
    expect_text "exec in container box, which is not started: with CAP_SYS_PTRACE it could take over the container's init"
    run rt exec --cap CAP_SYS_ADMIN box sh -c 'ls /proc/1/fd /proc/1/root/'
    [ "$status" != 0 ]
    expect_text "Permission denied"
    rt start box
    run rt exec --cap CAP_SYS_PTRACE box sh -c 'cat /proc/1/comm'
    expect_status 0
    expect_output sleep
    rt delete -f box
}

@test "exec in a container that shares the host's processes, also of root of a user namespace" {
    change '.linux.namespaces |= map(select(.type != "pid")) | .mounts |= map(if .type == "proc" then .type = "none" | .source = "/proc" | .options = ["rbind"] else . end) |
        del(.linux.maskedPaths, .linux.readonlyPaths)'
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    run rt exec box sh -c 'readlink /proc/self/ns/pid; readlink /proc/self/ns/user; id -u; exit 3'
    expect_status 3
    expect_line "$(readlink /proc/self/ns/pid)"
    refute_text "$(readlink /proc/self/ns/user)"
    expect_line 0
    rt delete -f box
    change '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0'
    run exec_as_ns_root 'readlink /proc/self/ns/pid; exit 3'
    expect_status 3
    expect_line "$(readlink /proc/self/ns/pid)"
}

@test "exec -t and run with a terminal" {
    need_program python3
    change '.process.terminal = true'
    script 'tty; echo by console >/dev/console'
    run_pty "setpriv --reuid $USER_ID --regid $USER_ID --clear-groups env -i XDG_RUNTIME_DIR=$WORLD/home/run $WORLD/home/cloche-runtime run -b $BUNDLE box" </dev/null
    expect_status 0
    expect_line /dev/pts/0
    expect_line "by console"
    change '.process.terminal = false'
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    run_pty "setpriv --reuid $USER_ID --regid $USER_ID --clear-groups env -i XDG_RUNTIME_DIR=$WORLD/home/run $WORLD/home/cloche-runtime exec -t box tty" </dev/null
    expect_status 0
    expect_line /dev/pts/0
}

@test "without mappings the own id is root; without a user namespace the way is named" {
    change 'del(.linux.uidMappings, .linux.gidMappings)'
    script 'id -u; cat /proc/self/uid_map'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_match "0 +$USER_ID +1"
    change '.linux.namespaces |= map(select(.type != "user"))'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text "spec --rootless"
}

@test "binds: what the user can reach, with its restrictions kept" {
    mkdir -p "$WORLD/home/data"
    echo mine >"$WORLD/home/data/file"
    become $USER_ID
    change --arg data "$WORLD/home/data" '.mounts += [{ "destination": "/data", "type": "bind", "source": $data, "options": ["bind", "ro"] }]'
    script 'cat /data/file; touch /data/x'
    run rt run -b "$BUNDLE" box
    expect_line mine
    expect_text "Read-only file system"
    change '.mounts[-1].source = "/root" | .mounts[-1].options = ["rbind"]'
    script 'ls /data'
    run rt run -b "$BUNDLE" box
    expect_text "Permission denied"
}

@test "mounts add, mounts remove: of a container of the user's, and of one that root of a user namespace has" {
    mkdir -p "$WORLD/home/src"
    echo content >"$WORLD/home/src/file"
    chown -R $USER_ID:$USER_ID "$WORLD/home/src"
    change '.process.args = ["sleep", "1000"] | .process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    jq -n --arg source "$WORLD/home/src" '[{destination: "/mnt", $source, options: ["rbind", "ro"]}, {destination: "/data", type: "tmpfs", source: "tmpfs"},
        {destination: "/new/file", source: ($source + "/file"), options: ["bind"]}]' >"$WORLD/home/list"
    run rt mounts add box "$WORLD/home/list"
    expect_status 0
    run rt exec box sh -c 'cat /mnt/file /new/file; touch /data/x && echo written; mount -o remount,bind,rw /mnt; echo remount $?'
    expect_line content
    expect_line written
    expect_line "remount 1"
    [ "$(stat -c %u "$BUNDLE/rootfs/new/file")" = $USER_ID ]
    run rt mounts remove box "$WORLD/home/list"
    expect_status 0
    run rt exec box ls -A /mnt /data
    refute_text file
    rt delete -f box
    change '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0'
    local options
    for options in --mount ''; do # without: nothing of the host's may be cloned
        # shellcheck disable=SC2086 # a word, or none
        run as unshare --user --map-root-user $options sh -c '
            home=$1; rt() { "$home/cloche-runtime" --root "$home/run/ns" "$@"; }
            rt run -d -b "$home/bundle" box </dev/null >/dev/null 2>&1 && rt mounts add box "$home/list" && rt exec box cat /mnt/file /new/file &&
                rt mounts remove box "$home/list" >&2; code=$?; rt delete -f box; exit $code' sh "$WORLD/home"
        expect_status 0
        expect_output "$(printf 'content\ncontent')"
        change 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user"))'
    done
}

@test "a mount that the host made read-only or nosuid stays so" {
    mkdir -p "$WORLD/home/locked"
    become $USER_ID
    cat >"$WORLD/home/locked.sh" <<'END'
mount -t tmpfs -o nosuid,nodev,noexec tmpfs "$1/locked" && touch "$1/locked/file" && mount -o remount,bind,ro,nosuid,nodev,noexec "$1/locked"
shift
exec "$@"
END
    change --arg data "$WORLD/home/locked" '.mounts += [{ "destination": "/data", "type": "bind", "source": $data, "options": ["rbind"] }] |
        .process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
    script 'mount -o remount,bind,rw /data; grep " /data " /proc/self/mountinfo; touch /data/x'
    run unshare --mount --propagation private sh "$WORLD/home/locked.sh" "$WORLD/home" \
        setpriv --reuid $USER_ID --regid $USER_ID --clear-groups env XDG_RUNTIME_DIR="$WORLD/home/run" "$WORLD/home/cloche-runtime" run -b "$BUNDLE" box
    expect_match "/data ro,nosuid,nodev,noexec"
    expect_text "Read-only file system"
    change '.mounts[-1].options = ["rbind", "rw"]'
    run unshare --mount --propagation private sh "$WORLD/home/locked.sh" "$WORLD/home" \
        setpriv --reuid $USER_ID --regid $USER_ID --clear-groups env XDG_RUNTIME_DIR="$WORLD/home/run" "$WORLD/home/cloche-runtime" run -b "$BUNDLE" box
    expect_status 1
    expect_text "bind source $WORLD/home/locked"
}

@test "groups beyond the own are refused with the reason" {
    change '.process.user.additionalGids = [0]'
    script 'exit 0'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text "process.user.additionalGids"
    expect_text "where only the own id is mapped"
}

@test "run.oci.keep_original_groups: files of a group of the user's are within reach, of exec too" {
    echo shared >"$WORLD/home/shared"
    chown 0:212399 "$WORLD/home/shared"
    chmod 640 "$WORLD/home/shared"
    with_group() { setpriv --reuid $USER_ID --regid $USER_ID --groups 212399 env XDG_RUNTIME_DIR="$WORLD/home/run" "$WORLD/home/cloche-runtime" "$@"; }
    change --arg file "$WORLD/home/shared" '.mounts += [{ "destination": "/tmp/shared", "type": "bind", "source": $file, "options": ["bind"] }]'
    change '.annotations["run.oci.keep_original_groups"] = "1"'
    script 'cat /tmp/shared; grep Groups /proc/self/status; sleep 1000'
    with_group run -d -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1
    wait_until grep -q Groups "$WORLD/out"
    grep -qx shared "$WORLD/out"
    run with_group exec box cat /tmp/shared
    expect_output shared
    rt delete -f box
}

@test "root of a user namespace has its state below XDG_RUNTIME_DIR, where /run is not its own" {
    script 'exit 0'
    change '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0'
    run as unshare --user --map-root-user --mount --propagation private "$WORLD/home/cloche-runtime" run -b "$BUNDLE" box
    expect_status 0
    [ -d "$WORLD/home/run/cloche-runtime" ]
}

@test "XDG_RUNTIME_DIR of somebody else is not where the state is, who could say what we run" {
    mkdir -p "$WORLD/theirs"
    chmod 777 "$WORLD/theirs"
    run as env XDG_RUNTIME_DIR="$WORLD/theirs" "$WORLD/home/cloche-runtime" run -b "$BUNDLE" box
    expect_status 1
    expect_text "XDG_RUNTIME_DIR: $WORLD/theirs belongs to user 0"
    chown $USER_ID "$WORLD/theirs"
    run env XDG_RUNTIME_DIR="$WORLD/theirs" "$WORLD/home/cloche-runtime" --rootless true list
    expect_status 1
    expect_text "belongs to user $USER_ID"
    [ -z "$(ls -A "$WORLD/theirs")" ]
}

@test "limits that take root are errors with a hint" {
    change '.process.oomScoreAdj = -900'
    script 'exit 0'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text "process.oomScoreAdj"
    expect_text CAP_SYS_RESOURCE
    change '.process.oomScoreAdj = 500 | .process.rlimits = [{ "type": "RLIMIT_NOFILE", "soft": 10, "hard": 999999999 }]'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text "process.rlimits[0]"
    expect_text CAP_SYS_RESOURCE
    change '.process.rlimits = []'
    script 'cat /proc/self/oom_score_adj'
    run rt run -b "$BUNDLE" box
    expect_line 500
}

@test "a control group that can't be made is an error only where a limit, a path or --rootless false asks for it" {
    as test ! -w /sys/fs/cgroup/pids || skip "the user may make control groups"
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    [ "$(jq -r .cgroupPath "$WORLD/home/run/cloche-runtime/box/state.json")" = "" ]
    rt delete -f box
    run rt --rootless false run -b "$BUNDLE" --detach box
    expect_status 1
    change '.linux.cgroupsPath = "/cloche-rootless-test"'
    run rt run -b "$BUNDLE" box
    expect_status 1
    change 'del(.linux.cgroupsPath) | .linux.resources.pids.limit = 10'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text "cgroup"
    [ -z "$(ls "$WORLD/home/run/cloche-runtime")" ]
}

@test "a control group of the same name that is root's is not in the way" {
    local top=/sys/fs/cgroup group made=
    [ ! -d $top/pids ] || top=$top/pids
    group=$top/cloche-runtime/$CLOCHE_CGROUP_PARENT
    [ -e $top/cloche-runtime ] || made=yes
    mkdir -p "$group"
    sleep 1000 3>&- &
    local pid=$!
    echo $pid >"$group/cgroup.procs"
    script 'echo it runs'
    run rt run -b "$BUNDLE" "$CLOCHE_CGROUP_PARENT"
    kill $pid
    wait $pid || true
    rmdir "$group"
    [ -z "$made" ] || rmdir $top/cloche-runtime 2>/dev/null || true # somebody else's may be there by now
    expect_status 0
    expect_output "it runs"
}

@test "CVE-2023-25809: the user's control groups can't be written from the container" {
    change '(.mounts[] | select(.type == "cgroup").options) -= ["ro"]'
    script 'for d in /sys/fs/cgroup/* /sys/fs/cgroup/*/*; do [ -d $d ] && touch $d/cgroup.procs 2>/dev/null && echo writable $d; done; umount /sys/fs/cgroup; ls /sys/fs/cgroup >/dev/null'
    run rt run -b "$BUNDLE" box
    refute_text writable
}

# --- v2: delegation -------------------------------------------------------------------------------------------------------------

@test "cgroup v2: in a group that is the user's own, the container gets one below it" {
    local own=/sys/fs/cgroup/unified
    [ -d $own ] || own=/sys/fs/cgroup
    [ "$(stat -f -c %T $own)" = cgroup2fs ] || skip "needs cgroup v2"
    own=$own/$CLOCHE_CGROUP_PARENT
    mkdir -p "$own/user"
    chown $USER_ID "$own/user" "$own/user/cgroup.procs"
    cat >"$WORLD/home/delegated.sh" <<'END'
echo $$ >"$1/cgroup.procs" || exit 99
shift
exec unshare --cgroup --mount --propagation private sh -c 'umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' sh "$@"
END
    script 'cat /proc/self/cgroup; sleep 1000'
    # The container must not hold on to the streams of bats.
    sh "$WORLD/home/delegated.sh" "$own/user" setpriv --reuid $USER_ID --regid $USER_ID --clear-groups env XDG_RUNTIME_DIR="$WORLD/home/run" \
        "$WORLD/home/cloche-runtime" run -d -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1 || { cat "$WORLD/out"; return 1; }
    [ "$(stat -c %u "$own/user/cloche-runtime-box")" = $USER_ID ]
    grep -q . "$own/user/cloche-runtime-box/cgroup.procs"
    run sh "$WORLD/home/delegated.sh" "$own/user" setpriv --reuid $USER_ID --regid $USER_ID --clear-groups \
        env XDG_RUNTIME_DIR="$WORLD/home/run" "$WORLD/home/cloche-runtime" delete -f box
    expect_status 0
    [ ! -e "$own/user/cloche-runtime-box" ]
    rmdir "$own/user"
}

# --- more ids -------------------------------------------------------------------------------------------------------------------

# as_lent COMMAND…: as nobody, to whom a private /etc/subuid lends 1000 ids.
as_lent() {
    echo "nobody:500000:1000" >"$WORLD/subids"
    chmod 644 "$WORLD/subids"
    unshare --mount --propagation private sh -c 'mount --bind "$1" /etc/subuid && mount --bind "$1" /etc/subgid && shift && exec "$@"' \
        sh "$WORLD/subids" setpriv --reuid 65534 --regid 65534 --clear-groups env -i PATH="$PATH" XDG_RUNTIME_DIR="$WORLD/home/run" "$@"
}

@test "newuidmap: more than the own id" {
    need_program newuidmap newgidmap
    [ -e /etc/subuid ] && [ -e /etc/subgid ] || skip "needs /etc/subuid and /etc/subgid"
    become 65534
    change '.linux.uidMappings = [{ "containerID": 0, "hostID": 65534, "size": 1 }, { "containerID": 1, "hostID": 500000, "size": 1000 }] |
        .linux.gidMappings = .linux.uidMappings | .process.user = { "uid": 10, "gid": 20, "additionalGids": [30] }'
    script 'id -u; grep Groups /proc/self/status; cat /proc/self/setgroups; cat /proc/self/uid_map'
    run as_lent "$WORLD/home/cloche-runtime" run -b "$BUNDLE" box
    expect_status 0
    expect_line 10
    expect_match "Groups:	30"
    expect_line allow
    expect_match "1 +500000 +1000"
    change '.linux.uidMappings[1].hostID = 700000'
    run as_lent "$WORLD/home/cloche-runtime" run -b "$BUNDLE" box
    expect_status 1
    expect_text "linux.uidMappings: newuidmap: uid range [1-1001) -> [700000-701000) not allowed"
    expect_text /etc/subuid
    run env PATH=/nowhere /bin/sh -c 'exec "$@"' sh /usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$WORLD/home/cloche-runtime" --root "$WORLD/home/run/other" run -b "$BUNDLE" box
    expect_status 1
    expect_text "there is no newuidmap in PATH"
    [ -z "$(ls "$WORLD/home/run/other")" ]
}

# --- root in somebody's user namespace ------------------------------------------------------------------------------------------

@test "root in a user namespace: a container without one of its own, and with one" {
    as sh -c "cd $WORLD/home && rm -f config.json && ./cloche-runtime spec" && cp "$WORLD/home/config.json" "$BUNDLE/config.json"
    change 'del(.linux.resources)'
    script 'id -u; stat -c "%t:%T" /dev/null; echo x >/dev/null; ls /sys/class/net; cat /proc/self/uid_map'
    run as unshare --user --map-root-user --mount --propagation private "$WORLD/home/cloche-runtime" --root "$WORLD/home/run/ns" run -b "$BUNDLE" box
    expect_status 0
    expect_line 0
    expect_line 1:3
    expect_line lo
    change '.linux.namespaces += [{ "type": "user" }] | .linux.uidMappings = [{ "containerID": 0, "hostID": 0, "size": 1 }] | .linux.gidMappings = .linux.uidMappings'
    run as unshare --user --map-root-user --mount --propagation private "$WORLD/home/cloche-runtime" --root "$WORLD/home/run/ns" run -b "$BUNDLE" box
    expect_status 0
    expect_line 1:3
    # Without a mount namespace of its own it may not clone mounts: init does.
    run as unshare --user --map-root-user "$WORLD/home/cloche-runtime" --root "$WORLD/home/run/ns" run -b "$BUNDLE" box
    expect_status 0
    expect_line 1:3
    [ -z "$(ls "$WORLD/home/run/ns")" ]
}

@test "root in a user namespace that shares the host's network and processes: what the host has mounted of them, as asked" {
    as sh -c "cd $WORLD/home && rm -f config.json && ./cloche-runtime spec" && cp "$WORLD/home/config.json" "$BUNDLE/config.json"
    change 'del(.linux.resources) | .linux.namespaces |= map(select(.type != "network" and .type != "pid")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
    script 'ls /sys/class/net; ls -d /proc/$1; grep " /sys" /proc/self/mountinfo'
    change --argjson pid $$ '.process.args += ["sh", "\($pid)"]'
    run as unshare --user --map-root-user --mount --propagation private "$WORLD/home/cloche-runtime" plan -b "$BUNDLE"
    expect_status 0
    expect_text "mount sysfs at /sys (nosuid,noexec,nodev,ro), or, if the kernel refuses, the host's /sys and all below it"
    run as unshare --user --map-root-user --mount --propagation private "$WORLD/home/cloche-runtime" --root "$WORLD/home/run/ns" run -b "$BUNDLE" box
    expect_status 0
    for name in /sys/class/net/*; do expect_line "${name##*/}"; done
    expect_line "/proc/$$"
    # CVE-2023-25809: nothing of it can be written to.
    [ -z "$(grep -E ' /sys[^ ]* rw' <<<"$output")" ]
    # With a network of its own there is a new one.
    change '.linux.namespaces += [{type: "network"}]'
    script 'ls /sys/class/net'
    run as unshare --user --map-root-user --mount --propagation private "$WORLD/home/cloche-runtime" --root "$WORLD/home/run/ns" run -b "$BUNDLE" box
    expect_line lo
    refute_text eth0
}

@test "root in a user namespace: exec" {
    script 'sleep 1000'
    change '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0'
    run exec_as_ns_root 'id -u; exit 3'
    expect_status 3
    expect_line 0
}

@test "root in a user namespace: the user namespace that it is in is not joined, whatever its path; other maps are refused" {
    as sh -c "cd $WORLD/home && rm -f config.json && ./cloche-runtime spec" && cp "$WORLD/home/config.json" "$BUNDLE/config.json"
    change 'del(.linux.resources) | .linux.namespaces += [{ "type": "user", "path": "/proc/self/ns/user" }]'
    script 'readlink /proc/self/ns/user; sleep 1000'
    # For a container of a pod that has none, engines name the namespace of another container, which is theirs too.
    run as unshare --user --map-root-user --mount --propagation private sh -c '
        home=$1; runtime=$0
        readlink /proc/self/ns/user
        "$runtime" --root "$home/run/ns" run -d -b "$home/bundle" box </dev/null >/dev/null 2>&1 &&
        "$runtime" --root "$home/run/ns" exec box sh -c "readlink /proc/self/ns/user; exit 3"; code=$?
        "$runtime" --root "$home/run/ns" delete -f box; exit $code' "$WORLD/home/cloche-runtime" "$WORLD/home"
    expect_status 3
    [ "${#lines[@]}" -eq 2 ]
    [ "${lines[0]}" = "${lines[1]}" ]
    change '.linux.uidMappings = [{ "containerID": 0, "hostID": 0, "size": 1 }] | .linux.gidMappings = .linux.uidMappings'
    script 'cat /proc/self/uid_map; exit 5'
    run as unshare --user --map-root-user --mount --propagation private "$WORLD/home/cloche-runtime" --root "$WORLD/home/run/ns" run -b "$BUNDLE" box
    expect_status 5
    expect_match "0 +$USER_ID +1"
    change '.linux.uidMappings[0].hostID = 7'
    run as unshare --user --map-root-user --mount --propagation private "$WORLD/home/cloche-runtime" --root "$WORLD/home/run/ns" run -b "$BUNDLE" box
    expect_status 1
    expect_text "linux.uidMappings"
    expect_text "is our own"
    [ -z "$(ls "$WORLD/home/run/ns")" ]
}
