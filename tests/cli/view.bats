#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche view on containers: each part of it against what the container or the host says itself; JSON by its documented keys; the page by itself.

bats_require_minimum_version 1.5.0
load helper

inside() { # SECTION NAME: the inside of a row of box
    jq -r --arg section "$1" --arg name "$2" '.[$section][$name].inside' <<<"$output"
}

items() { # SECTION NAME SIDE
    jq -r --arg section "$1" --arg name "$2" --arg side "$3" '.[$section][$name][]?[$side]' <<<"$output"
}

@test "every row of a container is own, the host's, or compared" {
    need_program jq
    cloche run -d --name box alpine sleep 1000 >/dev/null
    run --separate-stderr cloche view --json box
    expect_status 0
    [ "$(jq -r '[.container, .engine] | join(" ")' <<<"$output")" = "box cloche" ]
    [ "$(jq -r '.process | [.pid, .parent, .hostname, .domain, .cgroup] | map(.verdict) | unique | join(" ")' <<<"$output")" = own ]
    [ "$(jq -r '[.network.interfaces, .ipc["shared memory"], .ipc["POSIX queues"], .clock.uptime, .files.root, .files.mounts] | map(.verdict) | unique | join(" ")' <<<"$output")" = own ]
    [ "$(jq -r '.process.user.verdict' <<<"$output")" = shared ]
    [ "$(jq -c .shared <<<"$output")" = '["user"]' ]
    [ "$(jq -r '.security.label.verdict' <<<"$output")" = same ]
}

@test "what view says is what the container says itself" {
    need_program jq
    cloche run -d --name box --hostname glass -m 64m --pids-limit 20 alpine sleep 1000 >/dev/null
    run --separate-stderr cloche view --json box
    expect_status 0
    [ "$(inside process hostname)" = "$(cloche exec box hostname)" ]
    [ "$(inside process limits)" = "memory 64MiB, pids 20" ]
    [[ "$(inside process usage)" =~ ^memory\ .*,\ pids\ 1,\ cpu\  ]]
    [ "$(inside files mounts)" = "$(cloche exec box sh -c 'wc -l </proc/self/mountinfo')" ]
    [[ "$(inside security capabilities)" == "11: chown, "* ]]
    [[ "$(inside security capabilities)" != *beyond* ]]
    [ "$(inside security seccomp)" = "1 filter" ]
    [ "$(inside clock offsets)" = "monotonic +0 s, boottime +0 s" ]
}

@test "view says what lies below masks, and what leads outside" {
    need_program jq
    cloche run -d --name box -v /etc/hostname:/h:ro alpine sleep 1000 >/dev/null
    run --separate-stderr cloche view --json box
    expect_status 0
    # This machine's kernel may not have each of them.
    [[ "$(items files masked inside)" == *"/sys/firmware"* ]]
    [[ "$(items files masked host)" == *"tables of the firmware"* ]]
    [[ "$(items files 'from the host' inside)" == *"/h (read-only)"* ]]
    [[ "$(items files read-only inside)" == *"/proc/sys"* ]]
    [ -z "$(items files 'descriptor outside' host)" ]
}

@test "capabilities beyond the default are said twice" {
    cloche run -d --name box --cap-add SYS_ADMIN --cap-add NET_RAW alpine sleep 1000 >/dev/null
    run cloche view box
    expect_match 'capabilities .*\| 13: chown, .*; beyond the default: net_raw, sys_admin  own'
}

@test "IPC objects of a container are listed, the host's are not" {
    need_program ipcmk nsenter
    cloche run -d --name box alpine sleep 1000 >/dev/null
    nsenter --ipc="/proc/$(container_pid box)/ns/ipc" ipcmk -M 4096 >/dev/null
    run cloche view box
    expect_match 'shared memory .*\| 1 segments, 0 queues, 0 semaphore sets  own'
    expect_match 'object .*\| shared memory [0-9]+: 4096 bytes, key 0x'
}

