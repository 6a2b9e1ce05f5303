#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime with input that is wrong: an error that names the JSON path or the object, exit code 1, and nothing made and nothing left (the frame looks for processes,
# groups and mounts; the state directory is looked at here).
# shellcheck disable=SC2016,SC2034,SC2154 # the dollars are jq's; read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

# refuses TEXT…: create and run of the bundle both fail with exit code 1 and one line with each TEXT in it, and leave nothing.
refuses() {
    local verb text
    for verb in create run; do
        # Into a file: what was taken by mistake would keep bats's pipe open.
        status=0
        rt "$verb" -b "$BUNDLE" box >"$WORLD/refused" 2>&1 </dev/null || status=$?
        output=$(cat "$WORLD/refused")
        if [ "$status" != 1 ]; then
            echo "$verb: exit status $status: ${output:0:300}" >&2
            return 1
        fi
        for text in "$@"; do
            [[ $output == *"$text"* ]] || { echo "$verb: no \"$text\" in: ${output:0:300}" >&2; return 1; }
        done
        nothing_left
    done
}

nothing_left() {
    [ -z "$(ls -A "$WORLD/oci" 2>/dev/null)" ] || { echo "left: $(find "$WORLD/oci")" >&2; return 1; }
    [ -z "$(find /sys/fs/cgroup -path "*$CLOCHE_CGROUP_PARENT/box" 2>/dev/null)" ] || { echo "a cgroup is left" >&2; return 1; }
}

# --- documents ------------------------------------------------------------------------------------------------------------------

@test "a truncated config.json, at many places" {
    local size at
    size=$(jq -c . "$WORLD/default.json" | tee "$WORLD/whole.json" | wc -c)
    for ((at = 0; at < size - 1; at += size / 25 + 1)); do
        head -c "$at" "$WORLD/whole.json" >"$BUNDLE/config.json"
        refuses config.json
    done
}

@test "a config.json that is too large, nested too deeply, or no object" {
    { printf '{"x":"'; head -c 17825792 /dev/zero | tr '\0' a; printf '"}'; } >"$BUNDLE/config.json"
    refuses config.json
    { printf '{"x":'; head -c 10000 /dev/zero | tr '\0' '['; head -c 10000 /dev/zero | tr '\0' ']'; printf '}'; } >"$BUNDLE/config.json"
    refuses config.json
    for text in '' null 3 '"text"' '[]' '{}' '{"ociVersion":"1.0.2"} more' $'\xff\xfe{}' '{"ociVersion":"1.0.2",}'; do
        printf '%s' "$text" >"$BUNDLE/config.json"
        refuses config.json
    done
}

@test "a config.json of 100 MiB, and one that is not UTF-8" {
    : >"$BUNDLE/config.json"
    truncate -s 104857600 "$BUNDLE/config.json"
    refuses config.json
    jq -c '.process.cwd = "/BAD"' "$WORLD/default.json" | LC_ALL=C sed 's/BAD/\xff\xfe/' >"$BUNDLE/config.json"
    refuses config.json UTF-8
}

@test "a config.json that is missing, or a directory" {
    rm "$BUNDLE/config.json"
    refuses config.json "o such file"
    mkdir "$BUNDLE/config.json"
    refuses config.json
    rmdir "$BUNDLE/config.json"
}

@test "a key that is there twice" {
    jq -c . "$WORLD/default.json" | sed 's/^{/{"hostname":"other",/' >"$BUNDLE/config.json"
    refuses hostname
    jq -c . "$WORLD/default.json" | sed 's/"cwd":/"cwd":"\/tmp","cwd":/' >"$BUNDLE/config.json"
    refuses process cwd
}

@test "a zero byte in a string" {
    local edit
    for edit in .process.cwd '.process.args[0]' '.process.env[0]' .root.path .hostname '.mounts[0].destination' .linux.cgroupsPath; do
        cp "$WORLD/default.json" "$BUNDLE/config.json"
        change "$edit = \"/a\\u0000b\""
        refuses "config.json"
    done
}

