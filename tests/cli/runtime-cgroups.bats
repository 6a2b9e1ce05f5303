#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime and control groups: which group a container and its later processes are in, what is refused, pausing, killing; on the layout of this
# machine and, in private namespaces, on cgroup v2 alone.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

# Directories of the container's group in every hierarchy.
group_dirs() {
    find /sys/fs/cgroup -type d -path "*/$BOX_GROUP" 2>/dev/null
}

# --- exec --cgroup --------------------------------------------------------------------------------------------------------------

# Processes of exec end before their groups are removed with the container's.
make_sub() {
    local dir
    while read -r dir; do
        mkdir "$dir/$1"
        [ ! -e "$dir/$1/cpuset.cpus" ] || [ -e "$dir/$1/cgroup.type" ] || {
            cat "$dir/cpuset.cpus" >"$dir/$1/cpuset.cpus"
            cat "$dir/cpuset.mems" >"$dir/$1/cpuset.mems"
        }
    done < <(group_dirs)
}

# Lines of the process's own cgroup that end in box/$1, as the host sees them.
sees() {
    rt exec "${@:2}" -d --pid-file "$WORLD/pid" box sleep 1000
    local count
    count=$(grep -c "/$BOX_GROUP/$1\$" "/proc/$(cat "$WORLD/pid")/cgroup")
    kill -KILL "$(cat "$WORLD/pid")"
    echo "$count"
}

@test "exec --cgroup: a group below the container's, in every hierarchy" {
    start_idle
    make_sub sub
    [ "$(sees sub --cgroup /sub)" -eq "$(group_dirs | wc -l)" ]
    [ "$(sees sub --cgroup sub)" -eq "$(group_dirs | wc -l)" ]
    # The container's own.
    [ "$(sees sub)" -eq 0 ]
    rt exec --cgroup / box true
}

@test "exec --cgroup CONTROLLER:PATH: in the hierarchies of these controllers alone" {
    need_controller pids memory
    is_v1 pids || skip "needs cgroup v1"
    start_idle
    make_sub sub
    [ "$(sees sub --cgroup pids:/sub)" -eq 1 ]
    [ "$(sees sub --cgroup pids,memory:sub)" -eq 2 ]
    [ "$(sees sub --cgroup pids:/sub --cgroup memory:/sub)" -eq 2 ]
}

@test "exec --cgroup: what is not there, or not below, or said twice" {
    start_idle
    run rt exec --cgroup /none box true
    expect_status 255
    expect_text "none"
    expect_text "has to be there already"
    local path
    for path in .. ../.. sub/../.. ./.; do
        run rt exec --cgroup "$path" box true
        expect_status 255
        expect_text "Invalid argument"
    done
    run rt exec --cgroup nonsense:/sub box true
    expect_status 255
    expect_text '"nonsense"'
    run rt exec --cgroup pids:/a --cgroup cpu,pids:/b box true
    expect_status 255
    expect_text "given twice"
    run rt exec --cgroup pids:/a --cgroup /b box true
    expect_status 255
    expect_text "CONTROLLER:"
    run rt exec --cgroup ,pids:/a box true
    expect_status 255
    expect_text "empty"
}

@test "exec on v2: a container that manages its group keeps new processes beside its init" {
    need_v2
    script 'sleep 1000'
    rt2 run -d -b "$BUNDLE" box
    local dir controller
    dir=$(v2_dir)
    controller=$(v2 cut -d' ' -f1 /sys/fs/cgroup/cgroup.controllers)
    [ -n "$controller" ] || skip "cgroup v2 has no controller here"
    mkdir "$dir/init"
    jq .pid <(rt2 state box) >"$dir/init/cgroup.procs"
    echo "+$controller" >"$dir/cgroup.subtree_control"
    rt2 exec -d --pid-file "$WORLD/pid" box sleep 1000
    grep -q "^0::/.*$BOX_GROUP/init\$" "/proc/$(cat "$WORLD/pid")/cgroup"
    # Asked for by name it is no fallback's business.
    run rt2 exec --cgroup / box true
    expect_status 255
    expect_match "busy"
    rt2 exec --cgroup /init box true
    rt2 delete -f box
    [ ! -e "$dir" ]
}

# --- kill ----------------------------------------------------------------------------------------------------------------------

