#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The options of run and create, one test each: what the program inside sees of them.

load helper

@test "-e: given, from our own environment, unknown ones left out; the default environment" {
    export FROM_HOST=inherited
    run env -u NOT_SET cloche run --rm -e A=1 -e B='two words' -e FROM_HOST -e NOT_SET -e EMPTY= alpine env
    expect_status 0
    expect_line A=1
    expect_line 'B=two words'
    expect_line FROM_HOST=inherited
    expect_line EMPTY=
    expect_line PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    expect_line HOME=/root
    expect_match 'HOSTNAME=[0-9a-f]{12}'
    refute_text NOT_SET
    refute_text CLOCHE_
    refute_text TERM
    run cloche run -t --rm alpine sh -c 'echo $TERM'
    expect_line xterm
    run cloche run --rm -e PATH=/mine -e HOME=/elsewhere alpine /usr/bin/env
    expect_line PATH=/mine
    expect_line HOME=/elsewhere
}

@test "--env-file: one variable a line, comments and empty lines left out; -e wins" {
    printf '# a comment\n\nA=file\nB=x=y # z\nFROM_HOST\n' >"$BATS_TEST_TMPDIR/env"
    FROM_HOST=inherited run cloche run --rm --env-file "$BATS_TEST_TMPDIR/env" -e A=flag alpine env
    expect_status 0
    expect_line A=flag
    expect_line 'B=x=y # z'
    expect_line FROM_HOST=inherited
    refute_text comment
    run cloche run --rm --env-file /no/such/file alpine env
    expect_status 125
    expect_one_line_error /no/such/file
}

@test "-w: a directory that is there, one that is made, one that can't be" {
    run cloche run --rm -w /usr/bin alpine pwd
    expect_output /usr/bin
    run cloche run --rm -w /made/on/the/way alpine sh -c 'pwd; stat -c "%U %a" .'
    expect_output $'/made/on/the/way\nroot 755'
    run cloche run --rm -w relative alpine pwd
    expect_status 125
    expect_one_line_error relative "absolute path"
    run cloche run --rm -w /etc/passwd alpine pwd
    expect_status 125
    expect_one_line_error /etc/passwd
}

@test "-u: names, numbers, groups, and what is not there" {
    run cloche run --rm -u nobody alpine sh -c 'id -un; id -gn; echo $HOME'
    expect_output $'nobody\nnobody\n/'
    run cloche run --rm -u 1234 alpine id
    expect_output 'uid=1234 gid=0(root) groups=0(root)'
    run cloche run --rm -u 1234:5678 alpine id
    expect_output 'uid=1234 gid=5678 groups=5678'
    run cloche run --rm -u 0:audio alpine sh -c 'id -un; id -gn'
    expect_output $'root\naudio'
    run cloche run --rm -u daemon alpine id -Gn
    expect_output 'daemon bin adm'
    run cloche run --rm --group-add audio --group-add 4242 -u 1234 alpine id -G
    expect_output '0 18 4242'
    run cloche run --rm -u no-such-user alpine true
    expect_status 125
    expect_one_line_error no-such-user
    run cloche run --rm -u 0:no-such-group alpine true
    expect_status 125
    expect_one_line_error no-such-group
}

@test "-v: read and write, :ro, a single file, a source that is made, one inside another" {
    mkdir "$BATS_TEST_TMPDIR/dir" "$BATS_TEST_TMPDIR/inner"
    echo from the host >"$BATS_TEST_TMPDIR/dir/file"
    cd "$BATS_TEST_TMPDIR"
    run cloche run --rm -v "$PWD/dir:/mnt/deep" alpine sh -c 'cat /mnt/deep/file; echo from inside >/mnt/deep/back'
    expect_output 'from the host'
    [ "$(cat dir/back)" = 'from inside' ]
    run cloche run --rm -v ./dir:/data:ro alpine sh -c 'cat /data/file; touch /data/no'
    expect_status 1
    expect_text 'from the host'
    expect_text 'Read-only file system'
    run cloche run --rm -v "$PWD/dir/file:/etc/motd" alpine cat /etc/motd
    expect_output 'from the host'
    run cloche run --rm -v "$PWD/made/here:/data" alpine touch /data/x
    expect_status 0
    [ -e made/here/x ]
    run cloche run --rm -v "$PWD/dir:/a" -v "$PWD/inner:/a/b" alpine sh -c 'echo 1 >/a/b/one; ls /a'
    expect_output $'b\nback\nfile'
    [ -e inner/one ]
    run cloche run --rm -v "$PWD/dir/file:/etc/hosts:ro" alpine cat /etc/hosts
    expect_output 'from the host' # the user's own wins over ours
}

