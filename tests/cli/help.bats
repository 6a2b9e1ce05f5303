#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Help, man pages, completion, version: all of them made from the option tables.

# shellcheck disable=SC2034 # read by helper.bash
WORLD_ALPINE=no WORLD_ROOT=no
load helper

verbs() {
    cloche help | sed -n '/^Commands:/,/^$/s/^  \([a-z]\+\( [a-z]\+\)\{0,1\}\)  .*/\1/p'
}

@test "every command has --help: usage, summary, options; without root" {
    local verb count=0
    while read -r verb; do
        # shellcheck disable=SC2086 # one or two words
        run cloche $verb --help
        expect_status 0
        expect_match "^Usage:  cloche $verb"
        [ "$(wc -l <<<"$output")" -ge 3 ]
        # shellcheck disable=SC2086
        run cloche help $verb
        expect_match "^Usage:  cloche $verb"
        count=$((count + 1))
    done < <(verbs)
    [ "$count" -ge 25 ]
}

@test "cloche, cloche help, cloche --help are the overview; hidden commands are hidden" {
    run cloche
    expect_status 0
    local overview=$output
    expect_match '^Usage:  cloche \[OPTIONS\] COMMAND'
    refute_text reap
    run cloche help
    expect_output "$overview"
    run cloche --help
    expect_output "$overview"
    run cloche help no-such-command
    expect_status 125
    expect_one_line_error no-such-command
}

@test "--help among options helps; after the image it belongs to the program" {
    run cloche run --rm --help
    expect_match '^Usage:  cloche run'
    run cloche run no-such-image --help
    expect_status 125
}

@test "version" {
    run cloche --version
    expect_match '^Cloche version [0-9]+\.[0-9]+\.[0-9]+$'
    local version=${output##* }
    run cloche -v
    expect_match "$version"
    run cloche version
    expect_match "Version: +$version"
    expect_match "OS/Arch: +linux/"
    run cloche version --format '{{.Client.Version}}'
    expect_output "$version"
    run cloche version --format json
    expect_match "\"Version\":\"$version\""
}

@test "info" {
    [ "$(id -u)" = 0 ] || skip "needs root (this is uid $(id -u))"
    run cloche info
    expect_status 0
    expect_line 'Containers: 0'
    expect_line "Root Dir: $CLOCHE_ROOT"
    expect_line "Kernel Version: $(uname -r)"
    run cloche info --format '{{.NCPU}} {{.KernelVersion}}'
    expect_output "$(nproc --all) $(uname -r)"
}

@test "every man page renders without a complaint, and names every option of its --help" {
    local page verb option text
    need_program groff
    while read -r page; do
        run bash -c "cloche man $page | groff -man -Tutf8 -ww -z"
        expect_output ''
    done < <(cloche man)
    while read -r verb; do
        page=cloche-${verb// /-}
        text=$(cloche man "$page" | sed 's/\\-/-/g')
        # shellcheck disable=SC2086
        for option in $(cloche $verb --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -e '--[a-z-]+'); do
            [[ $text == *"$option"* ]] || { echo "$page lacks $option" >&2; return 1; }
        done
    done < <(verbs)
    run cloche man no-such-page
    expect_status 1
    expect_one_line_error no-such-page
}

@test "bash completion: parses, and completes commands, options, containers' and images' names" {
    cloche completion bash >"$BATS_TEST_TMPDIR/completion"
    bash -n "$BATS_TEST_TMPDIR/completion"
    complete_line() {
        # shellcheck disable=SC2016 # the inner shell's
        bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cloche; printf "%s\n" "${COMPREPLY[@]}"' "$BATS_TEST_TMPDIR/completion" "$@" | sed 's/ $//'
    }
    run complete_line cloche ru
    expect_output run
    run complete_line cloche run --detach-
    expect_output --detach-keys
    run complete_line cloche ps --no
    expect_output --no-trunc
    [ "$(id -u)" = 0 ] || return 0
    cloche create --name findable cloche/busybox true
    run complete_line cloche start find
    expect_output findable
    run complete_line cloche run cloche/b
    expect_output cloche/busybox:latest
    cloche rm findable
    run cloche completion fish
    [ "$status" -ne 0 ]
    expect_one_line_error fish
}

@test "no option of Docker's run is unknown: it works or says why not" {
    local option
    # docker run --help of 28.2.
    for option in add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile cpu-period cpu-quota cpu-rt-period \
        cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems detach detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps \
        device-write-iops disable-content-trust dns dns-option dns-search domainname entrypoint env env-file expose gpus group-add health-cmd health-interval \
        health-retries health-start-interval health-start-period health-timeout hostname init interactive ip ip6 ipc isolation label label-file link link-local-ip \
        log-driver log-opt mac-address memory memory-reservation memory-swap memory-swappiness mount name network network-alias no-healthcheck oom-kill-disable \
        oom-score-adj pid pids-limit platform privileged publish publish-all pull quiet read-only restart rm runtime security-opt shm-size sig-proxy stop-signal \
        stop-timeout storage-opt sysctl tmpfs tty ulimit use-api-socket user userns uts volume volume-driver volumes-from workdir; do
        run cloche run "--$option"
        refute_text 'unknown flag'
    done
}
