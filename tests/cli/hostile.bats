#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The lens and those who do not want to be seen, or want to be seen as somebody else: names that are no text, a /proc that is none, files that are no
# files, mounts by the thousand, output that goes nowhere.
# shellcheck disable=SC2154 # output, stderr, status: set by run

bats_require_minimum_version 1.5.0
load helper

setup_file() {
    world_setup_file
    command -v gcc >/dev/null || return 0
    # A process in namespaces of its own whose name, arguments and hostname are no text; the last is 100,000 bytes.
    cat >"$WORLD/evil.c" <<'END'
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#define TEXT "\xff\xfe\n\033]0;pwned\007<script>\xc3(\xed\xa0\x80\"\\\xf0\x9f"
int main(int argc, char **argv)
{
    (void)argv;
    if (argc == 1) {
        char *big = malloc(100001);
        memset(big, 'A', 100000);
        big[100000] = '\0';
        if (unshare(CLONE_NEWUTS) < 0 || sethostname(TEXT, sizeof TEXT - 1) < 0)
            return 1;
        execl("/proc/self/exe", "evil", TEXT, big, NULL);
        return 2;
    }
    prctl(PR_SET_NAME, "\xff\n\033[2J\xc3(\xed\xa0");
    puts("up");
    fflush(stdout);
    pause();
}
END
    gcc -o "$WORLD/evil" "$WORLD/evil.c"
}

start_evil() {
    need_program gcc jq
    "$WORLD/evil" >"$WORLD/evil.out" 3>&- &
    EVIL=$!
    wait_until grep -q up "$WORLD/evil.out"
}

teardown() {
    [ -z "${EVIL:-}" ] || kill "$EVIL"
    world_teardown
}

# The lens's verbs about the process $1.
verbs() {
    printf '%s\n' "lsns" "lsns -J" "lsns -r -u" "lsns --list-columns" "lsns --keep-alive" "lsns --keep-alive -J" "ns tree" "ns tree --json" \
        "view $1" "view --json $1" "view --html $1" "ns diff host $1" "ns diff --json host $1" "pid $1" "pid --json $1" "why $1" "why --json $1"
}

@test "names that are no text: JSON stays JSON, the terminal and the page get none of it raw" {
    start_evil
    while read -r verb; do
        # shellcheck disable=SC2086 # words
        cloche $verb >"$BATS_TEST_TMPDIR/out" 2>/dev/null
        case $verb in
        *-J* | *--json*)
            python3 -c 'import json, sys; json.loads(open(sys.argv[1], "rb").read().decode("utf-8"))' "$BATS_TEST_TMPDIR/out" || { echo "$verb: no JSON" >&2; return 1; }
            ;;
        *)
            # Bytes below blank but for the newline, and what is no UTF-8.
            python3 -c 'import sys; text = open(sys.argv[1], "rb").read().decode("utf-8"); assert not [c for c in text if c < " " and c != "\n"]' "$BATS_TEST_TMPDIR/out" || { echo "$verb: raw bytes" >&2; return 1; }
            ;;
        esac
    done < <(verbs "$EVIL")
    run cloche view --html "$EVIL"
    refute_text '<script'
}

@test "a command line of 100,000 bytes does not widen the other rows of view" {
    start_evil
    cloche view "$EVIL" >"$BATS_TEST_TMPDIR/out"
    run grep -E '^(hostname|parent) ' "$BATS_TEST_TMPDIR/out"
    [ "${#lines[0]}" -lt 200 ]
}

@test "output that can't be written is an error that says so, of every verb" {
    start_evil
    [ -c /dev/full ] || skip "no /dev/full here"
    while read -r verb; do
        # shellcheck disable=SC2086 # words
        run bash -c 'cloche "$@" 2>&1 >/dev/full' sh $verb
        [[ "$status" -ne 0 && "$output" == *"No space left on device"* ]] || { echo "$verb: $status $output" >&2; return 1; }
        # shellcheck disable=SC2086 # words
        run bash -c 'cloche "$@" 2>&1 >&-' sh $verb
        [[ "$status" -ne 0 && "$output" == *"Bad file descriptor"* ]] || { echo "$verb, closed: $status $output" >&2; return 1; }
    done < <(verbs "$EVIL" | grep -v keep-alive)
}

@test "a terminal of one column, without colours, or none" {
    start_evil
    printf 'cloche lsns -p %s; cloche view %s; cloche ns tree; echo "over $?"\n' "$EVIL" "$EVIL" >"$BATS_TEST_TMPDIR/script"
    run_pty "sh -c 'stty cols 1 && NO_COLOR=1 TERM=dumb sh $BATS_TEST_TMPDIR/script'" <<'END'
expect over 0
END
    expect_status 0
    run bash -c 'TERM=dumb cloche glass </dev/null 2>&1'
    expect_one_line_error "terminal"
}

