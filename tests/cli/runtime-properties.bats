#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime: properties of process and linux that the program inside can see: scheduling, memory policy, personality, affinity, security labels,
# network devices, Intel RDT. Mounts have a file of their own.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

# --- what the differential test found -------------------------------------------------------------------------------------------

@test "linux.devices: a default device that is listed has the listed mode and owner" {
    change '.linux.devices = [{path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 384, uid: 3, gid: 4}]'
    script 'stat -c "%a %u:%g %t:%T" /dev/null /dev/zero'
    run rt run -b "$BUNDLE" box
    expect_output $'600 3:4 1:3\n666 0:0 1:5'
}

@test "linux.sysctl: not where the namespace that is joined is the host's" {
    local before type key
    before=$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced)
    for type in network:net:net/ipv4/ip_forward ipc:ipc:kernel.shm_rmid_forced; do
        key=${type##*:}
        change --arg type "${type%%:*}" --arg path "/proc/self/ns/$(cut -d: -f2 <<<"$type")" --arg key "$key" \
            '(.linux.namespaces[] | select(.type == $type)).path = $path | .linux.sysctl = {($key): "1"}'
        run rt run -b "$BUNDLE" box
        expect_status 1
        expect_text "linux.sysctl[\"$key\"]: the ${type%%:*} namespace that is joined is the host's"
    done
    [ "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced)" = "$before" ]
    [ -z "$(rt list -q)" ]
    # Another's may be changed.
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    change --arg path "/$CLOCHE_CGROUP_PARENT/pod" '.linux.cgroupsPath = $path | .process.args = ["sleep", "1000"]'
    rt run -d -b "$BUNDLE" pod </dev/null >"$WORLD/out" 2>&1
    script 'cat /proc/sys/net/ipv4/ip_forward'
    change --arg path "/$CLOCHE_CGROUP_PARENT/box" --arg net "/proc/$(rt state pod | jq .pid)/ns/net" \
        '(.linux.namespaces[] | select(.type == "network")).path = $net | .linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.cgroupsPath = $path'
    run rt run -b "$BUNDLE" box
    expect_output 1
}

@test "linux.sysctl and process.oomScoreAdj: also where the container may not write to its /proc" {
    change '(.mounts[] | select(.destination == "/proc")).options = ["ro"] | .linux.sysctl = {"net.ipv4.ip_forward": "1"} | .process.oomScoreAdj = 77'
    script 'cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj; echo 5 >/proc/self/oom_score_adj'
    run rt run -b "$BUNDLE" box
    expect_match $'^1\n77\n.*Read-only file system'
}

@test "linux.rootfsPropagation: rshared reaches the control groups' mounts, too" {
    change '.linux.rootfsPropagation = "rshared"'
    script 'grep " /sys/fs/cgroup" /proc/self/mountinfo'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_match /sys/fs/cgroup
    [ "$(grep -cv ' shared:' <<<"$output")" = 0 ]
}

# --- scheduling -----------------------------------------------------------------------------------------------------------------

@test "linux.memoryPolicy: mode, nodes and flags reach the program, and a process of exec" {
    change '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}'
    [ -r /proc/self/numa_maps ] || skip "this kernel has no NUMA policies"
    script 'grep -m1 -o "bind=static:0" /proc/self/numa_maps; echo ready >/tmp/ready; sleep 1000'
    start_box
    [ "$(cat "$WORLD/out")" = "bind=static:0" ]
    run rt exec box grep -m1 -o "bind=static:0" /proc/self/numa_maps
    expect_output "bind=static:0"
}

@test "linux.memoryPolicy: nodes that this machine lacks are an error that names it" {
    [ -r /proc/self/numa_maps ] || skip "this kernel has no NUMA policies"
    [ ! -e /sys/devices/system/node/node900 ] || skip "this machine has a node 900"
    change '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "900"}'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text "linux.memoryPolicy: set it: Invalid argument"
}