@test "a version that is not 1.x" {
    local version
    for version in '"2.0.0"' '"0.9.0"' '"abc"' '""' '"1"' 1.0 null; do
        cp "$WORLD/default.json" "$BUNDLE/config.json"
        change ".ociVersion = $version"
        refuses ociVersion
    done
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    change 'del(.ociVersion)'
    refuses ociVersion
}

# --- values ---------------------------------------------------------------------------------------------------------------------

# One row each: what has to be in the message | the edit of config.json.
@test "every value of a wrong type, or out of range, is refused by its path" {
    local path edit bad=0
    while IFS='|' read -r path edit; do
        [ -n "$path" ] || continue
        cp "$WORLD/default.json" "$BUNDLE/config.json"
        change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/box\" | $edit"
        refuses "$path" 2>"$WORLD/why" || { echo "$edit: $(cat "$WORLD/why")" >&2; bad=1; rt delete -f box 2>/dev/null; }
    done <<'END'
process|.process = 3
process.args|.process.args = []
process.args|.process.args = "sh"
process.args[0]|.process.args = [7]
process.args|del(.process.args)
process.cwd|.process.cwd = "relative"
process.cwd|del(.process.cwd)
process.env[0]|.process.env = [1]
process.terminal|.process.terminal = "yes"
process.consoleSize|.process.terminal = true | .process.consoleSize = {height: -1, width: 1}
process.user.uid|.process.user.uid = -1
process.user.uid|.process.user.uid = 4294967296
process.user.uid|.process.user.uid = 1.5
process.user.uid|.process.user.uid = "root"
process.user.gid|.process.user.gid = 1e20
process.user.umask|.process.user.umask = -1
process.user.umask|.process.user.umask = 4096
process.user.additionalGids[1]|.process.user.additionalGids = [1, -5]
process.oomScoreAdj|.process.oomScoreAdj = 1001
process.oomScoreAdj|.process.oomScoreAdj = -1001
process.oomScoreAdj|.process.oomScoreAdj = 99999999999
process.rlimits[0].type|.process.rlimits = [{type: "RLIMIT_NONE", hard: 1, soft: 1}]
process.rlimits[0].hard|.process.rlimits = [{type: "RLIMIT_CORE", hard: -1, soft: 0}]
process.rlimits[0].soft|.process.rlimits = [{type: "RLIMIT_CORE", hard: 1, soft: 18446744073709551616}]
process.rlimits[0]|.process.rlimits = [{type: "RLIMIT_CORE", hard: 1, soft: 2}]
process.rlimits[1]|.process.rlimits = [{type: "RLIMIT_CORE", hard: 1, soft: 1}, {type: "RLIMIT_CORE", hard: 1, soft: 1}]
process.capabilities|.process.capabilities = ["CAP_CHOWN"]
process.capabilities.bounding|.process.capabilities = {bounding: "CAP_CHOWN"}
process.ioPriority|.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}
process.ioPriority.class|.process.ioPriority = {class: "NONE", priority: 1}
process.scheduler.policy|.process.scheduler = {policy: "SCHED_NONE"}
process.scheduler.nice|.process.scheduler = {policy: "SCHED_OTHER", nice: 99}
process.noNewPrivileges|.process.noNewPrivileges = 1
root|del(.root)
root.path|.root.path = ""
root.path|.root.path = 1
root.readonly|.root.readonly = "no"
hostname|.hostname = ("x" * 65)
hostname|.hostname = 1
mounts|.mounts = {}
mounts[0].destination|.mounts = [{type: "proc", source: "proc"}]
mounts[0].destination|.mounts = [{destination: 1, type: "proc", source: "proc"}]
mounts[0].options|.mounts = [{destination: "/mnt", type: "tmpfs", source: "tmpfs", options: "ro"}]
mount tmpfs at /mnt: tmpfs: Unknown parameter|.mounts = [{destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["no_such_option=1"]}]
mount no-such-fs at /mnt: No such device|.mounts = [{destination: "/mnt", type: "no-such-fs", source: "x"}]
bind source /no/such/source: No such file|.mounts = [{destination: "/mnt", type: "bind", source: "/no/such/source", options: ["bind"]}]
hooks|.hooks = []
hooks.poststop[0].path|.hooks = {poststop: [{path: "relative"}]}
hooks.poststart[0].timeout|.hooks = {poststart: [{path: "/bin/true", timeout: -1}]}
annotations|.annotations = []
annotations|.annotations = {a: 1}
linux.namespaces|.linux.namespaces = {}
linux.namespaces[0].type|.linux.namespaces = [{type: "moon"}]
linux.namespaces|.linux.namespaces += [{type: "pid"}]
linux.namespaces|.linux.namespaces |= map(if .type == "network" then .path = "/no/such/ns" else . end)
linux.namespaces|.linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/uts" else . end)
linux.maskedPaths|.linux.maskedPaths = "x"
linux.maskedPaths|.linux.maskedPaths = ["relative"]
linux.readonlyPaths|.linux.readonlyPaths = ["relative"]
linux.rootfsPropagation|.linux.rootfsPropagation = "sideways"
linux.sysctl|.linux.sysctl = {"kernel.panic": "1"}
linux.sysctl|.linux.sysctl = {"net.no.such.thing": "1"}
linux.sysctl|.linux.sysctl = {"../../etc/passwd": "1"}
linux.devices[0].type|.linux.devices = [{path: "/dev/x", type: "q", major: 1, minor: 1}]
linux.devices[0]: major|.linux.devices = [{path: "/dev/x", type: "c", major: -1, minor: 1}]
linux.devices[0]: major must be 0 to 4095 and minor|.linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 99999999999}]
linux.devices[0].fileMode|.linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 1, fileMode: 99999999}]
linux.devices[0].uid|.linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 1, uid: -1}]
linux.devices[0].path|.linux.devices = [{path: "dev/x", type: "c", major: 1, minor: 1}]
linux.resources.memory.limit|.linux.resources.memory.limit = -2
linux.resources.memory.limit|.linux.resources.memory.limit = 9223372036854775808
linux.resources.memory.limit|.linux.resources.memory.limit = "64m"
linux.resources.memory.swappiness|.linux.resources.memory.swappiness = 1000
linux.resources.cpu.shares|.linux.resources.cpu.shares = -1
linux.resources.cpu.quota|.linux.resources.cpu.quota = 9223372036854775808
linux.resources.cpu.period|.linux.resources.cpu.period = -1
linux.resources.cpu.cpus|.linux.resources.cpu.cpus = "0-"
linux.resources.cpu.cpus|.linux.resources.cpu.cpus = "99999"
linux.resources.cpu.idle|.linux.resources.cpu.idle = 7
linux.resources.pids.limit|.linux.resources.pids.limit = 9223372036854775808
linux.resources.blockIO: weight|.linux.resources.blockIO.weight = 65536
linux.resources.blockIO: weight|.linux.resources.blockIO.weight = 1
linux.resources.hugepageLimits|.linux.resources.hugepageLimits = [{pageSize: "3KB", limit: 1}]
linux.resources.network.classID|.linux.resources.network.classID = 4294967296
linux.resources.devices[0]: access|.linux.resources.devices = [{allow: true, type: "c", access: "rwx"}]
linux.resources.devices[0]|.linux.resources.devices = [{allow: true, type: "q", access: "r"}]
linux.resources.unified|.linux.resources.unified = {"../x": "1"}
linux.seccomp.defaultAction|.linux.seccomp = {syscalls: []}
linux.seccomp.defaultAction|.linux.seccomp = {defaultAction: "SCMP_ACT_MAYBE"}
linux.seccomp.architectures|.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_Z80"]}
linux.seccomp.flags|.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["NONE"]}
linux.seccomp.syscalls[0].names|.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: [], action: "SCMP_ACT_ERRNO"}]}
linux.seccomp.syscalls[0].args[0]|.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["kill"], action: "SCMP_ACT_ERRNO", args: [{index: 6, value: 1, op: "SCMP_CMP_EQ"}]}]}
linux.seccomp.syscalls[0].errnoRet|.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["kill"], action: "SCMP_ACT_ERRNO", errnoRet: 4096}]}
linux.timeOffsets|.linux.timeOffsets = {none: {secs: 1}}
linux.personality|.linux.personality = {domain: "LINUX64"}
linux.uidMappings|.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]
END
    [ "$bad" = 0 ]
}

