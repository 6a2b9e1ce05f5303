#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche-runtime: options of runc's and crun's command lines (docs/runtime-cli.md has all of them). What other files test is not here.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load helper
load runtime-helper

setup() {
    runtime_setup
    LISTENER=
}

teardown() {
    [ -z "$LISTENER" ] || kill "$LISTENER" 2>/dev/null || true
    runtime_teardown
    rm -rf "$WORLD/sockets"
}

# listen NAME TYPE: writes what the first message or datagram says, and what each descriptor with it is, to sockets/got.
listen() {
    mkdir -p "$WORLD/sockets"
    /usr/bin/python3 - "$1" "$2" "$WORLD/sockets/got" 3>&- <<'PYTHON' &
import array, os, socket, sys
path, kind, out = sys.argv[1:]
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if kind == "stream" else socket.SOCK_DGRAM)
server.bind(path + ".new")
if kind == "stream":
    server.listen(1)
os.rename(path + ".new", path)  # who sees it may connect
if kind == "stream":
    server = server.accept()[0]
text, controls, _, _ = server.recvmsg(65536, socket.CMSG_SPACE(64))
fds = array.array("i")
for level, what, data in controls:
    fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
with open(out + ".new", "w") as file:
    print(text.decode(), file=file)
    for fd in fds:
        print(os.readlink("/proc/self/fd/%d" % fd), file=file)
        print(*[line for line in open("/proc/self/fdinfo/%d" % fd) if line.startswith("Pid:")], file=file)
os.rename(out + ".new", out)
PYTHON
    LISTENER=$!
    wait_until test -S "$1"
}

got() {
    wait_until test -e "$WORLD/sockets/got"
    cat "$WORLD/sockets/got"
}

pid_of() {
    rt state box | jq .pid
}

@test "create, run: --config names another file than config.json" {
    script 'echo from other'
    mv "$BUNDLE/config.json" "$BUNDLE/other.json"
    run rt run --config other.json -b "$BUNDLE" box
    expect_status 0
    expect_line "from other"
    mv "$BUNDLE/other.json" "$WORLD/elsewhere.json"
    rt create -f "$WORLD/elsewhere.json" -b "$BUNDLE" box </dev/null >/dev/null 2>&1
    has_status box created
    run rt run -b "$BUNDLE" other
    expect_status 1
    expect_text "open $BUNDLE/config.json: No such file"
    rm "$WORLD/elsewhere.json"
}

@test "spec: --file names the file, and does not overwrite" {
    rm -f "$WORLD/made.json"
    rt spec -b "$WORLD" --file made.json
    [ "$(jq -r .ociVersion "$WORLD/made.json")" != null ]
    run rt spec -f "$WORLD/made.json"
    expect_status 1
    expect_text "cloche-runtime: $WORLD/made.json exists; remove it first"
    rm "$WORLD/made.json"
}

@test "create, run, exec: --no-subreaper asks for what is done" {
    script 'sleep 1000'
    rt run -d --no-subreaper -b "$BUNDLE" box
    rt exec --no-subreaper box true
    rt create --no-subreaper -b "$BUNDLE" second </dev/null >/dev/null 2>&1 || true
    rt delete -f second
}

@test "run: --pidfd-socket gets a pidfd of the first process" {
    listen "$WORLD/sockets/pidfd" stream
    script 'sleep 1000'
    rt run -d --pidfd-socket "$WORLD/sockets/pidfd" -b "$BUNDLE" box
    got | grep -q '^standard$'
    got | grep -q pidfd
    got | grep -qE "Pid:[[:space:]]+$(pid_of)\$"
}

@test "exec: --pidfd-socket gets one of that process; where nobody listens nothing runs" {
    start_idle
    listen "$WORLD/sockets/pidfd" stream
    rt exec -d --pid-file "$WORLD/sockets/pid" --pidfd-socket "$WORLD/sockets/pidfd" box sleep 1000
    got | grep -q '^setns$'
    got | grep -qE "Pid:[[:space:]]+$(cat "$WORLD/sockets/pid")\$"
    run rt exec --pidfd-socket /missing box touch /tmp/ran
    expect_status 255
    expect_text "--pidfd-socket: connect to /missing"
    [ ! -e "$BUNDLE/rootfs/tmp/ran" ]
    change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/other\""
    run rt run --pidfd-socket /missing -b "$BUNDLE" other
    expect_status 1
    expect_text "--pidfd-socket: connect to /missing"
    [ "$(rt list -q)" = box ]
}

@test "kill, delete: --regex means each container that it matches" {
    local id
    script 'trap "exit 0" TERM; while :; do sleep 0.1; done'
    for id in web-1 web-2 db; do
        change --arg id "$id" --arg parent "$CLOCHE_CGROUP_PARENT" '.linux.cgroupsPath = "/" + $parent + "/" + $id'
        rt run -d -b "$BUNDLE" "$id"
    done
    rt kill --regex '^web-[0-9]+$' KILL
    wait_until has_status web-1 stopped
    wait_until has_status web-2 stopped
    has_status db running
    run rt kill -r 'db|web-1' KILL
    expect_status 1 # the one that had ended
    expect_text "container not running: web-1"
    wait_until has_status db stopped
    rt delete -r '^web'
    [ "$(rt list -q)" = db ]
    rt delete -f --regex 'nobody'
    rt delete -f --regex '.'
    [ -z "$(rt list -q)" ]
    run rt delete --regex '('
    expect_status 1
    expect_text '--regex: "(" is no extended regular expression'
}