@test "-v ro does not leave a way to write through the mounts below" {
    need_program unshare
    mkdir -p "$BATS_TEST_TMPDIR/tree/below"
    # shellcheck disable=SC2016 # the inner shell's
    run unshare -m --propagation private sh -c 'mount -t tmpfs t "$1/tree/below" && cloche run --rm -v "$1/tree:/t:ro" alpine touch /t/below/x' \
        sh "$BATS_TEST_TMPDIR"
    expect_status 1
    expect_text 'Read-only file system'
}

@test "-v: what can't be is refused, and nothing is made" {
    run cloche run --rm -v name:/data alpine true
    expect_status 125
    expect_one_line_error "named volumes" "absolute source"
    run cloche run --rm -v /data alpine true
    expect_one_line_error "anonymous volumes"
    run cloche run --rm -v /tmp:relative alpine true
    expect_one_line_error "must be an absolute path"
    run cloche run --rm -v /tmp:/ alpine true
    expect_one_line_error "can't be"
    run cloche run --rm -v "$BATS_TEST_TMPDIR/new:/data:nonsense" alpine true
    expect_one_line_error nonsense
    [ ! -e "$BATS_TEST_TMPDIR/new" ]
    expect_no_containers
}

@test "--mount: bind, readonly, tmpfs, a missing source" {
    echo x >"$BATS_TEST_TMPDIR/file"
    run cloche run --rm --mount "type=bind,source=$BATS_TEST_TMPDIR,target=/data,readonly" alpine sh -c 'cat /data/file; touch /data/no'
    expect_status 1
    expect_text x
    expect_text 'Read-only file system'
    run cloche run --rm --mount type=tmpfs,dst=/scratch,tmpfs-size=1m,tmpfs-mode=1770 alpine \
        sh -c 'stat -f -c %T /scratch; stat -c %a /scratch; df -k /scratch | tail -n 1 | tr -s " " | cut -d " " -f 2'
    expect_output $'tmpfs\n1770\n1024'
    run cloche run --rm --mount "type=bind,src=$BATS_TEST_TMPDIR/none,dst=/data" alpine true
    expect_status 125
    expect_one_line_error "$BATS_TEST_TMPDIR/none" "No such file"
    [ ! -e "$BATS_TEST_TMPDIR/none" ]
    run cloche run --rm --mount type=bind,nonsense=1 alpine true
    expect_one_line_error nonsense
}

@test "-h: the host name and /etc/hostname; the default is the id" {
    run cloche run --rm -h glass --domainname under.example alpine sh -c 'hostname; cat /etc/hostname /proc/sys/kernel/domainname'
    expect_output $'glass\nglass\nunder.example'
    cloche run --name box alpine hostname >"$BATS_TEST_TMPDIR/name"
    [ "$(cat "$BATS_TEST_TMPDIR/name")" = "$(cloche ps -aq)" ]
}

@test "--network none: loopback alone, and it is up; --network host: the host's own" {
    run cloche run --rm --network none alpine sh -c 'ls /sys/class/net; ip -o addr show lo | grep -c "inet 127.0.0.1/8"; ping -c 1 -W 1 127.0.0.1 >/dev/null 2>&1; cat /sys/class/net/lo/flags'
    expect_output $'lo\n1\n0x9'
    run cloche run --rm --network host alpine readlink /proc/self/ns/net
    expect_output "$(readlink /proc/self/ns/net)"
    run cloche run --rm --net host alpine ls /sys/class/net
    expect_output "$(ls /sys/class/net)"
    run cloche run --rm --network bridge alpine true
    expect_status 125
    expect_one_line_error --network bridge
}

@test "--pid, --ipc, --uts, --cgroupns, --time host: each opens its one namespace and no other" {
    local flag inside name
    for flag in pid ipc uts cgroupns time; do
        name=${flag%ns}
        # shellcheck disable=SC2016 # the inner shell's
        inside=$(cloche run --rm "--$flag" host alpine sh -c 'for n in cgroup ipc mnt net pid time uts; do echo "$n $(readlink /proc/self/ns/$n)"; done')
        for each in cgroup ipc mnt net pid time uts; do
            if grep -qxF "$each $(readlink "/proc/self/ns/$each")" <<<"$inside"; then
                [ "$each" = "$name" ] || { echo "--$flag host shares $each, too" >&2; return 1; }
            else
                [ "$each" != "$name" ] || { echo "--$flag host does not share $each" >&2; return 1; }
            fi
        done
    done
    run cloche run --rm --host-time alpine readlink /proc/self/ns/time
    expect_output "$(readlink /proc/self/ns/time)"
    run cloche run --rm --uts host alpine hostname
    expect_output "$(hostname)"
    run cloche run --rm --uts host -h name alpine hostname
    expect_status 125
    expect_one_line_error --hostname "--uts host"
    # shellcheck disable=SC2016 # the inner shell's
    run cloche run --rm --pid host alpine sh -c 'test -d /proc/'"$$"' && test $$ -ne 1 && echo seen'
    expect_output seen
}

