#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime: the verbs of an OCI runtime, on a bundle made of the machine's busybox.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

has_processes() {
    [ "$(rt ps -f json box | jq length)" -eq "$1" ]
}

# receive_console [TEXT]: take one terminal at $WORLD/console and type TEXT into it; what comes out of it is in $WORLD/out once $RECEIVER has ended.
receive_console() {
    rm -f "$WORLD/console" "$WORLD/listening"
    /usr/bin/python3 "$HELPER_DIR/console-receiver.py" "$WORLD/console" "$@" >"$WORLD/out" 2>"$WORLD/listening" &
    RECEIVER=$!
    wait_until grep -q listening "$WORLD/listening"
}

# --- a life ---------------------------------------------------------------------------------------------------------------------

@test "run: the program's output and exit code, and nothing is left" {
    script 'echo "pid $$"; exit 7'
    run rt run -b "$BUNDLE" box
    expect_status 7
    expect_output "pid 1"
    [ -z "$(rt list -q)" ]
    [ -z "$(ls "$WORLD/oci")" ]
}

@test "run: input reaches the program, its two streams stay apart" {
    script 'cat; echo error >&2'
    echo typed | rt run -b "$BUNDLE" box >"$WORLD/out" 2>"$WORLD/err"
    [ "$(cat "$WORLD/out")" = typed ]
    [ "$(cat "$WORLD/err")" = error ]
}

@test "run: a signal to the runtime is passed on, and its end is the program's" {
    script 'trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.05; done'
    cloche-runtime --root "$WORLD/oci" run -b "$BUNDLE" box >"$WORLD/out" &
    local pid=$! code=0
    wait_until grep -q ready "$WORLD/out"
    kill -TERM "$pid"
    wait "$pid" || code=$?
    [ "$code" -eq 3 ]
    grep -qx caught "$WORLD/out"
}

@test "create, start: created, running, stopped, deleted" {
    script 'echo started >/tmp/mark; sleep 1000'
    rm -f "$BUNDLE/rootfs/tmp/mark"
    rt create -b "$BUNDLE" --pid-file "$WORLD/pid" box
    [ "$(status_of box)" = created ]
    [ ! -e "$BUNDLE/rootfs/tmp/mark" ]
    [ "$(cat "$WORLD/pid")" = "$(rt state box | jq .pid)" ]
    rt start box
    wait_until test -e "$BUNDLE/rootfs/tmp/mark"
    [ "$(status_of box)" = running ]
    run rt delete box
    expect_status 1
    expect_text "not stopped: running"
    rt kill box KILL
    wait_until has_status box stopped
    [ "$(rt state box | jq .pid)" = 0 ]
    rt delete box
    run rt state box
    expect_status 1
    expect_text "does not exist"
}

@test "create: one that was never started can be deleted, and its process ends" {
    rt create -b "$BUNDLE" --pid-file "$WORLD/pid" box
    rt delete box
    # Nobody may be there to reap it.
    run awk '{ print $3 }' "/proc/$(cat "$WORLD/pid")/stat"
    expect_match "^Z$|No such (file|process)"
}

@test "create: asking for the state does not start it" {
    script 'echo started >/tmp/mark'
    rm -f "$BUNDLE/rootfs/tmp/mark"
    rt create -b "$BUNDLE" box
    for _ in 1 2 3; do [ "$(status_of box)" = created ]; done
    [ ! -e "$BUNDLE/rootfs/tmp/mark" ]
    rt start box
    wait_until test -e "$BUNDLE/rootfs/tmp/mark"
}

@test "create: a program that is missing is create's error, and nothing is left" {
    change '.process.args = ["/bin/missing"]'
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "/bin/missing"
    expect_text "no such file or directory"
    change '.process.args = ["missing"]'
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "executable file not found in \$PATH"
    [ -z "$(ls "$WORLD/oci")" ]
}

@test "create: a file that nobody may execute is create's error" {
    change '.process.args = ["/config"]'
    echo data >"$BUNDLE/rootfs/config"
    chmod 644 "$BUNDLE/rootfs/config"
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "/config"
    expect_text "permission denied"
    [ -z "$(ls "$WORLD/oci")" ]
}