@test "linux.personality: LINUX32 is what uname says, also to a process of exec" {
    [ "$(uname -m)" = x86_64 ] || skip "needs a kernel that has a 32-bit name of its machine"
    change '.linux.personality = {domain: "LINUX32"}'
    script 'uname -m; echo ready >/tmp/ready; sleep 1000'
    start_box
    [ "$(cat "$WORLD/out")" = i686 ]
    run rt exec box uname -m
    expect_output i686
}

@test "process.scheduler and process.ioPriority: policy, nice, flags and class" {
    need_program chrt
    need_program ionice
    change '.process.scheduler = {policy: "SCHED_BATCH", nice: 5, flags: ["SCHED_FLAG_RESET_ON_FORK"]}
            | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
    script 'echo ready >/tmp/ready; exec sleep 1000'
    start_box
    local pid
    pid=$(rt state box | jq .pid)
    run chrt -p "$pid"
    expect_text "SCHED_BATCH|SCHED_RESET_ON_FORK"
    run ionice -p "$pid"
    expect_output "best-effort: prio 6"
    [ "$(awk '{ print $19 }' "/proc/$pid/stat")" = 5 ]
}

@test "process.scheduler: SCHED_DEADLINE with its times" {
    need_program chrt
    chrt -d -T 1000000 -D 10000000 -P 10000000 0 true 2>"$WORLD/err" || skip "SCHED_DEADLINE is not to be had here: $(cat "$WORLD/err")"
    change '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 10000000, period: 10000000}'
    script 'echo ready >/tmp/ready; exec sleep 1000'
    start_box
    run chrt -p "$(rt state box | jq .pid)"
    expect_text "SCHED_DEADLINE"
    expect_text "1000000/10000000/10000000"
}

@test "process.execCPUAffinity: final holds for the process of exec, initial is where it began; init is left alone" {
    [ "$(nproc)" -ge 2 ] || skip "needs two CPUs"
    change '.process.execCPUAffinity = {initial: "0", final: "1"}'
    script 'grep Cpus_allowed_list /proc/self/status; echo ready >/tmp/ready; sleep 1000'
    start_box
    local all
    all=$(grep Cpus_allowed_list /proc/self/status)
    [ "$(cat "$WORLD/out")" = "$all" ]
    run rt exec box grep Cpus_allowed_list /proc/self/status
    expect_match 'Cpus_allowed_list:[[:space:]]+1$'
    jq '.process | .args = ["grep", "Cpus_allowed_list", "/proc/self/status"] | .execCPUAffinity = {initial: "0"}' "$BUNDLE/config.json" >"$WORLD/process.json"
    run rt exec -p "$WORLD/process.json" box
    expect_status 0
    # Entering a cpuset of cgroup v1 chooses anew; elsewhere it stays where it began.
    expect_match 'Cpus_allowed_list:[[:space:]]+(0|0-.*)$'
}

@test "process.execCPUAffinity: more CPUs than a fixed set of 1024 would hold, and none that is there" {
    change '.process.execCPUAffinity = {final: "0,2000-60000"}'
    script 'echo ready >/tmp/ready; sleep 1000'
    start_box
    run rt exec box grep Cpus_allowed_list /proc/self/status
    expect_match 'Cpus_allowed_list:[[:space:]]+0$'
    jq '.process | .args = ["true"] | .execCPUAffinity = {final: "60000"}' "$BUNDLE/config.json" >"$WORLD/process.json"
    run rt exec -p "$WORLD/process.json" box
    expect_status 255
    expect_text "process.execCPUAffinity.final: run on CPUs 60000: Invalid argument"
    jq '.process | .args = ["true"] | .execCPUAffinity = {initial: "60000"}' "$BUNDLE/config.json" >"$WORLD/process.json"
    run rt exec -p "$WORLD/process.json" box
    expect_status 255
    expect_text "process.execCPUAffinity.initial: run on CPUs 60000: Invalid argument"
}