@test "--pid, --ipc, --uts, --time of another container or by nonsense are refused" {
    run cloche run --rm --pid container:x alpine true
    expect_status 125
    expect_one_line_error --pid container:x
    run cloche run --rm --ipc shareable alpine true
    expect_one_line_error --ipc shareable
}

@test "--ipc host: the host's /dev/shm" {
    echo shared >"/dev/shm/cloche-test-$$"
    run cloche run --rm --ipc host alpine cat "/dev/shm/cloche-test-$$"
    rm "/dev/shm/cloche-test-$$"
    expect_output shared
}

@test "--read-only: the root is, /dev/shm and mounts are not" {
    run cloche run --rm --read-only alpine touch /x
    expect_status 1
    expect_text 'Read-only file system'
    run cloche run --rm --read-only --tmpfs /tmp -v "$BATS_TEST_TMPDIR:/data" alpine sh -c 'touch /tmp/x /dev/shm/y /data/z && echo fine'
    expect_output fine
    run cloche run --rm --read-only alpine sh -c 'echo evil >>/etc/hosts'
    expect_status 1
    run cloche run --rm --read-only -w /not/there alpine pwd
    expect_status 0
    expect_output /not/there
}

@test "--tmpfs: Docker's defaults, and options" {
    run cloche run --rm --tmpfs /scratch alpine sh -c 'grep " /scratch " /proc/mounts | cut -d " " -f 3,4'
    expect_match '^tmpfs rw,nosuid,nodev,noexec,relatime'
    run cloche run --rm --tmpfs /scratch:size=2m,mode=700,exec alpine \
        sh -c 'stat -c %a /scratch; df -k /scratch | tail -n 1 | tr -s " " | cut -d " " -f 2; cp /bin/busybox /scratch/echo; /scratch/echo ran'
    expect_output $'700\n2048\nran'
    run cloche run --rm --tmpfs relative alpine true
    expect_one_line_error relative absolute
}

@test "--shm-size" {
    run cloche run --rm alpine sh -c 'df -k /dev/shm | tail -n 1 | tr -s " " | cut -d " " -f 2'
    expect_output 65536
    run cloche run --rm --shm-size 3m alpine sh -c 'df -k /dev/shm | tail -n 1 | tr -s " " | cut -d " " -f 2; stat -c %a /dev/shm'
    expect_output $'3072\n1777'
}

@test "--cap-add and --cap-drop, in every spelling" {
    capabilities() { cloche run --rm "$@" alpine sh -c 'while read -r k v; do [ "$k" = CapBnd: ] && echo "$v"; done </proc/self/status'; }
    [ "$(capabilities --cap-drop ALL)" = 0000000000000000 ]
    [ "$(capabilities --cap-drop all --cap-add CHOWN)" = 0000000000000001 ]
    [ "$(capabilities --cap-add NET_RAW)" = 00000000800425fb ]
    [ "$(capabilities --cap-add cap_net_raw --cap-drop CAP_CHOWN)" = 00000000800425fa ]
    [ "$(capabilities --cap-drop ALL --cap-add sys_chroot --cap-add KILL)" = 0000000000040020 ]
    run cloche run --rm --cap-add NET_RAV alpine true
    expect_status 125
    expect_one_line_error NET_RAV "did you mean" NET_RAW
    run cloche run --rm --cap-drop CHOWN alpine chown nobody /etc/motd
    expect_status 1
    expect_text 'Operation not permitted'
}

@test "--security-opt: no-new-privileges, seccomp=unconfined; others are refused" {
    status_field() { cloche run --rm "${@:2}" alpine sed -n "s/^$1:\t//p" /proc/self/status; }
    [ "$(status_field NoNewPrivs)" = 0 ]
    [ "$(status_field NoNewPrivs --security-opt no-new-privileges)" = 1 ]
    [ "$(status_field NoNewPrivs --security-opt no-new-privileges:true)" = 1 ]
    [ "$(status_field NoNewPrivs --security-opt no-new-privileges=false)" = 0 ]
    [ "$(status_field Seccomp --security-opt seccomp=unconfined)" = 0 ]
    run cloche run --rm --security-opt no-new-privilege alpine true
    expect_status 125
    expect_one_line_error no-new-privilege
}

@test "--entrypoint: replaces, and '' removes, the image's" {
    run cloche run --rm --entrypoint echo alpine instead
    expect_output instead
    run cloche run --rm --entrypoint '' alpine echo plain
    expect_output plain
}