@test "what is mounted over a process in our /proc is not believed" {
    start_evil
    mkdir "$BATS_TEST_TMPDIR/fake"
    echo "NSpid: 77" >"$BATS_TEST_TMPDIR/fake/status"
    cat >"$BATS_TEST_TMPDIR/script" <<'END'
set -e
mount --bind "$2/fake" "/proc/$1/ns"
mount --bind "$2/fake/status" "/proc/$1/status"
cloche lsns -n -l -r -t uts -p "$1" -o PID,TYPE
cloche pid --json "$1" | jq -c '[.levels[].pid]'
cloche view --json "$1" | jq -r '.process.pid.host'
mount -t tmpfs none "/proc/$$/ns"
exec cloche lsns -n -l -r -t pid -p $$ -o TYPE
END
    run --separate-stderr unshare -m --propagation private sh "$BATS_TEST_TMPDIR/script" "$EVIL" "$BATS_TEST_TMPDIR"
    expect_status 0
    expect_output "$EVIL uts
[$EVIL]
$EVIL
pid"
    # An ordinary user has no other /proc to ask.
    cp "$CLOCHE_BUILD/cloche" "$WORLD/cloche"
    run unshare -m --propagation private sh -c 'mount -t tmpfs none "/proc/$1/ns"; exec setpriv --reuid 65534 --regid 65534 --clear-groups "$2" lsns' sh "$EVIL" "$WORLD/cloche"
    rm "$WORLD/cloche"
    expect_one_line_error "something is mounted over /proc/$EVIL/ns"
}

@test "a container with a /proc of its own making is seen as it is" {
    cat >"$BATS_TEST_TMPDIR/script" <<'END'
mount -t tmpfs none /proc
mkdir /proc/1 /proc/1/ns /proc/self
printf 'Name:\tinnocent\nNSpid:\t4242\n' >/proc/1/status
cp /proc/1/status /proc/self/status
ln -s 'pid:[1]' /proc/1/ns/pid
echo 0 >"$1/up"
exec sleep 1000
END
    unshare -m -p -f --propagation private --kill-child sh "$BATS_TEST_TMPDIR/script" "$BATS_TEST_TMPDIR" 3>&- &
    EVIL=$!
    wait_until test -e "$BATS_TEST_TMPDIR/up"
    pid=$(cat "/proc/$EVIL/task/$EVIL/children")
    pid=${pid% }
    wait_until grep -qx sleep "/proc/$pid/comm"
    run --separate-stderr bash -c "cloche view --json $pid | jq -r '.process.pid | \"\(.host) \(.inside)\"'"
    expect_output "$pid 1"
    run --separate-stderr cloche lsns --inside "$pid" -n -l -r -t pid -o PID,COMMAND
    expect_output '1 sleep\x201000'
}

@test "an /etc/passwd that is a FIFO, a device, a link in circles or out, or endless: nobody waits, and numbers are shown" {
    cloche run -d --name box alpine sleep 1000 >/dev/null
    pid=$(container_pid box)
    for make in 'mkfifo passwd' 'ln -s passwd passwd' 'ln -s /dev/zero passwd' 'ln -s ../../../../../../etc/hostname passwd' \
        'mkdir passwd' 'truncate -s 900G passwd' 'ln -s /proc/1/root/etc/passwd passwd'; do
        (cd "/proc/$pid/root/etc" && rm -rf passwd && eval "$make")
        for verb in "view box" "lsns --inside box -t pid" "view --json box"; do
            # shellcheck disable=SC2086 # words
            run timeout "$PATIENCE" cloche $verb
            expect_status 0
        done
        run --separate-stderr cloche lsns --inside box -n -l -r -t pid -o USER
        [[ $output == 0 || $output == root ]]
    done
}

@test "thousands of mounts, and a stack of them on one point" {
    cat >"$BATS_TEST_TMPDIR/script" <<'END'
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def mount(source, target, kind, flags):
    if libc.mount(source, target, kind, flags, None) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
base = os.fsencode(sys.argv[1])
mount(b"none", base, b"tmpfs", 0)
os.mkdir(base + b"/a\n\xff\033[1m")
for i in range(3000):
    mount(base, base + b"/a\n\xff\033[1m" if i < 1500 else base, None, 4096)
os.write(1, b"up\n")
time.sleep(1000)
END
    mkdir "$BATS_TEST_TMPDIR/base"
    unshare -m --propagation private python3 "$BATS_TEST_TMPDIR/script" "$BATS_TEST_TMPDIR/base" >"$BATS_TEST_TMPDIR/out" 3>&- &
    EVIL=$!
    wait_until grep -q up "$BATS_TEST_TMPDIR/out"
    cloche view --json "$EVIL" | python3 -c 'import json, sys; json.load(sys.stdin)'
    cloche ns diff --json host "$EVIL" | python3 -c 'import json, sys; json.load(sys.stdin)'
    run --separate-stderr cloche lsns -l -n -t mnt -p "$EVIL" -o TYPE,NPROCS
    expect_match 'mnt +1'
}

@test "a /proc that hides others (hidepid): one's own is shown, the rest is no process" {
    need_program setpriv
    cp "$CLOCHE_BUILD/cloche" "$WORLD/cloche"
    cat >"$BATS_TEST_TMPDIR/script" <<'END'
mount -t proc -o hidepid=2 none /proc
user="setpriv --reuid 65534 --regid 65534 --clear-groups"
$user "$1" lsns -n -l -r -t pid -o TYPE,NPROCS,USER
for verb in "view 1" "pid 1" "why 1"; do
    $user "$1" $verb 2>&1
done
END
    run --separate-stderr unshare -m -p -f --propagation private sh "$BATS_TEST_TMPDIR/script" "$WORLD/cloche"
    rm "$WORLD/cloche"
    expect_match '^pid 1 '
    [ "$(grep -c 'cloche: no process 1, and no container that is called so; processes of others may be hidden' <<<"$output")" -eq 3 ] || { show_run; return 1; }
}