@test "--log: file:PATH, syslog:NAME, journald:NAME" {
    need_program unshare
    mkdir -p "$WORLD/sockets"
    run rt --log "file:$WORLD/sockets/log" state nobody
    expect_status 1
    grep -q 'level=error msg="container does not exist: nobody"' "$WORLD/sockets/log"
    listen "$WORLD/sockets/syslog" datagram
    # A /dev of its own, in which the logger's socket is ours.
    unshare --mount --propagation private sh -c 'mount --bind "$1" /run && mkdir -p /run/dev || exit 99
        ln -s "$3" /run/dev/log && mount --bind /run/dev /dev || exit 99; "$2" --log syslog:me --root /run/oci state nobody' \
        sh "$WORLD/sockets" "$(command -v cloche-runtime)" /run/syslog || [ $? -eq 1 ]
    got | grep -qE '^<27>me\[[0-9]+\]: container does not exist: nobody$'
}

@test "--log journald:NAME: in the journal's own protocol" {
    mkdir -p "$WORLD/sockets/systemd/journal"
    listen "$WORLD/sockets/systemd/journal/socket" datagram
    unshare --mount --propagation private sh -c 'mount --bind "$1" /run || exit 99; "$2" --log journald:me --root /run/oci state nobody' \
        sh "$WORLD/sockets" "$(command -v cloche-runtime)" || [ $? -eq 1 ]
    [ "$(got)" = "PRIORITY=3
SYSLOG_IDENTIFIER=me
MESSAGE=container does not exist: nobody" ]
}

@test "--log-level: what is below it is not said" {
    change '.annotations["run.oci.no_such_thing"] = "1"'
    script true
    run rt --log-level error run -b "$BUNDLE" box
    expect_status 0
    [ -z "$output" ]
    run rt run -b "$BUNDLE" box
    expect_status 0
    expect_line 'cloche-runtime: warning: annotations["run.oci.no_such_thing"]: unknown, and without effect'
    run rt --log-level debug run -b "$BUNDLE" box
    expect_text "debug: init  mount proc at /proc"
    run rt --log-level loud list
    expect_status 1
    expect_text "--log-level loud: expected error, warning or debug"
}

@test "--version: as dockerd, containerd, Podman and CRI-O read it; -v, -V; -?" {
    # dockerd takes what is before and after the word "version"; the others the first line.
    [ "$(rt --version | sed -n '1s/^\(.*\) version [0-9.]*[-a-z0-9.+]*$/\1/p')" = cloche-runtime ]
    rt --version | grep -qE '^spec: [0-9]+\.[0-9]+\.[0-9]+'
    [ "$(rt -v)" = "$(rt --version)" ]
    [ "$(rt -V)" = "$(rt --version)" ]
    rt '-?' | grep -q '^Usage:'
    rt kill '-?' | grep -q -- --regex
}

@test "--version: by dockerd's own rules and go-runc's" {
    local runtime='' version='' commit='' line first spec=''
    rt --version >"$WORLD/version"
    # dockerd: any line with the word "version" counts, and the last one wins; what is before its first "version" is the name, after its last the version
    while IFS= read -r line; do
        case $line in
        *version*) runtime=$(xargs <<<"${line%%version*}") version=$(xargs <<<"${line##*version}") ;;
        commit:*) commit=$(xargs <<<"${line#commit:}") ;;
        esac
    done <"$WORLD/version"
    [ "$runtime" = cloche-runtime ]
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+[-a-z0-9.+]*$ ]]
    [ -z "$commit" ] # or all of it
    # go-runc: the first line is "NAME version …", a line "spec: " has the rest; a name that is not runc is no error and leaves it empty
    IFS= read -r first <"$WORLD/version"
    [[ $first == "cloche-runtime version $version" ]]
    spec=$(sed -n 's/^spec: //p' "$WORLD/version")
    [ "$spec" = "$(rt features | jq -r .ociVersionMax)" ]
}

# options_of VERB: "yes --name", "yes -n", "refused --name", sorted, as its help has them.
options_of() {
    rt ${1:+"$1"} --help | sed -nE -e 's/^  (-.), (--[^ ]+).*/yes \1\nyes \2/p' -e 's/^      (--[^ ]+).*/yes \1/p' -e 's/^  refused: (--[a-z0-9-]+):.*/refused \1/p' | sort
}

# documented VERB: the same, as docs/runtime-cli.md has them.
documented() {
    awk -F ' *[|] *' -v verb="${1:-Global options}" '
        /^### / { here = substr($0, 5) == verb }
        here && /^[|] `/ && $5 != "" { count = split($2, names, /`[, ]*`?/); for (i = 1; i <= count; i++) if (names[i] != "") print $5, names[i] }' \
        "$HELPER_DIR/../../docs/runtime-cli.md" | sort
}

@test "docs/runtime-cli.md: its commands and options are those that there are" {
    local verb verbs
    verbs=$(rt --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
    [ "$(wc -w <<<"$verbs")" -ge 18 ]
    [ "$(sort <<<"$verbs")" = "$(sed -n 's/^### \([a-z]*\)$/\1/p' "$HELPER_DIR/../../docs/runtime-cli.md" | sort)" ]
    for verb in '' $verbs; do
        diff <(documented "$verb") <(options_of "$verb") || { echo "of the command: $verb" >&2; return 1; }
    done
}
