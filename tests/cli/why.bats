#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche why: every denial is made for real in a container first, by the program probe.c or the image's own; then the layer that `why` names, and the
# flag, which has to open it. What it can't know it must not guess.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
    world_setup_file
    export PROBE_MISSING=
    "${CC:-cc}" -O1 -static -o "$WORLD/probe" "$BATS_TEST_DIRNAME/probe.c" 2>"$WORLD/cc.log" ||
        PROBE_MISSING="no static C program can be built here: $(head -n 1 "$WORLD/cc.log")"
}

setup() {
    world_setup
    [ -z "$PROBE_MISSING" ] || skip "$PROBE_MISSING"
}

start_box() { # [OPTION…]
    cloche run -d --name box -v "$WORLD/probe:/probe:ro" "$@" alpine sleep 1000 >/dev/null
}

# denied TEXT COMMAND…: the command fails in the box, and what it prints holds TEXT.
denied() {
    local text=$1
    shift
    run cloche exec box "$@"
    [[ "$output" == *"$text"* ]] || { echo "expected to be denied with $text: $*" >&2; show_run; return 1; }
}

# asked "LAYER" "FLAG" QUESTION…: refused by that layer, allowed by that flag.
asked() {
    local layer=$1 flag=$2
    shift 2
    run --separate-stderr cloche why --json box "$@"
    expect_status 0 || return 1
    jq -e --arg layer "$layer" --arg flag "$flag" '.findings | map(select(.answer != "allowed" and .layer == $layer and
        ((.allow // "") | contains($flag)))) | length > 0' <<<"$output" >/dev/null ||
        { echo "expected layer $layer, flag $flag for: $*" >&2; show_run; return 1; }
}

# allowed QUESTION…
allowed() {
    run --separate-stderr cloche why --json box "$@"
    expect_status 0 || return 1
    jq -e '.findings | length > 0 and all(.answer == "allowed")' <<<"$output" >/dev/null || { show_run; return 1; }
}

@test "system calls that the filter refuses, each made and asked about" {
    need_program jq
    start_box
    while read -r call question flag; do
        denied "EPERM" /probe "$call"
        asked seccomp "$flag" --syscall "$question"
    done <<'ROWS'
mount mount SYS_ADMIN
umount umount2 SYS_ADMIN
fsopen fsopen SYS_ADMIN
unshare=0x10000000 unshare:0x10000000 SYS_ADMIN
clone=0x20000000 clone:0x20000000 SYS_ADMIN
setns setns SYS_ADMIN
keyctl keyctl seccomp=unconfined
add_key add_key seccomp=unconfined
bpf bpf BPF
perf_event_open perf_event_open PERFMON
userfaultfd userfaultfd seccomp=unconfined
io_uring_setup io_uring_setup seccomp=unconfined
finit_module finit_module SYS_MODULE
kexec_load kexec_load seccomp=unconfined
reboot reboot SYS_BOOT
clock_settime clock_settime SYS_TIME
swapon swapon seccomp=unconfined
open_by_handle_at open_by_handle_at DAC_READ_SEARCH
ROWS
    denied EAFNOSUPPORT /probe socket=38
    asked seccomp seccomp=unconfined --syscall socket:38,5,0
    allowed --syscall socket:2,1,0 --syscall read --syscall chroot
    # Arguments decide, and were not given: no guess.
    run --separate-stderr cloche why box --syscall unshare
    expect_text 'unshare: it depends'
}

@test "capabilities: what is missing, and that the flag opens it" {
    need_program jq
    start_box
    denied EPERM /probe raw_socket
    asked capability '--cap-add NET_RAW' --cap net_raw
    asked capability '--cap-add NET_RAW' -- ping -c 1 127.0.0.1
    denied 'not permitted' mknod /tmp/disk b 8 0
    asked capability '--cap-add MKNOD' --syscall mknodat
    denied 'not permitted' ip link set lo down
    asked capability '--cap-add NET_ADMIN' -- ip link set lo down
    cloche rm -f box >/dev/null
    start_box --cap-add NET_RAW --cap-add MKNOD --cap-add NET_ADMIN
    cloche exec box ip link set lo down
    allowed --cap net_raw --cap mknod --cap net_admin --syscall mknodat
}

@test "capabilities that were dropped: chown, chroot" {
    need_program jq
    start_box --cap-drop CHOWN --cap-drop SYS_CHROOT
    denied 'not permitted' chown 1:1 /etc/motd
    asked capability '--cap-add CHOWN' -- chown 1:1 /etc/motd
    denied 'not permitted' chroot / true
    asked seccomp '--cap-add SYS_CHROOT' --syscall chroot
}

@test "files: read-only paths, masks, read-only mounts" {
    need_program jq
    start_box --read-only -v "$BATS_TEST_TMPDIR:/data:ro"
    denied 'Read-only file system' sh -c 'echo x >/proc/sys/kernel/hostname'
    asked 'read-only path' --sysctl --path /proc/sys/kernel/hostname
    denied 'Read-only file system' touch /etc/new
    asked 'read-only mount' --read-only --path /etc/new
    asked 'read-only mount' --read-only -- touch /etc/new
    denied 'Read-only file system' touch /data/new
    asked 'read-only mount' '-v SOURCE:/data' --path /data/new
    denied 'Read-only file system' sh -c 'echo x >/sys/kernel/mm/ksm/run || echo x >/sys/new'
    asked 'read-only mount' 'no flag' --access w --path /sys/kernel
    [ -e /proc/interrupts ] || skip "this kernel has no /proc/interrupts"
    run cloche exec box cat /proc/interrupts
    expect_output ''
    asked 'masked path' 'no flag' --access r --path /proc/interrupts
}

@test "files: noexec, nosuid, permissions, no_new_privs" {
    need_program jq
    start_box --tmpfs /scratch --user 1000 --security-opt no-new-privileges
    cloche exec --user 0 box cp /bin/true /scratch/prog
    cloche exec --user 0 box sh -c 'chmod 755 /scratch/prog'
    denied 'ermission denied' sh -c /scratch/prog
    asked 'noexec mount' '--tmpfs /scratch:exec' --access x --path /scratch/prog
    denied 'Permission denied' cat /etc/shadow
    asked permissions '--user' --access r --path /etc/shadow
    cloche exec --user 0 box sh -c 'cp /probe /usr/bin/be && chmod 4755 /usr/bin/be'
    denied EPERM /usr/bin/be be_root
    asked no_new_privs no-new-privileges --access x --path /usr/bin/be
}

@test "devices: a node that the rules deny, one that is not there" {
    need_program jq
    start_box --cap-add MKNOD
    cloche exec box mknod /root/disk b 8 0
    denied 'not permitted' head -c 1 /root/disk
    asked 'device cgroup' --device --access r --path /root/disk
    denied 'No such file' head -c 1 /dev/kmsg
    asked 'missing device' '--device /dev/kmsg' --access r --path /dev/kmsg
    allowed --access rw --path /dev/null
}

@test "what has happened: forks past the limit, memory, descriptors" {
    need_program jq
    start_box --pids-limit 4
    cloche exec box sh -c 'for i in 1 2 3 4 5 6; do sleep 5 & done; true' || true
    asked 'cgroup limit' --pids-limit
    cloche rm -f box >/dev/null
    cloche run -d --name box --ulimit nofile=10:10 alpine \
        sh -c 'exec 3</ 4</ 5</ 6</ 7</ 8</ 9</; exec sleep 1000' >/dev/null
    cloche exec box true
    # shellcheck disable=SC2317 # called by wait_until
    is_full() { asked rlimit '--ulimit nofile'; }
    wait_until is_full
}

@test "what has happened: the OOM killer, in one that runs and one that has ended" {
    need_program jq
    start_box --memory 16m
    run cloche exec box sh -c 'x=$(head -c 60000000 /dev/zero | tr "\0" x); echo ${#x}'
    [ "$status" -ne 0 ]
    asked 'cgroup limit' --memory
    cloche rm -f box >/dev/null
    cloche run --name box --memory 16m alpine sh -c 'x=$(head -c 60000000 /dev/zero | tr "\0" x); echo ${#x}' || true
    asked 'cgroup limit' --memory
}

@test "--record-denials: seccomp's refusals are told, of this container alone, also when it is over" {
    need_program jq
    cloche run --name quiet alpine mount -t tmpfs none /mnt || true
    # Again and again: the kernel drops records that come too fast, whoever's they are.
    cloche run -d --name box --record-denials alpine sh -c 'while :; do mount -t tmpfs none /mnt; sleep 1; done' >/dev/null
    cloche run -d --name other --record-denials alpine sh -c 'while :; do unshare -U true; sleep 1; done' >/dev/null
    # shellcheck disable=SC2317 # called by wait_until
    is_recorded() { asked seccomp '--cap-add SYS_ADMIN'; }
    dmesg >/dev/null 2>&1 || skip "the kernel's log can't be read here"
    wait_until is_recorded
    run --separate-stderr cloche why --json box
    [ "$(jq -r '[.findings[] | select(.layer == "seccomp") | .what] | unique | join(" ")' <<<"$output")" = mount ]
    cloche stop -t 0 box >/dev/null
    asked seccomp '--cap-add SYS_ADMIN'
    run cloche why quiet
    expect_text 'nothing that the kernel has kept'
    run cloche inspect --format '{{.HostConfig.SecurityOpt}}' box
    expect_output '[record-denials]'
}

@test "nothing is tried, and what is not known is not guessed" {
    start_box
    before=$(cloche exec box ls -la /tmp)
    run cloche why box -- rm -rf /tmp
    expect_status 0
    [ "$(cloche exec box ls -la /tmp)" = "$before" ]
    run cloche why box --syscall no_such_call
    expect_one_line_error 'no such call'
    run cloche why box --cap net_rav
    expect_one_line_error 'did you mean'
    run cloche why box --path relative
    expect_one_line_error absolute
    run cloche why no-such-box
    expect_one_line_error no-such-box
    run cloche why box --access q --path /
    expect_one_line_error 'r, w and x'
}

@test "every line fits into 80 columns" {
    start_box
    run cloche why box --syscall keyctl --syscall mount --cap net_raw --path /proc/sys/kernel/hostname --path /sys/fs/x -- ping /x
    expect_status 0
    [ "$(wc -L <<<"$output")" -le 80 ]
}
