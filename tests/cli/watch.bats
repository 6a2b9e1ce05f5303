#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche ns watch: what happens, as it happens. The machine is never quiet, so every test looks for its own processes.

bats_require_minimum_version 1.5.0
load helper

setup() {
    world_setup
    # Reading begins after the headings: what happens from then on is told.
    watch_pid=
    EVENTS=$BATS_TEST_TMPDIR/events
}

teardown() {
    stop_watch
    world_teardown
}

start_watch() { # [OPTIONS…]
    cloche ns watch "$@" >"$EVENTS" 2>&1 3>&- &
    watch_pid=$!
    wait_until has_begun || { cat "$EVENTS" >&2; return 1; }
}

# The headings are flushed after the snapshot.
has_begun() {
    grep -q '^TIME' "$EVENTS"
}

# Under strace it is a child, which would outlive it.
stop_watch() {
    [ -n "$watch_pid" ] || return 0
    # shellcheck disable=SC2046 # one word per pid
    kill $(cat "/proc/$watch_pid/task/$watch_pid/children") "$watch_pid" 2>/dev/null || true
    wait "$watch_pid" || true
    watch_pid=
}

told() { # REGEX
    grep -Eq -- "$1" "$EVENTS"
}

expect_told() {
    wait_until told "$1" || { echo "never told: $1" >&2; tail -n 60 "$EVENTS" >&2; return 1; }
}

@test "ns watch tells of a container's namespaces, processes, start and end" {
    start_watch
    cloche run -d --name seen alpine sh -c 'sleep 1000; exit 3' >/dev/null
    expect_told ' exec +[0-9]+ sleep  seen$'
    cloche exec seen killall sleep
    expect_told ' start +[0-9]+ .+  seen$'
    for type in mnt uts ipc pid net cgroup time; do
        expect_told " born  $type +[0-9]{10} +[0-9]+ "
        expect_told " empty $type +[0-9]{10} +[0-9]+ [a-z]+  seen\$"
    done
    expect_told ' exec +[0-9]+ sh  seen$'
    expect_told ' fork +[0-9]+ (sh|sleep)  seen$'
    expect_told ' exec +[0-9]+ sleep  seen$'
    expect_told ' exit +[0-9]+ sleep  seen$'
    expect_told ' exit +[0-9]+ sh  seen$'
    expect_told ' end +[0-9]+ [a-z]+  seen$'
}

@test "ns watch --json is one object a line, with the exit code" {
    need_program jq
    cloche ns watch --json >"$EVENTS" 3>&- &
    watch_pid=$!
    # There are no headings to wait for: it has begun when it tells of something.
    told_of_child() { /bin/true; grep -q '"event":"exit"' "$EVENTS"; }
    wait_until told_of_child
    cloche run -d --name seen alpine sh -c 'sleep 1000; exit 3' >/dev/null
    expect_told '"event":"exec".*"command":"sleep","container":"seen"'
    cloche exec seen killall sleep
    expect_told '"event":"end".*"container":"seen"'
    stop_watch
    jq -es 'map(select(.container == "seen" and .event == "exit")) | .[-1].code == 3' "$EVENTS"
    jq -es 'map(select(.event == "born" and .type == "pid")) | length > 0' "$EVENTS"
    jq -es 'all(.time | test("^20.*Z$"))' "$EVENTS"
}

@test "ns watch of a container tells nothing of others, and hears of exec" {
    cloche run -d --name box alpine sleep 1000 >/dev/null
    cloche run -d --name other alpine sleep 1000 >/dev/null
    start_watch box
    cloche exec other true
    cloche kill other >/dev/null
    cloche rm -f box >/dev/null
    expect_told ' end +[0-9]+ sleep  box$'
    expect_told ' exit +[0-9]+ sleep  box$'
    run ! told other
}

@test "ns watch --type tells of namespaces of this type alone" {
    need_program unshare
    start_watch -t uts
    cloche run -d --name seen alpine sleep 1000 >/dev/null
    expect_told ' born  uts +[0-9]+ +[0-9]+ '
    # It has its name once a later event of one of its processes was looked at; that has been done when what came after it is told.
    cloche exec -d seen sleep 1001
    unshare --uts sleep 1000 3>&- &
    sleeper=$!
    expect_told " born  uts +[0-9]+ +$sleeper (unshare|sleep)\$"
    kill "$sleeper"
    cloche rm -f seen >/dev/null
    expect_told ' empty uts .+  seen$'
    run ! told ' (fork|exec|exit|start|end) '
    run ! told ' (mnt|net|pid|ipc) '
    run cloche ns watch -t nett
    expect_one_line_error 'unknown namespace type: nett' 'did you mean net?'
}