# --- the process ----------------------------------------------------------------------------------------------------------------

@test "process.user: umask, additionalGids; domainname; rlimits; oomScoreAdj; noNewPrivileges; ambient capabilities" {
    change '.process.user = {uid: 1000, gid: 1000, umask: 63, additionalGids: [7, 4242]} | .domainname = "example.org"
            | .process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 4096}] | .process.oomScoreAdj = 500 | .process.noNewPrivileges = true
            | .process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL"], permitted: ["CAP_KILL"], inheritable: ["CAP_KILL"], effective: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
    script 'umask; id -u; id -G; cat /proc/sys/kernel/domainname; grep "core file" /proc/self/limits; cat /proc/self/oom_score_adj; grep -E "NoNewPrivs|Cap" /proc/self/status'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_line 0077
    expect_line 1000
    expect_line "1000 7 4242"
    expect_line example.org
    expect_match 'Max core file size +0 +4096'
    expect_line 500
    expect_match 'NoNewPrivs:.1$'
    for set in Inh Prm Eff Amb; do
        expect_match "Cap$set:.0000000000000020"
    done
    expect_match "CapBnd:.0000000000000021"
}

# --- network devices ------------------------------------------------------------------------------------------------------------

# in_net SCRIPT: in a network namespace of the test with the veth pair hv0, hv1, whose first end has addresses of every kind.
in_net() {
    need_program ip
    unshare -n bash -euc "
        ip link add hv0 type veth peer name hv1
        ip link set hv0 mtu 1400 address 02:00:00:00:00:07 up
        ip link set hv1 up
        ip addr add 10.9.0.2/24 dev hv0
        ip addr add 10.9.0.3/24 dev hv0
        ip -6 addr add fd00::2/64 dev hv0 nodad
        ip addr add 169.254.9.9/32 scope link dev hv0
        ip addr add 10.9.0.9/24 valid_lft 1000 preferred_lft 1000 dev hv0
        rt() { cloche-runtime --root '$WORLD/oci' \"\$@\"; }
        $1"
}

@test "linux.netDevices: the interface is inside, up, with name, MTU, MAC and its permanent global addresses, and gone from the host" {
    change '.linux.netDevices = {hv0: {name: "eth0"}}'
    script 'ip addr show eth0'
    run in_net "rt run -b '$BUNDLE' box; ip link show hv0 2>&1 || true"
    expect_status 0
    expect_match 'eth0@.*UP.* mtu 1400'
    expect_text "link/ether 02:00:00:00:00:07"
    expect_text "inet 10.9.0.2/24 scope global eth0"
    expect_text "inet 10.9.0.3/24 scope global secondary eth0"
    expect_text "inet6 fd00::2/64 scope global"
    refute_text 169.254.9.9
    refute_text 10.9.0.9
    expect_text 'Device "hv0" does not exist'
}

@test "linux.netDevices: the same name without one, and a pattern takes a free one" {
    change '.linux.netDevices = {hv0: {}, hv1: {name: "net%d"}}'
    script 'ip -o link | busybox cut -d: -f2 | busybox cut -d@ -f1'
    run in_net "rt run -b '$BUNDLE' box"
    expect_status 0
    expect_line " hv0"
    expect_line " net0"
}

@test "linux.netDevices: into a namespace that is joined" {
    change --arg ns "$WORLD/net" '.linux.netDevices = {hv0: {name: "eth0"}} | (.linux.namespaces[] | select(.type == "network")).path = $ns'
    script 'ip -o link show eth0'
    touch "$WORLD/net"
    run unshare -m --propagation private bash -euc "
        unshare --net='$WORLD/net' true
        unshare -n bash -euc \"ip link add hv0 type veth peer name hv1; cloche-runtime --root '$WORLD/oci' run -b '$BUNDLE' box; ! ip link show hv0 2>/dev/null\""
    expect_status 0
    expect_match "eth0@"
    rm -f "$WORLD/net"
}

@test "linux.netDevices: after any failure the devices are back as they were" {
    change '.linux.netDevices = {hv0: {name: "eth0"}, hv1: {name: "eth1"}} | .mounts += [{destination: "/x", type: "nofs", source: "x"}]'
    run in_net "rt run -b '$BUNDLE' box 2>&1 || true; ip addr show hv0; ip addr show hv1; ip -o link | wc -l"
    expect_text "mount nofs at /x"
    expect_match 'hv0@hv1.*UP.* mtu 1400'
    expect_text "link/ether 02:00:00:00:00:07"
    expect_text "inet 10.9.0.2/24 scope global hv0"
    expect_text "inet6 fd00::2/64 scope global"
    expect_text "inet 169.254.9.9/32 scope link hv0"
    expect_match 'hv1@hv0.*UP'
    expect_line 3
    # Only at the very end: the program is missing.
    change '.mounts |= map(select(.type != "nofs")) | .process.args = ["missing"]'
    run in_net "rt run -b '$BUNDLE' box 2>&1 || true; ip addr show hv0; ip -o link | wc -l"
    expect_text "missing"
    expect_text "inet 10.9.0.2/24 scope global hv0"
    expect_line 3
    # The second can't: the first has moved already.
    change '.mounts |= map(select(.type != "nofs")) | .linux.netDevices = {hv0: {name: "eth0"}, hv1: {name: "eth%x"}}'
    run in_net "rt run -b '$BUNDLE' box 2>&1 || true; ip -o link show hv0; ip -o link show hv1; ip -o link | wc -l"
    expect_text 'linux.netDevices["hv1"]: name it eth%x: Invalid argument'
    expect_match 'hv0@hv1'
    expect_line 3
}

@test "linux.netDevices: no such device, loopback, a name that is taken, twice the same, no namespace: refused by name" {
    local row
    for row in '{hv9: {}}|linux.netDevices["hv9"]: there is no such interface' \
        '{lo: {name: "lo1"}}|linux.netDevices["lo"]: a loopback interface stays in its namespace' \
        '{hv0: {name: "lo"}}|linux.netDevices["hv0"]: the container'"'"'s network namespace has a lo' \
        '{hv0: {name: "x"}, hv1: {name: "x"}}|another device gets the same name' \
        '{hv0: {name: "a/b"}}|linux.netDevices["hv0"]: not a name that a network interface can have' \
        '{hv0: {name: "sixteen-letters-"}}|linux.netDevices["hv0"]: not a name that a network interface can have'; do
        change ".linux.netDevices = ${row%%|*}"
        run in_net "rt run -b '$BUNDLE' box; ip -o link | wc -l"
        expect_text "${row#*|}"
    done
    change '.linux.namespaces |= map(select(.type != "network")) | .linux.netDevices = {hv0: {}}'
    run in_net "rt run -b '$BUNDLE' box"
    expect_text "linux.netDevices: needs a network namespace in linux.namespaces"
    change '.linux.namespaces += [{type: "network", path: "/proc/self/ns/net"}]'
    run in_net "rt run -b '$BUNDLE' box"
    expect_text "linux.netDevices: the container's network namespace is the one that we are in"
}

# --- Intel RDT ------------------------------------------------------------------------------------------------------------------

@test "linux.intelRdt: where no resctrl is mounted, an error that names it, and nothing made" {
    ! grep -q " - resctrl " /proc/self/mountinfo || skip "a resctrl file system is mounted here"
    change '.linux.intelRdt = {closID: "gold", schemata: ["L3:0=f"], enableMonitoring: true}'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text "linux.intelRdt: no resctrl file system is mounted"
    [ -z "$(ls "$WORLD/oci")" ]
    [ -z "$(world_leftovers)" ]
}

@test "plan: network devices, id maps and resctrl groups are among its steps" {
    change '.linux.netDevices = {hv0: {name: "eth0"}} | .linux.intelRdt = {closID: "gold"} | .mounts += [{destination: "/mnt", source: "/tmp", options: ["bind", "idmap=uids=0-1-1;gids=0-1-1"]}, {destination: "/mnt", options: ["remount", "bind", "ro"]}]'
    run rt plan -b "$BUNDLE"
    expect_status 0
    expect_line "parent  move network device hv0 in as eth0"
    expect_line "parent  make or check the resctrl group gold"
    expect_line "parent  open bind source /tmp and id-map it"
    expect_line "init  change the mount at /mnt (remount,bind,ro)"
}

# --- features -------------------------------------------------------------------------------------------------------------------

@test "features: every mount option is one that a mount takes, and what the properties here can be" {
    run cloche-runtime features
    expect_status 0
    local features=$output
    [ "$(jq -c '.mountOptions | map(select(. == "idmap" or . == "ridmap" or . == "tmpcopyup" or . == "remount" or . == "copy-symlink" or . == "rro"))' <<<"$features")" = \
        '["copy-symlink","idmap","remount","ridmap","rro","tmpcopyup"]' ]
    [ "$(jq -c .linux.mountExtensions <<<"$features")" = '{"idmap":{"enabled":true}}' ]
    [ "$(jq -c '.linux.memoryPolicy.modes | length' <<<"$features")" = 7 ]
    [ "$(jq -c '.linux.memoryPolicy.flags' <<<"$features")" = '["MPOL_F_NUMA_BALANCING","MPOL_F_RELATIVE_NODES","MPOL_F_STATIC_NODES"]' ]
    [ "$(jq -c '[.linux.netDevices, .linux.intelRdt]' <<<"$features")" = '[{"enabled":true},{"enabled":true,"schemata":true,"monitoring":true}]' ]
}

@test "hostname and domainname: empty is as if they were not there" {
    change '.hostname = "" | .domainname = ""'
    script 'hostname'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_output "$(hostname)"
    change '.linux.namespaces |= map(select(.type != "uts"))'
    run rt run -b "$BUNDLE" box
    expect_output "$(hostname)"
}

@test "seccomp: a filter under which no program can be started is refused, and says which call it lacks" {
    local action privileges
    for action in KILL_PROCESS KILL_THREAD TRAP ERRNO; do
        for privileges in true false; do
            change --arg action "SCMP_ACT_$action" --argjson privileges "$privileges" \
                '.linux.seccomp = { defaultAction: $action } | .process.noNewPrivileges = $privileges | .process.args = ["true"]'
            run rt run -b "$BUNDLE" box
            expect_status 1
            expect_match '^cloche-runtime: linux.seccomp: the filter .*forbids (execve|prctl|capset), .*\(step "(execute|set capabilities)"\)$'
        done
    done
    [ -z "$(rt list -q)" ]
    # Of a process that comes later likewise; what is forbidden aloud is the step's own error.
    change '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["execve"], action: "SCMP_ACT_ERRNO" }] }'
    run rt run -b "$BUNDLE" box
    expect_status 126
    expect_match '^cloche-runtime: exec: "true": .peration not permitted$'
}

@test "seccomp: a profile that allows execve and not execveat, also one that kills for it" {
    local action privileges
    script 'readlink /proc/self/fd/* | grep -c -e memfd -e socket; exec sleep 1000'
    for action in ERRNO KILL_PROCESS; do
        for privileges in true false; do
            change --arg action "SCMP_ACT_$action" --argjson privileges "$privileges" '.process.noNewPrivileges = $privileges |
                .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["execveat"], action: $action }] }'
            rt run -d -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1
            wait_until grep -qxE "[0-9]+" "$WORLD/out"
            wait_until grep -qx 0 "$WORLD/out"
            # Others may be in there now, and cover what leads to ours.
            run rt exec box true
            expect_status 126
            expect_match '^cloche-runtime: exec: "true": Operation not permitted; the seccomp profile has to allow execveat: .*CVE-2019-5736'
            rt delete -f box
        done
    done
    change '.process.user = { uid: 1000, gid: 1000 } | .process.args = ["id", "-u"]'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_output 1000
    change '.mounts |= map(select(.destination != "/proc")) | del(.linux.maskedPaths, .linux.readonlyPaths)'
    run rt run -b "$BUNDLE" box
    expect_status 126
    expect_text 'as there is no /proc in the container'
}

