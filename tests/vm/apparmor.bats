#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# process.apparmorProfile where AppArmor is in the kernel: it is applied, to exec's processes too, and nothing in the bundle keeps it from being.
# On other machines it is skipped; `./dev vm` boots one that has it.
# shellcheck disable=SC2034,SC2154 # read by the frame; status, output: set by run

WORLD_ALPINE=no
load ../cli/helper
load ../cli/runtime-helper

PROFILE=cloche-test-profile

setup_file() {
    world_setup_file
    export BUNDLE=$WORLD/bundle APPARMOR_MISSING=
    if [ ! -e /sys/kernel/security/apparmor/profiles ]; then
        APPARMOR_MISSING="this kernel has no AppArmor, or it is off (./dev vm has it)"
    elif [ "$(id -u)" != 0 ] || ! command -v apparmor_parser >/dev/null || [ ! -x /bin/busybox ]; then
        APPARMOR_MISSING="needs root, apparmor_parser and /bin/busybox"
    else
        make_rootfs "$BUNDLE/rootfs"
        echo hidden >"$BUNDLE/rootfs/secret"
        cloche-runtime spec --bundle "$BUNDLE"
        cp "$BUNDLE/config.json" "$WORLD/default.json"
        cat >"$WORLD/profile" <<END
profile $PROFILE flags=(attach_disconnected) {
  file,
  capability,
  network,
  signal,
  deny /secret r,
}
END
        apparmor_parser --replace --skip-cache "$WORLD/profile"
    fi
    export APPARMOR_MISSING
}

setup() {
    [ -z "$APPARMOR_MISSING" ] || skip "$APPARMOR_MISSING"
    world_setup
    need_program jq
    cp "$WORLD/default.json" "$BUNDLE/config.json"
    change ".linux.cgroupsPath = \"/$CLOCHE_CGROUP_PARENT/box\" | .process.apparmorProfile = \"$PROFILE\""
}

teardown_file() {
    [ -n "$APPARMOR_MISSING" ] || apparmor_parser --remove "$WORLD/profile"
    world_teardown_file
}

# The container either has the label, or was refused: never without. Its script printed the label.
expect_confined_or_refused() {
    if [ "$status" -eq 0 ]; then
        expect_line "$PROFILE (enforce)"
        refute_text unconfined
    else
        refute_text unconfined
        refute_text hidden
    fi
    [ -z "$(rt list -q)" ]
}

@test "the program runs under the profile, and what it denies is denied" {
    script 'cat /proc/self/attr/current; cat /secret'
    run rt run -b "$BUNDLE" box
    expect_line "$PROFILE (enforce)"
    expect_text "Permission denied"
    refute_text hidden
    change 'del(.process.apparmorProfile)'
    run rt run -b "$BUNDLE" box
    expect_line hidden
}

@test "exec: the container's profile, or the one that is asked for" {
    start_idle
    run rt exec box cat /secret
    expect_status 1
    expect_text "Permission denied"
    run rt exec box cat /proc/self/attr/current
    expect_output "$PROFILE (enforce)"
    rt delete -f box
    change 'del(.process.apparmorProfile)'
    start_idle
    run rt exec --apparmor "$PROFILE" box cat /secret
    expect_text "Permission denied"
    run rt exec box cat /secret
    expect_output hidden
}

@test "a profile that is not loaded is an error that names it, and nothing is left" {
    change '.process.apparmorProfile = "no-such-profile"'
    script 'echo ran'
    run rt run -b "$BUNDLE" box
    expect_status 1
    expect_text no-such-profile
    expect_text "no profile of this name is loaded"
    refute_text ran
    [ -z "$(rt list -q)" ]
}

@test "start: a profile that is not loaded is its error, as the label is for the program's exec" {
    change '.process.apparmorProfile = "no-such-profile"'
    script 'echo ran'
    rt create -b "$BUNDLE" box >"$WORLD/out" 2>&1
    run rt start box
    expect_status 1
    expect_text no-such-profile
    refute_text "interpreter"
    [ ! -s "$WORLD/out" ]
}

@test "with no_new_privs the profile holds, too" {
    change '.process.noNewPrivileges = true'
    script 'cat /proc/self/attr/current; cat /secret'
    run rt run -b "$BUNDLE" box
    expect_line "$PROFILE (enforce)"
    refute_text hidden
}

@test "a seccomp profile that kills for openat2 does not end the start" {
    change '.process.noNewPrivileges = true | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["openat2"], action: "SCMP_ACT_KILL_PROCESS" }] }'
    start_idle
    run rt exec box cat /proc/self/attr/current
    expect_output "$PROFILE (enforce)"
}

@test "CVE-2019-16884: a volume or an image over /proc does not swallow the label" {
    script 'cat /proc/self/attr/current; cat /secret'
    # A directory of the image in place of /proc, with files where the label would be written.
    mkdir -p "$BUNDLE/rootfs/fake/self/attr/apparmor" "$BUNDLE/rootfs/fake/thread-self/attr/apparmor"
    for file in self/attr/exec self/attr/current self/attr/apparmor/exec thread-self/attr/exec thread-self/attr/apparmor/exec; do
        echo "$PROFILE (enforce)" >"$BUNDLE/rootfs/fake/$file"
    done
    change --arg fake "$BUNDLE/rootfs/fake" '.mounts |= map(select(.destination != "/proc")) | .mounts += [{destination: "/proc", type: "bind", source: $fake, options: ["rbind"]}]
        | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
    run rt run -b "$BUNDLE" box
    refute_text hidden
    [ -z "$(rt list -q)" ]
    # None at all: the label does not depend on a /proc of the container's.
    change '.mounts |= map(select(.destination != "/proc"))'
    run rt run -b "$BUNDLE" box
    refute_text hidden
    # A tmpfs over it.
    change '.mounts += [{destination: "/proc", type: "tmpfs", source: "tmpfs"}]'
    run rt run -b "$BUNDLE" box
    refute_text hidden
}

@test "CVE-2025-52881: mounts over the files of the label do not redirect what is written to them" {
    script 'cat /proc/self/attr/current; cat /secret'
    for target in /proc/self/attr/exec /proc/self/attr/apparmor/exec /proc/thread-self/attr/exec /proc/thread-self/attr/apparmor/exec /proc/1/attr/exec /proc/self/attr \
        /proc/sys/kernel/hostname; do
        : >"$WORLD/sink"
        source=$WORLD/sink
        case $target in */attr) source=$WORLD && mkdir -p "$WORLD/exec" ;; esac
        change --arg source "$source" --arg target "$target" '.mounts |= map(select(.destination | startswith("/proc/") | not)) | .mounts += [{destination: $target, type: "bind", source: $source, options: ["bind"]}]'
        run rt run -b "$BUNDLE" box
        [ ! -s "$WORLD/sink" ]
        expect_confined_or_refused
    done
}