@test "start: a program that can't be executed is start's error, with its reason; then it can be deleted at once" {
    change '.process.args = ["/config"]'
    echo data >"$BUNDLE/rootfs/config"
    chmod 755 "$BUNDLE/rootfs/config"
    rt create -b "$BUNDLE" box
    run rt start box
    expect_status 1
    expect_text "/config"
    expect_text "exec format error"
    [ "$(status_of box)" = stopped ]
    rt delete box
}

@test "start: only once, and only what is there" {
    script 'sleep 1000'
    rt create -b "$BUNDLE" box
    rt start box
    run rt start box
    expect_status 1
    expect_text "it is running"
    run rt start other
    expect_status 1
    expect_text "container does not exist: other"
}

@test "run -d: returns while it runs" {
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" --pid-file "$WORLD/pid" box
    [ "$(status_of box)" = running ]
    [ "$(readlink "/proc/$(cat "$WORLD/pid")/root")" = / ]
    rt delete -f box
}

@test "run: 127 and 126 for a command that is missing or can't be executed, and nothing is left" {
    change '.process.args = ["/bin/missing"]'
    run rt run -b "$BUNDLE" box
    expect_status 127
    change '.process.args = ["/tmp"]'
    run rt run -b "$BUNDLE" box
    expect_status 126
    [ -z "$(ls "$WORLD/oci")" ]
}

@test "the default devices are there, whatever the device rules deny" {
    change '.linux.resources.devices = [{ "allow": false, "access": "rwm" }]'
    script 'echo x >/dev/null && ls /dev/zero /dev/full /dev/random /dev/urandom /dev/tty'
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_line /dev/urandom
}

@test "the default devices are allowed once, and again after a rule that takes them back" {
    # net/tun is no default of ours, but of runc and crun.
    run rt plan -b "$BUNDLE" box
    expect_text "apply $(jq '.linux.resources.devices | length + 1' "$BUNDLE/config.json") device rules"
    change '.linux.resources.devices += [{ "allow": true, "type": "c", "major": 10, "minor": 200, "access": "rwm" }]'
    run rt plan -b "$BUNDLE" box
    expect_text "apply $(jq '.linux.resources.devices | length' "$BUNDLE/config.json") device rules"
    change '.linux.resources.devices += [{ "allow": false, "type": "c", "major": 1, "access": "rwm" }]'
    script 'echo x >/dev/null'
    run rt run -b "$BUNDLE" box
    expect_status 0
}

@test "/dev/ptmx is the container's own, also when the host's is asked for" {
    change '.linux.devices = [{ "path": "/dev/ptmx", "type": "c", "major": 5, "minor": 2 }]'
    script 'readlink /dev/ptmx'
    run rt run -b "$BUNDLE" box
    expect_output pts/ptmx
}

# --- kill, pause, delete --------------------------------------------------------------------------------------------------------

@test "kill: names, numbers, and a signal nobody knows" {
    script 'trap "echo hup >>/tmp/got" HUP; trap "echo usr1 >>/tmp/got" USR1; echo >/tmp/ready; while :; do sleep 0.05; done'
    rm -f "$BUNDLE/rootfs/tmp/got" "$BUNDLE/rootfs/tmp/ready"
    rt run -d -b "$BUNDLE" box
    wait_until test -e "$BUNDLE/rootfs/tmp/ready"
    rt kill box SIGHUP
    wait_until grep -q hup "$BUNDLE/rootfs/tmp/got"
    rt kill box 10
    wait_until grep -q usr1 "$BUNDLE/rootfs/tmp/got"
    run rt kill box NONSENSE
    expect_status 1
    expect_text 'unknown signal "NONSENSE"'
}

@test "kill -a: all processes, also where the pid namespace is the host's" {
    change '.linux.namespaces |= map(select(.type != "pid"))'
    script 'sleep 1000 & sleep 1001 & wait'
    rt run -d -b "$BUNDLE" box
    wait_until has_processes 3
    rt kill -a box KILL
    wait_until has_status box stopped
    rt delete box
}

