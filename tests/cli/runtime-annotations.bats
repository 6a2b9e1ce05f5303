#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime: annotations that ask something of the runtime, crun's run.oci.* (docs/runtime-cli.md). Those of hooks and control groups are in runtime-hooks.bats,
# runtime-cgroups.bats and runtime-systemd.bats, of which each that is carried out has a test; here are the others.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

setup() {
    runtime_setup
    AGENT=
}

teardown() {
    [ -z "$AGENT" ] || kill "$AGENT" 2>/dev/null || true
    runtime_teardown
    rm -rf "$WORLD/agent"
}

annotate() {
    change --arg name "$1" --arg value "$2" '.annotations[$name] = $value'
}

# refused VALUE TEXT
refused() {
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text "$1"
    [ -z "$(rt list -q)" ]
}

@test "run.oci.keep_original_groups: the caller's supplementary groups stay, also in exec" {
    need_program setpriv
    script 'id -G; sleep 1000'
    annotate run.oci.keep_original_groups 1
    setpriv --groups 4321,0 cloche-runtime --root "$WORLD/oci" run -d -b "$BUNDLE" box >"$WORLD/ids" 2>&1
    wait_until test -s "$WORLD/ids"
    grep -qw 4321 "$WORLD/ids"
    setpriv --groups 1234,0 cloche-runtime --root "$WORLD/oci" exec box id -G | grep -qw 1234
}

@test "run.oci.keep_original_groups: 0 is off, as no annotation is" {
    need_program setpriv
    script 'id -G'
    annotate run.oci.keep_original_groups 0
    [ "$(setpriv --groups 4321,0 cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box)" = 0 ]
    change 'del(.annotations)'
    [ "$(setpriv --groups 4321,0 cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box)" = 0 ]
}

@test "run.oci.keep_original_groups: process.user.additionalGids has no effect then, which is said" {
    script 'id -G'
    annotate run.oci.keep_original_groups 1
    change '.process.user.additionalGids = [77]'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_text 'warning: process.user.additionalGids is without effect'
    [[ " ${lines[-1]} " != *" 77 "* ]]
}

@test "run.oci.timens_offset: the clocks of the time namespace" {
    [ -e /proc/self/ns/time ] || skip "this kernel has no time namespaces"
    change '.linux.namespaces |= (map(select(.type != "time")) + [{ type: "time" }])'
    annotate run.oci.timens_offset $'monotonic 777 5\nboottime 888 0\n'
    script 'cat /proc/self/timens_offsets'
    [ "$(rt run -b "$BUNDLE" box | tr -s ' ')" = "monotonic 777 5
boottime 888 0" ]
    change '.linux.timeOffsets = { monotonic: { secs: 1 } }'
    refused 'annotations["run.oci.timens_offset"]: linux.timeOffsets says it, too'
    change 'del(.linux.timeOffsets) | .linux.namespaces |= map(select(.type != "time"))'
    refused 'annotations["run.oci.timens_offset"]: needs a new time namespace'
}

@test "run.oci.pidfd_receiver: init's pidfd is sent there" {
    mkdir -p "$WORLD/agent"
    /usr/bin/python3 - "$WORLD/agent/socket" "$WORLD/agent/got" 3>&- <<'PYTHON' &
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1] + ".new")
server.listen(1)
os.rename(sys.argv[1] + ".new", sys.argv[1])  # who sees it may connect
_, controls, _, _ = server.accept()[0].recvmsg(100, socket.CMSG_SPACE(64))
fds = array.array("i")
fds.frombytes(controls[0][2])
with open(sys.argv[2] + ".new", "w") as file:
    file.write([line for line in open("/proc/self/fdinfo/%d" % fds[0]) if line.startswith("Pid:")][0].split()[1])
os.rename(sys.argv[2] + ".new", sys.argv[2])
PYTHON
    AGENT=$!
    wait_until test -S "$WORLD/agent/socket"
    annotate run.oci.pidfd_receiver "$WORLD/agent/socket"
    start_idle
    wait_until test -e "$WORLD/agent/got"
    [ "$(cat "$WORLD/agent/got")" = "$(rt state box | jq .pid)" ]
    rt delete -f box
    annotate run.oci.pidfd_receiver /missing
    refused 'annotations["run.oci.pidfd_receiver"]: connect to /missing'
    annotate run.oci.pidfd_receiver relative
    refused 'annotations["run.oci.pidfd_receiver"]: "relative" is no absolute path'
}

