#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The unit tests, in a machine whose kernel or processor is another: they lie in CLOCHE_BUILD/unit (tests/vm/bed puts them there). One test here is a
# room's; what failed in it is shown. Two programs stay out: they start a container once for each of its steps, which takes hours on an emulated processor,
# and what they are about does not depend on it.

setup_file() {
    export CLOCHE_TEST_SOURCE=$BATS_TEST_DIRNAME/../..
}

# room NAME: all its programs, each to its end.
room() {
    local program output failed=0 count=0
    for program in "$CLOCHE_BUILD/unit/test-$1"-*; do
        [[ $program != */test-runtime-@(faults|kill) ]] || continue
        [ -x "$program" ] || skip "there are no programs of it ($CLOCHE_BUILD/unit)"
        count=$((count + 1))
        output=$("$program" 2>&1 </dev/null) && continue
        failed=1
        printf '%s\n' "== ${program##*/}" "$(grep -v '^ok ' <<<"$output")"
    done
    echo "# $1: $count programs" >&3
    return "$failed"
}

@test "base" { room base; }
@test "kernel" { room kernel; }
@test "oci" { room oci; }
@test "wire" { room wire; }
@test "seccomp" { room seccomp; }
@test "runtime" { room runtime; }
@test "store" { room store; }
@test "transfer" { room transfer; }
@test "monitor" { room monitor; }
@test "lens" { room lens; }
@test "glass" { room glass; }
@test "ocicli" { room ocicli; }
@test "engine" { room engine; }
@test "cli" { room cli; }
@test "musl" { room musl; }
