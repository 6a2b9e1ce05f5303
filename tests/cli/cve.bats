#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Mistakes that other engines made, each by the number it is known by: here they must not work. docs/SECURITY.md lists them with what stands in their way.

load helper

setup() {
    world_setup
    need_program python3 busybox
}

# image_of NAME PYTHON [OPTION...]: busybox under its many names, and what `entry(name, kind, data, **fields)` adds or puts in place of that.
image_of() {
    python3 - "$(command -v busybox)" "$BATS_TEST_TMPDIR/image.tar" "$2" <<'END'
import io, sys, tarfile
archive = tarfile.open(sys.argv[2], "w", format=tarfile.PAX_FORMAT)
entries = {}
def entry(name, kind="file", data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.mode = 0o755
    info.type = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE, "fifo": tarfile.FIFOTYPE}[kind]
    for key, value in fields.items():
        setattr(info, key, value)
    info.size = len(data)
    entries[name] = info, data
for name in "bin", "dev", "etc", "proc", "sys", "tmp", "usr", "usr/bin":
    entry(name, "dir")
entry("etc/passwd", data=b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
entry("bin/busybox", data=open(sys.argv[1], "rb").read())
for name in "cat id ls mount ps pwd sh sleep stat touch true tty wc".split():
    entry("bin/" + name, "symlink", linkname="busybox")
exec(sys.argv[3])
covered = [name for name, (info, _) in entries.items() if info.issym()]
for name, (info, data) in entries.items():
    if not any(name.startswith(link + "/") for link in covered):
        archive.addfile(info, io.BytesIO(data))
archive.close()
END
    cloche import "${@:3}" "$BATS_TEST_TMPDIR/image.tar" "$1" >/dev/null
}

fingerprint() {
    sha256sum "$CLOCHE_BUILD"/cloche "$CLOCHE_BUILD"/cloche-monitor
}

@test "CVE-2019-5736: /proc/self/exe as the program never is a program of the host" {
    local before
    before=$(fingerprint)
    run cloche run --rm alpine /proc/self/exe
    [ "$status" -ne 0 ]
    refute_text 'Usage:  cloche'
    image_of evil 'entry("bin/evil", data=b"#!/proc/self/exe\n")'
    run cloche run --rm evil /bin/evil
    [ "$status" -ne 0 ]
    refute_text 'Usage:  cloche'
    # From inside a running container: what joins it can't be written through /proc either.
    cloche run -d --name box alpine sleep 1000
    # shellcheck disable=SC2016 # the inner shell's
    cloche exec -d box sh -c 'while :; do for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" = /bin/busybox ] || { readlink $p/exe >>/seen; echo overwritten >$p/exe; }; done 2>/dev/null; done'
    for _ in $(seq 20); do cloche exec box true; done
    run cloche exec box cat /seen
    refute_text "$CLOCHE_BUILD"
    [ "$(fingerprint)" = "$before" ]
}

@test "CVE-2024-21626: a working directory in /proc/self/fd leads nowhere" {
    local fd
    for fd in $(seq 0 20); do
        run cloche run --rm -w "/proc/self/fd/$fd" alpine sh -c 'pwd; ls ../../.. 2>/dev/null'
        [ "$status" -ne 0 ] || { echo "fd $fd: accepted" >&2; show_run; return 1; }
    done
    cloche run -d --name box alpine sleep 1000
    for fd in $(seq 0 20); do
        run cloche exec -w "/proc/self/fd/$fd" box pwd
        [ "$status" -ne 0 ] || { echo "exec, fd $fd: accepted" >&2; show_run; return 1; }
    done
    image_of evil 'entry("way", "symlink", linkname="/proc/self/fd/7")' -c 'WORKDIR /way'
    run cloche run --rm evil pwd
    [ "$status" -ne 0 ]
    cloche rmi evil
}

@test "CVE-2022-29162, CVE-2022-27649, CVE-2022-27650: nothing is inheritable, in run and exec" {
    run cloche run --rm --cap-add ALL alpine grep -E '^Cap(Inh|Amb)' /proc/self/status
    expect_output $'CapInh:\t0000000000000000\nCapAmb:\t0000000000000000'
    cloche run -d --name box alpine sleep 1000
    run cloche exec --privileged -u nobody box grep -E '^Cap(Inh|Amb)' /proc/self/status
    expect_output $'CapInh:\t0000000000000000\nCapAmb:\t0000000000000000'
}

@test "CVE-2018-10856: a user that is not root holds no capabilities" {
    run cloche run --rm -u nobody --cap-add ALL alpine grep -E '^Cap(Prm|Eff)' /proc/self/status
    expect_output $'CapPrm:\t0000000000000000\nCapEff:\t0000000000000000'
    cloche run -d --name box -u nobody alpine sleep 1000
    run cloche exec box grep -E '^Cap(Prm|Eff)' /proc/self/status
    expect_output $'CapPrm:\t0000000000000000\nCapEff:\t0000000000000000'
}

@test "CVE-2024-9676: a FIFO, a device, a link or a huge file as /etc/passwd does not hang or mislead" {
    image_of fifo 'entry("etc/passwd", "fifo"); entry("etc/group", "fifo")'
    run timeout 60 cloche run --rm -u nobody fifo true
    expect_status 125
    expect_one_line_error
    run timeout 60 cloche run --rm -u 5 fifo id -u
    [ "$status" -ne 124 ]
    image_of linked 'entry("etc/passwd", "symlink", linkname="/../../../../../../etc/passwd-of-the-host"); entry("etc/passwd-of-the-host", data=b"inside:x:77:77::/:/bin/sh\n")'
    run cloche run --rm -u inside linked id -u
    expect_output 77 # a link stays inside the image
    image_of endless 'entry("etc/passwd", "symlink", linkname="/dev/zero")'
    run timeout 60 cloche run --rm -u nobody endless true
    expect_status 125
    image_of huge 'entry("etc/passwd", data=b"#" * 30000000)'
    run timeout 60 cloche run --rm -u nobody huge true
    expect_status 125
    expect_one_line_error
    cloche rmi fifo linked endless huge
}

@test "CVE-2026-55686: a working directory behind a link is made inside, never on the host" {
    mkdir "$BATS_TEST_TMPDIR/victim"
    image_of evil "entry('way', 'symlink', linkname='$BATS_TEST_TMPDIR/victim')" -c 'WORKDIR /way/made'
    run cloche run --rm evil pwd
    [ -z "$(ls -A "$BATS_TEST_TMPDIR/victim")" ]
    image_of up "entry('way', 'symlink', linkname='../../../../../../../../../../..$BATS_TEST_TMPDIR/victim')" -c 'WORKDIR /way/made'
    run cloche run --rm up pwd
    [ -z "$(ls -A "$BATS_TEST_TMPDIR/victim")" ]
    cloche rmi evil up
}

@test "CVE-2019-18837, CVE-2021-30465, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: links where mounts go stay inside the image" {
    mkdir "$BATS_TEST_TMPDIR/victim" "$BATS_TEST_TMPDIR/source"
    echo host >"$BATS_TEST_TMPDIR/victim/file"
    echo mounted >"$BATS_TEST_TMPDIR/source/file"
    image_of evil "entry('way', 'symlink', linkname='$BATS_TEST_TMPDIR/victim')"
    run cloche run --rm -v "$BATS_TEST_TMPDIR/source:/way" evil cat "$BATS_TEST_TMPDIR/victim/file"
    [ "$(cat "$BATS_TEST_TMPDIR/victim/file")" = host ]
    [ "$status" -ne 0 ] || expect_output mounted
    run cloche run --rm -v "$BATS_TEST_TMPDIR/source:/way/deeper" evil true
    [ "$(ls "$BATS_TEST_TMPDIR/victim")" = file ]
    cloche rmi evil
    local where
    for where in proc sys dev etc; do
        image_of "evil$where" "entry('$where', 'symlink', linkname='$BATS_TEST_TMPDIR/victim')"
        run cloche run --rm "evil$where" sh -c 'ls /proc/1/ns /sys/class >/dev/null; mount'
        [ "$(ls "$BATS_TEST_TMPDIR/victim")" = file ] || { echo "/$where as a link reached the host" >&2; return 1; }
        cloche rmi "evil$where"
    done
}

@test "CVE-2026-41579, CVE-2026-47766, CVE-2025-52565, CVE-2026-88264, CVE-2025-31133: links at /dev, /dev/console and /dev/null reach no file of the host" {
    mkdir "$BATS_TEST_TMPDIR/victim"
    echo untouched >"$BATS_TEST_TMPDIR/victim/null"
    echo untouched >"$BATS_TEST_TMPDIR/victim/console"
    chmod 640 "$BATS_TEST_TMPDIR/victim"/*
    image_of evil "entry('dev', 'dir'); entry('dev/null', 'symlink', linkname='$BATS_TEST_TMPDIR/victim/null'); entry('dev/console', 'symlink', linkname='$BATS_TEST_TMPDIR/victim/console'); entry('dev/pts', 'symlink', linkname='/proc')"
    run cloche run -t --rm evil sh -c 'stat -c %t:%T /dev/null; wc -c </proc/kcore; tty'
    expect_status 0
    expect_match '^1:3'
    [ "$(cat "$BATS_TEST_TMPDIR/victim/null" "$BATS_TEST_TMPDIR/victim/console" | sort -u)" = untouched ]
    [ "$(stat -c %a:%U "$BATS_TEST_TMPDIR/victim/console")" = 640:root ]
    cloche rmi evil
}

@test "CVE-2019-16884: the image's /proc is never taken for the kernel's" {
    image_of evil 'entry("proc", "dir"); entry("proc/self", "dir"); entry("proc/self/attr", "dir"); entry("proc/self/attr/exec", data=b"fake"); entry("proc/sys", "dir")'
    run cloche run --rm evil stat -f -c %T /proc
    expect_output proc
    run cloche run --rm -v /tmp:/proc alpine true
    [ "$status" -ne 0 ]
    expect_one_line_error /proc
    run cloche run --rm -v /tmp:/proc/self/attr alpine true
    [ "$status" -ne 0 ]
    expect_one_line_error /proc
    run cloche run --rm --tmpfs /proc alpine true
    [ "$status" -ne 0 ]
    cloche rmi evil
}

@test "CVE-2021-41091, CVE-2021-41103, CVE-2024-25621: no other user reaches a container's files" {
    need_program setpriv
    cloche run -d --name box alpine sleep 1000
    local path
    for path in "$CLOCHE_ROOT" "$CLOCHE_STATE"; do
        [ "$(stat -c %a "$path")" = 700 ]
        run setpriv --reuid 65534 --regid 65534 --clear-groups ls "$path"
        [ "$status" -ne 0 ]
    done
    path=$(find "$CLOCHE_ROOT/layers" -path '*/bin/busybox' | head -n 1)
    [ -n "$path" ]
    run setpriv --reuid 65534 --regid 65534 --clear-groups test -e "$path"
    [ "$status" -ne 0 ]
}

@test "CVE-2020-14370: no variable of one container comes up in the next" {
    cloche create --name one -e SECRET=first alpine env >/dev/null
    cloche create --name two alpine env >/dev/null
    SECRET=host run cloche start -a two
    refute_text SECRET
    run cloche start -a one
    expect_line SECRET=first
    run cloche start -a two
    refute_text SECRET
}

@test "CVE-2024-40635, CVE-2026-30892: user numbers that are too large or half a number are refused" {
    local user
    for user in 4294967296 4294967295 99999999999999999999 -1 0x0 '0 ' ' 0' 1e3 0:4294967296 +0; do
        run cloche run --rm -u "$user" alpine id -u
        [ "$status" -ne 0 ] || { echo "accepted: '$user'" >&2; show_run; return 1; }
    done
    cloche run -d --name box alpine sleep 1000
    for user in 4294967296 '0 ' 1000x 0x10; do
        run cloche exec -u "$user" box id -u
        [ "$status" -ne 0 ] || { echo "exec accepted: '$user'" >&2; show_run; return 1; }
    done
    image_of evil 'entry("etc/passwd", data=b"big:x:4294967296:0::/:/bin/sh\nneg:x:-1:0::/:/bin/sh\nhalf:x:12ab:0::/:/bin/sh\n")'
    for user in big neg half; do
        run cloche run --rm -u "$user" evil id -u
        [ "$status" -ne 0 ] || { echo "accepted: '$user'" >&2; show_run; return 1; }
    done
    cloche rmi evil
}

@test "CVE-2022-36109, CVE-2023-25173: supplementary groups are set, none of the caller's stay" {
    run cloche run --rm -u nobody alpine id -G
    expect_output 65534
    need_program setpriv
    run setpriv --groups 4242 cloche run --rm alpine id -G
    refute_text 4242
    run setpriv --groups 4242 cloche run --rm -u 1000 alpine id -G
    expect_output 0
}

@test "CVE-2023-25809: the cgroup tree can't be written" {
    # shellcheck disable=SC2016 # the inner shell's
    run cloche run --rm alpine sh -c 'find /sys/fs/cgroup -name cgroup.procs | while read -r f; do echo 0 >"$f" && echo "wrote $f"; done 2>/dev/null; echo done'
    expect_output 'done'
    run cloche run --rm --cgroupns host alpine sh -c 'mkdir /sys/fs/cgroup/evil /sys/fs/cgroup/memory/evil 2>/dev/null && echo made; echo done'
    expect_output 'done'
}

@test "CVE-2022-0492: no release agent from inside" {
    run cloche run --rm --cap-add SYS_ADMIN alpine sh -c 'find /sys/fs/cgroup -name release_agent | while read -r f; do echo /evil >"$f" && echo "wrote $f"; done 2>/dev/null; echo done'
    expect_output 'done'
}

@test "what joins a container shows it nothing of the host's" {
    cloche run -d --name box alpine sleep 1000
    # The container's root looks at every process that comes in: what it could open of one that has not become the command yet would be the host's.
    # shellcheck disable=SC2016 # the inner shell's
    cloche exec -d box sh -c 'while :; do for p in /proc/[0-9]*; do ls -l $p/fd 2>/dev/null; readlink $p/root $p/cwd; done >>/seen 2>/dev/null; done'
    for _ in $(seq 20); do cloche exec box true; done
    run cloche exec box cat /seen
    refute_text "$WORLD"
    refute_text /sys/fs/cgroup/
}

@test "CVE-2026-53488: labels and annotations of an image are data, not orders" {
    image_of evil '' -c "LABEL io.containerd.log=binary:///bin/sh?touch=$BATS_TEST_TMPDIR/ran" -c 'LABEL org.opencontainers.image.stopSignal=SIGKILL' -c 'ENV LD_PRELOAD=/evil.so'
    run cloche run --name box evil true
    [ ! -e "$BATS_TEST_TMPDIR/ran" ]
    run cloche inspect --format '{{.HostConfig.LogConfig.Type}}' box
    expect_output json-file
    cloche rm box
    cloche rmi evil
}

@test "CVE-2022-23648: volumes named by an image copy nothing from the host" {
    image_of evil '' -c 'VOLUME /../../../../../../../../etc'
    run cloche run --rm evil sh -c 'ls /etc; test -e /etc/shadow && echo copied'
    refute_text shadow
    refute_text copied
    cloche rmi evil
}

@test "CVE-2020-15257: no abstract socket of ours, also with the host's network" {
    need_program unshare
    # In a network of the test's own, where nobody else has sockets.
    run unshare -n sh -c 'cloche run -d --name box --network host alpine sleep 1000 >/dev/null && cat /proc/net/unix'
    expect_status 0
    refute_text '@'
    run cloche run --rm --network host alpine grep -i "$CLOCHE_STATE" /proc/net/unix
    refute_text '@'
}

@test "CVE-2026-31431: the page cache's side doors are closed (AF_ALG)" {
    cat >"$BATS_TEST_TMPDIR/alg.c" <<'END'
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
int main(void)
{
    printf("%s", socket(38, SOCK_SEQPACKET, 0) < 0 && errno == EAFNOSUPPORT ? "closed" : "open");
    return 0;
}
END
    cc -static -o "$BATS_TEST_TMPDIR/alg" "$BATS_TEST_TMPDIR/alg.c" || skip "no static C program can be built here"
    run cloche run --rm -v "$BATS_TEST_TMPDIR/alg:/alg:ro" alpine /alg
    expect_output closed
}

@test "CVE-2022-1227: looking at a container runs nothing of its own" {
    local tool lies=''
    for tool in ps top lsns nsenter newuidmap newgidmap ip hostname getent id; do
        lies+="entry('bin/$tool', data=b'#!/bin/busybox sh\n/bin/busybox touch /ran\n'); entry('usr/bin/$tool', data=b'#!/bin/busybox sh\n/bin/busybox touch /ran\n');"
    done
    image_of evil "$lies"
    cloche run -d --name box evil /bin/busybox sleep 1000
    cloche top box
    cloche view box
    cloche lsns --inside box
    cloche pid box 1
    cloche inspect box >/dev/null
    run cloche exec box /bin/busybox test -e /ran
    expect_status 1
    run cloche exec box ps # the trap works
    cloche exec box /bin/busybox test -e /ran
}
