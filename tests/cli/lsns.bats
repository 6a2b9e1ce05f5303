#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche lsns, view and pid on containers: what the host sees, what the container sees, and that nobody was disturbed by looking.

bats_require_minimum_version 1.5.0
load helper

ns_of() { # PID TYPE
    readlink "/proc/$1/ns/$2" | tr -dc '0-9'
}

start_box() {
    cloche run -d --name box alpine sh -c 'sleep 2000 & exec sleep 1000' >/dev/null
    wait_until box_has_two
}

# Both have become what they are to be.
box_has_two() {
    [ "$(cloche top box | awk 'NR > 1 { print $5, $6, $7 }' | sort)" = $'sleep 1000 \nsleep 2000 ' ]
}

@test "lsns lists the namespaces of a container by its name" {
    start_box
    pid=$(container_pid box)
    run --separate-stderr cloche lsns
    expect_status 0
    expect_match 'NS +TYPE +NPROCS +PID +USER +CONTAINER +COMMAND'
    for type in mnt uts ipc pid net cgroup time; do
        [ "$(ns_of "$pid" "$type")" != "$(ns_of self "$type")" ]
        expect_match "$(ns_of "$pid" "$type") $type +2 +$pid root +box +.*sleep 1000"
    done
}

@test "lsns -t pid shows the host's and the container's" {
    start_box
    run --separate-stderr cloche lsns -t pid
    expect_status 0
    expect_match "(^|"$'\n'") *$(ns_of self pid) pid "
    expect_match "$(ns_of "$(container_pid box)" pid) pid +2 "
}

@test "lsns without containers prints util-linux's columns" {
    need_program unshare
    # Where there are none but this test's own processes.
    run --separate-stderr unshare --mount --pid --fork --mount-proc cloche lsns
    expect_status 0
    expect_match '^ *NS TYPE +NPROCS +PID USER +COMMAND'
}

@test "lsns --inside prints what lsns would print there, with the container's PIDs" {
    start_box
    run --separate-stderr cloche lsns --inside box -l -o TYPE,NPROCS,PID,USER,COMMAND
    expect_status 0
    for type in mnt uts ipc pid net cgroup time user; do
        expect_match "$type +2 +1 root sleep 1000"
    done
    [ "${#lines[@]}" -eq 9 ]
    run --separate-stderr cloche lsns --inside box -n -l -o PID,PPID,COMMAND "$(ns_of "$(container_pid box)" pid)"
    expect_status 0
    [ "${#lines[@]}" -eq 2 ]
    expect_match '^ +1 +0 sleep 1000'
    expect_match '[2-9] +1 sleep 2000'
}

@test "lsns --inside is what lsns says in there" {
    need_program nsenter lsns
    [[ $(lsns --version) == *2.38* ]] || skip "another lsns than 2.38 chooses other widths"
    start_box
    pid=$(container_pid box)
    # The host's lsns, in the container's namespaces but with the host's files: a second /proc in a mount namespace of the test's own.
    theirs=$(nsenter -t "$pid" -p -i -u -n -C unshare -m sh -c 'mount -t proc proc /proc && lsns -n -l -t pid -o NS,PID,PPID,UID')
    run --separate-stderr cloche lsns --inside box -n -l -t pid -o NS,PID,PPID,UID
    expect_output "$theirs"
}

@test "lsns as JSON" {
    need_program jq
    start_box
    run --separate-stderr cloche lsns -J -l -t net --container box
    expect_status 0
    [ "$(jq -r '.namespaces[0] | "\(.ns) \(.type) \(.nprocs) \(.pid) \(.user) \(.container)"' <<<"$output")" = \
        "$(ns_of "$(container_pid box)" net) net 2 $(container_pid box) root box" ]
}

@test "lsns filters, sorts out types and prints raw" {
    start_box
    pid=$(container_pid box)
    run --separate-stderr cloche lsns -n -r -o TYPE,CONTAINER -Q 'CONTAINER == "box" and TYPE =~ "^(uts|ipc)$"'
    expect_status 0
    [ "$(sort <<<"$output")" = $'ipc box\nuts box' ]
    run --separate-stderr cloche lsns -n -r -l -t uts -p "$pid" -o NS
    expect_output "$(ns_of "$pid" uts)"
}

@test "view shows a container from both sides" {
    start_box
    pid=$(container_pid box)
    run cloche view box
    expect_status 0
    expect_match 'HOST +\| INSIDE'
    expect_match "pid +$pid +\| 1"
    expect_match "hostname +$(uname -n) +\| $(cloche inspect --format '{{.Config.Hostname}}' box)"
    expect_match 'user +0 \(root\) +\| 0 \(root\)'
    expect_match 'root +[^|]+\| /'
    expect_match "pid namespace +$(ns_of self pid) +\| $(ns_of "$pid" pid)  own"
    expect_match 'user namespace +[0-9]+ +\| [0-9]+  shared with host'
}