# Every property of the specification with what is of another type or out of range: bad-values.py has the table.
@test "every property, with values of other types and out of range, is refused by its path" {
    need_program python3
    run python3 "$BATS_TEST_DIRNAME/bad-values.py" "$BUNDLE" "$WORLD/oci" "/$CLOCHE_CGROUP_PARENT/box"
    expect_status 0
    expect_match '[12][0-9]{3} cases'
    nothing_left
}

# --- objects --------------------------------------------------------------------------------------------------------------------

@test "a root file system that is missing, or a file" {
    change '.root.path = "not-there"'
    refuses root not-there
    touch "$BUNDLE/file"
    change '.root.path = "file"'
    refuses 'root.path: Not a directory'
    rm "$BUNDLE/file"
}

@test "a seccomp filter that forbids everything, to exit too: the process ends all the same" {
    change '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO"} | .process.args = ["true"]'
    run timeout -s KILL "$PATIENCE" cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box
    [ "$status" != 0 ] && [ "$status" != 137 ]
    nothing_left
}

@test "clocks before their beginning" {
    [ -e /proc/self/ns/time ] || skip "this kernel has no time namespaces"
    change '.linux.namespaces |= (map(select(.type != "time")) + [{type: "time"}]) | .linux.timeOffsets = {monotonic: {secs: -99999999999}}'
    refuses linux.timeOffsets
}