@test "-l, --label-file: seen by inspect and by filters" {
    printf 'from=file\n# no\nbare\n' >"$BATS_TEST_TMPDIR/labels"
    cloche run -d --name labelled -l colour=blue -l flag --label-file "$BATS_TEST_TMPDIR/labels" alpine sleep 1000
    run cloche inspect --format '{{json .Config.Labels}}' labelled
    expect_output '{"bare":"","colour":"blue","flag":"","from":"file"}'
    run cloche ps -q --filter label=colour=blue --filter label=flag
    expect_match '^[0-9a-f]{12}$'
    run cloche ps -q --filter label=colour=red
    expect_output ''
}

@test "--ulimit" {
    run cloche run --rm --ulimit nofile=123:456 --ulimit core=0 alpine sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c'
    expect_output $'123\n456\n0'
    run cloche run --rm --ulimit nofile=2:1 alpine true
    expect_status 125
    expect_one_line_error nofile=2:1 "soft limit"
    run cloche run --rm --ulimit nosuch=1 alpine true
    expect_one_line_error "no such limit"
}

@test "--sysctl: the container's own, never the host's" {
    local before
    before=$(cat /proc/sys/kernel/msgmax)
    run cloche run --rm --sysctl kernel.msgmax=12345 --sysctl net.ipv4.ip_unprivileged_port_start=80 alpine \
        cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_unprivileged_port_start
    expect_output $'12345\n80'
    [ "$(cat /proc/sys/kernel/msgmax)" = "$before" ]
    run cloche run --rm --sysctl kernel.panic=1 alpine true
    expect_status 125
    expect_one_line_error kernel.panic
    run cloche run --rm --network host --sysctl net.ipv4.ip_forward=1 alpine true
    expect_status 125
    expect_one_line_error net.ipv4.ip_forward
}

@test "--dns, --dns-search, --dns-option, --add-host" {
    run cloche run --rm --dns 192.0.2.53 --dns 192.0.2.54 --dns-search a.example --dns-search b.example --dns-option ndots:3 alpine cat /etc/resolv.conf
    expect_output $'nameserver 192.0.2.53\nnameserver 192.0.2.54\nsearch a.example b.example\noptions ndots:3'
    run cloche run --rm --add-host one:192.0.2.1 --add-host six=2001:db8::1 alpine tail -n 2 /etc/hosts
    expect_output $'192.0.2.1\tone\n2001:db8::1\tsix'
    run cloche run --rm --add-host nonsense alpine true
    expect_status 125
    expect_one_line_error nonsense
}

@test "--device: the node is there and can be used; without it the cgroup says no" {
    run cloche run --rm --device /dev/null:/dev/other alpine sh -c 'echo gone >/dev/other; stat -c %t:%T /dev/other'
    expect_output 1:3
    run cloche run --rm --device /etc/passwd alpine true
    expect_status 125
    expect_one_line_error /etc/passwd "no device"
    run cloche run --rm --device /dev/no-such-device alpine true
    expect_one_line_error /dev/no-such-device
}

@test "--oom-score-adj" {
    run cloche run --rm --oom-score-adj 500 alpine cat /proc/self/oom_score_adj
    expect_output 500
}

@test "--stop-signal and --stop-timeout are what stop uses" {
    cloche run -d --name box --stop-signal USR1 --stop-timeout 30 alpine \
        sh -c 'trap "exit 21" USR1; echo ready; while :; do sleep 0.05; done'
    wait_until sh -c 'cloche logs box | grep -q ready'
    cloche stop box
    run cloche wait box
    expect_output 21
}

@test "--log-driver none: the terminal sees it, the log does not" {
    run cloche run --name box --log-driver none alpine echo seen
    expect_output seen
    run cloche logs box
    expect_status 1
    expect_one_line_error box none
}

@test "--init, -p, --restart, --privileged and other flags that are not built say so" {
    local flag
    for flag in --init --privileged "-p 80:80" "--restart always" "--userns host" "--gpus all" "--health-cmd x" "--volumes-from x"; do
        # shellcheck disable=SC2086 # flag and value
        run cloche run --rm $flag alpine true
        expect_status 125
        expect_one_line_error "not possible"
    done
    expect_no_containers
}

@test "options may stand in clusters, with = or without, and end at the image" {
    run cloche run --rm -eA=1 -e=B=2 --env=C=3 --env D=4 alpine sh -c 'echo $A$B$C$D -e --rm'
    expect_output '1234 -e --rm'
    run cloche run -dit --name=box alpine sh
    expect_status 0
    run cloche inspect --format '{{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.AttachStdout}}' box
    expect_output 'true true false'
    run cloche run --rm=false --rm -- alpine echo after
    expect_output after
}