@test "unshare raises no event; it is seen at the next one of the process" {
    need_program unshare
    start_watch -t uts
    unshare --uts sleep 1000 3>&- &
    sleeper=$!
    expect_told " born  uts +[0-9]+ +$sleeper (unshare|sleep)\$"
    kill "$sleeper"
    expect_told " empty uts +[0-9]+ +$sleeper sleep\$"
}

@test "a process that moves into a namespace joins it" {
    need_program nsenter
    cloche run -d --name box alpine sleep 1000 >/dev/null
    ns=$(readlink "/proc/$(container_pid box)/ns/uts" | tr -dc 0-9)
    start_watch -t uts
    nsenter -t "$(container_pid box)" -u sleep 1000 3>&- &
    sleeper=$!
    expect_told " join  uts +$ns +$sleeper (nsenter|sleep)\$"
    kill "$sleeper"
    run ! told " empty uts +$ns"
}

@test "a process that has moved before anybody looked at it has joined, too" {
    need_program nsenter
    cloche run -d --name box alpine sleep 1000 >/dev/null
    ns=$(readlink "/proc/$(container_pid box)/ns/uts" | tr -dc 0-9)
    start_watch -t uts
    kill -STOP "$watch_pid"
    wait_until grep -q '^State:.T' "/proc/$watch_pid/status"
    nsenter -t "$(container_pid box)" -u sleep 1000 3>&- &
    sleeper=$!
    wait_until grep -qx sleep "/proc/$sleeper/comm"
    kill -CONT "$watch_pid"
    expect_told " join  uts +$ns +$sleeper (nsenter|sleep)\$"
    kill "$sleeper"
}

@test "hostile names reach the terminal escaped" {
    start_watch
    cp "$(command -v sleep)" "$BATS_TEST_TMPDIR/"$'a\e]0;x'
    "$BATS_TEST_TMPDIR/"$'a\e]0;x' 1000 3>&- &
    expect_told ' exec +[0-9]+ a\\x1B\]0;x$|a\\x1b\]0;x$'
    kill $!
    run ! grep -q $'\e' "$EVENTS"
}

@test "a buffer overrun is said, and what changed meanwhile follows" {
    need_program strace
    cloche run -d --name box alpine sleep 1000 >/dev/null
    strace -qq -o /dev/null -e trace=recvfrom -e inject=recvfrom:error=ENOBUFS:when=40+40 \
        "$CLOCHE_BUILD/cloche" ns watch >"$EVENTS" 2>&1 3>&- &
    watch_pid=$!
    wait_until has_begun
    make_events() { /bin/true; told ' lost '; }
    wait_until make_events
    cloche rm -f box >/dev/null
    expect_told ' end +[0-9]+ sleep  box$'
}

@test "an idle watch sleeps in one call: no timer, no poll" {
    need_program strace
    # No other calls are traced, as it would never be done on a busy machine.
    local calls=recvfrom,setsockopt,poll,ppoll,select,pselect6,nanosleep,clock_nanosleep,alarm,setitimer,timer_create,timer_settime,timerfd_create,timerfd_settime
    strace -qq -f --seccomp-bpf -e trace="$calls,/^epoll_" -o "$BATS_TEST_TMPDIR/trace" "$CLOCHE_BUILD/cloche" ns watch >"$EVENTS" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
    watch_pid=$!
    wait_until has_begun
    sleep 1000 3>&- &
    sleeper=$!
    expect_told " exec +$sleeper sleep\$"
    kill "$sleeper"
    # It waits in recvfrom without MSG_DONTWAIT, which has no end of its own, and in nothing else.
    waits() { grep -q 'recvfrom([0-9]*, .*, 0, ' "$BATS_TEST_TMPDIR/trace"; }
    wait_until waits
    run ! grep -E ' (poll|ppoll|epoll_[a-z0-9_]+|nanosleep|clock_nanosleep|select|pselect6)\(' "$BATS_TEST_TMPDIR/trace"
    run ! grep -E 'timerfd_|setitimer|timer_create|timer_settime|alarm\(|SO_RCVTIMEO' "$BATS_TEST_TMPDIR/trace"
}

@test "without the privilege the error names it and what works instead" {
    need_program unshare
    run timeout 60 unshare -n "$CLOCHE_BUILD/cloche" ns watch
    expect_one_line_error CAP_NET_ADMIN network 'cloche lsns'
    run timeout 60 unshare -pf "$CLOCHE_BUILD/cloche" ns watch
    expect_one_line_error CAP_NET_ADMIN 'pid' 'cloche lsns'
    run cloche ns watch no-such-container
    [ "$status" -ne 0 ]
    expect_text no-such-container
}