@test "delete -f: what outlives its init in the host's pid namespace goes, too" {
    change '.linux.namespaces |= map(select(.type != "pid"))'
    script 'sleep 1000 & exit 0'
    rt run -d -b "$BUNDLE" box
    wait_until has_status box stopped
    rt delete -f box
}

@test "kill: a container that has stopped says so" {
    script true
    rt run -d -b "$BUNDLE" box
    wait_until has_status box stopped
    run rt kill box TERM
    expect_status 1
    expect_text "container not running"
}

@test "pause, resume: no process moves in between" {
    script 'while :; do echo >>/tmp/ticks; sleep 0.01; done'
    rt run -d -b "$BUNDLE" box
    rt pause box
    [ "$(status_of box)" = paused ]
    run rt pause box
    expect_status 1
    expect_text "it is paused"
    run rt exec box true
    expect_status 255
    expect_text "paused"
    : >"$BUNDLE/rootfs/tmp/ticks"
    sleep 0.2
    [ ! -s "$BUNDLE/rootfs/tmp/ticks" ]
    rt resume box
    [ "$(status_of box)" = running ]
    wait_until test -s "$BUNDLE/rootfs/tmp/ticks"
    rt pause box
    rt delete -f box
    run rt state box
    expect_status 1
}

@test "delete -f: where there is none it has nothing to do" {
    rt delete -f nobody
    run rt delete nobody
    expect_status 1
    expect_text "container does not exist: nobody"
}

@test "create: what a killed create left is taken over" {
    CLOCHE_TEST_KILL="cloche:container ready" run rt create -b "$BUNDLE" box
    expect_status 137
    # Its init has a copy of the lock until it notices; "creating" is true until then, and delete waits for it.
    rt delete box
    CLOCHE_TEST_KILL="cloche:container ready" run rt create -b "$BUNDLE" box
    expect_status 137
    wait_until has_status box stopped
    rt delete box
    script 'echo again'
    run rt run -b "$BUNDLE" box
    expect_output again
}

@test "run: killed while init goes on by itself, it runs nothing, and delete removes what is left" {
    script 'echo ran >&2'
    local point
    for point in "cgroup ready" cloned "container recorded"; do
        CLOCHE_TEST_KILL="cloche:$point" run rt run -b "$BUNDLE" box
        expect_status 137
        [[ $output != *ran* ]]
        wait_until has_status box stopped
        rt delete box
    done
    for point in "enter root file system" "connect streams"; do
        CLOCHE_TEST_KILL="init:$point" run rt run -b "$BUNDLE" box
        expect_status 1
        expect_text "before the program ran"
        run rt state box
        expect_status 1
    done
    # It ended with a word unread: what it said itself is the error.
    change '.process.cwd = "/bin/busybox"'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text 'working directory: open /bin/busybox'
    run rt state box
    expect_status 1
}

# --- state, list, ps ------------------------------------------------------------------------------------------------------------

@test "state, list: the same words in JSON and in the table" {
    change '.annotations = { "a.b": "c" }'
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box
    run rt state box
    [ "$(jq -c '[.ociVersion, .id, .status, .bundle, .rootfs, .owner, .annotations["a.b"]]' <<<"$output")" = \
        "[\"1.3.0\",\"box\",\"running\",\"$BUNDLE\",\"$BUNDLE/rootfs\",\"root\",\"c\"]" ]
    [ "$(rt list -f json | jq -c 'map([.id, .status])')" = '[["box","running"]]' ]
    run rt list
    expect_match "^ID +PID +STATUS +BUNDLE +CREATED +OWNER"
    expect_match "box +[0-9]+ +running +$BUNDLE +20[0-9T:.-]+Z +root"
    [ "$(rt list -q)" = box ]
}

