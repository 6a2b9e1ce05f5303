#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Mistakes that other OCI runtimes made, where the engine's own tests (cve.bats) can't show them. docs/SECURITY.md has the list.
# shellcheck disable=SC2016,SC2034,SC2154 # the dollars are jq's and the container's; read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

setup_file() {
    runtime_setup_file
    mkdir -p "$BUNDLE/rootfs"/{dev,sys}
}

setup() {
    runtime_setup
}

teardown() {
    rm -rf "$BUNDLE/rootfs/dev"
    mkdir "$BUNDLE/rootfs/dev"
    runtime_teardown
}

@test "CVE-2021-43784: what is longer than 64 KiB stays data" {
    # A path that ends in what would be a message of its own, right behind the place where 16 bits wrap.
    change '(.linux.namespaces[] | select(.type == "network")).path = ("/" + "x" * 65540 + "/proc/1/ns/net")'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text 'linux.namespaces['
    [ ${#output} -lt 1000 ]
    # And what may be long arrives whole: 300 mappings, 100 KiB of environment, arguments and mount options.
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    change '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [range(300) | {containerID: ., hostID: (100000 + .), size: 1}] | .linux.gidMappings = .linux.uidMappings
        | .process.env += ["LONG=" + "e" * 100000] | .process.args = ["sh", "-c", "wc -l </proc/self/uid_map; echo ${#LONG} ${#1} $2", "sh", "a" * 100000, "last"]'
    change "del(.linux.resources) | .linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/box\""
    ln -sf busybox "$BUNDLE/rootfs/bin/wc"
    run rt run -b "$BUNDLE" box
    expect_output $'300\n100000 100000 last'
}

@test "CVE-2026-88265: neither the host's /dev/null nor what the image has there is given to the container's user" {
    local owner
    owner=$(stat -c %u:%g:%a /dev/null)
    echo victim >"$WORLD/victim"
    chmod 600 "$WORLD/victim"
    change '.process.user = {uid: 1000, gid: 1000}'
    script 'stat -c %u:%g /dev/null'
    run rt run -b "$BUNDLE" box </dev/null
    expect_output 0:0
    [ "$(stat -c %u:%g:%a /dev/null)" = "$owner" ]
    # Without a mount on /dev, the image's own is what is there.
    change '.mounts |= map(select(.destination | startswith("/dev") | not)) | .process.args = ["true"]'
    for what in "ln -s $WORLD/victim" "ln -s ../../../../../../$WORLD/victim" "cp $WORLD/victim"; do
        rm -rf "$BUNDLE/rootfs/dev"
        mkdir "$BUNDLE/rootfs/dev"
        $what "$BUNDLE/rootfs/dev/null"
        run rt run -b "$BUNDLE" box </dev/null
        expect_status 1
        expect_text 'make device null'
        [ "$(stat -c %u:%g:%a "$WORLD/victim")" = 0:0:600 ]
        [ "$(stat -L -c %u:%a "$BUNDLE/rootfs/dev/null" 2>/dev/null || echo 0:600)" = 0:600 ]
    done
    [ "$(stat -c %u:%g:%a /dev/null)" = "$owner" ]
}

# Held at its execve by a seccomp agent, a process of `exec` is inside, and still the runtime: root of the container must not be able to look into it, as that could be
# traced, and its descriptors used.
@test "CVE-2016-9962: root in the container can't look into a process that has come in and not executed its program yet" {
    local agent status exec
    mkdir "$WORLD/agent"
    /usr/bin/python3 "$HELPER_DIR/seccomp-agent.py" "$WORLD/agent/socket" "$WORLD/agent" 2>"$WORLD/agent/log" 3>&- &
    agent=$!
    wait_until grep -q listening "$WORLD/agent/log"
    change --arg path "$WORLD/agent/socket" '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: $path,
        syscalls: [{ names: ["execve", "execveat"], action: "SCMP_ACT_NOTIFY" }] }'
    # With the shell's own commands alone, as every program would wait for the agent, too. The subshell is what can be looked into.
    mkfifo "$BUNDLE/rootfs/tmp/look" "$BUNDLE/rootfs/tmp/end"
    script '(read x </tmp/end) & echo >/tmp/ready; read x </tmp/look
        for p in /proc/[0-9]*; do { true <$p/environ; } 2>/dev/null && echo "open $p" || echo "closed $p"; done >/tmp/seen; echo >/tmp/done; read x </tmp/end'
    start_box
    mkfifo "$WORLD/agent/hold"
    : >"$WORLD/agent/calls"
    rt exec box true >"$WORLD/exec" 2>&1 &
    exec=$!
    wait_until test -s "$WORLD/agent/calls"
    echo >"$BUNDLE/rootfs/tmp/look"
    wait_until test -e "$BUNDLE/rootfs/tmp/done"
    cat "$BUNDLE/rootfs/tmp/seen"
    kill "$agent"
    status=0
    wait "$exec" || status=$?
    echo "exec ended with $status"
    rt delete -f box
    rm -r "$WORLD/agent"
    [ "$(grep -c '^open ' "$BUNDLE/rootfs/tmp/seen")" = 2 ]
    [ "$(grep -c '^closed ' "$BUNDLE/rootfs/tmp/seen")" = 1 ]
}

# With a /dev that is bound nobody makes devices there, so what is called null in it is the image's.
@test "CVE-2025-31133: what is masked is hidden by a device of ours, whatever /dev/null is" {
    local null
    mkdir -p "$BUNDLE/evil"
    for null in 'ln -s /proc/sys/kernel/core_pattern' "ln -s $WORLD/victim" 'cp /bin/busybox' 'mkfifo' 'mkdir'; do
        rm -rf "$BUNDLE/evil/null"
        $null "$BUNDLE/evil/null"
        cp "$WORLD/default.json" "$BUNDLE/config.json"
        change --arg path "$BOX_PATH" '.linux.cgroupsPath = $path | .linux.maskedPaths = ["/proc/interrupts", "/proc/version"]
            | .mounts |= map(select(.destination | startswith("/dev") | not)) | .mounts += [{destination: "/dev", type: "bind", source: "evil", options: ["rbind"]}]'
        script 'stat -c "%F %t:%T" /proc/interrupts /proc/version; cat /proc/version 2>&1 | grep -c Linux'
        run rt run -b "$BUNDLE" box </dev/null
        expect_output $'character special file 1:3\ncharacter special file 1:3\n0'
    done
}

@test "CVE-2025-52565: nothing is made on the host where a link at /dev/console leads" {
    change '.process.terminal = true | .process.args = ["true"] | .mounts |= map(select(.destination != "/dev"))'
    for link in "$WORLD/made" "../../../../../../../../../..$WORLD/made"; do
        ln -sfn "$link" "$BUNDLE/rootfs/dev/console"
        run rt run -b "$BUNDLE" box </dev/null
        expect_status 1
        expect_text '/dev/console'
        [ ! -e "$WORLD/made" ]
        [ ! -e "$BUNDLE/rootfs/$WORLD/made" ]
    done
}

@test "CVE-2025-24965: files that configure krun lead nowhere: its annotation is refused, and without it they are files" {
    echo untouched | tee "$WORLD/krun" >"$BUNDLE/rootfs/krun-sev.json"
    ln -sf "$WORLD/krun" "$BUNDLE/rootfs/.krun_config.json"
    change '.annotations = {"run.oci.handler": "krun"}'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text 'annotations["run.oci.handler"]'
    change 'del(.annotations)'
    script 'readlink /.krun_config.json; cat /krun-sev.json'
    run rt run -b "$BUNDLE" box
    expect_output "$WORLD/krun"$'\nuntouched'
    [ "$(cat "$WORLD/krun" "$BUNDLE/rootfs/krun-sev.json")" = $'untouched\nuntouched' ]
    rm "$BUNDLE/rootfs/krun-sev.json" "$BUNDLE/rootfs/.krun_config.json"
}
