#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The default isolation, as the program inside sees it: capabilities, seccomp, masks, devices, mounts, descriptors, files of ours.

load helper

setup_file() {
    world_setup_file
    "${CC:-cc}" -O1 -static -o "$WORLD/probe" "$BATS_TEST_DIRNAME/probe.c" 2>"$WORLD/cc.log" || PROBE_MISSING="no static C program can be built here: $(head -n 1 "$WORLD/cc.log")"
    export PROBE_MISSING
}

# probe [OPTION...] -- CALL...: one container, "CALL: result" a line.
probe() {
    local options=()
    [ -z "${PROBE_MISSING:-}" ] || skip "$PROBE_MISSING"
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    run cloche run --rm -v "$WORLD/probe:/probe:ro" "${options[@]}" alpine /probe "$@"
    expect_status 0
}

status_field() {
    cloche run --rm "${@:2}" alpine sed -n "s/^$1:[[:space:]]*//p" /proc/self/status
}

@test "capabilities of root: the eleven, none inheritable, none ambient" {
    run cloche run --rm alpine grep ^Cap /proc/self/status
    expect_output $'CapInh:\t0000000000000000\nCapPrm:\t00000000800405fb\nCapEff:\t00000000800405fb\nCapBnd:\t00000000800405fb\nCapAmb:\t0000000000000000'
}

@test "capabilities of another user: none but the bounding set" {
    run cloche run --rm -u 1000:1000 alpine grep ^Cap /proc/self/status
    expect_output $'CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t00000000800405fb\nCapAmb:\t0000000000000000'
}

@test "a seccomp filter is loaded, and exec has it too" {
    [ "$(status_field Seccomp)" = 2 ]
    cloche run -d --name box alpine sleep 1000
    run cloche exec box sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status
    expect_output 2
    run cloche exec box grep ^Cap /proc/self/status
    expect_text $'CapInh:\t0000000000000000'
    expect_text $'CapEff:\t00000000800405fb'
}

@test "AF_ALG, AF_VSOCK and raw sockets are refused, ordinary sockets are not" {
    probe -- socket=1 socket=2 socket=10 socket=38 socket=40 raw_socket
    expect_line 'socket=1: ok'
    expect_line 'socket=2: ok'
    expect_line 'socket=10: ok'
    expect_line 'socket=38: EAFNOSUPPORT'
    expect_line 'socket=40: EAFNOSUPPORT'
    expect_line 'raw_socket: EPERM'
}

@test "calls that reach the host are denied; unknown ones don't exist" {
    probe -- mount umount fsopen unshare=0x10000000 clone=0x10000000 keyctl add_key bpf perf_event_open userfaultfd io_uring_setup finit_module kexec_load \
        reboot clock_settime swapon open_by_handle_at setns
    local line
    while read -r line; do
        [[ $line == *": EPERM" || $line == *": ENOSYS" ]] || { echo "not denied: $line" >&2; return 1; }
    done <<<"$output"
    probe -- no_such_call clone3
    expect_line 'no_such_call: ENOSYS'
    expect_line 'clone3: ENOSYS' # so that libraries fall back to clone, whose flags can be looked at
    probe -- chroot ptrace
    expect_line 'chroot: ok'
    expect_line 'ptrace: ok'
}

@test "mknod of any device is denied, and with the capability the device cgroup still guards it" {
    probe -- mknod
    expect_output 'mknod: EPERM'
    probe --cap-add MKNOD -- mknod open_disk_node
    expect_line 'mknod: ok'
    expect_line 'open_disk_node: EPERM'
}

@test "masked files read as empty, masked directories are empty, and neither can be written" {
    local path inside
    for path in /proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list \
        /proc/timer_stats /sys/devices/virtual/powercap /sys/firmware /sys/fs/selinux; do
        [ -e "$path" ] || continue
        # shellcheck disable=SC2016 # the inner shell's
        inside+=$(printf 'test -d %s && { test -z "$(ls -A %s)" || echo "%s is not empty"; touch %s/x 2>/dev/null && echo "%s can be written"; }\n' \
            "$path" "$path" "$path" "$path" "$path")$'\n'
        # shellcheck disable=SC2016
        inside+=$(printf 'test -f %s && echo "%s is a file"; test -c %s && { test "$(stat -c %%t:%%T %s)" = 1:3 || echo "%s is not null"; }\n' \
            "$path" "$path" "$path" "$path" "$path")$'\n'
    done
    run cloche run --rm alpine sh -c "$inside echo looked"
    expect_output looked
}