@test "CVE-2019-5736: a /proc of the image's own is not executed in place of ours" {
    mkdir -p "$BUNDLE/rootfs/proc/self/fd"
    local number
    for number in {3..40}; do
        printf '#!/bin/sh\necho taken\n' >"$BUNDLE/rootfs/proc/self/fd/$number"
        chmod 755 "$BUNDLE/rootfs/proc/self/fd/$number"
    done
    change '.process.args = ["true"] | .mounts |= map(select(.destination != "/proc")) | del(.linux.maskedPaths, .linux.readonlyPaths) |
        .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["execveat"], action: "SCMP_ACT_ERRNO" }] }'
    run rt run -b "$BUNDLE" box
    rm -rf "$BUNDLE/rootfs/proc/self"
    expect_status 126
    refute_text taken
}

@test "seccomp: where fcntl is forbidden our descriptors are closed all the same, and start does not wait for the program's end" {
    script 'ls /proc/self/fd | wc -l; readlink /proc/self/fd/* | grep -c socket; exec sleep 1000'
    change '.process.noNewPrivileges = true'
    rt run -d -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1
    wait_until grep -qx 0 "$WORLD/out"
    cp "$WORLD/out" "$WORLD/expected"
    rt delete -f box
    change '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["fcntl"], action: "SCMP_ACT_ERRNO" }] }'
    timeout "$PATIENCE" cloche-runtime --root "$WORLD/oci" run -d -b "$BUNDLE" box </dev/null >"$WORLD/out" 2>&1
    wait_until grep -qx 0 "$WORLD/out"
    cmp "$WORLD/out" "$WORLD/expected"
}