@test "view ends with what is shared, what that means, and the flag against it" {
    cloche run -d --name open --network host --pid host --time host alpine sleep 1000 >/dev/null
    run cloche view open
    expect_status 0
    expect_match 'Shared with the host:'
    expect_match 'net +same interfaces, .*\(private by --network none\)'
    expect_match 'pid +sees the host.s processes, .*\(private by --pid private\)'
    expect_match 'time +same uptime .*\(private by --time private\)'
    # The flags are true: with them, nothing of it is left.
    cloche run -d --name shut --network none --pid private --time private alpine sleep 1000 >/dev/null
    run bash -c 'cloche view --json shut | jq -c .shared'
    expect_output '["user"]'
}

@test "the page needs nothing else and can't be made to run anything" {
    need_program python3
    cloche run -d --name box alpine sh -c 'while :; do sleep 1000; done # <script>alert(1)</script>' >/dev/null
    run --separate-stderr cloche view --html box
    expect_status 0
    [[ "$output" == '<!DOCTYPE html>'* ]]
    expect_text "default-src 'none'"
    expect_text '&lt;script&gt;alert(1)'
    refute_text '<script'
    refute_text 'http:'
    refute_text 'https:'
    # Into a file, and whole: a second one replaces it.
    cloche view --html="$BATS_TEST_TMPDIR/page.html" box
    cloche view --html="$BATS_TEST_TMPDIR/page.html" box
    [ "$(tail -n 1 "$BATS_TEST_TMPDIR/page.html")" = '</html>' ]
    [ "$(find "$BATS_TEST_TMPDIR" -name '*page*' | wc -l)" = 1 ]
    python3 - "$BATS_TEST_TMPDIR/page.html" <<'PY'
import html.parser, sys

class Check(html.parser.HTMLParser):
    void = {'meta', 'col', 'path', 'circle'}
    def __init__(self):
        super().__init__()
        self.open = []
    def handle_starttag(self, tag, attributes):
        assert tag not in ('script', 'link', 'img', 'iframe', 'object', 'embed', 'base', 'form'), tag
        assert not any(name.startswith('on') or name in ('src', 'href', 'style') for name, _ in attributes), attributes
        if tag not in self.void:
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        pass
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

check = Check()
check.feed(open(sys.argv[1], encoding='utf-8').read())
assert check.open == [], check.open
PY
}

@test "every key of the JSON is one that the document names" {
    need_program jq
    cloche run -d --name box -v /etc/hostname:/h alpine sleep 1000 >/dev/null
    run --separate-stderr cloche view --json box
    expect_status 0
    # shellcheck disable=SC2016 # the backquotes are Markdown
    known=$(grep -oE '`[^`]+`|"[a-z]+"' "$CHECKOUT/docs/lens-json.md" | tr -d '`"')
    while read -r key; do
        grep -qxF "$key" <<<"$known" || { echo "not in docs/lens-json.md: $key" >&2; return 1; }
    done < <(jq -r '[paths | map(strings)[]] | unique[]' <<<"$output")
}

@test "an ordinary user sees what is theirs, with the id map drawn" {
    need_program setpriv unshare
    cp "$CLOCHE_BUILD/cloche" "$WORLD/cloche"
    cat >"$BATS_TEST_TMPDIR/script" <<'END'
unshare -U -r sleep 60 >/dev/null 3>&- &
while ! grep -q sleep "/proc/$!/comm"; do :; done
"$WORLD/cloche" view "$!"
kill "$!"
END
    run setpriv --reuid 65534 --regid 65534 --clear-groups sh <"$BATS_TEST_TMPDIR/script"
    expect_status 0
    expect_match 'user +65534 [^|]*\| 0 \(root\)  own'
    expect_match 'user map +65534 → +\| 0  own'
    expect_match 'capabilities .*\| all [0-9]+'
    expect_match 'user namespace +[0-9]+ +\| [0-9]+  own'
    expect_match 'mnt namespace +[0-9]+ +\| [0-9]+  shared with host'
    rm "$WORLD/cloche"
}

@test "view refuses what can't be" {
    run cloche view --json --html 1
    expect_one_line_error "--json and --html exclude each other"
    run cloche view --html=/nowhere/at/all.html 1
    expect_one_line_error "/nowhere/at/all.html"
}