@test "list: created, running, paused and stopped ones, and a directory that is none" {
    local id
    need_cgroupfs
    script 'sleep 1000'
    for id in created paused running stopped; do
        change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/$id\""
        [ "$id" = created ] || rt run -d -b "$BUNDLE" "$id"
        [ "$id" != created ] || rt create -b "$BUNDLE" "$id" >"$WORLD/out" 2>&1 </dev/null
    done
    rt pause paused
    rt kill stopped KILL
    wait_until has_status stopped stopped
    mkdir "$WORLD/oci/half-made"
    [ "$(rt list -f json | jq -c 'map([.id, .status])')" = \
        '[["created","created"],["paused","paused"],["running","running"],["stopped","stopped"]]' ]
    [ "$(rt list -q | tr '\n' ' ')" = 'created paused running stopped ' ]
    rmdir "$WORLD/oci/half-made"
    # Whoever has this pid by now is not its init when he began at another time.
    cp "$WORLD/oci/running/state.json" "$WORLD/state.json"
    jq -c '.startTicks += 1' "$WORLD/state.json" >"$WORLD/oci/running/state.json"
    has_status running stopped
    cp "$WORLD/state.json" "$WORLD/oci/running/state.json"
    has_status running running
    # Records of a version that did not say whether there is a start socket.
    for id in created running; do
        jq -c 'del(.startsAtOnce)' "$WORLD/oci/$id/state.json" >"$WORLD/state.json"
        cp "$WORLD/state.json" "$WORLD/oci/$id/state.json"
        has_status "$id" "$id"
    done
    # Larger than the memory that is ready for it.
    jq -c '.annotations = { long: ("x" * 100000) }' "$WORLD/oci/paused/state.json" >"$WORLD/state.json"
    cp "$WORLD/state.json" "$WORLD/oci/paused/state.json"
    [ "$(rt state paused | jq -r '.status, (.annotations.long | length)' | tr '\n' ' ')" = 'paused 100000 ' ]
}

@test "list: its table needs no annotation, nor what is escaped in them; what else is escaped is read all the same" {
    local odd="$WORLD/a \"bundle\""
    change --arg path "$BUNDLE/rootfs" '.annotations = { "a\"b": "<\\>\n", "c": "ü" } | .root.path = $path'
    script 'sleep 1000'
    mkdir "$odd"
    cp "$BUNDLE/config.json" "$odd"
    rt run -d -b "$odd" box
    [ "$(rt list -f json | jq -c '.[0] | [.bundle, .annotations["a\"b"], .annotations.c]')" = \
        "$(jq -nc --arg bundle "$odd" '[$bundle, "<\\>\n", "ü"]')" ]
    rt list | grep -qF " $odd "
    rm -r "$odd"
}

@test "start: removes the socket on which it was waited for; one that is left is no sign of waiting" {
    script 'sleep 1000'
    rt create -b "$BUNDLE" box >"$WORLD/out" 2>&1 </dev/null
    ln "$WORLD/oci/box/start" "$WORLD/socket"
    has_status box created
    rt start box
    [ ! -e "$WORLD/oci/box/start" ]
    has_status box running
    mv "$WORLD/socket" "$WORLD/oci/box/start" # as if start had been killed
    has_status box running
    rt list | grep -q '^box .* running '
    run rt start box
    expect_status 1
    rt delete -f box
}

@test "ps: pids of the host, as JSON or in a table" {
    script 'sleep 1000 & wait'
    rt run -d -b "$BUNDLE" box
    wait_until eval 'rt ps box | grep -q " sleep 1000$"'
    has_processes 2
    run rt ps -f json box
    [ "$(jq '.[0]' <<<"$output")" = "$(rt state box | jq .pid)" ]
    run rt ps box
    expect_match "^UID +PID +PPID +TIME +CMD"
    expect_match "root +[0-9]+ +[0-9]+ +00:00:00 +sleep 1000"
}