@test "thermal throttle counters of the CPUs are masked" {
    compgen -G '/sys/devices/system/cpu/cpu*/thermal_throttle' >/dev/null || skip "this machine has no thermal_throttle directories"
    run cloche run --rm alpine sh -c 'ls -A /sys/devices/system/cpu/cpu*/thermal_throttle | grep -v "^/sys" | grep .'
    expect_status 1
}

@test "/proc/sys and its kind are read-only, /sys too" {
    local path
    for path in /proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger; do
        [ -e "$path" ] || continue
        run cloche run --rm alpine grep " $path " /proc/mounts
        expect_match "^proc $path proc ro,"
    done
    run cloche run --rm alpine sh -c 'echo 1 >/proc/sys/kernel/msgmax'
    expect_status 1
    expect_text 'Read-only file system'
    if [ -e /proc/sysrq-trigger ]; then
        run cloche run --rm alpine sh -c 'echo h >/proc/sysrq-trigger'
        expect_status 1
        expect_text 'Read-only file system'
    fi
    run cloche run --rm alpine grep ' /sys ' /proc/mounts
    expect_match '^sysfs /sys sysfs ro,nosuid,nodev,noexec'
}

@test "/dev: exactly the default devices, with their numbers and modes" {
    run cloche run --rm alpine ls /dev
    expect_output "$(printf '%s\n' fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero)"
    run cloche run --rm alpine stat -c '%n %t:%T %a %U:%G' /dev/full /dev/null /dev/random /dev/tty /dev/urandom /dev/zero
    expect_output "$(printf '%s root:root\n' '/dev/full 1:7 666' '/dev/null 1:3 666' '/dev/random 1:8 666' '/dev/tty 5:0 666' '/dev/urandom 1:9 666' '/dev/zero 1:5 666')"
    run cloche run -t --rm alpine sh -c 'ls /dev/console; stat -c %t:%T /dev/console'
    expect_match '/dev/console'
    run cloche run --rm alpine sh -c 'for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done'
    expect_output $'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx'
    run cloche run --rm alpine sh -c 'grep -E " /dev(/(pts|shm|mqueue))? " /proc/mounts | cut -d " " -f 2,3'
    expect_output $'/dev tmpfs\n/dev/pts devpts\n/dev/mqueue mqueue\n/dev/shm tmpfs'
}

@test "no-new-privileges: a set-uid program gains nothing" {
    # As set-uid root, run by nobody: is it root?
    # shellcheck disable=SC2016 # the inner shell's
    local script='cp /probe /tmp/gain && chmod 4755 /tmp/gain && su -s /bin/sh nobody -c "/tmp/gain be_root"'
    [ -z "${PROBE_MISSING:-}" ] || skip "$PROBE_MISSING"
    run cloche run --rm -v "$WORLD/probe:/probe:ro" alpine sh -c "$script"
    expect_output 'be_root: ok' # as in Docker …
    run cloche run --rm --security-opt no-new-privileges -v "$WORLD/probe:/probe:ro" alpine sh -c "$script"
    expect_output 'be_root: EPERM' # … and here it does not
}

@test "no mount of the host can be seen, and no mount spreads in either direction" {
    run cloche run --rm alpine cat /proc/self/mountinfo
    refute_text "$WORLD/root/containers/"*" / "
    expect_match ' / / '
    refute_text 'shared:'
    refute_text 'master:'
}

@test "the program holds its three streams and no other descriptor" {
    cloche run -d --name box alpine sleep 1000
    run cloche exec box ls /proc/1/fd
    expect_output $'0\n1\n2'
    run cloche exec box sh -c 'for fd in 0 1 2; do readlink /proc/1/fd/$fd; done'
    expect_match $'^/dev/null\npipe:\\[[0-9]+\\]\npipe:\\[[0-9]+\\]$'
    cloche run -dt --name terminal alpine sleep 1000
    run cloche exec terminal sh -c 'for fd in /proc/1/fd/*; do readlink $fd; done'
    expect_output $'/dev/pts/0\n/dev/pts/0\n/dev/pts/0'
    run cloche exec box sh -c 'ls /proc/self/fd | wc -l'
    expect_output 4
}

@test "descriptors that cloche itself inherited do not reach the container" {
    run cloche run --rm alpine sh -c 'ls /proc/self/fd | wc -l' 7</etc/shadow 8</ 9>"$BATS_TEST_TMPDIR/x"
    expect_output 4
    cloche run -d --name box alpine sleep 1000 7</etc/shadow 8</
    run cloche exec box sh -c 'ls /proc/1/fd | wc -l; ls /proc/self/fd | wc -l' 7</etc/shadow 8</
    expect_output $'3\n4'
}