@test "kill -a: every process gets the signal, with the host's pid namespace, on this layout and on v2" {
    local run
    for run in rt rt2; do
        [ "$run" = rt ] || need_v2
        change '.linux.namespaces |= map(select(.type != "pid"))'
        script 'trap "echo one >>/tmp/got" USR1; sh -c "trap \"echo two >>/tmp/got\" USR1; echo >>/tmp/ready; while :; do sleep 0.05; done" & echo >>/tmp/ready; while :; do sleep 0.05; done'
        rm -f "$BUNDLE/rootfs/tmp/got" "$BUNDLE/rootfs/tmp/ready"
        $run run -d -b "$BUNDLE" box
        wait_until eval '[ "$(wc -l <"$BUNDLE/rootfs/tmp/ready")" -eq 2 ]'
        $run kill -a box USR1
        wait_until eval '[ "$(sort "$BUNDLE/rootfs/tmp/got" | uniq | wc -l)" -eq 2 ]'
        $run kill -a box KILL
        wait_until eval '[ "$($run state box | jq -r .status)" = stopped ]'
        $run delete box
    done
}

# --- groups of the container's own ------------------------------------------------------------------------------------------------

@test "run.oci.delegate-cgroup: init is in a group below the one with the limits, which it may divide" {
    need_v2
    change '.annotations["run.oci.delegate-cgroup"] = "mine" | .mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
    script 'cat /proc/self/cgroup; sleep 1000'
    mkdir -p "$BUNDLE/rootfs/sys"
    rt2 run -d -b "$BUNDLE" box >"$WORLD/out"
    wait_until test -s "$WORLD/out"
    grep -qx "0::/mine" "$WORLD/out"
    grep -q "^0::/.*$BOX_GROUP/mine\$" "/proc/$(rt2 state box | jq .pid)/cgroup"
    rt2 exec box true
    rt2 delete -f box
    [ ! -e "$(v2_dir)" ]
    local name
    for name in a/b .. .; do
        change --arg name "$name" '.annotations["run.oci.delegate-cgroup"] = $name'
        run rt2 create -b "$BUNDLE" box
        expect_status 1
        expect_text 'annotations["run.oci.delegate-cgroup"]'
    done
}

@test "linux.cgroupsPath: what climbs out, or is in use, is refused, and nothing is made" {
    need_cgroupfs
    local path
    for path in "/$CLOCHE_CGROUP_PARENT/../x" "../x" "/$CLOCHE_CGROUP_PARENT/./x"; do
        change --arg path "$path" '.linux.cgroupsPath = $path'
        run rt create -b "$BUNDLE" box
        expect_status 1
        expect_text "cgroup"
    done
    [ -z "$(group_dirs)" ]
    change --arg path "$BOX_PATH" '.linux.cgroupsPath = $path'
    start_idle
    run rt create -b "$BUNDLE" other
    expect_status 1
    expect_text "linux.cgroupsPath"
    has_status box running
}

@test "pause, resume: on this layout and on v2, each told as soon as it is so" {
    local run
    for run in rt rt2; do
        [ "$run" = rt ] || need_v2
        script 'while :; do echo >>/tmp/ticks; sleep 0.01; done'
        $run run -d -b "$BUNDLE" box
        $run pause box
        [ "$($run state box | jq -r .status)" = paused ]
        run $run exec box true
        expect_status 255
        expect_text "paused"
        $run resume box
        [ "$($run state box | jq -r .status)" = running ]
        $run delete -f box
    done
}

# told_in RUN: that box is paused, or not, as state and list say.
told_in() {
    [ "$($1 state box | jq -r .status)" = "$2" ]
    $1 list | grep -qE "^box +[0-9]+ +$2 "
}

# state_in RUN LETTER: the state of box's init.
state_in() {
    [ "$(sed -nE 's/^State:\t(.).*/\1/p' "/proc/$($1 state box | jq .pid)/status")" = "$2" ]
}

# As on a kernel of which nobody knows how old it is.
rt_of_old() {
    CLOCHE_TEST_NO='uname' rt "$@"
}

@test "pause is told whatever the first process was doing, and nothing else is taken for it" {
    local run program
    for run in rt rt_of_old rt2; do
        [ "$run" != rt2 ] || need_v2
        for program in 'exec sleep 1000' 'mkfifo /tmp/pipe; read -r line </tmp/pipe' 'while :; do :; done'; do
            script "rm -f /tmp/pipe; $program"
            $run run -d -b "$BUNDLE" box
            told_in "$run" running
            $run pause box
            told_in "$run" paused
            $run resume box
            $run kill box STOP
            # A first process is stopped only from outside its pid namespace, with no say in it.
            wait_until state_in "$run" T
            told_in "$run" running
            $run pause box
            told_in "$run" paused
            $run resume box
            told_in "$run" running
            $run delete -f box
        done
    done
}