@test "annotations that are longer than a state can be" {
    change '.annotations = {long: ("x" * 1100000)}'
    refuses annotations
}

@test "twenty thousand annotations: each time they are looked through, once" {
    change '.annotations = ([range(20000) | {key: "key.\(.)", value: "x"}] | from_entries) | .process.args = ["true"]'
    timeout "$PATIENCE" cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box
}

@test "a cgroup that can't be made" {
    change '.linux.cgroupsPath = "/../../outside"'
    refuses cgroup
    change --arg long "/$CLOCHE_CGROUP_PARENT/$(printf 'x%.0s' {1..300})" '.linux.cgroupsPath = $long'
    refuses cgroup
}

@test "ids that are no names" {
    local id
    for id in '' . .. a/b ../x /abs 'a b' $'a\nb' "$(printf 'x%.0s' {1..2000})" 'ä' 'a*'; do
        for verb in "create -b $BUNDLE" "run -b $BUNDLE" state start 'delete -f' delete kill pause; do
            # shellcheck disable=SC2086 # words
            run rt $verb "$id"
            [ "$status" = 1 ] || { echo "$verb '${id:0:40}': $status $output" >&2; return 1; }
            [ ${#output} -lt 400 ]
            nothing_left
        done
    done
}

@test "exec with a wrong process.json, and update with wrong resources: refused, the container goes on" {
    local text
    start_idle
    for text in '' '{' '[]' '{}' '{"args":["true"]}' '{"cwd":"/","args":[]}' '{"cwd":"/","args":["true"],"user":{"uid":-1}}' \
        '{"cwd":"/","args":["true"],"cwd":"/"}' '{"cwd":"x","args":["true"]}' '{"cwd":"/","args":["a\u0000b"]}'; do
        echo "$text" >"$WORLD/process.json"
        run rt exec -p "$WORLD/process.json" box
        [ "$status" = 255 ]
        expect_text process.json
    done
    for text in '' '{' '[]' '{"memory":{"limit":-7}}' '{"memory":3}' '{"pids":{"limit":"x"}}' '{"cpu":{"cpus":"z"}}' '{"pids":{"limit":1},"pids":{"limit":2}}'; do
        echo "$text" >"$WORLD/resources.json"
        run rt update -r "$WORLD/resources.json" box
        expect_status 1
    done
    has_status box running
}

@test "exec -p: each wrong value by its JSON path; nothing has run, nothing is left, and the container goes on" {
    local path edit count
    start_idle
    jq '.process | .args = ["touch", "/tmp/ran"]' "$WORLD/default.json" >"$WORLD/good.json"
    count=$(rt ps -f json box | jq length)
    while IFS='|' read -r path edit; do
        jq "$edit" "$WORLD/good.json" >"$WORLD/process.json"
        run rt exec -p "$WORLD/process.json" box
        [ "$status" = 255 ] || { echo "$edit: $status $output" >&2; return 1; }
        [[ $output == *"$path"* ]] || { echo "no \"$path\" for $edit: $output" >&2; return 1; }
        [ ! -e "$BUNDLE/rootfs/tmp/ran" ]
        [ "$(rt ps -f json box | jq length)" = "$count" ]
        has_status box running
    done <<'END'
terminal|.terminal = 1
args|.args = "true"
args[1]|.args = ["true", 7]
env|.env = {}
env[0]|.env = [1]
cwd|.cwd = []
user|.user = "root"
user.uid|.user.uid = "0"
user.uid|.user.uid = 4294967296
user.gid|.user.gid = -1
user.additionalGids|.user.additionalGids = 1
user.additionalGids[0]|.user.additionalGids = ["x"]
user.umask|.user.umask = 1000000
capabilities|.capabilities = []
capabilities.permitted|.capabilities.permitted = "CAP_CHOWN"
rlimits|.rlimits = {}
rlimits[0].type|.rlimits = [{type: "RLIMIT_NONE", soft: 1, hard: 1}]
rlimits[0].soft|.rlimits = [{type: "RLIMIT_NOFILE", soft: -1, hard: 1}]
rlimits[0]|.rlimits = [{type: "RLIMIT_NOFILE", soft: 2, hard: 1}]
rlimits[1]|.rlimits = [{type: "RLIMIT_NOFILE", soft: 1, hard: 1}, {type: "RLIMIT_NOFILE", soft: 1, hard: 1}]
noNewPrivileges|.noNewPrivileges = "yes"
oomScoreAdj|.oomScoreAdj = 1001
oomScoreAdj|.oomScoreAdj = "x"
consoleSize|.consoleSize = 1
ioPriority.class|.ioPriority = {class: "NONE", priority: 1}
scheduler.policy|.scheduler = {policy: "SCHED_NONE"}
END
    # twice, and more of it than anyone needs
    echo '{"cwd":"/","args":["touch","/tmp/ran"],"user":{"uid":0,"gid":0,"uid":0}}' >"$WORLD/process.json"
    run rt exec -p "$WORLD/process.json" box
    [ "$status" = 255 ]
    expect_text uid
    [ -e "$BUNDLE/rootfs/tmp" ] && [ ! -e "$BUNDLE/rootfs/tmp/ran" ]
    { printf '{"cwd":"/","args":["'; head -c 17000000 /dev/zero | tr '\0' x; printf '"]}'; } >"$WORLD/process.json"
    run rt exec -p "$WORLD/process.json" box
    [ "$status" = 255 ]
    expect_text process.json
    [ ${#output} -lt 600 ]
    has_status box running
    rt exec -p "$WORLD/good.json" box
    [ -e "$BUNDLE/rootfs/tmp/ran" ]
    jq '.capabilities.bounding += ["CAP_NONE"]' "$WORLD/good.json" >"$WORLD/process.json"
    run rt exec -p "$WORLD/process.json" box
    expect_status 0
    expect_text 'warning: process.capabilities.bounding: unknown capability "CAP_NONE"'
}

@test "a state that is damaged: said so by every verb, and nothing is done to others" {
    local verb text
    start_idle
    change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/other\""
    rt run -d -b "$BUNDLE" other
    cp "$WORLD/oci/box/state.json" "$WORLD/saved.json"
    for text in '' '{"x' '[]' '{}' "$(head -c 100 "$WORLD/saved.json")" '{"pid":-1}'; do
        printf '%s' "$text" >"$WORLD/oci/box/state.json"
        for verb in state start kill pause resume ps update delete 'delete -f'; do
            # shellcheck disable=SC2086 # words
            run rt $verb box
            [ "$status" = 1 ] || { echo "$verb with '$text': $status $output" >&2; return 1; }
            expect_text box
        done
        has_status other running
        run rt list
        expect_status 1
        expect_match 'other +[0-9]+ +running'
        expect_text 'container box'
    done
    cp "$WORLD/saved.json" "$WORLD/oci/box/state.json"
    has_status box running
}

# other: a container beside, and with it in $OTHER what is not to be touched.
start_other() {
    change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/other\""
    rt run -d -b "$BUNDLE" other
}

# damage TEXT: what state.json of box is from now on.
damage() {
    printf '%s' "$1" >"$WORLD/oci/box/state.json"
}

# record MEMBER…: of what state.json of box was, compact, these and no more.
record() {
    local filter='{ id'
    for member in "$@"; do filter+=", $member"; done
    jq -c "$filter }" "$WORLD/saved.json"
}

# Its parent, whoever that is by now, need not have looked yet.
has_ended() {
    local state
    state=$(sed -nE 's/^State:\t(.).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 0
    [ -z "$state" ] || [ "$state" = Z ]
}

group_is_gone() {
    [ -z "$(find /sys/fs/cgroup -path "*$CLOCHE_CGROUP_PARENT/box" 2>/dev/null)" ]
}

@test "delete -f: a damaged state of a container that has ended, at any place; what it could not know is said" {
    local size at
    start_idle
    start_other
    rt kill box KILL
    wait_until has_status box stopped
    cp -a "$WORLD/oci/box" "$WORLD/saved"
    size=$(wc -c <"$WORLD/saved/state.json")
    for at in 0 1 2 40 100 200 $((size / 2)) $((size - 2)) $((size - 1)); do
        rm -rf "$WORLD/oci/box"
        cp -a "$WORLD/saved" "$WORLD/oci/box"
        truncate -s "$at" "$WORLD/oci/box/state.json"
        run rt delete box
        expect_status 1
        expect_text "delete --force removes what can be told to be its"
        run rt delete -f box
        [ "$status" = 0 ] || { echo "at $at: $output" >&2; return 1; }
        expect_text "warning: container box: its state.json was damaged; removed"
        [ ! -e "$WORLD/oci/box" ]
        group_is_gone
        has_status other running
        rt delete -f box # there is none
    done
    rm -rf "$WORLD/saved"
}

@test "delete -f: a damaged state that still proves which process is its init" {
    local rest
    start_idle
    start_other
    cp "$WORLD/oci/box/state.json" "$WORLD/saved.json"
    pid=$(rt state box | jq .pid)
    rest=$(cat "$WORLD/saved.json")
    damage "${rest%%,\"ownsPid*},\"ownsP"
    run rt delete -f box
    expect_status 0
    expect_text "its state.json was damaged; removed all the same"
    has_ended "$pid"
    [ ! -e "$WORLD/oci/box" ]
    group_is_gone
    has_status other running
}

@test "delete -f: a damaged state of a container that was not started: its init says that it is its" {
    local text
    script 'sleep 1000'
    start_other
    change --arg path "$BOX_PATH" '.linux.cgroupsPath = $path'
    for text in '' '{"id":"box"' keep; do
        rt create -b "$BUNDLE" box >"$WORLD/out" 2>&1 </dev/null
        cp "$WORLD/oci/box/state.json" "$WORLD/saved.json"
        pid=$(rt state box | jq .pid)
        # keep: a record that names another's init
        [ "$text" != keep ] || text=$(jq -c --argjson pid "$(rt state other | jq .pid)" '{ id, bootId, pid: $pid, startTicks: 1 }' "$WORLD/saved.json" | head -c -2),
        damage "$text"
        run rt delete -f box
        expect_status 0
        expect_text "its state.json was damaged; removed all the same"
        has_ended "$pid"
        group_is_gone
        [ ! -e "$WORLD/oci/box" ]
        has_status other running
    done
    # Without anything that names its group: the group alone is left, and that is said.
    rt create -b "$BUNDLE" box >"$WORLD/out" 2>&1 </dev/null
    pid=$(rt state box | jq .pid)
    damage ''
    echo '{' >"$WORLD/oci/box/config.json"
    run rt delete -f box
    expect_status 0
    expect_text "removed without knowing its cgroup"
    has_ended "$pid"
    find /sys/fs/cgroup -depth -type d -path "*$CLOCHE_CGROUP_PARENT/box" -exec rmdir {} + 2>/dev/null || true
    # Who asks and goes, or asks what nobody knows, starts nothing.
    rt create -b "$BUNDLE" box >"$WORLD/out" 2>&1 </dev/null
    has_status box created
    rt start box
    has_status box running
}

@test "delete -f: a damaged state and processes that can't be told to be its: nothing is ended, and they are named" {
    start_idle
    cp "$WORLD/oci/box/state.json" "$WORLD/saved.json"
    pid=$(rt state box | jq .pid)
    for text in '' '{"id":"box"' "$(record bootId pid)" "$(record bootId startTicks)" "$(record pid startTicks)"; do
        damage "$text"
        run rt delete -f box
        expect_status 1
        expect_text "container box: its state.json is damaged, and whether the processes in cgroup ${BOX_PATH#/} are its can't be told: $pid; end them"
        run ! has_ended "$pid"
        [ -e "$WORLD/oci/box/config.json" ]
    done
    kill -KILL "$pid"
    wait_until has_ended "$pid"
    run rt delete -f box
    expect_status 0
    expect_text "removed without knowing its first process"
    nothing_left
}

@test "delete -f: a damaged state that names others' processes, groups and units" {
    local foreign
    start_idle
    start_other
    cp "$WORLD/oci/box/state.json" "$WORLD/saved.json"
    pid=$(rt state box | jq .pid)
    other=$(rt state other | jq .pid)
    foreign=$CLOCHE_CGROUP_PARENT/other
    # its init, and a group that is not its own, or has its own below
    for path in "$foreign" "$CLOCHE_CGROUP_PARENT" / .. ../.. "$foreign/../box"; do
        ! has_ended "$pid" || { start_again; pid=$(rt state box | jq .pid); }
        damage "$(record bundle bootId pid startTicks | jq -c --arg path "$path" '. + { cgroupPath: $path, scope: 7 }' | head -c -2),"
        run rt delete -f box
        [ "$status" = 0 ] || { echo "$path: $output" >&2; return 1; }
        has_ended "$pid"
        has_status other running
        group_is_gone
    done
    # another's process as its init
    start_again
    pid=$(rt state box | jq .pid)
    for start in 1 "$(jq .startTicks "$WORLD/saved.json")"; do
        damage "$(record bootId | jq -c --argjson pid "$other" --argjson start "$start" '. + { pid: $pid, startTicks: $start }' | head -c -2),"
        run rt delete -f box
        expect_status 1
        has_status other running
        run ! has_ended "$pid"
    done
    # a group that is somebody else's by now
    kill -KILL "$pid"
    wait_until has_ended "$pid"
    damage "$(record pid startTicks ownsPidNamespace | jq -c --arg path "$foreign" '. + { bootId: "00000000-0000-0000-0000-000000000000", cgroupPath: $path }' | head -c -2),"
    run rt delete -f box
    expect_status 0
    has_status other running
    [ ! -e "$WORLD/oci/box" ]
}

start_again() {
    change --arg path "$BOX_PATH" '.linux.cgroupsPath = $path'
    rt run -d -b "$BUNDLE" box
    cp "$WORLD/oci/box/state.json" "$WORLD/saved.json"
}

@test "delete -f: a damaged state and config.json" {
    start_idle
    pid=$(rt state box | jq .pid)
    cp "$WORLD/oci/box/state.json" "$WORLD/saved.json"
    echo '{' >"$WORLD/oci/box/config.json"
    # the record alone is not proof enough for ending others of its group, only its init
    damage "$(head -c -2 <"$WORLD/saved.json")"
    run rt delete -f box
    expect_status 0
    has_ended "$pid"
    nothing_left
}

@test "a bundle that changes between create and start: what was created is started" {
    script 'echo as created >/tmp/which; sleep 1000'
    rt create -b "$BUNDLE" box >"$WORLD/out" 2>&1 </dev/null
    echo rubbish >"$BUNDLE/config.json"
    rt start box
    wait_until grep -qx 'as created' "$BUNDLE/rootfs/tmp/which"
    has_status box running
    rm "$BUNDLE/rootfs/tmp/which" "$BUNDLE/config.json"
    rt delete -f box
    nothing_left
}