@test "run.oci.seccomp.receiver: an agent, where the spec names none" {
    [ "$(uname -m)" = x86_64 ] || skip "the numbers of system calls here are x86-64's"
    mkdir -p "$WORLD/agent"
    /usr/bin/python3 "$HELPER_DIR/seccomp-agent.py" "$WORLD/agent/socket" "$WORLD/agent" 83=17 2>"$WORLD/agent/log" 3>&- &
    AGENT=$!
    wait_until grep -q listening "$WORLD/agent/log"
    change '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }] }'
    script 'mkdir /tmp/new; sleep 1000'
    refused 'linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs it'
    annotate run.oci.seccomp.receiver /missing
    refused 'annotations["run.oci.seccomp.receiver"]: connect to /missing'
    annotate run.oci.seccomp.receiver "$WORLD/agent/socket"
    rt run -d -b "$BUNDLE" box >"$WORLD/out" 2>&1
    wait_until grep -q "can't create directory '/tmp/new': File exists" "$WORLD/out"
    run rt exec box mkdir /tmp/second
    expect_text "File exists"
}

@test "run.oci.seccomp_fail_unknown_syscall: a name that is none is an error, by its path" {
    change '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["chmod", "no_such_call"], action: "SCMP_ACT_ERRNO" }] }'
    script true
    rt run -b "$BUNDLE" box
    annotate run.oci.seccomp_fail_unknown_syscall 1
    refused 'linux.seccomp.syscalls[0].names[1]: no such system call is known: no_such_call'
    annotate run.oci.seccomp_fail_unknown_syscall 0
    rt run -b "$BUNDLE" box
}

@test "run.oci.mount_context_type: one of four words" {
    annotate run.oci.mount_context_type rootcontext
    script true
    rt run -b "$BUNDLE" box
    annotate run.oci.mount_context_type somecontext
    refused 'annotations["run.oci.mount_context_type"]: "somecontext" is none of context, fscontext, defcontext, rootcontext'
}

@test "what is not done is refused, with the reason and a way out" {
    local name
    for name in run.oci.seccomp.plugins run.oci.seccomp_bpf_data run.oci.systemd.force_cgroup_v1 run.oci.handler module.wasm.image/variant; do
        change 'del(.annotations)'
        annotate "$name" value
        refused "annotations[\"$name\"]: "
        expect_text ": "
    done
    # Taken by a handler only if it is WebAssembly.
    annotate module.wasm.image/variant compat-smart
    change 'del(.annotations["run.oci.handler"])'
    change '.annotations = { "module.wasm.image/variant": "compat-smart" }'
    script true
    rt run -b "$BUNDLE" box
}

@test "an annotation that no runtime knows is a warning in the log, and the container runs" {
    annotate run.oci.keep_orignal_groups 1
    annotate com.example.note 'anything'
    script 'echo done'
    run rt --log "$WORLD/log" run -b "$BUNDLE" box
    expect_status 0
    expect_line "done"
    [ "${#lines[@]}" -eq 1 ]
    [ "$(grep -c level=warning "$WORLD/log")" -eq 1 ]
    grep -q 'level=warning msg="annotations\[\\"run.oci.keep_orignal_groups\\"\]: unknown, and without effect"' "$WORLD/log"
    rm "$WORLD/log"
}

@test "features: potentiallyUnsafeConfigAnnotations are those that are carried out" {
    local name known
    known=$(rt features | jq -r '.potentiallyUnsafeConfigAnnotations[]')
    for name in run.oci.hooks.stdout run.oci.delegate-cgroup run.oci.keep_original_groups run.oci.pidfd_receiver org.systemd.property.; do
        grep -qxF "$name" <<<"$known"
    done
    [ "$(grep -cF -e plugins -e bpf -e wasm -e handler -e force <<<"$known")" -eq 0 ]
    for name in $known; do # docs and tests know each
        grep -qF "\`$name" "$HELPER_DIR/../../docs/runtime-cli.md"
        grep -qF "$name" "$HELPER_DIR"/runtime-*.bats
    done
}