@test "pause is told of a first process that is traced" {
    need_program python3
    start_idle
    local pid tracer
    pid=$(rt state box | jq .pid)
    # Attached (16), awaited, told, and kept until the container is gone.
    python3 -c 'import ctypes, os, sys
pid = int(sys.argv[1])
if ctypes.CDLL(None).ptrace(16, pid, None, None) != 0:
    sys.exit(1)
os.waitpid(pid, 0x40000000)
print("traced", flush=True)
os.waitpid(pid, 0x40000000)' "$pid" >"$WORLD/tracer" 2>&1 3>&- &
    tracer=$!
    wait_until eval 'grep -q traced "$WORLD/tracer" || ! kill -0 "$tracer"'
    grep -q traced "$WORLD/tracer" || skip "no process can be traced here"
    state_in rt t
    told_in rt running
    rt pause box
    told_in rt paused
    rt resume box
    told_in rt running
    rt delete -f box
    wait "$tracer"
}

# --- the end ---------------------------------------------------------------------------------------------------------------------

# freeze_group DIR: of either version; thaw_group too.
freeze_group() {
    if [ -e "$1/cgroup.freeze" ]; then echo 1 >"$1/cgroup.freeze"; else echo FROZEN >"$1/freezer.state"; fi
}

is_frozen() {
    grep -qsx -e FROZEN "$1/freezer.state" || grep -qsx "frozen 1" "$1/cgroup.events"
}

# In the hierarchy where groups are frozen.
freezer_dir() {
    if group_mount freezer >/dev/null; then group_dir freezer; else v2_dir; fi
}

@test "delete -f: of a paused container, and of one with frozen groups of its own below" {
    start_idle
    rt pause box
    rt delete -f box
    [ -z "$(group_dirs)" ]
    start_idle
    local dir
    dir=$(freezer_dir)
    mkdir -p "$dir/one/two"
    rt exec -d --pid-file "$WORLD/pid" box sleep 1000
    cat "$WORLD/pid" >"$dir/one/two/cgroup.procs"
    freeze_group "$dir/one/two"
    wait_until is_frozen "$dir/one/two"
    freeze_group "$dir/one"
    rt delete -f box
    [ -z "$(group_dirs)" ]
    [ ! -e "/proc/$(cat "$WORLD/pid")" ]
}

@test "delete -f: groups below with processes, without a pid namespace that would end them" {
    change '.linux.namespaces |= map(select(.type != "pid"))'
    start_idle
    local dir below=one/two/three
    dir=$(freezer_dir)
    mkdir -p "$dir/$below" "$dir/other"
    rt exec -d --pid-file "$WORLD/pid" box sleep 1000
    cat "$WORLD/pid" >"$dir/$below/cgroup.procs"
    [ "$(rt ps -f json box | jq length)" -eq 2 ]
    rt kill box KILL
    wait_until has_status box stopped
    rt delete -f box
    wait_until test ! -e "/proc/$(cat "$WORLD/pid")"
    [ -z "$(group_dirs)" ]
}

@test "threaded groups on v2: ps, kill and delete" {
    need_v2
    script 'sleep 1000'
    rt2 run -d -b "$BUNDLE" box
    local dir
    dir=$(v2_dir)
    mkdir "$dir/threads"
    echo threaded >"$dir/threads/cgroup.type"
    [ "$(cat "$dir/cgroup.type")" = "domain threaded" ]
    rt2 exec -d --pid-file "$WORLD/pid" box sleep 1000
    cat "$WORLD/pid" >"$dir/threads/cgroup.threads"
    [ "$(rt2 ps -f json box | jq length)" -eq 2 ]
    rt2 pause box
    rt2 resume box
    rt2 delete -f box
    [ ! -e "$dir" ]
}

@test "a start that fails takes the groups with it that it made on the way" {
    need_cgroupfs
    need_controller cpuset
    local top
    top=${BOX_GROUP%/box}
    change --arg path "${BOX_PATH%/box}/a/b/c" '.linux.cgroupsPath = $path | .linux.resources.cpu.cpus = "8000"'
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "linux.resources.cpu.cpus"
    [ -z "$(find /sys/fs/cgroup -type d -path "*/$top/a" 2>/dev/null)" ]
}

@test "linux.cgroupsPath: relative is below the root of the hierarchies, as absolute is; the same value is the same place" {
    need_cgroupfs
    need_root
    change --arg path "$BOX_GROUP" '.linux.cgroupsPath = $path'
    start_idle
    [ -n "$(group_dirs)" ]
    grep -q ":/$BOX_GROUP\$" "/proc/$(rt state box | jq .pid)/cgroup"
}

@test "linux.resources.pids.limit 0: init is all there is" {
    need_controller pids
    need_root "in a user namespace it takes 2"
    change '.linux.resources.pids.limit = 0'
    script 'sleep 1000 & echo forked'
    run rt run -b "$BUNDLE" box
    [ "$status" -ne 0 ]
    refute_text forked
    script 'echo alone'
    run rt run -b "$BUNDLE" box
    expect_line alone
}
