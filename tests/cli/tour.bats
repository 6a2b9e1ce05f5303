#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche tour: that it holds on this machine in both languages, and that it leaves nothing, however it ends.

bats_require_minimum_version 1.5.0
# shellcheck disable=SC2034 # read by helper.bash
WORLD_ALPINE=no
load helper

# Others make and use segments, too: those of one page without a key that nobody is attached to, and whose maker has ended, are left by a tour.
segments_of_tours() {
    awk 'NR > 1 && $1 == 0 && $4 == 4096 && $7 == 0 { print $5, $2 }' /proc/sysvipc/shm | while read -r maker segment; do
        [ -e "/proc/$maker" ] || echo "$segment"
    done
}

# Containers of the tour, and System V segments, which it also makes. Somebody else's that is just going looks like one that is left.
expect_nothing_left() {
    [ -z "$(cloche ps -aq)" ]
    wait_until no_segment_is_left
}

no_segment_is_left() {
    segments_of_tours | sort >"$BATS_TEST_TMPDIR/now"
    [ -z "$(comm -13 "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/now")" ]
}

setup() {
    world_setup
    segments_of_tours | sort >"$BATS_TEST_TMPDIR/before"
}

@test "the tour holds here, stage by stage" {
    run cloche tour --yes --lang en
    expect_status 0
    [ "$(grep -c '^── ' <<<"$output")" = 18 ]
    # Each stage has checked something, and shown at least one command with its output.
    awk '/^── / { if (stage && (!checked || !shown)) exit 1; stage = $2; checked = shown = 0 } /^✓ checked:/ { checked = 1 } /^\$ / { shown = 1 }' <<<"$output"
    expect_match 'checked: [0-9]+ ≠ self: time uts ipc net cgroup mnt pid'
    expect_match 'checked: [0-9]+ = self: user'
    expect_text 'under-glass'
    expect_text "This was the tour."
    expect_nothing_left
}

@test "導覽也說中文" {
    run cloche tour --non-interactive --lang zh-TW
    expect_status 0
    [ "$(grep -c '^── ' <<<"$output")" = 18 ]
    expect_text '已確認：'
    expect_text '導覽到此結束'
    expect_nothing_left
    run env -u LC_ALL -u LC_MESSAGES LANG=zh_TW.UTF-8 cloche tour </dev/null
    expect_text '容器其實是這台機器上的一個普通行程'
    run env LC_ALL=de_DE.UTF-8 cloche tour </dev/null
    expect_text 'A container is an ordinary process'
}

@test "Enter goes on, q leaves, and so does the end of the input" {
    run cloche tour --lang en <<<$'\n\nq'
    expect_status 0
    [ "$(grep -c '^── ' <<<"$output")" = 2 ]
    expect_text 'You have left the tour'
    expect_nothing_left
    run cloche tour --lang en <<<''
    expect_status 0
    [ "$(grep -c '^── ' <<<"$output")" = 1 ]
    expect_nothing_left
}

has_begun() {
    [ "$(grep -c '^✓' "$BATS_TEST_TMPDIR/out")" -ge 2 ]
}

@test "a signal ends the tour, and what it made" {
    mkfifo "$BATS_TEST_TMPDIR/keys"
    for signal in TERM INT HUP; do
        cloche tour --lang en <"$BATS_TEST_TMPDIR/keys" >"$BATS_TEST_TMPDIR/out" 3>&- &
        pid=$!
        exec 9>"$BATS_TEST_TMPDIR/keys"
        printf '\n\n' >&9
        wait_until has_begun
        [ -n "$(cloche ps -q)" ]
        kill -s "$signal" "$pid"
        code=0
        wait "$pid" || code=$?
        exec 9>&-
        [ "$code" = 130 ]
        expect_nothing_left
    done
}

@test "signals at any moment leave nothing" {
    for delay in 0.01 0.05 0.1 0.15 0.2 0.3 0.5; do
        cloche tour --yes --lang en >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
        pid=$!
        # Not the process group: the tour alone is hit, or (below) its child, too.
        sleep "$delay"
        kill -s TERM "$pid" 2>/dev/null || true
        wait "$pid" || true
        expect_nothing_left
        timeout -s INT "$delay" cloche tour --yes --lang en >"$BATS_TEST_TMPDIR/out" 2>&1 || true
        expect_nothing_left
    done
}

@test "a stage that can't be shown is an error, and leaves nothing" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\nexit 3\n' >"$BATS_TEST_TMPDIR/bin/ls"
    chmod +x "$BATS_TEST_TMPDIR/bin/ls"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run --separate-stderr cloche tour --yes --lang en
    expect_status 1
    [ "$(grep -c '^── ' <<<"$output")" = 5 ]
    # shellcheck disable=SC2154 # set by run
    [[ "$stderr" == "cloche: the command ls -l ended with exit status 3"* ]]
    expect_nothing_left
}

@test "the tour refuses what it does not know" {
    run cloche tour --lang de
    expect_one_line_error "unknown language: de" "zh-TW"
    run cloche tour somewhere
    [ "$status" -ne 0 ]
}

@test "tour: a reader who goes away ends it, and nothing is left" {
    cloche tour --yes | head -n 12 >"$WORLD/first"
    [ "$(wc -l <"$WORLD/first")" -eq 12 ]
    wait_until sh -c '[ -z "$(cloche ps -aq)" ]'
}