@test "ps: options after the id are ps(1)'s, which sees the host, and of its lines the container's are left" {
    need_program ps
    script 'sleep 1000 & wait'
    rt run -d -b "$BUNDLE" box
    wait_until has_processes 2
    local pids words own
    pids=$(rt ps -f json box | jq -r '.[]' | sort -n)
    for words in -ef "-eo pid,cmd" "-eo args,pid" "-eo lstart,ppid,pid,comm" "-e -o pid,args --sort=-pid" "-- aux" ax; do
        # shellcheck disable=SC2086 # words
        run rt ps box $words
        expect_status 0
        [ "${#lines[@]}" = 3 ] || { echo "$words: $output" >&2; return 1; }
        for own in $pids; do grep -qw "$own" <<<"$output"; done
    done
    run rt ps box -ef
    expect_match "^UID +PID +PPID"
    expect_match "[^ ]+ +$(head -n 1 <<<"$pids") .*sleep 1000 & wait"
    run rt ps -f table box -eo pid
    [ "$(sed 1d <<<"$output" | tr -d ' ')" = "$pids" ]
    run rt ps -f json box -ef
    expect_status 1
    expect_text '--format json has no use for the ps option "-ef"'
}

@test "ps: which word of a line is the PID, with columns that run over or hold spaces" {
    local pid
    mkdir "$WORLD/ps-stand-in"
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box
    pid=$(rt state box | jq .pid)
    # what ps says, what of it is to be left
    says() {
        printf '#!/bin/sh\ncat <<"END"\n%s\nEND\n' "$1" >"$WORLD/ps-stand-in/ps"
        chmod +x "$WORLD/ps-stand-in/ps"
        [ "$(PATH=$WORLD/ps-stand-in:$PATH rt ps box anything)" = "$2" ]
    }
    says "PID   USER
  $pid root
    1 root" "PID   USER
  $pid root"
    says "     VSZ     PID CMD
123456789012 $pid a
123456789012       1 $pid" "     VSZ     PID CMD
123456789012 $pid a"
    local heading row
    heading=$(printf '%-24s %7s' COMMAND PID)
    row=$(printf '%-24s %7d' "sleep 1000" "$pid")
    says "$heading
$(printf '%-24s %7d' "sleep $pid" 1)
$row" "$heading
$row"
    says "PID" "PID"
}

@test "ps: a ps(1) that fails, is missing or says nothing of pids is an error" {
    need_program ps
    mkdir "$WORLD/no-ps"
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box
    run rt ps box --no-such-option
    expect_status 1
    expect_text "ps ended with status 1: error: unknown gnu long option"
    run rt ps box -eo comm
    expect_status 1
    expect_text "no column PID"
    run env PATH="$WORLD/no-ps" "$(command -v cloche-runtime)" --root "$WORLD/oci" ps box -ef
    expect_status 1
    expect_text "there is no program ps in PATH; install it (package procps), or use --format json"
    printf '#!/bin/sh\nkill -9 $$\n' >"$WORLD/no-ps/ps"
    chmod +x "$WORLD/no-ps/ps"
    run env PATH="$WORLD/no-ps:$PATH" cloche-runtime --root "$WORLD/oci" ps box -ef
    expect_status 1
    expect_text "ps ended with status 137"
    printf '#!/bin/sh\necho PID; echo none\n' >"$WORLD/no-ps/ps"
    run env PATH="$WORLD/no-ps:$PATH" cloche-runtime --root "$WORLD/oci" ps box -ef
    expect_status 1
    expect_text "no PID in this line of ps: none"
    rm -r "$WORLD/no-ps"
}

# --- exec -----------------------------------------------------------------------------------------------------------------------

@test "exec: a command with environment, user, groups and directory of its own" {
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box
    # shellcheck disable=SC2016 # for the container's shell
    run rt exec -e A=b --cwd /tmp -u 1000:1001 -g 5 box sh -c 'echo "$A $PWD $(id -u):$(id -g):$(id -G)"; exit 4'
    expect_status 4
    expect_output "b /tmp 1000:1001:1001 5"
    run rt exec box missing
    expect_status 127
    expect_text "not found in \$PATH"
    run rt exec -u alice box true
    expect_status 255
    expect_text "expected a number"
}

@test "exec -p: everything from process.json" {
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box
    cat >"$WORLD/process.json" <<'END'
{ "args": ["sh", "-c", "echo $X; id -u"], "env": ["X=y", "PATH=/bin"], "cwd": "/", "user": { "uid": 12, "gid": 0 } }
END
    run rt exec -p "$WORLD/process.json" box
    expect_output $'y\n12'
    run rt exec -p "$WORLD/process.json" box true
    expect_status 255
    expect_text "--process says everything"
}