@test "view says what is shared with the host" {
    cloche run -d --name open --network host --uts host alpine sleep 1000 >/dev/null
    run cloche view open
    expect_status 0
    expect_match "net namespace +$(ns_of self net) +\| $(ns_of self net)  shared with host"
    expect_match "hostname +$(uname -n) +\| $(uname -n)"
    expect_match 'Shared with the host:.*net +same interfaces'
    run bash -c "cloche view --json open | jq -c .shared"
    expect_output '["uts","net","user"]'
}

@test "pid translates from either side" {
    start_box
    pid=$(container_pid box)
    run cloche pid "$pid"
    expect_status 0
    expect_match 'LEVEL +NAMESPACE +CONTAINER +PID'
    expect_match "0 +$(ns_of self pid) \(host\) +$pid"
    expect_match "1 +$(ns_of "$pid" pid) box +1"
    from_host=$output
    for arguments in "box 1" "--in box 1" "box"; do
        # shellcheck disable=SC2086 # words
        run cloche pid $arguments
        expect_output "$from_host"
    done
}

@test "ns tree shows containers below the host" {
    start_box
    pid=$(container_pid box)
    run --separate-stderr cloche ns tree
    expect_status 0
    expect_match "─$(ns_of self pid) +pid "
    expect_match "─$(ns_of "$pid" pid) +pid +2 +$pid +1 root +$(ns_of self user) +box"
}

@test "ns diff shows what two containers see differently" {
    start_box
    cloche run -d --name other --network host -m 64m alpine sleep 1000 >/dev/null
    run cloche ns diff box other
    expect_status 0
    expect_match "net namespace +$(ns_of "$(container_pid box)" net) +\| $(ns_of self net)"
    expect_match 'limits +none +\| memory 64MiB'
    expect_match 'interfaces +lo +\| lo'
    expect_text 'Same namespaces: user'
    run cloche ns diff box box
    expect_output $'\nSame namespaces: time, uts, ipc, net, cgroup, mnt, pid, user'
}

@test "an ordinary user sees what is theirs, and is told what is hidden" {
    need_program setpriv
    start_box
    # A copy: the way to the build may be closed to others.
    cp "$CLOCHE_BUILD/cloche" "$WORLD/cloche"
    user=(setpriv --reuid 65534 --regid 65534 --clear-groups "$WORLD/cloche")
    run --separate-stderr "${user[@]}" lsns -t pid
    expect_status 0
    expect_match "$(ns_of self pid) pid +[1-9]"
    refute_text "$(ns_of "$(container_pid box)" pid)"
    # shellcheck disable=SC2154 # set by run
    [[ "$stderr" == "hidden: the namespaces of "*"needs CAP_SYS_PTRACE"* ]]
    run "${user[@]}" view "$(container_pid box)"
    expect_status 0
    expect_match 'pid namespace .*\| hidden \(needs CAP_SYS_PTRACE\)'
    expect_text 'Hidden: which of 8 namespaces it shares'
    rm "$WORLD/cloche"
}

@test "lsns's short options, as getopt reads them" {
    for tree in -Tparent -T=parent --tree=parent; do
        run --separate-stderr cloche lsns "$tree" -n -t user -o NS
        expect_match "(^|"$'\n'")$(ns_of self user)"
    done
    run --separate-stderr cloche lsns -nrl -t uts -o TYPE -Q "NSFS != 'x'"
    expect_line uts
    run cloche lsns -Tsideways
    expect_one_line_error "unknown tree type: sideways"
    run cloche lsns -h
    expect_status 0
    expect_text "cloche lsns [OPTIONS]"
}

@test "refusals are one line that says what and why" {
    run cloche lsns -t bogus
    expect_one_line_error "unknown namespace type: bogus"
    run cloche lsns -o NS,COMAND
    expect_one_line_error "unknown column: COMAND" "COMMAND"
    run cloche lsns 5
    expect_one_line_error "no namespace 5"
    run cloche lsns --tree=sideways
    expect_one_line_error "unknown tree type: sideways"
    run cloche lsns --list --tree
    expect_one_line_error "exclude each other"
    run cloche view nobody
    expect_one_line_error "nobody"
    run cloche pid nobody 1
    expect_one_line_error "nobody"
    cloche run --name ended alpine true
    run cloche view ended
    expect_one_line_error "ended" "not running"
    run cloche lsns --inside ended
    expect_one_line_error "ended" "not running"
}

marks() { # PID: its and our namespaces, and its mounts
    readlink "/proc/$1"/ns/* "/proc/$$"/ns/*
    cat "/proc/$1/mountinfo"
}

@test "looking leaves the container and us as we were" {
    start_box
    pid=$(container_pid box)
    before=$(marks "$pid")
    cloche lsns >/dev/null 2>&1
    cloche lsns --inside box -t net >/dev/null 2>&1
    cloche view box >/dev/null
    cloche pid box 1 >/dev/null
    [ "$(marks "$pid")" = "$before" ]
    [ "$(cloche lsns -n -o NPROCS --container box -t pid 2>/dev/null | tr -d ' ')" = 2 ]
}