@test "seccomp: after the filter nothing of ours is called but what gives up capabilities and executes" {
    local privileges uid
    # Each ends who calls it; of ours are left prctl, capset (without no_new_privs), fcntl, execveat and execve.
    change '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ action: "SCMP_ACT_KILL_PROCESS",
        names: ["recvfrom", "recvmsg", "stat", "newfstatat", "setgroups", "setresuid", "setresgid", "capget", "openat2", "sendmsg", "close_range", "memfd_create", "umask"] }] }
        | .process.args = ["true"]'
    for privileges in true false; do
        for uid in 0 1000; do
            change ".process.noNewPrivileges = $privileges | .process.user = { uid: $uid, gid: $uid, additionalGids: [5] }"
            [ "$uid" = 0 ] || change '.linux.seccomp.syscalls[0].names -= ["newfstatat"]' # which busybox calls itself then
            run rt run -b "$BUNDLE" box
            [ "$status" = 0 ] || { echo "no_new_privs $privileges, user $uid: $status $output" >&2; return 1; }
        done
    done
    # And exec's process likewise, with the ids, groups and capabilities that it is to have.
    change '.process.args = ["sleep", "1000"] | .process.noNewPrivileges = false'
    rt run -d -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    rt exec box true
    rt exec -u 2000 box true
    run rt exec box grep -E '^(Uid|Groups|CapPrm|CapEff|CapAmb|Seccomp):' /proc/self/status
    expect_match 'Uid:	1000	1000	1000	1000'
    expect_match 'Groups:	5'
    expect_line $'CapPrm:\t0000000000000000'
    expect_line $'CapEff:\t0000000000000000'
    expect_match 'Seccomp:	2'
}