@test "exec -d: its pid is in the pid file, and in the container" {
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box
    rt exec -d --pid-file "$WORLD/exec.pid" box sleep 1001
    rt ps -f json box | jq -e "index($(cat "$WORLD/exec.pid")) != null"
}

# --- terminals ------------------------------------------------------------------------------------------------------------------

@test "run with a terminal: the program has one, as large as ours" {
    change '.process.terminal = true'
    script 'tty; stty size; read -r line; echo "got $line"; read -r line; stty size; exit 5'
    run_pty "cloche-runtime --root $WORLD/oci run -b $BUNDLE box" <<'END'
expect /dev/pts/0
expect 24 80
line typed
expect got typed
resize 30 100
line again
expect 30 100
END
    expect_status 5
}

@test "create with a terminal: its master goes to the console socket" {
    change '.process.terminal = true'
    script 'read -r line; echo "got $line"; tty'
    receive_console $'typed\n'
    rt create -b "$BUNDLE" --console-socket "$WORLD/console" box
    rt start box
    wait "$RECEIVER"
    grep -q "got typed" "$WORLD/out"
    grep -q "/dev/pts/0" "$WORLD/out"
    rm "$WORLD/console"
}

@test "exec -d -t: its terminal goes to the console socket" {
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box
    receive_console
    rt exec -d -t --console-socket "$WORLD/console" box sh -c 'tty'
    wait "$RECEIVER"
    grep -q "/dev/pts/" "$WORLD/out"
    rm "$WORLD/console"
}

@test "terminal and console socket: one without the other is refused" {
    run rt create -b "$BUNDLE" --console-socket "$WORLD/none" box
    expect_status 1
    expect_text "--console-socket is for"
    change '.process.terminal = true'
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "give --console-socket"
    run rt create -b "$BUNDLE" --console-socket "$WORLD/none" box
    expect_status 1
    expect_text "console socket $WORLD/none"
    [ -z "$(ls "$WORLD/oci")" ]
}

# --- descriptors ----------------------------------------------------------------------------------------------------------------

@test "preserve-fds: those that were asked for, and no others" {
    script 'cat <&3; ls /proc/self/fd'
    echo third >"$WORLD/third"
    run rt run -b "$BUNDLE" --preserve-fds 1 box 3<"$WORLD/third" 5</etc/passwd
    expect_line third
    refute_text 5
    run rt run -b "$BUNDLE" --preserve-fds 9 box
    expect_status 1
    expect_text "is not open"
}

@test "a created container holds none of its creator's other files" {
    rt create -b "$BUNDLE" --pid-file "$WORLD/pid" box 7</etc/passwd
    run find "/proc/$(cat "$WORLD/pid")/fd" -lname /etc/passwd
    expect_output ""
}

# --- global options -------------------------------------------------------------------------------------------------------------

@test "--version, in the form that engines read" {
    run cloche-runtime --version
    expect_output $'cloche-runtime version 0.1.0\nspec: 1.3.0'
}

@test "--log, --log-format: errors in the file, too" {
    run rt --log "$WORLD/log" --log-format json state nobody
    expect_status 1
    [ "$(jq -r '.level + " " + .msg' "$WORLD/log")" = "error container does not exist: nobody" ]
    jq -re .time "$WORLD/log" >/dev/null
    rt --log "$WORLD/log.text" state nobody || true
    grep -q 'level=error msg="container does not exist: nobody"' "$WORLD/log.text"
    run rt --log "$WORLD/log.refused" --log-format json --cgroup-manager none list
    expect_status 1
    [ "$(jq -r .level "$WORLD/log.refused")" = error ]
}

@test "--debug: the plan is in the log" {
    script true
    rt --debug --log "$WORLD/debug" run -b "$BUNDLE" box
    grep -q 'level=debug msg="init  pivot into the root file system"' "$WORLD/debug"
}

@test "plan: steps, and nothing is done" {
    run rt plan -b "$BUNDLE" box
    expect_line "parent  make cgroup $CLOCHE_CGROUP_PARENT/box"
    expect_line "init  execute sh"
    [ -z "$(rt list -q)" ]
}

