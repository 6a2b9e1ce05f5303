#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime: hooks (runtime-spec config.md "POSIX-platform Hooks", runtime.md "Lifecycle").
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

setup_file() {
    runtime_setup_file
    [ -d "$BUNDLE" ] || return 0
    # hook NAME: one line for its call, and files with what it was given.
    cat >"$WORLD/hook" <<'END'
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
dir=${0%/*}
cat >"$dir/stdin-$1"
echo "$1" >>"$dir/calls"
shift
[ $# -eq 0 ] || eval "$*"
END
    cp "$WORLD/hook" "$BUNDLE/rootfs/hook"
    sed -i -e '1s,.*,#!/bin/sh,' -e 's,^dir=.*,dir=/tmp,' "$BUNDLE/rootfs/hook"
    chmod 755 "$WORLD/hook" "$BUNDLE/rootfs/hook"
}

setup() {
    runtime_setup
    rm -rf "$WORLD"/calls "$WORLD"/stdin-* "$WORLD"/got
    script true
}

# hook KIND NAME [SHELL TEXT]: one more of that kind.
hook() {
    local path=$WORLD/hook
    [ "$1" != startContainer ] || path=/hook
    change --arg kind "$1" --arg path "$path" --arg name "$2" --arg text "${3:-:}" \
        '.hooks[$kind] += [{ path: $path, args: ["hook", $name, $text] }]'
}

calls() {
    paste -sd ' ' "$WORLD/calls"
}

nothing_is_left() {
    [ -z "$(ls "$WORLD/oci")" ]
}

# lacks FILE TEXT
lacks() {
    [ "$(grep -ac -- "$2" "$1")" -eq 0 ]
}

is_gone() {
    ! grep -v '^[0-9]* (.*) Z' "/proc/$1/stat" 2>/dev/null
}

# --- order and state ------------------------------------------------------------------------------------------------------------

@test "all six kinds, in order, each with the state that its moment has" {
    change '.annotations = { "some.key": "some value" }'
    for kind in poststop poststart createContainer createRuntime prestart; do
        hook "$kind" "$kind-0"
        hook "$kind" "$kind-1"
    done
    hook startContainer startContainer-0
    rt create -b "$BUNDLE" --pid-file "$WORLD/pid" box
    [ "$(calls)" = "prestart-0 prestart-1 createRuntime-0 createRuntime-1 createContainer-0 createContainer-1" ]
    [ ! -e "$BUNDLE/rootfs/tmp/calls" ]
    rt start box
    [ "$(cat "$BUNDLE/rootfs/tmp/calls")" = startContainer-0 ]
    wait_until has_status box stopped
    rt delete box
    [ "$(tail -n +7 "$WORLD/calls" | paste -sd ' ')" = "poststart-0 poststart-1 poststop-0 poststop-1" ]
    local pid expected="\"id\":\"box\",\"bundle\":\"$BUNDLE\",\"annotations\":{\"some.key\":\"some value\"}"
    pid=$(cat "$WORLD/pid")
    state() { jq -c '[.status, .pid]' "$1"; }
    [ "$(state "$WORLD/stdin-prestart-1")" = "[\"creating\",$pid]" ]
    [ "$(state "$WORLD/stdin-createRuntime-0")" = "[\"creating\",$pid]" ]
    [ "$(state "$WORLD/stdin-createContainer-0")" = '["creating",1]' ]
    [ "$(state "$BUNDLE/rootfs/tmp/stdin-startContainer-0")" = '["created",1]' ]
    [ "$(state "$WORLD/stdin-poststart-0")" = "[\"running\",$pid]" ]
    [ "$(state "$WORLD/stdin-poststop-0")" = '["stopped",null]' ]
    for file in "$WORLD"/stdin-* "$BUNDLE/rootfs/tmp/stdin-startContainer-0"; do
        [ "$(jq -c '[.id, .bundle, .annotations, (.ociVersion | startswith("1."))]' "$file")" = \
            "[\"box\",\"$BUNDLE\",{\"some.key\":\"some value\"},true]" ]
    done
    nothing_is_left
}

@test "run: all of them in one command; poststop after the program's end" {
    script 'cat /tmp/calls; exit 7'
    for kind in prestart createRuntime createContainer startContainer poststart poststop; do hook "$kind" "$kind"; done
    run rt run -b "$BUNDLE" box
    expect_status 7
    expect_output startContainer
    [ "$(calls)" = "prestart createRuntime createContainer poststart poststop" ]
    nothing_is_left
}

@test "run --keep: poststop waits for delete" {
    hook poststop poststop
    rt run --keep -b "$BUNDLE" box
    [ ! -e "$WORLD/calls" ]
    rt delete box
    [ "$(calls)" = poststop ]
}

@test "what is changed in the bundle after create changes no hook" {
    hook poststart before
    rt create -b "$BUNDLE" box
    change 'del(.hooks)'
    hook poststart after
    rt start box
    [ "$(calls)" = before ]
}

@test "an annotation longer than a pipe reaches a hook that reads it, and stops none that does not" {
    jq '.annotations.long = ("x" * 300000)' "$BUNDLE/config.json" >"$BUNDLE/new.json"
    mv "$BUNDLE/new.json" "$BUNDLE/config.json"
    change '.hooks.prestart = [{ path: "/bin/true" }]'
    hook createRuntime reader
    rt run -b "$BUNDLE" box
    [ "$(jq -r '.annotations.long | length' "$WORLD/stdin-reader")" = 300000 ]
}

# --- where and as whom ----------------------------------------------------------------------------------------------------------

@test "prestart, createRuntime, poststart and poststop run in our namespaces, createContainer and startContainer in the container's" {
    local kind name namespaces='for n in cgroup ipc mnt net pid time uts; do readlink /proc/self/ns/$n; done'
    script 'for n in cgroup ipc mnt net pid time uts; do readlink /proc/self/ns/$n; done >/tmp/got-program'
    for kind in prestart createRuntime createContainer poststart poststop; do
        hook "$kind" "$kind" "$namespaces >$WORLD/got-$kind"
    done
    hook startContainer startContainer "$namespaces >/tmp/got"
    rt run -b "$BUNDLE" box
    for name in cgroup ipc mnt net pid time uts; do readlink /proc/self/ns/$name; done >"$WORLD/got"
    for kind in prestart createRuntime poststart poststop; do cmp "$WORLD/got" "$WORLD/got-$kind"; done
    cmp "$BUNDLE/rootfs/tmp/got-program" "$BUNDLE/rootfs/tmp/got"
    cmp "$BUNDLE/rootfs/tmp/got-program" "$WORLD/got-createContainer"
    rm -f "$WORLD"/got-*
}

@test "createContainer: the container's namespaces, the host's tree, and nothing of ours over /proc" {
    hook createContainer inside "hostname from-the-hook; ls -d /proc/1 /proc/sys/kernel/hostname; test -d $WORLD/oci && echo tree; ls /sys/class/net; echo \$\$"
    change '.annotations["run.oci.hooks.stdout"] = $file | del(.hostname)' --arg file "$WORLD/got"
    script 'hostname 2>/dev/null || cat /proc/sys/kernel/hostname'
    local before
    before=$(hostname)
    run rt run -b "$BUNDLE" box
    expect_output from-the-hook
    [ "$(hostname)" = "$before" ]
    grep -qx /proc/1 "$WORLD/got"
    grep -qx /proc/sys/kernel/hostname "$WORLD/got"
    grep -qx tree "$WORLD/got"
    [ "$(tail -n 1 "$WORLD/got")" = 2 ]
}

@test "what a hook mounts into the root file system by entering the mount namespace is seen in the container" {
    need_program nsenter
    mkdir -p "$WORLD/data"
    echo mounted >"$WORLD/data/file"
    script 'cat /mnt/file'
    hook createRuntime mounter "pid=\$(jq .pid <$WORLD/stdin-mounter); nsenter --mount=/proc/\$pid/ns/mnt mount --bind $WORLD/data $BUNDLE/rootfs/mnt"
    run rt run -b "$BUNDLE" box
    expect_output mounted
    [ ! -e "$BUNDLE/rootfs/mnt/file" ]
    change '.hooks = {}'
    hook createContainer mounter "mount --bind $WORLD/data $BUNDLE/rootfs/mnt"
    run rt run -b "$BUNDLE" box
    expect_output mounted
    [ ! -e "$BUNDLE/rootfs/mnt/file" ]
}

@test "with hooks, too: masked paths are masked, the root is the container's, and the host's tree is out of reach" {
    hook createContainer any
    hook prestart any
    change '.root.readonly = true'
    script 'wc -c </proc/keys; ls /.. | grep -x root; touch /file || echo read-only; busybox awk "\$5 == \"/\"" /proc/self/mountinfo | wc -l; busybox awk "{ print \$5 }" /proc/self/mountinfo | grep cloche-test'
    run rt run -b "$BUNDLE" box
    expect_line 0
    expect_line read-only
    expect_line 1
    [ "${#lines[@]}" -eq 4 ] # with the reason of read-only
}

@test "a root path that is a link: hooks find the mount by it all the same" {
    need_program nsenter
    ln -sfn "$BUNDLE/rootfs" "$BUNDLE/link"
    change '.root.path = "link"'
    script 'ls /mnt'
    hook createContainer mounter "mount -t tmpfs none $BUNDLE/link/mnt; touch $BUNDLE/link/mnt/seen"
    run rt run -b "$BUNDLE" box
    expect_output seen
    rm "$BUNDLE/link"
}

@test "startContainer: the program's user, capabilities, limits and filter; before it" {
    script 'cat /tmp/got; id -u; grep -h -e CapEff -e CapBnd -e NoNewPrivs -e Seccomp: /proc/self/status'
    change '.process.user = { uid: 1000, gid: 1000 } | .process.noNewPrivileges = true |
        .process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 111, hard: 111 }] |
        .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["chroot"], action: "SCMP_ACT_ERRNO" }] }'
    hook startContainer first 'exec >/tmp/got; id -u; grep -h -e CapEff -e CapBnd -e NoNewPrivs -e Seccomp: /proc/self/status; ulimit -n >&2'
    run rt run -b "$BUNDLE" box
    expect_status 0
    local count=${#lines[@]} half
    half=$(((count - 1) / 2))
    [ "${lines[0]}" = 111 ]
    for ((i = 1; i <= half; i++)); do [ "${lines[i]}" = "${lines[i + half]}" ]; done
    [ "$half" -eq 5 ]
}

@test "CVE-2019-5736: a startContainer hook that is /proc/self/exe gets nothing of ours executed, and /proc/1/exe is no file of the host" {
    change '.hooks.startContainer = [{ path: "/proc/self/exe", args: ["x", "run"] }]'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text "hooks.startContainer[0]: /proc/self/exe: exit status 126"
    change '.hooks = {}'
    hook startContainer look 'readlink /proc/1/exe'
    change '.process.capabilities.bounding += ["CAP_SYS_PTRACE"] | .process.capabilities.effective += ["CAP_SYS_PTRACE"] | .process.capabilities.permitted += ["CAP_SYS_PTRACE"]'
    run rt run -b "$BUNDLE" box
    refute_text "$CLOCHE_BUILD"
    nothing_is_left
}

# --- what they are given --------------------------------------------------------------------------------------------------------

@test "the environment is the spec's, and empty where it has none; without args the path is argv[0]" {
    printf '#!/bin/sh\nexec >>%s\ntr "\\0" "\\n" </proc/self/environ; tr "\\0" " " </proc/$$/cmdline; echo\n' "$WORLD/got" >"$WORLD/tell"
    printf '#!/bin/sh\nexec >>/tmp/got\ncat /proc/$$/environ; echo; echo "$0"\n' >"$BUNDLE/rootfs/tell"
    chmod 755 "$WORLD/tell" "$BUNDLE/rootfs/tell"
    export SOME_SECRET=leaks
    change --arg path "$WORLD/tell" '.hooks.prestart = [{ path: $path }, { path: $path, args: ["name", "a b"], env: ["A=1", "B=2"] }] |
        .hooks.startContainer = [{ path: "/tell" }, { path: "/tell", args: ["name"], env: ["C=3"] }]'
    rt run -b "$BUNDLE" box
    # bash and busybox's sh set PWD and the like for their children: what the kernel handed over is the first shell's own.
    [ "$(grep -c . "$WORLD/got")" -ge 2 ]
    lacks "$WORLD/got" SOME_SECRET
    grep -q "/bin/sh $WORLD/tell \$" "$WORLD/got"
    grep -q "/bin/sh $WORLD/tell a b \$" "$WORLD/got"
    lacks "$BUNDLE/rootfs/tmp/got" SOME_SECRET
    lacks "$BUNDLE/rootfs/tmp/got" PATH=
    tr '\0' '\n' <"$BUNDLE/rootfs/tmp/got" | grep -qx C=3
    grep -aqx /tell "$BUNDLE/rootfs/tmp/got"
}

@test "no descriptor of ours, the bundle as working directory, and our own output" {
    for kind in prestart createContainer poststart poststop; do
        hook "$kind" "$kind" 'echo open: $(ls /proc/self/fd); pwd; echo to-stderr >&2'
    done
    hook startContainer startContainer 'echo open: $(ls /proc/self/fd); pwd'
    exec 7</dev/null
    run rt run -b "$BUNDLE" --preserve-fds 5 box 3</dev/null 4</dev/null 5</dev/null 6</dev/null
    exec 7<&-
    expect_status 0
    [ "$(grep -cx "open: 0 1 2 3" <<<"$output")" -eq 5 ] # the last one is that of ls
    [ "$(grep -cx "$BUNDLE" <<<"$output")" -eq 4 ]
    [ "$(grep -cx to-stderr <<<"$output")" -eq 4 ]
    expect_line /
}

@test "run.oci.hooks.stdout and .stderr: the output of all hooks is appended to those files" {
    echo before >"$WORLD/got"
    change --arg out "$WORLD/got" --arg err "$WORLD/got-err" '.annotations = { "run.oci.hooks.stdout": $out, "run.oci.hooks.stderr": $err }'
    for kind in prestart createRuntime createContainer startContainer poststart poststop; do
        hook "$kind" "$kind" "echo out-$kind; echo err-$kind >&2"
    done
    run rt run -b "$BUNDLE" box
    expect_output ""
    [ "$(paste -sd ' ' "$WORLD/got")" = "before out-prestart out-createRuntime out-createContainer out-startContainer out-poststart out-poststop" ]
    [ "$(paste -sd ' ' "$WORLD/got-err")" = "err-prestart err-createRuntime err-createContainer err-startContainer err-poststart err-poststop" ]
    rm -f "$WORLD/got-err"
    change '.annotations["run.oci.hooks.stdout"] = "/missing/dir/file"'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text 'annotations["run.oci.hooks.stdout"]: open /missing/dir/file'
    nothing_is_left
}

# --- failures -------------------------------------------------------------------------------------------------------------------

@test "a hook of create that fails: create's error, the later ones are not run, everything is undone, poststop is run" {
    local kind
    for kind in prestart createRuntime createContainer; do
        rm -f "$WORLD/calls"
        change 'del(.hooks)'
        hook "$kind" first
        hook "$kind" second 'exit 3'
        hook "$kind" third
        hook startContainer never
        hook poststart never
        hook poststop poststop
        run rt create -b "$BUNDLE" box
        expect_status 1
        expect_text "hooks.${kind}[1]: $WORLD/hook: exit status 3"
        [ "$(calls)" = "first second poststop" ]
        nothing_is_left
        [ -z "$(world_leftovers | grep -v "$BATS_TEST_TMPDIR")" ]
    done
}

@test "a startContainer hook that fails: start's error, and the container is gone, poststop is run" {
    script 'touch /tmp/ran'
    hook startContainer first 'exit 4'
    hook startContainer second
    hook poststop poststop
    rt create -b "$BUNDLE" box
    run rt start box
    expect_status 1
    expect_text "hooks.startContainer[0]: /hook: exit status 4"
    [ "$(cat "$BUNDLE/rootfs/tmp/calls")" = first ]
    [ ! -e "$BUNDLE/rootfs/tmp/ran" ]
    [ "$(calls)" = poststop ]
    nothing_is_left
    rm -f "$WORLD/calls"
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text "hooks.startContainer[0]: /hook: exit status 4"
    [ "$(calls)" = poststop ]
    nothing_is_left
}

@test "killed while a startContainer hook runs: start's error says that the program was not executed" {
    script 'touch /tmp/ran'
    hook startContainer slow 'echo >/tmp/hooked; exec sleep 1000'
    hook poststart never
    rt create -b "$BUNDLE" --pid-file "$WORLD/pid" box
    cloche-runtime --root "$WORLD/oci" start box 2>"$WORLD/got" &
    local starter=$! code=0
    wait_until test -s "$BUNDLE/rootfs/tmp/hooked"
    kill -KILL "$(cat "$WORLD/pid")"
    wait "$starter" || code=$?
    [ "$code" = 1 ]
    grep -q 'ended while its startContainer hooks ran: the program was not executed' "$WORLD/got"
    [ ! -e "$BUNDLE/rootfs/tmp/ran" ]
    [ ! -e "$WORLD/calls" ]
    has_status box stopped
    rt delete box
    # And run, which is its parent and knows what ended it.
    rm "$BUNDLE/rootfs/tmp/hooked"
    code=0
    cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" --pid-file "$WORLD/pid" box 2>"$WORLD/got" &
    starter=$!
    wait_until test -s "$BUNDLE/rootfs/tmp/hooked"
    kill -KILL "$(cat "$WORLD/pid")"
    wait "$starter" || code=$?
    [ "$code" = 1 ]
    grep -q 'killed by signal 9 while its startContainer hooks ran: the program was not executed' "$WORLD/got"
    nothing_is_left
}

@test "a startContainer hook, then a program that ends at once, also where the filter forbids to tell of it" {
    hook startContainer quick
    for _ in 1 2 3; do
        rt run -b "$BUNDLE" box
        rt create -b "$BUNDLE" box
        rt start box
        rt delete -f box
    done
    change '.process.noNewPrivileges = true | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["sendto"], action: "SCMP_ACT_KILL_PROCESS" }] }'
    rt run -b "$BUNDLE" box
}

@test "a poststart hook that fails: start's error, the program is ended, poststop is run" {
    script 'sleep 1000'
    hook poststart poststart 'kill -9 $$'
    hook poststop poststop
    rt create -b "$BUNDLE" box
    run rt start box
    expect_status 1
    expect_text "hooks.poststart[0]: $WORLD/hook: killed by signal 9"
    [ "$(calls)" = "poststart poststop" ]
    nothing_is_left
    run rt run -d -b "$BUNDLE" box
    expect_status 1
    expect_text "hooks.poststart[0]"
    nothing_is_left
}

@test "a poststop hook that fails is a warning, the next one is run, and the container is gone" {
    hook poststop first 'exit 5'
    hook poststop second
    rt create -b "$BUNDLE" box
    run rt --log "$WORLD/log" --log-format json delete box
    expect_status 0
    [ "$(calls)" = "first second" ]
    [ "$(jq -r 'select(.level == "warning").msg' "$WORLD/log")" = "hooks.poststop[0]: $WORLD/hook: exit status 5" ]
    rm "$WORLD/log"
    nothing_is_left
    rm -f "$WORLD/calls"
    script 'exit 7'
    run rt run -b "$BUNDLE" box
    expect_status 7
    expect_text "hooks.poststop[0]"
    [ "$(calls)" = "first second" ]
}

@test "a start that fails for another reason runs no hook of its end; delete does" {
    change '.process.args = ["/hook-data"]'
    echo data >"$BUNDLE/rootfs/hook-data" # no program, and only exec can tell
    chmod 755 "$BUNDLE/rootfs/hook-data"
    hook poststop poststop
    rt create -b "$BUNDLE" box
    run rt start box
    expect_status 1
    expect_text "exec format error"
    [ ! -e "$WORLD/calls" ]
    rt delete box
    [ "$(calls)" = poststop ]
}

@test "a hook that is missing or no program, and one with a wrong path or timeout" {
    change '.hooks.createRuntime = [{ path: "/bin/true" }, { path: "/missing/hook" }]'
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "hooks.createRuntime[1]: /missing/hook: execute it: No such file or directory"
    change '.hooks = { startContainer: [{ path: "/missing/hook" }] }'
    rt create -b "$BUNDLE" box
    run rt start box
    expect_status 1
    expect_text "hooks.startContainer[0]: /missing/hook: execute it: no such file or directory in the container, or the interpreter"
    nothing_is_left
    change '.hooks = { poststop: [{ path: "bin/true" }] }'
    run rt create -b "$BUNDLE" box
    expect_text "hooks.poststop[0].path"
    change '.hooks = { poststop: [{ path: "/bin/true", timeout: 0 }] }'
    run rt create -b "$BUNDLE" box
    expect_text "hooks.poststop[0].timeout"
    nothing_is_left
}

@test "a hook past its timeout is killed with all of its group" {
    local kind
    for kind in prestart createContainer; do
        change 'del(.hooks)'
        hook "$kind" slow "sleep 1000 & echo \$! >$WORLD/got; sleep 1000"
        change --arg kind "$kind" '.hooks[$kind][0].timeout = 1'
        run rt create -b "$BUNDLE" box
        expect_status 1
        expect_text "hooks.${kind}[0]: $WORLD/hook: still running after its timeout of 1 s: killed"
        nothing_is_left
    done
    change 'del(.hooks)'
    hook startContainer slow "sleep 1000 & sleep 1000"
    change '.hooks.startContainer[0].timeout = 1'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text "hooks.startContainer[0]: /hook: still running after its timeout of 1 s: killed"
    nothing_is_left
    change 'del(.hooks)'
    hook prestart slow "sleep 1000 & echo \$! >$WORLD/got; wait"
    change '.hooks.prestart[0].timeout = 1'
    rm -f "$WORLD/got"
    run rt create -b "$BUNDLE" box
    [ ! -s "$WORLD/got" ] || wait_until is_gone "$(cat "$WORLD/got")" # where a second is short it was killed before
    change '.hooks.prestart[0].timeout = 100 | .hooks.prestart[0].args[2] = ":"'
    rt run -b "$BUNDLE" box
}

@test "create killed while a hook runs: the hook ends, and delete cleans up, poststop included" {
    local kind pid
    for kind in prestart createContainer; do
        rm -f "$WORLD/calls"
        change 'del(.hooks)'
        # The number that the host knows it by: its /proc is the host's in any case.
        hook "$kind" slow "sh -c 'cut -d\" \" -f4 /proc/self/stat' >$WORLD/got; exec sleep 1000"
        hook poststop poststop
        cloche-runtime --root "$WORLD/oci" create -b "$BUNDLE" box &
        pid=$!
        wait_until test -s "$WORLD/got"
        kill -KILL "$pid"
        wait "$pid" || true
        wait_until is_gone "$(cat "$WORLD/got")"
        rm "$WORLD/got"
        wait_until has_status box stopped
        rt delete box
        [ "$(calls)" = "slow poststop" ]
        nothing_is_left
    done
}

# hang KIND [COMMAND]: create (or what is given) with such a hook that never ends, with a child, in the background as $MAKER; poststop is there, too.
hang() {
    rm -f "$WORLD"/calls "$WORLD"/got
    change 'del(.hooks)'
    hook "$1" slow "sh -c 'cut -d\" \" -f4 /proc/self/stat >$WORLD/got; exec sleep 1000' & sleep 1000"
    hook poststop poststop
    shift
    cloche-runtime --root "$WORLD/oci" "${@:-create}" -b "$BUNDLE" box >"$WORLD/made" 2>&1 &
    MAKER=$!
    wait_until test -s "$WORLD/got"
}

# The hook's child, which is in no group of the container's.
nobody_sleeps() {
    is_gone "$(cat "$WORLD/got")"
}

@test "create hangs in a hook: state and list answer, what can't be done says why, delete -f ends it with all of the hook's" {
    local kind verb code
    script 'sleep 1001'
    for kind in prestart createRuntime createContainer; do
        hang "$kind"
        has_status box creating
        [ "$(rt list -q)" = box ]
        [ "$(rt list -f json | jq -r '.[].status')" = creating ]
        for verb in 'start box' 'delete box' 'pause box' 'resume box' 'update --pids-limit 7 box'; do
            # shellcheck disable=SC2086 # words
            run timeout "$PATIENCE" cloche-runtime --root "$WORLD/oci" $verb
            expect_status 1
            expect_output 'cloche-runtime: container box is still being created; delete --force ends that'
        done
        for verb in 'kill box KILL' 'kill --all box KILL' 'events --stats box'; do
            # shellcheck disable=SC2086 # words
            run rt $verb
            expect_status 1
            expect_output 'cloche-runtime: container not running: box'
        done
        run rt exec box true
        expect_status 255
        expect_output 'cloche-runtime: container not running: box'
        has_status box creating
        timeout "$PATIENCE" cloche-runtime --root "$WORLD/oci" delete -f box
        nothing_is_left
        code=0
        wait "$MAKER" || code=$?
        [ "$code" = 1 ]
        grep -q "hooks.$kind.*, as a signal asked us to end" "$WORLD/made"
        wait_until nobody_sleeps
        [ "$(calls)" = "slow poststop" ]
    done
}

@test "create, run: a signal ends them while a hook hangs, nothing is left, poststop is run" {
    local kind code verb
    for kind in prestart createContainer; do
        for verb in create run 'run -d'; do
            # shellcheck disable=SC2086 # words
            hang "$kind" $verb
            kill -TERM "$MAKER"
            code=0
            wait "$MAKER" || code=$?
            [ "$code" = 1 ]
            grep -q "hooks.$kind.*, as a signal asked us to end" "$WORLD/made"
            nothing_is_left
            wait_until nobody_sleeps
            [ "$(calls)" = "slow poststop" ]
        done
    done
}

is_waited_for() {
    grep -q -- "-> FLOCK .*:$(stat -c %i "$1") " /proc/locks
}

@test "delete -f ends only who is proven to make the container: not whom a record names" {
    need_program flock
    rt create -b "$BUNDLE" box
    sleep 1000 &
    local other=$! holder deleter
    flock "$WORLD/oci/box" sh -c "echo >$WORLD/got; exec sleep 1000" &
    holder=$!
    wait_until test -s "$WORLD/got"
    jq -c --argjson pid "$other" '.pid = 0 | .maker = $pid' "$WORLD/oci/box/state.json" >"$WORLD/state.json"
    cat "$WORLD/state.json" >"$WORLD/oci/box/state.json"
    cloche-runtime --root "$WORLD/oci" delete -f box &
    deleter=$!
    wait_until is_waited_for "$WORLD/oci/box"
    kill -0 "$other"
    kill -0 "$holder"
    pkill -KILL -P "$holder" || true
    kill -KILL "$holder" 2>/dev/null || true
    wait "$holder" || true
    wait "$deleter"
    kill -0 "$other"
    kill -KILL "$other"
    wait "$other" || true
    nothing_is_left
}

@test "run: a signal that asks us to end ends a hook that hangs, and the container" {
    hook createRuntime slow 'exec sleep 1000'
    cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box 2>"$WORLD/got" &
    local pid=$! code=0
    wait_until grep -qx slow "$WORLD/calls"
    kill -TERM "$pid"
    wait "$pid" || code=$?
    [ "$code" -eq 1 ]
    grep -q "hooks.createRuntime\[0\]: .*: killed, as a signal asked us to end" "$WORLD/got"
    nothing_is_left
}

@test "hooks may ask for the state of their container, and poststart may pause it" {
    hook createRuntime asks "cloche-runtime --root $WORLD/oci state box | jq -r .status >$WORLD/got"
    hook poststart asks "cloche-runtime --root $WORLD/oci pause box && cloche-runtime --root $WORLD/oci state box | jq -r .status >>$WORLD/got"
    change --arg path "$PATH" '.hooks |= map_values(map(.args[2] = "PATH=" + $path + "; " + .args[2]))'
    script 'sleep 1000'
    rt create -b "$BUNDLE" box
    rt start box
    [ "$(paste -sd ' ' "$WORLD/got")" = "creating paused" ]
    rt delete -f box
}

# --- what our peers do ----------------------------------------------------------------------------------------------------------

@test "runc and crun call the same hooks in the same order" {
    local peer kind
    for kind in prestart createRuntime createContainer poststart poststop; do
        hook "$kind" "$kind-0"
        hook "$kind" "$kind-1"
    done
    hook startContainer startContainer
    change 'del(.linux.resources) | .linux.namespaces |= map(select(.type != "time")) | .ociVersion = "1.0.2"'
    rt run -b "$BUNDLE" box
    calls >"$WORLD/got"
    local found=0
    for peer in runc crun; do
        command -v "$peer" >/dev/null || continue
        found=$((found + 1))
        rm -f "$WORLD/calls"
        unshare -m --propagation private sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"' sh \
            "$peer" --root "$WORLD/peer" run -b "$BUNDLE" box </dev/null
        [ "$(calls)" = "$(cat "$WORLD/got")" ]
        rm -rf "$WORLD/peer"
    done
    [ "$found" -gt 0 ] || skip "neither runc nor crun is installed"
}