@test "working directory, umask, session, groups, signal masks and niceness are as for a new program" {
    run cloche run --rm alpine sh -c 'pwd; umask; id'
    expect_output $'/\n0022\nuid=0(root) gid=0(root) groups=0(root),1(bin),2(daemon),3(sys),4(adm),6(disk),10(wheel),11(floppy),20(dialout),26(tape),27(video)'
    run bash -c 'trap "" HUP INT USR1 PIPE; umask 077; nice -n 5 cloche run --rm alpine sh -c "umask; grep -E ^Sig[BI] /proc/self/status; cut -d \" \" -f 6 /proc/1/stat"'
    expect_output $'0022\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n1'
}

@test "private namespaces: processes, time, network, hostname, IPC" {
    run cloche run --rm alpine sh -c 'set -- /proc/[0-9]*; echo "$@"'
    expect_output /proc/1
    local n
    for n in mnt uts ipc pid net cgroup time; do
        run cloche run --rm alpine readlink "/proc/self/ns/$n"
        [ "$output" != "$(readlink "/proc/self/ns/$n")" ] || { echo "$n is shared" >&2; return 1; }
    done
    run cloche run --rm alpine sh -c 'ls /proc/sysvipc >/dev/null && tail -n +2 /proc/sysvipc/shm /proc/sysvipc/msg 2>/dev/null | grep -c "^ *[0-9]"'
    expect_output 0
}

@test "the container's uptime is its own when asked for, and never runs backwards" {
    run cloche run --rm alpine cat /proc/self/timens_offsets
    expect_match 'monotonic +0 +0'
}

@test "one container can't see or signal another's processes" {
    cloche run -d --name one alpine sleep 1111
    run cloche run --rm alpine ps -o args
    refute_text 1111
    # shellcheck disable=SC2016 # the inner shell's
    run cloche run --rm alpine sh -c 'kill -9 -1; echo alive'
    is_status one running
}

@test "a container's first process can be neither killed nor stopped from inside" {
    cloche run -d --name box alpine sleep 1000
    cloche exec box sh -c 'kill -9 1; kill -STOP 1'
    is_status box running
    run cloche exec box awk '/^State/ { print $2 }' /proc/1/status
    expect_output S
}

@test "/etc/hosts, /etc/hostname, /etc/resolv.conf are the container's own and can be written without harm" {
    local before
    before=$(sha256sum /etc/hosts /etc/resolv.conf 2>/dev/null || true)
    run cloche run --rm alpine sh -c 'grep -c localhost /etc/hosts; test "$(cat /etc/hostname)" = "$(hostname)" && echo same; echo evil | tee -a /etc/hosts /etc/hostname /etc/resolv.conf >/dev/null && echo written'
    expect_match $'^[1-9]\nsame\nwritten$'
    [ "$(sha256sum /etc/hosts /etc/resolv.conf 2>/dev/null || true)" = "$before" ]
}

@test "what cloche stores is for root alone" {
    cloche run -d --name box alpine sleep 1000
    [ "$(stat -c %a:%U "$CLOCHE_ROOT")" = 700:root ]
    [ "$(stat -c %a:%U "$CLOCHE_STATE")" = 700:root ]
    run find "$CLOCHE_ROOT" "$CLOCHE_STATE" -maxdepth 1 -mindepth 1 -perm /022 -not -type l
    expect_output ''
}

@test "the monitor: no privilege to gain from, no descriptors of the caller, no controlling terminal" {
    local pid monitor
    cloche run -d --name box alpine sleep 1000 7</etc/shadow
    pid=$(container_pid box)
    monitor=$(awk '{ print $4 }' "/proc/$pid/stat")
    # It becomes the monitor while the program runs already, and then lets go of what it needs no more.
    wait_until eval '[ "$(cat "/proc/$monitor/comm")" = cloche-monitor ] && [ "$(readlink "/proc/$monitor/cwd")" = / ]'
    run readlink "/proc/$monitor/fd/0" "/proc/$monitor/fd/1" "/proc/$monitor/fd/2"
    expect_output $'/dev/null\n/dev/null\n/dev/null'
    wait_until eval '[ -z "$(find "/proc/$monitor/fd" -lname /etc/shadow)" ]'
    [ "$(awk '{ print $7 }' "/proc/$monitor/stat")" = 0 ]
    [ "$(readlink "/proc/$monitor/cwd")" = / ]
}