@test "spec: writes a bundle's config.json once" {
    mkdir -p "$WORLD/spec"
    cloche-runtime spec -b "$WORLD/spec"
    [ "$(jq -r .ociVersion "$WORLD/spec/config.json")" = 1.3.0 ]
    run cloche-runtime spec -b "$WORLD/spec"
    expect_status 1
    expect_text "exists"
}

@test "features: what is refused is not among them" {
    run cloche-runtime features
    expect_status 0
    [ "$(jq -c '.hooks | sort' <<<"$output")" = '["createContainer","createRuntime","poststart","poststop","prestart","startContainer"]' ]
    [ "$(jq -c .linux.cgroup.systemd <<<"$output")" = true ]
    [ "$(jq '.linux.namespaces | index("user") != null' <<<"$output")" = true ]
    [ "$(jq '.mountOptions | index("rro") != null and index("vers=4") == null' <<<"$output")" = true ]
}

@test "bad bundles and ids: one line, and nothing is left" {
    run rt create -b "$WORLD/none" box
    expect_status 1
    expect_text "$WORLD/none"
    run rt create -b "$BUNDLE" ../box
    expect_status 1
    expect_text "only letters, digits"
    run rt create -b "$BUNDLE" ..
    expect_status 1
    change '.linux.cgroupsPath = "system.slice:cri:box"'
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "meant for systemd"
    change --arg path "$BOX_PATH" '.linux.cgroupsPath = $path | .hooks = { "prestart": [{ "path": "bin/true" }] }'
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "hooks.prestart[0].path"
    echo '{' >"$BUNDLE/config.json"
    run rt create -b "$BUNDLE" box
    expect_status 1
    [ ! -e "$WORLD/oci/box" ]
}

@test "create: an id or a cgroup that is in use is refused, and stays as it is" {
    script 'sleep 1000'
    rt run -d -b "$BUNDLE" box
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_match "exists|not empty"
    run rt create -b "$BUNDLE" other
    expect_status 1
    expect_text "not empty"
    change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/other\""
    run rt create -b "$BUNDLE" box
    expect_status 1
    expect_text "container with id exists: box"
    [ "$(status_of box)" = running ]
}

@test "--help: every verb and option comes from the tables" {
    run cloche-runtime --help
    expect_text "--log-format"
    for verb in create start run exec state list ps kill delete pause resume spec features plan; do
        run cloche-runtime "$verb" --help
        expect_status 0
        expect_text "Usage:  cloche-runtime $verb"
    done
    run rt lisst
    expect_status 1
    expect_text "did you mean list?"
    run rt list --quite
    expect_text "did you mean --quiet?"
}

@test "man: the page is in order, and has every verb" {
    need_program groff
    cloche-runtime man >"$WORLD/page"
    run groff -man -Tutf8 -ww -z "$WORLD/page"
    expect_output ""
    run groff -man -Tascii "$WORLD/page"
    expect_text "Run another process in a container"
}

@test "run, exec: HOME, where the spec has none, is that of the container's /etc/passwd, or /" {
    mkdir -p "$BUNDLE/rootfs/etc"
    echo 'someone:x:1000:1000::/home/someone:/bin/sh' >"$BUNDLE/rootfs/etc/passwd"
    change '.process.env = ["PATH=/bin"] | .process.user = {uid: 1000, gid: 1000}'
    script 'echo "$HOME"'
    run rt run -b "$BUNDLE" box
    expect_output /home/someone
    change '.process.user = {uid: 7, gid: 7}'
    run rt run -b "$BUNDLE" box
    expect_output /
    change '.process.env += ["HOME=/own"]'
    run rt run -b "$BUNDLE" box
    expect_output /own
    change '.process.env = ["PATH=/bin"]'
    script 'sleep 100'
    rt run -d -b "$BUNDLE" box
    run rt exec -u 1000 box sh -c 'echo "$HOME"'
    expect_output /home/someone
    rm -r "$BUNDLE/rootfs/etc"
}
